package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// SetupArrays makes the per-relation arrays of a query level
// (setup_simple_rel_arrays, relnode.c).
func SetupArrays(root *rel.PlannerInfo) {
	n := len(root.Parse.RangeTable) + 1
	root.Rels = make([]*rel.RelOptInfo, n)
	root.RTEs = make([]*query.RangeTblEntry, n)
	copy(root.RTEs[1:], root.Parse.RangeTable)
	root.Append = make([]*rel.AppendRelInfo, n)
	for _, a := range root.AppendRels {
		root.Append[a.Child] = a
	}
	root.JoinRels, root.JoinRelIndex, root.JoinLevels = nil, map[query.Relids]*rel.RelOptInfo{}, nil
}

// Init is the first half of query_planner (planmain.c): it builds the base
// relations, hands every qual to its place, settles the equivalence classes,
// drops joins that change nothing and returns what is left to be joined.
// setKeys is called once the classes are final, to work out the pathkeys that
// the query wants. The join tree must not be a lone RTE_RESULT.
func Init(root *rel.PlannerInfo, setKeys func()) *JoinList {
	addBaseRels(root, root.Parse.JoinTree)
	buildBaseRelTargets(root)
	findPlaceHoldersInJoinTree(root)
	findLateralReferences(root)
	list := deconstructJoinTree(root)
	reconsiderOuterJoinClauses(root)
	generateBaseImpliedEqualities(root)
	setKeys()
	fixPlaceHolderInputs(root)
	list = removeUselessJoins(root, list)
	reduceUniqueSemiJoins(root)
	addPlaceHoldersToBaseRels(root)
	createLateralJoinInfo(root)
	matchForeignKeysToQuals(root)
	return list
}

// addBaseRels makes a RelOptInfo for every relation of the join tree
// (add_base_rels_to_query, initsplan.c).
func addBaseRels(root *rel.PlannerInfo, n query.JoinNode) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		BuildSimpleRel(root, n.Index, nil)
	case *query.FromExpr:
		for _, c := range n.List {
			addBaseRels(root, c)
		}
	case *query.JoinExpr:
		addBaseRels(root, n.Left)
		addBaseRels(root, n.Right)
	}
}

// finalOutput is the "relation" that needs what the query returns: index 0.
var finalOutput = query.MakeRelids(0)

// buildBaseRelTargets notes the columns that the target list and HAVING need
// (build_base_rel_tlists).
func buildBaseRelTargets(root *rel.PlannerInfo) {
	var vars []query.Expr
	for _, t := range root.ProcessedTargetList {
		vars = append(vars, eval.PullVars(t.Expr, joinVars)...)
	}
	AddVarsToTarget(root, vars, finalOutput)
	if root.Parse.Having != nil {
		AddVarsToTarget(root, eval.PullVars(root.Parse.Having, eval.RecurseAggregates|eval.IncludePlaceHolders), finalOutput)
	}
}

// AddVarsToTarget makes base relations pass on the given columns to where they
// are needed (add_vars_to_targetlist).
func AddVarsToTarget(root *rel.PlannerInfo, vars []query.Expr, needed query.Relids) {
	for _, e := range vars {
		switch v := e.(type) {
		case *query.Var:
			rl := root.Rels[v.VarNo]
			if needed.IsSubset(rl.Relids) {
				continue
			}
			at := v.AttNo - rl.MinAttr
			if rl.AttrNeeded[at].IsEmpty() {
				bare := *v
				bare.NullingRels = query.Relids{}
				rl.Target.Exprs = append(rl.Target.Exprs, &bare)
			}
			rl.AttrNeeded[at] = rl.AttrNeeded[at].Union(needed)
		case *query.PlaceHolderVar:
			ph := FindPlaceHolder(root, v)
			ph.Needed = ph.Needed.Union(needed)
		}
	}
}

