package proof

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/jackc/pgx/v5"
)

// The flags of package proof's comment. A test binary has no other place for
// them.
var (
	soak      = flag.Bool("soak", false, "run the proofs whole")
	failovers = flag.Int("failovers", 0, "failovers of each kind; default 3, 100 with -soak")
	churn     = flag.Duration("churn", 0, "duration of the churn; default 5s, 2m with -soak")
)

// figures are what the proofs counted and measured, printed at the end.
var figures struct {
	mu    sync.Mutex
	lines []figure
}

type figure struct{ proof, what, value string }

// report keeps a figure for the table at the end.
func report(t *testing.T, what, format string, args ...any) {
	t.Helper()
	f := figure{strings.TrimPrefix(t.Name(), "Test"), what, fmt.Sprintf(format, args...)}
	t.Logf("%s: %s", f.what, f.value)
	figures.mu.Lock()
	figures.lines = append(figures.lines, f)
	figures.mu.Unlock()
}

func TestMain(m *testing.M) {
	flag.Parse()
	if *soak {
		if err := os.Setenv(pgtest.EnvRequirePgBouncer, "1"); err != nil {
			panic(err)
		}
	}
	code := pgtest.Main(m)
	if *soak {
		slices.SortStableFunc(figures.lines, func(a, b figure) int { return cmp.Compare(a.proof, b.proof) })
		fmt.Println("\nFigures")
		for _, f := range figures.lines {
			fmt.Printf("  %-28s %-34s %s\n", f.proof, f.what, f.value)
		}
	}
	os.Exit(code)
}

// scale is small, or whole with -soak.
func scale[T any](small, whole T) T {
	if *soak {
		return whole
	}
	return small
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually fails the test if ok does not come true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

// open opens a pool that ends with the test.
func open(t *testing.T, dsn string, config pool.Config) *pool.Pool {
	t.Helper()
	p, err := pool.New(context.Background(), dsn, config)
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

// one returns the only value of a query on a connection of its own.
func one[T any](t *testing.T, dsn, sql string, args ...any) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	must(t, err)
	defer conn.Close(ctx)
	var v T
	must(t, conn.QueryRow(ctx, sql, args...).Scan(&v))
	return v
}

// quantiles writes the distribution of some durations.
func quantiles(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(q float64) time.Duration {
		return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d: min %v, median %v, p95 %v, max %v", len(sorted), at(0), at(0.5), at(0.95), sorted[len(sorted)-1].Round(100*time.Microsecond))
}
