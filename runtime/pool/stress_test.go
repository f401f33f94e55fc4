package pool_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// invariants reports what does not hold in s, nor in relation to the snapshot
// before it.
func invariants(before, s pool.Stats) (wrong []string) {
	check := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	check(s.Total == s.Active+s.Idle+s.Connecting, "Total")
	check(s.Total+s.Closing <= s.Max, "Max")
	for _, n := range []int{s.Active, s.Idle, s.Connecting, s.Closing, s.Waiting} {
		check(n >= 0, "sign")
	}
	check(s.Opened == int64(s.Active+s.Idle)+s.ClosedIdle+s.ClosedExpired+s.ClosedBroken+s.ClosedEvicted+s.ClosedByPool, "Opened")
	check(s.AcquireTime.Count == s.Acquires+s.Timeouts+s.Canceled+s.Rejected+s.Failed, "AcquireTime.Count")
	sum := int64(0)
	for i, n := range s.AcquireTime.Counts {
		sum += n
		check(n >= 0 && (before.Max == 0 || n >= before.AcquireTime.Counts[i]), "AcquireTime.Counts")
	}
	check(sum == s.AcquireTime.Count && len(s.AcquireTime.Counts) == len(s.AcquireTime.Bounds)+1, "sum of AcquireTime.Counts")
	check(s.Waits <= s.Acquires && s.WaitTime <= s.AcquireTime.Sum, "Waits")
	for _, pair := range [][2]int64{
		{before.Acquires, s.Acquires},
		{before.Waits, s.Waits},
		{before.Timeouts, s.Timeouts},
		{before.Canceled, s.Canceled},
		{before.Rejected, s.Rejected},
		{before.Failed, s.Failed},
		{before.Opened, s.Opened},
		{before.ConnectFailures, s.ConnectFailures},
		{before.ClosedIdle, s.ClosedIdle},
		{before.ClosedExpired, s.ClosedExpired},
		{before.ClosedBroken, s.ClosedBroken},
		{before.ClosedEvicted, s.ClosedEvicted},
		{before.ClosedByPool, s.ClosedByPool},
		{before.Leaks, s.Leaks},
		{int64(before.WaitTime), int64(s.WaitTime)},
		{int64(before.AcquireTime.Sum), int64(s.AcquireTime.Sum)},
	} {
		check(pair[0] <= pair[1], "a counter went back")
	}
	return wrong
}

// goroutines returns the goroutines that have to do with a pool, by number.
func goroutines() map[string]string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:goruntime.Stack(stacks, true)]
	found := map[string]string{}
	for _, g := range strings.Split(string(stacks), "\n\n") {
		for _, mark := range []string{"runtime/pool.", "pgxpool.", "puddle.", "pgconn."} {
			if strings.Contains(g, mark) && !strings.Contains(g, "testing.tRunner") {
				number, _, _ := strings.Cut(g, " [")
				found[number] = g
				break
			}
		}
	}
	return found
}

