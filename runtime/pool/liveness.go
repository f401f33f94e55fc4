package pool

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// freshFor is how long a connection may be unused before a round trip tells
// whether it still works, the same as pgxpool's.
const freshFor = time.Second

// defaultPingTimeout bounds that round trip.
const defaultPingTimeout = 2 * time.Second

// fresh reports whether s can be handed out as it is.
func (b *backend) fresh(s *connState, now time.Time) bool {
	return b.shouldPing == nil && b.prepareConn == nil && !b.doubtful(s, now) && !s.expired(now)
}

// doubtful reports whether a round trip should tell if s still works: it was
// unused for long, or since another connection was lost or found to lead to a
// server that has changed its role. mu is held.
func (b *backend) doubtful(s *connState, now time.Time) bool {
	return now.Sub(s.used) > freshFor || !s.used.After(b.doubt)
}

// check reports whether s may be handed out; if not it is being closed, and so
// it is on an error, unless it goes back.
func (b *backend) check(ctx context.Context, deadline time.Time, s *connState) (ok bool, err error) {
	panicked := true // a function of the caller's
	defer func() {
		if panicked {
			b.drop(s, closedBroken)
		}
	}()
	ok, err = b.look(ctx, deadline, s)
	panicked = false
	return ok, err
}

func (b *backend) look(ctx context.Context, deadline time.Time, s *connState) (bool, error) {
	now := time.Now()
	if s.expired(now) {
		b.drop(s, closedExpired)
		return false, nil
	}
	b.mu.Lock()
	due := b.doubtful(s, now)
	b.mu.Unlock()
	if due || b.shouldPing != nil && b.shouldPing(ctx, pgxpool.ShouldPingParams{Conn: s.conn, IdleDuration: now.Sub(s.used)}) {
		if ok, err := b.ping(ctx, deadline, s); !ok || err != nil {
			return false, err
		}
	}
	if b.prepareConn == nil {
		return true, nil
	}
	bounded := ctx
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		bounded, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	ok, err := b.prepareConn(bounded, s.conn)
	switch {
	case !ok:
		b.drop(s, closedBroken)
	case err != nil:
		b.giveBack(s)
	}
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = errLimit // it is not the caller's deadline that ended it
	}
	return ok && err == nil, err
}

// ping reports whether s answers; if not it is being closed. The caller leaves
// when its time is up, with errLimit or errEnded, and the answer is looked at
// without it.
func (b *backend) ping(ctx context.Context, deadline time.Time, s *connState) (bool, error) {
	answer, left := make(chan bool), make(chan struct{})
	var limit <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		limit = timer.C
	}
	b.work.Go(func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.pingTimeout)
		defer cancel()
		ok := s.conn.Ping(bounded) == nil
		why := closedBroken
		if ok && s.demoted() {
			ok, why = false, closedEvicted
		}
		if !ok {
			if bounded.Err() != nil {
				b.silent(s)
			}
			b.drop(s, why)
		}
		select {
		case answer <- ok:
		case <-left:
			if ok {
				b.giveBack(s)
			}
		}
	})
	select {
	case ok := <-answer:
		return ok, nil
	case <-ctx.Done():
		close(left)
		return false, errEnded
	case <-limit:
		close(left)
		return false, errLimit
	}
}

// silent closes the idle connections that were last used before s, which did not
// answer: each would cost somebody the same wait, one after the other.
func (b *backend) silent(s *connState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closeIdle(func(other *connState, _ int) (reason, bool) { return closedBroken, !other.used.After(s.used) })
}
