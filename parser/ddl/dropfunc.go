package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// describeFunc is a routine as dependency messages have it.
func (a *applier) describeFunc(f *catalog.Func) string {
	if f.Kind == 'p' {
		return "procedure " + a.signature(f)
	}
	return "function " + a.signature(f)
}

// describeOperator is an operator as dependency messages have it.
func (a *applier) describeOperator(o *catalog.Operator) string {
	left := "none"
	if o.Left != 0 {
		left = a.typeWord(o.Left)
	}
	return "operator " + o.Name + "(" + left + "," + a.typeWord(o.Right) + ")"
}

// notPinned fails for an object that the server itself needs
// (IsPinnedObject, catalog.c).
func (a *applier) notPinned(oid pgtype.OID, what string) {
	if oid < pgtype.FirstNormalOID {
		a.fail("2BP01", noLoc, "cannot drop %s because it is required by the database system", what)
	}
}

// bodies finds functions whose body was written as SQL and stands on something.
func (d *dropping) bodies(on string, uses func(*readsOf) bool) {
	for _, f := range d.a.cat.Funcs() {
		if !f.InlineBody || d.marked(f) {
			continue
		}
		r := newReads()
		for _, q := range f.Body {
			r.query(q, nil)
		}
		if uses(r) {
			d.depends(f, d.a.describeFunc(f), on, func() { d.function(f) })
		}
	}
}

// functionUsers finds what is made of a function: operators, casts, aggregates,
// and functions whose body was written as SQL.
func (d *dropping) functionUsers(f *catalog.Func, on string) {
	a := d.a
	for _, o := range a.cat.Operators() {
		if o.Func == f.OID {
			d.depends(o, a.describeOperator(o), on, func() { d.operator(o) })
		}
	}
	for _, k := range a.cat.Casts() {
		if k.Method == catalog.CastFunction && k.Func == f.OID {
			what := "cast from " + a.typeWord(k.Source) + " to " + a.typeWord(k.Target)
			d.depends(k, what, on, func() { d.mark(k, func() { a.cat.DropCast(k) }) })
		}
	}
	for _, x := range a.cat.Funcs() {
		if g := x.Aggregate; g != nil && slices.Contains(
			[]pgtype.OID{g.TransFunc, g.FinalFunc, g.CombineFunc, g.SerialFunc, g.DeserialFunc, g.MovingTransFunc}, f.OID) {
			d.depends(x, a.describeFunc(x), on, func() { d.function(x) })
		}
	}
	d.bodies(on, func(r *readsOf) bool { return r.funcs[f.OID] })
}

// operator marks an operator. Expressions stand on its function as well, so that
// views that use it are found by that.
func (d *dropping) operator(o *catalog.Operator) {
	a := d.a
	if !d.mark(o, func() { a.cat.DropOperator(o) }) {
		return
	}
	on := a.describeOperator(o)
	for _, m := range a.cat.AmOpsOf(o.OID) {
		for _, c := range a.cat.OpClassesOf(m.Family) {
			if c.InType == m.Left {
				d.depends(c, a.describeClass(c), on, func() { d.class(c) })
			}
		}
	}
	for _, t := range a.cat.Tables() {
		if t.View == nil {
			continue
		}
		if usesOperator(t.View, o.OID) {
			d.depends(t, a.describe(t), on, func() { d.relation(t) })
		}
	}
}

// usesOperator reports whether a query applies an operator.
func usesOperator(q *query.Query, oid pgtype.OID) bool {
	found := false
	for _, list := range [][]*query.SortGroupClause{q.SortClause, q.GroupClause, q.Distinct} {
		for _, c := range list {
			found = found || c.SortOp == oid || c.EqOp == oid
		}
	}
	q.WalkLevels(func(e query.Expr, _ int) bool {
		switch x := e.(type) {
		case *query.OpExpr:
			found = found || x.Op == oid
		case *query.ScalarArrayOpExpr:
			found = found || x.Op == oid
		}
		return !found
	})
	return found
}

// dropCast marks a cast.
func (a *applier) dropCast(d *dropping, s *pg.DropStmt, parts []*pg.Node) string {
	var types [2]pgtype.OID
	for i, n := range parts[:2] {
		oid, _, err := analyze.TypeName(a.cat, n.GetTypeName())
		if err != nil && s.MissingOk {
			return ""
		}
		a.check(err, noLoc)
		types[i] = oid
	}
	what := "cast from " + a.typeWord(types[0]) + " to " + a.typeWord(types[1])
	k := a.cat.Cast(types[0], types[1])
	if k == nil {
		if !s.MissingOk {
			a.fail("42704", noLoc, "cast from type %s to type %s does not exist", a.typeWord(types[0]), a.typeWord(types[1]))
		}
		return ""
	}
	if !slices.Contains(a.cat.Casts(), k) {
		a.fail("2BP01", noLoc, "cannot drop %s because it is required by the database system", what)
	}
	d.mark(k, func() { a.cat.DropCast(k) })
	return what
}

