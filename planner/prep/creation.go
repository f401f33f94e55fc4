package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// takeCreationParams counts off the executor parameters that PostgreSQL hands
// out while it makes a plan of a subplan's path, which it does at once: one for
// each Gather, and one for each value that a nested loop gives to its inner
// side (create_gather_plan, createplan.c; replace_nestloop_param_var,
// paramassign.c). The parameters that are printed are numbered after them.
func takeCreationParams(g *rel.Global, p rel.Path) { g.NParamExec += creationParams(p) }

func creationParams(p rel.Path) int {
	n := 0
	switch p := p.(type) {
	case *rel.GatherPath, *rel.GatherMergePath:
		n++
	case *rel.NestPath:
		n += len(nestLoopValues(p))
	}
	for _, sub := range subpaths(p) {
		n += creationParams(sub)
	}
	return n
}

// nestLoopValues are the outer side's values in the clauses of the scans below
// the inner side, each once.
func nestLoopValues(p *rel.NestPath) []query.Expr {
	outer := p.Outer.Base().Parent.Relids
	var out []query.Expr
	var walk func(rel.Path)
	walk = func(sub rel.Path) {
		b := sub.Base()
		if b.Param == nil || !b.Param.RequiredOuter.Overlaps(outer) {
			return
		}
		for _, r := range b.Param.Clauses {
			for _, e := range eval.PullVars(r.Clause, eval.IncludePlaceHolders) {
				if v, ok := e.(*query.Var); !ok || outer.Has(max(v.VarNo, 0)) {
					out = appendExpr(out, e, outer)
				}
			}
		}
		for _, below := range subpaths(sub) {
			walk(below)
		}
	}
	walk(p.Inner)
	return out
}

func appendExpr(list []query.Expr, e query.Expr, outer query.Relids) []query.Expr {
	if ph, ok := e.(*query.PlaceHolderVar); ok && !ph.Rels.IsSubset(outer) {
		return list
	}
	for _, x := range list {
		if query.Equal(x, e) {
			return list
		}
	}
	return append(list, e)
}

// subpaths are the paths that a path stands on.
func subpaths(p rel.Path) []rel.Path {
	one := func(sub rel.Path) []rel.Path {
		if sub == nil {
			return nil
		}
		return []rel.Path{sub}
	}
	switch p := p.(type) {
	case *rel.SubqueryScanPath:
		return one(p.Sub)
	case *rel.ResultPath:
		return one(p.Sub)
	case *rel.AppendPath:
		return p.Subs
	case *rel.MergeAppendPath:
		return p.Subs
	case *rel.MaterialPath:
		return one(p.Sub)
	case *rel.MemoizePath:
		return one(p.Sub)
	case *rel.UniquePath:
		return one(p.Sub)
	case *rel.GatherPath:
		return one(p.Sub)
	case *rel.GatherMergePath:
		return one(p.Sub)
	case *rel.NestPath:
		return []rel.Path{p.Outer, p.Inner}
	case *rel.MergePath:
		return []rel.Path{p.Outer, p.Inner}
	case *rel.HashPath:
		return []rel.Path{p.Outer, p.Inner}
	case *rel.ProjectionPath:
		return one(p.Sub)
	case *rel.ProjectSetPath:
		return one(p.Sub)
	case *rel.SortPath:
		return one(p.Sub)
	case *rel.IncrementalSortPath:
		return one(p.Sub)
	case *rel.GroupPath:
		return one(p.Sub)
	case *rel.UpperUniquePath:
		return one(p.Sub)
	case *rel.AggPath:
		return one(p.Sub)
	case *rel.GroupingSetsPath:
		return one(p.Sub)
	case *rel.WindowAggPath:
		return one(p.Sub)
	case *rel.SetOpPath:
		if p.Sub2 != nil {
			return []rel.Path{p.Sub, p.Sub2}
		}
		return one(p.Sub)
	case *rel.RecursiveUnionPath:
		return []rel.Path{p.Left, p.Right}
	case *rel.LockRowsPath:
		return one(p.Sub)
	case *rel.ModifyTablePath:
		return one(p.Sub)
	case *rel.LimitPath:
		return one(p.Sub)
	}
	return nil
}
