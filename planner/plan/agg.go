package plan

import (
	"math"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/rel"
)

func strategyName(s rel.AggStrategy) string {
	return [...]string{rel.AggPlain: "Plain", rel.AggSorted: "Sorted", rel.AggHashed: "Hashed", rel.AggMixed: "Mixed"}[s]
}

// agg makes an aggregation (create_agg_plan).
func (c *creator) agg(root *rel.PlannerInfo, p *rel.AggPath) *Node {
	n := c.node(Agg, root, p)
	n.outer = c.recurse(root, p.Sub, labelList)
	n.tlist = c.pathList(root, p)
	n.filter = c.orderExprs(p.Qual)
	n.keys = groupColumns(p.Clause, n.outer.tlist)
	n.Strategy, n.split = strategyName(p.Strategy), p.Split
	n.numGroups, n.transSpace = p.NumGroups, p.TransSpace
	return n
}

// groupingSets makes an aggregation by several grouping sets
// (create_groupingsets_plan).
func (c *creator) groupingSets(root *rel.PlannerInfo, p *rel.GroupingSetsPath) *Node {
	n := c.node(Agg, root, p)
	n.outer = c.recurse(root, p.Sub, labelList)
	n.tlist = c.pathList(root, p)
	n.filter = p.Qual
	n.Strategy = strategyName(p.Strategy)
	n.transSpace = p.TransSpace
	firstSort := len(p.Rollups) > 0 && p.Rollups[0].IsHashed
	for i, r := range p.Rollups {
		g := groupingSets{hashed: r.IsHashed}
		if i == 0 {
			g.hashed = p.Strategy == rel.AggHashed || p.Strategy == rel.AggMixed
		}
		for _, set := range r.Sets {
			cols := make([]int, 0, len(set))
			for _, ref := range set {
				cols = append(cols, refColumn(ref, n.outer.tlist))
			}
			g.sets = append(g.sets, cols)
		}
		if i > 0 && !r.IsHashed {
			if !firstSort {
				g.sort = sortGroupKeys(r.Clause, n.outer.tlist)
			}
			firstSort = false
		}
		if r.IsHashed {
			n.numGroups += math.Trunc(r.NumGroups)
		}
		n.sets = append(n.sets, g)
	}
	return n
}

func sortGroupKeys(clauses []*query.SortGroupClause, list []*query.TargetEntry) []sortKey {
	var out []sortKey
	for _, g := range clauses {
		if col := refColumn(g.Ref, list); col > 0 {
			out = append(out, sortKey{
				col: col, op: g.SortOp, coll: list[col-1].Expr.ResultCollation(), nullsFirst: g.NullsFirst,
			})
		}
	}
	return out
}

// unique makes the inner side of a semijoin unique, by hashing or by sorting
// (create_unique_plan).
func (c *creator) unique(root *rel.PlannerInfo, p *rel.UniquePath, want demand) *Node {
	sub := c.recurse(root, p.Sub, want)
	if p.Method == rel.UniqueNoop {
		return sub
	}
	list := c.pathList(root, p)
	added := false
	for _, e := range p.Exprs {
		if exprColumn(e, list) == 0 {
			list = append(list, &query.TargetEntry{Expr: e, ResNo: len(list) + 1})
			added = true
		}
	}
	if added || p.Method == rel.UniqueSort {
		sub = c.changeList(sub, list)
	}
	keys := make([]sortKey, 0, len(p.Exprs))
	for i, e := range p.Exprs {
		k := sortKey{col: exprColumn(e, sub.tlist), coll: e.ResultCollation()}
		if k.col == 0 {
			c.g.NotSupported("a semijoin key that its input does not supply")
			return sub
		}
		if p.Method == rel.UniqueSort && i < len(p.Operators) {
			k.op = c.orderingOp(p.Operators[i])
		}
		keys = append(keys, k)
	}
	if p.Method == rel.UniqueHash {
		n := c.node(Agg, root, p)
		n.outer, n.tlist, n.keys = sub, c.pathList(root, p), keys
		n.Strategy, n.numGroups = "Hashed", p.Rows
		return n
	}
	s := c.sortAbove(Sort, sub, keys)
	c.costSort(s, -1)
	n := c.node(Unique, root, p)
	n.outer, n.tlist = s, s.tlist
	return n
}

func exprColumn(e query.Expr, list []*query.TargetEntry) int {
	for _, t := range list {
		if query.Equal(t.Expr, e) {
			return t.ResNo
		}
	}
	return 0
}

// orderingOp is the < operator that sorts what an equality operator compares
// (get_ordering_op_for_equality_op with use_lhs_type false, lsyscache.c).
func (c *creator) orderingOp(eq pgOID) pgOID {
	o := c.g.Catalog.Operator(eq)
	if o == nil {
		return 0
	}
	for _, family := range c.g.Catalog.MergeJoinFamilies(eq) {
		if op := c.g.Catalog.OpFamilyMember(family, o.Right, o.Right, btreeLess); op != 0 {
			return op
		}
	}
	return 0
}

const btreeLess = 1 // BTLessStrategyNumber

// plannedPartitions is into how many files a hash aggregation expects to
// spill: what EXPLAIN prints as Planned Partitions (hash_agg_set_limits,
// hash_choose_num_partitions, nodeAgg.c).
func (c *creator) plannedPartitions(n *Node) int {
	// Until 17 the executor asks before it has counted the transition states,
	// so that these do not go in.
	trans := 0
	if c.g.Version(18) {
		trans = transStates(n)
	}
	p := cost.ParamsOf(c.g)
	entry := cost.HashAggEntrySize(p, trans, n.outer.Width, math.Trunc(n.transSpace))
	return cost.HashAggPartitions(p, entry, math.Max(1, math.Trunc(n.numGroups)))
}

// transStates counts the transition states of an aggregation's calls.
func transStates(n *Node) int {
	seen := map[int]bool{}
	count := func(e query.Expr) {
		query.Walk(e, func(x query.Expr) bool {
			a, ok := x.(*query.Aggref)
			if ok && a.LevelsUp == 0 {
				seen[a.TransNo] = true
			}
			return !ok
		})
	}
	for _, t := range n.tlist {
		count(t.Expr)
	}
	for _, e := range n.filter {
		count(e)
	}
	return len(seen)
}
