package path

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// IndexScan is what an index path is made of.
type IndexScan struct {
	Index       *rel.IndexOptInfo
	Clauses     []*rel.IndexClause
	OrderBys    []query.Expr
	OrderByCols []int
	Keys        []*rel.PathKey
	Direction   rel.ScanDirection
	IndexOnly   bool
	Outer       query.Relids
	LoopCount   float64
	// Partial asks for a partial path; its ParallelWorkers are 0 if it is not
	// worth any.
	Partial bool
}

// NewIndexScan makes an index scan or index-only scan (create_index_path).
func NewIndexScan(root *rel.PlannerInfo, x IndexScan) *rel.IndexPath {
	p := &rel.IndexPath{
		PathBase: newBase(root, x.Index.Rel, x.Outer), Index: x.Index, Clauses: x.Clauses,
		OrderBys: x.OrderBys, OrderByCols: x.OrderByCols, Direction: x.Direction, IndexOnly: x.IndexOnly,
	}
	p.PathKeys = x.Keys
	costIndex(root, p, x.LoopCount, x.Partial)
	return p
}

// costIndex sets the cost of an index path (cost_index, costsize.c).
func costIndex(root *rel.PlannerInfo, p *rel.IndexPath, loopCount float64, partial bool) {
	index, rl := p.Index, p.Parent
	params := cost.ParamsOf(root.Global)
	filter := nonIndexConditions(index.RestrictClauses, p.Clauses)
	rows := rl.Rows
	if p.Param != nil {
		rows = p.Param.Rows
		filter = append(filter, nonIndexConditions(p.Param.Clauses, p.Clauses)...)
	}
	search := searchCost(root, p, loopCount)
	p.IndexTotal, p.Selectivity = search.Total, search.Selectivity
	f := cost.IndexFetch{
		Scan: cost.Scan{
			Rows: rows, Pages: rl.Pages, Tuples: rl.Tuples, Target: p.Target.Cost,
			Qual: cost.QualEval(root.Global, filter),
		},
		Search: search, IndexPages: index.Pages, LoopCount: loopCount, IndexOnly: p.IndexOnly,
		AllVisible: rl.AllVisFrac, TotalTablePages: root.TotalTablePages,
	}
	if partial {
		f.Parallel = func(heap, pages float64) int {
			return ComputeParallelWorker(root, rl, heap, pages, params.MaxParallelWorkersPerGather)
		}
	}
	e, workers := cost.Index(params, f)
	e.Set(&p.PathBase)
	if partial && workers > 0 {
		p.ParallelWorkers, p.ParallelAware = workers, true
	}
}

// nonIndexConditions are the clauses that the index scan must still check
// (extract_nonindex_conditions, costsize.c).
func nonIndexConditions(quals []*rel.RestrictInfo, clauses []*rel.IndexClause) []*rel.RestrictInfo {
	var out []*rel.RestrictInfo
	for _, r := range quals {
		if !r.PseudoConstant && !prep.IsRedundantWithIndexClauses(r, clauses) {
			out = append(out, r)
		}
	}
	return out
}

// NewBitmapHeap makes a bitmap heap scan (create_bitmap_heap_path).
func NewBitmapHeap(root *rel.PlannerInfo, rl *rel.RelOptInfo, bitmap rel.Path, outer query.Relids, loopCount float64, workers int) *rel.BitmapHeapPath {
	p := &rel.BitmapHeapPath{PathBase: newBase(root, rl, outer), Bitmap: bitmap}
	p.ParallelAware, p.ParallelWorkers = workers > 0, workers
	p.Approx = bitmap.Base().Approx
	costBitmapHeap(root, &p.PathBase, bitmap, loopCount)
	return p
}

func costBitmapHeap(root *rel.PlannerInfo, b *rel.PathBase, bitmap rel.Path, loopCount float64) {
	params := cost.ParamsOf(root.Global)
	rl := b.Parent
	f := cost.BitmapFetch(params, bitmap, rl.Pages, rl.Tuples, loopCount, root.TotalTablePages)
	cost.BitmapHeap(params, scanOf(root, b), f).Set(b)
}

// NewBitmapAnd makes an intersection of bitmaps (create_bitmap_and_path).
func NewBitmapAnd(root *rel.PlannerInfo, rl *rel.RelOptInfo, quals []rel.Path) *rel.BitmapAndPath {
	p := &rel.BitmapAndPath{PathBase: bitmapBase(root, rl, quals), Quals: quals}
	e, sel := cost.BitmapAnd(cost.ParamsOf(root.Global), quals)
	e.Set(&p.PathBase)
	p.Selectivity = sel
	return p
}

// NewBitmapOr makes a union of bitmaps (create_bitmap_or_path).
func NewBitmapOr(root *rel.PlannerInfo, rl *rel.RelOptInfo, quals []rel.Path) *rel.BitmapOrPath {
	p := &rel.BitmapOrPath{PathBase: bitmapBase(root, rl, quals), Quals: quals}
	e, sel := cost.BitmapOr(cost.ParamsOf(root.Global), quals)
	e.Set(&p.PathBase)
	p.Selectivity = sel
	return p
}

func bitmapBase(root *rel.PlannerInfo, rl *rel.RelOptInfo, quals []rel.Path) rel.PathBase {
	var outer query.Relids
	approx := ""
	for _, q := range quals {
		outer = outer.Union(q.Base().RequiredOuter())
		if approx == "" {
			approx = q.Base().Approx
		}
	}
	b := newBase(root, rl, outer)
	b.Approx = approx
	return b
}
