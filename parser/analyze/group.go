package analyze

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

const (
	int4       = pgtype.Int4OID
	recordType = pgtype.RecordOID
)

// groupCheck is what check_ungrouped_columns_context holds (parse_agg.c).
type groupCheck struct {
	s          *state
	q          *query.Query
	hasJoins   bool
	clauses    []*query.TargetEntry // of GROUP BY, join aliases flattened
	commonVars []*query.Var
	nonVar     bool
	grouped    map[int]bool // entries that are functionally grouped
	direct     bool         // inside an aggregate's direct arguments
}

// checkAggregates refuses ungrouped columns and finishes GROUPING()
// (parseCheckAggregates).
func (s *state) checkAggregates(q *query.Query) {
	var common []int
	if len(q.GroupingSets) > 0 {
		sets := ExpandGroupingSets(q.GroupingSets, q.GroupDistinct, maxGroupingSets)
		if sets == nil {
			s.fail(errTooComplex, locOf(q.GroupingSets[0].Loc), "too many grouping sets present (maximum %d)", maxGroupingSets)
		}
		common = sets[0]
		for _, set := range sets[1:] {
			common = slices.DeleteFunc(slices.Clone(common), func(r int) bool { return !slices.Contains(set, r) })
		}
		if len(sets) == 1 && len(q.GroupClause) > 0 {
			q.GroupingSets = nil
		}
	}
	g := &groupCheck{s: s, q: q, grouped: map[int]bool{}}
	selfRef := false
	for _, r := range s.rtable {
		g.hasJoins = g.hasJoins || r.Kind == query.RTEJoin
		selfRef = selfRef || r.Kind == query.RTECTE && r.SelfRef
	}
	for _, c := range q.GroupClause {
		t := targetByRef(c.Ref, q.TargetList)
		if t == nil {
			continue
		}
		flat := *t
		flat.Expr = g.flatten(t.Expr)
		g.clauses = append(g.clauses, &flat)
		v, isVar := flat.Expr.(*query.Var)
		switch {
		case !isVar:
			g.nonVar = true
		case len(q.GroupingSets) == 0 || slices.Contains(common, c.Ref):
			g.commonVars = append(g.commonVars, v)
		}
	}
	for _, t := range q.TargetList {
		g.finalizeGrouping(t.Expr, 0)
	}
	for _, t := range q.TargetList {
		g.walk(g.flatten(t.Expr), 0)
	}
	if q.Having != nil {
		g.finalizeGrouping(q.Having, 0)
		g.walk(g.flatten(q.Having), 0)
	}
	if s.hasAggs && selfRef {
		var all []query.Expr
		for _, t := range q.TargetList {
			all = append(all, t.Expr)
		}
		if q.Having != nil {
			all = append(all, q.Having)
		}
		s.fail(errInvalidRecursion, locateAgg(all, 0), "aggregate functions are not allowed in a recursive query's recursive term")
	}
}

// flatten replaces references to join columns by what they stand for
// (flatten_join_alias_vars, var.c).
func (g *groupCheck) flatten(e query.Expr) query.Expr {
	if !g.hasJoins {
		return e
	}
	return query.TransformLevels(e, func(x query.Expr, depth int) (query.Expr, bool) {
		v, ok := x.(*query.Var)
		if !ok || v.LevelsUp != depth {
			return nil, false
		}
		r := g.s.rtable[v.VarNo-1]
		if r.Kind != query.RTEJoin {
			return nil, false
		}
		raise := func(e query.Expr) query.Expr {
			e = raiseLevels(e, depth)
			if c, ok := e.(*query.Var); ok {
				n := *c
				n.Loc = v.Loc
				return &n
			}
			return e
		}
		if v.AttNo > 0 {
			return raise(g.flatten(r.JoinAliasVars[v.AttNo-1])), true
		}
		row := &query.RowExpr{Header: v.Header, Form: query.CoerceImplicitCast, ColNames: r.ERef.Columns}
		for _, a := range r.JoinAliasVars {
			row.Args = append(row.Args, raise(g.flatten(a)))
		}
		return row, true
	})
}

// raiseLevels is IncrementVarSublevelsUp for an expression of level 0.
func raiseLevels(e query.Expr, by int) query.Expr {
	if by == 0 {
		return e
	}
	return query.TransformLevels(e, func(x query.Expr, depth int) (query.Expr, bool) {
		if v, ok := x.(*query.Var); ok && v.LevelsUp >= depth {
			n := *v
			n.LevelsUp += by
			return &n, true
		}
		return nil, false
	})
}

// ofClause reports whether a Var is a grouped column.
func (g *groupCheck) ofClause(v *query.Var) *query.TargetEntry {
	for _, t := range g.clauses {
		if x, ok := t.Expr.(*query.Var); ok && x.VarNo == v.VarNo && x.AttNo == v.AttNo && x.LevelsUp == 0 {
			return t
		}
	}
	return nil
}

