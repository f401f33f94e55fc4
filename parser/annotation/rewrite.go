package annotation

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	pgparser "github.com/pganalyze/pg_query_go/v5/parser"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// operators are the operators of PostgreSQL 15 to 18 and its contrib extensions
// that end in @, one a line, captured from servers.
//
//go:generate sh -c "go run ./capture $DBGEN_CAPTURE_URLS > operators.txt"
//go:embed operators.txt
var operators string

// maxParam is the highest parameter number that the protocol can carry.
const maxParam = 65535

// Rewritten is a statement with named arguments and macros replaced.
type Rewritten struct {
	// Text is what PostgreSQL's parser reads.
	Text string
	// Map leads from Text to the file.
	Map source.Map
	Macro
	// Comments are the comments within the statement, in the file.
	Comments []source.Span
}

// Rewrite replaces the named arguments and macros of the statement that stands
// at span in f. Where its text cannot be divided into tokens the diagnostics
// hold the scanner's error, and Text is the text unchanged; the error of one that
// has nothing to replace is left to the parser.
//
// Named arguments take, in the order of the text, the lowest numbers that no
// explicit $n of the statement has; the same name is the same number.
func Rewrite(f *source.File, span source.Span) (Rewritten, diag.List) {
	r := rewriter{
		file: f, base: span.Start, text: f.Text[span.Start:span.End],
		params: map[int]*Param{}, numbers: map[string]int{}, next: 1,
	}
	r.result.Map.Replace(0, 0, source.Span{Start: span.Start, End: span.Start})
	if r.plain() {
		r.finish()
		return r.result, r.diags
	}
	scan, err := pg_query.Scan(r.text)
	if err != nil {
		// The server stops at the first error, be it of its grammar or its scanner.
		if !strings.Contains(r.text, "@") {
			if _, first := pg_query.Parse(r.text); first != nil {
				err = first
			}
		}
		r.diags.Add(SyntaxError(err, r.text, f, func(at int) source.Span {
			return source.Span{Start: at, End: at + 1}.Shift(r.base)
		}))
		r.result.Text = r.text
		return r.result, r.diags
	}
	r.tokens(scan.Tokens)
	r.walk()
	r.finish()
	return r.result, r.diags
}

// SyntaxError makes a diagnostic of an error of pg_query about text. place leads
// from a byte offset of text to a span of f.
func SyntaxError(err error, text string, f *source.File, place func(at int) source.Span) diag.Diagnostic {
	d := diag.Diagnostic{
		Severity: diag.Error, Code: "syntax", SQLState: sqlState(err.Error()), File: f,
		Message: firstLine(err.Error()), Span: place(0),
	}
	if strings.HasPrefix(d.Message, "LIMIT #,# syntax") {
		d.Hint = "Use separate LIMIT and OFFSET clauses."
	}
	var pgErr *pgparser.Error
	if errors.As(err, &pgErr) && pgErr.Cursorpos > 0 {
		d.Span = place(source.ByteOffset(text, pgErr.Cursorpos-1))
	}
	return d
}

// sqlState is the SQLSTATE of an error of the scanner or the grammar, which
// pg_query does not hand on. All but a few are plain syntax errors.
func sqlState(message string) string {
	switch {
	case strings.HasPrefix(message, "invalid Unicode escape at"):
		return "22025"
	case strings.HasPrefix(message, "invalid byte sequence"):
		return "22021"
	case strings.HasPrefix(message, "unsafe use of"):
		return "22P06"
	case strings.HasPrefix(message, "frame st"), strings.HasPrefix(message, "frame end"):
		return "42P20"
	case strings.HasPrefix(message, "precision for type float"), strings.HasPrefix(message, "column number must be"),
		strings.HasPrefix(message, "unrecognized JSON encoding"), strings.HasPrefix(message, "unrecognized partitioning strategy"):
		return "22023"
	case strings.HasSuffix(message, "for hash partition provided more than once"):
		return "42710"
	case strings.HasPrefix(message, "role name"), strings.HasSuffix(message, "as a role name here"):
		return "42939"
	case strings.Contains(message, "not yet implemented"), strings.Contains(message, "not yet supported"),
		strings.Contains(message, "no longer supported"), strings.Contains(message, "cannot be marked"),
		strings.HasPrefix(message, "CREATE SCHEMA IF NOT EXISTS"), strings.HasPrefix(message, "current database"),
		strings.HasPrefix(message, "dropping an enum value"), strings.HasPrefix(message, "aggregates cannot have output"),
		strings.HasPrefix(message, "an ordered-set aggregate with"), strings.HasPrefix(message, "WITH CHECK OPTION not"):
		return "0A000"
	}
	return "42601"
}

// firstLine cuts a message that quotes source text of several lines, as that of
// an unterminated string does.
func firstLine(message string) string {
	const near = ` at or near "`
	if i := strings.IndexAny(message, "\r\n"); i >= 0 {
		if strings.Contains(message[:i], near) {
			return message[:i] + `…"`
		}
		return message[:i]
	}
	return message
}

// token is one of the scanner's tokens, comments left out.
type token struct {
	kind       pg_query.Token
	keyword    pg_query.KeywordKind
	start, end int
	// opener is the index of the bracket that this token stands in, closer that
	// of the one which closes it; -1 for none.
	opener, closer int
}

// edit puts text in place of [start, end).
type edit struct {
	start, end int
	text       string
	embed      *Embed
}

