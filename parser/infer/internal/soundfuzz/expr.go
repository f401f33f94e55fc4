package soundfuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// column is a column that an expression may name.
type column struct {
	ref string
	typ *catalog.Type
}

// table is a relation with the columns that a query sees of it.
type table struct {
	name    string
	columns []column
}

// where says what an expression may hold in its place.
type where struct {
	// columns are those of this level, outer those of the levels around it.
	columns, outer []column
	// raw are the ungrouped columns, for the arguments of aggregates.
	raw       []column
	aggregate bool
	window    bool
	setof     bool
}

// plain is w without aggregates, windows and sets.
func (w where) plain() where {
	w.aggregate, w.window, w.setof = false, false, false
	return w
}

// inner is w as a subquery sees it: its columns are those of an outer level.
func (w where) inner() where {
	return where{outer: append(append([]column{}, w.columns...), w.outer...)}
}

// expr writes an expression of a type, depth levels deep at most.
func (g *generator) expr(t *catalog.Type, w where, depth int) *node {
	n := g.exprOf(t, w, depth)
	if n == nil {
		n = g.literal(t)
	}
	if n.typ == "" {
		n.typ = g.name(t)
	}
	return n
}

func (g *generator) exprOf(t *catalog.Type, w where, depth int) *node {
	leaf := []choice{
		{12, func() *node { return g.columnOf(t, w) }},
		{3, func() *node { return g.literal(t) }},
		{1, func() *node { return &node{text: "NULL::" + g.name(t)} }},
		{1, func() *node { return g.param(t) }},
	}
	if g.calm {
		leaf[0].weight, leaf[2].weight = 40, 0
		if depth > 0 {
			leaf[0].weight, leaf[1].weight = 20, 1
		}
	}
	if depth <= 0 {
		return g.choose(leaf...)
	}
	x := func(t *catalog.Type) *node { return g.expr(t, w, depth-1-g.n(2)) }
	if !g.calm {
		leaf[0].weight = 8
	}
	return g.choose(append(leaf,
		choice{5, func() *node { return g.function(t, w, depth) }},
		choice{5, func() *node { return g.operator(t, w, depth) }},
		choice{1, func() *node { return seq("(", x(t), ")") }},
		choice{2, func() *node { return g.caseOf(t, w, depth) }},
		choice{2, func() *node {
			list := listOf(", ", 1, x(t), x(t))
			if g.chance(3) {
				list.kids = append(list.kids, g.literal(t))
			}
			return seq("COALESCE(", list, ")")
		}},
		choice{1, func() *node {
			if !g.sorts(t) {
				return nil
			}
			return seq("NULLIF(", x(t), ",", x(t), ")")
		}},
		choice{1, func() *node {
			if !g.sorts(t) {
				return nil
			}
			return seq(pick(g, []string{"GREATEST(", "LEAST("}), listOf(", ", 1, x(t), x(t)), ")")
		}},
		choice{1, func() *node { return g.cast(t, w, depth) }},
		choice{2, func() *node { return seq("(", g.query([]*catalog.Type{t}, w.inner(), depth-1), ")") }},
		choice{1, func() *node { return g.element(t, w, depth) }},
		choice{2, func() *node { return g.field(t, w, depth) }},
		choice{8, func() *node {
			if !w.aggregate {
				return nil
			}
			return g.aggregate(t, w, depth)
		}},
		choice{5, func() *node {
			if !w.window {
				return nil
			}
			return g.windowCall(t, w, depth)
		}},
		choice{7, func() *node {
			switch {
			case t.Name == "bool":
				return g.condition(w, depth)
			case t.IsArray():
				return g.array(t, w, depth)
			case t.Name == "jsonb" || t.Name == "json":
				return g.json(t, w, depth)
			case t.Kind == 'c':
				return g.row(t, w, depth)
			}
			return g.special(t, w, depth)
		}},
	)...)
}

func (g *generator) columnOf(t *catalog.Type, w where) *node {
	if g.chance(2) {
		for _, c := range g.focus {
			if c.typ.OID == t.OID && (slices.Contains(w.columns, c) || slices.Contains(w.outer, c)) {
				return &node{text: c.ref}
			}
		}
	}
	var own, outer []string
	for _, c := range w.columns {
		if c.typ.OID == t.OID {
			own = append(own, c.ref)
		}
	}
	for _, c := range w.outer {
		if c.typ.OID == t.OID {
			outer = append(outer, c.ref)
		}
	}
	switch {
	case len(own) > 0 && (len(outer) == 0 || !g.chance(4)):
		return &node{text: pick(g, own)}
	case len(outer) > 0:
		return &node{text: pick(g, outer)}
	}
	return nil
}

