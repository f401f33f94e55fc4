package cost

import "math"

// GINStats are the counts of a GIN index's metapage (GinStatsData); all zero
// where unknown.
type GINStats struct {
	PendingPages, TotalPages, EntryPages, DataPages, Entries float64
}

// GINCounts are how many entries a scan looks for (GinQualCounts).
type GINCounts struct {
	// Partial counts entries matched by prefix, Exact those looked up, Search
	// the searches in the entry tree, Arrays the scans that array conditions
	// make.
	Partial, Exact, Search, Arrays float64
	// Full is set if every entry must be read.
	Full bool
}

// ginSizes are a GIN index's parts at its present size.
type ginSizes struct {
	pending, entryPages, dataPages, entries float64
}

func ginScale(numPages float64, s GINStats) ginSizes {
	var z ginSizes
	if s.PendingPages < numPages {
		z.pending = s.PendingPages
	}
	if numPages > 0 && s.TotalPages <= numPages && s.TotalPages > numPages/4 && s.EntryPages > 0 && s.Entries > 0 {
		// The counts are as of the last VACUUM; the index has grown since.
		scale := numPages / s.TotalPages
		z.entryPages = min(math.Ceil(s.EntryPages*scale), numPages-z.pending)
		z.dataPages = min(math.Ceil(s.DataPages*scale), numPages-z.pending-z.entryPages)
		z.entries = math.Ceil(s.Entries * scale)
	} else {
		numPages = max(numPages, 10)
		z.entryPages = math.Floor((numPages - z.pending) * 0.90)
		z.dataPages = numPages - z.pending - z.entryPages
		z.entries = math.Floor(z.entryPages * 100)
	}
	z.entries = max(z.entries, 1)
	return z
}

// GINEntries is the number of entries that a full scan reads.
func GINEntries(pages float64, s GINStats) float64 { return ginScale(pages, s).entries }

// GIN is the cost of a GIN search (gincostestimate, selfuncs.c). CPU charges
// for descents and pages are made since 16.
func GIN(p Params, x IndexProbe, s GINStats, c GINCounts) IndexCost {
	z := ginScale(x.Pages, s)
	cpu := p.Major >= 16
	if c.Full || x.Quals == 0 {
		c.Partial, c.Exact, c.Search = 0, z.entries, z.entries
	}
	entry := z.pending
	entry += math.Ceil(c.Search * math.RoundToEven(math.Pow(z.entryPages, 0.15)))
	part := min(c.Partial/z.entries, 1.0)
	entry += math.Ceil(z.entryPages * part)
	data := math.Ceil(z.dataPages * part)

	out := IndexCost{Selectivity: x.Selectivity}
	if cpu {
		if z.entries > 1 {
			descent := float64(math.Ceil(math.Log(z.entries)/math.Log(2.0)) * p.CPUOperatorCost)
			out.Startup += float64(descent * c.Search)
			out.Total += float64(c.Arrays * descent * c.Search)
		}
		out.Startup += float64(entry * pageCPU * p.CPUOperatorCost)
		out.Total += float64(entry * c.Arrays * pageCPU * p.CPUOperatorCost)
		out.Startup += float64(pageCPU * p.CPUOperatorCost * data)
		out.Total += float64(data * (c.Arrays - 1) * pageCPU * p.CPUOperatorCost)
	}
	cached := func(n, pages float64) float64 {
		if x.LoopCount > 1 || c.Arrays > 1 {
			n *= x.LoopCount * c.Arrays
			n = p.IndexPagesFetched(n, pages, pages, x.TotalTablePages)
			n /= x.LoopCount
		}
		return n
	}
	entry = cached(entry, z.entryPages)
	data = cached(data, z.dataPages)
	out.Startup += float64((entry + data) * p.RandomPageCost)

	data = math.Ceil(float64(z.dataPages*c.Exact) / z.entries)
	bySelectivity := math.Ceil(x.Selectivity * (x.Tuples / float64(BlockSize/3)))
	if bySelectivity > data {
		data = bySelectivity
	}
	if cpu {
		out.Startup += float64(pageCPU * p.CPUOperatorCost * c.Search)
		out.Total += float64(data * c.Arrays * pageCPU * p.CPUOperatorCost)
	}
	data = cached(data, z.dataPages)
	out.Total += out.Startup + float64(data*p.RandomPageCost)

	qualOp := float64(p.CPUOperatorCost * float64(x.Quals))
	out.Startup += x.ArgCost
	out.Total += x.ArgCost
	if cpu {
		out.Total += float64((c.Search * c.Arrays) * qualOp)
		out.Total += float64((x.Tuples * x.Selectivity) * p.CPUIndexTupleCost)
	} else {
		out.Total += float64((x.Tuples * x.Selectivity) * (p.CPUIndexTupleCost + qualOp))
	}
	out.Pages = data
	return out
}

// BRIN is the cost of a BRIN search (brincostestimate, selfuncs.c).
// x.Selectivity is that of the quals, x.Correlation the largest of the columns
// in the quals; heapPages is the table's size. The number of revmap pages is
// derived from the number of ranges, as it is of an index that covers them all;
// the server counts one less than there are (brinGetStats, brin_revmap.c), except
// for an index that does not exist.
func BRIN(p Params, x IndexProbe, heapPages, pagesPerRange float64, hypothetical bool) IndexCost {
	// REVMAP_PAGE_MAXITEMS: item pointers of six bytes on a page.
	const revmapItems = (BlockSize - 24 - 8) / 6
	ranges := max(math.Ceil(heapPages/pagesPerRange), 1.0)
	revmap := math.Ceil(ranges/revmapItems) - 1
	if hypothetical {
		revmap = math.Floor(ranges/revmapItems) + 1
	}
	least := math.Ceil(ranges * x.Selectivity)
	estimated := ranges
	if x.Correlation >= 1.0e-10 {
		estimated = min(least/x.Correlation, ranges)
	}
	out := IndexCost{Correlation: x.Correlation, Pages: x.Pages}
	out.Selectivity = max(0, min(estimated/ranges, 1))
	out.Startup = float64(p.SeqPageCost * revmap * x.LoopCount)
	out.Startup += x.ArgCost
	out.Total = out.Startup + float64(p.RandomPageCost*(x.Pages-revmap)*x.LoopCount)
	out.Total += float64(0.1 * p.CPUOperatorCost * estimated * pagesPerRange)
	return out
}
