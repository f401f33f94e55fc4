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
