package infer

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// outcome is the set of outcomes that a condition may have.
type outcome int

const (
	outTrue outcome = 1 << iota
	outFalse
	outNull
	outAny = outTrue | outFalse | outNull
)

// not is the set for NOT.
func (t outcome) not() outcome {
	out := t & outNull
	if t&outTrue != 0 {
		out |= outFalse
	}
	if t&outFalse != 0 {
		out |= outTrue
	}
	return out
}

// decided is a condition whose outcome is known.
type decided struct {
	cond query.Expr
	may  outcome
}

// outcome works out the outcomes that a condition may have, by what is known of its
// parts and of the conditions that were decided before.
func (s *scope) outcome(e query.Expr) outcome {
	t := s.byForm(e)
	for _, d := range s.truths {
		t &= s.sameOutcome(e, d)
	}
	if !s.afresh() {
		for _, c := range s.conds {
			t &= s.sameOutcome(e, decided{c, outTrue})
		}
	}
	return t
}

// afresh tells that WHERE says nothing of what is looked at: a row that has just
// been written, or a group that leaves columns out.
func (s *scope) afresh() bool {
	if len(s.q.GroupingSets) > 0 && !s.inAgg || s.newRow || s.ofNoRows() {
		return true
	}
	switch s.q.Command {
	case query.CmdInsert, query.CmdUpdate, query.CmdMerge:
		return !s.oldRow
	}
	return false
}

// outcomes is outcome by the form of the condition alone.
func (s *scope) byForm(e query.Expr) outcome {
	switch n := e.(type) {
	case *query.Const:
		switch {
		case n.Null:
			return outNull
		case n.Value == "t" || n.Value == "true":
			return outTrue
		}
		return outFalse
	case *query.RelabelType:
		return s.outcome(n.Arg)
	case *query.BoolExpr:
		return s.logicTruth(n)
	case *query.NullTest:
		return s.nullTruth(n)
	case *query.BooleanTest:
		return booleanTruth(n.Kind, s.outcome(n.Arg))
	case *query.DistinctExpr:
		for i := range n.Args {
			a, b := s.value(n.Args[i]), s.value(n.Args[1-i])
			switch {
			case a.null && b.null:
				return outFalse
			case a.null && b.notNull:
				return outTrue
			}
		}
		return outTrue | outFalse
	case *query.OpExpr:
		if t, ok := s.boolEquality(n); ok {
			return t
		}
	case *query.ScalarArrayOpExpr:
		if t, ok := s.listTruth(n); ok {
			return t
		}
	}
	if v := s.value(e); v.notNull {
		return outTrue | outFalse
	} else if v.null {
		return outNull
	}
	return outAny
}

// logicTruth combines the operands of AND, OR and NOT.
func (s *scope) logicTruth(n *query.BoolExpr) outcome {
	switch n.Op {
	case query.NotExpr:
		return s.outcome(n.Args[0]).not()
	case query.OrExpr:
		return s.deMorgan(n.Args)
	}
	out := outTrue
	for _, a := range n.Args {
		out = combine(out, s.outcome(a), and)
	}
	return out
}

// deMorgan is OR as NOT (NOT a AND NOT b).
func (s *scope) deMorgan(args []query.Expr) outcome {
	out := outTrue
	for _, a := range args {
		out = combine(out, s.outcome(a).not(), and)
	}
	return out.not()
}

// combine applies a connective to every pair of outcomes.
func combine(a, b outcome, f func(x, y outcome) outcome) outcome {
	var out outcome
	for _, x := range []outcome{outTrue, outFalse, outNull} {
		for _, y := range []outcome{outTrue, outFalse, outNull} {
			if a&x != 0 && b&y != 0 {
				out |= f(x, y)
			}
		}
	}
	return out
}

func and(x, y outcome) outcome {
	switch {
	case x == outFalse || y == outFalse:
		return outFalse
	case x == outNull || y == outNull:
		return outNull
	}
	return outTrue
}

