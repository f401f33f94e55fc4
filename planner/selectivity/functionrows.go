package selectivity

import (
	"math"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// FunctionRows estimates how many rows a set-returning function gives
// (get_function_rows, plancat.c): by its support function where it has one, else
// by prorows.
func FunctionRows(root *rel.PlannerInfo, n *query.FuncExpr) float64 {
	f := root.Global.Catalog.Func(n.Func)
	if f == nil {
		return 1000
	}
	switch f.Support {
	case "array_unnest_support":
		if len(n.Args) > 0 {
			return ArrayLength(root, n.Args[0])
		}
	case "generate_series_int4_support", "generate_series_int8_support":
		if r, ok := seriesRows(root, n.Args); ok {
			return r
		}
	case "generate_series_numeric_support", "generate_series_timestamp_support":
		if root.Global.Version(18) && seriesKnown(root, n.Args) {
			root.Global.Approximate("the rows of generate_series are estimated by a default")
		}
	case "":
	default:
		if f.OID >= pgtype.FirstNormalOID {
			root.Global.Approximate("the rows of " + f.Name + " are its extension's to estimate")
		}
	}
	return f.Rows
}

// seriesRows counts the rows of generate_series over integers that are known
// (generate_series_int4_support, int.c; generate_series_int8_support, int8.c).
func seriesRows(root *rel.PlannerInfo, args []query.Expr) (float64, bool) {
	step := 1.0
	var ends [2]float64
	known := make([]query.Expr, len(args))
	for i, a := range args {
		known[i] = eval.Estimate(root.Global, a)
		if eval.IsNullConst(known[i]) {
			return 0, true
		}
	}
	for i, a := range known {
		k, ok := a.(*query.Const)
		if !ok {
			return 0, false
		}
		d, ok := eval.Value(root.Global, k)
		if !ok {
			return 0, false
		}
		if i < 2 {
			ends[i] = float64(d.Int())
		} else {
			step = float64(d.Int())
		}
	}
	if len(args) < 2 || step == 0 {
		return 0, false
	}
	return math.Floor((ends[1] - ends[0] + step) / step), true
}

func seriesKnown(root *rel.PlannerInfo, args []query.Expr) bool {
	for _, a := range args {
		if _, ok := eval.Estimate(root.Global, a).(*query.Const); !ok {
			return false
		}
	}
	return true
}
