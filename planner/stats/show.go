package stats

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ShowFilter says what [Show] prints.
type ShowFilter struct {
	// Tables are patterns (path.Match) of names with or without a schema. With
	// none there is one line a table and nothing of columns.
	Tables []string
	// Columns prints columns and indexes of all tables as well.
	Columns bool
}

// Show prints a statistics file as tables for people: where it comes from, the
// relations by size with their rows, and on request their columns and indexes.
// The error is a bad pattern's or the writer's.
func Show(w io.Writer, file *File, filter ShowFilter) error {
	for _, p := range filter.Tables {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%q: %w", p, err)
		}
	}
	out := bufio.NewWriter(w)
	s := &shower{out: out, file: file}
	var keys []string
	for key := range file.Tables {
		if file.Tables[key] != nil && matches(filter.Tables, key) {
			keys = append(keys, key)
		}
	}
	size := func(key string) float64 {
		r := file.Tables[key]
		return *value(r.Pages, 0)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(size(b), size(a)), cmp.Compare(rowsOf(file.Tables[b]), rowsOf(file.Tables[a])), cmp.Compare(a, b))
	})
	detailed := filter.Columns || len(filter.Tables) > 0
	if !detailed {
		s.head()
	}
	s.tables(keys)
	if detailed {
		for _, key := range keys {
			s.relation(key)
		}
	} else {
		s.hidden()
	}
	return out.Flush()
}

func matches(patterns []string, key string) bool {
	if len(patterns) == 0 {
		return true
	}
	_, name, _ := ParseName(key)
	return slices.ContainsFunc(patterns, func(p string) bool {
		// The caller has looked at the patterns.
		whole, _ := path.Match(p, key)
		bare, _ := path.Match(p, name)
		return whole || bare
	})
}

// rowsOf is the number of rows that planning would assume, -1 where unknown.
func rowsOf(r *Relation) float64 {
	switch {
	case r.RelTuples == nil:
		return *value(r.Rows, -1)
	case *r.RelTuples >= 0 && *value(r.RelPages, 0) > 0 && r.Pages != nil:
		return math.RoundToEven(*r.RelTuples / *r.RelPages * *r.Pages)
	}
	return *r.RelTuples
}

type shower struct {
	out  *bufio.Writer
	file *File
}

func (s *shower) printf(format string, args ...any) {
	// A bufio.Writer keeps its error for Flush.
	_, _ = fmt.Fprintf(s.out, format, args...)
}

// table prints rows in columns; those that begin with ">" are aligned right.
func (s *shower) table(indent string, heads []string, rows [][]string) {
	right := make([]bool, len(heads))
	widths := make([]int, len(heads))
	for i := range heads {
		heads[i], right[i] = strings.CutPrefix(heads[i], ">")
	}
	for _, r := range append([][]string{heads}, rows...) {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range append([][]string{heads}, rows...) {
		line := indent
		for i, cell := range r {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if right[i] {
				line += pad + cell + "  "
			} else {
				line += cell + pad + "  "
			}
		}
		s.printf("%s\n", strings.TrimRight(line, " "))
	}
}

func (s *shower) head() {
	f := s.file
	if f.Server == nil {
		s.printf("written by hand\n\n")
		return
	}
	v := f.Server.VersionNum
	s.printf("PostgreSQL %d.%d, collected at %s, level %s\n", v/10000, v%10000, f.Server.CollectedAt, cmp.Or(f.Level, LevelFull))
	for _, name := range slices.Sorted(maps.Keys(f.Settings)) {
		s.printf("  %s = %s\n", name, f.Settings[name])
	}
	s.printf("\n")
}

func (s *shower) hidden() {
	if len(s.file.Hidden) == 0 {
		return
	}
	s.printf("\nnot readable for the role that collected:\n")
	for _, h := range s.file.Hidden {
		s.printf("  %s: %s\n    %s\n", h.Object, h.What, h.Grant)
	}
}

func (s *shower) tables(keys []string) {
	var rows [][]string
	for _, key := range keys {
		r := s.file.Tables[key]
		kind := map[string]string{"": "table", "r": "table", "p": "partitioned", "m": "materialized view", "f": "foreign table"}[r.Kind]
		if r.Parent != "" {
			kind = "partition"
		}
		pages, size, visible := "-", "-", "-"
		if r.Pages != nil {
			pages, size = count(*r.Pages), megabytes(*r.Pages)
			if *r.Pages > 0 && r.AllVisible != nil {
				visible = percent(math.Min(*r.AllVisible / *r.Pages, 1))
			}
		}
		indexPages := 0.0
		for _, x := range r.Indexes {
			indexPages += x.Pages
		}
		indexes := strconv.Itoa(len(r.Indexes))
		rows = append(rows, []string{key, kind, count(rowsOf(r)), pages, size, visible, indexes, megabytes(indexPages)})
	}
	s.table("", []string{"table", "kind", ">rows", ">pages", ">MB", ">visible", ">indexes", ">MB"}, rows)
}

func (s *shower) relation(key string) {
	r := s.file.Tables[key]
	s.printf("\n%s\n", key)
	if r.Parent != "" {
		s.printf("  partition of %s %s\n", r.Parent, r.Bound)
	}
	columns, note := r.Columns, ""
	if len(r.Tree) > 0 {
		for _, c := range r.Columns {
			if c.HasStats {
				note = "own rows"
			}
		}
		if note == "" {
			columns, note = r.Tree, "with all partitions"
		}
	}
	s.columns("  ", "column", note, columns)
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(r.Indexes)) {
		x := r.Indexes[name]
		height, ends := "-", ""
		if x.Height != nil {
			height = strconv.Itoa(*x.Height)
		}
		if x.Min != nil && x.Max != nil {
			ends = cut(*x.Min, 24) + " … " + cut(*x.Max, 24)
		}
		if x.Invalid {
			name += " (invalid)"
		}
		rows = append(rows, []string{name, count(x.Pages), megabytes(x.Pages), height, cut(keysOf(x.Def), 48), ends})
	}
	if len(rows) > 0 {
		s.printf("\n")
		s.table("  ", []string{"index", ">pages", ">MB", ">height", "keys", "from … to"}, rows)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Indexes)) {
		if x := r.Indexes[name]; len(x.Columns) > 0 {
			s.columns("    ", "expression of "+name, "", x.Columns)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Extended)) {
		x := r.Extended[name]
		s.printf("\n  statistics %s\n    %s\n", name, cmp.Or(x.Def, "kinds "+x.Kinds))
		if x.NDistinct != "" {
			s.printf("    distinct %s\n", cut(x.NDistinct, 100))
		}
		if x.Dependencies != "" {
			s.printf("    dependencies %s\n", cut(x.Dependencies, 100))
		}
		if len(x.MCV) > 0 {
			s.printf("    %d most common combinations\n", len(x.MCV))
		}
	}
}

