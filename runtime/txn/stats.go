package txn

import "sync/atomic"

// counters are what Stats is read from.
type counters struct {
	begun, committed, rolledBack, expired, unknown, resolved atomic.Int64
	retries                                                  [retryCauses]atomic.Int64
}

func (c *counters) ended(status Status) {
	switch status {
	case Committed:
		c.committed.Add(1)
	case Expired:
		c.expired.Add(1)
	case Unknown:
		c.unknown.Add(1)
	default:
		c.rolledBack.Add(1)
	}
}

// Stats counts what a manager did since it was made.
type Stats struct {
	// Active transactions run now.
	Active int
	// Begun is the sum of Active and of the four ways to end: Committed,
	// RolledBack, Expired (rolled back because of the time-out) and Unknown.
	Begun, Committed, RolledBack, Expired, Unknown int64
	// Resolved counts the lost answers to COMMIT whose outcome was found out; each
	// is in Committed or RolledBack as well.
	Resolved int64
	// Retries counts the transactions begun again, the sum of those after a
	// serialization failure and a deadlock, which are in Begun as well, and of
	// the attempts to begin after the connection had failed.
	Retries                                                  int64
	SerializationRetries, DeadlockRetries, ConnectionRetries int64
}

// Stats returns a snapshot, in which the sums hold.
func (m *Manager) Stats() Stats {
	s := &m.stats
	m.mu.Lock()
	defer m.mu.Unlock()
	stats := Stats{
		Active: m.active, Begun: s.begun.Load(), Committed: s.committed.Load(), RolledBack: s.rolledBack.Load(),
		Expired: s.expired.Load(), Unknown: s.unknown.Load(), Resolved: s.resolved.Load(),
		SerializationRetries: s.retries[afterSerialization].Load(), DeadlockRetries: s.retries[afterDeadlock].Load(),
		ConnectionRetries: s.retries[afterBegin].Load(),
	}
	stats.Retries = stats.SerializationRetries + stats.DeadlockRetries + stats.ConnectionRetries
	return stats
}
