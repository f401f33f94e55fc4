package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// column finds a column to assign to; 0 if there is none (attnameAttNum).
func columnNumber(t *catalog.Table, name string, system bool) int {
	if c := t.Column(name); c != nil {
		return c.Number
	}
	if c := systemColumn(name); c != nil && system {
		return c.Number
	}
	return 0
}

// assigned coerces a value to the column that it is assigned to
// (transformAssignedExpr, parse_target.c).
func (s *state) assigned(e query.Expr, kind exprKind, name string, number int, ind []*pg.Node, loc int) query.Expr {
	save := s.kind
	s.kind = kind
	defer func() { s.kind = save }()
	if number <= 0 {
		s.fail(errFeatureNotSupported, loc, "cannot assign to system column \"%s\"", name)
	}
	c := s.target.Columns[number-1]
	if d, ok := e.(*query.SetToDefault); ok {
		d.Typ, d.Mod, d.Coll = c.Type, c.Typmod, c.Collation
		if len(ind) > 0 {
			if ind[0].GetAIndices() != nil {
				s.fail(errFeatureNotSupported, loc, "cannot set an array element to DEFAULT")
			}
			s.fail(errFeatureNotSupported, loc, "cannot set a subfield to DEFAULT")
		}
	}
	if len(ind) > 0 {
		var base query.Expr
		if s.isInsert {
			n := s.nullConst(c.Type)
			n.Mod, n.Coll = c.Typmod, c.Collation
			base = n
		} else {
			v := &query.Var{VarNo: s.targetItem.index, AttNo: number, SynNo: s.targetItem.index, SynAttNo: number}
			v.Header = query.Header{Typ: c.Type, Mod: c.Typmod, Coll: c.Collation, Loc: s.span(loc)}
			base = v
		}
		return s.assignPath(base, name, false, c.Type, c.Typmod, c.Collation, ind, e, assignment, loc)
	}
	r := s.coerceToTarget(e, c.Type, c.Typmod, assignment, query.CoerceImplicitCast, noLoc)
	if r == nil {
		s.failHint(errDatatypeMismatch, exprLoc(e), "You will need to rewrite or cast the expression.",
			"column \"%s\" is of type %s but expression is of type %s", name, s.format(c.Type), s.format(e.ResultType()))
	}
	return r
}

// assignPath builds the assignment to fields and elements
// (transformAssignmentIndirection).
func (s *state) assignPath(base query.Expr, name string, subscripting bool, t pgtype.OID, mod pgtype.Typmod, coll pgtype.OID, ind []*pg.Node, rhs query.Expr, ctx coercionContext, loc int) query.Expr {
	if len(ind) > 0 && base == nil {
		c := &query.CaseTestExpr{}
		c.Typ, c.Mod, c.Coll = t, mod, coll
		base = c
	}
	var subscripts []*pg.A_Indices
	for i, n := range ind {
		if x := n.GetAIndices(); x != nil {
			subscripts = append(subscripts, x)
			continue
		}
		if n.GetAStar() != nil {
			s.fail(errFeatureNotSupported, loc, "row expansion via \"*\" is not supported here")
		}
		if len(subscripts) > 0 {
			return s.assignSubscripts(base, name, t, mod, coll, subscripts, ind[i:], rhs, ctx, loc)
		}
		return s.assignField(base, name, n.GetString_().GetSval(), t, mod, ind[i+1:], rhs, ctx, loc)
	}
	if len(subscripts) > 0 {
		return s.assignSubscripts(base, name, t, mod, coll, subscripts, nil, rhs, ctx, loc)
	}
	r := s.coerceToTarget(rhs, t, mod, ctx, query.CoerceImplicitCast, noLoc)
	if r == nil {
		format := "subfield \"%s\" is of type %s but expression is of type %s"
		if subscripting {
			format = "subscripted assignment to \"%s\" requires type %s but expression is of type %s"
		}
		s.failHint(errDatatypeMismatch, loc, "You will need to rewrite or cast the expression.", format, name, s.format(t), s.format(rhs.ResultType()))
	}
	return r
}

