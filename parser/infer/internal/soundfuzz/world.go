package soundfuzz

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// variants is how many states of the data each query runs on: empty tables, one
// sparse row each, mixed rows, and rows that repeat.
const variants = 4

// world is a schema, on servers and as a catalog, and its data. Each variant of
// the data has a database of its own.
type world struct {
	conns []*pgconn.PgConn
	// active are the variants that are run; the statements of the schema run on
	// the first of them first.
	active []int
	base   *catalog.Builtins
	cat    *catalog.Catalog
	schema []*node
	data   [variants][]*node
	// types and relations are the server's names of the schema's objects.
	types, relations map[uint32]string
	faults           []fault
	stats            *Stats
}

func newWorld(conns []*pgconn.PgConn, active []int, base *catalog.Builtins, stats *Stats) (*world, error) {
	w := &world{conns: conns, active: active, base: base, cat: catalog.New(base), stats: stats}
	for _, i := range active {
		if err := run(conns[i], "SET statement_timeout = '10s'; DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) first() *pgconn.PgConn { return w.conns[w.active[0]] }

func run(c *pgconn.PgConn, sql string) error {
	_, err := c.Exec(context.Background(), sql).ReadAll()
	return err
}

// state is the SQLSTATE of an error of the server.
func state(err error) string {
	var bad *pgconn.PgError
	if errors.As(err, &bad) {
		return bad.Code
	}
	return ""
}

// add runs a statement of the schema on the first database and on the catalog. It
// stays where both take it.
func (w *world) add(n *node) error {
	sql := n.String()
	file := source.NewFile("schema.sql", sql+";\n")
	list, diags := parser.ParseFiles([]*source.File{file}, parser.Schema)
	if err := run(w.first(), "BEGIN"); err != nil {
		return err
	}
	bad := run(w.first(), sql)
	if bad != nil && state(bad) == "" {
		return bad
	}
	cat := w.cat
	if bad != nil {
		cat = w.cat.Clone()
	}
	if !diags.HasErrors() {
		diags.Append(ddl.Apply(cat, list))
	}
	end := "ROLLBACK"
	switch {
	case bad == nil && diags.HasErrors():
		w.report("schema refused", generic(diags[0].SQLState+" "+diags[0].Message), firstError(diags)+" in "+sql)
		w.cat = cat.Clone()
	case bad == nil:
		end = "COMMIT"
		w.schema = append(w.schema, n)
	case strings.HasPrefix(sql, "CREATE FUNCTION") || strings.HasPrefix(sql, "CREATE MATERIALIZED"):
		// Bodies of functions are read for what they tell, not checked; a
		// materialised view is filled at once.
	case strings.HasPrefix(state(bad), "42") && !diags.HasErrors():
		w.report("schema accepted", generic(bad.Error()), bad.Error()+" in "+sql)
	}
	return run(w.first(), end)
}

func firstError(l diag.List) string {
	for _, d := range l {
		if d.Severity == diag.Error {
			return d.SQLState + " " + d.Message
		}
	}
	return ""
}

// firstState is the SQLSTATE of the first error.
func firstState(l diag.List) string {
	s, _, _ := strings.Cut(firstError(l), " ")
	return s
}

// settle brings the schema to the other databases and fills them.
func (w *world) settle() error {
	var all strings.Builder
	for _, n := range w.schema {
		all.WriteString(n.String() + ";\n")
	}
	for k, i := range w.active {
		c := w.conns[i]
		if k > 0 {
			if err := run(c, all.String()); err != nil && state(err) == "" {
				return err
			}
		}
		for _, n := range w.data[i] {
			err := run(c, n.String())
			if err != nil && state(err) == "" {
				return err
			}
			if err == nil {
				w.stats.Inserted++
			} else {
				w.stats.NotInserted++
				w.stats.Refusals[state(err)]++
			}
		}
		for _, t := range w.cat.Tables() {
			if t.Kind == catalog.KindMatView {
				if err := run(c, "REFRESH MATERIALIZED VIEW "+t.Name); err != nil && state(err) == "" {
					return err
				}
			}
		}
	}
	for _, i := range w.active {
		if err := run(w.conns[i], "SET statement_timeout = '700ms'"); err != nil {
			return err
		}
	}
	w.types, w.relations = map[uint32]string{}, map[uint32]string{}
	for query, into := range map[string]map[uint32]string{
		"SELECT oid, typname FROM pg_type WHERE oid >= 16384":  w.types,
		"SELECT oid, relname FROM pg_class WHERE oid >= 16384": w.relations,
	} {
		rows, err := w.rows(query)
		if err != nil {
			return err
		}
		for _, r := range rows {
			var oid uint32
			_, _ = fmt.Sscan(r[0], &oid)
			into[oid] = r[1]
		}
	}
	return w.compareCatalogs()
}

func (w *world) rows(sql string) ([][]string, error) {
	results, err := w.first().Exec(context.Background(), sql).ReadAll()
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, row := range results[0].Rows {
		var r []string
		for _, v := range row {
			r = append(r, string(v))
		}
		out = append(out, r)
	}
	return out, nil
}

// compareCatalogs holds the catalog's columns against pg_attribute.
func (w *world) compareCatalogs() error {
	rows, err := w.rows(`SELECT c.relname, a.attname, t.typname, a.attnotnull, a.atttypmod, a.attnum
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'c') AND a.attnum > 0 AND NOT a.attisdropped`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		t := w.cat.TableByName("public", r[0])
		got := "none"
		if t != nil {
			if c := t.Column(r[1]); c != nil {
				notNull := "f"
				if c.NotNull {
					notNull = "t"
				}
				got = fmt.Sprint(w.cat.Type(c.Type).Name, " ", notNull, " ", c.Typmod, " ", c.Number)
			}
		}
		if want := strings.Join(r[2:], " "); got != want {
			w.report("catalog", "columns differ", fmt.Sprintf("%s.%s is %s, not %s", r[0], r[1], want, got))
		}
	}
	return nil
}

// fill makes the data of every variant.
func (w *world) fill(g *generator) {
	for _, t := range w.cat.Tables() {
		if t.Kind != catalog.KindTable && t.Kind != catalog.KindPartitioned {
			continue
		}
		for range 5 {
			w.data[1] = append(w.data[1], g.insertRow(t, true))
		}
		for range 12 {
			w.data[2] = append(w.data[2], g.insertRow(t, g.chance(4)))
		}
		for range 7 {
			n := g.insertRow(t, g.chance(3))
			w.data[3] = append(w.data[3], n, n)
		}
	}
}

// build makes the world of a seed.
func build(conns []*pgconn.PgConn, base *catalog.Builtins, stats *Stats, seed uint64) (*world, error) {
	w, err := newWorld(conns, []int{0, 1, 2, 3}, base, stats)
	if err != nil {
		return nil, err
	}
	g := newGenerator(w.cat, seed, 0)
	g.calm = seed%2 == 0
	add := func(list ...*node) {
		for _, n := range list {
			if err == nil {
				err = w.add(n)
			}
			g.cat = w.cat
		}
	}
	add(g.typeStatements()...)
	for i := range 2 + g.n(3) {
		add(g.tableStatement(i)...)
	}
	g.collect()
	for i := range 2 + g.n(3) {
		add(g.functionStatement(i))
		g.collect()
		add(g.viewStatement(i))
		g.collect()
	}
	if err != nil {
		return nil, err
	}
	w.fill(g)
	return w, w.settle()
}

// rebuild makes a world of statements that were cut down, with some of the variants.
func rebuild(w *world, active []int, schema []*node, data [variants][]*node) (*world, error) {
	r, err := newWorld(w.conns, active, w.base, &Stats{Refusals: map[string]int{}})
	if err != nil {
		return nil, err
	}
	for _, n := range schema {
		if err := r.add(n); err != nil {
			return nil, err
		}
	}
	r.data = data
	return r, r.settle()
}

// typeName is a type as both sides can be compared by: the OID of a built-in one,
// the name of another.
func typeName(cat *catalog.Catalog, oid pgtype.OID) string {
	if t := cat.Type(oid); t != nil {
		return t.Name
	}
	return fmt.Sprint(oid)
}

func (w *world) serverType(oid uint32) string {
	if oid < uint32(pgtype.FirstNormalOID) {
		return typeName(w.cat, pgtype.OID(oid))
	}
	return w.types[oid]
}
