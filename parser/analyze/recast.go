package analyze

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Assign makes a value of an analysed expression that is assigned to a column of
// another type, after taking off the casts that were put there by themselves; nil
// where no assignment cast leads there (ATExecAlterColumnType, tablecmds.c).
func Assign(cat *catalog.Catalog, e query.Expr, target pgtype.OID, mod pgtype.Typmod) query.Expr {
	a := &analyzer{cat: cat, params: params{fixed: true}}
	out, err := a.assign(e, target, mod)
	if err != nil {
		return nil
	}
	return out
}

func (a *analyzer) assign(e query.Expr, target pgtype.OID, mod pgtype.Typmod) (out query.Expr, err *Error) {
	defer catchError(&err)
	s := newState(a, nil)
	out = s.coerceToTarget(stripImplicit(e), target, mod, assignment, query.CoerceImplicitCast, noLoc)
	if out != nil {
		s.assignCollations(out)
	}
	return out, nil
}

// Operator resolves a binary operator by its dotted name for two operand types
// (oper, parse_oper.c).
func Operator(cat *catalog.Catalog, names []string, left, right pgtype.OID) (o *catalog.Operator, err *Error) {
	defer catchError(&err)
	a := &analyzer{cat: cat}
	return a.operator(names, left, right, noLoc), nil
}
