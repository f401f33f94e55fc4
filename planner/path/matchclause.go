package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// matchClauses enters the clauses that an index can check into a set
// (match_clauses_to_index, indxpath.c).
func matchClauses(root *rel.PlannerInfo, list []*rel.RestrictInfo, x *rel.IndexOptInfo, set *clauseSet) {
	for _, r := range list {
		matchClause(root, r, x, set)
	}
}

// matchJoinClauses does so with join clauses that can be checked at the
// relation, and collects those that are ORs (match_join_clauses_to_index).
func matchJoinClauses(root *rel.PlannerInfo, rl *rel.RelOptInfo, x *rel.IndexOptInfo, set *clauseSet, ors []*rel.RestrictInfo) []*rel.RestrictInfo {
	for _, r := range rl.JoinInfo {
		if !prep.JoinClauseIsMovableTo(r, rl) {
			continue
		}
		if r.OrClause != nil {
			ors = append(ors, r)
		} else {
			matchClause(root, r, x, set)
		}
	}
	return ors
}

// matchECClauses does so with the join clauses that equivalence classes imply
// for a column (match_eclass_clauses_to_index).
func matchECClauses(root *rel.PlannerInfo, x *rel.IndexOptInfo, set *clauseSet) {
	if !x.Rel.HasEClassJoins {
		return
	}
	for col := range x.NKeyCols {
		list := prep.GenerateImpliedEqualitiesForColumn(root, x.Rel, func(ec *rel.EquivalenceClass, m *rel.EquivalenceMember) bool {
			if x.Index.Method == catalog.BTreeMethod && !slices.Contains(ec.Families, x.Families[col]) {
				return false
			}
			return collationMatches(x.Collations[col], ec.Collation) && prep.MatchIndexToOperand(m.Expr, col, x)
		}, x.Rel.LateralReferencers)
		matchClauses(root, list, x, set)
	}
}

// collationMatches reports whether an index column's collation serves a
// comparison's (IndexCollMatchesExprColl).
func collationMatches(index, expr pgtype.OID) bool { return index == 0 || index == expr }

// matchClause enters a clause at the first column that it fits
// (match_clause_to_index).
func matchClause(root *rel.PlannerInfo, r *rel.RestrictInfo, x *rel.IndexOptInfo, set *clauseSet) {
	if r.PseudoConstant || !prep.SecurelyPromotable(r, x.Rel) {
		return
	}
	for col := range x.NKeyCols {
		if slices.ContainsFunc(set.columns[col], func(c *rel.IndexClause) bool { return c.RInfo == r }) {
			return
		}
		if c := (matcher{root, r, x, col}).match(); c != nil {
			set.columns[col] = append(set.columns[col], c)
			set.found = true
			return
		}
	}
}

// matcher holds a clause against one column of an index.
type matcher struct {
	root *rel.PlannerInfo
	r    *rel.RestrictInfo
	x    *rel.IndexOptInfo
	col  int
}

func (m matcher) cat() *catalog.Catalog       { return m.root.Global.Catalog }
func (m matcher) is(e query.Expr) bool        { return prep.MatchIndexToOperand(e, m.col, m.x) }
func (m matcher) inFamily(op pgtype.OID) bool { return m.strategy(op) != 0 }
func (m matcher) strategy(op pgtype.OID) int  { return m.strategyAt(op, m.col) }
func (m matcher) volatile(e query.Expr) bool  { return eval.ContainVolatile(m.cat(), e) }
func (m matcher) collation(expr pgtype.OID) bool {
	return collationMatches(m.x.Collations[m.col], expr)
}

// strategyAt is an operator's search strategy in a column's family.
func (m matcher) strategyAt(op pgtype.OID, col int) int {
	for _, a := range m.cat().AmOpsOf(op) {
		if a.Family == m.x.Families[col] && a.Purpose == 's' {
			return a.Strategy
		}
	}
	return 0
}

// clause makes an index clause with the given conditions.
func (m matcher) clause(quals ...*rel.RestrictInfo) *rel.IndexClause {
	return &rel.IndexClause{RInfo: m.r, Quals: quals, Column: m.col}
}

// simple wraps a derived condition (make_simple_restrictinfo).
func (m matcher) simple(e query.Expr) *rel.RestrictInfo {
	return prep.MakeRestrictInfo(m.root, e, prep.ClauseInfo{PushedDown: true})
}

// match returns the condition by which the index checks the clause; nil if it
// cannot (match_clause_to_indexcol).
func (m matcher) match() *rel.IndexClause {
	if isBooleanFamily(m.cat(), m.x.Families[m.col]) {
		if c := m.boolean(); c != nil {
			return c
		}
	}
	switch n := m.r.Clause.(type) {
	case *query.OpExpr:
		return m.operator(n)
	case *query.FuncExpr:
		for i, a := range n.Args {
			if m.is(a) {
				return m.support(n.Func, i, n.Args)
			}
		}
	case *query.ScalarArrayOpExpr:
		return m.array(n)
	case *query.RowCompareExpr:
		return m.row(n)
	case *query.NullTest:
		if m.x.Method.SearchNulls && !n.ArgIsRow && m.is(n.Arg) {
			return m.clause(m.r)
		}
	case *query.BoolExpr:
		if n.Op == query.OrExpr && m.root.Global.Version(18) && m.orOfColumn(n) {
			m.root.Global.Approximate("an OR of comparisons of " + m.x.Index.Name + "'s column is not turned into = ANY")
		}
	}
	return nil
}

