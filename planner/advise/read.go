package advise

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/plan"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// Read is a table that a plan reads, with all its partitions that it reads.
type Read struct {
	// Root is the query level, Rel the table in it as the query names it.
	Root  *rel.PlannerInfo
	Rel   *rel.RelOptInfo
	Table *catalog.Table
	// Nodes are the scans, in the order of the plan.
	Nodes []*plan.Node
	// Pages and Tuples are what the scanned tables have, Rows what the scans
	// give, Cost what they cost, each run once.
	Pages, Tuples, Rows, Cost float64
	// Loops is how many times the dearest of the scans is run: more than once
	// on the inner side of a nested loop or in a subplan.
	Loops float64
	// Known is false where the statistics say nothing of one of the tables.
	Known bool
	// Conds are the conditions on the table.
	Conds []Cond
}

// Reads lists the tables that a plan reads, in the order of the plan. A table
// that a query names twice is listed twice.
func Reads(bound *stats.Bound, res *planner.Result) []*Read {
	if res == nil || res.Root == nil {
		return nil
	}
	type key struct {
		root *rel.PlannerInfo
		rel  *rel.RelOptInfo
	}
	byRel := map[key]*Read{}
	var out []*Read
	var walk func(n *plan.Node, loops float64)
	visit := func(n *plan.Node, loops float64) {
		if n.Rel == nil || n.Rel.Table == nil || !scans(n.Kind) {
			return
		}
		top := n.Rel
		for top.ParentRel != nil && top.ParentRel.Table != nil {
			top = top.ParentRel
		}
		k := key{n.Root, top}
		r := byRel[k]
		if r == nil {
			r = &Read{Root: n.Root, Rel: top, Table: top.Table, Known: true}
			r.Conds = conds(r.Root, top)
			byRel[k] = r
			out = append(out, r)
		}
		r.Nodes = append(r.Nodes, n)
		r.Pages += n.Rel.Pages
		r.Tuples += n.Rel.Tuples
		if n.ParallelAware {
			r.Rows += n.Rel.Rows // the node's rows are those of one worker
		} else {
			r.Rows += n.Rows
		}
		r.Cost += n.Total
		r.Loops = max(r.Loops, loops)
		r.Known = r.Known && Known(bound, n.Rel.Table)
	}
	walk = func(n *plan.Node, loops float64) {
		visit(n, loops)
		var outer float64 = 1
		for _, c := range n.Plans {
			if c.Relationship == "Outer" {
				outer = max(c.Rows, 1)
			}
		}
		for _, c := range n.Plans {
			times := loops
			switch {
			case c.Relationship == "SubPlan":
				times = float64(loops * max(n.Rows, 1))
			case n.Kind == plan.NestLoop && c.Relationship == "Inner" && c.Kind != plan.Material:
				times = float64(loops * outer)
			}
			walk(c, times)
		}
	}
	walk(res.Root, 1)
	return out
}

// Known reports whether the statistics know how large a table is.
func Known(bound *stats.Bound, t *catalog.Table) bool {
	if t.Kind == catalog.KindPartitioned {
		for _, c := range t.Children {
			if child := bound.Catalog.Table(c); child == nil || !Known(bound, child) {
				return false
			}
		}
		return len(t.Children) > 0
	}
	return *bound.Relation(t.OID).RelTuples >= 0
}

// Size returns the pages and rows of a table, those of its partitions added up.
func Size(bound *stats.Bound, t *catalog.Table) (pages, rows float64) {
	if t.Kind != catalog.KindPartitioned {
		pages, rows, _ = bound.Size(t.OID)
		return pages, rows
	}
	for _, c := range t.Children {
		if child := bound.Catalog.Table(c); child != nil {
			p, n := Size(bound, child)
			pages += p
			rows += n
		}
	}
	return pages, rows
}

// scans reports whether a node fetches the rows of a table.
func scans(k plan.Kind) bool {
	switch k {
	case plan.SeqScan, plan.SampleScan, plan.IndexScan, plan.IndexOnlyScan, plan.BitmapHeapScan, plan.TidScan,
		plan.TidRangeScan:
		return true
	}
	return false
}

// Sequential reports whether the table is read from end to end: for a
// partitioned one, the larger part of its pages.
func (r *Read) Sequential() bool {
	pages, all := 0.0, 0.0
	for _, n := range r.Nodes {
		p := max(n.Rel.Pages, 1)
		all += p
		if n.Kind == plan.SeqScan {
			pages += p
		}
	}
	return pages > float64(all*0.5)
}
