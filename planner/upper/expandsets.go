package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/query"
)

// expandSets writes GROUPING SETS, ROLLUP and CUBE out as a list of sets, the
// smallest first (expand_grouping_sets, parse_agg.c).
func expandSets(list []*query.GroupingSet, distinct bool) [][]int {
	var out [][]int
	for i, gs := range list {
		sets := expandSet(gs)
		if i == 0 {
			for _, s := range sets {
				out = append(out, union(nil, s))
			}
			continue
		}
		var next [][]int
		for _, a := range out {
			for _, b := range sets {
				next = append(next, union(a, b))
			}
		}
		out = next
	}
	if !distinct || len(out) < 2 {
		qsort(out, func(a, b []int) int { return len(a) - len(b) })
		return out
	}
	for _, s := range out {
		slices.Sort(s)
	}
	qsort(out, func(a, b []int) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
	return slices.CompactFunc(out, slices.Equal)
}

// union appends to a what it does not have of b.
func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func expandSet(gs *query.GroupingSet) [][]int {
	switch gs.Kind {
	case query.GroupingSetEmpty:
		return [][]int{nil}
	case query.GroupingSetSimple:
		return [][]int{gs.Refs}
	case query.GroupingSetRollup:
		var out [][]int
		for n := len(gs.Sets); n >= 0; n-- {
			var set []int
			for _, s := range gs.Sets[:n] {
				set = append(set, s.Refs...)
			}
			out = append(out, set)
		}
		return out
	case query.GroupingSetCube:
		var out [][]int
		for mask := range 1 << len(gs.Sets) {
			var set []int
			for i, s := range gs.Sets {
				if mask&(1<<i) != 0 {
					set = append(set, s.Refs...)
				}
			}
			out = append(out, set)
		}
		return out
	}
	var out [][]int
	for _, s := range gs.Sets {
		out = append(out, expandSet(s)...)
	}
	return out
}

// chains arranges sets, sorted by size, into as few chains as possible in which
// each set contains the one before, so that one sort serves a chain
// (extract_rollup_sets, planner.c).
func chains(sets [][]int) [][][]int {
	empty := 0
	for empty < len(sets) && len(sets[empty]) == 0 {
		empty++
	}
	if empty == len(sets) {
		return [][][]int{sets}
	}
	// Index 0 stands for no set.
	originals := [][][]int{nil}
	masks := []query.Relids{{}}
	adjacent := [][]int{nil}
	size, start := 0, 0
	for _, s := range sets[empty:] {
		mask := query.MakeRelids(s...)
		same := 0
		if size == len(s) {
			for k := start; k < len(masks); k++ {
				if masks[k] == mask {
					same = k
					break
				}
			}
		} else if size < len(s) {
			size, start = len(s), len(masks)
		}
		if same > 0 {
			originals[same] = append(originals[same], s)
			continue
		}
		var adj []int
		for k := start - 1; k > 0; k-- {
			if masks[k].IsSubset(mask) {
				adj = append(adj, k)
			}
		}
		originals, masks, adjacent = append(originals, [][]int{s}), append(masks, mask), append(adjacent, adj)
	}
	m := newMatching(adjacent)
	chain := make([]int, len(masks))
	var out [][][]int
	for i := 1; i < len(masks); i++ {
		u, v := m.vu[i], m.uv[i]
		switch {
		case u > 0 && u < i:
			chain[i] = chain[u]
		case v > 0 && v < i:
			chain[i] = chain[v]
		default:
			out = append(out, nil)
			chain[i] = len(out)
		}
		out[chain[i]-1] = append(out[chain[i]-1], originals[i]...)
	}
	out[0] = append(make([][]int, empty), out[0]...)
	return out
}

// matching is a largest matching of a bipartite graph by Hopcroft and Karp's
// algorithm (bipartite_match.c). Nodes are counted from 1.
type matching struct {
	adjacent [][]int
	uv, vu   []int
	distance []int
}

const unreached = int(^uint(0) >> 1)

func newMatching(adjacent [][]int) *matching {
	n := len(adjacent)
	m := &matching{adjacent: adjacent, uv: make([]int, n), vu: make([]int, n), distance: make([]int, n)}
	for m.breadth() {
		for u := 1; u < n; u++ {
			if m.uv[u] == 0 {
				m.depth(u)
			}
		}
	}
	return m
}

// breadth measures how far nodes are from an unmatched one and reports whether
// the matching can grow.
func (m *matching) breadth() bool {
	m.distance[0] = unreached
	var queue []int
	for u := 1; u < len(m.uv); u++ {
		m.distance[u] = unreached
		if m.uv[u] == 0 {
			m.distance[u] = 0
			queue = append(queue, u)
		}
	}
	for i := 0; i < len(queue); i++ {
		u := queue[i]
		if m.distance[u] >= m.distance[0] {
			continue
		}
		for k := len(m.adjacent[u]) - 1; k >= 0; k-- {
			next := m.vu[m.adjacent[u][k]]
			if m.distance[next] == unreached {
				m.distance[next] = 1 + m.distance[u]
				queue = append(queue, next)
			}
		}
	}
	return m.distance[0] != unreached
}

// depth extends the matching from a node along the measured distances.
func (m *matching) depth(u int) bool {
	if u == 0 {
		return true
	}
	if m.distance[u] == unreached {
		return false
	}
	for k := len(m.adjacent[u]) - 1; k >= 0; k-- {
		v := m.adjacent[u][k]
		if m.distance[m.vu[v]] == m.distance[u]+1 && m.depth(m.vu[v]) {
			m.vu[v], m.uv[u] = u, v
			return true
		}
	}
	m.distance[u] = unreached
	return false
}
