package plan

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// replaceOuter puts parameters in place of the columns that an enclosing nested
// loop supplies (replace_nestloop_params).
func (c *creator) replaceOuter(root *rel.PlannerInfo, e query.Expr) query.Expr {
	st := c.outer[root]
	if st == nil || st.rels.IsEmpty() {
		return e
	}
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch x := x.(type) {
		case *query.Var:
			if x.LevelsUp == 0 && st.rels.Has(x.VarNo) {
				return c.nestParam(root, x), true
			}
		case *query.PlaceHolderVar:
			if x.LevelsUp == 0 && prep.FindPlaceHolder(root, x).EvalAt.IsSubset(st.rels) {
				return c.nestParam(root, x), true
			}
		}
		return nil, false
	})
}

func (c *creator) replaceOuterList(root *rel.PlannerInfo, list []query.Expr) []query.Expr {
	out := make([]query.Expr, len(list))
	for i, e := range list {
		out[i] = c.replaceOuter(root, e)
	}
	return out
}

// nestParam is the parameter by which a value reaches the inner side
// (replace_nestloop_param_var, paramassign.c). Numbers start behind those that
// the planner handed out itself, which are the only ones EXPLAIN prints.
func (c *creator) nestParam(root *rel.PlannerInfo, v query.Expr) *query.Param {
	st := c.outer[root]
	h := query.Header{Typ: v.ResultType(), Mod: v.ResultTypmod(), Coll: v.ResultCollation(), Loc: v.Span()}
	for _, p := range st.params {
		if sameNestValue(p.Value, v) {
			return &query.Param{Header: h, Kind: query.ParamExec, Number: p.ParamID}
		}
	}
	id := c.nextParam
	c.nextParam++
	st.params = append(st.params, &rel.NestLoopParam{ParamID: id, Value: v})
	return &query.Param{Header: h, Kind: query.ParamExec, Number: id}
}

func sameNestValue(a, b query.Expr) bool {
	if x, ok := a.(*query.PlaceHolderVar); ok {
		y, ok := b.(*query.PlaceHolderVar)
		return ok && x.ID == y.ID
	}
	return query.Equal(a, b)
}

// subqueryParams enters the values that a LATERAL subquery takes from this level
// (process_subquery_nestloop_params, paramassign.c).
func (c *creator) subqueryParams(root *rel.PlannerInfo, params []*rel.PlannerParam) {
	st := c.outer[root]
	for _, p := range params {
		known := false
		for _, q := range st.params {
			known = known || q.ParamID == p.ParamID
		}
		supplied := false
		switch v := p.Item.(type) {
		case *query.Var:
			supplied = st.rels.Has(v.VarNo)
		case *query.PlaceHolderVar:
			supplied = prep.FindPlaceHolder(root, v).EvalAt.IsSubset(st.rels)
		}
		if !known && supplied {
			st.params = append(st.params, &rel.NestLoopParam{ParamID: p.ParamID, Value: p.Item})
		}
	}
}

// takeParams are the parameters that a nested loop with these outer relations
// supplies; they are the level's no longer (identify_current_nestloop_params,
// paramassign.c).
func (c *creator) takeParams(root *rel.PlannerInfo, outer *rel.RelOptInfo) []*rel.NestLoopParam {
	st := c.outer[root]
	left := outer.Relids
	var mine, rest []*rel.NestLoopParam
	for _, p := range st.params {
		take := false
		switch v := p.Value.(type) {
		case *query.Var:
			take = left.Has(v.VarNo)
		case *query.PlaceHolderVar:
			take = prep.FindPlaceHolder(root, v).EvalAt.IsSubset(left)
		}
		if take {
			mine = append(mine, p)
		} else {
			rest = append(rest, p)
		}
	}
	st.params = rest
	return mine
}
