package proof

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5/pgconn"
)

// refusals counts, for each session, the statements that found their server
// read only.
type refusals struct {
	mu  sync.Mutex
	all map[session]int
}

type session struct {
	host string
	pid  uint32
}

func (r *refusals) Begin(ctx context.Context, _ runtime.Event) context.Context { return ctx }

func (r *refusals) End(_ context.Context, e runtime.Event) {
	var pg *pgconn.PgError
	if e.Kind == runtime.EventQuery && errors.As(e.Err, &pg) && pg.Code == "25006" {
		r.mu.Lock()
		r.all[session{e.Host, e.PID}]++
		r.mu.Unlock()
	}
}

// A primary that is demoted and lives on refuses writes for ever on sessions that
// stay: each must fail once at most, and then be gone.
func TestDemotion(t *testing.T) {
	t.Parallel()
	for name, standbys := range map[string]*pool.Standbys{"primary alone": nil, "standbys": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demotion(t, standbys)
		})
	}
}

func demotion(t *testing.T, standbys *pool.Standbys) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 1})
	db, err := cluster.Create(ctx, pgtest.SQL(ledgerSchema))
	must(t, err)
	const n = 8
	seen := &refusals{all: map[session]int{}}
	p := open(t, db.URL+"&target_session_attrs=read-write", pool.Config{MaxConns: n, Observer: seen, Standbys: standbys})
	m := txn.New(p)
	l := newLedger()
	w := l.start(n, func(writer int) write {
		if writer%2 == 0 {
			return alone(p)
		}
		return inTransaction(m)
	})
	var outages []time.Duration
	conns := 0
	for range scale(2, 20) {
		l.arm(n).wait(t, l)
		old, heir := cluster.Nodes()[0], cluster.Nodes()[1]
		if cluster.Primary() == heir {
			old, heir = heir, old
		}
		conns += p.Stats().Total
		must(t, old.Set(ctx, "default_transaction_read_only", "on"))
		// What is acknowledged until the last transaction ended is on the standby
		// before it is promoted: otherwise two primaries would both take writes.
		last := int64(-1)
		eventually(t, "the demoted primary takes no more writes", func() bool {
			before := last
			last = l.acks.Load()
			time.Sleep(20 * time.Millisecond)
			return before == last
		})
		must(t, cluster.CatchUp(ctx))
		acks := l.arm(n)
		writable := make(chan time.Time, 1)
		go func() { writable <- watch(ctx, db.On(heir)) }()
		must(t, heir.Promote(ctx))
		at := <-writable
		acks.wait(t, l)
		first, _ := acks.times()
		outages = append(outages, max(0, first.Sub(at)))
		must(t, old.Set(ctx, "default_transaction_read_only", "off"))
		must(t, old.Follow(ctx, heir))
	}
	w.end()
	must(t, cluster.CatchUp(ctx))
	v := l.compare(t, db.On(cluster.Primary()))
	seen.mu.Lock()
	total, worst := 0, 0
	for _, n := range seen.all {
		total += n
		worst = max(worst, n)
	}
	seen.mu.Unlock()
	report(t, "connections when demoted", "%d", conns)
	report(t, "writes refused as read only", "%d", total)
	report(t, "of one connection at most", "%d", worst)
	report(t, "outage beyond promotion", "%s", quantiles(outages))
	report(t, "errors", "%s", l.kinds())
	report(t, "acknowledged, lost, doubled", "%d, %d, %d", v.acknowledged, v.lost, v.doubled)
	if total == 0 || worst > 1 || total > conns {
		t.Errorf("%d writes were refused on %d connections, up to %d on one", total, conns, worst)
	}
	if v.lost > 0 || v.doubled > 0 || v.failedThere > 0 || v.strangers > 0 {
		t.Errorf("the table does not agree: %+v", v)
	}
	checkPool(t, p, m)
}
