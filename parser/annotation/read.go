package annotation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// Code is the code of the diagnostics of this package.
const Code = "annotation"

// directives are the keys that something reads.
func directives() []string {
	return []string{"allow", "col", "order", "param", "returns", "sqlc-vet-disable"}
}

var (
	nameLine = regexp.MustCompile(`^name[ \t]*:`)
	// likeName has the shape of a name line, whatever its first word.
	likeName   = regexp.MustCompile(`^@?([A-Za-z_]+)[ \t]*:?[ \t]+[^ \t:]+[ \t]+:[A-Za-z]+[ \t]*$`)
	wholeName  = regexp.MustCompile(`^name[ \t]*:[ \t]*[\pL_][\pL\p{Nd}_]*[ \t]+:[A-Za-z_-]+[ \t]*$`)
	directive  = regexp.MustCompile(`^@([A-Za-z_][A-Za-z0-9_-]*):?(?:[ \t]+(.*))?$`)
	fieldSplit = regexp.MustCompile(`[^ \t]+`)
)

// line is one line of a comment.
type line struct {
	text string // without comment marks and white space around it
	at   int    // byte offset of text in the file
	row  int    // line of the file
}

// IsName reports whether a comment holds a whole name annotation. In the middle
// of a statement such a comment means that the statement before it lacks its
// semicolon.
func IsName(f *source.File, comment source.Span) bool {
	return slices.ContainsFunc(lines(f, comment), func(l line) bool {
		return wholeName.MatchString(l.text)
	})
}

// Read reads the comments in front of a statement, given by their spans in f.
// It returns the annotation that holds for the statement, nil if there is none,
// and what is wrong: a name line that cannot be read, names that no statement
// follows (all but the last; with statement false the last one too), unknown
// directives that resemble a known one.
func Read(f *source.File, comments []source.Span, statement bool) (*Annotation, diag.List) {
	r := reader{file: f}
	for _, c := range comments {
		for _, l := range lines(f, c) {
			r.line(l)
		}
	}
	r.finish(statement)
	return r.current, r.diags
}

// InBody reports the directives in comments between the tokens of a statement,
// where nothing reads them.
func InBody(f *source.File, comments []source.Span) diag.List {
	var list diag.List
	for _, c := range comments {
		for _, l := range lines(f, c) {
			m := directive.FindStringSubmatch(l.text)
			if m == nil || !slices.Contains(directives(), strings.ToLower(m[1])) {
				continue
			}
			list.Add(diag.Diagnostic{
				Severity: diag.Warning, Code: Code, File: f,
				Span:    source.Span{Start: l.at, End: l.at + len(m[1]) + 1},
				Message: fmt.Sprintf("directive @%s inside a statement is not read", m[1]),
				Hint:    "put it above the statement, beside the name",
			})
		}
	}
	return list
}

// reader collects what the lines in front of one statement say.
type reader struct {
	file    *source.File
	diags   diag.List
	current *Annotation
	broken  bool        // a name line was seen that cannot be read
	row     int         // line of the comment line before
	above   []string    // the doc lines since the last gap
	pending []Directive // above the first name
	below   []string
}

func (r *reader) line(l line) {
	if l.row > r.row+1 {
		r.above = nil
	}
	r.row = l.row
	if nameLine.MatchString(l.text) {
		r.flush()
		r.name(l)
		return
	}
	if r.misspelt(l) {
		return
	}
	if r.directive(l) {
		return
	}
	if r.current != nil || r.broken {
		r.below = append(r.below, l.text)
	}
	r.above = append(r.above, l.text)
}

// flush ends the annotation so far, which has no statement.
func (r *reader) flush() {
	if r.current == nil {
		return
	}
	r.diags.Add(diag.Diagnostic{
		Severity: diag.Error, Code: Code, File: r.file, Span: r.current.NameSpan,
		Message: fmt.Sprintf("query %q has no statement", r.current.Name),
		Query:   r.current.Name,
	})
	r.current, r.pending, r.below = nil, nil, nil
}

func (r *reader) finish(statement bool) {
	if r.current == nil {
		return
	}
	r.current.Directives = append(r.current.Directives, r.pending...)
	r.current.Doc = paragraphs(append(r.current.Doc, r.below...))
	if !statement {
		r.flush()
	}
}

// name reads `name: X :cmd`.
func (r *reader) name(l line) {
	r.broken = true
	colon := strings.IndexByte(l.text, ':') + 1
	rest := l.text[colon:]
	var fields []source.Span
	for _, m := range fieldSplit.FindAllStringIndex(rest, -1) {
		fields = append(fields, source.Span{Start: l.at + colon + m[0], End: l.at + colon + m[1]})
	}
	text := func(i int) string { return r.file.Text[fields[i].Start:fields[i].End] }
	whole := source.Span{Start: l.at, End: l.at + colon}
	const form = "write -- name: GetAuthor :one"
	switch {
	case len(fields) == 0:
		r.fail(whole, "the annotation lacks a name and a command", "", form)
		return
	case strings.HasPrefix(text(0), ":"):
		r.fail(fields[0], "the annotation lacks a name", "", form)
		return
	case len(fields) == 1 && strings.Contains(text(0), ":"):
		i := strings.IndexByte(text(0), ':')
		r.fail(source.Span{Start: fields[0].Start + i, End: fields[0].End},
			"a space must stand between the name and the command", "", form)
		return
	}
	if !isIdentifier(text(0)) {
		r.fail(fields[0], fmt.Sprintf("invalid query name %q", text(0)), "",
			"a name is made of letters, digits and _, and begins with a letter")
		return
	}
	if len(fields) == 1 {
		r.fail(fields[0], fmt.Sprintf("query %q lacks a command", text(0)), "", "one of "+commandList())
		return
	}
	command, ok := r.command(fields[1], text(1))
	if !ok {
		return
	}
	if len(fields) > 2 {
		r.fail(source.Span{Start: fields[2].Start, End: fields[len(fields)-1].End},
			"unexpected text after the command", "", "put comments on a line of their own")
		return
	}
	r.broken = false
	r.current = &Annotation{
		Name: text(0), Command: command, NameSpan: fields[0], CommandSpan: fields[1],
		Directives: r.pending, Doc: r.above,
	}
	r.pending, r.above = nil, nil
}

