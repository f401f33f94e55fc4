package path

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// GetCheapestPathForPathKeys returns the cheapest path that has an order and
// needs no more than the given outer relations; nil if there is none
// (get_cheapest_path_for_pathkeys, pathkeys.c).
func GetCheapestPathForPathKeys(paths []rel.Path, keys []*rel.PathKey, outer query.Relids, by CostSelector, parallelSafe bool) rel.Path {
	var best rel.Path
	for _, p := range paths {
		b := p.Base()
		if parallelSafe && !b.ParallelSafe {
			continue
		}
		// The cheap test stands first, as the other one is costlier.
		if best != nil && ComparePathCosts(best, p, by) <= 0 {
			continue
		}
		if prep.PathKeysContainedIn(keys, b.PathKeys) && b.RequiredOuter().IsSubset(outer) {
			best = p
		}
	}
	return best
}

// GetCheapestFractionalPathForPathKeys is [GetCheapestPathForPathKeys] by the
// cost of fetching a fraction of the rows.
func GetCheapestFractionalPathForPathKeys(paths []rel.Path, keys []*rel.PathKey, outer query.Relids, fraction float64) rel.Path {
	var best rel.Path
	for _, p := range paths {
		if best != nil && CompareFractionalPathCosts(best, p, fraction) <= 0 {
			continue
		}
		if prep.PathKeysContainedIn(keys, p.Base().PathKeys) && p.Base().RequiredOuter().IsSubset(outer) {
			best = p
		}
	}
	return best
}

// GetCheapestParallelSafeTotalInner returns the cheapest path that is parallel
// safe and has no parameters; the list is sorted by cost
// (get_cheapest_parallel_safe_total_inner).
func GetCheapestParallelSafeTotalInner(paths []rel.Path) rel.Path {
	for _, p := range paths {
		if b := p.Base(); b.ParallelSafe && b.RequiredOuter().IsEmpty() {
			return p
		}
	}
	return nil
}

// GetCheapestFractionalPath returns the path of a relation that is cheapest for
// fetching a fraction of the rows (below 1) or so many rows (from 1 on), 0 for
// all (get_cheapest_fractional_path, planner.c).
func GetCheapestFractionalPath(rl *rel.RelOptInfo, fraction float64) rel.Path {
	best := rl.CheapestTotal
	if fraction <= 0 || best == nil {
		return best
	}
	if rows := best.Base().Rows; fraction >= 1 && rows > 0 {
		fraction /= rows
	}
	for _, p := range rl.Paths {
		// One with parameters fetches no share of what is wanted.
		if p == rl.CheapestTotal || p.Base().Param != nil || CompareFractionalPathCosts(best, p, fraction) <= 0 {
			continue
		}
		best = p
	}
	return best
}
