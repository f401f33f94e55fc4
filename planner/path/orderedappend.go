package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// partitionOrder is the order in which partitions read one after the other give
// the rows; partial says that later key columns are unordered.
type partitionOrder struct {
	keys    []*rel.PathKey
	partial bool
}

// gives reports whether that order is the wanted one.
func (o partitionOrder) gives(keys []*rel.PathKey) bool {
	return prep.PathKeysContainedIn(keys, o.keys) || !o.partial && prep.PathKeysContainedIn(o.keys, keys)
}

// partitionsAreOrdered reports whether the partitions that are left follow one
// another in the order of the key (partitions_are_ordered, partbounds.c).
func partitionsAreOrdered(root *rel.PlannerInfo, rl *rel.RelOptInfo) bool {
	if rl.PartScheme == nil {
		return false
	}
	switch rl.PartScheme.Key.Strategy {
	case 'r':
		return !slices.ContainsFunc(rl.LiveParts, func(i int) bool { return rl.PartScheme.Bounds[i].Default })
	case 'l':
		apart, known := prep.InterleavedLists(root, rl)
		if !known {
			root.Global.Approximate("the order of the partitions of " + rl.Table.Name)
			return false
		}
		return !slices.ContainsFunc(rl.LiveParts, func(i int) bool { return slices.Contains(apart, i) })
	}
	return false
}

// orderedAppendPaths keeps the children's orders: by reading partitions in
// order, or by merging (generate_orderedappend_paths, allpaths.c).
func orderedAppendPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo, live []*rel.RelOptInfo, wanted [][]*rel.PathKey) {
	up, down := partitionOrder{partial: true}, partitionOrder{partial: true}
	if (rl.Kind == rel.BaseRel || rl.Kind == rel.OtherMemberRel) && partitionsAreOrdered(root, rl) {
		exprs := prep.PartitionExprs(rl)
		up.keys, up.partial = prep.BuildPartitionPathKeys(root, rl, rel.Forward, exprs)
		down.keys, down.partial = prep.BuildPartitionPathKeys(root, rl, rel.Backward, exprs)
	}
	for _, keys := range wanted {
		ordered := up.gives(keys)
		children := live
		if !ordered && down.gives(keys) {
			ordered = true
			children = slices.Clone(live)
			slices.Reverse(children)
		}
		orderedPaths(root, rl, children, keys, ordered)
	}
}

func orderedPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo, live []*rel.RelOptInfo, keys []*rel.PathKey, ordered bool) {
	var startup, total, fractional appendSet
	differ := false
	for _, child := range live {
		s := GetCheapestPathForPathKeys(child.Paths, keys, query.Relids{}, StartupCost, false)
		t := GetCheapestPathForPathKeys(child.Paths, keys, query.Relids{}, TotalCost, false)
		if s == nil || t == nil {
			// This one will be sorted.
			s, t = child.CheapestTotal, child.CheapestTotal
		}
		if s == nil || s.Base().Param != nil {
			return
		}
		var f rel.Path
		if root.TupleFraction > 0 {
			fraction := 1.0 / root.TupleFraction
			if root.Global.Version(18) {
				// Since 18 the number of rows is measured against the child's.
				fraction = root.TupleFraction
				if fraction >= 1 {
					fraction /= t.Base().Rows
				}
			}
			f = GetCheapestFractionalPathForPathKeys(child.Paths, keys, query.Relids{}, fraction)
			if f == nil {
				f = t
			}
		}
		differ = differ || s != t
		if ordered {
			startup.paths = append(startup.paths, onlyInput(s))
			total.paths = append(total.paths, onlyInput(t))
			if f != nil {
				fractional.paths = append(fractional.paths, onlyInput(f))
			}
			continue
		}
		startup.add(s, nil)
		total.add(t, nil)
		if f != nil {
			fractional.add(f, nil)
		}
	}
	add := func(subs []rel.Path) {
		if ordered {
			AddPath(rl, NewAppend(root, rl, Append{Subs: subs, Keys: keys, Rows: -1}))
			return
		}
		AddPath(rl, NewMergeAppend(root, rl, subs, keys, query.Relids{}))
	}
	add(startup.paths)
	if differ {
		add(total.paths)
	}
	if len(fractional.paths) > 0 {
		add(fractional.paths)
	}
}

// onlyInput looks through an Append or MergeAppend of a single path
// (get_singleton_append_subpath).
func onlyInput(p rel.Path) rel.Path {
	switch n := p.(type) {
	case *rel.AppendPath:
		if len(n.Subs) == 1 {
			return n.Subs[0]
		}
	case *rel.MergeAppendPath:
		if len(n.Subs) == 1 {
			return n.Subs[0]
		}
	}
	return p
}
