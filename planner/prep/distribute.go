package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// joinVars is what a clause needs of the relations below it.
const joinVars = eval.RecurseAggregates | eval.RecurseWindowFuncs | eval.IncludePlaceHolders

// qualContext says where quals were written and what they may do.
type qualContext struct {
	sj       *rel.SpecialJoinInfo
	level    int
	scope    query.Relids
	ojScope  query.Relids
	nonnull  query.Relids
	incompat query.Relids
	allowEC  bool
	hasClone bool
	isClone  bool
	postpone *[]query.Expr
}

func (d *deconstructor) quals(list []query.Expr, it *joinItem, ctx qualContext) {
	for _, q := range list {
		d.qual(q, it, ctx)
	}
}

// qual decides what one qual is: an equality for the classes, a clause of an
// outer join, a restriction or a join clause (distribute_qual_to_rels,
// initsplan.c).
func (d *deconstructor) qual(clause query.Expr, it *joinItem, ctx qualContext) {
	root := d.root
	relids := eval.PullVarNos(root, clause)
	if !relids.IsSubset(ctx.scope) {
		// A lateral reference: the qual belongs to a join further up.
		for p := it.parent; p != nil; p = p.parent {
			if relids.IsSubset(p.scope) {
				p.lateral = append(p.lateral, clause)
				return
			}
		}
		panic("prep: no place for a qual with a lateral reference")
	}
	info := ClauseInfo{
		HasClone: ctx.hasClone, IsClone: ctx.isClone, SecurityLevel: ctx.level,
		Incompat: ctx.incompat, Outer: ctx.nonnull,
	}
	if relids.IsEmpty() {
		switch {
		case !ctx.ojScope.IsEmpty():
			relids = ctx.ojScope
		case eval.ContainVolatile(root.Global.Catalog, clause):
			relids = ctx.scope
		default:
			relids = ctx.scope
			if it.domain == root.JoinDomains[0] {
				relids = it.domain.Relids
			}
			info.PseudoConstant = true
			root.HasPseudoConstQuals = true
		}
	}
	maybeEC, maybeOuter := false, false
	if relids.Overlaps(ctx.nonnull) {
		if ctx.postpone != nil {
			*ctx.postpone = append(*ctx.postpone, clause)
			return
		}
		maybeOuter = true
		relids = ctx.ojScope
	} else {
		info.PushedDown = true
		if redundantNullTest(root, clause) {
			return
		}
		maybeEC = ctx.allowEC
	}
	info.Required = relids
	r := MakeRestrictInfo(root, clause, info)
	if relids.Len() > 1 {
		needed := relids
		if ctx.isClone {
			needed = relids.Intersect(root.AllBaseRels)
		}
		AddVarsToTarget(root, eval.PullVars(clause, joinVars), needed)
	}
	checkMergeJoinable(root, r)
	if r.MergeFamilies != nil {
		switch {
		case maybeEC:
			if processEquivalence(root, &r, it.domain) {
				return
			}
			if r.MergeFamilies != nil {
				InitializeMergeClauseECs(root, r)
			}
		case maybeOuter && r.CanJoin:
			InitializeMergeClauseECs(root, r)
			oj := &rel.OuterJoinClause{RInfo: r, SJInfo: ctx.sj}
			switch {
			case r.LeftRelids.IsSubset(ctx.nonnull) && !r.RightRelids.Overlaps(ctx.nonnull):
				root.LeftJoinClauses = append(root.LeftJoinClauses, oj)
				return
			case r.RightRelids.IsSubset(ctx.nonnull) && !r.LeftRelids.Overlaps(ctx.nonnull):
				root.RightJoinClauses = append(root.RightJoinClauses, oj)
				return
			case ctx.sj.Type == query.JoinFull:
				root.FullJoinClauses = append(root.FullJoinClauses, oj)
				return
			}
		default:
			InitializeMergeClauseECs(root, r)
		}
	}
	distributeRestrictInfo(root, r)
}

// redundantNullTest reports whether "x IS NULL" says again what an anti join
// ensures (check_redundant_nullability_qual).
func redundantNullTest(root *rel.PlannerInfo, clause query.Expr) bool {
	v := eval.ForcedNullVar(clause)
	if v == nil || v.NullingRels.IsEmpty() {
		return false
	}
	return slices.ContainsFunc(root.JoinInfoList, func(sj *rel.SpecialJoinInfo) bool {
		return sj.Type == query.JoinAnti && sj.OJRelid != 0 && v.NullingRels.Has(sj.OJRelid)
	})
}

