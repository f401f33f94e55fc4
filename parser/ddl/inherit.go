package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// addInherit is ALTER TABLE … INHERIT (ATExecAddInherit, tablecmds.c).
func (a *applier) addInherit(t *catalog.Table, c *pg.AlterTableCmd) {
	r := c.Def.GetRangeVar()
	switch {
	case t.OfType != 0:
		a.fail("42809", noLoc, "cannot change inheritance of typed table")
	case t.IsPartition:
		a.fail("42809", noLoc, "cannot change inheritance of a partition")
	case t.Kind == catalog.KindPartitioned:
		a.fail("42809", noLoc, "cannot change inheritance of partitioned table")
	}
	p := a.relation(r)
	a.permitted(c, p.Kind, p.Name)
	switch {
	case p.Kind == catalog.KindPartitioned:
		a.fail("42809", noLoc, "cannot inherit from partitioned table %q", p.Name)
	case p.IsPartition:
		a.fail("42809", noLoc, "cannot inherit from a partition")
	case p.Temp && !t.Temp:
		a.fail("42809", noLoc, "cannot inherit from temporary relation %q", p.Name)
	case slices.Contains(t.Parents, p.OID):
		a.fail("42P07", noLoc, "relation %q would be inherited from more than once", p.Name)
	}
	a.noCycle(p, t, noLoc)
	a.mergeIntoChild(p, t, noLoc)
	t.Parents = append(t.Parents, p.OID)
	p.Children = append(p.Children, t.OID)
}

// mergeIntoChild checks that a table has what a parent's child must have, and
// counts it as inherited (MergeAttributesIntoExisting and
// MergeConstraintsIntoExisting, tablecmds.c).
func (a *applier) mergeIntoChild(t, c *catalog.Table, loc int) {
	for _, x := range t.Columns {
		if x.Dropped {
			continue
		}
		y := c.Column(x.Name)
		switch {
		case y == nil:
			a.fail("42804", loc, "child table is missing column %q", x.Name)
		case y.Type != x.Type || y.Typmod != x.Typmod:
			a.fail("42804", loc, "child table %q has different type for column %q", c.Name, x.Name)
		case y.Collation != x.Collation:
			a.fail("42P21", loc, "child table %q has different collation for column %q", c.Name, x.Name)
		case x.NotNull && !y.NotNull:
			if a.cat.Major >= 18 {
				a.fail("42804", loc, "column %q in child table %q must be marked NOT NULL", x.Name, c.Name)
			}
			a.fail("42804", loc, "column %q in child table must be marked NOT NULL", x.Name)
		case x.Generated != 0 && y.Generated == 0:
			a.fail("42804", loc, "column %q in child table must be a generated column", x.Name)
		case x.Generated == 0 && y.Generated != 0 && a.cat.Major >= 16:
			a.fail("42804", loc, "column %q in child table must not be a generated column", x.Name)
		}
		y.InhCount++
		if t.Kind == catalog.KindPartitioned {
			y.Local = false
		}
	}
	for _, k := range t.Constraints {
		if k.NoInherit || k.Kind != catalog.ConstraintCheck && k.Kind != catalog.ConstraintNotNull {
			continue
		}
		o := a.sameConstraint(t, k, c)
		switch {
		case o == nil && k.Kind == catalog.ConstraintCheck:
			a.fail("42804", loc, "child table is missing constraint %q", k.Name)
		case o == nil:
			continue
		case k.Kind == catalog.ConstraintCheck && o.Expr != nil && k.Expr != nil && !sameMeaning(o.Expr, mapColumns(k.Expr, t, c)):
			a.fail("42804", loc, "child table %q has different definition for check constraint %q", c.Name, k.Name)
		case o.NoInherit:
			a.fail("42P17", loc, "constraint %q conflicts with non-inherited constraint on child table %q", o.Name, c.Name)
		case !o.Validated && k.Validated:
			a.fail("42P17", loc, "constraint %q conflicts with NOT VALID constraint on child table %q", o.Name, c.Name)
		}
		o.InhCount++
		if t.Kind == catalog.KindPartitioned {
			o.Local = false
		}
	}
}

