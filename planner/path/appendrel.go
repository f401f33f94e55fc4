package path

import (
	"math"
	"math/bits"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// childrenOf lists the child relations of an append relation in order.
func childrenOf(root *rel.PlannerInfo, rl *rel.RelOptInfo) []*rel.AppendRelInfo {
	var out []*rel.AppendRelInfo
	for _, info := range root.AppendRels {
		if info.Parent == rl.Index && info.Child < len(root.Rels) && root.Rels[info.Child] != nil {
			out = append(out, info)
		}
	}
	return out
}

// setAppendRelSize estimates an append relation by its children
// (set_append_rel_size, allpaths.c).
func setAppendRelSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	g := root.Global
	p := cost.ParamsOf(g)
	if p.EnablePartitionwiseJoin && rl.Kind == rel.BaseRel && rl.Partitioned {
		g.Approximate("joins are not planned partition by partition")
	}
	var rows, tuples, size float64
	widths := make([]float64, len(rl.AttrWidths))
	live := false
	for _, info := range childrenOf(root, rl) {
		child := root.Rels[info.Child]
		if child.Dummy || !prepareChild(root, rl, child, info) {
			if len(child.Paths) == 0 {
				SetDummyRel(root, child)
			}
			continue
		}
		live = true
		if !child.ConsiderParallel {
			rl.ConsiderParallel = false
		}
		rows += child.Rows
		tuples += child.Tuples
		size += float64(float64(child.Target.Width) * child.Rows)
		for i, e := range rl.Target.Exprs {
			v, ok := e.(*query.Var)
			if !ok || v.VarNo != rl.Index {
				continue
			}
			widths[v.AttNo-rl.MinAttr] += float64(float64(childWidth(root, child, child.Target.Exprs[i])) * child.Rows)
		}
	}
	if !live {
		SetDummyRel(root, rl)
		return
	}
	rl.Rows = rows
	rl.Target.Width = int(math.RoundToEven(size / rows))
	for i, w := range widths {
		rl.AttrWidths[i] = int(math.RoundToEven(w / rows))
	}
	rl.Tuples = rows
	if g.Version(18) {
		// So that a share of the rows is a share of those before any filter.
		rl.Tuples = tuples
	}
}

// prepareChild translates what the parent has to the child and estimates the
// child's size; false means that the child is empty.
func prepareChild(root *rel.PlannerInfo, rl, child *rel.RelOptInfo, info *rel.AppendRelInfo) bool {
	if ExcludedByConstraints(root, child) {
		return false
	}
	child.JoinInfo = nil
	for _, r := range rl.JoinInfo {
		if root.Global.Version(16) && r.ClauseRelids.Overlaps(rl.NullingRels) {
			continue
		}
		child.JoinInfo = append(child.JoinInfo, prep.AdjustRestrictInfo(root, r, info))
	}
	child.Target.Exprs = nil
	for _, e := range rl.Target.Exprs {
		child.Target.Exprs = append(child.Target.Exprs, prep.AdjustAppendRelAttrs(root, e, info))
	}
	if rl.HasEClassJoins || prep.HasUsefulPathKeys(root, rl) {
		prep.AddChildRelEquivalences(root, info, rl, child)
	}
	child.HasEClassJoins = rl.HasEClassJoins
	if root.Global.ParallelModeOK && rl.ConsiderParallel {
		setRelConsiderParallel(root, child)
	}
	setRelSize(root, child)
	return !child.Dummy
}

func childWidth(root *rel.PlannerInfo, child *rel.RelOptInfo, e query.Expr) int {
	if v, ok := e.(*query.Var); ok && v.VarNo == child.Index {
		if w := child.AttrWidths[v.AttNo-child.MinAttr]; w > 0 {
			return w
		}
	}
	return cost.TypeWidth(root.Global.Catalog, e.ResultType(), e.ResultTypmod())
}

// setAppendRelPathList makes the paths of the children and puts them together
// (set_append_rel_pathlist, allpaths.c).
func setAppendRelPathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	var live []*rel.RelOptInfo
	for _, info := range childrenOf(root, rl) {
		child := root.Rels[info.Child]
		if !rl.ConsiderParallel {
			child.ConsiderParallel = false
		}
		setRelPathList(root, child)
		if !child.Dummy {
			live = append(live, child)
		}
	}
	AddPathsToAppendRel(root, rl, live)
}

// appendSet gathers the inputs of an Append until one child has none.
type appendSet struct {
	paths []rel.Path
	bad   bool
}

