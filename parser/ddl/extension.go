package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// plpgsql is the extension that every database has from the start.
const plpgsql = "plpgsql"

// extensionOptions are those of CREATE and ALTER EXTENSION.
type extensionOptions struct {
	schema, version string
	cascade         bool
}

func (a *applier) extensionOptions(list []*pg.Node) extensionOptions {
	var o extensionOptions
	var seen []string
	for _, n := range list {
		e := n.GetDefElem()
		if slices.Contains(seen, e.Defname) {
			a.fail("42601", int(e.Location), "conflicting or redundant options")
		}
		seen = append(seen, e.Defname)
		switch e.Defname {
		case "schema":
			o.schema = e.Arg.GetString_().GetSval()
		case "new_version":
			o.version = e.Arg.GetString_().GetSval()
		case "cascade":
			o.cascade = true
		}
	}
	return o
}

// createExtension brings what was captured of an extension (CreateExtension,
// extension.c). One that was not captured is a warning: what it brings is
// unknown, but not an error.
func (a *applier) createExtension(s *pg.CreateExtensionStmt) {
	if s.Extname == plpgsql || a.cat.Extension(s.Extname) != nil {
		if !s.IfNotExists {
			a.fail("42710", noLoc, "extension %q already exists", s.Extname)
		}
		return
	}
	a.addExtension(s.Extname, a.extensionOptions(s.Options), nil)
}

// addExtension creates an extension and, under CASCADE, those that it requires;
// parents are the ones that are being created (CreateExtensionInternal,
// extension.c).
func (a *applier) addExtension(name string, o extensionOptions, parents []string) {
	if o.schema != "" && a.cat.Schema(o.schema) == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", o.schema)
	}
	av := a.cat.AvailableExtension(name)
	if av == nil {
		a.unknownExtension(name, a.extensionSchema(o.schema))
		return
	}
	a.checkVersion(av, o.version)
	schema := a.controlSchema(av, o)
	for _, r := range av.Requires {
		switch {
		case r == plpgsql || a.cat.Extension(r) != nil:
		case !o.cascade:
			a.failMore("42704", noLoc, "", "Use CREATE EXTENSION ... CASCADE to install required extensions too.",
				"required extension %q is not installed", r)
		case slices.Contains(parents, r):
			a.fail("42P17", noLoc, "cyclic dependency detected between extensions %q and %q", r, name)
		default:
			a.addExtension(r, extensionOptions{schema: o.schema, cascade: true}, append(slices.Clip(parents), name))
			if e := a.cat.Extension(r); e == nil || e.Unknown {
				a.cat.AddExtension(&catalog.Extension{OID: a.cat.NewOID(), Name: name, Schema: schema, Unknown: true, Decl: a.decl(noLoc)})
				return
			}
		}
	}
	for _, r := range av.Requires {
		if e := a.cat.Extension(r); e != nil && e.Unknown {
			a.unknownExtension(name, schema)
			return
		}
	}
	e := &catalog.Extension{
		OID: a.cat.NewOID(), Name: name, Version: av.Version, Schema: schema, Relocatable: av.Relocatable,
		Requires: av.Requires, Decl: a.decl(noLoc),
	}
	got, err := a.cat.ReadExtension(av, schema)
	if err != nil {
		a.diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: "catalog", Message: fmt.Sprintf("%s: %v", av.File, err), File: a.stmt.File, Span: a.stmt.Span,
			Hint: "capture it again with \"dbgen catalog capture\"",
		})
		e.Unknown = true
		a.cat.AddExtension(e)
		return
	}
	a.checkMembers(&got.Objects)
	a.cat.InstallExtension(e, &got.Objects)
	a.extensionTexts(e, got)
}

// unknownExtension warns of an extension of which nothing was captured.
func (a *applier) unknownExtension(name, schema string) {
	a.diags.Add(diag.Diagnostic{
		Severity: diag.Warning, Code: "unsupported", File: a.stmt.File, Span: a.stmt.Span,
		Message: fmt.Sprintf("extension %q: its types, functions and operators are not known", name),
		Hint:    analyze.CaptureHint(name),
	})
	a.cat.AddExtension(&catalog.Extension{OID: a.cat.NewOID(), Name: name, Schema: schema, Unknown: true, Decl: a.decl(noLoc)})
}

