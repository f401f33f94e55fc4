package ddl_test

import (
	"path/filepath"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/source"
)

// FuzzApply takes any text as a schema: what comes out of the grammar must never
// make ddl panic, and every diagnostic must stand within the text.
func FuzzApply(f *testing.F) {
	files, err := filepath.Glob("testdata/ddl/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		datadriven.RunTestAny(f, file, func(_ testing.TB, d *datadriven.TestData) string {
			f.Add(d.Input)
			return d.Expected
		})
	}
	f.Add("create table t (a int) partition by range (nosuch); create table u partition of t for values in ('x')")
	f.Fuzz(func(t *testing.T, sql string) {
		base := newCatalog(t, 16)
		list, _ := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", sql)}, parser.Schema)
		for _, d := range ddl.Apply(base, list) {
			if d.Span.Start < 0 || d.Span.End > len(sql)+1 {
				t.Errorf("%s: place %v outside a text of %d bytes", d.Message, d.Span, len(sql))
			}
		}
	})
}
