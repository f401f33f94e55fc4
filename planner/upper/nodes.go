package upper

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// above is the start of a path of an upper relation that stands on another one.
func above(rl *rel.RelOptInfo, sub rel.Path, target *rel.PathTarget, keys []*rel.PathKey) rel.PathBase {
	b := sub.Base()
	return rel.PathBase{
		Parent: rl, Target: target, ParallelSafe: rl.ConsiderParallel && b.ParallelSafe,
		ParallelWorkers: b.ParallelWorkers, PathKeys: keys,
	}
}

// chargeTarget adds what computing a target costs.
func chargeTarget(b *rel.PathBase) {
	c := b.Target.Cost
	b.Startup += c.Startup
	b.Total += c.Startup + float64(c.PerTuple*b.Rows)
}

// filter is the cost and selectivity of HAVING.
func filter(root *rel.PlannerInfo, quals []query.Expr) cost.Filter {
	if len(quals) == 0 {
		return cost.Filter{}
	}
	return cost.Filter{
		Present: true, Cost: cost.QualEvalExprs(root.Global, quals),
		Selectivity: selectivity.ClauselistExprs(root, quals, 0, query.JoinInner, nil),
	}
}

// aggregation is what an Agg path is made of.
type aggregation struct {
	target   *rel.PathTarget
	strategy rel.AggStrategy
	split    int
	clause   []*query.SortGroupClause
	having   []query.Expr
	costs    cost.AggCosts
	groups   float64
}

// newAgg makes an aggregation (create_agg_path, pathnode.c).
func newAgg(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, a aggregation) *rel.AggPath {
	b := sub.Base()
	var keys []*rel.PathKey
	if a.strategy == rel.AggSorted {
		keys = b.PathKeys
		// The order within groups, for ordered aggregates, is lost.
		if n := root.NumGroupByKeys; len(keys) > n && root.Global.Version(16) {
			keys = keys[:n:n]
		}
	}
	p := &rel.AggPath{
		PathBase: above(rl, sub, a.target, keys), Sub: sub, Strategy: a.strategy, Split: a.split,
		NumGroups: a.groups, TransSpace: a.costs.TransitionSpace, Clause: a.clause, Qual: a.having,
	}
	cost.Agg(cost.ParamsOf(root.Global), cost.AggInput{
		Input: cost.EstimateOf(sub), Width: b.Target.Width, Strategy: a.strategy, Costs: a.costs,
		NumTrans: len(root.Trans), GroupCols: len(a.clause), Groups: a.groups, Having: filter(root, a.having),
	}).Set(&p.PathBase)
	chargeTarget(&p.PathBase)
	return p
}

// newGroup makes a grouping without aggregates (create_group_path, pathnode.c).
func newGroup(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, clause []*query.SortGroupClause, quals []query.Expr, groups float64) *rel.GroupPath {
	p := &rel.GroupPath{
		PathBase: above(rl, sub, rl.Target, sub.Base().PathKeys), Sub: sub, Clause: clause, Qual: quals,
	}
	cost.Group(cost.ParamsOf(root.Global), cost.GroupInput{
		Input: cost.EstimateOf(sub), GroupCols: len(clause), Groups: groups, Having: filter(root, quals),
	}).Set(&p.PathBase)
	chargeTarget(&p.PathBase)
	return p
}

// newUnique makes a path that drops adjacent duplicates by the first columns of
// its order (create_upper_unique_path, pathnode.c).
func newUnique(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, cols int, groups float64) *rel.UpperUniquePath {
	b := sub.Base()
	p := &rel.UpperUniquePath{PathBase: above(rl, sub, b.Target, b.PathKeys), Sub: sub, Keys: cols}
	cost.Unique(cost.ParamsOf(root.Global), cost.EstimateOf(sub), cols, groups).Set(&p.PathBase)
	return p
}

// newLimit makes a LIMIT (create_limit_path, pathnode.c).
func newLimit(rl *rel.RelOptInfo, sub rel.Path, offset, count query.Expr, withTies bool, b bounds) *rel.LimitPath {
	in := sub.Base()
	p := &rel.LimitPath{
		PathBase: above(rl, sub, in.Target, in.PathKeys), Sub: sub, Offset: offset, Count: count, WithTies: withTies,
	}
	cost.Limit(cost.EstimateOf(sub), b.offset, b.count).Set(&p.PathBase)
	return p
}

// limitOne makes the LIMIT 1 that stands for DISTINCT over constants.
func limitOne(rl *rel.RelOptInfo, sub rel.Path) *rel.LimitPath {
	return newLimit(rl, sub, nil, one(), false, bounds{count: 1})
}

// one is the constant 1 of type bigint.
func one() *query.Const {
	return &query.Const{
		Header: query.Header{Typ: pgtype.Int8OID, Mod: pgtype.NoTypmod}, Value: "1", Len: 8, ByVal: true,
	}
}

// newLockRows makes a step that locks rows (create_lockrows_path, pathnode.c).
func newLockRows(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path) *rel.LockRowsPath {
	// The executor's slot for rechecked rows takes a parameter number.
	prep.SpecialExecParam(root)
	p := &rel.LockRowsPath{
		PathBase: rel.PathBase{Parent: rl, Target: sub.Base().Target}, Sub: sub, Marks: root.RowMarks,
	}
	cost.LockRows(cost.ParamsOf(root.Global), cost.EstimateOf(sub)).Set(&p.PathBase)
	return p
}
