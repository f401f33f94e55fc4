package infer

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// repeatable reports whether an expression has the same value wherever it stands in
// a row: it calls nothing but built-in functions that are not volatile, and has no
// subquery, whose rows may come in another order.
func (s *scope) repeatable(e query.Expr) bool {
	switch n := e.(type) {
	case *query.Var, *query.Param:
		return true
	case *query.Const, *query.BoolExpr, *query.NullTest, *query.BooleanTest, *query.SubLink, *query.RowExpr:
		return false
	case *query.FuncExpr:
		if n.RetSet {
			return false
		}
	}
	good := true
	query.Walk(e, func(x query.Expr) bool {
		var f pgOID
		switch n := x.(type) {
		case *query.FuncExpr:
			f = n.Func
			good = good && !n.RetSet
		case *query.OpExpr:
			f = s.operatorFunc(n.Op)
		case *query.NullIfExpr:
			f = s.operatorFunc(n.Op)
		case *query.DistinctExpr:
			f = s.operatorFunc(n.Op)
		case *query.ScalarArrayOpExpr:
			f = s.operatorFunc(n.Op)
		case *query.SubLink, *query.NextValueExpr, *query.CurrentOfExpr, *query.WindowFunc, *query.CoerceToDomain:
			good = false
		}
		if f != 0 {
			fn := s.cat.Func(f)
			good = good && fn != nil && fn.Volatile != 'v' && fn.OID < pgtype.FirstNormalOID
		}
		return good
	})
	return good
}

func (s *scope) operatorFunc(op pgOID) pgOID {
	if o := s.cat.Operator(op); o != nil {
		return o.Func
	}
	return 0
}
