// Package deparse prints analysed expressions as the server prints them.
//
// [Expr] gives the text of EXPLAIN's conditions, of pg_get_expr and of
// pg_get_constraintdef: the fully parenthesised form of ruleutils.c with
// implicit casts left out at the top. [TypeName] is format_type, [SQLType] the
// short type names that dbgen's own outputs use.
//
// What a column or a parameter is called depends on where the expression
// stands; the caller says it through the functions of a [Context]. Deparsing
// never fails: an OID that the catalog lacks is printed as a number, and what
// has no text in SQL is printed as the server's EXPLAIN prints it.
//
// The package imports parser/catalog, parser/pgtype and parser/query.
package deparse

import (
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Context says what the names in an expression stand for. Only Catalog is
// needed; a function that is nil has the default that its comment names.
type Context struct {
	Catalog *catalog.Catalog
	// Column names a column. An empty name is a whole row. Default: the
	// column's number.
	Column func(v *query.Var) (qualifier, name string)
	// Prefix puts the qualifier in front of every column.
	Prefix bool
	// Resolve returns the expression that a Var of a plan's OUTER or INNER
	// stands for; nil for a Var that Column names. Default: none.
	Resolve func(v *query.Var) query.Expr
	// Param prints a parameter. Default: $n.
	Param func(p *query.Param) string
	// SubPlan prints a planned subquery's name ("SubPlan 1"). Default: its
	// Name.
	SubPlan func(s *query.SubPlan) string
	// SubPlanTest prints the combining expressions of subplans, as PostgreSQL
	// 17 and later do.
	SubPlanTest bool
	// Subquery prints the query of a sublink, without parentheses. Default: an
	// ellipsis.
	Subquery func(q *query.Query) string
	// Window prints what stands behind OVER. Default: (?), as in EXPLAIN.
	Window func(w *query.WindowFunc) string
	// Partial returns the partial aggregate that feeds a combining one.
	// Default: the aggregate is printed as it is.
	Partial func(a *query.Aggref) *query.Aggref
	// RecordField names a field of an anonymous record. Default: f1, f2, ….
	RecordField func(e query.Expr, field int) string
}

// TableContext returns the context of expressions over one table, as CHECKs,
// defaults, index expressions and predicates are: Vars with VarNo 1, printed
// without qualifier.
func TableContext(cat *catalog.Catalog, table *catalog.Table) *Context {
	return &Context{Catalog: cat, Column: func(v *query.Var) (string, string) {
		return table.Name, table.ColumnName(v.AttNo)
	}}
}

// QuoteLiteral returns s as a string literal under
// standard_conforming_strings.
func QuoteLiteral(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// Expr returns the text of e (deparse_expression, ruleutils.c, with
// showimplicit false).
func Expr(e query.Expr, ctx *Context) string {
	p := printer{ctx: ctx}
	p.expr(e, false)
	return p.out.String()
}

// ExprWithCasts is [Expr] with an implicit cast at the top shown, as EXPLAIN
// prints the keys that it sorts and groups by (showimplicit true).
func ExprWithCasts(e query.Expr, ctx *Context) string {
	p := printer{ctx: ctx}
	p.expr(e, true)
	return p.out.String()
}

// List returns the texts of a list of expressions, separated by commas.
func List(list []query.Expr, ctx *Context) string {
	p := printer{ctx: ctx}
	p.list(list, false)
	return p.out.String()
}

// And returns the text of an implicit AND list as EXPLAIN prints a plan's
// conditions (make_ands_explicit): "" for none, one alone as it is.
func And(list []query.Expr, ctx *Context) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return Expr(list[0], ctx)
	}
	return Expr(&query.BoolExpr{Header: query.Header{Typ: pgtype.BoolOID, Mod: pgtype.NoTypmod}, Op: query.AndExpr, Args: list}, ctx)
}

// ConstLiteral returns a constant without the name of its type, quoted where a
// literal of it must be (get_const_expr with showtype -1).
func ConstLiteral(c *query.Const, cat *catalog.Catalog) string {
	p := printer{ctx: &Context{Catalog: cat}}
	p.constant(c, false)
	return p.out.String()
}

type printer struct {
	ctx *Context
	out strings.Builder
}

func (p *printer) put(parts ...string) {
	for _, s := range parts {
		p.out.WriteString(s)
	}
}

