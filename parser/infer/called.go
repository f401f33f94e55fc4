package infer

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// calledBy returns the functions that evaluating a node calls, its children aside
// (check_functions_in_node, nodeFuncs.c).
func calledBy(cat *catalog.Catalog, x query.Expr) []pgtype.OID {
	switch n := x.(type) {
	case *query.FuncExpr:
		return []pgtype.OID{n.Func}
	case *query.OpExpr:
		return []pgtype.OID{opFunc(cat, n.Op)}
	case *query.DistinctExpr:
		return []pgtype.OID{opFunc(cat, n.Op)}
	case *query.NullIfExpr:
		return []pgtype.OID{opFunc(cat, n.Op)}
	case *query.ScalarArrayOpExpr:
		return []pgtype.OID{opFunc(cat, n.Op)}
	case *query.RowCompareExpr:
		var out []pgtype.OID
		for _, o := range n.Ops {
			out = append(out, opFunc(cat, o))
		}
		return out
	case *query.MinMaxExpr:
		lt, _ := cat.SortOps(n.Typ)
		return []pgtype.OID{opFunc(cat, lt)}
	case *query.Aggref:
		out := []pgtype.OID{n.Func}
		if f := cat.Func(n.Func); f != nil && f.Aggregate != nil && f.OID >= pgtype.FirstNormalOID {
			out = append(out, f.Aggregate.TransFunc)
			if f.Aggregate.FinalFunc != 0 {
				out = append(out, f.Aggregate.FinalFunc)
			}
		}
		return out
	case *query.WindowFunc:
		return []pgtype.OID{n.Func}
	case *query.CoerceViaIO:
		var out []pgtype.OID
		if t := cat.Type(cat.BaseType(n.Arg.ResultType())); t != nil && t.Output != 0 {
			out = append(out, t.Output)
		}
		if t := cat.Type(cat.BaseType(n.Typ)); t != nil && t.Input != 0 {
			out = append(out, t.Input)
		}
		return out
	}
	return nil
}

func opFunc(cat *catalog.Catalog, op pgtype.OID) pgtype.OID {
	if o := cat.Operator(op); o != nil {
		return o.Func
	}
	return 0
}
