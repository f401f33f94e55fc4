package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// partitionwise says how partitions are aggregated (PartitionwiseAggregateType).
type partitionwise int

const (
	partitionwiseNone partitionwise = iota
	partitionwiseFull
	partitionwisePartial
)

// grouping is what the making of grouping paths passes along
// (GroupPathExtraData).
type grouping struct {
	canSort, canHash, canPartial bool
	targetSafe                   bool
	having                       []query.Expr
	list                         []*query.TargetEntry
	sets                         *groupingSets
	costs, partial, final        cost.AggCosts
	parts                        partitionwise
}

// groupingPaths groups and aggregates (create_grouping_paths, planner.c).
func groupingPaths(root *rel.PlannerInfo, in *rel.RelOptInfo, target *rel.PathTarget, safe bool, sets *groupingSets) *rel.RelOptInfo {
	q := root.Parse
	rl := groupingRel(root, in, target, safe, having(root))
	if (root.HasHavingQual || len(q.GroupingSets) > 0) && !q.HasAggs && len(q.GroupClause) == 0 {
		degenerateGrouping(root, rl)
		path.SetCheapest(rl)
		return rl
	}
	g := &grouping{
		canSort: sortable(root.GroupClause), targetSafe: safe, having: having(root), list: q.TargetList, sets: sets,
		costs: aggCosts(root, rel.AggSplitSimple),
	}
	if sets != nil && len(sets.rollups) > 0 {
		g.canSort = true
	}
	if len(q.GroupClause) > 0 && root.NumOrderedAggs == 0 {
		g.canHash = hashable(root.GroupClause)
		if sets != nil {
			g.canHash = sets.anyHashable
		}
	}
	g.canPartial = (q.HasAggs || len(q.GroupClause) > 0) && len(q.GroupingSets) == 0 &&
		!root.HasNonPartialAggs && !root.HasNonSerialAggs
	if q.HasAggs && g.canPartial {
		g.partial = aggCosts(root, rel.AggSplitInitialSerial)
		g.final = aggCosts(root, rel.AggSplitFinalDeserial)
	}
	if root.Global.Settings.EnablePartitionwiseAggregate && len(q.GroupingSets) == 0 {
		g.parts = partitionwiseFull
	}
	ordinaryGrouping(root, in, rl, g)
	path.SetCheapest(rl)
	return rl
}

// groupingRel makes the relation of a grouping's output (make_grouping_rel).
func groupingRel(root *rel.PlannerInfo, in *rel.RelOptInfo, target *rel.PathTarget, safe bool, quals []query.Expr) *rel.RelOptInfo {
	var rl *rel.RelOptInfo
	if in.Kind == rel.OtherMemberRel || in.Kind == rel.OtherJoinRel {
		rl = prep.FetchUpperRel(root, rel.UpperGroupAgg, in.Relids)
		rl.Kind = rel.OtherUpperRel
	} else {
		rl = prep.FetchUpperRel(root, rel.UpperGroupAgg, query.Relids{})
	}
	rl.Target = target
	rl.ConsiderParallel = in.ConsiderParallel && safe && parallelSafe(root, quals)
	return rl
}

// degenerateGrouping answers HAVING without aggregates and GROUP BY: one row for
// each grouping set, or none (create_degenerate_grouping_paths).
func degenerateGrouping(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	quals := having(root)
	n := len(root.Parse.GroupingSets)
	if n <= 1 {
		path.AddPath(rl, path.NewGroupResult(root, rl, rl.Target, quals))
		return
	}
	var subs []rel.Path
	for range n {
		subs = append(subs, path.NewGroupResult(root, rl, rl.Target, quals))
	}
	path.AddPath(rl, path.NewAppend(root, rl, path.Append{Subs: subs, Rows: -1}))
}

// numGroups estimates the groups of so many rows (get_number_of_groups).
func numGroups(root *rel.PlannerInfo, rows float64, g *grouping) float64 {
	q := root.Parse
	switch {
	case len(q.GroupClause) > 0 && len(q.GroupingSets) > 0:
		return g.sets.estimate(root, rows, g.list)
	case len(q.GroupClause) > 0:
		return selectivity.NumGroups(root, clauseExprs(root.GroupClause, g.list), rows)
	case len(q.GroupingSets) > 0:
		return float64(len(q.GroupingSets))
	}
	return 1
}

