// Package pgtest gives every test a real PostgreSQL database of its own, in
// milliseconds: the schema is loaded once into a template database and each
// test gets a clone of it.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestTransfer(t *testing.T) {
//		t.Parallel()
//		db := pgtest.New(t, pgtest.Migrations("../migrations"))
//		repo := bank.New(db.Pool())
//		…
//	}
//
// The server is, in this order: the one DBGEN_TEST_DATABASE_URL names; one
// started from the binaries of the machine (DBGEN_TEST_PG_BINDIR, PATH,
// pg_config, the usual folders, newest first); one started from the binaries
// that the embedded-postgres library fetches. There is one server in a test
// process. It is started by the first test that needs it and is gone when the
// process is, however that ends. No server at all fails the test; nothing is
// ever skipped.
//
// A server of ours has fsync off, listens on a Unix socket in a folder only its
// user can enter, and runs as an unprivileged user when the process is root. Its
// files are in memory on Linux (/dev/shm, where 4 GB are free there and TMPDIR is
// not set), else in the folder for temporary files.
//
// When a test fails, it logs what the server logged about its database, and where
// that was; DBGEN_TEST_KEEP=1 keeps it.
//
// [NewCluster] starts a primary with streaming standbys, to be crashed, demoted
// and promoted; [StartPgBouncer] puts a PgBouncer before a server. Outside tests
// (demonstrations, tools) [Start] gives a server as New uses it.
//
// On Windows no server can be started yet: [EnvURL] must name one.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// EnvURL is the environment variable that names the server to test on. Its role
// must be allowed to create databases.
const EnvURL = "DBGEN_TEST_DATABASE_URL"

// EnvBinDir is the environment variable that names the folder with the server
// binaries (postgres, initdb) to start a server from, before any other.
const EnvBinDir = "DBGEN_TEST_PG_BINDIR"

// EnvKeep is the environment variable that, set to 1, keeps the databases of
// tests that fail, so that they can be looked at; the test logs where. A server
// that was started here is left running then, until it is ended by hand (the
// test logs how), and its files go with it. On a server that was there before
// they stay until the next run of tests.
const EnvKeep = "DBGEN_TEST_KEEP"

// shared holds the one server of the process. A test function has no other
// place to hand a server to the next one: this is the package's only state.
var shared struct {
	mu     sync.Mutex
	server *Server
	err    error
}

// startTimeout bounds the start of a server, a download of its binaries
// included.
const startTimeout = 5 * time.Minute

// Shared returns the server of the process, started at the first call; [New]
// and [Main] use it. It is for examples and for a TestMain that needs a database
// itself, and must not be stopped by the caller.
func Shared() (*Server, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		shared.server, shared.err = Start(ctx, Options{})
	}
	return shared.server, shared.err
}

// Main runs the tests of m, stops the server they shared and returns the exit
// status for os.Exit. Without it the server stops a moment after the process
// instead of before its end.
func Main(m *testing.M) int {
	code := m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			if code == 0 {
				code = 1
			}
		}
		shared.server = nil
	}
	return code
}

// DB is a database that belongs to one test.
type DB struct {
	*Database
	t testing.TB

	mu   sync.Mutex
	pool *pgxpool.Pool
}

// New returns a database with the given schema, for t alone; it is dropped when
// t ends. Databases with the same schema text are clones of one template. It is
// safe to call from parallel tests. Any failure ends the test. When the test
// fails, what the server logged about its database is shown; with [EnvKeep] the
// database is kept.
func New(t testing.TB, schema ...Source) *DB {
	t.Helper()
	server, err := Shared()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	mark := server.logSize()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	database, err := server.Create(ctx, schema...)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	db := &DB{Database: database, t: t}
	t.Cleanup(func() {
		if db.pool != nil {
			closePool(t, db.pool)
		}
		if t.Failed() {
			if log := server.logOf(mark, database.Name); log != "" {
				t.Logf("PostgreSQL %s, database %s, logged:\n%s", server.Version, database.Name, log)
			}
			if os.Getenv(EnvKeep) == "1" {
				if err := server.keep(database.Name); err != nil {
					t.Errorf("pgtest: %v", err)
				} else {
					t.Logf("PostgreSQL %s, the test's database is kept: psql '%s'%s", server.Version, database.URL, server.howToEnd())
					return
				}
			}
			t.Logf("the test's database was %s; %s=1 keeps it", database.URL, EnvKeep)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := database.Drop(ctx); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return db
}

// closeTimeout is how long connections may take to come back at a test's end.
const closeTimeout = 10 * time.Second

// closePool closes the pool; connections that do not come back fail the test
// instead of holding it for ever.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		t.Errorf("pgtest: %d connections were not given back to the pool", pool.Stat().AcquiredConns())
	}
}

// Pool returns a pool on the database, the same one at each call. It is closed
// when the test ends; connections that do not go back to it by then, or within
// ten seconds, fail the test.
func (db *DB) Pool() *pgxpool.Pool {
	db.t.Helper()
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.pool == nil {
		pool, err := pgxpool.New(context.Background(), db.URL)
		if err != nil {
			db.t.Fatalf("pgtest: %v", err)
		}
		db.pool = pool
	}
	return db.pool
}

// Conn returns a new connection to the database, closed when the test ends.
func (db *DB) Conn() *pgx.Conn {
	db.t.Helper()
	conn, err := pgx.Connect(context.Background(), db.URL)
	if err != nil {
		db.t.Fatalf("pgtest: %v", err)
	}
	db.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Exec runs sql, which may hold several statements and no arguments, and ends
// the test on an error.
func (db *DB) Exec(sql string) {
	db.t.Helper()
	if _, err := db.Pool().Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		db.t.Fatalf("pgtest: %v", err)
	}
}
