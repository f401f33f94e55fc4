package analyze

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
)

// join analyses an explicit JOIN (transformFromClauseItem, parse_clause.c).
func (s *state) join(n *pg.JoinExpr) (query.JoinNode, *nsItem, []*nsItem) {
	j := &query.JoinExpr{Type: joinType(n.Jointype), Natural: n.IsNatural, Alias: makeAlias(n.Alias)}
	left, leftItem, leftItems := s.fromItem(n.Larg)
	setLateral(leftItems, true, j.Type == query.JoinInner || j.Type == query.JoinLeft)
	depth := len(s.namespace)
	s.namespace = append(s.namespace[:depth:depth], leftItems...)
	right, rightItem, rightItems := s.fromItem(n.Rarg)
	s.namespace = s.namespace[:depth]
	s.checkConflicts(leftItems, rightItems)
	items := append(slices.Clone(leftItems), rightItems...)
	j.Left, j.Right = left, right

	j.Using = stringsOf(n.UsingClause)
	if n.IsNatural {
		j.Using = nil
		for _, name := range leftItem.names.Columns {
			if name != "" && slices.Contains(rightItem.names.Columns, name) {
				j.Using = append(j.Using, name)
			}
		}
	}
	if n.JoinUsingAlias != nil {
		j.UsingAlias = &query.Alias{Name: n.JoinUsingAlias.Aliasname, Columns: j.Using}
	}
	b := &joinBuilder{s: s, j: j, left: leftItem, right: rightItem}
	if len(j.Using) > 0 {
		b.using()
	} else if n.Quals != nil {
		setLateral(items, false, true)
		save := s.namespace
		s.namespace = items
		j.Quals = s.where(n.Quals, kindJoinOn, "JOIN/ON")
		s.namespace = save
	}
	j.Index = len(s.rtable) + 1
	switch j.Type {
	case query.JoinLeft:
		s.markNulled(right, j.Index)
	case query.JoinFull:
		s.markNulled(left, j.Index)
		s.markNulled(right, j.Index)
	case query.JoinRight:
		s.markNulled(left, j.Index)
	}
	b.merged()
	b.remaining(leftItem, &b.leftCols)
	b.remaining(rightItem, &b.rightCols)
	if j.Alias != nil {
		for i := range b.cols {
			b.cols[i].varnoSyn, b.cols[i].attnoSyn = j.Index, i+1
		}
	}
	return b.finish(items)
}

func joinType(t pg.JoinType) query.JoinType {
	switch t {
	case pg.JoinType_JOIN_LEFT:
		return query.JoinLeft
	case pg.JoinType_JOIN_FULL:
		return query.JoinFull
	case pg.JoinType_JOIN_RIGHT:
		return query.JoinRight
	}
	return query.JoinInner
}

// markNulled is markRelsAsNulledBy.
func (s *state) markNulled(n query.JoinNode, index int) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		s.nulling[n.Index] = s.nulling[n.Index].Add(index)
	case *query.JoinExpr:
		s.markNulled(n.Left, index)
		s.markNulled(n.Right, index)
		s.nulling[n.Index] = s.nulling[n.Index].Add(index)
	}
}

// joinBuilder collects a join's columns.
type joinBuilder struct {
	s           *state
	j           *query.JoinExpr
	left, right *nsItem
	// leftCols and rightCols are the input columns used so far.
	leftCols, rightCols []int
	names               []string
	vars                []query.Expr
	cols                []nsColumn
}

func (b *joinBuilder) find(it *nsItem, name, side string) int {
	at := 0
	for i, n := range it.names.Columns {
		if n != name {
			continue
		}
		if at != 0 {
			b.s.fail(errAmbiguousColumn, noLoc, "common column name \"%s\" appears more than once in %s table", name, side)
		}
		at = i + 1
	}
	if at == 0 {
		b.s.fail(errUndefinedColumn, noLoc, "column \"%s\" specified in USING clause does not exist in %s table", name, side)
	}
	return at
}

func (b *joinBuilder) inputVar(it *nsItem, col int) *query.Var {
	v := it.columns[col-1].newVar(0)
	b.s.markNullable(v)
	return v
}

// using builds the condition (transformJoinUsingClause).
func (b *joinBuilder) using() {
	s := b.s
	var quals []query.Expr
	var pairs [][2]*query.Var
	for _, name := range b.j.Using {
		if slices.Contains(b.names, name) {
			s.fail(errDuplicateColumn, noLoc, "column name \"%s\" appears more than once in USING clause", name)
		}
		l, r := b.find(b.left, name, "left"), b.find(b.right, name, "right")
		b.leftCols, b.rightCols = append(b.leftCols, l), append(b.rightCols, r)
		b.names = append(b.names, name)
		pairs = append(pairs, [2]*query.Var{b.inputVar(b.left, l), b.inputVar(b.right, r)})
		if s.cat.Major < 16 {
			// The merged column came before the condition.
			p := pairs[len(pairs)-1]
			s.commonType([]query.Expr{p[0], p[1]}, "JOIN/USING")
		}
	}
	save := s.kind
	s.kind = kindJoinUsing
	for _, p := range pairs {
		s.markSelect(p[0])
		s.markSelect(p[1])
		var e query.Expr = s.makeOp([]string{"="}, p[0], p[1], s.lastSRF, noLoc)
		if len(pairs) > 1 {
			e = s.coerceToBoolean(e, "AND")
		}
		quals = append(quals, e)
	}
	b.j.Quals = quals[0]
	if len(quals) > 1 {
		b.j.Quals = boolOp(query.AndExpr, s.boolHeader(noLoc), quals...)
	}
	b.j.Quals = s.coerceToBoolean(b.j.Quals, "JOIN/USING")
	s.kind = save
}

