package plan

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// startupPruning says so where a server would leave out partitions when it
// starts a plan, as EXPLAIN does: those that a condition like key > now()
// excludes at that moment. A statement with parameters is explained as a
// generic plan, which nothing is pruned from.
func (c *creator) startupPruning() {
	for _, n := range c.nodes {
		if n.Kind != Append && n.Kind != MergeAppend || !cost.ParamsOf(c.g).EnablePartitionPruning || len(n.members) < 2 {
			continue
		}
		rl := n.Path.Base().Parent
		if rl != nil && rl.Partitioned && c.prunedByNow(rl) && !c.hasParams() {
			c.g.Approximate("partitions of " + rl.Table.Name + " that the time of execution excludes are shown")
		}
	}
}

func (c *creator) prunedByNow(rl *rel.RelOptInfo) bool {
	keys := prep.PartitionExprs(rl)
	for _, r := range rl.BaseRestrict {
		if !eval.ContainMutable(c.g.Catalog, r.Clause) || eval.ContainVolatile(c.g.Catalog, r.Clause) {
			continue
		}
		found := false
		query.Walk(r.Clause, func(e query.Expr) bool {
			found = found || hasExpr(keys, e)
			return !found
		})
		if found {
			return true
		}
	}
	return false
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
