package prep

import (
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// processEquivalence enters an equality into the equivalence classes and
// reports whether the classes now stand for it. It may replace the clause: x = x
// becomes x IS NOT NULL (process_equivalence, equivclass.c).
func processEquivalence(root *rel.PlannerInfo, p **rel.RestrictInfo, domain *rel.JoinDomain) bool {
	r := *p
	if r.SecurityLevel > 0 && !r.LeakProof {
		return false
	}
	cat := root.Global.Catalog
	op := r.Clause.(*query.OpExpr)
	o := cat.Operator(op.Op)
	left := CanonicalizeECExpr(root, op.Args[0], op.Args[0].ResultType(), op.InputColl)
	right := CanonicalizeECExpr(root, op.Args[1], op.Args[1].ResultType(), op.InputColl)
	if query.Equal(left, right) {
		if f := cat.Func(o.Func); f != nil && f.Strict {
			test := &query.NullTest{
				Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod, Loc: op.Loc},
				Arg:    left, Not: true,
			}
			*p = MakeRestrictInfo(root, test, ClauseInfo{
				PushedDown: r.PushedDown, HasClone: r.HasClone, IsClone: r.IsClone,
				PseudoConstant: r.PseudoConstant, SecurityLevel: r.SecurityLevel,
				Incompat: r.IncompatRelids, Outer: r.OuterRelids,
			})
		}
		return false
	}
	var ec1, ec2 *rel.EquivalenceClass
	var em1, em2 *rel.EquivalenceMember
	for _, ec := range root.ECs {
		if ec.HasVolatile || ec.Collation != op.InputColl || !slices.Equal(r.MergeFamilies, ec.Families) {
			continue
		}
		for _, m := range ec.Members {
			if m.IsConst && m.JoinDomain != domain {
				continue
			}
			if ec1 == nil && m.DataType == o.Left && query.Equal(left, m.Expr) {
				ec1, em1 = ec, m
			}
			if ec2 == nil && m.DataType == o.Right && query.Equal(right, m.Expr) {
				ec2, em2 = ec, m
			}
			if ec1 != nil && ec2 != nil {
				break
			}
		}
		if ec1 != nil && ec2 != nil {
			break
		}
	}
	switch {
	case ec1 != nil && ec2 != nil:
		if ec1 != ec2 {
			mergeClasses(root, ec1, ec2)
		}
	case ec1 != nil:
		em2 = addMember(ec1, right, r.RightRelids, domain, nil, o.Right)
	case ec2 != nil:
		ec1 = ec2
		em1 = addMember(ec1, left, r.LeftRelids, domain, nil, o.Left)
	default:
		ec1 = &rel.EquivalenceClass{
			Families: r.MergeFamilies, Collation: op.InputColl,
			MinSecurity: r.SecurityLevel, MaxSecurity: r.SecurityLevel,
		}
		em1 = addMember(ec1, left, r.LeftRelids, domain, nil, o.Left)
		em2 = addMember(ec1, right, r.RightRelids, domain, nil, o.Right)
		root.ECs = append(root.ECs, ec1)
	}
	ec1.Sources = append(ec1.Sources, r)
	ec1.MinSecurity = min(ec1.MinSecurity, r.SecurityLevel)
	ec1.MaxSecurity = max(ec1.MaxSecurity, r.SecurityLevel)
	r.LeftEC, r.RightEC = ec1, ec1
	r.LeftEM, r.RightEM = em1, em2
	return true
}

// mergeClasses moves everything of b into a and takes b off the list.
func mergeClasses(root *rel.PlannerInfo, a, b *rel.EquivalenceClass) {
	if root.ECMergingDone {
		panic("prep: too late to merge equivalence classes")
	}
	a.Members = append(a.Members, b.Members...)
	a.Sources = append(a.Sources, b.Sources...)
	a.Derives = append(a.Derives, b.Derives...)
	a.Relids = a.Relids.Union(b.Relids)
	a.HasConst = a.HasConst || b.HasConst
	a.MinSecurity = min(a.MinSecurity, b.MinSecurity)
	a.MaxSecurity = max(a.MaxSecurity, b.MaxSecurity)
	*b = rel.EquivalenceClass{Merged: a, Families: b.Families, Collation: b.Collation}
	root.ECs = slices.DeleteFunc(root.ECs, func(ec *rel.EquivalenceClass) bool { return ec == b })
}