// merged adds USING's output columns.
func (b *joinBuilder) merged() {
	for i := range b.j.Using {
		l, r := b.leftCols[i], b.rightCols[i]
		lv, rv := b.inputVar(b.left, l), b.inputVar(b.right, r)
		e := b.s.mergedVar(b.j.Type, lv, rv)
		b.vars = append(b.vars, e)
		switch e {
		case query.Expr(lv):
			b.cols = append(b.cols, b.left.columns[l-1])
		case query.Expr(rv):
			b.cols = append(b.cols, b.right.columns[r-1])
		default:
			n := len(b.cols) + 1
			b.cols = append(b.cols, nsColumn{
				varno: b.j.Index, attno: n, typ: e.ResultType(), mod: e.ResultTypmod(),
				coll: e.ResultCollation(), varnoSyn: b.j.Index, attnoSyn: n,
			})
		}
	}
}

// mergedVar is buildMergedJoinVar.
func (s *state) mergedVar(t query.JoinType, l, r *query.Var) query.Expr {
	pair := []query.Expr{l, r}
	typ, _ := s.commonType(pair, "JOIN/USING")
	mod := commonTypmod(pair, typ)
	input := func(v *query.Var) query.Expr {
		switch {
		case v.Typ != typ:
			return s.coerceType(v, v.Typ, typ, mod, implicit, query.CoerceImplicitCast, noLoc)
		case v.Mod != mod:
			return s.relabel(v, typ, mod, 0, query.CoerceImplicitCast, noLoc)
		}
		return v
	}
	ln, rn := input(l), input(r)
	var e query.Expr
	switch t {
	case query.JoinLeft:
		e = ln
	case query.JoinRight:
		e = rn
	case query.JoinFull:
		c := &query.CoalesceExpr{Args: []query.Expr{ln, rn}}
		c.Typ, c.Mod = typ, sameTypmod(c.Args, typ)
		e = c
	default:
		e = ln
		if _, ok := ln.(*query.Var); !ok {
			if _, ok := rn.(*query.Var); ok {
				e = rn
			}
		}
	}
	s.assignCollations(e)
	return e
}

// remaining adds the columns that USING did not merge
// (extractRemainingColumns).
func (b *joinBuilder) remaining(it *nsItem, used *[]int) {
	seen := slices.Clone(*used)
	free := len(it.names.Columns)
	*used, b.names = slices.Grow(*used, free), slices.Grow(b.names, free)
	b.vars, b.cols = slices.Grow(b.vars, free), slices.Grow(b.cols, free)
	for i, name := range it.names.Columns {
		if name == "" || slices.Contains(seen, i+1) {
			continue
		}
		*used = append(*used, i+1)
		b.names = append(b.names, name)
		b.vars = append(b.vars, b.inputVar(it, i+1))
		b.cols = append(b.cols, it.columns[i])
	}
}

// finish adds the join's entry and sets what is visible of its inputs.
func (b *joinBuilder) finish(items []*nsItem) (query.JoinNode, *nsItem, []*nsItem) {
	s, j := b.s, b.j
	merged := len(j.Using)
	r := &query.RangeTblEntry{
		Alias: j.Alias, JoinType: j.Type, JoinMergedCols: merged, JoinAliasVars: b.vars,
		JoinUsingAlias: j.UsingAlias, InFrom: true,
	}
	r.JoinLeftCols, r.JoinRightCols = make([]int, len(b.vars)), make([]int, len(b.vars))
	for i := range merged {
		r.JoinLeftCols[i], r.JoinRightCols[i] = b.leftCols[i], b.rightCols[i]
	}
	for i, c := range b.leftCols[merged:] {
		r.JoinLeftCols[merged+i] = c
	}
	for i, c := range b.rightCols[merged:] {
		r.JoinRightCols[len(b.leftCols)+i] = c
	}
	it := s.addJoin(r, b.names, b.cols)
	s.joins[j.Index] = j
	if j.UsingAlias != nil {
		u := &nsItem{names: j.UsingAlias, rte: r, index: it.index, columns: b.cols, relVisible: true, colVisible: true, lateralOK: true}
		s.checkConflicts([]*nsItem{u}, items)
		items = append(items, u)
	}
	if j.Alias != nil {
		items = nil
	}
	for _, x := range items {
		x.colVisible = false
	}
	it.relVisible, it.colVisible, it.lateralOnly, it.lateralOK = j.Alias != nil, true, false, true
	return j, it, append(items, it)
}
