package planner_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/planner/stats"
)

// TestPlan plans by statistics written by hand. The commands of testdata are
//
//	exec-ddl [version=N]   the schema that later commands use
//	stats                  a statistics file; without one tables are never analysed
//	explain [N=value …]    the precision, its reasons and EXPLAIN's text, for
//	                       values of integer parameters or a generic plan
func TestPlan(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var schema string
		var file *stats.File
		version := 16
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "exec-ddl":
				if d.HasArg("version") {
					d.ScanArgs(t, "version", &version)
				}
				schema, file = d.Input, nil
				plantest.Catalog(t, version, schema)
				return ""
			case "stats":
				f, diags := stats.Read("stats.json", []byte(d.Input))
				if diags.HasErrors() {
					return diags[0].Message + "\n"
				}
				file = f
				return ""
			case "explain":
				return explain(t, d, plantest.Bind(t, plantest.Catalog(t, version, schema), file))
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func explain(t *testing.T, d *datadriven.TestData, bound *stats.Bound) string {
	t.Helper()
	opts := planner.Options{Params: map[int]*query.Const{}}
	for _, arg := range d.CmdArgs {
		var n int
		if _, err := fmt.Sscan(arg.Key, &n); err != nil {
			d.Fatalf(t, "%s is no parameter number", arg.Key)
		}
		opts.Params[n] = &query.Const{
			Header: query.Header{Typ: pgtype.Int4OID, Mod: pgtype.NoTypmod}, Value: arg.Vals[0], Len: 4, ByVal: true,
		}
	}
	r := planner.Plan(bound, plantest.Analyze(t, bound.Catalog, d.Input), opts)
	var b strings.Builder
	fmt.Fprintln(&b, r.Precision)
	for _, reason := range r.Reasons {
		fmt.Fprintln(&b, "--", reason)
	}
	if r.Root != nil {
		b.WriteString(r.Root.Text())
	}
	return b.String()
}

// TestPlanNeverPanics plans what planning is not made for: an analysed utility
// statement, and a query whose table the statistics do not know.
func TestPlanNeverPanics(t *testing.T) {
	t.Parallel()
	cat := plantest.Catalog(t, 16, "CREATE TABLE t (id int PRIMARY KEY)")
	bound := plantest.Bind(t, cat, nil)
	r := planner.Plan(bound, plantest.Analyze(t, cat, "TRUNCATE t"), planner.Options{})
	if r.Root != nil || r.Precision.String() != "unsupported" {
		t.Errorf("TRUNCATE: %v", r)
	}
	if diff := cmp.Diff([]string{"TRUNCATE has no plan"}, r.Reasons); diff != "" {
		t.Error(diff)
	}
}
