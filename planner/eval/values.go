package eval

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// DescOf describes a type of the catalog for its values: a domain by what it is
// over. It is nil for a type that does not exist.
func DescOf(cat *catalog.Catalog, oid pgtype.OID) *pgtype.Desc {
	t := cat.Type(cat.BaseType(oid))
	if t == nil {
		return nil
	}
	d := &pgtype.Desc{OID: t.OID, Name: t.Name, Kind: t.Kind, Len: t.Len, ByVal: t.ByVal, Labels: t.Labels, Delim: t.Delim, Collation: t.Collation}
	switch {
	case t.IsArray(), t.OID == pgtype.Int2vectorOID, t.OID == pgtype.OidvectorOID:
		d.Elem = DescOf(cat, t.Element)
	case t.Kind == 'r':
		d.Sub = DescOf(cat, t.RangeSubtype)
	}
	return d
}

// Value decodes a constant. ok is false for a value of a type that is not known
// or a text that the type does not take; the Datum of a NULL is NULL.
func Value(g *rel.Global, c *query.Const) (v pgtype.Datum, ok bool) {
	f := &folder{g: g, cat: g.Catalog}
	return f.datum(c)
}

// ValueOf decodes a text as a value of a type, as statistics keep them. ok is
// false where it cannot be.
func ValueOf(g *rel.Global, typ pgtype.OID, text string) (v pgtype.Datum, ok bool) {
	return Value(g, &query.Const{Header: query.Header{Typ: typ, Mod: -1}, Value: text})
}

// environment is [Env], looked up once.
func (f *folder) environment() pgtype.Env {
	if f.env == nil {
		e := Env(f.g)
		f.env = &e
	}
	return *f.env
}

func (f *folder) datum(c *query.Const) (pgtype.Datum, bool) {
	if c.Null {
		return pgtype.Datum{}, true
	}
	d := DescOf(f.cat, c.Typ)
	if d == nil || !d.Known() {
		return pgtype.Datum{}, false
	}
	env := pgtype.Env{Major: f.g.VersionNum / 10000}
	if needsZone(d) {
		env = f.environment()
	}
	v, err := pgtype.Parse(d, c.Value, pgtype.NoTypmod, env)
	return v, err == nil
}

// constant makes a constant of a value.
func (f *folder) constant(v pgtype.Datum, h query.Header) *query.Const {
	if v.IsNull() {
		return f.null(h)
	}
	c := f.null(h)
	c.Null = false
	if needsZone(v.Desc()) {
		c.Value = v.Format(f.environment().Location)
	} else {
		c.Value = v.String()
	}
	return c
}

// parse makes a constant of what a type's input function makes of a text; nil
// where that is not known or fails.
func (f *folder) parse(text string, h query.Header) query.Expr {
	c := &query.Const{Header: h, Value: text}
	v, ok := f.datum(c)
	if !ok {
		return nil
	}
	return f.constant(v, h)
}

// elements takes a constant array apart.
func (f *folder) elements(c *query.Const) ([]*query.Const, bool) {
	v, ok := f.datum(c)
	if !ok || v.IsNull() || v.Desc().Elem == nil {
		return nil, false
	}
	elem := v.Desc().Elem
	h := query.Header{Typ: elem.OID, Mod: -1, Coll: c.Coll}
	out := make([]*query.Const, 0, len(v.Elements()))
	for _, e := range v.Elements() {
		out = append(out, f.constant(e, h))
	}
	return out, true
}

// Elements takes a constant array apart; ok is false where its values are not
// known or it is NULL.
func Elements(g *rel.Global, c *query.Const) (elems []*query.Const, ok bool) {
	f := &folder{g: g, cat: g.Catalog}
	return f.elements(c)
}

// Run evaluates a function of pg_catalog over constants; ok is false where it is
// not listed or fails.
func Run(g *rel.Global, fn, inputColl pgtype.OID, args ...*query.Const) (v pgtype.Datum, ok bool) {
	f := &folder{g: g, cat: g.Catalog}
	p := f.cat.Func(fn)
	if p == nil {
		return pgtype.Datum{}, false
	}
	list := make([]query.Expr, len(args))
	for i, a := range args {
		if a.Null && p.Strict {
			return pgtype.Datum{}, true
		}
		list[i] = a
	}
	r := f.run(p, query.Header{Typ: p.Result, Mod: -1}, inputColl, list)
	if r == nil {
		return pgtype.Datum{}, false
	}
	return f.datum(r)
}

// arrayText prints a one-dimensional array as array_out does (arrayfuncs.c).
func arrayText(elems []*string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, e := range elems {
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case e == nil:
			b.WriteString("NULL")
		case *e == "" || strings.EqualFold(*e, "null") || strings.ContainsAny(*e, "{}\",\\ \t\n\v\f\r"):
			b.WriteByte('"')
			b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(*e))
			b.WriteByte('"')
		default:
			b.WriteString(*e)
		}
	}
	b.WriteByte('}')
	return b.String()
}

// quoteField quotes a field of a row as record_out does (rowtypes.c).
func quoteField(s string) string {
	if s != "" && !strings.ContainsAny(s, "\"\\(), \t\n\v\f\r") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `""`).Replace(s) + `"`
}

// canonical returns a constant whose text depends on the time zone, which
// analysis does not know, as its output function prints it.
func (f *folder) canonical(c *query.Const) query.Expr {
	if c.Null || c.Typ != pgtype.TimestamptzOID && c.Typ != pgtype.TimetzOID {
		return c
	}
	v, ok := f.datum(c)
	if !ok {
		return c
	}
	text := v.Format(f.environment().Location)
	if text == c.Value {
		return c
	}
	d := *c
	d.Value = text
	return &d
}
