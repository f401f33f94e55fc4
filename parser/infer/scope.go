package infer

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// scope is what is known inside one query level.
type scope struct {
	cat   *catalog.Catalog
	q     *query.Query
	outer *scope

	// forced are columns that WHERE and inner joins prove not null: the
	// quals are strict in them, so that a row with a NULL there is gone.
	forced map[column]string
	// inJoin are columns that the ON of a join proves not null in the rows that
	// have passed it: those that neither it nor a join above null-extends.
	inJoin map[column][]proof
	// newRow is set for a view that is written through: its columns are those of
	// the row that was written, which its WHERE has not seen.
	newRow bool
	// present holds, for each outer join, the relations of the sides whose
	// null-extended rows are gone.
	present map[int]query.Relids
	// sides are the relations on the nullable sides of each outer join.
	sides map[int][]query.Relids
	// ctes cache the columns of WITH queries; nil while being worked out.
	ctes map[*query.CommonTableExpr][]value
	subs map[*query.Query][]value
	// calls are the SQL functions whose body this is part of.
	calls []pgOID
}

// column is a Var's identity.
type column struct{ varno, attno int }

// proof is a reason that holds where an outer join found a match; join is 0 for
// an inner one.
type proof struct {
	join int
	why  string
}

// value is what is known of an expression's value.
type value struct {
	notNull  bool
	elements bool // array elements are never NULL
	why      string
}

func newScope(cat *catalog.Catalog, q *query.Query, outer *scope) *scope {
	s := &scope{
		cat: cat, q: q, outer: outer,
		forced: map[column]string{}, inJoin: map[column][]proof{},
		present: map[int]query.Relids{}, sides: map[int][]query.Relids{},
		ctes: map[*query.CommonTableExpr][]value{}, subs: map[*query.Query][]value{},
	}
	if outer != nil {
		s.calls = outer.calls
	}
	if q.JoinTree != nil {
		s.findSides(q.JoinTree)
		s.quals(q.JoinTree, true)
		s.discharge()
	}
	return s
}

// up returns the scope n query levels further out.
func (s *scope) up(n int) *scope {
	for ; n > 0 && s != nil; n-- {
		s = s.outer
	}
	return s
}

// findSides notes which relations each outer join can null-extend.
func (s *scope) findSides(n query.JoinNode) query.Relids {
	switch n := n.(type) {
	case *query.RangeTblRef:
		return query.MakeRelids(n.Index)
	case *query.FromExpr:
		var all query.Relids
		for _, c := range n.List {
			all = all.Union(s.findSides(c))
		}
		return all
	case *query.JoinExpr:
		left, right := s.findSides(n.Left), s.findSides(n.Right)
		switch n.Type {
		case query.JoinLeft:
			s.sides[n.Index] = []query.Relids{right}
		case query.JoinRight:
			s.sides[n.Index] = []query.Relids{left}
		case query.JoinFull:
			s.sides[n.Index] = []query.Relids{left, right}
		}
		return left.Union(right).Add(n.Index)
	}
	return query.Relids{}
}

// quals walks the join tree for conditions that every row has passed. top is
// false below the nullable side of an outer join.
func (s *scope) quals(n query.JoinNode, top bool) {
	switch n := n.(type) {
	case *query.FromExpr:
		for _, c := range n.List {
			s.quals(c, top)
		}
		s.force(n.Quals, top, 0, "WHERE")
	case *query.JoinExpr:
		left, right := top, top
		switch n.Type {
		case query.JoinLeft:
			right = false
		case query.JoinRight:
			left = false
		case query.JoinFull:
			left, right = false, false
		}
		s.quals(n.Left, left)
		s.quals(n.Right, right)
		join := n.Index
		if n.Type == query.JoinInner {
			join = 0
		}
		s.force(n.Quals, top && join == 0, join, "ON")
	}
}

// force notes what a condition proves: of all rows where top, else of those that
// passed it in the outer join with the given index.
func (s *scope) force(e query.Expr, top bool, join int, clause string) {
	if e == nil {
		return
	}
	why := clause + " rejects rows where it is NULL"
	for c := range s.strictColumns(e, true) {
		if !top {
			s.inJoin[c] = append(s.inJoin[c], proof{join, why})
		} else if _, ok := s.forced[c]; !ok {
			s.forced[c] = why
		}
	}
	if !top {
		return
	}
	query.Walk(e, func(x query.Expr) bool {
		if v, ok := x.(*query.Var); ok && v.LevelsUp == 0 {
			if _, strict := s.forced[column{v.VarNo, v.AttNo}]; strict {
				s.markPresent(v)
			}
		}
		_, sub := x.(*query.SubLink)
		return !sub
	})
}

