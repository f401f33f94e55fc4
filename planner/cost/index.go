package cost

import (
	"math"

	"github.com/dbgen/dbgen/planner/rel"
)

// IndexProbe is what the cost of searching an index depends on.
type IndexProbe struct {
	Pages, Tuples float64 // of the index
	// Height is the tree's, -1 where unknown.
	Height int
	// Selectivity is the fraction of the table's rows that the index
	// conditions, with the index's predicate, let through.
	Selectivity float64
	// IndexTuples is the number of index tuples visited in one descent.
	IndexTuples float64
	// Descents is into how many searches array conditions divide the scan
	// (num_sa_scans).
	Descents float64
	// LoopCount is how often the scan is repeated in a nested loop.
	LoopCount float64
	// ArgCost is the cost of computing the conditions' right sides, once.
	ArgCost float64
	// Quals and OrderBys count conditions and ordering operators.
	Quals, OrderBys int
	Correlation     float64
	TotalTablePages float64
}

// IndexCost is the cost of an index search, without the table
// (amcostestimate).
type IndexCost struct {
	Startup, Total float64
	Selectivity    float64
	Correlation    float64
	// Pages is the number of index pages read, for the number of parallel
	// workers.
	Pages float64
}

// GenericIndex is the cost that all ordered searches have in common
// (genericcostestimate, selfuncs.c).
func GenericIndex(p Params, x IndexProbe) IndexCost {
	tuples := x.IndexTuples
	if tuples > x.Tuples {
		tuples = x.Tuples
	}
	if tuples < 1.0 {
		tuples = 1.0
	}
	pages := 1.0
	if x.Pages > 1 && x.Tuples > 1 {
		pages = math.Ceil(float64(tuples*x.Pages) / x.Tuples)
	}
	scans := x.Descents * x.LoopCount
	var total float64
	if scans > 1 {
		fetched := p.IndexPagesFetched(pages*scans, x.Pages, x.Pages, x.TotalTablePages)
		total = float64(fetched*p.RandomPageCost) / x.LoopCount
	} else {
		total = float64(pages * p.RandomPageCost)
	}
	qualOp := float64(p.CPUOperatorCost * float64(x.Quals+x.OrderBys))
	total += x.ArgCost
	total += float64(tuples * x.Descents * (p.CPUIndexTupleCost + qualOp))
	return IndexCost{Startup: x.ArgCost, Total: total, Selectivity: x.Selectivity, Pages: pages}
}

// BTree is the cost of a btree search: the generic one, the comparisons of a
// descent and a charge for each level (btcostestimate, selfuncs.c).
func BTree(p Params, x IndexProbe) IndexCost {
	c := GenericIndex(p, x)
	if x.Tuples > 1 {
		descent := float64(math.Ceil(math.Log(x.Tuples)/math.Log(2.0)) * p.CPUOperatorCost)
		c.Startup += descent
		c.Total += float64(x.Descents * descent)
	}
	level(p, x, &c)
	c.Correlation = x.Correlation
	return c
}

// level charges the pages on the way down: the height plus the leaf.
func level(p Params, x IndexProbe, c *IndexCost) {
	descent := float64(float64(x.Height+1) * pageCPU * p.CPUOperatorCost)
	c.Startup += descent
	c.Total += float64(x.Descents * descent)
}

// Hash is the cost of a hash index search, the generic one
// (hashcostestimate, selfuncs.c).
func Hash(p Params, x IndexProbe) IndexCost { return GenericIndex(p, x) }

// Gist is the cost of a GiST or SP-GiST search. The tree is taken to have a
// fanout of 100 (gistcostestimate, spgcostestimate, selfuncs.c).
func Gist(p Params, x IndexProbe) IndexCost {
	c := GenericIndex(p, x)
	x.Height = 0
	if x.Pages > 1 {
		x.Height = int(math.Log(x.Pages) / math.Log(100.0))
	}
	if x.Tuples > 1 {
		descent := float64(math.Ceil(math.Log(x.Tuples)) * p.CPUOperatorCost)
		c.Startup += descent
		c.Total += float64(x.Descents * descent)
	}
	level(p, x, &c)
	return c
}

