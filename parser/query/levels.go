package query

import "slices"

// EachExpr calls fn with the address of every expression that stands directly
// in q: in its target list, join tree, range table, clauses and actions, in a
// fixed order. It does not enter subqueries; [Query.Subqueries] lists those.
func (q *Query) EachExpr(fn func(*Expr)) {
	one := func(e *Expr) {
		if *e != nil {
			fn(e)
		}
	}
	targets := func(list []*TargetEntry) {
		for _, t := range list {
			one(&t.Expr)
		}
	}
	targets(q.TargetList)
	targets(q.Returning)
	if q.JoinTree != nil {
		eachQual(q.JoinTree, one)
	}
	one(&q.MergeJoinCondition)
	for _, a := range q.MergeActions {
		one(&a.Qual)
		targets(a.TargetList)
	}
	if c := q.OnConflict; c != nil {
		for _, el := range c.ArbiterElems {
			one(&el.Arg)
		}
		one(&c.ArbiterWhere)
		targets(c.Set)
		one(&c.Where)
		targets(c.ExclTarget)
	}
	one(&q.Having)
	for _, w := range q.WindowClause {
		one(&w.StartOffset)
		one(&w.EndOffset)
	}
	one(&q.LimitOffset)
	one(&q.LimitCount)
	for _, r := range q.RangeTable {
		r.eachExpr(one)
	}
}

func eachQual(n JoinNode, fn func(*Expr)) {
	switch n := n.(type) {
	case *FromExpr:
		for _, c := range n.List {
			eachQual(c, fn)
		}
		fn(&n.Quals)
	case *JoinExpr:
		eachQual(n.Left, fn)
		eachQual(n.Right, fn)
		fn(&n.Quals)
	}
}

func (r *RangeTblEntry) eachExpr(fn func(*Expr)) {
	if r.Sample != nil {
		eachOf(r.Sample.Args, fn)
		fn(&r.Sample.Repeatable)
	}
	eachOf(r.JoinAliasVars, fn)
	for _, f := range r.Functions {
		fn(&f.Expr)
	}
	for _, row := range r.Values {
		eachOf(row, fn)
	}
	if t := r.TableFunc; t != nil {
		eachOf(t.NamespaceURIs, fn)
		fn(&t.DocExpr)
		fn(&t.RowExpr)
		eachOf(t.ColExprs, fn)
		eachOf(t.ColDefaults, fn)
	}
	eachOf(r.SecurityQuals, fn)
}

// Subqueries yields the queries that stand directly below q: those of CTEs, of
// the range table and of sublinks, each once, in that order.
func (q *Query) Subqueries(fn func(*Query)) {
	for _, c := range q.CTEs {
		fn(c.Query)
	}
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			fn(r.Subquery)
		}
	}
	q.EachExpr(func(e *Expr) {
		Walk(*e, func(x Expr) bool {
			if s, ok := x.(*SubLink); ok {
				fn(s.Subselect)
			}
			return true
		})
	})
}

// WalkLevels calls fn for every expression of e and, inside the subqueries of
// its sublinks, of everything below, with the number of query levels between e
// and the expression. Where fn returns false it does not go further down.
func WalkLevels(e Expr, fn func(e Expr, depth int) bool) { walkLevels(e, 0, fn) }

func walkLevels(e Expr, depth int, fn func(Expr, int) bool) {
	Walk(e, func(x Expr) bool {
		if !fn(x, depth) {
			return false
		}
		if s, ok := x.(*SubLink); ok {
			s.Subselect.walkLevels(depth+1, fn)
		}
		return true
	})
}

// WalkLevels is [WalkLevels] over a whole query, itself being at depth 0.
func (q *Query) WalkLevels(fn func(e Expr, depth int) bool) { q.walkLevels(0, fn) }

func (q *Query) walkLevels(depth int, fn func(Expr, int) bool) {
	q.EachExpr(func(e *Expr) { walkLevels(*e, depth, fn) })
	for _, c := range q.CTEs {
		c.Query.walkLevels(depth+1, fn)
	}
	for _, r := range q.RangeTable {
		if r.Subquery != nil {
			r.Subquery.walkLevels(depth+1, fn)
		}
	}
}

// TransformLevels is [Transform] that also rebuilds the subqueries of sublinks;
// fn gets the number of query levels below e.
func TransformLevels(e Expr, fn func(e Expr, depth int) (Expr, bool)) Expr {
	return transformLevels(e, 0, fn)
}

