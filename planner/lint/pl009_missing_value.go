package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
)

// missingValue reports an INSERT that leaves out a column which cannot do
// without a value.
func missingValue() *Rule {
	return &Rule{
		Code: "PL009", Name: "missing-value", Default: diag.Warning,
		Title: "INSERT gives no value to a column that is NOT NULL and has no default",
		Explanation: "The server prepares such a statement, and refuses every row at run time (23502). Nothing is reported " +
			"about a view, about a table with a trigger that runs BEFORE INSERT for each row and may fill the column in, and " +
			"about a column of a domain, which may have a default of its own.",
		Before: "INSERT INTO books (id, title) VALUES (@id, @title);",
		After:  "INSERT INTO books (id, title, isbn) VALUES (@id, @title, @isbn);",
		Check: func(p *Pass) {
			var visit func(q *query.Query)
			visit = func(q *query.Query) {
				if q.Command == query.CmdInsert {
					p.valueless(q, q.TargetList)
				}
				for _, a := range q.MergeActions {
					if a.Command == query.CmdInsert {
						p.valueless(q, a.TargetList)
					}
				}
				q.Subqueries(visit)
			}
			visit(p.Analyzed.Query)
		},
	}
}

func (p *Pass) valueless(q *query.Query, list []*query.TargetEntry) {
	if q.ResultRelation == 0 {
		return
	}
	rte := q.RTE(q.ResultRelation)
	t := p.Bound.Catalog.Table(rte.Relation)
	if t == nil || t.Kind != catalog.KindTable && t.Kind != catalog.KindPartitioned || slices.ContainsFunc(t.Triggers, fillsIn) {
		return
	}
	given := map[int]bool{}
	for _, te := range list {
		_, isDefault := te.Expr.(*query.SetToDefault)
		given[te.ResNo] = given[te.ResNo] || !isDefault
	}
	var names []string
	for _, c := range t.Columns {
		if c.Dropped || !c.NotNull || c.HasDefault || c.Identity != 0 || c.Generated != 0 || given[c.Number] {
			continue
		}
		if typ := p.Bound.Catalog.Type(c.Type); typ == nil || typ.Kind == 'd' {
			continue
		}
		names = append(names, p.Bound.Catalog.QuoteIdent(c.Name))
	}
	if len(names) == 0 {
		return
	}
	span := p.Statement.Span
	if p.own(rte.Loc) {
		span = p.Statement.FileSpan(rte.Loc)
	}
	is, them := "it is NOT NULL and has no default", "it"
	if len(names) > 1 {
		is, them = "they are NOT NULL and have no default", "them"
	}
	p.report(0, diag.Diagnostic{
		Span: span, Label: "every row is refused (23502)",
		Message: fmt.Sprintf("no value for %s of %s: %s", strings.Join(names, ", "), p.Bound.Catalog.RelationName(t.OID), is),
		Hint:    fmt.Sprintf("name %s in the INSERT, or give %s a DEFAULT in the schema", them, them),
	})
}

// fillsIn reports whether a trigger may give a new row values.
func fillsIn(t *catalog.Trigger) bool {
	return t.Timing == "before" && t.Row && slices.Contains(t.Events, "insert")
}
