package ddl

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// aggregateDef is the definition list of CREATE AGGREGATE.
type aggregateDef struct {
	names map[string][]*pg.Node // sfunc, finalfunc, …
	flags map[string]bool
	types map[string]pgtype.OID // stype, mstype, basetype
	texts map[string]string     // parallel, finalfunc_modify
	init  bool
	space int
}

func (a *applier) aggregateDef(list []*pg.Node) *aggregateDef {
	d := &aggregateDef{
		names: map[string][]*pg.Node{}, flags: map[string]bool{}, types: map[string]pgtype.OID{}, texts: map[string]string{},
	}
	for _, n := range list {
		e := n.GetDefElem()
		switch name := strings.TrimSuffix(strings.ToLower(e.Defname), "1"); name {
		case "sfunc", "finalfunc", "combinefunc", "serialfunc", "deserialfunc", "msfunc", "minvfunc", "mfinalfunc", "sortop":
			d.names[name] = nameParts(e.Arg)
		case "finalfunc_extra", "mfinalfunc_extra", "hypothetical":
			d.flags[name] = defBool(e)
		case "stype", "mstype", "basetype":
			if t := e.Arg.GetTypeName(); t != nil {
				d.types[name], _ = a.typeName(t)
			} else {
				d.types[name] = pgtype.AnyOID // basetype = '*'
			}
		case "initcond":
			d.init = true
		case "sspace":
			d.space = defInt(e)
		case "parallel", "finalfunc_modify":
			d.texts[name] = strings.ToLower(defString(e))
		}
	}
	return d
}

