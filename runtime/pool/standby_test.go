package pool_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// The queries of these tests, as generated code has them. A node of a cluster
// has its name for its cluster_name.
var (
	whoAnswers = runtime.Query{Name: "WhoAnswers", ReadOnly: true, SQL: "-- name: WhoAnswers\nSELECT current_setting('cluster_name')"}
	getCount   = runtime.Query{Name: "GetCount", ReadOnly: true, SQL: "-- name: GetCount\nSELECT n, current_setting('cluster_name') FROM counter WHERE id = $1"}
	addToCount = runtime.Query{Name: "AddToCount", SQL: "-- name: AddToCount\nUPDATE counter SET n = n + 1 WHERE id = $1 RETURNING n, current_setting('cluster_name')"}
	setCount   = runtime.Query{Name: "SetCount", SQL: "-- name: SetCount\nUPDATE counter SET n = $2 WHERE id = $1"}
)

// counters is the schema: ids from 1 to 32, all 0.
var counters = pgtest.SQL("CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL); INSERT INTO counter SELECT i, 0 FROM generate_series(1, 32) i")

type count struct {
	n    int64
	node string
}

func scanCount(row *runtime.Row) count { return count{row.Int64(0), row.Text(1)} }
func scanName(row *runtime.Row) string { return row.Text(0) }
func at(n int64, node string) count    { return count{n, node} }
func background() context.Context      { return context.Background() }
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// cluster is a cluster of a primary, node1, and two standbys with the schema of
// counters, and the URL of its database on all of them.
type cluster struct {
	*pgtest.Cluster
	url string
}

func newCluster(t *testing.T, settings map[string]string) *cluster {
	t.Helper()
	c := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 2, Settings: settings})
	db, err := c.Create(limited(t), counters)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{c, db.URL}
}

// on runs sql, without arguments, on a node.
func (c *cluster) on(t *testing.T, node *pgtest.Node, sql string) {
	t.Helper()
	if err := c.try(t, node, sql); err != nil {
		t.Fatalf("%s: %v", node.Name(), err)
	}
}

func (c *cluster) try(t *testing.T, node *pgtest.Node, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(limited(t), c.urlOf(t, node))
	if err != nil {
		return err
	}
	defer conn.Close(background())
	_, err = conn.Exec(limited(t), sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// urlOf is the URL of the database on the nodes given alone.
func (c *cluster) urlOf(t *testing.T, nodes ...*pgtest.Node) string {
	t.Helper()
	u, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	var hosts, ports []string
	for _, n := range nodes {
		own, err := url.Parse(n.URL())
		if err != nil {
			t.Fatal(err)
		}
		hosts, ports = append(hosts, own.Query().Get("host")), append(ports, own.Query().Get("port"))
	}
	query.Set("host", strings.Join(hosts, ","))
	query.Set("port", strings.Join(ports, ","))
	u.RawQuery = query.Encode()
	return u.String()
}

// open opens a pool on all nodes that looks at them often.
func (c *cluster) open(t *testing.T, dsn string, standbys pool.Standbys, change ...func(*pool.Config)) *pool.Pool {
	t.Helper()
	if standbys.CheckInterval == 0 {
		standbys.CheckInterval = 100 * time.Millisecond
	}
	config := pool.Config{Standbys: &standbys}
	for _, f := range change {
		f(&config)
	}
	p, err := pool.New(background(), dsn, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(limited(t)); err != nil {
			t.Error(err)
		}
	})
	return p
}

// pause stops the replay of all standbys until the test, or what it returns,
// resumes it.
func (c *cluster) pause(t *testing.T) (resume func()) {
	t.Helper()
	standbys := c.Standbys()
	for _, n := range standbys {
		c.on(t, n, "SELECT pg_wal_replay_pause()")
	}
	eventually(t, "replay is paused", func() bool {
		for _, n := range standbys {
			var state string
			conn, err := n.Conn(background())
			if err != nil {
				t.Fatal(err)
			}
			err = conn.QueryRow(background(), "SELECT pg_get_wal_replay_pause_state()").Scan(&state)
			_ = conn.Close(background())
			if err != nil || state != "paused" {
				return false
			}
		}
		return true
	})
	resume = sync.OnceFunc(func() {
		for _, n := range standbys {
			if n.Running() {
				c.on(t, n, "SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_replay_resume() END")
			}
		}
	})
	t.Cleanup(resume)
	return resume
}

func hostOf(p *pool.Pool, n *pgtest.Node) pool.Host { return hostOfName(p, n.Name()) }

// reading returns the names of the nodes that reads go to.
func reading(p *pool.Pool, c *cluster) string {
	var names []string
	for _, n := range c.Nodes() {
		if hostOf(p, n).Reads {
			names = append(names, n.Name())
		}
	}
	return strings.Join(names, " ")
}

func awaitReading(t *testing.T, p *pool.Pool, c *cluster, want string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("hosts: %+v", p.Hosts())
		}
	}()
	eventually(t, "reads go to "+want, func() bool { return reading(p, c) == want })
}

