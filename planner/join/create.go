package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// joinBase fills what all join paths have and returns what their final costing
// needs.
func (b *builder) joinBase(j *rel.JoinPath, outer, inner rel.Path, keys []*rel.PathKey, required query.Relids, restrict, keyed []*rel.RestrictInfo) cost.JoinEnd {
	o, i := outer.Base(), inner.Base()
	j.Parent, j.Target = b.joined, b.joined.Target
	j.Param, restrict = joinParamPathInfo(b.root, b.joined, outer, inner, b.extra.SJInfo, required, restrict)
	j.ParallelSafe = b.joined.ConsiderParallel && o.ParallelSafe && i.ParallelSafe
	j.ParallelWorkers = o.ParallelWorkers
	j.PathKeys = keys
	j.Type, j.InnerUnique = b.jt, b.extra.InnerUnique
	j.Outer, j.Inner, j.Restrict = outer, inner, restrict

	rows := b.joined.Rows
	if j.Param != nil {
		rows = j.Param.Rows
	}
	if j.ParallelWorkers > 0 {
		rows = cost.ClampRows(rows / b.params().ParallelDivisor(j.ParallelWorkers))
	}
	return cost.JoinEnd{
		Rows: rows, Keys: cost.QualEval(b.root.Global, keyed), Restrict: cost.QualEval(b.root.Global, restrict),
		Target: j.Target.Cost, FirstMatch: b.firstMatch(), Factors: b.extra.SemiFactors,
	}
}

// nestLoop makes a nested loop path (create_nestloop_path, pathnode.c).
func (b *builder) nestLoop(w cost.JoinWork, in cost.NestLoopInput, outer, inner rel.Path, keys []*rel.PathKey, required query.Relids) rel.Path {
	n := &rel.NestPath{}
	restrict := b.extra.Restrict
	if outerRelids := ownRelids(outer); inner.Base().RequiredOuter().Overlaps(outerRelids) {
		// What the inner side checks with its parameters is not checked again.
		restrict = b.notEnforced(inner, outerRelids)
	}
	end := b.joinBase(&n.JoinPath, outer, inner, keys, required, restrict, nil)
	in.Indexed = hasIndexedJoinQuals(n)
	b.params().NestLoopEnd(w, in, end).Set(&n.PathBase)
	return n
}

// notEnforced returns the join's clauses that a parameterised inner path does not
// check: those with other serial numbers since 16, before that those that could
// not be moved into it.
func (b *builder) notEnforced(inner rel.Path, outerRelids query.Relids) []*rel.RestrictInfo {
	var out []*rel.RestrictInfo
	if b.root.Global.Version(16) {
		have := prep.ClauseSerials(inner)
		for _, r := range b.extra.Restrict {
			if !have[r.Serial] {
				out = append(out, r)
			}
		}
		return out
	}
	relids := inner.Base().Parent.Relids
	both := relids.Union(inner.Base().RequiredOuter())
	for _, r := range b.extra.Restrict {
		if !prep.JoinClauseIsMovableInto(r, relids, both) {
			out = append(out, r)
		}
	}
	return out
}

// hasIndexedJoinQuals reports whether an inner index scan checks all clauses of
// the join by its index (has_indexed_join_quals, costsize.c).
func hasIndexedJoinQuals(n *rel.NestPath) bool {
	in := n.Inner.Base()
	if len(n.Restrict) > 0 || in.Param == nil {
		return false
	}
	scan, _ := n.Inner.(*rel.IndexPath)
	if h, ok := n.Inner.(*rel.BitmapHeapPath); ok {
		scan, _ = h.Bitmap.(*rel.IndexPath)
	}
	if scan == nil {
		return false
	}
	found := false
	for _, r := range in.Param.Clauses {
		if !prep.JoinClauseIsMovableInto(r, in.Parent.Relids, n.Parent.Relids) {
			continue
		}
		if !prep.IsRedundantWithIndexClauses(r, scan.Clauses) {
			return false
		}
		found = true
	}
	return found
}

// mergeJoin makes a merge join path (create_mergejoin_path, pathnode.c).
func (b *builder) mergeJoin(w cost.JoinWork, in cost.MergeJoinInput, outer, inner rel.Path, m merge, required query.Relids) rel.Path {
	p := &rel.MergePath{
		MergeClauses: m.clauses, OuterSortKeys: m.outerSort, InnerSortKeys: m.innerSort, OuterPresorted: m.outerPresorted,
	}
	end := b.joinBase(&p.JoinPath, outer, inner, m.keys, required, b.extra.Restrict, m.clauses)
	in.InnerCanMark = supportsMarkRestore(inner)
	_, in.OuterUnique = outer.(*rel.UniquePath)
	in.AllMerged = len(p.Restrict) == len(m.clauses)
	in.Tuples = approxTuples(b.root, outer.Base(), inner.Base(), m.clauses)
	done := b.params().MergeJoinEnd(w, in, end)
	done.Set(&p.PathBase)
	p.SkipMarkRestore, p.MaterializeInner = done.SkipMarkRestore, done.MaterializeInner
	return p
}

