package txn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// deaf is a connection that from a moment on neither sends nor gets anything, the
// end of the session included.
type deaf struct {
	net.Conn
	on       *atomic.Bool
	closed   atomic.Bool
	deadline atomic.Int64 // in nanoseconds; 0 for none
}

func (d *deaf) Write(b []byte) (int, error) {
	if d.on.Load() {
		_ = d.Conn.Close() // so that nothing waits for the server later on
		return len(b), nil
	}
	return d.Conn.Write(b)
}

func (d *deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	for d.on.Load() {
		if d.closed.Load() {
			return 0, net.ErrClosed
		}
		if at := d.deadline.Load(); at != 0 && time.Now().UnixNano() >= at {
			return 0, os.ErrDeadlineExceeded
		}
		time.Sleep(time.Millisecond)
		n, err = 0, io.EOF // were it no longer deaf
	}
	return n, err
}

func (d *deaf) SetDeadline(at time.Time) error {
	nanoseconds := int64(0)
	if !at.IsZero() {
		nanoseconds = at.UnixNano()
	}
	d.deadline.Store(nanoseconds)
	return d.Conn.SetDeadline(at)
}

func (d *deaf) Close() error {
	d.closed.Store(true)
	return d.Conn.Close()
}

// A ROLLBACK that is not answered is given up in time, however soon, or long ago,
// the transaction's own time is up.
func TestRollbackWithoutAnswer(t *testing.T) {
	t.Parallel()
	e := open(t)
	var on atomic.Bool
	p, err := pool.New(ctx, e.db.URL, pool.Config{MaxConns: 4, Configure: func(c *pgxpool.Config) error {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil || on.Load() { // a request to cancel
				return conn, err
			}
			return &deaf{Conn: conn, on: &on}, nil
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := txn.New(p)
	var ended atomic.Int64
	begin := func(opts ...txn.Option) *txn.Tx {
		tx, err := m.Begin(ctx, opts...)
		if err != nil {
			t.Fatal(err)
		}
		tx.AfterRollback(func(context.Context, error) { ended.Add(1) })
		return tx
	}
	soon, late, never := begin(txn.Timeout(4*time.Second)), begin(), begin(txn.Timeout(-1))
	begin(txn.Timeout(200 * time.Millisecond))
	on.Store(true)
	began := time.Now()
	for _, tx := range []*txn.Tx{soon, late, never} {
		go func() {
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}()
	}
	for ended.Load() != 4 && time.Since(began) < 30*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	if s := m.Stats(); s.RolledBack != 3 || s.Expired != 1 || ended.Load() != 4 {
		t.Errorf("after %v: %+v, %d hooks, %+v", time.Since(began), s, ended.Load(), m.Active())
	}
	on.Store(false)
	limited, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := p.Close(limited); err != nil {
		t.Error(err)
	}
}

// A hook's panic on a goroutine of the manager's comes out of Run; the manager
// goes on.
func TestHookPanicsApart(t *testing.T) {
	t.Parallel()
	e := open(t)
	cancelled, cancel := context.WithCancel(ctx)
	for name, test := range map[string]struct {
		ctx context.Context
		end func()
		opt txn.Option
	}{
		"time-out": {ctx, func() {}, txn.Timeout(50 * time.Millisecond)},
		"context":  {cancelled, cancel, txn.Label("")},
	} {
		ran := 0
		func() {
			defer func() {
				if v := recover(); v != "hook" {
					t.Errorf("%s: recovered %v", name, v)
				}
			}()
			err := e.Run(test.ctx, func(ctx context.Context, tx *txn.Tx) error {
				done := make(chan struct{})
				tx.AfterRollback(func(context.Context, error) { panic("hook") })
				tx.AfterRollback(func(context.Context, error) { ran++; close(done) })
				test.end()
				<-ctx.Done()
				<-done
				return nil
			}, test.opt)
			t.Errorf("%s: no panic, but %v", name, err)
		}()
		if ran != 1 {
			t.Errorf("%s: the other hook ran %d times", name, ran)
		}
	}
	tx, err := e.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	tx.AfterRollback(func(context.Context, error) { panic("hook") })
	func() {
		defer func() {
			if v := recover(); v != "hook" {
				t.Errorf("Sweep: recovered %v", v)
			}
		}()
		t.Errorf("no panic, %d ended", e.Sweep(time.Now().Add(time.Hour)))
	}()
}

// A batch that nobody reads on, and rows of one, do not keep the connection of a
// transaction whose time is up.
func TestBatchLeftOpen(t *testing.T) {
	t.Parallel()
	e := open(t)
	var all []pgx.BatchResults
	var rows pgx.Rows
	for n := range 2 {
		tx, err := e.Begin(ctx, txn.Timeout(500*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		b := &pgx.Batch{}
		b.Queue("INSERT INTO t VALUES (1)")
		b.Queue("SELECT generate_series(1, 10000000)")
		b.Queue("SELECT 1")
		results := tx.SendBatch(ctx, b)
		if _, err := results.Exec(); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			if rows, err = results.Query(); err != nil || !rows.Next() {
				t.Fatal(err)
			}
		}
		all = append(all, results)
	}
	for deadline := time.Now().Add(60 * time.Second); e.pool.Stats().Active != 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if s := e.Stats(); s.Expired != 2 || e.pool.Stats().Active != 0 {
		t.Errorf("%+v, %+v", s, e.pool.Stats())
	}
	if rows.Next() || !errors.Is(rows.Err(), txn.ErrExpired) {
		t.Errorf("rows: %v", rows.Err())
	}
	rows.Close()
	for _, results := range all {
		if _, err := results.Exec(); !errors.Is(err, txn.ErrExpired) {
			t.Errorf("Exec: %v", err)
		}
		var n int
		if err := results.QueryRow().Scan(&n); !errors.Is(err, txn.ErrExpired) {
			t.Errorf("QueryRow: %v", err)
		}
		if err := results.Close(); !errors.Is(err, txn.ErrExpired) {
			t.Errorf("Close: %v", err)
		}
	}
	if n := e.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// A savepoint of the caller's own within Nested does not hide that of Nested.
func TestOwnSavepointWithinNested(t *testing.T) {
	t.Parallel()
	e := open(t)
	no := errors.New("no")
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if err := insert(ctx, tx, 1); err != nil {
			return err
		}
		err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if err := insert(ctx, tx, 2); err != nil {
				return err
			}
			for _, name := range []string{"s", "s1", "sp_1", "sp1"} {
				if _, err := tx.Exec(ctx, "SAVEPOINT "+name); err != nil {
					return err
				}
			}
			if err := insert(ctx, tx, 3); err != nil {
				return err
			}
			return no
		})
		if err != no {
			t.Error(err)
		}
		return nil
	})
	if n := e.count(t); err != nil || n != 1 {
		t.Errorf("%v, %d rows", err, n)
	}
}

// The longest wait for what holds rows open is that for one of them.
func TestCloseAtOnce(t *testing.T) {
	t.Parallel()
	e := open(t)
	for range 3 {
		tx, err := e.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tx.Query(ctx, "SELECT generate_series(1, 10000000)")
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
	}
	limited, cancel := context.WithCancel(ctx)
	cancel()
	began := time.Now()
	if err := e.Close(limited); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "3 transactions") {
		t.Error(err)
	}
	if took := time.Since(began); took > 14*time.Second { // 5 s for each, one after the other, are 15
		t.Errorf("closed after %v", took)
	}
}

