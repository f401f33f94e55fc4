package infer

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// want is what is known of the outcome of an expression.
type want int

const (
	wantTrue want = iota
	wantFalse
	wantNotTrue  // false or NULL
	wantNotFalse // true or NULL
	wantValue    // anything but NULL
)

// not is the outcome of NOT's operand for one of NOT.
func (w want) not() want {
	return [...]want{wantFalse, wantTrue, wantNotFalse, wantNotTrue, wantValue}[w]
}

// proofs are the expressions that an outcome proves not null.
type proofs struct {
	// all: the outcome cannot be, so that anything follows.
	all  bool
	list []query.Expr
}

// add takes in what follows from another outcome that is there too.
func (p *proofs) add(o proofs) {
	p.all = p.all || o.all
	for _, e := range o.list {
		if !p.has(e) {
			p.list = append(p.list, e)
		}
	}
}

func (p proofs) has(e query.Expr) bool {
	for _, x := range p.list {
		if sameExpr(x, e) {
			return true
		}
	}
	return false
}

// either is what follows if one of two outcomes is there.
func either(a, b proofs) proofs {
	if a.all {
		return b
	}
	if b.all {
		return a
	}
	var out proofs
	for _, e := range a.list {
		if b.has(e) {
			out.list = append(out.list, e)
		}
	}
	return out
}

// facts gives each proof the same reason.
func (p proofs) facts(why string) []fact {
	var out []fact
	for _, e := range p.list {
		out = append(out, fact{e, why})
	}
	return out
}

// sameExpr is query.Equal, but that a Var is the same whatever outer joins are
// between: a NULL that one of them makes is one above it as well.
func sameExpr(a, b query.Expr) bool {
	if v, ok := a.(*query.Var); ok {
		w, ok := b.(*query.Var)
		return ok && v.VarNo == w.VarNo && v.AttNo == w.AttNo && v.LevelsUp == w.LevelsUp
	}
	return query.Equal(a, b)
}

// proves returns what must be not null for an expression to have an outcome. That
// is find_nonnullable_vars (clauses.c) read with more care, for what the planner may
// take for granted of an empty array below NOT would here be a wrong promise, and
// for all expressions.
func (s *scope) proves(e query.Expr, w want) proofs {
	var p proofs
	sure := w == wantTrue || w == wantFalse || w == wantValue
	if sure && s.repeatable(e) {
		p.list = append(p.list, e)
	}
	values := func(list ...query.Expr) {
		if !sure {
			return
		}
		for _, a := range list {
			p.add(s.proves(a, wantValue))
		}
	}
	switch n := e.(type) {
	case *query.Const:
		switch {
		case n.Null:
			p.all = sure
		case n.Typ == pgtype.BoolOID:
			isTrue := n.Value == "t" || n.Value == "true"
			p.all = isTrue && (w == wantFalse || w == wantNotTrue) || !isTrue && (w == wantTrue || w == wantNotFalse)
		}
	case *query.Var:
		if sure && n.LevelsUp == 0 && n.VarNo >= 1 && n.VarNo <= len(s.q.RangeTable) {
			rte := s.q.RTE(n.VarNo)
			if rte.Kind == query.RTEJoin && n.AttNo > 0 && n.AttNo <= len(rte.JoinAliasVars) {
				p.add(s.proves(rte.JoinAliasVars[n.AttNo-1], wantValue))
			}
		}
	case *query.OpExpr:
		if s.strictOp(n.Op) {
			values(n.Args...)
		}
	case *query.FuncExpr:
		if f := s.cat.Func(n.Func); f != nil && f.Strict && !n.RetSet {
			values(n.Args...)
		}
	case *query.NullIfExpr:
		values(n.Args[0])
	case *query.ScalarArrayOpExpr:
		p.add(s.provesArray(n, w))
	case *query.RelabelType:
		p.add(s.proves(n.Arg, w))
	case *query.CollateExpr:
		values(n.Arg)
	case *query.CoerceViaIO:
		values(n.Arg)
	case *query.ArrayCoerceExpr:
		values(n.Arg)
	case *query.ConvertRowtypeExpr:
		values(n.Arg)
	case *query.NamedArgExpr:
		values(n.Arg)
	case *query.FieldSelect:
		values(n.Arg)
	case *query.SubscriptingRef:
		if n.Assign == nil {
			values(n.Container)
			for _, sub := range append(append([]query.Expr{}, n.Upper...), n.Lower...) {
				if sub != nil {
					values(sub)
				}
			}
		}
	case *query.NullTest:
		p.add(s.provesNullTest(n, w))
	case *query.BooleanTest:
		p.add(s.provesBooleanTest(n, w))
	case *query.DistinctExpr:
		p.add(s.provesDistinct(n, w))
	case *query.RowCompareExpr:
		// Only the first pair is always looked at.
		if s.strictOp(n.Ops[0]) {
			values(n.Left[0], n.Right[0])
		}
	case *query.SubLink:
		p.add(s.provesSubLink(n, w))
	case *query.BoolExpr:
		p.add(s.provesLogic(n, w))
	case *query.CoalesceExpr:
		// One of the arguments has the outcome.
		one := proofs{all: true}
		if sure {
			for _, a := range n.Args {
				one = either(one, s.proves(a, w))
			}
			p.add(one)
		}
	case *query.MinMaxExpr:
		if sure {
			one := proofs{all: true}
			for _, a := range n.Args {
				one = either(one, s.proves(a, wantValue))
			}
			p.add(one)
		}
	case *query.CaseExpr:
		p.add(s.provesCase(n, w))
	}
	return p
}

