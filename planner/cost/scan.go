package cost

import (
	"github.com/dbgen/dbgen/planner/rel"
)

// Scan is what the cost of reading a base relation depends on.
type Scan struct {
	// Rows is the estimate after the quals, of the relation or of its
	// parameterised form.
	Rows float64
	// Pages and Tuples are the relation's size.
	Pages, Tuples float64
	// Qual is the cost of the restrictions and of the parameterising clauses.
	Qual rel.QualCost
	// Target is the cost of the output expressions.
	Target rel.QualCost
	// Workers is the number of parallel workers, 0 for a scan that is not
	// partial.
	Workers int
}

// SeqScan is the cost of reading a table from end to end (cost_seqscan).
func SeqScan(p Params, s Scan) Estimate {
	e := Estimate{Rows: s.Rows}
	off, disabled := p.Off(p.EnableSeqScan)
	startup := off
	e.Disabled = disabled
	disk := float64(p.SeqPageCost * s.Pages)
	startup += s.Qual.Startup
	perTuple := p.CPUTupleCost + s.Qual.PerTuple
	cpu := float64(perTuple * s.Tuples)
	startup += s.Target.Startup
	cpu += float64(s.Target.PerTuple * e.Rows)
	if s.Workers > 0 {
		divisor := p.ParallelDivisor(s.Workers)
		cpu /= divisor
		e.Rows = ClampRows(e.Rows / divisor)
	}
	e.Startup = startup
	e.Total = startup + cpu + disk
	return e
}

// SampleScan is the cost of TABLESAMPLE (cost_samplescan). random tells methods
// that choose blocks, as SYSTEM does, from those that read all, as BERNOULLI
// does.
func SampleScan(p Params, s Scan, random bool) Estimate {
	page := p.SeqPageCost
	if random {
		page = p.RandomPageCost
	}
	run := float64(page * s.Pages)
	startup := s.Qual.Startup
	run += float64((p.CPUTupleCost + s.Qual.PerTuple) * s.Tuples)
	startup += s.Target.Startup
	run += float64(s.Target.PerTuple * s.Rows)
	return Estimate{Rows: s.Rows, Startup: startup, Total: startup + run}
}

// perRow is the common form of scans that read rows from memory: a start, and
// a CPU cost for each tuple before the target list's.
func perRow(s Scan, startup, perTuple float64, target bool) Estimate {
	startup += s.Qual.Startup
	run := float64(perTuple * s.Tuples)
	if target {
		startup += s.Target.Startup
		run += float64(s.Target.PerTuple * s.Rows)
	}
	return Estimate{Rows: s.Rows, Startup: startup, Total: startup + run}
}

// FunctionScan is the cost of reading functions' results, which are computed
// before the first row is given (cost_functionscan, cost_tablefuncscan). calls
// is the cost of the calls.
func FunctionScan(p Params, s Scan, calls rel.QualCost) Estimate {
	return perRow(s, calls.Startup+calls.PerTuple, p.CPUTupleCost+s.Qual.PerTuple, true)
}

// ValuesScan is the cost of a VALUES list; an operator's cost stands for the
// evaluation of a row's expressions (cost_valuesscan).
func ValuesScan(p Params, s Scan) Estimate {
	perTuple := p.CPUOperatorCost
	perTuple += p.CPUTupleCost + s.Qual.PerTuple
	return perRow(s, 0, perTuple, true)
}

// CTEScan is the cost of reading a CTE or work table (cost_ctescan).
func CTEScan(p Params, s Scan) Estimate {
	perTuple := p.CPUTupleCost
	perTuple += p.CPUTupleCost + s.Qual.PerTuple
	return perRow(s, 0, perTuple, true)
}

// NamedTuplestoreScan is the cost of a transition table
// (cost_namedtuplestorescan).
func NamedTuplestoreScan(p Params, s Scan) Estimate {
	perTuple := p.CPUTupleCost
	perTuple += p.CPUTupleCost + s.Qual.PerTuple
	return perRow(s, 0, perTuple, false)
}

// ResultScan is the cost of one row without columns (cost_resultscan).
func ResultScan(p Params, s Scan) Estimate {
	return perRow(s, 0, p.CPUTupleCost+s.Qual.PerTuple, false)
}

// SubqueryScan is the cost of reading a subquery's rows (cost_subqueryscan).
// s.Rows is the estimate for this very subpath. free tells a scan that neither
// filters nor projects: since 16 it costs nothing, as it will be removed.
func SubqueryScan(p Params, s Scan, sub Estimate, free bool) Estimate {
	e := Estimate{Rows: s.Rows, Startup: sub.Startup, Total: sub.Total, Disabled: sub.Disabled}
	if free && p.Major >= 16 {
		return e
	}
	startup := s.Qual.Startup
	run := float64((p.CPUTupleCost + s.Qual.PerTuple) * sub.Rows)
	startup += s.Target.Startup
	run += float64(s.Target.PerTuple * s.Rows)
	e.Startup += startup
	e.Total += startup + run
	return e
}

// TidScan is the cost of fetching rows by ctid (cost_tidscan). tuples is how
// many addresses the quals give, tidQual the cost of those quals, which are not
// checked again.
func TidScan(p Params, s Scan, tuples float64, tidQual rel.QualCost) Estimate {
	off, disabled := p.Off(p.EnableTidScan)
	e := Estimate{Rows: s.Rows, Disabled: disabled}
	startup := off
	run := float64(p.RandomPageCost * tuples)
	startup += s.Qual.Startup + tidQual.PerTuple
	perTuple := p.CPUTupleCost + s.Qual.PerTuple - tidQual.PerTuple
	run += float64(perTuple * tuples)
	startup += s.Target.Startup
	run += float64(s.Target.PerTuple * s.Rows)
	e.Startup, e.Total = startup, startup+run
	return e
}

// TidRangeScan is the cost of reading the blocks between two ctids
// (cost_tidrangescan). pages and tuples are those in the range.
func TidRangeScan(p Params, s Scan, pages, tuples float64, tidQual rel.QualCost) Estimate {
	off, disabled := p.Off(p.EnableTidScan)
	e := Estimate{Rows: s.Rows, Disabled: disabled}
	startup := off
	run := p.RandomPageCost + float64(p.SeqPageCost*(pages-1.0))
	startup += s.Qual.Startup + tidQual.PerTuple
	perTuple := p.CPUTupleCost + s.Qual.PerTuple - tidQual.PerTuple
	run += float64(perTuple * tuples)
	startup += s.Target.Startup
	run += float64(s.Target.PerTuple * s.Rows)
	e.Startup, e.Total = startup, startup+run
	return e
}
