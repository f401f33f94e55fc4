package analyze

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// call is a function call, or a column reference in function's clothing.
type call struct {
	names    []string
	args     []query.Expr
	fn       *pg.FuncCall // nil for column notation
	lastSRF  query.Expr
	procCall bool
	loc      int

	argNames []string
	types    []pgtype.OID
	filter   query.Expr
}

func (c *call) name() string { return strings.Join(c.names, ".") }

// signature is the call as messages name it (func_signature_string).
func (s *state) signature(c *call) string {
	var b strings.Builder
	b.WriteString(c.name() + "(")
	positional := len(c.types) - len(c.argNames)
	for i, t := range c.types {
		if i > 0 {
			b.WriteString(", ")
		}
		if i >= positional {
			b.WriteString(c.argNames[i-positional] + " => ")
		}
		b.WriteString(s.format(t))
	}
	return b.String() + ")"
}

// transformFuncCall is transformFuncCall (parse_expr.c).
func (s *state) transformFuncCall(fn *pg.FuncCall) query.Expr {
	if s.cat.Major < 16 && fn.Funcformat == pg.CoercionForm_COERCE_SQL_SYNTAX && lastName(fn.Funcname) == "system_user" {
		// Before it became a keyword it was a name like any other.
		return s.columnRef(&pg.ColumnRef{Fields: []*pg.Node{pg.MakeStrNode("system_user")}, Location: fn.Location})
	}
	if s.cat.Major < 16 && lastName(fn.Funcname) == "json_object" && !strings.HasPrefix(strings.ToLower(s.text[max(fn.Location, 0):]), "pg_catalog") {
		fn = &pg.FuncCall{
			Funcname: fn.Funcname[len(fn.Funcname)-1:], Args: fn.Args, AggOrder: fn.AggOrder, AggFilter: fn.AggFilter, Over: fn.Over,
			AggStar: fn.AggStar, AggDistinct: fn.AggDistinct, FuncVariadic: fn.FuncVariadic, Funcformat: fn.Funcformat, Location: fn.Location,
		}
	}
	if e := s.jsonFunction(fn); e != nil {
		return e
	}
	last := s.lastSRF
	var args []query.Expr
	for _, n := range fn.Args {
		args = append(args, s.transform(n))
	}
	if fn.AggWithinGroup {
		for _, n := range fn.AggOrder {
			args = append(args, s.expr(n.GetSortBy().GetNode(), kindOrderBy))
		}
	}
	c := &call{names: stringsOf(fn.Funcname), args: args, fn: fn, lastSRF: last, loc: int(fn.Location)}
	return s.funcOrColumn(c)
}

// funcOrColumn resolves a call, or column notation where c.fn is nil; then it
// returns nil if there is no such column or function (ParseFuncOrColumn,
// parse_func.c).
func (s *state) funcOrColumn(c *call) query.Expr {
	isColumn := c.fn == nil
	fn := c.fn
	if isColumn {
		fn = &pg.FuncCall{}
	}
	if fn.AggFilter != nil {
		c.filter = s.where(fn.AggFilter, kindFilter, "FILTER")
	}
	if len(c.args) > maxFuncArgs {
		s.fail(errTooManyArguments, c.loc, "cannot pass more than %d arguments to a function", maxFuncArgs)
	}
	if !isColumn && !fn.AggWithinGroup {
		c.args = slices.DeleteFunc(c.args, func(e query.Expr) bool {
			_, isParam := e.(*query.Param)
			return isParam && e.ResultType() == pgtype.VoidOID
		})
	}
	c.types = typesOf(c.args)
	s.collectNames(c)
	projection := len(c.args) == 1 && !c.procCall && len(fn.AggOrder) == 0 && c.filter == nil && !fn.AggStar &&
		!fn.AggDistinct && fn.Over == nil && !fn.FuncVariadic && len(c.argNames) == 0 && len(c.names) == 1 &&
		(c.types[0] == pgtype.RecordOID || s.isComplex(c.types[0]))
	if projection && isColumn {
		if e := s.projection(c.names[0], c.args[0], c.loc); e != nil {
			return e
		}
	}
	var d resolved
	s.at(c.loc, func() {
		d = s.functionDetail(c.names, c.args, c.argNames, c.types, !fn.FuncVariadic, c.procCall, c.loc)
	})
	if d.code == detailNotFound || d.code == detailMultiple {
		if isColumn {
			return nil
		}
		if d.code == detailNotFound && projection {
			if e := s.projection(c.names[0], c.args[0], c.loc); e != nil {
				return e
			}
		}
		s.failUnresolved(c, fn, d.code)
	}
	s.checkCallForm(c, fn, d)
	if d.code == detailCoercion {
		return s.coerceType(c.args[0], c.types[0], d.target, -1, explicit, query.CoerceExplicitCall, c.loc)
	}
	if d.code == detailAggregate {
		s.checkAggregateForm(c, fn, &d)
	}
	return s.buildCall(c, fn, d)
}

