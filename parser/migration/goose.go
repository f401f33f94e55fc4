package migration

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

var gooseMarker = regexp.MustCompile(`(?i)^--[ \t]*\+goose[ \t]*(.*?)[ \t]*$`)

// gooseCommands are the words behind +goose.
func gooseCommands() []string {
	return []string{"Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF"}
}

// goose is the state of reading one file: `-- +goose Up`, statements, then
// perhaps `-- +goose Down` and statements. goose divides the text at semicolons
// that end a line, but not between StatementBegin and StatementEnd; what it would
// refuse is refused here too.
type goose struct {
	step  *Step
	diags diag.List

	up, down, begin source.Span // the markers seen; begin while it is open
	open            source.Span // a statement that has no semicolon yet
}

func readGoose(step *Step) diag.List {
	g := goose{step: step}
	f := step.File
	step.Spans = nil
	lexer := source.NewLexer(f.Text, f.TextStart())
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		switch {
		case p.Unterminated:
			g.fail(firstByte(p.Span), "%s has no end", kindName(p.Kind))
			g.open, g.begin = source.Span{}, source.Span{}
		case p.Kind == source.Space || p.Kind == source.BlockComment:
		case p.Kind == source.LineComment:
			text := f.Text[p.Span.Start:p.Span.End]
			if m := gooseMarker.FindStringSubmatch(text); m != nil {
				g.marker(p.Span, m[1])
			}
		default:
			g.code(p)
		}
	}
	g.finish()
	return g.diags
}

func (g *goose) fail(span source.Span, format string, args ...any) {
	g.diags.Add(problem(g.step.File, span, format, args...))
}

// code takes a piece of SQL.
func (g *goose) code(p source.Piece) {
	if g.up.IsZero() {
		if g.open.IsZero() {
			g.fail(p.Span, "SQL before -- +goose Up")
		}
		g.open = p.Span
		return
	}
	if g.step.File.Text[p.Span.Start] == ';' {
		g.open = source.Span{}
		return
	}
	g.open = p.Span
	if g.begin.IsZero() && g.down.IsZero() {
		g.divided(p.Span)
	}
}

// divided reports a constant that goose would cut in two, as it knows no quotes:
// a semicolon at the end of one of its lines.
func (g *goose) divided(span source.Span) {
	at := span.Start
	for line := range strings.Lines(g.step.File.Text[span.Start:span.End]) {
		text, _, _ := strings.Cut(line, "--")
		text = strings.TrimRight(text, " \t\r\n")
		if strings.HasSuffix(line, "\n") && strings.HasSuffix(text, ";") {
			end := at + len(text)
			d := problem(g.step.File, source.Span{Start: end - 1, End: end}, "goose ends the statement at this semicolon")
			d.Severity = diag.Warning
			d.Hint = "put -- +goose StatementBegin and -- +goose StatementEnd around the statement"
			g.diags.Add(d)
			return
		}
		at += len(line)
	}
}

func (g *goose) marker(span source.Span, word string) {
	f := g.step.File
	if max(f.LineStart(span.Start), f.TextStart()) != span.Start {
		g.fail(span, "-- +goose %s must stand at the start of its line", word)
		if g.up.IsZero() {
			g.up = span // so that what follows is not reported too
		}
		return
	}
	switch strings.ToLower(strings.Join(strings.Fields(word), " ")) {
	case "up":
		if !g.up.IsZero() {
			g.again(span, "-- +goose Up", g.up)
			return
		}
		g.up = span
		g.open = source.Span{}
	case "down":
		switch {
		case g.up.IsZero():
			g.fail(span, "-- +goose Down before -- +goose Up")
			return
		case !g.down.IsZero():
			g.again(span, "-- +goose Down", g.down)
			return
		}
		g.endBlock()
		g.endStatement()
		g.down = span
	case "statementbegin":
		switch {
		case g.up.IsZero():
			g.fail(span, "-- +goose StatementBegin before -- +goose Up")
			return
		case !g.begin.IsZero():
			g.again(span, "-- +goose StatementBegin", g.begin)
			return
		}
		g.endStatement()
		g.begin = span
	case "statementend":
		if g.begin.IsZero() {
			g.fail(span, "-- +goose StatementEnd without StatementBegin")
			return
		}
		g.begin, g.open = source.Span{}, source.Span{}
	case "no transaction":
		g.step.NoTransaction = true
	case "envsub on":
		g.fail(span, "not supported yet: -- +goose ENVSUB, which takes text from the environment")
	case "envsub off":
	default:
		d := problem(f, span, "unknown goose annotation %q", word)
		if near, ok := diag.DidYouMean(word, gooseCommands()); ok {
			d.Label = fmt.Sprintf("did you mean %s?", near)
		}
		g.diags.Add(d)
	}
}

func (g *goose) again(span source.Span, what string, first source.Span) {
	d := problem(g.step.File, span, "a second %s", what)
	d.Related = []diag.Related{{File: g.step.File, Span: first, Message: "the first one"}}
	g.diags.Add(d)
}

// endBlock reports a StatementBegin that is still open.
func (g *goose) endBlock() {
	if !g.begin.IsZero() {
		g.fail(g.begin, "-- +goose StatementBegin has no -- +goose StatementEnd")
		g.begin, g.open = source.Span{}, source.Span{}
	}
}

// endStatement reports a statement that no semicolon ended.
func (g *goose) endStatement() {
	if !g.open.IsZero() {
		d := problem(g.step.File, source.Span{Start: g.open.End, End: g.open.End + 1}, "the statement lacks its semicolon")
		d.Label = `put a ";" here`
		g.diags.Add(d)
		g.open = source.Span{}
	}
}

func (g *goose) finish() {
	f := g.step.File
	if g.up.IsZero() {
		if !g.diags.HasErrors() {
			g.fail(source.Span{}, "the migration lacks -- +goose Up")
		}
		return
	}
	g.endBlock()
	g.endStatement()
	end := len(f.Text)
	if !g.down.IsZero() {
		end = g.down.Start
	}
	g.step.Spans = []source.Span{{Start: g.up.End, End: end}}
}

func firstByte(span source.Span) source.Span {
	return source.Span{Start: span.Start, End: span.Start + 1}
}

func kindName(kind source.PieceKind) string {
	switch kind {
	case source.BlockComment:
		return "the comment"
	case source.QuotedIdent:
		return "the quoted identifier"
	}
	return "the string"
}
