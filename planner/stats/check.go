package stats

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/dbgen/dbgen/parser/source"
)

// checker holds the values of a decoded file against each other.
type checker struct {
	*reader
	at   *node // the object that is being checked
	path string
}

// check reports what is well formed and yet cannot be true.
func (r *reader) check(root *node, file *File) {
	c := &checker{reader: r, at: root}
	if file.Level != "" && file.Level != LevelFull && file.Level != LevelShape {
		c.bad("level", "expected %q or %q, got %q", LevelFull, LevelShape, file.Level)
	}
	if file.Tables == nil {
		r.errorf(source.Span{Start: root.span.Start, End: root.span.Start + 1}, "the key \"tables\" is missing")
	}
	if s := file.Server; s != nil {
		c.in("server", func() { c.server(s) })
	}
	c.in("tables", func() {
		for _, name := range slices.Sorted(maps.Keys(file.Tables)) {
			rel := file.Tables[name]
			if _, _, err := ParseName(name); err != nil {
				c.badKey(name, "%v", err)
			}
			c.in(name, func() { c.relation(rel, file.Level) })
		}
	})
}

// in checks the value of a key of the present object.
func (c *checker) in(key string, check func()) {
	at, path := c.at, c.path
	c.at, c.path = c.at.get(key), join(c.path, key)
	if c.at != nil {
		check()
	}
	c.at, c.path = at, path
}

func (c *checker) bad(key, format string, args ...any) {
	at := c.at.span
	if n := c.at.get(key); n != nil {
		at = n.span
	}
	c.errorf(at, "%s%s", prefix(join(c.path, key)), fmt.Sprintf(format, args...))
}

func (c *checker) badKey(key, format string, args ...any) {
	for _, m := range c.at.members {
		if m.key == key {
			c.errorf(m.span, "%s%s", prefix(c.path), fmt.Sprintf(format, args...))
		}
	}
}

// badItem places a finding at one item of a list.
func (c *checker) badItem(key string, i int, format string, args ...any) {
	at := c.at.span
	if n := c.at.get(key); n != nil && i < len(n.items) {
		at = n.items[i].span
	}
	c.errorf(at, "%s%s", prefix(fmt.Sprintf("%s[%d]", join(c.path, key), i)), fmt.Sprintf(format, args...))
}

func (c *checker) count(key string, v float64) {
	if v < 0 {
		c.bad(key, "expected a number that is not negative, got %v", v)
	}
}

// countOrNone is a count where -1 stands for "never analysed".
func (c *checker) countOrNone(key string, v *float64) {
	if v != nil && *v < 0 && *v != -1 {
		c.bad(key, "expected a count, or -1 for a table that was never analysed, got %v", *v)
	}
}

func (c *checker) fraction(key string, v float64) {
	if v < 0 || v > 1 {
		c.bad(key, "expected a fraction between 0 and 1, got %v", v)
	}
}

func (c *checker) server(s *Server) {
	switch {
	case s.VersionNum < 90000 || s.VersionNum > 999999:
		c.bad("version_num", "expected server_version_num, such as 160004, got %d", s.VersionNum)
	case s.VersionNum < 150000:
		c.bad("version_num", "not supported yet: PostgreSQL %d; dbgen knows 15 to 18", s.VersionNum/10000)
	}
	if s.BlockSize != 0 && s.BlockSize != BlockSize {
		c.bad("block_size", "not supported yet: blocks of %d bytes", s.BlockSize)
	}
	if s.CollectedAt != "" {
		if _, err := time.Parse(time.RFC3339Nano, s.CollectedAt); err != nil {
			c.bad("collected_at", "expected a time such as 2026-11-20T08:15:00Z, got %q", s.CollectedAt)
		}
	}
}

