package analyze

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// input reads a literal as the input function of its type does and returns the
// value as the output function prints it. For types whose text it does not
// judge it returns the text as it is.
func (a *analyzer) input(t *catalog.Type, text string, _ pgtype.Typmod) string {
	bad := func() {
		a.fail(errInvalidText, noLoc, "invalid input syntax for type %s: \"%s\"", a.format(t.OID), text)
	}
	trimmed := strings.Trim(text, " \t\n\r\v\f")
	switch t.OID {
	case pgtype.BoolOID:
		v, ok := parseBool(strings.ToLower(trimmed))
		if !ok {
			bad()
		}
		return v
	case pgtype.Int2OID:
		return a.integer(t, trimmed, text, 16)
	case pgtype.Int4OID:
		return a.integer(t, trimmed, text, 32)
	case pgtype.Int8OID:
		return a.integer(t, trimmed, text, 64)
	case pgtype.NumericOID:
		out, ok := numericOut(trimmed)
		if !ok {
			bad()
		}
		return out
	case pgtype.Float4OID, pgtype.Float8OID:
		if !floatText.MatchString(strings.ToLower(trimmed)) {
			bad()
		}
		return trimmed
	case pgtype.UuidOID:
		hex := strings.ReplaceAll(strings.Trim(text, "{}"), "-", "")
		if len(hex) != 32 || strings.Trim(strings.ToLower(hex), "0123456789abcdef") != "" {
			bad()
		}
		hex = strings.ToLower(hex)
		return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
	case pgtype.NameOID:
		if len(text) > 63 {
			return text[:63]
		}
	case pgtype.JsonOID, pgtype.JsonbOID:
		if !json.Valid([]byte(text)) {
			a.fail(errInvalidText, noLoc, "invalid input syntax for type json")
		}
	case pgtype.RegclassOID:
		a.regclass(trimmed)
	}
	if t.Kind == 'e' && !slices.Contains(t.Labels, text) {
		e := a.errorAt(errInvalidText, noLoc, "invalid input value for enum %s: \"%s\"", a.format(t.OID), text)
		if near, ok := diag.DidYouMean(text, t.Labels); ok {
			e.Hint = "Perhaps you meant '" + near + "'."
		}
		panic(e)
	}
	if t.IsArray() && (trimmed == "" || trimmed[0] != '{' && trimmed[0] != '[') {
		a.failDetail(errInvalidText, noLoc, "Array value must start with \"{\" or dimension information.", "malformed array literal: \"%s\"", text)
	}
	return text
}

var floatText = regexp.MustCompile(`^[-+]?(nan|inf|infinity|([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?|0x[0-9a-f.]+(p[-+]?[0-9]+)?)$`)

// parseBool is parse_bool_with_len (utils/adt/bool.c): any prefix that is
// unique counts.
func parseBool(s string) (string, bool) {
	for _, w := range []string{"true", "yes"} {
		if s != "" && strings.HasPrefix(w, s) {
			return "t", true
		}
	}
	for _, w := range []string{"false", "no"} {
		if s != "" && strings.HasPrefix(w, s) {
			return "f", true
		}
	}
	switch s {
	case "on", "1":
		return "t", true
	case "of", "off", "0":
		return "f", true
	}
	return "", false
}

func (a *analyzer) integer(t *catalog.Type, trimmed, text string, bits int) string {
	clean := trimmed
	base := 10
	if a.cat.Major >= 16 {
		clean = strings.ReplaceAll(trimmed, "_", "")
		if digits := strings.TrimLeft(clean, "+-"); len(digits) > 1 && digits[0] == '0' && strings.ContainsRune("xXoObB", rune(digits[1])) {
			base = 0
		}
	}
	i, err := strconv.ParseInt(clean, base, bits)
	if err != nil {
		if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
			a.fail("22003", noLoc, "value \"%s\" is out of range for type %s", text, a.format(t.OID))
		}
		a.fail(errInvalidText, noLoc, "invalid input syntax for type %s: \"%s\"", a.format(t.OID), text)
	}
	return strconv.FormatInt(i, 10)
}

// regclass checks that a relation is there (regclassin, regproc.c).
func (a *analyzer) regclass(text string) {
	if text == "-" || strings.Trim(text, "0123456789") == "" {
		return
	}
	var names []string
	for _, part := range strings.Split(text, ".") {
		if len(part) >= 2 && part[0] == '"' && part[len(part)-1] == '"' {
			part = strings.ReplaceAll(part[1:len(part)-1], `""`, `"`)
		} else {
			part = strings.ToLower(part)
		}
		names = append(names, part)
	}
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	name := names[len(names)-1]
	if a.cat.TableByName(schema, name) == nil && a.cat.IndexByName(schema, name) == nil {
		a.fail(errUndefinedTable, noLoc, "relation \"%s\" does not exist", strings.Join(names, "."))
	}
}
