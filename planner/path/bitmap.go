package path

import (
	"cmp"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// pathsForOr makes bitmap scans for one arm of an OR: those that use one of its
// clauses, or a predicate that they prove (build_paths_for_OR, indxpath.c).
func (w *indexWork) pathsForOr(clauses, others []*rel.RestrictInfo) []rel.Path {
	var out []rel.Path
	for _, x := range w.rl.Indexes {
		if !x.Method.HasGetBitmap {
			continue
		}
		useful := false
		if len(x.Predicate) > 0 && !x.PredOK {
			all := restrictClauses(append(slices.Clone(clauses), others...))
			if !PredicateImpliedBy(w.root, x.Predicate, all, false) {
				continue
			}
			useful = !PredicateImpliedBy(w.root, x.Predicate, restrictClauses(others), false)
		}
		set := newClauseSet(x)
		matchClauses(w.root, clauses, x, set)
		if !set.found && !useful {
			continue
		}
		matchClauses(w.root, others, x, set)
		b := buildPaths{indexWork: w, x: x, set: set, predicate: useful, bitmapOnly: true}
		for _, p := range b.build() {
			out = append(out, p)
		}
	}
	return out
}

// bitmapOrs makes a union of bitmaps for each OR of which every arm can use an
// index (generate_bitmap_or_paths, indxpath.c).
func (w *indexWork) bitmapOrs(clauses, others []*rel.RestrictInfo) []rel.Path {
	all := append(slices.Clone(clauses), others...)
	var out []rel.Path
	for _, r := range clauses {
		if r.OrClause == nil {
			continue
		}
		var arms []rel.Path
		for _, arm := range r.OrClause.Arms {
			list := w.pathsForOr(arm.And, all)
			if arm.IsAnd {
				list = append(list, w.bitmapOrs(arm.And, all)...)
			}
			if len(list) == 0 {
				arms = nil
				break
			}
			arms = append(arms, w.chooseBitmapAnd(list))
		}
		if len(arms) > 0 {
			out = append(out, NewBitmapOr(w.root, w.rl, arms))
		}
	}
	return out
}

// usage is which clauses a bitmap path uses (PathClauseUsage).
type usage struct {
	path         rel.Path
	quals, preds []query.Expr
	ids          query.Relids // positions in a list of all clauses
	unclassified bool
}

// clauseList gives clauses numbers (find_list_position).
type clauseList []query.Expr

func (l *clauseList) position(e query.Expr) int {
	for i, x := range *l {
		if query.Equal(x, e) {
			return i
		}
	}
	*l = append(*l, e)
	return len(*l) - 1
}

// classify finds out what a path uses (classify_index_clause_usage). Of paths
// with very many clauses it gives up.
func classify(p rel.Path, l *clauseList) *usage {
	u := &usage{path: p}
	u.collect(p)
	if len(u.quals)+len(u.preds) > 100 {
		u.unclassified = true
		return u
	}
	for _, list := range [][]query.Expr{u.quals, u.preds} {
		for _, e := range list {
			u.ids = u.ids.Add(l.position(e))
		}
	}
	return u
}

// collect lists the conditions and predicates of a bitmap
// (find_indexpath_quals).
func (u *usage) collect(p rel.Path) {
	switch n := p.(type) {
	case *rel.BitmapAndPath:
		for _, q := range n.Quals {
			u.collect(q)
		}
	case *rel.BitmapOrPath:
		for _, q := range n.Quals {
			u.collect(q)
		}
	case *rel.IndexPath:
		for _, c := range n.Clauses {
			u.quals = append(u.quals, c.RInfo.Clause)
		}
		u.preds = append(u.preds, n.Index.Predicate...)
	}
}

// chooseBitmapAnd picks the bitmaps whose intersection makes the cheapest scan:
// starting from each path in turn, others are added while that pays and they
// use no clause twice (choose_bitmap_and, indxpath.c).
func (w *indexWork) chooseBitmapAnd(paths []rel.Path) rel.Path {
	if len(paths) == 1 {
		return paths[0]
	}
	params := cost.ParamsOf(w.root.Global)
	var list []*usage
	var known clauseList
	for _, p := range paths {
		u := classify(p, &known)
		if u.unclassified {
			list = append(list, u)
			continue
		}
		// Of paths with the same clauses the cheapest is enough.
		at := slices.IndexFunc(list, func(o *usage) bool { return !o.unclassified && o.ids == u.ids })
		if at < 0 {
			list = append(list, u)
			continue
		}
		fresh, _ := cost.BitmapNode(params, u.path)
		old, _ := cost.BitmapNode(params, list[at].path)
		if fresh < old {
			list[at] = u
		}
	}
	if len(list) == 1 {
		return list[0].path
	}
	slices.SortStableFunc(list, func(a, b *usage) int {
		ac, as := cost.BitmapNode(params, a.path)
		bc, bs := cost.BitmapNode(params, b.path)
		return cmp.Or(cmp.Compare(ac, bc), cmp.Compare(as, bs))
	})
	var best []rel.Path
	bestCost := 0.0
	for i := range list {
		chosen, total := w.extend(list, i)
		if i == 0 || total < bestCost {
			best, bestCost = chosen, total
		}
	}
	if len(best) == 1 {
		return best[0]
	}
	return NewBitmapAnd(w.root, w.rl, best)
}

// extend adds to the i-th path those after it that make the scan cheaper.
func (w *indexWork) extend(list []*usage, i int) (chosen []rel.Path, total float64) {
	first := list[i]
	chosen = []rel.Path{first.path}
	total = w.bitmapScanCost(first.path)
	quals := append(slices.Clone(first.quals), first.preds...)
	ids := first.ids
	for _, u := range list[i+1:] {
		if u.ids.Overlaps(ids) {
			continue
		}
		if slices.ContainsFunc(u.preds, func(p query.Expr) bool {
			return PredicateImpliedBy(w.root, []query.Expr{p}, quals, false)
		}) {
			continue
		}
		more := append(slices.Clone(chosen), u.path)
		c := w.bitmapScanCost(NewBitmapAnd(w.root, w.rl, more))
		if c >= total {
			continue
		}
		chosen, total = more, c
		quals = append(append(quals, u.quals...), u.preds...)
		ids = ids.Union(u.ids)
	}
	return chosen, total
}

// bitmapScanCost is the cost of the heap scan that a bitmap would make
// (bitmap_scan_cost_est).
func (w *indexWork) bitmapScanCost(p rel.Path) float64 {
	b := rel.PathBase{Parent: w.rl, Target: w.rl.Target, Param: p.Base().Param}
	costBitmapHeap(w.root, &b, p, loopCount(w.root, w.rl.Index, p.Base().RequiredOuter()))
	return b.Total
}

// checkIndexPredicates finds out which partial indexes the query's clauses allow
// to use, and which clauses their predicates make superfluous
// (check_index_predicates, indxpath.c).
func checkIndexPredicates(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	partial := false
	for _, x := range rl.Indexes {
		x.RestrictClauses = rl.BaseRestrict
		partial = partial || len(x.Predicate) > 0
	}
	if !partial {
		return
	}
	clauses := slices.Clone(rl.BaseRestrict)
	for _, r := range rl.JoinInfo {
		if prep.JoinClauseIsMovableTo(r, rl) {
			clauses = append(clauses, r)
		}
	}
	others := root.AllQueryRels
	if !root.Global.Version(16) {
		others = root.AllBaseRels
	}
	if rl.Kind == rel.OtherMemberRel {
		others = others.Minus(prep.ChildRelParents(root, rl))
	} else {
		others = others.Minus(rl.Relids)
	}
	if root.Global.Version(16) {
		others = others.Minus(rl.NullingRels)
	}
	if !others.IsEmpty() {
		clauses = append(clauses, prep.GenerateJoinImpliedEqualities(root, rl.Relids.Union(others), others, rl, nil)...)
	}
	have := restrictClauses(clauses)
	target := root.AllResultRels.Has(rl.Index) ||
		slices.ContainsFunc(root.RowMarks, func(m *rel.RowMark) bool { return m.Index == rl.Index })
	for _, x := range rl.Indexes {
		if len(x.Predicate) == 0 {
			continue
		}
		if !x.PredOK {
			x.PredOK = PredicateImpliedBy(root, x.Predicate, have, false)
		}
		// Rows of a target are checked again in full.
		if target || !x.Method.OptionalKey {
			continue
		}
		x.RestrictClauses = nil
		for _, r := range rl.BaseRestrict {
			if eval.ContainMutable(root.Global.Catalog, r.Clause) || !PredicateImpliedBy(root, []query.Expr{r.Clause}, x.Predicate, false) {
				x.RestrictClauses = append(x.RestrictClauses, r)
			}
		}
	}
}