func who(t *testing.T, ctx context.Context, p *pool.Pool) string {
	t.Helper()
	node, err := runtime.One(ctx, p, whoAnswers, scanName)
	if err != nil {
		t.Fatal(err)
	}
	return node
}

func TestStandbys(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *cluster)
	}{
		{"reads are spread", testSpread},
		{"what goes to the primary", testPrimary},
		{"full standbys", testFull},
		{"round trips", testRoundTrips},
		{"a write is read", testToken},
		{"writes of all kinds", testWrites},
		{"an asynchronous commit", testAsynchronous},
		{"a write that is lost", testLost},
		{"a write at the end of a page", testPageEnd},
		{"a writer without standbys", testWriter},
		{"target_session_attrs", testTarget},
		{"lag", testLag},
		{"conflicts with replay", testConflict},
		{"what a standby cannot do", testRefused},
		{"standbys away and back", testAway},
		{"close", testClose},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c) })
	}
}

func testSpread(t *testing.T, c *cluster) {
	var asked atomic.Int64
	p := c.open(t, c.url, pool.Standbys{}, func(config *pool.Config) {
		config.Password = func(context.Context) (runtime.Secret, error) {
			asked.Add(1)
			return "unused", nil
		}
	})
	awaitReading(t, p, c, "node2 node3")
	if n := asked.Load(); n < 3 {
		t.Errorf("the password was asked for %d times to look at 3 servers", n)
	}
	answers := map[string]int{}
	for range 200 {
		answers[who(t, background(), p)]++
	}
	if answers["node1"] != 0 || answers["node2"] < 50 || answers["node3"] < 50 {
		t.Errorf("answers of 200: %v", answers)
	}
	for _, n := range c.Standbys() {
		h := hostOf(p, n)
		if h.Role != pool.RoleStandby || h.Done != int64(answers[n.Name()]) || len(h.Fallbacks) != 0 || h.Conns.Total == 0 || h.Err != nil || h.Why != "" ||
			h.Lag < 0 || h.Timeline != 1 || h.Position == 0 || h.System == 0 || time.Since(h.Checked) > 10*time.Second {
			t.Errorf("%s: %+v", n.Name(), h)
		}
	}
	if h := hostOf(p, c.Nodes()[0]); h.Role != pool.RolePrimary || h.Reads || h.Why == "" || h.Done != 0 || h.Conns.Max != 0 {
		t.Errorf("primary: %+v", h)
	}
	standbys := 0
	for _, info := range p.Conns() {
		if info.Standby {
			standbys++
		}
	}
	if standbys < 2 {
		t.Errorf("%d connections to standbys", standbys)
	}
}

