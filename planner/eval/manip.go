package eval

import (
	"github.com/dbgen/dbgen/parser/query"
)

// atDepth rebuilds e with fn over every node, subqueries of sublinks included.
// frame, if any, is applied to each copied subquery, with its depth below e.
func atDepth(e query.Expr, depth int, fn func(query.Expr, int) (query.Expr, bool), frame func(*query.Query, int)) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		r, done := fn(x, depth)
		if done {
			return r, true
		}
		s, ok := x.(*query.SubLink)
		if !ok {
			return nil, false
		}
		c := *s
		if s.Test != nil {
			c.Test = atDepth(s.Test, depth, fn, frame)
		}
		c.Subselect = queryAtDepth(s.Subselect, depth+1, fn, frame)
		return &c, true
	})
}

func queryAtDepth(q *query.Query, depth int, fn func(query.Expr, int) (query.Expr, bool), frame func(*query.Query, int)) *query.Query {
	c := q.Clone()
	c.EachExpr(func(e *query.Expr) { *e = atDepth(*e, depth, fn, frame) })
	for _, t := range c.CTEs {
		t.Query = queryAtDepth(t.Query, depth+1, fn, frame)
	}
	for _, r := range c.RangeTable {
		if r.Subquery != nil {
			r.Subquery = queryAtDepth(r.Subquery, depth+1, fn, frame)
		}
	}
	if frame != nil {
		frame(c, depth)
	}
	return c
}

// IncrementLevels moves e n query levels down: every reference to level
// minLevel or further up goes n levels further (IncrementVarSublevelsUp,
// rewriteManip.c).
func IncrementLevels(e query.Expr, n, minLevel int) query.Expr {
	if e == nil || n == 0 {
		return e
	}
	return atDepth(e, 0, incrementer(n, minLevel), incrementFrame(n, minLevel))
}

// IncrementLevelsQuery is [IncrementLevels] of a query, whose own references
// are level 0.
func IncrementLevelsQuery(q *query.Query, n, minLevel int) *query.Query {
	if n == 0 {
		return q
	}
	return queryAtDepth(q, 0, incrementer(n, minLevel), incrementFrame(n, minLevel))
}

func incrementer(n, minLevel int) func(query.Expr, int) (query.Expr, bool) {
	return func(x query.Expr, depth int) (query.Expr, bool) {
		low := minLevel + depth
		switch v := x.(type) {
		case *query.Var:
			if v.LevelsUp >= low {
				c := *v
				c.LevelsUp += n
				return &c, true
			}
			return v, true
		case *query.Aggref:
			if v.LevelsUp >= low {
				return below(v, func(c *query.Aggref) { c.LevelsUp += n }, depth, incrementer(n, minLevel), incrementFrame(n, minLevel)), true
			}
		case *query.GroupingFunc:
			if v.LevelsUp >= low {
				return below(v, func(c *query.GroupingFunc) { c.LevelsUp += n }, depth, incrementer(n, minLevel), incrementFrame(n, minLevel)), true
			}
		case *query.PlaceHolderVar:
			if v.LevelsUp >= low {
				return below(v, func(c *query.PlaceHolderVar) { c.LevelsUp += n }, depth, incrementer(n, minLevel), incrementFrame(n, minLevel)), true
			}
		}
		return nil, false
	}
}

func incrementFrame(n, minLevel int) func(*query.Query, int) {
	return func(q *query.Query, depth int) {
		for _, r := range q.RangeTable {
			if r.Kind == query.RTECTE && r.CTELevels >= minLevel+depth {
				r.CTELevels += n
			}
		}
	}
}

// below changes a copy of a node and goes on with its children.
func below[T any, P interface {
	*T
	query.Expr
}](v P, change func(P), depth int, fn func(query.Expr, int) (query.Expr, bool), frame func(*query.Query, int)) query.Expr {
	c := *v
	p := P(&c)
	change(p)
	first := true
	return atDepth(p, depth, func(x query.Expr, d int) (query.Expr, bool) {
		if first {
			first = false
			return nil, false
		}
		return fn(x, d)
	}, frame)
}

// ReplaceVars replaces the Vars of one relation of this query level, those
// inside subqueries too, by what fn returns for them; the replacement, which fn
// gives as of this level, is moved down to where the Var stands
// (replace_rte_variables, rewriteManip.c). A nil result keeps the Var.
func ReplaceVars(e query.Expr, varno int, fn func(*query.Var) query.Expr) query.Expr {
	if e == nil {
		return nil
	}
	return atDepth(e, 0, replacer(varno, fn), nil)
}

