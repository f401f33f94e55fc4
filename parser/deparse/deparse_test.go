package deparse_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
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

// TestKeywords holds keywords.txt against the words of a server.
func TestKeywords(t *testing.T) {
	t.Parallel()
	conn, major := server(t)
	rows, err := conn.Query(context.Background(), "select word, catcode <> 'U' from pg_get_keywords() order by 1")
	if err != nil {
		t.Fatal(err)
	}
	cat := load(t, major, "")
	var word string
	var quoted bool
	_, err = pgx.ForEachRow(rows, []any{&word, &quoted}, func() error {
		if got := deparse.QuoteIdent(cat, word); (got != word) != quoted {
			t.Errorf("%s is printed as %s", word, got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTypes holds format_type and the names of pg_type against a server's.
func TestTypes(t *testing.T) {
	t.Parallel()
	conn, major := server(t)
	cat := load(t, major, "")
	type row struct {
		OID       uint32
		Mod       int32
		Text, Own string
	}
	rows, err := conn.Query(context.Background(), `
		select t.oid, m.mod, format_type(t.oid, m.mod),
			coalesce((select case when e.typnamespace = 'pg_catalog'::regnamespace then e.typname else quote_ident(e.typname) end || '[]' from pg_type e where e.typarray = t.oid), case when t.typnamespace = 'pg_catalog'::regnamespace then t.typname else quote_ident(t.typname) end)
		from pg_type t, lateral (select -1 as mod
			union select m from unnest(array[0, 3, 6]) m where t.oid in (1083, 1114, 1184, 1266)
			union select m from unnest(array[5, 36]) m where t.oid in (1042, 1043, 1015)
			union select m from unnest(array[786438, 655368]) m where t.oid in (1700, 1231)
			union select m from unnest(array[458751, 589823, 2147418115, 268435458]) m where t.oid = 1186
			union select m from unnest(array[1, 8]) m where t.oid in (1560, 1562)) m
		where t.typnamespace = 11 and t.typrelid = 0 and t.oid < 16384
			and not exists (select from pg_type e where e.oid = t.typelem and e.typrelid <> 0)
		order by 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 150 {
		t.Fatalf("only %d types", len(list))
	}
	for _, r := range list {
		got := row{
			r.OID, r.Mod, deparse.TypeName(cat, pgtype.OID(r.OID), pgtype.Typmod(r.Mod)),
			deparse.SQLType(cat, pgtype.OID(r.OID)),
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("-server +deparse:\n%s", diff)
		}
	}
}
