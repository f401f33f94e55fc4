package model

import (
	"slices"
	"strconv"

	"github.com/dbgen/dbgen/parser/catalog"
)

// partitions lists where below a partitioned table the same rule stands, and
// under which name: an index of a partition has one of its own.
func (b *builder) partitions(root, t *catalog.Table, k *catalog.Constraint, x *catalog.Index, name string) []Partition {
	if t.Kind != catalog.KindPartitioned {
		return nil
	}
	var out []Partition
	for _, oid := range t.Children {
		c := b.in.Catalog.Table(oid)
		if c == nil {
			continue
		}
		var ownConstraint *catalog.Constraint
		var ownIndex *catalog.Index
		own := name
		switch {
		case x != nil && (k == nil || k.Kind != catalog.ConstraintForeign):
			i := slices.IndexFunc(c.Indexes, func(y *catalog.Index) bool { return y.Parent == x.OID })
			if i < 0 {
				continue
			}
			ownIndex = c.Indexes[i]
			own = ownIndex.Name
		case k.Kind == catalog.ConstraintForeign:
			i := slices.IndexFunc(c.Constraints, func(l *catalog.Constraint) bool { return sameForeignKey(t, k, c, l) })
			if i < 0 {
				continue
			}
			ownConstraint = c.Constraints[i]
			own = ownConstraint.Name
		}
		p := Partition{Table: c.Name}
		if c.Schema != root.Schema {
			p.Schema = c.Schema
		}
		if own != name || p.Schema != "" {
			p.Constraint = own
		}
		out = append(out, p)
		below := k
		if ownConstraint != nil {
			below = ownConstraint
		}
		for _, deeper := range b.partitions(root, c, below, ownIndex, own) {
			if deeper.Constraint == "" && own != name {
				deeper.Constraint = own
			}
			out = append(out, deeper)
		}
	}
	return out
}

// maxName is how long a name can be, in bytes (NAMEDATALEN - 1).
const maxName = 63

// referencedPartitions lists the names of a foreign key of t for the partitions
// of the table it references. A row of a partition that is still referenced is
// reported with one of those, which the server chooses: up to 17 as for a key
// without a name (ChooseConstraintName, pg_constraint.c), from 18 on by the
// number behind the key's own name. Which server will run is not known here, so
// that both are listed; names that would be cut short are not.
func (b *builder) referencedPartitions(t *catalog.Table, k *catalog.Constraint) []Partition {
	ref := b.in.Catalog.Table(k.RefTable)
	if ref == nil {
		return nil
	}
	base := t.Name
	for _, n := range k.Columns {
		base += "_" + t.ColumnName(n)
	}
	base += "_fkey"
	used := map[string]bool{}
	for _, other := range t.Constraints {
		used[other.Name] = true
	}
	var out []Partition
	add := func(name string) {
		if len(name) <= maxName {
			out = append(out, Partition{Table: t.Name, Constraint: name})
		}
	}
	count := b.descendants(ref)
	for i, n := 0, 0; n < count; i++ {
		name := base
		if i > 0 {
			name += strconv.Itoa(i)
		}
		if !used[name] {
			add(name)
			n++
		}
	}
	for n := range count {
		add(k.Name + "_" + strconv.Itoa(n+1))
	}
	return out
}

// descendants counts the partitions below a table.
func (b *builder) descendants(t *catalog.Table) int {
	if t.Kind != catalog.KindPartitioned {
		return 0
	}
	n := 0
	for _, oid := range t.Children {
		if c := b.in.Catalog.Table(oid); c != nil {
			n += 1 + b.descendants(c)
		}
	}
	return n
}

// sameForeignKey reports whether l of c is k of its parent t: columns are the
// same by name.
func sameForeignKey(t *catalog.Table, k *catalog.Constraint, c *catalog.Table, l *catalog.Constraint) bool {
	if l.Kind != catalog.ConstraintForeign || l.RefTable != k.RefTable || len(l.Columns) != len(k.Columns) ||
		!slices.Equal(l.RefColumns, k.RefColumns) {
		return false
	}
	for i := range k.Columns {
		if t.ColumnName(k.Columns[i]) != c.ColumnName(l.Columns[i]) {
			return false
		}
	}
	return true
}
