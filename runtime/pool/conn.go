package pool

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/internal/rows"
)

// Conn is a connection held by the caller, from [Pool.Acquire] to Release, and a
// runtime.DB. It is for one goroutine at a time; only Release may be called by
// several at once.
type Conn struct {
	state *connState
	hold  uint64 // the number of the hold; another one is on once it is released
}

// Info describes a connection.
type Info struct {
	// ID numbers the pool's connections from 1, in the order they were made.
	ID uint64
	// PID is the server process behind it, Host the server, as host:port or the
	// path of a socket; Standby says that it is one of the pool's standbys.
	PID     uint32
	Host    string
	Standby bool
	// Created is when the connection was made, LastUsed when it was last
	// acquired or released; Age is the time since Created.
	Created, LastUsed time.Time
	Age               time.Duration
	// Uses counts how often it was acquired.
	Uses int64
	// Active says that somebody holds it, since HeldSince, for the time Held;
	// Idle that nobody does.
	Active, Idle bool
	HeldSince    time.Time
	Held         time.Duration
	// Query is the name of the query it runs, or ran last, as far as that has
	// one: generated SQL begins with it.
	Query string
	// Place is where it was acquired, for the last time, as "file:line function":
	// the first function outside of dbgen's runtime. It is noted where
	// [Config].LeakAfter is set.
	Place string
	// Expired says that it has reached its lifetime, MaxLifetime less a random
	// part, and will be closed when next idle.
	Expired bool
}

// connState is a connection of a backend and what is noted of it; it is read by
// others while the holder works.
type connState struct {
	backend *backend
	conn    *pgx.Conn
	parked  *pgxpool.Conn // to be released for its end
	id      uint64
	pid     uint32
	host    string
	created time.Time
	end     time.Time // of its life; zero for never

	hold    atomic.Uint64           // the hold that is on, 0 if nobody holds it
	refused atomic.Bool             // a write was refused that should not have been
	role    role                    // belongs to who holds it
	session atomic.Pointer[Session] // whom the holder writes for, nil for none

	// Guarded by the backend's lock.
	uses     uint64
	used     time.Time
	held     time.Time // zero if idle
	reported bool      // as a leak

	noted   sync.Mutex // guards what follows
	query   string
	callers []uintptr
}

// stateKey is where a connection's state lies in its custom data.
const stateKey = "github.com/dbgen/dbgen/runtime/pool"

// newConnState is the state of a connection that was just made.
func (b *backend) newConnState(parked *pgxpool.Conn) *connState {
	conn, now := parked.Conn(), time.Now()
	s := &connState{
		backend: b, conn: conn, parked: parked, id: b.pool.lastID.Add(1), pid: conn.PgConn().PID(),
		host: addressOf(conn.PgConn()), created: now, used: now, role: roleOf(conn.PgConn()),
	}
	if b.config.MaxLifetime > 0 {
		s.end = now.Add(b.config.MaxLifetime - rand.N(b.jitter+1))
	}
	conn.PgConn().CustomData()[stateKey] = s
	return s
}

// addressOf is where a connection leads.
func addressOf(conn *pgconn.PgConn) string {
	if address := conn.Conn().RemoteAddr(); address != nil {
		return address.String()
	}
	return "" // a dialler of the user's own need not tell
}

func (s *connState) expired(now time.Time) bool { return !s.end.IsZero() && now.After(s.end) }

// note notes the name of the query that is run.
func (s *connState) note(query string) {
	s.noted.Lock()
	s.query = query
	s.noted.Unlock()
}

