package analyze

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// recursionContext says why a recursive reference may not stand where it does
// (RecursionContext, parse_cte.c); "" is fine.
type recursionContext string

const (
	recursionOK          recursionContext = ""
	recursionNonRec      recursionContext = "its non-recursive term"
	recursionSubLink     recursionContext = "a subquery"
	recursionOuterJoin   recursionContext = "an outer join"
	recursionInIntersect recursionContext = "INTERSECT"
	recursionInExcept    recursionContext = "EXCEPT"
)

// recursion walks the raw trees of WITH RECURSIVE items.
type recursion struct {
	s       *state
	items   []*cte
	current int
	inner   [][]string // names that WITH clauses further in define
	depends []map[int]bool

	context recursionContext
	refs    int
}

func (r *recursion) hidden(name string) bool {
	return slices.ContainsFunc(r.inner, func(l []string) bool { return slices.Contains(l, name) })
}

// orderRecursive finds out which items are recursive, checks their form and
// puts them in an order in which each follows what it needs
// (makeDependencyGraph, TopologicalSort, checkWellFormedRecursion).
func (s *state) orderRecursive(items []*cte) []*cte {
	r := &recursion{s: s, items: items}
	for i, c := range items {
		r.current = i
		r.depends = append(r.depends, map[int]bool{})
		r.dependencies(rawMessage(c.raw.Ctequery))
	}
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	for i := range order {
		j := i
		for j < len(order) && len(r.depends[order[j]]) > 0 {
			j++
		}
		if j == len(order) {
			s.fail(errFeatureNotSupported, int(items[order[i]].raw.Location), "mutual recursion between WITH items is not implemented")
		}
		order[i], order[j] = order[j], order[i]
		for _, k := range order[i+1:] {
			delete(r.depends[k], order[i])
		}
	}
	sorted := make([]*cte, len(items))
	for i, k := range order {
		sorted[i] = items[k]
	}
	for _, c := range sorted {
		if c.Recursive {
			r.checkForm(c)
		}
	}
	return sorted
}

// withOf is the WITH clause of a statement.
func withOf(m any) *pg.WithClause {
	switch x := m.(type) {
	case *pg.SelectStmt:
		return x.WithClause
	case *pg.InsertStmt:
		return x.WithClause
	case *pg.UpdateStmt:
		return x.WithClause
	case *pg.DeleteStmt:
		return x.WithClause
	case *pg.MergeStmt:
		return x.WithClause
	}
	return nil
}

// within visits a statement's WITH items and then the statement, with the names
// hidden that the items define.
func (r *recursion) within(w *pg.WithClause, item func(*pg.Node), body func()) {
	r.inner = append(r.inner, nil)
	top := len(r.inner) - 1
	if w.Recursive {
		for _, n := range w.Ctes {
			r.inner[top] = append(r.inner[top], n.GetCommonTableExpr().Ctename)
		}
	}
	for _, n := range w.Ctes {
		item(n.GetCommonTableExpr().Ctequery)
		if !w.Recursive {
			r.inner[top] = append(r.inner[top], n.GetCommonTableExpr().Ctename)
		}
	}
	body()
	r.inner = r.inner[:top]
}

// dependencies is makeDependencyGraphWalker.
func (r *recursion) dependencies(m protoreflect.Message) {
	if !m.IsValid() {
		return
	}
	children := func() { eachMessage(m, r.dependencies) }
	x := m.Interface()
	switch n := x.(type) {
	case *pg.RangeVar:
		if n.Schemaname != "" || r.hidden(n.Relname) {
			return
		}
		for i, c := range r.items {
			if c.Name != n.Relname {
				continue
			}
			if i == r.current {
				c.Recursive = true
			} else {
				r.depends[r.current][i] = true
			}
			break
		}
		return
	case *pg.WithClause:
		return
	}
	if w := withOf(x); w != nil {
		r.within(w, func(n *pg.Node) { r.dependencies(rawMessage(n)) }, children)
		return
	}
	children()
}

