// Package analyze turns a parse tree and a catalog into a query.Query, as
// PostgreSQL's parse analysis does (src/backend/parser): names become range
// table references, operators and functions OIDs, implicit coercions nodes,
// parameters typed. It knows no function or operator by name: every overload is
// resolved by the server's rules from the catalog's data.
//
// The files follow PostgreSQL's own division (parse_expr.c is expr.go and its
// neighbours, parse_func.c func.go and candidate.go, and so on); what a function
// does the way one of the server's does, its comment names. Errors carry the
// server's words, SQLSTATE and position. Inside the package an error travels as
// a panic with *Error, as ereport does, and is a value again at every exported
// function.
//
// The package imports parser, parser/catalog, parser/query, parser/pgtype,
// parser/source, parser/diag and pg_query.
package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// Input is a statement to analyse.
type Input struct {
	// Text is what Node's locations are offsets into.
	Text string
	Node *pg.Node
	// Fixed says that the statement has the parameters Params and no others;
	// otherwise their types are deduced, those that Params gives being known.
	Fixed  bool
	Params []pgtype.OID
	// ParamNames and FuncName are those of the SQL function whose body this is.
	ParamNames []string
	FuncName   string
	// Embeds are the offsets of t.* that stands for an embedded row.
	Embeds []EmbedPlace
}

// EmbedPlace is where a t.* stands that was written as sqlc.embed(t).
type EmbedPlace struct {
	Name   string
	Offset int
}

// Analyzed is what analysis made of a statement.
type Analyzed struct {
	Query *query.Query
	// Params are the parameters in the order of their numbers.
	Params []Param
	// Embeds are the target entries that belong together.
	Embeds []Embed
}

// Param is a parameter.
type Param struct {
	Number int
	Type   pgtype.OID
	// Spans are its places in the text, in order.
	Spans []source.Span
	// NameHint is what the parameter is likely about: the column it is compared
	// with or assigned to, the function's argument, "limit" or "offset"; ""
	// where nothing says.
	NameHint string
	// Targets are the table columns that it is assigned to or compared with, in
	// the order found, each once.
	Targets []ColumnRef
}

// ColumnRef is a column of a table.
type ColumnRef struct {
	Table  pgtype.OID
	Column int
	// Assigned tells a column that the value is stored in from one that it is
	// compared with.
	Assigned bool
}

// Embed is a row that is wanted as a whole.
type Embed struct {
	Name string
	// First and Last are the ResNos of its columns.
	First, Last int
	// RTE is the range table index the columns come from.
	RTE int
}

// Statement analyses a statement of a query file. The diagnostics lead to the
// file; with an error among them the result is nil.
func Statement(cat *catalog.Catalog, stmt *parser.Statement) (*Analyzed, diag.List) {
	in := Input{Text: stmt.Text, Node: stmt.Tree.GetStmt()}
	for _, e := range stmt.Embeds {
		in.Embeds = append(in.Embeds, EmbedPlace{Name: e.Table, Offset: e.Offset})
	}
	r, err := Analyze(cat, in)
	if err == nil {
		return r, nil
	}
	d := diag.Diagnostic{
		Severity: diag.Error, Code: "analysis", SQLState: err.SQLState, Message: err.Message,
		Detail: err.Detail, Label: err.Label, Hint: UnknownHint(cat, err.SQLState, err.Message, err.Hint), File: stmt.File, Span: stmt.Span,
	}
	if err.SQLState == "" {
		d.Code = "unsupported"
	}
	if !err.Span.IsZero() {
		d.Span = stmt.FileSpan(err.Span)
	}
	if stmt.Annotation != nil {
		d.Query = stmt.Annotation.Name
	}
	return nil, diag.List{d}
}

// Tree analyses a statement with the given parameters and no others: the query
// of a view, the body of a SQL function. Spans are offsets in text.
func Tree(cat *catalog.Catalog, text string, node *pg.Node, fixedParams []pgtype.OID) (*Analyzed, *Error) {
	return Analyze(cat, Input{Text: text, Node: node, Fixed: true, Params: fixedParams})
}

