package stats

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// Bound is a statistics file laid over a catalog: what is known of each
// relation, column and index, by OID. It may be read by many goroutines.
type Bound struct {
	// Catalog is a copy of the catalog with the partitions, tables and indexes
	// that the file alone knows. OIDs of the original are the same in it.
	Catalog *catalog.Catalog
	// Settings are never nil.
	Settings *Settings
	// VersionNum is the server's version as the file has it, with the minor
	// one; of a file written by hand, the catalog's major version alone.
	VersionNum int
	// Server is the file's, nil in a file written by hand.
	Server *Server
	// CollectedAt is now() to the planner; zero where it is not known.
	CollectedAt time.Time

	file     *File
	tables   map[pgtype.OID]*Relation
	indexes  map[pgtype.OID]*Index
	names    map[pgtype.OID]string // keys of the file
	hidden   map[string]string     // object → what the role could not read
	lastOID  uint64                // the greatest OID of the file
	byNumber map[*Relation]map[int]int
}

// BindOptions steer [Bind].
type BindOptions struct {
	// Source is the text that the file was read from. With it diagnostics have
	// places.
	Source *source.File
}

// Bind lays a file over a catalog, which stays as it is. A nil file is one that
// knows nothing. Types and nullability come from the catalog alone: a column of
// another type or nullability in the file is an error; a table or column that
// only one of both has is a warning; partitions, child tables and indexes that
// only the file has become part of [Bound.Catalog], with an info each. The Bound
// is usable also when there are errors.
func Bind(file *File, cat *catalog.Catalog, opts BindOptions) (*Bound, diag.List) {
	if file == nil {
		file = &File{}
	}
	b := &Bound{
		Catalog: cat.Clone(), VersionNum: cat.Major * 10000, Server: file.Server, file: file,
		tables: map[pgtype.OID]*Relation{}, indexes: map[pgtype.OID]*Index{}, names: map[pgtype.OID]string{},
		hidden: map[string]string{}, byNumber: map[*Relation]map[int]int{},
	}
	n := &binder{Bound: b, opts: opts, made: map[pgtype.OID]bool{}}
	if opts.Source != nil {
		if root, err := parseJSON(opts.Source.Text, opts.Source.TextStart()); err == nil {
			n.root = root
		}
	}
	n.server()
	for _, h := range file.Hidden {
		b.hidden[h.Object] = h.What
	}
	n.relations()
	n.allIndexes()
	n.diags.Sort()
	return b, n.diags
}

type binder struct {
	*Bound
	opts  BindOptions
	root  *node
	diags diag.List
	made  map[pgtype.OID]bool // tables made from the file
}

// at reports a finding at the value of a path of keys, or at the key where the
// last one ends in ":".
func (n *binder) at(s diag.Severity, hint, message string, keys ...string) *diag.Diagnostic {
	d := diag.Diagnostic{Severity: s, Code: code, Message: message, Hint: hint, File: n.opts.Source}
	at := n.root
	for _, k := range keys {
		if at == nil {
			break
		}
		key, isKey := strings.CutSuffix(k, ":")
		for i := range at.members {
			if m := &at.members[i]; isKey && m.key == key {
				d.Span = m.span
			}
		}
		if next := at.get(key); !isKey && next != nil {
			d.Span = next.span
			at = next
		}
	}
	n.diags.Add(d)
	return &n.diags[len(n.diags)-1]
}

func (n *binder) server() {
	if s := n.file.Server; s != nil {
		if n.Catalog.Major == s.VersionNum/10000 {
			n.VersionNum = s.VersionNum
		} else {
			n.at(diag.Warning, "", fmt.Sprintf("the statistics come from PostgreSQL %d, plans are made for %d",
				s.VersionNum/10000, n.Catalog.Major), "server", "version_num")
		}
		if t, err := time.Parse(time.RFC3339Nano, s.CollectedAt); err == nil {
			n.CollectedAt = t
		}
	}
	settings, diags := ParseSettings(n.Catalog.Major, n.file.Settings)
	n.Settings = settings
	for _, d := range diags {
		name := ""
		for key := range n.file.Settings {
			if strings.HasPrefix(d.Message, "setting "+key+": ") || strings.HasPrefix(d.Message, fmt.Sprintf("setting %q ", key)) {
				name = key
			}
		}
		n.at(d.Severity, d.Hint, d.Message, "settings", name)
	}
}

