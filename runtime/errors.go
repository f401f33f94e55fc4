package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Error is an error of a query. It wraps what pgx returned, which
// errors.As finds as *pgconn.PgError if the server sent it.
//
// What it prints, logs (as a slog.LogValuer) and encodes in JSON holds the
// query's name and the server's message, not the message's detail, hint and
// context, which carry values of the rows, nor an argument that could not be
// encoded. The former are had by [Error.Detail], [Error.Hint] and [Error.Where],
// for who knows where they go.
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
	if e.Query == "" {
		return e.message()
	}
	return e.Query + ": " + e.message()
}

func (e *Error) message() string {
	text := withoutArgument(e.Err)
	if e.ended != nil {
		return e.ended.Error() + ": " + text
	}
	return text
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
	protocolViolation    = "08P01"
)

// server returns the server's error, nil if there is none.
func (e *Error) server() *pgconn.PgError {
	var pg *pgconn.PgError
	if e == nil || !errors.As(e.Err, &pg) {
		return nil
	}
	return pg
}

// Detail returns the server's detail, which often quotes the values of a row;
// "" if there is none.
func (e *Error) Detail() string {
	if pg := e.server(); pg != nil {
		return pg.Detail
	}
	return ""
}

// Hint returns the server's hint; "" if there is none.
func (e *Error) Hint() string {
	if pg := e.server(); pg != nil {
		return pg.Hint
	}
	return ""
}

// Where returns the context of the server's error: functions it came through,
// the line and value of a COPY; "" if there is none.
func (e *Error) Where() string {
	if pg := e.server(); pg != nil {
		return pg.Where
	}
	return ""
}

// fields are what is shown of an error, by name, without those that are empty.
func (e *Error) fields() [][2]string {
	all := [...][2]string{
		{"query", e.Query},
		{"message", e.message()},
		{"sqlstate", e.SQLState},
		{"schema", e.Schema},
		{"table", e.Table},
		{"column", e.Column},
		{"constraint", e.Constraint},
	}
	shown := make([][2]string, 0, len(all))
	for _, field := range all {
		if field[1] != "" {
			shown = append(shown, field)
		}
	}
	return shown
}

// LogValue returns a group: query, message, sqlstate and what the error is
// about.
func (e *Error) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	var attrs []slog.Attr
	for _, field := range e.fields() {
		attrs = append(attrs, slog.String(field[0], field[1]))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON encodes the same as [Error.LogValue] says.
func (e *Error) MarshalJSON() ([]byte, error) {
	object := map[string]string{}
	for _, field := range e.fields() {
		object[field[0]] = field[1]
	}
	return json.Marshal(object)
}

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
// SQLSTATE does not tell apart. (A COPY whose rows ended with an error has the
// same SQLSTATE, and is not meant.)
func (e *Error) IsStatementTimeout() bool {
	return e.has(queryCanceled) && e.ended == nil && !abandonedCopy(e.server())
}

// abandonedCopy reports whether the server says that the client gave up a COPY
// (CopyGetData, copyfromparse.c).
func abandonedCopy(pg *pgconn.PgError) bool { return pg != nil && pg.Routine == "CopyGetData" }

// IsReadOnly reports a write in a read-only transaction or on a standby.
func (e *Error) IsReadOnly() bool { return e.has(readOnlyTransaction) }

// IsData reports a value the server could not use (class 22): out of range,
// division by zero, malformed text …
func (e *Error) IsData() bool { return e.class("22") }

// IsConnection reports that the connection could not be made, for whatever
// reason, or was lost: an error that ended the session (class 08, a shutdown, a
// session's time-out), or a failure with no answer at all.
func (e *Error) IsConnection() bool { return e != nil && isConnection(e.Err) }

func isConnection(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// PgBouncer gives 08P01, which servers have for a malformed message, to all
		// that it ends a session with.
		return endsSession(pg) || strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") && pg.Code != protocolViolation
	}
	return errors.Is(err, pgconn.ErrConnClosed) || isNetwork(err)
}

// endsSession reports that the server closed the connection after this error.
func endsSession(pg *pgconn.PgError) bool {
	severity := pg.SeverityUnlocalized
	if severity == "" { // a pooler's
		severity = pg.Severity
	}
	return severity == "FATAL" || severity == "PANIC"
}
