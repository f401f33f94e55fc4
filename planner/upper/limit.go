package upper

import (
	"math"
	"strconv"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// unknownLimit is the part of the rows that a LIMIT or OFFSET of unknown size is
// taken for.
const unknownLimit = 0.10

// bounds are LIMIT and OFFSET as far as they are known: 0 for none, -1 for one
// that is not known.
type bounds struct{ offset, count int64 }

// tuples is the number of rows after which a query ends, -1 if unknown.
func (b bounds) tuples() float64 {
	if b.count > 0 && b.offset >= 0 {
		return float64(b.count) + float64(b.offset)
	}
	return -1
}

// estimateBound evaluates LIMIT or OFFSET; least is the smallest value that it
// is taken for.
func estimateBound(root *rel.PlannerInfo, e query.Expr, least int64) int64 {
	if e == nil {
		return 0
	}
	c, ok := eval.Estimate(root.Global, e).(*query.Const)
	if !ok {
		return -1
	}
	if c.Null {
		return 0
	}
	n, err := strconv.ParseInt(c.Value, 10, 64)
	if err != nil {
		return -1
	}
	return max(n, least)
}

// preprocessLimit estimates LIMIT and OFFSET and says how much of the result
// will be fetched, given what the caller wants (preprocess_limit, planner.c).
func preprocessLimit(root *rel.PlannerInfo, fraction float64) (float64, bounds) {
	q := root.Parse
	b := bounds{count: estimateBound(root, q.LimitCount, 1), offset: estimateBound(root, q.LimitOffset, 0)}
	switch {
	case b.count != 0:
		limit := unknownLimit
		if b.count > 0 && b.offset >= 0 {
			limit = float64(b.count) + float64(b.offset)
		}
		switch {
		case fraction >= 1:
			if limit >= 1 {
				fraction = math.Min(fraction, limit)
			}
		case fraction > 0:
			if limit >= 1 {
				fraction = limit
			} else {
				fraction = math.Min(fraction, limit)
			}
		default:
			fraction = limit
		}
	case b.offset != 0 && fraction > 0:
		limit := unknownLimit
		if b.offset > 0 {
			limit = float64(b.offset)
		}
		switch {
		case fraction >= 1 && limit >= 1:
			fraction += limit
		case fraction >= 1:
			fraction = limit
		case limit < 1:
			fraction += limit
			if fraction >= 1 {
				fraction = 0
			}
		}
	}
	return fraction, b
}
