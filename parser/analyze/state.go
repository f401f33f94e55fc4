package analyze

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// Error is what is wrong with a statement, as the server would report it.
type Error struct {
	// SQLState is the server's code; "" where the server would accept the
	// statement and only dbgen does not (the message then begins with "not
	// supported yet").
	SQLState string
	Message  string
	Detail   string
	Hint     string
	// Label is a guess that the server does not make.
	Label string
	// Span is the place in the analysed text; Span.Start is the server's error
	// position. It is zero where the server gives none.
	Span source.Span
}

// Error returns the message and the SQLSTATE.
func (e *Error) Error() string {
	if e.SQLState == "" {
		return e.Message
	}
	return e.Message + " (" + e.SQLState + ")"
}

// SQLSTATEs of PostgreSQL's errcodes.txt that analysis raises.
const (
	errFeatureNotSupported = "0A000"
	errInvalidLimit        = "2201W"
	errInvalidSample       = "2202H"
	errInvalidText         = "22P02"
	errOutOfRange          = "22003"
	errNotNullViolation    = "23502"
	errSyntax              = "42601"
	errInvalidName         = "42602"
	errDuplicateColumn     = "42701"
	errAmbiguousColumn     = "42702"
	errUndefinedColumn     = "42703"
	errUndefinedObject     = "42704"
	errDuplicateAlias      = "42712"
	errAmbiguousFunction   = "42725"
	errGrouping            = "42803"
	errDatatypeMismatch    = "42804"
	errWrongObjectType     = "42809"
	errCannotCoerce        = "42846"
	errUndefinedFunction   = "42883"
	errAmbiguousAlias      = "42P09"
	errUndefinedTable      = "42P01"
	errUndefinedParameter  = "42P02"
	errAmbiguousParameter  = "42P08"
	errInvalidColumnRef    = "42P10"
	errIndeterminateType   = "42P18"
	errInvalidRecursion    = "42P19"
	errInvalidObjectDef    = "42P17"
	errWindowing           = "42P20"
	errCollationMismatch   = "42P21"
	errTooManyColumns      = "54011"
	errTooManyArguments    = "54023"
	errTooComplex          = "54001"
	errInvalidSchema       = "3F000"
	errInvalidFunctionDef  = "42P13"
	errInvalidTableDef     = "42P16"
	errInvalidParameter    = "22023"
)

// noLoc is the location of a node that stands nowhere in the text.
const noLoc = -1

// limits that the server is built with (pg_config_manual.h, htup_details.h).
const (
	maxFuncArgs   = 100
	maxTupleAttrs = 1664
)

// analyzer is what all levels of one analysis share.
type analyzer struct {
	cat    *catalog.Catalog
	text   string
	params params
	// value is the base value in a domain's CHECK, nil elsewhere.
	value *query.CoerceToDomainValue
	// paramNames are a SQL function's argument names.
	paramNames []string
	funcName   string
	embeds     []Embed
	embedAt    []EmbedPlace
}

// state is PostgreSQL's ParseState: what is known while one query level is
// analysed (parser/parse_node.h).
type state struct {
	*analyzer
	parent *state

	rtable    []*query.RangeTblEntry
	joins     map[int]*query.JoinExpr // by range table index
	joinList  []query.JoinNode
	namespace []*nsItem
	nulling   map[int]query.Relids // outer joins above a range table index
	// lateral is true while a LATERAL item is analysed.
	lateral bool

	ctes       []*cte
	futureCTEs []*cte
	parentCTE  *cte

	target     *catalog.Table
	targetItem *nsItem
	isInsert   bool

	windowDefs []*pg.WindowDef
	kind       exprKind
	nextResNo  int
	multi      []*multiAssign

	locking          []*pg.LockingClause
	lockedFromParent bool
	resolveUnknowns  bool

	hasAggs, hasWindowFuncs, hasTargetSRFs, hasSubLinks, hasModifyingCTE bool

	lastSRF query.Expr

	subNames subNames
}

func newState(a *analyzer, parent *state) *state {
	return &state{
		subNames: subNames{},
		analyzer: a, parent: parent,
		joins: map[int]*query.JoinExpr{}, nulling: map[int]query.Relids{},
		nextResNo: 1, resolveUnknowns: true,
	}
}

// up returns the state n levels above.
func (s *state) up(n int) *state {
	for ; n > 0; n-- {
		s = s.parent
	}
	return s
}

func (s *state) rte(varno, levels int) *query.RangeTblEntry { return s.up(levels).rtable[varno-1] }

