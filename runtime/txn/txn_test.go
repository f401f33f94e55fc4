package txn_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var (
	_ runtime.DB   = (*txn.Tx)(nil)
	_ txn.Beginner = (*pool.Pool)(nil)
	_ txn.Beginner = (*pgxpool.Pool)(nil)
	_ txn.Beginner = (*pgx.Conn)(nil)
)

const schema = `CREATE TABLE t (id int CONSTRAINT t_key UNIQUE DEFERRABLE INITIALLY DEFERRED, n int NOT NULL DEFAULT 0); INSERT INTO t VALUES (0), (-1)`

var ctx = context.Background()

type env struct {
	*txn.Manager
	pool *pool.Pool
	db   *pgtest.DB
}

func open(t testing.TB, opts ...txn.Option) env {
	t.Helper()
	db := pgtest.New(t, pgtest.SQL(schema))
	p, err := pool.New(ctx, db.URL, pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Ping(ctx); err != nil { // short time-outs are for what follows
		t.Fatal(err)
	}
	e := env{txn.New(p, opts...), p, db}
	t.Cleanup(func() {
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		s := e.Stats()
		if s.Active != 0 || s.Begun != s.Committed+s.RolledBack+s.Expired+s.Unknown {
			t.Errorf("figures do not add up: %+v", s)
		}
		if err := e.Close(limited); err != nil {
			t.Error(err)
		}
		// A connection that could not be kept leaves in the background.
		for p.Stats().Active != 0 && limited.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if n := p.Stats().Active; n != 0 {
			t.Errorf("%d connections still held", n)
		}
		if err := p.Close(limited); err != nil {
			t.Error(err)
		}
	})
	return e
}

func (e env) count(t testing.TB) int {
	t.Helper()
	var n int
	if err := e.pool.QueryRow(ctx, "SELECT count(*) FROM t WHERE id > 0").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(ctx context.Context, db runtime.DB, id int) error {
	return runtime.Exec(ctx, db, runtime.Query{Name: "Insert", SQL: "-- name: Insert :exec\nINSERT INTO t VALUES ($1)"}, id)
}

func setting(ctx context.Context, tx *txn.Tx, name string) string {
	var v string
	if err := tx.QueryRow(ctx, "SELECT coalesce(current_setting($1, true), '')", name).Scan(&v); err != nil {
		return err.Error()
	}
	return v
}

func TestRunCommitsAndRollsBack(t *testing.T) {
	t.Parallel()
	e := open(t)
	var events []string
	hook := func(tx *txn.Tx) {
		tx.AfterCommit(func(ctx context.Context) { events = append(events, "commit") })
		tx.AfterRollback(func(ctx context.Context, cause error) { events = append(events, "rollback: "+cause.Error()) })
	}
	if err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { hook(tx); return insert(ctx, tx, 1) }); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { hook(tx); _ = insert(ctx, tx, 2); return no })
	if err != no {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() {
			if r := recover(); r != "boom" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { hook(tx); _ = insert(ctx, tx, 3); panic("boom") })
	}()
	if want := []string{"commit", "rollback: no", "rollback: panic"}; !reflect.DeepEqual(events, want) {
		t.Errorf("hooks: %q", events)
	}
	if n := e.count(t); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
	n, err := txn.Value(ctx, e.Manager, func(ctx context.Context, tx *txn.Tx) (int32, error) {
		return runtime.One(ctx, tx, runtime.Query{SQL: "SELECT count(*)::int FROM t WHERE id > 0"}, func(r *runtime.Row) int32 { return r.Int32(0) })
	})
	if n != 1 || err != nil {
		t.Errorf("Value: %d, %v", n, err)
	}
	if n, err := txn.Value(ctx, e.Manager, func(context.Context, *txn.Tx) (int, error) { return 7, no }); n != 0 || err != no {
		t.Errorf("Value that fails: %d, %v", n, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	e := open(t)
	for _, test := range []struct {
		opts      []txn.Option
		isolation string
		readOnly  string
		defer_    string
	}{
		{nil, "read committed", "off", "off"},
		{[]txn.Option{txn.Isolation(pgx.RepeatableRead)}, "repeatable read", "off", "off"},
		{[]txn.Option{txn.Options{Isolation: pgx.Serializable, ReadOnly: true}, txn.Deferrable()}, "serializable", "on", "on"},
		{[]txn.Option{txn.ReadOnly(), txn.Timeout(-1)}, "read committed", "on", "off"},
	} {
		err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			got := []string{setting(ctx, tx, "transaction_isolation"), setting(ctx, tx, "transaction_read_only"), setting(ctx, tx, "transaction_deferrable")}
			if want := []string{test.isolation, test.readOnly, test.defer_}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			return nil
		}, test.opts...)
		if err != nil {
			t.Error(err)
		}
	}
	for _, opt := range []txn.Option{txn.Deferrable(), txn.Isolation("chaos")} {
		if err := e.Run(ctx, nil, opt); !errors.Is(err, txn.ErrIncompatibleOptions) {
			t.Errorf("got %v", err)
		}
	}
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 1) }, txn.ReadOnly())
	if !runtime.AsError(err).IsReadOnly() {
		t.Errorf("write in a read-only transaction: %v", err)
	}
}

