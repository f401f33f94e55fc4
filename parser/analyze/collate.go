package analyze

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// collateStrength says how sure a collation is (CollateStrength,
// parse_collate.c).
type collateStrength int

const (
	collateNone collateStrength = iota
	collateImplicit
	collateConflict
	collateExplicit
)

// collation is a derived collation and where it came from.
type collation struct {
	oid      pgtype.OID
	strength collateStrength
	loc      int
	otherOID pgtype.OID // of a conflict
	otherLoc int
}

// assignQueryCollations gives every expression of a finished query its
// collation (assign_query_collations).
func (s *state) assignQueryCollations(q *query.Query) {
	for _, list := range [][]*query.TargetEntry{q.TargetList, q.Returning} {
		s.assignTargets(list)
	}
	if q.OnConflict != nil {
		s.assignTargets(q.OnConflict.Set)
		s.assignTargets(q.OnConflict.ExclTarget)
	}
	for _, m := range q.MergeActions {
		s.assignTargets(m.TargetList)
	}
	// What is left are expressions that stand alone. Those of the range table
	// were done as it was built.
	saved := q.RangeTable
	q.RangeTable = nil
	q.EachExpr(func(e *query.Expr) { s.assignCollations(*e) })
	q.RangeTable = saved
}

func (s *state) assignTargets(list []*query.TargetEntry) {
	for _, t := range list {
		var c collation
		s.collateTarget(t, &c)
	}
}

func (s *state) assignList(list []query.Expr) {
	for _, e := range list {
		s.assignCollations(e)
	}
}

// assignCollations is assign_expr_collations.
func (s *state) assignCollations(e query.Expr) {
	var c collation
	s.collate(e, &c)
}

// commonCollation is select_common_collation.
func (s *state) commonCollation(list []query.Expr, noneOK bool) pgtype.OID {
	var c collation
	for _, e := range list {
		s.collate(e, &c)
	}
	if c.strength == collateConflict {
		if noneOK {
			return 0
		}
		s.failConflict(&c)
	}
	return c.oid
}

func (s *state) failConflict(c *collation) {
	s.failHint(errCollationMismatch, c.otherLoc, "You can choose the collation by applying the COLLATE clause to one or both expressions.",
		"collation mismatch between implicit collations \"%s\" and \"%s\"", s.collationName(c.oid), s.collationName(c.otherOID))
}

// merge is merge_collation_state.
func (s *state) merge(into *collation, c collation) {
	switch {
	case c.strength > into.strength:
		*into = c
	case c.strength < into.strength:
	case c.strength == collateImplicit && c.oid != into.oid:
		if into.oid == pgtype.DefaultCollation {
			*into = c
		} else if c.oid != pgtype.DefaultCollation {
			into.strength, into.otherOID, into.otherLoc = collateConflict, c.oid, c.loc
		}
	case c.strength == collateExplicit && c.oid != into.oid:
		s.fail(errCollationMismatch, c.loc, "collation mismatch between explicit collations \"%s\" and \"%s\"",
			s.collationName(into.oid), s.collationName(c.oid))
	}
}

func (s *state) collateTarget(t *query.TargetEntry, up *collation) {
	var c collation
	s.collate(t.Expr, &c)
	if c.strength == collateConflict && t.SortGroupRef != 0 {
		s.failConflict(&c)
	}
	s.merge(up, c)
}

// collate assigns an expression's collation and merges it into its parent's
// (assign_collations_walker).
func (s *state) collate(e query.Expr, up *collation) {
	if e == nil {
		return
	}
	var in collation
	children := func() {
		for _, c := range query.Children(e) {
			s.collate(c, &in)
		}
	}
	var out collation
	switch x := e.(type) {
	case *query.CollateExpr:
		children()
		out = collation{oid: x.Coll, strength: collateExplicit, loc: locOf(x.Loc)}
	case *query.FieldSelect:
		children()
		if x.Coll != 0 {
			out = collation{oid: x.Coll, strength: collateImplicit, loc: exprLoc(e)}
		}
	case *query.RowExpr:
		s.assignList(x.Args)
		return
	case *query.RowCompareExpr:
		x.InputColls = nil
		for i := range x.Left {
			x.InputColls = append(x.InputColls, s.commonCollation([]query.Expr{x.Left[i], x.Right[i]}, true))
		}
		return
	case *query.CoerceToDomain:
		children()
		switch tc := s.typeCollation(x.Typ); tc {
		case 0:
		case pgtype.DefaultCollation:
			out = in
		default:
			out = collation{oid: tc, strength: collateImplicit, loc: exprLoc(e)}
		}
		x.Coll = out.oid
		if out.strength == collateConflict {
			x.Coll = 0
		}
	case *query.InferenceElem:
		children()
		return
	case *query.Var, *query.Const, *query.Param, *query.CoerceToDomainValue, *query.CaseTestExpr,
		*query.SetToDefault, *query.CurrentOfExpr:
		if oid := e.ResultCollation(); oid != 0 {
			out = collation{oid: oid, strength: collateImplicit, loc: exprLoc(e)}
		}
	default:
		out = s.collateOther(e, &in, children)
	}
	s.merge(up, out)
}

