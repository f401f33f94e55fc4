package runtime

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Row is one row of a result, for the scan functions of [One], [Many] and the
// others. Its getters take the column's number, from 0. The first thing that
// goes wrong is kept and returned by the function that called scan, so getters
// return a zero value instead of an error: NULL where the getter has no way to
// say so, a value that does not fit, a column that is not there.
//
// A Row is valid during the call of scan alone. What its getters return is
// copied and stays valid.
type Row struct {
	values [][]byte
	kinds  []kind
	fields []pgconn.FieldDescription
	rows   pgx.Rows
	types  *pgtype.Map
	err    error

	// location is where timestamptz values are put, as pgx would.
	location *time.Location
	inline   [16]kind // backs kinds for results of the usual width
}

// kind is the fast path a column takes, found once for a result from format
// and type. slow leaves the value to the type map.
type kind uint8

const (
	slow kind = iota
	boolean
	int2
	int4
	int8
	float4
	float8
	text // text format of any type, and the binary one of types whose it equals
	rawJSON
	jsonb // binary jsonb: a version byte before the text
	bytea
	timestamptz
	timestamp
	date
)

func newRow(rows pgx.Rows) *Row {
	r := &Row{rows: rows, values: rows.RawValues(), fields: rows.FieldDescriptions()}
	if len(r.fields) <= len(r.inline) {
		r.kinds = r.inline[:len(r.fields)]
	} else {
		r.kinds = make([]kind, len(r.fields))
	}
	for i := range r.fields {
		r.kinds[i] = r.kindOf(&r.fields[i])
	}
	return r
}

func (r *Row) kindOf(f *pgconn.FieldDescription) kind {
	if f.Format == pgtype.TextFormatCode {
		switch f.DataTypeOID {
		case pgtype.JSONOID, pgtype.JSONBOID:
			return rawJSON
		}
		return text
	}
	if f.Format != pgtype.BinaryFormatCode {
		return slow
	}
	switch f.DataTypeOID {
	case pgtype.BoolOID:
		return boolean
	case pgtype.Int2OID:
		return int2
	case pgtype.Int4OID:
		return int4
	case pgtype.Int8OID:
		return int8
	case pgtype.Float4OID:
		return float4
	case pgtype.Float8OID:
		return float8
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID:
		return text
	case pgtype.JSONOID:
		return rawJSON
	case pgtype.JSONBOID:
		return jsonb
	case pgtype.ByteaOID:
		return bytea
	case pgtype.TimestamptzOID:
		// pgx puts values where the registered codec says, if it is pgx's own.
		if t, ok := r.typeMap().TypeForOID(pgtype.TimestamptzOID); ok {
			if codec, ok := t.Codec.(*pgtype.TimestamptzCodec); ok {
				r.location = codec.ScanLocation
				return timestamptz
			}
		}
	case pgtype.TimestampOID:
		if t, ok := r.typeMap().TypeForOID(pgtype.TimestampOID); ok {
			if codec, ok := t.Codec.(*pgtype.TimestampCodec); ok && codec.ScanLocation == nil {
				return timestamp
			}
		}
	case pgtype.DateOID:
		return date
	}
	return slow
}

// typeMap is the connection's, or pgx's default one if the rows have none.
func (r *Row) typeMap() *pgtype.Map {
	if r.types == nil {
		if r.types = r.rows.TypeMap(); r.types == nil {
			if conn := r.rows.Conn(); conn != nil {
				r.types = conn.TypeMap()
			} else {
				r.types = pgtype.NewMap()
			}
		}
	}
	return r.types
}

// ColumnError says which column of a result could not be read.
type ColumnError struct {
	// Column counts from 0; Name is the result's own name for it, "" if there
	// is no such column.
	Column int
	Name   string
	// Err is the cause; of pgx's type map, or one of this package.
	Err error
}

func (e *ColumnError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("column %d: %v", e.Column, e.Err)
	}
	return fmt.Sprintf("column %d (%s): %v", e.Column, e.Name, e.Err)
}

// Unwrap returns the cause.
func (e *ColumnError) Unwrap() error { return e.Err }

// ErrNull is the cause where NULL was read by a getter that cannot return it.
var ErrNull = errors.New("unexpected NULL")

