package soundfuzz

import (
	"slices"
	"strings"
)

// strays are pieces that are wrong in most places.
var strays = []string{
	"*", "NULL", "1", "'x'", "DEFAULT", "$1", "count(*)", "row_number() OVER ()", "generate_series(1, 2)", "(SELECT 1, 2)", "q1", "w", "sum(1)", "now()",
	"nosuch", "q1.nosuch", "nosuch.a", "nosuch(1)", "1.5", "true", "ARRAY[1]", "ROW(1, 'a')", "(1, 2)", "'x'::text", "a", "id", "max(a)", "GROUPING(a)", "lower(1)",
	"abs('x')", "1 + 'x'::text", "coalesce(1, 'x'::text)", "excluded.a", "array_agg(a) FILTER (WHERE true)", "unnest(ARRAY[1])", "tableoid", "ctid", "$2::int",
	"CAST('x' AS nosuch)", "upper(x => 'a')", "make_interval(days => 1)", "1::regclass", "(q1).a", "(q1).nosuch", "ARRAY[]", "(SELECT)", "EXISTS (SELECT)", "''",
}

// mutate returns a copy of a statement with one or two pieces out of place, which
// the server mostly refuses.
func (g *generator) mutate(n *node) *node {
	root := clone(n)
	var all, leaves, exprs []*node
	var collect func(*node)
	collect = func(x *node) {
		if len(x.kids) > 0 {
			all = append(all, x)
		} else if x.text != "" {
			leaves = append(leaves, x)
		}
		if x.typ != "" && !strings.HasPrefix(x.typ, "query") {
			exprs = append(exprs, x)
		}
		for _, k := range x.kids {
			collect(k)
		}
	}
	collect(root)
	for range 1 + g.n(4)/3 {
		x := pick(g, all)
		switch at := g.n(max(len(x.kids), 1)); g.n(8) {
		case 0:
			if len(x.kids) > 0 {
				x.kids = slices.Delete(slices.Clone(x.kids), at, at+1)
			}
		case 1:
			if len(x.kids) > 0 && x.list {
				x.kids = append(slices.Clone(x.kids), clone(x.kids[at]))
			}
		case 2:
			if len(exprs) > 1 {
				from := clone(pick(g, exprs))
				*pick(g, exprs) = *from
			}
		case 3:
			l := pick(g, leaves)
			if alias, name, ok := strings.Cut(l.text, "."); ok && !strings.ContainsAny(l.text, "'( ") {
				l.text = pick(g, []string{name, alias + ".nosuch", "nosuch." + name, alias, alias + "." + name + "x", "q1." + name, "q2." + name})
			}
		case 4:
			if len(exprs) > 0 {
				*pick(g, exprs) = node{text: pick(g, strays)}
			}
		case 5:
			if len(exprs) > 0 {
				*pick(g, exprs) = node{text: pick(g, strays)}
			}
		case 6:
			l := pick(g, leaves)
			if strings.HasSuffix(l.text, "(") && len(l.text) > 2 {
				l.text = pick(g, []string{l.text[:len(l.text)-2] + "x(", "count(", "sum(", "lower("})
			}
		case 7:
			l := pick(g, leaves)
			l.text = pick(g, strays)
		}
	}
	return root
}
