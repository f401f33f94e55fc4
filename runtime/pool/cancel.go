package pool

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// canceller has the server cancel the running statement when its context ends.
// Unlike pgconn.CancelRequestContextWatcherHandler it sees the request through:
// that one hangs up as soon as the statement's answer is there, and a PgBouncer
// that is still passing the request on then ends with "FATAL … bad client state"
// (1.18), and all connections with it.
type canceller struct {
	conn *pgconn.PgConn
	done chan struct{} // closed when the request is through
}

// cancelSettles is the time between the end of a request and the arrival of its
// signal in the session; sooner it could hit the next statement. It is pgx's.
const cancelSettles = 100 * time.Millisecond

// HandleCancel sends the request, and bounds the wait for the statement's answer
// by cancelGrace.
func (c *canceller) HandleCancel(context.Context) {
	deadline := time.Now().Add(cancelGrace)
	_ = c.conn.Conn().SetDeadline(deadline) // fails where the connection is closed
	c.done = make(chan struct{})
	go func() {
		defer close(c.done)
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		// Where it fails, the deadline ends the statement, and the connection.
		_ = c.conn.CancelRequest(ctx)
		time.Sleep(cancelSettles)
	}()
}

// HandleUnwatchAfterCancel waits until the request can hit nothing any more.
func (c *canceller) HandleUnwatchAfterCancel() {
	<-c.done
	_ = c.conn.Conn().SetDeadline(time.Time{})
}