// CanonicalizeECExpr returns an expression relabelled to the type and collation
// that a class works in (canonicalize_ec_expression).
func CanonicalizeECExpr(root *rel.PlannerInfo, e query.Expr, typ, collation pgtype.OID) query.Expr {
	have := e.ResultType()
	if t := root.Global.Catalog.Type(typ); typ == pgtype.RecordOID || t != nil && t.Kind == 'p' {
		typ = have
	}
	if have == typ && e.ResultCollation() == collation {
		return e
	}
	mod := pgtype.NoTypmod
	if have == typ {
		mod = e.ResultTypmod()
	}
	return eval.ApplyRelabel(e, typ, mod, collation)
}

func addMember(ec *rel.EquivalenceClass, e query.Expr, relids query.Relids, domain *rel.JoinDomain, parent *rel.EquivalenceMember, typ pgtype.OID) *rel.EquivalenceMember {
	m := &rel.EquivalenceMember{
		Expr: e, Relids: relids, IsChild: parent != nil, DataType: typ, JoinDomain: domain, Parent: parent,
	}
	switch {
	case relids.IsEmpty():
		m.IsConst, ec.HasConst = true, true
	case parent == nil:
		ec.Relids = ec.Relids.Union(relids)
	}
	ec.Members = append(ec.Members, m)
	return m
}

// ECForSortExpr returns the class of a sort expression, making one with that
// single member if there is none and create is set
// (get_eclass_for_sort_expr).
func ECForSortExpr(root *rel.PlannerInfo, e query.Expr, families []pgtype.OID, inType, collation pgtype.OID, sortRef int, rl query.Relids, create bool) *rel.EquivalenceClass {
	e = CanonicalizeECExpr(root, e, inType, collation)
	domain := root.JoinDomains[0]
	for _, ec := range root.ECs {
		if ec.HasVolatile && (sortRef == 0 || sortRef != ec.SortRef) {
			continue
		}
		if ec.Collation != collation || !slices.Equal(families, ec.Families) {
			continue
		}
		for _, m := range ec.Members {
			if m.IsChild && m.Relids != rl || m.IsConst && m.JoinDomain != domain {
				continue
			}
			if m.DataType == inType && query.Equal(e, m.Expr) {
				return ec
			}
		}
	}
	if !create {
		return nil
	}
	ec := &rel.EquivalenceClass{
		Families: families, Collation: collation, SortRef: sortRef, MinSecurity: math.MaxInt,
		HasVolatile: eval.ContainVolatile(root.Global.Catalog, e),
	}
	m := addMember(ec, e, eval.PullVarNos(root, e), domain, nil, inType)
	if ec.HasConst && (ec.HasVolatile || eval.ContainSRF(e) || eval.ContainAggs(e) || eval.ContainWindowFuncs(e)) {
		ec.HasConst, m.IsConst = false, false
	}
	root.ECs = append(root.ECs, ec)
	if root.ECMergingDone {
		for i := range ec.Relids.All() {
			if rl := root.Rels[i]; rl != nil {
				rl.EClassIndexes = rl.EClassIndexes.Add(len(root.ECs) - 1)
			}
		}
	}
	return ec
}

func stripRelabel(e query.Expr) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			return e
		}
		e = r.Arg
	}
}

// FindECMemberMatchingExpr returns the member that is an expression, but for
// relabelling; nil if none (find_ec_member_matching_expr).
func FindECMemberMatchingExpr(ec *rel.EquivalenceClass, e query.Expr, relids query.Relids) *rel.EquivalenceMember {
	e = stripRelabel(e)
	for _, m := range ec.Members {
		if m.IsConst || m.IsChild && !m.Relids.IsSubset(relids) {
			continue
		}
		if query.Equal(stripRelabel(m.Expr), e) {
			return m
		}
	}
	return nil
}

// FindComputableECMember returns a member that can be computed from the given
// expressions' columns; nil if none (find_computable_ec_member).
func FindComputableECMember(root *rel.PlannerInfo, ec *rel.EquivalenceClass, exprs []query.Expr, relids query.Relids, parallelSafe bool) *rel.EquivalenceMember {
	const flags = eval.IncludeAggregates | eval.IncludeWindowFuncs | eval.IncludePlaceHolders
	var have []query.Expr
	for _, e := range exprs {
		have = append(have, eval.PullVars(e, flags)...)
	}
	for _, m := range ec.Members {
		if m.IsConst || m.IsChild && !m.Relids.IsSubset(relids) {
			continue
		}
		missing := slices.ContainsFunc(eval.PullVars(m.Expr, flags), func(v query.Expr) bool {
			return !slices.ContainsFunc(have, func(h query.Expr) bool { return query.Equal(h, v) })
		})
		if missing || parallelSafe && !eval.ParallelSafe(root.Global, m.Expr) {
			continue
		}
		return m
	}
	return nil
}

