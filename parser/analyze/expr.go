package analyze

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// expr analyses an expression of a kind (transformExpr, parse_expr.c).
func (s *state) expr(n *pg.Node, kind exprKind) query.Expr {
	save := s.kind
	s.kind = kind
	e := s.transform(n)
	s.kind = save
	return e
}

// transform analyses an expression of the current kind (transformExprRecurse).
func (s *state) transform(n *pg.Node) query.Expr {
	if n == nil || n.Node == nil {
		return nil
	}
	switch x := n.Node.(type) {
	case *pg.Node_ColumnRef:
		return s.columnRef(x.ColumnRef)
	case *pg.Node_ParamRef:
		return s.transformParam(x.ParamRef)
	case *pg.Node_AConst:
		var c *query.Const
		s.at(int(x.AConst.Location), func() { c = s.constant(x.AConst) })
		return c
	case *pg.Node_AIndirection:
		return s.indirection(x.AIndirection.Arg, x.AIndirection.Indirection)
	case *pg.Node_AArrayExpr:
		return s.arrayExpr(x.AArrayExpr, 0, 0, -1)
	case *pg.Node_TypeCast:
		return s.typeCast(x.TypeCast)
	case *pg.Node_CollateClause:
		return s.collateClause(x.CollateClause)
	case *pg.Node_AExpr:
		return s.aExpr(x.AExpr)
	case *pg.Node_BoolExpr:
		return s.boolExpr(x.BoolExpr)
	case *pg.Node_FuncCall:
		return s.transformFuncCall(x.FuncCall)
	case *pg.Node_MultiAssignRef:
		return s.multiAssignRef(x.MultiAssignRef)
	case *pg.Node_GroupingFunc:
		return s.transformGrouping(x.GroupingFunc)
	case *pg.Node_NamedArgExpr:
		a := s.transform(x.NamedArgExpr.Arg)
		e := &query.NamedArgExpr{Arg: a, Name: x.NamedArgExpr.Name, Number: -1}
		e.Header = query.Header{Typ: a.ResultType(), Mod: a.ResultTypmod(), Coll: a.ResultCollation(), Loc: s.span(int(x.NamedArgExpr.Location))}
		return e
	case *pg.Node_SubLink:
		return s.subLink(x.SubLink)
	case *pg.Node_CaseExpr:
		return s.caseExpr(x.CaseExpr)
	case *pg.Node_RowExpr:
		return s.rowExpr(x.RowExpr, false)
	case *pg.Node_CoalesceExpr:
		return s.coalesce(x.CoalesceExpr)
	case *pg.Node_MinMaxExpr:
		return s.minMax(x.MinMaxExpr)
	case *pg.Node_SqlvalueFunction:
		return s.sqlValueFunction(x.SqlvalueFunction)
	case *pg.Node_NullTest:
		a := s.transform(x.NullTest.Arg)
		e := &query.NullTest{Arg: a, Not: x.NullTest.Nulltesttype == pg.NullTestType_IS_NOT_NULL, ArgIsRow: s.isRowType(a.ResultType())}
		e.Header = s.boolHeader(int(x.NullTest.Location))
		return e
	case *pg.Node_BooleanTest:
		return s.booleanTest(x.BooleanTest)
	case *pg.Node_CurrentOfExpr:
		e := &query.CurrentOfExpr{VarNo: s.targetItem.index, Cursor: x.CurrentOfExpr.CursorName}
		e.Header = s.boolHeader(noLoc)
		return e
	case *pg.Node_SetToDefault:
		s.fail(errSyntax, int(x.SetToDefault.Location), "DEFAULT is not allowed in this context")
	case *pg.Node_XmlExpr:
		return s.xmlExpr(x.XmlExpr)
	case *pg.Node_XmlSerialize:
		return s.xmlSerialize(x.XmlSerialize)
	}
	if e := s.jsonExpr(n); e != nil {
		return e
	}
	s.unsupported(rawLoc(n), "this kind of expression")
	return nil
}

