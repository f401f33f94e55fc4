package ddl

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func (a *applier) alterDefault(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	x := a.column(t, c.Name, noLoc)
	switch {
	case x.Identity != 0:
		hint := ""
		if c.Def == nil {
			hint = "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."
		}
		a.failMore("42601", noLoc, "", hint, "column %q of relation %q is an identity column", x.Name, t.Name)
	case x.Generated != 0:
		a.fail("42601", noLoc, "column %q of relation %q is a generated column", x.Name, t.Name)
	}
	tables := []*catalog.Table{t}
	if recurse {
		tables = a.family(t)
	}
	for _, f := range tables {
		y := f.Column(x.Name)
		if y == nil {
			continue
		}
		y.HasDefault, y.Default = c.Def != nil, nil
		if c.Def != nil {
			y.Default = a.defaultExpr(f, y, c.Def, analyze.KindColumnDefault)
		}
	}
}

// alterColumnType is ALTER COLUMN … TYPE (ATPrepAlterColumnType and
// ATExecAlterColumnType, tablecmds.c). What stands on the column keeps its form;
// its expressions are read again over the new type.
func (a *applier) alterColumnType(t *catalog.Table, c *pg.AlterTableCmd) {
	d := c.Def.GetColumnDef()
	x := a.column(t, c.Name, noLoc)
	oid, mod := a.typeName(d.TypeName)
	a.usable(x.Name, oid, int(d.TypeName.Location))
	for _, v := range a.readers(t.OID) {
		if a.reads(v.View).column(t, x.Number) {
			a.failMore("0A000", int(d.TypeName.Location),
				fmt.Sprintf("rule _RETURN on view %s depends on column %q", v.Name, x.Name), "",
				"cannot alter type of a column used by a view or rule")
		}
	}
	if d.RawDefault == nil {
		a.convertible(x, oid)
	} else if _, why := a.expr(t, d.RawDefault, analyze.KindAlterColTransform, oid, mod); why != "" {
		// The value of USING changes rows, not the schema.
		a.diags = a.diags[:len(a.diags)-1]
	}
	was := *x
	for _, f := range a.family(t) {
		y := f.Column(was.Name)
		if y == nil {
			continue
		}
		y.Type, y.Typmod, y.Dims = oid, mod, len(d.TypeName.ArrayBounds)
		a.noteType(oid)
		y.Collation = a.columnCollation(y, d.CollClause)
		y.Default = a.recast(y.Default, oid, mod)
		a.retype(f, y)
	}
}

// convertible fails where a column cannot be changed to a type without USING.
func (a *applier) convertible(x *catalog.Column, oid pgtype.OID) {
	from, to := a.cat.Type(a.cat.BaseType(x.Type)), a.cat.Type(a.cat.BaseType(oid))
	if from == nil || to == nil || from.OID == to.OID || a.cat.BinaryCoercible(from.OID, to.OID) {
		return
	}
	if from.IsArray() && to.IsArray() {
		from, to = a.cat.Type(from.Element), a.cat.Type(to.Element)
		if from == nil || to == nil || from.OID == to.OID || a.cat.BinaryCoercible(from.OID, to.OID) {
			return
		}
	}
	if k := a.cat.Cast(from.OID, to.OID); k != nil {
		if k.Context != catalog.CastExplicit {
			return
		}
	} else if to.Category == 'S' {
		// Any value becomes text by assignment.
		return
	}
	a.failMore("42804", noLoc, "", fmt.Sprintf("You might need to specify \"USING %s::%s\".", x.Name, a.typeWord(oid)),
		"column %q cannot be cast automatically to type %s", x.Name, a.typeWord(oid))
}

// recast makes a default a value of another type. A default that needs a cast
// which only the analyser can find is no longer known.
func (a *applier) recast(e query.Expr, oid pgtype.OID, mod pgtype.Typmod) query.Expr {
	if e == nil || e.ResultType() == oid && (mod == pgtype.NoTypmod || e.ResultTypmod() == mod) {
		return e
	}
	if c, ok := e.(*query.Const); ok && c.Null {
		x := *c
		x.Typ, x.Mod = oid, mod
		return &x
	}
	if a.cat.BinaryCoercible(e.ResultType(), oid) && mod == pgtype.NoTypmod {
		return &query.RelabelType{
			Header: query.Header{Typ: oid, Mod: mod, Coll: e.ResultCollation(), Loc: e.Span()},
			Arg:    e, Form: query.CoerceImplicitCast,
		}
	}
	return nil
}

