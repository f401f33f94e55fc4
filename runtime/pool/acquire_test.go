package pool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

var (
	_ runtime.Runner = (*pool.Pool)(nil)
	_ runtime.Runner = (*pool.Conn)(nil)
)

// acquire is Acquire where it has to work.
func acquire(t testing.TB, p *pool.Pool) *pool.Conn {
	t.Helper()
	c, err := p.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An acquire time-out names those who hold connections, for longest first.
func TestAcquireTimeoutNamesHolders(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 3, AcquireTimeout: 10 * time.Second, LeakAfter: time.Hour})
	ctx := context.Background()
	first := acquire(t, p)
	defer first.Release()
	q := runtime.Query{Name: "Slowly", SQL: "-- name: Slowly :many\nSELECT generate_series(1, 9)"}
	rows, err := p.RunQuery(ctx, q, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tx, err := p.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, "-- name: InTx :exec\nSELECT 1"); err != nil {
		t.Fatal(err)
	}

	limited, _ := open(t, pool.Config{MaxConns: 1, AcquireTimeout: 200 * time.Millisecond, LeakAfter: time.Hour})
	var timeout *pool.AcquireTimeoutError
	held := acquire(t, limited)
	if _, err := held.Exec(ctx, "-- name: Held :exec\nSELECT 1"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := limited.Acquire(ctx); !errors.As(err, &timeout) {
		t.Fatalf("got %v", err)
	}
	if waited := time.Since(began); timeout.Waited < 200*time.Millisecond || timeout.Waited > waited {
		t.Errorf("says it waited %v, of %v", timeout.Waited, waited)
	}
	if len(timeout.Holders) != 1 {
		t.Fatalf("holders: %+v", timeout.Holders)
	}
	h := timeout.Holders[0]
	if h.ID != held.Info().ID || h.PID != held.Info().PID || h.Query != "Held" || h.Held < 200*time.Millisecond || h.Host == "" ||
		!strings.Contains(h.Place, "acquire_test.go:") || !strings.HasSuffix(h.Place, "pool_test.acquire") {
		t.Errorf("holder: %+v", h)
	}
	if text := timeout.Error(); !strings.Contains(text, fmt.Sprintf("connection %d (pid %d) for ", h.ID, h.PID)) || !strings.Contains(text, "by Held at "+h.Place) {
		t.Errorf("text: %s", text)
	}
	held.Release()

	infos := p.Conns()
	want := map[uint64]string{first.Info().ID: ""}
	names := map[string]bool{}
	for _, i := range infos {
		names[i.Query] = true
		if w, ok := want[i.ID]; ok && i.Query != w || !i.Active || i.Place == "" {
			t.Errorf("info: %+v", i)
		}
	}
	if !names["Slowly"] || !names["InTx"] {
		t.Errorf("names: %v", names)
	}
}

// The longest holders come first, and five at most.
func TestHoldersInOrder(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 7, AcquireTimeout: 2 * time.Second})
	var held []*pool.Conn
	for range 7 {
		held = append(held, acquire(t, p))
	}
	_, err := p.Acquire(context.Background())
	var timeout *pool.AcquireTimeoutError
	if !errors.As(err, &timeout) || len(timeout.Holders) != 5 {
		t.Fatalf("got %v", err)
	}
	for i, h := range timeout.Holders {
		if h.ID != held[i].Info().ID || h.Place != "" {
			t.Errorf("holder %d: %+v, want connection %d", i, h, held[i].Info().ID)
		}
	}
	for _, c := range held {
		c.Release()
	}
}

// Each of many who wait is told at its own time, not before.
func TestAcquireTimeoutForEach(t *testing.T) {
	t.Parallel()
	const limit = 150 * time.Millisecond
	p, _ := open(t, pool.Config{MaxConns: 1, AcquireTimeout: limit})
	var c *pool.Conn
	eventually(t, "a connection is made", func() (ok bool) { // to make one may take longer
		var err error
		c, err = p.Acquire(context.Background())
		return err == nil
	})
	defer c.Release()
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 7 * time.Millisecond)
			began := time.Now()
			_, err := p.Acquire(context.Background())
			if took := time.Since(began); !errors.Is(err, pool.ErrAcquireTimeout) || took < limit || took > limit+5*time.Second {
				t.Errorf("after %v: %v", took, err)
			}
		})
	}
	wg.Wait()
	if s := p.Stats(); s.Waiting != 0 || s.Timeouts < 30 {
		t.Errorf("%+v", s)
	}
}

