package ddl

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// dropObject marks one object of a DROP and returns what it is called; "" for
// one that is not there and need not be.
func (a *applier) dropObject(d *dropping, s *pg.DropStmt, n *pg.Node) string {
	switch s.RemoveType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW,
		pg.ObjectType_OBJECT_SEQUENCE, pg.ObjectType_OBJECT_FOREIGN_TABLE:
		return a.dropTable(d, s, n.GetList().GetItems())
	case pg.ObjectType_OBJECT_INDEX:
		return a.dropIndex(d, s, n.GetList().GetItems())
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		return a.dropType(d, s, n.GetTypeName().GetNames())
	case pg.ObjectType_OBJECT_SCHEMA:
		return a.dropSchema(d, s, n.GetString_().GetSval())
	case pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_PROCEDURE, pg.ObjectType_OBJECT_ROUTINE,
		pg.ObjectType_OBJECT_AGGREGATE:
		o := n.GetObjectWithArgs()
		f := a.function(o, s.RemoveType)
		if f == nil {
			if s.MissingOk {
				return ""
			}
			a.noFunction(o, s.RemoveType)
		}
		if f.Kind == 'a' && s.RemoveType == pg.ObjectType_OBJECT_FUNCTION {
			a.failMore("42809", noLoc, "", "Use DROP AGGREGATE to drop aggregate functions.", "%q is an aggregate function", f.Name)
		}
		a.notPinned(f.OID, a.describeFunc(f))
		a.owned(f, a.describeFunc(f))
		d.function(f)
		return a.describeFunc(f)
	case pg.ObjectType_OBJECT_OPERATOR:
		o := a.namedOperator(n.GetObjectWithArgs(), s.MissingOk)
		if o == nil {
			return ""
		}
		a.notPinned(o.OID, a.describeOperator(o))
		d.operator(o)
		return a.describeOperator(o)
	case pg.ObjectType_OBJECT_CAST:
		return a.dropCast(d, s, n.GetList().GetItems())
	case pg.ObjectType_OBJECT_OPCLASS, pg.ObjectType_OBJECT_OPFAMILY:
		return a.dropOpClass(d, s, strs(n.GetList().GetItems()))
	case pg.ObjectType_OBJECT_TSCONFIGURATION, pg.ObjectType_OBJECT_TSDICTIONARY:
		return a.dropTextSearch(d, s, n.GetList().GetItems())
	case pg.ObjectType_OBJECT_COLLATION:
		return a.dropCollation(d, s, n.GetList().GetItems())
	case pg.ObjectType_OBJECT_RULE:
		a.dropOnTable(d, s, n, "rule", func(t *catalog.Table, name string) bool {
			had := len(t.Rules)
			t.Rules = slices.DeleteFunc(t.Rules, func(r *catalog.Rule) bool { return r.Name == name })
			insteadRules(t)
			return len(t.Rules) < had
		})
	case pg.ObjectType_OBJECT_TRIGGER:
		a.dropOnTable(d, s, n, "trigger", func(t *catalog.Table, name string) bool {
			had := len(t.Triggers)
			for _, f := range a.family(t) {
				f.Triggers = slices.DeleteFunc(f.Triggers, func(g *catalog.Trigger) bool { return g.Name == name })
			}
			return len(t.Triggers) < had
		})
	case pg.ObjectType_OBJECT_POLICY:
		a.dropOnTable(d, s, n, "policy", func(t *catalog.Table, name string) bool {
			had := len(t.Policies)
			t.Policies = slices.DeleteFunc(t.Policies, func(p *catalog.Policy) bool { return p.Name == name })
			return len(t.Policies) < had
		})
	case pg.ObjectType_OBJECT_FOREIGN_SERVER:
		name := n.GetString_().GetSval()
		for _, t := range a.cat.Tables() {
			if t.Kind == catalog.KindForeign && t.Server == name {
				d.depends(t, a.describe(t), "server "+name, func() { d.relation(t) })
			}
		}
		return "server " + name
	case pg.ObjectType_OBJECT_EXTENSION:
		return a.dropExtension(d, s, n.GetString_().GetSval())
	case pg.ObjectType_OBJECT_STATISTIC_EXT, pg.ObjectType_OBJECT_EVENT_TRIGGER,
		pg.ObjectType_OBJECT_PUBLICATION, pg.ObjectType_OBJECT_LANGUAGE, pg.ObjectType_OBJECT_FDW,
		pg.ObjectType_OBJECT_TSPARSER, pg.ObjectType_OBJECT_TSTEMPLATE,
		pg.ObjectType_OBJECT_CONVERSION, pg.ObjectType_OBJECT_ACCESS_METHOD, pg.ObjectType_OBJECT_TRANSFORM:
		// They were not created here in the first place.
	default:
		a.unsupported(noLoc, "DROP %s", objectWord(s.RemoveType))
	}
	return ""
}

