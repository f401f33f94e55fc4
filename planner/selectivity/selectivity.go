// Package selectivity estimates the fraction of rows that clauses let through,
// and what follows from the same statistics: numbers of distinct values, of
// groups, sizes of hash buckets, how far a merge join reads.
//
// The formulas are PostgreSQL's own (optimizer/path/clausesel.c,
// utils/adt/selfuncs.c and its neighbours), in their order of float operations.
// An operator's estimator is found by the name that pg_operator has for it.
// Where a formula needs what is not known here (the values of a file without
// values, a collation that is not the order of bytes, an operator that cannot be
// evaluated), the plan is marked approximate and the default is used.
//
// The package imports parser packages, planner/stats, planner/rel and
// planner/eval.
package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// Default estimates (utils/selfuncs.h, and the heads of geo_selfuncs.c,
// array_selfuncs.c and ts_selfuncs.c).
const (
	DefaultEq          = 0.005
	DefaultIneq        = 0.3333333333333333
	DefaultRangeIneq   = 0.005
	DefaultMultiRange  = 0.005
	DefaultMatch       = 0.005
	DefaultMatching    = 0.010
	DefaultNumDistinct = 200.0
	DefaultUnknown     = 0.005
	defaultNotUnknown  = 1.0 - DefaultUnknown
	defaultContain     = 0.005
	defaultOverlap     = 0.01
	defaultTSMatch     = 0.005
)

// clamp brings a probability into 0…1 (CLAMP_PROBABILITY).
func clamp(p float64) float64 {
	switch {
	case p < 0:
		return 0
	case p > 1:
		return 1
	}
	return p
}

// item is a clause of a list: a RestrictInfo, or a bare expression.
type item struct {
	rinfo *rel.RestrictInfo
	expr  query.Expr
}

// clause is the expression of an item.
func (i item) clause() query.Expr {
	if i.rinfo != nil {
		return i.rinfo.Clause
	}
	return i.expr
}

// context is what the estimators hand on: varRelid, jointype and sjinfo.
type context struct {
	root     *rel.PlannerInfo
	varRelid int
	jointype query.JoinType
	sj       *rel.SpecialJoinInfo
}

func (c *context) approximate(reason string) { c.root.Global.Approximate(reason) }

// Clauselist estimates the fraction of rows that pass all clauses
// (clauselist_selectivity, clausesel.c). With varRelid the clauses are taken as
// restrictions of that relation, whatever else is in them being a given value;
// sj is the join for which join clauses are estimated, nil where there is none.
func Clauselist(root *rel.PlannerInfo, clauses []*rel.RestrictInfo, varRelid int, jt query.JoinType, sj *rel.SpecialJoinInfo) float64 {
	c := &context{root, varRelid, jt, sj}
	return c.list(items(clauses))
}

// ClauselistExprs is [Clauselist] over bare expressions.
func ClauselistExprs(root *rel.PlannerInfo, clauses []query.Expr, varRelid int, jt query.JoinType, sj *rel.SpecialJoinInfo) float64 {
	c := &context{root, varRelid, jt, sj}
	return c.list(exprItems(clauses))
}

// Clause estimates one clause (clause_selectivity, clausesel.c).
func Clause(root *rel.PlannerInfo, clause *rel.RestrictInfo, varRelid int, jt query.JoinType, sj *rel.SpecialJoinInfo) float64 {
	c := &context{root, varRelid, jt, sj}
	return c.one(item{rinfo: clause})
}

// ClauseExpr is [Clause] over a bare expression.
func ClauseExpr(root *rel.PlannerInfo, clause query.Expr, varRelid int, jt query.JoinType, sj *rel.SpecialJoinInfo) float64 {
	c := &context{root, varRelid, jt, sj}
	return c.one(item{expr: clause})
}

func items(list []*rel.RestrictInfo) []item {
	out := make([]item, len(list))
	for i, r := range list {
		out[i].rinfo = r
	}
	return out
}

func exprItems(list []query.Expr) []item {
	out := make([]item, len(list))
	for i, e := range list {
		out[i].expr = e
	}
	return out
}

// rangeClause pairs the bounds that clauses set to one expression
// (RangeQueryClause, clausesel.c).
type rangeClause struct {
	variable       query.Expr
	haveLo, haveHi bool
	lo, hi         float64
}

