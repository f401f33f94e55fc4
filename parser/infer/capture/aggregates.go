package main

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Classes of aggregates, from the strongest: a value for no rows at all, for one
// row of whatever values, for one row whose arguments are not null.
const (
	aggAlways = "always"
	aggRow    = "row"
	aggValue  = "value"
)

// aggregateClass tries an aggregate over no rows, over rows of NULL and over one
// and two rows of values; "" if one of the last gives NULL or none could be tried.
func aggregateClass(ctx context.Context, conn *pgx.Conn, r routine, grid map[string][]string, ordered bool, direct int) (string, error) {
	over := func(args, from string) string {
		list := strings.Split(args, "\x00")
		call := "pg_catalog." + r.name + "("
		if ordered {
			call += strings.Join(list[:direct], ", ") + ") WITHIN GROUP (ORDER BY " + strings.Join(list[direct:], ", ") + ")"
		} else {
			call += strings.Join(list, ", ") + ")"
		}
		return "SELECT " + call + " IS NOT DISTINCT FROM NULL FROM " + from
	}
	// Arguments are the columns a1, a2, … of VALUES; direct ones are constants.
	var types, columns []string
	for i, a := range r.args {
		types = append(types, typeName(concrete(a)))
		if ordered && i < direct {
			return "", nil // told by name: its direct arguments shape the result
		}
		columns = append(columns, "a"+string(rune('1'+i)))
	}
	args := strings.Join(columns, "\x00")
	if len(r.args) == 0 {
		args = "*"
	}
	row := func(v []string) string { return "(" + strings.Join(v, ", ") + ")" }
	from := func(rows ...string) string {
		if len(r.args) == 0 {
			return "(VALUES " + strings.TrimRight(strings.Repeat("(1),", len(rows)), ",") + ") s(x)"
		}
		return "(VALUES " + strings.Join(rows, ", ") + ") s(" + strings.Join(columns, ", ") + ")"
	}
	var singles []string
	for _, t := range r.tries(grid) {
		singles = append(singles, "("+t+")")
	}
	if len(r.args) == 0 {
		singles = []string{"(1)"}
	}
	var values []string
	for i, a := range singles {
		values = append(values, over(args, from(a)), over(args, from(a, a)), over(args, from(a, singles[(i*7+3)%len(singles)])))
	}
	if null, err := gives(ctx, conn, values); err != nil || null != "" || len(values) == 0 {
		return "", err
	}
	// Something must have worked: an error is no evidence.
	if ok, err := works(ctx, conn, values[0]); err != nil || !ok {
		return "", err
	}
	nulls := make([]string, len(types))
	for i, t := range types {
		nulls[i] = "NULL::" + t
	}
	if len(types) > 0 {
		if null, err := gives(ctx, conn, []string{over(args, from(row(nulls)))}); err != nil || null != "" {
			return aggValue, err
		}
	}
	empty := from(row(nulls)) + " WHERE false"
	if len(types) == 0 {
		empty = from("(1)") + " WHERE false"
	}
	if null, err := gives(ctx, conn, []string{over(args, empty)}); err != nil || null != "" {
		return aggRow, err
	}
	return aggAlways, nil
}

// works reports whether a query runs.
func works(ctx context.Context, conn *pgx.Conn, q string) (bool, error) {
	var ok bool
	err := conn.QueryRow(ctx, "SELECT pg_temp.runs($1)", q).Scan(&ok)
	if timedOut(err) {
		return false, nil
	}
	return ok, err
}
