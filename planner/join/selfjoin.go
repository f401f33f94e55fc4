package join

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// noteSelfJoins marks the plan as approximate where PostgreSQL 18 may drop a
// join of a table with itself on a unique key (remove_useless_self_joins,
// analyzejoins.c), which is not done here.
func noteSelfJoins(root *rel.PlannerInfo) {
	if !root.Global.Version(18) || !root.Global.Settings.EnableSelfJoinElimination {
		return
	}
	for i, a := range root.Rels {
		if a == nil || a.Kind != rel.BaseRel || a.Table == nil {
			continue
		}
		for _, b := range root.Rels[i+1:] {
			if b == nil || b.Kind != rel.BaseRel || b.Table != a.Table {
				continue
			}
			if slices.ContainsFunc(a.Indexes, func(x *rel.IndexOptInfo) bool { return x.Unique && joinedOn(root, a, b, x) }) {
				root.Global.Approximate("a join of " + a.Table.Name + " with itself on a unique key: its elimination")
				return
			}
		}
	}
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
