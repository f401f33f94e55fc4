package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// InitializeMergeClauseECs gives a mergejoinable clause the classes of its two
// sides (initialize_mergeclause_eclasses, pathkeys.c).
func InitializeMergeClauseECs(root *rel.PlannerInfo, r *rel.RestrictInfo) {
	op := r.Clause.(*query.OpExpr)
	o := root.Global.Catalog.Operator(op.Op)
	r.LeftEC = ECForSortExpr(root, op.Args[0], r.MergeFamilies, o.Left, op.InputColl, 0, query.Relids{}, true)
	r.RightEC = ECForSortExpr(root, op.Args[1], r.MergeFamilies, o.Right, op.InputColl, 0, query.Relids{}, true)
}

// UpdateMergeClauseECs follows merged classes (update_mergeclause_eclasses).
func UpdateMergeClauseECs(r *rel.RestrictInfo) {
	r.LeftEC, r.RightEC = Merged(r.LeftEC), Merged(r.RightEC)
}

func outerEC(r *rel.RestrictInfo) *rel.EquivalenceClass {
	if r.OuterIsLeft {
		return r.LeftEC
	}
	return r.RightEC
}

func innerEC(r *rel.RestrictInfo) *rel.EquivalenceClass {
	if r.OuterIsLeft {
		return r.RightEC
	}
	return r.LeftEC
}

// FindMergeClausesForOuterPathKeys picks, in the order of the outer path's
// keys, the clauses that can be merged on (find_mergeclauses_for_outer_pathkeys).
func FindMergeClausesForOuterPathKeys(keys []*rel.PathKey, clauses []*rel.RestrictInfo) []*rel.RestrictInfo {
	for _, r := range clauses {
		UpdateMergeClauseECs(r)
	}
	var out []*rel.RestrictInfo
	for _, k := range keys {
		n := len(out)
		for _, r := range clauses {
			if outerEC(r) == k.EC {
				out = append(out, r)
			}
		}
		if len(out) == n {
			break
		}
	}
	return out
}

// SelectOuterPathKeysForMerge chooses a sort order for the outer side that all
// merge clauses can use and that later joins or the query's own order profit
// from most (select_outer_pathkeys_for_merge).
func SelectOuterPathKeysForMerge(root *rel.PlannerInfo, clauses []*rel.RestrictInfo, joinRel *rel.RelOptInfo) []*rel.PathKey {
	if len(clauses) == 0 {
		return nil
	}
	var ecs []*rel.EquivalenceClass
	var scores []int
	for _, r := range clauses {
		UpdateMergeClauseECs(r)
		ec := outerEC(r)
		if slices.Contains(ecs, ec) {
			continue
		}
		score := 0
		for _, m := range ec.Members {
			if !m.IsConst && !m.IsChild && !m.Relids.Overlaps(joinRel.Relids) {
				score++
			}
		}
		ecs, scores = append(ecs, ec), append(scores, score)
	}
	var keys []*rel.PathKey
	if len(root.QueryPathKeys) > 0 {
		matches := 0
		for _, k := range root.QueryPathKeys {
			if !slices.Contains(ecs, k.EC) {
				break
			}
			matches++
		}
		switch {
		case matches == len(root.QueryPathKeys):
			keys = slices.Clone(root.QueryPathKeys)
			for _, k := range keys {
				scores[slices.Index(ecs, k.EC)] = -1
			}
		case matches == len(clauses) && root.Global.Version(16):
			// All clauses are served by a prefix of the query's order; an
			// incremental sort can do the rest.
			return slices.Clone(root.QueryPathKeys[:matches])
		}
	}
	for {
		best := 0
		for j := range scores {
			if scores[j] > scores[best] {
				best = j
			}
		}
		if scores[best] < 0 {
			return keys
		}
		scores[best] = -1
		keys = append(keys, CanonicalPathKey(root, ecs[best], ecs[best].Families[0], catalog.BTLess, false))
	}
}

