package ddl

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// baseOptions are the options of CREATE TYPE by the name that the first of the
// spellings has.
type baseOptions map[string]*pg.DefElem

// createBaseType is CREATE TYPE with nothing behind it, which promises a type to
// the functions that read and write it, and CREATE TYPE with those functions
// (DefineType, typecmds.c). What a value's text must look like is the functions'
// to know: any literal is taken.
func (a *applier) createBaseType(s *pg.DefineStmt) {
	schema, name := split(s.Defnames)
	schema = a.creationSchema(schema, noLoc)
	a.newType(schema, name, noLoc)
	shell := a.cat.TypeByName(schema, name)
	if len(s.Definition) == 0 {
		if shell != nil {
			a.fail("42710", noLoc, "type %q already exists", name)
		}
		a.shellType(schema, name)
		return
	}
	if shell == nil {
		a.failMore("42710", noLoc, "",
			"Create the type as a shell type, then create its I/O functions, then do a full CREATE TYPE.",
			"type %q does not exist", name)
	}
	o := a.baseOptions(s.Definition)
	t := &catalog.Type{
		OID: shell.OID, Schema: schema, Name: name, Len: -1, Kind: 'b', Category: 'U', Delim: ',', Align: 'i', Storage: 'p',
		BaseTypmod: pgtype.NoTypmod, Decl: a.decl(noLoc),
	}
	a.baseLayout(t, o)
	a.baseFuncs(t, o)
	a.cat.DropType(shell)
	a.addTypePair(t, &catalog.Type{OID: a.cat.NewOID()})
}

// shellType enters a type that is promised and not defined yet (TypeShellMake,
// pg_type.c).
func (a *applier) shellType(schema, name string) *catalog.Type {
	t := &catalog.Type{
		OID: a.cat.NewOID(), Schema: schema, Name: name, Len: 4, ByVal: true, Kind: 'p', Category: 'P', Delim: ',',
		Align: 'i', Storage: 'p', BaseTypmod: pgtype.NoTypmod, Shell: true, Decl: a.decl(noLoc),
	}
	a.ioFuncs(t, "shell_in", "shell_out", "", "")
	a.cat.AddType(t)
	return t
}

// typeOID is the OID for a new type: that of the shell which it takes the place
// of, else a new one.
func (a *applier) typeOID(schema, name string) pgtype.OID {
	if t := a.cat.TypeByName(schema, name); t != nil && t.Shell {
		a.cat.DropType(t)
		return t.OID
	}
	return a.cat.NewOID()
}

// shellNamed is the shell that a type name means, nil where it means none.
func (a *applier) shellNamed(n *pg.TypeName) *catalog.Type {
	if n == nil || n.PctType || len(n.ArrayBounds) > 0 || len(n.Names) == 0 {
		return nil
	}
	schema, name := split(n.Names)
	if t := a.cat.TypeByName(schema, name); t != nil && t.Shell {
		return t
	}
	return nil
}

// shellParameter is the shell that an argument or result of a function has, nil
// for none. SQL has no way to make or read a value of one
// (interpret_function_parameter_list and compute_return_type, functioncmds.c).
func (a *applier) shellParameter(f *catalog.Func, n *pg.TypeName, cannot string) *catalog.Type {
	t := a.shellNamed(n)
	if t == nil {
		return nil
	}
	if f.Language == "sql" {
		schema, name := split(n.Names)
		a.fail("42P13", int(n.Location), "SQL function cannot %s shell type %s", cannot, shown(schema, name))
	}
	return t
}

// shellResult makes the shell that a function in C stands for whose result has a
// type that is not there; nil where it is, or where the language tells nothing of
// it (compute_return_type, functioncmds.c).
func (a *applier) shellResult(f *catalog.Func, n *pg.TypeName) *catalog.Type {
	if f.Language != "c" && f.Language != "internal" || n.PctType || len(n.ArrayBounds) > 0 {
		return nil
	}
	schema, name := split(n.Names)
	if schema != "" && a.cat.Schema(schema) == nil || a.cat.TypeByName(schema, name) != nil {
		return nil
	}
	if len(a.cat.UnknownExtensions()) > 0 {
		// It is more likely a type of the extension's.
		return nil
	}
	if len(n.Typmods) > 0 {
		a.fail("42601", int(n.Location), "type modifier cannot be specified for shell type %q", shown(schema, name))
	}
	return a.shellType(a.creationSchema(schema, noLoc), name)
}

