package ddl

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// alterTable is ALTER TABLE and its kin for other relations. The commands are
// applied in the passes of ATController (tablecmds.c): what drops first, then
// what changes types, what adds columns, constraints last.
func (a *applier) alterTable(s *pg.AlterTableStmt) {
	if s.Objtype == pg.ObjectType_OBJECT_INDEX {
		a.alterIndex(s)
		return
	}
	if s.Objtype == pg.ObjectType_OBJECT_TYPE {
		a.alterComposite(s)
		return
	}
	t := a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname)
	if t == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(s.Relation.Schemaname, s.Relation.Relname, int(s.Relation.Location))
	}
	if s.Objtype != pg.ObjectType_OBJECT_TABLE {
		a.ofKind(t, s.Objtype, int(s.Relation.Location))
	}
	a.chosen = nil
	for pass := range passes {
		for _, n := range s.Cmds {
			c := n.GetAlterTableCmd()
			if passOf(c) == pass {
				a.try(func() { a.alterCommand(t, c, s.Relation.Inh) })
			}
		}
	}
}

// passes is how many passes [passOf] tells apart.
const passes = 5

// passOf orders the commands of one ALTER TABLE (AlterTablePass, tablecmds.c).
func passOf(c *pg.AlterTableCmd) int {
	switch c.Subtype {
	case pg.AlterTableType_AT_DropColumn, pg.AlterTableType_AT_DropConstraint, pg.AlterTableType_AT_DropNotNull,
		pg.AlterTableType_AT_DropExpression, pg.AlterTableType_AT_DropIdentity:
		return 0
	case pg.AlterTableType_AT_AlterColumnType:
		return 1
	case pg.AlterTableType_AT_AddColumn:
		return 2
	case pg.AlterTableType_AT_AddConstraint:
		if c.Def.GetConstraint().GetContype() == pg.ConstrType_CONSTR_FOREIGN {
			return 4
		}
		return 3
	case pg.AlterTableType_AT_ColumnDefault, pg.AlterTableType_AT_SetNotNull, pg.AlterTableType_AT_AddIdentity,
		pg.AlterTableType_AT_SetIdentity:
		return 2
	}
	return 4
}

