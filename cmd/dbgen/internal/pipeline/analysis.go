package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Analysis is what the analyze command says of a query; its JSON is a contract.
type Analysis struct {
	Name        string           `json:"name"`
	File        string           `json:"file"`
	Line        int              `json:"line"`
	Command     string           `json:"command"`
	SQL         string           `json:"sql"`
	Statement   string           `json:"statement"`
	Tables      []string         `json:"tables"`
	Conditions  []string         `json:"conditions"`
	Joins       []AnalysisJoin   `json:"joins"`
	OrderBy     []string         `json:"order_by"`
	Limit       string           `json:"limit"`
	Params      []AnalysisParam  `json:"params"`
	Columns     []AnalysisColumn `json:"columns"`
	Cardinality string           `json:"cardinality"`
	Volatility  string           `json:"volatility"`
	Reads       []string         `json:"reads"`
	Writes      []string         `json:"writes"`
	Locks       bool             `json:"locks"`
}

// AnalysisJoin is one explicit join.
type AnalysisJoin struct {
	Type      string `json:"type"`
	Table     string `json:"table"`
	Alias     string `json:"alias"`
	Condition string `json:"condition"`
}

// AnalysisParam is one parameter.
type AnalysisParam struct {
	Number   int    `json:"number"`
	Name     string `json:"name"`
	Type     string `json:"pg_type"`
	Nullable bool   `json:"nullable"`
	GoType   string `json:"go_type"`
}

// AnalysisColumn is one result column.
type AnalysisColumn struct {
	Name            string `json:"name"`
	Type            string `json:"pg_type"`
	Nullable        bool   `json:"nullable"`
	ElementNullable bool   `json:"element_nullable"`
	GoType          string `json:"go_type"`
	// Origin is the table column that it is, "" for an expression.
	Origin string `json:"origin"`
	Why    string `json:"why"`
}

// Analyses returns what is known of each query that was analysed.
func (p *Project) Analyses() []Analysis {
	types := p.goTypes()
	var out []Analysis
	for _, q := range p.All() {
		if q.Analyzed != nil {
			out = append(out, p.analysis(q, types))
		}
	}
	return out
}

func (p *Project) analysis(q *Query, types goTypes) Analysis {
	s := q.Statement
	a := Analysis{
		Name: q.Name, File: s.File.Name, Line: s.File.Position(s.Span.Start).Line, SQL: p.sql(q),
		Statement: statementWord(q.Analyzed.Query), Cardinality: q.Facts.Cardinality.String(),
		Volatility: q.Facts.Volatility.String(), Reads: nonNil(q.Facts.Reads), Writes: nonNil(q.Facts.Writes),
		Locks: q.Facts.Locks, Tables: []string{}, Conditions: []string{}, Joins: []AnalysisJoin{}, OrderBy: []string{},
		Params: []AnalysisParam{}, Columns: []AnalysisColumn{},
	}
	if s.Annotation != nil {
		a.Command = string(s.Annotation.Command)
		a.Line = s.File.Position(s.Annotation.NameSpan.Start).Line
	}
	d := &describer{cat: p.Catalog, q: q.Analyzed.Query}
	d.describe(&a)
	for i, prm := range q.Analyzed.Params {
		a.Params = append(a.Params, AnalysisParam{
			Number: prm.Number, Name: p.ParamName(q, i), Type: p.Catalog.SQLType(prm.Type),
			Nullable: p.ParamNullable(q, i), GoType: types.param(q, i),
		})
	}
	n := 0
	for _, te := range outputColumns(q.Analyzed.Query) {
		c := AnalysisColumn{Name: te.Name, Type: p.Catalog.SQLType(reportedType(p.Catalog, te.Expr.ResultType())), GoType: types.column(q, n)}
		if n < len(q.Facts.Columns) {
			f := q.Facts.Columns[n]
			c.Nullable, c.ElementNullable, c.Why = f.Nullable, f.ElementNullable, f.Why
		}
		if t := p.Catalog.Table(te.OrigTable); t != nil {
			if col := t.Attr(te.OrigColumn); col != nil {
				c.Origin = t.Schema + "." + t.Name + "." + col.Name
			}
		}
		if typ := p.Catalog.Type(te.Expr.ResultType()); typ == nil || !typ.IsArray() {
			c.ElementNullable = false
		}
		a.Columns = append(a.Columns, c)
		n++
	}
	return a
}