// The server has its own time-out, and a stricter one that was set stays.
func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	e := open(t)
	conn := e.db.Conn()
	if _, err := conn.Exec(ctx, "SET statement_timeout = '5s'; SET idle_in_transaction_session_timeout = '10min'"); err != nil {
		t.Fatal(err)
	}
	err := txn.New(conn).Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		want := []string{"5s", "8s", ""}
		if setting(ctx, tx, "server_version_num") >= "170000" {
			want = []string{"5s", "10min", "8s"}
		}
		got := []string{setting(ctx, tx, "statement_timeout"), setting(ctx, tx, "idle_in_transaction_session_timeout"), setting(ctx, tx, "transaction_timeout")}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("server time-outs are %q, want %q", got, want)
		}
		return nil
	}, txn.Timeout(7*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	var after string
	if err := conn.QueryRow(ctx, "SELECT current_setting('idle_in_transaction_session_timeout')").Scan(&after); err != nil || after != "10min" {
		t.Errorf("after the transaction the setting is %s (%v)", after, err)
	}
}

// Whatever a transaction begins with, it takes as many round trips as bare pgx:
// BEGIN, the statement, COMMIT; also through a pool, in each way to send
// statements.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(schema))
	settings := txn.Options{LockTimeout: time.Second, Label: "all", Settings: []txn.Setting{{"app.tenant", "7"}, {"app.user", "it's \\"}, {"work_mem", "8MB"}}}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		var flights atomic.Int64
		p, err := pool.New(ctx, db.URL, pool.Config{MaxConns: 1, Configure: func(c *pgxpool.Config) error {
			c.ConnConfig.DefaultQueryExecMode = mode
			dial := c.ConnConfig.DialFunc
			c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				return &countingConn{Conn: conn, flights: &flights}, err
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		m := txn.New(p)
		count := func(run func() error) int64 {
			var n int64
			for range 3 { // the first one connects and prepares
				before := flights.Load()
				if err := run(); err != nil {
					t.Fatal(err)
				}
				n = flights.Load() - before
			}
			return n
		}
		bare := count(func() error {
			tx, err := p.Begin(ctx)
			if err != nil {
				return err
			}
			if err := insert(ctx, tx, 1); err != nil {
				return err
			}
			return tx.Rollback(ctx)
		})
		if bare != 3 {
			t.Fatalf("%v: bare pgx takes %d round trips", mode, bare)
		}
		for i, test := range []struct {
			name string
			opts []txn.Option
			more int64
		}{
			{"no time-out", []txn.Option{txn.Timeout(-1)}, 0},
			{"default", nil, 0},
			{"settings", []txn.Option{settings}, 0},
			{"settings, no time-out", []txn.Option{settings, txn.Timeout(-1)}, 0},
			{"resolved", []txn.Option{settings, txn.ResolveByXID}, 0},
			{"repeatable read", []txn.Option{settings, txn.Isolation(pgx.RepeatableRead)}, 0},
			{"serializable", []txn.Option{settings, txn.Isolation(pgx.Serializable)}, 0},
			{"serializable, resolved", []txn.Option{settings, txn.Isolation(pgx.Serializable), txn.ResolveByXID}, 1},
		} {
			id := 10*int(mode) + 1000*i
			got := count(func() error {
				id++
				return m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, id) }, test.opts...)
			})
			if got != bare+test.more {
				t.Errorf("%v, %s: %d round trips, want %d", mode, test.name, got, bare+test.more)
			}
		}
		if got := count(func() error {
			return m.RunTenant(ctx, txn.Tenant{Setting: "app.tenant", ID: "7"}, func(ctx context.Context, tx *txn.TenantTx) error {
				_, err := tx.Exec(ctx, "SELECT 1")
				return err
			})
		}); got != bare {
			t.Errorf("%v, tenant: %d round trips", mode, got)
		}
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// countingConn counts the changes from writing to reading.
type countingConn struct {
	net.Conn
	flights *atomic.Int64
	wrote   atomic.Bool
}

