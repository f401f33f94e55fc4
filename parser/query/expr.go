package query

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// Expr is an expression node. The set of nodes is closed: every switch over it
// can be complete.
type Expr interface {
	// ResultType is the type of the value (exprType, nodeFuncs.c).
	ResultType() pgtype.OID
	// ResultTypmod is its modifier (exprTypmod).
	ResultTypmod() pgtype.Typmod
	// ResultCollation is its collation, 0 if the type has none
	// (exprCollation).
	ResultCollation() pgtype.OID
	// Span is the place in the analysed text; zero if it has none.
	Span() source.Span

	eachChild(fn func(*Expr))
	shallowCopy() Expr
	sameNode(Expr) bool
}

// Header is what every expression carries.
type Header struct {
	Typ  pgtype.OID
	Mod  pgtype.Typmod
	Coll pgtype.OID
	Loc  source.Span
}

// ResultType returns the type of the value.
func (h *Header) ResultType() pgtype.OID { return h.Typ }

// ResultTypmod returns the type modifier.
func (h *Header) ResultTypmod() pgtype.Typmod { return h.Mod }

// ResultCollation returns the collation of the value.
func (h *Header) ResultCollation() pgtype.OID { return h.Coll }

// Span returns the place in the analysed text.
func (h *Header) Span() source.Span { return h.Loc }

func (h Header) sameHeader(o Header) bool {
	return h.Typ == o.Typ && h.Mod == o.Mod && h.Coll == o.Coll
}

// CoercionForm says how a coercion or call was written, which decides how it
// is printed (CoercionForm, primnodes.h).
type CoercionForm int

// The coercion forms.
const (
	CoerceExplicitCall CoercionForm = iota // f(x)
	CoerceExplicitCast                     // x::t
	CoerceImplicitCast                     // not written
	CoerceSQLSyntax                        // EXTRACT(… FROM …) and the like
)

// Var is a column of a range table entry.
type Var struct {
	Header
	VarNo    int // range table index; planning also uses OUTER and INNER
	AttNo    int // attribute number; 0 whole row, negative system columns
	LevelsUp int
	// NullingRels are the outer joins (by range table index) above which the
	// value may have become NULL (varnullingrels, since PostgreSQL 16).
	NullingRels Relids
	// Returning says which row of the target RETURNING wants, since PostgreSQL 18.
	Returning       VarReturning
	SynNo, SynAttNo int // the reference as written, before join aliases were flattened
}

// VarReturning says of which row a Var in RETURNING is (VarReturningType,
// primnodes.h).
type VarReturning int

// The rows. ReturningOld is NULL for a row inserted, ReturningNew for one deleted.
const (
	ReturningDefault VarReturning = iota
	ReturningOld
	ReturningNew
)

// Const is a constant.
type Const struct {
	Header
	Null bool
	// Value is the value in the type's own text form (as its output function
	// prints it under DateStyle ISO); "" if Null. [pgtype.Parse] decodes it.
	Value string
	// Len and ByVal are pg_type's typlen and typbyval.
	Len   int
	ByVal bool
}

// ParamKind is the kind of a [Param].
type ParamKind int

// The kinds of parameter. All but ParamExtern are made by planning only.
const (
	ParamExtern ParamKind = iota // $n
	ParamExec                    // of a nested loop or a subplan
	ParamSublink
	ParamMultiExpr
)

// Param is a parameter.
type Param struct {
	Header
	Kind   ParamKind
	Number int // from 1 for ParamExtern
}

// AggKind is the kind of an aggregate.
type AggKind byte

// The kinds of aggregate, as pg_aggregate.aggkind.
const (
	AggNormal       AggKind = 'n'
	AggOrderedSet   AggKind = 'o'
	AggHypothetical AggKind = 'h'
)

// Aggref is an aggregate call.
type Aggref struct {
	Header
	Func       pgtype.OID
	InputColl  pgtype.OID
	TransType  pgtype.OID
	ArgTypes   []pgtype.OID
	DirectArgs []Expr
	Args       []*TargetEntry
	Order      []*SortGroupClause
	Distinct   []*SortGroupClause
	Filter     Expr
	Star       bool
	Variadic   bool
	Kind       AggKind
	LevelsUp   int
	// AggNo, TransNo and Presorted are set by planning.
	AggNo, TransNo int
	Presorted      bool
	// Split is the partial aggregation step, set by planning: 0 simple,
	// else PostgreSQL's AGGSPLITOP bits.
	Split int
}

