package plan

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

func (c *creator) join(kind Kind, root *rel.PlannerInfo, p rel.Path, j *rel.JoinPath) *Node {
	n := c.node(kind, root, p)
	n.tlist = c.pathList(root, p)
	n.joinType, n.InnerUnique = j.Type, j.InnerUnique
	return n
}

// joinClauses splits a join's clauses into those that the join checks and those
// that are checked after it (extract_actual_join_clauses).
func (c *creator) joinClauses(j *rel.JoinPath) (join, other []query.Expr) {
	list := c.orderQuals(j.Restrict)
	if j.Type.IsOuter() {
		return prep.ExtractActualJoinClauses(list, j.Parent.Relids)
	}
	return prep.ExtractActualClauses(list, false), nil
}

// nestLoop makes a nested loop (create_nestloop_plan).
func (c *creator) nestLoop(root *rel.PlannerInfo, p *rel.NestPath) *Node {
	n := c.join(NestLoop, root, p, &p.JoinPath)
	st := c.outer[root]
	outerRel := p.Outer.Base().Parent
	n.outer = c.recurse(root, p.Outer, 0)
	saved := st.rels
	st.rels = st.rels.Union(outerRel.Relids)
	n.inner = c.recurse(root, p.Inner, 0)
	st.rels = saved
	join, other := c.joinClauses(&p.JoinPath)
	n.joinQual = c.replaceFor(root, &p.PathBase, join)
	n.filter = c.replaceFor(root, &p.PathBase, other)
	n.nestParams = c.takeParams(root, outerRel)
	return n
}

// mergeJoin makes a merge join with the sorts and the Materialize that its path
// counted in (create_mergejoin_plan).
func (c *creator) mergeJoin(root *rel.PlannerInfo, p *rel.MergePath) *Node {
	n := c.join(MergeJoin, root, p, &p.JoinPath)
	n.outer = c.recurse(root, p.Outer, demandIf(len(p.OuterSortKeys) > 0))
	n.inner = c.recurse(root, p.Inner, demandIf(len(p.InnerSortKeys) > 0))
	join, other := c.joinClauses(&p.JoinPath)
	join = without(join, prep.ActualClauses(p.MergeClauses))
	n.joinQual = c.replaceFor(root, &p.PathBase, join)
	n.filter = c.replaceFor(root, &p.PathBase, other)
	n.clauses = c.switched(p.MergeClauses, p.Outer.Base().Parent.Relids)
	if len(p.OuterSortKeys) > 0 {
		relids := p.Outer.Base().Parent.Relids
		if p.OuterPresorted > 0 && c.g.Version(18) && cost.ParamsOf(c.g).EnableIncrementalSort {
			s := c.makeSort(IncrementalSort, n.outer, p.OuterSortKeys, relids)
			s.presorted = p.OuterPresorted
			c.costIncrementalSort(s, p.OuterSortKeys, -1)
			n.outer = s
		} else {
			n.outer = c.makeSort(Sort, n.outer, p.OuterSortKeys, relids)
			c.costSort(n.outer, -1)
		}
	}
	if len(p.InnerSortKeys) > 0 {
		n.inner = c.makeSort(Sort, n.inner, p.InnerSortKeys, p.Inner.Base().Parent.Relids)
		c.costSort(n.inner, -1)
	}
	if p.MaterializeInner {
		m := c.node(Material, root, nil)
		m.Path = p.Inner
		m.outer, m.tlist = n.inner, n.inner.tlist
		m.copySize(n.inner)
		m.Total += float64(cost.ParamsOf(c.g).CPUOperatorCost * m.Rows)
		n.inner = m
	}
	return n
}

func demandIf(small bool) demand {
	if small {
		return smallList
	}
	return 0
}

// hashJoin makes a hash join and the Hash below it (create_hashjoin_plan).
func (c *creator) hashJoin(root *rel.PlannerInfo, p *rel.HashPath) *Node {
	n := c.join(HashJoin, root, p, &p.JoinPath)
	n.outer = c.recurse(root, p.Outer, demandIf(p.NumBatches > 1))
	inner := c.recurse(root, p.Inner, smallList)
	join, other := c.joinClauses(&p.JoinPath)
	join = without(join, prep.ActualClauses(p.HashClauses))
	n.joinQual = c.replaceFor(root, &p.PathBase, join)
	n.filter = c.replaceFor(root, &p.PathBase, other)
	n.clauses = c.switched(p.HashClauses, p.Outer.Base().Parent.Relids)
	h := c.node(Hash, root, nil)
	h.Path = p.Inner
	h.outer, h.tlist = inner, inner.tlist
	h.copySize(inner)
	h.Startup = h.Total
	h.ParallelAware = p.ParallelAware
	n.inner = h
	return n
}

// switched turns clauses so that the outer side is on the left
// (get_switched_clauses).
func (c *creator) switched(list []*rel.RestrictInfo, outer query.Relids) []query.Expr {
	var out []query.Expr
	for _, r := range list {
		e := r.Clause
		if r.RightRelids.IsSubset(outer) {
			if op, ok := e.(*query.OpExpr); ok {
				if turned := eval.Commute(c.g.Catalog, op); turned != nil {
					e = turned
				}
			}
			r.OuterIsLeft = false
		} else {
			r.OuterIsLeft = true
		}
		out = append(out, e)
	}
	return out
}
