package pool

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/internal/rows"
)

// The reading of standbys: RunQuery comes here with the queries that the
// generator proved to be reads.

// read runs q on a standby, or on the primary where there is none for it.
func (m *monitor) read(ctx context.Context, q runtime.Query, args []any) (pgx.Rows, error) {
	s := m.pool.session(ctx)
	var token Token
	if s != nil {
		if token = s.Token(); token.unknown {
			return m.renew(ctx, q, args, s)
		}
	}
	for range m.hosts {
		h, b := m.pick(token)
		if h == nil {
			if m.outdated(token) {
				return m.renew(ctx, q, args, s)
			}
			break
		}
		r, reason, err := m.readOn(ctx, h, b, q, args, token)
		switch {
		case err == nil:
			h.done.Add(1)
			return r, nil
		case reason == noFallback || ctx.Err() != nil:
			return rows.Failed{Error: err}, err
		}
		m.fellBack(ctx, h, q, reason, err)
		if reason == FallbackTimeline && m.outdated(token) {
			return m.renew(ctx, q, args, s)
		}
		if reason != FallbackUnreachable { // then there may be another standby
			break
		}
	}
	return m.pool.runQuery(ctx, q, args, nil)
}

// renew runs q on the primary for a session whose writes no standby can be asked
// for, since their position is not known, or on a timeline that is gone. It
// learns a position on the way, unless a write is still under way, so that the
// session's next reads can go to standbys again.
func (m *monitor) renew(ctx context.Context, q runtime.Query, args []any, s *Session) (pgx.Rows, error) {
	if !s.idle() {
		s = nil
	}
	return m.pool.runQuery(ctx, q, args, s)
}

// outdated reports whether token is of a timeline or system that is gone.
func (m *monitor) outdated(token Token) bool {
	if token.IsZero() {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.system != 0 && token.system != systemHash(m.system) || m.line.timeline > token.timeline
}

// pick chooses the standby for a read and takes one of its connections: the one
// with fewer in use of two, of those that are known to have replayed enough or
// else of those on the timeline. It is nil if there is none, also where all have
// all their connections in use: the primary is there, and not to be waited for.
func (m *monitor) pick(token Token) (*server, *backend) {
	var space [2][8]*server
	ready, late := space[0][:0], space[1][:0]
	for _, h := range m.hosts {
		switch {
		case !h.usable.Load() || int(h.inUse.Load()) >= m.want.MaxConns:
		case token.IsZero():
			ready = append(ready, h)
		case h.timeline.Load() != token.timeline:
		case LSN(h.replayed.Load()) >= token.lsn:
			ready = append(ready, h)
		default:
			late = append(late, h)
		}
	}
	if len(ready) == 0 {
		ready = late
	}
	if len(ready) == 0 {
		return nil, nil
	}
	i := rand.IntN(len(ready))
	h := ready[i]
	if n := len(ready); n > 1 {
		other := ready[(i+1+rand.IntN(n-1))%n]
		if other.inUse.Load() < h.inUse.Load() {
			h = other
		}
	}
	if !h.reserve(m.want.MaxConns) {
		return nil, nil
	}
	b := h.backend.Load()
	if b == nil { // no standby any more
		h.inUse.Add(-1)
		return nil, nil
	}
	return h, b
}

// noFallback is of errors that the primary would have too.
const noFallback = fallbacks

// readOn runs q on h, of which a connection is reserved.
func (m *monitor) readOn(ctx context.Context, h *server, b *backend, q runtime.Query, args []any, token Token) (pgx.Rows, Fallback, error) {
	r := &standbyRows{conn: standbyConn{host: h}, monitor: m, ctx: ctx, query: q}
	kept := false
	defer func() { // also when an argument's own encoder panics, or an observer
		if !kept {
			r.conn.Release()
		}
	}()
	var err error
	if r.conn.Conn, err = b.take(ctx, q.Name); err != nil {
		if ctx.Err() != nil {
			return nil, noFallback, err
		}
		h.fail()
		return nil, FallbackUnreachable, err
	}
	if !token.IsZero() {
		if reason, err := m.await(ctx, h, &r.conn.Conn, token); err != nil {
			return nil, reason, err
		}
	}
	inner, err := r.conn.state.conn.Query(ctx, q.SQL, args...)
	if err != nil {
		return nil, m.reason(ctx, h, err), err
	}
	r.Rows = rows.Rows{Rows: inner, Holder: &r.conn}
	kept = true
	return r, noFallback, nil
}

var (
	errBehind   = errors.New("the standby has not replayed the session's last write yet")
	errTimeline = errors.New("the standby is not known to follow the timeline of the session's last write")
)

// await waits until the server behind c has replayed what token asks for: on
// this very connection, as what is true of another may be true of another
// server, or of a run of it that is over. A connection whose server was seen to
// be there needs no round trip.
//
// The two values are read in this order: a standby that is on a timeline now was
// on it or on one that leads to it before.
func (m *monitor) await(ctx context.Context, h *server, c *Conn, token Token) (Fallback, error) {
	pg := c.state.conn.PgConn()
	w := walOf(pg)
	if w.system != token.system {
		return FallbackTimeline, errTimeline
	}
	if w.replayedOn == token.timeline && w.replayed >= token.lsn {
		return noFallback, nil
	}
	deadline := time.Now()
	if time.Duration(h.lag.Load()) <= m.want.Wait { // else it would be waited for in vain
		deadline = deadline.Add(m.want.Wait)
	}
	for pause := 500 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		if err := w.look(ctx, pg); err != nil {
			return m.reason(ctx, h, err), err
		}
		if w.replayedOn != token.timeline {
			return FallbackTimeline, errTimeline
		}
		if LSN(h.replayed.Load()) < w.replayed {
			h.replayed.Store(uint64(w.replayed))
		}
		if w.replayed >= token.lsn {
			return noFallback, nil
		}
		if time.Until(deadline) < pause {
			return FallbackBehind, errBehind
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return noFallback, context.Cause(ctx)
		}
	}
}

