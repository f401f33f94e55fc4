// Package pgtype holds type identities and the values of types.
//
// A type is an [OID], its modifier a [Typmod]; a value is a [Datum]. What the
// rules of PostgreSQL name by OID is in oids.go, generated from pg_type; the
// rest of a type's facts live in parser/catalog.
//
// [Parse] reads a value as the type's input function does, [Datum.String] prints
// it as the output function does, [Compare] orders as the B-tree class does and
// [Scalar] maps onto numbers as the selectivity estimators do. Types beyond the
// usual ones are kept as text, which [Desc.Known] tells.
//
// The package imports nothing of dbgen.
package pgtype

// OID identifies a catalog object: a type, and by the same kind of number a
// relation, function, operator, collation, operator family. Zero is no object.
type OID uint32

// Typmod is a type modifier as pg_attribute.atttypmod stores it, with its
// offset of 4 for varchar, bpchar and numeric. -1 is none.
type Typmod int32

// NoTypmod is the typmod of a type without modifier.
const NoTypmod Typmod = -1

// UnknownTypmod is the typmod of a type with a modifier that only its
// extension's function can read: geometry(Point,4326). It equals no other.
const UnknownTypmod Typmod = -2

// Collations that PostgreSQL pins.
const (
	DefaultCollation OID = 100
	CCollation       OID = 950
	POSIXCollation   OID = 951
)

// FirstNormalOID is the first OID that a user's object can have
// (FirstNormalObjectId, access/transam.h).
const FirstNormalOID OID = 16384