func (s *state) assignField(base query.Expr, name, field string, t pgtype.OID, mod pgtype.Typmod, rest []*pg.Node, rhs query.Expr, ctx coercionContext, loc int) query.Expr {
	bt, bm := s.cat.BaseTypeAndTypmod(t, mod)
	rel := s.rowRelation(bt)
	if rel == nil {
		s.fail(errDatatypeMismatch, loc, "cannot assign to field \"%s\" of column \"%s\" because its type %s is not a composite type", field, name, s.format(t))
	}
	c := rel.Column(field)
	if c == nil {
		if systemColumn(field) != nil && rel.Kind != catalog.KindComposite {
			s.fail(errUndefinedColumn, loc, "cannot assign to system column \"%s\"", field)
		}
		s.fail(errUndefinedColumn, loc, "cannot assign to field \"%s\" of column \"%s\" because there is no such column in data type %s", field, name, s.format(t))
	}
	v := s.assignPath(nil, field, false, c.Type, c.Typmod, c.Collation, rest, rhs, ctx, loc)
	f := &query.FieldStore{Arg: base, New: []query.Expr{v}, Fields: []int{c.Number}}
	f.Header = query.Header{Typ: bt, Mod: -1, Loc: base.Span()}
	if bt != t {
		return s.coerceToDomain(f, bt, bm, t, implicit, query.CoerceImplicitCast, loc, false)
	}
	return f
}

// assignSubscripts is transformAssignmentSubscripts.
func (s *state) assignSubscripts(base query.Expr, name string, t pgtype.OID, mod pgtype.Typmod, coll pgtype.OID, subs []*pg.A_Indices, rest []*pg.Node, rhs query.Expr, ctx coercionContext, loc int) query.Expr {
	ct, cm := s.containerType(t, mod)
	r := s.subscript(base, ct, cm, subs, true)
	if ct != t {
		coll = s.typeCollation(ct)
	}
	r.Assign = s.assignPath(nil, name, true, r.Typ, r.Mod, coll, rest, rhs, ctx, loc)
	r.Typ, r.Mod = ct, cm
	if ct == t {
		return r
	}
	e := s.coerceToTarget(r, t, mod, ctx, query.CoerceImplicitCast, noLoc)
	if e == nil {
		s.fail(errCannotCoerce, loc, "cannot cast type %s to %s", s.format(ct), s.format(t))
	}
	return e
}

// multiAssign is a source of (a, b) = … while its columns are analysed.
type multiAssign struct {
	entry *query.TargetEntry // junk, of a sublink
	sub   *query.SubLink
	row   *query.RowExpr
	id    int
}

// multiAssignRef is transformMultiAssignRef.
func (s *state) multiAssignRef(n *pg.MultiAssignRef) query.Expr {
	if n.Colno == 1 {
		s.startMultiAssign(n)
	}
	m := s.multi[len(s.multi)-1]
	if m.sub != nil {
		t := visibleTargets(m.sub.Subselect)[n.Colno-1]
		p := &query.Param{Kind: query.ParamMultiExpr, Number: m.id<<16 | int(n.Colno)}
		p.Header = query.Header{Typ: t.Expr.ResultType(), Mod: t.Expr.ResultTypmod(), Coll: t.Expr.ResultCollation(), Loc: s.span(exprLoc(t.Expr))}
		return p
	}
	e := m.row.Args[n.Colno-1]
	if n.Colno == n.Ncolumns {
		s.multi = s.multi[:len(s.multi)-1]
	}
	return e
}

func (s *state) startMultiAssign(n *pg.MultiAssignRef) {
	m := &multiAssign{id: len(s.multi) + 1}
	mismatch := func(loc int) {
		s.fail(errSyntax, loc, "number of columns does not match number of values")
	}
	if sub := n.Source.GetSubLink(); sub != nil && sub.SubLinkType == pg.SubLinkType_EXPR_SUBLINK {
		m.sub = s.subLinkAs(sub, query.MultiExprSubLink, nil, nil, int(sub.Location))
		m.sub.ID = m.id
		if len(visibleTargets(m.sub.Subselect)) != int(n.Ncolumns) {
			mismatch(int(sub.Location))
		}
		m.entry = &query.TargetEntry{Expr: m.sub, Junk: true, Loc: m.sub.Loc}
	} else if row := n.Source.GetRowExpr(); row != nil {
		m.row = s.rowExpr(row, true)
		if len(m.row.Args) != int(n.Ncolumns) {
			mismatch(int(row.Location))
		}
	} else {
		s.fail(errFeatureNotSupported, rawLoc(n.Source), "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
	}
	s.multi = append(s.multi, m)
}
