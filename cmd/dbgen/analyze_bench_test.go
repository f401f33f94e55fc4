package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/source"
)

// BenchmarkAnalyze times the way from the text of query files to types and
// facts, in CPU seconds of all threads, beside what pg_query's parser alone takes
// for the same statements: in "beyond-parse-ms" the latter is taken off. The time
// a query must not grow with the project. With $DBGEN_BENCH_PROJECT, a folder
// with schema.sql and queries/, that project is measured as well.
func BenchmarkAnalyze(b *testing.B) {
	for _, n := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprintf("queries=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			writeProject(b, dir, n)
			benchmarkAnalyze(b, dir)
		})
	}
	if dir := os.Getenv("DBGEN_BENCH_PROJECT"); dir != "" {
		b.Run("project", func(b *testing.B) { benchmarkAnalyze(b, dir) })
	}
}

func benchmarkAnalyze(b *testing.B, dir string) {
	b.Helper()
	read := func(pattern string) []*source.File {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			b.Fatalf("no files in %s", dir)
		}
		slices.Sort(names)
		var files []*source.File
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			files = append(files, source.NewFile(filepath.Base(name), string(text)))
		}
		return files
	}
	builtins, err := builtin.Load(16)
	if err != nil {
		b.Fatal(err)
	}
	cat := catalog.New(builtins)
	statements, _ := parser.ParseFiles(read("schema.sql"), parser.Schema)
	if diags := ddl.Apply(cat, statements); diags.HasErrors() {
		b.Fatal(diags)
	}
	files := read("queries/*.sql")
	var parse, all time.Duration
	queries := 0
	for b.Loop() {
		start := cpuTime()
		statements, diags := parser.ParseFiles(files, parser.Queries)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		for _, s := range statements {
			a, diags := analyze.Statement(cat, s)
			if diags.HasErrors() {
				b.Fatal(diags)
			}
			infer.Infer(cat, a.Query)
		}
		all += cpuTime() - start
		queries += len(statements)

		start = cpuTime()
		for _, s := range statements {
			if _, err := pg_query.Parse(s.Text); err != nil {
				b.Fatal(err)
			}
		}
		parse += cpuTime() - start
	}
	n := float64(b.N)
	b.ReportMetric(parse.Seconds()*1000/n, "parse-ms")
	b.ReportMetric((all-parse).Seconds()*1000/n, "beyond-parse-ms")
	b.ReportMetric((all-parse).Seconds()*1e6/float64(queries), "µs/query")
	b.ReportMetric(0, "ns/op")
}

// cpuTime is the processor time that the process has used, in all threads.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