// sameConstraint is the constraint of a child that stands for one of its
// parent's: a CHECK has the same name, a NOT NULL the same column.
func (a *applier) sameConstraint(p *catalog.Table, k *catalog.Constraint, c *catalog.Table) *catalog.Constraint {
	if k.Kind == catalog.ConstraintNotNull {
		n := mapNumbers(k.Columns, p, c)
		for _, o := range c.Constraints {
			if o.Kind == k.Kind && slices.Equal(o.Columns, n) {
				return o
			}
		}
		return nil
	}
	if o := constraint(c, k.Name); o != nil && o.Kind == k.Kind {
		return o
	}
	return nil
}

// leaveParent is NO INHERIT and DETACH (RemoveInheritance, tablecmds.c): what has
// no parent any more is the table's own.
func (a *applier) leaveParent(t, c *catalog.Table) {
	c.Parents = slices.DeleteFunc(slices.Clone(c.Parents), func(o pgtype.OID) bool { return o == t.OID })
	t.Children = slices.DeleteFunc(slices.Clone(t.Children), func(o pgtype.OID) bool { return o == c.OID })
	for _, x := range t.Columns {
		if y := c.Column(x.Name); y != nil && !x.Dropped && y.InhCount > 0 {
			y.InhCount--
			y.Local = y.Local || y.InhCount == 0
		}
	}
	for _, k := range t.Constraints {
		if k.Kind != catalog.ConstraintCheck && k.Kind != catalog.ConstraintNotNull {
			continue
		}
		if o := a.sameConstraint(t, k, c); o != nil && o.InhCount > 0 {
			o.InhCount--
			o.Local = o.Local || o.InhCount == 0
		}
	}
}

// inheritChecks gives a table the CHECK and NOT NULL constraints of a parent;
// those with one name and one expression are one. again says that the table was
// there before, and has counted what it has of the parent already.
func (a *applier) inheritChecks(p, t *catalog.Table, again bool) {
	for _, k := range p.Constraints {
		if k.Kind != catalog.ConstraintCheck && k.Kind != catalog.ConstraintNotNull || k.NoInherit {
			continue
		}
		if o := a.sameConstraint(p, k, t); o != nil {
			if !again {
				o.InhCount++
			}
			continue
		}
		if constraint(t, k.Name) != nil {
			continue
		}
		x := *k
		x.OID, x.Table = a.cat.NewOID(), t.OID
		x.Columns = mapNumbers(k.Columns, p, t)
		x.Expr = mapColumns(k.Expr, p, t)
		x.InhCount, x.Local = 1, false
		a.cat.AddConstraint(&x)
	}
}

// passDown gives the tables below t the CHECK and NOT NULL constraints that they
// inherit.
func (a *applier) passDown(t *catalog.Table) {
	for _, c := range a.children(t) {
		a.inheritChecks(t, c, true)
		a.passDown(c)
	}
}

// passCheck gives a CHECK to the tables below; one that has it already counts one
// parent more (MergeWithExistingConstraint, heap.c).
func (a *applier) passCheck(t *catalog.Table, k *catalog.Constraint) {
	for _, c := range a.children(t) {
		if o := constraint(c, k.Name); o != nil {
			switch {
			case o.Kind != k.Kind || o.Expr != nil && k.Expr != nil && !sameMeaning(o.Expr, mapColumns(k.Expr, t, c)):
				a.fail("42710", noLoc, "constraint %q for relation %q already exists", k.Name, c.Name)
			case o.NoInherit:
				a.fail("42P17", noLoc, "constraint %q conflicts with non-inherited constraint on relation %q", k.Name, c.Name)
			}
			o.InhCount++
			continue
		}
		x := *k
		x.OID, x.Table = a.cat.NewOID(), c.OID
		x.Columns, x.Expr = mapNumbers(k.Columns, t, c), mapColumns(k.Expr, t, c)
		x.InhCount, x.Local = 1, false
		a.cat.AddConstraint(&x)
		a.passCheck(c, &x)
	}
}
