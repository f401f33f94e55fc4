package pull

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// handlerFlags are the two flags of IndexAmRoutine that no SQL function tells.
type handlerFlags struct{ optionalKey, canParallel bool }

// flagsOf returns amoptionalkey and amcanparallel by access method, as the
// handlers set them in every version from 15 to 18: bthandler (nbtree.c),
// hashhandler (hash.c), gisthandler (gist.c), ginhandler (ginutil.c), spghandler
// (spgutils.c), brinhandler (brin.c). One of an extension is taken to be as blhandler
// (blutils.c) says of bloom, and as most are.
func flagsOf(name string) handlerFlags {
	switch name {
	case "btree":
		return handlerFlags{optionalKey: true, canParallel: true}
	case "hash":
		return handlerFlags{}
	}
	return handlerFlags{optionalKey: true}
}

// probe is an index definition over the probing table that shows what an access
// method can do at most.
func probe(name string) string {
	switch name {
	case "gin":
		return "tags"
	case "gist", "spgist":
		return "place"
	}
	return "id"
}

func methodColumns() []column {
	return []column{
		o("oid", ""), t("name", ""), t("kind", ""), b("can_order", ""), b("can_order_by_op", ""), b("can_unique", ""),
		b("can_multi_col", ""), b("optional_key", ""), b("search_array", ""), b("search_nulls", ""), b("can_parallel", ""),
		b("can_include", ""), b("gettuple", ""), b("getbitmap", ""),
	}
}

// method is a row of pg_am with the properties that it has without an index.
type method struct {
	oid                                 int
	name, kind                          string
	order, unique, multiCol, canInclude bool
}

