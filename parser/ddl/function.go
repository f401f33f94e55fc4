package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// createFunction is CREATE FUNCTION and CREATE PROCEDURE
// (CreateFunction, functioncmds.c).
func (a *applier) createFunction(s *pg.CreateFunctionStmt) {
	schema, name := split(s.Funcname)
	f := &catalog.Func{
		Schema: a.creationSchema(schema, noLoc), Name: name,
		Kind: 'f', Volatile: 'v', Parallel: 'u', Cost: -1, Rows: -1, Decl: a.decl(noLoc),
	}
	if s.IsProcedure {
		f.Kind = 'p'
	}
	as := a.functionOptions(f, s.Options, s.IsProcedure)
	if f.Language == "" {
		if s.SqlBody == nil {
			a.fail("42P13", noLoc, "no language specified")
		}
		f.Language = "sql"
	}
	a.language(f.Language)
	outs := a.parameters(f, s.Parameters)
	a.result(f, s, outs)
	a.bodyText(f, s, as)
	if f.Cost < 0 {
		f.Cost = 100
		if f.Language == "internal" || f.Language == "c" {
			f.Cost = 1
		}
	}
	switch {
	case f.Rows >= 0 && !f.RetSet:
		a.fail("22023", noLoc, "ROWS is not applicable when function does not return a set")
	case f.Rows < 0:
		f.Rows = 0
		if f.RetSet {
			f.Rows = 1000
		}
	}
	a.signatureTypes(f)
	// The body is read when the function is there: it may call itself, and a
	// mistake in it is not to be reported again by everything that uses it.
	f = a.enterFunction(f, s.Replace)
	a.functionBody(f, s, as)
}

// enterFunction adds a function, or puts it in the place of the one with its
// name and arguments, which it returns (ProcedureCreate, pg_proc.c).
func (a *applier) enterFunction(f *catalog.Func, replace bool) *catalog.Func {
	for _, o := range a.cat.FuncsByName(f.Schema, f.Name) {
		if !slices.Equal(o.Args, f.Args) {
			continue
		}
		a.replaceable(o, f, replace)
		oid := o.OID
		*o = *f
		o.OID, o.Replaced = oid, a.cat.Newest()
		return o
	}
	f.OID = a.cat.NewOID()
	a.cat.AddFunc(f)
	return f
}

// replaceable fails where a function may not take another one's place.
func (a *applier) replaceable(o, f *catalog.Func, replace bool) {
	command := "DROP FUNCTION"
	switch f.Kind {
	case 'p':
		command = "DROP PROCEDURE"
	case 'a':
		command = "DROP AGGREGATE"
	}
	hint := "Use " + command + " " + a.signature(o) + " first."
	invalid := func(detail, format string, args ...any) { a.failMore("42P13", noLoc, detail, hint, format, args...) }
	switch {
	case !replace:
		a.fail("42723", noLoc, "function %q already exists with same argument types", f.Name)
	case o.Kind != f.Kind:
		a.failMore("42809", noLoc, "\""+f.Name+"\" is "+kindWords(o.Kind)+".", "", "cannot change routine kind")
	case (o.Result != f.Result || o.RetSet != f.RetSet) && f.Kind == 'p':
		invalid("", "cannot change whether a procedure has output parameters")
	case o.Result != f.Result || o.RetSet != f.RetSet:
		invalid("", "cannot change return type of existing function")
	case f.Result == pgtype.RecordOID && !a.sameRow(o, f):
		invalid("Row type defined by OUT parameters is different.", "cannot change return type of existing function")
	}
	names := f.InputNames()
	for i, n := range o.InputNames() {
		if n != "" && (i >= len(names) || names[i] != n) {
			invalid("", "cannot change name of input parameter %q", n)
		}
	}
	if f.Defaults < o.Defaults {
		invalid("", "cannot remove parameter defaults from existing function")
	}
	for i, e := range o.DefaultExprs {
		n := f.DefaultExprs[f.Defaults-o.Defaults+i]
		if e != nil && n != nil && e.ResultType() != n.ResultType() {
			invalid("", "cannot change data type of existing parameter default value")
		}
	}
}

func kindWords(kind byte) string {
	switch kind {
	case 'p':
		return "a procedure"
	case 'a':
		return "an aggregate function"
	case 'w':
		return "a window function"
	}
	return "a function"
}

