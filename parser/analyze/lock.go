package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
)

func lockStrength(l *pg.LockingClause) query.LockClauseStrength {
	switch l.Strength {
	case pg.LockClauseStrength_LCS_FORKEYSHARE:
		return query.LockForKeyShare
	case pg.LockClauseStrength_LCS_FORSHARE:
		return query.LockForShare
	case pg.LockClauseStrength_LCS_FORNOKEYUPDATE:
		return query.LockForNoKeyUpdate
	}
	return query.LockForUpdate
}

func lockWait(l *pg.LockingClause) query.LockWaitPolicy {
	switch l.WaitPolicy {
	case pg.LockWaitPolicy_LockWaitSkip:
		return query.LockWaitSkip
	case pg.LockWaitPolicy_LockWaitError:
		return query.LockWaitError
	}
	return query.LockWaitBlock
}

func lockName(l query.LockClauseStrength) string {
	switch l {
	case query.LockForKeyShare:
		return "FOR KEY SHARE"
	case query.LockForShare:
		return "FOR SHARE"
	case query.LockForNoKeyUpdate:
		return "FOR NO KEY UPDATE"
	}
	return "FOR UPDATE"
}

// checkLocking is CheckSelectLocking (analyze.c).
func (s *state) checkLocking(q *query.Query, name string) {
	what := ""
	switch {
	case q.SetOperations != nil:
		what = "UNION/INTERSECT/EXCEPT"
	case len(q.Distinct) > 0:
		what = "DISTINCT clause"
	case len(q.GroupClause) > 0 || len(q.GroupingSets) > 0:
		what = "GROUP BY clause"
	case q.Having != nil:
		what = "HAVING clause"
	case q.HasAggs:
		what = "aggregate functions"
	case q.HasWindowFuncs:
		what = "window functions"
	case q.HasTargetSRFs:
		what = "set-returning functions in the target list"
	default:
		return
	}
	s.fail(errFeatureNotSupported, noLoc, "%s is not allowed with %s", name, what)
}

// lockingClause is transformLockingClause.
func (s *state) lockingClause(q *query.Query, l *pg.LockingClause, pushedDown bool) {
	strength, name := lockStrength(l), lockName(lockStrength(l))
	s.checkLocking(q, name)
	all := &pg.LockingClause{Strength: l.Strength, WaitPolicy: l.WaitPolicy}
	lock := func(i int, r *query.RangeTblEntry) {
		s.applyLock(q, i, strength, lockWait(l), pushedDown)
		if r.Kind == query.RTESubquery {
			s.lockingClause(r.Subquery, all, true)
		} else {
			r.LockMode = max(r.LockMode, strength)
		}
	}
	if len(l.LockedRels) == 0 {
		for i, r := range q.RangeTable {
			if r.InFrom && (r.Kind == query.RTERelation || r.Kind == query.RTESubquery) {
				lock(i+1, r)
			}
		}
		return
	}
	for _, n := range l.LockedRels {
		s.lockOne(q, n.GetRangeVar(), name, lock)
	}
}

func (s *state) lockOne(q *query.Query, rv *pg.RangeVar, name string, lock func(int, *query.RangeTblEntry)) {
	loc := int(rv.Location)
	if rv.Catalogname != "" || rv.Schemaname != "" {
		s.fail(errSyntax, loc, "%s must specify unqualified relation names", name)
	}
	for i, r := range q.RangeTable {
		if !r.InFrom {
			continue
		}
		rel := r.ERef.Name
		if r.Alias == nil {
			switch r.Kind {
			case query.RTEJoin:
				if r.JoinUsingAlias == nil {
					continue
				}
				rel = r.JoinUsingAlias.Name
			case query.RTESubquery, query.RTEValues:
				continue
			}
		}
		if rel != rv.Relname {
			continue
		}
		what := ""
		switch r.Kind {
		case query.RTERelation, query.RTESubquery:
			lock(i+1, r)
			return
		case query.RTEJoin:
			what = "a join"
		case query.RTEFunction:
			what = "a function"
		case query.RTETableFunc:
			what = "a table function"
		case query.RTEValues:
			what = "VALUES"
		case query.RTECTE:
			what = "a WITH query"
		default:
			what = "a named tuplestore"
		}
		s.fail(errFeatureNotSupported, loc, "%s cannot be applied to %s", name, what)
	}
	s.fail(errUndefinedTable, loc, "relation \"%s\" in %s clause not found in FROM clause", rv.Relname, name)
}

// applyLock is applyLockingClause.
func (s *state) applyLock(q *query.Query, i int, strength query.LockClauseStrength, wait query.LockWaitPolicy, pushedDown bool) {
	if !pushedDown {
		q.HasForUpdate = true
	}
	for _, m := range q.RowMarks {
		if m.Index == i {
			m.Strength, m.Wait = max(m.Strength, strength), max(m.Wait, wait)
			m.PushedDown = m.PushedDown && pushedDown
			return
		}
	}
	q.RowMarks = append(q.RowMarks, &query.RowMarkClause{Index: i, Strength: strength, Wait: wait, PushedDown: pushedDown})
}
