package catalog

import (
	"maps"
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// Clone returns a catalog that can be added to and taken from without a change
// to c: relations, indexes and constraints are copied with their OIDs, as are
// the lists that name them; what they are made of (types, functions, columns,
// analysed trees) is shared.
func (c *Catalog) Clone() *Catalog {
	out := *c
	out.SearchPath = slices.Clone(c.SearchPath)
	u, o := &c.user, &out.user
	o.schemas = maps.Clone(u.schemas)
	o.types, o.typeNames = maps.Clone(u.types), maps.Clone(u.typeNames)
	o.funcs, o.funcNames = maps.Clone(u.funcs), cloneLists(u.funcNames)
	o.operators, o.opNames = maps.Clone(u.operators), cloneLists(u.opNames)
	o.casts = maps.Clone(u.casts)
	o.collations, o.collNames = maps.Clone(u.collations), maps.Clone(u.collNames)
	o.textSearch = cloneLists(u.textSearch)
	o.methods, o.opClasses, o.opFamilies = maps.Clone(u.methods), maps.Clone(u.opClasses), maps.Clone(u.opFamilies)
	o.amOps, o.amOpsOf, o.amProcs = cloneLists(u.amOps), cloneLists(u.amOpsOf), cloneLists(u.amProcs)

	o.tables, o.tableNames = map[pgtype.OID]*Table{}, map[qualified]*Table{}
	o.indexes, o.indexNames = map[pgtype.OID]*Index{}, map[qualified]*Index{}
	o.constraints, o.constraintNames = map[pgtype.OID]*Constraint{}, map[string][]*Constraint{}
	o.typeOrder = slices.Clone(u.typeOrder)
	o.tableOrder, o.references = make([]*Table, 0, len(u.tables)), map[pgtype.OID][]*Constraint{}
	for oid, x := range u.indexes {
		y := *x
		o.indexes[oid] = &y
		o.indexNames[qualified{y.Schema, y.Name}] = &y
	}
	for oid, x := range u.constraints {
		y := *x
		o.constraints[oid] = &y
	}
	for name, list := range u.constraintNames {
		for _, x := range list {
			o.constraintNames[name] = append(o.constraintNames[name], o.constraints[x.OID])
		}
	}
	for table, list := range u.references {
		for _, x := range list {
			o.references[table] = append(o.references[table], o.constraints[x.OID])
		}
	}
	for _, t := range u.tableOrder {
		y := *t
		y.Columns = slices.Clone(t.Columns)
		y.Parents, y.Children = slices.Clone(t.Parents), slices.Clone(t.Children)
		y.Indexes = make([]*Index, len(t.Indexes))
		for i, x := range t.Indexes {
			y.Indexes[i] = o.indexes[x.OID]
		}
		y.Constraints = make([]*Constraint, len(t.Constraints))
		for i, x := range t.Constraints {
			y.Constraints[i] = o.constraints[x.OID]
		}
		o.tables[t.OID] = &y
		o.tableOrder = append(o.tableOrder, &y)
		o.tableNames[qualified{y.Schema, y.Name}] = &y
	}
	o.owned = map[pgtype.OID][]*Table{}
	for table, list := range u.owned {
		for _, q := range list {
			o.owned[table] = append(o.owned[table], o.tables[q.OID])
		}
	}
	return &out
}

func cloneLists[K comparable, V any](m map[K][]V) map[K][]V {
	out := make(map[K][]V, len(m))
	for k, v := range m {
		out[k] = slices.Clip(v)
	}
	return out
}
