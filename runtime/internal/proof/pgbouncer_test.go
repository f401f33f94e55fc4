package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

const bouncerSchema = `
CREATE TABLE counter (name text PRIMARY KEY, n bigint NOT NULL);
INSERT INTO counter SELECT unnest('{batch,plain,locked,nested,prepared,resolvable}'::text[]), 0;
CREATE TABLE contended (id int PRIMARY KEY, n bigint NOT NULL);
INSERT INTO contended SELECT generate_series(1, 2), 0;
CREATE TABLE copied (worker int, n int);
CREATE TABLE note (tenant int NOT NULL DEFAULT current_setting('app.tenant')::int, body text NOT NULL);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
ALTER TABLE note FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON note USING (tenant = current_setting('app.tenant')::int);
-- A role that every server has and that row-level security holds for.
GRANT INSERT ON note TO pg_read_all_data;
`

// bounced is a worker's view of the database behind PgBouncer, and what it has
// done there.
type bounced struct {
	p *pool.Pool
	m *txn.Manager
	n *sync.Map // name of what was done → *atomic.Int64
}

func (b *bounced) count(what string, n int64) {
	c, _ := b.n.LoadOrStore(what, new(atomic.Int64))
	c.(*atomic.Int64).Add(n)
}

func (b *bounced) counted(what string) int64 {
	c, ok := b.n.Load(what)
	if !ok {
		return 0
	}
	return c.(*atomic.Int64).Load()
}

// wrong says that something came out otherwise than asked for.
func wrong(what string, got any, err error) error {
	return fmt.Errorf("%s: got %v, error %w", what, got, errors.Join(err, errors.New("not what was asked for")))
}

var errAsked = errors.New("asked for")

