package txn

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/internal/notice"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Outcome is what happens when the answer to COMMIT is lost. It is itself an
// [Option].
type Outcome uint8

// The kinds of outcome.
const (
	// Report, the default, reports a [*CommitUnknownError].
	Report Outcome = iota + 1
	// ResolveByXID asks the server, on another connection, what became of the
	// transaction, for as long as [Options].ResolveWithin says: then it counts as
	// committed or rolled back, with the hooks of that. What remains unknown is
	// reported. See [Server] for what can be believed.
	//
	// A transaction that may write gets its id, and that of the server, in the
	// round trip of BEGIN; this uses up a transaction id also where it writes
	// nothing in the end. For repeatable read and serializable, where asking
	// would take the snapshot, they are fetched before COMMIT, in a round trip of
	// its own. Read-only transactions, those on a standby, and those of a single
	// connection are not resolved.
	ResolveByXID
)

func (o Outcome) apply(to *Options) { to.Outcome = o }

// DefaultResolveWithin is how long the outcome of a lost COMMIT is asked for.
const DefaultResolveWithin = 5 * time.Second

// Server is what is compared to tell whether the server that answers knows about
// a transaction. Transaction ids are only unique in the history of one cluster:
// another system, and another timeline of the same one, may have given the id to
// somebody else, so their answer is never believed. Even the same server may
// have, after a crash, if nothing of the transaction had reached the disk. So
// from another incarnation only that it did not commit is believed.
type Server struct {
	// SystemID is the cluster's system identifier, the same on its standbys.
	SystemID uint64
	// Timeline is the history it writes; a promotion begins another.
	Timeline uint32
	// Incarnation changes whenever the server starts, and when it starts over
	// because one of its processes crashed: it is made of the time of its start
	// and the time its statistics were last reset, as recovery from a crash does
	// (StartupXLOG, xlog.c; pgstat_discard_stats, pgstat.c).
	Incarnation string
}

// xid is what the outcome of a transaction can be asked by; the id is 0 if it
// has none.
type xid struct {
	id     uint64
	server Server
	// waits is the synchronous_commit that the transaction was given; "" for that
	// of any session.
	waits string
}

// ErrNotReplicated is matched by a [*CommitUnknownError] if the transaction is
// committed, and visible, on the primary, but its synchronous standbys have not
// confirmed it: a failover may lose it.
var ErrNotReplicated = errors.New("committed on the primary, not confirmed by its synchronous standbys")

// Notices returns a handler, for [pgconn.Config].OnNotice, by which a
// transaction learns that the wait of its COMMIT for synchronous standbys was
// cancelled: it then counts as unknown, and matches [ErrNotReplicated]. It passes
// all notices on to next, which may be nil. Package pool installs it by itself;
// with another Beginner and synchronous standbys it is needed, since such a
// COMMIT answers as if nothing had happened. A client_min_messages that leaves out
// warnings hides it.
func Notices(next pgconn.NoticeHandler) pgconn.NoticeHandler { return notice.Watch(next) }

// serverColumns describe a primary; a standby gives no row with onPrimary. The
// timeline is that of the WAL being written, since the control file has it only
// after a checkpoint.
const (
	serverColumns = `s.system_identifier::text, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
	extract(epoch FROM pg_postmaster_start_time())::text || '/' || coalesce(extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text, '')`
	onPrimary = ` FROM pg_control_system() AS s WHERE NOT pg_is_in_recovery()`

	assignXID   = `SELECT pg_current_xact_id()::text, ` + serverColumns + onPrimary + ` AND current_setting('transaction_read_only') = 'off'`
	assignedXID = `SELECT coalesce(pg_current_xact_id_if_assigned()::text, '0'), ` + serverColumns + onPrimary

	describeServer = `SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') NOT IN ('off', 'local') THEN '1' ELSE '0' END, ` + serverColumns + onPrimary
	askStatus      = `SELECT coalesce(CASE WHEN NOT pg_is_in_recovery() THEN pg_xact_status($1::text::xid8) END, '')`
	// A commit that writes WAL waits for the same standbys as any other, so its
	// answer says that they have all that came before. (The message is of no
	// interest to anybody who does not ask for this prefix.)
	awaitStandbys = `SELECT pg_logical_emit_message(true, 'dbgen', '')`
)

// scanServer reads a number and serverColumns.
func scanServer(row pgx.Row) (n uint64, server Server, err error) {
	var number, system, timeline string
	if err := row.Scan(&number, &system, &timeline, &server.Incarnation); err != nil {
		return 0, Server{}, err
	}
	n, err = strconv.ParseUint(number, 10, 64)
	if err == nil {
		server.SystemID, err = strconv.ParseUint(system, 10, 64)
	}
	var line uint64
	if err == nil {
		line, err = strconv.ParseUint(timeline, 16, 32)
	}
	server.Timeline = uint32(line)
	return n, server, err
}