// checkForm is checkWellFormedRecursion for one item.
func (r *recursion) checkForm(c *cte) {
	s, loc := r.s, int(c.raw.Location)
	sel := c.raw.Ctequery.GetSelectStmt()
	if sel == nil {
		s.fail(errInvalidRecursion, loc, "recursive query \"%s\" must not contain data-modifying statements", c.Name)
	}
	if sel.Op != pg.SetOperation_SETOP_UNION {
		s.fail(errInvalidRecursion, loc, "recursive query \"%s\" does not have the form non-recursive-term UNION [ALL] recursive-term", c.Name)
	}
	r.current = slices.Index(r.items, c)
	start := func(ctx recursionContext) { r.context, r.refs, r.inner = ctx, 0, nil }
	if sel.WithClause != nil {
		start(recursionSubLink)
		for _, n := range sel.WithClause.Ctes {
			r.check(rawMessage(n))
		}
	}
	switch {
	case len(sel.SortClause) > 0:
		s.fail(errFeatureNotSupported, rawListLoc(sel.SortClause), "ORDER BY in a recursive query is not implemented")
	case sel.LimitOffset != nil:
		s.fail(errFeatureNotSupported, rawLoc(sel.LimitOffset), "OFFSET in a recursive query is not implemented")
	case sel.LimitCount != nil:
		s.fail(errFeatureNotSupported, rawLoc(sel.LimitCount), "LIMIT in a recursive query is not implemented")
	case len(sel.LockingClause) > 0:
		s.fail(errFeatureNotSupported, noLoc, "FOR UPDATE/SHARE in a recursive query is not implemented")
	}
	start(recursionNonRec)
	r.check(sel.Larg.ProtoReflect())
	start(recursionOK)
	r.check(sel.Rarg.ProtoReflect())
	if r.refs != 1 {
		s.fail("XX000", noLoc, "missing recursive reference")
	}
}

// as runs fn in another context.
func (r *recursion) as(ctx recursionContext, fn func()) {
	save := r.context
	r.context = ctx
	fn()
	r.context = save
}

func (r *recursion) node(n *pg.Node) {
	if n != nil {
		r.check(n.ProtoReflect())
	}
}

// check is checkWellFormedRecursionWalker.
func (r *recursion) check(m protoreflect.Message) {
	if !m.IsValid() {
		return
	}
	name := r.items[r.current].Name
	switch n := m.Interface().(type) {
	case *pg.RangeVar:
		if n.Schemaname != "" || r.hidden(n.Relname) || n.Relname != name {
			return
		}
		if r.context != recursionOK {
			r.s.fail(errInvalidRecursion, int(n.Location), "recursive reference to query \"%s\" must not appear within %s", name, string(r.context))
		}
		if r.refs++; r.refs > 1 {
			r.s.fail(errInvalidRecursion, int(n.Location), "recursive reference to query \"%s\" must not appear more than once", name)
		}
		return
	case *pg.WithClause:
		return
	case *pg.SelectStmt:
		if n.WithClause != nil {
			r.within(n.WithClause, r.node, func() { r.checkSelect(n) })
		} else {
			r.checkSelect(n)
		}
		return
	case *pg.JoinExpr:
		r.checkJoin(n)
		return
	case *pg.SubLink:
		r.as(recursionSubLink, func() { r.node(n.Subselect) })
		r.node(n.Testexpr)
		return
	}
	eachMessage(m, r.check)
}

func (r *recursion) checkJoin(n *pg.JoinExpr) {
	side := func(x *pg.Node, nullable bool) {
		ctx := r.context
		if nullable && ctx == recursionOK {
			ctx = recursionOuterJoin
		}
		r.as(ctx, func() { r.node(x) })
	}
	full := n.Jointype == pg.JoinType_JOIN_FULL
	side(n.Larg, full || n.Jointype == pg.JoinType_JOIN_RIGHT)
	side(n.Rarg, full || n.Jointype == pg.JoinType_JOIN_LEFT)
	r.node(n.Quals)
}

// checkSelect is checkWellFormedSelectStmt.
func (r *recursion) checkSelect(n *pg.SelectStmt) {
	inArm := r.context
	switch {
	case r.context != recursionOK,
		n.Op != pg.SetOperation_SETOP_INTERSECT && n.Op != pg.SetOperation_SETOP_EXCEPT:
		eachMessage(n.ProtoReflect(), r.check)
		return
	case n.All && n.Op == pg.SetOperation_SETOP_INTERSECT:
		inArm = recursionInIntersect
	case n.All:
		inArm = recursionInExcept
	}
	r.as(inArm, func() { r.check(n.Larg.ProtoReflect()) })
	if n.Op == pg.SetOperation_SETOP_EXCEPT {
		inArm = recursionInExcept
	}
	r.as(inArm, func() { r.check(n.Rarg.ProtoReflect()) })
	for _, x := range n.SortClause {
		r.node(x)
	}
	r.node(n.LimitOffset)
	r.node(n.LimitCount)
}
