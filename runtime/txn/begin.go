package txn

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// serverGrace is how much later than the client the server ends a transaction,
// so that it does only where the client is gone.
const serverGrace = time.Second

func (m *Manager) begin(ctx context.Context, o Options, attempt int) (*Tx, error) {
	if conn := single(m.db); conn != nil && !conn.IsClosed() && conn.TxStatus() != 'I' {
		return nil, fmt.Errorf("begin: %w: the connection is in a transaction already", ErrIncompatibleOptions)
	}
	if ctx.Err() != nil {
		return nil, runtime.NewError(ctx, "BEGIN", context.Cause(ctx))
	}
	tx := &Tx{m: m, id: m.lastID.Add(1), options: o, attempt: attempt, began: time.Now(), parent: ctx}
	tx.state.Store(int32(beginning))
	var limit time.Time
	if o.Timeout > 0 {
		limit = tx.began.Add(o.Timeout)
	}
	tx.deadline = limit
	if own, ok := ctx.Deadline(); ok && (limit.IsZero() || own.Before(limit)) {
		tx.deadline = own
	}
	tx.observeBegin()
	tx.ctx, tx.cancel = context.WithCancelCause((*values)(tx))
	if err := m.add(tx, limit); err != nil {
		tx.cancel(err)
		tx.observeEnd(RolledBack, err)
		return nil, err
	}
	if tx.parent.Done() != nil {
		tx.unwatch = context.AfterFunc(tx.parent, tx.parentEnded)
	}
	err := tx.start()
	if err == nil {
		if err = m.list(tx); err == nil {
			tx.endIfOver() // the end may have come before the transaction was listed
			return tx, nil
		}
		tx.sendRollback()
	} else {
		if cause := context.Cause(tx.ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		err = runtime.NewError(ctx, "BEGIN", err)
	}
	if tx.unwatch != nil {
		tx.unwatch()
	}
	tx.cancel(err)
	m.remove(tx)
	tx.observeEnd(RolledBack, err)
	return nil, err
}

// parentEnded is called when the caller's context ends.
func (tx *Tx) parentEnded() {
	if tx.status() == beginning {
		tx.cancel(context.Cause(tx.parent))
		return
	}
	tx.endIfOver()
}

// single returns the connection a Beginner is (*pgx.Conn) or holds (*pool.Conn,
// *pgxpool.Conn); nil for a pool.
func single(db Beginner) *pgconn.PgConn {
	switch conn := db.(type) {
	case interface{ PgConn() *pgconn.PgConn }:
		return conn.PgConn()
	case interface{ Conn() *pgx.Conn }:
		return conn.Conn().PgConn()
	}
	return nil
}

// start sends BEGIN, and all that is to be in force, in one round trip.
func (tx *Tx) start() error {
	o := &tx.options
	var err error
	if len(o.Settings) == 0 && !o.keepsSnapshot() && !o.resolvable() {
		err = tx.startPlain()
	} else {
		err = tx.startBatch()
	}
	if err != nil {
		return err
	}
	tx.pid = tx.inner.Conn().PgConn().PID()
	tx.used = time.Now()
	return nil
}

// startPlain sends what needs neither parameters nor answers as one text, which
// costs a fraction of a batch.
func (tx *Tx) startPlain() (err error) {
	if tx.inner, err = tx.m.db.BeginTx(tx.ctx, tx.m.beginText(&tx.options)); err == nil {
		return nil
	}
	// A pool drops a connection on which only BEGIN succeeded.
	if conn := single(tx.m.db); conn != nil && !conn.IsClosed() && conn.TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout((*values)(tx), endTimeout)
		defer cancel()
		if undo := conn.Exec(ctx, "rollback").Close(); undo != nil {
			return errors.Join(err, undo)
		}
	}
	return err
}

// beginText is what startPlain sends. The last one is kept, since most
// transactions of a manager begin alike.
func (m *Manager) beginText(o *Options) pgx.TxOptions {
	plain := o.pgx()
	if o.Timeout <= 0 && o.LockTimeout <= 0 {
		return plain
	}
	if last := m.lastBegin.Load(); last != nil && last.plain == plain && last.timeout == o.Timeout && last.lockTimeout == o.LockTimeout {
		return pgx.TxOptions{BeginQuery: last.sql}
	}
	var sql strings.Builder
	sql.WriteString("begin")
	for _, mode := range [...]string{isolationLevel(plain.IsoLevel), string(plain.AccessMode)} {
		if mode != "" {
			sql.WriteString(" " + mode)
		}
	}
	if o.LockTimeout > 0 {
		sql.WriteString("; " + setLockTimeout(o.LockTimeout))
	}
	if o.Timeout > 0 {
		sql.WriteString("; " + serverTimeouts(milliseconds(o.serverLimit())))
	}
	m.lastBegin.Store(&begin{plain, o.Timeout, o.LockTimeout, sql.String()})
	return pgx.TxOptions{BeginQuery: sql.String()}
}

// begin is the text that begins transactions with some options.
type begin struct {
	plain                pgx.TxOptions
	timeout, lockTimeout time.Duration
	sql                  string
}

func isolationLevel(level pgx.TxIsoLevel) string {
	if level == "" {
		return ""
	}
	return "isolation level " + string(level)
}

func (tx *Tx) startBatch() error {
	o := &tx.options
	batch := &pgx.Batch{}
	batch.BeginTx(o.pgx())
	if o.resolvable() && !o.keepsSnapshot() {
		batch.Queue(assignXID).QueryRow(tx.known.scan)
	}
	queueSettings(batch, o.Settings, o.keepsSnapshot())
	if o.LockTimeout > 0 {
		batch.Queue(setLockTimeout(o.LockTimeout))
	}
	var before [len(timeoutSettings)]string
	switch {
	case o.Timeout <= 0:
	case o.keepsSnapshot():
		queueTimeouts(batch, o.serverLimit(), &before)
	default:
		batch.Queue(serverTimeouts(milliseconds(o.serverLimit())))
	}
	results := tx.m.db.SendBatch(tx.ctx, batch)
	tx.inner = results.Tx()
	err := results.Close()
	if err == nil {
		err = restoreStricter(tx.ctx, tx.inner, o.serverLimit(), before)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout((*values)(tx), endTimeout)
		defer cancel()
		_ = tx.inner.Rollback(ctx) // there may be nothing to roll back
	}
	return err
}

// serverLimit is when the server ends the transaction.
func (o *Options) serverLimit() time.Duration { return min(o.Timeout, longestTimeout) + serverGrace }

func setLockTimeout(d time.Duration) string { return "SET LOCAL lock_timeout = " + milliseconds(d) }

// milliseconds is d as the server's time-outs take it; at least 1, since 0 is
// none.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, min(d, longestTimeout+serverGrace).Milliseconds()), 10)
}
