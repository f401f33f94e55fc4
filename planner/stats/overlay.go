package stats

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	catalogddl "github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// addUnknown makes the partitions and children that the file alone knows, and
// takes them out of unknown. Parents come before their children.
func (n *binder) addUnknown(unknown map[string]bool) {
	added := map[string][]string{} // by parent
	for again := true; again; {
		again = false
		for _, key := range n.keys() {
			if !unknown[key] {
				continue
			}
			rel := n.file.Tables[key]
			ddl, parent := n.createChild(key, rel)
			if ddl == "" {
				continue
			}
			if !n.apply(ddl, "table "+key, "tables", key+":") {
				delete(unknown, key) // it has been said why
				continue
			}
			t := n.find(key)
			if t == nil {
				continue
			}
			delete(unknown, key)
			n.bindTable(key, t, rel, false)
			added[parent] = append(added[parent], key)
			again = true
		}
	}
	for _, parent := range slices.Sorted(maps.Keys(added)) {
		list := added[parent]
		what := "partitions of " + parent + " are"
		switch child := n.file.Tables[list[0]].Parent == ""; {
		case child && len(list) == 1:
			what = "child of " + parent + " is"
		case child:
			what = "children of " + parent + " are"
		case len(list) == 1:
			what = "partition of " + parent + " is"
		}
		n.at(diag.Info, "", fmt.Sprintf("%d %s known to the statistics alone and planned with", len(list), what),
			"tables", list[0]+":").Detail = strings.Join(list, "\n")
	}
}

// createChild is the DDL of a partition or child whose parents the catalog has;
// "" for any other table.
func (n *binder) createChild(key string, rel *Relation) (ddl, parent string) {
	schema, name, err := ParseName(key)
	if err != nil || schema == "" {
		return "", ""
	}
	if rel.Parent != "" {
		p := n.find(rel.Parent)
		if p == nil || p.Kind != catalog.KindPartitioned {
			return "", ""
		}
		ddl = fmt.Sprintf("CREATE TABLE %s.%s PARTITION OF %s.%s %s",
			QuoteIdent(schema), QuoteIdent(name), QuoteIdent(p.Schema), QuoteIdent(p.Name), rel.Bound)
		if rel.PartitionKey != "" {
			ddl += " PARTITION BY " + rel.PartitionKey
		}
		return ddl + ";", rel.Parent
	}
	if len(rel.Inherits) == 0 {
		return "", ""
	}
	var parents, columns []string
	inherited := map[string]bool{}
	for _, p := range rel.Inherits {
		t := n.find(p)
		if t == nil {
			return "", ""
		}
		parents = append(parents, QuoteIdent(t.Schema)+"."+QuoteIdent(t.Name))
		for _, c := range t.Columns {
			inherited[c.Name] = true
		}
	}
	own := slices.SortedFunc(maps.Keys(rel.Columns), func(a, b string) int { return rel.Columns[a].Number - rel.Columns[b].Number })
	for _, c := range own {
		if col := rel.Columns[c]; !inherited[c] && col.Type != "" {
			column := QuoteIdent(c) + " " + col.Type
			if col.NotNull {
				column += " NOT NULL"
			}
			columns = append(columns, column)
		}
	}
	return fmt.Sprintf("CREATE TABLE %s.%s (%s) INHERITS (%s);", QuoteIdent(schema), QuoteIdent(name),
		strings.Join(columns, ", "), strings.Join(parents, ", ")), rel.Inherits[0]
}

// apply runs DDL that was made from the file; what is wrong with it becomes one
// warning at a place of the file.
func (n *binder) apply(ddl, what string, keys ...string) bool {
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("statistics", ddl)}, parser.Schema)
	diags.Append(catalogddl.Apply(n.Catalog, stmts))
	for _, d := range diags {
		if d.Severity >= diag.Error {
			n.at(diag.Warning, "", fmt.Sprintf("%s is known to the statistics alone and left out: %s", what, d.Message), keys...).Detail = ddl
			return false
		}
	}
	return true
}

