package eval

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// call is one call to evaluate.
type call struct {
	f      *folder
	fn     *catalog.Func
	args   []pgtype.Datum
	result query.Header
	input  pgtype.OID // input collation
	types  []pgtype.OID
	// loose: text whose order is not known is compared by its bytes.
	loose bool
}

// simplified is what a call came to: a new expression, or nil with the folded
// arguments (simplify_function, clauses.c).
func (f *folder) simplify(oid pgtype.OID, result query.Header, input pgtype.OID, args []query.Expr, nonConst bool) (query.Expr, []query.Expr) {
	fn := f.cat.Func(oid)
	if fn == nil {
		return nil, f.list(args)
	}
	args = f.list(f.expandArgs(oid, args))
	if r := f.evaluate(fn, result, input, args); r != nil {
		return r, args
	}
	if !nonConst {
		return nil, args
	}
	if fn.Support != "" && !allConst(args) {
		if r := f.support(fn, result, args); r != nil {
			return r, args
		}
	}
	return f.inline(fn, result, args), args
}

// evaluate computes a call of constants (evaluate_function, clauses.c); nil
// where it stays a call.
func (f *folder) evaluate(fn *catalog.Func, result query.Header, input pgtype.OID, args []query.Expr) query.Expr {
	if !isOrdinary(fn) {
		return nil
	}
	null, constant := false, true
	for _, a := range args {
		c, ok := a.(*query.Const)
		constant = constant && ok
		null = null || ok && c.Null
	}
	if fn.Strict && null {
		return f.null(result)
	}
	if !constant || !f.safe(fn.OID) {
		return nil
	}
	if r := f.run(fn, result, input, args); r != nil {
		return r
	}
	if fn.Language == "sql" && fn.Schema == "pg_catalog" {
		return nil // inlined, and evaluated then
	}
	f.unevaluated(fn.Name + "(…)")
	return nil
}

// run calls the implementation of a function; nil where there is none or it
// fails.
func (f *folder) run(fn *catalog.Func, result query.Header, input pgtype.OID, args []query.Expr) *query.Const {
	if fn.Schema != "pg_catalog" || fn.Language != "internal" {
		return nil
	}
	im := f.implementation(fn)
	if im == nil {
		return nil
	}
	c := &call{f: f, fn: fn, result: result, input: input, args: make([]pgtype.Datum, len(args)), types: make([]pgtype.OID, len(args))}
	for i, a := range args {
		d, ok := f.datum(a.(*query.Const))
		if !ok {
			return nil
		}
		c.args[i], c.types[i] = d, a.ResultType()
	}
	v, ok := im(c)
	if !ok {
		return nil
	}
	return f.constant(v, result)
}

func (f *folder) funcExpr(n *query.FuncExpr) query.Expr {
	if n.Mod == pgtype.UnknownTypmod {
		f.unevaluated("the modifier of " + f.cat.BaseTypeName(n.Typ))
	}
	r, args := f.simplify(n.Func, n.Header, n.InputColl, n.Args, true)
	if r != nil {
		return r
	}
	c := *n
	c.Args = args
	return &c
}

func (f *folder) opExpr(n *query.OpExpr) query.Expr {
	h := n.Header
	h.Mod = -1
	fn := opFunc(f.cat, n)
	r, args := f.simplify(fn, h, n.InputColl, n.Args, true)
	if r != nil {
		return r
	}
	if n.Op == booleanEqual || n.Op == booleanNotEqual {
		if e := f.booleanEquality(n.Op, args); e != nil {
			return e
		}
	}
	c := *n
	c.Func, c.Args = fn, args
	return &c
}

func (f *folder) distinct(n *query.DistinctExpr) query.Expr {
	args := f.list(n.Args)
	anyNull, allNull, constant := false, true, true
	for _, a := range args {
		c, ok := a.(*query.Const)
		constant = constant && ok
		if ok {
			anyNull = anyNull || c.Null
			allNull = allNull && c.Null
		}
	}
	if constant {
		if allNull {
			return BoolConst(false)
		}
		if anyNull {
			return BoolConst(true)
		}
		if fn := f.cat.Func(opFunc(f.cat, &n.OpExpr)); fn != nil {
			if c, ok := f.evaluate(fn, n.Header, n.InputColl, args).(*query.Const); ok && !c.Null {
				return BoolConst(c.Value != "t")
			}
		}
	}
	c := *n
	c.Func, c.Args = opFunc(f.cat, &n.OpExpr), args
	return &c
}