// checkVersion fails for a version that the server could not install, and warns
// of one that is not the captured one.
func (a *applier) checkVersion(av *catalog.AvailableExtension, version string) {
	if version == "" || version == av.Version {
		return
	}
	if av.Versions != nil && !slices.Contains(av.Versions, version) {
		a.fail("22023", noLoc, "extension %q has no installation script nor update path for version %q", av.Name, version)
	}
	a.diags.Add(diag.Diagnostic{
		Severity: diag.Warning, Code: "unsupported", File: a.stmt.File, Span: a.stmt.Span,
		Message: fmt.Sprintf("extension %q: version %q was not captured, its objects are taken to be those of %q", av.Name, version, av.Version),
	})
}

// extensionSchema is the schema of the SCHEMA clause, else the one that objects
// are created in.
func (a *applier) extensionSchema(clause string) string {
	if clause != "" {
		return clause
	}
	return a.creationSchema("", noLoc)
}

// controlSchema chooses the schema that an extension is created in: the one that
// its control file fixes, which is created if need be, else that of the SCHEMA
// clause, else the first of the search path that is there.
func (a *applier) controlSchema(av *catalog.AvailableExtension, o extensionOptions) string {
	if av.Schema == "" {
		return a.extensionSchema(o.schema)
	}
	if o.schema != "" && o.schema != av.Schema && !o.cascade {
		a.fail("0A000", noLoc, "extension %q must be installed in schema %q", av.Name, av.Schema)
	}
	if a.cat.Schema(av.Schema) == nil {
		a.cat.AddSchema(&catalog.Schema{OID: a.cat.NewOID(), Name: av.Schema})
	}
	return av.Schema
}

// checkMembers fails where a name that the extension's script would give is
// taken.
func (a *applier) checkMembers(o *catalog.Objects) {
	for _, s := range o.Schemas {
		if a.cat.Schema(s.Name) != nil {
			a.fail("42P06", noLoc, "schema %q already exists", s.Name)
		}
	}
	for _, t := range o.Types {
		if t.IsArray() {
			if a.cat.TypeByName(t.Schema, t.Name) != nil {
				t.Name = a.arrayTypeName(t.Schema, strings.TrimPrefix(t.Name, "_"))
			}
			continue
		}
		a.newType(t.Schema, t.Name, noLoc)
	}
	for _, t := range o.Tables {
		if t.Kind != catalog.KindComposite && a.relationTaken(t.Schema, t.Name) {
			a.fail("42P07", noLoc, "relation %q already exists", t.Name)
		}
	}
	for _, f := range o.Funcs {
		for _, g := range a.cat.FuncsByName(f.Schema, f.Name) {
			if slices.Equal(f.Args, g.Args) {
				a.fail("42723", noLoc, "function %q already exists with same argument types", f.Name)
			}
		}
	}
}

// extensionTexts analyses what was captured as SQL. What cannot be analysed is
// unknown: the view, the default, the condition.
func (a *applier) extensionTexts(e *catalog.Extension, got *catalog.ExtensionObjects) {
	path := a.cat.SearchPath
	defer func() { a.cat.SearchPath = path }()
	a.cat.SearchPath = []string{e.Schema}
	for _, r := range e.Requires {
		if x := a.cat.Extension(r); x != nil && !slices.Contains(a.cat.SearchPath, x.Schema) {
			a.cat.SearchPath = append(a.cat.SearchPath, x.Schema)
		}
	}
	for _, x := range got.Texts {
		a.extensionText(x)
	}
	for _, f := range got.Funcs {
		if len(f.DefaultTexts) != f.Defaults || f.Defaults == 0 {
			continue
		}
		exprs := make([]query.Expr, f.Defaults)
		for i, text := range f.DefaultTexts {
			sql, n := parseExpression(text)
			if n == nil {
				continue
			}
			exprs[i], _ = analyze.TableExpr(a.cat, nil, sql, n, analyze.KindFunctionDefault, f.Args[len(f.Args)-f.Defaults+i], pgtype.NoTypmod)
		}
		if !slices.Contains(exprs, nil) {
			f.DefaultExprs = exprs
		}
	}
}

