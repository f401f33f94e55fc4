package plan

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// startupPruning leaves out the partitions that a server drops when it starts a
// plan, as EXPLAIN does: those that a condition like key > now() excludes at
// that moment, which is the time of collection here (ExecInitPartitionPruning,
// execPartition.c). A statement with parameters is explained as a generic plan,
// which nothing is pruned from.
func (c *creator) startupPruning() {
	if !cost.ParamsOf(c.g).EnablePartitionPruning || c.hasParams() {
		return
	}
	live := map[*rel.RelOptInfo][]int{}
	gone := map[*rel.RelOptInfo]bool{}
	for _, n := range c.nodes {
		if n.Kind != Append && n.Kind != MergeAppend {
			continue
		}
		for i, m := range n.members {
			if c.prunedAtStartup(n, m, live) {
				if n.pruned == nil {
					n.pruned = make([]bool, len(n.members))
				}
				n.pruned[i] = true
				gone[memberRel(m)] = true
			}
		}
	}
	if len(gone) == 0 || !c.g.Version(18) {
		return
	}
	// Tables that are not read are no targets either (since 18).
	for _, n := range c.nodes {
		p, ok := n.Path.(*rel.ModifyTablePath)
		if n.Kind != ModifyTable || !ok {
			continue
		}
		offset := n.scanRel - p.Nominal
		n.results = slices.DeleteFunc(n.results, func(r int) bool { return gone[n.Root.Rels[r-offset]] })
	}
}

// prunedAtStartup reports whether the input m of an Append reads a partition
// that is left out. live caches what is left of a partitioned table.
func (c *creator) prunedAtStartup(n, m *Node, live map[*rel.RelOptInfo][]int) bool {
	rl := memberRel(m)
	for top := n.Path.Base().Parent; rl != nil && rl != top && rl.ParentRel != nil; rl = rl.ParentRel {
		parent := rl.ParentRel
		if !parent.Partitioned {
			continue
		}
		parts, known := live[parent]
		if !known {
			parts = prep.StartupPartitions(n.Root, parent)
			live[parent] = parts
		}
		if !slices.ContainsFunc(parts, func(i int) bool { return parent.PartRels[i] == rl }) {
			return true
		}
	}
	return false
}

// memberRel is the relation that an input of an Append reads.
func memberRel(m *Node) *rel.RelOptInfo {
	for m != nil && m.Path != nil {
		if rl := m.Path.Base().Parent; rl != nil && rl.ParentRel != nil {
			return rl
		}
		m = m.outer
	}
	return nil
}

func (c *creator) hasParams() bool {
	for _, n := range c.nodes {
		found := false
		visit := func(e query.Expr) {
			query.Walk(e, func(x query.Expr) bool {
				p, ok := x.(*query.Param)
				found = found || ok && p.Kind == query.ParamExtern
				return !found
			})
		}
		for _, list := range [][]query.Expr{
			n.filter, n.indexOrig, n.recheck, n.joinQual, n.clauses, n.oneTime, n.tidQual, n.cacheKeys, n.others, n.orderByOrig,
		} {
			for _, e := range list {
				visit(e)
			}
		}
		for _, t := range n.tlist {
			visit(t.Expr)
		}
		if found {
			return true
		}
	}
	return false
}
