package txn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What a lossy way does to the next COMMIT.
const (
	passOn int32 = iota
	loseAnswer
	loseCommit
	holdCommit // the server does not even learn that the connection is lost
)

// lossy are ways to a server that lose the next COMMIT, or its answer, once.
type lossy struct {
	next      atomic.Int32
	meanwhile func() // is called before the client learns of it
	held      atomic.Pointer[net.Conn]
}

func (l *lossy) configure(c *pgxpool.Config) error {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &lossyConn{Conn: conn, way: l}, nil
	}
	return nil
}

type lossyConn struct {
	net.Conn
	way  *lossy
	lost atomic.Int32
	told sync.Once
}

func (c *lossyConn) Write(b []byte) (int, error) {
	if c.lost.Load() != passOn {
		return len(b), nil
	}
	if !bytes.HasPrefix(b, []byte("Q")) || !bytes.HasSuffix(b, []byte("commit\x00")) {
		return c.Conn.Write(b)
	}
	what := c.way.next.Swap(passOn)
	c.lost.Store(what)
	switch what {
	case loseCommit:
		return len(b), c.Conn.Close()
	case holdCommit:
		c.way.held.Store(&c.Conn)
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *lossyConn) Read(b []byte) (int, error) {
	what := c.lost.Load()
	if what == passOn {
		return c.Conn.Read(b)
	}
	c.told.Do(func() {
		if what == loseAnswer {
			_, _ = c.Conn.Read(b) // it has committed, or warns that it gave up waiting
		}
		if c.way.meanwhile != nil {
			c.way.meanwhile()
		}
	})
	return 0, io.EOF
}

func (c *lossyConn) Close() error {
	if c.lost.Load() == holdCommit {
		return nil
	}
	return c.Conn.Close()
}

// doubtful is a manager over a lossy way to a database.
type doubtful struct {
	env
	way *lossy
}

func openLossy(t *testing.T, url string, opts ...txn.Option) doubtful {
	t.Helper()
	way := &lossy{}
	p, err := pool.New(ctx, url, pool.Config{Configure: way.configure, ConnectTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if held := way.held.Load(); held != nil {
			_ = (*held).Close()
		}
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := p.Close(limited); err != nil {
			t.Error(err)
		}
	})
	return doubtful{env{Manager: txn.New(p, append([]txn.Option{txn.ResolveByXID}, opts...)...), pool: p}, way}
}

// outcome runs a transaction that inserts id, and returns the one hook that was
// called, and its error.
func (d doubtful) outcome(t *testing.T, id int, opts ...txn.Option) (string, error) {
	t.Helper()
	var hooks []string
	runs := 0
	err := d.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		tx.AfterCommit(func(context.Context) { hooks = append(hooks, "commit") })
		tx.AfterRollback(func(context.Context, error) { hooks = append(hooks, "rollback") })
		tx.AfterUnknown(func(_ context.Context, err error) { hooks = append(hooks, "unknown") })
		if err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			tx.AfterCommit(func(context.Context) { hooks = append(hooks, "never") })
			tx.AfterRollback(func(context.Context, error) { hooks = append(hooks, "never") })
			tx.AfterUnknown(func(context.Context, error) { hooks = append(hooks, "never") })
			return errors.New("undo")
		}); err == nil {
			t.Error("no error")
		}
		return insert(ctx, tx, id)
	}, opts...)
	if runs != 1 {
		t.Errorf("%d: %d runs", id, runs)
	}
	return strings.Join(hooks, " "), err
}

