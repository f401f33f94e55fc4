package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// keySpec is a PRIMARY KEY, UNIQUE or EXCLUDE constraint as written.
type keySpec struct {
	attributes
	kind             byte
	name             string
	columns          []string
	include          []string
	nullsNotDistinct bool
	unique           bool
	c                *pg.Constraint
}

func (a *applier) keySpec(k *pg.Constraint) *keySpec {
	s := &keySpec{
		attributes: attributesOf(k), name: k.Conname, columns: strs(k.Keys), include: strs(k.Including),
		nullsNotDistinct: k.NullsNotDistinct, unique: true, c: k,
	}
	switch k.Contype {
	case pg.ConstrType_CONSTR_PRIMARY:
		s.kind = catalog.ConstraintPrimary
	case pg.ConstrType_CONSTR_UNIQUE:
		s.kind = catalog.ConstraintUnique
	case pg.ConstrType_CONSTR_EXCLUSION:
		s.kind, s.unique = catalog.ConstraintExclusion, false
	}
	return s
}

// mergeKeys puts the primary key first and drops what repeats a key
// (transformIndexConstraints, parse_utilcmd.c).
func mergeKeys(list []*keySpec) []*keySpec {
	var out []*keySpec
	for _, k := range list {
		if k.kind == catalog.ConstraintPrimary {
			out = append(out, k)
		}
	}
	for _, k := range list {
		if k.kind == catalog.ConstraintPrimary {
			continue
		}
		same := slices.IndexFunc(out, func(o *keySpec) bool {
			return k.kind != catalog.ConstraintExclusion && o.kind != catalog.ConstraintExclusion &&
				slices.Equal(o.columns, k.columns) && slices.Equal(o.include, k.include) &&
				o.nullsNotDistinct == k.nullsNotDistinct && o.attributes == k.attributes
		})
		if same < 0 {
			out = append(out, k)
			continue
		}
		if out[same].name == "" {
			out[same].name = k.name
		}
	}
	return out
}

// tableConstraint reads a constraint of CREATE TABLE's list.
func (a *applier) tableConstraint(b *tableBuild, k *pg.Constraint) {
	switch k.Contype {
	case pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE, pg.ConstrType_CONSTR_EXCLUSION:
		if k.Contype == pg.ConstrType_CONSTR_EXCLUSION && b.partitioned && a.cat.Major < 17 {
			a.fail("0A000", int(k.Location), "exclusion constraints are not supported on partitioned tables")
		}
		b.keys = append(b.keys, a.keySpec(k))
	case pg.ConstrType_CONSTR_CHECK:
		b.checks = append(b.checks, pendingCheck{c: k})
	case pg.ConstrType_CONSTR_FOREIGN:
		b.foreign = append(b.foreign, &foreignSpec{c: k, columns: strs(k.FkAttrs), attributes: attributesOf(k)})
	}
}

// notNullKeys makes the columns of a primary key NOT NULL before anything reads
// them, and refuses a second primary key.
func (a *applier) notNullKeys(b *tableBuild) {
	seen := false
	for i := 0; i < len(b.keys); i++ {
		k := b.keys[i]
		if k.kind != catalog.ConstraintPrimary {
			continue
		}
		if seen {
			k := k
			a.try(func() {
				a.fail("42P16", int(k.c.Location), "multiple primary keys for table %q are not allowed", b.t.Name)
			})
			b.keys = slices.Delete(b.keys, i, i+1)
			i--
			continue
		}
		seen = true
		for _, name := range k.columns {
			if c := b.t.Column(name); c != nil {
				c.NotNull = true
			}
		}
	}
}

// addKey creates the index and constraint of a key, and those of the table's
// partitions.
func (a *applier) addKey(t *catalog.Table, s *keySpec) {
	loc := int(s.c.Location)
	if s.c.Indexname != "" {
		a.keyUsingIndex(t, s)
		return
	}
	if s.kind == catalog.ConstraintPrimary && primaryKey(t) != nil {
		a.fail("42P16", loc, "multiple primary keys for table %q are not allowed", t.Name)
	}
	if s.kind == catalog.ConstraintExclusion {
		a.addExclusion(t, s)
		return
	}
	d := &indexDef{
		table: t, name: s.name, method: "btree", unique: true, primary: s.kind == catalog.ConstraintPrimary,
		constraint: s.kind, attributes: s.attributes, nullsNotDistinct: s.nullsNotDistinct, valid: true, loc: loc,
	}
	word := "unique"
	if d.primary {
		word = "primary key"
	}
	for i, name := range s.columns {
		c := a.keyColumn(t, name, loc)
		if slices.Contains(s.columns[:i], name) {
			a.fail("42701", loc, "column %q appears twice in %s constraint", name, word)
		}
		if d.primary {
			a.setNotNull(t, c)
		}
		d.keys = append(d.keys, a.columnKey(d, c, nil, 0))
	}
	d.numKeys = len(d.keys)
	for _, name := range s.include {
		d.include(a.keyColumn(t, name, loc))
	}
	a.indexOptions(d, s.c.Options)
	a.addIndex(d)
}

