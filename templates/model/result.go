package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/naming"
)

// outputs are the columns of the result.
func (b *builder) outputs() []*query.TargetEntry {
	q := b.query.Analyzed.Query
	list := q.TargetList
	if q.Command != query.CmdSelect {
		list = q.Returning
	}
	var out []*query.TargetEntry
	for _, te := range list {
		if !te.Junk {
			out = append(out, te)
		}
	}
	return out
}

// fact is what is known of result column i.
func (b *builder) fact(i int) infer.Column {
	if f := b.query.Facts; f != nil && i < len(f.Columns) {
		return f.Columns[i]
	}
	return infer.Column{Nullable: true, ElementNullable: true}
}

// result builds what a row becomes.
func (b *builder) result(name string) *Result {
	cols := b.outputs()
	embeds := b.query.Analyzed.Embeds
	if len(cols) == 1 && len(embeds) == 0 {
		f := b.column(cols, 0)
		return &Result{Scan: b.scope.Name("scan" + name), Scalar: f}
	}
	if s := b.tableStruct(cols); s != nil && len(embeds) == 0 {
		if s.Scan == "" {
			s.Scan = b.scope.Name("scan" + s.Name)
		}
		return &Result{Scan: s.Scan, Struct: s}
	}
	row := &Struct{Name: b.scope.Name(name + "Row")}
	row.Doc = []string{fmt.Sprintf("%s is a row of %s.", row.Name, name)}
	row.Scan = b.scope.Name("scan" + row.Name)
	var names []string
	for i := 0; i < len(cols); i++ {
		if e := embedAt(embeds, cols[i].ResNo); e != nil {
			f := b.embed(row.Name, e, cols)
			row.Fields = append(row.Fields, f)
			names = append(names, f.Name)
			i += e.Last - e.First
			continue
		}
		row.Fields = append(row.Fields, b.column(cols, i))
		names = append(names, naming.Exported(cols[i].Name))
	}
	for i, n := range naming.Unique(names) {
		row.Fields[i].Name = n
	}
	return &Result{Scan: row.Scan, Struct: row, Local: true}
}

func embedAt(embeds []analyze.Embed, resno int) *analyze.Embed {
	for i := range embeds {
		if embeds[i].First == resno {
			return &embeds[i]
		}
	}
	return nil
}

// column makes the field of result column i.
func (b *builder) column(cols []*query.TargetEntry, i int) *Field {
	te, fact := cols[i], b.fact(i)
	f := &Field{Name: naming.Exported(te.Name), Column: i, PGType: te.Expr.ResultType(), Nullable: fact.Nullable}
	request := gotype.Request{Type: f.PGType, Nullable: fact.Nullable, ElementNullable: fact.ElementNullable}
	if t := b.in.Catalog.Table(te.OrigTable); t != nil {
		if c := t.Attr(te.OrigColumn); c != nil {
			request.Column = b.columnKey(t, c)
		}
	}
	f.Value = b.value(request, te.Loc, te.Name)
	return f
}

// columnKey is how overrides name a column.
func (b *builder) columnKey(t *catalog.Table, c *catalog.Column) string {
	if b.in.Catalog.TableByName("", t.Name) == t {
		return t.Name + "." + c.Name
	}
	return t.Schema + "." + t.Name + "." + c.Name
}

// value resolves a Go type and notes the types of the package in it. An error is
// reported at the place; the value is then one that nothing is written of.
func (b *builder) value(r gotype.Request, at source.Span, what string) *gotype.Value {
	v, err := b.types.Resolve(r)
	if err != nil {
		b.unsupported(err, at, what)
		return &gotype.Value{Type: &gotype.Type{Name: "any"}}
	}
	for _, oid := range v.Enums {
		b.enum(oid)
	}
	for _, oid := range v.Composites {
		b.composite(oid, at)
	}
	return v
}

// tableStruct is the struct of the table whose columns, all and in order, the
// result has with the same types and nullability; nil if it is none.
func (b *builder) tableStruct(cols []*query.TargetEntry) *Struct {
	if len(cols) == 0 {
		return nil
	}
	t := b.in.Catalog.Table(cols[0].OrigTable)
	if t == nil || !isTable(t) {
		return nil
	}
	live := liveColumns(t)
	if len(live) != len(cols) {
		return nil
	}
	nullable := b.nullability(t)
	for i, te := range cols {
		c := live[i]
		if te.OrigTable != t.OID || te.OrigColumn != c.Number || te.Name != c.Name || te.Expr.ResultType() != c.Type {
			return nil
		}
		if b.fact(i).Nullable != nullable[i] {
			return nil
		}
	}
	return b.model(t, cols[0].Loc)
}

func isTable(t *catalog.Table) bool {
	switch t.Kind {
	case catalog.KindTable, catalog.KindPartitioned, catalog.KindView, catalog.KindMatView, catalog.KindForeign:
		return true
	}
	return false
}

func liveColumns(t *catalog.Table) []*catalog.Column {
	var live []*catalog.Column
	for _, c := range t.Columns {
		if !c.Dropped {
			live = append(live, c)
		}
	}
	return live
}

// nullability says for each live column whether it can be NULL: what is
// declared, or for a view what its query guarantees.
func (b *builder) nullability(t *catalog.Table) []bool {
	if have, ok := b.nullable[t.OID]; ok {
		return have
	}
	live := liveColumns(t)
	out := make([]bool, len(live))
	var facts *infer.Facts
	if t.View != nil {
		facts = infer.Infer(b.in.Catalog, t.View)
	}
	for i, c := range live {
		out[i] = !infer.NotNull(b.in.Catalog, t, c)
		if facts != nil && i < len(facts.Columns) {
			out[i] = facts.Columns[i].Nullable
		}
	}
	b.nullable[t.OID] = out
	return out
}

