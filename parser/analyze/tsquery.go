package analyze

import "strings"

// tsquery holds a text against the grammar of tsquery (gettoken_query_standard
// and makepol, tsquery.c); of text that is only empty it says nothing.
func (a *analyzer) tsquery(text string) {
	fail := func(what string) { a.fail(errSyntax, noLoc, "%s in tsquery: \"%s\"", what, text) }
	const space = " \t\n\r\f\v"
	open, first := 0, true
	rest := text
	for {
		// An operand is wanted.
		rest = strings.TrimLeft(rest, space)
		switch {
		case rest == "" && first:
			return
		case rest == "":
			fail("no operand")
		case rest[0] == '!':
			rest, first = rest[1:], false
			continue
		case rest[0] == '(':
			open++
			rest, first = rest[1:], false
			continue
		}
		n := lexeme(rest)
		if n <= 0 {
			fail("syntax error")
		}
		first = false
		if rest = rest[n:]; strings.HasPrefix(rest, ":") {
			rest = strings.TrimLeft(rest[1:], "abcdABCD*")
		}
		// An operator is wanted, or the end.
		for {
			rest = strings.TrimLeft(rest, space)
			if !strings.HasPrefix(rest, ")") {
				break
			}
			if open--; open < 0 {
				fail("syntax error")
			}
			rest = rest[1:]
		}
		switch {
		case rest == "" && open == 0:
			return
		case rest == "":
			fail("syntax error")
		case rest[0] == '&' || rest[0] == '|':
			rest = rest[1:]
		default:
			if n = phraseOperator(rest); n == 0 {
				fail("syntax error")
			}
			rest = rest[n:]
		}
	}
}

// lexeme is the length of the word that a text begins with, 0 for none, -1 for
// one without an end (gettoken_tsvector, tsvector_parser.c).
func lexeme(text string) int {
	quoted := text[0] == '\''
	i := 0
	if quoted {
		i = 1
	}
	for i < len(text) {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) {
				return -1
			}
		case quoted && c == '\'':
			if i+1 == len(text) || text[i+1] != '\'' {
				return i + 1
			}
			i++
		case !quoted && strings.IndexByte("!&|(): \t\n\r\f\v", c) >= 0:
			return i
		}
		i++
	}
	if quoted {
		return -1
	}
	return i
}

// phraseOperator is the length of <-> or <N>, 0 for neither
// (parse_phrase_operator, tsquery.c).
func phraseOperator(text string) int {
	if strings.HasPrefix(text, "<->") {
		return len("<->")
	}
	end := strings.IndexByte(text, '>')
	if text[0] != '<' || end < 0 || !isNumber(text[1:end]) {
		return 0
	}
	return end + 1
}