// add takes a child's path, with the inputs of a nested Append or MergeAppend in
// its place (accumulate_append_subpath). special takes those of a parallel
// Append that one worker runs alone.
func (s *appendSet) add(p rel.Path, special *appendSet) {
	switch n := p.(type) {
	case *rel.AppendPath:
		if !n.ParallelAware || n.FirstPartial == 0 {
			s.paths = append(s.paths, n.Subs...)
			return
		}
		if special != nil {
			s.paths = append(s.paths, n.Subs[n.FirstPartial:]...)
			special.paths = append(special.paths, n.Subs[:n.FirstPartial]...)
			return
		}
	case *rel.MergeAppendPath:
		s.paths = append(s.paths, n.Subs...)
		return
	}
	s.paths = append(s.paths, p)
}

// childSets are the ways to choose one path of each child.
type childSets struct {
	total, startup, partial appendSet
	paPartial, paNonPartial appendSet
	parallelAppend          bool
	keys                    [][]*rel.PathKey
	outers                  []query.Relids
}

func (c *childSets) collect(root *rel.PlannerInfo, rl, child *rel.RelOptInfo) {
	if len(child.Paths) > 0 && child.CheapestTotal.Base().Param == nil {
		c.total.add(child.CheapestTotal, nil)
	} else {
		c.total.bad = true
	}
	if rl.ConsiderStartup && child.CheapestStartup != nil {
		if root.Global.Version(18) {
			// The cheapest for the rows wanted (since 18).
			best := GetCheapestFractionalPath(child, root.TupleFraction)
			if best == nil || best.Base().Param != nil {
				best = child.CheapestStartup
			}
			c.startup.add(best, nil)
		} else {
			c.startup.add(child.CheapestStartup, nil)
		}
	} else {
		c.startup.bad = true
	}
	var partial rel.Path
	if len(child.PartialPaths) > 0 {
		partial = child.PartialPaths[0]
		c.partial.add(partial, nil)
	} else {
		c.partial.bad = true
	}
	if c.parallelAppend {
		whole := GetCheapestParallelSafeTotalInner(child.Paths)
		switch {
		case partial == nil && whole == nil:
			c.parallelAppend = false
		case whole == nil || partial != nil && partial.Base().Total < whole.Base().Total:
			c.paPartial.add(partial, &c.paNonPartial)
		default:
			c.paNonPartial.add(whole, nil)
		}
	}
	for _, p := range child.Paths {
		b := p.Base()
		if len(b.PathKeys) > 0 && !slices.ContainsFunc(c.keys, func(k []*rel.PathKey) bool {
			return prep.ComparePathKeys(k, b.PathKeys) == prep.Equal
		}) {
			c.keys = append(c.keys, b.PathKeys)
		}
		if outer := b.RequiredOuter(); !outer.IsEmpty() && !slices.Contains(c.outers, outer) {
			c.outers = append(c.outers, outer)
		}
	}
}

func mostWorkers(paths []rel.Path) int {
	n := 0
	for _, p := range paths {
		n = max(n, p.Base().ParallelWorkers)
	}
	return n
}

// AddPathsToAppendRel makes the paths of an append relation out of those of its
// children that are not empty (add_paths_to_append_rel, allpaths.c).
func AddPathsToAppendRel(root *rel.PlannerInfo, rl *rel.RelOptInfo, live []*rel.RelOptInfo) {
	p := cost.ParamsOf(root.Global)
	sets := childSets{parallelAppend: p.EnableParallelAppend && rl.ConsiderParallel}
	for _, child := range live {
		sets.collect(root, rl, child)
	}
	if !sets.total.bad {
		AddPath(rl, NewAppend(root, rl, Append{Subs: sets.total.paths, Rows: -1}))
	}
	if !sets.startup.bad && root.Global.Version(17) {
		AddPath(rl, NewAppend(root, rl, Append{Subs: sets.startup.paths, Rows: -1}))
	}
	if root.Global.Version(18) && root.TupleFraction > 0 && root.AllBaseRels.Len() > 1 && len(live) > 1 && len(sets.partial.paths) > 0 {
		root.Global.Approximate("a parallel Append that is joined under LIMIT on PostgreSQL 18")
	}
	atLeast := bits.Len(uint(len(live)))
	partialRows := -1.0
	if !sets.partial.bad && len(sets.partial.paths) > 0 {
		n := mostWorkers(sets.partial.paths)
		if p.EnableParallelAppend {
			n = min(max(n, atLeast), p.MaxParallelWorkersPerGather)
		}
		a := NewAppend(root, rl, Append{
			Partial: sets.partial.paths, Workers: n, ParallelAware: p.EnableParallelAppend, Rows: -1,
		})
		partialRows = a.Rows
		AddPartialPath(rl, a)
	}
	if sets.parallelAppend && len(sets.paNonPartial.paths) > 0 {
		n := min(max(mostWorkers(sets.paPartial.paths), atLeast), p.MaxParallelWorkersPerGather)
		if n > 0 {
			AddPartialPath(rl, NewAppend(root, rl, Append{
				Subs: sets.paNonPartial.paths, Partial: sets.paPartial.paths, Workers: n, ParallelAware: true, Rows: partialRows,
			}))
		}
	}
	if !sets.total.bad {
		orderedAppendPaths(root, rl, live, sets.keys)
	}
	for _, outer := range sets.outers {
		parameterizedAppend(root, rl, live, outer)
	}
	if len(live) == 1 {
		// Orders of a single child's partial paths are kept.
		for _, q := range live[0].PartialPaths[min(1, len(live[0].PartialPaths)):] {
			if len(q.Base().PathKeys) == 0 {
				continue
			}
			AddPartialPath(rl, NewAppend(root, rl, Append{
				Partial: []rel.Path{q}, Workers: q.Base().ParallelWorkers, ParallelAware: true, Rows: partialRows,
			}))
		}
	}
}