func (a *applier) alterCommand(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	switch c.Subtype {
	case pg.AlterTableType_AT_AddColumn:
		a.alterAddColumn(t, c)
	case pg.AlterTableType_AT_DropColumn:
		a.alterDropColumn(t, c)
	case pg.AlterTableType_AT_ColumnDefault:
		a.alterDefault(t, c, recurse)
	case pg.AlterTableType_AT_SetNotNull:
		a.setNotNull(t, a.column(t, c.Name, noLoc))
	case pg.AlterTableType_AT_DropNotNull:
		a.alterDropNotNull(t, c)
	case pg.AlterTableType_AT_DropExpression:
		x := a.column(t, c.Name, noLoc)
		if x.Generated == 0 {
			if c.MissingOk {
				return
			}
			a.fail("55000", noLoc, "column %q of relation %q is not a generated column", x.Name, t.Name)
		}
		for _, f := range a.family(t) {
			if y := f.Column(x.Name); y != nil {
				y.Generated, y.HasDefault, y.Default = 0, false, nil
			}
		}
	case pg.AlterTableType_AT_AlterColumnType:
		a.alterColumnType(t, c)
	case pg.AlterTableType_AT_AddIdentity, pg.AlterTableType_AT_SetIdentity, pg.AlterTableType_AT_DropIdentity:
		a.alterIdentity(t, c)
	case pg.AlterTableType_AT_AddConstraint:
		a.alterAddConstraint(t, c, recurse)
	case pg.AlterTableType_AT_DropConstraint:
		a.alterDropConstraint(t, c)
	case pg.AlterTableType_AT_ValidateConstraint:
		k := constraint(t, c.Name)
		if k == nil {
			a.noConstraint(t, c.Name)
		}
		for _, f := range a.family(t) {
			if o := constraint(f, c.Name); o != nil {
				o.Validated = true
			}
		}
	case pg.AlterTableType_AT_AlterConstraint:
		d := c.Def.GetConstraint()
		k := constraint(t, d.GetConname())
		if k == nil {
			a.noConstraint(t, d.GetConname())
		}
		k.Deferrable, k.Deferred = d.Deferrable, d.Initdeferred
	case pg.AlterTableType_AT_AttachPartition:
		a.attachPartition(t, c.Def.GetPartitionCmd())
	case pg.AlterTableType_AT_DetachPartition, pg.AlterTableType_AT_DetachPartitionFinalize:
		a.detachPartition(t, c.Def.GetPartitionCmd())
	case pg.AlterTableType_AT_AddInherit:
		p := a.relation(c.Def.GetRangeVar())
		if slices.Contains(t.Parents, p.OID) {
			a.fail("42P07", noLoc, "relation %q would be inherited from more than once", p.Name)
		}
		a.noCycle(p, t, noLoc)
		a.mergeIntoChild(p, t, noLoc)
		t.Parents = append(t.Parents, p.OID)
		p.Children = append(p.Children, t.OID)
	case pg.AlterTableType_AT_DropInherit:
		p := a.relation(c.Def.GetRangeVar())
		if !slices.Contains(t.Parents, p.OID) {
			a.fail("42P01", noLoc, "relation %q is not a parent of relation %q", p.Name, t.Name)
		}
		a.leaveParent(p, t)
	case pg.AlterTableType_AT_SetRelOptions, pg.AlterTableType_AT_ReplaceRelOptions:
		a.storage(t, c.Def.GetList().GetItems())
	case pg.AlterTableType_AT_ResetRelOptions:
		for _, n := range c.Def.GetList().GetItems() {
			switch n.GetDefElem().GetDefname() {
			case "fillfactor":
				t.FillFactor = 0
			case "parallel_workers":
				t.ParallelWorkers = -1
			case "security_barrier":
				t.SecurityBarrier = false
			case "security_invoker":
				t.SecurityInvoker = false
			}
		}
	case pg.AlterTableType_AT_SetLogged:
		t.Unlogged = false
	case pg.AlterTableType_AT_SetUnLogged:
		t.Unlogged = true
	case pg.AlterTableType_AT_EnableRowSecurity:
		t.RowSecurity = true
	case pg.AlterTableType_AT_DisableRowSecurity:
		t.RowSecurity = false
	case pg.AlterTableType_AT_ForceRowSecurity:
		t.ForceRowSec = true
	case pg.AlterTableType_AT_NoForceRowSecurity:
		t.ForceRowSec = false
	case pg.AlterTableType_AT_SetStatistics, pg.AlterTableType_AT_SetOptions, pg.AlterTableType_AT_ResetOptions,
		pg.AlterTableType_AT_SetStorage, pg.AlterTableType_AT_SetCompression:
		if c.Name != "" {
			a.column(t, c.Name, noLoc)
		}
	case pg.AlterTableType_AT_ChangeOwner, pg.AlterTableType_AT_ClusterOn, pg.AlterTableType_AT_DropCluster,
		pg.AlterTableType_AT_SetTableSpace, pg.AlterTableType_AT_ReplicaIdentity, pg.AlterTableType_AT_DropOids,
		pg.AlterTableType_AT_AlterColumnGenericOptions, pg.AlterTableType_AT_GenericOptions,
		pg.AlterTableType_AT_SetAccessMethod:
		// Who owns a table, where it lies and what fires does not shape queries.
	case pg.AlterTableType_AT_EnableTrig:
		a.enableTrigger(t, c.Name, 'O')
	case pg.AlterTableType_AT_EnableAlwaysTrig:
		a.enableTrigger(t, c.Name, 'A')
	case pg.AlterTableType_AT_EnableReplicaTrig:
		a.enableTrigger(t, c.Name, 'R')
	case pg.AlterTableType_AT_DisableTrig:
		a.enableTrigger(t, c.Name, 'D')
	case pg.AlterTableType_AT_EnableTrigAll, pg.AlterTableType_AT_EnableTrigUser:
		a.enableTrigger(t, "", 'O')
	case pg.AlterTableType_AT_DisableTrigAll, pg.AlterTableType_AT_DisableTrigUser:
		a.enableTrigger(t, "", 'D')
	case pg.AlterTableType_AT_EnableRule:
		a.enableRule(t, c.Name, 'O')
	case pg.AlterTableType_AT_EnableAlwaysRule:
		a.enableRule(t, c.Name, 'A')
	case pg.AlterTableType_AT_EnableReplicaRule:
		a.enableRule(t, c.Name, 'R')
	case pg.AlterTableType_AT_DisableRule:
		a.enableRule(t, c.Name, 'D')
	default:
		a.unsupported(noLoc, "ALTER TABLE … %s", strings.TrimPrefix(c.Subtype.String(), "AT_"))
	}
}