// Who came first is served first, and by whichever connection comes.
func TestWaitersInOrder(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1})
	c := acquire(t, p)
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	const waiters = 20
	for i := range waiters {
		wg.Go(func() {
			c := acquire(t, p)
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			c.Release()
		})
		eventually(t, "it waits", func() bool { return p.Stats().Waiting == i+1 })
	}
	before := p.Stats()
	c.Release()
	wg.Wait()
	for i, n := range order {
		if i != n {
			t.Fatalf("served in the order %v", order)
		}
	}
	after := p.Stats()
	if after.Waits-before.Waits != waiters || after.WaitTime <= before.WaitTime || after.Waiting != 0 || after.Opened != 1 {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestMaxWaiters(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1, MaxWaiters: 2})
	c := acquire(t, p)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { acquire(t, p).Release() })
	}
	eventually(t, "two wait", func() bool { return p.Stats().Waiting == 2 })
	_, err := p.Exec(context.Background(), "SELECT 1")
	var tooMany *pool.TooManyWaitersError
	if !errors.Is(err, pool.ErrTooManyWaiters) || !errors.As(err, &tooMany) || tooMany.Max != 2 || !runtime.SafeToRetry(err) || !strings.Contains(err.Error(), "2") {
		t.Errorf("the third: %v", err)
	}
	if s := p.Stats(); s.Rejected != 1 {
		t.Errorf("%+v", s)
	}
	c.Release()
	wg.Wait()
	acquire(t, p).Release()

	// Those for whom connections can be made do not count.
	fresh, _ := open(t, pool.Config{MaxConns: 8, MinConns: -1, MaxWaiters: 1})
	for range 8 {
		wg.Go(func() { c := acquire(t, fresh); time.Sleep(20 * time.Millisecond); c.Release() })
	}
	wg.Wait()
}

// Who waited, and was given a connection that turned out to be of no use, waits on
// before the others, and is not one too many.
func TestWaitsOnFirst(t *testing.T) {
	t.Parallel()
	entered, useless := make(chan struct{}), make(chan bool)
	var armed atomic.Bool
	p, _ := open(t, pool.Config{MaxConns: 1, MaxWaiters: 2, Configure: func(c *pgxpool.Config) error {
		c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
			if !armed.CompareAndSwap(true, false) {
				return true, nil
			}
			entered <- struct{}{}
			return !<-useless, nil
		}
		return nil
	}})
	c := acquire(t, p)
	order := make(chan int, 3)
	var wg sync.WaitGroup
	wait := func(i, waiting int) {
		wg.Go(func() {
			c, err := p.Acquire(context.Background())
			if err != nil {
				t.Errorf("%d: %v", i, err)
				return
			}
			order <- i
			c.Release()
		})
		eventually(t, "it waits", func() bool { return p.Stats().Waiting == waiting })
	}
	wait(1, 1)
	wait(2, 2)
	armed.Store(true)
	c.Release()
	<-entered // the first one has it
	wait(3, 2)
	useless <- true
	wg.Wait()
	close(order)
	for want := 1; want <= 3; want++ {
		if i := <-order; i != want {
			t.Errorf("%d comes where %d should", i, want)
		}
	}
}

// What is done with a connection after its release reaches nobody else's.
func TestUseAfterRelease(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1}, pgtest.SQL("CREATE TABLE t (id int)"))
	ctx := context.Background()
	mine := acquire(t, p)
	copied := *mine
	pid := mine.Info().PID
	mine.Release()
	theirs := acquire(t, p) // the same
	if theirs.Info().PID != pid {
		t.Fatal("another connection")
	}
	for range 2 {
		mine.Release()
		copied.Release()
	}
	if s := p.Stats(); s.Active != 1 || s.Idle != 0 {
		t.Fatalf("a second release: %+v", s)
	}
	for _, c := range []*pool.Conn{mine, &copied, {}} {
		var n int
		_, queryErr := c.Query(ctx, "SELECT 1")
		_, execErr := c.Exec(ctx, "DELETE FROM t")
		_, copyErr := c.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}}))
		_, beginErr := c.BeginTx(ctx, pgx.TxOptions{})
		_, runErr := c.RunExec(ctx, runtime.Query{SQL: "DELETE FROM t"}, nil)
		_, runQueryErr := c.RunQuery(ctx, runtime.Query{SQL: "SELECT 1"}, nil)
		for what, err := range map[string]error{
			"Query": queryErr, "Exec": execErr, "CopyFrom": copyErr, "BeginTx": beginErr, "RunExec": runErr, "RunQuery": runQueryErr,
			"QueryRow": c.QueryRow(ctx, "SELECT 1").Scan(&n), "SendBatch": c.SendBatch(ctx, &pgx.Batch{}).Close(),
		} {
			if !errors.Is(err, pool.ErrReleased) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if c.Conn() != nil {
			t.Error("a connection is given out")
		}
	}
	if (&pool.Conn{}).Info() != (pool.Info{}) {
		t.Error("nothing is known of no connection")
	}
	if _, err := theirs.Exec(ctx, "SELECT 1"); err != nil {
		t.Error(err)
	}
	// Released by many at once.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(theirs.Release)
	}
	wg.Wait()
	if s := p.Stats(); s.Active != 0 || s.Idle != 1 {
		t.Errorf("%+v", s)
	}
}