// The reason of a rollback from outside is never nil.
func TestRollbackWithoutReason(t *testing.T) {
	t.Parallel()
	e := open(t)
	var cause error
	err := e.Run(ctx, func(_ context.Context, tx *txn.Tx) error {
		tx.AfterRollback(func(_ context.Context, err error) { cause = err })
		return e.Rollback(tx.ID(), nil)
	})
	if !errors.Is(err, txn.ErrRolledBack) || !errors.Is(cause, txn.ErrRolledBack) {
		t.Errorf("%v, hook got %v", err, cause)
	}
	// It is told once.
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		return tx.Nested(ctx, func(_ context.Context, tx *txn.Tx) error { return tx.Rollback() })
	})
	if err == nil || err.Error() != txn.ErrRolledBack.Error() {
		t.Error(err)
	}
}

// The manager's defaults can be taken back.
func TestReadWrite(t *testing.T) {
	t.Parallel()
	e := open(t, txn.ReadOnly(), txn.Deferrable(), txn.Isolation(pgx.Serializable), txn.LockTimeout(time.Second))
	write := func(ctx context.Context, tx *txn.Tx) error {
		if v := setting(ctx, tx, "transaction_deferrable"); v != "off" {
			t.Errorf("deferrable: %s", v)
		}
		if v := setting(ctx, tx, "lock_timeout"); v != "0" {
			t.Errorf("lock time-out: %s", v)
		}
		return insert(ctx, tx, 1)
	}
	if err := e.Run(ctx, write, txn.ReadWrite(), txn.LockTimeout(-1)); err != nil || e.count(t) != 1 {
		t.Error(err)
	}
	if err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 2) }); !runtime.AsError(err).IsReadOnly() {
		t.Error(err)
	}
}

