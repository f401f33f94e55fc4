package ddl

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

func (a *applier) createSchema(s *pg.CreateSchemaStmt) {
	name := s.Schemaname
	if name == "" {
		name = s.Authrole.GetRolename()
	}
	if a.cat.Schema(name) != nil {
		if s.IfNotExists {
			return
		}
		a.fail("42P06", noLoc, "schema %q already exists", name)
	}
	if strings.HasPrefix(name, "pg_") {
		a.failMore("42939", noLoc, "The prefix \"pg_\" is reserved for system schemas.", "",
			"unacceptable schema name %q", name)
	}
	a.cat.AddSchema(&catalog.Schema{OID: a.cat.NewOID(), Name: name})
	// The statements inside create in the new schema.
	path := a.cat.SearchPath
	a.cat.SearchPath = append([]string{name}, path...)
	for _, n := range s.SchemaElts {
		a.try(func() { a.statement(n) })
	}
	a.cat.SearchPath = path
}

// set follows SET search_path.
func (a *applier) set(s *pg.VariableSetStmt) {
	if strings.EqualFold(s.Name, "check_function_bodies") {
		a.cat.SkipBodies = s.Kind == pg.VariableSetKind_VAR_SET_VALUE && !isTrue(valueText(s.Args[0]))
	}
	switch {
	case s.Kind == pg.VariableSetKind_VAR_RESET_ALL, !strings.EqualFold(s.Name, "search_path"):
		if s.Kind == pg.VariableSetKind_VAR_RESET_ALL {
			a.cat.SearchPath = []string{"public"}
		}
	case s.Kind == pg.VariableSetKind_VAR_SET_VALUE:
		var path []string
		for _, n := range s.Args {
			path = append(path, valueText(n))
		}
		a.setPath(path)
	default:
		a.cat.SearchPath = []string{"public"}
	}
}

// setPath sets the search path. "$user" is the schema of whoever runs the
// queries, which is not known.
func (a *applier) setPath(path []string) {
	a.cat.SearchPath = slices.DeleteFunc(slices.Clone(path), func(s string) bool { return s == "$user" || s == "" })
}

// selectStmt follows SELECT set_config('search_path', …), which pg_dump writes;
// SELECT INTO creates a table; any other SELECT changes nothing.
func (a *applier) selectStmt(s *pg.SelectStmt) {
	// INTO stands in the first arm of a set operation.
	first := s
	for first.Larg != nil {
		first = first.Larg
	}
	if into := first.IntoClause; into != nil {
		plain, _ := proto.Clone(s).(*pg.SelectStmt)
		first = plain
		for first.Larg != nil {
			first = first.Larg
		}
		first.IntoClause = nil
		a.createTableAs(&pg.CreateTableAsStmt{
			Query: &pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: plain}}, Into: into,
			Objtype: pg.ObjectType_OBJECT_TABLE, IsSelectInto: true,
		})
		return
	}
	a.setConfig(s)
	if f := a.ddlCall(&pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: s}}); f != nil {
		a.unsupported(noLoc, "the function %s changes the schema when it is called; that is not followed", a.signature(f))
		a.cat.AddUnfollowed(catalog.Unfollowed{Place: a.decl(noLoc), Text: a.stmt.Text + f.Source})
	}
}

// setConfig follows set_config('search_path', …) and its kin in a target list.
func (a *applier) setConfig(s *pg.SelectStmt) {
	for _, n := range s.TargetList {
		f := n.GetResTarget().GetVal().GetFuncCall()
		if f == nil || len(f.Args) < 2 {
			continue
		}
		if _, name := split(f.Funcname); name != "set_config" {
			continue
		}
		switch valueText(f.Args[0]) {
		case "search_path":
			a.setPath(pathItems(valueText(f.Args[1])))
		case "check_function_bodies":
			a.cat.SkipBodies = !isTrue(valueText(f.Args[1]))
		}
	}
}

