package annotation

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/source"
)

// plain reads a statement in which nothing is to be replaced, without the
// scanner: most of the time of a statement with $n alone would be the scanner's.
// It reports false where the statement may hold a named argument or a macro, or
// has anything that only the scanner can judge; nothing is kept then.
func (r *rewriter) plain() bool {
	if strings.Contains(r.text, "@") || strings.Contains(r.text, `&"`) {
		return false
	}
	if folded := foldCase(r.text); strings.Contains(folded, macroSchema) || strings.Contains(folded, sqlcSchema) {
		return false
	}
	var comments []source.Span
	var params []token
	dollar := -1 // the place of a $ right before this piece
	for l := source.NewLexer(r.text, 0); ; {
		p, ok := l.Next()
		if !ok {
			break
		}
		switch {
		case p.Unterminated:
			return false
		case p.Kind == source.LineComment, p.Kind == source.BlockComment:
			comments = append(comments, r.span(p.Span.Start, p.Span.End))
		case p.Kind == source.Symbol && r.text[p.Span.Start] == '$':
			dollar = p.Span.Start
			continue
		case dollar >= 0 && p.Kind == source.Word && digits(r.text[p.Span.Start:p.Span.End]):
			params = append(params, token{kind: pg_query.Token_PARAM, start: dollar, end: p.Span.End})
		case dollar >= 0:
			return false
		}
		dollar = -1
	}
	if dollar >= 0 {
		return false
	}
	r.result.Comments = comments
	for _, p := range params {
		r.explicit(p)
	}
	return true
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
