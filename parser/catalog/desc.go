package catalog

import (
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Desc describes a type for [pgtype.Parse] and the like; nil if there is none. A
// domain is described by what it is over.
func (c *Catalog) Desc(oid pgtype.OID) *pgtype.Desc {
	t := c.Type(c.BaseType(oid))
	if t == nil {
		return nil
	}
	d := &pgtype.Desc{
		OID: t.OID, Name: c.typeLabel(t), Kind: t.Kind, Len: t.Len, ByVal: t.ByVal,
		Delim: t.Delim, Collation: t.Collation, Labels: t.Labels,
	}
	switch {
	case t.IsArray() || t.OID == pgtype.Int2vectorOID || t.OID == pgtype.OidvectorOID:
		d.Elem = c.Desc(t.Element)
	case t.Kind == 'r':
		d.Sub = c.Desc(t.RangeSubtype)
		if d.Sub != nil && t.RangeCollation != 0 {
			// The bounds are ordered by the range's collation.
			d.Sub.Collation = t.RangeCollation
		}
	}
	return d
}

// typeLabel is the name of a type in messages: qualified where the search path
// does not reach it.
func (c *Catalog) typeLabel(t *Type) string {
	if t.Unknown && t.Schema == "" || c.TypeByName("", t.Name) == t {
		return t.Name
	}
	return t.Schema + "." + t.Name
}
