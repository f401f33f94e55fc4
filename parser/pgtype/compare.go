package pgtype

import (
	"cmp"
	"math/big"
	"strings"
)

// Bytewise reports whether a collation orders text by its bytes: C, POSIX,
// ucs_basic, pg_c_utf8 and pg_unicode_fast. The database's default collation is
// taken for one of them; who knows that it is not, passes another.
func Bytewise(coll OID) bool {
	switch coll {
	case 0, DefaultCollation, CCollation, POSIXCollation, 811, 962, 6411:
		return true
	}
	return false
}

// Compare orders two values as the default B-tree class of their type does: less
// than 0, 0, or greater than 0. Integers, floats and numerics compare with each
// other, and so do date and timestamp. ok is false where the order is not known:
// NULLs, types that are not known, and text under a collation that is not
// [Bytewise] (which still are equal if their bytes are).
func Compare(a, b Datum, coll OID) (order int, ok bool) {
	if a.IsNull() || b.IsNull() {
		return 0, false
	}
	ca, cb := a.d.class(), b.d.class()
	if ca != cb {
		return compareMixed(a, b)
	}
	switch ca {
	case classBool, classInt, classOID, classDate, classTime, classTimestamp, classTimestamptz:
		return cmp.Compare(a.n, b.n), true
	case classEnum:
		return cmp.Compare(a.n, b.n), a.d.OID == b.d.OID
	case classFloat4, classFloat8:
		return compareFloat(a.Float(), b.Float()), true
	case classNumeric:
		return a.x.(*Numeric).Cmp(b.x.(*Numeric)), true
	case classText:
		return compareText(a.s, b.s, coll)
	case classBpchar:
		return compareText(strings.TrimRight(a.s, " "), strings.TrimRight(b.s, " "), coll)
	case className, classBytea, classUUID:
		return strings.Compare(a.s, b.s), true
	case classChar:
		return cmp.Compare(charCode(a.s), charCode(b.s)), true
	case classTimetz:
		if c := cmp.Compare(a.n+int64(a.m)*usecSecond, b.n+int64(b.m)*usecSecond); c != 0 {
			return c, true
		}
		return cmp.Compare(a.m, b.m), true
	case classInterval:
		return a.intervalSpan().Cmp(b.intervalSpan()), true
	case classInet:
		return a.x.(*inet).compare(b.x.(*inet)), true
	case classJSONB:
		return compareJSONB(a.x.(*jsonValue), b.x.(*jsonValue))
	case classArray, classVector:
		return compareArray(a, b, coll)
	case classRange:
		return compareRange(a.x.(*span), b.x.(*span), coll)
	}
	return 0, false
}

// Equal reports whether two values are equal by their type's own equality; ok is
// false where that is not known. Text is equal if its bytes are.
func Equal(a, b Datum) (equal, ok bool) {
	c, ok := Compare(a, b, CCollation)
	return c == 0 && ok, ok
}

func charCode(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func compareText(a, b string, coll OID) (int, bool) {
	c := strings.Compare(a, b)
	return c, c == 0 || Bytewise(coll)
}

// compareFloat sorts NaN behind everything else (float8_cmp_internal, float.h).
func compareFloat(a, b float64) int {
	// cmp.Compare sorts NaN first.
	if a != a || b != b {
		return -cmp.Compare(a, b)
	}
	return cmp.Compare(a, b)
}

// compareMixed orders values of two types that an operator family has together.
func compareMixed(a, b Datum) (int, bool) {
	isNum := func(v Datum) bool {
		switch v.d.class() {
		case classInt, classOID, classNumeric, classFloat4, classFloat8:
			return true
		}
		return false
	}
	isFloat := func(v Datum) bool { c := v.d.class(); return c == classFloat4 || c == classFloat8 }
	switch ca, cb := a.d.class(), b.d.class(); {
	case isNum(a) && isNum(b):
		if isFloat(a) || isFloat(b) {
			return compareFloat(a.Float(), b.Float()), true
		}
		return a.Numeric().Cmp(b.Numeric()), true
	case ca == classDate && cb == classTimestamp:
		return cmp.Compare(dateMicros(a.n), float64(b.n)), true
	case ca == classTimestamp && cb == classDate:
		return cmp.Compare(float64(a.n), dateMicros(b.n)), true
	}
	return 0, false
}

// intervalSpan is what intervals are compared by: a month is 30 days, a day 24
// hours (interval_cmp_value, timestamp.c).
func (v Datum) intervalSpan() *big.Int {
	days := big.NewInt(int64(v.months)*30 + int64(v.m))
	days.Mul(days, big.NewInt(usecDay))
	return days.Add(days, big.NewInt(v.n))
}

// compareArray orders arrays by their elements, NULL last, then by how many
// there are, then by their dimensions (array_cmp, arrayfuncs.c).
func compareArray(a, b Datum, coll OID) (int, bool) {
	x, y := a.x.(*array), b.x.(*array)
	for i := range min(len(x.elems), len(y.elems)) {
		p, q := x.elems[i], y.elems[i]
		switch {
		case p.IsNull() && q.IsNull():
			continue
		case p.IsNull():
			return 1, true
		case q.IsNull():
			return -1, true
		}
		if c, ok := Compare(p, q, coll); c != 0 || !ok {
			return c, ok
		}
	}
	if c := cmp.Compare(len(x.elems), len(y.elems)); c != 0 {
		return c, true
	}
	if c := cmp.Compare(len(x.dims), len(y.dims)); c != 0 {
		return c, true
	}
	for i := range x.dims {
		if c := cmp.Compare(x.dims[i].Len, y.dims[i].Len); c != 0 {
			return c, true
		}
	}
	for i := range x.dims {
		if c := cmp.Compare(x.dims[i].Lower, y.dims[i].Lower); c != 0 {
			return c, true
		}
	}
	return 0, true
}

// compareJSONB orders jsonb values. A scalar on its own is kept as an array of
// one, so an empty array comes before it (compareJsonbContainers, jsonb_util.c).
func compareJSONB(a, b *jsonValue) (int, bool) {
	emptyArray := func(x *jsonValue) bool { return x.kind == jsonArray && len(x.list) == 0 }
	switch {
	case emptyArray(a) && b.kind < jsonArray:
		return -1, true
	case emptyArray(b) && a.kind < jsonArray:
		return 1, true
	}
	return a.compare(b)
}

// compare orders by kind, containers by their number of members first.
func (v *jsonValue) compare(b *jsonValue) (int, bool) {
	if v.kind != b.kind {
		return cmp.Compare(v.kind, b.kind), true
	}
	switch v.kind {
	case jsonString:
		return compareText(v.s, b.s, DefaultCollation)
	case jsonNumber:
		return v.n.Cmp(b.n), true
	case jsonBool:
		if v.truthy == b.truthy {
			return 0, true
		}
		if b.truthy {
			return -1, true
		}
		return 1, true
	}
	if c := cmp.Compare(len(v.list), len(b.list)); c != 0 {
		return c, true
	}
	for i := range v.list {
		if v.kind == jsonObject {
			if c := strings.Compare(v.keys[i], b.keys[i]); c != 0 {
				return c, true
			}
		}
		if c, ok := v.list[i].compare(b.list[i]); c != 0 || !ok {
			return c, ok
		}
	}
	return 0, true
}