var (
	errInfinite   = errors.New("cannot hold an infinite time in a time.Time")
	errOutOfRange = errors.New("the number is out of the range of a float32")
	errNoColumn   = errors.New("the result has no such column")
)

func (r *Row) fail(i int, err error) {
	if r.err != nil {
		return
	}
	e := &ColumnError{Column: i, Err: err}
	if i >= 0 && i < len(r.fields) {
		e.Name = r.fields[i].Name
	}
	r.err = e
}

// cell returns the raw value and how to read it; ok is false, and the error
// noted, for NULL and for a column that is not there.
func (r *Row) cell(i int) (value []byte, k kind, ok bool) {
	if uint(i) >= uint(len(r.values)) || uint(i) >= uint(len(r.kinds)) {
		r.fail(i, errNoColumn)
		return nil, slow, false
	}
	value = r.values[i]
	if value == nil {
		r.fail(i, ErrNull)
		return nil, slow, false
	}
	return value, r.kinds[i], true
}

// scan reads column i by the type map into *dst. Types the map does not know
// come in text format and are read as the one pgx registers for the Go type.
func (r *Row) scan(i int, dst any) {
	f := &r.fields[i]
	if err := r.typeMap().Scan(f.DataTypeOID, f.Format, r.values[i], dst); err != nil {
		r.fail(i, &unreadable{err, dst})
	}
}

// IsNull reports whether column i is NULL.
func (r *Row) IsNull(i int) bool {
	if uint(i) >= uint(len(r.values)) {
		r.fail(i, errNoColumn)
		return true
	}
	return r.values[i] == nil
}

// Bool returns a boolean.
func (r *Row) Bool(i int) bool {
	v, k, ok := r.cell(i)
	if !ok {
		return false
	}
	if k == boolean && len(v) == 1 {
		return v[0] != 0
	}
	return scanned[bool](r, i)
}

// Int16 returns a smallint, or another integer that fits.
func (r *Row) Int16(i int) int16 {
	v, k, ok := r.cell(i)
	if !ok {
		return 0
	}
	if k == int2 && len(v) == 2 {
		return int16(binary.BigEndian.Uint16(v))
	}
	return scanned[int16](r, i)
}

// Int32 returns an integer, or another one that fits.
func (r *Row) Int32(i int) int32 {
	v, k, ok := r.cell(i)
	if !ok {
		return 0
	}
	if k == int4 && len(v) == 4 {
		return int32(binary.BigEndian.Uint32(v))
	}
	return scanned[int32](r, i)
}

// Int64 returns a bigint, or another integer.
func (r *Row) Int64(i int) int64 {
	v, k, ok := r.cell(i)
	if !ok {
		return 0
	}
	if k == int8 && len(v) == 8 {
		return int64(binary.BigEndian.Uint64(v))
	}
	return scanned[int64](r, i)
}

// Float32 returns a real, or another number that fits, rounded.
func (r *Row) Float32(i int) float32 {
	v, k, ok := r.cell(i)
	if !ok {
		return 0
	}
	if k == float4 && len(v) == 4 {
		return math.Float32frombits(binary.BigEndian.Uint32(v))
	}
	if r.fields[i].DataTypeOID == pgtype.Float4OID {
		return scanned[float32](r, i)
	}
	// Of a number that does not fit pgx would make an infinity.
	return r.narrow(i, scanned[float64](r, i))
}

func (r *Row) narrow(i int, v float64) float32 {
	f := float32(v)
	if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
		r.fail(i, errOutOfRange)
		return 0
	}
	return f
}

// Float64 returns a double precision.
func (r *Row) Float64(i int) float64 {
	v, k, ok := r.cell(i)
	if !ok {
		return 0
	}
	if k == float8 && len(v) == 8 {
		return math.Float64frombits(binary.BigEndian.Uint64(v))
	}
	return scanned[float64](r, i)
}

// Text returns a text, varchar, char, name or enum; of any other type its text
// form, where pgx has one.
func (r *Row) Text(i int) string {
	v, k, ok := r.cell(i)
	if !ok {
		return ""
	}
	if k == text || k == rawJSON {
		return string(v)
	}
	return scanned[string](r, i)
}

