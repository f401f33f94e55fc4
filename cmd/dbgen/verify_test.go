package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/cli"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// TestVerifyBookshop holds every query of the sample project against a server that
// has its schema, and then against one whose schema has moved on.
func TestVerifyBookshop(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "testdata", "bookshop")
	files, diags := migration.Load([]string{filepath.Join(dir, "migrations")})
	if diags.HasErrors() {
		t.Fatal(diags[0].Error())
	}
	var texts []string
	for _, f := range files {
		texts = append(texts, f.Text)
	}
	db := pgtest.New(t, pgtest.SQL(texts...))
	verify := func(want int, more ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		args := append([]string{"verify", "-f", filepath.Join(dir, "dbgen.yaml"), "--types", "--database-url", db.URL}, more...)
		if code := cli.Main(args, cli.IO{In: strings.NewReader(""), Out: &stdout, Err: &stderr}); code != want {
			t.Fatalf("exit status %d, want %d: %s%s", code, want, stdout.String(), stderr.String())
		}
		return stdout.String()
	}
	said := strings.Fields(verify(0))
	if len(said) < 4 || said[1] != said[3] || said[1] == "0" {
		t.Errorf("not all queries agree: %s", strings.Join(said, " "))
	}
	db.Exec(`ALTER TABLE jobs DROP finished_at`)
	got, _, _ := strings.Cut(verify(1), "\ntypes ")
	if diff := cmp.Diff(verifyDrift, filepath.ToSlash(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if out := verify(1, "--format", "json"); !strings.Contains(out, `"line": 64`) {
		t.Errorf("no place in %s", out)
	}
}

const verifyDrift = `../../testdata/bookshop/queries/events.sql:64: ClaimJobs: types differ
  dbgen   (text, int8) -> (id int8, payload jsonb, attempts int4)
  server  column "finished_at" does not exist (42703)
../../testdata/bookshop/queries/events.sql:81: FinishJob: types differ
  dbgen   (text, int8) -> ()
  server  column "finished_at" of relation "jobs" does not exist (42703)
../../testdata/bookshop/queries/events.sql:88: NextJob: types differ
  dbgen   (text) -> (id int8, run_at timestamptz, attempts int4)
  server  column "finished_at" does not exist (42703)`