// parameterizedAppend puts together children's paths with the same outer
// relations.
func parameterizedAppend(root *rel.PlannerInfo, rl *rel.RelOptInfo, live []*rel.RelOptInfo, outer query.Relids) {
	var set appendSet
	for _, child := range live {
		if len(child.Paths) == 0 {
			return
		}
		p := cheapestParameterizedChild(root, child, outer)
		if p == nil {
			return
		}
		set.add(p, nil)
	}
	AddPath(rl, NewAppend(root, rl, Append{Subs: set.paths, Outer: outer, Rows: -1}))
}

// cheapestParameterizedChild returns the cheapest path of a child with exactly
// the given parameters, enforcing them on a path with fewer if need be
// (get_cheapest_parameterized_child_path).
func cheapestParameterizedChild(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) rel.Path {
	best := GetCheapestPathForPathKeys(rl.Paths, nil, outer, TotalCost, false)
	if best != nil && best.Base().RequiredOuter() == outer {
		return best
	}
	best = nil
	for _, p := range rl.Paths {
		if !p.Base().RequiredOuter().IsSubset(outer) {
			continue
		}
		if best != nil && ComparePathCosts(best, p, TotalCost) <= 0 {
			continue
		}
		if p.Base().RequiredOuter() != outer {
			p = Reparameterize(root, p, outer, 1.0)
			if p == nil || best != nil && ComparePathCosts(best, p, TotalCost) <= 0 {
				continue
			}
		}
		best = p
	}
	return best
}

// Reparameterize makes a path check more parameters than it has now; nil if its
// kind cannot (reparameterize_path, pathnode.c).
func Reparameterize(root *rel.PlannerInfo, path rel.Path, outer query.Relids, loopCount float64) rel.Path {
	b := path.Base()
	rl := b.Parent
	if !b.RequiredOuter().IsSubset(outer) {
		return nil
	}
	switch p := path.(type) {
	case *rel.SeqScanPath:
		return NewSeqScan(root, rl, outer, 0)
	case *rel.SampleScanPath:
		return NewSampleScan(root, rl, outer, sampleHandler(root, rl) != handlerBernoulli)
	case *rel.IndexPath:
		n := *p
		n.Param = paramInfo(root, rl, outer)
		costIndex(root, &n, loopCount, false)
		return &n
	case *rel.BitmapHeapPath:
		return NewBitmapHeap(root, rl, p.Bitmap, outer, loopCount, 0)
	case *rel.SubqueryScanPath:
		trivial := root.Global.Version(16) && p.Sub.Base().Total == p.Total
		return NewSubqueryScan(root, rl, p.Sub, trivial, p.PathKeys, outer)
	case *rel.ResultPath:
		if p.Sub == nil && rl.RTEKind == query.RTEResult {
			return NewResultScan(root, rl, outer)
		}
	case *rel.AppendPath:
		a := Append{Keys: p.PathKeys, Outer: outer, Workers: p.ParallelWorkers, ParallelAware: p.ParallelAware, Rows: -1}
		for i, s := range p.Subs {
			s = Reparameterize(root, s, outer, loopCount)
			if s == nil {
				return nil
			}
			if i < p.FirstPartial {
				a.Subs = append(a.Subs, s)
			} else {
				a.Partial = append(a.Partial, s)
			}
		}
		return NewAppend(root, rl, a)
	case *rel.MaterialPath:
		if s := Reparameterize(root, p.Sub, outer, loopCount); s != nil {
			return NewMaterial(root, rl, s)
		}
	}
	return nil
}
