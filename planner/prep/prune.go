package prep

import (
	"cmp"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// orderedPartitions returns a table's partitions in the order in which the
// server keeps them: by bound, the default one last (partition_bounds_create,
// partbounds.c). nil if the bounds cannot be compared.
func orderedPartitions(g *rel.Global, t *catalog.Table) []*catalog.Table {
	var parts []*catalog.Table
	for _, oid := range t.Children {
		c := g.Catalog.Table(oid)
		if c == nil || c.Bound == nil {
			return nil
		}
		parts = append(parts, c)
	}
	ok := true
	slices.SortStableFunc(parts, func(a, b *catalog.Table) int {
		if a.Bound.Default || b.Bound.Default {
			return boolCompare(a.Bound.Default, b.Bound.Default)
		}
		switch a.Bound.Strategy {
		case 'r':
			for i := range min(len(a.Bound.From), len(b.Bound.From)) {
				c, known := compareRange(g, t.PartitionKey.Keys[i], a.Bound.From[i], b.Bound.From[i])
				ok = ok && known
				if c != 0 {
					return c
				}
			}
			return 0
		case 'h':
			return cmp.Or(cmp.Compare(a.Bound.Modulus, b.Bound.Modulus), cmp.Compare(a.Bound.Remainder, b.Bound.Remainder))
		}
		x, y := lowestOfList(g, t.PartitionKey.Keys[0], a.Bound.List), lowestOfList(g, t.PartitionKey.Keys[0], b.Bound.List)
		if x == nil || y == nil { // only NULL: after the others
			return boolCompare(x == nil, y == nil)
		}
		c, known := compareConsts(g, t.PartitionKey.Keys[0], x, y)
		ok = ok && known
		return c
	})
	if !ok {
		return nil
	}
	return parts
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func lowestOfList(g *rel.Global, k catalog.PartitionKeyCol, list []*query.Const) *query.Const {
	var low *query.Const
	for _, c := range list {
		if c.Null {
			continue
		}
		if low == nil {
			low = c
		} else if d, ok := compareConsts(g, k, c, low); ok && d < 0 {
			low = c
		}
	}
	return low
}

func compareRange(g *rel.Global, k catalog.PartitionKeyCol, a, b catalog.RangeDatum) (int, bool) {
	if a.Kind != 0 || b.Kind != 0 {
		return cmp.Compare(a.Kind, b.Kind), true
	}
	return compareConsts(g, k, a.Value, b.Value)
}

// compareConsts orders two constants by the key's operator family.
func compareConsts(g *rel.Global, k catalog.PartitionKeyCol, a, b *query.Const) (int, bool) {
	holds := func(strategy int) (bool, bool) {
		op := g.Catalog.OpFamilyMember(k.Family, a.Typ, b.Typ, strategy)
		if op == 0 {
			op = g.Catalog.OpFamilyMember(k.Family, k.InType, k.InType, strategy)
		}
		o := g.Catalog.Operator(op)
		if o == nil {
			return false, false
		}
		v, ok := eval.Run(g, o.Func, k.Collation, a, b)
		return ok && v.Bool(), ok
	}
	less, ok := holds(catalog.BTLess)
	if !ok {
		return 0, false
	}
	if less {
		return -1, true
	}
	equal, ok := holds(catalog.BTEqual)
	if equal {
		return 0, ok
	}
	return 1, ok
}

// keyBound is what the quals say about one partition key column.
type keyBound struct {
	strategy int
	value    *query.Const
}

// prunePartitions returns the positions of the partitions that can hold rows
// for the relation's constant quals (prune_append_rel_partitions, partprune.c).
// Quals on the key in forms that it does not read leave all partitions and mark
// the plan approximate, unless they depend on parameters, with which the server
// does not prune at plan time either.
func prunePartitions(root *rel.PlannerInfo, rl *rel.RelOptInfo, parts []*catalog.Table) []int {
	all := make([]int, len(parts))
	for i := range all {
		all[i] = i
	}
	g := root.Global
	if !g.Settings.EnablePartitionPruning || len(rl.BaseRestrict) == 0 {
		return all
	}
	key := rl.Table.PartitionKey
	bounds := make([][]keyBound, len(key.Keys))
	found := false
	for _, r := range rl.BaseRestrict {
		if c, ok := r.Clause.(*query.Const); ok && (c.Null || c.Value == "f") {
			return nil
		}
		col, b, ok := readKeyQual(root, rl, r.Clause)
		if ok {
			bounds[col] = append(bounds[col], b)
			found = true
		} else if mentionsKey(rl, r.Clause) && prunable(g, r.Clause) {
			g.Approximate("partition pruning of " + rl.Table.Name + " by a condition that is not a comparison with a constant")
		}
	}
	if !found {
		return all
	}
	var live []int
	for i, t := range parts {
		keep, known := partitionCanMatch(g, key, parts, t, bounds)
		if !known {
			g.Approximate("partition pruning of " + rl.Table.Name)
		}
		if keep {
			live = append(live, i)
		}
	}
	return live
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

func readKeyQual(root *rel.PlannerInfo, rl *rel.RelOptInfo, e query.Expr) (int, keyBound, bool) {
	op, ok := e.(*query.OpExpr)
	if !ok || len(op.Args) != 2 {
		return 0, keyBound{}, false
	}
	cat := root.Global.Catalog
	opno, left, right := op.Op, op.Args[0], op.Args[1]
	col := keyColumn(rl, left)
	if col < 0 {
		if col = keyColumn(rl, right); col < 0 {
			return 0, keyBound{}, false
		}
		opno, right = cat.Operator(op.Op).Commutator, left
	}
	c, ok := right.(*query.Const)
	if !ok || c.Null {
		return 0, keyBound{}, false
	}
	k := rl.Table.PartitionKey.Keys[col]
	strategy := cat.OpFamilyStrategy(opno, k.Family)
	if strategy == 0 || k.Collation != 0 && op.InputColl != k.Collation {
		return 0, keyBound{}, false
	}
	return col, keyBound{strategy, c}, true
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

// partitionCanMatch reports whether a partition can hold a row that meets the
// bounds; known is false if the values could not be compared.
func partitionCanMatch(g *rel.Global, key *catalog.PartitionKey, parts []*catalog.Table, t *catalog.Table, bounds [][]keyBound) (keep, known bool) {
	known = true
	compare := func(a, b *query.Const, i int) int {
		c, ok := compareConsts(g, key.Keys[i], a, b)
		known = known && ok
		return c
	}
	if t.Bound.Default {
		// The default partition is left out only where the others cover what
		// is asked for; that is decided for single values alone.
		for _, b := range bounds[0] {
			if b.strategy != catalog.BTEqual {
				continue
			}
			for _, o := range parts {
				if o != t && len(key.Keys) == 1 {
					if hit, ok := partitionCanMatch(g, key, parts, o, bounds); hit && ok {
						return false, known
					}
				}
			}
		}
		if len(bounds[0]) > 0 && !slices.ContainsFunc(bounds[0], func(b keyBound) bool { return b.strategy == catalog.BTEqual }) {
			known = false
		}
		return true, known
	}
	switch key.Strategy {
	case 'l':
		for _, v := range t.Bound.List {
			if v.Null {
				continue
			}
			fits := true
			for _, b := range bounds[0] {
				fits = fits && meets(compare(v, b.value, 0), b.strategy)
			}
			if fits {
				return true, known
			}
		}
		return false, known
	case 'r':
		from, to := t.Bound.From[0], t.Bound.To[0]
		single := len(key.Keys) == 1
		for _, b := range bounds[0] {
			// Lower end inclusive, upper end exclusive, for one key column;
			// with several the first column's upper end can be reached.
			if from.Kind == 0 {
				c := compare(from.Value, b.value, 0)
				if (b.strategy == catalog.BTLess && c >= 0) || (b.strategy == catalog.BTLessEqual || b.strategy == catalog.BTEqual) && c > 0 {
					if b.strategy != catalog.BTLess || single || c > 0 {
						return false, known
					}
				}
			}
			if to.Kind == 0 {
				c := compare(to.Value, b.value, 0)
				if b.strategy >= catalog.BTEqual && (c < 0 || single && c == 0) {
					return false, known
				}
			}
		}
		if !single && slices.ContainsFunc(bounds[1:], func(b []keyBound) bool { return len(b) > 0 }) {
			known = false
		}
		return true, known
	}
	return true, false // hash values are not computed
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

// PartitionExprs returns the partition key's expressions over a relation.
func PartitionExprs(rl *rel.RelOptInfo) []query.Expr {
	var out []query.Expr
	for _, k := range rl.Table.PartitionKey.Keys {
		if k.Column == 0 {
			out = append(out, eval.ChangeVarNo(k.Expr, 1, rl.Index))
			continue
		}
		out = append(out, &query.Var{
			Header: query.Header{Typ: k.Type, Mod: k.Typmod, Coll: k.Collation},
			VarNo:  rl.Index, AttNo: k.Column, SynNo: rl.Index, SynAttNo: k.Column,
		})
	}
	return out
}
