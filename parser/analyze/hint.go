package analyze

import (
	"slices"
	"unicode"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// hinter looks for what parameters are about. The first place that names a
// parameter wins, of the places of the highest rank.
type hinter struct {
	cat    *catalog.Catalog
	params []Param
	rank   []int
	levels []*query.Query
}

// What a name can come from, the weakest first.
const (
	rankFunction = iota + 1 // the function that it is given to
	rankLabel               // the output column that it stands in
	rankNear                // a column that what it stands in is compared with or stored in
	rankArgument            // the argument that it is
	rankCompared            // the column that it is compared with itself
	rankAssigned            // the column that it is stored in
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
	if q.Command == query.CmdSelect {
		for _, t := range q.TargetList {
			// Of several parameters in one column none is what it is about.
			if !t.Junk && t.Name != "?column?" && externs(t.Expr) == 1 {
				h.near(t.Expr, t.Name, rankLabel)
			}
		}
	}
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			h.query(r.Subquery)
		}
		h.tableFunctions(r)
	}
}

// near names the parameters in an expression after what the whole is about.
// Subqueries and the conditions of CASE are about something else.
func (h *hinter) near(e query.Expr, name string, rank int) {
	query.Walk(e, func(x query.Expr) bool {
		switch x := x.(type) {
		case *query.Param:
			if x.Kind == query.ParamExtern {
				h.name(x, name, rank)
			}
		case *query.CaseExpr:
			for _, w := range x.Whens {
				h.near(w.Result, name, rank)
			}
			h.near(x.Default, name, rank)
			return false
		case *query.SubLink:
			return false
		}
		return true
	})
}

// externs counts the parameters in an expression.
func externs(e query.Expr) int {
	seen := map[int]bool{}
	query.Walk(e, func(x query.Expr) bool {
		if p, ok := x.(*query.Param); ok && p.Kind == query.ParamExtern {
			seen[p.Number] = true
		}
		return true
	})
	return len(seen)
}

// tableFunctions names what is unnested in FROM after its column.
func (h *hinter) tableFunctions(r *query.RangeTblEntry) {
	if r.Kind != query.RTEFunction {
		return
	}
	at := 0
	for _, f := range r.Functions {
		if x, ok := f.Expr.(*query.FuncExpr); ok && f.ColCount == 1 && at < len(r.ERef.Columns) && h.unnested(x) != nil {
			// Without an alias the column is called as the function is.
			if name := r.ERef.Columns[at]; name != h.cat.Func(x.Func).Name {
				h.near(x, name, rankArgument)
			}
		}
		at += f.ColCount
	}
}

// unnested is the parameter of unnest(parameter), nil for another call.
func (h *hinter) unnested(x *query.FuncExpr) *query.Param {
	f := h.cat.Func(x.Func)
	if f == nil || f.Name != "unnest" || len(x.Args) != 1 {
		return nil
	}
	return paramOf(x.Args[0])
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
		for _, e := range h.sources(q, x.Expr, c.Name) {
			if p := paramOf(e); p != nil {
				h.name(p, c.Name, rankAssigned)
				h.target(p, ref)
			} else if p := fallbackOf(e); p != nil {
				h.name(p, c.Name, rankAssigned)
			} else {
				h.near(e, c.Name, rankNear)
			}
		}
	}
}

// sources are the expressions that an assigned value can come from: itself, or
// the column of VALUES or of a subquery behind it. What is unnested behind it is
// named after the column that it fills.
func (h *hinter) sources(q *query.Query, e query.Expr, name string) []query.Expr {
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
			out = h.sources(r.Subquery, t.Expr, name)
		}
	case query.RTEFunction:
		at := v.AttNo
		for _, f := range r.Functions {
			if x, ok := f.Expr.(*query.FuncExpr); ok && at == 1 && f.ColCount == 1 && h.unnested(x) != nil {
				h.near(x, name, rankArgument)
			}
			at -= f.ColCount
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
			if name, _ := h.column(args[1-i]); name != "" {
				h.near(e, name, rankNear)
			}
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
	names := f.InputNames()
	for i, e := range x.Args {
		p := paramOf(e)
		if p == nil {
			continue
		}
		switch n, ok := e.(*query.NamedArgExpr); {
		case ok:
			h.name(p, n.Name, rankArgument)
		case i < len(names) && names[i] != "":
			h.name(p, names[i], rankArgument)
		case f.Name == "json_build_object" || f.Name == "jsonb_build_object":
			if k, ok := stripImplicit(x.Args[max(i-1, 0)]).(*query.Const); ok && i%2 == 1 && isName(k.Value) {
				h.name(p, k.Value, rankArgument)
			}
		case x.Form == query.CoerceExplicitCall && f.Name != "unnest":
			h.name(p, f.Name, rankFunction)
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

// isName reports whether a key can be a name as it is.
func isName(s string) bool {
	for i, c := range s {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return s != ""
}