// ordinaryGrouping makes the paths of a grouping: partition by partition, in
// parallel workers and a final step, or in one step
// (create_ordinary_grouping_paths). It returns the relation of the partial step,
// nil for none.
func ordinaryGrouping(root *rel.PlannerInfo, in, rl *rel.RelOptInfo, g *grouping) *rel.RelOptInfo {
	parts := partitionwiseNone
	if g.parts != partitionwiseNone && partitioned(in) {
		switch {
		case g.parts == partitionwiseFull && hasPartitionKey(in, clauseExprs(root.Parse.GroupClause, g.list)):
			parts = partitionwiseFull
		case g.canPartial:
			parts = partitionwisePartial
		}
	}
	var partly *rel.RelOptInfo
	if g.canPartial {
		partly = partialGroupingPaths(root, in, rl, g, parts == partitionwisePartial)
	}
	if parts != partitionwiseNone {
		partitionwiseGrouping(root, in, rl, partly, g, parts)
	}
	if g.parts == partitionwisePartial {
		if partly != nil && len(partly.Paths) > 0 {
			path.SetCheapest(partly)
		}
		return partly
	}
	if partly != nil && len(partly.PartialPaths) > 0 {
		gatherGrouping(root, partly)
		path.SetCheapest(partly)
	}
	groups := numGroups(root, in.CheapestTotal.Base().Rows, g)
	addGroupingPaths(root, in, rl, partly, g, groups)
	if len(rl.Paths) == 0 {
		root.Global.NotSupported("GROUP BY over types of which some can only be hashed and others only be sorted")
		path.AddPath(rl, path.NewDummy(root, rl))
	}
	return partly
}

// groupOrder is an order to group in, with GROUP BY arranged accordingly
// (GroupByOrdering).
type groupOrder struct {
	keys    []*rel.PathKey
	clauses []*query.SortGroupClause
}

// groupOrders are the orders worth trying over a path: the clause's own, and
// since 17 the one in which the path comes already
// (get_useful_group_keys_orderings and group_keys_reorder_by_pathkeys,
// pathkeys.c).
func groupOrders(root *rel.PlannerInfo, p rel.Path) []groupOrder {
	own := groupOrder{root.GroupPathKeys, root.GroupClause}
	out := []groupOrder{own}
	s := root.Global.Settings
	have := p.Base().PathKeys
	if !root.Global.Version(17) || !s.EnableGroupByReordering || len(root.Parse.GroupingSets) > 0 ||
		len(have) == 0 || prep.PathKeysContainedIn(have, root.GroupPathKeys) || len(root.GroupPathKeys) == 0 {
		return out
	}
	var other groupOrder
	for i, k := range have {
		if i >= root.NumGroupByKeys || !slices.Contains(root.GroupPathKeys[:root.NumGroupByKeys], k) || k.EC.SortRef == 0 {
			break
		}
		c := clauseByRef(k.EC.SortRef, root.GroupClause)
		if c == nil {
			break
		}
		other.keys, other.clauses = append(other.keys, k), append(other.clauses, c)
	}
	n := len(other.keys)
	if n == 0 || !s.EnableIncrementalSort && n != root.NumGroupByKeys {
		return out
	}
	for _, k := range own.keys {
		if !slices.Contains(other.keys, k) {
			other.keys = append(other.keys, k)
		}
	}
	for _, c := range own.clauses {
		if !slices.Contains(other.clauses, c) {
			other.clauses = append(other.clauses, c)
		}
	}
	if prep.ComparePathKeys(other.keys, own.keys) == prep.Equal {
		return out
	}
	return append(out, other)
}

// step is one way of grouping a sorted path.
type step struct {
	target *rel.PathTarget
	split  int
	having []query.Expr
	costs  cost.AggCosts
	groups float64
}

// sortedGroup groups a path that is in order: with aggregates, or without.
func sortedGroup(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, clauses []*query.SortGroupClause, s step) rel.Path {
	if !root.Parse.HasAggs {
		return newGroup(root, rl, p, clauses, s.having, s.groups)
	}
	strategy := rel.AggPlain
	if len(root.Parse.GroupClause) > 0 {
		strategy = rel.AggSorted
	}
	return newAgg(root, rl, p, aggregation{
		target: s.target, strategy: strategy, split: s.split, clause: clauses, having: s.having, costs: s.costs, groups: s.groups,
	})
}

// hashGroup groups a path by a hash table.
func hashGroup(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, s step) rel.Path {
	return newAgg(root, rl, p, aggregation{
		target: s.target, strategy: rel.AggHashed, split: s.split, clause: root.GroupClause, having: s.having, costs: s.costs, groups: s.groups,
	})
}

