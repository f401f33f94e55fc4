package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// builder makes the paths of one join out of one pair of relations, the first of
// them being the outer side.
type builder struct {
	root         *rel.PlannerInfo
	joined       *rel.RelOptInfo
	outer, inner *rel.RelOptInfo
	// asked is the kind of join asked for, with the kinds that make a side
	// unique first; jt is what is then joined, those being inner joins.
	asked, jt query.JoinType
	extra     *rel.JoinPathExtra
}

// addPaths makes all paths of a join with one relation as the outer and another
// as the inner side (add_paths_to_joinrel, joinpath.c).
func addPaths(root *rel.PlannerInfo, joined, outer, inner *rel.RelOptInfo, jt query.JoinType, sj *rel.SpecialJoinInfo, restrict []*rel.RestrictInfo) {
	b := &builder{
		root: root, joined: joined, outer: outer, inner: inner, asked: jt, jt: jt,
		extra: &rel.JoinPathExtra{Restrict: restrict, SJInfo: sj},
	}
	if jt == query.JoinUniqueOuter || jt == query.JoinUniqueInner {
		b.jt = query.JoinInner
	}
	x := b.extra
	switch jt {
	case query.JoinSemi, query.JoinAnti:
		// The executor stops at the first match anyway.
	case query.JoinUniqueInner:
		x.InnerUnique = sj.MinLeft.IsSubset(outer.Relids)
	default:
		// The genetic search asks so often that it keeps all answers.
		x.InnerUnique = prep.InnerRelIsUnique(root, joined.Relids, outer.Relids, inner, b.jt, restrict, root.JoinLevels == nil)
	}
	s := root.Global.Settings
	mergeOK := true
	// A full join may have no other method, so a setting cannot forbid it.
	if s.EnableMergeJoin || jt == query.JoinFull {
		mergeOK = b.selectMergeClauses()
	}
	if jt == query.JoinSemi || jt == query.JoinAnti || x.InnerUnique {
		x.SemiFactors = semiFactors(root, joined, outer, inner, jt, sj, restrict)
	}
	x.ParamSource = b.paramSource()
	if mergeOK {
		b.sortBoth()
		b.unsortedOuter()
	}
	if s.EnableHashJoin || jt == query.JoinFull {
		b.hash()
	}
}

// paramSource returns the relations that may parameterise the paths of this
// join: normally none, unless the join order is restricted such that a parameter
// cannot be supplied to an input directly.
func (b *builder) paramSource() query.Relids {
	root := b.root
	relids := b.joined.Relids
	if b.joined.Kind == rel.OtherJoinRel {
		relids = b.joined.TopParentRelids
	}
	var out query.Relids
	for _, sj := range root.JoinInfoList {
		if relids.Overlaps(sj.MinRight) && !relids.Overlaps(sj.MinLeft) {
			out = out.Union(root.AllBaseRels.Minus(sj.MinRight))
		}
		if sj.Type == query.JoinFull && relids.Overlaps(sj.MinLeft) && !relids.Overlaps(sj.MinRight) {
			out = out.Union(root.AllBaseRels.Minus(sj.MinLeft))
		}
	}
	return out.Union(b.joined.LateralRelids)
}

// selectMergeClauses notes the clauses that can be merged on and reports whether
// a merge join is possible at all: right and full joins cannot check other
// clauses of their own (select_mergejoin_clauses).
func (b *builder) selectMergeClauses() bool {
	other := false
	for _, r := range b.extra.Restrict {
		if b.asked.IsOuter() && prep.IsPushedDown(r, b.joined.Relids) {
			continue
		}
		switch {
		case !r.CanJoin || len(r.MergeFamilies) == 0:
			if _, isConst := r.Clause.(*query.Const); !isConst {
				other = true
			}
		case !sidesMatch(r, b.outer, b.inner), mustBeRedundant(r):
			other = true
		default:
			b.extra.MergeClauses = append(b.extra.MergeClauses, r)
		}
	}
	switch b.asked {
	case query.JoinRight, query.JoinRightAnti, query.JoinFull:
		return !other
	}
	return true
}

