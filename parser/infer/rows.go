package infer

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// rows bounds a number of rows: at least min, 0 or 1, and at most max, 0, 1 or
// [unbounded]; why is the reason.
type rows struct {
	min, max int
	why      string
}

// unbounded is a max of more than one row.
const unbounded = 2

func (r rows) cardinality() Cardinality {
	switch {
	case r.max == 0:
		return None
	case r.max > 1:
		return Many
	case r.min > 0:
		return ExactlyOne
	}
	return AtMostOne
}

// single reports whether there is one row at most.
func (r rows) single() bool { return r.max <= 1 }

// less is r with rows that may be missing.
func (r rows) less(why string) rows {
	if r.min > 0 && r.max <= 1 {
		r.why += ", " + why
	}
	r.min = 0
	return r
}

// cardinality bounds the rows of the result.
func (s *scope) cardinality() (Cardinality, string) {
	r := s.rows(nil)
	return r.cardinality(), r.why
}

// rows bounds the rows of the result in which the given output columns have one
// value each.
func (s *scope) rows(bound []binding) rows {
	q := s.q
	switch q.Command {
	case query.CmdSelect:
		return limitRows(q, s.selectRows(bound), len(bound) == 0)
	case query.CmdInsert, query.CmdUpdate, query.CmdDelete, query.CmdMerge:
		switch {
		case len(q.Returning) == 0:
			return rows{0, 0, "no RETURNING"}
		case q.Command == query.CmdInsert:
			return s.insertRows()
		case q.Command == query.CmdMerge:
			return rows{0, unbounded, "MERGE"}
		}
		return s.changedRows()
	case query.CmdUtility:
		if len(q.Returning) > 0 {
			return rows{0, unbounded, "a utility statement with a result"}
		}
	}
	return rows{0, 0, "not a query"}
}

// limitRows applies LIMIT, FETCH FIRST and OFFSET; all tells that r counts every row
// and not those alone in which some columns have one value, which OFFSET need not
// pass over.
func limitRows(q *query.Query, r rows, all bool) rows {
	if skip, known := limitValue(q.LimitOffset); q.LimitOffset != nil {
		switch {
		case known && skip > 0 && r.single() && all:
			return rows{0, 0, r.why + ", and OFFSET passes over it"}
		case !known || skip > 0:
			r = r.less("unless OFFSET passes over it")
		}
	}
	if q.LimitCount == nil {
		return r
	}
	n, known := limitValue(q.LimitCount)
	switch {
	case !known:
		return r.less("unless LIMIT is 0")
	case n == 0:
		return rows{0, 0, "LIMIT 0"}
	case n == 1 && !r.single() && !q.WithTies:
		return rows{r.min, 1, "LIMIT 1"}
	case n == 1 && !r.single():
		r.why = "FETCH FIRST 1 ROW WITH TIES keeps all ties"
	}
	return r
}

// limitValue is the number of rows of a constant LIMIT or OFFSET; for NULL, which
// is no LIMIT, a big one. Only 0, 1 and more matter.
func limitValue(e query.Expr) (n int64, known bool) {
	if e == nil {
		return 0, true
	}
	// The analyser casts an int4 constant to bigint.
	if f, ok := e.(*query.FuncExpr); ok && len(f.Args) == 1 && f.Form == query.CoerceImplicitCast {
		e = f.Args[0]
	}
	k, ok := e.(*query.Const)
	if !ok {
		return 0, false
	}
	if k.Null {
		return 1 << 40, true
	}
	n, err := strconv.ParseInt(k.Value, 10, 64)
	return n, err == nil && n >= 0
}

