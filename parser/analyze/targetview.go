package analyze

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// errObjectState is ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE.
const errObjectState = "55000"

func eventOf(c query.CmdType) string {
	switch c {
	case query.CmdInsert:
		return "insert"
	case query.CmdUpdate:
		return "update"
	case query.CmdDelete:
		return "delete"
	}
	return ""
}

// insteadOf reports whether triggers or rules of the view stand in for a command
// (view_has_instead_trigger, rewriteHandler.c).
func (w *rewriting) insteadOf(c query.CmdType) bool {
	if c == query.CmdMerge {
		for _, m := range w.q.MergeActions {
			if m.Command != query.CmdUtility && !w.insteadTrigger(eventOf(m.Command)) {
				return false
			}
		}
		return true
	}
	event := eventOf(c)
	return slices.Contains(w.t.InsteadRules, event) || w.insteadTrigger(event)
}

func (w *rewriting) insteadTrigger(event string) bool {
	return slices.ContainsFunc(w.t.Triggers, func(t *catalog.Trigger) bool {
		return t.Timing == "instead of" && slices.Contains(t.Events, event)
	})
}

// writes reports whether the statement stores rows or parts of them.
func (w *rewriting) writes() bool {
	return w.q.Command == query.CmdInsert || w.q.Command == query.CmdUpdate ||
		slices.ContainsFunc(w.q.MergeActions, func(m *query.MergeAction) bool {
			return m.Command == query.CmdInsert || m.Command == query.CmdUpdate
		})
}

// checkView refuses a view that cannot be changed, or a column of it
// (rewriteTargetView).
func (w *rewriting) checkView() {
	if why := notUpdatable(w.t.View, w.writes()); why != "" {
		w.failNotUpdatable(why)
	}
	if w.q.JoinTree != nil {
		if _, ok := w.q.JoinTree.Quals.(*query.CurrentOfExpr); ok {
			w.fail(errFeatureNotSupported, noLoc, "WHERE CURRENT OF on a view is not implemented")
		}
	}
	if !w.writes() {
		return
	}
	named := map[int]bool{}
	note := func(list []*query.TargetEntry) {
		for _, x := range list {
			if !x.Junk {
				named[w.number(x)] = true
			}
		}
	}
	if w.q.Command != query.CmdMerge {
		note(w.q.TargetList)
	}
	if w.q.OnConflict != nil {
		note(w.q.OnConflict.Set)
	}
	for _, m := range w.q.MergeActions {
		note(m.TargetList)
	}
	base := baseOf(w.t.View).Index
	for _, x := range w.t.View.TargetList {
		why := columnNotUpdatable(x, base)
		if why == "" || !named[x.ResNo] {
			continue
		}
		verb := "update"
		switch w.q.Command {
		case query.CmdInsert:
			verb = "insert into"
		case query.CmdMerge:
			verb = "merge into"
		}
		name := x.Name
		if c := w.t.Attr(x.ResNo); c != nil {
			name = c.Name
		}
		w.failDetail(errFeatureNotSupported, noLoc, why, "cannot %s column \"%s\" of view \"%s\"", verb, name, w.t.Name)
	}
}

// failNotUpdatable is error_view_not_updatable.
func (w *rewriting) failNotUpdatable(why string) {
	command, merge := w.q.Command, w.q.Command == query.CmdMerge
	if merge {
		for _, m := range w.q.MergeActions {
			if m.Command != query.CmdUtility && !w.insteadTrigger(eventOf(m.Command)) {
				command = m.Command
				break
			}
		}
	}
	verb, doing := "update", "updating"
	switch command {
	case query.CmdInsert:
		verb, doing = "insert into", "inserting into"
	case query.CmdDelete:
		verb, doing = "delete from", "deleting from"
	}
	event := map[query.CmdType]string{query.CmdInsert: "INSERT", query.CmdUpdate: "UPDATE", query.CmdDelete: "DELETE"}[command]
	e := w.errorAt(errObjectState, noLoc, "cannot %s view \"%s\"", verb, w.t.Name)
	e.Detail = why
	e.Hint = fmt.Sprintf("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional ON %s DO INSTEAD rule.", doing, event, event)
	if merge {
		e.Hint = fmt.Sprintf("To enable %s the view using MERGE, provide an INSTEAD OF %s trigger.", doing, event)
	}
	panic(e)
}