func same(x, y outcome) outcome {
	switch {
	case x == outNull || y == outNull:
		return outNull
	case x == y:
		return outTrue
	}
	return outFalse
}

// nullTruth is IS [NOT] NULL.
func (s *scope) nullTruth(n *query.NullTest) outcome {
	t := outTrue | outFalse
	v := s.value(n.Arg)
	switch {
	case n.ArgIsRow:
		if v.null {
			t = outTrue
		} else {
			return t
		}
	case v.null:
		t = outTrue
	case v.notNull:
		t = outFalse
	}
	if n.Not {
		return t.not()
	}
	return t
}

// booleanTruth is IS TRUE and its kin of an operand with the given outcomes.
func booleanTruth(k query.BoolTestType, arg outcome) outcome {
	hit := [...]outcome{
		query.IsTrue: outTrue, query.IsNotTrue: outFalse | outNull,
		query.IsFalse: outFalse, query.IsNotFalse: outTrue | outNull,
		query.IsUnknown: outNull, query.IsNotUnknown: outTrue | outFalse,
	}[k]
	var out outcome
	if arg&hit != 0 {
		out |= outTrue
	}
	if arg&^hit != 0 {
		out |= outFalse
	}
	return out
}

// boolEquality is = and <> between conditions.
func (s *scope) boolEquality(n *query.OpExpr) (outcome, bool) {
	if len(n.Args) != 2 || n.Args[0].ResultType() != pgtype.BoolOID || n.Args[1].ResultType() != pgtype.BoolOID {
		return 0, false
	}
	o := s.cat.Operator(n.Op)
	if o == nil || o.OID >= pgtype.FirstNormalOID || o.Name != "=" && o.Name != "<>" {
		return 0, false
	}
	t := combine(s.outcome(n.Args[0]), s.outcome(n.Args[1]), same)
	if o.Name == "<>" {
		t = t.not()
	}
	return t, true
}

// listTruth is x = ANY (list) for a list of known elements, as IN writes it: the OR
// of the comparisons; x <> ALL (list) is the AND.
func (s *scope) listTruth(n *query.ScalarArrayOpExpr) (outcome, bool) {
	elems, ok := s.elementsOf(n.Args[1])
	if !ok || len(elems) > 64 {
		return 0, false
	}
	out := outTrue
	for _, e := range elems {
		eq := &query.OpExpr{Header: n.Header, Op: n.Op, Func: n.Func, InputColl: n.InputColl, Args: []query.Expr{n.Args[0], e}}
		t := s.outcome(eq)
		if n.UseOr {
			t = t.not()
		}
		out = combine(out, t, and)
	}
	if n.UseOr {
		out = out.not()
	}
	return out, true
}

// sameOutcome is what a decided condition says of another: the same condition, its
// negation, or equality of the same expression with another constant.
func (s *scope) sameOutcome(e query.Expr, d decided) outcome {
	if sameExpr(e, d.cond) {
		if s.repeatableCond(e) {
			return d.may
		}
		return outAny
	}
	switch n := d.cond.(type) {
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return s.sameOutcome(e, decided{n.Args[0], d.may.not()})
		}
		return outAny
	case *query.NullTest:
		if m, ok := e.(*query.NullTest); ok && m.Not != n.Not && m.ArgIsRow == n.ArgIsRow && !m.ArgIsRow && sameExpr(m.Arg, n.Arg) && s.repeatable(m.Arg) {
			return d.may.not()
		}
		return outAny
	}
	x, ok := e.(*query.OpExpr)
	y, ok2 := d.cond.(*query.OpExpr)
	if !ok || !ok2 || len(x.Args) != 2 || len(y.Args) != 2 || !s.repeatable(x) || x.InputColl != y.InputColl {
		return outAny
	}
	o := s.cat.Operator(x.Op)
	if o == nil || o.OID >= pgtype.FirstNormalOID {
		return outAny
	}
	if o.Negator == y.Op && sameExpr(x.Args[0], y.Args[0]) && sameExpr(x.Args[1], y.Args[1]) {
		return d.may.not()
	}
	if o.Commutator == y.Op && sameExpr(x.Args[0], y.Args[1]) && sameExpr(x.Args[1], y.Args[0]) {
		return d.may
	}
	if d.may == outTrue && x.Op == y.Op && o.Name == "=" && sameExpr(x.Args[0], y.Args[0]) && s.otherConstant(x.Args[1], y.Args[1]) {
		return outFalse
	}
	return outAny
}

