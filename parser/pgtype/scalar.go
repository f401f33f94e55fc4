package pgtype

import (
	"math"
)

// Scalar maps a value and the bounds of the histogram bin around it to numbers
// whose differences tell where in the bin the value lies (convert_to_scalar,
// selfuncs.c). ok is false for types that the server does not map either, for
// NULLs, and for values that are not known. Value and bounds may be of different
// types of one kind: numbers, strings, times.
func Scalar(value, lo, hi Datum) (v, l, h float64, ok bool) {
	if value.IsNull() || lo.IsNull() || hi.IsNull() {
		return 0, 0, 0, false
	}
	if s, ok := scalarText(value); ok {
		a, okLo := scalarText(lo)
		b, okHi := scalarText(hi)
		if !okLo || !okHi {
			return 0, 0, 0, false
		}
		v, l, h = stringScalars(s, a, b)
		return v, l, h, true
	}
	if value.d.class() == classBytea {
		if lo.d.class() != classBytea || hi.d.class() != classBytea {
			return 0, 0, 0, false
		}
		v, l, h = byteaScalars(value.s, lo.s, hi.s)
		return v, l, h, true
	}
	kind, v := scalarKind(value)
	kindLo, l := scalarKind(lo)
	kindHi, h := scalarKind(hi)
	return v, l, h, kind != 0 && kind == kindLo && kind == kindHi
}

// scalarText returns the text of the string kinds.
func scalarText(v Datum) (string, bool) {
	switch v.d.class() {
	case classText, classBpchar, className, classChar:
		return v.s, true
	}
	return "", false
}

// scalarKind returns the number of a value and which kind it is of: n numbers
// (convert_numeric_to_scalar), t times (convert_timevalue_to_scalar), i
// addresses (convert_network_to_scalar; network.c); 0 for none.
func scalarKind(v Datum) (byte, float64) {
	switch v.d.class() {
	case classBool, classInt, classOID, classFloat4, classFloat8, classNumeric:
		return 'n', v.Float()
	case classTimestamp, classTimestamptz:
		return 't', float64(v.n)
	case classDate:
		return 't', dateMicros(v.n)
	case classTime:
		return 't', float64(v.n)
	case classTimetz:
		return 't', float64(v.n) + float64(v.m)*1000000
	case classInterval:
		// A month is a twelfth of 365.25 days.
		month := 365.25 / 12 * float64(usecDay)
		days := float64(v.n) + float64(float64(v.m)*float64(usecDay))
		return 't', days + float64(float64(v.months)*month)
	case classInet:
		return 'i', v.x.(*inet).scalar()
	}
	return 0, 0
}

// dateMicros returns a date in microseconds, without overflow
// (date2timestamp_no_overflow, date.c).
func dateMicros(days int64) float64 {
	switch days {
	case DateNegInfinity:
		return -math.MaxFloat64
	case DateInfinity:
		return math.MaxFloat64
	}
	return float64(days) * float64(usecDay)
}

// scalar takes the family and the first bytes of an address as the digits of a
// number: four of IPv4, five of IPv6 (convert_network_to_scalar, network.c).
func (n *inet) scalar() float64 {
	family, size := 2.0, 4
	if n.addr.Is6() {
		family, size = 3, 5
	}
	for _, b := range n.addr.AsSlice()[:size] {
		family *= 256
		family += float64(b)
	}
	return family
}

// stringScalars takes what follows the bounds' common beginning as the fraction
// of a number whose base is the range of characters that occur
// (convert_string_to_scalar, selfuncs.c).
func stringScalars(value, lo, hi string) (v, l, h float64) {
	first, last := int(firstByte(hi)), int(firstByte(hi))
	first, last = widen(lo, first, last)
	first, last = widen(hi, first, last)
	first, last = usual(first, last)
	for lo != "" && hi != "" && value != "" && lo[0] == hi[0] && lo[0] == value[0] {
		lo, hi, value = lo[1:], hi[1:], value[1:]
	}
	return oneString(value, first, last), oneString(lo, first, last), oneString(hi, first, last)
}

// firstByte returns the first byte, 0 of an empty string.
func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func widen(s string, first, last int) (int, int) {
	for i := range len(s) {
		first, last = min(first, int(s[i])), max(last, int(s[i]))
	}
	return first, last
}

// usual widens the range to whole alphabets and digits that it touches; a narrow
// range becomes printable ASCII.
func usual(first, last int) (int, int) {
	for _, set := range [][2]int{{'A', 'Z'}, {'a', 'z'}, {'0', '9'}} {
		if first <= set[1] && last >= set[0] {
			first, last = min(first, set[0]), max(last, set[1])
		}
	}
	if last-first < 9 {
		return ' ', 127
	}
	return first, last
}

// oneString returns the fraction that a string is (convert_one_string_to_scalar,
// selfuncs.c). Twelve characters are beyond a float's precision.
func oneString(s string, first, last int) float64 {
	if s == "" {
		return 0
	}
	base := float64(last - first + 1)
	denom, num := base, 0.0
	for i := range min(len(s), 12) {
		ch := int(s[i])
		if ch < first {
			ch = first - 1
		} else if ch > last {
			ch = last + 1
		}
		num += float64(ch-first) / denom
		denom *= base
	}
	return num
}

// byteaScalars is stringScalars for all 256 bytes (convert_bytea_to_scalar,
// selfuncs.c).
func byteaScalars(value, lo, hi string) (v, l, h float64) {
	for lo != "" && hi != "" && value != "" && lo[0] == hi[0] && lo[0] == value[0] {
		lo, hi, value = lo[1:], hi[1:], value[1:]
	}
	one := func(s string) float64 {
		denom, num := 256.0, 0.0
		for i := range min(len(s), 10) {
			num += float64(s[i]) / denom
			denom *= 256
		}
		return num
	}
	return one(value), one(lo), one(hi)
}
