package txn_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

// slowCommit makes a COMMIT after an insert last so many seconds.
func (e env) slowCommit(seconds string) {
	e.db.Exec(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(` + seconds + `); RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`)
}

// kill ends the server process of a transaction and waits for its end.
func (e env) kill(t testing.TB, pid uint32) {
	t.Helper()
	var gone bool
	if err := e.db.Pool().QueryRow(ctx, "SELECT pg_terminate_backend($1, 5000)", pid).Scan(&gone); err != nil || !gone {
		t.Errorf("process %d does not end (%v)", pid, err)
	}
}

// A connection lost before COMMIT was sent is a rollback that everybody knows
// of, even where the closure swallows the error or never saw one.
func TestLostBeforeCommit(t *testing.T) {
	t.Parallel()
	e := open(t)
	for name, after := range map[string]func(tx *txn.Tx){
		"seen by a statement": func(tx *txn.Tx) { _, _ = tx.Exec(ctx, "SELECT 1") },
		"during a pause":      func(*txn.Tx) { time.Sleep(1100 * time.Millisecond) },
	} {
		var cause error
		runs := 0
		err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			tx.AfterRollback(func(_ context.Context, c error) { cause = c })
			if err := insert(ctx, tx, 1); err != nil {
				return err
			}
			e.kill(t, tx.Info().PID)
			after(tx)
			return nil
		})
		if err == nil || errors.Is(err, txn.ErrCommitUnknown) || cause == nil || runs != 1 || !runtime.AsError(err).IsConnection() {
			t.Errorf("%s: %v, hook got %v, %d runs", name, err, cause, runs)
		}
	}
	if s := e.Stats(); s.RolledBack != 2 || s.Unknown != 0 || e.count(t) != 0 {
		t.Errorf("%+v, %d rows", s, e.count(t))
	}
	// Without a pause it depends on the network whether the COMMIT could be
	// written.
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if err := insert(ctx, tx, 1); err != nil {
			return err
		}
		e.kill(t, tx.Info().PID)
		return nil
	})
	if err == nil || errors.Is(err, txn.ErrCommitUnknown) == errors.Is(err, syscall.EPIPE) || e.count(t) != 0 {
		t.Errorf("at once: %v, %d rows", err, e.count(t))
	}
}

// A server process that ends during COMMIT leaves the outcome unknown.
func TestKilledDuringCommit(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.slowCommit("20")
	runs, hooks := 0, 0
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		tx.AfterCommit(func(context.Context) { hooks++ })
		tx.AfterRollback(func(context.Context, error) { hooks++ })
		time.AfterFunc(200*time.Millisecond, func() { e.kill(t, tx.Info().PID) })
		return insert(ctx, tx, 1)
	})
	if !errors.Is(err, txn.ErrCommitUnknown) || runtime.Retryable(err) || runtime.SafeToRetry(err) || runs != 1 || hooks != 0 {
		t.Errorf("%v, %d runs, %d hooks", err, runs, hooks)
	}
	// Cancelled by an operator, it is rolled back for certain.
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		time.AfterFunc(200*time.Millisecond, func() {
			_, _ = e.db.Pool().Exec(ctx, "SELECT pg_cancel_backend($1)", tx.Info().PID)
		})
		return insert(context.WithoutCancel(ctx), tx, 2)
	})
	if err == nil || errors.Is(err, txn.ErrCommitUnknown) || !runtime.AsError(err).IsCanceled() {
		t.Errorf("a cancelled COMMIT: %v", err)
	}
	if s := e.Stats(); s.Unknown != 1 || s.RolledBack != 1 || e.count(t) != 0 {
		t.Errorf("%+v, %d rows", s, e.count(t))
	}
}

// A time-out shorter than the COMMIT does not stop it.
func TestTimeoutSparesCommit(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.slowCommit("0.8")
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 1) }, txn.Timeout(400*time.Millisecond))
	if err != nil || e.count(t) != 1 || e.Stats().Committed != 1 {
		t.Errorf("%v, %d rows, %+v", err, e.count(t), e.Stats())
	}
}

// SQL text that ends the transaction leaves its outcome unknown, and what comes
// after it is not committed one by one.
func TestEndedByStatement(t *testing.T) {
	t.Parallel()
	e := open(t)
	no := errors.New("no")
	ends := []string{"ROLLBACK", "COMMIT", "ROLLBACK AND CHAIN", "commit and chain", "COMMIT; BEGIN", "SELECT 1; END AND CHAIN"}
	for i, end := range ends {
		for _, result := range []error{nil, no} {
			hooks := 0
			err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				tx.AfterCommit(func(context.Context) { hooks++ })
				tx.AfterRollback(func(context.Context, error) { hooks++ })
				tx.AfterUnknown(func(_ context.Context, err error) {
					if errors.Is(err, txn.ErrCommitUnknown) {
						hooks += 100
					}
				})
				if _, err := tx.Exec(ctx, end); err != nil {
					t.Error(err)
				}
				if err := insert(ctx, tx, 10+i); err == nil {
					t.Errorf("a statement after %s was run", end)
				}
				return result
			})
			if !errors.Is(err, txn.ErrCommitUnknown) || result != nil && !errors.Is(err, no) || hooks != 100 {
				t.Errorf("%s, then %v: %v, %d hooks", end, result, err, hooks)
			}
		}
	}
	tx, err := e.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = tx.Exec(ctx, "ROLLBACK")
	if err := tx.Commit(); !errors.Is(err, txn.ErrCommitUnknown) {
		t.Errorf("Commit: %v", err)
	}
	// What does not end it leaves it as it is.
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "SAVEPOINT a; INSERT INTO t VALUES (7); ROLLBACK TO a")
		if err == nil {
			_, err = tx.Exec(ctx, "ROLLBACK TO SAVEPOINT a")
		}
		return err
	})
	if s := e.Stats(); err != nil || s.Unknown != int64(2*len(ends)+1) || s.Committed != 1 || e.count(t) != 0 {
		t.Errorf("%v, %+v, %d rows", err, s, e.count(t))
	}
	// Its id is told where it is known.
	var unknown *txn.CommitUnknownError
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "COMMIT")
		return err
	}, txn.ResolveByXID)
	if !errors.As(err, &unknown) || unknown.XID == 0 {
		t.Errorf("%#v", err)
	}
}

// What Nested returns an error for is undone, whatever the error is.
func TestNestedUndoes(t *testing.T) {
	t.Parallel()
	e := open(t)
	hooks := 0
	hook := func(tx *txn.Tx) { tx.AfterCommit(func(context.Context) { hooks++ }) }
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		// Its context ends before the release.
		short, cancel := context.WithCancel(ctx)
		err := tx.Nested(short, func(ctx context.Context, tx *txn.Tx) error {
			hook(tx)
			err := insert(ctx, tx, 1)
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v", err)
		}
		// It swallows a failure.
		err = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			hook(tx)
			_ = insert(ctx, tx, 2)
			_, _ = tx.Exec(ctx, "SELECT 1/0")
			return nil
		})
		if !runtime.AsError(err).IsData() {
			t.Errorf("swallowed failure: %v", err)
		}
		// It leaves rows open.
		err = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Query(ctx, "SELECT generate_series(1, 10)")
			return err
		})
		if err != nil {
			t.Errorf("open rows: %v", err)
		}
		return insert(ctx, tx, 3)
	})
	if err != nil || e.count(t) != 1 || hooks != 0 {
		t.Errorf("%v, %d rows, %d hooks", err, e.count(t), hooks)
	}
	// A savepoint that cannot be undone keeps the rest from being committed.
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		func() {
			defer func() { _ = recover() }()
			_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
				_ = insert(ctx, tx, 4)
				_, _ = tx.Exec(ctx, "ROLLBACK TO SAVEPOINT dbgen_1; RELEASE SAVEPOINT dbgen_1; SAVEPOINT other", pgx.QueryExecModeSimpleProtocol)
				_ = insert(ctx, tx, 5)
				panic("boom")
			})
		}()
		_, _ = tx.Exec(ctx, "ROLLBACK TO SAVEPOINT other")
		return nil
	})
	if !errors.Is(err, txn.ErrRolledBack) || e.count(t) != 1 {
		t.Errorf("savepoint lost: %v, %d rows", err, e.count(t))
	}
}

// bomb panics when it becomes an argument.
type bomb struct{}

func (bomb) Value() (driver.Value, error) { panic("boom") }

// A panic on the way to the server gives everything back at once.
func TestPanicInArgument(t *testing.T) {
	t.Parallel()
	e := open(t)
	batch := func() *pgx.Batch { b := &pgx.Batch{}; b.Queue("SELECT $1::int", bomb{}); return b }
	recovered := func(f func()) (r any) {
		defer func() { r = recover() }()
		f()
		return nil
	}
	for name, use := range map[string]func(ctx context.Context, db runtime.DB){
		"Query": func(ctx context.Context, db runtime.DB) { _, _ = db.Query(ctx, "SELECT $1::int", bomb{}) },
		"Exec":  func(ctx context.Context, db runtime.DB) { _, _ = db.Exec(ctx, "SELECT $1::int", bomb{}) },
		"Batch": func(ctx context.Context, db runtime.DB) { _ = db.SendBatch(ctx, batch()).Close() },
		"Iter": func(ctx context.Context, db runtime.DB) {
			for range runtime.Iter(ctx, db, runtime.Query{SQL: "SELECT generate_series(1, 100)"}, func(r *runtime.Row) int32 { return r.Int32(0) }) {
				panic("boom")
			}
		},
		"function of a batch": func(ctx context.Context, db runtime.DB) {
			b := &pgx.Batch{}
			b.Queue("SELECT 1").QueryRow(func(pgx.Row) error { panic("boom") })
			b.Queue("SELECT 2")
			_ = db.SendBatch(ctx, b).Close()
		},
	} {
		began := time.Now()
		if r := recovered(func() { use(ctx, e.pool) }); r != "boom" {
			t.Errorf("%s on the pool: recovered %v", name, r)
		}
		r := recovered(func() {
			_ = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { use(ctx, tx); return nil })
		})
		if r != "boom" || time.Since(began) > 3*time.Second {
			t.Errorf("%s in a transaction: recovered %v after %v", name, r, time.Since(began))
		}
		deadline := time.Now().Add(2 * time.Second)
		for e.pool.Stats().Active != 0 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		if n := e.pool.Stats().Active; n != 0 {
			t.Errorf("%s: %d connections held", name, n)
		}
		// Recovered within, the transaction goes on where it can.
		if name == "Query" || name == "Exec" || name == "Iter" {
			err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				_ = recovered(func() { use(ctx, tx) })
				_, err := tx.Exec(ctx, "SELECT 1")
				return err
			})
			if err != nil {
				t.Errorf("%s recovered within: %v", name, err)
			}
		}
	}
}

// Repeated is only what the server rolled back itself.
func TestRetryOfOthers(t *testing.T) {
	t.Parallel()
	e := open(t, txn.Retry(txn.RetryPolicy{MaxAttempts: 3, Base: time.Millisecond}))
	const fail = "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"
	runs := 0
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		_, err := e.db.Pool().Exec(ctx, fail)
		return err
	})
	if runs != 1 || !runtime.AsError(err).IsSerialization() {
		t.Errorf("the failure of another connection: %d runs, %v", runs, err)
	}
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			_, err := e.db.Pool().Exec(ctx, fail)
			return errors.Join(insert(ctx, tx, 50), err)
		})
		if !runtime.AsError(err).IsSerialization() {
			t.Errorf("in a savepoint: %v", err)
		}
		return nil
	})
	if err != nil || e.count(t) != 0 {
		t.Errorf("the failure of another connection in a savepoint: %v, %d rows", err, e.count(t))
	}
	runs = 0
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		if err := insert(ctx, tx, runs); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		_, err := e.db.Pool().Exec(context.WithoutCancel(ctx), fail)
		return err
	})
	if runs != 1 || !runtime.AsError(err).IsSerialization() || e.count(t) != 1 {
		t.Errorf("after a commit of its own: %d runs, %v", runs, err)
	}
	runs = 0
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if runs++; runs == 2 {
			return insert(ctx, tx, 7)
		}
		_, _ = tx.Exec(ctx, fail)
		return insert(ctx, tx, 6) // the transaction is aborted
	})
	if runs != 2 || err != nil || e.count(t) != 2 {
		t.Errorf("a failure seen by its consequence: %d runs, %v", runs, err)
	}
	runs = 0
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		_, err := tx.Exec(ctx, fail)
		_ = e.Rollback(tx.ID(), errors.New("operator"))
		return err
	})
	if runs != 1 || err == nil {
		t.Errorf("ended by an operator: %d runs, %v", runs, err)
	}
}

// Beginning takes no snapshot: what others committed before the first statement
// that reads is seen, and stricter time-outs stay.
func TestSnapshotIsTheCallers(t *testing.T) {
	t.Parallel()
	e := open(t)
	for i, level := range []pgx.TxIsoLevel{pgx.RepeatableRead, pgx.Serializable} {
		err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if err := insert(context.Background(), e.pool, i+1); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "LOCK TABLE t IN SHARE MODE"); err != nil {
				return err
			}
			var n int
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM t WHERE id > 0").Scan(&n); err != nil {
				return err
			}
			if n != i+1 {
				t.Errorf("%s: %d rows seen, want %d", level, n, i+1)
			}
			if got := setting(ctx, tx, "statement_timeout") + " " + setting(ctx, tx, "idle_in_transaction_session_timeout"); got != "8s 8s" {
				t.Errorf("%s: time-outs are %s", level, got)
			}
			return nil
		}, txn.Isolation(level), txn.Timeout(7*time.Second))
		if err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
	conn := e.db.Conn()
	for _, test := range [][3]string{
		{"5s", "10min", "5s 8s"}, {"0", "1500ms", "8s 1500ms"}, {"1d", "2h", "8s 8s"}, {"7999ms", "8001ms", "7999ms 8s"},
	} {
		if _, err := conn.Exec(ctx, fmt.Sprintf("SET statement_timeout = '%s'; SET idle_in_transaction_session_timeout = '%s'", test[0], test[1])); err != nil {
			t.Fatal(err)
		}
		err := txn.New(conn).Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if got := setting(ctx, tx, "statement_timeout") + " " + setting(ctx, tx, "idle_in_transaction_session_timeout"); got != test[2] {
				t.Errorf("%v: time-outs are %s", test, got)
			}
			return nil
		}, txn.Isolation(pgx.RepeatableRead), txn.Timeout(7*time.Second))
		if err != nil {
			t.Errorf("%v: %v", test, err)
		}
	}
	for _, level := range []pgx.TxIsoLevel{"", pgx.Serializable} {
		if err := e.Run(ctx, func(context.Context, *txn.Tx) error { return nil }, txn.Isolation(level), txn.Timeout(100*24*time.Hour)); err != nil {
			t.Errorf("a time-out beyond the server's range: %v", err)
		}
	}
}

func TestSweepSparesEndless(t *testing.T) {
	t.Parallel()
	e := open(t)
	tx, err := e.Begin(ctx, txn.Timeout(-1))
	if err != nil {
		t.Fatal(err)
	}
	if n := e.Sweep(time.Now().Add(time.Hour)); n != 0 {
		t.Errorf("%d transactions without a deadline were swept", n)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// A connection taken from a pool may be in a transaction as well.
func TestPoolConnInTransaction(t *testing.T) {
	t.Parallel()
	e := open(t)
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	m := txn.New(conn)
	if err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 1) }); err != nil {
		t.Error(err)
	}
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := m.Run(ctx, nil); !errors.Is(err, txn.ErrIncompatibleOptions) {
		t.Errorf("got %v", err)
	}
}

// Where no connection is to be had nothing began, nothing is held and nothing
// panics.
func TestBeginWithoutConnection(t *testing.T) {
	t.Parallel()
	e := open(t)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	small, err := pool.New(ctx, e.db.URL, pool.Config{MaxConns: 1, AcquireTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close(ctx)
	held, err := small.Acquire(ctx)
	for n := 0; err != nil && n < 100; n++ { // to make it may take longer
		held, err = small.Acquire(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	nowhere, err := pool.New(ctx, "postgres://u@127.0.0.1:1/d?sslmode=disable", pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close(ctx)
	for i, opt := range []txn.Option{txn.Timeout(time.Minute), txn.Timeout(-1), txn.Isolation(pgx.Serializable)} {
		if err := txn.New(small).Run(ctx, nil, opt); !errors.Is(err, pool.ErrAcquireTimeout) || !runtime.SafeToRetry(err) {
			t.Errorf("pool in use: %v", err)
		}
		if err := e.Run(ended, nil, opt); !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v", err)
		}
		if i > 0 { // it takes its time
			continue
		}
		if err := txn.New(nowhere).Run(ctx, nil, opt, txn.NoRetry()); !runtime.AsError(err).IsConnection() || !runtime.Retryable(err) {
			t.Errorf("no server: %v", err)
		}
	}
	if n := small.Stats().Active; n != 1 {
		t.Errorf("%d connections held", n)
	}
}

// Everything holds in each way to send statements, those for poolers included.
func TestExecModes(t *testing.T) {
	t.Parallel()
	e := open(t)
	for i, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		config, err := pgx.ParseConfig(e.db.URL)
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		m := txn.New(conn)
		for k, level := range []pgx.TxIsoLevel{"", pgx.Serializable} {
			err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Exec(ctx, "SELECT 1/0"); return err })
				return insert(ctx, tx, 10*i+k+1)
			}, txn.Isolation(level))
			if err != nil {
				t.Errorf("%v: %v", mode, err)
			}
		}
		err = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 1) })
		if !errors.Is(err, &runtime.ConstraintError{Schema: "public", Table: "t", Constraint: "t_key"}) {
			t.Errorf("%v: deferred constraint: %v", mode, err)
		}
		if err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { _, _ = tx.Exec(ctx, "SELECT 1/0"); return nil }); !errors.Is(err, txn.ErrRolledBack) {
			t.Errorf("%v: swallowed failure: %v", mode, err)
		}
		_ = conn.Close(ctx)
	}
	if n := e.count(t); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
}

// Under server processes and contexts that end at random moments, no answer is
// a lie: nil is committed, an error is not, but for an unknown outcome.
func TestNoDoubtfulAnswer(t *testing.T) {
	t.Parallel()
	e := open(t)
	const workers, each = 6, 40
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		random := rand.New(rand.NewPCG(7, 7))
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(random.IntN(6)) * time.Millisecond):
			}
			if infos := e.Active(); len(infos) > 0 {
				_, _ = e.db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1)", infos[random.IntN(len(infos))].PID)
			}
		}
	})
	var mu sync.Mutex
	answers := map[int]error{}
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for i := range each {
				id := worker*each + i + 1
				limited, cancel := context.WithCancel(ctx)
				if random.IntN(2) == 0 {
					time.AfterFunc(time.Duration(random.IntN(8000))*time.Microsecond, cancel)
				}
				err := e.Run(limited, func(ctx context.Context, tx *txn.Tx) error {
					_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
						_ = insert(ctx, tx, -100-id)
						return errors.New("undo")
					})
					return insert(ctx, tx, id)
				}, txn.Isolation([]pgx.TxIsoLevel{"", pgx.RepeatableRead}[random.IntN(2)]))
				cancel()
				mu.Lock()
				answers[id] = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(stop)
	killer.Wait()
	rows, err := e.db.Pool().Query(ctx, "SELECT id FROM t WHERE id > 0 OR id < -100")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	stored := map[int]bool{}
	for _, id := range ids {
		stored[id] = true
		if id < 0 {
			t.Errorf("%d: undone by its savepoint, yet there", id)
		}
	}
	committed, unknown := 0, 0
	for id, err := range answers {
		switch {
		case errors.Is(err, txn.ErrCommitUnknown):
			unknown++
		case (err == nil) != stored[id]:
			t.Errorf("%d: the answer is %v, stored: %v", id, err, stored[id])
		case err == nil:
			committed++
		}
	}
	t.Logf("%d committed, %d unknown, of %d", committed, unknown, len(answers))
	if committed == 0 || len(answers) != workers*each {
		t.Errorf("%d committed of %d", committed, len(answers))
	}
}
