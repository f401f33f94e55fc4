package soundfuzz

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
)

// tables are those of the schema, the views among them.
func (g *generator) tables() []*catalog.Table {
	var out []*catalog.Table
	for _, t := range g.cat.Tables() {
		if strings.IndexByte("rpvm", t.Kind) >= 0 {
			out = append(out, t)
		}
	}
	return out
}

// seen are a table's columns under an alias.
func (g *generator) seen(t *catalog.Table, alias string) []column {
	var out []column
	for _, c := range t.Columns {
		if typ := g.cat.Type(c.Type); !c.Dropped && typ != nil {
			out = append(out, column{alias + "." + c.Name, typ})
		}
	}
	for _, x := range t.Indexes {
		k := key{alias: alias}
		for _, c := range x.Keys[:x.NumKeys] {
			if c.Column > 0 {
				k.columns = append(k.columns, t.ColumnName(c.Column))
			}
		}
		if x.Unique && len(k.columns) > 0 {
			g.keys = append(g.keys, k)
		}
	}
	if row := g.cat.Type(t.RowType); row != nil && g.chance(8) {
		out = append(out, column{alias, row})
	}
	if t.View == nil && g.chance(8) {
		out = append(out, column{alias + ".tableoid", g.typeOf("oid")})
	}
	return out
}

// fromItem writes an item of FROM and gives its columns; the columns of lateral are
// those that a LATERAL one may name besides.
func (g *generator) fromItem(lateral where, depth int) (*node, []column) {
	tables := g.tables()
	relation := func() (*node, []column) {
		if len(g.ctes) > 0 && g.chance(2) {
			return g.cteItem()
		}
		if len(tables) == 0 {
			return g.valuesItem(lateral)
		}
		t, alias := pick(g, tables), g.alias()
		if g.calm && t.View != nil && !g.chance(4) {
			t = pick(g, tables)
		}
		only := ""
		if g.chance(15) && t.Kind != 'v' && t.Kind != 'm' {
			only = "ONLY"
		}
		n := seq(only, g.cat.QuoteIdent(t.Name), "AS", alias)
		if g.chance(40) && t.Kind == 'r' {
			n = seq(n, maybe("TABLESAMPLE BERNOULLI (50)"))
		}
		return n, g.seen(t, alias)
	}
	if depth <= 0 || g.calm && g.chance(2) {
		return relation()
	}
	switch g.n(12) {
	case 0, 1, 2, 3, 4:
		return g.join(lateral, depth)
	case 5:
		return g.subqueryItem(lateral, depth)
	case 6:
		if g.chance(2) {
			return g.valuesItem(lateral)
		}
		return g.functionItem(lateral, depth)
	}
	return relation()
}

func (g *generator) cteItem() (*node, []column) {
	t, alias := pick(g, g.ctes), g.alias()
	var out []column
	for _, c := range t.columns {
		out = append(out, column{alias + "." + c.ref, c.typ})
	}
	return seq(t.name, "AS", alias), out
}

func (g *generator) subqueryItem(lateral where, depth int) (*node, []column) {
	word, in := "", where{outer: lateral.outer}
	if g.chance(3) {
		word, in = "LATERAL", lateral.inner()
	}
	types := g.types(where{columns: in.outer})
	alias := g.alias()
	var out []column
	cols := listOf(", ", len(types))
	for i, t := range types {
		out = append(out, column{alias + "." + names[i], t})
		cols.kids = append(cols.kids, &node{text: names[i]})
	}
	return seq(word, "(", g.query(types, in, depth-1), ") AS", alias, "(", cols, ")"), out
}

func (g *generator) valuesItem(lateral where) (*node, []column) {
	types := g.types(where{})
	alias := g.alias()
	var out []column
	cols := listOf(", ", len(types))
	for i, t := range types {
		out = append(out, column{alias + "." + names[i], t})
		cols.kids = append(cols.kids, &node{text: names[i]})
	}
	in := where{outer: lateral.outer}
	word := ""
	if g.chance(4) {
		word, in = "LATERAL", lateral.inner()
	}
	return seq(word, "(", g.valuesOf(types, in, 1), ") AS", alias, "(", cols, ")"), out
}

