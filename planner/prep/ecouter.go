package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// reconsiderOuterJoinClauses pushes "outer = constant" through outer join
// clauses to the nullable side, as long as anything new follows, and hands the
// clauses that stay to their relations (reconsider_outer_join_clauses,
// equivclass.c).
func reconsiderOuterJoinClauses(root *rel.PlannerInfo) {
	retire := func(r *rel.RestrictInfo) {
		if !root.Global.Version(16) {
			// The clause itself stays, but lets everything through.
			r.NormSel, r.OuterSel = 2, 1
			distributeRestrictInfo(root, r)
			return
		}
		// TRUE takes the clause's place, so that the join still knows it has
		// a clause between its sides.
		distributeRestrictInfo(root, MakeRestrictInfo(root, eval.BoolConst(true), ClauseInfo{
			PushedDown: r.PushedDown, HasClone: r.HasClone, IsClone: r.IsClone,
			Required: r.RequiredRelids, Incompat: r.IncompatRelids, Outer: r.OuterRelids,
		}))
	}
	for found := true; found; {
		found = false
		pass := func(list *[]*rel.OuterJoinClause, try func(*rel.OuterJoinClause) bool) {
			for _, oj := range slices.Clone(*list) {
				if try(oj) {
					found = true
					*list = slices.DeleteFunc(*list, func(o *rel.OuterJoinClause) bool { return o == oj })
					retire(oj.RInfo)
				}
			}
		}
		pass(&root.LeftJoinClauses, func(oj *rel.OuterJoinClause) bool { return reconsiderOneSided(root, oj, true) })
		pass(&root.RightJoinClauses, func(oj *rel.OuterJoinClause) bool { return reconsiderOneSided(root, oj, false) })
		pass(&root.FullJoinClauses, func(oj *rel.OuterJoinClause) bool { return reconsiderFull(root, oj) })
	}
	for _, list := range [][]*rel.OuterJoinClause{root.LeftJoinClauses, root.RightJoinClauses, root.FullJoinClauses} {
		for _, oj := range list {
			distributeRestrictInfo(root, oj.RInfo)
		}
	}
}

func constClassFor(root *rel.PlannerInfo, r *rel.RestrictInfo, match func(*rel.EquivalenceMember) bool) (*rel.EquivalenceClass, int) {
	op := r.Clause.(*query.OpExpr)
	for _, ec := range root.ECs {
		if !ec.HasConst || ec.HasVolatile || ec.Collation != op.InputColl || !slices.Equal(r.MergeFamilies, ec.Families) {
			continue
		}
		if i := slices.IndexFunc(ec.Members, match); i >= 0 {
			return ec, i
		}
	}
	return nil, -1
}

func reconsiderOneSided(root *rel.PlannerInfo, oj *rel.OuterJoinClause, outerOnLeft bool) bool {
	r := oj.RInfo
	op := r.Clause.(*query.OpExpr)
	o := root.Global.Catalog.Operator(op.Op)
	outer, inner, innerType, innerRelids := op.Args[0], op.Args[1], o.Right, r.RightRelids
	if !outerOnLeft {
		outer, inner, innerType, innerRelids = op.Args[1], op.Args[0], o.Left, r.LeftRelids
	}
	ec, _ := constClassFor(root, r, func(m *rel.EquivalenceMember) bool { return query.Equal(outer, m.Expr) })
	if ec == nil {
		return false
	}
	return equateWithConsts(root, ec, inner, innerType, innerRelids, oj.SJInfo.SynRight)
}

// equateWithConsts enters "expr = constant" for each constant of a class into
// the classes of the join domain below the given relations.
func equateWithConsts(root *rel.PlannerInfo, ec *rel.EquivalenceClass, e query.Expr, typ pgtype.OID, relids, side query.Relids) bool {
	match := false
	for _, m := range slices.Clone(ec.Members) {
		if !m.IsConst {
			continue
		}
		eq := selectEqualityOperator(root, ec, typ, m.DataType)
		if eq == 0 {
			continue
		}
		fresh := buildImpliedJoinEquality(root, eq, ec.Collation, e, m.Expr, relids, ec.MinSecurity)
		if processEquivalence(root, &fresh, findJoinDomain(root, side)) {
			match = true
		}
	}
	return match
}

func reconsiderFull(root *rel.PlannerInfo, oj *rel.OuterJoinClause) bool {
	r := oj.RInfo
	op := r.Clause.(*query.OpExpr)
	o := root.Global.Catalog.Operator(op.Op)
	self := query.MakeRelids(oj.SJInfo.OJRelid)
	ec, at := constClassFor(root, r, func(m *rel.EquivalenceMember) bool {
		c, ok := m.Expr.(*query.CoalesceExpr)
		return ok && len(c.Args) == 2 &&
			query.Equal(op.Args[0], eval.RemoveNullingRels(c.Args[0], self, query.Relids{})) &&
			query.Equal(op.Args[1], eval.RemoveNullingRels(c.Args[1], self, query.Relids{}))
	})
	if ec == nil {
		return false
	}
	left := equateWithConsts(root, ec, op.Args[0], o.Left, r.LeftRelids, oj.SJInfo.SynLeft)
	right := equateWithConsts(root, ec, op.Args[1], o.Right, r.RightRelids, oj.SJInfo.SynRight)
	if left && right {
		ec.Members = slices.Delete(ec.Members, at, at+1)
		return true
	}
	return false
}

// findJoinDomain returns the first domain within the given relations
// (find_join_domain).
func findJoinDomain(root *rel.PlannerInfo, relids query.Relids) *rel.JoinDomain {
	for _, d := range root.JoinDomains {
		if d.Relids.IsSubset(relids) {
			return d
		}
	}
	panic("prep: no join domain for " + relids.String())
}

// matchECToForeignKeyColumn returns the class that equates a foreign key column
// with the column it refers to (match_eclasses_to_foreign_key_col); nil if
// none.
func matchECToForeignKeyColumn(root *rel.PlannerInfo, fk *rel.ForeignKeyOptInfo, col int) *rel.EquivalenceClass {
	con, ref := root.Rels[fk.ConRelID], root.Rels[fk.RefRelID]
	for i := range con.EClassIndexes.Intersect(ref.EClassIndexes).All() {
		ec := root.ECs[i]
		if ec.HasVolatile {
			continue
		}
		var m1, m2 *rel.EquivalenceMember
		for _, m := range ec.Members {
			if m.IsChild {
				continue
			}
			v, ok := stripRelabel(m.Expr).(*query.Var)
			switch {
			case !ok:
			case v.VarNo == fk.ConRelID && v.AttNo == fk.ConKey[col]:
				m1 = m
			case v.VarNo == fk.RefRelID && v.AttNo == fk.RefKey[col]:
				m2 = m
			}
			if m1 != nil && m2 != nil {
				break
			}
		}
		if m1 != nil && m2 != nil && slices.Equal(root.Global.Catalog.MergeJoinFamilies(fk.EqOps[col]), ec.Families) {
			fk.EClass[col], fk.ECMember[col] = ec, m2
			return ec
		}
	}
	return nil
}
