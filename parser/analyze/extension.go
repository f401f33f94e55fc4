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

// UnknownHint returns the hint of an error with the given SQLSTATE and message:
// where an object is not there and an extension was created whose objects are
// not known, it says so, for any other hint would mislead. Else it is the hint
// that is given.
func UnknownHint(cat *catalog.Catalog, sqlState, message, hint string) string {
	names := cat.UnknownExtensions()
	about := []string{errUndefinedObject, errUndefinedFunction, errUndefinedTable, errInvalidSchema}
	if hint == "" {
		// A column of an unknown type is not there either.
		about = append(about, errUndefinedColumn)
	}
	if len(names) == 0 || !slices.Contains(about, sqlState) || !strings.Contains(message, "does not exist") {
		return hint
	}
	what := "the extension " + names[0]
	if len(names) > 1 {
		what = "one of the extensions " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("this may be of %s, whose objects are not known: \"dbgen catalog capture\" writes a file of them", what)
}
