package infer

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// target follows what a statement writes: the base table of a view, defaults of
// columns that are not given, triggers and foreign keys.
func (e *effects) target(q *query.Query, t *catalog.Table) {
	for _, w := range writesOf(q) {
		e.write(q, t, w)
	}
}

// change is one way in which a statement changes its target: the columns that it
// sets, nil for all of an INSERT's.
type change struct {
	event   string
	columns []int
}

func writesOf(q *query.Query) []change {
	set := func(list []*query.TargetEntry) []int {
		out := []int{}
		for _, te := range list {
			if !te.Junk {
				out = append(out, te.ResNo)
			}
		}
		return out
	}
	var out []change
	switch q.Command {
	case query.CmdInsert:
		out = append(out, change{"insert", set(q.TargetList)})
		if c := q.OnConflict; c != nil && c.Action == query.OnConflictUpdate {
			out = append(out, change{"update", set(c.Set)})
		}
	case query.CmdUpdate:
		out = append(out, change{"update", set(q.TargetList)})
	case query.CmdDelete:
		out = append(out, change{event: "delete"})
	case query.CmdMerge:
		for _, a := range q.MergeActions {
			switch a.Command {
			case query.CmdInsert:
				out = append(out, change{"insert", set(a.TargetList)})
			case query.CmdUpdate:
				out = append(out, change{"update", set(a.TargetList)})
			case query.CmdDelete:
				out = append(out, change{event: "delete"})
			}
		}
	}
	return out
}

// write follows one change of a table or view.
func (e *effects) write(q *query.Query, t *catalog.Table, w change) {
	e.rules(t, w.event)
	if slices.Contains(t.InsteadRules, w.event) {
		return
	}
	if t.Kind != catalog.KindView {
		e.acts(t, w, "")
		e.policies(t, w.event)
		return
	}
	for _, tr := range t.Triggers {
		if tr.Timing == "instead of" && slices.Contains(tr.Events, w.event) {
			e.facts.Writes = append(e.facts.Writes, tableName(t))
			e.trigger(t, tr)
			if t.View != nil && w.event != "insert" {
				e.query(t.View) // the rows to change are those of the view
			}
			return
		}
	}
	if t.View == nil {
		e.facts.Unknown = append(e.facts.Unknown, "view "+tableName(t))
		e.facts.Writes = append(e.facts.Writes, tableName(t))
		return
	}
	// An updatable view is over one relation; whatever else its query has is read.
	for _, rte := range t.View.RangeTable {
		base := e.cat.Table(rte.Relation)
		if rte.Kind != query.RTERelation || base == nil {
			continue
		}
		down := change{event: w.event}
		if w.columns != nil {
			down.columns = []int{}
			for _, te := range t.View.TargetList {
				if v, ok := te.Expr.(*query.Var); ok && slices.Contains(w.columns, te.ResNo) {
					down.columns = append(down.columns, v.AttNo)
				}
			}
		}
		e.write(q, base, down)
	}
	t.View.Subqueries(e.query)
	t.View.EachExpr(func(x *query.Expr) {
		query.Walk(*x, func(n query.Expr) bool {
			e.expr(n)
			return true
		})
	})
}

// rules follows the rules for an event.
func (e *effects) rules(t *catalog.Table, event string) {
	for _, r := range t.Rules {
		if r.Event != event || r.Enabled == 'D' {
			continue
		}
		by := fmt.Sprintf("rule %s of %s", r.Name, tableName(t))
		if !e.named(r.Effects, by) {
			e.facts.Unknown = append(e.facts.Unknown, by)
		}
	}
}

// acts notes a write and follows its defaults, triggers and foreign keys. by names
// the foreign key whose action it is, "" for the statement's own.
func (e *effects) acts(t *catalog.Table, w change, by string) {
	f := e.facts
	f.Writes = append(f.Writes, tableName(t))
	if by != "" {
		f.WritesWhy = append(f.WritesWhy, tableName(t)+" by "+by)
	}
	e.computed(t, w)
	at := action{t.OID, w.event + fmt.Sprint(w.columns)}
	if e.acted[at] {
		return
	}
	e.acted[at] = true
	e.triggers(t, w.event)
	if w.event == "insert" {
		return
	}
	if t.Kind != catalog.KindPartitioned {
		for _, o := range t.Children {
			if child := e.cat.Table(o); child != nil {
				e.acts(child, w, "")
			}
		}
	}
	// Foreign keys of other tables act on a delete or a key update.
	for _, o := range e.cat.Tables() {
		for _, k := range o.Constraints {
			if k.Kind != catalog.ConstraintForeign || k.RefTable != t.OID {
				continue
			}
			act, on := k.OnDelete, " ON DELETE "
			if w.event == "update" {
				if !slices.ContainsFunc(k.RefColumns, func(c int) bool { return slices.Contains(w.columns, c) }) {
					continue
				}
				act, on = k.OnUpdate, " ON UPDATE "
			}
			switch act {
			case 'c':
				e.acts(o, change{w.event, k.Columns}, "foreign key "+k.Name+on+"CASCADE")
			case 'n':
				e.acts(o, change{"update", k.Columns}, "foreign key "+k.Name+on+"SET NULL")
			case 'd':
				e.acts(o, change{"update", k.Columns}, "foreign key "+k.Name+on+"SET DEFAULT")
			}
		}
	}
}

// computed follows the defaults of columns that an INSERT leaves out, and the
// generated columns that a change computes.
func (e *effects) computed(t *catalog.Table, w change) {
	for _, c := range t.Columns {
		if c.Dropped || w.event == "delete" || c.Generated == 0 && (w.event != "insert" || slices.Contains(w.columns, c.Number)) {
			continue
		}
		if c.Identity != 0 {
			e.raise(Volatile, "nextval")
		}
		query.Walk(c.Default, func(n query.Expr) bool {
			e.expr(n)
			return true
		})
	}
}

// triggers names the triggers of a table, and of its partitions, that an event
// fires.
func (e *effects) triggers(t *catalog.Table, event string) {
	for _, tr := range t.Triggers {
		if slices.Contains(tr.Events, event) {
			e.trigger(t, tr)
		}
	}
	if t.Kind == catalog.KindPartitioned {
		for _, o := range t.Children {
			if part := e.cat.Table(o); part != nil {
				e.triggers(part, event)
			}
		}
	}
}

// trigger names a trigger that fires, and follows its function as far as that is
// known.
func (e *effects) trigger(t *catalog.Table, tr *catalog.Trigger) {
	by := fmt.Sprintf("trigger %s of %s", tr.Name, tableName(t))
	text := by
	f := e.cat.Func(tr.Func)
	if f != nil {
		text += " (function " + f.Schema + "." + f.Name + ")"
	}
	e.facts.Triggers = append(e.facts.Triggers, text)
	switch {
	case f == nil:
	case f.OID < pgtype.FirstNormalOID && f.Name == "suppress_redundant_updates_trigger":
		return
	case e.follow(f, by):
		return
	}
	e.facts.Unknown = append(e.facts.Unknown, text)
}

// mayWrite notes that a function writes a table; by which command is not known, so
// that all of the table's triggers may fire.
func (e *effects) mayWrite(t *catalog.Table, by string) {
	e.facts.Writes = append(e.facts.Writes, tableName(t))
	e.facts.WritesWhy = append(e.facts.WritesWhy, tableName(t)+" by "+by)
	at := action{t.OID, "any"}
	if e.acted[at] {
		return
	}
	e.acted[at] = true
	for _, event := range []string{"insert", "update", "delete"} {
		e.triggers(t, event)
	}
}
