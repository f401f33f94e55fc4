package soundfuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
)

var names = []string{"a", "b", "c", "d", "e", "f", "id"}

func (g *generator) alias() string {
	g.counter++
	return fmt.Sprintf("q%d", g.counter)
}

// types picks the types of a result where nobody wants certain ones.
func (g *generator) types(w where) []*catalog.Type {
	var out []*catalog.Type
	for range 1 + g.n(4) {
		if len(g.focus) > 0 && g.chance(3) {
			out = append(out, pick(g, g.focus).typ)
		} else if len(w.columns) > 0 && (g.calm || !g.chance(3)) {
			out = append(out, pick(g, w.columns).typ)
		} else {
			out = append(out, g.anyType())
		}
	}
	return out
}

// query writes a SELECT with columns of the given types, or of any where there are
// none, without parentheses around it.
func (g *generator) query(want []*catalog.Type, w where, depth int) *node {
	typ := "query"
	for _, t := range want {
		typ += " " + g.name(t)
	}
	n := g.choose(
		choice{12, func() *node { return g.selectOf(want, w, depth) }},
		choice{2, func() *node {
			if depth <= 0 {
				return nil
			}
			types := want
			if types == nil {
				types = g.types(w)
			}
			op := pick(g, []string{"UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"})
			s := seq("(", g.query(types, w, depth-1), ")", op, "(", g.query(types, w, depth-1), ")")
			if g.chance(4) {
				s = seq(s, g.limit())
			}
			return s
		}},
		choice{1, func() *node {
			types := want
			if types == nil {
				types = g.types(w)
			}
			return g.valuesOf(types, w, 1)
		}},
		choice{2, func() *node {
			if depth <= 0 {
				return nil
			}
			return g.with(want, w, depth)
		}},
	)
	n.typ = typ
	return n
}

func (g *generator) valuesOf(types []*catalog.Type, w where, depth int) *node {
	rows := listOf(", ", 1)
	for range 1 + g.n(3) {
		row := listOf(", ", len(types))
		for _, t := range types {
			row.kids = append(row.kids, g.expr(t, w.plain(), depth-1))
		}
		rows.kids = append(rows.kids, seq("(", row, ")"))
	}
	return seq("VALUES", rows)
}

func (g *generator) limit() *node {
	n := pick(g, []string{"0", "1", "1", "2", "3", "NULL", "ALL"})
	if g.chance(5) && !g.noParams {
		n = g.newParam("").text
	}
	s := maybe("LIMIT", n)
	if g.chance(6) {
		return seq(s, maybe("OFFSET", fmt.Sprint(g.n(2))))
	}
	return s
}

// with writes a query under common table expressions.
func (g *generator) with(want []*catalog.Type, w where, depth int) *node {
	saved := len(g.ctes)
	defer func() { g.ctes = g.ctes[:saved] }()
	list := listOf(", ", 0)
	recursive := ""
	for range 1 + g.n(2) {
		name := g.alias()
		var types []*catalog.Type
		for range 1 + g.n(3) {
			types = append(types, g.anyType())
		}
		t := table{name: name}
		cols := listOf(", ", len(types))
		for i, x := range types {
			t.columns = append(t.columns, column{names[i], x})
			cols.kids = append(cols.kids, &node{text: names[i]})
		}
		var body *node
		if g.chance(3) {
			recursive = "RECURSIVE"
			// The first column counts the rounds, so that there is an end.
			t.columns = append(t.columns, column{"n", g.typeOf("int4")})
			cols.kids = append(cols.kids, &node{text: "n"})
			q := g.alias()
			in := where{outer: w.outer}
			for _, c := range t.columns {
				in.columns = append(in.columns, column{q + "." + c.ref, c.typ})
			}
			start, next := listOf(", ", len(types)+1), listOf(", ", len(types)+1)
			for _, x := range types {
				start.kids = append(start.kids, seq(g.expr(x, where{outer: w.outer}, 1), "::"+g.name(x)))
				next.kids = append(next.kids, seq(g.expr(x, in.plain(), 1), "::"+g.name(x)))
			}
			start.kids, next.kids = append(start.kids, &node{text: "0"}), append(next.kids, &node{text: q + ".n + 1"})
			from := seq(name, "AS", q)
			if g.chance(3) {
				item, cs := g.fromItem(where{outer: w.outer}, 0)
				from = seq(from, pick(g, []string{"LEFT JOIN", "JOIN"}), item, "ON", g.expr(g.typeOf("bool"), where{columns: append(in.columns, cs...)}, 1))
			}
			body = seq("SELECT", start, pick(g, []string{"UNION", "UNION ALL"}), "SELECT", next, "FROM", from, "WHERE", q+".n < 2",
				maybe("AND", g.expr(g.typeOf("bool"), in.plain(), 1)))
		} else {
			body = g.query(types, w.plain(), depth-1)
		}
		list.kids = append(list.kids, seq(name, "(", cols, ")", "AS", pick(g, []string{"", "", "MATERIALIZED", "NOT MATERIALIZED"}), "(", body, ")"))
		g.ctes = append(g.ctes, t)
	}
	return seq("WITH", recursive, list, g.selectOf(want, w, depth-1))
}

