package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// eclassIndexes collects the classes that mention any of the relations
// (get_eclass_indexes_for_relids).
func eclassIndexes(root *rel.PlannerInfo, relids query.Relids) query.Relids {
	var out query.Relids
	for i := range relids.All() {
		if i < len(root.Rels) && root.Rels[i] != nil {
			out = out.Union(root.Rels[i].EClassIndexes)
		}
	}
	return out
}

func isOther(rl *rel.RelOptInfo) bool {
	return rl.Kind == rel.OtherMemberRel || rl.Kind == rel.OtherJoinRel || rl.Kind == rel.OtherUpperRel
}

// GenerateJoinImpliedEqualities makes the join clauses that the classes imply
// for joining an outer to an inner relation, one per class
// (generate_join_implied_equalities, equivclass.c). sj is the outer join being
// formed, nil if it is none.
func GenerateJoinImpliedEqualities(root *rel.PlannerInfo, joinRelids, outerRelids query.Relids, inner *rel.RelOptInfo, sj *rel.SpecialJoinInfo) []*rel.RestrictInfo {
	nominalInner, nominalJoin := inner.Relids, joinRelids
	if isOther(inner) {
		nominalInner = inner.TopParentRelids
		nominalJoin = AddOuterJoinsToRelids(root, outerRelids.Union(nominalInner), sj, nil)
	}
	var matching query.Relids
	if sj != nil && sj.OJRelid != 0 {
		matching = eclassIndexes(root, nominalJoin)
	} else {
		matching = eclassIndexes(root, nominalInner).Intersect(eclassIndexes(root, outerRelids))
	}
	var out []*rel.RestrictInfo
	for i := range matching.All() {
		out = append(out, joinEqualities(root, root.ECs[i], joinRelids, nominalJoin, outerRelids, nominalInner, inner)...)
	}
	return out
}

// GenerateJoinImpliedEqualitiesForECs is [GenerateJoinImpliedEqualities] for the
// given classes alone.
func GenerateJoinImpliedEqualitiesForECs(root *rel.PlannerInfo, ecs []*rel.EquivalenceClass, joinRelids, outerRelids query.Relids, inner *rel.RelOptInfo) []*rel.RestrictInfo {
	nominalInner, nominalJoin := inner.Relids, joinRelids
	if isOther(inner) {
		nominalInner = inner.TopParentRelids
		nominalJoin = outerRelids.Union(nominalInner)
	}
	var out []*rel.RestrictInfo
	for _, ec := range ecs {
		if ec.Relids.Overlaps(nominalJoin) {
			out = append(out, joinEqualities(root, ec, joinRelids, nominalJoin, outerRelids, nominalInner, inner)...)
		}
	}
	return out
}

func joinEqualities(root *rel.PlannerInfo, ec *rel.EquivalenceClass, joinRelids, nominalJoin, outerRelids, nominalInner query.Relids, inner *rel.RelOptInfo) []*rel.RestrictInfo {
	if ec.HasConst || len(ec.Members) <= 1 {
		return nil
	}
	var out []*rel.RestrictInfo
	if !ec.Broken {
		out = joinEqualitiesNormal(root, ec, joinRelids, outerRelids, inner.Relids)
	}
	if ec.Broken {
		out = nil
		for _, r := range ec.Sources {
			need := r.RequiredRelids
			if need.IsSubset(nominalJoin) && !need.IsSubset(outerRelids) && !need.IsSubset(nominalInner) {
				out = append(out, r)
			}
		}
	}
	return out
}

