package gotype_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/templates/gotype"
)

// TestResolve chooses Go types.
//
//	exec-ddl  applies the input to the catalog
//	types     resolves the type on each line, not null and nullable
//	  null=pointer|sql|pgtype  the form of NULL
//	  elements                 pointers for elements that may be NULL
//	  param                    as a parameter; the argument's form is shown
//	  override=(TYPE,GOTYPE)   an override of a type
func TestResolve(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		base, err := builtin.Load(16)
		if err != nil {
			t.Fatal(err)
		}
		cat := catalog.New(base)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "exec-ddl" {
				noErrors(t, ddl.Apply(cat, statements(t, d.Input)))
				return ""
			}
			r := resolver(t, cat, d)
			var b strings.Builder
			for line := range strings.Lines(d.Input) {
				name := strings.TrimSpace(line)
				list := statements(t, "SELECT NULL::"+name)
				a, diags := analyze.Statement(cat, list[0])
				noErrors(t, diags)
				request := gotype.Request{
					Type: a.Query.TargetList[0].Expr.ResultType(), ElementNullable: true, Param: d.HasArg("param"),
				}
				fmt.Fprintf(&b, "%s -> %s", name, answer(r, request))
				request.Nullable = true
				if s := answer(r, request); !strings.HasPrefix(s, "not supported") {
					fmt.Fprintf(&b, " | %s", s)
				}
				b.WriteByte('\n')
			}
			return b.String()
		})
	})
}

func resolver(t *testing.T, cat *catalog.Catalog, d *datadriven.TestData) *gotype.Resolver {
	t.Helper()
	r := &gotype.Resolver{Catalog: cat, Local: func(t *catalog.Type) string { return "local_" + t.Name }}
	if d.HasArg("null") {
		var null string
		d.ScanArgs(t, "null", &null)
		r.Options.Null = gotype.Null(null)
	}
	r.Options.NullElements = d.HasArg("elements")
	if d.HasArg("override") {
		var o gotype.Override
		d.ScanArgs(t, "override", &o.PGType, &o.GoType)
		r.Options.Overrides = append(r.Options.Overrides, o)
	}
	return r
}

// answer shows a value: its type and how it is read, or for a parameter passed.
func answer(r *gotype.Resolver, q gotype.Request) string {
	v, err := r.Resolve(q)
	if err != nil {
		hint := ""
		if u, ok := err.(*gotype.Unsupported); ok && u.Hint != "" {
			hint = " (" + u.Hint + ")"
		}
		return err.Error() + hint
	}
	if q.Param {
		return fmt.Sprintf("%s arg=%d", v.Type, v.Arg)
	}
	g := v.Get
	get := g.Method
	switch {
	case g.Func != "":
		get = g.Func + "[" + g.TypeArg.String() + "]"
	case g.Composite != 0:
		get = "Composite"
	}
	return fmt.Sprintf("%s %s", v.Type, [...]string{get, "Null(" + get + ")", "NilNull(" + get + ")", "SQLNull(" + get + ")"}[g.Wrap])
}

func statements(t *testing.T, sql string) []*parser.Statement {
	t.Helper()
	list, diags := parser.ParseFiles([]*source.File{source.NewFile("input.sql", sql)}, parser.Schema)
	noErrors(t, diags)
	return list
}

func noErrors(t *testing.T, diags diag.List) {
	t.Helper()
	for i := range diags {
		if diags[i].Severity == diag.Error {
			t.Fatal(diags[i].Error())
		}
	}
}

func TestPackageName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"time": "time", "encoding/json": "json", "github.com/jackc/pgx/v5": "pgx", "github.com/shopspring/decimal": "decimal",
		"gopkg.in/yaml.v3": "yaml", "github.com/paulmach/go-geom": "geom", "github.com/x/uuid-go": "uuid", "github.com/a/b/v2/c": "c",
	} {
		if got := gotype.PackageName(path); got != want {
			t.Errorf("PackageName(%q) is %q, want %q", path, got, want)
		}
	}
}
