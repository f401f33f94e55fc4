package analyze

import (
	"regexp"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// checkText refuses a literal of a type whose values package pgtype does not
// know, but of whose text something can be said.
func (a *analyzer) checkText(t *catalog.Type, text string) {
	syntax := func() {
		a.fail(errInvalidText, noLoc, "invalid input syntax for type %s: \"%s\"", t.Name, text)
	}
	matches := func(pattern string) bool {
		ok, err := regexp.MatchString(pattern, text)
		return err == nil && ok
	}
	switch t.OID {
	case pgtype.RecordOID:
		a.fail(errFeatureNotSupported, noLoc, "input of anonymous composite types is not implemented")
	case pgtype.RegtypeOID:
		a.regtype(text)
	case pgtype.RegprocOID, pgtype.RegprocedureOID:
		a.regproc(text, t.OID == pgtype.RegprocedureOID)
	case pgtype.RegnamespaceOID:
		names, ok := qualifiedName(text)
		if ok && len(names) == 1 && strings.Trim(text, "0123456789") != "" && text != "-" && a.cat.Schema(names[0]) == nil {
			a.fail(errInvalidSchema, noLoc, "schema \"%s\" does not exist", names[0])
		}
	case pgtype.TsqueryOID:
		a.tsquery(text)
	case pgtype.BitOID, pgtype.VarbitOID:
		a.bits(text)
	case pgtype.MacaddrOID:
		// macaddr_in (mac.c) knows seven ways to divide the digits.
		if !matches(`^\s*([0-9a-fA-F]+(:[0-9a-fA-F]+){5}|[0-9a-fA-F]+(-[0-9a-fA-F]+){5}|[0-9a-fA-F]{6}[:-]?[0-9a-fA-F]{6}|[0-9a-fA-F]{4}([.-])[0-9a-fA-F]{4}[.-][0-9a-fA-F]{4})\s*$`) {
			syntax()
		}
	case pgtype.MoneyOID:
		if !matches(`^[-+()$.,0-9\s]+$`) {
			syntax()
		}
	case pgtype.PointOID:
		const f = `\s*[-+]?([0-9]+\.?[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|(?i:inf(inity)?|nan))\s*`
		if !matches(`^\s*\(`+f+`,`+f+`\)\s*$`) && !matches(`^`+f+`,`+f+`$`) {
			syntax()
		}
	}
	if t.Name == "pg_lsn" && t.Schema == "pg_catalog" && !matches(`^[0-9a-fA-F]{1,8}/[0-9a-fA-F]{1,8}$`) {
		syntax()
	}
	if t.Kind == 'c' {
		if rel := a.cat.Table(t.Relation); rel != nil {
			a.record(rel, text)
		}
	}
}

// bits is bit_in (varbit.c), as far as it looks at digits.
func (a *analyzer) bits(text string) {
	digits, what, valid := text, "binary", "01"
	if text != "" && (text[0] == 'b' || text[0] == 'B') {
		digits = text[1:]
	} else if text != "" && (text[0] == 'x' || text[0] == 'X') {
		digits, what, valid = text[1:], "hexadecimal", "0123456789abcdefABCDEF"
	}
	for _, r := range digits {
		if !strings.ContainsRune(valid, r) {
			a.fail(errInvalidText, noLoc, "\"%c\" is not a valid %s digit", r, what)
		}
	}
}

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

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// regtype looks for the type that a text names (regtypein, regproc.c).
func (a *analyzer) regtype(text string) {
	if text == "-" || isNumber(text) {
		return
	}
	if n := parseTypeName(text); n != nil {
		a.typeName(n)
	}
}

// parseTypeName reads a type as written; nil where it is none (parseTypeString,
// parse_type.c).
func parseTypeName(text string) *pg.TypeName {
	tree, err := pg.Parse("SELECT NULL::" + text)
	if err != nil || len(tree.Stmts) != 1 {
		return nil
	}
	targets := tree.Stmts[0].GetStmt().GetSelectStmt().GetTargetList()
	if len(targets) != 1 {
		return nil
	}
	n := targets[0].GetResTarget().GetVal().GetTypeCast().GetTypeName()
	if n != nil {
		n.Location = noLoc
	}
	return n
}

// regproc looks for the function that a text names, with argument types or
// without (regprocin and regprocedurein, regproc.c).
func (a *analyzer) regproc(text string, withArgs bool) {
	if text == "-" || isNumber(text) {
		return
	}
	name, args, _ := strings.Cut(text, "(")
	names, ok := qualifiedName(name)
	if !ok {
		return
	}
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	found := a.cat.FuncsByName(schema, names[len(names)-1])
	if !withArgs {
		switch len(found) {
		case 0:
			a.fail(errUndefinedFunction, noLoc, "function \"%s\" does not exist", text)
		case 1:
		default:
			a.fail(errAmbiguousFunction, noLoc, "more than one function named \"%s\"", text)
		}
		return
	}
	args, closed := strings.CutSuffix(strings.TrimSpace(args), ")")
	if !closed {
		return
	}
	var types []pgtype.OID
	if strings.TrimSpace(args) != "" {
		for _, arg := range strings.Split(args, ",") {
			n := parseTypeName(arg)
			if n == nil {
				return
			}
			t, _ := a.typeName(n)
			types = append(types, t)
		}
	}
	for _, f := range found {
		if slices.Equal(f.Args, types) {
			return
		}
	}
	a.fail(errUndefinedFunction, noLoc, "function \"%s\" does not exist", text)
}
