package ddl

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// createFunction is CREATE FUNCTION and CREATE PROCEDURE
// (CreateFunction, functioncmds.c). The body is kept as text, not analysed.
func (a *applier) createFunction(s *pg.CreateFunctionStmt) {
	schema, name := split(s.Funcname)
	schema = a.creationSchema(schema, noLoc)
	f := &catalog.Func{
		Schema: schema, Name: name, Kind: 'f', Volatile: 'v', Parallel: 'u', Cost: -1, Rows: -1, Decl: a.decl(noLoc),
	}
	if s.IsProcedure {
		f.Kind = 'p'
	}
	a.functionOptions(f, s.Options)
	if f.Language == "" {
		f.Language = "sql"
		if s.SqlBody == nil {
			a.fail("42P13", noLoc, "no language specified")
		}
	}
	outs := a.parameters(f, s.Parameters)
	a.result(f, s, outs)
	if f.Cost < 0 {
		f.Cost = 100
		if f.Language == "internal" || f.Language == "c" {
			f.Cost = 1
		}
	}
	if f.Rows < 0 {
		f.Rows = 0
		if f.RetSet {
			f.Rows = 1000
		}
	}
	a.enterFunction(f, s.Replace)
}

// enterFunction adds a function, or puts it in the place of the one with its
// name and arguments (ProcedureCreate, pg_proc.c).
func (a *applier) enterFunction(f *catalog.Func, replace bool) {
	for _, o := range a.cat.FuncsByName(f.Schema, f.Name) {
		if !slices.Equal(o.Args, f.Args) {
			continue
		}
		switch {
		case !replace:
			a.fail("42723", noLoc, "function %q already exists with same argument types", f.Name)
		case o.Kind != f.Kind:
			kind := map[byte]string{'f': "a function", 'p': "a procedure", 'a': "an aggregate function", 'w': "a window function"}
			a.failMore("42809", noLoc, "\""+f.Name+"\" is "+kind[o.Kind]+".", "", "cannot change routine kind")
		case o.Result != f.Result || o.RetSet != f.RetSet:
			a.failMore("42P13", noLoc, "", "Use DROP FUNCTION "+a.signature(o)+" first.",
				"cannot change return type of existing function")
		case f.Result == pgtype.RecordOID && !slices.Equal(o.AllArgs, f.AllArgs):
			a.failMore("42P13", noLoc, "Row type defined by OUT parameters is different.",
				"Use DROP FUNCTION "+a.signature(o)+" first.", "cannot change return type of existing function")
		case f.Defaults < o.Defaults:
			a.failMore("42P13", noLoc, "", "Use DROP FUNCTION "+a.signature(o)+" first.",
				"cannot remove parameter defaults from existing function")
		}
		oid := o.OID
		*o = *f
		o.OID = oid
		return
	}
	f.OID = a.cat.NewOID()
	a.cat.AddFunc(f)
}

// signature is a function as messages have it: name(type,type).
func (a *applier) signature(f *catalog.Func) string {
	types := make([]string, len(f.Args))
	for i, t := range f.Args {
		types[i] = a.typeWord(t)
	}
	return f.Name + "(" + strings.Join(types, ",") + ")"
}

