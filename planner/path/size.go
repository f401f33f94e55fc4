package path

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// SetBaseRelSizeEstimates estimates the rows of a base relation that pass its
// restrictions, their cost, and the width of a row; the relation's tuples are
// known (set_baserel_size_estimates, costsize.c).
func SetBaseRelSizeEstimates(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rl.Rows = cost.ClampRows(rl.Tuples * selectivity.Clauselist(root, rl.BaseRestrict, 0, query.JoinInner, nil))
	rl.BaseRestrictCost = cost.QualEval(root.Global, rl.BaseRestrict)
	setRelWidth(root, rl)
}

// ParameterizedBaseRelSize estimates the rows of a scan to which outer relations
// supply the values of join clauses (get_parameterized_baserel_size,
// costsize.c).
func ParameterizedBaseRelSize(root *rel.PlannerInfo, rl *rel.RelOptInfo, clauses []*rel.RestrictInfo) float64 {
	all := append(append([]*rel.RestrictInfo(nil), clauses...), rl.BaseRestrict...)
	rows := cost.ClampRows(rl.Tuples * selectivity.Clauselist(root, all, rl.Index, query.JoinInner, nil))
	return min(rows, rl.Rows)
}

// columnWidth is the average width of a table's column by its statistics, 0
// where there are none (get_attavgwidth, lsyscache.c).
func columnWidth(root *rel.PlannerInfo, rl *rel.RelOptInfo, attno int) int {
	if rl.Table == nil || attno <= 0 {
		return 0
	}
	f := root.Global.Stats.Column(rl.Table.OID, attno, false)
	if f.Column == nil {
		return 0
	}
	return f.Width
}

// setRelWidth sets the width of a relation's rows and the cost of its output
// expressions (set_rel_width, costsize.c).
func setRelWidth(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	cat := root.Global.Catalog
	t := rl.Target
	t.Cost = rel.QualCost{}
	width, whole := 0, false
	add := func(c rel.QualCost) {
		t.Cost.Startup += c.Startup
		t.Cost.PerTuple += c.PerTuple
	}
	for _, e := range t.Exprs {
		switch n := e.(type) {
		case *query.Var:
			if n.VarNo != rl.Index {
				break
			}
			if n.AttNo == 0 {
				whole = true
				continue
			}
			at := n.AttNo - rl.MinAttr
			if rl.AttrWidths[at] <= 0 {
				if rl.AttrWidths[at] = columnWidth(root, rl, n.AttNo); rl.AttrWidths[at] <= 0 {
					rl.AttrWidths[at] = cost.TypeWidth(cat, n.Typ, n.Mod)
				}
			}
			width += rl.AttrWidths[at]
			continue
		case *query.PlaceHolderVar:
			width += prep.FindPlaceHolder(root, n).Width
			add(cost.QualEvalNode(root.Global, n.Arg))
			continue
		}
		width += cost.TypeWidth(cat, e.ResultType(), e.ResultTypmod())
		add(cost.QualEvalNode(root.Global, e))
	}
	if whole {
		w := wholeRowWidth(root, rl)
		rl.AttrWidths[-rl.MinAttr] = cost.ClampWidth(w)
		width += w
	}
	t.Width = cost.ClampWidth(width)
}

// wholeRowWidth is the width of a relation's row as one value: a tuple header
// and all columns.
func wholeRowWidth(root *rel.PlannerInfo, rl *rel.RelOptInfo) int {
	w := 24
	if rl.Table == nil {
		for i := 1; i <= rl.MaxAttr; i++ {
			w += rl.AttrWidths[i-rl.MinAttr]
		}
		return w
	}
	// get_rel_data_width (plancat.c).
	for _, c := range rl.Table.Columns {
		if c.Dropped {
			continue
		}
		cw := rl.AttrWidths[c.Number-rl.MinAttr]
		if cw <= 0 {
			if cw = columnWidth(root, rl, c.Number); cw <= 0 {
				cw = cost.TypeWidth(root.Global.Catalog, c.Type, c.Typmod)
			}
			rl.AttrWidths[c.Number-rl.MinAttr] = cw
		}
		w += cw
	}
	return w
}

// setSubquerySize takes the rows and widths of a planned subquery
// (set_subquery_size_estimates, costsize.c).
func setSubquerySize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	sub := rl.SubRoot
	final := prep.FetchUpperRel(sub, rel.UpperFinal, query.Relids{})
	rl.Tuples = final.CheapestTotal.Base().Rows
	for _, te := range sub.Parse.TargetList {
		if te.Junk || te.ResNo < rl.MinAttr || te.ResNo > rl.MaxAttr {
			continue
		}
		width := 0
		if v, ok := te.Expr.(*query.Var); ok && sub.Parse.SetOperations == nil && v.VarNo < len(sub.Rels) {
			if below := sub.Rels[v.VarNo]; below != nil && v.AttNo >= below.MinAttr && v.AttNo <= below.MaxAttr {
				width = below.AttrWidths[v.AttNo-below.MinAttr]
			}
		}
		rl.AttrWidths[te.ResNo-rl.MinAttr] = width
	}
	SetBaseRelSizeEstimates(root, rl)
}

// setFunctionSize takes the largest number of rows that one of the functions
// returns (set_function_size_estimates, costsize.c).
func setFunctionSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rl.Tuples = 0
	for _, f := range root.RTEs[rl.Index].Functions {
		rl.Tuples = max(rl.Tuples, ReturnsSetRows(root, f.Expr))
	}
	SetBaseRelSizeEstimates(root, rl)
}

// setTableFuncSize assumes a hundred rows (set_tablefunc_size_estimates,
// costsize.c).
func setTableFuncSize(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	rl.Tuples = 100
	SetBaseRelSizeEstimates(root, rl)
}

// setCTESize takes the rows of a CTE's plan; a recursive reference is thought to
// see several times those of the non-recursive term (set_cte_size_estimates,
// costsize.c).
func setCTESize(root *rel.PlannerInfo, rl *rel.RelOptInfo, rows float64) {
	rl.Tuples = rows
	if root.RTEs[rl.Index].SelfRef {
		rl.Tuples = cost.ClampRows(cost.ParamsOf(root.Global).RecursiveWorktableFactor * rows)
	}
	SetBaseRelSizeEstimates(root, rl)
}

// ReturnsSetRows estimates the number of rows of an expression: 1 unless it is
// itself a set-returning call (expression_returns_set_rows, clauses.c).
func ReturnsSetRows(root *rel.PlannerInfo, e query.Expr) float64 {
	switch n := e.(type) {
	case *query.FuncExpr:
		if n.RetSet {
			return cost.ClampRows(selectivity.FunctionRows(root, n))
		}
	case *query.OpExpr:
		if f := root.Global.Catalog.Func(n.Func); n.RetSet && f != nil {
			return cost.ClampRows(f.Rows)
		}
	}
	return 1
}