// selectOf writes SELECT … FROM ….
func (g *generator) selectOf(want []*catalog.Type, w where, depth int) *node {
	var from *node
	in := where{outer: w.outer, setof: want == nil || g.chance(6)}
	if !g.chance(8) {
		items := listOf(", ", 1)
		for {
			item, cs := g.fromItem(in, depth)
			items.kids = append(items.kids, item)
			in.columns = append(in.columns, cs...)
			if !g.chance(4) {
				break
			}
		}
		from = maybe("FROM", items)
	}
	bare(in.columns, g)
	outerFocus := g.focus
	defer func() { g.focus = outerFocus }()
	if len(in.columns) > 0 && (g.calm || g.chance(2)) {
		g.focus = []column{pick(g, in.columns), pick(g, in.columns)}
	}
	boolean := g.typeOf("bool")
	var filter *node
	if from != nil && (g.calm || g.chance(2)) || g.chance(8) {
		filter = maybe("WHERE", g.predicate(in.plain(), min(depth, 2)))
	}
	var group, having *node
	out := in
	switch {
	case g.chance(5) && len(in.columns) > 0:
		group = g.groupBy(&out, in)
		out.aggregate, out.raw = true, in.columns
		if g.chance(3) {
			h := out
			h.setof = false
			having = maybe("HAVING", g.expr(boolean, h, 1))
		}
	case g.chance(8):
		out.aggregate, out.raw, out.columns = true, in.columns, nil
		if g.chance(4) {
			h := out
			h.setof = false
			having = maybe("HAVING", g.expr(boolean, h, 1))
		}
	}
	out.window = g.chance(3)
	types := want
	if types == nil {
		types = g.types(out)
	}
	list := listOf(", ", len(types))
	if want == nil {
		list.min = 0
	}
	if want == nil && g.calm {
		// What conditions say of the focus is seen at once.
		for _, c := range g.focus {
			if slices.Contains(out.columns, c) {
				list.kids = append(list.kids, &node{text: c.ref})
			}
		}
	}
	for _, t := range types {
		e := g.expr(t, out, depth)
		if want == nil && g.chance(3) {
			e = seq(e, maybe("AS", pick(g, names)))
		}
		list.kids = append(list.kids, e)
	}
	if want == nil && from != nil && group == nil && !out.aggregate && g.chance(8) {
		star := "*"
		if alias, _, ok := strings.Cut(pick(g, append([]column{{ref: "*"}}, in.columns...)).ref, "."); ok {
			star = pick(g, []string{alias + ".*", "(" + alias + ").*", alias})
		}
		list.kids = append(list.kids, &node{text: star})
	}
	var distinct, order, limit, lock *node
	if g.chance(8) {
		distinct = &node{text: "DISTINCT", optional: true}
	} else if g.chance(12) && len(out.columns) > 0 && group == nil {
		c := pick(g, out.columns).ref
		distinct, order = maybe("DISTINCT ON (", c, ")"), maybe("ORDER BY", c)
	}
	if order == nil && g.chance(5) {
		order = maybe("ORDER BY", fmt.Sprint(1+g.n(len(types))), pick(g, []string{"", "DESC", "NULLS FIRST"}))
		if distinct == nil && g.chance(2) {
			o := out
			o.setof = false
			order = maybe("ORDER BY", g.typed(g.comparable(), o, 1))
		}
	}
	if g.chance(5) {
		limit = g.limit()
	}
	if distinct == nil && group == nil && !out.aggregate && !out.window && want == nil && g.chance(12) || g.chance(300) {
		lock = maybe(pick(g, []string{"FOR UPDATE", "FOR SHARE", "FOR NO KEY UPDATE SKIP LOCKED"}))
	}
	if limit == nil && order != nil && distinct == nil && g.chance(6) {
		limit = maybe("FETCH FIRST", fmt.Sprint(1+g.n(2)), "ROWS WITH TIES")
	}
	return seq("SELECT", distinct, list, from, filter, group, having, order, limit, lock)
}