// distributeRestrictInfo hangs a clause on its relation, or on all relations
// that it joins (distribute_restrictinfo_to_rels).
func distributeRestrictInfo(root *rel.PlannerInfo, r *rel.RestrictInfo) {
	if at, ok := r.RequiredRelids.Single(); ok {
		addBaseClause(root, root.Rels[at], r)
		return
	}
	checkHashJoinable(root, r)
	checkMemoizable(root, r)
	AddJoinClauseToRels(root, r, r.RequiredRelids)
}

// AddJoinClauseToRels lists a join clause with every base relation that it
// needs (add_join_clause_to_rels, joininfo.c).
func AddJoinClauseToRels(root *rel.PlannerInfo, r *rel.RestrictInfo, relids query.Relids) {
	if root.Global.Version(17) {
		if alwaysTrue(root, r) {
			return
		}
		r = falseIfAlwaysFalse(root, r)
	}
	for i := range relids.All() {
		if rl := root.Rels[i]; rl != nil {
			rl.JoinInfo = append(rl.JoinInfo, r)
		}
	}
}

// addBaseClause hangs a restriction on its relation. From 17 on, one that NOT
// NULL columns decide is left out or becomes FALSE (add_base_clause_to_rel).
func addBaseClause(root *rel.PlannerInfo, rl *rel.RelOptInfo, r *rel.RestrictInfo) {
	rte := root.RTEs[rl.Index]
	if root.Global.Version(17) && (!rte.Inherit || rte.RelKind == 'p') {
		if alwaysTrue(root, r) {
			return
		}
		r = falseIfAlwaysFalse(root, r)
	}
	rl.BaseRestrict = append(rl.BaseRestrict, r)
	rl.BaseMinSecurity = min(rl.BaseMinSecurity, r.SecurityLevel)
}

func falseIfAlwaysFalse(root *rel.PlannerInfo, r *rel.RestrictInfo) *rel.RestrictInfo {
	if !alwaysFalse(root, r) {
		return r
	}
	serial, last := r.Serial, root.LastRInfoSerial
	r = MakeRestrictInfo(root, eval.BoolConst(false), ClauseInfo{
		PushedDown: r.PushedDown, HasClone: r.HasClone, IsClone: r.IsClone, PseudoConstant: r.PseudoConstant,
		Required: r.RequiredRelids, Incompat: r.IncompatRelids, Outer: r.OuterRelids,
	})
	r.Serial, root.LastRInfoSerial = serial, last
	return r
}

// nonNullable reports whether a column cannot be NULL here
// (expr_is_nonnullable).
func nonNullable(root *rel.PlannerInfo, e query.Expr) bool {
	v, ok := e.(*query.Var)
	if !ok || !v.NullingRels.IsEmpty() {
		return false
	}
	return v.AttNo < 0 || v.AttNo > 0 && root.Rels[v.VarNo].NotNullAttrs.Has(v.AttNo)
}

// alwaysTrue and alwaysFalse are restriction_is_always_true and _false.
func alwaysTrue(root *rel.PlannerInfo, r *rel.RestrictInfo) bool {
	if r.HasClone || r.IsClone {
		return false
	}
	if n, ok := r.Clause.(*query.NullTest); ok {
		return n.Not && !n.ArgIsRow && nonNullable(root, n.Arg)
	}
	return r.OrClause != nil && slices.ContainsFunc(r.OrClause.Arms, func(a rel.OrArm) bool {
		return !a.IsAnd && alwaysTrue(root, a.And[0])
	})
}

func alwaysFalse(root *rel.PlannerInfo, r *rel.RestrictInfo) bool {
	if r.HasClone || r.IsClone {
		return false
	}
	if n, ok := r.Clause.(*query.NullTest); ok {
		return !n.Not && !n.ArgIsRow && nonNullable(root, n.Arg)
	}
	return r.OrClause != nil && !slices.ContainsFunc(r.OrClause.Arms, func(a rel.OrArm) bool {
		return a.IsAnd || !alwaysFalse(root, a.And[0])
	})
}

