package catalog

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// Operators returns the user's operators, by OID.
func (c *Catalog) Operators() []*Operator {
	return sorted(c.user.operators, func(o *Operator) pgtype.OID { return o.OID })
}

// Casts returns the user's casts, by source and target.
func (c *Catalog) Casts() []*Cast {
	out := make([]*Cast, 0, len(c.user.casts))
	for _, k := range c.user.casts {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b *Cast) int {
		if a.Source != b.Source {
			return int(a.Source) - int(b.Source)
		}
		return int(a.Target) - int(b.Target)
	})
	return out
}

// DropOperator removes an operator and its places in operator families.
func (c *Catalog) DropOperator(o *Operator) {
	delete(c.user.operators, o.OID)
	c.user.opNames[o.Name] = slices.DeleteFunc(c.user.opNames[o.Name], func(x *Operator) bool { return x == o })
	for _, m := range c.user.amOpsOf[o.OID] {
		c.DropAmOp(m)
	}
	for _, x := range c.user.operators {
		if x.Commutator == o.OID {
			x.Commutator = 0
		}
		if x.Negator == o.OID {
			x.Negator = 0
		}
	}
}

// DropCast removes a cast.
func (c *Catalog) DropCast(k *Cast) { delete(c.user.casts, [2]pgtype.OID{k.Source, k.Target}) }

// DropCollation removes a collation.
func (c *Catalog) DropCollation(x *Collation) {
	delete(c.user.collations, x.OID)
	delete(c.user.collNames, qualified{x.Schema, x.Name})
}

// RenameCollation gives a collation another schema and name.
func (c *Catalog) RenameCollation(x *Collation, schema, name string) {
	delete(c.user.collNames, qualified{x.Schema, x.Name})
	x.Schema, x.Name = schema, name
	c.user.collNames[qualified{schema, name}] = x
}

// AddOpFamily enters an operator family.
func (c *Catalog) AddOpFamily(f *OpFamily) { c.user.opFamilies[f.OID] = f }

// AddAmOp enters an operator in a family.
func (c *Catalog) AddAmOp(m *AmOp) { c.user.addAmOp(m) }

// AddAmProc enters a support function of a family.
func (c *Catalog) AddAmProc(p *AmProc) {
	c.user.amProcs[p.Family] = append(c.user.amProcs[p.Family], p)
}

// DropAmOp takes an operator out of a family.
func (c *Catalog) DropAmOp(m *AmOp) {
	without := func(list []*AmOp) []*AmOp {
		return slices.DeleteFunc(slices.Clone(list), func(x *AmOp) bool { return x == m })
	}
	c.user.amOps[m.Family] = without(c.user.amOps[m.Family])
	c.user.amOpsOf[m.Operator] = without(c.user.amOpsOf[m.Operator])
}

// DropAmProc takes a support function out of a family.
func (c *Catalog) DropAmProc(p *AmProc) {
	c.user.amProcs[p.Family] = slices.DeleteFunc(slices.Clone(c.user.amProcs[p.Family]), func(x *AmProc) bool { return x == p })
}

// DropOpClass removes an operator class; its family stays.
func (c *Catalog) DropOpClass(o *OpClass) { delete(c.user.opClasses, o.OID) }

// DropOpFamily removes a family with its classes, operators and functions.
func (c *Catalog) DropOpFamily(f *OpFamily) {
	for _, o := range c.user.opClasses {
		if o.Family == f.OID {
			c.DropOpClass(o)
		}
	}
	for _, m := range c.user.amOps[f.OID] {
		c.DropAmOp(m)
	}
	delete(c.user.amProcs, f.OID)
	delete(c.user.opFamilies, f.OID)
}

// OpFamilyByName returns the operator family of an access method with the given
// name, nil if there is none. An empty schema means the search path
// (OpfamilynameGetOpfid, namespace.c).
func (c *Catalog) OpFamilyByName(method pgtype.OID, schema, name string) *OpFamily {
	in := func(schema string) *OpFamily {
		for _, m := range []map[pgtype.OID]*OpFamily{c.user.opFamilies, c.base.opFamilies} {
			for _, f := range m {
				if f.Method == method && f.Name == name && f.Schema == schema {
					return f
				}
			}
		}
		return nil
	}
	if schema != "" {
		return in(schema)
	}
	for _, s := range c.path() {
		if f := in(s); f != nil {
			return f
		}
	}
	return nil
}

// OpClassesOf returns the user's operator classes of a family, by OID.
func (c *Catalog) OpClassesOf(family pgtype.OID) []*OpClass {
	all := sorted(c.user.opClasses, func(o *OpClass) pgtype.OID { return o.OID })
	return slices.DeleteFunc(all, func(o *OpClass) bool { return o.Family != family })
}
