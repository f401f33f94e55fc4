package eval

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// Parallel hazards, as pg_proc.proparallel.
const (
	parallelSafe       byte = 's'
	parallelRestricted byte = 'r'
	parallelUnsafe     byte = 'u'
)

// ParallelSafe reports whether e may be evaluated in a parallel worker
// (is_parallel_safe, clauses.c). Executor parameters are not safe; with the
// query level at hand, use [ParallelSafeIn].
func ParallelSafe(g *rel.Global, e query.Expr) bool {
	return hazardOf(g, e, nil) == parallelSafe
}

// ParallelSafeIn is [ParallelSafe] that lets the outputs of the InitPlans of
// this and outer query levels pass.
func ParallelSafeIn(root *rel.PlannerInfo, e query.Expr) bool {
	safe := map[int]bool{}
	for r := root; r != nil; r = r.Parent {
		for _, p := range r.InitPlans {
			for _, id := range p.SetParams {
				safe[id] = true
			}
		}
	}
	return hazardOf(root.Global, e, safe) == parallelSafe
}

// MaxParallelHazard returns the worst hazard in a query: s safe, r restricted to
// the leader, u none may run in parallel mode (max_parallel_hazard, clauses.c).
func MaxParallelHazard(g *rel.Global, q *query.Query) byte {
	h := hazard{g: g, worst: parallelSafe}
	h.query(q)
	return h.worst
}

func hazardOf(g *rel.Global, e query.Expr, params map[int]bool) byte {
	h := hazard{g: g, worst: parallelSafe, params: params}
	h.expr(e)
	return h.worst
}

type hazard struct {
	g      *rel.Global
	params map[int]bool
	worst  byte
}

func (h *hazard) raise(to byte) {
	if to == parallelUnsafe || h.worst == parallelSafe {
		h.worst = to
	}
}

func (h *hazard) query(q *query.Query) {
	if len(q.RowMarks) > 0 {
		h.raise(parallelUnsafe)
		return
	}
	q.EachExpr(func(e *query.Expr) { h.expr(*e) })
	for _, c := range q.CTEs {
		h.query(c.Query)
	}
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			h.query(r.Subquery)
		}
	}
}

func (h *hazard) expr(e query.Expr) {
	query.Walk(e, func(x query.Expr) bool {
		if h.worst == parallelUnsafe {
			return false
		}
		EachFunc(h.g.Catalog, x, func(oid pgtype.OID) bool {
			f := h.g.Catalog.Func(oid)
			switch {
			case f == nil:
				h.raise(parallelUnsafe)
			case f.Parallel != parallelSafe:
				h.raise(f.Parallel)
			}
			return h.worst == parallelUnsafe
		})
		switch n := x.(type) {
		case *query.CoerceToDomain, *query.WindowFunc:
			h.raise(parallelRestricted)
		case *query.NextValueExpr:
			h.raise(parallelUnsafe)
		case *query.SubLink:
			h.raise(parallelRestricted)
			h.query(n.Subselect)
		case *query.Param:
			if n.Kind != query.ParamExtern && (n.Kind != query.ParamExec || !h.params[n.Number]) {
				h.raise(parallelRestricted)
			}
		case *query.SubPlan:
			if !n.ParallelSafe {
				h.raise(parallelRestricted)
			}
			inner := hazard{g: h.g, worst: h.worst, params: map[int]bool{}}
			for id := range h.params {
				inner.params[id] = true
			}
			for _, id := range n.ParamIDs {
				inner.params[id] = true
			}
			inner.expr(n.Test)
			h.raiseTo(inner.worst)
			for _, a := range n.Args {
				h.expr(a)
			}
			return false
		}
		return true
	})
}

func (h *hazard) raiseTo(w byte) {
	if w != parallelSafe {
		h.raise(w)
	}
}