func (s *shower) columns(indent, head, note string, columns map[string]*Column) {
	if len(columns) == 0 {
		return
	}
	names := slices.SortedFunc(maps.Keys(columns), func(a, b string) int {
		return cmp.Or(cmp.Compare(columns[a].Number, columns[b].Number), cmp.Compare(a, b))
	})
	var rows [][]string
	for _, name := range names {
		c := columns[name]
		typ := c.Type
		if c.NotNull {
			typ += " not null"
		}
		row := []string{name, typ, "-", "-", "-", "-", "never analysed"}
		if c.HasStats || byHand(c) {
			row = []string{name, typ, percent(c.NullFrac), strconv.Itoa(c.Width), distinct(c.NDistinct), "-", common(c)}
			if c.Correlation != nil {
				row[5] = strconv.FormatFloat(*c.Correlation, 'f', 2, 64)
			}
		}
		rows = append(rows, row)
	}
	if note != "" {
		head += " (" + note + ")"
	}
	s.printf("\n")
	s.table(indent, []string{head, "type", ">null", ">width", ">distinct", ">corr", "most common values"}, rows)
}

// common is the head of the list of most common values, or of the histogram
// where there is none.
func common(c *Column) string {
	const most = 60
	var b strings.Builder
	for i, f := range c.MCF {
		item := percent(f)
		if i < len(c.MCV) {
			item = cut(c.MCV[i], 20) + " " + item
		}
		if b.Len()+len(item) > most {
			fmt.Fprintf(&b, " … (%d)", len(c.MCF))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(item)
	}
	switch {
	case b.Len() > 0:
	case len(c.Histogram) > 1:
		return cut(c.Histogram[0], 28) + " … " + cut(c.Histogram[len(c.Histogram)-1], 28)
	case len(c.MCElem) > 0:
		return "elements " + cut(strings.Join(c.MCElem, ", "), most)
	}
	return b.String()
}

// keysOf is what stands behind USING in an index definition.
func keysOf(def string) string {
	_, keys, ok := strings.Cut(def, " USING ")
	if !ok {
		return def
	}
	return strings.TrimPrefix(keys, "btree ")
}

// cut shortens s to n characters and keeps it on one line.
func cut(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// count prints a number with its thousands apart.
func count(v float64) string {
	if v < 0 {
		return "unknown"
	}
	digits := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func megabytes(pages float64) string {
	return strconv.FormatFloat(pages*BlockSize/(1<<20), 'f', 1, 64)
}

func percent(f float64) string {
	v := f * 100
	switch {
	case v == 0:
		return "0%"
	case v < 0.1:
		return "<0.1%"
	case v < 10:
		return strconv.FormatFloat(v, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + "%"
}

// distinct prints n_distinct: a count, or a share of the rows where it is below
// zero.
func distinct(n float64) string {
	switch {
	case n == 0:
		return "unknown"
	case n == -1:
		return "unique"
	case n < 0:
		return percent(-n) + " of rows"
	}
	return count(n)
}
