package catalog

import "github.com/dbgen/dbgen/parser/pgtype"

// OpClassByName returns the operator class of an access method with the given
// name, nil if there is none. An empty schema means the search path
// (OpclassnameGetOpcid, namespace.c).
func (c *Catalog) OpClassByName(method pgtype.OID, schema, name string) *OpClass {
	in := func(schema string) *OpClass {
		for _, m := range []map[pgtype.OID]*OpClass{c.user.opClasses, c.base.opClasses} {
			for _, o := range m {
				if o.Method == method && o.Name == name && o.Schema == schema {
					return o
				}
			}
		}
		return nil
	}
	if schema != "" {
		return in(schema)
	}
	for _, s := range c.path() {
		if o := in(s); o != nil {
			return o
		}
	}
	return nil
}