func (s *scope) selectRows(bound []binding) rows {
	q := s.q
	if q.SetOperations != nil {
		return s.setRows(q.SetOperations, bound)
	}
	if len(q.GroupClause) == 0 && len(q.GroupingSets) == 0 && (q.HasAggs || q.Having != nil) {
		r := rows{1, 1, "aggregates without GROUP BY"}
		if q.HasTargetSRFs {
			return rows{0, unbounded, "set-returning function in the select list"}
		}
		if q.Having != nil {
			r.min, r.why = 0, "aggregates without GROUP BY, filtered by HAVING"
		}
		return r
	}
	b := s.bounding(bound)
	r := b.from()
	switch {
	case len(q.GroupingSets) > 0:
		// An empty set gives a row even of nothing.
		return rows{0, unbounded, "a row for each group of each grouping set"}
	case r.max == 0:
		return r
	case len(q.GroupClause) > 0:
		if why, ok := b.oneOf(q.GroupClause); ok && !r.single() {
			r.max, r.why = 1, "one group: "+why
		} else if !ok && !r.single() {
			r.why = "a row for each group"
		}
		if q.Having != nil {
			r = r.less("if HAVING lets it pass")
		}
	}
	if q.HasTargetSRFs {
		return rows{0, unbounded, "set-returning function in the select list"}
	}
	if len(q.Distinct) > 0 && !r.single() {
		if why, ok := b.oneOf(q.Distinct); ok {
			r.max, r.why = 1, "DISTINCT: "+why
		}
	}
	return r
}

// setRows bounds the rows of a set operation.
func (s *scope) setRows(n query.SetOpNode, bound []binding) rows {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return newScope(s.cat, s.q.RTE(n.Index).Subquery, s).rows(bound)
	case *query.SetOperationStmt:
		l, r := s.setRows(n.Left, bound), s.setRows(n.Right, bound)
		switch n.Op {
		case query.SetOpIntersect:
			l.min, r.min = 0, 0
			if r.max < l.max {
				l = r
			}
			if l.max == unbounded {
				l.why = "INTERSECT keeps the rows that both sides have"
			}
		case query.SetOpExcept:
			if l.max == unbounded {
				l.why = "EXCEPT keeps rows of its left side"
			}
			if r.max > 0 {
				l = l.less("unless EXCEPT takes it away")
			}
		default:
			switch {
			case l.max == 0:
				l = r
			case r.max > 0:
				l = rows{max(l.min, r.min), unbounded, "UNION adds up the rows of both sides"}
			}
		}
		if !n.All && l.max == unbounded && s.allBound(n, bound) {
			l.max, l.why = 1, "no two rows are alike, and every column is bound"
		}
		return l
	}
	return rows{0, unbounded, "set operation"}
}

// allBound reports whether all columns of a set operation that gives each row
// once are held to one value.
func (s *scope) allBound(n *query.SetOperationStmt, bound []binding) bool {
	for i, g := range n.GroupClauses {
		held := slices.ContainsFunc(bound, func(b binding) bool {
			return b.resNo == i+1 && s.holdsGroup(b.fixing, g.EqOp, n.ColCollations[i])
		})
		if !held {
			return false
		}
	}
	return len(n.GroupClauses) > 0
}

// insertRows bounds the rows that RETURNING of an INSERT gives: one for each row
// that was stored.
func (s *scope) insertRows() rows {
	q := s.q
	if q.HasTargetSRFs {
		return rows{0, unbounded, "set-returning function in VALUES"}
	}
	if s.ruled() {
		return rows{0, unbounded, "a rule says what is done instead"}
	}
	r := rows{1, 1, "one row is inserted"}
	if len(q.JoinTree.List) > 0 {
		if r = s.bounding(nil).from(); r.max <= 1 {
			r.why = "a row is inserted for each that SELECT gives: " + r.why
		}
	}
	oc := q.OnConflict
	if tr := s.skipper(q.RTE(q.ResultRelation).Relation, oc != nil && oc.Action == query.OnConflictUpdate); tr != "" {
		r = r.less("unless trigger " + tr + " skips it")
	}
	if oc != nil && (oc.Action == query.OnConflictNothing || oc.Where != nil) {
		r = r.less("or none on conflict")
	}
	return r
}

// ruled reports whether a rule replaces the statement: one of its target, or of what
// is below a view.
func (s *scope) ruled() bool {
	event := map[query.CmdType]string{query.CmdInsert: "insert", query.CmdUpdate: "update", query.CmdDelete: "delete"}[s.q.Command]
	return event != "" && s.ruledTable(s.q.RTE(s.q.ResultRelation).Relation, event)
}

