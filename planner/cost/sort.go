package cost

import "math"

// SortInput is what the cost of a sort depends on.
type SortInput struct {
	Input Estimate
	// Tuples and Width are of the input; Width in bytes.
	Tuples float64
	Width  int
	// Comparison is what a comparison costs beyond two operators.
	Comparison float64
	// LimitTuples bounds the rows needed, -1 for none.
	LimitTuples float64
}

// tuplesort is the cost of sorting rows: before the first can be given, and for
// giving all (cost_tuplesort). comparison is beyond two operators.
func tuplesort(p Params, tuples float64, width int, comparison, limit float64) (startup, run float64) {
	inputBytes := RelationByteSize(tuples, width)
	memory := p.WorkMemBytes()
	if tuples < 2.0 {
		tuples = 2.0
	}
	comparison += float64(2.0 * p.CPUOperatorCost)
	outTuples, outBytes := tuples, inputBytes
	if limit > 0 && limit < tuples {
		outTuples = limit
		outBytes = RelationByteSize(limit, width)
	}
	switch {
	case outBytes > memory:
		// On disk: runs are written and merged, three quarters of the accesses
		// being sequential.
		pages := math.Ceil(inputBytes / BlockSize)
		runs := inputBytes / memory
		order := mergeOrder(memory)
		startup = float64(comparison * tuples * Log2(tuples))
		passes := 1.0
		if runs > order {
			passes = math.Ceil(math.Log(runs) / math.Log(order))
		}
		accesses := 2.0 * pages * passes
		startup += float64(accesses * (float64(p.SeqPageCost*0.75) + float64(p.RandomPageCost*0.25)))
	case tuples > 2*outTuples || inputBytes > memory:
		// A heap of the rows wanted.
		startup = float64(comparison * tuples * Log2(2.0*outTuples))
	default:
		startup = float64(comparison * tuples * Log2(tuples))
	}
	return startup, float64(p.CPUOperatorCost * tuples)
}

// mergeOrder is how many runs a merge reads at a time (tuplesort_merge_order,
// tuplesort.c): each takes a buffer of 32 blocks and two blocks of overhead.
func mergeOrder(memory float64) float64 {
	n := math.Floor(memory / (2*BlockSize + 32*BlockSize))
	return max(min(n, 500), 6)
}

// Sort is the cost of a sort, including its input (cost_sort).
func Sort(p Params, s SortInput) Estimate {
	startup, run := tuplesort(p, s.Tuples, s.Width, s.Comparison, s.LimitTuples)
	off, disabled := p.Off(p.EnableSort)
	startup += off
	startup += s.Input.Total
	return Estimate{Rows: s.Tuples, Startup: startup, Total: startup + run, Disabled: s.Input.Disabled + disabled}
}

// DefaultNumDistinct is the number of groups where nothing is known
// (DEFAULT_NUM_DISTINCT, selfuncs.h).
const DefaultNumDistinct = 200

// IncrementalSort is the cost of sorting within groups that come in order
// (cost_incremental_sort). groups is the estimated number of groups.
func IncrementalSort(p Params, s SortInput, groups float64) Estimate {
	tuples := max(s.Tuples, 2.0)
	inputRun := s.Input.Total - s.Input.Startup
	groupTuples := tuples / groups
	groupInput := inputRun / groups
	sorted := groupTuples
	if p.Major < 16 {
		sorted = 1.5 * groupTuples
	}
	gStart, gRun := tuplesort(p, sorted, s.Width, s.Comparison, s.LimitTuples)
	startup := gStart + s.Input.Startup + groupInput
	run := gRun + float64((gRun+gStart)*(groups-1)) + float64(groupInput*(groups-1))
	run += float64((p.CPUTupleCost + s.Comparison) * tuples)
	run += float64(2.0 * p.CPUTupleCost * groups)
	return Estimate{Rows: tuples, Startup: startup, Total: startup + run, Disabled: s.Input.Disabled}
}

// Material is the cost of keeping rows, in memory or on disk (cost_material).
func Material(p Params, in Estimate, tuples float64, width int) Estimate {
	run := in.Total - in.Startup
	bytes := RelationByteSize(tuples, width)
	run += float64(2 * p.CPUOperatorCost * tuples)
	if bytes > p.WorkMemBytes() {
		run += float64(p.SeqPageCost * math.Ceil(bytes/BlockSize))
	}
	return Estimate{Rows: tuples, Startup: in.Startup, Total: in.Startup + run, Disabled: in.Disabled}
}

// Gather is the cost of collecting workers' rows in any order (cost_gather).
func Gather(p Params, in Estimate, rows float64) Estimate {
	startup := in.Startup
	run := in.Total - in.Startup
	startup += p.ParallelSetupCost
	run += float64(p.ParallelTupleCost * rows)
	return Estimate{Rows: rows, Startup: startup, Total: startup + run, Disabled: in.Disabled}
}

// GatherMerge is the cost of merging workers' sorted rows (cost_gather_merge).
func GatherMerge(p Params, in Estimate, rows float64, workers int) Estimate {
	startup, disabled := p.Off(p.EnableGatherMerge)
	n := float64(workers) + 1
	logN := Log2(n)
	comparison := 2.0 * p.CPUOperatorCost
	startup += float64(comparison * n * logN)
	run := float64(rows * comparison * logN)
	run += float64(p.CPUOperatorCost * rows)
	startup += p.ParallelSetupCost
	run += float64(p.ParallelTupleCost * rows * 1.05)
	return Estimate{
		Rows: rows, Startup: startup + in.Startup, Total: startup + run + in.Total,
		Disabled: in.Disabled + disabled,
	}
}
