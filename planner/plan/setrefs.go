package plan

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// setReferences enters a level's range table into the statement's and makes the
// expressions of its plan refer to the outputs of the nodes below; it drops
// nodes that do nothing (set_plan_references, setrefs.c).
func (c *creator) setReferences(root *rel.PlannerInfo, n *Node) *Node {
	offset := len(c.rtable)
	c.addRangeTable(root, false)
	for _, a := range root.AppendRels {
		c.appends[a.Child+offset] = appendParent{parent: a.Parent + offset, info: a}
	}
	return c.setRefs(root, n, offset)
}

func (c *creator) setRefs(root *rel.PlannerInfo, n *Node, offset int) *Node {
	if n == nil {
		return nil
	}
	f := fixer{c: c, root: root, n: n, offset: offset}
	f.keepOriginals()
	switch n.Kind {
	case SubqueryScan:
		return f.subqueryScan()
	case Append, MergeAppend:
		return f.appendRefs()
	case BitmapAnd, BitmapOr:
		for i, m := range n.members {
			n.members[i] = c.setRefs(root, m, offset)
		}
		return n
	case NestLoop, MergeJoin, HashJoin:
		f.join()
	case Gather, GatherMerge, ProjectSet, Group, Agg, WindowAgg:
		if n.Kind == Agg && n.split&combineStep != 0 {
			f.combining()
		}
		if n.Kind == WindowAgg {
			n.runCond = f.scanExprs(n.runCond, n.Rows)
			n.others = f.scanExprs(n.others, 1)
		}
		f.upper()
	case Result:
		if n.outer != nil {
			f.upper()
		} else {
			n.tlist = f.scanTargets(n.tlist)
			n.filter = f.scanExprs(n.filter, n.Rows*2)
		}
		n.oneTime = f.scanExprs(n.oneTime, 1)
		n.scanRel = 0
	case Hash, Material, Memoize, Sort, IncrementalSort, Unique, SetOp, LockRows, Limit, RecursiveUnion:
		n.cacheKeys = f.scanExprs(n.cacheKeys, 1)
		n.others = f.scanExprs(n.others, 1)
		f.dummyTargets()
	case ModifyTable:
		f.modifyTable()
	case IndexOnlyScan:
		f.indexOnly()
	default:
		f.scan()
	}
	n.outer = c.setRefs(root, n.outer, offset)
	n.inner = c.setRefs(root, n.inner, offset)
	return n
}

// keepOriginals saves the conditions as the query has them for the findings.
func (f *fixer) keepOriginals() {
	n := f.n
	n.FilterExprs, n.IndexCondExprs, n.RecheckExprs = n.filter, n.indexOrig, n.recheck
	n.JoinFilterExprs, n.OneTimeExprs, n.TIDCondExprs = n.joinQual, n.oneTime, n.tidQual
	switch n.Kind {
	case HashJoin:
		n.HashCondExprs = n.clauses
	case MergeJoin:
		n.MergeCondExprs = n.clauses
	case Sort, IncrementalSort:
		for _, k := range n.keys {
			n.SortExprs = append(n.SortExprs, n.tlist[k.col-1].Expr)
		}
	}
}

func (f *fixer) scan() {
	n := f.n
	if n.scanRel > 0 {
		n.scanRel += f.offset
	}
	n.tlist = f.scanTargets(n.tlist)
	twice := n.Rows * 2
	n.filter = f.scanExprs(n.filter, twice)
	n.indexQual = f.scanExprs(n.indexQual, 1)
	n.indexOrig = f.scanExprs(n.indexOrig, twice)
	n.orderBy = f.scanExprs(n.orderBy, 1)
	n.orderByOrig = f.scanExprs(n.orderByOrig, twice)
	n.recheck = f.scanExprs(n.recheck, twice)
	n.tidQual = f.scanExprs(n.tidQual, 1)
	n.others = f.scanExprs(n.others, 1)
}

