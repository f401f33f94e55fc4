package pull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// FileHead is the first line of a file of extensions.
const FileHead = "dbgen-catalog/1"

// Extension is a captured extension.
type Extension struct {
	Name, Version string
	// Majors are the major versions of PostgreSQL on which it is like this.
	Majors []int
	// Versions are those that the server can install, nil where not asked for.
	Versions []string
	// Schema is the schema that the control file fixes, "" for none.
	Schema      string
	Relocatable bool
	// Requires are the extensions that it needs, by name.
	Requires []string
	// Objects is how many OIDs of its own its sections name.
	Objects int
	// Text are its sections.
	Text string
}

// Format writes extensions as one file: [FileHead], then each with a head line
// ("=== " and name, version, majors, schema, relocatable, requires, how many
// objects, versions, between tabs) before its sections.
func Format(list []*Extension) string {
	var b strings.Builder
	b.WriteString(FileHead + "\n")
	for _, e := range list {
		majors := make([]string, len(e.Majors))
		for i, m := range e.Majors {
			majors[i] = strconv.Itoa(m)
		}
		b.WriteString("=== " + strings.Join([]string{
			e.Name, e.Version, strings.Join(majors, " "), e.Schema, strconv.FormatBool(e.Relocatable)[:1],
			strings.Join(e.Requires, " "), strconv.Itoa(e.Objects), strings.Join(e.Versions, " "),
		}, "\t") + "\n" + e.Text)
	}
	return b.String()
}

// firstLocal is the first number that an extension's own objects have in its
// sections; those of other extensions follow.
const firstLocal = firstNormal

// Installed returns the extensions that a database has, by name.
func Installed(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	return names(ctx, conn, "select extname::text from pg_extension order by extname collate \"C\"")
}

// Available returns the extensions that a server could create, by name.
func Available(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	return names(ctx, conn, "select name::text from pg_available_extensions order by name collate \"C\"")
}

func names(ctx context.Context, conn *pgx.Conn, sql string) ([]string, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("list extensions: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list extensions: %w", err)
	}
	return list, nil
}

// Create captures an extension that the database does not have: it is created,
// with those that it requires, in a transaction that is rolled back.
func Create(ctx context.Context, conn *pgx.Conn, name string) (*Extension, error) {
	return inTransaction(ctx, conn, func(tx pgx.Tx) (*Extension, error) {
		if _, err := tx.Exec(ctx, "create extension if not exists "+pgx.Identifier{name}.Sanitize()+" cascade"); err != nil {
			return nil, fmt.Errorf("create extension %s: %w", name, err)
		}
		e, err := extension(ctx, tx, name)
		if err != nil {
			return nil, err
		}
		rows, err := tx.Query(ctx, "select version::text from pg_available_extension_versions where name = $1 order by version collate \"C\"", name)
		if err != nil {
			return nil, fmt.Errorf("versions of %s: %w", name, err)
		}
		if e.Versions, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return nil, fmt.Errorf("versions of %s: %w", name, err)
		}
		return e, nil
	})
}

// Read captures an extension that the database has. Nothing is changed: what
// asking takes is rolled back.
func Read(ctx context.Context, conn *pgx.Conn, name string) (*Extension, error) {
	return inTransaction(ctx, conn, func(tx pgx.Tx) (*Extension, error) { return extension(ctx, tx, name) })
}

func inTransaction(ctx context.Context, conn *pgx.Conn, fn func(pgx.Tx) (*Extension, error)) (*Extension, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(ctx) //nolint:errcheck // nothing is kept
	return fn(tx)
}

