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

// serverTimeouts bounds the transaction on the server, in $1 milliseconds,
// where nothing stricter is set. PostgreSQL 17 has a setting for it; before
// that a transaction is bounded by its statements and its pauses.
const serverTimeouts = `SELECT set_config(name, $1, true)
FROM unnest(CASE WHEN current_setting('server_version_num')::int >= 170000
	THEN ARRAY['transaction_timeout']
	ELSE ARRAY['statement_timeout', 'idle_in_transaction_session_timeout'] END) AS name
WHERE current_setting(name)::interval = '0' OR current_setting(name)::interval > ($1 || 'ms')::interval`

func (m *Manager) begin(ctx context.Context, o Options, attempt int) (*Tx, error) {
	if conn, ok := m.db.(interface{ PgConn() *pgconn.PgConn }); ok && conn.PgConn().TxStatus() != 'I' {
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

// start sends BEGIN and the server's time-outs in one round trip.
func (tx *Tx) start() error {
	var err error
	if tx.options.Timeout <= 0 {
		tx.inner, err = tx.m.db.BeginTx(tx.ctx, tx.options.pgx())
	} else {
		batch := &pgx.Batch{}
		batch.BeginTx(tx.options.pgx())
		limit := (tx.options.Timeout + serverGrace).Milliseconds()
		batch.Queue(serverTimeouts, strconv.FormatInt(limit, 10))
		results := tx.m.db.SendBatch(tx.ctx, batch)
		tx.inner = results.Tx()
		if err = results.Close(); err != nil {
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