// markPresent notes that rows in which v's relation was null-extended are gone.
func (s *scope) markPresent(v *query.Var) {
	for j := range v.NullingRels.All() {
		for _, side := range s.sides[j] {
			if side.Has(v.VarNo) {
				s.present[j] = s.present[j].Union(side)
			}
		}
	}
}

// discharge repeats until nothing new follows: a forced column of a relation
// below several outer joins makes all of them harmless for it.
func (s *scope) discharge() {
	for c := range s.forced {
		for j, sides := range s.sides {
			for _, side := range sides {
				if side.Has(c.varno) {
					s.present[j] = s.present[j].Union(side)
				}
			}
		}
	}
}

// matched reports whether the rows that an outer join null-extends are gone, on
// both sides of a FULL one; true for 0, an inner join.
func (s *scope) matched(join int) bool {
	for _, side := range s.sides[join] {
		if !side.IsSubset(s.present[join]) {
			return false
		}
	}
	return true
}

// nulledBy returns an outer join that can still null a Var, 0 if none.
func (s *scope) nulledBy(v *query.Var) int {
	for j := range v.NullingRels.All() {
		if !s.present[j].Has(v.VarNo) {
			return j
		}
	}
	return 0
}

// strictColumns returns the columns of this level whose being NULL would make a
// condition false or NULL. That is find_nonnullable_vars (clauses.c) read with more
// care: what the planner may take for granted of an empty array below NOT would
// here be a wrong promise.
func (s *scope) strictColumns(e query.Expr, top bool) map[column]bool {
	out := map[column]bool{}
	add := func(list ...query.Expr) {
		for _, a := range list {
			for c := range s.strictColumns(a, false) {
				out[c] = true
			}
		}
	}
	switch n := e.(type) {
	case *query.Var:
		if n.LevelsUp == 0 && n.AttNo > 0 {
			out[column{n.VarNo, n.AttNo}] = true
		}
	case *query.OpExpr:
		if s.strictOp(n.Op) {
			add(n.Args...)
		}
	case *query.FuncExpr:
		if f := s.cat.Func(n.Func); f != nil && f.Strict && !n.RetSet {
			add(n.Args...)
		}
	case *query.ScalarArrayOpExpr:
		if s.strictOp(n.Op) {
			if n.UseOr {
				// NULL = ANY of an empty array is false, which is as good here.
				if top {
					add(n.Args[0])
				}
				add(n.Args[1])
			} else {
				add(n.Args[1])
			}
		}
	case *query.RelabelType:
		add(n.Arg)
	case *query.CoerceViaIO:
		add(n.Arg)
	case *query.ArrayCoerceExpr:
		add(n.Arg)
	case *query.CollateExpr:
		add(n.Arg)
	case *query.NullTest:
		if top && n.Not && !n.ArgIsRow {
			add(n.Arg)
		}
	case *query.BooleanTest:
		if top && (n.Kind == query.IsTrue || n.Kind == query.IsFalse || n.Kind == query.IsNotUnknown) {
			add(n.Arg)
		}
	case *query.RowCompareExpr:
		// Only the first pair is always looked at.
		if s.strictOp(n.Ops[0]) {
			add(n.Left[0], n.Right[0])
		}
	case *query.SubLink:
		if top && n.Kind == query.AnySubLink && n.Test != nil {
			for c := range s.strictColumns(n.Test, true) {
				out[c] = true
			}
		}
	case *query.BoolExpr:
		switch {
		case n.Op == query.NotExpr:
			add(n.Args...)
		case n.Op == query.AndExpr && top:
			for _, a := range n.Args {
				for c := range s.strictColumns(a, true) {
					out[c] = true
				}
			}
		default:
			for i, a := range n.Args {
				have := s.strictColumns(a, top)
				if i == 0 {
					out = have
					continue
				}
				for c := range out {
					if !have[c] {
						delete(out, c)
					}
				}
			}
		}
	}
	return out
}

func (s *scope) strictOp(op pgOID) bool {
	o := s.cat.Operator(op)
	if o == nil {
		return false
	}
	f := s.cat.Func(o.Func)
	return f != nil && f.Strict
}
