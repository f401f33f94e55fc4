package prep

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// makeAppendRelInfo ties a child table to its parent, column by column name
// (make_append_rel_info and make_inh_translation_list, appendinfo.c).
func makeAppendRelInfo(parent, child *catalog.Table, parentIndex, childIndex int) *rel.AppendRelInfo {
	info := &rel.AppendRelInfo{
		Parent: parentIndex, Child: childIndex, ParentType: parent.RowType, ChildType: child.RowType,
		Vars: make([]query.Expr, len(parent.Columns)),
	}
	for i, c := range parent.Columns {
		if c.Dropped {
			continue
		}
		if cc := child.Column(c.Name); cc != nil {
			info.Vars[i] = &query.Var{
				Header: query.Header{Typ: cc.Type, Mod: cc.Typmod, Coll: cc.Collation},
				VarNo:  childIndex, AttNo: cc.Number, SynNo: childIndex, SynAttNo: cc.Number,
			}
		}
	}
	return info
}

// AdjustAppendRelAttrs returns an expression over a parent relation as one over
// a child (adjust_appendrel_attrs).
func AdjustAppendRelAttrs(root *rel.PlannerInfo, e query.Expr, info *rel.AppendRelInfo) query.Expr {
	replaced := eval.ReplaceVars(e, info.Parent, func(v *query.Var) query.Expr {
		switch {
		case v.AttNo > 0:
			to := info.Vars[v.AttNo-1]
			if w, ok := to.(*query.Var); ok {
				c := *w
				c.NullingRels, c.Loc = v.NullingRels, v.Loc
				return &c
			}
			if !v.NullingRels.IsEmpty() {
				return eval.AddNullingRels(to, query.Relids{}, v.NullingRels)
			}
			return to
		case v.AttNo == 0 && info.ChildType != 0:
			c := *v
			c.VarNo, c.Typ = info.Child, info.ChildType
			if info.ChildType == info.ParentType {
				return &c
			}
			return &query.ConvertRowtypeExpr{
				Header: query.Header{Typ: info.ParentType, Mod: -1, Loc: v.Loc}, Arg: &c, Form: query.CoerceImplicitCast,
			}
		}
		c := *v
		c.VarNo, c.SynNo = info.Child, info.Child
		return &c
	})
	return query.Transform(replaced, func(x query.Expr) (query.Expr, bool) {
		ph, ok := x.(*query.PlaceHolderVar)
		if !ok || !ph.Rels.Has(info.Parent) {
			return nil, false
		}
		c := *ph
		c.Rels = ph.Rels.Remove(info.Parent).Add(info.Child)
		c.Arg = AdjustAppendRelAttrs(root, ph.Arg, info)
		return &c, true
	})
}

// AdjustAppendRelAttrsMultilevel does so from the topmost parent down to a
// child (adjust_appendrel_attrs_multilevel).
func AdjustAppendRelAttrsMultilevel(root *rel.PlannerInfo, e query.Expr, child *rel.RelOptInfo) query.Expr {
	if child.ParentRel == nil {
		return e
	}
	e = AdjustAppendRelAttrsMultilevel(root, e, child.ParentRel)
	return AdjustAppendRelAttrs(root, e, root.Append[child.Index])
}

// AdjustRestrictInfo is [AdjustAppendRelAttrs] for a clause with what is known
// of it; cached numbers are dropped, for the child's statistics differ.
func AdjustRestrictInfo(root *rel.PlannerInfo, r *rel.RestrictInfo, info *rel.AppendRelInfo) *rel.RestrictInfo {
	c := *r
	c.Clause = AdjustAppendRelAttrs(root, r.Clause, info)
	swap := func(s query.Relids) query.Relids {
		if !s.Has(info.Parent) {
			return s
		}
		return s.Remove(info.Parent).Add(info.Child)
	}
	c.ClauseRelids, c.RequiredRelids = swap(r.ClauseRelids), swap(r.RequiredRelids)
	c.OuterRelids, c.LeftRelids, c.RightRelids = swap(r.OuterRelids), swap(r.LeftRelids), swap(r.RightRelids)
	if r.OrClause != nil {
		or := &rel.OrClause{}
		for _, a := range r.OrClause.Arms {
			arm := rel.OrArm{IsAnd: a.IsAnd}
			for _, x := range a.And {
				arm.And = append(arm.And, AdjustRestrictInfo(root, x, info))
			}
			or.Arms = append(or.Arms, arm)
		}
		c.OrClause = or
	}
	c.HasCost = false
	c.NormSel, c.OuterSel = -1, -1
	c.LeftBucketSize, c.RightBucketSize, c.LeftMCVFreq, c.RightMCVFreq = -1, -1, -1, -1
	c.LeftEM, c.RightEM, c.ScanSelCache = nil, nil, nil
	return &c
}
