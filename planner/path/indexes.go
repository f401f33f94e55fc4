package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// clauseSet are the conditions that an index can check, by column
// (IndexClauseSet).
type clauseSet struct {
	found   bool
	columns [][]*rel.IndexClause
}

func newClauseSet(x *rel.IndexOptInfo) *clauseSet {
	return &clauseSet{columns: make([][]*rel.IndexClause, x.NKeyCols)}
}

// createIndexPaths makes index and bitmap scans of a table (create_index_paths,
// indxpath.c).
func createIndexPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	if len(rl.Indexes) == 0 {
		return
	}
	w := &indexWork{root: root, rl: rl}
	var joinOrs []*rel.RestrictInfo
	var joinBitmaps []rel.Path
	for _, x := range rl.Indexes {
		if len(x.Predicate) > 0 && !x.PredOK {
			continue
		}
		restrict := newClauseSet(x)
		matchClauses(root, x.RestrictClauses, x, restrict)
		w.bitmaps = append(w.bitmaps, w.indexPaths(x, restrict)...)

		join := newClauseSet(x)
		joinOrs = matchJoinClauses(root, rl, x, join, joinOrs)
		ec := newClauseSet(x)
		matchECClauses(root, x, ec)
		if join.found || ec.found {
			j := &joinIndexes{indexWork: w, x: x, restrict: restrict, join: join, ec: ec}
			j.consider()
			joinBitmaps = append(joinBitmaps, j.paths...)
		}
	}
	w.bitmaps = append(w.bitmaps, w.bitmapOrs(rl.BaseRestrict, nil)...)
	joinBitmaps = append(joinBitmaps, w.bitmapOrs(joinOrs, rl.BaseRestrict)...)

	if len(w.bitmaps) > 0 {
		best := w.chooseBitmapAnd(w.bitmaps)
		AddPath(rl, NewBitmapHeap(root, rl, best, rl.LateralRelids, 1.0, 0))
		if rl.ConsiderParallel && rl.LateralRelids.IsEmpty() {
			partialBitmap(root, rl, best)
		}
	}
	var outers []query.Relids
	for _, p := range joinBitmaps {
		if o := p.Base().RequiredOuter(); !slices.Contains(outers, o) {
			outers = append(outers, o)
		}
	}
	for _, most := range outers {
		var usable []rel.Path
		for _, p := range joinBitmaps {
			if p.Base().RequiredOuter().IsSubset(most) {
				usable = append(usable, p)
			}
		}
		usable = append(usable, w.bitmaps...)
		best := w.chooseBitmapAnd(usable)
		outer := best.Base().RequiredOuter()
		AddPath(rl, NewBitmapHeap(root, rl, best, outer, loopCount(root, rl.Index, outer), 0))
	}
}

// partialBitmap makes a parallel bitmap heap scan (create_partial_bitmap_paths,
// allpaths.c).
func partialBitmap(root *rel.PlannerInfo, rl *rel.RelOptInfo, bitmap rel.Path) {
	p := cost.ParamsOf(root.Global)
	f := cost.BitmapFetch(p, bitmap, rl.Pages, rl.Tuples, 1.0, root.TotalTablePages)
	if n := ComputeParallelWorker(root, rl, f.Pages, -1, p.MaxParallelWorkersPerGather); n > 0 {
		AddPartialPath(rl, NewBitmapHeap(root, rl, bitmap, rl.LateralRelids, 1.0, n))
	}
}

// indexWork makes the index paths of one relation.
type indexWork struct {
	root *rel.PlannerInfo
	rl   *rel.RelOptInfo
	// bitmaps are paths that may be parts of a bitmap scan.
	bitmaps []rel.Path
}

// joinIndexes makes index paths that outer relations parameterise.
type joinIndexes struct {
	*indexWork
	x                  *rel.IndexOptInfo
	restrict, join, ec *clauseSet
	considered         []query.Relids
	paths              []rel.Path
}

// consider tries the sets of outer relations that the clauses suggest
// (consider_index_join_clauses, indxpath.c).
func (j *joinIndexes) consider() {
	n := 0
	for col := range j.x.NKeyCols {
		n += len(j.join.columns[col])
		j.outerRels(j.join.columns[col], n)
		n += len(j.ec.columns[col])
		j.outerRels(j.ec.columns[col], n)
	}
}