// operations are what is done behind PgBouncer, each with its own check. The
// weights say how often; those that sleep are rare.
func operations() []operation {
	bump := func(name string) (string, string) {
		return "UPDATE counter SET n = n + 1 WHERE name = $1", name
	}
	return []operation{
		{"read", 20, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			got, err := runtime.One(ctx, b.p, runtime.Query{Name: "Read", SQL: "SELECT $1::int + 1, $2::text, $3::timestamptz", ReadOnly: true},
				func(r *runtime.Row) string { return fmt.Sprint(r.Int32(0), r.Text(1)) }, i, "é"+strconv.Itoa(i), time.Now())
			if want := fmt.Sprint(int32(i+1), "é"+strconv.Itoa(i)); err != nil || got != want {
				return wrong("read "+want, got, err)
			}
			return nil
		}},
		{"rows", 5, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			// Half of the streams are left early.
			sum, want := int32(0), int32(5050)
			for n, err := range runtime.Iter(ctx, b.p, runtime.Query{Name: "Rows", SQL: "SELECT generate_series(1, $1::int)"}, func(r *runtime.Row) int32 { return r.Int32(0) }, 100) {
				if err != nil {
					return wrong("rows", n, err)
				}
				if sum += n; i%2 == 0 && n == 10 {
					want = 55
					break
				}
			}
			if sum != want {
				return wrong("rows", sum, nil)
			}
			return nil
		}},
		{"write", 8, func(ctx context.Context, b *bounced, _ *rand.Rand, _ int) error {
			sql, name := bump("plain")
			n, err := runtime.ExecRows(ctx, b.p, runtime.Query{Name: "Bump", SQL: sql}, name)
			if err != nil || n != 1 {
				return wrong("write", n, err)
			}
			b.count("plain", 1)
			return nil
		}},
		{"batch", 8, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			batch := &pgx.Batch{}
			sql, name := bump("batch")
			batch.Queue(sql, name)
			var got int
			batch.Queue("SELECT $1::int * 2", i).QueryRow(func(row pgx.Row) error { return row.Scan(&got) })
			batch.Queue(sql, name)
			if err := b.p.SendBatch(ctx, batch).Close(); err != nil || got != 2*i {
				return wrong("batch", got, err)
			}
			b.count("batch", 2)
			return nil
		}},
		{"settings", 10, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			want := strconv.Itoa(i)
			var got, limit, role string
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "SELECT current_setting('app.note'), current_setting('lock_timeout'), current_setting('work_mem')").Scan(&got, &limit, &role)
			}, txn.Set("app.note", want), txn.Set("work_mem", "7MB"), txn.LockTimeout(7*time.Second), txn.Timeout(20*time.Second))
			if err != nil || got != want || limit != "7s" || role != "7MB" {
				return wrong("settings", got+" "+limit+" "+role, err)
			}
			return nil
		}},
		{"tenant", 10, func(ctx context.Context, b *bounced, r *rand.Rand, _ int) error {
			id := r.IntN(5)
			var strange int
			err := b.m.RunTenant(ctx, txn.Tenant{Setting: "app.tenant", ID: strconv.Itoa(id)}, func(ctx context.Context, tx *txn.TenantTx) error {
				if _, err := tx.Exec(ctx, "INSERT INTO note (body) VALUES ('x')"); err != nil {
					return err
				}
				return tx.QueryRow(ctx, "SELECT count(*) FILTER (WHERE tenant <> $1) FROM note", id).Scan(&strange)
			}, txn.Set("role", "pg_read_all_data"))
			if err != nil || strange != 0 {
				return wrong("tenant", strange, err)
			}
			b.count("tenant "+strconv.Itoa(id), 1)
			return nil
		}},
		{"serializable", 8, func(ctx context.Context, b *bounced, r *rand.Rand, _ int) error {
			id := r.IntN(2) + 1
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				var n int64
				if err := tx.QueryRow(ctx, "SELECT n FROM contended WHERE id = $1", id).Scan(&n); err != nil {
					return err
				}
				tx.AfterCommit(func(context.Context) { b.count("hooks", 1) })
				_, err := tx.Exec(ctx, "UPDATE contended SET n = $1 WHERE id = $2", n+1, id)
				return err
			}, txn.Isolation(pgx.Serializable), txn.Retry(txn.RetryPolicy{MaxAttempts: 1000, Base: time.Millisecond, Max: 20 * time.Millisecond}))
			if err != nil {
				return wrong("serializable", nil, err)
			}
			b.count("contended", 1)
			return nil
		}},
		{"lock", 6, func(ctx context.Context, b *bounced, r *rand.Rand, _ int) error {
			// A read and a write with a lock between: without it some get lost.
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				if err := tx.Lock(ctx, txn.Key("proof", "locked")); err != nil {
					return err
				}
				var n int64
				if err := tx.QueryRow(ctx, "SELECT n FROM counter WHERE name = 'locked'").Scan(&n); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "UPDATE counter SET n = $1 WHERE name = 'locked'", n+1)
				return err
			})
			if err != nil {
				return wrong("lock", nil, err)
			}
			b.count("locked", 1)
			return nil
		}},
		{"nested", 8, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			sql, name := bump("nested")
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := tx.Exec(ctx, sql, name); err != nil {
					return err
				}
				err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
					if _, err := tx.Exec(ctx, sql, name); err != nil {
						return err
					}
					if i%2 == 0 {
						_, err := tx.Exec(ctx, "SELECT 1 / 0")
						return err
					}
					return errAsked
				})
				if i%2 == 0 && sqlstate(err) != "22012" || i%2 == 1 && !errors.Is(err, errAsked) {
					return wrong("nested", nil, err)
				}
				return nil
			})
			if err != nil {
				return wrong("nested", nil, err)
			}
			b.count("nested", 1)
			return nil
		}},
		{"resolvable", 4, func(ctx context.Context, b *bounced, r *rand.Rand, i int) error {
			level := []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead}[i%2]
			sql, name := bump("resolvable")
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, sql, name)
				return err
			}, txn.ResolveByXID, txn.Isolation(level), txn.Retry(txn.RetryPolicy{MaxAttempts: 1000, Base: time.Millisecond, Max: 20 * time.Millisecond}))
			if err != nil {
				return wrong("resolvable", nil, err)
			}
			b.count("resolvable", 1)
			return nil
		}},
		{"rollback", 4, func(ctx context.Context, b *bounced, _ *rand.Rand, _ int) error {
			sql, name := bump("nested")
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := tx.Exec(ctx, sql, name); err != nil {
					return err
				}
				return errAsked
			})
			if !errors.Is(err, errAsked) {
				return wrong("rollback", nil, err)
			}
			return nil
		}},
		{"error", 6, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			sql, want := "INSERT INTO counter VALUES ('plain', 0)", "23505"
			if i%2 == 0 {
				sql, want = "SELECT * FROM nowhere", "42P01"
			}
			_, err := b.p.Exec(ctx, sql)
			if sqlstate(err) != want {
				return wrong("error "+want, nil, err)
			}
			return nil
		}},
		{"held connection", 4, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			c, err := b.p.Acquire(ctx)
			if err != nil {
				return wrong("acquire", nil, err)
			}
			defer c.Release()
			sql, name := bump("prepared")
			for range 3 {
				if _, err := c.Exec(ctx, sql, name); err != nil {
					return wrong("held connection", nil, err)
				}
				b.count("prepared", 1)
			}
			return nil
		}},
		{"copy", 3, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			n, err := b.p.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"worker", "n"}, pgx.CopyFromRows([][]any{{i, 1}, {i, 2}, {i, 3}}))
			if err != nil || n != 3 {
				return wrong("copy", n, err)
			}
			b.count("copied", 3)
			return nil
		}},
		{"cancelled", 2, func(ctx context.Context, b *bounced, r *rand.Rand, i int) error {
			short, cancel := context.WithTimeout(ctx, time.Duration(1+r.IntN(20))*time.Millisecond)
			defer cancel()
			var err error
			if i%2 == 0 {
				err = runtime.Exec(short, b.p, runtime.Query{Name: "Sleep", SQL: "SELECT pg_sleep(10)"})
			} else {
				err = b.m.Run(short, func(ctx context.Context, tx *txn.Tx) error {
					_, err := tx.Exec(ctx, "SELECT pg_sleep(10)")
					return err
				})
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				return wrong("cancelled", nil, err)
			}
			return nil
		}},
		{"expired", 1, func(ctx context.Context, b *bounced, _ *rand.Rand, i int) error {
			err := b.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := tx.Exec(ctx, "UPDATE counter SET n = n + 1 WHERE name = 'nested'"); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "SELECT pg_sleep(10)")
				return err
			}, txn.Timeout(50*time.Millisecond))
			if !errors.Is(err, txn.ErrExpired) {
				return wrong("expired", nil, err)
			}
			return nil
		}},
		{"leaks", 10, func(ctx context.Context, b *bounced, _ *rand.Rand, _ int) error {
			const sql = `SELECT concat_ws(' ', nullif(current_setting('app.note', true), ''), nullif(current_setting('app.tenant', true), ''),
				current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'),
				current_setting('work_mem'), current_setting('transaction_isolation'), current_setting('role'),
				(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))`
			var got string
			if err := b.p.QueryRow(ctx, sql).Scan(&got); err != nil || got != "0 0 0 4MB read committed none 0" {
				return wrong("leaks", got, err)
			}
			return nil
		}},
	}
}

