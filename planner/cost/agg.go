package cost

import (
	"math"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/planner/rel"
)

// Sizes of the executor's hash aggregation (nodeAgg.c), in bytes.
const (
	aggChunkHeader    = 16 // CHUNKHDRSZ
	aggPerGroup       = 16 // sizeof(AggStatePerGroupData)
	aggHashEntry      = 24 // sizeof(TupleHashEntryData)
	minimalTuple      = 16 // MAXALIGN(SizeofMinimalTupleHeader)
	aggChunkHeader18  = 8  // of memory chunks, since 18
	aggHashEntry18    = 16 // sizeof(TupleHashEntryData), since 18
	aggMinPartitions  = 4
	aggMaxPartitions  = 1024
	aggPartitionExtra = 1.5
)

// AggCosts is what the aggregates of a query cost (AggClauseCosts): for each
// input row, for each group, and in memory for each group, in bytes.
type AggCosts struct {
	Trans, Final    rel.QualCost
	TransitionSpace float64
}

// AddFunction adds the cost of a call to c; 0 is no function
// (add_function_cost, plancat.c).
func AddFunction(g *rel.Global, fn pgtype.OID, c *rel.QualCost) {
	w := walker{g: g, unit: ParamsOf(g).CPUOperatorCost, total: *c}
	w.function(fn)
	*c = w.total
}

// Filter is a qual over the rows that a node gives: HAVING. The zero Filter is
// none.
type Filter struct {
	Present     bool
	Cost        rel.QualCost
	Selectivity float64
}

// apply charges a filter and takes out the rows that it drops.
func (f Filter) apply(e *Estimate) {
	if !f.Present {
		return
	}
	e.Startup += f.Cost.Startup
	e.Total += f.Cost.Startup + float64(e.Rows*f.Cost.PerTuple)
	e.Rows = ClampRows(e.Rows * f.Selectivity)
}

// AggInput is what the cost of an aggregation depends on.
type AggInput struct {
	// Input has the input's rows; Width are its bytes.
	Input    Estimate
	Width    int
	Strategy rel.AggStrategy
	Costs    AggCosts
	// NumTrans is the number of transition states of the whole query.
	NumTrans  int
	GroupCols int
	Groups    float64
	Having    Filter
}

// Agg is the cost of aggregation or of DISTINCT by hashing (cost_agg).
func Agg(p Params, a AggInput) Estimate {
	c := a.Costs
	tuples := a.Input.Rows
	e := Estimate{Disabled: a.Input.Disabled}
	switch a.Strategy {
	case rel.AggPlain:
		e.Startup = a.Input.Total
		e.Startup += c.Trans.Startup
		e.Startup += float64(c.Trans.PerTuple * tuples)
		e.Startup += c.Final.Startup
		e.Startup += c.Final.PerTuple
		e.Total = e.Startup + p.CPUTupleCost
		e.Rows = 1
	case rel.AggSorted, rel.AggMixed:
		e.Startup, e.Total = a.Input.Startup, a.Input.Total
		if a.Strategy == rel.AggMixed {
			off, disabled := p.Off(p.EnableHashAgg)
			e.Startup += off
			e.Total += off
			e.Disabled += disabled
		}
		e.Total += c.Trans.Startup
		e.Total += float64(c.Trans.PerTuple * tuples)
		e.Total += float64(float64(p.CPUOperatorCost*float64(a.GroupCols)) * tuples)
		e.Total += c.Final.Startup
		e.Total += float64(c.Final.PerTuple * a.Groups)
		e.Total += float64(p.CPUTupleCost * a.Groups)
		e.Rows = a.Groups
	default:
		e.Startup = a.Input.Total
		off, disabled := p.Off(p.EnableHashAgg)
		e.Startup += off
		e.Disabled += disabled
		e.Startup += c.Trans.Startup
		e.Startup += float64(c.Trans.PerTuple * tuples)
		e.Startup += float64(float64(p.CPUOperatorCost*float64(a.GroupCols)) * tuples)
		e.Startup += c.Final.Startup
		e.Total = e.Startup
		e.Total += float64(c.Final.PerTuple * a.Groups)
		e.Total += float64(p.CPUTupleCost * a.Groups)
		e.Rows = a.Groups
	}
	if a.Strategy == rel.AggHashed || a.Strategy == rel.AggMixed {
		spill(p, a, &e)
	}
	a.Having.apply(&e)
	return e
}

