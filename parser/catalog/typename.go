package catalog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// TypeName returns a type's name with its modifier
// (format_type_with_typemod, format_type.c): `character varying(32)`,
// `numeric(12,2)`, `timestamp with time zone[]`.
func (c *Catalog) TypeName(oid pgtype.OID, mod pgtype.Typmod) string {
	return c.formatType(oid, mod, true)
}

// BaseTypeName returns a type's name as error messages have it
// (format_type_be, format_type.c).
func (c *Catalog) BaseTypeName(oid pgtype.OID) string {
	return c.formatType(oid, pgtype.NoTypmod, false)
}

// SQLType returns a type's own name in pg_type, quoted where it needs quotes,
// with its schema where the search path does not reach it and [] behind it for
// an array: `int4`, `timestamptz[]`, `order_status`.
func (c *Catalog) SQLType(oid pgtype.OID) string {
	t := c.Type(oid)
	if t == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	brackets := ""
	if e := c.Type(t.Element); t.IsArray() && t.Storage != 'p' && e != nil {
		t, brackets = e, "[]"
	}
	if t.Schema == "pg_catalog" && c.TypeByName("", t.Name) == t {
		// numeric, time and their like are keywords, but no one quotes them.
		return t.Name + brackets
	}
	return c.plainTypeName(t) + brackets
}

func (c *Catalog) plainTypeName(t *Type) string {
	if t.Unknown && t.Schema == "" || c.TypeByName("", t.Name) == t {
		return c.QuoteIdent(t.Name)
	}
	return c.qualify(t.Schema, t.Name)
}

// formatType is format_type_extended (format_type.c). given says that the
// caller knows the modifier, also where it is none.
func (c *Catalog) formatType(oid pgtype.OID, mod pgtype.Typmod, given bool) string {
	if oid == 0 {
		return "-"
	}
	t := c.Type(oid)
	if t == nil {
		return "???"
	}
	brackets := ""
	// oidvector and int2vector are stored plain and are not taken apart.
	if t.IsArray() && t.Storage != 'p' {
		brackets = "[]"
		if t = c.Type(t.Element); t == nil {
			return "???[]"
		}
	}
	name := standardName(t.OID, mod, given)
	if name == "" {
		name = c.plainTypeName(t)
		if given && mod >= 0 {
			name += typmodSuffix(t.OID, mod)
		}
	}
	return name + brackets
}

// standardName is the name that the grammar has for a built-in type, "" if it
// has none.
func standardName(oid pgtype.OID, mod pgtype.Typmod, given bool) string {
	with := func(name string) string {
		if given && mod >= 0 {
			return name + typmodSuffix(oid, mod)
		}
		return name
	}
	// bit and bpchar without a length are not BIT and CHARACTER, which mean a
	// length of one.
	if given && mod < 0 && (oid == pgtype.BitOID || oid == pgtype.BpcharOID) {
		return ""
	}
	zoned := func(name, zone string) string {
		if given && mod >= 0 {
			return name + typmodSuffix(oid, mod)
		}
		return name + zone
	}
	switch oid {
	case pgtype.BitOID:
		return with("bit")
	case pgtype.BoolOID:
		return "boolean"
	case pgtype.BpcharOID:
		return with("character")
	case pgtype.Float4OID:
		return "real"
	case pgtype.Float8OID:
		return "double precision"
	case pgtype.Int2OID:
		return "smallint"
	case pgtype.Int4OID:
		return "integer"
	case pgtype.Int8OID:
		return "bigint"
	case pgtype.NumericOID:
		return with("numeric")
	case pgtype.IntervalOID:
		return with("interval")
	case pgtype.TimeOID:
		return zoned("time", " without time zone")
	case pgtype.TimetzOID:
		return zoned("time", " with time zone")
	case pgtype.TimestampOID:
		return zoned("timestamp", " without time zone")
	case pgtype.TimestamptzOID:
		return zoned("timestamp", " with time zone")
	case pgtype.VarbitOID:
		return with("bit varying")
	case pgtype.VarcharOID:
		return with("character varying")
	case pgtype.JsonOID:
		return "json"
	}
	return ""
}

// typmodSuffix prints a modifier as the type's typmodout does.
func typmodSuffix(oid pgtype.OID, mod pgtype.Typmod) string {
	switch oid {
	case pgtype.NumericOID:
		// numerictypmodout (numeric.c): precision above, an 11-bit signed
		// scale below.
		v := int32(mod) - 4
		if v < 0 {
			return ""
		}
		return fmt.Sprintf("(%d,%d)", v>>16&0xffff, ((v&0x7ff)^1024)-1024)
	case pgtype.VarcharOID, pgtype.BpcharOID:
		if mod < 4 {
			return ""
		}
		return fmt.Sprintf("(%d)", mod-4)
	case pgtype.TimeOID, pgtype.TimestampOID:
		return fmt.Sprintf("(%d) without time zone", mod)
	case pgtype.TimetzOID, pgtype.TimestamptzOID:
		return fmt.Sprintf("(%d) with time zone", mod)
	case pgtype.IntervalOID:
		return intervalSuffix(mod)
	}
	return fmt.Sprintf("(%d)", mod)
}

// Bits of an interval's modifier (INTERVAL_MASK, utils/timestamp.h and
// utils/datetime.h).
const (
	maskMonth  = 1 << 1
	maskYear   = 1 << 2
	maskDay    = 1 << 3
	maskHour   = 1 << 10
	maskMinute = 1 << 11
	maskSecond = 1 << 12

	intervalFullRange     = 0x7fff
	intervalFullPrecision = 0xffff
)

// intervalSuffix is intervaltypmodout (timestamp.c).
func intervalSuffix(mod pgtype.Typmod) string {
	fields, precision := int32(mod)>>16&0x7fff, int32(mod)&0xffff
	var b strings.Builder
	switch fields {
	case maskYear:
		b.WriteString(" year")
	case maskMonth:
		b.WriteString(" month")
	case maskDay:
		b.WriteString(" day")
	case maskHour:
		b.WriteString(" hour")
	case maskMinute:
		b.WriteString(" minute")
	case maskSecond:
		b.WriteString(" second")
	case maskYear | maskMonth:
		b.WriteString(" year to month")
	case maskDay | maskHour:
		b.WriteString(" day to hour")
	case maskDay | maskHour | maskMinute:
		b.WriteString(" day to minute")
	case maskDay | maskHour | maskMinute | maskSecond:
		b.WriteString(" day to second")
	case maskHour | maskMinute:
		b.WriteString(" hour to minute")
	case maskHour | maskMinute | maskSecond:
		b.WriteString(" hour to second")
	case maskMinute | maskSecond:
		b.WriteString(" minute to second")
	}
	if precision != intervalFullPrecision {
		fmt.Fprintf(&b, "(%d)", precision)
	}
	return b.String()
}
