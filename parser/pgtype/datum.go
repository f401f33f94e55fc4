package pgtype

import (
	"math"
)

// Datum is a value of a type. It is immutable; the zero Datum is NULL. Datums
// are compared with [Equal], not with ==.
type Datum struct {
	d *Desc
	// n holds the integer kinds, bool, the ordinal of an enum label, days of a
	// date, microseconds of times and intervals, and the bits of a float.
	n int64
	// m holds a timetz's zone in seconds west of UTC, and an interval's days.
	m int32
	// months is an interval's.
	months int32
	// s holds text, bytes, JSON, the label of an enum, and opaque text.
	s string
	x any // *Numeric, *array, *span (a range), *inet
}

// array is the value of an array: its dimensions and its elements in row-major
// order.
type array struct {
	dims  []Dim
	elems []Datum
}

// Dim is one dimension of an array.
type Dim struct {
	Len   int
	Lower int // the first subscript
}

// Infinite timestamps and dates (DT_NOBEGIN, DT_NOEND, datatype/timestamp.h;
// DATEVAL_NOBEGIN, DATEVAL_NOEND, utils/date.h).
const (
	TimestampNegInfinity int64 = math.MinInt64
	TimestampInfinity    int64 = math.MaxInt64
	DateNegInfinity      int64 = math.MinInt32
	DateInfinity         int64 = math.MaxInt32
)

// IsNull reports whether the value is NULL.
func (v Datum) IsNull() bool { return v.d == nil }

// Desc returns the type, nil for NULL.
func (v Datum) Desc() *Desc { return v.d }

// OID returns the type's OID, 0 for NULL.
func (v Datum) OID() OID {
	if v.d == nil {
		return 0
	}
	return v.d.OID
}

// Known reports whether the value is decoded; see [Desc.Known].
func (v Datum) Known() bool { return v.d != nil && v.d.Known() }

// Bool returns a boolean's value.
func (v Datum) Bool() bool { return v.n != 0 }

// Int returns the value of int2, int4, int8 and oid, the ordinal of an enum from
// 0 on, a date's days and a time's or timestamp's microseconds since 2000-01-01
// or midnight.
func (v Datum) Int() int64 { return v.n }

// Float returns the value of float4 and float8, and the nearest of the integer
// kinds and numeric.
func (v Datum) Float() float64 {
	switch v.d.class() {
	case classFloat4, classFloat8:
		return math.Float64frombits(uint64(v.n))
	case classNumeric:
		return v.x.(*Numeric).Float()
	}
	return float64(v.n)
}

// Numeric returns the value of numeric and of the integer kinds as a decimal;
// nil for other kinds.
func (v Datum) Numeric() *Numeric {
	switch v.d.class() {
	case classNumeric:
		return v.x.(*Numeric)
	case classInt, classOID:
		return NumericFromInt(v.n)
	}
	return nil
}

// Text returns the value of the text kinds without quotes, an enum's label, the
// bytes of bytea and uuid, and the text of JSON and of types that are not known.
func (v Datum) Text() string { return v.s }

// Interval returns an interval's fields.
func (v Datum) Interval() (months, days int32, micros int64) { return v.months, v.m, v.n }

// Zone returns a timetz's zone in seconds west of UTC.
func (v Datum) Zone() int32 { return v.m }

// Elements returns the elements of an array, NULLs included, in row-major order;
// nil for other kinds.
func (v Datum) Elements() []Datum {
	if a, ok := v.x.(*array); ok {
		return a.elems
	}
	return nil
}

// Dims returns the dimensions of an array, nil for an empty one.
func (v Datum) Dims() []Dim {
	if a, ok := v.x.(*array); ok {
		return a.dims
	}
	return nil
}

// IsInfinite reports whether a date, timestamp, float or numeric is infinite.
func (v Datum) IsInfinite() bool {
	switch v.d.class() {
	case classDate:
		return v.n == DateInfinity || v.n == DateNegInfinity
	case classTimestamp, classTimestamptz:
		return v.n == TimestampInfinity || v.n == TimestampNegInfinity
	case classFloat4, classFloat8:
		return math.IsInf(v.Float(), 0)
	case classNumeric:
		return v.x.(*Numeric).IsInf()
	case classInterval:
		return v.intervalSign() != 0
	}
	return false
}

// intervalSign is 1 for infinity, -1 for -infinity, which PostgreSQL 17 brought
// (INTERVAL_NOEND, INTERVAL_NOBEGIN, datatype/timestamp.h).
func (v Datum) intervalSign() int {
	switch {
	case v.n == math.MaxInt64 && v.m == math.MaxInt32 && v.months == math.MaxInt32:
		return 1
	case v.n == math.MinInt64 && v.m == math.MinInt32 && v.months == math.MinInt32:
		return -1
	}
	return 0
}

// NewBool returns a boolean.
func NewBool(b bool) Datum {
	v := Datum{d: &descBool}
	if b {
		v.n = 1
	}
	return v
}

// NewInt returns an int2, int4, int8 or oid, as oid says. It does not check the
// range.
func NewInt(oid OID, n int64) Datum { return Datum{d: base(oid), n: n} }

// NewFloat returns a float4 or float8, as oid says.
func NewFloat(oid OID, f float64) Datum {
	if oid == Float4OID {
		f = float64(float32(f))
	}
	return Datum{d: base(oid), n: int64(math.Float64bits(f))}
}

// NewNumeric returns a numeric.
func NewNumeric(n *Numeric) Datum { return Datum{d: &descNumeric, x: n} }

// NewText returns a value of a text kind: text, varchar, bpchar, name, bytea, as
// oid says.
func NewText(oid OID, s string) Datum { return Datum{d: base(oid), s: s} }

// NewDate returns a date, in days since 2000-01-01.
func NewDate(days int64) Datum { return Datum{d: &descDate, n: days} }

// NewTime returns a time, in microseconds since midnight.
func NewTime(micros int64) Datum { return Datum{d: &descTime, n: micros} }

// NewTimetz returns a timetz; zone is in seconds west of UTC.
func NewTimetz(micros int64, zone int32) Datum { return Datum{d: &descTimetz, n: micros, m: zone} }

// NewTimestamp returns a timestamp, in microseconds since 2000-01-01.
func NewTimestamp(micros int64) Datum { return Datum{d: &descTimestamp, n: micros} }

// NewTimestamptz returns a timestamptz, in microseconds since 2000-01-01 UTC.
func NewTimestamptz(micros int64) Datum { return Datum{d: &descTimestamptz, n: micros} }

// NewInterval returns an interval.
func NewInterval(months, days int32, micros int64) Datum {
	return Datum{d: &descInterval, n: micros, m: days, months: months}
}

// NewArray returns a one-dimensional array of the type d, whose Elem describes
// the elements.
func NewArray(d *Desc, elems []Datum) Datum {
	a := &array{elems: elems}
	if len(elems) > 0 {
		a.dims = []Dim{{Len: len(elems), Lower: 1}}
		if d.class() == classVector {
			a.dims[0].Lower = 0
		}
	}
	return Datum{d: d, x: a}
}

// As returns the value as one of another type with the same representation, as a
// RelabelType does: text as varchar, cidr as inet.
func (v Datum) As(d *Desc) Datum {
	if v.d != nil {
		v.d = d
	}
	return v
}