// paramBy reports whether a path takes a parameter from a relation or from the
// parent of one (PATH_PARAM_BY_REL).
func paramBy(p rel.Path, rl *rel.RelOptInfo) bool {
	b := p.Base()
	return b.Param != nil && (b.Param.RequiredOuter.Overlaps(rl.Relids) || b.Param.RequiredOuter.Overlaps(rl.TopParentRelids))
}

// oneSided reports whether the join must see the whole inner side to know which
// of its rows had a match, so that workers cannot share the outer side.
func oneSided(jt query.JoinType) bool {
	switch jt {
	case query.JoinFull, query.JoinRight, query.JoinRightAnti:
		return true
	}
	return false
}

// partialOuter reports whether the outer side could be shared among workers.
func (b *builder) partialOuter() bool {
	return b.joined.ConsiderParallel && b.asked != query.JoinUniqueOuter &&
		len(b.outer.PartialPaths) > 0 && b.joined.LateralRelids.IsEmpty()
}

// sortBoth makes merge joins of the cheapest paths, sorted for it
// (sort_inner_and_outer).
func (b *builder) sortBoth() {
	if b.asked == query.JoinRightSemi {
		return
	}
	outer, inner := b.outer.CheapestTotal, b.inner.CheapestTotal
	if paramBy(outer, b.inner) || paramBy(inner, b.outer) {
		return
	}
	switch b.asked {
	case query.JoinUniqueOuter:
		outer = uniquePath(b.root, b.outer, outer, b.extra.SJInfo)
	case query.JoinUniqueInner:
		inner = uniquePath(b.root, b.inner, inner, b.extra.SJInfo)
	}
	var partial, safe rel.Path
	if b.partialOuter() && !oneSided(b.asked) {
		partial = b.outer.PartialPaths[0]
		safe = b.safeInner(inner)
	}
	all := prep.SelectOuterPathKeysForMerge(b.root, b.extra.MergeClauses, b.joined)
	for i, front := range all {
		// Each key has its turn to be the first: that gives an order that
		// may be of use above.
		keys := all
		if i > 0 {
			keys = []*rel.PathKey{front}
			keys = append(keys, all[:i]...)
			keys = append(keys, all[i+1:]...)
		}
		clauses := prep.FindMergeClausesForOuterPathKeys(keys, b.extra.MergeClauses)
		m := merge{
			keys:      prep.BuildJoinPathKeys(b.root, b.joined, b.jt, keys),
			clauses:   clauses,
			outerSort: keys,
			innerSort: prep.MakeInnerPathKeysForMerge(b.root, clauses, keys),
		}
		b.tryMerge(outer, inner, m)
		if partial != nil && safe != nil {
			b.tryPartialMerge(partial, safe, m)
		}
	}
}

// safeInner returns the inner path that workers can run, nil if there is none.
func (b *builder) safeInner(inner rel.Path) rel.Path {
	switch {
	case inner != nil && inner.Base().ParallelSafe:
		return inner
	case b.asked == query.JoinUniqueInner:
		return nil
	}
	return path.GetCheapestParallelSafeTotalInner(b.inner.Paths)
}