type operation struct {
	name   string
	weight int
	do     func(ctx context.Context, b *bounced, r *rand.Rand, i int) error
}

func sqlstate(err error) string {
	if e := runtime.AsError(err); e != nil {
		return e.SQLState
	}
	var s interface{ SQLState() string }
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// Behind PgBouncer in transaction mode, where each transaction may run in another
// session, all that a service does goes on as it does on a server, and nothing of
// one client reaches another.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	const workers, size = 8, 3
	total := scale(3000, 10000)
	db := pgtest.New(t, pgtest.SQL(bouncerSchema))
	b := pgtest.NewPgBouncer(t, pgtest.PgBouncerOptions{URL: db.URL, PoolMode: "transaction", PoolSize: size})
	p := open(t, b.URL, pool.Config{MaxConns: workers, Profile: pool.TransactionPooler})
	view := &bounced{p: p, m: txn.New(p), n: &sync.Map{}}

	var all []operation
	for _, o := range operations() {
		for range o.weight {
			all = append(all, o)
		}
	}
	var next, failures atomic.Int64
	began := time.Now()
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(worker)))
			for i := int(next.Add(1)); i <= total; i = int(next.Add(1)) {
				o := all[r.IntN(len(all))]
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				err := o.do(ctx, view, r, i)
				cancel()
				view.count("done", 1)
				if err != nil && failures.Add(1) <= 20 {
					t.Errorf("%s, operation %d: %v", o.name, i, err)
				}
			}
		})
	}
	done.Wait()
	report(t, "PgBouncer", "%s, transaction mode, %d server connections, %d workers", b.Version, size, workers)
	report(t, "operations", "%d in %v", view.counted("done"), time.Since(began).Round(10*time.Millisecond))
	report(t, "errors not asked for", "%d", failures.Load())
	report(t, "serialization retries", "%d", view.m.Stats().Retries)
	// Each counter must be what the workers counted.
	for _, name := range []string{"batch", "plain", "locked", "nested", "prepared", "resolvable"} {
		if got := one[int64](t, db.URL, "SELECT n FROM counter WHERE name = $1", name); got != view.counted(name) {
			t.Errorf("counter %s is %d, want %d", name, got, view.counted(name))
		}
	}
	if got := one[int64](t, db.URL, "SELECT sum(n)::bigint FROM contended"); got != view.counted("contended") || got != view.counted("hooks") {
		t.Errorf("the contended counters are %d, want %d; %d hooks ran", got, view.counted("contended"), view.counted("hooks"))
	}
	if got := one[int64](t, db.URL, "SELECT count(*) FROM copied"); got != view.counted("copied") {
		t.Errorf("%d rows were copied, want %d", got, view.counted("copied"))
	}
	for id := range 5 {
		name := strconv.Itoa(id)
		if got := one[int64](t, db.URL, "SELECT count(*) FROM note WHERE tenant = $1", id); got != view.counted("tenant "+name) {
			t.Errorf("tenant %s has %d rows, want %d", name, got, view.counted("tenant "+name))
		}
	}
	checkPool(t, p, view.m)
	eventually(t, "no session works or holds a transaction", func() bool {
		return one[int](t, db.URL, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'") == 0
	})
	if n := one[int](t, db.URL, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); n > size {
		t.Errorf("%d sessions on the server, PgBouncer may have %d", n, size)
	}
	if log := b.Log(); strings.Contains(log, "closing because") && failures.Load() > 0 {
		t.Logf("PgBouncer logged:\n%s", log)
	}
}
