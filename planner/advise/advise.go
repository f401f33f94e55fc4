// Package advise finds indexes that would make a query cheaper, and proves each
// by planning the query with it.
//
// [Reads] lists the tables that a plan reads, partitions under the table that
// the query names, with the conditions on each. [Indexes] makes candidate btree
// indexes of those conditions, lets the planner plan with each as a
// hypothetical index, and keeps the smallest that is nearly as good as the best.
// Nothing is recommended on the strength of syntax: an index that the planner
// does not use, or that saves little, is not mentioned.
//
// What it does not look for: partial indexes, other access methods than btree,
// INCLUDE columns, several indexes united by an OR.
//
// The package imports planner, planner/plan and what they stand on.
package advise

import (
	"cmp"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/plan"
	"github.com/dbgen/dbgen/planner/stats"
)

// Limits of what is worth recommending, and of how long it is searched for.
const (
	// MinFactor is how many times cheaper the query must become.
	MinFactor = 10.0
	// GuessFactor takes its place where a whole table is read for one value of
	// a column that there are no statistics of. The planner assumes 200 values
	// of such a column (DEFAULT_NUM_DISTINCT, selfuncs.h), and so most often
	// far more rows than there are.
	GuessFactor = 2.0
	// MinSaved is what the query must save, in units of cost: a hundred pages
	// read in order.
	MinSaved = 100.0
	// maxCandidates bounds the plans made for one table of a query.
	maxCandidates = 24
	// maxPlans bounds the plans made for one query.
	maxPlans = 150
	// maxIndexes bounds the indexes recommended for one query.
	maxIndexes = 3
	// maxKeys bounds the key columns of a candidate.
	maxKeys = 4
	// maxKeyWidth is the average width in bytes from which a column is no key:
	// a btree entry must fit three times on a page.
	maxKeyWidth = 1000
	// nearFactor and nearShare say when a smaller index is nearly as good as
	// the best: by its cost, or by the share of the saving that it gives up.
	nearFactor = 1.1
	nearShare  = 0.01
)

// Input is a planned query.
type Input struct {
	Bound *stats.Bound
	// Plan is the plan as things are.
	Plan *planner.Result
	// Replan plans the query again with indexes that do not exist.
	Replan func(hypothetical []*catalog.Index) *planner.Result
	// MinFactor and MinSaved are the limits in force. Default to [MinFactor]
	// and [MinSaved].
	MinFactor, MinSaved float64
	// ColumnsOnly leaves out indexes on expressions. Without statistics of the
	// expression, what such an index saves is a guess.
	ColumnsOnly bool
}

// Recommendation is an index that makes a query cheaper.
type Recommendation struct {
	// Read is what the index is for.
	Read *Read
	// DDL is the statement that makes the index, as a user would write it.
	DDL string
	// Index is the index of the table that the query names; Planned is what
	// planning was done with, which for a partitioned table is an index for
	// each partition.
	Index   *catalog.Index
	Planned []*catalog.Index
	// Before and After are the total costs of the query without and with it.
	// With several recommendations each builds on those before.
	Before, After float64
	// Plan is the plan with the index.
	Plan *planner.Result
}

// Factor is how many times cheaper the query becomes.
func (r *Recommendation) Factor() float64 {
	if r.After <= 0 {
		return r.Before
	}
	return r.Before / r.After
}

// Indexes returns the indexes that would make a query much cheaper, the one
// that saves most first; none for a query without a plan. worth says which
// tables are worth an index; nil means all.
func Indexes(in Input, worth func(*Read) bool) []Recommendation {
	if in.Plan == nil || in.Plan.Root == nil || in.Replan == nil {
		return nil
	}
	in.MinFactor = cmp.Or(in.MinFactor, MinFactor)
	in.MinSaved = cmp.Or(in.MinSaved, MinSaved)
	if in.Plan.Root.Total < in.MinSaved {
		return nil
	}
	s := &search{Input: in}
	var out []Recommendation
	before := in.Plan
	var chosen []*catalog.Index
	done := map[*Read]bool{}
	for len(out) < maxIndexes {
		var best *Recommendation
		for _, r := range Reads(in.Bound, in.Plan) {
			if s.same(done, r) || worth != nil && !worth(r) {
				continue
			}
			if rec := s.forRead(r, before, chosen); rec != nil && (best == nil || rec.After < best.After) {
				best = rec
			}
		}
		if best == nil {
			break
		}
		done[best.Read] = true
		chosen = append(chosen, best.Planned...)
		before = best.Plan
		out = append(out, *best)
	}
	return out
}

type search struct {
	Input
	made  int // candidates so far, for their OIDs
	plans int
}

// same reports whether a table was done; Reads are made anew for each round.
func (s *search) same(done map[*Read]bool, r *Read) bool {
	for d := range done {
		if d.Rel == r.Rel {
			return true
		}
	}
	return false
}

// forRead returns the best index for one table of a query, nil for none that is
// worth it.
func (s *search) forRead(r *Read, before *planner.Result, chosen []*catalog.Index) *Recommendation {
	type tried struct {
		Recommendation
		keys int
	}
	var list []tried
	b := &builder{bound: s.Bound, read: r, columnsOnly: s.ColumnsOnly}
	if r.Cost*r.Loops < s.MinSaved && len(b.order()) == 0 {
		return nil // there is not so much to save
	}
	for _, keys := range b.candidates() {
		if s.plans++; s.plans > maxPlans {
			break
		}
		index, planned := s.build(r, keys)
		if index == nil {
			continue
		}
		res := s.Replan(append(slices.Clone(chosen), planned...))
		if res == nil || res.Root == nil || !uses(res.Root, planned) {
			continue
		}
		list = append(list, tried{keys: len(keys), Recommendation: Recommendation{
			Read: r, Index: index, Planned: planned, Before: before.Root.Total, After: res.Root.Total, Plan: res,
		}})
	}
	if len(list) == 0 {
		return nil
	}
	best := slices.MinFunc(list, func(a, b tried) int { return cmp.Compare(a.After, b.After) })
	least := s.MinFactor
	if r.Sequential() && b.guessed(best.Index) {
		least = min(least, GuessFactor)
	}
	if best.Before-best.After < s.MinSaved || best.Before < float64(least*best.After) {
		return nil
	}
	near := max(float64(best.After*nearFactor), best.After+float64(nearShare*(best.Before-best.After)))
	for _, t := range list {
		if t.After <= near && (t.keys < best.keys || t.keys == best.keys && t.After < best.After) {
			best = t
		}
	}
	best.DDL = DDL(s.Bound.Catalog, best.Index)
	return &best.Recommendation
}

// uses reports whether a plan scans one of the indexes.
func uses(root *plan.Node, indexes []*catalog.Index) bool {
	found := false
	root.Walk(func(n *plan.Node) bool {
		found = found || n.Index != nil && slices.Contains(indexes, n.Index)
		return !found
	})
	return found
}
