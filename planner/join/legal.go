package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// isLegal reports whether two relations may be joined, which outer or semi join
// that would be (nil for a plain one), and whether the first relation is its
// right side (join_is_legal, joinrels.c).
func isLegal(root *rel.PlannerInfo, a, b *rel.RelOptInfo, relids query.Relids) (match *rel.SpecialJoinInfo, reversed, ok bool) {
	unique, mustBeLeft := false, false
	for _, sj := range root.JoinInfoList {
		switch {
		case !sj.MinRight.Overlaps(relids):
			// Its right side is not here.
			continue
		case relids.IsSubset(sj.MinRight):
			// We are still within its right side.
			continue
		case sj.MinLeft.IsSubset(a.Relids) && sj.MinRight.IsSubset(a.Relids),
			sj.MinLeft.IsSubset(b.Relids) && sj.MinRight.IsSubset(b.Relids):
			// It is done already.
			continue
		}
		if sj.Type == query.JoinSemi {
			// The right side was made unique and joined to something already.
			if sj.SynRight.IsSubset(a.Relids) && sj.SynRight != a.Relids ||
				sj.SynRight.IsSubset(b.Relids) && sj.SynRight != b.Relids {
				continue
			}
		}
		canUnique := func(rl *rel.RelOptInfo) bool {
			return sj.Type == query.JoinSemi && sj.SynRight == rl.Relids && uniquePath(root, rl, rl.CheapestTotal, sj) != nil
		}
		found, rev, uniq := true, false, false
		switch {
		case sj.MinLeft.IsSubset(a.Relids) && sj.MinRight.IsSubset(b.Relids):
		case sj.MinLeft.IsSubset(b.Relids) && sj.MinRight.IsSubset(a.Relids):
			rev = true
		case canUnique(b):
			uniq = true
		case canUnique(a):
			rev, uniq = true, true
		default:
			found = false
		}
		if found {
			if match != nil {
				return nil, false, false // two joins at once
			}
			match, reversed = sj, rev
			unique = unique || uniq
			continue
		}
		// The join would cross the boundary of this one. That is allowed
		// within its right side, or if its left side is not here yet and it
		// commutes with the join being made.
		if a.Relids.Overlaps(sj.MinRight) && b.Relids.Overlaps(sj.MinRight) {
			continue
		}
		if sj.Type != query.JoinLeft || relids.Overlaps(sj.MinLeft) {
			return nil, false, false
		}
		mustBeLeft = true
	}
	if mustBeLeft && (match == nil || match.Type != query.JoinLeft || !match.LHSStrict) {
		return nil, false, false
	}
	if root.HasLateralRTEs && !lateralLegal(root, a, b, relids, match, reversed, unique) {
		return nil, false, false
	}
	return match, reversed, true
}

// lateralLegal is the part of join_is_legal about LATERAL references.
func lateralLegal(root *rel.PlannerInfo, a, b *rel.RelOptInfo, relids query.Relids, match *rel.SpecialJoinInfo, reversed, unique bool) bool {
	forward, backward := a.Relids.Overlaps(b.LateralRelids), b.Relids.Overlaps(a.LateralRelids)
	// The referencing relation has to be on the inner side of a nested loop.
	side := func(outer, inner *rel.RelOptInfo, wrongWay bool) bool {
		if match != nil && (wrongWay || unique || match.Type == query.JoinFull) {
			return false
		}
		return outer.Relids.Overlaps(inner.DirectLateral) && !haveDangerousPHV(root, outer.Relids, inner.LateralRelids)
	}
	switch {
	case forward && backward:
		return false
	case forward && !side(a, b, reversed):
		return false
	case backward && !side(b, a, !reversed):
		return false
	}
	need := minParameterization(relids, a, b)
	if need.IsEmpty() {
		return true
	}
	// What is needed must not be on the nullable side of an outer join that
	// this relation is the other side of.
	plus := relids
	for more := true; more; {
		more = false
		for _, sj := range root.JoinInfoList {
			if sj.Type != query.JoinFull && sj.MinLeft.Overlaps(plus) && !sj.MinRight.IsSubset(plus) {
				plus, more = plus.Union(sj.MinRight), true
			}
		}
	}
	return !plus.Overlaps(need)
}

