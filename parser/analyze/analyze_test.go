package analyze_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func newCatalog(t testing.TB, major int) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	return catalog.New(base)
}

func statements(t testing.TB, sql string) []*parser.Statement {
	t.Helper()
	list, diags := parser.ParseFiles([]*source.File{source.NewFile("input.sql", sql)}, parser.Schema)
	for i := range diags {
		t.Fatalf("%s", diags[i].Error())
	}
	return list
}

func apply(t testing.TB, cat *catalog.Catalog, sql string) {
	t.Helper()
	for _, d := range ddl.Apply(cat, statements(t, sql)) {
		t.Fatalf("%s", d.Error())
	}
}

// TestAnalyze analyses the statements of testdata on PostgreSQL 16.
//
//	exec-ddl  applies the input to the catalog
//	analyze   prints the tree of each statement, its parameters and embeds
//	types     prints the parameters and columns of each statement
//	error     prints what is wrong with each statement
func TestAnalyze(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		cat := newCatalog(t, 16)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "exec-ddl" {
				apply(t, cat, d.Input)
				return ""
			}
			var b strings.Builder
			for _, s := range statements(t, d.Input) {
				r, diags := analyze.Statement(cat, s)
				switch {
				case d.Cmd == "error":
					if r != nil {
						fmt.Fprintf(&b, "accepted: %s\n", s.Text)
						continue
					}
					if err := diags.Text(&b, false); err != nil {
						t.Fatal(err)
					}
				case r == nil:
					t.Errorf("%s: %s", d.Pos, diags[0].Error())
				case d.Cmd == "types":
					o := outcomeOf(cat, r)
					fmt.Fprintf(&b, "(%s) -> (%s)\n", strings.Join(o.Params, ", "), strings.Join(o.Columns, ", "))
				default:
					b.WriteString(analyze.Format(r.Query, cat))
					for _, p := range r.Params {
						fmt.Fprintf(&b, "param %d %s", p.Number, cat.BaseTypeName(p.Type))
						if p.NameHint != "" {
							fmt.Fprintf(&b, " %s", p.NameHint)
						}
						for _, c := range p.Targets {
							fmt.Fprintf(&b, " of %s.%d assigned=%t", cat.Table(c.Table).Name, c.Column, c.Assigned)
						}
						b.WriteByte('\n')
					}
				}
			}
			return b.String()
		})
	})
}

// outcome is what PREPARE tells about a statement.
type outcome struct {
	Params, Columns []string
	State, Message  string
	Position        int // in characters from 1; 0 where the server gives none
}

func outcomeOf(cat *catalog.Catalog, r *analyze.Analyzed) outcome {
	var o outcome
	for _, p := range r.Params {
		o.Params = append(o.Params, cat.BaseTypeName(p.Type))
	}
	targets := r.Query.TargetList
	if r.Query.Command != query.CmdSelect {
		targets = r.Query.Returning
	}
	for _, c := range targets {
		if c.Junk {
			continue
		}
		typ, mod := cat.BaseTypeAndTypmod(c.Expr.ResultType(), c.Expr.ResultTypmod())
		s := c.Name + " " + cat.BaseTypeName(typ)
		if mod >= 0 {
			s += fmt.Sprintf(" mod %d", mod)
		}
		if t := cat.Table(c.OrigTable); t != nil {
			s += fmt.Sprintf(" of %s.%d", t.Name, c.OrigColumn)
		}
		o.Columns = append(o.Columns, s)
	}
	return o
}

// TestServer prepares every statement of testdata on a real server: parameters
// and columns, or SQLSTATE, message and position, must be the same.
func TestServer(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*")
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
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd == "exec-ddl" {
					if _, err := conn.Exec(context.Background(), d.Input); err != nil {
						t.Fatalf("%s: %v", d.Pos, err)
					}
					apply(t, cat, d.Input)
					return d.Expected
				}
				for _, s := range statements(t, d.Input) {
					compare(t, conn, cat, s)
				}
				// What is printed is TestAnalyze's to check.
				return d.Expected
			})
		})
	}
}