type rewriter struct {
	file    *source.File
	base    int    // offset of text in file
	text    string // of the statement, as it stands in the file
	toks    []token
	edits   []edit
	params  map[int]*Param
	numbers map[string]int // by name
	next    int            // lowest number that may be free
	result  Rewritten
	diags   diag.List
}

// tokens keeps the tokens that are not comments, with the bracket each is in.
func (r *rewriter) tokens(all []*pg_query.ScanToken) {
	var open []int
	r.toks = make([]token, 0, len(all))
	for _, t := range all {
		k := token{kind: t.Token, keyword: t.KeywordKind, start: int(t.Start), end: int(t.End), opener: -1, closer: -1}
		switch k.kind {
		case pg_query.Token_SQL_COMMENT, pg_query.Token_C_COMMENT:
			r.result.Comments = append(r.result.Comments, r.span(k.start, k.end))
			continue
		case pg_query.Token_ASCII_41:
			if len(open) > 0 {
				r.toks[open[len(open)-1]].closer = len(r.toks)
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			k.opener = open[len(open)-1]
		}
		if k.kind == pg_query.Token_ASCII_40 {
			open = append(open, len(r.toks))
		}
		r.toks = append(r.toks, k)
	}
}

func (r *rewriter) walk() {
	for _, t := range r.toks {
		if t.kind == pg_query.Token_PARAM {
			r.explicit(t)
		}
	}
	for i := 0; i < len(r.toks); {
		i = r.token(i)
	}
}

// token handles the token at i and what belongs to it, and returns the index of
// the token behind.
func (r *rewriter) token(i int) int {
	if r.toks[i].kind == pg_query.Token_IN_P {
		if next, ok := r.in(i); ok {
			return next
		}
	}
	if use, next, ok := r.argument(i); ok {
		r.replace(use, false)
		return next
	}
	if next, ok := r.macro(i); ok {
		return next
	}
	return i + 1
}

// foldCase lowers the letters of ASCII, as the server folds an identifier in a
// UTF-8 database (downcase_identifier in scansup.c).
func foldCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func isWord(t token) bool {
	return t.kind == pg_query.Token_IDENT || t.kind == pg_query.Token_UIDENT ||
		t.keyword != pg_query.KeywordKind_NO_KEYWORD
}

func isIdentByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

func isOperatorByte(c byte) bool { return strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }

// explicit records a $n.
func (r *rewriter) explicit(t token) {
	span := r.span(t.start, t.end)
	n, err := strconv.Atoi(r.text[t.start+1 : t.end])
	if err != nil || n > maxParam {
		r.fail(span, "parameter number too large", fmt.Sprintf("the highest is $%d", maxParam))
		return
	}
	if n == 0 {
		r.diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: "syntax", SQLState: "42P02", File: r.file, Span: span,
			Message: "there is no parameter $0",
		})
		return
	}
	r.param(n, "").add(span, span)
}

func (r *rewriter) param(n int, name string) *Param {
	p := r.params[n]
	if p == nil {
		p = &Param{Number: n, Name: name}
		r.params[n] = p
	}
	return p
}

func (p *Param) add(span, name source.Span) {
	p.Spans = append(p.Spans, span)
	p.NameSpans = append(p.NameSpans, name)
}

// replace puts $n in place of a named argument.
func (r *rewriter) replace(u use, list bool) {
	n, ok := r.numbers[u.name]
	if !ok {
		for r.params[r.next] != nil {
			r.next++
		}
		n = r.next
		r.numbers[u.name] = n
	}
	p := r.param(n, u.name)
	p.add(r.span(u.start, u.end), u.nameSpan)
	p.Nullable = p.Nullable || u.nullable
	p.List = p.List || list || u.slice
	text := "$" + strconv.Itoa(n)
	if u.start > 0 && isIdentByte(r.text[u.start-1]) {
		text = " " + text // x@id must not become an identifier x$1
	}
	if u.end < len(r.text) && isIdentByte(r.text[u.end]) {
		text += " "
	}
	r.edits = append(r.edits, edit{start: u.start, end: u.end, text: text})
}

// finish puts the edits into the text.
func (r *rewriter) finish() {
	var b strings.Builder
	at := 0
	for _, e := range r.edits {
		b.WriteString(r.text[at:e.start])
		r.result.Map.Replace(b.Len(), len(e.text), r.span(e.start, e.end))
		if e.embed != nil {
			e.embed.Offset = b.Len()
			r.result.Embeds = append(r.result.Embeds, *e.embed)
		}
		b.WriteString(e.text)
		at = e.end
	}
	b.WriteString(r.text[at:])
	r.result.Text = b.String()
	for _, p := range r.params {
		r.result.Params = append(r.result.Params, *p)
	}
	slices.SortFunc(r.result.Params, func(a, b Param) int { return a.Number - b.Number })
}

// tokenEnd is the end of t for a place to point at. The scanner gives an
// identifier with Unicode escapes the length of its prefix.
func (r *rewriter) tokenEnd(t token) int {
	if t.kind != pg_query.Token_UIDENT {
		return t.end
	}
	if i := strings.IndexByte(r.text[t.start:], '"'); i >= 0 {
		if p, ok := source.NewLexer(r.text, t.start+i).Next(); ok {
			return p.Span.End
		}
	}
	return t.end
}

func (r *rewriter) span(start, end int) source.Span {
	return source.Span{Start: r.base + start, End: r.base + end}
}

func (r *rewriter) fail(span source.Span, message, hint string) {
	r.diags.Add(diag.Diagnostic{
		Severity: diag.Error, Code: Code, File: r.file, Span: span, Message: message, Hint: hint,
	})
}
