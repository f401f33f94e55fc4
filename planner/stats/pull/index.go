package pull

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/planner/stats"
)

// index is a row of pg_index with what is needed to probe it.
type index struct {
	oid       uint32
	name      string
	table     *relation
	method    string
	storage   bool
	predicate string
	readable  bool // the role may read the statistics of its expressions
	// userCode tells that its expressions or predicate call a function or
	// operator that is neither the server's nor an extension's.
	userCode bool
	keys     []key
	x        *stats.Index
	columns  []*column
}

// key is a key column of a btree index as ORDER BY takes it.
type key struct {
	expr      string
	collation string
	// less and greater are set where the operator class is not the type's
	// default one.
	less, greater    string
	desc, nullsFirst bool
	readable         bool // the role may read the column it is
}

func (k *key) order(reverse bool) string {
	var b strings.Builder
	b.WriteString("(" + k.expr + ")")
	if k.collation != "" {
		b.WriteString(" COLLATE " + k.collation)
	}
	desc := k.desc != reverse
	switch {
	case k.less != "" && desc:
		b.WriteString(" USING OPERATOR(" + k.greater + ")")
	case k.less != "":
		b.WriteString(" USING OPERATOR(" + k.less + ")")
	case desc:
		b.WriteString(" DESC")
	}
	if k.nullsFirst != reverse {
		b.WriteString(" NULLS FIRST")
	} else {
		b.WriteString(" NULLS LAST")
	}
	return b.String()
}

