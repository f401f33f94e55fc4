package cost

import (
	"math"
	"math/bits"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// Sizes of the executor's hash table on a 64-bit server, in bytes
// (executor/hashjoin.h, nodeHash.c).
const (
	pointerSize      = 8
	hashTupleHeader  = 16 + 16 // HJTUPLE_OVERHEAD and an aligned minimal tuple header
	skewBucket       = 16      // SKEW_BUCKET_OVERHEAD
	skewPercent      = 2       // SKEW_HASH_MEM_PERCENT
	minHashBuckets   = 1024
	maxHashPointers  = maxAllocSize / pointerSize
	hashBucketsLimit = math.MaxInt32/2 + 1
)

// HashTableSize chooses the number of buckets, and of batches if the table does
// not fit into memory (ExecChooseHashTableSize, nodeHash.c). shared is for a
// hash table that the given number of workers, and the leader, build together.
func (p Params) HashTableSize(tuples float64, width int, shared bool, workers int) (buckets, batches int) {
	if tuples <= 0 {
		tuples = 1000
	}
	tupleSize := uint64(hashTupleHeader + maxAlign(width))
	bytes := float64(tuples * float64(tupleSize))
	limit := p.HashMemory()
	if shared {
		limit *= float64(workers + 1)
	}
	// No server has that much memory; the bound keeps the conversion sound.
	memory := uint64(min(limit, 1<<62))
	perMCV := tupleSize + 8*pointerSize + 4 + skewBucket
	if mcvs := min(memory/perMCV*skewPercent/100, math.MaxInt32); mcvs > 0 {
		memory -= mcvs * perMCV
	}
	pointers := min(memory/pointerSize, maxHashPointers)
	pointers = min(prevPower2(pointers), hashBucketsLimit)

	buckets = int(min(math.Ceil(tuples), float64(pointers)))
	buckets = int(nextPower2(uint64(max(buckets, minHashBuckets))))
	batches = 1
	if bytes+float64(pointerSize*buckets) <= float64(memory) {
		return buckets, batches
	}
	if shared {
		// Each worker has a table of its own then.
		return p.HashTableSize(tuples, width, false, workers)
	}
	bucketSize := tupleSize + pointerSize
	n := uint64(1)
	if memory > bucketSize {
		n = nextPower2(memory / bucketSize)
	}
	buckets = int(nextPower2(min(n, pointers)))
	d := math.Ceil(bytes / float64(int64(memory)-int64(buckets*pointerSize)))
	d = min(d, float64(pointers))
	batches = int(nextPower2(uint64(max(2, int(d)))))
	if p.Major >= 18 {
		// Batches need buffers of their own: fewer batches of a larger table
		// may take less memory.
		for batches > 1 && buckets < hashBucketsLimit {
			now := memory + uint64(2*batches*BlockSize)
			if now < memory*2+uint64(batches*BlockSize) {
				break
			}
			batches /= 2
			buckets *= 2
			memory *= 2
		}
	}
	return buckets, batches
}

func nextPower2(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(n-1)
}

func prevPower2(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	return 1 << (bits.Len64(n) - 1)
}

// HashJoinInput are the inputs of a hash join.
type HashJoinInput struct {
	Type                   query.JoinType
	Outer, Inner           Estimate
	OuterWidth, InnerWidth int // bytes
	Clauses                int // number of hash clauses
	// Parallel: the workers build one hash table together.
	Parallel bool
	// OuterWorkers and InnerWorkers are the workers of each side.
	OuterWorkers, InnerWorkers int
	// The rest is for the final costing only. BucketSize is the part of the
	// inner rows in the bucket that an outer row hashes to, MCVFreq that of
	// the commonest value, both of the most selective clause.
	BucketSize, MCVFreq float64
	// Tuples are the rows that pass the hash clauses (approx_tuple_count),
	// unless each outer row has one match at most.
	Tuples float64
}

// HashJoinStart is the first look (initial_cost_hashjoin, costsize.c).
func (p Params) HashJoinStart(in HashJoinInput) JoinWork {
	_, off := p.Off(p.EnableHashJoin)
	w := JoinWork{Disabled: off + in.Inner.Disabled + in.Outer.Disabled, InnerRowsTotal: in.Inner.Rows}
	n := float64(in.Clauses)
	w.Startup = in.Outer.Startup
	w.Run = in.Outer.Total - in.Outer.Startup
	w.Startup += in.Inner.Total
	// The inner side is hashed and stored, the outer side only hashed.
	w.Startup += float64((float64(p.CPUOperatorCost*n) + p.CPUTupleCost) * in.Inner.Rows)
	w.Run += float64(p.CPUOperatorCost * n * in.Outer.Rows)
	if in.Parallel {
		w.InnerRowsTotal *= p.ParallelDivisor(in.InnerWorkers)
	}
	w.Buckets, w.Batches = p.HashTableSize(w.InnerRowsTotal, in.InnerWidth, in.Parallel, in.OuterWorkers)
	if w.Batches > 1 {
		outer, inner := PageSize(in.Outer.Rows, in.OuterWidth), PageSize(in.Inner.Rows, in.InnerWidth)
		w.Startup += float64(p.SeqPageCost * inner)
		w.Run += float64(p.SeqPageCost * (inner + float64(2*outer)))
	}
	w.Total = w.Startup + w.Run
	return w
}

// VirtualBuckets is the number of buckets over all batches.
func (w JoinWork) VirtualBuckets() float64 { return float64(w.Buckets) * float64(w.Batches) }

// HashJoinEnd is the final costing (final_cost_hashjoin, costsize.c).
func (p Params) HashJoinEnd(w JoinWork, in HashJoinInput, end JoinEnd) Estimate {
	startup, run := w.Startup, w.Run
	off, _ := p.Off(p.EnableHashJoin)
	startup += off
	if RelationByteSize(ClampRows(in.Inner.Rows*in.MCVFreq), in.InnerWidth) > p.HashMemory() {
		// The rows of one value can not be parted into batches: all versions
		// shun such a table by a cost.
		startup += Disable
	}
	rest := rel.QualCost{
		Startup:  end.Restrict.Startup - end.Keys.Startup,
		PerTuple: end.Restrict.PerTuple - end.Keys.PerTuple,
	}
	tuples := in.Tuples
	startup += end.Keys.Startup
	if end.FirstMatch {
		matched := math.RoundToEven(in.Outer.Rows * end.Factors.OuterMatchFrac)
		frac := 2.0 / (end.Factors.MatchCount + 1.0)
		run += float64(end.Keys.PerTuple * matched * ClampRows(in.Inner.Rows*in.BucketSize*frac) * 0.5)
		// An outer row without a match meets an average bucket, where the
		// hash values themselves mostly differ.
		run += float64(end.Keys.PerTuple * (in.Outer.Rows - matched) * ClampRows(in.Inner.Rows/w.VirtualBuckets()) * 0.05)
		tuples = matched
		if in.Type == query.JoinAnti {
			tuples = in.Outer.Rows - matched
		}
	} else {
		run += float64(end.Keys.PerTuple * in.Outer.Rows * ClampRows(in.Inner.Rows*in.BucketSize) * 0.5)
	}
	startup += rest.Startup
	perTuple := p.CPUTupleCost + rest.PerTuple
	run += float64(perTuple * tuples)
	return end.finish(startup, run, w.Disabled)
}