func (c *checker) relation(rel *Relation, level string) {
	c.countOrNone("rows", rel.Rows)
	c.countOrNone("reltuples", rel.RelTuples)
	for _, x := range []struct {
		key string
		v   *float64
	}{{"pages", rel.Pages}, {"relpages", rel.RelPages}, {"all_visible", rel.AllVisible}} {
		// ANALYZE gives a partitioned table -1 pages.
		if x.v != nil && !(x.key == "relpages" && rel.Kind == "p" && *x.v == -1) {
			c.count(x.key, *x.v)
		}
	}
	c.count("mod_since_analyze", rel.ModSinceAnalyze)
	if rel.Kind != "" && (len(rel.Kind) != 1 || !strings.Contains("rpmf", rel.Kind)) {
		c.bad("kind", "expected r, p, m or f (pg_class.relkind), got %q", rel.Kind)
	}
	if rel.FillFactor != 0 && (rel.FillFactor < 10 || rel.FillFactor > 100) {
		c.bad("fillfactor", "expected a percentage from 10 to 100, got %d", rel.FillFactor)
	}
	if rel.ParallelWorkers != nil && *rel.ParallelWorkers < 0 {
		c.bad("parallel_workers", "expected a number that is not negative, got %d", *rel.ParallelWorkers)
	}
	if rel.Parent != "" && rel.Bound == "" {
		c.bad("parent", "a partition needs its bound as well")
	}
	c.columns("columns", rel.Columns, level)
	c.columns("tree", rel.Tree, level)
	c.in("indexes", func() {
		for _, name := range slices.Sorted(maps.Keys(rel.Indexes)) {
			c.in(name, func() { c.index(rel.Indexes[name], level) })
		}
	})
	for key, m := range map[string]map[string]*Extended{"extended": rel.Extended, "extended_tree": rel.ExtendedTree} {
		c.in(key, func() {
			for _, name := range slices.Sorted(maps.Keys(m)) {
				c.in(name, func() { c.extended(m[name], level) })
			}
		})
	}
}

func (c *checker) columns(key string, columns map[string]*Column, level string) {
	c.in(key, func() {
		numbers := map[int]string{}
		for _, name := range slices.Sorted(maps.Keys(columns)) {
			col := columns[name]
			if other, ok := numbers[col.Number]; ok && col.Number != 0 {
				c.badKey(name, "columns %q and %q have the same number", other, name)
			}
			numbers[col.Number] = name
			c.in(name, func() { c.column(col, level) })
		}
	})
}

func (c *checker) column(col *Column, level string) {
	if col.Number < 0 {
		c.bad("number", "expected an attribute number, got %d", col.Number)
	}
	if col.Width < 0 {
		c.bad("width", "expected a number of bytes, got %d", col.Width)
	}
	c.fraction("null_frac", col.NullFrac)
	if col.NDistinct < -1 {
		c.bad("n_distinct", "expected a count, or down to -1 for a share of the rows, got %v", col.NDistinct)
	}
	c.fraction("range_empty_frac", col.RangeEmptyFrac)
	if r := col.Correlation; r != nil && (*r < -1 || *r > 1) {
		c.bad("correlation", "expected a number from -1 to 1, got %v", *r)
	}
	// A file of the level shape has the frequencies without their values.
	if len(col.MCV) != len(col.MCF) && (level != LevelShape || len(col.MCV) > 0) {
		c.bad("mcf", "%d frequencies for %d values of mcv", len(col.MCF), len(col.MCV))
	}
	c.frequencies("mcf", col.MCF)
	c.ascending("histogram", col.Histogram, col.Type)
	for i, f := range col.MCElemFreqs {
		if (f < 0 || f > 1) && i < len(col.MCElem) {
			c.badItem("mc_elem_freqs", i, "expected a fraction between 0 and 1, got %v", float32(f))
		}
	}
	if n := len(col.MCElemFreqs) - len(col.MCElem); (n < 2 || n > 3) && len(col.MCElemFreqs)+len(col.MCElem) > 0 &&
		(level != LevelShape || len(col.MCElem) > 0) {
		c.bad("mc_elem_freqs", "expected 2 or 3 numbers more than the %d values of mc_elem, got %d", len(col.MCElem), len(col.MCElemFreqs))
	}
	for i := 1; i < len(col.ElemHist)-1; i++ {
		// The last one is the average, not a bound.
		if col.ElemHist[i] < col.ElemHist[i-1] {
			c.badItem("elem_hist", i, "the bounds must ascend: %v stands behind %v", float32(col.ElemHist[i]), float32(col.ElemHist[i-1]))
			break
		}
	}
	c.ascending("range_lengths", col.RangeLengths, "double precision")
}