func (f *folder) nullIf(n *query.NullIfExpr) query.Expr {
	args := f.list(n.Args)
	constant := true
	for _, a := range args {
		c, ok := a.(*query.Const)
		constant = constant && ok
		if ok && c.Null {
			return args[0]
		}
	}
	fn := f.cat.Func(opFunc(f.cat, &n.OpExpr))
	if constant && fn != nil && f.safe(fn.OID) {
		bool16 := query.Header{Typ: pgtype.BoolOID, Mod: -1}
		if c, ok := f.evaluate(fn, bool16, n.InputColl, args).(*query.Const); ok {
			if !c.Null && c.Value == "t" {
				return f.null(n.Header)
			}
			return args[0]
		}
	}
	c := *n
	c.Func, c.Args = opFunc(f.cat, &n.OpExpr), args
	return &c
}

func (f *folder) saop(n *query.ScalarArrayOpExpr) query.Expr {
	c := *n
	c.Func = saopFunc(f.cat, n)
	c.Args = [2]query.Expr{f.fold(n.Args[0]), f.fold(n.Args[1])}
	if !allConst(c.Args[:]) || !f.safe(c.Func) {
		return &c
	}
	if r := f.runSAOP(&c); r != nil {
		return r
	}
	f.unevaluated("a comparison with the elements of an array")
	return &c
}

// runSAOP evaluates op ANY or ALL of constants (ExecEvalScalarArrayOp,
// execExprInterp.c).
func (f *folder) runSAOP(n *query.ScalarArrayOpExpr) query.Expr {
	left, array := n.Args[0].(*query.Const), n.Args[1].(*query.Const)
	if array.Null {
		return NullBool()
	}
	elems, ok := f.elements(array)
	fn := f.cat.Func(n.Func)
	if !ok || fn == nil {
		return nil
	}
	if len(elems) == 0 {
		return BoolConst(!n.UseOr)
	}
	if left.Null && fn.Strict {
		return NullBool()
	}
	sawNull := false
	for _, e := range elems {
		r := f.evaluateQuiet(fn, n.InputColl, left, e)
		if r == nil {
			return nil
		}
		switch {
		case r.Null:
			sawNull = true
		case (r.Value == "t") == n.UseOr:
			return BoolConst(n.UseOr)
		}
	}
	if sawNull {
		return NullBool()
	}
	return BoolConst(!n.UseOr)
}

// evaluateQuiet computes a boolean call of two constants, nil where it cannot.
func (f *folder) evaluateQuiet(fn *catalog.Func, input pgtype.OID, a, b *query.Const) *query.Const {
	if fn.Strict && (a.Null || b.Null) {
		return NullBool()
	}
	return f.run(fn, query.Header{Typ: pgtype.BoolOID, Mod: -1}, input, []query.Expr{a, b})
}

func (f *folder) coerceViaIO(n *query.CoerceViaIO) query.Expr {
	c := *n
	c.Arg = f.fold(n.Arg)
	arg, ok := c.Arg.(*query.Const)
	if !ok {
		return &c
	}
	from, to := f.cat.Type(arg.Typ), f.cat.Type(n.Typ)
	if from == nil || to == nil {
		return &c
	}
	if arg.Null {
		if Strict(f.cat, from.Output) && Strict(f.cat, to.Input) {
			return f.null(query.Header{Typ: n.Typ, Mod: -1, Coll: n.Coll})
		}
		return &c
	}
	if !f.safe(from.Output) {
		return &c
	}
	if !f.safe(to.Input) {
		// The server has run the output function already.
		c.Arg = &query.Const{Header: query.Header{Typ: pgtype.CstringOID, Mod: -1, Loc: arg.Loc}, Value: arg.Value, Len: -2}
		return &c
	}
	if r := f.parse(arg.Value, query.Header{Typ: n.Typ, Mod: -1, Coll: n.Coll}); r != nil {
		return r
	}
	f.unevaluated("a cast to " + to.Name)
	return &c
}

func (f *folder) arrayCoerce(n *query.ArrayCoerceExpr) query.Expr {
	c := *n
	c.Arg = f.fold(n.Arg)
	save := f.caseVal
	f.caseVal = nil
	c.Elem = f.fold(n.Elem)
	f.caseVal = save
	arg, ok := c.Arg.(*query.Const)
	if !ok {
		return &c
	}
	if _, dom := c.Elem.(*query.CoerceToDomain); dom || ContainMutable(f.cat, c.Elem) {
		return &c
	}
	if arg.Null {
		return f.null(n.Header)
	}
	if r := f.coerceElements(&c, arg); r != nil {
		return r
	}
	f.unevaluated("a cast of an array")
	return &c
}

