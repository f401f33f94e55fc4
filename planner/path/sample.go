package path

import (
	"math"
	"strconv"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// The C names of the handlers of the sampling methods that are known: the two
// built in, and those of tsm_system_rows and tsm_system_time.
const (
	handlerBernoulli  = "tsm_bernoulli_handler"
	handlerSystem     = "tsm_system_handler"
	handlerSystemRows = "tsm_system_rows_handler"
	handlerSystemTime = "tsm_system_time_handler"
)

// sampleHandler returns the C name of a TABLESAMPLE method's handler.
func sampleHandler(root *rel.PlannerInfo, rl *rel.RelOptInfo) string {
	if f := root.Global.Catalog.Func(root.RTEs[rl.Index].Sample.Handler); f != nil {
		return f.Source
	}
	return ""
}

// setSampleSize reduces a relation to the sample that the method expects
// (set_tablesample_rel_size, allpaths.c).
func setSampleSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	checkIndexPredicates(root, rl)
	switch sampleHandler(root, rl) {
	case handlerSystem:
		f := sampleFraction(root, rl)
		rl.Pages, rl.Tuples = cost.ClampRows(rl.Pages*f), cost.ClampRows(rl.Tuples*f)
	case handlerBernoulli:
		rl.Tuples = cost.ClampRows(rl.Tuples * sampleFraction(root, rl))
	case handlerSystemRows:
		sampleRows(root, rl)
	case handlerSystemTime:
		sampleTime(root, rl)
	default:
		root.Global.NotSupported("the TABLESAMPLE method")
	}
	if math.IsNaN(rl.Tuples) {
		rl.Tuples = 1
	}
	SetBaseRelSizeEstimates(root, rl)
}

// sampleArg returns the method's argument, if it is a constant for the planner.
func sampleArg(root *rel.PlannerInfo, rl *rel.RelOptInfo) (float64, bool) {
	s := root.RTEs[rl.Index].Sample
	if len(s.Args) == 0 {
		return 0, false
	}
	c, ok := eval.Estimate(root.Global, s.Args[0]).(*query.Const)
	if !ok || c.Null {
		return 0, false
	}
	f, err := strconv.ParseFloat(c.Value, 64)
	return f, err == nil
}

// sampleFraction is the part of a table that the built-in methods take, a tenth
// without a sensible constant (system_samplescangetsamplesize, tablesample/).
func sampleFraction(root *rel.PlannerInfo, rl *rel.RelOptInfo) float64 {
	if f, ok := sampleArg(root, rl); ok && f >= 0 && f <= 100 {
		// The argument is a float4.
		return float64(float32(f) / 100)
	}
	return float64(float32(0.1))
}

// sampleRows sizes a sample of a number of rows, 1000 without a sensible
// constant (system_rows_samplescangetsamplesize, contrib/tsm_system_rows).
func sampleRows(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	n, ok := sampleArg(root, rl)
	if !ok || n < 0 {
		n = 1000
	}
	if n > rl.Tuples {
		n = math.Trunc(rl.Tuples)
	}
	n = cost.ClampRows(n)
	pages := n
	if rl.Tuples > 0 && rl.Pages > 0 {
		pages = n / (rl.Tuples / rl.Pages)
	}
	rl.Pages, rl.Tuples = cost.ClampRows(min(rl.Pages, pages)), n
}

// sampleTime sizes a sample that reads for some milliseconds, 1000 without a
// sensible constant, as many pages as the cost of reading them at random allows
// (system_time_samplescangetsamplesize, contrib/tsm_system_time).
func sampleTime(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	pages, ok := sampleArg(root, rl)
	if !ok || pages < 0 || math.IsNaN(pages) {
		pages = 1000
	}
	if c := cost.ParamsOf(root.Global).RandomPageCost; c > 0 {
		pages /= c
	}
	pages = cost.ClampRows(min(rl.Pages, pages))
	rows := pages
	if rl.Tuples > 0 && rl.Pages > 0 {
		rows = pages * (rl.Tuples / rl.Pages)
	}
	rl.Pages, rl.Tuples = pages, cost.ClampRows(min(rl.Tuples, rows))
}

// setSamplePathList makes the scan of a sample (set_tablesample_rel_pathlist).
// A sample that a second scan would not repeat is kept where there can be a
// join, which might scan it twice.
func setSamplePathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	handler := sampleHandler(root, rl)
	var p rel.Path = NewSampleScan(root, rl, rl.LateralRelids, handler != handlerBernoulli)
	if handler == handlerSystemTime && (root.Level > 1 || root.AllBaseRels.Len() != 1) {
		p = NewMaterial(root, rl, p)
	}
	AddPath(rl, p)
}