// list is clauselist_selectivity: range clauses on the same expression are
// paired, the rest are taken as independent.
func (c *context) list(clauses []item) float64 {
	if len(clauses) == 1 {
		return c.one(clauses[0])
	}
	c.checkExtended(clauses)
	s := 1.0
	var ranges []*rangeClause
	for _, it := range clauses {
		s2 := c.one(it)
		if it.rinfo != nil && it.rinfo.PseudoConstant {
			s *= s2
			continue
		}
		op, ok := it.clause().(*query.OpExpr)
		if !ok || len(op.Args) != 2 {
			s *= s2
			continue
		}
		onLeft, single := c.varSide(it, op)
		if !single {
			s *= s2
			continue
		}
		switch c.restrictName(op.Op) {
		case "scalarltsel", "scalarlesel":
			addRange(&ranges, op, onLeft, true, s2)
		case "scalargtsel", "scalargesel":
			addRange(&ranges, op, onLeft, false, s2)
		default:
			s *= s2
		}
	}
	// PostgreSQL keeps the pairs on a stack.
	for i := len(ranges) - 1; i >= 0; i-- {
		s *= c.rangeSelectivity(ranges[i])
	}
	return s
}

// rangeSelectivity combines the bounds of a pair.
func (c *context) rangeSelectivity(r *rangeClause) float64 {
	switch {
	case !r.haveHi:
		return r.lo
	case !r.haveLo:
		return r.hi
	case r.hi == DefaultIneq || r.lo == DefaultIneq:
		return DefaultRangeIneq
	}
	s := r.hi + r.lo - 1.0
	s += c.nullTest(r.variable, false)
	if s <= 0 {
		// A slightly negative sum is rounding; more says that the bounds
		// cross or the statistics are off.
		if s < -0.01 {
			return DefaultRangeIneq
		}
		return 1.0e-10
	}
	return s
}

// varSide tells on which side the expression stands in a comparison of one
// relation's expression with a constant; single is false for other clauses.
func (c *context) varSide(it item, op *query.OpExpr) (onLeft, single bool) {
	cat := c.root.Global.Catalog
	left, right := op.Args[0], op.Args[1]
	if r := it.rinfo; r != nil {
		if r.NumBaseRels != 1 {
			return false, false
		}
		if r.RightRelids.IsEmpty() && !eval.ContainVolatile(cat, right) {
			return true, true
		}
		return false, r.LeftRelids.IsEmpty() && !eval.ContainVolatile(cat, left)
	}
	if c.numRelids(op) != 1 {
		return false, false
	}
	if eval.IsPseudoConstant(cat, right) {
		return true, true
	}
	return false, eval.IsPseudoConstant(cat, left)
}

// numRelids counts the base relations of an expression (NumRelids, clauses.c).
func (c *context) numRelids(e query.Expr) int {
	return eval.PullVarNos(c.root, e).Minus(c.root.OuterJoins).Len()
}

// addRange notes a bound (addRangeClause, clausesel.c).
func addRange(list *[]*rangeClause, op *query.OpExpr, onLeft, less bool, s float64) {
	variable, isLo := op.Args[0], !less
	if !onLeft {
		variable, isLo = op.Args[1], less
	}
	for i := len(*list) - 1; i >= 0; i-- {
		r := (*list)[i]
		if !query.Equal(variable, r.variable) {
			continue
		}
		switch {
		case isLo && !r.haveLo:
			r.haveLo, r.lo = true, s
		case isLo:
			r.lo = min(r.lo, s)
		case !r.haveHi:
			r.haveHi, r.hi = true, s
		default:
			r.hi = min(r.hi, s)
		}
		return
	}
	r := &rangeClause{variable: variable}
	if isLo {
		r.haveLo, r.lo = true, s
	} else {
		r.haveHi, r.hi = true, s
	}
	*list = append(*list, r)
}

// anyOf is clauselist_selectivity_or: the clauses are taken as independent.
func (c *context) anyOf(clauses []item) float64 {
	c.checkExtended(clauses)
	s := 0.0
	for _, it := range clauses {
		s2 := c.one(it)
		s = s + s2 - float64(s*s2)
	}
	return s
}

func (c *context) restrictName(op pgtype.OID) string {
	if o := c.root.Global.Catalog.Operator(op); o != nil {
		return o.Restrict
	}
	return ""
}
