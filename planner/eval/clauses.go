package eval

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// EachFunc calls fn with the OID of every function that node e itself, not what
// is below it, runs, until fn returns true (check_functions_in_node,
// nodeFuncs.c). It reports whether fn did.
func EachFunc(cat *catalog.Catalog, e query.Expr, fn func(pgtype.OID) bool) bool {
	switch n := e.(type) {
	case *query.Aggref:
		return fn(n.Func)
	case *query.WindowFunc:
		return fn(n.Func)
	case *query.FuncExpr:
		return fn(n.Func)
	case *query.OpExpr:
		return fn(opFunc(cat, n))
	case *query.DistinctExpr:
		return fn(opFunc(cat, &n.OpExpr))
	case *query.NullIfExpr:
		return fn(opFunc(cat, &n.OpExpr))
	case *query.ScalarArrayOpExpr:
		return fn(saopFunc(cat, n))
	case *query.CoerceViaIO:
		if t := cat.Type(n.Typ); t != nil && fn(t.Input) {
			return true
		}
		t := cat.Type(n.Arg.ResultType())
		return t != nil && fn(t.Output)
	case *query.RowCompareExpr:
		for _, op := range n.Ops {
			if o := cat.Operator(op); o != nil && fn(o.Func) {
				return true
			}
		}
	}
	return false
}

func opFunc(cat *catalog.Catalog, n *query.OpExpr) pgtype.OID {
	if n.Func == 0 {
		if o := cat.Operator(n.Op); o != nil {
			return o.Func
		}
	}
	return n.Func
}

func saopFunc(cat *catalog.Catalog, n *query.ScalarArrayOpExpr) pgtype.OID {
	if n.Func == 0 {
		if o := cat.Operator(n.Op); o != nil {
			return o.Func
		}
	}
	return n.Func
}

// anyNode reports whether fn holds for some node of e, the subqueries of
// sublinks included.
func anyNode(e query.Expr, fn func(query.Expr) bool) bool {
	found := false
	query.WalkLevels(e, func(x query.Expr, _ int) bool {
		found = found || fn(x)
		return !found
	})
	return found
}

// anyHere is anyNode that stays out of subqueries.
func anyHere(e query.Expr, fn func(query.Expr) bool) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		found = found || fn(x)
		return !found
	})
	return found
}

func volatility(cat *catalog.Catalog, oid pgtype.OID) byte {
	if f := cat.Func(oid); f != nil {
		return f.Volatile
	}
	return 'v'
}

// ContainVolatile reports whether e runs a volatile function
// (contain_volatile_functions, clauses.c).
func ContainVolatile(cat *catalog.Catalog, e query.Expr) bool {
	return anyNode(e, func(x query.Expr) bool { return volatileNode(cat, x) })
}

// ContainVolatileQuery is [ContainVolatile] over a query and all below it.
func ContainVolatileQuery(cat *catalog.Catalog, q *query.Query) bool {
	found := false
	q.WalkLevels(func(x query.Expr, _ int) bool {
		found = found || volatileNode(cat, x)
		return !found
	})
	return found
}

func volatileNode(cat *catalog.Catalog, x query.Expr) bool {
	if _, ok := x.(*query.NextValueExpr); ok {
		return true
	}
	return EachFunc(cat, x, func(f pgtype.OID) bool { return volatility(cat, f) == 'v' })
}

// ContainVolatileNotNextval is [ContainVolatile] that lets nextval pass
// (contain_volatile_functions_not_nextval, clauses.c).
func ContainVolatileNotNextval(cat *catalog.Catalog, e query.Expr) bool {
	return anyNode(e, func(x query.Expr) bool {
		return EachFunc(cat, x, func(oid pgtype.OID) bool {
			f := cat.Func(oid)
			return f == nil || f.Volatile == 'v' && f.Source != "nextval_oid"
		})
	})
}

// ContainMutable reports whether the value of e may change between executions:
// it runs a stable or volatile function, or is CURRENT_DATE and its kin
// (contain_mutable_functions, clauses.c).
func ContainMutable(cat *catalog.Catalog, e query.Expr) bool {
	return anyNode(e, func(x query.Expr) bool {
		switch x.(type) {
		case *query.SQLValueFunction, *query.NextValueExpr:
			return true
		}
		return EachFunc(cat, x, func(f pgtype.OID) bool { return volatility(cat, f) != 'i' })
	})
}