// command reads the second word of a name line.
func (r *reader) command(span source.Span, word string) (Command, bool) {
	bare, colon := strings.CutPrefix(word, ":")
	known := slices.Contains(Commands(), Command(bare))
	switch {
	case known && colon:
		return Command(bare), true
	case known:
		r.fail(span, fmt.Sprintf("a colon must stand before the command %q", word),
			fmt.Sprintf("write :%s", bare), "")
	case bare == "execlastid":
		r.fail(span, "command :execlastid is not for PostgreSQL", "", "use :one with RETURNING")
	default:
		label := ""
		words := make([]string, 0, len(Commands()))
		for _, c := range Commands() {
			words = append(words, string(c))
		}
		if near, ok := diag.DidYouMean(bare, words); ok {
			label = fmt.Sprintf(`did you mean ":%s"?`, near)
		}
		r.fail(span, fmt.Sprintf("unknown command %q", word), label, "one of "+commandList())
	}
	return "", false
}

// misspelt reports a line that has the shape of a name line and a first word
// near to "name".
func (r *reader) misspelt(l line) bool {
	m := likeName.FindStringSubmatchIndex(l.text)
	if m == nil {
		return false
	}
	word := l.text[m[2]:m[3]]
	if strings.HasPrefix(word, "_") {
		return false // switched off on purpose
	}
	near, ok := diag.DidYouMean(word, []string{"name"})
	if word != "name" && !ok {
		// Two edits in so short a word are still a slip where the rest of the
		// line has this shape.
		if near, ok = diag.DidYouMean(word+"  ", []string{"name  "}); !ok {
			return false
		}
		near = strings.TrimSpace(near)
	}
	r.flush()
	r.broken = true
	span := source.Span{Start: l.at, End: l.at + m[3]}
	if word == "name" {
		r.fail(span, "the annotation lacks the colon behind name", "write name:", "")
		return true
	}
	r.fail(span, fmt.Sprintf("unknown annotation %q", word), fmt.Sprintf("did you mean %q?", near), "")
	return true
}

// directive takes a line that is a directive or was meant as one; false for text.
func (r *reader) directive(l line) bool {
	m := directive.FindStringSubmatchIndex(l.text)
	if m == nil {
		return false
	}
	key := l.text[m[2]:m[3]]
	d := Directive{
		Key:  strings.ToLower(key),
		Span: source.Span{Start: l.at, End: l.at + len(l.text)},
	}
	if m[4] >= 0 && m[4] < m[5] {
		d.Value = l.text[m[4]:m[5]]
		d.ValueSpan = source.Span{Start: l.at + m[4], End: l.at + m[5]}
	}
	if slices.Contains(directives(), d.Key) {
		r.pending = append(r.pending, d)
		return true
	}
	near, ok := diag.DidYouMean(key, directives())
	if ok {
		r.diags.Add(diag.Diagnostic{
			Severity: diag.Warning, Code: Code, File: r.file,
			Span:    source.Span{Start: l.at, End: l.at + m[3]},
			Message: fmt.Sprintf("unknown directive @%s", key),
			Label:   fmt.Sprintf("did you mean @%s?", near),
		})
	}
	return ok
}

func (r *reader) fail(span source.Span, message, label, hint string) {
	r.diags.Add(diag.Diagnostic{
		Severity: diag.Error, Code: Code, File: r.file, Span: span,
		Message: message, Label: label, Hint: hint,
	})
}

func commandList() string {
	var b strings.Builder
	for i, c := range Commands() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(":" + string(c))
	}
	return b.String()
}

// isIdentifier reports whether name can be, with its first letter raised, the
// name of a Go method.
func isIdentifier(name string) bool {
	for i, c := range name {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return strings.Trim(name, "_") != ""
}

// lines divides a comment into its lines.
func lines(f *source.File, comment source.Span) []line {
	at, end := comment.Start, comment.End
	row := f.Position(at).Line
	text := f.Text[at:end]
	if strings.HasPrefix(text, "--") {
		return []line{trimmed(text[2:], at+2, row)}
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "/*"), "*/")
	at += 2
	var all []line
	for i, s := range strings.SplitAfter(text, "\n") {
		l := trimmed(s, at, row+i)
		if star := strings.TrimLeft(l.text, "*"); len(star) < len(l.text) {
			l = trimmed(star, l.at+len(l.text)-len(star), row+i)
		}
		all = append(all, l)
		at += len(s)
	}
	return all
}

func trimmed(s string, at, row int) line {
	left := strings.TrimLeft(s, " \t\r\n\f\v")
	return line{strings.TrimRight(left, " \t\r\n\f\v"), at + len(s) - len(left), row}
}

// paragraphs drops empty lines at both ends and repeated ones.
func paragraphs(doc []string) []string {
	doc = slices.CompactFunc(doc, func(a, b string) bool { return a == "" && b == "" })
	if len(doc) > 0 && doc[0] == "" {
		doc = doc[1:]
	}
	if n := len(doc); n > 0 && doc[n-1] == "" {
		doc = doc[:n-1]
	}
	if len(doc) == 0 {
		return nil
	}
	return doc
}
