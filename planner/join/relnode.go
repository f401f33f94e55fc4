package join

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// buildJoinRel returns the relation that joins two others, made at its first
// use, and the clauses to check at this very join, which depend on the pair
// (build_join_rel, relnode.c). pushed are the outer joins below that this one
// completes.
func buildJoinRel(root *rel.PlannerInfo, relids query.Relids, outer, inner *rel.RelOptInfo, sj *rel.SpecialJoinInfo, pushed []*rel.SpecialJoinInfo) (*rel.RelOptInfo, []*rel.RestrictInfo) {
	if rl := prep.FindJoinRel(root, relids); rl != nil {
		return rl, restrictList(root, rl, outer, inner, sj)
	}
	rl := prep.NewRel(root, rel.JoinRel, relids)
	rl.RTEKind = query.RTEJoin
	rl.DirectLateral = outer.DirectLateral.Union(inner.DirectLateral)
	rl.LateralRelids = minParameterization(relids, outer, inner)

	addTargets(root, rl, outer, sj, pushed, sj.Type == query.JoinFull)
	addTargets(root, rl, inner, sj, pushed, sj.Type != query.JoinInner)
	prep.AddPlaceHoldersToJoinRel(root, rl, outer, inner)
	rl.DirectLateral = rl.DirectLateral.Minus(relids)

	restrict := restrictList(root, rl, outer, inner, sj)
	for _, in := range []*rel.RelOptInfo{outer, inner} {
		for _, r := range in.JoinInfo {
			if !r.RequiredRelids.IsSubset(relids) && !slices.Contains(rl.JoinInfo, r) {
				rl.JoinInfo = append(rl.JoinInfo, r)
			}
		}
	}
	rl.HasEClassJoins = prep.HasRelevantECJoinClause(root, rl)
	rl.Rows = joinSize(root, rl, outer, inner, outer.Rows, inner.Rows, sj, restrict)
	rl.ConsiderParallel = inner.ConsiderParallel && outer.ConsiderParallel &&
		!slices.ContainsFunc(restrict, func(r *rel.RestrictInfo) bool { return !eval.ParallelSafeIn(root, r.Clause) }) &&
		!slices.ContainsFunc(rl.Target.Exprs, func(e query.Expr) bool { return !eval.ParallelSafeIn(root, e) })

	root.JoinRels = append(root.JoinRels, rl)
	root.JoinRelIndex[relids] = rl
	if root.JoinLevels != nil {
		root.JoinLevels[root.JoinCurLevel] = append(root.JoinLevels[root.JoinCurLevel], rl)
	}
	return rl, restrict
}

// addTargets lets a join pass on what of an input is needed above it, marked as
// nullable by the join where it is (build_joinrel_tlist, relnode.c).
func addTargets(root *rel.PlannerInfo, rl, input *rel.RelOptInfo, sj *rel.SpecialJoinInfo, pushed []*rel.SpecialJoinInfo, canNull bool) {
	t := rl.Target
	width := t.Width
	// nulling adds the outer joins that null something of the given relations.
	nulling := func(at, by query.Relids) query.Relids {
		if sj.OJRelid != 0 && rl.Relids.Has(sj.OJRelid) &&
			(at.IsSubset(sj.SynRight) || sj.Type == query.JoinFull && at.IsSubset(sj.SynLeft)) {
			by = by.Add(sj.OJRelid)
		}
		for _, o := range pushed {
			if at.IsSubset(o.SynRight) {
				by = by.Add(o.OJRelid)
			}
		}
		return by.Union(sj.CommuteAboveR.Intersect(rl.Relids))
	}
	for _, e := range input.Target.Exprs {
		switch v := e.(type) {
		case *query.PlaceHolderVar:
			ph := prep.FindPlaceHolder(root, v)
			if ph.Needed.IsSubset(rl.Relids) {
				continue
			}
			if canNull {
				c := *v
				c.NullingRels = nulling(v.Rels, v.NullingRels)
				e = &c
			}
			width += ph.Width
		case *query.Var:
			base := prep.FindBaseRel(root, v.VarNo)
			at := v.AttNo - base.MinAttr
			if base.AttrNeeded[at].IsSubset(rl.Relids) {
				continue
			}
			width += base.AttrWidths[at]
			if canNull {
				c := *v
				c.NullingRels = nulling(query.MakeRelids(v.VarNo), v.NullingRels)
				e = &c
			}
		}
		t.Exprs = append(t.Exprs, e)
	}
	t.Width = cost.ClampWidth(width)
}

