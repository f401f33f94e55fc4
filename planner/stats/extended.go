package stats

import (
	"fmt"
	"strconv"
	"strings"
)

// NDistinctItem is the number of distinct combinations of some columns.
type NDistinctItem struct {
	// Attrs are attribute numbers, ascending; -1, -2 … are the object's
	// expressions in order.
	Attrs  []int
	Groups float64
}

// Dependency is how far some columns determine another.
type Dependency struct {
	From   []int // attribute numbers as in [NDistinctItem]
	To     int
	Degree float64 // 0 to 1
}

// parseNDistinct reads pg_ndistinct's text, {"1, 2": 1000, …}
// (pg_ndistinct_out, mvdistinct.c).
func parseNDistinct(text string) ([]NDistinctItem, error) {
	root, err := parseItems(text)
	if err != nil {
		return nil, err
	}
	var out []NDistinctItem
	for _, m := range root {
		attrs, err := parseAttrs(m.key)
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseFloat(m.value.text, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q: expected a count", m.key)
		}
		out = append(out, NDistinctItem{attrs, n})
	}
	return out, nil
}

// parseDependencies reads pg_dependencies' text, {"1 => 2": 0.5, …}
// (pg_dependencies_out, dependencies.c).
func parseDependencies(text string) ([]Dependency, error) {
	root, err := parseItems(text)
	if err != nil {
		return nil, err
	}
	var out []Dependency
	for _, m := range root {
		from, to, ok := strings.Cut(m.key, " => ")
		if !ok {
			return nil, fmt.Errorf("%q: expected columns, => and a column", m.key)
		}
		attrs, err := parseAttrs(from)
		if err != nil {
			return nil, err
		}
		target, err := parseAttrs(to)
		if err != nil || len(target) != 1 {
			return nil, fmt.Errorf("%q: expected one column behind =>", m.key)
		}
		degree, err := strconv.ParseFloat(m.value.text, 64)
		if err != nil || degree < 0 || degree > 1 {
			return nil, fmt.Errorf("%q: expected a degree between 0 and 1", m.key)
		}
		out = append(out, Dependency{attrs, target[0], degree})
	}
	return out, nil
}

func parseItems(text string) ([]member, error) {
	if text == "" {
		return nil, nil
	}
	root, err := parseJSON(text, 0)
	if err != nil {
		return nil, err
	}
	if root.kind != objectNode {
		return nil, fmt.Errorf("expected the text of pg_stats_ext, got %s", root.kind)
	}
	return root.members, nil
}

func parseAttrs(text string) ([]int, error) {
	var out []int
	for _, s := range strings.Split(text, ", ") {
		n, err := strconv.Atoi(s)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%q: expected attribute numbers", text)
		}
		out = append(out, n)
	}
	return out, nil
}
