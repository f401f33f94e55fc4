package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// CanonicalPathKey returns the one PathKey with the given properties, making it
// if need be (make_canonical_pathkey, pathkeys.c).
func CanonicalPathKey(root *rel.PlannerInfo, ec *rel.EquivalenceClass, family pgtype.OID, strategy int, nullsFirst bool) *rel.PathKey {
	ec = Merged(ec)
	for _, k := range root.CanonPathKeys {
		if k.EC == ec && k.Family == family && k.Strategy == strategy && k.NullsFirst == nullsFirst {
			return k
		}
	}
	k := &rel.PathKey{EC: ec, Family: family, Strategy: strategy, NullsFirst: nullsFirst}
	root.CanonPathKeys = append(root.CanonPathKeys, k)
	return k
}

// Merged follows a class to the one that it was merged into.
func Merged(ec *rel.EquivalenceClass) *rel.EquivalenceClass {
	for ec.Merged != nil {
		ec = ec.Merged
	}
	return ec
}

// mustBeRedundant tells a class that holds a constant: sorting by it is no
// sorting (EC_MUST_BE_REDUNDANT).
func mustBeRedundant(ec *rel.EquivalenceClass) bool { return ec.HasConst }

// PathKeyIsRedundant reports whether a key adds nothing to a sort order
// (pathkey_is_redundant, pathkeys.c).
func PathKeyIsRedundant(key *rel.PathKey, keys []*rel.PathKey) bool {
	if mustBeRedundant(key.EC) {
		return true
	}
	return slices.ContainsFunc(keys, func(k *rel.PathKey) bool { return k.EC == key.EC })
}

// AppendPathKeys returns target with those of source that are not redundant
// (append_pathkeys).
func AppendPathKeys(target, source []*rel.PathKey) []*rel.PathKey {
	target = slices.Clip(target)
	for _, k := range source {
		if !PathKeyIsRedundant(k, target) {
			target = append(target, k)
		}
	}
	return target
}

// sortInfo describes one sort column.
type sortInfo struct {
	family, inType, collation pgtype.OID
	reverse, nullsFirst       bool
	sortRef                   int
	rel                       query.Relids
	create                    bool
}

// pathKeyFromSortInfo finds or makes the key for sorting by an expression; nil
// if it would have to be made and may not (make_pathkey_from_sortinfo).
func pathKeyFromSortInfo(root *rel.PlannerInfo, e query.Expr, s sortInfo) *rel.PathKey {
	cat := root.Global.Catalog
	strategy := catalog.BTLess
	if s.reverse {
		strategy = catalog.BTGreater
	}
	eq := cat.OpFamilyMember(s.family, s.inType, s.inType, catalog.BTEqual)
	families := cat.MergeJoinFamilies(eq)
	if eq == 0 || len(families) == 0 {
		return nil
	}
	ec := ECForSortExpr(root, e, families, s.inType, s.collation, s.sortRef, s.rel, s.create)
	if ec == nil {
		return nil
	}
	return CanonicalPathKey(root, ec, s.family, strategy, s.nullsFirst)
}

// pathKeyFromSortOp is the key for sorting by an expression with an ordering
// operator (make_pathkey_from_sortop).
func pathKeyFromSortOp(root *rel.PlannerInfo, e query.Expr, op pgtype.OID, nullsFirst bool, sortRef int, create bool) *rel.PathKey {
	family, inType, strategy, ok := root.Global.Catalog.OrderingOp(op)
	if !ok {
		return nil
	}
	return pathKeyFromSortInfo(root, e, sortInfo{
		family: family, inType: inType, collation: e.ResultCollation(),
		reverse: strategy == catalog.BTGreater, nullsFirst: nullsFirst, sortRef: sortRef, create: create,
	})
}

// Comparison is the outcome of [ComparePathKeys].
type Comparison int

// The outcomes: Better1 means that the first order is the longer one.
const (
	Equal Comparison = iota
	Better1
	Better2
	Different
)

// ComparePathKeys says which of two sort orders, if any, includes the other
// (compare_pathkeys).
func ComparePathKeys(a, b []*rel.PathKey) Comparison {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return Different
		}
	}
	switch {
	case len(a) > len(b):
		return Better1
	case len(b) > len(a):
		return Better2
	}
	return Equal
}

