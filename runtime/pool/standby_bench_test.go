package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// BenchmarkStandby reads a standby: through a pool with standbys, without a
// session and with one whose write the standby is known to have, beside a bare
// pgxpool on that standby.
func BenchmarkStandby(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := pgtest.NewCluster(b, pgtest.ClusterOptions{Standbys: 1})
	ours, err := pool.New(ctx, c.URL(), pool.Config{Standbys: &pool.Standbys{CheckInterval: 100 * time.Millisecond}})
	must(b, err)
	theirs, err := pgxpool.New(ctx, c.Nodes()[1].URL())
	must(b, err)
	b.Cleanup(func() {
		theirs.Close()
		must(b, ours.Close(context.Background()))
	})
	for !ours.Hosts()[1].Reads {
		time.Sleep(time.Millisecond)
	}
	session, s := ours.WithSession(ctx)
	_, err = ours.Exec(session, "SELECT pg_logical_emit_message(true, '', '')")
	must(b, err)
	must(b, c.CatchUp(ctx))
	known := ours.WithToken(ctx, s.Token())
	args := []any{int64(7)}
	q := runtime.Query{Name: "Get", SQL: benchSQL, ReadOnly: true}
	drain := func(rows pgx.Rows, err error) {
		must(b, err)
		for rows.Next() {
		}
		must(b, rows.Err())
	}
	for _, bench := range []struct {
		name string
		ctx  context.Context
	}{{"plain", ctx}, {"token", known}} {
		b.Run(bench.name, func(b *testing.B) {
			before := ours.Hosts()[1].Done
			ran := 0
			turns(b, func(n int) {
				ran += n
				for range n {
					drain(ours.RunQuery(bench.ctx, q, args))
				}
			}, func(n int) {
				for range n {
					drain(theirs.Query(ctx, benchSQL, args...))
				}
			})
			if done := ours.Hosts()[1].Done - before; done != int64(ran) {
				b.Errorf("%d of %d reads went to the standby", done, ran)
			}
		})
	}
}
