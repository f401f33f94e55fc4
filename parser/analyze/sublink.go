package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
)

func (s *state) subLink(n *pg.SubLink) query.Expr {
	kind := query.ExprSubLink
	switch n.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		kind = query.ExistsSubLink
	case pg.SubLinkType_ALL_SUBLINK:
		kind = query.AllSubLink
	case pg.SubLinkType_ANY_SUBLINK:
		kind = query.AnySubLink
	case pg.SubLinkType_ROWCOMPARE_SUBLINK:
		kind = query.RowCompareSubLink
	case pg.SubLinkType_ARRAY_SUBLINK:
		kind = query.ArraySubLink
	}
	return s.subLinkAs(n, kind, n.Testexpr, stringsOf(n.OperName), int(n.Location))
}

// subLinkAs is transformSubLink (parse_expr.c).
func (s *state) subLinkAs(n *pg.SubLink, kind query.SubLinkType, test *pg.Node, names []string, loc int) *query.SubLink {
	if what := s.kind.info().noSubLink; what != "" {
		s.fail(errFeatureNotSupported, loc, "cannot use subquery in %s", what)
	}
	s.hasSubLinks = true
	q := s.subAnalyze(n.Subselect, nil, false, true)
	r := &query.SubLink{Kind: kind, Subselect: q}
	r.Header = s.boolHeader(loc)
	columns := visibleTargets(q)
	switch kind {
	case query.ExistsSubLink:
	case query.ExprSubLink, query.ArraySubLink:
		if len(columns) != 1 {
			s.fail(errSyntax, loc, "subquery must return only one column")
		}
		e := columns[0].Expr
		s.subNames[n] = columns[0].Name
		r.Typ, r.Mod, r.Coll = e.ResultType(), e.ResultTypmod(), e.ResultCollation()
		if kind == query.ArraySubLink {
			// An array of arrays is flattened (get_promoted_array_type).
			t := s.arrayType(r.Typ)
			switch {
			case t != 0:
				r.Typ = t
			case s.elementType(r.Typ) == 0:
				s.fail(errUndefinedObject, noLoc, "could not find array type for data type %s", s.format(r.Typ))
			}
		}
	case query.MultiExprSubLink:
		r.Typ = recordType
	default:
		if len(names) == 0 {
			names = []string{"="}
		} else {
			r.OperName = names
		}
		if r.OperName == nil {
			r.OperName = names
		}
		s.subLinkTest(r, test, columns, names, loc)
	}
	return r
}

// subLinkTest compares the left side with the subquery's columns.
func (s *state) subLinkTest(r *query.SubLink, test *pg.Node, columns []*query.TargetEntry, names []string, loc int) {
	l := s.transform(test)
	left := []query.Expr{l}
	if row, ok := l.(*query.RowExpr); ok {
		left = row.Args
	}
	var right []query.Expr
	for _, t := range columns {
		p := &query.Param{Kind: query.ParamSublink, Number: t.ResNo}
		p.Typ, p.Mod, p.Coll = t.Expr.ResultType(), t.Expr.ResultTypmod(), t.Expr.ResultCollation()
		right = append(right, p)
	}
	if len(left) < len(right) {
		s.fail(errSyntax, loc, "subquery has too many columns")
	}
	if len(left) > len(right) {
		s.fail(errSyntax, loc, "subquery has too few columns")
	}
	r.Test = s.rowComparison(names, left, right, loc)
}

func visibleTargets(q *query.Query) []*query.TargetEntry {
	var out []*query.TargetEntry
	for _, t := range q.TargetList {
		if !t.Junk {
			out = append(out, t)
		}
	}
	return out
}
