package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// dropping collects what goes with an object and what stands in the way
// (findDependentObjects and reportDependentObjects, dependency.c). Nothing is
// changed before [dropping.finish].
type dropping struct {
	a       *applier
	cascade bool
	// only leaves the tables below what they have.
	only bool
	// alone drops a constraint without a look at the tables below.
	alone bool
	// gone are the objects that are marked, in the order of marking.
	gone    []any
	actions []func()
	blocked []obstacle
	// named are the objects that the statement itself names; naming is set where
	// the next one marked is one of them.
	named  []any
	naming bool
}

// obstacle is an object that stands on one that is dropped.
type obstacle struct {
	object any
	line   string
}

func (d *dropping) marked(o any) bool { return slices.Contains(d.gone, o) }

func (d *dropping) mark(o any, action func()) bool {
	if d.naming {
		d.named, d.naming = append(d.named, o), false
	}
	if d.marked(o) {
		return false
	}
	d.gone = append(d.gone, o)
	d.actions = append(d.actions, action)
	return true
}

// depends notes that an object stands on one that is dropped: it goes too under
// CASCADE, and is in the way otherwise.
func (d *dropping) depends(o any, what, on string, drop func()) {
	if d.marked(o) {
		return
	}
	if !d.cascade {
		d.blocked = append(d.blocked, obstacle{o, what + " depends on " + on})
	}
	drop()
}

// finish carries the drop out, or fails with what is in the way.
func (d *dropping) finish(what string) {
	if lines := d.obstacles(); len(lines) > 0 {
		d.a.failMore("2BP01", noLoc, strings.Join(lines, "\n"),
			"Use DROP ... CASCADE to drop the dependent objects too.",
			"cannot drop %s because other objects depend on it", what)
	}
	for _, fn := range d.actions {
		fn()
	}
}

// obstacles says what is in the way: what the statement names itself is not,
// wherever it stands in the list (performMultipleDeletions, dependency.c).
func (d *dropping) obstacles() []string {
	var lines []string
	for _, b := range d.blocked {
		k, _ := b.object.(*catalog.Constraint)
		if !slices.Contains(d.named, b.object) && !(k != nil && slices.Contains(d.named, any(d.a.cat.Table(k.Table)))) {
			lines = append(lines, b.line)
		}
	}
	return lines
}

// describe is a relation as dependency messages have it.
func (a *applier) describe(t *catalog.Table) string {
	word := map[byte]string{
		catalog.KindView: "view ", catalog.KindMatView: "materialized view ", catalog.KindSequence: "sequence ",
		catalog.KindForeign: "foreign table ", catalog.KindComposite: "composite type ",
	}[t.Kind]
	if word == "" {
		word = "table "
	}
	return word + a.cat.RelationName(t.OID)
}

// relation marks a relation with its partitions, and what stands on it.
func (d *dropping) relation(t *catalog.Table) {
	a := d.a
	if !d.mark(t, func() { a.dropRelation(t) }) {
		return
	}
	on := a.describe(t)
	for _, c := range a.children(t) {
		if c.IsPartition {
			d.relation(c)
			continue
		}
		d.depends(c, a.describe(c), on, func() { d.relation(c) })
	}
	for _, x := range a.cat.OwnedSequences(t.OID) {
		d.relation(x)
	}
	for _, k := range slices.Clone(a.cat.References(t.OID)) {
		if o := a.cat.Table(k.Table); o != nil && o != t && !d.marked(o) {
			d.depends(k, fmt.Sprintf("constraint %s on %s", k.Name, a.describe(o)), on, func() { d.constraint(o, k) })
		}
	}
	if t.IsPartition {
		d.partitionReferences(t, on)
	}
	for _, oid := range []pgtype.OID{t.OID, t.RowType} {
		for _, v := range a.readers(oid) {
			if v != t {
				d.depends(v, a.describe(v), on, func() { d.relation(v) })
			}
		}
	}
	if t.Kind == catalog.KindSequence {
		for _, o := range a.cat.Tables() {
			if o != t && !d.marked(o) {
				d.sequenceDefaults(o, t)
			}
		}
	}
	d.bodies(on, func(r *readsOf) bool { return r.relations[t.OID] })
	if row := a.cat.Type(t.RowType); row != nil {
		d.typeUsers(row, on, t)
	}
}

// partitionReferences finds the foreign keys that refer to a table through one of
// its ancestors: they rest on each partition, unless the ancestor goes too.
func (d *dropping) partitionReferences(t *catalog.Table, on string) {
	a := d.a
	for p := t; p.IsPartition && len(p.Parents) == 1; {
		if p = a.cat.Table(p.Parents[0]); p == nil || d.marked(p) {
			return
		}
		for _, k := range slices.Clone(a.cat.References(p.OID)) {
			if o := a.cat.Table(k.Table); o != nil && o != t && !d.marked(o) {
				d.depends(k, fmt.Sprintf("constraint %s on %s", k.Name, a.describe(o)), on, func() { d.constraint(o, k) })
			}
		}
	}
}

