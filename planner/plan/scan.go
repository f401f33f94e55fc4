package plan

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// scan makes the plan of a scan (create_scan_plan).
func (c *creator) scan(root *rel.PlannerInfo, p rel.Path, want demand) *Node {
	b := p.Base()
	rl := b.Parent
	clauses := rl.BaseRestrict
	if x, ok := p.(*rel.IndexPath); ok {
		clauses = x.Index.RestrictClauses
	}
	if b.Param != nil {
		clauses = append(slices.Clone(clauses), b.Param.Clauses...)
	}
	gating := c.gatingQuals(root, clauses)
	if len(gating) > 0 {
		want = 0
	}
	list := c.scanList(root, p, want)

	var n *Node
	switch p := p.(type) {
	case *rel.IndexPath:
		n = c.indexScan(root, p, clauses)
	case *rel.BitmapHeapPath:
		n = c.bitmapScan(root, p, clauses)
	case *rel.TidPath:
		n = c.tidScan(root, p, clauses)
	case *rel.SubqueryScanPath:
		n = c.node(SubqueryScan, root, p)
		n.sub = c.level(rl.SubRoot, p.Sub)
		if b.Param != nil {
			c.subqueryParams(root, rl.SubParams)
		}
		n.filter = c.scanFilter(root, b, clauses)
	case *rel.ResultPath:
		n = c.node(Result, root, p)
		n.oneTime = c.scanFilter(root, b, clauses)
		if len(p.Quals) > 0 {
			n.oneTime = append(c.replaceFor(root, b, c.orderExprs(p.Quals)), n.oneTime...)
		}
	case *rel.CteScanPath:
		n = c.node(CteScan, root, p)
		n.planID = p.PlanID
		n.filter = c.scanFilter(root, b, clauses)
	default:
		n = c.node(scanKind(p), root, p)
		n.filter = c.scanFilter(root, b, clauses)
		n.others = c.replaceFor(root, b, scanExprs(root.RTEs[rl.Index]))
	}
	n.tlist = list
	n.scanRel = rl.Index
	n.Rel, n.RTE = rl, root.RTEs[rl.Index]
	if len(gating) > 0 {
		return c.gate(root, p, n, gating)
	}
	return n
}

func scanKind(p rel.Path) Kind {
	switch p.(type) {
	case *rel.SampleScanPath:
		return SampleScan
	case *rel.FunctionScanPath:
		return FunctionScan
	case *rel.ValuesScanPath:
		return ValuesScan
	case *rel.TableFuncScanPath:
		return TableFuncScan
	case *rel.WorkTableScanPath:
		return WorkTableScan
	}
	return SeqScan
}

// scanExprs are the expressions that a scan evaluates besides its quals.
func scanExprs(rte *query.RangeTblEntry) []query.Expr {
	var out []query.Expr
	if rte.Sample != nil {
		out = append(out, rte.Sample.Args...)
		if rte.Sample.Repeatable != nil {
			out = append(out, rte.Sample.Repeatable)
		}
	}
	for _, f := range rte.Functions {
		out = append(out, f.Expr)
	}
	for _, row := range rte.Values {
		out = append(out, row...)
	}
	return out
}

// replaceFor is replaceOuterList where the path is parameterised.
func (c *creator) replaceFor(root *rel.PlannerInfo, b *rel.PathBase, list []query.Expr) []query.Expr {
	if b.Param == nil {
		return list
	}
	return c.replaceOuterList(root, list)
}

// scanFilter is the filter of a scan that checks all clauses itself.
func (c *creator) scanFilter(root *rel.PlannerInfo, b *rel.PathBase, clauses []*rel.RestrictInfo) []query.Expr {
	return c.replaceFor(root, b, prep.ExtractActualClauses(c.orderQuals(clauses), false))
}