// bare leaves out the alias of some columns whose name stands alone.
func bare(columns []column, g *generator) {
	count := map[string]int{}
	for _, c := range columns {
		_, name, _ := strings.Cut(c.ref, ".")
		count[name]++
	}
	for i, c := range columns {
		if _, name, ok := strings.Cut(c.ref, "."); ok && (count[name] == 1 && g.chance(3) || g.chance(200)) {
			columns[i].ref = name
		}
	}
}

// predicate is a condition that mostly looks at columns.
func (g *generator) predicate(w where, depth int) *node {
	if g.calm && len(w.columns) > 0 && !g.chance(5) {
		return g.simple(w, 2)
	}
	if g.chance(4) {
		if n := g.keyed(w); n != nil {
			return n
		}
	}
	if len(w.columns) > 0 && g.chance(3) {
		c, d := pick(g, w.columns), pick(g, w.columns)
		if c.typ.OID == d.typ.OID && c.ref != d.ref && g.sorts(c.typ) {
			return expression("bool", "("+c.ref, pick(g, []string{"=", "=", "=", "<", ">="}), d.ref+")")
		}
		if g.sorts(c.typ) {
			return expression("bool", "("+c.ref, "=", g.expr(c.typ, where{outer: w.outer}, 0), ")")
		}
	}
	n := g.condition(w, max(depth, 1))
	n.typ = "bool"
	return n
}

// simple is a condition on a column that leaves some rows.
func (g *generator) simple(w where, depth int) *node {
	c := pick(g, w.columns)
	if len(g.focus) > 0 && g.chance(2) {
		if f := pick(g, g.focus); slices.Contains(w.columns, f) {
			c = f
		}
	}
	col := func() *node { return &node{text: c.ref, typ: g.name(c.typ)} }
	again := func() *node { return g.simple(w, depth-1) }
	other := where{outer: w.outer}
	for _, d := range w.columns {
		if d.typ.OID == c.typ.OID && d.ref != c.ref {
			other.columns = append(other.columns, d)
		}
	}
	value := func() *node {
		if g.chance(3) {
			return g.expr(c.typ, other, 0)
		}
		return g.literal(c.typ)
	}
	op := func() string { return pick(g, []string{"=", "<>", "<>", ">=", "<=", ">", "<"}) }
	list := []choice{
		{6, func() *node { return seq("(", col(), op(), value(), ")") }},
		{3, func() *node { return seq("(", col(), "IS NOT NULL )") }},
		{2, func() *node { return seq("(", col(), "IS NULL )") }},
		{1, func() *node { return seq("( NOT", col(), "IS NULL )") }},
		{1, func() *node { return seq("(", col(), "IS DISTINCT FROM", value(), ")") }},
		{1, func() *node { return seq("(", col(), "IS NOT DISTINCT FROM", value(), ")") }},
		{1, func() *node { return seq("(", col(), "IN (", value(), ",", value(), ") )") }},
		{1, func() *node { return seq("(", col(), "NOT IN (", value(), ",", g.literal(c.typ), ") )") }},
		{1, func() *node { return seq("(", col(), "BETWEEN", value(), "AND", value(), ")") }},
		{1, func() *node { return seq("(", col(), "= ANY ( ARRAY[", value(), ",", g.literal(c.typ), "] ) )") }},
		{1, func() *node { return seq("(", col(), "<> ALL ( ARRAY[", g.literal(c.typ), "] ) )") }},
		{1, func() *node { return seq("(", col(), "::text LIKE '%' )") }},
		{1, func() *node { return seq("( COALESCE(", col(), ",", value(), ")", op(), value(), ")") }},
		{1, func() *node { return seq("( NULLIF(", col(), ",", g.literal(c.typ), ")", op(), value(), ")") }},
		{1, func() *node { return seq("( CASE WHEN", col(), "IS NULL THEN false ELSE true END )") }},
		{1, func() *node { return seq("( GREATEST(", col(), ",", value(), ")", op(), value(), ")") }},
		{1, func() *node { return g.keyed(w) }},
		{1, func() *node { return g.condition(w, 1) }},
	}
	if depth > 0 {
		list = append(list,
			choice{5, func() *node { return seq("(", listOf(" AND ", 1, again(), again()), ")") }},
			choice{4, func() *node { return seq("(", listOf(" OR ", 1, again(), again()), ")") }},
			choice{3, func() *node { return seq("( NOT", again(), ")") }},
			choice{1, func() *node {
				return seq("(", again(), "IS", pick(g, []string{"TRUE", "NOT FALSE", "NOT TRUE", "FALSE", "UNKNOWN", "NOT UNKNOWN"}), ")")
			}},
			choice{1, func() *node { return seq("( CASE WHEN", again(), "THEN", again(), "ELSE", again(), "END )") }},
			choice{1, func() *node { return seq("( CASE WHEN", again(), "THEN false ELSE true END )") }},
			choice{1, func() *node { return seq("( COALESCE(", again(), ", false) )") }},
			choice{1, func() *node { return seq("(", again(), pick(g, []string{"=", "<>"}), again(), ")") }},
		)
	}
	n := g.choose(list...)
	n.typ = "bool"
	return n
}

