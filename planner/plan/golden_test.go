package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/planner/plan"
)

// TestGolden prints the plans of statements over tables never analysed. The
// commands of testdata are
//
//	schema                       DDL; later commands use it
//	text|json|walk [version=N]   EXPLAIN's formats, and what findings read
func TestGolden(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		tables := ""
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "schema" {
				tables = d.Input
				return ""
			}
			version := 16
			if d.HasArg("version") {
				d.ScanArgs(t, "version", &version)
			}
			r := golden(t, version, tables, d.Input)
			if r.Root == nil {
				return fmt.Sprintf("%s: %s\n", r.Precision, strings.Join(r.Reasons, "; "))
			}
			switch d.Cmd {
			case "text":
				return r.Root.Text()
			case "json":
				var b strings.Builder
				e := json.NewEncoder(&b)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				if err := e.Encode(r.Root); err != nil {
					t.Fatal(err)
				}
				return b.String()
			case "walk":
				return walked(r)
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func golden(t *testing.T, version int, tables, sql string) *planner.Result {
	t.Helper()
	bound := plantest.Bind(t, plantest.Catalog(t, version, tables), nil)
	return planner.Plan(bound, plantest.Analyze(t, bound.Catalog, sql), planner.Options{})
}

// walked prints what findings read of the nodes: the relation and the
// conditions over the query's own columns.
func walked(r *planner.Result) string {
	var b strings.Builder
	r.Root.Walk(func(n *plan.Node) bool {
		b.WriteString(n.Kind.String())
		if n.Rel != nil {
			fmt.Fprintf(&b, " of %v", n.Rel.Relids)
		}
		if n.RTE != nil {
			b.WriteString(" " + n.RTE.ERef.Name)
		}
		if n.Index != nil {
			b.WriteString(" index " + n.Index.Name)
		}
		b.WriteByte('\n')
		for _, c := range []struct {
			name string
			list []query.Expr
		}{
			{"filter", n.FilterExprs},
			{"index cond", n.IndexCondExprs},
			{"recheck", n.RecheckExprs},
			{"join filter", n.JoinFilterExprs},
			{"hash cond", n.HashCondExprs},
			{"merge cond", n.MergeCondExprs},
			{"one-time", n.OneTimeExprs},
			{"tid", n.TIDCondExprs},
			{"sort", n.SortExprs},
		} {
			for _, e := range c.list {
				fmt.Fprintf(&b, "  %s: %s at %d\n", c.name, deparse.Expr(e, &deparse.Context{Catalog: r.Info.Global.Catalog}), e.Span().Start)
			}
		}
		return true
	})
	return b.String()
}