func (a *applier) extensionText(x catalog.ExtensionText) {
	switch {
	case x.Column != nil:
		kind := analyze.KindColumnDefault
		if x.Column.Generated != 0 {
			kind = analyze.KindGenerated
		}
		x.Column.HasDefault = true
		if sql, n := parseExpression(x.SQL); n != nil {
			x.Column.Default, _ = analyze.TableExpr(a.cat, x.Table, sql, n, kind, x.Column.Type, x.Column.Typmod)
		}
	case x.Constraint != nil:
		x.Constraint.CheckError = "the condition is not understood"
		sql, n := parseExpression(x.SQL)
		var err *analyze.Error
		switch {
		case n == nil:
			return
		case x.Type != nil:
			x.Constraint.Expr, err = analyze.DomainExpr(a.cat, sql, n, analyze.KindCheck, x.Type.Base, x.Type.BaseTypmod, x.Type.Collation)
		case x.Table != nil:
			x.Constraint.Expr, err = analyze.TableExpr(a.cat, x.Table, sql, n, analyze.KindCheck, 0, pgtype.NoTypmod)
		}
		if x.Constraint.Expr != nil && err == nil {
			x.Constraint.CheckError = ""
		}
	case x.Type != nil:
		if sql, n := parseExpression(x.SQL); n != nil {
			x.Type.Default, _ = analyze.DomainExpr(a.cat, sql, n, analyze.KindColumnDefault, x.Type.Base, x.Type.BaseTypmod, x.Type.Collation)
		}
	case x.Table != nil:
		x.Table.ViewError = "the definition of " + x.Table.Name + " is not understood"
		tree, err := pg.Parse(x.SQL)
		if err != nil || len(tree.Stmts) != 1 {
			return
		}
		if q, err := analyze.Tree(a.cat, x.SQL, tree.Stmts[0].Stmt, nil); err == nil {
			x.Table.View, x.Table.ViewError = q.Query, ""
		}
	}
}

// parseExpression returns the text and tree of an expression, nil for one that
// the grammar does not take.
func parseExpression(expr string) (string, *pg.Node) {
	sql := "SELECT " + expr
	tree, err := pg.Parse(sql)
	if err != nil || len(tree.Stmts) != 1 {
		return "", nil
	}
	list := tree.Stmts[0].Stmt.GetSelectStmt().GetTargetList()
	if len(list) != 1 {
		return "", nil
	}
	return sql, list[0].GetResTarget().GetVal()
}

// extension returns the named extension, or fails.
func (a *applier) extension(name string) *catalog.Extension {
	e := a.cat.Extension(name)
	if e == nil {
		a.fail("42704", noLoc, "extension %q does not exist", name)
	}
	return e
}

// alterExtension is ALTER EXTENSION … UPDATE: the objects stay those that were
// captured (ExecAlterExtensionStmt, extension.c).
func (a *applier) alterExtension(s *pg.AlterExtensionStmt) {
	if s.Extname == plpgsql {
		return
	}
	e := a.extension(s.Extname)
	if av := a.cat.AvailableExtension(e.Name); av != nil && !e.Unknown {
		a.checkVersion(av, a.extensionOptions(s.Options).version)
	}
}

// moveExtension is ALTER EXTENSION … SET SCHEMA (AlterExtensionNamespace,
// extension.c).
func (a *applier) moveExtension(name, schema string) {
	e := a.extension(name)
	if a.cat.Schema(schema) == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", schema)
	}
	switch {
	case e.Schema == schema:
		return
	case e.Unknown:
		e.Schema = schema
		return
	case !e.Relocatable:
		a.fail("0A000", noLoc, "extension %q does not support SET SCHEMA", name)
	}
	a.cat.MoveExtension(e, schema)
}
