package pool

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The lag that a history gives is never less than what is proved by the
// positions it was fed, and never more, whatever the clock of the standby says.
func TestHistoryLag(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000, 0)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	line := func(points ...float64) (h history) { // pairs of seconds and positions
		for i := 0; i < len(points); i += 2 {
			h.add(7, 1, point{at(points[i]), LSN(points[i+1])})
		}
		return h
	}
	const second = time.Second
	for _, test := range []struct {
		name     string
		h        history
		now      float64
		replayed LSN
		age      time.Duration
		there    bool
		want     time.Duration
	}{
		{"nothing known", line(), 9, 5, -1, false, -1},
		{"nothing known but the age", line(), 9, 5, second, false, second},
		{"all replayed", line(0, 1, 1, 5), 9, 5, 8 * second, true, 0},
		{"more than was seen", line(0, 1, 1, 5), 9, 6, 8 * second, true, 0},
		{"all replayed, primary away", line(0, 1, 1, 5), 9, 5, 20 * second, false, 8 * second},
		{"all replayed, primary away, young", line(0, 1, 1, 5), 9, 5, 2 * second, false, 2 * second},
		{"between two", line(0, 1, 1, 5, 2, 9), 4, 5, 2500 * time.Millisecond, true, 2500 * time.Millisecond},
		{"a clock that is behind", line(0, 1, 1, 5, 2, 9), 4, 5, 0, true, 2 * second},
		{"a clock that is ahead", line(0, 1, 1, 5, 2, 9), 4, 5, 100 * second, true, 3 * second},
		{"no transaction replayed", line(0, 1, 1, 5, 2, 9), 4, 5, -1, true, 3 * second},
		{"idle, then a write", line(0, 1, 1, 5, 2, 5, 60, 5, 61, 9), 62, 5, 61 * second, true, 2 * second},
		{"before all that was seen", line(1, 5, 2, 9), 4, 3, second, true, 3 * second},
		{"before all that was seen, old", line(1, 5, 2, 9), 4, 3, 9 * second, true, 9 * second},
	} {
		if got := test.h.lag(at(test.now), test.replayed, test.age, test.there); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	// A long history becomes coarser and stays bounded and right.
	h, truth := history{}, []point{}
	lsn := LSN(1)
	for i := range 3 * mostPoints {
		lsn += LSN(rand.IntN(3))
		truth = append(truth, point{at(float64(i)), lsn})
		h.add(7, 1, truth[i])
	}
	if len(h.points) > mostPoints+1 {
		t.Errorf("%d points", len(h.points))
	}
	now := at(3 * mostPoints)
	for range 1000 {
		i := rand.IntN(len(truth) - 1)
		var wrote time.Duration // how long ago the first position beyond i's was seen
		for _, p := range truth[i:] {
			if p.lsn > truth[i].lsn {
				wrote = now.Sub(p.at)
				break
			}
		}
		if got := h.lag(now, truth[i].lsn, -1, true); got < wrote {
			t.Fatalf("lag %v of a standby that misses what was written %v ago", got, wrote)
		}
	}
	if h.add(7, 2, point{now, 1}); len(h.points) != 1 {
		t.Error("positions of two timelines")
	}
}
