package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// alterComposite is ALTER TYPE … ADD, DROP and ALTER ATTRIBUTE. With CASCADE the
// tables of the type change too.
func (a *applier) alterComposite(s *pg.AlterTableStmt) {
	t := a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname)
	loc := int(s.Relation.Location)
	if t == nil {
		if a.cat.TypeByName(s.Relation.Schemaname, s.Relation.Relname) != nil {
			a.noRelation(s.Relation.Schemaname, s.Relation.Relname, loc)
		}
		a.noRelation(s.Relation.Schemaname, s.Relation.Relname, loc)
	}
	if t.Kind != catalog.KindComposite {
		a.fail("42809", loc, "%q is not a composite type", t.Name)
	}
	for _, n := range s.Cmds {
		c := n.GetAlterTableCmd()
		a.try(func() { a.alterAttribute(t, c) })
	}
}

func (a *applier) alterAttribute(t *catalog.Table, c *pg.AlterTableCmd) {
	if c.Subtype == pg.AlterTableType_AT_AlterColumnType {
		a.column(t, c.Name, noLoc)
	}
	tables := append([]*catalog.Table{t}, a.typedTables(t, c.Behavior)...)
	switch c.Subtype {
	case pg.AlterTableType_AT_AddColumn:
		d := c.Def.GetColumnDef()
		for _, f := range tables {
			if f.Column(d.Colname) != nil {
				a.fail("42701", int(d.Location), "column %q of relation %q already exists", d.Colname, f.Name)
			}
		}
		for _, f := range tables {
			a.addColumn(f, a.attribute(d), "attribute")
		}
	case pg.AlterTableType_AT_DropColumn:
		for _, f := range tables {
			x := f.Column(c.Name)
			if x == nil {
				if c.MissingOk {
					return
				}
				a.column(f, c.Name, noLoc)
			}
			d := &dropping{a: a, cascade: c.Behavior == pg.DropBehavior_DROP_CASCADE}
			d.column(f, x)
			d.finish("column " + x.Name + " of " + a.describe(f))
		}
	case pg.AlterTableType_AT_AlterColumnType:
		d := c.Def.GetColumnDef()
		oid, mod := a.declaredType(d.TypeName)
		a.rowTypeUnused(t, "type")
		for _, f := range tables {
			x := a.column(f, c.Name, noLoc)
			a.usable(x.Name, oid, int(d.TypeName.Location))
			y := *x
			y.Type = oid
			coll := a.columnCollation(&y, d.CollClause)
			a.noteType(oid)
			x.Type, x.Typmod, x.Collation, x.Dims = oid, mod, coll, len(d.TypeName.ArrayBounds)
		}
	}
}

// typedTables are the tables of a composite type, which change with it under
// CASCADE and stand in the way otherwise (find_typed_table_dependencies,
// tablecmds.c).
func (a *applier) typedTables(t *catalog.Table, behavior pg.DropBehavior) []*catalog.Table {
	var out []*catalog.Table
	for _, f := range a.cat.Tables() {
		if f.OfType == t.RowType && t.RowType != 0 {
			out = append(out, f)
		}
	}
	if len(out) > 0 && behavior != pg.DropBehavior_DROP_CASCADE {
		a.failMore("2BP01", noLoc, "", "Use ALTER ... CASCADE to alter the typed tables too.",
			"cannot alter type %q because it is the type of a typed table", t.Name)
	}
	return out
}

// rowTypeUnused fails where a stored column has the type of a relation's rows,
// for its values would have to be written anew (find_composite_type_dependencies,
// tablecmds.c).
func (a *applier) rowTypeUnused(t *catalog.Table, word string) {
	if t.Kind == catalog.KindForeign {
		word = "foreign table"
	}
	seen := map[pgtype.OID]bool{}
	var look func(oid pgtype.OID)
	look = func(oid pgtype.OID) {
		row := a.cat.Type(oid)
		if row == nil || seen[oid] || !a.inUse(row) {
			return
		}
		seen[oid] = true
		for _, f := range a.cat.Tables() {
			for _, c := range f.Columns {
				if f == t || f.View != nil && f.Kind == catalog.KindView || !a.hasType(c, row) {
					continue
				}
				if f.Kind == catalog.KindComposite {
					look(f.RowType)
					continue
				}
				a.fail("0A000", noLoc, "cannot alter %s %q because column \"%s.%s\" uses %s", word, t.Name, f.Name, c.Name,
					map[bool]string{true: "it", false: "its row type"}[word == "type"])
			}
		}
		for _, d := range a.cat.Types() {
			if d.Kind == 'd' && d.Base == oid || d.Kind == 'r' && d.RangeSubtype == oid {
				look(d.OID)
			}
		}
	}
	look(t.RowType)
}

// hasType reports whether a column's value is of a type, or of arrays of it.
func (a *applier) hasType(c *catalog.Column, t *catalog.Type) bool {
	return !c.Dropped && (c.Type == t.OID || t.Array != 0 && c.Type == t.Array || t.RangeMulti != 0 && c.Type == t.RangeMulti)
}

// ofType is the relation of a composite type that tables may be of
// (check_of_type, tablecmds.c).
func (a *applier) ofType(n *pg.TypeName) (pgtype.OID, *catalog.Table) {
	oid, _ := a.typeName(n)
	rel := a.cat.Table(a.cat.Type(oid).Relation)
	if rel == nil || rel.Kind != catalog.KindComposite {
		if rel != nil && a.cat.Major >= 18 {
			a.failMore("42809", noLoc, "", "", "type %s is the row type of another table", a.typeWord(oid))
		}
		a.fail("42809", noLoc, "type %s is not a composite type", a.typeWord(oid))
	}
	return oid, rel
}

// alterOf is ALTER TABLE … OF (ATExecAddOf, tablecmds.c): the table must have
// the columns of the type already.
func (a *applier) alterOf(t *catalog.Table, n *pg.TypeName) {
	oid, rel := a.ofType(n)
	if len(t.Parents) > 0 {
		a.fail("42809", noLoc, "typed tables cannot inherit")
	}
	live := func(c *catalog.Table) []*catalog.Column {
		return slices.DeleteFunc(slices.Clone(c.Columns), func(x *catalog.Column) bool { return x.Dropped })
	}
	have := live(t)
	for i, w := range live(rel) {
		switch {
		case i >= len(have):
			a.fail("42804", noLoc, "table is missing column %q", w.Name)
		case have[i].Name != w.Name:
			a.fail("42804", noLoc, "table has column %q where type requires %q", have[i].Name, w.Name)
		case have[i].Type != w.Type || have[i].Typmod != w.Typmod || have[i].Collation != w.Collation:
			a.fail("42804", noLoc, "table %q has different type for column %q", t.Name, w.Name)
		}
	}
	if more := live(rel); len(have) > len(more) {
		a.fail("42804", noLoc, "table has extra column %q", have[len(more)].Name)
	}
	t.OfType = oid
}