// comment keeps the comments of tables, columns and types; those of other
// objects have no use.
func (a *applier) comment(s *pg.CommentStmt) {
	switch s.Objtype {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW,
		pg.ObjectType_OBJECT_FOREIGN_TABLE, pg.ObjectType_OBJECT_SEQUENCE:
		schema, name := split(s.Object.GetList().GetItems())
		t := a.cat.TableByName(schema, name)
		if t == nil {
			a.noRelation(schema, name, noLoc)
		}
		a.ofKind(t, s.Objtype, noLoc)
		t.Comment = s.Comment
	case pg.ObjectType_OBJECT_COLUMN:
		parts := s.Object.GetList().GetItems()
		if len(parts) < 2 {
			a.fail("42601", noLoc, "column name must be qualified")
		}
		schema, name := split(parts[:len(parts)-1])
		t := a.cat.TableByName(schema, name)
		if t == nil {
			a.noRelation(schema, name, noLoc)
		}
		a.column(t, strs(parts)[len(parts)-1], noLoc).Comment = s.Comment
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		t := a.namedType(s.Object.GetTypeName().GetNames(), noLoc)
		if s.Objtype == pg.ObjectType_OBJECT_DOMAIN && t.Kind != 'd' {
			a.fail("42809", noLoc, "%q is not a domain", a.typeWord(t.OID))
		}
		t.Comment = s.Comment
	case pg.ObjectType_OBJECT_INDEX, pg.ObjectType_OBJECT_TABCONSTRAINT, pg.ObjectType_OBJECT_TRIGGER,
		pg.ObjectType_OBJECT_POLICY, pg.ObjectType_OBJECT_DOMCONSTRAINT, pg.ObjectType_OBJECT_SCHEMA,
		pg.ObjectType_OBJECT_COLLATION, pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_PROCEDURE:
		a.commented(s)
	case pg.ObjectType_OBJECT_EXTENSION:
		if name := s.Object.GetString_().GetSval(); name != plpgsql {
			a.extension(name)
		}
	}
}

// commented fails where an object whose comment is not kept is not there.
func (a *applier) commented(s *pg.CommentStmt) {
	parts := s.Object.GetList().GetItems()
	switch s.Objtype {
	case pg.ObjectType_OBJECT_INDEX:
		schema, name := split(parts)
		if a.cat.IndexByName(schema, name) != nil {
			return
		}
		if t := a.cat.TableByName(schema, name); t != nil {
			a.fail("42809", noLoc, "%q is not an index", t.Name)
		}
		a.noRelation(schema, name, noLoc)
	case pg.ObjectType_OBJECT_SCHEMA:
		if name := s.Object.GetString_().GetSval(); a.cat.Schema(name) == nil {
			a.fail("3F000", noLoc, "schema %q does not exist", name)
		}
	case pg.ObjectType_OBJECT_COLLATION:
		a.collation(parts, noLoc)
	case pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_PROCEDURE:
		o := s.Object.GetObjectWithArgs()
		if a.function(o, s.Objtype) == nil {
			a.noFunction(o, s.Objtype)
		}
	case pg.ObjectType_OBJECT_DOMCONSTRAINT:
		if len(parts) != 2 {
			return
		}
		t := a.namedType(parts[0].GetTypeName().GetNames(), noLoc)
		name := parts[1].GetString_().GetSval()
		if !slices.ContainsFunc(t.Checks, func(k *catalog.Constraint) bool { return k.Name == name }) && name != t.Name+"_not_null" {
			a.fail("42704", noLoc, "constraint %q for domain %s does not exist", name, a.typeWord(t.OID))
		}
	default:
		if len(parts) < 2 {
			return
		}
		name := strs(parts)[len(parts)-1]
		schema, table := split(parts[:len(parts)-1])
		t := a.cat.TableByName(schema, table)
		if t == nil {
			a.noRelation(schema, table, noLoc)
		}
		there, word := false, ""
		switch s.Objtype {
		case pg.ObjectType_OBJECT_TABCONSTRAINT:
			there, word = constraint(t, name) != nil, "constraint"
		case pg.ObjectType_OBJECT_TRIGGER:
			there, word = slices.ContainsFunc(t.Triggers, func(g *catalog.Trigger) bool { return g.Name == name }), "trigger"
		default:
			there, word = slices.ContainsFunc(t.Policies, func(p *catalog.Policy) bool { return p.Name == name }), "policy"
		}
		if !there {
			a.fail("42704", noLoc, "%s %q for table %q does not exist", word, name, t.Name)
		}
	}
}