func (a *applier) baseOptions(list []*pg.Node) baseOptions {
	o := baseOptions{}
	for _, n := range list {
		d := n.GetDefElem()
		key := d.Defname
		switch key {
		case "analyse":
			key = "analyze"
		case "like", "internallength", "input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze",
			"subscript", "category", "preferred", "delimiter", "element", "default", "passedbyvalue", "alignment",
			"storage", "collatable":
		default:
			// The server warns and goes on.
			continue
		}
		if o[key] != nil {
			a.fail("42601", int(d.Location), "conflicting or redundant options")
		}
		o[key] = d
	}
	return o
}

// optionType is the type that an option names.
func (a *applier) optionType(d *pg.DefElem) *catalog.Type {
	n := d.Arg.GetTypeName()
	if n == nil {
		n = &pg.TypeName{Names: nameParts(d.Arg), Typemod: -1, Location: noLoc}
	}
	oid, _ := a.typeName(n)
	return a.cat.Type(oid)
}

// baseLayout reads how values are stored and what else the type is.
func (a *applier) baseLayout(t *catalog.Type, o baseOptions) {
	if d := o["like"]; d != nil {
		l := a.optionType(d)
		t.Len, t.ByVal, t.Align, t.Storage = l.Len, l.ByVal, l.Align, l.Storage
	}
	invalid := func(format string, args ...any) { a.fail("22023", noLoc, format, args...) }
	if d := o["internallength"]; d != nil {
		text := valueText(d.Arg)
		n, err := strconv.Atoi(text)
		switch {
		case strings.EqualFold(text, "variable"):
			n = -1
		case err != nil:
			a.fail("42601", noLoc, "invalid argument for %s: \"%s\"", d.Defname, text)
		}
		t.Len = n
	}
	if d := o["category"]; d != nil {
		text := valueText(d.Arg)
		if text == "" || text[0] < 32 || text[0] > 126 {
			invalid("invalid type category %q: must be simple ASCII", text)
		}
		t.Category = text[0]
	}
	if d := o["preferred"]; d != nil {
		t.Preferred = defBool(d)
	}
	if d := o["delimiter"]; d != nil {
		if text := valueText(d.Arg); text != "" {
			t.Delim = text[0]
		}
	}
	if d := o["element"]; d != nil {
		e := a.optionType(d)
		if e.Kind == 'p' {
			a.fail("42804", noLoc, "array element type cannot be %s", a.typeWord(e.OID))
		}
		t.Element = e.OID
	}
	if d := o["passedbyvalue"]; d != nil {
		t.ByVal = defBool(d)
	}
	if d := o["alignment"]; d != nil {
		text := valueText(d.Arg)
		switch strings.ToLower(text) {
		case "double", "float8":
			t.Align = 'd'
		case "int4":
			t.Align = 'i'
		case "int2":
			t.Align = 's'
		case "char", "bpchar":
			t.Align = 'c'
		default:
			invalid("alignment %q not recognized", text)
		}
	}
	if d := o["storage"]; d != nil {
		text := strings.ToLower(valueText(d.Arg))
		kind, ok := map[string]byte{"plain": 'p', "external": 'e', "extended": 'x', "main": 'm'}[text]
		if !ok {
			invalid("storage %q not recognized", valueText(d.Arg))
		}
		t.Storage = kind
	}
	if d := o["collatable"]; d != nil && defBool(d) {
		t.Collation = pgtype.DefaultCollation
	}
}