// build returns what adding a column to a table collects.
func build(t *catalog.Table) *tableBuild {
	return &tableBuild{t: t, merged: map[string]bool{}}
}

func (a *applier) alterAddColumn(t *catalog.Table, c *pg.AlterTableCmd) {
	d := c.Def.GetColumnDef()
	if t.Column(d.Colname) != nil {
		if c.MissingOk {
			return
		}
		a.fail("42701", int(d.Location), "column %q of relation %q already exists", d.Colname, t.Name)
	}
	if t.IsPartition {
		a.fail("42809", noLoc, "cannot add column to a partition")
	}
	b := build(t)
	x := a.columnDef(b, d)
	a.ownSequences(b)
	a.notNullKeys(b)
	// Those below get the column before anything is built on it.
	for _, f := range a.family(t)[1:] {
		if y := f.Column(x.Name); y != nil {
			y.Inherited = true
			continue
		}
		y := *x
		y.Inherited, y.Local = true, false
		if x.Identity != 0 && !(f.IsPartition && a.cat.Major >= 17) {
			y.Identity = 0
		}
		a.addColumn(f, &y, "column")
	}
	a.applyDefaults(t, b.defaults)
	for _, f := range a.family(t)[1:] {
		if y := f.Column(x.Name); y != nil && y.HasDefault && y.Default == nil {
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

func (a *applier) ownSequences(b *tableBuild) {
	for i, q := range b.sequences {
		if c := b.t.Column(b.seqColumn[i]); c != nil {
			a.cat.SetOwner(q, b.t.OID, c.Number)
		}
	}
}

func (a *applier) alterDropNotNull(t *catalog.Table, c *pg.AlterTableCmd) {
	x := a.column(t, c.Name, noLoc)
	if x.Identity != 0 {
		a.fail("42601", noLoc, "column %q of relation %q is an identity column", x.Name, t.Name)
	}
	for _, f := range a.family(t) {
		y := f.Column(x.Name)
		if y == nil {
			continue
		}
		if k := primaryKey(f); k != nil && slices.Contains(k.Columns, y.Number) {
			a.fail("42P16", noLoc, "column %q is in a primary key", y.Name)
		}
		y.NotNull = false
		for _, k := range slices.Clone(f.Constraints) {
			if k.Kind == catalog.ConstraintNotNull && slices.Equal(k.Columns, []int{y.Number}) {
				a.cat.DropConstraint(k)
			}
		}
	}
}

func (a *applier) alterIdentity(t *catalog.Table, c *pg.AlterTableCmd) {
	x := a.column(t, c.Name, noLoc)
	switch c.Subtype {
	case pg.AlterTableType_AT_AddIdentity:
		switch {
		case !x.NotNull:
			a.fail("55000", noLoc, "column %q of relation %q must be declared NOT NULL before identity can be added", x.Name, t.Name)
		case x.Identity != 0:
			a.fail("55000", noLoc, "column %q of relation %q is already an identity column", x.Name, t.Name)
		case x.HasDefault:
			a.fail("55000", noLoc, "column %q of relation %q already has a default value", x.Name, t.Name)
		}
		b := build(t)
		k := c.Def.GetConstraint()
		if k == nil {
			k = &pg.Constraint{GeneratedWhen: "d", Location: noLoc}
		}
		a.identity(b, x, k)
		a.ownSequences(b)
	case pg.AlterTableType_AT_SetIdentity:
		if x.Identity == 0 {
			a.fail("55000", noLoc, "column %q of relation %q is not an identity column", x.Name, t.Name)
		}
		for _, n := range c.Def.GetList().GetItems() {
			if d := n.GetDefElem(); d.GetDefname() == "generated" {
				x.Identity = byte(d.Arg.GetInteger().GetIval())
			}
		}
	default:
		if x.Identity == 0 {
			if c.MissingOk {
				return
			}
			a.fail("55000", noLoc, "column %q of relation %q is not an identity column", x.Name, t.Name)
		}
		x.Identity = 0
		for _, q := range a.cat.OwnedSequences(t.OID) {
			if q.OwnerColumn == x.Number {
				a.cat.DropTable(q)
			}
		}
	}
}

func (a *applier) alterAddConstraint(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	k := c.Def.GetConstraint()
	switch k.Contype {
	case pg.ConstrType_CONSTR_CHECK:
		a.addCheck(t, k, recurse)
	case pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE, pg.ConstrType_CONSTR_EXCLUSION:
		s := a.keySpec(k)
		if s.kind == catalog.ConstraintPrimary {
			// SET NOT NULL comes first.
			for _, name := range s.columns {
				a.column(t, name, int(k.Location))
			}
		}
		a.addKey(t, s)
	case pg.ConstrType_CONSTR_FOREIGN:
		a.addForeignKey(t, &foreignSpec{c: k, columns: strs(k.FkAttrs), attributes: attributesOf(k)})
	default:
		a.unsupported(int(k.Location), "this kind of constraint")
	}
}

func (a *applier) noConstraint(t *catalog.Table, name string) {
	var names []string
	for _, k := range t.Constraints {
		names = append(names, k.Name)
	}
	a.failMore("42704", noLoc, "", suggest(name, names), "constraint %q of relation %q does not exist", name, t.Name)
}

// alterIndex knows ATTACH PARTITION and storage parameters.
func (a *applier) alterIndex(s *pg.AlterTableStmt) {
	x := a.cat.IndexByName(s.Relation.Schemaname, s.Relation.Relname)
	if x == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(s.Relation.Schemaname, s.Relation.Relname, int(s.Relation.Location))
	}
	for _, n := range s.Cmds {
		c := n.GetAlterTableCmd()
		switch c.Subtype {
		case pg.AlterTableType_AT_AttachPartition:
			r := c.Def.GetPartitionCmd().GetName()
			child := a.cat.IndexByName(r.Schemaname, r.Relname)
			if child == nil {
				a.noRelation(r.Schemaname, r.Relname, int(r.Location))
			}
			child.Parent = x.OID
		case pg.AlterTableType_AT_SetRelOptions:
			d := &indexDef{fillFactor: x.FillFactor, pagesPerRange: x.PagesPerRange}
			a.indexOptions(d, c.Def.GetList().GetItems())
			x.FillFactor, x.PagesPerRange = d.fillFactor, d.pagesPerRange
		case pg.AlterTableType_AT_ResetRelOptions:
			x.FillFactor, x.PagesPerRange = 0, 0
		}
	}
}

// alterComposite is ALTER TYPE … ADD, DROP and ALTER ATTRIBUTE.
func (a *applier) alterComposite(s *pg.AlterTableStmt) {
	t := a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname)
	if t == nil {
		a.noRelation(s.Relation.Schemaname, s.Relation.Relname, int(s.Relation.Location))
	}
	if t.Kind != catalog.KindComposite {
		a.fail("42809", int(s.Relation.Location), "%q is not a composite type", t.Name)
	}
	for _, n := range s.Cmds {
		c := n.GetAlterTableCmd()
		a.try(func() {
			switch c.Subtype {
			case pg.AlterTableType_AT_AddColumn:
				d := c.Def.GetColumnDef()
				if t.Column(d.Colname) != nil {
					a.fail("42701", int(d.Location), "column %q of relation %q already exists", d.Colname, t.Name)
				}
				a.addColumn(t, a.attribute(d), "attribute")
			case pg.AlterTableType_AT_DropColumn:
				a.alterDropColumn(t, c)
			case pg.AlterTableType_AT_AlterColumnType:
				d := c.Def.GetColumnDef()
				x := a.column(t, c.Name, noLoc)
				x.Type, x.Typmod = a.typeName(d.TypeName)
				x.Collation = a.columnCollation(x, d.CollClause)
			}
		})
	}
}

// hasType reports whether a column's value is of a type, or of arrays of it.
func (a *applier) hasType(c *catalog.Column, t *catalog.Type) bool {
	return !c.Dropped && (c.Type == t.OID || t.Array != 0 && c.Type == t.Array || t.RangeMulti != 0 && c.Type == t.RangeMulti)
}