func (s *state) collectNames(c *call) {
	for _, e := range c.args {
		na, ok := e.(*query.NamedArgExpr)
		if !ok {
			if len(c.argNames) > 0 {
				s.fail(errSyntax, exprLoc(e), "positional argument cannot follow named argument")
			}
			continue
		}
		if slices.Contains(c.argNames, na.Name) {
			s.fail(errSyntax, locOf(na.Loc), "argument name \"%s\" used more than once", na.Name)
		}
		c.argNames = append(c.argNames, na.Name)
	}
}

func (s *state) failUnresolved(c *call, fn *pg.FuncCall, code detail) {
	if len(c.names) == 3 && code == detailNotFound {
		s.failCrossDatabase(c.names, c.loc)
	}
	kind := "function"
	if c.procCall {
		kind = "procedure"
	}
	if code == detailMultiple {
		s.failHint(errAmbiguousFunction, c.loc,
			fmt.Sprintf("Could not choose a best candidate %s. You might need to add explicit type casts.", kind),
			"%s %s is not unique", kind, s.signature(c))
	}
	hint := fmt.Sprintf("No %s matches the given name and argument types. You might need to add explicit type casts.", kind)
	if len(fn.AggOrder) > 1 && !fn.AggWithinGroup {
		hint = "No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate."
	}
	e := s.errorAt(errUndefinedFunction, c.loc, "%s %s does not exist", kind, s.signature(c))
	e.Hint = hint
	if len(c.names) == 1 && len(s.cat.FuncsByName("", c.names[0])) == 0 {
		if near, ok := diag.DidYouMean(c.names[0], s.cat.FuncNames(len(c.args))); ok {
			e.Label = fmt.Sprintf("did you mean %q?", near)
		}
	}
	panic(e)
}

// checkCallForm refuses what only aggregates and window functions can have.
func (s *state) checkCallForm(c *call, fn *pg.FuncCall, d resolved) {
	if c.procCall && d.code != detailProcedure {
		s.failHint(errWrongObjectType, c.loc, "To call a function, use SELECT.", "%s is not a procedure", s.signature(c))
	}
	if !c.procCall && d.code == detailProcedure {
		s.failHint(errWrongObjectType, c.loc, "To call a procedure, use CALL.", "%s is a procedure", s.signature(c))
	}
	name := c.name()
	switch d.code {
	case detailNormal, detailProcedure, detailCoercion:
		refuse := func(is bool, what string) {
			if is {
				s.fail(errWrongObjectType, c.loc, "%s specified, but %s is not an aggregate function", what, name)
			}
		}
		refuse(fn.AggStar, name+"(*)")
		refuse(fn.AggDistinct, "DISTINCT")
		refuse(fn.AggWithinGroup, "WITHIN GROUP")
		refuse(len(fn.AggOrder) > 0, "ORDER BY")
		refuse(c.filter != nil, "FILTER")
		if fn.Over != nil {
			s.fail(errWrongObjectType, c.loc, "OVER specified, but %s is not a window function nor an aggregate function", name)
		}
	case detailWindow:
		if fn.Over == nil {
			s.fail(errWrongObjectType, c.loc, "window function %s requires an OVER clause", name)
		}
		if fn.AggWithinGroup {
			s.fail(errWrongObjectType, c.loc, "window function %s cannot have WITHIN GROUP", name)
		}
	}
}

