// Package rows wraps the results of pgx for those who hold a connection until
// a result is closed: runtime/pool and runtime/txn.
package rows

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Rows releases its holder once it is closed, which pgx also does by itself at the
// end and on an error. Who embeds it with the holder beside it needs one
// allocation for both.
type Rows struct {
	pgx.Rows
	Holder interface{ Release() }
	closed bool
}

// Close closes the rows and releases the holder, also if closing panics. It may
// be called again.
func (r *Rows) Close() {
	if !r.closed {
		r.closed = true
		defer r.Holder.Release()
	}
	r.Rows.Close()
}

// Next reads the next row, if there is one.
func (r *Rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan reads the columns of a row. An error closes the rows.
func (r *Rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

// Values reads the columns of a row as pgx decodes them. An error closes the rows.
func (r *Rows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, err
}

// Row is the first row of rows; Scan closes them.
type Row struct{ Rows pgx.Rows }

// Scan reads the columns of the row. The error is pgx.ErrNoRows if there is none.
func (r Row) Scan(dest ...any) error {
	defer r.Rows.Close()
	if !r.Rows.Next() {
		if err := r.Rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.Rows.Scan(dest...); err != nil {
		return err
	}
	r.Rows.Close()
	return r.Rows.Err()
}

// Failed is the result of a query that was not sent or failed at once.
type Failed struct{ Error error }

// Close does nothing.
func (Failed) Close() {}

// Err returns the error.
func (f Failed) Err() error { return f.Error }

// CommandTag is empty.
func (Failed) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }

// FieldDescriptions is empty.
func (Failed) FieldDescriptions() []pgconn.FieldDescription { return nil }

// Next reports no row.
func (Failed) Next() bool { return false }

// Scan returns the error.
func (f Failed) Scan(...any) error { return f.Error }

// Values returns the error.
func (f Failed) Values() ([]any, error) { return nil, f.Error }

// RawValues is empty.
func (Failed) RawValues() [][]byte { return nil }

// Conn is nil: there is none.
func (Failed) Conn() *pgx.Conn { return nil }

// TypeMap is nil: there is none.
func (Failed) TypeMap() *pgtype.Map { return nil }
