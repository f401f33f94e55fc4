package infer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// singleRow says why a relation has at most one row in the result for each row of
// those that are single already; "" if it may have more.
func (b *bounding) singleRow(i int) string {
	rte := b.q.RTE(i)
	held := b.held(i)
	if _, ok := b.sources[i]; !ok || b.asked[i] != len(held) {
		b.sources[i], b.asked[i] = b.source(rte, held), len(held)
	}
	for j := range b.needs[i].All() {
		if b.single[j] == "" {
			return ""
		}
	}
	if r := b.sources[i]; r.single() {
		return cmp.Or(r.why, "one row of "+rte.ERef.Name)
	}
	if rte.Kind == query.RTERelation {
		return b.keyBound(i, rte)
	}
	return ""
}

// held are the columns of a relation that have one value each.
func (b *bounding) held(i int) []binding {
	var out []binding
	for c, list := range b.fixed {
		if c.varno != i {
			continue
		}
		for _, f := range list {
			out = append(out, binding{c.attno, f})
		}
	}
	slices.SortStableFunc(out, func(x, y binding) int { return cmp.Compare(x.resNo, y.resNo) })
	return out
}

// keyed reports whether the unique indexes of a table hold for all rows that a
// query reads of it: those of a parent say nothing of the tables that inherit from
// it, those of a partitioned table hold for its partitions.
func keyed(t *catalog.Table, rte *query.RangeTblEntry) bool {
	return t != nil && t.Kind != catalog.KindView && (!rte.Inherit || len(t.Children) == 0 || t.Kind == catalog.KindPartitioned)
}

// keyBound says which unique index of a table bounds its rows to one; "" for
// none. All columns of the index must be compared with values that are the same
// for every row, and WHERE must imply the predicate of a partial one. A deferrable
// key may be violated until the transaction ends.
func (b *bounding) keyBound(i int, rte *query.RangeTblEntry) string {
	t := b.cat.Table(rte.Relation)
	if !keyed(t, rte) {
		return ""
	}
	name := rte.ERef.Name
	if t.Kind != catalog.KindPartitioned {
		for _, f := range b.fixed[column{i, -1}] {
			if f.identical || f.op != 0 {
				return "ctid of " + name + " is bound"
			}
		}
	}
	for _, c := range b.conds {
		if k, ok := c.expr.(*query.CurrentOfExpr); ok && k.VarNo == i && c.all {
			return "the row of a cursor"
		}
	}
	for _, x := range t.Indexes {
		if !x.Unique || !b.holds(x.OID, x.Valid) || !x.Immediate || x.NumKeys == 0 {
			continue
		}
		if bound, _ := b.boundKeys(i, t, x); len(bound) < x.NumKeys {
			continue
		}
		partial := ""
		if len(x.Predicate) > 0 {
			if !b.implied(i, x.Predicate) {
				continue
			}
			partial = ", and its predicate holds"
		}
		return fmt.Sprintf("unique key %s (%s) of %s is bound%s", x.Name, strings.Join(b.keyNames(t, x), ", "), name, partial)
	}
	return ""
}

// keyNames are the keys of an index as the server prints them: columns by name,
// expressions as text.
func (b *bounding) keyNames(t *catalog.Table, x *catalog.Index) []string {
	var out []string
	for _, k := range x.Keys[:x.NumKeys] {
		out = append(out, b.keyName(t, k))
	}
	return out
}

func (b *bounding) keyName(t *catalog.Table, k catalog.IndexKey) string {
	if k.Column == 0 && k.Expr != nil {
		return deparse.Expr(k.Expr, deparse.TableContext(b.cat, t))
	}
	return k.Name
}

// boundKeys are the key columns of an index that have one value, and those that
// have not.
func (b *bounding) boundKeys(i int, t *catalog.Table, x *catalog.Index) (bound, free []string) {
	for _, k := range x.Keys[:x.NumKeys] {
		if b.keyColumn(i, t, x, k) {
			bound = append(bound, b.keyName(t, k))
		} else {
			free = append(free, b.keyName(t, k))
		}
	}
	return bound, free
}

func (b *bounding) keyColumn(i int, t *catalog.Table, x *catalog.Index, k catalog.IndexKey) bool {
	if k.Column == 0 {
		return b.exprBound(i, x, k)
	}
	for _, f := range b.fixed[column{i, k.Column}] {
		c := t.Attr(k.Column)
		if b.holdsKey(f, k.Family, k.Collation) && (!f.null || x.NullsNotDistinct || c != nil && c.NotNull) {
			return true
		}
	}
	return false
}

// exprBound is keyColumn for an expression of an index.
func (b *bounding) exprBound(i int, x *catalog.Index, k catalog.IndexKey) bool {
	for _, e := range b.equal {
		if e.isCol || k.Expr == nil || !e.applies(i) || e.null && !x.NullsNotDistinct || !e.identical &&
			(b.cat.OpFamilyStrategy(e.op, k.Family) != catalog.BTEqual || k.Collation != 0 && e.coll != k.Collation) {
			continue
		}
		if l := overTable(e.left, i); l != nil && query.Equal(l, plainCast(k.Expr)) && len(b.given(&e)) > 0 {
			return true
		}
	}
	return false
}

