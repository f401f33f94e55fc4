package upper

import (
	"slices"
	"strconv"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// windowFuncs are the window functions of a query by window reference, each
// once (WindowFuncLists, clauses.h).
type windowFuncs map[int][]*query.WindowFunc

// findWindowFuncs lists the window functions of the target list
// (find_window_functions, clauses.c).
func findWindowFuncs(list []*query.TargetEntry) windowFuncs {
	out := windowFuncs{}
	for _, te := range list {
		query.Walk(te.Expr, func(e query.Expr) bool {
			f, ok := e.(*query.WindowFunc)
			if ok && !slices.ContainsFunc(out[f.WinRef], func(o *query.WindowFunc) bool { return query.Equal(f, o) }) {
				out[f.WinRef] = append(out[f.WinRef], f)
			}
			return !ok
		})
	}
	return out
}

// rowsFrame is the frame that suffices for ranks: ROWS UNBOUNDED PRECEDING.
const rowsFrame = query.FrameNonDefault | query.FrameRows | query.FrameStartUnboundedPreceding | query.FrameEndCurrentRow

// optimizeWindows replaces frames by cheaper ones where the functions do not
// care, and merges windows that have become the same (optimize_window_clauses,
// planner.c; since 16). It returns the functions by their new windows.
func optimizeWindows(root *rel.PlannerInfo, funcs windowFuncs) windowFuncs {
	q := root.Parse
	if !root.Global.Version(16) {
		return funcs
	}
	moved := map[int]int{}
	for _, w := range q.WindowClause {
		list := funcs[w.Ref]
		if len(list) == 0 {
			continue
		}
		frame, ok := optimizedFrame(root, list)
		if !ok || frame == w.FrameOptions {
			continue
		}
		w.FrameOptions = frame
		for _, o := range q.WindowClause {
			if o == w || !sameWindow(w, o) {
				continue
			}
			moved[w.Ref] = o.Ref
			break
		}
		if to, ok := moved[w.Ref]; ok {
			root.ProcessedTargetList = moveWindow(root.ProcessedTargetList, w.Ref, to)
			funcs = findWindowFuncs(root.ProcessedTargetList)
		}
	}
	return funcs
}

// optimizedFrame is the frame that all functions of a window agree on.
func optimizedFrame(root *rel.PlannerInfo, list []*query.WindowFunc) (int, bool) {
	for _, f := range list {
		fn := root.Global.Catalog.Func(f.Func)
		if fn == nil {
			return 0, false
		}
		switch fn.Support {
		case "window_row_number_support", "window_rank_support", "window_dense_rank_support",
			"window_percent_rank_support", "window_cume_dist_support", "window_ntile_support":
		default:
			return 0, false
		}
	}
	return rowsFrame, true
}

func sameWindow(a, b *query.WindowClause) bool {
	return slices.EqualFunc(a.PartitionBy, b.PartitionBy, sameClause) && slices.EqualFunc(a.OrderBy, b.OrderBy, sameClause) &&
		a.FrameOptions == b.FrameOptions && query.Equal(a.StartOffset, b.StartOffset) && query.Equal(a.EndOffset, b.EndOffset)
}

// moveWindow lets the functions of one window use another.
func moveWindow(list []*query.TargetEntry, from, to int) []*query.TargetEntry {
	out := make([]*query.TargetEntry, len(list))
	for i, te := range list {
		c := *te
		c.Expr = query.Transform(te.Expr, func(e query.Expr) (query.Expr, bool) {
			f, ok := e.(*query.WindowFunc)
			if !ok {
				return nil, false
			}
			if f.WinRef != from {
				return f, true
			}
			w := *f
			w.WinRef = to
			return &w, true
		})
		out[i] = &c
	}
	return out
}

// activeWindows lists the windows that have functions, ordered so that windows
// that begin with the same columns follow each other, longer ones first
// (select_active_windows and common_prefix_cmp, planner.c).
func activeWindows(root *rel.PlannerInfo, funcs windowFuncs) []*query.WindowClause {
	var out []*query.WindowClause
	order := map[*query.WindowClause][]*query.SortGroupClause{}
	for _, w := range root.Parse.WindowClause {
		if len(funcs[w.Ref]) == 0 {
			continue
		}
		out = append(out, w)
		keys := slices.Clone(w.PartitionBy)
		for _, c := range w.OrderBy {
			if !slices.ContainsFunc(keys, func(k *query.SortGroupClause) bool { return *k == *c }) {
				keys = append(keys, c)
			}
		}
		order[w] = keys
	}
	qsort(out, func(a, b *query.WindowClause) int { return comparePrefix(order[a], order[b]) })
	if root.Global.Version(18) {
		nameWindows(out)
	}
	return out
}

// nameWindows gives windows without a name one, by which EXPLAIN tells them
// apart (name_active_windows, planner.c; since 18).
func nameWindows(list []*query.WindowClause) {
	next := 1
	for _, w := range list {
		for w.Name == "" {
			name := "w" + strconv.Itoa(next)
			next++
			if !slices.ContainsFunc(list, func(o *query.WindowClause) bool { return o.Name == name }) {
				w.Name = name
			}
		}
	}
}

func comparePrefix(a, b []*query.SortGroupClause) int {
	falling := func(x, y int) int { return y - x }
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		switch {
		case x.Ref != y.Ref:
			return falling(x.Ref, y.Ref)
		case x.SortOp != y.SortOp:
			return falling(int(x.SortOp), int(y.SortOp))
		case x.NullsFirst != y.NullsFirst:
			if x.NullsFirst {
				return -1
			}
			return 1
		}
	}
	return falling(len(a), len(b))
}

