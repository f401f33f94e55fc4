package path

import (
	"math"
	"strconv"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// sampleMethod returns the name of a TABLESAMPLE method.
func sampleMethod(root *rel.PlannerInfo, rl *rel.RelOptInfo) string {
	if f := root.Global.Catalog.Func(root.RTEs[rl.Index].Sample.Handler); f != nil {
		return f.Name
	}
	return ""
}

// setSampleSize reduces a relation to the sample that the method expects
// (set_tablesample_rel_size, allpaths.c; system_samplescangetsamplesize,
// bernoulli_samplescangetsamplesize, tablesample/).
func setSampleSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	checkIndexPredicates(root, rl)
	s := root.RTEs[rl.Index].Sample
	// Without a sensible constant a tenth is assumed.
	fraction := float64(float32(0.1))
	if len(s.Args) > 0 {
		if c, ok := eval.Estimate(root.Global, s.Args[0]).(*query.Const); ok && !c.Null {
			if f, err := strconv.ParseFloat(c.Value, 32); err == nil && f >= 0 && f <= 100 {
				// The argument is a float4.
				fraction = float64(float32(f) / 100)
			}
		}
	}
	switch sampleMethod(root, rl) {
	case "system":
		rl.Pages = cost.ClampRows(rl.Pages * fraction)
	case "bernoulli":
	default:
		root.Global.NotSupported("the TABLESAMPLE method")
	}
	rl.Tuples = cost.ClampRows(rl.Tuples * fraction)
	if math.IsNaN(rl.Tuples) {
		rl.Tuples = 1
	}
	SetBaseRelSizeEstimates(root, rl)
}

// setSamplePathList makes the scan of a sample (set_tablesample_rel_pathlist).
// Both built-in methods give the same rows when scanned again.
func setSamplePathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	AddPath(rl, NewSampleScan(root, rl, rl.LateralRelids, sampleMethod(root, rl) == "system"))
}
