package txn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/internal/notice"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// endTimeout bounds a ROLLBACK.
const endTimeout = 5 * time.Second

// pingAfter is the pause before a COMMIT after which the connection is tried
// first.
const pingAfter = time.Second

// expire ends the transaction from outside: it cancels the running statement,
// waits for it, and rolls back. It reports whether it was the one to end it.
func (tx *Tx) expire(status Status, cause error) bool { return tx.expireOn(status, cause, false) }

// expireOn is expire; apart says that it runs on a goroutine of the manager's.
func (tx *Tx) expireOn(status Status, cause error, apart bool) bool {
	tx.mu.Lock() // who sees that it has ended sees the cause
	first, running := tx.become(Active, status), tx.busy
	if first {
		tx.cause = cause
	}
	tx.mu.Unlock()
	if !first {
		return false
	}
	tx.cancel(cause)
	timer := time.NewTimer(endTimeout)
	defer timer.Stop()
	var canceller ctxwatch.Handler
	if running {
		// As pgx itself would for a context that it watches.
		canceller = tx.canceller()
		canceller.HandleCancel(tx.ctx)
	}
	taken := tx.take(timer.C)
	if canceller != nil {
		canceller.HandleUnwatchAfterCancel()
	}
	if !taken {
		// Somebody holds rows open and does not read them. Cutting the
		// connection makes the server roll back; the rows' owner gets an error.
		_ = tx.inner.Conn().PgConn().Conn().Close()
		go func() {
			tx.seize()
			tx.sendRollback() // gives the connection back
		}()
		tx.end(status, cause, apart)
		return true
	}
	if tx.endedByStatement() {
		status, cause = Unknown, &CommitUnknownError{Err: errEndedByStatement, XID: tx.known.id, Server: tx.known.server}
	}
	tx.sendRollback()
	tx.end(status, cause, apart)
	return true
}

// seize waits for the turn, or takes the connection away from a result that is
// open and not being read just now: perhaps it never will be.
func (tx *Tx) seize() {
	for {
		tx.mu.Lock()
		held := tx.open
		tx.mu.Unlock()
		if held != nil && held.lose() {
			return
		}
		if tx.take(time.After(10 * time.Millisecond)) {
			return
		}
	}
}

// canceller is what the connection's configuration has for a context that ends:
// it cancels the statement on the server, or gives up the connection.
func (tx *Tx) canceller() ctxwatch.Handler {
	conn := tx.inner.Conn()
	return conn.Config().BuildContextWatcherHandler(conn.PgConn())
}

func (tx *Tx) sendRollback() {
	n := tx.record(OpRollback, "", nil)
	ctx, cancel := tx.ending()
	defer cancel()
	// Where it fails, pgx closes the connection, which rolls back as well.
	err := tx.inner.Rollback(ctx)
	tx.recorded(n, 0, err)
}

// finishRollback ends the transaction for its owner.
func (tx *Tx) finishRollback(cause error) {
	tx.closeOpen()
	tx.endIfOver()
	if !tx.expire(RolledBack, cause) {
		tx.wait()
	}
}

// rollback ends the transaction for anybody; it says so if it had ended.
func (tx *Tx) rollback(cause error) error {
	if cause == nil {
		cause = ErrRolledBack
	}
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
	err := tx.enter()
	if err == nil {
		if err = tx.identify(); err != nil {
			tx.leave()
			tx.finishRollback(err)
			return err
		}
		// Neither the transaction's end nor the caller's stops a COMMIT, and a
		// short Timeout does not either: that would only make its outcome
		// unknown.
		tx.m.watch(tx, time.Now().Add(max(tx.options.Timeout, DefaultTimeout)))
		if tx.become(Active, committing) {
			return tx.finishCommit()
		}
		tx.leave()
		err = pgx.ErrTxClosed
	}
	if errors.Is(err, ErrBusy) {
		return err
	}
	if errors.Is(err, errEndedByStatement) {
		tx.expire(RolledBack, err)
	} else {
		tx.endIfOver()
	}
	tx.wait()
	return tx.closedError()
}

// finishCommit sends COMMIT for who has the turn, after which tx.ctx ends only
// where the answer takes too long.
func (tx *Tx) finishCommit() error {
	if tx.unwatch != nil {
		tx.unwatch()
	}
	n := tx.record(OpCommit, "", nil)
	failed := tx.inner.Conn().PgConn().TxStatus() == 'E' // this cannot commit, whatever comes of it
	sent, lost := tx.reachable()
	doubt := notice.Of(tx.inner.Conn().PgConn())
	before := doubt.Load()
	err := tx.inner.Commit(tx.ctx) // also where nothing can be sent: it gives the connection back
	replicated := doubt.Load() == before
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
			err = fmt.Errorf("%w: %w", ErrRolledBack, runtime.NewError(tx.ctx, "", tx.failure))
		}
		tx.mu.Unlock()
	case err != nil:
		status, err = commitOutcome(runtime.NewError(tx.ctx, "COMMIT", err), sent && !failed)
	case !replicated:
		status, err = Unknown, ErrNotReplicated
	case tx.ctx.Err() != nil:
		// A COMMIT cancelled while it waits for a synchronous standby answers
		// as if it had succeeded, but for a warning that nobody may listen to.
		status, err = Unknown, context.Cause(tx.ctx)
	}
	if status == Unknown {
		status, err = tx.resolve(err, replicated)
	}
	tx.end(status, err, false)
	return err
}

// reachable reports whether the server is still there, as far as it can be told
// before a COMMIT is sent: a connection lost while the closure did something
// else is found by a round trip more, so that nobody need ask whether the COMMIT
// arrived.
func (tx *Tx) reachable() (bool, error) {
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
	err := conn.Ping(tx.ctx)
	if err == nil {
		return true, nil
	}
	_ = conn.PgConn().Conn().Close() // nothing can be sent any more
	_ = conn.Close(tx.ctx)
	return false, err
}

// end does what is left once the connection is back: counts, and the hooks. What
// a hook panics with on a goroutine of the manager's, where nobody can recover it,
// is kept for Run, if it was that which began the transaction.
func (tx *Tx) end(status Status, cause error, apart bool) {
	tx.mu.Lock()
	tx.state.Store(int32(status))
	tx.cause = cause
	tx.mu.Unlock()
	if tx.unwatch != nil {
		tx.unwatch()
	}
	tx.cancel(context.Canceled)
	tx.m.remove(tx)
	tx.observeEnd(status, cause)
	tx.mu.Lock()
	hooks := tx.hooks
	tx.hooks = nil
	tx.ended.give()
	tx.mu.Unlock()
	defer func() {
		if apart && tx.run {
			tx.panicked = recover()
		}
		tx.mu.Lock()
		tx.settled.give()
		tx.mu.Unlock()
	}()
	if len(hooks) > 0 {
		runHooks(context.WithoutCancel(tx.parent), hooks, status, cause)
	}
}

// runHooks calls all hooks for a status even if one panics; the panic goes on
// afterwards.
func runHooks(ctx context.Context, hooks []hook, status Status, cause error) {
	for i, h := range hooks {
		done := false
		func() {
			defer func() {
				if !done {
					runHooks(ctx, hooks[i+1:], status, cause)
				}
			}()
			switch {
			case status == Committed && h.commit != nil:
				h.commit(ctx)
			case (status == RolledBack || status == Expired) && h.rollback != nil:
				h.rollback(ctx, cause)
			case status == Unknown && h.unknown != nil:
				h.unknown(ctx, cause)
			}
			done = true
		}()
	}
}
