package runtime_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var (
	_ runtime.DB = (*pgx.Conn)(nil)
	_ runtime.DB = (pgx.Tx)(nil)
	_ runtime.DB = (*pgxpool.Pool)(nil)
	_ runtime.DB = (*pgxpool.Conn)(nil)
)

type status string

var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
}

// connIn returns a connection whose default exec mode is mode.
func connIn(t *testing.T, db *pgtest.DB, mode pgx.QueryExecMode) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// each runs f once for each exec mode.
func each(t *testing.T, db *pgtest.DB, f func(t *testing.T, conn *pgx.Conn)) {
	t.Helper()
	for _, mode := range modes {
		t.Run(strings.ReplaceAll(mode.String(), " ", "-"), func(t *testing.T) { f(t, connIn(t, db, mode)) })
	}
}

// agree holds a getter against pgx's own Scan for each SQL expression: the same
// value where Scan gives one, an error where it gives one.
func agree[T any](t *testing.T, conn *pgx.Conn, name string, get func(*runtime.Row, int) T, exprs ...string) {
	t.Helper()
	for _, expr := range exprs {
		q := runtime.Query{Name: "Q", SQL: "SELECT 1, " + expr + " AS x"}
		var want T
		wantErr := conn.QueryRow(context.Background(), q.SQL).Scan(nil, &want)
		got, err := runtime.One(context.Background(), conn, q, func(r *runtime.Row) T { return get(r, 1) })
		if (err != nil) != (wantErr != nil) {
			t.Errorf("%s of %s: error %v, Scan's: %v", name, expr, err, wantErr)
			continue
		}
		if err != nil {
			var column *runtime.ColumnError
			if !errors.As(err, &column) || column.Column != 1 || column.Name != "x" || !strings.HasPrefix(err.Error(), "Q: column 1 (x): ") {
				t.Errorf("%s of %s: error %v does not name the column", name, expr, err)
			}
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s of %s: got %#v, Scan gives %#v", name, expr, got, want)
		}
	}
}