// ReplaceVarsQuery is [ReplaceVars] over a whole query.
func ReplaceVarsQuery(q *query.Query, varno int, fn func(*query.Var) query.Expr) *query.Query {
	return queryAtDepth(q, 0, replacer(varno, fn), nil)
}

func replacer(varno int, fn func(*query.Var) query.Expr) func(query.Expr, int) (query.Expr, bool) {
	return func(x query.Expr, depth int) (query.Expr, bool) {
		v, ok := x.(*query.Var)
		if !ok {
			return nil, false
		}
		if v.LevelsUp != depth || v.VarNo != varno {
			return v, true
		}
		own := *v
		own.LevelsUp = 0
		r := fn(&own)
		if r == nil {
			return v, true
		}
		return IncrementLevels(r, depth, 0), true
	}
}

// OffsetVarNos moves every range table index of q, at its own level, up by n:
// in Vars, the join tree, row marks, the target (OffsetVarNodes,
// rewriteManip.c).
func OffsetVarNos(q *query.Query, n int) *query.Query {
	if n == 0 {
		return q
	}
	move := func(i int) int { return i + n }
	return mapVarNosQuery(q, move)
}

// OffsetVarNosExpr is [OffsetVarNos] of an expression of this level.
func OffsetVarNosExpr(e query.Expr, n int) query.Expr {
	if e == nil || n == 0 {
		return e
	}
	return atDepth(e, 0, mover(func(i int) int { return i + n }), nil)
}

// ChangeVarNo makes references to one relation of this level references to
// another (ChangeVarNodes, rewriteManip.c).
func ChangeVarNo(e query.Expr, from, to int) query.Expr {
	if e == nil {
		return nil
	}
	return atDepth(e, 0, mover(func(i int) int {
		if i == from {
			return to
		}
		return i
	}), nil)
}

// ChangeVarNoQuery is [ChangeVarNo] over a query, its join tree and target
// included.
func ChangeVarNoQuery(q *query.Query, from, to int) *query.Query {
	return mapVarNosQuery(q, func(i int) int {
		if i == from {
			return to
		}
		return i
	})
}

func mapRelids(s query.Relids, move func(int) int) query.Relids {
	var out query.Relids
	for m := range s.All() {
		out = out.Add(move(m))
	}
	return out
}

func mover(move func(int) int) func(query.Expr, int) (query.Expr, bool) {
	var fn func(query.Expr, int) (query.Expr, bool)
	fn = func(x query.Expr, depth int) (query.Expr, bool) {
		switch v := x.(type) {
		case *query.Var:
			if v.LevelsUp != depth {
				return v, true
			}
			c := *v
			if c.VarNo > 0 {
				c.VarNo = move(c.VarNo)
			}
			if c.SynNo > 0 {
				c.SynNo = move(c.SynNo)
			}
			c.NullingRels = mapRelids(c.NullingRels, move)
			return &c, true
		case *query.CurrentOfExpr:
			if depth != 0 {
				return v, true
			}
			c := *v
			c.VarNo = move(c.VarNo)
			return &c, true
		case *query.PlaceHolderVar:
			if v.LevelsUp == depth {
				return below(v, func(c *query.PlaceHolderVar) {
					c.Rels, c.NullingRels = mapRelids(c.Rels, move), mapRelids(c.NullingRels, move)
				}, depth, fn, nil), true
			}
		}
		return nil, false
	}
	return fn
}

func mapVarNosQuery(q *query.Query, move func(int) int) *query.Query {
	c := queryAtDepth(q, 0, mover(move), nil)
	if c.ResultRelation > 0 {
		c.ResultRelation = move(c.ResultRelation)
	}
	if c.OnConflict != nil && c.OnConflict.ExclRelIndex > 0 {
		c.OnConflict.ExclRelIndex = move(c.OnConflict.ExclRelIndex)
	}
	for _, m := range c.RowMarks {
		m.Index = move(m.Index)
	}
	if c.JoinTree != nil {
		c.JoinTree = MapJoinTree(c.JoinTree, move).(*query.FromExpr)
	}
	c.SetOperations = mapSetOp(c.SetOperations, move)
	return c
}

