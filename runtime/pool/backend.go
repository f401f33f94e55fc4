package pool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// backend is what a Pool keeps for one role: the connections to the primary, or
// to one standby. All that is true of connections is here; Pool chooses between
// backends.
type backend struct {
	pool    *Pool
	pgx     *pgxpool.Pool
	config  Config // the pool's, with this backend's own bounds
	standby bool

	timeouts atomic.Int64
	waits    recorder

	mu    sync.Mutex
	conns map[uint64]*connState // all open connections

	waitMu  sync.Mutex
	waiting map[*Conn]context.CancelFunc // who is acquiring

	closing   atomic.Bool // set with waitMu held
	closeOnce sync.Once
	closed    chan struct{}
}

// newBackend starts a backend of p on what pgxConfig names.
func newBackend(ctx context.Context, p *Pool, pgxConfig *pgxpool.Config, config Config, standby bool) (*backend, error) {
	b := &backend{
		pool: p, config: config, standby: standby,
		conns: map[uint64]*connState{}, waiting: map[*Conn]context.CancelFunc{}, closed: make(chan struct{}),
	}
	afterConnect, beforeClose := pgxConfig.AfterConnect, pgxConfig.BeforeClose
	pgxConfig.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if afterConnect != nil {
			if err := afterConnect(ctx, conn); err != nil {
				return err
			}
		}
		b.opened(conn)
		return nil
	}
	pgxConfig.BeforeClose = func(conn *pgx.Conn) {
		b.gone(conn)
		if beforeClose != nil {
			beforeClose(conn)
		}
	}
	trace(pgxConfig, config.Observer, standby)
	var err error
	if b.pgx, err = pgxpool.NewWithConfig(ctx, pgxConfig); err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	return b, nil
}

func (b *backend) acquire(ctx context.Context, c *Conn) error {
	began := time.Now()
	var limited context.Context
	var cancel context.CancelFunc
	if b.config.AcquireTimeout > 0 {
		limited, cancel = context.WithTimeout(ctx, b.config.AcquireTimeout)
	} else {
		limited, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	if !b.wait(c, cancel) {
		return ErrClosed
	}
	pgxConn, err := b.pgx.Acquire(limited)
	b.waited(c)
	now := time.Now()
	waited := now.Sub(began)
	b.waits.record(waited)
	switch {
	case err == nil:
		*c = Conn{backend: b, conn: pgxConn, state: stateOf(pgxConn.Conn())}
		c.state.acquired(now)
		return nil
	case b.closing.Load():
		return ErrClosed
	case ctx.Err() == nil && limited.Err() != nil:
		b.timeouts.Add(1)
		return &AcquireTimeoutError{Timeout: b.config.AcquireTimeout, Waited: waited, Stats: b.stats()}
	}
	return fmt.Errorf("acquire connection: %w", err)
}

// wait lets close end the acquiring of c, by cancel; false if it has begun.
// waited takes that back.
func (b *backend) wait(c *Conn, cancel context.CancelFunc) bool {
	b.waitMu.Lock()
	defer b.waitMu.Unlock()
	if b.closing.Load() {
		return false
	}
	b.waiting[c] = cancel
	return true
}

func (b *backend) waited(c *Conn) {
	b.waitMu.Lock()
	delete(b.waiting, c)
	b.waitMu.Unlock()
}

// infos describes the open connections, in the order they were made.
func (b *backend) infos() []Info {
	b.mu.Lock()
	infos := make([]Info, 0, len(b.conns))
	for _, state := range b.conns {
		infos = append(infos, state.info(b))
	}
	b.mu.Unlock()
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

// cleanup is [Pool.Cleanup] for this backend.
func (b *backend) cleanup(ctx context.Context) int {
	idle := b.pgx.AcquireAllIdle(ctx)
	spare := int(b.pgx.Stat().TotalConns()) - b.config.MinConns
	closed := 0
	for _, c := range idle {
		info := stateOf(c.Conn()).info(b)
		if info.Expired || time.Since(info.LastUsed) > b.config.IdleTimeout && b.config.IdleTimeout > 0 && spare > 0 {
			_ = c.Conn().Close(ctx)
			closed++
			spare--
		}
		c.Release() // a closed one leaves the pool
	}
	return closed
}

// close is [Pool.Close] for this backend.
func (b *backend) close(ctx context.Context) error {
	b.waitMu.Lock()
	b.closing.Store(true)
	for _, cancel := range b.waiting {
		cancel()
	}
	b.waitMu.Unlock()
	b.closeOnce.Do(func() {
		go func() {
			b.pgx.Close()
			close(b.closed)
		}()
	})
	select {
	case <-b.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close pool with %d connections in use: %w", b.stats().Active, context.Cause(ctx))
	}
}