// extension captures an extension that the transaction sees.
func extension(ctx context.Context, tx pgx.Tx, name string) (*Extension, error) {
	e := &Extension{Name: name, Majors: []int{0}}
	var id uint32
	var schema string
	err := tx.QueryRow(ctx, `select e.oid, extversion, extrelocatable, nspname, current_setting('server_version_num')::int / 10000,
		coalesce((select v.schema from pg_available_extension_versions v where v.name = extname and v.version = extversion), ''),
		array(select q.extname::text from pg_depend d join pg_extension q on q.oid = d.refobjid
			where d.classid = 'pg_extension'::regclass and d.objid = e.oid and d.refclassid = 'pg_extension'::regclass
			order by q.extname collate "C")
		from pg_extension e join pg_namespace n on n.oid = extnamespace where extname = $1`, name).
		Scan(&id, &e.Version, &e.Relocatable, &schema, &e.Majors[0], &e.Schema, &e.Requires)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("the database has no extension %q", name)
	}
	if err != nil {
		return nil, fmt.Errorf("extension %s: %w", name, err)
	}
	// Expressions are printed as the extension's own schema and those that it
	// requires see them.
	if _, err := tx.Exec(ctx, `select set_config('search_path', string_agg(distinct format('%I', nspname), ', '), true)
		from (select $1::text as nspname union select n.nspname from pg_extension e join pg_namespace n on n.oid = extnamespace
			where extname = any($2)) s`, schema, e.Requires); err != nil {
		return nil, fmt.Errorf("search path: %w", err)
	}
	m := members(id)
	list := sections()
	tables := make([]table, 0, len(list)+1)
	for i := range list {
		t, err := read(ctx, tx, &list[i], append(slices.Clip(list[i].columns), list[i].extra...), list[i].member(m))
		if err != nil {
			return nil, fmt.Errorf("extension %s: %s: %w", name, list[i].name, err)
		}
		tables = append(tables, t)
	}
	methods, err := extensionMethods(ctx, tx, m)
	if err != nil {
		return nil, fmt.Errorf("extension %s: %w", name, err)
	}
	tables = append(tables, methods)
	unqualify(tables, schema)
	refs, err := localize(ctx, tx, e, tables)
	if err != nil {
		return nil, fmt.Errorf("extension %s: %w", name, err)
	}
	e.Text = print(slices.DeleteFunc(append([]table{refs}, tables...), func(t table) bool { return len(t.rows) == 0 }))
	return e, nil
}

// unqualify empties the names of the schema that the extension is in: CREATE
// EXTENSION says which it will be.
func unqualify(tables []table, schema string) {
	for _, t := range tables {
		for i, c := range t.columns {
			for _, row := range t.rows {
				if c.kind == schemaName && row[i] == schema {
					row[i] = ""
				}
			}
		}
	}
}

// ref is an object of another extension, or one of the server without a pinned
// OID, that an extension's objects name.
type ref struct {
	oid                            int
	class, extension, schema, name string
	types                          []int
}

// localize numbers the extension's own objects from firstLocal on, in the order
// of their OIDs, and what they name of others behind them; it returns the table
// that says who those are. Memberships in operator families that name objects
// of an extension that is not required are that one's.
func localize(ctx context.Context, tx pgx.Tx, e *Extension, tables []table) (table, error) {
	out := table{name: "refs", columns: []column{
		o("oid", ""), t("class", ""), t("extension", ""), t("schema", ""), t("name", ""), l("types", ""),
	}}
	var own, foreign []int
	for _, t := range tables {
		if t.columns[0].name != "oid" {
			continue
		}
		for _, row := range t.rows {
			n, err := strconv.Atoi(row[0])
			if err != nil {
				return out, fmt.Errorf("section %s: %w", t.name, err)
			}
			own = append(own, n)
		}
	}
	slices.Sort(own)
	each(tables, func(n int) int {
		if _, mine := slices.BinarySearch(own, n); n >= firstUnpinned && !mine {
			foreign = append(foreign, n)
		}
		return n
	})
	slices.Sort(foreign)
	refs, err := describe(ctx, tx, e, slices.Compact(foreign))
	if err != nil {
		return out, err
	}
	known := map[int]bool{}
	for _, r := range refs {
		known[r.oid] = true
	}
	for i := range tables {
		if tables[i].name != "amops" && tables[i].name != "amprocs" {
			continue
		}
		tables[i].rows = slices.DeleteFunc(tables[i].rows, func(row []string) bool {
			gone := false
			each([]table{{columns: tables[i].columns, rows: [][]string{slices.Clone(row)}}}, func(n int) int {
				_, mine := slices.BinarySearch(own, n)
				gone = gone || n >= firstUnpinned && !mine && !known[n]
				return n
			})
			return gone
		})
	}
	local := map[int]int{}
	for i, n := range own {
		local[n] = firstLocal + i
	}
	for i, r := range refs {
		local[r.oid] = firstLocal + len(own) + i
		types := make([]string, len(r.types))
		for k, n := range r.types {
			types[k] = strconv.Itoa(n)
		}
		out.rows = append(out.rows, []string{strconv.Itoa(r.oid), r.class, r.extension, r.schema, r.name, strings.Join(types, " ")})
	}
	var stray error
	each(append([]table{out}, tables...), func(n int) int {
		if n < firstUnpinned {
			return n
		}
		to, ok := local[n]
		if !ok {
			stray = fmt.Errorf("its objects name one with OID %d, which is of no extension that it requires", n)
		}
		return to
	})
	for _, t := range tables {
		if t.columns[0].name != "oid" && t.name != "columns" {
			sortRows(t)
		}
	}
	e.Objects = len(own)
	return out, stray
}

