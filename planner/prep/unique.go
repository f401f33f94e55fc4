package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// clauseSidesMatch reports whether a clause compares the outer side with the
// inner, and notes which operand is which (clause_sides_match_join).
func clauseSidesMatch(r *rel.RestrictInfo, outer, inner query.Relids) bool {
	switch {
	case r.LeftRelids.IsSubset(outer) && r.RightRelids.IsSubset(inner):
		r.OuterIsLeft = true
		return true
	case r.LeftRelids.IsSubset(inner) && r.RightRelids.IsSubset(outer):
		r.OuterIsLeft = false
		return true
	}
	return false
}

// relSupportsDistinctness is a quick test whether a relation could be proved
// unique at all (rel_supports_distinctness, analyzejoins.c).
func relSupportsDistinctness(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	if rl.Kind != rel.BaseRel {
		return false
	}
	switch rl.RTEKind {
	case query.RTERelation:
		return slices.ContainsFunc(rl.Indexes, func(x *rel.IndexOptInfo) bool {
			return x.Unique && x.Immediate && len(x.Predicate) == 0
		})
	case query.RTESubquery:
		return QuerySupportsDistinctness(root.RTEs[rl.Index].Subquery)
	}
	return false
}

// QuerySupportsDistinctness is the same for a subquery
// (query_supports_distinctness).
func QuerySupportsDistinctness(q *query.Query) bool {
	if q.HasTargetSRFs && len(q.Distinct) == 0 {
		return false
	}
	return len(q.Distinct) > 0 || len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 ||
		q.HasAggs || q.Having != nil || q.SetOperations != nil
}

// relIsDistinctFor reports whether the clauses match at most one row of a
// relation for each outer row (rel_is_distinct_for).
func relIsDistinctFor(root *rel.PlannerInfo, rl *rel.RelOptInfo, clauses []*rel.RestrictInfo) bool {
	if rl.Kind != rel.BaseRel {
		return false
	}
	switch rl.RTEKind {
	case query.RTERelation:
		return HasUniqueIndexFor(root, rl, clauses, nil, nil)
	case query.RTESubquery:
		var cols []distinctCol
		for _, r := range clauses {
			op := r.Clause.(*query.OpExpr)
			e := op.Args[0]
			if r.OuterIsLeft {
				e = op.Args[1]
			}
			if rt, ok := e.(*query.RelabelType); ok {
				e = rt.Arg
			}
			if v, ok := e.(*query.Var); ok && v.VarNo == rl.Index && v.LevelsUp == 0 {
				cols = append(cols, distinctCol{v.AttNo, op.Op})
			}
		}
		return queryIsDistinctFor(root.Global.Catalog, root.RTEs[rl.Index].Subquery, cols)
	}
	return false
}

// distinctCol is an output column and the equality that it is compared with.
type distinctCol struct {
	col int
	op  pgtype.OID
}

// QueryIsDistinctFor reports whether no two rows of a query's output are equal
// in the given columns under the given operators (query_is_distinct_for).
func QueryIsDistinctFor(cat *catalog.Catalog, q *query.Query, cols []int, ops []pgtype.OID) bool {
	var list []distinctCol
	for i := range cols {
		list = append(list, distinctCol{cols[i], ops[i]})
	}
	return queryIsDistinctFor(cat, q, list)
}

func queryIsDistinctFor(cat *catalog.Catalog, q *query.Query, cols []distinctCol) bool {
	covers := func(resno int, eq pgtype.OID) bool {
		i := slices.IndexFunc(cols, func(c distinctCol) bool { return c.col == resno })
		return i >= 0 && EqualityOpsCompatible(cat, cols[i].op, eq)
	}
	all := func(clauses []*query.SortGroupClause) bool {
		for _, c := range clauses {
			for _, te := range q.TargetList {
				if te.SortGroupRef == c.Ref && !covers(te.ResNo, c.EqOp) {
					return false
				}
			}
		}
		return true
	}
	if len(q.Distinct) > 0 && all(q.Distinct) {
		return true
	}
	if q.HasTargetSRFs {
		return false
	}
	switch {
	case len(q.GroupClause) > 0 && len(q.GroupingSets) == 0:
		if all(q.GroupClause) {
			return true
		}
	case len(q.GroupingSets) > 0:
		return len(q.GroupClause) == 0 && len(q.GroupingSets) == 1 && q.GroupingSets[0].Kind == query.GroupingSetEmpty
	case q.HasAggs || q.Having != nil:
		return true
	}
	top, ok := q.SetOperations.(*query.SetOperationStmt)
	if !ok || top.All {
		return false
	}
	i := 0
	for _, te := range q.TargetList {
		if te.Junk {
			continue
		}
		if i >= len(top.GroupClauses) || !covers(te.ResNo, top.GroupClauses[i].EqOp) {
			return false
		}
		i++
	}
	return true
}