// dropOpClass marks an operator class or family: the access method, then the name.
func (a *applier) dropOpClass(d *dropping, s *pg.DropStmt, names []string) string {
	m := a.indexMethod(names[0])
	schema, name := "", names[len(names)-1]
	if len(names) > 2 {
		schema = names[len(names)-2]
	}
	if s.RemoveType == pg.ObjectType_OBJECT_OPFAMILY {
		f := a.cat.OpFamilyByName(m.OID, schema, name)
		if f == nil {
			if !s.MissingOk {
				a.fail("42704", noLoc, "operator family %q does not exist for access method %q", shown(schema, name), m.Name)
			}
			return ""
		}
		a.notPinned(f.OID, "operator family "+name)
		d.mark(f, func() { a.cat.DropOpFamily(f) })
		return "operator family " + name + " for access method " + m.Name
	}
	c := a.cat.OpClassByName(m.OID, schema, name)
	if c == nil {
		if !s.MissingOk {
			a.fail("42704", noLoc, "operator class %q does not exist for access method %q", shown(schema, name), m.Name)
		}
		return ""
	}
	on := a.describeClass(c)
	a.notPinned(c.OID, on)
	d.class(c)
	return on
}

// describeClass is an operator class as dependency messages have it.
func (a *applier) describeClass(c *catalog.OpClass) string {
	return "operator class " + c.Name + " for access method " + a.cat.Method(c.Method).Name
}

// class marks an operator class and the indexes that it orders.
func (d *dropping) class(c *catalog.OpClass) {
	a := d.a
	if !d.mark(c, func() { a.cat.DropOpClass(c) }) {
		return
	}
	for _, t := range a.cat.Tables() {
		for _, x := range slices.Clone(t.Indexes) {
			if slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return k.OpClass == c.OID }) {
				d.depends(x, "index "+x.Name, a.describeClass(c), func() { d.index(x) })
			}
		}
	}
}

func (a *applier) dropCollation(d *dropping, s *pg.DropStmt, parts []*pg.Node) string {
	schema, name := split(parts)
	c := a.cat.CollationByName(schema, name)
	if c == nil {
		if !s.MissingOk {
			a.fail("42704", noLoc, "collation %q for encoding \"UTF8\" does not exist", shown(schema, name))
		}
		return ""
	}
	on := "collation " + a.cat.CollationName(c.OID)
	a.notPinned(c.OID, on)
	d.mark(c, func() { a.cat.DropCollation(c) })
	for _, t := range a.cat.Tables() {
		for _, x := range t.Columns {
			if !x.Dropped && x.Collation == c.OID && t.View == nil {
				d.depends(x, "column "+x.Name+" of "+a.describe(t), on, func() { d.column(t, x) })
			}
		}
	}
	return on
}

// moveNamed gives a collation, an operator class or family another schema or
// name; "" keeps what there is.
func (a *applier) moveNamed(kind pg.ObjectType, parts []*pg.Node, schema, name string) {
	pick := func(oldSchema, oldName string) (string, string) {
		if schema != "" {
			oldSchema = schema
		}
		if name != "" {
			oldName = name
		}
		return oldSchema, oldName
	}
	if kind == pg.ObjectType_OBJECT_COLLATION {
		c := a.cat.Collation(a.collation(parts, noLoc))
		s, n := pick(c.Schema, c.Name)
		if a.cat.CollationByName(s, n) != nil {
			a.fail("42710", noLoc, "collation %q already exists in schema %q", n, s)
		}
		a.cat.RenameCollation(c, s, n)
		return
	}
	m := a.indexMethod(strs(parts)[0])
	if kind == pg.ObjectType_OBJECT_OPFAMILY {
		f := a.opFamily(m, parts[1:])
		f.Schema, f.Name = pick(f.Schema, f.Name)
		return
	}
	oldSchema, oldName := split(parts[1:])
	c := a.cat.OpClassByName(m.OID, oldSchema, oldName)
	if c == nil {
		a.fail("42704", noLoc, "operator class %q does not exist for access method %q", shown(oldSchema, oldName), m.Name)
	}
	c.Schema, c.Name = pick(c.Schema, c.Name)
}
