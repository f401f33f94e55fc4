package txn

import (
	"errors"
	"fmt"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/jackc/pgx/v5"
)

// DefaultTimeout is the Timeout of a transaction that sets none.
const DefaultTimeout = 30 * time.Second

// Options say how a transaction runs. Options is itself an [Option]: its fields
// that are not zero replace what was set before.
type Options struct {
	// Isolation is the isolation level; default the server's own, usually read
	// committed.
	Isolation pgx.TxIsoLevel
	// ReadOnly forbids writes.
	ReadOnly bool
	// Deferrable waits for a snapshot with which the transaction can neither
	// fail nor make others fail; only for serializable, read-only ones.
	Deferrable bool
	// Timeout bounds the transaction's life, default 30 s. The client ends it
	// then; the server does a second later, should the client be gone: by
	// transaction_timeout from PostgreSQL 17 on, before that, and for repeatable
	// read and serializable, by bounding each statement and each pause between
	// two. Shorter ones already set stay. The client lets a COMMIT take 30 s, or
	// Timeout if that is longer; transaction_timeout still bounds the deferred
	// triggers it runs, and ends the session without saying what became of it.
	// Negative: none.
	Timeout time.Duration
	// LockTimeout bounds each wait for a lock, on the server, which then fails
	// the statement; it replaces the session's lock_timeout. Default, and where it
	// is negative: that.
	LockTimeout time.Duration
	// Label names the transaction in Info.
	Label string
	// Settings are in force until the transaction ends; see [Set].
	Settings []Setting
	// Propagation says what Run does within a transaction of the same manager;
	// default [PropagateJoin].
	Propagation Propagation
	// Retry says how often and when Run repeats it; see [Manager.Run] for what is
	// repeated.
	Retry RetryPolicy
	// Outcome says what happens when the answer to COMMIT is lost; default
	// [Report].
	Outcome Outcome
	// ResolveWithin bounds what [ResolveByXID] does; default 5 s.
	ResolveWithin time.Duration
	// RecordArgs keeps the arguments of queries in Op, where an operator sees
	// them. They stay in memory as long as the operation does.
	RecordArgs bool

	tenant   Tenant
	observer runtime.Observer
	args     []any // of Settings; see settingsText
}

// Propagation is what Run does when its context carries a transaction of the
// same manager; without one it always begins one. It is itself an [Option].
type Propagation uint8

// The kinds of propagation.
const (
	// PropagateJoin, the default, runs in that transaction, which can no longer
	// commit if this part fails.
	PropagateJoin Propagation = iota + 1
	// PropagateSavepoint runs in that transaction within a savepoint, as
	// [Tx.Nested] does.
	PropagateSavepoint
	// PropagateNew begins another transaction, on another connection, which
	// ends, and is repeated, by itself. Where there is no second connection it
	// is refused. It does not see what the outer one did; where it waits for a
	// lock of the outer one, neither goes on until a time-out ends it.
	PropagateNew
)

func (p Propagation) apply(o *Options) { o.Propagation = p }

// Option changes one or more of the [Options].
type Option interface{ apply(*Options) }

type optionFunc func(*Options)

func (f optionFunc) apply(o *Options) { f(o) }

func (o Options) apply(to *Options) {
	if o.Isolation != "" {
		to.Isolation = o.Isolation
	}
	to.ReadOnly = to.ReadOnly || o.ReadOnly
	to.Deferrable = to.Deferrable || o.Deferrable
	if o.Timeout != 0 {
		to.Timeout = o.Timeout
	}
	if o.LockTimeout != 0 {
		to.LockTimeout = o.LockTimeout
	}
	if o.Label != "" {
		to.Label = o.Label
	}
	to.Settings = withSettings(to.Settings, o.Settings)
	if o.Propagation != 0 {
		to.Propagation = o.Propagation
	}
	if o.Retry != (RetryPolicy{}) {
		to.Retry = o.Retry
	}
	if o.Outcome != 0 {
		to.Outcome = o.Outcome
	}
	if o.ResolveWithin != 0 {
		to.ResolveWithin = o.ResolveWithin
	}
	to.RecordArgs = to.RecordArgs || o.RecordArgs
}

// Isolation sets the isolation level, as pgx.Serializable.
func Isolation(level pgx.TxIsoLevel) Option {
	return optionFunc(func(o *Options) { o.Isolation = level })
}

// ReadOnly forbids writes.
func ReadOnly() Option { return optionFunc(func(o *Options) { o.ReadOnly = true }) }

// ReadWrite takes back ReadOnly and Deferrable, where they are among the manager's
// defaults.
func ReadWrite() Option {
	return optionFunc(func(o *Options) { o.ReadOnly, o.Deferrable = false, false })
}

// Deferrable is [Options].Deferrable.
func Deferrable() Option { return optionFunc(func(o *Options) { o.Deferrable = true }) }

