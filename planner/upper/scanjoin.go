package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// partitioned reports whether a relation has partitions that can be looked at
// one by one (IS_PARTITIONED_REL, pathnodes.h).
func partitioned(rl *rel.RelOptInfo) bool {
	return rl.PartScheme != nil && rl.NParts > 0 && len(rl.PartRels) > 0 && !path.IsDummy(rl)
}

// applyScanJoinTarget makes all paths of the topmost scan or join compute the
// given targets, and gathers partial paths now that the final target is known
// (apply_scanjoin_target_to_paths, planner.c).
func applyScanJoinTarget(root *rel.PlannerInfo, rl *rel.RelOptInfo, levels []srfLevel, safe, sameExprs bool) {
	parts := partitioned(rl)
	if parts {
		// Computing the target below the Append is at least as good.
		rl.Paths = nil
	}
	if !safe {
		path.GenerateUsefulGatherPaths(root, rl, false)
		rl.PartialPaths, rl.ConsiderParallel = nil, false
	}
	if parts {
		rl.PartialPaths = nil
	}
	first := levels[0].target
	for _, list := range [][]rel.Path{rl.Paths, rl.PartialPaths} {
		for i, p := range list {
			if sameExprs {
				p.Base().Target.SortRefs = first.SortRefs
				continue
			}
			list[i] = path.NewProjection(root, rl, p, first)
		}
	}
	if root.Parse.HasTargetSRFs {
		addSRFSteps(root, rl, levels)
	}
	rl.Target = levels[len(levels)-1].target
	if parts {
		applyToPartitions(root, rl, levels, safe, sameExprs)
	}
	if rl.ConsiderParallel && rl.Kind != rel.OtherMemberRel && rl.Kind != rel.OtherJoinRel {
		path.GenerateUsefulGatherPaths(root, rl, false)
	}
	path.SetCheapest(rl)
}

func applyToPartitions(root *rel.PlannerInfo, rl *rel.RelOptInfo, levels []srfLevel, safe, sameExprs bool) {
	var live []*rel.RelOptInfo
	for _, i := range rl.LiveParts {
		child := rl.PartRels[i]
		if child == nil || path.IsDummy(child) {
			continue
		}
		applyScanJoinTarget(root, child, childLevels(root, child, levels), safe, sameExprs)
		if !path.IsDummy(child) {
			live = append(live, child)
		}
	}
	path.AddPathsToAppendRel(root, rl, live)
}

// childLevels translates targets into the columns of a partition.
func childLevels(root *rel.PlannerInfo, child *rel.RelOptInfo, levels []srfLevel) []srfLevel {
	out := slices.Clone(levels)
	for i := range out {
		out[i].target = childTarget(root, child, out[i].target)
	}
	return out
}

func childTarget(root *rel.PlannerInfo, child *rel.RelOptInfo, t *rel.PathTarget) *rel.PathTarget {
	c := prep.CopyTarget(t)
	for i, e := range c.Exprs {
		c.Exprs[i] = childExpr(root, child, e)
	}
	return c
}

// childExpr translates an expression over a partition's direct parent.
func childExpr(root *rel.PlannerInfo, child *rel.RelOptInfo, e query.Expr) query.Expr {
	if e == nil {
		return nil
	}
	return prep.AdjustAppendRelAttrs(root, e, root.Append[child.Index])
}
