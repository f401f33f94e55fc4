package upper

import (
	"slices"

	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"

	"github.com/dbgen/dbgen/parser/query"
)

// distinctPaths removes duplicates for DISTINCT (create_distinct_paths,
// planner.c).
func distinctPaths(root *rel.PlannerInfo, in *rel.RelOptInfo, target *rel.PathTarget) *rel.RelOptInfo {
	rl := prep.FetchUpperRel(root, rel.UpperDistinct, query.Relids{})
	rl.ConsiderParallel = in.ConsiderParallel
	finalDistinctPaths(root, in, rl)
	partialDistinctPaths(root, in, rl, target)
	if len(rl.Paths) == 0 {
		root.Global.NotSupported("DISTINCT over types of which some can only be hashed and others only be sorted")
		path.AddPath(rl, path.NewDummy(root, rl))
	}
	path.SetCheapest(rl)
	return rl
}

// distinctRows estimates how many rows DISTINCT leaves of so many.
func distinctRows(root *rel.PlannerInfo, rows float64) float64 {
	return selectivity.NumGroups(root, clauseExprs(root.DistinctClause, root.Parse.TargetList), rows)
}

// unique drops the duplicates of a sorted path. If all of DISTINCT is constant,
// a single row is left; since says from which version on that is seen.
func unique(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, rows float64, since int) rel.Path {
	if len(root.DistinctPathKeys) == 0 && root.Global.Version(since) {
		return limitOne(rl, p)
	}
	return newUnique(root, rl, p, len(root.DistinctPathKeys), rows)
}

// hashDistinct removes duplicates by a hash table.
func hashDistinct(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, rows float64) rel.Path {
	return newAgg(root, rl, p, aggregation{
		target: p.Base().Target, strategy: rel.AggHashed, clause: root.DistinctClause, groups: rows,
	})
}

// partialDistinctPaths has parallel workers remove duplicates, and then those
// among what they gathered (create_partial_distinct_paths, planner.c).
func partialDistinctPaths(root *rel.PlannerInfo, in, final *rel.RelOptInfo, target *rel.PathTarget) {
	if !in.ConsiderParallel || len(in.PartialPaths) == 0 || root.Parse.HasDistinctOn {
		return
	}
	rl := prep.FetchUpperRel(root, rel.UpperPartialDistinct, query.Relids{})
	rl.Target, rl.ConsiderParallel = target, in.ConsiderParallel
	cheapest := in.PartialPaths[0]
	rows := distinctRows(root, cheapest.Base().Rows)
	modern := root.Global.Version(16)
	if sortable(root.DistinctClause) {
		for _, p := range in.PartialPaths {
			if !modern && !prep.PathKeysContainedIn(root.DistinctPathKeys, p.Base().PathKeys) {
				continue
			}
			for _, keys := range distinctOrders(root, root.DistinctPathKeys, p) {
				for _, s := range sortings(root, rl, p, cheapest, keys, -1) {
					path.AddPartialPath(rl, unique(root, rl, s, rows, 17))
				}
			}
		}
	}
	if root.Global.Settings.EnableHashAgg && hashable(root.DistinctClause) {
		path.AddPartialPath(rl, hashDistinct(root, rl, cheapest, rows))
	}
	if len(rl.PartialPaths) == 0 {
		return
	}
	if root.Global.Version(17) {
		path.GenerateUsefulGatherPaths(root, rl, true)
	} else {
		path.GenerateGatherPaths(root, rl, true)
	}
	path.SetCheapest(rl)
	finalDistinctPaths(root, rl, final)
}

// finalDistinctPaths removes duplicates from sorted paths, and by hashing from
// the cheapest (create_final_distinct_paths, planner.c).
func finalDistinctPaths(root *rel.PlannerInfo, in, rl *rel.RelOptInfo) {
	q := root.Parse
	cheapest := in.CheapestTotal
	rows := cheapest.Base().Rows
	if !hasGrouping(root) {
		rows = distinctRows(root, rows)
	}
	if sortable(root.DistinctClause) {
		keys := root.DistinctPathKeys
		if q.HasDistinctOn && len(keys) < len(root.SortPathKeys) {
			// The row to keep of each group depends on the whole order.
			keys = root.SortPathKeys
		}
		if root.Global.Version(16) {
			limit := -1.0
			if len(root.DistinctPathKeys) == 0 {
				limit = 1
			}
			for _, p := range in.Paths {
				for _, k := range distinctOrders(root, keys, p) {
					for _, s := range sortings(root, rl, p, cheapest, k, limit) {
						path.AddPath(rl, unique(root, rl, s, rows, 16))
					}
				}
			}
		} else {
			for _, p := range in.Paths {
				if prep.PathKeysContainedIn(keys, p.Base().PathKeys) {
					path.AddPath(rl, unique(root, rl, p, rows, 16))
				}
			}
			if len(root.DistinctPathKeys) < len(root.SortPathKeys) {
				// Sorting once can serve ORDER BY as well.
				keys = root.SortPathKeys
			}
			p := cheapest
			if !prep.PathKeysContainedIn(keys, p.Base().PathKeys) {
				p = path.NewSort(root, rl, p, keys, -1)
			}
			path.AddPath(rl, unique(root, rl, p, rows, 16))
		}
	}
	allowHash := len(rl.Paths) == 0 || !q.HasDistinctOn && root.Global.Settings.EnableHashAgg
	if allowHash && hashable(root.DistinctClause) {
		path.AddPath(rl, hashDistinct(root, rl, cheapest, rows))
	}
}

// distinctOrders are the orders worth trying for DISTINCT over a path: the
// clause's own, and since 18 the one in which the path comes already
// (get_useful_pathkeys_for_distinct, planner.c).
func distinctOrders(root *rel.PlannerInfo, keys []*rel.PathKey, p rel.Path) [][]*rel.PathKey {
	out := [][]*rel.PathKey{keys}
	have := p.Base().PathKeys
	if !root.Global.Version(18) || !root.Global.Settings.EnableDistinctReordering || len(have) == 0 {
		return out
	}
	if root.Parse.HasDistinctOn && len(root.SortPathKeys) > 0 {
		// Leading keys that ORDER BY fixes must stay in front.
		return out
	}
	var other []*rel.PathKey
	for _, k := range have {
		if !slices.Contains(keys, k) {
			break
		}
		other = append(other, k)
	}
	if len(other) == 0 {
		return out
	}
	for _, k := range keys {
		if !slices.Contains(other, k) {
			other = append(other, k)
		}
	}
	if slices.Equal(other, keys) {
		return out
	}
	return append(out, other)
}
