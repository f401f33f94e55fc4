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
	switch s.Objtype {
	case pg.ObjectType_OBJECT_INDEX:
		a.alterIndex(s)
		return
	case pg.ObjectType_OBJECT_TYPE:
		a.alterComposite(s)
		return
	}
	r := s.Relation
	loc := int(r.Location)
	t := a.cat.TableByName(r.Schemaname, r.Relname)
	if t == nil {
		if x := a.cat.IndexByName(r.Schemaname, r.Relname); x != nil {
			if s.Objtype != pg.ObjectType_OBJECT_TABLE {
				a.fail("42809", loc, "%q is not %s", x.Name, kindWord(s.Objtype))
			}
			a.alterIndex(s)
			return
		}
		if s.MissingOk {
			return
		}
		a.noRelation(r.Schemaname, r.Relname, loc)
	}
	if s.Objtype != pg.ObjectType_OBJECT_TABLE {
		a.ofKind(t, s.Objtype, loc)
	}
	a.chosen = nil
	allowed := map[*pg.AlterTableCmd]bool{}
	for _, n := range s.Cmds {
		c := n.GetAlterTableCmd()
		allowed[c] = a.try(func() {
			a.permitted(c, t.Kind, t.Name)
			a.notSystem(t, noLoc)
		})
	}
	a.retyping = &retyping{}
	for pass := range passes {
		for _, n := range s.Cmds {
			c := n.GetAlterTableCmd()
			if allowed[c] && passOf(c) == pass {
				a.try(func() { a.alterCommand(t, c, r.Inh) })
			}
		}
		if pass == passRetype {
			a.reread()
		}
	}
	if a.retyping.rewrite {
		a.rowTypeUnused(t, "table")
	}
}

// The passes of one ALTER TABLE (AlterTablePass, tablecmds.c).
const (
	passDrop = iota
	passRetype
	passColumns
	passNotNull
	passChecks
	passIndexes
	passOther
	passRest
	passes
)

func passOf(c *pg.AlterTableCmd) int {
	switch c.Subtype {
	case pg.AlterTableType_AT_DropColumn, pg.AlterTableType_AT_DropConstraint, pg.AlterTableType_AT_DropNotNull,
		pg.AlterTableType_AT_DropExpression, pg.AlterTableType_AT_DropIdentity:
		return passDrop
	case pg.AlterTableType_AT_AlterColumnType:
		return passRetype
	case pg.AlterTableType_AT_AddColumn:
		return passColumns
	case pg.AlterTableType_AT_SetNotNull:
		return passNotNull
	case pg.AlterTableType_AT_ColumnDefault:
		if c.Def == nil {
			return passDrop
		}
		return passOther
	case pg.AlterTableType_AT_AddConstraint:
		switch c.Def.GetConstraint().GetContype() {
		case pg.ConstrType_CONSTR_FOREIGN:
			return passOther
		case pg.ConstrType_CONSTR_CHECK:
			return passChecks
		}
		return passIndexes
	case pg.AlterTableType_AT_AddIdentity:
		return passOther
	}
	return passRest
}

