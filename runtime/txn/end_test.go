package txn_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestExpiry(t *testing.T) {
	t.Parallel()
	e := open(t)
	// In a statement.
	began := time.Now()
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "SELECT pg_sleep(20)")
		return err
	}, txn.Timeout(time.Second))
	if !errors.Is(err, txn.ErrExpired) || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	// In a statement that was given another context.
	err = e.Run(ctx, func(_ context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "SELECT pg_sleep(20)")
		return err
	}, txn.Timeout(time.Second))
	if !errors.Is(err, txn.ErrExpired) {
		t.Errorf("with another context: %v", err)
	}
	// Between two: the connection is back while the closure sleeps.
	var cause error
	hooked := make(chan struct{})
	err = e.Run(ctx, func(_ context.Context, tx *txn.Tx) error {
		tx.AfterRollback(func(_ context.Context, c error) { cause = c; close(hooked) })
		if err := insert(ctx, tx, 1); err != nil {
			return err
		}
		<-hooked
		if n := e.pool.Stats().Active; n != 0 {
			t.Errorf("%d connections held by an expired transaction", n)
		}
		if s := tx.Info().Status; s != txn.Expired {
			t.Errorf("status is %v", s)
		}
		if err := insert(ctx, tx, 2); !errors.Is(err, txn.ErrExpired) {
			t.Errorf("the next statement got %v", err)
		}
		return nil // says nothing of it
	}, txn.Timeout(time.Second))
	if !errors.Is(err, txn.ErrExpired) || !errors.Is(cause, txn.ErrExpired) {
		t.Errorf("%v, hook got %v", err, cause)
	}
	if s := e.Stats(); s.Expired != 3 || e.count(t) != 0 {
		t.Errorf("%+v, %d rows", s, e.count(t))
	}
	var running int
	if err := e.db.Conn().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid() AND backend_type = 'client backend'").Scan(&running); err != nil || running != 0 {
		t.Errorf("%d backends are busy (%v)", running, err)
	}
	// The caller's own deadline is not ErrExpired.
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	err = e.Run(short, func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Exec(ctx, "SELECT pg_sleep(20)"); return err })
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, txn.ErrExpired) {
		t.Errorf("the caller's deadline: %v", err)
	}
}

// cutAtCommit loses the connection after COMMIT was sent.
type cutAtCommit struct{ txn.Beginner }

type cutTx struct{ pgx.Tx }

type cutResults struct{ pgx.BatchResults }

func (c cutAtCommit) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return cutResults{c.Beginner.SendBatch(ctx, b)}
}

func (c cutAtCommit) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	tx, err := c.Beginner.BeginTx(ctx, options)
	return cutTx{tx}, err
}
func (r cutResults) Tx() pgx.Tx { return cutTx{r.BatchResults.Tx()} }

func (t cutTx) Commit(ctx context.Context) error {
	conn := t.Conn().PgConn().Conn()
	time.AfterFunc(100*time.Millisecond, func() { _ = conn.Close() })
	return t.Tx.Commit(ctx)
}

// A COMMIT whose answer is lost is said to be unknown and is not repeated; here
// it did commit. Waiting for a standby that is not there holds the answer back.
func TestCommitUnknown(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(ctx, pgtest.Options{Settings: map[string]string{"synchronous_standby_names": "nobody", "synchronous_commit": "local"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	database, err := server.Create(ctx, pgtest.SQL(schema))
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgxpool.ParseConfig(database.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	pgxPool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer pgxPool.Close()
	m := txn.New(cutAtCommit{pgxPool})
	runs, hooks := 0, 0
	err = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		tx.AfterCommit(func(context.Context) { hooks++ })
		tx.AfterRollback(func(context.Context, error) { hooks++ })
		return insert(ctx, tx, 1)
	})
	if !errors.Is(err, txn.ErrCommitUnknown) || runtime.Retryable(err) || runtime.SafeToRetry(err) || runs != 1 || hooks != 0 {
		t.Errorf("%v, %d runs, %d hooks", err, runs, hooks)
	}
	if s := m.Stats(); s.Unknown != 1 || s.Active != 0 {
		t.Errorf("stats: %+v", s)
	}
	deadline := time.Now().Add(5 * time.Second)
	for n := 0; n != 1; {
		if err := pgxPool.QueryRow(ctx, "SELECT count(*) FROM t WHERE id = 1").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the transaction did not commit after all")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Neither the caller's context nor the time-out stops a COMMIT under way.
func TestCommitIsNotCancelled(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.db.Exec(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`)
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := e.Run(short, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 1) }); err != nil {
		t.Error(err)
	}
	if e.count(t) != 1 || e.Stats().Committed != 1 {
		t.Errorf("%d rows, %+v", e.count(t), e.Stats())
	}
}

// A hook that comes after the end is called at once, if it is one for that end.
func TestHookAfterEnd(t *testing.T) {
	t.Parallel()
	e := open(t)
	for _, commit := range []bool{true, false} {
		tx, err := e.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var called []string
		if commit {
			err = tx.Commit()
		} else {
			err = e.Rollback(tx.ID(), errors.New("why"))
		}
		if err != nil {
			t.Fatal(err)
		}
		tx.AfterCommit(func(context.Context) { called = append(called, "commit") })
		tx.AfterRollback(func(_ context.Context, cause error) { called = append(called, cause.Error()) })
		tx.AfterUnknown(func(context.Context, error) { called = append(called, "unknown") })
		if want := map[bool]string{true: "commit", false: "why"}[commit]; len(called) != 1 || called[0] != want {
			t.Errorf("called %q, want %s", called, want)
		}
	}
}
