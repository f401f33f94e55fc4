package txn

import (
	"context"
	"errors"
	"fmt"
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
	pid      uint32

	inner  pgx.Tx
	ctx    context.Context // ends with the transaction
	cancel context.CancelCauseFunc
	stop   func() bool   // ends the watch over ctx
	turn   chan struct{} // holds one token; who has it may use inner

	state  atomic.Int32 // Status
	listed atomic.Bool  // the manager knows it
	done   chan struct{}

	mu            sync.Mutex // guards what follows
	cause         error      // why it ended, if not by Commit
	doomed        error      // why it must not commit, though it is active
	failure       error      // the statement failure that aborted it
	conflict      bool       // the server asked to repeat it
	used          time.Time  // when the last operation ended
	open          func()     // closes the rows or batch results that are open
	depth         int
	savepoints    int
	ops           ops
	afterCommit   []func(context.Context)
	afterRollback []func(context.Context, error)
}

// endIfOver ends the transaction if its context has.
func (tx *Tx) endIfOver() {
	cause := context.Cause(tx.ctx)
	switch {
	case cause == nil || !tx.listed.Load():
	case errors.Is(cause, ErrExpired):
		tx.expire(Expired, cause)
	default:
		tx.expire(RolledBack, cause)
	}
}

func (tx *Tx) status() Status { return Status(tx.state.Load()) }

// endedBy is why the transaction ended without its owner's doing; nil if it did
// not.
func (tx *Tx) endedBy() error {
	if s := tx.status(); s == Active || s == Committing || s == Committed {
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
	if cause := context.Cause(tx.ctx); cause != nil { // it is about to be ended
		return cause
	}
	select {
	case <-tx.turn:
	default:
		if tx.status() != Active {
			return tx.closedError()
		}
		return ErrBusy
	}
	if tx.status() != Active {
		tx.leave()
		return tx.closedError()
	}
	if tx.endedByStatement() { // what comes would commit by itself
		tx.leave()
		return errEndedByStatement
	}
	return nil
}

// endedByStatement reports whether SQL text of the caller's own, COMMIT or
// ROLLBACK, ended the transaction behind our back. It is for who has the turn.
func (tx *Tx) endedByStatement() bool {
	conn := tx.inner.Conn().PgConn()
	return !conn.IsClosed() && conn.TxStatus() == 'I'
}

func (tx *Tx) leave() { tx.turn <- struct{}{} }

// bind returns a context for a statement that ends with ctx and with the
// transaction. The one Run hands out does already.
func (tx *Tx) bind(ctx context.Context) (context.Context, func()) {
	if ctx.Value(txKey{tx.m}) == tx {
		return ctx, func() {}
	}
	bound, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(tx.ctx, func() { cancel(context.Cause(tx.ctx)) })
	return bound, func() { stop(); cancel(nil) }
}

// record notes an operation that begins; recorded its end.
func (tx *Tx) record(kind OpKind, name string) int {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.ops.add(Op{Kind: kind, Name: name, At: time.Now(), Dur: -1})
}

func (tx *Tx) recorded(n int, rows int64, err error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if op := tx.ops.at(n); op != nil {
		op.Dur, op.Rows, op.Err = time.Since(op.At), rows, err
	}
	tx.used = time.Now()
	if op := tx.ops.at(n); err == nil && op != nil && op.Kind != OpCommit && op.Kind != OpRollback {
		tx.failure, tx.conflict = nil, false // a savepoint of the caller's own undid it
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return
	}
	if tx.failure == nil {
		tx.failure = err
	}
	tx.conflict = tx.conflict || again(err)
}

// conflicted reports whether the server asked to repeat this transaction, not
// another that an error may come from.
func (tx *Tx) conflicted() bool {
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

// expire ends the transaction from outside: it cancels the running statement,
// waits for it, and rolls back. It reports whether it was the one to end it.
func (tx *Tx) expire(status Status, cause error) bool {
	if !tx.state.CompareAndSwap(int32(Active), int32(status)) {
		return false
	}
	tx.mu.Lock()
	tx.cause = cause
	tx.mu.Unlock()
	tx.cancel(cause)
	select {
	case <-tx.turn:
	case <-time.After(endTimeout):
		// Somebody holds rows open and does not read them. Cutting the
		// connection makes the server roll back; the rows' owner gets an error.
		_ = tx.inner.Conn().PgConn().Conn().Close()
		go func() {
			<-tx.turn
			tx.sendRollback() // gives the connection back
		}()
		tx.end(status, cause)
		return true
	}
	if tx.endedByStatement() {
		status, cause = Unknown, &CommitUnknownError{errEndedByStatement}
		tx.mu.Lock()
		tx.cause = cause
		tx.mu.Unlock()
	}
	tx.sendRollback()
	tx.end(status, cause)
	return true
}

func (tx *Tx) sendRollback() {
	n := tx.record(OpRollback, "")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), endTimeout)
	defer cancel()
	// Where it fails, pgx closes the connection, which rolls back as well.
	err := tx.inner.Rollback(ctx)
	tx.recorded(n, 0, err)
}