// GroupingFunc is GROUPING(…).
type GroupingFunc struct {
	Header
	Args     []Expr
	Refs     []int
	LevelsUp int
}

// WindowFunc is a window function call.
type WindowFunc struct {
	Header
	Func      pgtype.OID
	InputColl pgtype.OID
	Args      []Expr
	Filter    Expr
	WinRef    int
	Star      bool
	IsAgg     bool
}

// SubscriptingRef is container[subscripts], or an assignment to it.
type SubscriptingRef struct {
	Header
	ContainerType pgtype.OID
	ElementType   pgtype.OID
	// Upper and Lower hold nil for an omitted bound. Lower is empty unless it
	// is a slice.
	Upper, Lower []Expr
	Container    Expr
	Assign       Expr
}

// FuncExpr is a function call, or a cast that is one.
type FuncExpr struct {
	Header
	Func      pgtype.OID
	RetSet    bool
	Variadic  bool
	Form      CoercionForm
	InputColl pgtype.OID
	Args      []Expr
}

// NamedArgExpr is name => value in a call, before planning puts it in place.
type NamedArgExpr struct {
	Header
	Arg    Expr
	Name   string
	Number int // position in the function's argument list
}

// OpExpr is an operator.
type OpExpr struct {
	Header
	Op        pgtype.OID
	Func      pgtype.OID
	RetSet    bool
	InputColl pgtype.OID
	Args      []Expr
}

// DistinctExpr is a IS DISTINCT FROM b. Op is the equality operator.
type DistinctExpr struct{ OpExpr }

// NullIfExpr is NULLIF(a, b). Op is the equality operator.
type NullIfExpr struct{ OpExpr }

// ScalarArrayOpExpr is a op ANY (array) or a op ALL (array).
type ScalarArrayOpExpr struct {
	Header
	Op        pgtype.OID
	Func      pgtype.OID
	UseOr     bool // ANY
	InputColl pgtype.OID
	Args      [2]Expr
}

// BoolExprType is AND, OR or NOT.
type BoolExprType int

// The boolean operators.
const (
	AndExpr BoolExprType = iota
	OrExpr
	NotExpr
)

// BoolExpr is AND, OR or NOT.
type BoolExpr struct {
	Header
	Op   BoolExprType
	Args []Expr
}

// SubLinkType is the kind of a subquery in an expression.
type SubLinkType int

// The kinds of sublink.
const (
	ExistsSubLink SubLinkType = iota
	AllSubLink
	AnySubLink
	RowCompareSubLink
	ExprSubLink
	MultiExprSubLink
	ArraySubLink
	CTESubLink // planning only
)

// SubLink is a subquery in an expression.
type SubLink struct {
	Header
	Kind SubLinkType
	ID   int // of MultiExprSubLink
	// Test is the combining expression of ANY, ALL and ROWCOMPARE, with
	// ParamSublink Params for the subquery's columns; nil otherwise.
	Test Expr
	// OperName is the operator as written, for = ANY.
	OperName  []string
	Subselect *Query
}

// SubPlan stands for a planned subquery. Only planning makes it.
type SubPlan struct {
	Header
	Kind           SubLinkType
	Test           Expr
	ParamIDs       []int // Params that Test uses for the subquery's columns
	PlanID         int
	Name           string
	UseHash        bool
	UnknownEqFalse bool
	ParallelSafe   bool
	SetParams      []int // an InitPlan's outputs
	ParParams      []int
	Args           []Expr
	StartupCost    float64
	PerCallCost    float64
	// FirstColType is the type of the subquery's first column.
	FirstColType pgtype.OID
}

// AlternativeSubPlan is two ways to do one EXISTS. Only planning makes it.
type AlternativeSubPlan struct {
	Header
	Plans []Expr
}

// FieldSelect is (composite).field.
type FieldSelect struct {
	Header
	Arg   Expr
	Field int
}

// FieldStore is an assignment to fields of a composite.
type FieldStore struct {
	Header
	Arg    Expr
	New    []Expr
	Fields []int
}

// RelabelType is a cast that changes nothing but the type's name.
type RelabelType struct {
	Header
	Arg  Expr
	Form CoercionForm
}

// CoerceViaIO is a cast through text.
type CoerceViaIO struct {
	Header
	Arg  Expr
	Form CoercionForm
}

