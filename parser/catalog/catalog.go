// Package catalog says what pg_catalog would say: the types, functions,
// operators, casts and relations that a query can name, keyed by OID.
//
// A [Catalog] is a layer of user objects over the built-in objects of one major
// version ([Builtins], loaded by parser/catalog/builtin and shared). Names are
// resolved along a search path as the server does. It holds facts only: reading
// DDL is parser/ddl's work, resolving overloads parser/analyze's. Views,
// defaults, CHECKs, index expressions and predicates are kept as analysed trees.
//
// A Catalog is built by one goroutine and may then be read by many.
//
// The package imports parser/pgtype and parser/query.
package catalog

import (
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Catalog is the state of a database's schema.
type Catalog struct {
	// Major is PostgreSQL's major version, 15 to 18.
	Major int
	// SearchPath lists the schemas that unqualified names are looked up in,
	// without the implicit pg_catalog in front.
	SearchPath []string
	// SkipBodies is the session's check_function_bodies turned off: bodies of
	// functions are taken as they are when they are created.
	SkipBodies bool
	// TimeZone and other settings that change what a constant means are the
	// planner's inputs, not the catalog's.

	base *Builtins
	user objects

	nextOID pgtype.OID

	// extensions are those created, in order; available finds captured ones
	// beside those of PostgreSQL itself.
	extensions []*Extension
	locales    *locales
	// unfollowed are the statements whose effect is not known.
	unfollowed []Unfollowed
	// unknown are the types that stand for names of which nothing is known.
	unknown   []*Type
	available func(name string) *AvailableExtension
}

// New returns an empty database over the given built-in objects, with the
// schema public and the search path that a new database has.
func New(base *Builtins) *Catalog {
	c := &Catalog{
		Major:      base.Major,
		SearchPath: []string{"public"},
		base:       base,
		user:       newObjects(),
		nextOID:    pgtype.FirstNormalOID,
		locales:    newLocales(),
	}
	c.AddSchema(&Schema{OID: PublicSchemaOID, Name: "public"})
	return c
}

// OIDs of schemas that are pinned.
const (
	PgCatalogSchemaOID pgtype.OID = 11
	PublicSchemaOID    pgtype.OID = 2200
)

// TempSchema is the schema of temporary relations, which a name is looked up in
// before the search path.
const TempSchema = "pg_temp"

// NewOID hands out the next OID for a user object. The first is
// [pgtype.FirstNormalOID]; they ascend in the order of creation, as they do on
// a server.
func (c *Catalog) NewOID() pgtype.OID {
	oid := c.nextOID
	c.nextOID++
	return oid
}

// Builtins returns the layer of built-in objects.
func (c *Catalog) Builtins() *Builtins { return c.base }