func (c *countingConn) Write(b []byte) (int, error) {
	if c.wrote.CompareAndSwap(false, true) {
		c.flights.Add(1)
	}
	return c.Conn.Write(b)
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wrote.Store(false)
	return n, err
}

// A connection that is in a transaction is somebody else's.
func TestConnInTransaction(t *testing.T) {
	t.Parallel()
	e := open(t)
	conn := e.db.Conn()
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := txn.New(conn).Run(ctx, nil); !errors.Is(err, txn.ErrIncompatibleOptions) {
		t.Errorf("got %v", err)
	}
}

func TestCommitThatRollsBack(t *testing.T) {
	t.Parallel()
	e := open(t)
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		_, _ = tx.Exec(ctx, "SELECT 1/0") // swallowed
		return nil
	})
	if !errors.Is(err, txn.ErrRolledBack) || !errors.Is(err, pgx.ErrTxCommitRollback) || !runtime.AsError(err).IsData() {
		t.Errorf("got %v", err)
	}
	key := &runtime.ConstraintError{Schema: "public", Table: "t", Constraint: "t_key"}
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		return errors.Join(insert(ctx, tx, 5), insert(ctx, tx, 5))
	})
	if !errors.Is(err, key) || runtime.AsError(err).Query != "COMMIT" || errors.Is(err, txn.ErrCommitUnknown) {
		t.Errorf("deferred constraint: %v", err)
	}
	if s := e.Stats(); s.RolledBack != 2 || s.Committed != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestRetryLimits(t *testing.T) {
	t.Parallel()
	e := open(t, txn.Retry(txn.RetryPolicy{MaxAttempts: 3, Base: time.Millisecond}))
	fail := func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
		return err
	}
	var attempts []int
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		attempts = append(attempts, tx.Info().Attempt)
		return fail(ctx, tx)
	})
	var exhausted *txn.RetriesExhaustedError
	if !errors.As(err, &exhausted) || !errors.Is(err, txn.ErrRetriesExhausted) || exhausted.Attempts != 3 || !reflect.DeepEqual(attempts, []int{1, 2, 3}) || !runtime.AsError(err).IsSerialization() {
		t.Errorf("got %v after %v", err, attempts)
	}
	n := 0
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { n++; return fail(ctx, tx) }, txn.NoRetry())
	if n != 1 || !runtime.AsError(err).IsSerialization() || errors.Is(err, txn.ErrRetriesExhausted) {
		t.Errorf("NoRetry: %d attempts, %v", n, err)
	}
	n = 0
	// A swallowed failure comes back at the commit, and is repeated as well.
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if n++; n < 3 {
			_ = fail(ctx, tx)
		}
		return nil
	})
	if n != 3 || err != nil {
		t.Errorf("swallowed: %d attempts, %v", n, err)
	}
	n = 0
	if err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { n++; return errors.New("other") }); n != 1 || err == nil {
		t.Errorf("another error: %d attempts, %v", n, err)
	}
	ended, cancel := context.WithCancel(ctx)
	n = 0
	err = e.Run(ended, func(ctx context.Context, tx *txn.Tx) error { n++; err := fail(ctx, tx); cancel(); return err })
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %d attempts, %v", n, err)
	}
}

