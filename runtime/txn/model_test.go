package txn_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

var (
	modelSeed  = flag.Uint64("model.seed", 0, "seed of the model test; 0: a new one")
	modelSteps = flag.Int("model.steps", 60, "transactions that each goroutine of the model test begins")
)

// TestModel does random things with a manager, from several goroutines, and
// compares what comes of each transaction with what a simple model says: every
// error, status, hook, row and figure. It is repeated with its seed, as in
//
//	go test ./runtime/txn -run TestModel -args -model.seed=7 -model.steps=5000
func TestModel(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-model.seed=%d", seed)
	e := open(t, txn.Retry(txn.RetryPolicy{MaxAttempts: modelAttempts, Base: time.Microsecond, Max: time.Microsecond}))
	const workers = 4
	shared := &modelRun{env: e, t: t}
	begun := make(chan struct{}, workers**modelSteps)
	var wg sync.WaitGroup
	all := make([]*modelWorker, workers)
	for i := range all {
		w := &modelWorker{modelRun: shared, random: rand.New(rand.NewPCG(seed, uint64(i))), nextID: 1 + i*10_000_000, stored: map[int]bool{}}
		all[i] = w
		wg.Go(func() {
			for range *modelSteps {
				w.transaction(ctx)
				begun <- struct{}{}
			}
		})
	}
	for range workers * *modelSteps * 9 / 10 {
		<-begun
	}
	shared.closing.Store(true)
	if err := e.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
	var want txn.Stats
	var stored []int
	for _, w := range all {
		want.Begun += w.want.Begun
		want.Committed += w.want.Committed
		want.RolledBack += w.want.RolledBack
		want.Expired += w.want.Expired
		want.SerializationRetries += w.want.SerializationRetries
		for id := range w.stored {
			stored = append(stored, id)
		}
	}
	want.Retries = want.SerializationRetries
	if diff := cmp.Diff(want, e.Stats()); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	slices.Sort(stored)
	rows, err := e.db.Pool().Query(ctx, "SELECT id FROM t WHERE id > 0 ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stored, ids); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	t.Logf("%+v, %d rows", want, len(ids))
}

const modelAttempts = 3

type modelRun struct {
	env
	t       *testing.T
	closing atomic.Bool
}

// modelWorker is what one goroutine does, and what must come of it.
type modelWorker struct {
	*modelRun
	random *rand.Rand
	nextID int
	want   txn.Stats
	stored map[int]bool
}

// modelTx is what the model knows of a transaction.
type modelTx struct {
	cancel   context.CancelFunc // of the caller's context
	ended    txn.Status
	cause    error // what statements get after the end
	aborted  bool  // a statement failed
	conflict error // it failed by a serialization failure
	dead     bool  // its server process is gone
	doomed   error // the first reason why it must not commit
	levels   []modelLevel
	// failedCommit says that a COMMIT from within failed because of the conflict.
	failedCommit bool

	called atomic.Int64 // hooks: 1 for each commit, 1000 for a rollback, 1000000 for unknown
	wrong  atomic.Int64 // hooks that must not be called
}

// modelLevel is what a savepoint, or the transaction, did so far.
type modelLevel struct {
	rows  []int
	hooks int64
	undo  []*atomic.Bool // is set where the hooks must not be called any more
}

var (
	errModel    = errors.New("the closure's own error")
	errOperator = errors.New("an operator")
)

func (w *modelWorker) errorf(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(format, args...)
}

// chance is true once in n.
func (w *modelWorker) chance(n int) bool { return w.random.IntN(n) == 0 }

// transaction begins one by Run or by Begin and does random things in it.
func (w *modelWorker) transaction(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if w.chance(4) {
		w.manual(ctx, cancel)
		return
	}
	attempts, again := 0, false
	var m *modelTx
	var result error
	err, panicked := caught(func() error {
		return w.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			if attempts++; attempts > 1 {
				if !again {
					w.errorf("attempt %d was not to be", attempts)
				}
				w.settle(m, nil)
			}
			m = w.begun(cancel)
			again = false
			result = w.body(ctx, tx, m, 0)
			again = m.repeats(result)
			if again && attempts < modelAttempts {
				w.want.SerializationRetries++
			}
			if result == errPanic {
				panic(errPanic)
			}
			return result
		}, []txn.Option{txn.PropagateNew, txn.Isolation(pgx.ReadCommitted)}...)
	})
	if errors.Is(err, txn.ErrClosed) && w.closing.Load() {
		if m != nil {
			w.settle(m, nil)
		}
		return
	}
	if m == nil {
		w.errorf("it did not begin: %v", err)
		return
	}
	if again && attempts < modelAttempts && ctx.Err() == nil {
		w.errorf("it was not repeated: %v", err)
	}
	committed := m.ended == txn.Committed || m.ended == txn.Active && result == nil && m.commits()
	switch {
	case result == errPanic:
		if !panicked {
			w.errorf("the panic did not go on: %v", err)
		}
	case committed && result == nil && err != nil:
		w.errorf("committed, but %v", err)
	case (!committed || result != nil) && err == nil:
		w.errorf("not committed (%+v, closure gave %v), but no error", m.ended, result)
	case result != nil && !errors.Is(err, result):
		w.errorf("the closure's %v became %v", result, err)
	}
	w.settle(m, &committed)
}

