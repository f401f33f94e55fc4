package txn

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/internal/rows"
)

// Query runs sql in the transaction. The transaction is busy until the rows are
// closed or read to their end.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return tx.query(ctx, queryName(sql), sql, args)
}

// RunQuery is [runtime.Runner]'s.
func (tx *Tx) RunQuery(ctx context.Context, q runtime.Query, args []any) (pgx.Rows, error) {
	return tx.query(ctx, nameOf(q), q.SQL, args)
}

func (tx *Tx) query(ctx context.Context, name, sql string, args []any) (pgx.Rows, error) {
	if err := tx.enter(); err != nil {
		return rows.Failed{Error: err}, err
	}
	n := tx.record(OpQuery, name, args)
	sent := false
	defer func() {
		if !sent { // an argument's own encoder panics
			tx.abandon(n)
		}
	}()
	inner, err := tx.inner.Query(tx.forStatement(ctx), sql, args...)
	sent = true
	if err != nil {
		tx.recorded(n, 0, err)
		err = tx.interrupted(err)
		tx.leave()
		return rows.Failed{Error: err}, err
	}
	r := &tx.rows
	if tx.rowsUsed {
		r = new(turnRows)
	}
	tx.rowsUsed = true
	r.Rows, r.tx, r.op, r.sql = rows.Rows{Rows: inner, Holder: r}, tx, n, sql
	tx.opened(r)
	return r, nil
}

// QueryRow runs sql in the transaction for its first row.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	r, _ := tx.Query(ctx, sql, args...)
	return rows.Row{Rows: r}
}

// Exec runs sql in the transaction.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return tx.execute(ctx, OpExec, queryName(sql), sql, args)
}

// RunExec is [runtime.Runner]'s.
func (tx *Tx) RunExec(ctx context.Context, q runtime.Query, args []any) (pgconn.CommandTag, error) {
	return tx.execute(ctx, OpExec, nameOf(q), q.SQL, args)
}

func (tx *Tx) execute(ctx context.Context, kind OpKind, name, sql string, args []any) (pgconn.CommandTag, error) {
	if err := tx.enter(); err != nil {
		return pgconn.CommandTag{}, err
	}
	defer tx.leave()
	return tx.exec(ctx, kind, name, sql, args)
}

// exec runs sql for who has the turn.
func (tx *Tx) exec(ctx context.Context, kind OpKind, name, sql string, args []any) (pgconn.CommandTag, error) {
	n := tx.record(kind, name, args)
	tag, err := tx.inner.Exec(tx.forStatement(ctx), sql, args...)
	tx.chained = tx.chained || chains(sql, tag.String())
	tx.recorded(n, tag.RowsAffected(), err)
	return tag, tx.interrupted(err)
}

// CopyFrom copies rows into a table in the transaction.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	if err := tx.enter(); err != nil {
		return 0, err
	}
	defer tx.leave()
	n := tx.record(OpCopy, table.Sanitize(), nil)
	guarded := &rows.Source{Rows: source}
	copied, err := tx.inner.CopyFrom(tx.forStatement(ctx), table, columns, guarded)
	tx.recorded(n, copied, err)
	return copied, tx.interrupted(guarded.Finish(err))
}

// SendBatch sends b in the transaction, which is busy until the results are
// closed.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := tx.enter(); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	n := tx.record(OpBatch, "", nil)
	sent := false
	defer func() {
		if !sent {
			tx.abandon(n)
		}
	}()
	r := &batchResults{BatchResults: tx.inner.SendBatch(tx.forStatement(ctx), b), tx: tx, op: n, size: b.Len()}
	sent = true
	tx.opened(r)
	return r
}

// abandon gives the turn back after a panic.
func (tx *Tx) abandon(op int) {
	tx.recorded(op, 0, errPanicked)
	tx.leave()
}

// grip is the connection in the hand of who reads a result, taken for each call
// that uses it, unless the end of the transaction has taken it away meanwhile.
type grip struct{ use atomic.Int32 }

const (
	useFree int32 = iota
	useNow
	useLost
)

// begin takes the connection for a call; false if it is lost.
func (g *grip) begin() bool { return g.use.CompareAndSwap(useFree, useNow) }
func (g *grip) end()        { g.use.Store(useFree) }

// lose takes the connection away between two calls of who holds the result;
// false if there is one under way.
func (g *grip) lose() bool { return g.use.CompareAndSwap(useFree, useLost) }
func (g *grip) lost() bool { return g.use.Load() == useLost }