// frequencies checks a list of shares of the rows: most common first, not more
// than all of them together.
func (c *checker) frequencies(key string, list []float64) {
	sum := 0.0
	for i, f := range list {
		if f < 0 || f > 1 {
			c.badItem(key, i, "expected a fraction between 0 and 1, got %v", float32(f))
			return
		}
		if i > 0 && f > list[i-1] {
			c.badItem(key, i, "the frequencies must descend: %v stands behind %v", float32(f), float32(list[i-1]))
			return
		}
		sum += f
	}
	// Each of the float4 terms may be off by its last digit.
	if sum > 1.001 {
		c.bad(key, "the frequencies add up to %.4g, more than 1", sum)
	}
}

// ascending checks the bounds of a histogram, as far as their order is known
// without the type's comparison: those of numbers.
func (c *checker) ascending(key string, bounds []string, typ string) {
	if len(bounds) == 1 {
		c.bad(key, "a histogram has at least two bounds")
	}
	base, _, _ := strings.Cut(typ, "(")
	switch base {
	case "smallint", "integer", "bigint", "numeric", "real", "double precision", "oid":
	default:
		return
	}
	var last *big.Float
	for i, text := range bounds {
		v, _, err := big.ParseFloat(text, 10, 256, big.ToNearestEven)
		if err != nil {
			if !slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, text) {
				c.badItem(key, i, "%q is no value of type %s", text, typ)
				return
			}
			last = nil
			continue
		}
		if last != nil && v.Cmp(last) < 0 {
			c.badItem(key, i, "the bounds must ascend: %s stands behind %s", text, bounds[i-1])
			return
		}
		last = v
	}
}

func (c *checker) index(x *Index, level string) {
	c.count("pages", x.Pages)
	c.count("relpages", x.RelPages)
	if x.Tuples < 0 && x.Tuples != -1 {
		c.bad("tuples", "expected a count, or -1 where there is none, got %v", x.Tuples)
	}
	if x.Height != nil && (*x.Height < 0 || *x.Height > 32) {
		c.bad("height", "expected the number of levels above the leaves, got %d", *x.Height)
	}
	if (x.Min == nil) != (x.Max == nil) {
		c.bad("min", "min and max go together")
	}
	if g := x.GIN; g != nil {
		c.in("gin", func() {
			c.count("pending_pages", g.PendingPages)
			c.count("total_pages", g.TotalPages)
			c.count("entry_pages", g.EntryPages)
			c.count("data_pages", g.DataPages)
			c.count("entries", g.Entries)
		})
	}
	c.columns("columns", x.Columns, level)
}

func (c *checker) extended(x *Extended, level string) {
	for i, k := range x.Columns {
		if k < 1 {
			c.badItem("columns", i, "expected an attribute number, got %d", k)
		}
	}
	if strings.Trim(x.Kinds, "dfme") != "" {
		c.bad("kinds", "expected letters of d, f, m and e (stxkind), got %q", x.Kinds)
	}
	if _, err := parseNDistinct(x.NDistinct); err != nil {
		c.bad("n_distinct", "%v", err)
	}
	if _, err := parseDependencies(x.Dependencies); err != nil {
		c.bad("dependencies", "%v", err)
	}
	width := len(x.Columns) + len(x.Exprs)
	for i, item := range x.MCV {
		if len(item.Values) != width && (level != LevelShape || len(item.Values) > 0) {
			c.badItem("mcv", i, "%d values for %d columns and expressions", len(item.Values), width)
			break
		}
		if item.Freq < 0 || item.Freq > 1 || item.BaseFreq < 0 || item.BaseFreq > 1 {
			c.badItem("mcv", i, "expected frequencies between 0 and 1")
			break
		}
	}
	if n := len(x.ExprStats); n != 0 && n != len(x.Exprs) {
		c.bad("expr_stats", "%d entries for %d expressions", n, len(x.Exprs))
	}
	if list := c.at.get("expr_stats"); list != nil {
		at := c.at
		for i, col := range x.ExprStats {
			c.at = list.items[i]
			c.column(col, level)
		}
		c.at = at
	}
}
