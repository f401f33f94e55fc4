package catalog

import (
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// UnknownType returns the type that stands for a name of which nothing is known,
// nil for none. A name without a schema and one with any are the same type's.
func (c *Catalog) UnknownType(schema, name string) *Type {
	for _, t := range c.unknown {
		if t.Name == name && (t.Schema == schema || t.Schema == "" || schema == "") {
			return t
		}
	}
	return nil
}

// AddUnknownType enters a type, and one of its arrays, that stand for a name as
// it was written (without a schema if schema is ""), and returns it. Its values
// can be read and written; no operator and no function takes them. It is not
// found by [Catalog.TypeByName].
func (c *Catalog) AddUnknownType(schema, name string, decl Place) *Type {
	t := &Type{
		OID: c.NewOID(), Schema: schema, Name: name, Len: -1, Kind: 'b', Category: 'U', Delim: ',', Align: 'i', Storage: 'x',
		BaseTypmod: pgtype.NoTypmod, Unknown: true, Decl: decl,
	}
	array := &Type{
		OID: c.NewOID(), Schema: schema, Name: "_" + name, Len: -1, Kind: 'b', Category: 'A', Delim: ',', Align: 'i', Storage: 'x',
		Element: t.OID, Subscript: "array_subscript_handler", BaseTypmod: pgtype.NoTypmod, Unknown: true, Decl: decl,
	}
	if f := c.Type(pgtype.TextArrayOID); f != nil {
		array.Input, array.Output, array.Receive, array.Send = f.Input, f.Output, f.Receive, f.Send
	}
	t.Array = array.OID
	c.user.types[t.OID], c.user.types[array.OID] = t, array
	c.unknown = append(slices.Clip(c.unknown), t)
	return t
}

// UnknownTypeIn returns the type of which nothing is known that a message names,
// nil for none.
func (c *Catalog) UnknownTypeIn(message string) *Type {
	word := func(b byte) bool {
		return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
	}
	for _, t := range c.unknown {
		name := c.plainTypeName(t)
		for at := 0; ; {
			i := strings.Index(message[at:], name)
			if i < 0 {
				break
			}
			i += at
			at = i + len(name)
			if (i == 0 || !word(message[i-1])) && (at == len(message) || !word(message[at])) {
				return t
			}
		}
	}
	return nil
}

// Unfollowed is a statement of the schema that changes it in a way that is not
// known: an EXECUTE of a text made at run time, a loop, a condition.
type Unfollowed struct {
	Place Place
	// Text is the code that it stands in.
	Text string
}

// AddUnfollowed notes a statement whose effect on the schema is not known.
func (c *Catalog) AddUnfollowed(u Unfollowed) { c.unfollowed = append(slices.Clip(c.unfollowed), u) }

// Unfollowed returns the statements whose effect on the schema is not known, in
// the order of the schema.
func (c *Catalog) Unfollowed() []Unfollowed { return c.unfollowed }