// Bytes returns a bytea, copied; an empty one is not nil.
func (r *Row) Bytes(i int) []byte {
	v, k, ok := r.cell(i)
	if !ok {
		return nil
	}
	if k == bytea {
		return append(make([]byte, 0, len(v)), v...)
	}
	return scanned[[]byte](r, i)
}

// JSON returns a json or jsonb, copied.
func (r *Row) JSON(i int) json.RawMessage {
	v, k, ok := r.cell(i)
	if !ok {
		return nil
	}
	switch {
	case k == rawJSON:
	case k == jsonb && len(v) > 0 && v[0] == 1:
		v = v[1:]
	default:
		return scanned[json.RawMessage](r, i)
	}
	return append(make(json.RawMessage, 0, len(v)), v...)
}

// PostgreSQL counts microseconds and days from 2000-01-01 UTC; this is its
// Unix time.
const epoch = 946684800

// Time returns a timestamptz (in the connection's ScanLocation, else local
// time), a timestamp or a date (both in UTC), as pgx's Scan does. An infinite
// one is an error.
func (r *Row) Time(i int) time.Time {
	v, k, ok := r.cell(i)
	if !ok {
		return time.Time{}
	}
	switch {
	case (k == timestamptz || k == timestamp) && len(v) == 8:
		µs := int64(binary.BigEndian.Uint64(v))
		if µs == math.MaxInt64 || µs == math.MinInt64 {
			r.fail(i, errInfinite)
			return time.Time{}
		}
		t := time.Unix(epoch+µs/1e6, µs%1e6*1e3)
		if k == timestamp {
			return t.UTC()
		}
		if r.location != nil {
			return t.In(r.location)
		}
		return t
	case k == date && len(v) == 4:
		days := int32(binary.BigEndian.Uint32(v))
		if days == math.MaxInt32 || days == math.MinInt32 {
			r.fail(i, errInfinite)
			return time.Time{}
		}
		return time.Unix(epoch+int64(days)*86400, 0).UTC()
	}
	return scanned[time.Time](r, i)
}

// scanned reads a value that is not NULL by the type map.
func scanned[T any](r *Row, i int) T {
	var v T
	r.scan(i, &v)
	return v
}

// Null returns nil if column i is NULL, else a pointer to what get returns:
//
//	runtime.Null(row, 2, (*runtime.Row).Text)
//	runtime.Null(row, 3, runtime.Scan[pgtype.Numeric])
func Null[T any](r *Row, i int, get func(*Row, int) T) *T {
	if r.IsNull(i) {
		return nil
	}
	v := get(r, i)
	return &v
}

// Scan returns column i as any Go type that pgx's type map can scan it into:
// pgtype.Numeric, pgtype.UUID, pgtype.Interval, pgtype.Range, sql.Null … NULL
// is an error unless T can hold it (a pointer, a slice, a pgtype with Valid).
func Scan[T any](r *Row, i int) T {
	var v T
	if uint(i) >= uint(len(r.values)) || uint(i) >= uint(len(r.fields)) {
		r.fail(i, errNoColumn)
		return v
	}
	r.scan(i, &v)
	return v
}

// Enum returns column i as an enum's Go type. It does not check that the value
// is one of those known when the code was generated.
func Enum[T ~string](r *Row, i int) T { return T(r.Text(i)) }

// Slice returns an array. NULL is an error, and so are a NULL element of one
// whose Go type cannot hold it and an array of more than one dimension; use
// []*T for the first and [Scan] for the last. An empty array is an empty slice.
//
// Arrays of types that pgx has not registered, those of enums and domains,
// come as text: they are read as the array pgx knows for []T, or else as
// text[].
func Slice[T any](r *Row, i int) []T {
	v, _, ok := r.cell(i)
	if !ok {
		return nil
	}
	var out []T
	f, types := &r.fields[i], r.typeMap()
	oid := f.DataTypeOID
	if _, known := types.TypeForOID(oid); !known && f.Format == pgtype.TextFormatCode {
		oid = pgtype.TextArrayOID
		if t, ok := types.TypeForValue(out); ok {
			oid = t.OID
		}
	}
	if err := types.Scan(oid, f.Format, v, &out); err != nil {
		r.fail(i, err)
		return nil
	}
	if out == nil {
		out = []T{}
	}
	return out
}