// haveOrderRestriction reports whether two relations should be joined even
// without a clause, since the query's structure forces it
// (have_join_order_restriction).
func haveOrderRestriction(root *rel.PlannerInfo, a, b *rel.RelOptInfo) bool {
	if a.Relids.Overlaps(b.DirectLateral) || b.Relids.Overlaps(a.DirectLateral) {
		return true
	}
	for _, ph := range root.PlaceHolders {
		if a.Relids.IsSubset(ph.EvalAt) && b.Relids.IsSubset(ph.EvalAt) {
			return true
		}
	}
	found := false
	for _, sj := range root.JoinInfoList {
		if sj.Type == query.JoinFull {
			continue // full joins are joined by their own lists
		}
		if sj.MinLeft.IsSubset(a.Relids) && sj.MinRight.IsSubset(b.Relids) ||
			sj.MinLeft.IsSubset(b.Relids) && sj.MinRight.IsSubset(a.Relids) ||
			sj.MinRight.Overlaps(a.Relids) && sj.MinRight.Overlaps(b.Relids) ||
			sj.MinLeft.Overlaps(a.Relids) && sj.MinLeft.Overlaps(b.Relids) {
			found = true
			break
		}
	}
	return found && !hasLegalJoinClause(root, a) && !hasLegalJoinClause(root, b)
}

// hasJoinRestriction reports whether a relation is bound to a join order
// (has_join_restriction).
func hasJoinRestriction(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	if !rl.LateralRelids.IsEmpty() || !rl.LateralReferencers.IsEmpty() {
		return true
	}
	for _, ph := range root.PlaceHolders {
		if rl.Relids.IsSubset(ph.EvalAt) && rl.Relids != ph.EvalAt {
			return true
		}
	}
	for _, sj := range root.JoinInfoList {
		if sj.Type == query.JoinFull || sj.MinLeft.IsSubset(rl.Relids) && sj.MinRight.IsSubset(rl.Relids) {
			continue
		}
		if sj.MinLeft.Overlaps(rl.Relids) || sj.MinRight.Overlaps(rl.Relids) {
			return true
		}
	}
	return false
}

// hasLegalJoinClause reports whether some clause joins a relation legally to one
// of the relations being searched (has_legal_joinclause).
func hasLegalJoinClause(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	for _, other := range root.InitialRels {
		if rl.Relids.Overlaps(other.Relids) || !haveRelevantJoinClause(root, rl, other) {
			continue
		}
		if _, _, ok := isLegal(root, rl, other, rl.Relids.Union(other.Relids)); ok {
			return true
		}
	}
	return false
}

// haveDangerousPHV reports whether a nested loop would have to pass a
// PlaceHolderVar down that is not computable at its outer side
// (have_dangerous_phv).
func haveDangerousPHV(root *rel.PlannerInfo, outer, innerParams query.Relids) bool {
	for _, ph := range root.PlaceHolders {
		if ph.EvalAt.IsSubset(innerParams) && ph.EvalAt.Overlaps(outer) && !ph.EvalAt.IsSubset(outer) {
			return true
		}
	}
	return false
}

// minParameterization returns what a join needs from outside because of LATERAL
// (min_join_parameterization, relnode.c).
func minParameterization(relids query.Relids, a, b *rel.RelOptInfo) query.Relids {
	return a.LateralRelids.Union(b.LateralRelids).Minus(relids)
}

// sidesMatch reports whether a clause compares the outer with the inner side,
// and notes which operand is which (clause_sides_match_join).
func sidesMatch(r *rel.RestrictInfo, outer, inner *rel.RelOptInfo) bool {
	switch {
	case r.LeftRelids.IsSubset(outer.Relids) && r.RightRelids.IsSubset(inner.Relids):
		r.OuterIsLeft = true
		return true
	case r.LeftRelids.IsSubset(inner.Relids) && r.RightRelids.IsSubset(outer.Relids):
		r.OuterIsLeft = false
		return true
	}
	return false
}

// mustBeRedundant reports whether a class cannot be in a sort order, being equal
// to a constant (EC_MUST_BE_REDUNDANT).
func mustBeRedundant(r *rel.RestrictInfo) bool {
	prep.UpdateMergeClauseECs(r)
	return r.LeftEC.HasConst || r.RightEC.HasConst
}
