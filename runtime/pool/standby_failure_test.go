package pool_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// observed notes the events of fall-backs.
type observed struct {
	mu     sync.Mutex
	events []runtime.Event
}

func (o *observed) Begin(ctx context.Context, _ runtime.Event) context.Context { return ctx }

func (o *observed) End(_ context.Context, e runtime.Event) {
	if e.Kind == runtime.EventFallback {
		o.mu.Lock()
		o.events = append(o.events, e)
		o.mu.Unlock()
	}
}

// A read that replay cancels is repeated on the primary, in each of the ways to
// read; one of which the caller has seen rows is not.
func testConflict(t *testing.T, c *cluster) {
	told := &observed{}
	p := c.open(t, c.url, pool.Standbys{}, func(config *pool.Config) { config.Observer = told })
	awaitReading(t, p, c, "node2 node3")
	for _, n := range c.Standbys() {
		if err := n.Set(limited(t), "max_standby_streaming_delay", "0"); err != nil {
			t.Fatal(err)
		}
	}
	ctx := limited(t)
	// It gives rows 1 to n; on a standby those after the first few take for ever.
	// A large row goes out once there is another behind it.
	slow := func(name, first string, few, n int) runtime.Query {
		return runtime.Query{Name: name, ReadOnly: true, SQL: fmt.Sprintf(`-- name: %s
			SELECT i::bigint, %s || current_setting('cluster_name') FROM generate_series(1, %d) i
			WHERE i <= %d OR NOT pg_is_in_recovery() OR (SELECT count(*) FROM counter WHERE pg_sleep(60) IS NULL) = 0`, name, first, n, few)}
	}
	// disturb has replay cancel what runs on the standbys, once it does.
	disturb := func(name string) (wait func()) {
		var done sync.WaitGroup
		done.Go(func() {
			c.await(t, "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '-- name: "+name+"%'")
			if err := c.try(t, c.Nodes()[0], "BEGIN; LOCK TABLE counter IN ACCESS EXCLUSIVE MODE; COMMIT"); err != nil {
				t.Error(err)
			}
		})
		return func() {
			done.Wait()
			if err := c.CatchUp(ctx); err != nil { // or the other standby would cancel the next read too soon
				t.Error(err)
			}
		}
	}
	all := []count{{1, "node1"}, {2, "node1"}, {3, "node1"}}
	repeated := 0
	for _, test := range []struct {
		name string
		n    int
		run  func(q runtime.Query) ([]count, error)
	}{
		{"Many", 3, func(q runtime.Query) ([]count, error) { return runtime.Many(ctx, p, q, scanCount) }},
		{"Iter", 3, func(q runtime.Query) (got []count, err error) {
			for row, err := range runtime.Iter(ctx, p, q, scanCount) {
				if err != nil {
					return nil, err
				}
				got = append(got, row)
			}
			return got, nil
		}},
		{"Opt", 1, func(q runtime.Query) ([]count, error) {
			got, _, err := runtime.Opt(ctx, p, q, scanCount)
			return []count{got}, err
		}},
		{"One", 1, func(q runtime.Query) ([]count, error) {
			got, err := runtime.One(ctx, p, q, scanCount)
			return []count{got}, err
		}},
	} {
		wait := disturb(test.name)
		got, err := test.run(slow(test.name, "''", 0, test.n))
		wait()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(all[:test.n]) {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
		repeated++
	}
	wait := disturb("Seen")
	seen := 0
	var last error
	for _, err := range runtime.Iter(ctx, p, slow("Seen", "repeat('x', 100000)", 2, 3), scanCount) {
		if last = err; err == nil {
			seen++
		}
	}
	wait()
	if pg := (*pgconn.PgError)(nil); seen < 1 || seen > 2 || !errors.As(last, &pg) || pg.Code != "40001" {
		t.Errorf("with a row seen: %d rows, then %v", seen, last)
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	if len(told.events) != repeated {
		t.Fatalf("%d events: %v", len(told.events), told.events)
	}
	if e := told.events[0]; e.Name != "Many" || !e.Standby || e.Note != "conflict" || e.Host == "" || !runtime.AsError(e.Err).IsSerialization() {
		t.Errorf("event %+v", e)
	}
	if n := hostOf(p, c.Nodes()[1]).Fallbacks[pool.FallbackConflict] + hostOf(p, c.Nodes()[2]).Fallbacks[pool.FallbackConflict]; n != int64(repeated) {
		t.Errorf("%d conflicts counted", n)
	}
}

// await waits until sql is true on one of the standbys. It may run beside the
// test.
func (c *cluster) await(t *testing.T, sql string) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, n := range c.Nodes()[1:] {
			var ok bool
			conn, err := n.Conn(background())
			if err != nil {
				continue
			}
			err = conn.QueryRow(background(), sql).Scan(&ok)
			_ = conn.Close(background())
			if err == nil && ok {
				return
			}
		}
	}
	t.Errorf("never true: %s", sql)
}