// baseOf is the only FROM item of a view's query, nil if it has others.
func baseOf(q *query.Query) *query.RangeTblRef {
	if q.JoinTree == nil || len(q.JoinTree.List) != 1 {
		return nil
	}
	r, _ := q.JoinTree.List[0].(*query.RangeTblRef)
	return r
}

// notUpdatable says why a view cannot be changed through, "" if it can
// (view_query_is_auto_updatable).
func notUpdatable(q *query.Query, columns bool) string {
	const single = "Views that do not select from a single table or view are not automatically updatable."
	for _, x := range []struct {
		is   bool
		what string
	}{
		{len(q.Distinct) > 0, "Views containing DISTINCT are not automatically updatable."},
		{len(q.GroupClause) > 0 || len(q.GroupingSets) > 0, "Views containing GROUP BY are not automatically updatable."},
		{q.Having != nil, "Views containing HAVING are not automatically updatable."},
		{q.SetOperations != nil, "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."},
		{len(q.CTEs) > 0, "Views containing WITH are not automatically updatable."},
		{q.LimitOffset != nil || q.LimitCount != nil, "Views containing LIMIT or OFFSET are not automatically updatable."},
		{q.HasAggs, "Views that return aggregate functions are not automatically updatable."},
		{q.HasWindowFuncs, "Views that return window functions are not automatically updatable."},
		{q.HasTargetSRFs, "Views that return set-returning functions are not automatically updatable."},
	} {
		if x.is {
			return x.what
		}
	}
	ref := baseOf(q)
	if ref == nil {
		return single
	}
	r := q.RTE(ref.Index)
	if r.Kind != query.RTERelation || r.RelKind != catalog.KindTable && r.RelKind != catalog.KindForeign &&
		r.RelKind != catalog.KindView && r.RelKind != catalog.KindPartitioned {
		return single
	}
	if r.Sample != nil {
		return "Views containing TABLESAMPLE are not automatically updatable."
	}
	if columns && !slices.ContainsFunc(q.TargetList, func(x *query.TargetEntry) bool { return columnNotUpdatable(x, ref.Index) == "" }) {
		return "Views that have no updatable columns are not automatically updatable."
	}
	return ""
}

// columnNotUpdatable says why a view's column cannot be assigned to, "" if it
// can (view_col_is_auto_updatable).
func columnNotUpdatable(x *query.TargetEntry, base int) string {
	v, ok := x.Expr.(*query.Var)
	switch {
	case x.Junk:
		return "Junk view columns are not updatable."
	case !ok || v.VarNo != base || v.LevelsUp != 0:
		return "View columns that are not columns of their base relation are not updatable."
	case v.AttNo < 0:
		return "View columns that refer to system columns are not updatable."
	case v.AttNo == 0:
		return "View columns that return whole-row references are not updatable."
	}
	return ""
}

// base is the same for the relation that the view is over.
func (w *rewriting) base() rewriting {
	index := baseOf(w.t.View).Index
	out := rewriting{w.analyzer, w.q, w.cat.Table(w.t.View.RTE(index).Relation), map[int]int{}}
	of := map[int]int{}
	for _, x := range w.t.View.TargetList {
		if columnNotUpdatable(x, index) == "" {
			of[x.ResNo] = x.Expr.(*query.Var).AttNo
		}
	}
	if w.columns == nil {
		out.columns = of
		return out
	}
	for from, to := range w.columns {
		out.columns[from] = of[to]
	}
	return out
}
