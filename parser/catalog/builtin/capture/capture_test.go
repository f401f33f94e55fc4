package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog/builtin"
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
	major, got, err := capture(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what, want, got string) {
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
