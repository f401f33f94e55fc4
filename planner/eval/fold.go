package eval

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// Fold simplifies an expression as the server does before planning
// (eval_const_expressions, clauses.c): known parameters become constants,
// immutable functions of constants are evaluated, named and default arguments
// are put in place, NOT is pushed down, AND and OR are flattened. A nil e gives
// nil. An immutable call of constants that cannot be evaluated here stays, and
// makes the plan approximate.
func Fold(g *rel.Global, e query.Expr) query.Expr {
	if e == nil {
		return nil
	}
	f := &folder{g: g, cat: g.Catalog}
	return f.fold(e)
}

// FoldList folds each member.
func FoldList(g *rel.Global, list []query.Expr) []query.Expr {
	out := make([]query.Expr, len(list))
	for i, e := range list {
		out[i] = Fold(g, e)
	}
	return out
}

// Estimate guesses the value of an expression for selectivity
// (estimate_expression_value, clauses.c): as [Fold], and stable functions are
// evaluated with the time of collection as now(), a PlaceHolderVar stands for
// what is in it, a domain's constraints are not checked.
func Estimate(g *rel.Global, e query.Expr) query.Expr {
	if e == nil {
		return nil
	}
	f := &folder{g: g, cat: g.Catalog, estimate: true}
	return f.fold(e)
}

// folder is the state of one simplification (eval_const_expressions_context).
type folder struct {
	g        *rel.Global
	cat      *catalog.Catalog
	estimate bool
	// caseVal is the constant that CaseTestExpr stands for, nil for none.
	caseVal *query.Const
	env     *pgtype.Env
	// inlining are the SQL functions being put in place of their calls.
	inlining []pgtype.OID
}

// safe reports whether a function may be evaluated now (ece_function_is_safe).
func (f *folder) safe(oid pgtype.OID) bool {
	v := volatility(f.cat, oid)
	return v == 'i' || f.estimate && v == 's'
}

// unevaluated notes that the server knows a value that is not known here.
func (f *folder) unevaluated(what string) {
	f.g.Approximate(what + " is not evaluated at plan time")
}

// null makes a NULL of a type (makeNullConst, makefuncs.c).
func (f *folder) null(h query.Header) *query.Const {
	c := &query.Const{Header: query.Header{Typ: h.Typ, Mod: h.Mod, Coll: h.Coll}, Null: true}
	if t := f.cat.Type(h.Typ); t != nil {
		c.Len, c.ByVal = t.Len, t.ByVal
	}
	return c
}

// list folds each member and reports whether any changed.
func (f *folder) list(in []query.Expr) []query.Expr {
	out := make([]query.Expr, len(in))
	for i, e := range in {
		out[i] = f.fold(e)
	}
	return out
}

func (f *folder) fold(e query.Expr) query.Expr {
	switch n := e.(type) {
	case nil:
		return nil
	case *query.Const:
		return f.canonical(n)
	case *query.Var, *query.SubPlan, *query.AlternativeSubPlan, *query.SetToDefault, *query.CurrentOfExpr:
		return e
	case *query.Param:
		return f.param(n)
	case *query.WindowFunc:
		return f.windowFunc(n)
	case *query.FuncExpr:
		return f.funcExpr(n)
	case *query.OpExpr:
		return f.opExpr(n)
	case *query.DistinctExpr:
		return f.distinct(n)
	case *query.NullIfExpr:
		return f.nullIf(n)
	case *query.ScalarArrayOpExpr:
		return f.saop(n)
	case *query.BoolExpr:
		return f.boolExpr(n)
	case *query.RelabelType:
		return f.relabel(f.fold(n.Arg), n.Header, n.Form)
	case *query.CollateExpr:
		arg := f.fold(n.Arg)
		h := query.Header{Typ: arg.ResultType(), Mod: arg.ResultTypmod(), Coll: n.Coll, Loc: n.Loc}
		return f.relabel(arg, h, query.CoerceImplicitCast)
	case *query.CoerceViaIO:
		return f.coerceViaIO(n)
	case *query.ArrayCoerceExpr:
		return f.arrayCoerce(n)
	case *query.CaseExpr:
		return f.caseExpr(n)
	case *query.CaseTestExpr:
		if f.caseVal != nil {
			return f.caseVal
		}
		return e
	case *query.CoalesceExpr:
		return f.coalesce(n)
	case *query.SQLValueFunction:
		if f.estimate {
			return f.sqlValue(n)
		}
		return e
	case *query.FieldSelect:
		return f.fieldSelect(n)
	case *query.NullTest:
		return f.nullTest(n)
	case *query.BooleanTest:
		return f.booleanTest(n)
	case *query.CoerceToDomain:
		arg := f.fold(n.Arg)
		if f.estimate || !domainConstrained(f.cat, n.Typ) {
			return f.relabel(arg, n.Header, n.Form)
		}
		c := *n
		c.Arg = arg
		return &c
	case *query.PlaceHolderVar:
		if f.estimate {
			return f.fold(n.Arg)
		}
	case *query.ConvertRowtypeExpr:
		return f.convertRowtype(n)
	case *query.SubscriptingRef, *query.ArrayExpr, *query.RowExpr, *query.MinMaxExpr:
		g := f.generic(e)
		if allConst(query.Children(g)) {
			return f.container(g)
		}
		return g
	}
	return f.generic(e)
}

