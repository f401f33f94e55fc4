package parser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// TestData runs the cases of testdata. The verbs are
//
//	queries, schema  parse the input, which lines `=== name` divide into files;
//	                 escapes such as \x00 are read where the argument raw is given
//	place at=(…)     parse one query and print the place of each text given,
//	                 looked up from the rewritten text
func TestData(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			mode := parser.Queries
			if d.Cmd == "schema" {
				mode = parser.Schema
			}
			input := d.Input
			if d.HasArg("raw") {
				input = strings.NewReplacer(`\x00`, "\x00", `\xff`, "\xff", `\xfe`, "\xfe", `\r`, "\r", `\n`, "\n",
					`\ufeff`, "\ufeff").Replace(input)
			}
			statements, diags := parser.ParseFiles(files(input), mode)
			var out strings.Builder
			for _, s := range statements {
				if d.Cmd == "place" {
					for _, arg := range d.CmdArgs[0].Vals {
						printPlace(&out, s, strings.Index(s.Text, arg), arg)
					}
					continue
				}
				printStatement(&out, s)
			}
			diags.Sort()
			if err := diags.Text(&out, false); err != nil {
				t.Fatal(err)
			}
			return out.String()
		})
	})
}

func files(input string) []*source.File {
	var all []*source.File
	name, text := "q.sql", ""
	for line := range strings.Lines(input) {
		if next, ok := strings.CutPrefix(line, "=== "); ok {
			if text != "" {
				all = append(all, source.NewFile(name, text))
			}
			name, text = strings.TrimSpace(next), ""
			continue
		}
		text += line
	}
	return append(all, source.NewFile(name, text))
}

func printStatement(out *strings.Builder, s *parser.Statement) {
	from, to := s.File.Position(s.Span.Start), s.File.Position(s.Span.End)
	fmt.Fprintf(out, "%s:%d:%d-%d:%d %T", s.File.Name, from.Line, from.Column, to.Line, to.Column, s.Tree.Stmt.Node)
	if s.Annotation != nil {
		fmt.Fprintf(out, " %s :%s doc %q", s.Annotation.Name, s.Annotation.Command, s.Annotation.Doc)
	}
	fmt.Fprintf(out, "\n")
	for line := range strings.Lines(s.SQL()) {
		fmt.Fprintf(out, "  | %s\n", strings.TrimRight(line, "\r\n"))
	}
	for _, p := range s.Params {
		fmt.Fprintf(out, "  $%d %s\n", p.Number, p.Name)
	}
}

func printPlace(out *strings.Builder, s *parser.Statement, offset int, arg string) {
	span := s.Place(offset)
	p := s.File.Position(span.Start)
	fmt.Fprintf(out, "%s -> %d:%d %q\n", arg, p.Line, p.Column, s.File.Text[span.Start:min(span.End, len(s.File.Text))])
}

// FuzzParseFiles holds for any text in both modes: no panic, every place inside
// the file, and the statement's text without macros is the file's.
func FuzzParseFiles(f *testing.F) {
	for _, seed := range []string{
		"-- name: A :one\nSELECT @a;\n-- name: B :one\nSELECT 'x", "COPY t FROM stdin;\n1\t'\n\\.\nSELECT 1;",
		"\\restrict x\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;", "\ufeffSELECT (;;", "/* /* */ ;",
		"SELECT E'\\'' ';' $a$;$a$", "MERGE INTO t RETURNING", "CREATE TABLE t (a int GENERATED ALWAYS AS (1))",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, mode := range []parser.Mode{parser.Queries, parser.Schema} {
			file := source.NewFile("f.sql", text)
			statements, diags := parser.ParseFiles([]*source.File{file}, mode)
			for _, d := range diags {
				if d.Span.Start < 0 || d.Span.End < d.Span.Start || d.Span.End > len(text)+1 {
					t.Fatalf("%s: span %v outside %d bytes", d.Message, d.Span, len(text))
				}
			}
			for _, s := range statements {
				if len(s.Params) == 0 && len(s.Embeds) == 0 && s.Text != text[s.Span.Start:s.Span.End] {
					t.Fatalf("text %q at %q", s.Text, text[s.Span.Start:s.Span.End])
				}
				for at := range len(s.Text) + 1 {
					p := s.Place(at)
					if p.Start < s.Span.Start || p.End > s.Span.End+1 || p.End < p.Start {
						t.Fatalf("place %v of offset %d outside %v", p, at, s.Span)
					}
				}
			}
			if err := (diag.List(diags)).Text(new(strings.Builder), true); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// BenchmarkParseFiles measures queries of some length, for the claim that time is
// linear: ns/op divided by the number of queries stays what it is.
func BenchmarkParseFiles(b *testing.B) {
	for _, n := range []int{100, 1000} {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "-- name: Q%d :many\n-- Q%d lists.\nSELECT a.id, a.name, count(*) FROM authors a "+
				"JOIN books b ON b.author_id = a.id WHERE a.id IN (@ids) AND b.price > @price GROUP BY a.id LIMIT @limit;\n\n", i, i)
		}
		files := []*source.File{source.NewFile("q.sql", text.String())}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if s, _ := parser.ParseFiles(files, parser.Queries); len(s) != n {
					b.Fatal(len(s))
				}
			}
		})
	}
}
