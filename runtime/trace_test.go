package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
)

// diary is an observer that writes down what it is told.
type diary struct {
	name string
	mu   sync.Mutex
	log  []string // in order, of all diaries that share it
	ends []runtime.Event
	into *diary
}

type diaryKey struct{ d *diary }

func (d *diary) Begin(ctx context.Context, e runtime.Event) context.Context {
	d.write("begin", e)
	return context.WithValue(ctx, diaryKey{d}, e)
}

func (d *diary) End(ctx context.Context, e runtime.Event) {
	begun, ok := ctx.Value(diaryKey{d}).(runtime.Event)
	if !ok || begun.Kind != e.Kind || begun.Name != e.Name || !begun.At.Equal(e.At) || e.Dur <= 0 {
		d.write("what began is "+fmt.Sprint(begun)+" for the", e)
	}
	d.write("end", e)
	d.mu.Lock()
	d.ends = append(d.ends, e)
	d.mu.Unlock()
}

func (d *diary) write(what string, e runtime.Event) {
	to := d
	if d.into != nil {
		to = d.into
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	line := strings.TrimSpace(fmt.Sprintf("%s %s %v %s", d.name, what, e.Kind, e.Name))
	if what == "end" {
		line += fmt.Sprintf(" rows %d", e.Rows)
		if e.Err != nil {
			line += " failed"
		}
		if e.Note != "" {
			line += " note " + e.Note
		}
	}
	to.log = append(to.log, line)
}

func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	log := d.log
	d.log, d.ends = nil, nil
	return log
}

// traced returns a connection whose tracer is given.
func traced(t *testing.T, db *pgtest.DB, tracer pgx.QueryTracer) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	config.Tracer = tracer
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func TestTrace(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (n int); CREATE TABLE other (n int)"))
	ctx := context.Background()
	d := &diary{}
	conn := traced(t, db, runtime.Trace(d))
	if got := d.take(); !cmp.Equal(got, []string{"begin connect", "end connect rows 0"}) {
		t.Errorf("connecting: %q", got)
	}
	for _, test := range []struct {
		do   func() error
		want []string
		fail bool
	}{
		{do: func() error { // several rows, ended when they are closed
			rows, err := conn.Query(ctx, "-- name: List :many\nSELECT generate_series(1, $1::int)", 7)
			if err != nil {
				return err
			}
			if len(d.ends) != 0 {
				t.Error("the query ended before its rows")
			}
			rows.Close()
			return rows.Err()
		}, want: []string{"begin query List", "end query List rows 7"}},
		{do: func() error {
			_, err := conn.Exec(ctx, "/* no name */ SELECT 1")
			return err
		}, want: []string{"begin query", "end query rows 1"}},
		{do: func() error {
			_, err := conn.Exec(ctx, " \n-- A comment.\n--name:Put:exec\nINSERT INTO t VALUES ($1), (2)", 1)
			return err
		}, want: []string{"begin query Put", "end query Put rows 2"}},
		{do: func() error {
			_, err := conn.Exec(ctx, "-- a comment alone\n begin")
			return err
		}, want: []string{"begin query", "end query rows 0 note BEGIN"}},
		{do: func() error { _, err := conn.Exec(ctx, "Commit"); return err }, want: []string{"begin query", "end query rows 0 note COMMIT"}},
		{do: func() error { _, err := conn.Exec(ctx, "-- name: Bad\nSELECT 1/$1::int", 0); return err }, want: []string{"begin query Bad", "end query Bad rows 0 failed"}, fail: true},
		{do: func() error { _, err := conn.Exec(ctx, "-- name: Wrong\nSELECT $1::int", "x"); return err }, want: []string{"begin query Wrong", "end query Wrong rows 0 failed"}, fail: true},
		{do: func() error { _, err := conn.Exec(ctx, "-- name: Lost"); return err }, want: []string{"begin query Lost", "end query Lost rows 0"}},
		{do: func() error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"public", "t"}, []string{"n"}, pgx.CopyFromRows([][]any{{1}, {2}, {3}}))
			return err
		}, want: []string{"begin copy public.t", "end copy public.t rows 3"}},
		{do: func() error {
			_, err := conn.CopyFrom(ctx, pgx.Identifier{"none"}, []string{"n"}, pgx.CopyFromRows([][]any{{1}}))
			return err
		}, want: []string{"begin copy none", "end copy none rows 0 failed"}, fail: true},
		{do: func() error {
			b := &pgx.Batch{}
			b.Queue("-- name: Put :exec\nINSERT INTO t VALUES ($1)", 1)
			b.Queue("-- name: Put :exec\nINSERT INTO t VALUES ($1)", 2)
			return conn.SendBatch(ctx, b).Close()
		}, want: []string{"begin batch Put", "end batch Put rows 2"}},
		{do: func() error {
			b := &pgx.Batch{}
			b.Queue("-- name: Put :exec\nINSERT INTO t VALUES ($1)", 1)
			b.Queue("SELECT 1/$1::int", 0)
			b.Queue("-- name: Put :exec\nINSERT INTO t VALUES ($1)", 2)
			return conn.SendBatch(ctx, b).Close()
		}, want: []string{"begin batch", "end batch rows 3 failed"}, fail: true},
		{do: func() error {
			b := &pgx.Batch{}
			b.Queue("SELECT FROM none WHERE n = $1", 1)
			return conn.SendBatch(ctx, b).Close()
		}, want: []string{"begin batch", "end batch rows 1 failed"}, fail: true},
		{do: func() error {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			_, err := conn.Exec(ended, "-- name: Late\nSELECT 1")
			return err
		}, want: []string{"begin query Late", "end query Late rows 0 failed"}, fail: true},
	} {
		if err := test.do(); (err != nil) != test.fail {
			t.Errorf("%q: %v", test.want, err)
		}
		for _, e := range d.ends {
			var own *runtime.Error
			if test.fail && (!errors.As(e.Err, &own) || own.Query != e.Name) {
				t.Errorf("%q: the error is %#v", test.want, e.Err)
			}
			if e.Host == "" || e.PID != conn.PgConn().PID() || (e.Err != nil) != test.fail {
				t.Errorf("%q: %+v", test.want, e)
			}
		}
		if diff := cmp.Diff(test.want, d.take()); diff != "" {
			t.Error(diff)
		}
	}
	if runtime.Trace(nil) != nil {
		t.Error("a tracer for no observer")
	}
}

