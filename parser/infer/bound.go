package infer

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// fixing says in what sense something has one value: by an equality operator under
// a collation, or in every bit of it.
type fixing struct {
	op, coll  pgtype.OID
	identical bool
	// null says that the one value may be NULL: IS NULL, IS NOT DISTINCT FROM.
	null bool
}

// binding is an output column of a query of which only the rows with one value of
// it are wanted.
type binding struct {
	resNo int
	fixing
}

// equality is left = other, or left IS NOT DISTINCT FROM other, in WHERE or ON.
type equality struct {
	left query.Expr
	// col is the column that left is, with its casts taken off; isCol is false for
	// another expression.
	col   column
	isCol bool
	// other is nil for a value that is the same for all rows whatever comes.
	other query.Expr
	fixing
	// bounds are the relations whose rows have passed the comparison where it
	// stands in the ON of an outer join; all is true where every row has.
	bounds query.Relids
	all    bool
}

// applies reports whether every row of a relation has passed the comparison.
func (e *equality) applies(i int) bool { return e.all || e.bounds.Has(i) }

// passedCond is a conjunct of WHERE or ON; bounds and all are as in [equality].
type passedCond struct {
	expr   query.Expr
	bounds query.Relids
	all    bool
}

// bounding works out which relations of a query level have one row at most in the
// result, from what WHERE and ON compare. A relation has where a unique key of it
// is compared with values that are the same for all rows: parameters, constants,
// columns of relations that have one row themselves, and columns that are compared
// with such (the equivalence classes of the planner, with more care for what an
// outer join leaves).
type bounding struct {
	*scope
	leaves []int // range table indexes, in order
	equal  []equality
	conds  []passedCond
	// single says why a relation has one row at most.
	single map[int]string
	// fixed are the columns with one value.
	fixed map[column][]fixing
	// sources are the rows of each relation by itself.
	sources map[int]rows
	asked   map[int]int // how many columns were held when sources was made
	needs   map[int]query.Relids
}

func (s *scope) bounding(bound []binding) *bounding {
	b := &bounding{
		scope: s, single: map[int]string{}, fixed: map[column][]fixing{},
		sources: map[int]rows{}, asked: map[int]int{}, needs: map[int]query.Relids{},
	}
	b.collect(s.q.JoinTree, true, query.Relids{})
	slices.Sort(b.leaves)
	for _, k := range bound {
		for _, te := range s.outputs() {
			if te.ResNo == k.resNo && !s.returnsSet(te.Expr) {
				b.hold(equality{left: te.Expr, fixing: k.fixing, all: true})
			}
		}
	}
	for _, i := range b.leaves {
		b.needs[i] = s.lateral(s.q.RTE(i))
	}
	for again := true; again; {
		again = b.fixColumns()
		for _, i := range b.leaves {
			if b.single[i] == "" {
				if why := b.singleRow(i); why != "" {
					b.single[i] = why
					again = true
				}
			}
		}
	}
	return b
}

// collect walks the join tree for leaves and conditions. A condition above the
// nullable side of an outer join is passed by all rows, one in the ON by those of
// the nullable side that found a match; where WHERE rejects the others, by all.
func (b *bounding) collect(n query.JoinNode, all bool, bounds query.Relids) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		b.leaves = append(b.leaves, n.Index)
	case *query.FromExpr:
		for _, c := range n.List {
			b.collect(c, all, bounds)
		}
		b.condition(n.Quals, all, bounds)
	case *query.JoinExpr:
		left, right := b.findSides(n.Left), b.findSides(n.Right)
		// What is still null-extended.
		nullLeft := (n.Type == query.JoinRight || n.Type == query.JoinFull) && !b.gone(n.Index, left)
		nullRight := (n.Type == query.JoinLeft || n.Type == query.JoinFull) && !b.gone(n.Index, right)
		inner := func(side query.JoinNode, null bool, rels query.Relids) {
			if null {
				b.collect(side, false, rels)
			} else {
				b.collect(side, all, bounds)
			}
		}
		inner(n.Left, nullLeft, left)
		inner(n.Right, nullRight, right)
		switch {
		case nullLeft && nullRight:
			// Rows of either side have not passed it.
		case nullLeft:
			b.condition(n.Quals, false, left)
		case nullRight:
			b.condition(n.Quals, false, right)
		default:
			b.condition(n.Quals, all, bounds)
		}
	}
}