// findLateralReferences notes what LATERAL items need of the others
// (find_lateral_references).
func findLateralReferences(root *rel.PlannerInfo) {
	if !root.HasLateralRTEs {
		return
	}
	for i, rl := range root.Rels {
		if rl == nil || rl.Kind != rel.BaseRel || !root.RTEs[i].Lateral {
			continue
		}
		rte := root.RTEs[i]
		var vars []query.Expr
		pull := func(list []query.Expr) {
			for _, e := range list {
				vars = append(vars, eval.PullVarsOfLevel(e, 0)...)
			}
		}
		switch rte.Kind {
		case query.RTERelation:
			if rte.Sample != nil {
				pull(rte.Sample.Args)
				if rte.Sample.Repeatable != nil {
					pull([]query.Expr{rte.Sample.Repeatable})
				}
			}
		case query.RTESubquery:
			vars = eval.PullVarsOfLevelQuery(rte.Subquery, 1)
		case query.RTEFunction:
			for _, f := range rte.Functions {
				pull([]query.Expr{f.Expr})
			}
		case query.RTEValues:
			for _, row := range rte.Values {
				pull(row)
			}
		case query.RTETableFunc:
			root.Global.NotSupported("LATERAL XMLTABLE or JSON_TABLE")
		}
		if len(vars) == 0 {
			continue
		}
		var own []query.Expr
		for _, e := range vars {
			switch v := e.(type) {
			case *query.Var:
				c := *v
				c.LevelsUp = 0
				own = append(own, &c)
			case *query.PlaceHolderVar:
				own = append(own, eval.IncrementLevels(v, -v.LevelsUp, 0))
			}
		}
		AddVarsToTarget(root, own, query.MakeRelids(i))
		rl.LateralVars = own
	}
}

// createLateralJoinInfo works out which relations must be joined before a
// LATERAL item can be (create_lateral_join_info).
func createLateralJoinInfo(root *rel.PlannerInfo) {
	if !root.HasLateralRTEs {
		return
	}
	found := false
	bases := func(fn func(*rel.RelOptInfo)) {
		for _, rl := range root.Rels {
			if rl != nil && rl.Kind == rel.BaseRel {
				fn(rl)
			}
		}
	}
	bases(func(rl *rel.RelOptInfo) {
		var relids query.Relids
		for _, e := range rl.LateralVars {
			found = true
			switch v := e.(type) {
			case *query.Var:
				relids = relids.Add(v.VarNo)
			case *query.PlaceHolderVar:
				relids = relids.Union(FindPlaceHolder(root, v).EvalAt)
			}
		}
		rl.DirectLateral, rl.LateralRelids = relids, relids
	})
	for _, ph := range root.PlaceHolders {
		if ph.Lateral.IsEmpty() {
			continue
		}
		found = true
		refs := ph.Lateral.Intersect(root.AllBaseRels)
		if at, ok := ph.EvalAt.Single(); ok {
			rl := root.Rels[at]
			rl.DirectLateral = rl.DirectLateral.Union(refs)
			rl.LateralRelids = rl.LateralRelids.Union(refs)
			continue
		}
		for at := range ph.EvalAt.All() {
			if rl := root.Rels[at]; rl != nil {
				rl.LateralRelids = rl.LateralRelids.Union(refs)
			}
		}
	}
	if !found {
		root.HasLateralRTEs = false
		return
	}
	bases(func(rl *rel.RelOptInfo) {
		if outer := rl.LateralRelids; !outer.IsEmpty() {
			bases(func(other *rel.RelOptInfo) {
				if other.LateralRelids.Has(rl.Index) {
					other.LateralRelids = other.LateralRelids.Union(outer)
				}
			})
		}
	})
	bases(func(rl *rel.RelOptInfo) {
		for at := range rl.LateralRelids.All() {
			if other := root.Rels[at]; other != nil {
				other.LateralReferencers = other.LateralReferencers.Add(rl.Index)
			}
		}
	})
}

// AddOuterJoinsToRelids adds to a set of relations the outer join being formed,
// and those pushed below it that are thereby complete
// (add_outer_joins_to_relids, joinrels.c, since 16). The latter are appended to
// pushed, if that is given.
func AddOuterJoinsToRelids(root *rel.PlannerInfo, relids query.Relids, sj *rel.SpecialJoinInfo, pushed *[]*rel.SpecialJoinInfo) query.Relids {
	switch {
	case sj == nil || sj.OJRelid == 0:
		return relids
	case sj.Type != query.JoinLeft:
		return relids.Add(sj.OJRelid)
	case !sj.CommuteBelowL.IsSubset(relids):
		// Pushed into the right side of a lower join: its output is not yet
		// what the whole join gives.
		return relids
	}
	relids = relids.Add(sj.OJRelid)
	above := sj.CommuteAboveL
	if above.IsEmpty() {
		return relids
	}
	for _, o := range root.JoinInfoList {
		if o == sj || o.OJRelid == 0 || o.Type != query.JoinLeft || !above.Has(o.OJRelid) {
			continue
		}
		if !relids.Has(o.OJRelid) && o.MinLeft.IsSubset(relids) && o.MinRight.IsSubset(relids) && o.CommuteBelowL.IsSubset(relids) {
			relids = relids.Add(o.OJRelid)
			if pushed != nil {
				*pushed = append(*pushed, o)
			}
			above = above.Union(o.CommuteAboveL)
		}
	}
	return relids
}
