package analyze

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// record reads the text of a row (record_in, rowtypes.c): each column is held
// against its type.
func (a *analyzer) record(rel *catalog.Table, text string) {
	malformed := func(detail string) {
		a.failDetail(errInvalidText, noLoc, detail, "malformed record literal: \"%s\"", text)
	}
	rest := strings.TrimLeft(text, " \t\n\r\f\v")
	if !strings.HasPrefix(rest, "(") {
		malformed("Missing left parenthesis.")
	}
	rest = rest[1:]
	first := true
	for _, c := range rel.Columns {
		if c.Dropped {
			continue
		}
		if !first {
			if !strings.HasPrefix(rest, ",") {
				malformed("Too few columns.")
			}
			rest = rest[1:]
		}
		first = false
		if strings.HasPrefix(rest, ",") || strings.HasPrefix(rest, ")") {
			a.nullField(c.Type)
			continue
		}
		value, n := recordField(rest)
		if n < 0 {
			malformed("Unexpected end of input.")
		}
		rest = rest[n:]
		base, mod := a.cat.BaseTypeAndTypmod(c.Type, c.Typmod)
		if t := a.cat.Type(base); t != nil {
			a.input(t, value, mod)
		}
	}
	if !strings.HasPrefix(rest, ")") {
		malformed("Too many columns.")
	}
	if strings.TrimLeft(rest[1:], " \t\n\r\f\v") != "" {
		malformed("Junk after right parenthesis.")
	}
}

// recordField reads one column of a row's text and returns how long it is, -1
// where the text ends in it.
func recordField(text string) (value string, n int) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case !quoted && (c == ',' || c == ')'):
			return b.String(), i
		case c == '\\':
			if i++; i >= len(text) {
				return "", -1
			}
			b.WriteByte(text[i])
		case c == '"' && !quoted:
			quoted = true
		case c == '"' && i+1 < len(text) && text[i+1] == '"':
			i++
			b.WriteByte('"')
		case c == '"':
			quoted = false
		default:
			b.WriteByte(c)
		}
	}
	return "", -1
}

// nullField refuses a column left out of a row's text whose domain takes no NULL
// (domain_in, domains.c).
func (a *analyzer) nullField(t pgtype.OID) {
	for d := a.cat.Type(t); d != nil && d.Kind == 'd'; d = a.cat.Type(d.Base) {
		if d.NotNull {
			a.fail(errNotNullViolation, noLoc, "domain %s does not allow null values", a.format(t))
		}
	}
}

// multirange reads the text of a multirange (multirange_in, multirangetypes.c);
// each range is held against its type.
func (a *analyzer) multirange(of *catalog.Type, text string) {
	malformed := func(detail string) {
		a.failDetail(errInvalidText, noLoc, detail, "malformed multirange literal: \"%s\"", text)
	}
	const space = " \t\n\r\f\v"
	rest := strings.TrimLeft(text, space)
	if !strings.HasPrefix(rest, "{") {
		malformed("Missing left brace.")
	}
	rest = rest[1:]
	for seen := false; ; seen = true {
		rest = strings.TrimLeft(rest, space)
		switch {
		case rest == "":
			malformed("Unexpected end of input.")
		case rest[0] == '[' || rest[0] == '(':
			n := rangeEnd(rest)
			if n < 0 {
				malformed("Unexpected end of input.")
			}
			a.input(of, rest[:n], pgtype.NoTypmod)
			rest = rest[n:]
		case rest[0] == '}' && !seen:
		case len(rest) >= len("empty") && strings.EqualFold(rest[:len("empty")], "empty"):
			rest = rest[len("empty"):]
		default:
			malformed("Expected range start.")
		}
		rest = strings.TrimLeft(rest, space)
		switch {
		case rest == "":
			malformed("Unexpected end of input.")
		case rest[0] == ',':
			rest = rest[1:]
			continue
		case rest[0] != '}':
			malformed("Expected comma or end of multirange.")
		}
		if strings.TrimLeft(rest[1:], space) != "" {
			malformed("Junk after closing right brace.")
		}
		return
	}
}

// rangeEnd is the length of the range that a text begins with, -1 where the text
// ends in it.
func rangeEnd(text string) int {
	quoted := false
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ']' || c == ')'):
			return i + 1
		}
	}
	return -1
}
