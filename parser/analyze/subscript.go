package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// containerType is the type that subscripts apply to (transformContainerType,
// parse_node.c).
func (a *analyzer) containerType(t pgtype.OID, mod pgtype.Typmod) (pgtype.OID, pgtype.Typmod) {
	t, mod = a.cat.BaseTypeAndTypmod(t, mod)
	switch t {
	case pgtype.Int2vectorOID:
		t = pgtype.Int2ArrayOID
	case pgtype.OidvectorOID:
		t = pgtype.OidArrayOID
	}
	return t, mod
}

// subscript builds container[…] (transformContainerSubscripts).
func (s *state) subscript(base query.Expr, container pgtype.OID, mod pgtype.Typmod, list []*pg.A_Indices, assign bool) *query.SubscriptingRef {
	if !assign {
		container, mod = s.containerType(container, mod)
	}
	t := s.typ(container)
	slice := false
	for _, i := range list {
		slice = slice || i.IsSlice
	}
	r := &query.SubscriptingRef{ContainerType: container, ElementType: t.Element, Container: base}
	r.Header = query.Header{Mod: mod, Loc: base.Span()}
	switch t.Subscript {
	case "array_subscript_handler", "raw_array_subscript_handler":
		s.arraySubscripts(r, list, slice)
		if r.Typ = r.ElementType; slice {
			r.Typ = container
		}
	case "jsonb_subscript_handler":
		s.jsonbSubscripts(r, list, slice)
		r.Typ, r.Mod, r.ElementType = pgtype.JsonbOID, -1, 0
	case "":
		s.fail(errDatatypeMismatch, exprLoc(base), "cannot subscript type %s because it does not support subscripting", s.format(container))
	default:
		s.unsupported(exprLoc(base), "subscripts by "+t.Subscript)
	}
	return r
}

// arraySubscripts is array_subscript_transform (utils/adt/arraysubs.c).
func (s *state) arraySubscripts(r *query.SubscriptingRef, list []*pg.A_Indices, slice bool) {
	index := func(n *pg.Node) query.Expr {
		if n == nil {
			return nil
		}
		e := s.expr(n, s.kind)
		c := s.coerceToTarget(e, pgtype.Int4OID, -1, assignment, query.CoerceImplicitCast, noLoc)
		if c == nil {
			s.fail(errDatatypeMismatch, rawLoc(n), "array subscript must have type integer")
		}
		return c
	}
	for _, i := range list {
		if slice {
			if l := index(i.Lidx); l != nil || i.IsSlice {
				r.Lower = append(r.Lower, l)
			} else {
				r.Lower = append(r.Lower, s.constOf(pgtype.Int4OID, "1"))
			}
		}
		r.Upper = append(r.Upper, index(i.Uidx))
	}
	const maxDim = 6
	if len(r.Upper) > maxDim {
		s.fail("54000", noLoc, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(r.Upper), maxDim)
	}
}

// jsonbSubscripts is jsonb_subscript_transform (utils/adt/jsonbsubs.c).
func (s *state) jsonbSubscripts(r *query.SubscriptingRef, list []*pg.A_Indices, slice bool) {
	for _, i := range list {
		if slice || i.Uidx == nil {
			n := i.Uidx
			if n == nil {
				n = i.Lidx
			}
			s.fail(errDatatypeMismatch, rawLoc(n), "jsonb subscript does not support slices")
		}
		e := s.expr(i.Uidx, s.kind)
		t := e.ResultType()
		target := pgtype.TextOID
		if t != pgtype.UnknownOID {
			toInt, toText := s.canCoerce1(t, pgtype.Int4OID, implicit), s.canCoerce1(t, pgtype.TextOID, implicit)
			switch {
			case toInt && toText:
				s.failHint(errDatatypeMismatch, exprLoc(e), "jsonb subscript must be coercible to only one type, integer or text.",
					"subscript type %s is not supported", s.format(t))
			case toInt:
				target = pgtype.Int4OID
			case !toText:
				s.failHint(errDatatypeMismatch, exprLoc(e), "jsonb subscript must be coercible to either integer or text.",
					"subscript type %s is not supported", s.format(t))
			}
		}
		r.Upper = append(r.Upper, s.coerceType(e, t, target, -1, implicit, query.CoerceImplicitCast, noLoc))
	}
}
