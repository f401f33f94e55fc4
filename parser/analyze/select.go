package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
)

// statement analyses a statement of one level (transformStmt, analyze.c).
func (s *state) statement(n *pg.Node) *query.Query {
	switch x := n.Node.(type) {
	case *pg.Node_SelectStmt:
		sel := x.SelectStmt
		switch {
		case len(sel.ValuesLists) > 0:
			return s.valuesStmt(sel)
		case sel.Op == pg.SetOperation_SETOP_NONE:
			return s.selectStmt(sel)
		}
		return s.setOpStmt(sel)
	case *pg.Node_InsertStmt:
		return s.insertStmt(x.InsertStmt)
	case *pg.Node_UpdateStmt:
		return s.updateStmt(x.UpdateStmt)
	case *pg.Node_DeleteStmt:
		return s.deleteStmt(x.DeleteStmt)
	case *pg.Node_MergeStmt:
		return s.mergeStmt(x.MergeStmt)
	case *pg.Node_ReturnStmt:
		q := &query.Query{Command: query.CmdSelect, IsReturn: true}
		q.TargetList = []*query.TargetEntry{s.newTarget(s.expr(x.ReturnStmt.Returnval, kindSelectTarget), "", false)}
		if s.resolveUnknowns {
			s.resolveTargets(q.TargetList)
		}
		s.finish(q, nil)
		s.assignQueryCollations(q)
		return q
	}
	return s.utility(n)
}

// subAnalyze analyses a query below this one (parse_sub_analyze).
func (s *state) subAnalyze(n *pg.Node, parent *cte, locked, resolve bool) *query.Query {
	in := newState(s.analyzer, s)
	in.parentCTE, in.lockedFromParent, in.resolveUnknowns = parent, locked, resolve
	q := in.statement(n)
	in.checkWidth()
	return q
}

func (s *state) checkWidth() {
	if s.nextResNo-1 > maxTupleAttrs {
		s.fail(errTooManyColumns, noLoc, "target lists can have at most %d entries", maxTupleAttrs)
	}
}

// with analyses a WITH clause into the query.
func (s *state) with(q *query.Query, w *pg.WithClause) {
	if w == nil {
		return
	}
	q.HasRecursive = w.Recursive
	s.withClause(q, w)
	q.HasModifyingCTE = s.hasModifyingCTE
}

// finish moves what was gathered into the query.
func (s *state) finish(q *query.Query, qual query.Expr) {
	q.RangeTable = s.rtable
	q.JoinTree = &query.FromExpr{List: s.joinList, Quals: qual}
	q.HasSubLinks, q.HasWindowFuncs = s.hasSubLinks, s.hasWindowFuncs
	q.HasTargetSRFs, q.HasAggs = s.hasTargetSRFs, s.hasAggs
}

// selectStmt is transformSelectStmt.
func (s *state) selectStmt(n *pg.SelectStmt) *query.Query {
	q := &query.Query{Command: query.CmdSelect}
	s.with(q, n.WithClause)
	s.refuseInto(n, "SELECT ... INTO is not allowed here")
	for _, l := range n.LockingClause {
		s.locking = append(s.locking, l.GetLockingClause())
	}
	for _, w := range n.WindowClause {
		s.windowDefs = append(s.windowDefs, w.GetWindowDef())
	}
	s.fromClause(n.FromClause)
	q.TargetList = s.targetList(n.TargetList, kindSelectTarget)
	s.markOrigins(q.TargetList)
	qual := s.where(n.WhereClause, kindWhere, "WHERE")
	q.Having = s.where(n.HavingClause, kindHaving, "HAVING")
	q.SortClause = s.sortClause(n.SortClause, &q.TargetList, kindOrderBy, false)
	q.GroupClause, q.GroupingSets = s.groupClause(n.GroupClause, &q.TargetList, q.SortClause, kindGroupBy, false)
	q.GroupDistinct = n.GroupDistinct
	switch {
	case len(n.DistinctClause) == 0:
	case n.DistinctClause[0].GetNode() == nil:
		q.Distinct = s.distinctClause(&q.TargetList, q.SortClause, false)
	default:
		q.Distinct = s.distinctOn(n.DistinctClause, &q.TargetList, q.SortClause)
		q.HasDistinctOn = true
	}
	s.limits(q, n)
	q.WindowClause = s.windowDefinitions(&q.TargetList)
	if s.resolveUnknowns {
		s.resolveTargets(q.TargetList)
	}
	s.finish(q, qual)
	for _, l := range s.locking {
		s.lockingClause(q, l, false)
	}
	s.assignQueryCollations(q)
	if s.hasAggs || len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.Having != nil {
		s.checkAggregates(q)
	}
	return q
}

func (s *state) limits(q *query.Query, n *pg.SelectStmt) {
	q.WithTies = n.LimitOption == pg.LimitOption_LIMIT_OPTION_WITH_TIES
	q.LimitOffset = s.limit(n.LimitOffset, kindOffset, q.WithTies)
	q.LimitCount = s.limit(n.LimitCount, kindLimit, q.WithTies)
}

func (s *state) refuseInto(n *pg.SelectStmt, message string) {
	if n.IntoClause != nil {
		s.fail(errSyntax, int(n.IntoClause.GetRel().GetLocation()), "%s", message)
	}
}

// valuesStmt is transformValuesClause.
func (s *state) valuesStmt(n *pg.SelectStmt) *query.Query {
	q := &query.Query{Command: query.CmdSelect, IsValues: true}
	s.with(q, n.WithClause)
	var cols [][]query.Expr
	for i, row := range n.ValuesLists {
		list := s.exprList(row.GetList().GetItems(), kindValues, false)
		if i == 0 {
			cols = make([][]query.Expr, len(list))
		} else if len(list) != len(cols) {
			s.fail(errSyntax, listLoc(list), "VALUES lists must all be the same length")
		}
		for j, e := range list {
			cols[j] = append(cols[j], e)
		}
	}
	attrs := make([]attr, len(cols))
	rows := make([][]query.Expr, len(n.ValuesLists))
	for j, col := range cols {
		t, _ := s.commonType(col, "VALUES")
		s.coerceAllToCommon(col, t, "VALUES")
		attrs[j] = attr{typ: t, mod: commonTypmod(col, t), coll: s.commonCollation(col, true)}
		for i, e := range col {
			rows[i] = append(rows[i], e)
		}
	}
	lateral := false
	if len(s.rtable) > 0 {
		for _, r := range rows {
			for _, e := range r {
				lateral = lateral || hasVars(e, 0)
			}
		}
	}
	it := s.addValues(rows, attrs, lateral)
	s.addItem(it, true, true, true)
	for _, t := range s.expandItem(it, 0, noLoc) {
		q.TargetList = append(q.TargetList, s.newTarget(t.expr, t.name, false))
	}
	q.SortClause = s.sortClause(n.SortClause, &q.TargetList, kindOrderBy, false)
	s.limits(q, n)
	if len(n.LockingClause) > 0 {
		s.fail(errFeatureNotSupported, noLoc, "%s cannot be applied to VALUES", lockName(lockStrength(n.LockingClause[0].GetLockingClause())))
	}
	s.finish(q, nil)
	s.assignQueryCollations(q)
	return q
}