func (g *generator) param(t *catalog.Type) *node {
	if g.noParams {
		return nil
	}
	n := g.newParam(g.name(t))
	if !g.chance(3) {
		n.text += "::" + g.name(t)
	}
	return n
}

// newParam is a parameter, now and then one of the same type that is there already.
func (g *generator) newParam(typ string) *node {
	for i, have := range g.params {
		if (have == typ || g.chance(40)) && g.chance(4) {
			return &node{text: fmt.Sprintf("$%d", i+1)}
		}
	}
	g.params = append(g.params, typ)
	return &node{text: fmt.Sprintf("$%d", len(g.params))}
}

// typed is an expression whose type does not hang on what is around it.
func (g *generator) typed(t *catalog.Type, w where, depth int) *node {
	n := g.expr(t, w, depth)
	if s := n.String(); !strings.Contains(s, "::") && (s[0] == '\'' || s[0] == '$' || s[0] == '(' && g.chance(2)) && !g.chance(10) {
		return expression(g.name(t), n, "::"+g.name(t))
	}
	return n
}

// comparable picks a type that has the operators of a B-tree.
func (g *generator) comparable() *catalog.Type {
	for {
		if t := g.anyType(); g.sorts(t) {
			return t
		}
	}
}

func (g *generator) sorts(t *catalog.Type) bool {
	lt, _ := g.cat.SortOps(t.OID)
	return lt != 0 || g.chance(40)
}

// arguments writes the arguments of a function for an element type.
func (g *generator) arguments(f *catalog.Func, elem *catalog.Type, w where, depth int) *node {
	list := listOf(", ", 0)
	for i, a := range f.Args {
		if i >= len(f.Args)-f.Defaults && g.chance(2) {
			break
		}
		t := g.cat.Type(a)
		if t.Name == "any" {
			t = g.anyType()
		} else if t = g.bind(a, elem); t == nil || !g.usable(t.OID) {
			return nil
		}
		if f.Variadic != 0 && i == len(f.Args)-1 {
			if t.IsArray() && g.chance(4) {
				list.kids = append(list.kids, seq("VARIADIC", g.typed(t, w, depth-1)))
				break
			}
			if t.IsArray() {
				t = g.cat.Type(t.Element)
			}
			for range g.n(3) {
				list.kids = append(list.kids, g.typed(t, w, depth-1))
			}
		}
		if polymorphic(g.cat, a) {
			list.kids = append(list.kids, g.typed(t, w, depth-1))
			continue
		}
		list.kids = append(list.kids, g.expr(t, w, depth-1))
	}
	list.min = len(list.kids)
	return list
}

// pickFunc picks a function that gives t, with the element type of its arguments.
func (g *generator) pickFunc(from map[pgtype.OID][]*catalog.Func, t *catalog.Type) (*catalog.Func, *catalog.Type) {
	exact, poly := from[t.OID], from[0]
	for range 8 {
		if len(exact) > 0 && (len(poly) == 0 || !g.chance(4)) {
			return pick(g, exact), g.anyType()
		}
		if len(poly) == 0 {
			return nil, nil
		}
		f := pick(g, poly)
		if elem := g.solve(f.Result, t); elem != nil {
			return f, elem
		}
	}
	return nil, nil
}

func callName(g *generator, f *catalog.Func) string {
	name := g.cat.QuoteIdent(f.Name)
	if keywordFuncs[f.Name] {
		return "pg_catalog." + `"` + f.Name + `"`
	}
	return name
}

// keywordFuncs are names that the grammar reads as something else.
var keywordFuncs = map[string]bool{
	"overlay": true, "position": true, "substring": true, "trim": true, "extract": true, "interval": true, "time": true, "timestamp": true,
	"char": true, "varchar": true, "numeric": true, "bit": true, "float": true, "int": true, "bool": true, "decimal": true, "real": true, "bpchar": true,
	"normalize": true, "any": true, "row": true, "values": true, "timetz": true, "timestamptz": true, "overlaps": true, "collation": true, "left": true, "right": true,
	"is_normalized": true, "user": true, "current_user": true, "session_user": true, "current_schema": true,
}

func (g *generator) function(t *catalog.Type, w where, depth int) *node {
	f, elem := g.pickFunc(g.funcs, t)
	if f == nil {
		return nil
	}
	args := g.arguments(f, elem, w.plainSets(), depth)
	if args == nil {
		return nil
	}
	return seq(callName(g, f)+"(", args, ")")
}

func (w where) plainSets() where { w.setof = false; return w }