// Timeout is [Options].Timeout.
func Timeout(d time.Duration) Option { return optionFunc(func(o *Options) { o.Timeout = d }) }

// LockTimeout is [Options].LockTimeout.
func LockTimeout(d time.Duration) Option {
	return optionFunc(func(o *Options) { o.LockTimeout = d })
}

// Label is [Options].Label.
func Label(label string) Option { return optionFunc(func(o *Options) { o.Label = label }) }

// Retry is [Options].Retry.
func Retry(p RetryPolicy) Option { return optionFunc(func(o *Options) { o.Retry = p }) }

// ResolveWithin is [Options].ResolveWithin.
func ResolveWithin(d time.Duration) Option {
	return optionFunc(func(o *Options) { o.ResolveWithin = d })
}

// RecordArgs keeps the arguments of queries in Op.
func RecordArgs() Option { return optionFunc(func(o *Options) { o.RecordArgs = true }) }

// Observe tells an observer of transactions and of their repetitions; default is
// that of the Beginner, if it has one. Their statements are told by the
// connections.
func Observe(observer runtime.Observer) Option {
	return optionFunc(func(o *Options) { o.observer = observer })
}

// NoRetry runs the closure once, for one that must not run twice.
func NoRetry() Option { return Retry(RetryPolicy{MaxAttempts: 1}) }

// RetryPolicy says how Run repeats a transaction. Before attempt n+1 it waits a
// random time between 0 and the smaller of Max and Base·2^(n-1).
type RetryPolicy struct {
	// MaxAttempts counts the first one too; default 5.
	MaxAttempts int
	// Base defaults to 10 ms, Max to 1 s.
	Base, Max time.Duration
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts <= 0 {
		p.MaxAttempts = 5
	}
	if p.Base <= 0 {
		p.Base = 10 * time.Millisecond
	}
	if p.Max <= 0 {
		p.Max = time.Second
	}
	return p
}

// delay is the wait after the attempt given, at a random place in [0, 1).
func (p RetryPolicy) delay(attempt int, place float64) time.Duration {
	limit := p.Base
	for range attempt - 1 {
		if limit >= p.Max/2 {
			limit = p.Max
			break
		}
		limit *= 2
	}
	return time.Duration(place * float64(min(limit, p.Max)))
}

// ErrIncompatibleOptions is returned for options that contradict each other or
// the transaction to be joined.
var ErrIncompatibleOptions = errors.New("incompatible transaction options")

// options are those of a transaction: the manager's, changed by opts.
func (m *Manager) options(opts []Option) (Options, error) {
	if len(opts) == 0 {
		return m.defaults, m.refused
	}
	o := m.defaults
	for _, opt := range opts {
		opt.apply(&o)
	}
	return o.checked()
}

// checked fills in the defaults and refuses what contradicts itself.
func (o Options) checked() (Options, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.ResolveWithin <= 0 {
		o.ResolveWithin = DefaultResolveWithin
	}
	switch o.Isolation {
	case "", pgx.Serializable, pgx.RepeatableRead, pgx.ReadCommitted, pgx.ReadUncommitted:
	default:
		return o, fmt.Errorf("%w: isolation level %q", ErrIncompatibleOptions, string(o.Isolation))
	}
	for _, s := range o.Settings {
		if err := s.validate(); err != nil {
			return o, err
		}
	}
	o.args = settingsArgs(o.Settings)
	o.LockTimeout = max(o.LockTimeout, 0)
	if _, twice := lookup(o.Settings, "lock_timeout"); twice && o.LockTimeout != 0 {
		return o, fmt.Errorf("%w: lock time-out %v", ErrIncompatibleOptions, o.LockTimeout)
	}
	if o.Propagation > PropagateNew || o.Outcome > ResolveByXID {
		return o, fmt.Errorf("%w: propagation %d, outcome %d", ErrIncompatibleOptions, o.Propagation, o.Outcome)
	}
	if o.Deferrable && (o.Isolation != pgx.Serializable || !o.ReadOnly) {
		return o, fmt.Errorf("%w: deferrable takes serializable and read only", ErrIncompatibleOptions)
	}
	return o, nil
}

func (o *Options) pgx() pgx.TxOptions {
	p := pgx.TxOptions{IsoLevel: o.Isolation}
	if o.ReadOnly {
		p.AccessMode = pgx.ReadOnly
	}
	if o.Deferrable {
		p.DeferrableMode = pgx.Deferrable
	}
	return p
}

// keepsSnapshot reports whether the transaction's first SELECT takes the
// snapshot that all others see, which is not ours to take.
func (o *Options) keepsSnapshot() bool { return strength(o.Isolation) > strength(pgx.ReadCommitted) }

// strength orders the isolation levels; PostgreSQL runs the two lowest alike.
func strength(level pgx.TxIsoLevel) int {
	switch level {
	case pgx.RepeatableRead:
		return 2
	case pgx.Serializable:
		return 3
	}
	return 1
}
