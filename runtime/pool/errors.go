package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrClosed is returned by whatever needs a connection after [Pool.Close] began.
var ErrClosed = errors.New("pool is closed")

// ErrReleased is returned by what is done with a [Conn] after its Release.
var ErrReleased = errors.New("connection was released")

// ErrAcquireTimeout is matched by every [*AcquireTimeoutError].
var ErrAcquireTimeout = errors.New("no connection within the acquire time-out")

// AcquireTimeoutError says that no connection came free, or could be made, in
// time. It matches [ErrAcquireTimeout], and not context.DeadlineExceeded, which
// is left to the caller's own deadline.
type AcquireTimeoutError struct {
	// Timeout is the limit, Waited the time that went by.
	Timeout, Waited time.Duration
	// Stats is the state of the pool when the time was up.
	Stats Stats
	// Holders are the connections that are held for longest, those first, up to
	// five.
	Holders []Info
	// Connect is the error of the last attempt to connect if that failed.
	Connect error
}

func (e *AcquireTimeoutError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%v (%v): %d of %d connections in use, %d idle, %d connecting, %d waiting",
		ErrAcquireTimeout, e.Timeout, e.Stats.Active, e.Stats.Max, e.Stats.Idle, e.Stats.Connecting, e.Stats.Waiting)
	for i, h := range e.Holders {
		if i == 0 {
			text.WriteString("; held for longest: ")
		} else {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "connection %d (pid %d) for %v", h.ID, h.PID, h.Held.Round(time.Millisecond))
		if h.Query != "" {
			fmt.Fprintf(&text, " by %s", h.Query)
		}
		if h.Place != "" {
			fmt.Fprintf(&text, " at %s", h.Place)
		}
	}
	if e.Connect != nil {
		fmt.Fprintf(&text, "; connecting fails: %v", e.Connect)
	}
	return text.String()
}

// Is reports whether target is [ErrAcquireTimeout].
func (e *AcquireTimeoutError) Is(target error) bool { return target == ErrAcquireTimeout }

// Unwrap returns Connect, unless that is itself the end of a deadline, which
// would be taken for the caller's.
func (e *AcquireTimeoutError) Unwrap() error {
	if errors.Is(e.Connect, context.DeadlineExceeded) || errors.Is(e.Connect, context.Canceled) {
		return nil
	}
	return e.Connect
}

// SafeToRetry is true: nothing was sent to the server.
func (e *AcquireTimeoutError) SafeToRetry() bool { return true }

// ErrTooManyWaiters is matched by every [*TooManyWaitersError].
var ErrTooManyWaiters = errors.New("too many callers wait for a connection")

// TooManyWaitersError says that MaxWaiters callers wait for a connection
// already.
type TooManyWaitersError struct {
	// Max is MaxWaiters.
	Max int
}

func (e *TooManyWaitersError) Error() string { return fmt.Sprintf("%v: %d", ErrTooManyWaiters, e.Max) }

// Is reports whether target is [ErrTooManyWaiters].
func (e *TooManyWaitersError) Is(target error) bool { return target == ErrTooManyWaiters }

// SafeToRetry is true: nothing was sent to the server.
func (e *TooManyWaitersError) SafeToRetry() bool { return true }

// acquireError says why there is no connection: the end of the caller's context,
// what failed in connecting, or what a function of the caller's said.
type acquireError struct{ err, connect error }

func (e *acquireError) Error() string {
	if e.connect != nil {
		return fmt.Sprintf("acquire connection: %v; connecting fails: %v", e.err, e.connect)
	}
	return "acquire connection: " + e.err.Error()
}

// Unwrap returns the reason.
func (e *acquireError) Unwrap() error { return e.err }

// SafeToRetry is true: nothing was sent to the server.
func (e *acquireError) SafeToRetry() bool { return true }