// sequenceDefaults finds defaults that call nextval on a sequence.
func (d *dropping) sequenceDefaults(o, q *catalog.Table) {
	for _, c := range o.Columns {
		// The default of a column that is dropped goes with it.
		if c.Default == nil || c.Dropped || d.marked(c) {
			continue
		}
		r := newReads()
		r.expr(c.Default, nil)
		if !r.relations[q.OID] && !d.a.namesSequence(c.Default, q) {
			continue
		}
		d.depends(c, fmt.Sprintf("default value for column %s of %s", c.Name, d.a.describe(o)), d.a.describe(q), func() {
			d.mark(c, func() { c.HasDefault, c.Default = false, nil })
		})
	}
}

// namesSequence finds a regclass constant that holds a sequence's name.
func (a *applier) namesSequence(e query.Expr, q *catalog.Table) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		if c, ok := x.(*query.Const); ok && c.Typ == pgtype.RegclassOID {
			found = found || a.regclass(c.Value) == q
		}
		return !found
	})
	return found
}

// column marks a column with the indexes and constraints on it, and what stands
// on it.
func (d *dropping) column(t *catalog.Table, c *catalog.Column) {
	a := d.a
	if !d.mark(c, func() {
		c.Dropped, c.NotNull, c.HasDefault, c.Default, c.Identity, c.Generated = true, false, false, nil, 0, 0
		c.Name = fmt.Sprintf("........pg.dropped.%d........", c.Number)
	}) {
		return
	}
	on := fmt.Sprintf("column %s of %s", c.Name, a.describe(t))
	for _, q := range a.cat.OwnedSequences(t.OID) {
		if q.OwnerColumn == c.Number {
			d.relation(q)
		}
	}
	for _, k := range slices.Clone(t.Constraints) {
		if slices.Contains(k.Columns, c.Number) {
			// What children have of a CHECK stays with their columns.
			d.alone = k.Kind == catalog.ConstraintCheck || k.Kind == catalog.ConstraintNotNull
			d.constraint(t, k)
			d.alone = false
		}
	}
	for _, x := range slices.Clone(t.Indexes) {
		if keysOn(x, c.Number) && a.indexConstraint(x) == nil {
			d.index(x)
		}
	}
	for _, o := range t.Columns {
		if o != c && o.Generated != 0 && o.Default != nil && uses(o.Default, c.Number) {
			d.depends(o, fmt.Sprintf("column %s of %s", o.Name, a.describe(t)), on, func() { d.column(t, o) })
		}
	}
	for _, p := range t.Policies {
		if p.Using != nil && uses(p.Using, c.Number) || p.Check != nil && uses(p.Check, c.Number) {
			d.depends(p, fmt.Sprintf("policy %s on %s", p.Name, a.describe(t)), on, func() {
				d.mark(p, func() {
					t.Policies = slices.DeleteFunc(t.Policies, func(o *catalog.Policy) bool { return o == p })
				})
			})
		}
	}
	d.bodies(on, func(r *readsOf) bool { return r.column(t, c.Number) })
	for _, v := range a.readers(t.OID) {
		if a.reads(v.View).column(t, c.Number) {
			d.depends(v, a.describe(v), on, func() { d.relation(v) })
		}
	}
}

// constraint marks a constraint with its index, the copies that partitions and
// children have, and the foreign keys that rest on it.
func (d *dropping) constraint(t *catalog.Table, k *catalog.Constraint) {
	a := d.a
	if !d.mark(k, func() {
		a.cat.DropConstraint(k)
		if k.Kind != catalog.ConstraintForeign {
			if x := a.cat.Index(k.Index); x != nil {
				a.cat.DropIndex(x)
			}
		}
		if k.Kind == catalog.ConstraintNotNull {
			if c := t.Attr(k.Columns[0]); c != nil {
				c.NotNull = false
			}
		}
	}) {
		return
	}
	x := a.cat.Index(k.Index)
	for _, c := range a.children(t) {
		if d.alone {
			break
		}
		for _, o := range slices.Clone(c.Constraints) {
			switch k.Kind {
			case catalog.ConstraintCheck, catalog.ConstraintNotNull:
				if k.NoInherit || a.sameConstraint(t, k, c) != o {
					continue
				}
				if !d.only && o.InhCount <= 1 && !o.Local {
					d.constraint(c, o)
					continue
				}
				d.actions = append(d.actions, func() {
					o.InhCount--
					o.Local = o.Local || d.only
				})
			case catalog.ConstraintForeign:
				if c.IsPartition && o.Kind == k.Kind && !o.NoInherit && o.RefTable == k.RefTable &&
					slices.Equal(o.Columns, mapNumbers(k.Columns, t, c)) {
					d.constraint(c, o)
				}
			default:
				if y := a.cat.Index(o.Index); o.Kind != catalog.ConstraintForeign && x != nil && y != nil && y.Parent == x.OID {
					d.constraint(c, o)
				}
			}
		}
	}
	if k.Kind != catalog.ConstraintPrimary && k.Kind != catalog.ConstraintUnique {
		return
	}
	on := fmt.Sprintf("index %s", k.Name)
	d.references(k.Index, t, on)
	for _, v := range a.readers(t.OID) {
		if slices.Contains(v.View.ConstraintDeps, k.OID) {
			d.depends(v, a.describe(v), fmt.Sprintf("constraint %s on %s", k.Name, a.describe(t)), func() { d.relation(v) })
		}
	}
}

