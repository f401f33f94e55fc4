package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// rename is ALTER … RENAME.
func (a *applier) rename(s *pg.RenameStmt) {
	switch s.RenameType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW,
		pg.ObjectType_OBJECT_SEQUENCE, pg.ObjectType_OBJECT_FOREIGN_TABLE, pg.ObjectType_OBJECT_INDEX:
		a.renameRelation(s)
	case pg.ObjectType_OBJECT_COLUMN, pg.ObjectType_OBJECT_ATTRIBUTE:
		a.renameColumn(s)
	case pg.ObjectType_OBJECT_TABCONSTRAINT:
		a.renameConstraint(s)
	case pg.ObjectType_OBJECT_DOMCONSTRAINT:
		t := a.namedType(s.Object.GetList().GetItems(), noLoc)
		for _, k := range t.Checks {
			if k.Name == s.Subname {
				if slices.ContainsFunc(t.Checks, func(o *catalog.Constraint) bool { return o.Name == s.Newname }) {
					a.fail("42710", noLoc, "constraint %q for domain %s already exists", s.Newname, a.typeWord(t.OID))
				}
				a.cat.RenameConstraint(k, s.Newname)
				return
			}
		}
		a.fail("42704", noLoc, "constraint %q for domain %s does not exist", s.Subname, a.typeWord(t.OID))
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		t := a.namedType(s.Object.GetList().GetItems(), noLoc)
		if s.RenameType == pg.ObjectType_OBJECT_DOMAIN && t.Kind != 'd' {
			a.fail("42809", noLoc, "%s is not a domain", a.typeWord(t.OID))
		}
		a.newType(t.Schema, s.Newname, noLoc)
		if rel := a.cat.Table(t.Relation); rel != nil {
			if rel.Kind != catalog.KindComposite {
				a.failMore("42809", noLoc, "", "Use ALTER TABLE instead.", "%s is a table's row type", a.typeWord(t.OID))
			}
			a.moveRelation(rel, rel.Schema, s.Newname)
			return
		}
		a.moveType(t, t.Schema, s.Newname)
	case pg.ObjectType_OBJECT_SCHEMA:
		a.renameSchema(s)
	case pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_PROCEDURE, pg.ObjectType_OBJECT_ROUTINE,
		pg.ObjectType_OBJECT_AGGREGATE:
		o := s.Object.GetObjectWithArgs()
		f := a.routine(o, s.RenameType)
		a.moveFunction(f, f.Schema, s.Newname)
	case pg.ObjectType_OBJECT_TRIGGER:
		t := a.relation(s.Relation)
		i := slices.IndexFunc(t.Triggers, func(g *catalog.Trigger) bool { return g.Name == s.Subname })
		if i < 0 {
			a.fail("42704", noLoc, "trigger %q for table %q does not exist", s.Subname, t.Name)
		}
		if slices.ContainsFunc(t.Triggers, func(g *catalog.Trigger) bool { return g.Name == s.Newname }) {
			a.fail("42710", noLoc, "trigger %q for relation %q already exists", s.Newname, t.Name)
		}
		t.Triggers[i].Name = s.Newname
	case pg.ObjectType_OBJECT_RULE:
		t := a.relation(s.Relation)
		i := slices.IndexFunc(t.Rules, func(r *catalog.Rule) bool { return r.Name == s.Subname })
		if i < 0 {
			a.fail("42704", noLoc, "rule %q for relation %q does not exist", s.Subname, t.Name)
		}
		t.Rules[i].Name = s.Newname
	case pg.ObjectType_OBJECT_COLLATION, pg.ObjectType_OBJECT_OPCLASS, pg.ObjectType_OBJECT_OPFAMILY:
		a.moveNamed(s.RenameType, s.Object.GetList().GetItems(), "", s.Newname)
	case pg.ObjectType_OBJECT_POLICY:
		t := a.relation(s.Relation)
		i := slices.IndexFunc(t.Policies, func(p *catalog.Policy) bool { return p.Name == s.Subname })
		if i < 0 {
			if s.MissingOk {
				return
			}
			a.fail("42704", noLoc, "policy %q for table %q does not exist", s.Subname, t.Name)
		}
		if slices.ContainsFunc(t.Policies, func(p *catalog.Policy) bool { return p.Name == s.Newname }) {
			a.fail("42710", noLoc, "policy %q for table %q already exists", s.Newname, t.Name)
		}
		t.Policies[i].Name = s.Newname
	case pg.ObjectType_OBJECT_ROLE, pg.ObjectType_OBJECT_DATABASE, pg.ObjectType_OBJECT_TABLESPACE,
		pg.ObjectType_OBJECT_PUBLICATION, pg.ObjectType_OBJECT_SUBSCRIPTION, pg.ObjectType_OBJECT_EVENT_TRIGGER,
		pg.ObjectType_OBJECT_FDW, pg.ObjectType_OBJECT_FOREIGN_SERVER, pg.ObjectType_OBJECT_LANGUAGE,
		pg.ObjectType_OBJECT_STATISTIC_EXT, pg.ObjectType_OBJECT_TSPARSER, pg.ObjectType_OBJECT_TSTEMPLATE,
		pg.ObjectType_OBJECT_CONVERSION:
	case pg.ObjectType_OBJECT_TSCONFIGURATION, pg.ObjectType_OBJECT_TSDICTIONARY:
		a.moveTextSearch(s.RenameType, s.Object.GetList().GetItems(), "", s.Newname)
	default:
		a.unsupported(noLoc, "ALTER %s … RENAME", objectWord(s.RenameType))
	}
}

