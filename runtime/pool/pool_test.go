package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var (
	_ runtime.DB = (*pool.Pool)(nil)
	_ runtime.DB = (*pool.Conn)(nil)
)

func open(t testing.TB, config pool.Config, schema ...pgtest.Source) (*pool.Pool, *pgtest.DB) {
	t.Helper()
	db := pgtest.New(t, schema...)
	return openURL(t, db.URL, config), db
}

// openURL returns a pool that is closed when the test ends.
func openURL(t testing.TB, url string, config pool.Config) *pool.Pool {
	t.Helper()
	p, err := pool.New(context.Background(), url, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

// eventually fails the test if ok does not come true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

func TestAcquireTimeout(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 2, AcquireTimeout: 50 * time.Millisecond})
	ctx := context.Background()
	for range 2 {
		eventually(t, "a connection is made", func() bool { // to make one may take longer
			c, err := p.Acquire(ctx)
			if err == nil {
				t.Cleanup(c.Release)
			}
			return err == nil
		})
	}
	before := p.Stats().Timeouts
	_, err := p.Exec(ctx, "SELECT 1")
	var timeout *pool.AcquireTimeoutError
	if !errors.As(err, &timeout) || !errors.Is(err, pool.ErrAcquireTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if s := timeout.Stats; s.Active != 2 || s.Max != 2 || s.Timeouts != before+1 || timeout.Waited < 50*time.Millisecond {
		t.Errorf("got %+v after %v", s, timeout.Waited)
	}
	if !runtime.SafeToRetry(err) {
		t.Error("an acquire time-out is not safe to retry")
	}
	// The caller's own deadline is told as such.
	short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	if _, err := p.Query(short, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pool.ErrAcquireTimeout) {
		t.Errorf("the caller's deadline: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if err := p.SendBatch(canceled, &pgx.Batch{}).Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled caller: %v", err)
	}
}

// The time-out is for the wait alone, not for the statement.
func TestAcquireTimeoutSparesStatements(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{AcquireTimeout: time.Second})
	if err := p.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Exec(context.Background(), "SELECT pg_sleep(1.2)"); err != nil {
		t.Fatal(err)
	}
}

// A cancelled context ends the statement on the server, and the connection
// lives on.
func TestCancelKeepsConnection(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MaxConns: 1})
	var pid, again uint32
	ctx := context.Background()
	if err := p.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	err := runtime.Exec(short, p, runtime.Query{Name: "Sleep", SQL: "SELECT pg_sleep(30)"})
	if !errors.Is(err, context.DeadlineExceeded) || !runtime.AsError(err).IsCanceled() || runtime.AsError(err).IsStatementTimeout() {
		t.Errorf("got %v", err)
	}
	if err := p.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&again); err != nil || again != pid {
		t.Errorf("connection %d was replaced by %d (%v)", pid, again, err)
	}
	var running int
	if err := db.Conn().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid = $1", pid).Scan(&running); err != nil || running != 0 {
		t.Errorf("%d statements still run (%v)", running, err)
	}
}

