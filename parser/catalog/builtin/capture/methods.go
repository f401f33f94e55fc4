package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// handlerFlags are the two flags of IndexAmRoutine that no SQL function tells.
type handlerFlags struct{ optionalKey, canParallel bool }

// flagsOf returns amoptionalkey and amcanparallel by access method, as the
// handlers set them in every version from 15 to 18: bthandler (nbtree.c),
// hashhandler (hash.c), gisthandler (gist.c), ginhandler (ginutil.c), spghandler
// (spgutils.c), brinhandler (brin.c).
func flagsOf(name string) (handlerFlags, error) {
	switch name {
	case "btree":
		return handlerFlags{optionalKey: true, canParallel: true}, nil
	case "hash":
		return handlerFlags{}, nil
	case "gist", "gin", "spgist", "brin":
		return handlerFlags{optionalKey: true}, nil
	}
	return handlerFlags{}, fmt.Errorf("access method %s: its handler's flags are not known", name)
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

// probeMethods reads pg_am and asks the server for the properties of each index
// method, and of an index made with it.
func probeMethods(ctx context.Context, tx pgx.Tx) (table, error) {
	s := &section{name: "methods", columns: []column{
		o("oid", ""), t("name", ""), t("kind", ""), b("can_order", ""), b("can_order_by_op", ""), b("can_unique", ""),
		b("can_multi_col", ""), b("optional_key", ""), b("search_array", ""), b("search_nulls", ""), b("can_parallel", ""),
		b("can_include", ""), b("gettuple", ""), b("getbitmap", ""),
	}}
	out := table{section: s}
	rows, err := tx.Query(ctx, `select oid, amname, amtype::text,
		coalesce(pg_indexam_has_property(oid, 'can_order'), false), coalesce(pg_indexam_has_property(oid, 'can_unique'), false),
		coalesce(pg_indexam_has_property(oid, 'can_multi_col'), false), coalesce(pg_indexam_has_property(oid, 'can_include'), false)
		from pg_am where oid < 16384 order by oid`)
	if err != nil {
		return out, fmt.Errorf("pg_am: %w", err)
	}
	type method struct {
		oid                                int
		name, kind                         string
		order, unique, multiCol, canInclud bool
	}
	methods, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (method, error) {
		var m method
		var id uint32
		err := row.Scan(&id, &m.name, &m.kind, &m.order, &m.unique, &m.multiCol, &m.canInclud)
		m.oid = int(id)
		return m, err
	})
	if err != nil {
		return out, fmt.Errorf("pg_am: %w", err)
	}
	if _, err := tx.Exec(ctx, "create temporary table probing (id int, tags text[], place point)"); err != nil {
		return out, fmt.Errorf("probing table: %w", err)
	}
	for _, m := range methods {
		var byOp, array, nulls, tuple, bitmap bool
		var flags handlerFlags
		if m.kind == "i" {
			if flags, err = flagsOf(m.name); err != nil {
				return out, err
			}
			name := "probing_" + m.name
			_, err := tx.Exec(ctx, fmt.Sprintf("create index %s on pg_temp.probing using %s (%s)", name, m.name, probe(m.name)))
			if err != nil {
				return out, fmt.Errorf("probing index: %w", err)
			}
			err = tx.QueryRow(ctx, `select coalesce(pg_index_column_has_property(i, 1, 'distance_orderable'), false),
				coalesce(pg_index_column_has_property(i, 1, 'search_array'), false),
				coalesce(pg_index_column_has_property(i, 1, 'search_nulls'), false),
				coalesce(pg_index_has_property(i, 'index_scan'), false), coalesce(pg_index_has_property(i, 'bitmap_scan'), false)
				from (select oid as i from pg_class where relname = $1 and relnamespace = pg_my_temp_schema()) x`, name).
				Scan(&byOp, &array, &nulls, &tuple, &bitmap)
			if err != nil {
				return out, fmt.Errorf("properties of %s: %w", m.name, err)
			}
		}
		row := []string{strconv.Itoa(m.oid), m.name, m.kind}
		for _, v := range []bool{
			m.order, byOp, m.unique, m.multiCol, flags.optionalKey, array, nulls, flags.canParallel, m.canInclud, tuple, bitmap,
		} {
			row = append(row, strconv.FormatBool(v)[:1])
		}
		out.rows = append(out.rows, row)
	}
	return out, nil
}
