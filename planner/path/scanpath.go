package path

import (
	"math"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// paramInfo is the parameterisation of a base relation's path by outer
// relations.
func paramInfo(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) *rel.ParamPathInfo {
	return prep.GetBaseRelParamPathInfo(root, rl, outer, func(clauses []*rel.RestrictInfo) float64 {
		return ParameterizedBaseRelSize(root, rl, clauses)
	})
}

// newBase is the start of a scan of a base relation.
func newBase(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) rel.PathBase {
	return rel.PathBase{
		Parent: rl, Target: rl.Target, Param: paramInfo(root, rl, outer), ParallelSafe: rl.ConsiderParallel,
	}
}

// restrictionCost is the cost of a scan's quals (get_restriction_qual_cost,
// costsize.c).
func restrictionCost(root *rel.PlannerInfo, rl *rel.RelOptInfo, param *rel.ParamPathInfo) rel.QualCost {
	if param == nil {
		return rl.BaseRestrictCost
	}
	c := cost.QualEval(root.Global, param.Clauses)
	c.Startup += rl.BaseRestrictCost.Startup
	c.PerTuple += rl.BaseRestrictCost.PerTuple
	return c
}

// scanOf collects what a scan's cost depends on.
func scanOf(root *rel.PlannerInfo, b *rel.PathBase) cost.Scan {
	rl := b.Parent
	s := cost.Scan{
		Rows: rl.Rows, Pages: rl.Pages, Tuples: rl.Tuples, Target: b.Target.Cost,
		Qual: restrictionCost(root, rl, b.Param), Workers: b.ParallelWorkers,
	}
	if b.Param != nil {
		s.Rows = b.Param.Rows
	}
	return s
}

// NewSeqScan makes a sequential scan; with workers a partial one
// (create_seqscan_path).
func NewSeqScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids, workers int) *rel.SeqScanPath {
	p := &rel.SeqScanPath{PathBase: newBase(root, rl, outer)}
	p.ParallelAware, p.ParallelWorkers = workers > 0, workers
	cost.SeqScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase)).Set(&p.PathBase)
	return p
}

// NewSampleScan makes a TABLESAMPLE scan (create_samplescan_path). random says
// that the method chooses blocks.
func NewSampleScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids, random bool) *rel.SampleScanPath {
	p := &rel.SampleScanPath{PathBase: newBase(root, rl, outer)}
	cost.SampleScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase), random).Set(&p.PathBase)
	return p
}

// NewFunctionScan makes a scan of functions in FROM (create_functionscan_path).
func NewFunctionScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, keys []*rel.PathKey, outer query.Relids) *rel.FunctionScanPath {
	p := &rel.FunctionScanPath{PathBase: newBase(root, rl, outer)}
	p.PathKeys = keys
	var calls []query.Expr
	for _, f := range root.RTEs[rl.Index].Functions {
		calls = append(calls, f.Expr)
	}
	c := cost.QualEvalExprs(root.Global, calls)
	cost.FunctionScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase), c).Set(&p.PathBase)
	return p
}

// NewTableFuncScan makes a scan of XMLTABLE or JSON_TABLE
// (create_tablefuncscan_path).
func NewTableFuncScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) *rel.TableFuncScanPath {
	p := &rel.TableFuncScanPath{PathBase: newBase(root, rl, outer)}
	f := root.RTEs[rl.Index].TableFunc
	var parts []query.Expr
	parts = append(parts, f.NamespaceURIs...)
	parts = append(parts, f.DocExpr, f.RowExpr)
	parts = append(parts, f.ColExprs...)
	parts = append(parts, f.ColDefaults...)
	c := cost.QualEvalExprs(root.Global, parts)
	cost.FunctionScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase), c).Set(&p.PathBase)
	return p
}

// NewValuesScan makes a scan of a VALUES list (create_valuesscan_path).
func NewValuesScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) *rel.ValuesScanPath {
	p := &rel.ValuesScanPath{PathBase: newBase(root, rl, outer)}
	cost.ValuesScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase)).Set(&p.PathBase)
	return p
}

