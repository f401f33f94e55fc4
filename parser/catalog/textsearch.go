package catalog

import "slices"

// Kinds of text search objects.
const (
	TextSearchConfig     byte = 'c'
	TextSearchDictionary byte = 'd'
)

// TextSearch is a configuration or dictionary of text search: a row of
// pg_ts_config or pg_ts_dict, by its name. Queries name them in strings only.
type TextSearch struct {
	// Kind is TextSearchConfig or TextSearchDictionary.
	Kind         byte
	Schema, Name string
}

// TextSearchByName returns the text search object of a kind with the given name,
// nil if there is none. An empty schema means the search path.
func (c *Catalog) TextSearchByName(kind byte, schema, name string) *TextSearch {
	find := func(schema string) *TextSearch {
		for _, list := range [][]*TextSearch{c.user.textSearch[name], c.base.textSearch[name]} {
			for _, x := range list {
				if x.Kind == kind && x.Schema == schema {
					return x
				}
			}
		}
		return nil
	}
	if schema != "" {
		return find(schema)
	}
	for _, s := range c.path() {
		if x := find(s); x != nil {
			return x
		}
	}
	return nil
}

// AddTextSearch enters a text search object.
func (c *Catalog) AddTextSearch(x *TextSearch) { c.user.addTextSearch(x) }

// DropTextSearch removes a text search object.
func (c *Catalog) DropTextSearch(x *TextSearch) {
	c.user.textSearch[x.Name] = slices.DeleteFunc(slices.Clone(c.user.textSearch[x.Name]), func(y *TextSearch) bool { return y == x })
}

// RenameTextSearch gives a text search object another schema and name.
func (c *Catalog) RenameTextSearch(x *TextSearch, schema, name string) {
	c.DropTextSearch(x)
	c.AddTextSearch(&TextSearch{Kind: x.Kind, Schema: schema, Name: name})
}

func (o *objects) addTextSearch(x *TextSearch) {
	o.textSearch[x.Name] = append(slices.Clip(o.textSearch[x.Name]), x)
}