// What a standby cannot do, the primary does; what nobody can do is said once.
// The caller's own end is nobody's fault.
func testRefused(t *testing.T, c *cluster) {
	c.on(t, c.Nodes()[0], "CREATE UNLOGGED TABLE IF NOT EXISTS scratch AS SELECT 7::bigint AS n")
	p := c.open(t, c.url, pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	ctx := limited(t)
	read := func(sql string) (int64, error) {
		return runtime.One(ctx, p, runtime.Query{Name: "Q", SQL: sql, ReadOnly: true}, func(row *runtime.Row) int64 { return row.Int64(0) })
	}
	if n, err := read("SELECT n FROM scratch"); err != nil || n != 7 {
		t.Errorf("an unlogged table: %d, %v", n, err)
	}
	if n, err := read("UPDATE counter SET n = 9 WHERE id = 5 RETURNING n"); err != nil || n != 9 {
		t.Errorf("a write said to be a read: %d, %v", n, err)
	}
	fallbacks := func() (n int64) {
		for _, h := range p.Hosts() {
			for _, count := range h.Fallbacks {
				n += count
			}
		}
		return n
	}
	before := fallbacks()
	if before != 2 {
		t.Errorf("%d reads fell back", before)
	}
	if _, err := read("SELECT 1 / (n - n) FROM counter WHERE id = 1"); !runtime.AsError(err).IsData() {
		t.Errorf("a division by zero: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	slow := runtime.Query{Name: "Slow", SQL: "SELECT 1::bigint, pg_sleep(60)::text", ReadOnly: true}
	if _, err := runtime.One(short, p, slow, scanCount); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's time-out: %v", err)
	}
	if n := fallbacks() - before; n != 0 {
		t.Errorf("%d reads that the primary does no better fell back", n)
	}
}

// With all standbys away reads work, and when they come back they are used. A
// server of another system never is.
func testAway(t *testing.T, c *cluster) {
	foreign := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1})
	dsn := c.urlOf(t, append(c.Nodes(), foreign.Nodes()[1])...)
	dsn = strings.Replace(dsn, nameOf(t, dsn), "/postgres", 1) // a database that all have
	p := c.open(t, dsn, pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	eventually(t, "the foreign server is looked at", func() bool { return p.Hosts()[3].Role == pool.RoleStandby })
	if h := p.Hosts()[3]; h.Reads || !strings.Contains(h.Why, "another system") || h.Conns.Total != 0 {
		t.Errorf("a server of another system: %+v", h)
	}
	named := openNamed(t, c, foreign.Nodes()[1])
	stop := make(chan struct{})
	var readers sync.WaitGroup
	var reads, elsewhere atomic.Int64
	var nodes sync.Map
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				node, err := runtime.One(background(), p, whoAnswers, scanName)
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				nodes.Store(node, true)
				if reads.Add(1); node == "node1" {
					elsewhere.Add(1)
				}
			}
		})
	}
	standbys := c.Nodes()[1:]
	for _, n := range standbys {
		if err := n.Stop(limited(t), pgtest.Immediate); err != nil {
			t.Fatal(err)
		}
	}
	awaitReading(t, p, c, "")
	// The name of node2 leads to the foreign server now, which the monitor has no
	// occasion to see.
	for range 20 {
		if node := who(t, limited(t), named); node != "node1" {
			t.Fatalf("%q answers", node)
		}
	}
	if n := named.Hosts()[1].Fallbacks; n[pool.FallbackUnreachable] == 0 {
		t.Errorf("no connection to the foreign server was refused: %v", n)
	}
	before := elsewhere.Load()
	eventually(t, "the primary answers", func() bool { return elsewhere.Load() > before+100 })
	for _, n := range standbys {
		if err := n.Start(limited(t)); err != nil {
			t.Fatal(err)
		}
	}
	awaitReading(t, p, c, "node2 node3")
	before = reads.Load() - elsewhere.Load()
	eventually(t, "standbys answer", func() bool { return reads.Load()-elsewhere.Load() > before+100 })
	close(stop)
	readers.Wait()
	if _, ok := nodes.Load(""); ok {
		t.Error("a server of another system answered")
	}
	t.Logf("%d reads, %d of them on the primary, none failed", reads.Load(), elsewhere.Load())
}

