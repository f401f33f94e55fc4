package annotation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// TestData runs the cases of testdata. The verbs are
//
//	rewrite  the input is one statement: its text with $n, its parameters (each
//	         with the text of its uses in the file) and embeds
//	read     the input is the comments in front of a statement; with
//	         no-statement nothing follows them
func TestData(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			f := source.NewFile("q.sql", d.Input)
			var out strings.Builder
			var diags diag.List
			switch d.Cmd {
			case "rewrite":
				var r annotation.Rewritten
				r, diags = annotation.Rewrite(f, source.Span{Start: 0, End: len(f.Text)})
				printRewritten(&out, f, r)
			case "read":
				var a *annotation.Annotation
				a, diags = annotation.Read(f, comments(f), !d.HasArg("no-statement"))
				printAnnotation(&out, f, a)
			default:
				d.Fatalf(t, "unknown verb %s", d.Cmd)
			}
			if err := diags.Text(&out, false); err != nil {
				t.Fatal(err)
			}
			return out.String()
		})
	})
}

func printRewritten(out *strings.Builder, f *source.File, r annotation.Rewritten) {
	fmt.Fprintf(out, "%s\n", r.Text)
	for _, p := range r.Params {
		fmt.Fprintf(out, "$%d %q", p.Number, p.Name)
		if p.Nullable {
			out.WriteString(" nullable")
		}
		if p.List {
			out.WriteString(" list")
		}
		for i, s := range p.Spans {
			name := p.NameSpans[i]
			fmt.Fprintf(out, " %d:%s", s.Start, f.Text[s.Start:s.End])
			if name != s {
				fmt.Fprintf(out, "(%s)", f.Text[name.Start:name.End])
			}
		}
		out.WriteByte('\n')
	}
	for _, e := range r.Embeds {
		fmt.Fprintf(out, "embed %q at %q from %s\n", e.Table, r.Text[e.Offset:], f.Text[e.Span.Start:e.Span.End])
	}
}

func printAnnotation(out *strings.Builder, f *source.File, a *annotation.Annotation) {
	if a == nil {
		out.WriteString("none\n")
		return
	}
	text := func(s source.Span) string { return f.Text[s.Start:s.End] }
	fmt.Fprintf(out, "%s :%s (%s %s)\n", a.Name, a.Command, text(a.NameSpan), text(a.CommandSpan))
	for _, d := range a.Doc {
		fmt.Fprintf(out, "doc %q\n", d)
	}
	for _, d := range a.Directives {
		fmt.Fprintf(out, "directive %q %q from %q %q\n", d.Key, d.Value, text(d.Span), text(d.ValueSpan))
	}
}

func comments(f *source.File) []source.Span {
	var spans []source.Span
	lexer := source.NewLexer(f.Text, 0)
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		if (p.Kind == source.LineComment || p.Kind == source.BlockComment) && !p.Unterminated {
			spans = append(spans, p.Span)
		}
	}
	return spans
}

// TestCommands pins which commands have code: the others are read and refused
// when code is generated.
func TestCommands(t *testing.T) {
	t.Parallel()
	var supported, rows []annotation.Command
	for _, c := range annotation.Commands() {
		if c.Supported() {
			supported = append(supported, c)
		}
		if c.ReturnsRows() {
			rows = append(rows, c)
		}
	}
	want := []annotation.Command{"one", "opt", "many", "iter", "exec", "execrows"}
	if diff := cmp.Diff(want, supported); diff != "" {
		t.Error(diff)
	}
	want = []annotation.Command{"one", "opt", "many", "iter", "batchone", "batchmany"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	if annotation.Command("two").Supported() {
		t.Error("an unknown command is supported")
	}
}

// FuzzAnnotations holds for any text: no panic, every span inside the file, and
// the map leads each parameter of the rewritten text back to where it was
// written.
func FuzzAnnotations(f *testing.F) {
	for _, seed := range []string{
		"-- name: A :one\nSELECT @a, =@b, x <@y, $3, sqlc.narg('c'), @\"d e\" WHERE x NOT IN (@ids)",
		"/* name: B :many\n * doc\n */ SELECT sqlc.embed(t), dbgen.slice(a)",
		"-- nmae: C :exec\n-- @alow PL001\nx@é, @U&\"x\" é'@a' $$@b$$ E'\\'@c'", "sqlc.arg(sqlc.arg(", "IN (@", "@",
		"-- name:", "/*/", "/* name: */", "--name:a:b\n--\n", "$0 $99999999999999999999 IN(sqlc.slice(x))",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := source.NewFile("f.sql", text)
		inside := func(s source.Span) {
			t.Helper()
			if s.Start < 0 || s.End < s.Start || s.End > len(text)+1 {
				t.Fatalf("span %v outside a text of %d bytes", s, len(text))
			}
		}
		check := func(list diag.List) {
			t.Helper()
			for _, d := range list {
				inside(d.Span)
			}
		}
		a, list := annotation.Read(file, comments(file), true)
		check(list)
		if a != nil {
			inside(a.NameSpan)
			inside(a.CommandSpan)
			if got := text[a.NameSpan.Start:a.NameSpan.End]; got != a.Name {
				t.Fatalf("the name %q stands at %q", a.Name, got)
			}
			for _, d := range a.Directives {
				inside(d.Span)
				inside(d.ValueSpan)
			}
		}
		if strings.IndexByte(text, 0) >= 0 {
			return // the parser refuses such a file before
		}
		r, list := annotation.Rewrite(file, source.Span{Start: 0, End: len(text)})
		check(list)
		for _, p := range r.Params {
			for i, s := range p.Spans {
				inside(s)
				inside(p.NameSpans[i])
				if s.Union(p.NameSpans[i]) != s {
					t.Fatalf("name %v outside its use %v", p.NameSpans[i], s)
				}
			}
			checkMap(t, r, p)
		}
		for _, e := range r.Embeds {
			inside(e.Span)
			if !strings.Contains(r.Text[e.Offset:], ".*") {
				t.Fatalf("embed at %q", r.Text[e.Offset:])
			}
			if got := r.Map.Original(e.Offset); got != e.Span.Start {
				t.Fatalf("embed leads to %d, not %d", got, e.Span.Start)
			}
		}
		for at := range len(r.Text) + 1 {
			if o := r.Map.Original(at); o < 0 || o > len(text) {
				t.Fatalf("offset %d leads to %d", at, o)
			}
		}
	})
}

// checkMap looks up every use of a parameter from the rewritten text.
func checkMap(t *testing.T, r annotation.Rewritten, p annotation.Param) {
	t.Helper()
	want := fmt.Sprintf("$%d", p.Number)
	found := 0
	for at := 0; ; {
		i := strings.Index(r.Text[at:], want)
		if i < 0 {
			break
		}
		at += i
		span := r.Map.Span(source.Span{Start: at, End: at + len(want)})
		for _, s := range p.Spans {
			if s == span {
				found++
			}
		}
		at++
	}
	if p.Name != "" && found < len(p.Spans) {
		t.Fatalf("%d of %d uses of %s lead back, in %q", found, len(p.Spans), want, r.Text)
	}
}