func (g *generator) operator(t *catalog.Type, w where, depth int) *node {
	exact, poly := g.opers[t.OID], g.opers[0]
	for range 8 {
		var o *catalog.Operator
		elem := g.anyType()
		switch {
		case len(exact) > 0 && !g.chance(4):
			o = pick(g, exact)
		case len(poly) > 0:
			o = pick(g, poly)
			if elem = g.solve(o.Result, t); elem == nil {
				continue
			}
		default:
			return nil
		}
		right := g.bind(o.Right, elem)
		if right == nil {
			continue
		}
		if o.Left == 0 {
			return seq("(", o.Name, g.expr(right, w, depth-1), ")")
		}
		left := g.bind(o.Left, elem)
		if left == nil {
			continue
		}
		return seq("(", g.expr(left, w, depth-1), o.Name, g.expr(right, w, depth-1), ")")
	}
	return nil
}

func (g *generator) caseOf(t *catalog.Type, w where, depth int) *node {
	whens := listOf(" ", 1)
	n := seq("CASE")
	boolean := g.typeOf("bool")
	if c := g.columnOf(t, w); c != nil && g.chance(3) {
		// A branch for the rows in which the column is (not) NULL.
		test := pick(g, []string{"IS NOT NULL", "IS NULL", "IS NOT DISTINCT FROM NULL"})
		whens.kids = append(whens.kids, seq("WHEN", c, test, "THEN", pick(g, []*node{{text: c.text}, g.expr(t, w, depth-1)})))
	} else if g.chance(3) {
		of := g.comparable()
		n.kids = append(n.kids, g.expr(of, w, depth-1))
		boolean = of
	}
	for range 1 + g.n(2) {
		whens.kids = append(whens.kids, seq("WHEN", g.expr(boolean, w, depth-1), "THEN", g.expr(t, w, depth-1)))
	}
	n.kids = append(n.kids, whens)
	if !g.chance(3) {
		n.kids = append(n.kids, maybe("ELSE", g.expr(t, w, depth-1)))
	}
	return seq("(", n, "END )")
}

func (g *generator) cast(t *catalog.Type, w where, depth int) *node {
	from := g.anyType()
	if g.chance(3) {
		from = g.typeOf("text")
	}
	if g.chance(2) {
		return seq("CAST(", g.expr(from, w, depth-1), "AS", g.name(t), ")")
	}
	return seq("(", g.expr(from, w, depth-1), ")::"+g.name(t))
}

// element is a subscript of an array of t.
func (g *generator) element(t *catalog.Type, w where, depth int) *node {
	if t.Array == 0 {
		return nil
	}
	return seq("(", g.typed(g.cat.Type(t.Array), w, depth-1), ")[", g.expr(g.typeOf("int4"), w, min(depth-1, 1)), "]")
}

// field is a field of a composite value.
func (g *generator) field(t *catalog.Type, w where, depth int) *node {
	for _, u := range g.userTypes {
		if u.Kind != 'c' {
			continue
		}
		for _, c := range g.typeTable(u).Columns {
			if c.Type == t.OID && !c.Dropped && !g.chance(3) {
				return seq("(", g.typed(u, w, depth-1), ")."+g.cat.QuoteIdent(c.Name))
			}
		}
	}
	return nil
}

func (g *generator) row(t *catalog.Type, w where, depth int) *node {
	list := listOf(", ", 0)
	for _, c := range g.typeTable(t).Columns {
		if !c.Dropped {
			list.kids = append(list.kids, g.expr(g.cat.Type(c.Type), w, depth-1))
		}
	}
	list.min = len(list.kids)
	return seq("ROW(", list, ")::"+g.name(t))
}

func (g *generator) array(t *catalog.Type, w where, depth int) *node {
	elem := g.cat.Type(t.Element)
	x := func(t *catalog.Type) *node { return g.expr(t, w, depth-1) }
	integer := g.typeOf("int4")
	return g.choose(
		choice{4, func() *node {
			return seq("ARRAY[", listOf(", ", 1, x(elem), x(elem)), "]")
		}},
		choice{1, func() *node { return seq("ARRAY[", listOf(", ", 1, x(t), x(t)), "]") }},
		choice{2, func() *node { return seq("ARRAY(", g.query([]*catalog.Type{elem}, w.inner(), depth-1), ")") }},
		choice{2, func() *node {
			return seq("(", g.typed(t, w, depth-1), ")[", maybe(g.expr(integer, w, 0)), ":", maybe(g.expr(integer, w, 0)), "]")
		}},
		choice{2, func() *node { return seq("(", x(t), "||", g.expr(pick(g, []*catalog.Type{elem, t}), w, depth-1), ")") }},
		choice{1, func() *node {
			return seq("array_fill(", x(elem), ", ARRAY["+fmt.Sprint(g.n(3))+"])")
		}},
		choice{1, func() *node {
			if t.Name != "_text" {
				return nil
			}
			return seq("string_to_array(", x(g.typeOf("text")), ", ','", maybe(",", x(g.typeOf("text"))), ")")
		}},
	)
}

