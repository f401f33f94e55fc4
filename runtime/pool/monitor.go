package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// checkTimeout bounds one look at a server, the connecting included.
const checkTimeout = time.Second

// standbyTimeout bounds the wait for a connection to a standby, which goes to
// the primary after that. All connections being in use is no reason to wait:
// that is known before.
const standbyTimeout = time.Second

// minPause is the least time between two looks at a server.
const minPause = 50 * time.Millisecond

// monitor watches the servers of a pool, each from a goroutine and with a
// connection of its own, and keeps the backends of those that are standbys.
type monitor struct {
	pool   *Pool
	config *pgxpool.Config // to connect to all of them
	want   Standbys
	hosts  []*server

	stop context.CancelFunc
	done sync.WaitGroup // watchers, and the closing of backends

	mu      sync.Mutex
	closed  bool
	system  uint64  // that all must be of; 0 while not known
	primary *server // the last one seen
	line    history // of the primary's positions
}

// newMonitor returns the monitor of p, to be started.
func newMonitor(p *Pool, config *pgxpool.Config) *monitor {
	m := &monitor{pool: p, config: config.Copy(), want: *p.config.Standbys}
	for _, e := range endpoints(&config.ConnConfig.Config) {
		m.hosts = append(m.hosts, &server{endpoint: *e, kick: make(chan struct{}, 1)})
	}
	return m
}

func (m *monitor) start() {
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	for _, h := range m.hosts {
		m.done.Go(func() { m.watch(ctx, h) })
	}
}

// watch looks at h until ctx ends.
func (m *monitor) watch(ctx context.Context, h *server) {
	var pg *pgconn.PgConn
	defer func() { hangUp(pg) }()
	for {
		seen := m.look(ctx, h, &pg)
		if ctx.Err() != nil {
			return
		}
		m.note(h, seen)
		select {
		case <-ctx.Done():
			return
		case <-time.After(minPause):
		}
		// A tenth more or less, so that many pools do not ask at the same time.
		pause := time.Duration(float64(m.want.CheckInterval)*(0.9+0.2*rand.Float64())) - minPause
		select {
		case <-ctx.Done():
			return
		case <-h.kick:
		case <-time.After(pause):
		}
	}
}

// hurry has all servers looked at: the primary cannot be connected to, and the next
// one may be there.
func (m *monitor) hurry() {
	for _, h := range m.hosts {
		h.ask()
	}
}

func hangUp(pg *pgconn.PgConn) {
	if pg == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	_ = pg.Close(ctx)
	select {
	case <-pg.CleanupDone():
	case <-ctx.Done():
	}
}

// note takes what was seen of h to heart, and tells of a change.
func (m *monitor) note(h *server, seen sighting) {
	m.mu.Lock()
	changed := !m.closed && (h.seen.role() != seen.role() || h.seen.at.IsZero())
	if !m.closed {
		m.conclude(h, seen)
	}
	m.mu.Unlock()
	log := m.pool.config.Logger // which may ask the pool something
	switch {
	case !changed || log == nil:
	case seen.err != nil:
		log.Warn("server does not answer", "host", h.String(), "error", seen.err)
	case seen.recovery:
		log.Info("server is a standby", "host", h.String(), "timeline", seen.timeline)
	default:
		log.Info("server is a primary", "host", h.String(), "timeline", seen.timeline)
	}
}

// conclude draws, for all hosts, what follows from what was seen of h; mu is held.
func (m *monitor) conclude(h *server, seen sighting) {
	h.seen = seen
	if seen.role() == RoleStandby {
		h.timeline.Store(seen.timeline)
		h.replayed.Store(uint64(seen.position))
	}
	m.choosePrimary()
	for _, other := range m.hosts {
		m.judge(other)
	}
}

