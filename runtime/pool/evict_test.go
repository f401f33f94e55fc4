package pool_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// events is an Observer that keeps what is over.
type events struct {
	mu   sync.Mutex
	list []runtime.Event
}

func (*events) Begin(ctx context.Context, _ runtime.Event) context.Context { return ctx }

func (o *events) End(_ context.Context, e runtime.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, e)
}

func (o *events) of(kind runtime.EventKind) []runtime.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.list), func(e runtime.Event) bool { return e.Kind != kind })
}

// fill opens n connections and leaves them idle.
func fill(t *testing.T, p *pool.Pool, n int) {
	t.Helper()
	var held []*pool.Conn
	for range n {
		held = append(held, acquire(t, p))
	}
	for _, c := range held {
		c.Release()
	}
}

func ids(p *pool.Pool) (all []uint64) {
	for _, i := range p.Conns() {
		all = append(all, i.ID)
	}
	return all
}

// A writer that is demoted and stays alive fails one write at most for each
// connection; the pool is on its successor then.
func TestDemotedWriter(t *testing.T) {
	t.Parallel()
	ctx := limited(t)
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1})
	db, err := cluster.Create(ctx, counters)
	if err != nil {
		t.Fatal(err)
	}
	var told events
	p, err := pool.New(ctx, db.URL, pool.Config{MaxConns: 4, Observer: &told})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	const write = "UPDATE counter SET n = n + 1 WHERE id = 1"
	fill(t, p, 4)
	old, heir := cluster.Primary(), cluster.Standbys()[0]
	if _, err := p.Exec(ctx, write); err != nil {
		t.Fatal(err)
	}
	if err := cluster.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	if err := heir.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	if err := old.Set(ctx, "default_transaction_read_only", "on"); err != nil {
		t.Fatal(err)
	}
	before := ids(p)
	failed := 0
	for range 20 {
		if _, err := p.Exec(ctx, write); err != nil {
			if failed++; !runtime.AsError(err).IsReadOnly() {
				t.Errorf("got %v", err)
			}
		}
	}
	if failed > 4 {
		t.Errorf("%d writes failed on 4 connections", failed)
	}
	// With a word from one of them the others are tried first: all in all one.
	if failed != 1 {
		t.Errorf("%d writes failed, want 1", failed)
	}
	var node string
	var n int64
	if err := p.QueryRow(ctx, "SELECT current_setting('cluster_name'), n FROM counter WHERE id = 1").Scan(&node, &n); err != nil || node != heir.Name() || n != 1+20-int64(failed) {
		t.Errorf("on %s with %d writes, %d of 20 failed (%v)", node, n, failed, err)
	}
	for _, i := range p.Conns() {
		if slices.Contains(before, i.ID) {
			t.Errorf("connection %d is still there", i.ID)
		}
	}
	evicted := 0
	for _, e := range told.of(runtime.EventClose) {
		if e.Note == "evicted" && e.PID != 0 && e.Host != "" && !e.At.IsZero() {
			evicted++
		}
	}
	if s := p.Stats(); s.ClosedEvicted != 4 || evicted != 4 {
		t.Errorf("%d told, %+v", evicted, s)
	}
}

// mute keeps what a server says of its role from its client, as a pooler may.
type mute struct{ net.Conn }

func (m mute) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	for _, name := range []string{"in_hot_standby", "default_transaction_read_only"} {
		for i := bytes.Index(b[:n], []byte(name)); i >= 0; i = bytes.Index(b[:n], []byte(name)) {
			b[i] = 'x'
		}
	}
	return n, err
}