// listMethods reads the rows of pg_am that a condition picks.
func listMethods(ctx context.Context, tx pgx.Tx, where string) ([]method, error) {
	rows, err := tx.Query(ctx, `select oid, amname, amtype::text,
		coalesce(pg_indexam_has_property(oid, 'can_order'), false), coalesce(pg_indexam_has_property(oid, 'can_unique'), false),
		coalesce(pg_indexam_has_property(oid, 'can_multi_col'), false), coalesce(pg_indexam_has_property(oid, 'can_include'), false)
		from pg_am where `+where+` order by oid`)
	if err != nil {
		return nil, fmt.Errorf("pg_am: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (method, error) {
		var m method
		var id uint32
		err := row.Scan(&id, &m.name, &m.kind, &m.order, &m.unique, &m.multiCol, &m.canInclude)
		m.oid = int(id)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("pg_am: %w", err)
	}
	return list, nil
}

// abilities are the properties that an index has by its method.
type abilities struct{ byOp, array, nulls, tuple, bitmap bool }

// indexAbilities asks for the properties of an index by its OID.
func indexAbilities(ctx context.Context, tx pgx.Tx, index uint32) (abilities, error) {
	var x abilities
	err := tx.QueryRow(ctx, `select coalesce(pg_index_column_has_property($1, 1, 'distance_orderable'), true),
		coalesce(pg_index_column_has_property($1, 1, 'search_array'), false),
		coalesce(pg_index_column_has_property($1, 1, 'search_nulls'), false),
		coalesce(pg_index_has_property($1, 'index_scan'), false), coalesce(pg_index_has_property($1, 'bitmap_scan'), false)`, index).
		Scan(&x.byOp, &x.array, &x.nulls, &x.tuple, &x.bitmap)
	return x, err
}

// row is the line of a method.
func (m method) row(x abilities) []string {
	var flags handlerFlags
	if m.kind == "i" {
		flags = flagsOf(m.name)
	}
	row := []string{strconv.Itoa(m.oid), m.name, m.kind}
	for _, v := range []bool{
		m.order, x.byOp, m.unique, m.multiCol, flags.optionalKey, x.array, x.nulls, flags.canParallel, m.canInclude, x.tuple, x.bitmap,
	} {
		row = append(row, strconv.FormatBool(v)[:1])
	}
	return row
}

// builtinMethods reads pg_am and asks the server for the properties of each
// index method, and of an index made with it.
func builtinMethods(ctx context.Context, tx pgx.Tx) (table, error) {
	out := table{name: "methods", columns: methodColumns()}
	list, err := listMethods(ctx, tx, "oid < 16384")
	if err != nil {
		return out, err
	}
	if _, err := tx.Exec(ctx, "create temporary table probing (id int, tags text[], place point)"); err != nil {
		return out, fmt.Errorf("probing table: %w", err)
	}
	for _, m := range list {
		var x abilities
		if m.kind == "i" {
			if x, err = probeIndex(ctx, tx, m.name, "pg_temp.probing", probe(m.name)); err != nil {
				return out, err
			}
		}
		out.rows = append(out.rows, m.row(x))
	}
	return out, nil
}

// probeIndex makes an index and asks for its properties.
func probeIndex(ctx context.Context, tx pgx.Tx, method, on, columns string) (abilities, error) {
	name := "probing_" + method
	_, err := tx.Exec(ctx, fmt.Sprintf("create index %s on %s using %s (%s)", pgx.Identifier{name}.Sanitize(), on,
		pgx.Identifier{method}.Sanitize(), columns))
	if err != nil {
		return abilities{}, fmt.Errorf("probing index: %w", err)
	}
	var index uint32
	if err := tx.QueryRow(ctx, "select oid from pg_class where relname = $1 and relnamespace = pg_my_temp_schema()", name).Scan(&index); err != nil {
		return abilities{}, fmt.Errorf("probing index: %w", err)
	}
	x, err := indexAbilities(ctx, tx, index)
	if err != nil {
		return x, fmt.Errorf("properties of %s: %w", method, err)
	}
	return x, nil
}

// extensionMethods reads an extension's access methods. Their properties are
// those of an index that is there, else of one made for the question; where
// neither can be, the method is one that scans nothing, which no plan uses.
func extensionMethods(ctx context.Context, tx pgx.Tx, e members) (table, error) {
	out := table{name: "methods", columns: methodColumns()}
	list, err := listMethods(ctx, tx, "oid in "+e.of("pg_am"))
	if err != nil {
		return out, err
	}
	for _, m := range list {
		var x abilities
		if m.kind == "i" {
			if x, err = methodAbilities(ctx, tx, m); err != nil {
				return out, fmt.Errorf("access method %s: %w", m.name, err)
			}
		}
		out.rows = append(out.rows, m.row(x))
	}
	return out, nil
}

func methodAbilities(ctx context.Context, tx pgx.Tx, m method) (abilities, error) {
	var index uint32
	err := tx.QueryRow(ctx, "select coalesce(min(oid), 0) from pg_class where relkind = 'i' and relam = $1", m.oid).Scan(&index)
	if err != nil {
		return abilities{}, err
	}
	if index != 0 {
		return indexAbilities(ctx, tx, index)
	}
	// A type may want a modifier before it can be indexed.
	rows, err := tx.Query(ctx, `select format('%I.%I', tn.nspname, t.typname), format('%I.%I', cn.nspname, c.opcname)
		from pg_opclass c join pg_namespace cn on cn.oid = c.opcnamespace
		join pg_type t on t.oid = c.opcintype join pg_namespace tn on tn.oid = t.typnamespace
		where c.opcmethod = $1 order by c.oid`, m.oid)
	if err != nil {
		return abilities{}, err
	}
	type class struct{ Type, Name string }
	classes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[class])
	if err != nil {
		return abilities{}, err
	}
	for _, c := range classes {
		for _, mod := range []string{"", "(3)"} {
			x, err := tryIndex(ctx, tx, m.name, c.Type+mod, c.Name)
			if err == nil {
				return x, nil
			}
			if ctx.Err() != nil || errors.Is(err, pgx.ErrTxClosed) {
				return abilities{}, err
			}
		}
	}
	return abilities{}, nil
}

// tryIndex makes a table and an index in a savepoint that is rolled back.
func tryIndex(ctx context.Context, tx pgx.Tx, method, typ, class string) (x abilities, err error) {
	sub, err := tx.Begin(ctx)
	if err != nil {
		return x, err
	}
	defer sub.Rollback(ctx) //nolint:errcheck // nothing is kept
	if _, err := sub.Exec(ctx, "create temporary table probing (v "+typ+")"); err != nil {
		return x, err
	}
	return probeIndex(ctx, sub, method, "pg_temp.probing", "v "+class)
}