// functionItem is a function in FROM.
func (g *generator) functionItem(lateral where, depth int) (*node, []column) {
	in := lateral.inner()
	alias := g.alias()
	integer, text := g.typeOf("int4"), g.typeOf("text")
	one := func(call *node, t *catalog.Type) (*node, []column) {
		out := []column{{alias + ".a", t}}
		if g.chance(3) {
			return seq(call, "WITH ORDINALITY AS", alias, "( a, b )"), append(out, column{alias + ".b", g.typeOf("int8")})
		}
		return seq(call, "AS", alias, "( a )"), out
	}
	elem := g.typeOf(pick(g, common))
	unnest := func() *node { return seq("unnest(", g.expr(g.cat.Type(elem.Array), in, depth-1), ")") }
	if elem.Array == 0 {
		elem = integer
	}
	series := func() *node {
		return seq("generate_series(", fmt.Sprint(g.n(3)), ",", pick(g, []string{"1", "2", "NULL"}), ")")
	}
	switch g.n(9) {
	case 0:
		return one(series(), integer)
	case 1:
		return one(unnest(), elem)
	case 2:
		return one(seq("jsonb_array_elements(", g.expr(g.typeOf("jsonb"), in, depth-1), ")"), g.typeOf("jsonb"))
	case 3:
		return one(seq("regexp_split_to_table(", g.expr(text, in, depth-1), ", ',')"), text)
	case 4:
		return seq("ROWS FROM (", unnest(), ",", series(), ") AS", alias, "( a, b )"),
			[]column{{alias + ".a", elem}, {alias + ".b", integer}}
	case 5:
		return seq("jsonb_to_recordset(", g.expr(g.typeOf("jsonb"), in, depth-1), ") AS", alias, "( a int4, b text )"),
			[]column{{alias + ".a", integer}, {alias + ".b", text}}
	case 6:
		return seq("unnest(", g.expr(g.typeOf("_int4"), in, depth-1), ",", g.expr(g.typeOf("_text"), in, depth-1), ") AS", alias, "( a, b )"),
			[]column{{alias + ".a", integer}, {alias + ".b", text}}
	}
	// A function of the schema or of the catalog, with the columns it has itself.
	var own []*catalog.Func
	for _, f := range g.cat.Funcs() {
		if g.callable(f) && f.Kind == 'f' {
			own = append(own, f)
		}
	}
	var f *catalog.Func
	switch {
	case len(own) > 0 && !g.chance(3):
		f = pick(g, own)
	case len(g.srfs) > 0:
		f = pick(g, g.srfs)
	default:
		return one(series(), integer)
	}
	args := g.arguments(f, integer, in, depth)
	if args == nil {
		return one(series(), integer)
	}
	var out []column
	for i, m := range f.Modes {
		if m == catalog.ArgOut || m == catalog.ArgTable {
			if t := g.bind(f.AllArgs[i], integer); t != nil && f.Names[i] != "" && g.usable(t.OID) {
				out = append(out, column{alias + "." + g.cat.QuoteIdent(f.Names[i]), t})
			}
		}
	}
	if len(out) == 0 {
		if t := g.cat.Type(f.Result); t != nil && t.Kind == 'c' && g.typeTable(t) != nil {
			out = g.seen(g.typeTable(t), alias)
		} else if t := g.bind(f.Result, integer); t != nil && g.usable(t.OID) {
			out = []column{{alias, t}}
		}
	}
	return seq(callName(g, f)+"(", args, ") AS", alias), out
}

// join is two items and what joins them.
func (g *generator) join(lateral where, depth int) (*node, []column) {
	left, lc := g.fromItem(lateral, depth-1-g.n(2))
	kind := pick(g, []string{"JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"})
	in := lateral
	if kind != "RIGHT JOIN" && kind != "FULL JOIN" {
		in.columns = append(append([]column{}, lc...), lateral.columns...)
	}
	right, rc := g.fromItem(in, depth-1-g.n(2))
	all := append(append([]column{}, lc...), rc...)
	n := seq("(", left, kind, right)
	if kind != "CROSS JOIN" {
		var shared []string
		var types []*catalog.Type
		for _, l := range lc {
			for _, r := range rc {
				_, ln, _ := strings.Cut(l.ref, ".")
				_, rn, _ := strings.Cut(r.ref, ".")
				if ln == rn && ln != "" && l.typ.OID == r.typ.OID && (once(lc, ln) && once(rc, rn) && g.sorts(l.typ) || g.chance(60)) {
					shared, types = append(shared, ln), append(types, l.typ)
				}
			}
		}
		switch {
		case len(shared) > 0 && g.chance(3):
			i := g.n(len(shared))
			n.kids = append(n.kids, seq("USING ("+shared[i]+")"))
			all = append([]column{{shared[i], types[i]}}, all...)
			if g.chance(4) {
				alias := g.alias()
				n.kids = append(n.kids, &node{text: "AS " + alias})
				all = append(all, column{alias + "." + shared[i], types[i]})
			}
		case g.chance(30):
			n = seq("(", left, "NATURAL", kind, right)
		default:
			on := &node{text: "true"}
			if !g.chance(6) {
				on = g.predicate(where{columns: all, outer: lateral.outer}, 2)
			}
			if (kind == "FULL JOIN" || g.calm) && !g.chance(3) {
				on = g.equi(lc, rc)
			}
			n.kids = append(n.kids, &node{text: "ON"}, on)
		}
	}
	n.kids = append(n.kids, &node{text: ")"})
	return n, all
}

// once tells that a single column has a name.
func once(columns []column, name string) bool {
	n := 0
	for _, c := range columns {
		if _, own, ok := strings.Cut(c.ref, "."); own == name || !ok && c.ref == name {
			n++
		}
	}
	return n == 1
}

// equi is an equality of two columns, which a FULL JOIN needs.
func (g *generator) equi(left, right []column) *node {
	for range 10 {
		if len(left) == 0 || len(right) == 0 {
			break
		}
		l, r := pick(g, left), pick(g, right)
		if l.typ.OID == r.typ.OID && g.sorts(l.typ) {
			return expression("bool", "(", l.ref, "=", r.ref, ")")
		}
	}
	return &node{text: "true", typ: "bool"}
}
