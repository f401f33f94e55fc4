package plan

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// bitmapScan makes a bitmap heap scan with what fills its bitmap: the filter is
// what the indexes' conditions do not check (create_bitmap_scan_plan).
func (c *creator) bitmapScan(root *rel.PlannerInfo, p *rel.BitmapHeapPath, clauses []*rel.RestrictInfo) *Node {
	n := c.node(BitmapHeapScan, root, p)
	b := c.bitmap(root, p.Bitmap)
	n.outer = b.plan
	var rest []*rel.RestrictInfo
	for _, r := range clauses {
		switch {
		case r.PseudoConstant, hasExpr(b.index, r.Clause), r.ParentEC != nil && slices.Contains(b.classes, r.ParentEC):
			continue
		case !eval.ContainMutable(c.g.Catalog, r.Clause) && path.PredicateImpliedBy(root, []query.Expr{r.Clause}, b.index, false):
			continue
		}
		rest = append(rest, r)
	}
	filter := prep.ExtractActualClauses(c.orderQuals(rest), false)
	// A clause that the filter checks anyway needs no recheck; it is the same
	// tree, not only an equal one.
	recheck := slices.DeleteFunc(slices.Clone(b.original), func(e query.Expr) bool { return slices.Contains(filter, e) })
	n.filter = c.replaceFor(root, &p.PathBase, filter)
	n.recheck = c.replaceFor(root, &p.PathBase, recheck)
	return n
}

// bitmapPart is a part of a bitmap and the conditions that it checks.
type bitmapPart struct {
	plan            *Node
	original, index []query.Expr
	classes         []*rel.EquivalenceClass
}

// bitmap makes what fills a bitmap (create_bitmap_subplan).
func (c *creator) bitmap(root *rel.PlannerInfo, p rel.Path) bitmapPart {
	switch p := p.(type) {
	case *rel.BitmapAndPath:
		n := c.node(BitmapAnd, root, p)
		out := bitmapPart{plan: n}
		for _, q := range p.Quals {
			s := c.bitmap(root, q)
			n.members = append(n.members, s.plan)
			out.original = concatUnique(out.original, s.original)
			out.index = concatUnique(out.index, s.index)
			out.classes = append(out.classes, s.classes...)
		}
		n.bitmapSize(p.Startup, p.Total, p.Selectivity, p.Parent)
		return out
	case *rel.BitmapOrPath:
		return c.bitmapOr(root, p)
	case *rel.IndexPath:
		return c.bitmapIndex(root, p)
	}
	c.g.NotSupported("a bitmap of an unknown path")
	return bitmapPart{plan: c.node(BitmapIndexScan, root, p)}
}

func (n *Node) bitmapSize(startup, total, selectivity float64, rl *rel.RelOptInfo) {
	n.Startup, n.Total = startup, total
	n.Rows = cost.ClampRows(selectivity * rl.Tuples)
	n.Width, n.ParallelAware, n.disabledNodes = 0, false, 0
}

func (c *creator) bitmapOr(root *rel.PlannerInfo, p *rel.BitmapOrPath) bitmapPart {
	var plans []*Node
	var original, index []query.Expr
	allOriginal, allIndex := false, false
	for _, q := range p.Quals {
		s := c.bitmap(root, q)
		plans = append(plans, s.plan)
		if len(s.original) == 0 {
			allOriginal = true
		} else {
			original = append(original, eval.MakeAnd(s.original))
		}
		if len(s.index) == 0 {
			allIndex = true
		} else {
			index = append(index, eval.MakeAnd(s.index))
		}
	}
	out := bitmapPart{original: orList(original, allOriginal), index: orList(index, allIndex)}
	if len(plans) == 1 {
		out.plan = plans[0]
		return out
	}
	n := c.node(BitmapOr, root, p)
	n.members = plans
	n.bitmapSize(p.Startup, p.Total, p.Selectivity, p.Parent)
	out.plan = n
	return out
}

func orList(arms []query.Expr, always bool) []query.Expr {
	switch {
	case always:
		return nil
	case len(arms) <= 1:
		return arms
	}
	return []query.Expr{eval.MakeOr(arms)}
}

func (c *creator) bitmapIndex(root *rel.PlannerInfo, p *rel.IndexPath) bitmapPart {
	n := c.node(BitmapIndexScan, root, p)
	n.Rel, n.scanRel, n.Index = p.Parent, p.Parent.Index, p.Index.Index
	n.indexOrig, n.indexQual = c.indexQuals(root, n, p)
	if p.Param != nil {
		n.indexOrig = c.replaceOuterList(root, n.indexOrig)
	}
	n.indexList = cloneTargets(p.Index.TargetList)
	n.bitmapSize(0, p.IndexTotal, p.Selectivity, p.Parent)
	out := bitmapPart{plan: n}
	for _, ic := range p.Clauses {
		out.original = append(out.original, ic.RInfo.Clause)
		out.index = append(out.index, prep.ActualClauses(ic.Quals)...)
		if ic.RInfo.ParentEC != nil {
			out.classes = append(out.classes, ic.RInfo.ParentEC)
		}
	}
	for _, pred := range p.Index.Predicate {
		// What the conditions imply needs no second check.
		if !path.PredicateImpliedBy(root, []query.Expr{pred}, out.original, false) {
			out.original = append(out.original, pred)
			out.index = append(out.index, pred)
		}
	}
	return out
}
