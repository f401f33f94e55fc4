package pool

import (
	"slices"
	"time"
)

// history holds positions of a primary by the time they were read, ascending.
type history struct {
	system   uint64
	timeline uint32
	points   []point
}

type point struct {
	at  time.Time
	lsn LSN
}

// mostPoints bounds a history; beyond it the older half becomes coarser.
const mostPoints = 2048

func (h *history) add(system uint64, timeline uint32, p point) {
	if h.system != system || h.timeline != timeline {
		*h = history{system: system, timeline: timeline}
	}
	n := len(h.points)
	if n > 0 && p.lsn < h.points[n-1].lsn {
		return
	}
	if n > 1 && h.points[n-1].lsn == p.lsn && h.points[n-2].lsn == p.lsn {
		h.points[n-1].at = p.at // first and last time of a position will do
		return
	}
	if h.points = append(h.points, p); n < mostPoints {
		return
	}
	kept := h.points[:0]
	for i, p := range h.points {
		if i > n/2 || i%2 == 0 {
			kept = append(kept, p)
		}
	}
	h.points = kept
}

// lag returns for how long a standby that had replayed so far at that time has
// been behind, negative if that is not known. The age of the last transaction
// it has replayed says so where the primary writes all the time and the clocks
// agree. What the primary had written at which time, by our clock, gives bounds
// that need neither.
func (h *history) lag(at time.Time, replayed LSN, age time.Duration, primaryThere bool) time.Duration {
	if len(h.points) == 0 {
		return age
	}
	behind, _ := slices.BinarySearchFunc(h.points, replayed, func(p point, lsn LSN) int {
		if p.lsn > lsn {
			return 1
		}
		return -1
	})
	if behind == len(h.points) { // it has all that was seen
		if primaryThere {
			return 0
		}
		most := max(0, at.Sub(h.points[behind-1].at))
		if age < 0 {
			return most
		}
		return min(age, most)
	}
	least := max(0, at.Sub(h.points[behind].at))
	if behind == 0 {
		return max(least, age)
	}
	most := max(least, at.Sub(h.points[behind-1].at))
	if age < 0 {
		return most
	}
	return min(max(age, least), most)
}
