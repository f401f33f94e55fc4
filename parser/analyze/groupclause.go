package analyze

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
)

// grouper analyses GROUP BY or PARTITION BY (transformGroupClause,
// parse_clause.c).
type grouper struct {
	s       *state
	targets *[]*query.TargetEntry
	sort    []*query.SortGroupClause
	kind    exprKind
	sql99   bool
	flat    []*query.SortGroupClause
}

// rawGroup is an item of GROUP BY with nested parentheses and sets flattened:
// an expression, a list of expressions, or a grouping set.
type rawGroup struct {
	expr *pg.Node
	list []rawGroup
	set  *pg.GroupingSet
	// content are the set's items.
	content []rawGroup
}

// flatten is flatten_grouping_sets.
func flatten(n *pg.Node, top bool, sets *bool) []rawGroup {
	if r := n.GetRowExpr(); r != nil && r.RowFormat == pg.CoercionForm_COERCE_IMPLICIT_CAST {
		return flattenList(r.Args, false, nil)
	}
	if l := n.GetList(); l != nil {
		return flattenList(l.Items, top, sets)
	}
	g := n.GetGroupingSet()
	if g == nil {
		return []rawGroup{{expr: n}}
	}
	if sets != nil {
		*sets = true
	}
	if top && g.Kind == pg.GroupingSetKind_GROUPING_SET_EMPTY {
		return nil
	}
	var content []rawGroup
	for _, c := range g.Content {
		inner := c.GetGroupingSet()
		f := flatten(c, false, nil)
		switch {
		case inner != nil && inner.Kind == pg.GroupingSetKind_GROUPING_SET_SETS:
			content = append(content, f...)
		case inner == nil && (c.GetRowExpr() != nil && c.GetRowExpr().RowFormat == pg.CoercionForm_COERCE_IMPLICIT_CAST || c.GetList() != nil):
			content = append(content, rawGroup{list: f})
		default:
			content = append(content, f...)
		}
	}
	if top || g.Kind != pg.GroupingSetKind_GROUPING_SET_SETS {
		return []rawGroup{{set: g, content: content}}
	}
	return content
}

func flattenList(list []*pg.Node, top bool, sets *bool) []rawGroup {
	var out []rawGroup
	for _, n := range list {
		out = append(out, flatten(n, top, sets)...)
	}
	return out
}

// groupClause returns the clauses and, where there are any, the grouping sets.
func (s *state) groupClause(list []*pg.Node, targets *[]*query.TargetEntry, sort []*query.SortGroupClause, kind exprKind, sql99 bool) ([]*query.SortGroupClause, []*query.GroupingSet) {
	g := &grouper{s: s, targets: targets, sort: sort, kind: kind, sql99: sql99}
	hasSets := false
	items := flattenList(list, true, &hasSets)
	var sets []*query.GroupingSet
	if len(items) == 0 && hasSets {
		sets = append(sets, &query.GroupingSet{Kind: query.GroupingSetEmpty, Loc: s.span(rawListLoc(list))})
	}
	var seen []int
	for _, it := range items {
		if it.set != nil {
			sets = append(sets, g.set(it, true))
			continue
		}
		if ref := g.one(it.expr, seen, true); ref > 0 {
			seen = append(seen, ref)
			if hasSets {
				sets = append(sets, &query.GroupingSet{Kind: query.GroupingSetSimple, Refs: []int{ref}, Loc: s.span(rawLoc(it.expr))})
			}
		}
	}
	return g.flat, sets
}

// one analyses an expression and returns its reference, 0 for a repetition
// (transformGroupClauseExpr).
func (g *grouper) one(n *pg.Node, seen []int, top bool) int {
	var t *query.TargetEntry
	if g.sql99 {
		t = g.s.findTarget99(n, g.targets, g.kind)
	} else {
		t = g.s.findTarget92(n, g.targets, g.kind)
	}
	if t.SortGroupRef > 0 {
		if slices.Contains(seen, t.SortGroupRef) {
			return 0
		}
		if g.s.inSortList(t, 0, g.flat) {
			return t.SortGroupRef
		}
		for _, c := range g.sort {
			if c.Ref == t.SortGroupRef {
				n := copyClause(c)
				if !top {
					n.NullsFirst = false
				}
				g.flat = append(g.flat, n)
				return t.SortGroupRef
			}
		}
	}
	g.flat = g.s.addToGroupList(t, g.flat, *g.targets, rawLoc(n))
	return t.SortGroupRef
}

// set is transformGroupingSet.
func (g *grouper) set(r rawGroup, top bool) *query.GroupingSet {
	loc := int(r.set.Location)
	out := &query.GroupingSet{Loc: g.s.span(loc)}
	switch r.set.Kind {
	case pg.GroupingSetKind_GROUPING_SET_ROLLUP:
		out.Kind = query.GroupingSetRollup
	case pg.GroupingSetKind_GROUPING_SET_CUBE:
		out.Kind = query.GroupingSetCube
	case pg.GroupingSetKind_GROUPING_SET_SETS:
		out.Kind = query.GroupingSetSets
	default:
		out.Kind = query.GroupingSetEmpty
	}
	for _, c := range r.content {
		switch {
		case c.set != nil:
			out.Sets = append(out.Sets, g.set(c, false))
		case c.expr != nil:
			out.Sets = append(out.Sets, &query.GroupingSet{
				Kind: query.GroupingSetSimple, Refs: []int{g.one(c.expr, nil, false)}, Loc: g.s.span(rawLoc(c.expr)),
			})
		default:
			simple := &query.GroupingSet{Kind: query.GroupingSetSimple}
			var seen []int
			for _, x := range c.list {
				if simple.Loc.IsZero() {
					simple.Loc = g.s.span(rawLoc(x.expr))
				}
				if ref := g.one(x.expr, seen, false); ref > 0 {
					seen = append(seen, ref)
				}
			}
			simple.Refs = seen
			out.Sets = append(out.Sets, simple)
		}
	}
	if out.Kind == query.GroupingSetCube && len(out.Sets) > 12 {
		g.s.fail(errTooManyColumns, loc, "CUBE is limited to 12 elements")
	}
	return out
}
