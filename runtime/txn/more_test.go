package txn_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var _ runtime.Runner = (*txn.Tx)(nil)

// A connection that fails until BEGIN is answered is another's turn: nothing
// happened yet.
func TestRetryOfBegin(t *testing.T) {
	t.Parallel()
	e := open(t)
	var dials, refuse atomic.Int64
	p, err := pool.New(ctx, e.db.URL, pool.Config{MaxConns: 3, Configure: func(c *pgxpool.Config) error {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			if refuse.Add(-1) >= 0 {
				return nil, errors.New("no way there")
			}
			return dial(ctx, network, address)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	m := txn.New(p, txn.Retry(txn.RetryPolicy{MaxAttempts: 3, Base: time.Millisecond}))
	if err := p.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	// An idle connection whose server process is gone.
	runs := 0
	for _, c := range p.Conns() {
		e.kill(t, c.PID)
	}
	if err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		runs++
		if tx.Info().Attempt < 1 {
			t.Errorf("attempt %d", tx.Info().Attempt)
		}
		return insert(ctx, tx, 1)
	}); err != nil || runs != 1 || e.count(t) != 1 {
		t.Errorf("idle connection that is gone: %v, %d runs", err, runs)
	}
	if s := m.Stats(); s.Begun != 1 || s.Committed != 1 || s.Retries != s.ConnectionRetries {
		t.Errorf("%+v", s)
	}
	// A refused login is not worth another try, nor are options that cannot be.
	for name, opt := range map[string]txn.Option{"setting": txn.Set("work_mem", "much")} {
		if err := m.Run(ctx, nil, opt); err == nil || errors.As(err, new(*txn.RetriesExhaustedError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	nobody, err := pgxpool.New(ctx, strings.Replace(e.db.URL, "/"+e.db.Name, "/there_is_none", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	if err := txn.New(nobody).Run(ctx, nil); err == nil || errors.As(err, new(*txn.RetriesExhaustedError)) || runtime.AsError(err).SQLState != "3D000" {
		t.Errorf("no such database: %v", err)
	}
	// A server that is not there for a while.
	refusing, err := pgxpool.ParseConfig(e.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	dial := refusing.ConnConfig.DialFunc
	refusing.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if refuse.Add(-1) >= 0 {
			return nil, errors.New("no way there")
		}
		return dial(ctx, network, address)
	}
	for _, test := range []struct{ failures, attempts int64 }{{2, 2}, {100, 2}} {
		plain, err := pgxpool.NewWithConfig(ctx, refusing)
		if err != nil {
			t.Fatal(err)
		}
		refuse.Store(test.failures)
		m := txn.New(plain, txn.Retry(txn.RetryPolicy{MaxAttempts: 3, Base: time.Millisecond}))
		err = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return nil })
		var exhausted *txn.RetriesExhaustedError
		if over := test.failures > 10; over != errors.As(err, &exhausted) || over && exhausted.Attempts != 3 || !over && err != nil {
			t.Errorf("%d failures: %v", test.failures, err)
		}
		if s := m.Stats(); s.ConnectionRetries > test.attempts || s.ConnectionRetries == 0 {
			t.Errorf("%d failures: %+v", test.failures, s)
		}
		plain.Close()
	}
}

// A statement is cancelled with the transaction whatever context it was given,
// and its connection goes on working.
func TestExpiryKeepsConnection(t *testing.T) {
	t.Parallel()
	e := open(t)
	p, err := pool.New(ctx, e.db.URL, pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	m := txn.New(p)
	pid := uint32(0)
	type key struct{}
	for name, derive := range map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"its own": func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		"with a value": func(c context.Context) (context.Context, context.CancelFunc) {
			return context.WithValue(c, key{}, 1), func() {}
		},
		"without end": func(c context.Context) (context.Context, context.CancelFunc) {
			return context.WithoutCancel(c), func() {}
		},
		"with an end":   context.WithCancel,
		"another":       func(context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		"another's end": func(context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	} {
		ways := []string{"exec", "batch"}
		if name == "its own" {
			ways = append(ways, "query", "copy", "savepoint")
		}
		for _, how := range ways {
			began := time.Now()
			var statement error
			err := m.Run(ctx, func(own context.Context, tx *txn.Tx) error {
				ctx, cancel := derive(own)
				defer cancel()
				switch pid {
				case 0:
					pid = tx.Info().PID
				case tx.Info().PID:
				default:
					t.Errorf("%s, %s: the connection was lost", name, how)
					pid = tx.Info().PID
				}
				const sleep = "SELECT pg_sleep(30)"
				switch how {
				case "exec":
					_, statement = tx.Exec(ctx, sleep)
				case "query":
					statement = tx.QueryRow(ctx, sleep).Scan(new(any))
				case "batch":
					b := &pgx.Batch{}
					b.Queue("SELECT 1")
					b.Queue(sleep)
					statement = tx.SendBatch(ctx, b).Close()
				case "copy":
					_, statement = tx.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromFunc(func() ([]any, error) {
						time.Sleep(5 * time.Millisecond)
						return []any{1}, context.Cause(own)
					}))
				case "savepoint":
					statement = tx.Nested(ctx, func(context.Context, *txn.Tx) error { _, err := tx.Exec(ctx, sleep); return err })
				}
				if cause := context.Cause(own); !errors.Is(cause, txn.ErrExpired) {
					t.Errorf("%s, %s: the cause is %v", name, how, cause)
				}
				return nil
			}, txn.Timeout(300*time.Millisecond))
			if !errors.Is(err, txn.ErrExpired) || !errors.Is(statement, txn.ErrExpired) || time.Since(began) > 15*time.Second {
				t.Errorf("%s, %s: %v, statement %v, after %v", name, how, err, statement, time.Since(began))
			}
		}
	}
	if n := e.count(t); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// A transaction that is begun and forgotten ends by itself, and its connection
// is free again; Close waits for those that do not.
func TestForgotten(t *testing.T) {
	t.Parallel()
	e := open(t)
	for range 3 {
		tx, err := e.Begin(ctx, txn.Timeout(200*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := tx.Query(ctx, "SELECT generate_series(1, 1000)")
		if err != nil || !rows.Next() { // and left open
			t.Error(err)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for (e.Stats().Active != 0 || e.pool.Stats().Active != 0) && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if s := e.Stats(); s.Expired != 3 || s.Active != 0 || e.pool.Stats().Active != 0 {
		t.Errorf("%+v, %d connections held", s, e.pool.Stats().Active)
	}
	tx, err := e.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- e.Close(ctx) }()
	for {
		if _, err := e.Begin(ctx); errors.Is(err, txn.ErrClosed) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		t.Fatal("Close has begun")
	}
	if err := insert(ctx, tx, 1); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil || e.count(t) != 1 {
		t.Errorf("Close: %v", err)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	e := open(t)
	key := txn.Key("invoice", "Grüße")
	var twin int64
	if err := e.pool.QueryRow(ctx, `SELECT ('x' || encode(substr(sha256(convert_to($1, 'UTF8') || '\x00' || convert_to($2, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint`, "invoice", "Grüße").Scan(&twin); err != nil || txn.LockKey(twin) != key {
		t.Errorf("the key is %d, in SQL %d (%v)", key, twin, err)
	}
	if txn.Key("a", "bc") == txn.Key("ab", "c") {
		t.Error("the namespace does not count")
	}
	try := func(shared bool, opts ...txn.Option) (free bool) {
		err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) (err error) {
			if shared {
				free, err = tx.TryLockShared(ctx, key)
			} else {
				free, err = tx.TryLock(ctx, key)
			}
			return err
		}, append(opts, txn.PropagateNew)...)
		if err != nil {
			t.Error(err)
		}
		return free
	}
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if err := tx.Lock(ctx, key); err != nil {
			return err
		}
		if try(false) || try(true) {
			t.Error("a lock that is held was given")
		}
		err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return tx.Lock(ctx, key) }, txn.PropagateNew, txn.LockTimeout(50*time.Millisecond))
		if !runtime.AsError(err).IsLockTimeout() {
			t.Errorf("lock time-out: %v", err)
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		err = e.Run(short, func(ctx context.Context, tx *txn.Tx) error { return tx.LockShared(ctx, key) }, txn.PropagateNew)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("deadline: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if err := tx.LockShared(ctx, key); err != nil {
			return err
		}
		if try(false) || !try(true) {
			t.Error("a shared lock is not shared")
		}
		other := txn.LockKey(42)
		_ = tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(tx.Lock(ctx, other), errors.New("undo"))
		})
		var held int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()").Scan(&held); err != nil || held != 1 {
			t.Errorf("%d locks held after a savepoint was rolled back (%v)", held, err)
		}
		return nil
	})
	if err != nil || !try(false) {
		t.Errorf("%v; the lock was left behind", err)
	}
}

func TestRecordArgs(t *testing.T) {
	t.Parallel()
	e := open(t)
	for _, test := range []struct {
		opts []txn.Option
		want []any
	}{{nil, nil}, {[]txn.Option{txn.RecordArgs()}, []any{1}}, {[]txn.Option{txn.Options{RecordArgs: true}}, []any{1}}} {
		err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if err := insert(ctx, tx, 1); err != nil {
				return err
			}
			if _, err := runtime.One(ctx, tx, selectOne, int4, 1); err != nil {
				return err
			}
			for _, op := range tx.Info().Ops {
				if diff := cmp.Diff(test.want, op.Args); diff != "" || op.Name == "" {
					t.Errorf("%+v: %s", op, diff)
				}
			}
			return errors.New("enough")
		}, test.opts...)
		if err == nil || err.Error() != "enough" {
			t.Error(err)
		}
	}
}

