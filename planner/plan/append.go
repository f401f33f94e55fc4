package plan

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// appendPlan makes an Append; without inputs it is a Result that gives no row
// (create_append_plan).
func (c *creator) appendPlan(root *rel.PlannerInfo, p *rel.AppendPath, want demand) *Node {
	if len(p.Subs) == 0 {
		n := c.node(Result, root, p)
		n.tlist = c.pathList(root, p)
		n.oneTime = []query.Expr{eval.BoolConst(false)}
		return n
	}
	n := c.node(Append, root, p)
	n.tlist = c.pathList(root, p)
	n.appendRels = p.Parent.Relids
	width := len(n.tlist)
	if len(p.PathKeys) > 0 {
		_, n.keys = c.sortColumns(n, p.PathKeys, p.Parent.Relids, nil, true)
	}
	for _, sub := range p.Subs {
		child := c.recurse(root, sub, exactList)
		if len(p.PathKeys) > 0 {
			child = c.sortedMember(n, child, sub, p.PathKeys, p.LimitTuples)
		}
		n.members = append(n.members, child)
	}
	return c.narrow(n, width, want)
}

// mergeAppend makes a MergeAppend (create_merge_append_plan).
func (c *creator) mergeAppend(root *rel.PlannerInfo, p *rel.MergeAppendPath, want demand) *Node {
	n := c.node(MergeAppend, root, p)
	n.tlist = c.pathList(root, p)
	n.appendRels = p.Parent.Relids
	width := len(n.tlist)
	_, n.keys = c.sortColumns(n, p.PathKeys, p.Parent.Relids, nil, true)
	for _, sub := range p.Subs {
		child := c.recurse(root, sub, exactList)
		n.members = append(n.members, c.sortedMember(n, child, sub, p.PathKeys, p.LimitTuples))
	}
	return c.narrow(n, width, want)
}

// sortedMember makes an input give the sort columns where its parent expects
// them, and sorts it if its path does not.
func (c *creator) sortedMember(n, child *Node, sub rel.Path, pathKeys []*rel.PathKey, limit float64) *Node {
	child, keys := c.sortColumns(child, pathKeys, sub.Base().Parent.Relids, n.keys, false)
	if prep.PathKeysContainedIn(pathKeys, sub.Base().PathKeys) {
		return child
	}
	s := c.sortAbove(Sort, child, keys)
	c.costSort(s, limit)
	return s
}

// narrow drops the columns again that sorting added, where the parent wants
// none of them.
func (c *creator) narrow(n *Node, width int, want demand) *Node {
	if len(n.tlist) == width || want&(exactList|smallList) == 0 {
		return n
	}
	return c.inject(n, slices.Clone(n.tlist[:width]))
}