// unsortedOuter makes nested loops, and merge joins of outer paths that are
// sorted already (match_unsorted_outer).
func (b *builder) unsortedOuter() {
	if b.asked == query.JoinRightSemi {
		return
	}
	nestOK := !oneSided(b.asked)
	inner := b.inner.CheapestTotal
	if paramBy(inner, b.outer) {
		inner = nil
	}
	var materialized rel.Path
	if b.asked == query.JoinUniqueInner {
		if inner == nil {
			return
		}
		inner = uniquePath(b.root, b.inner, inner, b.extra.SJInfo)
	} else if nestOK && b.root.Global.Settings.EnableMaterial && inner != nil && !materializesOutput(inner) {
		materialized = path.NewMaterial(b.root, b.inner, inner)
	}
	for _, outer := range b.outer.Paths {
		if paramBy(outer, b.inner) {
			continue
		}
		if b.asked == query.JoinUniqueOuter {
			if outer != b.outer.CheapestTotal {
				continue
			}
			outer = uniquePath(b.root, b.outer, outer, b.extra.SJInfo)
		}
		keys := prep.BuildJoinPathKeys(b.root, b.joined, b.jt, outer.Base().PathKeys)
		switch {
		case b.asked == query.JoinUniqueInner:
			b.tryNestLoop(outer, inner, keys)
		case nestOK:
			for _, in := range b.inner.CheapestParam {
				b.tryNestLoop(outer, in, keys)
				if m := b.memoize(in, outer); m != nil {
					b.tryNestLoop(outer, m, keys)
				}
			}
			if materialized != nil {
				b.tryNestLoop(outer, materialized, keys)
			}
		}
		if b.asked != query.JoinUniqueOuter && inner != nil {
			b.mergeSortedOuter(outer, inner, keys, false)
		}
	}
	if !b.partialOuter() || oneSided(b.asked) {
		return
	}
	if nestOK {
		b.partialNestLoops()
	}
	if inner = b.safeInner(inner); inner == nil {
		return
	}
	for _, outer := range b.outer.PartialPaths {
		keys := prep.BuildJoinPathKeys(b.root, b.joined, b.asked, outer.Base().PathKeys)
		b.mergeSortedOuter(outer, inner, keys, true)
	}
}

// partialNestLoops makes nested loops whose outer side the workers share
// (consider_parallel_nestloop).
func (b *builder) partialNestLoops() {
	var materialized rel.Path
	if g := b.root.Global; g.Version(18) && g.Settings.EnableMaterial && b.asked != query.JoinUniqueInner {
		in := b.inner.CheapestTotal
		if in.Base().ParallelSafe && !paramBy(in, b.outer) && !materializesOutput(in) {
			materialized = path.NewMaterial(b.root, b.inner, in)
		}
	}
	for _, outer := range b.outer.PartialPaths {
		keys := prep.BuildJoinPathKeys(b.root, b.joined, b.jt, outer.Base().PathKeys)
		for _, inner := range b.inner.CheapestParam {
			if !inner.Base().ParallelSafe {
				continue
			}
			if b.asked == query.JoinUniqueInner {
				if inner != b.inner.CheapestTotal {
					continue
				}
				inner = uniquePath(b.root, b.inner, inner, b.extra.SJInfo)
			}
			b.tryPartialNestLoop(outer, inner, keys)
			if m := b.memoize(inner, outer); m != nil {
				b.tryPartialNestLoop(outer, m, keys)
			}
		}
		if materialized != nil {
			b.tryPartialNestLoop(outer, materialized, keys)
		}
	}
}

