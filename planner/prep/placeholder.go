package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// MakePlaceHolder wraps an expression so that it is computed no higher than the
// given relations, and becomes NULL with them (make_placeholder_expr,
// placeholder.c).
func MakePlaceHolder(root *rel.PlannerInfo, e query.Expr, relids query.Relids) *query.PlaceHolderVar {
	root.Global.LastPHID++
	return &query.PlaceHolderVar{
		Header: query.Header{Typ: e.ResultType(), Mod: e.ResultTypmod(), Coll: e.ResultCollation(), Loc: e.Span()},
		Arg:    e, Rels: relids, ID: root.Global.LastPHID,
	}
}

// FindPlaceHolder returns what is known of a PlaceHolderVar, entering it at its
// first sight (find_placeholder_info).
func FindPlaceHolder(root *rel.PlannerInfo, v *query.PlaceHolderVar) *rel.PlaceHolderInfo {
	for _, ph := range root.PlaceHolders {
		if ph.ID == v.ID {
			return ph
		}
	}
	if root.PlaceHoldersFrozen {
		panic("prep: too late for a new PlaceHolderInfo")
	}
	bare := *v
	bare.NullingRels = query.Relids{}
	used := eval.PullVarNos(root, v.Arg)
	ph := &rel.PlaceHolderInfo{
		ID: v.ID, Var: &bare,
		Lateral: used.Minus(v.Rels), EvalAt: used.Intersect(v.Rels),
		Width: cost.TypeWidth(root.Global.Catalog, v.Arg.ResultType(), v.Arg.ResultTypmod()),
	}
	if ph.EvalAt.IsEmpty() {
		ph.EvalAt = v.Rels
	}
	root.PlaceHolders = append(root.PlaceHolders, ph)
	findPlaceHolders(root, v.Arg)
	return ph
}

func findPlaceHolders(root *rel.PlannerInfo, e query.Expr) {
	if e == nil {
		return
	}
	for _, v := range eval.PullVars(e, joinVars) {
		if ph, ok := v.(*query.PlaceHolderVar); ok {
			FindPlaceHolder(root, ph)
		}
	}
}

// findPlaceHoldersInJoinTree enters the PlaceHolderVars of quals, so that outer
// joins know of them (find_placeholders_in_jointree).
func findPlaceHoldersInJoinTree(root *rel.PlannerInfo) {
	if root.Global.LastPHID == 0 {
		return
	}
	var walk func(query.JoinNode)
	walk = func(n query.JoinNode) {
		switch n := n.(type) {
		case *query.FromExpr:
			for _, c := range n.List {
				walk(c)
			}
			findPlaceHolders(root, n.Quals)
		case *query.JoinExpr:
			walk(n.Left)
			walk(n.Right)
			findPlaceHolders(root, n.Quals)
		}
	}
	walk(root.Parse.JoinTree)
}

// fixPlaceHolderInputs makes what placeholders are computed from available
// there (fix_placeholder_input_needed_levels).
func fixPlaceHolderInputs(root *rel.PlannerInfo) {
	for i := 0; i < len(root.PlaceHolders); i++ {
		ph := root.PlaceHolders[i]
		AddVarsToTarget(root, eval.PullVars(ph.Var.Arg, joinVars), ph.EvalAt)
	}
}

// addPlaceHoldersToBaseRels lets base relations compute the placeholders that
// they can (add_placeholders_to_base_rels).
func addPlaceHoldersToBaseRels(root *rel.PlannerInfo) {
	for _, ph := range root.PlaceHolders {
		if at, ok := ph.EvalAt.Single(); ok && !ph.Needed.IsSubset(ph.EvalAt) {
			rl := root.Rels[at]
			rl.Target.Exprs = append(rl.Target.Exprs, ph.Var)
		}
	}
}

// AddPlaceHoldersToJoinRel lets a join compute the placeholders that only it
// can (add_placeholders_to_joinrel).
func AddPlaceHoldersToJoinRel(root *rel.PlannerInfo, joinRel, outer, inner *rel.RelOptInfo) {
	for _, ph := range root.PlaceHolders {
		if !ph.EvalAt.IsSubset(joinRel.Relids) {
			continue
		}
		if !ph.Needed.IsSubset(joinRel.Relids) && !ph.EvalAt.IsSubset(outer.Relids) && !ph.EvalAt.IsSubset(inner.Relids) {
			t := joinRel.Target
			t.Exprs = append(t.Exprs, ph.Var)
			c := cost.QualEvalNode(root.Global, ph.Var.Arg)
			t.Cost.Startup += c.Startup
			t.Cost.PerTuple += c.PerTuple
			t.Width = cost.ClampWidth(t.Width + ph.Width)
		}
		joinRel.DirectLateral = joinRel.DirectLateral.Union(ph.Lateral)
	}
}

// containPlaceHolderReferences reports whether quals use a placeholder that an
// outer join can null (contain_placeholder_references_to).
func containPlaceHolderReferences(root *rel.PlannerInfo, quals []query.Expr, index int) bool {
	if root.Global.LastPHID == 0 {
		return false
	}
	found := false
	for _, q := range quals {
		query.WalkLevels(q, func(e query.Expr, depth int) bool {
			if ph, ok := e.(*query.PlaceHolderVar); ok && ph.LevelsUp == depth {
				found = found || ph.Rels.Has(index)
				return false
			}
			return !found
		})
	}
	return found
}