// checkAggregateForm checks WITHIN GROUP against the aggregate's kind.
func (s *state) checkAggregateForm(c *call, fn *pg.FuncCall, d *resolved) {
	name, agg := c.name(), d.fn.Aggregate
	if agg == nil || agg.Kind == byte(query.AggNormal) {
		if fn.AggWithinGroup {
			s.fail(errWrongObjectType, c.loc, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
		}
		return
	}
	if !fn.AggWithinGroup {
		s.fail(errWrongObjectType, c.loc, "WITHIN GROUP is required for ordered-set aggregate %s", name)
	}
	if fn.Over != nil {
		s.fail(errFeatureNotSupported, c.loc, "OVER is not supported for ordered-set aggregate %s", name)
	}
	aggregated := len(fn.AggOrder)
	direct := len(c.args) - aggregated
	missing := func(hint string) {
		s.failHint(errUndefinedFunction, c.loc, hint, "function %s does not exist", s.signature(c))
	}
	plural := func(n int) string {
		if n == 1 {
			return ""
		}
		return "s"
	}
	wrongDirect := func() {
		missing(fmt.Sprintf("There is an ordered-set aggregate %s, but it requires %d direct argument%s, not %d.",
			name, agg.DirectArgs, plural(agg.DirectArgs), direct))
	}
	fixed := len(c.args)
	if d.variadic > 1 {
		fixed -= d.variadic - 1
	}
	hypothetical := agg.Kind == byte(query.AggHypothetical)
	switch {
	case d.fn.Variadic == 0 || agg.DirectArgs < fixed:
		if direct != agg.DirectArgs {
			wrongDirect()
		}
	case hypothetical:
		if d.variadic != 2*aggregated {
			missing(fmt.Sprintf("To use the hypothetical-set aggregate %s, the number of hypothetical direct arguments (here %d) must match the number of ordering columns (here %d).",
				name, d.variadic-aggregated, aggregated))
		}
	case d.variadic <= aggregated:
		missing(fmt.Sprintf("There is an ordered-set aggregate %s, but it requires at least %d direct argument%s.",
			name, agg.DirectArgs, plural(agg.DirectArgs)))
	}
	if hypothetical {
		s.unifyHypothetical(c, aggregated, d.declared)
	}
}

// unifyHypothetical is unify_hypothetical_args.
func (s *state) unifyHypothetical(c *call, aggregated int, declared []pgtype.OID) {
	direct := len(c.args) - aggregated
	first := direct - aggregated
	if first < 0 {
		s.fail("XX000", noLoc, "incorrect number of arguments to hypothetical-set aggregate")
	}
	for h := first; h < direct; h++ {
		g := direct + h - first
		if declared[h] != pgtype.AnyOID {
			continue
		}
		pair := []query.Expr{c.args[g], c.args[h]}
		common, _ := s.commonType(pair, "WITHIN GROUP")
		mod := commonTypmod(pair, common)
		for _, i := range []int{h, g} {
			c.args[i] = s.coerceType(c.args[i], c.types[i], common, mod, implicit, query.CoerceImplicitCast, noLoc)
			c.types[i] = common
		}
	}
}

// makeArguments coerces arguments in place (make_fn_arguments).
func (s *state) makeArguments(args []query.Expr, actual, declared []pgtype.OID) {
	for i, e := range args {
		if actual[i] == declared[i] {
			continue
		}
		if na, ok := e.(*query.NamedArgExpr); ok {
			na.Arg = s.coerceType(na.Arg, actual[i], declared[i], -1, implicit, query.CoerceImplicitCast, noLoc)
			na.Typ, na.Mod, na.Coll = na.Arg.ResultType(), na.Arg.ResultTypmod(), na.Arg.ResultCollation()
			continue
		}
		args[i] = s.coerceType(e, actual[i], declared[i], -1, implicit, query.CoerceImplicitCast, noLoc)
	}
}

// buildCall makes the node for a resolved call.
func (s *state) buildCall(c *call, fn *pg.FuncCall, d resolved) query.Expr {
	loc, f := c.loc, d.fn
	actual := append(slices.Clone(c.types), d.defaults...)
	result := s.enforceGeneric(actual, d.declared, d.result, false)
	s.refuseInternal(d.declared, result, loc)
	s.makeArguments(c.args, actual, d.declared)
	variadic := fn.FuncVariadic && f.Variadic != 0
	if d.variadic > 0 && f.Variadic != pgtype.AnyOID {
		s.collectVariadic(c, d.variadic)
		variadic = true
	}
	if len(c.args) > 0 && f.Variadic == pgtype.AnyOID && variadic && s.baseElementType(actual[len(c.types)-1]) == 0 {
		s.fail(errDatatypeMismatch, exprLoc(c.args[len(c.args)-1]), "VARIADIC argument must be an array")
	}
	if f.RetSet {
		s.checkSRFPlace(func() bool { return s.lastSRF != c.lastSRF }, loc)
	}
	header := query.Header{Typ: result, Mod: -1, Loc: s.span(loc)}
	var e query.Expr
	switch {
	case d.code == detailNormal || d.code == detailProcedure:
		x := &query.FuncExpr{Header: header, Func: f.OID, RetSet: f.RetSet, Variadic: variadic, Args: c.args}
		if fn.Funcformat == pg.CoercionForm_COERCE_SQL_SYNTAX {
			x.Form = query.CoerceSQLSyntax
		}
		e = x
	case d.code == detailAggregate && fn.Over == nil:
		e = s.buildAggregate(c, fn, d, header, variadic)
	default:
		e = s.buildWindowFunc(c, fn, d, header)
	}
	if f.RetSet {
		s.lastSRF = e
	}
	return e
}

// collectVariadic gathers the last n arguments into an array.
func (s *state) collectVariadic(c *call, n int) {
	first := len(c.args) - n
	rest := slices.Clone(c.args[first:])
	elem := rest[0].ResultType()
	arr := &query.ArrayExpr{ElementType: elem, Elements: rest}
	arr.Header = query.Header{Typ: s.arrayType(elem), Mod: sameTypmod(rest, elem), Loc: s.span(listLoc(rest))}
	if arr.Typ == 0 {
		s.fail(errUndefinedObject, listLoc(rest), "could not find array type for data type %s", s.format(elem))
	}
	c.args = append(slices.Clone(c.args[:first]), arr)
}

func (s *state) buildAggregate(c *call, fn *pg.FuncCall, d resolved, h query.Header, variadic bool) query.Expr {
	agg := &query.Aggref{
		Header: h, Func: d.fn.OID, Filter: c.filter, Star: fn.AggStar, Variadic: variadic,
		Kind: query.AggNormal, AggNo: -1, TransNo: -1,
	}
	if d.fn.Aggregate != nil {
		agg.Kind = query.AggKind(d.fn.Aggregate.Kind)
	}
	if len(c.args) > maxFuncArgs-1 {
		s.fail(errTooManyArguments, c.loc, "aggregates cannot have more than %d arguments", maxFuncArgs-1)
	}
	if len(c.args) == 0 && !fn.AggStar && !fn.AggWithinGroup {
		s.fail(errWrongObjectType, c.loc, "%s(*) must be used to call a parameterless aggregate function", c.name())
	}
	if d.fn.RetSet {
		s.fail(errInvalidFunctionDef, c.loc, "aggregates cannot return sets")
	}
	if len(c.argNames) > 0 {
		s.fail(errFeatureNotSupported, c.loc, "aggregates cannot use named arguments")
	}
	s.transformAggregate(agg, d.fn, c.args, fn.AggOrder, fn.AggDistinct)
	return agg
}

func (s *state) buildWindowFunc(c *call, fn *pg.FuncCall, d resolved, h query.Header) query.Expr {
	w := &query.WindowFunc{Header: h, Func: d.fn.OID, Args: c.args, Star: fn.AggStar, IsAgg: d.code == detailAggregate, Filter: c.filter}
	if fn.AggDistinct {
		s.fail(errFeatureNotSupported, c.loc, "DISTINCT is not implemented for window functions")
	}
	if w.IsAgg && len(c.args) == 0 && !fn.AggStar {
		s.fail(errWrongObjectType, c.loc, "%s(*) must be used to call a parameterless aggregate function", c.name())
	}
	if len(fn.AggOrder) > 0 {
		s.fail(errFeatureNotSupported, c.loc, "aggregate ORDER BY is not implemented for window functions")
	}
	if !w.IsAgg && c.filter != nil {
		s.fail(errFeatureNotSupported, c.loc, "FILTER is not implemented for non-aggregate window functions")
	}
	if s.lastSRF != c.lastSRF {
		s.failHint(errFeatureNotSupported, exprLoc(s.lastSRF), lateralHint, "window function calls cannot contain set-returning function calls")
	}
	if d.fn.RetSet {
		s.fail(errInvalidFunctionDef, c.loc, "window functions cannot return sets")
	}
	s.transformWindowCall(w, fn.Over)
	return w
}

const lateralHint = "You might be able to move the set-returning function into a LATERAL FROM item."

// projection resolves a field of a composite value, nil if it has none of the
// name (ParseComplexProjection).
func (s *state) projection(name string, arg query.Expr, loc int) query.Expr {
	v, isVar := arg.(*query.Var)
	if isVar && v.AttNo == 0 {
		return s.columnVar(s.itemAt(v.VarNo, v.LevelsUp), v.LevelsUp, name, loc)
	}
	var attrs []attr
	if isVar && v.Typ == pgtype.RecordOID {
		attrs = s.recordAttrs(v, 0)
	} else {
		_, attrs = s.resultType(arg)
	}
	for i, at := range attrs {
		if at.name == name && !at.dropped {
			return s.fieldSelect(arg, i+1, at, loc)
		}
	}
	return nil
}

func (s *state) fieldSelect(arg query.Expr, n int, at attr, loc int) query.Expr {
	f := &query.FieldSelect{Arg: arg, Field: n}
	f.Header = query.Header{Typ: at.typ, Mod: at.mod, Coll: at.coll, Loc: s.span(loc)}
	return f
}
