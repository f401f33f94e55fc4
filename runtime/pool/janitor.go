package pool

import (
	"context"
	"time"
)

// janitor closes what is expired or unused for too long, keeps MinConns up and
// reports leaks, until the pool is closed.
func (b *backend) janitor(period time.Duration) {
	if b.config.LeakAfter > 0 {
		period = min(period, max(b.config.LeakAfter/4, time.Millisecond))
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticker.C:
			b.cleanup(b.ctx)
			b.reportLeaks()
		}
	}
}

// cleanup is [Pool.Cleanup] for this backend.
func (b *backend) cleanup(ctx context.Context) int {
	if ctx.Err() != nil {
		return 0
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	active := b.active
	closed := b.closeIdle(func(s *connState, left int) (reason, bool) {
		if s.expired(now) {
			return closedExpired, true
		}
		spare := active+left > b.config.MinConns && left > b.minIdle
		return closedIdle, spare && b.config.IdleTimeout > 0 && now.Sub(s.used) > b.config.IdleTimeout
	})
	b.keep = true
	b.demand(now)
	return closed
}

// closeIdle closes the idle connections that judge wants closed, and returns how
// many; those unused for longest come first. judge is told how many are left; mu
// is held.
func (b *backend) closeIdle(judge func(s *connState, left int) (reason, bool)) int {
	kept, closed := b.idle[:0], 0
	for _, s := range b.idle {
		why, end := judge(s, len(b.idle)-closed)
		if !end {
			kept = append(kept, s)
			continue
		}
		closed++
		b.active++ // as retire wants it; len(b.idle) goes down below
		b.retire(s, why)
	}
	clear(b.idle[len(kept):])
	b.idle = kept
	return closed
}
