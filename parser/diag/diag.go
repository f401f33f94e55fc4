// Package diag holds what dbgen has to say about its input as values, and
// prints them.
//
// A [Diagnostic] names a severity, a code, a place and a message; nothing that
// makes one knows how it will be shown. Analysis errors carry the SQLSTATE that
// the server would give, findings of the planner a code such as PL001.
//
// The package imports parser/source alone.
package diag

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/source"
)

// Severity says how bad a diagnostic is. Larger is worse.
type Severity int

// The severities, from harmless to fatal.
const (
	Info Severity = iota + 1
	Warning
	Error
)

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// Diagnostic is one thing to tell the user.
type Diagnostic struct {
	Severity Severity
	// Code names the kind: a rule ("PL001"), or a word such as "syntax",
	// "annotation", "config", "stats", "unsupported", "analysis".
	Code string
	// SQLState is the server's code where the server would refuse the same
	// text; "" otherwise.
	SQLState string
	// Message is one line, lower case, in the server's words where it has any.
	Message string
	// Detail adds facts below the excerpt; may be empty or several lines.
	Detail string
	// Hint says what to do; may be empty.
	Hint string
	// Label stands beside the caret, short; may be empty.
	Label string
	// File is where Span lies; nil for a diagnostic about no file.
	File *source.File
	// Span is the place in File; zero for the file as a whole.
	Span source.Span
	// Query is the name of the annotated query it is about, if any.
	Query string
	// Related are further places that help to understand it.
	Related []Related
}

// Related is a second place of a [Diagnostic].
type Related struct {
	File    *source.File
	Span    source.Span
	Message string
}

// Error returns the first line of the text form, so that a Diagnostic can
// travel as an error.
func (d *Diagnostic) Error() string {
	return d.headline()
}

// headline is `file:line:column: severity: message (code)`.
func (d *Diagnostic) headline() string {
	where := ""
	if d.File != nil {
		where = d.File.Name + ": "
		if !d.Span.IsZero() {
			p := d.File.Position(d.Span.Start)
			where = fmt.Sprintf("%s:%d:%d: ", d.File.Name, p.Line, p.Column)
		}
	}
	code := cmp.Or(d.SQLState, d.Code)
	if code != "" {
		code = " (" + code + ")"
	}
	return fmt.Sprintf("%s%s: %s%s", where, d.Severity, d.Message, code)
}

// List collects diagnostics. The zero List is empty and ready for use.
type List []Diagnostic

// Add appends d.
func (l *List) Add(d Diagnostic) { *l = append(*l, d) }

// Append adds all of m.
func (l *List) Append(m List) { *l = append(*l, m...) }

// HasErrors reports whether any diagnostic is an error.
func (l List) HasErrors() bool { return l.Max() >= Error }

// Max returns the worst severity in the list, 0 for an empty one.
func (l List) Max() Severity {
	var worst Severity
	for i := range l {
		worst = max(worst, l[i].Severity)
	}
	return worst
}

// Sort orders the list by file (rank, then name), place, severity (worst first), code and
// message, and drops exact repetitions.
func (l *List) Sort() {
	key := func(d *Diagnostic) string {
		if d.File == nil {
			return ""
		}
		return d.File.Name
	}
	rank := func(d *Diagnostic) int {
		if d.File == nil {
			return 0
		}
		return d.File.Rank
	}
	slices.SortStableFunc(*l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(rank(&a), rank(&b)),
			cmp.Compare(key(&a), key(&b)),
			cmp.Compare(a.Span.Start, b.Span.Start),
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	*l = slices.CompactFunc(*l, func(a, b Diagnostic) bool {
		return key(&a) == key(&b) && a.Span == b.Span && a.Code == b.Code && a.Message == b.Message
	})
}