// choosePrimary finds the primary: of several the one on the newest timeline, and
// the first of those in the DSN. One that is on an older timeline than was seen
// before is none: a promotion has left it behind, and does so also while the
// promoted server is away. Nor is one of another system, until all servers are.
func (m *monitor) choosePrimary() {
	if m.primary == nil || !slices.ContainsFunc(m.hosts, func(h *server) bool { return h.seen.role() == RoleUnknown || m.ofSystem(h) }) {
		m.system = m.adopt()
	}
	var primary *server
	for _, h := range m.hosts {
		switch {
		case h.seen.role() != RolePrimary || !m.ofSystem(h):
		case m.line.system == m.system && h.seen.timeline < m.line.timeline:
		case primary == nil || h.seen.timeline > primary.seen.timeline:
			primary = h
		}
	}
	if primary == nil {
		return
	}
	moved := m.primary != nil && m.primary != primary
	m.primary = primary
	m.line.add(m.system, primary.seen.timeline, point{primary.seen.at, primary.seen.position})
	if moved {
		m.pool.primary.recycle() // what is still connected to the old one, which may be alive
	}
}

// ofSystem reports whether h answers and is of the pool's system.
func (m *monitor) ofSystem(h *server) bool {
	return h.seen.role() != RoleUnknown && h.seen.system == m.system
}

// adopt returns the system of the first primary in the DSN; where none answers,
// the one that all servers are of, which is what there is to go by then. It is 0
// while it has to be waited for a look at a server, or where they differ.
func (m *monitor) adopt() uint64 {
	var all uint64
	differ := false
	for _, h := range m.hosts {
		switch {
		case h.seen.at.IsZero():
			return 0
		case h.seen.role() == RolePrimary:
			return h.seen.system
		case h.seen.role() == RoleUnknown:
		case all == 0:
			all = h.seen.system
		default:
			differ = differ || all != h.seen.system
		}
	}
	if differ {
		return 0
	}
	return all
}

// judge decides whether reads go to h.
func (m *monitor) judge(h *server) {
	seen := &h.seen
	standby := seen.role() == RoleStandby
	if seen.role() != RoleUnknown {
		before := h.superseded
		h.superseded = !standby && seen.system == m.system && m.line.system == m.system && seen.timeline < m.line.timeline
		if h.superseded && !before {
			m.pool.primary.recycle()
		}
	}
	seen.lag = -1
	if standby && seen.system == m.system {
		seen.lag = m.line.lag(seen.at, seen.position, seen.age, m.primary != nil && m.primary.seen.role() == RolePrimary)
	}
	seen.why = m.why(h, seen)
	h.lag.Store(int64(seen.lag))
	if err := m.keepBackend(h, standby && seen.system == m.system); err != nil {
		seen.why = err.Error()
	}
	h.usable.Store(seen.why == "" && seen.at.UnixNano() > h.failed.Load())
}

// why says what keeps reads off h, "" for nothing.
func (m *monitor) why(h *server, seen *sighting) string {
	switch {
	case seen.at.IsZero():
		return "not looked at yet"
	case seen.err != nil:
		return "it does not answer"
	case h.superseded:
		return fmt.Sprintf("it is a primary on timeline %d, left behind by a promotion", seen.timeline)
	case !seen.recovery:
		return "it is no standby"
	case m.system == 0:
		return "it is not known yet which system the primary is of"
	case seen.system != m.system:
		return "it is of another system"
	case m.line.timeline != 0 && seen.timeline != m.line.timeline:
		return fmt.Sprintf("it follows timeline %d, the primary is on %d", seen.timeline, m.line.timeline)
	case m.want.MaxLag >= 0 && seen.lag > m.want.MaxLag:
		return "its lag is above MaxLag"
	case m.want.MaxLag >= 0 && seen.lag < 0:
		return "its lag is not known"
	}
	return ""
}