func TestNested(t *testing.T) {
	t.Parallel()
	e := open(t)
	no := errors.New("no")
	var hooks []string
	hook := func(tx *txn.Tx, name string) { tx.AfterCommit(func(context.Context) { hooks = append(hooks, name) }) }
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		hook(tx, "outer")
		if err := insert(ctx, tx, 1); err != nil {
			return err
		}
		for i := range 3 { // savepoints do not pile up
			err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
				hook(tx, "failed")
				if tx.Info().Depth != 1 {
					t.Errorf("depth is %d", tx.Info().Depth)
				}
				_, err := tx.Exec(ctx, "SELECT 1/0")
				if err == nil {
					t.Error("no error")
				}
				return no
			})
			if err != no {
				t.Errorf("%d: %v", i, err)
			}
		}
		err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			hook(tx, "inner")
			if err := insert(ctx, tx, 2); err != nil {
				return err
			}
			return tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error { hook(tx, "innermost"); return insert(ctx, tx, 3) })
		})
		if err != nil {
			return err
		}
		func() {
			defer func() { _ = recover() }()
			_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
				hook(tx, "panicked")
				_ = insert(ctx, tx, 4)
				panic("boom")
			})
		}()
		// Rows left open by a closure that fails do not block the way back.
		_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			_, _ = tx.Query(ctx, "SELECT generate_series(1, 10)")
			return no
		})
		if d := tx.Info().Depth; d != 0 {
			t.Errorf("depth is %d at the end", d)
		}
		_, err = tx.Exec(ctx, "RELEASE SAVEPOINT dbgen_1")
		if err == nil {
			t.Error("the first savepoint still exists")
		}
		return nil
	})
	if !errors.Is(err, txn.ErrRolledBack) { // of the RELEASE that failed on purpose
		t.Errorf("got %v", err)
	}
	if hooks != nil || e.count(t) != 0 {
		t.Errorf("hooks %v, %d rows after a rollback", hooks, e.count(t))
	}
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		hook(tx, "outer")
		_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error { hook(tx, "failed"); _ = insert(ctx, tx, 8); return no })
		return tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error { hook(tx, "inner"); return insert(ctx, tx, 9) })
	})
	if err != nil || !reflect.DeepEqual(hooks, []string{"outer", "inner"}) || e.count(t) != 1 {
		t.Errorf("%v, hooks %v, %d rows", err, hooks, e.count(t))
	}
}

// A serialization failure inside a savepoint repeats the whole transaction,
// even if it is swallowed on the way out.
func TestNestedSerializationFailure(t *testing.T) {
	t.Parallel()
	e := open(t)
	n := 0
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		n++
		_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if n > 1 {
				return nil
			}
			_, err := tx.Exec(ctx, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
			return err
		})
		return nil
	})
	if n != 2 || err != nil {
		t.Errorf("%d attempts, %v", n, err)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	e := open(t)
	no := errors.New("no")
	err := e.Run(ctx, func(ctx context.Context, outer *txn.Tx) error {
		return e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if tx != outer {
				t.Error("Run within Run began another transaction")
			}
			return insert(ctx, tx, 1)
		})
	})
	if err != nil || e.Stats().Begun != 1 || e.count(t) != 1 {
		t.Errorf("%v, %+v", err, e.Stats())
	}
	err = e.Run(ctx, func(ctx context.Context, outer *txn.Tx) error {
		_ = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { _ = insert(ctx, tx, 2); return no })
		return nil
	})
	if !errors.Is(err, txn.ErrRolledBack) || !errors.Is(err, no) || e.count(t) != 1 {
		t.Errorf("a joined failure that is swallowed: %v", err)
	}
	_ = e.Run(ctx, func(ctx context.Context, outer *txn.Tx) error {
		for _, opt := range []txn.Option{txn.Isolation(pgx.Serializable), txn.Options{}} {
			if err := e.Run(ctx, func(context.Context, *txn.Tx) error { return nil }, opt); !errors.Is(err, txn.ErrIncompatibleOptions) {
				t.Errorf("stronger inner options: %v", err)
			}
		}
		return nil
	}, txn.ReadOnly())
	// After the commit the context no longer carries the transaction.
	ran := false
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		tx.AfterCommit(func(ctx context.Context) {
			ran = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 3) }) == nil
		})
		return nil
	})
	if err != nil || !ran || e.count(t) != 2 {
		t.Errorf("a transaction in a hook: %v, ran %v", err, ran)
	}
}