func (a *applier) keyColumn(t *catalog.Table, name string, loc int) *catalog.Column {
	c := t.Column(name)
	if c == nil {
		for _, s := range catalog.SystemColumns() {
			if s.Name == name {
				a.fail("0A000", loc, "index creation on system columns is not supported")
			}
		}
		a.failMore("42703", loc, "", a.columnHint(t, name), "column %q named in key does not exist", name)
	}
	return c
}

// setNotNull marks a column and those of the same name below it.
func (a *applier) setNotNull(t *catalog.Table, c *catalog.Column) {
	for _, x := range a.family(t) {
		if y := x.Column(c.Name); y != nil {
			y.NotNull = true
		}
	}
	a.notNullConstraints(t)
	a.passDown(t)
}

// notNullConstraints enters what PostgreSQL 18 keeps in pg_constraint for each
// NOT NULL column (AddRelationNotNullConstraints, heap.c).
func (a *applier) notNullConstraints(t *catalog.Table) {
	if a.cat.Major < 18 || t.Kind == catalog.KindView || t.Kind == catalog.KindComposite {
		return
	}
	for _, c := range t.Columns {
		if !c.NotNull || c.Dropped {
			continue
		}
		if !hasNotNull(t, c.Number) {
			name := a.notNull[c]
			if name == "" {
				name = a.chooseConstraintName(t.Name, c.Name, "not_null", t.Schema)
			}
			a.cat.AddConstraint(&catalog.Constraint{
				OID: a.cat.NewOID(), Name: name,
				Kind: catalog.ConstraintNotNull, Table: t.OID, Columns: []int{c.Number}, Validated: true, Decl: c.Decl,
				Local: c.InhCount == 0 || c.Local,
			})
		}
	}
}

// hasNotNull reports whether a table has a NOT NULL constraint on a column.
func hasNotNull(t *catalog.Table, number int) bool {
	return slices.ContainsFunc(t.Constraints, func(k *catalog.Constraint) bool {
		return k.Kind == catalog.ConstraintNotNull && slices.Equal(k.Columns, []int{number})
	})
}

// primaryKey returns a table's primary key, nil if it has none.
func primaryKey(t *catalog.Table) *catalog.Constraint {
	for _, k := range t.Constraints {
		if k.Kind == catalog.ConstraintPrimary {
			return k
		}
	}
	return nil
}

// keyUsingIndex is ADD CONSTRAINT … USING INDEX (ATExecAddIndexConstraint,
// tablecmds.c).
func (a *applier) keyUsingIndex(t *catalog.Table, s *keySpec) {
	loc := int(s.c.Location)
	x := a.cat.IndexByName(t.Schema, s.c.Indexname)
	switch {
	case x == nil:
		a.fail("42704", loc, "index %q does not exist", s.c.Indexname)
	case a.indexConstraint(x) != nil:
		a.fail("55000", loc, "index %q is already associated with a constraint", x.Name)
	case x.Table != t.OID:
		a.fail("55000", loc, "index %q does not belong to table %q", x.Name, t.Name)
	case !x.Unique:
		a.failMore("42809", loc, "Cannot create a primary key or unique constraint using such an index.", "",
			"%q is not a unique index", x.Name)
	case slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return k.Column == 0 }):
		a.failMore("42809", loc, "Cannot create a primary key or unique constraint using such an index.", "",
			"index %q contains expressions", x.Name)
	case x.Predicate != nil:
		a.failMore("42809", loc, "Cannot create a primary key or unique constraint using such an index.", "",
			"%q is a partial index", x.Name)
	case s.kind == catalog.ConstraintPrimary && primaryKey(t) != nil:
		a.fail("42P16", loc, "multiple primary keys for table %q are not allowed", t.Name)
	}
	for i, key := range x.Keys[:x.NumKeys] {
		oc := a.cat.OpClass(key.OpClass)
		if c := t.Attr(key.Column); c != nil && (key.Desc || key.NullsFirst || key.Collation != c.Collation || oc != nil && !oc.Default) {
			a.failMore("42809", loc, "Cannot create a primary key or unique constraint using such an index.", "",
				"index %q column number %d does not have default sorting behavior", x.Name, i+1)
		}
	}
	name := s.name
	if name == "" {
		name = x.Name
	} else if name != x.Name {
		a.newRelation(t.Schema, name, loc)
		a.cat.RenameIndex(x, x.Schema, name)
	}
	k := &catalog.Constraint{
		OID: a.cat.NewOID(), Name: name, Kind: s.kind, Table: t.OID, Index: x.OID, Validated: true,
		Deferrable: s.deferrable, Deferred: s.deferred, Decl: a.decl(loc),
	}
	for _, key := range x.Keys[:x.NumKeys] {
		k.Columns = append(k.Columns, key.Column)
		if s.kind == catalog.ConstraintPrimary {
			a.setNotNull(t, t.Attr(key.Column))
		}
	}
	x.Primary = s.kind == catalog.ConstraintPrimary
	x.Immediate = !s.deferrable
	a.cat.AddConstraint(k)
}

// indexConstraint returns the constraint that an index stands behind.
func (a *applier) indexConstraint(x *catalog.Index) *catalog.Constraint {
	t := a.cat.Table(x.Table)
	if t == nil {
		return nil
	}
	for _, k := range t.Constraints {
		if k.Index == x.OID && k.Kind != catalog.ConstraintForeign {
			return k
		}
	}
	return nil
}