// MapJoinTree returns a copy of a join tree with every range table index
// replaced; quals are left as they are.
func MapJoinTree(n query.JoinNode, move func(int) int) query.JoinNode {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return &query.RangeTblRef{Index: move(n.Index)}
	case *query.FromExpr:
		c := *n
		c.List = make([]query.JoinNode, len(n.List))
		for i := range n.List {
			c.List[i] = MapJoinTree(n.List[i], move)
		}
		return &c
	case *query.JoinExpr:
		c := *n
		c.Left, c.Right = MapJoinTree(n.Left, move), MapJoinTree(n.Right, move)
		if c.Index > 0 {
			c.Index = move(c.Index)
		}
		return &c
	}
	return n
}

func mapSetOp(n query.SetOpNode, move func(int) int) query.SetOpNode {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return &query.RangeTblRef{Index: move(n.Index)}
	case *query.SetOperationStmt:
		c := *n
		c.Left, c.Right = mapSetOp(n.Left, move), mapSetOp(n.Right, move)
		return &c
	}
	return n
}

// RemoveNullingRels takes outer joins out of the nullingrels of the Vars and
// PlaceHolderVars of this level whose relation is not in except
// (remove_nulling_relids, rewriteManip.c).
func RemoveNullingRels(e query.Expr, removable, except query.Relids) query.Expr {
	if e == nil || removable.IsEmpty() {
		return e
	}
	return atDepth(e, 0, nullingRemover(removable, except), nil)
}

// RemoveNullingRelsQuery is [RemoveNullingRels] over a whole query.
func RemoveNullingRelsQuery(q *query.Query, removable, except query.Relids) *query.Query {
	if removable.IsEmpty() {
		return q
	}
	return queryAtDepth(q, 0, nullingRemover(removable, except), nil)
}

func nullingRemover(removable, except query.Relids) func(query.Expr, int) (query.Expr, bool) {
	var fn func(query.Expr, int) (query.Expr, bool)
	fn = func(x query.Expr, depth int) (query.Expr, bool) {
		switch v := x.(type) {
		case *query.Var:
			if v.LevelsUp == depth && !except.Has(v.VarNo) && v.NullingRels.Overlaps(removable) {
				c := *v
				c.NullingRels = v.NullingRels.Minus(removable)
				return &c, true
			}
			return v, true
		case *query.PlaceHolderVar:
			if v.LevelsUp == depth && !v.Rels.Overlaps(except) && (v.Rels.Overlaps(removable) || v.NullingRels.Overlaps(removable)) {
				return below(v, func(c *query.PlaceHolderVar) {
					c.Rels, c.NullingRels = c.Rels.Minus(removable), c.NullingRels.Minus(removable)
				}, depth, fn, nil), true
			}
		}
		return nil, false
	}
	return fn
}

// AddNullingRels adds outer joins to the nullingrels of the Vars and
// PlaceHolderVars of this level whose relation is in target (add_nulling_relids,
// rewriteManip.c). What is inside such a PlaceHolderVar is computed below the
// joins and stays.
func AddNullingRels(e query.Expr, target, added query.Relids) query.Expr {
	if e == nil || added.IsEmpty() {
		return e
	}
	return atDepth(e, 0, nullingAdder(target, added), nil)
}

// AddNullingRelsQuery is [AddNullingRels] over a whole query.
func AddNullingRelsQuery(q *query.Query, target, added query.Relids) *query.Query {
	if added.IsEmpty() {
		return q
	}
	return queryAtDepth(q, 0, nullingAdder(target, added), nil)
}

func nullingAdder(target, added query.Relids) func(query.Expr, int) (query.Expr, bool) {
	return func(x query.Expr, depth int) (query.Expr, bool) {
		switch v := x.(type) {
		case *query.Var:
			if v.LevelsUp == depth && target.Has(v.VarNo) {
				c := *v
				c.NullingRels = v.NullingRels.Union(added)
				return &c, true
			}
			return v, true
		case *query.PlaceHolderVar:
			if v.LevelsUp == depth && v.Rels.Overlaps(target) {
				c := *v
				c.NullingRels = v.NullingRels.Union(added)
				return &c, true
			}
		}
		return nil, false
	}
}

// ReplaceOuterVars replaces, in a subquery, the Vars of a relation of the level
// above it; fn gives the replacement as of that upper level.
func ReplaceOuterVars(q *query.Query, varno int, fn func(*query.Var) query.Expr) *query.Query {
	replace := replacer(varno, fn)
	return queryAtDepth(q, 0, func(x query.Expr, depth int) (query.Expr, bool) { return replace(x, depth+1) }, nil)
}
