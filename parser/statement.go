package parser

import (
	"fmt"
	"sort"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/source"
)

// Statement is one parsed statement. It is safe for concurrent use as long as
// nobody changes it.
type Statement struct {
	File *source.File
	// Span is the statement in the file, first token to last, without the
	// semicolon.
	Span source.Span
	// Text is what PostgreSQL parsed: the statement with $n for named arguments.
	Text string
	// Map leads from offsets in Text to offsets in the file.
	Map source.Map
	// Annotation is nil for a statement without a name.
	Annotation *annotation.Annotation
	// Params is every $n of Text, ordered by number.
	Params []annotation.Param
	Embeds []annotation.Embed
	// Tree is the parse tree; its locations are byte offsets into Text.
	Tree *pg_query.RawStmt

	tokens func() []source.Span
}

// Place returns the place in the file of the token that stands at a byte offset
// of Text. An offset outside the text, such as the -1 of a node without a
// location, gives the whole statement; the end of the text, where the end of
// input was unexpected, gives the place behind the last token.
func (s *Statement) Place(offset int) source.Span {
	if offset < 0 || offset > len(s.Text) {
		return s.Span
	}
	if offset == len(s.Text) {
		return source.Span{Start: s.Span.End, End: s.Span.End + 1}
	}
	return s.FileSpan(s.token(offset))
}

// FileSpan returns the place in the file of a range of Text.
func (s *Statement) FileSpan(text source.Span) source.Span {
	return s.Map.Span(text)
}

// SQL returns what is sent to the server: Text, behind a line with the name and
// command where the statement has them, which shows in pg_stat_activity and in
// server logs.
func (s *Statement) SQL() string {
	if s.Annotation == nil {
		return s.Text
	}
	return fmt.Sprintf("-- name: %s :%s\n%s", s.Annotation.Name, s.Annotation.Command, s.Text)
}

// token returns the range of Text of the token at offset, or of one character
// where none is.
func (s *Statement) token(offset int) source.Span {
	var tokens []source.Span
	if s.tokens != nil {
		tokens = s.tokens()
	} else {
		tokens = scanTokens(s.Text)
	}
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].End > offset })
	if i < len(tokens) && tokens[i].Start <= offset {
		return source.Span{Start: offset, End: tokens[i].End}
	}
	end := offset + 1
	for end < len(s.Text) && s.Text[end]&0xC0 == 0x80 {
		end++
	}
	return source.Span{Start: offset, End: end}
}

// scanTokens returns the ranges of the tokens of text, nil where the scanner
// refuses it. A bracket is a token of one character, so that a place never
// reaches further than what stands there.
func scanTokens(text string) []source.Span {
	scan, err := pg_query.Scan(text)
	if err != nil {
		return nil
	}
	spans := make([]source.Span, 0, len(scan.Tokens))
	for _, t := range scan.Tokens {
		if t.End > t.Start {
			spans = append(spans, source.Span{Start: int(t.Start), End: int(t.End)})
		}
	}
	return spans
}
