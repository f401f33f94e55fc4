package plan

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// orderQuals puts clauses in the order in which they are checked: by security
// level, then by cost, otherwise as they came (order_qual_clauses).
func (c *creator) orderQuals(list []*rel.RestrictInfo) []*rel.RestrictInfo {
	if len(list) <= 1 {
		return list
	}
	cheap := 10 * cost.ParamsOf(c.g).CPUOperatorCost
	return stableOrder(list, func(r *rel.RestrictInfo) (int, float64) {
		per := cost.QualEval(c.g, []*rel.RestrictInfo{r}).PerTuple
		if r.LeakProof && per < cheap {
			return 0, per
		}
		return r.SecurityLevel, per
	})
}

// orderExprs is [creator.orderQuals] of bare expressions.
func (c *creator) orderExprs(list []query.Expr) []query.Expr {
	if len(list) <= 1 {
		return list
	}
	return stableOrder(list, func(e query.Expr) (int, float64) { return 0, cost.QualEvalNode(c.g, e).PerTuple })
}

func stableOrder[T any](list []T, weigh func(T) (level int, cost float64)) []T {
	type item struct {
		x     T
		level int
		cost  float64
	}
	items := make([]item, len(list))
	for i, x := range list {
		l, k := weigh(x)
		items[i] = item{x, l, k}
	}
	for i := 1; i < len(items); i++ {
		fresh := items[i]
		j := i
		for ; j > 0; j-- {
			old := items[j-1]
			if fresh.level > old.level || fresh.level == old.level && fresh.cost >= old.cost {
				break
			}
			items[j] = old
		}
		items[j] = fresh
	}
	out := make([]T, len(items))
	for i, it := range items {
		out[i] = it.x
	}
	return out
}

// gatingQuals are the clauses that no row decides (get_gating_quals).
func (c *creator) gatingQuals(root *rel.PlannerInfo, list []*rel.RestrictInfo) []query.Expr {
	if !root.HasPseudoConstQuals {
		return nil
	}
	return prep.ExtractActualClauses(c.orderQuals(list), true)
}

// gate puts a Result with a one-time filter above a plan (create_gating_plan).
func (c *creator) gate(root *rel.PlannerInfo, p rel.Path, plan *Node, quals []query.Expr) *Node {
	n := c.node(Result, root, nil)
	n.Path = p
	n.tlist = c.pathList(root, p)
	n.oneTime = quals
	n.outer = plan
	if plan.Kind == Result && plan.outer == nil && len(plan.oneTime) == 0 {
		n.outer = nil
	}
	n.copySize(plan)
	return n
}

func (c *creator) gateJoin(root *rel.PlannerInfo, p rel.Path, restrict []*rel.RestrictInfo, plan *Node) *Node {
	if quals := c.gatingQuals(root, restrict); len(quals) > 0 {
		return c.gate(root, p, plan, quals)
	}
	return plan
}

// without returns a list less the expressions that equal one of drop.
func without(list, drop []query.Expr) []query.Expr {
	var out []query.Expr
	for _, e := range list {
		if !hasExpr(drop, e) {
			out = append(out, e)
		}
	}
	return out
}

func hasExpr(list []query.Expr, e query.Expr) bool {
	for _, x := range list {
		if query.Equal(x, e) {
			return true
		}
	}
	return false
}

func concatUnique(a, b []query.Expr) []query.Expr {
	for _, e := range b {
		if !hasExpr(a, e) {
			a = append(a, e)
		}
	}
	return a
}
