package parser

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// chunk is the text of one statement and the comments in front of it.
type chunk struct {
	// lead are the comments before the first token.
	lead []source.Span
	// span is the first token to the last, without the semicolon; zero where
	// there are only comments.
	span source.Span
	// cut is set where not a semicolon but an annotation, at cutBy, ended it.
	cut   bool
	cutBy source.Span
	// open is set where a bracket is open at the end.
	open bool
}

// splitter divides a file into statements at the semicolons that end one: not
// those in constants, comments, brackets, or the body of a routine between BEGIN
// ATOMIC and END. It keeps count as psql does (psql_scan in psqlscan.l).
type splitter struct {
	file  *source.File
	mode  Mode
	diags diag.List

	chunks []chunk
	lexer  *source.Lexer

	// Of the statement so far:
	lead       []source.Span
	start, end int      // first token to last; start -1 for none
	depth      int      // open brackets
	begin      int      // open BEGINs and CASEs of a routine's body
	words      []string // the first four words, lower case
	ended      int      // where the statement before ended, -1 at the start
}

func (s *splitter) split() []chunk {
	s.lexer = source.NewLexer(s.file.Text, s.file.TextStart())
	s.reset(-1)
	for {
		p, ok := s.lexer.Next()
		if !ok {
			break
		}
		s.piece(p)
	}
	s.close(chunk{}, len(s.file.Text))
	return s.chunks
}

func (s *splitter) reset(ended int) {
	s.lead, s.start, s.end, s.depth, s.begin, s.ended = nil, -1, -1, 0, 0, ended
	s.words = nil
}

// close ends the statement.
func (s *splitter) close(c chunk, at int) {
	c.lead, c.open = s.lead, s.depth > 0
	if s.start >= 0 {
		c.span = source.Span{Start: s.start, End: s.end}
	}
	if len(c.lead) > 0 || !c.span.IsZero() {
		s.chunks = append(s.chunks, c)
	}
	s.reset(at)
}

func (s *splitter) piece(p source.Piece) {
	text := s.file.Text
	switch p.Kind {
	case source.Space:
		return
	case source.LineComment, source.BlockComment:
		if !p.Unterminated {
			s.comment(p.Span)
			return
		}
	case source.Symbol:
		switch c := text[p.Span.Start]; {
		case c == '\\' && s.atLineStart(p.Span.Start):
			s.psql(p.Span.Start)
			return
		case c == '(':
			s.depth++
		case c == ')':
			s.depth = max(0, s.depth-1)
		case c == ';' && s.depth == 0 && s.begin == 0:
			copyData := s.isCopyFromStdin()
			s.close(chunk{}, p.Span.End)
			if copyData {
				s.skipData(p.Span.End)
			}
			return
		}
	case source.Word:
		s.word(strings.ToLower(text[p.Span.Start:p.Span.End]))
	}
	if s.start < 0 {
		s.start = p.Span.Start
	}
	s.end = p.Span.End
	// A quote that was forgotten closes at the next query's first one. The
	// annotation between tells.
	if p.Unterminated || p.Kind == source.StringConst || p.Kind == source.QuotedIdent {
		s.recover(p.Span)
	}
}

// comment takes a comment: in front of the statement it is kept for the
// annotation; a whole annotation on its line further in ends a statement that
// lacks its semicolon.
func (s *splitter) comment(span source.Span) {
	if s.mode != Queries {
		return
	}
	if s.start < 0 {
		if s.ended >= 0 && !strings.Contains(s.file.Text[s.ended:span.Start], "\n") &&
			!annotation.IsName(s.file, span) {
			return // behind the semicolon, about the statement before
		}
		s.lead = append(s.lead, span)
		return
	}
	if s.atLineStart(span.Start) && annotation.IsName(s.file, span) {
		s.close(chunk{cut: true, cutBy: span}, span.Start)
		s.lead = append(s.lead, span)
	}
}

// word counts the BEGIN and END of a routine's body.
func (s *splitter) word(word string) {
	if len(s.words) < 4 {
		s.words = append(s.words, word)
	}
	if s.depth > 0 || !s.isRoutine() {
		return
	}
	switch word {
	case "begin":
		s.begin++
	case "case":
		if s.begin > 0 {
			s.begin++
		}
	case "end":
		s.begin = max(0, s.begin-1)
	}
}

