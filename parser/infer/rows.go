package infer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// cardinality bounds the rows of the result.
func (s *scope) cardinality() (Cardinality, string) {
	q := s.q
	switch q.Command {
	case query.CmdSelect:
		c, why := s.selectRows()
		return limitRows(q, c, why)
	case query.CmdInsert, query.CmdUpdate, query.CmdDelete, query.CmdMerge:
		if len(q.Returning) == 0 {
			return None, "no RETURNING"
		}
		if q.Command == query.CmdMerge {
			return Many, "MERGE"
		}
		if q.Command == query.CmdInsert {
			return s.insertRows()
		}
		return s.fromRows()
	}
	return None, "not a query"
}

func limitRows(q *query.Query, c Cardinality, why string) (Cardinality, string) {
	if q.LimitCount == nil || q.WithTies {
		if q.LimitOffset != nil && c == ExactlyOne {
			return AtMostOne, why + ", less OFFSET"
		}
		return c, why
	}
	k, ok := q.LimitCount.(*query.Const)
	if !ok {
		k = foldLimit(q.LimitCount)
	}
	if k != nil && !k.Null {
		n, err := strconv.Atoi(k.Value)
		switch {
		case err != nil:
		case n == 1 && c == Many:
			return AtMostOne, "LIMIT 1"
		case n == 1 && q.LimitOffset == nil:
			return c, why
		case n > 1 && q.LimitOffset == nil:
			return c, why
		}
	}
	if c == ExactlyOne {
		return AtMostOne, why + ", less LIMIT or OFFSET"
	}
	return c, why
}

// foldLimit sees through the cast of LIMIT's constant to bigint.
func foldLimit(e query.Expr) *query.Const {
	if f, ok := e.(*query.FuncExpr); ok && len(f.Args) == 1 && f.Form == query.CoerceImplicitCast {
		if k, ok := f.Args[0].(*query.Const); ok {
			return k
		}
	}
	return nil
}

func (s *scope) selectRows() (Cardinality, string) {
	q := s.q
	switch {
	case q.SetOperations != nil:
		top := q.SetOperations.(*query.SetOperationStmt)
		if top.Op == query.SetOpUnion {
			return Many, "UNION"
		}
		return Many, "set operation"
	case q.HasTargetSRFs:
		return Many, "set-returning function in the select list"
	case len(q.GroupingSets) > 0:
		return Many, "GROUPING SETS"
	case len(q.GroupClause) == 0 && (q.HasAggs || q.Having != nil):
		if q.Having != nil {
			return AtMostOne, "aggregates without GROUP BY, filtered by HAVING"
		}
		return ExactlyOne, "aggregates without GROUP BY"
	case len(q.GroupClause) > 0:
		c, why := s.fromRows()
		if c == ExactlyOne {
			c = AtMostOne
		}
		return c, why
	}
	return s.fromRows()
}

func (s *scope) insertRows() (Cardinality, string) {
	q := s.q
	if q.HasTargetSRFs {
		return Many, "set-returning function in VALUES"
	}
	c, why := s.fromRows()
	if len(q.JoinTree.List) == 0 {
		c, why = ExactlyOne, "one row is inserted"
	}
	if tr := s.skipper(q.RTE(q.ResultRelation).Relation); tr != "" && c == ExactlyOne {
		return AtMostOne, why + ", unless trigger " + tr + " skips it"
	}
	if oc := q.OnConflict; oc != nil && c == ExactlyOne && (oc.Action == query.OnConflictNothing || oc.Where != nil) {
		return AtMostOne, why + ", or none on conflict"
	}
	return c, why
}

// skipper names a row trigger that can keep a row from being inserted: of a table,
// of one of its partitions, or of a view and what it is over; "" if none can.
func (s *scope) skipper(oid pgtype.OID) string {
	t := s.cat.Table(oid)
	if t == nil {
		return ""
	}
	for _, tr := range t.Triggers {
		if tr.Row && tr.Timing != "after" {
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
		if name := s.skipper(o); name != "" {
			return name
		}
	}
	return ""
}

// fromRows bounds the rows that FROM and WHERE leave.
func (s *scope) fromRows() (Cardinality, string) {
	q := s.q
	rels := map[int]bool{}
	s.leaves(q.JoinTree, rels)
	if len(rels) == 0 {
		if q.JoinTree.Quals != nil {
			return AtMostOne, "no FROM, filtered by WHERE"
		}
		return ExactlyOne, "no FROM"
	}
	for j, sides := range s.sides {
		if len(sides) == 2 && s.present[j].IsEmpty() {
			return Many, "a FULL JOIN keeps the rows of both sides"
		}
	}
	equal, passed := s.equalities()
	single := map[int]string{}
	for again := true; again; {
		again = false
		for i := range rels {
			if single[i] != "" {
				continue
			}
			if why := s.singleRow(i, equal, passed, single); why != "" {
				single[i] = why
				again = true
			}
		}
	}
	var reasons []string
	for i := 1; i <= len(q.RangeTable); i++ {
		if !rels[i] {
			continue
		}
		if single[i] == "" {
			return Many, fmt.Sprintf("nothing bounds the rows of %s", q.RTE(i).ERef.Name)
		}
		reasons = append(reasons, single[i])
	}
	if len(rels) == 1 && q.JoinTree.Quals == nil {
		for i := range rels {
			if s.alwaysRow(q.RTE(i)) {
				return ExactlyOne, reasons[0]
			}
		}
	}
	return AtMostOne, strings.Join(reasons, "; ")
}

// alwaysRow reports whether a source that has one row at most always has it.
func (s *scope) alwaysRow(rte *query.RangeTblEntry) bool {
	switch rte.Kind {
	case query.RTESubquery:
		c, _ := newScope(s.cat, rte.Subquery, s).cardinality()
		return c == ExactlyOne
	case query.RTEValues, query.RTEFunction:
		return true
	}
	return false
}

func (s *scope) leaves(n query.JoinNode, out map[int]bool) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		out[n.Index] = true
	case *query.FromExpr:
		for _, c := range n.List {
			s.leaves(c, out)
		}
	case *query.JoinExpr:
		s.leaves(n.Left, out)
		s.leaves(n.Right, out)
	}
}

