package infer

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// calledBy returns the functions that evaluating a node calls, its children aside
// (check_functions_in_node, nodeFuncs.c).
func calledBy(cat *catalog.Catalog, x query.Expr) []pgtype.OID { return calls(cat, x, 0) }

// maxCalledDepth bounds how far defaults and CHECKs that call for others are followed,
// which may name each other.
const maxCalledDepth = 4

func calls(cat *catalog.Catalog, x query.Expr, depth int) []pgtype.OID {
	switch n := x.(type) {
	case *query.FuncExpr:
		out := append([]pgtype.OID{n.Func}, calledByDefaults(cat, n, depth)...)
		if f := cat.Func(n.Func); f != nil && readsRows[f.Source] {
			out = append(out, calledByValue(cat, n.Typ, depth)...)
		}
		return out
	case *query.Param:
		return calledByValue(cat, n.Typ, depth)
	case *query.Const:
		return calledByValue(cat, n.Typ, depth)
	case *query.CoerceToDomain:
		return calledByChecks(cat, n.Typ, depth)
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
		return calledByAggregate(cat, n.Func)
	case *query.WindowFunc:
		return calledByAggregate(cat, n.Func)
	case *query.CoerceViaIO:
		var out []pgtype.OID
		if t := cat.Type(cat.BaseType(n.Arg.ResultType())); t != nil && t.Output != 0 {
			out = append(out, t.Output)
		}
		if t := cat.Type(cat.BaseType(n.Typ)); t != nil && t.Input != 0 {
			out = append(out, t.Input)
		}
		return append(out, calledByValue(cat, n.Typ, depth)...)
	}
	return nil
}

// readsRows are functions, by their C names, that make rows of documents as input
// functions do.
var readsRows = set(`json_populate_record json_populate_recordset jsonb_populate_record jsonb_populate_recordset`)

// calledByAggregate are an aggregate and the functions that it is made of.
func calledByAggregate(cat *catalog.Catalog, oid pgtype.OID) []pgtype.OID {
	out := []pgtype.OID{oid}
	f := cat.Func(oid)
	if f == nil || f.Aggregate == nil || f.OID < pgtype.FirstNormalOID {
		return out
	}
	for _, part := range []pgtype.OID{f.Aggregate.TransFunc, f.Aggregate.FinalFunc, f.Aggregate.MovingTransFunc} {
		if part != 0 {
			out = append(out, part)
		}
	}
	return out
}

// calledByDefaults are the functions that the defaults of the arguments which a call
// leaves out call: they become part of it when it is planned (expand_function_arguments,
// clauses.c).
func calledByDefaults(cat *catalog.Catalog, n *query.FuncExpr, depth int) []pgtype.OID {
	f := cat.Func(n.Func)
	if f == nil || len(n.Args) >= len(f.Args) {
		return nil
	}
	given := map[int]bool{}
	for i, a := range n.Args {
		if k, ok := a.(*query.NamedArgExpr); ok {
			i = k.Number
		}
		given[i] = true
	}
	var out []pgtype.OID
	for i, d := range f.DefaultExprs {
		if !given[len(f.Args)-f.Defaults+i] {
			out = append(out, calledWithin(cat, d, depth+1)...)
		}
	}
	return out
}

// calledByChecks are the functions that the CHECKs of a domain, and of those that it is
// over, call.
func calledByChecks(cat *catalog.Catalog, typ pgtype.OID, depth int) []pgtype.OID {
	var out []pgtype.OID
	for t := cat.Type(typ); t != nil && t.Kind == 'd'; t = cat.Type(t.Base) {
		for _, k := range t.Checks {
			out = append(out, calledWithin(cat, k.Expr, depth+1)...)
		}
	}
	return out
}

// calledByValue are the functions that the CHECKs call when a value of a type is read
// from text, or from a parameter: of a domain, and of what its elements and columns are
// (domain_in, domains.c).
func calledByValue(cat *catalog.Catalog, typ pgtype.OID, depth int) []pgtype.OID {
	t := cat.Type(typ)
	if t == nil || typ < pgtype.FirstNormalOID || depth > maxCalledDepth {
		return nil
	}
	out := calledByChecks(cat, typ, depth)
	switch {
	case t.Kind == 'd':
		out = append(out, calledByValue(cat, t.Base, depth+1)...)
	case t.IsArray():
		out = append(out, calledByValue(cat, t.Element, depth+1)...)
	case t.Kind == 'c':
		if row := cat.Table(t.Relation); row != nil {
			for _, c := range row.Columns {
				out = append(out, calledByValue(cat, c.Type, depth+1)...)
			}
		}
	}
	return out
}

// calledWithin are the functions that a whole expression calls.
func calledWithin(cat *catalog.Catalog, e query.Expr, depth int) []pgtype.OID {
	var out []pgtype.OID
	if depth > maxCalledDepth {
		return nil
	}
	query.Walk(e, func(x query.Expr) bool {
		out = append(out, calls(cat, x, depth)...)
		return true
	})
	return out
}

func opFunc(cat *catalog.Catalog, op pgtype.OID) pgtype.OID {
	if o := cat.Operator(op); o != nil {
		return o.Func
	}
	return 0
}