// restrictList returns the clauses that can first be checked where the two
// inputs meet (build_joinrel_restrictlist).
func restrictList(root *rel.PlannerInfo, rl, outer, inner *rel.RelOptInfo, sj *rel.SpecialJoinInfo) []*rel.RestrictInfo {
	both := outer.Relids.Union(inner.Relids)
	var out []*rel.RestrictInfo
	for _, in := range []*rel.RelOptInfo{outer, inner} {
		for _, r := range in.JoinInfo {
			if !r.RequiredRelids.IsSubset(rl.Relids) {
				continue
			}
			// Of the clones of a clause, the one that fits this order.
			if (r.HasClone || r.IsClone) && (!r.RequiredRelids.IsSubset(both) || r.IncompatRelids.Overlaps(both)) {
				continue
			}
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return append(out, prep.GenerateJoinImpliedEqualities(root, rl.Relids, outer.Relids, inner, sj)...)
}

// joinParamPathInfo returns the parameterisation of a join path, nil for none,
// and the clauses it has to check: those of the join, after those that the
// parameters make checkable (get_joinrel_parampathinfo, relnode.c).
func joinParamPathInfo(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer, inner rel.Path, sj *rel.SpecialJoinInfo, required query.Relids, restrict []*rel.RestrictInfo) (*rel.ParamPathInfo, []*rel.RestrictInfo) {
	if required.IsEmpty() {
		return nil, restrict
	}
	withReq := rl.Relids.Union(required)
	sideAndReq := func(p rel.Path) (relids, andReq query.Relids) {
		b := p.Base()
		if b.Param != nil {
			andReq = b.Parent.Relids.Union(b.Param.RequiredOuter)
		}
		return b.Parent.Relids, andReq
	}
	outerRelids, outerReq := sideAndReq(outer)
	innerRelids, innerReq := sideAndReq(inner)
	movable := prep.JoinClauseIsMovableInto

	var added []*rel.RestrictInfo
	for _, r := range rl.JoinInfo {
		if movable(r, rl.Relids, withReq) && !movable(r, outerRelids, outerReq) && !movable(r, innerRelids, innerReq) {
			added = append(added, r)
		}
	}
	var dropped []*rel.EquivalenceClass
	for _, r := range prep.GenerateJoinImpliedEqualities(root, withReq, required, rl, nil) {
		switch {
		case movable(r, outerRelids, outerReq):
		case movable(r, innerRelids, innerReq):
			// The inner side checks it; the outer side may have to equate
			// another member of the class.
			dropped = append(dropped, r.LeftEC)
		default:
			added = append(added, r)
		}
	}
	if len(dropped) > 0 {
		realReq := outerRelids.Union(required)
		for _, r := range prep.GenerateJoinImpliedEqualitiesForECs(root, dropped, realReq, required, outer.Base().Parent) {
			if !movable(r, outerRelids, outerReq) {
				added = append(added, r)
			}
		}
	}
	restrict = append(added, restrict...)
	if p := prep.FindParamPathInfo(rl, required); p != nil {
		return p, restrict
	}
	o, i := outer.Base(), inner.Base()
	rows := joinSize(root, rl, o.Parent, i.Parent, o.Rows, i.Rows, sj, restrict)
	p := &rel.ParamPathInfo{RequiredOuter: required, Rows: min(rows, rl.Rows)}
	rl.ParamPathInfos = append(rl.ParamPathInfos, p)
	return p, restrict
}
