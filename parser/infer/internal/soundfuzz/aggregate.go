package soundfuzz

import (
	"github.com/dbgen/dbgen/parser/catalog"
)

// aggregate is an aggregate call over ungrouped columns.
func (g *generator) aggregate(t *catalog.Type, w where, depth int) *node {
	f, elem := g.pickFunc(g.aggs, t)
	if f == nil {
		return nil
	}
	in := where{columns: w.raw, outer: w.outer}
	filter := func() *node {
		if !g.chance(4) {
			return nil
		}
		return maybe("FILTER ( WHERE", g.expr(g.typeOf("bool"), in, depth-1), ")")
	}
	if f.Aggregate.Kind != 'n' {
		return g.orderedSet(f, elem, in, w, depth, filter())
	}
	if f.Name == "count" && len(f.Args) == 0 {
		return seq("count(*)", filter())
	}
	args := g.arguments(f, elem, in, depth)
	if args == nil {
		return nil
	}
	distinct := ""
	if g.chance(8) && len(args.kids) == 1 && g.sorts(g.cat.Type(f.Args[0])) {
		distinct = "DISTINCT"
	}
	var order *node
	if g.chance(6) && distinct == "" {
		order = maybe("ORDER BY", g.typed(g.comparable(), in, 0))
	}
	return seq(callName(g, f)+"(", distinct, args, order, ")", filter())
}

func (g *generator) orderedSet(f *catalog.Func, elem *catalog.Type, in, w where, depth int, filter *node) *node {
	direct := f.Aggregate.DirectArgs
	if f.Aggregate.Kind == 'h' {
		t := g.comparable()
		return seq(f.Name+"(", g.expr(t, w.plain(), 0), ") WITHIN GROUP ( ORDER BY", g.expr(t, in, depth-1), ")", filter)
	}
	args, order := listOf(", ", 0), listOf(", ", 0)
	for i, a := range f.Args {
		t := g.bind(a, elem)
		if t == nil || !g.usable(t.OID) {
			return nil
		}
		if i < direct {
			e := g.literal(t)
			if t.Name == "float8" {
				e = &node{text: pick(g, []string{"0.5", "0", "1", "NULL"}), typ: "float8"}
			} else if t.Name == "_float8" {
				e = &node{text: pick(g, []string{"'{0.5,1}'::float8[]", "'{}'::float8[]", "ARRAY[0.5, NULL]"}), typ: "float8[]"}
			}
			args.kids = append(args.kids, e)
		} else {
			order.kids = append(order.kids, g.expr(t, in, depth-1))
		}
	}
	args.min, order.min = len(args.kids), len(order.kids)
	return seq(f.Name+"(", args, ") WITHIN GROUP ( ORDER BY", order, ")", filter)
}

// windowCall is a window function or an aggregate over a window.
func (g *generator) windowCall(t *catalog.Type, w where, depth int) *node {
	in := w
	in.window, in.setof = false, false
	from := g.windows
	if g.chance(2) {
		from = g.aggs
	}
	f, elem := g.pickFunc(from, t)
	if f == nil || f.Kind == 'a' && f.Aggregate.Kind != 'n' {
		return nil
	}
	args := g.arguments(f, elem, in, depth)
	if args == nil {
		return nil
	}
	call := seq(callName(g, f)+"(", args, ")")
	if f.Name == "count" && len(f.Args) == 0 {
		call = seq("count(*)")
	}
	if f.Kind == 'a' && g.chance(5) {
		call.kids = append(call.kids, maybe("FILTER ( WHERE", g.expr(g.typeOf("bool"), in, depth-1), ")"))
	}
	return seq(call, "OVER", "(", g.window(in), ")")
}

// window is what stands in the parentheses of OVER.
func (g *generator) window(w where) *node {
	n := seq()
	if !g.chance(3) {
		n.kids = append(n.kids, maybe("PARTITION BY", g.expr(g.comparable(), w, 0)))
	}
	if g.chance(5) {
		return n
	}
	numeric := g.typeOf(pick(g, []string{"int4", "date", "numeric"}))
	order := seq("ORDER BY", g.expr(numeric, w, 0), pick(g, []string{"", "DESC", "NULLS FIRST"}))
	if g.chance(3) {
		n.kids = append(n.kids, maybe(order))
		return n
	}
	mode := pick(g, []string{"ROWS", "ROWS", "GROUPS", "RANGE"})
	offset := func() string {
		if mode == "RANGE" && numeric.Name == "date" {
			return "'1 day'"
		}
		return pick(g, []string{"0", "1", "2"})
	}
	start := pick(g, []string{"UNBOUNDED PRECEDING", "CURRENT ROW", offset() + " PRECEDING", offset() + " FOLLOWING"})
	end := pick(g, []string{"UNBOUNDED FOLLOWING", "CURRENT ROW", offset() + " FOLLOWING", offset() + " PRECEDING"})
	frame := seq(mode, "BETWEEN", start, "AND", end)
	if g.chance(4) {
		frame = seq(mode, start)
	}
	if g.chance(4) {
		frame.kids = append(frame.kids, maybe("EXCLUDE", pick(g, []string{"CURRENT ROW", "GROUP", "TIES", "NO OTHERS"})))
	}
	n.kids = append(n.kids, order, maybe(frame))
	return n
}
