package eval_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

const foldSchema = `
	CREATE DOMAIN plain AS int;
	CREATE DOMAIN positive AS int CHECK (VALUE > 0);
	CREATE TYPE mood AS ENUM ('low', 'high');
	CREATE TABLE t (a int, b bigint, c text, d timestamptz, e boolean, f numeric(10, 2), g varchar(20), h date, i text[], j mood, k timestamp, l positive, m bytea);`

// folds are expressions over t; EXPLAIN VERBOSE prints what the server made of
// them.
var folds = []string{
	"1 + 2 * 3", "a + (1 + 2)", "a + 1 + 2", "a = 1 + 1", "NOT (a = 1)", "NOT (a = 1 AND b < 2)", "NOT (a = 1 OR NOT e)", "NOT NOT e", "e = true", "e <> true", "true = e",
	"a = 1 AND true", "a = 1 OR true", "a = 1 AND false", "a = 1 OR false", "a = 1 AND NULL", "(a = 1 AND (b = 2 AND e))", "a = 1 OR (b = 2 OR e)", "NULL::int + a",
	"a IS NULL", "NOT (a IS NULL)", "NOT (e IS TRUE)", "NULL IS NULL", "5 IS NOT NULL", "(a, 1) IS NULL", "(a, 1) IS NOT NULL", "(a, NULL) IS NOT NULL", "ROW(1, 2) IS NOT NULL",
	"true IS UNKNOWN", "NULL::bool IS NOT TRUE", "CASE WHEN true THEN a ELSE b END", "CASE WHEN false THEN 1 WHEN a = 1 THEN 2 ELSE 3 END", "CASE 3 WHEN 1 THEN 'x' WHEN 3 THEN 'y' END",
	"CASE a WHEN 1 THEN 2 END", "coalesce(NULL, a, 1)", "coalesce(NULL, 3, a)", "coalesce(a, 5, b)", "coalesce(NULL::int, NULL)", "nullif(1, 1)", "nullif(1, 2)", "nullif(a, 1)", "nullif(NULL, a)",
	"1 IS DISTINCT FROM NULL", "NULL IS DISTINCT FROM NULL", "a IS DISTINCT FROM 1 + 1", "3 IS DISTINCT FROM 3", "a = ANY (ARRAY[1, 2, 1 + 2])", "3 = ANY ('{1,2,3}'::int[])", "3 <> ALL ('{1,2,3}'::int[])",
	"5 = ANY ('{1,NULL}'::int[])", "a IN (1, 2, 3)", "a NOT IN (1, 2)", "NOT (a IN (1, 2))", "ARRAY[a, 1]", "ARRAY[1, NULL, 3]", "ARRAY[[1, 2], [3, 4]]", "(ARRAY[10, 20])[2]", "(ARRAY[10, 20])[5]",
	"greatest(1, 5, NULL, 3)", "least(a, 2)", "least('b', 'a')", "ROW(1, 'x')", "lower('ABC') || c", "c || 1", "1 || c", "c || 'x'::varchar", "'a' || 1", "c || d::date", "c || e", "c || j", "length('abc') + a",
	"a::bigint", "5::bigint", "'5'::int + a", "5.6::int", "'2024-01-01'::date + 5", "date '2024-01-31' + interval '1 month'", "timestamptz '2024-01-31 10:00+00' - timestamptz '2024-01-01 00:00+00'",
	"now() - interval '1 day'", "d > now() - interval '7 days'", "current_date + 1", "date_trunc('month', timestamp '2024-05-06 07:08')", "extract(year FROM date '2024-05-06')", "interval '1 day' * 3",
	"interval '1 hour' + d", "5 + h", "date_part('year', h)", "f::numeric(12, 2)", "f::numeric(8, 2)", "f::numeric(12, 3)", "1.005::numeric(10, 2)", "g::varchar(30)", "g::varchar(10)", "'abcdef'::varchar(3)",
	"'ab'::char(4)", "c COLLATE \"C\"", "a::plain", "a::positive", "5::plain", "l + 1", "upper(c)", "round(2.567, 1)", "round(f)", "trunc(2.567)", "2 ^ 3", "abs(-5)", "7 % 4", "-(3)", "10 / 4", "10 / 4.0",
	"'abc' LIKE 'a%'", "c LIKE 'a' || '%'", "'abc' ~ '^a'", "substring('hello' FROM 2 FOR 3)", "trim('  x ')", "replace('abc', 'b', 'x')", "position('c' IN 'abc')", "left('hello', 2)", "i || 'x'::text",
	"i || ARRAY['a', 'b']", "ARRAY[1] || 2", "array_length(ARRAY[1, 2], 1)", "'low'::mood < 'high'::mood", "j = 'low'", "md5('x')", "make_date(2024, 2, 29)", "make_interval(days => 3)", "make_interval(hours => a)",
	"(ROW(1, c)).f2", "(SELECT 1)", "timestamp '2024-01-01 10:00' AT TIME ZONE 'UTC'", "d AT TIME ZONE 'UTC'", "to_char(k, 'YYYY')", "'{1,2}'::text::int[]", "ARRAY['1', '2']::int[]", "i::varchar[]", "k::timestamp(3)", "k::date = h",
	"lpad('7', 3)", "lpad('7', 3, '0')", "'x'::text::varchar(5)::text = c", "a BETWEEN 1 AND 2 + 2", "NOT (a BETWEEN 1 AND 5)", "(a, b) = (1, 2)", "(a, b) < (1, 2)", "now()", "$1::int + 1", "coalesce($1::text, 'x')",
	"jsonb '{\"a\": 1}' @> '{\"a\": 1}'", "'\\x61'::bytea = m", "true AND e", "'1 day'::interval > '2 hours'::interval", "d::date", "cast('t' AS bool) OR e", "overlay('abcdef' PLACING 'X' FROM 2)",
}

