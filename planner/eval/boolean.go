package eval

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// The operators = and <> of boolean (pg_operator.dat): pinned OIDs.
const (
	booleanEqual    pgtype.OID = 91
	booleanNotEqual pgtype.OID = 85
)

func (f *folder) boolExpr(n *query.BoolExpr) query.Expr {
	if n.Op == query.NotExpr {
		return Negate(f.cat, f.fold(n.Args[0]))
	}
	// The constant that decides the whole: TRUE for OR, FALSE for AND.
	decides := n.Op == query.OrExpr
	var args []query.Expr
	haveNull := false
	todo := append([]query.Expr(nil), n.Args...)
	for len(todo) > 0 {
		arg := todo[0]
		todo = todo[1:]
		if isBool(arg, n.Op) {
			todo = append(append([]query.Expr(nil), arg.(*query.BoolExpr).Args...), todo...)
			continue
		}
		arg = f.fold(arg)
		if isBool(arg, n.Op) {
			todo = append(append([]query.Expr(nil), arg.(*query.BoolExpr).Args...), todo...)
			continue
		}
		if c, ok := arg.(*query.Const); ok {
			if c.Null {
				haveNull = true
			} else if (c.Value == "t") == decides {
				return BoolConst(decides)
			}
			continue
		}
		args = append(args, arg)
	}
	if haveNull {
		args = append(args, NullBool())
	}
	switch len(args) {
	case 0:
		return BoolConst(!decides)
	case 1:
		return args[0]
	}
	return &query.BoolExpr{Header: n.Header, Op: n.Op, Args: args}
}

// Negate gives NOT e with the negation pushed down as far as it goes
// (negate_clause, prepqual.c). e is simplified already.
func Negate(cat *catalog.Catalog, e query.Expr) query.Expr {
	switch n := e.(type) {
	case *query.Const:
		if n.Null {
			return NullBool()
		}
		return BoolConst(n.Value != "t")
	case *query.OpExpr:
		if o := cat.Operator(n.Op); o != nil && o.Negator != 0 {
			c := *n
			c.Op, c.Func = o.Negator, operatorFunc(cat, o.Negator)
			return &c
		}
	case *query.ScalarArrayOpExpr:
		if o := cat.Operator(n.Op); o != nil && o.Negator != 0 {
			c := *n
			c.Op, c.Func = o.Negator, operatorFunc(cat, o.Negator)
			c.UseOr = !n.UseOr
			return &c
		}
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return n.Args[0]
		}
		op := query.OrExpr
		if n.Op == query.OrExpr {
			op = query.AndExpr
		}
		args := make([]query.Expr, len(n.Args))
		for i, a := range n.Args {
			args[i] = Negate(cat, a)
		}
		return &query.BoolExpr{Header: n.Header, Op: op, Args: args}
	case *query.NullTest:
		if !n.ArgIsRow {
			c := *n
			c.Not = !n.Not
			return &c
		}
	case *query.BooleanTest:
		c := *n
		switch n.Kind {
		case query.IsTrue:
			c.Kind = query.IsNotTrue
		case query.IsNotTrue:
			c.Kind = query.IsTrue
		case query.IsFalse:
			c.Kind = query.IsNotFalse
		case query.IsNotFalse:
			c.Kind = query.IsFalse
		case query.IsUnknown:
			c.Kind = query.IsNotUnknown
		case query.IsNotUnknown:
			c.Kind = query.IsUnknown
		}
		return &c
	}
	return MakeBool(query.NotExpr, []query.Expr{e})
}

func operatorFunc(cat *catalog.Catalog, op pgtype.OID) pgtype.OID {
	if o := cat.Operator(op); o != nil {
		return o.Func
	}
	return 0
}

// booleanEquality turns b = TRUE and its kin into b or NOT b
// (simplify_boolean_equality, clauses.c); nil where neither side is a constant.
func (f *folder) booleanEquality(op pgtype.OID, args []query.Expr) query.Expr {
	if len(args) != 2 {
		return nil
	}
	for i := range 2 {
		c, ok := args[i].(*query.Const)
		if !ok || c.Null {
			continue
		}
		other := args[1-i]
		if (c.Value == "t") == (op == booleanEqual) {
			return other
		}
		return Negate(f.cat, other)
	}
	return nil
}

// isOrdinary reports whether a name stands for a function that evaluates by
// itself: not a set, not of type record (evaluate_function, clauses.c).
func isOrdinary(fn *catalog.Func) bool {
	return fn != nil && !fn.RetSet && fn.Result != pgtype.RecordOID
}
