package runtime

import (
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// NilNull returns the zero T if column i is NULL, else what get returns. It is
// for types whose zero value, nil, means NULL: slices and maps.
//
//	runtime.NilNull(row, 2, runtime.Slice[string])
func NilNull[T any](r *Row, i int, get func(*Row, int) T) T {
	if r.IsNull(i) {
		var zero T
		return zero
	}
	return get(r, i)
}

// SQLNull returns column i as a sql.Null, not valid if it is NULL.
//
//	runtime.SQLNull(row, 2, (*runtime.Row).Text)
func SQLNull[T any](r *Row, i int, get func(*Row, int) T) sql.Null[T] {
	if r.IsNull(i) {
		return sql.Null[T]{}
	}
	return sql.Null[T]{V: get(r, i), Valid: true}
}

// FromSQLNull makes an argument of a sql.Null, so that pgx sees the T: through
// its own Value method a sql.Null can only carry what database/sql knows.
func FromSQLNull[T any](v sql.Null[T]) *T {
	if !v.Valid {
		return nil
	}
	return &v.V
}

// Date makes an argument for a date: the calendar day of t in t's own location.
// pgx takes it so too where it knows that the argument is a date; for a domain,
// and in the query modes that ask the server nothing, it would send t in UTC,
// which may be another day.
func Date(t time.Time) pgtype.Date { return pgtype.Date{Time: t, Valid: true} }

// DateNull is [Date] where nil is NULL.
func DateNull(t *time.Time) pgtype.Date {
	if t == nil {
		return pgtype.Date{}
	}
	return Date(*t)
}

// Timestamp makes an argument for a timestamp without time zone: what the clock
// of t's own location shows. The reason is that of [Date].
func Timestamp(t time.Time) pgtype.Timestamp { return pgtype.Timestamp{Time: t, Valid: true} }

// TimestampNull is [Timestamp] where nil is NULL.
func TimestampNull(t *time.Time) pgtype.Timestamp {
	if t == nil {
		return pgtype.Timestamp{}
	}
	return Timestamp(*t)
}
