package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Kinds of CreateOpClassItem (nodes/parsenodes.h).
const (
	itemOperator = 1
	itemFunction = 2
	itemStorage  = 3
)

// indexMethod is an access method for operator classes, or a failure.
func (a *applier) indexMethod(name string) *catalog.AccessMethod {
	m := a.cat.MethodByName(name)
	if m == nil {
		a.fail("42704", noLoc, "access method %q does not exist", name)
	}
	return m
}

// createOpClass is CREATE OPERATOR CLASS (DefineOpClass, opclasscmds.c).
func (a *applier) createOpClass(s *pg.CreateOpClassStmt) {
	schema, name := split(s.Opclassname)
	schema = a.creationSchema(schema, noLoc)
	m := a.indexMethod(s.Amname)
	oid, _ := a.typeName(s.Datatype)
	var f *catalog.OpFamily
	switch {
	case s.Opfamilyname != nil:
		f = a.opFamily(m, s.Opfamilyname)
	default:
		if f = a.cat.OpFamilyByName(m.OID, schema, name); f == nil {
			f = &catalog.OpFamily{OID: a.cat.NewOID(), Schema: schema, Name: name, Method: m.OID}
			a.cat.AddOpFamily(f)
		}
	}
	c := &catalog.OpClass{Schema: schema, Name: name, Method: m.OID, Family: f.OID, InType: oid, Default: s.IsDefault}
	for _, n := range s.Items {
		if i := n.GetCreateOpClassItem(); i.Itemtype == itemStorage {
			c.KeyType, _ = a.typeName(i.Storedtype)
		}
	}
	enter := a.familyItems(f, s.Items, oid)
	if x := a.cat.OpClassByName(m.OID, schema, name); x != nil && x.Schema == schema {
		a.fail("42710", noLoc, "operator class %q for access method %q already exists", name, s.Amname)
	}
	if s.IsDefault {
		if x := a.cat.DefaultOpClass(oid, m.OID); x != nil && x.InType == oid {
			a.failMore("42710", noLoc, "Operator class \""+x.Name+"\" already is the default.", "",
				"could not make operator class %q be default for type %s", name, a.typeWord(oid))
		}
	}
	enter()
	c.OID = a.cat.NewOID()
	a.cat.AddOpClass(c, f)
}

func (a *applier) createOpFamily(s *pg.CreateOpFamilyStmt) {
	schema, name := split(s.Opfamilyname)
	schema = a.creationSchema(schema, noLoc)
	m := a.indexMethod(s.Amname)
	if x := a.cat.OpFamilyByName(m.OID, schema, name); x != nil {
		a.fail("42710", noLoc, "operator family %q for access method %q already exists", name, s.Amname)
	}
	a.cat.AddOpFamily(&catalog.OpFamily{OID: a.cat.NewOID(), Schema: schema, Name: name, Method: m.OID})
}

func (a *applier) opFamily(m *catalog.AccessMethod, parts []*pg.Node) *catalog.OpFamily {
	schema, name := split(parts)
	f := a.cat.OpFamilyByName(m.OID, schema, name)
	if f == nil {
		a.fail("42704", noLoc, "operator family %q does not exist for access method %q", shown(schema, name), m.Name)
	}
	return f
}

// familyItems resolves operators and functions, and returns what enters them; in
// is the class's type, 0 for a bare family.
func (a *applier) familyItems(f *catalog.OpFamily, items []*pg.Node, in pgtype.OID) (enter func()) {
	var ops []*catalog.AmOp
	var procs []*catalog.AmProc
	for _, n := range items {
		i := n.GetCreateOpClassItem()
		types := make([]pgtype.OID, len(i.ClassArgs))
		for j, t := range i.ClassArgs {
			types[j], _ = a.typeName(t.GetTypeName())
		}
		switch i.Itemtype {
		case itemOperator:
			ops = append(ops, a.familyOperator(f, i, in))
		case itemFunction:
			fn := a.routine(i.Name, pg.ObjectType_OBJECT_FUNCTION)
			p := &catalog.AmProc{Family: f.OID, Number: int(i.Number), Func: fn.OID, Left: in, Right: in}
			switch {
			case len(types) > 0:
				p.Left, p.Right = types[0], types[len(types)-1]
			case len(fn.Args) == 2 && fn.Args[0] != pgtype.InternalOID:
				p.Left, p.Right = fn.Args[0], fn.Args[1]
			}
			procs = append(procs, p)
		}
	}
	return func() {
		for _, o := range ops {
			a.cat.AddAmOp(o)
		}
		for _, p := range procs {
			a.cat.AddAmProc(p)
		}
	}
}

