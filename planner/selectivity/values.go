package selectivity

import (
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// hasMCV reports whether the statistics have a list of most common values.
func (v *VarData) hasMCV() bool { return v.Stats != nil && len(v.Stats.MCF) > 0 }

// freqs are the frequencies of the most common values.
func (v *VarData) freqs() []float64 {
	if v.Stats == nil {
		return nil
	}
	return v.Stats.MCF
}

// mcvs decodes the most common values. ok is false, and the plan approximate,
// where the file has frequencies without values or the type is not known.
func (v *VarData) mcvs() (values []pgtype.Datum, ok bool) {
	if v.Stats == nil || len(v.Stats.MCF) == 0 {
		return nil, true
	}
	if v.mcv == nil {
		list := v.decode(v.Stats.MCV)
		v.mcv = &list
	}
	if len(*v.mcv) != len(v.Stats.MCF) {
		v.root.Global.Approximate("most common values of a column are not known")
		return nil, false
	}
	return *v.mcv, true
}

// histogram decodes the bounds of the histogram; nil where there is none.
func (v *VarData) histogram() (values []pgtype.Datum, ok bool) {
	if v.Stats == nil {
		return nil, true
	}
	if len(v.Stats.Histogram) == 0 {
		if v.noValues {
			v.root.Global.Approximate("the statistics file has no values")
			return nil, false
		}
		return nil, true
	}
	if v.hist == nil {
		list := v.decode(v.Stats.Histogram)
		v.hist = &list
	}
	if len(*v.hist) != len(v.Stats.Histogram) {
		v.root.Global.Approximate("a histogram's values are not known")
		return nil, false
	}
	return *v.hist, true
}

// decode reads values in the type's text form; nil where one cannot be read.
func (v *VarData) decode(texts []string) []pgtype.Datum {
	return decodeAs(v, v.Type, texts)
}

func decodeAs(v *VarData, typ pgtype.OID, texts []string) []pgtype.Datum {
	p := eval.NewParser(v.root.Global, typ)
	if p == nil {
		return nil
	}
	out := make([]pgtype.Datum, 0, len(texts))
	for _, t := range texts {
		d, ok := p.Parse(t)
		if !ok {
			return nil
		}
		out = append(out, d)
	}
	return out
}

// predicate is a boolean function of two values, as statistics are searched
// with. A value that cannot be told is not ok.
type predicate func(a, b pgtype.Datum) (result, ok bool)

// predicate prepares a function for evaluation; nil, and the plan approximate,
// where it is not listed.
func (v *VarData) predicate(fn, coll pgtype.OID) predicate {
	if v.pred != nil && v.predOf == [2]pgtype.OID{fn, coll} {
		return v.pred
	}
	p := eval.NewPredicate(v.root.Global, fn, coll)
	if p == nil {
		name := "an operator"
		if f := v.catalog().Func(fn); f != nil {
			name = f.Name
		}
		v.root.Global.Approximate(name + " is not evaluated over statistics")
		return nil
	}
	v.predOf = [2]pgtype.OID{fn, coll}
	v.pred = func(a, b pgtype.Datum) (bool, bool) {
		r, ok := p(a, b)
		if !ok {
			v.root.Global.Approximate("values of a column's statistics cannot be compared")
		}
		return r, ok
	}
	return v.pred
}

// constant decodes the constant of a clause.
func (v *VarData) constant(k *query.Const) (pgtype.Datum, bool) {
	d, ok := eval.Value(v.root.Global, k)
	if !ok {
		v.root.Global.Approximate("the value of a constant is not known")
	}
	return d, ok
}

func opFunc(v *VarData, op pgtype.OID) pgtype.OID {
	if o := v.catalog().Operator(op); o != nil {
		return o.Func
	}
	return 0
}

// sides calls p with the column's value on the side where the clause has it.
func (p predicate) sides(value, constant pgtype.Datum, onLeft bool) (bool, bool) {
	if onLeft {
		return p(value, constant)
	}
	return p(constant, value)
}
