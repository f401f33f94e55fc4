package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/cli"
)

// BenchmarkGenerate times dbgen generate, from reading the files to comparing
// what is written: the sample project, and projects of more and more queries,
// whose time for each query must not grow.
func BenchmarkGenerate(b *testing.B) {
	b.Run("bookshop", func(b *testing.B) {
		args := []string{"generate", "-f", filepath.Join(root(b), "testdata", "bookshop", "dbgen.yaml"), "--out", b.TempDir(), "--fail-on", "never"}
		benchmarkGenerate(b, 0, args)
	})
	for _, n := range []int{100, 400, 1600} {
		b.Run(fmt.Sprintf("queries=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			writeProject(b, dir, n)
			benchmarkGenerate(b, n, []string{"generate", "-f", filepath.Join(dir, "dbgen.yaml"), "--fail-on", "never"})
		})
	}
}

func benchmarkGenerate(b *testing.B, queries int, args []string) {
	b.Helper()
	for b.Loop() {
		var out, errs bytes.Buffer
		if code := cli.Main(args, cli.IO{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
			b.Fatalf("exit status %d: %s", code, errs.String())
		}
	}
	if queries > 0 {
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(queries), "µs/query")
	}
}

// writeProject writes a project of n queries over a table for every ten of
// them, ten queries a file.
func writeProject(tb testing.TB, dir string, n int) {
	tb.Helper()
	var schema, stats strings.Builder
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "queries"), 0o700); err != nil {
		tb.Fatal(err)
	}
	stats.WriteString(`{"format": "dbgen-stats/1", "tables": {`)
	for t := range n / 10 {
		fmt.Fprintf(&schema, `CREATE TABLE t%[1]d (id bigint PRIMARY KEY, parent_id bigint REFERENCES t%[1]d, name text NOT NULL, note text, at timestamptz NOT NULL);
CREATE INDEX ON t%[1]d (parent_id, at);
`, t)
		if t > 0 {
			stats.WriteString(",\n")
		}
		fmt.Fprintf(&stats, `"t%d": {"rows": %d}`, t, 1000*(t+1))
		write(fmt.Sprintf("queries/t%d.sql", t), fmt.Sprintf(`-- name: GetT%[1]d :one
SELECT * FROM t%[1]d WHERE id = @id;

-- name: ListT%[1]d :many
SELECT id, name FROM t%[1]d WHERE parent_id = @parent_id ORDER BY at DESC LIMIT @page_size;

-- name: JoinT%[1]d :many
SELECT c.id, c.name, p.name AS parent FROM t%[1]d c JOIN t%[1]d p ON p.id = c.parent_id WHERE c.parent_id = ANY(@ids::bigint[]);

-- name: LeftT%[1]d :many
SELECT c.id, p.note FROM t%[1]d c LEFT JOIN t%[1]d p ON p.id = c.parent_id WHERE c.at > @since LIMIT 100;

-- name: CountT%[1]d :one
SELECT count(*) FROM t%[1]d WHERE parent_id = @parent_id;

-- name: GroupT%[1]d :many
SELECT parent_id, count(*) AS n, max(at) AS last FROM t%[1]d GROUP BY parent_id HAVING count(*) > @least LIMIT 10;

-- name: HasT%[1]d :one
SELECT EXISTS (SELECT FROM t%[1]d WHERE name = @name);

-- name: AddT%[1]d :one
INSERT INTO t%[1]d (id, parent_id, name, note, at) VALUES (@id, @parent_id, @name, @note, now()) RETURNING *;

-- name: RenameT%[1]d :execrows
UPDATE t%[1]d SET name = @name WHERE id = @id;

-- name: DropT%[1]d :exec
DELETE FROM t%[1]d WHERE id = @id;
`, t))
	}
	stats.WriteString("}}")
	write("schema.sql", schema.String())
	write("stats.json", stats.String())
	write("dbgen.yaml", "version: 1\nschema: [schema.sql]\nqueries: [queries]\nstats: stats.json\nout: db\n")
}
