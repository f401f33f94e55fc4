package catalog

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// AddSchema enters a schema.
func (c *Catalog) AddSchema(s *Schema) { c.user.schemas[s.Name] = s }

// AddType enters a type.
func (c *Catalog) AddType(t *Type) { c.user.addType(t) }

// AddFunc enters a function.
func (c *Catalog) AddFunc(f *Func) { c.user.addFunc(f) }

// AddOperator enters an operator.
func (c *Catalog) AddOperator(o *Operator) { c.user.addOperator(o) }

// AddCast enters a cast.
func (c *Catalog) AddCast(k *Cast) { c.user.casts[[2]pgtype.OID{k.Source, k.Target}] = k }

// AddCollation enters a collation.
func (c *Catalog) AddCollation(x *Collation) {
	c.user.collations[x.OID] = x
	c.user.collNames[qualified{x.Schema, x.Name}] = x
}

// AddTable enters a relation with its indexes and constraints.
func (c *Catalog) AddTable(t *Table) { c.user.addTable(t) }

// AddIndex enters an index and hangs it on its table.
func (c *Catalog) AddIndex(x *Index) {
	c.user.indexes[x.OID] = x
	c.user.indexNames[qualified{x.Schema, x.Name}] = x
	if t := c.user.tables[x.Table]; t != nil {
		t.Indexes = append(t.Indexes, x)
	}
}

// AddConstraint enters a constraint and hangs it on its table.
func (c *Catalog) AddConstraint(x *Constraint) {
	c.user.addConstraint(x)
	if t := c.user.tables[x.Table]; t != nil {
		t.Constraints = append(t.Constraints, x)
	}
}

// AddDomainConstraint enters a constraint of a domain and hangs it on it.
func (c *Catalog) AddDomainConstraint(t *Type, x *Constraint) {
	x.Domain = t.OID
	c.user.addConstraint(x)
	t.Checks = append(slices.Clone(t.Checks), x)
}

// DropDomainConstraint removes a constraint of a domain.
func (c *Catalog) DropDomainConstraint(t *Type, x *Constraint) {
	c.user.dropConstraint(x)
	t.Checks = slices.DeleteFunc(slices.Clone(t.Checks), func(o *Constraint) bool { return o == x })
}

// RenameConstraint gives a constraint another name, but not the index behind it.
func (c *Catalog) RenameConstraint(x *Constraint, name string) {
	c.user.dropConstraint(x)
	x.Name = name
	c.user.addConstraint(x)
}

// ConstraintInSchema reports whether any table or domain of a schema has a
// constraint with the given name (ConstraintNameExists, pg_constraint.c).
func (c *Catalog) ConstraintInSchema(schema, name string) bool {
	return slices.ContainsFunc(c.user.constraintNames[name], func(x *Constraint) bool {
		if t := c.user.tables[x.Table]; t != nil {
			return t.Schema == schema
		}
		t := c.user.types[x.Domain]
		return t != nil && t.Schema == schema
	})
}

// SetOwner makes a sequence belong to a column, to none with table 0.
func (c *Catalog) SetOwner(q *Table, table pgtype.OID, column int) {
	c.user.owned[q.OwnerTable] = slices.DeleteFunc(c.user.owned[q.OwnerTable], func(x *Table) bool { return x == q })
	q.OwnerTable, q.OwnerColumn = table, column
	if table != 0 {
		c.user.owned[table] = append(c.user.owned[table], q)
	}
}

// OwnedSequences returns the sequences that belong to a table's columns. The list
// is the caller's.
func (c *Catalog) OwnedSequences(table pgtype.OID) []*Table { return slices.Clone(c.user.owned[table]) }

// DropSchema removes a schema; its objects must be gone already.
func (c *Catalog) DropSchema(name string) { delete(c.user.schemas, name) }

// DropType removes a type.
func (c *Catalog) DropType(t *Type) {
	delete(c.user.types, t.OID)
	c.user.typeOrder = slices.DeleteFunc(c.user.typeOrder, func(x *Type) bool { return x == t })
	for _, k := range t.Checks {
		c.user.dropConstraint(k)
	}
	delete(c.user.typeNames, qualified{t.Schema, t.Name})
}

// DropFunc removes a function.
func (c *Catalog) DropFunc(f *Func) {
	delete(c.user.funcs, f.OID)
	c.user.funcNames[f.Name] = slices.DeleteFunc(c.user.funcNames[f.Name], func(x *Func) bool { return x == f })
}