// sortRows orders rows that have no OID by their values, numbers as numbers: the
// order that the server gave hung on the OIDs that it had.
func sortRows(t table) {
	slices.SortFunc(t.rows, func(a, b []string) int {
		for i := range a {
			x, errX := strconv.Atoi(a[i])
			y, errY := strconv.Atoi(b[i])
			c := cmp.Compare(a[i], b[i])
			if errX == nil && errY == nil {
				c = cmp.Compare(x, y)
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

// describe finds out what OIDs mean: types first, so that the other objects can
// name theirs. What is neither the server's nor of a required extension is left
// out.
func describe(ctx context.Context, tx pgx.Tx, e *Extension, oids []int) ([]ref, error) {
	if len(oids) == 0 {
		return nil, nil
	}
	const member = ` left join (pg_depend d join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
		and d.deptype = 'e') on d.objid = coalesce(%[2]s, x.oid) and d.classid = any(array['%[1]s'::regclass, 'pg_class'::regclass]) `
	one := func(class, catalog, schema, name, types, member2 string) string {
		owner := "x.oid"
		if member2 != "" {
			owner = member2
		}
		return fmt.Sprintf(`select x.oid, '%s', coalesce(e.extname, ''), coalesce(n.nspname, ''), %s, %s from %s x
			left join pg_namespace n on n.oid = %s`+fmt.Sprintf(member, catalog, owner)+`
			where x.oid = any($1::oid[]) and (e.extname = any($2) or x.oid < 16384)`, class, name, types, catalog, schema)
	}
	const none = "'{}'::oid[]"
	// An array belongs to whom its elements belong, a multirange to its range.
	const owner = `(select coalesce(case when m.typrelid <> 0 and c.relkind <> 'c' then m.typrelid end, m.oid)
		from pg_type m left join pg_class c on c.oid = m.typrelid
		where m.oid = coalesce((select r.rngtypid from pg_range r where r.rngmultitypid = x.oid), nullif(x.typelem, 0), x.oid))`
	sql := strings.Join([]string{
		one("type", "pg_type", "typnamespace", "typname", none, owner),
		one("function", "pg_proc", "pronamespace", "proname", "proargtypes::oid[]", ""),
		one("operator", "pg_operator", "oprnamespace", "oprname", "array[oprleft, oprright]", ""),
		one("opfamily", "pg_opfamily", "opfnamespace", "opfname", "array[opfmethod]", ""),
		one("opclass", "pg_opclass", "opcnamespace", "opcname", "array[opcmethod]", ""),
		one("collation", "pg_collation", "collnamespace", "collname", none, ""),
		one("relation", "pg_class", "relnamespace", "relname", none, ""),
		one("method", "pg_am", "null::oid", "amname", none, ""),
	}, "\nunion all ")
	ids := make([]uint32, len(oids))
	for i, n := range oids {
		ids[i] = uint32(n)
	}
	rows, err := tx.Query(ctx, sql, ids, e.Requires)
	if err != nil {
		return nil, fmt.Errorf("references: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref, error) {
		var r ref
		var id uint32
		var types []uint32
		err := row.Scan(&id, &r.class, &r.extension, &r.schema, &r.name, &types)
		r.oid = int(id)
		for _, t := range types {
			r.types = append(r.types, int(t))
		}
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("references: %w", err)
	}
	for i := range list {
		// The schema of an extension is its own choice.
		if list[i].extension != "" {
			list[i].schema = ""
		}
	}
	order := map[string]int{"type": 0, "method": 1}
	for i, c := range []string{"function", "operator", "opfamily", "opclass", "collation", "relation"} {
		order[c] = i + 2
	}
	slices.SortFunc(list, func(a, b ref) int {
		return cmp.Or(cmp.Compare(order[a.class], order[b.class]), cmp.Compare(a.extension, b.extension),
			cmp.Compare(a.schema, b.schema), cmp.Compare(a.name, b.name), slices.Compare(a.types, b.types))
	})
	return list, nil
}
