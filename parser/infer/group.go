package infer

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
)

// commonGroups are the references of the groupings that every grouping set has; nil
// without grouping sets.
func commonGroups(q *query.Query) map[int]bool {
	if len(q.GroupingSets) == 0 {
		return nil
	}
	out := map[int]bool{}
	// The items multiply: a set of the whole has all of one set of each.
	for _, g := range q.GroupingSets {
		for _, r := range commonRefs(g) {
			out[r] = true
		}
	}
	return out
}

func commonRefs(g *query.GroupingSet) []int {
	switch g.Kind {
	case query.GroupingSetSimple:
		return g.Refs
	case query.GroupingSetSets:
		var out []int
		for i, sub := range g.Sets {
			refs := commonRefs(sub)
			if i == 0 {
				out = slices.Clone(refs)
				continue
			}
			out = slices.DeleteFunc(out, func(r int) bool { return !slices.Contains(refs, r) })
		}
		return out
	}
	// ROLLUP, CUBE and () have a set without anything.
	return nil
}

// hasEmptySet reports whether a query without a row gives one nevertheless: it
// aggregates and has no grouping, or a grouping set that is empty.
func hasEmptySet(q *query.Query) bool {
	if len(q.GroupingSets) == 0 {
		return len(q.GroupClause) == 0
	}
	for _, g := range q.GroupingSets {
		if !mayBeEmpty(g) {
			return false
		}
	}
	return true
}

func mayBeEmpty(g *query.GroupingSet) bool {
	switch g.Kind {
	case query.GroupingSetSimple:
		return len(g.Refs) == 0
	case query.GroupingSetSets:
		return slices.ContainsFunc(g.Sets, mayBeEmpty)
	}
	return true
}

// ofNoRows reports whether what is looked at may be of a row that aggregates give of no
// rows: no row has passed WHERE then.
func (s *scope) ofNoRows() bool {
	return !s.inAgg && (s.q.HasAggs || s.q.Having != nil || len(s.q.GroupingSets) > 0) && hasEmptySet(s.q)
}

// groupedAway tells an expression of this level that some grouping set leaves out.
func (s *scope) groupedAway(e query.Expr) bool {
	if len(s.q.GroupingSets) == 0 || s.inAgg {
		return false
	}
	if _, ok := e.(*query.Var); ok {
		return false // told with its level by columnGroupedAway
	}
	e = s.flat(e)
	for _, g := range s.leftOut() {
		if sameExpr(plainCast(g), plainCast(e)) || s.mayFoldTo(g, e) {
			return true
		}
	}
	return false
}

// mayFoldTo reports whether the planner may make one expression of a grouping
// expression and another that is written otherwise: it folds constants before it
// looks which expressions are grouped by (a constant itself is never taken for one,
// search_indexed_tlist_for_non_var, setrefs.c).
func (s *scope) mayFoldTo(grouping, e query.Expr) bool {
	for _, x := range []query.Expr{grouping, e} {
		switch x.(type) {
		case *query.Var, *query.Const, *query.Param:
			return false
		}
	}
	return s.mayEqual(grouping, e)
}

// mayEqual reports whether two expressions can be the same once constants are folded:
// a branch of CASE, an operand of AND and an argument of COALESCE may be all that
// stays of it, what has no column may become any constant, and a function in SQL
// anything.
func (s *scope) mayEqual(a, b query.Expr) bool {
	a, b = plainCast(a), plainCast(b)
	if a.ResultType() != b.ResultType() {
		return false
	}
	if query.Equal(a, b) {
		return true
	}
	_, constA := a.(*query.Const)
	_, constB := b.(*query.Const)
	if s.isConstant(a) && s.isConstant(b) {
		return !constA || !constB
	}
	if part := func(x query.Expr) bool { return s.mayEqual(x, b) }; slices.ContainsFunc(s.remains(a), part) {
		return true
	}
	if part := func(x query.Expr) bool { return s.mayEqual(a, x) }; slices.ContainsFunc(s.remains(b), part) {
		return true
	}
	var left, right []query.Expr
	switch x := a.(type) {
	case *query.OpExpr:
		if y, ok := b.(*query.OpExpr); ok && x.Op == y.Op {
			left, right = x.Args, y.Args
		}
	case *query.CoalesceExpr:
		if y, ok := b.(*query.CoalesceExpr); ok {
			left, right = s.unfolded(x.Args), s.unfolded(y.Args)
		}
	case *query.FuncExpr:
		if f := s.cat.Func(x.Func); f == nil || f.Language == "sql" {
			return true
		}
		if y, ok := b.(*query.FuncExpr); ok && x.Func == y.Func {
			left, right = x.Args, y.Args
		}
	}
	if f, ok := b.(*query.FuncExpr); ok {
		if f := s.cat.Func(f.Func); f == nil || f.Language == "sql" {
			return true
		}
	}
	return len(left) > 0 && slices.EqualFunc(left, right, s.mayEqual)
}