func (s *state) boolHeader(loc int) query.Header {
	return query.Header{Typ: pgtype.BoolOID, Mod: -1, Loc: s.span(loc)}
}

func boolOp(op query.BoolExprType, h query.Header, args ...query.Expr) *query.BoolExpr {
	return &query.BoolExpr{Header: h, Op: op, Args: args}
}

func (s *state) boolExpr(n *pg.BoolExpr) query.Expr {
	op, name := query.AndExpr, "AND"
	switch n.Boolop {
	case pg.BoolExprType_OR_EXPR:
		op, name = query.OrExpr, "OR"
	case pg.BoolExprType_NOT_EXPR:
		op, name = query.NotExpr, "NOT"
	}
	var args []query.Expr
	for _, a := range n.Args {
		args = append(args, s.coerceToBoolean(s.transform(a), name))
	}
	return boolOp(op, s.boolHeader(int(n.Location)), args...)
}

func (s *state) booleanTest(n *pg.BooleanTest) query.Expr {
	kind, name := query.IsTrue, "IS TRUE"
	switch n.Booltesttype {
	case pg.BoolTestType_IS_NOT_TRUE:
		kind, name = query.IsNotTrue, "IS NOT TRUE"
	case pg.BoolTestType_IS_FALSE:
		kind, name = query.IsFalse, "IS FALSE"
	case pg.BoolTestType_IS_NOT_FALSE:
		kind, name = query.IsNotFalse, "IS NOT FALSE"
	case pg.BoolTestType_IS_UNKNOWN:
		kind, name = query.IsUnknown, "IS UNKNOWN"
	case pg.BoolTestType_IS_NOT_UNKNOWN:
		kind, name = query.IsNotUnknown, "IS NOT UNKNOWN"
	}
	e := &query.BooleanTest{Arg: s.coerceToBoolean(s.transform(n.Arg), name), Kind: kind}
	e.Header = s.boolHeader(int(n.Location))
	return e
}

func (s *state) noSRF(last query.Expr, construct string) {
	if s.lastSRF != last {
		s.failHint(errFeatureNotSupported, exprLoc(s.lastSRF), lateralHint, "set-returning functions are not allowed in %s", construct)
	}
}

// caseExpr is transformCaseExpr.
func (s *state) caseExpr(n *pg.CaseExpr) query.Expr {
	last := s.lastSRF
	c := &query.CaseExpr{}
	var test *query.CaseTestExpr
	if n.Arg != nil {
		a := s.transform(n.Arg)
		if a.ResultType() == pgtype.UnknownOID {
			a = s.coerceToCommon(a, pgtype.TextOID, "CASE")
		}
		s.assignCollations(a)
		test = &query.CaseTestExpr{}
		test.Typ, test.Mod, test.Coll = a.ResultType(), a.ResultTypmod(), a.ResultCollation()
		c.Arg = a
	}
	results := []query.Expr{nil}
	for _, wn := range n.Args {
		w := wn.GetCaseWhen()
		cond := s.transform(w.Expr)
		if test != nil {
			t := *test
			cond = s.makeOp([]string{"="}, &t, cond, s.lastSRF, int(w.Location))
		}
		cond = s.coerceToBoolean(cond, "CASE/WHEN")
		r := s.transform(w.Result)
		c.Whens = append(c.Whens, &query.CaseWhen{Cond: cond, Result: r, Loc: s.span(int(w.Location))})
		results = append(results, r)
	}
	if results[0] = s.transform(n.Defresult); results[0] == nil {
		results[0] = s.nullConst(pgtype.UnknownOID)
	}
	t, _ := s.commonType(results, "CASE")
	c.Default = s.coerceToCommon(results[0], t, "CASE/ELSE")
	final := []query.Expr{c.Default}
	for _, w := range c.Whens {
		w.Result = s.coerceToCommon(w.Result, t, "CASE/WHEN")
		final = append(final, w.Result)
	}
	s.noSRF(last, "CASE")
	c.Header = query.Header{Typ: t, Mod: sameTypmod(final, t), Loc: s.span(int(n.Location))}
	return c
}