// manual begins a transaction by hand and ends it by hand.
func (w *modelWorker) manual(ctx context.Context, cancel context.CancelFunc) {
	tx, err := w.Begin(ctx)
	if err != nil {
		if !w.closing.Load() || !errors.Is(err, txn.ErrClosed) {
			w.errorf("Begin: %v", err)
		}
		return
	}
	m := w.begun(cancel)
	_ = w.body(tx.Context(), tx, m, 0)
	if m.ended == txn.Active {
		commits := m.commits()
		switch w.random.IntN(4) {
		case 0:
			m.end(txn.RolledBack, txn.ErrRolledBack)
			err, commits = tx.Rollback(), true
		case 1:
			m.end(txn.RolledBack, errOperator)
			err, commits = w.Rollback(tx.ID(), errOperator), true
		case 2:
			m.endCommit(commits)
			err = w.Commit(tx.ID())
		default:
			m.endCommit(commits)
			err = tx.Commit()
		}
		if (err == nil) != commits {
			w.errorf("end by hand: %v, want success: %v (%+v)", err, commits, m)
		}
	}
	if err := tx.Commit(); err == nil {
		w.errorf("it could be ended twice")
	}
	if err := tx.Rollback(); !errors.Is(err, pgx.ErrTxClosed) {
		w.errorf("rollback after the end: %v", err)
	}
	if s := tx.Info().Status; s != m.ended {
		w.errorf("status is %v, want %v", s, m.ended)
	}
	w.settle(m, nil)
}

func (w *modelWorker) begun(cancel context.CancelFunc) *modelTx {
	w.want.Begun++
	return &modelTx{cancel: cancel, levels: make([]modelLevel, 1)}
}

// settle compares the hooks of a transaction that is over, and counts it.
// committed tells what the model does not know by itself: that Run committed.
func (w *modelWorker) settle(m *modelTx, committed *bool) {
	if m.ended == txn.Active {
		m.endCommit(committed != nil && *committed)
	}
	hooks := m.levels[0].hooks
	want := hooks
	switch m.ended {
	case txn.Committed:
		w.want.Committed++
		for _, id := range m.levels[0].rows {
			w.stored[id] = true
		}
	case txn.Expired:
		w.want.Expired++
		want *= 1000
	default:
		w.want.RolledBack++
		want *= 1000
	}
	for deadline := time.Now().Add(10 * time.Second); m.called.Load() != want && time.Now().Before(deadline); {
		time.Sleep(100 * time.Microsecond) // after a cancelled context they run on another goroutine
	}
	if got := m.called.Load(); got != want || m.wrong.Load() != 0 {
		w.errorf("%v: hooks %d, want %d; %d of undone savepoints", m.ended, got, want, m.wrong.Load())
	}
}

// end notes that the transaction was ended.
func (m *modelTx) end(status txn.Status, cause error) { m.ended, m.cause = status, cause }

func (m *modelTx) endCommit(commits bool) {
	if commits {
		m.end(txn.Committed, pgx.ErrTxClosed)
	} else {
		m.end(txn.RolledBack, nil)
	}
}

// commits reports whether a COMMIT now succeeds.
func (m *modelTx) commits() bool { return !m.aborted && !m.dead && m.doomed == nil }

// repeats reports whether Run repeats a transaction whose closure returned err.
func (m *modelTx) repeats(err error) bool {
	switch {
	case m.failedCommit:
		return err != errPanic
	case m.ended != txn.Active || m.conflict == nil:
		return false
	case err != nil:
		return err == m.conflict
	case m.doomed != nil:
		return m.doomed == m.conflict
	}
	return !m.dead // the COMMIT says ROLLBACK
}