func TestGettersAgreeWithScan(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TYPE status AS ENUM ('new', 'it''s "odd", {so}');
		CREATE DOMAIN positive AS int8 CHECK (VALUE > 0); CREATE DOMAIN label AS text; SET timezone = 'UTC'`))
	integers := []string{
		"0::int2", "(-32768)::int2", "32767::int2", "(-2147483648)::int4", "2147483647::int4", "40000::int4",
		"(-9223372036854775808)::int8", "9223372036854775807::int8", "3000000000::int8", "7::int8", "7::positive",
		"12::numeric", "1.5::float8", "12::oid", "'12'::text", "NULL::int8",
	}
	floats := []string{
		"0::float4", "1.5::float4", "-1e30::float4", "0::float8", "1e300::float8", "-1.5::float8", "'NaN'::float8", "7::int4", "1.25::numeric", "NULL::float4",
	}
	for i, f := range floats {
		if strings.Contains(f, "NaN") { // NaN differs from itself
			floats = append(floats[:i:i], floats[i+1:]...)
			break
		}
	}
	texts := []string{
		"''::text", "'é ☃ \\ '' x'::text", "'ab'::varchar(3)", "'ab'::char(4)", "'ab'::name", "'ab'::label", "'new'::status", "repeat('x', 70000)", "NULL::text",
	}
	times := []string{
		"'2024-02-29 12:34:56.789012+02'::timestamptz", "'1999-12-31 23:59:59.999999Z'::timestamptz", "'0044-03-15 BC'::timestamptz",
		"'infinity'::timestamptz", "'-infinity'::timestamptz", "'2024-02-29 12:34:56.000001'::timestamp", "'1900-01-01'::timestamp", "'infinity'::timestamp",
		"'2024-02-29'::date", "'1800-01-01'::date", "'infinity'::date", "'-infinity'::date", "'x'::text", "NULL::date",
	}
	each(t, db, func(t *testing.T, conn *pgx.Conn) {
		agree(t, conn, "Int16", (*runtime.Row).Int16, integers...)
		agree(t, conn, "Int32", (*runtime.Row).Int32, integers...)
		agree(t, conn, "Int64", (*runtime.Row).Int64, integers...)
		agree(t, conn, "Float32", (*runtime.Row).Float32, slices.DeleteFunc(slices.Clone(floats), func(f string) bool {
			return f == "1e300::float8" // Scan makes an infinity of it
		})...)
		agree(t, conn, "Float64", (*runtime.Row).Float64, floats...)
		agree(t, conn, "Bool", (*runtime.Row).Bool, "true", "false", "NULL::bool", "1")
		agree(t, conn, "Text", (*runtime.Row).Text, texts...)
		agree(t, conn, "Enum", runtime.Enum[status], "'new'::status", `'it''s "odd", {so}'::status`, "'ab'::text")
		agree(t, conn, "Bytes", (*runtime.Row).Bytes, `'\x'::bytea`, `'\x00ff10'::bytea`)
		agree(t, conn, "JSON", (*runtime.Row).JSON, `'{"a": [1, 2]}'::json`, `'{"a": [1, 2]}'::jsonb`, `'null'::jsonb`)
		agree(t, conn, "Time", (*runtime.Row).Time, times...)
		agree(t, conn, "Scan numeric", runtime.Scan[pgtype.Numeric], "1.50::numeric", "NULL::numeric")
		agree(t, conn, "Scan uuid", runtime.Scan[pgtype.UUID], "'5a3f5e0e-0f07-4b4e-8d3f-0d6c8c1e1c3a'::uuid")
		agree(t, conn, "Scan interval", runtime.Scan[pgtype.Interval], "'1 month 2 days 3 hours'::interval")
		agree(t, conn, "Scan time", runtime.Scan[pgtype.Time], "'12:34:56.7'::time")
		agree(t, conn, "Scan range", runtime.Scan[pgtype.Range[pgtype.Int4]], "'[1,5)'::int4range", "'empty'::int4range")
		agree(t, conn, "Scan matrix", runtime.Scan[[][]int32], "'{{1,2},{3,4}}'::int4[]")
		agree(t, conn, "Scan sql.Null", runtime.Scan[sql.Null[int64]], "5::int8", "NULL::int8")
		agree(t, conn, "Slice int64", runtime.Slice[int64], "'{1,2,3}'::int8[]", "'{}'::int8[]", "'{1,NULL}'::int8[]", "'{1,2}'::int4[]")
		agree(t, conn, "Slice *int64", runtime.Slice[*int64], "'{1,NULL}'::int8[]")
		agree(t, conn, "Slice string", runtime.Slice[string], `'{a,"b, c",""}'::text[]`, "'{a,NULL}'::text[]")
		agree(t, conn, "Slice time", runtime.Slice[time.Time], "'{2024-01-01}'::date[]", "'{infinity}'::timestamptz[]")
	})
}

func one[T any](t *testing.T, db runtime.DB, sql string, get func(*runtime.Row, int) T, args ...any) (T, error) {
	t.Helper()
	return runtime.One(context.Background(), db, runtime.Query{Name: "Q", SQL: sql}, func(r *runtime.Row) T { return get(r, 0) }, args...)
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// What pgx's Scan has no counterpart for: arrays of enums and domains.
func TestUnregisteredArrays(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TYPE status AS ENUM ('new', 'it''s "odd", {so}'); CREATE DOMAIN positive AS int8;`))
	odd := status(`it's "odd", {so}`)
	each(t, db, func(t *testing.T, conn *pgx.Conn) {
		got := must[[]status](t)(one(t, conn, `SELECT ARRAY['new', 'it''s "odd", {so}']::status[]`, runtime.Slice[status]))
		if want := []status{"new", odd}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := must[[]status](t)(one(t, conn, `SELECT '{}'::status[]`, runtime.Slice[status])); got == nil || len(got) != 0 {
			t.Errorf("an empty array is %#v", got)
		}
		if _, err := one(t, conn, `SELECT '{new,NULL}'::status[]`, runtime.Slice[status]); err == nil {
			t.Error("a NULL element into a string type is no error")
		}
		null := must[[]*status](t)(one(t, conn, `SELECT '{new,NULL}'::status[]`, runtime.Slice[*status]))
		if len(null) != 2 || null[0] == nil || *null[0] != "new" || null[1] != nil {
			t.Errorf("got %v", null)
		}
		if got := must[[]int64](t)(one(t, conn, `SELECT '{1,2}'::positive[]`, runtime.Slice[int64])); !reflect.DeepEqual(got, []int64{1, 2}) {
			t.Errorf("array of a domain: %v", got)
		}
		// The arguments.
		enums := []status{"new", odd}
		got = must[[]status](t)(one(t, conn, `SELECT $1::status[]`, runtime.Slice[status], runtime.EnumArray(enums)))
		if !reflect.DeepEqual(got, enums) {
			t.Errorf("argument came back as %q, want %q", got, enums)
		}
		if n := must[int64](t)(one(t, conn, `SELECT count(*) FROM unnest('{new}'::status[]) s WHERE s = ANY ($1::status[])`, (*runtime.Row).Int64, runtime.EnumArray(enums))); n != 1 {
			t.Errorf("= ANY found %d", n)
		}
		back := must[[]*status](t)(one(t, conn, `SELECT $1::status[]`, runtime.Slice[*status], runtime.EnumArrayNull([]*status{&odd, nil})))
		if len(back) != 2 || *back[0] != odd || back[1] != nil {
			t.Errorf("argument with NULL came back as %v", back)
		}
		if !must[bool](t)(one(t, conn, `SELECT $1::status[] IS NULL`, (*runtime.Row).Bool, runtime.EnumArray[status](nil))) {
			t.Error("a nil slice is not NULL")
		}
		if n := must[int32](t)(one(t, conn, `SELECT cardinality($1::status[])`, (*runtime.Row).Int32, runtime.EnumArray([]status{}))); n != 0 {
			t.Errorf("an empty slice has %d elements", n)
		}
	})
}

