package soundfuzz

import (
	"github.com/dbgen/dbgen/parser/catalog"
)

// statement writes a statement of any kind.
func (g *generator) statement() *node {
	g.params, g.counter, g.ctes, g.keys, g.focus = nil, 0, nil, nil, nil
	depth := 1 + g.n(3)
	if g.calm {
		depth = 1 + g.n(2)
	}
	switch n := g.n(20); {
	case n < 15 || len(g.tables()) == 0:
		return g.query(nil, where{}, depth)
	case n < 19:
		for {
			if n := g.modify(depth); n != nil {
				return n
			}
		}
	}
	// A data-modifying CTE with a query over what it returns.
	name := g.alias()
	body, cols := g.returning(depth - 1)
	if body == nil {
		return g.query(nil, where{}, depth)
	}
	g.ctes = append(g.ctes, table{name, cols})
	return seq("WITH", name, "AS (", body, ")", g.selectOf(nil, where{}, depth))
}

// returning is a modifying statement with its named columns.
func (g *generator) returning(depth int) (*node, []column) {
	t := pick(g, g.tables())
	var cols []column
	list := listOf(", ", 1)
	for _, c := range t.Columns {
		if typ := g.cat.Type(c.Type); !c.Dropped && typ != nil && g.chance(2) {
			cols = append(cols, column{c.Name, typ})
			list.kids = append(list.kids, &node{text: "w." + c.Name})
		}
	}
	if len(cols) == 0 {
		return nil, nil
	}
	var n *node
	switch g.n(3) {
	case 0:
		n = g.insert(t, depth)
	case 1:
		n = g.update(t, depth)
	default:
		n = seq("DELETE FROM", t.Name, "AS w", g.filter(where{columns: g.seen(t, "w")}))
	}
	g.keys = nil
	return seq(n, "RETURNING", list), cols
}

func (g *generator) modify(depth int) *node {
	t := pick(g, g.tables())
	in := where{columns: g.seen(t, "w")}
	var n *node
	switch g.n(8) {
	case 0, 1:
		n = g.insert(t, depth)
	case 2, 3:
		n = g.update(t, depth)
	case 4, 5:
		item, cs := g.fromItem(where{}, depth-1)
		all := where{columns: append(append([]column{}, in.columns...), cs...)}
		if g.chance(2) {
			n = seq("DELETE FROM", t.Name, "AS w", maybe("USING", item), g.filter(all))
			in = all
		} else {
			n = seq("DELETE FROM", t.Name, "AS w", g.filter(in))
		}
	default:
		if t.View != nil && !g.chance(5) {
			return nil
		}
		return g.merge(t, depth)
	}
	if g.chance(6) {
		return n
	}
	list := listOf(", ", 1)
	for _, typ := range g.types(in) {
		list.kids = append(list.kids, g.expr(typ, in, depth-1))
	}
	if g.chance(5) {
		list.kids = append(list.kids, &node{text: "*"})
	}
	return seq(n, maybe("RETURNING", list))
}

func (g *generator) filter(in where) *node {
	if g.chance(4) {
		return nil
	}
	return maybe("WHERE", g.predicate(in, 2))
}

// stored picks columns that a statement may assign to.
func (g *generator) stored(t *catalog.Table, all bool) []*catalog.Column {
	var out []*catalog.Column
	for _, c := range t.Columns {
		if c.Dropped || c.Generated != 0 && !g.chance(30) || c.Identity == 'a' && !g.chance(30) || g.cat.Type(c.Type) == nil {
			continue
		}
		if all && !g.chance(5) || c.NotNull && all || g.chance(2) {
			out = append(out, c)
		}
	}
	return out
}

func (g *generator) assigned(c *catalog.Column, in where, depth int) *node {
	t := g.cat.Type(c.Type)
	switch {
	case g.chance(8):
		return &node{text: "DEFAULT"}
	case g.chance(3) && !g.noParams:
		return g.newParam("")
	case c.NotNull || g.chance(2):
		return g.literal(t)
	}
	return g.expr(t, in, depth-1)
}

