package pool

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime/internal/notice"
)

// backend is what a Pool keeps for one role: the connections to the primary, or
// to one standby. All that is true of connections is here; Pool chooses between
// backends.
//
// pgxpool makes the connections, with all hooks of its configuration, and closes
// them; in between they stay acquired from it, and who gets which is decided
// here, under one lock. Its own queue cannot give a connection that came back to
// a caller who waits for a new one, goes on dialling for callers that have left,
// and needs a context, with its allocations, for each bound on a wait.
type backend struct {
	pool    *Pool
	pgx     *pgxpool.Pool
	config  Config // the pool's, with this backend's own bounds
	standby bool
	ctx     context.Context // of the connections that are made; it never ends

	minIdle      int
	jitter       time.Duration // the random part of MaxLifetime
	pingTimeout  time.Duration
	shouldPing   func(context.Context, pgxpool.ShouldPingParams) bool
	prepareConn  func(context.Context, *pgx.Conn) (bool, error)
	afterRelease func(*pgx.Conn) bool

	mu    sync.Mutex
	conns map[uint64]*connState // all open connections: those that are active, and idle
	idle  []*connState          // the last one is the next to be given out
	// active, connecting and closing count connections; with those that are idle
	// they are never more than MaxConns.
	active, connecting, closing int
	waiters                     waiters
	limiter                     *time.Timer // of those who wait, set for limitAt; see limit
	limitAt                     time.Time
	outage                      outage
	doubt                       time.Time // what was not used since has to be tried first
	recycled                    time.Time // what was begun before is not used any more; see recycle
	keep                        bool      // MinConns are being kept up: no attempt to make them failed
	count                       counters
	closed, emptied             bool
	// empty is closed once the backend is and no connection is left; drained once
	// every goroutine ended as well.
	empty, drained chan struct{}
	stop           chan struct{} // ends the janitor
	work           sync.WaitGroup
	spare          sync.Pool // of *waiter
}

// newBackend starts a backend of p on what pgxConfig names.
func newBackend(ctx context.Context, p *Pool, pgxConfig *pgxpool.Config, config Config, standby bool) (*backend, error) {
	b := &backend{
		pool: p, config: config, standby: standby, ctx: context.WithoutCancel(ctx),
		minIdle: int(pgxConfig.MinIdleConns), jitter: min(pgxConfig.MaxConnLifetimeJitter, config.MaxLifetime),
		pingTimeout: cmp.Or(pgxConfig.PingTimeout, defaultPingTimeout),
		shouldPing:  pgxConfig.ShouldPing, prepareConn: pgxConfig.PrepareConn, afterRelease: pgxConfig.AfterRelease,
		conns: map[uint64]*connState{}, keep: true, empty: make(chan struct{}), drained: make(chan struct{}), stop: make(chan struct{}),
	}
	//lint:ignore SA1019 pgxpool calls it too where PrepareConn is not set
	if before := pgxConfig.BeforeAcquire; before != nil && b.prepareConn == nil {
		b.prepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) { return before(ctx, conn), nil }
	}
	period := pgxConfig.HealthCheckPeriod
	pgxConfig = pgxConfig.Copy() // others are started with it as well
	// What is released to pgxpool is closed by it, and it keeps nothing up by
	// itself. Its bound is not needed: it counts connections as open for as long
	// as a server that is gone keeps them from being closed.
	pgxConfig.AfterRelease = func(*pgx.Conn) bool { return false }
	pgxConfig.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pgxConfig.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { return true, nil }
	pgxConfig.MaxConns, pgxConfig.MinConns, pgxConfig.MinIdleConns = math.MaxInt32-1, 0, 0
	pgxConfig.MaxConnLifetime, pgxConfig.MaxConnLifetimeJitter, pgxConfig.MaxConnIdleTime = 0, 0, math.MaxInt64
	pgxConfig.HealthCheckPeriod = math.MaxInt64
	onError := pgxConfig.ConnConfig.OnPgError
	pgxConfig.ConnConfig.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		b.serverError(conn, err)
		return onError == nil || onError(conn, err)
	}
	pgxConfig.ConnConfig.OnNotice = notice.Watch(pgxConfig.ConnConfig.OnNotice)
	trace(pgxConfig, config.Observer, standby)
	var err error
	if b.pgx, err = pgxpool.NewWithConfig(ctx, pgxConfig); err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	b.mu.Lock()
	b.demand(time.Now())
	b.mu.Unlock()
	b.work.Go(func() { b.janitor(period) })
	return b, nil
}

// infos describes the open connections, in the order they were made; those alone
// of which want, called with the lock held, is true.
func (b *backend) infos(want func(*connState, time.Time) bool) []Info {
	b.mu.Lock()
	now := time.Now()
	infos, callers := make([]Info, 0, len(b.conns)), make(map[uint64][]uintptr, len(b.conns))
	for _, s := range b.conns {
		if want(s, now) {
			info, from := s.info(now)
			infos, callers[s.id] = append(infos, info), from
		}
	}
	b.mu.Unlock()
	for i := range infos { // takes longer than the lock should be held
		infos[i].Place = place(callers[infos[i].ID])
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

func (b *backend) allInfos() []Info {
	return b.infos(func(*connState, time.Time) bool { return true })
}

// longestHolders is how many holders an error names.
const longestHolders = 5

// holders describes the connections that are held for longest, those first.
func (b *backend) holders() []Info {
	infos := b.infos(func(s *connState, _ time.Time) bool { return !s.held.IsZero() })
	slices.SortStableFunc(infos, func(a, b Info) int { return a.HeldSince.Compare(b.HeldSince) })
	return infos[:min(len(infos), longestHolders)]
}

// closeGrace is how long a connection that is being closed keeps its place in
// the pool if the server does not answer; pgx waits longer, on its own.
const closeGrace = time.Second

// reason says why a connection was closed.
type reason uint8

const (
	closedIdle reason = iota
	closedExpired
	closedBroken
	closedEvicted
	closedShutdown
	reasons // how many there are
)

func (r reason) String() string {
	return [...]string{"idle", "expired", "broken", "evicted", "pool closed"}[r]
}

// retire closes s, which is counted as active, in the background; mu is held.
func (b *backend) retire(s *connState, why reason) {
	delete(b.conns, s.id)
	b.active--
	b.closing++
	b.count.closed[why]++
	b.work.Go(func() {
		b.tellClosed(s, why)
		s.parked.Release()
		grace := time.NewTimer(closeGrace)
		defer grace.Stop()
		select {
		case <-s.conn.PgConn().CleanupDone():
		case <-grace.C:
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.closing--
		b.demand(time.Now())
	})
}

// close is [Pool.Close] for this backend.
func (b *backend) close(ctx context.Context) error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		for w := b.waiters.pop(); w != nil; w = b.waiters.pop() {
			w.end(nil, ErrClosed)
		}
		for s := b.popIdle(); s != nil; s = b.popIdle() {
			b.retire(s, closedShutdown)
		}
		b.outage.stop()
		if b.limiter != nil {
			b.limiter.Stop()
		}
		close(b.stop)
		b.demand(time.Now())
		go b.drain()
	}
	b.mu.Unlock()
	select {
	case <-b.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close pool with %d connections in use: %w", b.stats().Active, context.Cause(ctx))
	}
}

// drain ends the attempts to connect and waits for all that is out.
func (b *backend) drain() {
	defer close(b.drained)
	gone := make(chan struct{})
	go func() {
		b.pgx.Close()
		close(gone)
	}()
	<-b.empty
	b.work.Wait()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-gone:
	case <-grace.C: // pgx asks a server that does not answer to cancel a statement, for longer
	}
}
