package upper

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// srfLevel is a target in a chain of them, of which each evaluates set-returning
// functions at its top level alone.
type srfLevel struct {
	target *rel.PathTarget
	srfs   bool
}

// srfItem is an expression that a level needs, with its sort reference.
type srfItem struct {
	e   query.Expr
	ref int
}

// srfSplit is the state of [splitAtSRFs] (split_pathtarget_context, tlist.c).
type srfSplit struct {
	input []query.Expr
	// By level: the set-returning calls that it evaluates, and the columns
	// and calls of lower levels that it needs.
	srfs, vars, needs [][]srfItem
	curVars, curSRFs  []srfItem
	depth, ref        int
}

// splitAtSRFs breaks a target into levels, so that a set-returning function in
// the argument of another, or inside an expression, is evaluated by a step of
// its own. What input has is taken from there (split_pathtarget_at_srfs,
// tlist.c).
func splitAtSRFs(root *rel.PlannerInfo, target, input *rel.PathTarget) []srfLevel {
	if target == input {
		return []srfLevel{{target, false}}
	}
	s := &srfSplit{srfs: make([][]srfItem, 1), vars: make([][]srfItem, 1), needs: make([][]srfItem, 1)}
	if input != nil {
		s.input = input.Exprs
	}
	deepest, extra := 0, false
	for i, e := range target.Exprs {
		s.ref, s.depth = prep.SortRef(target, i), 0
		s.walk(e)
		if s.depth == 0 {
			continue
		}
		if deepest < s.depth {
			deepest, extra = s.depth, false
		}
		if deepest == s.depth && !eval.IsSRF(e) {
			// The deepest level has a call below something else, which needs
			// one more step.
			extra = true
		}
	}
	if deepest == 0 {
		return []srfLevel{{target, false}}
	}
	if extra {
		s.srfs, s.vars, s.needs = append(s.srfs, nil), append(s.vars, s.curVars), append(s.needs, s.curSRFs)
	} else {
		s.vars[deepest] = append(s.vars[deepest], s.curVars...)
		s.needs[deepest] = append(s.needs[deepest], s.curSRFs...)
	}
	return s.levels(root, target)
}

func (s *srfSplit) levels(root *rel.PlannerInfo, target *rel.PathTarget) []srfLevel {
	var out []srfLevel
	var previous []query.Expr
	for level := range s.srfs {
		t := target
		if level < len(s.srfs)-1 {
			t = &rel.PathTarget{}
			for _, it := range s.srfs[level] {
				addItem(t, it)
			}
			for _, list := range s.vars[level+1:] {
				for _, it := range list {
					addItem(t, it)
				}
			}
			for _, list := range s.needs[level+1:] {
				for _, it := range list {
					// Evaluated further down and needed further up.
					if hasExpr(previous, it.e) {
						addItem(t, it)
					}
				}
			}
			prep.SetTargetCostWidth(root, t)
		}
		out = append(out, srfLevel{t, len(s.srfs[level]) > 0})
		previous = t.Exprs
	}
	return out
}

func hasExpr(list []query.Expr, e query.Expr) bool {
	for _, x := range list {
		if query.Equal(x, e) {
			return true
		}
	}
	return false
}

// addItem adds an item unless it is there with no other reference
// (add_sp_item_to_pathtarget, tlist.c).
func addItem(t *rel.PathTarget, it srfItem) {
	for i, e := range t.Exprs {
		ref := prep.SortRef(t, i)
		if it.ref != ref && it.ref != 0 && ref != 0 || !query.Equal(it.e, e) {
			continue
		}
		if it.ref != 0 {
			for len(t.SortRefs) < len(t.Exprs) {
				t.SortRefs = append(t.SortRefs, 0)
			}
			t.SortRefs[i] = it.ref
		}
		return
	}
	prep.AddToTarget(t, it.e, it.ref)
}

func (s *srfSplit) walk(e query.Expr) {
	if e == nil {
		return
	}
	if hasExpr(s.input, e) {
		s.curVars = append(s.curVars, srfItem{e, s.ref})
		return
	}
	switch e.(type) {
	case *query.Var, *query.PlaceHolderVar, *query.Aggref, *query.GroupingFunc, *query.WindowFunc:
		s.curVars = append(s.curVars, srfItem{e, s.ref})
		return
	}
	if !eval.IsSRF(e) {
		s.ref = 0
		for _, c := range query.Children(e) {
			s.walk(c)
		}
		return
	}
	item := srfItem{e, s.ref}
	vars, srfs, depth := s.curVars, s.curSRFs, s.depth
	s.curVars, s.curSRFs, s.depth, s.ref = nil, nil, 0, 0
	for _, c := range query.Children(e) {
		s.walk(c)
	}
	level := s.depth + 1
	if level >= len(s.srfs) {
		s.srfs, s.vars, s.needs = append(s.srfs, nil), append(s.vars, nil), append(s.needs, nil)
	}
	s.srfs[level] = append(s.srfs[level], item)
	s.vars[level] = append(s.vars[level], s.curVars...)
	s.needs[level] = append(s.needs[level], s.curSRFs...)
	s.curVars, s.curSRFs, s.depth = vars, append(srfs, item), max(depth, level)
}

// addSRFSteps puts the steps that evaluate set-returning functions on all paths
// of a relation (adjust_paths_for_srfs, planner.c).
func addSRFSteps(root *rel.PlannerInfo, rl *rel.RelOptInfo, levels []srfLevel) {
	if len(levels) == 1 {
		return
	}
	for i, old := range rl.Paths {
		p := old
		for _, l := range levels {
			if l.srfs {
				p = path.NewProjectSet(root, rl, p, l.target)
			} else {
				p = path.ApplyProjection(root, rl, p, l.target)
			}
		}
		rl.Paths[i] = p
		if old == rl.CheapestStartup {
			rl.CheapestStartup = p
		}
		if old == rl.CheapestTotal {
			rl.CheapestTotal = p
		}
	}
	for i, p := range rl.PartialPaths {
		for _, l := range levels {
			if l.srfs {
				p = path.NewProjectSet(root, rl, p, l.target)
			} else {
				p = path.NewProjection(root, rl, p, l.target)
			}
		}
		rl.PartialPaths[i] = p
	}
}
