package analyze

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
)

// updateStmt is transformUpdateStmt (analyze.c).
func (s *state) updateStmt(n *pg.UpdateStmt) *query.Query {
	q := &query.Query{Command: query.CmdUpdate}
	s.with(q, n.WithClause)
	q.ResultRelation = s.setTarget(n.Relation, n.Relation.Inh, true)
	s.targetItem.rte.Perms.Update = true
	s.targetItem.lateralOnly, s.targetItem.lateralOK = true, false
	s.fromClause(n.FromClause)
	s.targetItem.lateralOnly, s.targetItem.lateralOK = false, true
	qual := s.where(n.WhereClause, kindWhere, "WHERE")
	q.Returning = s.returning(n.ReturningList)
	q.TargetList = s.updateTargets(n.TargetList)
	s.finish(q, qual)
	q.HasAggs, q.HasWindowFuncs = false, false
	s.assignQueryCollations(q)
	return q
}

// deleteStmt is transformDeleteStmt.
func (s *state) deleteStmt(n *pg.DeleteStmt) *query.Query {
	q := &query.Query{Command: query.CmdDelete}
	s.with(q, n.WithClause)
	q.ResultRelation = s.setTarget(n.Relation, n.Relation.Inh, true)
	s.targetItem.rte.Perms.Delete = true
	s.targetItem.lateralOnly, s.targetItem.lateralOK = true, false
	s.fromClause(n.UsingClause)
	s.targetItem.lateralOnly, s.targetItem.lateralOK = false, true
	qual := s.where(n.WhereClause, kindWhere, "WHERE")
	q.Returning = s.returning(n.ReturningList)
	s.finish(q, qual)
	s.assignQueryCollations(q)
	if s.hasAggs {
		s.checkAggregates(q)
	}
	return q
}

// updateTargets is transformUpdateTargetList.
func (s *state) updateTargets(list []*pg.Node) []*query.TargetEntry {
	out := s.targetList(list, kindUpdateSource)
	s.nextResNo = max(s.nextResNo, len(s.target.Columns)+1)
	next := 0
	for _, t := range out {
		if t.Junk {
			t.ResNo, t.Name = s.nextResNo, ""
			s.nextResNo++
			continue
		}
		r := list[next].GetResTarget()
		next++
		number := columnNumber(s.target, r.Name, true)
		if number == 0 {
			hint := ""
			if len(r.Indirection) > 0 && r.Name == s.targetItem.names.Name && s.cat.Major >= 16 {
				hint = "SET target columns cannot be qualified with the relation name."
			}
			s.failNoColumn(r.Name, int(r.Location), hint)
		}
		t.Expr = s.assigned(t.Expr, kindUpdateTarget, r.Name, number, r.Indirection, int(r.Location))
		t.ResNo, t.Name = number, r.Name
		addCol(&s.targetItem.rte.Perms.UpdateCols, number)
	}
	return out
}

// failNoColumn reports a target column that the table lacks.
func (s *state) failNoColumn(name string, loc int, hint string) {
	if hint == "" {
		var known []string
		for _, c := range s.target.Columns {
			if !c.Dropped {
				known = append(known, c.Name)
			}
		}
		if near, ok := diag.DidYouMean(name, known); ok {
			hint = fmt.Sprintf("Perhaps you meant the column \"%s\".", near)
		}
	}
	s.failHint(errUndefinedColumn, loc, hint, "column \"%s\" of relation \"%s\" does not exist", name, s.target.Name)
}
