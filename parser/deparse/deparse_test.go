package deparse_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// schema is the table that the conditions of TestCheck are about.
const schema = `
create type status as enum ('new', 'paid');
create domain email as text;
create schema other;
create function other.f(int) returns int language sql immutable as 'select $1';
create type pair as (a int, b text);
create table t (
  id bigint, i int, s smallint, n numeric(12,2), f float8, r real, b boolean, name text, v varchar(32), c char(3), st status,
  tags text[], nums int[], doc jsonb, js json, at timestamptz, ts timestamp, d date, tm time, iv interval, e email,
  u uuid, p pair, bits bit(4), "Odd" int, "select" text, rng int4range, x xml, by bytea, tsv tsvector, ip inet
)`

func load(t *testing.T, major int, sql string) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	list, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", sql)}, parser.Schema)
	diags.Append(ddl.Apply(cat, list))
	for i := range diags {
		t.Fatal(diags[i].Error())
	}
	return cat
}

func server(t *testing.T) (*pgx.Conn, int) {
	t.Helper()
	conn := pgtest.New(t).Conn()
	var major int
	err := conn.QueryRow(context.Background(), "select current_setting('server_version_num')::int / 10000").Scan(&major)
	if err != nil {
		t.Fatal(err)
	}
	return conn, major
}

// TestCheck holds the text of each condition in testdata/conditions.txt against
// what pg_get_expr prints of a CHECK with it.
func TestCheck(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/conditions.txt")
	if err != nil {
		t.Fatal(err)
	}
	conn, major := server(t)
	if _, err := conn.Exec(context.Background(), schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		cond := strings.TrimSpace(line)
		if cond == "" {
			continue
		}
		add := "alter table t add constraint k check (" + cond + ")"
		if _, err := conn.Exec(context.Background(), add); err != nil {
			t.Fatalf("%s: %v", cond, err)
		}
		var want string
		err := conn.QueryRow(context.Background(),
			"select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'k'").Scan(&want)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(context.Background(), "alter table t drop constraint k"); err != nil {
			t.Fatal(err)
		}
		// pg_get_expr breaks lines before CASE and its arms.
		want = strings.ReplaceAll(strings.Join(strings.Fields(want), " "), "( CASE", "(CASE")
		cat := load(t, major, schema+";"+add)
		table := cat.TableByName("", "t")
		got := deparse.Expr(table.Constraints[0].Expr, deparse.TableContext(cat, table))
		if got != want {
			t.Errorf("%s\n got: %s\nwant: %s", cond, got, want)
		}
	}
}