// keepBackend starts the backend of a host that is a standby and ends that of
// one that is something else. One that does not answer keeps it.
func (m *monitor) keepBackend(h *server, standby bool) error {
	b := h.backend.Load()
	switch {
	case standby && b == nil:
		b, err := m.newBackend(h)
		if err != nil {
			return err
		}
		h.backend.Store(b)
	case !standby && b != nil && h.seen.err == nil:
		h.backend.Store(nil)
		m.done.Go(func() { _ = b.close(context.Background()) })
	}
	return nil
}

func (m *monitor) newBackend(h *server) (*backend, error) {
	config := m.config.Copy()
	reach(&config.ConnConfig.Config, &h.endpoint)
	config.ConnConfig.ValidateConnect = m.validate
	config.MaxConns, config.MinConns = int32(m.want.MaxConns), int32(m.want.MinConns)
	bounds := m.pool.config
	bounds.MaxConns, bounds.MinConns = m.want.MaxConns, m.want.MinConns
	if bounds.AcquireTimeout <= 0 || bounds.AcquireTimeout > standbyTimeout {
		bounds.AcquireTimeout = standbyTimeout
	}
	bounds.ConnectRetry = -1 // the primary is there
	return newBackend(context.Background(), m.pool, config, bounds, true)
}

// validate accepts a connection to a standby of the pool's system alone: a name
// may stand for several servers, and change whom it stands for.
func (m *monitor) validate(ctx context.Context, pg *pgconn.PgConn) error {
	seen, err := sight(ctx, pg)
	if err != nil {
		return err
	}
	if !seen.recovery {
		return pgconn.ErrPrimaryConnection
	}
	m.mu.Lock()
	system := m.system
	m.mu.Unlock()
	if seen.system != system {
		return fmt.Errorf("the server is of system %d, the primary of %d", seen.system, system)
	}
	w := walOf(pg)
	w.system, w.replayed, w.replayedOn = systemHash(seen.system), seen.position, seen.timeline
	return nil
}

// backends returns the backends of the standbys.
func (m *monitor) backends() []*backend {
	var all []*backend
	for _, h := range m.hosts {
		if b := h.backend.Load(); b != nil {
			all = append(all, b)
		}
	}
	return all
}

// close ends the watching, and the backends, as [Pool.Close] does.
func (m *monitor) close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true // nothing begins any more
	m.mu.Unlock()
	m.stop()
	backends := m.backends()
	errs := make([]error, len(backends))
	var closing sync.WaitGroup
	for i, b := range backends {
		closing.Go(func() { errs[i] = b.close(ctx) })
	}
	closing.Wait()
	done := make(chan struct{})
	go func() { m.done.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("close pool with connections to former standbys in use: %w", context.Cause(ctx)))
	}
	return errors.Join(errs...)
}

// recycle closes all connections made so far, those that are just being made
// included, as they come back.
func (b *backend) recycle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := b.popIdle(); s != nil; s = b.popIdle() {
		b.retire(s, closedEvicted)
	}
	for _, s := range b.conns {
		s.refused.Store(true)
	}
	b.recycled = time.Now()
	b.demand(time.Now())
}

func (m *monitor) report() []Host {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Host, 0, len(m.hosts))
	for _, h := range m.hosts {
		all = append(all, Host{
			Address: h.String(), Checked: h.seen.at, Err: h.seen.err, Role: h.seen.role(),
			System: h.seen.system, Timeline: h.seen.timeline, Position: h.seen.position, Lag: h.seen.lag,
			Reads: h.usable.Load(), Why: h.seen.why, Done: h.done.Load(), Fallbacks: map[Fallback]int64{},
		})
		r := &all[len(all)-1]
		if !r.Reads && r.Why == "" {
			r.Why = "a read failed on it"
		}
		for reason := range h.fallbacks {
			if n := h.fallbacks[reason].Load(); n > 0 {
				r.Fallbacks[Fallback(reason)] = n
			}
		}
		if b := h.backend.Load(); b != nil {
			r.Conns = b.stats()
		}
	}
	return all
}
