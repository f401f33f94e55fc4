package analyze

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// hinter looks for what parameters are about. The first place that names a
// parameter wins, stored columns before compared ones before arguments.
type hinter struct {
	cat    *catalog.Catalog
	params []Param
	rank   []int
	levels []*query.Query
}

const (
	rankArgument = iota + 1
	rankCompared
	rankAssigned
)

func (a *analyzer) addHints(q *query.Query, params []Param) {
	if len(params) == 0 {
		return
	}
	h := &hinter{cat: a.cat, params: params, rank: make([]int, len(params))}
	h.query(q)
}

// param is the parameter that an expression is but for coercions, nil if none.
func paramOf(e query.Expr) *query.Param {
	for e != nil {
		switch x := e.(type) {
		case *query.Param:
			if x.Kind == query.ParamExtern {
				return x
			}
			return nil
		case *query.RelabelType:
			e = x.Arg
		case *query.CoerceViaIO:
			e = x.Arg
		case *query.ArrayCoerceExpr:
			e = x.Arg
		case *query.CoerceToDomain:
			e = x.Arg
		case *query.CollateExpr:
			e = x.Arg
		case *query.NamedArgExpr:
			e = x.Arg
		case *query.FuncExpr:
			if x.Form != query.CoerceImplicitCast && x.Form != query.CoerceExplicitCast || len(x.Args) == 0 {
				return nil
			}
			e = x.Args[0]
		default:
			return nil
		}
	}
	return nil
}

// fallbackOf is the parameter that COALESCE replaces where it is NULL: it is
// about the column, but NULL never gets there.
func fallbackOf(e query.Expr) *query.Param {
	if f, ok := e.(*query.FuncExpr); ok && f.Form == query.CoerceImplicitCast && len(f.Args) > 0 {
		e = f.Args[0]
	}
	if c, ok := e.(*query.CoalesceExpr); ok {
		return paramOf(c.Args[0])
	}
	return nil
}

func (h *hinter) name(p *query.Param, name string, rank int) {
	if i := p.Number - 1; i < len(h.params) && name != "" && rank > h.rank[i] {
		h.params[i].NameHint, h.rank[i] = name, rank
	}
}

func (h *hinter) target(p *query.Param, ref ColumnRef) {
	if i := p.Number - 1; i < len(h.params) && ref.Table != 0 && !slices.Contains(h.params[i].Targets, ref) {
		h.params[i].Targets = append(h.params[i].Targets, ref)
	}
}

func (h *hinter) query(q *query.Query) {
	h.levels = append(h.levels, q)
	defer func() { h.levels = h.levels[:len(h.levels)-1] }()
	for _, c := range q.CTEs {
		h.query(c.Query)
	}
	h.assignments(q, q.TargetList, q.Command)
	if q.OnConflict != nil {
		h.assignments(q, q.OnConflict.Set, query.CmdUpdate)
	}
	for _, m := range q.MergeActions {
		h.assignments(q, m.TargetList, m.Command)
	}
	if p := paramOf(q.LimitCount); p != nil {
		h.name(p, "limit", rankCompared)
	}
	if p := paramOf(q.LimitOffset); p != nil {
		h.name(p, "offset", rankCompared)
	}
	q.EachExpr(func(e *query.Expr) { h.walk(*e) })
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			h.query(r.Subquery)
		}
	}
}

// assignments looks at the values that a table's columns get.
func (h *hinter) assignments(q *query.Query, list []*query.TargetEntry, cmd query.CmdType) {
	if q.ResultRelation == 0 || cmd != query.CmdInsert && cmd != query.CmdUpdate {
		return
	}
	t := h.cat.Table(q.RTE(q.ResultRelation).Relation)
	if t == nil {
		return
	}
	for _, x := range list {
		if x.Junk {
			continue
		}
		c := t.Attr(x.ResNo)
		if c == nil {
			continue
		}
		ref := ColumnRef{Table: t.OID, Column: c.Number, Assigned: true}
		for _, e := range h.sources(q, x.Expr) {
			if p := paramOf(e); p != nil {
				h.name(p, c.Name, rankAssigned)
				h.target(p, ref)
			} else if p := fallbackOf(e); p != nil {
				h.name(p, c.Name, rankAssigned)
			}
		}
	}
}

// sources are the expressions that an assigned value can come from: itself, or
// the column of VALUES or of a subquery behind it.
func (h *hinter) sources(q *query.Query, e query.Expr) []query.Expr {
	if f, ok := e.(*query.FuncExpr); ok && f.Form == query.CoerceImplicitCast && len(f.Args) > 0 {
		e = f.Args[0]
	}
	v, ok := e.(*query.Var)
	if !ok || v.LevelsUp != 0 || v.AttNo < 1 {
		return []query.Expr{e}
	}
	var out []query.Expr
	switch r := q.RTE(v.VarNo); r.Kind {
	case query.RTEValues:
		for _, row := range r.Values {
			out = append(out, row[v.AttNo-1])
		}
	case query.RTESubquery:
		if t := targetByNo(r.Subquery.TargetList, v.AttNo); t.Expr != nil {
			out = h.sources(r.Subquery, t.Expr)
		}
	}
	return out
}

