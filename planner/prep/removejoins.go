package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// removeUselessJoins drops left joins to unique relations whose columns nobody
// needs (remove_useless_joins, analyzejoins.c).
func removeUselessJoins(root *rel.PlannerInfo, list *JoinList) *JoinList {
	for again := true; again; {
		again = false
		for i, sj := range root.JoinInfoList {
			if !joinIsRemovable(root, sj) {
				continue
			}
			inner, _ := sj.MinRight.Single()
			removeRel(root, inner, sj)
			list = list.without(inner)
			root.JoinInfoList = slices.Delete(slices.Clone(root.JoinInfoList), i, i+1)
			again = true
			if !root.Global.Version(16) && root.AllBaseRels.Len() > 2 {
				root.Global.Approximate("a join of several that PostgreSQL 15 removes: the clauses that it leaves")
			}
			break
		}
	}
	return list
}

func (l *JoinList) without(index int) *JoinList {
	out := &JoinList{Rel: l.Rel}
	for _, s := range l.Subs {
		switch {
		case s.Rel == index:
		case s.Rel != 0:
			out.Subs = append(out.Subs, s)
		default:
			if c := s.without(index); len(c.Subs) > 0 {
				out.Subs = append(out.Subs, c)
			}
		}
	}
	return out
}

func joinIsRemovable(root *rel.PlannerInfo, sj *rel.SpecialJoinInfo) bool {
	if sj.Type != query.JoinLeft {
		return false
	}
	at, ok := sj.MinRight.Single()
	if !ok || at == root.Parse.ResultRelation {
		return false
	}
	inner := root.Rels[at]
	if inner == nil || !relSupportsDistinctness(root, inner) {
		return false
	}
	inputs := sj.MinLeft.Union(sj.MinRight)
	joined := inputs.Add(sj.OJRelid)
	for _, needed := range inner.AttrNeeded {
		if !needed.IsSubset(inputs) {
			return false
		}
	}
	for _, ph := range root.PlaceHolders {
		switch {
		case ph.Lateral.Overlaps(inner.Relids):
			return false
		case !ph.EvalAt.Overlaps(inner.Relids), ph.Needed.IsSubset(inputs):
			continue
		case !ph.EvalAt.Has(sj.OJRelid), !sj.MinLeft.Overlaps(ph.EvalAt),
			eval.PullVarNos(root, ph.Var.Arg).Overlaps(inner.Relids):
			return false
		}
	}
	var clauses []*rel.RestrictInfo
	for _, r := range inner.JoinInfo {
		if r.IsClone || !r.CanJoin || r.MergeFamilies == nil {
			continue
		}
		if IsPushedDown(r, joined) {
			// A filter above the join that mentions the relation would have
			// shown in AttrNeeded, unless it is a clause with a clone.
			continue
		}
		if clauseSidesMatch(r, sj.MinLeft, inner.Relids) {
			clauses = append(clauses, r)
		}
	}
	return relIsDistinctFor(root, inner, clauses)
}