func (p *printer) list(list []query.Expr, implicit bool) {
	for i, e := range list {
		if i > 0 {
			p.put(", ")
		}
		p.expr(e, implicit)
	}
}

// toplevelList prints the fields of a ROW, where a whole row needs a cast lest
// it expand (get_rule_list_toplevel, ruleutils.c).
func (p *printer) toplevelList(list []query.Expr) {
	for i, e := range list {
		if i > 0 {
			p.put(", ")
		}
		p.expr(e, true)
		if v, ok := e.(*query.Var); ok && v.AttNo == 0 {
			p.put("::", p.ctx.Catalog.TypeName(v.Typ, v.Mod))
		}
	}
}

func (p *printer) typeOf(e query.Expr) string {
	return p.ctx.Catalog.TypeName(e.ResultType(), e.ResultTypmod())
}

func (p *printer) column(v *query.Var) {
	if p.ctx.Resolve != nil {
		if e := p.ctx.Resolve(v); e != nil {
			if _, plain := e.(*query.Var); plain {
				p.expr(e, true)
				return
			}
			p.put("(")
			p.expr(e, true)
			p.put(")")
			return
		}
	}
	if p.ctx.Column == nil {
		p.put(strconv.Itoa(v.VarNo), ".", strconv.Itoa(v.AttNo))
		return
	}
	qualifier, name := p.ctx.Column(v)
	switch {
	case name == "":
		if qualifier != "" {
			p.put(p.ctx.Catalog.QuoteIdent(qualifier), ".")
		}
		p.put("*")
	case p.ctx.Prefix && qualifier != "":
		p.put(p.ctx.Catalog.QuoteIdent(qualifier), ".", p.ctx.Catalog.QuoteIdent(name))
	default:
		p.put(p.ctx.Catalog.QuoteIdent(name))
	}
}

func (p *printer) param(n *query.Param) {
	if p.ctx.Param != nil {
		p.put(p.ctx.Param(n))
		return
	}
	p.put("$", strconv.Itoa(n.Number))
}

// constant prints a constant, with its type where reading it back would give
// another (get_const_expr, ruleutils.c).
func (p *printer) constant(c *query.Const, showType bool) {
	label := false
	switch {
	case c.Null:
		p.put("NULL")
		label = true
	case c.Typ == pgtype.Int4OID:
		if label = strings.HasPrefix(c.Value, "-"); label {
			p.put("'", c.Value, "'")
		} else {
			p.put(c.Value)
		}
	case c.Typ == pgtype.NumericOID:
		if c.Value != "" && isDigit(c.Value[0]) && strings.ContainsAny(c.Value, "eE.") {
			p.put(c.Value)
			label = c.Mod >= 0
		} else {
			p.put("'", c.Value, "'")
			label = true
		}
	case c.Typ == pgtype.BoolOID:
		if c.Value == "t" || c.Value == "true" {
			p.put("true")
		} else {
			p.put("false")
		}
	case c.Typ == pgtype.RegclassOID:
		p.put(QuoteLiteral(p.regclass(c.Value)))
		label = true
	case c.Typ == pgtype.UnknownOID:
		p.put(QuoteLiteral(c.Value))
	default:
		p.put(QuoteLiteral(c.Value))
		label = true
	}
	if !showType {
		return
	}
	if label {
		p.put("::", p.ctx.Catalog.TypeName(c.Typ, c.Mod))
	}
	if t := p.ctx.Catalog.Type(c.Typ); c.Coll != 0 && t != nil && c.Coll != t.Collation {
		p.put(" COLLATE ", p.ctx.Catalog.CollationName(c.Coll))
	}
}

// regclass prints a relation as regclassout does: a name by its OID or as
// written, with the schema where the search path does not reach it.
func (p *printer) regclass(value string) string {
	cat := p.ctx.Catalog
	if oid, err := strconv.ParseUint(value, 10, 32); err == nil {
		if x := cat.Index(pgtype.OID(oid)); x != nil {
			return cat.QuoteIdent(x.Name)
		}
		return cat.RelationName(pgtype.OID(oid))
	}
	schema, name := "", value
	if i := strings.LastIndexByte(value, '.'); i >= 0 {
		schema, name = value[:i], value[i+1:]
	}
	unquote := func(s string) string {
		if len(s) > 1 && s[0] == '"' {
			return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
		}
		return s
	}
	if t := cat.TableByName(unquote(schema), unquote(name)); t != nil {
		return cat.RelationName(t.OID)
	}
	return value
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