// baseFuncs finds the functions of a base type by the arguments that each must
// take, and holds their results against what they must give.
func (a *applier) baseFuncs(t *catalog.Type, o baseOptions) {
	invalid := func(format string, args ...any) { a.fail("42P17", noLoc, format, args...) }
	switch {
	case o["input"] == nil:
		invalid("type input function must be specified")
	case o["output"] == nil:
		invalid("type output function must be specified")
	case o["typmod_in"] == nil && o["typmod_out"] != nil:
		invalid("type modifier output function is useless without a type modifier input function")
	}
	find := func(option, what string, result pgtype.OID, forms ...[]pgtype.OID) pgtype.OID {
		d := o[option]
		if d == nil {
			return 0
		}
		schema, name := split(nameParts(d.Arg))
		var found []*catalog.Func
		for _, args := range forms {
			for _, f := range a.cat.FuncsByName(schema, name) {
				if slices.Equal(f.Args, args) {
					found = append(found, f)
					break
				}
			}
		}
		switch {
		case len(found) == 0:
			a.fail("42883", noLoc, "function %s does not exist", a.funcSignature(schema, name, forms[0]))
		case len(found) > 1:
			a.fail("42725", noLoc, "%s function %s has multiple matches", what, shown(schema, name))
		case found[0].Result != result:
			invalid("%s function %s must return type %s", what, shown(schema, name), a.typeWord(result))
		}
		return found[0].OID
	}
	type args = []pgtype.OID
	own := args{t.OID}
	t.Input = find("input", "type input", t.OID, args{pgtype.CstringOID}, args{pgtype.CstringOID, pgtype.OidOID, pgtype.Int4OID})
	t.Output = find("output", "type output", pgtype.CstringOID, own)
	t.Receive = find("receive", "type receive", t.OID, args{pgtype.InternalOID}, args{pgtype.InternalOID, pgtype.OidOID, pgtype.Int4OID})
	t.Send = find("send", "type send", pgtype.ByteaOID, own)
	if o["typmod_in"] != nil {
		t.TypmodIn = find("typmod_in", "typmod_in", pgtype.Int4OID, args{pgtype.CstringArrayOID})
	}
	find("typmod_out", "typmod_out", pgtype.CstringOID, args{pgtype.Int4OID})
	find("analyze", "type analyze", pgtype.BoolOID, args{pgtype.InternalOID})
	if f := a.cat.Func(find("subscript", "type subscripting", pgtype.InternalOID, args{pgtype.InternalOID})); f != nil {
		if f.Name == "array_subscript_handler" && f.OID < pgtype.FirstNormalOID {
			schema, name := split(nameParts(o["subscript"].Arg))
			invalid("user-defined types cannot use subscripting function %s", shown(schema, name))
		}
		t.Subscript = f.Name
	} else if t.Element != 0 {
		if t.Len <= 0 || t.ByVal || a.cat.Type(t.Element).Len <= 0 {
			a.fail("22023", noLoc, "element type cannot be specified without a subscripting function")
		}
		t.Subscript = "raw_array_subscript_handler"
	}
	a.checkLayout(t)
}

// checkLayout refuses sizes and alignments that no value can have (TypeCreate,
// pg_type.c).
func (a *applier) checkLayout(t *catalog.Type) {
	invalid := func(format string, args ...any) { a.fail("42P17", noLoc, format, args...) }
	aligned := map[int]byte{1: 'c', 2: 's', 4: 'i', 8: 'd'}
	switch {
	case t.Len <= 0 && t.Len != -1 && t.Len != -2:
		invalid("invalid type internal size %d", t.Len)
	case t.ByVal && aligned[t.Len] == 0:
		invalid("internal size %d is invalid for passed-by-value type", t.Len)
	case t.ByVal && aligned[t.Len] != t.Align:
		invalid("alignment \"%c\" is invalid for passed-by-value type of size %d", t.Align, t.Len)
	case !t.ByVal && t.Len == -1 && t.Align != 'i' && t.Align != 'd':
		invalid("alignment \"%c\" is invalid for variable-length type", t.Align)
	case !t.ByVal && t.Len == -2 && t.Align != 'c':
		invalid("alignment \"%c\" is invalid for variable-length type", t.Align)
	case t.Storage != 'p' && t.Len != -1:
		invalid("fixed-size types must have storage PLAIN")
	}
}