func (g *generator) json(t *catalog.Type, w where, depth int) *node {
	text := g.typeOf("text")
	x := func(t *catalog.Type) *node { return g.expr(t, w, depth-1) }
	return g.choose(
		choice{3, func() *node {
			return seq("(", x(t), pick(g, []string{"-> 'a'", "-> 0", "#> '{a,b}'"}), ")")
		}},
		choice{1, func() *node { return seq(t.Name+"_build_object('k',", x(g.anyType()), ", 'l',", x(g.anyType()), ")") }},
		choice{1, func() *node { return seq("to_"+t.Name+"(", x(g.anyType()), ")") }},
		choice{1, func() *node { return seq(t.Name+"_build_array(", listOf(", ", 0, x(g.anyType()), x(text)), ")") }},
		choice{1, func() *node {
			if t.Name != "jsonb" {
				return nil
			}
			return seq("(", g.typed(t, w, depth-1), ")['a']")
		}},
		choice{1, func() *node {
			if len(w.columns) == 0 {
				return nil
			}
			return seq("to_"+t.Name+"(", seq("ROW(", x(g.anyType()), ",", x(text), ")"), ")")
		}},
		choice{1, func() *node {
			if g.cat.Major < 16 || t.Name != "json" {
				return nil
			}
			return seq(pick(g, []string{"JSON_OBJECT( 'k' :", "JSON_ARRAY("}), x(text), maybe("ABSENT ON NULL"), ")")
		}},
	)
}

// special are constructs with a grammar of their own.
func (g *generator) special(t *catalog.Type, w where, depth int) *node {
	x := func(name string) *node { return g.expr(g.typeOf(name), w, depth-1) }
	switch t.Name {
	case "text":
		return g.choose(
			choice{2, func() *node {
				return seq("(", x(pick(g, []string{"jsonb", "json"})), pick(g, []string{"->> 'a'", "->> 0", "#>> '{a,b}'"}), ")")
			}},
			choice{1, func() *node { return seq("substring(", x("text"), "from", x("int4"), maybe("for", x("int4")), ")") }},
			choice{1, func() *node { return seq("substring(", x("text"), "from", "'a(.)'", ")") }},
			choice{1, func() *node { return seq("trim(", maybe("both", x("text")), "from", x("text"), ")") }},
			choice{1, func() *node { return seq("overlay(", x("text"), "placing", x("text"), "from", x("int4"), ")") }},
			choice{1, func() *node { return seq("(", x("text"), `COLLATE "C" )`) }},
			choice{1, func() *node {
				return &node{text: pick(g, []string{"current_user", "current_schema", "current_catalog"}) + "::text"}
			}},
			choice{1, func() *node { return seq("repeat(", x("text"), ", 2)") }},
			choice{1, func() *node { return seq("(", x("text"), "||", x(pick(g, []string{"int4", "bool", "text"})), ")") }},
		)
	case "numeric":
		return seq("EXTRACT(", pick(g, []string{"epoch", "year", "dow"}), "FROM", x(pick(g, []string{"timestamptz", "date", "interval", "timestamp"})), ")")
	case "int4":
		return g.choose(
			choice{1, func() *node { return seq("position(", x("text"), "in", x("text"), ")") }},
			choice{1, func() *node { return seq("array_length(", x("_int4"), ", 1)") }},
			choice{1, func() *node { return seq("cardinality(", x("_text"), ")") }},
			choice{2, func() *node {
				if !w.setof || !g.chance(3) {
					return nil
				}
				return seq("generate_series(1,", &node{text: fmt.Sprint(g.n(4))}, ")")
			}},
			choice{1, func() *node {
				if !w.setof || !g.chance(3) {
					return nil
				}
				return seq("unnest(", x("_int4"), ")")
			}},
		)
	case "timestamptz":
		return g.choose(
			choice{1, func() *node { return seq("(", x("timestamp"), "AT TIME ZONE", "'UTC'", ")") }},
			choice{1, func() *node { return &node{text: pick(g, []string{"now()", "current_timestamp", "clock_timestamp()"})} }},
			choice{1, func() *node { return seq("date_trunc('day',", x("timestamptz"), ")") }},
		)
	case "timestamp":
		return seq("(", x("timestamptz"), "AT TIME ZONE", "'UTC'", ")")
	case "date":
		return &node{text: "current_date"}
	}
	return nil
}