// A transaction is rolled back also with the context that ended its statement,
// and keeps its connection.
func TestRollbackAfterCancel(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1}, pgtest.SQL("CREATE TABLE t (id int)"))
	if err := p.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	tx, err := p.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := runtime.Exec(ctx, tx, runtime.Query{Name: "Sleep", SQL: "SELECT pg_sleep(60)"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Error(err)
	}
	var n int
	if err := p.QueryRow(context.Background(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	if s := p.Stats(); s.Opened != 1 {
		t.Errorf("%+v", s)
	}
}

func TestConnectionsComeBack(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1, AcquireTimeout: 2 * time.Second}, pgtest.SQL("CREATE TABLE t (id int)"))
	ctx := context.Background()
	scan := func(r *runtime.Row) int32 { return r.Int32(0) }
	for name, use := range map[string]func() error{
		"Exec":        func() error { _, err := p.Exec(ctx, "SELECT 1"); return err },
		"Exec error":  func() error { _, err := p.Exec(ctx, "SELEKT"); return not(err) },
		"Query":       func() error { rows, err := p.Query(ctx, "SELECT 1"); rows.Close(); return err },
		"Query error": func() error { _, err := p.Query(ctx, "SELEKT"); return not(err) },
		"Query to end": func() error {
			rows, err := p.Query(ctx, "SELECT 1")
			for rows.Next() {
			}
			return err
		},
		"Scan error": func() error {
			rows, _ := p.Query(ctx, "SELECT 'x'")
			rows.Next()
			var n int
			return not(rows.Scan(&n))
		},
		"QueryRow": func() error { var n int; return p.QueryRow(ctx, "SELECT 1").Scan(&n) },
		"no row":   func() error { var n int; return not(p.QueryRow(ctx, "SELECT 1 WHERE false").Scan(&n)) },
		"One":      func() error { _, err := runtime.One(ctx, p, runtime.Query{SQL: "SELECT 1"}, scan); return err },
		"One, many": func() error {
			_, err := runtime.One(ctx, p, runtime.Query{SQL: "SELECT generate_series(1, 9)"}, scan)
			return not(err)
		},
		"Iter, left": func() error {
			for range runtime.Iter(ctx, p, runtime.Query{SQL: "SELECT generate_series(1, 9)"}, scan) {
				break
			}
			return nil
		},
		"CopyFrom": func() error {
			n, err := p.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}, {2}}))
			if n != 2 {
				return fmt.Errorf("copied %d: %w", n, err)
			}
			return err
		},
		"SendBatch": func() error { b := &pgx.Batch{}; b.Queue("SELECT 1"); return p.SendBatch(ctx, b).Close() },
		"commit": func() error {
			tx, err := p.Begin(ctx)
			if err != nil {
				return err
			}
			return tx.Commit(ctx)
		},
		"rollback": func() error {
			tx, err := p.Begin(ctx)
			if err != nil {
				return err
			}
			return tx.Rollback(ctx)
		},
		"batch transaction": func() error {
			b := &pgx.Batch{}
			b.BeginTx(pgx.TxOptions{})
			b.Queue("SELECT 1")
			r := p.SendBatch(ctx, b)
			if err := r.Close(); err != nil {
				return err
			}
			return r.Tx().Commit(ctx)
		},
		"failed batch transaction": func() error {
			b := &pgx.Batch{}
			b.BeginTx(pgx.TxOptions{BeginQuery: "BEGIN NONSENSE"})
			r := p.SendBatch(ctx, b)
			if err := r.Close(); err == nil {
				return errors.New("no error")
			}
			_ = r.Tx().Rollback(ctx)
			return nil
		},
		"left in a transaction": func() error {
			c, err := p.Acquire(ctx)
			if err != nil {
				return err
			}
			_, err = c.Exec(ctx, "BEGIN")
			c.Release()
			c.Release()
			return err
		},
		"Ping": func() error { return p.Ping(ctx) },
	} {
		if err := use(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// A connection that is closed instead of kept leaves in the background.
		eventually(t, name+": the connection is back", func() bool { return p.Stats().Active == 0 })
	}
}

func not(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return nil
}

func TestInfoAndStats(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 3, MinConns: 2, MaxLifetime: time.Hour})
	ctx := context.Background()
	eventually(t, "MinConns are open", func() bool { return p.Stats().Idle == 2 })
	c, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	info := c.Info()
	if info.ID == 0 || !info.Active || info.Idle || info.Expired || info.Uses != 1 || info.HeldSince.IsZero() || info.Created.After(info.LastUsed) || info.PID != c.Conn().PgConn().PID() {
		t.Errorf("held: %+v", info)
	}
	s := p.Stats()
	if s.Total != 2 || s.Active != 1 || s.Idle != 1 || s.Max != 3 || s.Min != 2 || s.Total != s.Active+s.Idle+s.Connecting || s.AcquireTime.Count != 1 || s.Acquires < 1 {
		t.Errorf("stats: %+v", s)
	}
	c.Release()
	infos := p.Conns()
	if len(infos) != 2 || infos[0].ID >= infos[1].ID || infos[0].Active || infos[1].Active {
		t.Errorf("conns: %+v", infos)
	}
	if q := p.Stats().AcquireTime.Quantile(0.5); q <= 0 {
		t.Errorf("median is %v", q)
	}
	if q := (pool.Histogram{}).Quantile(0.5); q != 0 {
		t.Errorf("median of nothing is %v", q)
	}
}