// remains are the parts of an expression that may be all that folding leaves of it.
func (s *scope) remains(e query.Expr) []query.Expr {
	switch n := e.(type) {
	case *query.CaseExpr:
		var out []query.Expr
		for _, w := range n.Whens {
			out = append(out, w.Result)
		}
		if n.Default != nil {
			out = append(out, n.Default)
		}
		return out
	case *query.CoalesceExpr:
		// What comes before folds to NULL, what comes behind is not looked at.
		var out []query.Expr
		for i, a := range n.Args {
			if constant := s.isConstant(a); constant || i == len(n.Args)-1 {
				out = append(out, a)
			} else {
				break
			}
		}
		return out
	case *query.BoolExpr:
		return n.Args
	}
	return nil
}

// unfolded are the arguments of COALESCE behind those that may fold to NULL.
func (s *scope) unfolded(args []query.Expr) []query.Expr {
	for i, a := range args {
		if !s.isConstant(a) {
			return args[i:]
		}
	}
	return args
}

// isConstant reports whether an expression reads no column, parameter or group.
func (s *scope) isConstant(e query.Expr) bool {
	constant := true
	query.Walk(e, func(x query.Expr) bool {
		switch x.(type) {
		case *query.Var, *query.Param, *query.Aggref, *query.WindowFunc, *query.GroupingFunc, *query.SubLink:
			constant = false
		}
		return constant
	})
	return constant
}

// leftOut are the grouping expressions that not every grouping set has.
func (s *scope) leftOut() []query.Expr {
	var out []query.Expr
	for _, g := range s.q.GroupClause {
		if s.common[g.Ref] {
			continue
		}
		for _, te := range s.q.TargetList {
			if te.SortGroupRef == g.Ref {
				out = append(out, s.flat(te.Expr))
			}
		}
	}
	return out
}

// columnGroupedAway tells a column of this level that a grouping set leaves out; one
// that is looked at from a query below may stand in a grouping expression there.
func (s *scope) columnGroupedAway(v *query.Var, below bool) bool {
	if len(s.q.GroupingSets) == 0 || s.inAgg {
		return false
	}
	here := *v
	here.LevelsUp = 0
	e := s.flat(&here)
	for _, g := range s.leftOut() {
		if sameExpr(plainCast(g), plainCast(e)) {
			return true
		}
		if !below {
			continue
		}
		part := false
		query.Walk(g, func(x query.Expr) bool {
			part = part || sameExpr(x, e)
			return !part
		})
		if part {
			return true
		}
	}
	return false
}

// flat puts the columns that a join's output stands for in its place
// (flatten_join_alias_vars, optimizer/util/var.c).
func (s *scope) flat(e query.Expr) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		v, ok := x.(*query.Var)
		if !ok {
			return nil, false
		}
		if v.LevelsUp == 0 && v.VarNo >= 1 && v.VarNo <= len(s.q.RangeTable) {
			rte := s.q.RTE(v.VarNo)
			if rte.Kind == query.RTEJoin && v.AttNo > 0 && v.AttNo <= len(rte.JoinAliasVars) {
				return s.flat(rte.JoinAliasVars[v.AttNo-1]), true
			}
		}
		return v, true
	})
}
