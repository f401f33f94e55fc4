package selectivity

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// inequality is scalarltsel, scalarlesel, scalargtsel and scalargesel
// (scalarineqsel_wrapper, selfuncs.c).
func (c *context) inequality(op pgtype.OID, args []query.Expr, coll pgtype.OID, gt, eq bool) float64 {
	v, other, onLeft, ok := c.restrictionVar(args)
	if !ok {
		return DefaultIneq
	}
	k, ok := other.(*query.Const)
	if !ok {
		return DefaultIneq
	}
	if k.Null {
		return 0
	}
	if !onLeft {
		o := c.root.Global.Catalog.Operator(op)
		if o == nil || o.Commutator == 0 {
			return DefaultIneq
		}
		op, gt = o.Commutator, !gt
	}
	return scalarIneq(v, op, gt, eq, coll, k)
}

// scalarIneq estimates variable op constant by most common values and
// histogram (scalarineqsel, selfuncs.c).
func scalarIneq(v *VarData, op pgtype.OID, gt, eq bool, coll pgtype.OID, k *query.Const) float64 {
	if v.Stats == nil {
		if col, ok := v.Var.(*query.Var); ok && col.AttNo == -1 && k.Typ == pgtype.TidOID {
			return tidIneq(v, gt, eq, k)
		}
		return DefaultIneq
	}
	d, ok := v.constant(k)
	if !ok {
		return DefaultIneq
	}
	return scalarIneqValue(v, op, gt, eq, coll, d)
}

func scalarIneqValue(v *VarData, op pgtype.OID, gt, eq bool, coll pgtype.OID, d pgtype.Datum) float64 {
	if v.Stats == nil {
		return DefaultIneq
	}
	mcv, common := v.mcvSelectivity(opFunc(v, op), coll, d, true)
	hist := v.ineqHistogram(op, gt, eq, coll, d)
	s := 1.0 - v.nullFrac() - common
	if hist >= 0 {
		s *= hist
	} else {
		// No histogram: half of the rest.
		s *= 0.5
	}
	s += mcv
	return clamp(s)
}

// tidIneq takes ctid's block as the position in the table.
func tidIneq(v *VarData, gt, eq bool, k *query.Const) float64 {
	b := v.Rel
	if b == nil || b.Pages == 0 {
		return 1.0
	}
	block, offset, ok := parseTID(k.Value)
	if !ok {
		return DefaultIneq
	}
	density := b.Tuples / (b.Pages - 0.5)
	if block >= b.Pages-1 {
		density *= 0.5
	}
	if density > 0 {
		block += min(offset/density, 1.0)
	}
	s := block / (b.Pages - 0.5)
	if eq == gt && b.Tuples >= 1 {
		s -= 1.0 / b.Tuples
	}
	if gt {
		s = 1.0 - s
	}
	return clamp(s)
}

// ineqHistogram is the fraction of the histogram's population that satisfies
// variable op constant, -1 without a histogram (ineq_histogram_selectivity,
// selfuncs.c).
func (v *VarData) ineqHistogram(op pgtype.OID, gt, eq bool, coll pgtype.OID, d pgtype.Datum) float64 {
	fn := opFunc(v, op)
	if v.Stats == nil || !v.allows(fn) {
		return -1
	}
	values, ok := v.histogram()
	if !ok || len(values) < 2 {
		return -1
	}
	p := v.predicate(fn, coll)
	if p == nil {
		return -1
	}
	n := len(values)
	if v.collation() != coll || !v.sameOrder(op) {
		hits := 0
		for _, h := range values {
			if hit, _ := p(h, d); hit {
				hits++
			}
		}
		return cutoff(float64(hits)/float64(n), n)
	}
	values = append([]pgtype.Datum(nil), values...)
	lo, hi, haveEnd := 0, n, false
	if n == 2 {
		haveEnd = v.actualRange(coll, &values[0], &values[1])
	}
	for lo < hi {
		probe := (lo + hi) / 2
		if probe == 0 && n > 2 {
			haveEnd = v.actualRange(coll, &values[0], nil)
		} else if probe == n-1 && n > 2 {
			haveEnd = v.actualRange(coll, nil, &values[probe])
		}
		less, _ := p(values[probe], d)
		if less != gt {
			lo = probe + 1
		} else {
			hi = probe
		}
	}
	frac := v.histFraction(values, lo, gt == eq, coll, d)
	if gt {
		frac = 1.0 - frac
	}
	if haveEnd {
		return clamp(frac)
	}
	return cutoff(frac, n)
}