func TestArguments(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TYPE status AS ENUM ('new', 'old')`))
	at := time.Date(2024, 2, 29, 12, 34, 56, 789012000, time.UTC)
	n, s := int64(7), status("old")
	each(t, db, func(t *testing.T, conn *pgx.Conn) {
		for _, test := range []struct {
			sql  string
			arg  any
			want string
		}{
			{"$1::status", status("new"), "new"},
			{"$1::status", &s, "old"},
			{"$1::status", (*status)(nil), "NULL"},
			{"$1::int8", int64(-5), "-5"},
			{"$1::int2", int16(-5), "-5"},
			{"$1::int8", &n, "7"},
			{"$1::int8", (*int64)(nil), "NULL"},
			{"$1::text", (*string)(nil), "NULL"},
			{"$1::jsonb", json.RawMessage(`{"a": 1}`), `{"a": 1}`},
			{"$1::json", json.RawMessage(`[1]`), `[1]`},
			{"$1::jsonb", json.RawMessage(nil), "NULL"},
			{"($1::timestamptz AT TIME ZONE 'UTC')", at, "2024-02-29 12:34:56.789012"},
			{"$1::timestamp", at, "2024-02-29 12:34:56.789012"},
			{"$1::date", at, "2024-02-29"},
			{"$1::bytea", []byte{0, 255}, `\x00ff`},
			{"$1::int8[]", []int64{1, 2}, "{1,2}"},
			{"$1::text[]", []string{"a", "b c"}, `{a,"b c"}`},
			{"$1::float8", 1.5, "1.5"},
			{"$1::bool", true, "true"},
		} {
			got, err := one(t, conn, "SELECT coalesce(("+test.sql+")::text, 'NULL')", (*runtime.Row).Text, test.arg)
			if err != nil || got != test.want {
				t.Errorf("%s with %#v: got %q, %v; want %q", test.sql, test.arg, got, err, test.want)
			}
		}
	})
}

type pair struct {
	ID   int64
	Name *string
}

func scanPair(r *runtime.Row) pair {
	return pair{r.Int64(0), runtime.Null(r, 1, (*runtime.Row).Text)}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TABLE t (id int8, name text); INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')`)).Pool()
	ctx := context.Background()
	q := runtime.Query{Name: "List", SQL: "SELECT id, name FROM t WHERE id <= $1 ORDER BY id"}
	a, c := "a", "c"
	all := []pair{{1, &a}, {2, nil}, {3, &c}}

	got, err := runtime.Many(ctx, db, q, scanPair, 9)
	if diff := cmp.Diff(all, got); diff != "" || err != nil {
		t.Errorf("Many: %v %s", err, diff)
	}
	if got, err := runtime.Many(ctx, db, q, scanPair, 0); got != nil || err != nil {
		t.Errorf("Many of none: %#v, %v", got, err)
	}
	if v, err := runtime.One(ctx, db, q, scanPair, 1); err != nil || v.ID != 1 {
		t.Errorf("One: %v, %v", v, err)
	}
	_, err = runtime.One(ctx, db, q, scanPair, 0)
	if !errors.Is(err, pgx.ErrNoRows) || !errors.Is(err, sql.ErrNoRows) || err.Error() != "List: no rows in result set" {
		t.Errorf("One of none: %v", err)
	}
	if v, err := runtime.One(ctx, db, q, scanPair, 2); !errors.Is(err, pgx.ErrTooManyRows) || v != (pair{}) {
		t.Errorf("One of two: %v, %v", v, err)
	}
	if _, ok, err := runtime.Opt(ctx, db, q, scanPair, 0); ok || err != nil {
		t.Errorf("Opt of none: %v, %v", ok, err)
	}
	if v, ok, err := runtime.Opt(ctx, db, q, scanPair, 1); !ok || err != nil || v.ID != 1 {
		t.Errorf("Opt: %v, %v, %v", v, ok, err)
	}
	if _, ok, err := runtime.Opt(ctx, db, q, scanPair, 3); ok || !errors.Is(err, pgx.ErrTooManyRows) {
		t.Errorf("Opt of three: %v, %v", ok, err)
	}
	stream := runtime.Iter(ctx, db, q, scanPair, 9)
	for range 2 { // the same stream runs again
		var got []pair
		for v, err := range stream {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("Iter: %s", diff)
		}
	}
	for range stream {
		break
	}
	if n := db.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections still held", n)
	}
	n, err := runtime.ExecRows(ctx, db, runtime.Query{Name: "Del", SQL: "DELETE FROM t WHERE id > $1"}, 1)
	if n != 2 || err != nil {
		t.Errorf("ExecRows: %d, %v", n, err)
	}
	if err := runtime.Exec(ctx, db, runtime.Query{Name: "Sel", SQL: "SELECT id FROM t"}); err != nil {
		t.Errorf("Exec: %v", err)
	}
}