// parameters reads the argument list (interpret_function_parameter_list,
// functioncmds.c) and returns the output columns' types.
func (a *applier) parameters(f *catalog.Func, list []*pg.Node) []pgtype.OID {
	var outs []pgtype.OID
	plain, named := true, false
	var all []pgtype.OID
	var modes []byte
	var argNames []string
	for _, n := range list {
		p := n.GetFunctionParameter()
		loc := int(p.ArgType.GetLocation())
		oid := a.parameterType(p.ArgType)
		if p.ArgType.Setof {
			a.fail("42P13", loc, "functions cannot accept set arguments")
		}
		mode := catalog.ArgIn
		switch p.Mode {
		case pg.FunctionParameterMode_FUNC_PARAM_OUT:
			mode = catalog.ArgOut
		case pg.FunctionParameterMode_FUNC_PARAM_INOUT:
			mode = catalog.ArgInOut
		case pg.FunctionParameterMode_FUNC_PARAM_VARIADIC:
			mode = catalog.ArgVariadic
		case pg.FunctionParameterMode_FUNC_PARAM_TABLE:
			mode = catalog.ArgTable
		}
		input := mode == catalog.ArgIn || mode == catalog.ArgInOut || mode == catalog.ArgVariadic
		if p.Name != "" && a.repeated(argNames, modes, p.Name, mode) {
			a.fail("42P13", loc, "parameter name %q used more than once", p.Name)
		}
		if input {
			if f.Variadic != 0 {
				a.fail("42P13", loc, "VARIADIC parameter must be the last input parameter")
			}
			f.Args = append(f.Args, oid)
			a.parameterDefault(f, p, oid, loc)
		}
		if mode == catalog.ArgOut || mode == catalog.ArgInOut || mode == catalog.ArgTable {
			outs = append(outs, oid)
		}
		if mode == catalog.ArgVariadic {
			f.Variadic = a.variadicElement(oid, loc)
		}
		plain = plain && mode == catalog.ArgIn
		named = named || p.Name != ""
		all, modes, argNames = append(all, oid), append(modes, mode), append(argNames, p.Name)
	}
	if !plain {
		f.AllArgs, f.Modes = all, modes
	}
	if named {
		f.Names = argNames
	}
	return outs
}

// parameterType resolves a parameter's type; the server leaves out the quotes in
// its message.
func (a *applier) parameterType(n *pg.TypeName) pgtype.OID {
	oid, _, err := analyze.TypeName(a.cat, n)
	if err != nil && err.SQLState == "42704" && len(n.Names) > 0 {
		schema, name := split(n.Names)
		a.failMore(err.SQLState, int(n.Location), err.Detail, err.Hint, "type %s does not exist", shown(schema, name))
	}
	a.check(err, int(n.Location))
	return oid
}

// repeated reports whether a name is taken: an input and a table column may not
// share one, a pure input and a pure output may.
func (a *applier) repeated(names []string, modes []byte, name string, mode byte) bool {
	for i, n := range names {
		in := func(m byte) bool { return m == catalog.ArgIn || m == catalog.ArgVariadic }
		out := func(m byte) bool { return m == catalog.ArgOut }
		if n == name && !(in(mode) && out(modes[i]) || out(mode) && in(modes[i])) {
			return true
		}
	}
	return false
}

func (a *applier) parameterDefault(f *catalog.Func, p *pg.FunctionParameter, oid pgtype.OID, loc int) {
	if p.Defexpr == nil {
		if f.Defaults > 0 {
			a.fail("42P13", loc, "input parameters after one with a default value must also have defaults")
		}
		return
	}
	e, _ := a.expr(nil, p.Defexpr, analyze.KindFunctionDefault, oid, pgtype.NoTypmod)
	f.Defaults++
	f.DefaultExprs = append(f.DefaultExprs, e)
}

func (a *applier) variadicElement(oid pgtype.OID, loc int) pgtype.OID {
	switch oid {
	case pgtype.AnyOID:
		return pgtype.AnyOID
	case pgtype.AnyarrayOID:
		return pgtype.AnyelementOID
	case pgtype.AnycompatiblearrayOID:
		return pgtype.AnycompatibleOID
	}
	if t := a.cat.Type(oid); t != nil && t.IsArray() {
		return t.Element
	}
	a.fail("42P13", loc, "VARIADIC parameter must be an array")
	return 0
}

// result reads RETURNS, or derives the result from the output parameters.
func (a *applier) result(f *catalog.Func, s *pg.CreateFunctionStmt, outs []pgtype.OID) {
	implied := pgtype.VoidOID
	switch {
	case s.IsProcedure && len(outs) > 0:
		implied = pgtype.RecordOID
	case len(outs) == 1:
		implied = outs[0]
	case len(outs) > 1:
		implied = pgtype.RecordOID
	}
	table := slices.Contains(f.Modes, catalog.ArgTable)
	switch {
	case s.IsProcedure:
		f.Result = implied
	case s.ReturnType != nil:
		f.Result, _ = a.typeName(s.ReturnType)
		f.RetSet = s.ReturnType.Setof || table
		if len(outs) > 0 && f.Result != implied {
			a.fail("42P13", int(s.ReturnType.Location),
				"function result type must be %s because of OUT parameters", a.typeWord(implied))
		}
	case len(outs) > 0:
		f.Result, f.RetSet = implied, table
	default:
		a.fail("42P13", noLoc, "function result type must be specified")
	}
}