// sameRow reports whether two functions return the same columns.
func (a *applier) sameRow(o, f *catalog.Func) bool {
	return slices.EqualFunc(a.cat.ResultColumns(o), a.cat.ResultColumns(f), func(x, y *catalog.Column) bool {
		return x.Name == y.Name && x.Type == y.Type
	})
}

// signature is a function as messages have it: name(type,type), with the schema
// where the search path does not reach it (format_procedure, regproc.c).
func (a *applier) signature(f *catalog.Func) string {
	types := make([]string, len(f.Args))
	for i, t := range f.Args {
		types[i] = a.typeWord(t)
	}
	name := a.cat.QuoteIdent(f.Name)
	if a.cat.Func(f.OID) == f {
		name = a.cat.FuncName(f.OID)
	}
	return name + "(" + strings.Join(types, ",") + ")"
}

// parameters reads the argument list (interpret_function_parameter_list,
// functioncmds.c) and returns the output columns' types.
func (a *applier) parameters(f *catalog.Func, list []*pg.Node) []pgtype.OID {
	var outs []pgtype.OID
	plain, named, variadic := true, false, false
	var all []pgtype.OID
	var modes []byte
	var argNames []string
	for _, n := range list {
		p := n.GetFunctionParameter()
		loc := int(p.ArgType.GetLocation())
		oid := a.parameterType(f, p.ArgType)
		if p.ArgType.Setof {
			word := "functions"
			switch f.Kind {
			case 'p':
				word = "procedures"
			case 'a':
				word = "aggregates"
			}
			a.fail("42P13", loc, "%s cannot accept set arguments", word)
		}
		mode := argMode(p.Mode)
		input := mode == catalog.ArgIn || mode == catalog.ArgInOut || mode == catalog.ArgVariadic
		if input {
			if variadic {
				a.fail("42P13", loc, "VARIADIC parameter must be the last input parameter")
			}
			f.Args = append(f.Args, oid)
		}
		if mode == catalog.ArgOut || mode == catalog.ArgInOut || mode == catalog.ArgTable {
			if f.Kind == 'p' && variadic {
				a.fail("42P13", loc, "VARIADIC parameter must be the last parameter")
			}
			outs = append(outs, oid)
		}
		if mode == catalog.ArgVariadic {
			f.Variadic, variadic = a.variadicElement(oid, loc), true
		}
		if p.Name != "" && repeated(argNames, modes, p.Name, mode) {
			a.fail("42P13", loc, "parameter name %q used more than once", p.Name)
		}
		a.parameterDefault(f, p, oid, input, loc)
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
	if len(f.Args) > maxArgs {
		a.fail("54023", noLoc, "functions cannot have more than %d arguments", maxArgs)
	}
	return outs
}

// maxArgs is FUNC_MAX_ARGS (pg_config_manual.h).
const maxArgs = 100

func argMode(m pg.FunctionParameterMode) byte {
	switch m {
	case pg.FunctionParameterMode_FUNC_PARAM_OUT:
		return catalog.ArgOut
	case pg.FunctionParameterMode_FUNC_PARAM_INOUT:
		return catalog.ArgInOut
	case pg.FunctionParameterMode_FUNC_PARAM_VARIADIC:
		return catalog.ArgVariadic
	case pg.FunctionParameterMode_FUNC_PARAM_TABLE:
		return catalog.ArgTable
	}
	return catalog.ArgIn
}

// parameterType resolves a parameter's type; the server leaves out the quotes in
// its message.
func (a *applier) parameterType(f *catalog.Func, n *pg.TypeName) pgtype.OID {
	if t := a.shellParameter(f, n, "accept"); t != nil {
		return t.OID
	}
	oid, _, err := analyze.TypeName(a.cat, n)
	if err == nil {
		return oid
	}
	if err.SQLState == "42704" && len(n.Names) > 0 && strings.HasSuffix(err.Message, "does not exist") {
		schema, name := split(n.Names)
		suffix := strings.Repeat("[]", len(n.ArrayBounds))
		bare := *err
		// The whole name is shown.
		bare.Span = source.Span{}
		bare.Message = fmt.Sprintf("type %s%s does not exist", shown(schema, name), suffix)
		err = &bare
	}
	t := a.unknownType(n, err)
	switch {
	case t == nil:
		a.check(err, int(n.Location))
	case len(n.ArrayBounds) > 0:
		return t.Array
	}
	return t.OID
}

// repeated reports whether a name is taken: a pure input and a pure output may
// share one.
func repeated(names []string, modes []byte, name string, mode byte) bool {
	in := func(m byte) bool { return m == catalog.ArgIn || m == catalog.ArgVariadic }
	out := func(m byte) bool { return m == catalog.ArgOut || m == catalog.ArgTable }
	for i, n := range names {
		if n == name && !(in(mode) && out(modes[i]) || out(mode) && in(modes[i])) {
			return true
		}
	}
	return false
}

func (a *applier) parameterDefault(f *catalog.Func, p *pg.FunctionParameter, oid pgtype.OID, input bool, loc int) {
	switch {
	case p.Defexpr == nil && input && f.Defaults > 0:
		a.fail("42P13", loc, "input parameters after one with a default value must also have defaults")
	case p.Defexpr == nil && f.Kind == 'p' && f.Defaults > 0:
		a.fail("42P13", loc, "procedure OUT parameters cannot appear after one with a default value")
	case p.Defexpr == nil:
		return
	case !input:
		a.fail("42P13", loc, "only input parameters can have default values")
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
		if t := a.shellParameter(f, s.ReturnType, "return"); t != nil {
			f.Result = t.OID
		} else if t := a.shellResult(f, s.ReturnType); t != nil {
			f.Result = t.OID
		} else {
			f.Result, _ = a.declaredType(s.ReturnType)
		}
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

// signatureTypes refuses results that no argument determines
// (check_valid_polymorphic_signature and check_valid_internal_signature,
// parse_coerce.c).
func (a *applier) signatureTypes(f *catalog.Func) {
	results := []pgtype.OID{f.Result}
	for i, m := range f.Modes {
		if m != catalog.ArgIn && m != catalog.ArgVariadic {
			results = append(results, f.AllArgs[i])
		}
	}
	for _, r := range results {
		if needs := polymorphicInputs(r); needs != nil && !overlap(needs, f.Args) {
			words := make([]string, len(needs))
			for i, t := range needs {
				words[i] = a.typeWord(t)
			}
			list := strings.Join(words[:len(words)-1], ", ")
			if len(words) > 2 {
				list += ","
			}
			a.failMore("42P13", noLoc, "A result of type "+a.typeWord(r)+" requires at least one input of type "+
				list+" or "+words[len(words)-1]+".", "", "cannot determine result data type")
		}
		if r == pgtype.InternalOID && !slices.Contains(f.Args, r) {
			a.failMore("42P13", noLoc, "A result of type internal requires at least one input of type internal.", "",
				"unsafe use of pseudo-type \"internal\"")
		}
	}
}

// polymorphicInputs are the types one of which an argument must have for a
// polymorphic result; nil for any other result.
func polymorphicInputs(t pgtype.OID) []pgtype.OID {
	switch t {
	case pgtype.AnyrangeOID, pgtype.AnymultirangeOID:
		return []pgtype.OID{pgtype.AnyrangeOID, pgtype.AnymultirangeOID}
	case pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID:
		return []pgtype.OID{pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID}
	case pgtype.AnyelementOID, pgtype.AnyarrayOID, pgtype.AnynonarrayOID, pgtype.AnyenumOID:
		return []pgtype.OID{
			pgtype.AnyelementOID, pgtype.AnyarrayOID, pgtype.AnynonarrayOID, pgtype.AnyenumOID,
			pgtype.AnyrangeOID, pgtype.AnymultirangeOID,
		}
	case pgtype.AnycompatibleOID, pgtype.AnycompatiblearrayOID, pgtype.AnycompatiblenonarrayOID:
		return []pgtype.OID{
			pgtype.AnycompatibleOID, pgtype.AnycompatiblearrayOID, pgtype.AnycompatiblenonarrayOID,
			pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID,
		}
	}
	return nil
}

func overlap(a, b []pgtype.OID) bool {
	return slices.ContainsFunc(a, func(t pgtype.OID) bool { return slices.Contains(b, t) })
}
