package analyze

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// resultClass is PostgreSQL's TypeFuncClass (funcapi.h).
type resultClass int

const (
	resultScalar resultClass = iota
	resultComposite
	resultRecord // columns unknown
	resultOther
)

// resultType says what rows an expression yields (get_expr_result_type,
// funcapi.c).
func (a *analyzer) resultType(e query.Expr) (resultClass, []attr) {
	switch e := e.(type) {
	case *query.FuncExpr:
		return a.funcResult(a.cat.Func(e.Func), e.Typ, e.Args)
	case *query.OpExpr:
		return a.funcResult(a.cat.Func(e.Func), e.Typ, e.Args)
	case *query.RowExpr:
		if e.Typ == pgtype.RecordOID {
			var out []attr
			for i, x := range e.Args {
				name := fmt.Sprintf("f%d", i+1)
				if i < len(e.ColNames) {
					name = e.ColNames[i]
				}
				out = append(out, exprAttr(name, x))
			}
			return resultComposite, out
		}
	}
	return a.classOf(e.ResultType())
}

func (a *analyzer) classOf(oid pgtype.OID) (resultClass, []attr) {
	t := a.cat.Type(a.cat.BaseType(oid))
	if t == nil {
		return resultOther, nil
	}
	switch t.Kind {
	case 'c':
		if rel := a.cat.Table(t.Relation); rel != nil {
			return resultComposite, tableAttrs(rel)
		}
		return resultOther, nil
	case 'p':
		switch t.OID {
		case pgtype.RecordOID:
			return resultRecord, nil
		case pgtype.VoidOID, pgtype.CstringOID:
			return resultScalar, nil
		}
		return resultOther, nil
	}
	return resultScalar, nil
}

func (a *analyzer) funcResult(f *catalog.Func, typ pgtype.OID, args []query.Expr) (resultClass, []attr) {
	if f == nil {
		return a.classOf(typ)
	}
	if out := a.outArgs(f); out != nil {
		if a.resolveOut(f, out, args) {
			return resultComposite, out
		}
		return resultRecord, nil
	}
	return a.classOf(typ)
}

// outArgs are the OUT columns of a function that has several, or one that
// returns record (build_function_result_tupdesc_d, funcapi.c).
func (a *analyzer) outArgs(f *catalog.Func) []attr {
	if f.Result != pgtype.RecordOID || f.Modes == nil {
		return nil
	}
	var out []attr
	for i, m := range f.Modes {
		if m != catalog.ArgOut && m != catalog.ArgInOut && m != catalog.ArgTable {
			continue
		}
		name := ""
		if i < len(f.Names) {
			name = f.Names[i]
		}
		if name == "" {
			name = fmt.Sprintf("column%d", len(out)+1)
		}
		t := f.AllArgs[i]
		out = append(out, attr{name: name, typ: t, mod: -1, coll: a.typeCollation(t)})
	}
	if len(out) == 0 || f.Kind != 'p' && len(out) < 2 {
		return nil
	}
	return out
}

// resolveOut replaces polymorphic OUT columns by what the call's arguments make
// them (resolve_polymorphic_tupdesc).
func (a *analyzer) resolveOut(f *catalog.Func, out []attr, args []query.Expr) (ok bool) {
	poly := false
	for _, c := range out {
		poly = poly || isPolymorphic(c.typ)
	}
	if !poly {
		return true
	}
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(*Error); !is {
				panic(r)
			}
			ok = false
		}
	}()
	var actual []pgtype.OID
	for _, x := range args {
		actual = append(actual, x.ResultType())
	}
	declared := append([]pgtype.OID(nil), f.Args...)
	n := min(len(actual), len(declared))
	for i := range out {
		if isPolymorphic(out[i].typ) {
			t := a.enforceGeneric(actual[:n], append([]pgtype.OID(nil), declared[:n]...), out[i].typ, false)
			out[i].typ, out[i].coll = t, a.typeCollation(t)
		}
	}
	return true
}

// resultName is the name of a function's only OUT column, "" if it has none
// (get_func_result_name, funcapi.c).
func resultName(f *catalog.Func) string {
	name, n := "", 0
	for i, m := range f.Modes {
		if m != catalog.ArgOut && m != catalog.ArgInOut && m != catalog.ArgTable {
			continue
		}
		n++
		if n > 1 || i >= len(f.Names) {
			return ""
		}
		name = f.Names[i]
	}
	return name
}