// index marks an index and those of the partitions.
func (d *dropping) index(x *catalog.Index) {
	a := d.a
	if !d.mark(x, func() { a.cat.DropIndex(x) }) {
		return
	}
	t := a.cat.Table(x.Table)
	if t == nil {
		return
	}
	for _, c := range a.children(t) {
		for _, y := range c.Indexes {
			if y.Parent == x.OID {
				d.index(y)
			}
		}
	}
	if !x.Unique {
		return
	}
	d.references(x.OID, t, "index "+x.Name)
}

// references finds the foreign keys that rest on an index of a table.
func (d *dropping) references(index pgtype.OID, t *catalog.Table, on string) {
	for _, f := range slices.Clone(d.a.cat.References(t.OID)) {
		if o := d.a.cat.Table(f.Table); o != nil && f.Index == index {
			d.depends(f, fmt.Sprintf("constraint %s on %s", f.Name, d.a.describe(o)), on, func() { d.constraint(o, f) })
		}
	}
}

// typ marks a type and what is of it.
func (d *dropping) typ(t *catalog.Type) {
	a := d.a
	if !d.mark(t, func() {
		if at := a.cat.Type(t.Array); at != nil {
			a.cat.DropType(at)
		}
		if m := a.cat.Type(t.RangeMulti); m != nil {
			if ma := a.cat.Type(m.Array); ma != nil {
				a.cat.DropType(ma)
			}
			a.cat.DropType(m)
		}
		a.cat.DropType(t)
	}) {
		return
	}
	d.typeUsers(t, "type "+a.typeWord(t.OID), nil)
}

// typeUsers finds columns, domains, functions and views that use a type; own is
// the relation whose row type it is.
func (d *dropping) typeUsers(t *catalog.Type, on string, own *catalog.Table) {
	a := d.a
	if own == nil {
		on = "type " + a.typeWord(t.OID)
	}
	if own != nil && own.Kind == catalog.KindComposite {
		for _, o := range a.cat.Tables() {
			if o.OfType == t.OID {
				d.depends(o, a.describe(o), "type "+a.typeWord(t.OID), func() { d.relation(o) })
			}
		}
	}
	var tables []*catalog.Table
	var types []*catalog.Type
	if a.inUse(t) {
		tables, types = a.cat.Tables(), a.cat.Types()
	}
	for _, o := range tables {
		if o == own || o.View != nil || d.marked(o) {
			continue
		}
		for _, c := range o.Columns {
			if a.hasType(c, t) {
				d.depends(c, fmt.Sprintf("column %s of %s", c.Name, a.describe(o)), on, func() { d.column(o, c) })
			}
		}
	}
	if own == nil {
		for _, oid := range []pgtype.OID{t.OID, t.Array} {
			for _, v := range a.readers(oid) {
				d.depends(v, a.describe(v), on, func() { d.relation(v) })
			}
		}
	}
	if own == nil {
		d.typeExprs(t, on)
	}
	for _, x := range a.cat.Types() {
		if x.Kind == 'r' && x.RangeSubtype == t.OID {
			d.depends(x, "type "+a.typeWord(x.OID), on, func() { d.typ(x) })
		}
	}
	for _, x := range types {
		if x.Kind == 'd' && (x.Base == t.OID || t.Array != 0 && x.Base == t.Array) {
			d.depends(x, "type "+a.typeWord(x.OID), on, func() { d.typ(x) })
		}
	}
	for _, f := range a.cat.Funcs() {
		if f.Result == t.OID || slices.Contains(f.Args, t.OID) || slices.Contains(f.AllArgs, t.OID) {
			if t.Kind == 'r' && f.Language == "internal" {
				// Constructors, and the cast that rests on one, belong to the range.
				for _, k := range a.cat.Casts() {
					if k.Func == f.OID && k.Source == t.OID && k.Target == t.RangeMulti {
						d.mark(k, func() { a.cat.DropCast(k) })
					}
				}
				d.function(f)
				continue
			}
			d.depends(f, "function "+a.signature(f), on, func() { d.function(f) })
		}
	}
}

