package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// removeUselessResults drops one-row relations from joins where nothing needs
// them (remove_useless_result_rtes, prepjointree.c).
func removeUselessResults(root *rel.PlannerInfo) {
	c := &resultCleaner{root: root}
	if root.Global.LastPHID != 0 {
		c.bases = JoinTreeRelids(root.Parse.JoinTree, false, false)
	}
	n := c.clean(root.Parse.JoinTree, nil)
	root.Parse.JoinTree = n.(*query.FromExpr)
	for _, f := range c.fixes {
		f()
	}
	if !c.dropped.IsEmpty() {
		removeNullingRelsAll(root, c.dropped, query.Relids{})
	}
	// Their rows need not be fetched again, whether they stay or not.
	root.RowMarks = slices.DeleteFunc(root.RowMarks, func(m *rel.RowMark) bool {
		return root.Parse.RTE(m.Index).Kind == query.RTEResult
	})
}

type resultCleaner struct {
	root    *rel.PlannerInfo
	bases   query.Relids
	dropped query.Relids
	// fixes are changes of placeholders, made once the tree is settled, since
	// they copy it.
	fixes []func()
}

// result returns the index of a one-row relation, 0 for anything else.
func (c *resultCleaner) result(n query.JoinNode) int {
	if r, ok := n.(*query.RangeTblRef); ok && c.root.Parse.RTE(r.Index).Kind == query.RTEResult {
		return r.Index
	}
	return 0
}

func (c *resultCleaner) removeRefs(varno int, at query.JoinNode) {
	if c.root.Global.LastPHID == 0 {
		return
	}
	with := JoinTreeRelids(at, true, false)
	c.fixes = append(c.fixes, func() {
		substitutePlaceHolderRelids(c.root, varno, with)
	})
}

// clean simplifies a subtree. Quals that have no place there any more go to up,
// which is nil where they may not.
func (c *resultCleaner) clean(n query.JoinNode, up *query.Expr) query.JoinNode {
	switch n := n.(type) {
	case *query.FromExpr:
		var kept []query.JoinNode
		for i, child := range n.List {
			child = c.clean(child, &n.Quals)
			n.List[i] = child
		}
		remaining := len(n.List)
		var gone []int
		for _, child := range n.List {
			if v := c.result(child); remaining > 1 && v != 0 && !c.dependentPHVs(n, v) {
				gone = append(gone, v)
				remaining--
				continue
			}
			kept = append(kept, child)
		}
		n.List = kept
		for _, v := range gone {
			c.removeRefs(v, n)
		}
		if len(n.List) == 1 && n != c.root.Parse.JoinTree && (n.Quals == nil || up != nil) {
			moveQuals(n.Quals, up)
			return n.List[0]
		}
	case *query.JoinExpr:
		leftUp, rightUp := (*query.Expr)(nil), (*query.Expr)(nil)
		switch n.Type {
		case query.JoinInner:
			leftUp, rightUp = &n.Quals, &n.Quals
		case query.JoinLeft:
			leftUp, rightUp = up, &n.Quals
		}
		n.Left = c.clean(n.Left, leftUp)
		n.Right = c.clean(n.Right, rightUp)
		switch n.Type {
		case query.JoinInner:
			if v := c.result(n.Left); v != 0 && !c.dependentPHVs(n.Right, v) {
				c.removeRefs(v, n.Right)
				return keepSide(n.Right, n.Quals, up)
			}
			if v := c.result(n.Right); v != 0 {
				c.removeRefs(v, n.Left)
				return keepSide(n.Left, n.Quals, up)
			}
		case query.JoinLeft:
			if v := c.result(n.Right); v != 0 && (n.Quals == nil || !c.anyDependentPHVs(v)) {
				c.removeRefs(v, n.Left)
				c.dropped = c.dropped.Add(n.Index)
				return n.Left
			}
		case query.JoinSemi:
			if v := c.result(n.Right); v != 0 {
				c.removeRefs(v, n.Left)
				return keepSide(n.Left, n.Quals, up)
			}
		}
	}
	return n
}

func moveQuals(q query.Expr, up *query.Expr) {
	if q == nil {
		return
	}
	*up = eval.MakeAnd(append(eval.AndList(q), eval.AndList(*up)...))
}

func keepSide(side query.JoinNode, quals query.Expr, up *query.Expr) query.JoinNode {
	if quals != nil && up == nil {
		return &query.FromExpr{List: []query.JoinNode{side}, Quals: quals}
	}
	moveQuals(quals, up)
	return side
}

// dependent reports a placeholder that is computed at one relation alone.
func (c *resultCleaner) dependent(e query.Expr, varno int) bool {
	found := false
	query.WalkLevels(e, func(x query.Expr, depth int) bool {
		if ph, ok := x.(*query.PlaceHolderVar); ok && ph.LevelsUp == depth && ph.Rels.Intersect(c.bases) == query.MakeRelids(varno) {
			found = true
		}
		return !found
	})
	return found
}

// anyDependentPHVs looks all over the query (find_dependent_phvs).
func (c *resultCleaner) anyDependentPHVs(varno int) bool {
	if c.root.Global.LastPHID == 0 {
		return false
	}
	found := false
	c.root.Parse.WalkLevels(func(e query.Expr, depth int) bool {
		if ph, ok := e.(*query.PlaceHolderVar); ok && ph.LevelsUp == depth && ph.Rels.Intersect(c.bases) == query.MakeRelids(varno) {
			found = true
		}
		return !found
	})
	for _, a := range c.root.AppendRels {
		for _, v := range a.Vars {
			found = found || v != nil && c.dependent(v, varno)
		}
	}
	return found
}

// dependentPHVs looks into a subtree and its lateral items
// (find_dependent_phvs_in_jointree).
func (c *resultCleaner) dependentPHVs(n query.JoinNode, varno int) bool {
	if c.root.Global.LastPHID == 0 {
		return false
	}
	found := false
	var walk func(query.JoinNode)
	walk = func(n query.JoinNode) {
		switch n := n.(type) {
		case *query.RangeTblRef:
			rte := c.root.Parse.RTE(n.Index)
			if !rte.Lateral {
				return
			}
			for _, f := range rte.Functions {
				found = found || c.dependent(f.Expr, varno)
			}
			if rte.Subquery != nil {
				rte.Subquery.WalkLevels(func(e query.Expr, depth int) bool {
					if ph, ok := e.(*query.PlaceHolderVar); ok && ph.LevelsUp == depth+1 && ph.Rels.Intersect(c.bases) == query.MakeRelids(varno) {
						found = true
					}
					return !found
				})
			}
		case *query.FromExpr:
			for _, x := range n.List {
				walk(x)
			}
			found = found || n.Quals != nil && c.dependent(n.Quals, varno)
		case *query.JoinExpr:
			walk(n.Left)
			walk(n.Right)
			found = found || n.Quals != nil && c.dependent(n.Quals, varno)
		}
	}
	walk(n)
	return found
}
