package pool

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The pause before the next attempt to connect after a failed one: doubled each
// time, from the first to the last, less a random half. The last is short enough
// for a server that was promoted to be found within a second.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// outage is what is known of a server that cannot be connected to. While there
// is one, attempts are made one at a time and spaced; their outcome is everyone's
// who waits.
type outage struct {
	since    time.Time // when the first attempt that failed was begun
	failures int       // failed attempts in a row, those made together counted once
	err      error     // the last one's, nil if there is no outage
	last     time.Time // when it failed
	next     time.Time // when the next attempt may be made
	retry    *time.Timer
}

// failed notes that an attempt made at began failed.
func (o *outage) failed(began, now time.Time, err error) {
	if o.err == nil || began.After(o.last) {
		o.failures++
	}
	if o.err == nil {
		o.since = began
	}
	pause := lastPause
	if doubled := o.failures - 1; doubled < 5 {
		pause = min(firstPause<<doubled, lastPause)
	}
	pause -= rand.N(pause/2 + 1)
	o.err, o.last, o.next = err, now, now.Add(pause)
}

// over notes that an attempt succeeded.
func (o *outage) over() {
	o.stop()
	*o = outage{retry: o.retry}
}

func (o *outage) stop() {
	if o.retry != nil {
		o.retry.Stop()
	}
}

// demand starts as many attempts to connect as there are callers who wait, or as
// MinConns asks for, less those under way; mu is held. A caller who leaves does
// not end an attempt, the next one gets its connection. Where the backend is
// closed it tells when the last connection has gone.
func (b *backend) demand(now time.Time) {
	if b.closed {
		if b.active+b.connecting+b.closing == 0 && !b.emptied {
			b.emptied = true
			close(b.empty)
		}
		return
	}
	want := b.waiters.n
	if b.keep {
		want = max(want, b.config.MinConns-b.active-len(b.idle), b.minIdle-len(b.idle))
	}
	for want > b.connecting && b.active+len(b.idle)+b.connecting+b.closing < b.config.MaxConns {
		if b.outage.err != nil {
			if b.connecting > 0 {
				return
			}
			if pause := b.outage.next.Sub(now); pause > 0 {
				b.retryIn(pause)
				return
			}
		}
		b.connecting++
		b.work.Go(b.connect)
	}
}

func (b *backend) retryIn(pause time.Duration) {
	if b.outage.retry == nil {
		b.outage.retry = time.AfterFunc(pause, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.demand(time.Now())
		})
		return
	}
	b.outage.retry.Reset(pause)
}

// connect makes one attempt to connect.
func (b *backend) connect() {
	began := time.Now()
	parked, err := b.pgx.Acquire(b.ctx)
	var s *connState
	if err == nil {
		s = b.newConnState(parked)
	}
	now := time.Now()
	b.mu.Lock()
	b.connecting--
	wasOut := b.outage.err != nil
	switch {
	case err == nil:
		b.count.opened++
		b.conns[s.id] = s
		b.active++
		b.outage.over()
		b.keep = true
		if began.Before(b.recycled) {
			b.retire(s, closedEvicted)
		} else {
			b.put(s)
		}
	case !b.closed:
		b.connectFailed(began, now, err)
	}
	isOut, closed := b.outage.err != nil, b.closed
	b.demand(now)
	b.mu.Unlock()
	if m := b.pool.monitor; isOut && m != nil && !b.standby {
		m.hurry()
	}

	switch {
	case b.config.Logger == nil || closed:
	case isOut && !wasOut:
		b.config.Logger.Warn("connecting fails", "standby", b.standby, "error", err)
	case wasOut && !isOut:
		b.config.Logger.Info("connecting works again", "standby", b.standby, "host", s.host)
	}
}

// refuses returns why nobody needs to wait: the last attempt failed a moment ago,
// for a reason that stays, or that nobody is to wait for. mu is held.
func (b *backend) refuses(now time.Time) error {
	o := &b.outage
	if o.err != nil && now.Before(o.next) && (!transient(o.err) || b.config.ConnectRetry < 0 && !b.full(o.err)) {
		return o.err
	}
	return nil
}

// full reports whether err says that the server has no room for more connections
// while the pool has some: they come back, so this is no outage. mu is held.
func (b *backend) full(err error) bool {
	var pg *pgconn.PgError
	return b.active > 0 && errors.As(err, &pg) && pg.Code == tooManyConnections
}

// tooManyConnections is the SQLSTATE of a server, database or role that is full.
const tooManyConnections = "53300"

// connectFailed tells those who wait of an attempt that failed: at once if the
// next one will fail as well, else those whose ConnectRetry is over before it;
// mu is held.
func (b *backend) connectFailed(began, now time.Time, err error) {
	b.count.connectFailures++
	b.outage.failed(began, now, err)
	b.keep = false
	if b.full(err) {
		return
	}
	stays := !transient(err)
	for w := b.waiters.first; w != nil; {
		next := w.next
		since := w.began // or, for who waited for a connection to come back, since that broke
		if since.Before(b.outage.since) {
			since = b.outage.since
		}
		if stays || b.outage.next.Sub(since) >= b.config.ConnectRetry {
			b.waiters.remove(w)
			w.end(nil, err)
		}
		w = next
	}
}

// transient reports whether an attempt to connect that failed with err may
// succeed a little later: nobody answers, or the one who does is starting,
// stopping, full, or (yet) of the wrong role. One host of several that is so is
// enough.
func transient(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			if transient(err) {
				return true
			}
		}
		return false
	}
	switch e := err.(type) {
	case nil:
		return false
	case *pgconn.PgError:
		switch {
		// Connection exceptions, insufficient resources (too many connections),
		// operator intervention (starting, shutting down).
		case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57P"):
			return true
		}
		return false
	case *net.DNSError:
		return !e.IsNotFound
	case *net.OpError:
		// A TLS alert comes as one, with a text of its own.
		if e.Op == "remote error" || e.Op == "local error" {
			return false
		}
		var dns *net.DNSError
		if errors.As(e.Err, &dns) {
			return transient(dns)
		}
		return true
	}
	switch err {
	case io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded,
		pgconn.ErrReadOnlyConnection, pgconn.ErrReadWriteConnection, pgconn.ErrPrimaryConnection, pgconn.ErrStandbyConnection:
		return true
	}
	if pgconn.Timeout(err) {
		return true
	}
	return transient(errors.Unwrap(err))
}
