package upper_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/planner/stats/pull"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const schema = `
	CREATE TABLE a (id int PRIMARY KEY, k int NOT NULL, g int, t text, at timestamptz DEFAULT now());
	CREATE TABLE b (x int, y int, n numeric(10,2), f float8, big bigint, c char(3), flag boolean);
	CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a (id), b int, s varchar(20), UNIQUE (b, s));
	CREATE TABLE d (id bigserial PRIMARY KEY, name text NOT NULL, e text, done boolean NOT NULL DEFAULT false);
	CREATE TABLE p (id int NOT NULL, at date NOT NULL, n int) PARTITION BY RANGE (at);
	CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
	CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
	CREATE INDEX a_k ON a (k);
	CREATE INDEX a_g_k ON a (g, k);
	CREATE INDEX c_a ON c (a);
	CREATE UNIQUE INDEX d_name ON d (name) WHERE NOT done;
	CREATE UNIQUE INDEX d_lower ON d (lower(e));`

const data = `
	INSERT INTO a SELECT i, i % 500, i % 7, 'text ' || i, '2020-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 20000) i;
	INSERT INTO b SELECT i % 1000, i % 10, i % 77, i / 3.0, i, 'c' || i % 9, i % 2 = 0 FROM generate_series(1, 200000) i;
	INSERT INTO c SELECT i, 1 + i % 17001, i % 300, 's' || i FROM generate_series(1, 30000) i;
	INSERT INTO d (name, e) SELECT 'n' || i, 'e' || i FROM generate_series(1, 1000) i;
	INSERT INTO p SELECT i, '2020-01-01'::date + i % 60, i % 10 FROM generate_series(1, 50000) i;
	VACUUM ANALYZE;`

// settings make the server, and the planner, prefer other steps.
var settings = [][]string{
	nil,
	{"max_parallel_workers_per_gather=0"},
	{"enable_hashagg=off"},
	{"enable_sort=off", "max_parallel_workers_per_gather=0"},
	{"enable_incremental_sort=off"},
	{"work_mem=64kB", "max_parallel_workers_per_gather=0"},
	{"work_mem=64kB"},
	{"parallel_setup_cost=0", "parallel_tuple_cost=0", "min_parallel_table_scan_size=0", "min_parallel_index_scan_size=0"},
	{"enable_partitionwise_aggregate=on"},
	{"enable_seqscan=off", "enable_hashagg=off"},
}

type fixture struct {
	conn  *pgx.Conn
	bound *stats.Bound
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db := pgtest.New(t, pgtest.SQL(schema))
	conn := db.Conn()
	ctx := context.Background()
	for _, sql := range strings.Split(data, ";") {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	file, _, err := pull.Pull(ctx, conn, pull.Options{})
	if err != nil {
		t.Fatal(err)
	}
	base, err := builtin.Load(file.Server.VersionNum / 10000)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", schema)}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b, diags := stats.Bind(file, cat, stats.BindOptions{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return &fixture{conn: conn, bound: b}
}

func (f *fixture) plan(t *testing.T, sql string, s *stats.Settings) *planner.Result {
	t.Helper()
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", "-- name: Q :many\n"+sql+";")}, parser.Queries)
	if diags.HasErrors() {
		t.Fatal(sql, diags)
	}
	a, diags := analyze.Statement(f.bound.Catalog, stmts[0])
	if diags.HasErrors() {
		t.Fatalf("%s: %s", sql, diags[0].Message)
	}
	bound := *f.bound
	bound.Settings = s
	return planner.Plan(&bound, a.Query, planner.Options{})
}

// explain returns EXPLAIN's output, of a generic plan where the query has
// parameters.
func (f *fixture) explain(t *testing.T, sql string) string {
	t.Helper()
	ctx := context.Background()
	explain := "EXPLAIN " + sql
	if params := strings.Count(sql, "$"); params > 0 {
		if _, err := f.conn.Exec(ctx, "DEALLOCATE ALL; PREPARE q AS "+sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(sql, err)
		}
		explain = "EXPLAIN EXECUTE q (NULL" + strings.Repeat(", NULL", params-1) + ")"
	}
	results, err := f.conn.PgConn().Exec(ctx, explain).ReadAll()
	if err != nil {
		t.Fatal(sql, err)
	}
	var b strings.Builder
	for _, r := range results[0].Rows {
		b.Write(r[0])
		b.WriteByte('\n')
	}
	return b.String()
}

// configure changes settings on the server and returns them as the planner reads
// them.
func (f *fixture) configure(t *testing.T, set []string) *stats.Settings {
	t.Helper()
	exec := func(sql string) {
		t.Helper()
		if _, err := f.conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	exec("RESET ALL; SET plan_cache_mode = force_generic_plan; SET jit = off")
	values := map[string]string{"plan_cache_mode": "force_generic_plan", "TimeZone": "UTC"}
	for _, kv := range set {
		k, v, _ := strings.Cut(kv, "=")
		exec("SET " + k + " = '" + v + "'")
		values[k] = v
	}
	s, diags := stats.ParseSettings(f.bound.VersionNum/10000, values)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}

// tally counts plans.
type tally struct{ same, exact, all int }

// String prints the counts.
func (n tally) String() string {
	return fmt.Sprintf("%d of %d plans are the server's, %d say so", n.same, n.all, n.exact)
}

// compare holds the plan of a query against the server's, to the letter. A plan
// that says it is approximate may differ, one that says it is exact may not.
func (f *fixture) compare(t *testing.T, n *tally, set []string, sql string, s *stats.Settings) {
	t.Helper()
	want := f.explain(t, sql)
	got := f.plan(t, sql, s)
	n.all++
	if got.Precision == rel.Unsupported {
		t.Errorf("%v %s: %v", set, sql, got.Reasons)
		return
	}
	if got.Precision == rel.Exact {
		n.exact++
	}
	diff := cmp.Diff(want, got.Root.Text())
	if diff == "" {
		n.same++
	} else if got.Precision == rel.Exact {
		t.Errorf("%v %s\n%s", set, sql, diff)
	}
}

// TestUpperPlans holds whole plans against the server's.
func TestUpperPlans(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var n tally
	for _, set := range settings {
		s := f.configure(t, set)
		for _, sql := range queries() {
			f.compare(t, &n, set, sql, s)
		}
	}
	t.Log(n)
}
