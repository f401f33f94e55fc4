package proof

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

// Writers write through the crash of the primary and the promotion of a standby,
// again and again; then what they were told is compared with the table.
func TestFailover(t *testing.T) {
	t.Parallel()
	const several = "&target_session_attrs=read-write"
	for _, test := range []struct {
		name        string
		synchronous int
		attrs       string
		config      pool.Config
		options     []txn.Option
		// mixed has the primary restarted, and its sessions ended, in turn with
		// the failovers.
		mixed bool
		// reads has each write read back, wherever reads go.
		reads bool
	}{
		{name: "synchronous", synchronous: 1, attrs: several},
		{name: "asynchronous", attrs: several},
		{name: "resolved", synchronous: 1, config: pool.Config{Configure: cutting}, options: []txn.Option{txn.ResolveByXID}, mixed: true},
		{name: "standbys", synchronous: 1, config: pool.Config{Standbys: &pool.Standbys{}}, reads: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
			defer cancel()
			cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 2, Synchronous: test.synchronous})
			db, err := cluster.Create(ctx, pgtest.SQL(ledgerSchema))
			must(t, err)
			test.config.MaxConns = 8
			p := open(t, db.URL+test.attrs, test.config)
			m := txn.New(p, test.options...)
			l := newLedger()
			var reads readBack
			const n = 8
			w := l.start(n, func(writer int) write {
				do := inTransaction(m)
				if writer%4 == 3 {
					do = alone(p)
				}
				if test.reads {
					do = reads.after(p, l, do)
				}
				return do
			})
			var outages, lasts, promotions []time.Duration
			for round := range rounds() {
				l.arm(n).wait(t, l)
				time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
				if test.mixed && round%3 > 0 {
					disturb(ctx, t, cluster, db, l, n, round%3 == 1)
				}
				f := failover(ctx, t, cluster, db, l, n)
				outages = append(outages, f.first)
				lasts = append(lasts, f.last)
				promotions = append(promotions, f.promotion)
				if f.first > scale(30*time.Second, time.Second) {
					t.Errorf("round %d: the first write came %v after the new primary took writes", round+1, f.first)
				}
			}
			w.end()
			must(t, cluster.CatchUp(ctx))
			v := l.compare(t, db.On(cluster.Primary()))
			for _, standby := range cluster.Standbys() {
				if other := l.compare(t, db.On(standby)); other != v {
					t.Errorf("%s has other rows: %+v, primary %+v", standby.Name(), other, v)
				}
			}
			lost := "acknowledged commits lost"
			if test.synchronous == 0 {
				lost += " (by the server)"
			}
			report(t, "failovers", "%d", rounds())
			report(t, "acknowledged commits", "%d", v.acknowledged)
			report(t, lost, "%d", v.lost)
			report(t, "doubled", "%d", v.doubled)
			report(t, "told failed, and repeated", "%d", l.repeated)
			report(t, "told failed, yet there", "%d", v.failedThere)
			report(t, "told unknown", "%d: %d there, %d not", v.unknown, v.unknownThere, v.unknownNot)
			report(t, "errors", "%s", l.kinds())
			report(t, "crash to promoted", "%s", quantiles(promotions))
			report(t, "outage beyond it, first write", "%s", quantiles(outages))
			report(t, "outage beyond it, every writer", "%s", quantiles(lasts))
			if test.synchronous > 0 && v.lost > 0 {
				t.Errorf("%d acknowledged commits are lost", v.lost)
			}
			if v.doubled > 0 || v.failedThere > 0 || v.strangers > 0 {
				t.Errorf("%d writes are there twice, %d were told failed and are there, %d are nobody's", v.doubled, v.failedThere, v.strangers)
			}
			if v.acknowledged == 0 {
				t.Error("nothing was written")
			}
			if test.mixed {
				report(t, "commits resolved", "%+v", m.Stats())
			}
			if test.reads {
				standby, all, stale, failures := reads.done.standby.Load(), reads.done.all.Load(), reads.done.stale.Load(), reads.done.failed.Load()
				report(t, "writes read back", "%d, %d of them on standbys; %d reads failed", all, standby, failures)
				report(t, "stale", "%d", stale)
				if stale > 0 || all == 0 || standby == 0 {
					t.Errorf("of %d reads of a write just acknowledged %d did not see it; %d were on standbys", all, stale, standby)
				}
			}
			checkPool(t, p, m)
		})
	}
}

