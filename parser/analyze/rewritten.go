package analyze

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// errGeneratedAlways is ERRCODE_GENERATED_ALWAYS.
const errGeneratedAlways = "428C9"

// checkGenerated refuses values for columns that make their own. The server
// finds that while rewriting (rewriteTargetListIU, rewrite/rewriteHandler.c),
// which PREPARE does too, and gives no position.
func (a *analyzer) checkGenerated(q *query.Query) {
	for _, c := range q.CTEs {
		a.checkGenerated(c.Query)
	}
	if q.ResultRelation == 0 {
		return
	}
	w := rewriting{a, q, a.cat.Table(q.RTE(q.ResultRelation).Relation), nil}
	for w.t != nil {
		w.check()
		if w.t.Kind != catalog.KindView || w.t.View == nil || w.insteadOf(q.Command) {
			return
		}
		w.checkView()
		w = w.base()
	}
}

// rewriting is a statement on its way through its target's views.
type rewriting struct {
	*analyzer
	q *query.Query
	t *catalog.Table
	// columns are the numbers in t of the columns of the target that the
	// statement names, once t is not that target: the base of a view.
	columns map[int]int
}

// number is the column of t that an entry assigns to.
func (w *rewriting) number(x *query.TargetEntry) int {
	if w.columns == nil {
		return x.ResNo
	}
	return w.columns[x.ResNo]
}

// check looks at what the statement assigns to columns of t.
func (w *rewriting) check() {
	q := w.q
	switch q.Command {
	case query.CmdInsert:
		w.checkInserted(q.TargetList, q.Override)
		if q.OnConflict != nil {
			w.checkUpdated(q.OnConflict.Set)
		}
	case query.CmdUpdate:
		w.checkUpdated(q.TargetList)
	case query.CmdMerge:
		for _, m := range q.MergeActions {
			switch m.Command {
			case query.CmdInsert:
				w.checkInserted(m.TargetList, m.Override)
			case query.CmdUpdate:
				w.checkUpdated(m.TargetList)
			}
		}
	}
}

// isDefault reports whether a value is DEFAULT, in every row of a VALUES list.
func isDefault(q *query.Query, e query.Expr) bool {
	if _, ok := e.(*query.SetToDefault); ok {
		return true
	}
	v, ok := e.(*query.Var)
	if !ok || v.LevelsUp != 0 || v.VarNo > len(q.RangeTable) {
		return false
	}
	r := q.RTE(v.VarNo)
	if r.Kind != query.RTEValues {
		return false
	}
	for _, row := range r.Values {
		if _, ok := row[v.AttNo-1].(*query.SetToDefault); !ok {
			return false
		}
	}
	return true
}

func (w *rewriting) checkInserted(list []*query.TargetEntry, override query.OverridingKind) {
	w.checkTwice(list)
	for _, x := range list {
		c := w.t.Attr(w.number(x))
		if c == nil || x.Junk || isDefault(w.q, x.Expr) {
			continue
		}
		e := w.errorAt(errGeneratedAlways, exprLoc(x.Expr), "cannot insert a non-DEFAULT value into column \"%s\"", c.Name)
		switch {
		case c.Identity == 'a' && override == query.OverridingNone:
			e.Detail = "Column \"" + c.Name + "\" is an identity column defined as GENERATED ALWAYS."
			e.Hint = "Use OVERRIDING SYSTEM VALUE to override."
			panic(e)
		case c.Generated != 0:
			e.Detail = "Column \"" + c.Name + "\" is a generated column."
			panic(e)
		}
	}
}

func (w *rewriting) checkUpdated(list []*query.TargetEntry) {
	w.checkTwice(list)
	for _, x := range list {
		c := w.t.Attr(w.number(x))
		if c == nil || x.Junk {
			continue
		}
		if _, ok := x.Expr.(*query.SetToDefault); ok && w.columns == nil {
			// The default of a view's column is NULL, which is assigned.
			continue
		}
		e := w.errorAt(errGeneratedAlways, exprLoc(x.Expr), "column \"%s\" can only be updated to DEFAULT", c.Name)
		switch {
		case c.Identity == 'a':
			e.Detail = "Column \"" + c.Name + "\" is an identity column defined as GENERATED ALWAYS."
			panic(e)
		case c.Generated != 0:
			e.Detail = "Column \"" + c.Name + "\" is a generated column."
			panic(e)
		}
	}
}

// checkTwice refuses two values for one column of t, which two columns of a view may
// be; fields and elements of it may be assigned one by one.
func (w *rewriting) checkTwice(list []*query.TargetEntry) {
	whole := map[int]bool{}
	for _, x := range list {
		n := w.number(x)
		c := w.t.Attr(n)
		if c == nil || x.Junk {
			continue
		}
		part := isPartial(x.Expr)
		if seen, twice := whole[n]; twice && (seen || !part) {
			w.fail(errSyntax, exprLoc(x.Expr), "multiple assignments to same column \"%s\"", c.Name)
		}
		whole[n] = !part
	}
}

// isPartial reports whether an assignment is to a field or an element
// (process_matched_tle, rewriteHandler.c).
func isPartial(e query.Expr) bool {
	for {
		switch x := e.(type) {
		case *query.CoerceToDomain:
			e = x.Arg
		case *query.FieldStore:
			return true
		case *query.SubscriptingRef:
			return x.Assign != nil
		default:
			return false
		}
	}
}