// functionOptions reads LANGUAGE, volatility and the rest
// (compute_function_attributes, functioncmds.c).
func (a *applier) functionOptions(f *catalog.Func, options []*pg.Node) {
	for _, n := range options {
		d := n.GetDefElem()
		switch d.Defname {
		case "language":
			f.Language = strings.ToLower(defString(d))
		case "volatility":
			f.Volatile = defString(d)[0]
		case "strict":
			f.Strict = defBool(d)
		case "leakproof":
			f.LeakProof = defBool(d)
		case "window":
			if defBool(d) {
				f.Kind = 'w'
			}
		case "cost":
			f.Cost = a.positive(d, "COST")
		case "rows":
			f.Rows = a.positive(d, "ROWS")
		case "parallel":
			switch defString(d) {
			case "safe":
				f.Parallel = 's'
			case "restricted":
				f.Parallel = 'r'
			case "unsafe":
				f.Parallel = 'u'
			default:
				a.fail("42601", int(d.Location), "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE")
			}
		case "support":
			if parts := nameParts(d.Arg); parts != nil {
				_, f.Support = split(parts)
			}
		case "as":
			if parts := nameParts(d.Arg); len(parts) > 0 {
				f.Source = strs(parts)[len(parts)-1]
			}
		}
	}
}

func (a *applier) positive(d *pg.DefElem, word string) float64 {
	v, err := strconv.ParseFloat(defString(d), 64)
	if err != nil || v <= 0 {
		a.fail("22023", int(d.Location), "%s must be positive", word)
	}
	return v
}

// function finds the function that an ObjectWithArgs names
// (LookupFuncWithArgs, parse_func.c); nil for none.
func (a *applier) function(o *pg.ObjectWithArgs, kind pg.ObjectType) *catalog.Func {
	schema, name := split(o.Objname)
	var args []pgtype.OID
	if !o.ArgsUnspecified {
		for _, n := range o.Objargs {
			oid, _, err := analyze.TypeName(a.cat, n.GetTypeName())
			if err != nil {
				return nil
			}
			args = append(args, oid)
		}
	}
	fits := func(f *catalog.Func) bool {
		switch kind {
		case pg.ObjectType_OBJECT_PROCEDURE:
			return f.Kind == 'p'
		case pg.ObjectType_OBJECT_AGGREGATE:
			return f.Kind == 'a'
		case pg.ObjectType_OBJECT_FUNCTION:
			return f.Kind == 'f' || f.Kind == 'w'
		}
		return true
	}
	var found []*catalog.Func
	for _, f := range a.cat.FuncsByName(schema, name) {
		if fits(f) && (o.ArgsUnspecified || slices.Equal(f.Args, args)) {
			found = append(found, f)
		}
	}
	if o.ArgsUnspecified && len(found) > 1 {
		a.failMore("42725", noLoc, "", "Specify the argument list to select the function unambiguously.",
			"function name %q is not unique", shown(schema, name))
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// noFunction fails for a function that is not there.
func (a *applier) noFunction(o *pg.ObjectWithArgs, kind pg.ObjectType) {
	schema, name := split(o.Objname)
	word := "function"
	switch kind {
	case pg.ObjectType_OBJECT_PROCEDURE:
		word = "procedure"
	case pg.ObjectType_OBJECT_AGGREGATE:
		word = "aggregate"
	case pg.ObjectType_OBJECT_ROUTINE:
		word = "routine"
	}
	if o.ArgsUnspecified {
		a.fail("42883", noLoc, "could not find a %s named %q", word, shown(schema, name))
	}
	types := make([]string, 0, len(o.Objargs))
	for _, n := range o.Objargs {
		oid, _ := a.typeName(n.GetTypeName())
		types = append(types, a.typeWord(oid))
	}
	a.fail("42883", noLoc, "%s %s(%s) does not exist", word, shown(schema, name), strings.Join(types, ", "))
}

func (a *applier) alterFunction(s *pg.AlterFunctionStmt) {
	f := a.function(s.Func, s.Objtype)
	if f == nil {
		a.noFunction(s.Func, s.Objtype)
	}
	if f.OID < pgtype.FirstNormalOID {
		return
	}
	a.functionOptions(f, s.Actions)
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
