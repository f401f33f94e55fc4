package txn_test

import (
	"context"
	gort "runtime"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var selectOne = runtime.Query{Name: "One", SQL: "-- name: One :one\nSELECT $1::int4", ReadOnly: true}

func int4(r *runtime.Row) int32 { return r.Int32(0) }

// mallocs is how often f allocates per call, over n calls.
func mallocs(n int, f func()) float64 {
	for range 20 { // statements get prepared, pools filled
		f()
	}
	var before, after gort.MemStats
	gort.ReadMemStats(&before)
	for range n {
		f()
	}
	gort.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// A transaction with one query, beside the same by bare pgx, both through a
// pool of pgx: what the manager costs.
func BenchmarkTransaction(b *testing.B) {
	e := open(b)
	plain, err := pgxpool.New(ctx, e.db.URL)
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	bare := func() {
		tx, err := plain.BeginTx(ctx, pgx.TxOptions{})
		if err == nil {
			_, err = runtime.One(ctx, tx, selectOne, int4, 7)
		}
		if err == nil {
			err = tx.Commit(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	managed := func(m *txn.Manager, opts ...txn.Option) func() {
		return func() {
			err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				_, err := runtime.One(ctx, tx, selectOne, int4, 7)
				return err
			}, opts...)
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, bench := range []struct {
		name string
		run  func()
	}{
		{"no time-out", managed(txn.New(plain, txn.Timeout(-1)))},
		{"default", managed(txn.New(plain))},
		{"serializable", managed(txn.New(plain, txn.Isolation(pgx.Serializable)))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			over := mallocs(200, bench.run) - mallocs(200, bare)
			var bareTime, ours time.Duration
			b.ReportAllocs()
			for b.Loop() {
				t0 := time.Now()
				bare()
				t1 := time.Now()
				bench.run()
				ours += time.Since(t1)
				bareTime += t1.Sub(t0)
			}
			b.ReportMetric(over, "allocs-over-pgx")
			b.ReportMetric(float64(ours)/float64(bareTime), "time/pgx")
		})
	}
}
