package ddl

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// newType refuses a name that is taken. An array type that the server made up
// gives way to it, and a shell waits for it (moveArrayTypeName, pg_type.c).
func (a *applier) newType(schema, name string, loc int) {
	t := a.cat.TypeByName(schema, name)
	if t == nil || t.Shell {
		return
	}
	if e := a.cat.Type(t.Element); e != nil && e.Array == t.OID {
		a.cat.RenameType(t, schema, a.arrayTypeName(schema, name))
		return
	}
	a.fail("42710", loc, "type %q already exists", name)
}

func (a *applier) addTypePair(t, array *catalog.Type) {
	t.Array = array.OID
	align := t.Align
	if align != 'd' {
		align = 'i'
	}
	oid := array.OID
	*array = catalog.Type{
		OID: oid, Schema: t.Schema, Len: -1, Kind: 'b', Category: 'A', Delim: ',', Align: align, Storage: 'x',
		Element: t.OID, Subscript: "array_subscript_handler", BaseTypmod: pgtype.NoTypmod, Collation: t.Collation,
		Decl: t.Decl,
	}
	if f := a.cat.Type(pgtype.TextArrayOID); f != nil {
		array.Input, array.Output, array.Receive, array.Send = f.Input, f.Output, f.Receive, f.Send
	}
	a.cat.AddType(t)
	array.Name = a.arrayTypeName(t.Schema, t.Name)
	a.cat.AddType(array)
}

// ioFuncs gives a type the built-in I/O functions of its kind.
func (a *applier) ioFuncs(t *catalog.Type, in, out, recv, send string) {
	oid := func(name string) pgtype.OID {
		for _, f := range a.cat.FuncsByName("pg_catalog", name) {
			return f.OID
		}
		return 0
	}
	t.Input, t.Output, t.Receive, t.Send = oid(in), oid(out), oid(recv), oid(send)
}

