package pgtype

import (
	"encoding/hex"
	"strconv"
	"time"
)

// String prints the value as the type's output function does with DateStyle ISO,
// IntervalStyle postgres, extra_float_digits 1 and bytea_output hex; a timestamptz
// in UTC. NULL is "NULL".
func (v Datum) String() string { return v.Format(nil) }

// Format is [Datum.String] with timestamptz printed in a time zone; nil is UTC.
func (v Datum) Format(loc *time.Location) string {
	if v.d == nil {
		return "NULL"
	}
	if loc == nil {
		loc = time.UTC
	}
	switch v.d.class() {
	case classBool:
		if v.n != 0 {
			return "t"
		}
		return "f"
	case classInt, classOID:
		return strconv.FormatInt(v.n, 10)
	case classFloat4:
		return formatFloat(v.Float(), 32)
	case classFloat8:
		return formatFloat(v.Float(), 64)
	case classNumeric:
		return v.x.(*Numeric).String()
	case classChar:
		return printChar(v.s)
	case classBytea:
		return `\x` + hex.EncodeToString([]byte(v.s))
	case classDate:
		return formatDate(v.n)
	case classTime:
		return formatTime(v.n)
	case classTimetz:
		return formatTime(v.n) + formatZone(int(-v.m))
	case classTimestamp:
		return formatTimestamp(v.n)
	case classTimestamptz:
		return formatTimestamptz(v.n, loc)
	case classInterval:
		return v.formatInterval()
	case classUUID:
		return printUUID(v.s)
	case classInet:
		return v.x.(*inet).String()
	case classArray:
		return v.formatArray(loc)
	case classVector:
		return v.formatVector(loc)
	case classRange:
		return v.formatRange(loc)
	}
	return v.s
}
