package diag

import (
	"encoding/json"
	"io"

	"github.com/dbgen/dbgen/parser/source"
)

// Entry is a diagnostic as the machine-readable outputs give it, under
// "diagnostics". Lines and columns count from 1, columns in characters; the end
// is behind the last character. A diagnostic about a whole file has zeros, one
// about no file an empty file too.
type Entry struct {
	Severity  string `json:"severity"`
	Code      string `json:"code"`
	SQLState  string `json:"sqlstate"`
	Message   string `json:"message"`
	Hint      string `json:"hint"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
}

// JSON returns the list in the form that is marshalled to JSON; never nil, so
// that an empty list is [].
func (l List) JSON() []Entry {
	entries := make([]Entry, 0, len(l))
	for i := range l {
		d := &l[i]
		e := Entry{
			Severity: d.Severity.String(),
			Code:     d.Code,
			SQLState: d.SQLState,
			Message:  d.Message,
			Hint:     d.advice(),
		}
		if d.File != nil {
			e.File = d.File.Name
			e.Line, e.Column, e.EndLine, e.EndColumn = region(d.File, d.Span)
		}
		entries = append(entries, e)
	}
	return entries
}

// advice is the label and the hint as one text, for forms that have no caret to
// put a label beside.
func (d *Diagnostic) advice() string {
	if d.Label != "" && d.Hint != "" {
		return d.Label + "; " + d.Hint
	}
	return d.Label + d.Hint
}

// WriteJSON writes {"diagnostics": [...]}, indented, and returns the writer's
// error.
func (l List) WriteJSON(w io.Writer) error {
	return writeJSON(w, map[string]any{"diagnostics": l.JSON()})
}

// region is the start and end of a span as lines and columns; zeros for none.
func region(f *source.File, span source.Span) (line, column, endLine, endColumn int) {
	if span.IsZero() {
		return 0, 0, 0, 0
	}
	start, end := f.Position(span.Start), f.Position(max(span.Start, span.End))
	return start.Line, start.Column, end.Line, end.Column
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
