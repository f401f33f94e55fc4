// Package plantest holds the planner's plans against those of a server: it makes
// a database, pulls its statistics, plans by them and compares the result with
// EXPLAIN to the letter. Only tests import it.
package plantest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/planner/stats/pull"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// Fixture is a database and its statistics as the planner reads them.
type Fixture struct {
	Conn  *pgx.Conn
	Bound *stats.Bound
}

// noAutovacuum keeps a server that runs autovacuum from changing the statistics
// between the pull and EXPLAIN.
const noAutovacuum = `DO $$ DECLARE t regclass; BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384 LOOP
		EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t);
	END LOOP;
END $$`

// New makes a database of a schema and its data, statements that semicolons
// part, and pulls its statistics.
func New(t testing.TB, schema, data string) *Fixture {
	t.Helper()
	conn := pgtest.New(t, pgtest.SQL(schema)).Conn()
	ctx := context.Background()
	for _, sql := range append([]string{noAutovacuum}, strings.Split(data, ";")...) {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	file, _, err := pull.Pull(ctx, conn, pull.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &Fixture{Conn: conn, Bound: Bind(t, Catalog(t, file.Server.VersionNum/10000, schema), file)}
}

// Catalog returns the catalog of a major version of PostgreSQL after a schema.
func Catalog(t testing.TB, major int, schema string) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", schema)}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return cat
}

// Bind binds a statistics file, or none where it is nil, to a catalog.
func Bind(t testing.TB, cat *catalog.Catalog, file *stats.File) *stats.Bound {
	t.Helper()
	b, diags := stats.Bind(file, cat, stats.BindOptions{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return b
}

// Analyze returns the query tree of a statement.
func Analyze(t testing.TB, cat *catalog.Catalog, sql string) *query.Query {
	t.Helper()
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", "-- name: Q :many\n"+sql+";")}, parser.Queries)
	if diags.HasErrors() {
		t.Fatal(sql, diags)
	}
	a, diags := analyze.Statement(cat, stmts[0])
	if diags.HasErrors() {
		t.Fatalf("%s: %s", sql, diags[0].Message)
	}
	return a.Query
}

// Major returns the server's major version.
func (f *Fixture) Major() int { return f.Bound.VersionNum / 10000 }

// Set changes settings, each written name=value, on the server and returns them
// as the planner reads them. Those set before are reset.
func (f *Fixture) Set(t testing.TB, settings []string) *stats.Settings {
	t.Helper()
	run := []string{"RESET ALL", "SET plan_cache_mode = force_generic_plan", "SET jit = off"}
	values := map[string]string{"plan_cache_mode": "force_generic_plan", "TimeZone": "UTC"}
	for _, kv := range settings {
		k, v, _ := strings.Cut(kv, "=")
		run = append(run, fmt.Sprintf("SET %s = '%s'", k, v))
		values[k] = v
	}
	for _, sql := range run {
		if _, err := f.Conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(sql, err)
		}
	}
	s, diags := stats.ParseSettings(f.Major(), values)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}

// Plan plans a statement under settings.
func (f *Fixture) Plan(t testing.TB, sql string, s *stats.Settings) *planner.Result {
	t.Helper()
	bound := *f.Bound
	bound.Settings = s
	return planner.Plan(&bound, Analyze(t, bound.Catalog, sql), planner.Options{})
}

// Explain returns EXPLAIN's output in a format, TEXT or JSON, of a generic plan
// where the statement has parameters.
func (f *Fixture) Explain(t testing.TB, sql, format string) string {
	t.Helper()
	ctx := context.Background()
	explain := "EXPLAIN (FORMAT " + format + ") "
	if params := strings.Count(sql, "$"); params > 0 {
		if _, err := f.Conn.Exec(ctx, "DEALLOCATE ALL; PREPARE q AS "+sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(sql, err)
		}
		explain += "EXECUTE q (NULL" + strings.Repeat(", NULL", params-1) + ")"
	} else {
		explain += sql
	}
	results, err := f.Conn.PgConn().Exec(ctx, explain).ReadAll()
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

// Tally counts plans.
type Tally struct{ Same, Exact, All int }

// String prints the counts.
func (n Tally) String() string {
	return fmt.Sprintf("%d of %d plans are the server's, %d say so", n.Same, n.All, n.Exact)
}

// Hold compares the plans of statements with the server's under each of the
// settings, as text and, where they are exact, as JSON. A plan that says it is
// approximate may differ, one that says it is exact may not, and there must be
// one.
func (f *Fixture) Hold(t *testing.T, settings [][]string, statements ...string) {
	t.Helper()
	var n Tally
	for _, set := range settings {
		s := f.Set(t, set)
		for _, sql := range statements {
			f.Compare(t, &n, set, sql, s)
		}
	}
	t.Log(n)
}

// Compare compares one plan as Hold does, under settings that are in force
// already, and returns how far the plan says that it can be trusted.
func (f *Fixture) Compare(t *testing.T, n *Tally, set []string, sql string, s *stats.Settings) rel.Precision {
	t.Helper()
	r := f.Plan(t, sql, s)
	n.All++
	if r.Precision == rel.Unsupported {
		t.Errorf("%v %s: %v", set, sql, r.Reasons)
		return r.Precision
	}
	diff := cmp.Diff(f.Explain(t, sql, "TEXT"), r.Root.Text())
	if diff == "" {
		n.Same++
	}
	if r.Precision != rel.Exact {
		return r.Precision
	}
	n.Exact++
	if diff != "" {
		t.Errorf("%v %s\n%s", set, sql, diff)
		return r.Precision
	}
	text, err := json.Marshal(r.Root)
	if err != nil {
		t.Fatal(err)
	}
	var server []struct{ Plan any }
	var got any
	if err := json.Unmarshal([]byte(f.Explain(t, sql, "JSON")), &server); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(server[0].Plan, got); diff != "" {
		t.Errorf("%v %s: JSON\n%s", set, sql, diff)
	}
	return r.Precision
}
