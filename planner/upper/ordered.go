package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// sortings returns the ways to bring a path into an order: none if it is not
// worth trying. Since 16 a full sort is tried for the cheapest path alone, and
// only if nothing of the order is there already; before, the cheapest path was
// always sorted in full, and any within groups.
func sortings(root *rel.PlannerInfo, rl *rel.RelOptInfo, p, cheapest rel.Path, keys []*rel.PathKey, limit float64) []rel.Path {
	n, sorted := prep.CountContainedIn(keys, p.Base().PathKeys)
	if sorted {
		return []rel.Path{p}
	}
	incremental := n > 0 && root.Global.Settings.EnableIncrementalSort
	if root.Global.Version(16) {
		switch {
		case incremental:
			return []rel.Path{path.NewIncrementalSort(root, rl, p, keys, n, limit)}
		case p == cheapest:
			return []rel.Path{path.NewSort(root, rl, p, keys, limit)}
		}
		return nil
	}
	var out []rel.Path
	if p == cheapest {
		out = append(out, path.NewSort(root, rl, p, keys, limit))
	}
	if incremental {
		out = append(out, path.NewIncrementalSort(root, rl, p, keys, n, limit))
	}
	return out
}

// projected makes a path compute a target unless it does: until 17 unless it has
// the very target, even if another one is the same.
func projected(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, target *rel.PathTarget) rel.Path {
	have := p.Base().Target
	if have == target || root.Global.Version(18) && slices.EqualFunc(have.Exprs, target.Exprs, query.Equal) {
		return p
	}
	return path.ApplyProjection(root, rl, p, target)
}

// orderedPaths sorts for ORDER BY, in the leader or in the workers
// (create_ordered_paths, planner.c). limit bounds the rows needed, -1 for none.
func orderedPaths(root *rel.PlannerInfo, in *rel.RelOptInfo, target *rel.PathTarget, safe bool, limit float64) *rel.RelOptInfo {
	rl := prep.FetchUpperRel(root, rel.UpperOrdered, query.Relids{})
	rl.ConsiderParallel = in.ConsiderParallel && safe
	keys := root.SortPathKeys
	for _, p := range in.Paths {
		for _, s := range sortings(root, rl, p, in.CheapestTotal, keys, limit) {
			path.AddPath(rl, projected(root, rl, s, target))
		}
	}
	if !rl.ConsiderParallel || len(keys) == 0 || len(in.PartialPaths) == 0 {
		return rl
	}
	gather := func(p, s rel.Path) {
		m := path.NewGatherMerge(root, rl, s, s.Base().Target, keys, query.Relids{}, path.GatheredRows(root, p))
		path.AddPath(rl, projected(root, rl, m, target))
	}
	cheapest := in.PartialPaths[0]
	if root.Global.Version(16) {
		for _, p := range in.PartialPaths {
			if prep.PathKeysContainedIn(keys, p.Base().PathKeys) {
				continue
			}
			for _, s := range sortings(root, rl, p, cheapest, keys, limit) {
				gather(p, s)
			}
		}
		return rl
	}
	if !prep.PathKeysContainedIn(keys, cheapest.Base().PathKeys) {
		gather(cheapest, path.NewSort(root, rl, cheapest, keys, limit))
	}
	if !root.Global.Settings.EnableIncrementalSort || len(keys) < 2 {
		return rl
	}
	for _, p := range in.PartialPaths {
		if n, sorted := prep.CountContainedIn(keys, p.Base().PathKeys); !sorted && n > 0 {
			gather(p, path.NewIncrementalSort(root, rl, p, keys, n, limit))
		}
	}
	return rl
}