// generic folds the children of a node that is not itself simplified.
func (f *folder) generic(e query.Expr) query.Expr {
	first := true
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		if first {
			first = false
			return nil, false
		}
		return f.fold(x), true
	})
}

func allConst(list []query.Expr) bool {
	for _, e := range list {
		if _, ok := e.(*query.Const); !ok {
			return false
		}
	}
	return true
}

func (f *folder) param(n *query.Param) query.Expr {
	if n.Kind != query.ParamExtern || f.g.Params == nil {
		return n
	}
	v := f.g.Params[n.Number]
	if v == nil || v.Typ != n.Typ {
		return n
	}
	c := *v
	c.Header = n.Header
	return &c
}

func (f *folder) windowFunc(n *query.WindowFunc) query.Expr {
	c := *n
	c.Args = f.list(f.expandArgs(n.Func, n.Args))
	if n.Filter != nil {
		c.Filter = f.fold(n.Filter)
	}
	return &c
}

// relabel is [ApplyRelabel] that keeps form and place of the cast.
func (f *folder) relabel(arg query.Expr, h query.Header, form query.CoercionForm) query.Expr {
	arg = StripRelabel(arg)
	if c, ok := arg.(*query.Const); ok {
		d := *c
		d.Header = query.Header{Typ: h.Typ, Mod: h.Mod, Coll: h.Coll, Loc: c.Loc}
		return &d
	}
	if arg.ResultType() == h.Typ && arg.ResultTypmod() == h.Mod && arg.ResultCollation() == h.Coll {
		return arg
	}
	return &query.RelabelType{Header: h, Arg: arg, Form: form}
}

func (f *folder) caseExpr(n *query.CaseExpr) query.Expr {
	var arg query.Expr
	if n.Arg != nil {
		arg = f.fold(n.Arg)
	}
	save := f.caseVal
	f.caseVal = nil
	if c, ok := arg.(*query.Const); ok {
		f.caseVal, arg = c, nil
	}
	defer func() { f.caseVal = save }()
	var whens []*query.CaseWhen
	var def query.Expr
	always := false
	for _, w := range n.Whens {
		cond := f.fold(w.Cond)
		if c, ok := cond.(*query.Const); ok {
			if c.Null || c.Value != "t" {
				continue
			}
			always = true
		}
		result := f.fold(w.Result)
		if always {
			def = result
			break
		}
		whens = append(whens, &query.CaseWhen{Cond: cond, Result: result, Loc: w.Loc})
	}
	if !always {
		if n.Default != nil {
			def = f.fold(n.Default)
		} else {
			def = f.null(n.Header)
		}
	}
	if len(whens) == 0 {
		return def
	}
	return &query.CaseExpr{Header: n.Header, Arg: arg, Whens: whens, Default: def}
}

func (f *folder) coalesce(n *query.CoalesceExpr) query.Expr {
	var args []query.Expr
	for _, a := range n.Args {
		e := f.fold(a)
		if c, ok := e.(*query.Const); ok {
			if c.Null {
				continue
			}
			if len(args) == 0 {
				return e
			}
			args = append(args, e)
			break
		}
		args = append(args, e)
	}
	if len(args) == 0 {
		return f.null(query.Header{Typ: n.Typ, Mod: -1, Coll: n.Coll})
	}
	c := *n
	c.Args = args
	return &c
}

func (f *folder) fieldSelect(n *query.FieldSelect) query.Expr {
	arg := f.fold(n.Arg)
	switch a := arg.(type) {
	case *query.Var:
		if a.AttNo == 0 && a.LevelsUp == 0 && f.rowField(a.Typ, n) {
			return &query.Var{Header: n.Header, VarNo: a.VarNo, AttNo: n.Field, NullingRels: a.NullingRels, SynNo: a.SynNo, SynAttNo: n.Field}
		}
	case *query.RowExpr:
		if n.Field > 0 && n.Field <= len(a.Args) {
			x := a.Args[n.Field-1]
			if f.rowField(a.Typ, n) && x.ResultType() == n.Typ && x.ResultTypmod() == n.Mod && x.ResultCollation() == n.Coll {
				return x
			}
		}
	case *query.Const:
		if a.Null {
			return f.null(n.Header)
		}
		f.unevaluated("a field of a constant row")
	}
	c := *n
	c.Arg = arg
	return &c
}

// rowField reports whether a field of a row type is still what the expression
// says it is (rowtype_field_matches, clauses.c).
func (f *folder) rowField(row pgtype.OID, n *query.FieldSelect) bool {
	if row == pgtype.RecordOID {
		return true
	}
	t := f.cat.Type(row)
	if t == nil {
		return false
	}
	table := f.cat.Table(t.Relation)
	if table == nil {
		return false
	}
	col := table.Attr(n.Field)
	return col != nil && col.Type == n.Typ && col.Typmod == n.Mod && col.Collation == n.Coll
}

