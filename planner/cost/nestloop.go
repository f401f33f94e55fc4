package cost

import (
	"math"

	"github.com/dbgen/dbgen/planner/rel"
)

// JoinWork is what the first look at a join leaves for the final costing of the
// path (JoinCostWorkspace). Startup and Total are lower bounds of the final
// costs: add_path's precheck sees them.
type JoinWork struct {
	Startup, Total float64
	// Run is Total less Startup, but for a merge join's inner side.
	Run      float64
	Disabled int
	// Inner run costs that the final costing still has to scale.
	InnerRun, InnerRescanRun float64
	// Merge joins: rows read of each side, and rows skipped before the first
	// match.
	OuterRows, InnerRows, OuterSkip, InnerSkip float64
	// Hash joins.
	Buckets, Batches int
	// InnerRowsTotal are the rows of the inner side over all workers.
	InnerRowsTotal float64
}

// JoinEnd is what the final costing of any join needs beside its inputs.
type JoinEnd struct {
	// Rows are the join's, already divided among parallel workers.
	Rows float64
	// Restrict is the cost of all its clauses, Keys of those that are merged
	// or hashed on.
	Restrict, Keys rel.QualCost
	// Target is the cost of its output expressions.
	Target rel.QualCost
	// FirstMatch: an outer row is done with at its first match, being that of
	// a semi or anti join, or of an inner side that is unique. Factors are
	// then set.
	FirstMatch bool
	Factors    rel.SemiAntiFactors
}

// finish adds the output expressions and gives the estimate.
func (e JoinEnd) finish(startup, run float64, disabled int) Estimate {
	startup += e.Target.Startup
	run += float64(e.Target.PerTuple * e.Rows)
	return Estimate{Rows: e.Rows, Startup: startup, Total: startup + run, Disabled: disabled}
}

// NestLoopInput are the inputs of a nested loop.
type NestLoopInput struct {
	Outer, Inner Estimate
	// Rescan is what the inner side costs from its second run on.
	RescanStartup, RescanTotal float64
	FirstMatch                 bool
	// Indexed: the inner side checks all join clauses by its index, so that a
	// run without a match is cheap (has_indexed_join_quals).
	Indexed bool
}

// NestLoopStart is the first look (initial_cost_nestloop, costsize.c).
func (p Params) NestLoopStart(in NestLoopInput) JoinWork {
	w := JoinWork{}
	_, off := p.Off(p.EnableNestLoop)
	w.Disabled = off + in.Inner.Disabled + in.Outer.Disabled
	w.Startup = in.Outer.Startup + in.Inner.Startup
	w.Run = in.Outer.Total - in.Outer.Startup
	if in.Outer.Rows > 1 {
		w.Run += float64((in.Outer.Rows - 1) * in.RescanStartup)
	}
	innerRun := in.Inner.Total - in.Inner.Startup
	rescanRun := in.RescanTotal - in.RescanStartup
	if in.FirstMatch {
		w.InnerRun, w.InnerRescanRun = innerRun, rescanRun
	} else {
		w.Run += innerRun
		if in.Outer.Rows > 1 {
			w.Run += float64((in.Outer.Rows - 1) * rescanRun)
		}
	}
	w.Total = w.Startup + w.Run
	return w
}

// NestLoopEnd is the final costing (final_cost_nestloop, costsize.c).
func (p Params) NestLoopEnd(w JoinWork, in NestLoopInput, end JoinEnd) Estimate {
	outerRows, innerRows := atLeastOne(in.Outer.Rows), atLeastOne(in.Inner.Rows)
	startup, run := w.Startup, w.Run
	off, _ := p.Off(p.EnableNestLoop)
	startup += off

	var tuples float64
	if end.FirstMatch {
		matched := math.RoundToEven(outerRows * end.Factors.OuterMatchFrac)
		unmatched := outerRows - matched
		frac := 2.0 / (end.Factors.MatchCount + 1.0)
		tuples = float64(matched * innerRows * frac)
		if in.Indexed {
			run += float64(w.InnerRun * frac)
			if matched > 1 {
				run += float64((matched - 1) * w.InnerRescanRun * frac)
			}
			// A scan that finds nothing costs about as much as one row.
			run += unmatched * w.InnerRescanRun / innerRows
		} else {
			tuples += float64(unmatched * innerRows)
			run += w.InnerRun
			if unmatched >= 1 {
				unmatched--
			} else {
				matched--
			}
			if matched > 0 {
				run += float64(matched * w.InnerRescanRun * frac)
			}
			if unmatched > 0 {
				run += float64(unmatched * w.InnerRescanRun)
			}
		}
	} else {
		tuples = outerRows * innerRows
	}
	startup += end.Restrict.Startup
	perTuple := p.CPUTupleCost + end.Restrict.PerTuple
	run += float64(perTuple * tuples)
	return end.finish(startup, run, w.Disabled)
}

// atLeastOne protects divisions from the rows of a relation proved empty.
func atLeastOne(rows float64) float64 {
	if rows <= 0 {
		return 1
	}
	return rows
}