// spill charges a hash table that does not fit into memory: its input is
// written to partitions and read again, as often as these do not fit either.
func spill(p Params, a AggInput, e *Estimate) {
	entry := HashAggEntrySize(p, a.NumTrans, a.Width, a.Costs.TransitionSpace)
	limits := hashAggLimits(p, entry, a.Groups)
	batches := max(float64(a.Groups*entry)/limits.memory, a.Groups/limits.groups)
	batches = max(math.Ceil(batches), 1.0)
	partitions := max(limits.partitions, 2)
	depth := math.Ceil(math.Log(batches) / math.Log(float64(partitions)))
	pages := RelationByteSize(a.Input.Rows, a.Width) / BlockSize
	read := float64(pages * depth)
	written := read
	read *= 2.0
	written *= 2.0
	e.Startup += float64(written * p.RandomPageCost)
	e.Total += float64(written * p.RandomPageCost)
	e.Total += float64(read * p.SeqPageCost)
	cpu := float64(float64(depth*a.Input.Rows) * 2.0 * p.CPUTupleCost)
	e.Startup += cpu
	e.Total += cpu
}

// HashAggEntrySize is the memory that one group takes in a hash aggregation, in
// bytes (hash_agg_entry_size, nodeAgg.c). Since 18 entries lie close together,
// and states are rounded up as their allocator does.
func HashAggEntrySize(p Params, numTrans, width int, transitionSpace float64) float64 {
	if p.Major >= 18 {
		size := float64(aggHashEntry18 + maxAlign(minimalTuple+width) + numTrans*aggPerGroup)
		if transitionSpace > 0 {
			size += aggChunkHeader18 + float64(nextPower2(uint64(transitionSpace)))
		}
		return size
	}
	size := float64(aggHashEntry + aggChunkHeader + minimalTuple + width)
	if numTrans > 0 {
		size += float64(aggChunkHeader + numTrans*aggPerGroup)
	}
	if transitionSpace > 0 {
		size += aggChunkHeader + transitionSpace
	}
	return size
}

// HashMemory is the memory that a hash table may take, in bytes
// (get_hash_memory_limit, nodeHash.c).
func (p Params) HashMemory() float64 {
	return math.Floor(float64(p.WorkMem) * p.HashMemMultiplier * 1024.0)
}

type aggLimits struct {
	memory, groups float64
	partitions     int
}

// hashAggLimits divides memory between the hash table and the buffers of the
// partitions that it spills to (hash_agg_set_limits, nodeAgg.c).
func hashAggLimits(p Params, entry, groups float64) aggLimits {
	memory := p.HashMemory()
	if groups*entry <= memory {
		return aggLimits{memory: memory, groups: math.Floor(memory / entry)}
	}
	l := aggLimits{partitions: hashAggPartitions(memory, entry, groups)}
	buffers := BlockSize + float64(BlockSize*float64(l.partitions))
	if memory > 4*buffers {
		l.memory = memory - buffers
	} else {
		l.memory = math.Floor(memory * 0.75)
	}
	l.groups = 1
	if l.memory > entry {
		l.groups = math.Floor(l.memory / entry)
	}
	return l
}

// HashAggPartitions is the number of partitions that EXPLAIN says a hash
// aggregation is planned with, 0 if its groups fit into memory.
func HashAggPartitions(p Params, entry, groups float64) int {
	return hashAggLimits(p, entry, groups).partitions
}

// hashAggPartitions is hash_choose_num_partitions (nodeAgg.c): a power of two.
func hashAggPartitions(memory, entry, groups float64) int {
	limit := (float64(memory*0.25) - BlockSize) / BlockSize
	wanted := aggPartitionExtra * groups * entry
	n := 1 + wanted/memory
	n = min(n, limit)
	n = max(n, aggMinPartitions)
	n = min(n, aggMaxPartitions)
	bits := 0
	for 1<<bits < int(n) {
		bits++
	}
	return 1 << bits
}
