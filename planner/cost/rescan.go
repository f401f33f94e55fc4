package cost

import (
	"math"

	"github.com/dbgen/dbgen/planner/rel"
)

// Rescan is the cost of running a path again, with nothing of its parameters
// changed (cost_rescan). A [rel.MemoizePath] is not for this function, since its
// rescan cost depends on the number of distinct parameters.
func Rescan(p Params, path rel.Path) (startup, total float64) {
	b := path.Base()
	switch n := path.(type) {
	case *rel.FunctionScanPath:
		return 0, b.Total - b.Startup
	case *rel.HashPath:
		// A table in one batch is kept.
		if n.NumBatches == 1 {
			return 0, b.Total - b.Startup
		}
	case *rel.CteScanPath, *rel.WorkTableScanPath:
		return 0, reread(p, b, p.CPUTupleCost)
	case *rel.MaterialPath, *rel.SortPath:
		return 0, reread(p, b, p.CPUOperatorCost)
	}
	return b.Startup, b.Total
}

// reread is the cost of reading kept rows again.
func reread(p Params, b *rel.PathBase, perTuple float64) float64 {
	run := float64(perTuple * b.Rows)
	bytes := RelationByteSize(b.Rows, b.Target.Width)
	if bytes > p.WorkMemBytes() {
		run += float64(p.SeqPageCost * math.Ceil(bytes/BlockSize))
	}
	return run
}