// A transaction that had failed is rolled back for certain, whatever becomes of
// the answer to its COMMIT.
func TestLostCommitOfFailed(t *testing.T) {
	t.Parallel()
	e := open(t)
	d := openLossy(t, e.db.URL, txn.Report)
	for _, what := range []int32{loseCommit, loseAnswer} {
		rolledBack := 0
		err := d.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			tx.AfterRollback(func(context.Context, error) { rolledBack++ })
			if _, err := tx.Exec(ctx, "SELECT 1/0"); err == nil {
				t.Error("no failure")
			}
			d.way.next.Store(what)
			return nil
		})
		if err == nil || errors.Is(err, txn.ErrCommitUnknown) || rolledBack != 1 {
			t.Errorf("%d: %v, %d hooks", what, err, rolledBack)
		}
	}
}

// failing are rows of a COPY that panic.
type failing struct{}

func (failing) Next() bool             { return true }
func (failing) Values() ([]any, error) { panic("rows") }
func (failing) Err() error             { return nil }

// Rows of a COPY that panic do so where it was asked for, and roll back.
func TestPanicInCopy(t *testing.T) {
	t.Parallel()
	e := open(t)
	var info txn.Info
	func() {
		defer func() {
			if v := recover(); v != "rows" {
				t.Errorf("recovered %v", v)
			}
		}()
		_ = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			defer func() { info = tx.Info() }()
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, failing{})
			t.Errorf("no panic, but %v", err)
			return err
		})
	}()
	if len(info.Ops) != 1 || info.Ops[0].Dur < 0 || info.Ops[0].Err == nil {
		t.Errorf("%+v", info.Ops)
	}
}

// What a transaction tells of its errors holds no values of rows, in whatever way
// it is written.
func TestInfoShowsNoValues(t *testing.T) {
	t.Parallel()
	e := open(t)
	var info txn.Info
	failure := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		defer func() { info = tx.Info() }()
		_, err := tx.Exec(ctx, "CREATE TEMPORARY TABLE u (id int PRIMARY KEY) ON COMMIT DROP; INSERT INTO u VALUES (774411), (774411)")
		return err
	})
	if d := runtime.AsError(failure).Detail(); !strings.Contains(d, "774411") {
		t.Fatalf("the detail is %q", d)
	}
	info.Ops[0].At, info.Began, info.Deadline = time.Time{}, time.Time{}, time.Time{}
	if text, err := json.Marshal(info.Status); err != nil || string(text) != `"active"` {
		t.Errorf("status %s, %v", text, err)
	}
	if err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if text := fmt.Sprintf("%v %+v", tx, tx); text != "transaction 2 (a) transaction 2 (a)" {
			t.Error(text)
		}
		return nil
	}, txn.Label("a"), txn.Set("app.token", "774411")); err != nil {
		t.Error(err)
	}
	for name, v := range map[string]any{
		"info": info, "unknown": &txn.CommitUnknownError{Err: failure, XID: 5, Server: txn.Server{SystemID: 6, Timeline: 7}},
		"exhausted": &txn.RetriesExhaustedError{Attempts: 5, Last: failure},
	} {
		object, err := json.Marshal(map[string]any{"it": v})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(h).Info("it", "it", v)
		}
		for _, text := range []string{string(object), log.String(), fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v)} {
			if strings.Contains(text, "774411") {
				t.Errorf("%s: %s", name, text)
			}
		}
		if !strings.Contains(string(object), "23505") || name == "unknown" && !strings.Contains(log.String(), `"xid":5,"system":6,"timeline":7`) {
			t.Errorf("%s: %s, logged %s", name, object, log.String())
		}
	}
}
