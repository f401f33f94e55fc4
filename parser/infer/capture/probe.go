package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxTries bounds the calls of one function.
const maxTries = 240

// prober is a session that evaluates expressions, in a database that it may write
// its own function into (a temporary one).
const prober = `CREATE OR REPLACE FUNCTION pg_temp.gives_null(list text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE e text; r boolean;
BEGIN
  FOREACH e IN ARRAY list LOOP
    BEGIN
      EXECUTE e INTO r;
      IF r THEN RETURN e; END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  RETURN NULL;
END $$`

// runner tells whether a query runs.
const runner = `CREATE OR REPLACE FUNCTION pg_temp.runs(q text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE q;
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  RETURN false;
END $$`

// routine is a function or aggregate of the server.
type routine struct {
	oid                        uint32
	name, signature, source    string
	kind, language, volatility string
	strict, set, composite     bool
	ordered                    bool
	direct                     int
	args                       []string
	result                     string
}

const routines = `SELECT p.oid, quote_ident(p.proname), p.proname || '(' || coalesce((SELECT string_agg(t.typname, ',' ORDER BY o) FROM unnest(p.proargtypes) WITH ORDINALITY u(a, o) JOIN pg_type t ON t.oid = u.a), '') || ')',
  p.prosrc, p.prokind::text, l.lanname, p.provolatile::text, p.proisstrict, p.proretset,
  coalesce((SELECT array_agg(t.typname::text ORDER BY o) FROM unnest(p.proargtypes) WITH ORDINALITY u(a, o) JOIN pg_type t ON t.oid = u.a), '{}'), r.typname, r.typtype = 'c' OR r.typname = 'record', coalesce(a.aggkind <> 'n', false), coalesce(a.aggnumdirectargs, 0)
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_type r ON r.oid = p.prorettype LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384 AND p.prokind IN ('f', 'a') ORDER BY p.oid`

// readRoutines lists the built-in functions and aggregates.
func readRoutines(ctx context.Context, conn *pgx.Conn) ([]routine, error) {
	rows, err := conn.Query(ctx, routines)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (routine, error) {
		var r routine
		err := row.Scan(&r.oid, &r.name, &r.signature, &r.source, &r.kind, &r.language, &r.volatility, &r.strict, &r.set, &r.args, &r.result, &r.composite, &r.ordered, &r.direct)
		return r, err
	})
}

// callable reports whether a statement may call the function, with no effect but
// its result.
func (r routine) callable() bool {
	if r.volatility == "v" || r.result == "internal" || r.result == "trigger" || r.result == "event_trigger" {
		return false
	}
	for _, a := range r.args {
		if a == "internal" {
			return false
		}
	}
	return true
}

// tries are the argument lists to call a function with: all combinations, or where
// they are too many a walk through them that has every value at every place.
func (r routine) tries(grid map[string][]string) []string {
	lists := make([][]string, len(r.args))
	total := 1
	for i, a := range r.args {
		for _, v := range grid[a] {
			lists[i] = append(lists[i], v+"::"+typeName(concrete(a)))
		}
		if len(lists[i]) == 0 {
			return nil
		}
		total = min(total*len(lists[i]), 1<<20)
	}
	step := max(1, total/maxTries)
	for step > 1 && total%step == 0 {
		step++
	}
	var out []string
	for n := 0; n < total && len(out) < maxTries; n += step {
		k, args := n, make([]string, len(lists))
		for i, l := range lists {
			args[i] = l[k%len(l)]
			k /= len(l)
		}
		out = append(out, strings.Join(args, ", "))
	}
	return out
}

// typeName is a type as a cast writes it.
func typeName(name string) string {
	if rest, ok := strings.CutPrefix(name, "_"); ok {
		return typeName(rest) + "[]"
	}
	switch name {
	case "char":
		return `"char"`
	case "bit":
		return "bit(3)"
	}
	return name
}

// nullCall returns a call of the function that gives NULL, "" if none was found.
func nullCall(ctx context.Context, conn *pgx.Conn, r routine, grid map[string][]string) (string, error) {
	var list []string
	for _, args := range r.tries(grid) {
		call := "pg_catalog." + r.name + "(" + args + ")"
		if r.set {
			list = append(list, "SELECT bool_or(x IS NOT DISTINCT FROM NULL) FROM (SELECT "+call+" AS x LIMIT 100) s")
		} else {
			list = append(list, "SELECT "+call+" IS NOT DISTINCT FROM NULL")
		}
	}
	return gives(ctx, conn, list)
}

func gives(ctx context.Context, conn *pgx.Conn, list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	var found *string
	if err := conn.QueryRow(ctx, "SELECT pg_temp.gives_null($1)", list).Scan(&found); err != nil {
		if !timedOut(err) {
			return "", fmt.Errorf("%s: %w", list[0], err)
		}
		// One call of the list runs for ever, or makes more rows than can be.
		if len(list) == 1 {
			return "", nil
		}
		call, err := gives(ctx, conn, list[:len(list)/2])
		if call != "" || err != nil {
			return call, err
		}
		return gives(ctx, conn, list[len(list)/2:])
	}
	if found == nil {
		return "", nil
	}
	return *found, nil
}

// timedOut tells the error of a statement that statement_timeout ended.
func timedOut(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "57014"
}
