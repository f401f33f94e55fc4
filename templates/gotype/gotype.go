// Package gotype chooses the Go type for a value of a PostgreSQL type, and says
// how it is read from a row and handed to the server.
//
// What each type becomes is one table (builtin.go); every line of it was
// measured with pgx against a server, in all its query modes: read, sent back,
// and both in an array. A type that pgx has not registered travels as text, so
// any base type that is not in the table (one of an extension) is a string. What
// does not decode is refused with a reason, never guessed.
//
// The package imports parser/catalog, parser/deparse and parser/pgtype.
package gotype

import (
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// Import paths that generated code needs besides the standard library.
const (
	PgtypePath  = "github.com/jackc/pgx/v5/pgtype"
	RuntimePath = "github.com/dbgen/dbgen/runtime"
	TxnPath     = "github.com/dbgen/dbgen/runtime/txn"
)

// Form is the shape of a [Type].
type Form int

// The shapes.
const (
	Named Form = iota
	Pointer
	Slice
)

// Type is a Go type as an expression.
type Type struct {
	Form Form
	// Path is a named type's import path; "" for a predeclared one and for one
	// of the generated package. Args are its type arguments.
	Path, Name string
	Args       []*Type
	// Elem is a pointer's or slice's element.
	Elem *Type
}

// String returns the type as Go code writes it, qualified by the last element of
// the import path: `[]pgtype.Range[pgtype.Int4]`.
func (t *Type) String() string {
	switch t.Form {
	case Pointer:
		return "*" + t.Elem.String()
	case Slice:
		return "[]" + t.Elem.String()
	}
	s := t.Name
	if t.Path != "" {
		s = PackageName(t.Path) + "." + s
	}
	if len(t.Args) > 0 {
		var args []string
		for _, a := range t.Args {
			args = append(args, a.String())
		}
		s += "[" + strings.Join(args, ", ") + "]"
	}
	return s
}

// Equal reports whether two types are the same.
func (t *Type) Equal(u *Type) bool {
	if t == nil || u == nil {
		return t == u
	}
	if t.Form != u.Form || t.Path != u.Path || t.Name != u.Name || len(t.Args) != len(u.Args) || !t.Elem.Equal(u.Elem) {
		return false
	}
	for i := range t.Args {
		if !t.Args[i].Equal(u.Args[i]) {
			return false
		}
	}
	return true
}

// PackageName is the name that an import path's package has by convention: its
// last element, without a major version, `go-` in front or `-go` behind.
func PackageName(path string) string {
	parts := strings.Split(path, "/")
	name := parts[len(parts)-1]
	if len(parts) > 1 && len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = parts[len(parts)-2]
	}
	if i := strings.Index(name, ".v"); i > 0 {
		name = name[:i]
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "go-"), "-go")
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return -1
		}
		return r
	}, name)
}

// Wrap says what a getter's result is put into where the value can be NULL.
type Wrap int

// The wraps.
const (
	// NoWrap: the value is never NULL, or the type itself can say so.
	NoWrap Wrap = iota
	// WrapPointer: nil is NULL (runtime.Null).
	WrapPointer
	// WrapNil: the type is a slice or map, and nil is NULL (runtime.NilNull).
	WrapNil
	// WrapSQL: a sql.Null[T] (runtime.SQLNull).
	WrapSQL
)

// Getter says how a value is read from a *runtime.Row.
type Getter struct {
	// One of these is set: Method of *runtime.Row (Int32), Func of the package
	// runtime with its type argument (Scan[T], Enum[T], Slice[T]), or Composite,
	// the type whose own reading function is called.
	Method    string
	Func      string
	TypeArg   *Type
	Composite pgtype.OID
	Wrap      Wrap
}

// ArgForm says how a Go value is handed to the server; a sql.Null goes through
// runtime.FromSQLNull first.
type ArgForm int

// The forms of an argument.
const (
	ArgPlain         ArgForm = iota // as it is
	ArgEnumArray                    // runtime.EnumArray
	ArgEnumArrayNull                // runtime.EnumArrayNull
	ArgDate                         // runtime.Date: a time.Time for a date or a domain over it
	ArgTimestamp                    // runtime.Timestamp: the same for timestamp
	ArgDateNull                     // runtime.DateNull: the same of a pointer
	ArgTimestampNull                // runtime.TimestampNull
)

// Value is the answer of [Resolve].
type Value struct {
	Type *Type
	Get  Getter
	Arg  ArgForm
	// Enums and Composites are the types of the generated package that Type is
	// made of.
	Enums, Composites []pgtype.OID
}

// Null says what a value that can be NULL becomes.
type Null string

// The forms of NULL. Types that can hold it already keep their form in each:
// []byte, json.RawMessage and slices are nil.
const (
	NullPointer Null = "pointer" // *T
	NullSQL     Null = "sql"     // sql.Null[T]
	// NullPgtype is pgtype's own type with a Valid field; *T where it has none
	// (enums, composites, network addresses).
	NullPgtype Null = "pgtype"
)

// Override replaces a Go type. What is read into []byte, of another type than
// bytea, is what the server sent: it depends on pgx's query mode.
type Override struct {
	// PGType is the type's name in pg_type, as analyze prints it ("numeric");
	// Column a column as "table.column". One of the two is set; the one for a
	// column wins.
	PGType, Column string
	// GoType is the import path, a dot and the name:
	// "github.com/shopspring/decimal.Decimal"; a predeclared type has no path.
	// pgx must be able to scan into it and to encode it.
	GoType string
}

// Options steer [Resolver]. The zero Options are the defaults.
type Options struct {
	// Null defaults to NullPointer.
	Null Null
	// NullElements makes arrays whose elements may be NULL slices of pointers.
	// Without it arrays are plain slices, and reading a NULL element is an
	// error: most arrays have none, and no constraint of PostgreSQL can say so.
	NullElements bool
	Overrides    []Override
}

func named(path, name string, args ...*Type) *Type { return &Type{Path: path, Name: name, Args: args} }

func pointer(t *Type) *Type { return &Type{Form: Pointer, Elem: t} }

func slice(t *Type) *Type { return &Type{Form: Slice, Elem: t} }
