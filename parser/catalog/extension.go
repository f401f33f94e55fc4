package catalog

import (
	"fmt"
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// AvailableExtension is an extension that CREATE EXTENSION can bring, as it was
// captured.
type AvailableExtension struct {
	Name string
	// Version is the captured one, Versions those that the server can install;
	// nil where that is not known.
	Version  string
	Versions []string
	// Schema is the schema that the control file fixes, "" for none.
	Schema      string
	Relocatable bool
	// Requires are the extensions that must be there before.
	Requires []string
	// File names the file that it was captured into, "" for one of PostgreSQL's
	// own.
	File string
	// Load reads the objects with the OIDs that they get from o.
	Load func(o ExtensionOIDs) (*ExtensionObjects, error)
}

// ExtensionOIDs gives OIDs to an extension's objects.
type ExtensionOIDs struct {
	// Schema is the schema that the extension is created in.
	Schema string
	// New hands out an OID for an object of its own.
	New func() pgtype.OID
	// Find returns the OID of an object that the extension names but does not
	// bring; the error says that there is none.
	Find func(ExtensionRef) (pgtype.OID, error)
}

// ExtensionRef is an object that an extension names but does not bring.
type ExtensionRef struct {
	// Class is type, function, operator, opfamily, opclass, collation, relation
	// or method.
	Class string
	// Extension is whose it is, "" for one of the server's, which has a Schema.
	Extension, Schema, Name string
	// Types are a function's arguments, an operator's operands (0 for none), the
	// access method of an operator class or family.
	Types []pgtype.OID
}

// ExtensionObjects are what an extension brings.
type ExtensionObjects struct {
	Objects
	// Texts are the expressions and views that were captured as SQL, in which
	// names are found along the extension's schema and those of what it requires.
	Texts []ExtensionText
}

// ExtensionText is SQL that belongs to an object of an extension. One of the
// pointers is set, Column with its Table.
type ExtensionText struct {
	// Table has the view's definition, or a Column whose default it is.
	Table  *Table
	Column *Column
	// Constraint is a CHECK of Table or of the domain Type.
	Constraint *Constraint
	// Type is a domain; without a Constraint the text is its default.
	Type *Type
	SQL  string
}

// Extension is a row of pg_extension.
type Extension struct {
	OID         pgtype.OID
	Name        string
	Version     string
	Schema      string
	Relocatable bool
	Requires    []string
	// Members are what it brought; those in Tables are the relations at the time
	// of creation, by whose OIDs the present ones are found.
	Members Objects
	// Unknown says that what it brings is not known.
	Unknown bool
	Decl    Place
}

// SetExtensionSource gives the catalog a way to find captured extensions beside
// those that come with the built-in objects; nil for none. What it finds goes
// before those.
func (c *Catalog) SetExtensionSource(find func(name string) *AvailableExtension) { c.available = find }

// AvailableExtension returns the captured extension with the given name, nil if
// there is none.
func (c *Catalog) AvailableExtension(name string) *AvailableExtension {
	if c.available != nil {
		if e := c.available(name); e != nil {
			return e
		}
	}
	if c.base.Extensions != nil {
		return c.base.Extensions(name)
	}
	return nil
}

// ExtensionsBringing returns the names of the extensions that come with
// PostgreSQL and would bring an object of a class (types, functions, operators,
// opclasses) with the given name.
func (c *Catalog) ExtensionsBringing(class, name string) []string {
	if c.base.Bringing == nil {
		return nil
	}
	return c.base.Bringing(class, name)
}

// Extension returns the created extension with the given name, nil if there is
// none. Every database has plpgsql.
func (c *Catalog) Extension(name string) *Extension {
	for _, e := range c.extensions {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// Extensions returns the created extensions in the order of creation.
func (c *Catalog) Extensions() []*Extension { return c.extensions }

// UnknownExtensions returns the names of the created extensions whose objects
// are not known, in the order of creation.
func (c *Catalog) UnknownExtensions() []string {
	var out []string
	for _, e := range c.extensions {
		if e.Unknown {
			out = append(out, e.Name)
		}
	}
	return out
}

// AddExtension enters an extension without objects.
func (c *Catalog) AddExtension(e *Extension) { c.extensions = append(slices.Clip(c.extensions), e) }

// ReadExtension reads the objects of an extension for a schema, with OIDs of
// this catalog. They are not entered yet.
func (c *Catalog) ReadExtension(a *AvailableExtension, schema string) (*ExtensionObjects, error) {
	o, err := a.Load(ExtensionOIDs{Schema: schema, New: c.NewOID, Find: c.findRef})
	if err != nil {
		return nil, err
	}
	// Indexes of its tables use the server's operator classes as well.
	for _, t := range o.Tables {
		for _, x := range t.Indexes {
			for i := range x.Keys {
				if oc := c.OpClass(x.Keys[i].OpClass); oc != nil {
					x.Keys[i].Family, x.Keys[i].InType = oc.Family, oc.InType
				}
			}
		}
	}
	return o, nil
}

// InstallExtension enters an extension with its objects.
func (c *Catalog) InstallExtension(e *Extension, o *Objects) {
	e.Members = *o
	c.AddExtension(e)
	for _, x := range o.Schemas {
		c.AddSchema(x)
	}
	for _, x := range o.Types {
		c.AddType(x)
	}
	for _, x := range o.Funcs {
		c.AddFunc(x)
	}
	for _, x := range o.Operators {
		c.AddOperator(x)
	}
	for _, x := range o.Casts {
		c.AddCast(x)
	}
	for _, x := range o.Collations {
		c.AddCollation(x)
	}
	for _, x := range o.TextSearch {
		c.AddTextSearch(x)
	}
	u := &c.user
	for _, x := range o.Methods {
		u.methods[x.OID] = x
	}
	for _, x := range o.OpFamilies {
		u.opFamilies[x.OID] = x
	}
	for _, x := range o.OpClasses {
		u.opClasses[x.OID] = x
	}
	for _, x := range o.AmOps {
		u.addAmOp(x)
	}
	for _, x := range o.AmProcs {
		u.amProcs[x.Family] = append(u.amProcs[x.Family], x)
	}
	for _, x := range o.Tables {
		c.AddTable(x)
	}
}

// DropExtension removes an extension and its objects, without a look at what
// stands on them.
func (c *Catalog) DropExtension(e *Extension) {
	c.extensions = slices.DeleteFunc(slices.Clone(c.extensions), func(x *Extension) bool { return x == e })
	o, u := &e.Members, &c.user
	for _, x := range o.Tables {
		if t := u.tables[x.OID]; t != nil {
			c.DropTable(t)
		}
	}
	for _, x := range o.Types {
		if u.types[x.OID] == x {
			c.DropType(x)
		}
	}
	for _, x := range o.Funcs {
		c.DropFunc(x)
	}
	for _, x := range o.Operators {
		delete(u.operators, x.OID)
		u.opNames[x.Name] = slices.DeleteFunc(slices.Clone(u.opNames[x.Name]), func(y *Operator) bool { return y == x })
	}
	for _, x := range o.Casts {
		if key := [2]pgtype.OID{x.Source, x.Target}; u.casts[key] == x {
			delete(u.casts, key)
		}
	}
	for _, x := range o.Collations {
		delete(u.collations, x.OID)
		delete(u.collNames, qualified{x.Schema, x.Name})
	}
	for _, x := range o.TextSearch {
		c.DropTextSearch(x)
	}
	for _, x := range o.Methods {
		delete(u.methods, x.OID)
	}
	for _, x := range o.OpFamilies {
		delete(u.opFamilies, x.OID)
	}
	for _, x := range o.OpClasses {
		delete(u.opClasses, x.OID)
	}
	for _, x := range o.AmOps {
		gone := func(y *AmOp) bool { return y == x }
		u.amOps[x.Family] = slices.DeleteFunc(slices.Clone(u.amOps[x.Family]), gone)
		u.amOpsOf[x.Operator] = slices.DeleteFunc(slices.Clone(u.amOpsOf[x.Operator]), gone)
	}
	for _, x := range o.AmProcs {
		u.amProcs[x.Family] = slices.DeleteFunc(slices.Clone(u.amProcs[x.Family]), func(y *AmProc) bool { return y == x })
	}
	for _, x := range o.Schemas {
		c.DropSchema(x.Name)
	}
}

// MoveExtension brings an extension, and its objects that are in its schema,
// into another one.
func (c *Catalog) MoveExtension(e *Extension, schema string) {
	from, o := e.Schema, &e.Members
	e.Schema = schema
	for _, x := range o.Tables {
		t := c.user.tables[x.OID]
		if t == nil || t.Schema != from {
			continue
		}
		c.RenameTable(t, schema, t.Name)
		for _, i := range t.Indexes {
			c.RenameIndex(i, schema, i.Name)
		}
	}
	for _, x := range o.Types {
		if x.Schema == from && c.user.types[x.OID] == x {
			c.RenameType(x, schema, x.Name)
		}
	}
	move := func(s *string) {
		if *s == from {
			*s = schema
		}
	}
	for _, x := range o.Funcs {
		move(&x.Schema)
	}
	for _, x := range o.Operators {
		move(&x.Schema)
	}
	for _, x := range o.Collations {
		delete(c.user.collNames, qualified{x.Schema, x.Name})
		move(&x.Schema)
		c.user.collNames[qualified{x.Schema, x.Name}] = x
	}
	for _, x := range o.TextSearch {
		move(&x.Schema)
	}
	for _, x := range o.OpClasses {
		move(&x.Schema)
	}
	for _, x := range o.OpFamilies {
		move(&x.Schema)
	}
}

// findRef returns the OID of what an extension names.
func (c *Catalog) findRef(r ExtensionRef) (pgtype.OID, error) {
	if r.Extension == "" {
		if oid := c.findBuiltin(r); oid != 0 {
			return oid, nil
		}
		return 0, fmt.Errorf("there is no %s %s.%s", r.Class, r.Schema, r.Name)
	}
	e := c.Extension(r.Extension)
	if e == nil {
		return 0, fmt.Errorf("required extension \"%s\" is not installed", r.Extension)
	}
	if oid := findIn(&e.Members, r); oid != 0 {
		return oid, nil
	}
	return 0, fmt.Errorf("extension \"%s\" has no %s %s", r.Extension, r.Class, r.Name)
}

// findBuiltin looks for one of the server's objects without a pinned OID.
func (c *Catalog) findBuiltin(r ExtensionRef) pgtype.OID {
	switch r.Class {
	case "type":
		if t := c.base.typeNames[qualified{r.Schema, r.Name}]; t != nil {
			return t.OID
		}
	case "function":
		for _, f := range c.base.funcNames[r.Name] {
			if f.Schema == r.Schema && slices.Equal(f.Args, r.Types) {
				return f.OID
			}
		}
	case "collation":
		if x := c.base.collNames[qualified{r.Schema, r.Name}]; x != nil {
			return x.OID
		}
	case "relation":
		if t := c.base.tableNames[qualified{r.Schema, r.Name}]; t != nil {
			return t.OID
		}
	}
	return 0
}

// findIn looks for a member of an extension.
func findIn(o *Objects, r ExtensionRef) pgtype.OID {
	switch r.Class {
	case "type":
		for _, t := range o.Types {
			if t.Name == r.Name {
				return t.OID
			}
		}
	case "function":
		for _, f := range o.Funcs {
			if f.Name == r.Name && slices.Equal(f.Args, r.Types) {
				return f.OID
			}
		}
	case "operator":
		for _, p := range o.Operators {
			if p.Name == r.Name && slices.Equal([]pgtype.OID{p.Left, p.Right}, r.Types) {
				return p.OID
			}
		}
	case "opfamily":
		for _, x := range o.OpFamilies {
			if x.Name == r.Name && slices.Equal([]pgtype.OID{x.Method}, r.Types) {
				return x.OID
			}
		}
	case "opclass":
		for _, x := range o.OpClasses {
			if x.Name == r.Name && slices.Equal([]pgtype.OID{x.Method}, r.Types) {
				return x.OID
			}
		}
	case "collation":
		for _, x := range o.Collations {
			if x.Name == r.Name {
				return x.OID
			}
		}
	case "relation":
		for _, t := range o.Tables {
			if t.Name == r.Name {
				return t.OID
			}
		}
	case "method":
		for _, m := range o.Methods {
			if m.Name == r.Name {
				return m.OID
			}
		}
	}
	return 0
}

// RenameExtensionSchema follows the renaming of a schema: the extensions in it,
// and those of their objects that have no other way to be told, are in the new
// one.
func (c *Catalog) RenameExtensionSchema(from, to string) {
	for _, e := range c.extensions {
		if e.Schema == from {
			c.MoveExtension(e, to)
		}
	}
}
