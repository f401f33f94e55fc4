package join

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// hashEntryOverhead is what a hashed row takes beside its width, in bytes
// (create_unique_path).
const hashEntryOverhead = 64

// uniquePath makes the rows of a semijoin's right side unique, by sorting or
// hashing, or by nothing if they are; nil if that is not possible. sub is the
// relation's cheapest path, in whose place it is kept (create_unique_path,
// pathnode.c).
func uniquePath(root *rel.PlannerInfo, rl *rel.RelOptInfo, sub rel.Path, sj *rel.SpecialJoinInfo) rel.Path {
	if rl.CheapestUnique != nil {
		return rl.CheapestUnique
	}
	if sub == nil || !sj.SemiCanBtree && !sj.SemiCanHash {
		return nil
	}
	if root.Global.Version(18) && onlyConstants(root, sj.SemiRHSExprs) {
		root.Global.Approximate("a semijoin on columns that equal constants")
	}
	s := sub.Base()
	u := &rel.UniquePath{Sub: sub, Operators: sj.SemiOperators, Exprs: sj.SemiRHSExprs}
	u.Parent, u.Target, u.Param = rl, rl.Target, s.Param
	u.ParallelSafe = rl.ConsiderParallel && s.ParallelSafe
	u.ParallelWorkers, u.DisabledNodes = s.ParallelWorkers, s.DisabledNodes
	if alreadyUnique(root, rl, sj) {
		u.Method, u.Rows, u.Startup, u.Total, u.PathKeys = rel.UniqueNoop, rl.Rows, s.Startup, s.Total, s.PathKeys
		rl.CheapestUnique = u
		return u
	}
	p := cost.ParamsOf(root.Global)
	u.Rows = selectivity.NumGroups(root, sj.SemiRHSExprs, rl.Rows)
	columns := len(sj.SemiRHSExprs)
	input := cost.EstimateOf(sub)
	var sorted, hashed cost.Estimate
	if sj.SemiCanBtree {
		sorted = cost.Sort(p, cost.SortInput{Input: input, Tuples: rl.Rows, Width: s.Target.Width, LimitTuples: -1})
		sorted.Total += float64(p.CPUOperatorCost * rl.Rows * float64(columns))
	}
	if sj.SemiCanHash {
		if float64(s.Target.Width+hashEntryOverhead)*u.Rows > p.HashMemory() {
			// It would not fit, now or for another join.
			sj.SemiCanHash = false
		} else {
			all := input
			all.Rows = rl.Rows
			hashed = cost.Agg(p, cost.AggInput{
				Input: all, Width: s.Target.Width, Strategy: rel.AggHashed,
				NumTrans: len(root.Trans), GroupCols: columns, Groups: u.Rows,
			})
		}
	}
	switch {
	case sj.SemiCanHash && (!sj.SemiCanBtree || hashed.Disabled < sorted.Disabled ||
		hashed.Disabled == sorted.Disabled && hashed.Total < sorted.Total):
		u.Method, u.Startup, u.Total, u.DisabledNodes = rel.UniqueHash, hashed.Startup, hashed.Total, hashed.Disabled
	case sj.SemiCanBtree:
		u.Method, u.Startup, u.Total, u.DisabledNodes = rel.UniqueSort, sorted.Startup, sorted.Total, sorted.Disabled
	default:
		return nil
	}
	rl.CheapestUnique = u
	return u
}

// onlyConstants reports whether each expression is known to equal a constant. A
// server of 18 does not make such a right side unique.
func onlyConstants(root *rel.PlannerInfo, exprs []query.Expr) bool {
	for _, e := range exprs {
		found := false
		for _, ec := range root.ECs {
			for _, m := range ec.Members {
				found = found || ec.HasConst && query.Equal(m.Expr, e)
			}
		}
		if !found {
			return false
		}
	}
	return len(exprs) > 0
}

// alreadyUnique reports whether an index or the subquery itself keeps the
// semijoin's columns unique.
func alreadyUnique(root *rel.PlannerInfo, rl *rel.RelOptInfo, sj *rel.SpecialJoinInfo) bool {
	switch rl.RTEKind {
	case query.RTERelation:
		return sj.SemiCanBtree && prep.HasUniqueIndexFor(root, rl, nil, sj.SemiRHSExprs, sj.SemiOperators)
	case query.RTESubquery:
		sub := root.RTEs[rl.Index].Subquery
		if !prep.QuerySupportsDistinctness(sub) {
			return false
		}
		var cols []int
		for _, e := range sj.SemiRHSExprs {
			v, ok := e.(*query.Var)
			if !ok || v.VarNo != rl.Index {
				return false
			}
			cols = append(cols, v.AttNo)
		}
		return len(cols) > 0 && prep.QueryIsDistinctFor(root.Global.Catalog, sub, cols, sj.SemiOperators)
	}
	return false
}