// Ten thousand acquires by many, who cancel, run out of time, fail, hold rows,
// lose their connections and leave their transactions open, leak nothing: not in
// the pool, no goroutine, no server process. What Stats promises holds in every
// snapshot on the way. It runs by itself, as it counts goroutines.
func TestNothingLeaks(t *testing.T) { //nolint:paralleltest // see above
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (id int)"))
	admin := db.Conn()
	others := goroutines()
	ctx := context.Background()
	p, err := pool.New(ctx, db.URL, pool.Config{
		MaxConns: 8, MinConns: 2, AcquireTimeout: 12 * time.Millisecond, MaxWaiters: 14, LeakAfter: 20 * time.Millisecond,
		MaxLifetime: 60 * time.Millisecond, IdleTimeout: 60 * time.Millisecond, ApplicationName: "stressed",
	})
	if err != nil {
		t.Fatal(err)
	}
	const backends = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stressed' AND datname = current_database()"

	const total, workers = 10_000, 24
	var done atomic.Int64
	over := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Go(func() {
		var before pool.Stats
		for samples := 0; ; samples++ {
			s := p.Stats()
			if wrong := invariants(before, s); wrong != nil {
				t.Errorf("%v do not hold:\n%+v\n%+v", wrong, before, s)
				return
			}
			before = s
			active := 0
			for _, i := range p.Conns() {
				if i.Active == i.Idle || i.Active != (i.Held > 0) || i.Uses < 0 {
					t.Errorf("info: %+v", i)
				}
				if i.Active {
					active++
				}
			}
			if active > s.Max {
				t.Errorf("%d are active", active)
			}
			select {
			case <-over:
				t.Logf("%d snapshots; at the end %+v", samples, s)
				return
			case <-time.After(time.Millisecond / 2):
			}
		}
	})
	sampling.Go(func() { // connections are lost, idle and in use
		for {
			select {
			case <-over:
				return
			case <-time.After(80 * time.Millisecond):
			}
			if _, err := admin.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stressed' AND datname = current_database() ORDER BY random() LIMIT 2"); err != nil {
				t.Error(err)
			}
		}
	})
	var work sync.WaitGroup
	for worker := range workers {
		work.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(worker)))
			for done.Add(1) <= total {
				ctx, cancel := context.Background(), context.CancelFunc(func() {})
				switch random.IntN(20) {
				case 0:
					ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(5_000))*time.Microsecond)
				case 1:
					ctx, cancel = context.WithCancel(ctx)
					time.AfterFunc(time.Duration(random.IntN(5_000))*time.Microsecond, cancel)
				}
				err := oneOf(ctx, p, random)
				if err != nil && !expected(err) {
					t.Errorf("got %v", err)
				}
				cancel()
				if errors.Is(err, pool.ErrTooManyWaiters) {
					done.Add(-1) // it did not get as far as to wait
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	work.Wait()
	eventually(t, "no connection is held", func() bool { s := p.Stats(); return s.Active == 0 && s.Waiting == 0 && s.Closing == 0 })
	close(over)
	sampling.Wait()
	s := p.Stats()
	// Each of these was met.
	for what, n := range map[string]int64{
		"Timeouts": s.Timeouts, "Canceled": s.Canceled, "Rejected": s.Rejected, "Waits": s.Waits, "ClosedBroken": s.ClosedBroken, "ClosedExpired": s.ClosedExpired, "Leaks": s.Leaks,
	} {
		if n == 0 {
			t.Errorf("no %s: %+v", what, s)
		}
	}
	eventually(t, "the server agrees", func() bool {
		var n int
		if err := admin.QueryRow(ctx, backends).Scan(&n); err != nil {
			t.Fatal(err)
		}
		s := p.Stats()
		return n == s.Total && n == len(p.Conns())
	})
	// The pool works, with all it may have.
	var held []*pool.Conn
	eventually(t, "all connections can be had", func() bool {
		c, err := p.Acquire(ctx)
		if err == nil {
			held = append(held, c)
		}
		return len(held) == 8
	})
	for _, c := range held {
		c.Release()
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.Total != 0 || s.Closing != 0 || len(p.Conns()) != 0 || invariants(pool.Stats{}, s) != nil {
		t.Errorf("closed: %+v", s)
	}
	eventually(t, "no server process is left", func() bool {
		var n int
		if err := admin.QueryRow(ctx, backends).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
	left := map[string]string{}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		left = goroutines()
		maps.DeleteFunc(left, func(number, _ string) bool { return others[number] != "" })
		if len(left) == 0 {
			break
		}
	}
	for _, g := range left {
		t.Errorf("left: %s", g)
	}
}

// oneOf does one of the things that programs do with a pool, wrong ones too.
func oneOf(ctx context.Context, p *pool.Pool, random *rand.Rand) error {
	switch random.IntN(12) {
	case 0, 1, 2:
		_, err := p.Exec(ctx, "SELECT 1")
		return err
	case 3:
		_, err := p.Exec(ctx, "SELECT pg_sleep($1)", float64(random.IntN(10))/1000)
		return err
	case 4: // rows that are left
		rows, err := p.Query(ctx, "SELECT generate_series(1, 1000)")
		if err == nil {
			rows.Next()
			time.Sleep(time.Duration(random.IntN(2)) * time.Millisecond)
			rows.Close()
			err = rows.Err()
		}
		return err
	case 5:
		var n int
		return p.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&n)
	case 6: // a transaction that is left open
		c, err := p.Acquire(ctx)
		if err != nil {
			return err
		}
		defer c.Release()
		_, err = c.Exec(ctx, "BEGIN")
		return err
	case 7:
		tx, err := p.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.Background()) }()
		if _, err := tx.Exec(ctx, "INSERT INTO t VALUES (1)"); err != nil {
			return err
		}
		return tx.Rollback(ctx)
	case 8: // an error
		if _, err := p.Exec(ctx, "SELECT 1/0"); !runtime.AsError(err).IsData() {
			return err
		}
		return nil
	case 9: // held for long, released twice
		c, err := p.Acquire(ctx)
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(random.IntN(25)) * time.Millisecond)
		c.Release()
		c.Release()
		return nil
	case 10: // a panic
		defer func() { _ = recover() }()
		_, err := p.Exec(ctx, "SELECT $1::text", panics{})
		return err
	}
	return p.Ping(ctx)
}

