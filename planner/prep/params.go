package prep

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// NewExecParam hands out an executor parameter (generate_new_exec_param,
// paramassign.c).
func NewExecParam(root *rel.PlannerInfo, typ pgtype.OID, mod pgtype.Typmod, coll pgtype.OID) *query.Param {
	p := &query.Param{
		Header: query.Header{Typ: typ, Mod: mod, Coll: coll}, Kind: query.ParamExec, Number: root.Global.NParamExec,
	}
	root.Global.NParamExec++
	return p
}

// SpecialExecParam hands out the number of a parameter that holds no value
// (assign_special_exec_param).
func SpecialExecParam(root *rel.PlannerInfo) int {
	n := root.Global.NParamExec
	root.Global.NParamExec++
	return n
}

// replaceCorrelation replaces references to outer query levels by parameters
// that those levels supply (SS_replace_correlation_vars, subselect.c).
func replaceCorrelation(root *rel.PlannerInfo, e query.Expr) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch n := x.(type) {
		case *query.Var:
			if n.LevelsUp > 0 {
				return outerParam(root, n, n.LevelsUp, func(item query.Expr) bool {
					v, ok := item.(*query.Var)
					return ok && v.VarNo == n.VarNo && v.AttNo == n.AttNo && v.Typ == n.Typ && v.Mod == n.Mod &&
						v.Coll == n.Coll && v.NullingRels == n.NullingRels
				}), true
			}
		case *query.PlaceHolderVar:
			if n.LevelsUp > 0 {
				return outerParam(root, n, n.LevelsUp, func(item query.Expr) bool {
					ph, ok := item.(*query.PlaceHolderVar)
					return ok && ph.ID == n.ID
				}), true
			}
		case *query.Aggref:
			if n.LevelsUp > 0 {
				return outerParam(root, n, n.LevelsUp, nil), true
			}
		case *query.GroupingFunc:
			if n.LevelsUp > 0 {
				return outerParam(root, n, n.LevelsUp, nil), true
			}
		}
		return nil, false
	})
}

// outerParam returns the parameter for an outer value; same tells whether one
// that is there already is the same (replace_outer_var and its kin).
func outerParam(root *rel.PlannerInfo, e query.Expr, levels int, same func(query.Expr) bool) *query.Param {
	up := root
	for range levels {
		up = up.Parent
	}
	h := query.Header{Typ: e.ResultType(), Mod: e.ResultTypmod(), Coll: e.ResultCollation(), Loc: e.Span()}
	if same != nil {
		for _, p := range up.PlanParams {
			if same(p.Item) {
				return &query.Param{Header: h, Kind: query.ParamExec, Number: p.ParamID}
			}
		}
	}
	id := SpecialExecParam(root)
	up.PlanParams = append(up.PlanParams, &rel.PlannerParam{Item: eval.IncrementLevels(e, -levels, 0), ParamID: id})
	return &query.Param{Header: h, Kind: query.ParamExec, Number: id}
}

// IdentifyOuterParams notes the parameters that levels above supply
// (SS_identify_outer_params).
func IdentifyOuterParams(root *rel.PlannerInfo) {
	var out query.Relids
	for p := root.Parent; p != nil; p = p.Parent {
		for _, pp := range p.PlanParams {
			out = out.Add(pp.ParamID)
		}
		for _, ip := range p.InitPlans {
			for _, id := range ip.SetParams {
				out = out.Add(id)
			}
		}
		if p.WTParamID >= 0 {
			out = out.Add(p.WTParamID)
		}
	}
	root.OuterParams = out
}
