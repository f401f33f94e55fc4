package ddl

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Bits of CreateTrigStmt (catalog/pg_trigger.h).
const (
	triggerBefore   = 1 << 1
	triggerInsert   = 1 << 2
	triggerDelete   = 1 << 3
	triggerUpdate   = 1 << 4
	triggerTruncate = 1 << 5
	triggerInstead  = 1 << 6
)

// createTrigger is CREATE TRIGGER (CreateTriggerFiringOn, trigger.c).
func (a *applier) createTrigger(s *pg.CreateTrigStmt) {
	t := a.relation(s.Relation)
	loc := int(s.Relation.Location)
	a.triggerTarget(t, s, loc)
	g := &catalog.Trigger{
		Name: s.Trigname, Row: s.Row, Timing: "after", Enabled: 'O',
		Constraint: s.Isconstraint, Deferrable: s.Deferrable, Deferred: s.Initdeferred, Decl: a.decl(noLoc),
	}
	switch {
	case s.Timing&triggerBefore != 0:
		g.Timing = "before"
	case s.Timing&triggerInstead != 0:
		g.Timing = "instead of"
	}
	for _, e := range []struct {
		bit  int32
		word string
	}{{triggerInsert, "insert"}, {triggerUpdate, "update"}, {triggerDelete, "delete"}, {triggerTruncate, "truncate"}} {
		if s.Events&e.bit != 0 {
			g.Events = append(g.Events, e.word)
		}
	}
	if s.Constrrel != nil {
		a.relation(s.Constrrel)
	}
	a.triggerForm(g, s)
	a.transitions(t, g, s)
	a.triggerWhen(t, g, s)
	schema, name := split(s.Funcname)
	fn := a.named(s.Funcname, nil, noLoc)
	if fn.Result != pgtype.TriggerOID {
		a.fail("42P17", noLoc, "function %s must return type %s", shown(schema, name), "trigger")
	}
	g.Func = fn.OID
	for _, n := range s.Columns {
		c := a.column(t, n.GetString_().GetSval(), noLoc)
		if slices.Contains(g.Columns, c.Number) {
			a.fail("42701", noLoc, "column %q specified more than once", c.Name)
		}
		g.Columns = append(g.Columns, c.Number)
	}
	if i := slices.IndexFunc(t.Triggers, func(o *catalog.Trigger) bool { return o.Name == g.Name }); i >= 0 {
		if !s.Replace {
			a.fail("42710", noLoc, "trigger %q for relation %q already exists", g.Name, t.Name)
		}
		t.Triggers[i] = g
		return
	}
	a.cat.NewOID()
	t.Triggers = append(t.Triggers, g)
	if t.Kind != catalog.KindPartitioned || !g.Row {
		return
	}
	for _, c := range a.family(t)[1:] {
		x := *g
		x.Columns = mapNumbers(g.Columns, t, c)
		c.Triggers = append(c.Triggers, &x)
	}
}

// triggerTarget refuses relations that cannot have such a trigger.
func (a *applier) triggerTarget(t *catalog.Table, s *pg.CreateTrigStmt, loc int) {
	wrong := func(what, detail string) {
		a.failMore("42809", loc, detail, "", "%q is a %s", t.Name, what)
	}
	truncate := s.Events&triggerTruncate != 0
	instead := s.Timing&triggerInstead != 0
	switch t.Kind {
	case catalog.KindTable, catalog.KindPartitioned:
		if instead {
			wrong("table", "Tables cannot have INSTEAD OF triggers.")
		}
		if t.Kind == catalog.KindPartitioned && s.Row && len(s.TransitionRels) > 0 {
			a.failMore("0A000", loc, "ROW triggers with transition tables are not supported on partitioned tables.", "",
				"%q is a partitioned table", t.Name)
		}
	case catalog.KindView:
		if !instead && s.Row {
			wrong("view", "Views cannot have row-level BEFORE or AFTER triggers.")
		}
		if truncate {
			wrong("view", "Views cannot have TRUNCATE triggers.")
		}
	case catalog.KindForeign:
		switch {
		case instead:
			wrong("foreign table", "Foreign tables cannot have INSTEAD OF triggers.")
		case truncate && a.cat.Major < 16:
			wrong("foreign table", "Foreign tables cannot have TRUNCATE triggers.")
		case s.Isconstraint:
			wrong("foreign table", "Foreign tables cannot have constraint triggers.")
		}
	default:
		a.fail("42809", loc, "relation %q cannot have triggers", t.Name)
	}
}

