package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Derived lists the reasons why facts are not what a server would see; empty
// for facts that are. A plan that uses derived facts is approximate.
type Derived []string

// RelationFacts are the physical facts of a table.
type RelationFacts struct {
	// Relation has Pages, RelPages, RelTuples and AllVisible set, and is the
	// file's in everything else.
	*Relation
	// Order sorts relations as their OIDs on the server do; relations that the
	// server does not have come last.
	Order uint64
	// HasChildren is relhassubclass.
	HasChildren bool
	Derived     Derived
}

// ColumnFacts are the statistics of a column or expression.
type ColumnFacts struct {
	// Column is nil where the planner has no statistics.
	*Column
	// AvgWidth is the width in bytes that planning assumes: that of the
	// statistics, else that of the type (get_typavgwidth).
	AvgWidth int
	// NoValues tells that there were values which the file does not hold.
	NoValues bool
	Derived  Derived
}

// IndexFacts are the physical facts of an index.
type IndexFacts struct {
	// Index has Pages, RelPages, Tuples and, of a btree, Height set.
	*Index
	Order   uint64
	Derived Derived
}

// ExtendedFacts is an extended statistics object with the catalog's attribute
// numbers.
type ExtendedFacts struct {
	*Extended
	Name  string
	Order uint64
	// Attrs are the columns; Groups and Deps the statistics of kinds d and f,
	// where -1, -2 … stand for the expressions.
	Attrs   []int
	Groups  []NDistinctItem
	Deps    []Dependency
	Derived Derived
}

func (b *Bound) order(server uint32, oid pgtype.OID) uint64 {
	if server != 0 {
		return uint64(server)
	}
	return b.lastOID + 1 + uint64(oid)
}

// name is what messages call a relation.
func (b *Bound) name(t *catalog.Table) string {
	if key := b.names[t.OID]; key != "" {
		return key
	}
	return Name(t.Schema, t.Name)
}

// Relation returns the physical facts of a table. It never returns nil: of a
// relation that is not known it says what PostgreSQL assumes of a table that was
// never analysed, and why that is all.
func (b *Bound) Relation(oid pgtype.OID) *RelationFacts {
	t := b.Catalog.Table(oid)
	if t == nil {
		return &RelationFacts{Relation: unknownRelation(), Order: b.order(0, oid), Derived: Derived{"the relation is not in the catalog"}}
	}
	rel := b.tables[oid]
	f := &RelationFacts{HasChildren: len(t.Children) > 0}
	if rel == nil {
		f.Relation = unknownRelation()
		if t.Kind != catalog.KindPartitioned {
			f.Derived = Derived{"no statistics for " + b.name(t)}
		}
		b.share(t, f)
		f.Order = b.order(0, oid)
		return f
	}
	c := *rel
	f.Relation, f.Order = &c, b.order(rel.OID, oid)
	f.Pages, f.RelPages, f.RelTuples, f.AllVisible = value(rel.Pages, 0), value(rel.RelPages, 0), value(rel.RelTuples, -1), value(rel.AllVisible, 0)
	switch {
	case rel.RelTuples != nil && (rel.Pages != nil || t.Kind != catalog.KindTable && t.Kind != catalog.KindMatView):
		if rel.RelPages == nil {
			f.RelPages = f.Pages
		}
	case rel.Rows != nil && *rel.Rows >= 0, rel.RelTuples != nil && *rel.RelTuples >= 0:
		rows := *value(rel.Rows, *f.RelTuples)
		b.size(t, f, rows, rel.Pages)
		f.Derived = Derived{fmt.Sprintf("the size of %s is derived from its number of rows", b.name(t))}
	default:
		b.share(t, f)
		if f.Derived == nil && t.Kind != catalog.KindPartitioned {
			f.Derived = Derived{"no statistics for " + b.name(t)}
		}
	}
	return f
}

func unknownRelation() *Relation {
	zero := 0.0
	return &Relation{Pages: value(nil, 0), RelPages: &zero, RelTuples: value(nil, -1), AllVisible: value(nil, 0)}
}

func value(v *float64, otherwise float64) *float64 {
	if v != nil {
		otherwise = *v
	}
	return &otherwise
}

// share gives a partition that has no entry its part of the rows that the file
// has for the table above it.
func (b *Bound) share(t *catalog.Table, f *RelationFacts) {
	rows, up := b.sharedRows(t)
	if up == nil {
		return
	}
	b.size(t, f, rows, nil)
	f.Derived = Derived{fmt.Sprintf("the rows of %s are an equal share of those of %s", b.name(t), b.name(up))}
}