// DropTable removes a relation, its row type, indexes and constraints, and its
// entry in parents and children.
func (c *Catalog) DropTable(t *Table) {
	if t.OwnerTable != 0 {
		c.SetOwner(t, 0, 0)
	}
	delete(c.user.owned, t.OID)
	delete(c.user.tables, t.OID)
	c.user.tableOrder = slices.DeleteFunc(c.user.tableOrder, func(x *Table) bool { return x == t })
	delete(c.user.tableNames, qualified{t.Schema, t.Name})
	for _, x := range slices.Clone(t.Indexes) {
		c.DropIndex(x)
	}
	for _, x := range t.Constraints {
		c.user.dropConstraint(x)
	}
	if rt := c.user.types[t.RowType]; rt != nil {
		if at := c.user.types[rt.Array]; at != nil {
			c.DropType(at)
		}
		c.DropType(rt)
	}
	for _, p := range t.Parents {
		if q := c.user.tables[p]; q != nil {
			q.Children = slices.DeleteFunc(q.Children, func(o pgtype.OID) bool { return o == t.OID })
		}
	}
}

// DropIndex removes an index.
func (c *Catalog) DropIndex(x *Index) {
	delete(c.user.indexes, x.OID)
	delete(c.user.indexNames, qualified{x.Schema, x.Name})
	if t := c.user.tables[x.Table]; t != nil {
		t.Indexes = slices.DeleteFunc(t.Indexes, func(i *Index) bool { return i == x })
	}
}

// DropConstraint removes a constraint, but not the index behind it.
func (c *Catalog) DropConstraint(x *Constraint) {
	c.user.dropConstraint(x)
	if t := c.user.tables[x.Table]; t != nil {
		t.Constraints = slices.DeleteFunc(t.Constraints, func(o *Constraint) bool { return o == x })
	}
}

// RenameTable gives a relation, and its row type, another schema and name.
func (c *Catalog) RenameTable(t *Table, schema, name string) {
	delete(c.user.tableNames, qualified{t.Schema, t.Name})
	if rt := c.user.types[t.RowType]; rt != nil {
		c.RenameType(rt, schema, name)
	}
	t.Schema, t.Name = schema, name
	c.user.tableNames[qualified{schema, name}] = t
}

// RenameType gives a type another schema and name.
func (c *Catalog) RenameType(t *Type, schema, name string) {
	delete(c.user.typeNames, qualified{t.Schema, t.Name})
	t.Schema, t.Name = schema, name
	c.user.typeNames[qualified{schema, name}] = t
}

// RenameIndex gives an index another schema and name.
func (c *Catalog) RenameIndex(x *Index, schema, name string) {
	delete(c.user.indexNames, qualified{x.Schema, x.Name})
	x.Schema, x.Name = schema, name
	c.user.indexNames[qualified{schema, name}] = x
}

// Tables returns the user's relations, by OID. The list is the caller's: it does
// not change when the catalog does.
func (c *Catalog) Tables() []*Table { return slices.Clone(c.user.tableOrder) }

// References returns the foreign keys that refer to a table, in the order of
// their creation.
func (c *Catalog) References(table pgtype.OID) []*Constraint { return c.user.references[table] }

// Types returns the user's types, by OID.
func (c *Catalog) Types() []*Type {
	return slices.Clone(c.user.typeOrder)
}

// Funcs returns the user's functions, by OID.
func (c *Catalog) Funcs() []*Func {
	return sorted(c.user.funcs, func(f *Func) pgtype.OID { return f.OID })
}

// Schemas returns the user's schemas, by name.
func (c *Catalog) Schemas() []*Schema {
	out := make([]*Schema, 0, len(c.user.schemas))
	for _, s := range c.user.schemas {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Schema) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

func sorted[V any](m map[pgtype.OID]*V, key func(*V) pgtype.OID) []*V {
	out := make([]*V, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *V) int { return int(key(a)) - int(key(b)) })
	return out
}

// AddOpClass enters an operator class, with its family if it is not there yet.
func (c *Catalog) AddOpClass(o *OpClass, f *OpFamily) {
	c.user.opClasses[o.OID] = o
	if c.OpFamily(o.Family) == nil && f != nil {
		c.user.opFamilies[f.OID] = f
	}
}
