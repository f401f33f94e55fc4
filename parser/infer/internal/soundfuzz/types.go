package soundfuzz

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// literals are values of built-in types as their input functions read them, the
// odd ones among them: those that functions stumble over.
var literals = map[string][]string{
	"bool": {"t", "f"}, "int2": {"0", "1", "2", "-1", "7"}, "int4": {"0", "1", "2", "3", "-1", "5", "2147483647"},
	"int8": {"0", "1", "2", "-3", "9223372036854775807"}, "numeric": {"0", "1", "1.50", "-2.25", "NaN", "Infinity", "100"},
	"float4": {"0", "1.5", "-1", "NaN", "Infinity"}, "float8": {"0", "1", "2.5", "-1", "NaN", "-Infinity"},
	"text": {"", "a", "b", "abc", "a,b", "1", "%a_", " x "}, "varchar": {"", "a", "xyz"}, "bpchar": {"", "a", "b "}, "name": {"a", "pg_class"},
	"bytea": {"", `\x00ff`, `\x6162`}, "date": {"2024-02-29", "2000-01-01", "infinity", "-infinity"},
	"time": {"00:00", "23:59:59", "24:00"}, "timetz": {"00:00+00", "12:00-05"},
	"timestamp":   {"2024-02-29 12:00", "2000-01-01", "infinity", "-infinity"},
	"timestamptz": {"2024-02-29 12:00+00", "2000-01-01+00", "infinity", "-infinity"},
	"interval":    {"0", "1 day", "1 mon -1 day", "-2:00"}, "uuid": {"00000000-0000-0000-0000-000000000000", "11111111-2222-4333-8444-555555555555"},
	"json":  {"null", "{}", "[]", `{"a":1,"b":null}`, "[1,null,2]", `"s"`, "1"},
	"jsonb": {"null", "{}", "[]", `{"a":1,"b":null}`, "[1,null,2]", `"s"`, "1", `{"a":{"b":[1]}}`},
	"inet":  {"127.0.0.1", "10.0.0.0/8", "::1"}, "cidr": {"10.0.0.0/8"}, "macaddr": {"08:00:2b:01:02:03"},
	"bit": {"0", "1"}, "varbit": {"", "101"}, "point": {"(0,0)", "(1,2)"}, "box": {"(0,0),(1,1)", "(2,2),(2,2)"},
	"circle": {"<(0,0),1>", "<(1,1),0>"}, "lseg": {"[(0,0),(1,1)]", "[(0,0),(0,0)]"}, "line": {"{1,-1,0}", "{0,1,0}"},
	"path": {"((0,0),(1,1))", "[(0,0),(1,0),(1,1)]"}, "polygon": {"((0,0),(1,0),(1,1))"},
	"tsvector": {"", "'a':1 'b':2"}, "tsquery": {"", "a & b", "!a"}, "jsonpath": {"$", "$.a", "$[*]", "$.a == 1"}, "oid": {"0", "23", "1259"},
	"int4range": {"empty", "[1,3)", "(,5)", "[2,)", "(,)"}, "int8range": {"empty", "[1,3)"}, "numrange": {"empty", "[1.5,2]", "(,)"},
	"tsrange": {"empty", "[2024-01-01,2024-02-01)"}, "tstzrange": {"empty", "[2024-01-01,)", "(,)"}, "daterange": {"empty", "[2024-01-01,2024-02-01)"},
	"int4multirange": {"{}", "{[1,3),[5,7)}"}, "nummultirange": {"{}", "{[1,2]}"}, "datemultirange": {"{}", "{(,)}"}, "tstzmultirange": {"{}"},
	"pg_lsn": {"0/0", "1/AB"}, "money": {"0", "12.5"}, "regclass": {"pg_class", "0"}, "macaddr8": {"08:00:2b:01:02:03:04:05"},
}

// common are the types that columns and expressions mostly have.
var common = []string{
	"int4", "int4", "int4", "int4", "text", "text", "text", "bool", "bool", "int8", "numeric", "timestamptz", "date", "jsonb", "uuid", "float8", "varchar",
	"interval", "timestamp", "int2", "_int4", "_text", "bytea", "int4range", "_numeric", "json", "time",
}