// histFraction is the part of the population below the constant, which lies in
// the bin that ends at values[at]. exclusive takes the constant's own share
// off: for < and >=.
func (v *VarData) histFraction(values []pgtype.Datum, at int, exclusive bool, coll pgtype.OID, d pgtype.Datum) float64 {
	n := len(values)
	if at <= 0 {
		return 0
	}
	if at >= n {
		return 1
	}
	eqShare := 0.0
	if at == 1 || exclusive {
		nd, _ := v.NDistinct()
		if others := nd - float64(len(v.freqs())); others > 1 {
			eqShare = 1.0 / others
		}
	}
	bin := 0.5
	if val, low, high, ok := v.toScalar(coll, d, values[at-1], values[at]); ok {
		switch {
		case high <= low:
		case val <= low:
			bin = 0
		case val >= high:
			bin = 1
		default:
			if b := (val - low) / (high - low); b >= 0 && b <= 1 {
				bin = b
			}
		}
	}
	frac := float64(at-1) + bin
	frac /= float64(n - 1)
	if at == 1 {
		frac += float64(eqShare * (1.0 - bin))
	}
	if exclusive {
		frac -= eqShare
	}
	return frac
}

// cutoff keeps an estimate away from 0 and 1: the ends of the histogram may be
// out of date.
func cutoff(s float64, n int) float64 {
	c := 0.01 / float64(n-1)
	if s < c {
		return c
	}
	if s > 1.0-c {
		return 1.0 - c
	}
	return s
}

// btreeFamilies are the btree families of an operator with its strategies there.
func btreeMembers(cat *catalog.Catalog, op pgtype.OID) []*catalog.AmOp {
	bt := cat.MethodByName("btree")
	var out []*catalog.AmOp
	for _, a := range cat.AmOpsOf(op) {
		if bt != nil && a.Method == bt.OID && a.Purpose == 's' {
			out = append(out, a)
		}
	}
	return out
}

// sameOrder reports whether an operator compares as the histogram is sorted: by
// the type's default btree operator class (comparison_ops_are_compatible,
// lsyscache.c).
func (v *VarData) sameOrder(op pgtype.OID) bool {
	cat := v.catalog()
	family := v.sortFamily()
	for _, a := range btreeMembers(cat, op) {
		if a.Family == family {
			return true
		}
	}
	return false
}

// sortFamily is the operator family that ANALYZE sorted the values by.
func (v *VarData) sortFamily() pgtype.OID {
	cat := v.catalog()
	bt := cat.MethodByName("btree")
	if bt == nil {
		return 0
	}
	oc := cat.DefaultOpClass(v.Type, bt.OID)
	if oc == nil {
		return 0
	}
	return oc.Family
}

// actualRange replaces the first and last histogram bound by the ends that an
// index has now; false where no index tells (get_actual_variable_range,
// selfuncs.c).
func (v *VarData) actualRange(coll pgtype.OID, low, high *pgtype.Datum) bool {
	b := v.Rel
	if b == nil || b.Table == nil || b.Table.Kind == catalog.KindPartitioned {
		return false
	}
	family, key := v.sortFamily(), v.Var
	if !v.root.Global.Version(16) {
		// Columns that an outer join can null are not told apart yet.
		key = eval.RemoveNullingRels(key, v.root.OuterJoins, query.Relids{})
	}
	for _, x := range b.Indexes {
		if x.Method == nil || x.Method.Name != "btree" || len(x.Predicate) > 0 || x.Hypothetical {
			continue
		}
		if len(x.Collations) == 0 || x.Collations[0] != coll || !indexOn(x, key) {
			continue
		}
		if len(x.SortFamily) == 0 || x.SortFamily[0] != family {
			continue
		}
		if x.Physical == nil || low != nil && x.Physical.Min == nil || high != nil && x.Physical.Max == nil {
			v.root.Global.Approximate("the ends of an index are not known")
			return false
		}
		ok := true
		if low != nil {
			*low, ok = eval.ValueOf(v.root.Global, v.Type, *x.Physical.Min)
		}
		if high != nil && ok {
			*high, ok = eval.ValueOf(v.root.Global, v.Type, *x.Physical.Max)
		}
		return ok
	}
	return false
}