func (a *applier) createEnum(s *pg.CreateEnumStmt) {
	schema, name := split(s.TypeName)
	schema = a.creationSchema(schema, noLoc)
	a.newType(schema, name, noLoc)
	labels := strs(s.Vals)
	for i, l := range labels {
		if len(l) > maxName {
			a.failMore("42602", noLoc, "Labels must be 63 bytes or less.", "", "invalid enum label %q", l)
		}
		if slices.Contains(labels[:i], l) {
			a.fail("23505", noLoc, "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"")
		}
	}
	t := &catalog.Type{
		Schema: schema, Name: name, Len: 4, ByVal: true, Kind: 'e', Category: 'E', Delim: ',', Align: 'i', Storage: 'p',
		BaseTypmod: pgtype.NoTypmod, Labels: labels, Decl: a.decl(noLoc),
	}
	a.ioFuncs(t, "enum_in", "enum_out", "enum_recv", "enum_send")
	t.OID = a.typeOID(schema, name)
	a.addTypePair(t, &catalog.Type{OID: a.cat.NewOID()})
	// Each label is a row of pg_enum.
	for range labels {
		a.cat.NewOID()
	}
}

func (a *applier) alterEnum(s *pg.AlterEnumStmt) {
	t := a.namedType(s.TypeName, noLoc)
	if t.Kind != 'e' {
		a.fail("42809", noLoc, "%s is not an enum", a.typeWord(t.OID))
	}
	if s.OldVal != "" {
		i := slices.Index(t.Labels, s.OldVal)
		if i < 0 {
			a.failMore("22023", noLoc, "", suggest(s.OldVal, t.Labels), "%q is not an existing enum label", s.OldVal)
		}
		if slices.Contains(t.Labels, s.NewVal) {
			a.fail("42710", noLoc, "enum label %q already exists", s.NewVal)
		}
		t.Labels = slices.Clone(t.Labels)
		t.Labels[i] = s.NewVal
		return
	}
	if slices.Contains(t.Labels, s.NewVal) {
		if s.SkipIfNewValExists {
			return
		}
		a.fail("42710", noLoc, "enum label %q already exists", s.NewVal)
	}
	at := len(t.Labels)
	if s.NewValNeighbor != "" {
		at = slices.Index(t.Labels, s.NewValNeighbor)
		if at < 0 {
			a.failMore("22023", noLoc, "", suggest(s.NewValNeighbor, t.Labels),
				"%q is not an existing enum label", s.NewValNeighbor)
		}
		if s.NewValIsAfter {
			at++
		}
	}
	a.cat.NewOID()
	t.Labels = slices.Insert(slices.Clone(t.Labels), at, s.NewVal)
}

// createComposite is CREATE TYPE … AS (…): a relation without storage.
func (a *applier) createComposite(s *pg.CompositeTypeStmt) {
	schema := a.relationSchema(s.Typevar, int(s.Typevar.Location))
	a.newType(schema, s.Typevar.Relname, int(s.Typevar.Location))
	a.newRelation(schema, s.Typevar.Relname, int(s.Typevar.Location))
	t := &catalog.Table{
		Schema: schema, Name: s.Typevar.Relname, Kind: catalog.KindComposite, ParallelWorkers: -1,
		Decl: a.decl(int(s.Typevar.Location)),
	}
	for _, n := range s.Coldeflist {
		a.try(func() { a.addColumn(t, a.attribute(n.GetColumnDef()), "column") })
	}
	a.addRelation(t)
}

// attribute makes the column of a composite type.
func (a *applier) attribute(d *pg.ColumnDef) *catalog.Column {
	c := &catalog.Column{Name: d.Colname, Decl: a.decl(int(d.Location)), Dims: len(d.TypeName.GetArrayBounds())}
	c.Type, c.Typmod = a.declaredType(d.TypeName)
	a.usable(c.Name, c.Type, int(d.TypeName.GetLocation()))
	c.Collation = a.columnCollation(c, d.CollClause)
	return c
}

func (a *applier) createRange(s *pg.CreateRangeStmt) {
	schema, name := split(s.TypeName)
	schema = a.creationSchema(schema, noLoc)
	a.newType(schema, name, noLoc)
	var sub *catalog.Type
	multi := ""
	var class, collation []*pg.Node
	given := map[string]bool{}
	for _, n := range s.Params {
		d := n.GetDefElem()
		if given[d.Defname] {
			a.fail("42601", int(d.Location), "conflicting or redundant options")
		}
		given[d.Defname] = true
		switch d.Defname {
		case "subtype":
			oid, _ := a.typeName(d.Arg.GetTypeName())
			sub = a.cat.Type(oid)
		case "subtype_opclass":
			class = nameParts(d.Arg)
		case "collation":
			collation = nameParts(d.Arg)
		case "multirange_type_name":
			_, multi = split(nameParts(d.Arg))
		case "canonical", "subtype_diff":
		default:
			a.fail("42601", int(d.Location), "type attribute %q not recognized", d.Defname)
		}
	}
	if sub != nil && sub.Kind == 'p' {
		a.fail("42804", noLoc, "range subtype cannot be %s", a.typeWord(sub.OID))
	}
	if sub != nil && collation != nil && sub.Collation == 0 {
		a.fail("42809", noLoc, "range collation specified but subtype does not support collation")
	}
	if sub == nil {
		a.fail("42601", noLoc, "type attribute \"subtype\" is required")
	}
	align := byte('i')
	if sub.Align == 'd' {
		align = 'd'
	}
	if multi == "" {
		multi = multirangeName(name)
	}
	a.newType(schema, multi, noLoc)
	t := &catalog.Type{
		Schema: schema, Name: name, Len: -1, Kind: 'r', Category: 'R', Delim: ',', Align: align, Storage: 'x',
		BaseTypmod: pgtype.NoTypmod, RangeSubtype: sub.OID, Decl: a.decl(noLoc),
	}
	t.RangeCollation = sub.Collation
	if collation != nil {
		t.RangeCollation = a.collation(collation, noLoc)
	}
	if oc := a.operatorClass(a.cat.MethodByName("btree"), class, sub.OID, noLoc); oc != nil {
		t.RangeOpClass = oc.OID
	}
	a.ioFuncs(t, "range_in", "range_out", "range_recv", "range_send")
	m := *t
	m.Name, m.Kind, m.RangeCollation, m.RangeOpClass = multi, 'm', 0, 0
	a.ioFuncs(&m, "multirange_in", "multirange_out", "multirange_recv", "multirange_send")
	t.OID = a.typeOID(schema, name)
	array := &catalog.Type{OID: a.cat.NewOID()}
	m.OID = a.cat.NewOID()
	marray := &catalog.Type{OID: a.cat.NewOID()}
	t.RangeMulti, m.RangeOf = m.OID, t.OID
	a.addTypePair(t, array)
	a.addTypePair(&m, marray)
	a.rangeConstructors(t, &m, sub)
}

// rangeConstructors enters the functions that make a range and a multirange
// (makeRangeConstructors and makeMultirangeConstructors, typecmds.c).
func (a *applier) rangeConstructors(r, m, sub *catalog.Type) {
	add := func(name string, result pgtype.OID, variadic pgtype.OID, source string, args ...pgtype.OID) {
		a.cat.AddFunc(&catalog.Func{
			OID: a.cat.NewOID(), Schema: r.Schema, Name: name, Kind: 'f', Language: "internal", Cost: 1,
			Volatile: 'i', Parallel: 's', Strict: variadic != 0 || len(args) == 1, Result: result, Args: args,
			Variadic: variadic, Source: source, Decl: r.Decl,
		})
	}
	add(r.Name, r.OID, 0, "range_constructor2", sub.OID, sub.OID)
	add(r.Name, r.OID, 0, "range_constructor3", sub.OID, sub.OID, pgtype.TextOID)
	add(m.Name, m.OID, 0, "multirange_constructor0")
	add(m.Name, m.OID, 0, "multirange_constructor1", r.OID)
	add(m.Name, m.OID, r.OID, "multirange_constructor2", r.Array)
	a.cat.AddCast(&catalog.Cast{
		Source: r.OID, Target: m.OID, Context: catalog.CastImplicit, Method: catalog.CastFunction,
		Func: a.castFunc(m.Name, r.Schema, r.OID),
	})
}

func (a *applier) castFunc(name, schema string, arg pgtype.OID) pgtype.OID {
	for _, f := range a.cat.FuncsByName(schema, name) {
		if len(f.Args) == 1 && f.Args[0] == arg {
			return f.OID
		}
	}
	return 0
}

// multirangeName is makeMultirangeTypeName (pg_type.c).
func multirangeName(name string) string {
	if i := strings.Index(name, "range"); i >= 0 {
		return clip(name[:i]+"multi"+name[i:], maxName)
	}
	return clip(clip(name, maxName-len("_multirange"))+"_multirange", maxName)
}

// nameParts are the parts of a name that an option gives: a list, a type name or
// a string.
func nameParts(n *pg.Node) []*pg.Node {
	switch n := n.GetNode().(type) {
	case *pg.Node_List:
		return n.List.Items
	case *pg.Node_TypeName:
		return n.TypeName.Names
	case *pg.Node_String_:
		return []*pg.Node{pg.MakeStrNode(n.String_.Sval)}
	}
	return nil
}

func (a *applier) createDomain(s *pg.CreateDomainStmt) {
	schema, name := split(s.Domainname)
	schema = a.creationSchema(schema, noLoc)
	a.newType(schema, name, noLoc)
	loc := int(s.TypeName.GetLocation())
	oid, mod := a.declaredType(s.TypeName)
	base := a.cat.Type(oid)
	switch base.Kind {
	case 'b', 'c', 'd', 'e', 'r', 'm':
	default:
		a.fail("42804", loc, "%q is not a valid base type for a domain", a.typeWord(oid))
	}
	t := &catalog.Type{
		Schema: schema, Name: name, Len: base.Len, ByVal: base.ByVal, Kind: 'd', Category: base.Category, Delim: base.Delim,
		Align: base.Align, Storage: base.Storage, Base: oid, BaseTypmod: mod, Dims: len(s.TypeName.GetArrayBounds()),
		Collation: base.Collation, Output: base.Output, Send: base.Send, TypmodIn: 0, Decl: a.decl(noLoc),
		Default: base.Default, NotNull: false,
	}
	a.ioFuncs(t, "domain_in", "domain_in", "domain_recv", "domain_recv")
	t.Output, t.Send = base.Output, base.Send
	if c := s.CollClause; c != nil {
		if base.Collation == 0 {
			a.fail("42804", int(c.Location), "collations are not supported by type %s", a.typeWord(oid))
		}
		t.Collation = a.collation(c.Collname, int(c.Location))
	}
	a.noteType(t.Base)
	array := &catalog.Type{OID: a.cat.NewOID()}
	t.OID = a.typeOID(schema, name)
	a.addTypePair(t, array)
	a.chosen = nil
	sawNull, sawDefault := false, false
	for _, n := range s.Constraints {
		c := n.GetConstraint()
		a.try(func() {
			switch {
			case c.Contype == pg.ConstrType_CONSTR_DEFAULT && sawDefault:
				a.fail("42601", int(c.Location), "multiple default expressions")
			case c.Contype == pg.ConstrType_CONSTR_NOTNULL && sawNull:
				a.fail("42601", int(c.Location), "conflicting NULL/NOT NULL constraints")
			}
			sawNull = sawNull || c.Contype == pg.ConstrType_CONSTR_NULL
			sawDefault = sawDefault || c.Contype == pg.ConstrType_CONSTR_DEFAULT
			a.domainConstraint(t, c)
		})
	}
}

func (a *applier) domainConstraint(t *catalog.Type, c *pg.Constraint) {
	switch c.Contype {
	case pg.ConstrType_CONSTR_NOTNULL:
		t.NotNull = true
	case pg.ConstrType_CONSTR_NULL:
		if t.NotNull {
			a.fail("42601", int(c.Location), "conflicting NULL/NOT NULL constraints")
		}
	case pg.ConstrType_CONSTR_DEFAULT:
		t.Default, _ = a.expr(nil, c.RawExpr, analyze.KindColumnDefault, t.OID, t.BaseTypmod)
	case pg.ConstrType_CONSTR_CHECK:
		a.domainCheck(t, c)
	case pg.ConstrType_CONSTR_UNIQUE:
		a.fail("42601", int(c.Location), "unique constraints not possible for domains")
	case pg.ConstrType_CONSTR_PRIMARY:
		a.fail("42601", int(c.Location), "primary key constraints not possible for domains")
	case pg.ConstrType_CONSTR_EXCLUSION:
		a.fail("42601", int(c.Location), "exclusion constraints not possible for domains")
	case pg.ConstrType_CONSTR_FOREIGN:
		a.fail("42601", int(c.Location), "foreign key constraints not possible for domains")
	default:
		a.fail("0A000", int(c.Location), "specifying constraint deferrability not supported for domains")
	}
}

func (a *applier) domainCheck(t *catalog.Type, c *pg.Constraint) {
	if c.IsNoInherit {
		a.fail("42P17", int(c.Location), "check constraints for domains cannot be marked NO INHERIT")
	}
	name := c.Conname
	if name == "" {
		name = a.chooseConstraintName(t.Name, "", "check", t.Schema)
	} else if slices.ContainsFunc(t.Checks, func(k *catalog.Constraint) bool { return k.Name == name }) {
		a.fail("42710", int(c.Location), "constraint %q for domain %q already exists", name, t.Name)
	}
	base, mod := t.Base, t.BaseTypmod
	e, err := analyze.DomainExpr(a.cat, a.stmt.Text, c.RawExpr, analyze.KindCheck, base, mod, t.Collation)
	k := &catalog.Constraint{
		OID: a.cat.NewOID(), Name: name, Kind: catalog.ConstraintCheck, Validated: !c.SkipValidation,
		Decl: a.decl(int(c.Location)),
	}
	k.CheckError = a.orWarn(err)
	k.Expr = e
	a.cat.AddDomainConstraint(t, k)
}

func (a *applier) alterDomain(s *pg.AlterDomainStmt) {
	t := a.namedType(s.TypeName, noLoc)
	if t.Kind != 'd' {
		a.fail("42809", noLoc, "%s is not a domain", a.typeWord(t.OID))
	}
	find := func(name string) int {
		return slices.IndexFunc(t.Checks, func(k *catalog.Constraint) bool { return k.Name == name })
	}
	switch s.Subtype {
	case "T":
		t.Default = nil
		if s.Def != nil {
			t.Default, _ = a.expr(nil, s.Def, analyze.KindColumnDefault, t.OID, t.BaseTypmod)
		}
	case "N":
		t.NotNull = false
	case "O":
		t.NotNull = true
	case "C":
		a.chosen = nil
		a.domainConstraint(t, s.Def.GetConstraint())
	case "X":
		i := find(s.Name)
		if i < 0 {
			if s.MissingOk {
				return
			}
			a.fail("42704", noLoc, "constraint %q of domain %q does not exist", s.Name, t.Name)
		}
		a.cat.DropDomainConstraint(t, t.Checks[i])
	case "V":
		i := find(s.Name)
		if i < 0 {
			a.fail("42704", noLoc, "constraint %q of domain %q does not exist", s.Name, t.Name)
		}
		t.Checks[i].Validated = true
	}
}
