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
		if sameExpr(plainCast(g), plainCast(e)) {
			return true
		}
	}
	return false
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
