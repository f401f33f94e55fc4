// Package txn runs transactions: with a time-out on both sides, repeated where
// the server asks for it, listed while they run, with savepoints and hooks.
//
//	transactions := txn.New(pool)
//	err := transactions.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
//		books := bookshop.New(tx)
//		…
//	}, txn.Isolation(pgx.Serializable), txn.Label("checkout"))
//
// A *Tx is a runtime.DB, so generated repositories run in it. The closure may
// run several times; what must happen once, after the commit, is given to
// AfterCommit.
//
// A transaction lives no longer than its Timeout and the context it was begun
// with: when either ends, its running statement is cancelled on the server, it
// is rolled back, its connection goes back, and its next statement gets
// ErrExpired or the context's error. A COMMIT under way is never cancelled by
// them.
//
// # Unknown outcomes
//
// Where the answer to COMMIT is lost, the transaction is committed or not, and
// the error is a [*CommitUnknownError]: it is not repeated, and the hooks of
// AfterUnknown run. With [ResolveByXID] the server is asked first, and only what
// it cannot know for certain remains unknown. A COMMIT that succeeded on the
// primary, but whose wait for its synchronous standbys was cancelled, is
// unknown too ([ErrNotReplicated]).
//
// SQL text of the caller's own that ends the transaction (COMMIT, ROLLBACK, AND
// CHAIN or not) leaves its outcome unknown as well, and what follows is refused.
// Only a text of several statements can hide that it put another transaction in
// its place, if neither that nor its end comes last.
//
// # Poolers
//
// All that a transaction sets on the server ends with it: settings, time-outs,
// tenants and advisory locks. So it runs through PgBouncer in transaction mode as
// it does without; what BEGIN takes along travels in its own round trip.
package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Beginner is where transactions begin: a *pool.Pool, a *pgxpool.Pool or a
// *pgx.Conn. A pgx.Tx is none, on purpose: nobody can repeat or commit
// somebody else's transaction.
type Beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Manager begins transactions and keeps track of them. It is safe for
// concurrent use if its Beginner is.
type Manager struct {
	db       Beginner
	defaults Options
	refused  error // what is wrong with them
	lastID   atomic.Uint64
	major    atomic.Int32 // version of the server, once known
	textsMu  sync.Mutex
	texts    map[beginKey]string
	stats    counters

	mu     sync.Mutex // guards what follows
	txs    map[uint64]*Tx
	active int // those of txs that have begun
	closed bool
	idle   chan struct{} // closed when closed is set and txs is empty
	timer  *time.Timer   // calls look at wake; see watch.go
	wake   time.Time
}

// New returns a manager over db. The options are the defaults of its
// transactions.
func New(db Beginner, defaults ...Option) *Manager {
	m := &Manager{db: db, txs: map[uint64]*Tx{}, texts: map[beginKey]string{}, idle: make(chan struct{})}
	if o, ok := db.(observed); ok {
		m.defaults.observer = o.Observer()
	}
	for _, o := range defaults {
		o.apply(&m.defaults)
	}
	m.defaults, m.refused = m.defaults.checked()
	return m
}

// Run runs fn in a transaction and commits it if fn returns nil; otherwise, and
// when fn panics, it is rolled back. The context fn gets ends with the
// transaction.
//
// If the server rolls the transaction back because of another one (SQLSTATE
// 40001 or 40P01), and fn's error says so or the commit's does, fn runs again in
// a new transaction, as [Retry] allows; the last error then comes as a
// [*RetriesExhaustedError]. So is a transaction that could not be begun since the
// connection could not be made, or was lost before BEGIN was answered, as long
// as its Timeout has not gone by.
// Nothing else is repeated: not a commit of unknown outcome, not a connection
// lost later, not a transaction ended from outside, nor one that did not fail
// itself where fn returns such an error of another transaction.
//
// Called with the context of a transaction of the same manager, Run joins it:
// fn runs in that transaction, and if it fails the whole one can no longer
// commit. Options that ask for more than the outer one gives are refused with
// ErrIncompatibleOptions. A [Propagation] among the options chooses otherwise.
func (m *Manager) Run(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, opts ...Option) error {
	o, err := m.options(opts)
	if err != nil {
		return err
	}
	return m.run(ctx, o, fn)
}

