package runtime

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"

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
// for a reason that may pass. Servers that start, stop or have no connection to
// spare (57P03, 57P01, 53300) are such, since those end; a log-in that was
// refused, a database or a setting that is not there, a certificate that does
// not hold and a caller's context that has ended are not. It is false for a
// commit whose outcome is unknown, and for a session that ended while a
// statement ran, whatever the reason: in a statement of its own that may have
// been after its commit.
func Retryable(err error) bool {
	if err == nil || unknownOutcome(err) {
		return false
	}
	var connect *pgconn.ConnectError
	failed := errors.As(err, &connect)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == serializationFailure || pg.Code == deadlockDetected || pg.Code == cannotConnectNow:
			return true
		case failed && permanent(pg.Code):
			return false
		}
	}
	if failed {
		var certificate *tls.CertificateVerificationError
		// A deadline in here is the attempt's own as well as the caller's.
		return !errors.As(err, &certificate) && !errors.Is(err, context.Canceled)
	}
	return SafeToRetry(err) && !ended(err)
}

// permanent reports that an error at log-in will come again: refused (class 28,
// and 42501 without the right to connect), no such database (3D), or settings
// and a protocol that the server does not know (22, 42, 0A).
func permanent(code string) bool {
	if len(code) < 2 {
		return false
	}
	switch code[:2] {
	case "28", "3D", "22", "42", "0A":
		return true
	}
	return false
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
