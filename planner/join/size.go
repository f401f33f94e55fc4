package join

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// joinSize estimates the rows of a join of inputs of the given rows
// (calc_joinrel_size_estimate, costsize.c).
func joinSize(root *rel.PlannerInfo, rl, outer, inner *rel.RelOptInfo, outerRows, innerRows float64, sj *rel.SpecialJoinInfo, restrict []*rel.RestrictInfo) float64 {
	fk, restrict := foreignKeySelectivity(root, outer.Relids, inner.Relids, sj, restrict)
	own, pushed := restrict, []*rel.RestrictInfo(nil)
	pushedSel := 0.0
	if sj.Type.IsOuter() {
		own, pushed = splitPushed(restrict, rl.Relids)
	}
	sel := selectivity.Clauselist(root, own, 0, sj.Type, sj)
	if sj.Type.IsOuter() {
		pushedSel = selectivity.Clauselist(root, pushed, 0, sj.Type, sj)
	}
	var rows float64
	switch sj.Type {
	case query.JoinLeft:
		rows = max(outerRows*innerRows*fk*sel, outerRows)
		rows *= pushedSel
	case query.JoinFull:
		rows = max(outerRows*innerRows*fk*sel, outerRows, innerRows)
		rows *= pushedSel
	case query.JoinSemi:
		rows = outerRows * fk * sel
	case query.JoinAnti:
		rows = outerRows * (1.0 - float64(fk*sel))
		rows *= pushedSel
	default:
		rows = outerRows * innerRows * fk * sel
	}
	return cost.ClampRows(rows)
}

// splitPushed parts the clauses at an outer join into its own and the filters
// above it.
func splitPushed(list []*rel.RestrictInfo, joinRelids query.Relids) (own, pushed []*rel.RestrictInfo) {
	for _, r := range list {
		if prep.IsPushedDown(r, joinRelids) {
			pushed = append(pushed, r)
		} else {
			own = append(own, r)
		}
	}
	return own, pushed
}

// foreignKeySelectivity estimates the clauses that match foreign keys, by which
// each referencing row has one partner, and returns the clauses left
// (get_foreign_key_join_selectivity, costsize.c).
func foreignKeySelectivity(root *rel.PlannerInfo, outer, inner query.Relids, sj *rel.SpecialJoinInfo, restrict []*rel.RestrictInfo) (float64, []*rel.RestrictInfo) {
	sel := 1.0
	one := sj.Type == query.JoinSemi || sj.Type == query.JoinAnti
	for _, fk := range root.ForeignKeys {
		var refOuter bool
		switch {
		case outer.Has(fk.ConRelID) && inner.Has(fk.RefRelID):
		case outer.Has(fk.RefRelID) && inner.Has(fk.ConRelID):
			refOuter = true
		default:
			continue
		}
		// For a semi or anti join a foreign key says something only if the
		// referenced table alone is on the inner side.
		if one && (refOuter || inner.Len() != 1) {
			continue
		}
		var left, matched []*rel.RestrictInfo
		for _, r := range restrict {
			if matchesForeignKey(fk, r) {
				matched = append(matched, r)
			} else {
				left = append(left, r)
			}
		}
		if len(matched) == 0 || len(matched) != fk.NMatchedEC-fk.NConstEC+fk.NMatchedRInfos {
			// Not all of the key; the clauses' order changes all the same.
			restrict = append(left, matched...)
			continue
		}
		restrict = left
		ref := prep.FindBaseRel(root, fk.RefRelID)
		tuples := max(ref.Tuples, 1.0)
		if one {
			sel *= ref.Rows / tuples
		} else {
			sel *= 1.0 / tuples
		}
		// Columns equated to a constant have counted at both tables.
		for i := range fk.NKeys {
			ec := fk.EClass[i]
			if fk.NConstEC == 0 || ec == nil || !ec.HasConst {
				continue
			}
			if r := prep.FindDerivedClauseForECMember(ec, fk.ECMember[i]); r != nil {
				if s := selectivity.Clause(root, r, 0, sj.Type, sj); s > 0 {
					sel /= s
				}
			}
		}
	}
	return max(min(sel, 1), 0), restrict
}

func matchesForeignKey(fk *rel.ForeignKeyOptInfo, r *rel.RestrictInfo) bool {
	for i := range fk.NKeys {
		if r.ParentEC != nil {
			if fk.EClass[i] == r.ParentEC {
				return true
			}
		} else if slices.Contains(fk.RInfos[i], r) {
			return true
		}
	}
	return false
}

// semiFactors estimates which part of the outer rows has a match, and how many
// matches such a row has (compute_semi_anti_join_factors, costsize.c).
func semiFactors(root *rel.PlannerInfo, joined, outer, inner *rel.RelOptInfo, jt query.JoinType, sj *rel.SpecialJoinInfo, restrict []*rel.RestrictInfo) rel.SemiAntiFactors {
	quals := restrict
	if jt.IsOuter() {
		quals, _ = splitPushed(restrict, joined.Relids)
	}
	as := query.JoinSemi
	if jt == query.JoinAnti {
		as = query.JoinAnti
	}
	matchFrac := selectivity.Clauselist(root, quals, 0, as, sj)
	all := selectivity.Clauselist(root, quals, 0, query.JoinInner, plainJoin(outer.Relids, inner.Relids))
	matches := 1.0
	if matchFrac > 0 {
		matches = max(all*inner.Rows/matchFrac, 1.0)
	}
	return rel.SemiAntiFactors{OuterMatchFrac: matchFrac, MatchCount: matches}
}

// approxTuples estimates the rows that pass some clauses of a join, taken as
// independent, without the care of a size estimate (approx_tuple_count,
// costsize.c).
func approxTuples(root *rel.PlannerInfo, outer, inner *rel.PathBase, quals []*rel.RestrictInfo) float64 {
	sj := plainJoin(outer.Parent.Relids, inner.Parent.Relids)
	sel := 1.0
	for _, r := range quals {
		sel *= selectivity.Clause(root, r, 0, query.JoinInner, sj)
	}
	return cost.ClampRows(sel * outer.Rows * inner.Rows)
}
