package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// behind returns a pool before a PgBouncer in transaction mode with so many
// connections to a server of its own, which no other test's load slows down.
func behind(t *testing.T, size int, config pool.Config, schema ...pgtest.Source) (*pool.Pool, *pgtest.DB) {
	t.Helper()
	db := pgtest.New(t, schema...)
	bouncer := pgtest.NewPgBouncer(t, pgtest.PgBouncerOptions{URL: db.URL, PoolSize: size})
	config.Profile = pool.TransactionPooler
	return openURL(t, bouncer.URL, config), db
}

const moods = `
CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, m mood NOT NULL, tags text[] NOT NULL);
INSERT INTO t SELECT i, i, 'ok', ARRAY['a', 'b'] FROM generate_series(1, 100) AS i;
`

// counting counts what is written: each round trip begins with one write.
type counting struct {
	net.Conn
	writes *atomic.Int64
}

func (c counting) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// Behind a pooler in transaction mode a statement is described once, in one
// round trip, and then runs in one; values come in binary; nothing stays in the
// server's session.
func TestTransactionPooler(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var writes atomic.Int64
	p, db := behind(t, 1, pool.Config{MaxConns: 1, MinConns: -1, Configure: func(c *pgxpool.Config) error {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return counting{conn, &writes}, err
		}
		return nil
	}}, pgtest.SQL(moods))
	if err := p.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	const query = "SELECT id, m, tags FROM t WHERE n = $1 AND m = ANY($2) AND tags @> $3"
	run := func() (trips int64, formats []int16, err error) {
		before := writes.Load()
		rows, err := p.Query(ctx, query, 7, []string{"ok", "sad"}, []string{"a"})
		if err != nil {
			return 0, nil, err
		}
		defer rows.Close()
		var id int
		var mood string
		var tags []string
		for rows.Next() {
			if err := rows.Scan(&id, &mood, &tags); err != nil {
				return 0, nil, err
			}
		}
		for _, f := range rows.FieldDescriptions() {
			formats = append(formats, f.Format)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return 0, nil, err
		}
		if id != 7 || mood != "ok" || len(tags) != 2 {
			return 0, nil, fmt.Errorf("got %d, %q, %q", id, mood, tags)
		}
		return writes.Load() - before, formats, nil
	}
	for i, want := range []int64{2, 1, 1} {
		trips, formats, err := run()
		if err != nil || trips != want {
			t.Errorf("run %d: %d round trips, want %d (%v)", i, trips, want, err)
		}
		if diff := cmp.Diff([]int16{1, 0, 1}, formats); diff != "" { // an enum is text
			t.Error("formats:", diff)
		}
	}
	// Nothing else is in the session either, also after a statement that failed
	// and a mode asked for by hand.
	if _, err := p.Exec(ctx, "SELECT 1 / ($1::int - 1)", 1); !runtime.AsError(err).IsData() {
		t.Errorf("got %v", err)
	}
	if _, err := p.Exec(ctx, "SELECT $1::int", pgx.QueryExecModeCacheStatement, 1); err == nil || !strings.Contains(err.Error(), "disabled statement cache") {
		t.Errorf("a prepared statement by hand: %v", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(query, 7, []string{"ok"}, []string{"a"})
	batch.Queue("SELECT $1::text", "x")
	if err := p.SendBatch(ctx, batch).Close(); err != nil {
		t.Error(err)
	}
	var prepared int
	if err := p.QueryRow(ctx, "SELECT count(*) FROM pg_prepared_statements WHERE $1", true).Scan(&prepared); err != nil || prepared != 0 {
		t.Errorf("%d prepared statements (%v)", prepared, err)
	}
	// What resets the session, or what the description rests on, is survived: the
	// statement that meets the change may fail, once, and no value is misread.
	for _, change := range []string{
		"DISCARD ALL",
		"ALTER TABLE t ALTER n TYPE bigint, ALTER id TYPE bigint",
		"ALTER TYPE mood ADD VALUE 'new'",
		"ALTER TABLE t ALTER id TYPE numeric, ALTER n TYPE numeric",
		"ALTER TABLE t ALTER m TYPE text; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE t ALTER m TYPE mood USING m::mood",
	} {
		if _, err := db.Pool().Exec(ctx, change, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		if _, _, err := run(); err != nil {
			if runtime.AsError(err) == nil { // a value misread, not the server's refusal
				t.Errorf("after %s: %v", change, err)
			}
			if _, _, err := run(); err != nil {
				t.Errorf("the second time after %s: %v", change, err)
			}
		}
	}
	// So is DISCARD ALL by those who share the session.
	if _, err := p.Exec(ctx, "DISCARD ALL"); err != nil {
		t.Error(err)
	}
	if _, _, err := run(); err != nil {
		t.Error(err)
	}
}

// Many share few sessions, while the schema changes under them in ways that fit
// their statements: nothing fails.
func TestTransactionPoolerShared(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, db := behind(t, 3, pool.Config{MaxConns: 8}, pgtest.SQL(moods))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	changed := make(chan int, 1)
	go func() {
		n := 0
		defer func() { changed <- n }()
		for _, change := range []string{
			"ALTER TABLE t ADD extra int", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'new'", "ALTER TABLE t DROP extra",
			"CREATE INDEX ON t (n)", "ALTER TABLE t ALTER n TYPE bigint", "ALTER TABLE t ALTER n TYPE int",
		} {
			if _, err := db.Pool().Exec(ctx, change); err != nil {
				t.Error(err)
			}
			n++
		}
		<-stop
	}()
	for w := range 8 {
		wg.Go(func() {
			for i := range 60 {
				id := 1 + (w*60+i)%100
				var n int64
				var mood string
				if err := p.QueryRow(ctx, "SELECT n, m FROM t WHERE id = $1 AND m = ANY($2)", id, []string{"ok", "sad"}).Scan(&n, &mood); err != nil || n != int64(id) || mood != "ok" {
					t.Errorf("read %d: %d, %q, %v", id, n, mood, err)
				}
				switch i % 3 {
				case 0:
					batch := &pgx.Batch{}
					batch.Queue("SELECT n FROM t WHERE id = $1", id)
					batch.Queue("UPDATE t SET tags = $2 WHERE id = $1", id, []string{"a", fmt.Sprint(i)})
					if err := p.SendBatch(ctx, batch).Close(); err != nil {
						t.Error("batch:", err)
					}
				case 1:
					tx, err := p.Begin(ctx)
					if err == nil {
						_, err = tx.Exec(ctx, "UPDATE t SET m = $2 WHERE id = $1", id, "ok")
						err = errors.Join(err, tx.Commit(ctx))
					}
					if err != nil {
						t.Error("transaction:", err)
					}
				case 2:
					if _, err := p.Exec(ctx, "DISCARD ALL"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	if n := <-changed; n != 6 {
		t.Errorf("%d changes of the schema", n)
	}
}

// A cancelled statement is cancelled through the pooler; no other one is, and
// the connections stay.
func TestTransactionPoolerCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const workers, each = 4, 40
	p, db := behind(t, 2*workers, pool.Config{MaxConns: 2 * workers, MinConns: -1})
	var others, canceled, finished atomic.Int64
	var bystanders, victims sync.WaitGroup
	stop := make(chan struct{})
	for range workers {
		bystanders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := p.Exec(ctx, "SELECT pg_sleep($1)", 0.002); err != nil {
					t.Errorf("somebody else's statement: %v", err)
					return
				}
				others.Add(1)
			}
		})
		victims.Go(func() {
			for i := range each {
				// Some end by themselves at about the time they are cancelled.
				length := 20.0
				if i%2 == 1 {
					length = 0.004
				}
				short, cancel := context.WithTimeout(ctx, time.Duration(2000+rand.IntN(4000))*time.Microsecond)
				_, err := p.Exec(short, "SELECT pg_sleep($1)", length)
				cancel()
				switch {
				case err == nil:
					finished.Add(1)
				case errors.Is(err, context.DeadlineExceeded) || runtime.AsError(err) != nil && runtime.AsError(err).IsCanceled():
					canceled.Add(1)
				default:
					t.Errorf("a cancelled statement: %v", err)
				}
			}
		})
	}
	victims.Wait()
	close(stop)
	bystanders.Wait()
	if canceled.Load() < workers*each/2 {
		t.Errorf("%d were cancelled", canceled.Load())
	}
	eventually(t, "nothing sleeps on the server", func() bool {
		var n int
		err := db.Pool().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()").Scan(&n)
		return err == nil && n == 0
	})
	for range 20 {
		if err := p.Ping(ctx); err != nil {
			t.Error(err)
		}
	}
	opened := p.Stats().Opened
	t.Logf("%d cancelled, %d had ended, %d others, %d connections made", canceled.Load(), finished.Load(), others.Load(), opened)
	if lost := opened - 2*workers; lost > canceled.Load()/2 { // one that does not answer in a second is given up
		t.Errorf("%d connections were lost by cancelling %d statements", lost, canceled.Load())
	}
}

// A statement that is cancelled while the pooler has no session for it does not
// run later.
func TestTransactionPoolerCancelWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, db := behind(t, 1, pool.Config{MaxConns: 3, MinConns: -1}, pgtest.SQL("CREATE TABLE t (n int)"))
	put := func(ctx context.Context, n int) error {
		_, err := p.Exec(ctx, "INSERT INTO t VALUES ($1)", n)
		return err
	}
	for i := range 3 { // both while it is described and, on a connection that knows it, while it runs
		tx, err := p.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		if err := put(short, i); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
		if err := tx.Commit(ctx); err != nil {
			t.Error(err)
		}
		if err := put(ctx, 100+i); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(100 * time.Millisecond) // what was still on its way had time to arrive
	rows, err := db.Pool().Query(ctx, "SELECT n FROM t ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if diff := cmp.Diff([]int{100, 101, 102}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