// createAggregate is CREATE AGGREGATE (DefineAggregate, aggregatecmds.c;
// AggregateCreate, pg_aggregate.c).
func (a *applier) createAggregate(s *pg.DefineStmt) {
	schema, name := split(s.Defnames)
	f := &catalog.Func{
		Schema: a.creationSchema(schema, noLoc), Name: name, Kind: 'a', Language: "internal", Source: "aggregate_dummy",
		Volatile: 'i', Parallel: 'u', Cost: 1, Decl: a.decl(noLoc),
	}
	g := &catalog.Aggregate{Kind: 'n', FinalModify: 'r'}
	f.Aggregate = g
	d := a.aggregateDef(s.Definition)
	if d.flags["hypothetical"] {
		g.Kind = 'h'
	}
	invalid := func(format string, args ...any) { a.fail("42P13", noLoc, format, args...) }
	switch {
	case d.types["stype"] == 0:
		invalid("aggregate stype must be specified")
	case d.names["sfunc"] == nil:
		invalid("aggregate sfunc must be specified")
	}
	if s.Oldstyle {
		base, ok := d.types["basetype"]
		if !ok {
			invalid("aggregate input type must be specified")
		}
		if base != pgtype.AnyOID {
			f.Args = []pgtype.OID{base}
		}
	} else {
		if len(s.Args) > 1 {
			if n := int(s.Args[1].GetInteger().GetIval()); n >= 0 {
				g.DirectArgs = n
				if g.Kind == 'n' {
					g.Kind = 'o'
				}
			}
		}
		if len(s.Args) > 0 {
			a.parameters(f, s.Args[0].GetList().GetItems())
		}
	}
	state := d.types["stype"]
	g.TransType, g.TransSpace, g.InitValNull = state, d.space, !d.init
	t := a.cat.Type(state)
	if t != nil && t.Kind == 'p' && !isPolymorphic(state) && state != pgtype.InternalOID {
		invalid("aggregate transition data type cannot be %s", a.typeWord(state))
	}
	if isPolymorphic(state) && !overlap(polymorphicInputs(state), f.Args) {
		invalid("cannot determine transition data type")
	}
	if (d.names["serialfunc"] == nil) != (d.names["deserialfunc"] == nil) {
		invalid("must specify both or neither of serialization and deserialization functions")
	}
	a.aggregateFuncs(f, d)
	if op := d.names["sortop"]; op != nil {
		if len(f.Args) != 1 {
			invalid("sort operator can only be specified for single-argument aggregates")
		}
		schema, sign := split(op)
		o := a.operator(schema, sign, f.Args[0], f.Args[0])
		if o == nil {
			a.fail("42883", noLoc, "operator does not exist: %s %s %s", a.typeWord(f.Args[0]), sign, a.typeWord(f.Args[0]))
		}
		g.SortOp = o.OID
	}
	switch d.texts["parallel"] {
	case "":
	case "safe":
		f.Parallel = 's'
	case "restricted":
		f.Parallel = 'r'
	case "unsafe":
	default:
		a.fail("42601", noLoc, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE")
	}
	if g.Kind != 'n' {
		g.FinalModify = 'w'
	}
	if m := d.texts["finalfunc_modify"]; m != "" {
		g.FinalModify = map[string]byte{"read_only": 'r', "shareable": 's', "read_write": 'w'}[m]
	}
	a.enterFunction(f, s.Replace)
}

// aggregateFuncs resolves the functions that an aggregate is made of, and its
// result.
func (a *applier) aggregateFuncs(f *catalog.Func, d *aggregateDef) {
	g := f.Aggregate
	// What the transition function takes: the state and the aggregated arguments.
	inputs := f.Args
	if g.Kind == 'o' {
		inputs = f.Args[g.DirectArgs:]
		if f.Variadic != 0 && g.DirectArgs == len(f.Args) {
			inputs = f.Args[len(f.Args)-1:]
		}
	}
	if g.Kind == 'h' {
		inputs = f.Args
	}
	trans, _ := a.aggregateFunc(d.names["sfunc"], append([]pgtype.OID{g.TransType}, inputs...), g.TransType, "transition function")
	g.TransFunc = trans.OID
	if trans.Strict && !d.init && (len(inputs) < 1 || !a.cat.BinaryCoercible(inputs[0], g.TransType)) {
		a.fail("42P13", noLoc,
			"must not omit initial value when transition function is strict and transition type is not compatible with input type")
	}
	f.Result = g.TransType
	if parts := d.names["finalfunc"]; parts != nil {
		args := []pgtype.OID{g.TransType}
		if g.Kind != 'n' {
			args = append(args, f.Args[:min(g.DirectArgs, len(f.Args))]...)
			if d.flags["finalfunc_extra"] {
				args = append([]pgtype.OID{g.TransType}, f.Args...)
			}
		} else if d.flags["finalfunc_extra"] {
			args = append(args, f.Args...)
		}
		final, result := a.aggregateFunc(parts, args, 0, "")
		if d.flags["finalfunc_extra"] && final.Strict {
			a.fail("42P13", noLoc, "final function with extra arguments must not be declared STRICT")
		}
		g.FinalFunc, f.Result = final.OID, result
	}
	if isPolymorphic(f.Result) && !overlap(polymorphicInputs(f.Result), f.Args) {
		a.fail("42804", noLoc, "cannot determine result data type")
	}
	if f.Result == pgtype.InternalOID && !slices.Contains(f.Args, f.Result) {
		a.fail("42P13", noLoc, "unsafe use of pseudo-type \"internal\"")
	}
	if parts := d.names["combinefunc"]; parts != nil {
		c, _ := a.aggregateFunc(parts, []pgtype.OID{g.TransType, g.TransType}, g.TransType, "combine function")
		if g.TransType == pgtype.InternalOID && c.Strict {
			a.fail("42P13", noLoc, "combine function with transition type %s must not be declared STRICT", "internal")
		}
		g.CombineFunc = c.OID
	}
	if parts := d.names["serialfunc"]; parts != nil {
		c, _ := a.aggregateFunc(parts, []pgtype.OID{pgtype.InternalOID}, pgtype.ByteaOID, "serialization function")
		g.SerialFunc = c.OID
	}
	if parts := d.names["deserialfunc"]; parts != nil {
		c, _ := a.aggregateFunc(parts, []pgtype.OID{pgtype.ByteaOID, pgtype.InternalOID}, pgtype.InternalOID, "deserialization function")
		g.DeserialFunc = c.OID
	}
	if parts := d.names["msfunc"]; parts != nil && d.types["mstype"] != 0 {
		state := d.types["mstype"]
		c, _ := a.aggregateFunc(parts, append([]pgtype.OID{state}, inputs...), state, "transition function")
		g.MovingTransFunc = c.OID
	}
}

// aggregateFunc finds one of an aggregate's functions (lookup_agg_function); want
// is what it has to return, 0 for anything.
func (a *applier) aggregateFunc(parts []*pg.Node, args []pgtype.OID, want pgtype.OID, what string) (*catalog.Func, pgtype.OID) {
	schema, name := split(parts)
	r, err := analyze.Lookup(a.cat, strs(parts), args)
	a.check(err, noLoc)
	if r == nil {
		a.fail("42883", noLoc, "function %s does not exist", a.funcSignature(schema, name, args))
	}
	if r.Func.RetSet {
		a.fail("42804", noLoc, "function %s returns a set", a.funcSignature(schema, name, args))
	}
	for i, t := range r.Args[:len(args)] {
		if !a.cat.BinaryCoercible(args[i], t) {
			a.fail("42804", noLoc, "function %s requires run-time type coercion", a.funcSignature(schema, name, r.Args))
		}
	}
	if want != 0 && r.Result != want {
		a.fail("42804", noLoc, "return type of %s %s is not %s", what, shown(schema, name), a.typeWord(want))
	}
	return r.Func, r.Result
}
