package analyze

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
)

const maxGroupingSets = 4096

// ExpandGroupingSets multiplies GROUPING SETS, ROLLUP and CUBE out into plain
// sets of SortGroupRefs, smallest first; nil if there are more than limit
// (expand_grouping_sets, parse_agg.c).
func ExpandGroupingSets(list []*query.GroupingSet, distinct bool, limit int) [][]int {
	if len(list) == 0 {
		return nil
	}
	count := 1
	var result [][]int
	for i, g := range list {
		sets := expandSet(g)
		if count *= len(sets); count > limit {
			return nil
		}
		if i == 0 {
			for _, s := range sets {
				result = append(result, union(nil, s))
			}
			continue
		}
		var product [][]int
		for _, q := range result {
			for _, p := range sets {
				product = append(product, union(q, p))
			}
		}
		result = product
	}
	byLen := func(a, b []int) int { return len(a) - len(b) }
	if !distinct || len(result) < 2 {
		slices.SortStableFunc(result, byLen)
		return result
	}
	for _, s := range result {
		slices.Sort(s)
	}
	slices.SortStableFunc(result, func(a, b []int) int {
		if d := byLen(a, b); d != 0 {
			return d
		}
		return slices.Compare(a, b)
	})
	return slices.CompactFunc(result, slices.Equal[[]int])
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	if out == nil {
		out = []int{}
	}
	return out
}

func expandSet(g *query.GroupingSet) [][]int {
	switch g.Kind {
	case query.GroupingSetSimple:
		return [][]int{g.Refs}
	case query.GroupingSetRollup:
		var out [][]int
		for n := len(g.Sets); n > 0; n-- {
			var cur []int
			for _, s := range g.Sets[:n] {
				cur = append(cur, s.Refs...)
			}
			out = append(out, cur)
		}
		return append(out, nil)
	case query.GroupingSetCube:
		var out [][]int
		for mask := range 1 << len(g.Sets) {
			var cur []int
			for i, s := range g.Sets {
				if mask&(1<<i) != 0 {
					cur = append(cur, s.Refs...)
				}
			}
			out = append(out, cur)
		}
		return out
	case query.GroupingSetSets:
		var out [][]int
		for _, s := range g.Sets {
			out = append(out, expandSet(s)...)
		}
		return out
	}
	return [][]int{nil}
}