// queryName is the name in the first line of generated SQL, "" if there is none.
func queryName(sql string) string {
	rest, ok := strings.CutPrefix(sql, "-- name: ")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, " \t\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// batchName is the name of the first statement that has one.
func batchName(b *pgx.Batch) string {
	for _, q := range b.QueuedQueries {
		if name := queryName(q.SQL); name != "" {
			return name
		}
	}
	return ""
}

// info describes s, but for the place, which callers tell; the backend's lock is
// held.
func (s *connState) info(now time.Time) (i Info, callers []uintptr) {
	info := Info{
		ID: s.id, PID: s.pid, Host: s.host, Standby: s.backend.standby, Created: s.created, LastUsed: s.used,
		Age: now.Sub(s.created), Uses: int64(s.uses), Active: !s.held.IsZero(), Idle: s.held.IsZero(), Expired: s.expired(now),
	}
	if info.Active {
		info.HeldSince, info.Held = s.held, now.Sub(s.held)
	}
	s.noted.Lock()
	info.Query, callers = s.query, s.callers
	s.noted.Unlock()
	return info, callers
}

// Info returns what is known of the connection.
func (c *Conn) Info() Info {
	if c.state == nil {
		return Info{}
	}
	b := c.state.backend
	b.mu.Lock()
	info, callers := c.state.info(time.Now())
	b.mu.Unlock()
	info.Place = place(callers)
	return info
}

// Conn returns pgx's connection, for what is not here; nil after Release. It
// must not be used after Release. Of what is written with it no [Session] knows.
func (c *Conn) Conn() *pgx.Conn {
	conn, _ := c.held()
	return conn
}

// held returns the connection if it is the caller's yet.
func (c *Conn) held() (*pgx.Conn, error) {
	if c.state == nil || c.hold == 0 || c.state.hold.Load() != c.hold {
		return nil, ErrReleased
	}
	return c.state.conn, nil
}

// Release gives the connection back. One that is in a transaction, in the middle
// of a result or broken is closed instead. Calls after the first do nothing.
//
// What was set for the session stays, for those who get the connection next: SET,
// LISTEN, temporary tables, advisory locks. Undo it, or Close the connection of
// pgx's before Release; an AfterRelease of pgxpool's (Configure) can do it for all.
func (c *Conn) Release() {
	if s := c.state; s != nil && s.hold.CompareAndSwap(c.hold, 0) {
		s.settle()
		s.backend.release(s)
	}
}

// RunQuery runs q on this connection.
func (c *Conn) RunQuery(ctx context.Context, q runtime.Query, args []any) (pgx.Rows, error) {
	if !q.ReadOnly {
		c.writes(ctx)
	}
	conn, err := c.named(q.Name)
	if err != nil {
		return rows.Failed{Error: err}, err
	}
	return conn.Query(ctx, q.SQL, args...)
}

// RunExec runs q on this connection.
func (c *Conn) RunExec(ctx context.Context, q runtime.Query, args []any) (pgconn.CommandTag, error) {
	c.writes(ctx)
	conn, err := c.named(q.Name)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return conn.Exec(ctx, q.SQL, args...)
}

// named is held for a query of that name.
func (c *Conn) named(query string) (*pgx.Conn, error) {
	conn, err := c.held()
	if err == nil {
		c.state.note(query)
	}
	return conn, err
}

// Query runs sql on this connection.
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.writes(ctx)
	conn, err := c.named(queryName(sql))
	if err != nil {
		return rows.Failed{Error: err}, err
	}
	return conn.Query(ctx, sql, args...)
}

// QueryRow runs sql on this connection for its first row.
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	r, _ := c.Query(ctx, sql, args...)
	return rows.Row{Rows: r}
}

// Exec runs sql on this connection.
func (c *Conn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	c.writes(ctx)
	conn, err := c.named(queryName(sql))
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return conn.Exec(ctx, sql, args...)
}

// SendBatch sends b on this connection.
func (c *Conn) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	c.writes(ctx)
	conn, err := c.named(batchName(b))
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return conn.SendBatch(ctx, b)
}

// CopyFrom copies rows into a table on this connection.
func (c *Conn) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	c.writes(ctx)
	conn, err := c.named(strings.Join(table, "."))
	if err != nil {
		return 0, err
	}
	guarded := &rows.Source{Rows: source}
	n, err := conn.CopyFrom(ctx, table, columns, guarded)
	return n, guarded.Finish(err)
}

// BeginTx starts a transaction on this connection, which stays the caller's.
func (c *Conn) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	if options.AccessMode != pgx.ReadOnly {
		c.writes(ctx)
	}
	conn, err := c.held()
	if err != nil {
		return nil, err
	}
	return conn.BeginTx(ctx, options)
}

// heldRows gives its connection back when closed.
type heldRows struct {
	rows.Rows
	conn Conn
}

// heldRow is the first row of heldRows.
type heldRow struct{ heldRows }

// Scan reads the columns of the row. The error is pgx.ErrNoRows if there is none.
func (r *heldRow) Scan(dest ...any) error { return rows.Row{Rows: &r.heldRows}.Scan(dest...) }

// failedRow is the row of a query that was not sent or failed at once.
type failedRow struct{ error }

func (r failedRow) Scan(...any) error { return r.error }

// tx gives its connection back when it ends.
type tx struct {
	pgx.Tx
	conn *Conn
}

func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	t.conn.noteIfHeld(sql)
	return t.Tx.Query(ctx, sql, args...)
}

func (t *tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	t.conn.noteIfHeld(sql)
	return t.Tx.QueryRow(ctx, sql, args...)
}

func (t *tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	t.conn.noteIfHeld(sql)
	return t.Tx.Exec(ctx, sql, args...)
}

// noteIfHeld notes the name of the query, whatever the caller does wrong.
func (c *Conn) noteIfHeld(sql string) { _, _ = c.named(queryName(sql)) }

func (t *tx) Commit(ctx context.Context) error {
	defer t.conn.Release()
	return t.Tx.Commit(ctx)
}

// rollbackTimeout bounds a ROLLBACK whose own context has ended before.
const rollbackTimeout = time.Second

// Rollback ends the transaction also where ctx has ended, as it has when it ended
// the last statement: pgx would close the connection.
func (t *tx) Rollback(ctx context.Context) error {
	defer t.conn.Release()
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
	}
	return t.Tx.Rollback(ctx)
}

// batchResults gives its connection back when closed, unless tx keeps it.
type batchResults struct {
	pgx.BatchResults
	conn *Conn
	tx   *tx
}

func (b *batchResults) Close() error {
	if b.conn != nil {
		defer b.conn.Release() // also when a function of the batch panics
	}
	return b.BatchResults.Close()
}

func (b *batchResults) Tx() pgx.Tx {
	if b.tx == nil {
		return nil
	}
	return b.tx
}