// Strict reports whether a function returns NULL on any NULL argument
// (func_strict, lsyscache.c).
func Strict(cat *catalog.Catalog, fn pgtype.OID) bool {
	f := cat.Func(fn)
	return f != nil && f.Strict
}

// OpStrict reports whether an operator's function is strict (op_strict,
// lsyscache.c).
func OpStrict(cat *catalog.Catalog, op pgtype.OID) bool {
	o := cat.Operator(op)
	return o != nil && Strict(cat, o.Func)
}

// ContainNonStrict reports whether e may return something but NULL for a NULL
// input (contain_nonstrict_functions, clauses.c).
func ContainNonStrict(cat *catalog.Catalog, e query.Expr) bool {
	switch n := e.(type) {
	case nil:
		return false
	case *query.GroupingFunc:
		return false
	case *query.Aggref, *query.WindowFunc, *query.DistinctExpr, *query.NullIfExpr, *query.SubLink, *query.SubPlan,
		*query.AlternativeSubPlan, *query.FieldStore, *query.CaseExpr, *query.ArrayExpr, *query.RowExpr, *query.RowCompareExpr,
		*query.CoalesceExpr, *query.MinMaxExpr, *query.XMLExpr, *query.JSONExpr, *query.NullTest, *query.BooleanTest:
		return true
	case *query.SubscriptingRef:
		if n.Assign != nil || !fetchStrict(cat, n.ContainerType) {
			return true
		}
	case *query.BoolExpr:
		if n.Op != query.NotExpr {
			return true
		}
	case *query.ScalarArrayOpExpr:
		if !strictSAOP(cat, n, false) {
			return true
		}
	case *query.CoerceViaIO:
		return ContainNonStrict(cat, n.Arg)
	case *query.ArrayCoerceExpr:
		return ContainNonStrict(cat, n.Arg)
	default:
		if EachFunc(cat, e, func(f pgtype.OID) bool { return !Strict(cat, f) }) {
			return true
		}
	}
	for _, c := range query.Children(e) {
		if ContainNonStrict(cat, c) {
			return true
		}
	}
	return false
}

// fetchStrict tells the subscripting handlers of arrays and jsonb, whose fetch
// is strict, from those of extensions.
func fetchStrict(cat *catalog.Catalog, container pgtype.OID) bool {
	t := cat.Type(cat.BaseType(container))
	if t == nil {
		return false
	}
	switch t.Subscript {
	case "array_subscript_handler", "raw_array_subscript_handler", "jsonb_subscript_handler":
		return true
	}
	return false
}

// strictSAOP reports whether op ANY/ALL (array) is NULL for a NULL scalar, or,
// with falseOK, NULL or false (is_strict_saop, clauses.c).
func strictSAOP(cat *catalog.Catalog, n *query.ScalarArrayOpExpr, falseOK bool) bool {
	if !Strict(cat, saopFunc(cat, n)) {
		return false
	}
	if n.UseOr && falseOK {
		return true
	}
	switch a := n.Args[1].(type) {
	case *query.Const:
		return !a.Null && a.Value != "{}" && a.Value != ""
	case *query.ArrayExpr:
		return len(a.Elements) > 0 && !a.Multidims
	}
	return false
}