// gone reports whether rows in which an outer join null-extends a side are rejected.
func (s *scope) gone(join int, side query.Relids) bool {
	for _, have := range s.sides[join] {
		if side.IsSubset(have) && have.IsSubset(s.present[join]) {
			return true
		}
	}
	return false
}

// condition takes a WHERE or ON apart.
func (b *bounding) condition(e query.Expr, all bool, bounds query.Relids) {
	for _, c := range conjuncts(e) {
		b.conds = append(b.conds, passedCond{c, bounds, all})
		b.compare(c, all, bounds)
	}
}

// compare notes what a condition says to be one value.
func (b *bounding) compare(c query.Expr, all bool, bounds query.Relids) {
	pair := func(args []query.Expr, f fixing) {
		for i := range 2 {
			if _, ok := args[i].(*query.Const); !ok {
				b.hold(equality{left: args[i], other: args[1-i], fixing: f, bounds: bounds, all: all})
			}
		}
	}
	one := func(e query.Expr, null bool) {
		b.hold(equality{left: e, fixing: fixing{identical: true, null: null}, bounds: bounds, all: all})
	}
	switch n := c.(type) {
	case *query.OpExpr:
		if len(n.Args) == 2 && b.isEquality(n.Op) && b.strictOp(n.Op) {
			pair(n.Args, fixing{op: n.Op, coll: n.InputColl})
		}
	case *query.BoolExpr:
		if n.Op != query.NotExpr {
			return
		}
		if d, ok := n.Args[0].(*query.DistinctExpr); ok && b.isEquality(d.Op) {
			pair(d.Args, fixing{op: d.Op, coll: d.InputColl, null: true})
			return
		}
		one(n.Args[0], false) // NOT flag
	case *query.NullTest:
		if !n.Not && !n.ArgIsRow {
			one(n.Arg, true)
		}
	case *query.BooleanTest:
		if n.Kind == query.IsTrue || n.Kind == query.IsFalse {
			one(n.Arg, false)
		}
	case *query.Var:
		one(n, false) // a flag
	}
}

// hold adds an equality, with the casts of its left side taken off that keep
// different values different.
func (b *bounding) hold(e equality) {
	e.left = plainCast(e.left)
	for {
		arg := b.injective(e.left, e.fixing)
		if arg == nil {
			break
		}
		e.left, e.identical = plainCast(arg), true
	}
	if v, ok := e.left.(*query.Var); ok {
		v = b.throughJoin(v)
		if v.LevelsUp == 0 && (v.AttNo > 0 || v.AttNo == -1) {
			e.col, e.isCol = column{v.VarNo, v.AttNo}, true
		}
	}
	b.equal = append(b.equal, e)
}

// throughJoin is the column of a table that a column of a join is.
func (s *scope) throughJoin(v *query.Var) *query.Var {
	for v.LevelsUp == 0 && v.AttNo > 0 && v.VarNo >= 1 && v.VarNo <= len(s.q.RangeTable) {
		rte := s.q.RTE(v.VarNo)
		if rte.Kind != query.RTEJoin || v.AttNo > len(rte.JoinAliasVars) {
			break
		}
		in, ok := plainCast(rte.JoinAliasVars[v.AttNo-1]).(*query.Var)
		if !ok {
			break
		}
		v = in
	}
	return v
}

// injective returns what a cast is of, if it makes different values of different
// ones: a wider integer, or the text of an integer, a uuid, a boolean or an enum
// compared byte by byte; nil otherwise.
func (s *scope) injective(e query.Expr, f fixing) query.Expr {
	switch n := e.(type) {
	case *query.FuncExpr:
		fn := s.cat.Func(n.Func)
		if fn == nil || len(n.Args) != 1 || fn.OID >= pgtype.FirstNormalOID || !s.isCast(fn) {
			return nil
		}
		switch fn.Source {
		case "i2toi4", "int28", "int48", "int2_numeric", "int4_numeric", "int8_numeric", "booltext", "date_timestamp":
			return n.Args[0]
		}
	case *query.CoerceViaIO:
		t := s.cat.Type(s.cat.BaseType(n.Arg.ResultType()))
		text := s.cat.DefaultOpClass(pgtype.TextOID, catalog.BTreeMethod)
		if t == nil || text == nil || n.Typ != pgtype.TextOID && n.Typ != pgtype.VarcharOID || !s.asFine(f.coll, n.Coll) ||
			f.op != 0 && s.cat.OpFamilyStrategy(f.op, text.Family) != catalog.BTEqual {
			return nil
		}
		switch {
		case t.Kind == 'e', t.OID == pgtype.Int2OID, t.OID == pgtype.Int4OID, t.OID == pgtype.Int8OID,
			t.Schema == "pg_catalog" && t.Name == "uuid":
			return n.Arg
		}
	}
	return nil
}

