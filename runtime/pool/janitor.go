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
	kept, closed := b.idle[:0], 0
	// Those unused for longest come first.
	for _, s := range b.idle {
		spare := b.active+len(b.idle)-closed > b.config.MinConns && len(b.idle)-closed > b.minIdle
		why := closedIdle
		switch {
		case s.expired(now):
			why = closedExpired
		case !spare || b.config.IdleTimeout <= 0 || now.Sub(s.used) <= b.config.IdleTimeout:
			kept = append(kept, s)
			continue
		}
		closed++
		b.active++ // as retire wants it; len(b.idle) goes down below
		b.retire(s, why)
	}
	clear(b.idle[len(kept):])
	b.idle = kept
	b.keep = true
	b.demand(now)
	return closed
}
