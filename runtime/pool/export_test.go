package pool

import (
	"context"
	"iter"
	"time"
)

// ListenEvery is [Pool.Listen] with another time of silence.
func (p *Pool) ListenEvery(ctx context.Context, keepalive time.Duration, channels ...string) iter.Seq2[Notification, error] {
	return p.listen(ctx, keepalive, channels)
}

// Backdate makes those who wait for a connection have done so for longer.
func Backdate(p *Pool, by time.Duration) {
	p.primary.mu.Lock()
	defer p.primary.mu.Unlock()
	for w := p.primary.waiters.first; w != nil; w = w.next {
		w.began = w.began.Add(-by)
	}
}

// Lifetimes returns how long each connection may live.
func (p *Pool) Lifetimes() (all []time.Duration) {
	p.primary.mu.Lock()
	defer p.primary.mu.Unlock()
	for _, s := range p.primary.conns {
		all = append(all, s.end.Sub(s.created))
	}
	return all
}
