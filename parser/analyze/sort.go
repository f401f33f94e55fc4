package analyze

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// where analyses a condition (transformWhereClause, parse_clause.c).
func (s *state) where(n *pg.Node, kind exprKind, construct string) query.Expr {
	if n == nil {
		return nil
	}
	return s.coerceToBoolean(s.expr(n, kind), construct)
}

// limit is transformLimitClause.
func (s *state) limit(n *pg.Node, kind exprKind, ties bool) query.Expr {
	if n == nil {
		return nil
	}
	e := s.coerceToSpecific(s.expr(n, kind), pgtype.Int8OID, kind.String())
	s.varFree(e, kind.String())
	if ties && kind == kindLimit && isNullConst(n) {
		s.fail(errInvalidLimit, noLoc, "row count cannot be null in FETCH FIRST ... WITH TIES clause")
	}
	return e
}

func (s *state) varFree(e query.Expr, construct string) {
	if hasVars(e, 0) {
		s.fail(errInvalidColumnRef, locateVar([]query.Expr{e}, 0), "argument of %s must not contain variables", construct)
	}
}

// findTarget92 finds what an item of ORDER BY, GROUP BY or DISTINCT ON means by
// SQL-92: an output column's name or number, else an expression
// (findTargetlistEntrySQL92).
func (s *state) findTarget92(n *pg.Node, list *[]*query.TargetEntry, kind exprKind) *query.TargetEntry {
	if c := n.GetColumnRef(); c != nil {
		if names, star := fieldNames(c); len(names) == 1 && !star {
			if t := s.targetNamed(names[0], int(c.Location), *list, kind); t != nil {
				return t
			}
		}
	}
	if c := n.GetAConst(); c != nil {
		loc := int(c.Location)
		v, ok := c.Val.(*pg.A_Const_Ival)
		if !ok {
			s.fail(errSyntax, loc, "non-integer constant in %s", kind)
		}
		at := 0
		for _, t := range *list {
			if t.Junk {
				continue
			}
			if at++; at == int(v.Ival.Ival) {
				s.checkTarget92(t, kind)
				return t
			}
		}
		s.fail(errInvalidColumnRef, loc, "%s position %d is not in select list", kind, v.Ival.Ival)
	}
	return s.findTarget99(n, list, kind)
}

func (s *state) targetNamed(name string, loc int, list []*query.TargetEntry, kind exprKind) *query.TargetEntry {
	if kind == kindGroupBy && s.nameToVar(name, true, loc) != nil {
		return nil
	}
	var found *query.TargetEntry
	for _, t := range list {
		if t.Junk || t.Name != name {
			continue
		}
		if found == nil {
			found = t
		} else if !query.Equal(found.Expr, t.Expr) {
			s.fail(errAmbiguousColumn, loc, "%s \"%s\" is ambiguous", kind, name)
		}
	}
	if found != nil {
		s.checkTarget92(found, kind)
	}
	return found
}

func (s *state) checkTarget92(t *query.TargetEntry, kind exprKind) {
	if kind != kindGroupBy {
		return
	}
	list := []query.Expr{t.Expr}
	if s.hasAggs && hasAggs(t.Expr, 0) {
		s.fail(errGrouping, locateAgg(list, 0), "aggregate functions are not allowed in %s", kind)
	}
	if s.hasWindowFuncs && hasWindows(t.Expr) {
		s.fail(errWindowing, locateWindow(list), "window functions are not allowed in %s", kind)
	}
}

// findTarget99 finds an equal target or adds a junk one
// (findTargetlistEntrySQL99).
func (s *state) findTarget99(n *pg.Node, list *[]*query.TargetEntry, kind exprKind) *query.TargetEntry {
	e := s.expr(n, kind)
	for _, t := range *list {
		if query.Equal(e, stripImplicit(t.Expr)) {
			return t
		}
	}
	t := s.targetEntry(n, e, kind, "", true)
	*list = append(*list, t)
	return t
}