// retype gives the indexes on a column the operator classes of its new type,
// and lets go of expressions that were read over the old one.
func (a *applier) retype(t *catalog.Table, c *catalog.Column) {
	for _, x := range t.Indexes {
		am := a.cat.Method(x.Method)
		for i := range x.Keys {
			k := &x.Keys[i]
			if k.Column != c.Number {
				continue
			}
			k.Type, k.Collation = c.Type, c.Collation
			if i >= x.NumKeys {
				continue
			}
			old := a.cat.OpClass(k.OpClass)
			if oc := a.cat.DefaultOpClass(c.Type, am.OID); oc != nil && (old == nil || old.Default) {
				a.setClass(k, am, oc)
			} else if old == nil || !a.cat.BinaryCoercible(c.Type, old.InType) {
				a.fail("42704", noLoc, "data type %s has no default operator class for access method %q",
					a.typeWord(c.Type), am.Name)
			}
		}
	}
	if k := t.PartitionKey; k != nil {
		for _, p := range k.Keys {
			if p.Column == c.Number {
				a.fail("42P16", noLoc, "cannot alter column %q because it is part of the partition key of relation %q", c.Name, t.Name)
			}
		}
	}
}

// alterDropColumn is DROP COLUMN (ATExecDropColumn, tablecmds.c): the column
// keeps its number, what is built on it goes.
func (a *applier) alterDropColumn(t *catalog.Table, c *pg.AlterTableCmd) {
	x := t.Column(c.Name)
	if x == nil {
		if c.MissingOk {
			return
		}
		a.column(t, c.Name, noLoc)
	}
	if x.Inherited && len(t.Parents) > 0 {
		a.fail("42P16", noLoc, "cannot drop inherited column %q", x.Name)
	}
	if t.PartitionKey != nil {
		for _, k := range t.PartitionKey.Keys {
			if k.Column == x.Number || k.Expr != nil && uses(k.Expr, x.Number) {
				a.fail("42P16", noLoc, "cannot drop column %q because it is part of the partition key of relation %q", x.Name, t.Name)
			}
		}
	}
	d := &dropping{a: a, cascade: c.Behavior == pg.DropBehavior_DROP_CASCADE}
	name := x.Name
	for _, f := range a.family(t) {
		if y := f.Column(name); y != nil && (f == t || !y.Local || f.IsPartition) {
			d.column(f, y)
		} else if y != nil {
			y.Inherited = false
		}
	}
	d.finish(fmt.Sprintf("column %s of table %s", x.Name, t.Name))
}

// alterDropConstraint is DROP CONSTRAINT (ATExecDropConstraint, tablecmds.c).
func (a *applier) alterDropConstraint(t *catalog.Table, c *pg.AlterTableCmd) {
	k := constraint(t, c.Name)
	if k == nil {
		if c.MissingOk {
			return
		}
		a.noConstraint(t, c.Name)
	}
	if len(t.Parents) > 0 && a.inheritedConstraint(t, k) {
		a.fail("42P16", noLoc, "cannot drop inherited constraint %q of relation %q", k.Name, t.Name)
	}
	d := &dropping{a: a, cascade: c.Behavior == pg.DropBehavior_DROP_CASCADE}
	d.constraint(t, k)
	d.finish(fmt.Sprintf("constraint %s on table %s", k.Name, t.Name))
}

func (a *applier) inheritedConstraint(t *catalog.Table, k *catalog.Constraint) bool {
	switch k.Kind {
	case catalog.ConstraintCheck, catalog.ConstraintForeign:
		for _, p := range t.Parents {
			if q := a.cat.Table(p); q != nil {
				if o := constraint(q, k.Name); o != nil && o.Kind == k.Kind && !o.NoInherit {
					return true
				}
			}
		}
		return false
	}
	x := a.cat.Index(k.Index)
	return x != nil && x.Parent != 0
}

// keysOn reports whether an index has a column in it, as a key, included or in
// an expression or predicate.
func keysOn(x *catalog.Index, number int) bool {
	return slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool {
		return k.Column == number || k.Expr != nil && uses(k.Expr, number)
	}) || slices.ContainsFunc(x.Predicate, func(e query.Expr) bool { return uses(e, number) })
}
