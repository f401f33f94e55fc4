package upper

import (
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// groupingSets are the grouping sets of a query in chains, each of which one
// sort serves (grouping_sets_data, planner.c).
type groupingSets struct {
	rollups []*rollup
	// unsortable are sets that can only be hashed.
	unsortable  []*groupingSet
	anyHashable bool
	// hashGroups are the groups of the unsortable sets.
	hashGroups float64
	clause     []*query.SortGroupClause
}

type groupingSet struct {
	refs   []int
	groups float64
}

type rollup struct {
	clause           []*query.SortGroupClause
	sets             []*groupingSet
	groups           float64
	hashable, hashed bool
}

// firstClause is what the first chain is sorted by.
func (gs *groupingSets) firstClause() []*query.SortGroupClause {
	if len(gs.rollups) == 0 {
		return nil
	}
	return gs.rollups[0].clause
}

// preprocessGroupingSets expands and arranges the grouping sets
// (preprocess_grouping_sets, planner.c).
func preprocessGroupingSets(root *rel.PlannerInfo) *groupingSets {
	q := root.Parse
	sets := expandSets(q.GroupingSets, q.GroupDistinct)
	q.GroupingSets = nil
	for _, s := range sets {
		e := &query.GroupingSet{Kind: query.GroupingSetSimple, Refs: s}
		if len(s) == 0 {
			e.Kind = query.GroupingSetEmpty
		}
		q.GroupingSets = append(q.GroupingSets, e)
	}
	root.GroupClause = q.GroupClause
	if root.Global.Version(18) {
		// The columns then differ from those below, so that constants among
		// them are sorted by as well.
		root.Global.Approximate("grouping sets make their columns nullable, which is not modelled for PostgreSQL 18")
	}
	gs := &groupingSets{clause: q.GroupClause}
	var unhashable, unsortable []int
	for _, c := range q.GroupClause {
		if !c.Hashable {
			unhashable = append(unhashable, c.Ref)
		}
		if c.SortOp == 0 {
			unsortable = append(unsortable, c.Ref)
		}
	}
	var rest [][]int
	for _, s := range sets {
		if !overlaps(s, unsortable) {
			rest = append(rest, s)
			continue
		}
		gs.unsortable = append(gs.unsortable, &groupingSet{refs: s})
		gs.anyHashable = true
		if overlaps(s, unhashable) {
			root.Global.NotSupported("GROUP BY over types of which some can only be hashed and others only be sorted")
		}
	}
	if len(rest) == 0 {
		return gs
	}
	all := chains(rest)
	for _, chain := range all {
		var order []*query.SortGroupClause
		if len(all) == 1 {
			order = q.SortClause
		}
		r := &rollup{sets: reorderSets(chain, order)}
		if largest := r.sets[0].refs; len(largest) > 0 {
			r.clause = gs.clauseOf(largest)
			if !overlaps(largest, unhashable) {
				r.hashable, gs.anyHashable = true, true
			}
		}
		gs.rollups = append(gs.rollups, r)
	}
	return gs
}

func overlaps(a, b []int) bool {
	return slices.ContainsFunc(a, func(x int) bool { return slices.Contains(b, x) })
}

// clauseOf are the grouping clauses of a set, in its order.
func (gs *groupingSets) clauseOf(refs []int) []*query.SortGroupClause {
	var out []*query.SortGroupClause
	for _, r := range refs {
		out = append(out, clauseByRef(r, gs.clause))
	}
	return out
}

// reorderSets orders the columns of a chain's sets so that each begins with the
// smaller one, by ORDER BY where it leaves a choice, and puts the largest set
// first (reorder_grouping_sets, planner.c).
func reorderSets(chain [][]int, order []*query.SortGroupClause) []*groupingSet {
	var previous []int
	var out []*groupingSet
	for _, s := range chain {
		fresh := slices.DeleteFunc(slices.Clone(s), func(x int) bool { return slices.Contains(previous, x) })
		for len(order) > len(previous) && len(fresh) > 0 {
			ref := order[len(previous)].Ref
			i := slices.Index(fresh, ref)
			if i < 0 {
				// ORDER BY diverges here; from now on it does not matter.
				order = nil
				break
			}
			previous = append(previous, ref)
			fresh = slices.Delete(fresh, i, i+1)
		}
		previous = append(previous, fresh...)
		out = append([]*groupingSet{{refs: slices.Clone(previous)}}, out...)
	}
	return out
}

// estimate sets the number of groups of every set and returns their sum
// (get_number_of_groups, planner.c).
func (gs *groupingSets) estimate(root *rel.PlannerInfo, rows float64, list []*query.TargetEntry) float64 {
	total := 0.0
	for _, r := range gs.rollups {
		r.groups = 0
		for _, s := range r.sets {
			s.groups = setGroups(root, r.clause, s, rows, list)
			r.groups += s.groups
		}
		total += r.groups
	}
	if len(gs.unsortable) > 0 {
		gs.hashGroups = 0
		for _, s := range gs.unsortable {
			s.groups = setGroups(root, gs.clause, s, rows, list)
			gs.hashGroups += s.groups
		}
		total += gs.hashGroups
	}
	return total
}

func setGroups(root *rel.PlannerInfo, clause []*query.SortGroupClause, s *groupingSet, rows float64, list []*query.TargetEntry) float64 {
	var at []int
	for i, c := range clause {
		if slices.Contains(s.refs, c.Ref) {
			at = append(at, i)
		}
	}
	return selectivity.NumGroupsSet(root, clauseExprs(clause, list), at, rows)
}

// alone is a set as a hashed rollup of its own.
func (gs *groupingSets) alone(s *groupingSet) *rollup {
	return &rollup{clause: gs.clauseOf(s.refs), sets: []*groupingSet{s}, groups: s.groups, hashable: true, hashed: true}
}

// tableSize is the memory of a hash table for so many groups
// (estimate_hashagg_tablesize, selfuncs.c).
func tableSize(root *rel.PlannerInfo, p rel.Path, g *grouping, groups float64) float64 {
	return cost.HashAggEntrySize(cost.ParamsOf(root.Global), len(root.Trans), p.Base().Target.Width, g.costs.TransitionSpace) * groups
}

// groupingSetsPaths aggregates by all grouping sets over a path: each chain by a
// sort, or some or all sets by hash tables (consider_groupingsets_paths,
// planner.c).
func groupingSetsPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, sorted bool, g *grouping, groups float64) {
	if !sorted {
		hashedSets(root, rl, p, g, groups)
		return
	}
	gs := g.sets
	if len(gs.rollups) == 0 {
		return
	}
	if g.canHash && gs.anyHashable {
		mixedSets(root, rl, p, g)
	}
	if len(gs.unsortable) == 0 {
		path.AddPath(rl, newGroupingSets(root, rl, p, g, rel.AggSorted, gs.rollups))
	}
}