func testPrimary(t *testing.T, c *cluster) {
	p := c.open(t, c.url, pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	ctx := limited(t)
	var node string
	if err := p.QueryRow(ctx, whoAnswers.SQL).Scan(&node); err != nil || node != "node1" {
		t.Errorf("Query: %q, %v", node, err)
	}
	tx, err := p.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if node, err := runtime.One(ctx, tx, whoAnswers, scanName); err != nil || node != "node1" {
		t.Errorf("in a transaction: %q, %v", node, err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Error(err)
	}
	conn, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if node, err := runtime.One(ctx, conn, whoAnswers, scanName); err != nil || node != "node1" {
		t.Errorf("on a connection: %q, %v", node, err)
	}
	conn.Release()
	if got, err := runtime.One(ctx, p, addToCount, scanCount, 1); err != nil || got.node != "node1" {
		t.Errorf("write: %v, %v", got, err)
	}
	if n, err := runtime.ExecRows(ctx, p, setCount, 1, 0); err != nil || n != 1 {
		t.Errorf("ExecRows: %d, %v", n, err)
	}
}

// Reads do not wait for a connection to a standby.
func testFull(t *testing.T, c *cluster) {
	o := &panicsAt{}
	p := c.open(t, c.url, pool.Standbys{MaxConns: 1}, func(config *pool.Config) { config.Observer = o })
	awaitReading(t, p, c, "node2 node3")
	ctx := limited(t)
	o.kind.Store(int32(runtime.EventAcquire)) // what panics gives all back
	for range 4 {
		func() {
			defer func() { _ = recover() }()
			_, _ = p.RunQuery(ctx, whoAnswers, nil)
			t.Error("no panic")
		}()
	}
	o.kind.Store(0)
	var held []pgx.Rows
	nodes := map[string]int{}
	for range 4 {
		rows, err := p.RunQuery(ctx, whoAnswers, nil)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, rows)
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		nodes[string(rows.RawValues()[0])]++
	}
	if nodes["node1"] != 2 || nodes["node2"] != 1 || nodes["node3"] != 1 {
		t.Errorf("4 reads at once: %v", nodes)
	}
	for _, rows := range held {
		rows.Close()
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	}
	if node := who(t, ctx, p); node == "node1" {
		t.Error("a standby is free and not used")
	}
	for _, h := range p.Hosts() {
		if len(h.Fallbacks) > 0 {
			t.Errorf("reads waited for %s: %v", h.Address, h.Fallbacks)
		}
	}
}

// sends counts what is sent over a connection.
type sends struct {
	net.Conn
	n *atomic.Int64
}

func (s sends) Write(b []byte) (int, error) {
	s.n.Add(1)
	return s.Conn.Write(b)
}

// What sessions and tokens cost in round trips, and that there is no cost without.
func testRoundTrips(t *testing.T, c *cluster) {
	var n atomic.Int64
	p := c.open(t, c.url, pool.Standbys{CheckInterval: time.Hour}, func(config *pool.Config) {
		config.MaxConns = 1
		config.Configure = func(pc *pgxpool.Config) error {
			pc.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
			dial := pc.ConnConfig.DialFunc
			pc.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				return sends{conn, &n}, err
			}
			return nil
		}
	})
	awaitReading(t, p, c, "node2 node3")
	plain := limited(t)
	session, s := p.WithSession(plain)
	read := func(ctx context.Context) string {
		got, err := runtime.One(ctx, p, getCount, scanCount, 8)
		if err != nil {
			t.Fatal(err)
		}
		return got.node
	}
	write := func(ctx context.Context) {
		if err := runtime.Exec(ctx, p, setCount, 8, 0); err != nil {
			t.Fatal(err)
		}
	}
	for seen := map[string]bool{}; len(seen) < 2; { // prepares on both standbys
		seen[read(plain)] = true
	}
	write(session)
	if err := c.CatchUp(plain); err != nil {
		t.Fatal(err)
	}
	first := s.Token()
	if node := read(session); node == "node1" { // looks how far a standby is, which the next reads prefer
		t.Fatal("no standby answers")
	}
	cost := func(what string, want int64, f func()) {
		t.Helper()
		before := n.Load()
		f()
		if got := n.Load() - before; got != want {
			t.Errorf("%s: %d round trips, want %d", what, got, want)
		}
	}
	for range 4 {
		cost("a read", 1, func() { read(plain) })
		cost("a write", 1, func() { write(plain) })
		cost("a read with a token that the server is known to have", 1, func() { read(p.WithToken(plain, first)) })
		cost("a write of a session", 2, func() { write(session) })
	}
	if err := c.CatchUp(plain); err != nil {
		t.Fatal(err)
	}
	cost("the first read with a new token", 2, func() { read(session) })
}