// allIndexes finds the file's indexes in the catalog and adds the others.
func (n *binder) allIndexes() {
	for _, t := range n.Catalog.Tables() {
		rel := n.tables[t.OID]
		if rel == nil {
			continue
		}
		key := n.names[t.OID]
		names := slices.SortedFunc(maps.Keys(rel.Indexes), func(a, b string) int {
			if d := int64(rel.Indexes[a].OID) - int64(rel.Indexes[b].OID); d != 0 {
				return int(d)
			}
			return strings.Compare(a, b)
		})
		for _, name := range names {
			n.bindIndex(key, t, name, rel.Indexes[name])
		}
		n.dropCopies(t, rel)
	}
}

func (n *binder) bindIndex(key string, t *catalog.Table, name string, x *Index) {
	for _, c := range t.Indexes {
		if c.Name != name {
			continue
		}
		n.indexes[c.OID] = x
		if x.Invalid {
			c.Valid = false
			n.at(diag.Warning, "drop it, or make it anew with REINDEX", fmt.Sprintf("index %s of %s is invalid on the server: plans do not use it", name, key),
				"tables", key, "indexes", name+":")
		}
		return
	}
	// An index that the server does not use, or only has the partitions' own
	// parts of, would change nothing.
	if x.Def == "" || x.Invalid || t.Kind == catalog.KindPartitioned && !strings.HasPrefix(x.Def, "CREATE UNIQUE ") {
		if x.Def == "" {
			n.at(diag.Warning, "", fmt.Sprintf("index %s of %s is not in the schema", name, key), "tables", key, "indexes", name+":")
		}
		return
	}
	before := len(t.Indexes)
	if !n.apply(x.Def+";", "index "+name+" of "+key, "tables", key, "indexes", name+":") {
		return
	}
	if len(t.Indexes) == before {
		n.at(diag.Warning, "", "index "+name+" of "+key+" is known to the statistics alone and left out", "tables", key, "indexes", name+":")
		return
	}
	made := t.Indexes[len(t.Indexes)-1]
	if twin := n.twin(t, made); twin != nil {
		// The schema has it under another name.
		n.Catalog.DropIndex(made)
		n.indexes[twin.OID] = x
		return
	}
	made.Primary = strings.HasPrefix(x.Constraint, "p ")
	n.indexes[made.OID] = x
	if !n.made[t.OID] {
		n.at(diag.Info, "", fmt.Sprintf("index %s of %s is known to the statistics alone and planned with", name, key),
			"tables", key, "indexes", name+":")
	}
}

// twin returns the index of t that is the same as x in all but its name and has
// no entry in the file yet.
func (n *binder) twin(t *catalog.Table, x *catalog.Index) *catalog.Index {
	rel := n.tables[t.OID]
	for _, c := range t.Indexes {
		if c == x || n.indexes[c.OID] != nil || rel.Indexes[c.Name] != nil {
			continue
		}
		if c.Method != x.Method || c.Unique != x.Unique || c.NumKeys != x.NumKeys || len(c.Keys) != len(x.Keys) ||
			len(c.Predicate) != len(x.Predicate) {
			continue
		}
		same := true
		for i := range c.Keys {
			same = same && sameKey(c.Keys[i], x.Keys[i])
		}
		for i := range c.Predicate {
			same = same && query.Equal(c.Predicate[i], x.Predicate[i])
		}
		if same {
			return c
		}
	}
	return nil
}

func sameKey(a, b catalog.IndexKey) bool {
	if (a.Expr == nil) != (b.Expr == nil) || a.Expr != nil && !query.Equal(a.Expr, b.Expr) {
		return false
	}
	a.Expr, b.Expr = nil, nil
	return reflect.DeepEqual(a, b)
}

// dropCopies removes the indexes that a partition made from the file got from
// its parent and that its own list does not have.
func (n *binder) dropCopies(t *catalog.Table, rel *Relation) {
	if !n.made[t.OID] || len(rel.Indexes) == 0 {
		return
	}
	for _, x := range slices.Clone(t.Indexes) {
		if n.indexes[x.OID] == nil {
			n.Catalog.DropIndex(x)
		}
	}
}