// collateOther is the walker's default case: the collation comes from the
// inputs, or from the type where they have none.
func (s *state) collateOther(e query.Expr, in *collation, children func()) collation {
	switch x := e.(type) {
	case *query.Aggref:
		s.collateAggregate(x, in)
		s.assignCollations(x.Filter)
	case *query.WindowFunc:
		for _, a := range x.Args {
			s.collate(a, in)
		}
		s.assignCollations(x.Filter)
	case *query.CaseExpr:
		for _, w := range x.Whens {
			s.collate(w.Cond, in)
			s.collate(w.Result, in)
		}
		s.collate(x.Default, in)
	case *query.SubscriptingRef:
		s.assignList(x.Upper)
		s.assignList(x.Lower)
		s.collate(x.Container, in)
		s.collate(x.Assign, in)
	case *query.SubLink:
		children()
		s.collateSubquery(x.Subselect, in)
	default:
		children()
	}
	var out collation
	if tc := s.typeCollation(e.ResultType()); tc != 0 {
		if out = *in; in.strength == collateNone {
			out = collation{oid: tc, strength: collateImplicit, loc: exprLoc(e)}
		}
	}
	coll, input := out.oid, in.oid
	if out.strength == collateConflict {
		coll = 0
	}
	if in.strength == collateConflict {
		input = 0
	}
	s.setCollation(e, coll, input)
	return out
}

// collateSubquery takes the first column's collation of a sublink's query.
func (s *state) collateSubquery(q *query.Query, in *collation) {
	if len(q.TargetList) == 0 || q.TargetList[0].Junk {
		return
	}
	e := q.TargetList[0].Expr
	s.merge(in, collation{oid: e.ResultCollation(), strength: collateImplicit, loc: exprLoc(e)})
}

func (s *state) collateAggregate(x *query.Aggref, in *collation) {
	if x.Kind == query.AggNormal {
		for _, t := range x.Args {
			if t.Junk {
				s.assignTargets([]*query.TargetEntry{t})
			} else {
				s.collateTarget(t, in)
			}
		}
		return
	}
	f := s.cat.Func(x.Func)
	mergeSort := len(x.Args) == 1 && (f == nil || f.Variadic == 0)
	if x.Kind == query.AggOrderedSet {
		for _, a := range x.DirectArgs {
			s.collate(a, in)
		}
		for _, t := range x.Args {
			if mergeSort {
				s.collateTarget(t, in)
			} else {
				s.assignTargets([]*query.TargetEntry{t})
			}
		}
		return
	}
	extra := max(len(x.DirectArgs)-len(x.Args), 0)
	for _, a := range x.DirectArgs[:extra] {
		s.collate(a, in)
	}
	for i, a := range x.DirectArgs[extra:] {
		t := x.Args[i]
		var pair collation
		s.collate(a, &pair)
		s.collate(t.Expr, &pair)
		if pair.strength == collateConflict {
			s.failConflict(&pair)
		}
		if pair.oid != 0 && pair.oid != t.Expr.ResultCollation() {
			t.Expr = s.relabel(t.Expr, t.Expr.ResultType(), t.Expr.ResultTypmod(), pair.oid, query.CoerceImplicitCast, noLoc)
		}
		if mergeSort {
			s.merge(in, pair)
		}
	}
}

// setCollation stores what was derived (exprSetCollation and
// exprSetInputCollation, nodeFuncs.c).
func (s *state) setCollation(e query.Expr, coll, input pgtype.OID) {
	switch x := e.(type) {
	case *query.Aggref:
		x.Coll, x.InputColl = coll, input
	case *query.WindowFunc:
		x.Coll, x.InputColl = coll, input
	case *query.FuncExpr:
		x.Coll, x.InputColl = coll, input
	case *query.OpExpr:
		x.Coll, x.InputColl = coll, input
	case *query.DistinctExpr:
		x.Coll, x.InputColl = coll, input
	case *query.NullIfExpr:
		x.Coll, x.InputColl = coll, input
	case *query.ScalarArrayOpExpr:
		x.InputColl = input
	case *query.MinMaxExpr:
		x.Coll, x.InputColl = coll, input
	case *query.SubscriptingRef:
		x.Coll = coll
	case *query.NamedArgExpr:
		x.Coll = coll
	case *query.SubLink:
		if x.Kind == query.ExprSubLink || x.Kind == query.ArraySubLink {
			x.Coll = coll
		}
	case *query.RelabelType:
		x.Coll = coll
	case *query.CoerceViaIO:
		x.Coll = coll
	case *query.ArrayCoerceExpr:
		x.Coll = coll
	case *query.CaseExpr:
		x.Coll = coll
	case *query.ArrayExpr:
		x.Coll = coll
	case *query.CoalesceExpr:
		x.Coll = coll
	case *query.SQLValueFunction:
		// Its collation follows from its type: C for names.
		if x.Typ == pgtype.NameOID {
			x.Coll = pgtype.CCollation
		}
	case *query.XMLExpr:
		x.Coll = coll
	case *query.JSONExpr:
		x.Coll = coll
	}
}