func (f *folder) coerceElements(n *query.ArrayCoerceExpr, arg *query.Const) query.Expr {
	v, ok := f.datum(arg)
	to := f.cat.Type(n.Typ)
	if !ok || to == nil || v.Desc() == nil || v.Desc().Elem == nil {
		return nil
	}
	elems, ok := f.elements(arg)
	if !ok {
		return nil
	}
	texts := make([]*string, len(elems))
	for i, e := range elems {
		save := f.caseVal
		f.caseVal = e
		r := f.fold(n.Elem)
		f.caseVal = save
		c, ok := r.(*query.Const)
		if !ok {
			return nil
		}
		if !c.Null {
			texts[i] = &c.Value
		}
	}
	if dims := v.Dims(); len(dims) > 1 || len(dims) == 1 && dims[0].Lower != 1 {
		return nil
	}
	return f.parse(arrayText(texts), n.Header)
}

// container evaluates ARRAY[…], ROW(…), GREATEST, LEAST and subscripts over
// constants.
func (f *folder) container(e query.Expr) query.Expr {
	switch n := e.(type) {
	case *query.ArrayExpr:
		if r := f.arrayConst(n); r != nil {
			return r
		}
		f.unevaluated("an array of constants")
	case *query.RowExpr:
		return f.rowConst(n)
	case *query.MinMaxExpr:
		if r := f.minMax(n); r != nil {
			return r
		}
		f.unevaluated("GREATEST or LEAST")
	case *query.SubscriptingRef:
		if r := f.subscript(n); r != nil {
			return r
		}
		f.unevaluated("a subscript of a constant")
	}
	return e
}

func (f *folder) arrayConst(n *query.ArrayExpr) query.Expr {
	texts := make([]*string, len(n.Elements))
	for i, e := range n.Elements {
		if c := e.(*query.Const); !c.Null {
			texts[i] = &c.Value
		}
	}
	if n.Multidims {
		if slices.Contains(texts, nil) || len(texts) == 0 {
			return nil
		}
		b := []byte{'{'}
		for i, t := range texts {
			if (*t) == "" || (*t)[0] != '{' || *t == "{}" {
				return nil
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, *t...)
		}
		return f.parse(string(append(b, '}')), n.Header)
	}
	return f.parse(arrayText(texts), n.Header)
}

func (f *folder) rowConst(n *query.RowExpr) query.Expr {
	b := []byte{'('}
	for i, a := range n.Args {
		if i > 0 {
			b = append(b, ',')
		}
		if c := a.(*query.Const); !c.Null {
			b = append(b, quoteField(c.Value)...)
		}
	}
	return &query.Const{Header: query.Header{Typ: n.Typ, Mod: -1, Coll: n.Coll, Loc: n.Loc}, Value: string(append(b, ')')), Len: -1}
}

func (f *folder) minMax(n *query.MinMaxExpr) query.Expr {
	var best *query.Const
	for _, a := range n.Args {
		c := a.(*query.Const)
		if c.Null {
			continue
		}
		if best == nil {
			best = c
			continue
		}
		cmp, ok := f.compare(c, best, n.InputColl)
		if !ok {
			return nil
		}
		if n.Least && cmp < 0 || !n.Least && cmp > 0 {
			best = c
		}
	}
	if best == nil {
		return f.null(n.Header)
	}
	c := *best
	c.Header = query.Header{Typ: n.Typ, Mod: n.Mod, Coll: n.Coll, Loc: best.Loc}
	return &c
}

// subscript fetches one element of a one-dimensional constant array
// (array_get_element, arrayfuncs.c).
func (f *folder) subscript(n *query.SubscriptingRef) query.Expr {
	c, ok := n.Container.(*query.Const)
	if !ok || n.Assign != nil || len(n.Lower) > 0 || len(n.Upper) != 1 || n.Upper[0] == nil {
		return nil
	}
	at, ok := n.Upper[0].(*query.Const)
	if !ok || n.ElementType == 0 || n.ElementType != n.Typ {
		return nil
	}
	if c.Null || at.Null {
		return f.null(n.Header)
	}
	v, ok := f.datum(c)
	i, ok2 := f.datum(at)
	if !ok || !ok2 || len(v.Dims()) != 1 {
		return nil
	}
	elems, ok := f.elements(c)
	if !ok {
		return nil
	}
	k := int(i.Int()) - v.Dims()[0].Lower
	if k < 0 || k >= len(elems) || elems[k].Null {
		return f.null(n.Header)
	}
	r := *elems[k]
	r.Header = query.Header{Typ: n.Typ, Mod: n.Mod, Coll: n.Coll}
	return &r
}