// orOfColumn reports whether each arm of an OR compares the column with
// something else, which PostgreSQL from 18 on makes an array condition of.
func (m matcher) orOfColumn(b *query.BoolExpr) bool {
	return every(b.Args, func(e query.Expr) bool {
		op, ok := e.(*query.OpExpr)
		return ok && len(op.Args) == 2 && (m.is(op.Args[0]) || m.is(op.Args[1]))
	})
}

// isBooleanFamily reports whether a family has equality of booleans
// (IsBooleanOpfamily).
func isBooleanFamily(cat *catalog.Catalog, family pgtype.OID) bool {
	op := cat.EqualityOp(pgtype.BoolOID)
	return slices.ContainsFunc(cat.AmOpsOf(op), func(a *catalog.AmOp) bool { return a.Family == family && a.Purpose == 's' })
}

// boolean matches a boolean column as a condition, negated, or tested for TRUE
// or FALSE, as if it were compared with a constant
// (match_boolean_index_clause).
func (m matcher) boolean() *rel.IndexClause {
	arg, value := m.r.Clause, true
	if !m.is(arg) {
		switch n := m.r.Clause.(type) {
		case *query.BoolExpr:
			if n.Op != query.NotExpr {
				return nil
			}
			arg, value = n.Args[0], false
		case *query.BooleanTest:
			if n.Kind != query.IsTrue && n.Kind != query.IsFalse {
				return nil
			}
			arg, value = n.Arg, n.Kind == query.IsTrue
		default:
			return nil
		}
		if !m.is(arg) {
			return nil
		}
	}
	op := m.cat().EqualityOp(pgtype.BoolOID)
	return m.clause(m.simple(prep.MakeOpClause(m.root, op, arg, eval.BoolConst(value), 0)))
}

// boolConstant reports whether a restriction fixes a boolean column of an index
// (indexcol_is_bool_constant_for_query).
func boolConstant(root *rel.PlannerInfo, x *rel.IndexOptInfo, col int) bool {
	if !isBooleanFamily(root.Global.Catalog, x.Families[col]) {
		return false
	}
	return slices.ContainsFunc(x.Rel.BaseRestrict, func(r *rel.RestrictInfo) bool {
		return !r.PseudoConstant && (matcher{root, r, x, col}).boolean() != nil
	})
}

// operator matches "column op value" either way round
// (match_opclause_to_indexcol).
func (m matcher) operator(n *query.OpExpr) *rel.IndexClause {
	if len(n.Args) != 2 {
		return nil
	}
	left, right := n.Args[0], n.Args[1]
	self := m.x.Rel.Index
	if m.is(left) && !m.r.RightRelids.Has(self) && !m.volatile(right) {
		if m.collation(n.InputColl) && m.inFamily(n.Op) {
			return m.clause(m.r)
		}
		return m.support(m.cat().Operator(n.Op).Func, 0, n.Args)
	}
	if m.is(right) && !m.r.LeftRelids.Has(self) && !m.volatile(left) {
		o := m.cat().Operator(n.Op)
		if m.collation(n.InputColl) && o.Commutator != 0 && m.inFamily(o.Commutator) {
			return m.clause(prep.CommuteRestrictInfo(m.r, o.Commutator))
		}
		return m.support(o.Func, 1, n.Args)
	}
	return nil
}

// array matches "column op ANY (array)" (match_saopclause_to_indexcol).
func (m matcher) array(n *query.ScalarArrayOpExpr) *rel.IndexClause {
	if !n.UseOr || !m.is(n.Args[0]) || eval.PullVarNos(m.root, n.Args[1]).Has(m.x.Rel.Index) || m.volatile(n.Args[1]) {
		return nil
	}
	if m.collation(n.InputColl) && m.inFamily(n.Op) {
		return m.clause(m.r)
	}
	return nil
}

// row matches a comparison of rows of which the first column is the index's
// (match_rowcompare_to_indexcol).
func (m matcher) row(n *query.RowCompareExpr) *rel.IndexClause {
	if m.x.Index.Method != catalog.BTreeMethod || !m.collation(n.InputColls[0]) {
		return nil
	}
	free := func(e query.Expr) bool {
		return !eval.PullVarNos(m.root, e).Has(m.x.Rel.Index) && !m.volatile(e)
	}
	op := n.Ops[0]
	left := true
	switch {
	case m.is(n.Left[0]) && free(n.Right[0]):
	case m.is(n.Right[0]) && free(n.Left[0]):
		left = false
		if op = m.cat().Operator(op).Commutator; op == 0 {
			return nil
		}
	default:
		return nil
	}
	switch m.strategy(op) {
	case lt, le, ge, gt:
		return m.expandRow(n, op, left, free)
	}
	return nil
}

