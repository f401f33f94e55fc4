package pgtype

// Desc describes a type as far as its values need: no catalog is asked. A domain
// is described by its base type.
type Desc struct {
	OID  OID
	Name string // as messages write it
	// Kind is pg_type.typtype: b base, e enum, r range, c composite, m
	// multirange, p pseudo.
	Kind byte
	// Len is typlen, ByVal typbyval.
	Len   int
	ByVal bool
	// Elem is the element type of an array (or of int2vector and oidvector), nil
	// for others.
	Elem *Desc
	// Sub is the type of a range's bounds.
	Sub *Desc
	// Labels are an enum's, in order.
	Labels []string
	// Delim separates the elements of an array of this type.
	Delim byte
	// Collation is the type's own.
	Collation OID
}

// class is how values of a type are kept and handled.
type class uint8

const (
	classOpaque class = iota
	classBool
	classInt // int2, int4, int8
	classOID
	classFloat4
	classFloat8
	classNumeric
	classText // text, varchar
	classBpchar
	className
	classChar // "char"
	classBytea
	classDate
	classTime
	classTimetz
	classTimestamp
	classTimestamptz
	classInterval
	classUUID
	classInet // inet, cidr
	classJSON
	classJSONB
	classEnum
	classArray
	classVector // int2vector, oidvector
	classRange
)

func (d *Desc) class() class {
	if d == nil {
		return classOpaque
	}
	switch d.Kind {
	case 'e':
		return classEnum
	case 'r':
		if d.Sub != nil {
			return classRange
		}
		return classOpaque
	}
	switch d.OID {
	case BoolOID:
		return classBool
	case Int2OID, Int4OID, Int8OID:
		return classInt
	case OidOID:
		return classOID
	case Float4OID:
		return classFloat4
	case Float8OID:
		return classFloat8
	case NumericOID:
		return classNumeric
	case TextOID, VarcharOID:
		return classText
	case BpcharOID:
		return classBpchar
	case NameOID:
		return className
	case CharOID:
		return classChar
	case ByteaOID:
		return classBytea
	case DateOID:
		return classDate
	case TimeOID:
		return classTime
	case TimetzOID:
		return classTimetz
	case TimestampOID:
		return classTimestamp
	case TimestamptzOID:
		return classTimestamptz
	case IntervalOID:
		return classInterval
	case UuidOID:
		return classUUID
	case InetOID, CidrOID:
		return classInet
	case JsonOID:
		return classJSON
	case JsonbOID:
		return classJSONB
	case Int2vectorOID, OidvectorOID:
		if d.Elem != nil {
			return classVector
		}
		return classOpaque
	}
	if d.Elem != nil {
		return classArray
	}
	return classOpaque
}

// Known reports whether values of the type are decoded: printed in their normal
// form, compared and scaled. Values of other types are kept as text.
func (d *Desc) Known() bool {
	switch c := d.class(); c {
	case classOpaque:
		return false
	case classArray, classVector:
		return d.Elem.Known()
	case classRange:
		return d.Sub.Known()
	}
	return true
}

// base describes the types of pg_catalog that constructors make.
func base(oid OID) *Desc {
	switch oid {
	case BoolOID:
		return &descBool
	case Int2OID:
		return &descInt2
	case Int4OID:
		return &descInt4
	case Int8OID:
		return &descInt8
	case OidOID:
		return &descOid
	case Float4OID:
		return &descFloat4
	case Float8OID:
		return &descFloat8
	case NumericOID:
		return &descNumeric
	case TextOID:
		return &descText
	case VarcharOID:
		return &descVarchar
	case BpcharOID:
		return &descBpchar
	case NameOID:
		return &descName
	case CharOID:
		return &descChar
	case ByteaOID:
		return &descBytea
	case DateOID:
		return &descDate
	case TimeOID:
		return &descTime
	case TimetzOID:
		return &descTimetz
	case TimestampOID:
		return &descTimestamp
	case TimestamptzOID:
		return &descTimestamptz
	case IntervalOID:
		return &descInterval
	case UuidOID:
		return &descUUID
	case InetOID:
		return &descInet
	case CidrOID:
		return &descCidr
	case JsonOID:
		return &descJSON
	case JsonbOID:
		return &descJSONB
	}
	return &Desc{OID: oid, Kind: 'b', Len: -1, Delim: ','}
}

