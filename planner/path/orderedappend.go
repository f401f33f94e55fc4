package path

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
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
func partitionsAreOrdered(rl *rel.RelOptInfo) bool {
	if rl.PartScheme == nil {
		return false
	}
	for _, i := range rl.LiveParts {
		b := rl.PartScheme.Bounds[i]
		if b.Default {
			return false
		}
	}
	switch rl.PartScheme.Key.Strategy {
	case 'r':
		return true
	case 'l':
		return listsAreOrdered(rl)
	}
	return false
}

// listsAreOrdered accepts lists of one value each, which are sorted by it; a
// list with NULL beside a value, or lists that interleave, are not in order.
func listsAreOrdered(rl *rel.RelOptInfo) bool {
	for _, i := range rl.LiveParts {
		b := rl.PartScheme.Bounds[i]
		if len(b.List) != 1 {
			return false
		}
		// A partition of NULL alone stands at the end, where NULLS LAST puts it.
		if b.List[0].Null && i != rl.LiveParts[len(rl.LiveParts)-1] {
			return false
		}
	}
	return true
}

// orderedAppendPaths keeps the children's orders: by reading partitions in
// order, or by merging (generate_orderedappend_paths, allpaths.c).
func orderedAppendPaths(root *rel.PlannerInfo, rl *rel.RelOptInfo, live []*rel.RelOptInfo, wanted [][]*rel.PathKey) {
	up, down := partitionOrder{partial: true}, partitionOrder{partial: true}
	if (rl.Kind == rel.BaseRel || rl.Kind == rel.OtherMemberRel) && partitionsAreOrdered(rl) {
		exprs := prep.PartitionExprs(rl)
		up.keys, up.partial = prep.BuildPartitionPathKeys(root, rl, rel.Forward, exprs)
		down.keys, down.partial = prep.BuildPartitionPathKeys(root, rl, rel.Backward, exprs)
	} else if rl.PartScheme != nil && rl.PartScheme.Key.Strategy == catalogList && len(wanted) > 0 && !allSingle(rl) {
		root.Global.Approximate("the order of the partitions of " + rl.Table.Name)
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

const catalogList = 'l'

// allSingle reports whether every list of values has one value; then the order
// of partitions is fully known.
func allSingle(rl *rel.RelOptInfo) bool {
	return !slices.ContainsFunc(rl.PartScheme.Bounds, func(b *catalog.PartitionBound) bool { return len(b.List) > 1 })
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
