package path

import "github.com/dbgen/dbgen/planner/rel"

// SetSubquerySizeEstimates takes the size of a planned subquery's output as a
// relation's (set_subquery_size_estimates, costsize.c). rl.SubRoot must be
// planned.
func SetSubquerySizeEstimates(root *rel.PlannerInfo, rl *rel.RelOptInfo) { setSubquerySize(root, rl) }
