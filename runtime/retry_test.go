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
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// verdict is what is said of an error.
type verdict struct {
	State                              string
	Connection, SafeToRetry, Retryable bool
}

func judge(err error) verdict {
	e, _ := runtime.NewError(context.Background(), "Q", err).(*runtime.Error)
	if e == nil {
		return verdict{State: "no error"}
	}
	// What is wrapped is judged as what is not.
	wrapped := fmt.Errorf("wrapped: %w", e)
	if runtime.Retryable(err) != runtime.Retryable(wrapped) || runtime.SafeToRetry(err) != runtime.SafeToRetry(wrapped) {
		return verdict{State: "differs when wrapped"}
	}
	return verdict{e.SQLState, e.IsConnection(), runtime.SafeToRetry(err), runtime.Retryable(err)}
}

// Errors of making a connection: nothing ran, and some will come again.
func TestRetryOfConnectErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.New(t)
	role := "limited_" + db.Name
	db.Exec("CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 0")
	t.Cleanup(func() { db.Exec("DROP ROLE " + role) })
	connect := func(change func(*pgx.ConnConfig)) error {
		config, err := pgx.ParseConfig(db.URL)
		if err != nil {
			t.Fatal(err)
		}
		change(config)
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			_ = conn.Close(ctx)
		}
		return err
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, late := pgx.Connect(canceled, db.URL)
	for name, test := range map[string]struct {
		err  error
		want verdict
	}{
		"refused":      {connect(func(c *pgx.ConnConfig) { c.Host, c.Port, c.TLSConfig, c.Fallbacks = "127.0.0.1", 1, nil, nil }), verdict{"", true, true, true}},
		"unknown host": {connect(func(c *pgx.ConnConfig) { c.Host, c.TLSConfig, c.Fallbacks = "no-such-host.invalid", nil, nil }), verdict{"", true, true, true}},
		"no such role": {connect(func(c *pgx.ConnConfig) { c.User = "nobody_" + db.Name }), verdict{"28000", true, true, false}},
		"no database":  {connect(func(c *pgx.ConnConfig) { c.Database = "none" }), verdict{"3D000", true, true, false}},
		"role is full": {connect(func(c *pgx.ConnConfig) { c.User = role }), verdict{"53300", true, true, true}},
		"no setting":   {connect(func(c *pgx.ConnConfig) { c.RuntimeParams["no_such_setting"] = "x" }), verdict{"42704", true, true, false}},
		"wrong value":  {connect(func(c *pgx.ConnConfig) { c.RuntimeParams["statement_timeout"] = "x" }), verdict{"22023", true, true, false}},
		"wrong role":   {connect(func(c *pgx.ConnConfig) { c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsStandby }), verdict{"", true, true, true}},
		"late":         {late, verdict{"", true, true, false}},
		"time-out":     {connect(func(c *pgx.ConnConfig) { c.ConnectTimeout = 1 }), verdict{"", true, true, true}},
		"several, first": {connect(func(c *pgx.ConnConfig) {
			c.Fallbacks = []*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port}}
			c.Host, c.Port, c.TLSConfig, c.Database = "127.0.0.1", 1, nil, "none"
		}), verdict{"3D000", true, true, false}},
	} {
		if diff := cmp.Diff(test.want, judge(test.err)); diff != "" {
			t.Errorf("%s: %v: %s", name, test.err, diff)
		}
	}
}

