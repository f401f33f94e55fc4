package pool

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
)

// Config holds the pool's settings. A zero field takes its value from the DSN
// parameter named, else from the environment variable named (behind Env and a
// _), else the default. A field that is set here and, differently, in the DSN is
// an error, as is whatever else contradicts itself; [New] reports all of it at
// once.
//
// Durations are Go's (90s, 5m), in the DSN and the environment too unless said
// otherwise; where a negative one means "no limit" here, 0 does so there.
type Config struct {
	// Env, if set, is the prefix of the environment variables that are looked
	// at: with "BOOKSHOP" the DSN, where [New] is given none, is BOOKSHOP_URL and
	// MaxConns may come from BOOKSHOP_MAX_CONNS. Default "": none but PG*, which
	// libpq's users know and which stand behind all others. With Env something
	// has to name a server: the DSN, PGHOST or PGSERVICE.
	Env string

	// MaxConns is the largest number of connections. Default 10; DSN
	// pool_max_conns; environment MAX_CONNS.
	MaxConns int
	// MinConns is the number of connections kept open when idle; they are made
	// in the background. Default 1, negative for none; DSN pool_min_conns;
	// environment MIN_CONNS (0 for none in both).
	MinConns int
	// ConnectTimeout bounds one attempt to connect to one host, log-in included,
	// and, each for itself, Password and pgxpool's BeforeConnect and AfterConnect,
	// by their contexts.
	// Default 30 s; DSN connect_timeout (in seconds, 0 as if not given);
	// environment CONNECT_TIMEOUT, then PGCONNECT_TIMEOUT (in seconds).
	ConnectTimeout time.Duration
	// IdleTimeout is how long a connection may be unused before it is closed,
	// as long as more than MinConns are open. Default 600 s, or MaxLifetime if
	// that is shorter; negative for ever; DSN pool_max_conn_idle_time; environment
	// IDLE_TIMEOUT.
	IdleTimeout time.Duration
	// MaxLifetime is the age after which a connection is closed when it is next
	// idle, less a random part, up to a tenth (DSN pool_max_conn_lifetime_jitter),
	// so that not all end at once. Default 3600 s, negative for ever; DSN pool_max_conn_lifetime;
	// environment MAX_LIFETIME.
	MaxLifetime time.Duration
	// AcquireTimeout bounds the wait for a connection. Default 30 s, negative
	// for as long as the caller's context lasts; DSN pool_acquire_timeout;
	// environment ACQUIRE_TIMEOUT.
	AcquireTimeout time.Duration
	// ConnectRetry is how long Acquire keeps trying while connecting fails for a
	// reason that may pass: nobody answers, or the server is starting, stopping,
	// full or, in a failover, of the wrong role yet. Then, or at once if the reason
	// stays (log-in refused, no such database, TLS), the caller gets that error.
	// Attempts are made one at a time meanwhile, at most a quarter of a second apart, for
	// all who wait. Default 5 s, negative for the first error to be the caller's;
	// DSN pool_connect_retry; environment CONNECT_RETRY.
	ConnectRetry time.Duration

	// MaxWaiters bounds how many callers may wait at once for a connection to come
	// back, not counting those for whom one can be made; the next one gets
	// [ErrTooManyWaiters] without waiting. Default 0: no bound; DSN
	// pool_max_waiters; environment MAX_WAITERS.
	MaxWaiters int
	// LeakAfter is how long a connection may be held before it is reported, once,
	// to Observer and Logger, with the place that acquired it. Default 0: never,
	// and then no place is noted; DSN pool_leak_after; environment LEAK_AFTER.
	LeakAfter time.Duration

	// Profile says what stands between the pool and the server. Default [Direct];
	// DSN pool_profile; environment PROFILE (direct, transaction-pooler or
	// prepared-pooler).
	Profile Profile
	// StatementTimeout, LockTimeout and IdleInTransactionTimeout are the server's
	// statement_timeout, lock_timeout and idle_in_transaction_session_timeout for
	// the pool's connections, in whole milliseconds, rounded up. Default 0: what
	// the server has set; negative for no limit, whatever the server has set; DSN
	// statement_timeout, lock_timeout, idle_in_transaction_session_timeout (in
	// PostgreSQL's notation: milliseconds, or with a unit); environment
	// STATEMENT_TIMEOUT, LOCK_TIMEOUT, IDLE_IN_TRANSACTION_TIMEOUT. A pooler in
	// transaction mode cannot take them.
	StatementTimeout, LockTimeout, IdleInTransactionTimeout time.Duration
	// ApplicationName is what pg_stat_activity shows. Default: the base name of
	// the program; DSN application_name; environment APPLICATION_NAME, then
	// PGAPPNAME.
	ApplicationName string
	// SearchPath pins search_path, as generated packages give it in their
	// SearchPath: a list of schemas, quoted where SQL asks for it. Default "":
	// what the server has set; DSN search_path; environment SEARCH_PATH. A pooler
	// in transaction mode cannot take it.
	SearchPath string
	// TLS says what encryption is asked of servers that are not local. Default
	// [TLSVerifyFull]; environment TLS (verify-full, require or as-given). The
	// DSN has no parameter for it: sslmode is what it judges.
	TLS TLSPolicy
	// Password, if set, is asked for the password of each new connection, for
	// tokens that expire. It replaces the one of the DSN. Default none.
	Password func(ctx context.Context) (runtime.Secret, error)

	// Standbys turns on the sending of reads to standbys; see [Standbys]. Not
	// through a pooler in transaction mode.
	Standbys *Standbys

	// Observer is told of queries, acquires, connections and leaks. Default none,
	// and then nothing is measured.
	Observer runtime.Observer
	// Logger gets what nobody's call can return: background connections that
	// fail, leaks, servers that change their role. Default none. A runtime.SlowLog
	// as the Observer logs leaks and failing connections as well.
	Logger *slog.Logger

	// Configure, if set, may change what pgxpool is started with (tracers, TLS,
	// types to register after connecting) once all of the above is in it. What it
	// leaves has to satisfy TLS and Profile. All hooks are called as by pgxpool
	// itself; of a pgxpool.AcquireTracer's acquires are connections being made.
	Configure func(*pgxpool.Config) error
}

