package pool_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// The benchmarks run a pool and a bare pgxpool in turns, in one run, and report
// what ours costs over, or in relation to, pgx's: "allocs-over-pgx" and
// "ns-over-pgx" for each operation, "x-pgx" as a ratio of times.

const benchSQL = "-- name: Get :one\nSELECT $1::bigint, 'some text', now()"

// pools returns both kinds on a replayed server that knows benchSQL and "SELECT 1".
func pools(b testing.TB, size int) (*pool.Pool, *pgxpool.Pool) {
	b.Helper()
	ctx := context.Background()
	url := pgtest.New(b).URL
	server := record(b, url, func(p *pgxpool.Pool) {
		for range 3 {
			rows, err := p.Query(ctx, benchSQL, int64(7))
			if err != nil {
				b.Fatal(err)
			}
			rows.Close()
			if _, err := p.Exec(ctx, "SELECT 1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	config := pool.Config{MaxConns: size, MinConns: -1, Configure: func(c *pgxpool.Config) error {
		c.ConnConfig.DialFunc = server.dial
		return nil
	}}
	ours, err := pool.New(ctx, url, config)
	if err != nil {
		b.Fatal(err)
	}
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	c.MaxConns, c.ConnConfig.DialFunc = int32(size), server.dial
	theirs, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		theirs.Close()
		if err := ours.Close(ctx); err != nil {
			b.Error(err)
		}
	})
	return ours, theirs
}

// turns runs ours and theirs in turns, b.N times each, and reports on them: the
// medians of times, as other programs take theirs out of a turn, and all
// allocations.
func turns(b *testing.B, ours, theirs func(n int)) {
	b.Helper()
	ours(1)
	theirs(1)
	var each [2][]float64 // ns of one operation
	var allocs [2]uint64
	measure := func(i int, run func(int), n int) {
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		began := time.Now()
		run(n)
		each[i] = append(each[i], float64(time.Since(began))/float64(n))
		goruntime.ReadMemStats(&after)
		allocs[i] += after.Mallocs - before.Mallocs
	}
	b.ResetTimer()
	const turn = 1000
	for left := b.N; left > 0; left -= turn {
		n := min(left, turn)
		measure(0, ours, n)
		measure(1, theirs, n)
	}
	b.StopTimer()
	median := func(i int) float64 {
		slices.Sort(each[i])
		return each[i][len(each[i])/2]
	}
	b.ReportMetric((float64(allocs[0])-float64(allocs[1]))/float64(b.N), "allocs-over-pgx")
	b.ReportMetric(median(0)-median(1), "ns-over-pgx")
	b.ReportMetric(median(0)/median(1), "x-pgx")
	b.ReportMetric(median(1), "pgx-ns")
	b.ReportMetric(0, "ns/op") // of both together: of no use
}

// Statements cost at most one allocation more than on a bare pgxpool. It runs by
// itself, as it counts those of the process.
func TestAllocations(t *testing.T) { //nolint:paralleltest // see above
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ours, theirs := pools(t, 1)
	args := []any{int64(7)}
	q := runtime.Query{Name: "Get", SQL: benchSQL, ReadOnly: true}
	rows := func(rows pgx.Rows, err error) {
		if err == nil {
			rows.Close()
			err = rows.Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	exec := func(_ pgconn.CommandTag, err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	query := testing.AllocsPerRun(500, func() { rows(theirs.Query(ctx, benchSQL, args...)) })
	simple := testing.AllocsPerRun(500, func() { exec(theirs.Exec(ctx, "SELECT 1")) })
	for _, test := range []struct {
		name  string
		run   func()
		bound float64
	}{
		{"Query", func() { rows(ours.Query(ctx, benchSQL, args...)) }, query + 1},
		{"RunQuery", func() { rows(ours.RunQuery(ctx, q, args)) }, query + 1},
		{"Exec", func() { exec(ours.Exec(ctx, "SELECT 1")) }, simple + 1},
		{"RunExec", func() { exec(ours.RunExec(ctx, runtime.Query{SQL: "SELECT 1"}, nil)) }, simple + 1},
	} {
		if got := testing.AllocsPerRun(500, test.run); got > test.bound {
			t.Errorf("%s: %v allocations, want %v at most", test.name, got, test.bound)
		}
	}
}

func BenchmarkStatement(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background()) // as a request's
	defer cancel()
	ours, theirs := pools(b, 1)
	drain := func(rows pgx.Rows, err error) {
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
	}
	each := func(do func()) func(int) {
		return func(n int) {
			for range n {
				do()
			}
		}
	}
	args := []any{int64(7)}
	q := runtime.Query{Name: "Get", SQL: benchSQL, ReadOnly: true}
	for _, bench := range []struct {
		name         string
		ours, theirs func()
	}{
		{"Query", func() { drain(ours.Query(ctx, benchSQL, args...)) }, func() { drain(theirs.Query(ctx, benchSQL, args...)) }},
		{"RunQuery", func() { drain(ours.RunQuery(ctx, q, args)) }, func() { drain(theirs.Query(ctx, benchSQL, args...)) }},
		{"QueryRow", func() { var n int64; must(b, ours.QueryRow(ctx, benchSQL, args...).Scan(&n, nil, nil)) }, func() { var n int64; must(b, theirs.QueryRow(ctx, benchSQL, args...).Scan(&n, nil, nil)) }},
		{"Exec", func() { _, err := ours.Exec(ctx, "SELECT 1"); must(b, err) }, func() { _, err := theirs.Exec(ctx, "SELECT 1"); must(b, err) }},
		{
			"Acquire",
			func() { c, err := ours.Acquire(ctx); must(b, err); c.Release() },
			func() { c, err := theirs.Acquire(ctx); must(b, err); c.Release() },
		},
	} {
		b.Run(bench.name, func(b *testing.B) { turns(b, each(bench.ours), each(bench.theirs)) })
	}
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkContention(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ours, theirs := pools(b, 10)
	for _, callers := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			crowd := func(do func()) func(int) {
				return func(n int) {
					var left atomic.Int64
					left.Store(int64(n))
					var wg sync.WaitGroup
					for range callers {
						wg.Go(func() {
							for left.Add(-1) >= 0 {
								do()
							}
						})
					}
					wg.Wait()
				}
			}
			turns(b, crowd(func() {
				c, err := ours.Acquire(ctx)
				must(b, err)
				goruntime.Gosched()
				c.Release()
			}), crowd(func() {
				c, err := theirs.Acquire(ctx)
				must(b, err)
				goruntime.Gosched()
				c.Release()
			}))
		})
	}
}