// joinEqualitiesNormal chooses one equality between the two sides, preferring
// plain columns and hashable operators, and equates what only the join can
// compute (generate_join_implied_equalities_normal).
func joinEqualitiesNormal(root *rel.PlannerInfo, ec *rel.EquivalenceClass, joinRelids, outerRelids, innerRelids query.Relids) []*rel.RestrictInfo {
	var fresh, outers, inners []*rel.EquivalenceMember
	for _, m := range ec.Members {
		switch {
		case !m.Relids.IsSubset(joinRelids):
		case m.Relids.IsSubset(outerRelids):
			outers = append(outers, m)
		case m.Relids.IsSubset(innerRelids):
			inners = append(inners, m)
		default:
			fresh = append(fresh, m)
		}
	}
	var out []*rel.RestrictInfo
	if len(outers) > 0 && len(inners) > 0 {
		var bestOuter, bestInner *rel.EquivalenceMember
		var bestOp pgtype.OID
		best := -1
		for _, o := range outers {
			for _, i := range inners {
				eq := selectEqualityOperator(root, ec, o.DataType, i.DataType)
				if eq == 0 {
					continue
				}
				score := 0
				if isColumn(o.Expr) {
					score++
				}
				if isColumn(i.Expr) {
					score++
				}
				if root.Global.Catalog.CanHashJoin(eq, o.Expr.ResultType()) {
					score++
				}
				if score > best {
					bestOuter, bestInner, bestOp, best = o, i, eq, score
				}
				if best == 3 {
					break
				}
			}
			if best == 3 {
				break
			}
		}
		if best < 0 {
			ec.Broken = true
			return nil
		}
		out = append(out, joinClause(root, ec, bestOp, bestOuter, bestInner, ec))
	}
	if len(fresh) == 0 {
		return out
	}
	if old := append(slices.Clone(outers), inners...); len(old) > 0 {
		fresh = append(fresh, old[0])
	}
	var prev *rel.EquivalenceMember
	for _, m := range fresh {
		if prev != nil {
			eq := selectEqualityOperator(root, ec, prev.DataType, m.DataType)
			if eq == 0 {
				ec.Broken = true
				return nil
			}
			out = append(out, joinClause(root, ec, eq, prev, m, nil))
		}
		prev = m
	}
	return out
}

// isColumn reports whether a member is a Var, possibly relabelled once.
func isColumn(e query.Expr) bool {
	if r, ok := e.(*query.RelabelType); ok {
		e = r.Arg
	}
	_, ok := e.(*query.Var)
	return ok
}

// joinClause finds or makes the clause that equates two members
// (create_join_clause).
func joinClause(root *rel.PlannerInfo, ec *rel.EquivalenceClass, op pgtype.OID, left, right *rel.EquivalenceMember, parentEC *rel.EquivalenceClass) *rel.RestrictInfo {
	for _, list := range [][]*rel.RestrictInfo{ec.Sources, ec.Derives} {
		for _, r := range list {
			// Until 15 the turned clause is another one.
			turned := root.Global.Version(16) && r.LeftEM == right && r.RightEM == left
			if r.ParentEC == parentEC && (r.LeftEM == left && r.RightEM == right || turned) {
				return r
			}
		}
	}
	var parent *rel.RestrictInfo
	if left.IsChild || right.IsChild {
		l, r := left, right
		if l.Parent != nil {
			l = l.Parent
		}
		if r.Parent != nil {
			r = r.Parent
		}
		parent = joinClause(root, ec, op, l, r, parentEC)
	}
	r := buildImpliedJoinEquality(root, op, ec.Collation, left.Expr, right.Expr, left.Relids.Union(right.Relids), ec.MinSecurity)
	if left.IsChild {
		r.ClauseRelids = r.ClauseRelids.Union(left.Relids)
	}
	if right.IsChild {
		r.ClauseRelids = r.ClauseRelids.Union(right.Relids)
	}
	if parent != nil {
		r.Serial = parent.Serial
	}
	r.ParentEC = parentEC
	r.LeftEC, r.RightEC = ec, ec
	r.LeftEM, r.RightEM = left, right
	ec.Derives = append(ec.Derives, r)
	return r
}

