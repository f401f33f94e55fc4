package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/plan"
)

// offsetPaging reports OFFSET over a result that is large enough for the last
// pages to be dear.
func offsetPaging() *Rule {
	return &Rule{
		Code: "PL006", Name: "offset-paging", Default: diag.Warning,
		Title: "OFFSET reads and throws away all rows of the pages before",
		Explanation: fmt.Sprintf("The cost of a page grows with its number, and rows that come or go between two calls are "+
			"shown twice or not at all. Remember the last row of the page instead and ask for what follows (keyset "+
			"paging). It is reported if the paged result has from %s estimated rows on, and the last page costs at "+
			"least ten times the first; a constant OFFSET only from %s on.", count(ManyRows), count(FarOffset)),
		Before: "SELECT id, total FROM orders ORDER BY placed_at, id LIMIT 50 OFFSET @skip;",
		After:  "SELECT id, total FROM orders WHERE (placed_at, id) > (@placed_at, @id) ORDER BY placed_at, id LIMIT 50;",
		Check: func(p *Pass) {
			q := p.Analyzed.Query
			if q.LimitOffset == nil || !p.planned() || !farOffset(q.LimitOffset) {
				return
			}
			var below *plan.Node
			p.Plan.Root.Walk(func(n *plan.Node) bool {
				if n.Kind == plan.Limit && len(n.Plans) > 0 && below == nil {
					for _, c := range n.Plans {
						if c.Relationship == "Outer" || c.Relationship == "" {
							below = c
						}
					}
				}
				return below == nil
			})
			if below == nil || below.Rows < ManyRows {
				return
			}
			big := false
			for _, s := range p.Scans() {
				if !s.Known || p.guessed(s.Read) {
					return
				}
				big = big || p.big(s.Read)
			}
			if !big {
				return
			}
			span := p.Statement.Span
			if at := exprSpan(q.LimitOffset); p.own(at) {
				span = p.Statement.FileSpan(at)
			}
			p.report(below.Total, diag.Diagnostic{
				Span: span,
				Message: fmt.Sprintf("OFFSET reads all rows of the pages before: the last page reads about %s (%s)",
					rows(below.Rows), p.cost(below.Total)),
				Hint: p.keyset(q),
			})
		},
	}
}

// farOffset reports whether an OFFSET may skip many rows.
func farOffset(e query.Expr) bool {
	far := true
	query.Walk(e, func(x query.Expr) bool {
		k, ok := x.(*query.Const)
		if !ok {
			return true
		}
		n, err := strconv.ParseFloat(k.Value, 64)
		if k.Null || err == nil && n < FarOffset {
			far = false
		}
		return true
	})
	constant := true
	query.Walk(e, func(x query.Expr) bool {
		if _, ok := x.(*query.Param); ok {
			constant = false
		}
		return true
	})
	return far || !constant
}

// keyset says how to page by key.
func (p *Pass) keyset(q *query.Query) string {
	var names, params []string
	same, down, unique := true, false, false
	for i, c := range q.SortClause {
		for _, te := range q.TargetList {
			if te.SortGroupRef != c.Ref {
				continue
			}
			at := te.Expr.Span()
			text := ""
			if p.own(at) {
				text = strings.TrimSpace(p.text(p.Statement.FileSpan(at)))
			}
			if text == "" {
				text = te.Name
			}
			names = append(names, text)
			name := te.Name
			if name == "" {
				name = text[strings.LastIndexByte(text, '.')+1:]
			}
			params = append(params, "@last_"+strings.ToLower(name))
			unique = unique || p.uniqueColumn(te)
		}
		if i == 0 {
			down = c.Descending
		}
		same = same && c.Descending == down
	}
	if len(names) == 0 {
		return "order by a unique key and ask for the rows behind the last one of the page before"
	}
	sign := ">"
	if down {
		sign = "<"
	}
	if !same {
		return "page by key: ask for the rows that follow the last one of the page before in the order of " + strings.Join(names, ", ")
	}
	more := ""
	if !unique {
		more = "; add a unique column to the order, or rows with equal values are passed over"
	}
	if len(names) == 1 {
		return fmt.Sprintf("page by key: WHERE %s %s %s, the value of the last row before, instead of OFFSET%s", names[0], sign, params[0], more)
	}
	return fmt.Sprintf("page by key: WHERE (%s) %s (%s), the values of the last row before, instead of OFFSET%s",
		strings.Join(names, ", "), sign, strings.Join(params, ", "), more)
}

// uniqueColumn reports whether an output column is unique in its table.
func (p *Pass) uniqueColumn(te *query.TargetEntry) bool {
	t := p.Bound.Catalog.Table(te.OrigTable)
	return t != nil && slices.ContainsFunc(t.Indexes, func(x *catalog.Index) bool {
		return x.Unique && x.Valid && x.NumKeys == 1 && len(x.Predicate) == 0 && x.Keys[0].Column == te.OrigColumn
	})
}