// NewCTEScan makes a scan of a CTE by its subplan's number
// (create_ctescan_path).
func NewCTEScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, planID int, keys []*rel.PathKey, outer query.Relids) *rel.CteScanPath {
	p := &rel.CteScanPath{PathBase: newBase(root, rl, outer), PlanID: planID}
	p.PathKeys = keys
	cost.CTEScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase)).Set(&p.PathBase)
	return p
}

// NewWorkTableScan makes a scan of a recursive term's own rows
// (create_worktablescan_path).
func NewWorkTableScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) *rel.WorkTableScanPath {
	p := &rel.WorkTableScanPath{PathBase: newBase(root, rl, outer)}
	cost.CTEScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase)).Set(&p.PathBase)
	return p
}

// NewResultScan makes a scan of a relation of one empty row
// (create_resultscan_path).
func NewResultScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, outer query.Relids) *rel.ResultPath {
	p := &rel.ResultPath{PathBase: newBase(root, rl, outer)}
	cost.ResultScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase)).Set(&p.PathBase)
	return p
}

// NewSubqueryScan makes a scan of a subquery's path (create_subqueryscan_path).
// trivial says that the scan passes on all columns as they are.
func NewSubqueryScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, trivial bool, keys []*rel.PathKey, outer query.Relids) *rel.SubqueryScanPath {
	p := &rel.SubqueryScanPath{PathBase: newBase(root, rl, outer), Sub: sub}
	b := sub.Base()
	p.ParallelSafe = rl.ConsiderParallel && b.ParallelSafe
	p.ParallelWorkers = b.ParallelWorkers
	p.PathKeys = keys
	p.Approx = b.Approx
	quals := rl.BaseRestrict
	if p.Param != nil {
		quals = append(append([]*rel.RestrictInfo(nil), p.Param.Clauses...), quals...)
	}
	s := scanOf(root, &p.PathBase)
	s.Rows = cost.ClampRows(b.Rows * selectivity.Clauselist(root, quals, 0, query.JoinInner, nil))
	free := trivial && len(quals) == 0
	cost.SubqueryScan(cost.ParamsOf(root.Global), s, cost.EstimateOf(sub), free).Set(&p.PathBase)
	return p
}

// NewTidScan makes a scan by ctid (create_tidscan_path).
func NewTidScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, quals []*rel.RestrictInfo, outer query.Relids) *rel.TidPath {
	p := &rel.TidPath{PathBase: newBase(root, rl, outer), Quals: quals}
	tuples := 0.0
	for _, r := range quals {
		if n, ok := r.Clause.(*query.ScalarArrayOpExpr); ok {
			tuples += selectivity.ArrayLength(root, n.Args[1])
			continue
		}
		if _, ok := r.Clause.(*query.CurrentOfExpr); ok {
			root.Global.NotSupported("WHERE CURRENT OF")
		}
		tuples++
	}
	c := cost.QualEval(root.Global, quals)
	cost.TidScan(cost.ParamsOf(root.Global), scanOf(root, &p.PathBase), tuples, c).Set(&p.PathBase)
	return p
}

// NewTidRangeScan makes a scan of a range of blocks (create_tidrangescan_path).
func NewTidRangeScan(root *rel.PlannerInfo, rl *rel.RelOptInfo, quals []*rel.RestrictInfo, outer query.Relids) *rel.TidPath {
	p := &rel.TidPath{PathBase: newBase(root, rl, outer), Quals: quals, Range: true}
	sel := selectivity.Clauselist(root, quals, rl.Index, query.JoinInner, nil)
	pages := math.Ceil(sel * rl.Pages)
	if pages <= 0 {
		pages = 1
	}
	c := cost.QualEval(root.Global, quals)
	s := scanOf(root, &p.PathBase)
	cost.TidRangeScan(cost.ParamsOf(root.Global), s, pages, sel*rl.Tuples, c).Set(&p.PathBase)
	return p
}
