package infer

import (
	"github.com/dbgen/dbgen/parser/query"
)

// setValues combines the arms of a set operation.
func (s *scope) setValues(n query.SetOpNode) []value {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return s.subquery(s.q.RTE(n.Index).Subquery, s)
	case *query.SetOperationStmt:
		left := s.setValues(n.Left)
		if n.Op == query.SetOpExcept {
			return left
		}
		right := s.setValues(n.Right)
		out := make([]value, len(left))
		for i := range left {
			l := left[i]
			if i >= len(right) {
				out[i] = maybe("unknown column")
				continue
			}
			r := right[i]
			v := meet(l, r)
			// A row of INTERSECT is one of either arm.
			if n.Op == query.SetOpIntersect && (l.notNull || r.notNull) {
				v.notNull = true
			}
			switch {
			case v.notNull:
				v = v.because("in every arm of the set operation")
			case !l.notNull:
				v = v.because("in an arm of the set operation (" + l.reason() + ")")
			default:
				v = v.because("in an arm of the set operation (" + r.reason() + ")")
			}
			out[i] = v
		}
		return out
	}
	return nil
}

// cte returns the values of a WITH query's columns. A recursive one starts from
// what no row would contradict and is worked out again with what came of it, which
// only takes promises back.
func (s *scope) cte(rte *query.RangeTblEntry) []value {
	at := s.up(rte.CTELevels)
	if at == nil {
		return nil
	}
	for _, c := range at.q.CTEs {
		if c.Name != rte.CTEName {
			continue
		}
		if have, ok := at.ctes[c]; ok {
			return have
		}
		if !c.Recursive {
			list := at.aside(func() []value { return newScope(s.cat, c.Query, at).values() })
			if !at.building {
				at.ctes[c] = list
			}
			return list
		}
		start := make([]value, len(c.ColTypes))
		for i := range start {
			start[i] = never("in every term of the recursion")
			start[i].elements = true
		}
		at.ctes[c] = start
		for {
			next := at.aside(func() []value { return newScope(s.cat, c.Query, at).values() })
			// What is known of parts could change without end.
			same := true
			for i := range next {
				next[i].elem, next[i].fields, next[i].json, next[i].null = nil, nil, nil, false
				if i >= len(at.ctes[c]) {
					break
				}
				was := at.ctes[c][i]
				next[i].notNull = next[i].notNull && was.notNull
				next[i].elements = next[i].elements && was.elements
				same = same && next[i].notNull == was.notNull && next[i].elements == was.elements
			}
			at.ctes[c] = next
			if same {
				if at.building {
					delete(at.ctes, c)
				}
				return next
			}
		}
	}
	return nil
}
