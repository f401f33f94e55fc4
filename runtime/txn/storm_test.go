package txn_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

var stormRounds = flag.Int("storm.rounds", 12, "transactions of each goroutine in the storms")

// storm runs transactions from many goroutines and counts what they see.
type storm struct {
	env
	attempts, commits, rollbacks, unknown atomic.Int64
}

const stormWorkers = 8

// run has each goroutine run rounds transactions.
func (s *storm) run(round func(random *rand.Rand, worker, n int)) (total int64) {
	var wg sync.WaitGroup
	for worker := range stormWorkers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(worker)))
			for n := range *stormRounds {
				round(random, worker, n)
			}
		})
	}
	wg.Wait()
	return int64(stormWorkers * *stormRounds)
}

func (s *storm) hook(tx *txn.Tx) {
	s.attempts.Add(1)
	tx.AfterCommit(func(context.Context) { s.commits.Add(1) })
	tx.AfterRollback(func(context.Context, error) { s.rollbacks.Add(1) })
	tx.AfterUnknown(func(context.Context, error) { s.unknown.Add(1) })
}

// check compares the figures of the manager with what the closures and hooks
// saw.
func (s *storm) check(t *testing.T, committed, rolledBack int64) {
	t.Helper()
	stats := s.Stats()
	if stats.Begun != s.attempts.Load() || stats.Begun != stats.Committed+stats.RolledBack+stats.Expired || stats.Unknown != 0 || stats.Active != 0 {
		t.Errorf("%d attempts, %+v", s.attempts.Load(), stats)
	}
	if stats.Committed != committed || stats.RolledBack+stats.Expired != rolledBack {
		t.Errorf("%+v, want %d commits and %d rollbacks", stats, committed, rolledBack)
	}
	if s.commits.Load() != committed || s.rollbacks.Load() != rolledBack || s.unknown.Load() != 0 {
		t.Errorf("hooks: %d after a commit, %d after a rollback, %d unknown; want %d and %d", s.commits.Load(), s.rollbacks.Load(), s.unknown.Load(), committed, rolledBack)
	}
	t.Logf("%d attempts: %+v", s.attempts.Load(), stats)
}

func (s *storm) sum(t *testing.T) (sum int64) {
	t.Helper()
	if err := s.pool.QueryRow(ctx, "SELECT sum(n) FROM t").Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

var patient = txn.Retry(txn.RetryPolicy{MaxAttempts: 10_000, Base: time.Millisecond, Max: 20 * time.Millisecond})

// Increments of one row, read and written apart, at the level that permits it.
func TestSerializationStorm(t *testing.T) {
	t.Parallel()
	for _, level := range []pgx.TxIsoLevel{pgx.Serializable, pgx.RepeatableRead} {
		s := &storm{env: open(t, txn.Isolation(level), patient)}
		total := s.run(func(*rand.Rand, int, int) {
			err := s.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				s.hook(tx)
				var n int
				if err := tx.QueryRow(ctx, "SELECT n FROM t WHERE id = 0").Scan(&n); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "UPDATE t SET n = $1 WHERE id = 0", n+1)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		stats := s.Stats()
		s.check(t, total, stats.SerializationRetries)
		if sum := s.sum(t); sum != total || stats.Retries != stats.SerializationRetries {
			t.Errorf("%s: the sum is %d after %d increments, %+v", level, sum, total, stats)
		}
	}
}

// Updates of rows in any order.
func TestDeadlockStorm(t *testing.T) {
	t.Parallel()
	s := &storm{env: open(t, patient)}
	s.db.Exec(`INSERT INTO t SELECT -i FROM generate_series(2, 4) AS i;
		DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''20ms''', current_database()); END $$`)
	s.pool.Cleanup(ctx)
	total := s.run(func(random *rand.Rand, _, _ int) {
		err := s.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			s.hook(tx)
			order := random.Perm(5)
			for _, id := range order[:3] {
				// A savepoint does not keep the deadlock from those outside.
				if err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
					_, err := tx.Exec(ctx, "UPDATE t SET n = n + 1 WHERE id = $1", -id)
					return err
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	stats := s.Stats()
	s.check(t, total, stats.DeadlockRetries)
	if sum := s.sum(t); sum != 3*total || stats.Retries != stats.DeadlockRetries {
		t.Errorf("the sum is %d after %d transactions, %+v", sum, total, stats)
	}
}

// Time-outs that come before, in and after each statement.
func TestExpiryStorm(t *testing.T) {
	t.Parallel()
	s := &storm{env: open(t, txn.NoRetry())}
	var committed, expired, notBegun atomic.Int64
	var mu sync.Mutex
	want := map[int]bool{}
	total := s.run(func(random *rand.Rand, worker, n int) {
		id := worker**stormRounds + n + 1
		begun := false
		err := s.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			begun = true
			s.hook(tx)
			if err := insert(ctx, tx, id); err != nil {
				return err
			}
			if random.IntN(2) == 0 {
				_, err := tx.Exec(ctx, "SELECT pg_sleep(0.02)")
				return err
			}
			time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			return nil
		}, txn.Timeout(time.Duration(1+random.IntN(60))*time.Millisecond))
		switch {
		case err == nil:
			committed.Add(1)
			mu.Lock()
			want[id] = true
			mu.Unlock()
		case !errors.Is(err, txn.ErrExpired):
			t.Error(err)
		case begun:
			expired.Add(1)
		default:
			notBegun.Add(1)
		}
	})
	stats := s.Stats()
	if committed.Load()+expired.Load()+notBegun.Load() != total || stats.Committed != committed.Load() || stats.Expired != expired.Load() {
		t.Errorf("%d committed, %d expired, %d not begun of %d: %+v", committed.Load(), expired.Load(), notBegun.Load(), total, stats)
	}
	s.check(t, committed.Load(), stats.Expired)
	rows, err := s.db.Pool().Query(ctx, "SELECT id FROM t WHERE id > 0")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !want[id] {
			t.Errorf("%d is there although its transaction expired", id)
		}
	}
	if len(ids) != len(want) {
		t.Errorf("%d rows, want %d", len(ids), len(want))
	}
	var busy int
	if err := s.db.Conn().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid() AND backend_type = 'client backend'").Scan(&busy); err != nil || busy != 0 {
		t.Errorf("%d server processes are busy (%v)", busy, err)
	}
}
