package model_test

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
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/model"
)

// TestModel builds models.
//
//	exec-ddl  applies the input to the catalog
//	model     prints the methods, structs and errors of the queries, and what is
//	          wrong with them
//	  package=NAME, limit=N  options
//	  tenant=SETTING         the file is scoped to a tenant
//	sql       prints what is sent
func TestModel(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		base, err := builtin.Load(16)
		if err != nil {
			t.Fatal(err)
		}
		cat := catalog.New(base)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			mode := parser.Queries
			if d.Cmd == "exec-ddl" {
				mode = parser.Schema
			}
			file := source.NewFile("orders.sql", d.Input+"\n")
			list, diags := parser.ParseFiles([]*source.File{file}, mode)
			noErrors(t, diags)
			if d.Cmd == "exec-ddl" {
				noErrors(t, ddl.Apply(cat, list))
				return ""
			}
			in := model.Input{Catalog: cat, Files: []model.File{{Name: file.Name}}}
			for _, s := range list {
				a, diags := analyze.Statement(cat, s)
				noErrors(t, diags)
				in.Files[0].Queries = append(in.Files[0].Queries, model.Query{Statement: s, Analyzed: a, Facts: infer.Infer(cat, a.Query)})
			}
			var b strings.Builder
			switch d.Cmd {
			case "sql":
				for _, q := range in.Files[0].Queries {
					fmt.Fprintln(&b, model.SQL(cat, q.Statement, q.Analyzed))
				}
			case "model":
				d.MaybeScanArgs(t, "package", &in.Options.Package)
				d.MaybeScanArgs(t, "limit", &in.Options.ParamLimit)
				d.MaybeScanArgs(t, "tenant", &in.Options.TenantSetting)
				in.Files[0].Scoped = in.Options.TenantSetting != ""
				p, diags := model.Build(in)
				if p != nil {
					show(&b, p)
				}
				diags.Sort()
				if err := diags.Text(&b, false); err != nil {
					t.Fatal(err)
				}
			}
			return b.String()
		})
	})
}

func noErrors(t *testing.T, diags diag.List) {
	t.Helper()
	if diags.HasErrors() {
		var b strings.Builder
		if err := diags.Text(&b, false); err != nil {
			t.Fatal(err)
		}
		t.Fatal(b.String())
	}
}

func show(b *strings.Builder, p *model.Package) {
	if p.SearchPath != "public" {
		fmt.Fprintf(b, "search path %s\n", p.SearchPath)
	}
	for _, r := range p.Repositories {
		fmt.Fprintf(b, "%s in %s", r.Name, r.File)
		if r.Scoped {
			fmt.Fprintf(b, " scoped by %s", p.TenantSetting)
		}
		b.WriteByte('\n')
		for _, m := range r.Methods {
			var params []string
			for _, p := range m.Params {
				name := p.Local
				if m.ParamsName != "" {
					name = m.ParamsName + "." + p.Field
				}
				params = append(params, strings.TrimSpace(name+" "+p.Value.Type.String()+" "+p.Comment))
			}
			fmt.Fprintf(b, "%s :%s readonly=%t (%s)", m.Name, m.Command, m.ReadOnly, strings.Join(params, ", "))
			switch {
			case m.Result == nil:
			case m.Result.Scalar != nil:
				fmt.Fprintf(b, " -> %s", m.Result.Scalar.Value.Type)
			default:
				fmt.Fprintf(b, " -> %s", m.Result.Struct.Name)
			}
			b.WriteByte('\n')
			if m.Result != nil && m.Result.Local {
				fields(b, m.Result.Struct)
			}
			for _, c := range m.Contract {
				fmt.Fprintf(b, "  %s\n", c)
			}
		}
	}
	for _, s := range p.Models {
		fmt.Fprintf(b, "model %s\n", s.Name)
		fields(b, s)
	}
	for _, e := range p.Enums {
		fmt.Fprintf(b, "enum %s %v\n", e.Name, e.Labels)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(b, "error %s %s.%s.%s %v\n", e.Name, e.Schema, e.Table, e.Constraint, e.Partitions)
	}
}

func fields(b *strings.Builder, s *model.Struct) {
	for _, f := range s.Fields {
		switch {
		case f.Embed == nil:
			fmt.Fprintf(b, "  %s %s\n", f.Name, f.Value.Type)
		default:
			fmt.Fprintf(b, "  %s embeds %s pointer=%t present=%v\n", f.Name, f.Embed.Struct.Name, f.Embed.Pointer, f.Embed.Present)
		}
	}
}

// TestPackageName refuses what Go would.
func TestPackageName(t *testing.T) {
	t.Parallel()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main", "func", "a-b", "1"} {
		_, diags := model.Build(model.Input{
			Catalog: catalog.New(base), Options: model.Options{Package: name, Types: gotype.Options{}},
		})
		if !diags.HasErrors() {
			t.Errorf("%q was taken", name)
		}
	}
}