// processImpliedEquality makes and distributes "a = b" as a class implies it;
// nil if it is the constant TRUE (process_implied_equality).
func processImpliedEquality(root *rel.PlannerInfo, op, collation pgtype.OID, a, b query.Expr, scope query.Relids, level int, bothConst bool) *rel.RestrictInfo {
	var clause query.Expr = MakeOpClause(root, op, a, b, collation)
	if bothConst {
		clause = eval.Fold(root.Global, clause)
		if isTrue(clause) {
			return nil
		}
	}
	info := ClauseInfo{PushedDown: true, SecurityLevel: level}
	relids := eval.PullVarNos(root, clause)
	if relids.IsEmpty() {
		relids = domainMinRels(root, scope)
		info.PseudoConstant = true
		root.HasPseudoConstQuals = true
	}
	info.Required = relids
	r := MakeRestrictInfo(root, clause, info)
	if relids.Len() > 1 {
		AddVarsToTarget(root, eval.PullVars(clause, joinVars), relids)
	}
	checkMergeJoinable(root, r)
	distributeRestrictInfo(root, r)
	return r
}

// MakeOpClause makes a boolean operator expression (make_opclause).
func MakeOpClause(root *rel.PlannerInfo, op pgtype.OID, a, b query.Expr, collation pgtype.OID) *query.OpExpr {
	o := root.Global.Catalog.Operator(op)
	return &query.OpExpr{
		Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod, Loc: a.Span().Union(b.Span())},
		Op:     op, Func: o.Func, InputColl: collation, Args: []query.Expr{a, b},
	}
}

// buildImpliedJoinEquality makes "a = b" as a join clause
// (build_implied_join_equality).
func buildImpliedJoinEquality(root *rel.PlannerInfo, op, collation pgtype.OID, a, b query.Expr, scope query.Relids, level int) *rel.RestrictInfo {
	r := MakeRestrictInfo(root, MakeOpClause(root, op, a, b, collation), ClauseInfo{
		PushedDown: true, SecurityLevel: level, Required: scope,
	})
	checkMergeJoinable(root, r)
	checkHashJoinable(root, r)
	checkMemoizable(root, r)
	return r
}

// domainMinRels drops the outer joins and nullable sides below a domain, where
// a constant qual would do no good (get_join_domain_min_rels).
func domainMinRels(root *rel.PlannerInfo, relids query.Relids) query.Relids {
	if relids == root.AllQueryRels {
		return relids
	}
	for _, sj := range root.JoinInfoList {
		if sj.Type == query.JoinLeft && relids.Has(sj.OJRelid) {
			relids = relids.Remove(sj.OJRelid).Minus(sj.SynRight)
		}
	}
	return relids
}

func checkMergeJoinable(root *rel.PlannerInfo, r *rel.RestrictInfo) {
	left, _, ok := Sides(r.Clause)
	if r.PseudoConstant || !ok {
		return
	}
	cat := root.Global.Catalog
	op := r.Clause.(*query.OpExpr).Op
	if cat.CanMergeJoin(op, left.ResultType()) && !eval.ContainVolatile(cat, r.Clause) {
		r.MergeFamilies = cat.MergeJoinFamilies(op)
	}
}

func checkHashJoinable(root *rel.PlannerInfo, r *rel.RestrictInfo) {
	left, _, ok := Sides(r.Clause)
	if r.PseudoConstant || !ok {
		return
	}
	cat := root.Global.Catalog
	op := r.Clause.(*query.OpExpr).Op
	if cat.CanHashJoin(op, left.ResultType()) && !eval.ContainVolatile(cat, r.Clause) {
		r.HashOp = op
	}
}

func checkMemoizable(root *rel.PlannerInfo, r *rel.RestrictInfo) {
	left, right, ok := Sides(r.Clause)
	if r.PseudoConstant || !ok {
		return
	}
	cat := root.Global.Catalog
	hashable := func(typ pgtype.OID) pgtype.OID {
		if !cat.HasHash(typ) {
			return 0
		}
		return cat.EqualityOp(typ)
	}
	r.LeftHashEqOp = hashable(left.ResultType())
	r.RightHashEqOp = hashable(right.ResultType())
}