// The registry: found, listed, committed, rolled back and swept by id.
func TestManager(t *testing.T) {
	t.Parallel()
	e := open(t)
	begin := func(opts ...txn.Option) *txn.Tx {
		t.Helper()
		tx, err := e.Begin(ctx, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	a, b, c := begin(txn.Label("a")), begin(txn.Label("b")), begin(txn.Timeout(time.Hour))
	if got, ok := e.Get(a.ID()); !ok || got != a {
		t.Error("Get does not find a")
	}
	infos := e.Active()
	if len(infos) != 3 || infos[0].Label != "a" || infos[1].Label != "b" || infos[0].PID == infos[1].PID || infos[2].Deadline.Sub(infos[2].Began) != time.Hour {
		t.Errorf("active: %+v", infos)
	}
	if d := infos[0].Deadline.Sub(infos[0].Began); d != txn.DefaultTimeout || txn.DefaultTimeout != 30*time.Second {
		t.Errorf("the default time-out is %v", d)
	}
	if err := insert(ctx, a, 1); err != nil {
		t.Fatal(err)
	}
	if err := e.Commit(a.ID()); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("second commit: %v", err)
	}
	if err := a.Rollback(); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("rollback after commit: %v", err)
	}
	why := errors.New("operator")
	done := make(chan error)
	go func() { _, err := b.Exec(ctx, "SELECT pg_sleep(20)"); done <- err }()
	for len(b.Info().Ops) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := e.Rollback(b.ID(), why); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the running statement was not cancelled")
	}
	if err := insert(ctx, b, 2); !errors.Is(err, why) {
		t.Errorf("the next statement got %v", err)
	}
	if n := e.Sweep(time.Now()); n != 0 {
		t.Errorf("%d swept too early", n)
	}
	if n := e.Sweep(time.Now().Add(2 * time.Hour)); n != 1 || c.Info().Status != txn.Expired {
		t.Errorf("%d swept, status %v", n, c.Info().Status)
	}
	for _, id := range []uint64{a.ID(), 999} {
		if err := errors.Join(e.Commit(id), e.Rollback(id, nil)); !errors.Is(err, txn.ErrNotFound) {
			t.Errorf("%d: %v", id, err)
		}
	}
	if s := e.Stats(); s != (txn.Stats{Begun: 3, Committed: 1, RolledBack: 1, Expired: 1}) {
		t.Errorf("stats: %+v", s)
	}
}

