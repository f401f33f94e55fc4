package path

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// ExcludedByConstraints reports whether a relation can give no row: a
// restriction is constantly not true, or, as constraint_exclusion allows,
// restrictions contradict each other or the table's constraints
// (relation_excluded_by_constraints, plancat.c).
func ExcludedByConstraints(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	g := root.Global
	rte := root.RTEs[rl.Index]
	if len(rl.BaseRestrict) == 0 {
		return false
	}
	// Up to 16 only a lone clause is looked at, into which folding would have
	// turned the others.
	if len(rl.BaseRestrict) == 1 || g.Version(17) {
		for _, r := range rl.BaseRestrict {
			if eval.IsFalseOrNull(r.Clause) {
				return true
			}
		}
	}
	partition := false
	switch cost.ParamsOf(g).ConstraintExclusion {
	case "off":
		return false
	case "on":
		partition = rl.Kind == rel.BaseRel
	default:
		if rl.Kind != rel.OtherMemberRel {
			return false
		}
	}
	var restrictions []query.Expr
	for _, r := range rl.BaseRestrict {
		if !eval.ContainMutable(g.Catalog, r.Clause) {
			restrictions = append(restrictions, r.Clause)
		}
	}
	if PredicateRefutedBy(root, restrictions, restrictions, true) {
		return true
	}
	if rte.Kind != query.RTERelation || rl.Table == nil {
		return false
	}
	if partition && rl.Table.IsPartition {
		g.Approximate("the bound of partition " + rl.Table.Name + " is not held against the restrictions")
	}
	inh := inherits(root, rl)
	constraints := tableConstraints(root, rl, !inh, !inh || rl.Table.Kind == catalog.KindPartitioned)
	return PredicateRefutedBy(root, constraints, restrictClauses(rl.BaseRestrict), false)
}

// tableConstraints lists what a table's CHECK and NOT NULL constraints promise
// (get_relation_constraints, plancat.c).
func tableConstraints(root *rel.PlannerInfo, rl *rel.RelOptInfo, noInherit, notNull bool) []query.Expr {
	g := root.Global
	var out []query.Expr
	for _, c := range rl.Table.Constraints {
		if c.Kind != catalog.ConstraintCheck || !c.Validated || c.NoInherit && !noInherit {
			continue
		}
		if c.Expr == nil {
			g.Approximate("the constraint " + c.Name + " was not understood")
			continue
		}
		e := eval.Fold(g, eval.ChangeVarNo(c.Expr, 1, rl.Index))
		for _, x := range eval.AndList(e) {
			if !eval.ContainMutable(g.Catalog, x) {
				out = append(out, x)
			}
		}
	}
	if !notNull {
		return out
	}
	for _, col := range rl.Table.Columns {
		if !col.NotNull || col.Dropped {
			continue
		}
		v := &query.Var{
			Header: query.Header{Typ: col.Type, Mod: col.Typmod, Coll: col.Collation},
			VarNo:  rl.Index, AttNo: col.Number, SynNo: rl.Index, SynAttNo: col.Number,
		}
		out = append(out, &query.NullTest{
			Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod}, Arg: v, Not: true,
		})
	}
	return out
}
