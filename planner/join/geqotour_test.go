package join

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPRNG holds the generator against setseed() and random() of PostgreSQL 17.
func TestPRNG(t *testing.T) {
	t.Parallel()
	p := seededPRNG(0)
	floats := []float64{p.float(), p.float(), p.float()}
	if diff := cmp.Diff([]float64{0.8702553105818676, 0.426569726107606, 0.6684808914837377}, floats); diff != "" {
		t.Errorf("random() after setseed(0): %s", diff)
	}
	ints := []int{p.between(1, 12), p.between(0, 5), p.between(0, 250), p.between(0, 0)}
	if diff := cmp.Diff([]int{9, 3, 116, 0}, ints); diff != "" {
		t.Errorf("random(lo, hi): %s", diff)
	}
	if f := p.float(); f != 0.2836209520202677 {
		t.Errorf("random() = %v", f)
	}
	p = seededPRNG(0.25)
	if f := p.float(); f != 0.19726358498438978 {
		t.Errorf("random() after setseed(0.25) = %v", f)
	}
	ints = []int{p.between(1, 12), p.between(0, 11), p.between(0, 11), p.between(0, 11)}
	if diff := cmp.Diff([]int{4, 2, 5, 6}, ints); diff != "" {
		t.Errorf("random(lo, hi): %s", diff)
	}
}

// TestBreed holds that every bred tour visits every relation once.
func TestBreed(t *testing.T) {
	t.Parallel()
	g := &genetic{rand: seededPRNG(0.5)}
	for n := 2; n <= 30; n++ {
		table := make([]edges, n+1)
		want := make([]int, n)
		for i := range want {
			want[i] = i + 1
		}
		for range 50 {
			a, b := g.randomTour(n), g.randomTour(n)
			edgeTable(table, a, b)
			kid := slices.Sorted(slices.Values(g.breed(table, n)))
			if diff := cmp.Diff(want, kid); diff != "" {
				t.Fatalf("of %v and %v: %s", a, b, diff)
			}
		}
	}
}

// TestSortChromosomes holds that the sort sorts and loses nothing, with many
// equals.
func TestSortChromosomes(t *testing.T) {
	t.Parallel()
	p := seededPRNG(0.1)
	for n := range 300 {
		list := make([]chromosome, n)
		for i := range list {
			list[i] = chromosome{tour: []int{i}, worth: float64(p.between(0, 1+n/4))}
		}
		was := slices.Clone(list)
		sortChromosomes(list)
		if !slices.IsSortedFunc(list, func(a, b chromosome) int { return int(a.worth - b.worth) }) {
			t.Fatalf("%d: not sorted", n)
		}
		seen := map[int]bool{}
		for _, c := range list {
			seen[c.tour[0]] = true
			if was[c.tour[0]].worth != c.worth {
				t.Fatalf("%d: tour %d changed its worth", n, c.tour[0])
			}
		}
		if len(seen) != n {
			t.Fatalf("%d: %d left", n, len(seen))
		}
	}
}

// TestSpread holds that a pool stays sorted and keeps its size.
func TestSpread(t *testing.T) {
	t.Parallel()
	p := seededPRNG(0.3)
	g := &genetic{}
	for i := range 50 {
		g.pool = append(g.pool, chromosome{worth: float64(i * 2)})
	}
	for range 500 {
		g.spread(chromosome{worth: float64(p.between(0, 120))})
		if len(g.pool) != 50 || !slices.IsSortedFunc(g.pool, func(a, b chromosome) int { return int(a.worth - b.worth) }) {
			t.Fatal("the pool is out of order")
		}
	}
	if g.pool[49].worth > 20 {
		t.Errorf("the worst of the pool is %v", g.pool[49].worth)
	}
}
