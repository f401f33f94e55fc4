package txn

import (
	"strings"
	"time"

	"github.com/dbgen/dbgen/runtime"
)

// Status is where a transaction stands.
type Status int32

// The states of a transaction. One that is being committed is active.
const (
	Active Status = iota
	Committed
	RolledBack
	Expired // rolled back because its time was up
	Unknown // the answer to COMMIT was lost

	beginning  Status = -1 // BEGIN is under way; nobody else knows the transaction
	committing Status = -2 // nothing but COMMIT itself ends it any more
)

// String returns the state in lower-case words.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return "invalid"
	}
	return statusNames[s]
}

// MarshalText returns the same, for JSON.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

var statusNames = [...]string{"active", "committed", "rolled back", "expired", "unknown"}

// OpKind is what an operation did.
type OpKind string

// The kinds of operations.
const (
	OpQuery     OpKind = "query"
	OpExec      OpKind = "exec"
	OpBatch     OpKind = "batch"
	OpCopy      OpKind = "copy"
	OpSavepoint OpKind = "savepoint"
	OpCommit    OpKind = "commit"
	OpRollback  OpKind = "rollback"
)

// Op is one operation of a transaction. It holds no SQL text, and arguments only
// where [Options].RecordArgs asks for them.
type Op struct {
	Kind OpKind
	// Name is the name of a generated query; "" for other statements. For a
	// savepoint it is its name, for COPY the table.
	Name string
	// At is the start, Dur the time until the end of the result; -1 while it
	// runs.
	At  time.Time
	Dur time.Duration
	// Rows is the number of rows returned, affected or copied.
	Rows int64
	Err  error
	// Args are the arguments of a query or an exec, as they were given; nil unless
	// they are recorded.
	Args []any
}

// Info describes a transaction.
type Info struct {
	ID    uint64
	Label string
	// PID is the server process it runs in.
	PID uint32
	// Began is when, Deadline until when; zero if it has none.
	Began, Deadline time.Time
	// Attempt counts from 1; Run's repetitions have higher ones.
	Attempt int
	// Depth is the number of open savepoints.
	Depth  int
	Status Status
	// Ops are the last operations, at most 64, the oldest first; Dropped is the
	// number of those before.
	Ops     []Op
	Dropped int
}

// keptOps is how many operations a transaction remembers.
const keptOps = 64

// ops is a ring of the last operations.
type ops struct {
	ring  []Op
	count int   // of all, ever
	few   [6]Op // the ring while it is small
}

func (o *ops) add(op Op) int {
	if o.ring == nil {
		o.ring = o.few[:0]
	}
	if len(o.ring) < keptOps {
		o.ring = append(o.ring, op)
	} else {
		o.ring[o.count%keptOps] = op
	}
	o.count++
	return o.count - 1
}

// at returns the operation with a number that add gave; nil if it was dropped.
func (o *ops) at(n int) *Op {
	if n < o.count-len(o.ring) {
		return nil
	}
	return &o.ring[n%keptOps]
}

func (o *ops) list() (list []Op, dropped int) {
	dropped = o.count - len(o.ring)
	list = make([]Op, 0, len(o.ring))
	for n := dropped; n < o.count; n++ {
		list = append(list, *o.at(n))
	}
	return list, dropped
}

// nameOf is the name of a query that need not have been generated.
func nameOf(q runtime.Query) string {
	if q.Name == "" {
		return queryName(q.SQL)
	}
	return q.Name
}

// queryName returns X of SQL that begins with `-- name: X`.
func queryName(sql string) string {
	rest, ok := strings.CutPrefix(sql, "-- name:")
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, " \t")
	if end := strings.IndexAny(rest, " \t\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}
