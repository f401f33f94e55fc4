package pool

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
)

// Config holds the pool's settings. A zero field takes its value from the DSN
// parameter named, else the default.
type Config struct {
	// MaxConns is the largest number of connections. Default 10; DSN
	// pool_max_conns.
	MaxConns int
	// MinConns is the number of connections kept open when idle; they are made
	// in the background. Default 1, negative for none; DSN pool_min_conns.
	MinConns int
	// ConnectTimeout bounds one attempt to connect, log-in included. Default
	// 30 s; DSN connect_timeout (in seconds).
	ConnectTimeout time.Duration
	// IdleTimeout is how long a connection may be unused before it is closed,
	// as long as more than MinConns are open. Default 600 s, negative for ever;
	// DSN pool_max_conn_idle_time (a Go duration, as are those below).
	IdleTimeout time.Duration
	// MaxLifetime is the age after which a connection is closed when it is next
	// idle, give or take a random tenth so that not all end at once. Default
	// 3600 s, negative for ever; DSN pool_max_conn_lifetime.
	MaxLifetime time.Duration
	// AcquireTimeout bounds the wait for a connection. Default 30 s, negative
	// for as long as the caller's context lasts; DSN pool_acquire_timeout.
	AcquireTimeout time.Duration

	// MaxWaiters bounds how many callers may wait for a connection at once; the
	// next one gets [ErrTooManyWaiters] without waiting. Default 0: no bound.
	MaxWaiters int
	// LeakAfter is how long a connection may be held before it is reported, once,
	// to Observer and Logger, with the place that acquired it. Default 0: never,
	// and then no place is noted.
	LeakAfter time.Duration

	// Profile says what stands between the pool and the server. Default [Direct].
	Profile Profile
	// StatementTimeout, LockTimeout and IdleInTransactionTimeout are the server's
	// statement_timeout, lock_timeout and idle_in_transaction_session_timeout for
	// the pool's connections. Default 0: what the server has set. A pooler in
	// transaction mode cannot take them.
	StatementTimeout, LockTimeout, IdleInTransactionTimeout time.Duration
	// ApplicationName is what pg_stat_activity shows. Default: the program's name.
	ApplicationName string
	// SearchPath pins search_path, as generated packages give it in their
	// SearchPath. Default "": what the server has set.
	SearchPath string
	// TLS says what encryption is asked of servers that are not local. Default
	// [TLSVerifyFull].
	TLS TLSPolicy
	// Password, if set, is asked for the password of each new connection, for
	// tokens that expire.
	Password func(ctx context.Context) (runtime.Secret, error)

	// Standbys turns on the sending of reads to standbys; see [Standbys].
	Standbys *Standbys

	// Observer is told of queries, acquires, connections and leaks.
	Observer runtime.Observer
	// Logger gets what nobody's call can return: background connections that
	// fail, leaks, servers that change their role. Default none.
	Logger *slog.Logger

	// Configure, if set, may change what pgxpool is started with (tracers, TLS,
	// types to register after connecting) once all of the above is in it.
	Configure func(*pgxpool.Config) error
}

// Profile says what stands between a pool and its server, and so what may be
// kept on a connection.
type Profile int

// The profiles.
const (
	// Direct is a server, or a pooler in session mode: statements are prepared
	// and kept.
	Direct Profile = iota
	// TransactionPooler is a pooler in transaction mode that knows nothing of
	// prepared statements (PgBouncer before 1.21): statements are described once
	// and sent unnamed, each in one round trip.
	TransactionPooler
	// PreparedPooler is a pooler in transaction mode that keeps track of prepared
	// statements (PgBouncer from 1.21 on with max_prepared_statements).
	PreparedPooler
)

// TLSPolicy says what encryption is asked of servers that are not local.
type TLSPolicy int

// The policies.
const (
	// TLSVerifyFull asks each host, fallbacks included, for a certificate that
	// is valid and its own.
	TLSVerifyFull TLSPolicy = iota
	// TLSRequire asks for encryption alone: it does not tell who answers.
	TLSRequire
	// TLSAsGiven leaves it to sslmode.
	TLSAsGiven
)

// Standbys says how reads are sent to standbys.
type Standbys struct {
	// MaxLag is how far a standby's replay may be behind before reads without a
	// token pass it by. Default 10 s, negative for any.
	MaxLag time.Duration
	// Wait is how long a read with a token waits for a standby to replay it
	// before it goes to the primary. Default 100 ms, negative for not at all.
	Wait time.Duration
	// CheckInterval is the time between two looks at each server. Default 1 s.
	CheckInterval time.Duration
	// MaxConns and MinConns bound the connections to each standby. Default those
	// of the pool.
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
)