// PathKeysContainedIn reports whether an order is a prefix of another
// (pathkeys_contained_in).
func PathKeysContainedIn(want, have []*rel.PathKey) bool {
	c := ComparePathKeys(want, have)
	return c == Equal || c == Better2
}

// CountContainedIn returns the length of the common prefix, and whether it is
// all of want (pathkeys_count_contained_in).
func CountContainedIn(want, have []*rel.PathKey) (int, bool) {
	n := 0
	for n < len(want) && n < len(have) && want[n] == have[n] {
		n++
	}
	return n, n == len(want)
}

// BuildIndexPathKeys returns the order that a scan of an index in a direction
// gives (build_index_pathkeys). constantBool tells an index column that the
// query fixes by a boolean qual.
func BuildIndexPathKeys(root *rel.PlannerInfo, index *rel.IndexOptInfo, dir rel.ScanDirection, constantBool func(col int) bool) []*rel.PathKey {
	if index.SortFamily == nil {
		return nil
	}
	var out []*rel.PathKey
	for i, te := range index.TargetList {
		if i >= index.NKeyCols {
			break
		}
		s := sortInfo{
			family: index.SortFamily[i], inType: index.InTypes[i], collation: index.Collations[i],
			reverse: index.Reverse[i], nullsFirst: index.NullsFirst[i], rel: index.Rel.Relids,
		}
		if dir == rel.Backward {
			s.reverse, s.nullsFirst = !s.reverse, !s.nullsFirst
		}
		key := pathKeyFromSortInfo(root, te.Expr, s)
		if key != nil {
			if !PathKeyIsRedundant(key, out) {
				out = append(out, key)
			}
		} else if !constantBool(i) {
			break
		}
	}
	return out
}

// BuildPartitionPathKeys returns the order in which scanning the partitions one
// after the other gives the rows; partial says that later key columns are
// unordered (build_partition_pathkeys). exprs are the partition key's
// expressions over the relation.
func BuildPartitionPathKeys(root *rel.PlannerInfo, rl *rel.RelOptInfo, dir rel.ScanDirection, exprs []query.Expr) (keys []*rel.PathKey, partial bool) {
	for i, k := range rl.PartScheme.Key.Keys {
		back := dir == rel.Backward
		key := pathKeyFromSortInfo(root, exprs[i], sortInfo{
			family: k.Family, inType: k.InType, collation: k.Collation,
			reverse: back, nullsFirst: back, rel: rl.Relids,
		})
		if key == nil {
			return keys, true
		}
		if !PathKeyIsRedundant(key, keys) {
			keys = append(keys, key)
		}
	}
	return keys, false
}

// BuildExpressionPathKey returns the order by one expression and operator, nil
// if there is no such class and it may not be made (build_expression_pathkey).
func BuildExpressionPathKey(root *rel.PlannerInfo, e query.Expr, op pgtype.OID, rl query.Relids, create bool) []*rel.PathKey {
	family, inType, strategy, ok := root.Global.Catalog.OrderingOp(op)
	if !ok {
		return nil
	}
	back := strategy == catalog.BTGreater
	key := pathKeyFromSortInfo(root, e, sortInfo{
		family: family, inType: inType, collation: e.ResultCollation(),
		reverse: back, nullsFirst: back, rel: rl, create: create,
	})
	if key == nil {
		return nil
	}
	return []*rel.PathKey{key}
}

// SortClauseExpr returns the expression that a sort or group clause refers to.
func SortClauseExpr(c *query.SortGroupClause, tlist []*query.TargetEntry) query.Expr {
	for _, t := range tlist {
		if t.SortGroupRef == c.Ref {
			return t.Expr
		}
	}
	panic("prep: sort clause without target entry")
}

// SortClauseKeys is the result of [PathKeysForSortClauses].
type SortClauseKeys struct {
	Keys []*rel.PathKey
	// Clauses are the given ones, less the redundant ones if that was asked
	// for.
	Clauses []*query.SortGroupClause
	// Sortable is false if a clause had no ordering operator.
	Sortable bool
}