// isRoutine reports whether the statement is CREATE [OR REPLACE] FUNCTION or
// PROCEDURE.
func (s *splitter) isRoutine() bool {
	w := s.words
	if len(w) < 2 || w[0] != "create" {
		return false
	}
	kind := w[1]
	if kind == "or" && len(w) == 4 && w[2] == "replace" {
		kind = w[3]
	}
	return kind == "function" || kind == "procedure"
}

// isCopyFromStdin reports whether data follows the statement in the file, as in
// a dump: COPY … FROM stdin, with or without options.
func (s *splitter) isCopyFromStdin() bool {
	if s.mode != Schema || len(s.words) == 0 || s.words[0] != "copy" {
		return false
	}
	var before string
	lexer := source.NewLexer(s.file.Text[:s.end], s.start)
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		if p.Kind != source.Word {
			continue
		}
		word := strings.ToLower(s.file.Text[p.Span.Start:p.Span.End])
		if before == "from" && word == "stdin" {
			return true
		}
		before = word
	}
	return false
}

// skipData continues behind the line `\.` that ends the data of COPY.
func (s *splitter) skipData(at int) {
	text := s.file.Text
	for at < len(text) {
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			at = len(text)
			break
		}
		at += end + 1
		if rest := text[at:]; strings.HasPrefix(rest, "\\.\n") || strings.HasPrefix(rest, "\\.\r\n") || rest == "\\." {
			at += 2
			break
		}
	}
	s.lexer.Seek(at)
	s.ended = at
}

// psql passes over a line that only psql understands. Dumps begin and end with
// such lines; anywhere else they are an error.
func (s *splitter) psql(at int) {
	line := s.file.Text[at:]
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	s.lexer.Seek(at + len(line))
	command := strings.Fields(line)[0]
	if s.mode == Schema && sayingNothing(command, strings.Fields(line)) {
		return
	}
	s.diags.Add(diag.Diagnostic{
		Severity: diag.Error, Code: "syntax", SQLState: "42601", File: s.file,
		Span:    source.Span{Start: at, End: at + len(command)},
		Message: fmt.Sprintf("%s is a command of psql, not SQL", command),
		Hint:    "the file must hold SQL alone; take the line out",
	})
}

// sayingNothing reports whether a command of psql does nothing to what is sent:
// it prints, or sets how psql itself behaves.
func sayingNothing(command string, words []string) bool {
	switch command {
	case `\restrict`, `\unrestrict`, `\connect`, `\c`, `\echo`, `\qecho`, `\warn`, `\timing`, `\pset`, `\encoding`, `\x`, `\conninfo`:
		return true
	case `\set`, `\unset`:
		if len(words) < 2 {
			return true
		}
		switch words[1] {
		case "ON_ERROR_STOP", "ON_ERROR_ROLLBACK", "QUIET", "ECHO", "ECHO_ERRORS", "VERBOSITY", "SHOW_CONTEXT", "AUTOCOMMIT":
			return true
		}
	}
	return false
}

// recover looks for a whole annotation on a line of its own inside a constant or
// comment. It ends the statement there, so that the scanner reports the constant
// as one without an end, and the queries behind are still read.
func (s *splitter) recover(open source.Span) {
	if s.mode != Queries {
		return
	}
	text := s.file.Text
	for at := open.Start; ; {
		end := strings.IndexByte(text[at:open.End], '\n')
		if end < 0 {
			return
		}
		at += end + 1
		if !strings.HasPrefix(text[at:], "--") {
			continue
		}
		comment, ok := source.NewLexer(text, at).Next()
		if !ok || !annotation.IsName(s.file, comment.Span) {
			continue
		}
		s.end = len(strings.TrimRight(text[:at], " \t\r\n\f\v"))
		s.close(chunk{}, at)
		s.lexer.Seek(at)
		return
	}
}

// atLineStart reports whether only white space stands before at on its line.
func (s *splitter) atLineStart(at int) bool {
	start := max(s.file.LineStart(at), s.file.TextStart())
	return strings.Trim(s.file.Text[start:at], " \t\f\v") == ""
}
