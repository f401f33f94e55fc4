package analyze

import (
	"errors"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// input reads a literal as the input function of its type does and returns the
// value as the output function prints it. What depends on the time or the time
// zone of a session, and types whose text is not judged, keep the text.
func (a *analyzer) input(t *catalog.Type, text string, mod pgtype.Typmod) string {
	switch t.OID {
	case pgtype.RegclassOID:
		a.regclass(strings.TrimSpace(text))
		return text
	case pgtype.RegconfigOID:
		return a.textSearch(catalog.TextSearchConfig, "configuration", strings.TrimSpace(text))
	case pgtype.RegdictionaryOID:
		return a.textSearch(catalog.TextSearchDictionary, "dictionary", strings.TrimSpace(text))
	}
	a.checkText(t, text)
	v, err := pgtype.Parse(a.cat.Desc(t.OID), text, mod, pgtype.Env{Major: a.cat.Major})
	if err != nil {
		var bad *pgtype.ValueError
		if !errors.As(err, &bad) {
			return text
		}
		if a.cat.Major >= 18 {
			bad.Hint = strings.Replace(bad.Hint, `"datestyle"`, `"DateStyle"`, 1)
		}
		e := a.errorAt(bad.Code, noLoc, "%s", bad.Message)
		e.Detail, e.Hint = bad.Detail, bad.Hint
		if t.Kind == 'e' && !slices.Contains(t.Labels, text) && e.Hint == "" {
			if near, ok := diag.DidYouMean(text, t.Labels); ok {
				e.Hint = "Perhaps you meant '" + near + "'."
			}
		}
		panic(e)
	}
	if a.zoned(t) {
		return text
	}
	return v.String()
}

// zoned reports whether a value's text means something only in a time zone.
func (a *analyzer) zoned(t *catalog.Type) bool {
	for t != nil {
		switch t.OID {
		case pgtype.TimestamptzOID, pgtype.TimetzOID, pgtype.TstzrangeOID, pgtype.TstzmultirangeOID:
			return true
		}
		if !t.IsArray() {
			return false
		}
		t = a.cat.Type(t.Element)
	}
	return false
}

// regclass checks that a relation is there (regclassin, regproc.c).
func (a *analyzer) regclass(text string) {
	if text == "-" || text != "" && strings.Trim(text, "0123456789") == "" {
		return
	}
	names, ok := qualifiedName(text)
	if !ok {
		a.fail(errInvalidName, noLoc, "invalid name syntax")
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

// textSearch finds a configuration or dictionary and returns its name as the output
// function prints it (regconfigin, regconfigout and their kin for dictionaries,
// regproc.c).
func (a *analyzer) textSearch(kind byte, word, text string) string {
	if text == "-" || text != "" && strings.Trim(text, "0123456789") == "" {
		return text
	}
	names, ok := qualifiedName(text)
	if !ok {
		a.fail(errInvalidName, noLoc, "invalid name syntax")
	}
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	if schema != "" && a.cat.Major < 16 && a.cat.Schema(schema) == nil {
		a.fail(errInvalidSchema, noLoc, "schema \"%s\" does not exist", schema)
	}
	x := a.cat.TextSearchByName(kind, schema, names[len(names)-1])
	if x == nil {
		a.fail(errUndefinedObject, noLoc, "text search %s \"%s\" does not exist", word, strings.Join(names, "."))
	}
	if a.cat.TextSearchByName(kind, "", x.Name) == x {
		return a.cat.QuoteIdent(x.Name)
	}
	return a.cat.QuoteIdent(x.Schema) + "." + a.cat.QuoteIdent(x.Name)
}

// qualifiedName divides a name as regclassin reads it into its parts: quoted
// ones as written, others in lower case (stringToQualifiedNameList, regproc.c,
// and SplitIdentifierString, varlena.c). False where the text is no such name.
func qualifiedName(text string) ([]string, bool) {
	const space = " \t\n\r\f\v"
	var names []string
	for {
		text = strings.TrimLeft(text, space)
		var part string
		if rest, quoted := strings.CutPrefix(text, `"`); quoted {
			for {
				i := strings.IndexByte(rest, '"')
				if i < 0 {
					return nil, false
				}
				part += rest[:i]
				rest = rest[i+1:]
				if !strings.HasPrefix(rest, `"`) {
					break
				}
				part, rest = part+`"`, rest[1:]
			}
			text = rest
		} else {
			end := strings.IndexAny(text, "."+space)
			if end < 0 {
				end = len(text)
			}
			if end == 0 {
				return nil, false
			}
			part, text = strings.ToLower(text[:end]), text[end:]
		}
		names = append(names, part)
		text = strings.TrimLeft(text, space)
		if text == "" {
			return names, true
		}
		if text[0] != '.' {
			return nil, false
		}
		text = text[1:]
	}
}
