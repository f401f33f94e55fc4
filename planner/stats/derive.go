package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// TypeWidth is the average width in bytes that planning assumes of a type
// without statistics (get_typavgwidth, lsyscache.c; type_maximum_size,
// format_type.c), in an UTF-8 database.
func TypeWidth(cat *catalog.Catalog, typ pgtype.OID, mod pgtype.Typmod) int {
	t := cat.Type(typ)
	if t == nil {
		return 32
	}
	if t.Len > 0 {
		return t.Len
	}
	most := maximumSize(typ, mod)
	switch {
	case most <= 0:
		return 32
	case typ == pgtype.BpcharOID || most <= 32:
		return most
	case most < 1000:
		return 32 + (most-32)/2
	}
	return 32 + (1000-32)/2
}

func maximumSize(typ pgtype.OID, mod pgtype.Typmod) int {
	const header, utf8 = 4, 4
	if mod < 0 {
		return -1
	}
	switch typ {
	case pgtype.BpcharOID, pgtype.VarcharOID:
		return (int(mod)-header)*utf8 + header
	case pgtype.NumericOID:
		// numeric_maximum_size, numeric.c: 8 bytes of header, 4 digits in 2 bytes.
		precision := (int(mod) - header) >> 16 & 0xffff
		return 8 + (precision+6)/4*2
	case pgtype.VarbitOID, pgtype.BitOID:
		return (int(mod)+7)/8 + 8
	}
	return -1
}

// derive makes the statistics of a column of a table that the file has nothing
// but the rows of: the number of distinct values from its keys.
func (b *Bound) derive(f *ColumnFacts, t *catalog.Table, col *catalog.Column, rows float64) {
	c := &Column{HasStats: true, Width: f.AvgWidth}
	why := ""
	if typ := b.Catalog.Type(b.Catalog.BaseType(col.Type)); typ != nil {
		switch {
		case typ.OID == pgtype.BoolOID:
			c.NDistinct, why = 2, "its type"
		case typ.Kind == 'e' && len(typ.Labels) > 0:
			c.NDistinct, why = math.Min(float64(len(typ.Labels)), math.Max(rows, 1)), "the labels of its type"
		}
	}
	for _, x := range t.Indexes {
		if x.Unique && x.Immediate && x.NumKeys == 1 && x.Keys[0].Column == col.Number && len(x.Predicate) == 0 {
			c.NDistinct, why = -1, "a unique key"
		}
	}
	if c.NDistinct != -1 {
		for _, k := range t.Constraints {
			if k.Kind != catalog.ConstraintForeign {
				continue
			}
			i := slices.Index(k.Columns, col.Number)
			ref := b.tables[k.RefTable]
			if i < 0 || ref == nil || i >= len(k.RefColumns) {
				continue
			}
			n := *value(ref.Rows, *value(ref.RelTuples, -1))
			// Only what the file has: two tables may refer to each other.
			if rt := b.Catalog.Table(k.RefTable); rt != nil {
				if rc := rt.Attr(k.RefColumns[i]); rc != nil && ref.Columns[rc.Name] != nil && ref.Columns[rc.Name].NDistinct > 0 {
					n = ref.Columns[rc.Name].NDistinct
				}
			}
			if n >= 1 && (why == "" || n < c.NDistinct) {
				c.NDistinct, why = math.Min(n, math.Max(rows, 1)), "the rows of "+b.names[k.RefTable]
			}
		}
	}
	f.Derived = Derived{fmt.Sprintf("no statistics for column %s of %s", col.Name, b.name(t))}
	if why == "" {
		return // the planner's own default is as good as any
	}
	f.Column = c
	f.Derived = Derived{fmt.Sprintf("the distinct values of column %s of %s are derived from %s", col.Name, b.name(t), why)}
}