// EqualityOpsCompatible reports whether two equality operators agree: they are
// in one family (equality_ops_are_compatible, lsyscache.c).
func EqualityOpsCompatible(cat *catalog.Catalog, a, b pgtype.OID) bool {
	if a == b {
		return true
	}
	for _, m := range cat.AmOpsOf(a) {
		if (m.Method == catalog.BTreeMethod || m.Method == catalog.HashMethod) && cat.OpFamilyStrategy(b, m.Family) != 0 {
			return true
		}
	}
	return false
}

// InnerRelIsUnique reports whether each row of the outer side can match at most
// one row of a relation by the given clauses; the answer is cached
// (innerrel_is_unique, analyzejoins.c).
func InnerRelIsUnique(root *rel.PlannerInfo, joinRelids, outer query.Relids, inner *rel.RelOptInfo, jt query.JoinType, restrict []*rel.RestrictInfo, forceCache bool) bool {
	if len(restrict) == 0 || !relSupportsDistinctness(root, inner) {
		return false
	}
	for _, s := range inner.UniqueFor {
		if s.IsSubset(outer) {
			return true
		}
	}
	for _, s := range inner.NonUniqueFor {
		if outer.IsSubset(s) {
			return false
		}
	}
	var clauses []*rel.RestrictInfo
	for _, r := range restrict {
		if jt.IsOuter() && IsPushedDown(r, joinRelids) {
			continue
		}
		if r.CanJoin && r.MergeFamilies != nil && clauseSidesMatch(r, outer, inner.Relids) {
			clauses = append(clauses, r)
		}
	}
	if relIsDistinctFor(root, inner, clauses) {
		inner.UniqueFor = append(inner.UniqueFor, outer)
		return true
	}
	if forceCache {
		inner.NonUniqueFor = append(inner.NonUniqueFor, outer)
	}
	return false
}

// MatchIndexToOperand reports whether an expression is an index's column
// (match_index_to_operand, indxpath.c).
func MatchIndexToOperand(e query.Expr, col int, x *rel.IndexOptInfo) bool {
	if r, ok := e.(*query.RelabelType); ok {
		e = r.Arg
	}
	if key := x.Keys[col]; key != 0 {
		v, ok := e.(*query.Var)
		return ok && v.VarNo == x.Rel.Index && v.AttNo == key && v.NullingRels.IsEmpty()
	}
	at := 0
	for i := range col {
		if x.Keys[i] == 0 {
			at++
		}
	}
	want := x.Exprs[at]
	if r, ok := want.(*query.RelabelType); ok {
		want = r.Arg
	}
	return query.Equal(e, want)
}

// HasUniqueIndexFor reports whether a unique index has all its columns bound by
// the clauses, by restrictions to constants, or by the given expressions and
// operators (relation_has_unique_index_for, indxpath.c).
func HasUniqueIndexFor(root *rel.PlannerInfo, rl *rel.RelOptInfo, restrict []*rel.RestrictInfo, exprs []query.Expr, ops []pgtype.OID) bool {
	if len(rl.Indexes) == 0 {
		return false
	}
	clauses := slices.Clone(restrict)
	for _, r := range rl.BaseRestrict {
		// x = constant binds a column as well.
		if r.MergeFamilies == nil {
			continue
		}
		switch {
		case r.LeftRelids.IsEmpty():
			r.OuterIsLeft = true
		case r.RightRelids.IsEmpty():
			r.OuterIsLeft = false
		default:
			continue
		}
		clauses = append(clauses, r)
	}
	if len(clauses) == 0 && len(exprs) == 0 {
		return false
	}
	cat := root.Global.Catalog
	for _, x := range rl.Indexes {
		if !x.Unique || !x.Immediate || len(x.Predicate) > 0 {
			continue
		}
		bound := true
		for c := 0; c < x.NKeyCols && bound; c++ {
			bound = slices.ContainsFunc(clauses, func(r *rel.RestrictInfo) bool {
				if !slices.Contains(r.MergeFamilies, x.Families[c]) {
					return false
				}
				op := r.Clause.(*query.OpExpr)
				e := op.Args[0]
				if r.OuterIsLeft {
					e = op.Args[1]
				}
				return MatchIndexToOperand(e, c, x)
			})
			for i := 0; i < len(exprs) && !bound; i++ {
				bound = MatchIndexToOperand(exprs[i], c, x) && slices.Contains(cat.MergeJoinFamilies(ops[i]), x.Families[c])
			}
		}
		if bound {
			return true
		}
	}
	return false
}