// An error that comes after some rows is not lost in any shape.
func TestLateError(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t).Pool()
	ctx := context.Background()
	q := runtime.Query{Name: "Late", SQL: "SELECT 10 / (3 - g) FROM generate_series(1, 5) g"}
	scan := func(r *runtime.Row) int32 { return r.Int32(0) }
	if v, err := runtime.Many(ctx, db, q, scan); v != nil || !runtime.AsError(err).IsData() {
		t.Errorf("Many: %v, %v", v, err)
	}
	var got []int32
	var last error
	for v, err := range runtime.Iter(ctx, db, q, scan) {
		got, last = append(got, v), err
	}
	if !reflect.DeepEqual(got, []int32{5, 10, 0}) || last == nil {
		t.Errorf("Iter: %v, %v", got, last)
	}
	q.SQL = "SELECT 1 / (g - 2) FROM generate_series(1, 2) g"
	if _, err := runtime.One(ctx, db, q, scan); err == nil || errors.Is(err, pgx.ErrTooManyRows) {
		t.Errorf("One: %v", err)
	}
	for _, err := range runtime.Iter(ctx, db, runtime.Query{Name: "Bad", SQL: "SELEKT"}, scan) {
		if err == nil || !strings.HasPrefix(err.Error(), "Bad: ERROR: syntax error") {
			t.Errorf("Iter of nonsense: %v", err)
		}
	}
	if err := runtime.Exec(ctx, db, q); err == nil {
		t.Error("Exec: no error")
	}
}

func TestRowErrors(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t).Pool()
	for _, test := range []struct {
		name, want string
		get        func(*runtime.Row)
	}{
		{"null", "Q: column 1 (b): unexpected NULL", func(r *runtime.Row) { r.Text(1) }},
		{"first of two", "Q: column 1 (b): unexpected NULL", func(r *runtime.Row) { r.Int64(1); r.Bool(0) }},
		{"beyond", "Q: column 2: the result has no such column", func(r *runtime.Row) { r.Int64(2) }},
		{"before", "Q: column -1: the result has no such column", func(r *runtime.Row) { runtime.Scan[string](r, -1) }},
		{"null array", "Q: column 1 (b): unexpected NULL", func(r *runtime.Row) { runtime.Slice[int64](r, 1) }},
		{"IsNull beyond", "Q: column 7: the result has no such column", func(r *runtime.Row) { r.IsNull(7) }},
	} {
		_, err := runtime.One(context.Background(), db, runtime.Query{Name: "Q", SQL: "SELECT 1 AS a, NULL::text AS b"}, func(r *runtime.Row) int { test.get(r); return 1 })
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	_, err := one(t, db, "SELECT NULL::int", (*runtime.Row).Int32)
	if !errors.Is(err, runtime.ErrNull) {
		t.Errorf("%v is not ErrNull", err)
	}
	if db.Stat().AcquiredConns() != 0 {
		t.Error("a connection is still held")
	}
}

