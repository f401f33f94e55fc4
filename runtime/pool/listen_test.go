package pool_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	own "github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// listening runs a loop over seq in a goroutine and hands out what it yields.
type listening struct {
	t    *testing.T
	got  chan pool.Notification
	err  chan error
	stop chan struct{}
}

func listen(t *testing.T, seq iter.Seq2[pool.Notification, error]) *listening {
	l := &listening{t, make(chan pool.Notification), make(chan error, 1), make(chan struct{})}
	go func() {
		var last error
		defer func() { l.err <- last }()
		for n, err := range seq {
			if last = err; err != nil {
				continue
			}
			select {
			case l.got <- n:
			case <-l.stop:
			}
			select {
			case <-l.stop:
				return
			default:
			}
		}
	}()
	return l
}

func (l *listening) next() pool.Notification {
	l.t.Helper()
	select {
	case n := <-l.got:
		return n
	case err := <-l.err:
		l.t.Fatalf("the loop ended: %v", err)
	case <-time.After(30 * time.Second):
		l.t.Fatal("nothing came")
	}
	panic("unreachable")
}

func (l *listening) end() error {
	l.t.Helper()
	select {
	case err := <-l.err:
		return err
	case n := <-l.got:
		l.t.Fatalf("yielded %+v instead of the end", n)
	case <-time.After(30 * time.Second):
		l.t.Fatal("the loop does not end")
	}
	panic("unreachable")
}

// leave leaves the loop.
func (l *listening) leave() error {
	close(l.stop)
	for {
		select {
		case err := <-l.err:
			return err
		case <-l.got:
		}
	}
}

// listeners counts the sessions of the database that ran LISTEN last.
func listeners(t *testing.T, db *pgtest.DB) (pids []uint32) {
	t.Helper()
	rows, err := db.Pool().Query(context.Background(), "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	if err == nil {
		pids, err = pgx.CollectRows(rows, pgx.RowTo[uint32])
	}
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func TestListen(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MaxConns: 1})
	ctx := context.Background()
	gap := pool.Notification{Gap: true}
	odd := `Odd "one"; ÄÖ`
	l := listen(t, p.Listen(ctx, "plain", odd))
	if n := l.next(); n != gap {
		t.Fatalf("the first is %+v", n)
	}
	held, err := p.Acquire(ctx) // it has none of the pool's
	if err != nil {
		t.Fatal(err)
	}
	notify := func(channel, payload string) {
		t.Helper()
		if _, err := db.Pool().Exec(ctx, "SELECT pg_notify($1, $2)", channel, payload); err != nil {
			t.Fatal(err)
		}
	}
	notify("other", "not listened to")
	notify("Plain", "not the same")
	notify("plain", "")
	notify(odd, "über")
	for _, want := range []pool.Notification{{Channel: "plain"}, {Channel: odd, Payload: "über"}} {
		n := l.next()
		if n.PID == 0 {
			t.Error("no pid")
		}
		if n.PID = 0; n != want {
			t.Errorf("got %+v, want %+v", n, want)
		}
	}
	// The session is ended: another one listens, and says what it cannot know.
	for range 3 {
		pids := listeners(t, db)
		if len(pids) != 1 {
			t.Fatalf("%d sessions listen", len(pids))
		}
		if _, err := db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1, 5000)", pids[0]); err != nil {
			t.Fatal(err)
		}
		notify("plain", "missed, or not")
		if n := l.next(); n != gap {
			t.Fatalf("after the loss came %+v", n)
		}
		notify("plain", "again")
		n := l.next()
		if n.Payload == "missed, or not" { // the new one listened by then
			n = l.next()
		}
		if n.Payload != "again" {
			t.Fatalf("after the gap came %+v", n)
		}
	}
	// The loop is left: nothing stays.
	notify("plain", "last")
	if err := l.leave(); err != nil {
		t.Error(err)
	}
	eventually(t, "nobody listens any more", func() bool { return len(listeners(t, db)) == 0 })
	held.Release()
}

// counted counts the connections that are not closed.
type counted struct {
	net.Conn
	opened *atomic.Int32
	closed atomic.Bool
}

func (c *counted) Close() error {
	if !c.closed.Swap(true) {
		c.opened.Add(-1)
	}
	return c.Conn.Close()
}

