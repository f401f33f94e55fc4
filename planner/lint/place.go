package lint

import (
	"reflect"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner/advise"
)

// own reports whether a span is one of the statement's own text. The planner
// mixes in expressions of views, functions and defaults, whose spans are offsets
// into other texts.
func (p *Pass) own(s source.Span) bool {
	if p.nodes == nil {
		p.nodes = map[source.Span][]query.Expr{}
		var visit func(q *query.Query)
		visit = func(q *query.Query) {
			for _, r := range q.RangeTable {
				p.nodes[r.Loc] = append(p.nodes[r.Loc], nil)
			}
			q.WalkLevels(func(e query.Expr, _ int) bool {
				p.nodes[e.Span()] = append(p.nodes[e.Span()], e)
				return true
			})
			q.Subqueries(visit)
		}
		visit(p.Analyzed.Query)
	}
	return !s.IsZero() && p.nodes[s] != nil
}

// conditionPlace is where a condition stands in the file; of one that is not in
// the text, the table that it is about.
func (p *Pass) conditionPlace(r *advise.Read, c *advise.Cond) source.Span {
	if c != nil {
		for _, e := range c.Sources {
			if s := p.extent(e); !s.IsZero() {
				return p.Statement.FileSpan(s)
			}
		}
	}
	return p.tablePlace(r)
}

// extent is the part of the text that an expression takes, from its first part
// to its last; zero if it is not of the statement's text. The parts are those of
// the expression as it was analysed: planning may have put others in their place.
func (p *Pass) extent(e query.Expr) source.Span {
	if !p.own(e.Span()) {
		return source.Span{}
	}
	written := e
	for _, n := range p.nodes[e.Span()] {
		if n != nil && reflect.TypeOf(n) == reflect.TypeOf(e) {
			written = n
			break
		}
	}
	if written == e {
		return e.Span()
	}
	out := written.Span()
	query.Walk(written, func(x query.Expr) bool {
		if s := x.Span(); !s.IsZero() {
			out = out.Union(s)
		}
		return true
	})
	return out
}

// tablePlace is where a table, or the view that reads it, stands in the file.
func (p *Pass) tablePlace(r *advise.Read) source.Span {
	if r.Rel.Index < len(r.Root.RTEs) {
		if rte := r.Root.RTEs[r.Rel.Index]; rte != nil && p.own(rte.Loc) {
			if name := p.named(rte.Loc, r.Table.OID); name {
				return p.Statement.FileSpan(rte.Loc)
			}
		}
	}
	if s, ok := p.mention(r.Table); ok {
		return s
	}
	return p.Statement.Span
}

// named reports whether a table of the statement stands at a span.
func (p *Pass) named(s source.Span, table pgtype.OID) bool {
	found := false
	eachRTE(p.Analyzed.Query, func(r *query.RangeTblEntry) {
		found = found || r.Loc == s && r.Relation == table
	})
	return found
}

// mention is the first place of the statement that names a table or a view over
// it.
func (p *Pass) mention(t *catalog.Table) (source.Span, bool) {
	var out source.Span
	eachRTE(p.Analyzed.Query, func(r *query.RangeTblEntry) {
		if out.IsZero() && !r.Loc.IsZero() && r.Relation != 0 && p.reads(r.Relation, t.OID, nil) {
			out = p.Statement.FileSpan(r.Loc)
		}
	})
	return out, !out.IsZero()
}

// reads reports whether a relation is a table or a view that reads it.
func (p *Pass) reads(relation, table pgtype.OID, seen []pgtype.OID) bool {
	if relation == table {
		return true
	}
	t := p.Bound.Catalog.Table(relation)
	if t == nil || t.View == nil || slices.Contains(seen, relation) {
		return false
	}
	found := false
	eachRTE(t.View, func(r *query.RangeTblEntry) {
		found = found || r.Relation != 0 && p.reads(r.Relation, table, append(seen, relation))
	})
	return found
}

func eachRTE(q *query.Query, fn func(*query.RangeTblEntry)) {
	for _, r := range q.RangeTable {
		fn(r)
	}
	q.Subqueries(func(s *query.Query) { eachRTE(s, fn) })
}

// text is what stands at a place of the file.
func (p *Pass) text(s source.Span) string {
	f := p.Statement.File.Text
	if s.Start < 0 || s.End > len(f) || s.Start >= s.End {
		return ""
	}
	return f[s.Start:s.End]
}

// exprSpan is the place of an expression, casts that were not written taken off.
func exprSpan(e query.Expr) source.Span {
	if s := e.Span(); !s.IsZero() {
		return s
	}
	for _, c := range query.Children(e) {
		if s := exprSpan(c); !s.IsZero() {
			return s
		}
	}
	return source.Span{}
}
