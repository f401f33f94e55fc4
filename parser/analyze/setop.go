package analyze

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// setOpStmt is transformSetOperationStmt (analyze.c).
func (s *state) setOpStmt(n *pg.SelectStmt) *query.Query {
	q := &query.Query{Command: query.CmdSelect}
	left := n.Larg
	for left.Op != pg.SetOperation_SETOP_NONE {
		left = left.Larg
	}
	s.refuseInto(left, "SELECT ... INTO is not allowed here")
	if len(n.LockingClause) > 0 {
		s.fail(errFeatureNotSupported, noLoc, "%s is not allowed with UNION/INTERSECT/EXCEPT", lockName(lockStrength(n.LockingClause[0].GetLockingClause())))
	}
	s.with(q, n.WithClause)
	node, _ := s.setOpTree(n, true)
	op := node.(*query.SetOperationStmt)
	q.SetOperations = op
	leftmost := leftmostIndex(op.Left)
	var names []string
	var vars []query.Expr
	var cols []nsColumn
	for i, lt := range visibleTargets(s.rtable[leftmost-1].Subquery) {
		v := &query.Var{VarNo: leftmost, AttNo: lt.ResNo, SynNo: leftmost, SynAttNo: lt.ResNo}
		v.Header = query.Header{Typ: op.ColTypes[i], Mod: op.ColTypmods[i], Coll: op.ColCollations[i], Loc: s.span(exprLoc(lt.Expr))}
		q.TargetList = append(q.TargetList, s.newTarget(v, lt.Name, false))
		names, vars = append(names, lt.Name), append(vars, v)
		cols = append(cols, nsColumn{varno: leftmost, attno: lt.ResNo, typ: v.Typ, mod: v.Mod, coll: v.Coll, varnoSyn: leftmost, attnoSyn: lt.ResNo})
	}
	// ORDER BY sees the output columns alone, as if they were a join's.
	depth := len(s.rtable)
	it := s.addJoin(&query.RangeTblEntry{JoinAliasVars: vars}, names, cols)
	save := s.namespace
	s.namespace = nil
	s.addItem(it, false, false, true)
	width := len(q.TargetList)
	q.SortClause = s.sortClause(n.SortClause, &q.TargetList, kindOrderBy, false)
	s.namespace, s.rtable = save, s.rtable[:depth]
	if len(q.TargetList) != width {
		e := s.errorAt(errFeatureNotSupported, exprLoc(q.TargetList[width].Expr), "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
		e.Detail = "Only result column names can be used, not expressions or functions."
		e.Hint = "Add the expression/function to every SELECT, or move the UNION into a FROM clause."
		panic(e)
	}
	s.limits(q, n)
	s.finish(q, nil)
	s.assignQueryCollations(q)
	if s.hasAggs {
		s.checkAggregates(q)
	}
	return q
}

func leftmostIndex(n query.SetOpNode) int {
	for {
		switch x := n.(type) {
		case *query.RangeTblRef:
			return x.Index
		case *query.SetOperationStmt:
			n = x.Left
		}
	}
}

// setOpTree analyses one arm; the targets it returns stand for its columns
// (transformSetOperationTree).
func (s *state) setOpTree(n *pg.SelectStmt, top bool) (query.SetOpNode, []*query.TargetEntry) {
	s.refuseInto(n, "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT")
	if !top && len(n.LockingClause) > 0 {
		s.fail(errFeatureNotSupported, noLoc, "%s is not allowed with UNION/INTERSECT/EXCEPT", lockName(lockStrength(n.LockingClause[0].GetLockingClause())))
	}
	leaf := n.Op == pg.SetOperation_SETOP_NONE
	if !leaf && !top {
		leaf = len(n.SortClause) > 0 || n.LimitOffset != nil || n.LimitCount != nil || n.WithClause != nil
	}
	if leaf {
		return s.setOpLeaf(n)
	}
	op := &query.SetOperationStmt{All: n.All}
	context := "UNION"
	switch n.Op {
	case pg.SetOperation_SETOP_INTERSECT:
		op.Op, context = query.SetOpIntersect, "INTERSECT"
	case pg.SetOperation_SETOP_EXCEPT:
		op.Op, context = query.SetOpExcept, "EXCEPT"
	default:
		op.Op = query.SetOpUnion
	}
	recursive := s.parentCTE != nil && s.parentCTE.Recursive
	var lt, rt []*query.TargetEntry
	op.Left, lt = s.setOpTree(n.Larg, false)
	if top && recursive {
		s.recursiveColTypes(op.Left, lt)
	}
	op.Right, rt = s.setOpTree(n.Rarg, false)
	if len(lt) != len(rt) {
		loc := noLoc
		for _, t := range rt {
			if loc = exprLoc(t.Expr); loc >= 0 {
				break
			}
		}
		s.fail(errSyntax, loc, "each %s query must have the same number of columns", context)
	}
	var out []*query.TargetEntry
	for i := range lt {
		out = append(out, s.setOpColumn(op, lt[i], rt[i], context, recursive))
	}
	return op, out
}

func (s *state) setOpLeaf(n *pg.SelectStmt) (query.SetOpNode, []*query.TargetEntry) {
	q := s.subAnalyze(&pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: n}}, nil, false, false)
	if len(s.namespace) > 0 {
		loc := noLoc
		q.WalkLevels(func(e query.Expr, depth int) bool {
			if loc < 0 && isVarOfLevel(e, depth+1) {
				loc = locOf(e.Span())
			}
			return true
		})
		if loc >= 0 {
			s.fail(errInvalidColumnRef, loc, "UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same query level")
		}
	}
	it := s.addSubquery(q, &query.Alias{Name: fmt.Sprintf("*SELECT* %d", len(s.rtable)+1)}, false, false)
	return &query.RangeTblRef{Index: it.index}, visibleTargets(q)
}