// turnRows gives the turn back when closed.
type turnRows struct {
	rows.Rows
	grip
	tx     *Tx
	op     int
	sql    string
	failed error // of the end of the transaction
}

// Next reads the next row, if there is one.
func (r *turnRows) Next() bool {
	if !r.begin() {
		return false
	}
	defer r.end()
	return r.Rows.Next()
}

// Scan reads the columns of a row. An error closes the rows.
func (r *turnRows) Scan(dest ...any) error {
	if !r.begin() {
		return r.Err()
	}
	defer r.end()
	return r.Rows.Scan(dest...)
}

// Values reads the columns of a row as pgx decodes them. An error closes the rows.
func (r *turnRows) Values() ([]any, error) {
	if !r.begin() {
		return nil, r.Err()
	}
	defer r.end()
	return r.Rows.Values()
}

// Close closes the rows.
func (r *turnRows) Close() {
	if r.begin() {
		defer r.end()
		r.Rows.Close()
	}
}

// Release is called once the rows are closed.
func (r *turnRows) Release() {
	err, tag := r.Rows.Err(), r.CommandTag()
	r.tx.opened(nil)
	r.tx.chained = r.tx.chained || chains(r.sql, tag.String())
	r.tx.recorded(r.op, tag.RowsAffected(), err)
	r.failed = r.tx.interrupted(err)
	r.tx.leave()
}

// Err returns the error that ended the rows.
func (r *turnRows) Err() error {
	if r.lost() {
		return r.tx.closedError()
	}
	if r.failed != nil {
		return r.failed
	}
	return r.Rows.Err()
}

func (r *turnRows) closeResult() { r.Close() }

// batchResults gives the turn back when closed.
type batchResults struct {
	pgx.BatchResults
	grip
	tx     *Tx
	op     int
	size   int
	closed bool
	failed error
}

// Exec reads the result of the next statement.
func (b *batchResults) Exec() (pgconn.CommandTag, error) {
	if !b.begin() {
		return pgconn.CommandTag{}, b.tx.closedError()
	}
	defer b.end()
	return b.BatchResults.Exec()
}

// Query reads the result of the next statement, as rows.
func (b *batchResults) Query() (pgx.Rows, error) {
	if !b.begin() {
		err := b.tx.closedError()
		return rows.Failed{Error: err}, err
	}
	defer b.end()
	r, err := b.BatchResults.Query()
	return &batchRows{r, b}, err
}

// QueryRow reads the result of the next statement, as its first row.
func (b *batchResults) QueryRow() pgx.Row {
	r, _ := b.Query()
	return rows.Row{Rows: r}
}

// Close reads what is left and closes the results.
func (b *batchResults) Close() error {
	if b.closed {
		return b.failed
	}
	if !b.begin() {
		return b.tx.closedError()
	}
	defer b.end()
	err := b.BatchResults.Close() // if a function of the batch panics, it is closed again
	b.closed = true
	b.tx.opened(nil)
	b.tx.recorded(b.op, int64(b.size), err)
	b.failed = b.tx.interrupted(err)
	b.tx.leave()
	return b.failed
}

func (b *batchResults) closeResult() { _ = b.Close() }

// batchRows are the rows of one statement of a batch.
type batchRows struct {
	pgx.Rows
	batch *batchResults
}

// Next reads the next row, if there is one.
func (r *batchRows) Next() bool {
	if !r.batch.begin() {
		return false
	}
	defer r.batch.end()
	return r.Rows.Next()
}

// Scan reads the columns of a row. An error closes the rows.
func (r *batchRows) Scan(dest ...any) error {
	if !r.batch.begin() {
		return r.Err()
	}
	defer r.batch.end()
	return r.Rows.Scan(dest...)
}

// Values reads the columns of a row as pgx decodes them. An error closes the rows.
func (r *batchRows) Values() ([]any, error) {
	if !r.batch.begin() {
		return nil, r.Err()
	}
	defer r.batch.end()
	return r.Rows.Values()
}

// Close closes the rows.
func (r *batchRows) Close() {
	if r.batch.begin() {
		defer r.batch.end()
		r.Rows.Close()
	}
}

// Err returns the error that ended the rows.
func (r *batchRows) Err() error {
	if r.batch.lost() {
		return r.batch.tx.closedError()
	}
	return r.Rows.Err()
}
