package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// above is the start of a path that stands on another one.
func above(rl *rel.RelOptInfo, sub rel.Path) rel.PathBase {
	b := sub.Base()
	return rel.PathBase{
		Parent: rl, Target: b.Target, ParallelSafe: rl.ConsiderParallel && b.ParallelSafe,
		ParallelWorkers: b.ParallelWorkers, PathKeys: b.PathKeys,
	}
}

// NewMaterial makes a path that keeps its input's rows (create_material_path).
func NewMaterial(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path) *rel.MaterialPath {
	p := &rel.MaterialPath{PathBase: above(rl, sub), Sub: sub}
	b := sub.Base()
	p.Target, p.Param = rl.Target, b.Param
	cost.Material(cost.ParamsOf(root.Global), cost.EstimateOf(sub), b.Rows, b.Target.Width).Set(&p.PathBase)
	return p
}

// NewSort makes a sort of a path; limit bounds the rows needed, -1 for none
// (create_sort_path).
func NewSort(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, keys []*rel.PathKey, limit float64) *rel.SortPath {
	p := &rel.SortPath{PathBase: above(rl, sub), Sub: sub, LimitTuples: limit}
	p.PathKeys = keys
	sortCost(root, sub, limit).Set(&p.PathBase)
	return p
}

// sortCost is the cost of sorting a path's rows.
func sortCost(root *rel.PlannerInfo, sub rel.Path, limit float64) cost.Estimate {
	b := sub.Base()
	return cost.Sort(cost.ParamsOf(root.Global), cost.SortInput{
		Input: cost.EstimateOf(sub), Tuples: b.Rows, Width: b.Target.Width, LimitTuples: limit,
	})
}

// NewIncrementalSort makes a sort of a path that has the first presorted keys
// already (create_incremental_sort_path).
func NewIncrementalSort(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, keys []*rel.PathKey, presorted int, limit float64) *rel.IncrementalSortPath {
	p := &rel.IncrementalSortPath{PathBase: above(rl, sub), Sub: sub, Presorted: presorted}
	p.PathKeys = keys
	b := sub.Base()
	in := cost.SortInput{Input: cost.EstimateOf(sub), Tuples: b.Rows, Width: b.Target.Width, LimitTuples: limit}
	groups := PresortedGroups(root, keys, presorted, in.Tuples)
	cost.IncrementalSort(cost.ParamsOf(root.Global), in, groups).Set(&p.PathBase)
	return p
}

// PresortedGroups estimates into how many groups the leading keys of an order
// part the rows (cost_incremental_sort, costsize.c).
func PresortedGroups(root *rel.PlannerInfo, keys []*rel.PathKey, presorted int, tuples float64) float64 {
	tuples = max(tuples, 2)
	var exprs []query.Expr
	for _, k := range keys[:presorted] {
		e := k.EC.Members[0].Expr
		if eval.PullVarNos(root, e).Has(0) {
			// A column of a set operation, about which nothing is known.
			return min(tuples, cost.DefaultNumDistinct)
		}
		exprs = append(exprs, e)
	}
	return selectivity.NumGroups(root, exprs, tuples)
}

// NewGather makes a path that collects the rows of parallel workers. rows is the
// estimate of all their rows, negative for the relation's own
// (create_gather_path).
func NewGather(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, target *rel.PathTarget, outer query.Relids, rows float64) *rel.GatherPath {
	p := &rel.GatherPath{PathBase: rel.PathBase{Parent: rl, Target: target, Param: paramInfo(root, rl, outer)}, Sub: sub}
	b := sub.Base()
	p.Workers = b.ParallelWorkers
	if p.Workers == 0 {
		p.PathKeys, p.Workers, p.SingleCopy = b.PathKeys, 1, true
	}
	rows = gatherRows(&p.PathBase, rows)
	cost.Gather(cost.ParamsOf(root.Global), cost.EstimateOf(sub), rows).Set(&p.PathBase)
	return p
}

func gatherRows(b *rel.PathBase, rows float64) float64 {
	switch {
	case rows >= 0:
		return rows
	case b.Param != nil:
		return b.Param.Rows
	}
	return b.Parent.Rows
}

// NewGatherMerge makes a path that merges the sorted rows of parallel workers
// (create_gather_merge_path). rows is as in [NewGather].
func NewGatherMerge(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, target *rel.PathTarget, keys []*rel.PathKey, outer query.Relids, rows float64) *rel.GatherMergePath {
	p := &rel.GatherMergePath{PathBase: rel.PathBase{Parent: rl, Target: target, Param: paramInfo(root, rl, outer)}, Sub: sub}
	b := sub.Base()
	p.Workers, p.PathKeys = b.ParallelWorkers, keys
	if target == nil {
		p.Target = rl.Target
	}
	in := cost.EstimateOf(sub)
	if !prep.PathKeysContainedIn(keys, b.PathKeys) {
		in = sortCost(root, sub, -1)
	}
	rows = gatherRows(&p.PathBase, rows)
	cost.GatherMerge(cost.ParamsOf(root.Global), in, rows, p.Workers).Set(&p.PathBase)
	return p
}

