package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/rel"
)

// SetTargetCostWidth computes a target's cost and width and returns it
// (set_pathtarget_cost_width, costsize.c).
func SetTargetCostWidth(root *rel.PlannerInfo, t *rel.PathTarget) *rel.PathTarget {
	t.Cost = rel.QualCost{}
	width := 0
	for _, e := range t.Exprs {
		width += ExprWidth(root, e)
		if _, ok := e.(*query.Var); ok {
			continue
		}
		c := cost.QualEvalNode(root.Global, e)
		t.Cost.Startup += c.Startup
		t.Cost.PerTuple += c.PerTuple
	}
	t.Width = cost.ClampWidth(width)
	return t
}

// ExprWidth estimates the bytes of a value: a column's by its statistics,
// anything else's by its type (get_expr_width; in 15 and 16 the same inline).
func ExprWidth(root *rel.PlannerInfo, e query.Expr) int {
	if v, ok := e.(*query.Var); ok && v.VarNo > 0 && v.VarNo < len(root.Rels) {
		if rl := root.Rels[v.VarNo]; rl != nil && v.AttNo >= rl.MinAttr && v.AttNo <= rl.MaxAttr {
			if w := rl.AttrWidths[v.AttNo-rl.MinAttr]; w > 0 {
				return w
			}
		}
	}
	return cost.TypeWidth(root.Global.Catalog, e.ResultType(), e.ResultTypmod())
}

// MakeTarget makes a target of a target list, without cost and width
// (make_pathtarget_from_tlist).
func MakeTarget(list []*query.TargetEntry) *rel.PathTarget {
	t := &rel.PathTarget{}
	for _, te := range list {
		t.Exprs = append(t.Exprs, te.Expr)
		t.SortRefs = append(t.SortRefs, te.SortGroupRef)
	}
	return t
}

// MakeTargetCosted is create_pathtarget: [MakeTarget] with cost and width.
func MakeTargetCosted(root *rel.PlannerInfo, list []*query.TargetEntry) *rel.PathTarget {
	return SetTargetCostWidth(root, MakeTarget(list))
}

// CopyTarget returns a target that can be appended to.
func CopyTarget(t *rel.PathTarget) *rel.PathTarget {
	c := *t
	c.Exprs = append([]query.Expr(nil), t.Exprs...)
	c.SortRefs = append([]int(nil), t.SortRefs...)
	return &c
}

// SortRef returns the sort reference of the i-th expression, 0 for none.
func SortRef(t *rel.PathTarget, i int) int {
	if i < len(t.SortRefs) {
		return t.SortRefs[i]
	}
	return 0
}

// AddToTarget appends an expression with its sort reference
// (add_column_to_pathtarget).
func AddToTarget(t *rel.PathTarget, e query.Expr, sortRef int) {
	if sortRef != 0 || t.SortRefs != nil {
		for len(t.SortRefs) < len(t.Exprs) {
			t.SortRefs = append(t.SortRefs, 0)
		}
		t.SortRefs = append(t.SortRefs, sortRef)
	}
	t.Exprs = append(t.Exprs, e)
}

// AddNewToTarget appends an expression unless it is there
// (add_new_column_to_pathtarget).
func AddNewToTarget(t *rel.PathTarget, e query.Expr) {
	for _, x := range t.Exprs {
		if query.Equal(x, e) {
			return
		}
	}
	AddToTarget(t, e, 0)
}