func TestCleanup(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	fill := func(p *pool.Pool, n int) {
		var held []*pool.Conn
		for range n {
			c, err := p.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, c)
		}
		for _, c := range held {
			c.Release()
		}
	}
	p, _ := open(t, pool.Config{MaxConns: 5, MinConns: 1, IdleTimeout: 50 * time.Millisecond, MaxLifetime: time.Hour})
	eventually(t, "MinConns are open", func() bool { return p.Stats().Idle == 1 && p.Stats().Total == 1 })
	fill(p, 4)
	if n := p.Cleanup(ctx); n != 0 {
		t.Errorf("%d fresh connections were closed", n)
	}
	time.Sleep(60 * time.Millisecond)
	if n := p.Cleanup(ctx); n != 3 {
		t.Errorf("%d of 4 idle connections were closed, want all but MinConns", n)
	}
	eventually(t, "one connection is left", func() bool { return len(p.Conns()) == 1 && p.Stats().Total == 1 })

	expiring, _ := open(t, pool.Config{MaxConns: 5, MinConns: -1, IdleTimeout: 20 * time.Millisecond, MaxLifetime: 20 * time.Millisecond})
	c, err := expiring.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	if !c.Info().Expired {
		t.Error("an old connection is not expired")
	}
	if n := expiring.Cleanup(ctx); n != 0 {
		t.Error("a connection in use was closed")
	}
	c.Release()
	eventually(t, "the expired connection is gone", func() bool { expiring.Cleanup(ctx); return len(expiring.Conns()) == 0 })
}

func TestClose(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MaxConns: 1, AcquireTimeout: -1})
	ctx := context.Background()
	c, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p.Config().MaxConns != 1 {
		t.Fatal("a second caller would not wait")
	}
	waiter := make(chan error)
	go func() { _, err := p.Acquire(ctx); waiter <- err }()
	time.Sleep(20 * time.Millisecond)
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if err := p.Close(short); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 connections in use") {
		t.Errorf("Close with a connection out: %v", err)
	}
	if err := <-waiter; !errors.Is(err, pool.ErrClosed) {
		t.Errorf("who waited: %v", err)
	}
	if _, err := p.Acquire(ctx); !errors.Is(err, pool.ErrClosed) {
		t.Errorf("Acquire while closing: %v", err)
	}
	if _, err := c.Exec(ctx, "SELECT 1"); err != nil {
		t.Errorf("the connection that is out: %v", err)
	}
	done := make(chan error)
	go func() { done <- p.Close(ctx) }()
	c.Release()
	if err := <-done; err != nil {
		t.Errorf("Close: %v", err)
	}
	eventually(t, "all backends are gone", func() bool {
		var n int
		if err := db.Pool().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
}

// Random cancellation leaks nothing, and the figures add up throughout.
func TestNoLeakUnderCancellation(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MaxConns: 4, AcquireTimeout: 20 * time.Millisecond})
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 60 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(3000))*time.Microsecond)
				if random.IntN(2) == 0 {
					_, _ = p.Exec(ctx, "SELECT 1")
				} else if c, err := p.Acquire(ctx); err == nil {
					c.Release()
				}
				cancel()
				if s := p.Stats(); s.Total > 4 || s.Active > s.Total || s.Total != s.Active+s.Idle+s.Connecting {
					t.Errorf("stats: %+v", s)
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "no connection is held", func() bool { return p.Stats().Active == 0 && p.Stats().Connecting == 0 })
	eventually(t, "the server agrees", func() bool {
		var n int
		if err := db.Pool().QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == p.Stats().Total && n == len(p.Conns())
	})
}
