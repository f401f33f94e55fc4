// Package upper puts on top of scans and joins what else a query asks for:
// grouping and aggregation, window functions, DISTINCT, set operations, ORDER
// BY, row locks, LIMIT and the changing of tables.
//
// [GroupingPlanner] is the way in; it is grouping_planner of
// optimizer/plan/planner.c with what that calls (planagg.c, prep/prepagg.c,
// prep/preptlist.c, prep/prepunion.c, util/tlist.c). Each step makes an upper
// relation with its paths from the paths of the step below, in PostgreSQL's
// order.
//
// The package imports planner/rel, eval, selectivity, cost, prep, path and join.
package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/join"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// GroupingPlanner plans a preprocessed query level and leaves its paths in the
// final upper relation, without init plans' costs and without having picked the
// cheapest. tupleFraction is how much of the result will be fetched: 0 all,
// below 1 a part, from 1 on so many rows (grouping_planner, planner.c).
func GroupingPlanner(root *rel.PlannerInfo, tupleFraction float64) {
	q := root.Parse
	var b bounds
	if q.LimitCount != nil || q.LimitOffset != nil {
		tupleFraction, b = preprocessLimit(root, tupleFraction)
	}
	limit := b.tuples()
	root.TupleFraction = tupleFraction

	var out output
	if q.SetOperations != nil {
		out = setOperationOutput(root)
	} else {
		out = plainOutput(root, limit)
	}
	current := out.rl
	if len(q.SortClause) > 0 {
		if out.srfsPostponed {
			limit = -1
		}
		current = orderedPaths(root, current, out.target, out.safe, limit)
		if q.HasTargetSRFs {
			addSRFSteps(root, current, out.levels)
		}
	}
	finalPaths(root, current, b)
}

// output is the state before ORDER BY.
type output struct {
	rl *rel.RelOptInfo
	// target is the final target; safe, that workers may compute it; levels
	// are the steps to it if it has set-returning functions.
	target        *rel.PathTarget
	safe          bool
	levels        []srfLevel
	srfsPostponed bool
}

func setOperationOutput(root *rel.PlannerInfo) output {
	q := root.Parse
	if len(q.SortClause) > 0 && !root.Global.Version(17) {
		// All rows will be fetched for the sort.
		root.TupleFraction = 0
	}
	out := output{rl: planSetOperations(root)}
	root.ProcessedTargetList = nameSetOpTargets(root.ProcessedTargetList, q.TargetList)
	out.target = out.rl.CheapestTotal.Base().Target
	out.safe = parallelSafe(root, out.target.Exprs)
	root.SortPathKeys = prep.PathKeysForSortClauses(root, q.SortClause, root.ProcessedTargetList, false, false).Keys
	return out
}

// plainOutput plans a query that is no set operation, up to DISTINCT.
func plainOutput(root *rel.PlannerInfo, limit float64) output {
	q := root.Parse
	var sets *groupingSets
	root.GroupClause = nil
	switch {
	case len(q.GroupingSets) > 0:
		sets = preprocessGroupingSets(root)
	case len(q.GroupClause) > 0:
		prepareGroupClause(root)
	}
	preprocessTargetList(root)
	if q.HasAggs {
		numberAggs(root)
	}
	w := windowing{}
	if q.HasWindowFuncs {
		w.funcs = findWindowFuncs(root.ProcessedTargetList)
		if len(w.funcs) > 0 {
			w.funcs = optimizeWindows(root, w.funcs)
			w.windows = activeWindows(root, w.funcs)
		} else {
			q.HasWindowFuncs = false
		}
	}
	if q.HasAggs {
		minMaxAggs(root)
	}
	root.LimitTuples = limit
	if hasGrouping(root) || len(q.Distinct) > 0 || q.HasWindowFuncs || q.HasTargetSRFs {
		root.LimitTuples = -1
	}
	current := join.QueryPlanner(root, func() { setKeys(root, w.windows, sets) })
	t := makeTargets(root, w.windows)
	sameExprs := len(t.scanJoin) == 1 && slices.EqualFunc(t.first(t.scanJoin).Exprs, current.Target.Exprs, query.Equal)
	applyScanJoinTarget(root, current, t.scanJoin, t.scanJoinSafe, sameExprs)
	root.UpperTargets[rel.UpperFinal] = t.first(t.final)
	root.UpperTargets[rel.UpperOrdered] = t.first(t.final)
	root.UpperTargets[rel.UpperDistinct] = t.first(t.sortInput)
	root.UpperTargets[rel.UpperPartialDistinct] = t.first(t.sortInput)
	root.UpperTargets[rel.UpperWindow] = t.first(t.sortInput)
	root.UpperTargets[rel.UpperGroupAgg] = t.first(t.grouping)
	if hasGrouping(root) {
		current = groupingPaths(root, current, t.first(t.grouping), t.groupingSafe, sets)
		if q.HasTargetSRFs {
			addSRFSteps(root, current, t.grouping)
		}
	}
	if len(w.windows) > 0 {
		w.input, w.output, w.outputSafe = t.first(t.grouping), t.first(t.sortInput), t.sortInputSafe
		current = windowPaths(root, current, w)
		if q.HasTargetSRFs {
			addSRFSteps(root, current, t.sortInput)
		}
	}
	if len(q.Distinct) > 0 {
		current = distinctPaths(root, current, t.first(t.sortInput))
	}
	return output{rl: current, target: t.first(t.final), safe: t.finalSafe, levels: t.final, srfsPostponed: t.srfsPostponed}
}

