package pool

import (
	"time"
)

// Stats is a snapshot of the pool, taken at one moment, so that in each of them
//
//	Total == Active + Idle + Connecting, Total + Closing <= Max
//	Opened == Active + Idle + ClosedIdle + ClosedExpired + ClosedBroken + ClosedEvicted + ClosedByPool
//	AcquireTime.Count == Acquires + Timeouts + Canceled + Rejected + Failed, the sum of its Counts
//	Waits <= Acquires
//
// and counters, which run from the pool's start, never go back.
type Stats struct {
	// Total is the number of connections: Active ones, which somebody holds, or
	// looks at before handing them out; Idle ones; and those being made,
	// Connecting. Closing ones, for a second at most, take a place of theirs.
	Total, Active, Idle, Connecting, Closing int
	// Max and Min are the configured bounds.
	Max, Min int
	// Waiting is the number of callers who wait for a connection.
	Waiting int
	// Acquires counts the connections handed out, Waits those of them that were
	// not there at once, WaitTime the time these took together.
	Acquires, Waits int64
	WaitTime        time.Duration
	// Timeouts counts the [AcquireTimeoutError]s, Canceled the acquires that
	// ended since the caller's context did, Rejected the [TooManyWaitersError]s,
	// Failed those that ended since connecting failed or the pool was closed.
	Timeouts, Canceled, Rejected, Failed int64
	// Opened counts the connections made, ConnectFailures the attempts that
	// failed.
	Opened, ConnectFailures int64
	// The connections closed, by reason: unused for IdleTimeout; older than
	// MaxLifetime; broken or left in the middle of a result or transaction; to a
	// server that changed its role; by [Pool.Close].
	ClosedIdle, ClosedExpired, ClosedBroken, ClosedEvicted, ClosedByPool int64
	// Leaks counts the times that a connection was held for longer than
	// LeakAfter.
	Leaks int64
	// AcquireTime is the distribution of how long Acquire took, whether or not
	// it gave a connection.
	AcquireTime Histogram
}

// Histogram counts durations by upper bound.
type Histogram struct {
	// Bounds are the upper bounds, inclusive, ascending; Counts has one element
	// for each and one more for what is above the last.
	Bounds []time.Duration
	Counts []int64
	// Count and Sum are of all durations.
	Count int64
	Sum   time.Duration
}

// Quantile returns an upper bound for the q-quantile (0 to 1): the bound of the
// bucket it falls in, or -1 if that is the last, which has none. It returns 0
// where nothing was counted.
func (h Histogram) Quantile(q float64) time.Duration {
	if h.Count == 0 {
		return 0
	}
	rank, seen := q*float64(h.Count), int64(0)
	for i, bound := range h.Bounds {
		if seen += h.Counts[i]; float64(seen) >= rank && seen > 0 {
			return bound
		}
	}
	return -1
}

var bounds = [...]time.Duration{
	100 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second,
}

// recorder is a Histogram being filled, under its backend's lock.
type recorder struct {
	counts [len(bounds) + 1]int64
	sum    time.Duration
}

func (r *recorder) record(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	r.counts[i]++
	r.sum += d
}

func (r *recorder) histogram() Histogram {
	h := Histogram{Bounds: append([]time.Duration(nil), bounds[:]...), Counts: append([]int64(nil), r.counts[:]...), Sum: r.sum}
	for _, n := range h.Counts {
		h.Count += n
	}
	return h
}

// counters is what a backend counts, under its lock.
type counters struct {
	acquires, waits, timeouts, canceled, rejected, failed, opened, connectFailures, leaks int64

	waitTime    time.Duration
	closed      [reasons]int64
	acquireTime recorder
}

// Stats returns a snapshot of the connections to the primary; [Host].Conns has
// those to each standby.
func (p *Pool) Stats() Stats { return p.primary.stats() }

func (b *backend) stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.count
	return Stats{
		Total: b.active + len(b.idle) + b.connecting, Active: b.active, Idle: len(b.idle), Connecting: b.connecting, Closing: b.closing,
		Max: b.config.MaxConns, Min: b.config.MinConns, Waiting: b.waiters.n,
		Acquires: c.acquires, Waits: c.waits, WaitTime: c.waitTime,
		Timeouts: c.timeouts, Canceled: c.canceled, Rejected: c.rejected, Failed: c.failed,
		Opened: c.opened, ConnectFailures: c.connectFailures,
		ClosedIdle: c.closed[closedIdle], ClosedExpired: c.closed[closedExpired], ClosedBroken: c.closed[closedBroken],
		ClosedEvicted: c.closed[closedEvicted], ClosedByPool: c.closed[closedShutdown], Leaks: c.leaks,
		AcquireTime: c.acquireTime.histogram(),
	}
}
