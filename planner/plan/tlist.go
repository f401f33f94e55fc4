package plan

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// pathList is a path's target as a target list (build_path_tlist).
func (c *creator) pathList(root *rel.PlannerInfo, p rel.Path) []*query.TargetEntry {
	b := p.Base()
	if b.Target == nil {
		return nil
	}
	out := make([]*query.TargetEntry, len(b.Target.Exprs))
	for i, e := range b.Target.Exprs {
		if b.Param != nil {
			e = c.replaceOuter(root, e)
		}
		out[i] = &query.TargetEntry{Expr: e, ResNo: i + 1, SortGroupRef: prep.SortRef(b.Target, i)}
	}
	return out
}

// labelTargets gives a target list the names and the junk marks of another
// (apply_tlist_labeling, tlist.c).
func labelTargets(dest, src []*query.TargetEntry) {
	for i := range min(len(dest), len(src)) {
		d, s := dest[i], src[i]
		d.Name, d.SortGroupRef, d.Junk = s.Name, s.SortGroupRef, s.Junk
		d.OrigTable, d.OrigColumn = s.OrigTable, s.OrigColumn
	}
}

// labelSortRefs marks the entries that a target's sort references mean
// (apply_pathtarget_labeling_to_tlist, tlist.c).
func labelSortRefs(list []*query.TargetEntry, t *rel.PathTarget) {
	for i, e := range t.Exprs {
		ref := prep.SortRef(t, i)
		if ref == 0 {
			continue
		}
		at := -1
		if v, ok := e.(*query.Var); ok {
			at = slices.IndexFunc(list, func(te *query.TargetEntry) bool {
				w, ok := te.Expr.(*query.Var)
				return ok && w.VarNo == v.VarNo && w.AttNo == v.AttNo
			})
		} else {
			at = slices.IndexFunc(list, func(te *query.TargetEntry) bool { return query.Equal(te.Expr, e) })
		}
		if at >= 0 {
			list[at].SortGroupRef = ref
		}
	}
}

func sameTargetExprs(a, b []*query.TargetEntry) bool {
	return slices.EqualFunc(a, b, func(x, y *query.TargetEntry) bool { return query.Equal(x.Expr, y.Expr) })
}

func cloneTargets(list []*query.TargetEntry) []*query.TargetEntry {
	out := make([]*query.TargetEntry, len(list))
	for i, t := range list {
		x := *t
		out[i] = &x
	}
	return out
}

// projects reports whether a node can compute a target list of its own
// (is_projection_capable_plan, createplan.c).
func (n *Node) projects() bool {
	switch n.Kind {
	case Hash, Material, Memoize, Sort, IncrementalSort, Unique, SetOp, LockRows, Limit, ModifyTable, Append,
		MergeAppend, RecursiveUnion, ProjectSet:
		return false
	}
	return true
}

// projectable is its counterpart for paths (is_projection_capable_path).
func projectable(p rel.Path) bool {
	switch p := p.(type) {
	case *rel.MaterialPath, *rel.MemoizePath, *rel.SortPath, *rel.IncrementalSortPath, *rel.UniquePath,
		*rel.UpperUniquePath, *rel.SetOpPath, *rel.LockRowsPath, *rel.LimitPath, *rel.ModifyTablePath,
		*rel.MergeAppendPath, *rel.RecursiveUnionPath, *rel.ProjectSetPath:
		return false
	case *rel.AppendPath:
		return len(p.Subs) == 0
	}
	return true
}

// usePhysical reports whether a scan may return all columns of its relation in
// order, which spares it a projection (use_physical_tlist).
func usePhysical(root *rel.PlannerInfo, p rel.Path, want demand) bool {
	if want&(exactList|smallList) != 0 {
		return false
	}
	rl := p.Base().Parent
	switch rl.RTEKind {
	case query.RTERelation, query.RTESubquery, query.RTEFunction, query.RTETableFunc, query.RTEValues, query.RTECTE:
	default:
		return false
	}
	if rl.Kind != rel.BaseRel {
		return false
	}
	target := p.Base().Target
	if _, ok := p.(*rel.BitmapHeapPath); ok && len(target.Exprs) == 0 {
		return false
	}
	for a := rl.MinAttr; a <= 0; a++ {
		if at := a - rl.MinAttr; at < len(rl.AttrNeeded) && !rl.AttrNeeded[at].IsEmpty() {
			return false
		}
	}
	for _, ph := range root.PlaceHolders {
		if !ph.Needed.IsSubset(rl.Relids) && ph.EvalAt.IsSubset(rl.Relids) {
			return false
		}
	}
	if x, ok := p.(*rel.IndexPath); ok && x.IndexOnly && slices.Contains(x.Index.CanReturn, false) {
		return false
	}
	if want&labelList != 0 {
		seen := map[int]bool{}
		for i, e := range target.Exprs {
			if prep.SortRef(target, i) == 0 {
				continue
			}
			v, ok := e.(*query.Var)
			if !ok || seen[v.AttNo] {
				return false
			}
			seen[v.AttNo] = true
		}
	}
	return true
}

