// Package model is the Go side of a set of analysed queries: the structs, enums,
// errors, repositories and methods that will be written, with every name and
// type decided. What is to be decided about generated code is decided here;
// package emit only writes it down.
//
// [Build] is deterministic: the order in which the files come does not matter,
// and names that collide are told apart by rules that depend on the input alone.
//
// The package imports parser and the packages below it, templates/gotype and
// templates/naming.
package model

import (
	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/templates/gotype"
)

// Input is what Build works on.
type Input struct {
	Catalog *catalog.Catalog
	Options Options
	Files   []File
}

// Options steer what is generated.
type Options struct {
	// Package is the package's name. Defaults to "db".
	Package string
	// Types are the choices of Go types.
	Types gotype.Options
	// ParamLimit is how many parameters a method takes one by one before they
	// become a struct. Defaults to 2; -1 always makes a struct.
	ParamLimit int
	// TenantSetting is the setting that holds the tenant in a transaction of the
	// scoped files' repositories, such as app.tenant_id; needed where a File is
	// Scoped.
	TenantSetting string
}

// File is one file of queries.
type File struct {
	// Name is the file's path or name, such as "orders.sql".
	Name    string
	Queries []Query
	// Scoped says that the file's repository runs in a tenant's transaction alone.
	Scoped bool
}

// Query is a statement with what is known of it. Statements without an
// annotation are passed over.
type Query struct {
	Statement *parser.Statement
	Analyzed  *analyze.Analyzed
	Facts     *infer.Facts
	// Plan is a line about the plan for the doc comment ("Index Scan using
	// authors_pkey on authors"), "" for none.
	Plan string
}

// Package is what is generated.
type Package struct {
	Name string
	// SearchPath is the search_path that the queries mean what they mean with, as
	// SET takes it.
	SearchPath string
	// TenantSetting is that of the options; "" where no repository is scoped.
	TenantSetting string
	// Models are the structs of tables and views that queries return, Enums and
	// Composites the types of values; each sorted by name.
	Models     []*Struct
	Enums      []*Enum
	Composites []*Composite
	// Errors are the constraints that a query of the package can violate,
	// sorted by name.
	Errors       []*ConstraintError
	Repositories []*Repository
}

// Struct is a struct type that a result is read into.
type Struct struct {
	Name   string
	Doc    []string
	Fields []*Field
	// Scan is the name of the function that makes it of a row; ScanAt that of
	// the one that starts at a given column. Each is "" if nothing needs it.
	Scan, ScanAt string
}

// Field is a field of a struct.
type Field struct {
	Name    string
	Comment string
	Value   *gotype.Value
	// Column is the column of the result it is read from, from 0.
	Column int
	// Embed is set where the field is a struct of its own; then Value is nil.
	Embed *Embed
	// PGType and Nullable describe the value for the comparison of structs.
	PGType   pgtype.OID
	Nullable bool
}

// Embed is a struct in a struct: the row of one relation.
type Embed struct {
	Struct *Struct
	// Local says that Struct is made for this query and written beside it.
	Local bool
	// Pointer says that there may be no row, which is nil.
	Pointer bool
	// Column is where it begins.
	Column int
	// Present are columns of which one at least is not NULL if there is a row.
	Present []int
}

// Enum is a string type.
type Enum struct {
	Name string
	Doc  []string
	// All is the name of the function that returns the labels.
	All    string
	Labels []Label
}

// Label is one constant of an enum.
type Label struct{ Name, Value string }

// Composite is a struct of a composite type.
type Composite struct {
	Struct
	OID pgtype.OID
	// Read is the name of the function that reads it from a column.
	Read string
	// OIDs are the fields' types, 0 for those that are not built in.
	OIDs []pgtype.OID
}

// ConstraintError is a variable that stands for a violated constraint.
type ConstraintError struct {
	Name string
	// Doc is a sentence without its end; Definition the constraint as SQL, ""
	// where it is not known.
	Doc, Definition string
	// Schema, Table and Constraint are as the server reports them; there is no
	// Table for a domain's.
	Schema, Table, Constraint string
	Partitions                []Partition

	owner string // the table or domain
}

// Partition is where the same constraint is violated in a partition. What
// equals the [ConstraintError]'s is "".
type Partition struct{ Schema, Table, Constraint string }

// Repository holds the methods of one file.
type Repository struct {
	Name string
	// Source is the query file's name, File that of the Go file.
	Source, File string
	// Scoped says that it runs in a tenant's transaction alone.
	Scoped  bool
	Methods []*Method
}

// Method is one query.
type Method struct {
	Name    string
	Command annotation.Command
	// Doc is the query's own comment, Contract what can go wrong, as
	// paragraphs, Plan the line about the plan.
	Doc      []string
	Contract []string
	Plan     string
	// SQLName and QueryName are the names of the constant and the variable.
	SQLName, QueryName string
	// SQL is what is sent to the server.
	SQL string
	// ReadOnly says that the query may run on a standby.
	ReadOnly bool
	Params   []*Param
	// ParamsName is the name of the parameters' struct, "" for none.
	ParamsName string
	// Result is nil for a command without rows.
	Result *Result
}

// Param is one parameter, in the order of the numbers.
type Param struct {
	Number int
	// Local is its name as a parameter, Field as a field of the struct.
	Local, Field string
	Comment      string
	Value        *gotype.Value
}

// Result is what a row becomes.
type Result struct {
	// Scan is the function that reads a row.
	Scan string
	// Scalar is the single column that is returned as it is; else the row is a
	// Struct, which Local says is written beside the method.
	Scalar *Field
	Struct *Struct
	Local  bool
}
