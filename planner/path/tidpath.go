package path

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// ctidAttr is the attribute number of ctid (SelfItemPointerAttributeNumber).
const ctidAttr = -1

func isCTID(e query.Expr, rl *rel.RelOptInfo) bool {
	v, ok := e.(*query.Var)
	return ok && v.AttNo == ctidAttr && v.Typ == pgtype.TidOID && v.VarNo == rl.Index &&
		v.NullingRels.IsEmpty() && v.LevelsUp == 0
}

// tidStrategy returns what a clause says of the relation's ctid, as a btree
// strategy of its type; 0 if nothing of use (IsBinaryTidClause, tidpath.c).
func tidStrategy(root *rel.PlannerInfo, r *rel.RestrictInfo, rl *rel.RelOptInfo) int {
	op, ok := r.Clause.(*query.OpExpr)
	if !ok || len(op.Args) != 2 {
		return 0
	}
	var other query.Expr
	var relids query.Relids
	switch {
	case isCTID(op.Args[0], rl):
		other, relids = op.Args[1], r.RightRelids
	case isCTID(op.Args[1], rl):
		other, relids = op.Args[0], r.LeftRelids
	default:
		return 0
	}
	cat := root.Global.Catalog
	if relids.Has(rl.Index) || eval.ContainVolatile(cat, other) {
		return 0
	}
	oc := cat.DefaultOpClass(pgtype.TidOID, catalog.BTreeMethod)
	if oc == nil {
		return 0
	}
	return cat.OpFamilyStrategy(op.Op, oc.Family)
}

// tidQual reports whether a clause names rows by ctid (RestrictInfoIsTidQual).
func tidQual(root *rel.PlannerInfo, r *rel.RestrictInfo, rl *rel.RelOptInfo) bool {
	if r.PseudoConstant || !prep.SecurelyPromotable(r, rl) {
		return false
	}
	switch n := r.Clause.(type) {
	case *query.OpExpr:
		return tidStrategy(root, r, rl) == catalog.BTEqual
	case *query.ScalarArrayOpExpr:
		return n.UseOr && isCTID(n.Args[0], rl) && n.Op == root.Global.Catalog.EqualityOp(pgtype.TidOID) &&
			!eval.PullVarNos(root, n.Args[1]).Has(rl.Index) && !eval.ContainVolatile(root.Global.Catalog, n.Args[1])
	case *query.CurrentOfExpr:
		return n.VarNo == rl.Index
	}
	return false
}

// tidQuals finds the ctid conditions of a list, one clause or the arms of an OR
// (TidQualFromRestrictInfoList).
func tidQuals(root *rel.PlannerInfo, list []*rel.RestrictInfo, rl *rel.RelOptInfo) []*rel.RestrictInfo {
	var or []*rel.RestrictInfo
	var single *rel.RestrictInfo
	for _, r := range list {
		if r.OrClause == nil {
			if !tidQual(root, r, rl) {
				continue
			}
			if _, cursor := r.Clause.(*query.CurrentOfExpr); cursor {
				return []*rel.RestrictInfo{r}
			}
			if single == nil {
				single = r
			}
			continue
		}
		var found []*rel.RestrictInfo
		for _, arm := range r.OrClause.Arms {
			sub := tidQuals(root, arm.And, rl)
			if len(sub) == 0 {
				found = nil
				break
			}
			found = append(found, sub...)
		}
		if len(found) > 0 && (or == nil || len(found) < len(or)) {
			or = found
		}
	}
	if single != nil {
		return []*rel.RestrictInfo{single}
	}
	return or
}

// createTidScanPaths makes scans by ctid (create_tidscan_paths, tidpath.c).
func createTidScanPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	if quals := tidQuals(root, rl.BaseRestrict, rl); len(quals) > 0 {
		AddPath(rl, NewTidScan(root, rl, quals, rl.LateralRelids))
	}
	var ranges []*rel.RestrictInfo
	for _, r := range rl.BaseRestrict {
		if s := tidStrategy(root, r, rl); s != 0 && s != catalog.BTEqual {
			ranges = append(ranges, r)
		}
	}
	if len(ranges) > 0 {
		AddPath(rl, NewTidRangeScan(root, rl, ranges, rl.LateralRelids))
	}
	if rl.HasEClassJoins {
		parameterizedTids(root, rl, prep.GenerateImpliedEqualitiesForColumn(root, rl,
			func(_ *rel.EquivalenceClass, m *rel.EquivalenceMember) bool { return isCTID(m.Expr, rl) }, rl.LateralReferencers))
	}
	parameterizedTids(root, rl, rl.JoinInfo)
}

// parameterizedTids makes ctid scans out of join clauses
// (BuildParameterizedTidPaths).
func parameterizedTids(root *rel.PlannerInfo, rl *rel.RelOptInfo, clauses []*rel.RestrictInfo) {
	for _, r := range clauses {
		if r.PseudoConstant || !prep.SecurelyPromotable(r, rl) || tidStrategy(root, r, rl) != catalog.BTEqual ||
			!prep.JoinClauseIsMovableTo(r, rl) {
			continue
		}
		outer := r.RequiredRelids.Union(rl.LateralRelids).Remove(rl.Index)
		AddPath(rl, NewTidScan(root, rl, []*rel.RestrictInfo{r}, outer))
	}
}