// Analyze analyses a statement (parse_analyze_varparams and
// parse_analyze_fixedparams, parser/analyze.c).
func Analyze(cat *catalog.Catalog, in Input) (result *Analyzed, err *Error) {
	defer catchError(&err)
	a := &analyzer{
		cat: cat, text: in.Text, paramNames: in.ParamNames, funcName: in.FuncName, embedAt: in.Embeds,
		params: params{fixed: in.Fixed, types: append([]pgtype.OID(nil), in.Params...)},
	}
	s := newState(a, nil)
	q := s.topLevel(in.Node)
	s.checkWidth()
	q.Loc = source.Span{Start: 0, End: len(in.Text)}
	s.checkParams(q)
	// A view's own query is not rewritten before it is used.
	if !in.Fixed || q.Command != query.CmdSelect {
		s.checkViewRecursion(q)
	}
	a.checkGenerated(q)
	return &Analyzed{Query: q, Params: a.paramList(q), Embeds: a.embeds}, nil
}

func (a *analyzer) paramList(q *query.Query) []Param {
	var out []Param
	for i, t := range a.params.types {
		out = append(out, Param{Number: i + 1, Type: t, Spans: a.params.places[i+1]})
	}
	a.addHints(q, out)
	return out
}

// ExprKind says what an expression outside a query is for.
type ExprKind int

// The kinds of expression outside queries.
const (
	KindCheck ExprKind = iota
	KindColumnDefault
	KindGenerated
	KindFunctionDefault
	KindIndexExpression
	KindIndexPredicate
	KindStatsExpression
	KindPartitionExpression
	KindPartitionBound
	KindPolicy
	KindTriggerWhen
	KindAlterColTransform
)

func (k ExprKind) kind() exprKind {
	switch k {
	case KindColumnDefault:
		return kindColumnDefault
	case KindGenerated:
		return kindGenerated
	case KindFunctionDefault:
		return kindFunctionDefault
	case KindIndexExpression:
		return kindIndexExpression
	case KindIndexPredicate:
		return kindIndexPredicate
	case KindStatsExpression:
		return kindStatsExpression
	case KindPartitionExpression:
		return kindPartitionExpression
	case KindPartitionBound:
		return kindPartitionBound
	case KindPolicy:
		return kindPolicy
	case KindTriggerWhen:
		return kindTriggerWhen
	case KindAlterColTransform:
		return kindAlterColTransform
	}
	return kindCheck
}

// construct is the name of a condition in messages, "" for other expressions.
func (k ExprKind) construct() string {
	switch k {
	case KindCheck:
		return "CHECK"
	case KindIndexPredicate:
		return "WHERE"
	case KindPolicy:
		return "POLICY"
	case KindTriggerWhen:
		return "WHEN"
	}
	return ""
}

// TableExpr analyses an expression over a table's columns, which become Vars
// with VarNo 1; table may be nil. Conditions are coerced to boolean, others to
// target where it is not 0 (cookConstraint and cookDefault, catalog/heap.c;
// transformIndexConstraint and its kin).
func TableExpr(cat *catalog.Catalog, table *catalog.Table, text string, node *pg.Node, kind ExprKind, target pgtype.OID, mod pgtype.Typmod) (query.Expr, *Error) {
	a := &analyzer{cat: cat, text: text, params: params{fixed: true}}
	return a.standalone(table, node, kind, target, mod)
}

// DomainExpr analyses a domain's CHECK or DEFAULT; VALUE is a
// CoerceToDomainValue of the base type (domainAddConstraint, typecmds.c).
func DomainExpr(cat *catalog.Catalog, text string, node *pg.Node, kind ExprKind, base pgtype.OID, mod pgtype.Typmod, coll pgtype.OID) (query.Expr, *Error) {
	a := &analyzer{cat: cat, text: text, params: params{fixed: true}}
	if kind != KindCheck {
		return a.standalone(nil, node, kind, base, mod)
	}
	a.value = &query.CoerceToDomainValue{}
	a.value.Typ, a.value.Mod, a.value.Coll = base, mod, coll
	return a.standalone(nil, node, kind, 0, -1)
}

