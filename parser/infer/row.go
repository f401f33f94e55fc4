package infer

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// field is (row).field: NULL where the row is or the field.
func (s *scope) field(n *query.FieldSelect) value {
	row := s.value(n.Arg)
	if n.Field >= 1 && n.Field <= len(row.fields) {
		v := row.fields[n.Field-1]
		switch {
		case v.notNull && row.notNull:
			return v.because("field of a row (" + v.reason() + ")")
		case v.notNull:
			v.notNull = false
			return v.because("the row can be NULL (" + row.reason() + ")")
		}
		return v
	}
	return maybe("a field of a composite value can be NULL")
}

// subLink is a subquery in an expression.
func (s *scope) subLink(n *query.SubLink) value {
	switch n.Kind {
	case query.ExistsSubLink:
		return never("EXISTS is true or false")
	case query.ArraySubLink:
		v := never("ARRAY(…) is empty rather than NULL")
		in := newScope(s.cat, n.Subselect, s)
		if list := in.values(); len(list) > 0 {
			v.elements, v.elem = s.arrayOf(in.outputs()[0].Expr.ResultType(), list[0])
		}
		return v
	case query.ExprSubLink:
		in := newScope(s.cat, n.Subselect, s)
		list := in.values()
		if len(list) == 0 {
			return maybe("subquery without a column")
		}
		v := list[0]
		switch {
		case v.notNull && in.someRow():
			return v.because("the subquery always has a row (" + v.reason() + ")")
		case v.notNull && in.keyRow() != "":
			return v.because("the subquery always has a row by " + in.keyRow())
		case v.notNull:
			v.notNull = false
			return v.because("the subquery may have no row" + in.distrustRow())
		}
		return v.because("the subquery's column can be NULL (" + v.reason() + ")")
	case query.AnySubLink, query.AllSubLink:
		return s.quantified(n)
	}
	return maybe("a comparison with a subquery can be NULL")
}

// quantified is x op ANY (subquery) and ALL: unknown only where a comparison is.
func (s *scope) quantified(n *query.SubLink) value {
	in := newScope(s.cat, n.Subselect, s)
	cols := in.values()
	leave := s.enter()
	s.sublinkCols = cols
	v := s.value(n.Test)
	leave()
	if v.notNull {
		return v.because("the operand and the subquery's columns are not null")
	}
	return maybe("a comparison with the subquery's rows can be NULL (" + v.reason() + ")")
}

// someRow reports whether a query has a row at least.
func (s *scope) someRow() bool { return s.rows(nil).min >= 1 }

// bodyValue is what a SQL function that returns one value gives: the first row of its
// last statement, or NULL where that has none.
func (s *scope) bodyValue(f *catalog.Func, args []query.Expr) value {
	if f.Strict {
		if v := s.all("argument", args); !v.notNull {
			return v
		}
	}
	in := s.body(f, args)
	if in == nil {
		return maybe("function " + f.Name + " can return anything")
	}
	list := in.values()
	v := value{}
	switch outs := in.outputs(); {
	case len(list) == 1 && (outs[0].Expr.ResultType() == f.Result || s.cat.BaseType(f.Result) == s.cat.BaseType(outs[0].Expr.ResultType())):
		v = list[0]
	case len(list) > 0 && s.cat.ResultColumns(f) != nil && len(s.cat.ResultColumns(f)) == len(list):
		v = never("a row")
		v.fields = list
	default:
		return maybe("function " + f.Name + " can return anything")
	}
	if v.notNull && !in.someRow() {
		v.notNull = false
		return v.because("the last statement of function " + f.Name + " may have no row")
	}
	return v.because("function " + f.Name + ": " + v.reason())
}

// body is the scope of the last statement of a SQL function that is called with
// arguments; nil where it is not known, or is being looked at already.
func (s *scope) body(f *catalog.Func, args []query.Expr) *scope {
	if f.Language != "sql" || len(f.Body) == 0 || f.Result == pgtype.VoidOID || len(args) != len(f.Args) || f.Kind != 'f' {
		return nil
	}
	if slices.Contains(s.calls, f.OID) {
		return nil
	}
	list := make([]value, len(args))
	for i, a := range args {
		list[i] = s.value(a)
	}
	last := f.Body[len(f.Body)-1]
	if last.Command != query.CmdSelect && len(last.Returning) == 0 {
		return nil
	}
	return s.shared().scope(s.cat, last, nil, list, append(slices.Clone(s.calls), f.OID)...)
}