// end does what is left once the connection is back: counts, and the hooks.
func (tx *Tx) end(status Status, cause error) {
	tx.state.Store(int32(status))
	if tx.stop != nil {
		tx.stop()
	}
	tx.cancel(context.Canceled)
	switch status {
	case Committed:
		tx.m.stats.committed.Add(1)
	case Expired:
		tx.m.stats.expired.Add(1)
	case Unknown:
		tx.m.stats.unknown.Add(1)
	default:
		tx.m.stats.rolledBack.Add(1)
	}
	tx.mu.Lock()
	committed, rolledBack := tx.afterCommit, tx.afterRollback
	tx.afterCommit, tx.afterRollback = nil, nil
	tx.mu.Unlock()
	close(tx.done)
	tx.m.remove(tx)
	ctx := context.WithoutCancel(context.WithValue(tx.ctx, txKey{tx.m}, nil))
	switch status {
	case Committed:
		runAll(len(committed), func(i int) { committed[i](ctx) })
	case RolledBack, Expired:
		runAll(len(rolledBack), func(i int) { rolledBack[i](ctx, cause) })
	}
}

// runAll calls all hooks even if one panics; the panic goes on afterwards.
func runAll(n int, call func(int)) {
	for i := range n {
		done := false
		func() {
			defer func() {
				if !done {
					runAll(n-i-1, func(k int) { call(i + 1 + k) })
				}
			}()
			call(i)
			done = true
		}()
	}
}

// opened and closed note the result that is open, so that its owner need not
// close it before the end of the transaction.
func (tx *Tx) opened(closeResult func()) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.open = closeResult
}

// closeOpen closes a result its owner left open. It is called on the owner's
// goroutine alone.
func (tx *Tx) closeOpen() {
	tx.mu.Lock()
	open := tx.open
	tx.open = nil
	tx.mu.Unlock()
	if open != nil {
		open()
	}
}

// finishRollback ends the transaction for its owner.
func (tx *Tx) finishRollback(cause error) {
	tx.closeOpen()
	tx.endIfOver()
	if !tx.expire(RolledBack, cause) {
		<-tx.done
	}
}

// rollback ends the transaction for anybody; it says so if it had ended.
func (tx *Tx) rollback(cause error) error {
	if tx.expire(RolledBack, cause) {
		return nil
	}
	return pgx.ErrTxClosed
}

// Rollback ends the transaction without effect; its hooks get ErrRolledBack. On
// one that has ended it returns pgx.ErrTxClosed, so that it can be deferred.
func (tx *Tx) Rollback() error {
	tx.closeOpen()
	return tx.rollback(ErrRolledBack)
}

// Commit commits the transaction. The error is ErrRolledBack where the server
// rolled back since a statement had failed, a [*CommitUnknownError] where the
// answer was lost, ErrExpired where it came too late, pgx.ErrTxClosed where it
// had ended, else the server's. In each case the transaction has ended, but for
// ErrBusy: a savepoint or another goroutine's result is still open.
func (tx *Tx) Commit() error {
	tx.closeOpen()
	return tx.commit()
}

