package prep

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// getForeignKeys lists the foreign keys from a relation to others of the query
// (get_relation_foreign_keys, plancat.c).
func getForeignKeys(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	if rl.Kind != rel.BaseRel || len(root.Parse.RangeTable) < 2 || rte.Inherit {
		return
	}
	for _, con := range rl.Table.Constraints {
		if con.Kind != catalog.ConstraintForeign {
			continue
		}
		for i, other := range root.Parse.RangeTable {
			at := i + 1
			if other.Kind != query.RTERelation || other.Relation != con.RefTable || other.Inherit || at == rl.Index {
				continue
			}
			n := len(con.Columns)
			root.ForeignKeys = append(root.ForeignKeys, &rel.ForeignKeyOptInfo{
				Con: con, ConRelID: rl.Index, RefRelID: at, NKeys: n,
				ConKey: con.Columns, RefKey: con.RefColumns, EqOps: con.EqOps,
				EClass: make([]*rel.EquivalenceClass, n), ECMember: make([]*rel.EquivalenceMember, n),
				RInfos: make([][]*rel.RestrictInfo, n),
			})
		}
	}
}

// matchForeignKeysToQuals keeps the foreign keys that the query joins on in
// full (match_foreign_keys_to_quals, initsplan.c).
func matchForeignKeysToQuals(root *rel.PlannerInfo) {
	cat := root.Global.Catalog
	var keep []*rel.ForeignKeyOptInfo
	for _, fk := range root.ForeignKeys {
		con, ref := root.Rels[fk.ConRelID], root.Rels[fk.RefRelID]
		if con == nil || ref == nil || con.Kind != rel.BaseRel || ref.Kind != rel.BaseRel {
			continue
		}
		for col := range fk.NKeys {
			if ec := matchECToForeignKeyColumn(root, fk, col); ec != nil {
				fk.NMatchedEC++
				if ec.HasConst {
					fk.NConstEC++
				}
				continue
			}
			for _, r := range con.JoinInfo {
				op, ok := r.Clause.(*query.OpExpr)
				if !ok || len(op.Args) != 2 {
					continue
				}
				l, lok := stripRelabel(op.Args[0]).(*query.Var)
				v, rok := stripRelabel(op.Args[1]).(*query.Var)
				if !lok || !rok {
					continue
				}
				is := func(x *query.Var, varno, attno int) bool { return x.VarNo == varno && x.AttNo == attno }
				var want pgtype.OID
				switch {
				case is(l, fk.RefRelID, fk.RefKey[col]) && is(v, fk.ConRelID, fk.ConKey[col]):
					want = fk.EqOps[col]
				case is(v, fk.RefRelID, fk.RefKey[col]) && is(l, fk.ConRelID, fk.ConKey[col]):
					if o := cat.Operator(fk.EqOps[col]); o != nil {
						want = o.Commutator
					}
				}
				if want != 0 && op.Op == want {
					fk.RInfos[col] = append(fk.RInfos[col], r)
					fk.NMatchedRInfos++
				}
			}
			if len(fk.RInfos[col]) > 0 {
				fk.NMatchedRColumns++
			}
		}
		if fk.NMatchedEC+fk.NMatchedRColumns == fk.NKeys {
			keep = append(keep, fk)
		}
	}
	root.ForeignKeys = keep
}
