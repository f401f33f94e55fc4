package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// setKeys works out the orders that the steps of a query want, and which of
// them scans and joins should aim at: that of the first step
// (standard_qp_callback, planner.c).
func setKeys(root *rel.PlannerInfo, windows []*query.WindowClause, sets *groupingSets) {
	q := root.Parse
	list := root.ProcessedTargetList
	modern := root.Global.Version(16)
	root.GroupPathKeys, root.NumGroupByKeys = nil, 0
	switch {
	case sets != nil:
		if clause := sets.firstClause(); sortable(clause) {
			root.GroupPathKeys = prep.PathKeysForSortClauses(root, clause, list, false, false).Keys
			root.NumGroupByKeys = len(root.GroupPathKeys)
		}
	case !modern:
		if len(root.GroupClause) > 0 && sortable(root.GroupClause) {
			root.GroupPathKeys = prep.PathKeysForSortClauses(root, root.GroupClause, list, false, false).Keys
			root.NumGroupByKeys = len(root.GroupPathKeys)
		}
	case len(q.GroupClause) > 0 || root.NumOrderedAggs > 0:
		k := prep.PathKeysForSortClauses(root, root.GroupClause, list, true, root.Global.Version(17))
		root.GroupClause = k.Clauses
		if k.Sortable {
			root.GroupPathKeys, root.NumGroupByKeys = k.Keys, len(k.Keys)
			if root.NumOrderedAggs > 0 {
				addAggKeys(root)
			}
		}
	}
	root.WindowPathKeys = nil
	if len(windows) > 0 {
		root.WindowPathKeys = windowKeys(root, windows[0])
	}
	root.DistinctPathKeys, root.DistinctClause = nil, q.Distinct
	if len(q.Distinct) > 0 {
		k := prep.PathKeysForSortClauses(root, q.Distinct, list, modern, false)
		root.DistinctClause = k.Clauses
		if k.Sortable {
			root.DistinctPathKeys = k.Keys
		}
	}
	root.SortPathKeys = prep.PathKeysForSortClauses(root, q.SortClause, list, false, false).Keys
	switch {
	case len(root.GroupPathKeys) > 0:
		root.QueryPathKeys = root.GroupPathKeys
	case len(root.WindowPathKeys) > 0:
		root.QueryPathKeys = root.WindowPathKeys
	case len(root.DistinctPathKeys) > len(root.SortPathKeys):
		root.QueryPathKeys = root.DistinctPathKeys
	default:
		root.QueryPathKeys = root.SortPathKeys
	}
}

// addAggKeys appends to the order of GROUP BY the one that suits most aggregates
// with ORDER BY or DISTINCT, and marks these as needing no sort of their own
// (adjust_group_pathkeys_for_groupagg, planner.c).
func addAggKeys(root *rel.PlannerInfo) {
	if !root.Global.Settings.EnablePresortedAggregate {
		return
	}
	var todo []*rel.AggInfo
	for _, info := range root.Aggs {
		a := info.Aggrefs[0]
		if a.Kind != query.AggNormal || len(a.Distinct) == 0 && len(a.Order) == 0 {
			continue
		}
		if a.Filter != nil && !slices.ContainsFunc(a.Args, func(te *query.TargetEntry) bool { return !plain(te.Expr) }) || a.Filter == nil {
			todo = append(todo, info)
		}
	}
	var best []*rel.AggInfo
	var bestKeys []*rel.PathKey
	for len(todo) > len(best) {
		var current []*rel.PathKey
		var fit, rest []*rel.AggInfo
		for _, info := range todo {
			a := info.Aggrefs[0]
			clauses := a.Order
			if len(a.Distinct) > 0 {
				clauses = a.Distinct
			}
			keys := prep.PathKeysForSortClauses(root, clauses, a.Args, false, false).Keys
			if slices.ContainsFunc(keys, func(k *rel.PathKey) bool { return k.EC.HasVolatile }) {
				continue
			}
			if len(root.GroupPathKeys) > 0 {
				keys = prep.AppendPathKeys(root.GroupPathKeys, keys)
			}
			if len(current) == 0 {
				current = keys
				fit = append(fit, info)
				continue
			}
			switch prep.ComparePathKeys(current, keys) {
			case prep.Better2:
				current = keys
				fit = append(fit, info)
			case prep.Better1, prep.Equal:
				fit = append(fit, info)
			default:
				rest = append(rest, info)
			}
		}
		todo = rest
		if len(fit) > len(best) {
			best, bestKeys = fit, current
		}
	}
	if len(bestKeys) > 0 {
		root.GroupPathKeys = bestKeys
	}
	for _, info := range best {
		for _, a := range info.Aggrefs {
			a.Presorted = true
		}
	}
}

// plain tells a column or constant: evaluating it cannot fail where a FILTER
// would have kept it from being evaluated.
func plain(e query.Expr) bool {
	for {
		switch n := e.(type) {
		case *query.RelabelType:
			e = n.Arg
		case *query.Var, *query.Const:
			return true
		default:
			return false
		}
	}
}