// PathKeysForSortClauses translates ORDER BY, GROUP BY or DISTINCT clauses
// (make_pathkeys_for_sortclauses_extended). setSortRef (since 17) notes the
// clause's reference in its class.
func PathKeysForSortClauses(root *rel.PlannerInfo, clauses []*query.SortGroupClause, tlist []*query.TargetEntry, removeRedundant, setSortRef bool) SortClauseKeys {
	out := SortClauseKeys{Sortable: true}
	for _, c := range clauses {
		e := SortClauseExpr(c, tlist)
		if c.SortOp == 0 {
			out.Sortable = false
			out.Clauses = append(out.Clauses, c)
			continue
		}
		key := pathKeyFromSortOp(root, e, c.SortOp, c.NullsFirst, c.Ref, true)
		if key == nil {
			out.Sortable = false
			out.Clauses = append(out.Clauses, c)
			continue
		}
		if setSortRef && key.EC.SortRef == 0 {
			key.EC.SortRef = c.Ref
		}
		switch {
		case !PathKeyIsRedundant(key, out.Keys):
			out.Keys = append(out.Keys, key)
			out.Clauses = append(out.Clauses, c)
		case !removeRedundant:
			out.Clauses = append(out.Clauses, c)
		}
	}
	return out
}

// varForSubqueryOutput returns the Var by which a relation passes on an output
// column of its subquery, nil if it does not (find_var_for_subquery_tle).
func varForSubqueryOutput(rl *rel.RelOptInfo, te *query.TargetEntry) *query.Var {
	if te.Junk {
		return nil
	}
	for _, e := range rl.Target.Exprs {
		if v, ok := e.(*query.Var); ok && v.AttNo == te.ResNo {
			return v
		}
	}
	return nil
}

// ConvertSubqueryPathKeys translates the order of a subquery's output into the
// outer query's terms (convert_subquery_pathkeys).
func ConvertSubqueryPathKeys(root *rel.PlannerInfo, rl *rel.RelOptInfo, subKeys []*rel.PathKey, subTargets []*query.TargetEntry) []*rel.PathKey {
	var out []*rel.PathKey
	for _, sub := range subKeys {
		best := bestOuterKey(root, rl, sub, subTargets, len(out))
		if best == nil {
			break
		}
		if !PathKeyIsRedundant(best, out) {
			out = append(out, best)
		}
	}
	return out
}

func bestOuterKey(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub *rel.PathKey, subTargets []*query.TargetEntry, have int) *rel.PathKey {
	ec := sub.EC
	if ec.HasVolatile {
		for _, te := range subTargets {
			if te.SortGroupRef != ec.SortRef || ec.SortRef == 0 {
				continue
			}
			v := varForSubqueryOutput(rl, te)
			if v == nil {
				return nil
			}
			outer := ECForSortExpr(root, v, ec.Families, ec.Members[0].DataType, ec.Collation, 0, rl.Relids, false)
			if outer == nil {
				return nil
			}
			return CanonicalPathKey(root, outer, sub.Family, sub.Strategy, sub.NullsFirst)
		}
		return nil
	}
	var best *rel.PathKey
	bestScore := -1
	for _, m := range ec.Members {
		if m.IsChild {
			continue
		}
		for _, te := range subTargets {
			v := varForSubqueryOutput(rl, te)
			if v == nil || !query.Equal(CanonicalizeECExpr(root, te.Expr, m.DataType, ec.Collation), m.Expr) {
				continue
			}
			outer := ECForSortExpr(root, v, ec.Families, m.DataType, ec.Collation, 0, rl.Relids, false)
			if outer == nil {
				continue
			}
			key := CanonicalPathKey(root, outer, sub.Family, sub.Strategy, sub.NullsFirst)
			score := len(outer.Members) - 1
			if have < len(root.QueryPathKeys) && root.QueryPathKeys[have] == key {
				score++
			}
			if score > bestScore {
				best, bestScore = key, score
			}
		}
	}
	return best
}

// BuildJoinPathKeys returns the order of a join's output: its outer input's,
// unless rows of the inner side are put in between (build_join_pathkeys).
func BuildJoinPathKeys(root *rel.PlannerInfo, joinRel *rel.RelOptInfo, jt query.JoinType, outer []*rel.PathKey) []*rel.PathKey {
	switch jt {
	case query.JoinFull, query.JoinRight, query.JoinRightAnti, query.JoinRightSemi:
		return nil
	}
	return TruncateUselessPathKeys(root, joinRel, outer)
}
