package prep

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// processCTEs plans the WITH queries of a level, or puts them in the place of
// their only reference (SS_process_ctes, subselect.c).
func processCTEs(root *rel.PlannerInfo) {
	g := root.Global
	for _, cte := range root.Parse.CTEs {
		q := cte.Query
		if cte.RefCount == 0 && q.Command == query.CmdSelect {
			root.CTEPlanIDs = append(root.CTEPlanIDs, -1)
			continue
		}
		inline := cte.Materialized == query.CTEMaterializeNever ||
			cte.Materialized == query.CTEMaterializeDefault && cte.RefCount == 1
		if inline && !cte.Recursive && q.Command == query.CmdSelect && !containDML(q) &&
			(cte.RefCount <= 1 || !outerSelfReference(q)) && !eval.ContainVolatileQuery(g.Catalog, q) {
			inlineCTE(root.Parse, cte, 0)
			root.CTEPlanIDs = append(root.CTEPlanIDs, -1)
			continue
		}
		subroot := root.Subplan(root, q.Clone(), cte.Recursive, 0)
		best := FetchUpperRel(subroot, rel.UpperFinal, query.Relids{}).CheapestTotal
		takeCreationParams(g, best)
		sp := &query.SubPlan{
			Header: query.Header{Typ: pgtype.RecordOID, Mod: pgtype.NoTypmod}, Kind: query.CTESubLink,
			SetParams: []int{SpecialExecParam(root)}, Name: "CTE " + cte.Name,
		}
		g.Subplans = append(g.Subplans, &rel.Subplan{Root: subroot, Path: best, Name: sp.Name})
		sp.PlanID = len(g.Subplans)
		root.InitPlans = append(root.InitPlans, sp)
		root.CTEPlanIDs = append(root.CTEPlanIDs, sp.PlanID)
		costSubPlan(root, sp, best)
	}
}

// containDML reports data changes or row locks anywhere in a query
// (contain_dml).
func containDML(q *query.Query) bool {
	if q.Command != query.CmdSelect || len(q.RowMarks) > 0 {
		return true
	}
	found := false
	q.Subqueries(func(s *query.Query) { found = found || containDML(s) })
	return found
}

// outerSelfReference reports a reference to a recursive CTE further up
// (contain_outer_selfref).
func outerSelfReference(q *query.Query) bool {
	found := false
	var walk func(q *query.Query, depth int)
	walk = func(q *query.Query, depth int) {
		for _, r := range q.RangeTable {
			if r.Kind == query.RTECTE && r.SelfRef && r.CTELevels >= depth {
				found = true
			}
		}
		q.Subqueries(func(s *query.Query) { walk(s, depth+1) })
	}
	walk(q, 1)
	return found
}

// inlineCTE replaces the references to a CTE by its query (inline_cte). levels
// is how far q is below the level that has the CTE.
func inlineCTE(q *query.Query, cte *query.CommonTableExpr, levels int) {
	q.Subqueries(func(s *query.Query) { inlineCTE(s, cte, levels+1) })
	for _, r := range q.RangeTable {
		if r.Kind != query.RTECTE || r.CTEName != cte.Name || r.CTELevels != levels {
			continue
		}
		sub := cte.Query.Clone()
		if levels > 0 {
			sub = eval.IncrementLevelsQuery(sub, levels, 1)
		}
		r.Kind, r.Subquery = query.RTESubquery, sub
		r.CTEName, r.CTELevels, r.SelfRef = "", 0, false
		r.ColTypes, r.ColTypmods, r.ColCollations = nil, nil, nil
	}
}