// condition is a boolean construct.
func (g *generator) condition(w where, depth int) *node {
	t := g.comparable()
	if len(w.columns) > 0 && !g.chance(4) {
		if c := pick(g, w.columns).typ; g.sorts(c) {
			t = c
		}
	}
	if len(g.focus) > 0 && g.chance(2) {
		if c := pick(g, g.focus).typ; g.sorts(c) {
			t = c
		}
	}
	x := func() *node { return g.expr(t, w, depth-1) }
	b := func() *node { return g.expr(g.typeOf("bool"), w, depth-1) }
	not := func(s string) string {
		if g.chance(3) {
			return "NOT " + s
		}
		return s
	}
	compare := func() string { return pick(g, []string{"=", "=", "=", "<", ">", "<=", ">=", "<>"}) }
	inner := w.inner()
	return g.choose(
		choice{6, func() *node { return seq("(", x(), compare(), x(), ")") }},
		choice{4, func() *node {
			return seq("(", listOf(pick(g, []string{" AND ", " AND ", " OR "}), 1, b(), b()), ")")
		}},
		choice{2, func() *node { return seq("( NOT", b(), ")") }},
		choice{4, func() *node {
			return seq("(", x(), "IS", pick(g, []string{"NULL", "NOT NULL", "NOT NULL"}), ")")
		}},
		choice{1, func() *node {
			return seq("(", b(), "IS", not(pick(g, []string{"TRUE", "FALSE", "UNKNOWN"})), ")")
		}},
		choice{1, func() *node { return seq("(", x(), "IS", not("DISTINCT FROM"), x(), ")") }},
		choice{2, func() *node { return seq("(", x(), not("IN"), "(", listOf(", ", 1, x(), x()), ") )") }},
		choice{1, func() *node {
			return seq("(", x(), not("BETWEEN"), pick(g, []string{"", "SYMMETRIC"}), x(), "AND", x(), ")")
		}},
		choice{2, func() *node {
			if t.Array == 0 {
				return nil
			}
			return seq("(", x(), compare(), pick(g, []string{"ANY", "ANY", "ALL"}), "(", g.expr(g.cat.Type(t.Array), w, depth-1), ") )")
		}},
		choice{2, func() *node { return seq("(", not("EXISTS"), "(", g.query(nil, inner, depth-1), ") )") }},
		choice{2, func() *node { return seq("(", x(), not("IN"), "(", g.query([]*catalog.Type{t}, inner, depth-1), ") )") }},
		choice{1, func() *node {
			return seq("(", x(), compare(), pick(g, []string{"ANY", "ALL"}), "(", g.query([]*catalog.Type{t}, inner, depth-1), ") )")
		}},
		choice{1, func() *node {
			u := g.comparable()
			return seq("( (", x(), ",", g.expr(u, w, depth-1), ")", compare(), "(", x(), ",", g.expr(u, w, depth-1), ") )")
		}},
		choice{1, func() *node {
			u := g.comparable()
			return seq("( (", x(), ",", g.expr(u, w, depth-1), ")", pick(g, []string{"IN", "=", "<", "NOT IN"}), "(", g.query([]*catalog.Type{t, u}, inner, depth-1), ") )")
		}},
		choice{1, func() *node {
			d := func() *node { return g.expr(g.typeOf("date"), w, 0) }
			return seq("( (", d(), ",", d(), ") OVERLAPS (", d(), ",", d(), ") )")
		}},
		choice{1, func() *node {
			if g.cat.Major < 16 {
				return nil
			}
			return seq("(", g.expr(g.typeOf("text"), w, depth-1), "IS", not("JSON"), pick(g, []string{"", "OBJECT", "ARRAY WITH UNIQUE KEYS"}), ")")
		}},
		choice{1, func() *node {
			s := g.typeOf("text")
			return seq("(", g.expr(s, w, depth-1), not(pick(g, []string{"LIKE", "ILIKE", "SIMILAR TO"})), "'a%'", ")")
		}},
		choice{1, func() *node {
			if len(w.columns) == 0 {
				return nil
			}
			alias, _, ok := strings.Cut(pick(g, w.columns).ref, ".")
			if !ok {
				return nil
			}
			return seq("(", alias, "IS", pick(g, []string{"NULL", "NOT NULL"}), ")")
		}},
	)
}