// scanSelectivity returns which part of the two sides a merge on a clause reads,
// from the clause's cache if it is there (cached_scansel, costsize.c).
func (b *builder) scanSelectivity(r *rel.RestrictInfo, key *rel.PathKey, outer *rel.RelOptInfo) *cost.MergeScan {
	var c *rel.MergeScanSel
	for _, x := range r.ScanSelCache {
		if x.Family == key.Family && x.Collation == key.EC.Collation && x.Strategy == key.Strategy && x.NullsFirst == key.NullsFirst {
			c = x
			break
		}
	}
	if c == nil {
		c = &rel.MergeScanSel{Family: key.Family, Collation: key.EC.Collation, Strategy: key.Strategy, NullsFirst: key.NullsFirst}
		c.LeftStart, c.LeftEnd, c.RightStart, c.RightEnd = selectivity.MergejoinScan(b.root, r.Clause, key.Family, key.Strategy, key.NullsFirst)
		r.ScanSelCache = append(r.ScanSelCache, c)
	}
	if r.LeftRelids.IsSubset(outer.Relids) {
		return &cost.MergeScan{OuterStart: c.LeftStart, OuterEnd: c.LeftEnd, InnerStart: c.RightStart, InnerEnd: c.RightEnd}
	}
	return &cost.MergeScan{OuterStart: c.RightStart, OuterEnd: c.RightEnd, InnerStart: c.LeftStart, InnerEnd: c.LeftEnd}
}

// hashJoin makes a hash join path (create_hashjoin_path, pathnode.c).
func (b *builder) hashJoin(w cost.JoinWork, in cost.HashJoinInput, outer, inner rel.Path, clauses []*rel.RestrictInfo, required query.Relids) rel.Path {
	h := &rel.HashPath{HashClauses: clauses, NumBatches: w.Batches, InnerRowsTotal: w.InnerRowsTotal}
	end := b.joinBase(&h.JoinPath, outer, inner, nil, required, b.extra.Restrict, clauses)
	h.ParallelAware = b.joined.ConsiderParallel && in.Parallel
	in.BucketSize, in.MCVFreq = b.bucketStats(w, inner, clauses)
	if !end.FirstMatch {
		in.Tuples = approxTuples(b.root, outer.Base(), inner.Base(), clauses)
	}
	b.params().HashJoinEnd(w, in, end).Set(&h.PathBase)
	return h
}

// bucketStats returns the size of a bucket of the hash table and the frequency
// of the commonest key, as fractions of the inner rows: those of the clause for
// which they are least. They are kept in the clause, whatever number of buckets
// comes first.
func (b *builder) bucketStats(w cost.JoinWork, inner rel.Path, clauses []*rel.RestrictInfo) (size, mcv float64) {
	if _, ok := inner.(*rel.UniquePath); ok {
		return 1.0 / w.VirtualBuckets(), 0
	}
	size, mcv = 1, 1
	relids := inner.Base().Parent.Relids
	for _, r := range clauses {
		args := r.Clause.(*query.OpExpr).Args
		key, s, f := args[0], &r.LeftBucketSize, &r.LeftMCVFreq
		if r.RightRelids.IsSubset(relids) {
			key, s, f = args[1], &r.RightBucketSize, &r.RightMCVFreq
		}
		if *s < 0 {
			*f, *s = selectivity.HashBucketStats(b.root, key, w.VirtualBuckets())
		}
		size, mcv = min(size, *s), min(mcv, *f)
	}
	if len(clauses) > 1 && b.root.Global.Version(18) {
		for i := range relids.All() {
			if rl := b.root.Rels[i]; rl != nil && len(rl.ExtStats) > 0 {
				b.root.Global.Approximate("a hash join on several columns: the bucket size by extended statistics")
			}
		}
	}
	return size, mcv
}

// supportsMarkRestore reports whether a path can go back to a marked row
// (ExecSupportsMarkRestore, execAmi.c).
func supportsMarkRestore(p rel.Path) bool {
	switch p := p.(type) {
	case *rel.IndexPath:
		return p.Index.Method.Name == "btree"
	case *rel.MaterialPath, *rel.SortPath:
		return true
	case *rel.ProjectionPath:
		return supportsMarkRestore(p.Sub)
	case *rel.AppendPath:
		return len(p.Subs) == 1 && supportsMarkRestore(p.Subs[0])
	case *rel.MergeAppendPath:
		return len(p.Subs) == 1 && supportsMarkRestore(p.Subs[0])
	}
	return false
}

// materializesOutput reports whether a node keeps its rows anyway
// (ExecMaterializesOutput, execAmi.c).
func materializesOutput(p rel.Path) bool {
	switch p.(type) {
	case *rel.MaterialPath, *rel.SortPath, *rel.FunctionScanPath, *rel.TableFuncScanPath, *rel.CteScanPath, *rel.WorkTableScanPath:
		return true
	}
	return false
}