func (a *applier) alterCommand(t *catalog.Table, c *pg.AlterTableCmd, recurse bool) {
	switch c.Subtype {
	case pg.AlterTableType_AT_AddColumn:
		a.alterAddColumn(t, c, recurse)
	case pg.AlterTableType_AT_DropColumn:
		a.alterDropColumn(t, c, recurse)
	case pg.AlterTableType_AT_ColumnDefault:
		a.alterDefault(t, c, recurse)
	case pg.AlterTableType_AT_SetNotNull:
		a.alterSetNotNull(t, c, recurse)
	case pg.AlterTableType_AT_DropNotNull:
		a.alterDropNotNull(t, c, recurse)
	case pg.AlterTableType_AT_DropExpression:
		a.alterDropExpression(t, c, recurse)
	case pg.AlterTableType_AT_AlterColumnType:
		a.alterColumnType(t, c, recurse)
	case pg.AlterTableType_AT_AddIdentity, pg.AlterTableType_AT_SetIdentity, pg.AlterTableType_AT_DropIdentity:
		a.alterIdentity(t, c)
	case pg.AlterTableType_AT_AddConstraint:
		a.alterAddConstraint(t, c, recurse)
	case pg.AlterTableType_AT_DropConstraint:
		a.alterDropConstraint(t, c, recurse)
	case pg.AlterTableType_AT_ValidateConstraint:
		a.validateConstraint(t, c.Name)
	case pg.AlterTableType_AT_AlterConstraint:
		d := c.Def.GetConstraint()
		k := constraint(t, d.GetConname())
		if k == nil {
			a.noConstraint(t, d.GetConname())
		}
		if k.Kind != catalog.ConstraintForeign {
			a.fail("42809", noLoc, "constraint %q of relation %q is not a foreign key constraint", k.Name, t.Name)
		}
		k.Deferrable, k.Deferred = d.Deferrable, d.Initdeferred
	case pg.AlterTableType_AT_AttachPartition:
		a.attachPartition(t, c.Def.GetPartitionCmd())
	case pg.AlterTableType_AT_DetachPartition, pg.AlterTableType_AT_DetachPartitionFinalize:
		a.detachPartition(t, c.Def.GetPartitionCmd())
	case pg.AlterTableType_AT_AddInherit:
		a.addInherit(t, c)
	case pg.AlterTableType_AT_DropInherit:
		if t.IsPartition {
			a.fail("42809", noLoc, "cannot change inheritance of a partition")
		}
		p := a.relation(c.Def.GetRangeVar())
		if !slices.Contains(t.Parents, p.OID) {
			a.fail("42P01", noLoc, "relation %q is not a parent of relation %q", p.Name, t.Name)
		}
		a.leaveParent(p, t)
	case pg.AlterTableType_AT_SetRelOptions, pg.AlterTableType_AT_ReplaceRelOptions:
		a.checkOptions(t.Kind, "", c.Def.GetList().GetItems())
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
		if t.Kind == catalog.KindPartitioned && a.cat.Major >= 18 {
			a.failMore("42809", noLoc, notSupportedFor(t.Kind), "",
				"ALTER action SET UNLOGGED cannot be performed on relation %q", t.Name)
		}
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
		a.columnSetting(t, c)
	case pg.AlterTableType_AT_ClusterOn, pg.AlterTableType_AT_ReplicaIdentity:
		name := c.Name
		if c.Subtype == pg.AlterTableType_AT_ReplicaIdentity {
			name = c.Def.GetReplicaIdentityStmt().GetName()
		}
		if x := a.cat.IndexByName(t.Schema, name); name != "" && (x == nil || x.Table != t.OID) {
			a.fail("42704", noLoc, "index %q for table %q does not exist", name, t.Name)
		}
	case pg.AlterTableType_AT_SetAccessMethod:
		a.tableMethod(c.Name, noLoc)
	case pg.AlterTableType_AT_AddOf:
		a.alterOf(t, c.Def.GetTypeName())
	case pg.AlterTableType_AT_DropOf:
		if t.OfType == 0 {
			a.fail("42809", noLoc, "%q is not a typed table", t.Name)
		}
		t.OfType = 0
	case pg.AlterTableType_AT_ChangeOwner, pg.AlterTableType_AT_DropCluster, pg.AlterTableType_AT_SetTableSpace, pg.AlterTableType_AT_DropOids,
		pg.AlterTableType_AT_AlterColumnGenericOptions, pg.AlterTableType_AT_GenericOptions:
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

func (a *applier) ownSequences(b *tableBuild) {
	for i, q := range b.sequences {
		if c := b.t.Column(b.seqColumn[i]); c != nil {
			a.cat.SetOwner(q, b.t.OID, c.Number)
		}
	}
}

func (a *applier) alterIdentity(t *catalog.Table, c *pg.AlterTableCmd) {
	x := a.column(t, c.Name, noLoc)
	if t.IsPartition && a.cat.Major >= 17 {
		what := map[pg.AlterTableType]string{
			pg.AlterTableType_AT_AddIdentity: "add identity to a column", pg.AlterTableType_AT_SetIdentity: "change identity column",
		}[c.Subtype]
		if what == "" {
			what = "drop identity from a column"
		}
		a.fail("42P16", noLoc, "cannot %s of a partition", what)
	}
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
		switch {
		case k.IsNoInherit && t.Kind == catalog.KindPartitioned:
			a.fail("42P16", noLoc, "cannot add NO INHERIT constraint to partitioned table %q", t.Name)
		case !recurse && !k.IsNoInherit && len(t.Children) > 0:
			a.fail("42P16", noLoc, "constraint must be added to child tables too")
		}
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
		a.permitted(c, a.indexKind(x), x.Name)
		switch c.Subtype {
		case pg.AlterTableType_AT_AttachPartition:
			a.attachIndex(x, c.Def.GetPartitionCmd().GetName())
		case pg.AlterTableType_AT_SetStatistics:
			a.indexStatistics(x, c)
		case pg.AlterTableType_AT_SetRelOptions:
			a.checkOptions(kindIndex, a.cat.Method(x.Method).Name, c.Def.GetList().GetItems())
			d := &indexDef{fillFactor: x.FillFactor, pagesPerRange: x.PagesPerRange}
			a.indexOptions(d, c.Def.GetList().GetItems())
			x.FillFactor, x.PagesPerRange = d.fillFactor, d.pagesPerRange
		case pg.AlterTableType_AT_ResetRelOptions:
			x.FillFactor, x.PagesPerRange = 0, 0
		}
	}
}