// forever stands for "no limit" where pgxpool has no word for it.
const forever = 100 * 365 * 24 * time.Hour

// cancelGrace is how long a connection may take to answer a cancelled
// statement before it is given up.
const cancelGrace = time.Second

// resolve merges config with dsn and the defaults.
func resolve(dsn string, config Config) (*pgxpool.Config, Config, error) {
	fail := func(err error) (*pgxpool.Config, Config, error) {
		return nil, config, fmt.Errorf("pool: %w", err)
	}
	given, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fail(err)
	}
	pc, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return fail(err)
	}
	params := given.RuntimeParams
	var acquire time.Duration
	if text, ok := params["pool_acquire_timeout"]; ok {
		delete(pc.ConnConfig.RuntimeParams, "pool_acquire_timeout")
		if acquire, err = time.ParseDuration(text); err != nil {
			return fail(fmt.Errorf("pool_acquire_timeout: %w", err))
		}
	}
	set := func(name string) bool { _, ok := params[name]; return ok }

	if config.MaxConns, err = pick("MaxConns", config.MaxConns, int(pc.MaxConns), set("pool_max_conns"), DefaultMaxConns); err != nil {
		return fail(err)
	}
	if config.MinConns, err = pick("MinConns", config.MinConns, int(pc.MinConns), set("pool_min_conns"), min(DefaultMinConns, config.MaxConns)); err != nil {
		return fail(err)
	}
	if config.ConnectTimeout, err = pick("ConnectTimeout", config.ConnectTimeout, given.ConnectTimeout, given.ConnectTimeout != 0, DefaultConnectTimeout); err != nil {
		return fail(err)
	}
	if config.IdleTimeout, err = pick("IdleTimeout", config.IdleTimeout, pc.MaxConnIdleTime, set("pool_max_conn_idle_time"), DefaultIdleTimeout); err != nil {
		return fail(err)
	}
	if config.MaxLifetime, err = pick("MaxLifetime", config.MaxLifetime, pc.MaxConnLifetime, set("pool_max_conn_lifetime"), DefaultMaxLifetime); err != nil {
		return fail(err)
	}
	if config.AcquireTimeout, err = pick("AcquireTimeout", config.AcquireTimeout, acquire, set("pool_acquire_timeout"), DefaultAcquireTimeout); err != nil {
		return fail(err)
	}
	config.MinConns = max(config.MinConns, 0)
	if err := config.check(); err != nil {
		return fail(err)
	}

	pc.MaxConns, pc.MinConns = int32(config.MaxConns), int32(config.MinConns)
	pc.ConnConfig.ConnectTimeout = config.ConnectTimeout
	pc.MaxConnIdleTime, pc.MaxConnLifetime = config.IdleTimeout, config.MaxLifetime
	if pc.MaxConnIdleTime < 0 {
		pc.MaxConnIdleTime = forever
	}
	if pc.MaxConnLifetime < 0 {
		pc.MaxConnLifetime = forever
	} else if !set("pool_max_conn_lifetime_jitter") {
		pc.MaxConnLifetimeJitter = pc.MaxConnLifetime / 10
	}
	if !set("pool_health_check_period") {
		pc.HealthCheckPeriod = max(time.Second, min(time.Minute, pc.MaxConnIdleTime/2))
	}
	// pgx's own handler closes the connection and leaves the statement running
	// on the server.
	pc.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelGrace}
	}
	if config.Configure != nil {
		if err := config.Configure(pc); err != nil {
			return fail(err)
		}
	}
	return pc, config, nil
}

// pick takes the value set in code, in the DSN, or the default, in this order,
// and refuses two that differ.
func pick[T int | time.Duration](name string, code, dsn T, inDSN bool, fallback T) (T, error) {
	switch {
	case code != 0 && inDSN && code != dsn:
		return 0, fmt.Errorf("%s is %v in the configuration and %v in the connection string", name, code, dsn)
	case code != 0:
		return code, nil
	case inDSN:
		return dsn, nil
	}
	return fallback, nil
}

func (c *Config) check() error {
	switch {
	case c.MaxConns < 1 || c.MaxConns > math.MaxInt32:
		return fmt.Errorf("MaxConns is %d, must be at least 1", c.MaxConns)
	case c.MinConns > c.MaxConns:
		return fmt.Errorf("MinConns is %d, more than MaxConns, %d", c.MinConns, c.MaxConns)
	case c.ConnectTimeout < 0:
		return fmt.Errorf("ConnectTimeout is %v, must be positive", c.ConnectTimeout)
	case c.MaxLifetime > 0 && c.IdleTimeout > c.MaxLifetime:
		return fmt.Errorf("IdleTimeout is %v, more than MaxLifetime, %v", c.IdleTimeout, c.MaxLifetime)
	}
	return nil
}
