package path

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// SetBaseRelConsiderStartup lets a cheap start count for the inner side of semi
// and anti joins, of which only the first row is fetched
// (set_base_rel_consider_startup, allpaths.c).
func SetBaseRelConsiderStartup(root *rel.PlannerInfo) {
	for _, sj := range root.JoinInfoList {
		if sj.Type != query.JoinSemi && sj.Type != query.JoinAnti {
			continue
		}
		if i, one := sj.SynRight.Single(); one && root.Rels[i] != nil {
			root.Rels[i].ConsiderParamStartup = true
		}
	}
}

// SetBaseRelSizes estimates the size of every base relation; subqueries and
// CTEs get their paths at once (set_base_rel_sizes, allpaths.c).
func SetBaseRelSizes(root *rel.PlannerInfo) {
	for i := 1; i < len(root.Rels); i++ {
		rl := root.Rels[i]
		if rl == nil || rl.Kind != rel.BaseRel {
			continue
		}
		if root.Global.ParallelModeOK {
			setRelConsiderParallel(root, rl)
		}
		setRelSize(root, rl)
	}
}

// SetBaseRelPathLists makes the paths of every base relation
// (set_base_rel_pathlists, allpaths.c).
func SetBaseRelPathLists(root *rel.PlannerInfo) {
	for i := 1; i < len(root.Rels); i++ {
		if rl := root.Rels[i]; rl != nil && rl.Kind == rel.BaseRel {
			setRelPathList(root, rl)
		}
	}
}

// inherits reports whether a range table entry is an append relation: a
// partitioned table, or a pulled-up UNION ALL. Of tables without children the
// flag does not count (expand_inherited_rtentry clears it).
func inherits(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	rte := root.RTEs[rl.Index]
	switch rte.Kind {
	case query.RTERelation:
		return prep.HasChildren(root.Global.Catalog, rte)
	case query.RTESubquery:
		return rte.Inherit
	}
	return false
}

func setRelSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	if rl.Kind == rel.BaseRel && ExcludedByConstraints(root, rl) {
		SetDummyRel(root, rl)
		return
	}
	if inherits(root, rl) {
		setAppendRelSize(root, rl)
		return
	}
	switch rl.RTEKind {
	case query.RTERelation:
		setTableSize(root, rl)
	case query.RTESubquery:
		setSubqueryPathList(root, rl)
	case query.RTEFunction:
		setFunctionSize(root, rl)
	case query.RTETableFunc:
		setTableFuncSize(root, rl)
	case query.RTEValues:
		rl.Tuples = float64(len(rte.Values))
		SetBaseRelSizeEstimates(root, rl)
	case query.RTECTE:
		if rte.SelfRef {
			setWorkTablePathList(root, rl)
		} else {
			setCTEPathList(root, rl)
		}
	case query.RTEResult:
		rl.Tuples = 1
		SetBaseRelSizeEstimates(root, rl)
		AddPath(rl, NewResultScan(root, rl, rl.LateralRelids))
	default:
		root.Global.NotSupported("a transition table")
		SetDummyRel(root, rl)
	}
}

func setTableSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	prep.NoteUnreadIndexes(root, rl)
	rte := root.RTEs[rl.Index]
	switch {
	case rl.Table.Kind == catalog.KindPartitioned:
		// Without ONLY it would have been expanded; itself it holds nothing.
		SetDummyRel(root, rl)
		return
	case rte.Sample != nil:
		setSampleSize(root, rl)
		return
	}
	checkIndexPredicates(root, rl)
	SetBaseRelSizeEstimates(root, rl)
}

func setRelPathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	switch {
	case rl.Dummy:
	case inherits(root, rl):
		setAppendRelPathList(root, rl)
	case rl.RTEKind == query.RTERelation && rte.Sample != nil:
		setSamplePathList(root, rl)
	case rl.RTEKind == query.RTERelation:
		setPlainRelPathList(root, rl)
	case rl.RTEKind == query.RTEFunction:
		setFunctionPathList(root, rl)
	case rl.RTEKind == query.RTETableFunc:
		AddPath(rl, NewTableFuncScan(root, rl, rl.LateralRelids))
	case rl.RTEKind == query.RTEValues:
		AddPath(rl, NewValuesScan(root, rl, rl.LateralRelids))
	}
	// The topmost relation gathers only after its final target is known.
	if rl.Kind == rel.BaseRel && rl.Relids != root.AllQueryRels {
		GenerateUsefulGatherPaths(root, rl, false)
	}
	SetCheapest(rl)
}

// SetDummyRel makes a relation proved empty (set_dummy_rel_pathlist,
// mark_dummy_rel).
func SetDummyRel(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rl.Dummy = true
	rl.Rows = 0
	rl.Target.Width = 0
	rl.Paths, rl.PartialPaths = nil, nil
	AddPath(rl, NewDummy(root, rl))
	SetCheapest(rl)
}