// walk is check_ungrouped_columns_walker.
func (g *groupCheck) walk(e query.Expr, depth int) {
	switch x := e.(type) {
	case nil, *query.Const, *query.Param:
		return
	case *query.Aggref:
		if x.LevelsUp == depth {
			g.direct = true
			for _, a := range x.DirectArgs {
				g.walk(a, depth)
			}
			g.direct = false
			return
		}
		if x.LevelsUp > depth {
			return
		}
	case *query.GroupingFunc:
		if x.LevelsUp >= depth {
			return
		}
	}
	if g.nonVar && depth == 0 {
		for _, t := range g.clauses {
			if query.Equal(e, t.Expr) {
				return
			}
		}
	}
	if v, ok := e.(*query.Var); ok {
		g.checkVar(v, depth)
		return
	}
	for _, c := range query.Children(e) {
		g.walk(c, depth)
	}
	if sub, ok := e.(*query.SubLink); ok {
		g.walkQuery(sub.Subselect, depth+1)
	}
}

func (g *groupCheck) walkQuery(q *query.Query, depth int) {
	q.EachExpr(func(e *query.Expr) { g.walk(*e, depth) })
	for _, c := range q.CTEs {
		g.walkQuery(c.Query, depth+1)
	}
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			g.walkQuery(r.Subquery, depth+1)
		}
	}
}

func (g *groupCheck) checkVar(v *query.Var, depth int) {
	if v.LevelsUp != depth {
		return
	}
	if (!g.nonVar || depth != 0) && g.ofClause(v) != nil || g.grouped[v.VarNo] {
		return
	}
	r := g.s.rtable[v.VarNo-1]
	if r.Kind == query.RTERelation && g.functionallyGrouped(v.VarNo, r) {
		g.grouped[v.VarNo] = true
		return
	}
	name := g.s.attributeName(r, v.AttNo)
	if depth != 0 {
		g.s.fail(errGrouping, locOf(v.Loc), "subquery uses ungrouped column \"%s.%s\" from outer query", r.ERef.Name, name)
	}
	detail := ""
	if g.direct {
		detail = "Direct arguments of an ordered-set aggregate must use only grouped columns."
	}
	g.s.failDetail(errGrouping, locOf(v.Loc), detail,
		"column \"%s.%s\" must appear in the GROUP BY clause or be used in an aggregate function", r.ERef.Name, name)
}

// functionallyGrouped reports whether a table's primary key is grouped
// (check_functional_grouping, pg_constraint.c).
func (g *groupCheck) functionallyGrouped(varno int, r *query.RangeTblEntry) bool {
	t := g.s.cat.Table(r.Relation)
	if t == nil {
		return false
	}
	for _, k := range t.Constraints {
		if k.Kind != catalog.ConstraintPrimary || k.Deferrable {
			continue
		}
		all := len(k.Columns) > 0
		for _, c := range k.Columns {
			all = all && slices.ContainsFunc(g.commonVars, func(v *query.Var) bool {
				return v.VarNo == varno && v.LevelsUp == 0 && v.AttNo == c
			})
		}
		if all {
			g.q.ConstraintDeps = append(g.q.ConstraintDeps, k.OID)
			return true
		}
	}
	return false
}

// attributeName is get_rte_attribute_name (parse_relation.c).
func (a *analyzer) attributeName(r *query.RangeTblEntry, n int) string {
	if n == 0 {
		return "*"
	}
	if r.Alias != nil && n > 0 && n <= len(r.Alias.Columns) {
		return r.Alias.Columns[n-1]
	}
	if n < 0 {
		for _, c := range catalog.SystemColumns() {
			if c.Number == n {
				return c.Name
			}
		}
	}
	if n > 0 && n <= len(r.ERef.Columns) {
		return r.ERef.Columns[n-1]
	}
	return ""
}

// finalizeGrouping gives GROUPING() its references
// (finalize_grouping_exprs_walker).
func (g *groupCheck) finalizeGrouping(e query.Expr, depth int) {
	if e == nil {
		return
	}
	if a, ok := e.(*query.Aggref); ok {
		if a.LevelsUp == depth {
			for _, x := range a.DirectArgs {
				g.finalizeGrouping(x, depth)
			}
			return
		}
		if a.LevelsUp > depth {
			return
		}
	}
	if f, ok := e.(*query.GroupingFunc); ok {
		if f.LevelsUp == depth {
			f.Refs = nil
			for _, x := range f.Args {
				f.Refs = append(f.Refs, g.groupingRef(g.flatten(x), depth))
			}
		}
		if f.LevelsUp > depth {
			return
		}
	}
	for _, c := range query.Children(e) {
		g.finalizeGrouping(c, depth)
	}
	if sub, ok := e.(*query.SubLink); ok {
		g.finalizeQuery(sub.Subselect, depth+1)
	}
}

func (g *groupCheck) finalizeQuery(q *query.Query, depth int) {
	q.EachExpr(func(e *query.Expr) { g.finalizeGrouping(*e, depth) })
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			g.finalizeQuery(r.Subquery, depth+1)
		}
	}
}

func (g *groupCheck) groupingRef(e query.Expr, depth int) int {
	if v, ok := e.(*query.Var); ok {
		if v.LevelsUp == depth {
			if t := g.ofClause(v); t != nil {
				return t.SortGroupRef
			}
		}
	} else if g.nonVar && depth == 0 {
		for _, t := range g.clauses {
			if query.Equal(e, t.Expr) {
				return t.SortGroupRef
			}
		}
	}
	g.s.fail(errGrouping, exprLoc(e), "arguments to GROUPING must be grouping expressions of the associated query level")
	return 0
}