// openNamed opens a pool on two names, one for node1, one for node2 and, where
// that does not answer, another server.
func openNamed(t *testing.T, c *cluster, other *pgtest.Node) *pool.Pool {
	t.Helper()
	sockets := map[string]string{}
	for name, n := range map[string]*pgtest.Node{"first": c.Nodes()[0], "second": c.Nodes()[1], "other": other} {
		config, err := pgconn.ParseConfig(n.URL())
		if err != nil {
			t.Fatal(err)
		}
		_, sockets[name+":5432"] = pgconn.NetworkAddress(config.Host, config.Port)
	}
	p := c.open(t, "postgres://postgres@primary,standby/postgres?sslmode=disable", pool.Standbys{CheckInterval: time.Hour, MinConns: -1}, func(config *pool.Config) {
		config.TLS = pool.TLSAsGiven
		config.Configure = func(pc *pgxpool.Config) error {
			pc.ConnConfig.LookupFunc = func(_ context.Context, name string) ([]string, error) {
				if name == "primary" {
					return []string{"first"}, nil
				}
				return []string{"second", "other"}, nil
			}
			pc.ConnConfig.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", sockets[address])
			}
			return nil
		}
	})
	eventually(t, "reads go to the name of the standby", func() bool { return p.Hosts()[1].Reads })
	return p
}

// nameOf is the path of a URL.
func nameOf(t *testing.T, dsn string) string {
	t.Helper()
	_, rest, _ := strings.Cut(dsn, "://")
	_, path, ok := strings.Cut(rest, "/")
	if !ok {
		t.Fatalf("no path in %s", dsn)
	}
	path, _, _ = strings.Cut(path, "?")
	return "/" + path
}

// Close leaves no connection and no goroutine behind, whatever is under way.
func testClose(t *testing.T, c *cluster) {
	before := goruntime.NumGoroutine()
	var open atomic.Int64
	for range 5 {
		p, err := pool.New(background(), c.url, pool.Config{
			ApplicationName: "closing", Standbys: &pool.Standbys{CheckInterval: time.Millisecond, MinConns: 2},
			Configure: func(config *pgxpool.Config) error {
				dial := config.ConnConfig.DialFunc
				config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dial(ctx, network, address)
					if err != nil {
						return nil, err
					}
					open.Add(1)
					return &countedConn{Conn: conn, closed: sync.OnceFunc(func() { open.Add(-1) })}, nil
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for {
					if _, err := runtime.One(background(), p, whoAnswers, scanName); err != nil {
						if !errors.Is(err, pool.ErrClosed) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		awaitReading(t, p, c, "node2 node3")
		if err := p.Close(limited(t)); err != nil {
			t.Error(err)
		}
		readers.Wait()
		if err := p.Close(limited(t)); err != nil {
			t.Errorf("again: %v", err)
		}
	}
	eventually(t, "connections are closed", func() bool { return open.Load() == 0 })
	eventually(t, "goroutines end", func() bool { return goruntime.NumGoroutine() <= before })
	for _, n := range c.Nodes() {
		eventually(t, "connections end", func() bool {
			conn, err := n.Conn(limited(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(background())
			var left int
			if err := conn.QueryRow(limited(t), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closing'").Scan(&left); err != nil {
				t.Fatal(err)
			}
			return left == 0
		})
	}
}

// countedConn says that it is closed.
type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// Reads with the token of a write never miss it, however far the standbys lag.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	c := newCluster(t, map[string]string{"recovery_min_apply_delay": "2ms"})
	p := c.open(t, c.url, pool.Standbys{}, func(config *pool.Config) { config.MaxConns = 16 })
	awaitReading(t, p, c, "node2 node3")
	const writers, rounds = 8, 1250 // 10,000 reads
	var stale, onStandby, staleWithout, without atomic.Int64
	var all sync.WaitGroup
	for id := range writers {
		all.Go(func() {
			plain := limited(t)
			for i := range rounds {
				ctx, session := p.WithSession(plain)
				wrote, err := runtime.One(ctx, p, addToCount, scanCount, id+1)
				if err != nil {
					t.Errorf("write: %v", err)
					return
				}
				if i%10 == 0 {
					got, err := runtime.One(plain, p, getCount, scanCount, id+1)
					if err != nil {
						t.Errorf("read without a token: %v", err)
						return
					}
					if without.Add(1); got.n != wrote.n {
						staleWithout.Add(1)
					}
				}
				if i%2 == 0 { // as if from another process
					token, err := pool.ParseToken(session.Token().String())
					if err != nil {
						t.Error(err)
						return
					}
					ctx = p.WithToken(plain, token)
				}
				got, err := runtime.One(ctx, p, getCount, scanCount, id+1)
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				if got.n != wrote.n {
					stale.Add(1)
				}
				if got.node != "node1" {
					onStandby.Add(1)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d reads with a token, %d of them answered by a standby: %d stale; without a token %d of %d stale",
		writers*rounds, onStandby.Load(), stale.Load(), staleWithout.Load(), without.Load())
	if stale.Load() != 0 {
		t.Errorf("%d stale reads", stale.Load())
	}
	if staleWithout.Load() == 0 || onStandby.Load() == 0 {
		t.Error("no read could have been stale: the test proves nothing")
	}
}
