package ddl

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
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

// alterDropColumn is DROP COLUMN (ATExecDropColumn, tablecmds.c): the column
// keeps its number, what is built on it goes. Of tables below, only those lose it
// that have it from nowhere else.
func (a *applier) alterDropColumn(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	if t.OfType != 0 {
		a.fail("42809", noLoc, "cannot drop column from typed table")
	}
	x := t.Column(c.Name)
	if x == nil {
		if c.MissingOk {
			return
		}
		a.ownColumn(t, c.Name, "drop")
	}
	if x.InhCount > 0 {
		a.fail("42P16", noLoc, "cannot drop inherited column %q", x.Name)
	}
	if recurse || t.PartitionKey == nil || len(t.Children) == 0 {
		a.partitionColumn(t, x, "drop", noLoc)
	}
	if !recurse && t.Kind == catalog.KindPartitioned && len(t.Children) > 0 {
		a.failMore("42P16", noLoc, "", "Do not specify the ONLY keyword.",
			"cannot drop column from only the partitioned table when partitions exist")
	}
	d := &dropping{a: a, cascade: c.Behavior == pg.DropBehavior_DROP_CASCADE}
	var after []func()
	var below func(t *catalog.Table)
	below = func(t *catalog.Table) {
		for _, f := range a.children(t) {
			y := f.Column(c.Name)
			switch {
			case y == nil:
			case recurse && y.InhCount == 1 && !y.Local:
				d.column(f, y)
				below(f)
			default:
				after = append(after, func() {
					y.InhCount--
					y.Local = y.Local || !recurse
				})
			}
		}
	}
	d.column(t, x)
	below(t)
	d.finish(fmt.Sprintf("column %s of %s", x.Name, a.describe(t)))
	for _, fn := range after {
		fn()
	}
}

// partitionColumn fails for a column of a partition key, of the table or of a
// partition (has_partition_attrs, partition.c).
func (a *applier) partitionColumn(t *catalog.Table, x *catalog.Column, verb string, loc int) {
	for _, f := range a.family(t) {
		if f.PartitionKey == nil {
			continue
		}
		y := f.Column(x.Name)
		for _, k := range f.PartitionKey.Keys {
			if y == nil || k.Column != y.Number && (k.Expr == nil || !uses(k.Expr, y.Number)) {
				continue
			}
			a.fail("42P16", loc, "cannot %s column %q because it is part of the partition key of relation %q", verb, x.Name, f.Name)
		}
	}
}

// alterDropConstraint is DROP CONSTRAINT (ATExecDropConstraint, tablecmds.c).
func (a *applier) alterDropConstraint(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	k := constraint(t, c.Name)
	if k == nil {
		if c.MissingOk {
			return
		}
		a.noConstraint(t, c.Name)
	}
	if a.inheritedConstraint(t, k) {
		a.fail("42P16", noLoc, "cannot drop inherited constraint %q of relation %q", k.Name, t.Name)
	}
	if !recurse && t.Kind == catalog.KindPartitioned && len(t.Children) > 0 && k.Kind == catalog.ConstraintCheck {
		a.failMore("42P16", noLoc, "", "Do not specify the ONLY keyword.",
			"cannot remove constraint from only the partitioned table when partitions exist")
	}
	if k.Kind == catalog.ConstraintNotNull {
		x := t.Attr(k.Columns[0])
		if pk := primaryKey(t); pk != nil && slices.Contains(pk.Columns, k.Columns[0]) {
			a.fail("42P16", noLoc, "column %q is in a primary key", x.Name)
		}
		if x.Identity != 0 {
			a.fail("42601", noLoc, "column %q of relation %q is an identity column", x.Name, t.Name)
		}
	}
	d := &dropping{a: a, cascade: c.Behavior == pg.DropBehavior_DROP_CASCADE, only: !recurse}
	d.constraint(t, k)
	d.finish(fmt.Sprintf("constraint %s on %s", k.Name, a.describe(t)))
}

func (a *applier) inheritedConstraint(t *catalog.Table, k *catalog.Constraint) bool {
	switch k.Kind {
	case catalog.ConstraintCheck, catalog.ConstraintNotNull:
		return k.InhCount > 0
	case catalog.ConstraintForeign:
		for _, p := range t.Parents {
			if q := a.cat.Table(p); q != nil && t.IsPartition && !k.NoInherit {
				if o := constraint(q, k.Name); o != nil && o.Kind == k.Kind {
					return true
				}
			}
		}
		return false
	}
	x := a.cat.Index(k.Index)
	return x != nil && x.Parent != 0
}

// validateConstraint is VALIDATE CONSTRAINT (ATExecValidateConstraint,
// tablecmds.c).
func (a *applier) validateConstraint(t *catalog.Table, name string) {
	k := constraint(t, name)
	if k == nil {
		a.noConstraint(t, name)
	}
	switch {
	case k.Kind == catalog.ConstraintCheck, k.Kind == catalog.ConstraintForeign:
	case k.Kind == catalog.ConstraintNotNull && a.cat.Major >= 18:
	case a.cat.Major >= 18:
		a.fail("42809", noLoc, "cannot validate constraint %q of relation %q", k.Name, t.Name)
	default:
		a.fail("42809", noLoc, "constraint %q of relation %q is not a foreign key or check constraint", k.Name, t.Name)
	}
	for _, f := range a.family(t) {
		if o := constraint(f, name); o != nil {
			o.Validated = true
		}
	}
}

// keysOn reports whether an index has a column in it, as a key, included or in
// an expression or predicate.
func keysOn(x *catalog.Index, number int) bool {
	return slices.ContainsFunc(x.Keys, func(k catalog.IndexKey) bool {
		return k.Column == number || k.Expr != nil && uses(k.Expr, number)
	}) || slices.ContainsFunc(x.Predicate, func(e query.Expr) bool { return uses(e, number) })
}
