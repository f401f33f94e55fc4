package pool_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
)

// asking asks a pool all it can tell whenever it is told something.
type asking struct {
	slog.Handler
	ready chan struct{} // closed once pool is set
	pool  *pool.Pool
	mu    sync.Mutex
	told  map[string]bool
}

func (a *asking) ask(what string) {
	<-a.ready
	_, _, _ = a.pool.Stats(), a.pool.Conns(), a.pool.Hosts()
	a.pool.Cleanup(context.Background())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[what] = true
}

func (a *asking) has(what string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.told[what]
}

func (a *asking) Begin(ctx context.Context, e runtime.Event) context.Context {
	a.ask("begin " + e.Kind.String())
	return ctx
}
func (a *asking) End(_ context.Context, e runtime.Event) { a.ask("end " + e.Kind.String()) }

func (*asking) Enabled(context.Context, slog.Level) bool        { return true }
func (a *asking) Handle(_ context.Context, r slog.Record) error { a.ask(r.Message); return nil }

// What is told of the pool may ask it, and so may all hooks.
func TestCallbacksAskThePool(t *testing.T) {
	t.Parallel()
	a := &asking{ready: make(chan struct{}), told: map[string]bool{}}
	p, _ := open(t, pool.Config{
		MaxConns: 2, LeakAfter: 50 * time.Millisecond, Observer: a, Logger: slog.New(a), Standbys: &pool.Standbys{CheckInterval: 100 * time.Millisecond},
		Password: func(context.Context) (runtime.Secret, error) { a.ask("password"); return "", nil },
		Configure: func(c *pgxpool.Config) error {
			c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { a.ask("before connect"); return nil }
			c.AfterConnect = func(context.Context, *pgx.Conn) error { a.ask("after connect"); return nil }
			c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { a.ask("should ping"); return true }
			c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { a.ask("prepare"); return true, nil }
			c.AfterRelease = func(*pgx.Conn) bool { a.ask("after release"); return true }
			c.BeforeClose = func(*pgx.Conn) { a.ask("before close") }
			return nil
		},
	})
	a.pool = p
	close(a.ready)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the leak is told", func() bool { return a.has("end leak") && a.has("connection held for longer than LeakAfter") })
	c.Release()
	if c, err = p.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	_ = c.Conn().Close(ctx)
	c.Release()
	if _, err := p.Exec(ctx, "SELECT 1"); err != nil {
		t.Error(err)
	}
	for _, what := range []string{
		"begin acquire", "end acquire", "begin query", "end query", "begin connect", "end connect", "end close", "server is a primary",
		"password", "before connect", "after connect", "should ping", "prepare", "after release", "before close",
	} {
		eventually(t, what, func() bool { return a.has(what) })
	}
}
