package eval

import (
	"maps"
	"slices"
	"sync"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// impl computes a call; ok is false where the result is not known, or the
// server would raise an error.
type impl func(*call) (v pgtype.Datum, ok bool)

// listed are the functions that are evaluated, by pg_proc.prosrc. What is not
// here and not a comparison stays a call.
var listed = sync.OnceValue(func() map[string]impl {
	table := map[string]impl{}
	for _, part := range []map[string]impl{
		integerFunctions(), floatFunctions(), numericFunctions(), castFunctions(), textFunctions(), patternFunctions(),
		dateFunctions(), intervalFunctions(), nowFunctions(), arrayFunctions(), jsonFunctions(),
	} {
		maps.Copy(table, part)
	}
	return table
})

// Listed returns the names (pg_proc.prosrc) of the functions that are evaluated
// at plan time besides comparisons, sorted.
func Listed() []string { return slices.Sorted(maps.Keys(listed())) }

// implementation finds how a function is evaluated; nil where it is not.
func (f *folder) implementation(fn *catalog.Func) impl {
	if im := listed()[fn.Source]; im != nil {
		return im
	}
	if len(fn.Args) != 2 || fn.Result != pgtype.BoolOID {
		return nil
	}
	return f.comparison(fn.OID)
}

// comparison tells by its operator what a comparison function does.
func (f *folder) comparison(oid pgtype.OID) impl {
	is := func(name string) bool {
		for _, o := range f.cat.OperatorsByName("pg_catalog", name) {
			if o.Func == oid {
				return true
			}
		}
		return false
	}
	switch {
	case is("="):
		return equality(false)
	case is("<>"):
		return equality(true)
	case is("<"):
		return ordering(func(n int) bool { return n < 0 }, false)
	case is("<="):
		return ordering(func(n int) bool { return n <= 0 }, false)
	case is(">"):
		return ordering(func(n int) bool { return n > 0 }, false)
	case is(">="):
		return ordering(func(n int) bool { return n >= 0 }, false)
	case is("~<~"):
		return ordering(func(n int) bool { return n < 0 }, true)
	case is("~<=~"):
		return ordering(func(n int) bool { return n <= 0 }, true)
	case is("~>~"):
		return ordering(func(n int) bool { return n > 0 }, true)
	case is("~>=~"):
		return ordering(func(n int) bool { return n >= 0 }, true)
	}
	return nil
}

// equality is = or, negated, <>.
func equality(negate bool) impl {
	return func(c *call) (pgtype.Datum, bool) {
		if !deterministic(c.f.g, c.input) {
			return pgtype.Datum{}, false
		}
		a, b := c.sameTime()
		eq, ok := pgtype.Equal(a, b)
		return pgtype.NewBool(eq != negate), ok
	}
}

// ordering is a comparison; bytes ignores the collation.
func ordering(test func(int) bool, bytes bool) impl {
	return func(c *call) (pgtype.Datum, bool) {
		coll := pgtype.CCollation
		if !bytes {
			coll = collation(c.f.g, c.input)
		}
		a, b := c.sameTime()
		n, ok := pgtype.Compare(a, b, coll)
		if !ok && c.loose && coll == unordered {
			n, ok = pgtype.Compare(a, b, pgtype.CCollation)
			c.f.g.Approximate("strings are compared by their bytes, not by their collation")
		}
		return pgtype.NewBool(test(n)), ok
	}
}

// sameTime brings dates and timestamps that are compared with a timestamptz to
// that type.
func (c *call) sameTime() (a, b pgtype.Datum) {
	a, b = c.args[0], c.args[1]
	if a.OID() == b.OID() {
		return a, b
	}
	if a.OID() == pgtype.TimestamptzOID {
		b = c.toTimestamptz(b)
	} else if b.OID() == pgtype.TimestamptzOID {
		a = c.toTimestamptz(a)
	}
	return a, b
}

// compare orders two constants; ok is false where their order is not known.
func (f *folder) compare(a, b *query.Const, coll pgtype.OID) (int, bool) {
	x, ok := f.datum(a)
	y, ok2 := f.datum(b)
	if !ok || !ok2 {
		return 0, false
	}
	return pgtype.Compare(x, y, collation(f.g, coll))
}
