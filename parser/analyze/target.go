package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func (s *state) newTarget(e query.Expr, name string, junk bool) *query.TargetEntry {
	t := &query.TargetEntry{Expr: e, ResNo: s.nextResNo, Name: name, Junk: junk, Loc: e.Span()}
	s.nextResNo++
	return t
}

// targetEntry analyses one item of a target list (transformTargetEntry,
// parse_target.c). e is given where it is analysed already.
func (s *state) targetEntry(n *pg.Node, e query.Expr, kind exprKind, name string, junk bool) *query.TargetEntry {
	if e == nil {
		if d := n.GetSetToDefault(); d != nil && kind == kindUpdateSource {
			e = s.setToDefault(d)
		} else {
			e = s.expr(n, kind)
		}
	}
	if name == "" && !junk {
		name = s.subNames.figure(n)
	}
	return s.newTarget(e, name, junk)
}

func (s *state) setToDefault(d *pg.SetToDefault) query.Expr {
	e := &query.SetToDefault{}
	e.Mod, e.Loc = -1, s.span(int(d.Location))
	return e
}

// targetList is transformTargetList.
func (s *state) targetList(list []*pg.Node, kind exprKind) []*query.TargetEntry {
	var out []*query.TargetEntry
	for _, n := range list {
		res := n.GetResTarget()
		if kind != kindUpdateSource {
			if stars, ok := s.expandStar(res.Val, kind); ok {
				for _, t := range stars {
					out = append(out, s.newTarget(t.expr, t.name, false))
				}
				s.noteEmbed(res, stars, out)
				continue
			}
		}
		out = append(out, s.targetEntry(res.Val, nil, kind, res.Name, false))
	}
	for _, m := range s.multi {
		out = append(out, m.entry)
	}
	s.multi = nil
	return out
}

// exprList analyses a list with stars in it (transformExpressionList).
func (s *state) exprList(list []*pg.Node, kind exprKind, allowDefault bool) []query.Expr {
	out := make([]query.Expr, 0, len(list))
	for _, n := range list {
		if stars, ok := s.expandStar(n, kind); ok {
			for _, t := range stars {
				out = append(out, t.expr)
			}
			continue
		}
		if d := n.GetSetToDefault(); d != nil && allowDefault {
			out = append(out, s.setToDefault(d))
			continue
		}
		out = append(out, s.expr(n, kind))
	}
	return out
}

type namedExpr struct {
	name string
	expr query.Expr
}

// expandStar expands *, t.* and (x).*; false if n is none of them.
func (s *state) expandStar(n *pg.Node, kind exprKind) ([]namedExpr, bool) {
	if c := n.GetColumnRef(); c != nil {
		if names, star := fieldNames(c); star {
			return s.expandColumnStar(names, int(c.Location)), true
		}
	}
	if ind := n.GetAIndirection(); ind != nil {
		last := len(ind.Indirection) - 1
		if ind.Indirection[last].GetAStar() != nil {
			save := s.kind
			s.kind = kind
			e := s.indirection(ind.Arg, ind.Indirection[:last])
			s.kind = save
			return s.expandRow(e), true
		}
	}
	return nil, false
}

// expandColumnStar is ExpandColumnRefStar.
func (s *state) expandColumnStar(names []string, loc int) []namedExpr {
	var out []namedExpr
	if len(names) == 0 {
		found := false
		for _, it := range s.namespace {
			if it.colVisible {
				found = true
				out = append(out, s.expandItem(it, 0, loc)...)
			}
		}
		if !found {
			s.fail(errSyntax, loc, "SELECT * with no tables specified is not valid")
		}
		return out
	}
	schema, rel, _, ok := splitRef(names, true)
	if !ok {
		s.fail(errSyntax, loc, "improper qualified name (too many dotted names)")
	}
	it, levels := s.refnameItem(schema, rel, loc)
	if it == nil {
		if e := s.argumentRef(names, false, loc); e != nil {
			return s.expandRow(e)
		}
		s.failMissingRTE(schema, rel, loc)
	}
	return s.expandItem(it, levels, loc)
}

func (s *state) expandItem(it *nsItem, levels, loc int) []namedExpr {
	names, vars := s.itemVars(it, levels, loc)
	if it.rte.Kind == query.RTERelation {
		it.rte.Perms.Select = true
	}
	var out []namedExpr
	for i, v := range vars {
		s.markSelect(v)
		out = append(out, namedExpr{names[i], v})
	}
	return out
}

