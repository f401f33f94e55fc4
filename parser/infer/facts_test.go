package infer_test

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
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/source"
)

// TestFacts prints what is inferred of statements: "rows" their cardinality,
// "effects" what they read, write, lock and call, "params" which parameters want
// NULL; each with the reason. "schema" takes DDL.
func TestFacts(t *testing.T) {
	t.Parallel()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, "testdata/facts", func(t *testing.T, path string) {
		t.Parallel()
		cat := catalog.New(base)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			kind := parser.Queries
			if d.Cmd == "schema" {
				kind = parser.Schema
			}
			stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", d.Input)}, kind)
			if d.Cmd == "schema" {
				diags.Append(ddl.Apply(cat, stmts))
			}
			var b strings.Builder
			for i := range diags {
				fmt.Fprintln(&b, diags[i].Error())
			}
			if d.Cmd == "schema" || diags.HasErrors() {
				return b.String()
			}
			for _, s := range stmts {
				a, diags := analyze.Statement(cat, s)
				if a == nil {
					fmt.Fprintln(&b, diags[0].Error())
					continue
				}
				f := infer.Infer(cat, a.Query)
				switch d.Cmd {
				case "rows":
					fmt.Fprintf(&b, "%s: %s\n", f.Cardinality, f.CardinalityWhy)
				case "effects":
					writeEffects(&b, f)
				case "params":
					known := infer.Params(cat, a.Query)
					for _, p := range a.Params {
						k := known[p.Number]
						fmt.Fprintf(&b, "$%d %s: %s\n", p.Number, map[bool]string{true: "nullable", false: "not null"}[k.Nullable], k.Why)
					}
				default:
					d.Fatalf(t, "unknown command %s", d.Cmd)
				}
			}
			return b.String()
		})
	})
}

func writeEffects(b *strings.Builder, f *infer.Facts) {
	list := func(word string, what []string) {
		if len(what) > 0 {
			fmt.Fprintf(b, "%s %s\n", word, strings.Join(what, ", "))
		}
	}
	fmt.Fprint(b, f.Volatility)
	if len(f.VolatilityWhy) > 0 {
		fmt.Fprintf(b, " (%s)", strings.Join(f.VolatilityWhy, ", "))
	}
	if f.ReadOnly() {
		fmt.Fprint(b, ", read only")
	}
	fmt.Fprintln(b)
	list("reads", f.Reads)
	list("reads unknown:", f.ReadsUnknown)
	list("writes", f.Writes)
	list("writes", f.WritesWhy)
	for _, l := range f.RowLocks {
		fmt.Fprintf(b, "locks %s\n", l)
	}
	list("fires", f.Triggers)
	list("unknown:", f.Unknown)
}
