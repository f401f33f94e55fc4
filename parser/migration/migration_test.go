package migration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/parser/source"
)

// TestLoad runs the cases of testdata. The verb load writes the input, an archive
// of files (`-- name --` lines, `-> ` in front of a line whose own dashes would
// divide it), into a folder and loads the paths named by its argument; it prints
// what was read: format, version, and the DDL without blank lines, each with the
// number of its line; as=FORMAT tells the format. The verb sources reads query files and prints their names.
func TestLoad(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			dir := t.TempDir()
			for _, f := range txtar.Parse([]byte(d.Input + "\n")).Files {
				name := filepath.Join(dir, f.Name)
				if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
					t.Fatal(err)
				}
				text := strings.ReplaceAll("\n"+string(f.Data), "\n-> ", "\n")[1:]
				if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			var paths []string
			var format migration.Format
			for _, arg := range d.CmdArgs {
				if arg.Key == "as" {
					format = migration.Format(arg.Vals[0])
					continue
				}
				paths = append(paths, dir+"/"+arg.Key)
			}
			var out strings.Builder
			dirs, diags := []migration.Dir(nil), diag.List(nil)
			if d.Cmd == "load" {
				dirs, diags = migration.ReadAs(paths, format)
			} else {
				var files []*source.File
				files, diags = migration.Sources(paths)
				for _, f := range files {
					fmt.Fprintf(&out, "%s: %d bytes\n", f.Name, len(f.Text))
				}
			}
			for _, dir := range dirs {
				fmt.Fprintf(&out, "%s: %s\n", dir.Path, dir.Format)
				for _, s := range dir.Steps {
					printStep(t, &out, s)
				}
			}
			if err := diags.Text(&out, false); err != nil {
				t.Fatal(err)
			}
			dir = filepath.ToSlash(dir)
			return strings.NewReplacer(dir+"/", "", dir, ".").Replace(out.String())
		})
	})
}

func printStep(t *testing.T, out *strings.Builder, s migration.Step) {
	t.Helper()
	ddl := s.DDL()
	if len(ddl.Text) != len(s.File.Text) {
		t.Fatalf("%s: %d bytes, not %d", ddl.Name, len(ddl.Text), len(s.File.Text))
	}
	fmt.Fprintf(out, "%d %s", s.Version, s.File.Name)
	if s.NoTransaction {
		out.WriteString(" (no transaction)")
	}
	out.WriteByte('\n')
	n := 0
	for line := range strings.Lines(ddl.Text) {
		n++
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(out, "  %d %s\n", n, line)
		}
	}
}

// TestLongLine holds that a line has no greatest length, and that what follows it
// is read.
func TestLongLine(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "1_a.sql")
	text := "-- +goose Up\nINSERT INTO t VALUES ('" + strings.Repeat("x", 200_000) + "');\nCREATE TABLE u (a int);\n-- +goose Down\n"
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	files, diags := migration.Load([]string{name})
	if diags.HasErrors() || len(files) != 1 || !strings.Contains(files[0].Text, "CREATE TABLE u") {
		t.Fatal(len(files), diags)
	}
}

// TestOffsets holds Load to its promise: a byte of the DDL is the byte of the
// file on disk, or blank.
func TestOffsets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "-- +goose Up\r\nCREATE TABLE größe (a int);\r\n-- +goose Down\r\nDROP TABLE größe;\r\n"
	name := filepath.Join(dir, "1_a.sql")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	files, diags := migration.Load([]string{name})
	if diags.Max() >= diag.Warning || len(files) != 1 {
		t.Fatal(files, diags)
	}
	for i := range len(text) {
		if got := files[0].Text[i]; got != text[i] && got != ' ' {
			t.Fatalf("byte %d is %q, not %q", i, got, text[i])
		}
	}
	if !strings.Contains(files[0].Text, "CREATE TABLE größe (a int);") || strings.Contains(files[0].Text, "DROP") {
		t.Fatalf("%q", files[0].Text)
	}
}