// expandRow is ExpandRowReference.
func (s *state) expandRow(e query.Expr) []namedExpr {
	v, isVar := e.(*query.Var)
	if isVar && v.AttNo == 0 {
		return s.expandItem(s.itemAt(v.VarNo, v.LevelsUp), v.LevelsUp, locOf(v.Loc))
	}
	var attrs []attr
	if isVar && v.Typ == pgtype.RecordOID {
		attrs = s.recordAttrs(v, 0)
	} else {
		attrs = s.rowAttrs(e)
	}
	var out []namedExpr
	for i, at := range attrs {
		if !at.dropped {
			out = append(out, namedExpr{at.name, s.fieldSelect(e, i+1, at, exprLoc(e))})
		}
	}
	return out
}

// rowAttrs is get_expr_result_tupdesc (funcapi.c).
func (a *analyzer) rowAttrs(e query.Expr) []attr {
	class, attrs := a.resultType(e)
	if class == resultComposite {
		return attrs
	}
	if t := e.ResultType(); t != pgtype.RecordOID {
		a.fail(errWrongObjectType, noLoc, "type %s is not composite", a.format(t))
	}
	a.fail(errWrongObjectType, noLoc, "record type has not been registered")
	return nil
}

// recordAttrs finds the columns of a Var of type record
// (expandRecordVariable).
func (s *state) recordAttrs(v *query.Var, levels int) []attr {
	net := v.LevelsUp + levels
	r := s.rte(v.VarNo, net)
	if v.AttNo == 0 {
		var out []attr
		for _, at := range s.rteAttrs(r) {
			if !at.dropped {
				out = append(out, at)
			}
		}
		return out
	}
	var e query.Expr = v
	switch r.Kind {
	case query.RTESubquery:
		e = targetByNo(r.Subquery.TargetList, v.AttNo).Expr
		if x, ok := e.(*query.Var); ok {
			in := &state{analyzer: s.analyzer, parent: s.up(net), rtable: r.Subquery.RangeTable}
			return in.recordOrRow(x)
		}
	case query.RTEJoin:
		e = r.JoinAliasVars[v.AttNo-1]
		if x, ok := e.(*query.Var); ok {
			return s.recordAttrs(x, net)
		}
	case query.RTECTE:
		if c, _ := s.up(net + r.CTELevels).ownCTE(r.CTEName); c != nil && c.Query != nil && !r.SelfRef {
			list := cteTargets(c.Query)
			e = targetByNo(list, v.AttNo).Expr
			if x, ok := e.(*query.Var); ok {
				in := &state{analyzer: s.analyzer, parent: s.up(net + r.CTELevels), rtable: c.Query.RangeTable}
				return in.recordOrRow(x)
			}
		}
	}
	return s.rowAttrs(e)
}

func (s *state) recordOrRow(v *query.Var) []attr {
	if v.Typ == pgtype.RecordOID {
		return s.recordAttrs(v, 0)
	}
	return s.rowAttrs(v)
}

func targetByNo(list []*query.TargetEntry, n int) *query.TargetEntry {
	for _, t := range list {
		if t.ResNo == n {
			return t
		}
	}
	return &query.TargetEntry{}
}

func targetByRef(ref int, list []*query.TargetEntry) *query.TargetEntry {
	for _, t := range list {
		if t.SortGroupRef == ref {
			return t
		}
	}
	return nil
}

// resolveUnknowns makes literals of no other type text
// (resolveTargetListUnknowns).
func (s *state) resolveTargets(list []*query.TargetEntry) {
	for _, t := range list {
		if t.Expr.ResultType() == pgtype.UnknownOID {
			t.Expr = s.coerceType(t.Expr, pgtype.UnknownOID, pgtype.TextOID, -1, implicit, query.CoerceImplicitCast, noLoc)
		}
	}
}

// markOrigins notes which columns are plain table columns
// (markTargetListOrigins).
func (s *state) markOrigins(list []*query.TargetEntry) {
	for _, t := range list {
		v, ok := t.Expr.(*query.Var)
		if !ok {
			continue
		}
		r := s.rte(v.VarNo, v.LevelsUp)
		switch r.Kind {
		case query.RTERelation:
			t.OrigTable, t.OrigColumn = r.Relation, v.AttNo
		case query.RTESubquery:
			if v.AttNo != 0 {
				from := targetByNo(r.Subquery.TargetList, v.AttNo)
				t.OrigTable, t.OrigColumn = from.OrigTable, from.OrigColumn
			}
		case query.RTECTE:
			if v.AttNo == 0 || r.SelfRef {
				continue
			}
			if c, _ := s.up(v.LevelsUp + r.CTELevels).ownCTE(r.CTEName); c != nil && c.Query != nil {
				from := targetByNo(cteTargets(c.Query), v.AttNo)
				t.OrigTable, t.OrigColumn = from.OrigTable, from.OrigColumn
			}
		}
	}
}