func (s *state) coalesce(n *pg.CoalesceExpr) query.Expr {
	last := s.lastSRF
	args := s.transformAll(n.Args)
	t, _ := s.commonType(args, "COALESCE")
	s.coerceAllToCommon(args, t, "COALESCE")
	s.noSRF(last, "COALESCE")
	e := &query.CoalesceExpr{Args: args}
	e.Header = query.Header{Typ: t, Mod: sameTypmod(args, t), Loc: s.span(int(n.Location))}
	return e
}

func (s *state) minMax(n *pg.MinMaxExpr) query.Expr {
	name, least := "GREATEST", false
	if n.Op == pg.MinMaxOp_IS_LEAST {
		name, least = "LEAST", true
	}
	args := s.transformAll(n.Args)
	t, _ := s.commonType(args, name)
	s.coerceAllToCommon(args, t, name)
	e := &query.MinMaxExpr{Args: args, Least: least}
	e.Header = query.Header{Typ: t, Mod: sameTypmod(args, t), Loc: s.span(int(n.Location))}
	return e
}

func (s *state) transformAll(list []*pg.Node) []query.Expr {
	out := make([]query.Expr, 0, len(list))
	for _, n := range list {
		out = append(out, s.transform(n))
	}
	return out
}

// rowExpr is transformRowExpr.
func (s *state) rowExpr(n *pg.RowExpr, allowDefault bool) *query.RowExpr {
	r := &query.RowExpr{Args: s.exprList(n.Args, s.kind, allowDefault), Form: query.CoerceImplicitCast}
	if len(r.Args) > maxTupleAttrs {
		s.fail(errTooManyColumns, int(n.Location), "ROW expressions can have at most %d entries", maxTupleAttrs)
	}
	for i := range r.Args {
		r.ColNames = append(r.ColNames, "f"+itoa(i+1))
	}
	if n.RowFormat == pg.CoercionForm_COERCE_EXPLICIT_CALL {
		r.Form = query.CoerceExplicitCall
	}
	r.Header = query.Header{Typ: pgtype.RecordOID, Mod: -1, Loc: s.span(int(n.Location))}
	return r
}

// arrayExpr is transformArrayExpr; the types are 0 where no cast fixes them.
func (s *state) arrayExpr(n *pg.A_ArrayExpr, arrayType, elemType pgtype.OID, mod pgtype.Typmod) query.Expr {
	loc := int(n.Location)
	a := &query.ArrayExpr{}
	var elems []query.Expr
	for _, en := range n.Elements {
		var e query.Expr
		if inner := en.GetAArrayExpr(); inner != nil {
			e = s.arrayExpr(inner, arrayType, elemType, mod)
			a.Multidims = true
		} else {
			e = s.transform(en)
			if t := e.ResultType(); t != pgtype.Int2vectorOID && t != pgtype.OidvectorOID && s.elementType(t) != 0 {
				a.Multidims = true
			}
		}
		elems = append(elems, e)
	}
	hard := arrayType != 0
	target := elemType
	if hard && a.Multidims {
		target = arrayType
	}
	if !hard {
		if len(elems) == 0 {
			s.failHint(errIndeterminateType, loc, "Explicitly cast to the desired type, for example ARRAY[]::integer[].", "cannot determine type of empty array")
		}
		target, _ = s.commonType(elems, "ARRAY")
		if a.Multidims {
			arrayType = target
			if elemType = s.elementType(arrayType); elemType == 0 {
				s.fail(errUndefinedObject, loc, "could not find element type for data type %s", s.format(arrayType))
			}
		} else {
			elemType = target
			if arrayType = s.arrayType(elemType); arrayType == 0 {
				s.fail(errUndefinedObject, loc, "could not find array type for data type %s", s.format(elemType))
			}
		}
	}
	for _, e := range elems {
		if !hard {
			a.Elements = append(a.Elements, s.coerceToCommon(e, target, "ARRAY"))
			continue
		}
		c := s.coerceToTarget(e, target, mod, explicit, query.CoerceExplicitCast, noLoc)
		if c == nil {
			s.fail(errCannotCoerce, exprLoc(e), "cannot cast type %s to %s", s.format(e.ResultType()), s.format(target))
		}
		a.Elements = append(a.Elements, c)
	}
	a.ElementType = elemType
	common := elemType
	if a.Multidims {
		common = arrayType
	}
	a.Header = query.Header{Typ: arrayType, Mod: sameTypmod(a.Elements, common), Loc: s.span(loc)}
	return a
}