func (d doubtful) stored(t *testing.T, id int) bool {
	t.Helper()
	var n int
	if err := d.pool.QueryRow(ctx, "SELECT count(*) FROM t WHERE id = $1", id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// An answer that is lost on the way is found out, at every level.
func TestResolve(t *testing.T) {
	t.Parallel()
	d := openLossy(t, pgtest.New(t, pgtest.SQL(schema)).URL)
	want := txn.Stats{}
	for i, level := range []pgx.TxIsoLevel{"", pgx.RepeatableRead, pgx.Serializable} {
		d.way.next.Store(loseAnswer)
		hook, err := d.outcome(t, 10*i+1, txn.Isolation(level))
		if err != nil || hook != "commit" || !d.stored(t, 10*i+1) {
			t.Errorf("%s, answer lost: %v, hook %q", level, err, hook)
		}
		d.way.next.Store(loseCommit)
		hook, err = d.outcome(t, 10*i+2, txn.Isolation(level))
		if !errors.Is(err, txn.ErrRolledBack) || errors.Is(err, txn.ErrCommitUnknown) || hook != "rollback" || d.stored(t, 10*i+2) {
			t.Errorf("%s, COMMIT lost: %v, hook %q", level, err, hook)
		}
		d.way.next.Store(holdCommit)
		began := time.Now()
		hook, err = d.outcome(t, 10*i+3, txn.Isolation(level), txn.ResolveWithin(300*time.Millisecond))
		var unknown *txn.CommitUnknownError
		if !errors.As(err, &unknown) || hook != "unknown" || unknown.XID == 0 || unknown.Server.SystemID == 0 || unknown.Server.Timeline == 0 || unknown.Server.Incarnation == "" {
			t.Errorf("%s, still in progress: %+v, hook %q", level, err, hook)
		}
		if !strings.Contains(fmt.Sprint(err), "still in progress") || time.Since(began) < 300*time.Millisecond || runtime.Retryable(err) || runtime.SafeToRetry(err) {
			t.Errorf("%s, still in progress: %v after %v", level, err, time.Since(began))
		}
		_ = (*d.way.held.Load()).Close()
		want.Begun, want.Committed, want.RolledBack, want.Unknown, want.Resolved = want.Begun+3, want.Committed+1, want.RolledBack+1, want.Unknown+1, want.Resolved+2
		if s := d.Stats(); s != want {
			t.Errorf("%s: %+v, want %+v", level, s, want)
		}
	}
	// Not asked for, or nothing to ask by.
	for name, opts := range map[string][]txn.Option{"report": {txn.Report}, "read only": {txn.ReadOnly()}} {
		d.way.next.Store(loseAnswer)
		err := d.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Exec(ctx, "SELECT 1"); return err }, opts...)
		var unknown *txn.CommitUnknownError
		if !errors.As(err, &unknown) || unknown.XID != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if d.Stats().Active != 0 {
		t.Errorf("%+v", d.Stats())
	}
	// A commit that did not happen for the server's own reasons is none of this.
	d.way.next.Store(passOn)
	err := d.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { _, _ = tx.Exec(ctx, "SELECT 1/0"); return nil }, txn.Isolation(pgx.Serializable))
	if !errors.Is(err, txn.ErrRolledBack) || !runtime.AsError(err).IsData() {
		t.Errorf("swallowed failure: %v", err)
	}
}

// The server process ends while it commits: it did not.
func TestResolveKilled(t *testing.T) {
	t.Parallel()
	e := open(t, txn.ResolveByXID)
	e.slowCommit("20")
	var hooks []string
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		tx.AfterCommit(func(context.Context) { hooks = append(hooks, "commit") })
		tx.AfterRollback(func(context.Context, error) { hooks = append(hooks, "rollback") })
		time.AfterFunc(200*time.Millisecond, func() { e.kill(t, tx.Info().PID) })
		return insert(ctx, tx, 1)
	})
	if !errors.Is(err, txn.ErrRolledBack) || errors.Is(err, txn.ErrCommitUnknown) || len(hooks) != 1 || hooks[0] != "rollback" || e.count(t) != 0 {
		t.Errorf("%v, hooks %v, %d rows", err, hooks, e.count(t))
	}
	if s := e.Stats(); s.Resolved != 1 || s.RolledBack != 1 {
		t.Errorf("%+v", s)
	}
	// There is nobody to ask on a connection of one's own.
	conn := e.db.Conn()
	err = txn.New(conn, txn.ResolveByXID).Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		time.AfterFunc(200*time.Millisecond, func() { e.kill(t, tx.Info().PID) })
		return insert(ctx, tx, 2)
	})
	var unknown *txn.CommitUnknownError
	if !errors.As(err, &unknown) || unknown.XID == 0 {
		t.Errorf("single connection: %v", err)
	}
}