// hashedSets hashes all sets, but for a chain for which the path is in order.
func hashedSets(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, g *grouping, groups float64) {
	gs := g.sets
	rest := gs.rollups
	var inOrder *rollup
	exclude := 0.0
	if len(rest) > 0 && prep.PathKeysContainedIn(root.GroupPathKeys, p.Base().PathKeys) {
		inOrder = rest[0]
		exclude = inOrder.groups
		rest = rest[1:]
	}
	memory := cost.ParamsOf(root.Global).HashMemory()
	if tableSize(root, p, g, groups-exclude) > memory && len(gs.rollups) > 0 {
		return
	}
	sets := slices.Clone(gs.unsortable)
	for _, r := range rest {
		if !r.hashable {
			// A chain of the empty set alone, or of types without a hash.
			return
		}
		sets = append(sets, r.sets...)
	}
	var out []*rollup
	var empty []*groupingSet
	for _, s := range sets {
		if len(s.refs) == 0 {
			empty = append(empty, s)
		} else {
			out = append(out, gs.alone(s))
		}
	}
	if len(out) == 0 {
		return
	}
	strategy := rel.AggHashed
	switch {
	case inOrder != nil:
		out = append(out, inOrder)
		strategy = rel.AggMixed
	case len(empty) > 0:
		out = append(out, &rollup{sets: empty, groups: float64(len(empty))})
		strategy = rel.AggMixed
	}
	path.AddPath(rl, newGroupingSets(root, rl, p, g, strategy, out))
}