// renameRelation renames a relation or an index; ALTER TABLE may name either.
func (a *applier) renameRelation(s *pg.RenameStmt) {
	r := s.Relation
	t := a.cat.TableByName(r.Schemaname, r.Relname)
	if t != nil {
		// ALTER TABLE and ALTER INDEX are used for any relation (RenameRelation,
		// tablecmds.c).
		if s.RenameType != pg.ObjectType_OBJECT_TABLE && s.RenameType != pg.ObjectType_OBJECT_INDEX {
			a.ofKind(t, s.RenameType, int(r.Location))
		}
		a.notSystem(t, noLoc)
		a.newRelation(t.Schema, s.Newname, noLoc)
		if t.Kind != catalog.KindSequence {
			a.newType(t.Schema, s.Newname, noLoc)
		}
		a.moveRelation(t, t.Schema, s.Newname)
		return
	}
	x := a.cat.IndexByName(r.Schemaname, r.Relname)
	if x == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(r.Schemaname, r.Relname, int(r.Location))
	}
	a.newRelation(x.Schema, s.Newname, noLoc)
	if k := a.indexConstraint(x); k != nil {
		if t := a.cat.Table(x.Table); constraint(t, s.Newname) != nil {
			a.fail("42710", noLoc, "constraint %q for relation %q already exists", s.Newname, t.Name)
		}
		a.cat.RenameConstraint(k, s.Newname)
	}
	a.cat.RenameIndex(x, x.Schema, s.Newname)
}

// moveRelation gives a relation and its types another schema and name.
func (a *applier) moveRelation(t *catalog.Table, schema, name string) {
	a.cat.RenameTable(t, schema, name)
	a.moveArray(a.cat.Type(t.RowType), schema, name)
}

// moveType gives a type, and the type of its arrays, another schema and name
// (RenameTypeInternal, pg_type.c).
func (a *applier) moveType(t *catalog.Type, schema, name string) {
	a.cat.RenameType(t, schema, name)
	a.moveArray(t, schema, name)
}

func (a *applier) moveArray(t *catalog.Type, schema, name string) {
	if t == nil {
		return
	}
	if at := a.cat.Type(t.Array); at != nil {
		a.cat.RenameType(at, schema, "")
		a.cat.RenameType(at, schema, a.arrayTypeName(schema, name))
	}
}

func (a *applier) moveFunction(f *catalog.Func, schema, name string) {
	for _, o := range a.cat.FuncsByName(schema, name) {
		if slices.Equal(o.Args, f.Args) && (o != f || f.Name != name) {
			a.fail("42723", noLoc, "function %s already exists in schema %q", a.funcSignature("", name, f.Args), schema)
		}
	}
	a.cat.DropFunc(f)
	f.Schema, f.Name = schema, name
	a.cat.AddFunc(f)
}

