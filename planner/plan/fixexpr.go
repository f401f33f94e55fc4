package plan

import (
	"math"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// A Var above a scan refers to a column of a node's input. Its VarNo names the
// node and the input, so that it means the same wherever it is printed.
const (
	outerVar = iota
	innerVar
	indexVar
	specialVars

	specialBase = 1 << 24
)

// combineStep is the bit of an aggregation step that combines states
// (AGGSPLITOP_COMBINE).
const combineStep = 1

// special is the Var of a column of a node's input, of the type of e.
func special(n *Node, which, col int, e query.Expr) *query.Var {
	return &query.Var{
		Header: query.Header{Typ: e.ResultType(), Mod: e.ResultTypmod(), Coll: e.ResultCollation(), Loc: e.Span()},
		VarNo:  specialBase + n.id*specialVars + which, AttNo: col,
	}
}

// isSpecial takes such a VarNo apart.
func isSpecial(varno int) (node, which int, ok bool) {
	if varno < specialBase {
		return 0, 0, false
	}
	return (varno - specialBase) / specialVars, (varno - specialBase) % specialVars, true
}

// input is what an expression may refer to: the output of a node below.
type input struct {
	list  []*query.TargetEntry
	owner *Node
	which int
}

// fixer makes the expressions of one node refer to its inputs.
type fixer struct {
	c      *creator
	root   *rel.PlannerInfo
	n      *Node
	offset int
	// loose: a column that no input supplies is a column of the table that
	// the node changes.
	loose bool
}

func (f *fixer) lenient(input) *fixer {
	g := *f
	g.loose = true
	return &g
}

// scanExpr is fix_scan_expr: columns stay what they are, in the numbering of
// the whole statement.
func (f *fixer) scanExpr(e query.Expr, calls float64) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch x := x.(type) {
		case *query.Var:
			return f.moved(x), true
		case *query.PlaceHolderVar:
			return f.scanExpr(x.Arg, calls), true
		case *query.AlternativeSubPlan:
			return f.scanExpr(f.choose(x, calls), calls), true
		case *query.Aggref:
			if p := f.minMaxParam(x); p != nil {
				return p, true
			}
		}
		return nil, false
	})
}

func (f *fixer) moved(v *query.Var) *query.Var {
	if _, _, ok := isSpecial(v.VarNo); ok || v.VarNo <= 0 {
		return v
	}
	w := *v
	w.VarNo += f.offset
	return &w
}

// expr is fix_join_expr and fix_upper_expr: what an input supplies is its
// column.
func (f *fixer) expr(e query.Expr, calls float64, in ...input) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch x := x.(type) {
		case *query.Var:
			if _, _, ok := isSpecial(x.VarNo); ok {
				return x, true
			}
			for _, i := range in {
				if r := i.findVar(x); r != nil {
					return r, true
				}
			}
			if !f.loose {
				f.c.g.NotSupported("a column that the plan below " + f.n.Kind.String() + " does not supply")
			}
			return f.moved(x), true
		case *query.PlaceHolderVar:
			for _, i := range in {
				if r := i.findPlaceHolder(x); r != nil {
					return r, true
				}
			}
			return f.expr(x.Arg, calls, in...), true
		case *query.Const:
			return x, true
		}
		for _, i := range in {
			if r := i.findExpr(x); r != nil {
				return r, true
			}
		}
		switch x := x.(type) {
		case *query.Aggref:
			if p := f.minMaxParam(x); p != nil {
				return p, true
			}
		case *query.AlternativeSubPlan:
			return f.expr(f.choose(x, calls), calls, in...), true
		}
		return nil, false
	})
}

func (i input) findVar(v *query.Var) query.Expr {
	for _, t := range i.list {
		if w, ok := t.Expr.(*query.Var); ok && w.VarNo == v.VarNo && w.AttNo == v.AttNo {
			return special(i.owner, i.which, t.ResNo, v)
		}
	}
	return nil
}

