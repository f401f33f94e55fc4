package plan

import (
	"github.com/dbgen/dbgen/parser/query"
)

// attachChildren hangs everything below its parent in EXPLAIN's order: the
// InitPlans, the inputs, then the subplans that the node's expressions call,
// each subplan once in the whole plan (ExplainNode, explain.c).
func (c *creator) attachChildren(top *Node) {
	c.attach(top, map[int]bool{})
}

func (c *creator) attach(n *Node, shown map[int]bool) {
	n.subPlans = calledSubPlans(n)
	hang := func(child *Node, how string) {
		if child == nil {
			return
		}
		child.Relationship, child.parent = how, n
		n.Plans = append(n.Plans, child)
		c.attach(child, shown)
	}
	subs := func(list []*query.SubPlan, how string) {
		for _, s := range list {
			if shown[s.PlanID] || s.PlanID < 1 || s.PlanID > len(c.subplans) || c.subplans[s.PlanID-1] == nil {
				continue
			}
			shown[s.PlanID] = true
			p := c.subplans[s.PlanID-1]
			p.via, p.SubplanName = s, c.planName(s)
			hang(p, how)
		}
	}
	if len(n.initPlans) > 0 || len(n.subPlans) > 0 || len(n.members) > 0 {
		// EXPLAIN lists children where there may be some, even if all of them
		// are shown elsewhere or left out.
		n.Plans = []*Node{}
	}
	subs(n.initPlans, "InitPlan")
	hang(n.outer, "Outer")
	hang(n.inner, "Inner")
	for i, m := range n.members {
		if n.pruned == nil || !n.pruned[i] {
			hang(m, "Member")
		}
	}
	hang(n.sub, "Subquery")
	subs(n.subPlans, "SubPlan")
}

// calledSubPlans are the SubPlans in a node's expressions, in the order in which
// the executor prepares them: the target list, then the conditions. The
// arguments of an aggregate come last, one within another first
// (ExecInitExpr and the ExecInit function of the node).
func calledSubPlans(n *Node) []*query.SubPlan {
	var out []*query.SubPlan
	var args []query.Expr
	var visit func(e query.Expr)
	visit = func(e query.Expr) {
		switch x := e.(type) {
		case nil:
			return
		case *query.Aggref:
			if n.Kind == Agg {
				args = append(args, query.Children(x)...)
				return
			}
		case *query.SubPlan:
			for _, k := range query.Children(x) {
				visit(k)
			}
			out = append(out, x)
			return
		}
		for _, k := range query.Children(e) {
			visit(k)
		}
	}
	lists := func(all ...[]query.Expr) {
		for _, l := range all {
			for _, e := range l {
				visit(e)
			}
		}
	}
	if n.Kind == FunctionScan {
		lists(n.others)
	}
	switch n.Kind {
	case Append, MergeAppend, Hash, Material, Sort, IncrementalSort, Unique, SetOp, LockRows, Limit, Memoize, RecursiveUnion:
		// They do not compute their target lists.
	default:
		for _, t := range n.tlist {
			visit(t.Expr)
		}
	}
	lists(n.filter, n.oneTime, n.recheck, n.indexOrig, n.orderByOrig, n.joinQual, n.clauses, n.tidQual, n.indexQual, n.conflict, n.cacheKeys)
	if n.Kind != FunctionScan {
		lists(n.others)
	}
	for i := 0; i < len(args); i++ {
		visit(args[i])
	}
	return out
}