// mixedSets sorts for the first chain and hashes as many others as memory
// allows.
func mixedSets(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, g *grouping) {
	gs := g.sets
	hash := slices.Clone(gs.unsortable)
	memory := cost.ParamsOf(root.Global).HashMemory()
	memory -= tableSize(root, p, g, gs.hashGroups)
	var out []*rollup
	if memory > 0 && len(gs.rollups) > 1 {
		scale := max(memory/(20.0*float64(len(gs.rollups))), 1.0)
		capacity := int(math.Floor(memory / scale))
		var weights []int
		for _, r := range gs.rollups[1:] {
			if r.hashable {
				size := tableSize(root, p, g, r.groups)
				weights = append(weights, int(min(math.Floor(size/scale), float64(capacity)+1.0)))
			}
		}
		var chosen query.Relids
		if len(weights) > 0 {
			chosen = knapsack(capacity, weights)
		}
		if !chosen.IsEmpty() {
			out = []*rollup{gs.rollups[0]}
			at := 0
			for _, r := range gs.rollups[1:] {
				take := r.hashable && chosen.Has(at)
				if r.hashable {
					at++
				}
				if take {
					hash = append(hash, r.sets...)
				} else {
					out = append(out, r)
				}
			}
		}
	}
	if len(out) == 0 && len(hash) > 0 {
		out = slices.Clone(gs.rollups)
	}
	for _, s := range hash {
		out = append([]*rollup{gs.alone(s)}, out...)
	}
	if len(out) > 0 {
		path.AddPath(rl, newGroupingSets(root, rl, p, g, rel.AggMixed, out))
	}
}

// knapsack returns the positions of as many items as have no more than a weight
// together (DiscreteKnapsack, knapsack.c).
func knapsack(capacity int, weights []int) query.Relids {
	values := make([]int, capacity+1)
	sets := make([]query.Relids, capacity+1)
	for i, w := range weights {
		for j := capacity; j >= w; j-- {
			if o := j - w; values[j] <= values[o]+1 {
				sets[j] = sets[o].Add(i)
				values[j] = values[o] + 1
			}
		}
	}
	return sets[capacity]
}

// newGroupingSets makes an aggregation by several sets
// (create_groupingsets_path, pathnode.c).
func newGroupingSets(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, g *grouping, strategy rel.AggStrategy, rollups []*rollup) *rel.GroupingSetsPath {
	b := sub.Base()
	if strategy == rel.AggSorted && len(rollups) == 1 && len(rollups[0].clause) == 0 {
		strategy = rel.AggPlain
	}
	if strategy == rel.AggMixed && len(rollups) == 1 {
		strategy = rel.AggHashed
	}
	var keys []*rel.PathKey
	if strategy == rel.AggSorted && len(rollups) == 1 && !root.Global.Version(18) {
		keys = root.GroupPathKeys
	}
	out := &rel.GroupingSetsPath{
		PathBase: above(rl, sub, rl.Target, keys), Sub: sub, Strategy: strategy, Qual: g.having, TransSpace: g.costs.TransitionSpace,
	}
	p := cost.ParamsOf(root.Global)
	in := cost.AggInput{
		Width: b.Target.Width, Costs: g.costs, NumTrans: len(root.Trans), Having: filter(root, g.having),
	}
	var total cost.Estimate
	firstSort := true
	for i, r := range rollups {
		out.Rollups = append(out.Rollups, r.path())
		in.GroupCols, in.Groups = len(r.sets[0].refs), r.groups
		if i == 0 {
			in.Input, in.Strategy = cost.EstimateOf(sub), strategy
			total = cost.Agg(p, in)
			firstSort = r.hashed
			continue
		}
		in.Input, in.Strategy = cost.Estimate{Rows: b.Rows}, rel.AggSorted
		switch {
		case r.hashed:
			in.Strategy = rel.AggHashed
		case firstSort:
			firstSort = false
		default:
			in.Input = cost.Sort(p, cost.SortInput{Tuples: b.Rows, Width: b.Target.Width, LimitTuples: -1})
		}
		e := cost.Agg(p, in)
		total.Total += e.Total
		total.Rows += e.Rows
		total.Disabled += e.Disabled
	}
	total.Set(&out.PathBase)
	chargeTarget(&out.PathBase)
	return out
}

// path is a rollup as the plan's maker reads it.
func (r *rollup) path() *rel.Rollup {
	out := &rel.Rollup{Clause: r.clause, NumGroups: r.groups, Hashable: r.hashable, IsHashed: r.hashed}
	for _, s := range r.sets {
		out.Sets, out.SetGroups = append(out.Sets, s.refs), append(out.SetGroups, s.groups)
	}
	return out
}
