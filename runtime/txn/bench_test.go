package txn_test

import (
	"context"
	gort "runtime"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
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

// mostOver is how many allocations a transaction may cost more than pgx's own.
const mostOver = 15

// A transaction with one query, beside the same by bare pgx, both through the
// same pool of pgx, in turns: what the manager costs. time/pgx is a ratio of
// times that lie side by side, so it holds on a busy machine too.
func BenchmarkTransaction(b *testing.B) {
	db := pgtest.New(b, pgtest.SQL(schema))
	plain, err := pgxpool.New(ctx, db.URL)
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	finish := func(tx pgx.Tx, err error) {
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
	bare := func() { finish(plain.BeginTx(ctx, pgx.TxOptions{})) }
	bareSerializable := func() { finish(plain.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})) }
	bareSettings := func() { // as one writes it: in one batch with BEGIN
		batch := &pgx.Batch{}
		batch.BeginTx(pgx.TxOptions{})
		batch.Queue("SELECT set_config($1, $2, true)", "app.tenant", "7")
		results := plain.SendBatch(ctx, batch)
		tx := results.Tx()
		finish(tx, results.Close())
	}
	managed := func(m *txn.Manager) func() {
		return func() {
			err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				_, err := runtime.One(ctx, tx, selectOne, int4, 7)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, bench := range []struct {
		name  string
		bare  func()
		run   func()
		limit float64
	}{
		{"no time-out", bare, managed(txn.New(plain, txn.Timeout(-1))), mostOver},
		{"default", bare, managed(txn.New(plain)), mostOver},
		{"settings", bareSettings, managed(txn.New(plain, txn.Set("app.tenant", "7"), txn.Timeout(-1))), mostOver},
		{"settings and time-out", bareSettings, managed(txn.New(plain, txn.Set("app.tenant", "7"))), 100},
		{"serializable", bareSerializable, managed(txn.New(plain, txn.Isolation(pgx.Serializable))), 100},
		{"resolved", bare, managed(txn.New(plain, txn.ResolveByXID)), 100},
	} {
		b.Run(bench.name, func(b *testing.B) {
			over := mallocs(200, bench.run) - mallocs(200, bench.bare)
			if over > bench.limit+0.5 {
				b.Errorf("%.1f allocations over pgx, at most %v", over, bench.limit)
			}
			var bareTime, ours time.Duration
			b.ReportAllocs()
			for b.Loop() {
				began := time.Now()
				bench.bare()
				between := time.Now()
				bench.run()
				ours += time.Since(between)
				bareTime += between.Sub(began)
			}
			b.ReportMetric(over, "allocs-over-pgx")
			b.ReportMetric(float64(ours)/float64(bareTime), "time/pgx")
		})
	}
}