func (a *analyzer) standalone(table *catalog.Table, node *pg.Node, kind ExprKind, target pgtype.OID, mod pgtype.Typmod) (e query.Expr, err *Error) {
	defer catchError(&err)
	s := newState(a, nil)
	if table != nil {
		s.addItem(s.addTable(table, nil, false, true, noLoc), true, true, true)
	}
	k := kind.kind()
	if a.value != nil {
		k = kindDomainCheck
	}
	e = s.expr(node, k)
	switch {
	case kind.construct() != "":
		e = s.coerceToBoolean(e, kind.construct())
	case kind == KindFunctionDefault && target != 0:
		e = s.coerceToSpecific(e, target, "DEFAULT")
	case target != 0:
		from := e.ResultType()
		c := s.coerceToTarget(e, target, mod, assignment, query.CoerceImplicitCast, noLoc)
		if c == nil {
			s.failAssign(kind, e, target, from)
		}
		e = c
	}
	s.assignCollations(e)
	return e, nil
}

func (s *state) failAssign(kind ExprKind, e query.Expr, target, from pgtype.OID) {
	const hint = "You will need to rewrite or cast the expression."
	switch kind {
	case KindGenerated:
		s.failHint(errDatatypeMismatch, exprLoc(e), hint, "column is of type %s but generation expression is of type %s", s.format(target), s.format(from))
	case KindPartitionBound:
		s.fail(errDatatypeMismatch, exprLoc(e), "specified value cannot be cast to type %s", s.format(target))
	case KindAlterColTransform:
		s.failHint(errDatatypeMismatch, noLoc, "You might need to add an explicit cast.", "result of USING clause cannot be cast automatically to type %s", s.format(target))
	}
	s.failHint(errDatatypeMismatch, exprLoc(e), hint, "column is of type %s but default expression is of type %s", s.format(target), s.format(from))
}

// TypeName resolves a type as written, with its modifier. The span of an error
// has only a start: there is no text.
func TypeName(cat *catalog.Catalog, n *pg.TypeName) (t pgtype.OID, mod pgtype.Typmod, err *Error) {
	defer catchError(&err)
	a := &analyzer{cat: cat}
	defer a.bareSpan(int(n.GetLocation()))
	t, mod = a.typeName(n)
	return t, mod, nil
}

// Collation finds a collation by its dotted name, given as grammar nodes.
func Collation(cat *catalog.Catalog, names []*pg.Node) (oid pgtype.OID, err *Error) {
	defer catchError(&err)
	a := &analyzer{cat: cat}
	return a.collation(stringsOf(names), noLoc), nil
}

// bareSpan gives an error of a run without text its location.
func (a *analyzer) bareSpan(loc int) {
	if r := recover(); r != nil {
		if e, ok := r.(*Error); ok && loc >= 0 {
			e.Span = source.Span{Start: loc, End: loc + 1}
		}
		panic(r)
	}
}

// noteEmbed remembers the columns of a t.* that was an embed.
func (s *state) noteEmbed(res *pg.ResTarget, stars []namedExpr, out []*query.TargetEntry) {
	c := res.Val.GetColumnRef()
	if c == nil || len(stars) == 0 {
		return
	}
	for _, p := range s.embedAt {
		if p.Offset != int(c.Location) {
			continue
		}
		e := Embed{Name: p.Name, First: out[len(out)-len(stars)].ResNo, Last: out[len(out)-1].ResNo}
		if v, ok := stars[0].expr.(*query.Var); ok {
			e.RTE = v.VarNo
		}
		s.embeds = append(s.embeds, e)
	}
}