// RelationCanBeSortedEarly reports whether a relation's output can be sorted by
// a class before the upper target list is computed
// (relation_can_be_sorted_early).
func RelationCanBeSortedEarly(root *rel.PlannerInfo, rl *rel.RelOptInfo, ec *rel.EquivalenceClass, parallelSafe bool) bool {
	if ec.HasVolatile {
		return false
	}
	for _, e := range rl.Target.Exprs {
		m := FindECMemberMatchingExpr(ec, e, rl.Relids)
		if m == nil || eval.ContainSRF(m.Expr) || parallelSafe && !eval.ParallelSafe(root.Global, m.Expr) {
			continue
		}
		return true
	}
	m := FindComputableECMember(root, ec, rl.Target.Exprs, rl.Relids, parallelSafe)
	return m != nil && !eval.ContainSRF(m.Expr)
}

// generateBaseImpliedEqualities makes the restrictions that follow from the
// classes for single relations, after all equalities are known
// (generate_base_implied_equalities).
func generateBaseImpliedEqualities(root *rel.PlannerInfo) {
	root.ECMergingDone = true
	for i, ec := range root.ECs {
		joins := false
		if len(ec.Members) > 1 {
			if ec.HasConst {
				impliedWithConst(root, ec)
			} else {
				impliedWithoutConst(root, ec)
			}
			if ec.Broken {
				impliedBroken(root, ec)
			}
			joins = ec.Relids.Len() > 1
		}
		for at := range ec.Relids.All() {
			rl := root.Rels[at]
			if rl == nil {
				continue // an outer join
			}
			rl.EClassIndexes = rl.EClassIndexes.Add(i)
			rl.HasEClassJoins = rl.HasEClassJoins || joins
		}
	}
}

func impliedWithConst(root *rel.PlannerInfo, ec *rel.EquivalenceClass) {
	if len(ec.Members) == 2 && len(ec.Sources) == 1 {
		// A lone "x = constant" is used as written.
		distributeRestrictInfo(root, ec.Sources[0])
		return
	}
	var konst *rel.EquivalenceMember
	for _, m := range ec.Members {
		if m.IsConst {
			konst = m
			if _, ok := m.Expr.(*query.Const); ok {
				break
			}
		}
	}
	for _, m := range ec.Members {
		if m == konst {
			continue
		}
		eq := selectEqualityOperator(root, ec, m.DataType, konst.DataType)
		if eq == 0 {
			ec.Broken = true
			return
		}
		r := processImpliedEquality(root, eq, ec.Collation, m.Expr, konst.Expr, konst.JoinDomain.Relids, ec.MinSecurity, m.IsConst)
		if r != nil && r.MergeFamilies != nil {
			r.LeftEC, r.RightEC = ec, ec
			r.LeftEM, r.RightEM = m, konst
			ec.Derives = append(ec.Derives, r)
		}
	}
}

func impliedWithoutConst(root *rel.PlannerInfo, ec *rel.EquivalenceClass) {
	prev := map[int]*rel.EquivalenceMember{}
	for _, m := range ec.Members {
		at, ok := m.Relids.Single()
		if !ok {
			continue
		}
		if p := prev[at]; p != nil {
			eq := selectEqualityOperator(root, ec, p.DataType, m.DataType)
			if eq == 0 {
				ec.Broken = true
				break
			}
			r := processImpliedEquality(root, eq, ec.Collation, p.Expr, m.Expr, m.Relids, ec.MinSecurity, false)
			if r != nil && r.MergeFamilies != nil {
				r.LeftEC, r.RightEC = ec, ec
				r.LeftEM, r.RightEM = p, m
			}
		}
		prev[at] = m
	}
	for _, m := range ec.Members {
		AddVarsToTarget(root, eval.PullVars(m.Expr, joinVars), ec.Relids)
	}
}

func impliedBroken(root *rel.PlannerInfo, ec *rel.EquivalenceClass) {
	for _, r := range ec.Sources {
		if ec.HasConst || r.RequiredRelids.Len() <= 1 {
			distributeRestrictInfo(root, r)
		}
	}
}

// selectEqualityOperator picks the class's equality for two types
// (select_equality_operator); 0 if it has none.
func selectEqualityOperator(root *rel.PlannerInfo, ec *rel.EquivalenceClass, left, right pgtype.OID) pgtype.OID {
	cat := root.Global.Catalog
	for _, f := range ec.Families {
		op := cat.OpFamilyMember(f, left, right, catalog.BTEqual)
		if op == 0 {
			continue
		}
		if ec.MaxSecurity == 0 {
			return op
		}
		if fn := cat.Func(cat.Operator(op).Func); fn != nil && fn.LeakProof {
			return op
		}
	}
	return 0
}
