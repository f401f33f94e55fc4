package analyze

import (
	"slices"
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func itoa(i int) string { return strconv.Itoa(i) }

func isNullConst(n *pg.Node) bool {
	c := n.GetAConst()
	return c != nil && c.Isnull
}

// aExpr dispatches on the kind of an operator expression.
func (s *state) aExpr(n *pg.A_Expr) query.Expr {
	names, loc := stringsOf(n.Name), int(n.Location)
	switch n.Kind {
	case pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP_ALL:
		l, r := s.transform(n.Lexpr), s.transform(n.Rexpr)
		return s.makeArrayOp(names, n.Kind == pg.A_Expr_Kind_AEXPR_OP_ANY, l, r, loc)
	case pg.A_Expr_Kind_AEXPR_DISTINCT, pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return s.distinctFrom(n, names, loc)
	case pg.A_Expr_Kind_AEXPR_NULLIF:
		l, r := s.transform(n.Lexpr), s.transform(n.Rexpr)
		op := s.makeOp(names, l, r, s.lastSRF, loc)
		if op.Typ != pgtype.BoolOID {
			s.fail(errDatatypeMismatch, loc, "NULLIF requires = operator to yield boolean")
		}
		if op.RetSet {
			s.fail(errDatatypeMismatch, loc, "NULLIF must not return a set")
		}
		e := &query.NullIfExpr{OpExpr: *op}
		e.Typ, e.Mod = op.Args[0].ResultType(), op.Args[0].ResultTypmod()
		return e
	case pg.A_Expr_Kind_AEXPR_IN:
		return s.inList(n, names, loc)
	case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN,
		pg.A_Expr_Kind_AEXPR_BETWEEN_SYM, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return s.between(n, loc)
	}
	return s.rawOp(names, n.Lexpr, n.Rexpr, loc)
}

// rawOp is transformAExprOp.
func (s *state) rawOp(names []string, l, r *pg.Node, loc int) query.Expr {
	if l.GetRowExpr() != nil {
		if sub := r.GetSubLink(); sub != nil && sub.SubLinkType == pg.SubLinkType_EXPR_SUBLINK {
			return s.subLinkAs(sub, query.RowCompareSubLink, l, names, loc)
		}
		if r.GetRowExpr() != nil {
			left := s.transform(l).(*query.RowExpr)
			right := s.transform(r).(*query.RowExpr)
			return s.rowComparison(names, left.Args, right.Args, loc)
		}
	}
	last := s.lastSRF
	left := s.transform(l)
	right := s.transform(r)
	if right == nil {
		s.fail(errSyntax, noLoc, "postfix operators are not supported")
	}
	return s.makeOp(names, left, right, last, loc)
}

// distinctFrom is transformAExprDistinct.
func (s *state) distinctFrom(n *pg.A_Expr, names []string, loc int) query.Expr {
	not := n.Kind == pg.A_Expr_Kind_AEXPR_NOT_DISTINCT
	for _, pair := range [][2]*pg.Node{{n.Rexpr, n.Lexpr}, {n.Lexpr, n.Rexpr}} {
		if isNullConst(pair[0]) {
			t := &query.NullTest{Arg: s.transform(pair[1]), Not: !not}
			t.Header = s.boolHeader(loc)
			return t
		}
	}
	l, r := s.transform(n.Lexpr), s.transform(n.Rexpr)
	var e query.Expr
	lr, lok := l.(*query.RowExpr)
	rr, rok := r.(*query.RowExpr)
	if lok && rok {
		if len(lr.Args) != len(rr.Args) {
			s.fail(errSyntax, loc, "unequal number of entries in row expressions")
		}
		for i := range lr.Args {
			c := s.makeDistinct(names, lr.Args[i], rr.Args[i], loc)
			if e == nil {
				e = c
			} else {
				e = boolOp(query.OrExpr, s.boolHeader(loc), e, c)
			}
		}
		if e == nil {
			e = s.boolConst(false)
		}
	} else {
		e = s.makeDistinct(names, l, r, loc)
	}
	if not {
		e = boolOp(query.NotExpr, s.boolHeader(loc), e)
	}
	return e
}

func (s *state) makeDistinct(names []string, l, r query.Expr, loc int) query.Expr {
	op := s.makeOp(names, l, r, s.lastSRF, loc)
	if op.Typ != pgtype.BoolOID {
		s.fail(errDatatypeMismatch, loc, "IS DISTINCT FROM requires = operator to yield boolean")
	}
	if op.RetSet {
		s.fail(errDatatypeMismatch, loc, "IS DISTINCT FROM must not return a set")
	}
	return &query.DistinctExpr{OpExpr: *op}
}

// inList is transformAExprIn: constants of one type become an array.
func (s *state) inList(n *pg.A_Expr, names []string, loc int) query.Expr {
	useOr := names[len(names)-1] != "<>"
	left := s.transform(n.Lexpr)
	var all, vars, nonVars []query.Expr
	for _, x := range n.Rexpr.GetList().GetItems() {
		e := s.transform(x)
		all = append(all, e)
		if hasVars(e, 0) {
			vars = append(vars, e)
		} else {
			nonVars = append(nonVars, e)
		}
	}
	var result query.Expr
	if len(nonVars) > 1 {
		list := append([]query.Expr{left}, nonVars...)
		scalar, _ := s.commonType(list, "")
		if scalar != 0 && !s.verifyCommon(scalar, typesOf(list)) {
			scalar = 0
		}
		if scalar != 0 && scalar != pgtype.RecordOID && s.arrayType(scalar) != 0 {
			s.coerceAllToCommon(nonVars, scalar, "IN")
			arr := &query.ArrayExpr{ElementType: scalar, Elements: nonVars}
			arr.Header = query.Header{Typ: s.arrayType(scalar), Mod: sameTypmod(nonVars, scalar)}
			result = s.makeArrayOp(names, useOr, left, arr, loc)
			all = vars
		}
	}
	op := query.OrExpr
	if !useOr {
		op = query.AndExpr
	}
	for _, r := range all {
		var c query.Expr
		lr, lok := left.(*query.RowExpr)
		rr, rok := r.(*query.RowExpr)
		if lok && rok {
			c = s.rowComparison(names, slices.Clone(lr.Args), rr.Args, loc)
		} else {
			c = s.makeOp(names, copyExpr(left), r, s.lastSRF, loc)
		}
		c = s.coerceToBoolean(c, "IN")
		if result == nil {
			result = c
		} else {
			result = boolOp(op, s.boolHeader(loc), result, c)
		}
	}
	return result
}

// copyExpr copies the nodes that later steps change in place: parameters, which
// get their types.
func copyExpr(e query.Expr) query.Expr {
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		if p, ok := x.(*query.Param); ok {
			n := *p
			return &n, true
		}
		return nil, false
	})
}

