package analyze

import (
	"regexp"
	"slices"
	"strconv"
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
		switch names := a.regNames(text); {
		case len(names) > 1:
			a.fail(errInvalidName, noLoc, "invalid name syntax")
		case len(names) == 1 && a.cat.Schema(names[0]) == nil:
			a.fail(errInvalidSchema, noLoc, "schema \"%s\" does not exist", names[0])
		}
	case pgtype.RegconfigOID, pgtype.RegdictionaryOID, pgtype.RegroleOID, pgtype.RegcollationOID:
		a.regNames(text)
	case pgtype.TsqueryOID:
		a.tsquery(text)
	case pgtype.BitOID, pgtype.VarbitOID:
		a.bits(text)
	case pgtype.MacaddrOID:
		// macaddr_in (mac.c) reads many ways to divide the digits.
		if !matches(`^[-+:.xX0-9a-fA-F\s]+$`) {
			syntax()
		}
	case pgtype.MoneyOID:
		if !matches(`^[-+($\s]*[0-9,]*(\.[0-9]*)?[-+)$\s]*$`) {
			syntax()
		}
	case pgtype.XidOID, pgtype.CidOID:
		if a.cat.Major >= 16 && !matches(`^\s*[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)\s*$`) {
			syntax()
		}
	case pgtype.TidOID:
		if !matches(`^[^(]*\(\s*[0-9]+,\s*[0-9]+\)`) {
			syntax()
		}
	case pgtype.JsonpathOID:
		if strings.TrimSpace(text) == "" {
			syntax()
		}
	case pgtype.Xid8OID:
		if a.cat.Major >= 16 && !matches(`^\s*[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)\s*$`) {
			syntax()
		}
	case pgtype.PointOID, pgtype.LineOID, pgtype.LsegOID, pgtype.BoxOID, pgtype.PathOID, pgtype.PolygonOID, pgtype.CircleOID:
		if !geometric(t.OID, text) {
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
	if e := a.cat.Type(t.Element); e != nil && t.IsArray() && e.Delim == ',' {
		v, err := pgtype.Parse(a.cat.Desc(pgtype.TextArrayOID), text, pgtype.NoTypmod, pgtype.Env{Major: a.cat.Major})
		for _, x := range v.Elements() {
			if err == nil && !x.IsNull() {
				a.checkText(e, x.Text())
			}
		}
	}
	if r := a.cat.Type(t.RangeOf); t.RangeOf != 0 && r != nil {
		a.multirange(r, text)
	}
}

// geometric reports whether a text can be a point, a line or another shape: by
// its numbers and what stands between them, not by how brackets match
// (geo_ops.c).
func geometric(t pgtype.OID, text string) bool {
	numbers := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n\r\f\v,()[]{}<>", r) })
	for _, n := range numbers {
		if _, err := strconv.ParseFloat(n, 64); err != nil {
			return false
		}
	}
	brackets := map[pgtype.OID]string{
		pgtype.LineOID: "{}[]()", pgtype.LsegOID: "[]()", pgtype.PathOID: "[]()", pgtype.CircleOID: "<>()",
	}[t] + "()"
	if strings.Trim(text, brackets+"+-.,0123456789 \t\n\r\f\veEinftyaINFTYA") != "" {
		return false
	}
	pairs := strings.Count(text, ",") == len(numbers)-1 && strings.Count(text, "(") == strings.Count(text, ")")
	switch t {
	case pgtype.PointOID:
		return pairs && len(numbers) == 2
	case pgtype.LineOID:
		return pairs && (len(numbers) == 3 || len(numbers) == 4)
	case pgtype.LsegOID, pgtype.BoxOID:
		return pairs && len(numbers) == 4
	case pgtype.CircleOID:
		return pairs && len(numbers) == 3
	}
	return pairs && len(numbers) > 0 && len(numbers)%2 == 0
}

// regNames reads the name in the text of a reg* type; none for the number of an
// object and for "-".
func (a *analyzer) regNames(text string) []string {
	if text == "-" || isNumber(text) {
		return nil
	}
	names, ok := qualifiedName(text)
	if !ok {
		a.fail(errInvalidName, noLoc, "invalid name syntax")
	}
	return names
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
	name, args, open := strings.Cut(text, "(")
	if withArgs && !open {
		a.fail(errInvalidText, noLoc, "expected a left parenthesis")
	}
	names, ok := qualifiedName(name)
	if !ok {
		a.fail(errInvalidName, noLoc, "invalid name syntax")
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
		a.fail(errInvalidText, noLoc, "expected a right parenthesis")
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
