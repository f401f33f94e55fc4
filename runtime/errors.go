package runtime

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Error is an error of a query. It wraps what pgx returned, which
// errors.As finds as *pgconn.PgError if the server sent it.
//
// Its text holds the query's name and the server's message, not the message's
// detail, hint and context, which carry values of the rows.
type Error struct {
	// Query is the query's name, or "COMMIT" for what only showed there.
	Query string
	// SQLState is the server's five-character code, "" if the error is not the
	// server's.
	SQLState string
	// Schema, Table, Column and Constraint are what the error is about, as far
	// as the server says; for a partition, its own names.
	Schema, Table, Column, Constraint string
	// Err is pgx's error.
	Err error

	// ended is the caller's context error, where that is why the server
	// cancelled the statement.
	ended error
}

// NewError returns err as an [*Error] of the query named; nil for nil. An
// *Error somewhere in err's chain stays what it is. The context is the one the
// query ran with: where it has ended, a statement that the server cancelled for
// that matches its error too.
func NewError(ctx context.Context, query string, err error) error { return wrap(ctx, query, err) }

func wrap(ctx context.Context, query string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	e := &Error{Query: query, Err: err}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e.fill(pg)
		if pg.Code == queryCanceled {
			e.ended = ctx.Err()
		}
	}
	return e
}

func (e *Error) fill(pg *pgconn.PgError) {
	e.SQLState, e.Schema, e.Table, e.Column, e.Constraint = pg.Code, pg.SchemaName, pg.TableName, pg.ColumnName, pg.ConstraintName
}

// AsError returns the *Error in err's chain, or makes one, without a query
// name, of a *pgconn.PgError in it; nil if there is neither. The predicates of
// a nil *Error are all false, so that a call can be chained:
//
//	if runtime.AsError(err).IsUnique() { … }
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e = &Error{Err: err}
		e.fill(pg)
		return e
	}
	return nil
}

func (e *Error) Error() string {
	message := e.Err.Error()
	if e.ended != nil {
		message = e.ended.Error() + ": " + message
	}
	if e.Query == "" {
		return message
	}
	return e.Query + ": " + message
}

// Unwrap returns pgx's error.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is a [*ConstraintError] for the constraint that was
// violated, or the error of the caller's context where that ended the query.
func (e *Error) Is(target error) bool {
	if c, ok := target.(*ConstraintError); ok {
		return c.matches(e)
	}
	return e.ended != nil && errors.Is(e.ended, target)
}

// SQLSTATE codes (Appendix A of PostgreSQL's documentation).
const (
	notNullViolation     = "23502"
	foreignKeyViolation  = "23503"
	uniqueViolation      = "23505"
	checkViolation       = "23514"
	exclusionViolation   = "23P01"
	restrictViolation    = "23001"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
	cannotConnectNow     = "57P03"
	readOnlyTransaction  = "25006"
)

func (e *Error) has(code string) bool { return e != nil && e.SQLState == code }

func (e *Error) class(class string) bool { return e != nil && strings.HasPrefix(e.SQLState, class) }

// IsUnique reports a violated UNIQUE or PRIMARY KEY.
func (e *Error) IsUnique() bool { return e.has(uniqueViolation) }

// IsForeignKey reports a violated FOREIGN KEY, ON DELETE RESTRICT included.
func (e *Error) IsForeignKey() bool { return e.has(foreignKeyViolation) || e.has(restrictViolation) }

// IsCheck reports a violated CHECK, of a table or a domain.
func (e *Error) IsCheck() bool { return e.has(checkViolation) }

// IsNotNull reports NULL in a column, or a domain, that forbids it.
func (e *Error) IsNotNull() bool { return e.has(notNullViolation) }

// IsExclusion reports a violated EXCLUDE.
func (e *Error) IsExclusion() bool { return e.has(exclusionViolation) }

// IsConstraint reports any violated constraint (class 23).
func (e *Error) IsConstraint() bool { return e.class("23") }

// IsSerialization reports that the transaction must be repeated because of
// another one.
func (e *Error) IsSerialization() bool { return e.has(serializationFailure) }

// IsDeadlock reports that the transaction was chosen to end a deadlock.
func (e *Error) IsDeadlock() bool { return e.has(deadlockDetected) }

// IsLockTimeout reports a lock not gotten in lock_timeout or with NOWAIT.
func (e *Error) IsLockTimeout() bool { return e.has(lockNotAvailable) }

// IsCanceled reports a statement the server cancelled: because of the caller's
// context, of statement_timeout, or of an operator.
func (e *Error) IsCanceled() bool { return e.has(queryCanceled) }

// IsStatementTimeout reports a statement that the server cancelled although the
// caller's context had not ended: statement_timeout or an operator, which the
// SQLSTATE does not tell apart.
func (e *Error) IsStatementTimeout() bool { return e.has(queryCanceled) && e.ended == nil }

// IsReadOnly reports a write in a read-only transaction or on a standby.
func (e *Error) IsReadOnly() bool { return e.has(readOnlyTransaction) }

// IsData reports a value the server could not use (class 22): out of range,
// division by zero, malformed text …
func (e *Error) IsData() bool { return e.class("22") }

// IsConnection reports that the connection could not be made or was lost: class
// 08, the server's shutdown codes, or a failure with no answer at all.
func (e *Error) IsConnection() bool {
	if e == nil {
		return false
	}
	if e.SQLState != "" {
		return e.class("08") || e.class("57P")
	}
	var connect *pgconn.ConnectError
	return errors.As(e.Err, &connect) || errors.Is(e.Err, pgconn.ErrConnClosed) || isNetwork(e.Err)
}
