package catalog_test

import (
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// server returns a connection and the catalog of the server's version.
func server(t *testing.T) (*pgx.Conn, *catalog.Catalog) {
	t.Helper()
	conn := pgtest.New(t).Conn()
	var major int
	err := conn.QueryRow(context.Background(), "select current_setting('server_version_num')::int / 10000").Scan(&major)
	if err != nil {
		t.Fatal(err)
	}
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	return conn, catalog.New(base)
}

// TestKeywords holds keywords.txt against the words of a server.
func TestKeywords(t *testing.T) {
	t.Parallel()
	conn, cat := server(t)
	rows, err := conn.Query(context.Background(), "select word, catcode <> 'U' from pg_get_keywords() order by 1")
	if err != nil {
		t.Fatal(err)
	}
	var word string
	var quoted bool
	_, err = pgx.ForEachRow(rows, []any{&word, &quoted}, func() error {
		if got := cat.QuoteIdent(word); (got != word) != quoted {
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
	conn, cat := server(t)
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
			r.OID, r.Mod, cat.TypeName(pgtype.OID(r.OID), pgtype.Typmod(r.Mod)),
			cat.SQLType(pgtype.OID(r.OID)),
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("-server +catalog:\n%s", diff)
		}
	}
}
