package path

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// maxArray is the longest array of which a proof looks at every element
// (MAX_SAOP_ARRAY_SIZE, predtest.c).
const maxArray = 100

// PredicateImpliedBy reports whether the clauses, AND-ed, imply the predicate's
// (predicate_implied_by, predtest.c). weak asks that the predicate be not false
// where the clauses are not false; otherwise that it be true where they are
// true.
func PredicateImpliedBy(root *rel.PlannerInfo, predicate, clauses []query.Expr, weak bool) bool {
	if len(predicate) == 0 {
		return true
	}
	if len(clauses) == 0 {
		return false
	}
	return prover{root}.implied(conjunction(clauses), conjunction(predicate), weak)
}

// PredicateRefutedBy reports whether the clauses, AND-ed, refute the predicate's:
// weak, that it is not true where they are true; otherwise that it is false
// there (predicate_refuted_by, predtest.c).
func PredicateRefutedBy(root *rel.PlannerInfo, predicate, clauses []query.Expr, weak bool) bool {
	if len(predicate) == 0 || len(clauses) == 0 {
		return false
	}
	return prover{root}.refuted(conjunction(clauses), conjunction(predicate), weak)
}

func conjunction(list []query.Expr) query.Expr {
	if len(list) == 1 {
		return list[0]
	}
	return eval.MakeBool(query.AndExpr, list)
}

type prover struct{ root *rel.PlannerInfo }

// class is how a clause is taken apart.
type class int

const (
	atom class = iota
	all
	any
)

// parts takes apart ANDs, ORs and comparisons with the elements of an array
// (predicate_classify).
func (p prover) parts(e query.Expr) (class, []query.Expr) {
	switch n := e.(type) {
	case *query.BoolExpr:
		switch n.Op {
		case query.AndExpr:
			return all, n.Args
		case query.OrExpr:
			return any, n.Args
		}
	case *query.ScalarArrayOpExpr:
		elems, ok := p.elements(n)
		if !ok {
			return atom, nil
		}
		out := make([]query.Expr, len(elems))
		for i, x := range elems {
			op := &query.OpExpr{Header: n.Header, Op: n.Op, Func: n.Func, InputColl: n.InputColl, Args: []query.Expr{n.Args[0], x}}
			out[i] = op
		}
		if n.UseOr {
			return any, out
		}
		return all, out
	}
	return atom, nil
}

func (p prover) elements(n *query.ScalarArrayOpExpr) ([]query.Expr, bool) {
	switch a := n.Args[1].(type) {
	case *query.Const:
		if a.Null || cost.CountElements(a.Value) > maxArray {
			return nil, false
		}
		elems, ok := eval.Elements(p.root.Global, a)
		if !ok {
			return nil, false
		}
		out := make([]query.Expr, len(elems))
		for i, e := range elems {
			out[i] = e
		}
		return out, true
	case *query.ArrayExpr:
		if a.Multidims || len(a.Elements) > maxArray {
			return nil, false
		}
		return a.Elements, true
	}
	return nil, false
}

func every(list []query.Expr, ok func(query.Expr) bool) bool {
	for _, e := range list {
		if !ok(e) {
			return false
		}
	}
	return true
}

func some(list []query.Expr, ok func(query.Expr) bool) bool {
	for _, e := range list {
		if ok(e) {
			return true
		}
	}
	return false
}

// implied is the recursion over both trees (predicate_implied_by_recurse).
func (p prover) implied(clause, pred query.Expr, weak bool) bool {
	pclass, pitems := p.parts(pred)
	cclass, citems := p.parts(clause)
	whole := func(item query.Expr) bool { return p.implied(clause, item, weak) }
	byItem := func(item query.Expr) bool { return p.implied(item, pred, weak) }
	switch cclass {
	case all:
		switch pclass {
		case all:
			return every(pitems, whole)
		case any:
			// An OR may follow by one of its arms, or by one of the clauses.
			return some(pitems, whole) || some(citems, byItem)
		}
		return some(citems, byItem)
	case any:
		if pclass == any {
			return every(citems, func(c query.Expr) bool {
				return some(pitems, func(x query.Expr) bool { return p.implied(c, x, weak) })
			})
		}
		return every(citems, byItem)
	}
	switch pclass {
	case all:
		return every(pitems, whole)
	case any:
		return some(pitems, whole)
	}
	return p.impliedSimple(pred, clause, weak)
}

// refuted is the recursion over both trees (predicate_refuted_by_recurse).
func (p prover) refuted(clause, pred query.Expr, weak bool) bool {
	pclass, pitems := p.parts(pred)
	cclass, citems := p.parts(clause)
	whole := func(item query.Expr) bool { return p.refuted(clause, item, weak) }
	byItem := func(item query.Expr) bool { return p.refuted(item, pred, weak) }
	// What implies A refutes NOT A.
	byNot := func() bool {
		not := notArg(pred)
		return not != nil && p.implied(clause, not, false)
	}
	switch cclass {
	case all:
		switch pclass {
		case all:
			return some(pitems, whole) || some(citems, byItem)
		case any:
			return every(pitems, whole)
		}
		return byNot() || some(citems, byItem)
	case any:
		switch pclass {
		case any:
			return every(pitems, whole)
		case all:
			return every(citems, func(c query.Expr) bool {
				return some(pitems, func(x query.Expr) bool { return p.refuted(c, x, weak) })
			})
		}
		return byNot() || every(citems, byItem)
	}
	if not := strongNotArg(clause); not != nil && p.implied(pred, not, !weak) {
		return true
	}
	switch pclass {
	case all:
		return some(pitems, whole)
	case any:
		return every(pitems, whole)
	}
	return byNot() || p.refutedSimple(pred, clause, weak)
}

