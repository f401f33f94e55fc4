package pool_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// A failover: the pool writes to the promoted server, tokens of the old timeline
// are for the primary, the standby that follows is used again, and the old
// primary, which comes back with writes of its own, never.
func TestFailover(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	nodes := c.Nodes()
	c.on(t, nodes[0], "CREATE ROLE plain LOGIN; GRANT SELECT, UPDATE ON counter TO plain")
	if err := c.CatchUp(limited(t)); err != nil {
		t.Fatal(err)
	}
	p := c.open(t, c.url, pool.Standbys{})
	plain := c.open(t, strings.Replace(c.url, "postgres@", "plain@", 1), pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	awaitReading(t, plain, c, "node2 node3")
	ctx, session := p.WithSession(limited(t))
	wrote, err := runtime.One(ctx, p, addToCount, scanCount, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	old := session.Token()

	if err := nodes[0].Stop(ctx, pgtest.Immediate); err != nil {
		t.Fatal(err)
	}
	if got, err := runtime.One(ctx, p, getCount, scanCount, 1); err != nil || got.n != wrote.n || got.node == "node1" {
		t.Errorf("read while there is no primary: %v, %v", got, err)
	}
	if err := nodes[1].Promote(ctx); err != nil {
		t.Fatal(err)
	}
	promoted := time.Now()
	var first time.Duration
	eventually(t, "writes work", func() bool {
		got, err := runtime.One(ctx, p, addToCount, scanCount, 2)
		first = time.Since(promoted)
		return err == nil && got.node == "node2"
	})
	t.Logf("first write %v after the promotion", first)
	if err := nodes[2].Follow(ctx, nodes[1]); err != nil {
		t.Fatal(err)
	}
	awaitReading(t, p, c, "node3")
	if h := hostOf(p, nodes[1]); h.Role != pool.RolePrimary || h.Timeline != 2 || h.Conns.Max != 0 {
		t.Errorf("promoted server: %+v", h)
	}
	// Old tokens are for the primary, once: a session learns of the new timeline.
	for range 20 {
		stale := p.WithToken(limited(t), old)
		if got, err := runtime.One(stale, p, getCount, scanCount, 1); err != nil || got != at(wrote.n, "node2") {
			t.Fatalf("read with a token of timeline 1: %v, %v", got, err)
		}
		eventually(t, "a session goes on to timeline 2", func() bool {
			got, err := runtime.One(stale, p, getCount, scanCount, 1)
			if err != nil || got.n != wrote.n {
				t.Fatalf("read with a token of timeline 1: %v, %v", got, err)
			}
			return got.node == "node3"
		})
	}
	// A role that does not see whom a standby streams from learns its timeline
	// from a restartpoint.
	if reading(plain, c) == "node3" {
		t.Log("the standby had a restartpoint already")
	}
	eventually(t, "a write of the plain role", func() bool {
		_, err := runtime.One(ctx, plain, addToCount, scanCount, 3)
		return err == nil
	})
	c.on(t, nodes[1], "CHECKPOINT")
	if err := c.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	c.on(t, nodes[2], "CHECKPOINT")
	awaitReading(t, plain, c, "node3")

	// The old primary comes back as if nothing had happened.
	if err := nodes[0].Start(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old primary is seen", func() bool { return hostOf(p, nodes[0]).Role == pool.RolePrimary })
	if h := hostOf(p, nodes[0]); h.Timeline != 1 || !strings.Contains(h.Why, "left behind") {
		t.Errorf("old primary: %+v", h)
	}
	// A pool that is opened now may have found the old primary first.
	fresh := c.open(t, c.url, pool.Standbys{})
	eventually(t, "the old primary is seen", func() bool { return strings.Contains(hostOf(fresh, nodes[0]).Why, "left behind") })
	for range 20 {
		for _, p := range []*pool.Pool{p, fresh} {
			if got, err := runtime.One(ctx, p, addToCount, scanCount, 4); err != nil || got.node != "node2" {
				t.Fatalf("write: %v, %v", got, err)
			}
		}
	}
	if err := nodes[1].Stop(ctx, pgtest.Immediate); err != nil {
		t.Fatal(err)
	}
	// Both have seen the promotion: there is nowhere to write now.
	for stopped := time.Now(); time.Since(stopped) < time.Second; time.Sleep(10 * time.Millisecond) {
		for _, p := range []*pool.Pool{p, fresh} {
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			got, err := runtime.One(short, p, addToCount, scanCount, 4)
			cancel()
			if err == nil {
				t.Fatalf("a write went to %v", got)
			}
		}
	}
}

// A standby that has replayed more of the old timeline than the promoted server
// had is never read, although its position is ahead.
func TestDivergedStandby(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	nodes := c.Nodes()
	ctx := limited(t)
	p := c.open(t, c.url, pool.Standbys{MaxLag: -1})
	awaitReading(t, p, c, "node2 node3")
	// node2 receives nothing any more.
	for _, sql := range []string{"ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"} {
		c.on(t, nodes[1], sql)
	}
	eventually(t, "node2 receives nothing", func() bool {
		conn, err := nodes[1].Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		var receivers int
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_wal_receiver").Scan(&receivers); err != nil {
			t.Fatal(err)
		}
		return receivers == 0
	})
	c.on(t, nodes[0], "UPDATE counter SET n = -1")
	c.on(t, nodes[0], "CREATE TABLE ballast AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
	eventually(t, "node3 has what node2 has not", func() bool {
		conn, err := pgx.Connect(ctx, c.urlOf(t, nodes[2]))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		var n int
		err = conn.QueryRow(ctx, "SELECT count(*) FROM ballast").Scan(&n)
		return err == nil && n == 3000
	})
	if err := nodes[0].Stop(ctx, pgtest.Immediate); err != nil {
		t.Fatal(err)
	}
	if err := nodes[1].Promote(ctx); err != nil {
		t.Fatal(err)
	}
	session, s := p.WithSession(ctx)
	var wrote count
	eventually(t, "writes work", func() bool {
		var err error
		wrote, err = runtime.One(session, p, addToCount, scanCount, 1)
		return err == nil
	})
	if wrote != at(1, "node2") {
		t.Fatalf("wrote %v: the servers have not diverged", wrote)
	}
	for range 100 {
		if got, err := runtime.One(session, p, getCount, scanCount, 1); err != nil || got != wrote {
			t.Fatalf("read %v, %v after %v", got, err, wrote)
		}
	}
	eventually(t, "the promotion is seen", func() bool { return hostOf(p, nodes[1]).Role == pool.RolePrimary })
	for range 100 {
		if got, err := runtime.One(ctx, p, getCount, scanCount, 1); err != nil || got != wrote {
			t.Fatalf("read without a token %v, %v after %v", got, err, wrote)
		}
	}
	h := hostOf(p, nodes[2])
	if h.Role != pool.RoleStandby || h.Timeline != 1 || h.Reads || !strings.Contains(h.Why, "timeline") {
		t.Errorf("diverged standby: %+v", h)
	}
	// Else the test would prove nothing.
	eventually(t, "the diverged standby is seen to be ahead", func() bool {
		return hostOf(p, nodes[2]).Position > hostOf(p, nodes[1]).Position
	})
	if s.Token().IsZero() {
		t.Error("the session has no token")
	}
}

// A session keeps its promise through failovers that lose no commit: primaries
// and standbys that crash and come back, while it writes and reads.
func TestSessionsThroughFailovers(t *testing.T) {
	t.Parallel()
	c := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 2, Synchronous: 1})
	ctx, cancel := context.WithTimeout(background(), 3*time.Minute)
	defer cancel()
	db, err := c.Create(ctx, counters)
	if err != nil {
		t.Fatal(err)
	}
	p := (&cluster{c, db.URL}).open(t, db.URL, pool.Standbys{})
	stop := make(chan struct{})
	var reads, onStandby, failedReads, failedWrites atomic.Int64
	var workers sync.WaitGroup
	for id := 1; id <= 4; id++ {
		workers.Go(func() {
			session, s := p.WithSession(ctx)
			var acknowledged int64 // and no other writes this counter
			for {
				select {
				case <-stop:
					return
				default:
				}
				short, cancel := context.WithTimeout(session, 5*time.Second)
				wrote, err := runtime.One(short, p, addToCount, scanCount, id)
				cancel()
				if err != nil {
					failedWrites.Add(1)
				} else {
					acknowledged = wrote.n
				}
				token, err := pool.ParseToken(s.Token().String())
				if err != nil {
					t.Error(err)
					return
				}
				for _, parent := range []context.Context{session, p.WithToken(ctx, token)} {
					short, cancel := context.WithTimeout(parent, 5*time.Second)
					got, err := runtime.One(short, p, getCount, scanCount, id)
					cancel()
					switch {
					case err != nil:
						failedReads.Add(1)
						continue
					case got.n < acknowledged:
						t.Errorf("stale: read %v after %d was acknowledged, token %v", got, acknowledged, token)
						return
					}
					reads.Add(1)
					if hostOfName(p, got.node).Role == pool.RoleStandby {
						onStandby.Add(1)
					}
				}
			}
		})
	}
	more := func() {
		before := onStandby.Load()
		eventually(t, "standbys answer", func() bool { return onStandby.Load() > before+200 || t.Failed() })
	}
	for range 2 {
		more()
		old := c.Primary()
		if err := old.Stop(ctx, pgtest.Immediate); err != nil {
			t.Fatal(err)
		}
		heir, err := c.Successor(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := heir.Promote(ctx); err != nil {
			t.Fatal(err)
		}
		var third *pgtest.Node
		for _, n := range c.Nodes() {
			if n != old && n != heir {
				third = n
			}
		}
		for _, n := range []*pgtest.Node{third, old} {
			if err := n.Follow(ctx, heir); err != nil {
				t.Fatal(err)
			}
		}
		more()
		if err := third.Stop(ctx, pgtest.Immediate); err != nil {
			t.Fatal(err)
		}
		if err := third.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	more()
	close(stop)
	workers.Wait()
	t.Logf("%d reads, %d of them on standbys, none stale; %d reads and %d writes failed", reads.Load(), onStandby.Load(), failedReads.Load(), failedWrites.Load())
}

func hostOfName(p *pool.Pool, name string) pool.Host {
	for _, h := range p.Hosts() {
		if strings.Contains(h.Address, "/"+name+"/") {
			return h
		}
	}
	return pool.Host{}
}

// A standby is promoted beside the primary, which lives on: the pool writes to
// the promoted one from when it is seen, and leaves the other.
func TestPromotionBesidePrimary(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	nodes := c.Nodes()
	p := c.open(t, c.url, pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	ctx := limited(t)
	held, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := runtime.One(ctx, held, addToCount, scanCount, 1); err != nil || got.node != "node1" {
		t.Fatalf("wrote %v, %v", got, err)
	}
	if err := nodes[1].Promote(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the promotion is seen", func() bool { return strings.Contains(hostOf(p, nodes[0]).Why, "left behind") })
	held.Release() // its connection must not be used again
	for range 50 {
		if got, err := runtime.One(ctx, p, addToCount, scanCount, 1); err != nil || got.node != "node2" {
			t.Fatalf("wrote %v, %v", got, err)
		}
		// node3 follows the old primary still.
		if node := who(t, ctx, p); node != "node2" {
			t.Fatalf("read %s", node)
		}
	}
	if err := nodes[2].Follow(ctx, nodes[1]); err != nil {
		t.Fatal(err)
	}
	awaitReading(t, p, c, "node3")
}
