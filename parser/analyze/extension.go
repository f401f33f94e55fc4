package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
)

// CaptureHint says how to make the objects of an extension known.
func CaptureHint(names ...string) string {
	var flags strings.Builder
	for _, n := range names {
		flags.WriteString(" --extension " + n)
	}
	return fmt.Sprintf("capture it from a database that has it: dbgen catalog capture --database-url …%s --out %s.catalog; "+
		"then name the file under \"catalogs\" in dbgen.yaml, or with --catalog", flags.String(), names[0])
}

// UnknownHint returns the hint of an error with the given SQLSTATE and message.
// Where an object is not there and an extension was created whose objects are
// not known, it says so, for any other hint would mislead; where one that comes
// with PostgreSQL would bring the object, it names that. Else it is the hint that
// is given. A statement of the schema that may have made the object and that is not
// followed is named besides.
func UnknownHint(cat *catalog.Catalog, sqlState, message, hint string) string {
	return unfollowedHint(cat, sqlState, message, extensionHint(cat, sqlState, message, hint))
}

// unfollowedHint adds to a hint which statement of the schema may have made what
// is not there, where there is one that is not followed.
func unfollowedHint(cat *catalog.Catalog, sqlState, message, hint string) string {
	list := cat.Unfollowed()
	if len(list) == 0 || !isMissing(sqlState, message) {
		return hint
	}
	at := naming(list, message)
	if at == nil && hint != "" {
		return hint
	}
	const most = 3
	if at == nil {
		at = list
	}
	var places []string
	for _, u := range at[:min(len(at), most)] {
		places = append(places, placeText(u.Place))
	}
	s := fmt.Sprintf("the statement at %s may have made it: what that does to the schema is not followed", strings.Join(places, " or "))
	if len(at) > most {
		s = strings.Replace(s, " may", fmt.Sprintf(", or one of %d others, may", len(at)-most), 1)
	}
	if hint != "" {
		return strings.TrimSuffix(hint, ".") + "; " + s
	}
	return s
}

// MaybeUnfollowed reports whether what an error says is not there is named by a
// statement of the schema that is not followed.
func MaybeUnfollowed(cat *catalog.Catalog, sqlState, message string) bool {
	return isMissing(sqlState, message) && naming(cat.Unfollowed(), message) != nil
}

func isMissing(sqlState, message string) bool {
	about := []string{errUndefinedObject, errUndefinedFunction, errUndefinedTable, errInvalidSchema, errUndefinedColumn}
	return slices.Contains(about, sqlState) && strings.Contains(message, "does not exist")
}

// naming returns those of the statements whose text has the name that a message
// says is not there.
func naming(list []catalog.Unfollowed, message string) []catalog.Unfollowed {
	name := missingName(message)
	if len(name) < 2 {
		return nil
	}
	var out []catalog.Unfollowed
	for _, u := range list {
		if strings.Contains(strings.ToLower(u.Text), name) {
			out = append(out, u)
		}
	}
	return out
}

// missingName is the name of what a message says is not there, in lower case and
// without its schema or table: it comes first.
func missingName(message string) string {
	name := ""
	if parts := strings.Split(message, "\""); len(parts) >= 3 {
		name = parts[1]
	} else if words := strings.Fields(message); len(words) > 1 {
		name, _, _ = strings.Cut(words[1], "(")
	}
	return strings.ToLower(strings.TrimSuffix(name[strings.LastIndexByte(name, '.')+1:], "[]"))
}