// What a server that started anew, or was promoted, says of a transaction is
// believed only where it must be true.
func TestResolveAcrossRestart(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1, Settings: map[string]string{"restart_after_crash": "on"}})
	database, err := cluster.Create(ctx, pgtest.SQL(schema))
	if err != nil {
		t.Fatal(err)
	}
	old := cluster.Primary()
	d := openLossy(t, database.URL, txn.ResolveWithin(30*time.Second))
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	restart := func() { must(old.Stop(ctx, pgtest.Immediate)); must(old.Start(ctx)) }
	// A server process that is killed makes the others start over; the postmaster
	// stays.
	started := func() (at time.Time) {
		conn, err := old.Conn(ctx)
		if err != nil {
			return time.Time{}
		}
		defer conn.Close(ctx)
		_ = conn.QueryRow(ctx, "SELECT pg_stat_get_bgwriter_stat_reset_time()").Scan(&at)
		return at
	}
	crash := func() {
		before := started()
		conn, err := old.Conn(ctx)
		must(err)
		defer conn.Close(ctx)
		if _, err = conn.Exec(ctx, "COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'"); err == nil {
			t.Error("it was not killed")
		}
		for n := 0; n < 2000; n++ {
			if now := started(); !now.IsZero() && now != before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Error("the server did not start over")
	}
	// lie gives the id of a transaction that the crash has undone to others, and
	// has them commit.
	lie := func() {
		crash()
		conn, err := pgx.Connect(ctx, database.On(old))
		must(err)
		defer conn.Close(ctx)
		for i := range 3 {
			_, err = conn.Exec(ctx, "INSERT INTO t VALUES ($1)", -10-i)
			must(err)
		}
	}
	id := 0
	for name, meanwhile := range map[string]func(){"restart": restart, "crash": crash} {
		d.way.meanwhile = meanwhile
		for _, level := range []pgx.TxIsoLevel{"", pgx.Serializable} {
			id++
			d.way.next.Store(loseAnswer)
			hook, err := d.outcome(t, id, txn.Isolation(level))
			if !errors.Is(err, txn.ErrCommitUnknown) || hook != "unknown" || !strings.Contains(err.Error(), "started anew") || !d.stored(t, id) {
				t.Errorf("%s, %s, committed before: %v, hook %q", name, level, err, hook)
			}
			id++
			d.way.next.Store(holdCommit)
			hook, err = d.outcome(t, id, txn.Isolation(level))
			if !errors.Is(err, txn.ErrRolledBack) || hook != "rollback" || d.stored(t, id) {
				t.Errorf("%s, %s, not committed before: %v, hook %q", name, level, err, hook)
			}
		}
	}
	d.way.meanwhile = lie
	id++
	d.way.next.Store(holdCommit)
	hook, err := d.outcome(t, id)
	if !errors.Is(err, txn.ErrCommitUnknown) || hook != "unknown" || !strings.Contains(err.Error(), "started anew") || d.stored(t, id) {
		t.Errorf("an id that was given twice: %v, hook %q", err, hook)
	}
	must(cluster.CatchUp(ctx))
	d.way.meanwhile = func() {
		must(cluster.CatchUp(ctx))
		heir := cluster.Standbys()[0]
		must(old.Stop(ctx, pgtest.Immediate))
		must(heir.Promote(ctx))
	}
	id++
	d.way.next.Store(loseAnswer)
	hook, err = d.outcome(t, id)
	if !errors.Is(err, txn.ErrCommitUnknown) || hook != "unknown" || !strings.Contains(err.Error(), "promoted since (timeline 2, not 1)") || !d.stored(t, id) {
		t.Errorf("promotion: %v, hook %q", err, hook)
	}
	// On the new primary all is as before.
	d.way.meanwhile = nil
	id++
	d.way.next.Store(loseAnswer)
	if hook, err := d.outcome(t, id); err != nil || hook != "commit" || !d.stored(t, id) {
		t.Errorf("after the promotion: %v, hook %q", err, hook)
	}
	// A standby gives no id, and runs what only reads.
	must(old.Follow(ctx, cluster.Primary()))
	reader, err := pgxpool.New(ctx, database.On(old))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, level := range []pgx.TxIsoLevel{"", pgx.RepeatableRead} {
		if err := txn.New(reader, txn.ResolveByXID).Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "SELECT * FROM t")
			return err
		}, txn.Isolation(level)); err != nil {
			t.Errorf("on a standby: %v", err)
		}
	}
}