// Index returns the physical facts of an index of [Bound.Catalog]. It never
// returns nil.
func (b *Bound) Index(oid pgtype.OID) *IndexFacts {
	c := b.Catalog.Index(oid)
	if c == nil {
		return &IndexFacts{Index: &Index{}, Order: b.order(0, oid), Derived: Derived{"the index is not in the catalog"}}
	}
	x := b.indexes[oid]
	if x == nil || x.Pages == 0 && x.OID == 0 {
		f := b.DeriveIndex(c)
		if x != nil && x.Height != nil {
			f.Height = x.Height
		}
		return f
	}
	own := *x
	f := &IndexFacts{Index: &own, Order: b.order(x.OID, oid)}
	if f.Height == nil && x.Pages > 0 {
		if m := b.Catalog.Method(c.Method); m != nil && m.Name == "btree" {
			h := b.heightOf(c, x.Pages)
			f.Height = &h
			f.Derived = Derived{fmt.Sprintf("the height of index %s is derived from its size", c.Name)}
		}
	}
	return f
}

// DeriveIndex returns what the facts of an index would be, right after it was
// made, from its keys and the size of its table. The index need not be in the
// catalog, its table must be.
func (b *Bound) DeriveIndex(x *catalog.Index) *IndexFacts {
	t := b.Catalog.Table(x.Table)
	f := &IndexFacts{Index: &Index{}, Order: b.order(0, x.OID)}
	f.Derived = Derived{fmt.Sprintf("no statistics for index %s: its size is derived from its keys", x.Name)}
	if t == nil {
		return f
	}
	_, rows, _ := b.Size(t.OID)
	if len(x.Predicate) > 0 {
		// How much a predicate leaves is for selectivity estimation to say; the
		// planner caps this at the table's rows.
		f.Derived = append(f.Derived, fmt.Sprintf("the rows of the partial index %s are not known", x.Name))
	}
	f.Tuples = rows
	method := ""
	if m := b.Catalog.Method(x.Method); m != nil {
		method = m.Name
	}
	switch method {
	case "brin":
		// A metapage, a page of the range map and one of summaries hold the
		// ranges of a gigabyte.
		pages, _, _ := b.Size(t.OID)
		f.Pages = 2 + math.Ceil(pages/float64(cmp.Or(x.PagesPerRange, 128))*float64(b.entryWidth(x)*2)/(BlockSize-pageHeader))
	default:
		leaves := b.leafPages(x, rows)
		total, height := leaves, 0
		for level := leaves; level > 1; height++ {
			level = b.above(x, level)
			total += level
		}
		f.Pages = total + 1
		if method == "btree" {
			f.Height = &height
		}
	}
	f.RelPages = f.Pages
	return f
}

// entryWidth is the space in bytes that an entry of an index takes on its page,
// line pointer included.
func (b *Bound) entryWidth(x *catalog.Index) int {
	data := 0
	for i, k := range x.Keys {
		w := 0
		if k.Column != 0 {
			w = b.Column(x.Table, k.Column, false).AvgWidth
		} else {
			w = b.IndexColumn(x, i+1).AvgWidth
		}
		if t := b.Catalog.Type(k.Type); t != nil && t.Len > 0 {
			switch t.Align {
			case 'd':
				data = maxalign(data)
			case 'i':
				data = (data + 3) &^ 3
			case 's':
				data = (data + 1) &^ 1
			}
		}
		data += w
	}
	return maxalign(indexHeader+data) + linePointer
}

// leafPages is the number of leaf pages of a btree after CREATE INDEX, with
// equal keys of an index that is not unique in posting lists.
func (b *Bound) leafPages(x *catalog.Index, rows float64) float64 {
	usable := float64((BlockSize - pageHeader - btreeSpecial) * cmp.Or(x.FillFactor, 90) / 100)
	entry := float64(b.entryWidth(x))
	bytes := rows * entry
	if groups := b.distinctKeys(x, rows); !x.Unique && groups > 0 && groups < rows && b.deduplicates(x) {
		// Each further row of a key is an item pointer of 6 bytes. A posting
		// list is at most a tenth of a page (nbtsort.c).
		perList := math.Max(math.Floor((BlockSize/10-entry)/6), 1)
		lists := groups * math.Ceil(rows/groups/perList)
		bytes = math.Min(bytes, float64(lists*entry)+float64(rows*6))
	}
	return math.Max(math.Ceil(bytes/usable), 1)
}