// plainTypes are those of calm schemas and queries.
var plainTypes = []string{"int4", "int4", "int4", "text", "text", "bool", "date", "numeric", "_int4"}

// typeOf is a type of the catalog by its name in pg_type.
func (g *generator) typeOf(name string) *catalog.Type { return g.cat.TypeByName("pg_catalog", name) }

// anyType picks a type: a common one, one of the schema, or any that has literals.
func (g *generator) anyType() *catalog.Type {
	switch n := g.n(20); {
	case g.calm && n < 18:
		return g.typeOf(pick(g, plainTypes))
	case n < 14:
		return g.typeOf(pick(g, common))
	case n < 18 && len(g.userTypes) > 0:
		return pick(g, g.userTypes)
	}
	t := g.typeOf(pick(g, g.literalNames))
	if g.n(4) == 0 && t.Array != 0 {
		return g.cat.Type(t.Array)
	}
	return t
}

// name is a type as SQL writes it.
func (g *generator) name(t *catalog.Type) string { return g.cat.SQLType(t.OID) }

// usable tells a type of which the generator can write values.
func (g *generator) usable(oid pgtype.OID) bool {
	t := g.cat.Type(oid)
	if t == nil {
		return false
	}
	switch {
	case t.IsArray():
		return g.usable(t.Element)
	case t.OID >= pgtype.FirstNormalOID:
		return t.Kind == 'e' || t.Kind == 'd' || t.Kind == 'c' && g.typeTable(t) != nil || t.Kind == 'r'
	}
	return literals[t.Name] != nil
}

func (g *generator) typeTable(t *catalog.Type) *catalog.Table { return g.cat.Table(t.Relation) }

// value is the text of a value as the type's input function reads it; with nulls,
// NULLs stand inside arrays and composites.
func (g *generator) value(t *catalog.Type, nulls bool) string {
	switch {
	case t.IsArray():
		var list []string
		for range g.n(4) {
			if nulls && g.n(4) == 0 {
				list = append(list, "NULL")
			} else {
				list = append(list, quoteElement(g.value(g.cat.Type(t.Element), nulls)))
			}
		}
		return "{" + strings.Join(list, string(delim(g.cat.Type(t.Element)))) + "}"
	case t.Kind == 'e':
		return pick(g, t.Labels)
	case t.Kind == 'd':
		return g.value(g.cat.Type(t.Base), nulls)
	case t.Kind == 'c':
		var list []string
		for _, c := range g.typeTable(t).Columns {
			if c.Dropped {
				continue
			}
			if nulls && g.n(3) == 0 {
				list = append(list, "")
			} else {
				list = append(list, quoteElement(g.value(g.cat.Type(c.Type), nulls)))
			}
		}
		return "(" + strings.Join(list, ",") + ")"
	case t.Kind == 'r' && t.OID >= pgtype.FirstNormalOID:
		return "empty"
	}
	if have := literals[t.Name]; have != nil {
		return pick(g, have)
	}
	return "0"
}

func delim(t *catalog.Type) byte {
	if t.Delim != 0 {
		return t.Delim
	}
	return ','
}

func quoteElement(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// literal writes a constant of a type, in one of the ways that SQL has for it.
func (g *generator) literal(t *catalog.Type) *node {
	s := g.value(t, g.n(3) == 0)
	tag := g.name(t)
	switch {
	case (t.Name == "int4" || t.Name == "numeric") && !strings.ContainsAny(s, "Nn"):
		if strings.HasPrefix(s, "-") {
			s = "(" + s + ")"
		}
		return &node{text: s, typ: tag}
	case t.Name == "bool":
		return &node{text: map[string]string{"t": "true", "f": "false"}[s], typ: tag}
	case g.n(4) == 0:
		return &node{text: quote(s), typ: tag}
	case g.n(4) == 0:
		return &node{text: "CAST(" + quote(s) + " AS " + tag + ")", typ: tag}
	}
	return &node{text: quote(s) + "::" + tag, typ: tag}
}
