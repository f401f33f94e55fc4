package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// equality is eqsel and, negated, neqsel (eqsel_internal, selfuncs.c).
func (c *context) equality(op pgtype.OID, args []query.Expr, coll pgtype.OID, negate bool) float64 {
	if negate {
		o := c.root.Global.Catalog.Operator(op)
		if o == nil || o.Negator == 0 {
			return 1.0 - DefaultEq
		}
		op = o.Negator
	}
	v, other, onLeft, ok := c.restrictionVar(args)
	if !ok {
		if negate {
			return 1.0 - DefaultEq
		}
		return DefaultEq
	}
	if k, ok := other.(*query.Const); ok {
		return eqConst(v, op, coll, k, onLeft, negate)
	}
	return eqOther(v, negate)
}

// eqConst estimates variable = constant (var_eq_const, selfuncs.c): the
// frequency of a most common value, or an even share of what those leave.
func eqConst(v *VarData, op, coll pgtype.OID, k *query.Const, onLeft, negate bool) float64 {
	if k.Null {
		return 0
	}
	var s float64
	switch {
	case v.Unique && v.Rel != nil && v.Rel.Tuples >= 1:
		s = 1.0 / v.Rel.Tuples
	case v.Stats != nil && v.allows(opFunc(v, op)):
		freqs := v.freqs()
		if at := v.matchMCV(op, coll, k, onLeft); at >= 0 {
			s = freqs[at]
			break
		}
		common := 0.0
		for _, f := range freqs {
			common += f
		}
		s = clamp(1.0 - common - v.nullFrac())
		nd, _ := v.NDistinct()
		if others := nd - float64(len(freqs)); others > 1 {
			s /= others
		}
		if n := len(freqs); n > 0 && s > freqs[n-1] {
			s = freqs[n-1]
		}
	default:
		nd, _ := v.NDistinct()
		s = 1.0 / nd
	}
	if negate {
		s = 1.0 - s - v.nullFrac()
	}
	return clamp(s)
}

// matchMCV returns the position of the most common value that equals a constant,
// -1 for none.
func (v *VarData) matchMCV(op, coll pgtype.OID, k *query.Const, onLeft bool) int {
	if !v.hasMCV() {
		return -1
	}
	values, ok := v.mcvs()
	if !ok {
		return -1
	}
	p := v.predicate(opFunc(v, op), coll)
	d, ok := v.constant(k)
	if p == nil || !ok {
		return -1
	}
	for i, m := range values {
		if hit, _ := p.sides(m, d, onLeft); hit {
			return i
		}
	}
	return -1
}

// eqOther estimates variable = something not known now (var_eq_non_const,
// selfuncs.c): an even share, but not more than the most common value has.
func eqOther(v *VarData, negate bool) float64 {
	var s float64
	nd, _ := v.NDistinct()
	switch {
	case v.Unique && v.Rel != nil && v.Rel.Tuples >= 1:
		s = 1.0 / v.Rel.Tuples
	case v.Stats != nil:
		s = 1.0 - v.nullFrac()
		if nd > 1 {
			s /= nd
		}
		if f := v.freqs(); len(f) > 0 && s > f[0] {
			s = f[0]
		}
	default:
		s = 1.0 / nd
	}
	if negate {
		s = 1.0 - s - v.nullFrac()
	}
	return clamp(s)
}

// mcvSelectivity sums the frequencies of the most common values that satisfy a
// clause, and of all of them (mcv_selectivity, selfuncs.c).
func (v *VarData) mcvSelectivity(fn, coll pgtype.OID, d pgtype.Datum, onLeft bool) (s, common float64) {
	if !v.hasMCV() || !v.allows(fn) {
		return 0, 0
	}
	freqs := v.freqs()
	values, ok := v.mcvs()
	var p predicate
	if ok {
		p = v.predicate(fn, coll)
	}
	for i, f := range freqs {
		if p != nil {
			if hit, _ := p.sides(values[i], d, onLeft); hit {
				s += f
			}
		}
		common += f
	}
	return s, common
}

// histogramSelectivity is the fraction of histogram bounds that satisfy a
// clause, -1 where there are fewer than minSize; skip bounds are left out at
// each end (histogram_selectivity, selfuncs.c).
func (v *VarData) histogramSelectivity(fn, coll pgtype.OID, d pgtype.Datum, onLeft bool, minSize, skip int) (s float64, size int) {
	if v.Stats == nil || !v.allows(fn) {
		return -1, 0
	}
	values, ok := v.histogram()
	if !ok || len(values) == 0 {
		return -1, 0
	}
	if len(values) < minSize {
		return -1, len(values)
	}
	p := v.predicate(fn, coll)
	if p == nil {
		return -1, 0
	}
	n := 0
	for _, h := range values[skip : len(values)-skip] {
		if hit, _ := p.sides(h, d, onLeft); hit {
			n++
		}
	}
	return float64(n) / float64(len(values)-2*skip), len(values)
}

// generic estimates an operator by trying it on the statistics' values
// (generic_restriction_selectivity, selfuncs.c).
func (c *context) generic(op pgtype.OID, args []query.Expr, coll pgtype.OID, def float64) float64 {
	v, other, onLeft, ok := c.restrictionVar(args)
	if !ok {
		return def
	}
	k, ok := other.(*query.Const)
	if !ok {
		return def
	}
	if k.Null {
		return 0
	}
	fn := opFunc(v, op)
	var d pgtype.Datum
	if v.Stats != nil && (v.hasMCV() || len(v.Stats.Histogram) > 0) {
		if d, ok = v.constant(k); !ok {
			return def
		}
	}
	mcv, common := v.mcvSelectivity(fn, coll, d, onLeft)
	s, size := v.histogramSelectivity(fn, coll, d, onLeft, 10, 1)
	if s < 0 {
		s = def
	} else if size < 100 {
		weight := float64(size) / 100.0
		s = float64(s*weight) + float64(def*(1.0-weight))
	}
	s = min(max(s, 0.0001), 0.9999)
	s = float64(s * (1.0 - v.nullFrac() - common))
	s += mcv
	return clamp(s)
}
