package ddl

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// dropExtension marks an extension of a DROP and returns what it is called; ""
// for one that is not there and need not be.
func (a *applier) dropExtension(d *dropping, s *pg.DropStmt, name string) string {
	if name == plpgsql {
		return ""
	}
	if s.MissingOk && a.cat.Extension(name) == nil {
		return ""
	}
	d.extension(a.extension(name))
	return "extension " + name
}

// memberOf returns the extension that an object belongs to, nil for none.
func (a *applier) memberOf(o any) *catalog.Extension {
	for _, e := range a.cat.Extensions() {
		m := &e.Members
		found := false
		switch o := o.(type) {
		case *catalog.Type:
			found = slices.Contains(m.Types, o)
		case *catalog.Func:
			found = slices.Contains(m.Funcs, o)
		case *catalog.Table:
			found = slices.ContainsFunc(m.Tables, func(t *catalog.Table) bool { return t.OID == o.OID })
		case *catalog.Schema:
			found = slices.Contains(m.Schemas, o)
		}
		if found {
			return e
		}
	}
	return nil
}

// owned fails for an object of an extension: it goes with that only
// (findDependentObjects, dependency.c).
func (a *applier) owned(o any, what string) {
	if e := a.memberOf(o); e != nil {
		a.failMore("2BP01", noLoc, "", "You can drop extension "+a.cat.QuoteIdent(e.Name)+" instead.",
			"cannot drop %s because extension %s requires it", what, e.Name)
	}
}

// members are the OIDs of an extension's objects that others can stand on.
type members struct {
	types, funcs, classes, methods map[pgtype.OID]string
}

// reads returns what of the extension an expression or query stands on, "" for
// nothing.
func (m *members) reads(r *readsOf) string {
	on := ""
	for _, pair := range []struct {
		mine map[pgtype.OID]string
		read map[pgtype.OID]bool
	}{{m.funcs, r.funcs}, {m.types, r.types}} {
		for oid := range pair.read {
			if s := pair.mine[oid]; s != "" && (on == "" || s < on) {
				on = s
			}
		}
	}
	return on
}

func (m *members) expr(e query.Expr) string {
	if e == nil {
		return ""
	}
	r := newReads()
	r.expr(e, nil)
	return m.reads(r)
}

func (m *members) index(x *catalog.Index) string {
	if s := m.methods[x.Method]; s != "" {
		return s
	}
	for _, k := range x.Keys {
		if s := m.classes[k.OpClass]; s != "" {
			return s
		}
		if s := m.expr(k.Expr); s != "" {
			return s
		}
	}
	for _, e := range x.Predicate {
		if s := m.expr(e); s != "" {
			return s
		}
	}
	return ""
}

// extension marks an extension with all that it brought, and what stands on
// those.
func (d *dropping) extension(e *catalog.Extension) {
	a := d.a
	if !d.mark(e, func() { a.cat.DropExtension(e) }) {
		return
	}
	m := &members{map[pgtype.OID]string{}, map[pgtype.OID]string{}, map[pgtype.OID]string{}, map[pgtype.OID]string{}}
	none := func() {}
	for _, t := range e.Members.Types {
		d.mark(t, none)
		m.types[t.OID] = "type " + a.typeWord(t.OID)
	}
	for _, f := range e.Members.Funcs {
		d.mark(f, none)
		m.funcs[f.OID] = "function " + a.signature(f)
	}
	for _, c := range e.Members.OpClasses {
		m.classes[c.OID] = "operator class " + c.Name
	}
	for _, x := range e.Members.Methods {
		m.methods[x.OID] = "access method " + x.Name
	}
	var tables []*catalog.Table
	for _, x := range e.Members.Tables {
		if t := a.cat.Table(x.OID); t != nil && d.mark(t, none) {
			tables = append(tables, t)
		}
	}
	for _, s := range e.Members.Schemas {
		d.schemaContents(s.Name)
	}
	for _, x := range a.cat.Extensions() {
		if slices.Contains(x.Requires, e.Name) {
			d.depends(x, "extension "+x.Name, "extension "+e.Name, func() { d.extension(x) })
		}
	}
	for _, t := range a.cat.Types() {
		if on := m.types[t.Base]; t.Kind == 'd' && on != "" && !d.marked(t) {
			d.depends(t, "type "+a.typeWord(t.OID), on, func() { d.typ(t) })
		}
		if on := m.types[t.RangeSubtype]; t.Kind == 'r' && on != "" && !d.marked(t) {
			d.depends(t, "type "+a.typeWord(t.OID), on, func() { d.typ(t) })
		}
	}
	for _, f := range a.cat.Funcs() {
		for _, oid := range slices.Concat([]pgtype.OID{f.Result}, f.Args, f.AllArgs) {
			if on := m.types[oid]; on != "" && !d.marked(f) {
				d.depends(f, "function "+a.signature(f), on, func() { d.function(f) })
			}
		}
	}
	for _, t := range a.cat.Tables() {
		if !d.marked(t) {
			d.tableOn(t, m, tables)
		}
	}
}

// tableOn finds what of a table or view stands on an extension's objects.
func (d *dropping) tableOn(t *catalog.Table, m *members, tables []*catalog.Table) {
	a := d.a
	what := a.describe(t)
	if t.View != nil {
		r := newReads()
		r.query(t.View, nil)
		on := m.reads(r)
		for _, x := range tables {
			if r.relations[x.OID] {
				on = a.describe(x)
			}
		}
		if on != "" {
			d.depends(t, what, on, func() { d.relation(t) })
		}
		return
	}
	for _, g := range slices.Clone(t.Triggers) {
		if on := m.funcs[g.Func]; on != "" {
			d.depends(g, fmt.Sprintf("trigger %s on %s", g.Name, what), on, func() {
				d.mark(g, func() {
					t.Triggers = slices.DeleteFunc(t.Triggers, func(o *catalog.Trigger) bool { return o == g })
				})
			})
		}
	}
	for _, c := range t.Columns {
		if c.Dropped {
			continue
		}
		on := m.types[c.Type]
		of := m.expr(c.Default)
		switch {
		case on != "" || of != "" && c.Generated != 0:
			if on == "" {
				on = of
			}
			d.depends(c, fmt.Sprintf("column %s of %s", c.Name, what), on, func() { d.column(t, c) })
		case of != "":
			d.depends(c, fmt.Sprintf("default value for column %s of %s", c.Name, what), of, func() {
				d.mark(c, func() { c.HasDefault, c.Default = false, nil })
			})
		}
	}
	for _, k := range slices.Clone(t.Constraints) {
		if on := m.expr(k.Expr); on != "" {
			d.depends(k, fmt.Sprintf("constraint %s on %s", k.Name, what), on, func() { d.constraint(t, k) })
		}
	}
	for _, x := range slices.Clone(t.Indexes) {
		on := m.index(x)
		if on == "" {
			continue
		}
		if k := a.indexConstraint(x); k != nil {
			d.depends(k, fmt.Sprintf("constraint %s on %s", k.Name, what), on, func() { d.constraint(t, k) })
			continue
		}
		d.depends(x, "index "+x.Name, on, func() { d.index(x) })
	}
	for _, p := range slices.Clone(t.Policies) {
		on := m.expr(p.Using)
		if on == "" {
			on = m.expr(p.Check)
		}
		if on != "" {
			d.depends(p, fmt.Sprintf("policy %s on %s", p.Name, what), on, func() {
				d.mark(p, func() {
					t.Policies = slices.DeleteFunc(t.Policies, func(o *catalog.Policy) bool { return o == p })
				})
			})
		}
	}
}