// repeatableCond is repeatable for conditions.
func (s *scope) repeatableCond(e query.Expr) bool {
	good := true
	query.Walk(e, func(x query.Expr) bool {
		switch x.(type) {
		case *query.SubLink:
			good = false
		case *query.BoolExpr, *query.NullTest, *query.BooleanTest, *query.RowExpr, *query.Const:
		default:
			good = good && s.repeatable(x)
			return false
		}
		return good
	})
	return good
}

// otherConstant reports whether two constants of a type differ in value: those whose
// text says it.
func (s *scope) otherConstant(a, b query.Expr) bool {
	x, ok := a.(*query.Const)
	y, ok2 := b.(*query.Const)
	if !ok || !ok2 || x.Null || y.Null || x.Typ != y.Typ || x.Value == y.Value {
		return false
	}
	switch x.Typ {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.BoolOID, pgtype.UuidOID:
		return true
	case pgtype.TextOID, pgtype.VarcharOID:
		return s.deterministic(x.Coll)
	}
	t := s.cat.Type(x.Typ)
	return t != nil && t.Kind == 'e'
}

// deterministic reports whether a collation calls equal only what is the same text.
func (s *scope) deterministic(coll pgOID) bool {
	c := s.cat.Collation(coll)
	return c != nil && c.Deterministic
}

// elementsOf returns the elements of an array that is written out.
func (s *scope) elementsOf(e query.Expr) ([]query.Expr, bool) {
	switch n := e.(type) {
	case *query.ArrayExpr:
		return n.Elements, !n.Multidims
	case *query.RelabelType:
		return s.elementsOf(n.Arg)
	case *query.Const:
		t := s.cat.Type(n.Typ)
		if n.Null || t == nil || !t.IsArray() {
			return nil, false
		}
		list, ok := arrayElements(n.Value)
		if !ok || !commas(s.cat, t) {
			return nil, false
		}
		out := make([]query.Expr, len(list))
		for i, x := range list {
			out[i] = &query.Const{Header: query.Header{Typ: t.Element, Mod: n.Mod, Coll: n.Coll}, Null: x.null, Value: x.text}
		}
		return out, true
	}
	return nil, false
}

// enumExhausted reports whether the conditions that were decided leave an enum no
// label: the ELSE of a CASE that names them all is never reached.
func (s *scope) enumExhausted() bool {
	for _, d := range s.truths {
		op, ok := d.cond.(*query.OpExpr)
		if !ok || len(op.Args) != 2 {
			continue
		}
		t := s.cat.Type(op.Args[0].ResultType())
		if t == nil || t.Kind != 'e' || len(t.Labels) == 0 || !s.value(op.Args[0]).notNull {
			continue
		}
		open := false
		for _, label := range t.Labels {
			eq := *op
			eq.Args = []query.Expr{op.Args[0], &query.Const{Header: query.Header{Typ: t.OID, Mod: pgtype.NoTypmod}, Value: label}}
			open = open || s.outcome(&eq)&outTrue != 0
		}
		o := s.cat.Operator(op.Op)
		if o != nil && o.Name == "=" && o.OID < pgtype.FirstNormalOID && !open {
			return true
		}
	}
	return false
}
