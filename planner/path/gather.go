package path

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// GenerateGatherPaths collects the rows of a relation's partial paths: of the
// cheapest in any order, of sorted ones in theirs (generate_gather_paths,
// allpaths.c). overrideRows takes the row estimate from the partial paths
// instead of the relation.
func GenerateGatherPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo, overrideRows bool) {
	if len(rl.PartialPaths) == 0 {
		return
	}
	rows := func(p rel.Path) float64 {
		if !overrideRows {
			return -1
		}
		return GatheredRows(root, p)
	}
	cheapest := rl.PartialPaths[0]
	AddPath(rl, NewGather(root, rl, cheapest, rl.Target, query.Relids{}, rows(cheapest)))
	for _, p := range rl.PartialPaths {
		if keys := p.Base().PathKeys; len(keys) > 0 {
			AddPath(rl, NewGatherMerge(root, rl, p, rl.Target, keys, query.Relids{}, rows(p)))
		}
	}
}

// GatheredRows estimates the rows that workers running a partial path give
// together: until 17 the workers' alone, since 18 the leader's too
// (compute_gather_rows, costsize.c).
func GatheredRows(root *rel.PlannerInfo, p rel.Path) float64 {
	b := p.Base()
	if root.Global.Version(18) {
		return cost.ClampRows(b.Rows * cost.ParamsOf(root.Global).ParallelDivisor(b.ParallelWorkers))
	}
	return b.Rows * float64(b.ParallelWorkers)
}

// usefulPathKeys is as much of the query's order as the relation's own columns
// allow sorting by (get_useful_pathkeys_for_relation, allpaths.c).
func usefulPathKeys(root *rel.PlannerInfo, rl *rel.RelOptInfo) []*rel.PathKey {
	n := 0
	for _, k := range root.QueryPathKeys {
		if !prep.RelationCanBeSortedEarly(root, rl, k.EC, true) {
			break
		}
		n++
	}
	return root.QueryPathKeys[:n]
}

// GenerateUsefulGatherPaths is [GenerateGatherPaths], and beside it has the
// workers sort for an order that the query wants
// (generate_useful_gather_paths, allpaths.c).
func GenerateUsefulGatherPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo, overrideRows bool) {
	if len(rl.PartialPaths) == 0 {
		return
	}
	GenerateGatherPaths(root, rl, overrideRows)
	keys := usefulPathKeys(root, rl)
	if len(keys) == 0 {
		return
	}
	incremental := cost.ParamsOf(root.Global).EnableIncrementalSort
	cheapest := rl.PartialPaths[0]
	merge := func(sub rel.Path, rows float64) {
		if !overrideRows {
			rows = -1
		}
		AddPath(rl, NewGatherMerge(root, rl, sub, rl.Target, sub.Base().PathKeys, query.Relids{}, rows))
	}
	// The override keeps the value of the last full sort.
	rows := GatheredRows(root, cheapest)
	for _, sub := range rl.PartialPaths {
		n, sorted := prep.CountContainedIn(keys, sub.Base().PathKeys)
		if sorted {
			continue
		}
		partly := n > 0 && incremental
		if !root.Global.Version(16) {
			// Before 16 the cheapest path was sorted in full also where an
			// incremental sort could do.
			if sub == cheapest {
				full := NewSort(root, rl, sub, keys, -1)
				rows = GatheredRows(root, full)
				merge(full, rows)
			}
			if partly {
				merge(NewIncrementalSort(root, rl, sub, keys, n, -1), rows)
			}
			continue
		}
		switch {
		case partly:
			if root.Global.Version(18) {
				rows = GatheredRows(root, sub)
			}
			merge(NewIncrementalSort(root, rl, sub, keys, n, -1), rows)
		case sub == cheapest:
			full := NewSort(root, rl, sub, keys, -1)
			rows = GatheredRows(root, full)
			merge(full, rows)
		}
	}
}
