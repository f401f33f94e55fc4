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
	if t.OID == pgtype.RegclassOID {
		a.regclass(strings.TrimSpace(text))
		return text
	}
	v, err := pgtype.Parse(a.cat.Desc(t.OID), text, mod, pgtype.Env{Major: a.cat.Major})
	if err != nil {
		var bad *pgtype.ValueError
		if !errors.As(err, &bad) {
			return text
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
