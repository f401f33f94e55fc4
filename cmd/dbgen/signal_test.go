package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
)

// run is a dbgen under way in a folder of its own.
type run struct {
	*exec.Cmd
	dir    string
	stderr bytes.Buffer
}

func start(t *testing.T, files map[string]string, args ...string) *run {
	t.Helper()
	r := &run{dir: t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.Cmd = exec.CommandContext(t.Context(), "dbgen", args...)
	r.Dir, r.Stderr = r.dir, &r.stderr
	return r
}

// end waits and returns the exit status, -1 for the end by a signal.
func (r *run) end(t *testing.T) int {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- r.Wait() }()
	select {
	case err := <-done:
		var ee *exec.ExitError
		if err != nil && !errors.As(err, &ee) {
			t.Fatal(err)
		}
		return r.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		_ = r.Process.Kill()
		t.Fatalf("dbgen hangs; it said %s", r.stderr.String())
		return 0
	}
}

func (r *run) listing(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

const (
	schemaText = "CREATE TABLE authors (id bigint PRIMARY KEY, name text NOT NULL);\n"
	queryText  = "-- name: GetAuthor :one\nSELECT name FROM authors WHERE id = @id;\n"
)

// TestInterruptGenerate sends Ctrl-C while the schema, a named pipe, is read.
func TestInterruptGenerate(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			r := start(t, map[string]string{"q.sql": queryText}, "generate", "--schema", "schema.sql", "--queries", "q.sql", "--out", "a/b")
			pipe := filepath.Join(r.dir, "schema.sql")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := r.Start(); err != nil {
				t.Fatal(err)
			}
			// Opening waits until dbgen reads, and then it listens to signals.
			w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // for the signal to be seen, on a busy machine too
			if _, err := w.WriteString(schemaText); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := r.end(t); got != 2 {
				t.Errorf("exit status %d, want 2", got)
			}
			if got := r.stderr.String(); got != "dbgen: interrupted\n" {
				t.Errorf("stderr is %q", got)
			}
			if got := fmt.Sprint(r.listing(t)); got != "[q.sql schema.sql]" {
				t.Errorf("the folder has %s", got)
			}
		})
	}
}

// TestSecondInterrupt ends a dbgen that the first Ctrl-C does not.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	r := start(t, map[string]string{"q.sql": queryText}, "generate", "--schema", "schema.sql", "--queries", "q.sql", "--out", "db")
	pipe := filepath.Join(r.dir, "schema.sql")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // nothing was written
	for range 2 {
		if err := r.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	if got := r.end(t); got != -1 {
		t.Errorf("exit status %d, want the end by a signal", got)
	}
}

// TestInterruptPull sends Ctrl-C while the server keeps dbgen waiting for a lock.
func TestInterruptPull(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(schemaText, "INSERT INTO authors SELECT i, 'x' FROM generate_series(1, 1000) i", "ANALYZE authors"))
	ctx := t.Context()
	tx, err := db.Conn().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, "LOCK TABLE authors"); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, "stats", "pull", "--database-url", db.URL)
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	for waiting := false; !waiting; {
		err := db.Pool().QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'authors'::regclass)").Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := r.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := r.end(t); got != 2 {
		t.Errorf("exit status %d, want 2", got)
	}
	if got := r.stderr.String(); got != "dbgen: interrupted\n" {
		t.Errorf("stderr is %q", got)
	}
	if got := r.listing(t); len(got) > 0 {
		t.Errorf("the folder has %v", got)
	}
}

// TestClosedPipe has dbgen write into a pipe whose reader goes after a line, as
// head does, and a reader that never was.
func TestClosedPipe(t *testing.T) {
	t.Parallel()
	var queries strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&queries, "-- name: Get%d :one\nSELECT name FROM authors WHERE id = @id;\n\n", i)
	}
	for _, args := range [][]string{
		{"analyze"}, {"analyze", "--format", "json"}, {"explain"}, {"explain", "--format", "json"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			r := start(t, map[string]string{"schema.sql": schemaText, "q.sql": queries.String()}, append(args, "--schema", "schema.sql", "q.sql")...)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Stdout = write
			if err := r.Start(); err != nil {
				t.Fatal(err)
			}
			if err := write.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := read.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if err := read.Close(); err != nil {
				t.Fatal(err)
			}
			// By SIGPIPE, as other commands, or with a status of its own.
			if got := r.end(t); got != -1 && got != 2 {
				t.Errorf("exit status %d", got)
			}
			if got := r.stderr.String(); got != "" {
				t.Errorf("stderr is %q", got)
			}
		})
	}
}

// TestFullDisk has dbgen print to a device that takes nothing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		full, err = os.Open(os.DevNull) // not for writing either
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() //nolint:errcheck // nothing was written
	for _, command := range []string{"analyze", "explain"} {
		r := start(t, map[string]string{"schema.sql": schemaText, "q.sql": queryText}, command, "--schema", "schema.sql", "q.sql")
		r.Stdout = full
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		if got := r.end(t); got != 2 {
			t.Errorf("%s: exit status %d, want 2", command, got)
		}
		if !strings.HasPrefix(r.stderr.String(), "dbgen: write ") {
			t.Errorf("%s: stderr is %q", command, r.stderr.String())
		}
	}
}