// mergeSortedOuter makes merge joins of an outer path as it is sorted: with the
// inner path sorted for it, and with inner paths that have the order or a prefix
// of it (generate_mergejoin_paths).
func (b *builder) mergeSortedOuter(outer, inner rel.Path, keys []*rel.PathKey, partial bool) {
	// A right or full join must merge on all clauses.
	all := oneSided(b.asked)
	clauses := prep.FindMergeClausesForOuterPathKeys(outer.Base().PathKeys, b.extra.MergeClauses)
	switch {
	case len(clauses) == 0 && b.jt != query.JoinFull:
		return // nothing to merge on
	case all && len(clauses) != len(b.extra.MergeClauses):
		return
	}
	sortKeys := prep.MakeInnerPathKeysForMerge(b.root, clauses, outer.Base().PathKeys)
	try := func(inner rel.Path, clauses []*rel.RestrictInfo, innerSort []*rel.PathKey) {
		m := merge{keys: keys, clauses: clauses, innerSort: innerSort}
		if partial {
			b.tryPartialMerge(outer, inner, m)
		} else {
			b.tryMerge(outer, inner, m)
		}
	}
	try(inner, clauses, sortKeys)
	if b.asked == query.JoinUniqueInner {
		return // only the unique path may be used
	}
	var bestStartup, bestTotal rel.Path
	if prep.PathKeysContainedIn(sortKeys, inner.Base().PathKeys) {
		bestStartup, bestTotal = inner, inner
	}
	for n := len(sortKeys); n > 0; n-- {
		trial := sortKeys[:n]
		var fewer []*rel.RestrictInfo
		trimmed := func() []*rel.RestrictInfo {
			if fewer == nil {
				fewer = clauses
				if n < len(sortKeys) {
					fewer = prep.TrimMergeClausesForInnerPathKeys(clauses, trial)
				}
			}
			return fewer
		}
		find := func(by path.CostSelector) rel.Path {
			return path.GetCheapestPathForPathKeys(b.inner.Paths, trial, query.Relids{}, by, partial)
		}
		if p := find(path.TotalCost); p != nil && (bestTotal == nil || path.ComparePathCosts(p, bestTotal, path.TotalCost) < 0) {
			try(p, trimmed(), nil)
			bestTotal = p
		}
		if p := find(path.StartupCost); p != nil && (bestStartup == nil || path.ComparePathCosts(p, bestStartup, path.StartupCost) < 0) {
			if p != bestTotal {
				try(p, trimmed(), nil)
			}
			bestStartup = p
		}
		if all {
			break
		}
	}
}

// hash makes hash joins on all clauses that allow it (hash_inner_and_outer).
func (b *builder) hash() {
	var clauses []*rel.RestrictInfo
	for _, r := range b.extra.Restrict {
		if b.asked.IsOuter() && prep.IsPushedDown(r, b.joined.Relids) {
			continue
		}
		if r.CanJoin && r.HashOp != 0 && sidesMatch(r, b.outer, b.inner) {
			clauses = append(clauses, r)
		}
	}
	if len(clauses) == 0 {
		return
	}
	startup, outer, inner := b.outer.CheapestStartup, b.outer.CheapestTotal, b.inner.CheapestTotal
	if paramBy(outer, b.inner) || paramBy(inner, b.outer) {
		return
	}
	switch b.asked {
	case query.JoinUniqueOuter:
		b.tryHash(uniquePath(b.root, b.outer, outer, b.extra.SJInfo), inner, clauses)
	case query.JoinUniqueInner:
		inner = uniquePath(b.root, b.inner, inner, b.extra.SJInfo)
		b.tryHash(outer, inner, clauses)
		if startup != nil && startup != outer {
			b.tryHash(startup, inner, clauses)
		}
	default:
		if startup != nil {
			b.tryHash(startup, inner, clauses)
		}
		for _, o := range b.outer.CheapestParam {
			if paramBy(o, b.inner) {
				continue
			}
			for _, i := range b.inner.CheapestParam {
				if paramBy(i, b.outer) || o == startup && i == inner {
					continue
				}
				b.tryHash(o, i, clauses)
			}
		}
	}
	if b.partialOuter() {
		b.partialHash(inner, clauses)
	}
}

// partialHash makes hash joins whose outer side the workers share, with a hash
// table built together, or one in each worker.
func (b *builder) partialHash(inner rel.Path, clauses []*rel.RestrictInfo) {
	g := b.root.Global
	single := oneSided(b.asked)
	switch {
	case b.asked == query.JoinRightSemi:
		// The workers would race for the marks of a shared table.
		return
	case single && !g.Version(16):
		return
	}
	outer := b.outer.PartialPaths[0]
	if len(b.inner.PartialPaths) > 0 && b.asked != query.JoinUniqueInner && g.Settings.EnableParallelHash {
		b.tryPartialHash(outer, b.inner.PartialPaths[0], clauses, true)
	}
	if single {
		return
	}
	if safe := b.safeInner(inner); safe != nil {
		b.tryPartialHash(outer, safe, clauses, false)
	}
}
