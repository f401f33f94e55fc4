package infer

import (
	"github.com/dbgen/dbgen/parser/query"
)

// caseValue goes through the branches of a CASE in order, each under what its own
// condition and the failing of those before it prove. A branch that cannot be
// reached counts for nothing.
func (s *scope) caseValue(n *query.CaseExpr) value {
	defer s.enter()()
	var out *value
	take := func(v value, where string) {
		if !v.notNull {
			v.why = doubtPrefix + where + " (" + v.reason() + ")"
		}
		if out == nil {
			out = &v
			return
		}
		m := meet(*out, v)
		out = &m
	}
	open := true
	for _, w := range n.Whens {
		cond := caseCondition(n, w.Cond)
		may := outAny
		if cond != nil {
			may = s.outcome(cond)
		}
		if may&outTrue == 0 {
			s.rule(cond, may)
			continue
		}
		s.within(cond, outTrue, func() { take(s.value(w.Result), "a branch of CASE") })
		if may == outTrue {
			open = false
			break
		}
		s.rule(cond, may&^outTrue)
	}
	if open && !s.enumExhausted() {
		switch k, ok := n.Default.(*query.Const); {
		case n.Default == nil || ok && k.Null:
			take(value{null: true, elements: true, why: doubtPrefix + "no WHEN applies"}, "CASE without ELSE")
		default:
			take(s.value(n.Default), "ELSE of CASE")
		}
	}
	if out == nil {
		return maybe("CASE without a branch that applies")
	}
	if out.notNull {
		return out.because("in every branch of CASE")
	}
	return *out
}

// within runs f under the assumption that a condition has an outcome.
func (s *scope) within(cond query.Expr, may outcome, f func()) {
	leave := s.enter()
	s.rule(cond, may)
	f()
	leave()
}

// rule takes it for granted that a condition has one of the given outcomes.
func (s *scope) rule(cond query.Expr, may outcome) {
	if cond == nil {
		return
	}
	w, why := wantNotTrue, "WHEN before it applies where it is NULL"
	switch may {
	case outTrue:
		w, why = wantTrue, "WHEN rejects NULL"
	case outFalse:
		w = wantFalse
	case outFalse | outNull:
	default:
		return
	}
	// The lists are shared with those who save them: never written in place.
	s.assume = append(s.assume[:len(s.assume):len(s.assume)], s.proves(cond, w).facts(why)...)
	s.decide(cond, may)
	s.changed()
}

// decide notes the outcome of a condition and of its parts that follow.
func (s *scope) decide(cond query.Expr, may outcome) {
	if may&outNull != 0 && s.byForm(cond)&outNull == 0 {
		may &^= outNull
	}
	s.truths = append(s.truths[:len(s.truths):len(s.truths)], decided{cond, may})
	switch n := cond.(type) {
	case *query.BoolExpr:
		switch {
		case n.Op == query.NotExpr:
			s.decide(n.Args[0], may.not())
		case n.Op == query.AndExpr && may == outTrue, n.Op == query.OrExpr && may&outTrue == 0:
			for _, a := range n.Args {
				s.decide(a, may)
			}
		}
	case *query.ScalarArrayOpExpr:
		// x = ANY (list) is not true: no comparison is; x <> ALL (list) is: all are.
		if n.UseOr && may&outTrue == 0 || !n.UseOr && may == outTrue {
			if list, ok := s.elementsOf(n.Args[1]); ok && len(list) <= 64 {
				for _, e := range list {
					s.decide(&query.OpExpr{Header: n.Header, Op: n.Op, Func: n.Func, InputColl: n.InputColl, Args: []query.Expr{n.Args[0], e}}, may)
				}
			}
		}
	case *query.OpExpr:
		// b = true is as b.
		if _, ok := s.boolEquality(n); ok {
			if k, ok := n.Args[1].(*query.Const); ok && !k.Null {
				o := s.cat.Operator(n.Op)
				if (k.Value == "t" || k.Value == "true") != (o.Name == "=") {
					may = may.not()
				}
				s.decide(n.Args[0], may)
			}
		}
	}
}

// caseCondition is the condition of a WHEN with the value under test in its place;
// nil where it cannot be put there.
func caseCondition(n *query.CaseExpr, cond query.Expr) query.Expr {
	if n.Arg == nil {
		return cond
	}
	good := true
	out := query.Transform(cond, func(e query.Expr) (query.Expr, bool) {
		switch e.(type) {
		case *query.CaseTestExpr:
			return n.Arg, true
		case *query.ArrayCoerceExpr, *query.CaseExpr:
			// Their own placeholders are of the same kind.
			good = false
			return e, true
		}
		return nil, false
	})
	if !good {
		return nil
	}
	return out
}
