package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
)

// A cancelled statement ends on the server and leaves its connection, and PgBouncer,
// as they were: the next statement is not hit.
func TestCancelBehindPgBouncer(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p, _ := behind(t, 1, pool.Config{MaxConns: 1})
	server := func() (pid int) {
		if err := p.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	first, conn := server(), p.Conns()[0].ID
	for range 5 {
		short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
		_, err := p.Exec(short, "SELECT pg_sleep(60)")
		cancel()
		if !runtime.AsError(err).IsCanceled() {
			t.Fatalf("cancelled: %v", err)
		}
		if pid := server(); pid != first {
			t.Errorf("server process %d, then %d", first, pid)
		}
	}
	if c := p.Conns(); len(c) != 1 || c[0].ID != conn {
		t.Errorf("connection %d, then %+v", conn, c)
	}
}
