package pool_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// dialler counts the attempts to connect, and may stand in their way.
type dialler struct {
	attempts, now, most atomic.Int64
	mu                  sync.Mutex
	at                  []time.Time
	instead             atomic.Pointer[func(context.Context) error] // an error fails the attempt
}

// configure is a Config.Configure.
func (d *dialler) configure(c *pgxpool.Config) error {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.Fallbacks, c.ConnConfig.TLSConfig = nil, nil // sslmode=prefer makes two attempts of one
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		d.attempts.Add(1)
		d.mu.Lock()
		d.at = append(d.at, time.Now())
		d.mu.Unlock()
		now := d.now.Add(1)
		defer d.now.Add(-1)
		for most := d.most.Load(); now > most && !d.most.CompareAndSwap(most, now); most = d.most.Load() {
		}
		if f := d.instead.Load(); f != nil {
			if err := (*f)(ctx); err != nil {
				return nil, err
			}
		}
		return dial(ctx, network, address)
	}
	return nil
}

func (d *dialler) do(f func(context.Context) error) { d.instead.Store(&f) }

var refused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// A server that is away is told as such once ConnectRetry is over, to all who
// wait; until then one attempt is made at a time, spaced.
func TestServerAway(t *testing.T) {
	t.Parallel()
	const retry = 600 * time.Millisecond
	var d dialler
	d.do(func(context.Context) error { time.Sleep(50 * time.Millisecond); return refused })
	p, _ := open(t, pool.Config{MaxConns: 10, MinConns: 4, ConnectRetry: retry, Configure: d.configure})
	eventually(t, "what was made for MinConns failed", func() bool { return p.Stats().ConnectFailures == 4 })
	d.most.Store(0)
	before := d.attempts.Load()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			began := time.Now()
			_, err := p.Exec(context.Background(), "SELECT 1")
			var connect *pgconn.ConnectError
			if !errors.As(err, &connect) || !errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, pool.ErrAcquireTimeout) || !runtime.SafeToRetry(err) || !runtime.Retryable(err) {
				t.Errorf("got %v", err)
			}
			// It comes when the next attempt would be too late.
			if took := time.Since(began); took < retry/10 || took > retry+5*time.Second {
				t.Errorf("after %v", took)
			}
		})
	}
	wg.Wait()
	if most := d.most.Load(); most != 1 {
		t.Errorf("%d attempts at once", most)
	}
	// 20, 40, 80, 160, 320 ms, less a half at most.
	if n := d.attempts.Load() - before; n < 2 || n > 10 {
		t.Errorf("%d attempts in %v", n, retry)
	}
	s := p.Stats()
	if s.Total != 0 || s.Waiting != 0 || s.Failed != 50 || s.ConnectFailures != d.attempts.Load() {
		t.Errorf("%+v", s)
	}
	// Nobody asks: nobody tries.
	before = d.attempts.Load()
	time.Sleep(600 * time.Millisecond)
	if n := d.attempts.Load() - before; n > 1 {
		t.Errorf("%d attempts for nobody", n)
	}
	// It is back, and so are MinConns.
	d.instead.Store(nil)
	acquire(t, p).Release()
	eventually(t, "MinConns are kept up", func() bool { return p.Stats().Idle >= 4 })
}

// Who waited for long for a connection to come back, and then has to wait for a
// new one, is spared an outage as long as all others are.
func TestOutageAfterLongWait(t *testing.T) {
	t.Parallel()
	var d dialler
	p, _ := open(t, pool.Config{MaxConns: 1, ConnectRetry: 10 * time.Second, Configure: d.configure})
	c := acquire(t, p)
	done := make(chan error)
	go func() { done <- p.Ping(context.Background()) }()
	eventually(t, "it waits", func() bool { return p.Stats().Waiting == 1 })
	pool.Backdate(p, time.Minute)
	d.do(func(context.Context) error {
		if p.Stats().ConnectFailures < 2 {
			return refused
		}
		return nil
	})
	_ = c.Conn().Close(context.Background())
	c.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.ConnectFailures != 2 {
		t.Errorf("%+v", s)
	}
}

