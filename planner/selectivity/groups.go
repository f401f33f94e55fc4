package selectivity

import (
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// groupVar is a variable that rows are grouped by (GroupVarInfo, selfuncs.c).
type groupVar struct {
	expr      query.Expr
	rel       *rel.RelOptInfo
	nd        float64
	isDefault bool
}

// NumGroups estimates into how many groups the given expressions divide rows
// (estimate_num_groups, selfuncs.c).
func NumGroups(root *rel.PlannerInfo, exprs []query.Expr, inputRows float64) float64 {
	n, _ := NumGroupsInfo(root, exprs, inputRows)
	return n
}

// NumGroupsSet is [NumGroups] for one grouping set, given by the positions of
// its members in exprs; an empty set is one group.
func NumGroupsSet(root *rel.PlannerInfo, exprs []query.Expr, set []int, inputRows float64) float64 {
	sub := make([]query.Expr, 0, len(set))
	for i, e := range exprs {
		if slices.Contains(set, i) {
			sub = append(sub, e)
		}
	}
	return NumGroups(root, sub, inputRows)
}

// NumGroupsInfo is [NumGroups] that also tells whether the default number of
// distinct values was used (SELFLAG_USED_DEFAULT).
func NumGroupsInfo(root *rel.PlannerInfo, exprs []query.Expr, inputRows float64) (groups float64, usedDefault bool) {
	inputRows = clampRows(inputRows)
	if len(exprs) == 0 {
		return 1, false
	}
	var vars []*groupVar
	nd, srf := 1.0, 1.0
	for _, e := range exprs {
		srf = math.Max(srf, SetReturningRows(root, e))
		if e.ResultType() == pgtype.BoolOID {
			nd *= 2.0
			continue
		}
		v := Examine(root, e, 0)
		if v.Stats != nil || v.Unique {
			vars = addGroupVar(root, vars, e, v)
			continue
		}
		here := eval.PullVars(e, eval.RecurseAggregates|eval.RecurseWindowFuncs|eval.RecursePlaceHolders)
		if len(here) == 0 {
			if eval.ContainVolatile(root.Global.Catalog, e) {
				return inputRows, usedDefault
			}
			continue
		}
		for _, x := range here {
			vars = addGroupVar(root, vars, x, Examine(root, x, 0))
		}
	}
	for len(vars) > 0 {
		var same, rest []*groupVar
		for _, v := range vars {
			if v.rel == vars[0].rel {
				same = append(same, v)
			} else {
				rest = append(rest, v)
			}
		}
		n, def := relGroups(root, same)
		nd *= n
		usedDefault = usedDefault || def
		vars = rest
	}
	nd *= srf
	nd = math.Ceil(nd)
	return math.Max(math.Min(nd, inputRows), 1), usedDefault
}

// relGroups estimates the groups by variables of one relation.
func relGroups(root *rel.PlannerInfo, vars []*groupVar) (groups float64, usedDefault bool) {
	checkGroupStats(root, vars)
	b := vars[0].rel
	distinct, most := 1.0, 1.0
	for _, v := range vars {
		distinct *= v.nd
		most = math.Max(most, v.nd)
		usedDefault = usedDefault || v.isDefault
	}
	if b == nil || b.Tuples <= 0 {
		return 1, usedDefault
	}
	limit := b.Tuples
	if len(vars) > 1 {
		// Several columns are seldom independent.
		limit *= 0.1
		if limit < most {
			limit = math.Min(most, b.Tuples)
		}
	}
	distinct = math.Min(distinct, limit)
	if distinct > 0 && b.Rows < b.Tuples {
		// The expected number of values among the rows that are left.
		distinct *= 1 - math.Pow((b.Tuples-b.Rows)/b.Tuples, b.Tuples/distinct)
	}
	return clampRows(distinct), usedDefault
}

// addGroupVar adds a variable unless an equal one is there already
// (add_unique_group_var, selfuncs.c).
func addGroupVar(root *rel.PlannerInfo, vars []*groupVar, e query.Expr, v *VarData) []*groupVar {
	nd, isDefault := v.NDistinct()
	e = eval.RemoveNullingRels(e, root.OuterJoins, query.Relids{})
	kept := vars[:0:0]
	for i, x := range vars {
		if query.Equal(e, x.expr) {
			return append(kept, vars[i:]...)
		}
		if v.Rel != x.rel && knownEqual(root, e, x.expr) {
			if x.nd <= nd {
				return append(kept, vars[i:]...)
			}
			continue
		}
		kept = append(kept, x)
	}
	return append(kept, &groupVar{e, v.Rel, nd, isDefault})
}

// knownEqual reports whether an equivalence class has both expressions
// (exprs_known_equal, equivclass.c).
func knownEqual(root *rel.PlannerInfo, a, b query.Expr) bool {
	for _, ec := range root.ECs {
		if ec.HasVolatile || ec.Merged != nil {
			continue
		}
		hasA, hasB := false, false
		for _, m := range ec.Members {
			if m.IsChild {
				continue
			}
			if query.Equal(a, m.Expr) {
				hasA = true
			} else if query.Equal(b, m.Expr) {
				hasB = true
			}
			if hasA && hasB {
				return true
			}
		}
	}
	return false
}

// SetReturningRows is the largest number of rows that a set-returning function
// in e gives, 1 without one (expression_returns_set_rows, clauses.c).
func SetReturningRows(root *rel.PlannerInfo, e query.Expr) float64 {
	rows := 1.0
	query.Walk(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.Aggref, *query.GroupingFunc, *query.WindowFunc:
			return false
		case *query.FuncExpr:
			if n.RetSet {
				rows = math.Max(rows, clampRows(FunctionRows(root, n)))
			}
		case *query.OpExpr:
			if f := root.Global.Catalog.Func(n.Func); n.RetSet && f != nil {
				rows = math.Max(rows, clampRows(f.Rows))
			}
		}
		return true
	})
	return rows
}
