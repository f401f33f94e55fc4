package pool

import (
	"sync/atomic"
	"time"
)

// Stats is a snapshot of the pool. Counters run from the pool's start.
type Stats struct {
	// Total is the number of connections, those being made included: the sum of
	// Active (held), Idle and Connecting.
	Total, Active, Idle, Connecting int
	// Max and Min are the configured bounds.
	Max, Min int
	// Acquires counts the connections handed out, Waits those of them that were
	// not there at once, WaitTime the time these took together.
	Acquires, Waits int64
	WaitTime        time.Duration
	// Timeouts counts the [AcquireTimeoutError]s, Canceled all waits that ended
	// without a connection since a context ended, time-outs included.
	Timeouts, Canceled int64
	// Opened counts the attempts to make a connection; ClosedIdle and
	// ClosedExpired those closed by IdleTimeout and MaxLifetime.
	Opened, ClosedIdle, ClosedExpired int64
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

// recorder is a Histogram being filled.
type recorder struct {
	counts [len(bounds) + 1]atomic.Int64
	sum    atomic.Int64
}

func (r *recorder) record(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	r.counts[i].Add(1)
	r.sum.Add(int64(d))
}

func (r *recorder) histogram() Histogram {
	h := Histogram{Bounds: append([]time.Duration(nil), bounds[:]...), Counts: make([]int64, len(r.counts)), Sum: time.Duration(r.sum.Load())}
	for i := range r.counts {
		h.Counts[i] = r.counts[i].Load()
		h.Count += h.Counts[i]
	}
	return h
}

// Stats returns a snapshot.
func (p *Pool) Stats() Stats { return p.primary.stats() }

func (b *backend) stats() Stats {
	s := b.pgx.Stat()
	return Stats{
		Total: int(s.TotalConns()), Active: int(s.AcquiredConns()), Idle: int(s.IdleConns()), Connecting: int(s.ConstructingConns()),
		Max: b.config.MaxConns, Min: b.config.MinConns,
		Acquires: s.AcquireCount(), Waits: s.EmptyAcquireCount(), WaitTime: s.EmptyAcquireWaitTime(),
		Timeouts: b.timeouts.Load(), Canceled: s.CanceledAcquireCount(),
		Opened: s.NewConnsCount(), ClosedIdle: s.MaxIdleDestroyCount(), ClosedExpired: s.MaxLifetimeDestroyCount(),
		AcquireTime: b.waits.histogram(),
	}
}
