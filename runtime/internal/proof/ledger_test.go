package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A ledger is what writers were told of each of their writes, to be compared with
// the table afterwards. Each write has an id of the client's own; the table has
// no unique constraint, so that a write done twice is seen.
const ledgerSchema = `CREATE TABLE ledger (id bigint NOT NULL, attempt int NOT NULL)`

type outcome int

const (
	acknowledged outcome = iota + 1
	unknown              // it may have happened or not, says the runtime
	failed               // it did not happen, says the runtime; the writer repeats it
)

type ledger struct {
	mu       sync.Mutex
	last     map[int64]outcome
	repeated int // writes that were repeated after a failure
	errs     map[string]int

	acks atomic.Int64
	// first is told of the first acknowledgement after each arming.
	first atomic.Pointer[firstAck]
}

// firstAck waits for the first acknowledgement of each of some writers.
type firstAck struct {
	mu   sync.Mutex
	at   map[int]time.Time
	want int
	all  chan struct{}
}

func newLedger() *ledger { return &ledger{last: map[int64]outcome{}, errs: map[string]int{}} }

func (l *ledger) note(writer int, id int64, o outcome, err error) {
	now := time.Now()
	l.mu.Lock()
	if l.last[id] == failed {
		l.repeated++
	}
	l.last[id] = o
	if err != nil {
		l.errs[kind(err)]++
	}
	l.mu.Unlock()
	if o != acknowledged {
		return
	}
	l.acks.Add(1)
	if f := l.first.Load(); f != nil {
		f.mu.Lock()
		if _, there := f.at[writer]; !there && len(f.at) < f.want {
			f.at[writer] = now
			if len(f.at) == f.want {
				close(f.all)
			}
		}
		f.mu.Unlock()
	}
}

// arm waits for the next acknowledgement of each of n writers.
func (l *ledger) arm(n int) *firstAck {
	f := &firstAck{at: map[int]time.Time{}, want: n, all: make(chan struct{})}
	l.first.Store(f)
	return f
}

// times returns when the first and the last writer had one.
func (f *firstAck) times() (first, last time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.at {
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// wait waits until all have one.
func (f *firstAck) wait(t *testing.T, l *ledger) {
	t.Helper()
	select {
	case <-f.all:
	case <-time.After(writeTimeout + 30*time.Second):
		f.mu.Lock()
		defer f.mu.Unlock()
		t.Fatalf("not every writer writes again: %d of %d; errors %s", len(f.at), f.want, l.kinds())
	}
}

// kind sorts an error for the report.
func kind(err error) string {
	e := runtime.AsError(err)
	switch {
	case errors.Is(err, txn.ErrCommitUnknown):
		return "commit unknown"
	case errors.Is(err, txn.ErrExpired):
		return "expired"
	case errors.Is(err, pool.ErrAcquireTimeout):
		return "no connection in time"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "the caller's deadline"
	case sqlstate(err) != "":
		return "SQLSTATE " + sqlstate(err)
	case e.IsConnection(), runtime.AsError(runtime.NewError(context.Background(), "", err)).IsConnection():
		return "connection"
	}
	return err.Error()
}

// writeTimeout ends a write that hangs; then it is unknown or failed.
const writeTimeout = 20 * time.Second

func insertQuery() runtime.Query {
	return runtime.Query{Name: "Insert", SQL: "INSERT INTO ledger VALUES ($1, $2)"}
}

// write does one write, and says what it was told.
type write func(ctx context.Context, id int64, attempt int) (outcome, error)

// inTransaction writes in a transaction of m.
func inTransaction(m *txn.Manager, opts ...txn.Option) write {
	insert := insertQuery()
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		return told(m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			return runtime.Exec(ctx, tx, insert, id, attempt)
		}, opts...))
	}
}

// told is what the error of a transaction says of it.
func told(err error) (outcome, error) {
	switch {
	case err == nil:
		return acknowledged, nil
	case errors.Is(err, txn.ErrCommitUnknown):
		return unknown, err
	}
	return failed, err
}

// alone writes in a statement of its own.
func alone(db runtime.DB) write {
	insert := insertQuery()
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		return toldAlone(runtime.Exec(ctx, db, insert, id, attempt))
	}
}

// toldAlone is what the error of a statement that is its own transaction says of
// it: that it did not happen, if nothing was sent or the server refused it and
// lives on.
func toldAlone(err error) (outcome, error) {
	switch code := sqlstate(err); {
	case err == nil:
		return acknowledged, nil
	case runtime.SafeToRetry(err), runtime.Retryable(err):
		return failed, err
	case code == "25006", code == "57014": // read only; cancelled
		return failed, err
	}
	return unknown, err
}

// cutting makes connections that are cut now and then just after they have sent
// something, more often after a COMMIT: its answer is lost, and whether it came
// to the server before is not known.
func cutting(c *pgxpool.Config) error {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return cut{conn}, nil
	}
	return nil
}

type cut struct{ net.Conn }

func (c cut) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	odds := 1000
	if bytes.Contains(b, []byte("commit")) {
		odds = 30
	}
	if rand.IntN(odds) == 0 {
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		_ = c.Conn.Close()
	}
	return n, err
}

// writers run until stopped: each writes one id after the other, and the same
// id again as long as it is told that it failed.
type writers struct {
	n    int
	stop context.CancelFunc
	done sync.WaitGroup
}

func (l *ledger) start(n int, of func(writer int) write) *writers {
	running, stop := context.WithCancel(context.Background())
	w := &writers{n: n, stop: stop}
	for writer := range n {
		do := of(writer)
		w.done.Go(func() {
			for seq := int64(0); running.Err() == nil; seq++ {
				id := int64(writer)<<40 | seq
				for attempt := 1; ; attempt++ {
					ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
					o, err := do(ctx, id, attempt)
					cancel()
					l.note(writer, id, o, err)
					if o != failed || running.Err() != nil {
						break
					}
					time.Sleep(time.Millisecond) // a writer that only fails must not starve the rest
				}
			}
		})
	}
	return w
}

func (w *writers) end() {
	w.stop()
	w.done.Wait()
}

// verdict is what the comparison with the table says.
type verdict struct {
	acknowledged, lost, doubled       int
	failed, failedThere               int
	unknown, unknownThere, unknownNot int
	strangers                         int
}

// compare reads the table and compares.
func (l *ledger) compare(t *testing.T, dsn string) verdict {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	must(t, err)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT id, count(*) FROM ledger GROUP BY id")
	must(t, err)
	there := map[int64]int{}
	var id int64
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { there[id] = n; return nil })
	must(t, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	var v verdict
	for id, n := range there {
		if n > 1 {
			v.doubled++
		}
		if l.last[id] == 0 {
			v.strangers++
		}
	}
	for id, o := range l.last {
		n := there[id]
		switch o {
		case acknowledged:
			v.acknowledged++
			if n == 0 {
				v.lost++
			}
		case unknown:
			v.unknown++
			if n > 0 {
				v.unknownThere++
			} else {
				v.unknownNot++
			}
		case failed:
			v.failed++
			if n > 0 {
				v.failedThere++
			}
		}
	}
	return v
}

// kinds writes how often each kind of error came.
func (l *ledger) kinds() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for k, n := range l.errs {
		all = append(all, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}
