package prep

import (
	"slices"
	"sort"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// prunePartitions returns the positions of the partitions that can hold rows
// for the relation's constant quals (prune_append_rel_partitions, partprune.c).
// A qual on the key in a form that it does not read leaves all partitions and
// makes the plan approximate, unless it depends on parameters or the clock, with
// which the server does not prune at plan time either.
func prunePartitions(root *rel.PlannerInfo, rl *rel.RelOptInfo, parts []*catalog.Table) []int {
	all := make([]int, len(parts))
	for i := range all {
		all[i] = i
	}
	if !root.Global.Settings.EnablePartitionPruning || len(rl.BaseRestrict) == 0 {
		return all
	}
	p := &pruner{root: root, rl: rl, key: rl.Table.PartitionKey, parts: parts}
	p.layout()
	var match *matched
	for _, r := range rl.BaseRestrict {
		match = p.intersect(match, p.clause(r.Clause))
	}
	if match == nil {
		return all
	}
	return p.partitions(match)
}

// StartupPartitions returns the positions of the partitions that are left when
// execution starts with the time of collection as now(): conditions with stable
// functions count then (the initial pruning steps of
// make_partition_pruneinfo, partprune.c).
func StartupPartitions(root *rel.PlannerInfo, rl *rel.RelOptInfo) []int {
	g := root.Global
	late := false
	for _, r := range rl.BaseRestrict {
		late = late || eval.ContainMutable(g.Catalog, r.Clause) && !eval.ContainVolatile(g.Catalog, r.Clause) && comparesKey(rl, r.Clause)
	}
	if !late {
		return rl.LiveParts
	}
	p := &pruner{root: root, rl: rl, key: rl.Table.PartitionKey, parts: orderedPartitions(g, rl.Table)}
	p.layout()
	var match *matched
	for _, r := range rl.BaseRestrict {
		e := eval.Estimate(g, r.Clause)
		if eval.ContainMutable(g.Catalog, e) && comparesKey(rl, e) {
			g.Approximate("partitions of " + rl.Table.Name + " that the time of execution excludes are shown")
		}
		match = p.intersect(match, p.clause(e))
	}
	if match == nil {
		return rl.LiveParts
	}
	var out []int
	for _, i := range p.partitions(match) {
		if slices.Contains(rl.LiveParts, i) {
			out = append(out, i)
		}
	}
	return out
}

// InterleavedLists returns the positions of the partitions of a list key whose
// values may lie among those of others; known is false if they cannot be compared
// (create_list_bounds, partbounds.c).
func InterleavedLists(root *rel.PlannerInfo, rl *rel.RelOptInfo) (out []int, known bool) {
	parts := orderedPartitions(root.Global, rl.Table)
	p := &pruner{root: root, rl: rl, key: rl.Table.PartitionKey, parts: parts}
	p.layout()
	if !p.ok || len(parts) < 2 {
		return nil, p.ok
	}
	single := len(p.bounds)
	for _, special := range []int{p.null, p.deflt} {
		if special >= 0 {
			single++
		}
	}
	if single != len(parts) {
		last := -1
		for _, i := range p.owner {
			if i < last || i == p.null {
				out = append(out, i)
			}
			last = i
		}
	}
	if p.deflt >= 0 {
		out = append(out, p.deflt)
	}
	return out, true
}

// pruner finds partitions by their bounds. The values of the key are laid out as
// slots: for a range key the intervals between neighbouring bounds, for a list
// key the single values; each belongs to a partition or to none.
type pruner struct {
	root  *rel.PlannerInfo
	rl    *rel.RelOptInfo
	key   *catalog.PartitionKey
	parts []*catalog.Table
	// bounds are the distinct bounds of a range key or values of a list key,
	// ascending; owner says whose slot i is, -1 for nobody's. A range key has
	// a slot below each bound and one above the last.
	bounds []catalog.RangeDatum
	owner  []int
	deflt  int // the default partition, -1 for none
	null   int // the partition of NULL, -1 for none
	ok     bool
}

// matched is a set of slots, and whether NULL and the default partition are
// looked at. A nil matched stands for everything.
type matched struct {
	slots       []bool
	null, deflt bool
}

func (p *pruner) layout() {
	p.deflt, p.null = -1, -1
	p.ok = len(p.key.Keys) == 1 && (p.key.Strategy == 'r' || p.key.Strategy == 'l')
	for i, t := range p.parts {
		if t.Bound.Default {
			p.deflt = i
		}
	}
	if !p.ok {
		return
	}
	less := func(a, b catalog.RangeDatum) bool {
		c, known := compareRange(p.root.Global, p.key.Keys[0], a, b)
		p.ok = p.ok && known
		return c < 0
	}
	var all []catalog.RangeDatum
	for i, t := range p.parts {
		switch {
		case t.Bound.Default:
		case p.key.Strategy == 'r':
			all = append(all, t.Bound.From[0], t.Bound.To[0])
		default:
			for _, v := range t.Bound.List {
				if v.Null {
					p.null = i
					continue
				}
				all = append(all, catalog.RangeDatum{Value: v})
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return less(all[i], all[j]) })
	p.bounds = slices.CompactFunc(all, func(a, b catalog.RangeDatum) bool { return !less(a, b) && !less(b, a) })
	p.owner = make([]int, len(p.bounds)+1)
	if p.key.Strategy == 'l' {
		p.owner = p.owner[:len(p.bounds)]
	}
	for i := range p.owner {
		p.owner[i] = -1
	}
	for i, t := range p.parts {
		switch {
		case t.Bound.Default:
		case p.key.Strategy == 'r':
			p.owner[p.find(t.Bound.To[0], less)] = i
		default:
			for _, v := range t.Bound.List {
				if !v.Null {
					p.owner[p.find(catalog.RangeDatum{Value: v}, less)] = i
				}
			}
		}
	}
}

// find returns the position of the first bound that is not less than d.
func (p *pruner) find(d catalog.RangeDatum, less func(a, b catalog.RangeDatum) bool) int {
	return sort.Search(len(p.bounds), func(i int) bool { return !less(p.bounds[i], d) })
}

func (p *pruner) partitions(m *matched) []int {
	live := map[int]bool{}
	deflt := m.deflt
	for i, on := range m.slots {
		switch {
		case !on:
		case p.owner[i] >= 0:
			live[p.owner[i]] = true
		default:
			deflt = true // rows in a gap are the default partition's
		}
	}
	if m.null {
		if p.null >= 0 {
			live[p.null] = true
		} else {
			deflt = true
		}
	}
	if deflt && p.deflt >= 0 {
		live[p.deflt] = true
	}
	var out []int
	for i := range p.parts {
		if live[i] {
			out = append(out, i)
		}
	}
	return out
}

func (p *pruner) intersect(a, b *matched) *matched {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	return combine(a, b, func(x, y bool) bool { return x && y })
}

func combine(a, b *matched, op func(x, y bool) bool) *matched {
	out := &matched{slots: make([]bool, len(a.slots)), null: op(a.null, b.null), deflt: op(a.deflt, b.deflt)}
	for i := range out.slots {
		out.slots[i] = op(a.slots[i], b.slots[i])
	}
	return out
}

// clause returns what a qual leaves, nil if it says nothing of the key.
func (p *pruner) clause(e query.Expr) *matched {
	switch n := e.(type) {
	case *query.Const:
		if n.Null || n.Value == "f" {
			return &matched{slots: make([]bool, len(p.owner))}
		}
		return nil
	case *query.BoolExpr:
		switch n.Op {
		case query.AndExpr:
			var out *matched
			for _, a := range n.Args {
				out = p.intersect(out, p.clause(a))
			}
			return out
		case query.OrExpr:
			out := &matched{slots: make([]bool, len(p.owner))}
			for _, a := range n.Args {
				m := p.clause(a)
				if m == nil {
					return nil
				}
				out = combine(out, m, func(x, y bool) bool { return x || y })
			}
			return out
		}
	case *query.OpExpr:
		if len(n.Args) == 2 {
			if m, read := p.comparison(n.Op, n.InputColl, n.Args[0], n.Args[1]); read {
				return m
			}
		}
	case *query.ScalarArrayOpExpr:
		if m, read := p.anyOf(n); read {
			return m
		}
	case *query.NullTest:
		if p.ok && keyColumn(p.rl, n.Arg) == 0 && !n.ArgIsRow {
			if !n.Not {
				return &matched{slots: make([]bool, len(p.owner)), null: true, deflt: p.null < 0}
			}
			m := p.everything()
			m.null = false
			return m
		}
	}
	if mentionsKey(p.rl, e) && prunable(p.root.Global, e) {
		p.root.Global.Approximate("partition pruning of " + p.rl.Table.Name + " by a condition that is not a comparison with a constant")
	}
	return nil
}

func (p *pruner) everything() *matched {
	m := &matched{slots: make([]bool, len(p.owner)), null: true, deflt: true}
	for i := range m.slots {
		m.slots[i] = true
	}
	return m
}

// anyOf is key = ANY (constant array).
func (p *pruner) anyOf(n *query.ScalarArrayOpExpr) (*matched, bool) {
	c, ok := n.Args[1].(*query.Const)
	if !n.UseOr || !ok || keyColumn(p.rl, n.Args[0]) < 0 {
		return nil, false
	}
	if c.Null {
		return &matched{slots: make([]bool, len(p.owner))}, true
	}
	elems, ok := eval.Elements(p.root.Global, c)
	if !ok {
		return nil, false
	}
	out := &matched{slots: make([]bool, len(p.owner))}
	for _, el := range elems {
		if el.Null {
			continue
		}
		m, read := p.comparison(n.Op, n.InputColl, n.Args[0], el)
		if !read || m == nil {
			return nil, read
		}
		out = combine(out, m, func(x, y bool) bool { return x || y })
	}
	return out, true
}

// comparison is key op constant, either way round; read is false if it is none.
func (p *pruner) comparison(op, coll pgtype.OID, left, right query.Expr) (*matched, bool) {
	g := p.root.Global
	col := keyColumn(p.rl, left)
	if col < 0 {
		if col = keyColumn(p.rl, right); col < 0 {
			return nil, false
		}
		o := g.Catalog.Operator(op)
		if o == nil || o.Commutator == 0 {
			return nil, false
		}
		op, right = o.Commutator, left
	}
	c, isConst := right.(*query.Const)
	if !isConst {
		return nil, false
	}
	k := p.key.Keys[col]
	if k.Collation != 0 && coll != k.Collation {
		return nil, false
	}
	if c.Null {
		return &matched{slots: make([]bool, len(p.owner))}, true
	}
	strategy := g.Catalog.OpFamilyStrategy(op, k.Family)
	if !p.ok || strategy == 0 {
		return nil, false
	}
	m := &matched{slots: make([]bool, len(p.owner))}
	known := true
	for i := range m.slots {
		on, ok := p.slotMeets(i, strategy, c)
		m.slots[i] = on
		known = known && ok
	}
	if !known {
		return nil, false
	}
	if p.key.Strategy == 'l' {
		// A value that no partition lists is in the default one.
		m.deflt = strategy != catalog.BTEqual || !slices.Contains(m.slots, true)
	}
	return m, true
}

// slotMeets reports whether a slot can hold a value that compares with c so.
func (p *pruner) slotMeets(i, strategy int, c *query.Const) (on, ok bool) {
	g, k := p.root.Global, p.key.Keys[0]
	against := func(d catalog.RangeDatum) (int, bool) {
		return compareRange(g, k, d, catalog.RangeDatum{Value: c})
	}
	if p.key.Strategy == 'l' {
		v, ok := against(p.bounds[i])
		return meets(v, strategy), ok
	}
	low, high := -1, 1 // how the ends of the interval compare with c
	if i > 0 {
		if p.bounds[i-1].Kind > 0 {
			return false, true // above MAXVALUE
		}
		if low, ok = against(p.bounds[i-1]); !ok {
			return false, false
		}
	}
	if i < len(p.bounds) {
		if p.bounds[i].Kind < 0 {
			return false, true // below MINVALUE
		}
		if high, ok = against(p.bounds[i]); !ok {
			return false, false
		}
	}
	// The interval has its lower end in it and its upper end not.
	switch strategy {
	case catalog.BTLess:
		return low < 0, true
	case catalog.BTLessEqual:
		return low <= 0, true
	case catalog.BTEqual:
		return low <= 0 && high > 0, true
	}
	return high > 0, true
}

func meets(c, strategy int) bool {
	switch strategy {
	case catalog.BTLess:
		return c < 0
	case catalog.BTLessEqual:
		return c <= 0
	case catalog.BTEqual:
		return c == 0
	case catalog.BTGreaterEqual:
		return c >= 0
	}
	return c > 0
}

// keyColumn returns the position of a partition key column that e is, -1 if
// none.
func keyColumn(rl *rel.RelOptInfo, e query.Expr) int {
	e = stripRelabel(e)
	for i, k := range rl.Table.PartitionKey.Keys {
		if k.Column != 0 {
			if v, ok := e.(*query.Var); ok && v.VarNo == rl.Index && v.AttNo == k.Column {
				return i
			}
			continue
		}
		if k.Expr != nil && query.Equal(eval.ChangeVarNo(k.Expr, 1, rl.Index), e) {
			return i
		}
	}
	return -1
}

// comparesKey reports whether a qual compares a column of the key itself.
func comparesKey(rl *rel.RelOptInfo, e query.Expr) bool {
	var args []query.Expr
	switch n := e.(type) {
	case *query.BoolExpr:
		return slices.ContainsFunc(n.Args, func(a query.Expr) bool { return comparesKey(rl, a) })
	case *query.OpExpr:
		args = n.Args
	case *query.ScalarArrayOpExpr:
		args = n.Args[:1]
	}
	return slices.ContainsFunc(args, func(a query.Expr) bool { return keyColumn(rl, a) >= 0 })
}

func mentionsKey(rl *rel.RelOptInfo, e query.Expr) bool {
	found := false
	query.Walk(e, func(x query.Expr) bool {
		found = found || keyColumn(rl, x) >= 0
		return !found
	})
	return found
}

// prunable reports whether a qual holds nothing that keeps the server from
// using it at plan time: parameters, stable functions, other columns.
func prunable(g *rel.Global, e query.Expr) bool {
	ok := !eval.ContainMutable(g.Catalog, e)
	query.Walk(e, func(x query.Expr) bool {
		if _, is := x.(*query.Param); is {
			ok = false
		}
		return ok
	})
	return ok
}
