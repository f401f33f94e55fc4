package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// call is one use of an operator to estimate.
type call struct {
	op   pgtype.OID
	args []query.Expr
	coll pgtype.OID
}

// estimator gives a selectivity.
type estimator func(*context, call) float64

func constant(s float64) estimator { return func(*context, call) float64 { return s } }

// estimatorOf returns the restriction estimator of a name in pg_operator.oprrest,
// nil for an unknown one.
func estimatorOf(name string) estimator {
	switch name {
	case "eqsel":
		return func(c *context, k call) float64 { return c.equality(k.op, k.args, k.coll, false) }
	case "neqsel":
		return func(c *context, k call) float64 { return c.equality(k.op, k.args, k.coll, true) }
	case "scalarltsel":
		return ineq(false, false)
	case "scalarlesel":
		return ineq(false, true)
	case "scalargtsel":
		return ineq(true, false)
	case "scalargesel":
		return ineq(true, true)
	case "likesel":
		return match(patternLike, false)
	case "nlikesel":
		return match(patternLike, true)
	case "iclikesel":
		return match(patternLikeIC, false)
	case "icnlikesel":
		return match(patternLikeIC, true)
	case "regexeqsel":
		return match(patternRegex, false)
	case "regexnesel":
		return match(patternRegex, true)
	case "icregexeqsel":
		return match(patternRegexIC, false)
	case "icregexnesel":
		return match(patternRegexIC, true)
	case "prefixsel":
		return match(patternPrefix, false)
	case "matchingsel":
		return func(c *context, k call) float64 { return c.generic(k.op, k.args, k.coll, DefaultMatching) }
	case "arraycontsel":
		return (*context).arrayContainment
	case "tsmatchsel":
		return (*context).textSearch
	case "rangesel", "multirangesel":
		return (*context).rangeOperator
	case "networksel":
		return (*context).network
	// geo_selfuncs.c.
	case "areasel":
		return constant(0.005)
	case "positionsel":
		return constant(0.1)
	case "contsel":
		return constant(0.001)
	}
	return nil
}

// joinEstimatorOf is [estimatorOf] for pg_operator.oprjoin.
func joinEstimatorOf(name string) estimator {
	switch name {
	case "eqjoinsel":
		return func(c *context, k call) float64 { return c.eqJoin(k.op, k.args, k.coll) }
	case "neqjoinsel":
		return func(c *context, k call) float64 { return c.neqJoin(k.op, k.args, k.coll) }
	case "scalarltjoinsel", "scalarlejoinsel", "scalargtjoinsel", "scalargejoinsel":
		return constant(DefaultIneq)
	case "likejoinsel", "iclikejoinsel", "regexeqjoinsel", "icregexeqjoinsel", "prefixjoinsel":
		return constant(DefaultMatch)
	case "nlikejoinsel", "icnlikejoinsel", "regexnejoinsel", "icregexnejoinsel":
		return constant(1.0 - DefaultMatch)
	case "matchingjoinsel":
		return constant(DefaultMatching)
	case "arraycontjoinsel":
		return func(c *context, k call) float64 { return arrayDefault(k.op) }
	case "tsmatchjoinsel":
		return constant(defaultTSMatch)
	case "networkjoinsel":
		return func(c *context, k call) float64 {
			c.approximate("a join by network containment is estimated by a default")
			return networkDefault(k.op)
		}
	case "areajoinsel":
		return constant(0.005)
	case "positionjoinsel":
		return constant(0.1)
	case "contjoinsel":
		return constant(0.001)
	}
	return nil
}

func ineq(gt, eq bool) estimator {
	return func(c *context, k call) float64 { return c.inequality(k.op, k.args, k.coll, gt, eq) }
}

func match(kind patternType, negate bool) estimator {
	return func(c *context, k call) float64 { return c.patternOperator(k.op, k.args, k.coll, kind, negate) }
}

// restriction estimates an operator clause on one relation
// (restriction_selectivity, plancat.c).
func (c *context) restriction(op pgtype.OID, args []query.Expr, coll pgtype.OID) float64 {
	o := c.root.Global.Catalog.Operator(op)
	if o == nil || o.Restrict == "" {
		return 0.5
	}
	f := estimatorOf(o.Restrict)
	if f == nil {
		c.approximate("the estimator " + o.Restrict + " is not known")
		return DefaultMatching
	}
	return f(c, call{op, args, coll})
}

// join estimates an operator clause between relations (join_selectivity,
// plancat.c).
func (c *context) join(op pgtype.OID, args []query.Expr, coll pgtype.OID) float64 {
	o := c.root.Global.Catalog.Operator(op)
	if o == nil || o.Join == "" {
		return 0.5
	}
	f := joinEstimatorOf(o.Join)
	if f == nil {
		c.approximate("the estimator " + o.Join + " is not known")
		return DefaultMatching
	}
	if len(args) != 2 {
		return 0.5
	}
	return f(c, call{op, args, coll})
}
