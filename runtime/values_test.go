package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/jackc/pgx/v5"
)

// An argument that cannot be sent, and a value that cannot be read, are not
// shown; what did not fit is.
func TestErrorShowsNoArgument(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (n int)"))
	login := struct{ Password string }{"774411"}
	each(t, db, func(t *testing.T, conn *pgx.Conn) {
		insert := func(sql string, arg any) func() error {
			return func() error { return runtime.Exec(ctx, conn, runtime.Query{Name: "Q", SQL: sql}, arg) }
		}
		selected := func(sql string, read func(*runtime.Row)) func() error {
			return func() error {
				_, err := runtime.One(ctx, conn, runtime.Query{Name: "Q", SQL: sql}, func(r *runtime.Row) int { read(r); return 0 })
				return err
			}
		}
		for _, test := range []struct {
			run  func() error
			says []string // one of them
		}{
			{insert("INSERT INTO t VALUES ($1)", login), []string{"format for int4 (OID 23)", "unable to encode the argument"}},
			{insert("INSERT INTO t VALUES ($1::int4)", int64(774411774411)), []string{"format for int4 (OID 23)", "SQLSTATE"}},
			{insert("SELECT $1::int4[]", []int64{774411774411}), []string{"format for _int4 (OID 1007)", "SQLSTATE"}},
			{insert("SELECT ' into x format for y (OID 1): ', $1::int4", struct{ Text string }{" into 774411 format for int8 (OID 20): 774411"}), []string{"format for int4 (OID 23)", "unable to encode the argument"}},
			{selected("SELECT 774411::int8", func(r *runtime.Row) { r.Int16(0) }), []string{"Q: column 0 (int8): the value is none that int16 can hold"}},
			{selected("SELECT '774411'::text", func(r *runtime.Row) { r.Time(0) }), []string{"Q: column 0 (text): cannot scan text (OID 25)"}},
			{selected("SELECT 774411.5::numeric", func(r *runtime.Row) { r.Int32(0) }), []string{"Q: column 0 (numeric): the value is none that int32 can hold"}},
		} {
			err := test.run()
			if err == nil {
				t.Errorf("%s: no error", test.says)
				continue
			}
			if e := runtime.AsError(err); e.SQLState != "" {
				continue // sent as text, it is the server that says no, in its own words
			}
			var log bytes.Buffer
			for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
				slog.New(h).Error("failed", "error", err, "wrapped", fmt.Errorf("wrapped: %w", err))
			}
			object, _ := json.Marshal(err)
			texts := []string{log.String(), string(object)}
			for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
				texts = append(texts, fmt.Sprintf(format, err), fmt.Sprintf(format, fmt.Errorf("wrapped: %w", err)))
			}
			for _, text := range texts {
				if strings.Contains(text, "774411") {
					t.Errorf("shown in %s", text)
				}
			}
			says := false
			for _, text := range test.says {
				says = says || strings.Contains(err.Error(), text)
			}
			if !says {
				t.Errorf("%v says none of %q", err, test.says)
			}
			if cause := errors.Unwrap(err); cause == nil {
				t.Errorf("%v wraps nothing", err)
			}
		}
	})
}

// rowsOf are rows of a COPY that end as end says.
type rowsOf struct {
	left int
	end  func() error
}

func (r *rowsOf) Next() bool             { r.left--; return r.left >= 0 }
func (r *rowsOf) Values() ([]any, error) { return []any{int32(r.left)}, nil }
func (r *rowsOf) Err() error {
	if r.left >= 0 {
		return nil
	}
	return r.end()
}

// A COPY fails as its rows do, is no statement that the server cancelled, and
// shows no value; a panic of its rows is its caller's.
func TestCopyOfFailingRows(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (n int)"))
	p, err := pool.New(ctx, db.URL, pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	conn, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("no more of them")
	check := func(name string, db runtime.DB) {
		_, err := db.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"n"}, &rowsOf{3, func() error { return mine }})
		if e := runtime.AsError(err); !errors.Is(err, mine) || e == nil || e.IsStatementTimeout() || runtime.Retryable(err) {
			t.Errorf("%s: %v", name, err)
		}
		func() {
			defer func() {
				if v := recover(); v != mine {
					t.Errorf("%s: panicked with %v", name, v)
				}
			}()
			_, err := db.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"n"}, &rowsOf{3, func() error { panic(mine) }})
			t.Errorf("%s: no panic but %v", name, err)
		}()
		_, err = db.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"n"}, pgx.CopyFromRows([][]any{{"774411"}, {struct{ Text string }{"774411"}}}))
		if err = runtime.NewError(ctx, "t", err); err == nil || strings.Contains(err.Error(), "774411") || !strings.Contains(err.Error(), "unable to encode a value") {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := db.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"n"}, &rowsOf{3, func() error { return nil }}); n != 3 || err != nil {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
	}
	check("connection", conn)
	conn.Release()
	check("pool", p)
}
