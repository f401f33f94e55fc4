package plan

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// printConstants gives the constants whose text depends on TimeZone the text
// that the server prints: analysis, which does not know the zone, left it as it
// was written.
func (c *creator) printConstants() {
	loc := eval.Env(c.g).Location
	turn := func(e query.Expr) query.Expr {
		return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
			k, ok := x.(*query.Const)
			if !ok || k.Null || !zoned(eval.DescOf(c.g.Catalog, k.Typ)) {
				return nil, false
			}
			v, ok := eval.Value(c.g, k)
			if !ok {
				c.g.Approximate("the text of a constant of a type with a time zone")
				return k, true
			}
			text := v.Format(loc)
			if text == k.Value {
				return k, true
			}
			out := *k
			out.Value = text
			return &out, true
		})
	}
	for _, n := range c.nodes {
		d := &n.conds
		for _, list := range []*[]query.Expr{
			&d.filter, &d.indexQual, &d.indexOrig, &d.orderBy, &d.orderByOrig, &d.recheck, &d.joinQual, &d.clauses,
			&d.oneTime, &d.tidQual, &d.runCond, &d.conflict, &d.cacheKeys, &d.others,
		} {
			out := make([]query.Expr, len(*list))
			for i, e := range *list {
				out[i] = turn(e)
			}
			*list = out
		}
		for _, t := range n.tlist {
			t.Expr = turn(t.Expr)
		}
		for _, p := range n.nestParams {
			p.Value = turn(p.Value)
		}
	}
}

func zoned(d *pgtype.Desc) bool {
	return d != nil && (d.OID == pgtype.TimestamptzOID || zoned(d.Elem) || zoned(d.Sub))
}