// indexOnly makes everything refer to the index's columns
// (set_indexonlyscan_references).
func (f *fixer) indexOnly() {
	n := f.n
	x, _ := n.Path.(*rel.IndexPath)
	var usable []*query.TargetEntry
	for i, t := range n.indexList {
		if x == nil || i >= len(x.Index.CanReturn) || x.Index.CanReturn[i] {
			usable = append(usable, t)
		}
	}
	in := input{list: usable, owner: n, which: indexVar}
	n.scanRel += f.offset
	n.tlist = f.targets(n.tlist, n.Rows, in)
	n.filter = f.exprs(n.filter, n.Rows*2, in)
	n.indexQual = f.scanExprs(n.indexQual, 1)
	n.orderBy = f.scanExprs(n.orderBy, 1)
	n.indexOrig = f.scanExprs(n.indexOrig, 1)
	n.indexList = f.scanTargets(n.indexList)
}

func (f *fixer) join() {
	n := f.n
	outer := input{list: n.outer.tlist, owner: n, which: outerVar}
	inner := input{list: n.inner.tlist, owner: n, which: innerVar}
	twice := n.Rows * 2
	n.joinQual = f.exprs(n.joinQual, twice, outer, inner)
	for _, p := range n.nestParams {
		p.Value = f.expr(p.Value, n.outer.Rows, outer)
	}
	n.clauses = f.exprs(n.clauses, twice, outer, inner)
	n.tlist = f.targets(n.tlist, n.Rows, outer, inner)
	n.filter = f.exprs(n.filter, twice, outer, inner)
}

// upper is set_upper_references.
func (f *fixer) upper() {
	n := f.n
	in := input{list: n.outer.tlist, owner: n, which: outerVar}
	out := make([]*query.TargetEntry, len(n.tlist))
	for i, t := range n.tlist {
		c := *t
		c.Expr = nil
		if t.SortGroupRef != 0 {
			for _, below := range n.outer.tlist {
				if below.SortGroupRef == t.SortGroupRef && query.Equal(below.Expr, t.Expr) {
					c.Expr = special(n, outerVar, below.ResNo, t.Expr)
					break
				}
			}
		}
		if c.Expr == nil {
			c.Expr = f.expr(t.Expr, n.Rows, in)
		}
		out[i] = &c
	}
	n.tlist = out
	n.filter = f.exprs(n.filter, n.Rows*2, in)
}

// dummyTargets makes a node that hands columns on refer to them by number
// (set_dummy_tlist_references).
func (f *fixer) dummyTargets() {
	n := f.n
	out := make([]*query.TargetEntry, len(n.tlist))
	for i, t := range n.tlist {
		c := *t
		if _, ok := t.Expr.(*query.Const); !ok {
			c.Expr = special(n, outerVar, t.ResNo, t.Expr)
		}
		out[i] = &c
	}
	n.tlist = out
}

func (f *fixer) appendRefs() *Node {
	n := f.n
	for i, m := range n.members {
		n.members[i] = f.c.setRefs(f.root, m, f.offset)
	}
	if len(n.members) == 1 && n.members[0].ParallelAware == n.ParallelAware {
		return f.removed(n.members[0])
	}
	f.dummyTargets()
	var moved query.Relids
	for r := range n.appendRels.All() {
		moved = moved.Add(r + f.offset)
	}
	n.appendRels = moved
	return n
}

// removed drops a node in favour of its only child
// (clean_up_removed_plan_level).
func (f *fixer) removed(child *Node) *Node {
	n := f.n
	if len(n.initPlans) > 0 {
		if f.c.g.Version(17) {
			var sum float64
			for _, s := range n.initPlans {
				sum += s.StartupCost + s.PerCallCost
			}
			child.Startup += sum
			child.Total += sum
		}
		child.initPlans = append(n.initPlans[:len(n.initPlans):len(n.initPlans)], child.initPlans...)
	}
	child.tlist = cloneTargets(child.tlist)
	labelTargets(child.tlist, n.tlist)
	return child
}

// subqueryScan drops the scan where it hands on what the subquery gives
// (set_subqueryscan_references).
func (f *fixer) subqueryScan() *Node {
	n := f.n
	rl := f.root.Rels[n.scanRel]
	n.sub = f.c.setReferences(rl.SubRoot, n.sub)
	if trivial(n) {
		return f.removed(n.sub)
	}
	f.scan()
	return n
}

