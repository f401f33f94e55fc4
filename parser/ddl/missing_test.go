package ddl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/query"
)

// TestMissing applies the statements of each file in testdata/missing, which name
// what is not there, and asks what queries can still be told.
//
//	ddl    applies the input; prints what is wrong with it
//	query  prints the parameters and columns of each statement, or its error
func TestMissing(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/missing", func(t *testing.T, path string) {
		cat := newCatalog(t, 16)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "ddl" {
				return printed(t, ddl.Apply(cat, statements(t, d.Input)))
			}
			var b strings.Builder
			for _, s := range statements(t, d.Input) {
				r, diags := analyze.Statement(cat, s)
				if r == nil {
					b.WriteString(printed(t, diags))
					continue
				}
				var params, columns []string
				for _, p := range r.Params {
					params = append(params, cat.SQLType(p.Type))
				}
				targets := r.Query.TargetList
				if r.Query.Command != query.CmdSelect {
					targets = r.Query.Returning
				}
				for _, e := range targets {
					if !e.Junk {
						columns = append(columns, e.Name+" "+cat.SQLType(e.Expr.ResultType()))
					}
				}
				fmt.Fprintf(&b, "(%s) -> (%s)\n", strings.Join(params, ", "), strings.Join(columns, ", "))
			}
			return b.String()
		})
	})
}
