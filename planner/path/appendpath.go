package path

import (
	"cmp"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// Append is what an Append path is made of.
type Append struct {
	Subs, Partial []rel.Path
	Keys          []*rel.PathKey
	Outer         query.Relids
	Workers       int
	ParallelAware bool
	// Rows overrides the estimate, negative for none.
	Rows float64
}

// NewAppend makes a path that reads others one after the other, or in parallel
// (create_append_path).
func NewAppend(root *rel.PlannerInfo, rl *rel.RelOptInfo, a Append) *rel.AppendPath {
	p := &rel.AppendPath{PathBase: rel.PathBase{
		Parent: rl, Target: rl.Target, ParallelAware: a.ParallelAware, ParallelSafe: rl.ConsiderParallel,
		ParallelWorkers: a.Workers, PathKeys: a.Keys,
	}, LimitTuples: -1}
	if rl.Kind == rel.BaseRel && len(a.Subs) > 0 && (root.Global.Version(16) || rl.Partitioned) {
		p.Param = paramInfo(root, rl, a.Outer)
	} else {
		p.Param = prep.GetAppendRelParamPathInfo(rl, a.Outer)
	}
	if a.ParallelAware {
		// Dear inputs first: those that one worker runs alone by total cost.
		a.Subs = dearest(a.Subs, TotalCost)
		a.Partial = dearest(a.Partial, StartupCost)
	}
	p.FirstPartial = len(a.Subs)
	p.Subs = append(slices.Clone(a.Subs), a.Partial...)
	if len(p.Subs) > 0 && rl.Relids == root.AllQueryRels {
		p.LimitTuples = root.LimitTuples
	}
	for _, s := range p.Subs {
		p.ParallelSafe = p.ParallelSafe && s.Base().ParallelSafe
	}
	costAppend(root, p)
	if a.Rows >= 0 {
		p.Rows = a.Rows
	}
	return p
}

// costAppend sets the cost of an Append; one with a single input will be left
// out of the plan and costs nothing.
func costAppend(root *rel.PlannerInfo, p *rel.AppendPath) {
	if len(p.Subs) == 1 {
		child := p.Subs[0].Base()
		p.PathKeys = child.PathKeys
		if child.ParallelAware == p.ParallelAware || !root.Global.Version(16) {
			cost.EstimateOf(p.Subs[0]).Set(&p.PathBase)
			return
		}
	}
	in := cost.AppendInput{
		Subs: p.Subs, FirstPartial: p.FirstPartial, Ordered: len(p.PathKeys) > 0, LimitTuples: p.LimitTuples,
		Parallel: p.ParallelAware, Workers: p.ParallelWorkers,
	}
	for _, s := range p.Subs {
		in.Sorted = append(in.Sorted, prep.PathKeysContainedIn(p.PathKeys, s.Base().PathKeys))
	}
	cost.Append(cost.ParamsOf(root.Global), in).Set(&p.PathBase)
}

// dearest sorts inputs by falling cost, equal ones by relation.
func dearest(list []rel.Path, by CostSelector) []rel.Path {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b rel.Path) int {
		if c := ComparePathCosts(a, b, by); c != 0 {
			return -c
		}
		return compareRelids(a.Base().Parent.Relids, b.Base().Parent.Relids)
	})
	return list
}

// compareRelids orders sets by their greatest members (bms_compare).
func compareRelids(a, b query.Relids) int {
	x, y := slices.Collect(a.Minus(b).All()), slices.Collect(b.Minus(a).All())
	last := func(l []int) int {
		if len(l) == 0 {
			return -1
		}
		return l[len(l)-1]
	}
	return cmp.Compare(last(x), last(y))
}

// NewDummy makes the path of a relation proved empty: an Append of nothing.
func NewDummy(root *rel.PlannerInfo, rl *rel.RelOptInfo) *rel.AppendPath {
	return &rel.AppendPath{PathBase: rel.PathBase{
		Parent: rl, Target: rl.Target, Param: prep.GetAppendRelParamPathInfo(rl, rl.LateralRelids),
		ParallelSafe: rl.ConsiderParallel,
	}, LimitTuples: -1}
}

// NewMergeAppend makes a path that merges sorted inputs
// (create_merge_append_path).
func NewMergeAppend(root *rel.PlannerInfo, rl *rel.RelOptInfo, subs []rel.Path, keys []*rel.PathKey, outer query.Relids) *rel.MergeAppendPath {
	p := &rel.MergeAppendPath{PathBase: rel.PathBase{
		Parent: rl, Target: rl.Target, Param: prep.GetAppendRelParamPathInfo(rl, outer),
		ParallelSafe: rl.ConsiderParallel, PathKeys: keys,
	}, Subs: subs, LimitTuples: -1}
	if rl.Relids == root.AllQueryRels {
		p.LimitTuples = root.LimitTuples
	}
	params := cost.ParamsOf(root.Global)
	var in cost.Estimate
	for _, s := range subs {
		b := s.Base()
		in.Rows += b.Rows
		p.ParallelSafe = p.ParallelSafe && b.ParallelSafe
		e := cost.EstimateOf(s)
		if !prep.PathKeysContainedIn(keys, b.PathKeys) {
			// Up to 16 the sort is costed for all rows of the table below.
			tuples := b.Rows
			if !root.Global.Version(17) {
				tuples = b.Parent.Tuples
			}
			e = cost.Sort(params, cost.SortInput{
				Input: e, Tuples: tuples, Width: b.Target.Width, LimitTuples: p.LimitTuples,
			})
		}
		in.Startup += e.Startup
		in.Total += e.Total
		in.Disabled += e.Disabled
	}
	if len(subs) == 1 && subs[0].Base().ParallelAware == p.ParallelAware {
		in.Set(&p.PathBase)
		return p
	}
	cost.MergeAppend(params, in, len(subs)).Set(&p.PathBase)
	return p
}
