// Package rewrite does what PostgreSQL's rewriter does between analysis and
// planning: it puts the queries of views in their place, fills in column
// defaults, and refuses what only rules could do.
//
// The package imports planner/rel and parser packages.
package rewrite

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// Rewrite returns the query as it is planned (QueryRewrite, rewriteHandler.c).
// The input is not changed. What cannot be rewritten is noted in g as
// unsupported.
func Rewrite(g *rel.Global, q *query.Query) *query.Query {
	q = q.Clone()
	r := &rewriter{g: g}
	r.query(q)
	return q
}

type rewriter struct {
	g *rel.Global
	// views is the chain of views being expanded, to end on a loop.
	views []string
}

// query rewrites a query level in place and everything below it.
func (r *rewriter) query(q *query.Query) {
	switch q.Command {
	case query.CmdInsert, query.CmdUpdate, query.CmdDelete, query.CmdMerge:
		r.target(q)
	}
	for i, rte := range q.RangeTable {
		switch rte.Kind {
		case query.RTERelation:
			if i+1 != q.ResultRelation && !isExcluded(q, i+1) {
				r.relation(q, i+1, rte)
			}
		case query.RTESubquery:
			r.query(rte.Subquery)
		}
	}
	for _, c := range q.CTEs {
		r.query(c.Query)
	}
	q.EachExpr(func(e *query.Expr) {
		query.Walk(*e, func(x query.Expr) bool {
			if s, ok := x.(*query.SubLink); ok {
				// Cloning has made the subquery this query's own.
				r.query(s.Subselect)
			}
			return true
		})
	})
}

// isExcluded tells the EXCLUDED pseudo-relation of ON CONFLICT.
func isExcluded(q *query.Query, index int) bool {
	return q.OnConflict != nil && q.OnConflict.ExclRelIndex == index
}

// relation expands a view where one is read (ApplyRetrieveRule) and notes
// row-level security.
func (r *rewriter) relation(q *query.Query, index int, rte *query.RangeTblEntry) {
	t := r.g.Catalog.Table(rte.Relation)
	if t == nil {
		return
	}
	if t.RowSecurity && (len(t.Policies) > 0 || t.ForceRowSec) {
		r.g.Approximate(fmt.Sprintf("the row-level security policies of %s are not planned", t.Name))
	}
	if t.Kind != catalog.KindView {
		return
	}
	if t.View == nil {
		r.g.NotSupported(fmt.Sprintf("view %s: %s", t.Name, t.ViewError))
		return
	}
	for _, v := range r.views {
		if v == t.Name {
			r.g.NotSupported("the recursive view " + t.Name)
			return
		}
	}
	for _, m := range q.RowMarks {
		if m.Index == index {
			r.g.NotSupported("row locks on the view " + t.Name)
			return
		}
	}
	sub := t.View.Clone()
	r.views = append(r.views, t.Name)
	r.query(sub)
	r.views = r.views[:len(r.views)-1]
	rte.Kind = query.RTESubquery
	rte.Subquery = sub
	rte.FromView = rte.Relation
	rte.Inherit = false
	rte.SecurityBarrier = t.SecurityBarrier
	rte.Sample = nil
}

// target prepares the relation that a statement changes: its defaults are put
// in, and what is not a table is refused.
func (r *rewriter) target(q *query.Query) {
	t := r.g.Catalog.Table(q.RTE(q.ResultRelation).Relation)
	if t == nil {
		return
	}
	if t.RowSecurity && (len(t.Policies) > 0 || t.ForceRowSec) {
		r.g.Approximate(fmt.Sprintf("the row-level security policies of %s are not planned", t.Name))
	}
	switch t.Kind {
	case catalog.KindTable, catalog.KindPartitioned:
	default:
		r.g.NotSupported("changes through " + t.Name + ", which is not a table")
		return
	}
	switch q.Command {
	case query.CmdInsert:
		r.insert(q, t)
	case query.CmdUpdate:
		q.TargetList = r.update(t, q.TargetList)
	}
	if c := q.OnConflict; c != nil && c.Action == query.OnConflictUpdate {
		c.Set = r.update(t, c.Set)
	}
	for _, a := range q.MergeActions {
		// What INSERT puts in needs no column of the join beside its own.
		if a.Command == query.CmdUpdate {
			a.TargetList = r.update(t, a.TargetList)
		}
	}
}
