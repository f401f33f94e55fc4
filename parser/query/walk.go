package query

import "slices"

// Walk calls fn for e and then, as long as fn returns true, for everything
// below e in order. It does not enter the subquery of a [SubLink]; see
// [WalkLevels]. A nil e is nothing.
func Walk(e Expr, fn func(Expr) bool) {
	if e == nil || !fn(e) {
		return
	}
	e.eachChild(func(c *Expr) { Walk(*c, fn) })
}

// Transform returns e with nodes replaced. It calls fn from the top down; where
// fn returns true, its node stands in the result and nothing below it is looked
// at; otherwise the node is kept, copied if something below it changed. The
// input is not modified. Subqueries of SubLinks are left as they are.
func Transform(e Expr, fn func(Expr) (Expr, bool)) Expr {
	if e == nil {
		return nil
	}
	if r, done := fn(e); done {
		return r
	}
	changed := false
	var fresh []Expr
	e.eachChild(func(c *Expr) {
		var n Expr
		if *c != nil {
			n = Transform(*c, fn)
		}
		changed = changed || n != *c
		fresh = append(fresh, n)
	})
	if !changed {
		return e
	}
	out := e.shallowCopy()
	i := 0
	out.eachChild(func(c *Expr) {
		*c = fresh[i]
		i++
	})
	return out
}

// Children returns the direct children of e in order; omitted slice bounds are
// left out.
func Children(e Expr) []Expr {
	var out []Expr
	e.eachChild(func(c *Expr) {
		if *c != nil {
			out = append(out, *c)
		}
	})
	return out
}

// Equal reports whether two expressions are the same but for where they stand
// in the text and how their coercions were written (equal, equalfuncs.c).
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	if !a.sameNode(b) {
		return false
	}
	x, y := slots(a), slots(b)
	return slices.EqualFunc(x, y, Equal)
}

// slots is Children with a nil for every omitted bound, so that the positions
// of two nodes compare.
func slots(e Expr) []Expr {
	var out []Expr
	e.eachChild(func(c *Expr) { out = append(out, *c) })
	return out
}

func eachOf(list []Expr, fn func(*Expr)) {
	for i := range list {
		fn(&list[i])
	}
}

func eachTarget(list []*TargetEntry, fn func(*Expr)) {
	for _, t := range list {
		fn(&t.Expr)
	}
}

func cloneTargets(list []*TargetEntry) []*TargetEntry {
	out := make([]*TargetEntry, len(list))
	for i, t := range list {
		c := *t
		out[i] = &c
	}
	return out
}

func cloneWhens(list []*CaseWhen) []*CaseWhen {
	out := make([]*CaseWhen, len(list))
	for i, t := range list {
		c := *t
		out[i] = &c
	}
	return out
}

func sameClauses(a, b []*SortGroupClause) bool {
	return slices.EqualFunc(a, b, func(x, y *SortGroupClause) bool { return *x == *y })
}

func (n *OpExpr) sameOp(o *OpExpr) bool {
	return n.Op == o.Op && n.RetSet == o.RetSet && n.InputColl == o.InputColl
}
