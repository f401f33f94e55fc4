package analyze

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// SQLFunction is the body of a function or procedure in SQL.
type SQLFunction struct {
	// Text is what the locations in Stmts are offsets into.
	Text  string
	Stmts []*pg.Node
	// Func is the function: its name, the types and names of its arguments and
	// what it returns. It need not be in the catalog.
	Func *catalog.Func
}

// Function analyses the statements of a SQL function in their order, with its
// arguments as external Params, and coerces what the last one returns to the
// declared result (fmgr_sql_validator, catalog/pg_proc.c; check_sql_fn_retval,
// executor/functions.c). A result that cannot be coerced is an error.
func Function(cat *catalog.Catalog, in SQLFunction) ([]*query.Query, *Error) {
	names := in.Func.InputNames()
	var out []*query.Query
	for _, n := range in.Stmts {
		r, err := Analyze(cat, Input{
			Text: in.Text, Node: n, Fixed: true, Params: in.Func.Args, ParamNames: names, FuncName: in.Func.Name,
		})
		if err != nil {
			return nil, err
		}
		out = append(out, r.Query)
	}
	if err := functionResult(cat, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// functionResult holds the last statement against the declared result.
func functionResult(cat *catalog.Catalog, in SQLFunction, body []*query.Query) (err *Error) {
	defer catchError(&err)
	f := in.Func
	if f.Result == pgtype.VoidOID {
		return nil
	}
	s := newState(&analyzer{cat: cat, text: in.Text, params: params{fixed: true, types: f.Args}}, nil)
	mismatch := func(detail string, args ...any) {
		s.failDetail(errInvalidFunctionDef, noLoc, fmt.Sprintf(detail, args...),
			"return type mismatch in function declared to return %s", s.format(f.Result))
	}
	var last *query.Query
	if len(body) > 0 {
		last = body[len(body)-1]
	}
	targets, modifiable := finalTargets(last)
	if targets == nil {
		word := "INSERT/UPDATE/DELETE"
		if cat.Major >= 17 {
			word += "/MERGE"
		}
		mismatch("Function's final statement must be SELECT or %s RETURNING.", word)
	}
	var visible []*query.TargetEntry
	for _, t := range targets {
		if !t.Junk {
			visible = append(visible, t)
		}
	}
	kind := byte('b')
	if t := cat.Type(f.Result); t != nil {
		kind = t.Kind
	}
	switch {
	case kind == 'c' || f.Result == pgtype.RecordOID:
		if len(visible) == 1 && f.Kind != 'p' && s.coerceResult(visible[0], f.Result, pgtype.NoTypmod, modifiable) {
			return nil
		}
		cols := cat.ResultColumns(f)
		if f.Result == pgtype.RecordOID && f.Kind != 'p' && len(cols) == 1 {
			// One result parameter of a function is its result, here a record of
			// any columns (build_function_result_tupdesc_d, funcapi.c).
			cols = nil
		}
		s.rowResult(visible, cols, modifiable, mismatch)
	case kind == 'p':
		s.fail(errInvalidFunctionDef, noLoc, "return type %s is not supported for SQL functions", s.format(f.Result))
	case len(visible) != 1:
		mismatch("Final statement must return exactly one column.")
	case !s.coerceResult(visible[0], f.Result, pgtype.NoTypmod, modifiable):
		mismatch("Actual return type is %s.", s.format(visible[0].Expr.ResultType()))
	}
	return nil
}

// rowResult holds columns against those of the declared row; nil columns are not
// known and not checked.
func (s *state) rowResult(visible []*query.TargetEntry, cols []*catalog.Column, modifiable bool, mismatch func(string, ...any)) {
	if cols == nil {
		return
	}
	n := 0
	for _, t := range visible {
		for n < len(cols) && cols[n].Dropped {
			n++
		}
		if n == len(cols) {
			mismatch("Final statement returns too many columns.")
		}
		if c := cols[n]; !s.coerceResult(t, c.Type, c.Typmod, modifiable) {
			live := 0
			for _, x := range cols[:n+1] {
				if !x.Dropped {
					live++
				}
			}
			mismatch("Final statement returns %s instead of %s at column %d.",
				s.format(t.Expr.ResultType()), s.format(c.Type), live)
		}
		n++
	}
	for ; n < len(cols); n++ {
		if !cols[n].Dropped {
			mismatch("Final statement returns too few columns.")
		}
	}
}

// finalTargets are the columns that a statement returns, and whether they may be
// coerced where they stand; nil for a statement that returns nothing.
func finalTargets(q *query.Query) ([]*query.TargetEntry, bool) {
	switch {
	case q == nil:
		return nil, false
	case q.Command == query.CmdSelect:
		return append([]*query.TargetEntry{}, q.TargetList...), q.SetOperations == nil
	case q.Command == query.CmdUtility || len(q.Returning) == 0:
		return nil, false
	}
	return q.Returning, true
}

// coerceResult coerces one column of the result (coerce_fn_result_column). A
// column that something else of the query refers to keeps its type; that it could
// be coerced is checked all the same.
func (s *state) coerceResult(t *query.TargetEntry, target pgtype.OID, mod pgtype.Typmod, modifiable bool) bool {
	if !modifiable || t.SortGroupRef != 0 {
		return s.canCoerce1(t.Expr.ResultType(), target, assignment)
	}
	e := s.coerceToTarget(t.Expr, target, mod, assignment, query.CoerceImplicitCast, noLoc)
	if e == nil {
		return false
	}
	s.assignCollations(e)
	t.Expr = e
	return true
}
