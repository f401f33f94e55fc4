package lint_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/lint"
	"github.com/dbgen/dbgen/planner/stats"
)

// newCatalog applies schema files to an empty catalog of PostgreSQL 16.
func newCatalog(t *testing.T, files ...*source.File) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	apply(t, cat, files...)
	return cat
}

func apply(t *testing.T, cat *catalog.Catalog, files ...*source.File) {
	t.Helper()
	list, diags := parser.ParseFiles(files, parser.Schema)
	diags.Append(ddl.Apply(cat, list))
	for i := range diags {
		if diags[i].Severity == diag.Error {
			t.Fatal(diags[i].Error())
		}
	}
}

func bind(t *testing.T, cat *catalog.Catalog, text string) *stats.Bound {
	t.Helper()
	var file *stats.File
	if text != "" {
		f, diags := stats.Read("stats.json", []byte(text))
		if diags.HasErrors() {
			t.Fatal(diags[0].Error())
		}
		file = f
	}
	bound, diags := stats.Bind(file, cat, stats.BindOptions{})
	for i := range diags {
		if diags[i].Severity >= diag.Warning {
			t.Fatal(diags[i].Error())
		}
	}
	return bound
}

// lintAll returns the findings about each query of some files.
func lintAll(t *testing.T, bound *stats.Bound, cfg lint.Config, files ...*source.File) diag.List {
	t.Helper()
	list, diags := parser.ParseFiles(files, parser.Queries)
	var out diag.List
	for _, s := range list {
		a, more := analyze.Statement(bound.Catalog, s)
		diags.Append(more)
		if a == nil {
			continue
		}
		name := ""
		if s.Annotation != nil {
			name = s.Annotation.Name
		}
		out.Append(lint.Run(lint.Input{
			Bound: bound, Statement: s, Name: name, Analyzed: a, Facts: infer.Infer(bound.Catalog, a.Query),
			Plan: planner.Plan(bound, a.Query, planner.Options{}),
		}, cfg))
	}
	if diags.HasErrors() {
		t.Fatal(diags[0].Error())
	}
	return out
}

// TestRules runs the files in testdata/rules.
//
//	exec-ddl  applies the input to the schema
//	stats     takes the input as the statistics file; empty for none
//	lint      prints the findings about the queries of the input;
//	          PLxxx=severity configures a rule
func TestRules(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/rules", func(t *testing.T, path string) {
		cat := newCatalog(t)
		text := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "exec-ddl":
				apply(t, cat, source.NewFile("schema.sql", d.Input))
			case "stats":
				text = d.Input
			case "lint":
				cfg := lint.Config{Severities: map[string]string{}}
				for _, a := range d.CmdArgs {
					cfg.Severities[a.Key] = a.Vals[0]
				}
				var b strings.Builder
				if err := lintAll(t, bind(t, cat, text), cfg, source.NewFile("q.sql", d.Input)).Text(&b, false); err != nil {
					t.Fatal(err)
				}
				if b.Len() == 0 {
					return "no findings\n"
				}
				return b.String()
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			return ""
		})
	})
}

// TestRulesAreDocumented holds the rules' own texts together.
func TestRulesAreDocumented(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	last := ""
	for _, r := range lint.Rules() {
		if r.Code <= last || seen[r.Name] {
			t.Errorf("%s %s is out of order or twice", r.Code, r.Name)
		}
		last, seen[r.Name] = r.Code, true
		if r.Title == "" || r.Explanation == "" || r.Before == "" || r.After == "" || r.Default == 0 {
			t.Errorf("%s lacks a part of its documentation", r.Code)
		}
		if got, ok := lint.Explain(r.Code); !ok || got.Name != r.Name {
			t.Errorf("Explain(%q) does not find the rule", r.Code)
		}
	}
	if _, ok := lint.Explain("PL999"); ok {
		t.Error("Explain knows PL999")
	}
}

// TestRulesMarkdown fails where RULES.md is not what the rules say; -rewrite
// writes it.
func TestRulesMarkdown(t *testing.T) {
	t.Parallel()
	want := lint.Markdown()
	if f := flag.Lookup("rewrite"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile("RULES.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("RULES.md is out of date; run with -rewrite (-want +got):\n%s", diff)
	}
}

// badQueries are the queries of the sample that are not good, with the finding
// that says so.
func badQueries() map[string]string {
	return map[string]string{
		"FindCustomersByName": "PL003", "FindCustomerByPhone": "PL002", "ExportCustomers": "PL005", "GetAddressOfKind": "PL007",
		"GetOrderByLegacyNumber": "PL004", "ListOrdersOfDay": "PL003", "ListOrdersPage": "PL006",
		"ListCustomerShipments": "PL002", "ListReviewsByCustomer": "PL002", "ListSessionEvents": "PL002",
		"ReleaseReservations": "PL008", "ClearStockImports": "PL008",
	}
}

// TestBookshop lints the sample project with the statistics that belong to it:
// each bad query has its one finding, and no other query a warning.
func TestBookshop(t *testing.T) {
	t.Parallel()
	const dir = "../../testdata/bookshop/"
	text, err := os.ReadFile(dir + "stats.json")
	if err != nil {
		t.Fatal(err)
	}
	schema, diags := migration.Load([]string{dir + "migrations"})
	queries, more := migration.Sources([]string{dir + "queries"})
	diags.Append(more)
	if diags.HasErrors() {
		t.Fatal(diags[0].Error())
	}
	got := map[string]string{}
	var infos []string
	for _, d := range lintAll(t, bind(t, newCatalog(t, schema...), string(text)), lint.Config{}, queries...) {
		if d.Severity >= diag.Warning {
			got[d.Query] = strings.TrimPrefix(got[d.Query]+" "+d.Code, " ")
		} else {
			infos = append(infos, fmt.Sprintf("%s %s", d.Query, d.Code))
		}
	}
	if diff := cmp.Diff(badQueries(), got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	// True by the estimate, and a matter of taste.
	slices.Sort(infos)
	if diff := cmp.Diff([]string{"ListPublishersOfLanguage PL002"}, infos); diff != "" {
		t.Errorf("infos (-want +got):\n%s", diff)
	}
}