// outerRels tries each clause's relations alone and together with those tried
// before, ten times the number of clauses at most
// (consider_index_join_outer_rels).
func (j *joinIndexes) outerRels(clauses []*rel.IndexClause, n int) {
	for _, c := range clauses {
		relids := c.RInfo.ClauseRelids
		if slices.Contains(j.considered, relids) {
			continue
		}
		for _, old := range slices.Clone(j.considered) {
			if relids.IsSubset(old) || old.IsSubset(relids) {
				continue
			}
			if ec := c.RInfo.ParentEC; ec != nil && slices.ContainsFunc(clauses, func(o *rel.IndexClause) bool {
				return o.RInfo.ParentEC == ec && o.RInfo.ClauseRelids.IsSubset(old)
			}) {
				continue
			}
			if len(j.considered) >= 10*n {
				break
			}
			j.withRels(relids.Union(old))
		}
		j.withRels(relids)
	}
}

// withRels makes the paths that a set of relations allows (get_join_index_paths).
func (j *joinIndexes) withRels(relids query.Relids) {
	if slices.Contains(j.considered, relids) {
		return
	}
	set := newClauseSet(j.x)
	for col := range j.x.NKeyCols {
		var list []*rel.IndexClause
		for _, c := range j.join.columns[col] {
			if c.RInfo.ClauseRelids.IsSubset(relids) {
				list = append(list, c)
			}
		}
		for _, c := range j.ec.columns[col] {
			// One clause of a class says all.
			if c.RInfo.ClauseRelids.IsSubset(relids) {
				list = append(list, c)
				break
			}
		}
		set.columns[col] = append(list, j.restrict.columns[col]...)
		set.found = set.found || len(set.columns[col]) > 0
	}
	j.paths = append(j.paths, j.indexPaths(j.x, set)...)
	j.considered = append(j.considered, relids)
}

// indexPaths makes the plain scans of an index and returns those that may be
// parts of a bitmap (get_index_paths, indxpath.c).
func (w *indexWork) indexPaths(x *rel.IndexOptInfo, set *clauseSet) (bitmaps []rel.Path) {
	b := buildPaths{indexWork: w, x: x, set: set, predicate: x.PredOK, skipNonNative: true, skipLower: !w.root.Global.Version(17)}
	paths := b.build()
	if b.skippedLower {
		// Up to 16 an array condition on a later column costs the order, so the
		// scan is tried without it and with it.
		b.skipLower = false
		paths = append(paths, b.build()...)
	}
	for _, p := range paths {
		if x.Method.HasGetTuple {
			AddPath(w.rl, p)
		}
		if x.Method.HasGetBitmap && (len(p.PathKeys) == 0 || p.Selectivity < 1.0) {
			bitmaps = append(bitmaps, p)
		}
	}
	if b.skippedNonNative {
		again := buildPaths{indexWork: w, x: x, set: set, bitmapOnly: true}
		for _, p := range again.build() {
			bitmaps = append(bitmaps, p)
		}
	}
	return bitmaps
}

// buildPaths makes the paths of one index with one set of clauses
// (build_index_paths, indxpath.c).
type buildPaths struct {
	*indexWork
	x          *rel.IndexOptInfo
	set        *clauseSet
	predicate  bool // a scan without conditions is of use for the predicate
	bitmapOnly bool
	// skipNonNative leaves out array conditions that the access method cannot
	// check itself, skipLower those on columns behind the first.
	skipNonNative, skipLower       bool
	skippedNonNative, skippedLower bool
}