// expandRow takes as many columns of a row comparison as the index has, in any
// order of its columns; with fewer than all the condition is lossy
// (expand_indexqual_rowcompare).
func (m matcher) expandRow(n *query.RowCompareExpr, op pgtype.OID, left bool, free func(query.Expr) bool) *rel.IndexClause {
	vars, others := n.Left, n.Right
	if !left {
		vars, others = n.Right, n.Left
	}
	strategy := m.strategy(op)
	ops, cols := []pgtype.OID{op}, []int{m.col}
	for len(ops) < len(vars) {
		i := len(ops)
		next := n.Ops[i]
		if !left {
			if next = m.cat().Operator(next).Commutator; next == 0 {
				break
			}
		}
		if !free(others[i]) {
			break
		}
		at := -1
		for col := range m.x.NKeyCols {
			if prep.MatchIndexToOperand(vars[i], col, m.x) && m.strategyAt(next, col) == strategy &&
				collationMatches(m.x.Collations[col], n.InputColls[i]) {
				at = col
				break
			}
		}
		if at < 0 {
			break
		}
		ops, cols = append(ops, next), append(cols, at)
	}
	c := m.clause()
	c.Cols = cols
	c.Lossy = len(ops) != len(n.Ops)
	if left && !c.Lossy {
		c.Quals = []*rel.RestrictInfo{m.r}
		return c
	}
	if c.Lossy && (strategy == lt || strategy == gt) {
		// Of the leading columns, equality must pass.
		strategy = map[int]int{lt: le, gt: ge}[strategy]
		for i, o := range ops {
			was := m.cat().Operator(o)
			if ops[i] = m.cat().OpFamilyMember(m.x.Families[cols[i]], was.Left, was.Right, strategy); ops[i] == 0 {
				return nil
			}
		}
	}
	k := len(ops)
	if k == 1 {
		c.Cols = nil
		c.Quals = []*rel.RestrictInfo{m.simple(prep.MakeOpClause(m.root, ops[0], vars[0], others[0], n.InputColls[0]))}
		return c
	}
	rc := *n
	rc.Kind = query.RowCompareType(strategy)
	rc.Ops, rc.OpFamilies, rc.InputColls = ops, n.OpFamilies[:k], n.InputColls[:k]
	rc.Left, rc.Right = vars[:k], others[:k]
	c.Quals = []*rel.RestrictInfo{m.simple(&rc)}
	return c
}

// matchOrderingOps finds ordering operators that give a leading part of the
// query's order (match_pathkeys_to_index).
func matchOrderingOps(root *rel.PlannerInfo, x *rel.IndexOptInfo) (exprs []query.Expr, cols []int) {
	for _, k := range root.QueryPathKeys {
		if k.Strategy != catalog.BTLess || k.NullsFirst || k.EC.HasVolatile {
			break
		}
		e, col := orderingExpr(root, x, k)
		if e == nil {
			break
		}
		exprs, cols = append(exprs, e), append(cols, col)
	}
	return exprs, cols
}

func orderingExpr(root *rel.PlannerInfo, x *rel.IndexOptInfo, k *rel.PathKey) (query.Expr, int) {
	for _, m := range k.EC.Members {
		if m.Relids != x.Rel.Relids {
			continue
		}
		for col := range x.NKeyCols {
			if e := orderingOp(root, x, col, m.Expr, k.Family); e != nil {
				return e, col
			}
		}
	}
	return nil, 0
}

// orderingOp matches "column op constant" whose result orders by a family
// (match_clause_to_ordering_op).
func orderingOp(root *rel.PlannerInfo, x *rel.IndexOptInfo, col int, e query.Expr, family pgtype.OID) query.Expr {
	cat := root.Global.Catalog
	n, ok := e.(*query.OpExpr)
	if !ok || len(n.Args) != 2 || !collationMatches(x.Collations[col], n.InputColl) {
		return nil
	}
	free := func(e query.Expr) bool { return !eval.ContainVarClause(e) && !eval.ContainVolatile(cat, e) }
	op, commuted := n.Op, false
	switch {
	case prep.MatchIndexToOperand(n.Args[0], col, x) && free(n.Args[1]):
	case prep.MatchIndexToOperand(n.Args[1], col, x) && free(n.Args[0]):
		commuted = true
		if op = cat.Operator(op).Commutator; op == 0 {
			return nil
		}
	default:
		return nil
	}
	if !slices.ContainsFunc(cat.AmOpsOf(op), func(a *catalog.AmOp) bool {
		return a.Family == x.Families[col] && a.Purpose == 'o' && a.SortFamily == family
	}) {
		return nil
	}
	if !commuted {
		return e
	}
	c := *n
	c.Op, c.Func, c.Args = op, 0, []query.Expr{n.Args[1], n.Args[0]}
	return &c
}
