package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const constraints = `
CREATE EXTENSION btree_gist;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (
	id int CONSTRAINT child_key UNIQUE,
	parent_id int CONSTRAINT child_parent_fkey REFERENCES parent,
	n int CONSTRAINT child_n_check CHECK (n > 0),
	must int NOT NULL DEFAULT 1,
	span int4range,
	CONSTRAINT child_span_excl EXCLUDE USING gist (span WITH &&)
);
CREATE SCHEMA other;
CREATE TABLE other.child (id int CONSTRAINT child_key UNIQUE);
CREATE TABLE event (id int, at date, n int CONSTRAINT event_n_check CHECK (n > 0), CONSTRAINT event_key UNIQUE (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO parent VALUES (1);
INSERT INTO child (id, parent_id, n, span) VALUES (1, 1, 1, '[1,5)');
INSERT INTO other.child VALUES (1);
INSERT INTO event VALUES (1, '2024-05-05', 1);
`

func TestConstraintErrors(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(constraints)).Pool()
	key := &runtime.ConstraintError{Schema: "public", Table: "child", Constraint: "child_key"}
	eventKey := &runtime.ConstraintError{Schema: "public", Table: "event", Constraint: "event_key", Partitions: []runtime.Partition{{Table: "event_2024", Constraint: "event_2024_id_at_key"}}}
	for _, test := range []struct {
		sql   string
		class func(*runtime.Error) bool
		match *runtime.ConstraintError // nil: none
	}{
		{"INSERT INTO child VALUES (1)", (*runtime.Error).IsUnique, key},
		{"INSERT INTO other.child VALUES (1)", (*runtime.Error).IsUnique, nil},
		{"INSERT INTO child VALUES (2, 9)", (*runtime.Error).IsForeignKey, &runtime.ConstraintError{Schema: "public", Table: "child", Constraint: "child_parent_fkey"}},
		{"DELETE FROM parent", (*runtime.Error).IsForeignKey, &runtime.ConstraintError{Schema: "public", Table: "child", Constraint: "child_parent_fkey"}},
		{"INSERT INTO child VALUES (2, 1, 0)", (*runtime.Error).IsCheck, &runtime.ConstraintError{Table: "child", Constraint: "child_n_check"}},
		{"INSERT INTO child VALUES (2, 1, 1, NULL)", (*runtime.Error).IsNotNull, nil},
		{"INSERT INTO child VALUES (2, 1, 1, 1, '[2,3)')", (*runtime.Error).IsExclusion, &runtime.ConstraintError{Schema: "public", Table: "child", Constraint: "child_span_excl"}},
		{"INSERT INTO event VALUES (1, '2024-05-05')", (*runtime.Error).IsUnique, eventKey},
		{"INSERT INTO event VALUES (1, '2024-05-06', 0)", (*runtime.Error).IsCheck, &runtime.ConstraintError{Schema: "public", Table: "event", Constraint: "event_n_check", Partitions: []runtime.Partition{{Table: "event_2024"}}}},
	} {
		err := runtime.Exec(context.Background(), db, runtime.Query{Name: "Put", SQL: test.sql})
		e := runtime.AsError(err)
		if !test.class(e) || !e.IsConstraint() || e.Query != "Put" {
			t.Errorf("%s: %v has the wrong class", test.sql, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), "Put: ERROR: ") || strings.Contains(err.Error(), "=(") || strings.Contains(err.Error(), "Failing row") {
			t.Errorf("%s: the text is %q", test.sql, err)
		}
		if test.match != nil && !errors.Is(fmt.Errorf("wrapped: %w", err), test.match) {
			t.Errorf("%s: %+v does not match %+v", test.sql, e, test.match)
		}
		for _, wrong := range []*runtime.ConstraintError{key, eventKey} {
			if wrong != test.match && errors.Is(err, wrong) {
				t.Errorf("%s: %+v matches %+v", test.sql, e, wrong)
			}
		}
	}
	e := runtime.AsError(runtime.Exec(context.Background(), db, runtime.Query{Name: "Put", SQL: "INSERT INTO child VALUES (2, 1, 1, NULL)"}))
	if e.Column != "must" || e.Table != "child" || e.Schema != "public" {
		t.Errorf("not-null error is %+v", e)
	}
}

