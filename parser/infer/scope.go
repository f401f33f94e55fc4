package infer

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// Options are what a project lets inference take for granted.
type Options struct {
	// TrustForeignKeys lets a LEFT JOIN along a valid foreign key of columns that
	// are not null find its row always. Row-level security, deferred checks and
	// session_replication_role can break it.
	TrustForeignKeys bool
	// TrustDomains lets a stored column of a NOT NULL domain be not null. Only casts
	// to a domain are checked: a value that has its type already, of an outer join or
	// a subquery without a row, may be NULL and is stored.
	TrustDomains bool
	// Params are the statement's parameters that are never NULL, by number, each
	// with the reason.
	Params map[int]string
}

// env is what all scopes of one inference share.
type env struct {
	opts Options
	// views are the columns of views that were worked out.
	views map[*query.Query][]value
	// states counts the states that scopes were in.
	states int
	// filled is set inside a materialised view: what held when it was filled.
	filled *catalog.Filled
	// asOf is set for what was computed by functions as they were when an object
	// was made; 0 for the functions of now.
	asOf pgOID
	// modules are the extensions that functions belong to.
	modules map[pgOID]string
}

// scope is what is known inside one query level.
type scope struct {
	cat   *catalog.Catalog
	env   *env
	q     *query.Query
	outer *scope

	// forced are columns that WHERE and inner joins prove not null: the
	// quals are strict in them, so that a row with a NULL there is gone. Number 0
	// stands for the row: it is not null-extended.
	forced map[column]string
	// exprs are other expressions that they prove not null, columns of outer
	// queries among them.
	exprs []fact
	// having is what HAVING proves, of groups.
	having []fact
	// conds are the conditions that every row has passed.
	conds []query.Expr
	// inJoin are columns that the ON of a join proves not null in the rows that
	// have passed it: those that neither it nor a join above null-extends.
	inJoin map[column][]proof
	// newRow is set for a view that is written through: its columns are those of
	// the row that was written, which its WHERE has not seen.
	newRow bool
	// oldRow is set while what is assigned is looked at, which sees the row as it
	// was before.
	oldRow bool
	// present holds, for each outer join, the relations of the sides whose
	// null-extended rows are gone.
	present map[int]query.Relids
	// sides are the relations on the nullable sides of each outer join.
	sides map[int][]query.Relids
	// joins are the outer joins by their index, with the place of their ON.
	joins map[int]*query.JoinExpr
	// trusted are the foreign keys by which outer joins always find a row.
	trusted map[int]string
	// through is an outer join that is looked through: columns are as below it.
	through int
	// common are the groupings that every grouping set has, by their references;
	// nil without grouping sets.
	common map[int]bool
	// inAgg is set while the argument of an aggregate of this level is looked at,
	// which is evaluated for rows and not for groups.
	inAgg bool

	// assume is what the branch of a CASE that is being looked at rests on; truths
	// are the conditions that were decided on the way to it.
	assume []fact
	truths []decided
	// checking is set for a row of a table that a CHECK is held against, isNull has
	// the columns that are taken to be NULL in it.
	checking bool
	isNull   map[int]bool
	// state names what holds at the moment of the above; memo keeps values by it.
	state int
	memo  map[memoKey]value
	// building is set while the conditions are being collected.
	building bool

	// args are the arguments of the SQL function whose body this is.
	args []value
	// sublinkCols are the columns of the subquery that a test is applied to.
	sublinkCols []value

	// ctes cache the columns of WITH queries; nil while being worked out.
	ctes map[*query.CommonTableExpr][]value
	subs map[*query.Query][]value
	// calls are the SQL functions whose body this is part of.
	calls []pgOID
}

// column is a Var's identity.
type column struct{ varno, attno int }

// fact is an expression that is not null, and why.
type fact struct {
	expr query.Expr
	why  string
}

// proof is a reason that holds where an outer join found a match; join is 0 for
// an inner one.
type proof struct {
	join int
	why  string
}

// newScope collects what holds inside a query; outer is nil for one on its own.
func newScope(cat *catalog.Catalog, q *query.Query, outer *scope) *scope {
	if outer != nil {
		return outer.shared().scope(cat, q, outer, nil)
	}
	e := &env{views: map[*query.Query][]value{}}
	return e.scope(cat, q, nil, nil)
}

// scope is newScope with what is shared; args are those of a function whose body
// the query is, calls the functions that it is within.
func (e *env) scope(cat *catalog.Catalog, q *query.Query, outer *scope, args []value, calls ...pgOID) *scope {
	s := &scope{
		cat: cat, env: e, q: q, outer: outer, args: args, calls: calls,
		forced: map[column]string{}, inJoin: map[column][]proof{}, joins: map[int]*query.JoinExpr{},
		present: map[int]query.Relids{}, sides: map[int][]query.Relids{},
		ctes: map[*query.CommonTableExpr][]value{}, subs: map[*query.Query][]value{},
	}
	if outer != nil {
		s.calls = outer.calls
	}
	if q.JoinTree != nil {
		s.building = true
		s.common = commonGroups(q)
		s.findSides(q.JoinTree)
		s.quals(q.JoinTree, true)
		s.discharge()
		if e.opts.TrustForeignKeys {
			s.changed()
			s.trust()
		}
		if q.Having != nil {
			s.having = s.proves(q.Having, wantTrue).facts("HAVING rejects groups where it is NULL")
		}
		s.building = false
		s.changed()
	}
	return s
}

// shared is what all scopes share, made for a scope that was not begun by a query.
func (s *scope) shared() *env {
	if s.env == nil {
		s.env = &env{views: map[*query.Query][]value{}}
	}
	return s.env
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
		s.joins[n.Index] = n
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
	for _, c := range conjuncts(e) {
		if top {
			s.conds = append(s.conds, c)
		}
		for _, x := range s.proves(c, wantTrue).list {
			v, ok := x.(*query.Var)
			switch {
			case ok && v.LevelsUp == 0:
				k := column{v.VarNo, v.AttNo}
				if !top {
					s.inJoin[k] = append(s.inJoin[k], proof{join, why})
					continue
				}
				if _, ok := s.forced[k]; !ok {
					s.forced[k] = why
				}
				s.markPresent(v)
			case top:
				s.exprs = append(s.exprs, fact{x, why})
			}
		}
	}
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

// strictColumns returns the columns of this level whose being NULL would make a
// condition false or NULL; where not top, would make it NULL.
func (s *scope) strictColumns(e query.Expr, top bool) map[column]bool {
	w := wantTrue
	if !top {
		w = wantValue
	}
	out := map[column]bool{}
	for _, x := range s.proves(e, w).list {
		if v, ok := x.(*query.Var); ok && v.LevelsUp == 0 && v.AttNo > 0 {
			out[column{v.VarNo, v.AttNo}] = true
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
