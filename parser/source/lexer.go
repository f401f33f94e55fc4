package source

import "strings"

// PieceKind says what a [Piece] is.
type PieceKind int

// The kinds of piece that SQL text is made of.
const (
	// Space is a run of white space.
	Space PieceKind = iota
	// Word is a keyword, an unquoted identifier or a number.
	Word
	// Symbol is one byte of anything else: an operator, a bracket, a semicolon.
	Symbol
	// QuotedIdent is an identifier in double quotes.
	QuotedIdent
	// StringConst is a constant in single quotes; a prefix such as E or U& is
	// a piece of its own.
	StringConst
	// DollarString is a constant in dollar quotes.
	DollarString
	// LineComment runs from -- to the end of the line, without the line end.
	LineComment
	// BlockComment is a comment in /* */, nested ones within it.
	BlockComment
)

// Piece is a stretch of SQL text as the server's lexer would divide it at the
// coarsest: what is code, what is a comment, what is a constant.
type Piece struct {
	Kind PieceKind
	Span Span
	// Unterminated is set for a constant or comment that the text ends in.
	Unterminated bool
}

// Lexer divides SQL text into pieces. It never fails: an unterminated constant
// is a piece that runs to the end of the text. It follows the rules of scan.l
// with standard_conforming_strings on, as far as they decide where constants
// and comments begin and end; it is there to find semicolons, comments and
// lines that a client handles, which must be found even in text the server's
// scanner refuses. It takes linear time.
type Lexer struct {
	text string
	pos  int
	// escapes is set where a constant that begins here has backslash escapes:
	// behind E, and behind such a constant and white space with a line end.
	escapes bool
	newline bool // white space with a line end was seen since the constant
	last    PieceKind
}

// NewLexer returns a Lexer that begins at byte offset at of text.
func NewLexer(text string, at int) *Lexer { return &Lexer{text: text, pos: at} }

// Seek continues at byte offset pos as at the start of a text.
func (l *Lexer) Seek(pos int) {
	*l = Lexer{text: l.text, pos: min(max(pos, 0), len(l.text))}
}

// Next returns the next piece, and false at the end of the text.
func (l *Lexer) Next() (Piece, bool) {
	if l.pos >= len(l.text) {
		return Piece{}, false
	}
	start := l.pos
	kind, end, closed := l.piece(start)
	l.pos = end
	l.remember(kind, l.text[start:end])
	return Piece{Kind: kind, Span: Span{start, end}, Unterminated: !closed}, true
}

// remember keeps whether a quote that comes next opens a constant with
// backslash escapes.
func (l *Lexer) remember(kind PieceKind, text string) {
	switch kind {
	case Word:
		l.escapes, l.newline = text == "E" || text == "e", false
	case StringConst:
		l.newline = false
	case Space:
		// E and its quote stand together; two halves of one constant have a
		// line end between them.
		l.newline = l.newline || strings.ContainsAny(text, "\n\r")
		if l.last == Word {
			l.escapes = false
		}
	case LineComment:
		if l.last == Word {
			l.escapes = false
		}
	default:
		l.escapes = false
	}
	if kind != Space && kind != LineComment || l.last == Word {
		l.last = kind
	}
}

func (l *Lexer) piece(i int) (kind PieceKind, end int, closed bool) {
	text := l.text
	c := text[i]
	switch {
	case isSpace(c):
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		return Space, i, true
	case isIdentStart(c):
		for i < len(text) && (isIdentStart(text[i]) || isDigit(text[i]) || text[i] == '$') {
			i++
		}
		return Word, i, true
	case isDigit(c):
		for i < len(text) && (isIdentStart(text[i]) || isDigit(text[i])) {
			i++
		}
		return Word, i, true
	case c == '\'':
		escapes := l.escapes && (l.last != StringConst || l.newline)
		end, closed = quoted(text, i, '\'', escapes)
		if !escapes {
			l.escapes = false
		}
		return StringConst, end, closed
	case c == '"':
		end, closed = quoted(text, i, '"', false)
		return QuotedIdent, end, closed
	case c == '$':
		if end, closed, ok := dollarQuoted(text, i); ok {
			return DollarString, end, closed
		}
	case strings.HasPrefix(text[i:], "--"):
		end := strings.IndexAny(text[i:], "\r\n")
		if end < 0 {
			return LineComment, len(text), true
		}
		return LineComment, i + end, true
	case strings.HasPrefix(text[i:], "/*"):
		end, closed = blockComment(text, i)
		return BlockComment, end, closed
	}
	return Symbol, i + 1, true
}

// quoted returns the end of a constant or identifier that q opens at i; a
// doubled q stands for itself.
func quoted(text string, i int, q byte, escapes bool) (end int, closed bool) {
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && escapes:
			i++
		case text[i] == q:
			if i+1 < len(text) && text[i+1] == q {
				i++
				continue
			}
			return i + 1, true
		}
	}
	return len(text), false
}

// dollarQuoted returns the end of a constant that begins with $tag$ at i; ok is
// false where no such tag begins.
func dollarQuoted(text string, i int) (end int, closed, ok bool) {
	j := i + 1
	for j < len(text) && (isIdentStart(text[j]) || j > i+1 && isDigit(text[j])) {
		j++
	}
	if j >= len(text) || text[j] != '$' {
		return 0, false, false
	}
	tag := text[i : j+1]
	if n := strings.Index(text[j+1:], tag); n >= 0 {
		return j + 1 + n + len(tag), true, true
	}
	return len(text), false, true
}

func blockComment(text string, i int) (end int, closed bool) {
	depth := 0
	for i+1 < len(text) {
		switch text[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i, true
			}
		default:
			i++
		}
	}
	return len(text), false
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isIdentStart reports whether an identifier may begin with c: a letter, an
// underscore or any byte outside ASCII (ident_start in scan.l).
func isIdentStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