// between is transformAExprBetween: each operand is analysed as often as it is
// compared.
func (s *state) between(n *pg.A_Expr, loc int) query.Expr {
	items := n.Rexpr.GetList().GetItems()
	a, b, c := n.Lexpr, items[0], items[1]
	pair := func(op query.BoolExprType, o1 string, x *pg.Node, o2 string, y *pg.Node) query.Expr {
		name := "AND"
		if op == query.OrExpr {
			name = "OR"
		}
		l := s.coerceToBoolean(s.rawOp([]string{o1}, a, x, loc), name)
		r := s.coerceToBoolean(s.rawOp([]string{o2}, a, y, loc), name)
		return boolOp(op, s.boolHeader(loc), l, r)
	}
	switch n.Kind {
	case pg.A_Expr_Kind_AEXPR_BETWEEN:
		return pair(query.AndExpr, ">=", b, "<=", c)
	case pg.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		return pair(query.OrExpr, "<", b, ">", c)
	case pg.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		return boolOp(query.OrExpr, s.boolHeader(loc), pair(query.AndExpr, ">=", b, "<=", c), pair(query.AndExpr, ">=", c, "<=", b))
	}
	return boolOp(query.AndExpr, s.boolHeader(loc), pair(query.OrExpr, "<", b, ">", c), pair(query.OrExpr, "<", c, ">", b))
}

// btreeRole is an operator's meaning in a btree family.
type btreeRole struct {
	family   pgtype.OID
	strategy int
}

// btreeRoles lists them, with <> by its negator (get_op_btree_interpretation,
// lsyscache.c).
func (a *analyzer) btreeRoles(op pgtype.OID) []btreeRole {
	m := a.cat.MethodByName("btree")
	if m == nil {
		return nil
	}
	var out []btreeRole
	for _, x := range a.cat.AmOpsOf(op) {
		if x.Method == m.OID {
			out = append(out, btreeRole{x.Family, x.Strategy})
		}
	}
	if o := a.cat.Operator(op); out == nil && o != nil && o.Negator != 0 {
		for _, x := range a.cat.AmOpsOf(o.Negator) {
			if x.Method == m.OID && x.Strategy == catalog.BTEqual {
				out = append(out, btreeRole{x.Family, int(query.RowCompareNE)})
			}
		}
	}
	return out
}

// rowComparison is make_row_comparison_op.
func (s *state) rowComparison(names []string, left, right []query.Expr, loc int) query.Expr {
	if len(left) != len(right) {
		s.fail(errSyntax, loc, "unequal number of entries in row expressions")
	}
	if len(left) == 0 {
		s.fail(errFeatureNotSupported, loc, "cannot compare rows of zero length")
	}
	var ops []query.Expr
	var roles [][]btreeRole
	var common []int
	for i := range left {
		op := s.makeOp(names, left[i], right[i], s.lastSRF, loc)
		if op.Typ != pgtype.BoolOID {
			s.fail(errDatatypeMismatch, loc, "row comparison operator must yield type boolean, not type %s", s.format(op.Typ))
		}
		if returnsSet(op) {
			s.fail(errDatatypeMismatch, loc, "row comparison operator must not return a set")
		}
		ops = append(ops, op)
	}
	if len(ops) == 1 {
		return ops[0]
	}
	for i, e := range ops {
		r := s.btreeRoles(e.(*query.OpExpr).Op)
		roles = append(roles, r)
		if i == 0 {
			for _, x := range r {
				common = append(common, x.strategy)
			}
			continue
		}
		common = slices.DeleteFunc(common, func(st int) bool {
			return !slices.ContainsFunc(r, func(x btreeRole) bool { return x.strategy == st })
		})
	}
	last := names[len(names)-1]
	if len(common) == 0 {
		s.failHint(errFeatureNotSupported, loc, "Row comparison operators must be associated with btree operator families.",
			"could not determine interpretation of row comparison operator %s", last)
	}
	kind := query.RowCompareType(slices.Min(common))
	switch kind {
	case query.RowCompareEQ:
		return boolOp(query.AndExpr, s.boolHeader(loc), ops...)
	case query.RowCompareNE:
		return boolOp(query.OrExpr, s.boolHeader(loc), ops...)
	}
	e := &query.RowCompareExpr{Kind: kind}
	e.Header = s.boolHeader(noLoc)
	for i, x := range ops {
		op := x.(*query.OpExpr)
		for _, r := range roles[i] {
			if r.strategy == int(kind) {
				e.OpFamilies = append(e.OpFamilies, r.family)
				break
			}
		}
		e.Ops = append(e.Ops, op.Op)
		e.Left = append(e.Left, op.Args[0])
		e.Right = append(e.Right, op.Args[1])
	}
	return e
}