// The types that values can be made of without a catalog; never changed.
var (
	descBool        = Desc{OID: BoolOID, Name: "boolean", Kind: 'b', Len: 1, ByVal: true, Delim: ','}
	descInt2        = Desc{OID: Int2OID, Name: "smallint", Kind: 'b', Len: 2, ByVal: true, Delim: ','}
	descInt4        = Desc{OID: Int4OID, Name: "integer", Kind: 'b', Len: 4, ByVal: true, Delim: ','}
	descInt8        = Desc{OID: Int8OID, Name: "bigint", Kind: 'b', Len: 8, ByVal: true, Delim: ','}
	descOid         = Desc{OID: OidOID, Name: "oid", Kind: 'b', Len: 4, ByVal: true, Delim: ','}
	descFloat4      = Desc{OID: Float4OID, Name: "real", Kind: 'b', Len: 4, ByVal: true, Delim: ','}
	descFloat8      = Desc{OID: Float8OID, Name: "double precision", Kind: 'b', Len: 8, ByVal: true, Delim: ','}
	descNumeric     = Desc{OID: NumericOID, Name: "numeric", Kind: 'b', Len: -1, Delim: ','}
	descText        = Desc{OID: TextOID, Name: "text", Kind: 'b', Len: -1, Delim: ',', Collation: DefaultCollation}
	descVarchar     = Desc{OID: VarcharOID, Name: "character varying", Kind: 'b', Len: -1, Delim: ',', Collation: DefaultCollation}
	descBpchar      = Desc{OID: BpcharOID, Name: "character", Kind: 'b', Len: -1, Delim: ',', Collation: DefaultCollation}
	descName        = Desc{OID: NameOID, Name: "name", Kind: 'b', Len: 64, Delim: ',', Collation: CCollation}
	descChar        = Desc{OID: CharOID, Name: "\"char\"", Kind: 'b', Len: 1, ByVal: true, Delim: ','}
	descBytea       = Desc{OID: ByteaOID, Name: "bytea", Kind: 'b', Len: -1, Delim: ','}
	descDate        = Desc{OID: DateOID, Name: "date", Kind: 'b', Len: 4, ByVal: true, Delim: ','}
	descTime        = Desc{OID: TimeOID, Name: "time without time zone", Kind: 'b', Len: 8, ByVal: true, Delim: ','}
	descTimetz      = Desc{OID: TimetzOID, Name: "time with time zone", Kind: 'b', Len: 12, Delim: ','}
	descTimestamp   = Desc{OID: TimestampOID, Name: "timestamp without time zone", Kind: 'b', Len: 8, ByVal: true, Delim: ','}
	descTimestamptz = Desc{OID: TimestamptzOID, Name: "timestamp with time zone", Kind: 'b', Len: 8, ByVal: true, Delim: ','}
	descInterval    = Desc{OID: IntervalOID, Name: "interval", Kind: 'b', Len: 16, Delim: ','}
	descUUID        = Desc{OID: UuidOID, Name: "uuid", Kind: 'b', Len: 16, Delim: ','}
	descInet        = Desc{OID: InetOID, Name: "inet", Kind: 'b', Len: -1, Delim: ','}
	descCidr        = Desc{OID: CidrOID, Name: "cidr", Kind: 'b', Len: -1, Delim: ','}
	descJSON        = Desc{OID: JsonOID, Name: "json", Kind: 'b', Len: -1, Delim: ','}
	descJSONB       = Desc{OID: JsonbOID, Name: "jsonb", Kind: 'b', Len: -1, Delim: ','}
)