func (a *applier) dropOnTable(_ *dropping, s *pg.DropStmt, n *pg.Node, what string, remove func(*catalog.Table, string) bool) {
	parts := n.GetList().GetItems()
	name := strs(parts)[len(parts)-1]
	schema, table := split(parts[:len(parts)-1])
	t := a.cat.TableByName(schema, table)
	if t == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(schema, table, noLoc)
	}
	if !remove(t, name) && !s.MissingOk {
		preposition := "for table"
		if what == "rule" {
			preposition = "for relation"
		}
		if what == "policy" {
			a.fail("42704", noLoc, "policy %q for table %q does not exist", name, t.Name)
		}
		a.fail("42704", noLoc, "%s %q %s %q does not exist", what, name, preposition, t.Name)
	}
}

// missing fails for an object that is not there, unless that is allowed.
func (a *applier) missing(s *pg.DropStmt, word, schema, name string, candidates []string) {
	if s.MissingOk {
		return
	}
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", schema)
	}
	state := "42P01"
	if word == "index" || word == "type" {
		state = "42704"
	}
	a.failMore(state, noLoc, "", suggest(name, candidates), "%s %q does not exist", word, shown(schema, name))
}

func (a *applier) dropTable(d *dropping, s *pg.DropStmt, parts []*pg.Node) string {
	schema, name := split(parts)
	word := map[pg.ObjectType]string{
		pg.ObjectType_OBJECT_TABLE: "table", pg.ObjectType_OBJECT_VIEW: "view",
		pg.ObjectType_OBJECT_MATVIEW: "materialized view", pg.ObjectType_OBJECT_SEQUENCE: "sequence",
		pg.ObjectType_OBJECT_FOREIGN_TABLE: "foreign table",
	}[s.RemoveType]
	t := a.cat.TableByName(schema, name)
	if t == nil {
		if x := a.cat.IndexByName(schema, name); x != nil {
			a.fail("42809", noLoc, "%q is not %s", name, kindWord(s.RemoveType))
		}
		a.missing(s, word, schema, name, a.relationNames(schema))
		return ""
	}
	a.ofKind(t, s.RemoveType, noLoc)
	a.notSystem(t, noLoc)
	if t.Kind == catalog.KindSequence && t.OwnerTable != 0 {
		if owner := a.cat.Table(t.OwnerTable); owner != nil {
			c := owner.Attr(t.OwnerColumn)
			if c != nil && c.Identity != 0 {
				a.failMore("2BP01", noLoc, "", "You can drop column "+c.Name+" of "+a.describe(owner)+" instead.",
					"cannot drop %s because column %s of %s requires it", a.describe(t), c.Name, a.describe(owner))
			}
		}
	}
	d.relation(t)
	return a.describe(t)
}

