package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// merge is how a merge join is to be made.
type merge struct {
	keys                 []*rel.PathKey // order of the output
	clauses              []*rel.RestrictInfo
	outerSort, innerSort []*rel.PathKey // nil for "as it is"
	outerPresorted       int
}

// ownRelids returns the relations of a side, those of its topmost parent for a
// partition.
func ownRelids(p rel.Path) query.Relids {
	rl := p.Base().Parent
	if !rl.TopParentRelids.IsEmpty() {
		return rl.TopParentRelids
	}
	return rl.Relids
}

// nullsOwnParameter reports whether an input is parameterised by the very outer
// join being made, which no loop could supply.
func (b *builder) nullsOwnParameter(outer, inner rel.Path) bool {
	id := b.extra.SJInfo.OJRelid
	return id != 0 && (inner.Base().RequiredOuter().Has(id) || outer.Base().RequiredOuter().Has(id))
}

// tryNestLoop offers a nested loop (try_nestloop_path).
func (b *builder) tryNestLoop(outer, inner rel.Path, keys []*rel.PathKey) {
	if b.nullsOwnParameter(outer, inner) {
		return
	}
	outerRelids := ownRelids(outer)
	outerParams, innerParams := outer.Base().RequiredOuter(), inner.Base().RequiredOuter()
	required := outerParams
	if !innerParams.IsEmpty() {
		required = outerParams.Union(innerParams).Minus(outerRelids)
	}
	if !required.IsEmpty() {
		// A parameter supplied only in part is let pass for star schemas,
		// where small tables stacked outside feed one large table.
		star := innerParams.Overlaps(outerRelids) && !innerParams.IsSubset(outerRelids)
		if !required.Overlaps(b.extra.ParamSource) && !star || haveDangerousPHV(b.root, outerRelids, innerParams) {
			return
		}
	}
	w, in := b.nestLoopStart(outer, inner)
	if path.AddPathPrecheck(b.joined, w.Disabled, w.Startup, w.Total, keys, required) {
		path.AddPath(b.joined, b.nestLoop(w, in, outer, inner, keys, required))
	}
}

// tryPartialNestLoop offers a nested loop whose outer side the workers share
// (try_partial_nestloop_path).
func (b *builder) tryPartialNestLoop(outer, inner rel.Path, keys []*rel.PathKey) {
	if !inner.Base().RequiredOuter().IsSubset(ownRelids(outer)) {
		return
	}
	w, in := b.nestLoopStart(outer, inner)
	if path.AddPartialPathPrecheck(b.joined, w.Disabled, w.Total, keys) {
		path.AddPartialPath(b.joined, b.nestLoop(w, in, outer, inner, keys, query.Relids{}))
	}
}

// tryMerge offers a merge join (try_mergejoin_path).
func (b *builder) tryMerge(outer, inner rel.Path, m merge) {
	if b.nullsOwnParameter(outer, inner) {
		return
	}
	required, ok := b.requiredOuter(outer, inner)
	if !ok {
		return
	}
	b.dropNeedlessSorts(outer, inner, &m)
	w, in := b.mergeStart(outer, inner, m)
	if path.AddPathPrecheck(b.joined, w.Disabled, w.Startup, w.Total, m.keys, required) {
		path.AddPath(b.joined, b.mergeJoin(w, in, outer, inner, m, required))
	}
}

// tryPartialMerge offers a merge join whose outer side the workers share
// (try_partial_mergejoin_path).
func (b *builder) tryPartialMerge(outer, inner rel.Path, m merge) {
	if !inner.Base().RequiredOuter().IsEmpty() {
		return
	}
	b.dropNeedlessSorts(outer, inner, &m)
	w, in := b.mergeStart(outer, inner, m)
	if path.AddPartialPathPrecheck(b.joined, w.Disabled, w.Total, m.keys) {
		path.AddPartialPath(b.joined, b.mergeJoin(w, in, outer, inner, m, query.Relids{}))
	}
}

// dropNeedlessSorts leaves out the sorts of inputs that have the order; since 18
// it notes how much of it the outer side has.
func (b *builder) dropNeedlessSorts(outer, inner rel.Path, m *merge) {
	if m.outerSort != nil {
		n, all := prep.CountContainedIn(m.outerSort, outer.Base().PathKeys)
		if all {
			m.outerSort = nil
		} else if b.root.Global.Version(18) {
			m.outerPresorted = n
		}
	}
	if m.innerSort != nil && prep.PathKeysContainedIn(m.innerSort, inner.Base().PathKeys) {
		m.innerSort = nil
	}
}