func TestOps(t *testing.T) {
	t.Parallel()
	e := open(t)
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		_ = insert(ctx, tx, 1)
		_, _ = runtime.Many(ctx, tx, runtime.Query{SQL: "-- name: List :many\nSELECT id FROM t"}, func(r *runtime.Row) int32 { return r.Int32(0) })
		_, _ = tx.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromRows([][]any{{7}, {8}}))
		b := &pgx.Batch{}
		b.Queue("SELECT 1")
		b.Queue("SELECT 2")
		_ = tx.SendBatch(ctx, b).Close()
		_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Exec(ctx, "SELECT 1/0"); return err })
		rows, _ := tx.Query(ctx, "SELECT generate_series(1, 100)")
		if _, err := tx.Exec(ctx, "SELECT 1"); !errors.Is(err, txn.ErrBusy) {
			t.Errorf("a statement while rows are open: %v", err)
		}
		info := tx.Info()
		if last := info.Ops[len(info.Ops)-1]; last.Dur != -1 {
			t.Errorf("an open query: %+v", last)
		}
		rows.Close()
		var got []string
		for _, op := range tx.Info().Ops {
			got = append(got, fmt.Sprintf("%s %s %d %v", op.Kind, op.Name, op.Rows, op.Err != nil))
			if op.Dur < 0 || op.At.IsZero() {
				t.Errorf("%+v", op)
			}
		}
		want := []string{
			"exec Insert 1 false", "query List 3 false", `copy "t" 2 false`, "batch  2 false",
			"savepoint dbgen_1 0 false", "exec  0 true", "savepoint dbgen_1 0 false", "query  100 false",
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("ops: %q\nwant %q", got, want)
		}
		for range 100 {
			_, _ = tx.Exec(ctx, "SELECT 1")
		}
		if info := tx.Info(); len(info.Ops) != 64 || info.Dropped != 108-64 {
			t.Errorf("%d ops kept, %d dropped", len(info.Ops), info.Dropped)
		}
		_, _ = tx.Query(ctx, "SELECT 1") // left open: closed before the commit
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBeginFails(t *testing.T) {
	t.Parallel()
	e := open(t)
	for name, opts := range map[string][]txn.Option{"text": nil, "batch": {txn.Set("a.b", "c")}} {
		m := txn.New(brokenBeginner{e.pool})
		if err := m.Run(ctx, nil, opts...); err == nil || !strings.HasPrefix(err.Error(), "BEGIN: ") || runtime.AsError(err).SQLState != "42601" {
			t.Errorf("%s: got %v", name, err)
		}
		if s := m.Stats(); s != (txn.Stats{}) {
			t.Errorf("%s: stats: %+v", name, s)
		}
	}
	conn := e.db.Conn()
	if err := txn.New(brokenBeginner{conn}).Run(ctx, nil); err == nil {
		t.Error("no error")
	}
	if err := txn.New(conn).Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 2) }); err != nil {
		t.Errorf("after a BEGIN that failed, on the same connection: %v", err)
	}
	if err := txn.New(e.db.Pool()).Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 1) }); err != nil {
		t.Errorf("on a pgxpool.Pool: %v", err)
	}
}

type brokenBeginner struct{ txn.Beginner }

func (b brokenBeginner) PgConn() *pgconn.PgConn {
	if conn, ok := b.Beginner.(*pgx.Conn); ok {
		return conn.PgConn()
	}
	return nil
}

func (b brokenBeginner) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	options.BeginQuery = "begin; SELEKT"
	if b.PgConn() != nil {
		options.BeginQuery = "begin; SELECT 1/0" // which does begin
	}
	return b.Beginner.BeginTx(ctx, options)
}

func (b brokenBeginner) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	batch.QueuedQueries[1].SQL = "SELEKT"
	batch.QueuedQueries[1].Arguments = nil
	return b.Beginner.SendBatch(ctx, batch)
}

func TestClose(t *testing.T) {
	t.Parallel()
	e := open(t)
	tx, err := e.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := e.Close(short); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "1 transactions were rolled back") {
		t.Errorf("got %v", err)
	}
	if err := insert(ctx, tx, 1); !errors.Is(err, txn.ErrClosed) {
		t.Errorf("a statement after Close: %v", err)
	}
	if _, err := e.Begin(ctx); !errors.Is(err, txn.ErrClosed) {
		t.Errorf("Begin after Close: %v", err)
	}
}

func TestHookPanics(t *testing.T) {
	t.Parallel()
	e := open(t)
	var ran []int
	func() {
		defer func() {
			if r := recover(); r != "hook" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			tx.AfterCommit(func(context.Context) { ran = append(ran, 1) })
			tx.AfterCommit(func(context.Context) { panic("hook") })
			tx.AfterCommit(func(context.Context) { ran = append(ran, 3) })
			return insert(ctx, tx, 1)
		})
	}()
	if !reflect.DeepEqual(ran, []int{1, 3}) || e.count(t) != 1 {
		t.Errorf("hooks that ran: %v", ran)
	}
}
