package infer

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// constant reports whether an expression has one value for all rows; nil has. With
// exact, NULL counts as a value: a column that an outer join may null-extend has
// two then.
func (b *bounding) constant(e query.Expr, exact bool) bool {
	if e == nil {
		return true
	}
	if b.volatile(e) {
		return false
	}
	good := true
	query.Walk(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.Var:
			good = good && (n.LevelsUp > 0 || b.oneValue(b.throughJoin(n), exact))
		case *query.SubLink:
			good = good && b.oneAnswer(n, exact)
		case *query.Aggref:
			good = good && n.LevelsUp > 0
		case *query.GroupingFunc, *query.WindowFunc:
			good = false
		case *query.FuncExpr:
			good = good && !n.RetSet
		}
		return good
	})
	return good
}

// oneValue reports whether a column of this level has one value.
func (b *bounding) oneValue(v *query.Var, exact bool) bool {
	held := b.single[v.VarNo] != "" && !b.changes(v.VarNo)
	for _, f := range b.fixed[column{v.VarNo, v.AttNo}] {
		held = held || f.identical
	}
	return held && (!exact || b.notExtended(v))
}

// notExtended reports whether a column is either null-extended in all rows of the
// result or in none: no outer join does it, or one that has one row to extend.
func (b *bounding) notExtended(v *query.Var) bool {
	for j := range v.NullingRels.All() {
		if b.present[j].Has(v.VarNo) {
			continue
		}
		join := findJoin(b.q.JoinTree, j)
		if join == nil || join.Type == query.JoinFull {
			return false
		}
		kept := join.Left
		if join.Type == query.JoinRight {
			kept = join.Right
		}
		for i := range b.findSides(kept).All() {
			if slices.Contains(b.leaves, i) && b.single[i] == "" {
				return false
			}
		}
	}
	return true
}

func findJoin(n query.JoinNode, index int) *query.JoinExpr {
	switch n := n.(type) {
	case *query.FromExpr:
		for _, c := range n.List {
			if j := findJoin(c, index); j != nil {
				return j
			}
		}
	case *query.JoinExpr:
		if n.Index == index {
			return n
		}
		if j := findJoin(n.Left, index); j != nil {
			return j
		}
		return findJoin(n.Right, index)
	}
	return nil
}

// changes reports whether a subquery in FROM may give another row when it is run
// again in the same statement, as a nested loop does.
func (b *bounding) changes(i int) bool {
	rte := b.q.RTE(i)
	switch {
	case rte.Kind == query.RTESubquery:
		return b.unstable(rte.Subquery)
	case rte.Kind == query.RTEValues:
		return slices.ContainsFunc(rte.Values, func(row []query.Expr) bool { return slices.ContainsFunc(row, b.volatile) })
	case rte.Kind == query.RTERelation:
		t := b.cat.Table(rte.Relation)
		return t != nil && t.Kind == catalog.KindView && t.View != nil && b.unstable(t.View)
	}
	return false
}

// unstable reports whether a query calls volatile functions or locks rows.
func (s *scope) unstable(q *query.Query) bool {
	bad := len(q.RowMarks) > 0
	q.EachExpr(func(e *query.Expr) { bad = bad || s.volatile(*e) })
	q.Subqueries(func(sub *query.Query) { bad = bad || s.unstable(sub) })
	return bad
}

// oneAnswer reports whether a sublink gives the same for all rows. One that refers
// to nothing outside itself is run once (an InitPlan).
func (b *bounding) oneAnswer(n *query.SubLink, exact bool) bool {
	good, alone := true, true
	n.Subselect.WalkLevels(func(e query.Expr, depth int) bool {
		v, ok := e.(*query.Var)
		if ok && v.LevelsUp > depth {
			alone = false
			if v.LevelsUp == depth+1 {
				at := *v
				at.LevelsUp = 0
				good = good && b.oneValue(b.throughJoin(&at), exact)
			}
		}
		return good
	})
	if alone {
		return n.Kind == query.ExprSubLink || n.Kind == query.ArraySubLink || n.Kind == query.ExistsSubLink
	}
	return good && !b.unstable(n.Subselect) && n.Subselect.LimitCount == nil && len(n.Subselect.Distinct) == 0
}

// volatile reports whether an expression calls a volatile function, outside of its
// sublinks (contain_volatile_functions, clauses.c).
func (s *scope) volatile(e query.Expr) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		if _, ok := x.(*query.NextValueExpr); ok {
			found = true
		}
		for _, oid := range calledBy(s.cat, x) {
			f := s.cat.Func(oid)
			found = found || f == nil || f.Volatile == 'v'
		}
		return !found
	})
	return found
}
