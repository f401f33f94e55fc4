package join

import (
	"maps"
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/rel"
)

// geqoTries is how many tours may fail before the first valid one.
const geqoTries = 10000

// chromosome is a tour: an order of the relations, with the cost of the join
// that it gives. Relations are numbered from 1.
type chromosome struct {
	tour  []int
	worth float64
}

func (c chromosome) clone() chromosome { return chromosome{slices.Clone(c.tour), c.worth} }

// genetic searches a join order among very many: tours are bred from one another
// and the fittest survive (geqo, geqo_main.c). The random numbers are
// PostgreSQL's, so that the outcome is its own; nil if no tour is a valid order.
type genetic struct {
	root    *rel.PlannerInfo
	initial []*rel.RelOptInfo
	rand    prng
	pool    []chromosome
}

// geneticSearch is the search above geqo_threshold.
func geneticSearch(root *rel.PlannerInfo, initial []*rel.RelOptInfo) *rel.RelOptInfo {
	s := root.Global.Settings
	g := &genetic{root: root, initial: initial, rand: seededPRNG(s.GEQOSeed)}
	root.InitialRels = initial
	size := geqoPoolSize(s.GEQOPoolSize, s.GEQOEffort, len(initial))
	generations := s.GEQOGenerations
	if generations <= 0 {
		generations = size
	}
	if !g.fill(size) {
		return nil
	}
	sortChromosomes(g.pool)
	table := make([]edges, len(initial)+1)
	for range generations {
		momma, daddy := g.choose(s.GEQOSelectionBias)
		edgeTable(table, momma.tour, daddy.tour)
		kid := chromosome{tour: g.breed(table, len(initial))}
		kid.worth = g.fitness(kid.tour)
		g.spread(kid)
	}
	return g.tree(g.pool[0].tour)
}

// geqoPoolSize is the number of tours kept (gimme_pool_size).
func geqoPoolSize(set, effort, rels int) int {
	if set >= 2 {
		return set
	}
	size := math.Pow(2, float64(rels)+1)
	return int(math.Ceil(max(min(size, float64(50*effort)), float64(10*effort))))
}

// fill makes the first tours at random (random_init_pool).
func (g *genetic) fill(size int) bool {
	bad := 0
	for len(g.pool) < size {
		c := chromosome{tour: g.randomTour(len(g.initial))}
		c.worth = g.fitness(c.tour)
		if c.worth < math.MaxFloat64 {
			g.pool = append(g.pool, c)
			continue
		}
		bad++
		if len(g.pool) == 0 && bad >= geqoTries {
			return false
		}
	}
	return true
}

// randomTour shuffles (init_tour).
func (g *genetic) randomTour(n int) []int {
	tour := make([]int, n)
	tour[0] = 1
	for i := 1; i < n; i++ {
		j := g.rand.between(0, i)
		if i != j {
			tour[i] = tour[j]
		}
		tour[j] = i + 1
	}
	return tour
}

// choose picks two different tours, the fitter the likelier (geqo_selection).
func (g *genetic) choose(bias float64) (momma, daddy chromosome) {
	first := g.linear(bias)
	second := g.linear(bias)
	for len(g.pool) > 1 && first == second {
		second = g.linear(bias)
	}
	return g.pool[first].clone(), g.pool[second].clone()
}

// linear picks an index with a falling probability (linear_rand).
func (g *genetic) linear(bias float64) int {
	n := float64(len(g.pool))
	for {
		root := float64(bias*bias) - float64(4.0*(bias-1.0)*g.rand.float())
		if root > 0 {
			root = math.Sqrt(root)
		}
		index := n * (bias - root) / 2.0 / (bias - 1.0)
		if index >= 0 && index < n {
			return int(index)
		}
	}
}

// spread puts a tour into the sorted pool in place of the worst (spread_chromo).
func (g *genetic) spread(kid chromosome) {
	last := len(g.pool) - 1
	if kid.worth > g.pool[last].worth {
		return
	}
	at := -1
	top, mid, bot := 0, len(g.pool)/2, last
	for at < 0 {
		switch {
		case kid.worth <= g.pool[top].worth:
			at = top
		case kid.worth == g.pool[mid].worth:
			at = mid
		case kid.worth == g.pool[bot].worth, bot-top <= 1:
			at = bot
		case kid.worth < g.pool[mid].worth:
			bot = mid
			mid = top + (bot-top)/2
		default:
			top = mid
			mid = top + (bot-top)/2
		}
	}
	copy(g.pool[at+1:], g.pool[at:last])
	g.pool[at] = kid
}

// fitness is the cost of a tour's join; joins made for it are forgotten
// (geqo_eval).
func (g *genetic) fitness(tour []int) float64 {
	root := g.root
	joins, index := len(root.JoinRels), root.JoinRelIndex
	root.JoinRelIndex = maps.Clone(index)
	worth := math.MaxFloat64
	if rl := g.tree(tour); rl != nil && rl.CheapestTotal != nil {
		worth = rl.CheapestTotal.Base().Total
	}
	root.JoinRels, root.JoinRelIndex = root.JoinRels[:joins], index
	return worth
}

// clump is a join made so far of some relations of a tour.
type clump struct {
	rl   *rel.RelOptInfo
	size int
}

// tree joins the relations in the order of a tour, putting off what has no
// clause to join by; nil if the tour is no valid order (gimme_tree).
func (g *genetic) tree(tour []int) *rel.RelOptInfo {
	var clumps []*clump
	for _, i := range tour {
		clumps = g.merge(clumps, &clump{g.initial[i-1], 1}, false)
	}
	if len(clumps) > 1 {
		var forced []*clump
		for _, c := range clumps {
			forced = g.merge(forced, c, true)
		}
		clumps = forced
	}
	if len(clumps) != 1 {
		return nil
	}
	return clumps[0].rl
}

// merge joins a clump with one of the list, and the result with another, as long
// as that is possible (merge_clump).
func (g *genetic) merge(clumps []*clump, c *clump, force bool) []*clump {
	root := g.root
	for i, old := range clumps {
		if !force && !haveRelevantJoinClause(root, old.rl, c.rl) && !haveOrderRestriction(root, old.rl, c.rl) {
			continue
		}
		rl := makeJoinRel(root, old.rl, c.rl)
		if rl == nil {
			continue
		}
		if rl.Relids != root.AllQueryRels {
			path.GenerateUsefulGatherPaths(root, rl, false)
		}
		path.SetCheapest(rl)
		old.rl = rl
		old.size += c.size
		return g.merge(slices.Delete(clumps, i, i+1), old, force)
	}
	if len(clumps) == 0 || c.size == 1 {
		return append(clumps, c)
	}
	at := slices.IndexFunc(clumps, func(o *clump) bool { return c.size > o.size })
	if at < 0 {
		at = len(clumps)
	}
	return slices.Insert(clumps, at, c)
}

// relidsOf unites the relations of a list.
func relidsOf(list []*rel.RelOptInfo) query.Relids {
	var out query.Relids
	for _, rl := range list {
		out = out.Union(rl.Relids)
	}
	return out
}