// fixColumns follows the equalities once more and reports whether a column was
// found to have one value that was not known to.
func (b *bounding) fixColumns() bool {
	found := false
	for i := range b.equal {
		e := &b.equal[i]
		if !e.isCol || !e.applies(e.col.varno) {
			continue
		}
		for _, f := range b.given(e) {
			if !slices.Contains(b.fixed[e.col], f) {
				b.fixed[e.col] = append(b.fixed[e.col], f)
				found = true
			}
		}
	}
	return found
}

// given says in what senses an equality holds its left side to one value.
func (b *bounding) given(e *equality) []fixing {
	if b.constant(e.other, e.null) {
		return []fixing{e.fixing}
	}
	v, ok := plainCast(e.other).(*query.Var)
	if !ok {
		return nil
	}
	v = b.throughJoin(v)
	var out []fixing
	for _, f := range b.fixed[column{v.VarNo, v.AttNo}] {
		switch {
		case v.LevelsUp > 0 || e.null:
		case f.identical:
			out = append(out, e.fixing)
		case b.sameFamily(f.op, e.op) && b.asFine(f.coll, e.coll) && b.asFine(e.coll, f.coll):
			out = append(out, fixing{op: e.op, coll: e.coll, identical: e.identical})
		}
	}
	return out
}

func (s *scope) sameFamily(a, b pgtype.OID) bool {
	of := s.cat.MergeJoinFamilies(b)
	return slices.ContainsFunc(s.cat.MergeJoinFamilies(a), func(f pgtype.OID) bool { return slices.Contains(of, f) })
}

// holdsKey reports whether one value in the sense of a fixing is one value to an
// operator family and a collation: citext's and bpchar's equality of a text column
// leave more than one value of it, and so does a nondeterministic collation.
func (s *scope) holdsKey(f fixing, family, coll pgtype.OID) bool {
	return f.identical || s.cat.OpFamilyStrategy(f.op, family) == catalog.BTEqual && s.asFine(f.coll, coll)
}

// holdsGroup is holdsKey for the equality that rows are grouped by.
func (s *scope) holdsGroup(f fixing, eq, coll pgtype.OID) bool {
	return f.identical || s.sameFamily(f.op, eq) && s.asFine(f.coll, coll)
}

// asFine reports whether what a collation calls equal is equal in another.
func (s *scope) asFine(coll, of pgtype.OID) bool {
	if coll == 0 || coll == of {
		return true
	}
	c := s.cat.Collation(coll)
	return c != nil && c.Deterministic
}

// lateral returns the relations of this level that a range table entry refers to.
func (s *scope) lateral(rte *query.RangeTblEntry) query.Relids {
	var out query.Relids
	see := func(above int) func(query.Expr, int) bool {
		return func(e query.Expr, depth int) bool {
			if v, ok := e.(*query.Var); ok && v.LevelsUp == depth+above {
				out = out.Add(v.VarNo)
			}
			return true
		}
	}
	if rte.Subquery != nil {
		rte.Subquery.WalkLevels(see(1))
	}
	for _, f := range rte.Functions {
		query.WalkLevels(f.Expr, see(0))
	}
	for _, row := range rte.Values {
		for _, e := range row {
			query.WalkLevels(e, see(0))
		}
	}
	return out
}

// conjuncts are the conditions that AND joins.
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

// isEquality tells the operators that are equality to a btree family.
func (s *scope) isEquality(op pgtype.OID) bool {
	return len(s.cat.MergeJoinFamilies(op)) > 0
}

func plainCast(e query.Expr) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			return e
		}
		e = r.Arg
	}
}