func (a *applier) familyOperator(f *catalog.OpFamily, i *pg.CreateOpClassItem, in pgtype.OID) *catalog.AmOp {
	var o *catalog.Operator
	if len(i.Name.Objargs) > 0 {
		o = a.namedOperator(i.Name, false)
	} else {
		schema, name := split(i.Name.Objname)
		if o = a.operator(schema, name, in, in); o == nil {
			a.fail("42883", noLoc, "operator does not exist: %s %s %s", a.typeWord(in), shown(schema, name), a.typeWord(in))
		}
	}
	m := &catalog.AmOp{
		Family: f.OID, Method: f.Method, Left: o.Left, Right: o.Right, Strategy: int(i.Number), Purpose: 's', Operator: o.OID,
	}
	if i.OrderFamily != nil {
		m.Purpose = 'o'
		m.SortFamily = a.opFamily(a.indexMethod("btree"), i.OrderFamily).OID
	} else if o.Result != pgtype.BoolOID {
		a.fail("42P17", noLoc, "index search operators must return boolean")
	}
	return m
}

// alterOpFamily is ALTER OPERATOR FAMILY … ADD and DROP.
func (a *applier) alterOpFamily(s *pg.AlterOpFamilyStmt) {
	f := a.opFamily(a.indexMethod(s.Amname), s.Opfamilyname)
	if !s.IsDrop {
		a.familyItems(f, s.Items, 0)()
		return
	}
	for _, n := range s.Items {
		i := n.GetCreateOpClassItem()
		types := make([]pgtype.OID, len(i.ClassArgs))
		for j, t := range i.ClassArgs {
			types[j], _ = a.typeName(t.GetTypeName())
		}
		if len(types) == 0 {
			continue
		}
		left, right := types[0], types[len(types)-1]
		for _, m := range slices.Clone(a.cat.AmOps(f.OID)) {
			if i.Itemtype == itemOperator && m.Left == left && m.Right == right && m.Strategy == int(i.Number) {
				a.cat.DropAmOp(m)
			}
		}
		for _, p := range slices.Clone(a.cat.AmProcs(f.OID)) {
			if i.Itemtype == itemFunction && p.Left == left && p.Right == right && p.Number == int(i.Number) {
				a.cat.DropAmProc(p)
			}
		}
	}
}

// createCollation is CREATE COLLATION (DefineCollation, collationcmds.c).
func (a *applier) createCollation(s *pg.DefineStmt) {
	schema, name := split(s.Defnames)
	c := &catalog.Collation{Schema: a.creationSchema(schema, noLoc), Name: name, Provider: 'c', Deterministic: true}
	for _, n := range s.Definition {
		switch d := n.GetDefElem(); d.Defname {
		case "from":
			from := a.cat.Collation(a.collation(nameParts(d.Arg), int(d.Location)))
			if from.Provider == 'd' {
				a.fail("42P17", noLoc, "collation \"default\" cannot be copied")
			}
			c.Provider, c.Deterministic = from.Provider, from.Deterministic
		case "provider":
			switch p := defString(d); p {
			case "icu":
				c.Provider = 'i'
			case "libc":
			case "builtin":
				c.Provider = 'b'
			default:
				a.fail("42P17", noLoc, "unrecognized collation provider: %s", p)
			}
		case "deterministic":
			c.Deterministic = defBool(d)
		case "locale", "lc_collate", "lc_ctype", "version", "rules":
		default:
			a.fail("42601", int(d.Location), "collation attribute %q not recognized", d.Defname)
		}
	}
	if !c.Deterministic && c.Provider != 'i' && (c.Provider != 'b' || a.cat.Major < 18) {
		a.fail("0A000", noLoc, "nondeterministic collations not supported with this provider")
	}
	if x := a.cat.CollationByName(c.Schema, name); x != nil {
		if s.IfNotExists {
			return
		}
		a.fail("42710", noLoc, "collation %q already exists", name)
	}
	c.OID = a.cat.NewOID()
	a.cat.AddCollation(c)
}

// callStmt passes over CALL, but for a procedure that changes the schema.
func (a *applier) callStmt(s *pg.CallStmt) {
	n := &pg.Node{Node: &pg.Node_FuncCall{FuncCall: s.Funccall}}
	if f := a.ddlCall(n); f != nil {
		a.unsupported(noLoc, "the procedure %s changes the schema when it is called; that is not followed", a.signature(f))
		a.cat.AddUnfollowed(catalog.Unfollowed{Place: a.decl(noLoc), Text: a.stmt.Text + f.Source})
	}
}