func (f *folder) convertRowtype(n *query.ConvertRowtypeExpr) query.Expr {
	c := *n
	c.Arg = f.fold(n.Arg)
	if inner, ok := c.Arg.(*query.ConvertRowtypeExpr); ok {
		c.Arg = inner.Arg
		if c.Form == query.CoerceImplicitCast {
			c.Form = inner.Form
		}
	}
	if IsNullConst(c.Arg) {
		return f.null(n.Header)
	}
	if _, ok := c.Arg.(*query.Const); ok {
		f.unevaluated("a conversion between row types")
	}
	return &c
}

func (f *folder) nullTest(n *query.NullTest) query.Expr {
	arg := f.fold(n.Arg)
	if row, ok := arg.(*query.RowExpr); ok && n.ArgIsRow {
		var tests []query.Expr
		for _, a := range row.Args {
			if c, ok := a.(*query.Const); ok {
				if c.Null == n.Not {
					return BoolConst(false)
				}
				continue
			}
			tests = append(tests, &query.NullTest{Header: n.Header, Arg: a, Not: n.Not})
		}
		return MakeAnd(tests)
	}
	if c, ok := arg.(*query.Const); ok && !n.ArgIsRow {
		return BoolConst(c.Null != n.Not)
	}
	c := *n
	c.Arg = arg
	return &c
}

func (f *folder) booleanTest(n *query.BooleanTest) query.Expr {
	arg := f.fold(n.Arg)
	if c, ok := arg.(*query.Const); ok {
		v := !c.Null && c.Value == "t"
		var r bool
		switch n.Kind {
		case query.IsTrue:
			r = v
		case query.IsNotTrue:
			r = !v
		case query.IsFalse:
			r = !c.Null && !v
		case query.IsNotFalse:
			r = c.Null || v
		case query.IsUnknown:
			r = c.Null
		case query.IsNotUnknown:
			r = !c.Null
		}
		return BoolConst(r)
	}
	c := *n
	c.Arg = arg
	return &c
}

// domainConstrained reports whether a domain, or one it is over, has a NOT NULL
// or CHECK (DomainHasConstraints, typcache.c).
func domainConstrained(cat *catalog.Catalog, oid pgtype.OID) bool {
	for t := cat.Type(oid); t != nil && t.Kind == 'd'; t = cat.Type(t.Base) {
		if t.NotNull || len(t.Checks) > 0 {
			return true
		}
	}
	return false
}

// expandArgs puts named arguments in their places and adds the defaults
// (expand_function_arguments, clauses.c). Arguments that cannot be completed
// are returned as they are, and make the plan approximate.
func (f *folder) expandArgs(oid pgtype.OID, args []query.Expr) []query.Expr {
	fn := f.cat.Func(oid)
	if fn == nil {
		return args
	}
	named := false
	for _, a := range args {
		if _, ok := a.(*query.NamedArgExpr); ok {
			named = true
		}
	}
	n := len(fn.Args)
	if !named && len(args) >= n {
		return args
	}
	slots := make([]query.Expr, max(n, len(args)))
	for i, a := range args {
		at := i
		if na, ok := a.(*query.NamedArgExpr); ok {
			at, a = na.Number, na.Arg
		}
		if at < 0 || at >= len(slots) {
			return args
		}
		slots[at] = a
	}
	for i, s := range slots {
		if s != nil {
			continue
		}
		d := f.defaultArg(fn, i)
		if d == nil {
			f.unevaluated("a default argument of " + fn.Name)
			return args
		}
		slots[i] = d
	}
	return slots
}

func (f *folder) defaultArg(fn *catalog.Func, i int) query.Expr {
	at := i - (len(fn.Args) - fn.Defaults)
	if at < 0 {
		return nil
	}
	if at < len(fn.DefaultExprs) {
		return fn.DefaultExprs[at]
	}
	if at < len(fn.DefaultTexts) {
		return f.literal(fn.DefaultTexts[at], fn.Args[i])
	}
	return nil
}

// literal reads the few forms in which the defaults of built-in functions are
// written: numbers, TRUE, FALSE, NULL and quoted strings, with or without a
// cast.
func (f *folder) literal(text string, typ pgtype.OID) query.Expr {
	h := query.Header{Typ: typ, Mod: -1}
	t := f.cat.Type(typ)
	if t == nil {
		return nil
	}
	h.Coll = t.Collation
	body, _, _ := strings.Cut(text, "::")
	c := &query.Const{Header: h, Len: t.Len, ByVal: t.ByVal}
	switch {
	case strings.EqualFold(body, "null"):
		c.Null = true
	case typ == pgtype.BoolOID && (body == "true" || body == "false"):
		c.Value = body[:1]
	case len(body) >= 2 && body[0] == '\'' && body[len(body)-1] == '\'':
		c.Value = strings.ReplaceAll(body[1:len(body)-1], "''", "'")
	case body != "" && strings.Trim(body, "0123456789.-") == "":
		c.Value = strings.Trim(body, "()")
	default:
		return nil
	}
	if r := f.parse(c.Value, h); r != nil && !c.Null {
		return r
	}
	return c
}
