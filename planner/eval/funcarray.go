package eval

import (
	"github.com/dbgen/dbgen/parser/pgtype"
)

// flat reports whether an array has one dimension that starts at 1, or is empty.
func flat(v pgtype.Datum) bool {
	d := v.Dims()
	return len(d) == 0 || len(d) == 1 && d[0].Lower == 1
}

func (c *call) array(elems []pgtype.Datum, like pgtype.Datum) (pgtype.Datum, bool) {
	d := like.Desc()
	if d == nil {
		d = DescOf(c.f.cat, c.result.Typ)
	}
	if d == nil || d.Elem == nil {
		return none()
	}
	return pgtype.NewArray(d, elems), true
}

func arrayFunctions() map[string]impl {
	contains := func(outer, inner int) impl {
		return func(c *call) (pgtype.Datum, bool) {
			for _, x := range c.args[inner].Elements() {
				hit, ok := among(x, c.args[outer].Elements())
				if !ok {
					return none()
				}
				if !hit {
					return pgtype.NewBool(false), true
				}
			}
			return pgtype.NewBool(true), true
		}
	}
	return map[string]impl{
		"arraycontains":  contains(0, 1),
		"arraycontained": contains(1, 0),
		"arrayoverlap": func(c *call) (pgtype.Datum, bool) {
			for _, x := range c.args[0].Elements() {
				hit, ok := among(x, c.args[1].Elements())
				if !ok {
					return none()
				}
				if hit {
					return pgtype.NewBool(true), true
				}
			}
			return pgtype.NewBool(false), true
		},
		"array_append": func(c *call) (pgtype.Datum, bool) {
			if !flat(c.args[0]) {
				return none()
			}
			return c.array(append(append([]pgtype.Datum(nil), c.args[0].Elements()...), c.args[1]), c.args[0])
		},
		"array_prepend": func(c *call) (pgtype.Datum, bool) {
			if !flat(c.args[1]) {
				return none()
			}
			return c.array(append([]pgtype.Datum{c.args[0]}, c.args[1].Elements()...), c.args[1])
		},
		"array_cat": func(c *call) (pgtype.Datum, bool) {
			a, b := c.args[0], c.args[1]
			switch {
			case a.IsNull():
				return b, true
			case b.IsNull():
				return a, true
			case !flat(a) || !flat(b):
				return none()
			}
			return c.array(append(append([]pgtype.Datum(nil), a.Elements()...), b.Elements()...), a)
		},
		"array_cardinality": func(c *call) (pgtype.Datum, bool) { return int4(len(c.args[0].Elements())) },
		"array_length": func(c *call) (pgtype.Datum, bool) {
			d, n := c.args[0].Dims(), c.arg(1)
			if n < 1 || n > len(d) {
				return pgtype.Datum{}, true
			}
			return int4(d[n-1].Len)
		},
	}
}

// among looks for a value that is not NULL among others.
func among(x pgtype.Datum, list []pgtype.Datum) (hit, ok bool) {
	if x.IsNull() {
		return false, true
	}
	for _, y := range list {
		if y.IsNull() {
			continue
		}
		eq, known := pgtype.Equal(x, y)
		if !known {
			return false, false
		}
		if eq {
			return true, true
		}
	}
	return false, true
}