// addGroupingPaths groups the input in one step, and finishes what was grouped
// in part (add_paths_to_grouping_rel).
func addGroupingPaths(root *rel.PlannerInfo, in, rl, partly *rel.RelOptInfo, g *grouping, groups float64) {
	whole := step{target: rl.Target, split: rel.AggSplitSimple, having: g.having, costs: g.costs, groups: groups}
	final := step{target: rl.Target, split: rel.AggSplitFinalDeserial, having: g.having, costs: g.final, groups: groups}
	sets := len(root.Parse.GroupingSets) > 0
	if g.canSort {
		for _, p := range in.Paths {
			for _, o := range groupOrders(root, p) {
				for _, s := range sortings(root, rl, p, in.CheapestTotal, o.keys, -1) {
					if sets {
						groupingSetsPaths(root, rl, s, true, g, groups)
						continue
					}
					path.AddPath(rl, sortedGroup(root, rl, s, o.clauses, whole))
				}
			}
		}
		if partly != nil {
			for _, p := range partly.Paths {
				if !root.Global.Version(16) && p != partly.CheapestTotal && !prep.PathKeysContainedIn(root.GroupPathKeys, p.Base().PathKeys) {
					continue
				}
				for _, o := range groupOrders(root, p) {
					for _, s := range sortings(root, rl, p, partly.CheapestTotal, o.keys, -1) {
						path.AddPath(rl, sortedGroup(root, rl, s, o.clauses, final))
					}
				}
			}
		}
	}
	if g.canHash {
		if sets {
			groupingSetsPaths(root, rl, in.CheapestTotal, false, g, groups)
		} else {
			path.AddPath(rl, hashGroup(root, rl, in.CheapestTotal, whole))
		}
		if partly != nil && len(partly.Paths) > 0 {
			path.AddPath(rl, hashGroup(root, rl, partly.CheapestTotal, final))
		}
	}
	if len(rl.PartialPaths) > 0 {
		gatherGrouping(root, rl)
	}
}

// partialGroupingPaths groups in part: what each worker reads, or what a
// partition holds (create_partial_grouping_paths). nil says that there is
// nothing to do.
func partialGroupingPaths(root *rel.PlannerInfo, in, rl *rel.RelOptInfo, g *grouping, force bool) *rel.RelOptInfo {
	var total, partial rel.Path
	if len(in.Paths) > 0 && g.parts == partitionwisePartial {
		total = in.CheapestTotal
	}
	if rl.ConsiderParallel && len(in.PartialPaths) > 0 {
		partial = in.PartialPaths[0]
	}
	if total == nil && partial == nil && !force {
		return nil
	}
	out := prep.FetchUpperRel(root, rel.UpperPartialGroupAgg, rl.Relids)
	out.ConsiderParallel, out.Kind = rl.ConsiderParallel, rl.Kind
	out.Target = partialGroupingTarget(root, rl.Target, g.having)
	s := step{target: out.Target, split: rel.AggSplitInitialSerial, costs: g.partial}
	from := func(list []rel.Path, cheapest rel.Path, add func(*rel.RelOptInfo, rel.Path)) {
		if cheapest == nil {
			return
		}
		s.groups = numGroups(root, cheapest.Base().Rows, g)
		if !g.canSort {
			return
		}
		for _, p := range list {
			for _, o := range groupOrders(root, p) {
				for _, sorted := range sortings(root, out, p, cheapest, o.keys, -1) {
					add(out, sortedGroup(root, out, sorted, o.clauses, s))
				}
			}
		}
	}
	hash := func(cheapest rel.Path, add func(*rel.RelOptInfo, rel.Path)) {
		if cheapest == nil || !g.canHash {
			return
		}
		s.groups = numGroups(root, cheapest.Base().Rows, g)
		add(out, hashGroup(root, out, cheapest, s))
	}
	from(in.Paths, total, path.AddPath)
	from(in.PartialPaths, partial, path.AddPartialPath)
	hash(total, path.AddPath)
	hash(partial, path.AddPartialPath)
	return out
}

// gatherGrouping collects what workers grouped, and sorts for the grouping's own
// order where that pays (gather_grouping_paths).
func gatherGrouping(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	keys := root.GroupPathKeys
	if n := root.NumGroupByKeys; len(keys) > n && root.Global.Version(16) {
		keys = keys[:n:n]
	}
	path.GenerateUsefulGatherPaths(root, rl, true)
	cheapest := rl.PartialPaths[0]
	merge := func(p, s rel.Path) {
		path.AddPath(rl, path.NewGatherMerge(root, rl, s, rl.Target, keys, query.Relids{}, path.GatheredRows(root, p)))
	}
	if root.Global.Version(16) {
		for _, p := range rl.PartialPaths {
			if prep.PathKeysContainedIn(keys, p.Base().PathKeys) {
				continue
			}
			for _, s := range sortings(root, rl, p, cheapest, keys, -1) {
				merge(p, s)
			}
		}
		return
	}
	if !prep.PathKeysContainedIn(keys, cheapest.Base().PathKeys) {
		merge(cheapest, path.NewSort(root, rl, cheapest, keys, -1))
	}
	if !root.Global.Settings.EnableIncrementalSort || len(keys) == 1 {
		return
	}
	for _, p := range rl.PartialPaths {
		if n, sorted := prep.CountContainedIn(keys, p.Base().PathKeys); !sorted && n > 0 {
			merge(p, path.NewIncrementalSort(root, rl, p, keys, n, -1))
		}
	}
}