// nearest says how far the unique key goes of which most columns are bound; "" if
// none is.
func (b *bounding) nearest(i int) string {
	rte := b.q.RTE(i)
	t := b.cat.Table(rte.Relation)
	if rte.Kind != query.RTERelation || t == nil || t.Kind == catalog.KindView {
		return b.sources[i].why
	}
	best, most := "", 0
	for _, x := range t.Indexes {
		if !x.Unique || !x.Valid || x.NumKeys == 0 {
			continue
		}
		bound, free := b.boundKeys(i, t, x)
		if len(bound) <= most {
			continue
		}
		best, most = "", len(bound)
		key := fmt.Sprintf("unique key %s (%s) of %s", x.Name, strings.Join(b.keyNames(t, x), ", "), rte.ERef.Name)
		switch {
		case len(free) > 0:
			best = fmt.Sprintf("%s: %s %s not bound", key, strings.Join(free, ", "), orElse(len(free) == 1, "is", "are"))
		case !keyed(t, rte):
			best = key + " is bound, but does not hold for the tables that inherit from it"
		case !x.Immediate:
			best = key + " is bound, but may be violated until the transaction ends"
		case len(x.Predicate) > 0:
			best = key + " is bound, but WHERE does not imply its predicate"
		}
	}
	return best
}

// implied reports whether the conditions that rows have passed contain each
// conjunct of a partial index's predicate. Proofs beyond that are not tried, but
// that a column which is compared with = is not null, and that x = true is x.
func (b *bounding) implied(i int, predicate []query.Expr) bool {
	for _, p := range predicate {
		found := slices.ContainsFunc(b.conds, func(c passedCond) bool {
			if !c.all && !c.bounds.Has(i) {
				return false
			}
			x := overTable(c.expr, i)
			return x != nil && (query.Equal(x, p) || sameTest(x, p))
		})
		if n, ok := p.(*query.NullTest); ok && n.Not && !found {
			if v, ok := n.Arg.(*query.Var); ok {
				found = b.passedNull(column{i, v.AttNo})
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// passedNull reports whether rows in which a column is NULL are rejected.
func (b *bounding) passedNull(c column) bool {
	for _, p := range b.conds {
		if p.all || p.bounds.Has(c.varno) {
			if b.strictColumns(p.expr, true)[c] {
				return true
			}
		}
	}
	return false
}

// sameTest tells x = true, x IS TRUE and x, and x = false, x IS FALSE and NOT x.
func sameTest(a, b query.Expr) bool {
	x, xv, ok := truth(a)
	y, yv, ok2 := truth(b)
	return ok && ok2 && xv == yv && query.Equal(x, y)
}

// truth takes a condition that says what a boolean is apart.
func truth(e query.Expr) (arg query.Expr, value, ok bool) {
	switch n := e.(type) {
	case *query.Var:
		return n, true, true
	case *query.BoolExpr:
		if n.Op == query.NotExpr {
			return n.Args[0], false, true
		}
	case *query.BooleanTest:
		if n.Kind == query.IsTrue || n.Kind == query.IsFalse {
			return n.Arg, n.Kind == query.IsTrue, true
		}
	case *query.OpExpr:
		if len(n.Args) == 2 && n.Args[0].ResultType() == pgtype.BoolOID {
			if k, is := n.Args[1].(*query.Const); is && !k.Null && n.Op == boolEqual {
				return n.Args[0], k.Value == "t", true
			}
		}
	}
	return nil, false, false
}

// boolEqual is the = of booleans (catalog/pg_operator.dat).
const boolEqual pgtype.OID = 91

// overTable makes an expression over relation i one over its table alone, nil
// where it needs others.
func overTable(e query.Expr, i int) query.Expr {
	good := true
	out := query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch v := x.(type) {
		case *query.Var:
			good = good && v.VarNo == i && v.LevelsUp == 0
			return &query.Var{
				Header: query.Header{Typ: v.Typ, Mod: v.Mod, Coll: v.Coll}, VarNo: 1, AttNo: v.AttNo, SynNo: 1, SynAttNo: v.AttNo,
			}, true
		case *query.SubLink:
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

// oneOf reports whether rows that are grouped, or of which each is given once, are
// one at most, because all they are told apart by has one value; and says by what.
func (b *bounding) oneOf(clauses []*query.SortGroupClause) (string, bool) {
	var names []string
	for _, g := range clauses {
		i := slices.IndexFunc(b.q.TargetList, func(te *query.TargetEntry) bool { return te.SortGroupRef == g.Ref })
		if i < 0 || !b.groupHeld(b.q.TargetList[i], g.EqOp) {
			return "", false
		}
		name := b.q.TargetList[i].Name
		if v, ok := plainCast(b.q.TargetList[i].Expr).(*query.Var); ok && v.LevelsUp == 0 && v.AttNo > 0 {
			name = b.q.RTE(v.VarNo).ERef.Columns[v.AttNo-1]
		}
		if name != "" && name != "?column?" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "all that tells rows apart is bound", true
	}
	verb := " is bound"
	if len(names) > 1 {
		verb = " are bound"
	}
	return strings.Join(names, ", ") + verb, true
}

func (b *bounding) groupHeld(te *query.TargetEntry, eq pgtype.OID) bool {
	e := plainCast(te.Expr)
	if b.constant(e, true) {
		return true
	}
	coll := te.Expr.ResultCollation()
	if v, ok := e.(*query.Var); ok {
		v = b.throughJoin(v)
		if v.LevelsUp == 0 && b.notExtended(v) {
			for _, f := range b.fixed[column{v.VarNo, v.AttNo}] {
				if b.holdsGroup(f, eq, coll) {
					return true
				}
			}
		}
	}
	return slices.ContainsFunc(b.equal, func(x equality) bool {
		return x.all && b.holdsGroup(x.fixing, eq, coll) && query.Equal(x.left, e) && len(b.given(&x)) > 0
	})
}