func (m *Manager) run(ctx context.Context, o Options, fn func(ctx context.Context, tx *Tx) error) error {
	if outer, ok := ctx.Value(txKey{m}).(*Tx); ok && outer != nil {
		if o.Propagation != PropagateNew {
			return outer.within(ctx, o, fn)
		}
		if err := m.second(); err != nil {
			return err
		}
	}
	policy, began := o.Retry.withDefaults(), time.Now()
	for attempt := 1; ; attempt++ {
		cause, err := m.once(ctx, o, attempt, fn)
		if cause == noRetry || cause == afterBegin && o.Timeout > 0 && time.Since(began) >= o.Timeout {
			return err
		}
		if attempt >= policy.MaxAttempts {
			if attempt == 1 {
				return err
			}
			return &RetriesExhaustedError{Attempts: attempt, Last: err}
		}
		timer := time.NewTimer(policy.delay(attempt, rand.Float64()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-timer.C:
		}
		m.stats.retries[cause].Add(1)
		o.observeRetry(ctx, attempt+1, cause, err)
	}
}

// second refuses a transaction within another where there is one connection.
func (m *Manager) second() error {
	limit := 0
	switch db := m.db.(type) {
	case interface{ MaxConns() int }:
		limit = db.MaxConns()
	case interface{ Stat() *pgxpool.Stat }:
		limit = int(db.Stat().MaxConns())
	default:
		if single(m.db) == nil {
			return nil
		}
		limit = 1
	}
	if limit < 2 {
		return fmt.Errorf("%w: a new transaction within another needs a second connection", ErrIncompatibleOptions)
	}
	return nil
}

// once runs fn in one transaction; the cause says whether, and why, to run it in
// another.
func (m *Manager) once(ctx context.Context, o Options, attempt int, fn func(context.Context, *Tx) error) (retryCause, error) {
	tx, err := m.begin(ctx, o, attempt, true)
	if err != nil {
		return beginCause(ctx, err), err
	}
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit; it goes on by itself
			tx.finishRollback(errPanicked)
		}
	}()
	err = fn(tx.ctx, tx)
	returned = true
	cause, err := tx.conclude(err)
	tx.await(&tx.settled) // hooks that run on another goroutine
	if tx.panicked != nil {
		panic(tx.panicked)
	}
	return cause, err
}

// conclude ends a transaction whose closure returned err, as Run does.
func (tx *Tx) conclude(err error) (retryCause, error) {
	tx.closeOpen()
	tx.endIfOver()
	if err != nil {
		ended := tx.endedBy()
		if ended == nil {
			err = tx.explain(err)
		} else if !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
		tx.finishRollback(err)
		if tx.status() == Unknown && !errors.Is(err, ErrCommitUnknown) {
			err = fmt.Errorf("%w: %w", tx.endedBy(), err)
		}
		if ended != nil && !again(ended) {
			return noRetry, err
		}
		return tx.retryCause(err), err
	}
	err = tx.commit()
	if errors.Is(err, ErrBusy) { // a goroutine of fn outlives it
		tx.finishRollback(err)
	}
	if errors.Is(err, pgx.ErrTxClosed) && tx.status() == Committed { // by fn itself
		return noRetry, nil
	}
	return tx.retryCause(err), err
}

// Value is [Manager.Run] for a closure that returns a value; on an error it is
// the zero T.
func Value[T any](ctx context.Context, m *Manager, fn func(ctx context.Context, tx *Tx) (T, error), opts ...Option) (T, error) {
	var value T
	err := m.Run(ctx, func(ctx context.Context, tx *Tx) (err error) {
		value, err = fn(ctx, tx)
		return err
	}, opts...)
	if err != nil {
		var zero T
		return zero, err
	}
	return value, nil
}

// Begin starts a transaction that the caller ends with Commit or Rollback, or
// by its id here. It is not repeated. It is rolled back when ctx ends.
func (m *Manager) Begin(ctx context.Context, opts ...Option) (*Tx, error) {
	o, err := m.options(opts)
	if err != nil {
		return nil, err
	}
	return m.begin(ctx, o, 1, false)
}

// ErrNotFound is returned for an id that is not that of an active transaction.
var ErrNotFound = errors.New("no such active transaction")

