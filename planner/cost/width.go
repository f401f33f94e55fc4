package cost

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

const (
	varHeader = 4 // VARHDRSZ, bytes
	// encodingMaxLength is the longest character of UTF8, in bytes.
	encodingMaxLength = 4
)

// TypeWidth guesses the average width of a type's values in bytes
// (get_typavgwidth, lsyscache.c). The database is taken to be in UTF8.
func TypeWidth(cat *catalog.Catalog, typ pgtype.OID, mod pgtype.Typmod) int {
	if t := cat.Type(typ); t != nil && t.Len > 0 {
		return t.Len
	}
	longest := typeMaximumSize(typ, int(mod))
	switch {
	case longest <= 0:
		return 32
	case typ == pgtype.BpcharOID || longest <= 32:
		return longest
	case longest < 1000:
		return 32 + (longest-32)/2
	}
	return 32 + (1000-32)/2
}

// typeMaximumSize is the size of the longest value that a type modifier allows,
// -1 if it sets none (type_maximum_size, format_type.c).
func typeMaximumSize(typ pgtype.OID, mod int) int {
	if mod < 0 {
		return -1
	}
	switch typ {
	case pgtype.BpcharOID, pgtype.VarcharOID:
		return (mod-varHeader)*encodingMaxLength + varHeader
	case pgtype.NumericOID:
		if mod < varHeader {
			return -1
		}
		// numeric_maximum_size (numeric.c): four decimal digits in two bytes,
		// after a header of eight.
		precision := ((mod - varHeader) >> 16) & 0xffff
		return 8 + (precision+2*(4-1))/4*2
	case pgtype.VarbitOID, pgtype.BitOID:
		return (mod+7)/8 + 2*4
	}
	return -1
}