func (p *puller) indexes(ctx context.Context) error {
	rows, err := p.tx.Query(ctx, `
		SELECT i.indexrelid, c.relname::text, i.indrelid, am.amname::text, c.relkind = 'i', pg_get_indexdef(i.indexrelid),
		       coalesce((SELECT k.contype::text || ' ' || k.conname FROM pg_constraint k
		                 WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') AND k.conrelid = i.indrelid), ''),
		       c.relpages::float8, c.reltuples,
		       CASE WHEN c.relkind = 'i' THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END::float8,
		       NOT i.indisvalid OR NOT i.indisready OR NOT i.indislive,
		       coalesce(pg_get_expr(i.indpred, i.indrelid), ''), has_table_privilege(i.indexrelid, 'SELECT'),
		       EXISTS (SELECT FROM pg_depend d
		               WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
		                 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'))
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
		WHERE i.indrelid = ANY($1)
		ORDER BY i.indexrelid`, p.oids())
	if err != nil {
		return err
	}
	byOID := map[uint32]*index{}
	for rows.Next() {
		x := &index{x: &stats.Index{}}
		var table uint32
		var tuples float32
		var pages *float64
		if err := rows.Scan(&x.oid, &x.name, &table, &x.method, &x.storage, &x.x.Def, &x.x.Constraint, &x.x.RelPages, &tuples,
			&pages, &x.x.Invalid, &x.predicate, &x.readable, &x.userCode); err != nil {
			rows.Close()
			return err
		}
		x.table = p.byOID[table]
		x.x.OID, x.x.Tuples, x.x.Pages = x.oid, float64(tuples), deref(pages)
		if x.table.rel.Indexes == nil {
			x.table.rel.Indexes = map[string]*stats.Index{}
		}
		x.table.rel.Indexes[x.name] = x.x
		p.indexList = append(p.indexList, x)
		byOID[x.oid] = x
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return p.keys(ctx, byOID)
}

// keys reads the key columns of all indexes and the expressions among them.
func (p *puller) keys(ctx context.Context, byOID map[uint32]*index) error {
	oids := make([]uint32, len(p.indexList))
	for i, x := range p.indexList {
		oids[i] = x.oid
	}
	rows, err := p.tx.Query(ctx, `
		SELECT i.indexrelid, a.attname::text, a.attnum::int4, format_type(a.atttypid, a.atttypmod),
		       t.typdelim::text, coalesce(e.typdelim, ',')::text,
		       i.indkey[a.attnum - 1] = 0, a.attnum <= i.indnkeyatts, pg_get_indexdef(i.indexrelid, a.attnum, false),
		       CASE WHEN i.indkey[a.attnum - 1] <> 0 THEN has_column_privilege(i.indrelid, i.indkey[a.attnum - 1], 'SELECT')
		            ELSE has_table_privilege(i.indrelid, 'SELECT') END,
		       coalesce((SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
		        FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
		        WHERE a.attnum <= i.indnkeyatts AND co.oid = i.indcollation[a.attnum - 1]), ''),
		       coalesce((i.indoption[a.attnum - 1] & 1) <> 0 AND a.attnum <= i.indnkeyatts, false),
		       coalesce((i.indoption[a.attnum - 1] & 2) <> 0 AND a.attnum <= i.indnkeyatts, false),
		       coalesce(op.less, ''), coalesce(op.greater, '')
		FROM pg_index i
		JOIN pg_attribute a ON a.attrelid = i.indexrelid
		JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
		LEFT JOIN LATERAL (
			SELECT max(quote_ident(pn.nspname) || '.' || po.oprname) FILTER (WHERE ao.amopstrategy = 1) AS less,
			       max(quote_ident(pn.nspname) || '.' || po.oprname) FILTER (WHERE ao.amopstrategy = 5) AS greater
			FROM pg_opclass oc
			JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
			JOIN pg_am m ON m.oid = oc.opcmethod AND m.amname = 'btree'
			JOIN pg_operator po ON po.oid = ao.amopopr
			JOIN pg_namespace pn ON pn.oid = po.oprnamespace
			WHERE a.attnum <= i.indnkeyatts AND oc.oid = i.indclass[a.attnum - 1] AND NOT oc.opcdefault
		) op ON true
		WHERE i.indexrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY i.indexrelid, a.attnum`, oids)
	if err != nil {
		return err
	}
	for rows.Next() {
		var oid uint32
		var number int
		var typ string
		var isExpr, isKey, keyReadable bool
		var k key
		c := &column{}
		if err := rows.Scan(&oid, &c.name, &number, &typ, &c.delim, &c.elemDelim, &isExpr, &isKey, &k.expr, &keyReadable,
			&k.collation, &k.desc, &k.nullsFirst, &k.less, &k.greater); err != nil {
			rows.Close()
			return err
		}
		x := byOID[oid]
		if isKey {
			k.readable = keyReadable
			x.keys = append(x.keys, k)
		}
		if isExpr {
			c.col = &stats.Column{Number: number, Type: typ}
			if x.x.Columns == nil {
				x.x.Columns = map[string]*stats.Column{}
			}
			x.x.Columns[c.name] = c.col
			x.columns = append(x.columns, c)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, x := range p.indexList {
		if len(x.columns) > 0 && x.storage && !x.readable && !x.table.hiddenBy {
			p.hidden(stats.Name(x.table.schema, x.name), "statistics of its expressions", "GRANT pg_read_all_data TO "+rolePlaceholder)
		}
	}
	return nil
}

// probeable reports whether the role may run a query over the keys of x that
// says something about x.
func (x *index) probeable() bool {
	if x.method != "btree" || !x.storage || x.x.Invalid || x.x.Pages == 0 || !x.table.usable || x.table.hiddenBy {
		return false
	}
	if x.predicate != "" && !x.table.readable {
		return false
	}
	for _, k := range x.keys {
		if !k.readable {
			return false
		}
	}
	return true
}

// extended reads pg_stats_ext, which shows an object to the owner of its table
// alone, and pg_statistic_ext, which names all of them to everyone.
func (p *puller) extended(ctx context.Context) error {
	type object struct {
		rel *relation
		x   stats.Extended
		// name is the key in the file, seen is set by a row of pg_stats_ext.
		name string
		seen bool
		tree *stats.Extended
	}
	rows, err := p.tx.Query(ctx, `
		SELECT e.oid, e.stxrelid, n.nspname::text, e.stxname::text, pg_get_statisticsobjdef(e.oid),
		       e.stxkeys::int2[]::int4[], array_to_string(e.stxkind, ''),
		       coalesce(pg_get_statisticsobjdef_expressions(e.oid), '{}')
		FROM pg_statistic_ext e JOIN pg_namespace n ON n.oid = e.stxnamespace
		WHERE e.stxrelid = ANY($1) ORDER BY e.oid`, p.oids())
	if err != nil {
		return err
	}
	type place struct{ schema, name string }
	objects := map[place]*object{}
	var order []place
	for rows.Next() {
		var at place
		o := &object{}
		var table uint32
		if err := rows.Scan(&o.x.OID, &table, &at.schema, &at.name, &o.x.Def, &o.x.Columns, &o.x.Kinds, &o.x.Exprs); err != nil {
			rows.Close()
			return err
		}
		o.rel, o.name = p.byOID[table], stats.Name(at.schema, at.name)
		// What is empty is not in the file.
		if len(o.x.Columns) == 0 {
			o.x.Columns = nil
		}
		if len(o.x.Exprs) == 0 {
			o.x.Exprs = nil
		}
		objects[at] = o
		order = append(order, at)
	}
	if err := rows.Err(); err != nil || len(order) == 0 {
		return err
	}
	pick := func(at place, inherited bool) *stats.Extended {
		o := objects[at]
		if o == nil {
			return nil
		}
		o.seen = true
		if !inherited {
			return &o.x
		}
		if o.tree == nil {
			tree := o.x
			tree.NDistinct, tree.Dependencies, tree.MCV, tree.ExprStats = "", "", nil, nil
			o.tree = &tree
		}
		return o.tree
	}

	if rows, err = p.tx.Query(ctx, `
		SELECT s.statistics_schemaname::text, s.statistics_name::text, coalesce(s.inherited, false),
		       coalesce(s.n_distinct::text, ''), coalesce(s.dependencies::text, ''),
		       s.most_common_vals, s.most_common_freqs, s.most_common_base_freqs
		FROM pg_stats_ext s`); err != nil {
		return err
	}
	for rows.Next() {
		var at place
		var inherited bool
		var ndistinct, dependencies string
		var values textMatrix
		var freqs, base []float64
		if err := rows.Scan(&at.schema, &at.name, &inherited, &ndistinct, &dependencies, &values, &freqs, &base); err != nil {
			rows.Close()
			return err
		}
		x := pick(at, inherited)
		if x == nil {
			continue
		}
		x.NDistinct, x.Dependencies = ndistinct, dependencies
		for i := range freqs {
			item := stats.ExtMCV{Freq: freqs[i], BaseFreq: base[i], Values: values.row(i, len(freqs))}
			x.MCV = append(x.MCV, item)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}

	if rows, err = p.tx.Query(ctx, `
		SELECT s.statistics_schemaname::text, s.statistics_name::text, coalesce(s.inherited, false), s.expr, `+
		statsColumns(p.file.Server.VersionNum, "pg_stats_ext_exprs")+`
		FROM pg_stats_ext_exprs s`); err != nil {
		return err
	}
	for rows.Next() {
		var at place
		var inherited bool
		var expr string
		var s statsRow
		if err := rows.Scan(append([]any{&at.schema, &at.name, &inherited, &expr}, s.targets()...)...); err != nil {
			rows.Close()
			return err
		}
		x := pick(at, inherited)
		if x == nil || s.width == nil {
			continue
		}
		for i, e := range x.Exprs {
			if e != expr {
				continue
			}
			if x.ExprStats == nil {
				x.ExprStats = make([]*stats.Column, len(x.Exprs))
				for j := range x.ExprStats {
					x.ExprStats[j] = &stats.Column{}
				}
			}
			if err := s.fill(x.ExprStats[i], ",", ","); err != nil {
				rows.Close()
				return fmt.Errorf("%s.%s: %w", at.schema, at.name, err)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}

	for _, at := range order {
		o := objects[at]
		if !o.seen {
			p.hidden(o.name, "extended statistics", fmt.Sprintf("GRANT <owner of %s> TO %s", o.rel.key(), rolePlaceholder))
		}
		add(&o.rel.rel.Extended, o.name, &o.x)
		if o.tree != nil {
			add(&o.rel.rel.ExtendedTree, o.name, o.tree)
		}
	}
	return nil
}

func add(m *map[string]*stats.Extended, name string, x *stats.Extended) {
	if *m == nil {
		*m = map[string]*stats.Extended{}
	}
	(*m)[name] = x
}

// textMatrix is a two-dimensional text[] with NULLs.
type textMatrix struct {
	values []*string
}

// SetDimensions implements pgtype.ArraySetter.
func (m *textMatrix) SetDimensions(dims []pgtype.ArrayDimension) error {
	n := 0
	if len(dims) > 0 {
		n = 1
		for _, d := range dims {
			n *= int(d.Length)
		}
	}
	m.values = make([]*string, n)
	return nil
}

// ScanIndex implements pgtype.ArraySetter.
func (m *textMatrix) ScanIndex(i int) any { return &m.values[i] }

// ScanIndexType implements pgtype.ArraySetter.
func (m *textMatrix) ScanIndexType() any { return new(*string) }

// row returns one of n rows.
func (m *textMatrix) row(i, n int) []*string {
	width := len(m.values) / n
	return m.values[i*width : (i+1)*width]
}
