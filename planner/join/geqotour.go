package join

import (
	"math"
	"math/bits"
)

// edges are the neighbours of a relation in two tours; a neighbour in both is
// negative (Edge, geqo_recombination.h).
type edges struct {
	list          [4]int
	total, unused int
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// edgeTable notes the neighbours that each relation has in two tours
// (gimme_edge_table, geqo_erx.c).
func edgeTable(table []edges, a, b []int) {
	clear(table)
	add := func(from, to int) {
		e := &table[from]
		for i := range e.total {
			if abs(e.list[i]) == to {
				e.list[i] = -to
				return
			}
		}
		e.list[e.total] = to
		e.total++
		e.unused++
	}
	for i := range a {
		j := (i + 1) % len(a)
		add(a[i], a[j])
		add(a[j], a[i])
		add(b[i], b[j])
		add(b[j], b[i])
	}
}

// breed makes a tour out of the edges of two: edge recombination crossover
// (gimme_tour).
func (g *genetic) breed(table []edges, n int) []int {
	tour := make([]int, n)
	tour[0] = g.rand.between(1, n)
	for i := 1; i < n; i++ {
		last := tour[i-1]
		removeGene(table, last)
		if table[last].unused > 0 {
			tour[i] = g.nextGene(table, table[last])
		} else {
			tour[i] = g.failedEdge(table, last, n)
		}
		table[last].unused = -1
	}
	return tour
}

// removeGene takes a relation out of the neighbours of the others (remove_gene).
func removeGene(table []edges, gene int) {
	e := table[gene]
	for i := range max(e.unused, 0) {
		o := &table[abs(e.list[i])]
		for j := range max(o.unused, 0) {
			if abs(o.list[j]) == gene {
				o.list[j] = o.list[o.unused-1]
				o.unused--
				break
			}
		}
	}
}

// nextGene picks a neighbour: one of both tours, else one with the fewest
// neighbours left (gimme_gene).
func (g *genetic) nextGene(table []edges, e edges) int {
	least, count := 5, 0
	for _, gene := range e.list[:e.unused] {
		if gene < 0 {
			return -gene
		}
		switch n := table[gene].unused; {
		case n < least:
			least, count = n, 1
		case n == least:
			count++
		}
	}
	pick := g.rand.between(0, count-1)
	for _, gene := range e.list[:e.unused] {
		if table[gene].unused == least {
			count--
			if count == pick {
				return gene
			}
		}
	}
	panic("join: no edge found")
}

// failedEdge picks a relation where no neighbour is left: one with four
// neighbours, else any (edge_failure).
func (g *genetic) failedEdge(table []edges, failed, n int) int {
	var full, left []int
	for i := 1; i <= n; i++ {
		if table[i].unused == -1 || i == failed {
			continue
		}
		left = append(left, i)
		if table[i].total == 4 {
			full = append(full, i)
		}
	}
	if len(full) > 0 {
		left = full
	}
	if len(left) > 0 {
		return left[len(left)-1-g.rand.between(0, len(left)-1)]
	}
	for i := 1; i <= n; i++ {
		if table[i].unused >= 0 {
			return i
		}
	}
	panic("join: no edge found")
}

// prng is PostgreSQL's generator of pseudo-random numbers, xoroshiro128**
// (common/pg_prng.c).
type prng struct{ s0, s1 uint64 }

// seededPRNG seeds it from a number between 0 and 1 (pg_prng_fseed).
func seededPRNG(seed float64) prng {
	state := uint64(int64(float64(uint64(1)<<52-1) * seed))
	next := func() uint64 {
		state += 0x9E3779B97f4A7C15
		v := state
		v = (v ^ v>>30) * 0xBF58476D1CE4E5B9
		v = (v ^ v>>27) * 0x94D049BB133111EB
		return v ^ v>>31
	}
	p := prng{}
	p.s0 = next()
	p.s1 = next()
	if p == (prng{}) {
		p = prng{0x5851F42D4C957F2D, 0x14057B7EF767814F}
	}
	return p
}

func (p *prng) next() uint64 {
	s0 := p.s0
	sx := p.s1 ^ s0
	v := bits.RotateLeft64(s0*5, 7) * 9
	p.s0 = bits.RotateLeft64(s0, 24) ^ sx ^ sx<<16
	p.s1 = bits.RotateLeft64(sx, 37)
	return v
}

// between returns a number from lo to hi, both included (pg_prng_uint64_range).
func (p *prng) between(lo, hi int) int {
	if hi <= lo {
		return lo
	}
	span := uint64(hi - lo)
	shift := bits.LeadingZeros64(span)
	for {
		if v := p.next() >> shift; v <= span {
			return lo + int(v)
		}
	}
}

// float returns a number from 0 to below 1 (pg_prng_double).
func (p *prng) float() float64 { return math.Ldexp(float64(p.next()>>(64-52)), -52) }

// sortChromosomes sorts by worth as PostgreSQL's quicksort does, which decides
// the order of equals (ST_SORT, lib/sort_template.h).
func sortChromosomes(a []chromosome) {
	cmp := func(i, j int) int {
		switch {
		case a[i].worth == a[j].worth:
			return 0
		case a[i].worth > a[j].worth:
			return 1
		}
		return -1
	}
	swap := func(i, j int) { a[i], a[j] = a[j], a[i] }
	n := len(a)
	if n < 7 {
		for m := 1; m < n; m++ {
			for l := m; l > 0 && cmp(l-1, l) > 0; l-- {
				swap(l, l-1)
			}
		}
		return
	}
	sorted := true
	for m := 1; m < n && sorted; m++ {
		sorted = cmp(m-1, m) <= 0
	}
	if sorted {
		return
	}
	swap(0, pivot(n, cmp))
	pa, pb, pc, pd := 1, 1, n-1, n-1
	for {
		for pb <= pc && cmp(pb, 0) <= 0 {
			if cmp(pb, 0) == 0 {
				swap(pa, pb)
				pa++
			}
			pb++
		}
		for pb <= pc && cmp(pc, 0) >= 0 {
			if cmp(pc, 0) == 0 {
				swap(pc, pd)
				pd--
			}
			pc--
		}
		if pb > pc {
			break
		}
		swap(pb, pc)
		pb++
		pc--
	}
	// Those equal to the pivot go from the ends to the middle.
	d := min(pa, pb-pa)
	for i := range d {
		swap(i, pb-d+i)
	}
	d = min(pd-pc, n-pd-1)
	for i := range d {
		swap(pb+i, n-d+i)
	}
	sortChromosomes(a[:pb-pa])
	sortChromosomes(a[n-(pd-pc):])
}

// pivot is the median of three, or of three medians of three.
func pivot(n int, cmp func(i, j int) int) int {
	med3 := func(a, b, c int) int {
		if cmp(a, b) < 0 {
			switch {
			case cmp(b, c) < 0:
				return b
			case cmp(a, c) < 0:
				return c
			}
			return a
		}
		switch {
		case cmp(b, c) > 0:
			return b
		case cmp(a, c) < 0:
			return a
		}
		return c
	}
	lo, mid, hi := 0, n/2, n-1
	if n <= 7 {
		return mid
	}
	if n > 40 {
		d := n / 8
		lo, mid, hi = med3(lo, lo+d, lo+2*d), med3(mid-d, mid, mid+d), med3(hi-2*d, hi-d, hi)
	}
	return med3(lo, mid, hi)
}