func (g *generator) insert(t *catalog.Table, depth int) *node {
	cols := g.stored(t, true)
	if len(cols) == 0 {
		return seq("INSERT INTO", t.Name, "AS w DEFAULT VALUES")
	}
	list, types := listOf(", ", len(cols)), []*catalog.Type{}
	for _, c := range cols {
		list.kids = append(list.kids, &node{text: c.Name})
		types = append(types, g.cat.Type(c.Type))
	}
	n := seq("INSERT INTO", t.Name, "AS w (", list, ")")
	if g.chance(15) {
		n.kids = append(n.kids, &node{text: "OVERRIDING SYSTEM VALUE"})
	}
	if g.chance(4) {
		n.kids = append(n.kids, g.query(types, where{}, depth-1))
	} else {
		rows := listOf(", ", 1)
		for range 1 + g.n(5)/4 {
			row := listOf(", ", len(cols))
			for _, c := range cols {
				row.kids = append(row.kids, g.assigned(c, where{}, depth))
			}
			rows.kids = append(rows.kids, seq("(", row, ")"))
		}
		n.kids = append(n.kids, seq("VALUES", rows))
	}
	switch g.n(6) {
	case 0:
		n.kids = append(n.kids, maybe("ON CONFLICT DO NOTHING"))
	case 1:
		in := where{columns: append(g.seen(t, "w"), g.seen(t, "excluded")...)}
		target := seq("(", pick(g, cols).Name, ")")
		for _, x := range t.Constraints {
			if x.Kind == catalog.ConstraintPrimary || x.Kind == catalog.ConstraintUnique {
				keys := listOf(", ", len(x.Columns))
				for _, k := range x.Columns {
					keys.kids = append(keys.kids, &node{text: t.ColumnName(k)})
				}
				target = seq("(", keys, ")")
			}
		}
		if sets := g.sets(t, in, 1); sets != nil {
			n.kids = append(n.kids, maybe("ON CONFLICT", target, "DO UPDATE SET", sets, g.filter(in)))
		}
	}
	return n
}

func (g *generator) sets(t *catalog.Table, in where, depth int) *node {
	list := listOf(", ", 1)
	for _, c := range g.stored(t, false) {
		t := g.cat.Type(c.Type)
		switch {
		case t.IsArray() && g.chance(6):
			list.kids = append(list.kids, seq(c.Name+"[1] =", g.expr(g.cat.Type(t.Element), in, depth-1)))
		case t.Kind == 'c' && g.typeTable(t) != nil && g.chance(3):
			f := pick(g, g.typeTable(t).Columns)
			list.kids = append(list.kids, seq(c.Name+"."+f.Name, "=", g.expr(g.cat.Type(f.Type), in, depth-1)))
		default:
			list.kids = append(list.kids, seq(c.Name, "=", g.assigned(c, in, depth)))
		}
	}
	if len(list.kids) == 0 {
		return nil
	}
	if cols := g.stored(t, false); g.chance(8) && len(cols) >= 2 {
		return seq("("+cols[0].Name+", "+cols[1].Name+") =", "(", g.query([]*catalog.Type{g.cat.Type(cols[0].Type), g.cat.Type(cols[1].Type)}, in.inner(), depth-1), ")")
	}
	return list
}

func (g *generator) update(t *catalog.Table, depth int) *node {
	in := where{columns: g.seen(t, "w")}
	var from *node
	if g.chance(3) {
		item, cs := g.fromItem(where{}, depth-1)
		from = seq("FROM", item)
		in.columns = append(in.columns, cs...)
	}
	sets := g.sets(t, in, depth)
	if sets == nil {
		return seq("DELETE FROM", t.Name, "AS w", g.filter(where{columns: g.seen(t, "w")}))
	}
	return seq("UPDATE", t.Name, "AS w SET", sets, from, g.filter(in))
}

func (g *generator) merge(t *catalog.Table, depth int) *node {
	target := g.seen(t, "w")
	item, cs := g.fromItem(where{}, min(depth-1, 1))
	both := where{columns: append(append([]column{}, target...), cs...)}
	whens := listOf(" ", 1)
	if sets := g.sets(t, both, 1); sets != nil {
		whens.kids = append(whens.kids, seq("WHEN MATCHED AND", g.predicate(both, 1), "THEN UPDATE SET", sets))
	}
	if cols := g.stored(t, true); len(cols) > 0 {
		list, row := listOf(", ", len(cols)), listOf(", ", len(cols))
		for _, c := range cols {
			list.kids = append(list.kids, &node{text: c.Name})
			row.kids = append(row.kids, g.assigned(c, where{columns: cs}, 1))
		}
		whens.kids = append(whens.kids, seq("WHEN NOT MATCHED", maybe("AND", g.predicate(where{columns: cs}, 1)), "THEN INSERT (", list, ") VALUES (", row, ")"))
	}
	whens.kids = append(whens.kids, seq(pick(g, []string{"WHEN MATCHED THEN DELETE", "WHEN MATCHED THEN DO NOTHING"})))
	return seq("MERGE INTO", t.Name, "AS w USING", item, "ON", g.predicate(both, 1), whens)
}
