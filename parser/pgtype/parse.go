package pgtype

import (
	"math"
	"time"
)

// DateOrder says how a date such as 1/2/3 is read.
type DateOrder uint8

// The orders of DateStyle.
const (
	MDY DateOrder = iota
	DMY
	YMD
)

// Env holds what the meaning of an input depends on besides its type. The zero
// Env is PostgreSQL 16 in UTC with DateStyle ISO, MDY and no known time.
type Env struct {
	// Location is TimeZone; nil for UTC.
	Location *time.Location
	// Now is the transaction's time; a zero one makes 'now' and its like fail
	// with [ErrNow].
	Now   time.Time
	Order DateOrder
	// Major is PostgreSQL's major version; 0 for 16.
	Major int
}

func (e Env) location() *time.Location {
	if e.Location == nil {
		return time.UTC
	}
	return e.Location
}

func (e Env) major() int {
	if e.Major == 0 {
		return 16
	}
	return e.Major
}

// Parse reads text as the type's input function does. mod is the typmod the
// value is read with, [NoTypmod] for none. The error is a [*ValueError] with the
// server's SQLSTATE and words, or [ErrNow]. Texts of types that are not known
// (see [Desc.Known]) are taken as they are.
func Parse(d *Desc, text string, mod Typmod, env Env) (Datum, error) {
	v := Datum{d: d}
	var err error
	switch d.class() {
	case classBool:
		var b bool
		if b, err = parseBool(text); b {
			v.n = 1
		}
	case classInt:
		v.n, err = parseInt(intName(d.OID), text, intBits(d.OID), env.major())
	case classOID:
		v.n, err = parseOID(text, env.major())
	case classFloat4:
		var f float64
		f, err = parseFloat("real", text, 32)
		v.n = int64(math.Float64bits(f))
	case classFloat8:
		var f float64
		f, err = parseFloat("double precision", text, 64)
		v.n = int64(math.Float64bits(f))
	case classNumeric:
		var n *Numeric
		if n, err = ParseNumeric(text, env.major()); err == nil {
			n, err = n.applyTypmod(mod)
		}
		v.x = n
	case classText:
		if v.s = text; d.OID == VarcharOID {
			v.s, err = varchar(text, mod)
		}
	case classBpchar:
		v.s, err = bpchar(text, mod)
	case className:
		v.s = clip(text, nameLen)
	case classChar:
		v.s = char(text)
	case classBytea:
		v.s, err = parseBytea(text)
	case classDate, classTime, classTimetz, classTimestamp, classTimestamptz:
		err = v.parseDateTime(text, mod, env)
	case classInterval:
		err = v.parseInterval(text, mod, env)
	case classUUID:
		v.s, err = parseUUID(text)
	case classInet:
		v.x, err = parseInet(text, d.OID == CidrOID)
	case classJSON:
		if _, err = parseJSON(text, false); err == nil {
			v.s = text
		}
	case classJSONB:
		var j *jsonValue
		if j, err = parseJSON(text, true); err == nil {
			v.s, v.x = j.String(), j
		}
	case classEnum:
		err = v.parseEnum(text)
	case classArray:
		v.x, err = parseArray(d, text, mod, env)
	case classVector:
		v.x, err = parseVector(d, text, env)
	case classRange:
		v.x, err = parseRange(d, text, env)
	default:
		v.s = text
	}
	if err != nil {
		return Datum{}, err
	}
	return v, nil
}

func (v *Datum) parseEnum(text string) error {
	for i, l := range v.d.Labels {
		if l == text {
			v.n, v.s = int64(i), l
			return nil
		}
	}
	return valueError(codeSyntax, "invalid input value for enum %s: \"%s\"", v.d.Name, text)
}

func intBits(oid OID) int {
	switch oid {
	case Int2OID:
		return 16
	case Int4OID:
		return 32
	}
	return 64
}

func intName(oid OID) string {
	switch oid {
	case Int2OID:
		return "smallint"
	case Int4OID:
		return "integer"
	}
	return "bigint"
}
