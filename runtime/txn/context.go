package txn

import (
	"context"
	"time"
)

// txKey finds the transaction of a manager in a context.
type txKey struct{ m *Manager }

// values is a Tx as the context that its own context is made of: it has the
// values of the caller's, the transaction, and the deadline, but does not end.
type values Tx

func (v *values) Deadline() (time.Time, bool) { return v.deadline, !v.deadline.IsZero() }
func (v *values) Done() <-chan struct{}       { return nil }
func (v *values) Err() error                  { return nil }

func (v *values) Value(key any) any {
	if k, ok := key.(txKey); ok && k.m == v.m {
		return (*Tx)(v)
	}
	return v.parent.Value(key)
}

// unwatched is a context without its end.
type unwatched struct{ context.Context }

func (unwatched) Deadline() (time.Time, bool) { return time.Time{}, false }
func (unwatched) Done() <-chan struct{}       { return nil }
func (unwatched) Err() error                  { return nil }

// ending is the context of a ROLLBACK, which neither the transaction's end nor
// its deadline concerns. (A context with a deadline before its time-out would get
// no timer: it would be left to the one that has the deadline to end, and that of
// values does not.)
func (tx *Tx) ending() (context.Context, context.CancelFunc) {
	return context.WithTimeout(unwatched{(*values)(tx)}, endTimeout)
}

// forStatement is ctx as pgx gets it. Where it ends with the transaction and
// not before, pgx need not watch it, which costs allocations for each statement:
// ending the transaction cancels its statement anyway.
func (tx *Tx) forStatement(ctx context.Context) context.Context {
	if ctx == tx.ctx {
		return (*values)(tx)
	}
	if done := ctx.Done(); done != nil && done == tx.ctx.Done() {
		return unwatched{ctx}
	}
	return ctx
}