func compare(t *testing.T, conn *pgx.Conn, cat *catalog.Catalog, s *parser.Statement) {
	t.Helper()
	want := onServer(t, conn, s.Text)
	var got outcome
	r, err := analyze.Analyze(cat, analyze.Input{Text: s.Text, Node: s.Tree.GetStmt()})
	if err != nil {
		got = outcome{State: err.SQLState, Message: err.Message}
		if want.Position > 0 && !err.Span.IsZero() {
			got.Position = utf8.RuneCountInString(s.Text[:err.Span.Start]) + 1
		}
	} else {
		got = outcomeOf(cat, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n(-server +analyze):\n%s", s.Text, diff)
	}
}

func onServer(t *testing.T, conn *pgx.Conn, sql string) outcome {
	t.Helper()
	ctx := context.Background()
	var o outcome
	d, err := conn.PgConn().Prepare(ctx, "", sql, nil)
	if err != nil {
		var bad *pgconn.PgError
		if !errors.As(err, &bad) {
			t.Fatal(err)
		}
		return outcome{State: bad.Code, Message: bad.Message, Position: int(bad.Position)}
	}
	name := func(oid uint32) string {
		var s string
		if err := conn.QueryRow(ctx, "select format_type($1, null)", oid).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, p := range d.ParamOIDs {
		o.Params = append(o.Params, name(p))
	}
	for _, f := range d.Fields {
		s := f.Name + " " + name(f.DataTypeOID)
		if f.TypeModifier >= 0 {
			s += fmt.Sprintf(" mod %d", f.TypeModifier)
		}
		if f.TableOID != 0 {
			var table string
			if err := conn.QueryRow(ctx, "select relname::text from pg_class where oid = $1", f.TableOID).Scan(&table); err != nil {
				t.Fatal(err)
			}
			s += fmt.Sprintf(" of %s.%d", table, int16(f.TableAttributeNumber))
		}
		o.Columns = append(o.Columns, s)
	}
	return o
}

// TestDiagnostics looks at how an error reaches the file.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	cat := newCatalog(t, 16)
	apply(t, cat, "create table author (id int, name text)")
	file := source.NewFile("q.sql", "-- name: Get :one\nselect nmae from author where id = @id;\n")
	list, diags := parser.ParseFiles([]*source.File{file}, parser.Queries)
	if len(diags) > 0 || len(list) != 1 {
		t.Fatal(diags)
	}
	_, got := analyze.Statement(cat, list[0])
	want := diag.Diagnostic{
		Severity: diag.Error, Code: "analysis", SQLState: "42703", Message: `column "nmae" does not exist`,
		Hint: `Perhaps you meant to reference the column "author.name".`, Query: "Get",
		Span: source.Span{Start: 25, End: 29},
	}
	if len(got) != 1 {
		t.Fatalf("got %d diagnostics", len(got))
	}
	got[0].File = nil
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
}

// TestEmbed looks at the columns of an embedded row.
func TestEmbed(t *testing.T) {
	t.Parallel()
	cat := newCatalog(t, 16)
	apply(t, cat, "create table author (id int, name text); create table book (id int, author int)")
	file := source.NewFile("q.sql", "-- name: Get :many\nselect 1 as one, sqlc.embed(a), b.id from book b left join author a on a.id = b.author;\n")
	list, diags := parser.ParseFiles([]*source.File{file}, parser.Queries)
	if len(diags) > 0 || len(list) != 1 {
		t.Fatal(diags)
	}
	r, bad := analyze.Statement(cat, list[0])
	if len(bad) > 0 {
		t.Fatal(bad[0].Error())
	}
	if diff := cmp.Diff([]analyze.Embed{{Name: "a", First: 2, Last: 3, RTE: 2}}, r.Embeds); diff != "" {
		t.Error(diff)
	}
}

// FuzzAnalyze holds that no statement makes analysis panic.
func FuzzAnalyze(f *testing.F) {
	for _, s := range []string{
		"select * from t where a = $1", "insert into t values (1, 'x') returning *",
		"with recursive r as (select 1 union all select * from r) select * from r",
		"select (x).y from (select t as x from t) q", "update t set (a, b) = (select 1, 'b')",
	} {
		f.Add(s)
	}
	cat := newCatalog(f, 16)
	apply(f, cat, "create table t (a int, b text)")
	f.Fuzz(func(t *testing.T, sql string) {
		list, _ := parser.ParseFiles([]*source.File{source.NewFile("f.sql", sql)}, parser.Schema)
		for _, s := range list {
			if r, diags := analyze.Statement(cat, s); r == nil && len(diags) == 0 {
				t.Error("neither a tree nor an error")
			}
		}
	})
}