// readBack reads each write that was acknowledged, as its writer would.
type readBack struct {
	done struct{ all, standby, stale, failed atomic.Int64 }
}

func (r *readBack) after(p *pool.Pool, l *ledger, do write) write {
	find := runtime.Query{Name: "Find", SQL: "SELECT count(*), pg_is_in_recovery() FROM ledger WHERE id = $1", ReadOnly: true}
	type found struct {
		n       int64
		standby bool
	}
	return func(ctx context.Context, id int64, attempt int) (outcome, error) {
		ctx, _ = p.WithSession(ctx)
		o, err := do(ctx, id, attempt)
		if o != acknowledged {
			return o, err
		}
		got, readErr := runtime.One(ctx, p, find, func(row *runtime.Row) found { return found{row.Int64(0), row.Bool(1)} }, id)
		switch {
		case readErr != nil: // the server that answered has died meanwhile
			r.done.failed.Add(1)
			l.mu.Lock()
			l.errs["reading: "+kind(readErr)]++
			l.mu.Unlock()
		case got.n == 0:
			r.done.stale.Add(1)
			fallthrough
		default:
			r.done.all.Add(1)
			if got.standby {
				r.done.standby.Add(1)
			}
		}
		return o, err
	}
}

// disturb crashes the primary and starts it again, or ends all sessions, and
// waits until all writers write.
func disturb(ctx context.Context, t *testing.T, cluster *pgtest.Cluster, db *pgtest.Database, l *ledger, n int, crash bool) {
	t.Helper()
	primary := cluster.Primary()
	if crash {
		must(t, primary.Stop(ctx, pgtest.Immediate))
		must(t, primary.Start(ctx))
	} else {
		one[int](t, db.On(primary), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()`)
	}
	l.arm(n).wait(t, l)
}

func rounds() int {
	if *failovers > 0 {
		return *failovers
	}
	return scale(3, 100)
}

// outage is how long a failover took.
type outage struct {
	promotion   time.Duration // from the crash until the new primary takes writes
	first, last time.Duration // from then until the first write, and one of each writer
}

// failover crashes the primary, promotes the standby that has most, and makes
// the others follow it.
func failover(ctx context.Context, t *testing.T, cluster *pgtest.Cluster, db *pgtest.Database, l *ledger, n int) outage {
	t.Helper()
	old := cluster.Primary()
	must(t, old.Stop(ctx, pgtest.Immediate))
	acks := l.arm(n)
	stopped := time.Now()
	heir, err := cluster.Successor(ctx)
	must(t, err)
	writable := make(chan time.Time, 1)
	go func() { writable <- watch(ctx, db.On(heir)) }()
	must(t, heir.Promote(ctx))
	for _, node := range cluster.Standbys() {
		must(t, node.Follow(ctx, heir))
	}
	var at time.Time
	select {
	case at = <-writable:
	case <-ctx.Done():
		t.Fatal("the new primary takes no writes")
	}
	acks.wait(t, l)
	must(t, old.Follow(ctx, heir))
	first, last := acks.times()
	return outage{promotion: at.Sub(stopped), first: max(0, first.Sub(at)), last: max(0, last.Sub(at))}
}

// watch returns when a bare connection to the server has first written.
func watch(ctx context.Context, dsn string) time.Time {
	for ctx.Err() == nil {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			// A row that is nobody's would count: this one is undone by its own
			// statement, and its commit waits as any other does.
			_, err = conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'proof', '')")
			at := time.Now()
			_ = conn.Close(ctx)
			if err == nil {
				return at
			}
		}
		time.Sleep(time.Millisecond)
	}
	return time.Time{}
}

// checkPool checks that nothing is held when all is over.
func checkPool(t *testing.T, p *pool.Pool, m *txn.Manager) {
	t.Helper()
	eventually(t, "all connections come back", func() bool { return p.Stats().Active == 0 })
	if s := m.Stats(); s.Active != 0 || s.Begun != s.Committed+s.RolledBack+s.Expired+s.Unknown {
		t.Errorf("the manager's counters do not add up: %+v", s)
	}
}
