package cost

import "math"

// Sizes of a Memoize cache entry on a 64-bit server, in bytes
// (ExecEstimateCacheEntryOverheadBytes, nodeMemoize.c).
const (
	memoizeEntry = 24 + 24 // MemoizeEntry and MemoizeKey
	memoizeTuple = 16
)

// MemoizeScan are the inputs of the cost of looking into a Memoize node's cache.
type MemoizeScan struct {
	Input Estimate
	Width int // of the input's rows, bytes
	// KeyWidth is the width of the cache key's expressions.
	KeyWidth int
	// Calls is how often it will be run, Distinct with how many different
	// keys: Calls itself where that is a mere guess.
	Calls, Distinct float64
}

// MemoizeRescan is the cost of one more run: that of the input as far as the
// cache is expected to miss (cost_memoize_rescan, costsize.c). entries is the
// number of entries that the cache will hold.
func (p Params) MemoizeRescan(in MemoizeScan) (startup, total, entries float64) {
	tuples := in.Input.Rows
	entryBytes := RelationByteSize(tuples, in.Width) + (memoizeEntry + float64(memoizeTuple*tuples))
	if p.Major >= 16 {
		entryBytes += float64(in.KeyWidth)
	}
	room := math.Floor(p.HashMemory() / entryBytes)
	entries = min(in.Distinct, room, math.MaxUint32)
	evict := 1.0 - min(room, in.Distinct)/in.Distinct
	var hit float64
	if p.Major >= 16 {
		hit = ((in.Calls - in.Distinct) / in.Calls) * (room / max(in.Distinct, room))
	} else {
		hit = float64(1.0/in.Distinct*min(room, in.Distinct)) - in.Distinct/in.Calls
		hit = max(hit, 0.0)
	}
	total = float64(in.Input.Total*(1.0-hit)) + p.CPUOperatorCost
	// Eviction: of the entry, and of each of its rows.
	total += float64(p.CPUTupleCost * evict)
	total += float64(p.CPUOperatorCost / 10.0 * evict * tuples)
	// Filling the cache.
	total += p.CPUTupleCost + float64(p.CPUOperatorCost*tuples)
	startup = float64(in.Input.Startup * (1.0 - hit))
	startup += p.CPUTupleCost
	return startup, total, entries
}
