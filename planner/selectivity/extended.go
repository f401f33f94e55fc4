package selectivity

import (
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// Extended statistics (CREATE STATISTICS) are not used yet. Where the server
// would use them, over two or more columns that clauses or groups touch, the
// plan is approximate.

const extendedReason = "extended statistics are not used"

// checkExtended looks for multi-column MCV lists and functional dependencies
// that cover the clauses of a list (statext_clauselist_selectivity,
// extended_stats.c).
func (c *context) checkExtended(clauses []item) {
	list := make([]query.Expr, len(clauses))
	for i, it := range clauses {
		list[i] = it.clause()
	}
	c.checkExtendedExprs(list)
}

func (c *context) checkExtendedOr(or *rel.OrClause) {
	var list []query.Expr
	for _, arm := range or.Arms {
		for _, r := range arm.And {
			list = append(list, r.Clause)
		}
	}
	c.checkExtendedExprs(list)
}

func (c *context) checkExtendedExprs(list []query.Expr) {
	touched := eval.VarSet{}
	for _, e := range list {
		if e == nil {
			continue
		}
		one := eval.VarSet{}
		for _, x := range eval.PullVars(e, eval.RecurseAggregates|eval.RecurseWindowFuncs|eval.RecursePlaceHolders) {
			if v, ok := x.(*query.Var); ok {
				one.Add(v.VarNo, v.AttNo)
			}
		}
		if len(one) == 1 {
			touched.AddAll(one)
		}
	}
	for i := range touched {
		b := baseRel(c.root, i)
		if b == nil {
			continue
		}
		for _, x := range b.ExtStats {
			if strings.ContainsAny(kinds(x), "mf") && covers(x, i, touched) {
				c.approximate(extendedReason)
			}
		}
	}
}

// kinds is pg_statistic_ext.stxkind; where it is not known, everything.
func kinds(x *stats.ExtendedFacts) string {
	if x.Kinds == "" {
		return "dfme"
	}
	return x.Kinds
}

// covers reports whether statistics have two of the touched columns, or any
// expression.
func covers(x *stats.ExtendedFacts, varno int, touched eval.VarSet) bool {
	n := 0
	for _, col := range x.Attrs {
		if touched.Has(varno, col) {
			n++
		}
	}
	return n >= 2 || len(x.Exprs) > 0
}

// checkGroupStats looks for multi-column distinct counts of grouped variables
// (estimate_multivariate_ndistinct, selfuncs.c).
func checkGroupStats(root *rel.PlannerInfo, vars []*groupVar) {
	b := vars[0].rel
	if b == nil || len(vars) < 2 {
		return
	}
	var cols []int
	other := 0
	for _, v := range vars {
		if x, ok := v.expr.(*query.Var); ok {
			cols = append(cols, x.AttNo)
		} else {
			other++
		}
	}
	for _, x := range b.ExtStats {
		if !strings.Contains(kinds(x), "d") {
			continue
		}
		n := 0
		for _, col := range x.Attrs {
			if slices.Contains(cols, col) {
				n++
			}
		}
		if n >= 2 || len(x.Exprs) > 0 && other > 0 {
			root.Global.Approximate(extendedReason)
		}
	}
}