// setRelConsiderParallel decides whether workers may scan a relation
// (set_rel_consider_parallel).
func setRelConsiderParallel(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	safe := func(list []query.Expr) bool {
		for _, e := range list {
			if !eval.ParallelSafeIn(root, e) {
				return false
			}
		}
		return true
	}
	switch rte.Kind {
	case query.RTERelation:
		if rl.Table.Temp || rl.Table.Kind == catalog.KindForeign {
			return
		}
		if rte.Sample != nil {
			if f := root.Global.Catalog.Func(rte.Sample.Handler); f == nil || f.Parallel != 's' || !safe(rte.Sample.Args) {
				return
			}
		}
	case query.RTESubquery:
		if rte.Subquery != nil && LimitNeeded(rte.Subquery) {
			return
		}
	case query.RTEFunction:
		for _, f := range rte.Functions {
			if !eval.ParallelSafeIn(root, f.Expr) {
				return
			}
		}
	case query.RTEValues:
		for _, row := range rte.Values {
			if !safe(row) {
				return
			}
		}
	case query.RTEResult:
	default:
		return
	}
	for _, r := range rl.BaseRestrict {
		if !eval.ParallelSafeIn(root, r.Clause) {
			return
		}
	}
	rl.ConsiderParallel = safe(rl.Target.Exprs)
}

// LimitNeeded reports whether LIMIT and OFFSET of a query do anything
// (limit_needed, planner.c).
func LimitNeeded(q *query.Query) bool {
	if q.LimitCount != nil {
		if c, ok := q.LimitCount.(*query.Const); !ok || !c.Null {
			return true
		}
	}
	if q.LimitOffset != nil {
		c, ok := q.LimitOffset.(*query.Const)
		return !ok || !c.Null && c.Value != "0"
	}
	return false
}

func setPlainRelPathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	outer := rl.LateralRelids
	AddPath(rl, NewSeqScan(root, rl, outer, 0))
	if rl.ConsiderParallel && outer.IsEmpty() {
		createPlainPartialPaths(root, rl)
	}
	createIndexPaths(root, rl)
	createTidScanPaths(root, rl)
}

func createPlainPartialPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	limit := cost.ParamsOf(root.Global).MaxParallelWorkersPerGather
	if n := ComputeParallelWorker(root, rl, rl.Pages, -1, limit); n > 0 {
		AddPartialPath(rl, NewSeqScan(root, rl, query.Relids{}, n))
	}
}

// ComputeParallelWorker returns how many workers a scan of so many heap and
// index pages is worth, -1 standing for no such pages: one for the minimum, one
// more for each threefold (compute_parallel_worker, allpaths.c).
func ComputeParallelWorker(root *rel.PlannerInfo, rl *rel.RelOptInfo, heap, index float64, limit int) int {
	p := cost.ParamsOf(root.Global)
	if rl.ParallelWorkers != -1 {
		return min(rl.ParallelWorkers, limit)
	}
	if rl.Kind == rel.BaseRel &&
		(heap >= 0 && heap < p.MinParallelTableScanSize || index >= 0 && index < p.MinParallelIndexScanSize) {
		return 0
	}
	steps := func(pages, least float64) int {
		n := 1
		threshold := max(least, 1)
		for pages >= threshold*3 {
			n++
			threshold *= 3
			if threshold > 2147483647/3 {
				break
			}
		}
		return n
	}
	n := 0
	if heap >= 0 {
		n = steps(heap, p.MinParallelTableScanSize)
	}
	if index >= 0 {
		m := steps(index, p.MinParallelIndexScanSize)
		if n > 0 {
			m = min(m, n)
		}
		n = m
	}
	return min(n, limit)
}

// setFunctionPathList makes a function scan; WITH ORDINALITY gives an order
// (set_function_pathlist).
func setFunctionPathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	var keys []*rel.PathKey
	if root.RTEs[rl.Index].Ordinality {
		for _, e := range rl.Target.Exprs {
			if v, ok := e.(*query.Var); ok && v.AttNo == rl.MaxAttr && v.VarNo == rl.Index && v.LevelsUp == 0 {
				less, _ := root.Global.Catalog.SortOps(pgtype.Int8OID)
				keys = prep.BuildExpressionPathKey(root, v, less, rl.Relids, false)
				break
			}
		}
	}
	AddPath(rl, NewFunctionScan(root, rl, keys, rl.LateralRelids))
}

// setCTEPathList makes a scan of a CTE that was planned on this level or above
// (set_cte_pathlist).
func setCTEPathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	at := root
	for range rte.CTELevels {
		if at != nil {
			at = at.Parent
		}
	}
	id := 0
	if at != nil {
		for i, c := range at.Parse.CTEs {
			if c.Name == rte.CTEName && i < len(at.CTEPlanIDs) {
				id = at.CTEPlanIDs[i]
				break
			}
		}
	}
	if id <= 0 || id > len(root.Global.Subplans) || root.Global.Subplans[id-1].Path == nil {
		root.Global.NotSupported("the CTE " + rte.CTEName)
		SetDummyRel(root, rl)
		return
	}
	sub := root.Global.Subplans[id-1]
	b := sub.Path.Base()
	setCTESize(root, rl, b.Rows)
	var keys []*rel.PathKey
	if root.Global.Version(17) {
		keys = prep.ConvertSubqueryPathKeys(root, rl, b.PathKeys, sub.Root.ProcessedTargetList)
	}
	AddPath(rl, NewCTEScan(root, rl, id, keys, rl.LateralRelids))
}

// setWorkTablePathList makes a scan of the rows of the last round of a recursive
// CTE (set_worktable_pathlist).
func setWorkTablePathList(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rte := root.RTEs[rl.Index]
	at := root
	for range rte.CTELevels - 1 {
		if at != nil {
			at = at.Parent
		}
	}
	if at == nil || at.NonRecursivePath == nil {
		root.Global.NotSupported("the recursive CTE " + rte.CTEName)
		SetDummyRel(root, rl)
		return
	}
	setCTESize(root, rl, at.NonRecursivePath.Base().Rows)
	AddPath(rl, NewWorkTableScan(root, rl, rl.LateralRelids))
}