// stripImplicit is strip_implicit_coercions (nodeFuncs.c).
func stripImplicit(e query.Expr) query.Expr {
	switch x := e.(type) {
	case *query.FuncExpr:
		if x.Form == query.CoerceImplicitCast {
			return stripImplicit(x.Args[0])
		}
	case *query.RelabelType:
		if x.Form == query.CoerceImplicitCast {
			return stripImplicit(x.Arg)
		}
	case *query.CoerceViaIO:
		if x.Form == query.CoerceImplicitCast {
			return stripImplicit(x.Arg)
		}
	case *query.ArrayCoerceExpr:
		if x.Form == query.CoerceImplicitCast {
			return stripImplicit(x.Arg)
		}
	case *query.ConvertRowtypeExpr:
		if x.Form == query.CoerceImplicitCast {
			return stripImplicit(x.Arg)
		}
	case *query.CoerceToDomain:
		if x.Form == query.CoerceImplicitCast {
			return stripImplicit(x.Arg)
		}
	}
	return e
}

// sortClause is transformSortClause.
func (s *state) sortClause(list []*pg.Node, targets *[]*query.TargetEntry, kind exprKind, sql99 bool) []*query.SortGroupClause {
	var out []*query.SortGroupClause
	for _, n := range list {
		by := n.GetSortBy()
		var t *query.TargetEntry
		if sql99 {
			t = s.findTarget99(by.Node, targets, kind)
		} else {
			t = s.findTarget92(by.Node, targets, kind)
		}
		out = s.addToSortList(t, out, *targets, by)
	}
	return out
}

func (s *state) knownType(t *query.TargetEntry) pgtype.OID {
	if t.Expr.ResultType() == pgtype.UnknownOID {
		t.Expr = s.coerceType(t.Expr, pgtype.UnknownOID, pgtype.TextOID, -1, implicit, query.CoerceImplicitCast, noLoc)
		return pgtype.TextOID
	}
	return t.Expr.ResultType()
}

// addToSortList is addTargetToSortList.
func (s *state) addToSortList(t *query.TargetEntry, list []*query.SortGroupClause, targets []*query.TargetEntry, by *pg.SortBy) []*query.SortGroupClause {
	typ := s.knownType(t)
	loc := int(by.Location)
	if loc < 0 {
		loc = rawLoc(by.Node)
	}
	var sortOp, eqOp pgtype.OID
	var hashable, reverse bool
	s.at(loc, func() {
		switch by.SortbyDir {
		case pg.SortByDir_SORTBY_DESC:
			o := s.sortOperators(typ, false, true, true)
			sortOp, eqOp, hashable, reverse = o.gt, o.eq, o.hashable, true
		case pg.SortByDir_SORTBY_USING:
			sortOp, eqOp, reverse = s.sortUsing(stringsOf(by.UseOp), typ)
			o := s.cat.Operator(eqOp)
			hashable = o != nil && o.CanHash
		default:
			o := s.sortOperators(typ, true, true, false)
			sortOp, eqOp, hashable = o.lt, o.eq, o.hashable
		}
	})
	if s.inSortList(t, sortOp, list) {
		return list
	}
	c := &query.SortGroupClause{Ref: assignRef(t, targets), EqOp: eqOp, SortOp: sortOp, Hashable: hashable, Descending: reverse, NullsFirst: reverse}
	switch by.SortbyNulls {
	case pg.SortByNulls_SORTBY_NULLS_FIRST:
		c.NullsFirst = true
	case pg.SortByNulls_SORTBY_NULLS_LAST:
		c.NullsFirst = false
	}
	return append(list, c)
}

// sortUsing resolves ORDER BY … USING operator.
func (s *state) sortUsing(names []string, t pgtype.OID) (op, eq pgtype.OID, reverse bool) {
	o := s.operator(names, t, t, noLoc)
	if !s.cat.BinaryCoercible(t, o.Left) || !s.cat.BinaryCoercible(t, o.Right) {
		s.fail(errUndefinedFunction, noLoc, "operator requires run-time type coercion: %s %s %s", s.format(t), names[len(names)-1], s.format(t))
	}
	for _, r := range s.btreeRoles(o.OID) {
		if r.strategy == catalog.BTLess || r.strategy == catalog.BTGreater {
			return o.OID, s.cat.OpFamilyMember(r.family, o.Left, o.Right, catalog.BTEqual), r.strategy == catalog.BTGreater
		}
	}
	s.failHint(errWrongObjectType, noLoc, "Ordering operators must be \"<\" or \">\" members of btree operator families.",
		"operator %s is not a valid ordering operator", names[len(names)-1])
	return 0, 0, false
}

