package emit_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	gofumpt "mvdan.cc/gofumpt/format"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/templates/emit"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/model"
)

var update = flag.Bool("update", false, "rewrite the packages of golden/")

// root is the module's folder.
const root = "../.."

// golden is one package of golden/. Its schema and queries lie in
// golden/<name>/sql; those of the bookshop in testdata.
type golden struct {
	name            string
	schema, queries string // folders; "" for golden/<name>/sql/{schema,queries}
	options         model.Options
	plans           map[string]string
	// scoped are the query files that are scoped to a tenant, "*" for all.
	scoped []string
}

func cases() []golden {
	return []golden{
		{name: "types"},
		{
			name: "nullsql", schema: "golden/types/sql/schema", queries: "golden/types/sql/queries",
			options: model.Options{Types: gotype.Options{Null: gotype.NullSQL, NullElements: true}},
		},
		{
			name: "nullpgtype", schema: "golden/types/sql/schema", queries: "golden/types/sql/queries",
			options: model.Options{Types: gotype.Options{Null: gotype.NullPgtype}},
		},
		{name: "embeds"},
		{
			name:  "names",
			plans: map[string]string{"GetPerson": "Index Scan using people_pkey on people"},
			options: model.Options{Types: gotype.Options{Overrides: []gotype.Override{
				{PGType: "uuid", GoType: "[]byte"}, {Column: "people.score", GoType: "github.com/jackc/pgx/v5/pgtype.Float8"},
			}}},
		},
		{name: "constraints"},
		{name: "tenants", scoped: []string{"customers.sql", "invoices.sql"}, options: model.Options{TenantSetting: "app.tenant_id"}},
		{
			name: "tenantonly", schema: "golden/tenants/sql/schema", queries: "golden/tenants/sql/queries",
			scoped: []string{"*"}, options: model.Options{TenantSetting: "app.tenant_id"},
		},
		{name: "bookshop", schema: "testdata/bookshop/migrations", queries: "testdata/bookshop/queries"},
	}
}

func (g *golden) dir() string { return filepath.Join(root, "golden", g.name) }

func (g *golden) paths() (schema, queries string) {
	if g.schema != "" {
		return filepath.Join(root, g.schema), filepath.Join(root, g.queries)
	}
	return filepath.Join(g.dir(), "sql", "schema"), filepath.Join(g.dir(), "sql", "queries")
}

// input reads and analyses a case.
func (g *golden) input(t testing.TB) model.Input {
	t.Helper()
	schema, queries := g.paths()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	files, diags := migration.Load([]string{schema})
	noErrors(t, diags)
	list, diags := parser.ParseFiles(files, parser.Schema)
	noErrors(t, diags)
	noErrors(t, ddl.Apply(cat, list))
	names, err := filepath.Glob(filepath.Join(queries, "*.sql"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no queries: %v", queries, err)
	}
	in := model.Input{Catalog: cat, Options: g.options}
	in.Options.Package = g.name
	var sources []*source.File
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source.NewFile(filepath.Base(name), string(text)))
	}
	statements, diags := parser.ParseFiles(sources, parser.Queries)
	noErrors(t, diags)
	for _, f := range sources {
		file := model.File{Name: f.Name, Scoped: slices.Contains(g.scoped, f.Name) || slices.Contains(g.scoped, "*")}
		for _, s := range statements {
			if s.File != f {
				continue
			}
			a, diags := analyze.Statement(cat, s)
			noErrors(t, diags)
			plan := ""
			if s.Annotation != nil {
				plan = g.plans[s.Annotation.Name]
			}
			file.Queries = append(file.Queries, model.Query{Statement: s, Analyzed: a, Facts: infer.Infer(cat, a.Query), Plan: plan})
		}
		in.Files = append(in.Files, file)
	}
	return in
}

func noErrors(t testing.TB, diags diag.List) {
	t.Helper()
	if diags.HasErrors() {
		var b bytes.Buffer
		if err := diags.Text(&b, false); err != nil {
			t.Fatal(err)
		}
		t.Fatal(b.String())
	}
}

func (g *golden) render(t *testing.T, in model.Input) []emit.File {
	t.Helper()
	p, diags := model.Build(in)
	noErrors(t, diags)
	files, err := emit.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// plan is the line of a doc comment that a statistics file brings along.
var plan = regexp.MustCompile(`//\n// Plan: .*\n`)

// TestGolden holds the packages of golden/ against what is generated now. With
// -update they are rewritten. Plans in the bookshop come from its statistics
// file and are not compared.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, g := range cases() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			files := g.render(t, g.input(t))
			want := map[string]bool{}
			for _, f := range files {
				want[f.Name] = true
				path := filepath.Join(g.dir(), f.Name)
				old, err := os.ReadFile(path)
				if err != nil && !*update {
					t.Error(err)
					continue
				}
				now := f.Content
				if g.name == "bookshop" {
					old, now = plan.ReplaceAll(old, nil), plan.ReplaceAll(now, nil)
				}
				if bytes.Equal(old, now) {
					continue
				}
				if !*update {
					t.Errorf("%s differs; run go test ./templates/emit -update\n%s", path, cmp.Diff(string(old), string(now)))
					continue
				}
				if err := os.MkdirAll(g.dir(), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, f.Content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			stale(t, &g, want)
		})
	}
}

// stale finds generated files that belong to no case any more.
func stale(t *testing.T, g *golden, want map[string]bool) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(g.dir(), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if want[filepath.Base(name)] || !bytes.HasPrefix(text, []byte(emit.Header)) {
			continue
		}
		if !*update {
			t.Errorf("%s is not generated any more", name)
			continue
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDeterminism generates each case from shuffled files and wants the same
// bytes.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	for _, g := range cases() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			in := g.input(t)
			want := g.render(t, in)
			for seed := range uint64(5) {
				in.Files = slices.Clone(in.Files)
				rand.New(rand.NewPCG(seed, 1)).Shuffle(len(in.Files), func(i, j int) {
					in.Files[i], in.Files[j] = in.Files[j], in.Files[i]
				})
				if diff := cmp.Diff(want, g.render(t, in)); diff != "" {
					t.Fatalf("seed %d:\n%s", seed, diff)
				}
			}
		})
	}
}

// TestGofumpt wants that gofumpt changes nothing.
func TestGofumpt(t *testing.T) {
	t.Parallel()
	for _, g := range cases() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range g.render(t, g.input(t)) {
				formatted, err := gofumpt.Source(f.Content, gofumpt.Options{LangVersion: "go1.25", ModulePath: "github.com/dbgen/dbgen"})
				if err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
				if diff := cmp.Diff(string(f.Content), string(formatted)); diff != "" {
					t.Errorf("%s:\n%s", f.Name, diff)
				}
			}
		})
	}
}

// TestLint runs vet and staticcheck over the packages of golden/.
func TestLint(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"vet", "./golden/..."}, {"tool", "staticcheck", "-checks", "all,-ST1000", "./golden/..."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %v: %v\n%s", args, err, out)
		}
	}
}
