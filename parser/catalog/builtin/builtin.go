// Package builtin holds the objects that every PostgreSQL database is born with,
// of each major version from 15 to 18: the types, functions, operators, casts,
// access methods with their operator classes, and the system catalogs and views
// of pg_catalog and information_schema.
//
// The facts are captured from real servers by the command in
// parser/catalog/builtin/capture and embedded as one text file per version. A
// file has a section per catalog, begun by a line "== name column…"; a row is a
// line of values between tabs, with \\, \t, \n and \r escaped; an empty value is
// NULL or OID 0.
//
// OIDs below 12000 are the server's. Those above belong to objects that initdb
// makes in SQL; a build decides them, so they are renumbered in their order.
//
// The extensions that come with PostgreSQL are in one more file, with a block per
// extension that has the same sections; a block serves all versions on which the
// extension is the same. Other extensions are read from files of that form
// ([ReadLibrary]), which "dbgen catalog capture" writes.
//
// The package imports parser/catalog and parser/pgtype.
package builtin

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/dbgen/dbgen/parser/catalog"
)

// The captured data. Strings of the loaded objects are parts of them.
var (
	//go:embed data/pg15.tsv
	pg15 string
	//go:embed data/pg16.tsv
	pg16 string
	//go:embed data/pg17.tsv
	pg17 string
	//go:embed data/pg18.tsv
	pg18 string
	// The extensions that come with PostgreSQL, of all versions.
	//go:embed data/contrib.tsv
	contrib string
)

// Each version is read once in a process: the result is immutable.
var (
	load15 = sync.OnceValues(func() (*catalog.Builtins, error) { return read(15, pg15) })
	load16 = sync.OnceValues(func() (*catalog.Builtins, error) { return read(16, pg16) })
	load17 = sync.OnceValues(func() (*catalog.Builtins, error) { return read(17, pg17) })
	load18 = sync.OnceValues(func() (*catalog.Builtins, error) { return read(18, pg18) })

	loadContrib = sync.OnceValues(func() (*Library, error) { return ReadLibrary("", contrib) })
)

// Contrib returns the extensions that come with PostgreSQL, of all versions
// from 15 to 18. The same value is returned to all callers.
func Contrib() (*Library, error) { return loadContrib() }

// Load returns the built-in objects of a major version of PostgreSQL, 15 to 18.
// The same value is returned to all callers. The error says that the version is
// not known.
func Load(major int) (*catalog.Builtins, error) {
	switch major {
	case 15:
		return load15()
	case 16:
		return load16()
	case 17:
		return load17()
	case 18:
		return load18()
	}
	return nil, fmt.Errorf("PostgreSQL %d: built-in objects are known of 15, 16, 17 and 18", major)
}

// Data returns the data file of a major version as it is embedded, "" for an
// unknown version.
func Data(major int) string {
	switch major {
	case 15:
		return pg15
	case 16:
		return pg16
	case 17:
		return pg17
	case 18:
		return pg18
	}
	return ""
}
