package migration

import (
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

var (
	sqlMigrateMarker = regexp.MustCompile(`(?i)^--[ \t]*\+migrate[ \t]+(\S+)(.*)$`)
	nodeMarker       = regexp.MustCompile(`(?i)^--[ \t-]*(up|down)[ \t]+migration`)
)

// comments calls fn for the line comments of a file that begin their line, not
// those in constants or behind code.
func comments(f *source.File, fn func(span source.Span, text string)) {
	lexer := source.NewLexer(f.Text, f.TextStart())
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		if p.Kind == source.LineComment && max(f.LineStart(p.Span.Start), f.TextStart()) == p.Span.Start {
			fn(p.Span, strings.TrimRight(f.Text[p.Span.Start:p.Span.End], " \t"))
		}
	}
}

// readSQLMigrate takes the parts behind `-- +migrate Up`; there may be several of
// them, with down parts between.
func readSQLMigrate(step *Step) diag.List {
	var diags diag.List
	f := step.File
	step.Spans = nil
	up, found := -1, false
	var block source.Span
	end := func(at int) {
		if up >= 0 {
			step.Spans = append(step.Spans, source.Span{Start: up, End: at})
		}
		up = -1
	}
	comments(f, func(span source.Span, text string) {
		m := sqlMigrateMarker.FindStringSubmatch(text)
		if m == nil {
			return
		}
		switch strings.ToLower(m[1]) {
		case "up":
			end(span.Start)
			up, found = span.End, true
			step.NoTransaction = step.NoTransaction || strings.Contains(strings.ToLower(m[2]), "notransaction")
		case "down":
			end(span.Start)
			found = true
		case "statementbegin":
			block = span
		case "statementend":
			if block.IsZero() {
				diags.Add(problem(f, span, "-- +migrate StatementEnd without StatementBegin"))
			}
			block = source.Span{}
		default:
			d := problem(f, span, "unknown sql-migrate annotation %q", m[1])
			if near, ok := diag.DidYouMean(m[1], []string{"Up", "Down", "StatementBegin", "StatementEnd"}); ok {
				d.Label = "did you mean " + near + "?"
			}
			diags.Add(d)
		}
	})
	end(len(f.Text))
	if !block.IsZero() {
		diags.Add(problem(f, block, "-- +migrate StatementBegin has no -- +migrate StatementEnd"))
	}
	if !found {
		diags.Add(problem(f, source.Span{}, "the migration lacks -- +migrate Up"))
	}
	return diags
}

// readNodePgMigrate takes what stands between `-- Up Migration` and
// `-- Down Migration`; a file without the second is read to its end, one without
// both is read whole.
func readNodePgMigrate(step *Step) diag.List {
	f := step.File
	start, end := f.TextStart(), len(f.Text)
	down := -1
	comments(f, func(span source.Span, text string) {
		m := nodeMarker.FindStringSubmatch(text)
		switch {
		case m == nil:
		case strings.EqualFold(m[1], "up"):
			start = span.End
			if down >= 0 && down < span.Start {
				down = -1
			}
		case down < 0:
			down = span.Start
		}
	})
	if down >= start {
		end = down
	}
	step.Spans = []source.Span{{Start: start, End: end}}
	return nil
}
