package pull

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/planner/stats"
)

// column is a column of a table, or an expression of an index.
type column struct {
	name     string
	readable bool
	col      *stats.Column
	// delim and elemDelim separate the values of an array of the type, and of
	// an array of its elements (pg_type.typdelim).
	delim, elemDelim string
}

func (p *puller) columns(ctx context.Context) error {
	rows, err := p.tx.Query(ctx, `
		SELECT a.attrelid, a.attname::text, a.attnum::int4, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		       has_column_privilege(a.attrelid, a.attnum, 'SELECT'), t.typdelim::text, coalesce(e.typdelim, ',')::text
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
		WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY a.attrelid, a.attnum`, p.oids())
	if err != nil {
		return err
	}
	var oid uint32
	c := column{}
	var number int
	var typ string
	var notNull bool
	_, err = pgx.ForEachRow(rows, []any{&oid, &c.name, &number, &typ, &notNull, &c.readable, &c.delim, &c.elemDelim}, func() error {
		r, next := p.byOID[oid], c
		next.col = &stats.Column{Number: number, Type: typ, NotNull: notNull}
		if r.rel.Columns == nil {
			r.rel.Columns = map[string]*stats.Column{}
		}
		r.rel.Columns[next.name] = next.col
		r.columns = append(r.columns, &next)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range p.rels {
		p.hiddenColumns(r)
	}
	return nil
}

// hiddenColumns names the columns whose rows pg_stats does not show to the role
// (its definition asks for SELECT on the column and for no row security).
func (p *puller) hiddenColumns(r *relation) {
	if r.kind == "f" || len(r.columns) == 0 {
		return
	}
	if r.hiddenBy {
		p.hidden(r.key(), "column statistics (row security is in force)", "ALTER ROLE "+rolePlaceholder+" BYPASSRLS")
		return
	}
	var names []string
	for _, c := range r.columns {
		if !c.readable {
			names = append(names, c.name)
		}
	}
	grant := fmt.Sprintf("GRANT SELECT ON %s TO %s", r.sql(), rolePlaceholder)
	if !r.usable {
		grant = fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s; %s", stats.QuoteIdent(r.schema), rolePlaceholder, grant)
	}
	switch {
	case len(names) == len(r.columns):
		p.hidden(r.key(), "column statistics", grant)
	case len(names) > 0:
		p.hidden(r.key(), "column statistics of "+strings.Join(names, ", "), grant)
	}
}

// statsRow is what pg_stats and pg_stats_ext_exprs have in common. Values come
// as text: anyarray has no binary form that a client could know.
type statsRow struct {
	nullFrac, nDistinct, correlation *float32
	width                            *int
	mcv, histogram, elems            *string
	mcf, elemFreqs, elemHist         []float32
	lengths, bounds                  *string
	emptyFrac                        *float32
}

func (s *statsRow) targets() []any {
	return []any{
		&s.nullFrac, &s.width, &s.nDistinct, &s.mcv, &s.mcf, &s.histogram, &s.correlation,
		&s.elems, &s.elemFreqs, &s.elemHist, &s.lengths, &s.emptyFrac, &s.bounds,
	}
}

// statsColumns is the select list for [statsRow.targets]; s is the view. The
// range columns came with 17.
func statsColumns(version int, view string) string {
	list := `s.null_frac, s.avg_width, s.n_distinct, s.most_common_vals::text, s.most_common_freqs,
		s.histogram_bounds::text, s.correlation, s.most_common_elems::text, s.most_common_elem_freqs, s.elem_count_histogram, `
	if version >= 170000 && view == "pg_stats" {
		return list + `s.range_length_histogram::text, s.range_empty_frac, s.range_bounds_histogram::text`
	}
	return list + `NULL::text, NULL::float4, NULL::text`
}

// fill stores the row in c.
func (s *statsRow) fill(c *stats.Column, delim, elemDelim string) error {
	c.HasStats = true
	c.NullFrac, c.NDistinct, c.Width = float64(deref(s.nullFrac)), float64(deref(s.nDistinct)), deref(s.width)
	if s.correlation != nil {
		v := float64(*s.correlation)
		c.Correlation = &v
	}
	c.MCF, c.MCElemFreqs, c.ElemHist = widen(s.mcf), widen(s.elemFreqs), widen(s.elemHist)
	c.RangeEmptyFrac = float64(deref(s.emptyFrac))
	for _, list := range []struct {
		to    *[]string
		from  *string
		delim string
	}{
		{&c.MCV, s.mcv, delim},
		{&c.Histogram, s.histogram, delim},
		{&c.MCElem, s.elems, elemDelim},
		{&c.RangeLengths, s.lengths, ","},
		{&c.RangeBounds, s.bounds, ","},
	} {
		if list.from == nil {
			continue
		}
		values, err := parseArray(*list.from, list.delim[0])
		if err != nil {
			return err
		}
		*list.to = values
	}
	return nil
}

func widen(list []float32) []float64 {
	if list == nil {
		return nil
	}
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = float64(v)
	}
	return out
}

// parseArray takes a one-dimensional array without NULLs apart into the text
// forms of its elements (array_out, arrayfuncs.c).
func parseArray(text string, delim byte) ([]string, error) {
	body, ok := strings.CutPrefix(text, "{")
	if !ok || !strings.HasSuffix(body, "}") {
		return nil, fmt.Errorf("not an array: %.40q", text)
	}
	body = strings.TrimSuffix(body, "}")
	var out []string
	for len(body) > 0 {
		var b strings.Builder
		i := 0
		if body[0] == '"' {
			for i = 1; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
				if i < len(body) {
					b.WriteByte(body[i])
				}
			}
			if i >= len(body) {
				return nil, fmt.Errorf("not an array: %.40q", text)
			}
			i++
		} else {
			for ; i < len(body) && body[i] != delim; i++ {
				if body[i] == '\\' && i+1 < len(body) {
					i++
				}
				b.WriteByte(body[i])
			}
		}
		out = append(out, b.String())
		if i < len(body) && body[i] != delim {
			return nil, fmt.Errorf("not a flat array: %.40q", text)
		}
		body = body[min(i+1, len(body)):]
	}
	return out, nil
}