// NewGroupResult makes the result of HAVING without FROM
// (create_group_result_path).
func NewGroupResult(root *rel.PlannerInfo, rl *rel.RelOptInfo, target *rel.PathTarget, having []query.Expr) *rel.GroupResultPath {
	p := &rel.GroupResultPath{
		PathBase: rel.PathBase{Parent: rl, Target: target, ParallelSafe: rl.ConsiderParallel, Rows: 1}, Quals: having,
	}
	p.Startup = target.Cost.Startup
	p.Total = target.Cost.Startup + cost.ParamsOf(root.Global).CPUTupleCost + target.Cost.PerTuple
	if len(having) > 0 {
		c := cost.QualEvalExprs(root.Global, having)
		p.Startup += c.Startup + c.PerTuple
		p.Total += c.Startup + c.PerTuple
	}
	return p
}

// ProjectionCapable reports whether the plan of a path can compute a target list
// itself (is_projection_capable_path, createplan.c).
func ProjectionCapable(p rel.Path) bool {
	switch p := p.(type) {
	case *rel.MaterialPath, *rel.MemoizePath, *rel.SortPath, *rel.IncrementalSortPath, *rel.UniquePath,
		*rel.UpperUniquePath, *rel.SetOpPath, *rel.LockRowsPath, *rel.LimitPath, *rel.ModifyTablePath,
		*rel.MergeAppendPath, *rel.RecursiveUnionPath, *rel.ProjectSetPath:
		return false
	case *rel.AppendPath:
		// An empty Append becomes a Result.
		return len(p.Subs) == 0
	}
	return true
}

func sameExprs(a, b []query.Expr) bool { return slices.EqualFunc(a, b, query.Equal) }

// parallelSafeTarget reports whether workers may compute a target.
func parallelSafeTarget(root *rel.PlannerInfo, t *rel.PathTarget) bool {
	for _, e := range t.Exprs {
		if !eval.ParallelSafeIn(root, e) {
			return false
		}
	}
	return true
}

// NewProjection makes a path that computes another target list; no plan node
// will be needed if the path below can do it (create_projection_path).
func NewProjection(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, target *rel.PathTarget) *rel.ProjectionPath {
	if pp, ok := sub.(*rel.ProjectionPath); ok {
		sub = pp.Sub
	}
	p := &rel.ProjectionPath{PathBase: above(rl, sub), Sub: sub}
	b := sub.Base()
	p.Target = target
	p.ParallelSafe = p.ParallelSafe && parallelSafeTarget(root, target)
	p.Rows, p.DisabledNodes = b.Rows, b.DisabledNodes
	if ProjectionCapable(sub) || sameExprs(b.Target.Exprs, target.Exprs) {
		p.Dummy = true
		was := b.Target.Cost
		p.Startup = b.Startup + (target.Cost.Startup - was.Startup)
		p.Total = b.Total + (target.Cost.Startup - was.Startup) +
			float64((target.Cost.PerTuple-was.PerTuple)*b.Rows)
		return p
	}
	p.Startup = b.Startup + target.Cost.Startup
	p.Total = b.Total + target.Cost.Startup +
		float64((cost.ParamsOf(root.Global).CPUTupleCost+target.Cost.PerTuple)*b.Rows)
	return p
}

// ApplyProjection makes a path compute another target list, changing it in
// place if its plan can project (apply_projection_to_path). The path must not
// be shared.
func ApplyProjection(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, target *rel.PathTarget) rel.Path {
	if !ProjectionCapable(p) {
		return NewProjection(root, rl, p, target)
	}
	b := p.Base()
	was := b.Target.Cost
	b.Target = target
	b.Startup += target.Cost.Startup - was.Startup
	b.Total += target.Cost.Startup - was.Startup + float64((target.Cost.PerTuple-was.PerTuple)*b.Rows)
	safe := parallelSafeTarget(root, target)
	switch g := p.(type) {
	case *rel.GatherPath:
		if safe {
			// The workers project, which saves the leader the work.
			g.Sub = NewProjection(root, g.Sub.Base().Parent, g.Sub, target)
			return p
		}
	case *rel.GatherMergePath:
		if safe {
			g.Sub = NewProjection(root, g.Sub.Base().Parent, g.Sub, target)
			return p
		}
	}
	if b.ParallelSafe && !safe {
		b.ParallelSafe = false
	}
	return p
}

// NewProjectSet makes a path that evaluates set-returning functions in a target
// list (create_set_projection_path).
func NewProjectSet(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, target *rel.PathTarget) *rel.ProjectSetPath {
	p := &rel.ProjectSetPath{PathBase: above(rl, sub), Sub: sub}
	b := sub.Base()
	p.Target = target
	p.ParallelSafe = p.ParallelSafe && parallelSafeTarget(root, target)
	per := 1.0
	for _, e := range target.Exprs {
		per = max(per, ReturnsSetRows(root, e))
	}
	tuple := cost.ParamsOf(root.Global).CPUTupleCost
	p.Rows, p.DisabledNodes = float64(b.Rows*per), b.DisabledNodes
	p.Startup = b.Startup + target.Cost.Startup
	p.Total = b.Total + target.Cost.Startup +
		float64((tuple+target.Cost.PerTuple)*b.Rows) +
		float64(float64((p.Rows-b.Rows)*tuple)/2)
	return p
}
