package txn

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// serverGrace is how much later than the client the server ends a transaction,
// so that it does only where the client is gone.
const serverGrace = time.Second

// endTimeout bounds a ROLLBACK.
const endTimeout = 5 * time.Second

// pingAfter is the pause before a COMMIT after which the connection is tried
// first.
const pingAfter = time.Second

func (m *Manager) begin(ctx context.Context, o Options, attempt int) (*Tx, error) {
	if conn := single(m.db); conn != nil && !conn.IsClosed() && conn.TxStatus() != 'I' {
		return nil, fmt.Errorf("begin: %w: the connection is in a transaction already", ErrIncompatibleOptions)
	}
	tx := &Tx{
		m: m, id: m.lastID.Add(1), options: o, attempt: attempt,
		turn: make(chan struct{}, 1), done: make(chan struct{}),
	}
	tx.began = time.Now()
	if o.Timeout > 0 {
		tx.deadline = tx.began.Add(o.Timeout)
	}
	if own, ok := ctx.Deadline(); ok && (tx.deadline.IsZero() || own.Before(tx.deadline)) {
		tx.deadline = own
	}
	// The context carries the transaction, so that Run within Run joins it.
	base, cancel := context.WithCancelCause(context.WithValue(ctx, txKey{m}, tx))
	tx.cancel = cancel
	tx.ctx = base
	if o.Timeout > 0 {
		var release context.CancelFunc
		tx.ctx, release = context.WithDeadlineCause(base, tx.began.Add(o.Timeout), ErrExpired)
		tx.cancel = func(cause error) { cancel(cause); release() }
	}
	if err := m.open(); err != nil {
		tx.cancel(err)
		return nil, err
	}
	if err := tx.start(); err != nil {
		if cause := context.Cause(tx.ctx); errors.Is(cause, ErrExpired) && !errors.Is(err, ErrExpired) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		tx.cancel(err)
		return nil, runtime.NewError(ctx, "BEGIN", err)
	}
	tx.used = time.Now()
	tx.turn <- struct{}{}
	tx.stop = context.AfterFunc(tx.ctx, tx.endIfOver)
	if err := m.add(tx); err != nil {
		tx.stop()
		tx.cancel(err)
		tx.sendRollback()
		return nil, err
	}
	tx.endIfOver() // the watch may have come before the transaction was listed
	return tx, nil
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

// start sends BEGIN, the settings and the time-outs in one round trip.
func (tx *Tx) start() error {
	var err error
	o := &tx.options
	if o.Timeout <= 0 && o.LockTimeout <= 0 && len(o.Settings) == 0 {
		tx.inner, err = tx.m.db.BeginTx(tx.ctx, o.pgx())
	} else {
		batch := &pgx.Batch{}
		batch.BeginTx(o.pgx())
		snapshot := strength(o.Isolation) > strength(pgx.ReadCommitted)
		queueSettings(batch, o.Settings, snapshot)
		if o.LockTimeout > 0 {
			batch.Queue("SET LOCAL lock_timeout = " + milliseconds(o.LockTimeout))
		}
		limit := min(o.Timeout, longestTimeout) + serverGrace
		var before [len(timeoutSettings)]string
		switch {
		case o.Timeout <= 0:
		case snapshot:
			queueTimeouts(batch, limit, &before)
		default:
			batch.Queue(serverTimeouts, milliseconds(limit))
		}
		results := tx.m.db.SendBatch(tx.ctx, batch)
		tx.inner = results.Tx()
		if err = results.Close(); err == nil {
			err = restoreStricter(tx.ctx, tx.inner, limit, before)
		}
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), endTimeout)
			defer cancel()
			_ = tx.inner.Rollback(ctx) // there may be nothing to roll back
		}
	}
	if err != nil {
		return err
	}
	tx.pid = tx.inner.Conn().PgConn().PID()
	return nil
}

// milliseconds is d as the server's time-outs take it; at least 1, since 0 is
// none.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, min(d, longestTimeout+serverGrace).Milliseconds()), 10)
}
