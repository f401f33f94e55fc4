// Package eval looks into expressions for the planner: what they contain, which
// relations they need, what they fold to before anything is executed.
//
// [Fold] is PostgreSQL's eval_const_expressions, [Estimate] its
// estimate_expression_value. Functions are evaluated at plan time where the
// table in functions.go names them; any other immutable call of constants makes
// the plan approximate, because the server would have known its value.
//
// The package imports parser packages, planner/stats and planner/rel.
package eval

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// BoolConst returns TRUE or FALSE (makeBoolConst, makefuncs.c).
func BoolConst(v bool) *query.Const {
	c := &query.Const{Header: query.Header{Typ: pgtype.BoolOID, Mod: -1}, Value: "f", Len: 1, ByVal: true}
	if v {
		c.Value = "t"
	}
	return c
}

// NullBool returns a NULL of type boolean.
func NullBool() *query.Const {
	return &query.Const{Header: query.Header{Typ: pgtype.BoolOID, Mod: -1}, Null: true, Len: 1, ByVal: true}
}

// IsTrue reports whether e is the constant TRUE.
func IsTrue(e query.Expr) bool {
	c, ok := e.(*query.Const)
	return ok && !c.Null && c.Typ == pgtype.BoolOID && c.Value == "t"
}

// IsFalseOrNull reports whether e is the constant FALSE or a boolean NULL.
func IsFalseOrNull(e query.Expr) bool {
	c, ok := e.(*query.Const)
	return ok && c.Typ == pgtype.BoolOID && (c.Null || c.Value == "f")
}

// IsNullConst reports whether e is a NULL constant.
func IsNullConst(e query.Expr) bool {
	c, ok := e.(*query.Const)
	return ok && c.Null
}

// AndList returns the members of an implicit AND: none for nil and TRUE
// (make_ands_implicit, makefuncs.c).
func AndList(e query.Expr) []query.Expr {
	if e == nil || IsTrue(e) {
		return nil
	}
	if b, ok := e.(*query.BoolExpr); ok && b.Op == query.AndExpr {
		return b.Args
	}
	return []query.Expr{e}
}

// MakeAnd joins a list to one expression: TRUE for an empty one
// (make_ands_explicit, makefuncs.c).
func MakeAnd(list []query.Expr) query.Expr {
	switch len(list) {
	case 0:
		return BoolConst(true)
	case 1:
		return list[0]
	}
	return MakeBool(query.AndExpr, list)
}

// MakeOr joins a list to one OR: FALSE for an empty one.
func MakeOr(list []query.Expr) query.Expr {
	switch len(list) {
	case 0:
		return BoolConst(false)
	case 1:
		return list[0]
	}
	return MakeBool(query.OrExpr, list)
}

// MakeBool makes an AND, OR or NOT node (makeBoolExpr, makefuncs.c).
func MakeBool(op query.BoolExprType, args []query.Expr) *query.BoolExpr {
	return &query.BoolExpr{Header: query.Header{Typ: pgtype.BoolOID, Mod: -1}, Op: op, Args: args}
}

// IsAnd, IsOr and IsNot tell the boolean operators apart.
func IsAnd(e query.Expr) bool { return isBool(e, query.AndExpr) }

// IsOr reports whether e is an OR.
func IsOr(e query.Expr) bool { return isBool(e, query.OrExpr) }

// IsNot reports whether e is a NOT.
func IsNot(e query.Expr) bool { return isBool(e, query.NotExpr) }

func isBool(e query.Expr, op query.BoolExprType) bool {
	b, ok := e.(*query.BoolExpr)
	return ok && b.Op == op
}

// AsOp returns the operator call in e: an OpExpr, or the OpExpr inside a
// DistinctExpr or NullIfExpr; nil for anything else.
func AsOp(e query.Expr) *query.OpExpr {
	switch n := e.(type) {
	case *query.OpExpr:
		return n
	case *query.DistinctExpr:
		return &n.OpExpr
	case *query.NullIfExpr:
		return &n.OpExpr
	}
	return nil
}

// StripRelabel drops the RelabelType nodes on top of e
// (strip_implicit_coercions as far as planning needs it).
func StripRelabel(e query.Expr) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			return e
		}
		e = r.Arg
	}
}

// ApplyRelabel returns e under another type, typmod and collation without a
// change of its value, folding the relabelling of a constant and of a
// relabelling (applyRelabelType, nodeFuncs.c).
func ApplyRelabel(e query.Expr, typ pgtype.OID, mod pgtype.Typmod, coll pgtype.OID) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			break
		}
		e = r.Arg
	}
	if c, ok := e.(*query.Const); ok {
		d := *c
		d.Typ, d.Mod, d.Coll = typ, mod, coll
		return &d
	}
	if e.ResultType() == typ && e.ResultTypmod() == mod && e.ResultCollation() == coll {
		return e
	}
	return &query.RelabelType{
		Header: query.Header{Typ: typ, Mod: mod, Coll: coll, Loc: e.Span()},
		Arg:    e, Form: query.CoerceImplicitCast,
	}
}
