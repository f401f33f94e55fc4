package path

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
)

// monotonic says how a window function's value runs within a partition
// (MonotonicFunction, nodes/supportnodes.h).
type monotonic int

const (
	notMonotonic monotonic = 0
	increasing   monotonic = 1
	decreasing   monotonic = 2
	constant               = increasing | decreasing
)

// runCondition tries to make a comparison with a window function's value a run
// condition of its window; it reports whether the comparison must still be
// checked above (check_and_push_window_quals, allpaths.c).
func (d *pushDown) runCondition(e query.Expr) (keep bool) {
	op, ok := e.(*query.OpExpr)
	if !ok || len(op.Args) != 2 || !eval.OpStrict(d.root.Global.Catalog, op.Op) {
		return true
	}
	for side := range 2 {
		v, ok := op.Args[side].(*query.Var)
		if !ok || v.AttNo <= 0 {
			continue
		}
		for _, te := range d.sub.TargetList {
			if te.ResNo != v.AttNo {
				continue
			}
			if done, keep := d.windowRun(te, op, side == 0); done {
				return keep
			}
		}
	}
	return true
}

// windowRun adds the run condition of one window function
// (find_window_run_conditions, allpaths.c).
func (d *pushDown) windowRun(te *query.TargetEntry, op *query.OpExpr, left bool) (done, keep bool) {
	cat := d.root.Global.Catalog
	fn, ok := eval.StripRelabel(te.Expr).(*query.WindowFunc)
	if !ok || d.root.Global.Version(16) && eval.ContainSubPlans(fn) {
		return false, true
	}
	other := op.Args[1]
	if !left {
		other = op.Args[0]
	}
	if !eval.IsPseudoConstant(cat, other) {
		return false, true
	}
	w := d.sub.WindowClause[fn.WinRef-1]
	f := cat.Func(fn.Func)
	if f == nil {
		return false, true
	}
	run := monotonicity(f, fn, w)
	if run == notMonotonic {
		return false, true
	}
	goesUp, goesDown := run&increasing != 0, run&decreasing != 0
	opno := op.Op
	keep = true
	for _, in := range btreeInterpretations(cat, op.Op) {
		switch in.Strategy {
		case catalog.BTLess, catalog.BTLessEqual:
			if !(left && goesUp || !left && goesDown) {
				return false, true
			}
			keep = false
		case catalog.BTGreater, catalog.BTGreaterEqual:
			if !(left && goesDown || !left && goesUp) {
				return false, true
			}
			keep = false
		case catalog.BTEqual:
			if run == constant {
				keep = false
				break
			}
			// Past the value nothing can be equal to it any more.
			strategy := catalog.BTGreaterEqual
			if goesUp == left {
				strategy = catalog.BTLessEqual
			}
			if opno = cat.OpFamilyMember(in.Family, in.Left, in.Right, strategy); opno == 0 {
				return false, true
			}
		default:
			continue
		}
		a, b := query.Expr(fn), other
		if !left {
			a, b = other, fn
		}
		w.RunCondition = append(w.RunCondition, prep.MakeOpClause(d.root, opno, a, b, op.InputColl))
		d.runAttrs = d.runAttrs.Add(te.ResNo)
		return true, keep
	}
	return false, true
}

// monotonicity asks a window function's support function how its value runs:
// ranks rise; counts do so depending on the frame (window_rank_support and
// others, windowfuncs.c; int8inc_support, int8.c).
func monotonicity(f *catalog.Func, fn *query.WindowFunc, w *query.WindowClause) monotonic {
	switch f.Support {
	case "window_row_number_support", "window_rank_support", "window_dense_rank_support",
		"window_percent_rank_support", "window_cume_dist_support", "window_ntile_support":
		return increasing
	case "int8inc_support":
	default:
		return notMonotonic
	}
	if w.FrameOptions&(query.FrameExcludeCurrentRow|query.FrameExcludeGroup|query.FrameExcludeTies) != 0 {
		if w.FrameOptions&query.FrameExcludeCurrentRow == 0 || !fn.Star || fn.Filter != nil {
			return notMonotonic
		}
	}
	if len(w.OrderBy) == 0 && w.FrameOptions&query.FrameRange != 0 {
		return constant
	}
	var m monotonic
	if w.FrameOptions&query.FrameStartUnboundedPreceding != 0 {
		m |= increasing
	}
	if w.FrameOptions&query.FrameEndUnboundedFollowing != 0 {
		m |= decreasing
	}
	return m
}
