// Package cost turns numbers about a plan node into PostgreSQL's cost of it:
// the formulas of optimizer/path/costsize.c and of the index cost functions of
// utils/adt/selfuncs.c.
//
// The functions are pure. They take settings, sizes, selectivities and
// expression trees and give costs in units of seq_page_cost; who estimates a
// selectivity, and what a path looks like, is no matter of this package. The
// order of floating-point operations is PostgreSQL's own, and no product that
// feeds a sum may be fused into it, so that the same inputs give the same
// printed digits on every machine.
//
// The package imports parser packages, planner/stats and planner/rel.
package cost

import (
	"math"

	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// Constants of the cost model (costsize.c, selfuncs.c).
const (
	// BlockSize is BLCKSZ, in bytes.
	BlockSize = 8192
	// Disable is added to the cost of a path that a setting turns off, up to
	// PostgreSQL 17 (disable_cost); later versions count such nodes.
	Disable = 1.0e10
	// pageCPU is the number of operator costs charged for a visited index page
	// (DEFAULT_PAGE_CPU_MULTIPLIER).
	pageCPU = 50.0
	// appendCPU is the part of cpu_tuple_cost that Append charges for a row
	// (APPEND_CPU_COST_MULTIPLIER).
	appendCPU = 0.5
	// maximumRowCount is MAXIMUM_ROWCOUNT.
	maximumRowCount = 1e100
	// maxAllocSize is MaxAllocSize, in bytes.
	maxAllocSize = 0x3fffffff
	// tupleHeader is MAXALIGN(SizeofHeapTupleHeader), in bytes.
	tupleHeader = 24
)

// Params are the settings that costs depend on.
type Params struct {
	*stats.Settings
	// Major is the server's major version.
	Major int
}

// ParamsOf returns the parameters of a statement.
func ParamsOf(g *rel.Global) Params {
	s := g.Settings
	if s == nil {
		s = g.Stats.Settings
	}
	return Params{Settings: s, Major: g.VersionNum / 10000}
}

// Estimate is what a path is thought to give and to cost. Disabled counts the
// nodes that settings turn off (since PostgreSQL 18; otherwise their cost is
// raised by [Disable]).
type Estimate struct {
	Rows, Startup, Total float64
	Disabled             int
}

// Set writes an estimate into a path.
func (e Estimate) Set(b *rel.PathBase) {
	b.Rows, b.Startup, b.Total, b.DisabledNodes = e.Rows, e.Startup, e.Total, e.Disabled
}

// EstimateOf reads the estimate of a path.
func EstimateOf(p rel.Path) Estimate {
	b := p.Base()
	return Estimate{Rows: b.Rows, Startup: b.Startup, Total: b.Total, Disabled: b.DisabledNodes}
}

// Off returns what being turned off does to a node: the addition to its startup
// cost, or the addition to the count of disabled nodes.
func (p Params) Off(enabled bool) (startup float64, disabled int) {
	switch {
	case enabled:
		return 0, 0
	case p.Major >= 18:
		return 0, 1
	}
	return Disable, 0
}

// ClampRows makes a row count whole and at least one (clamp_row_est).
func ClampRows(rows float64) float64 {
	switch {
	case rows > maximumRowCount || math.IsNaN(rows):
		return maximumRowCount
	case rows <= 1:
		return 1
	}
	return math.RoundToEven(rows)
}

// ClampWidth bounds a row width in bytes (clamp_width_est).
func ClampWidth(width int) int {
	return min(width, maxAllocSize)
}

// Log2 is the logarithm that sort costs use (LOG2, costsize.c): its divisor has
// fifteen digits, which shows in the last printed digit of large sorts.
func Log2(x float64) float64 { return math.Log(x) / 0.693147180559945 }

// maxAlign rounds a width up to eight bytes (MAXALIGN).
func maxAlign(n int) int { return (n + 7) &^ 7 }

// RelationByteSize is the memory that rows of a width take (relation_byte_size).
func RelationByteSize(tuples float64, width int) float64 {
	return float64(tuples * float64(maxAlign(width)+tupleHeader))
}

// PageSize is [RelationByteSize] in blocks (page_size).
func PageSize(tuples float64, width int) float64 {
	return math.Ceil(RelationByteSize(tuples, width) / BlockSize)
}

// WorkMemBytes is work_mem in bytes.
func (p Params) WorkMemBytes() float64 { return float64(p.WorkMem) * 1024 }

// ParallelDivisor is by how many processes the rows of a parallel plan are
// shared: the workers, and what time the leader has left
// (get_parallel_divisor).
func (p Params) ParallelDivisor(workers int) float64 {
	d := float64(workers)
	if p.ParallelLeaderParticipation {
		leader := 1.0 - float64(0.3*float64(workers))
		if leader > 0 {
			d += leader
		}
	}
	return d
}

// IndexPagesFetched estimates the pages that fetching tuples by an index reads,
// with a cache of effective_cache_size shared by all tables of the query, after
// Mackert and Lohman (index_pages_fetched). pages is the table's size,
// indexPages the index's, totalTablePages that of all tables of the query.
func (p Params) IndexPagesFetched(tuples, pages, indexPages, totalTablePages float64) float64 {
	t := 1.0
	if pages > 1 {
		t = pages
	}
	total := max(totalTablePages+indexPages, 1.0)
	b := p.EffectiveCacheSize * t / total
	if b <= 1.0 {
		b = 1.0
	} else {
		b = math.Ceil(b)
	}
	if t <= b {
		f := float64(2.0*t*tuples) / (float64(2.0*t) + tuples)
		if f >= t {
			return t
		}
		return math.Ceil(f)
	}
	lim := float64(2.0*t*b) / (float64(2.0*t) - b)
	var f float64
	if tuples <= lim {
		f = float64(2.0*t*tuples) / (float64(2.0*t) + tuples)
	} else {
		f = b + float64((tuples-lim)*(t-b))/t
	}
	return math.Ceil(f)
}
