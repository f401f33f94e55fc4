package infer

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// call is a function call or a cast by function.
func (s *scope) call(n *query.FuncExpr) value {
	f := s.cat.Func(n.Func)
	if f == nil {
		return maybe("unknown function")
	}
	args, ok := s.arguments(n, f)
	if !ok {
		return maybe("function " + f.Name + " with a default that is not known")
	}
	if n.RetSet {
		return s.setCall(f, n, args)
	}
	v := s.apply(f, args, n.Variadic, n.Typ)
	if v.notNull && n.Form != query.CoerceExplicitCall && strings.HasPrefix(v.reason(), f.Name+" of ") {
		// Nobody wrote the function's name: a cast is as much NULL as what it casts.
		v.why = s.value(args[0]).why
	}
	return v
}

// arguments are those of a call in the order of declaration, with the defaults of
// those that were left out; false where one is not known.
func (s *scope) arguments(n *query.FuncExpr, f *catalog.Func) ([]query.Expr, bool) {
	args := n.Args
	named := false
	for _, a := range args {
		_, is := a.(*query.NamedArgExpr)
		named = named || is
	}
	if !named && (len(args) >= len(f.Args) || f.Variadic != 0) {
		return args, true
	}
	out := make([]query.Expr, max(len(f.Args), len(args)))
	for i, a := range args {
		if k, is := a.(*query.NamedArgExpr); is {
			if k.Number < 0 || k.Number >= len(out) {
				return nil, false
			}
			out[k.Number] = k.Arg
		} else {
			out[i] = a
		}
	}
	for i := range out {
		if out[i] != nil {
			continue
		}
		d := i - (len(f.Args) - f.Defaults)
		switch {
		case d >= 0 && d < len(f.DefaultExprs) && f.DefaultExprs[d] != nil:
			out[i] = f.DefaultExprs[d]
		case d >= 0 && d < len(f.DefaultTexts) && !strings.Contains(strings.ToUpper(f.DefaultTexts[d]), "NULL"):
			out[i] = &query.Const{Header: query.Header{Typ: f.Args[i], Mod: pgtype.NoTypmod}, Value: f.DefaultTexts[d]}
		default:
			return nil, false
		}
	}
	return out, true
}

// operator is an operator: the function behind it.
func (s *scope) operator(op pgOID, args []query.Expr) value {
	o := s.cat.Operator(op)
	if o == nil {
		return maybe("unknown operator")
	}
	f := s.cat.Func(o.Func)
	if f == nil {
		return maybe("unknown operator")
	}
	typ := o.Result
	v := s.apply(f, args, false, typ)
	if rest, ok := strings.CutPrefix(v.reason(), f.Name+" "); v.notNull && ok {
		v.why = proofPrefix + "operator " + o.Name + " " + rest
	} else if !v.notNull && strings.HasPrefix(v.reason(), "function ") {
		v.why = doubtPrefix + "operator " + o.Name + " may give NULL"
	}
	return v
}

// apply is what a function gives for arguments. Those that know more of their result
// than that it is not NULL are told by their C names.
func (s *scope) apply(f *catalog.Func, args []query.Expr, variadic bool, typ pgOID) value {
	v := s.plain(f, args, variadic)
	if s.builtin(f) && f.Language == "internal" {
		s.arrayFunction(f, args, &v)
		s.jsonFunction(f, args, variadic, &v)
	}
	return v
}

