package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

// Sessions are ended, statements cancelled, connections cut and the server
// restarted at random while callers, some of them impatient, write in every way there is. When it is
// over the table agrees with what they were told, and nothing is left behind: no
// connection held, no session on the server, no goroutine. It runs alone, for
// goroutines are counted.
func TestChurn(t *testing.T) {
	duration := scale(5*time.Second, 2*time.Minute)
	if *churn > 0 {
		duration = *churn
	}
	ctx, cancel := context.WithTimeout(context.Background(), duration+5*time.Minute)
	defer cancel()
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{})
	db, err := cluster.Create(ctx, pgtest.SQL(ledgerSchema))
	must(t, err)
	server := cluster.Primary()
	// One, so that no other's end counts below.
	admin := db.On(server)
	before := goruntime.NumGoroutine()

	const size, n = 6, 16
	p, err := pool.New(ctx, db.URL, pool.Config{MaxConns: size, MinConns: 2, Configure: cutting})
	must(t, err)
	m := txn.New(p, txn.ResolveByXID)
	l := newLedger()
	ways := []write{inTransaction(m), alone(p), nested(m), batched(p), held(p), inTransaction(m, txn.Isolation(pgx.Serializable)), copied(m), streamed(p, alone(p))}
	var hurried atomic.Int64
	w := l.start(n, func(writer int) write {
		r := rand.New(rand.NewPCG(7, uint64(writer)))
		return func(ctx context.Context, id int64, attempt int) (outcome, error) {
			if r.IntN(10) == 0 {
				hurried.Add(1)
				short, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(4000))*time.Microsecond)
				defer cancel()
				ctx = short
			}
			return ways[r.IntN(len(ways))](ctx, id, attempt)
		}
	})

	var ended, cancelled, restarts int
	r := rand.New(rand.NewPCG(7, 7))
	const some = ` FROM (SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()
		AND pid <> pg_backend_pid() ORDER BY random() LIMIT %d) AS chosen`
	over := time.Now().Add(duration)
	for restart := time.Now().Add(duration / 4); time.Now().Before(over); time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond) {
		s := p.Stats()
		if s.Total > size || s.Active > size || s.Idle > size || s.Active < 0 || s.Idle < 0 {
			t.Errorf("the counters of the pool: %+v", s)
		}
		switch {
		case time.Now().After(restart):
			restart = time.Now().Add(min(duration/4, 10*time.Second))
			restarts++
			must(t, server.Stop(ctx, []pgtest.StopMode{pgtest.Immediate, pgtest.Fast}[restarts%2]))
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
			must(t, server.Start(ctx))
		case r.IntN(2) == 0:
			ended += one[int](t, admin, fmt.Sprintf("SELECT count(pg_terminate_backend(pid))"+some, 1+r.IntN(size)))
		default:
			cancelled += one[int](t, admin, fmt.Sprintf("SELECT count(pg_cancel_backend(pid))"+some, 1+r.IntN(size)))
		}
	}
	l.arm(n).wait(t, l)
	w.end()

	v := l.compare(t, admin)
	report(t, "duration", "%v, %d writers on %d connections", duration, n, size)
	report(t, "sessions ended, cancelled", "%d, %d", ended, cancelled)
	report(t, "restarts of the server", "%d", restarts)
	report(t, "impatient callers", "%d", hurried.Load())
	report(t, "acknowledged, lost, doubled", "%d, %d, %d", v.acknowledged, v.lost, v.doubled)
	report(t, "told failed, yet there", "%d", v.failedThere)
	report(t, "told unknown", "%d: %d there, %d not", v.unknown, v.unknownThere, v.unknownNot)
	report(t, "transactions", "%+v", m.Stats())
	report(t, "errors", "%s", l.kinds())
	if v.lost > 0 || v.doubled > 0 || v.failedThere > 0 || v.strangers > 0 || v.acknowledged == 0 {
		t.Errorf("the table does not agree: %+v", v)
	}
	checkPool(t, p, m)
	// Exactly the pool's connections are open, and all of them work.
	sessions := func() int {
		return one[int](t, admin, `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()`)
	}
	eventually(t, "the server has the sessions of the pool and no other", func() bool { return sessions() == p.Stats().Total })
	var conns []*pool.Conn
	for range size {
		c, err := p.Acquire(ctx)
		must(t, err)
		conns = append(conns, c)
		var status int
		must(t, c.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE pid = pg_backend_pid() AND backend_xid IS NULL").Scan(&status))
		if status != 1 {
			t.Error("a connection came with a transaction open")
		}
	}
	for _, c := range conns {
		c.Release()
	}
	must(t, m.Close(ctx))
	must(t, p.Close(ctx))
	eventually(t, "no session is left on the server", func() bool { return sessions() == 0 })
	left := 0
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = goruntime.NumGoroutine() - before; left <= 0 {
			break
		}
	}
	report(t, "left: goroutines, sessions, slots", "%d, %d, %d", max(0, left), sessions(), p.Stats().Active)
	if left > 0 {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines are left:\n%s", left, stacks[:goruntime.Stack(stacks, true)])
	}
}

var errUndo = errors.New("undo")

// nested writes within a savepoint, after one that is undone.
func nested(m *txn.Manager) write {
	insert := insertQuery()
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		return told(m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
				if err := runtime.Exec(ctx, tx, insert, id, attempt); err != nil {
					return err
				}
				return errUndo
			})
			if !errors.Is(err, errUndo) {
				return err
			}
			return tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error { return runtime.Exec(ctx, tx, insert, id, attempt) })
		}))
	}
}

// copied writes by COPY.
func copied(m *txn.Manager) write {
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		return told(m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"id", "attempt"}, pgx.CopyFromRows([][]any{{id, int32(attempt)}}))
			return err
		}))
	}
}

// batched writes in a batch, which is a transaction of its own.
func batched(p *pool.Pool) write {
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		b := &pgx.Batch{}
		b.Queue("SELECT 1")
		b.Queue("INSERT INTO ledger VALUES ($1, $2)", id, attempt)
		return toldAlone(p.SendBatch(ctx, b).Close())
	}
}

// held writes on a connection that it holds.
func held(p *pool.Pool) write {
	insert := insertQuery()
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		c, err := p.Acquire(ctx)
		if err != nil {
			return failed, err
		}
		defer c.Release()
		return toldAlone(runtime.Exec(ctx, c, insert, id, attempt))
	}
}

// streamed reads some rows of a stream, and then writes.
func streamed(p *pool.Pool, do write) write {
	rows := runtime.Query{Name: "Rows", SQL: "SELECT generate_series(1, 1000)", ReadOnly: true}
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		for n, err := range runtime.Iter(ctx, p, rows, func(r *runtime.Row) int32 { return r.Int32(0) }) {
			if err != nil {
				return failed, err
			}
			if n == 100 {
				break
			}
		}
		return do(ctx, id, attempt)
	}
}