// ErrClosed is returned for a transaction to be begun after [Manager.Close].
var ErrClosed = errors.New("transaction manager is closed")

// Get returns an active transaction.
func (m *Manager) Get(id uint64) (*Tx, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx, ok := m.txs[id]
	if !ok || tx.status() == beginning {
		return nil, false
	}
	return tx, true
}

// Commit commits an active transaction, as its own Commit would.
func (m *Manager) Commit(id uint64) error {
	tx, ok := m.Get(id)
	if !ok {
		return ErrNotFound
	}
	return tx.commit()
}

// Rollback ends an active transaction from outside: its running statement is
// cancelled, it is rolled back, and its next statement gets cause.
func (m *Manager) Rollback(id uint64, cause error) error {
	tx, ok := m.Get(id)
	if !ok {
		return ErrNotFound
	}
	return tx.rollback(cause)
}

// Active describes the transactions that run now, the oldest first.
func (m *Manager) Active() []Info {
	txs := m.running()
	infos := make([]Info, len(txs))
	for i, tx := range txs {
		infos[i] = tx.Info()
	}
	return infos
}

// running are the transactions that have begun.
func (m *Manager) running() []*Tx {
	m.mu.Lock()
	txs := make([]*Tx, 0, len(m.txs))
	for _, tx := range m.txs {
		if tx.status() != beginning {
			txs = append(txs, tx)
		}
	}
	m.mu.Unlock()
	slices.SortFunc(txs, func(a, b *Tx) int { return cmp.Compare(a.id, b.id) })
	return txs
}

// Sweep ends the transactions whose deadline lies before now (none where there
// is none) and returns how many there were. They also end by themselves; this is
// for a clock of one's own and for tests.
func (m *Manager) Sweep(now time.Time) int {
	return m.end(Expired, ErrExpired, func(tx *Tx) bool { return !tx.deadline.IsZero() && tx.deadline.Before(now) })
}

// end ends those of the transactions for which is holds, all at once, since one
// that holds rows open and does not read them takes a while. It returns how many
// it ended; what a hook panics with goes on here.
func (m *Manager) end(status Status, cause error, is func(*Tx) bool) int {
	var group sync.WaitGroup
	var n atomic.Int64
	var panicked atomic.Pointer[any]
	for _, tx := range m.running() {
		if !is(tx) {
			continue
		}
		group.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					panicked.Store(&v)
				}
			}()
			if tx.expire(status, cause) {
				n.Add(1)
			}
		})
	}
	group.Wait()
	if v := panicked.Load(); v != nil {
		panic(*v)
	}
	return int(n.Load())
}

// Close begins no more transactions and waits for the active ones. Those that
// run when ctx ends are rolled back; the error then says how many. What is being
// committed by then is waited for. Hooks may still run when it returns: Run and
// Commit return after theirs.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		if len(m.txs) == 0 {
			m.stopped()
		}
	}
	m.mu.Unlock()
	select {
	case <-m.idle:
		return nil
	case <-ctx.Done():
	}
	m.mu.Lock()
	for _, tx := range m.txs {
		if tx.status() == beginning { // and will not be listed
			tx.cancel(ErrClosed)
		}
	}
	m.mu.Unlock()
	n := m.end(RolledBack, ErrClosed, func(*Tx) bool { return true })
	<-m.idle
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d transactions were rolled back: %w", n, context.Cause(ctx))
}

// add notes a transaction that is about to begin, and when to look at it.
func (m *Manager) add(tx *Tx, limit time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.txs[tx.id] = tx
	tx.limit = limit
	m.wakeBy(limit)
	return nil
}

// list makes known a transaction that has begun.
func (m *Manager) list(tx *Tx) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	tx.become(beginning, Active)
	m.active++
	m.stats.begun.Add(1)
	return nil
}

// remove forgets a transaction that has ended, or never began, and counts it.
func (m *Manager) remove(tx *Tx) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.txs, tx.id)
	if status := tx.status(); status != beginning {
		m.active--
		m.stats.ended(status)
	}
	if m.closed && len(m.txs) == 0 {
		m.stopped()
	}
}

// stopped ends a manager that is closed and has no transaction any more.
func (m *Manager) stopped() {
	if m.timer != nil {
		m.timer.Stop()
	}
	close(m.idle)
}