// triggerForm refuses combinations of timing, events and clauses.
func (a *applier) triggerForm(g *catalog.Trigger, s *pg.CreateTrigStmt) {
	unable := func(text string) { a.fail("0A000", noLoc, "%s", text) }
	if g.Row && slices.Contains(g.Events, "truncate") {
		unable("TRUNCATE FOR EACH ROW triggers are not supported")
	}
	if g.Timing != "instead of" {
		return
	}
	switch {
	case !g.Row:
		unable("INSTEAD OF triggers must be FOR EACH ROW")
	case s.WhenClause != nil:
		unable("INSTEAD OF triggers cannot have WHEN conditions")
	case len(s.Columns) > 0:
		unable("INSTEAD OF triggers cannot have column lists")
	}
}

// transitions reads REFERENCING.
func (a *applier) transitions(t *catalog.Table, g *catalog.Trigger, s *pg.CreateTrigStmt) {
	has := func(event string) bool { return slices.Contains(g.Events, event) }
	for _, n := range s.TransitionRels {
		r := n.GetTriggerTransition()
		invalid := func(text string) { a.fail("42P17", noLoc, "%s", text) }
		unable := func(text string) { a.fail("0A000", noLoc, "%s", text) }
		switch {
		case !r.IsTable:
			unable("ROW variable naming in the REFERENCING clause is not supported")
		case t.Kind == catalog.KindView:
			a.failMore("42809", noLoc, "Triggers on views cannot have transition tables.", "", "%q is a view", t.Name)
		case t.Kind == catalog.KindForeign:
			a.failMore("42809", noLoc, "Triggers on foreign tables cannot have transition tables.", "", "%q is a foreign table", t.Name)
		case g.Row && t.IsPartition:
			unable("ROW triggers with transition tables are not supported on partitions")
		case g.Row && len(t.Parents) > 0:
			unable("ROW triggers with transition tables are not supported on inheritance children")
		case g.Timing != "after":
			invalid("transition table name can only be specified for an AFTER trigger")
		case has("truncate"):
			unable("TRUNCATE triggers with transition tables are not supported")
		case len(g.Events) > 1:
			unable("transition tables cannot be specified for triggers with more than one event")
		case len(s.Columns) > 0:
			unable("transition tables cannot be specified for triggers with column lists")
		case r.IsNew && !has("insert") && !has("update"):
			invalid("NEW TABLE can only be specified for an INSERT or UPDATE trigger")
		case !r.IsNew && !has("delete") && !has("update"):
			invalid("OLD TABLE can only be specified for a DELETE or UPDATE trigger")
		case r.IsNew && g.NewTable != "":
			invalid("NEW TABLE cannot be specified multiple times")
		case !r.IsNew && g.OldTable != "":
			invalid("OLD TABLE cannot be specified multiple times")
		case r.IsNew:
			g.NewTable = r.Name
		default:
			g.OldTable = r.Name
		}
	}
	if g.NewTable != "" && g.NewTable == g.OldTable {
		a.fail("42P17", noLoc, "OLD TABLE name and NEW TABLE name cannot be the same")
	}
}

// triggerWhen analyses the WHEN condition.
func (a *applier) triggerWhen(t *catalog.Table, g *catalog.Trigger, s *pg.CreateTrigStmt) {
	if s.WhenClause == nil {
		return
	}
	e, err := analyze.TriggerWhen(a.cat, t, a.stmt.Text, s.WhenClause)
	if a.orWarn(err) != "" {
		return
	}
	g.When = e
	query.Walk(e, func(x query.Expr) bool {
		v, ok := x.(*query.Var)
		if !ok {
			return true
		}
		loc := v.Loc.Start
		switch old := v.VarNo == 1; {
		case !g.Row:
			a.fail("42P17", loc, "statement trigger's WHEN condition cannot reference column values")
		case old && slices.Contains(g.Events, "insert"):
			a.fail("42P17", loc, "INSERT trigger's WHEN condition cannot reference OLD values")
		case old:
		case slices.Contains(g.Events, "delete"):
			a.fail("42P17", loc, "DELETE trigger's WHEN condition cannot reference NEW values")
		case v.AttNo < 0 && g.Timing == "before":
			a.fail("0A000", loc, "BEFORE trigger's WHEN condition cannot reference NEW system columns")
		case g.Timing == "before" && v.AttNo > 0 && t.Columns[v.AttNo-1].Generated != 0:
			c := t.Columns[v.AttNo-1]
			a.failMore("42P17", loc, "Column \""+c.Name+"\" is a generated column.", "",
				"BEFORE trigger's WHEN condition cannot reference NEW generated columns")
		}
		return true
	})
}

