package join

import (
	"cmp"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// noteSelfJoins looks for joins of a table with itself on a unique key, which
// PostgreSQL 18 drops; here the plan becomes approximate. The search makes the
// equalities of each pair, and clauses once made are used by the joins that
// follow (remove_useless_self_joins, analyzejoins.c).
func noteSelfJoins(root *rel.PlannerInfo, list *prep.JoinList) {
	if !root.Global.Version(18) || !root.Global.Settings.EnableSelfJoinElimination || len(list.Subs) < 2 && list.Subs[0].Rel > 0 {
		return
	}
	var rels []*rel.RelOptInfo
	for _, item := range list.Subs {
		if item.Rel == 0 {
			noteSelfJoins(root, item)
			continue
		}
		rte := root.RTEs[item.Rel]
		if rl := root.Rels[item.Rel]; rte.Kind == query.RTERelation && rl.Table.Kind == catalog.KindTable && rte.Sample == nil && item.Rel != root.Parse.ResultRelation {
			rels = append(rels, rl)
		}
	}
	slices.SortFunc(rels, func(a, b *rel.RelOptInfo) int {
		return cmp.Or(cmp.Compare(a.Table.OID, b.Table.OID), cmp.Compare(a.Index, b.Index))
	})
	for i, a := range rels {
		for _, b := range rels[i+1:] {
			if b.Table != a.Table {
				break
			}
			if slices.ContainsFunc(root.JoinInfoList, func(sj *rel.SpecialJoinInfo) bool { return between(sj, a, b) }) {
				continue
			}
			equal := prep.GenerateJoinImpliedEqualities(root, a.Relids.Union(b.Relids), a.Relids, b, nil)
			if len(equal) > 0 && slices.ContainsFunc(a.Indexes, func(x *rel.IndexOptInfo) bool { return x.Unique && joinedOn(root, a, b, x) }) {
				root.Global.Approximate("a join of " + a.Table.Name + " with itself on a unique key: its elimination")
			}
		}
	}
}

// between reports whether two relations stand on different sides of an outer
// join.
func between(sj *rel.SpecialJoinInfo, a, b *rel.RelOptInfo) bool {
	return sj.SynLeft.Has(a.Index) != sj.SynLeft.Has(b.Index) || sj.SynRight.Has(a.Index) != sj.SynRight.Has(b.Index)
}

// joinedOn reports whether the columns of an index are equal between two
// references to its table.
func joinedOn(root *rel.PlannerInfo, a, b *rel.RelOptInfo, x *rel.IndexOptInfo) bool {
	has := func(ec *rel.EquivalenceClass, rl *rel.RelOptInfo, col int) bool {
		return slices.ContainsFunc(ec.Members, func(m *rel.EquivalenceMember) bool {
			v, ok := m.Expr.(*query.Var)
			return ok && v.VarNo == rl.Index && v.AttNo == col
		})
	}
	for _, col := range x.Keys[:x.NKeyCols] {
		if col == 0 || !slices.ContainsFunc(root.ECs, func(ec *rel.EquivalenceClass) bool {
			return has(ec, a, col) && has(ec, b, col)
		}) {
			return false
		}
	}
	return true
}