// model returns the struct of a table or view.
func (b *builder) model(t *catalog.Table, at source.Span) *Struct {
	if s := b.models[t.OID]; s != nil {
		return s
	}
	s := &Struct{Name: b.typeName(t.OID, naming.Exported(naming.Singular(t.Name)))}
	b.models[t.OID] = s
	kind := "table"
	if t.Kind == catalog.KindView || t.Kind == catalog.KindMatView {
		kind = "view"
	}
	s.Doc = []string{fmt.Sprintf("%s is a row of the %s %s.", s.Name, kind, t.Name)}
	s.Doc = append(s.Doc, commentLines(t.Comment)...)
	nullable := b.nullability(t)
	var names []string
	for i, c := range liveColumns(t) {
		f := &Field{Column: i, PGType: c.Type, Nullable: nullable[i], Comment: c.Comment}
		f.Value = b.value(gotype.Request{
			Type: c.Type, Nullable: nullable[i], ElementNullable: true, Column: b.columnKey(t, c),
		}, at, t.Name+"."+c.Name)
		s.Fields = append(s.Fields, f)
		names = append(names, naming.Exported(c.Name))
	}
	for i, n := range naming.Unique(names) {
		s.Fields[i].Name = n
	}
	return s
}

// commentLines are the lines of a COMMENT ON, as a paragraph of their own.
func commentLines(comment string) []string {
	comment = strings.TrimSpace(strings.ReplaceAll(comment, "\r", ""))
	if comment == "" {
		return nil
	}
	return append([]string{""}, strings.Split(comment, "\n")...)
}

// enum notes that an enum is used.
func (b *builder) enum(oid pgtype.OID) {
	if b.enums[oid] != nil {
		return
	}
	t := b.in.Catalog.Type(oid)
	e := &Enum{Name: b.types.Local(t)}
	b.enums[oid] = e
	e.Doc = append([]string{fmt.Sprintf("%s is a value of the enum %s.", e.Name, t.Name)}, commentLines(t.Comment)...)
	e.All = b.scope.Name("All" + naming.Plural(e.Name))
	for _, l := range t.Labels {
		e.Labels = append(e.Labels, Label{Name: b.scope.Name(e.Name + enumWord(l)), Value: l})
	}
}

// enumWord is an enum's label as a part of a name. Signs that make the
// difference between labels have names.
func enumWord(label string) string {
	if word := strings.TrimPrefix(naming.Exported("x_"+label), "X"); word != "" {
		return word
	}
	signs := map[rune]string{
		'+': "Plus", '-': "Minus", '*': "Star", '/': "Slash", '<': "Less", '>': "Greater", '=': "Equal",
		'!': "Not", '?': "Unknown", '%': "Percent", '&': "And", '|': "Or", '.': "Dot", ' ': "Space",
	}
	word := ""
	for _, r := range label {
		word += signs[r]
	}
	if word == "" {
		return "Empty"
	}
	return word
}

// composite notes that a composite type is used.
func (b *builder) composite(oid pgtype.OID, at source.Span) {
	if b.composites[oid] != nil {
		return
	}
	t := b.in.Catalog.Type(oid)
	c := &Composite{OID: oid}
	c.Name = b.types.Local(t)
	b.composites[oid] = c
	c.Read = b.scope.Name("read" + c.Name)
	c.Doc = append([]string{fmt.Sprintf("%s is a value of the composite type %s.", c.Name, t.Name)}, commentLines(t.Comment)...)
	var names []string
	for i, a := range liveColumns(b.in.Catalog.Table(t.Relation)) {
		f := &Field{Column: i, PGType: a.Type, Nullable: true, Comment: a.Comment}
		f.Value = b.value(gotype.Request{
			Type: a.Type, Nullable: true, ElementNullable: true, Column: t.Name + "." + a.Name,
		}, at, t.Name+"."+a.Name)
		c.Fields = append(c.Fields, f)
		names = append(names, naming.Exported(a.Name))
		c.OIDs = append(c.OIDs, b.wireType(a.Type))
	}
	for i, n := range naming.Unique(names) {
		c.Fields[i].Name = n
	}
}

// wireType is the type that pgx reads a value as: that behind a domain; 0 if it
// is not built in, since only those have the same number in every database.
func (b *builder) wireType(oid pgtype.OID) pgtype.OID {
	oid = b.in.Catalog.BaseType(oid)
	if oid >= pgtype.FirstNormalOID {
		return 0
	}
	return oid
}

// readers maps composites to their reading functions, for package emit.
func (p *Package) readers() map[pgtype.OID]string {
	m := map[pgtype.OID]string{}
	for _, c := range p.Composites {
		m[c.OID] = c.Read
	}
	return m
}

// Reader is the name of the function that reads a composite type.
func (p *Package) Reader(oid pgtype.OID) string { return p.readers()[oid] }

// present are the columns of a table that are never NULL in a row of it; one
// will do.
func present(nullable []bool) []int {
	if i := slices.Index(nullable, false); i >= 0 {
		return []int{i}
	}
	all := make([]int, len(nullable))
	for i := range all {
		all[i] = i
	}
	return all
}
