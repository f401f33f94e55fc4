package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// poolIn returns a pool whose statements are sent in the mode given.
func poolIn(t *testing.T, db *pgtest.DB, mode pgx.QueryExecMode) *pool.Pool {
	t.Helper()
	separator := "?"
	for _, c := range db.URL {
		if c == '?' {
			separator = "&"
		}
	}
	name := map[pgx.QueryExecMode]string{
		pgx.QueryExecModeCacheStatement: "cache_statement", pgx.QueryExecModeCacheDescribe: "cache_describe",
		pgx.QueryExecModeDescribeExec: "describe_exec", pgx.QueryExecModeExec: "exec", pgx.QueryExecModeSimpleProtocol: "simple_protocol",
	}[mode]
	p, err := pool.New(context.Background(), db.URL+separator+"default_query_exec_mode="+name, pool.Config{MaxConns: 2, AcquireTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(context.Background()) })
	return p
}

// A statement that fails only when it is committed by itself fails, by whatever
// function it is run: a deferred constraint, after the rows came.
func TestFailureAtImplicitCommit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TABLE t (id int CONSTRAINT t_key UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1)`))
	ctx := context.Background()
	key := &runtime.ConstraintError{Schema: "public", Table: "t", Constraint: "t_key"}
	scan := func(r *runtime.Row) int32 { return r.Int32(0) }
	q := runtime.Query{Name: "Put", SQL: "INSERT INTO t VALUES ($1) RETURNING id"}
	for _, mode := range modes {
		p := poolIn(t, db, mode)
		for name, run := range map[string]func() error{
			"One":      func() error { _, err := runtime.One(ctx, p, q, scan, 1); return err },
			"Opt":      func() error { _, _, err := runtime.Opt(ctx, p, q, scan, 1); return err },
			"Many":     func() error { _, err := runtime.Many(ctx, p, q, scan, 1); return err },
			"Exec":     func() error { return runtime.Exec(ctx, p, q, 1) },
			"ExecRows": func() error { _, err := runtime.ExecRows(ctx, p, q, 1); return err },
			"Iter": func() error {
				var errs []error
				for _, err := range runtime.Iter(ctx, p, q, scan, 1) {
					errs = append(errs, err)
				}
				if len(errs) != 2 || errs[0] != nil {
					return fmt.Errorf("yielded %v", errs)
				}
				return errs[1]
			},
			"QueryRow": func() error {
				var id int
				return runtime.NewError(ctx, "", p.QueryRow(ctx, q.SQL, 1).Scan(&id))
			},
			"SendBatch": func() error {
				b := &pgx.Batch{}
				b.Queue(q.SQL, 1)
				return runtime.NewError(ctx, "", p.SendBatch(ctx, b).Close())
			},
		} {
			if err := run(); !errors.Is(err, key) {
				t.Errorf("%v, %s: got %v", mode, name, err)
			}
		}
		if n := p.Stats().Active; n != 0 {
			t.Errorf("%v: %d connections held", mode, n)
		}
	}
	if n, err := runtime.One(ctx, db.Pool(), runtime.Query{SQL: "SELECT count(*)::int4 FROM t"}, scan); n != 1 || err != nil {
		t.Errorf("%d rows (%v)", n, err)
	}
}

// However a loop over rows ends, its connection is back when it has.
func TestIterGivesBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := context.Background()
	scan := func(r *runtime.Row) int32 { return r.Int32(0) }
	const failing = "SELECT 10 / (5 - n) FROM generate_series(1, 9) AS n WHERE $1"
	for _, mode := range modes {
		p := poolIn(t, db, mode)
		loop := func(sql string, scan func(*runtime.Row) int32, body func(n int) bool) (rows int, last error) {
			for _, err := range runtime.Iter(ctx, p, runtime.Query{Name: "L", SQL: sql}, scan, true) {
				if last != nil {
					t.Errorf("%v: yielded after the error %v", mode, last)
				}
				if last = err; err == nil {
					rows++
				}
				if !body(rows) {
					break
				}
			}
			return rows, last
		}
		for name, use := range map[string]func() string{
			"server error": func() string {
				n, err := loop(failing, scan, func(int) bool { return true })
				return fmt.Sprint(n, runtime.AsError(err).IsData())
			},
			"left": func() string {
				n, err := loop("SELECT generate_series(1, 9) WHERE $1", scan, func(n int) bool { return n < 3 })
				return fmt.Sprint(n-3+4, err == nil)
			},
			"left before a server error": func() string {
				n, err := loop(failing, scan, func(n int) bool { return n < 4 })
				return fmt.Sprint(n, err == nil)
			},
			"panic in the body": func() (result string) {
				defer func() { result = fmt.Sprint(4, recover() == "boom") }()
				_, _ = loop("SELECT generate_series(1, 9) WHERE $1", scan, func(int) bool { panic("boom") })
				return ""
			},
			"panic in scan": func() (result string) {
				defer func() { result = fmt.Sprint(4, recover() == "boom") }()
				_, _ = loop("SELECT 1 WHERE $1", func(*runtime.Row) int32 { panic("boom") }, func(int) bool { return true })
				return ""
			},
			"unexpected NULL": func() string {
				n, err := loop("SELECT nullif(n, 5) FROM generate_series(1, 9) AS n WHERE $1", scan, func(int) bool { return true })
				return fmt.Sprint(n, errors.Is(err, runtime.ErrNull))
			},
		} {
			if got := use(); got != "4 true" {
				t.Errorf("%v, %s: %s", mode, name, got)
			}
			if n := p.Stats().Active; n != 0 {
				t.Errorf("%v, %s: %d connections held", mode, name, n)
			}
		}
	}
	// The context ends in the middle: the rest is not waited for.
	p := poolIn(t, db, pgx.QueryExecModeCacheStatement)
	ended, cancel := context.WithCancel(ctx)
	defer cancel()
	began, n := time.Now(), 0
	var last error
	for _, err := range runtime.Iter(ended, p, runtime.Query{Name: "L", SQL: "SELECT n, pg_sleep(0.05), repeat('x', 10000) FROM generate_series(1, 100000) AS n"}, scan) {
		if last = err; err == nil {
			n++
		}
		cancel()
	}
	if !errors.Is(last, context.Canceled) || time.Since(began) > 10*time.Second || p.Stats().Active != 0 {
		t.Errorf("%d rows, %v after %v", n, last, time.Since(began))
	}
}

// Values outside of what a Go type holds are errors or kept as they are, never
// something else.
func TestValuesAtTheEdge(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TYPE mood AS ENUM ('ok')`))
	each(t, db, func(t *testing.T, conn *pgx.Conn) {
		ctx := context.Background()
		db.Exec("DO $$ BEGIN ALTER TYPE mood ADD VALUE IF NOT EXISTS 'new since'; END $$")
		get := func(expr string, get func(*runtime.Row) any) (any, error) {
			return runtime.One(ctx, conn, runtime.Query{SQL: "SELECT " + expr}, get)
		}
		type mood string
		if v, err := get("'new since'::mood", func(r *runtime.Row) any { return runtime.Enum[mood](r, 0) }); v != mood("new since") || err != nil {
			t.Errorf("an enum's new value: %v, %v", v, err)
		}
		for _, expr := range []string{"'NaN'::numeric", "'Infinity'::numeric", "'-Infinity'::numeric", "NULL::numeric"} {
			v, err := get(expr, func(r *runtime.Row) any { return runtime.Scan[pgtype.Numeric](r, 0) })
			n, ok := v.(pgtype.Numeric)
			if !ok || err != nil || (expr == "NULL::numeric") == n.Valid || n.Valid && !n.NaN && n.InfinityModifier == pgtype.Finite {
				t.Errorf("%s: %+v, %v", expr, v, err)
			}
			for name, into := range map[string]func(*runtime.Row) any{
				"Int64": func(r *runtime.Row) any { return r.Int64(0) }, "Int16": func(r *runtime.Row) any { return r.Int16(0) },
				"Bool": func(r *runtime.Row) any { return r.Bool(0) }, "Time": func(r *runtime.Row) any { return r.Time(0) },
			} {
				if v, err := get(expr, into); err == nil {
					t.Errorf("%s of %s is %v", name, expr, v)
				}
			}
		}
		for _, expr := range []string{"'infinity'::date", "'-infinity'::timestamp", "'infinity'::timestamptz"} {
			if v, err := get(expr, func(r *runtime.Row) any { return runtime.Null(r, 0, (*runtime.Row).Time) }); err == nil {
				t.Errorf("%s is %v", expr, v)
			}
		}
		for _, test := range []struct {
			expr string
			get  func(*runtime.Row) any
		}{
			{"2147483648::int8", func(r *runtime.Row) any { return r.Int32(0) }},
			{"32768::int4", func(r *runtime.Row) any { return r.Int16(0) }},
			{"1.5::numeric", func(r *runtime.Row) any { return r.Int64(0) }},
			{"1e300::float8", func(r *runtime.Row) any { return r.Float32(0) }},
			{"9223372036854775808::numeric", func(r *runtime.Row) any { return r.Int64(0) }},
		} {
			if v, err := get(test.expr, test.get); err == nil {
				t.Errorf("%s is read as %v", test.expr, v)
			}
		}
	})
}

