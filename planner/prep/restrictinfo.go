package prep

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// ClauseInfo is what a [rel.RestrictInfo] is made with beside its clause.
type ClauseInfo struct {
	PushedDown     bool
	HasClone       bool
	IsClone        bool
	PseudoConstant bool
	SecurityLevel  int
	// Required is empty for "the relations of the clause".
	Required query.Relids
	Incompat query.Relids
	Outer    query.Relids
}

// MakeRestrictInfo wraps a clause; the arms of an OR are wrapped as well
// (make_restrictinfo, restrictinfo.c).
func MakeRestrictInfo(root *rel.PlannerInfo, clause query.Expr, info ClauseInfo) *rel.RestrictInfo {
	b, isBool := clause.(*query.BoolExpr)
	if !isBool || b.Op != query.OrExpr {
		return makePlain(root, clause, nil, info)
	}
	or := &rel.OrClause{}
	below := info
	below.Required = query.Relids{}
	for _, arm := range b.Args {
		if and, ok := arm.(*query.BoolExpr); ok && and.Op == query.AndExpr {
			a := rel.OrArm{IsAnd: true}
			for _, c := range and.Args {
				a.And = append(a.And, MakeRestrictInfo(root, c, below))
			}
			or.Arms = append(or.Arms, a)
			continue
		}
		or.Arms = append(or.Arms, rel.OrArm{And: []*rel.RestrictInfo{MakeRestrictInfo(root, arm, below)}})
	}
	return makePlain(root, clause, or, info)
}

func makePlain(root *rel.PlannerInfo, clause query.Expr, or *rel.OrClause, info ClauseInfo) *rel.RestrictInfo {
	r := &rel.RestrictInfo{
		Clause:          clause,
		OrClause:        or,
		PushedDown:      info.PushedDown,
		HasClone:        info.HasClone,
		IsClone:         info.IsClone,
		PseudoConstant:  info.PseudoConstant,
		SecurityLevel:   info.SecurityLevel,
		IncompatRelids:  info.Incompat,
		OuterRelids:     info.Outer,
		NormSel:         -1,
		OuterSel:        -1,
		LeftBucketSize:  -1,
		RightBucketSize: -1,
		LeftMCVFreq:     -1,
		RightMCVFreq:    -1,
	}
	if info.SecurityLevel > 0 {
		r.LeakProof = !eval.ContainLeakedVars(root.Global.Catalog, clause)
	}
	if left, right, ok := Sides(clause); ok {
		r.LeftRelids = eval.PullVarNos(root, left)
		r.RightRelids = eval.PullVarNos(root, right)
		r.ClauseRelids = r.LeftRelids.Union(r.RightRelids)
		r.CanJoin = !r.LeftRelids.IsEmpty() && !r.RightRelids.IsEmpty() && !r.LeftRelids.Overlaps(r.RightRelids)
	} else {
		r.ClauseRelids = eval.PullVarNos(root, clause)
	}
	r.RequiredRelids = info.Required
	if info.Required.IsEmpty() {
		r.RequiredRelids = r.ClauseRelids
	}
	r.NumBaseRels = r.ClauseRelids.Minus(root.OuterJoins).Len()
	root.LastRInfoSerial++
	r.Serial = root.LastRInfoSerial
	return r
}

// Sides returns the operands of a clause that is a binary operator.
func Sides(clause query.Expr) (left, right query.Expr, ok bool) {
	op, is := clause.(*query.OpExpr)
	if !is || len(op.Args) != 2 {
		return nil, nil, false
	}
	return op.Args[0], op.Args[1], true
}