// observer writes down what it is told.
type observer struct {
	mu     sync.Mutex
	events []string
}

type spanKey struct{}

func (o *observer) Begin(ctx context.Context, e runtime.Event) context.Context {
	o.note("begin", e)
	return context.WithValue(ctx, spanKey{}, e.Tx)
}

func (o *observer) End(ctx context.Context, e runtime.Event) {
	if e.Kind == runtime.EventTransaction && ctx.Value(spanKey{}) != e.Tx {
		o.note("wrong context", e)
	}
	o.note("end", e)
}

func (o *observer) note(what string, e runtime.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, raw := e.Err.(*pgconn.PgError); raw {
		what = "what the server said raw at the " + what
	}
	if e.Kind == runtime.EventTransaction || e.Kind == runtime.EventRetry {
		o.events = append(o.events, fmt.Sprintf("%s %v %s %d %q %v", what, e.Kind, e.Name, e.Attempt, e.Note, e.Err != nil))
	}
}

// observedPool is a Beginner with an observer of its own.
type observedPool struct {
	*pgxpool.Pool
	observer runtime.Observer
}

func (p observedPool) Observer() runtime.Observer { return p.observer }

func TestObserver(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(schema))
	for name, manager := range map[string]func(o runtime.Observer) *txn.Manager{
		"option":          func(o runtime.Observer) *txn.Manager { return txn.New(db.Pool(), txn.Observe(o)) },
		"of the Beginner": func(o runtime.Observer) *txn.Manager { return txn.New(observedPool{db.Pool(), o}) },
		"of the pool": func(o runtime.Observer) *txn.Manager {
			p, err := pool.New(ctx, db.URL, pool.Config{Observer: o})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close(ctx) })
			return txn.New(p)
		},
	} {
		o := &observer{}
		m := manager(o)
		n := 0
		_ = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if ctx.Value(spanKey{}) != tx.ID() {
				t.Errorf("%s: the closure does not get the observer's context", name)
			}
			if n++; n == 1 {
				_, err := tx.Exec(ctx, "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")
				return err
			}
			return nil
		}, txn.Label("a"))
		_ = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return errors.New("no") }, txn.Label("b"))
		_ = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Exec(ctx, "SELECT pg_sleep(10)"); return err }, txn.Label("c"), txn.Timeout(20*time.Millisecond))
		_ = m.Run(ctx, nil, txn.Label("d"), txn.Set("work_mem", "much"))
		want := []string{
			`begin transaction a 1 "" false`, `end transaction a 1 "rolled back" true`, `end retry a 2 "deadlock" true`,
			`begin transaction a 2 "" false`, `end transaction a 2 "committed" false`,
			`begin transaction b 1 "" false`, `end transaction b 1 "rolled back" true`,
			`begin transaction c 1 "" false`, `end transaction c 1 "expired" true`,
			`begin transaction d 1 "" false`, `end transaction d 1 "rolled back" true`,
		}
		if diff := cmp.Diff(want, o.events); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if s := m.Stats(); s.DeadlockRetries != 1 || s.Retries != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