// Results wider than the space kept in the Row itself.
func TestWideRow(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t).Pool()
	columns := make([]string, 40)
	for i := range columns {
		columns[i] = fmt.Sprintf("%d::int8", i)
	}
	sum, err := runtime.One(context.Background(), db, runtime.Query{SQL: "SELECT " + strings.Join(columns, ", ")}, func(r *runtime.Row) (n int64) {
		for i := range columns {
			n += r.Int64(i)
		}
		return n
	})
	if err != nil || sum != 780 {
		t.Errorf("got %d, %v; want 780", sum, err)
	}
}

// The values a Row gave stay what they were when the next row is read.
func TestValuesAreCopied(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t).Pool()
	type all struct {
		s string
		b []byte
		j json.RawMessage
	}
	rows, err := runtime.Many(context.Background(), db,
		runtime.Query{SQL: `SELECT repeat(chr(65 + g % 26), 300), decode(repeat(lpad(to_hex(g % 256), 2, '0'), 300), 'hex'), jsonb_build_object('n', g) FROM generate_series(0, 999) g`},
		func(r *runtime.Row) all { return all{r.Text(0), r.Bytes(1), r.JSON(2)} })
	if err != nil || len(rows) != 1000 {
		t.Fatal(len(rows), err)
	}
	for g, row := range rows {
		if row.s != strings.Repeat(string(rune('A'+g%26)), 300) || row.b[0] != byte(g) || row.b[299] != byte(g) || string(row.j) != fmt.Sprintf(`{"n": %d}`, g) {
			t.Fatalf("row %d is %v", g, row)
		}
	}
}

// A binary jsonb has a version byte before the text.
func TestBinaryJSON(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn()
	for _, typ := range []string{"json", "jsonb"} {
		v, err := one(t, conn, `SELECT '{"a": 1}'::`+typ, (*runtime.Row).JSON, pgx.QueryResultFormats{1})
		if err != nil || string(v) != `{"a": 1}` {
			t.Errorf("%s: %q, %v", typ, v, err)
		}
	}
}

// Rows that come from no connection have no type map of their own.
type bareRows struct {
	pgx.Rows
	cells [][]byte
	more  bool
}

func (r *bareRows) Next() bool          { more := r.more; r.more = false; return more }
func (r *bareRows) RawValues() [][]byte { return r.cells }
func (*bareRows) Close()                {}
func (*bareRows) Err() error            { return nil }
func (*bareRows) Conn() *pgx.Conn       { return nil }
func (*bareRows) TypeMap() *pgtype.Map  { return nil }
func (*bareRows) FieldDescriptions() []pgconn.FieldDescription {
	return []pgconn.FieldDescription{{Name: "a", DataTypeOID: pgtype.Int8OID, Format: 1}, {Name: "b", DataTypeOID: pgtype.TimestamptzOID, Format: 1}}
}

type bareDB struct {
	runtime.DB
	cells [][]byte
}

func (db bareDB) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return &bareRows{cells: db.cells, more: true}, nil
}

// Bytes of the wrong length are an error and never a panic, in every getter.
func FuzzRow(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 7}, []byte{1, 2})
	f.Add([]byte{}, []byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if a == nil || b == nil {
			return
		}
		db := bareDB{cells: [][]byte{a, b}}
		if v, err := one(t, db, "", (*runtime.Row).Int64); (err == nil) != (len(a) == 8) {
			t.Errorf("Int64 of %x: %d, %v", a, v, err)
		}
		_, _ = one(t, db, "", (*runtime.Row).Int16)
		_, _ = one(t, db, "", (*runtime.Row).Text)
		_, _ = one(t, db, "", (*runtime.Row).JSON)
		_, _ = one(t, db, "", (*runtime.Row).Bytes)
		_, err := one(t, db, "", func(r *runtime.Row, _ int) time.Time { return r.Time(1) })
		if err != nil && len(b) == 8 && !strings.Contains(err.Error(), "infinite") {
			t.Errorf("Time of %x: %v", b, err)
		}
	})
}