// ContainLeakedVars reports whether e hands a Var to a function that is not
// leakproof (contain_leaked_vars, clauses.c).
func ContainLeakedVars(cat *catalog.Catalog, e query.Expr) bool {
	if e == nil {
		return false
	}
	switch n := e.(type) {
	case *query.Var, *query.Const, *query.Param, *query.ArrayExpr, *query.FieldSelect, *query.FieldStore, *query.NamedArgExpr,
		*query.BoolExpr, *query.RelabelType, *query.CollateExpr, *query.CaseExpr, *query.CaseTestExpr, *query.RowExpr,
		*query.SQLValueFunction, *query.NullTest, *query.BooleanTest, *query.NextValueExpr, *query.CoalesceExpr, *query.PlaceHolderVar:
	case *query.FuncExpr, *query.OpExpr, *query.DistinctExpr, *query.NullIfExpr, *query.ScalarArrayOpExpr, *query.CoerceViaIO:
		if EachFunc(cat, e, func(f pgtype.OID) bool { return leaks(cat, f) }) && ContainVarClause(e) {
			return true
		}
	case *query.ArrayCoerceExpr:
		return ContainVarClause(e) && anyHere(n.Elem, func(x query.Expr) bool {
			return EachFunc(cat, x, func(f pgtype.OID) bool { return leaks(cat, f) })
		})
	case *query.SubscriptingRef:
		if n.Assign != nil || !fetchStrict(cat, n.ContainerType) {
			if ContainVarClause(e) {
				return true
			}
		}
	case *query.RowCompareExpr:
		for i, op := range n.Ops {
			o := cat.Operator(op)
			if (o == nil || leaks(cat, o.Func)) && (ContainVarClause(n.Left[i]) || ContainVarClause(n.Right[i])) {
				return true
			}
		}
	case *query.MinMaxExpr:
		return ContainVarClause(e)
	case *query.CurrentOfExpr:
		return false
	default:
		return true
	}
	for _, c := range query.Children(e) {
		if ContainLeakedVars(cat, c) {
			return true
		}
	}
	return false
}

func leaks(cat *catalog.Catalog, fn pgtype.OID) bool {
	f := cat.Func(fn)
	return f == nil || !f.LeakProof
}

// ContainSubPlans reports whether e holds a subquery, planned or not
// (contain_subplans, clauses.c).
func ContainSubPlans(e query.Expr) bool {
	return anyHere(e, func(x query.Expr) bool {
		switch x.(type) {
		case *query.SubPlan, *query.AlternativeSubPlan, *query.SubLink:
			return true
		}
		return false
	})
}

// ContainAggs reports whether e holds an aggregate or GROUPING of its own query
// level (contain_agg_clause, clauses.c).
func ContainAggs(e query.Expr) bool {
	return anyHere(e, func(x query.Expr) bool {
		switch x.(type) {
		case *query.Aggref, *query.GroupingFunc:
			return true
		}
		return false
	})
}

// ContainWindowFuncs reports whether e holds a window function
// (contain_window_function, clauses.c).
func ContainWindowFuncs(e query.Expr) bool {
	return anyHere(e, func(x query.Expr) bool {
		_, ok := x.(*query.WindowFunc)
		return ok
	})
}

// IsSRF reports whether node e itself is a call that returns a set.
func IsSRF(e query.Expr) bool {
	switch n := e.(type) {
	case *query.FuncExpr:
		return n.RetSet
	case *query.OpExpr:
		return n.RetSet
	}
	return false
}

// ContainSRF reports whether e returns a set (expression_returns_set,
// nodeFuncs.c): arguments of aggregates and window functions do not count.
func ContainSRF(e query.Expr) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		switch x.(type) {
		case *query.Aggref, *query.GroupingFunc, *query.WindowFunc:
			return false
		}
		found = found || IsSRF(x)
		return !found
	})
	return found
}

// IsPseudoConstant reports whether e has one value throughout a scan
// (is_pseudo_constant_clause, clauses.c).
func IsPseudoConstant(cat *catalog.Catalog, e query.Expr) bool {
	return !ContainVarClause(e) && !ContainVolatile(cat, e)
}

// Commute returns op with its arguments swapped and its commutator; nil if it
// has none (CommuteOpExpr, clauses.c).
func Commute(cat *catalog.Catalog, n *query.OpExpr) *query.OpExpr {
	if len(n.Args) != 2 {
		return nil
	}
	o := cat.Operator(n.Op)
	if o == nil || o.Commutator == 0 {
		return nil
	}
	c := *n
	c.Op = o.Commutator
	c.Func = 0
	if p := cat.Operator(c.Op); p != nil {
		c.Func = p.Func
	}
	c.Args = []query.Expr{n.Args[1], n.Args[0]}
	return &c
}

// Inputs calls fn with the two operands of a binary operator clause; it reports
// false for anything else (is_opclause with two arguments).
func Inputs(e query.Expr) (left, right query.Expr, ok bool) {
	n, is := e.(*query.OpExpr)
	if !is || len(n.Args) != 2 {
		return nil, nil, false
	}
	return n.Args[0], n.Args[1], true
}