// sharedRows is what a leaf partition has of the rows of the nearest table above
// it that the file has rows of, shared among the partitions without an entry of
// their own; up is nil where there is no such table.
func (b *Bound) sharedRows(t *catalog.Table) (rows float64, up *catalog.Table) {
	if !t.IsPartition || t.Kind == catalog.KindPartitioned {
		return 0, nil
	}
	for up := t; up.IsPartition && len(up.Parents) == 1; {
		if up = b.Catalog.Table(up.Parents[0]); up == nil {
			break
		}
		rel := b.tables[up.OID]
		if rel == nil || rel.Rows == nil || *rel.Rows < 0 {
			continue
		}
		rows, parts := *rel.Rows, 0.0
		var count func(o pgtype.OID)
		count = func(o pgtype.OID) {
			p := b.Catalog.Table(o)
			switch {
			case p == nil:
			case p.Kind == catalog.KindPartitioned:
				for _, c := range p.Children {
					count(c)
				}
			case b.tables[o] != nil && b.tables[o].Rows != nil:
				rows -= *b.tables[o].Rows
			default:
				parts++
			}
		}
		count(up.OID)
		return math.Max(math.Round(rows/math.Max(parts, 1)), 0), up
	}
	return 0, nil
}

const (
	pageHeader   = 24 // SizeOfPageHeaderData
	heapHeader   = 24 // MAXALIGN(SizeofHeapTupleHeader)
	linePointer  = 4  // sizeof(ItemIdData)
	indexHeader  = 8  // sizeof(IndexTupleData)
	btreeSpecial = 16 // MAXALIGN(sizeof(BTPageOpaqueData))
)

func maxalign(n int) int { return (n + 7) &^ 7 }

// size sets the physical facts of a table of so many rows: what it would have
// after it was loaded, vacuumed and analysed.
func (b *Bound) size(t *catalog.Table, f *RelationFacts, rows float64, pages *float64) {
	if t.Kind == catalog.KindPartitioned {
		f.RelTuples = &rows
		return
	}
	fill := cmp.Or(f.FillFactor, t.FillFactor, 100)
	perPage := max(1, (BlockSize-pageHeader)*fill/100/(maxalign(heapHeader+b.dataWidth(t))+linePointer))
	p := value(pages, math.Ceil(rows/float64(perPage)))
	f.Pages, f.RelPages, f.RelTuples, f.AllVisible = p, value(p, 0), &rows, value(p, 0)
}

// dataWidth is the sum of the columns' widths (get_rel_data_width, plancat.c).
func (b *Bound) dataWidth(t *catalog.Table) int {
	sum := 0
	for _, c := range t.Columns {
		if !c.Dropped {
			sum += b.Column(t.OID, c.Number, false).AvgWidth
		}
	}
	return sum
}

// Size returns what planning takes the size of a table to be: its pages, its
// tuples scaled from the last ANALYZE to the present size, and the fraction of
// all-visible pages (estimate_rel_size, plancat.c;
// table_block_relation_estimate_size, tableam.c).
func (b *Bound) Size(oid pgtype.OID) (pages, tuples, allVisible float64) {
	f, t := b.Relation(oid), b.Catalog.Table(oid)
	if t == nil || t.Kind != catalog.KindTable && t.Kind != catalog.KindMatView {
		return *f.RelPages, *f.RelTuples, 0
	}
	pages = *f.Pages
	if pages < 10 && *f.RelTuples < 0 && !f.HasChildren {
		pages = 10
	}
	if pages == 0 {
		return 0, 0, 0
	}
	density := 0.0
	if *f.RelTuples >= 0 && *f.RelPages > 0 {
		density = *f.RelTuples / *f.RelPages
	} else {
		// Integer division, and the fill factor only since 17.
		usable, width := BlockSize-pageHeader, b.dataWidth(t)+heapHeader+linePointer
		if b.Catalog.Major >= 17 {
			density = math.Max(float64(usable*cmp.Or(f.FillFactor, t.FillFactor, 100)/100/width), 1)
		} else {
			density = float64(usable / width)
		}
	}
	switch {
	case *f.AllVisible == 0:
	case *f.AllVisible >= pages:
		allVisible = 1
	default:
		allVisible = *f.AllVisible / pages
	}
	return pages, math.RoundToEven(density * pages), allVisible
}