func (tx *Tx) commit() error {
	tx.endIfOver()
	tx.mu.Lock()
	doomed, depth := tx.doomed, tx.depth
	tx.mu.Unlock()
	if doomed != nil {
		if tx.expire(RolledBack, doomed) {
			return fmt.Errorf("%w: %w", ErrRolledBack, doomed)
		}
		return tx.closedError()
	}
	if depth > 0 {
		return fmt.Errorf("commit: %w: a savepoint is open", ErrBusy)
	}
	switch err := tx.enter(); {
	case err == nil:
	case errors.Is(err, ErrBusy):
		return err
	case errors.Is(err, errEndedByStatement):
		tx.expire(RolledBack, err)
		<-tx.done
		return tx.closedError()
	default:
		<-tx.done
		return err
	}
	if !tx.state.CompareAndSwap(int32(Active), int32(Committing)) {
		tx.leave()
		<-tx.done
		return tx.closedError()
	}
	tx.stop()
	n := tx.record(OpCommit, "")
	// Neither the transaction's end nor the caller's stops a COMMIT, and a short
	// Timeout does not either: that would only make its outcome unknown.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), max(tx.options.Timeout, DefaultTimeout))
	defer cancel()
	sent, lost := tx.reachable(ctx)
	err := tx.inner.Commit(ctx) // also where nothing can be sent: it gives the connection back
	if lost != nil {
		err = lost
	}
	tx.recorded(n, 0, err)
	status := Committed
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback):
		status, err = RolledBack, ErrRolledBack
		tx.mu.Lock()
		if tx.failure != nil {
			err = fmt.Errorf("%w: %w", ErrRolledBack, runtime.NewError(ctx, "", tx.failure))
		}
		tx.mu.Unlock()
	case err != nil:
		status, err = commitOutcome(runtime.NewError(ctx, "COMMIT", err), sent)
	case ctx.Err() != nil:
		// A COMMIT cancelled while it waits for a synchronous standby answers
		// as if it had succeeded.
		status, err = Unknown, &CommitUnknownError{ctx.Err()}
	}
	tx.mu.Lock()
	tx.cause = err
	tx.mu.Unlock()
	tx.end(status, err)
	return err
}

// reachable reports whether the server is still there, as far as it can be told
// before a COMMIT is sent: a connection lost while the closure did something
// else is found by a round trip more, so that nobody need ask whether the COMMIT
// arrived.
func (tx *Tx) reachable(ctx context.Context) (bool, error) {
	conn := tx.inner.Conn()
	if conn.IsClosed() {
		return false, nil
	}
	tx.mu.Lock()
	idle := time.Since(tx.used)
	tx.mu.Unlock()
	if idle < pingAfter {
		return true, nil
	}
	err := conn.Ping(ctx)
	if err == nil {
		return true, nil
	}
	_ = conn.PgConn().Conn().Close() // nothing can be sent any more
	_ = conn.Close(ctx)
	return false, err
}

// AfterCommit calls fn once the transaction has really committed and its
// connection is back; never if it did not, or nobody knows. A hook added in a
// savepoint is dropped with it. The context does not end.
func (tx *Tx) AfterCommit(fn func(ctx context.Context)) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.afterCommit = append(tx.afterCommit, fn)
}

// AfterRollback calls fn with the reason once the transaction was rolled back.
// When that happens from outside (time-out, [Manager.Rollback]), fn runs on
// another goroutine than the transaction's.
func (tx *Tx) AfterRollback(fn func(ctx context.Context, cause error)) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.afterRollback = append(tx.afterRollback, fn)
}

// ID is the number by which the manager knows the transaction.
func (tx *Tx) ID() uint64 { return tx.id }

// Context ends when the transaction does; Run within it joins the transaction.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Info describes the transaction.
func (tx *Tx) Info() Info {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	list, dropped := tx.ops.list()
	return Info{
		ID: tx.id, Label: tx.options.Label, PID: tx.pid, Began: tx.began, Deadline: tx.deadline,
		Attempt: tx.attempt, Depth: tx.depth, Status: tx.status(), Ops: list, Dropped: dropped,
	}
}