// provesLogic is AND, OR and NOT.
func (s *scope) provesLogic(n *query.BoolExpr, w want) proofs {
	if n.Op == query.NotExpr {
		return s.proves(n.Args[0], w.not())
	}
	// The outcome that all operands must have, for AND: true, or not false.
	every := n.Op == query.AndExpr && (w == wantTrue || w == wantNotFalse) ||
		n.Op == query.OrExpr && (w == wantFalse || w == wantNotTrue)
	out := proofs{all: !every}
	for _, a := range n.Args {
		if got := s.proves(a, w); every {
			out.add(got)
		} else {
			out = either(out, got)
		}
	}
	return out
}

// provesArray is x op ANY (array) or ALL. An empty array decides without a look at x.
func (s *scope) provesArray(n *query.ScalarArrayOpExpr, w want) proofs {
	var p proofs
	if !s.strictOp(n.Op) || w == wantNotTrue || w == wantNotFalse {
		return p
	}
	p.add(s.proves(n.Args[1], wantValue))
	if n.UseOr && w == wantTrue || !n.UseOr && w == wantFalse || s.length(n.Args[1]) > 0 {
		p.add(s.proves(n.Args[0], wantValue))
	}
	return p
}

// provesNullTest is IS [NOT] NULL, of a row with its own meaning: a row is not null
// if no field is, and null if all fields are.
func (s *scope) provesNullTest(n *query.NullTest, w want) proofs {
	var p proofs
	isNot := n.Not
	switch w {
	case wantFalse, wantNotTrue:
		isNot = !isNot
	case wantValue:
		return p
	}
	switch {
	case !isNot:
	case !n.ArgIsRow:
		p = s.proves(n.Arg, wantValue)
	default:
		switch arg := n.Arg.(type) {
		case *query.RowExpr:
			if n.Not {
				for _, a := range arg.Args {
					p.add(s.proves(a, wantValue))
				}
			}
		case *query.Var:
			p.list = append(p.list, arg)
			if n.Not && arg.AttNo == 0 {
				p.list = append(p.list, s.rowColumns(arg)...)
			}
		default:
			p = s.proves(n.Arg, wantValue)
		}
	}
	return p
}

// rowColumns are the columns of a whole-row Var of this level.
func (s *scope) rowColumns(v *query.Var) []query.Expr {
	if v.LevelsUp != 0 || v.VarNo < 1 || v.VarNo > len(s.q.RangeTable) {
		return nil
	}
	rte := s.q.RTE(v.VarNo)
	if rte.Kind == query.RTEJoin {
		return nil
	}
	var out []query.Expr
	for i, name := range rte.ERef.Columns {
		if name != "" {
			out = append(out, &query.Var{VarNo: v.VarNo, AttNo: i + 1, NullingRels: v.NullingRels})
		}
	}
	return out
}