// windowKeys is the order that a window needs (make_pathkeys_for_window,
// planner.c). Since 17 partition columns that add nothing are dropped.
func windowKeys(root *rel.PlannerInfo, w *query.WindowClause) []*rel.PathKey {
	list := root.ProcessedTargetList
	if !sortable(w.PartitionBy) || !sortable(w.OrderBy) {
		root.Global.NotSupported("a window over a type that cannot be sorted")
		return nil
	}
	drop := root.Global.Version(17)
	k := prep.PathKeysForSortClauses(root, w.PartitionBy, list, drop, false)
	if drop {
		w.PartitionBy = k.Clauses
	}
	return prep.AppendPathKeys(k.Keys, prep.PathKeysForSortClauses(root, w.OrderBy, list, false, false).Keys)
}

// windowing is what the making of window paths passes along.
type windowing struct {
	funcs   windowFuncs
	windows []*query.WindowClause
	// input and output are the targets below and above all windows.
	input, output *rel.PathTarget
	// outputSafe says that workers may compute the output.
	outputSafe bool
}

// windowPaths evaluates window functions over the cheapest input, and over those
// that come in a useful order (create_window_paths, planner.c).
func windowPaths(root *rel.PlannerInfo, in *rel.RelOptInfo, w windowing) *rel.RelOptInfo {
	rl := prep.FetchUpperRel(root, rel.UpperWindow, query.Relids{})
	rl.ConsiderParallel = in.ConsiderParallel && w.outputSafe && windowsSafe(root, w.windows)
	for _, p := range in.Paths {
		n, sorted := prep.CountContainedIn(root.WindowPathKeys, p.Base().PathKeys)
		if p == in.CheapestTotal || sorted || n > 0 {
			path.AddPath(rl, windowPath(root, rl, p, w))
		}
	}
	path.SetCheapest(rl)
	return rl
}

func windowsSafe(root *rel.PlannerInfo, list []*query.WindowClause) bool {
	for _, w := range list {
		if !parallelSafe(root, append([]query.Expr{w.StartOffset, w.EndOffset}, w.RunCondition...)) {
			return false
		}
	}
	return true
}

// windowPath evaluates the windows one after the other, sorting where needed
// (create_one_window_path, planner.c).
func windowPath(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, w windowing) rel.Path {
	target := w.input
	var pending []query.Expr
	for i, wc := range w.windows {
		top := i == len(w.windows)-1
		p = orderPath(root, rl, p, windowKeys(root, wc), -1)
		if top {
			target = w.output
		} else {
			target = prep.CopyTarget(target)
			for _, f := range w.funcs[wc.Ref] {
				prep.AddToTarget(target, f, 0)
				target.Width += cost.TypeWidth(root.Global.Catalog, f.Typ, -1)
			}
			pending = append(pending, wc.RunCondition...)
		}
		var qual []query.Expr
		if top {
			qual = pending
		}
		p = newWindowAgg(root, rl, p, windowStep{target: target, funcs: w.funcs[wc.Ref], clause: wc, qual: qual, top: top})
	}
	return p
}

// orderPath sorts a path if it is not in order, within groups if its order
// begins as wanted.
func orderPath(root *rel.PlannerInfo, rl *rel.RelOptInfo, p rel.Path, keys []*rel.PathKey, limit float64) rel.Path {
	n, sorted := prep.CountContainedIn(keys, p.Base().PathKeys)
	switch {
	case sorted:
		return p
	case n == 0 || !root.Global.Settings.EnableIncrementalSort:
		return path.NewSort(root, rl, p, keys, limit)
	}
	return path.NewIncrementalSort(root, rl, p, keys, n, limit)
}

type windowStep struct {
	target *rel.PathTarget
	funcs  []*query.WindowFunc
	clause *query.WindowClause
	qual   []query.Expr
	top    bool
}

// newWindowAgg makes a step that evaluates the functions of one window
// (create_windowagg_path, pathnode.c).
func newWindowAgg(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, w windowStep) *rel.WindowAggPath {
	b := sub.Base()
	p := &rel.WindowAggPath{
		PathBase: above(rl, sub, w.target, b.PathKeys), Sub: sub, Clause: w.clause, Funcs: w.funcs, Qual: w.qual, Top: w.top,
	}
	in := cost.WindowInput{Input: cost.EstimateOf(sub), Funcs: w.funcs, Clause: w.clause, PartitionTuples: b.Rows, PeerTuples: 1}
	if root.Global.Version(17) {
		list := root.Parse.TargetList
		if len(w.clause.PartitionBy) > 0 {
			in.PartitionTuples = b.Rows / selectivity.NumGroups(root, clauseExprs(w.clause.PartitionBy, list), b.Rows)
		}
		if len(w.clause.OrderBy) > 0 {
			in.PeerTuples = in.PartitionTuples / selectivity.NumGroups(root, clauseExprs(w.clause.OrderBy, list), in.PartitionTuples)
		}
	}
	cost.WindowAgg(root.Global, in).Set(&p.PathBase)
	chargeTarget(&p.PathBase)
	return p
}
