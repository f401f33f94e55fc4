package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// rangeOperator is rangesel and multirangesel (rangetypes_selfuncs.c,
// multirangetypes_selfuncs.c) for values that are not known now; with a
// constant the defaults stand in for the bound histograms.
func (c *context) rangeOperator(k call) float64 {
	return c.histogramDefault(k, c.rangeDefault(k.op), "a range operator with a constant is estimated by a default")
}

// rangeDefault is default_range_selectivity and default_multirange_selectivity.
func (c *context) rangeDefault(op pgtype.OID) float64 {
	o := c.root.Global.Catalog.Operator(op)
	if o == nil {
		return 0.01
	}
	switch o.Name {
	case "@>", "<@":
		// Against an element it is like two comparisons.
		if c.isRange(o.Left) != c.isRange(o.Right) {
			return DefaultRangeIneq
		}
		return 0.005
	case "<", "<=", ">", ">=", "<<", ">>", "&<", "&>":
		return DefaultIneq
	}
	return 0.01
}

func (c *context) isRange(typ pgtype.OID) bool {
	t := c.root.Global.Catalog.Type(typ)
	return t != nil && (t.Kind == 'r' || t.Kind == 'm' || typ == pgtype.AnyrangeOID || typ == pgtype.AnymultirangeOID)
}

// networkDefault is DEFAULT_SEL of network_selfuncs.c: OID 3552 is &&.
func networkDefault(op pgtype.OID) float64 {
	const overlap pgtype.OID = 3552
	if op == overlap {
		return 0.01
	}
	return 0.005
}

// network is networksel (network_selfuncs.c) for values that are not known now;
// with a constant the default stands in for the histogram.
func (c *context) network(k call) float64 {
	return c.histogramDefault(k, networkDefault(k.op), "network containment of a constant is estimated by a default")
}

// histogramDefault is the default of an estimator whose histogram is not looked
// at: exact for a value that is not known now and for NULL, which nothing
// matches; for another constant the plan is approximate.
func (c *context) histogramDefault(k call, def float64, why string) float64 {
	v, other, _, ok := c.restrictionVar(k.args)
	if !ok {
		return def
	}
	con, ok := other.(*query.Const)
	if !ok {
		return def
	}
	if con.Null {
		return 0
	}
	if v.Stats != nil {
		c.approximate(why)
	}
	return def
}

// textSearch is tsmatchsel (ts_selfuncs.c).
func (c *context) textSearch(k call) float64 {
	v, other, _, ok := c.restrictionVar(k.args)
	if !ok {
		return defaultTSMatch
	}
	con, ok := other.(*query.Const)
	if !ok {
		return defaultTSMatch
	}
	if con.Null {
		return 0
	}
	if con.Typ != pgtype.TsqueryOID || v.VarType != pgtype.TsvectorOID {
		return defaultTSMatch
	}
	q, ok := parseTSQuery(con.Value)
	if !ok {
		c.approximate("a text search query is not understood")
		return defaultTSMatch
	}
	if q == nil {
		return 0
	}
	t := &lexemes{}
	if v.Stats != nil && v.readable && len(v.Stats.MCElemFreqs) > 0 {
		n := len(v.Stats.MCElem)
		if n == 0 && len(v.Stats.MCElemFreqs) > 2 {
			c.approximate("most common lexemes of a column are not known")
		}
		if len(v.Stats.MCElemFreqs) == n+2 {
			t.words, t.freqs, t.known = v.Stats.MCElem, v.Stats.MCElemFreqs[:n], true
			t.least = float32(v.Stats.MCElemFreqs[n])
		}
	}
	s := t.selectivity(q)
	if v.Stats != nil {
		s *= 1.0 - v.nullFrac()
	}
	return clamp(s)
}