// distinctKeys is the number of different keys, 0 where it is not known.
func (b *Bound) distinctKeys(x *catalog.Index, rows float64) float64 {
	groups := 1.0
	for _, k := range x.Keys[:x.NumKeys] {
		if k.Column == 0 {
			return 0
		}
		c := b.Column(x.Table, k.Column, false)
		switch {
		case c.Column == nil || c.NDistinct == 0:
			return 0
		case c.NDistinct < 0:
			groups *= -c.NDistinct * rows
		default:
			groups *= c.NDistinct
		}
	}
	return math.Min(groups, rows)
}

// deduplicates reports whether equal keys are equal images, without which a
// btree does not merge them (_bt_allequalimage, nbtutils.c: support function 4).
func (b *Bound) deduplicates(x *catalog.Index) bool {
	if len(x.Keys) > x.NumKeys {
		return false
	}
	for _, k := range x.Keys {
		if !slices.ContainsFunc(b.Catalog.AmProcs(k.Family), func(p *catalog.AmProc) bool {
			return p.Number == 4 && p.Left == k.InType && p.Right == k.InType
		}) {
			return false
		}
	}
	return true
}

// above is the number of inner pages over a level of so many pages: one root
// that fills up before it splits, else pages that are 70 % full.
func (b *Bound) above(x *catalog.Index, level float64) float64 {
	full := math.Max(float64((BlockSize-pageHeader-btreeSpecial)/b.entryWidth(x)), 3)
	if level <= full {
		return 1
	}
	return math.Ceil(level / math.Max(full*0.7, 2))
}

// heightOf is the height of a btree of so many pages.
func (b *Bound) heightOf(x *catalog.Index, pages float64) int {
	height := 0
	for level := pages - 1; level > 1; height++ {
		level = b.above(x, level)
	}
	return height
}

// IndexSize returns what planning takes the size of an index to be: its pages,
// and its tuples, which are the table's unless the index is partial
// (get_relation_info and estimate_rel_size, plancat.c).
func (b *Bound) IndexSize(x *catalog.Index, f *IndexFacts, tableTuples float64) (pages, tuples float64) {
	if len(x.Predicate) == 0 {
		return f.Pages, tableTuples
	}
	pages = f.Pages
	if pages == 0 {
		return 0, 0
	}
	// The metapage has no tuples.
	current, then := pages, f.RelPages
	if then > 0 {
		current, then = current-1, then-1
	}
	density := 0.0
	if f.Tuples >= 0 && then > 0 {
		density = f.Tuples / then
	} else {
		width := heapHeader + linePointer
		for i := range x.Keys {
			width += b.IndexColumn(x, i+1).AvgWidth
		}
		density = float64((BlockSize - pageHeader) / width)
	}
	return pages, math.Min(math.RoundToEven(density*current), tableTuples)
}

// IndexColumn returns the statistics of the n-th column of an index, from 1:
// for an expression those that ANALYZE keeps of it, for a column the table's.
func (b *Bound) IndexColumn(x *catalog.Index, n int) *ColumnFacts {
	f := &ColumnFacts{}
	if n < 1 || n > len(x.Keys) {
		return f
	}
	k := x.Keys[n-1]
	if k.Column != 0 {
		return b.Column(x.Table, k.Column, false)
	}
	f.AvgWidth = TypeWidth(b.Catalog, k.Type, pgtype.NoTypmod)
	s := b.indexes[x.OID]
	if s == nil {
		f.Derived = Derived{fmt.Sprintf("no statistics for the expression of index %s", x.Name)}
		return f
	}
	for _, c := range s.Columns {
		if c.Number == n {
			b.fill(f, c)
		}
	}
	if what := b.hidden[Name(x.Schema, x.Name)]; f.Column == nil && what != "" {
		f.Derived = Derived{fmt.Sprintf("the collecting role could not read the %s of index %s", what, x.Name)}
	}
	return f
}
