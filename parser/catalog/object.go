package catalog

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// Schema is a row of pg_namespace.
type Schema struct {
	OID  pgtype.OID
	Name string
}

// Type is a row of pg_type with what belongs to it from pg_enum and pg_range.
type Type struct {
	OID    pgtype.OID
	Schema string
	Name   string
	// Len is typlen: bytes, -1 for varlena, -2 for cstring.
	Len   int
	ByVal bool
	// Kind is typtype: b base, c composite, d domain, e enum, p pseudo,
	// r range, m multirange.
	Kind byte
	// Category is typcategory, Preferred typispreferred.
	Category  byte
	Preferred bool
	Delim     byte
	// Align is typalign (c s i d), Storage typstorage (p e x m).
	Align, Storage byte
	// Relation is the pg_class entry of a composite type.
	Relation pgtype.OID
	// Element is typelem: the element type of an array, and of the few
	// fixed-length types that can be subscripted.
	Element pgtype.OID
	// Array is the type of arrays of this one.
	Array pgtype.OID
	// Subscript is typsubscript, the handler's name; "" if the type cannot be
	// subscripted.
	Subscript string
	// Base, BaseTypmod and Dims are of a domain: what it is over.
	Base       pgtype.OID
	BaseTypmod pgtype.Typmod
	Dims       int
	NotNull    bool
	Collation  pgtype.OID
	// Input, Output, Receive and Send name the I/O functions; TypmodIn is the
	// function that reads a modifier, 0 if the type takes none.
	Input, Output, Receive, Send, TypmodIn pgtype.OID

	// Labels are an enum's, in order.
	Labels []string
	// Range facts, of a range or multirange type.
	RangeSubtype   pgtype.OID
	RangeMulti     pgtype.OID // the multirange of a range
	RangeOf        pgtype.OID // the range of a multirange
	RangeCollation pgtype.OID
	RangeOpClass   pgtype.OID
	// Checks are a domain's CHECK constraints.
	Checks []*Constraint
	// Default is a domain's DEFAULT, nil for none.
	Default query.Expr

	// Shell is set of a type that CREATE TYPE only promises yet.
	Shell bool
	// Unknown is set of a type that the schema names and that nothing is known of
	// but its name ([Catalog.UnknownType]).
	Unknown bool

	Comment string
	// Decl is where the type was declared; zero for a built-in one.
	Decl Place
}

// IsArray reports whether t is a true array type (IsTrueArrayType).
func (t *Type) IsArray() bool {
	return t.Element != 0 && t.Subscript == "array_subscript_handler"
}

// Place is where an object was declared.
type Place struct {
	File *source.File
	Span source.Span
}

// Arg modes, as pg_proc.proargmodes.
const (
	ArgIn       byte = 'i'
	ArgOut      byte = 'o'
	ArgInOut    byte = 'b'
	ArgVariadic byte = 'v'
	ArgTable    byte = 't'
)

// Func is a row of pg_proc, with pg_aggregate's if it is an aggregate.
type Func struct {
	OID    pgtype.OID
	Schema string
	Name   string
	// Kind is prokind: f function, p procedure, a aggregate, w window.
	Kind byte
	// Language is the language's name: internal, c, sql, plpgsql.
	Language string
	// Cost is procost in units of cpu_operator_cost, Rows prorows.
	Cost, Rows float64
	Variadic   pgtype.OID // element type of the variadic argument, 0 for none
	// Support is the planner support function's name, "" for none.
	Support string
	// Volatile is provolatile (i s v), Parallel proparallel (s r u).
	Volatile, Parallel byte
	Strict             bool
	RetSet             bool
	LeakProof          bool
	Result             pgtype.OID
	// Args are the input arguments' types (proargtypes); Defaults is how many
	// of the last ones may be left out, DefaultExprs their values where they
	// are known (user functions).
	Args         []pgtype.OID
	Defaults     int
	DefaultExprs []query.Expr
	// DefaultTexts are the values as SQL, one for each of the Defaults, of a
	// built-in function.
	DefaultTexts []string
	// AllArgs, Modes and Names describe all arguments; AllArgs and Modes are
	// nil where all are IN.
	AllArgs []pgtype.OID
	Modes   []byte
	Names   []string
	// Source is prosrc: the C name, or the body of a SQL function. A body that
	// was written as SQL and not as a string is as pg_get_function_sqlbody
	// prints it: RETURN … or BEGIN ATOMIC … END.
	Source string
	// Body are the analysed statements of a user's SQL function or procedure, in
	// order; its arguments are external Params numbered as in Args. It is nil for
	// other languages and where the body could not be analysed.
	Body []*query.Query
	// InlineBody is set for a body that was written as SQL and not as a string:
	// its names were resolved when the function was created.
	InlineBody bool
	// SecurityDefiner is prosecdef.
	SecurityDefiner bool
	// Settings are the SET clauses, each as name=value, by name (proconfig).
	Settings []string
	// Replaced is the newest object that there was when CREATE OR REPLACE gave the
	// function another body; 0 for one that is as it was made.
	Replaced pgtype.OID
	// Effects are what a user's function in SQL or PL/pgSQL reads and writes;
	// nil for other functions, of which nothing is known.
	Effects *Effects
	// Aggregate is pg_aggregate's row, nil for other kinds.
	Aggregate *Aggregate

	Decl Place
}