func (i input) findPlaceHolder(p *query.PlaceHolderVar) query.Expr {
	for _, t := range i.list {
		if w, ok := t.Expr.(*query.PlaceHolderVar); ok && w.ID == p.ID {
			return special(i.owner, i.which, t.ResNo, p)
		}
	}
	return nil
}

func (i input) findExpr(e query.Expr) query.Expr {
	for _, t := range i.list {
		switch t.Expr.(type) {
		case *query.Var, *query.Const:
			continue
		}
		if query.Equal(t.Expr, e) {
			return special(i.owner, i.which, t.ResNo, e)
		}
	}
	return nil
}

func (f *fixer) exprs(list []query.Expr, calls float64, in ...input) []query.Expr {
	out := make([]query.Expr, len(list))
	for i, e := range list {
		out[i] = f.expr(e, calls, in...)
	}
	return out
}

func (f *fixer) scanExprs(list []query.Expr, calls float64) []query.Expr {
	out := make([]query.Expr, len(list))
	for i, e := range list {
		out[i] = f.scanExpr(e, calls)
	}
	return out
}

func (f *fixer) targets(list []*query.TargetEntry, calls float64, in ...input) []*query.TargetEntry {
	out := cloneTargets(list)
	for _, t := range out {
		t.Expr = f.expr(t.Expr, calls, in...)
	}
	return out
}

func (f *fixer) scanTargets(list []*query.TargetEntry) []*query.TargetEntry {
	out := cloneTargets(list)
	for _, t := range out {
		t.Expr = f.scanExpr(t.Expr, f.n.Rows)
	}
	return out
}

// choose picks the cheaper of two subplans for as many calls, the later one of
// equals (fix_alternative_subplan).
func (f *fixer) choose(a *query.AlternativeSubPlan, calls float64) query.Expr {
	var best *query.SubPlan
	least := math.Inf(1)
	for _, e := range a.Plans {
		s, ok := e.(*query.SubPlan)
		if !ok {
			continue
		}
		f.c.alternative[s.PlanID] = true
		if k := s.StartupCost + float64(calls*s.PerCallCost); best == nil || k <= least {
			best, least = s, k
		}
	}
	if best == nil {
		f.c.g.NotSupported("an EXISTS without a plan")
		return &query.Const{Header: a.Header, Null: true}
	}
	f.c.chosen[best.PlanID] = true
	return best
}

// minMaxParam is the InitPlan's output that stands for a MIN or MAX
// (find_minmax_agg_replacement_param).
func (f *fixer) minMaxParam(a *query.Aggref) query.Expr {
	aggs := f.c.minMax[f.root]
	if len(aggs) == 0 || len(a.Args) != 1 {
		return nil
	}
	for _, m := range aggs {
		if m.Func == a.Func && query.Equal(m.Target, a.Args[0].Expr) {
			return m.Param
		}
	}
	return nil
}

// combining points the aggregates of a combining step at the partial ones below
// (convert_combining_aggrefs).
func (f *fixer) combining() {
	n := f.n
	turn := func(e query.Expr) query.Expr {
		return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
			a, ok := x.(*query.Aggref)
			if !ok {
				return nil, false
			}
			for _, t := range n.outer.tlist {
				below, ok := t.Expr.(*query.Aggref)
				if !ok || !sameAggregate(a, below) {
					continue
				}
				up := *a
				up.Split, up.Filter = n.split, nil
				up.Args = []*query.TargetEntry{{Expr: special(n, outerVar, t.ResNo, below), ResNo: 1}}
				return &up, true
			}
			return a, true
		})
	}
	n.tlist = cloneTargets(n.tlist)
	for _, t := range n.tlist {
		t.Expr = turn(t.Expr)
	}
	out := make([]query.Expr, len(n.filter))
	for i, e := range n.filter {
		out[i] = turn(e)
	}
	n.filter = out
}

// sameAggregate compares calls but for their step and what it gives.
func sameAggregate(a, b *query.Aggref) bool {
	x := *b
	x.Header, x.Split = a.Header, a.Split
	x.AggNo, x.TransNo, x.TransType = a.AggNo, a.TransNo, a.TransType
	return query.Equal(a, &x)
}
