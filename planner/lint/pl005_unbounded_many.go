package lint

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/advise"
)

// unboundedMany reports a :many query that would bring many rows into memory at
// once.
func unboundedMany() *Rule {
	return &Rule{
		Code: "PL005", Name: "unbounded-many", Default: diag.Warning,
		Title: "a :many query without LIMIT returns many rows",
		Explanation: fmt.Sprintf("A :many method holds the whole result in memory. From %s estimated rows on, and growing "+
			"with the table, that wants a bound, or :iter, which hands out a row at a time. Queries that a range with "+
			"parameters bounds are left alone: how many rows such a range has is up to the caller. So are conditions that "+
			"PL003 or PL004 is about: of what they match there are no statistics.", count(ManyRows)),
		Before: "-- name: ExportCustomers :many\nSELECT id, email FROM customers;",
		After:  "-- name: ExportCustomers :iter\nSELECT id, email FROM customers;",
		Check: func(p *Pass) {
			q := p.Analyzed.Query
			if c := p.command(); c != annotation.Many && c != annotation.BatchMany || !p.planned() || q.LimitCount != nil ||
				p.Facts != nil && p.Facts.Cardinality != infer.Many || p.Plan.Root.Rows < ManyRows {
				return
			}
			var largest *advise.Read
			for _, s := range p.Scans() {
				if !s.Known || p.guessed(s.Read) || s.Cause == CastHides || s.Cause == ExpressionHides {
					return
				}
				if p.big(s.Read) && (largest == nil || s.Tuples > largest.Tuples) {
					largest = s.Read
				}
			}
			if largest == nil {
				return
			}
			p.report(0, diag.Diagnostic{
				Span: p.tablePlace(largest),
				Message: fmt.Sprintf(":many without LIMIT returns about %s at once (%s)", rows(p.Plan.Root.Rows),
					p.cost(p.Plan.Root.Total)),
				Label: fmt.Sprintf("%s has %s and grows", p.table(largest), rows(largest.Tuples)),
				Hint:  "stream them with :iter, or add a LIMIT and page by key",
			})
		},
	}
}

// guessed reports whether the rows of a read rest on a range whose ends are
// parameters: then the planner takes a fixed share of the table, whatever the
// values will be.
func (p *Pass) guessed(r *advise.Read) bool {
	for i := range r.Conds {
		c := &r.Conds[i]
		if c.Kind != advise.Range || c.Join {
			continue
		}
		found := false
		query.Walk(c.Expr, func(e query.Expr) bool {
			_, is := e.(*query.Param)
			found = found || is
			return !found
		})
		if found {
			return true
		}
	}
	return false
}