func (a *applier) renameColumn(s *pg.RenameStmt) {
	t := a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname)
	if t == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(s.Relation.Schemaname, s.Relation.Relname, int(s.Relation.Location))
	}
	a.notSystem(t, noLoc)
	tables := []*catalog.Table{t}
	switch {
	case t.OfType != 0:
		a.fail("42809", noLoc, "cannot rename column of typed table")
	case t.Kind == catalog.KindSequence:
		a.failMore("42809", noLoc, notSupportedFor(t.Kind), "", "cannot rename columns of relation %q", t.Name)
	case t.Kind == catalog.KindComposite:
		tables = append(tables, a.typedTables(t, s.Behavior)...)
	}
	x := t.Column(s.Subname)
	if x == nil {
		a.failMore("42703", noLoc, "", a.columnHint(t, s.Subname), "column %q does not exist", s.Subname)
	}
	if x.InhCount > 0 {
		a.fail("42P16", noLoc, "cannot rename inherited column %q", s.Subname)
	}
	if !s.Relation.Inh && len(t.Children) > 0 {
		a.fail("42P16", noLoc, "inherited column %q must be renamed in child tables too", s.Subname)
	}
	for _, c := range catalog.SystemColumns() {
		if c.Name == s.Newname && t.Kind != catalog.KindView && t.Kind != catalog.KindComposite {
			a.fail("42701", noLoc, "column name %q conflicts with a system column name", s.Newname)
		}
	}
	tables = append(tables, a.family(t)[1:]...)
	for _, f := range tables {
		if f.Column(s.Newname) != nil {
			a.fail("42701", noLoc, "column %q of relation %q already exists", s.Newname, f.Name)
		}
	}
	for _, f := range tables {
		y := f.Column(s.Subname)
		if y == nil {
			continue
		}
		y.Name = s.Newname
		for _, i := range f.Indexes {
			i.Keys = slices.Clone(i.Keys)
			for j := range i.Keys {
				if i.Keys[j].Column == y.Number {
					i.Keys[j].Name = s.Newname
				}
			}
		}
	}
}

func (a *applier) renameConstraint(s *pg.RenameStmt) {
	t := a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname)
	if t == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(s.Relation.Schemaname, s.Relation.Relname, int(s.Relation.Location))
	}
	k := constraint(t, s.Subname)
	if k == nil {
		a.fail("42704", noLoc, "constraint %q for table %q does not exist", s.Subname, t.Name)
	}
	if constraint(t, s.Newname) != nil {
		a.fail("42710", noLoc, "constraint %q for relation %q already exists", s.Newname, t.Name)
	}
	if k.Kind == catalog.ConstraintCheck {
		for _, f := range a.family(t)[1:] {
			if o := constraint(f, k.Name); o != nil && !k.NoInherit {
				a.cat.RenameConstraint(o, s.Newname)
			}
		}
	}
	if x := a.cat.Index(k.Index); x != nil && k.Kind != catalog.ConstraintForeign {
		a.newRelation(x.Schema, s.Newname, noLoc)
		a.cat.RenameIndex(x, x.Schema, s.Newname)
	}
	a.cat.RenameConstraint(k, s.Newname)
}

func (a *applier) renameSchema(s *pg.RenameStmt) {
	old := a.cat.Schema(s.Subname)
	if old == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", s.Subname)
	}
	if strings.HasPrefix(s.Newname, "pg_") {
		a.failMore("42939", noLoc, "The prefix \"pg_\" is reserved for system schemas.", "",
			"unacceptable schema name %q", s.Newname)
	}
	if a.cat.Schema(s.Newname) != nil {
		a.fail("42P06", noLoc, "schema %q already exists", s.Newname)
	}
	a.cat.AddSchema(&catalog.Schema{OID: old.OID, Name: s.Newname})
	for _, t := range a.cat.Tables() {
		if t.Schema == s.Subname {
			a.intoSchema(t, s.Newname)
		}
	}
	for _, t := range a.cat.Types() {
		if t.Schema == s.Subname {
			a.cat.RenameType(t, s.Newname, t.Name)
		}
	}
	for _, f := range a.cat.Funcs() {
		if f.Schema == s.Subname {
			f.Schema = s.Newname
		}
	}
	a.cat.RenameExtensionSchema(s.Subname, s.Newname)
	a.cat.DropSchema(s.Subname)
}

