package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// rebuildNeeded works out anew where columns and placeholders are needed, after
// a join was dropped whose own clauses no longer count (since 18: the end of
// remove_rel_from_query, analyzejoins.c). What the query itself returns stays.
func rebuildNeeded(root *rel.PlannerInfo) {
	onlyOutput := func(s query.Relids) query.Relids { return s.Intersect(finalOutput) }
	for _, rl := range root.Rels {
		if rl == nil {
			continue
		}
		for i, s := range rl.AttrNeeded {
			rl.AttrNeeded[i] = onlyOutput(s)
		}
	}
	for _, ph := range root.PlaceHolders {
		ph.Needed = onlyOutput(ph.Needed)
	}
	for _, ph := range root.PlaceHolders {
		addNeeded(root, eval.PullVars(ph.Var.Arg, joinVars), ph.EvalAt)
	}
	seen := map[*rel.RestrictInfo]bool{}
	for _, rl := range root.Rels {
		if rl == nil || rl.Kind != rel.BaseRel {
			continue
		}
		for _, r := range rl.JoinInfo {
			if seen[r] || r.RequiredRelids.Len() < 2 {
				continue
			}
			seen[r] = true
			needed := r.RequiredRelids
			if r.IsClone {
				needed = needed.Intersect(root.AllBaseRels)
			}
			addNeeded(root, eval.PullVars(r.Clause, joinVars), needed)
		}
	}
	for _, ec := range root.ECs {
		if len(ec.Members) < 2 || ec.HasConst {
			continue
		}
		for _, m := range ec.Members {
			addNeeded(root, eval.PullVars(m.Expr, joinVars), ec.Relids)
		}
	}
	for _, rl := range root.Rels {
		if rl != nil && len(rl.LateralVars) > 0 {
			addNeeded(root, rl.LateralVars, query.MakeRelids(rl.Index))
		}
	}
}

// addNeeded is [AddVarsToTarget] for columns that are in the targets already
// (add_vars_to_attr_needed).
func addNeeded(root *rel.PlannerInfo, vars []query.Expr, needed query.Relids) {
	for _, e := range vars {
		switch v := e.(type) {
		case *query.Var:
			if rl := root.Rels[v.VarNo]; !needed.IsSubset(rl.Relids) {
				at := v.AttNo - rl.MinAttr
				rl.AttrNeeded[at] = rl.AttrNeeded[at].Union(needed)
			}
		case *query.PlaceHolderVar:
			ph := FindPlaceHolder(root, v)
			ph.Needed = ph.Needed.Union(needed)
		}
	}
}