// indexScan makes an index scan or index-only scan: its filter is what the
// index conditions do not check (create_indexscan_plan).
func (c *creator) indexScan(root *rel.PlannerInfo, p *rel.IndexPath, clauses []*rel.RestrictInfo) *Node {
	kind := IndexScan
	if p.IndexOnly {
		kind = IndexOnlyScan
	}
	n := c.node(kind, root, p)
	n.Rel, n.scanRel = p.Parent, p.Parent.Index
	n.Index = p.Index.Index
	stripped, fixed := c.indexQuals(root, n, p)
	var rest []*rel.RestrictInfo
	for _, r := range clauses {
		if r.PseudoConstant || prep.IsRedundantWithIndexClauses(r, p.Clauses) {
			continue
		}
		if !eval.ContainMutable(c.g.Catalog, r.Clause) && path.PredicateImpliedBy(root, []query.Expr{r.Clause}, stripped, false) {
			continue
		}
		rest = append(rest, r)
	}
	n.filter = c.replaceFor(root, &p.PathBase, prep.ExtractActualClauses(c.orderQuals(rest), false))
	n.indexOrig = c.replaceFor(root, &p.PathBase, stripped)
	n.indexQual = fixed
	n.orderByOrig = c.replaceFor(root, &p.PathBase, p.OrderBys)
	for i, e := range p.OrderBys {
		n.orderBy = append(n.orderBy, c.indexClause(root, n, p.Index, e, p.OrderByCols[i], nil))
	}
	n.indexList = cloneTargets(p.Index.TargetList)
	switch {
	case p.Direction == rel.Backward:
		n.ScanDirection = "Backward"
	case p.Index.SortFamily == nil && !c.g.Version(16):
		// Until 15 an unordered index is scanned in no direction
		// (build_index_paths, indxpath.c).
		n.ScanDirection = "NoMovement"
	default:
		n.ScanDirection = "Forward"
	}
	return n
}

// indexQuals are the conditions that the index checks, over the table's columns
// and over the index's (fix_indexqual_references).
func (c *creator) indexQuals(root *rel.PlannerInfo, n *Node, p *rel.IndexPath) (stripped, fixed []query.Expr) {
	for _, ic := range p.Clauses {
		for _, q := range ic.Quals {
			stripped = append(stripped, q.Clause)
			fixed = append(fixed, c.indexClause(root, n, p.Index, q.Clause, ic.Column, ic.Cols))
		}
	}
	return stripped, fixed
}

// indexClause puts the index's column in place of the indexed expression
// (fix_indexqual_clause).
func (c *creator) indexClause(root *rel.PlannerInfo, n *Node, x *rel.IndexOptInfo, e query.Expr, col int, cols []int) query.Expr {
	e = c.replaceOuter(root, e)
	switch q := e.(type) {
	case *query.OpExpr:
		o := *q
		o.Args = slices.Clone(q.Args)
		o.Args[0] = indexOperand(n, x, o.Args[0], col)
		return &o
	case *query.ScalarArrayOpExpr:
		o := *q
		o.Args[0] = indexOperand(n, x, o.Args[0], col)
		return &o
	case *query.NullTest:
		o := *q
		o.Arg = indexOperand(n, x, o.Arg, col)
		return &o
	case *query.RowCompareExpr:
		o := *q
		o.Left = slices.Clone(q.Left)
		for i := range o.Left {
			at := col
			if i < len(cols) {
				at = cols[i]
			}
			o.Left[i] = indexOperand(n, x, o.Left[i], at)
		}
		return &o
	}
	return e
}

// indexOperand is the index's column that an operand stands for
// (fix_indexqual_operand).
func indexOperand(n *Node, x *rel.IndexOptInfo, e query.Expr, col int) query.Expr {
	if r, ok := e.(*query.RelabelType); ok {
		e = r.Arg
	}
	if col >= len(x.TargetList) {
		return e
	}
	return special(n, indexVar, col+1, e)
}

// tidScan makes a scan by ctid (create_tidscan_plan, create_tidrangescan_plan).
func (c *creator) tidScan(root *rel.PlannerInfo, p *rel.TidPath, clauses []*rel.RestrictInfo) *Node {
	kind := TidScan
	if p.Range {
		kind = TidRangeScan
	}
	n := c.node(kind, root, p)
	if p.Range || len(p.Quals) == 1 {
		clauses = slices.DeleteFunc(slices.Clone(clauses), func(r *rel.RestrictInfo) bool {
			return r.PseudoConstant || slices.Contains(p.Quals, r) || !p.Range && prep.IsRedundantDerivedClause(r, p.Quals)
		})
	}
	n.tidQual = prep.ExtractActualClauses(p.Quals, false)
	n.filter = prep.ExtractActualClauses(c.orderQuals(clauses), false)
	if !p.Range && len(n.tidQual) > 1 {
		n.filter = without(n.filter, []query.Expr{eval.MakeOr(n.tidQual)})
	}
	n.tidQual = c.replaceFor(root, &p.PathBase, n.tidQual)
	n.filter = c.replaceFor(root, &p.PathBase, n.filter)
	return n
}
