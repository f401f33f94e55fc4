package migration

import (
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

var dbmateMarker = regexp.MustCompile(`^--[ \t]*migrate:(up|down)(?:[ \t]+(.*))?$`)

// readDbmate takes the parts between `-- migrate:up` and `-- migrate:down`; a
// file may hold several pairs of them.
func readDbmate(step *Step) diag.List {
	var diags diag.List
	f := step.File
	step.Spans = nil
	up, down, started := -1, false, false
	lexer := source.NewLexer(f.Text, f.TextStart())
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		text := f.Text[p.Span.Start:p.Span.End]
		var m []string
		if p.Kind == source.LineComment && max(f.LineStart(p.Span.Start), f.TextStart()) == p.Span.Start {
			m = dbmateMarker.FindStringSubmatch(strings.TrimRight(text, " \t"))
		}
		switch {
		case p.Unterminated:
			diags.Add(problem(f, firstByte(p.Span), "%s has no end", kindName(p.Kind)))
		case m == nil:
			comment := p.Kind == source.Space || p.Kind == source.LineComment || p.Kind == source.BlockComment
			if !started && !comment {
				diags.Add(problem(f, p.Span, "SQL before -- migrate:up"))
				return diags
			}
		case m[1] == "up":
			if up >= 0 {
				diags.Add(problem(f, p.Span, "a second -- migrate:up without -- migrate:down between"))
				return diags
			}
			up, started = p.Span.End, true
			step.NoTransaction = step.NoTransaction || strings.Contains(m[2], "transaction:false")
		default:
			if up < 0 {
				diags.Add(problem(f, p.Span, "-- migrate:down without -- migrate:up before it"))
				return diags
			}
			step.Spans = append(step.Spans, source.Span{Start: up, End: p.Span.Start})
			up, down = -1, true
		}
	}
	if up >= 0 {
		step.Spans = append(step.Spans, source.Span{Start: up, End: len(f.Text)})
	}
	switch {
	case !started:
		diags.Add(problem(f, source.Span{}, "the migration lacks -- migrate:up"))
	case !down:
		diags.Add(problem(f, source.Span{}, "the migration lacks -- migrate:down, which dbmate requires"))
	}
	return diags
}
