package ddl_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func newCatalog(t *testing.T, major int) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	return catalog.New(base)
}

// statements parses a text that has no syntax error.
func statements(t *testing.T, sql string) []*parser.Statement {
	t.Helper()
	list, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", sql)}, parser.Schema)
	for i := range diags {
		t.Fatalf("%s", diags[i].Error())
	}
	return list
}

// TestDDL applies the statements of each file in testdata/ddl on PostgreSQL 16.
//
//	ddl       applies the input; prints what is wrong with it
//	refused   applies each statement of the input by itself on what the ddl
//	          directives before it made, and forgets it; prints what is wrong
//	describe  prints the relations, types and functions named in the input,
//	          everything without one
func TestDDL(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/ddl", func(t *testing.T, path string) {
		cat := newCatalog(t, 16)
		var history []*parser.Statement
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "ddl":
				list := statements(t, d.Input)
				history = append(history, list...)
				return printed(t, ddl.Apply(cat, list))
			case "refused":
				var b strings.Builder
				for _, s := range statements(t, d.Input) {
					scratch := newCatalog(t, 16)
					ddl.Apply(scratch, history)
					b.WriteString(printed(t, ddl.Apply(scratch, []*parser.Statement{s})))
				}
				return b.String()
			case "describe":
				var b strings.Builder
				for _, block := range dump(cat) {
					_, name, _ := strings.Cut(strings.Fields(block)[1], ".")
					name, _, _ = strings.Cut(name, "(")
					if d.Input == "" || slices.Contains(strings.Fields(d.Input), name) {
						b.WriteString(block + "\n")
					}
				}
				return b.String()
			}
			t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			return ""
		})
	})
}

func printed(t *testing.T, diags diag.List) string {
	t.Helper()
	var b strings.Builder
	if err := diags.Text(&b, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestServer runs each file of testdata/ddl on a real server too: it must refuse the
// statements that ddl refuses, with the same SQLSTATE and message at the same
// place, and its catalogs must hold the same objects after each directive.
func TestServer(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/ddl/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			conn := pgtest.New(t).Conn()
			var major int
			if err := conn.QueryRow(context.Background(),
				"select current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
				t.Fatal(err)
			}
			cat := newCatalog(t, major)
			var history []*parser.Statement
			var wrong []string
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				switch d.Cmd {
				case "ddl":
					for _, s := range statements(t, d.Input) {
						history = append(history, s)
						wrong = append(wrong, both(t, conn, cat, s))
					}
					for _, diff := range differences(onServer(t, conn), dump(cat)) {
						if !slices.Contains(wrong, diff) {
							wrong = append(wrong, diff)
						}
					}
				case "refused":
					for _, s := range statements(t, d.Input) {
						scratch := newCatalog(t, major)
						ddl.Apply(scratch, history)
						tx, err := conn.Begin(context.Background())
						if err != nil {
							t.Fatal(err)
						}
						wrong = append(wrong, both(t, conn, scratch, s))
						if err := tx.Rollback(context.Background()); err != nil {
							t.Fatal(err)
						}
					}
				}
				// What is printed is TestDDL's to check.
				return d.Expected
			})
			if wrong = slices.DeleteFunc(wrong, func(s string) bool { return s == "" }); len(wrong) > 0 {
				t.Error(strings.Join(wrong, "\n"))
			}
		})
	}
}

// differences compares two dumps object by object, and says in which lines they
// differ.
func differences(server, ours []string) []string {
	lines := func(block string) []string {
		return slices.DeleteFunc(strings.Split(block, "\n"), func(s string) bool { return s == "" })
	}
	both := map[string][2]string{}
	for i, blocks := range [][]string{server, ours} {
		for _, b := range blocks {
			words := strings.Fields(b)
			pair := both[words[0]+" "+words[1]]
			pair[i] = b
			both[words[0]+" "+words[1]] = pair
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(both)) {
		var b strings.Builder
		s, o := lines(both[name][0]), lines(both[name][1])
		for _, l := range s {
			if !slices.Contains(o, l) {
				b.WriteString("\n-" + l)
			}
		}
		for _, l := range o {
			if !slices.Contains(s, l) {
				b.WriteString("\n+" + l)
			}
		}
		if b.Len() > 0 {
			out = append(out, name+" (-server +ddl)"+b.String())
		}
	}
	return out
}

// both runs one statement on the server and on the catalog, and returns how they
// differ.
func both(t *testing.T, conn *pgx.Conn, cat *catalog.Catalog, s *parser.Statement) string {
	t.Helper()
	want, placed := "", false
	if _, err := conn.Exec(context.Background(), s.Text); err != nil {
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) {
			t.Fatal(err)
		}
		want = pgErr.Code + " " + pgErr.Message
		// Since PostgreSQL 18 a parameter's place is its own and not its type's, which
		// the grammar here does not tell.
		place := pgErr.Position > 0 && !(cat.Major >= 18 && (strings.HasPrefix(s.Text, "create function") || strings.HasPrefix(s.Text, "create procedure")))
		if placed = place; placed {
			// The server counts characters of the statement from 1.
			offset := len(string([]rune(s.Text)[:pgErr.Position-1]))
			want += fmt.Sprintf(" at %d", s.Place(offset).Start)
		}
	}
	got := ""
	for _, d := range ddl.Apply(cat, []*parser.Statement{s}) {
		if d.Severity == diag.Error && got == "" {
			got = d.SQLState + " " + d.Message
			// Where the server gives no place, ours is a service.
			if placed {
				got += fmt.Sprintf(" at %d", d.Span.Start)
			}
		}
	}
	if got != want {
		return fmt.Sprintf("%s\n got: %s\nwant: %s", s.Text, got, want)
	}
	return ""
}

func onServer(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rel := `with rel as (select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.oid >= 16384 and n.nspname !~ '^pg_|^information_schema' and c.relkind in ('r', 'p', 'v', 'm', 'S', 'c', 'f'))`
	rows, err := conn.Query(context.Background(), rel+serverDump)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(blocks)
	return blocks
}
