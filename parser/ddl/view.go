package ddl

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// outputColumns are the columns of a relation that a query defines
// (DefineVirtualRelation, view.c; create_ctas_nodata, createas.c).
func (a *applier) outputColumns(q *query.Query, given []string, decl catalog.Place, what string) *catalog.Table {
	t := &catalog.Table{ParallelWorkers: -1, Decl: decl}
	i := 0
	for _, e := range q.TargetList {
		if e.Junk {
			continue
		}
		c := &catalog.Column{
			Name: e.Name, Type: e.Expr.ResultType(), Typmod: e.Expr.ResultTypmod(), Collation: e.Expr.ResultCollation(),
			Decl: decl,
		}
		if i < len(given) {
			c.Name = given[i]
		}
		i++
		// A view is checked as a table without storage: its columns may not
		// repeat a name.
		if t.Column(c.Name) != nil {
			a.fail("42701", noLoc, "column %q specified more than once", c.Name)
		}
		a.usable(c.Name, c.Type, noLoc)
		c.Number = len(t.Columns) + 1
		t.Columns = append(t.Columns, c)
	}
	if len(given) > i {
		if what == "VIEW" {
			a.fail("42601", noLoc, "CREATE VIEW specifies more column names than columns")
		}
		a.fail("42601", noLoc, "too many column names were specified")
	}
	return t
}

// defining analyses the query of a view or of CREATE TABLE AS. Where only dbgen
// is at a loss it returns nil and why.
func (a *applier) defining(n *pg.Node) (*query.Query, string) {
	got, err := analyze.Tree(a.cat, a.stmt.Text, n, nil)
	if why := a.orWarn(err); why != "" {
		return nil, why
	}
	return got.Query, ""
}

func (a *applier) createView(s *pg.ViewStmt) {
	loc := int(s.View.Location)
	if s.View.Relpersistence == "u" {
		a.fail("42601", noLoc, "views cannot be unlogged because they do not have storage")
	}
	if into := s.Query.GetSelectStmt().GetIntoClause(); into != nil {
		a.fail("0A000", noLoc, "views must not contain SELECT INTO")
	}
	q, why := a.defining(s.Query)
	if q != nil {
		for _, c := range q.CTEs {
			if c.Query != nil && c.Query.Command != query.CmdSelect {
				a.fail("0A000", noLoc, "views must not contain data-modifying statements in WITH")
			}
		}
	}
	schema := a.viewSchema(s, q, loc)
	old := a.cat.TableByName(schema, s.View.Relname)
	if old != nil && s.Replace && old.Kind != catalog.KindView {
		a.fail("42809", loc, "%q is not a view", old.Name)
	}
	if old == nil || !s.Replace {
		a.newRelation(schema, s.View.Relname, loc)
		a.newType(schema, s.View.Relname, loc)
	}
	t := &catalog.Table{ParallelWorkers: -1, Decl: a.decl(loc)}
	if q != nil {
		t = a.outputColumns(q, strs(s.Aliases), a.decl(loc), "VIEW")
	}
	t.Schema, t.Name, t.Kind = schema, s.View.Relname, catalog.KindView
	t.View, t.ViewError, t.Temp = q, why, schema == tempSchema
	a.checkOptions(t.Kind, "", s.Options)
	a.storage(t, s.Options)
	switch s.WithCheckOption {
	case pg.ViewCheckOption_LOCAL_CHECK_OPTION:
		t.CheckOption = 'l'
	case pg.ViewCheckOption_CASCADED_CHECK_OPTION:
		t.CheckOption = 'c'
	}
	if old == nil {
		a.addRelation(t)
		return
	}
	a.replaceView(old, t)
}

// viewSchema is where a view is created: one that reads a temporary relation is
// temporary too (DefineView, view.c).
func (a *applier) viewSchema(s *pg.ViewStmt, q *query.Query, loc int) string {
	if q != nil && s.View.Relpersistence != "t" && s.View.Schemaname == "" {
		for oid := range a.reads(q).relations {
			if t := a.cat.Table(oid); t != nil && t.Temp {
				return a.relationSchema(&pg.RangeVar{Relpersistence: "t"}, loc)
			}
		}
	}
	return a.relationSchema(s.View, loc)
}

func (a *applier) collationWord(oid pgtype.OID) string {
	if c := a.cat.Collation(oid); c != nil {
		return c.Name
	}
	return ""
}

// replaceView is CREATE OR REPLACE VIEW: columns may be added, those that are
// there stay (checkViewColumns, view.c).
func (a *applier) replaceView(old, t *catalog.Table) {
	if t.View != nil && old.View != nil {
		if len(t.Columns) < len(old.Columns) {
			a.fail("42P16", noLoc, "cannot drop columns from view")
		}
		for i, o := range old.Columns {
			c := t.Columns[i]
			switch {
			case o.Name != c.Name:
				a.failMore("42P16", noLoc, "", "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
					"cannot change name of view column %q to %q", o.Name, c.Name)
			case o.Type != c.Type || o.Typmod != c.Typmod:
				a.fail("42P16", noLoc, "cannot change data type of view column %q from %s to %s",
					o.Name, a.typeModWord(o), a.typeModWord(c))
			case o.Collation != c.Collation:
				a.fail("42P16", noLoc, "cannot change collation of view column %q from %q to %q", o.Name,
					a.collationWord(o.Collation), a.collationWord(c.Collation))
			}
			c.Comment, c.HasDefault, c.Default = o.Comment, o.HasDefault, o.Default
		}
	}
	old.Columns, old.View, old.ViewError = t.Columns, t.View, t.ViewError
	a.noteTable(old)
	old.CheckOption, old.SecurityBarrier, old.SecurityInvoker = t.CheckOption, t.SecurityBarrier, t.SecurityInvoker
	old.Decl = t.Decl
}