// Column returns the statistics of a column; inherited asks for those over the
// table and its children. It never returns nil.
func (b *Bound) Column(oid pgtype.OID, attnum int, inherited bool) *ColumnFacts {
	f := &ColumnFacts{}
	t := b.Catalog.Table(oid)
	if t == nil {
		f.Derived = Derived{"the relation is not in the catalog"}
		return f
	}
	col := t.Attr(attnum)
	if col == nil {
		return f
	}
	f.AvgWidth = TypeWidth(b.Catalog, col.Type, col.Typmod)
	rel := b.tables[oid]
	var c *Column
	if rel != nil {
		c = rel.Columns[col.Name]
		if inherited {
			c = rel.Tree[col.Name]
		}
	}
	b.fill(f, c)
	if f.Column != nil {
		return f
	}
	shared, up := 0.0, (*catalog.Table)(nil)
	if rel == nil {
		shared, up = b.sharedRows(t)
	}
	switch {
	case rel != nil && rel.RelTuples == nil && *value(rel.Rows, -1) >= 0:
		b.derive(f, t, col, *rel.Rows)
	case up != nil:
		b.derive(f, t, col, shared)
	case rel != nil && rel.RelTuples != nil:
		if b.isHidden(b.name(t), col.Name) {
			f.Derived = Derived{fmt.Sprintf("the collecting role could not read the statistics of column %s of %s", col.Name, b.name(t))}
		}
	case t.Kind != catalog.KindPartitioned || rel != nil:
		f.Derived = Derived{"no statistics for " + b.name(t)}
	}
	return f
}

// columnStatistics begins what [Hidden] says of a table; the names of columns
// follow behind "of" where only some are hidden.
const columnStatistics = "column statistics"

func (b *Bound) isHidden(table, column string) bool {
	what := b.hidden[table]
	list, some := strings.CutPrefix(what, columnStatistics+" of ")
	if some {
		return slices.Contains(strings.Split(list, ", "), column)
	}
	return strings.HasPrefix(what, columnStatistics)
}

// fill enters the file's statistics, if they are some.
func (b *Bound) fill(f *ColumnFacts, c *Column) {
	if c == nil || !c.HasStats && !byHand(c) {
		return
	}
	f.Column = c
	if c.Width > 0 {
		f.AvgWidth = c.Width
	}
	f.NoValues = b.file.Level == LevelShape || len(c.MCF) > 0 && len(c.MCV) == 0
	if c.Type == "" {
		f.Derived = Derived{"the column's statistics are written by hand"}
	}
}

// byHand reports whether someone wrote statistics without saying that they are
// some.
func byHand(c *Column) bool {
	return c.NullFrac != 0 || c.NDistinct != 0 || c.Width != 0 || len(c.MCF) > 0 || len(c.Histogram) > 0 ||
		c.Correlation != nil || len(c.MCElemFreqs) > 0
}

// Extended returns the extended statistics of a table in the order of their
// OIDs; inherited asks for those over the table and its children.
func (b *Bound) Extended(oid pgtype.OID, inherited bool) []*ExtendedFacts {
	rel := b.tables[oid]
	if rel == nil {
		return nil
	}
	list := rel.Extended
	if inherited {
		list = rel.ExtendedTree
	}
	var out []*ExtendedFacts
	for name, x := range list {
		f := &ExtendedFacts{Extended: x, Name: name, Order: uint64(x.OID)}
		known := true
		translate := func(attrs []int) []int {
			to := make([]int, len(attrs))
			for i, a := range attrs {
				to[i] = a
				if a > 0 {
					to[i] = b.byNumber[rel][a]
					known = known && to[i] != 0
				}
			}
			return to
		}
		f.Attrs = translate(x.Columns)
		// [Read] has checked both texts.
		groups, _ := parseNDistinct(x.NDistinct)
		for _, g := range groups {
			f.Groups = append(f.Groups, NDistinctItem{translate(g.Attrs), g.Groups})
		}
		deps, _ := parseDependencies(x.Dependencies)
		for _, d := range deps {
			f.Deps = append(f.Deps, Dependency{translate(d.From), translate([]int{d.To})[0], d.Degree})
		}
		if !known {
			continue // over a column that the schema does not have
		}
		if what := b.hidden[name]; what != "" {
			f.Derived = Derived{fmt.Sprintf("the collecting role could not read the %s %s", what, name)}
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *ExtendedFacts) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Name, b.Name))
	})
	return out
}
