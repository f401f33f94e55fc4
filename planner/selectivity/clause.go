package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// one is clause_selectivity: it uses and fills the cache of a RestrictInfo where
// the estimate does not depend on varRelid.
func (c *context) one(it item) float64 {
	r := it.rinfo
	if r == nil {
		return c.expr(it.expr, nil)
	}
	if r.PseudoConstant {
		if _, ok := r.Clause.(*query.Const); !ok {
			return 1.0
		}
	}
	if r.NormSel > 1 {
		return 1.0 // marked as redundant
	}
	cacheable := c.varRelid == 0 || r.NumBaseRels == 0 || r.NumBaseRels == 1 && r.ClauseRelids.Has(c.varRelid)
	cache := &r.NormSel
	if c.jointype != query.JoinInner {
		cache = &r.OuterSel
	}
	if cacheable && *cache >= 0 {
		return *cache
	}
	var s float64
	if r.OrClause != nil {
		s = c.orClause(r.OrClause)
	} else {
		s = c.expr(r.Clause, r)
	}
	if cacheable {
		*cache = s
	}
	return s
}

// orClause estimates an OR whose leaves are RestrictInfos, so that their caches
// serve.
func (c *context) orClause(or *rel.OrClause) float64 {
	c.checkExtendedOr(or)
	s := 0.0
	for _, arm := range or.Arms {
		var s2 float64
		if arm.IsAnd {
			s2 = c.list(items(arm.And))
		} else {
			s2 = c.one(item{rinfo: arm.And[0]})
		}
		s = s + s2 - float64(s*s2)
	}
	return s
}

// expr estimates a bare clause. A nil clause, from an outer join without quals,
// gives one half as in PostgreSQL.
func (c *context) expr(e query.Expr, r *rel.RestrictInfo) float64 {
	switch n := e.(type) {
	case nil:
		return 0.5
	case *query.Var:
		if n.LevelsUp == 0 && (c.varRelid == 0 || c.varRelid == n.VarNo) {
			return c.boolVar(n)
		}
		return 0.5
	case *query.Const:
		return constSelectivity(n)
	case *query.Param:
		if v, ok := eval.Estimate(c.root.Global, n).(*query.Const); ok {
			return constSelectivity(v)
		}
		return 0.5
	case *query.BoolExpr:
		switch n.Op {
		case query.NotExpr:
			return 1.0 - c.expr(n.Args[0], nil)
		case query.AndExpr:
			return c.list(exprItems(n.Args))
		}
		return c.anyOf(exprItems(n.Args))
	case *query.OpExpr:
		return c.operator(n, e, r)
	case *query.DistinctExpr:
		return 1.0 - c.operator(&n.OpExpr, e, r)
	case *query.FuncExpr:
		return c.function(n, c.isJoin(e, r))
	case *query.ScalarArrayOpExpr:
		return c.scalarArray(n, c.isJoin(e, r))
	case *query.RowCompareExpr:
		return c.rowCompare(n)
	case *query.NullTest:
		return c.nullTest(n.Arg, n.Not)
	case *query.BooleanTest:
		return c.booleanTest(n)
	case *query.CurrentOfExpr:
		if b := baseRel(c.root, n.VarNo); b != nil && b.Tuples > 0 {
			return 1.0 / b.Tuples
		}
		return 0.5
	case *query.RelabelType:
		return c.expr(n.Arg, nil)
	case *query.CoerceToDomain:
		return c.expr(n.Arg, nil)
	}
	return c.boolVar(e)
}

func constSelectivity(n *query.Const) float64 {
	if !n.Null && n.Value == "t" {
		return 1.0
	}
	return 0.0
}

// isJoin tells whether a clause is estimated as a join clause
// (treat_as_join_clause, clausesel.c).
func (c *context) isJoin(e query.Expr, r *rel.RestrictInfo) bool {
	if c.varRelid != 0 || c.sj == nil {
		return false
	}
	if r != nil {
		return r.NumBaseRels > 1
	}
	return c.numRelids(e) > 1
}

func (c *context) operator(n *query.OpExpr, e query.Expr, r *rel.RestrictInfo) float64 {
	if c.isJoin(e, r) {
		return c.join(n.Op, n.Args, n.InputColl)
	}
	return c.restriction(n.Op, n.Args, n.InputColl)
}

// rowCompare takes the first columns as the whole (rowcomparesel, selfuncs.c).
func (c *context) rowCompare(n *query.RowCompareExpr) float64 {
	args := []query.Expr{n.Left[0], n.Right[0]}
	coll := pgtype.OID(0)
	if len(n.InputColls) > 0 {
		coll = n.InputColls[0]
	}
	if c.varRelid == 0 && c.sj != nil && eval.PullVarNosList(c.root, args).Minus(c.root.OuterJoins).Len() > 1 {
		return c.join(n.Ops[0], args, coll)
	}
	return c.restriction(n.Ops[0], args, coll)
}

// function estimates a call of a boolean function (function_selectivity,
// plancat.c).
func (c *context) function(n *query.FuncExpr, join bool) float64 {
	const none = 0.3333333
	f := c.root.Global.Catalog.Func(n.Func)
	if f == nil || f.Support == "" {
		return none
	}
	var kind patternType
	switch f.Support {
	case "textlike_support":
		kind = patternLike
	case "texticlike_support":
		kind = patternLikeIC
	case "textregexeq_support":
		kind = patternRegex
	case "texticregexeq_support":
		kind = patternRegexIC
	case "text_starts_with_support":
		kind = patternPrefix
	default:
		if f.OID >= pgtype.FirstNormalOID {
			c.approximate("the estimate of " + f.Name + " is its extension's")
		}
		return none
	}
	if join {
		return DefaultMatch
	}
	return c.pattern(n.Func, n.Args, n.InputColl, kind, false)
}