// equality is col = other, where other does not depend on col's relation.
type equality struct {
	col   column
	other query.Expr
	// expr is the side that is no plain column, nil for a column.
	expr query.Expr
	op   *query.OpExpr
	// join is the index of the outer join in whose ON it stands, 0 if every
	// row passes it; then it bounds the nullable side alone.
	bounds query.Relids
	all    bool
}

// equalities collects what WHERE and ON compare by the equality of a unique
// index, and all their conditions.
func (s *scope) equalities() ([]equality, []passedCond) {
	var out []equality
	var passed []passedCond
	collect := func(e query.Expr, all bool, bounds query.Relids) {
		for _, c := range conjuncts(e) {
			passed = append(passed, passedCond{c, bounds, all})
			op, ok := c.(*query.OpExpr)
			if !ok || len(op.Args) != 2 || !s.isEquality(op.Op) {
				continue
			}
			for i := range 2 {
				if v, ok := plainColumn(op.Args[i]); ok {
					out = append(out, equality{col: column{v.VarNo, v.AttNo}, op: op, other: op.Args[1-i], bounds: bounds, all: all})
				} else if _, ok := op.Args[i].(*query.Const); !ok {
					out = append(out, equality{expr: op.Args[i], op: op, other: op.Args[1-i], bounds: bounds, all: all})
				}
			}
		}
	}
	var walk func(n query.JoinNode, all bool, bounds query.Relids)
	walk = func(n query.JoinNode, all bool, bounds query.Relids) {
		switch n := n.(type) {
		case *query.FromExpr:
			for _, c := range n.List {
				walk(c, all, bounds)
			}
			collect(n.Quals, all, bounds)
		case *query.JoinExpr:
			switch n.Type {
			case query.JoinInner:
				walk(n.Left, all, bounds)
				walk(n.Right, all, bounds)
				collect(n.Quals, all, bounds)
			case query.JoinLeft:
				inner := s.findSides(n.Right)
				walk(n.Left, all, bounds)
				walk(n.Right, false, inner)
				collect(n.Quals, false, inner)
			case query.JoinRight:
				inner := s.findSides(n.Left)
				walk(n.Right, all, bounds)
				walk(n.Left, false, inner)
				collect(n.Quals, false, inner)
			}
		}
	}
	walk(s.q.JoinTree, true, query.Relids{})
	return out, passed
}

func conjuncts(e query.Expr) []query.Expr {
	if e == nil {
		return nil
	}
	if b, ok := e.(*query.BoolExpr); ok && b.Op == query.AndExpr {
		var out []query.Expr
		for _, a := range b.Args {
			out = append(out, conjuncts(a)...)
		}
		return out
	}
	return []query.Expr{e}
}

func plainColumn(e query.Expr) (*query.Var, bool) {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			break
		}
		e = r.Arg
	}
	v, ok := e.(*query.Var)
	return v, ok && v.LevelsUp == 0 && v.AttNo > 0
}

func (s *scope) isEquality(op pgtype.OID) bool {
	return len(s.cat.MergeJoinFamilies(op)) > 0
}

// singleRow says why a relation has at most one row for each row of those that
// are single already; "" if it may have more.
func (s *scope) singleRow(i int, equal []equality, passed []passedCond, single map[int]string) string {
	rte := s.q.RTE(i)
	switch rte.Kind {
	case query.RTESubquery:
		if c, why := newScope(s.cat, rte.Subquery, s).cardinality(); c == AtMostOne || c == ExactlyOne {
			return why
		}
		return s.groupBound(i, rte.Subquery, equal, single)
	case query.RTEValues:
		if len(rte.Values) == 1 {
			return "VALUES of one row"
		}
	case query.RTEFunction:
		for _, f := range rte.Functions {
			fe, ok := f.Expr.(*query.FuncExpr)
			if ok && fe.RetSet {
				return ""
			}
		}
		return "a function gives one row"
	case query.RTECTE:
		at := s.up(rte.CTELevels)
		if at == nil || rte.SelfRef {
			return ""
		}
		for _, c := range at.q.CTEs {
			if c.Name == rte.CTEName && !c.Recursive {
				if n, why := newScope(s.cat, c.Query, at).cardinality(); n == AtMostOne || n == ExactlyOne {
					return why
				}
			}
		}
	case query.RTERelation:
		if t := s.cat.Table(rte.Relation); t != nil && t.Kind == catalog.KindView && t.View != nil {
			if c, why := newScope(s.cat, t.View, nil).cardinality(); c == AtMostOne || c == ExactlyOne {
				return why
			}
			return s.groupBound(i, t.View, equal, single)
		}
		return s.keyBound(i, rte, equal, passed, single)
	}
	return ""
}
