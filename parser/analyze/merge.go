package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// mergeStmt is transformMergeStmt (parse_merge.c) as of PostgreSQL 16, whose
// grammar this is: no RETURNING, no WHEN NOT MATCHED BY SOURCE.
func (s *state) mergeStmt(n *pg.MergeStmt) *query.Query {
	q := &query.Query{Command: query.CmdMerge}
	if w := n.WithClause; w != nil {
		if w.Recursive {
			s.fail(errSyntax, noLoc, "WITH RECURSIVE is not supported for MERGE statement")
		}
		s.with(q, w)
	}
	terminal := map[bool]bool{}
	for _, x := range n.MergeWhenClauses {
		c := x.GetMergeWhenClause()
		if terminal[c.Matched] {
			s.fail(errSyntax, noLoc, "unreachable WHEN clause specified after unconditional WHEN clause")
		}
		terminal[c.Matched] = c.Condition == nil
	}
	q.ResultRelation = s.setTarget(n.Relation, n.Relation.Inh, false)
	s.checkMergeTarget()
	s.fromClause([]*pg.Node{n.SourceRelation})
	source := s.itemAt(len(s.rtable), 0)
	if name := s.targetItem.names.Name; name == source.names.Name {
		s.failDetail(errDuplicateAlias, noLoc, "The name is used both as MERGE target table and data source.", "name \"%s\" specified more than once", name)
	}
	s.addItem(s.targetItem, false, true, true)
	// Nothing asks whether the condition is a boolean.
	cond := s.expr(n.JoinCondition, kindJoinOn)
	for _, x := range n.MergeWhenClauses {
		q.MergeActions = append(q.MergeActions, s.mergeAction(x.GetMergeWhenClause(), source))
	}
	s.finish(q, nil)
	q.MergeJoinCondition = cond
	q.HasTargetSRFs, q.HasAggs, q.HasWindowFuncs = false, false, false
	s.assignQueryCollations(q)
	return q
}

// checkMergeTarget refuses relations that MERGE cannot change; views it can
// since PostgreSQL 17.
func (s *state) checkMergeTarget() {
	detail := ""
	switch s.target.Kind {
	case catalog.KindTable, catalog.KindPartitioned:
		return
	case catalog.KindView:
		if s.cat.Major >= 17 {
			return
		}
		detail = "views"
	case catalog.KindMatView:
		detail = "materialized views"
	case catalog.KindForeign:
		detail = "foreign tables"
	case catalog.KindSequence:
		detail = "sequences"
	}
	e := s.errorAt(errFeatureNotSupported, noLoc, "cannot execute MERGE on relation \"%s\"", s.target.Name)
	if detail != "" {
		e.Detail = "This operation is not supported for " + detail + "."
	}
	panic(e)
}

func (s *state) mergeAction(c *pg.MergeWhenClause, source *nsItem) *query.MergeAction {
	a := &query.MergeAction{Matched: c.Matched}
	s.targetItem.relVisible, s.targetItem.colVisible = c.Matched, c.Matched
	for _, it := range s.namespace {
		// Both names of a join that has an alias for USING, too
		// (setNamespaceForMergeWhen, parse_merge.c).
		if it.rte == source.rte {
			it.relVisible, it.colVisible = true, true
		}
	}
	a.Qual = s.where(c.Condition, kindMergeWhen, "WHEN")
	p := &s.targetItem.rte.Perms
	switch c.CommandType {
	case pg.CmdType_CMD_INSERT:
		a.Command, a.Override = query.CmdInsert, overriding(c.Override)
		p.Insert = true
		s.isInsert = true
		cols := s.insertTargets(c.TargetList)
		if len(c.Values) == 0 {
			break
		}
		row := s.insertRow(s.exprList(c.Values, kindValuesSingle, true), len(c.TargetList) > 0, cols, false)
		for i, e := range row {
			a.TargetList = append(a.TargetList, &query.TargetEntry{Expr: e, ResNo: cols[i].number, Name: cols[i].name, Loc: e.Span()})
			addCol(&p.InsertCols, cols[i].number)
		}
	case pg.CmdType_CMD_UPDATE:
		a.Command = query.CmdUpdate
		p.Update = true
		s.isInsert = false
		a.TargetList = s.updateTargets(c.TargetList)
		for _, t := range a.TargetList {
			if !t.Junk {
				a.UpdateCols = append(a.UpdateCols, t.ResNo)
			}
		}
	case pg.CmdType_CMD_DELETE:
		a.Command = query.CmdDelete
		p.Delete = true
	default:
		a.Command = query.CmdUtility
	}
	return a
}
