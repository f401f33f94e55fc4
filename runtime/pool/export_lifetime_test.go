package pool

import "time"

// Lifetimes returns how long each connection may live.
func (p *Pool) Lifetimes() (all []time.Duration) {
	p.primary.mu.Lock()
	defer p.primary.mu.Unlock()
	for _, s := range p.primary.conns {
		all = append(all, s.end.Sub(s.created))
	}
	return all
}