// setOpColumn unifies a column of two arms.
func (s *state) setOpColumn(op *query.SetOperationStmt, lt, rt *query.TargetEntry, context string, recursive bool) *query.TargetEntry {
	pair := []query.Expr{lt.Expr, rt.Expr}
	t, which := s.commonType(pair, context)
	loc := exprLoc(which)
	for i, x := range []*query.TargetEntry{lt, rt} {
		e := x.Expr
		if e.ResultType() != pgtype.UnknownOID {
			pair[i] = s.coerceToCommon(e, t, context)
			continue
		}
		switch e.(type) {
		case *query.Const, *query.Param:
			x.Expr = s.coerceToCommon(e, t, context)
			pair[i] = x.Expr
		}
	}
	mod := commonTypmod(pair, t)
	coll := s.commonCollation(pair, op.Op == query.SetOpUnion && op.All)
	op.ColTypes, op.ColTypmods, op.ColCollations = append(op.ColTypes, t), append(op.ColTypmods, mod), append(op.ColCollations, coll)
	if op.Op != query.SetOpUnion || !op.All {
		s.at(loc, func() {
			o := s.sortOperators(t, false, true, false)
			if recursive && (t == pgtype.RecordOID || t == pgtype.RecordArrayOID) {
				o.hashable = true
			}
			op.GroupClauses = append(op.GroupClauses, &query.SortGroupClause{EqOp: o.eq, SortOp: o.lt, Hashable: o.hashable})
		})
	}
	d := &query.SetToDefault{}
	d.Header = query.Header{Typ: t, Mod: mod, Coll: coll, Loc: s.span(loc)}
	return &query.TargetEntry{Expr: d}
}

// recursiveColTypes fixes a recursive CTE's columns after its first arm
// (determineRecursiveColTypes).
func (s *state) recursiveColTypes(left query.SetOpNode, targets []*query.TargetEntry) {
	var list []*query.TargetEntry
	for i, lt := range visibleTargets(s.rtable[leftmostIndex(left)-1].Subquery) {
		if i < len(targets) {
			list = append(list, &query.TargetEntry{Expr: targets[i].Expr, ResNo: i + 1, Name: lt.Name})
		}
	}
	s.cteColumns(s.parentCTE, list)
}
