package ddl

import (
	"fmt"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// build returns what adding a column to a table collects.
func build(t *catalog.Table) *tableBuild {
	return &tableBuild{t: t, merged: map[string]bool{}}
}

// alterAddColumn is ADD COLUMN (ATExecAddColumn, tablecmds.c). Tables below get
// the column too; one that has it already counts one parent more.
func (a *applier) alterAddColumn(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	d := c.Def.GetColumnDef()
	if t.Column(d.Colname) != nil {
		if c.MissingOk {
			return
		}
		a.fail("42701", int(d.Location), "column %q of relation %q already exists", d.Colname, t.Name)
	}
	switch {
	case t.OfType != 0:
		a.fail("42809", noLoc, "cannot add column to typed table")
	case t.IsPartition:
		a.fail("42809", noLoc, "cannot add column to a partition")
	case !recurse && len(t.Children) > 0:
		a.fail("42P16", noLoc, "column must be added to child tables too")
	}
	b := build(t)
	x := a.columnDef(b, d)
	a.retyping.rewrite = a.retyping.rewrite || x.HasDefault || x.Identity != 0
	a.ownSequences(b)
	a.notNullKeys(b)
	a.addInherited(t, x)
	a.applyDefaults(t, b.defaults)
	for _, f := range a.family(t)[1:] {
		if y := f.Column(x.Name); y != nil && y.HasDefault && y.Default == nil && !y.Local {
			y.Default = mapColumns(x.Default, t, f)
		}
	}
	for _, k := range b.checks {
		a.try(func() { a.addCheck(t, k.c, true) })
	}
	a.notNullConstraints(t)
	a.passDown(t)
	for _, k := range mergeKeys(b.keys) {
		a.try(func() { a.addKey(t, k) })
	}
	for _, f := range b.foreign {
		a.try(func() { a.addForeignKey(t, f) })
	}
}

// addInherited gives a new column to the tables below, before anything is built
// on it.
func (a *applier) addInherited(t *catalog.Table, x *catalog.Column) {
	for _, f := range a.children(t) {
		if y := f.Column(x.Name); y != nil {
			switch {
			case y.Type != x.Type || y.Typmod != x.Typmod:
				a.fail("42804", noLoc, "child table %q has different type for column %q", f.Name, x.Name)
			case y.Collation != x.Collation:
				a.fail("42P21", noLoc, "child table %q has different collation for column %q", f.Name, x.Name)
			}
			y.InhCount++
			continue
		}
		y := *x
		y.InhCount, y.Local = 1, false
		if x.Identity != 0 && !(f.IsPartition && a.cat.Major >= 17) {
			y.Identity = 0
		}
		a.addColumn(f, &y, "column")
		a.addInherited(f, &y)
	}
}

// alterSetNotNull is SET NOT NULL; a partitioned table alone can have it only
// where its partitions do (ATPrepSetNotNull and ATExecCheckNotNull, tablecmds.c).
func (a *applier) alterSetNotNull(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	x := a.ownColumn(t, c.Name, "alter")
	if !recurse && t.Kind == catalog.KindPartitioned && a.cat.Major < 18 {
		for _, f := range a.children(t) {
			if y := f.Column(x.Name); y != nil && !y.NotNull {
				a.failMore("42P16", noLoc, fmt.Sprintf("Column %q of relation %q is not already NOT NULL.", y.Name, f.Name),
					"Do not specify the ONLY keyword.", "constraint must be added to child tables too")
			}
		}
		x.NotNull = true
		return
	}
	if !recurse && a.cat.Major < 18 {
		x.NotNull = true
		return
	}
	a.setNotNull(t, x)
}

// ownColumn is a column that may be changed: a system column may not.
func (a *applier) ownColumn(t *catalog.Table, name, verb string) *catalog.Column {
	return a.ownColumnAt(t, name, verb, noLoc)
}

func (a *applier) ownColumnAt(t *catalog.Table, name, verb string, loc int) *catalog.Column {
	if t.Column(name) == nil && slices.ContainsFunc(catalog.SystemColumns(), func(s *catalog.Column) bool { return s.Name == name }) {
		a.fail("0A000", loc, "cannot %s system column %q", verb, name)
	}
	return a.column(t, name, loc)
}

func (a *applier) alterDropNotNull(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	x := a.ownColumn(t, c.Name, "alter")
	if x.Identity != 0 {
		a.fail("42601", noLoc, "column %q of relation %q is an identity column", x.Name, t.Name)
	}
	if !recurse && t.Kind == catalog.KindPartitioned && len(t.Children) > 0 && a.cat.Major < 18 {
		a.failMore("42P16", noLoc, "", "Do not specify the ONLY keyword.",
			"cannot remove constraint from only the partitioned table when partitions exist")
	}
	tables := []*catalog.Table{t}
	if recurse {
		tables = a.family(t)
	}
	if k := primaryKey(t); k != nil && slices.Contains(k.Columns, x.Number) {
		a.fail("42P16", noLoc, "column %q is in a primary key", x.Name)
	}
	for _, p := range t.Parents {
		if q := a.cat.Table(p); t.IsPartition && q != nil && a.cat.Major < 18 {
			if y := q.Column(x.Name); y != nil && y.NotNull && x.NotNull {
				a.fail("42P16", noLoc, "column %q is marked NOT NULL in parent table", x.Name)
			}
		}
	}
	for _, f := range tables {
		y := f.Column(x.Name)
		if y == nil {
			continue
		}
		if k := primaryKey(f); k != nil && slices.Contains(k.Columns, y.Number) {
			a.fail("42P16", noLoc, "column %q is in a primary key", y.Name)
		}
		for _, k := range slices.Clone(f.Constraints) {
			if k.Kind != catalog.ConstraintNotNull || !slices.Equal(k.Columns, []int{y.Number}) {
				continue
			}
			if f == t && k.InhCount > 0 {
				a.fail("42P16", noLoc, "cannot drop inherited constraint %q of relation %q", k.Name, t.Name)
			}
			a.cat.DropConstraint(k)
		}
		y.NotNull = false
	}
}

// alterDropExpression is DROP EXPRESSION: the column becomes a plain one
// (ATPrepDropExpression and ATExecDropExpression, tablecmds.c).
func (a *applier) alterDropExpression(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	x := a.ownColumn(t, c.Name, "alter")
	if !recurse && len(t.Children) > 0 {
		a.fail("0A000", noLoc, "ALTER TABLE / DROP EXPRESSION must be applied to child tables too")
	}
	if x.InhCount > 0 {
		a.fail("42P16", noLoc, "cannot drop generation expression from inherited column")
	}
	if x.Generated == 0 {
		if c.MissingOk {
			return
		}
		what := "a stored generated column"
		if a.cat.Major >= 18 {
			what = "a generated column"
		}
		a.fail("55000", noLoc, "column %q of relation %q is not %s", x.Name, t.Name, what)
	}
	for _, f := range a.family(t) {
		if y := f.Column(x.Name); y != nil {
			y.Generated, y.HasDefault, y.Default = 0, false, nil
		}
	}
}

// columnSetting checks SET STATISTICS, SET STORAGE and their kin, which queries
// do not show.
func (a *applier) columnSetting(t *catalog.Table, c *pg.AlterTableCmd) {
	if c.Name == "" {
		return
	}
	x := t.Column(c.Name)
	if x == nil {
		x = a.ownColumn(t, c.Name, "alter")
	}
	switch c.Subtype {
	case pg.AlterTableType_AT_SetStatistics:
		if n := c.Def.GetInteger().GetIval(); n < -1 || n < 0 && a.cat.Major >= 17 && n != -1 {
			a.fail("22023", noLoc, "statistics target %d is too low", n)
		}
	case pg.AlterTableType_AT_SetOptions:
		a.checkOptions('a', "", c.Def.GetList().GetItems())
	case pg.AlterTableType_AT_SetStorage:
		a.columnStorage(x, valueText(c.Def))
	}
}

// columnStorage checks a storage mode (GetAttributeStorage, tablecmds.c).
func (a *applier) columnStorage(x *catalog.Column, mode string) {
	t := a.cat.Type(x.Type)
	var plain bool
	switch fold(mode) {
	case "plain", "default":
		plain = true
	case "external", "extended", "main":
	default:
		a.fail("22023", noLoc, "invalid storage type %q", mode)
	}
	if !plain && t != nil && t.Storage == 'p' {
		a.fail("0A000", noLoc, "column data type %s can only have storage PLAIN", a.typeWord(x.Type))
	}
}

// indexStatistics checks ALTER INDEX … ALTER COLUMN n SET STATISTICS
// (ATExecSetStatistics, tablecmds.c).
func (a *applier) indexStatistics(x *catalog.Index, c *pg.AlterTableCmd) {
	n := int(c.Num)
	switch {
	case n < 1 || n > len(x.Keys):
		a.fail("42703", noLoc, "column number %d of relation %q does not exist", n, x.Name)
	case n > x.NumKeys:
		a.fail("0A000", noLoc, "cannot alter statistics on included column %q of index %q", x.Keys[n-1].Name, x.Name)
	case x.Keys[n-1].Column != 0:
		a.failMore("0A000", noLoc, "", "Alter statistics on table column instead.",
			"cannot alter statistics on non-expression column %q of index %q", x.Keys[n-1].Name, x.Name)
	}
}

// tableMethod refuses an access method that is not for tables. One that is not
// known may come from an extension.
func (a *applier) tableMethod(name string, loc int) {
	if m := a.cat.MethodByName(name); m != nil && m.Kind != 't' {
		a.fail("55000", loc, "access method %q is not of type TABLE", name)
	}
}
