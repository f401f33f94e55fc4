package selectivity_test

import (
	"strings"
	"testing"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/selectivity"
)

const benchStats = `{"format": "dbgen-stats/1", "server": {"version_num": 160004, "collected_at": "2026-01-01T00:00:00Z", "encoding": "UTF8", "collation": "C", "provider": "c"},
 "tables": {"public.t": {"rows": 1000, "oid": 20000, "kind": "r", "pages": 10, "relpages": 10, "reltuples": 1000, "columns": {
  "a": {"number": 1, "type": "integer", "stats": true, "width": 4, "n_distinct": 500, "mcv": [MCV], "mcf": [MCF]},
  "b": {"number": 2, "type": "integer", "stats": true, "width": 4, "n_distinct": -1}}}}}`

// BenchmarkInList estimates a column against a list of 100 constants, with 100
// most common values.
func BenchmarkInList(b *testing.B) {
	mcv := strings.TrimSuffix(strings.Repeat(`"7",`, 100), ",")
	mcf := strings.TrimSuffix(strings.Repeat(`0.001,`, 100), ",")
	f := handFixture(b, "CREATE TABLE t (a int, b int);", strings.NewReplacer("MCV", mcv, "MCF", mcf).Replace(benchStats))
	root := f.root(b, "SELECT 1 FROM t WHERE a IN (1"+strings.Repeat(", 5", 99)+")")
	b.ReportAllocs()
	for b.Loop() {
		quals := eval.AndList(eval.Fold(f.g, root.Parse.JoinTree.Quals))
		selectivity.ClauselistExprs(root, quals, 0, query.JoinInner, nil)
	}
}
