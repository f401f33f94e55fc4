package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// routineWord is what a command calls a routine.
func routineWord(kind pg.ObjectType) string {
	switch kind {
	case pg.ObjectType_OBJECT_PROCEDURE:
		return "procedure"
	case pg.ObjectType_OBJECT_AGGREGATE:
		return "aggregate"
	case pg.ObjectType_OBJECT_ROUTINE:
		return "routine"
	}
	return "function"
}

// ofRoutineKind reports whether a function may be what a command calls it.
func ofRoutineKind(f *catalog.Func, kind pg.ObjectType) bool {
	switch kind {
	case pg.ObjectType_OBJECT_PROCEDURE:
		return f.Kind == 'p'
	case pg.ObjectType_OBJECT_AGGREGATE:
		return f.Kind == 'a'
	case pg.ObjectType_OBJECT_FUNCTION:
		return f.Kind != 'p'
	}
	return true
}

// function finds the routine that an ObjectWithArgs names, nil for none; one
// that is not of the wanted kind, and a name that fits several, fail
// (LookupFuncWithArgs, parse_func.c).
func (a *applier) function(o *pg.ObjectWithArgs, kind pg.ObjectType) *catalog.Func {
	schema, name := split(o.Objname)
	args, known := a.objectArgs(o.Objargs)
	if !known {
		return nil
	}
	var found []*catalog.Func
	for _, f := range a.cat.FuncsByName(schema, name) {
		if o.ArgsUnspecified || slices.Equal(f.Args, args) {
			found = append(found, f)
		}
	}
	if f := a.byAllArgs(o, kind, schema, name); f != nil && !slices.Contains(found, f) {
		found = append(found, f)
	}
	if o.ArgsUnspecified {
		found = slices.DeleteFunc(found, func(f *catalog.Func) bool { return !ofRoutineKind(f, kind) })
		if len(found) > 1 {
			a.failMore("42725", noLoc, "", "Specify the argument list to select the "+routineWord(kind)+" unambiguously.",
				"%s name %q is not unique", routineWord(kind), shown(schema, name))
		}
	}
	if len(found) == 0 {
		return nil
	}
	f := found[0]
	switch {
	case kind == pg.ObjectType_OBJECT_FUNCTION && f.Kind == 'p':
		a.fail("42809", noLoc, "%s is not a function", a.funcSignature(schema, name, args))
	case kind == pg.ObjectType_OBJECT_PROCEDURE && f.Kind != 'p':
		a.fail("42809", noLoc, "%s is not a procedure", a.funcSignature(schema, name, args))
	case kind == pg.ObjectType_OBJECT_AGGREGATE && f.Kind != 'a':
		a.fail("42809", noLoc, "function %s is not an aggregate", a.funcSignature(schema, name, args))
	}
	return f
}

// objectArgs resolves the argument types of a name; known is false where one is
// not there, so that no function can have it.
func (a *applier) objectArgs(list []*pg.Node) (args []pgtype.OID, known bool) {
	for _, n := range list {
		if n.GetTypeName() == nil {
			args = append(args, 0)
			continue
		}
		oid, _, err := analyze.TypeName(a.cat, n.GetTypeName())
		if err != nil {
			return nil, false
		}
		args = append(args, oid)
	}
	return args, true
}

// byAllArgs finds a procedure whose parameters, output ones included, are those
// that were written (LookupFuncWithArgs with include_out_arguments).
func (a *applier) byAllArgs(o *pg.ObjectWithArgs, kind pg.ObjectType, schema, name string) *catalog.Func {
	if kind != pg.ObjectType_OBJECT_PROCEDURE && kind != pg.ObjectType_OBJECT_ROUTINE || o.ArgsUnspecified || o.Objfuncargs == nil {
		return nil
	}
	var all []pgtype.OID
	for _, n := range o.Objfuncargs {
		p := n.GetFunctionParameter()
		oid, _, err := analyze.TypeName(a.cat, p.ArgType)
		if err != nil {
			return nil
		}
		if p.Mode != pg.FunctionParameterMode_FUNC_PARAM_DEFAULT {
			return nil
		}
		all = append(all, oid)
	}
	for _, f := range a.cat.FuncsByName(schema, name) {
		if f.Kind == 'p' && slices.Equal(f.AllArgs, all) {
			return f
		}
	}
	return nil
}

// routine is [applier.function] for one that must be there.
func (a *applier) routine(o *pg.ObjectWithArgs, kind pg.ObjectType) *catalog.Func {
	f := a.function(o, kind)
	if f == nil {
		a.noFunction(o, kind)
	}
	return f
}

// noFunction fails for a function that is not there.
func (a *applier) noFunction(o *pg.ObjectWithArgs, kind pg.ObjectType) {
	schema, name := split(o.Objname)
	word := routineWord(kind)
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", schema)
	}
	if kind == pg.ObjectType_OBJECT_ROUTINE {
		word = "function"
	}
	if o.ArgsUnspecified {
		a.fail("42883", noLoc, "could not find %s named %q", article(word), shown(schema, name))
	}
	args := make([]pgtype.OID, 0, len(o.Objargs))
	for _, n := range o.Objargs {
		oid, _ := a.typeName(n.GetTypeName())
		args = append(args, oid)
	}
	if len(args) == 0 && kind == pg.ObjectType_OBJECT_AGGREGATE {
		a.fail("42883", noLoc, "aggregate %s(*) does not exist", shown(schema, name))
	}
	a.fail("42883", noLoc, "%s %s does not exist", word, a.funcSignature(schema, name, args))
}

func article(word string) string {
	if word == "aggregate" {
		return "an " + word
	}
	return "a " + word
}

// usesFunc reports whether an expression calls a function.
func usesFunc(e query.Expr, oid pgtype.OID) bool {
	if e == nil {
		return false
	}
	r := newReads()
	r.expr(e, nil)
	return r.funcs[oid]
}
