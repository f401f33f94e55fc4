package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

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

func readSchema(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func loadSchema(t testing.TB, major int) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	list, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", readSchema(t))}, parser.Schema)
	diags.Append(ddl.Apply(cat, list))
	for _, d := range diags {
		if d.Severity != diag.Error {
			continue // what rules do is not followed, and said
		}
		t.Fatalf("schema.sql on %d: %s", major, d.Error())
	}
	return cat
}

// eachFile runs fn for every case file.
func eachFile(t *testing.T, fn func(t *testing.T, cases []*testCase)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no case files", err)
	}
	for _, p := range paths {
		t.Run(filepath.Base(p), func(t *testing.T) {
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			cases, err := readCases(string(data))
			if err != nil {
				t.Fatal(err)
			}
			if got := writeCases(cases); got != string(data) {
				t.Errorf("not as capture writes it: %s", cmp.Diff(string(data), got))
			}
			fn(t, cases)
		})
	}
}

// TestCases holds analysis for each major version against the answers of its
// server.
func TestCases(t *testing.T) {
	t.Parallel()
	cats := map[int]*catalog.Catalog{}
	for m := 15; m <= 18; m++ {
		cats[m] = loadSchema(t, m)
	}
	eachFile(t, func(t *testing.T, cases []*testCase) {
		for _, c := range cases {
			for m := 15; m <= 18; m++ {
				if want, got := c.answers[m], answer(cats[m], c.sql, c.answers[m]); !c.matches(want, got) {
					t.Errorf("PostgreSQL %d: %s\n%s(-server +analysis)\n%s", m, c.sql, strings.Join(c.comments, "\n"), cmp.Diff(want, got))
				}
			}
		}
	})
}

// matches compares answers as the case's comments say.
func (c *testCase) matches(want, got string) bool {
	if want == got {
		return true
	}
	first := func(s string) string {
		s, _, _ = strings.Cut(s, " ")
		return s
	}
	for _, l := range c.comments {
		switch {
		case strings.HasPrefix(l, "# unsupported: "):
			return strings.Contains(got, "not supported yet") && first(want) == "ok" || first(want) == "error" && first(got) == "error"
		case strings.HasPrefix(l, "# differs: "):
			return first(want) == first(got) && (first(want) == "ok" || strings.HasPrefix(got, want[:len("error 00000")]))
		}
	}
	return false
}

// answer analyses a statement. What the server does not say, such as a hint, is
// left out.
func answer(cat *catalog.Catalog, sql, want string) string {
	list, diags := parser.ParseFiles([]*source.File{source.NewFile("case.sql", sql)}, parser.Schema)
	var bad refusal
	span := source.Span{}
	switch {
	case len(diags) > 0:
		d := diags[0]
		bad = refusal{state: d.SQLState, message: d.Message, detail: d.Detail, hint: d.Hint}
		span = d.Span
	case len(list) != 1:
		return "error: not one statement\n"
	default:
		s := list[0]
		r, err := analyze.Analyze(cat, analyze.Input{Text: s.Text, Node: s.Tree.GetStmt()})
		if err == nil {
			return describe(cat, r)
		}
		bad = refusal{state: err.SQLState, message: err.Message, detail: err.Detail, hint: err.Hint}
		span = err.Span
	}
	head, _, _ := strings.Cut(want, ":")
	if !span.IsZero() && strings.Contains(want, " at ") && strings.HasPrefix(want, "error") && len(head) > len("error 00000") {
		bad.line, bad.column = place(sql, utf8.RuneCountInString(sql[:span.Start]))
	}
	if !strings.Contains(want, "\ndetail: ") {
		bad.detail = ""
	}
	if !strings.Contains(want, "\nhint: ") && !strings.HasPrefix(bad.hint, "not supported yet") {
		bad.hint = ""
	}
	return bad.String()
}

// describe is what PREPARE tells of an analysed statement.
func describe(cat *catalog.Catalog, r *analyze.Analyzed) string {
	var params, columns []string
	for _, p := range r.Params {
		params = append(params, cat.TypeName(p.Type, -1))
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
		s := c.Name + " " + cat.TypeName(typ, mod)
		if t := cat.Table(c.OrigTable); t != nil {
			s += " of " + t.Name + "." + strconv.Itoa(c.OrigColumn)
		}
		columns = append(columns, s)
	}
	return accepted(params, columns)
}

// TestServer holds the recorded answers against the server at hand.
func TestServer(t *testing.T) {
	t.Parallel()
	s, err := newServer(t.Context(), pgtest.New(t).Conn(), readSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	eachFile(t, func(t *testing.T, cases []*testCase) {
		for _, c := range cases {
			got, err := s.ask(t.Context(), c.sql)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.answers[s.major], got); diff != "" {
				t.Errorf("PostgreSQL %d: %s\n(-recorded +server)\n%s", s.major, c.sql, diff)
			}
		}
	})
}