// Errors of statements, each made by a server: what is known of their outcome.
func TestRetryOfStatementErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE u (); INSERT INTO t VALUES (1, 0), (2, 0)"))
	exec := func(conn *pgx.Conn, sqls ...string) (err error) {
		for _, sql := range sqls {
			if _, err = conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	serialization := func() error {
		a, b := db.Conn(), db.Conn()
		must(exec(a, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT * FROM t"))
		must(exec(b, "UPDATE t SET n = n + 1"))
		return exec(a, "UPDATE t SET n = n + 1")
	}
	deadlock := func() error {
		a, b := db.Conn(), db.Conn()
		must(exec(a, "SET deadlock_timeout = '10s'", "BEGIN", "UPDATE t SET n = 1 WHERE id = 1"))
		must(exec(b, "SET deadlock_timeout = '10ms'", "BEGIN", "UPDATE t SET n = 1 WHERE id = 2"))
		done := make(chan error, 1)
		go func() { done <- exec(a, "UPDATE t SET n = 1 WHERE id = 2", "ROLLBACK") }()
		err := errors.New("no deadlock")
		for range 500 { // until a waits
			var waits bool
			must(db.Pool().QueryRow(ctx, "SELECT cardinality(pg_blocking_pids($1)) > 0", a.PgConn().PID()).Scan(&waits))
			if waits {
				err = exec(b, "UPDATE t SET n = 1 WHERE id = 1")
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		must(exec(b, "ROLLBACK"))
		must(<-done)
		return err
	}
	killed := func(running bool) error {
		victim := db.Conn()
		kill := func() error {
			_, err := db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1, 10000)", victim.PgConn().PID())
			return err
		}
		if !running {
			must(kill())
			return exec(victim, "SELECT 1")
		}
		done := make(chan error, 1)
		go func() { done <- exec(victim, "SELECT pg_sleep(30)") }()
		for range 500 {
			var active bool
			must(db.Pool().QueryRow(ctx, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1", victim.PgConn().PID()).Scan(&active))
			if active {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		must(kill())
		return <-done
	}
	idle := func(setting string, before ...string) error {
		conn := db.Conn()
		must(exec(conn, append(before, "SET "+setting+" = 20")...))
		var gone bool
		for range 500 {
			must(db.Pool().QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", conn.PgConn().PID()).Scan(&gone))
			if gone {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		return exec(conn, "SELECT 1")
	}
	canceled := func(early bool) error {
		conn := db.Conn()
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if early {
			cancel()
		}
		_, err := conn.Exec(short, "SELECT pg_sleep(30)")
		return err
	}
	locked := func() error {
		holder := db.Conn()
		must(exec(holder, "BEGIN", "LOCK TABLE u"))
		return exec(db.Conn(), "SET lock_timeout = 20", "SELECT FROM u")
	}
	closed := func() error {
		conn := db.Conn()
		must(conn.Close(ctx))
		return exec(conn, "SELECT 1")
	}
	busy := func() error {
		conn := db.Conn()
		rows, err := conn.Query(ctx, "SELECT generate_series(1, 9)")
		must(err)
		defer rows.Close()
		return exec(conn, "SELECT 1")
	}
	for name, test := range map[string]struct {
		err  error
		want verdict
	}{
		"serialization":               {serialization(), verdict{"40001", false, false, true}},
		"deadlock":                    {deadlock(), verdict{"40P01", false, false, true}},
		"killed in the middle":        {killed(true), verdict{"57P01", true, false, false}},
		"killed before":               {killed(false), verdict{"57P01", true, false, false}},
		"idle in transaction":         {idle("idle_in_transaction_session_timeout", "BEGIN"), verdict{"25P03", true, false, false}},
		"idle":                        {idle("idle_session_timeout"), verdict{"57P05", true, false, false}},
		"context ended before":        {canceled(true), verdict{"", false, true, false}},
		"context ended in the middle": {canceled(false), verdict{"", false, false, false}},
		"closed before":               {closed(), verdict{"", true, false, false}},
		"busy":                        {busy(), verdict{"", false, true, true}},
		"statement time-out":          {exec(db.Conn(), "SET statement_timeout = 20", "SELECT pg_sleep(30)"), verdict{"57014", false, false, false}},
		"lock time-out":               {locked(), verdict{"55P03", false, false, false}},
		"read only":                   {exec(db.Conn(), "BEGIN READ ONLY", "DELETE FROM t"), verdict{"25006", false, false, false}},
		"unique":                      {exec(db.Conn(), "INSERT INTO t VALUES (1)"), verdict{"23505", false, false, false}},
		"failed transaction":          {func() error { c := db.Conn(); _ = exec(c, "BEGIN", "SELECT 1/0"); return exec(c, "SELECT 1") }(), verdict{"25P02", false, false, false}},
		"unknown outcome":             {unknown{&pgconn.PgError{Code: "40001"}}, verdict{"40001", false, false, false}},
		"malformed":                   {runtime.NewError(ctx, "Q", malformed(t, db)), verdict{"08P01", false, false, false}},
	} {
		got := judge(test.err)
		if (name == "killed before" || strings.HasPrefix(name, "idle")) && got == (verdict{"", true, true, true}) {
			continue // a Unix socket whose other end is closed takes nothing: nothing was sent
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %v: %s", name, test.err, diff)
		}
	}
}

// unknown is a commit whose answer was lost.
type unknown struct{ error }

func (unknown) OutcomeUnknown() bool { return true }
func (u unknown) Unwrap() error      { return u.error }

// malformed makes the server complain about the number of result formats.
func malformed(t *testing.T, db *pgtest.DB) error {
	conn := db.Conn().PgConn()
	return conn.ExecParams(context.Background(), "SELECT 1", nil, nil, nil, []int16{1, 1}).Read().Err
}

// A server that shuts down, or starts, is one that may be asked again.
func TestRetryOfServersThatCome(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	node := pgtest.NewCluster(t, pgtest.ClusterOptions{}).Nodes()[0]
	held, err := node.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- node.Stop(ctx, pgtest.Smart) }()
	seen := false
	for !seen {
		conn, err := node.Conn(ctx)
		if err == nil {
			_ = conn.Close(ctx)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		seen = true
		if diff := cmp.Diff(verdict{"57P03", true, true, true}, judge(err)); diff != "" {
			t.Errorf("%v: %s", err, diff)
		}
	}
	_ = held.Close(ctx)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	_, err = node.Conn(ctx)
	if diff := cmp.Diff(verdict{"", true, true, true}, judge(err)); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

// The values that a server puts in its detail, hint and context are shown
// nowhere, and there for who asks.
func TestErrorShowsNoValues(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TABLE t (s text CONSTRAINT t_key UNIQUE, n int NOT NULL DEFAULT 1); INSERT INTO t VALUES ('h1dden');
		CREATE FUNCTION f(v text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO t VALUES (%L)', v); EXCEPTION WHEN unique_violation THEN RAISE unique_violation USING MESSAGE = 'taken', DETAIL = v, HINT = v, CONSTRAINT = 't_key'; END $$`))
	ctx := context.Background()
	for _, sql := range []string{"INSERT INTO t VALUES ($1)", "INSERT INTO t VALUES ($1, NULL)", "SELECT f($1)"} {
		err := runtime.Exec(ctx, db.Pool(), runtime.Query{Name: "Put", SQL: sql}, "h1dden")
		e := runtime.AsError(err)
		if e == nil || !strings.Contains(e.Detail(), "h1dden") {
			t.Fatalf("%s: the detail is %q (%v)", sql, e.Detail(), err)
		}
		if sql == "SELECT f($1)" && (e.Hint() != "h1dden" || !strings.Contains(e.Where(), "PL/pgSQL function f")) {
			t.Errorf("hint %q, where %q", e.Hint(), e.Where())
		}
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Detail != e.Detail() {
			t.Error("pgx's error is not there")
		}
		object, jsonErr := json.Marshal(map[string]any{"error": err})
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			logger := slog.New(h)
			logger.Error("failed", "error", err, "wrapped", fmt.Errorf("wrapped: %w", err))
			logger.Error(err.Error())
		}
		texts := []string{err.Error(), string(object), log.String()}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts = append(texts, fmt.Sprintf(format, err), fmt.Sprintf(format, fmt.Errorf("wrapped: %w", err)))
		}
		for _, text := range texts {
			if strings.Contains(text, "h1dden") {
				t.Errorf("%s: shown in %s", sql, text)
			}
		}
		if jsonErr != nil || !strings.Contains(log.String(), `"error":{"query":"Put","message":"ERROR: `) || !strings.Contains(log.String(), "error.sqlstate=23") {
			t.Errorf("%s: logged %s (%v)", sql, log.String(), jsonErr)
		}
		var got map[string]map[string]string
		if err := json.Unmarshal(object, &got); err != nil {
			t.Error(err)
		}
		if sql == "INSERT INTO t VALUES ($1)" {
			want := map[string]string{
				"query": "Put", "message": `ERROR: duplicate key value violates unique constraint "t_key" (SQLSTATE 23505)`,
				"sqlstate": "23505", "schema": "public", "table": "t", "constraint": "t_key",
			}
			if diff := cmp.Diff(want, got["error"]); diff != "" {
				t.Error(diff)
			}
		}
	}
	var none *runtime.Error
	if none.Detail() != "" || none.Hint() != "" || none.Where() != "" || runtime.AsError(runtime.NewError(ctx, "Q", errors.New("x"))).Detail() != "" {
		t.Error("a detail of nothing")
	}
}
