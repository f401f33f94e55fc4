package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// canonicalizeQual brings a qual into the planner's form: AND and OR flat, and
// what all arms of an OR have in common in front of it (canonicalize_qual,
// prepqual.c). The input is folded already.
func canonicalizeQual(e query.Expr) query.Expr {
	b, ok := e.(*query.BoolExpr)
	if !ok {
		return e
	}
	switch b.Op {
	case query.OrExpr:
		var list []query.Expr
		for _, a := range b.Args {
			a = canonicalizeQual(a)
			if eval.IsFalseOrNull(a) {
				continue
			}
			if eval.IsTrue(a) {
				return a
			}
			list = append(list, a)
		}
		return factorOr(flatten(list, query.OrExpr))
	case query.AndExpr:
		var list []query.Expr
		for _, a := range b.Args {
			a = canonicalizeQual(a)
			if eval.IsFalseOrNull(a) {
				return eval.BoolConst(false)
			}
			if eval.IsTrue(a) {
				continue
			}
			list = append(list, a)
		}
		list = flatten(list, query.AndExpr)
		if len(list) == 0 {
			return eval.BoolConst(true)
		}
		return eval.MakeAnd(list)
	}
	return e
}

// flatten pulls nested operators of one kind up (pull_ands, pull_ors).
func flatten(list []query.Expr, op query.BoolExprType) []query.Expr {
	var out []query.Expr
	for _, e := range list {
		if b, ok := e.(*query.BoolExpr); ok && b.Op == op {
			out = append(out, flatten(b.Args, op)...)
			continue
		}
		out = append(out, e)
	}
	return out
}

func member(list []query.Expr, e query.Expr) bool {
	return slices.ContainsFunc(list, func(x query.Expr) bool { return query.Equal(x, e) })
}

// factorOr extracts the conditions that every arm of an OR has
// (process_duplicate_ors).
func factorOr(arms []query.Expr) query.Expr {
	switch len(arms) {
	case 0:
		return eval.BoolConst(false)
	case 1:
		return arms[0]
	}
	// The arm with the fewest conditions is the one to look for in the others.
	var reference []query.Expr
	shortest := 0
	for _, a := range arms {
		if !eval.IsAnd(a) {
			reference = []query.Expr{a}
			break
		}
		if args := a.(*query.BoolExpr).Args; shortest == 0 || len(args) < shortest {
			reference, shortest = args, len(args)
		}
	}
	var winners, distinct []query.Expr
	for _, r := range reference {
		if member(distinct, r) {
			continue
		}
		distinct = append(distinct, r)
		everywhere := true
		for _, a := range arms {
			if eval.IsAnd(a) {
				everywhere = everywhere && member(a.(*query.BoolExpr).Args, r)
			} else {
				everywhere = everywhere && query.Equal(r, a)
			}
		}
		if everywhere {
			winners = append(winners, r)
		}
	}
	if len(winners) == 0 {
		return eval.MakeOr(flatten(arms, query.OrExpr))
	}
	var rest []query.Expr
	for _, a := range arms {
		var left []query.Expr
		for _, x := range conditions(a) {
			if !member(winners, x) {
				left = append(left, x)
			}
		}
		if len(left) == 0 {
			// This arm is the winners and nothing more: it absorbs the rest.
			rest = nil
			break
		}
		rest = append(rest, eval.MakeAnd(left))
	}
	if len(rest) > 0 {
		winners = append(winners, eval.MakeOr(flatten(rest, query.OrExpr)))
	}
	return eval.MakeAnd(flatten(winners, query.AndExpr))
}

func conditions(e query.Expr) []query.Expr {
	if eval.IsAnd(e) {
		return e.(*query.BoolExpr).Args
	}
	return []query.Expr{e}
}