func transformLevels(e Expr, depth int, fn func(Expr, int) (Expr, bool)) Expr {
	return Transform(e, func(x Expr) (Expr, bool) {
		r, done := fn(x, depth)
		if done {
			return r, true
		}
		s, ok := x.(*SubLink)
		if !ok {
			return nil, false
		}
		c := *s
		c.Test = transformLevels(s.Test, depth, fn)
		c.Subselect = s.Subselect.transformLevels(depth+1, fn)
		return &c, true
	})
}

// TransformLevels returns a copy of q with fn applied to every expression, of
// subqueries too; q itself is depth 0.
func (q *Query) TransformLevels(fn func(e Expr, depth int) (Expr, bool)) *Query {
	return q.transformLevels(0, fn)
}

func (q *Query) transformLevels(depth int, fn func(Expr, int) (Expr, bool)) *Query {
	c := q.copyFrame()
	c.EachExpr(func(e *Expr) { *e = transformLevels(*e, depth, fn) })
	for _, t := range c.CTEs {
		t.Query = t.Query.transformLevels(depth+1, fn)
	}
	for _, r := range c.RangeTable {
		if r.Subquery != nil {
			r.Subquery = r.Subquery.transformLevels(depth+1, fn)
		}
	}
	return c
}

// Clone returns a copy of q whose every part but unchanged expressions, which
// are immutable, is its own.
func (q *Query) Clone() *Query {
	return q.TransformLevels(func(Expr, int) (Expr, bool) { return nil, false })
}

// copyFrame copies everything of q that holds an expression slot, but not
// expressions nor subqueries.
func (q *Query) copyFrame() *Query {
	c := *q
	c.CTEs = copyEach(q.CTEs)
	c.RangeTable = copyEach(q.RangeTable)
	for _, r := range c.RangeTable {
		r.JoinAliasVars = slices.Clone(r.JoinAliasVars)
		r.Functions = copyEach(r.Functions)
		r.SecurityQuals = slices.Clone(r.SecurityQuals)
		if r.Sample != nil {
			s := *r.Sample
			s.Args = slices.Clone(s.Args)
			r.Sample = &s
		}
		if r.TableFunc != nil {
			t := *r.TableFunc
			t.NamespaceURIs = slices.Clone(t.NamespaceURIs)
			t.ColExprs = slices.Clone(t.ColExprs)
			t.ColDefaults = slices.Clone(t.ColDefaults)
			r.TableFunc = &t
		}
		if r.Values != nil {
			rows := make([][]Expr, len(r.Values))
			for i := range rows {
				rows[i] = slices.Clone(r.Values[i])
			}
			r.Values = rows
		}
	}
	if q.JoinTree != nil {
		c.JoinTree = copyJoin(q.JoinTree).(*FromExpr)
	}
	c.TargetList = cloneTargets(q.TargetList)
	c.Returning = cloneTargets(q.Returning)
	c.MergeActions = copyEach(q.MergeActions)
	for _, a := range c.MergeActions {
		a.TargetList = cloneTargets(a.TargetList)
	}
	if q.OnConflict != nil {
		o := *q.OnConflict
		o.ArbiterElems = copyEach(o.ArbiterElems)
		o.Set = cloneTargets(o.Set)
		o.ExclTarget = cloneTargets(o.ExclTarget)
		c.OnConflict = &o
	}
	c.GroupClause = copyEach(q.GroupClause)
	c.WindowClause = copyEach(q.WindowClause)
	c.Distinct = copyEach(q.Distinct)
	c.SortClause = copyEach(q.SortClause)
	c.RowMarks = copyEach(q.RowMarks)
	return &c
}

func copyJoin(n JoinNode) JoinNode {
	switch n := n.(type) {
	case *FromExpr:
		c := *n
		c.List = make([]JoinNode, len(n.List))
		for i := range n.List {
			c.List[i] = copyJoin(n.List[i])
		}
		return &c
	case *JoinExpr:
		c := *n
		c.Left, c.Right = copyJoin(n.Left), copyJoin(n.Right)
		return &c
	}
	return n
}

func copyEach[T any](list []*T) []*T {
	if list == nil {
		return nil
	}
	out := make([]*T, len(list))
	for i, p := range list {
		c := *p
		out[i] = &c
	}
	return out
}
