package infer

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// assigned is a column of the row that RETURNING gives: what was assigned to it, or
// what the row had before. A trigger that runs before may have made it something
// else, within what the table's declaration r says.
func (s *scope) assigned(rte *query.RangeTblEntry, v *query.Var, r value) value {
	if v.AttNo < 1 || s.q.ResultRelation < 1 {
		return r
	}
	switch s.q.Command {
	case query.CmdInsert:
		out := s.inserted(rte, v.AttNo, r)
		oc := s.q.OnConflict
		if oc == nil || oc.Action != query.OnConflictUpdate || !out.notNull {
			return out
		}
		for _, te := range oc.Set {
			if te.ResNo == v.AttNo {
				if set := s.before(te.Expr); set.notNull {
					return meet(out, set)
				}
				return r
			}
		}
		return r
	case query.CmdUpdate:
		if !s.untouched(rte) {
			return r
		}
		for _, te := range s.q.TargetList {
			if te.ResNo == v.AttNo && !te.Junk {
				if set := s.before(te.Expr); set.notNull {
					return set.because("SET gives it a value (" + set.reason() + ")")
				}
				return r
			}
		}
		if s.recomputed(rte, v.AttNo) {
			return r
		}
		return s.before(v)
	}
	return r
}

// recomputed reports whether a column is generated from one that the UPDATE sets: what
// WHERE saw of it is gone then.
func (s *scope) recomputed(rte *query.RangeTblEntry, attno int) bool {
	t := s.cat.Table(rte.Relation)
	if t == nil || t.Attr(attno) == nil || t.Attr(attno).Generated == 0 {
		return false
	}
	expr := t.Attr(attno).Default
	set := expr == nil
	query.Walk(expr, func(x query.Expr) bool {
		v, ok := x.(*query.Var)
		set = set || ok && slices.ContainsFunc(s.q.TargetList, func(te *query.TargetEntry) bool { return !te.Junk && te.ResNo == v.AttNo })
		return !set
	})
	return set
}

// inserted is what INSERT gives a column of its target, whose declaration says r.
func (s *scope) inserted(rte *query.RangeTblEntry, attno int, r value) value {
	t := s.cat.Table(rte.Relation)
	if r.notNull || t == nil || !s.untouched(rte) {
		return r
	}
	for _, te := range s.q.TargetList {
		if te.ResNo == attno && !te.Junk {
			if set := s.before(te.Expr); set.notNull {
				return set.because("INSERT gives it a value (" + set.reason() + ")")
			}
			return r
		}
	}
	if c := t.Attr(attno); c != nil && c.Generated == 0 && c.Default != nil {
		if d := s.before(c.Default); d.notNull {
			return d.because("DEFAULT of " + t.Name + "." + c.Name + " (" + d.reason() + ")")
		}
	}
	return r
}

// before is the value of an expression over the row as it was before the statement.
func (s *scope) before(e query.Expr) value {
	defer s.enter()()
	s.oldRow = true
	return s.value(e)
}

// untouched reports whether what a statement writes into a table is what it says: no
// trigger or rule of it, or of a table below it, may change that, and no foreign
// server.
func (s *scope) untouched(rte *query.RangeTblEntry) bool {
	t := s.cat.Table(rte.Relation)
	if t == nil || t.Kind != catalog.KindTable && t.Kind != catalog.KindPartitioned || len(t.InsteadRules) > 0 {
		return false
	}
	for _, tr := range t.Triggers {
		if tr.Row && tr.Timing == "before" {
			return false
		}
	}
	for _, o := range t.Children {
		if !s.untouched(&query.RangeTblEntry{Relation: o}) {
			return false
		}
	}
	return true
}
