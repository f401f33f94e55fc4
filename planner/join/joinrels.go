package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// searchLevel makes the joins of so many relations out of the smaller ones
// (join_search_one_level, joinrels.c).
func searchLevel(root *rel.PlannerInfo, level int) {
	levels := root.JoinLevels
	root.JoinCurLevel = level
	// First each join of the level below with each single relation: left-deep
	// and right-deep plans.
	for i, old := range levels[level-1] {
		if !hasJoinPartner(root, old) {
			clauselessJoins(root, old, levels[1])
			continue
		}
		others := levels[1]
		if level == 2 {
			others = others[i+1:] // each pair once
		}
		for _, other := range others {
			joinIfRelated(root, old, other)
		}
	}
	// Then bushy plans: two joins with each other.
	for k := 2; k <= level-k; k++ {
		for i, old := range levels[k] {
			if !hasJoinPartner(root, old) {
				continue
			}
			others := levels[level-k]
			if k == level-k {
				others = others[i+1:]
			}
			for _, other := range others {
				joinIfRelated(root, old, other)
			}
		}
	}
	// Nothing was joined by a clause: try them all.
	if len(levels[level]) == 0 {
		for _, old := range levels[level-1] {
			clauselessJoins(root, old, levels[1])
		}
	}
}

// hasJoinPartner reports whether anything ties a relation to others.
func hasJoinPartner(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	return len(rl.JoinInfo) > 0 || rl.HasEClassJoins || hasJoinRestriction(root, rl)
}

// joinIfRelated joins two relations that a clause or a join order restriction
// ties together (make_rels_by_clause_joins).
func joinIfRelated(root *rel.PlannerInfo, a, b *rel.RelOptInfo) {
	if !a.Relids.Overlaps(b.Relids) && (haveRelevantJoinClause(root, a, b) || haveOrderRestriction(root, a, b)) {
		makeJoinRel(root, a, b)
	}
}

// clauselessJoins joins a relation with all others (make_rels_by_clauseless_joins).
func clauselessJoins(root *rel.PlannerInfo, old *rel.RelOptInfo, others []*rel.RelOptInfo) {
	for _, other := range others {
		if !other.Relids.Overlaps(old.Relids) {
			makeJoinRel(root, old, other)
		}
	}
}

// haveRelevantJoinClause reports whether a clause joins the two relations
// (have_relevant_joinclause, joininfo.c).
func haveRelevantJoinClause(root *rel.PlannerInfo, a, b *rel.RelOptInfo) bool {
	clauses, other := a.JoinInfo, b.Relids
	if len(a.JoinInfo) > len(b.JoinInfo) {
		clauses, other = b.JoinInfo, a.Relids
	}
	for _, r := range clauses {
		if other.Overlaps(r.RequiredRelids) {
			return true
		}
	}
	return a.HasEClassJoins && b.HasEClassJoins && prep.HaveRelevantECJoinClause(root, a, b)
}

// plainJoin is the SpecialJoinInfo of an inner join (init_dummy_sjinfo).
func plainJoin(left, right query.Relids) *rel.SpecialJoinInfo {
	return &rel.SpecialJoinInfo{
		MinLeft: left, MinRight: right, SynLeft: left, SynRight: right, Type: query.JoinInner,
	}
}

// makeJoinRel makes the join of two relations, or adds the paths of this pair to
// it; nil if they may not be joined (make_join_rel, joinrels.c).
func makeJoinRel(root *rel.PlannerInfo, a, b *rel.RelOptInfo) *rel.RelOptInfo {
	relids := a.Relids.Union(b.Relids)
	sj, reversed, ok := isLegal(root, a, b, relids)
	if !ok {
		return nil
	}
	var pushed []*rel.SpecialJoinInfo
	relids = prep.AddOuterJoinsToRelids(root, relids, sj, &pushed)
	if reversed {
		a, b = b, a
	}
	if sj == nil {
		sj = plainJoin(a.Relids, b.Relids)
	}
	joined, restrict := buildJoinRel(root, relids, a, b, sj, pushed)
	if joined.Dummy {
		return joined
	}
	populate(root, a, b, joined, sj, restrict)
	return joined
}

// populate makes the paths of one way to part a join (populate_joinrel_with_paths).
func populate(root *rel.PlannerInfo, a, b, joined *rel.RelOptInfo, sj *rel.SpecialJoinInfo, restrict []*rel.RestrictInfo) {
	dummy := func(rl *rel.RelOptInfo) bool { return rl.Dummy }
	never := func(pushedDownOnly bool) bool { return constantFalse(restrict, joined, pushedDownOnly) }
	// An outer join whose condition is never true has an empty inner side.
	emptyInner := func() {
		if never(false) && b.Relids.IsSubset(sj.SynRight) {
			markDummy(root, b)
		}
	}
	add := func(outer, inner *rel.RelOptInfo, jt query.JoinType) {
		addPaths(root, joined, outer, inner, jt, sj, restrict)
	}
	switch sj.Type {
	case query.JoinInner:
		if dummy(a) || dummy(b) || never(false) {
			markDummy(root, joined)
			break
		}
		add(a, b, query.JoinInner)
		add(b, a, query.JoinInner)
	case query.JoinLeft:
		if dummy(a) || never(true) {
			markDummy(root, joined)
			break
		}
		emptyInner()
		add(a, b, query.JoinLeft)
		add(b, a, query.JoinRight)
	case query.JoinFull:
		if dummy(a) && dummy(b) || never(true) {
			markDummy(root, joined)
			break
		}
		add(a, b, query.JoinFull)
		add(b, a, query.JoinFull)
		if len(joined.Paths) == 0 {
			root.Global.NotSupported("FULL JOIN is only supported with merge-joinable or hash-joinable join conditions")
			markDummy(root, joined)
		}
	case query.JoinSemi:
		if sj.MinLeft.IsSubset(a.Relids) && sj.MinRight.IsSubset(b.Relids) {
			if dummy(a) || dummy(b) || never(false) {
				markDummy(root, joined)
				break
			}
			add(a, b, query.JoinSemi)
			if root.Global.Version(18) {
				add(b, a, query.JoinRightSemi)
			}
		}
		// Rows of the right side made unique can be joined plainly, even if
		// the left side is not complete.
		if sj.SynRight == b.Relids && uniquePath(root, b, b.CheapestTotal, sj) != nil {
			if dummy(a) || dummy(b) || never(false) {
				markDummy(root, joined)
				break
			}
			add(a, b, query.JoinUniqueInner)
			add(b, a, query.JoinUniqueOuter)
		}
	case query.JoinAnti:
		if dummy(a) || never(true) {
			markDummy(root, joined)
			break
		}
		emptyInner()
		add(a, b, query.JoinAnti)
		if root.Global.Version(16) {
			add(b, a, query.JoinRightAnti)
		}
	}
	if root.Global.Settings.EnablePartitionwiseJoin && a.PartScheme != nil && b.PartScheme != nil {
		root.Global.Approximate("enable_partitionwise_join is on: joins partition by partition are not considered")
	}
}

// constantFalse reports whether a clause is constant FALSE or NULL
// (restriction_is_constant_false).
func constantFalse(list []*rel.RestrictInfo, joined *rel.RelOptInfo, pushedDownOnly bool) bool {
	for _, r := range list {
		if pushedDownOnly && !prep.IsPushedDown(r, joined.Relids) {
			continue
		}
		if eval.IsFalseOrNull(r.Clause) {
			return true
		}
	}
	return false
}
