package pool

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime/internal/rows"
)

// Conn is a connection held by the caller, from [Pool.Acquire] to Release. It is
// not safe for concurrent use. It is a runtime.DB.
type Conn struct {
	backend *backend
	conn    *pgxpool.Conn
	state   *connState
}

// Info describes a connection.
type Info struct {
	// ID numbers the pool's connections from 1, in the order they were made.
	ID uint64
	// PID is the server process behind it.
	PID uint32
	// Created is when the connection was made, LastUsed when it was last
	// acquired or released; Age is the time since Created.
	Created, LastUsed time.Time
	Age               time.Duration
	// Uses counts how often it was acquired.
	Uses int64
	// Active says that somebody holds it, since HeldSince; Idle that nobody
	// does.
	Active, Idle bool
	HeldSince    time.Time
	// Expired says that it is older than MaxLifetime and will be closed when
	// next idle.
	Expired bool
}

// connState is what the pool notes of a connection; it is read by others while
// the holder works.
type connState struct {
	id      uint64
	pid     uint32
	created time.Time
	used    atomic.Int64 // Unix nanoseconds
	held    atomic.Int64 // Unix nanoseconds, 0 if idle
	uses    atomic.Int64
}

// stateKey is where a connection's state lies in its custom data.
const stateKey = "github.com/dbgen/dbgen/runtime/pool"

func stateOf(conn *pgx.Conn) *connState {
	state, ok := conn.PgConn().CustomData()[stateKey].(*connState)
	if !ok { // the connection is not ours; it cannot be
		panic("pool: connection without state")
	}
	return state
}

func (b *backend) opened(conn *pgx.Conn) {
	now := time.Now()
	state := &connState{id: b.pool.lastID.Add(1), pid: conn.PgConn().PID(), created: now}
	state.used.Store(now.UnixNano())
	conn.PgConn().CustomData()[stateKey] = state
	b.mu.Lock()
	b.conns[state.id] = state
	b.mu.Unlock()
}

func (b *backend) gone(conn *pgx.Conn) {
	state := stateOf(conn)
	b.mu.Lock()
	delete(b.conns, state.id)
	b.mu.Unlock()
}

func (s *connState) acquired(now time.Time) {
	s.uses.Add(1)
	s.used.Store(now.UnixNano())
	s.held.Store(now.UnixNano())
}

func (s *connState) released() {
	s.used.Store(time.Now().UnixNano())
	s.held.Store(0)
}

func (s *connState) info(b *backend) Info {
	info := Info{
		ID: s.id, PID: s.pid, Created: s.created, LastUsed: time.Unix(0, s.used.Load()),
		Age: time.Since(s.created), Uses: s.uses.Load(),
	}
	if held := s.held.Load(); held != 0 {
		info.Active, info.HeldSince = true, time.Unix(0, held)
	}
	info.Idle = !info.Active
	info.Expired = b.config.MaxLifetime > 0 && info.Age > b.config.MaxLifetime
	return info
}

// Info returns what is known of the connection.
func (c *Conn) Info() Info { return c.state.info(c.backend) }

// Conn returns pgx's connection, for what is not here. It must not be used
// after Release.
func (c *Conn) Conn() *pgx.Conn { return c.conn.Conn() }

// Release gives the connection back. One that is in a transaction, in the middle
// of a result or broken is closed instead. Calls after the first do nothing.
func (c *Conn) Release() {
	if c.conn == nil {
		return
	}
	conn := c.conn
	c.conn = nil
	c.state.released()
	conn.Release()
}

// Query runs sql on this connection.
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return c.conn.Query(ctx, sql, args...)
}

// QueryRow runs sql on this connection for its first row.
func (c *Conn) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.conn.QueryRow(ctx, sql, args...)
}

// Exec runs sql on this connection.
func (c *Conn) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return c.conn.Exec(ctx, sql, args...)
}

// SendBatch sends b on this connection.
func (c *Conn) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return c.conn.SendBatch(ctx, b)
}

// CopyFrom copies rows into a table on this connection.
func (c *Conn) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	return c.conn.CopyFrom(ctx, table, columns, rows)
}

// BeginTx starts a transaction on this connection, which stays the caller's.
func (c *Conn) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	return c.conn.BeginTx(ctx, options)
}

// heldRows gives its connection back when closed.
type heldRows struct {
	rows.Rows
	conn Conn
}

// tx gives its connection back when it ends.
type tx struct {
	pgx.Tx
	conn *Conn
}

func (t *tx) Commit(ctx context.Context) error {
	defer t.conn.Release()
	return t.Tx.Commit(ctx)
}

func (t *tx) Rollback(ctx context.Context) error {
	defer t.conn.Release()
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