// GenerateImpliedEqualitiesForColumn makes the clauses by which other relations
// could parameterise an index on a column: matches says which class members
// are the column (generate_implied_equalities_for_column).
func GenerateImpliedEqualitiesForColumn(root *rel.PlannerInfo, rl *rel.RelOptInfo, matches func(*rel.EquivalenceClass, *rel.EquivalenceMember) bool, prohibited query.Relids) []*rel.RestrictInfo {
	isChild := rl.Kind == rel.OtherMemberRel
	var parents query.Relids
	if isChild {
		parents = ChildRelParents(root, rl)
	}
	var out []*rel.RestrictInfo
	for i := range rl.EClassIndexes.All() {
		ec := root.ECs[i]
		if ec.HasConst || len(ec.Members) <= 1 {
			continue
		}
		at := slices.IndexFunc(ec.Members, func(m *rel.EquivalenceMember) bool {
			return m.Relids == rl.Relids && matches(ec, m)
		})
		if at < 0 {
			continue
		}
		cur := ec.Members[at]
		for _, other := range slices.Clone(ec.Members) {
			if other.IsChild || other == cur || other.Relids.Overlaps(rl.Relids) || other.Relids.Overlaps(prohibited) {
				continue
			}
			if isChild && parents.Overlaps(other.Relids) {
				continue
			}
			eq := selectEqualityOperator(root, ec, cur.DataType, other.DataType)
			if eq == 0 {
				continue
			}
			out = append(out, joinClause(root, ec, eq, cur, other, ec))
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// HaveRelevantECJoinClause reports whether a class could give a join clause
// between two relations (have_relevant_eclass_joinclause).
func HaveRelevantECJoinClause(root *rel.PlannerInfo, a, b *rel.RelOptInfo) bool {
	for i := range eclassIndexes(root, a.Relids).Intersect(eclassIndexes(root, b.Relids)).All() {
		if len(root.ECs[i].Members) > 1 {
			return true
		}
	}
	return false
}

// HasRelevantECJoinClause reports whether a class could give a join clause
// between a relation and any other (has_relevant_eclass_joinclause).
func HasRelevantECJoinClause(root *rel.PlannerInfo, a *rel.RelOptInfo) bool {
	for i := range eclassIndexes(root, a.Relids).All() {
		if ec := root.ECs[i]; len(ec.Members) > 1 && !ec.Relids.IsSubset(a.Relids) {
			return true
		}
	}
	return false
}

// ECUsefulForMerging reports whether a class could give a merge clause between
// a relation and one outside it (eclass_useful_for_merging).
func ECUsefulForMerging(ec *rel.EquivalenceClass, rl *rel.RelOptInfo) bool {
	if ec.HasConst || len(ec.Members) <= 1 {
		return false
	}
	relids := rl.Relids
	if isOther(rl) {
		relids = rl.TopParentRelids
	}
	if ec.Relids.IsSubset(relids) {
		return false
	}
	return slices.ContainsFunc(ec.Members, func(m *rel.EquivalenceMember) bool {
		return !m.IsChild && !m.Relids.Overlaps(relids)
	})
}

// IsRedundantDerivedClause reports whether a list holds a clause of the same
// class (is_redundant_derived_clause).
func IsRedundantDerivedClause(r *rel.RestrictInfo, list []*rel.RestrictInfo) bool {
	return r.ParentEC != nil && slices.ContainsFunc(list, func(o *rel.RestrictInfo) bool { return o.ParentEC == r.ParentEC })
}

// IsRedundantWithIndexClauses reports whether an index's own conditions check a
// clause already (is_redundant_with_indexclauses).
func IsRedundantWithIndexClauses(r *rel.RestrictInfo, list []*rel.IndexClause) bool {
	for _, c := range list {
		if c.Lossy {
			continue
		}
		if c.RInfo == r || r.ParentEC != nil && c.RInfo.ParentEC == r.ParentEC {
			return true
		}
	}
	return false
}

// FindDerivedClauseForECMember returns the "member = constant" clause that a
// class with a constant produced (find_derived_clause_for_ec_member); nil if
// none.
func FindDerivedClauseForECMember(ec *rel.EquivalenceClass, m *rel.EquivalenceMember) *rel.RestrictInfo {
	for _, r := range ec.Derives {
		if r.LeftEM == m {
			return r
		}
	}
	return nil
}

// AddChildRelEquivalences gives a child relation's expressions a place in its
// parent's classes (add_child_rel_equivalences).
func AddChildRelEquivalences(root *rel.PlannerInfo, info *rel.AppendRelInfo, parent, child *rel.RelOptInfo) {
	top := child.TopParentRelids
	for i := range parent.EClassIndexes.All() {
		ec := root.ECs[i]
		if ec.HasVolatile {
			continue
		}
		for _, m := range slices.Clone(ec.Members) {
			if m.IsConst || m.IsChild || m.Relids.IsEmpty() || !m.Relids.IsSubset(top) {
				continue
			}
			var e query.Expr
			if parent.Kind == rel.BaseRel {
				e = AdjustAppendRelAttrs(root, m.Expr, info)
			} else {
				e = AdjustAppendRelAttrsMultilevel(root, m.Expr, child)
			}
			addMember(ec, e, m.Relids.Minus(top).Union(child.Relids), m.JoinDomain, m, m.DataType)
			child.EClassIndexes = child.EClassIndexes.Add(i)
		}
	}
}