// createTableAs is CREATE TABLE AS, SELECT INTO's kin, and CREATE MATERIALIZED
// VIEW.
func (a *applier) createTableAs(s *pg.CreateTableAsStmt) {
	into := s.Into
	loc := int(into.Rel.Location)
	if s.Objtype == pg.ObjectType_OBJECT_MATVIEW && into.Rel.Relpersistence == "u" {
		a.fail("0A000", noLoc, "materialized views cannot be unlogged")
	}
	schema := a.relationSchema(into.Rel, loc)
	if a.relationTaken(schema, into.Rel.Relname) {
		if s.IfNotExists {
			return
		}
		a.newRelation(schema, into.Rel.Relname, loc)
	}
	a.newType(schema, into.Rel.Relname, loc)
	if s.Query.GetExecuteStmt() != nil {
		a.unsupported(loc, "CREATE TABLE AS EXECUTE")
		return
	}
	q, why := a.defining(s.Query)
	t := &catalog.Table{ParallelWorkers: -1, Decl: a.decl(loc)}
	if q != nil {
		t = a.outputColumns(q, strs(into.ColNames), a.decl(loc), "TABLE")
	}
	t.Schema, t.Name, t.Kind = schema, into.Rel.Relname, catalog.KindTable
	t.Temp, t.Unlogged = schema == tempSchema, into.Rel.Relpersistence == "u"
	a.checkOptions(t.Kind, "", into.Options)
	a.storage(t, into.Options)
	if s.Objtype == pg.ObjectType_OBJECT_MATVIEW {
		t.Kind, t.View = catalog.KindMatView, q
	}
	t.ViewError = why
	a.addRelation(t)
	if t.Kind == catalog.KindMatView && q != nil && !into.SkipData {
		a.fill(t)
	}
}

// readsOf lists what a query stands on: relations and their columns, functions
// and types.
type readsOf struct {
	relations map[pgtype.OID]bool
	columns   map[[2]uint32]bool
	funcs     map[pgtype.OID]bool
	types     map[pgtype.OID]bool
}

func newReads() *readsOf {
	return &readsOf{
		relations: map[pgtype.OID]bool{}, columns: map[[2]uint32]bool{},
		funcs: map[pgtype.OID]bool{}, types: map[pgtype.OID]bool{},
	}
}

// query adds what a query reads, its subqueries included.
func (r *readsOf) query(q *query.Query, above []*query.Query) {
	if q == nil {
		return
	}
	levels := append([]*query.Query{q}, above...)
	for _, e := range q.RangeTable {
		if e.Kind == query.RTERelation {
			r.relations[e.Relation] = true
		}
		for _, f := range e.Functions {
			for _, t := range f.ColTypes {
				r.types[t] = true
			}
		}
	}
	// A join's columns count only where something refers to them.
	alias := map[*query.Expr]bool{}
	for _, e := range q.RangeTable {
		for i := range e.JoinAliasVars {
			alias[&e.JoinAliasVars[i]] = true
		}
	}
	q.EachExpr(func(e *query.Expr) {
		if !alias[e] {
			r.expr(*e, levels)
		}
	})
	for _, c := range q.CTEs {
		r.query(c.Query, levels)
	}
	for _, e := range q.RangeTable {
		r.query(e.Subquery, levels)
	}
}

// expr adds what an expression reads; levels are the queries around it, the
// nearest first.
func (r *readsOf) expr(e query.Expr, levels []*query.Query) {
	if e == nil {
		return
	}
	query.Walk(e, func(x query.Expr) bool {
		r.types[x.ResultType()] = true
		switch n := x.(type) {
		case *query.Var:
			r.variable(n, levels)
		case *query.FuncExpr:
			r.funcs[n.Func] = true
		case *query.Aggref:
			r.funcs[n.Func] = true
		case *query.WindowFunc:
			r.funcs[n.Func] = true
		case *query.OpExpr:
			r.funcs[n.Func] = true
		case *query.Const:
			// nextval('s'::regclass) stands on the sequence.
			if n.Typ == pgtype.RegclassOID {
				var oid uint32
				if _, err := fmt.Sscan(n.Value, &oid); err == nil {
					r.relations[pgtype.OID(oid)] = true
				}
			}
		case *query.SubLink:
			r.query(n.Subselect, levels)
		}
		return true
	})
}

func (r *readsOf) variable(v *query.Var, levels []*query.Query) {
	if v.LevelsUp >= len(levels) || v.VarNo < 1 || v.VarNo > len(levels[v.LevelsUp].RangeTable) {
		return
	}
	rte := levels[v.LevelsUp].RTE(v.VarNo)
	if rte.Kind == query.RTEJoin && v.AttNo >= 1 && v.AttNo <= len(rte.JoinAliasVars) {
		r.expr(rte.JoinAliasVars[v.AttNo-1], levels[v.LevelsUp:])
	}
	if rte.Kind == query.RTERelation && v.AttNo >= 0 {
		r.columns[[2]uint32{uint32(rte.Relation), uint32(v.AttNo)}] = true
	}
}

func (r *readsOf) column(t *catalog.Table, number int) bool {
	return r.columns[[2]uint32{uint32(t.OID), uint32(number)}] || r.columns[[2]uint32{uint32(t.OID), 0}]
}