// A COMMIT whose wait for its synchronous standby is cancelled is not committed
// for certain, whoever cancels it and whatever the server answers.
func TestNotReplicated(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1, Synchronous: 1})
	database, err := cluster.Create(ctx, pgtest.SQL(schema))
	if err != nil {
		t.Fatal(err)
	}
	standby := cluster.Standbys()[0]
	d := openLossy(t, database.URL, txn.ResolveWithin(time.Second))
	local, err := pgx.Connect(ctx, database.On(cluster.Primary()))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close(ctx)
	if hook, err := d.outcome(t, 1); err != nil || hook != "commit" {
		t.Errorf("with its standby: %v, hook %q", err, hook)
	}
	d.way.next.Store(loseAnswer)
	if hook, err := d.outcome(t, 2); err != nil || hook != "commit" {
		t.Errorf("with its standby, resolved: %v, hook %q", err, hook)
	}
	if err := standby.Stop(ctx, pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	// end does something to the server process that waits for the standby.
	end := func(how string) func() {
		done := make(chan error, 1)
		go func() {
			for n := 0; ; n++ {
				var ended bool
				err := local.QueryRow(ctx, "SELECT coalesce(bool_or("+how+"(pid)), false) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&ended)
				if ended || err != nil || n > 1000 {
					if !ended {
						err = fmt.Errorf("nobody waits (%w)", err)
					}
					done <- err
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		return func() {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	id := 10
	for _, how := range []string{"pg_cancel_backend", "pg_terminate_backend"} {
		for _, outcome := range []txn.Outcome{txn.Report, txn.ResolveByXID} {
			id++
			ended := end(how)
			hook, err := d.outcome(t, id, outcome)
			ended()
			if !errors.Is(err, txn.ErrCommitUnknown) || !errors.Is(err, txn.ErrNotReplicated) || hook != "unknown" || runtime.Retryable(err) {
				t.Errorf("%s: %v, hook %q", how, err, hook)
			}
		}
	}
	// Neither the time-out nor the caller's context ends it: the standby comes.
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	time.AfterFunc(600*time.Millisecond, func() {
		if err := standby.Start(ctx); err != nil {
			t.Error(err)
		}
	})
	hooked := false
	if err := d.Run(short, func(ctx context.Context, tx *txn.Tx) error {
		tx.AfterCommit(func(context.Context) { hooked = true })
		return insert(ctx, tx, 20)
	}, txn.Timeout(300*time.Millisecond)); err != nil || !hooked {
		t.Errorf("standby that comes late: %v, hook %v", err, hooked)
	}
	// An answer lost while the server waits: the row is there, and lost with it.
	if err := standby.Stop(ctx, pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	d.way.next.Store(loseAnswer)
	ended := end("pg_cancel_backend") // what it answers is lost
	hook, err := d.outcome(t, 21)
	ended()
	if !errors.Is(err, txn.ErrNotReplicated) || hook != "unknown" {
		t.Errorf("answer lost, wait cancelled: %v, hook %q", err, hook)
	}
	// It waits as the transaction does, not as other sessions.
	if _, err := local.Exec(ctx, `SET synchronous_commit = local; ALTER ROLE CURRENT_USER SET synchronous_commit = local`); err != nil {
		t.Fatal(err)
	}
	lax := openLossy(t, database.URL, txn.ResolveWithin(time.Second))
	for id, opts := range map[int][]txn.Option{22: nil, 23: {txn.Set("synchronous_commit", "on")}} {
		lax.way.next.Store(loseAnswer)
		ended := func() {}
		if opts != nil {
			ended = end("pg_cancel_backend")
		}
		hook, err := lax.outcome(t, id, opts...)
		ended()
		if opts == nil && (err != nil || hook != "commit") || opts != nil && (!errors.Is(err, txn.ErrNotReplicated) || hook != "unknown") {
			t.Errorf("%d: %v, hook %q", id, err, hook)
		}
	}
	if err := standby.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for _, id := range []int{1, 2, 11, 12, 13, 14, 20, 21, 22, 23} {
		if !d.stored(t, id) {
			t.Errorf("%d is not there", id)
		}
	}
}
