package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
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

// sighting is what a look at a server gave.
type sighting struct {
	at       time.Time
	err      error
	recovery bool
	system   uint64
	timeline uint32
	position LSN
	// age is how long ago, by the server's clock, the last transaction that a
	// standby has replayed was committed; negative if none was.
	age time.Duration
	// What follows from it and from the others.
	lag time.Duration
	why string // reads are kept off
}

// history holds positions of a primary by the time they were read, ascending.
type history struct {
	system   uint64
	timeline uint32
	points   []point
}

type point struct {
	at  time.Time
	lsn LSN
}

// mostPoints bounds a history; beyond it the older half becomes coarser.
const mostPoints = 2048

func (h *history) add(system uint64, timeline uint32, p point) {
	if h.system != system || h.timeline != timeline {
		*h = history{system: system, timeline: timeline}
	}
	n := len(h.points)
	if n > 0 && p.lsn < h.points[n-1].lsn {
		return
	}
	if n > 1 && h.points[n-1].lsn == p.lsn && h.points[n-2].lsn == p.lsn {
		h.points[n-1].at = p.at // first and last time of a position will do
		return
	}
	if h.points = append(h.points, p); n < mostPoints {
		return
	}
	kept := h.points[:0]
	for i, p := range h.points {
		if i > n/2 || i%2 == 0 {
			kept = append(kept, p)
		}
	}
	h.points = kept
}

// lag returns for how long a standby that had replayed so far at that time has
// been behind, negative if that is not known. The age of the last transaction
// it has replayed says so where the primary writes all the time and the clocks
// agree. What the primary had written at which time, by our clock, gives bounds
// that need neither.
func (h *history) lag(at time.Time, replayed LSN, age time.Duration, primaryThere bool) time.Duration {
	if len(h.points) == 0 {
		return age
	}
	behind, _ := slices.BinarySearchFunc(h.points, replayed, func(p point, lsn LSN) int {
		if p.lsn > lsn {
			return 1
		}
		return -1
	})
	if behind == len(h.points) { // it has all that was seen
		if primaryThere {
			return 0
		}
		most := max(0, at.Sub(h.points[behind-1].at))
		if age < 0 {
			return most
		}
		return min(age, most)
	}
	least := max(0, at.Sub(h.points[behind].at))
	if behind == 0 {
		return max(least, age)
	}
	most := max(least, at.Sub(h.points[behind-1].at))
	if age < 0 {
		return most
	}
	return min(max(age, least), most)
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

// sightSQL asks a server who it is. What may run on one kind of server alone is
// behind a CASE. The timeline of a standby is the newest it is known to follow:
// each of the three is of a timeline that replay has reached, or has been found
// to lead to from where replay is (rescanLatestTimeLine, xlogrecovery.c). The
// control file learns of it late, at a restartpoint or when a page is written;
// the WAL receiver is at NULL for roles that may not see it.
const sightSQL = `SELECT r.recovery, c.system_identifier,
CASE WHEN r.recovery THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END,
CASE WHEN r.recovery THEN ` + standbyTimelineSQL + `::text
ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()) END,
CASE WHEN r.recovery THEN (extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) * 1000000)::bigint END
FROM (SELECT pg_catalog.pg_is_in_recovery() AS recovery OFFSET 0) r, pg_catalog.pg_control_system() c`

const standbyTimelineSQL = `(SELECT greatest(
(SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
(SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),
(SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)))`

// look asks h, over the connection in conn, which it makes where there is none,
// and anew where the one that was there has ended: that may have had its own
// reasons.
func (m *monitor) look(ctx context.Context, h *server, conn **pgconn.PgConn) sighting {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for {
		old := *conn != nil
		var seen sighting
		var err error
		if !old {
			*conn, err = m.connect(ctx, h)
		}
		if err == nil {
			if seen, err = sight(ctx, *conn); err == nil {
				return seen
			}
			hangUp(*conn)
		}
		*conn = nil
		if !old || ctx.Err() != nil {
			return sighting{at: time.Now(), err: err}
		}
	}
}

func (m *monitor) connect(ctx context.Context, h *server) (*pgconn.PgConn, error) {
	config := m.config.ConnConfig.Copy()
	reach(&config.Config, &h.endpoint)
	config.ValidateConnect = nil
	// A connection that does not answer is given up, and not asked to cancel.
	config.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: pg.Conn()}
	}
	if m.config.BeforeConnect != nil {
		if err := m.config.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	return pgconn.ConnectConfig(ctx, &config.Config)
}

// sight asks the server behind pg who it is.
func sight(ctx context.Context, pg *pgconn.PgConn) (sighting, error) {
	row, err := oneRow(ctx, pg, sightSQL, 5)
	if err != nil {
		return sighting{}, err
	}
	seen := sighting{at: time.Now(), recovery: row[0] == "t", age: -1}
	if seen.system, err = strconv.ParseUint(row[1], 10, 64); err != nil {
		return sighting{}, err
	}
	if !seen.recovery {
		if seen.position, err = parseLSN(row[2]); err != nil {
			return sighting{}, err
		}
		seen.timeline, err = fileTimeline(row[3])
		return seen, err
	}
	if seen.position, seen.timeline, err = parseReplayed(row[2], row[3]); err != nil {
		return sighting{}, err
	}
	if row[4] != "" {
		micros, err := strconv.ParseInt(row[4], 10, 64)
		if err != nil {
			return sighting{}, err
		}
		seen.age = max(0, time.Duration(micros)*time.Microsecond)
	}
	return seen, nil
}

// parseReplayed reads a standby's position, "" where it has replayed nothing
// yet, and timeline.
func parseReplayed(position, timeline string) (LSN, uint32, error) {
	var lsn LSN
	var err error
	if position != "" {
		if lsn, err = parseLSN(position); err != nil {
			return 0, 0, err
		}
	}
	n, err := strconv.ParseUint(timeline, 10, 32)
	return lsn, uint32(n), err
}

// note takes what was seen of h to heart, for all hosts.
func (m *monitor) note(h *server, seen sighting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	before := h.seen
	h.seen = seen
	if log := m.pool.config.Logger; log != nil && (before.role() != seen.role() || before.at.IsZero()) {
		switch {
		case seen.err != nil:
			log.Warn("server does not answer", "host", h.String(), "error", seen.err)
		case seen.recovery:
			log.Info("server is a standby", "host", h.String(), "timeline", seen.timeline)
		default:
			log.Info("server is a primary", "host", h.String(), "timeline", seen.timeline)
		}
	}
	m.choosePrimary()
	for _, other := range m.hosts {
		m.judge(other)
	}
	if b := h.backend.Load(); b != nil && before.err != nil && seen.err == nil {
		b.recycle() // connections from before it was away
	}
}

func (s sighting) role() Role {
	switch {
	case s.at.IsZero() || s.err != nil:
		return RoleUnknown
	case s.recovery:
		return RoleStandby
	}
	return RolePrimary
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
	if standby {
		h.timeline.Store(seen.timeline)
		h.replayed.Store(uint64(seen.position))
		h.lag.Store(int64(seen.lag))
	}
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