// keyed binds every column of a key of a relation that is seen.
func (g *generator) keyed(w where) *node {
	if len(g.keys) == 0 {
		return nil
	}
	k := pick(g, g.keys)
	list := listOf(" AND ", 1)
	for _, name := range k.columns {
		i := slices.IndexFunc(w.columns, func(c column) bool { return c.ref == k.alias+"."+name || c.ref == name })
		if i < 0 {
			return nil
		}
		c := w.columns[i]
		op := pick(g, []string{"=", "=", "=", "=", "IS NOT DISTINCT FROM"})
		var other *node
		switch g.n(6) {
		case 0:
			if op == "=" {
				other = seq("ANY (ARRAY[", listOf(", ", 1, g.literal(c.typ), g.literal(c.typ)), "])")
			}
		case 1:
			list.kids = append(list.kids, expression("bool", c.ref, "IS NULL"))
			continue
		case 2, 3:
			same := where{outer: w.outer}
			for _, d := range w.columns {
				if d.ref != c.ref {
					same.columns = append(same.columns, d)
				}
			}
			other = g.expr(c.typ, same, 0)
		}
		if other == nil {
			other = g.expr(c.typ, where{outer: w.outer}, 0)
		}
		list.kids = append(list.kids, expression("bool", c.ref, op, other))
	}
	return expression("bool", "(", list, ")")
}

// groupBy writes GROUP BY and makes what was grouped the columns of out.
func (g *generator) groupBy(out *where, in where) *node {
	list := listOf(", ", 1)
	out.columns = nil
	var keys []string
	for range 1 + g.n(3) {
		c := pick(g, in.columns)
		if !g.sorts(c.typ) {
			c = pick(g, in.columns)
		}
		e := &node{text: c.ref}
		if g.chance(5) {
			e = g.expr(c.typ, where{columns: in.columns}, 1)
		}
		keys = append(keys, e.String())
		out.columns = append(out.columns, column{e.String(), c.typ})
	}
	if g.chance(10) {
		// A primary key brings the other columns with it, or an error.
		out.columns = append(out.columns, in.columns...)
	}
	all := strings.Join(keys, ", ")
	item := func(s string) { list.kids = append(list.kids, &node{text: s}) }
	switch g.n(8) {
	case 0:
		item("ROLLUP (" + all + ")")
	case 1:
		item("CUBE (" + all + ")")
	case 2:
		item("GROUPING SETS ((" + all + "), (" + keys[0] + "), ())")
	case 3:
		item(keys[0])
		item("ROLLUP (" + all + ")")
	default:
		for _, k := range keys {
			item(k)
		}
	}
	if strings.ContainsAny(list.String(), "RCG") && g.chance(3) {
		out.columns = append(out.columns, column{"GROUPING(" + keys[0] + ")", g.typeOf("int4")})
	}
	if len(list.kids) > 1 && g.chance(6) {
		return maybe("GROUP BY DISTINCT", list)
	}
	return maybe("GROUP BY", list)
}
