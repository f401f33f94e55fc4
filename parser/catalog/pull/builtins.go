package pull

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// firstUnpinned is the first OID that initdb hands out after bootstrap
// (FirstUnpinnedObjectId, access/transam.h), firstNormal the first that a user's
// object can have (FirstNormalObjectId).
const (
	firstUnpinned = 12000
	firstNormal   = 16384
)

// table is a section as captured: its columns and its rows.
type table struct {
	name    string
	columns []column
	rows    [][]string
}

// Builtins reads the built-in objects of a server and returns its major version
// and the text of its data file. The temporary tables that probing access
// methods needs live in a transaction that is rolled back.
func Builtins(ctx context.Context, conn *pgx.Conn) (major int, data string, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(ctx) //nolint:errcheck // nothing is kept
	var num int
	if err := tx.QueryRow(ctx, "select current_setting('server_version_num')::int").Scan(&num); err != nil {
		return 0, "", fmt.Errorf("server version: %w", err)
	}
	// Names are printed without their schema only where the path has it.
	if _, err := tx.Exec(ctx, "set local search_path = pg_catalog"); err != nil {
		return 0, "", fmt.Errorf("search path: %w", err)
	}
	list := sections()
	tables := make([]table, 0, len(list)+1)
	for i := range list {
		t, err := read(ctx, tx, &list[i], list[i].columns, list[i].builtin)
		if err != nil {
			return 0, "", fmt.Errorf("%s: %w", list[i].name, err)
		}
		tables = append(tables, t)
	}
	methods, err := builtinMethods(ctx, tx)
	if err != nil {
		return 0, "", err
	}
	tables = append(tables, methods)
	renumber(tables)
	return num / 10000, print(tables), nil
}

// read runs a section's query for the rows that a condition picks. NULL is the
// empty string.
func read(ctx context.Context, tx pgx.Tx, s *section, columns []column, where string) (table, error) {
	exprs := make([]string, len(columns))
	for i, c := range columns {
		exprs[i] = "(" + c.expr + ")::text"
	}
	rows, err := tx.Query(ctx, "select "+strings.Join(exprs, ", ")+" "+s.from+" where "+where+" order by "+s.order)
	if err != nil {
		return table{}, err
	}
	t := table{name: s.name, columns: columns}
	for rows.Next() {
		vals := make([]*string, len(columns))
		dest := make([]any, len(vals))
		for i := range vals {
			dest[i] = &vals[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return table{}, err
		}
		row := make([]string, len(vals))
		for i, v := range vals {
			if v == nil {
				continue
			}
			row[i] = *v
			if columns[i].kind == boolean {
				row[i] = (*v)[:1]
			}
		}
		t.rows = append(t.rows, row)
	}
	return t, rows.Err()
}

// renumber gives the objects that initdb made after bootstrap OIDs that do not
// depend on the build: how many locales a machine has moves them. They keep
// their order, from firstUnpinned on without holes.
func renumber(tables []table) {
	var seen []int
	each(tables, func(oid int) int {
		if oid >= firstUnpinned && oid < firstNormal {
			seen = append(seen, oid)
		}
		return oid
	})
	slices.Sort(seen)
	seen = slices.Compact(seen)
	each(tables, func(oid int) int {
		if i, ok := slices.BinarySearch(seen, oid); ok {
			return firstUnpinned + i
		}
		return oid
	})
}

// each calls f for every OID in the tables and stores what it returns.
func each(tables []table, f func(int) int) {
	for _, t := range tables {
		for i, c := range t.columns {
			if c.kind != oid && c.kind != oids {
				continue
			}
			for _, row := range t.rows {
				words := strings.Fields(row[i])
				for k, w := range words {
					if n, err := strconv.Atoi(w); err == nil {
						words[k] = strconv.Itoa(f(n))
					}
				}
				row[i] = strings.Join(words, " ")
			}
		}
	}
}

// print lays the tables out: a head line per section with the names of its
// columns, then a line per row with its values between tabs. An OID of 0 is
// left empty.
func print(tables []table) string {
	var b strings.Builder
	escape := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\t", "\\t", "\r", "\\r")
	for _, t := range tables {
		b.WriteString("== " + t.name)
		for _, c := range t.columns {
			b.WriteString(" " + c.name)
		}
		b.WriteString("\n")
		for _, row := range t.rows {
			for i, v := range row {
				if i > 0 {
					b.WriteByte('\t')
				}
				if t.columns[i].kind == oid && v == "0" {
					continue
				}
				b.WriteString(escape.Replace(v))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
