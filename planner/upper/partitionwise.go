package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// hasPartitionKey reports whether the whole partition key is grouped by, so that
// no group spans partitions (group_by_has_partkey, planner.c).
func hasPartitionKey(rl *rel.RelOptInfo, exprs []query.Expr) bool {
	if rl.Kind != rel.BaseRel && rl.Kind != rel.OtherMemberRel {
		// A join's key has several names; partition by partition it is only
		// aggregated in part.
		return false
	}
	for i, key := range prep.PartitionExprs(rl) {
		collation := rl.PartScheme.Key.Keys[i].Collation
		ok := slices.ContainsFunc(exprs, func(e query.Expr) bool {
			if r, is := e.(*query.RelabelType); is {
				e = r.Arg
			}
			c := e.ResultCollation()
			return query.Equal(e, key) && (collation == 0 || c == 0 || c == collation)
		})
		if !ok {
			return false
		}
	}
	return true
}

// partitionwiseGrouping groups partition by partition
// (create_partitionwise_grouping_paths, planner.c).
func partitionwiseGrouping(root *rel.PlannerInfo, in, rl, partly *rel.RelOptInfo, g *grouping, parts partitionwise) {
	var grouped, partial []*rel.RelOptInfo
	valid := true
	for _, i := range in.LiveParts {
		child := in.PartRels[i]
		if child == nil || path.IsDummy(child) {
			continue
		}
		c := *g
		c.parts = parts
		c.having = nil
		for _, e := range g.having {
			c.having = append(c.having, childExpr(root, child, e))
		}
		c.list = make([]*query.TargetEntry, len(g.list))
		for n, te := range g.list {
			t := *te
			t.Expr = childExpr(root, child, te.Expr)
			c.list[n] = &t
		}
		out := groupingRel(root, child, childTarget(root, child, rl.Target), g.targetSafe, c.having)
		if p := ordinaryGrouping(root, child, out, &c); p != nil {
			partial = append(partial, p)
		} else {
			valid = false
		}
		if parts == partitionwiseFull {
			path.SetCheapest(out)
			grouped = append(grouped, out)
		}
	}
	if partly != nil && valid && len(partial) > 0 {
		path.AddPathsToAppendRel(root, partly, partial)
		if len(partly.Paths) > 0 {
			path.SetCheapest(partly)
		}
	}
	if parts == partitionwiseFull && len(grouped) > 0 {
		path.AddPathsToAppendRel(root, rl, grouped)
	}
}