// ArrayCoerceExpr is a cast of each element of an array.
type ArrayCoerceExpr struct {
	Header
	Arg  Expr
	Elem Expr // over a [CaseTestExpr]
	Form CoercionForm
}

// ConvertRowtypeExpr is a cast from one row type to a parent's.
type ConvertRowtypeExpr struct {
	Header
	Arg  Expr
	Form CoercionForm
}

// CollateExpr is x COLLATE c.
type CollateExpr struct {
	Header
	Arg Expr
}

// CaseExpr is CASE.
type CaseExpr struct {
	Header
	Arg     Expr // of CASE arg WHEN …; nil otherwise
	Whens   []*CaseWhen
	Default Expr
}

// CaseWhen is one WHEN … THEN.
type CaseWhen struct {
	Cond, Result Expr
	Loc          source.Span
}

// CaseTestExpr stands for the value under test in a CASE or array coercion.
type CaseTestExpr struct{ Header }

// ArrayExpr is ARRAY[…].
type ArrayExpr struct {
	Header
	ElementType pgtype.OID
	Elements    []Expr
	Multidims   bool
}

// RowExpr is ROW(…).
type RowExpr struct {
	Header
	Args     []Expr
	Form     CoercionForm
	ColNames []string
}

// RowCompareType is the kind of a row comparison.
type RowCompareType int

// The kinds of row comparison, as btree strategies.
const (
	RowCompareLT RowCompareType = iota + 1
	RowCompareLE
	RowCompareEQ
	RowCompareGE
	RowCompareGT
	RowCompareNE
)

// RowCompareExpr is (a, b) < (c, d).
type RowCompareExpr struct {
	Header
	Kind       RowCompareType
	Ops        []pgtype.OID
	OpFamilies []pgtype.OID
	InputColls []pgtype.OID
	Left       []Expr
	Right      []Expr
}

// CoalesceExpr is COALESCE.
type CoalesceExpr struct {
	Header
	Args []Expr
}

// MinMaxExpr is GREATEST or LEAST.
type MinMaxExpr struct {
	Header
	InputColl pgtype.OID
	Least     bool
	Args      []Expr
}

// SQLValueFunction is CURRENT_DATE and its kin; Name is the keyword.
type SQLValueFunction struct {
	Header
	Name string
}

// XMLExpr is an XML constructor.
type XMLExpr struct {
	Header
	Op        string
	Name      string
	NamedArgs []Expr
	ArgNames  []string
	Args      []Expr
	Content   bool
}

// JSONExpr is a SQL/JSON constructor, predicate or value expression; Op names
// it ("JSON_OBJECT", "IS JSON", …).
type JSONExpr struct {
	Header
	Op           string
	Args         []Expr
	Func         Expr // the call it stands for
	Coercion     Expr
	AbsentOnNull bool
	Unique       bool
}

// NullTest is x IS [NOT] NULL.
type NullTest struct {
	Header
	Arg      Expr
	Not      bool
	ArgIsRow bool
}

// BoolTestType is the kind of a boolean test.
type BoolTestType int

// The boolean tests.
const (
	IsTrue BoolTestType = iota
	IsNotTrue
	IsFalse
	IsNotFalse
	IsUnknown
	IsNotUnknown
)

// BooleanTest is x IS [NOT] TRUE and its kin.
type BooleanTest struct {
	Header
	Arg  Expr
	Kind BoolTestType
}

// CoerceToDomain is a cast to a domain, which checks its constraints.
type CoerceToDomain struct {
	Header
	Arg  Expr
	Form CoercionForm
}

// CoerceToDomainValue stands for VALUE in a domain's CHECK.
type CoerceToDomainValue struct{ Header }

// SetToDefault is DEFAULT in INSERT or UPDATE.
type SetToDefault struct{ Header }

// CurrentOfExpr is WHERE CURRENT OF cursor.
type CurrentOfExpr struct {
	Header
	VarNo  int
	Cursor string
}

// NextValueExpr is the value of an identity column.
type NextValueExpr struct {
	Header
	Sequence pgtype.OID
}

// InferenceElem is one element of ON CONFLICT (…).
type InferenceElem struct {
	Header
	Arg       Expr
	InferColl pgtype.OID
	OpClass   pgtype.OID
}

// PlaceHolderVar is an expression that must be computed below an outer join.
// Only planning makes it.
type PlaceHolderVar struct {
	Header
	Arg         Expr
	Rels        Relids
	NullingRels Relids
	ID          int
	LevelsUp    int
}
