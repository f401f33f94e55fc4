package txn

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dbgen/dbgen/runtime"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrExpired is returned by a transaction whose Timeout was up.
	ErrExpired = errors.New("transaction expired")
	// ErrRolledBack is returned by a commit that the server, or an earlier
	// failure, turned into a rollback. It matches pgx.ErrTxCommitRollback.
	ErrRolledBack error = rolledBack{}
	// ErrCommitUnknown is matched by every [*CommitUnknownError].
	ErrCommitUnknown = errors.New("outcome of commit is unknown")
	// ErrRetriesExhausted is matched by every [*RetriesExhaustedError].
	ErrRetriesExhausted = errors.New("transaction failed each time it was tried")
	// ErrBusy is returned by a statement while the rows of another one are
	// still open: a transaction does one thing at a time.
	ErrBusy = errors.New("transaction has a result that is still open")

	errPanicked         = errors.New("panic")
	errEndedByStatement = errors.New("a statement ended the transaction")
)

// inFailedTransaction is the SQLSTATE of what comes after a failed statement.
const inFailedTransaction = "25P02"

type rolledBack struct{}

func (rolledBack) Error() string        { return "transaction was rolled back instead of committed" }
func (rolledBack) Is(target error) bool { return target == pgx.ErrTxCommitRollback }

// CommitUnknownError says that COMMIT was sent and its answer never came, or
// that SQL text of the caller's own ended the transaction: it is either
// committed or not. It must not be repeated blindly.
type CommitUnknownError struct {
	// Err is what happened to the answer and, where it was asked for
	// ([ResolveByXID]), why the outcome could not be found out.
	Err error
	// XID is the transaction's id on Server, as pg_xact_status takes it; 0 if it is
	// not known.
	XID    uint64
	Server Server
}

func (e *CommitUnknownError) Error() string { return fmt.Sprintf("%v: %v", ErrCommitUnknown, e.Err) }

// Unwrap returns the reason.
func (e *CommitUnknownError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrCommitUnknown].
func (e *CommitUnknownError) Is(target error) bool { return target == ErrCommitUnknown }

// LogValue returns a group: message, and xid, system, timeline where they are
// known. Like that of a [runtime.Error] it shows no values of rows.
func (e *CommitUnknownError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("message", e.Error())}
	if e.XID != 0 {
		attrs = append(attrs, slog.Uint64("xid", e.XID), slog.Uint64("system", e.Server.SystemID), slog.Uint64("timeline", uint64(e.Server.Timeline)))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON encodes the same as LogValue says.
func (e *CommitUnknownError) MarshalJSON() ([]byte, error) { return encode(e.LogValue()) }

// encode makes a JSON object of a group.
func encode(group slog.Value) ([]byte, error) {
	object := map[string]any{}
	for _, attr := range group.Group() {
		object[attr.Key] = attr.Value.Any()
	}
	return json.Marshal(object)
}

// OutcomeUnknown keeps runtime.Retryable and runtime.SafeToRetry from advising
// to repeat it.
func (e *CommitUnknownError) OutcomeUnknown() bool { return true }

// RetriesExhaustedError says that a transaction was rolled back by the server, or
// could not be begun, each time it was tried. It wraps the last error.
type RetriesExhaustedError struct {
	Attempts int
	Last     error
}

func (e *RetriesExhaustedError) Error() string {
	return fmt.Sprintf("transaction failed %d times: %v", e.Attempts, e.Last)
}

// LogValue returns a group: message and attempts. Like that of a [runtime.Error]
// it shows no values of rows.
func (e *RetriesExhaustedError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("message", e.Error()), slog.Int("attempts", e.Attempts))
}

// MarshalJSON encodes the same as LogValue says.
func (e *RetriesExhaustedError) MarshalJSON() ([]byte, error) { return encode(e.LogValue()) }

// Is reports whether target is [ErrRetriesExhausted].
func (e *RetriesExhaustedError) Is(target error) bool { return target == ErrRetriesExhausted }

// Unwrap returns the last error.
func (e *RetriesExhaustedError) Unwrap() error { return e.Last }

// commitOutcome sorts the error of a COMMIT: nothing was sent, the server said
// no, or nobody knows. sent is false if the connection was closed before. (pgx's
// own SafeToRetry does not tell: a connection lost while an answer is read gives
// the same error as one found closed. Ours leaves that error out; what is left
// is a write of which not a byte went out.)
func commitOutcome(err error, sent bool) (Status, error) {
	if !sent || runtime.SafeToRetry(err) {
		return RolledBack, err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		severity := pg.SeverityUnlocalized
		if severity == "" {
			severity = pg.Severity
		}
		// An ERROR is a rollback (a deferred constraint, a serialization
		// failure). FATAL and PANIC end the session at a point we do not see,
		// 40003 says outright that the completion is unknown, and poolers report
		// a server lost on their side as an ERROR of class 08, 57P or 58.
		lost := pg.Code == "40003" || strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "58")
		if severity == "ERROR" && !lost {
			return RolledBack, err
		}
	}
	return Unknown, &CommitUnknownError{Err: err}
}