func (a *applier) dropIndex(d *dropping, s *pg.DropStmt, parts []*pg.Node) string {
	schema, name := split(parts)
	x := a.cat.IndexByName(schema, name)
	if x == nil {
		if t := a.cat.TableByName(schema, name); t != nil {
			a.fail("42809", noLoc, "%q is not an index", name)
		}
		a.missing(s, "index", schema, name, nil)
		return ""
	}
	if p := a.cat.Index(x.Parent); p != nil && d.marked(p) {
		return "index " + x.Name
	} else if p != nil {
		a.failMore("2BP01", noLoc, "", "You can drop index "+p.Name+" instead.",
			"cannot drop index %s because index %s requires it", x.Name, p.Name)
	}
	if k := a.indexConstraint(x); k != nil {
		t := a.cat.Table(x.Table)
		a.failMore("2BP01", noLoc, "", "You can drop constraint "+k.Name+" on "+a.describe(t)+" instead.",
			"cannot drop index %s because constraint %s on %s requires it", x.Name, k.Name, a.describe(t))
	}
	d.index(x)
	return "index " + x.Name
}

func (a *applier) dropType(d *dropping, s *pg.DropStmt, parts []*pg.Node) string {
	schema, name := split(parts)
	t := a.cat.TypeByName(schema, name)
	if t != nil && t.OID < pgtype.FirstNormalOID {
		a.fail("2BP01", noLoc, "cannot drop type %s because it is required by the database system", a.typeWord(t.OID))
	}
	if t == nil {
		a.missing(s, "type", schema, name, nil)
		return ""
	}
	if s.RemoveType == pg.ObjectType_OBJECT_DOMAIN && t.Kind != 'd' {
		a.fail("42809", noLoc, "%q is not a domain", name)
	}
	if rel := a.cat.Table(t.Relation); rel != nil {
		if rel.Kind != catalog.KindComposite {
			a.failMore("2BP01", noLoc, "", "You can drop "+a.describe(rel)+" instead.",
				"cannot drop type %s because %s requires it", a.typeWord(t.OID), a.describe(rel))
		}
		d.relation(rel)
		return "type " + a.typeWord(t.OID)
	}
	if e := a.cat.Type(t.Element); e != nil && e.Array == t.OID {
		a.failMore("2BP01", noLoc, "", "You can drop type "+a.typeWord(e.OID)+" instead.",
			"cannot drop type %s because type %s requires it", a.typeWord(t.OID), a.typeWord(e.OID))
	}
	a.owned(t, "type "+a.typeWord(t.OID))
	if r := a.cat.Type(t.RangeOf); r != nil && t.Kind == 'm' {
		a.failMore("2BP01", noLoc, "", "You can drop type "+a.typeWord(r.OID)+" instead.",
			"cannot drop type %s because type %s requires it", a.typeWord(t.OID), a.typeWord(r.OID))
	}
	d.typ(t)
	return "type " + a.typeWord(t.OID)
}

// dropSchema drops a schema with what is in it.
func (a *applier) dropSchema(d *dropping, s *pg.DropStmt, name string) string {
	if a.cat.Schema(name) == nil {
		if !s.MissingOk {
			a.fail("3F000", noLoc, "schema %q does not exist", name)
		}
		return ""
	}
	if strings.HasPrefix(name, "pg_") {
		a.fail("2BP01", noLoc, "cannot drop schema %s because it is required by the database system", name)
	}
	a.owned(a.cat.Schema(name), "schema "+name)
	d.schemaContents(name)
	on := "schema " + name
	d.mark(on, func() { a.cat.DropSchema(name) })
	return on
}

// schemaContents marks what is in a schema; extensions go as a whole.
func (d *dropping) schemaContents(name string) {
	a := d.a
	on := "schema " + name
	for _, e := range a.cat.Extensions() {
		if e.Schema == name {
			d.depends(e, "extension "+e.Name, on, func() { d.extension(e) })
		}
	}
	for _, t := range a.cat.Tables() {
		if t.Schema == name {
			d.depends(t, a.describe(t), on, func() { d.relation(t) })
		}
	}
	for _, t := range a.cat.Types() {
		own := t.Relation == 0 && (t.Element == 0 || !t.IsArray()) && t.Kind != 'm'
		if t.Schema == name && own {
			d.depends(t, "type "+a.typeWord(t.OID), on, func() { d.typ(t) })
		}
	}
	for _, f := range a.cat.Funcs() {
		if f.Schema == name {
			d.depends(f, "function "+a.signature(f), on, func() { d.function(f) })
		}
	}
}
