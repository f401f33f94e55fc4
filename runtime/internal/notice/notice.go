// Package notice notes on a connection that the server sent a warning which
// changes what a successful COMMIT means. runtime/pool listens, runtime/txn asks.
package notice

import (
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
)

// key is where the count lies in a connection's custom data.
const key = "github.com/dbgen/dbgen/runtime/internal/notice"

// syncRepWait is the function of the server (syncrep.c) that warns when the wait
// for synchronous standbys is cancelled, by a cancel request or the end of the
// session: the transaction is committed, yet perhaps on the primary alone. It is
// the only thing that function tells a client, and unlike the text it is the
// same in every language.
const syncRepWait = "SyncRepWaitForLSN"

// Watch returns a handler that counts these warnings and passes all notices on
// to next, which may be nil.
func Watch(next pgconn.NoticeHandler) pgconn.NoticeHandler {
	return func(conn *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.Routine == syncRepWait {
			Of(conn).Add(1)
		}
		if next != nil {
			next(conn, notice)
		}
	}
}

// Of returns the count of warnings of a connection, for who holds it. The count
// may still be read when somebody else does.
func Of(conn *pgconn.PgConn) *atomic.Int64 {
	if count, ok := conn.CustomData()[key].(*atomic.Int64); ok {
		return count
	}
	count := new(atomic.Int64)
	conn.CustomData()[key] = count
	return count
}
