package runtime

import (
	"context"
	"time"
)

// Observer is told of queries, connections and transactions while they happen;
// runtime/pool and runtime/txn take one in their configuration, and [Trace]
// makes one a tracer for pgx itself. Its methods are called on the goroutine
// that does the work, by many at once, and must not block.
//
// Where there is no observer nothing is measured and nothing allocated.
type Observer interface {
	// Begin is called before an operation. The context it returns is the
	// operation's, and is given to End: the place for a span.
	Begin(ctx context.Context, e Event) context.Context
	// End is called when the operation is over, with what is known then. Kinds
	// that are a moment rather than a span ([EventLeak] …) have an End alone.
	End(ctx context.Context, e Event)
}

// EventKind says what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	// EventQuery is a statement of its own, until its rows are closed.
	EventQuery EventKind = iota + 1
	// EventBatch is a batch of statements, EventCopy a COPY.
	EventBatch
	EventCopy
	// EventConnect is the making of a connection, EventClose its end.
	EventConnect
	EventClose
	// EventAcquire is the wait for a connection of a pool.
	EventAcquire
	// EventLeak is a connection held for longer than the pool allows.
	EventLeak
	// EventTransaction is a transaction from BEGIN to its end.
	EventTransaction
	// EventRetry is the decision to repeat a transaction, EventFallback the one
	// to repeat a read of a standby on the primary.
	EventRetry
	EventFallback
)

// String returns the kind in lower case.
func (k EventKind) String() string {
	if int(k) >= len(eventNames) {
		return "unknown"
	}
	return eventNames[k]
}

var eventNames = [...]string{"unknown", "query", "batch", "copy", "connect", "close", "acquire", "leak", "transaction", "retry", "fallback"}

// Event is what an [Observer] is told. A field that does not apply is zero. An
// event never holds arguments, nor the SQL text of a statement.
type Event struct {
	Kind EventKind
	// Name is the query's, from the -- name: line of its text; the label of a
	// transaction; the table of a COPY.
	Name string
	// At is when the operation began, Dur how long it took (End alone).
	At  time.Time
	Dur time.Duration
	// Rows counts rows returned, affected or copied, and statements of a batch.
	Rows int64
	// Err is how it failed; what the server said comes as an [*Error], which
	// prints, logs and encodes no values of rows.
	Err error
	// Host is the server, as host:port or the path of a socket, and PID its
	// process. Standby says that the statement was sent to a standby.
	Host    string
	PID     uint32
	Standby bool
	// Tx is the id of the transaction and Attempt its number, from 1.
	Tx      uint64
	Attempt int
	// Note tells the rest in words: why a connection was closed, the status a
	// transaction ended with, who holds a connection.
	Note string
}