// look asks a standby how far it is.
func (w *wal) look(ctx context.Context, pg *pgconn.PgConn) error {
	row, err := oneRow(ctx, pg, "SELECT pg_catalog.pg_last_wal_replay_lsn(), "+standbyTimelineSQL, 2)
	if err != nil {
		return err
	}
	w.replayed, w.replayedOn, err = parseReplayed(row[0], row[1])
	return err
}

// reason tells what an error of a standby is worth: whether the primary could do
// better, and whether the standby can be asked again.
func (m *monitor) reason(ctx context.Context, h *server, err error) Fallback {
	if ctx.Err() != nil {
		return noFallback // the caller's end, which is not to be repeated
	}
	reason := reasonOf(err)
	if reason == FallbackLost {
		h.fail()
	}
	return reason
}

func reasonOf(err error) Fallback {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		if (&runtime.Error{Err: err}).IsConnection() {
			return FallbackLost
		}
		return noFallback
	}
	switch pg.Code {
	// Conflicts with replay: the statement is cancelled, or the connection
	// ended (ProcessRecoveryConflictInterrupt, postgres.c); a deadlock with it.
	case "40001", "40P01":
		return FallbackConflict
	// What a standby does not do: write, the serializable level, unlogged
	// tables, functions of a primary.
	case "25006", "0A000", "55000":
		return FallbackRefused
	// Objects that it does not know yet, or does still: the schema is replayed
	// as rows are.
	case "42P01", "42703", "42704", "42883", "3F000":
		return FallbackRefused
	}
	switch {
	case strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "08"): // shut down, starting, connection failure
		return FallbackLost
	case strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "58"), strings.HasPrefix(pg.Code, "XX"): // out of something, files, damage
		return FallbackRefused
	}
	return noFallback
}

// fellBack counts and tells that q goes to the primary after all.
func (m *monitor) fellBack(ctx context.Context, h *server, q runtime.Query, reason Fallback, err error) {
	h.fallbacks[reason].Add(1)
	if observer := m.pool.config.Observer; observer != nil {
		observer.End(ctx, runtime.Event{
			Kind: runtime.EventFallback, Name: q.Name, At: time.Now(), Err: err,
			Host: h.String(), Standby: true, Note: reason.String(),
		})
	}
}

// standbyConn is a reserved connection.
type standbyConn struct {
	Conn
	host *server
}

// Release gives the connection and the reservation back.
func (c *standbyConn) Release() {
	c.Conn.Release()
	c.host.inUse.Add(-1)
}

// standbyRows are the rows of a read on a standby. Their error is a
// [runtime.Elsewhere] where the primary can do better.
type standbyRows struct {
	rows.Rows
	conn    standbyConn
	monitor *monitor
	ctx     context.Context
	query   runtime.Query
	err     error // as Err returns it
}

// Err returns how the read failed.
func (r *standbyRows) Err() error {
	if r.err != nil {
		return r.err
	}
	err := r.Rows.Err()
	if err == nil {
		return nil
	}
	if r.err = err; r.ctx.Err() != nil {
		return err
	}
	if reason := r.monitor.reason(r.ctx, r.conn.host, err); reason != noFallback {
		r.err = &standbyError{rows: r, reason: reason, err: err}
	}
	return r.err
}

// standbyError is the error of a read that the primary can do better.
type standbyError struct {
	rows   *standbyRows
	reason Fallback
	err    error
}

func (e *standbyError) Error() string { return e.err.Error() }

func (e *standbyError) Unwrap() error { return e.err }

// Elsewhere returns the primary.
func (e *standbyError) Elsewhere() runtime.DB {
	return &primaryOnly{Pool: e.rows.monitor.pool, after: e}
}

// primaryOnly is a pool that sends reads to the primary too.
type primaryOnly struct {
	*Pool
	after *standbyError
}

// RunQuery runs q on the primary.
func (p *primaryOnly) RunQuery(ctx context.Context, q runtime.Query, args []any) (pgx.Rows, error) {
	r := p.after.rows
	r.monitor.fellBack(ctx, r.conn.host, q, p.after.reason, p.after.err)
	return p.runQuery(ctx, q, args, nil)
}

// directWrites makes config's connections look for the primary where it was seen
// last, which spares the wait for a server that does not answer, and never where
// a promotion has left one behind, or at a server of another system: what is
// written there is lost.
func (m *monitor) directWrites(config *pgxpool.Config) {
	before := config.BeforeConnect
	config.BeforeConnect = func(ctx context.Context, c *pgx.ConnConfig) error {
		var first, others []*endpoint
		m.mu.Lock()
		for _, h := range m.hosts {
			switch {
			case h == m.primary:
				first = append(first, &h.endpoint)
			case !h.superseded && (h.seen.role() == RoleUnknown || h.seen.system == m.system):
				others = append(others, &h.endpoint)
			}
		}
		m.mu.Unlock()
		if all := append(first, others...); len(all) > 0 {
			reach(&c.Config, all...)
		}
		if before != nil {
			return before(ctx, c)
		}
		return nil
	}
}
