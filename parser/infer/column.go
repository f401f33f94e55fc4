package infer

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/query"
)

// column is a Var: what its source says of it, unless an outer join or a grouping
// set can take the row away, and what conditions prove.
func (s *scope) column(v *query.Var) value {
	at := s.up(v.LevelsUp)
	if at == nil {
		return maybe("column of an outer query that is not known")
	}
	if v.VarNo < 1 || v.VarNo > len(at.q.RangeTable) {
		return maybe("unknown column")
	}
	rte := at.q.RTE(v.VarNo)
	if v.VarNo == at.q.ResultRelation && at.ruled() {
		return maybe("a rule says what is done instead, and what is returned")
	}
	if v.Returning != query.ReturningDefault {
		return at.returned(rte, v)
	}
	if at.isNull[v.AttNo] {
		return value{null: true, elements: true, why: doubtPrefix + "taken to be NULL"}
	}
	if oc := at.q.OnConflict; oc != nil && v.VarNo == oc.ExclRelIndex && v.AttNo > 0 {
		return at.inserted(at.q.RTE(at.q.ResultRelation), v.AttNo, at.base(rte, v))
	}
	if why := s.knownVar(v); why != "" {
		r := at.base(rte, v)
		if !r.notNull {
			r.notNull, r.null, r.why = true, false, proofPrefix+why
		}
		return r
	}
	if at.columnGroupedAway(v, at != s) {
		return maybe("GROUPING SETS give NULL for columns they leave out")
	}
	if j := s.nulledBy(at, v); j != 0 {
		r := maybe(fmt.Sprintf("%s is on the nullable side of %s%s", rte.ERef.Name, joinName(at.q, j), at.distrust(j)))
		below := at.base(rte, v)
		r.elements, r.elem, r.fields, r.json = below.elements, below.elem, below.fields, below.json
		return r
	}
	r := at.base(rte, v)
	if r.notNull {
		if !v.NullingRels.IsEmpty() {
			r.why += ", and " + at.presence(v)
		}
		return r
	}
	if at.isNewRow(v.VarNo) {
		return at.assigned(rte, v, r)
	}
	for _, p := range at.inJoin[column{v.VarNo, v.AttNo}] {
		if at.matched(p.join) {
			r.notNull, r.why = true, proofPrefix+p.why
			return r
		}
	}
	return at.byCheck(rte, v, r)
}

// knownVar says why a column is known to be not null, or its row to be there for
// number 0, by the conditions of the scopes between; "" if it is not.
func (s *scope) knownVar(v *query.Var) string {
	k := column{v.VarNo, v.AttNo}
	t := s
	for level := v.LevelsUp; t != nil && level >= 0; level, t = level-1, t.outer {
		for _, f := range t.assume {
			if isVar(f.expr, k, level) {
				return f.why
			}
		}
		if level > 0 {
			if t.ofNoRows() {
				continue
			}
			for _, f := range t.exprs {
				if isVar(f.expr, k, level) {
					return f.why
				}
			}
			continue
		}
		if !t.isNewRow(v.VarNo) && !t.columnGroupedAway(v, t != s) {
			if why, ok := t.forced[k]; ok {
				return why
			}
		}
		if len(t.q.GroupingSets) == 0 || !t.inAgg {
			for _, f := range t.having {
				if isVar(f.expr, k, 0) {
					return f.why
				}
			}
		}
	}
	return ""
}

func isVar(e query.Expr, k column, level int) bool {
	v, ok := e.(*query.Var)
	return ok && v.VarNo == k.varno && v.AttNo == k.attno && v.LevelsUp == level
}

// known says why an expression that is no column is known to be not null, "" if it
// is not.
func (s *scope) known(e query.Expr) string {
	if _, ok := e.(*query.Var); ok {
		return ""
	}
	find := func(list []fact) string {
		for _, f := range list {
			if _, ok := f.expr.(*query.Var); !ok && sameExpr(f.expr, e) {
				return f.why
			}
		}
		return ""
	}
	if why := find(s.assume); why != "" {
		return why
	}
	if len(s.exprs) > 0 && !s.newRow && !s.ofNoRows() && (len(s.q.GroupingSets) == 0 || s.inAgg) && !s.readsNewRow(e) {
		if why := find(s.exprs); why != "" {
			return why
		}
	}
	_, agg := e.(*query.Aggref)
	if len(s.having) > 0 && !s.inAgg && (agg || len(s.q.GroupingSets) == 0) {
		return find(s.having)
	}
	return ""
}

// readsNewRow reports whether an expression of RETURNING is about the row that was
// written.
func (s *scope) readsNewRow(e query.Expr) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		if v, ok := x.(*query.Var); ok && v.LevelsUp == 0 {
			found = found || s.isNewRow(v.VarNo)
		}
		return !found
	})
	return found
}

// presence says why an outer join cannot null a Var.
func (s *scope) presence(v *query.Var) string {
	for j := range v.NullingRels.All() {
		if key := s.trusted[j]; key != "" {
			return "foreign key " + key + " is trusted to lead to a row"
		}
	}
	return "WHERE rejects the rows that the outer join adds"
}

func joinName(q *query.Query, index int) string {
	if index <= len(q.RangeTable) {
		switch q.RTE(index).JoinType {
		case query.JoinFull:
			return "a FULL JOIN"
		case query.JoinRight:
			return "a RIGHT JOIN"
		}
	}
	return "a LEFT JOIN"
}