// trivial reports whether a subquery scan does nothing (trivial_subqueryscan).
func trivial(n *Node) bool {
	if len(n.filter) > 0 || len(n.tlist) != len(n.sub.tlist) {
		return false
	}
	for i, t := range n.tlist {
		below := n.sub.tlist[i]
		if t.Junk != below.Junk {
			return false
		}
		switch e := t.Expr.(type) {
		case *query.Var:
			if e.AttNo != i+1 {
				return false
			}
		case *query.Const:
			if !query.Equal(e, below.Expr) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (f *fixer) modifyTable() {
	n := f.n
	n.scanRel += f.offset
	if n.exclRel > 0 {
		n.exclRel += f.offset
	}
	moved := make([]int, len(n.results))
	for i, r := range n.results {
		moved[i] = r + f.offset
	}
	n.results = moved
	in := input{list: n.outer.tlist, owner: n, which: outerVar}
	n.returning = f.lenient(in).targets(n.returning, n.Rows, in)
	n.tlist = n.returning
	if oc := n.onConflict; oc != nil {
		n.conflict = f.scanExprs(eval.AndList(oc.Where), n.Rows*2)
		for _, t := range oc.Set {
			n.others = append(n.others, f.scanExpr(t.Expr, n.Rows))
		}
	}
	for _, a := range f.root.Parse.MergeActions {
		for _, e := range eval.AndList(a.Qual) {
			n.others = append(n.others, f.lenient(in).expr(e, n.Rows*2, in))
		}
		for _, t := range a.TargetList {
			n.others = append(n.others, f.lenient(in).expr(t.Expr, n.Rows, in))
		}
	}
}

// addRangeTable flattens a level's range table into the statement's
// (add_rtes_to_flat_rtable). Within a subquery that the plan leaves out only
// relations count.
func (c *creator) addRangeTable(root *rel.PlannerInfo, recursing bool) {
	for i, rte := range root.Parse.RangeTable {
		if !recursing || rte.Kind == query.RTERelation || rte.Kind == query.RTESubquery && c.g.Version(16) && rte.FromView != 0 {
			c.addEntry(rte, root, i+1)
		}
	}
	for i, rte := range root.Parse.RangeTable {
		if rte.Kind != query.RTESubquery || i+1 >= len(root.Rels) {
			continue
		}
		rl := root.Rels[i+1]
		if rl == nil || root.Append != nil && i+1 < len(root.Append) && hasChildren(root, i+1) {
			continue
		}
		switch {
		case rl.SubRoot == nil:
			c.flattenUnplanned(rte.Subquery)
		case recursing || dummyRel(prep.FetchUpperRel(rl.SubRoot, rel.UpperFinal, query.Relids{})):
			c.addRangeTable(rl.SubRoot, true)
		}
	}
}

func hasChildren(root *rel.PlannerInfo, parent int) bool {
	for _, a := range root.AppendRels {
		if a.Parent == parent {
			return true
		}
	}
	return false
}

// dummyRel reports whether a relation is known to be empty (is_dummy_rel).
func dummyRel(rl *rel.RelOptInfo) bool {
	if rl.Dummy {
		return true
	}
	if len(rl.Paths) == 0 {
		return false
	}
	p := rl.Paths[0]
	for {
		switch q := p.(type) {
		case *rel.ProjectionPath:
			p = q.Sub
		case *rel.ProjectSetPath:
			p = q.Sub
		case *rel.AppendPath:
			return len(q.Subs) == 0
		default:
			return false
		}
	}
}

// flattenUnplanned enters the relations of a subquery that was never planned
// (flatten_unplanned_rtes).
func (c *creator) flattenUnplanned(q *query.Query) {
	if q == nil {
		return
	}
	for i, rte := range q.RangeTable {
		if rte.Kind == query.RTERelation || rte.Kind == query.RTESubquery && c.g.Version(16) && rte.FromView != 0 {
			c.addEntry(rte, nil, i+1)
		}
	}
	q.Subqueries(c.flattenUnplanned)
}
