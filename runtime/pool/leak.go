package pool

import (
	"fmt"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/dbgen/dbgen/runtime"
)

// notePlace notes who acquired s, where leaks are looked for.
func (b *backend) notePlace(s *connState) {
	if b.config.LeakAfter <= 0 {
		return
	}
	callers := make([]uintptr, 32)
	callers = callers[:goruntime.Callers(2, callers)]
	s.noted.Lock()
	s.callers = callers
	s.noted.Unlock()
}

// ours is how the names of functions begin that pass a call on.
const ours = "github.com/dbgen/dbgen/runtime"

// place is the first function of callers that is not one of dbgen's runtime, as
// "file:line function".
func place(callers []uintptr) string {
	if len(callers) == 0 {
		return ""
	}
	frames := goruntime.CallersFrames(callers)
	for {
		frame, more := frames.Next()
		rest, found := strings.CutPrefix(frame.Function, ours)
		if found {
			for _, pkg := range []string{".", "/pool.", "/txn.", "/internal/"} {
				if strings.HasPrefix(rest, pkg) {
					found = false
				}
			}
			found = !found
		}
		if !found || !more {
			return fmt.Sprintf("%s:%d %s", frame.File, frame.Line, frame.Function)
		}
	}
}

// reportLeaks tells of the connections that are held for longer than LeakAfter,
// once for each time one is held.
func (b *backend) reportLeaks() {
	limit := b.config.LeakAfter
	if limit <= 0 {
		return
	}
	leaks := b.infos(func(s *connState, now time.Time) bool {
		if s.hold.Load() == 0 || s.reported || now.Sub(s.held) <= limit {
			return false
		}
		s.reported = true
		b.count.leaks++
		return true
	})
	for _, i := range leaks {
		if b.config.Observer != nil {
			b.config.Observer.End(b.ctx, runtime.Event{
				Kind: runtime.EventLeak, Name: i.Query, At: i.HeldSince, Dur: i.Held,
				Host: i.Host, PID: i.PID, Standby: i.Standby, Note: "held by " + i.Place,
			})
		}
		if b.config.Logger != nil {
			b.config.Logger.Warn("connection held for longer than LeakAfter", "connection", i.ID, "pid", i.PID,
				"held", i.Held, "query", i.Query, "place", i.Place)
		}
	}
}
