package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// side is one side of an equality join.
type side struct {
	v         *VarData
	nd        float64
	isDefault bool
	values    []pgtype.Datum // of the most common values, nil if they are not used
	freqs     []float64
}

// eqJoin estimates left = right between relations (eqjoinsel, selfuncs.c).
func (c *context) eqJoin(op pgtype.OID, args []query.Expr, coll pgtype.OID) float64 {
	vl, vr, reversed := c.joinVars(args)
	l, r := &side{v: vl}, &side{v: vr}
	l.nd, l.isDefault = vl.NDistinct()
	r.nd, r.isDefault = vr.NDistinct()
	fn := opFunc(vl, op)
	var p predicate
	if vl.hasMCV() && vr.hasMCV() && vl.allows(fn) && vr.allows(fn) {
		p = c.mcvPair(l, r, fn, coll)
	}
	inner := eqJoinInner(l, r, p)
	s := inner
	switch c.sj.Type {
	case query.JoinSemi, query.JoinAnti:
		in := inputRel(c.root, c.sj.MinRight)
		if in == nil {
			c.approximate("the inner side of a semijoin is not known")
			break
		}
		if !reversed {
			s = eqJoinSemi(l, r, p, in)
		} else {
			var commuted predicate
			if p != nil {
				commuted = func(a, b pgtype.Datum) (bool, bool) { return p(b, a) }
				if o := c.root.Global.Catalog.Operator(op); o == nil || o.Commutator == 0 {
					commuted = nil
				}
			}
			s = eqJoinSemi(r, l, commuted, in)
		}
		s = min(s, in.Rows*inner)
	}
	return clamp(s)
}

// mcvPair decodes the most common values of both sides; nil where they cannot
// be compared.
func (c *context) mcvPair(l, r *side, fn, coll pgtype.OID) predicate {
	lv, ok := l.v.mcvs()
	rv, ok2 := r.v.mcvs()
	if !ok || !ok2 {
		return nil
	}
	p := l.v.predicate(fn, coll)
	if p == nil {
		return nil
	}
	l.values, l.freqs = lv, l.v.freqs()
	r.values, r.freqs = rv, r.v.freqs()
	return p
}

// inputRel is the relation on one side of a special join, base or joined
// (find_join_input_rel, selfuncs.c).
func inputRel(root *rel.PlannerInfo, relids query.Relids) *rel.RelOptInfo {
	if i, ok := relids.Single(); ok {
		return baseRel(root, i)
	}
	return joinRel(root, relids)
}

// matches pairs the values of two lists, each used once; right is cut to n
// values. It returns which are matched and how many.
func matches(l, r *side, n int, p predicate) (hitL, hitR []bool, count int) {
	hitL, hitR = make([]bool, len(l.values)), make([]bool, n)
	for i, a := range l.values {
		for j := range n {
			if hitR[j] {
				continue
			}
			if eq, _ := p(a, r.values[j]); eq {
				hitL[i], hitR[j] = true, true
				count++
				break
			}
		}
	}
	return hitL, hitR, count
}

// eqJoinInner estimates as an inner join (eqjoinsel_inner, selfuncs.c).
func eqJoinInner(l, r *side, p predicate) float64 {
	if p == nil {
		s := (1.0 - l.v.nullFrac()) * (1.0 - r.v.nullFrac())
		if l.nd > r.nd {
			return s / l.nd
		}
		return s / r.nd
	}
	hitL, hitR := make([]bool, len(l.values)), make([]bool, len(r.values))
	product, n := 0.0, 0
	for i, a := range l.values {
		for j, b := range r.values {
			if hitR[j] {
				continue
			}
			if eq, _ := p(a, b); eq {
				hitL[i], hitR[j] = true, true
				// Frequencies are float4, and so is their product.
				product += float64(float32(l.freqs[i]) * float32(r.freqs[j]))
				n++
				break
			}
		}
	}
	product = clamp(product)
	match1, rest1 := split(l.freqs, hitL)
	match2, rest2 := split(r.freqs, hitR)
	other1 := clamp(1.0 - l.v.nullFrac() - match1 - rest1)
	other2 := clamp(1.0 - r.v.nullFrac() - match2 - rest2)
	total1 := oneSided(product, rest1, other1, other2, rest2, r.nd, float64(len(r.values)), float64(n))
	total2 := oneSided(product, rest2, other2, other1, rest1, l.nd, float64(len(l.values)), float64(n))
	return min(total1, total2)
}

// split sums the frequencies of matched and unmatched values.
func split(freqs []float64, hit []bool) (matched, unmatched float64) {
	for i, f := range freqs {
		if hit[i] {
			matched += f
		} else {
			unmatched += f
		}
	}
	return clamp(matched), clamp(unmatched)
}

// oneSided is the total from the point of view of one side: values that match a
// common one, unmatched common values against the other side's rest, and the
// rest against everything left there.
func oneSided(product, rest, other, theirOther, theirRest, nd, nvalues, n float64) float64 {
	t := product
	if nd > nvalues {
		t += rest * theirOther / (nd - nvalues)
	}
	if nd > n {
		t += other * (theirOther + theirRest) / (nd - n)
	}
	return t
}

// eqJoinSemi estimates the fraction of l's rows that have a partner in r
// (eqjoinsel_semi, selfuncs.c).
func eqJoinSemi(l, r *side, p predicate, in *rel.RelOptInfo) float64 {
	nd1, nd2, default2 := l.nd, r.nd, r.isDefault
	if r.v.Rel != nil && nd2 >= r.v.Rel.Rows {
		nd2, default2 = r.v.Rel.Rows, false
	}
	if nd2 >= in.Rows {
		nd2, default2 = in.Rows, false
	}
	if p == nil {
		switch {
		case l.isDefault || default2:
			return 0.5 * (1.0 - l.v.nullFrac())
		case nd1 <= nd2 || nd2 < 0:
			return 1.0 - l.v.nullFrac()
		}
		return (nd2 / nd1) * (1.0 - l.v.nullFrac())
	}
	hit, _, n := matches(l, r, int(min(float64(len(r.values)), nd2)), p)
	match, _ := split(l.freqs, hit)
	frac := 0.5
	if !l.isDefault && !default2 {
		nd1 -= float64(n)
		nd2 -= float64(n)
		if nd1 <= nd2 || nd2 < 0 {
			frac = 1.0
		} else {
			frac = nd2 / nd1
		}
	}
	uncertain := clamp(1.0 - match - l.v.nullFrac())
	return match + float64(frac*uncertain)
}

// neqJoin estimates left <> right between relations (neqjoinsel, selfuncs.c).
func (c *context) neqJoin(op pgtype.OID, args []query.Expr, coll pgtype.OID) float64 {
	if c.jointype == query.JoinSemi || c.jointype == query.JoinAnti {
		l, r, reversed := c.joinVars(args)
		if reversed {
			return 1.0 - r.nullFrac()
		}
		return 1.0 - l.nullFrac()
	}
	o := c.root.Global.Catalog.Operator(op)
	if o == nil || o.Negator == 0 {
		return 1.0 - DefaultEq
	}
	return 1.0 - c.eqJoin(o.Negator, args, coll)
}