// What is asked before and after connecting, and never answers, does not keep its
// place in the pool.
func TestConnectingIsBounded(t *testing.T) {
	t.Parallel()
	var password, after atomic.Bool
	wait := func(ctx context.Context, hangs *atomic.Bool) error {
		if hangs.CompareAndSwap(true, false) {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	p, _ := open(t, pool.Config{
		MaxConns: 1, MinConns: -1, ConnectTimeout: 2 * time.Second, ConnectRetry: 25 * time.Second,
		Password: func(ctx context.Context) (runtime.Secret, error) { return "", wait(ctx, &password) },
		Configure: func(c *pgxpool.Config) error {
			c.AfterConnect = func(ctx context.Context, _ *pgx.Conn) error { return wait(ctx, &after) }
			return nil
		},
	})
	for what, hangs := range map[string]*atomic.Bool{"Password": &password, "AfterConnect": &after} {
		hangs.Store(true)
		if err := p.Ping(context.Background()); err != nil || hangs.Load() {
			t.Errorf("%s: %v", what, err)
		}
		c := acquire(t, p)
		_ = c.Conn().Close(context.Background())
		c.Release()
	}
	if s := p.Stats(); s.ConnectFailures < 2 || s.Timeouts != 0 {
		t.Errorf("%+v", s)
	}
}

func TestConnectRetryNegative(t *testing.T) {
	t.Parallel()
	var d dialler
	d.do(func(context.Context) error { return refused })
	p, _ := open(t, pool.Config{MinConns: -1, ConnectRetry: -1, Configure: d.configure})
	if _, err := p.Exec(context.Background(), "SELECT 1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	if n := d.attempts.Load(); n != 1 {
		t.Errorf("%d attempts", n)
	}
}

// AcquireTimeout and the caller's context end the wait first where they are
// shorter, and tell of the outage.
func TestServerAwayForLong(t *testing.T) {
	t.Parallel()
	for _, hangs := range []bool{false, true} {
		var d dialler
		d.do(func(ctx context.Context) error {
			if hangs {
				<-ctx.Done()
				return ctx.Err()
			}
			return refused
		})
		p, _ := open(t, pool.Config{MinConns: -1, AcquireTimeout: 300 * time.Millisecond, ConnectTimeout: 50 * time.Millisecond, ConnectRetry: time.Hour, Configure: d.configure})
		_, err := p.Exec(context.Background(), "SELECT 1")
		var timeout *pool.AcquireTimeoutError
		var connect *pgconn.ConnectError
		if !errors.As(err, &timeout) || !errors.As(timeout.Connect, &connect) || errors.Is(err, context.DeadlineExceeded) || !runtime.Retryable(err) {
			t.Errorf("hangs %v: %v", hangs, err)
		}
		if !hangs && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("what failed is not told: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
		defer cancel()
		if _, err := p.Exec(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pool.ErrAcquireTimeout) || !runtime.SafeToRetry(err) || runtime.Retryable(err) {
			t.Errorf("hangs %v, the caller's deadline: %v", hangs, err)
		}
	}
}

// What is told at once, and what is tried again.
func TestTransientConnectErrors(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, test := range []struct {
		name      string
		err       error
		transient bool
	}{
		{"refused", refused, true},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{"no route", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, true},
		{"slow", context.DeadlineExceeded, true},
		{"starting", &pgconn.PgError{Severity: "FATAL", Code: "57P03"}, true},
		{"shutting down", &pgconn.PgError{Severity: "FATAL", Code: "57P01"}, true},
		{"full", &pgconn.PgError{Severity: "FATAL", Code: "53300"}, true},
		{"read only", pgconn.ErrReadOnlyConnection, true},
		{"standby", pgconn.ErrStandbyConnection, true},
		{"one of two", errors.Join(x509.HostnameError{Certificate: &x509.Certificate{}}, refused), true},
		{"resolver busy", &net.DNSError{IsTemporary: true}, true},
		{"no such host", &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, false},
		{"certificate", x509.UnknownAuthorityError{}, false},
		{"TLS alert", &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, false},
		{"password", &pgconn.PgError{Severity: "FATAL", Code: "28P01"}, false},
		{"no such database", &pgconn.PgError{Severity: "FATAL", Code: "3D000"}, false},
		{"no such setting", &pgconn.PgError{Severity: "FATAL", Code: "42704"}, false},
		{"anything", errors.New("odd"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var d dialler
			d.do(func(context.Context) error {
				if d.attempts.Load() <= 2 {
					return test.err
				}
				return nil
			})
			p, err := pool.New(context.Background(), db.URL, pool.Config{MinConns: -1, Configure: d.configure})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(context.Background())
			_, err = p.Exec(context.Background(), "SELECT 1")
			switch n := d.attempts.Load(); {
			case test.transient && (err != nil || n != 3):
				t.Errorf("%d attempts: %v", n, err)
			case !test.transient && (err == nil || n != 1):
				t.Errorf("%d attempts: %v", n, err)
			}
		})
	}
}

// The same from real servers: no such database at once, too many connections of
// a role once there is room.
func TestRefusedByServer(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.New(t)
	at, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	missing := *at
	missing.Path = "/dbgen_no_such_database"
	p, err := pool.New(ctx, missing.String(), pool.Config{ConnectRetry: time.Hour, AcquireTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the second within the pause after the first
		if err := p.Ping(ctx); runtime.AsError(err) == nil || runtime.AsError(err).SQLState != "3D000" {
			t.Errorf("no such database: %v", err)
		}
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}

	one, err := pool.New(ctx, db.URL, pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close(ctx)
	role := "dbgen_one_" + at.Path[1:]
	if _, err := db.Pool().Exec(ctx, "CREATE ROLE "+role+" LOGIN PASSWORD 'one' CONNECTION LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = one.Exec(ctx, "DROP ROLE "+role) })
	as := *at
	as.User = url.UserPassword(role, "one")
	first, err := pool.New(ctx, as.String(), pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	// Full for more connections, but not of those there are: no outage.
	busy, err := pool.New(ctx, as.String(), pool.Config{MaxConns: 2, MinConns: -1, ConnectRetry: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(ctx); err != nil {
		t.Error(err)
	}
	var held *pool.Conn
	eventually(t, "there is room", func() bool { held, err = busy.Acquire(ctx); return err == nil })
	served := make(chan error)
	for range 2 {
		go func() { served <- busy.Ping(ctx) }()
	}
	failures := busy.Stats().ConnectFailures
	eventually(t, "both wait", func() bool { return busy.Stats().Waiting == 2 && busy.Stats().ConnectFailures > failures })
	held.Release()
	for range 2 {
		if err := <-served; err != nil {
			t.Errorf("who waited for the one connection: %v", err)
		}
	}
	if err := busy.Close(ctx); err != nil {
		t.Error(err)
	}
	first, err = pool.New(ctx, as.String(), pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "there is room again", func() bool { return first.Ping(ctx) == nil })

	second, err := pool.New(ctx, as.String(), pool.Config{MaxConns: 1, ConnectRetry: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- second.Ping(ctx) }()
	eventually(t, "it is refused", func() bool { return second.Stats().ConnectFailures > 1 })
	if err := first.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("once there is room: %v", err)
	}
	if err := second.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Callers who leave while connections are being made cause no more attempts, and
// what was made for them is for others.
func TestNoSnowball(t *testing.T) {
	t.Parallel()
	var d dialler
	gate := make(chan struct{})
	d.do(func(ctx context.Context) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	p, _ := open(t, pool.Config{MaxConns: 5, MinConns: -1, Configure: d.configure})
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%50)*time.Millisecond)
			defer cancel()
			if _, err := p.Exec(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if n := d.attempts.Load(); n > 5 {
		t.Errorf("%d attempts", n)
	}
	if s := p.Stats(); s.Connecting != int(d.attempts.Load()) || s.Total != s.Connecting || s.Waiting != 0 || s.Canceled != 300 {
		t.Errorf("%+v", s)
	}
	close(gate)
	eventually(t, "what was begun is idle", func() bool { s := p.Stats(); return s.Connecting == 0 && s.Idle == int(s.Opened) && s.Idle > 0 })
	before := d.attempts.Load()
	acquire(t, p).Release()
	if d.attempts.Load() != before {
		t.Error("another attempt was made")
	}
}

// Who waits for a new connection takes one that comes back before.
func TestReleaseServesWhoWaitsForNew(t *testing.T) {
	t.Parallel()
	var d dialler
	p, _ := open(t, pool.Config{MaxConns: 2, MinConns: -1, Configure: d.configure})
	c := acquire(t, p)
	gate := make(chan struct{})
	d.do(func(context.Context) error { <-gate; return nil })
	done := make(chan *pool.Conn)
	go func() { done <- acquire(t, p) }()
	eventually(t, "another one is made", func() bool { return d.now.Load() == 1 })
	id := c.Info().ID
	c.Release()
	if got := <-done; got.Info().ID != id {
		t.Errorf("connection %d", got.Info().ID)
	} else {
		got.Release()
	}
	close(gate)
	eventually(t, "the new one is idle", func() bool { return p.Stats().Idle == 2 })
}

// Those who wait ride out the restart of a server, also with connections that
// broke; and nobody waits for longer than the server is away.
func TestRestartRiddenOut(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{})
	db, err := cluster.Create(ctx, pgtest.SQL("CREATE TABLE ledger (id int PRIMARY KEY)"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pool.New(ctx, db.URL, pool.Config{MaxConns: 8, MinConns: 8, ConnectRetry: time.Minute, AcquireTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	eventually(t, "all are open", func() bool { return p.Stats().Idle == 8 })
	node := cluster.Primary()
	if err := node.Stop(ctx, pgtest.Immediate); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var failed atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			_, err := p.Exec(ctx, "INSERT INTO ledger VALUES ($1)", i)
			if err != nil {
				failed.Add(1)
				if !(&runtime.Error{Err: err}).IsConnection() {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	eventually(t, "all others wait", func() bool { s := p.Stats(); return s.Waiting+int(failed.Load()) == 40 && s.ConnectFailures > 2 })
	if err := node.Start(ctx); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	// Eight connections broke; each fails one statement at most.
	if n := failed.Load(); n > 8 {
		t.Errorf("%d statements failed", n)
	}
	var rows int64
	if err := p.QueryRow(ctx, "SELECT count(*) FROM ledger").Scan(&rows); err != nil || rows != 40-failed.Load() {
		t.Errorf("%d rows, %d failed (%v)", rows, failed.Load(), err)
	}
}