// fail ends the analysis with an error at a location; catchError turns it into
// a value at the package's boundary.
func (a *analyzer) fail(code string, loc int, format string, args ...any) {
	panic(a.errorAt(code, loc, format, args...))
}

func (a *analyzer) failHint(code string, loc int, hint, format string, args ...any) {
	e := a.errorAt(code, loc, format, args...)
	e.Hint = hint
	panic(e)
}

func (a *analyzer) failDetail(code string, loc int, detail, format string, args ...any) {
	e := a.errorAt(code, loc, format, args...)
	e.Detail = detail
	panic(e)
}

// unsupported ends the analysis for a construct that the server knows and this
// package does not.
func (a *analyzer) unsupported(loc int, what string) {
	a.fail("", loc, "not supported yet: %s", what)
}

func (a *analyzer) errorAt(code string, loc int, format string, args ...any) *Error {
	return &Error{SQLState: code, Message: fmt.Sprintf(format, args...), Span: a.span(loc)}
}

// at runs fn so that an error in it without a place gets the given one
// (setup_parser_errposition_callback, parse_node.c).
func (a *analyzer) at(loc int, fn func()) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(*Error); ok && e.Span.IsZero() {
				e.Span = a.span(loc)
			}
			panic(r)
		}
	}()
	fn()
}

func catchError(err **Error) {
	if r := recover(); r != nil {
		e, ok := r.(*Error)
		if !ok {
			panic(r)
		}
		*err = e
	}
}

// Facts of types that the rules ask for all the time.

func (a *analyzer) typ(oid pgtype.OID) *catalog.Type {
	t := a.cat.Type(oid)
	if t == nil {
		a.fail("XX000", noLoc, "cache lookup failed for type %d", oid)
	}
	return t
}

func (a *analyzer) typeCollation(oid pgtype.OID) pgtype.OID {
	if t := a.cat.Type(oid); t != nil {
		return t.Collation
	}
	return 0
}

// elementType is the element type of a true array type, else 0
// (get_element_type, lsyscache.c).
func (a *analyzer) elementType(oid pgtype.OID) pgtype.OID {
	if t := a.cat.Type(oid); t != nil && t.IsArray() {
		return t.Element
	}
	return 0
}

// baseElementType is elementType through domains (get_base_element_type).
func (a *analyzer) baseElementType(oid pgtype.OID) pgtype.OID {
	return a.elementType(a.cat.BaseType(oid))
}

func (a *analyzer) arrayType(oid pgtype.OID) pgtype.OID {
	if t := a.cat.Type(oid); t != nil {
		return t.Array
	}
	return 0
}

// isComplex is ISCOMPLEX: a composite type or a domain over one.
func (a *analyzer) isComplex(oid pgtype.OID) bool { return a.rowRelation(oid) != nil }

// rowRelation is the relation of a composite type, through domains
// (typeOrDomainTypeRelid).
func (a *analyzer) rowRelation(oid pgtype.OID) *catalog.Table {
	t := a.cat.Type(a.cat.BaseType(oid))
	if t == nil || t.Relation == 0 {
		return nil
	}
	return a.cat.Table(t.Relation)
}

func (a *analyzer) isRowType(oid pgtype.OID) bool {
	if oid == pgtype.RecordOID {
		return true
	}
	t := a.cat.Type(a.cat.BaseType(oid))
	return t != nil && t.Kind == 'c'
}

func (a *analyzer) isComplexArray(oid pgtype.OID) bool {
	e := a.elementType(oid)
	return e != 0 && a.isComplex(e)
}

// category is typcategory; 0 is invalid.
func (a *analyzer) category(oid pgtype.OID) (byte, bool) {
	t := a.cat.Type(oid)
	if t == nil {
		return 0, false
	}
	return t.Category, t.Preferred
}

func isPolymorphic1(oid pgtype.OID) bool {
	switch oid {
	case pgtype.AnyelementOID, pgtype.AnyarrayOID, pgtype.AnynonarrayOID, pgtype.AnyenumOID,
		pgtype.AnyrangeOID, pgtype.AnymultirangeOID:
		return true
	}
	return false
}

func isPolymorphic2(oid pgtype.OID) bool {
	switch oid {
	case pgtype.AnycompatibleOID, pgtype.AnycompatiblearrayOID, pgtype.AnycompatiblenonarrayOID,
		pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID:
		return true
	}
	return false
}

func isPolymorphic(oid pgtype.OID) bool { return isPolymorphic1(oid) || isPolymorphic2(oid) }
