package ddl

import (
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// strs returns the strings of a list of String nodes.
func strs(list []*pg.Node) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}

// split takes a qualified name apart; a database name in front is dropped.
func split(list []*pg.Node) (schema, name string) {
	s := strs(list)
	switch len(s) {
	case 0:
		return "", ""
	case 1:
		return "", s[0]
	}
	return s[len(s)-2], s[len(s)-1]
}

// shown is a name as messages have it: schema.name where it was qualified.
func shown(schema, name string) string {
	if schema == "" {
		return name
	}
	return schema + "." + name
}

// creationSchema is where an object with an unqualified name is created
// (RangeVarGetCreationNamespace, namespace.c).
func (a *applier) relationSchema(r *pg.RangeVar, loc int) string {
	if r.Relpersistence == "t" || r.Schemaname == tempSchema {
		if r.Schemaname != "" && r.Schemaname != tempSchema {
			a.fail("42P16", loc, "cannot create temporary relation in non-temporary schema")
		}
		return a.temporary()
	}
	return a.creationSchema(r.Schemaname, loc)
}

// temporary makes the schema of temporary objects where it is not there yet
// (InitTempTableNamespace, namespace.c) and returns its name.
func (a *applier) temporary() string {
	if a.cat.Schema(tempSchema) == nil {
		a.cat.AddSchema(&catalog.Schema{OID: a.cat.NewOID(), Name: tempSchema})
	}
	return tempSchema
}

// tempSchema is where temporary relations are; it is looked at before the search
// path.
const tempSchema = catalog.TempSchema

// creationSchema is where another object is created
// (QualifiedNameGetCreationNamespace, namespace.c).
func (a *applier) creationSchema(schema string, loc int) string {
	if schema == "pg_catalog" {
		a.failMore("42501", noLoc, "System catalog modifications are currently disallowed.", "",
			"permission denied to create in schema %q", schema)
	}
	if schema == tempSchema {
		return a.temporary()
	}
	if schema != "" {
		if a.cat.Schema(schema) == nil {
			a.fail("3F000", loc, "schema %q does not exist", schema)
		}
		return schema
	}
	for _, s := range a.cat.SearchPath {
		if a.cat.Schema(s) != nil {
			return s
		}
	}
	a.fail("3F000", loc, "no schema has been selected to create in")
	return ""
}

// relation returns the relation that r names, or fails
// (RangeVarGetRelid, namespace.c).
func (a *applier) relation(r *pg.RangeVar) *catalog.Table {
	t := a.cat.TableByName(r.Schemaname, r.Relname)
	if t == nil {
		a.noRelation(r.Schemaname, r.Relname, int(r.Location))
	}
	return t
}

func (a *applier) noRelation(schema, name string, loc int) {
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail("3F000", loc, "schema %q does not exist", schema)
	}
	a.failMore("42P01", loc, "", suggest(name, a.relationNames(schema)), "relation %q does not exist", shown(schema, name))
}

func (a *applier) relationNames(schema string) []string {
	var names []string
	for _, t := range a.cat.Tables() {
		if schema == "" || t.Schema == schema {
			names = append(names, t.Name)
		}
	}
	return names
}

// column returns a table's column, or fails as the server words it.
func (a *applier) column(t *catalog.Table, name string, loc int) *catalog.Column {
	c := t.Column(name)
	if c == nil {
		a.failMore("42703", loc, "", a.columnHint(t, name), "column %q of relation %q does not exist", name, t.Name)
	}
	return c
}

func (a *applier) columnHint(t *catalog.Table, name string) string {
	var names []string
	for _, c := range t.Columns {
		if !c.Dropped {
			names = append(names, c.Name)
		}
	}
	return suggest(name, names)
}

// suggest is the hint that names what was likely meant, "" for none.
func suggest(name string, candidates []string) string {
	if s, ok := diag.DidYouMean(name, candidates); ok {
		return "did you mean " + strconv.Quote(s) + "?"
	}
	return ""
}

// typeName resolves a type name, or fails.
func (a *applier) typeName(n *pg.TypeName) (pgtype.OID, pgtype.Typmod) {
	oid, mod, err := analyze.TypeName(a.cat, n)
	a.check(err, int(n.GetLocation()))
	return oid, mod
}

// namedType returns the type of a list of name parts, or fails.
func (a *applier) namedType(parts []*pg.Node, loc int) *catalog.Type {
	schema, name := split(parts)
	t := a.cat.TypeByName(schema, name)
	if t == nil {
		a.fail("42704", loc, "type %q does not exist", shown(schema, name))
	}
	return t
}

// collation returns the collation of a list of name parts, or fails.
func (a *applier) collation(parts []*pg.Node, loc int) pgtype.OID {
	schema, name := split(parts)
	c := a.cat.CollationByName(schema, name)
	if c == nil {
		a.fail("42704", loc, "collation %q for encoding \"UTF8\" does not exist", shown(schema, name))
	}
	return c.OID
}

// expr analyses an expression over a table (nil for none) that is to become a
// value of target, 0 for any type. What dbgen does not understand yet is a
// warning, and the result nil; what the server would refuse ends the statement.
func (a *applier) expr(t *catalog.Table, n *pg.Node, kind analyze.ExprKind, target pgtype.OID, mod pgtype.Typmod) (query.Expr, string) {
	e, err := analyze.TableExpr(a.cat, t, a.stmt.Text, n, kind, target, mod)
	why := a.orWarn(err)
	if why != "" {
		e = nil
	}
	return e, why
}

// orWarn reports an error of the analyser: a warning, whose message it returns,
// where only dbgen is at a loss, else a failure.
func (a *applier) orWarn(err *analyze.Error) string {
	if err == nil {
		return ""
	}
	if err.SQLState != "" {
		a.check(err, noLoc)
	}
	a.diags.Add(a.analysis(err, noLoc))
	return err.Message
}

// typeWord is a type as messages write it.
func (a *applier) typeWord(oid pgtype.OID) string { return a.cat.BaseTypeName(oid) }