// The constraint of a domain is found through whatever wraps its error.
func TestDomainConstraint(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE SCHEMA money; CREATE DOMAIN money.cents AS int8 CONSTRAINT cents_positive CHECK (VALUE > 0) NOT NULL;
		CREATE TABLE pay (id int, amount money.cents)`))
	each(t, db, func(t *testing.T, conn *pgx.Conn) {
		err := runtime.Exec(context.Background(), conn, runtime.Query{Name: "Pay", SQL: "INSERT INTO pay VALUES (1, $1)"}, -5)
		err = errors.Join(errors.New("other"), fmt.Errorf("pay: %w", err))
		if !errors.Is(err, &runtime.ConstraintError{Schema: "money", Constraint: "cents_positive"}) || !runtime.AsError(err).IsCheck() {
			t.Errorf("got %v", err)
		}
		if errors.Is(err, &runtime.ConstraintError{Schema: "public", Constraint: "cents_positive"}) || errors.Is(err, &runtime.ConstraintError{Schema: "money", Table: "pay", Constraint: "cents_positive"}) {
			t.Error("it matches another one")
		}
		err = runtime.Exec(context.Background(), conn, runtime.Query{Name: "Pay", SQL: "INSERT INTO pay VALUES (1, NULL)"})
		if !runtime.AsError(err).IsNotNull() {
			t.Errorf("NULL: %v", err)
		}
	})
}
