// Package path makes paths: ways to compute a relation, each with its cost, of
// which a relation keeps those that no other beats.
//
// It has add_path and the constructors of optimizer/util/pathnode.c, and the
// paths of single relations: sizes ([SetBaseRelSizes]) and then scans
// ([SetBaseRelPathLists]) of tables, partitions, subqueries, functions, VALUES
// and CTEs (optimizer/path/allpaths.c), with index and bitmap scans
// (indxpath.c), ctid scans (tidpath.c), restrictions drawn out of ORs
// (util/orclauses.c) and proofs between predicates (util/predtest.c).
//
// Paths are tried in PostgreSQL's order, since the first of two equals is kept.
//
// The package imports planner/prep and what stands before it; planner/join and
// planner/upper build on it.
package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// Fuzz factors of cost comparisons (pathnode.c).
const (
	// stdFuzz is how much better a cost must be to count (STD_FUZZ_FACTOR).
	stdFuzz = 1.01
	// tieFuzz decides between paths that are the same in all else.
	tieFuzz = 1.0000000001
)

// CostSelector is by which cost paths are compared.
type CostSelector int

// The costs.
const (
	StartupCost CostSelector = iota
	TotalCost
)

func order(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ComparePathCosts returns -1 if a is cheaper than b, 1 if it is dearer, 0 if
// both costs are equal (compare_path_costs).
func ComparePathCosts(a, b rel.Path, by CostSelector) int {
	x, y := a.Base(), b.Base()
	if c := x.DisabledNodes - y.DisabledNodes; c != 0 {
		return order(float64(c), 0)
	}
	startup, total := order(x.Startup, y.Startup), order(x.Total, y.Total)
	if by == StartupCost {
		startup, total = total, startup
	}
	if total != 0 {
		return total
	}
	return startup
}

// CompareFractionalPathCosts compares the costs of fetching a fraction of the
// rows (compare_fractional_path_costs).
func CompareFractionalPathCosts(a, b rel.Path, fraction float64) int {
	x, y := a.Base(), b.Base()
	if c := x.DisabledNodes - y.DisabledNodes; c != 0 {
		return order(float64(c), 0)
	}
	if fraction <= 0 || fraction >= 1 {
		return ComparePathCosts(a, b, TotalCost)
	}
	return order(
		x.Startup+float64(fraction*(x.Total-x.Startup)),
		y.Startup+float64(fraction*(y.Total-y.Startup)),
	)
}

// costComparison is the outcome of [compareFuzzily].
type costComparison int

const (
	costsEqual costComparison = iota
	costsBetter1
	costsBetter2
	costsDifferent
)

// considerStartup reports whether a path's startup cost matters to its relation.
func considerStartup(p *rel.PathBase) bool {
	if p.Param == nil {
		return p.Parent.ConsiderStartup
	}
	return p.Parent.ConsiderParamStartup
}

// compareFuzzily says which of two paths is better in both costs, within a fuzz
// factor (compare_path_costs_fuzzily).
func compareFuzzily(a, b *rel.PathBase, fuzz float64) costComparison {
	switch {
	case a.DisabledNodes < b.DisabledNodes:
		return costsBetter1
	case a.DisabledNodes > b.DisabledNodes:
		return costsBetter2
	case a.Total > b.Total*fuzz:
		if considerStartup(a) && b.Startup > a.Startup*fuzz {
			return costsDifferent
		}
		return costsBetter2
	case b.Total > a.Total*fuzz:
		if considerStartup(b) && a.Startup > b.Startup*fuzz {
			return costsDifferent
		}
		return costsBetter1
	case a.Startup > b.Startup*fuzz:
		return costsBetter2
	case b.Startup > a.Startup*fuzz:
		return costsBetter1
	}
	return costsEqual
}

// keysOf returns the order that add_path counts: a parameterised path's does
// not.
func keysOf(b *rel.PathBase) []*rel.PathKey {
	if b.Param != nil {
		return nil
	}
	return b.PathKeys
}

// verdict is what a comparison of a new with an old path says.
type verdict int

const (
	keepBoth verdict = iota
	dropOld
	dropNew
)

// judge compares a new path with one that the relation has (add_path).
func judge(fresh, old *rel.PathBase) verdict {
	costs := compareFuzzily(fresh, old, stdFuzz)
	if costs == costsDifferent {
		return keepBoth
	}
	keys := prep.ComparePathKeys(keysOf(fresh), keysOf(old))
	if keys == prep.Different {
		return keepBoth
	}
	x, y := fresh.RequiredOuter(), old.RequiredOuter()
	freshWins := x.IsSubset(y) && fresh.Rows <= old.Rows && (fresh.ParallelSafe || !old.ParallelSafe)
	oldWins := y.IsSubset(x) && fresh.Rows >= old.Rows && (!fresh.ParallelSafe || old.ParallelSafe)
	switch costs {
	case costsEqual:
		switch {
		case keys == prep.Better1:
			return when(freshWins, dropOld)
		case keys == prep.Better2:
			return when(oldWins, dropNew)
		case x == y:
			return tie(fresh, old)
		case freshWins:
			return dropOld
		case oldWins:
			return dropNew
		}
	case costsBetter1:
		return when(keys != prep.Better2 && freshWins, dropOld)
	case costsBetter2:
		return when(keys != prep.Better1 && oldWins, dropNew)
	}
	return keepBoth
}

func when(ok bool, v verdict) verdict {
	if ok {
		return v
	}
	return keepBoth
}

// tie decides between paths with about the same costs, order and
// parameterisation: by parallel safety, rows, and then the exact costs; the old
// one wins if there is nothing to choose.
func tie(fresh, old *rel.PathBase) verdict {
	switch {
	case fresh.ParallelSafe != old.ParallelSafe:
		if fresh.ParallelSafe {
			return dropOld
		}
		return dropNew
	case fresh.Rows < old.Rows:
		return dropOld
	case fresh.Rows > old.Rows:
		return dropNew
	case compareFuzzily(fresh, old, tieFuzz) == costsBetter1:
		return dropOld
	}
	return dropNew
}

// after reports whether a new path stands behind an old one in the list, which
// is sorted by disabled nodes and total cost.
func after(fresh, old *rel.PathBase) bool {
	if fresh.DisabledNodes != old.DisabledNodes {
		return fresh.DisabledNodes > old.DisabledNodes
	}
	return fresh.Total >= old.Total
}

// insert puts a path into a list unless one in it is better, and takes out
// those that it beats.
func insert(list []rel.Path, p rel.Path, judge func(fresh, old *rel.PathBase) verdict) []rel.Path {
	fresh := p.Base()
	at := 0
	for i := 0; i < len(list); {
		old := list[i].Base()
		v := judge(fresh, old)
		if v == dropOld {
			list = slices.Delete(slices.Clone(list), i, i+1)
			continue
		}
		if after(fresh, old) {
			at = i + 1
		}
		if v == dropNew {
			return list
		}
		i++
	}
	return slices.Insert(slices.Clone(list), at, p)
}

// AddPath offers a path to its relation, which keeps it unless another is at
// least as good in cost, order, rows, parameterisation and parallel safety
// (add_path).
func AddPath(rl *rel.RelOptInfo, p rel.Path) { rl.Paths = insert(rl.Paths, p, judge) }

// AddPathPrecheck reports whether a path with such costs could be kept; it
// spares the making of paths that could not (add_path_precheck).
func AddPathPrecheck(rl *rel.RelOptInfo, disabled int, startup, total float64, keys []*rel.PathKey, outer query.Relids) bool {
	consider := rl.ConsiderStartup
	if !outer.IsEmpty() {
		keys, consider = nil, rl.ConsiderParamStartup
	}
	for _, p := range rl.Paths {
		old := p.Base()
		if old.DisabledNodes != disabled {
			if disabled < old.DisabledNodes {
				break
			}
		} else if total <= old.Total*stdFuzz {
			break
		}
		if startup <= old.Startup*stdFuzz && consider {
			continue
		}
		c := prep.ComparePathKeys(keys, keysOf(old))
		if (c == prep.Equal || c == prep.Better2) && outer == old.RequiredOuter() {
			return false
		}
	}
	return true
}

// judgePartial compares partial paths: by total cost and order alone
// (add_partial_path).
func judgePartial(fresh, old *rel.PathBase) verdict {
	keys := prep.ComparePathKeys(fresh.PathKeys, old.PathKeys)
	switch {
	case keys == prep.Different:
		return keepBoth
	case fresh.DisabledNodes > old.DisabledNodes:
		return dropNew
	case fresh.DisabledNodes < old.DisabledNodes:
		return dropOld
	case fresh.Total > old.Total*stdFuzz:
		return when(keys != prep.Better1, dropNew)
	case old.Total > fresh.Total*stdFuzz:
		return when(keys != prep.Better2, dropOld)
	case keys == prep.Better1:
		return dropOld
	case keys == prep.Better2:
		return dropNew
	case old.Total > fresh.Total*tieFuzz:
		return dropOld
	}
	return dropNew
}

// AddPartialPath offers a partial path, which each worker runs for a part of
// the rows (add_partial_path).
func AddPartialPath(rl *rel.RelOptInfo, p rel.Path) {
	rl.PartialPaths = insert(rl.PartialPaths, p, judgePartial)
}

// AddPartialPathPrecheck is [AddPathPrecheck] for partial paths
// (add_partial_path_precheck).
func AddPartialPathPrecheck(rl *rel.RelOptInfo, disabled int, total float64, keys []*rel.PathKey) bool {
	for _, p := range rl.PartialPaths {
		old := p.Base()
		c := prep.ComparePathKeys(keys, old.PathKeys)
		if c == prep.Different {
			continue
		}
		if total > old.Total*stdFuzz && c != prep.Better1 {
			return false
		}
		if old.Total > total*stdFuzz && c != prep.Better2 {
			return true
		}
	}
	return AddPathPrecheck(rl, disabled, total, total, keys, query.Relids{})
}

// SetCheapest notes a relation's cheapest paths (set_cheapest). A relation
// without paths is left as it is.
func SetCheapest(rl *rel.RelOptInfo) {
	var startup, total, param rel.Path
	var params []rel.Path
	for _, p := range rl.Paths {
		if p.Base().Param != nil {
			params = append(params, p)
			if total == nil {
				param = leastParam(param, p)
			}
			continue
		}
		if total == nil {
			startup, total = p, p
			continue
		}
		startup = cheaper(startup, p, StartupCost)
		total = cheaper(total, p, TotalCost)
	}
	if total != nil {
		params = append([]rel.Path{total}, params...)
	} else {
		total = param
	}
	rl.CheapestStartup, rl.CheapestTotal, rl.CheapestUnique, rl.CheapestParam = startup, total, nil, params
}

// cheaper returns the cheaper of two paths, the better sorted one if they cost
// the same, else the old one.
func cheaper(old, p rel.Path, by CostSelector) rel.Path {
	c := ComparePathCosts(old, p, by)
	if c > 0 || c == 0 && prep.ComparePathKeys(old.Base().PathKeys, p.Base().PathKeys) == prep.Better2 {
		return p
	}
	return old
}

// leastParam prefers the path with fewer parameters, then the cheaper one.
func leastParam(old, p rel.Path) rel.Path {
	if old == nil {
		return p
	}
	x, y := p.Base().RequiredOuter(), old.Base().RequiredOuter()
	switch {
	case x == y:
		if ComparePathCosts(p, old, TotalCost) < 0 {
			return p
		}
	case x.IsSubset(y):
		return p
	}
	return old
}
