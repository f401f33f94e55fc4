package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// What is old or unused is closed by itself, and what there should be is made
// again.
func TestJanitor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.New(t)
	separator := "?"
	if strings.Contains(db.URL, "?") {
		separator = "&"
	}
	start := func(parameters string, config pool.Config) *pool.Pool {
		t.Helper()
		p, err := pool.New(ctx, db.URL+separator+"pool_health_check_period=10ms&"+parameters, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(ctx); err != nil {
				t.Error(err)
			}
		})
		return p
	}
	idle := start("", pool.Config{MaxConns: 6, MinConns: 2, IdleTimeout: 50 * time.Millisecond})
	fill(t, idle, 5)
	eventually(t, "all above MinConns are closed", func() bool { s := idle.Stats(); return s.Total == 2 && s.ClosedIdle >= 3 })

	old := start("", pool.Config{MaxConns: 6, MinConns: 3, MaxLifetime: 100 * time.Millisecond})
	first := ids(old)
	eventually(t, "all were replaced", func() bool {
		for _, id := range ids(old) {
			if slices.Contains(first, id) {
				return false
			}
		}
		s := old.Stats()
		return s.ClosedExpired >= 3 && s.Idle >= 2
	})

	spare := start("pool_min_idle_conns=2", pool.Config{MaxConns: 4, MinConns: -1, IdleTimeout: 30 * time.Millisecond})
	c := acquire(t, spare)
	eventually(t, "two are idle beside the one in use", func() bool { return spare.Stats().Idle == 2 && spare.Stats().Active == 1 })
	c.Release()

	// Made again after an outage too, though nobody asks.
	var d dialler
	d.do(func(context.Context) error { return refused })
	away := start("", pool.Config{MaxConns: 3, MinConns: 2, Configure: d.configure})
	eventually(t, "it fails", func() bool { return away.Stats().ConnectFailures > 2 })
	d.instead.Store(nil)
	eventually(t, "MinConns are there", func() bool { return away.Stats().Idle == 2 })

	lost := start("", pool.Config{MaxConns: 3, MinConns: 3})
	eventually(t, "MinConns are open", func() bool { return lost.Stats().Idle == 3 })
	pids := map[uint32]bool{}
	for _, i := range lost.Conns() {
		pids[i.PID] = true
		if _, err := db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1, 5000)", i.PID); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = lost.Exec(ctx, "SELECT 1") // finds one of them lost
	for range 3 {
		if _, err := lost.Exec(ctx, "SELECT 1"); err != nil {
			t.Errorf("after the first: %v", err)
		}
	}
	eventually(t, "the one is made again", func() bool {
		s := lost.Stats()
		return s.Idle == 3 && s.ClosedBroken >= 1
	})
}

// Lifetimes end at different times, to less than a second, and none lasts longer
// than MaxLifetime.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 20, MinConns: -1, MaxLifetime: 10 * time.Minute})
	fill(t, p, 20)
	lives := p.Lifetimes()
	slices.Sort(lives)
	for i, life := range lives {
		if life > 10*time.Minute || life < 9*time.Minute {
			t.Errorf("a life of %v", life)
		}
		if i > 0 && life == lives[i-1] {
			t.Errorf("two lives of %v", life)
		}
	}
	if spread := lives[19] - lives[0]; spread < 10*time.Second {
		t.Errorf("they end within %v", spread)
	}
	forever, _ := open(t, pool.Config{MaxLifetime: -1})
	acquire(t, forever).Release()
	if c := forever.Conns()[0]; c.Expired {
		t.Errorf("%+v", c)
	}
}

// Close does not wait for connections that are being made, nor for a server that
// does not answer, and leaves nothing to be made.
func TestCloseWhileConnecting(t *testing.T) {
	t.Parallel()
	var d dialler
	d.do(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	p, err := pool.New(context.Background(), pgtest.New(t).URL, pool.Config{MaxConns: 3, MinConns: 2, ConnectTimeout: time.Hour, AcquireTimeout: -1, Configure: d.configure})
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	for range 5 {
		go func() { _, err := p.Exec(context.Background(), "SELECT 1"); failed <- err }()
	}
	eventually(t, "all that may be are being made", func() bool { s := p.Stats(); return s.Waiting == 5 && d.now.Load() == 3 })
	done := make(chan error)
	for range 3 {
		go func() { done <- p.Close(context.Background()) }()
	}
	for range 5 {
		if err := <-failed; !errors.Is(err, pool.ErrClosed) {
			t.Errorf("who waited: %v", err)
		}
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if s := p.Stats(); s.Total != 0 || s.Failed != 5 || d.now.Load() != 0 || invariants(pool.Stats{}, s) != nil {
		t.Errorf("%+v", s)
	}
	if _, err := p.Query(context.Background(), "SELECT 1"); !errors.Is(err, pool.ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
	if n := d.attempts.Load(); n != 3 {
		t.Errorf("%d attempts", n)
	}
}
