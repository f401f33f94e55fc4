package path_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/internal/plantest"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/rel"
)

// conditions on one integer column and one boolean, of which each is held
// against each.
var conditions = []string{
	"b = 3", "b <> 3", "b < 3", "b <= 3", "b > 3", "b >= 3", "b = 4", "b < 5", "3 < b", "b IS NULL", "b IS NOT NULL",
	"b IN (3, 4)", "b NOT IN (3, 4)", "b BETWEEN 1 AND 4", "b = 3 OR b = 9", "b > 3 AND a < 2", "b > 3 OR a < 2",
	"NOT (b > 3 OR a < 2)", "flag", "NOT flag", "flag IS TRUE", "flag IS NOT TRUE", "flag IS FALSE", "flag AND b = 3",
	"b + a > 7", "b::bigint > 3", "b = NULL", "c LIKE 'x%'", "c IS NOT NULL", "length(c) > 3",
}

// TestPredicates holds every proof against the server, which is asked through a
// partial index: it uses the index only if the query's condition implies the
// index's.
func TestPredicates(t *testing.T) {
	t.Parallel()
	f := plantest.New(t, schema, data)
	ctx := context.Background()
	if _, err := f.Conn.Exec(ctx, "CREATE TABLE p AS SELECT id, a, b, c, flag FROM t LIMIT 100; SET enable_seqscan = off"); err != nil {
		t.Fatal(err)
	}
	g := &rel.Global{Catalog: f.Bound.Catalog, Stats: f.Bound, Settings: f.Bound.Settings, VersionNum: f.Bound.VersionNum}
	root := &rel.PlannerInfo{Global: g}
	exprs := make([][]query.Expr, len(conditions))
	for i, c := range conditions {
		q := plantest.Analyze(t, f.Bound.Catalog, "SELECT a FROM t WHERE "+c)
		exprs[i] = eval.AndList(eval.Fold(g, q.JoinTree.Quals))
	}
	proved := 0
	for i, pred := range conditions {
		if pred == "b = NULL" {
			continue // folds to a constant, of which no index is made
		}
		if _, err := f.Conn.Exec(ctx, "CREATE INDEX probe ON p (id) WHERE "+pred); err != nil {
			t.Fatal(pred, err)
		}
		for j, clause := range conditions {
			if clause == "b = NULL" {
				continue
			}
			want := strings.Contains(f.Explain(t, "SELECT * FROM p WHERE "+clause, "TEXT"), "probe")
			got := path.PredicateImpliedBy(root, exprs[i], exprs[j], false)
			if got != want {
				t.Errorf("%s => %s: %v, on the server %v", clause, pred, got, want)
			}
			if want {
				proved++
			}
		}
		if _, err := f.Conn.Exec(ctx, "DROP INDEX probe"); err != nil {
			t.Fatal(err)
		}
	}
	if proved < len(conditions) {
		t.Errorf("only %d proofs", proved)
	}
}

// TestRefutation: contradictions are seen, and nothing else is taken for one.
func TestRefutation(t *testing.T) {
	t.Parallel()
	f := plantest.New(t, schema, data)
	g := &rel.Global{Catalog: f.Bound.Catalog, Stats: f.Bound, Settings: f.Bound.Settings, VersionNum: f.Bound.VersionNum}
	root := &rel.PlannerInfo{Global: g}
	for _, c := range []struct {
		pred, clause string
		want         bool
	}{
		{"b < 3", "b > 4", true},
		{"b < 3", "b = 3", true},
		{"b < 3", "b = 2", false},
		{"b IS NULL", "b = 2", true},
		{"b IS NOT NULL", "b IS NULL", true},
		{"b IN (1, 2)", "b = 3", true},
		{"b IN (1, 2)", "b IN (2, 3)", false},
		{"b IN (1, 2)", "b IN (4, 3)", true},
		{"NOT flag", "flag", true},
		{"flag", "NOT flag", true},
		{"b = 1 OR b = 2", "b > 2", true},
		{"b = 1 AND a = 2", "b > 2", true},
		{"b > 1", "a > 1", false},
	} {
		list := func(text string) []query.Expr {
			q := plantest.Analyze(t, f.Bound.Catalog, "SELECT a FROM t WHERE "+text)
			return eval.AndList(eval.Fold(g, q.JoinTree.Quals))
		}
		if got := path.PredicateRefutedBy(root, list(c.pred), list(c.clause), false); got != c.want {
			t.Errorf("%s refutes %s: %v", c.clause, c.pred, got)
		}
	}
}