func TestListenEnds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	// While it waits, and while it tries to connect.
	for _, away := range []bool{false, true} {
		dsn := "postgres://u@127.0.0.1:1/d"
		if !away {
			dsn = pgtest.New(t).URL
		}
		for name, test := range map[string]struct {
			end  func(*pool.Pool, context.CancelFunc)
			want error
		}{
			"context": {func(_ *pool.Pool, cancel context.CancelFunc) { cancel() }, context.Canceled},
			"Close":   {func(p *pool.Pool, _ context.CancelFunc) { _ = p.Close(ctx) }, pool.ErrClosed},
		} {
			var opened atomic.Int32
			p, err := pool.New(ctx, dsn, pool.Config{MinConns: -1, Configure: func(c *pgxpool.Config) error {
				dial := c.ConnConfig.DialFunc
				c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dial(ctx, network, address)
					if err == nil {
						opened.Add(1)
						conn = &counted{Conn: conn, opened: &opened}
					}
					return conn, err
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			inner, cancel := context.WithCancel(ctx)
			l := listen(t, p.Listen(inner, "c"))
			if !away {
				l.next()
			}
			test.end(p, cancel)
			if err := l.end(); !errors.Is(err, test.want) {
				t.Errorf("%s, away %v: %v", name, away, err)
			}
			if n := opened.Load(); n != 0 {
				t.Errorf("%s: %d connections stay", name, n)
			}
			cancel()
			// A loop that begins after the end.
			for _, err := range p.Listen(inner, "c") {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%s: a second loop: %v", name, err)
				}
			}
			_ = p.Close(ctx)
		}
	}
	// What will not get better is told.
	p, db := open(t, pool.Config{MinConns: -1})
	missing, err := pool.New(ctx, strings.Replace(db.URL, db.Name, "no_such_database", 1), pool.Config{MinConns: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer missing.Close(ctx)
	pooled, err := pool.New(ctx, db.URL, pool.Config{MinConns: -1, Profile: pool.TransactionPooler})
	if err != nil {
		t.Fatal(err)
	}
	defer pooled.Close(ctx)
	for name, test := range map[string]struct {
		seq  iter.Seq2[pool.Notification, error]
		want string
	}{
		"no database":  {missing.Listen(ctx, "c"), "SQLSTATE 3D000"},
		"pooler":       {pooled.Listen(ctx, "c"), pool.ErrNoSession.Error()},
		"no channel":   {p.Listen(ctx), "listen: no channel"},
		"empty name":   {p.Listen(ctx, "a", ""), "listen: a channel has no name"},
		"zero byte":    {p.Listen(ctx, "a\x00b"), "zero byte"},
		"64 bytes":     {p.Listen(ctx, strings.Repeat("é", 32)), "64 bytes"},
		"63 bytes, on": {missing.Listen(ctx, strings.Repeat("é", 31)+"x"), "SQLSTATE 3D000"},
	} {
		if err := listen(t, test.seq).end(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, attrs := range []string{"standby", "prefer-standby", "read-only"} {
		config, err := pgx.ParseConfig(db.URL)
		if err != nil {
			t.Fatal(err)
		}
		reading, err := pool.New(ctx, fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable target_session_attrs=%s", config.Host, config.Port, config.User, config.Database, attrs), pool.Config{MinConns: -1})
		if err != nil {
			t.Fatal(err)
		}
		l := listen(t, reading.Listen(ctx, "c"))
		if n := l.next(); !n.Gap { // a pool that reads has a primary to listen on
			t.Errorf("%s: got %+v", attrs, n)
		}
		_ = reading.Close(ctx)
		if err := l.end(); !errors.Is(err, pool.ErrClosed) {
			t.Errorf("%s: %v", attrs, err)
		}
	}
	for _, err := range pooled.Listen(ctx, "c") {
		if !errors.Is(err, pool.ErrNoSession) {
			t.Error(err)
		}
	}
}

// frozen is a connection to a peer that died without a word, once told so.
type frozen struct {
	net.Conn
	dead *atomic.Bool
}

func (f *frozen) Read(b []byte) (int, error) {
	for {
		n, err := f.Conn.Read(b)
		if !f.dead.Load() || err != nil {
			return n, err
		}
	}
}

func (f *frozen) Write(b []byte) (int, error) {
	if f.dead.Load() {
		return len(b), nil
	}
	return f.Conn.Write(b)
}

// A peer that is gone without closing the connection is found by its silence.
func TestListenDeadPeer(t *testing.T) {
	t.Parallel()
	var dials atomic.Int32
	first := new(atomic.Bool)
	p, db := open(t, pool.Config{MinConns: -1, Configure: func(c *pgxpool.Config) error {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err == nil && !first.Load() {
				conn = &frozen{Conn: conn, dead: first}
			}
			dials.Add(1)
			return conn, err
		}
		return nil
	}})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := listen(t, p.ListenEvery(ctx, 50*time.Millisecond, "c"))
	l.next()
	dialled := dials.Load() // twice, where TLS was tried first
	// Silence alone is no reason: the connection stays over many of them.
	time.Sleep(300 * time.Millisecond)
	notify := func(payload string) {
		if _, err := db.Pool().Exec(ctx, "SELECT pg_notify('c', $1)", payload); err != nil {
			t.Fatal(err)
		}
	}
	notify("still there")
	if n := l.next(); n.Payload != "still there" || dials.Load() != dialled {
		t.Fatalf("got %+v after %d more connections", n, dials.Load()-dialled)
	}
	first.Store(true)
	notify("into the void")
	if n := l.next(); !n.Gap {
		t.Fatalf("got %+v", n)
	}
	notify("back")
	if n := l.next(); n.Payload != "back" {
		t.Fatalf("got %+v", n)
	}
	cancel()
	if err := l.end(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What comes while the loop's body is busy waits at the server, not in memory.
func TestListenSlowConsumer(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MinConns: -1})
	ctx := context.Background()
	const count = 8000 // of 4 KB: 32 MB
	var before, after runtime.MemStats
	seen := 0
	for n, err := range p.Listen(ctx, "c") {
		if err != nil {
			t.Fatal(err)
		}
		if n.Gap {
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := 0; i < count; i += 500 {
				if _, err := db.Pool().Exec(ctx, "SELECT pg_notify('c', i || repeat('x', 4000)) FROM generate_series($1::int, $2::int) AS i", i, i+499); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if seen == 10 {
			time.Sleep(200 * time.Millisecond) // what would read behind our back had time to
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
		if got, _, _ := strings.Cut(n.Payload, "x"); got != fmt.Sprint(seen) {
			t.Fatalf("got %s, want %d", got, seen)
		}
		if seen++; seen == count {
			break
		}
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("%d bytes more are in use", grown)
	}
}

// After a failover the loop goes on with the new primary.
func TestListenFailover(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1})
	db, err := cluster.Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pool.New(ctx, db.URL, pool.Config{MinConns: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	l := listen(t, p.Listen(ctx, "c"))
	l.next()
	old := cluster.Primary()
	notify := func(node *pgtest.Node, payload string) {
		t.Helper()
		config, err := pgx.ParseConfig(node.URL())
		if err != nil {
			t.Fatal(err)
		}
		config.Database = db.Name
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "SELECT pg_notify('c', $1)", payload); err != nil {
			t.Fatal(err)
		}
	}
	notify(old, "before")
	if n := l.next(); n.Payload != "before" {
		t.Fatalf("got %+v", n)
	}
	heir := cluster.Standbys()[0]
	if err := old.Stop(ctx, pgtest.Immediate); err != nil {
		t.Fatal(err)
	}
	if err := heir.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	if n := l.next(); !n.Gap {
		t.Fatalf("got %+v", n)
	}
	notify(heir, "after")
	if n := l.next(); n.Payload != "after" {
		t.Fatalf("got %+v", n)
	}
	// A restart is no different.
	if err := heir.Stop(ctx, pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	if err := heir.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if n := l.next(); !n.Gap {
		t.Fatalf("got %+v", n)
	}
	notify(heir, "restarted")
	if n := l.next(); n.Payload != "restarted" {
		t.Fatalf("got %+v", n)
	}
	if diff := cmp.Diff(0, p.Stats().Total); diff != "" {
		t.Error("the pool's own connections:", diff)
	}
	// A statement is cancelled where it runs, which is not the DSN's first server.
	for range 2 {
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		if _, err := p.Exec(short, "SELECT pg_sleep(30)"); !errors.Is(err, context.DeadlineExceeded) && !own.AsError(err).IsCanceled() {
			t.Errorf("got %v", err)
		}
		cancel()
	}
	if s := p.Stats(); s.Opened != 1 || s.Total != 1 {
		t.Errorf("%d connections were made, %d are there", s.Opened, s.Total)
	}
}