// Rows and transactions that outlive their connection's release fail, each on a
// connection that nobody else gets.
func TestReleasedTooEarly(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1})
	ctx := context.Background()
	for range 5 {
		c := acquire(t, p)
		pid := c.Info().PID
		rows, err := c.Query(ctx, "SELECT generate_series(1, 100000)")
		if err != nil || !rows.Next() {
			t.Fatal(err)
		}
		c.Release()
		for rows.Next() {
		}
		rows.Close()
		if rows.Err() == nil {
			t.Error("all rows of a connection that was released")
		}
		var other uint32
		if err := p.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&other); err != nil || other == pid {
			t.Errorf("the connection is used again (%v)", err)
		}

		c = acquire(t, p)
		tx, err := c.BeginTx(ctx, pgx.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c.Release()
		if _, err := tx.Exec(ctx, "SELECT 1"); err == nil {
			t.Error("a statement of a connection that was released")
		}
		if err := tx.Rollback(ctx); err == nil {
			t.Error("the transaction of a connection that was released")
		}
	}
	eventually(t, "all is back", func() bool { s := p.Stats(); return s.Active == 0 && s.Closing == 0 })
	if s := p.Stats(); s.ClosedBroken != 10 {
		t.Errorf("%+v", s)
	}
}

type panics struct{}

func (panics) String() string { panic("encoder") }

// A panic in an argument's encoder leaves the pool whole.
func TestPanicInEncoder(t *testing.T) {
	t.Parallel()
	p, _ := open(t, pool.Config{MaxConns: 1, AcquireTimeout: 10 * time.Second})
	ctx := context.Background()
	q := runtime.Query{Name: "Text", SQL: "SELECT $1::text"}
	for what, do := range map[string]func(){
		"Query":     func() { _, _ = p.Query(ctx, q.SQL, panics{}) },
		"QueryRow":  func() { _ = p.QueryRow(ctx, q.SQL, panics{}).Scan(nil) },
		"Exec":      func() { _, _ = p.Exec(ctx, q.SQL, panics{}) },
		"RunQuery":  func() { _, _ = p.RunQuery(ctx, q, []any{panics{}}) },
		"RunExec":   func() { _, _ = p.RunExec(ctx, q, []any{panics{}}) },
		"SendBatch": func() { b := &pgx.Batch{}; b.Queue(q.SQL, panics{}); _ = p.SendBatch(ctx, b).Close() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			do()
		}()
		var n int
		if err := p.QueryRow(ctx, "SELECT 1").Scan(&n); err != nil || n != 1 {
			t.Errorf("after %s: %v", what, err)
		}
		eventually(t, what+": the connection is back", func() bool { return p.Stats().Active == 0 })
	}
}

// panicsAt is an observer that panics when something of its kind ends.
type panicsAt struct{ kind atomic.Int32 }

func (*panicsAt) Begin(ctx context.Context, _ runtime.Event) context.Context { return ctx }

func (o *panicsAt) End(_ context.Context, e runtime.Event) {
	if int32(e.Kind) == o.kind.Load() {
		panic("observer")
	}
}

// A panic in an observer leaves the pool whole.
func TestPanicInObserver(t *testing.T) {
	t.Parallel()
	o := &panicsAt{}
	p, _ := open(t, pool.Config{MaxConns: 1, AcquireTimeout: 10 * time.Second, Observer: o})
	ctx := context.Background()
	for _, kind := range []runtime.EventKind{runtime.EventAcquire, runtime.EventQuery} {
		o.kind.Store(int32(kind))
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v: no panic", kind)
				}
			}()
			_, _ = p.Exec(ctx, "SELECT 1")
		}()
		o.kind.Store(0)
		if err := p.Ping(ctx); err != nil {
			t.Errorf("after %v: %v", kind, err)
		}
	}
}

