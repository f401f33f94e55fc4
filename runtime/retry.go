package runtime

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// SafeToRetry reports whether nothing of the statement can have happened, since
// nothing reached the server: the connection could not be made (pgx itself does
// not count this), or none came free, or the context had ended before.
//
// A connection that is closed does not count, although pgx says so: the error
// of one found closed is the same as that of one lost while an answer to a
// statement without arguments was read.
func SafeToRetry(err error) bool {
	if err == nil || unknownOutcome(err) || errors.Is(err, pgconn.ErrConnClosed) {
		return false
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err)
}

// Retryable reports whether it makes sense to repeat the whole transaction (or
// the single statement that was one): the server rolled it back because of
// others (serialization failure, deadlock), or it never began ([SafeToRetry])
// for a reason that may pass: not because the login was refused or the caller's
// context has ended. It is false for a commit whose outcome is unknown.
func Retryable(err error) bool {
	if err == nil || unknownOutcome(err) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case serializationFailure, deadlockDetected, cannotConnectNow:
			return true
		}
		// Refused at login (class 28) or without such a database (3D000): a
		// ConnectError that will come again.
		if strings.HasPrefix(pg.Code, "28") || strings.HasPrefix(pg.Code, "3D") {
			return false
		}
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		// A deadline in here is the attempt's own as well as the caller's.
		return !errors.Is(err, context.Canceled)
	}
	return SafeToRetry(err) && !ended(err)
}

// unknownOutcome finds the mark that a transaction manager puts on a commit
// whose answer was lost.
func unknownOutcome(err error) bool {
	var unknown interface{ OutcomeUnknown() bool }
	return errors.As(err, &unknown) && unknown.OutcomeUnknown()
}

func isNetwork(err error) bool {
	var network net.Error
	if errors.As(err, &network) {
		return !ended(err)
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// ended reports whether err is the end of the caller's context.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
