package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// windowDefinitions analyses WINDOW and OVER clauses
// (transformWindowDefinitions, parse_clause.c).
func (s *state) windowDefinitions(targets *[]*query.TargetEntry) []*query.WindowClause {
	var out []*query.WindowClause
	find := func(name string) *query.WindowClause {
		for _, w := range out {
			if w.Name != "" && w.Name == name {
				return w
			}
		}
		return nil
	}
	for i := 0; i < len(s.windowDefs); i++ {
		def := s.windowDefs[i]
		loc := int(def.Location)
		if def.Name != "" && find(def.Name) != nil {
			s.fail(errWindowing, loc, "window \"%s\" is already defined", def.Name)
		}
		var ref *query.WindowClause
		if def.Refname != "" {
			if ref = find(def.Refname); ref == nil {
				s.fail(errUndefinedObject, loc, "window \"%s\" does not exist", def.Refname)
			}
		}
		order := s.sortClause(def.OrderClause, targets, kindWindowOrder, true)
		partition, _ := s.groupClause(def.PartitionClause, targets, order, kindWindowPartition, true)
		w := &query.WindowClause{
			Name: def.Name, RefName: def.Refname, PartitionBy: partition, OrderBy: order,
			FrameOptions: int(def.FrameOptions), Ref: i + 1,
		}
		if ref != nil {
			s.inheritWindow(w, ref, def)
		}
		s.windowFrame(w, def, *targets)
		out = append(out, w)
	}
	return out
}

func (s *state) inheritWindow(w, ref *query.WindowClause, def *pg.WindowDef) {
	loc := int(def.Location)
	if len(w.PartitionBy) > 0 {
		s.fail(errWindowing, loc, "cannot override PARTITION BY clause of window \"%s\"", def.Refname)
	}
	hasOrder := len(w.OrderBy) > 0
	if hasOrder && len(ref.OrderBy) > 0 {
		s.fail(errWindowing, loc, "cannot override ORDER BY clause of window \"%s\"", def.Refname)
	}
	copyAll := func(list []*query.SortGroupClause) []*query.SortGroupClause {
		var out []*query.SortGroupClause
		for _, c := range list {
			out = append(out, copyClause(c))
		}
		return out
	}
	w.PartitionBy = copyAll(ref.PartitionBy)
	if !hasOrder {
		w.OrderBy, w.CopiedOrder = copyAll(ref.OrderBy), true
	}
	if ref.FrameOptions != query.FrameDefaults {
		hint := "Omit the parentheses in this OVER clause."
		if def.Name != "" || hasOrder || w.FrameOptions != query.FrameDefaults {
			hint = ""
		}
		s.failHint(errWindowing, loc, hint, "cannot copy window \"%s\" because it has a frame clause", def.Refname)
	}
}

const frameOffsets = query.FrameStartOffsetPreceding | query.FrameStartOffsetFollowing |
	query.FrameEndOffsetPreceding | query.FrameEndOffsetFollowing

func (s *state) windowFrame(w *query.WindowClause, def *pg.WindowDef, targets []*query.TargetEntry) {
	loc := int(def.Location)
	var family, in pgtype.OID
	if w.FrameOptions&query.FrameRange != 0 && w.FrameOptions&frameOffsets != 0 {
		if len(w.OrderBy) != 1 {
			s.fail(errWindowing, loc, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
		}
		c := w.OrderBy[0]
		key := targetByRef(c.Ref, targets).Expr
		for _, r := range s.btreeRoles(c.SortOp) {
			if r.strategy == catalog.BTLess || r.strategy == catalog.BTGreater {
				family, w.InRangeAsc = r.family, r.strategy == catalog.BTLess
				break
			}
		}
		if o := s.cat.Operator(c.SortOp); o != nil {
			in = o.Left
		}
		w.InRangeCollation, w.InRangeNullsFirst = key.ResultCollation(), c.NullsFirst
	}
	if w.FrameOptions&query.FrameGroups != 0 && len(w.OrderBy) == 0 {
		s.fail(errWindowing, loc, "GROUPS mode requires an ORDER BY clause")
	}
	w.StartOffset, w.StartInRangeFunc = s.frameOffset(w.FrameOptions, family, in, def.StartOffset)
	w.EndOffset, w.EndInRangeFunc = s.frameOffset(w.FrameOptions, family, in, def.EndOffset)
}

// frameOffset is transformFrameOffset.
func (s *state) frameOffset(options int, family, in pgtype.OID, n *pg.Node) (query.Expr, pgtype.OID) {
	if n == nil {
		return nil, 0
	}
	var e query.Expr
	var fn pgtype.OID
	construct := "ROWS"
	switch {
	case options&query.FrameRows != 0:
		e = s.coerceToSpecific(s.expr(n, kindWindowFrameRows), pgtype.Int8OID, construct)
	case options&query.FrameRange != 0:
		construct = "RANGE"
		e = s.expr(n, kindWindowFrameRange)
		var t pgtype.OID
		t, fn = s.inRange(e, family, in)
		e = s.coerceToSpecific(e, t, construct)
	default:
		construct = "GROUPS"
		e = s.coerceToSpecific(s.expr(n, kindWindowFrameGroups), pgtype.Int8OID, construct)
	}
	s.varFree(e, construct)
	return e, fn
}

// inRange chooses the in_range support function for an offset.
func (s *state) inRange(e query.Expr, family, in pgtype.OID) (t, fn pgtype.OID) {
	const inRangeProc = 3
	from := e.ResultType()
	preferred := from
	if from == pgtype.UnknownOID {
		preferred = in
	}
	funcs, matches := 0, 0
	for _, p := range s.cat.AmProcs(family) {
		if p.Number != inRangeProc || p.Left != in {
			continue
		}
		funcs++
		if !s.canCoerce1(from, p.Right, implicit) {
			continue
		}
		matches++
		if t != preferred {
			t, fn = p.Right, p.Func
		}
	}
	const what = "RANGE with offset PRECEDING/FOLLOWING "
	switch {
	case funcs == 0:
		s.fail(errFeatureNotSupported, exprLoc(e), what+"is not supported for column type %s", s.format(in))
	case matches == 0:
		s.failHint(errFeatureNotSupported, exprLoc(e), "Cast the offset value to an appropriate type.",
			what+"is not supported for column type %s and offset type %s", s.format(in), s.format(from))
	case matches != 1 && t != preferred:
		s.failHint(errFeatureNotSupported, exprLoc(e), "Cast the offset value to the exact intended type.",
			what+"has multiple interpretations for column type %s and offset type %s", s.format(in), s.format(from))
	}
	return t, fn
}
