package txn

import (
	"context"
	"errors"

	"github.com/dbgen/dbgen/runtime"
	"github.com/jackc/pgx/v5/pgconn"
)

// retryCause is why a transaction is run again.
type retryCause uint8

const (
	noRetry retryCause = iota
	afterSerialization
	afterDeadlock
	afterBegin
	retryCauses
)

func (c retryCause) String() string {
	return [...]string{"", "serialization failure", "deadlock", "connection failure"}[c]
}

// again reports whether the server asks to repeat the transaction.
func again(err error) bool {
	e := runtime.AsError(err)
	return (e.IsSerialization() || e.IsDeadlock()) && runtime.Retryable(err)
}

// retryCause is why a transaction that ended with err asks for another.
func (tx *Tx) retryCause(err error) retryCause {
	if tx.status() != RolledBack || !again(err) {
		return noRetry
	}
	switch conflict := tx.conflicted(); {
	case conflict == nil: // the failure is another transaction's
		return noRetry
	case runtime.AsError(conflict).IsDeadlock():
		return afterDeadlock
	}
	return afterSerialization
}

// beginCause is why a transaction that could not be begun is worth another try:
// the connection failed, so that nothing can have happened, for a reason that
// may pass. Not a pool that has none free, on which others wait too.
func beginCause(ctx context.Context, err error) retryCause {
	e := runtime.AsError(err)
	if ctx.Err() != nil || e == nil || !e.IsConnection() || errors.Is(err, ErrExpired) {
		return noRetry
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) && !runtime.Retryable(err) { // the login was refused
		return noRetry
	}
	return afterBegin
}
