package deparse

import (
	"github.com/dbgen/dbgen/parser/query"
)

// FromItem returns the text of one item of a FROM clause, a join with all that it
// joins.
func (l *Level) FromItem(n query.JoinNode) string {
	p := &printer{ctx: l.Context(false)}
	p.fromItem(l, n)
	return p.out.String()
}

// from is get_from_clause (ruleutils.c).
func (p *printer) from(l *Level) {
	if l.query.JoinTree == nil {
		return
	}
	sep := " FROM "
	for _, n := range l.query.JoinTree.List {
		if r, ok := n.(*query.RangeTblRef); ok && !l.query.RTE(r.Index).InFrom {
			continue
		}
		p.put(sep)
		sep = ", "
		p.fromItem(l, n)
	}
}

// fromItem is get_from_clause_item (ruleutils.c).
func (p *printer) fromItem(l *Level, n query.JoinNode) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		p.fromEntry(l, n.Index)
	case *query.JoinExpr:
		p.put("(")
		p.fromItem(l, n.Left)
		switch n.Type {
		case query.JoinLeft:
			p.put(" LEFT JOIN ")
		case query.JoinRight:
			p.put(" RIGHT JOIN ")
		case query.JoinFull:
			p.put(" FULL JOIN ")
		default:
			if n.Quals == nil {
				p.put(" CROSS")
			}
			p.put(" JOIN ")
		}
		p.fromItem(l, n.Right)
		switch {
		case len(n.Using) > 0:
			p.put(" USING ")
			p.names(n.Using)
			if n.UsingAlias != nil {
				p.put(" AS ", l.catalog.QuoteIdent(n.UsingAlias.Name))
			}
		case n.Quals != nil:
			p.put(" ON (")
			p.expr(n.Quals, false)
			p.put(")")
		case n.Type != query.JoinInner:
			p.put(" ON TRUE")
		}
		p.put(")")
		if n.Alias != nil {
			p.put(" ", l.catalog.QuoteIdent(l.Name(n.Index)))
			if rte := l.query.RTE(n.Index); len(n.Alias.Columns) > 0 && rte.ERef != nil {
				p.names(rte.ERef.Columns)
			}
		}
	}
}

func (p *printer) fromEntry(l *Level, index int) {
	rte := l.query.RTE(index)
	name := l.Name(index)
	if rte.Lateral {
		p.put("LATERAL ")
	}
	alias := rte.Alias != nil
	var columns []string
	if rte.Alias != nil {
		columns = rte.Alias.Columns
	}
	switch rte.Kind {
	case query.RTERelation:
		t := l.catalog.Table(rte.Relation)
		if !rte.Inherit && t != nil && (t.Kind == 'r' || t.Kind == 'p') {
			p.put("ONLY ")
		}
		p.put(l.catalog.RelationName(rte.Relation))
		alias = alias || t != nil && t.Name != name
		if t != nil && columns != nil && rte.ERef != nil {
			columns = renamed(rte.ERef.Columns, t.ColumnName)
		}
	case query.RTESubquery:
		p.put("(", selectText(NewLevel(l.catalog, rte.Subquery, l)), ")")
		alias = true
	case query.RTEFunction:
		p.functions(rte)
		alias = true
		if rte.ERef != nil {
			columns = rte.ERef.Columns
		}
	case query.RTEValues:
		p.put("(")
		p.values(rte)
		p.put(")")
		alias = true
		if rte.ERef != nil {
			columns = rte.ERef.Columns
		}
	case query.RTECTE:
		p.put(l.catalog.QuoteIdent(rte.CTEName))
		alias = alias || name != rte.CTEName
	case query.RTETableFunc:
		p.put("…")
	}
	if alias {
		p.put(" ", l.catalog.QuoteIdent(name))
	}
	if f := rte.Functions; len(f) == 1 && len(f[0].ColNames) > 0 && !rte.Ordinality {
		p.columnDefs(f[0])
	} else {
		p.names(columns)
	}
	if s := rte.Sample; s != nil {
		p.put(" TABLESAMPLE ", l.catalog.FuncName(s.Handler), " (")
		p.list(s.Args, false)
		p.put(")")
		if s.Repeatable != nil {
			p.put(" REPEATABLE (")
			p.expr(s.Repeatable, false)
			p.put(")")
		}
	}
}

// renamed are the names of a table's columns in a query, nil if they are the
// table's own.
func renamed(columns []string, own func(int) string) []string {
	for i, c := range columns {
		if c != own(i+1) {
			return columns
		}
	}
	return nil
}

// functions prints the calls of a FROM item.
func (p *printer) functions(rte *query.RangeTblEntry) {
	f := rte.Functions
	switch {
	case len(f) == 1 && (len(f[0].ColNames) == 0 || !rte.Ordinality):
		p.call1(f[0].Expr)
	case p.allUnnest(f):
		p.put("UNNEST(")
		for i, x := range f {
			if i > 0 {
				p.put(", ")
			}
			p.list(x.Expr.(*query.FuncExpr).Args, true)
		}
		p.put(")")
	default:
		p.put("ROWS FROM(")
		for i, x := range f {
			if i > 0 {
				p.put(", ")
			}
			p.call1(x.Expr)
			if len(x.ColNames) > 0 {
				p.put(" AS ")
				p.columnDefs(x)
			}
		}
		p.put(")")
	}
	if rte.Ordinality {
		p.put(" WITH ORDINALITY")
	}
}

// call1 prints what is called in FROM, with a CAST around what does not look like
// a call (get_rule_expr_funccall).
func (p *printer) call1(e query.Expr) {
	if LooksLikeFunction(e) {
		p.expr(e, true)
		return
	}
	p.put("CAST(")
	p.expr(e, false)
	p.put(" AS ", p.typeOf(e), ")")
}

func (p *printer) allUnnest(list []*query.RangeTblFunction) bool {
	for _, f := range list {
		fe, ok := f.Expr.(*query.FuncExpr)
		if !ok || len(f.ColNames) > 0 {
			return false
		}
		if fn := p.ctx.Catalog.Func(fe.Func); fn == nil || fn.Source != "array_unnest" {
			return false
		}
	}
	return true
}

// columnDefs prints a column definition list (get_from_clause_coldeflist).
func (p *printer) columnDefs(f *query.RangeTblFunction) {
	p.put("(")
	for i, n := range f.ColNames {
		if i > 0 {
			p.put(", ")
		}
		p.put(p.ctx.Catalog.QuoteIdent(n), " ", p.ctx.Catalog.TypeName(f.ColTypes[i], f.ColTypmods[i]))
	}
	p.put(")")
}