// notArg returns the argument of what is a form of NOT (extract_not_arg).
func notArg(e query.Expr) query.Expr {
	switch n := e.(type) {
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return n.Args[0]
		}
	case *query.BooleanTest:
		switch n.Kind {
		case query.IsNotTrue, query.IsFalse, query.IsUnknown:
			return n.Arg
		}
	}
	return nil
}

// strongNotArg is notArg of what is true only where the argument is false
// (extract_strong_not_arg).
func strongNotArg(e query.Expr) query.Expr {
	switch n := e.(type) {
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return n.Args[0]
		}
	case *query.BooleanTest:
		if n.Kind == query.IsFalse {
			return n.Arg
		}
	}
	return nil
}

// impliedSimple proves one atom by another
// (predicate_implied_by_simple_clause).
func (p prover) impliedSimple(pred, clause query.Expr, weak bool) bool {
	if query.Equal(pred, clause) {
		return true
	}
	if p.root.Global.Version(16) && p.boolEqualImplies(pred, clause) {
		return true
	}
	if t, ok := pred.(*query.NullTest); ok {
		return t.Not && !weak && !t.ArgIsRow && p.strictFor(clause, t.Arg, true)
	}
	return p.operatorProof(pred, clause, false, weak)
}

// boolEqualImplies proves x by x = true and NOT x by x = false (since 16).
func (p prover) boolEqualImplies(pred, clause query.Expr) bool {
	op, ok := clause.(*query.OpExpr)
	if !ok || len(op.Args) != 2 || op.Op != p.root.Global.Catalog.EqualityOp(pgtype.BoolOID) {
		return false
	}
	c, ok := op.Args[1].(*query.Const)
	if !ok || c.Null {
		return false
	}
	if c.Value == "t" {
		return query.Equal(pred, op.Args[0])
	}
	b, ok := pred.(*query.BoolExpr)
	return ok && b.Op == query.NotExpr && query.Equal(b.Args[0], op.Args[0])
}

// refutedSimple refutes one atom by another
// (predicate_refuted_by_simple_clause).
func (p prover) refutedSimple(pred, clause query.Expr, weak bool) bool {
	if pred == clause {
		return false
	}
	pn, _ := pred.(*query.NullTest)
	cn, _ := clause.(*query.NullTest)
	if pn != nil && !pn.Not {
		if pn.ArgIsRow {
			return false
		}
		// foo IS NULL is refuted by what is strict for foo, and by its
		// contrary.
		return p.strictFor(clause, pn.Arg, true) ||
			cn != nil && cn.Not && !cn.ArgIsRow && query.Equal(cn.Arg, pn.Arg)
	}
	if cn != nil && !cn.Not {
		if cn.ArgIsRow {
			return false
		}
		if pn != nil && pn.Not && !pn.ArgIsRow && query.Equal(pn.Arg, cn.Arg) {
			return true
		}
		return weak && p.strictFor(pred, cn.Arg, true)
	}
	return p.operatorProof(pred, clause, true, weak)
}

// strictFor reports whether clause gives NULL where sub is NULL; allowFalse lets
// it also give false (clause_is_strict_for).
func (p prover) strictFor(clause, sub query.Expr, allowFalse bool) bool {
	if clause == nil || sub == nil {
		return false
	}
	cat := p.root.Global.Catalog
	if r, ok := clause.(*query.RelabelType); ok {
		clause = r.Arg
	}
	if r, ok := sub.(*query.RelabelType); ok {
		sub = r.Arg
	}
	if query.Equal(clause, sub) {
		return true
	}
	inArg := func(e query.Expr) bool { return p.strictFor(e, sub, false) }
	switch n := clause.(type) {
	case *query.OpExpr:
		return eval.OpStrict(cat, n.Op) && some(n.Args, inArg)
	case *query.FuncExpr:
		return eval.Strict(cat, n.Func) && some(n.Args, inArg)
	case *query.CoerceViaIO:
		return inArg(n.Arg)
	case *query.ArrayCoerceExpr:
		return inArg(n.Arg)
	case *query.ConvertRowtypeExpr:
		return inArg(n.Arg)
	case *query.CoerceToDomain:
		return inArg(n.Arg)
	case *query.ScalarArrayOpExpr:
		if inArg(n.Args[0]) && eval.OpStrict(cat, n.Op) {
			if allowFalse && n.UseOr {
				return true
			}
			// An empty array would make ALL true.
			switch a := n.Args[1].(type) {
			case *query.Const:
				if a.Null || cost.CountElements(a.Value) > 0 {
					return true
				}
			case *query.ArrayExpr:
				if !a.Multidims && len(a.Elements) > 0 {
					return true
				}
			}
		}
		return inArg(n.Args[1])
	case *query.Const:
		return n.Null
	}
	return false
}

// restrictClauses returns the bare clauses of a list.
func restrictClauses(list []*rel.RestrictInfo) []query.Expr { return prep.ActualClauses(list) }