// removeRel takes a relation and its outer join out of everything that mentions
// them (remove_rel_from_query).
func removeRel(root *rel.PlannerInfo, index int, sj *rel.SpecialJoinInfo) {
	gone := query.MakeRelids(index, sj.OJRelid)
	oj := query.MakeRelids(sj.OJRelid)
	joined := sj.MinLeft.Union(sj.MinRight).Add(sj.OJRelid)
	rl := root.Rels[index]
	for _, other := range root.Rels {
		if other == nil || other == rl {
			continue
		}
		for i := range other.AttrNeeded {
			other.AttrNeeded[i] = other.AttrNeeded[i].Minus(gone)
		}
		other.NullingRels = other.NullingRels.Minus(oj)
	}
	root.AllBaseRels = root.AllBaseRels.Remove(index)
	root.OuterJoins = root.OuterJoins.Minus(oj)
	root.AllQueryRels = root.AllQueryRels.Minus(gone)
	for _, o := range root.JoinInfoList {
		if o == sj {
			continue
		}
		o.MinLeft, o.MinRight = o.MinLeft.Minus(gone), o.MinRight.Minus(gone)
		o.SynLeft, o.SynRight = o.SynLeft.Minus(gone), o.SynRight.Minus(gone)
		o.CommuteAboveL, o.CommuteAboveR = o.CommuteAboveL.Minus(oj), o.CommuteAboveR.Minus(oj)
		o.CommuteBelowL, o.CommuteBelowR = o.CommuteBelowL.Minus(oj), o.CommuteBelowR.Minus(oj)
	}
	root.PlaceHolders = slices.DeleteFunc(root.PlaceHolders, func(ph *rel.PlaceHolderInfo) bool {
		if ph.Needed.IsSubset(joined) && ph.EvalAt.Has(index) && !ph.EvalAt.Has(sj.OJRelid) {
			return true
		}
		v := *ph.Var
		v.Rels = v.Rels.Minus(gone)
		ph.Var, ph.EvalAt, ph.Needed = &v, ph.EvalAt.Minus(gone), ph.Needed.Minus(gone)
		return false
	})
	commuting := joined.Union(sj.CommuteAboveR).Union(sj.CommuteBelowL)
	for _, r := range slices.Clone(rl.JoinInfo) {
		for i := range r.RequiredRelids.All() {
			if other := root.Rels[i]; other != nil {
				other.JoinInfo = slices.DeleteFunc(other.JoinInfo, func(o *rel.RestrictInfo) bool { return o == r })
			}
		}
		if IsPushedDown(r, commuting) {
			removeFromRestrictInfo(r, gone)
			distributeRestrictInfo(root, r)
		}
	}
	for _, ec := range root.ECs {
		if !ec.Relids.Overlaps(gone) {
			continue
		}
		ec.Relids = ec.Relids.Minus(gone)
		ec.Members = slices.DeleteFunc(ec.Members, func(m *rel.EquivalenceMember) bool {
			if !m.Relids.Overlaps(gone) {
				return false
			}
			m.Relids = m.Relids.Minus(gone)
			return m.Relids.IsEmpty()
		})
		for _, r := range ec.Sources {
			removeFromRestrictInfo(r, gone)
		}
		ec.Derives = nil
	}
	root.Rels[index] = nil
	if root.Global.Version(18) {
		rebuildNeeded(root)
	}
}

func removeFromRestrictInfo(r *rel.RestrictInfo, gone query.Relids) {
	r.ClauseRelids = r.ClauseRelids.Minus(gone)
	r.RequiredRelids = r.RequiredRelids.Minus(gone)
	r.IncompatRelids = r.IncompatRelids.Minus(gone)
	r.OuterRelids = r.OuterRelids.Minus(gone)
	r.LeftRelids = r.LeftRelids.Minus(gone)
	r.RightRelids = r.RightRelids.Minus(gone)
	if r.OrClause != nil {
		for _, a := range r.OrClause.Arms {
			for _, c := range a.And {
				removeFromRestrictInfo(c, gone)
			}
		}
	}
}

// reduceUniqueSemiJoins turns semijoins to a unique relation into plain joins
// (reduce_unique_semijoins).
func reduceUniqueSemiJoins(root *rel.PlannerInfo) {
	root.JoinInfoList = slices.DeleteFunc(root.JoinInfoList, func(sj *rel.SpecialJoinInfo) bool {
		if sj.Type != query.JoinSemi {
			return false
		}
		at, ok := sj.MinRight.Single()
		if !ok {
			return false
		}
		inner := root.Rels[at]
		if inner == nil || !relSupportsDistinctness(root, inner) {
			return false
		}
		joined := sj.MinLeft.Union(sj.MinRight)
		restrict := append(GenerateJoinImpliedEqualities(root, joined, sj.MinLeft, inner, nil), inner.JoinInfo...)
		return InnerRelIsUnique(root, joined, sj.MinLeft, inner, query.JoinSemi, restrict, true)
	})
}