// statement compares the error of a statement with what it must be.
func (w *modelWorker) statement(m *modelTx, what string, err error) (ok bool) {
	w.t.Helper()
	switch {
	case m.ended != txn.Active:
		if err == nil || m.cause != nil && !errors.Is(err, m.cause) {
			w.errorf("%s after the end (%v): %v, want %v", what, m.ended, err, m.cause)
		}
	case m.dead:
		if err == nil {
			w.errorf("%s without a server: no error", what)
		}
	case m.aborted:
		if e := runtime.AsError(err); e == nil || e.SQLState != "25P02" {
			w.errorf("%s after a failure: %v", what, err)
		}
	case err != nil:
		w.errorf("%s: %v", what, err)
	default:
		return true
	}
	return false
}

// body does some things in a transaction and returns what the closure returns;
// errPanic stands for a panic.
func (w *modelWorker) body(ctx context.Context, tx *txn.Tx, m *modelTx, depth int) error {
	for range 1 + w.random.IntN(5) {
		w.step(ctx, tx, m, depth)
	}
	switch w.random.IntN(8) {
	case 0:
		return errModel
	case 1:
		return errPanic
	case 2, 3, 4:
		if m.conflict != nil {
			return m.conflict
		}
	}
	return nil
}

func (w *modelWorker) step(ctx context.Context, tx *txn.Tx, m *modelTx, depth int) {
	top := &m.levels[len(m.levels)-1]
	switch w.random.IntN(30) {
	default:
		w.nextID++
		if w.statement(m, "insert", insert(ctx, tx, w.nextID)) {
			top.rows = append(top.rows, w.nextID)
		}
	case 0, 1, 2, 3:
		if m.ended == txn.Active {
			top.hooks++
			undone := new(atomic.Bool)
			top.undo = append(top.undo, undone)
			m.hook(tx, undone)
		}
	case 4, 5:
		_, err := tx.Exec(ctx, "SELECT 1/0")
		if e := runtime.AsError(err); m.ended == txn.Active && !m.dead && !m.aborted && e.IsData() {
			m.aborted = true
		} else if w.statement(m, "failure", err) {
			w.errorf("division by zero succeeded")
		}
	case 6, 7:
		_, err := tx.Exec(ctx, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
		if m.ended == txn.Active && !m.dead && !m.aborted && runtime.AsError(err).IsSerialization() {
			m.aborted, m.conflict = true, err
		} else {
			w.statement(m, "conflict", err)
		}
	case 8, 9, 10, 11:
		w.nested(ctx, tx, m, depth, func(fn func(context.Context, *txn.Tx) error) error { return tx.Nested(ctx, fn) })
	case 12:
		w.nested(ctx, tx, m, depth, func(fn func(context.Context, *txn.Tx) error) error {
			return w.Run(ctx, fn, txn.PropagateSavepoint)
		})
	case 13, 14:
		w.join(ctx, tx, m, depth)
	case 15:
		if depth == 0 && m.ended == txn.Active { // it needs another connection
			w.transaction(ctx)
			if ctx.Err() != nil {
				w.errorf("the inner transaction ended the outer one: %v", context.Cause(ctx))
			}
		}
	case 16:
		if m.ended == txn.Active && !m.dead && w.chance(2) {
			w.kill(w.t, tx.Info().PID)
			m.dead = true
			w.statement(m, "statement", insert(ctx, tx, -1000))
		}
	case 17:
		if m.ended == txn.Active && w.chance(2) {
			m.end(txn.RolledBack, errOperator)
			if err := w.Rollback(tx.ID(), errOperator); err != nil {
				w.errorf("operator's rollback: %v", err)
			}
		}
	case 18:
		if m.ended == txn.Active && w.chance(2) {
			m.end(txn.Expired, txn.ErrExpired)
			w.expire(tx)
		}
	case 19:
		if m.ended == txn.Active && depth == 0 && w.chance(3) {
			m.cancel()
			for deadline := time.Now().Add(10 * time.Second); tx.Info().Status == txn.Active && time.Now().Before(deadline); {
				time.Sleep(100 * time.Microsecond)
			}
			m.end(txn.RolledBack, context.Canceled)
		}
	case 20:
		w.commit(tx, m, depth)
	}
}

// expire waits for the end of a transaction that the manager expires.
func (w *modelWorker) expire(tx *txn.Tx) {
	tx.ExpireNow()
	if s := tx.Info().Status; s != txn.Expired {
		w.errorf("status after the time-out is %v", s)
	}
}

// commit commits a transaction from within.
func (w *modelWorker) commit(tx *txn.Tx, m *modelTx, depth int) {
	if m.ended != txn.Active || !w.chance(2) {
		return
	}
	commits, doomed := m.commits(), m.doomed != nil
	err := w.Commit(tx.ID())
	switch {
	case len(m.levels) > 1 && !doomed:
		if !errors.Is(err, txn.ErrBusy) {
			w.errorf("commit within a savepoint: %v", err)
		}
		return
	case (err == nil) != commits:
		w.errorf("commit at depth %d: %v, want success: %v", depth, err, commits)
	}
	m.failedCommit = m.conflict != nil && (m.doomed == m.conflict || m.doomed == nil && !m.dead)
	m.endCommit(commits)
}

// hook adds one of each kind.
func (m *modelTx) hook(tx *txn.Tx, undone *atomic.Bool) {
	call := func(n int64) {
		if undone.Load() {
			m.wrong.Add(1)
		}
		m.called.Add(n)
	}
	tx.AfterCommit(func(context.Context) { call(1) })
	tx.AfterRollback(func(_ context.Context, cause error) {
		if cause == nil {
			m.wrong.Add(1)
		}
		call(1000)
	})
	tx.AfterUnknown(func(context.Context, error) { call(1_000_000) })
}

// nested runs a body within a savepoint.
func (w *modelWorker) nested(ctx context.Context, tx *txn.Tx, m *modelTx, depth int, run func(func(context.Context, *txn.Tx) error) error) {
	if depth == 3 {
		return
	}
	possible := m.ended == txn.Active && !m.dead && !m.aborted
	conflict, doomed := m.conflict, m.doomed
	var result error
	ran := false
	err, _ := caught(func() error {
		return run(func(ctx context.Context, inner *txn.Tx) error {
			ran = true
			if inner != tx {
				w.errorf("a savepoint of another transaction")
			}
			m.levels = append(m.levels, modelLevel{})
			if result = w.body(ctx, tx, m, depth+1); result == errPanic {
				panic(errPanic)
			}
			return result
		})
	})
	if ran != possible {
		w.errorf("savepoint was run: %v, want %v (%v)", ran, possible, err)
	}
	if !ran {
		if err == nil {
			w.errorf("no savepoint, and no error")
		}
		return
	}
	last := len(m.levels) - 1
	level := m.levels[last]
	m.levels = m.levels[:last]
	top := &m.levels[last-1]
	switch {
	case m.ended != txn.Active:
		// What was added is kept for the hooks of the end, which were called.
		top.rows, top.hooks = append(top.rows, level.rows...), top.hooks+level.hooks
		if err == nil {
			w.errorf("savepoint of a transaction that ended: no error")
		}
	case m.conflict != conflict && (result == nil && !m.dead || result == m.conflict):
		// Not undone: the whole transaction must be repeated.
		top.hooks += level.hooks
		if !errors.Is(err, m.conflict) {
			w.errorf("conflict in a savepoint: %v", err)
		}
		m.doom(m.conflict)
	case result == nil && !m.aborted && !m.dead:
		top.rows, top.hooks, top.undo = append(top.rows, level.rows...), top.hooks+level.hooks, append(top.undo, level.undo...)
		if err != nil {
			w.errorf("savepoint: %v", err)
		}
	default:
		for _, undone := range level.undo {
			undone.Store(true)
		}
		if err == nil || result != nil && !errors.Is(err, result) {
			w.errorf("savepoint that fails with %v: %v", result, err)
		}
		m.doomed = doomed
		if m.dead {
			m.doom(err)
		} else {
			m.aborted, m.conflict = false, nil
		}
	}
}

// join runs a body in the same transaction.
func (w *modelWorker) join(ctx context.Context, tx *txn.Tx, m *modelTx, depth int) {
	if depth == 3 {
		return
	}
	possible := m.ended == txn.Active
	ran := false
	var result error
	err, _ := caught(func() error {
		return w.Run(ctx, func(ctx context.Context, inner *txn.Tx) error {
			ran = true
			if inner != tx {
				w.errorf("joined another transaction")
			}
			if result = w.body(ctx, tx, m, depth+1); result == errPanic {
				panic(errPanic)
			}
			return result
		})
	})
	if ran != possible || ran && !errors.Is(err, result) {
		w.errorf("join was run: %v, want %v: %v, want %v", ran, possible, err, result)
	}
	if ran && result != nil && m.ended == txn.Active {
		m.doom(result)
	}
}

func (m *modelTx) doom(err error) {
	if m.doomed == nil {
		m.doomed = err
	}
}

var errPanic = fmt.Errorf("panic")

// caught runs f and makes its panic an error.
func caught(f func() error) (err error, panicked bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != errPanic {
				panic(r)
			}
			err, panicked = errPanic, true
		}
	}()
	return f(), false
}
