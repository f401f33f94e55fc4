package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

// envHelper makes the test binary start a server, say so and wait for its death.
const envHelper = "PGTEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(envHelper) != "" {
		helper()
		return
	}
	os.Exit(pgtest.Main(m))
}

// helper prints a folder and processes, which shall all go when it is killed.
func helper() {
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	switch os.Getenv(envHelper) {
	case "server":
		s, err := pgtest.Start(ctx, pgtest.Options{})
		fail(err)
		u, err := pgx.ParseConfig(s.URL)
		fail(err)
		fmt.Println(u.Host, s.PID)
	case "keep":
		r := &recorder{}
		db := pgtest.New(r, pgtest.SQL(schema))
		r.Errorf("a failure")
		r.end()
		s, err := pgtest.Shared()
		fail(err)
		fail(s.Stop())
		fmt.Println("kept", s.PID, db.URL, strings.Join(r.logs, " "))
		os.Exit(0)
	case "cluster":
		c, err := pgtest.StartCluster(ctx, pgtest.ClusterOptions{Standbys: 1, Synchronous: 1})
		fail(err)
		fail(c.Nodes()[1].Stop(ctx, pgtest.Fast))
		fail(c.Nodes()[1].Start(ctx))
		fmt.Println(filepath.Dir(filepath.Dir(c.Nodes()[0].DataDir())), c.Nodes()[0].PID(), c.Nodes()[1].PID())
	}
	time.Sleep(time.Hour)
}

const schema = `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);`

func count(t *testing.T, db *pgtest.DB) int {
	t.Helper()
	var n int
	if err := db.Pool().QueryRow(context.Background(), "SELECT count(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// recorder is a test whose failure is looked at.
type recorder struct {
	testing.TB
	failures []string
	logs     []string
	cleanups []func()
}

func (r *recorder) Helper() {}
func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

// end runs the cleanups, as the end of a test does.
func (r *recorder) end() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Failed() bool     { return len(r.failures) > 0 }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// A connection that is not given back fails the test and does not hold it.
func TestPoolLeak(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	db := pgtest.New(r)
	conn, err := db.Pool().Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	r.end()
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], "1 connections were not given back") {
		t.Errorf("failures: %q", r.failures)
	}
	var n int
	if err := pgtest.New(t).Pool().QueryRow(context.Background(), "SELECT count(*) FROM pg_database WHERE datname = $1", db.Name).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d databases left (%v)", n, err)
	}
}

// Tests with one schema text share a template, and none sees another's rows.
func TestNewIsolates(t *testing.T) {
	t.Parallel()
	for i := range 8 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t, pgtest.SQL(schema))
			if n := count(t, db); n != 2 {
				t.Fatalf("a fresh database has %d rows, want 2", n)
			}
			db.Exec(fmt.Sprintf("INSERT INTO t SELECT 10 + g FROM generate_series(1, %d) g", i))
			if n := count(t, db); n != 2+i {
				t.Fatalf("got %d rows, want %d", n, 2+i)
			}
		})
	}
}

func TestNewDrops(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) {
		db := pgtest.New(t, pgtest.SQL(schema))
		name = db.Name
		count(t, db)
	})
	var there bool
	err := pgtest.New(t).Conn().QueryRow(context.Background(), "SELECT exists(SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err != nil || there {
		t.Fatalf("database %s is still there (error %v)", name, err)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"1.sql": "CREATE TABLE t (id int)", "2.sql": "INSERT INTO t VALUES (1)"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := pgtest.New(t, pgtest.Files(filepath.Join(dir, "*.sql")), pgtest.SQL("INSERT INTO t VALUES (2)"),
		pgtest.FS(fstest.MapFS{"x/3.sql": {Data: []byte("INSERT INTO t VALUES (3)")}}, "x/*.sql"))
	if n := count(t, db); n != 3 {
		t.Fatalf("got %d rows, want 3", n)
	}
}

// A directory of migrations is applied in its order, without the way back.
func TestMigrations(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"goose": {
			"2_rows.sql":  "-- +goose Up\nINSERT INTO t VALUES (1);\n-- +goose Down\nDELETE FROM t;",
			"1_table.sql": "-- +goose Up\nCREATE TABLE t (id int);\n-- +goose Down\nDROP TABLE t;",
			"10_rows.sql": "-- +goose Up\nINSERT INTO t SELECT id + 1 FROM t;",
		},
		"golang-migrate": {
			"1_table.up.sql": "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)", "1_table.down.sql": "DROP TABLE t",
		},
	} {
		dir := t.TempDir()
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, pgtest.New(t, pgtest.Migrations(dir))); n != 2 {
			t.Errorf("%s: %d rows, want 2", name, n)
		}
	}
}

func TestCreateErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	fsys := fstest.MapFS{"a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE t();\n-- +goose Down\nDROP TABLE t;")}}
	for _, test := range []struct {
		name, want string
		source     pgtest.Source
	}{
		{"syntax", "schema text 2:2: ", pgtest.SQL("SELECT 1", "\nSELEKT 1")},
		{"missing migrations", "/nonexistent", pgtest.Migrations("/nonexistent")},
		{"missing file", "file does not exist", pgtest.Files("/nonexistent/*.sql")},
		{"down migration", `"a.sql" holds a down migration`, pgtest.FS(fsys, "*.sql")},
	} {
		_, err := s.Create(context.Background(), test.source)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want it to contain %q", test.name, err, test.want)
		}
	}
}

// start starts a server of the test's own, whatever the environment says.
func start(t *testing.T) *pgtest.Server {
	t.Helper()
	s, err := pgtest.Start(context.Background(), pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func TestStop(t *testing.T) {
	t.Parallel()
	if os.Getenv(pgtest.EnvURL) != "" {
		t.Log("the server of the environment is not stopped; only its databases are dropped")
	}
	s := start(t)
	db, err := s.Create(context.Background(), pgtest.SQL(schema))
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatalf("second Stop: %v", err)
	}
	if _, err := pgx.Connect(context.Background(), db.URL); err == nil {
		t.Error("the database still answers after Stop")
	}
	if s.PID == 0 {
		return
	}
	if !gone(s.PID) {
		t.Errorf("server %d still runs after Stop", s.PID)
	}
	if _, err := os.Stat(config.Host); !os.IsNotExist(err) {
		t.Errorf("%s is still there after Stop (%v)", config.Host, err)
	}
}

// A killed process takes its servers with it.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"server", "cluster"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			killed(t, kind)
		})
	}
}

func killed(t *testing.T, kind string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, pgtest.EnvURL+"=") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, envHelper+"="+kind)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	var pids []int
	for field := range strings.FieldsSeq(rest) {
		pid, err := strconv.Atoi(field)
		if err != nil || gone(pid) {
			t.Fatalf("%q: server %d does not run (%v)", line, pid, err)
		}
		pids = append(pids, pid)
	}
	if len(pids) == 0 {
		t.Fatalf("no server: %q", line)
	}
	// The whole group, as a shell's or a CI runner's kill would.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, statErr := os.Stat(dir)
		alive := slices.DeleteFunc(slices.Clone(pids), gone)
		if len(alive) == 0 && os.IsNotExist(statErr) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("20 s after the kill: servers %v run, folder: %v", alive, statErr)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// The database of a failed test, and its server, stay where that is asked for.
func TestKeep(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, pgtest.EnvURL+"=") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, envHelper+"=keep", pgtest.EnvKeep+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 4 {
		t.Fatalf("got %q", out)
	}
	pid, err := strconv.Atoi(fields[1])
	if err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	defer func() {
		_ = syscall.Kill(pid, syscall.SIGINT)
		config, err := pgx.ParseConfig(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if _, err := os.Stat(config.Host); gone(pid) && os.IsNotExist(err) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("the server that was left does not end, or leaves files")
			}
		}
	}()
	if n := one[int](t, fields[2], "SELECT count(*) FROM t"); n != 2 {
		t.Errorf("the kept database has %d rows", n)
	}
	for _, want := range []string{"psql '" + fields[2] + "'", fmt.Sprintf("kill -INT %d", pid)} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not logged: %s", want, out)
		}
	}
}

// On a server that was there before, databases of dead processes are dropped
// and those of living ones are not.
func TestForeignServer(t *testing.T) {
	base := start(t)
	t.Setenv(pgtest.EnvURL, base.URL)
	ctx := context.Background()
	a, b := start(t), start(t)
	if a.PID != 0 {
		t.Fatal("a new server was started although the environment names one")
	}
	db, err := a.Create(ctx, pgtest.SQL(schema))
	if err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.Connect(ctx, base.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CREATE DATABASE dbgen_test_deadbeef_1"); err != nil {
		t.Fatal(err)
	}
	start(t)
	names := func() string {
		var s string
		if err := admin.QueryRow(ctx, "SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_database WHERE datname LIKE 'dbgen%'").Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := names(); strings.Contains(s, "deadbeef") || !strings.Contains(s, db.Name) {
		t.Fatalf("databases after a start: %s; want %s and no deadbeef", s, db.Name)
	}
	for _, s := range []*pgtest.Server{a, b} {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	// Others may use the same server: their databases have other prefixes.
	if s, own := names(), db.Name[:strings.LastIndexByte(db.Name, '_')+1]; strings.Contains(s, own) {
		t.Fatalf("databases after Stop: %s", s)
	}
}

func BenchmarkCreate(b *testing.B) {
	pgtest.New(b, pgtest.SQL(schema))
	for b.Loop() {
		pgtest.New(b, pgtest.SQL(schema))
	}
}
