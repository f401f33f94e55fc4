// Package join searches the order and the methods of joins: the join half of
// query_planner and make_one_rel (optimizer/plan/planmain.c,
// path/allpaths.c, joinrels.c, joinpath.c, util/relnode.c and the join sizes of
// path/costsize.c).
//
// [QueryPlanner] is the way in. The paths of base relations come from
// planner/path; the costs of joins from planner/cost. The order in which paths
// are made is PostgreSQL's own, since it decides between equal costs.
//
// The package imports planner/rel, eval, selectivity, cost, prep and path.
package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// QueryPlanner plans the scans and joins of a query level and returns the
// relation of them all, with its cheapest paths set (query_planner, planmain.c).
// The query must have gone through prep's preprocessing; setKeys is called when
// the equivalence classes are final, to work out the pathkeys that the query
// wants.
func QueryPlanner(root *rel.PlannerInfo, setKeys func()) *rel.RelOptInfo {
	prep.SetupArrays(root)
	if rl := resultOnly(root, setKeys); rl != nil {
		return rl
	}
	list := prep.Init(root, setKeys)
	noteSelfJoins(root, list)
	noteOuterJoins(root)
	path.ExtractRestrictionOrClauses(root)
	prep.AddOtherRels(root)
	return makeOneRel(root, list)
}

// noteOuterJoins marks the plan as approximate where PostgreSQL 15 has other rules
// for the clauses at and above outer joins; those of 16 are applied.
func noteOuterJoins(root *rel.PlannerInfo) {
	if root.Global.Version(16) {
		return
	}
	for _, sj := range root.JoinInfoList {
		if sj.Type != query.JoinSemi {
			root.Global.Approximate("an outer join on PostgreSQL 15: its clauses are placed by the rules of 16")
			return
		}
	}
}

// resultOnly is the shortcut for a query with an empty FROM: its only relation
// is an RTE_RESULT.
func resultOnly(root *rel.PlannerInfo, setKeys func()) *rel.RelOptInfo {
	from := root.Parse.JoinTree
	if len(from.List) != 1 {
		return nil
	}
	ref, ok := from.List[0].(*query.RangeTblRef)
	if !ok || root.RTEs[ref.Index].Kind != query.RTEResult {
		return nil
	}
	rl := prep.BuildSimpleRel(root, ref.Index, nil)
	if root.Global.ParallelModeOK && (root.Level > 1 || root.Global.Settings.DebugParallelQuery != "off") {
		rl.ConsiderParallel = eval.ParallelSafeIn(root, from.Quals)
	}
	path.AddPath(rl, path.NewGroupResult(root, rl, rl.Target, eval.AndList(from.Quals)))
	path.SetCheapest(rl)
	root.ECMergingDone = true
	setKeys()
	return rl
}

// makeOneRel makes the paths of the base relations and joins them
// (make_one_rel, allpaths.c).
func makeOneRel(root *rel.PlannerInfo, list *prep.JoinList) *rel.RelOptInfo {
	path.SetBaseRelConsiderStartup(root)
	path.SetBaseRelSizes(root)
	total := 0.0
	for _, rl := range root.Rels {
		if rl == nil || rl.Dummy {
			continue
		}
		if rl.Kind == rel.BaseRel || rl.Kind == rel.OtherMemberRel {
			total += rl.Pages
		}
	}
	root.TotalTablePages = total
	path.SetBaseRelPathLists(root)
	return relFromList(root, list)
}

// relFromList joins the items of a list, inner lists first
// (make_rel_from_joinlist, allpaths.c).
func relFromList(root *rel.PlannerInfo, list *prep.JoinList) *rel.RelOptInfo {
	if list.Rel != 0 {
		return prep.FindBaseRel(root, list.Rel)
	}
	var initial []*rel.RelOptInfo
	for _, sub := range list.Subs {
		initial = append(initial, relFromList(root, sub))
	}
	if len(initial) == 1 {
		return initial[0]
	}
	if s := root.Global.Settings; s.GEQO && len(initial) >= s.GEQOThreshold {
		if root.Global.Version(18) {
			root.Global.Approximate("a genetic join search (GEQO): near ties may fall out otherwise on PostgreSQL 18")
		}
		if rl := geneticSearch(root, initial); rl != nil {
			return rl
		}
		root.Global.NotSupported("no legal join order was found")
		return unjoinable(root, initial)
	}
	return standardSearch(root, initial)
}

// standardSearch tries all join orders, level by level
// (standard_join_search, allpaths.c).
func standardSearch(root *rel.PlannerInfo, initial []*rel.RelOptInfo) *rel.RelOptInfo {
	n := len(initial)
	root.JoinLevels = make([][]*rel.RelOptInfo, n+1)
	root.JoinLevels[1], root.InitialRels = initial, initial
	for level := 2; level <= n; level++ {
		searchLevel(root, level)
		for _, rl := range root.JoinLevels[level] {
			if rl.Relids != root.AllQueryRels {
				path.GenerateUsefulGatherPaths(root, rl, false)
			}
			path.SetCheapest(rl)
		}
	}
	last := root.JoinLevels[n]
	root.JoinLevels = nil
	if len(last) == 0 {
		root.Global.NotSupported("no legal join order was found")
		return unjoinable(root, initial)
	}
	return last[0]
}

// unjoinable stands in for a join that is not planned: the plan is marked as not
// supported, and only has to be well-formed.
func unjoinable(root *rel.PlannerInfo, parts []*rel.RelOptInfo) *rel.RelOptInfo {
	joined := prep.NewRel(root, rel.JoinRel, relidsOf(parts))
	for _, rl := range parts {
		joined.Target.Exprs = append(joined.Target.Exprs, rl.Target.Exprs...)
		joined.Target.Width += rl.Target.Width
	}
	markDummy(root, joined)
	return joined
}

// markDummy makes a relation one that is proved empty (mark_dummy_rel,
// joinrels.c).
func markDummy(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	if rl.Dummy {
		return
	}
	rl.Dummy, rl.Rows = true, 0
	rl.Paths, rl.PartialPaths = nil, nil
	path.AddPath(rl, path.NewDummy(root, rl))
	path.SetCheapest(rl)
}
