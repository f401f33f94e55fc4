package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/catalog/pull"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestEmbeddedData holds the embedded file of the server's major version, the
// OIDs and the zone abbreviations against what the server says.
func TestEmbeddedData(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := pgtest.New(t)
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // read only
	var version string
	if err := conn.QueryRow(ctx, "SHOW server_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	major, got, err := pull.Builtins(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what, want, got string) {
		t.Helper()
		want, got = withoutUpgrade(want), withoutUpgrade(got)
		if want != got {
			t.Errorf("PostgreSQL %s: %s differs (-embedded +server):\n%s", version, what, cmp.Diff(lines(want), lines(got)))
		}
	}
	same(fmt.Sprintf("pg%d.tsv", major), builtin.Data(major), got)
	oids, err := typeOIDs(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	same("oids.go", generated(t, "oids.go"), oids)
	zones, err := abbreviations(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	same("abbreviations.tsv", generated(t, "abbreviations.tsv"), zones)
}

// withoutUpgrade leaves out the functions that pg_upgrade calls and nobody else
// can: a minor release may add one.
func withoutUpgrade(data string) string {
	return strings.Join(slices.DeleteFunc(lines(data), func(row string) bool {
		return strings.Contains(row, "\tbinary_upgrade_")
	}), "\n")
}

// TestEmbeddedExtensions holds the embedded extensions of the server's major
// version against those that the server creates.
func TestEmbeddedExtensions(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, pgtest.New(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // all is rolled back
	l, err := builtin.Contrib()
	if err != nil {
		t.Fatal(err)
	}
	var major int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
		t.Fatal(err)
	}
	// Of the extensions that a server may have, those that applications use
	// must be there and the same; the others are compared where they are.
	must := strings.Fields(`btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn lo ltree
		pg_stat_statements pg_trgm pgcrypto seg tablefunc unaccent uuid-ossp xml2`)
	names, err := pull.Available(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range names {
		b := l.Find(name, major)
		if b == nil || !b.For(major) {
			continue
		}
		e, err := pull.Create(ctx, conn, name)
		if err != nil {
			if slices.Contains(must, name) {
				t.Error(err)
			}
			continue
		}
		compared++
		want := &pull.Extension{
			Name: b.Name, Version: b.Version, Majors: []int{major}, Versions: b.Versions, Schema: b.Schema,
			Relocatable: b.Relocatable, Requires: b.Requires, Objects: b.Objects, Text: b.Text,
		}
		if w, g := pull.Format([]*pull.Extension{want}), pull.Format([]*pull.Extension{e}); w != g {
			t.Errorf("PostgreSQL %d: extension %s differs (-embedded +server):\n%s", major, name, cmp.Diff(lines(w), lines(g)))
		}
	}
	for _, name := range must {
		if !slices.Contains(names, name) {
			t.Errorf("PostgreSQL %d has no extension %s", major, name)
		}
	}
	if compared < len(must) {
		t.Errorf("only %d extensions were compared", compared)
	}
}

// generated returns a generated file of parser/pgtype.
func generated(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "pgtype", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lines cuts a text into lines, so that a difference names them.
func lines(s string) []string {
	var out []string
	start := 0
	for i := range len(s) {
		if s[i] == '\n' {
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}
