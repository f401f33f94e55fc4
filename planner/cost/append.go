package cost

import (
	"github.com/dbgen/dbgen/planner/rel"
)

// AppendInput is what the cost of an Append depends on.
type AppendInput struct {
	Subs         []rel.Path
	FirstPartial int
	// Ordered tells an Append that keeps an order; Sorted says of each subpath
	// whether it has it or must be sorted.
	Ordered     bool
	Sorted      []bool
	LimitTuples float64
	// Parallel tells a parallel-aware Append, and by how many Workers.
	Parallel bool
	Workers  int
}

// Append is the cost of reading inputs one after the other, or, in parallel, of
// sharing them among workers (cost_append).
func Append(p Params, a AppendInput) Estimate {
	var e Estimate
	if len(a.Subs) == 0 {
		return e
	}
	switch {
	case a.Parallel:
		e = parallelAppend(p, a)
	case !a.Ordered:
		e.Startup = a.Subs[0].Base().Startup
		for _, s := range a.Subs {
			b := s.Base()
			e.Rows += b.Rows
			e.Disabled += b.DisabledNodes
			e.Total += b.Total
		}
	default:
		// Parents may need all inputs started, so all starts are counted.
		for i, s := range a.Subs {
			sub := EstimateOf(s)
			if !a.Sorted[i] {
				sub = Sort(p, SortInput{
					Input: sub, Tuples: sub.Rows, Width: s.Base().Target.Width, LimitTuples: a.LimitTuples,
				})
			}
			e.Rows += sub.Rows
			e.Startup += sub.Startup
			e.Disabled += sub.Disabled
			e.Total += sub.Total
		}
	}
	e.Total += float64(p.CPUTupleCost * appendCPU * e.Rows)
	return e
}

func parallelAppend(p Params, a AppendInput) Estimate {
	var e Estimate
	divisor := p.ParallelDivisor(a.Workers)
	for i, s := range a.Subs {
		b := s.Base()
		if i == 0 {
			e.Startup = b.Startup
		} else if i < a.Workers {
			e.Startup = min(e.Startup, b.Startup)
		}
		if i < a.FirstPartial {
			e.Rows += b.Rows / divisor
		} else {
			e.Rows += float64(b.Rows * (p.ParallelDivisor(b.ParallelWorkers) / divisor))
			e.Total += b.Total
		}
		e.Disabled += b.DisabledNodes
		e.Rows = ClampRows(e.Rows)
	}
	e.Total += nonPartial(a.Subs[:a.FirstPartial], a.Workers)
	return e
}

// nonPartial is the time that the workers take for inputs of which each is run
// by one worker: the next input goes to the worker that is free first
// (append_nonpartial_cost).
func nonPartial(subs []rel.Path, workers int) float64 {
	if len(subs) == 0 {
		return 0
	}
	n := min(workers, len(subs))
	busy := make([]float64, n)
	for i := range n {
		busy[i] = subs[i].Base().Total
	}
	free := n - 1
	for _, s := range subs[n:] {
		busy[free] += s.Base().Total
		free = 0
		for i, c := range busy {
			if c < busy[free] {
				free = i
			}
		}
	}
	last := busy[0]
	for _, c := range busy {
		last = max(last, c)
	}
	return last
}

// MergeAppend is the cost of merging sorted inputs (cost_merge_append). in sums
// the inputs, of which there are streams.
func MergeAppend(p Params, in Estimate, streams int) Estimate {
	n := 2.0
	if streams >= 2 {
		n = float64(streams)
	}
	logN := Log2(n)
	comparison := 2.0 * p.CPUOperatorCost
	startup := float64(comparison * n * logN)
	run := float64(in.Rows * comparison * logN)
	run += float64(p.CPUTupleCost * appendCPU * in.Rows)
	return Estimate{
		Rows: in.Rows, Startup: startup + in.Startup, Total: startup + run + in.Total, Disabled: in.Disabled,
	}
}
