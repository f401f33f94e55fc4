package model

import (
	"strings"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// starWidth is where the list of columns that stands for a * is broken.
const starWidth = 100

// SQL returns what a method sends to the server: the statement with $n, behind a
// line with its name, and with the columns in place of each * of its result. A
// column that is added to a table later then shifts no other.
//
// A * is left as it is where the columns have no names of their own to be called
// by: in UNION and its kin, under an alias of a join, with two columns of one
// name.
func SQL(cat *catalog.Catalog, s *parser.Statement, a *analyze.Analyzed) string {
	text := s.SQL()
	if a == nil {
		return text
	}
	head := len(text) - len(s.Text)
	out, last := text[:head], 0
	for _, star := range stars(s.Text, a.Query) {
		before := out + s.Text[last:star.span.Start]
		list := starList(cat, s.Text, a.Query, star, len(before)-strings.LastIndexByte(before, '\n')-1)
		if list == "" {
			continue
		}
		out, last = before+list, star.span.End
	}
	return out + s.Text[last:]
}

// star is a * of the result.
type star struct {
	span    source.Span
	columns []*query.TargetEntry
}

// stars finds the entries of the result that share a place where a * begins.
func stars(text string, q *query.Query) []star {
	list := q.TargetList
	if q.Command != query.CmdSelect {
		list = q.Returning
	}
	var out []star
	if q.SetOperations != nil {
		return nil
	}
	for _, te := range list {
		span := starAt(text, te.Loc.Start)
		if te.Junk || te.Loc.IsZero() || span.IsZero() {
			continue
		}
		if n := len(out); n > 0 && out[n-1].span == span {
			out[n-1].columns = append(out[n-1].columns, te)
			continue
		}
		if n := len(out); n > 0 && span.Start < out[n-1].span.End {
			return nil
		}
		out = append(out, star{span: span, columns: []*query.TargetEntry{te}})
	}
	return out
}

// starAt returns the place of a * or t.* that begins at an offset; zero if none
// does.
func starAt(text string, at int) source.Span {
	if at < 0 || at >= len(text) || text[at] != '*' && !nameByte(text[at]) && text[at] != '"' {
		return source.Span{}
	}
	// Names and dots in turn, then the *.
	name := false
	for l := source.NewLexer(text, at); ; {
		p, ok := l.Next()
		if !ok {
			return source.Span{}
		}
		switch symbol := text[p.Span.Start]; {
		case p.Kind == source.Space:
		case !name && p.Kind == source.Symbol && symbol == '*':
			return source.Span{Start: at, End: p.Span.End}
		case !name && (p.Kind == source.Word && nameByte(symbol) || p.Kind == source.QuotedIdent):
			name = true
		case name && p.Kind == source.Symbol && symbol == '.':
			name = false
		default:
			return source.Span{}
		}
	}
}

// nameByte reports whether an unquoted name can begin with a byte.
func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// starList writes the columns of a *, on a line that is width long; "" where that
// cannot be done.
func starList(cat *catalog.Catalog, text string, q *query.Query, s star, width int) string {
	for _, r := range q.RangeTable {
		if r.Kind == query.RTEJoin && r.Alias != nil && len(r.Alias.Columns)+len(r.Alias.Name) > 0 {
			return ""
		}
	}
	written := text[s.span.Start:s.span.End]
	prefix := strings.TrimSpace(strings.TrimSuffix(written, "*"))
	relations := 0
	for _, r := range q.RangeTable {
		if r.Kind != query.RTEJoin {
			relations++
		}
	}
	seen := map[string]bool{}
	var b strings.Builder
	for i, te := range s.columns {
		name := cat.QuoteIdent(te.Name)
		switch v, isVar := te.Expr.(*query.Var); {
		case prefix != "":
			name = prefix + name
		case relations == 1:
		case isVar && v.LevelsUp == 0 && q.RTE(v.VarNo).Kind != query.RTEJoin:
			name = cat.QuoteIdent(q.RTE(v.VarNo).ERef.Name) + "." + name
		}
		if te.Name == "" || te.Name == "?column?" || seen[name] {
			return ""
		}
		seen[name] = true
		switch {
		case i == 0:
		case width+len(name) > starWidth:
			b.WriteString(",\n       ")
			width = 7
		default:
			b.WriteString(", ")
			width += 2
		}
		b.WriteString(name)
		width += len(name)
	}
	return b.String()
}
