package pool

import (
	"context"
	"time"

	"github.com/dbgen/dbgen/runtime"
)

// take gives the caller a connection; query is the name of what it is for.
func (b *backend) take(ctx context.Context, query string) (Conn, error) {
	if b.config.Observer == nil {
		return b.get(ctx, query)
	}
	e := runtime.Event{Kind: runtime.EventAcquire, Name: query, At: time.Now(), Standby: b.standby}
	ctx = b.config.Observer.Begin(ctx, e)
	c, err := b.get(ctx, query)
	told := false
	defer func() {
		if !told { // End panicked
			c.Release()
		}
	}()
	e.Dur, e.Err = time.Since(e.At), err
	if err == nil {
		e.Host, e.PID = c.state.host, c.state.pid
	}
	b.config.Observer.End(ctx, e)
	told = true
	return c, err
}

func (b *backend) get(ctx context.Context, query string) (Conn, error) {
	began := time.Now()
	if err := ctx.Err(); err != nil {
		return Conn{}, b.refused(began, &acquireError{err: err}, &b.count.canceled)
	}
	b.mu.Lock()
	s := b.popIdle()
	if s == nil || !b.fresh(s, began) {
		b.mu.Unlock()
		return b.getSlowly(ctx, began, s, query)
	}
	c := b.hand(s, began, query)
	b.mu.Unlock()
	b.notePlace(s)
	return c, nil
}

// popIdle takes the connection that was used last out of those that are idle;
// nil if none is. It counts as active then. mu is held.
func (b *backend) popIdle() *connState {
	last := len(b.idle) - 1
	if last < 0 {
		return nil
	}
	s := b.idle[last]
	b.idle[last] = nil
	b.idle = b.idle[:last]
	b.active++
	s.held = time.Now()
	return s
}

// hand makes s, which is active, the caller's; mu is held.
func (b *backend) hand(s *connState, began time.Time, query string) Conn {
	s.uses++
	s.used = s.held
	s.reported = false
	s.note(query)
	s.hold.Store(s.uses)
	b.count.acquires++
	b.count.acquireTime.record(s.held.Sub(began))
	return Conn{state: s, hold: s.uses}
}

// getSlowly is get where s, if there is one, has to be looked at first, or
// somebody has to be waited for.
func (b *backend) getSlowly(ctx context.Context, began time.Time, s *connState, query string) (Conn, error) {
	w, ok := b.spare.Get().(*waiter)
	if !ok {
		w = &waiter{ready: make(chan struct{}, 1)}
	}
	defer b.spare.Put(w)
	w.began, w.deadline = began, time.Time{}
	if b.config.AcquireTimeout > 0 {
		w.deadline = began.Add(b.config.AcquireTimeout)
	}
	waited := false
	for again := s != nil; ; again = true {
		var err error
		if s == nil {
			var more bool
			s, more, err = b.wait(ctx, w, again)
			waited = waited || more
		}
		if err == nil {
			var ok bool
			if ok, err = b.check(ctx, w.deadline, s); !ok && err == nil {
				s = nil
				continue
			}
		}
		if err != nil {
			return Conn{}, b.explain(ctx, began, err)
		}
		b.mu.Lock()
		s.held = time.Now()
		if waited {
			b.count.waits++
			b.count.waitTime += s.held.Sub(began)
		}
		c := b.hand(s, began, query)
		b.mu.Unlock()
		b.notePlace(s)
		return c, nil
	}
}

// drop closes s, which is active.
func (b *backend) drop(s *connState, why reason) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if why == closedEvicted || s.conn.IsClosed() {
		b.doubt = time.Now()
	}
	b.retire(s, why)
}

// giveBack puts s, which is active and in order, back into the pool.
func (b *backend) giveBack(s *connState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.put(s)
}

// put gives s, which is active, to the one who has waited for longest, or to
// those that are idle; mu is held.
func (b *backend) put(s *connState) {
	if b.closed {
		b.retire(s, closedShutdown)
		return
	}
	if w := b.waiters.pop(); w != nil {
		s.held = time.Now()
		w.end(s, nil)
		return
	}
	s.held = time.Time{}
	b.active--
	b.idle = append(b.idle, s)
}

// release takes s back from who held it.
func (b *backend) release(s *connState) {
	now := time.Now()
	conn := s.conn.PgConn()
	why, ok, unfinished := closedBroken, false, false
	switch {
	case conn.IsClosed():
	case conn.IsBusy() || conn.TxStatus() != 'I':
		unfinished = true
	case s.demoted():
		why = closedEvicted
	case s.expired(now):
		why = closedExpired
	default:
		ok = true
	}
	if ok && b.afterRelease != nil {
		b.work.Go(func() { // it may take its time, as with pgxpool
			ok := b.afterRelease(s.conn)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.takeBack(s, now, ok, closedBroken)
		})
		return
	}
	b.mu.Lock()
	b.takeBack(s, now, ok, why)
	b.mu.Unlock()
	if unfinished {
		// Rows or a transaction on it may be used, by mistake, when it is
		// released: not at the same time as it is closed.
		grace := time.NewTimer(closeGrace)
		defer grace.Stop()
		select {
		case <-conn.CleanupDone():
		case <-grace.C:
		}
	}
}

func (b *backend) takeBack(s *connState, now time.Time, ok bool, why reason) {
	s.used = now
	if ok {
		b.put(s)
		return
	}
	if why == closedEvicted || s.conn.IsClosed() {
		b.doubt = time.Now()
	}
	b.retire(s, why)
}

// explain makes what the caller gets of the end of a wait.
func (b *backend) explain(ctx context.Context, began time.Time, err error) error {
	b.mu.Lock()
	failing := b.outage.err
	b.mu.Unlock()
	switch {
	case err == errLimit:
		timeout := &AcquireTimeoutError{Timeout: b.config.AcquireTimeout, Waited: time.Since(began), Connect: failing, Holders: b.holders()}
		_ = b.refused(began, timeout, &b.count.timeouts)
		timeout.Stats = b.stats()
		return timeout
	case err == errEnded:
		return b.refused(began, &acquireError{err: ctx.Err(), connect: failing}, &b.count.canceled)
	case err == ErrClosed:
		return b.refused(began, err, &b.count.failed)
	}
	if tooMany, ok := err.(*TooManyWaitersError); ok {
		return b.refused(began, tooMany, &b.count.rejected)
	}
	return b.refused(began, &acquireError{err: err}, &b.count.failed)
}

// refused counts an acquire that ends with err, which it returns.
func (b *backend) refused(began time.Time, err error, counter *int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	*counter++
	b.count.acquireTime.record(time.Since(began))
	return err
}
