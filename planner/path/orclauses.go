package path

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// ExtractRestrictionOrClauses draws restrictions of single relations out of join
// clauses that are ORs, where every arm restricts the relation
// (extract_restriction_or_clauses, orclauses.c). It runs after the relations are
// built and before their sizes are estimated.
func ExtractRestrictionOrClauses(root *rel.PlannerInfo) {
	for _, rl := range root.Rels {
		if rl == nil || rl.Kind != rel.BaseRel {
			continue
		}
		for _, r := range rl.JoinInfo {
			if r.OrClause == nil || !prep.JoinClauseIsMovableTo(r, rl) {
				continue
			}
			if or := extractOr(root, r, rl); or != nil {
				considerOr(root, rl, or, r)
			}
		}
	}
}

// safeFor reports whether a clause is a restriction of the relation alone
// (is_safe_restriction_clause_for).
func safeFor(root *rel.PlannerInfo, r *rel.RestrictInfo, rl *rel.RelOptInfo) bool {
	return !r.PseudoConstant && r.ClauseRelids == rl.Relids && !eval.ContainVolatile(root.Global.Catalog, r.Clause)
}

// extractOr makes an OR of what each arm says of the relation; nil if an arm
// says nothing (extract_or_clause).
func extractOr(root *rel.PlannerInfo, r *rel.RestrictInfo, rl *rel.RelOptInfo) query.Expr {
	var arms []query.Expr
	for _, arm := range r.OrClause.Arms {
		var sub []query.Expr
		for _, c := range arm.And {
			if c.OrClause != nil {
				if or := extractOr(root, c, rl); or != nil {
					sub = append(sub, or)
				}
			} else if safeFor(root, c, rl) {
				sub = append(sub, c.Clause)
			}
		}
		if len(sub) == 0 {
			return nil
		}
		e := eval.MakeAnd(sub)
		if b, ok := e.(*query.BoolExpr); ok && b.Op == query.OrExpr {
			arms = append(arms, b.Args...)
		} else {
			arms = append(arms, e)
		}
	}
	if len(arms) == 0 {
		return nil
	}
	return eval.MakeBool(query.OrExpr, arms)
}

// considerOr adds a drawn-out OR if it is selective, and corrects the join
// clause's selectivity so that the restriction does not count twice
// (consider_new_or_clause).
func considerOr(root *rel.PlannerInfo, rl *rel.RelOptInfo, or query.Expr, join *rel.RestrictInfo) {
	r := prep.MakeRestrictInfo(root, or, prep.ClauseInfo{PushedDown: true, SecurityLevel: join.SecurityLevel})
	sel := selectivity.Clause(root, r, 0, query.JoinInner, nil)
	if sel > 0.9 {
		return
	}
	rl.BaseRestrict = append(rl.BaseRestrict, r)
	rl.BaseMinSecurity = min(rl.BaseMinSecurity, r.SecurityLevel)
	if sel <= 0 {
		return
	}
	left := join.ClauseRelids.Minus(rl.Relids)
	sj := &rel.SpecialJoinInfo{
		MinLeft: left, MinRight: rl.Relids, SynLeft: left, SynRight: rl.Relids, Type: query.JoinInner,
	}
	was := selectivity.Clause(root, join, 0, query.JoinInner, sj)
	join.NormSel = min(was/sel, 1)
}