func (s *scope) ruledTable(oid pgtype.OID, event string) bool {
	t := s.cat.Table(oid)
	if t == nil || slices.Contains(t.InsteadRules, event) {
		return t != nil
	}
	return t.Kind == catalog.KindView && t.View != nil && slices.ContainsFunc(t.View.RangeTable, func(rte *query.RangeTblEntry) bool {
		return rte.Kind == query.RTERelation && s.ruledTable(rte.Relation, event)
	})
}

// skipper names a row trigger that can keep a row from being inserted, or updated
// on conflict: of a table, of one of its partitions, or of a view and what it is
// over; "" if none can.
func (s *scope) skipper(oid pgtype.OID, update bool) string {
	t := s.cat.Table(oid)
	if t == nil {
		return ""
	}
	for _, tr := range t.Triggers {
		if tr.Row && tr.Timing != "after" && (slices.Contains(tr.Events, "insert") || update && slices.Contains(tr.Events, "update")) {
			return tr.Name
		}
	}
	below := t.Children
	if t.Kind != catalog.KindPartitioned {
		below = nil
	}
	if t.View != nil {
		for _, rte := range t.View.RangeTable {
			if rte.Kind == query.RTERelation {
				below = append(slices.Clone(below), rte.Relation)
			}
		}
	}
	for _, o := range below {
		if name := s.skipper(o, update); name != "" {
			return name
		}
	}
	return ""
}

// changedRows bounds the rows that RETURNING of an UPDATE or DELETE gives: one for
// each row of the target, however many rows of FROM or USING it meets.
func (s *scope) changedRows() rows {
	if s.ruled() {
		return rows{0, unbounded, "a rule says what is done instead"}
	}
	b := s.bounding(nil)
	r := b.from()
	if why := b.single[s.q.ResultRelation]; why != "" && !r.single() {
		r.max, r.why = 1, why
	}
	r.min = 0
	return r
}

// returnsSet reports whether a call in an expression returns a set.
func (s *scope) returnsSet(e query.Expr) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		switch n := x.(type) {
		case *query.FuncExpr:
			found = found || n.RetSet
		case *query.OpExpr:
			if o := s.cat.Operator(n.Op); o != nil {
				f := s.cat.Func(o.Func)
				found = found || f != nil && f.RetSet
			}
		}
		return !found
	})
	return found
}

// from bounds the rows that FROM and WHERE leave.
func (b *bounding) from() rows {
	s, q := b.scope, b.scope.q
	for _, c := range b.conds {
		if c.all && isFalse(s, c.expr) {
			return rows{0, 0, "WHERE is never true"}
		}
	}
	if len(b.leaves) == 0 {
		if len(b.conds) > 0 {
			return rows{0, 1, "no FROM, filtered by WHERE"}
		}
		return rows{1, 1, "no FROM"}
	}
	for j, sides := range s.sides {
		if len(sides) == 2 && s.present[j].IsEmpty() {
			return rows{0, unbounded, "a FULL JOIN keeps the rows of both sides"}
		}
	}
	r := rows{min: b.atLeast(q.JoinTree), max: 1}
	for _, i := range b.leaves {
		name := q.RTE(i).ERef.Name
		switch why := b.single[i]; {
		case why == "":
			r.max = unbounded
			r.why = b.nearest(i)
			if r.why == "" {
				r.why = "nothing bounds the rows of " + name
			}
			return r
		case r.why == "":
			r.why = why
		default:
			r.why += "; " + why
		}
	}
	return r
}

// isFalse tells the conditions that no row passes: FALSE, NULL, and 1 = 0 with
// which queries are made to return nothing.
func isFalse(s *scope, e query.Expr) bool {
	switch n := e.(type) {
	case *query.Const:
		return n.Null || n.Typ == pgtype.BoolOID && n.Value == "f"
	case *query.OpExpr:
		if len(n.Args) != 2 || s.cat.OpFamilyStrategy(n.Op, integerFamily(s.cat)) != catalog.BTEqual {
			return false
		}
		l, ok := n.Args[0].(*query.Const)
		r, ok2 := n.Args[1].(*query.Const)
		return ok && ok2 && !l.Null && !r.Null && l.Value != r.Value
	}
	return false
}

