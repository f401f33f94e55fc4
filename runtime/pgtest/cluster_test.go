package pgtest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one returns the single value of a query on a URL.
func one[T any](t *testing.T, url, sql string) T {
	t.Helper()
	ctx := within(t)
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	var v T
	must(t, conn.QueryRow(ctx, sql).Scan(&v))
	return v
}

// A cluster fails over and back: no commit that waited for standbys is lost, and
// each node can be stopped, started, promoted and made to follow.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	ctx := within(t)
	c := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 2, Synchronous: 1, Settings: map[string]string{"work_mem": "5MB"}})
	first := c.Primary()
	if first != c.Nodes()[0] || len(c.Standbys()) != 2 {
		t.Fatalf("primary %v, standbys %v", first, c.Standbys())
	}
	db, err := c.Create(ctx, pgtest.SQL("CREATE TABLE t (n int)"))
	must(t, err)
	write := func(n int) {
		t.Helper()
		conn, err := pgx.Connect(ctx, db.URL+"&target_session_attrs=read-write")
		must(t, err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "INSERT INTO t VALUES ($1)", n)
		must(t, err)
	}
	for round := range 4 {
		write(round)
		old := c.Primary()
		must(t, old.Stop(ctx, []pgtest.StopMode{pgtest.Immediate, pgtest.Fast}[round%2]))
		if old.Running() || old.PID() != 0 {
			t.Errorf("%s runs after it was stopped", old.Name())
		}
		heir, err := c.Successor(ctx)
		must(t, err)
		must(t, heir.Promote(ctx))
		if c.Primary() != heir {
			t.Fatalf("after its promotion the primary is not %s", heir.Name())
		}
		for _, n := range c.Nodes() {
			if n != heir {
				must(t, n.Follow(ctx, heir))
			}
		}
		if got := len(c.Standbys()); got != 2 {
			t.Fatalf("%d standbys in round %d", got, round)
		}
	}
	write(4)
	must(t, c.CatchUp(ctx))
	for _, n := range c.Nodes() {
		url := db.On(n)
		if got := one[string](t, url, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM t"); got != "0 1 2 3 4" {
			t.Errorf("%s has rows %s", n.Name(), got)
		}
		if got := one[string](t, url, "SHOW work_mem"); got != "5MB" {
			t.Errorf("%s has work_mem %s", n.Name(), got)
		}
	}
}

// What a crashed node acknowledged is there when it starts again, as what it
// was; settings of a node are its own and stay.
func TestClusterRestart(t *testing.T) {
	t.Parallel()
	ctx := within(t)
	c := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1})
	primary, standby := c.Nodes()[0], c.Nodes()[1]
	one[any](t, primary.URL(), "SELECT 1 FROM pg_create_restore_point('x')")
	conn, err := primary.Conn(ctx)
	must(t, err)
	_, err = conn.Exec(ctx, "CREATE TABLE t AS SELECT generate_series(1, 1000) n")
	must(t, err)
	if err := primary.Start(ctx); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("a second start: %v", err)
	}
	must(t, standby.Set(ctx, "hot_standby_feedback", "on"))
	must(t, standby.Set(ctx, "max_standby_streaming_delay", "250ms"))
	if err := standby.Set(ctx, "max_standby_streaming_delay", "soon"); err == nil || !strings.Contains(err.Error(), "could not be applied") {
		t.Errorf("a wrong setting: %v", err)
	}
	must(t, primary.Stop(ctx, pgtest.Immediate))
	if c.Primary() != nil {
		t.Error("a stopped node is the primary")
	}
	must(t, standby.Stop(ctx, pgtest.Fast))
	must(t, primary.Start(ctx))
	must(t, standby.Start(ctx))
	if n := one[int](t, primary.URL(), "SELECT count(*) FROM t"); n != 1000 {
		t.Errorf("%d rows after a crash", n)
	}
	must(t, c.CatchUp(ctx))
	if n := one[int](t, standby.URL(), "SELECT count(*) FROM t"); n != 1000 {
		t.Errorf("%d rows on the standby", n)
	}
	// A demotion by base backup: the promoted standby goes its own way first.
	must(t, standby.Promote(ctx))
	if c.Primary() != standby {
		t.Error("of two primaries, not the one promoted last")
	}
	own, err := standby.Conn(ctx)
	must(t, err)
	_, err = own.Exec(ctx, "INSERT INTO t VALUES (0)")
	must(t, err)
	must(t, own.Close(ctx))
	must(t, standby.Follow(ctx, primary))
	if n := one[int](t, standby.URL(), "SELECT count(*) FROM t"); n != 1000 {
		t.Errorf("%d rows after following again", n)
	}
	for name, want := range map[string]string{"hot_standby_feedback": "on", "max_standby_streaming_delay": "250ms"} {
		if got := one[string](t, standby.URL(), "SHOW "+name); got != want {
			t.Errorf("%s is %s on the standby", name, got)
		}
	}
	if got := one[string](t, primary.URL(), "SHOW max_standby_streaming_delay"); got != "30s" {
		t.Errorf("the standby's setting is the primary's: %s", got)
	}
	// Smart waits for the clients.
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	conn2, err := primary.Conn(ctx)
	must(t, err)
	if err := primary.Stop(short, pgtest.Smart); err == nil || !primary.Running() {
		t.Errorf("a smart stop did not wait for its client: %v", err)
	}
	must(t, conn2.Close(ctx))
	_ = conn.Close(ctx)
	must(t, primary.Stop(ctx, pgtest.Smart))
	dir := filepath.Dir(filepath.Dir(primary.DataDir()))
	must(t, c.Close())
	must(t, c.Close())
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", dir, err)
	}
}

// Without pg_basebackup, as fetched binaries are, standbys are made as well.
func TestClusterWithoutBaseBackup(t *testing.T) {
	t.Parallel()
	full, err := pgtest.Shared()
	must(t, err)
	bin, err := os.MkdirTemp("", "pgtest-bin-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(bin) })
	must(t, os.Chmod(bin, 0o755))
	from := one[string](t, full.URL, "SELECT setting FROM pg_config WHERE name = 'BINDIR'")
	for _, name := range []string{"initdb", "postgres"} {
		must(t, os.Symlink(filepath.Join(from, name), filepath.Join(bin, name)))
	}
	ctx := within(t)
	c := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1, Synchronous: 1, BinDir: bin})
	db, err := c.Create(ctx, pgtest.SQL("CREATE UNLOGGED TABLE u (n int); CREATE TABLE t AS SELECT generate_series(1, 100) n"))
	must(t, err)
	old, heir := c.Nodes()[0], c.Nodes()[1]
	must(t, old.Stop(ctx, pgtest.Immediate))
	must(t, heir.Promote(ctx))
	must(t, old.Follow(ctx, heir))
	for _, n := range c.Nodes() {
		url := db.On(n)
		if got := one[int](t, url, "SELECT count(*) FROM t"); got != 100 {
			t.Errorf("%s has %d rows", n.Name(), got)
		}
	}
}

func TestClusterRefuses(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]pgtest.ClusterOptions{
		"-1 standbys":             {Standbys: -1},
		"9 standbys":              {Standbys: 9},
		"of which 2 are waited":   {Standbys: 1, Synchronous: 2},
		"set " + pgtest.EnvBinDir: {BinDir: "/nonexistent"},
	} {
		c, err := pgtest.StartCluster(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
	_, err := pgtest.StartCluster(within(t), pgtest.ClusterOptions{Settings: map[string]string{"work_mem": "much"}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "work_mem"`) {
		t.Errorf("a wrong setting: %v", err)
	}
}