func (p *puller) columnStats(ctx context.Context) error {
	type place struct{ schema, relation, column string }
	tables := map[place]*column{}
	owner := map[place]*relation{}
	var names []string
	for _, r := range p.rels {
		names = append(names, r.name)
		for _, c := range r.columns {
			key := place{r.schema, r.name, c.name}
			tables[key], owner[key] = c, r
		}
	}
	for _, x := range p.indexList {
		names = append(names, x.name)
		for _, c := range x.columns {
			tables[place{x.table.schema, x.name, c.name}] = c
		}
	}
	rows, err := p.tx.Query(ctx, `
		SELECT s.schemaname::text, s.tablename::text, s.attname::text, s.inherited, `+
		statsColumns(p.file.Server.VersionNum, "pg_stats")+`
		FROM pg_stats s WHERE s.tablename = ANY($1)`, names)
	if err != nil {
		return err
	}
	for n := 0; rows.Next(); n++ {
		var key place
		var inherited bool
		var s statsRow
		if err := rows.Scan(append([]any{&key.schema, &key.relation, &key.column, &inherited}, s.targets()...)...); err != nil {
			rows.Close()
			return err
		}
		c := tables[key]
		if c == nil {
			continue
		}
		col := c.col
		if inherited {
			rel := owner[key].rel
			if rel.Tree == nil {
				rel.Tree = map[string]*stats.Column{}
			}
			col = &stats.Column{Number: col.Number, Type: col.Type, NotNull: col.NotNull}
			rel.Tree[key.column] = col
		}
		if err := s.fill(col, c.delim, c.elemDelim); err != nil {
			rows.Close()
			return fmt.Errorf("%s.%s: %w", stats.Name(key.schema, key.relation), key.column, err)
		}
		if n%100 == 99 {
			p.progress(n, len(tables))
		}
	}
	return rows.Err()
}
