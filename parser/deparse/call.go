package deparse

import (
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// function prints a call or the cast that it stands for (get_func_expr,
// ruleutils.c).
func (p *printer) function(n *query.FuncExpr, implicit bool) {
	switch n.Form {
	case query.CoerceImplicitCast, query.CoerceExplicitCast:
		if len(n.Args) == 0 {
			break
		}
		if n.Form == query.CoerceImplicitCast && !implicit {
			p.expr(n.Args[0], false)
			return
		}
		p.cast(n.Args[0], n.Typ, lengthCoercion(n))
		return
	case query.CoerceSQLSyntax:
		if p.sqlSyntax(n) {
			return
		}
	}
	p.put(p.ctx.Catalog.FuncName(n.Func), "(")
	for i, a := range n.Args {
		if i > 0 {
			p.put(", ")
		}
		if n.Variadic && i == len(n.Args)-1 {
			p.put("VARIADIC ")
		}
		p.expr(a, true)
	}
	p.put(")")
}

// lengthCoercion is the modifier that a length coercion function enforces
// (exprIsLengthCoercion, nodeFuncs.c).
func lengthCoercion(n *query.FuncExpr) pgtype.Typmod {
	if len(n.Args) != 2 && len(n.Args) != 3 {
		return pgtype.NoTypmod
	}
	c, ok := n.Args[1].(*query.Const)
	if !ok || c.Null || c.Typ != pgtype.Int4OID {
		return pgtype.NoTypmod
	}
	v, err := strconv.ParseInt(c.Value, 10, 32)
	if err != nil {
		return pgtype.NoTypmod
	}
	return pgtype.Typmod(v)
}

// between prints arguments with words around them: words[0] a[0] words[1] ….
func (p *printer) between(args []query.Expr, order []int, words ...string) bool {
	for i, o := range order {
		p.put(words[i])
		p.expr(args[o], false)
	}
	p.put(words[len(words)-1])
	return true
}

// sqlSyntax prints the calls that the standard has a syntax of its own for
// (get_func_sql_syntax, ruleutils.c). It reports whether n is one.
func (p *printer) sqlSyntax(n *query.FuncExpr) bool {
	f := p.ctx.Catalog.Func(n.Func)
	if f == nil || f.Schema != "pg_catalog" {
		return false
	}
	a := n.Args
	text := func(i int) (string, bool) {
		c, ok := a[i].(*query.Const)
		return constText(c, ok), ok && !c.Null
	}
	switch {
	case f.Name == "timezone" && len(a) == 2:
		return p.between(a, []int{1, 0}, "(", " AT TIME ZONE ", ")")
	case f.Name == "timezone" && len(a) == 1:
		return p.between(a, []int{0}, "(", " AT LOCAL)")
	case f.Name == "overlaps" && len(a) == 4:
		return p.between(a, []int{0, 1, 2, 3}, "((", ", ", ") OVERLAPS (", ", ", "))")
	case f.Name == "extract" && len(a) == 2:
		field, ok := text(0)
		if !ok {
			return false
		}
		return p.between(a, []int{1}, "EXTRACT("+p.ctx.Catalog.QuoteIdent(field)+" FROM ", ")")
	case f.Name == "is_normalized":
		p.put("(")
		p.expr(a[0], false)
		p.put(" IS")
		if len(a) == 2 {
			form, _ := text(1)
			p.put(" ", form)
		}
		p.put(" NORMALIZED)")
		return true
	case f.Name == "pg_collation_for":
		return p.between(a, []int{0}, "COLLATION FOR (", ")")
	case f.Name == "normalize":
		p.put("NORMALIZE(")
		p.expr(a[0], false)
		if len(a) == 2 {
			form, _ := text(1)
			p.put(", ", form)
		}
		p.put(")")
		return true
	case f.Name == "overlay" && len(a) == 3:
		return p.between(a, []int{0, 1, 2}, "OVERLAY(", " PLACING ", " FROM ", ")")
	case f.Name == "overlay" && len(a) == 4:
		return p.between(a, []int{0, 1, 2, 3}, "OVERLAY(", " PLACING ", " FROM ", " FOR ", ")")
	case f.Name == "position" && len(a) == 2:
		return p.between(a, []int{1, 0}, "POSITION((", ") IN (", "))")
	case f.Name == "substring" && len(a) == 3 && f.Args[1] == pgtype.TextOID:
		return p.between(a, []int{0, 1, 2}, "SUBSTRING(", " SIMILAR ", " ESCAPE ", ")")
	case f.Name == "substring" && len(a) == 2 && f.Args[1] == pgtype.Int4OID:
		return p.between(a, []int{0, 1}, "SUBSTRING(", " FROM ", ")")
	case f.Name == "substring" && len(a) == 3:
		return p.between(a, []int{0, 1, 2}, "SUBSTRING(", " FROM ", " FOR ", ")")
	case f.Name == "btrim" || f.Name == "ltrim" || f.Name == "rtrim":
		side := map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[f.Name]
		if len(a) == 2 {
			return p.between(a, []int{1, 0}, "TRIM("+side+" ", " FROM ", ")")
		}
		return p.between(a, []int{0}, "TRIM("+side+" FROM ", ")")
	case f.Name == "system_user":
		p.put("SYSTEM_USER")
		return true
	case f.Name == "xmlexists" && len(a) == 2:
		return p.between(a, []int{0, 1}, "XMLEXISTS((", ") PASSING (", "))")
	}
	return false
}

func constText(c *query.Const, ok bool) string {
	if !ok {
		return ""
	}
	return c.Value
}

// Bits of [query.Aggref.Split] (AGGSPLITOP, nodes/nodes.h).
const (
	splitCombine   = 1
	splitSkipFinal = 2
)

// aggregate prints an aggregate call (get_agg_expr_helper, ruleutils.c). top is
// the aggregate that the plan node computes. name and options are those of a
// SQL/JSON aggregate, "" otherwise.
func (p *printer) aggregate(n, top *query.Aggref, name, options string) {
	if n.Split&splitCombine != 0 && p.ctx.Partial != nil {
		if below := p.ctx.Partial(n); below != nil && below != n {
			p.aggregate(below, top, name, options)
			return
		}
	}
	if top.Split&splitSkipFinal != 0 {
		p.put("PARTIAL ")
	}
	pairs := name == "JSON_OBJECTAGG"
	if name == "" {
		name = p.ctx.Catalog.FuncName(n.Func)
	}
	p.put(name, "(")
	if len(n.Distinct) > 0 {
		p.put("DISTINCT ")
	}
	switch {
	case n.Kind == query.AggOrderedSet || n.Kind == query.AggHypothetical:
		p.list(n.DirectArgs, true)
		p.put(") WITHIN GROUP (ORDER BY ")
		p.orderBy(n.Order, n.Args)
	case n.Star:
		p.put("*")
	default:
		p.aggregateArgs(n, pairs)
		if len(n.Order) > 0 {
			p.put(" ORDER BY ")
			p.orderBy(n.Order, n.Args)
		}
	}
	p.put(options)
	if n.Filter != nil {
		p.put(") FILTER (WHERE ")
		p.expr(n.Filter, false)
	}
	p.put(")")
}

func (p *printer) aggregateArgs(n *query.Aggref, pairs bool) {
	i, last := 0, 0
	for _, t := range n.Args {
		if !t.Junk {
			last++
		}
	}
	for _, t := range n.Args {
		if t.Junk {
			continue
		}
		i++
		switch {
		case pairs && i > 2:
			return
		case pairs && i == 2:
			p.put(" : ")
		case i > 1:
			p.put(", ")
		}
		if n.Variadic && i == last {
			p.put("VARIADIC ")
		}
		p.expr(t.Expr, true)
	}
}

// orderBy prints the items of an ORDER BY (get_rule_orderby, ruleutils.c).
func (p *printer) orderBy(order []*query.SortGroupClause, targets []*query.TargetEntry) {
	for i, s := range order {
		if i > 0 {
			p.put(", ")
		}
		for _, t := range targets {
			if t.SortGroupRef == s.Ref {
				p.sortItem(t.Expr, s)
			}
		}
	}
}

func (p *printer) sortItem(e query.Expr, s *query.SortGroupClause) {
	p.sortExpr(e)
	p.sortWords(e, s)
}

// sortWords prints the direction of a sort as far as it is not the default.
func (p *printer) sortWords(e query.Expr, s *query.SortGroupClause) {
	switch lt, gt := DefaultOrdering(p.ctx.Catalog, e.ResultType()); s.SortOp {
	case lt:
		if s.NullsFirst {
			p.put(" NULLS FIRST")
		}
	case gt:
		p.put(" DESC")
		if !s.NullsFirst {
			p.put(" NULLS LAST")
		}
	default:
		p.put(" USING ", p.ctx.Catalog.OperatorName(s.SortOp))
		if s.NullsFirst {
			p.put(" NULLS FIRST")
		} else {
			p.put(" NULLS LAST")
		}
	}
}

// sortExpr prints what is sorted by: a constant with its type lest it be taken
// for the number of a column, a call in parentheses
// (get_rule_sortgroupclause, ruleutils.c).
func (p *printer) sortExpr(e query.Expr) {
	switch n := e.(type) {
	case *query.Const:
		p.constant(n, false)
		p.put("::", p.typeOf(n))
	case *query.FuncExpr, *query.Aggref, *query.WindowFunc, *query.JSONExpr:
		p.put("(")
		p.expr(e, true)
		p.put(")")
	default:
		p.expr(e, true)
	}
}

// window prints a window function call (get_windowfunc_expr_helper,
// ruleutils.c).
func (p *printer) window(n *query.WindowFunc, name, options string) {
	if name == "" {
		name = p.ctx.Catalog.FuncName(n.Func)
	}
	p.put(name, "(")
	if n.Star {
		p.put("*")
	} else {
		p.list(n.Args, true)
	}
	p.put(options)
	if n.Filter != nil {
		p.put(") FILTER (WHERE ")
		p.expr(n.Filter, false)
	}
	p.put(") OVER ")
	if p.ctx.Window != nil {
		p.put(p.ctx.Window(n))
		return
	}
	p.put("(?)")
}

func (p *printer) subplanName(n *query.SubPlan) string {
	name := n.Name
	if p.ctx.SubPlan != nil {
		name = p.ctx.SubPlan(n)
	}
	if n.UseHash {
		return "hashed " + name
	}
	return name
}

// subplan prints a reference to a planned subquery. Up to PostgreSQL 16 that is
// its name alone.
func (p *printer) subplan(n *query.SubPlan, implicit bool) {
	if !p.ctx.SubPlanTest {
		p.put("(", p.subplanName(n), ")")
		return
	}
	switch n.Kind {
	case query.ExistsSubLink:
		p.put("EXISTS(")
	case query.AllSubLink:
		p.put("(ALL ")
	case query.AnySubLink:
		p.put("(ANY ")
	case query.MultiExprSubLink:
		p.put("(rescan ")
	case query.ArraySubLink:
		p.put("ARRAY(")
	case query.CTESubLink:
		p.put("CTE(")
	default:
		p.put("(")
	}
	if n.Test != nil {
		p.expr(n.Test, implicit)
	} else {
		p.put(p.subplanName(n))
	}
	p.put(")")
}

// sublink prints a subquery in an expression (get_sublink_expr, ruleutils.c).
func (p *printer) sublink(n *query.SubLink) {
	text := "…"
	if p.ctx.Subquery != nil {
		text = p.ctx.Subquery(n.Subselect)
	}
	if n.Kind == query.ArraySubLink {
		p.put("ARRAY(", text, ")")
		return
	}
	p.put("(")
	op := p.sublinkTest(n.Test)
	switch n.Kind {
	case query.ExistsSubLink:
		p.put("EXISTS (", text, ")")
	case query.AnySubLink:
		if op == "=" {
			p.put(" IN (", text, ")")
		} else {
			p.put(" ", op, " ANY (", text, ")")
		}
	case query.AllSubLink:
		p.put(" ", op, " ALL (", text, ")")
	case query.RowCompareSubLink:
		p.put(" ", op, " (", text, ")")
	default:
		p.put(text)
	}
	p.put(")")
}

// sublinkTest prints the left side of a sublink and returns its operator.
func (p *printer) sublinkTest(test query.Expr) string {
	switch t := test.(type) {
	case *query.OpExpr:
		p.expr(t.Args[0], true)
		return p.ctx.Catalog.OperatorName(t.Op)
	case *query.RowCompareExpr:
		p.put("(")
		p.list(t.Left, true)
		p.put(")")
		return p.ctx.Catalog.OperatorName(t.Ops[0])
	case *query.BoolExpr:
		name := ""
		p.put("(")
		for i, a := range t.Args {
			op, ok := a.(*query.OpExpr)
			if !ok {
				continue
			}
			if i > 0 {
				p.put(", ")
			}
			p.expr(op.Args[0], true)
			if name == "" {
				name = p.ctx.Catalog.OperatorName(op.Op)
			}
		}
		p.put(")")
		return name
	}
	return ""
}

// xml prints an XML constructor.
func (p *printer) xml(n *query.XMLExpr) {
	op := strings.ToUpper(n.Op)
	if op == "IS DOCUMENT" || op == "IS_DOCUMENT" {
		p.list(n.Args, false)
		p.put(" IS DOCUMENT")
		return
	}
	p.put(op, "(")
	if op == "XMLPARSE" || op == "XMLSERIALIZE" {
		if n.Content {
			p.put("CONTENT ")
		} else {
			p.put("DOCUMENT ")
		}
	}
	comma := false
	next := func() {
		if comma {
			p.put(", ")
		}
		comma = true
	}
	if n.Name != "" {
		next()
		p.put("NAME ", p.ctx.Catalog.QuoteIdent(n.Name))
	}
	if len(n.NamedArgs) > 0 {
		if op != "XMLFOREST" {
			next()
			p.put("XMLATTRIBUTES(")
			comma = false
		}
		for i, a := range n.NamedArgs {
			next()
			p.expr(a, true)
			p.put(" AS ", p.ctx.Catalog.QuoteIdent(n.ArgNames[i]))
		}
		if op != "XMLFOREST" {
			p.put(")")
		}
	}
	if len(n.Args) > 0 {
		next()
		p.list(n.Args, true)
	}
	if op == "XMLSERIALIZE" {
		p.put(" AS ", p.typeOf(n))
	}
	p.put(")")
}

// json prints a SQL/JSON constructor or predicate (get_json_constructor,
// ruleutils.c).
func (p *printer) json(n *query.JSONExpr) {
	op := strings.ToUpper(n.Op)
	if strings.HasPrefix(op, "IS ") {
		p.put("(")
		p.list(n.Args, true)
		p.put(" ", op)
		if n.Unique {
			p.put(" WITH UNIQUE KEYS")
		}
		p.put(")")
		return
	}
	options := p.jsonOptions(n, op)
	switch f := n.Func.(type) {
	case *query.Aggref:
		p.aggregate(f, f, op, options)
		return
	case *query.WindowFunc:
		p.window(f, op, options)
		return
	}
	p.put(op, "(")
	for i, a := range n.Args {
		switch {
		case i == 0:
		case op == "JSON_OBJECT" && i%2 == 1:
			p.put(" : ")
		default:
			p.put(", ")
		}
		p.expr(a, true)
	}
	p.put(options, ")")
}

func (p *printer) jsonOptions(n *query.JSONExpr, op string) string {
	object := op == "JSON_OBJECT" || op == "JSON_OBJECTAGG"
	array := op == "JSON_ARRAY" || op == "JSON_ARRAYAGG"
	out := ""
	switch {
	case object && n.AbsentOnNull:
		out = " ABSENT ON NULL"
	case array && !n.AbsentOnNull:
		out = " NULL ON NULL"
	}
	if n.Unique {
		out += " WITH UNIQUE KEYS"
	}
	if op != "JSON" && op != "JSON_SCALAR" {
		out += " RETURNING " + p.typeOf(n)
	}
	return out
}