func TestErrorClasses(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (id int); INSERT INTO t VALUES (1)"))
	ctx := context.Background()
	holder, err := db.Conn().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(ctx)
	if _, err := holder.Exec(ctx, "SELECT FROM t FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		sql   string
		class func(*runtime.Error) bool
		retry bool
	}{
		{"SELECT 1/0", (*runtime.Error).IsData, false},
		{"SELECT FROM t FOR UPDATE NOWAIT", (*runtime.Error).IsLockTimeout, false},
		{"SET statement_timeout = 20; SELECT pg_sleep(5)", (*runtime.Error).IsStatementTimeout, false},
		{"SET default_transaction_read_only = on; INSERT INTO t VALUES (1)", (*runtime.Error).IsReadOnly, false},
		{"DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", (*runtime.Error).IsSerialization, true},
		{"DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", (*runtime.Error).IsDeadlock, true},
		{"DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$", (*runtime.Error).IsConnection, false},
	} {
		conn := connIn(t, db, pgx.QueryExecModeSimpleProtocol)
		var err error
		for _, sql := range strings.Split(strings.TrimSuffix(test.sql, "$$"), "; ") {
			if strings.HasPrefix(test.sql, "DO") {
				sql = test.sql
			}
			if err = runtime.Exec(ctx, conn, runtime.Query{Name: "Q", SQL: sql}); err != nil {
				break
			}
		}
		if err == nil || !test.class(runtime.AsError(err)) {
			t.Errorf("%s: %v has the wrong class", test.sql, err)
		}
		if got := runtime.Retryable(err); got != test.retry {
			t.Errorf("%s: Retryable is %v", test.sql, got)
		}
		if runtime.SafeToRetry(err) {
			t.Errorf("%s: SafeToRetry", test.sql)
		}
	}
	var none *runtime.Error
	if none.IsUnique() || none.IsConnection() || none.IsConstraint() || none.IsStatementTimeout() || runtime.AsError(errors.New("x")) != nil {
		t.Error("a nil *Error has a class")
	}
	if e := runtime.AsError(&pgconn.PgError{Code: "23505"}); !e.IsUnique() {
		t.Error("AsError does not take pgx's own error")
	}
}

func TestRetryOfConnectionErrors(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := context.Background()
	_, refused := pgx.Connect(ctx, "postgres://u@127.0.0.1:1/d?sslmode=disable")
	if !runtime.SafeToRetry(refused) || !runtime.Retryable(refused) || pgconn.SafeToRetry(refused) {
		t.Errorf("refused connection: %v", refused)
	}
	config, _ := pgx.ParseConfig(db.URL)
	config.Database = "no_such_database"
	_, missing := pgx.ConnectConfig(ctx, config)
	if !runtime.SafeToRetry(missing) || runtime.Retryable(missing) {
		t.Errorf("missing database: %v", missing)
	}
	// A connection that is lost while the statement runs: pgx would retry it.
	conn := db.Conn()
	time.AfterFunc(50*time.Millisecond, func() { _ = conn.PgConn().Conn().Close() })
	err := runtime.Exec(ctx, conn, runtime.Query{Name: "Q", SQL: "SELECT pg_sleep(10)"})
	if err == nil || runtime.SafeToRetry(err) || runtime.Retryable(err) || !runtime.AsError(err).IsConnection() {
		t.Errorf("lost connection: %v", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	err = runtime.Exec(done, db.Conn(), runtime.Query{Name: "Q", SQL: "SELECT 1"})
	if !runtime.SafeToRetry(err) || runtime.Retryable(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	if runtime.Retryable(nil) || runtime.SafeToRetry(nil) {
		t.Error("nil is retryable")
	}
	// A backend that is killed while the statement runs: nobody knows.
	victim := db.Conn()
	time.AfterFunc(50*time.Millisecond, func() {
		_, _ = db.Pool().Exec(ctx, "SELECT pg_terminate_backend($1)", victim.PgConn().PID())
	})
	err = runtime.Exec(ctx, victim, runtime.Query{Name: "Q", SQL: "SELECT pg_sleep(10)"})
	if err == nil || runtime.SafeToRetry(err) || runtime.Retryable(err) || !runtime.AsError(err).IsConnection() {
		t.Errorf("killed backend: %v", err)
	}
}
