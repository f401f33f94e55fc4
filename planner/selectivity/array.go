package selectivity

import (
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// The array operators (pg_operator.dat): pinned OIDs.
const (
	arrayOverlap   pgtype.OID = 2750
	arrayContains  pgtype.OID = 2751
	arrayContained pgtype.OID = 2752
)

// arrayDefault is DEFAULT_SEL of array_selfuncs.c.
func arrayDefault(op pgtype.OID) float64 {
	if op == arrayOverlap {
		return defaultOverlap
	}
	return defaultContain
}

// arrayContainment is arraycontsel (array_selfuncs.c): @>, <@ and && of arrays
// by the most common elements.
func (c *context) arrayContainment(k call) float64 {
	v, other, onLeft, ok := c.restrictionVar(k.args)
	if !ok {
		return arrayDefault(k.op)
	}
	con, ok := other.(*query.Const)
	if !ok {
		return arrayDefault(k.op)
	}
	if con.Null {
		return 0
	}
	op := k.op
	if !onLeft {
		switch op {
		case arrayContains:
			op = arrayContained
		case arrayContained:
			op = arrayContains
		}
	}
	cat := c.root.Global.Catalog
	elem := elementType(cat, con.Typ)
	if elem == 0 || elem != elementType(cat, v.VarType) {
		return arrayDefault(k.op)
	}
	d, ok := v.constant(con)
	if !ok {
		return arrayDefault(k.op)
	}
	var items []pgtype.Datum
	for _, e := range d.Elements() {
		if e.IsNull() {
			if op == arrayContains {
				return 0
			}
			continue
		}
		items = append(items, e)
	}
	e := c.elements(v, elem)
	items, ok = e.sort(items)
	if !ok {
		return arrayDefault(k.op)
	}
	s := e.selectivity(items, op)
	if v.Stats != nil {
		s *= 1.0 - v.nullFrac()
	}
	return clamp(s)
}

// elementOf estimates constant = ANY (column) and its kin by the column's
// elements, -1 where that does not apply (scalararraysel_containment,
// array_selfuncs.c).
func (c *context) elementOf(left, right query.Expr, elem pgtype.OID, isEq, useOr bool) float64 {
	v := Examine(c.root, right, c.varRelid)
	con, ok := left.(*query.Const)
	if v.Rel == nil || !ok {
		return -1
	}
	if con.Null {
		return 0
	}
	if !isEq {
		useOr = !useOr
	}
	e := c.elements(v, elem)
	d, ok := v.constant(con)
	if !ok {
		return -1
	}
	op := arrayContained
	if useOr {
		op = arrayContains
	}
	s := e.selectivity([]pgtype.Datum{d}, op)
	if v.Stats != nil {
		s *= 1.0 - v.nullFrac()
	}
	if !isEq {
		s = 1.0 - s
	}
	return clamp(s)
}

// elements are a column's most common elements, in the order of their type.
type elements struct {
	v      *VarData
	values []pgtype.Datum
	// freqs are their frequencies with the smallest, the largest and that of
	// NULL behind; nil where they are not as they should be.
	freqs []float64
	hist  []float64 // of the number of distinct elements, the average behind
}

func (c *context) elements(v *VarData, elem pgtype.OID) *elements {
	e := &elements{v: v}
	if v.Stats == nil || !v.readable || len(v.Stats.MCElemFreqs) == 0 {
		return e
	}
	e.values = decodeAs(v, elem, v.Stats.MCElem)
	if len(e.values) != len(v.Stats.MCElem) || len(v.Stats.MCElem) == 0 && len(v.Stats.MCElemFreqs) > 3 {
		c.approximate("most common elements of a column are not known")
		e.values = nil
		return e
	}
	if len(v.Stats.MCElemFreqs) == len(e.values)+3 {
		e.freqs = v.Stats.MCElemFreqs
	}
	e.hist = v.Stats.ElemHist
	return e
}

// compare orders two elements.
func (e *elements) compare(a, b pgtype.Datum) int {
	n, ok := pgtype.Compare(a, b, pgtype.DefaultCollation)
	if !ok {
		e.v.root.Global.Approximate("elements of an array cannot be compared")
	}
	return n
}

// sort orders and checks the searched elements; duplicates go.
func (e *elements) sort(list []pgtype.Datum) ([]pgtype.Datum, bool) {
	ok := true
	slices.SortStableFunc(list, func(a, b pgtype.Datum) int {
		n, known := pgtype.Compare(a, b, pgtype.DefaultCollation)
		ok = ok && known
		return n
	})
	if !ok {
		e.v.root.Global.Approximate("elements of an array cannot be compared")
		return nil, false
	}
	return slices.CompactFunc(list, func(a, b pgtype.Datum) bool { return e.compare(a, b) == 0 }), true
}

func (e *elements) selectivity(items []pgtype.Datum, op pgtype.OID) float64 {
	if op == arrayContained {
		return e.contained(items)
	}
	return e.containOverlap(items, op)
}

// containOverlap takes the elements as independent
// (mcelem_array_contain_overlap_selec, array_selfuncs.c).
func (e *elements) containOverlap(items []pgtype.Datum, op pgtype.OID) float64 {
	least := float32(2 * float32(defaultContain))
	if e.freqs != nil {
		least = float32(e.freqs[len(e.values)])
	}
	s := 0.0
	if op == arrayContains {
		s = 1
	}
	at := 0
	for _, x := range items {
		one := min(defaultContain, float64(least/2))
		for at < len(e.values) && e.compare(e.values[at], x) < 0 {
			at++
		}
		if at < len(e.values) && e.freqs != nil && e.compare(e.values[at], x) == 0 {
			one = e.freqs[at]
			at++
		}
		if op == arrayContains {
			s *= one
		} else {
			s = s + one - float64(s*one)
		}
		s = clamp(s)
	}
	return s
}

// effort bounds the work of [elements.contained] (EFFORT, array_selfuncs.c).
const effort = 100

// contained is the chance that a column's array holds nothing but the given
// elements (mcelem_array_contained_selec, array_selfuncs.c). It computes in
// float4, as the server does.
func (e *elements) contained(items []pgtype.Datum) float64 {
	if e.freqs == nil || len(e.hist) < 3 {
		return defaultContain
	}
	n := len(e.values)
	least, nullFreq := float32(e.freqs[n]), float32(e.freqs[n+2])
	rest, mult := float32(e.hist[len(e.hist)-1]), float32(1)
	skip := func(at int) {
		mult *= 1 - float32(e.freqs[at])
		rest -= float32(e.freqs[at])
	}
	var sel []float32
	at := 0
	for _, x := range items {
		for at < n && e.compare(e.values[at], x) < 0 {
			skip(at)
			at++
		}
		if at < n && e.compare(e.values[at], x) == 0 {
			sel = append(sel, float32(e.freqs[at]))
			rest -= float32(e.freqs[at])
			at++
			continue
		}
		sel = append(sel, float32(min(defaultContain, float64(least/2))))
	}
	for ; at < n; at++ {
		skip(at)
	}
	mult = float32(float64(mult) * math.Exp(float64(-rest)))
	if n+len(sel) > 0 && len(sel) > effort*n/(n+len(sel)) {
		b := float64(n)
		keep := int((math.Sqrt(float64(b*b)+float64(4*effort*b)) - b) / 2)
		slices.SortFunc(sel, func(a, b float32) int {
			switch {
			case a > b:
				return -1
			case a < b:
				return 1
			}
			return 0
		})
		sel = sel[:keep]
	}
	freqs := make([]float32, n)
	for i := range freqs {
		freqs[i] = float32(e.freqs[i])
	}
	dist := distribution(sel, len(sel), 0)
	common := distribution(freqs, len(sel), rest)
	part := histogramParts(e.hist[:len(e.hist)-1], len(sel))
	s := float32(0)
	for i := range len(sel) + 1 {
		if common[i] > 0 {
			s += float32(part[i]*mult*dist[i]) / common[i]
		}
	}
	s *= 1 - nullFreq
	return clamp(float64(s))
}

// histogramParts is the fraction of arrays with k distinct elements, for k from
// 0 to n (calc_hist, array_selfuncs.c).
func histogramParts(hist []float64, n int) []float32 {
	out := make([]float32, n+1)
	frac := 1 / float32(len(hist)-1)
	prev, next := float32(0), float32(0)
	i := 0
	for k := range n + 1 {
		count := 0
		for i < len(hist) && hist[i] <= float64(k) {
			count++
			i++
		}
		if count == 0 {
			if prev > 0 {
				out[k] = frac / prev
			}
			continue
		}
		next = 0
		if i < len(hist) {
			next = float32(hist[i]) - float32(hist[i-1])
		}
		val := float32(count - 1)
		if next > 0 {
			val += 0.5 / next
		}
		if prev > 0 {
			val += 0.5 / prev
		}
		out[k] = frac * val
		prev = next
	}
	return out
}

// distribution is the chance that exactly k of the events p happen, for k from 0
// to m; rest adds rare events as a Poisson distribution (calc_distr,
// array_selfuncs.c).
func distribution(p []float32, m int, rest float32) []float32 {
	row, prev := make([]float32, m+1), make([]float32, m+1)
	row[0] = 1
	for i := 1; i <= len(p); i++ {
		t := p[i-1]
		row, prev = prev, row
		for j := 0; j <= i && j <= m; j++ {
			val := float32(0)
			if j < i {
				val += float32(prev[j] * (1 - t))
			}
			if j > 0 {
				val += float32(prev[j-1] * t)
			}
			row[j] = val
		}
	}
	if float64(rest) > defaultContain {
		row, prev = prev, row
		clear(row)
		t := float32(math.Exp(float64(-rest)))
		for i := range m + 1 {
			for j := 0; j <= m-i; j++ {
				row[j+i] += float32(prev[j] * t)
			}
			t *= rest / float32(i+1)
		}
	}
	return row
}