// Where nobody says what the server is, a write that it refuses does.
func TestDemotedInSilence(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1, Configure: func(c *pgxpool.Config) error {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return mute{conn}, err
		}
		return nil
	}}, counters)
	const write = "UPDATE counter SET n = n + 1 WHERE id = 1"
	for _, sql := range []string{write, "SET default_transaction_read_only = on"} {
		if _, err := p.Exec(context.Background(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if _, err := p.Exec(context.Background(), write); !runtime.AsError(err).IsReadOnly() {
		t.Errorf("got %v", err)
	}
	for range 3 {
		if _, err := p.Exec(context.Background(), write); err != nil {
			t.Error(err)
		}
	}
	if s := p.Stats(); s.ClosedEvicted != 1 || s.Opened != 2 {
		t.Errorf("%+v", s)
	}
}

// What is read-only on purpose, from the start or in a transaction, keeps its
// connections; one that takes writes again does too.
func TestReadOnlyOnPurpose(t *testing.T) {
	t.Parallel()
	ctx := limited(t)
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{})
	db, err := cluster.Create(ctx, counters)
	if err != nil {
		t.Fatal(err)
	}
	const write = "UPDATE counter SET n = n + 1 WHERE id = 1"
	refused := func(err error) {
		t.Helper()
		if !runtime.AsError(err).IsReadOnly() {
			t.Errorf("got %v", err)
		}
	}
	p, err := pool.New(ctx, db.URL, pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	id := func() uint64 { c := acquire(t, p); defer c.Release(); return c.Info().ID }

	// A transaction of the caller's.
	first := id()
	for range 3 {
		tx, err := p.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(ctx, write)
		refused(err)
		if err := tx.Rollback(ctx); err != nil {
			t.Error(err)
		}
	}
	if now := id(); now != first {
		t.Errorf("connection %d, then %d", first, now)
	}
	// The server is demoted: in a transaction, which ends in order.
	node := cluster.Primary()
	if err := node.Set(ctx, "default_transaction_read_only", "on"); err != nil {
		t.Fatal(err)
	}
	tx, err := p.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(ctx, write)
	refused(err)
	if err := tx.Rollback(ctx); err != nil {
		t.Error(err)
	}
	second := id()
	if second == first {
		t.Error("the connection of before is still there")
	}
	// It was so from the start now.
	for range 3 {
		_, err := p.Exec(ctx, write)
		refused(err)
	}
	if now := id(); now != second {
		t.Errorf("connection %d, then %d", second, now)
	}
	// It takes writes again, and is demoted once more.
	for range 2 {
		before := id()
		if err := node.Set(ctx, "default_transaction_read_only", "off"); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Exec(ctx, write); err != nil {
			t.Error(err)
		}
		if now := id(); now != before {
			t.Errorf("connection %d, then %d", before, now)
		}
		if err := node.Set(ctx, "default_transaction_read_only", "on"); err != nil {
			t.Fatal(err)
		}
		_, err := p.Exec(ctx, write)
		refused(err)
		if now := id(); now == before {
			t.Error("the connection of before is still there")
		}
	}
	// A session that was made read-only by its user does not go to the next one.
	if err := node.Set(ctx, "default_transaction_read_only", "off"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{write, "SET default_transaction_read_only = on", write} {
		if _, err := p.Exec(ctx, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// Who holds a connection for too long is reported, once for each time.
func TestLeak(t *testing.T) {
	t.Parallel()
	var told events
	var log lockedBuffer
	p, _ := open(t, pool.Config{
		MaxConns: 2, LeakAfter: 60 * time.Millisecond, Observer: &told,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx := context.Background()
	rows, err := p.RunQuery(ctx, runtime.Query{Name: "Forgotten", SQL: "SELECT generate_series(1, 9)"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // those who are quick are not told of
		acquire(t, p).Release()
	}
	eventually(t, "the leak is told", func() bool {
		return len(told.of(runtime.EventLeak)) == 1 && strings.Contains(log.String(), "Forgotten")
	})
	time.Sleep(100 * time.Millisecond) // it is not told again
	before := p.Stats().Leaks
	e := told.of(runtime.EventLeak)[0]
	if e.Name != "Forgotten" || e.PID == 0 || e.Host == "" || e.Dur < 60*time.Millisecond || e.At.IsZero() || !strings.Contains(e.Note, "evict_test.go:") || before != 1 {
		t.Errorf("%d: %+v", before, e)
	}
	if text := log.String(); !strings.Contains(text, "evict_test.go:") || strings.Count(text, "\n") != 1 {
		t.Errorf("log: %s", text)
	}
	rows.Close()
	c := acquire(t, p)
	eventually(t, "the second is told", func() bool { return p.Stats().Leaks == 2 })
	if i := c.Info(); !strings.Contains(i.Place, "evict_test.go:") && !strings.Contains(i.Place, "acquire_test.go:") {
		t.Errorf("place %q", i.Place)
	}
	c.Release()
	// Acquires and the end of connections are events too.
	if n := len(told.of(runtime.EventAcquire)); n != 5 {
		t.Errorf("%d acquires told", n)
	}
	if n := len(told.of(runtime.EventConnect)); n < 1 {
		t.Errorf("%d connects told", n)
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