// TestFold holds the simplified form of expressions against EXPLAIN VERBOSE.
func TestFold(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(foldSchema))
	conn := db.Conn()
	ctx := context.Background()
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	base, err := builtin.Load(version / 10000)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", foldSchema)}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	settings := stats.DefaultSettings(version / 10000)
	settings.TimeZone = zone
	for _, sql := range []string{"SET timezone = '" + zone + "'", "SET plan_cache_mode = force_generic_plan"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	exact := 0
	for _, x := range folds {
		sql := "SELECT " + x + " FROM t"
		stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", "-- name: Q :many\n"+sql+";")}, parser.Queries)
		if diags.HasErrors() {
			t.Fatal(x, diags)
		}
		a, diags := analyze.Statement(cat, stmts[0])
		if diags.HasErrors() {
			t.Errorf("%s: %s", x, diags[0].Message)
			continue
		}
		if a.Query.HasSubLinks {
			continue
		}
		g := &rel.Global{Catalog: cat, VersionNum: version, Settings: settings}
		table := cat.TableByName("", "t")
		e := eval.Fold(g, a.Query.TargetList[0].Expr)
		got := deparse.Expr(e, &deparse.Context{Catalog: cat, Column: func(v *query.Var) (string, string) { return "t", table.ColumnName(v.AttNo) }})
		want := output(t, conn, sql)
		switch {
		case got == want:
			exact++
			if len(g.Reasons) > 0 {
				t.Errorf("%s: %s is exact, but marked: %v", x, got, g.Reasons)
			}
		case len(g.Reasons) > 0:
			t.Logf("%s: %s, the server has %s; approximate: %v", x, got, want, g.Reasons)
		default:
			t.Errorf("%s: %s, the server has %s", x, got, want)
		}
	}
	t.Logf("%d of %d exact", exact, len(folds))
}

// output is the first output column in EXPLAIN VERBOSE.
func output(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "PREPARE q AS "+sql); err != nil {
		t.Fatal(sql, err)
	}
	run := "EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE q"
	var params int
	if err := conn.QueryRow(ctx, "SELECT coalesce(cardinality(parameter_types), 0) FROM pg_prepared_statements WHERE name = 'q'").Scan(&params); err != nil {
		t.Fatal(err)
	}
	if params == 1 {
		run += "(NULL)"
	}
	var text string
	if err := conn.QueryRow(ctx, run, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
		t.Fatal(sql, err)
	}
	if _, err := conn.Exec(ctx, "DEALLOCATE q"); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan struct{ Output []string } }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan.Output[0]
}
