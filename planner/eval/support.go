package eval

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// support does what a planner support function does when asked to simplify a
// call (SupportRequestSimplify): a length coercion that cannot change the value
// becomes a RelabelType. nil leaves the call.
func (f *folder) support(fn *catalog.Func, result query.Header, args []query.Expr) query.Expr {
	switch fn.Support {
	case "varchar_support", "varbit_support", "numeric_support", "timestamp_support", "time_support", "interval_support":
	case "elem_contained_by_range_support", "range_contains_elem_support":
		// Since 17 these turn into comparisons with the range's bounds.
		for _, a := range args {
			if _, ok := a.(*query.Const); ok && f.g.Version(17) {
				f.g.Approximate("a range containment is not turned into comparisons")
			}
		}
		return nil
	default:
		return nil
	}
	if len(args) < 2 {
		return nil
	}
	c, ok := args[1].(*query.Const)
	if !ok || c.Null {
		return nil
	}
	v, ok := f.datum(c)
	if !ok {
		return nil
	}
	source := args[0]
	was, now := int32(source.ResultTypmod()), int32(v.Int())
	if !keepsValue(fn.Support, was, now) {
		return nil
	}
	h := query.Header{Typ: source.ResultType(), Mod: pgtype.Typmod(now), Coll: source.ResultCollation()}
	return f.relabel(source, h, query.CoerceExplicitCast)
}

// keepsValue reports whether a value that fits one type modifier is left as it
// is by another: varchar_support (varchar.c), varbit_support (varbit.c),
// numeric_support (numeric.c), TemporalSimplify (datetime.c), interval_support
// (timestamp.c).
func keepsValue(support string, was, now int32) bool {
	switch support {
	case "varchar_support":
		return now < 0 || was >= 0 && was-4 <= now-4
	case "varbit_support":
		return now <= 0 || was > 0 && was <= now
	case "timestamp_support", "time_support":
		return now < 0 || now == 6 || was >= 0 && now >= was
	case "numeric_support":
		if was < 4 || now < 4 {
			return now < 4
		}
		wasPrec, nowPrec := (was-4)>>16&0xffff, (now-4)>>16&0xffff
		return numericScale(now) == numericScale(was) && wasPrec <= nowPrec
	case "interval_support":
		return keepsInterval(was, now)
	}
	return false
}

// numericScale is the scale in a numeric typmod, signed since 15
// (numeric_typmod_scale, numeric.c).
func numericScale(mod int32) int32 { return ((mod-4)&0x7ff ^ 1024) - 1024 }

// keepsInterval compares the least field and, where that is the second, the
// precision (interval_support, timestamp.c).
func keepsInterval(was, now int32) bool {
	if now < 0 {
		return true
	}
	const fullPrecision = 0xffff
	wasLeast, wasPrec := 0, int32(fullPrecision)
	if was >= 0 {
		wasLeast, wasPrec = leastField(was>>16&0x7fff), was&0xffff
	}
	nowPrec := now & 0xffff
	return leastField(now>>16&0x7fff) <= wasLeast && (wasLeast > 0 || nowPrec >= 6 || nowPrec >= wasPrec)
}

// leastField numbers the least significant field that a range mask keeps, from
// 0 for seconds to 5 for years; the full range keeps seconds
// (intervaltypmodleastfield, timestamp.c).
func leastField(fields int32) int {
	for i, bit := range []int32{12, 11, 10, 3, 1, 2} {
		if fields&(1<<bit) != 0 {
			return i
		}
	}
	return 0
}