func (h *hinter) walk(e query.Expr) {
	query.Walk(e, func(x query.Expr) bool {
		switch x := x.(type) {
		case *query.OpExpr:
			h.compared(x.Args)
		case *query.DistinctExpr:
			h.compared(x.Args)
		case *query.NullIfExpr:
			h.compared(x.Args)
		case *query.ScalarArrayOpExpr:
			h.arrayCompared(x)
		case *query.RowCompareExpr:
			for i := range x.Left {
				h.compared([]query.Expr{x.Left[i], x.Right[i]})
			}
		case *query.FuncExpr:
			h.arguments(x)
		case *query.SubLink:
			h.subLink(x)
		}
		return true
	})
}

func (h *hinter) arrayCompared(x *query.ScalarArrayOpExpr) {
	h.compared(x.Args[:])
	if a, ok := x.Args[1].(*query.ArrayExpr); ok {
		for _, e := range a.Elements {
			h.compared([]query.Expr{x.Args[0], e})
		}
	}
}

func (h *hinter) compared(args []query.Expr) {
	if len(args) != 2 {
		return
	}
	for i, e := range args {
		p, fallback := paramOf(e), fallbackOf(e)
		if p == nil && fallback == nil {
			continue
		}
		name, ref := h.column(args[1-i])
		if p != nil {
			h.name(p, name, rankCompared)
			h.target(p, ref)
		} else {
			h.name(fallback, name, rankCompared)
		}
	}
}

// column names the first column that an expression uses; the reference is only
// of a plain one.
func (h *hinter) column(e query.Expr) (string, ColumnRef) {
	v := plainVar(e)
	if v == nil {
		name := ""
		query.Walk(e, func(x query.Expr) bool {
			if y, ok := x.(*query.Var); ok && name == "" {
				name, _ = h.varColumn(y)
			}
			return name == ""
		})
		return name, ColumnRef{}
	}
	return h.varColumn(v)
}

func plainVar(e query.Expr) *query.Var {
	for {
		switch x := e.(type) {
		case *query.Var:
			return x
		case *query.RelabelType:
			e = x.Arg
		case *query.CollateExpr:
			e = x.Arg
		default:
			return nil
		}
	}
}

func (h *hinter) varColumn(v *query.Var) (string, ColumnRef) {
	at := len(h.levels) - 1 - v.LevelsUp
	if at < 0 || v.AttNo < 1 {
		return "", ColumnRef{}
	}
	q := h.levels[at]
	if v.VarNo > len(q.RangeTable) {
		return "", ColumnRef{}
	}
	r := q.RTE(v.VarNo)
	if r.Kind == query.RTERelation {
		if t := h.cat.Table(r.Relation); t != nil {
			if c := t.Attr(v.AttNo); c != nil {
				return c.Name, ColumnRef{Table: t.OID, Column: c.Number}
			}
		}
	}
	if v.AttNo <= len(r.ERef.Columns) {
		name := r.ERef.Columns[v.AttNo-1]
		if r.Kind == query.RTESubquery {
			t := targetByNo(r.Subquery.TargetList, v.AttNo)
			return name, ColumnRef{Table: t.OrigTable, Column: t.OrigColumn}
		}
		return name, ColumnRef{}
	}
	return "", ColumnRef{}
}

func (h *hinter) arguments(x *query.FuncExpr) {
	f := h.cat.Func(x.Func)
	if f == nil {
		return
	}
	for i, e := range x.Args {
		p := paramOf(e)
		if p == nil {
			continue
		}
		if n, ok := e.(*query.NamedArgExpr); ok {
			h.name(p, n.Name, rankArgument)
		} else if f.Modes == nil && i < len(f.Names) {
			h.name(p, f.Names[i], rankArgument)
		}
	}
}

// subLink pairs the left side with the subquery's columns, and goes into it.
func (h *hinter) subLink(x *query.SubLink) {
	if o, ok := x.Test.(*query.OpExpr); ok && len(o.Args) == 2 {
		p := paramOf(o.Args[0])
		q, isSub := stripImplicit(o.Args[1]).(*query.Param)
		if p != nil && isSub && q.Kind == query.ParamSublink {
			t := targetByNo(x.Subselect.TargetList, q.Number)
			h.name(p, t.Name, rankCompared)
			h.target(p, ColumnRef{Table: t.OrigTable, Column: t.OrigColumn})
		}
	}
	h.query(x.Subselect)
}
