package ddl

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// textSearchKind is the kind of a configuration or dictionary, with its word; 0
// for parsers and templates, which nothing of a query names.
func textSearchKind(o pg.ObjectType) (kind byte, word string) {
	switch o {
	case pg.ObjectType_OBJECT_TSCONFIGURATION:
		return catalog.TextSearchConfig, "configuration"
	case pg.ObjectType_OBJECT_TSDICTIONARY:
		return catalog.TextSearchDictionary, "dictionary"
	}
	return 0, ""
}

// createTextSearch is CREATE TEXT SEARCH CONFIGURATION and DICTIONARY
// (DefineTSConfiguration and DefineTSDictionary, tsearchcmds.c). What a dictionary
// does to words is its files' to know.
func (a *applier) createTextSearch(s *pg.DefineStmt) {
	kind, _ := textSearchKind(s.Kind)
	schema, name := split(s.Defnames)
	schema = a.creationSchema(schema, noLoc)
	if kind == 0 {
		return
	}
	given := map[string]*pg.DefElem{}
	for _, n := range s.Definition {
		d := n.GetDefElem()
		switch {
		case kind == catalog.TextSearchDictionary && d.Defname != "template":
			// The template's own options.
		case d.Defname != "parser" && d.Defname != "copy" && d.Defname != "template":
			a.fail("42601", noLoc, "text search configuration parameter %q not recognized", d.Defname)
		default:
			given[d.Defname] = d
		}
	}
	index := "pg_ts_config_cfgname_index"
	switch {
	case kind == catalog.TextSearchDictionary:
		index = "pg_ts_dict_dictname_index"
		if given["template"] == nil {
			a.fail("42P17", noLoc, "text search template is required")
		}
	case given["copy"] != nil && given["parser"] != nil:
		a.fail("42601", noLoc, "cannot specify both PARSER and COPY options")
	case given["copy"] != nil:
		a.textSearch(pg.ObjectType_OBJECT_TSCONFIGURATION, nameParts(given["copy"].Arg))
	case given["parser"] == nil:
		a.fail("42P17", noLoc, "text search parser is required")
	}
	if a.cat.TextSearchByName(kind, schema, name) != nil {
		a.fail("23505", noLoc, "duplicate key value violates unique constraint %q", index)
	}
	a.cat.AddTextSearch(&catalog.TextSearch{Kind: kind, Schema: schema, Name: name})
}

// textSearch is the configuration or dictionary of a name, or a failure
// (get_ts_config_oid and get_ts_dict_oid, namespace.c); nil for other kinds.
func (a *applier) textSearch(o pg.ObjectType, parts []*pg.Node) *catalog.TextSearch {
	kind, word := textSearchKind(o)
	if kind == 0 {
		return nil
	}
	schema, name := split(parts)
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail("3F000", noLoc, "schema %q does not exist", schema)
	}
	x := a.cat.TextSearchByName(kind, schema, name)
	if x == nil {
		a.fail("42704", noLoc, "text search %s %q does not exist", word, shown(schema, name))
	}
	return x
}

// dropTextSearch is DROP TEXT SEARCH CONFIGURATION and DICTIONARY.
func (a *applier) dropTextSearch(d *dropping, s *pg.DropStmt, parts []*pg.Node) string {
	kind, word := textSearchKind(s.RemoveType)
	schema, name := split(parts)
	if kind == 0 || s.MissingOk && a.cat.TextSearchByName(kind, schema, name) == nil {
		return ""
	}
	x := a.textSearch(s.RemoveType, parts)
	on := "text search " + word + " " + name
	if x.Schema == "pg_catalog" {
		a.fail("2BP01", noLoc, "cannot drop %s because it is required by the database system", on)
	}
	d.mark(x, func() { a.cat.DropTextSearch(x) })
	return on
}

// moveTextSearch gives a configuration or dictionary another schema or name; ""
// keeps what there is.
func (a *applier) moveTextSearch(o pg.ObjectType, parts []*pg.Node, schema, name string) {
	x := a.textSearch(o, parts)
	if x == nil || x.Schema == "pg_catalog" {
		return
	}
	if schema == "" {
		schema = x.Schema
	}
	if name == "" {
		name = x.Name
	}
	if a.cat.TextSearchByName(x.Kind, schema, name) != nil {
		_, word := textSearchKind(o)
		a.fail("42710", noLoc, "text search %s %q already exists in schema %q", word, name, schema)
	}
	a.cat.RenameTextSearch(x, schema, name)
}
