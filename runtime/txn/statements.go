package txn

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/runtime/internal/rows"
)

// Query runs sql in the transaction. The transaction is busy until the rows are
// closed or read to their end.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := tx.enter(); err != nil {
		return rows.Failed{Error: err}, err
	}
	n := tx.record(OpQuery, queryName(sql))
	bound, release := tx.bind(ctx)
	sent := false
	defer func() {
		if !sent { // an argument's own encoder panics
			tx.abandon(n, release)
		}
	}()
	inner, err := tx.inner.Query(bound, sql, args...)
	sent = true
	if err != nil {
		release()
		tx.recorded(n, 0, err)
		tx.leave()
		return rows.Failed{Error: err}, err
	}
	r := &turnRows{Rows: rows.Rows{Rows: inner}, tx: tx, op: n, release: release}
	r.Holder = r
	tx.opened(r.Close)
	return r, nil
}

// QueryRow runs sql in the transaction for its first row.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	r, _ := tx.Query(ctx, sql, args...)
	return rows.Row{Rows: r}
}

// Exec runs sql in the transaction.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := tx.enter(); err != nil {
		return pgconn.CommandTag{}, err
	}
	defer tx.leave()
	return tx.exec(ctx, OpExec, queryName(sql), sql, args...)
}

// exec runs sql for who has the turn.
func (tx *Tx) exec(ctx context.Context, kind OpKind, name, sql string, args ...any) (pgconn.CommandTag, error) {
	n := tx.record(kind, name)
	bound, release := tx.bind(ctx)
	defer release()
	tag, err := tx.inner.Exec(bound, sql, args...)
	tx.recorded(n, tag.RowsAffected(), err)
	return tag, err
}

// CopyFrom copies rows into a table in the transaction.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := tx.enter(); err != nil {
		return 0, err
	}
	defer tx.leave()
	n := tx.record(OpCopy, table.Sanitize())
	bound, release := tx.bind(ctx)
	defer release()
	copied, err := tx.inner.CopyFrom(bound, table, columns, rows)
	tx.recorded(n, copied, err)
	return copied, err
}

// SendBatch sends b in the transaction, which is busy until the results are
// closed.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := tx.enter(); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	n := tx.record(OpBatch, "")
	bound, release := tx.bind(ctx)
	sent := false
	defer func() {
		if !sent {
			tx.abandon(n, release)
		}
	}()
	r := &batchResults{BatchResults: tx.inner.SendBatch(bound, b), tx: tx, op: n, size: b.Len(), release: release}
	sent = true
	tx.opened(func() { _ = r.Close() })
	return r
}

// abandon gives the turn back after a panic.
func (tx *Tx) abandon(op int, release func()) {
	release()
	tx.recorded(op, 0, errPanicked)
	tx.leave()
}

// turnRows gives the turn back when closed.
type turnRows struct {
	rows.Rows
	tx      *Tx
	op      int
	release func()
}

// Release is called once the rows are closed.
func (r *turnRows) Release() {
	r.tx.opened(nil)
	r.release()
	r.tx.recorded(r.op, r.CommandTag().RowsAffected(), r.Err())
	r.tx.leave()
}

// batchResults gives the turn back when closed.
type batchResults struct {
	pgx.BatchResults
	tx      *Tx
	op      int
	size    int
	release func()
	closed  bool
}

func (b *batchResults) Close() error {
	err := b.BatchResults.Close()
	if !b.closed {
		b.closed = true
		b.tx.opened(nil)
		b.release()
		b.tx.recorded(b.op, int64(b.size), err)
		b.tx.leave()
	}
	return err
}