func extensionHint(cat *catalog.Catalog, sqlState, message, hint string) string {
	if t := cat.UnknownTypeIn(message); t != nil && !(strings.HasPrefix(message, "type ") && strings.HasSuffix(message, "does not exist")) {
		if names := cat.UnknownExtensions(); len(names) > 0 {
			return fmt.Sprintf("nothing is known of the type %s but its name: \"dbgen catalog capture\" writes a file of the objects of %s",
				cat.BaseTypeName(t.OID), strings.Join(names, ", "))
		}
		return fmt.Sprintf("the type %s does not exist: %s", cat.BaseTypeName(t.OID), placeText(t.Decl))
	}
	about := []string{errUndefinedObject, errUndefinedFunction, errUndefinedTable, errInvalidSchema}
	if hint == "" {
		// A column of an unknown type is not there either.
		about = append(about, errUndefinedColumn)
	}
	if !slices.Contains(about, sqlState) || !strings.Contains(message, "does not exist") {
		return hint
	}
	names := cat.UnknownExtensions()
	switch len(names) {
	case 0:
		if s := missingExtension(cat, message); s != "" {
			return s
		}
		return hint
	case 1:
		names[0] = "the extension " + names[0]
	default:
		names[0] = "one of the extensions " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("this may be of %s, whose objects are not known: \"dbgen catalog capture\" writes a file of them", names[0])
}

// missingExtension names an extension of PostgreSQL's that would bring what a
// message says is not there, "" for none or where there are more of that name.
func missingExtension(cat *catalog.Catalog, message string) string {
	quoted := func(s string) string {
		parts := strings.Split(s, "\"")
		if len(parts) < 3 {
			return ""
		}
		return strings.TrimSuffix(parts[1], "[]")
	}
	class, name, known := "", "", false
	if rest, ok := strings.CutPrefix(message, "type "); ok {
		class, name = "types", quoted(rest)
	} else if rest, ok := strings.CutPrefix(message, "operator class "); ok {
		class, name = "opclasses", quoted(rest)
	} else if rest, ok := strings.CutPrefix(message, "function "); ok {
		class = "functions"
		name, _, _ = strings.Cut(rest, "(")
		known = len(cat.FuncsByName("", name)) > 0
	} else if rest, ok := strings.CutPrefix(message, "operator does not exist: "); ok {
		class = "operators"
		for _, w := range strings.Fields(rest) {
			if strings.Trim(w, "+-*/<>=~!@#%^&|`?") == "" {
				name = w
			}
		}
		known = len(cat.OperatorsByName("", name)) > 0
	}
	if name == "" || known {
		return ""
	}
	list := cat.ExtensionsBringing(class, name)
	if len(list) != 1 || cat.Extension(list[0]) != nil {
		return ""
	}
	return fmt.Sprintf("the extension %[1]s brings it, and the schema does not create that: CREATE EXTENSION %[1]s;", cat.QuoteIdent(list[0]))
}

// placeText is where an object was declared, as diagnostics write it.
func placeText(p catalog.Place) string {
	if p.File == nil {
		return "its place is not known"
	}
	at := p.File.Position(p.Span.Start)
	return fmt.Sprintf("%s:%d:%d", p.File.Name, at.Line, at.Column)
}

// MaybeExtension reports whether what an error says is not there may come with an
// extension that was created and whose objects are not known.
func MaybeExtension(cat *catalog.Catalog, sqlState, message string) bool {
	if len(cat.UnknownExtensions()) == 0 {
		return false
	}
	if cat.UnknownTypeIn(message) != nil {
		return slices.Contains([]string{errUndefinedObject, errUndefinedFunction, errCannotCoerce, errDatatypeMismatch, errInvalidFunctionDef}, sqlState)
	}
	if !strings.Contains(message, "does not exist") {
		return false
	}
	switch sqlState {
	case errUndefinedObject:
		for _, what := range []string{"type ", "access method ", "operator class ", "operator family ", "text search "} {
			if strings.HasPrefix(message, what) {
				return true
			}
		}
	case errUndefinedFunction:
		if rest, ok := strings.CutPrefix(message, "function "); ok {
			name, _, _ := strings.Cut(rest, "(")
			schema, bare, qualified := strings.Cut(name, ".")
			if !qualified {
				schema, bare = "", name
			}
			return len(cat.FuncsByName(schema, bare)) == 0
		}
		if rest, ok := strings.CutPrefix(message, "operator does not exist: "); ok {
			for _, w := range strings.Fields(rest) {
				if strings.Trim(w, "+-*/<>=~!@#%^&|`?") == "" {
					return len(cat.OperatorsByName("", w)) == 0
				}
			}
		}
	}
	return false
}
