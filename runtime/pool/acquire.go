package pool

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
)

// freshFor is how long a connection may be unused before a round trip tells
// whether it still works, the same as pgxpool's.
const freshFor = time.Second

// defaultPingTimeout bounds that round trip.
const defaultPingTimeout = 2 * time.Second

// take gives the caller a connection; query is the name of what it is for.
func (b *backend) take(ctx context.Context, query string) (Conn, error) {
	if b.config.Observer == nil {
		return b.get(ctx, query)
	}
	e := runtime.Event{Kind: runtime.EventAcquire, Name: query, At: time.Now(), Standby: b.standby}
	ctx = b.config.Observer.Begin(ctx, e)
	c, err := b.get(ctx, query)
	e.Dur, e.Err = time.Since(e.At), err
	if err == nil {
		e.Host, e.PID = c.state.host, c.state.pid
	}
	b.config.Observer.End(ctx, e)
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
	for {
		var err error
		if s == nil {
			var more bool
			s, more, err = b.wait(ctx, w)
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

// The ends of a wait that are not an answer.
var (
	errLimit = errors.New("the acquire time-out is over")
	errEnded = errors.New("the caller's context ended")
)

// wait takes an idle connection or waits for one; more says that it waited. The
// error is errLimit at w's deadline, errEnded when ctx ends.
func (b *backend) wait(ctx context.Context, w *waiter) (s *connState, more bool, err error) {
	now := time.Now()
	b.mu.Lock()
	switch {
	case b.closed:
		err = ErrClosed
	case len(b.idle) > 0:
		s = b.popIdle()
	case b.config.MaxWaiters > 0 && b.waiters.n-(b.config.MaxConns-b.active-b.closing) >= b.config.MaxWaiters:
		err = &TooManyWaitersError{Max: b.config.MaxWaiters}
	default:
		err = b.refuses(now)
	}
	if s != nil || err != nil {
		b.mu.Unlock()
		return s, false, err
	}
	b.waiters.push(w)
	b.limit(w.deadline, now)
	b.demand(now)
	b.mu.Unlock()

	select {
	case <-w.ready:
		return w.conn, true, w.err
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !w.waiting { // the answer came at the same time
		<-w.ready
		return w.conn, true, w.err
	}
	b.waiters.remove(w)
	return nil, true, errEnded
}

// limit has those who wait told when their time is up; mu is held. One timer
// does for all: those who come later have later deadlines, but for the few who
// wait a second time.
func (b *backend) limit(deadline, now time.Time) {
	if deadline.IsZero() || !b.limitAt.IsZero() && !deadline.Before(b.limitAt) {
		return
	}
	b.limitAt = deadline
	if b.limiter == nil {
		b.limiter = time.AfterFunc(deadline.Sub(now), b.endWaits)
	} else {
		b.limiter.Reset(deadline.Sub(now))
	}
}

// endWaits tells those whose time is up.
func (b *backend) endWaits() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.limitAt = time.Time{}
	for w := b.waiters.first; w != nil; {
		next := w.next
		if w.deadline.After(now) {
			b.limit(w.deadline, now)
		} else {
			b.waiters.remove(w)
			w.end(nil, errLimit)
		}
		w = next
	}
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

// waiter is a caller who waits for a connection.
type waiter struct {
	began      time.Time
	deadline   time.Time // zero for none
	prev, next *waiter
	waiting    bool
	ready      chan struct{} // gets one element when conn or err is set
	conn       *connState
	err        error
}

// end gives the waiter, who is not in the queue any more, its answer.
func (w *waiter) end(s *connState, err error) {
	w.conn, w.err = s, err
	w.ready <- struct{}{}
}

// waiters is a queue of callers; the first came first.
type waiters struct {
	first, last *waiter
	n           int
}

func (q *waiters) push(w *waiter) {
	w.waiting, w.conn, w.err = true, nil, nil
	w.prev, w.next = q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

func (q *waiters) pop() *waiter {
	w := q.first
	if w != nil {
		q.remove(w)
	}
	return w
}

func (q *waiters) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.waiting = nil, nil, false
	q.n--
}