// reportedType is a column's type as RowDescription gives it: a domain's base
// type (SendRowDescriptionMessage uses getBaseTypeAndTypmod).
func reportedType(cat *catalog.Catalog, t pgtype.OID) pgtype.OID { return cat.BaseType(t) }

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func outputColumns(q *query.Query) []*query.TargetEntry {
	list := q.TargetList
	if q.Command != query.CmdSelect {
		list = q.Returning
	}
	return slices.DeleteFunc(slices.Clone(list), func(te *query.TargetEntry) bool { return te.Junk })
}

func statementWord(q *query.Query) string {
	switch q.Command {
	case query.CmdInsert:
		return "insert"
	case query.CmdUpdate:
		return "update"
	case query.CmdDelete:
		return "delete"
	case query.CmdMerge:
		return "merge"
	case query.CmdUtility:
		return strings.ToLower(q.Utility)
	}
	if q.IsValues {
		return "values"
	}
	return "select"
}

// describer puts the parts of a query tree into words.
type describer struct {
	cat *catalog.Catalog
	q   *query.Query
}

func (d *describer) context(q *query.Query) *deparse.Context {
	return &deparse.Context{Catalog: d.cat, Prefix: true, Column: func(v *query.Var) (string, string) {
		if v.LevelsUp > 0 || v.VarNo < 1 || v.VarNo > len(q.RangeTable) {
			return "", fmt.Sprintf("column %d", v.AttNo)
		}
		rte := q.RTE(v.VarNo)
		if v.AttNo > 0 && v.AttNo <= len(rte.ERef.Columns) {
			return rte.ERef.Name, rte.ERef.Columns[v.AttNo-1]
		}
		if t := d.cat.Table(rte.Relation); t != nil {
			return rte.ERef.Name, t.ColumnName(v.AttNo)
		}
		return rte.ERef.Name, ""
	}}
}

func (d *describer) describe(a *Analysis) {
	ctx := d.context(d.q)
	seen := map[string]bool{}
	var tables func(q *query.Query)
	tables = func(q *query.Query) {
		for _, r := range q.RangeTable {
			if t := d.cat.Table(r.Relation); r.Kind == query.RTERelation && t != nil && !seen[t.Schema+"."+t.Name] {
				seen[t.Schema+"."+t.Name] = true
				a.Tables = append(a.Tables, t.Schema+"."+t.Name)
			}
		}
		q.Subqueries(tables)
	}
	tables(d.q)
	if d.q.JoinTree == nil {
		return
	}
	for _, c := range conjuncts(d.q.JoinTree.Quals) {
		a.Conditions = append(a.Conditions, deparse.Expr(c, ctx))
	}
	for _, n := range d.q.JoinTree.List {
		d.joins(n, ctx, a)
	}
	for _, s := range d.q.SortClause {
		for _, te := range d.q.TargetList {
			if te.SortGroupRef != s.Ref {
				continue
			}
			text := deparse.Expr(te.Expr, ctx)
			if s.Descending {
				text += " DESC"
			}
			if s.NullsFirst != s.Descending {
				if s.NullsFirst {
					text += " NULLS FIRST"
				} else {
					text += " NULLS LAST"
				}
			}
			a.OrderBy = append(a.OrderBy, text)
		}
	}
	if d.q.LimitCount != nil {
		a.Limit = strings.TrimSuffix(strings.Trim(deparse.Expr(d.q.LimitCount, ctx), "'"), "'::bigint")
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

func (d *describer) joins(n query.JoinNode, ctx *deparse.Context, a *Analysis) {
	j, ok := n.(*query.JoinExpr)
	if !ok {
		return
	}
	d.joins(j.Left, ctx, a)
	d.joins(j.Right, ctx, a)
	out := AnalysisJoin{Type: map[query.JoinType]string{
		query.JoinInner: "inner", query.JoinLeft: "left", query.JoinRight: "right", query.JoinFull: "full",
	}[j.Type]}
	if r, ok := j.Right.(*query.RangeTblRef); ok {
		rte := d.q.RTE(r.Index)
		out.Alias = rte.ERef.Name
		if t := d.cat.Table(rte.Relation); rte.Kind == query.RTERelation && t != nil {
			out.Table = t.Schema + "." + t.Name
		}
	}
	if j.Quals != nil {
		out.Condition = deparse.Expr(j.Quals, ctx)
	}
	a.Joins = append(a.Joins, out)
}
