package analyze

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/source"
)

// refuseNewer refuses what the grammar takes, which is PostgreSQL 16's, and that
// of the version before does not. Of several places the first is reported.
func (s *state) refuseNewer(n *pg.Node) {
	if s.cat.Major >= 16 || n == nil {
		return
	}
	var first *Error
	note := func(e *Error) {
		if e != nil && (first == nil || e.Span.Start < first.Span.Start) {
			first = e
		}
	}
	walkRaw(rawMessage(n), func(m any) bool {
		switch x := m.(type) {
		case *pg.RangeSubselect:
			if x.Alias == nil {
				note(s.missingAlias(x.Subquery))
			}
		case *pg.A_Const:
			note(s.newerNumber(int(x.Location)))
		case *pg.JsonObjectConstructor:
			note(s.newerCall(int(x.Location)))
		case *pg.JsonArrayConstructor:
			note(s.newerCall(int(x.Location)))
		case *pg.JsonArrayQueryConstructor:
			note(s.newerCall(int(x.Location)))
		case *pg.JsonAggConstructor:
			note(s.newerCall(int(x.Location)))
		case *pg.JsonIsPredicate:
			note(s.newerPredicate(int(x.Location)))
		}
		return true
	})
	if first != nil {
		panic(first)
	}
}

// missingAlias is what the grammar says of a subquery in FROM without an alias.
func (s *state) missingAlias(sub *pg.Node) *Error {
	what, hint := "subquery in FROM must have an alias", "For example, FROM (SELECT ...) [AS] foo."
	first := len(s.text)
	walkRaw(rawMessage(sub), func(m any) bool {
		if x, ok := m.(interface{ GetLocation() int32 }); ok && x.GetLocation() > 0 {
			first = min(first, int(x.GetLocation()))
		}
		return true
	})
	before := s.text[:first]
	if len(sub.GetSelectStmt().GetValuesLists()) > 0 {
		what, hint = "VALUES in FROM must have an alias", "For example, FROM (VALUES ...) [AS] foo."
		before = before[:max(strings.LastIndex(strings.ToUpper(before), "VALUES"), 0)]
	}
	// The subquery itself has no location: what stands before it is its bracket.
	e := s.errorAt(errSyntax, strings.LastIndexByte(before, '('), "%s", what)
	e.Hint = hint
	return e
}

// newerNumber refuses integers of other bases and underscores in numbers.
func (s *state) newerNumber(loc int) *Error {
	if loc < 0 || loc >= len(s.text) || s.text[loc] < '0' || s.text[loc] > '9' {
		return nil
	}
	end := loc
	for end < len(s.text) && isWordByte(s.text[end]) {
		end++
	}
	word := s.text[loc:end]
	if !strings.ContainsAny(word, "xXoOb_") {
		return nil
	}
	return s.errorAt(errSyntax, loc, "trailing junk after numeric literal at or near \"%s\"", word)
}

func (s *state) syntaxError(at source.Span) *Error {
	return s.errorAt(errSyntax, at.Start, "syntax error at or near \"%s\"", s.text[at.Start:at.End])
}

// newerCall refuses the clauses of a SQL/JSON constructor; without any it is a
// call of a function of that name.
func (s *state) newerCall(loc int) *Error {
	if loc < 0 {
		return nil
	}
	depth, starts, words := 0, false, 0
	l := source.NewLexer(s.text, loc)
	for {
		p, ok := l.Next()
		if !ok {
			return nil
		}
		text := strings.ToLower(s.text[p.Span.Start:p.Span.End])
		switch p.Kind {
		case source.Space, source.LineComment, source.BlockComment:
			continue
		case source.Symbol:
			switch text {
			case "(", "[":
				depth++
				starts = depth == 1
				continue
			case ")", "]":
				if depth--; depth == 0 {
					return nil
				}
			case ",":
				starts = depth == 1
				continue
			case ":":
				if next := s.text[p.Span.End:]; strings.HasPrefix(next, ":") {
					l.Seek(p.Span.End + 1)
				} else if depth == 1 {
					return s.syntaxError(p.Span)
				}
			}
		case source.Word:
			if words++; words == 1 || depth != 1 {
				break
			}
			switch text {
			case "returning":
				return s.syntaxError(p.Span)
			case "select", "with", "values":
				if starts {
					return s.syntaxError(p.Span)
				}
			case "null", "absent", "without", "value", "format":
				if !starts {
					return s.syntaxError(p.Span)
				}
			}
		}
		starts = false
	}
}

// newerPredicate refuses IS JSON at its second word.
func (s *state) newerPredicate(loc int) *Error {
	if loc < 0 {
		return nil
	}
	is := false
	l := source.NewLexer(s.text, loc)
	for {
		p, ok := l.Next()
		if !ok {
			return nil
		}
		switch p.Kind {
		case source.Space, source.LineComment, source.BlockComment:
			continue
		}
		switch word := strings.ToLower(s.text[p.Span.Start:p.Span.End]); {
		case word == "is":
			is = true
		case is && word == "json":
			return s.syntaxError(p.Span)
		case word != "not":
			is = false
		}
	}
}