func (b *buildPaths) build() []*rel.IndexPath {
	x, root, rl := b.x, b.root, b.rl
	if b.bitmapOnly && !x.Method.HasGetBitmap {
		return nil
	}
	var clauses []*rel.IndexClause
	lower := false
	outer := rl.LateralRelids
	for col := range x.NKeyCols {
		for _, c := range b.set.columns[col] {
			if _, array := c.RInfo.Clause.(*query.ScalarArrayOpExpr); array {
				if !x.Method.SearchArray && b.skipNonNative {
					b.skippedNonNative = true
					continue
				}
				if col > 0 && !root.Global.Version(17) {
					if b.skipLower {
						b.skippedLower = true
						continue
					}
					lower = true
				}
			}
			clauses = append(clauses, c)
			outer = outer.Union(c.RInfo.ClauseRelids)
		}
		if len(clauses) == 0 && !x.Method.OptionalKey {
			return nil
		}
	}
	outer = outer.Remove(rl.Index)
	scan := IndexScan{
		Index: x, Clauses: clauses, Direction: rel.Forward, Outer: outer, LoopCount: loopCount(root, rl.Index, outer),
	}
	ordered := x.SortFamily != nil
	wantOrder := !b.bitmapOnly && !lower && prep.HasUsefulPathKeys(root, rl)
	keysFor := func(dir rel.ScanDirection) []*rel.PathKey {
		keys := prep.BuildIndexPathKeys(root, x, dir, func(col int) bool { return boolConstant(root, x, col) })
		return prep.TruncateUselessPathKeys(root, rl, keys)
	}
	switch {
	case ordered && wantOrder:
		scan.Keys = keysFor(rel.Forward)
	case x.Method.CanOrderByOp && wantOrder:
		scan.OrderBys, scan.OrderByCols = matchOrderingOps(root, x)
		n := len(scan.OrderBys)
		if n < len(root.QueryPathKeys) && !root.Global.Version(16) {
			scan.OrderBys, scan.OrderByCols, n = nil, nil, 0
		}
		scan.Keys = root.QueryPathKeys[:n]
	}
	scan.IndexOnly = !b.bitmapOnly && indexOnly(root, rl, x)
	var out []*rel.IndexPath
	add := func() {
		out = append(out, NewIndexScan(root, scan))
		if x.Method.CanParallel && rl.ConsiderParallel && outer.IsEmpty() && !b.bitmapOnly {
			scan.Partial = true
			if p := NewIndexScan(root, scan); p.ParallelWorkers > 0 {
				AddPartialPath(rl, p)
			}
			scan.Partial = false
		}
	}
	if len(clauses) > 0 || len(scan.Keys) > 0 || b.predicate || scan.IndexOnly {
		add()
	}
	if ordered && wantOrder {
		if scan.Keys = keysFor(rel.Backward); len(scan.Keys) > 0 {
			scan.Direction = rel.Backward
			add()
		}
	}
	return out
}

// indexOnly reports whether an index holds every column that the query needs of
// the table (check_index_only, indxpath.c).
func indexOnly(root *rel.PlannerInfo, rl *rel.RelOptInfo, x *rel.IndexOptInfo) bool {
	if !cost.ParamsOf(root.Global).EnableIndexOnlyScan {
		return false
	}
	used := eval.VarSet{}
	note := func(e query.Expr) {
		query.Walk(e, func(n query.Expr) bool {
			if v, ok := n.(*query.Var); ok && v.VarNo == rl.Index && v.LevelsUp == 0 {
				used.Add(v.VarNo, v.AttNo)
			}
			return true
		})
	}
	for _, e := range rl.Target.Exprs {
		note(e)
	}
	for _, r := range x.RestrictClauses {
		note(r.Clause)
	}
	have := eval.VarSet{}
	for i, key := range x.Keys {
		if key != 0 && x.CanReturn[i] {
			have.Add(rl.Index, key)
		}
	}
	return used[rl.Index].IsSubset(have[rl.Index])
}

// loopCount estimates how often a parameterised scan is repeated: as often as
// the smallest outer relation has rows (get_loop_count, indxpath.c).
func loopCount(root *rel.PlannerInfo, cur int, outer query.Relids) float64 {
	least := 0.0
	for i := range outer.All() {
		if i >= len(root.Rels) || root.Rels[i] == nil || root.Rels[i].Dummy {
			continue
		}
		rows := semijoinRows(root, cur, i, root.Rels[i].Rows)
		if least == 0 || least > rows {
			least = rows
		}
	}
	if least > 0 {
		return least
	}
	return 1
}