// scan reads an id and the server; that there is no row leaves them empty.
func (x *xid) scan(row pgx.Row) error {
	id, server, err := scanServer(row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	x.id, x.server = id, server
	return err
}

// resolvable reports whether the outcome of a transaction with these options is
// ever asked for.
func (o *Options) resolvable() bool { return o.Outcome == ResolveByXID && !o.ReadOnly }

// identify finds, before COMMIT, the id of a transaction that did not get it
// with BEGIN. It is for who has the turn.
func (tx *Tx) identify() error {
	if !tx.options.resolvable() || !tx.options.keepsSnapshot() || tx.inner.Conn().PgConn().TxStatus() != 'T' {
		return nil
	}
	n := tx.record(OpQuery, "", nil)
	err := tx.known.scan(tx.inner.QueryRow((*values)(tx), assignedXID))
	tx.recorded(n, 0, err)
	return tx.interrupted(runtime.NewError(tx.ctx, "COMMIT", err))
}

// resolve finds out what became of a COMMIT whose answer is lost; replicated is
// false if the server said that it did not wait for its standbys.
func (tx *Tx) resolve(lost error, replicated bool) (Status, error) {
	var already *CommitUnknownError
	if errors.As(lost, &already) {
		lost = already.Err
	}
	unknown := &CommitUnknownError{Err: lost, XID: tx.known.id, Server: tx.known.server}
	if !replicated && !errors.Is(lost, ErrNotReplicated) {
		unknown.Err = fmt.Errorf("%w: %w", ErrNotReplicated, lost)
	}
	if tx.known.id == 0 || !replicated || single(tx.m.db) != nil {
		return Unknown, unknown
	}
	within := tx.options.ResolveWithin
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.parent), within)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		answer := tx.known.ask(ctx, tx.m.db)
		switch answer.verdict {
		case committed:
			tx.m.stats.resolved.Add(1)
			return Committed, nil
		case rolledBackAfterAll:
			tx.m.stats.resolved.Add(1)
			return RolledBack, fmt.Errorf("%w: %w", ErrRolledBack, lost)
		case never:
			unknown.Err = fmt.Errorf("%w: %w", lost, answer.reason)
			return Unknown, unknown
		}
		select {
		case <-ctx.Done():
			unknown.Err = fmt.Errorf("%w: after %v %w", lost, within, answer.reason)
			return Unknown, unknown
		case <-time.After(pause):
		}
	}
}

// answer is what a server says of a transaction.
type answer struct {
	verdict verdict
	reason  error
}

type verdict uint8

const (
	later              verdict = iota // ask again
	never                             // it cannot be known
	committed                         // also on the standbys it has to be on
	rolledBackAfterAll                // for certain
)

var (
	errStandby    = errors.New("only a standby answers")
	errInProgress = errors.New("the transaction is still in progress")
	errRestarted  = errors.New("the server has started anew since, and may have given the id of the transaction to another")
	errForgotten  = errors.New("the server no longer knows a transaction this old")
)

// ask asks the server that db leads to once.
func (x *xid) ask(ctx context.Context, db Beginner) answer {
	batch := &pgx.Batch{} // one implicit transaction: on one server, behind a pooler too
	x.wait(batch)
	batch.Queue(describeServer)
	batch.Queue(askStatus, strconv.FormatUint(x.id, 10))
	results := db.SendBatch(ctx, batch)
	given, synchronous := x.read(results)
	if err := results.Close(); err != nil && given.verdict == committed {
		return answer{later, fmt.Errorf("no server answers: %w", err)}
	}
	if given.verdict == committed && synchronous {
		return x.awaitReplication(ctx, db)
	}
	return given
}

// wait makes the transaction of a batch wait for as many standbys as this one.
func (x *xid) wait(batch *pgx.Batch) {
	if x.waits != "" {
		batch.Queue("SELECT set_config('synchronous_commit', $1, true)", x.waits)
	}
}

// read reads what ask has asked; synchronous says that a commit has to wait for
// standbys.
func (x *xid) read(results pgx.BatchResults) (given answer, synchronous bool) {
	if x.waits != "" {
		_, _ = results.Exec() // what follows says if it failed
	}
	waits, server, err := scanServer(results.QueryRow())
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return answer{later, errStandby}, false
	case err != nil:
		return answer{later, fmt.Errorf("no server answers: %w", err)}, false
	case server.SystemID != x.server.SystemID:
		return answer{never, fmt.Errorf("another server answers (system identifier %d, not %d)", server.SystemID, x.server.SystemID)}, false
	case server.Timeline != x.server.Timeline:
		return answer{never, fmt.Errorf("a server was promoted since (timeline %d, not %d)", server.Timeline, x.server.Timeline)}, false
	}
	same := server == x.server
	var status string
	if err := results.QueryRow().Scan(&status); err != nil {
		// An id that the server has yet to give was lost with the crash
		// (TransactionIdInRecentPast, xid8funcs.c).
		if e := runtime.AsError(err); !same && e != nil && e.SQLState == "22023" {
			return answer{verdict: rolledBackAfterAll}, false
		}
		return answer{later, fmt.Errorf("no server answers: %w", err)}, false
	}
	switch {
	case status == "aborted":
		return answer{verdict: rolledBackAfterAll}, false
	case status == "in progress":
		return answer{later, errInProgress}, false
	case status == "":
		return answer{never, errForgotten}, false
	case !same:
		return answer{never, errRestarted}, false
	}
	return answer{verdict: committed}, waits != 0
}

// awaitReplication waits until the synchronous standbys have what the primary
// has committed.
func (x *xid) awaitReplication(ctx context.Context, db Beginner) answer {
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	x.wait(batch)
	batch.Queue(awaitStandbys)
	results := db.SendBatch(ctx, batch)
	tx := results.Tx()
	err := results.Close()
	if tx == nil {
		return answer{later, fmt.Errorf("%w: %w", ErrNotReplicated, err)}
	}
	doubt, before := notice.Of(tx.Conn().PgConn()), int64(0)
	if err == nil {
		before = doubt.Load()
		err = tx.Commit(ctx)
	} else {
		_ = tx.Rollback(ctx)
	}
	switch {
	case err != nil:
		return answer{later, fmt.Errorf("%w: %w", ErrNotReplicated, err)}
	case doubt.Load() != before || ctx.Err() != nil:
		return answer{later, ErrNotReplicated}
	}
	return answer{verdict: committed}
}
