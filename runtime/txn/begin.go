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

func (m *Manager) begin(ctx context.Context, o Options, attempt int, run bool) (*Tx, error) {
	if conn := single(m.db); conn != nil && !conn.IsClosed() && conn.TxStatus() != 'I' {
		return nil, fmt.Errorf("begin: %w: the connection is in a transaction already", ErrIncompatibleOptions)
	}
	if ctx.Err() != nil {
		return nil, runtime.NewError(ctx, "BEGIN", context.Cause(ctx))
	}
	tx := &Tx{m: m, id: m.lastID.Add(1), options: o, attempt: attempt, run: run, began: time.Now(), parent: ctx}
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
	tx.endIfOverOn(true)
}

// single returns the connection a Beginner is (*pgx.Conn) or holds (*pool.Conn,
// *pgxpool.Conn); nil for a pool.
func single(db Beginner) *pgconn.PgConn {
	switch conn := db.(type) {
	case interface{ PgConn() *pgconn.PgConn }:
		return conn.PgConn()
	case interface{ Conn() *pgx.Conn }:
		if c := conn.Conn(); c != nil { // nil where it was released, as BeginTx will say
			return c.PgConn()
		}
	}
	return nil
}

// start sends BEGIN, and all that is to be in force, in one round trip.
func (tx *Tx) start() error {
	o := &tx.options
	var err error
	if o.resolvable() {
		tx.known.waits, _ = lookup(o.Settings, "synchronous_commit")
	}
	if len(o.Settings) == 0 && !o.keepsSnapshot() && !o.resolvable() {
		err = tx.startPlain()
	} else {
		err = tx.startBatch()
	}
	if err != nil {
		return err
	}
	conn := tx.inner.Conn().PgConn()
	tx.pid = conn.PID()
	if tx.m.major.Load() == 0 {
		tx.m.major.Store(int32(majorVersion(conn.ParameterStatus("server_version"))))
	}
	tx.used = time.Now()
	return nil
}

// startPlain sends what needs neither parameters nor answers as one text, which
// costs a fraction of a batch.
func (tx *Tx) startPlain() (err error) {
	o := &tx.options
	options := o.pgx()
	if o.Timeout > 0 || o.LockTimeout > 0 {
		options = pgx.TxOptions{BeginQuery: tx.m.text(o)}
	}
	if tx.inner, err = tx.m.db.BeginTx(tx.ctx, options); err == nil {
		return nil
	}
	// A pool drops a connection on which only BEGIN succeeded.
	if conn := single(tx.m.db); conn != nil && !conn.IsClosed() && conn.TxStatus() != 'I' {
		ctx, cancel := tx.ending()
		defer cancel()
		if undo := conn.Exec(ctx, "rollback").Close(); undo != nil {
			return errors.Join(err, undo)
		}
	}
	return err
}

// text is what begins a transaction: where there are no settings, BEGIN and all
// else; where there are, the one statement that follows BEGIN. It is kept, since
// most transactions of a manager begin alike.
func (m *Manager) text(o *Options) string {
	key := beginKey{o.pgx(), len(o.Settings), o.Timeout, o.LockTimeout, int(m.major.Load())}
	m.textsMu.Lock()
	sql, known := m.texts[key]
	m.textsMu.Unlock()
	if known {
		return sql
	}
	if n := len(o.Settings); n > 0 {
		var more []string
		if o.LockTimeout > 0 {
			more = append(more, "set_config('lock_timeout', '"+milliseconds(o.LockTimeout)+"', true)")
		}
		if o.Timeout > 0 {
			more = append(more, serverTimeouts(milliseconds(o.serverLimit()), key.major))
		}
		sql = settingsText(n, more)
	} else {
		sql = "begin" + isolationLevel(key.plain.IsoLevel)
		if o.ReadOnly {
			sql += " read only"
		}
		if o.LockTimeout > 0 {
			sql += "; " + setLockTimeout(o.LockTimeout)
		}
		if o.Timeout > 0 { // a name of one byte costs no allocation
			sql += "; SELECT " + serverTimeouts(milliseconds(o.serverLimit()), key.major) + " t"
		}
	}
	m.textsMu.Lock()
	defer m.textsMu.Unlock()
	if len(m.texts) >= keptTexts {
		clear(m.texts)
	}
	m.texts[key] = sql
	return sql
}

// keptTexts is how many texts a manager keeps.
const keptTexts = 64

// beginKey is what such a text depends on.
type beginKey struct {
	plain                pgx.TxOptions
	settings             int
	timeout, lockTimeout time.Duration
	major                int
}

func isolationLevel(level pgx.TxIsoLevel) string {
	if level == "" {
		return ""
	}
	return " isolation level " + string(level)
}

// startBatch sends what has parameters or answers.
func (tx *Tx) startBatch() error {
	o := &tx.options
	batch := &pgx.Batch{}
	batch.BeginTx(o.pgx())
	var before [len(timeoutSettings)]string
	if o.keepsSnapshot() {
		for _, s := range o.Settings {
			batch.Queue(setLocal(s))
		}
		if o.LockTimeout > 0 {
			batch.Queue(setLockTimeout(o.LockTimeout))
		}
		if o.Timeout > 0 {
			queueTimeouts(batch, o.serverLimit(), &before)
		}
	} else {
		if o.resolvable() {
			batch.Queue(assignXID).QueryRow(tx.known.scan)
		}
		switch {
		case len(o.Settings) > 0:
			batch.Queue(tx.m.text(o), o.args...)
		default:
			if o.LockTimeout > 0 {
				batch.Queue(setLockTimeout(o.LockTimeout))
			}
			if o.Timeout > 0 {
				batch.Queue("SELECT " + serverTimeouts(milliseconds(o.serverLimit()), int(tx.m.major.Load())))
			}
		}
	}
	results := tx.m.db.SendBatch(tx.ctx, batch)
	tx.inner = results.Tx()
	err := results.Close()
	if err == nil {
		err = restoreStricter(tx.ctx, tx.inner, o.serverLimit(), before)
	}
	if err != nil {
		ctx, cancel := tx.ending()
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