// IndexFetch is what the cost of an index scan depends on beside the search.
type IndexFetch struct {
	Scan
	Search     IndexCost
	IndexPages float64 // size of the index
	LoopCount  float64
	IndexOnly  bool
	AllVisible float64 // fraction of all-visible pages
	// Qual in Scan is that of the clauses the index does not check.
	TotalTablePages float64
	// Parallel, if not nil, makes it a partial scan: it is asked for the number
	// of workers for so many heap pages (-1 unknown) and index pages.
	Parallel func(heapPages, indexPages float64) int
}

// Index is the cost of an index scan (cost_index). workers is 0 if the scan is
// not partial or not worth workers.
func Index(p Params, x IndexFetch) (e Estimate, workers int) {
	e.Rows = x.Rows
	startup, disabled := p.Off(p.EnableIndexScan)
	e.Disabled = disabled
	startup += x.Search.Startup
	run := x.Search.Total - x.Search.Startup
	fetched := ClampRows(x.Search.Selectivity * x.Tuples)
	visible := func(pages float64) float64 {
		if x.IndexOnly {
			return math.Ceil(pages * (1.0 - x.AllVisible))
		}
		return pages
	}
	var maxIO, minIO, heapPages float64
	if x.LoopCount > 1 {
		pages := visible(p.IndexPagesFetched(fetched*x.LoopCount, x.Pages, x.IndexPages, x.TotalTablePages))
		heapPages = pages
		maxIO = float64(pages*p.RandomPageCost) / x.LoopCount
		pages = math.Ceil(x.Search.Selectivity * x.Pages)
		pages = visible(p.IndexPagesFetched(pages*x.LoopCount, x.Pages, x.IndexPages, x.TotalTablePages))
		minIO = float64(pages*p.RandomPageCost) / x.LoopCount
	} else {
		pages := visible(p.IndexPagesFetched(fetched, x.Pages, x.IndexPages, x.TotalTablePages))
		heapPages = pages
		maxIO = float64(pages * p.RandomPageCost)
		pages = visible(math.Ceil(x.Search.Selectivity * x.Pages))
		if pages > 0 {
			minIO = p.RandomPageCost
			if pages > 1 {
				minIO += float64((pages - 1) * p.SeqPageCost)
			}
		}
	}
	if x.Parallel != nil {
		if x.IndexOnly {
			heapPages = -1
		}
		if workers = x.Parallel(heapPages, x.Search.Pages); workers <= 0 {
			return e, 0
		}
	}
	squared := float64(x.Search.Correlation * x.Search.Correlation)
	run += maxIO + float64(squared*(minIO-maxIO))
	startup += x.Qual.Startup
	cpu := float64((p.CPUTupleCost + x.Qual.PerTuple) * fetched)
	startup += x.Target.Startup
	cpu += float64(x.Target.PerTuple * e.Rows)
	if workers > 0 {
		divisor := p.ParallelDivisor(workers)
		e.Rows = ClampRows(e.Rows / divisor)
		cpu /= divisor
	}
	run += cpu
	e.Startup, e.Total = startup, startup+run
	return e, workers
}

// BitmapPages is what a bitmap heap scan fetches: pages, rows, and the cost of
// making the bitmap (compute_bitmap_pages).
type BitmapPages struct {
	Pages, Tuples, IndexTotal float64
}

// BitmapFetch estimates the pages and rows that a bitmap names. pages and
// tuples are the table's, indexPages the size of all indexes in the bitmap.
func BitmapFetch(p Params, bitmap rel.Path, pages, tuples, loopCount, totalTablePages float64) BitmapPages {
	total, sel := BitmapNode(p, bitmap)
	fetched := ClampRows(sel * tuples)
	t := 1.0
	if pages > 1 {
		t = pages
	}
	n := float64(2.0*t*fetched) / (float64(2.0*t) + fetched)
	heap := min(n, pages)
	limit := bitmapEntries(p)
	if loopCount > 1 {
		n = p.IndexPagesFetched(fetched*loopCount, pages, bitmapIndexPages(bitmap), totalTablePages)
		n /= loopCount
	}
	if n >= t {
		n = t
	} else {
		n = math.Ceil(n)
	}
	if limit < heap {
		lossy := max(0, heap-math.Floor(limit/2))
		exact := heap - lossy
		if lossy > 0 {
			fetched = ClampRows(float64(sel*(exact/heap)*tuples) + float64((lossy/heap)*tuples))
		}
	}
	return BitmapPages{Pages: n, Tuples: fetched, IndexTotal: total}
}

