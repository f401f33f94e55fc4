package advise_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/advise"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

func newCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	return catalog.New(base)
}

func apply(t *testing.T, cat *catalog.Catalog, files ...*source.File) {
	t.Helper()
	list, diags := parser.ParseFiles(files, parser.Schema)
	diags.Append(ddl.Apply(cat, list))
	fatal(t, diags)
}

func fatal(t *testing.T, diags diag.List) {
	t.Helper()
	for i := range diags {
		if diags[i].Severity == diag.Error {
			t.Fatal(diags[i].Error())
		}
	}
}

func bind(t *testing.T, cat *catalog.Catalog, text string) *stats.Bound {
	t.Helper()
	f, diags := stats.Read("stats.json", []byte(text))
	fatal(t, diags)
	bound, diags := stats.Bind(f, cat, stats.BindOptions{})
	fatal(t, diags)
	return bound
}

// input plans a statement.
func input(t *testing.T, bound *stats.Bound, s *parser.Statement) advise.Input {
	t.Helper()
	a, diags := analyze.Statement(bound.Catalog, s)
	fatal(t, diags)
	replan := func(x []*catalog.Index) *planner.Result {
		return planner.Plan(bound, a.Query, planner.Options{Hypothetical: x})
	}
	return advise.Input{Bound: bound, Plan: replan(nil), Replan: replan}
}

// TestIndexes runs the files in testdata/indexes.
//
//	exec-ddl  applies the input to the schema
//	stats     takes the input as the statistics file
//	advise    prints the indexes for each query of the input, with the cost
//	          before and after; columns-only leaves out expressions
//	reads     prints what each query reads
func TestIndexes(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/indexes", func(t *testing.T, path string) {
		cat := newCatalog(t)
		text := `{"format": "dbgen-stats/1", "tables": {}}`
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "exec-ddl":
				apply(t, cat, source.NewFile("schema.sql", d.Input))
				return ""
			case "stats":
				text = d.Input
				return ""
			case "advise", "reads":
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			bound := bind(t, cat, text)
			list, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", d.Input)}, parser.Queries)
			fatal(t, diags)
			var b strings.Builder
			for _, s := range list {
				in := input(t, bound, s)
				in.ColumnsOnly = d.HasArg("columns-only")
				if d.Cmd == "reads" {
					for _, r := range advise.Reads(bound, in.Plan) {
						fmt.Fprintf(&b, "%s: %d scans, %.0f rows of %.0f, %.0f times, known %v, sequential %v\n", r.Table.Name,
							len(r.Nodes), r.Rows, r.Tuples, r.Loops, r.Known, r.Sequential())
					}
					continue
				}
				recs := advise.Indexes(in, nil)
				for _, r := range recs {
					fmt.Fprintf(&b, "%s  %.0f to %.0f\n", r.DDL, r.Before, r.After)
				}
				if len(recs) == 0 {
					b.WriteString("none\n")
				}
			}
			return b.String()
		})
	})
}

// TestMoreIndexesNeverCostMore plans the sample project with every index that
// is recommended for one of its queries: a query that reads may not become
// dearer by an index that it need not use.
func TestMoreIndexesNeverCostMore(t *testing.T) {
	t.Parallel()
	const dir = "../../testdata/bookshop/"
	text, err := os.ReadFile(dir + "stats.json")
	if err != nil {
		t.Fatal(err)
	}
	cat := newCatalog(t)
	schema, diags := migration.Load([]string{dir + "migrations"})
	queries, more := migration.Sources([]string{dir + "queries"})
	diags.Append(more)
	fatal(t, diags)
	apply(t, cat, schema...)
	bound := bind(t, cat, string(text))
	list, diags := parser.ParseFiles(queries, parser.Queries)
	fatal(t, diags)
	var all []*catalog.Index
	var inputs []advise.Input
	for _, s := range list {
		in := input(t, bound, s)
		inputs = append(inputs, in)
		for _, r := range advise.Indexes(in, nil) {
			if r.After >= r.Before || r.Factor() < advise.GuessFactor {
				t.Errorf("%s: %s saves too little: %.2f to %.2f", s.Annotation.Name, r.DDL, r.Before, r.After)
			}
			if again := in.Replan(r.Planned); again.Root == nil || again.Root.Total > in.Plan.Root.Total {
				t.Errorf("%s: %s makes the query dearer", s.Annotation.Name, r.DDL)
			}
			for _, x := range r.Planned {
				if !slices.ContainsFunc(all, func(o *catalog.Index) bool { return o.Name == x.Name }) {
					all = append(all, x)
				}
			}
		}
	}
	if len(all) < 5 {
		t.Fatalf("%d indexes are too few to say anything", len(all))
	}
	for i, in := range inputs {
		if in.Plan.Root == nil || in.Plan.Precision == rel.Unsupported {
			t.Errorf("%s is not planned", list[i].Annotation.Name)
			continue
		}
		before := in.Plan.Root.Total
		// add_path calls paths within 1 % equally dear, and keeps either.
		if after := in.Replan(all).Root.Total; after > float64(before*1.01) {
			t.Errorf("%s costs %.2f, with more indexes %.2f", list[i].Annotation.Name, before, after)
		}
	}
}