// createStatistics checks CREATE STATISTICS (CreateStatistics, statscmds.c). The
// object itself is the statistics file's to know.
func (a *applier) createStatistics(s *pg.CreateStatsStmt) {
	for _, n := range s.Relations {
		t := a.relation(n.GetRangeVar())
		switch t.Kind {
		case catalog.KindTable, catalog.KindPartitioned, catalog.KindMatView, catalog.KindForeign:
		default:
			a.failMore("42809", noLoc, notSupportedFor(t.Kind), "", "cannot define statistics for relation %q", t.Name)
		}
		a.statisticsColumns(t, s.Exprs)
	}
	for _, n := range s.StatTypes {
		switch kind := n.GetString_().GetSval(); kind {
		case "ndistinct", "dependencies", "mcv":
		default:
			a.fail("42601", noLoc, "unrecognized statistics kind %q", kind)
		}
	}
}

func (a *applier) statisticsColumns(t *catalog.Table, list []*pg.Node) {
	seen := map[string]bool{}
	for _, n := range list {
		e := n.GetStatsElem()
		if e.Name == "" {
			a.expr(t, e.Expr, analyze.KindStatsExpression, 0, pgtype.NoTypmod)
			continue
		}
		if t.Column(e.Name) == nil {
			a.failMore("42703", noLoc, "", a.columnHint(t, e.Name), "column %q does not exist", e.Name)
		}
	}
	if len(list) == 1 && list[0].GetStatsElem().GetName() != "" {
		a.fail("42P17", noLoc, "extended statistics require at least 2 columns")
	}
	for _, n := range list {
		name := n.GetStatsElem().GetName()
		if name != "" && seen[name] {
			a.fail("42701", noLoc, "duplicate column name in statistics definition")
		}
		seen[name] = true
	}
}

// ofKind fails where a relation is not what the statement calls it.
func (a *applier) ofKind(t *catalog.Table, o pg.ObjectType, loc int) {
	ok := true
	switch o {
	case pg.ObjectType_OBJECT_TABLE:
		ok = t.Kind == catalog.KindTable || t.Kind == catalog.KindPartitioned
	case pg.ObjectType_OBJECT_VIEW:
		ok = t.Kind == catalog.KindView
	case pg.ObjectType_OBJECT_MATVIEW:
		ok = t.Kind == catalog.KindMatView
	case pg.ObjectType_OBJECT_SEQUENCE:
		ok = t.Kind == catalog.KindSequence
	case pg.ObjectType_OBJECT_FOREIGN_TABLE:
		ok = t.Kind == catalog.KindForeign
	}
	if !ok {
		a.fail("42809", loc, "%q is not %s", t.Name, kindWord(o))
	}
}

// kindWord is a kind of relation with its article.
func kindWord(o pg.ObjectType) string {
	switch o {
	case pg.ObjectType_OBJECT_VIEW:
		return "a view"
	case pg.ObjectType_OBJECT_MATVIEW:
		return "a materialized view"
	case pg.ObjectType_OBJECT_SEQUENCE:
		return "a sequence"
	case pg.ObjectType_OBJECT_FOREIGN_TABLE:
		return "a foreign table"
	case pg.ObjectType_OBJECT_INDEX:
		return "an index"
	}
	return "a table"
}
