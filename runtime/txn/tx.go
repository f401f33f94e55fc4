package txn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tx is a transaction. It does one statement at a time; a second one, started
// while rows of the first are open, gets ErrBusy. Its methods are for one
// goroutine at a time; Info, and Commit and Rollback of the [Manager], may be
// called by any other meanwhile.
type Tx struct {
	m        *Manager
	id       uint64
	options  Options
	attempt  int
	began    time.Time
	deadline time.Time
	limit    time.Time // when the manager looks at it next; guarded by m.mu
	pid      uint32

	parent  context.Context // the caller's
	ctx     context.Context // ends with the transaction
	cancel  context.CancelCauseFunc
	unwatch func() bool // ends the watch over parent; nil if that does not end
	run     bool        // it is Run's, which gets panicked
	inner   pgx.Tx
	chained bool // there is another one in its place; for who has the turn
	known   xid  // what its outcome can be asked by

	state atomic.Int32 // Status

	mu         sync.Mutex    // guards what follows
	busy       bool          // who set it may use inner
	freed      chan struct{} // closed when busy ends; made by who waits
	ended      signal        // the transaction
	settled    signal        // its hooks too
	panicked   any           // by a hook, on a goroutine of the manager's
	cause      error         // why it ended, if not by Commit
	doomed     error         // why it must not commit, though it is active
	failure    error         // the statement failure that aborted it
	conflict   error         // with which the server asked to repeat it
	used       time.Time     // when the last operation ended
	open       openResult    // the rows or batch results that are open
	depth      int
	savepoints int
	hooks      []hook
	ops        ops

	rows     turnRows // those of the first query
	rowsUsed bool
}

// openResult is what must be closed before the next statement.
type openResult interface {
	closeResult()
	lose() bool
}

// hook is a function to be called after the end; one field is set.
type hook struct {
	commit   func(context.Context)
	rollback func(context.Context, error)
	unknown  func(context.Context, error)
}

func (tx *Tx) status() Status { return Status(tx.state.Load()) }

func (tx *Tx) become(from, to Status) bool {
	return tx.state.CompareAndSwap(int32(from), int32(to))
}

// endIfOver ends the transaction if the caller's context has ended or its time
// is up.
func (tx *Tx) endIfOver() { tx.endIfOverOn(false) }

// endIfOverOn is endIfOver; apart says that it runs on a goroutine of the
// manager's.
func (tx *Tx) endIfOverOn(apart bool) {
	if tx.status() != Active {
		return
	}
	cause := context.Cause(tx.parent)
	switch {
	case errors.Is(cause, ErrExpired):
		tx.expireOn(Expired, cause, apart)
	case cause != nil:
		tx.expireOn(RolledBack, cause, apart)
	case tx.options.Timeout > 0 && time.Since(tx.began) >= tx.options.Timeout:
		tx.expireOn(Expired, ErrExpired, apart)
	}
}

// endedBy is why the transaction ended without its owner's doing; nil if it did
// not.
func (tx *Tx) endedBy() error {
	if s := tx.status(); s <= Committed { // also committing and beginning
		return nil
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.cause
}

// closedError is what a statement after the end gets.
func (tx *Tx) closedError() error {
	if cause := tx.endedBy(); cause != nil {
		return cause
	}
	return pgx.ErrTxClosed
}

// enter takes the turn for a statement, leave gives it back.
func (tx *Tx) enter() error {
	if tx.status() != Active {
		return tx.closedError()
	}
	if tx.parent.Err() != nil { // it is about to be ended
		return context.Cause(tx.parent)
	}
	tx.mu.Lock()
	busy := tx.busy
	tx.busy = true
	tx.mu.Unlock()
	switch {
	case tx.status() != Active:
		if !busy {
			tx.leave()
		}
		return tx.closedError()
	case busy:
		return ErrBusy
	case tx.endedByStatement(): // what comes would commit by itself
		tx.leave()
		return errEndedByStatement
	}
	return nil
}

func (tx *Tx) leave() {
	tx.mu.Lock()
	tx.busy = false
	if tx.freed != nil {
		close(tx.freed)
		tx.freed = nil
	}
	tx.mu.Unlock()
}

// take waits for the turn, until a channel gives something; it is kept for ever.
func (tx *Tx) take(until <-chan time.Time) bool {
	for {
		tx.mu.Lock()
		if !tx.busy {
			tx.busy = true
			tx.mu.Unlock()
			return true
		}
		if tx.freed == nil {
			tx.freed = make(chan struct{})
		}
		freed := tx.freed
		tx.mu.Unlock()
		select {
		case <-freed:
		case <-until:
			return false
		}
	}
}

// signal is something that happens once. It is guarded by the mutex of the Tx.
type signal struct {
	given bool
	made  chan struct{} // closed when given is set; made by who waits
}

func (s *signal) give() {
	s.given = true
	if s.made != nil {
		close(s.made)
	}
}

// await returns when s is given.
func (tx *Tx) await(s *signal) {
	tx.mu.Lock()
	if s.given {
		tx.mu.Unlock()
		return
	}
	if s.made == nil {
		s.made = make(chan struct{})
	}
	made := s.made
	tx.mu.Unlock()
	<-made
}

// wait returns when the transaction has ended, hooks aside.
func (tx *Tx) wait() { tx.await(&tx.ended) }

// endedByStatement reports whether SQL text of the caller's own, COMMIT or
// ROLLBACK, ended the transaction behind our back. It is for who has the turn.
func (tx *Tx) endedByStatement() bool {
	conn := tx.inner.Conn().PgConn()
	return tx.chained || !conn.IsClosed() && conn.TxStatus() == 'I'
}

// chains reports whether SQL text of the caller's own, whose last command the
// server gave a tag, ended the transaction and began another. (A ROLLBACK TO
// SAVEPOINT has the tag of a ROLLBACK.)
func chains(sql, tag string) bool {
	switch tag {
	case "COMMIT":
		return true
	case "ROLLBACK":
		return strings.Contains(strings.ToUpper(sql), "CHAIN")
	case "BEGIN", "START TRANSACTION":
		return strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";")
	}
	return false
}

