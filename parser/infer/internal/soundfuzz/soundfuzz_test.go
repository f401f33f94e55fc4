package soundfuzz

import (
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/runtime/pgtest"
)

var (
	duration = flag.Duration("soundness", 0, "how long TestSoundness runs; 0 for a fixed number of queries")
	seed     = flag.Uint64("seed", 1, "the seed of TestSoundness")
	perWorld = flag.Int("queries", 250, "the queries that TestSoundness makes for each schema")
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestSoundness holds random queries over random schemas against a server.
func TestSoundness(t *testing.T) {
	ctx := context.Background()
	var conns []*pgconn.PgConn
	major := 0
	for range variants {
		conn := pgtest.New(t).Conn()
		if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn.PgConn())
	}
	start := time.Now()
	o := Options{
		Conns: conns, Major: major, Seed: *seed, PerSchema: *perWorld, Until: start.Add(*duration), Known: map[string]bool{},
		Fault: func(text string) { t.Error(text) },
	}
	if *duration == 0 {
		o.Schemas = 3
	}
	stats, err := Run(o)
	if stats != nil {
		t.Logf("%.0f queries a second\n%s", float64(stats.Queries)/time.Since(start).Seconds(), stats)
	}
	if err != nil {
		t.Fatal(err)
	}
}