// Standbys says how reads are sent to the standbys among the hosts of the DSN; see
// the package's documentation. The role that connects needs no privileges beyond
// those of its queries. With those of pg_read_all_stats it can tell sooner, after
// a promotion, that a standby follows the new primary; see [Host].
type Standbys struct {
	// MaxLag is for how long a standby may lack what the primary has before reads
	// pass it by, also those whose token it satisfies. That is as of the last
	// look: what is read may be older by CheckInterval. While the primary is away,
	// it counts from when that was last seen. Default 10 s, negative for any.
	MaxLag time.Duration
	// Wait is how long a read waits for a standby to replay what its session's
	// token asks for before it goes to the primary. Default 100 ms, negative for
	// not at all.
	Wait time.Duration
	// CheckInterval is the time between two looks at each server, give or take a
	// tenth, and at least 50 ms. It takes a connection to each. Default 1 s.
	CheckInterval time.Duration
	// MaxConns and MinConns bound the connections to each standby. Default those
	// of the pool; a negative MinConns is none.
	MaxConns, MinConns int
}

// The defaults of [Config].
const (
	DefaultMaxConns       = 10
	DefaultMinConns       = 1
	DefaultConnectTimeout = 30 * time.Second
	DefaultIdleTimeout    = 600 * time.Second
	DefaultMaxLifetime    = 3600 * time.Second
	DefaultAcquireTimeout = 30 * time.Second
	DefaultConnectRetry   = 5 * time.Second
)

// attrs are the settings that are values, by the names that the environment
// has for them, in lower case.
func (c Config) attrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("max_conns", c.MaxConns), slog.Int("min_conns", c.MinConns),
		slog.Duration("connect_timeout", c.ConnectTimeout), slog.Duration("idle_timeout", c.IdleTimeout),
		slog.Duration("max_lifetime", c.MaxLifetime), slog.Duration("acquire_timeout", c.AcquireTimeout),
		slog.Duration("connect_retry", c.ConnectRetry),
		slog.Int("max_waiters", c.MaxWaiters), slog.Duration("leak_after", c.LeakAfter),
		slog.String("profile", c.Profile.String()),
		slog.Duration("statement_timeout", c.StatementTimeout), slog.Duration("lock_timeout", c.LockTimeout),
		slog.Duration("idle_in_transaction_timeout", c.IdleInTransactionTimeout),
		slog.String("application_name", c.ApplicationName), slog.String("search_path", c.SearchPath),
		slog.String("tls", c.TLS.String()), slog.Bool("standbys", c.Standbys != nil),
	}
}

// LogValue returns the settings as a group; there is no secret among them.
func (c Config) LogValue() slog.Value { return slog.GroupValue(c.attrs()...) }

// String returns the settings in one line.
func (c Config) String() string {
	var b strings.Builder
	for i, a := range c.attrs() {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.String())
	}
	return b.String()
}