// bitmapEntries is how many pages a bitmap within work_mem can hold exactly
// (tbm_calculate_entries, tidbitmap.c): an entry takes 48 bytes and two
// pointers.
func bitmapEntries(p Params) float64 {
	n := math.Floor(p.WorkMemBytes() / 64)
	return max(min(n, math.MaxInt32-1), 16)
}

func bitmapIndexPages(path rel.Path) float64 {
	switch b := path.(type) {
	case *rel.IndexPath:
		return b.Index.Pages
	case *rel.BitmapAndPath:
		return sumIndexPages(b.Quals)
	case *rel.BitmapOrPath:
		return sumIndexPages(b.Quals)
	}
	return 0
}

func sumIndexPages(list []rel.Path) float64 {
	var n float64
	for _, q := range list {
		n += bitmapIndexPages(q)
	}
	return n
}

// BitmapNode is the cost of making a bitmap and the fraction of the table that
// it names (cost_bitmap_tree_node).
func BitmapNode(p Params, path rel.Path) (total, selectivity float64) {
	switch b := path.(type) {
	case *rel.IndexPath:
		return b.IndexTotal + float64(0.1*p.CPUOperatorCost*b.Rows), b.Selectivity
	case *rel.BitmapAndPath:
		return b.Total, b.Selectivity
	case *rel.BitmapOrPath:
		return b.Total, b.Selectivity
	}
	return 0, 0
}

// BitmapAnd is the cost of an intersection of bitmaps and its selectivity; the
// conditions are taken to be independent (cost_bitmap_and_node).
func BitmapAnd(p Params, quals []rel.Path) (e Estimate, selectivity float64) {
	selectivity = 1.0
	for i, q := range quals {
		c, s := BitmapNode(p, q)
		selectivity *= s
		e.Total += c
		if i > 0 {
			e.Total += float64(100.0 * p.CPUOperatorCost)
		}
	}
	e.Startup = e.Total
	return e, selectivity
}

// BitmapOr is the cost of a union of bitmaps and its selectivity
// (cost_bitmap_or_node). A bitmap index scan is added in place and costs no
// union.
func BitmapOr(p Params, quals []rel.Path) (e Estimate, selectivity float64) {
	for i, q := range quals {
		c, s := BitmapNode(p, q)
		selectivity += s
		e.Total += c
		if _, scan := q.(*rel.IndexPath); i > 0 && !scan {
			e.Total += float64(100.0 * p.CPUOperatorCost)
		}
	}
	e.Startup = e.Total
	return e, min(selectivity, 1.0)
}

// BitmapHeap is the cost of fetching the rows that a bitmap names
// (cost_bitmap_heap_scan). A page costs less than a random one, the more so the
// denser the pages lie.
func BitmapHeap(p Params, s Scan, f BitmapPages) Estimate {
	startup, disabled := p.Off(p.EnableBitmapScan)
	e := Estimate{Rows: s.Rows, Disabled: disabled}
	startup += f.IndexTotal
	t := 1.0
	if s.Pages > 1 {
		t = s.Pages
	}
	page := p.RandomPageCost
	if f.Pages >= 2.0 {
		page = p.RandomPageCost - float64((p.RandomPageCost-p.SeqPageCost)*math.Sqrt(f.Pages/t))
	}
	run := float64(f.Pages * page)
	startup += s.Qual.Startup
	cpu := float64((p.CPUTupleCost + s.Qual.PerTuple) * f.Tuples)
	if s.Workers > 0 {
		divisor := p.ParallelDivisor(s.Workers)
		cpu /= divisor
		e.Rows = ClampRows(e.Rows / divisor)
	}
	run += cpu
	startup += s.Target.Startup
	run += float64(s.Target.PerTuple * e.Rows)
	e.Startup, e.Total = startup, startup+run
	return e
}
