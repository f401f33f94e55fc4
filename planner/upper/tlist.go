package upper

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// sortable reports whether rows can be grouped by clauses by sorting
// (grouping_is_sortable, tlist.c).
func sortable(clauses []*query.SortGroupClause) bool {
	for _, c := range clauses {
		if c.SortOp == 0 {
			return false
		}
	}
	return true
}

// hashable reports whether rows can be grouped by clauses by hashing
// (grouping_is_hashable, tlist.c).
func hashable(clauses []*query.SortGroupClause) bool {
	for _, c := range clauses {
		if !c.Hashable {
			return false
		}
	}
	return true
}

// clauseExprs returns the expressions that clauses refer to
// (get_sortgrouplist_exprs, tlist.c).
func clauseExprs(clauses []*query.SortGroupClause, list []*query.TargetEntry) []query.Expr {
	var out []query.Expr
	for _, c := range clauses {
		out = append(out, prep.SortClauseExpr(c, list))
	}
	return out
}

// clauseByRef returns the clause with a reference, nil if there is none
// (get_sortgroupref_clause_noerr, tlist.c).
func clauseByRef(ref int, clauses []*query.SortGroupClause) *query.SortGroupClause {
	for _, c := range clauses {
		if c.Ref == ref {
			return c
		}
	}
	return nil
}

// inList reports whether a target list has an expression (tlist_member).
func inList(e query.Expr, list []*query.TargetEntry) bool {
	for _, te := range list {
		if query.Equal(te.Expr, e) {
			return true
		}
	}
	return false
}

// parallelSafe reports whether parallel workers may compute expressions.
func parallelSafe(root *rel.PlannerInfo, list []query.Expr) bool {
	for _, e := range list {
		if e != nil && !eval.ParallelSafeIn(root, e) {
			return false
		}
	}
	return true
}

// having is HAVING as a list of conditions, AND-ed.
func having(root *rel.PlannerInfo) []query.Expr {
	if root.Parse.Having == nil {
		return nil
	}
	return eval.AndList(root.Parse.Having)
}

// hasGrouping reports whether a query groups or aggregates.
func hasGrouping(root *rel.PlannerInfo) bool {
	q := root.Parse
	return len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.HasAggs || root.HasHavingQual
}