// expected are the errors that the stress brings with it.
func expected(err error) bool {
	e := &runtime.Error{Err: err}
	if pg := runtime.AsError(err); pg != nil {
		e = pg
	}
	return errors.Is(err, pool.ErrAcquireTimeout) || errors.Is(err, pool.ErrTooManyWaiters) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled) || e.IsConnection() || e.IsCanceled()
}

// A statement whose context ends is cancelled on the server, where nothing goes
// on; its connection stays; and no cancel hits the next statement on it.
func TestCancelHitsOneStatement(t *testing.T) {
	t.Parallel()
	p, db := open(t, pool.Config{MaxConns: 6, AcquireTimeout: time.Minute, LeakAfter: 0})
	ctx := context.Background()
	fill(t, p, 6)
	before := map[uint32]bool{}
	for _, i := range p.Conns() {
		before[i.PID] = true
	}
	var cancelled, answered atomic.Int64
	end := time.Now().Add(2 * time.Second)
	var wg sync.WaitGroup
	for worker := range 12 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(worker)))
			for time.Now().Before(end) {
				short, cancel := context.WithCancel(ctx)
				if worker%2 == 0 { // ends at any moment: before, while it runs, as it ends
					short, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(3000))*time.Microsecond)
				}
				stop := time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, cancel)
				_, err := p.Exec(short, "SELECT pg_sleep(0.002)")
				stop.Stop()
				ended := short.Err()
				cancel()
				if err != nil {
					cancelled.Add(1)
					if ended == nil || !runtime.AsError(err).IsCanceled() && !errors.Is(err, ended) {
						t.Errorf("got %v, the context %v", err, ended)
					}
				}
				for range 5 { // nobody cancels these
					want := random.Int64()
					var got int64
					if err := p.QueryRow(ctx, "SELECT $1::bigint + 0 * count(*) FROM generate_series(1, 300)", want).Scan(&got); err != nil || got != want {
						t.Errorf("somebody else's statement: %d, want %d: %v", got, want, err)
					}
					answered.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d cancelled, %d answered", cancelled.Load(), answered.Load())
	if cancelled.Load() == 0 || answered.Load() == 0 {
		t.Error("nothing was cancelled, or nothing answered")
	}
	for _, i := range p.Conns() {
		if !before[i.PID] {
			t.Errorf("connection %d is another one", i.ID)
		}
	}
	if s := p.Stats(); s.ClosedBroken != 0 || s.Opened != 6 {
		t.Errorf("%+v", s)
	}
	// One that would run for long, by either end.
	for _, end := range []func() (context.Context, context.CancelFunc){
		func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, 50*time.Millisecond) },
		func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		},
	} {
		short, cancel := end()
		marker := fmt.Sprintf("marker %d", rand.Int64())
		if _, err := p.Exec(short, "SELECT pg_sleep(60) /* "+marker+" */"); err == nil {
			t.Error("a minute went by")
		}
		cancel()
		var running int
		if err := db.Conn().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%' || $1 || '%' AND state = 'active' AND pid <> pg_backend_pid()", marker).Scan(&running); err != nil || running != 0 {
			t.Errorf("%d statements go on (%v)", running, err)
		}
	}
	if s := p.Stats(); s.ClosedBroken != 0 || s.Opened != 6 {
		t.Errorf("%+v", s)
	}
}
