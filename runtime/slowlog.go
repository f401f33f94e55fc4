package runtime

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// SlowLog returns an observer that logs what takes at least threshold: queries,
// batches and COPYs, waits for a connection, connects and transactions, each as
// a warning with its name, duration, rows, host and pid. Whatever their duration
// it logs leaks and connections that cannot be made (as warnings), repeated
// transactions and reads sent to the primary instead (as information), and why a
// connection was closed (for debugging). A threshold of 0 logs everything, a
// negative one only the latter.
//
// It never logs arguments, SQL text or the text of an error, which may quote a
// value: of an error it gives the SQLSTATE, or what happened in a word. A
// statement without a name is "unnamed".
func SlowLog(logger *slog.Logger, threshold time.Duration) Observer {
	return &slowLog{logger, threshold}
}

type slowLog struct {
	logger    *slog.Logger
	threshold time.Duration
}

func (l *slowLog) Begin(ctx context.Context, _ Event) context.Context { return ctx }

func (l *slowLog) End(ctx context.Context, e Event) {
	level, message, ok := l.judge(e)
	if !ok || !l.logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	switch {
	case e.Name != "":
		attrs = append(attrs, slog.String("name", e.Name))
	case e.Kind == EventQuery || e.Kind == EventBatch || e.Kind == EventTransaction:
		attrs = append(attrs, slog.String("name", "unnamed"))
	}
	if e.Note != "" {
		attrs = append(attrs, slog.String(noteName(e.Kind), e.Note))
	}
	if e.Dur > 0 {
		attrs = append(attrs, slog.Duration("duration", e.Dur))
	}
	switch e.Kind {
	case EventBatch:
		attrs = append(attrs, slog.Int64("statements", e.Rows))
	case EventQuery, EventCopy:
		attrs = append(attrs, slog.Int64("rows", e.Rows))
	}
	if e.Tx != 0 {
		attrs = append(attrs, slog.Uint64("tx", e.Tx))
	}
	if e.Attempt > 1 {
		attrs = append(attrs, slog.Int("attempt", e.Attempt))
	}
	if e.Host != "" {
		attrs = append(attrs, slog.String("host", e.Host))
	}
	if e.PID != 0 {
		attrs = append(attrs, slog.Uint64("pid", uint64(e.PID)))
	}
	if e.Standby {
		attrs = append(attrs, slog.Bool("standby", true))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", errorClass(e.Err)))
	}
	l.logger.LogAttrs(ctx, level, message, attrs...)
}

func (l *slowLog) judge(e Event) (slog.Level, string, bool) {
	slow := l.threshold >= 0 && e.Dur >= l.threshold
	switch e.Kind {
	case EventQuery, EventBatch, EventCopy, EventAcquire, EventTransaction:
		return slog.LevelWarn, slowNames[e.Kind], slow
	case EventConnect:
		if e.Err != nil {
			return slog.LevelWarn, "connection failed", true
		}
		return slog.LevelWarn, slowNames[e.Kind], slow
	case EventLeak:
		return slog.LevelWarn, "connection held for long", true
	case EventRetry:
		return slog.LevelInfo, "transaction repeated", true
	case EventFallback:
		return slog.LevelInfo, "read sent to the primary", true
	case EventClose:
		return slog.LevelDebug, "connection closed", true
	}
	return 0, "", false
}

// slowNames are the messages for what was slow.
var slowNames = [...]string{
	EventQuery: "slow query", EventBatch: "slow batch", EventCopy: "slow copy", EventConnect: "slow connect",
	EventAcquire: "slow acquire", EventTransaction: "slow transaction",
}

// noteName is what an event's note is.
func noteName(kind EventKind) string {
	switch kind {
	case EventQuery:
		return "command"
	case EventTransaction:
		return "status"
	case EventLeak:
		return "holder"
	case EventClose, EventRetry, EventFallback:
		return "reason"
	}
	return "note"
}

// errorClass tells an error without its text: the SQLSTATE, or one word.
func errorClass(err error) string {
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		return pg.Code
	case unknownOutcome(err):
		return "unknown outcome"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case isConnection(err):
		return "connection"
	case SafeToRetry(err): // none of a pool's connections came free
		return "not sent"
	}
	return "client"
}