// Aggregate is a row of pg_aggregate.
type Aggregate struct {
	Kind            byte // n normal, o ordered set, h hypothetical
	DirectArgs      int
	TransFunc       pgtype.OID
	FinalFunc       pgtype.OID
	CombineFunc     pgtype.OID
	SerialFunc      pgtype.OID
	DeserialFunc    pgtype.OID
	SortOp          pgtype.OID
	TransType       pgtype.OID
	TransSpace      int // bytes
	InitValNull     bool
	MovingTransFunc pgtype.OID
	FinalModify     byte
}

// Operator is a row of pg_operator.
type Operator struct {
	OID    pgtype.OID
	Schema string
	Name   string
	// Left is 0 for a prefix operator.
	Left, Right, Result pgtype.OID
	Func                pgtype.OID // oprcode
	Commutator, Negator pgtype.OID
	// Restrict and Join are the selectivity estimators' names, "" for none.
	Restrict, Join    string
	CanMerge, CanHash bool
}

// Cast contexts and methods, as pg_cast.
const (
	CastExplicit   byte = 'e'
	CastAssignment byte = 'a'
	CastImplicit   byte = 'i'

	CastFunction byte = 'f'
	CastInOut    byte = 'i'
	CastBinary   byte = 'b'
)

// Cast is a row of pg_cast.
type Cast struct {
	Source, Target pgtype.OID
	Func           pgtype.OID
	Context        byte
	Method         byte
}

// Collation is a row of pg_collation.
type Collation struct {
	OID           pgtype.OID
	Schema        string
	Name          string
	Provider      byte // c libc, i icu, b builtin, d database default
	Deterministic bool
}

// AccessMethod is a row of pg_am with what its handler says of it.
type AccessMethod struct {
	OID  pgtype.OID
	Name string
	// Kind is i for an index, t for a table.
	Kind byte
	// The flags of IndexAmRoutine that planning needs.
	CanOrder, CanOrderByOp, CanUnique, CanMultiCol bool
	OptionalKey, SearchArray, SearchNulls          bool
	CanParallel, CanInclude                        bool
	HasGetTuple, HasGetBitmap                      bool
}

// OpClass is a row of pg_opclass.
type OpClass struct {
	OID     pgtype.OID
	Schema  string
	Name    string
	Method  pgtype.OID
	Family  pgtype.OID
	InType  pgtype.OID
	KeyType pgtype.OID
	Default bool
}

// OpFamily is a row of pg_opfamily.
type OpFamily struct {
	OID    pgtype.OID
	Schema string
	Name   string
	Method pgtype.OID
}

// AmOp is a row of pg_amop: an operator in a family.
type AmOp struct {
	Family      pgtype.OID
	Method      pgtype.OID
	Left, Right pgtype.OID
	Strategy    int
	// Purpose is s for search, o for ordering.
	Purpose    byte
	Operator   pgtype.OID
	SortFamily pgtype.OID
}

// AmProc is a row of pg_amproc: a support function of a family.
type AmProc struct {
	Family      pgtype.OID
	Left, Right pgtype.OID
	Number      int
	Func        pgtype.OID
}

// B-tree strategies (access/stratnum.h).
const (
	BTLess         = 1
	BTLessEqual    = 2
	BTEqual        = 3
	BTGreaterEqual = 4
	BTGreater      = 5
)
