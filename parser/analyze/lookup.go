package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Resolved is a function that a name and argument types lead to.
type Resolved struct {
	Func *catalog.Func
	// Args are the types that it takes there, Result what it returns there;
	// both may be polymorphic still where the arguments are.
	Args   []pgtype.OID
	Result pgtype.OID
}

// Lookup resolves a plain function as a call with arguments of these types would
// (func_get_detail, parse_func.c; enforce_generic_type_consistency,
// parse_coerce.c). It returns nil where there is none or more than one.
func Lookup(cat *catalog.Catalog, names []string, args []pgtype.OID) (r *Resolved, err *Error) {
	defer catchError(&err)
	s := newState(&analyzer{cat: cat, params: params{fixed: true}}, nil)
	got := s.functionDetail(names, nil, nil, args, false, false, noLoc)
	if got.code != detailNormal {
		return nil, nil
	}
	r = &Resolved{Func: got.fn, Args: got.declared}
	r.Result = s.enforceGeneric(args, got.declared, got.result, true)
	return r, nil
}

// TriggerWhen analyses the WHEN condition of a trigger: OLD is range table entry
// 1, NEW entry 2 (CreateTriggerFiringOn, trigger.c).
func TriggerWhen(cat *catalog.Catalog, table *catalog.Table, text string, node *pg.Node) (e query.Expr, err *Error) {
	defer catchError(&err)
	s := newState(&analyzer{cat: cat, text: text, params: params{fixed: true}}, nil)
	for _, name := range []string{"old", "new"} {
		s.addItem(s.addTable(table, &query.Alias{Name: name}, false, false, noLoc), false, true, true)
	}
	e = s.coerceToBoolean(s.expr(node, kindTriggerWhen), "WHEN")
	s.assignCollations(e)
	return e, nil
}
