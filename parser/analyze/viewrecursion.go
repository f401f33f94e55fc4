package analyze

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// checkViewRecursion fails for a query that reads or writes a view which, since
// it was replaced, leads back to itself. The server lets such a view be created
// and refuses each use of it (fireRIRrules and RewriteQuery, rewriteHandler.c).
func (s *state) checkViewRecursion(q *query.Query) {
	v := viewWalk{s: s, state: map[*catalog.Table]viewState{}}
	v.query(q)
}

// viewState tells how far a walk has come with a view.
type viewState int

const (
	viewOpen viewState = iota + 1
	viewDone
)

type viewWalk struct {
	s     *state
	state map[*catalog.Table]viewState
}

func (v *viewWalk) query(q *query.Query) {
	if q.ResultRelation > 0 {
		v.relation(q.RTE(q.ResultRelation))
	}
	for _, r := range q.RangeTable {
		v.relation(r)
	}
	q.Subqueries(v.query)
}

func (v *viewWalk) relation(r *query.RangeTblEntry) {
	if r.Kind != query.RTERelation {
		return
	}
	t := v.s.cat.Table(r.Relation)
	if t == nil || t.Kind != catalog.KindView || t.View == nil || v.state[t] == viewDone {
		return
	}
	if v.state[t] == viewOpen {
		v.s.fail(errInvalidObjectDef, noLoc, "infinite recursion detected in rules for relation \"%s\"", t.Name)
	}
	v.state[t] = viewOpen
	v.query(t.View)
	v.state[t] = viewDone
}