// typeCast is transformTypeCast.
func (s *state) typeCast(n *pg.TypeCast) query.Expr {
	target, mod := s.typeName(n.TypeName)
	var e query.Expr
	if arr := n.Arg.GetAArrayExpr(); arr != nil {
		base, baseMod := s.cat.BaseTypeAndTypmod(target, mod)
		if elem := s.elementType(base); elem != 0 {
			e = s.arrayExpr(arr, base, elem, baseMod)
		}
	}
	if e == nil {
		e = s.transform(n.Arg)
	}
	loc := int(n.Location)
	if loc < 0 {
		loc = int(n.TypeName.Location)
	}
	r := s.coerceToTarget(e, target, mod, explicit, query.CoerceExplicitCast, loc)
	if r == nil {
		at := loc
		if at < 0 {
			at = exprLoc(e)
		}
		s.fail(errCannotCoerce, at, "cannot cast type %s to %s", s.format(e.ResultType()), s.format(target))
	}
	return r
}

func (s *state) collateClause(n *pg.CollateClause) query.Expr {
	loc := int(n.Location)
	a := s.transform(n.Arg)
	if t := a.ResultType(); s.typeCollation(t) == 0 && t != pgtype.UnknownOID {
		s.fail(errDatatypeMismatch, loc, "collations are not supported by type %s", s.format(t))
	}
	e := &query.CollateExpr{Arg: a}
	e.Header = query.Header{Typ: a.ResultType(), Mod: a.ResultTypmod(), Coll: s.collation(stringsOf(n.Collname), loc), Loc: s.span(loc)}
	return e
}

// sqlValueFunction is transformSQLValueFunction.
func (s *state) sqlValueFunction(n *pg.SQLValueFunction) query.Expr {
	name, t := sqlValue(n.Op)
	e := &query.SQLValueFunction{Name: name}
	e.Header = query.Header{Typ: t, Mod: -1, Loc: s.span(int(n.Location))}
	if strings.HasSuffix(n.Op.String(), "_N") {
		e.Mod = pgtype.Typmod(min(n.Typmod, 6))
	}
	if t == pgtype.NameOID {
		e.Coll = pgtype.CCollation
	}
	return e
}

// sqlValue is the keyword and type of a value function.
func sqlValue(op pg.SQLValueFunctionOp) (string, pgtype.OID) {
	switch op {
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return "current_date", pgtype.DateOID
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME, pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return "current_time", pgtype.TimetzOID
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP, pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		return "current_timestamp", pgtype.TimestamptzOID
	case pg.SQLValueFunctionOp_SVFOP_LOCALTIME, pg.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return "localtime", pgtype.TimeOID
	case pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP, pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return "localtimestamp", pgtype.TimestampOID
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:
		return "current_role", pgtype.NameOID
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_USER:
		return "current_user", pgtype.NameOID
	case pg.SQLValueFunctionOp_SVFOP_USER:
		return "user", pgtype.NameOID
	case pg.SQLValueFunctionOp_SVFOP_SESSION_USER:
		return "session_user", pgtype.NameOID
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:
		return "current_catalog", pgtype.NameOID
	}
	return "current_schema", pgtype.NameOID
}
