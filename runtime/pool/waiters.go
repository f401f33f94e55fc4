package pool

import (
	"context"
	"errors"
	"time"
)

// The ends of a wait that are not an answer.
var (
	errLimit = errors.New("the acquire time-out is over")
	errEnded = errors.New("the caller's context ended")
)

// wait takes an idle connection or waits for one; more says that it waited. Who
// was given a connection that turned out to be of no use comes first. The error
// is errLimit at w's deadline, errEnded when ctx ends.
func (b *backend) wait(ctx context.Context, w *waiter, again bool) (s *connState, more bool, err error) {
	now := time.Now()
	b.mu.Lock()
	switch {
	case b.closed:
		err = ErrClosed
	case len(b.idle) > 0:
		s = b.popIdle()
	case b.config.MaxWaiters > 0 && !again && b.waiters.n-(b.config.MaxConns-b.active-b.closing) >= b.config.MaxWaiters:
		err = &TooManyWaitersError{Max: b.config.MaxWaiters}
	default:
		err = b.refuses(now)
	}
	if s != nil || err != nil {
		b.mu.Unlock()
		return s, false, err
	}
	b.waiters.push(w, again)
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
// does for all: those who come later have later deadlines.
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

func (q *waiters) push(w *waiter, first bool) {
	w.waiting, w.conn, w.err = true, nil, nil
	if first {
		w.prev, w.next = nil, q.first
	} else {
		w.prev, w.next = q.last, nil
	}
	if w.prev == nil {
		q.first = w
	} else {
		w.prev.next = w
	}
	if w.next == nil {
		q.last = w
	} else {
		w.next.prev = w
	}
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
