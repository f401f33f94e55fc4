package deparse

import (
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// expr prints one expression as an indivisible term (get_rule_expr,
// ruleutils.c). implicit says whether an implicit cast at its top is shown.
func (p *printer) expr(e query.Expr, implicit bool) {
	switch n := e.(type) {
	case nil:
	case *query.Var:
		p.column(n)
	case *query.Const:
		p.constant(n, true)
	case *query.Param:
		p.param(n)
	case *query.Aggref:
		p.aggregate(n, n, "", "")
	case *query.GroupingFunc:
		p.put("GROUPING(")
		p.list(n.Args, true)
		p.put(")")
	case *query.WindowFunc:
		p.window(n, "", "")
	case *query.SubscriptingRef:
		p.subscripting(n, implicit)
	case *query.FuncExpr:
		p.function(n, implicit)
	case *query.NamedArgExpr:
		p.put(p.ctx.Catalog.QuoteIdent(n.Name), " => ")
		p.expr(n.Arg, implicit)
	case *query.OpExpr:
		p.operator(n)
	case *query.DistinctExpr:
		p.put("(")
		p.expr(n.Args[0], true)
		p.put(" IS DISTINCT FROM ")
		p.expr(n.Args[1], true)
		p.put(")")
	case *query.NullIfExpr:
		p.call("NULLIF", n.Args)
	case *query.ScalarArrayOpExpr:
		p.scalarArray(n)
	case *query.BoolExpr:
		p.boolean(n)
	case *query.SubLink:
		p.sublink(n)
	case *query.SubPlan:
		p.subplan(n, implicit)
	case *query.AlternativeSubPlan:
		p.put("(alternatives: ")
		for i, s := range n.Plans {
			if i > 0 {
				p.put(" or ")
			}
			if sp, ok := s.(*query.SubPlan); ok {
				p.put(p.subplanName(sp))
			}
		}
		p.put(")")
	case *query.FieldSelect:
		p.fieldSelect(n)
	case *query.FieldStore:
		if len(n.New) != 1 {
			p.put("ROW(")
		}
		p.list(n.New, implicit)
		if len(n.New) != 1 {
			p.put(")")
		}
	case *query.RelabelType:
		p.coercion(n.Arg, n.Form, n.Typ, n.Mod, implicit)
	case *query.CoerceViaIO:
		p.coercion(n.Arg, n.Form, n.Typ, pgtype.NoTypmod, implicit)
	case *query.ArrayCoerceExpr:
		p.coercion(n.Arg, n.Form, n.Typ, n.Mod, implicit)
	case *query.ConvertRowtypeExpr:
		p.coercion(n.Arg, n.Form, n.Typ, pgtype.NoTypmod, implicit)
	case *query.CoerceToDomain:
		p.coercion(n.Arg, n.Form, n.Typ, n.Mod, implicit)
	case *query.CollateExpr:
		p.put("(")
		p.expr(n.Arg, implicit)
		p.put(" COLLATE ", p.ctx.Catalog.CollationName(n.Coll), ")")
	case *query.CaseExpr:
		p.caseExpr(n)
	case *query.CaseTestExpr:
		p.put("CASE_TEST_EXPR")
	case *query.ArrayExpr:
		p.put("ARRAY[")
		p.list(n.Elements, true)
		p.put("]")
		if len(n.Elements) == 0 {
			p.put("::", p.ctx.Catalog.TypeName(n.Typ, pgtype.NoTypmod))
		}
	case *query.RowExpr:
		p.put("ROW(")
		p.toplevelList(n.Args)
		p.put(")")
		if n.Form == query.CoerceExplicitCast {
			p.put("::", p.ctx.Catalog.TypeName(n.Typ, pgtype.NoTypmod))
		}
	case *query.RowCompareExpr:
		p.put("(ROW(")
		p.toplevelList(n.Left)
		p.put(") ", p.ctx.Catalog.OperatorName(n.Ops[0]), " ROW(")
		p.toplevelList(n.Right)
		p.put("))")
	case *query.CoalesceExpr:
		p.call("COALESCE", n.Args)
	case *query.MinMaxExpr:
		if n.Least {
			p.call("LEAST", n.Args)
		} else {
			p.call("GREATEST", n.Args)
		}
	case *query.SQLValueFunction:
		p.put(strings.ToUpper(n.Name))
		if n.Mod >= 0 && n.Typ != pgtype.NameOID {
			p.put("(", strconv.Itoa(int(n.Mod)), ")")
		}
	case *query.XMLExpr:
		p.xml(n)
	case *query.JSONExpr:
		p.json(n)
	case *query.NullTest:
		p.nullTest(n)
	case *query.BooleanTest:
		p.put("(")
		p.expr(n.Arg, false)
		p.put(booleanTest(n.Kind), ")")
	case *query.CoerceToDomainValue:
		p.put("VALUE")
	case *query.SetToDefault:
		p.put("DEFAULT")
	case *query.CurrentOfExpr:
		p.put("CURRENT OF ", p.ctx.Catalog.QuoteIdent(n.Cursor))
	case *query.NextValueExpr:
		p.put("nextval(", QuoteLiteral(p.ctx.Catalog.RelationName(n.Sequence)), ")")
	case *query.InferenceElem:
		p.inference(n)
	case *query.PlaceHolderVar:
		p.expr(n.Arg, implicit)
	}
}

func (p *printer) call(name string, args []query.Expr) {
	p.put(name, "(")
	p.list(args, true)
	p.put(")")
}

func (p *printer) operator(n *query.OpExpr) {
	name := p.ctx.Catalog.OperatorName(n.Op)
	p.put("(")
	if len(n.Args) == 2 {
		p.expr(n.Args[0], true)
		p.put(" ", name, " ")
		p.expr(n.Args[1], true)
	} else {
		p.put(name, " ")
		p.list(n.Args, true)
	}
	p.put(")")
}

func (p *printer) scalarArray(n *query.ScalarArrayOpExpr) {
	quantifier := "ALL"
	if n.UseOr {
		quantifier = "ANY"
	}
	p.put("(")
	p.expr(n.Args[0], true)
	p.put(" ", p.ctx.Catalog.OperatorName(n.Op), " ", quantifier, " (")
	p.expr(n.Args[1], true)
	// A bare sub-SELECT would be read as a sublink of its own.
	if s, ok := n.Args[1].(*query.SubLink); ok && s.Kind == query.ExprSubLink {
		p.put("::", p.typeOf(s))
	}
	p.put("))")
}

func (p *printer) boolean(n *query.BoolExpr) {
	p.put("(")
	between := " AND "
	switch n.Op {
	case query.NotExpr:
		p.put("NOT ")
	case query.OrExpr:
		between = " OR "
	}
	for i, a := range n.Args {
		if i > 0 {
			p.put(between)
		}
		p.expr(a, false)
	}
	p.put(")")
}

func booleanTest(k query.BoolTestType) string {
	switch k {
	case query.IsTrue:
		return " IS TRUE"
	case query.IsNotTrue:
		return " IS NOT TRUE"
	case query.IsFalse:
		return " IS FALSE"
	case query.IsNotFalse:
		return " IS NOT FALSE"
	case query.IsUnknown:
		return " IS UNKNOWN"
	}
	return " IS NOT UNKNOWN"
}

func (p *printer) nullTest(n *query.NullTest) {
	p.put("(")
	p.expr(n.Arg, true)
	// A scalar test of a row type is not what IS NULL means for a row.
	row := false
	if t := p.ctx.Catalog.Type(p.ctx.Catalog.BaseType(n.Arg.ResultType())); t != nil {
		row = t.Kind == 'c' || t.OID == pgtype.RecordOID
	}
	switch {
	case n.ArgIsRow || !row:
		if n.Not {
			p.put(" IS NOT NULL")
		} else {
			p.put(" IS NULL")
		}
	case n.Not:
		p.put(" IS DISTINCT FROM NULL")
	default:
		p.put(" IS NOT DISTINCT FROM NULL")
	}
	p.put(")")
}

func (p *printer) subscripting(n *query.SubscriptingRef, implicit bool) {
	if _, ok := n.Container.(*query.CaseTestExpr); ok && n.Assign != nil {
		p.expr(n.Assign, implicit)
		return
	}
	switch n.Container.(type) {
	case *query.Var, *query.FieldSelect:
		p.expr(n.Container, implicit)
	default:
		p.put("(")
		p.expr(n.Container, implicit)
		p.put(")")
	}
	for i, u := range n.Upper {
		p.put("[")
		if len(n.Lower) > 0 {
			if i < len(n.Lower) && n.Lower[i] != nil {
				p.expr(n.Lower[i], false)
			}
			p.put(":")
		}
		if u != nil {
			p.expr(u, false)
		}
		p.put("]")
	}
	if n.Assign != nil {
		p.put(" := ")
		p.expr(n.Assign, implicit)
	}
}

func (p *printer) fieldSelect(n *query.FieldSelect) {
	switch n.Arg.(type) {
	case *query.SubscriptingRef, *query.FieldSelect:
		p.expr(n.Arg, true)
	default:
		p.put("(")
		p.expr(n.Arg, true)
		p.put(")")
	}
	p.put(".", p.ctx.Catalog.QuoteIdent(p.fieldName(n.Arg, n.Field)))
}

func (p *printer) fieldName(e query.Expr, field int) string {
	if r, ok := e.(*query.RowExpr); ok && field >= 1 && field <= len(r.ColNames) {
		return r.ColNames[field-1]
	}
	cat := p.ctx.Catalog
	if t := cat.Type(cat.BaseType(e.ResultType())); t != nil {
		if rel := cat.Table(t.Relation); t.Relation != 0 && rel != nil {
			if c := rel.Attr(field); c != nil {
				return c.Name
			}
		}
	}
	if p.ctx.RecordField != nil {
		return p.ctx.RecordField(e, field)
	}
	return "f" + strconv.Itoa(field)
}

func (p *printer) caseExpr(n *query.CaseExpr) {
	p.put("CASE")
	if n.Arg != nil {
		p.put(" ")
		p.expr(n.Arg, true)
	}
	for _, w := range n.Whens {
		cond := w.Cond
		// CASE x WHEN y compares a placeholder with y; only y was written.
		if op, ok := cond.(*query.OpExpr); ok && n.Arg != nil && len(op.Args) == 2 {
			if _, ok := stripImplicit(op.Args[0]).(*query.CaseTestExpr); ok {
				cond = op.Args[1]
			}
		}
		p.put(" WHEN ")
		p.expr(cond, false)
		p.put(" THEN ")
		p.expr(w.Result, true)
	}
	p.put(" ELSE ")
	if n.Default == nil {
		p.put("NULL::", p.ctx.Catalog.TypeName(n.Typ, pgtype.NoTypmod))
	} else {
		p.expr(n.Default, true)
	}
	p.put(" END")
}

// stripImplicit removes implicit casts (strip_implicit_coercions,
// rewriteManip's parse_coerce.c).
func stripImplicit(e query.Expr) query.Expr {
	for {
		switch n := e.(type) {
		case *query.FuncExpr:
			if n.Form != query.CoerceImplicitCast || len(n.Args) == 0 {
				return e
			}
			e = n.Args[0]
		case *query.RelabelType:
			if n.Form != query.CoerceImplicitCast {
				return e
			}
			e = n.Arg
		case *query.CoerceViaIO:
			if n.Form != query.CoerceImplicitCast {
				return e
			}
			e = n.Arg
		case *query.ArrayCoerceExpr:
			if n.Form != query.CoerceImplicitCast {
				return e
			}
			e = n.Arg
		case *query.ConvertRowtypeExpr:
			if n.Form != query.CoerceImplicitCast {
				return e
			}
			e = n.Arg
		case *query.CoerceToDomain:
			if n.Form != query.CoerceImplicitCast {
				return e
			}
			e = n.Arg
		default:
			return e
		}
	}
}

// coercion prints a cast, or its argument alone where the cast is implicit and
// not to be shown.
func (p *printer) coercion(arg query.Expr, form query.CoercionForm, typ pgtype.OID, mod pgtype.Typmod, implicit bool) {
	if form == query.CoerceImplicitCast && !implicit {
		p.expr(arg, false)
		return
	}
	p.cast(arg, typ, mod)
}

// cast prints (arg)::type (get_coercion_expr, ruleutils.c).
func (p *printer) cast(arg query.Expr, typ pgtype.OID, mod pgtype.Typmod) {
	if c, ok := arg.(*query.Const); ok && c.Typ == typ && c.Mod == pgtype.NoTypmod {
		p.constant(c, false)
	} else {
		p.put("(")
		p.expr(arg, false)
		p.put(")")
	}
	p.put("::", p.ctx.Catalog.TypeName(typ, mod))
}

func (p *printer) inference(n *query.InferenceElem) {
	prefix := *p.ctx
	prefix.Prefix = false
	inner := printer{ctx: &prefix}
	inner.expr(n.Arg, false)
	bare := false
	switch a := n.Arg.(type) {
	case *query.Var:
		bare = true
	case *query.FuncExpr:
		bare = a.Form == query.CoerceExplicitCall
	}
	if bare {
		p.put(inner.out.String())
	} else {
		p.put("(", inner.out.String(), ")")
	}
	if n.InferColl != 0 {
		p.put(" COLLATE ", p.ctx.Catalog.CollationName(n.InferColl))
	}
	if oc := p.ctx.Catalog.OpClass(n.OpClass); oc != nil {
		if d := p.ctx.Catalog.DefaultOpClass(oc.InType, oc.Method); d != oc {
			p.put(" ", p.ctx.Catalog.QuoteIdent(oc.Name))
		}
	}
}