// A session's reads see its writes; others' are answered by standbys as they are.
func testToken(t *testing.T, c *cluster) {
	p := c.open(t, c.url, pool.Standbys{Wait: 50 * time.Millisecond})
	awaitReading(t, p, c, "node2 node3")
	resume := c.pause(t)
	plain := limited(t)
	ctx, session := p.WithSession(plain)
	if again, same := p.WithSession(ctx); again != ctx || same != session {
		t.Error("a session within a session is another one")
	}
	if !session.Token().IsZero() || session.Token().String() != "" {
		t.Errorf("token before any write: %v", session.Token())
	}
	if node := who(t, ctx, p); node == "node1" {
		t.Error("a session without writes reads the primary")
	}
	before := session.Token()
	wrote, err := runtime.One(ctx, p, addToCount, scanCount, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := runtime.One(plain, p, getCount, scanCount, 2); err != nil || got.node == "node1" || got.n != wrote.n-1 {
		t.Fatalf("read without a session of paused standbys: %v, %v; the test proves nothing", got, err)
	}
	if got, err := runtime.One(ctx, p, getCount, scanCount, 2); err != nil || got != at(wrote.n, "node1") {
		t.Errorf("read after %v: %v, %v", wrote, got, err)
	}
	// The token as text, for another pool.
	text := session.Token().String()
	token, err := pool.ParseToken(text)
	if err != nil || token != session.Token() {
		t.Fatalf("ParseToken(%q): %v, %v", text, token, err)
	}
	other := c.open(t, c.url, pool.Standbys{Wait: -1})
	awaitReading(t, other, c, "node2 node3")
	if got, err := runtime.One(other.WithToken(plain, token), other, getCount, scanCount, 2); err != nil || got != at(wrote.n, "node1") {
		t.Errorf("read of another pool: %v, %v", got, err)
	}
	if got, err := runtime.One(other.WithToken(plain, before), other, getCount, scanCount, 2); err != nil || got.node == "node1" {
		t.Errorf("read with an empty token: %v, %v", got, err)
	}
	fell := int64(0)
	for _, h := range append(p.Hosts(), other.Hosts()...) {
		fell += h.Fallbacks[pool.FallbackBehind]
	}
	if fell != 2 {
		t.Errorf("%d reads fell back, want 2", fell)
	}
	resume()
	eventually(t, "a standby has the write", func() bool {
		got, err := runtime.One(ctx, p, getCount, scanCount, 2)
		if err != nil || got.n != wrote.n {
			t.Fatalf("read after %v: %v, %v", wrote, got, err)
		}
		return got.node != "node1"
	})
}

// Each way to write is followed by a read with replay paused, which must see it.
func testWrites(t *testing.T, c *cluster) {
	p := c.open(t, c.url, pool.Standbys{Wait: -1})
	awaitReading(t, p, c, "node2 node3")
	c.pause(t)
	plain := limited(t)
	write := "UPDATE counter SET n = n + 1 WHERE id = 3"
	for _, test := range []struct {
		name string
		run  func(ctx context.Context) error
	}{
		{"Exec", func(ctx context.Context) error { _, err := p.Exec(ctx, write); return err }},
		{"RunExec", func(ctx context.Context) error { return runtime.Exec(ctx, p, runtime.Query{SQL: write}) }},
		{"Query", func(ctx context.Context) error { rows, err := p.Query(ctx, write); rows.Close(); return err }},
		{"QueryRow", func(ctx context.Context) error { return p.QueryRow(ctx, write+" RETURNING n").Scan(nil) }},
		{"RunQuery", func(ctx context.Context) error { _, err := runtime.One(ctx, p, addToCount, scanCount, 3); return err }},
		{"SendBatch", func(ctx context.Context) error {
			b := &pgx.Batch{}
			b.Queue(write)
			return p.SendBatch(ctx, b).Close()
		}},
		{"a batch that begins", func(ctx context.Context) error {
			b := &pgx.Batch{}
			b.BeginTx(pgx.TxOptions{})
			b.Queue(write)
			r := p.SendBatch(ctx, b)
			if err := r.Close(); err != nil {
				return err
			}
			return r.Tx().Commit(background())
		}},
		{"CopyFrom", func(ctx context.Context) error {
			_, err := p.CopyFrom(ctx, pgx.Identifier{"counter"}, []string{"id", "n"}, pgx.CopyFromRows([][]any{{1000 + time.Now().UnixNano()%1e6, 0}}))
			if err == nil {
				_, err = p.Exec(plain, write)
			}
			return err
		}},
		{"Begin", func(ctx context.Context) error {
			tx, err := p.Begin(ctx)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(background(), write); err != nil {
				return err
			}
			return tx.Commit(background())
		}},
		{"a connection", func(ctx context.Context) error {
			conn, err := p.Acquire(plain)
			if err != nil {
				return err
			}
			defer conn.Release()
			_, err = conn.Exec(ctx, write)
			if token := p.WithToken(ctx, pool.Token{}); who(t, token, p) != "node1" {
				t.Error("reads do not go to the primary while a connection is held to write")
			}
			return err
		}},
		{"a transaction on a connection", func(ctx context.Context) error {
			conn, err := p.Acquire(plain)
			if err != nil {
				return err
			}
			defer conn.Release()
			tx, err := conn.BeginTx(ctx, pgx.TxOptions{})
			if err != nil {
				return err
			}
			if _, err := tx.Exec(plain, write); err != nil {
				return err
			}
			return tx.Commit(plain)
		}},
	} {
		ctx, session := p.WithSession(plain)
		var before int64
		if err := p.QueryRow(plain, "SELECT n FROM counter WHERE id = 3").Scan(&before); err != nil {
			t.Fatal(err)
		}
		if err := test.run(ctx); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if text := session.Token().String(); strings.HasSuffix(text, "unknown") || text == "" {
			t.Errorf("%s: token %q", test.name, text)
		}
		got, err := runtime.One(ctx, p, getCount, scanCount, 3)
		if err != nil || got != at(before+1, "node1") {
			t.Errorf("%s: read %v, %v, want %d", test.name, got, err, before+1)
		}
		stale, err := runtime.One(plain, p, getCount, scanCount, 3)
		if err != nil || stale.node == "node1" || stale.n > before {
			t.Errorf("%s: without a session %v, %v; the test proves nothing", test.name, stale, err)
		}
	}
	// What cannot write needs no position.
	ctx, session := p.WithSession(plain)
	tx, err := p.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(ctx); err != nil || !session.Token().IsZero() {
		t.Errorf("after a read-only transaction: %v, %v", session.Token(), err)
	}
}

// A commit that waits for no disk is not sent to standbys before it is there: its
// session does not read them although they have all there is to have.
func testAsynchronous(t *testing.T, c *cluster) {
	primary := c.Nodes()[0]
	if err := primary.Set(limited(t), "wal_writer_delay", "10s"); err != nil {
		t.Fatal(err)
	}
	p := c.open(t, c.url, pool.Standbys{Wait: -1}, func(config *pool.Config) {
		config.Configure = func(pc *pgxpool.Config) error {
			pc.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
			return nil
		}
	})
	awaitReading(t, p, c, "node2 node3")
	stale := 0
	for range 20 {
		if err := c.CatchUp(limited(t)); err != nil {
			t.Fatal(err)
		}
		ctx, _ := p.WithSession(limited(t))
		wrote, err := runtime.One(ctx, p, addToCount, scanCount, 7)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := runtime.One(ctx, p, getCount, scanCount, 7); err != nil || got.n != wrote.n {
			t.Errorf("read %v, %v after %v", got, err, wrote)
		}
		if got, err := runtime.One(limited(t), p, getCount, scanCount, 7); err != nil {
			t.Error(err)
		} else if got.n != wrote.n {
			stale++
		}
	}
	if stale == 0 {
		t.Error("without a session no read was stale: the test proves nothing")
	}
	if err := primary.Set(limited(t), "wal_writer_delay", "200ms"); err != nil {
		t.Fatal(err)
	}
}

// A standby that is too far behind is passed by; an idle primary lets no lag
// grow.
func testLag(t *testing.T, c *cluster) {
	const most = 500 * time.Millisecond
	p := c.open(t, c.url, pool.Standbys{MaxLag: most, CheckInterval: 50 * time.Millisecond})
	awaitReading(t, p, c, "node2 node3")
	time.Sleep(2 * most)
	eventually(t, "standbys of an idle primary lack nothing", func() bool {
		return hostOf(p, c.Nodes()[1]).Lag == 0 && hostOf(p, c.Nodes()[2]).Lag == 0
	})
	resume := c.pause(t)
	c.on(t, c.Nodes()[0], "UPDATE counter SET n = n + 1 WHERE id = 4")
	awaitReading(t, p, c, "")
	for _, h := range p.Hosts() {
		if h.Role == pool.RoleStandby && (h.Lag <= most || !strings.Contains(h.Why, "lag")) {
			t.Errorf("lagging standby: %+v", h)
		}
	}
	if node := who(t, background(), p); node != "node1" {
		t.Errorf("%s answers", node)
	}
	resume()
	awaitReading(t, p, c, "node2 node3")
}