// record notes an operation that begins; recorded its end.
func (tx *Tx) record(kind OpKind, name string, args []any) int {
	op := Op{Kind: kind, Name: name, At: time.Now(), Dur: -1}
	if tx.options.RecordArgs {
		op.Args = slices.Clone(args)
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.ops.add(op)
}

func (tx *Tx) recorded(n int, rows int64, err error) {
	now := time.Now()
	tx.mu.Lock()
	defer tx.mu.Unlock()
	op := tx.ops.at(n)
	if op != nil {
		op.Dur, op.Rows, op.Err = now.Sub(op.At), rows, runtime.NewError(tx.ctx, op.Name, err)
	}
	tx.used = now
	if err == nil {
		if op != nil && op.Kind != OpCommit && op.Kind != OpRollback {
			tx.failure, tx.conflict = nil, nil // a savepoint of the caller's own undid it
		}
		return
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return
	}
	if tx.failure == nil {
		tx.failure = err
	}
	if tx.conflict == nil && again(err) {
		tx.conflict = err
	}
}

// conflicted is the failure by which the server asked to repeat this
// transaction, not another that an error may come from.
func (tx *Tx) conflicted() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.conflict
}

// explain puts the failure that aborted the transaction before an error that
// only says it is aborted.
func (tx *Tx) explain(err error) error {
	tx.mu.Lock()
	failure := tx.failure
	tx.mu.Unlock()
	if e := runtime.AsError(err); failure == nil || e == nil || e.SQLState != inFailedTransaction || errors.Is(err, failure) {
		return err
	}
	return fmt.Errorf("%w: %w", runtime.NewError(tx.ctx, "", failure), err)
}

// interrupted says why the transaction was ended, where that is what made a
// statement fail.
func (tx *Tx) interrupted(err error) error {
	if err == nil {
		return nil
	}
	if cause := tx.endedBy(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// opened notes the result that is open, or none.
func (tx *Tx) opened(result openResult) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.open = result
}

// closeOpen closes a result its owner left open. It is called on the owner's
// goroutine alone.
func (tx *Tx) closeOpen() {
	tx.mu.Lock()
	open := tx.open
	tx.open = nil
	tx.mu.Unlock()
	if open != nil {
		open.closeResult()
	}
}

// AfterCommit calls fn once the transaction has really committed and its
// connection is back; never if it did not, or nobody knows. A hook added in a
// savepoint is dropped with it, one added after the end is called at once. The
// context does not end.
func (tx *Tx) AfterCommit(fn func(ctx context.Context)) { tx.after(hook{commit: fn}) }

// AfterRollback calls fn with the reason once the transaction was rolled back.
// When that happens from outside (time-out, [Manager.Rollback]), fn runs on
// another goroutine than the transaction's, and Run returns after it, or panics
// as it does.
func (tx *Tx) AfterRollback(fn func(ctx context.Context, cause error)) { tx.after(hook{rollback: fn}) }

// AfterUnknown calls fn with a [*CommitUnknownError] if nobody knows whether the
// transaction committed, nor could find out ([ResolveByXID]).
func (tx *Tx) AfterUnknown(fn func(ctx context.Context, err error)) { tx.after(hook{unknown: fn}) }

// after adds a hook; where the transaction has ended, perhaps a moment ago by
// its time-out, it is called at once.
func (tx *Tx) after(h hook) {
	tx.mu.Lock()
	ended, cause := tx.ended.given, tx.cause
	if !ended {
		tx.hooks = append(tx.hooks, h)
	}
	tx.mu.Unlock()
	if ended {
		runHooks(context.WithoutCancel(tx.parent), []hook{h}, tx.status(), cause)
	}
}

// ID is the number by which the manager knows the transaction.
func (tx *Tx) ID() uint64 { return tx.id }

// String tells the transaction by its id and label. (What prints a Tx must not read
// its fields, which change meanwhile, and among which are the values of settings.)
func (tx *Tx) String() string {
	if tx.options.Label == "" {
		return "transaction " + strconv.FormatUint(tx.id, 10)
	}
	return "transaction " + strconv.FormatUint(tx.id, 10) + " (" + tx.options.Label + ")"
}

// Context ends when the transaction does; Run within it joins the transaction.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Info describes the transaction.
func (tx *Tx) Info() Info {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	list, dropped := tx.ops.list()
	return Info{
		ID: tx.id, Label: tx.options.Label, PID: tx.pid, Began: tx.began, Deadline: tx.deadline,
		Attempt: tx.attempt, Depth: tx.depth, Status: max(tx.status(), Active), Ops: list, Dropped: dropped,
	}
}