// typeExprs finds the defaults, constraints and indexes whose expressions have
// values of a type.
func (d *dropping) typeExprs(t *catalog.Type, on string) {
	a := d.a
	of := func(e query.Expr) bool {
		if e == nil {
			return false
		}
		r := newReads()
		r.expr(e, nil)
		return r.types[t.OID] || t.Array != 0 && r.types[t.Array]
	}
	for _, o := range a.cat.Tables() {
		if o.View != nil || d.marked(o) {
			continue
		}
		for _, c := range o.Columns {
			switch {
			case c.Dropped || d.marked(c) || !of(c.Default):
			case c.Generated != 0:
				d.depends(c, fmt.Sprintf("column %s of %s", c.Name, a.describe(o)), on, func() { d.column(o, c) })
			default:
				d.depends(c, fmt.Sprintf("default value for column %s of %s", c.Name, a.describe(o)), on, func() {
					d.mark(c, func() { c.HasDefault, c.Default = false, nil })
				})
			}
		}
		for _, k := range slices.Clone(o.Constraints) {
			if !d.marked(k) && of(k.Expr) {
				d.depends(k, fmt.Sprintf("constraint %s on %s", k.Name, a.describe(o)), on, func() { d.constraint(o, k) })
			}
		}
		for _, x := range slices.Clone(o.Indexes) {
			if !d.marked(x) && (slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return of(k.Expr) }) ||
				slices.ContainsFunc(x.Predicate, of)) {
				d.depends(x, "index "+x.Name, on, func() { d.index(x) })
			}
		}
	}
}

// function marks a function and what calls it.
func (d *dropping) function(f *catalog.Func) {
	a := d.a
	if !d.mark(f, func() { a.cat.DropFunc(f) }) {
		return
	}
	on := a.describeFunc(f)
	d.functionUsers(f, on)
	for _, t := range a.cat.Tables() {
		for _, g := range slices.Clone(t.Triggers) {
			if g.Func == f.OID {
				d.depends(g, fmt.Sprintf("trigger %s on %s", g.Name, a.describe(t)), on, func() {
					d.mark(g, func() {
						t.Triggers = slices.DeleteFunc(t.Triggers, func(o *catalog.Trigger) bool { return o == g })
					})
				})
			}
		}
		for _, c := range t.Columns {
			if !c.Dropped && usesFunc(c.Default, f.OID) {
				if c.Generated != 0 {
					d.depends(c, fmt.Sprintf("column %s of %s", c.Name, a.describe(t)), on, func() { d.column(t, c) })
					continue
				}
				d.depends(c, fmt.Sprintf("default value for column %s of %s", c.Name, a.describe(t)), on, func() {
					d.mark(c, func() { c.HasDefault, c.Default = false, nil })
				})
			}
		}
		for _, k := range slices.Clone(t.Constraints) {
			if usesFunc(k.Expr, f.OID) {
				d.depends(k, fmt.Sprintf("constraint %s on %s", k.Name, a.describe(t)), on, func() { d.constraint(t, k) })
			}
		}
		for _, x := range slices.Clone(t.Indexes) {
			if slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool { return usesFunc(k.Expr, f.OID) }) ||
				slices.ContainsFunc(x.Predicate, func(e query.Expr) bool { return usesFunc(e, f.OID) }) {
				d.depends(x, "index "+x.Name, on, func() { d.index(x) })
			}
		}
	}
	for _, v := range a.readers(f.OID) {
		d.depends(v, a.describe(v), on, func() { d.relation(v) })
	}
}

// drop is DROP of any object.
func (a *applier) drop(s *pg.DropStmt) {
	d := &dropping{a: a, cascade: s.Behavior == pg.DropBehavior_DROP_CASCADE}
	what, all := "", true
	// Of these kinds the object itself is the first that is marked.
	together := len(s.Objects) > 1 && slices.Contains([]pg.ObjectType{
		pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_FOREIGN_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW,
		pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN, pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_ROUTINE,
	}, s.RemoveType)
	for _, n := range s.Objects {
		ok := a.try(func() {
			d.naming = together
			if w := a.dropObject(d, s, n); w != "" {
				what = w
			}
		})
		all = all && ok
	}
	if !all {
		return
	}
	if len(s.Objects) > 1 {
		what = "desired object(s)"
		if lines := d.obstacles(); len(lines) > 0 {
			a.failMore("2BP01", noLoc, strings.Join(lines, "\n"),
				"Use DROP ... CASCADE to drop the dependent objects too.",
				"cannot drop desired object(s) because other objects depend on them")
		}
	}
	d.finish(what)
}
