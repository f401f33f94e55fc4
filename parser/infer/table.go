package infer

import "github.com/dbgen/dbgen/parser/catalog"

// NotNull reports whether a table's own declaration keeps NULL out of a column: NOT
// NULL or a CHECK that no NULL passes. Queries that read the table as a whole find
// its columns so, but for heirs that forget the declaration.
func NotNull(cat *catalog.Catalog, t *catalog.Table, c *catalog.Column) bool {
	s := scope{cat: cat}
	return s.declared(t, c).notNull
}
