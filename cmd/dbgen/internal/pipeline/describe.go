package pipeline

import (
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
)

// describer puts the parts of a query tree into words: the tables of all levels,
// the conditions and joins of the statement, its WITH queries, the arms of its set
// operations and its subqueries in FROM, in the order of the text. Subqueries in
// conditions are printed where they stand.
type describer struct {
	cat  *catalog.Catalog
	a    *Analysis
	seen map[string]bool
}

func (d *describer) describe(q *query.Query) {
	d.tables(q)
	d.level(q, nil)
	d.order(q)
}

func (d *describer) tables(q *query.Query) {
	for _, r := range q.RangeTable {
		name := d.table(r)
		if name != "" && !d.seen[name] {
			d.seen[name] = true
			d.a.Tables = append(d.a.Tables, name)
		}
	}
	q.Subqueries(d.tables)
}

// table is the name of the table that a range table entry is, "" for another.
func (d *describer) table(r *query.RangeTblEntry) string {
	if t := d.cat.Table(r.Relation); r.Kind == query.RTERelation && t != nil {
		return t.Schema + "." + t.Name
	}
	return ""
}

// level describes one query; up is that of the query around it.
func (d *describer) level(q *query.Query, up *deparse.Level) {
	if !correlated(q) {
		up = nil // so that names need not differ from those around
	}
	l := deparse.NewLevel(d.cat, q, up)
	for _, c := range q.CTEs {
		d.level(c.Query, l)
	}
	ctx := l.Context(true)
	if q.JoinTree != nil {
		for _, n := range q.JoinTree.List {
			d.from(l, n, ctx)
		}
	}
	if q.SetOperations != nil {
		d.arms(l, q.SetOperations)
	}
	d.merge(l, ctx)
	if q.JoinTree != nil {
		d.conditions(q.JoinTree.Quals, ctx)
	}
	if q.OnConflict != nil {
		d.conditions(q.OnConflict.Where, ctx)
	}
	d.conditions(q.Having, ctx)
}

// correlated reports whether a query refers to one around it.
func correlated(q *query.Query) bool {
	found := false
	q.WalkLevels(func(e query.Expr, depth int) bool {
		if v, ok := e.(*query.Var); ok {
			found = found || v.LevelsUp > depth
		}
		return !found
	})
	return found
}

func (d *describer) arms(l *deparse.Level, n query.SetOpNode) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		d.level(l.Query().RTE(n.Index).Subquery, l)
	case *query.SetOperationStmt:
		d.arms(l, n.Left)
		d.arms(l, n.Right)
	}
}

func (d *describer) conditions(e query.Expr, ctx *deparse.Context) {
	for _, c := range conjuncts(e) {
		d.a.Conditions = append(d.a.Conditions, deparse.Expr(c, ctx))
	}
}

func conjuncts(e query.Expr) []query.Expr {
	if b, ok := e.(*query.BoolExpr); ok && b.Op == query.AndExpr {
		var out []query.Expr
		for _, x := range b.Args {
			out = append(out, conjuncts(x)...)
		}
		return out
	}
	if e == nil {
		return nil
	}
	return []query.Expr{e}
}

// from describes one item of FROM.
func (d *describer) from(l *deparse.Level, n query.JoinNode, ctx *deparse.Context) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		if r := l.Query().RTE(n.Index); r.Kind == query.RTESubquery {
			d.level(r.Subquery, l)
		}
	case *query.JoinExpr:
		d.from(l, n.Left, ctx)
		d.from(l, n.Right, ctx)
		join := AnalysisJoin{Type: joinWord(n)}
		switch r := n.Right.(type) {
		case *query.RangeTblRef:
			join.Alias, join.Table = l.Name(r.Index), d.table(l.Query().RTE(r.Index))
		case *query.JoinExpr:
			join.Alias = l.FromItem(r)
			if r.Alias != nil {
				join.Alias = r.Alias.Name
			}
		}
		if n.Quals != nil {
			join.Condition = deparse.Expr(n.Quals, ctx)
		}
		d.a.Joins = append(d.a.Joins, join)
	}
}

func joinWord(n *query.JoinExpr) string {
	switch n.Type {
	case query.JoinLeft:
		return "left"
	case query.JoinRight:
		return "right"
	case query.JoinFull:
		return "full"
	}
	if n.Quals == nil {
		return "cross"
	}
	return "inner"
}

// merge describes a MERGE: its source is joined with the target, by a left join
// where rows without a match are inserted.
func (d *describer) merge(l *deparse.Level, ctx *deparse.Context) {
	q := l.Query()
	if q.Command != query.CmdMerge {
		return
	}
	join := AnalysisJoin{Type: "inner"}
	for _, a := range q.MergeActions {
		if !a.Matched {
			join.Type = "left"
		}
	}
	target := q.RTE(q.ResultRelation)
	join.Table, join.Alias = d.table(target), l.Name(q.ResultRelation)
	if q.MergeJoinCondition != nil {
		join.Condition = deparse.Expr(q.MergeJoinCondition, ctx)
	}
	d.a.Joins = append(d.a.Joins, join)
	for _, a := range q.MergeActions {
		d.conditions(a.Qual, ctx)
	}
}

// order describes ORDER BY and LIMIT, of an INSERT those of its SELECT.
func (d *describer) order(q *query.Query) {
	if q.Command == query.CmdInsert {
		i := slices.IndexFunc(q.RangeTable, func(r *query.RangeTblEntry) bool { return r.Kind == query.RTESubquery })
		if i >= 0 {
			d.order(q.RangeTable[i].Subquery)
		}
		return
	}
	ctx := deparse.NewLevel(d.cat, q, nil).Context(true)
	for _, s := range q.SortClause {
		for _, te := range q.TargetList {
			if te.SortGroupRef == s.Ref {
				d.a.OrderBy = append(d.a.OrderBy, orderItem(q, te, s, ctx))
			}
		}
	}
	k, constant := q.LimitCount.(*query.Const)
	switch {
	case q.LimitCount == nil || constant && k.Null:
	case constant:
		d.a.Limit = k.Value
	default:
		d.a.Limit = deparse.Expr(q.LimitCount, ctx)
	}
}

// orderItem is one item of ORDER BY; a set operation is ordered by the names of its
// columns.
func orderItem(q *query.Query, te *query.TargetEntry, s *query.SortGroupClause, ctx *deparse.Context) string {
	var b strings.Builder
	if q.SetOperations != nil {
		b.WriteString(ctx.Catalog.QuoteIdent(te.Name))
	} else {
		b.WriteString(deparse.Expr(te.Expr, ctx))
	}
	if s.Descending {
		b.WriteString(" DESC")
	}
	switch {
	case s.NullsFirst && !s.Descending:
		b.WriteString(" NULLS FIRST")
	case !s.NullsFirst && s.Descending:
		b.WriteString(" NULLS LAST")
	}
	return b.String()
}
