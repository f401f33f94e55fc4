package model

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/naming"
)

// Code is the code of diagnostics about what cannot be generated; what is not
// supported yet has "unsupported".
const Code = "generate"

// Build makes the package of a set of queries. With an error among the
// diagnostics the package is nil.
func Build(in Input) (*Package, diag.List) {
	in.Options.Package = cmp.Or(in.Options.Package, "db")
	in.Options.ParamLimit = cmp.Or(in.Options.ParamLimit, 2)
	in.Files = slices.Clone(in.Files)
	slices.SortStableFunc(in.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	// The first run finds out which types are used, and only those get names:
	// a table that no query touches never changes the name of another.
	first := newBuilder(in)
	first.build()
	b := newBuilder(in)
	b.claim(first)
	p := b.build()
	if b.diags.HasErrors() {
		return nil, b.diags
	}
	return p, b.diags
}

// builder is one run of Build.
type builder struct {
	in    Input
	types *gotype.Resolver
	scope *naming.Scope
	diags diag.List
	// names are those of the types of the package: enums and composites by
	// type, models by relation. Empty in the first run.
	names map[pgtype.OID]string
	// repos are the names of repositories by file.
	repos map[string]string

	enums      map[pgtype.OID]*Enum
	composites map[pgtype.OID]*Composite
	models     map[pgtype.OID]*Struct
	// nullable says of each live column of a relation whether it can be NULL.
	nullable   map[pgtype.OID][]bool
	violations map[string]*ConstraintError
	// errNames are the names of violations by their keys.
	errNames map[string]string
	methods  map[string]source.Span

	query *Query // at work
}

func newBuilder(in Input) *builder {
	b := &builder{
		in: in, scope: naming.NewScope(reserved(in.Files)...),
		names: map[pgtype.OID]string{}, repos: map[string]string{},
		enums: map[pgtype.OID]*Enum{}, composites: map[pgtype.OID]*Composite{}, models: map[pgtype.OID]*Struct{}, nullable: map[pgtype.OID][]bool{},
		violations: map[string]*ConstraintError{}, errNames: map[string]string{}, methods: map[string]source.Span{},
	}
	b.types = &gotype.Resolver{Catalog: in.Catalog, Options: in.Options.Types, Local: func(t *catalog.Type) string {
		return b.typeName(t.OID, naming.Exported(t.Name))
	}}
	return b
}

// reserved are the names that every package has, and those that one with scoped
// repositories has besides.
func reserved(files []File) []string {
	names := []string{"Queries", "New", "SearchPath"}
	if slices.ContainsFunc(files, func(f File) bool { return f.Scoped && f.used() }) {
		names = append(names, "TenantQueries", "NewTenantQueries", "InTenant", "TenantSetting")
	}
	return names
}

// searchPath is the search path of the catalog as SET takes it. Schemas that the
// catalog lacks are left out: nothing was found in them, but on a server something
// may be.
func searchPath(cat *catalog.Catalog) string {
	var path []string
	for _, s := range cat.SearchPath {
		if s == catalog.TempSchema || cat.Schema(s) != nil {
			path = append(path, cat.QuoteIdent(s))
		}
	}
	// With none of them only pg_catalog is searched, as always.
	return cmp.Or(strings.Join(path, ", "), "pg_catalog")
}

// typeName is the name given to a type of the package, or the one it would like.
func (b *builder) typeName(oid pgtype.OID, wish string) string {
	if n, ok := b.names[oid]; ok {
		return n
	}
	return wish
}

// used reports whether a file has queries that are generated.
func (f *File) used() bool {
	return slices.ContainsFunc(f.Queries, func(q Query) bool { return q.Statement != nil && q.Statement.Annotation != nil })
}

// claim gives names to what the first run found: repositories, then the types
// of values, then tables, each in the order of schema and name.
func (b *builder) claim(first *builder) {
	for _, f := range b.in.Files {
		if f.used() {
			name := naming.Repository(f.Name)
			name = b.scope.Name(name, naming.Exported(strings.TrimSuffix(f.Name, ".sql"))+"Repository")
			b.repos[f.Name] = name
			b.scope.Take("New" + name)
		}
	}
	type object struct {
		oid          pgtype.OID
		schema, wish string
	}
	var values, tables []object
	for oid := range first.enums {
		t := b.in.Catalog.Type(oid)
		values = append(values, object{oid, t.Schema, naming.Exported(t.Name)})
	}
	for oid := range first.composites {
		t := b.in.Catalog.Type(oid)
		values = append(values, object{oid, t.Schema, naming.Exported(t.Name)})
	}
	for oid := range first.models {
		t := b.in.Catalog.Table(oid)
		tables = append(tables, object{oid, t.Schema, naming.Exported(naming.Singular(t.Name))})
	}
	for _, list := range [][]object{tables, values} {
		slices.SortFunc(list, func(a, c object) int {
			return cmp.Or(cmp.Compare(b.schemaRank(a.schema), b.schemaRank(c.schema)),
				strings.Compare(a.schema, c.schema), strings.Compare(a.wish, c.wish), cmp.Compare(a.oid, c.oid))
		})
		for _, o := range list {
			b.names[o.oid] = b.scope.Name(o.wish, naming.Exported(o.schema)+o.wish)
		}
	}
	b.claimErrors(first)
}

// schemaRank puts the schemas of the search path in front, in its order.
func (b *builder) schemaRank(schema string) int {
	if i := slices.Index(b.in.Catalog.SearchPath, schema); i >= 0 {
		return i
	}
	return len(b.in.Catalog.SearchPath)
}

func (b *builder) build() *Package {
	p := &Package{Name: b.in.Options.Package, SearchPath: searchPath(b.in.Catalog)}
	if !naming.Package(p.Name) {
		b.diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: Code, Message: fmt.Sprintf("%q cannot be the name of a Go package", p.Name),
		})
	}
	files := naming.NewScope("models.go", "queries.go")
	for i := range b.in.Files {
		f := &b.in.Files[i]
		if !f.used() {
			continue
		}
		r := &Repository{Name: b.repos[f.Name], Source: path.Base(strings.ReplaceAll(f.Name, `\`, "/")), Scoped: f.Scoped}
		if f.Scoped {
			p.TenantSetting = b.in.Options.TenantSetting
		}
		r.File = fileName(files, f.Name)
		for j := range f.Queries {
			b.query = &f.Queries[j]
			if b.query.Statement == nil || b.query.Statement.Annotation == nil {
				continue
			}
			if m := b.method(r); m != nil {
				r.Methods = append(r.Methods, m)
			}
		}
		p.Repositories = append(p.Repositories, r)
	}
	p.Models = values(b.models, func(s *Struct) string { return s.Name })
	p.Enums = values(b.enums, func(e *Enum) string { return e.Name })
	p.Composites = values(b.composites, func(c *Composite) string { return c.Name })
	p.Errors = values(b.violations, func(e *ConstraintError) string { return e.Name })
	return p
}

// fileName chooses the Go file for a query file; one of another folder with the
// same name gets the folders in front.
func fileName(files *naming.Scope, name string) string {
	short := naming.GoFile(name)
	if files.Take(short) {
		return short
	}
	long := naming.GoFile(strings.NewReplacer("/", "_", `\`, "_").Replace(strings.TrimLeft(name, "./")))
	stem := strings.TrimSuffix(long, ".sql.go")
	return strings.TrimSuffix(files.Name(long, stem+"_"), ".sql.go") + ".sql.go"
}

// values returns a map's values in the order of their names.
func values[K comparable, V any](m map[K]V, name func(V) string) []V {
	var out []V
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b V) int { return strings.Compare(name(a), name(b)) })
	return out
}

// report adds a diagnostic about the query at work.
func (b *builder) report(d diag.Diagnostic) {
	s := b.query.Statement
	d.File, d.Query = s.File, s.Annotation.Name
	d.Code = cmp.Or(d.Code, Code)
	d.Severity = cmp.Or(d.Severity, diag.Error)
	b.diags.Add(d)
}

// unsupported reports the error of a type at a place of the statement's text.
func (b *builder) unsupported(err error, at source.Span, what string) {
	d := diag.Diagnostic{Code: "unsupported", Message: err.Error(), Label: what, Span: b.query.Statement.Span}
	if u, ok := err.(*gotype.Unsupported); ok {
		d.Hint = u.Hint
	}
	if !at.IsZero() {
		d.Span = b.query.Statement.FileSpan(at)
	}
	b.report(d)
}

// method builds the method of the query at work; nil with an error.
func (b *builder) method(r *Repository) *Method {
	s := b.query.Statement
	note := s.Annotation
	m := &Method{Name: exportFirst(note.Name), Command: note.Command, Doc: note.Doc, Plan: b.query.Plan, SQL: SQL(b.in.Catalog, s, b.query.Analyzed)}
	if !b.claimMethod(m.Name) || !b.checkCommand() {
		return nil
	}
	if b.query.Facts != nil {
		m.ReadOnly = b.query.Facts.OnStandby()
	}
	if len(m.Doc) == 0 {
		m.Doc = []string{fmt.Sprintf("%s runs the query %s of %s.", m.Name, note.Name, r.Source)}
	}
	lower := naming.Lower(m.Name)
	m.SQLName = b.scope.Name(lower + "SQL")
	m.QueryName = b.scope.Name(lower + "Query")
	before := len(b.diags)
	if note.Command.ReturnsRows() {
		m.Result = b.result(m.Name)
	}
	b.params(m)
	m.Contract = b.contract(m)
	if b.diags[before:].HasErrors() {
		return nil
	}
	return m
}

// exportFirst gives a name a capital.
func exportFirst(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if unicode.IsUpper(r) {
		return name
	}
	if up := unicode.ToUpper(r); up != r && r != '_' {
		return string(up) + name[size:]
	}
	return "X" + name
}

// claimMethod refuses a name that the package cannot give twice.
func (b *builder) claimMethod(name string) bool {
	span := b.query.Statement.Annotation.NameSpan
	message := ""
	switch {
	case name == "WithTx":
		message = "every repository has a method WithTx of its own"
	case name == "InTx":
		message = "Queries has a method InTx of its own"
	case b.isRepository(name):
		message = fmt.Sprintf("%s is the name of a repository", name)
	default:
		if _, ok := b.methods[name]; ok {
			message = fmt.Sprintf("another query has the method %s already", name)
		}
	}
	if message != "" {
		b.report(diag.Diagnostic{Message: message, Hint: "give the query another name", Span: span})
		return false
	}
	b.methods[name] = span
	return true
}

func (b *builder) isRepository(name string) bool {
	for _, r := range b.repos {
		if r == name {
			return true
		}
	}
	return false
}

// checkCommand holds the command against what the statement returns.
func (b *builder) checkCommand() bool {
	note := b.query.Statement.Annotation
	d := diag.Diagnostic{Span: note.CommandSpan}
	switch {
	case !note.Command.Supported():
		d.Code, d.Message = "unsupported", fmt.Sprintf("not supported yet: :%s", note.Command)
	case note.Command.ReturnsRows() && len(b.outputs()) == 0:
		d.Message = fmt.Sprintf("%s is :%s, but the statement returns no rows", note.Name, note.Command)
		d.Hint = "use :exec or :execrows, or add RETURNING to INSERT, UPDATE or DELETE"
	default:
		return true
	}
	b.report(d)
	return false
}