// CommuteRestrictInfo returns the clause with its sides exchanged, under the
// given commuted operator (commute_restrictinfo, restrictinfo.c).
func CommuteRestrictInfo(r *rel.RestrictInfo, commuted pgtype.OID) *rel.RestrictInfo {
	was := r.Clause.(*query.OpExpr)
	op := *was
	op.Op, op.Func = commuted, 0
	op.Args = []query.Expr{was.Args[1], was.Args[0]}
	out := *r
	out.Clause = &op
	out.LeftRelids, out.RightRelids = r.RightRelids, r.LeftRelids
	out.LeftEC, out.RightEC = r.RightEC, r.LeftEC
	out.LeftEM, out.RightEM = r.RightEM, r.LeftEM
	out.ScanSelCache = nil
	out.HashOp = 0
	if r.HashOp == was.Op {
		out.HashOp = commuted
	}
	out.LeftBucketSize, out.RightBucketSize = r.RightBucketSize, r.LeftBucketSize
	out.LeftMCVFreq, out.RightMCVFreq = r.RightMCVFreq, r.LeftMCVFreq
	out.LeftHashEqOp, out.RightHashEqOp = 0, 0
	return &out
}

// SecurelyPromotable reports whether a restriction may be checked before the
// security quals of its relation (restriction_is_securely_promotable).
func SecurelyPromotable(r *rel.RestrictInfo, rl *rel.RelOptInfo) bool {
	return r.SecurityLevel <= rl.BaseMinSecurity || r.LeakProof
}

// isTrue reports whether a clause is the constant TRUE.
func isTrue(e query.Expr) bool {
	c, ok := e.(*query.Const)
	return ok && !c.Null && c.Value == "t"
}

// ActualClauses returns the bare clauses (get_actual_clauses).
func ActualClauses(list []*rel.RestrictInfo) []query.Expr {
	var out []query.Expr
	for _, r := range list {
		out = append(out, r.Clause)
	}
	return out
}

// ExtractActualClauses returns the bare clauses that are, or are not,
// pseudoconstant, leaving out constant TRUE (extract_actual_clauses).
func ExtractActualClauses(list []*rel.RestrictInfo, pseudoconstant bool) []query.Expr {
	var out []query.Expr
	for _, r := range list {
		if r.PseudoConstant == pseudoconstant && !isTrue(r.Clause) {
			out = append(out, r.Clause)
		}
	}
	return out
}

// IsPushedDown reports whether a clause is a filter above a join of the given
// relations rather than part of it (RINFO_IS_PUSHED_DOWN).
func IsPushedDown(r *rel.RestrictInfo, joinRelids query.Relids) bool {
	return r.PushedDown || !r.RequiredRelids.IsSubset(joinRelids)
}

// ExtractActualJoinClauses parts the clauses of an outer join into its own and
// the filters above it (extract_actual_join_clauses).
func ExtractActualJoinClauses(list []*rel.RestrictInfo, joinRelids query.Relids) (join, other []query.Expr) {
	for _, r := range list {
		if IsPushedDown(r, joinRelids) {
			if !r.PseudoConstant && !isTrue(r.Clause) {
				other = append(other, r.Clause)
			}
			continue
		}
		if !isTrue(r.Clause) {
			join = append(join, r.Clause)
		}
	}
	return join, other
}

// JoinClauseIsMovableTo reports whether a join clause can be checked at a
// relation that is parameterised by the other side
// (join_clause_is_movable_to, restrictinfo.c).
func JoinClauseIsMovableTo(r *rel.RestrictInfo, base *rel.RelOptInfo) bool {
	return r.ClauseRelids.Has(base.Index) &&
		!r.OuterRelids.Has(base.Index) &&
		!r.ClauseRelids.Overlaps(base.NullingRels) &&
		!base.LateralReferencers.Overlaps(r.ClauseRelids) &&
		!r.IsClone
}

// JoinClauseIsMovableInto reports whether a join clause must be checked within
// the current relations, given those that parameterise them
// (join_clause_is_movable_into, restrictinfo.c).
func JoinClauseIsMovableInto(r *rel.RestrictInfo, current, currentAndOuter query.Relids) bool {
	return r.ClauseRelids.IsSubset(currentAndOuter) &&
		current.Overlaps(r.ClauseRelids) &&
		!current.Overlaps(r.OuterRelids)
}