func integerFamily(cat *catalog.Catalog) pgtype.OID {
	if c := cat.DefaultOpClass(pgtype.Int4OID, catalog.BTreeMethod); c != nil {
		return c.Family
	}
	return 0
}

// atLeast is how many rows a part of the join tree has at least, 0 or 1.
func (b *bounding) atLeast(n query.JoinNode) int {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return b.sources[n.Index].min
	case *query.FromExpr:
		least := 1
		for _, c := range n.List {
			least = min(least, b.atLeast(c))
		}
		if !isTrue(n.Quals) {
			least = 0
		}
		return least
	case *query.JoinExpr:
		l, r := b.atLeast(n.Left), b.atLeast(n.Right)
		switch n.Type {
		case query.JoinInner:
			if isTrue(n.Quals) {
				return min(l, r)
			}
		case query.JoinLeft:
			return l
		case query.JoinRight:
			return r
		case query.JoinFull:
			return max(l, r)
		}
	}
	return 0
}

func isTrue(e query.Expr) bool {
	k, ok := e.(*query.Const)
	return e == nil || ok && !k.Null && k.Value == "t"
}

// source bounds the rows that a range table entry has for each row of those that
// it refers to, where the given columns of it have one value each.
func (s *scope) source(rte *query.RangeTblEntry, bound []binding) rows {
	switch rte.Kind {
	case query.RTESubquery:
		return newScope(s.cat, rte.Subquery, s).rows(bound)
	case query.RTEValues:
		if len(rte.Values) == 1 {
			return rows{1, 1, "VALUES of one row"}
		}
		return rows{1, unbounded, fmt.Sprintf("VALUES of %d rows", len(rte.Values))}
	case query.RTEFunction:
		return s.functionRows(rte)
	case query.RTECTE:
		at := s.up(rte.CTELevels)
		if at == nil || rte.SelfRef {
			break
		}
		for _, c := range at.q.CTEs {
			if c.Name == rte.CTEName && !c.Recursive {
				return newScope(s.cat, c.Query, at).rows(bound)
			}
		}
	case query.RTERelation:
		if t := s.cat.Table(rte.Relation); t != nil && t.View != nil {
			defer s.kept(t)()
			r := s.shared().scope(s.cat, t.View, nil, nil).rows(bound)
			if t.Kind == catalog.KindMatView || rte.Sample != nil {
				r.min = 0
			}
			return r
		}
	}
	return rows{0, unbounded, ""}
}

// functionRows bounds the rows of a FROM item of functions: the most of them all.
// A SQL function has those of its last statement.
func (s *scope) functionRows(rte *query.RangeTblEntry) rows {
	r := rows{1, 1, "a function gives one row"}
	for i, f := range rte.Functions {
		one := rows{1, 1, ""}
		if s.returnsSet(f.Expr) {
			one = rows{0, unbounded, ""}
			if fe, ok := f.Expr.(*query.FuncExpr); ok {
				fn := s.cat.Func(fe.Func)
				if fn != nil && fn.Language == "sql" && len(fn.Body) > 0 {
					one = s.bodyRows(fn)
				}
			}
		}
		if i == 0 {
			r.min = one.min
		}
		r.min, r.max = max(r.min, one.min), max(r.max, one.max)
		if one.max <= 1 && one.why != "" {
			r.why = one.why
		}
	}
	return r
}

// bodyRows bounds the rows of a set-returning SQL function. A strict one gives
// none for a NULL.
func (s *scope) bodyRows(fn *catalog.Func) rows {
	if slices.Contains(s.calls, fn.OID) || s.shared().asOf != 0 {
		return rows{0, unbounded, ""}
	}
	in := newScope(s.cat, fn.Body[len(fn.Body)-1], nil)
	in.calls = append(slices.Clone(s.calls), fn.OID)
	r := in.rows(nil)
	r.why = fmt.Sprintf("function %s: %s", fn.Name, r.why)
	if fn.Strict {
		r.min = 0
	}
	return r
}
