package cost

import (
	"math"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// MergeScan says which part of each sorted side a merge reads: from Start to
// End, as fractions of its rows.
type MergeScan struct {
	OuterStart, OuterEnd, InnerStart, InnerEnd float64
}

// MergeJoinInput are the inputs of a merge join.
type MergeJoinInput struct {
	Type         query.JoinType
	Outer, Inner Estimate
	InnerWidth   int // bytes
	// OuterSort and InnerSort are the sides sorted, nil where they come so.
	OuterSort, InnerSort *Estimate
	// Scan is of the first merge clause; nil if there is none.
	Scan *MergeScan
	// InnerCanMark: the inner side can go back to a marked row
	// (ExecSupportsMarkRestore).
	InnerCanMark bool
	// OuterUnique: the outer side was made unique for a semijoin.
	OuterUnique bool
	// AllMerged: no clause is left to check beside those merged on.
	AllMerged bool
	// Tuples are the rows that pass the merge clauses (approx_tuple_count);
	// only the final costing reads it.
	Tuples float64
}

// MergeJoin is what the final costing of a merge join decides beside its cost.
type MergeJoin struct {
	Estimate
	SkipMarkRestore, MaterializeInner bool
}

// MergeJoinStart is the first look (initial_cost_mergejoin, costsize.c).
func (p Params) MergeJoinStart(in MergeJoinInput) JoinWork {
	outerRows, innerRows := atLeastOne(in.Outer.Rows), atLeastOne(in.Inner.Rows)
	scan := MergeScan{OuterEnd: 1, InnerEnd: 1}
	if in.Scan != nil && in.Type != query.JoinFull {
		scan = *in.Scan
		switch in.Type {
		case query.JoinLeft, query.JoinAnti:
			scan.OuterStart, scan.OuterEnd = 0, 1
		case query.JoinRight, query.JoinRightAnti:
			scan.InnerStart, scan.InnerEnd = 0, 1
		}
	}
	var w JoinWork
	// Whole rows, and the fractions that these are: small tables would give
	// silly parts of a row otherwise.
	w.OuterSkip = math.RoundToEven(outerRows * scan.OuterStart)
	w.InnerSkip = math.RoundToEven(innerRows * scan.InnerStart)
	w.OuterRows = ClampRows(outerRows * scan.OuterEnd)
	w.InnerRows = ClampRows(innerRows * scan.InnerEnd)
	outerStart, innerStart := w.OuterSkip/outerRows, w.InnerSkip/innerRows
	outerEnd, innerEnd := w.OuterRows/outerRows, w.InnerRows/innerRows

	_, off := p.Off(p.EnableMergeJoin)
	w.Disabled = off
	side := func(e Estimate, sorted *Estimate, start, end float64) (run float64) {
		if sorted != nil {
			e = *sorted
		}
		w.Disabled += e.Disabled
		w.Startup += e.Startup
		w.Startup += float64((e.Total - e.Startup) * start)
		return float64((e.Total - e.Startup) * (end - start))
	}
	w.Run = side(in.Outer, in.OuterSort, outerStart, outerEnd)
	w.InnerRun = side(in.Inner, in.InnerSort, innerStart, innerEnd)
	w.Total = w.Startup + w.Run + w.InnerRun
	return w
}

// MergeJoinEnd is the final costing (final_cost_mergejoin, costsize.c).
func (p Params) MergeJoinEnd(w JoinWork, in MergeJoinInput, end JoinEnd) MergeJoin {
	innerRows := atLeastOne(in.Inner.Rows)
	startup, run := w.Startup, w.Run
	off, _ := p.Off(p.EnableMergeJoin)
	startup += off
	rest := rel.QualCost{
		Startup:  end.Restrict.Startup - end.Keys.Startup,
		PerTuple: end.Restrict.PerTuple - end.Keys.PerTuple,
	}
	m := MergeJoin{SkipMarkRestore: end.FirstMatch && in.AllMerged}

	// Equal outer rows read the same inner rows again.
	rescanned := 0.0
	if !in.OuterUnique && !m.SkipMarkRestore {
		rescanned = max(in.Tuples-innerRows, 0)
	}
	ratio := 1.0 + rescanned/w.InnerRows
	bare := float64(w.InnerRun * ratio)
	materialized := w.InnerRun + float64(p.CPUOperatorCost*w.InnerRows*ratio)
	switch {
	case m.SkipMarkRestore:
	case p.EnableMaterial && materialized < bare:
		m.MaterializeInner = true
	case in.InnerSort == nil && !in.InnerCanMark:
		// Needed whether it is enabled or not.
		m.MaterializeInner = true
	case p.EnableMaterial && in.InnerSort != nil && RelationByteSize(innerRows, in.InnerWidth) > p.WorkMemBytes():
		// The sort can then do its last merge on the fly.
		m.MaterializeInner = true
	}
	if m.MaterializeInner {
		run += materialized
	} else {
		run += bare
	}
	startup += end.Keys.Startup
	startup += float64(end.Keys.PerTuple * (w.OuterSkip + float64(w.InnerSkip*ratio)))
	run += float64(end.Keys.PerTuple * ((w.OuterRows - w.OuterSkip) + float64((w.InnerRows-w.InnerSkip)*ratio)))
	startup += rest.Startup
	perTuple := p.CPUTupleCost + rest.PerTuple
	run += float64(perTuple * in.Tuples)
	m.Estimate = end.finish(startup, run, w.Disabled)
	return m
}