// MakeInnerPathKeysForMerge returns the order that the inner side needs, given
// the outer side's (make_inner_pathkeys_for_merge).
func MakeInnerPathKeysForMerge(root *rel.PlannerInfo, clauses []*rel.RestrictInfo, outer []*rel.PathKey) []*rel.PathKey {
	var keys []*rel.PathKey
	var last *rel.EquivalenceClass
	var key *rel.PathKey
	next := 0
	for _, r := range clauses {
		UpdateMergeClauseECs(r)
		o, i := outerEC(r), innerEC(r)
		if o != last {
			if next >= len(outer) || outer[next].EC != o {
				panic("prep: outer pathkeys do not match merge clauses")
			}
			key, last = outer[next], o
			next++
		}
		k := key
		if i != o {
			k = CanonicalPathKey(root, i, key.Family, key.Strategy, key.NullsFirst)
		}
		if !PathKeyIsRedundant(k, keys) {
			keys = append(keys, k)
		}
	}
	return keys
}

// TrimMergeClausesForInnerPathKeys keeps the leading clauses that an inner
// order covers (trim_mergeclauses_for_inner_pathkeys).
func TrimMergeClausesForInnerPathKeys(clauses []*rel.RestrictInfo, inner []*rel.PathKey) []*rel.RestrictInfo {
	if len(inner) == 0 {
		return nil
	}
	var out []*rel.RestrictInfo
	at, matched := 0, false
	for _, r := range clauses {
		ec := innerEC(r)
		if ec != inner[at].EC {
			if !matched || at+1 >= len(inner) {
				break
			}
			at++
			matched = false
		}
		if ec != inner[at].EC {
			break
		}
		out = append(out, r)
		matched = true
	}
	return out
}

func usefulForMerging(root *rel.PlannerInfo, rl *rel.RelOptInfo, keys []*rel.PathKey) int {
	useful := 0
	for _, k := range keys {
		if !rightMergeDirection(root, k) {
			break
		}
		matched := rl.HasEClassJoins && ECUsefulForMerging(k.EC, rl)
		if !matched {
			for _, r := range rl.JoinInfo {
				if r.MergeFamilies == nil {
					continue
				}
				UpdateMergeClauseECs(r)
				if k.EC == r.LeftEC || k.EC == r.RightEC {
					matched = true
					break
				}
			}
		}
		if !matched {
			break
		}
		useful++
	}
	return useful
}

// rightMergeDirection keeps the planner from trying merges in both directions:
// the query's own, or ascending (right_merge_direction).
func rightMergeDirection(root *rel.PlannerInfo, key *rel.PathKey) bool {
	for _, q := range root.QueryPathKeys {
		if key.EC == q.EC && key.Family == q.Family {
			return key.Strategy == q.Strategy
		}
	}
	return key.Strategy == catalog.BTLess
}

func usefulForOrdering(root *rel.PlannerInfo, keys []*rel.PathKey) int {
	n, _ := CountContainedIn(root.QueryPathKeys, keys)
	return n
}

// usefulForGrouping counts the leading keys that GROUP BY can use in any order
// (pathkeys_useful_for_grouping, since 17).
func usefulForGrouping(root *rel.PlannerInfo, keys []*rel.PathKey) int {
	if len(root.GroupPathKeys) == 0 || !root.Global.Version(17) {
		return 0
	}
	n := 0
	for _, k := range keys {
		if !slices.Contains(root.GroupPathKeys, k) {
			break
		}
		n++
	}
	return n
}

// usefulForDistinct counts the leading keys that DISTINCT can use in any order
// (pathkeys_useful_for_distinct, since 18).
func usefulForDistinct(root *rel.PlannerInfo, keys []*rel.PathKey) int {
	if len(root.DistinctPathKeys) == 0 || !root.Global.Version(18) || !root.Global.Settings.EnableDistinctReordering {
		return 0
	}
	n := 0
	for _, k := range keys {
		if !slices.Contains(root.DistinctPathKeys, k) {
			break
		}
		n++
	}
	return n
}

// TruncateUselessPathKeys cuts an order to what anything above can use
// (truncate_useless_pathkeys).
func TruncateUselessPathKeys(root *rel.PlannerInfo, rl *rel.RelOptInfo, keys []*rel.PathKey) []*rel.PathKey {
	useful := max(usefulForMerging(root, rl, keys), usefulForOrdering(root, keys), usefulForGrouping(root, keys), usefulForDistinct(root, keys))
	return keys[:useful:useful]
}

// HasUsefulPathKeys reports whether a relation's order could matter at all
// (has_useful_pathkeys).
func HasUsefulPathKeys(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	if len(rl.JoinInfo) > 0 || rl.HasEClassJoins {
		return true
	}
	if root.Global.Version(17) && len(root.GroupPathKeys) > 0 {
		return true
	}
	return len(root.QueryPathKeys) > 0
}
