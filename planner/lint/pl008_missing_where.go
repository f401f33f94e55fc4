package lint

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/advise"
)

// missingWhere reports an UPDATE or DELETE of every row of a big table.
func missingWhere() *Rule {
	return &Rule{
		Code: "PL008", Name: "missing-where", Default: diag.Warning,
		Title: "UPDATE or DELETE without WHERE changes every row of a big table",
		Explanation: "Most often a WHERE was forgotten. If all rows are meant, an UPDATE should leave out those that have " +
			"the value already, for each row it touches is written anew, with its index entries; and TRUNCATE empties a " +
			"table without reading it. WHERE true says that all rows are meant.",
		Before: "UPDATE inventory SET reserved = 0;",
		After:  "UPDATE inventory SET reserved = 0 WHERE reserved <> 0;",
		Check: func(p *Pass) {
			var visit func(q *query.Query)
			visit = func(q *query.Query) {
				p.wholeTable(q)
				q.Subqueries(visit)
			}
			visit(p.Analyzed.Query)
		},
	}
}

func (p *Pass) wholeTable(q *query.Query) {
	if q.Command != query.CmdUpdate && q.Command != query.CmdDelete || q.ResultRelation == 0 || q.JoinTree == nil ||
		q.JoinTree.Quals != nil || len(q.JoinTree.List) != 1 {
		return
	}
	rte := q.RTE(q.ResultRelation)
	t := p.Bound.Catalog.Table(rte.Relation)
	if t == nil || !advise.Known(p.Bound, t) {
		return
	}
	pages, n := advise.Size(p.Bound, t)
	if small(pages, n) {
		return
	}
	name := p.Bound.Catalog.RelationName(t.OID)
	verb, hint := "deletes", fmt.Sprintf("add a WHERE; to empty the table: TRUNCATE %s", name)
	if q.Command == query.CmdUpdate {
		verb, hint = "updates", p.changed(q, t)
	}
	price := ""
	if p.planned() && q == p.Analyzed.Query {
		price = " (" + p.cost(p.Plan.Root.Total) + ")"
	}
	span := p.Statement.Span
	if p.own(rte.Loc) {
		span = p.Statement.FileSpan(rte.Loc)
	}
	p.report(0, diag.Diagnostic{
		Span: span, Message: fmt.Sprintf("%s all %s of %s%s", verb, rows(n), name, price), Label: "there is no WHERE", Hint: hint,
	})
}

// changed proposes a WHERE that leaves out the rows that have the value already.
func (p *Pass) changed(q *query.Query, t *catalog.Table) string {
	const plain = "add a WHERE; WHERE true says that all rows are meant"
	if len(q.TargetList) != 1 {
		return plain
	}
	te := q.TargetList[0]
	c := t.Attr(te.ResNo)
	at := exprSpan(uncast(te.Expr))
	if c == nil || !p.own(at) {
		return plain
	}
	value := uncast(te.Expr)
	switch value.(type) {
	case *query.Const, *query.Param:
	default:
		return plain
	}
	op := "IS DISTINCT FROM"
	if k, ok := value.(*query.Const); ok && !k.Null && c.NotNull {
		op = "<>"
	}
	return fmt.Sprintf("add a WHERE; if all rows are meant, leave out those that need no change: WHERE %s %s %s",
		p.Bound.Catalog.QuoteIdent(c.Name), op, p.text(p.Statement.FileSpan(at)))
}

// uncast takes off the casts that nobody wrote.
func uncast(e query.Expr) query.Expr {
	for {
		switch n := e.(type) {
		case *query.FuncExpr:
			if n.Form != query.CoerceImplicitCast || len(n.Args) == 0 {
				return e
			}
			e = n.Args[0]
		case *query.RelabelType:
			e = n.Arg
		case *query.CoerceToDomain:
			e = n.Arg
		case *query.CoerceViaIO:
			if n.Form != query.CoerceImplicitCast {
				return e
			}
			e = n.Arg
		default:
			return e
		}
	}
}
