package infer

import (
	"strconv"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// setCall is one row of what a set-returning function gives, as a value: a scalar, or
// a row with its columns as fields.
func (s *scope) setCall(f *catalog.Func, n *query.FuncExpr, args []query.Expr) value {
	list := s.setColumns(f, n, args)
	switch {
	case len(list) == 0:
		return maybe("function " + f.Name + " can return anything")
	case len(list) == 1 && s.cat.ResultColumns(f) == nil:
		return list[0]
	}
	v := never("a row of function " + f.Name)
	if s.composite(f) {
		// A row type's row may be NULL as a whole.
		v = maybe("function " + f.Name + " can return anything")
	}
	v.fields = list
	return v
}

// composite reports whether a function returns rows of a named type.
func (s *scope) composite(f *catalog.Func) bool {
	t := s.cat.Type(s.cat.BaseType(f.Result))
	return t != nil && t.Kind == 'c'
}

// setColumns are the columns of the rows that a set-returning function gives; nil
// where nothing is known.
func (s *scope) setColumns(f *catalog.Func, n *query.FuncExpr, args []query.Expr) []value {
	if in := s.body(f, args); in != nil && f.RetSet {
		list, outs := in.values(), in.outputs()
		want := s.cat.ResultColumns(f)
		live := 0
		for _, c := range want {
			if !c.Dropped {
				live++
			}
		}
		switch {
		case want == nil && len(list) == 1, want != nil && len(list) == live && live == len(want):
			for i, v := range list {
				list[i] = v.because("function " + f.Name + ": " + v.reason())
			}
			return list
		case want != nil && len(list) == 1 && s.cat.BaseType(outs[0].Expr.ResultType()) == s.cat.BaseType(f.Result) && len(list[0].fields) == len(want):
			// The rows themselves, each of which may be NULL.
			out := make([]value, len(want))
			for i := range out {
				out[i] = maybe("a row of function " + f.Name + " can be NULL")
				if list[0].notNull {
					out[i] = list[0].fields[i]
				}
			}
			return out
		}
		return nil
	}
	if s.builtin(f) && f.Source == "array_unnest" && len(args) == 1 {
		return s.unnested(args[0])
	}
	class := s.class(f)
	if class == "" {
		return nil
	}
	out := make([]value, len(class))
	for i := range out {
		if class[i] == '1' {
			out[i] = never(f.Name + " gives no NULL")
		} else {
			out[i] = maybe(f.Name + " may give NULL")
		}
		if f.Source == "regexp_split_to_table" {
			out[i].elements = true
		}
	}
	return out
}

// unnested are the elements of an array, or the columns of those that are rows.
func (s *scope) unnested(array query.Expr) []value {
	v := s.value(array)
	one := maybe("an element of the array can be NULL")
	if v.elem != nil {
		one = *v.elem
	}
	if v.elements {
		one.notNull, one.why = true, proofPrefix+"no element of the array is NULL ("+v.reason()+")"
	} else {
		one.notNull, one.why = false, doubtPrefix+"an element of the array can be NULL"
	}
	return []value{one}
}

// functionColumn is a column of functions in FROM; number 0 stands for the row.
func (s *scope) functionColumn(rte *query.RangeTblEntry, attno int) value {
	if attno == 0 {
		v := never("a row of a function in FROM")
		for i := range rte.ERef.Columns {
			v.fields = append(v.fields, s.functionColumn(rte, i+1))
		}
		return v
	}
	at := 0
	for _, f := range rte.Functions {
		if attno > at && attno <= at+f.ColCount {
			v := s.functionResult(f, attno-at)
			if len(rte.Functions) > 1 && v.notNull && !s.longest(rte, f) {
				v.notNull = false
				return v.because("a shorter function of ROWS FROM is padded with NULL")
			}
			return v
		}
		at += f.ColCount
	}
	if rte.Ordinality && attno == at+1 {
		return never("WITH ORDINALITY numbers every row")
	}
	return maybe("a function in FROM can return anything")
}

// functionResult is a column of one function of FROM.
func (s *scope) functionResult(f *query.RangeTblFunction, col int) value {
	fe, ok := f.Expr.(*query.FuncExpr)
	if !ok {
		return s.value(f.Expr)
	}
	fn := s.cat.Func(fe.Func)
	if fn == nil || f.ColNames != nil {
		return maybe("the query names the columns of a function in FROM")
	}
	doubt := maybe("function " + fn.Name + " can return anything")
	args, ok := s.arguments(fe, fn)
	if !ok {
		return doubt
	}
	if !fe.RetSet {
		v := s.apply(fn, args, fe.Variadic, fe.Typ)
		if s.cat.ResultColumns(fn) == nil || fn.Result == fe.Typ && f.ColCount == 1 && !s.composite(fn) {
			return v
		}
		// A row that is NULL is a row of NULLs.
		if col <= len(v.fields) {
			one := v.fields[col-1]
			if one.notNull && !v.notNull {
				one.notNull = false
				return one.because("function " + fn.Name + " may return no row (" + v.reason() + ")")
			}
			return one
		}
		return doubt
	}
	list := s.setColumns(fn, fe, args)
	if fn.Source == "array_unnest" && s.builtin(fn) && f.ColCount != 1 || len(list) == 1 && f.ColCount > 1 {
		// Elements that are rows: a NULL among them is a row of NULLs.
		if len(list) == 1 && list[0].notNull && col <= len(list[0].fields) {
			return list[0].fields[col-1]
		}
		return maybe("an element of the array can be NULL")
	}
	if col > len(list) {
		return doubt
	}
	return list[col-1]
}

// longest reports whether no other function of ROWS FROM has more rows than one.
func (s *scope) longest(rte *query.RangeTblEntry, f *query.RangeTblFunction) bool {
	n := s.rowsOf(f.Expr)
	for _, o := range rte.Functions {
		if m := s.rowsOf(o.Expr); m < 0 || m > n {
			return false
		}
	}
	return n >= 0
}

// padded reports whether a set-returning function in an expression of the target list
// may have fewer rows than another there.
func (s *scope) padded(e query.Expr) bool {
	var here []query.Expr
	most, others := -1, 0
	for _, te := range s.q.TargetList {
		for _, f := range s.setsIn(te.Expr) {
			n := s.rowsOf(f)
			if n < 0 {
				n = 1 << 30
			}
			most = max(most, n)
			others++
		}
	}
	here = s.setsIn(e)
	if others == len(here) && len(here) <= 1 {
		return false
	}
	for _, f := range here {
		if n := s.rowsOf(f); n < 0 || n < most {
			return true
		}
	}
	return false
}

// setsIn are the outermost set-returning calls of an expression.
func (s *scope) setsIn(e query.Expr) []query.Expr {
	var out []query.Expr
	query.Walk(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.FuncExpr:
			if n.RetSet {
				out = append(out, n)
				return false
			}
		case *query.OpExpr:
			if n.RetSet {
				out = append(out, n)
				return false
			}
		}
		return true
	})
	return out
}

// rowsOf is how many rows a call gives that is written out, -1 where that is not
// known.
func (s *scope) rowsOf(e query.Expr) int {
	n, ok := e.(*query.FuncExpr)
	if !ok || !n.RetSet {
		return -1
	}
	f := s.cat.Func(n.Func)
	if f == nil || !s.builtin(f) {
		return -1
	}
	switch f.Source {
	case "array_unnest":
		if len(n.Args) == 1 && len(s.setsIn(n.Args[0])) == 0 {
			return s.length(n.Args[0])
		}
	case "generate_series_int4", "generate_series_int8":
		a, ok := constInt(n.Args[0])
		b, ok2 := constInt(n.Args[1])
		if ok && ok2 && b-a < 1<<20 {
			return max(0, b-a+1)
		}
	}
	return -1
}

func constInt(e query.Expr) (int, bool) {
	k, ok := e.(*query.Const)
	if !ok || k.Null {
		return 0, false
	}
	n, err := strconv.Atoi(k.Value)
	return n, err == nil
}