// requiredOuter returns the parameters of a join that is no nested loop; ok is
// false if there is no reason to make a path with those
// (calc_non_nestloop_required_outer).
func (b *builder) requiredOuter(outer, inner rel.Path) (required query.Relids, ok bool) {
	required = outer.Base().RequiredOuter().Union(inner.Base().RequiredOuter())
	return required, required.IsEmpty() || required.Overlaps(b.extra.ParamSource)
}

// tryHash offers a hash join (try_hashjoin_path).
func (b *builder) tryHash(outer, inner rel.Path, clauses []*rel.RestrictInfo) {
	if b.nullsOwnParameter(outer, inner) {
		return
	}
	required, ok := b.requiredOuter(outer, inner)
	if !ok {
		return
	}
	w, in := b.hashStart(outer, inner, clauses, false)
	if path.AddPathPrecheck(b.joined, w.Disabled, w.Startup, w.Total, nil, required) {
		path.AddPath(b.joined, b.hashJoin(w, in, outer, inner, clauses, required))
	}
}

// tryPartialHash offers a hash join whose outer side the workers share; shared
// is for a hash table that they build together (try_partial_hashjoin_path).
func (b *builder) tryPartialHash(outer, inner rel.Path, clauses []*rel.RestrictInfo, shared bool) {
	if !inner.Base().RequiredOuter().IsEmpty() {
		return
	}
	w, in := b.hashStart(outer, inner, clauses, shared)
	if path.AddPartialPathPrecheck(b.joined, w.Disabled, w.Total, nil) {
		path.AddPartialPath(b.joined, b.hashJoin(w, in, outer, inner, clauses, query.Relids{}))
	}
}

// nestLoopStart is the first look at the cost of a nested loop.
func (b *builder) nestLoopStart(outer, inner rel.Path) (cost.JoinWork, cost.NestLoopInput) {
	in := cost.NestLoopInput{Outer: cost.EstimateOf(outer), Inner: cost.EstimateOf(inner), FirstMatch: b.firstMatch()}
	in.RescanStartup, in.RescanTotal = Rescan(b.root, inner)
	return b.params().NestLoopStart(in), in
}

// firstMatch reports whether an outer row is done with at its first match.
func (b *builder) firstMatch() bool {
	return b.jt == query.JoinSemi || b.jt == query.JoinAnti || b.extra.InnerUnique
}

func (b *builder) params() cost.Params { return cost.ParamsOf(b.root.Global) }

// mergeStart is the first look at the cost of a merge join.
func (b *builder) mergeStart(outer, inner rel.Path, m merge) (cost.JoinWork, cost.MergeJoinInput) {
	p := b.params()
	o, i := outer.Base(), inner.Base()
	in := cost.MergeJoinInput{
		Type: b.jt, Outer: cost.EstimateOf(outer), Inner: cost.EstimateOf(inner), InnerWidth: i.Target.Width,
	}
	if len(m.clauses) > 0 && b.jt != query.JoinFull {
		key := front(m.outerSort, o.PathKeys)
		in.Scan = b.scanSelectivity(m.clauses[0], key, o.Parent)
	}
	sorted := func(e cost.Estimate, width int) cost.SortInput {
		rows := e.Rows
		if rows <= 0 {
			rows = 1
		}
		return cost.SortInput{Input: e, Tuples: rows, Width: width, LimitTuples: -1}
	}
	if m.outerSort != nil {
		s := sorted(in.Outer, o.Target.Width)
		e := cost.Sort(p, s)
		if m.outerPresorted > 0 && p.EnableIncrementalSort {
			e = cost.IncrementalSort(p, s, path.PresortedGroups(b.root, m.outerSort, m.outerPresorted, s.Tuples))
		}
		in.OuterSort = &e
	}
	if m.innerSort != nil {
		e := cost.Sort(p, sorted(in.Inner, i.Target.Width))
		in.InnerSort = &e
	}
	return p.MergeJoinStart(in), in
}

func front(sort, has []*rel.PathKey) *rel.PathKey {
	if len(sort) > 0 {
		return sort[0]
	}
	return has[0]
}

// hashStart is the first look at the cost of a hash join.
func (b *builder) hashStart(outer, inner rel.Path, clauses []*rel.RestrictInfo, shared bool) (cost.JoinWork, cost.HashJoinInput) {
	o, i := outer.Base(), inner.Base()
	in := cost.HashJoinInput{
		Type: b.jt, Outer: cost.EstimateOf(outer), Inner: cost.EstimateOf(inner),
		OuterWidth: o.Target.Width, InnerWidth: i.Target.Width, Clauses: len(clauses),
		Parallel: shared, OuterWorkers: o.ParallelWorkers, InnerWorkers: i.ParallelWorkers,
	}
	return b.params().HashJoinStart(in), in
}