// addToGroupList is addTargetToGroupList.
func (s *state) addToGroupList(t *query.TargetEntry, list []*query.SortGroupClause, targets []*query.TargetEntry, loc int) []*query.SortGroupClause {
	typ := s.knownType(t)
	if s.inSortList(t, 0, list) {
		return list
	}
	var o sortOperators
	s.at(loc, func() { o = s.sortOperators(typ, false, true, false) })
	return append(list, &query.SortGroupClause{Ref: assignRef(t, targets), EqOp: o.eq, SortOp: o.lt, Hashable: o.hashable})
}

// assignRef is assignSortGroupRef.
func assignRef(t *query.TargetEntry, list []*query.TargetEntry) int {
	if t.SortGroupRef == 0 {
		top := 0
		for _, x := range list {
			top = max(top, x.SortGroupRef)
		}
		t.SortGroupRef = top + 1
	}
	return t.SortGroupRef
}

// inSortList is targetIsInSortList.
func (s *state) inSortList(t *query.TargetEntry, op pgtype.OID, list []*query.SortGroupClause) bool {
	return t.SortGroupRef != 0 && slices.ContainsFunc(list, func(c *query.SortGroupClause) bool {
		if c.Ref != t.SortGroupRef {
			return false
		}
		o := s.cat.Operator(c.SortOp)
		return op == 0 || op == c.SortOp || o != nil && o.Commutator == op
	})
}

func copyClause(c *query.SortGroupClause) *query.SortGroupClause {
	n := *c
	return &n
}

// distinctClause is transformDistinctClause.
func (s *state) distinctClause(targets *[]*query.TargetEntry, sort []*query.SortGroupClause, isAgg bool) []*query.SortGroupClause {
	var out []*query.SortGroupClause
	for _, c := range sort {
		t := targetByRef(c.Ref, *targets)
		if t.Junk {
			msg := "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
			if isAgg {
				msg = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list"
			}
			s.fail(errInvalidColumnRef, exprLoc(t.Expr), "%s", msg)
		}
		out = append(out, copyClause(c))
	}
	for _, t := range *targets {
		if !t.Junk {
			out = s.addToGroupList(t, out, *targets, exprLoc(t.Expr))
		}
	}
	if len(out) == 0 {
		if isAgg {
			s.fail(errSyntax, noLoc, "an aggregate with DISTINCT must have at least one argument")
		}
		s.fail(errSyntax, noLoc, "SELECT DISTINCT must have at least one column")
	}
	return out
}

// distinctOn is transformDistinctOnClause.
func (s *state) distinctOn(list []*pg.Node, targets *[]*query.TargetEntry, sort []*query.SortGroupClause) []*query.SortGroupClause {
	var refs []int
	for _, n := range list {
		refs = append(refs, assignRef(s.findTarget92(n, targets, kindDistinctOn), *targets))
	}
	mismatch := func(loc int) {
		s.fail(errInvalidColumnRef, loc, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
	}
	var out []*query.SortGroupClause
	skipped := false
	for _, c := range sort {
		i := slices.Index(refs, c.Ref)
		if i < 0 {
			skipped = true
			continue
		}
		if skipped {
			mismatch(rawLoc(list[i]))
		}
		out = append(out, copyClause(c))
	}
	for i, ref := range refs {
		t := targetByRef(ref, *targets)
		if s.inSortList(t, 0, out) {
			continue
		}
		if skipped {
			mismatch(rawLoc(list[i]))
		}
		out = s.addToGroupList(t, out, *targets, rawLoc(list[i]))
	}
	return out
}