// targets are what the steps of a query give, each as the steps that it takes
// to evaluate set-returning functions.
type targets struct {
	final, sortInput, grouping, scanJoin                 []srfLevel
	finalSafe, sortInputSafe, groupingSafe, scanJoinSafe bool
	srfsPostponed                                        bool
}

// first is the target before any set-returning function.
func (*targets) first(levels []srfLevel) *rel.PathTarget { return levels[0].target }

// makeTargets works out what each step must give, from the result downwards.
func makeTargets(root *rel.PlannerInfo, windows []*query.WindowClause) *targets {
	q := root.Parse
	t := &targets{}
	final := prep.MakeTargetCosted(root, root.ProcessedTargetList)
	t.finalSafe = parallelSafe(root, final.Exprs)
	sortInput := final
	t.sortInputSafe = t.finalSafe
	if len(q.SortClause) > 0 {
		sortInput, t.srfsPostponed = sortInputTarget(root, final)
		t.sortInputSafe = parallelSafe(root, sortInput.Exprs)
	}
	grouping := sortInput
	t.groupingSafe = t.sortInputSafe
	if len(windows) > 0 {
		grouping = windowInputTarget(root, final, windows)
		t.groupingSafe = parallelSafe(root, grouping.Exprs)
	}
	scanJoin := grouping
	t.scanJoinSafe = t.groupingSafe
	if hasGrouping(root) {
		scanJoin = groupInputTarget(root, final)
		t.scanJoinSafe = parallelSafe(root, scanJoin.Exprs)
	}
	if !q.HasTargetSRFs {
		t.final, t.sortInput = []srfLevel{{final, false}}, []srfLevel{{sortInput, false}}
		t.grouping, t.scanJoin = []srfLevel{{grouping, false}}, []srfLevel{{scanJoin, false}}
		return t
	}
	t.final = splitAtSRFs(root, final, sortInput)
	t.sortInput = splitAtSRFs(root, sortInput, grouping)
	t.grouping = splitAtSRFs(root, grouping, scanJoin)
	t.scanJoin = splitAtSRFs(root, scanJoin, nil)
	return t
}

// finalPaths adds row locks, LIMIT and the changing of tables.
func finalPaths(root *rel.PlannerInfo, current *rel.RelOptInfo, b bounds) {
	q := root.Parse
	rl := prep.FetchUpperRel(root, rel.UpperFinal, query.Relids{})
	rl.ConsiderParallel = current.ConsiderParallel && parallelSafe(root, []query.Expr{q.LimitOffset, q.LimitCount})
	limited := path.LimitNeeded(q)
	for _, p := range current.Paths {
		if len(q.RowMarks) > 0 {
			p = newLockRows(root, rl, p)
		}
		if limited {
			p = newLimit(rl, p, q.LimitOffset, q.LimitCount, q.WithTies, b)
		}
		if q.Command != query.CmdSelect {
			p = newModifyTable(root, rl, p)
		}
		path.AddPath(rl, p)
	}
	if rl.ConsiderParallel && root.Level > 1 && !limited {
		for _, p := range current.PartialPaths {
			path.AddPartialPath(rl, p)
		}
	}
	root.FinalRel = rl
}