// provesBooleanTest is IS [NOT] TRUE, FALSE and UNKNOWN, which are never NULL.
func (s *scope) provesBooleanTest(n *query.BooleanTest, w want) proofs {
	if w == wantValue {
		return proofs{}
	}
	yes := w == wantTrue || w == wantNotFalse
	switch n.Kind {
	case query.IsTrue, query.IsNotTrue:
		if yes == (n.Kind == query.IsTrue) {
			return s.proves(n.Arg, wantTrue)
		}
		return s.proves(n.Arg, wantNotTrue)
	case query.IsFalse, query.IsNotFalse:
		if yes == (n.Kind == query.IsFalse) {
			return s.proves(n.Arg, wantFalse)
		}
		return s.proves(n.Arg, wantNotFalse)
	case query.IsUnknown, query.IsNotUnknown:
		if yes == (n.Kind == query.IsNotUnknown) {
			return s.proves(n.Arg, wantValue)
		}
	}
	return proofs{}
}

// provesDistinct is IS [NOT] DISTINCT FROM: what differs from NULL is not NULL, and
// what does not differ from a value neither.
func (s *scope) provesDistinct(n *query.DistinctExpr, w want) proofs {
	var p proofs
	if w == wantValue || len(n.Args) != 2 {
		return p
	}
	for i := range 2 {
		other := s.value(n.Args[1-i])
		if (w == wantTrue || w == wantNotFalse) && other.null || (w == wantFalse || w == wantNotTrue) && other.notNull {
			p.add(s.proves(n.Args[i], wantValue))
		}
	}
	return p
}

// provesCase is a CASE with an outcome: one of its branches has it.
func (s *scope) provesCase(n *query.CaseExpr, w want) proofs {
	if w == wantNotTrue || w == wantNotFalse {
		return proofs{}
	}
	one := proofs{all: true}
	var before proofs
	for _, b := range n.Whens {
		cond := caseCondition(n, b.Cond)
		if cond == nil {
			return proofs{}
		}
		here := s.proves(b.Result, w)
		here.add(s.proves(cond, wantTrue))
		here.add(before)
		one = either(one, here)
		before.add(s.proves(cond, wantNotTrue))
	}
	if n.Default != nil {
		last := s.proves(n.Default, w)
		last.add(before)
		one = either(one, last)
	}
	return one
}

// provesSubLink is x op ANY (subquery), which is true only for a row that it holds
// for, and EXISTS, whose WHERE some row has passed.
func (s *scope) provesSubLink(n *query.SubLink, w want) proofs {
	var p proofs
	switch {
	case n.Kind == query.AnySubLink && w == wantTrue, n.Kind == query.AllSubLink && w == wantFalse:
		p.add(s.withoutSublink(s.proves(n.Test, w)))
		p.add(s.provesSome(n.Subselect))
	case n.Kind == query.ExistsSubLink && (w == wantTrue || w == wantNotFalse):
		p.add(s.provesSome(n.Subselect))
	}
	return p
}

// withoutSublink drops what is about the columns of the subquery.
func (s *scope) withoutSublink(p proofs) proofs {
	var out proofs
	for _, e := range p.list {
		own := true
		query.Walk(e, func(x query.Expr) bool {
			if prm, ok := x.(*query.Param); ok && prm.Kind == query.ParamSublink {
				own = false
			}
			return own
		})
		if own {
			out.list = append(out.list, e)
		}
	}
	return out
}

// provesSome is what a row of a subquery proves of the columns of this level that
// its WHERE is strict in.
func (s *scope) provesSome(q *query.Query) proofs {
	var p proofs
	if q.Command != query.CmdSelect || q.SetOperations != nil || q.JoinTree == nil ||
		len(q.GroupingSets) > 0 || (q.HasAggs || q.Having != nil) && len(q.GroupClause) == 0 || q.HasTargetSRFs {
		return p
	}
	in := newScope(s.cat, q, s)
	for _, f := range in.exprs {
		if v, ok := f.expr.(*query.Var); ok && v.LevelsUp > 0 {
			c := *v
			c.LevelsUp--
			p.list = append(p.list, &c)
		}
	}
	return p
}