// relations finds the file's tables in the catalog, and adds those that are
// partitions or children of others.
func (n *binder) relations() {
	unknown := map[string]bool{}
	for _, key := range n.keys() {
		rel := n.file.Tables[key]
		if rel == nil {
			continue
		}
		n.lastOID = max(n.lastOID, uint64(rel.OID))
		for _, x := range rel.Indexes {
			n.lastOID = max(n.lastOID, uint64(x.OID))
		}
		if t := n.find(key); t != nil {
			n.bindTable(key, t, rel, true)
			continue
		}
		unknown[key] = true
	}
	n.addUnknown(unknown)
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		var names []string
		for _, t := range n.Catalog.Tables() {
			names = append(names, Name(t.Schema, t.Name))
		}
		hint := ""
		if near, ok := diag.DidYouMean(key, names); ok {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		n.at(diag.Warning, hint, fmt.Sprintf("table %s of the statistics is not in the schema", key), "tables", key+":")
	}
}

// keys are the file's tables in the order of their OIDs, those without by name.
func (n *binder) keys() []string {
	return slices.SortedFunc(maps.Keys(n.file.Tables), func(a, b string) int {
		x, y := n.file.Tables[a], n.file.Tables[b]
		var o, p uint32
		if x != nil {
			o = x.OID
		}
		if y != nil {
			p = y.OID
		}
		return cmp.Or(cmp.Compare(o, p), cmp.Compare(a, b))
	})
}

func (n *binder) find(key string) *catalog.Table {
	schema, name, err := ParseName(key)
	if err != nil {
		return nil
	}
	t := n.Catalog.TableByName(schema, name)
	if t == nil || !hasStatistics(t) {
		return nil
	}
	return t
}

// hasStatistics reports whether a relation is of a kind that ANALYZE looks at.
func hasStatistics(t *catalog.Table) bool {
	switch t.Kind {
	case catalog.KindTable, catalog.KindPartitioned, catalog.KindMatView, catalog.KindForeign:
		return true
	}
	return false
}

func (n *binder) bindTable(key string, t *catalog.Table, rel *Relation, declared bool) {
	if other, ok := n.names[t.OID]; ok {
		n.at(diag.Error, "", fmt.Sprintf("tables %s and %s of the statistics are the same table", other, key), "tables", key+":")
		return
	}
	n.names[t.OID] = key
	n.tables[t.OID] = rel
	numbers := map[int]int{}
	for name, c := range rel.Columns {
		if col := t.Column(name); col != nil && c.Number != 0 {
			numbers[c.Number] = col.Number
		}
	}
	n.byNumber[rel] = numbers
	n.made[t.OID] = !declared
	if declared {
		n.compareColumns(key, t, rel)
	}
}

// compareColumns holds the columns of the file against those of the schema.
func (n *binder) compareColumns(key string, t *catalog.Table, rel *Relation) {
	// format_type with an empty search path is what a pulled file has.
	path := n.Catalog.SearchPath
	n.Catalog.SearchPath = nil
	defer func() { n.Catalog.SearchPath = path }()

	pulled := false
	for _, name := range slices.Sorted(maps.Keys(rel.Columns)) {
		c := rel.Columns[name]
		pulled = pulled || c.Type != ""
		col := t.Column(name)
		if col == nil {
			var names []string
			for _, x := range t.Columns {
				if !x.Dropped && rel.Columns[x.Name] == nil {
					names = append(names, x.Name)
				}
			}
			hint := ""
			if near, ok := diag.DidYouMean(name, names); ok {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			n.at(diag.Warning, hint, fmt.Sprintf("column %q of the statistics of %s is not in the schema", name, key),
				"tables", key, "columns", name+":")
			continue
		}
		if c.Type == "" {
			continue
		}
		hint := "migrate the database and pull again, or correct the schema"
		if typ := n.Catalog.TypeName(col.Type, col.Typmod); typ != c.Type {
			n.at(diag.Error, hint, fmt.Sprintf("column %q of %s is of type %s in the statistics and of type %s in the schema",
				name, key, c.Type, typ), "tables", key, "columns", name, "type")
		}
		if c.NotNull != col.NotNull {
			n.at(diag.Error, hint, fmt.Sprintf("column %q of %s is %s in the statistics and %s in the schema",
				name, key, nullable(c.NotNull), nullable(col.NotNull)), "tables", key, "columns", name, "not_null")
		}
	}
	if !pulled {
		return
	}
	for _, col := range t.Columns {
		if !col.Dropped && rel.Columns[col.Name] == nil {
			n.at(diag.Warning, "", fmt.Sprintf("column %q of %s is not in the statistics", col.Name, key), "tables", key+":")
		}
	}
}

func nullable(notNull bool) string {
	if notNull {
		return "NOT NULL"
	}
	return "nullable"
}
