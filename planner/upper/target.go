package upper

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// splitTarget puts the columns for which keep is true into a new target and
// returns the others.
func splitTarget(t *rel.PathTarget, keep func(i, ref int) bool) (*rel.PathTarget, []query.Expr) {
	out := &rel.PathTarget{}
	var rest []query.Expr
	for i, e := range t.Exprs {
		ref := prep.SortRef(t, i)
		if keep(i, ref) {
			prep.AddToTarget(out, e, ref)
		} else {
			rest = append(rest, e)
		}
	}
	return out, rest
}

// addParts adds what a list of expressions is computed from, whole aggregates
// and window functions by the flags, and finishes a target.
func addParts(root *rel.PlannerInfo, t *rel.PathTarget, list []query.Expr, flags eval.PullFlags) *rel.PathTarget {
	for _, e := range eval.PullVarsList(list, flags) {
		prep.AddNewToTarget(t, e)
	}
	return prep.SetTargetCostWidth(root, t)
}

// grouped tells a column that is grouped by.
func grouped(root *rel.PlannerInfo) func(i, ref int) bool {
	return func(_, ref int) bool {
		return ref != 0 && clauseByRef(ref, root.GroupClause) != nil
	}
}

// groupInputTarget is what the scan or join below a grouping gives: grouping
// columns whole, of the rest the variables (make_group_input_target,
// planner.c).
func groupInputTarget(root *rel.PlannerInfo, final *rel.PathTarget) *rel.PathTarget {
	t, rest := splitTarget(final, grouped(root))
	rest = append(rest, having(root)...)
	return addParts(root, t, rest, eval.RecurseAggregates|eval.RecurseWindowFuncs|eval.IncludePlaceHolders)
}

// partialGroupingTarget is what a partial aggregation gives: grouping columns
// and unfinished aggregates (make_partial_grouping_target, planner.c).
func partialGroupingTarget(root *rel.PlannerInfo, target *rel.PathTarget, quals []query.Expr) *rel.PathTarget {
	t, rest := splitTarget(target, grouped(root))
	rest = append(rest, quals...)
	for _, e := range eval.PullVarsList(rest, eval.IncludeAggregates|eval.RecurseWindowFuncs|eval.IncludePlaceHolders) {
		prep.AddNewToTarget(t, e)
	}
	for i, e := range t.Exprs {
		if a, ok := e.(*query.Aggref); ok {
			t.Exprs[i] = partialAggref(a)
		}
	}
	return prep.SetTargetCostWidth(root, t)
}

// windowInputTarget is what the step below window functions gives: the columns
// that windows or groups are formed by whole, of the rest variables and
// aggregates (make_window_input_target, planner.c).
func windowInputTarget(root *rel.PlannerInfo, final *rel.PathTarget, windows []*query.WindowClause) *rel.PathTarget {
	refs := map[int]bool{}
	note := func(list []*query.SortGroupClause) {
		for _, c := range list {
			refs[c.Ref] = true
		}
	}
	for _, w := range windows {
		note(w.PartitionBy)
		note(w.OrderBy)
	}
	note(root.GroupClause)
	t, rest := splitTarget(final, func(_, ref int) bool { return ref != 0 && refs[ref] })
	return addParts(root, t, rest, eval.IncludeAggregates|eval.RecurseWindowFuncs|eval.IncludePlaceHolders)
}

// sortInputTarget is what is sorted: columns that are volatile, dear or
// set-returning wait until after the sort if nothing is sorted by them
// (make_sort_input_target, planner.c). srfsPostponed tells that set-returning
// functions wait.
func sortInputTarget(root *rel.PlannerInfo, final *rel.PathTarget) (t *rel.PathTarget, srfsPostponed bool) {
	q := root.Parse
	g := root.Global
	dear := 10 * cost.ParamsOf(g).CPUOperatorCost
	srf, postpone := make([]bool, len(final.Exprs)), make([]bool, len(final.Exprs))
	var haveSRF, haveVolatile, haveDear, srfSorted bool
	for i, e := range final.Exprs {
		returnsSet := q.HasTargetSRFs && eval.ContainSRF(e)
		switch {
		case prep.SortRef(final, i) != 0:
			srfSorted = srfSorted || returnsSet
		case returnsSet:
			srf[i], haveSRF = true, true
		case eval.ContainVolatile(g.Catalog, e):
			postpone[i], haveVolatile = true, true
		case cost.QualEvalNode(g, e).PerTuple > dear:
			postpone[i], haveDear = true, true
		}
	}
	srfsPostponed = haveSRF && !srfSorted
	if !srfsPostponed && !haveVolatile && !(haveDear && (q.LimitCount != nil || root.TupleFraction > 0)) {
		return final, false
	}
	t, rest := splitTarget(final, func(i, _ int) bool { return !postpone[i] && !(srfsPostponed && srf[i]) })
	t = addParts(root, t, rest, eval.IncludeAggregates|eval.IncludeWindowFuncs|eval.IncludePlaceHolders)
	return t, srfsPostponed
}