// plain is whether a function gives NULL.
func (s *scope) plain(f *catalog.Func, args []query.Expr, variadic bool) value {
	if f.Language == "sql" && f.Body != nil {
		if at := s.shared().asOf; at != 0 && f.Replaced >= at {
			return maybe("function " + f.Name + " has got another body since")
		}
		return s.bodyValue(f, args)
	}
	class := s.class(f)
	if s.builtin(f) && f.Language == "internal" {
		if list, ok := s.needed(f, args, variadic); ok {
			if len(list) == 0 {
				return never(f.Name + " gives a value for all arguments")
			}
			return s.all("argument", list)
		}
	}
	switch {
	case class == "" && f.Strict:
		// NULL at least where an argument is.
		for _, a := range args {
			if v := s.value(a); v.null {
				return v
			}
		}
		return maybe("function " + f.Name + orElse(s.builtin(f) || s.ofExtension(f), " may give NULL", " can return anything"))
	case class == "":
		return maybe("function " + f.Name + orElse(s.builtin(f), " may give NULL", " can return anything"))
	case class == classNever && !f.Strict, len(args) == 0:
		return never(f.Name + " never gives NULL")
	}
	v := s.all("argument", args)
	if !f.Strict {
		v.null = false // it may pass over the NULL
	}
	if v.notNull {
		v.why = proofPrefix + f.Name + " of values that are not null"
		if len(args) == 1 {
			v.why = proofPrefix + f.Name + " of a value that is not null (" + s.value(args[0]).reason() + ")"
		}
	}
	return v
}

// needed are the arguments that a function which takes NULLs needs to be not null;
// false for a function that is not told here.
func (s *scope) needed(f *catalog.Func, args []query.Expr, variadic bool) ([]query.Expr, bool) {
	last := func(list ...query.Expr) []query.Expr {
		if variadic && len(args) > 0 {
			list = append(list, args[len(args)-1])
		}
		return list
	}
	switch f.Source {
	case "text_concat", "jsonb_build_object", "jsonb_build_object_noargs", "jsonb_build_array", "jsonb_build_array_noargs",
		"json_build_object", "json_build_object_noargs", "json_build_array", "json_build_array_noargs", "pg_num_nulls", "pg_num_nonnulls":
		// NULL for a NULL array behind VARIADIC alone.
		return last(), true
	case "text_concat_ws", "text_format", "text_format_nv", "array_remove", "array_replace", "text_to_array", "text_to_array_null":
		if len(args) > 0 {
			return last(args[0]), true
		}
	case "array_cat":
		// A NULL is passed over, unless both are.
		for _, a := range args {
			if s.value(a).notNull {
				return []query.Expr{a}, true
			}
		}
	case "timestamp_part", "timestamptz_part", "extract_timestamp", "extract_timestamptz", "extract_date":
		// Of infinity, fields that grow without end are infinite and the others NULL
		// (NonFiniteTimestampTzPart, timestamp.c; extract_date, date.c).
		if field, ok := constText(args, 0); ok && unending[strings.ToLower(field)] {
			return args[1:], true
		}
	case "array_fill", "array_fill_with_lower_bounds":
		// The value may be NULL, and is then what the elements are.
		return args[1:], true
	}
	return nil, false
}

// unending are the fields of a time that have a value for infinity.
var unending = set("year decade century millennium isoyear julian epoch")

// castKeeps reports whether a cast of an array's elements makes no NULL of a value.
func (s *scope) castKeeps(elem query.Expr) bool {
	good := true
	query.Walk(elem, func(x query.Expr) bool {
		if f, ok := x.(*query.FuncExpr); ok {
			fn := s.cat.Func(f.Func)
			good = good && fn != nil && fn.Strict && s.class(fn) != ""
		}
		return good
	})
	return good
}

// arrayTest is x op ANY (array): unknown where an element is NULL.
func (s *scope) arrayTest(n *query.ScalarArrayOpExpr) value {
	if elems, ok := s.elementsOf(n.Args[1]); ok && len(elems) <= 64 {
		if t, ok := s.listTruth(n); ok && t&outNull == 0 {
			return never("operand and elements are not null")
		}
	}
	x, list := s.value(n.Args[0]), s.value(n.Args[1])
	if !x.notNull {
		return maybe("operand can be NULL (" + x.reason() + ")")
	}
	o := s.cat.Operator(n.Op)
	if o == nil {
		return maybe("unknown operator")
	}
	if f := s.cat.Func(o.Func); f == nil || s.class(f) == "" {
		return maybe("operator " + o.Name + " may give NULL")
	}
	if list.notNull && list.elements {
		return never("operand and elements are not null")
	}
	return maybe("the array can be NULL or hold NULL")
}