// The hooks of pgxpool's configuration are called as pgxpool does.
func TestHooks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var prepare atomic.Pointer[func() (bool, error)]
	var keep atomic.Bool
	var pings, closes, prepared atomic.Int64
	keep.Store(true)
	p, _ := open(t, pool.Config{MaxConns: 1, MinConns: -1, Configure: func(c *pgxpool.Config) error {
		c.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) {
			prepared.Add(1)
			if f := prepare.Load(); f != nil {
				return (*f)()
			}
			return true, nil
		}
		c.ShouldPing = func(_ context.Context, params pgxpool.ShouldPingParams) bool {
			if params.Conn == nil || params.IdleDuration < 0 {
				t.Error("ShouldPing is told nothing")
			}
			pings.Add(1)
			return true
		}
		c.AfterRelease = func(*pgx.Conn) bool { return keep.Load() }
		c.BeforeClose = func(*pgx.Conn) { closes.Add(1) }
		return nil
	}})
	opened := func() int64 { return p.Stats().Opened }
	use := func() error { _, err := p.Exec(ctx, "SELECT 1"); return err }
	settled := func() {
		t.Helper()
		eventually(t, "all is settled", func() bool {
			s := p.Stats()
			return s.Active == 0 && s.Closing == 0 && closes.Load() == s.ClosedBroken
		})
	}
	for range 3 {
		if err := use(); err != nil {
			t.Fatal(err)
		}
		settled()
	}
	if opened() != 1 || pings.Load() != 3 || prepared.Load() != 3 {
		t.Errorf("%d connections, %d pings, %d prepared", opened(), pings.Load(), prepared.Load())
	}
	no := errors.New("no")
	set := func(f func() (bool, error)) { prepare.Store(&f) }
	set(func() (bool, error) { return true, no })
	if err := use(); !errors.Is(err, no) || !runtime.SafeToRetry(err) {
		t.Errorf("true and an error: %v", err)
	}
	if settled(); opened() != 1 || p.Stats().Idle != 1 {
		t.Errorf("true and an error: the connection is not kept")
	}
	set(func() (bool, error) { return false, no })
	if err := use(); !errors.Is(err, no) {
		t.Errorf("false and an error: %v", err)
	}
	if settled(); p.Stats().Idle != 0 {
		t.Error("false and an error: the connection is kept")
	}
	first := true
	set(func() (bool, error) { defer func() { first = false }(); return !first, nil })
	if err := use(); err != nil {
		t.Errorf("false: %v", err)
	}
	if settled(); opened() != 3 {
		t.Errorf("false: %d connections", opened())
	}
	set(func() (bool, error) { panic("hook") })
	func() {
		defer func() { _ = recover() }()
		_ = use()
		t.Error("no panic")
	}()
	if settled(); p.Stats().Idle != 0 {
		t.Error("panic: the connection is kept")
	}
	// It runs into the acquire time-out.
	slow, _ := open(t, pool.Config{AcquireTimeout: 300 * time.Millisecond, Configure: func(c *pgxpool.Config) error {
		c.PrepareConn = func(ctx context.Context, _ *pgx.Conn) (bool, error) { <-ctx.Done(); return true, ctx.Err() }
		return nil
	}})
	if _, err := slow.Exec(ctx, "SELECT 1"); !errors.Is(err, pool.ErrAcquireTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow hook: %v", err)
	}
	prepare.Store(nil)
	keep.Store(false)
	if err := use(); err != nil {
		t.Fatal(err)
	}
	if settled(); p.Stats().Idle != 0 || p.Stats().ClosedBroken != 4 {
		t.Errorf("AfterRelease: %+v", p.Stats())
	}
}

// A connection that was unused for a while is tried first, and replaced where it
// is broken; so are the others once one is lost.
func TestBrokenWhileIdle(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MaxConns: 4, MinConns: -1})
	ctx := context.Background()
	for _, pause := range []time.Duration{0, 1100 * time.Millisecond} {
		var held []*pool.Conn
		for range 4 {
			held = append(held, acquire(t, p))
		}
		for _, c := range held {
			c.Release()
		}
		if _, err := db.Conn().Exec(ctx, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pause)
		failed := 0
		for range 10 {
			if _, err := p.Exec(ctx, "SELECT 1"); err != nil {
				failed++
			}
		}
		if most := map[bool]int{true: 0, false: 1}[pause > 0]; failed > most {
			t.Errorf("after %v: %d statements failed", pause, failed)
		}
	}
}
