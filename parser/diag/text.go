package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/dbgen/dbgen/parser/source"
)

// Limits of an excerpt, in columns of a terminal.
const (
	maxExcerpt = 120 // a longer line is cut around the place
	maxLabel   = 60  // a longer hint stands on a line of its own
	tabStop    = 4   // a tab is printed as spaces up to the next multiple
)

// ANSI sequences of the text form.
const (
	colorReset  = "\x1b[0m"
	colorBold   = "\x1b[1m"
	colorRed    = "\x1b[1;31m"
	colorYellow = "\x1b[1;33m"
	colorCyan   = "\x1b[1;36m"
	colorDim    = "\x1b[2m"
)

// Text writes the list as people read it: a first line that compilers' error
// matchers know, the line of the source with carets under the place, and what
// else there is to say, each on a line of its own:
//
//	queries/authors.sql:7:12: error: column "nmae" does not exist (42703)
//	  7 | SELECT id, nmae FROM authors
//	    |            ^^^^ did you mean "name"?
//
// The carets stand under the characters also behind tabs and wide characters; a
// place of several lines shows the first. With color, ANSI sequences are added.
// It returns the writer's error.
func (l List) Text(w io.Writer, color bool) error {
	for i := range l {
		p := textPrinter{color: color}
		p.diagnostic(&l[i])
		if _, err := io.WriteString(w, p.out.String()); err != nil {
			return err
		}
	}
	return nil
}

type textPrinter struct {
	out   strings.Builder
	color bool
}

func (p *textPrinter) paint(color, s string) string {
	if !p.color || s == "" {
		return s
	}
	return color + s + colorReset
}

func (p *textPrinter) diagnostic(d *Diagnostic) {
	p.out.WriteString(p.headline(d))
	p.out.WriteByte('\n')
	label, hint := d.Label, d.Hint
	if label == "" && short(hint) && d.File != nil && !d.Span.IsZero() {
		label, hint = hint, ""
	}
	if d.File != nil && !d.Span.IsZero() {
		p.excerpt(d.File, d.Span, severityColor(d.Severity), label)
	} else if label != "" {
		p.note("hint", label)
	}
	p.note("detail", d.Detail)
	p.note("hint", hint)
	for _, r := range d.Related {
		p.note("see", where(r.File, r.Span)+r.Message)
	}
}

func (p *textPrinter) headline(d *Diagnostic) string {
	if !p.color {
		return clean(d.headline())
	}
	severity := d.Severity.String() + ": "
	head := clean(d.headline())
	at := len(clean(where(d.File, d.Span)))
	return p.paint(colorBold, head[:at]) + p.paint(severityColor(d.Severity), severity) +
		p.paint(colorBold, head[at+len(severity):])
}

// note writes `  key: text`, further lines of text below its first.
func (p *textPrinter) note(key, text string) {
	if text == "" {
		return
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lead := "  " + p.paint(colorBold, key+":") + " "
		if i > 0 {
			lead = strings.Repeat(" ", len(key)+4)
		}
		p.out.WriteString(strings.TrimRight(lead+clean(line), " "))
		p.out.WriteByte('\n')
	}
}

// excerpt writes the source line of span and the carets below it.
func (p *textPrinter) excerpt(f *source.File, span source.Span, color, label string) {
	pos := f.Position(span.Start)
	line := f.Line(pos.Line)
	from := pos.Column - 1
	to := from + 1
	if end := f.Position(span.End); end.Line > pos.Line {
		to = len([]rune(line))
	} else if end.Column > pos.Column {
		to = end.Column - 1
	}
	text, lead, size := layout(line, from, max(to, from+1))
	number := fmt.Sprint(pos.Line)
	fmt.Fprintf(&p.out, "%s%s\n", p.paint(colorDim, "  "+number+" |"), prefixed(text))
	carets := strings.Repeat("^", size)
	if label != "" {
		carets += " " + clean(label)
	}
	fmt.Fprintf(&p.out, "%s %s%s\n", p.paint(colorDim, "  "+strings.Repeat(" ", len(number))+" |"),
		strings.Repeat(" ", lead), p.paint(color, carets))
}

// prefixed puts a space before a text that is not empty, so that no line ends
// in white space.
func prefixed(text string) string {
	if text = strings.TrimRight(text, " "); text == "" {
		return ""
	}
	return " " + text
}

// layout returns line as it is printed, and the column and width of its
// characters [from, to) there, cut to maxExcerpt columns around the place.
func layout(line string, from, to int) (text string, lead, size int) {
	type cell struct {
		s  string
		at int // column
		w  int
	}
	var cells []cell
	column := 0
	for _, r := range line {
		c := cell{s: string(r), at: column, w: runeWidth(r)}
		switch {
		case r == '\t':
			c.w = tabStop - column%tabStop
			c.s = strings.Repeat(" ", c.w)
		case r == unicode.ReplacementChar || unicode.IsControl(r) || isBidi(r):
			c.s, c.w = "\ufffd", 1
		}
		cells = append(cells, c)
		column += c.w
	}
	at := func(i int) int {
		if i < len(cells) {
			return cells[i].at
		}
		return column + i - len(cells)
	}
	lead, size = at(from), max(at(to)-at(from), 1)
	left, right := 0, column
	if column > maxExcerpt {
		left = max(0, min(lead-maxExcerpt/3, column-maxExcerpt))
		right = left + maxExcerpt
	}
	var b strings.Builder
	begun := false
	for _, c := range cells {
		switch {
		case c.at < left:
		case c.at+c.w > right:
		default:
			if !begun && left > 0 {
				b.WriteString("…")
				left = c.at - 1
			}
			begun = true
			b.WriteString(c.s)
		}
	}
	if right < column {
		b.WriteString("…")
	}
	if !begun {
		left = min(left, lead)
	}
	size = max(1, min(size, right-lead))
	return b.String(), max(lead-left, 0), size
}

// runeWidth is the number of columns of r on a terminal: 2 for the East Asian
// wide and full-width characters of Unicode's UAX #11, 0 for combining marks.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r < 0x1100:
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// isBidi reports whether r reorders the text around it on a terminal.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// clean replaces what would steer a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || isBidi(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// short reports whether s can stand beside a caret.
func short(s string) bool {
	return s != "" && len(s) <= maxLabel && !strings.Contains(s, "\n")
}

// where is `file:line:column: `, as much of it as there is.
func where(f *source.File, span source.Span) string {
	if f == nil {
		return ""
	}
	if span.IsZero() {
		return f.Name + ": "
	}
	p := f.Position(span.Start)
	return fmt.Sprintf("%s:%d:%d: ", f.Name, p.Line, p.Column)
}

func severityColor(s Severity) string {
	switch s {
	case Error:
		return colorRed
	case Warning:
		return colorYellow
	}
	return colorCyan
}
