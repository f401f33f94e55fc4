package lint

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/advise"
)

// oneOfMany reports a method for one row over a query that may have several.
func oneOfMany() *Rule {
	return &Rule{
		Code: "PL007", Name: "one-of-many", Default: diag.Warning,
		Title: "a :one or :opt query may match several rows",
		Explanation: "The schema does not rule out a second row, and the method returns an error once there is one. Compare " +
			"all columns of a unique key, or say with ORDER BY and LIMIT 1 which row is meant, or return them with " +
			":many. It is silent where the statistics say that every table of the query is small.",
		Before: "-- name: GetAddress :one\nSELECT * FROM addresses WHERE customer_id = @customer_id;",
		After:  "-- name: GetAddress :opt\nSELECT * FROM addresses WHERE customer_id = @customer_id ORDER BY id DESC LIMIT 1;",
		Check: func(p *Pass) {
			c := p.command()
			if c != annotation.One && c != annotation.Opt && c != annotation.BatchOne || p.Facts == nil ||
				p.Facts.Cardinality != infer.Many || p.onlySmall() || p.castOfKey() {
				return
			}
			p.report(0, diag.Diagnostic{
				Span:    p.Statement.Annotation.CommandSpan,
				Message: fmt.Sprintf(":%s, but the query may match several rows: %s", c, p.Facts.CardinalityWhy),
				Label:   "a second row is an error at run time",
				Hint:    "compare all columns of a unique key, add ORDER BY … LIMIT 1, or use :many",
			})
		},
	}
}

// onlySmall reports whether the statistics say of every table that the query
// reads that it is small.
func (p *Pass) onlySmall() bool {
	scans := p.Scans()
	for _, s := range scans {
		if pages, rows := advise.Size(p.Bound, s.Table); !s.Known || !small(pages, rows) {
			return false
		}
	}
	return len(scans) > 0
}

// castOfKey reports whether the only table is bound by a unique key under a cast
// that nobody wrote: there is no second row, and PL004 has more to say about it.
func (p *Pass) castOfKey() bool {
	scans := p.Scans()
	if len(scans) != 1 {
		return false
	}
	s := scans[0]
	for i := range s.Conds {
		c := &s.Conds[i]
		if c.Kind != advise.Equal || c.Join || len(c.Keys) != 1 || !advise.ImplicitCast(c.Keys[0]) {
			continue
		}
		if _, list := c.Expr.(*query.ScalarArrayOpExpr); list {
			continue
		}
		if x := indexedBy(s.Read, onlyColumn(c.Keys[0])); x != nil && x.Unique && x.NumKeys == 1 {
			return true
		}
	}
	return false
}