// Several observers nest, and two tracers in one connection do not mix.
func TestObservers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	all := &diary{}
	a, b, c := &diary{name: "a", into: all}, &diary{name: "b", into: all}, &diary{name: "c", into: all}
	conn := traced(t, db, multitracer.New(runtime.Trace(runtime.Observers(nil, a, b)), runtime.Trace(c)))
	all.take()
	if _, err := conn.Exec(context.Background(), "-- name: Q\nSELECT 1"); err != nil {
		t.Fatal(err)
	}
	want := []string{"a begin query Q", "b begin query Q", "c begin query Q", "b end query Q rows 1", "a end query Q rows 1", "c end query Q rows 1"}
	if diff := cmp.Diff(want, all.take()); diff != "" {
		t.Error(diff)
	}
	if runtime.Observers() != nil || runtime.Observers(nil, nil) != nil || runtime.Observers(nil, a) != runtime.Observer(a) {
		t.Error("no observer, or one, is not told by itself")
	}
}

// The slow-query log tells names, durations and classes of errors, and nothing
// that holds a value.
func TestSlowLog(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (n int, s text CHECK (s <> 'h1dden'))"))
	ctx := context.Background()
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	conn := traced(t, db, runtime.Trace(runtime.SlowLog(logger, 0)))
	quiet := traced(t, db, runtime.Trace(runtime.SlowLog(logger, time.Hour)))
	for _, c := range []*pgx.Conn{conn, quiet} {
		for _, sql := range []string{"-- name: Put :exec\nINSERT INTO t VALUES (length('h1dden'), $1)", "INSERT INTO t (s) VALUES ($1)", "-- name: Cast\nSELECT $1::text::int", "-- name: Enc\nSELECT $1::bytea[]"} {
			for _, arg := range []string{"h1dden", "1"} {
				_, _ = c.Exec(ctx, sql, arg)
			}
		}
	}
	o := runtime.SlowLog(logger, time.Hour)
	for _, e := range []runtime.Event{
		{Kind: runtime.EventLeak, Host: "db:5432", PID: 7, Dur: time.Minute, Note: "Checkout"},
		{Kind: runtime.EventConnect, Host: "db:5432", Err: errors.New("h1dden")},
		{Kind: runtime.EventRetry, Name: "buy", Tx: 9, Attempt: 2, Err: fmt.Errorf("h1dden: %w", context.DeadlineExceeded)},
		{Kind: runtime.EventFallback, Name: "Get", Note: "conflict", Standby: true},
		{Kind: runtime.EventClose, Note: "expired"},
		{Kind: runtime.EventTransaction, Name: "buy", Tx: 9, Dur: 2 * time.Hour, Note: "committed"},
		{Kind: runtime.EventAcquire, Dur: 2 * time.Hour, Err: context.Canceled},
		{Kind: runtime.EventAcquire, Dur: time.Minute},
		{Kind: runtime.EventAcquire, Dur: 2 * time.Hour, Err: fmt.Errorf("h1dden: %w", &pool.AcquireTimeoutError{})},
		{Kind: runtime.EventBatch, Dur: 2 * time.Hour, Rows: 3, Err: errors.New("h1dden")},
		{Kind: 99},
	} {
		o.End(ctx, e)
	}
	if text := out.String(); strings.Contains(text, "h1dden") || strings.Contains(text, "INSERT INTO") || strings.Contains(text, "SELECT $1") {
		t.Errorf("logged: %s", text)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if d, ok := fields["duration"].(float64); ok && d <= 0 {
			t.Errorf("a duration of %v", d)
		}
		if pid, ok := fields["pid"].(float64); ok && pid != 7 && pid != float64(conn.PgConn().PID()) {
			t.Errorf("pid is %v", pid)
		}
		parts := []string{fields["level"].(string), fields["msg"].(string)}
		for _, name := range []string{"name", "command", "status", "holder", "reason", "rows", "statements", "tx", "attempt", "standby", "error"} {
			if v, ok := fields[name]; ok {
				parts = append(parts, fmt.Sprintf("%s=%v", name, v))
			}
		}
		got = append(got, strings.Join(parts, " "))
	}
	want := []string{
		"WARN slow connect",
		"WARN slow query name=Put rows=0 error=23514", "WARN slow query name=Put rows=1",
		"WARN slow query name=unnamed command=INSERT rows=0 error=23514", "WARN slow query name=unnamed command=INSERT rows=1",
		"WARN slow query name=Cast rows=0 error=22P02", "WARN slow query name=Cast rows=1",
		"WARN slow query name=Enc rows=0 error=22P02", "WARN slow query name=Enc rows=0 error=22P02",
		"WARN connection held for long holder=Checkout", "WARN connection failed error=client",
		"INFO transaction repeated name=buy tx=9 attempt=2 error=deadline", "INFO read sent to the primary name=Get reason=conflict standby=true",
		"DEBUG connection closed reason=expired", "WARN slow transaction name=buy status=committed tx=9", "WARN slow acquire error=canceled", "WARN slow acquire error=not sent",
		"WARN slow batch name=unnamed statements=3 error=client",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Without an observer a query allocates what it does without a tracer; with one
// that has nothing to say, its span and pgx's own data.
func TestTraceAllocations(t *testing.T) {
	db := pgtest.New(t)
	ctx := context.Background()
	allocations := func(tracer pgx.QueryTracer) float64 {
		conn := traced(t, db, tracer)
		return testing.AllocsPerRun(200, func() {
			if _, err := conn.Exec(ctx, "-- name: Q :exec\nSELECT $1::int", 1); err != nil {
				t.Fatal(err)
			}
		})
	}
	none, off := allocations(nil), allocations(runtime.Trace(runtime.Observers()))
	silent := allocations(runtime.Trace(runtime.SlowLog(slog.New(slog.DiscardHandler), time.Hour)))
	t.Logf("%v without a tracer, %v without an observer, %v with a slow-query log", none, off, silent)
	if off != none {
		t.Errorf("%v allocations without an observer, %v without a tracer", off, none)
	}
	if silent > none+3 {
		t.Errorf("%v allocations with a slow-query log, %v without", silent, none)
	}
}