// enableTrigger is ALTER TABLE … ENABLE and DISABLE TRIGGER and RULE; an empty
// name means all.
func (a *applier) enableTrigger(t *catalog.Table, name string, enabled byte) {
	found := name == ""
	for _, f := range a.family(t) {
		for i, g := range f.Triggers {
			if name == "" || g.Name == name {
				x := *g
				x.Enabled = enabled
				f.Triggers[i], found = &x, true
			}
		}
		if t.Kind != catalog.KindPartitioned {
			break
		}
	}
	if !found {
		a.fail("42704", noLoc, "trigger %q for table %q does not exist", name, t.Name)
	}
}

func (a *applier) enableRule(t *catalog.Table, name string, enabled byte) {
	for _, r := range t.Rules {
		if r.Name == name {
			r.Enabled = enabled
			insteadRules(t)
			return
		}
	}
	a.fail("42704", noLoc, "rule %q for relation %q does not exist", name, t.Name)
}

// createRule is CREATE RULE (DefineRule, rewriteDefine.c). What the actions read
// and write is kept; rewriting by them is not.
func (a *applier) createRule(s *pg.RuleStmt) {
	t := a.relation(s.Relation)
	loc := int(s.Relation.Location)
	switch t.Kind {
	case catalog.KindTable, catalog.KindPartitioned, catalog.KindView:
	default:
		a.fail("42809", loc, "relation %q cannot have rules", t.Name)
	}
	r := &catalog.Rule{
		Name: s.Rulename, Instead: s.Instead, Nothing: len(s.Actions) == 0, Conditional: s.WhereClause != nil, Enabled: 'O',
		Decl: a.decl(noLoc),
	}
	switch s.Event {
	case pg.CmdType_CMD_SELECT:
		if t.Kind == catalog.KindView {
			a.fail("55000", loc, "%q is already a view", t.Name)
		}
		if a.cat.Major >= 16 {
			a.failMore("42809", loc, "This operation is not supported for tables.", "", "relation %q cannot have ON SELECT rules", t.Name)
		}
		a.unsupported(noLoc, "a rule that makes a view of a table")
		return
	case pg.CmdType_CMD_INSERT:
		r.Event = "insert"
	case pg.CmdType_CMD_UPDATE:
		r.Event = "update"
	case pg.CmdType_CMD_DELETE:
		r.Event = "delete"
	}
	e := newEffects(a, &catalog.Func{})
	e.own = map[string]bool{"new": true, "old": true}
	for _, n := range s.Actions {
		e.stmt(n)
	}
	r.Effects = e.done()
	i := slices.IndexFunc(t.Rules, func(o *catalog.Rule) bool { return o.Name == r.Name })
	switch {
	case i >= 0 && !s.Replace:
		a.fail("42710", noLoc, "rule %q for relation %q already exists", r.Name, t.Name)
	case i >= 0:
		t.Rules[i] = r
	default:
		a.cat.NewOID()
		t.Rules = append(t.Rules, r)
	}
	insteadRules(t)
	if !r.Nothing || r.Instead {
		a.unsupported(noLoc, "rewriting by rules: statements on %s are analysed and planned without %q", t.Name, r.Name)
	}
}

// insteadRules sets the events that unconditional rules take over.
func insteadRules(t *catalog.Table) {
	t.InsteadRules = nil
	for _, r := range t.Rules {
		if r.Instead && !r.Conditional && r.Enabled != 'D' && !slices.Contains(t.InsteadRules, r.Event) {
			t.InsteadRules = append(t.InsteadRules, r.Event)
		}
	}
}