// physicalList is all columns of a relation in order (build_physical_tlist,
// plancat.c); nil where a column was dropped.
func physicalList(root *rel.PlannerInfo, p rel.Path) []*query.TargetEntry {
	rl := p.Base().Parent
	rte := root.RTEs[rl.Index]
	known := map[int]*query.Var{}
	for _, e := range p.Base().Target.Exprs {
		if v, ok := e.(*query.Var); ok && v.VarNo == rl.Index {
			known[v.AttNo] = v
		}
	}
	var out []*query.TargetEntry
	add := func(att int, h query.Header, junk bool) {
		v := known[att]
		if v == nil {
			v = &query.Var{Header: h, VarNo: rl.Index, AttNo: att}
		}
		out = append(out, &query.TargetEntry{Expr: v, ResNo: len(out) + 1, Junk: junk})
	}
	switch rte.Kind {
	case query.RTERelation:
		if rl.Table == nil {
			return nil
		}
		for _, col := range rl.Table.Columns {
			if col.Dropped {
				return nil
			}
			add(col.Number, query.Header{Typ: col.Type, Mod: col.Typmod, Coll: col.Collation}, false)
		}
	case query.RTESubquery:
		for _, te := range rte.Subquery.TargetList {
			add(te.ResNo, query.Header{
				Typ: te.Expr.ResultType(), Mod: te.Expr.ResultTypmod(), Coll: te.Expr.ResultCollation(),
			}, te.Junk)
		}
	default:
		for i := range rte.ERef.Columns {
			var h query.Header
			if i < len(rte.ColTypes) {
				h.Typ = rte.ColTypes[i]
			}
			if i < len(rte.ColTypmods) {
				h.Mod = rte.ColTypmods[i]
			}
			if i < len(rte.ColCollations) {
				h.Coll = rte.ColCollations[i]
			}
			add(i+1, h, false)
		}
	}
	return out
}

// scanList is the target list of a scan (create_scan_plan's part of it).
func (c *creator) scanList(root *rel.PlannerInfo, p rel.Path, want demand) []*query.TargetEntry {
	if want == ignoreList {
		return nil
	}
	if !usePhysical(root, p, want) {
		return c.pathList(root, p)
	}
	var list []*query.TargetEntry
	if x, ok := p.(*rel.IndexPath); ok && x.IndexOnly {
		list = cloneTargets(x.Index.TargetList)
	} else {
		list = physicalList(root, p)
	}
	if list == nil {
		return c.pathList(root, p)
	}
	if want&labelList != 0 {
		labelSortRefs(list, p.Base().Target)
	}
	return list
}

// projection makes a node compute another target list, with a Result of its own
// only where the node below cannot (create_projection_plan).
func (c *creator) projection(root *rel.PlannerInfo, p *rel.ProjectionPath, want demand) *Node {
	var sub *Node
	var list []*query.TargetEntry
	need := false
	switch {
	case usePhysical(root, p, want):
		sub = c.recurse(root, p.Sub, 0)
		list = sub.tlist
		if want&labelList != 0 {
			labelSortRefs(list, p.Target)
		}
	case projectable(p.Sub):
		sub = c.recurse(root, p.Sub, ignoreList)
		list = c.pathList(root, p)
	default:
		sub = c.recurse(root, p.Sub, 0)
		list = c.pathList(root, p)
		need = !sameTargetExprs(list, sub.tlist)
	}
	if need {
		n := c.node(Result, root, p)
		n.outer, n.tlist = sub, list
		return n
	}
	sub.tlist = list
	sub.Startup, sub.Total, sub.Rows, sub.Width = p.Startup, p.Total, p.Rows, p.Target.Width
	return sub
}

// inject puts a Result above a node that cannot project
// (inject_projection_plan).
func (c *creator) inject(sub *Node, list []*query.TargetEntry) *Node {
	n := c.node(Result, sub.Root, nil)
	n.Path = sub.Path
	n.outer, n.tlist = sub, list
	n.copySize(sub)
	return n
}

// changeList replaces a node's target list (change_plan_targetlist).
func (c *creator) changeList(sub *Node, list []*query.TargetEntry) *Node {
	if !sub.projects() && !sameTargetExprs(list, sub.tlist) {
		return c.inject(sub, list)
	}
	sub.tlist = list
	return sub
}