// intoSchema moves a relation with its types, indexes and own sequences.
func (a *applier) intoSchema(t *catalog.Table, schema string) {
	a.moveRelation(t, schema, t.Name)
	for _, x := range t.Indexes {
		a.cat.RenameIndex(x, schema, x.Name)
	}
	for _, q := range a.cat.OwnedSequences(t.OID) {
		if q.Schema != schema {
			a.cat.RenameTable(q, schema, q.Name)
		}
	}
}

// setSchema is ALTER … SET SCHEMA.
func (a *applier) setSchema(s *pg.AlterObjectSchemaStmt) {
	if s.ObjectType == pg.ObjectType_OBJECT_EXTENSION {
		a.moveExtension(s.Object.GetString_().GetSval(), s.Newschema)
		return
	}
	// A relation is looked for before the schema is.
	if s.Relation != nil && a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname) == nil {
		if !s.MissingOk {
			a.noRelation(s.Relation.Schemaname, s.Relation.Relname, int(s.Relation.Location))
		}
		return
	}
	if a.cat.Schema(s.Newschema) == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", s.Newschema)
	}
	switch s.ObjectType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW,
		pg.ObjectType_OBJECT_SEQUENCE, pg.ObjectType_OBJECT_FOREIGN_TABLE:
		t := a.cat.TableByName(s.Relation.Schemaname, s.Relation.Relname)
		a.notSystem(t, noLoc)
		if owner := a.cat.Table(t.OwnerTable); owner != nil && t.Kind == catalog.KindSequence {
			a.failMore("0A000", noLoc, fmt.Sprintf("Sequence %q is linked to table %q.", t.Name, owner.Name), "",
				"cannot move an owned sequence into another schema")
		}
		if t.Schema == s.Newschema {
			return
		}
		if a.relationTaken(s.Newschema, t.Name) {
			a.fail("42P07", noLoc, "relation %q already exists in schema %q", t.Name, s.Newschema)
		}
		a.intoSchema(t, s.Newschema)
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		t := a.namedType(s.Object.GetList().GetItems(), noLoc)
		if t.Schema == s.Newschema {
			return
		}
		if a.cat.TypeByName(s.Newschema, t.Name) != nil {
			a.fail("42710", noLoc, "type %q already exists in schema %q", t.Name, s.Newschema)
		}
		if rel := a.cat.Table(t.Relation); rel != nil {
			if rel.Kind != catalog.KindComposite {
				a.failMore("42809", noLoc, "", "Use ALTER TABLE instead.", "%s is a table's row type", a.typeWord(t.OID))
			}
			a.intoSchema(rel, s.Newschema)
			return
		}
		a.moveType(t, s.Newschema, t.Name)
	case pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_PROCEDURE, pg.ObjectType_OBJECT_ROUTINE,
		pg.ObjectType_OBJECT_AGGREGATE:
		o := s.Object.GetObjectWithArgs()
		f := a.routine(o, s.ObjectType)
		a.moveFunction(f, s.Newschema, f.Name)
	case pg.ObjectType_OBJECT_COLLATION, pg.ObjectType_OBJECT_OPCLASS, pg.ObjectType_OBJECT_OPFAMILY:
		a.moveNamed(s.ObjectType, s.Object.GetList().GetItems(), s.Newschema, "")
	case pg.ObjectType_OBJECT_OPERATOR:
		o := a.namedOperator(s.Object.GetObjectWithArgs(), false)
		if x := a.operator(s.Newschema, o.Name, o.Left, o.Right); x != nil && x != o {
			a.fail("42723", noLoc, "operator %s already exists in schema %q", o.Name, s.Newschema)
		}
		o.Schema = s.Newschema
	case pg.ObjectType_OBJECT_TSCONFIGURATION, pg.ObjectType_OBJECT_TSDICTIONARY:
		a.moveTextSearch(s.ObjectType, s.Object.GetList().GetItems(), s.Newschema, "")
	case pg.ObjectType_OBJECT_CONVERSION, pg.ObjectType_OBJECT_TSPARSER, pg.ObjectType_OBJECT_TSTEMPLATE, pg.ObjectType_OBJECT_STATISTIC_EXT:
	default:
		a.unsupported(noLoc, "ALTER %s … SET SCHEMA", objectWord(s.ObjectType))
	}
}
