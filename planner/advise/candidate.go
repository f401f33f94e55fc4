package advise

import (
	"cmp"
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// key is a column of a candidate index: an expression over Vars with VarNo 1.
type key struct {
	expr             query.Expr
	desc, nullsFirst bool
}

func (k key) same(o key) bool {
	return k.desc == o.desc && k.nullsFirst == o.nullsFirst && query.Equal(k.expr, o.expr)
}

// candidates are the keys of the indexes worth trying for a table: columns
// compared for equality first, the more selective before the less, then one
// that is compared in a range, or the order that the query asks for.
func (b *builder) candidates() [][]key {
	var equal, joins []key
	var ranges [][]key
	for _, c := range b.read.Conds {
		keys := b.keys(c.Keys)
		switch {
		case keys == nil:
		case c.Kind == Equal && c.Join:
			joins = addKey(joins, keys[0])
		case c.Kind == Equal:
			equal = addKey(equal, keys[0])
		case c.Kind == Range:
			ranges = append(ranges, keys)
		}
	}
	slices.SortStableFunc(equal, func(x, y key) int { return cmp.Compare(b.distinct(y), b.distinct(x)) })
	order := b.order()
	b.add(equal)
	for _, k := range equal {
		b.add([]key{k})
	}
	for _, j := range joins {
		b.add([]key{j})
		b.add([]key{j}, equal)
		b.add(equal, []key{j})
		for _, rg := range ranges {
			b.add([]key{j}, rg)
		}
		b.add([]key{j}, order)
	}
	if len(joins) > 1 {
		b.add(joins)
		b.add(equal, joins)
	}
	for _, rg := range ranges {
		b.add(equal, rg)
		b.add(rg)
	}
	b.add(equal, order)
	b.add(order)
	return b.out
}

func addKey(list []key, k key) []key {
	if slices.ContainsFunc(list, k.same) {
		return list
	}
	return append(list, k)
}

type builder struct {
	bound *stats.Bound
	read  *Read
	out   [][]key

	columnsOnly bool
}

// add makes a candidate of parts of keys, unless there is one like it or an
// index of the table that begins so.
func (b *builder) add(parts ...[]key) {
	var keys []key
	for _, p := range parts {
		if len(p) == 0 {
			return
		}
		for _, k := range p {
			if !slices.ContainsFunc(keys, func(o key) bool { return query.Equal(o.expr, k.expr) }) && len(keys) < maxKeys {
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 || len(b.out) >= maxCandidates || b.exists(keys) {
		return
	}
	if slices.ContainsFunc(b.out, func(o []key) bool { return slices.EqualFunc(o, keys, key.same) }) {
		return
	}
	b.out = append(b.out, keys)
}

// exists reports whether an index of the table begins with these keys already.
func (b *builder) exists(keys []key) bool {
	return slices.ContainsFunc(b.read.Table.Indexes, func(x *catalog.Index) bool {
		if !x.Valid || x.Method != catalog.BTreeMethod || len(x.Predicate) > 0 || x.NumKeys < len(keys) {
			return false
		}
		for i, k := range keys {
			have := x.Keys[i]
			if have.Desc != k.desc || have.NullsFirst != k.nullsFirst {
				return false
			}
			if v, ok := k.expr.(*query.Var); ok {
				if have.Column != v.AttNo {
					return false
				}
			} else if have.Column != 0 || !query.Equal(have.Expr, k.expr) {
				return false
			}
		}
		return true
	})
}

// keys makes index columns of the sides of a condition; nil if one cannot be a
// column of an index.
func (b *builder) keys(exprs []query.Expr) []key {
	var out []key
	for _, e := range exprs {
		x := TableExpr(e, b.read.Rel)
		if x == nil || !b.indexable(x) {
			return nil
		}
		out = append(out, key{expr: x})
	}
	return out
}

// indexable reports whether an expression can be a column of a btree index that
// one would want: no system column, no wide one, nothing whose value may change,
// and no cast that was never written, which is better undone in the query.
func (b *builder) indexable(e query.Expr) bool {
	cat := b.bound.Catalog
	if cat.DefaultOpClass(e.ResultType(), catalog.BTreeMethod) == nil {
		return false
	}
	if v, ok := e.(*query.Var); ok {
		return v.AttNo > 0 && b.bound.Column(b.read.Table.OID, v.AttNo, false).AvgWidth < maxKeyWidth
	}
	if b.columnsOnly || eval.ContainMutable(cat, e) || eval.ContainSubPlans(e) || ImplicitCast(e) {
		return false
	}
	params := false
	query.Walk(e, func(x query.Expr) bool {
		_, is := x.(*query.Param)
		params = params || is
		return true
	})
	return !params
}

// ImplicitCast reports whether an expression is a column under casts that
// nobody wrote.
func ImplicitCast(e query.Expr) bool {
	casts := false
	for {
		switch n := e.(type) {
		case *query.FuncExpr:
			if n.Form != query.CoerceImplicitCast || len(n.Args) == 0 {
				return false
			}
			casts, e = true, n.Args[0]
		case *query.CoerceViaIO:
			if n.Form != query.CoerceImplicitCast {
				return false
			}
			casts, e = true, n.Arg
		case *query.RelabelType:
			e = n.Arg
		case *query.Var:
			return casts
		default:
			return false
		}
	}
}

// TableExpr makes an expression over one relation of a query one over its table
// alone, as index expressions are; nil where it holds something else.
func TableExpr(e query.Expr, rl *rel.RelOptInfo) query.Expr {
	good := true
	out := query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch v := x.(type) {
		case *query.Var:
			good = good && v.VarNo == rl.Index && v.LevelsUp == 0
			return &query.Var{
				Header: query.Header{Typ: v.Typ, Mod: v.Mod, Coll: v.Coll}, VarNo: 1, AttNo: v.AttNo, SynNo: 1, SynAttNo: v.AttNo,
			}, true
		case *query.PlaceHolderVar, *query.SubPlan, *query.AlternativeSubPlan:
			good = false
			return x, true
		}
		return x, false
	})
	if !good {
		return nil
	}
	return out
}

// distinct is the number of different values of a key, as far as it is known.
func (b *builder) distinct(k key) float64 {
	v, ok := k.expr.(*query.Var)
	if !ok {
		return 0
	}
	c := b.bound.Column(b.read.Table.OID, v.AttNo, b.read.Table.Kind == catalog.KindPartitioned)
	if c.Column == nil {
		return 0
	}
	if c.NDistinct < 0 {
		return math.Ceil(-c.NDistinct * b.read.Tuples)
	}
	return c.NDistinct
}

// guessed reports whether an index begins with a column that is compared for
// equality and that there are no statistics of.
func (b *builder) guessed(x *catalog.Index) bool {
	column := x.Keys[0].Column
	if column == 0 || b.distinct(key{expr: &query.Var{VarNo: 1, AttNo: column}}) != 0 {
		return false
	}
	return slices.ContainsFunc(b.read.Conds, func(c Cond) bool {
		n, ok := c.Column()
		return ok && n == column && c.Kind == Equal
	})
}

// order is the order that the query level wants its rows in, as far as the table
// alone can give it.
func (b *builder) order() []key {
	root, rl := b.read.Root, b.read.Rel
	var out []key
	for _, pk := range root.QueryPathKeys {
		ec := pk.EC
		for ec.Merged != nil {
			ec = ec.Merged
		}
		var found query.Expr
		for _, em := range ec.Members {
			if i, ok := em.Relids.Single(); ok && i == rl.Index && !em.IsChild {
				found = em.Expr
				break
			}
		}
		if found == nil {
			break
		}
		keys := b.keys([]query.Expr{strip(found)})
		if keys == nil {
			break
		}
		keys[0].desc, keys[0].nullsFirst = pk.Strategy == catalog.BTGreater, pk.NullsFirst
		out = append(out, keys[0])
	}
	// An index can be read backwards: prefer the plain direction.
	if len(out) > 0 && !slices.ContainsFunc(out, func(k key) bool { return !k.desc || !k.nullsFirst }) {
		for i := range out {
			out[i].desc, out[i].nullsFirst = false, false
		}
	}
	return out
}

// firstOID is where the OIDs of candidates begin: far above those of catalogs.
const firstOID pgtype.OID = 0xF0000000