// nulledBy returns an outer join of the scope at that can still null a Var, 0 if
// none.
func (s *scope) nulledBy(at *scope, v *query.Var) int {
	for j := range v.NullingRels.All() {
		if j != at.through && !at.present[j].Has(v.VarNo) && !s.assumedPresent(at, v, j) {
			return j
		}
	}
	return 0
}

// assumedPresent reports whether the side of an outer join that a Var is on is there
// because another column of it was assumed not null.
func (s *scope) assumedPresent(at *scope, v *query.Var, join int) bool {
	level := v.LevelsUp
	for t := s; t != nil; level, t = level-1, t.outer {
		lists := [][]fact{t.assume}
		if t != at {
			if !t.ofNoRows() {
				lists = append(lists, t.exprs)
			}
		} else if len(t.q.GroupingSets) == 0 {
			lists = append(lists, t.having)
		}
		for _, list := range lists {
			for _, f := range list {
				w, ok := f.expr.(*query.Var)
				if !ok || w.LevelsUp != level {
					continue
				}
				for _, side := range at.sides[join] {
					if side.Has(v.VarNo) && side.Has(w.VarNo) && w.NullingRels.Has(join) {
						return true
					}
				}
			}
		}
		if t == at {
			break
		}
	}
	return false
}

// returned is a column of old or new in RETURNING: there is no old row of an
// INSERT without ON CONFLICT, and no new one of a DELETE.
func (s *scope) returned(rte *query.RangeTblEntry, v *query.Var) value {
	there := s.q.Command == query.CmdUpdate || s.q.Command == query.CmdDelete && v.Returning == query.ReturningOld ||
		s.q.Command == query.CmdInsert && v.Returning == query.ReturningNew
	if !there || v.AttNo <= 0 {
		return maybe("RETURNING of a row that may not be there")
	}
	return s.base(rte, v)
}

// base is what a range table entry says of its column, outer joins aside.
func (s *scope) base(rte *query.RangeTblEntry, v *query.Var) value {
	switch rte.Kind {
	case query.RTEJoin:
		return s.joinColumn(rte, v)
	case query.RTERelation:
		return s.tableColumn(rte, v)
	case query.RTESubquery:
		return pick(s.subquery(rte.Subquery, s), v.AttNo)
	case query.RTECTE:
		return pick(s.cte(rte), v.AttNo)
	case query.RTEValues:
		return pick(s.valuesColumns(rte), v.AttNo)
	case query.RTEFunction:
		return s.functionColumn(rte, v.AttNo)
	}
	return maybe("unknown source")
}

// pick is one of a list of columns, or for number 0 the row of all of them.
func pick(list []value, attno int) value {
	if attno == 0 && list != nil {
		v := never("a row of the source")
		v.fields = list
		return v
	}
	if attno < 1 || attno > len(list) {
		return maybe("unknown column")
	}
	return list[attno-1]
}

// joinColumn is a column of a join: of one of its sides, or of a FULL JOIN USING the
// first of both that is there. Each row has one side at least.
func (s *scope) joinColumn(rte *query.RangeTblEntry, v *query.Var) value {
	if v.AttNo < 1 || v.AttNo > len(rte.JoinAliasVars) {
		return maybe("a whole row of a join can be NULL")
	}
	alias := rte.JoinAliasVars[v.AttNo-1]
	r := s.value(alias)
	c, ok := alias.(*query.CoalesceExpr)
	if r.notNull || !ok || rte.JoinType != query.JoinFull || v.AttNo > rte.JoinMergedCols {
		return r
	}
	defer s.enter()()
	s.through = v.VarNo
	for _, a := range c.Args {
		if !s.value(a).notNull {
			return r
		}
	}
	r.notNull = true
	return r.because("the merged column of a FULL JOIN, not null on either side")
}

// valuesColumns are the columns of a VALUES list.
func (s *scope) valuesColumns(rte *query.RangeTblEntry) []value {
	var out []value
	for i, row := range rte.Values {
		for j, e := range row {
			v := s.value(e)
			if i == 0 {
				out = append(out, v.because(orElse(v.notNull, "every row of VALUES has a value", v.reason())))
			} else if j < len(out) {
				out[j] = meet(out[j], v)
			}
		}
	}
	for i, v := range out {
		if !v.notNull {
			out[i] = v.because("a row of VALUES has a value that can be NULL")
		}
	}
	return out
}

func orElse(cond bool, a, b string) string {
	if cond {
		return a
	}
	return b
}

// subquery returns the values of a query's output columns. What the branch of a CASE
// assumes has no say in them, for they are kept.
func (s *scope) subquery(q *query.Query, outer *scope) []value {
	if have, ok := s.subs[q]; ok {
		return have
	}
	list := s.aside(func() []value { return s.shared().scope(s.cat, q, outer, nil, s.calls...).values() })
	if !s.building {
		s.subs[q] = list
	}
	return list
}

// aside works something out without the assumptions of the moment.
func (s *scope) aside(f func() []value) []value {
	defer s.enter()()
	s.assume, s.truths, s.inAgg, s.through = nil, nil, false, 0
	return f()
}

// values are the result columns.
func (s *scope) values() []value {
	var list []value
	if s.q.SetOperations != nil {
		return s.setValues(s.q.SetOperations)
	}
	for _, te := range s.outputs() {
		list = append(list, s.output(te))
	}
	return list
}

// output is one result column: a set-returning function that is shorter than another
// is padded.
func (s *scope) output(te *query.TargetEntry) value {
	v := s.value(te.Expr)
	if s.q.HasTargetSRFs && s.padded(te.Expr) {
		v.notNull = false
		return v.because("a set-returning function is padded with NULL where another has more rows")
	}
	return v
}
