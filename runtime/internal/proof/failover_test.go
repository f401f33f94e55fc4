package proof

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

// Writers write through the crash of the primary and the promotion of a standby,
// again and again; then what they were told is compared with the table.
func TestFailover(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		synchronous int
		attrs       string
		config      pool.Config
		options     []txn.Option
	}{
		{"synchronous", 1, "&target_session_attrs=read-write", pool.Config{}, nil},
		{"asynchronous", 0, "&target_session_attrs=read-write", pool.Config{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 2, Synchronous: test.synchronous})
			db, err := cluster.Create(ctx, pgtest.SQL(ledgerSchema))
			must(t, err)
			test.config.MaxConns = 8
			p := open(t, db.URL+test.attrs, test.config)
			m := txn.New(p, test.options...)
			l := newLedger()
			const n = 8
			w := l.start(n, func(writer int) func(context.Context, int64, int) (outcome, error) {
				if writer%4 == 3 {
					return alone(p)
				}
				return inTransaction(m)
			})
			var outages, lasts, promotions []time.Duration
			for round := range rounds() {
				select {
				case <-l.arm(n).all:
				case <-ctx.Done():
					t.Fatal("the writers write no more")
				}
				time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
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
			report(t, "stop to promoted", "%s", quantiles(promotions))
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
			checkPool(t, p, m)
		})
	}
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
	select {
	case <-acks.all:
	case <-time.After(writeTimeout + 30*time.Second):
		_, last := acks.times()
		t.Fatalf("not every writer writes again: %d of %d, the last %v after the new primary took writes; errors %s", len(acks.at), n, last.Sub(at), l.kinds())
	}
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
