package pool

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// forever stands for "no limit" where pgxpool has no word for it.
const forever = 100 * 365 * 24 * time.Hour

// cancelGrace is how long a connection may take to answer a cancelled
// statement before it is given up.
const cancelGrace = time.Second

// resolve merges config with dsn, the environment and the defaults. The error
// joins all that is wrong.
func resolve(dsn string, config Config) (*pgxpool.Config, Config, error) {
	r := resolver{env: config.Env}
	fail := func() (*pgxpool.Config, Config, error) {
		return nil, config, fmt.Errorf("pool: %w", errors.Join(r.errs...))
	}
	if dsn == "" && r.env != "" {
		dsn = os.Getenv(r.env + "_URL")
		r.fromEnv = dsn != ""
		if !r.fromEnv && os.Getenv("PGHOST") == "" && os.Getenv("PGSERVICE") == "" {
			r.failf("no server is named: there is neither a connection string nor %s_URL (nor PGHOST nor PGSERVICE)", r.env)
		}
	}
	given, err := pgx.ParseConfig(dsn)
	if err != nil {
		r.fail(unreadable(err))
		return fail()
	}
	if r.dsn, err = parameters(dsn); err != nil {
		r.fail(err)
		return fail()
	}
	r.fields(&config, given)
	r.check(&config)
	r.checkPooler(&config, given)
	if len(r.errs) > 0 {
		return fail()
	}
	pc, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		r.fail(unreadable(err))
		return fail()
	}
	r.apply(&config, pc)
	r.encrypt(pc.ConnConfig, config.TLS)
	if len(r.errs) > 0 {
		return fail()
	}
	if config.Configure != nil {
		if err := config.Configure(pc); err != nil {
			r.fail(err)
			return fail()
		}
		r.unchanged(&config, pc)
		if err := config.Profile.allows(pc.ConnConfig.DefaultQueryExecMode); err != nil {
			r.failf("Configure set the exec mode %q, which does not go with the profile %v: %w", pc.ConnConfig.DefaultQueryExecMode, config.Profile, err)
		}
		r.fail(config.TLS.check(pc.ConnConfig, "after Configure, "))
	}
	r.checkPgxpool(&config, pc)
	guard(pc, config)
	cancelThere(pc.ConnConfig)
	r.fail(writable(r.dsn, pc, config.Standbys != nil))
	if len(r.errs) > 0 {
		return fail()
	}
	return pc, config, nil
}

// unchanged refuses what Configure set that is a field of Config: the fields are
// what the pool goes by.
func (r *resolver) unchanged(c *Config, pc *pgxpool.Config) {
	for _, f := range []struct {
		name    string
		is, was any
	}{
		{"MaxConns", int(pc.MaxConns), c.MaxConns},
		{"MinConns", int(pc.MinConns), c.MinConns},
		{"MaxConnIdleTime", pc.MaxConnIdleTime, orForever(c.IdleTimeout)},
		{"MaxConnLifetime", pc.MaxConnLifetime, orForever(c.MaxLifetime)},
		{"ConnConfig.ConnectTimeout", pc.ConnConfig.ConnectTimeout, c.ConnectTimeout},
	} {
		if f.is != f.was {
			r.failf("Configure set %s to %v: set the field of Config instead", f.name, f.is)
		}
	}
}

func orForever(d time.Duration) time.Duration {
	if d < 0 {
		return forever
	}
	return d
}

// guard puts what is done before each connection around the caller's own. It
// bounds all of that: what never ends would keep its place in the pool for ever.
func guard(pc *pgxpool.Config, config Config) {
	if after := pc.AfterConnect; after != nil {
		pc.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			ctx, cancel := context.WithTimeout(ctx, config.ConnectTimeout)
			defer cancel()
			return after(ctx, conn)
		}
	}
	before := pc.BeforeConnect
	if before == nil && config.Password == nil {
		return
	}
	pc.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
		ctx, cancel := context.WithTimeout(ctx, config.ConnectTimeout)
		defer cancel()
		if config.Password != nil {
			password, err := config.Password(ctx)
			if err != nil {
				return &beforeConnectError{fmt.Errorf("password: %w", err)}
			}
			cc.Password = password.Reveal()
		}
		if before == nil {
			return nil
		}
		if err := before(ctx, cc); err != nil {
			return &beforeConnectError{err}
		}
		if err := config.TLS.check(cc, "after BeforeConnect, "); err != nil {
			return &beforeConnectError{err}
		}
		return nil
	}
}

// beforeConnectError says why no connection was tried.
type beforeConnectError struct{ err error }

func (e *beforeConnectError) Error() string     { return e.err.Error() }
func (e *beforeConnectError) Unwrap() error     { return e.err }
func (e *beforeConnectError) SafeToRetry() bool { return true }

// resolver collects what is set where, and what is wrong with it.
type resolver struct {
	env     string            // prefix, "" for none
	dsn     map[string]string // what the DSN itself says, and a service file for pool_*
	fromEnv bool              // the DSN is the environment's
	errs    []error
}

func (r *resolver) fail(err error) {
	if err != nil {
		r.errs = append(r.errs, err)
	}
}

func (r *resolver) failf(format string, args ...any) { r.fail(fmt.Errorf(format, args...)) }

// variable returns an environment variable, if it is set to something.
func (r *resolver) variable(name string) (string, bool) {
	if r.env == "" {
		return "", false
	}
	value := os.Getenv(r.env + "_" + name)
	return value, value != ""
}

// setting is a field of [Config] and where else it may come from.
type setting[T comparable] struct {
	field, parameter, variable string
	// parse reads the text of the DSN's parameter, parseEnv that of the variable
	// where it is another notation.
	parse, parseEnv func(string) (T, error)
}

// pick takes the value set in code, in the DSN, in the environment or the
// default, in this order. It refuses two that differ where neither stands for a
// default: code and DSN, and a DSN that the environment gave and its variable.
func pick[T comparable](r *resolver, s setting[T], code T, fallback T) T {
	var zero, dsn, env T
	var err error
	text, inDSN := r.dsn[s.parameter]
	if inDSN {
		if dsn, err = s.parse(text); err != nil {
			r.failf("%s in the connection string: %w", s.parameter, err)
			return fallback
		}
	}
	text, inEnv := r.variable(s.variable)
	if inEnv {
		parse := s.parse
		if s.parseEnv != nil {
			parse = s.parseEnv
		}
		if env, err = parse(text); err != nil {
			r.failf("%s_%s in the environment: %w", r.env, s.variable, err)
			return fallback
		}
	}
	switch {
	case code != zero && inDSN && code != dsn:
		r.failf("%s is %v in the configuration and %v in the connection string (%s): set it in one of them", s.field, code, dsn, s.parameter)
		return code
	case inDSN && inEnv && r.fromEnv && dsn != env:
		r.failf("%s is %v in %s_URL (%s) and %v in %[3]s_%[6]s: set it in one of them", s.field, dsn, r.env, s.parameter, env, s.variable)
		return dsn
	case code != zero:
		return code
	case inDSN:
		return dsn
	case inEnv:
		return env
	}
	return fallback
}

// fields fills in config. What pgx takes from PG* variables stands between ours
// and the defaults.
func (r *resolver) fields(c *Config, given *pgx.ConnConfig) {
	r.service(given)
	duration := func(field, parameter, variable string, code, fallback time.Duration) time.Duration {
		return pick(r, setting[time.Duration]{field, parameter, variable, limit(time.ParseDuration), nil}, max(code, -1), fallback)
	}
	count := func(field, parameter, variable string, code, fallback int) int {
		return pick(r, setting[int]{field, parameter, variable, strconv.Atoi, nil}, code, fallback)
	}
	server := func(field, parameter, variable string, code time.Duration) time.Duration {
		return pick(r, setting[time.Duration]{field, parameter, variable, limit(serverDuration), limit(time.ParseDuration)}, max(code, -1), 0)
	}
	text := func(field, parameter, variable, code, fallback string) string {
		same := func(s string) (string, error) { return s, nil }
		return pick(r, setting[string]{field, parameter, variable, same, nil}, code, fallback)
	}

	c.MaxConns = count("MaxConns", "pool_max_conns", "MAX_CONNS", c.MaxConns, DefaultMaxConns)
	c.MinConns = max(0, pick(r, setting[int]{"MinConns", "pool_min_conns", "MIN_CONNS", limit(strconv.Atoi), nil}, max(c.MinConns, -1), min(DefaultMinConns, c.MaxConns)))
	connect := DefaultConnectTimeout
	if given.ConnectTimeout != 0 {
		connect = given.ConnectTimeout
	}
	if r.dsn["connect_timeout"] == "0" {
		delete(r.dsn, "connect_timeout")
	}
	c.ConnectTimeout = pick(r, setting[time.Duration]{"ConnectTimeout", "connect_timeout", "CONNECT_TIMEOUT", seconds, time.ParseDuration}, c.ConnectTimeout, connect)
	c.MaxLifetime = duration("MaxLifetime", "pool_max_conn_lifetime", "MAX_LIFETIME", c.MaxLifetime, DefaultMaxLifetime)
	idle := DefaultIdleTimeout
	if c.MaxLifetime > 0 {
		idle = min(idle, c.MaxLifetime)
	}
	c.IdleTimeout = duration("IdleTimeout", "pool_max_conn_idle_time", "IDLE_TIMEOUT", c.IdleTimeout, idle)
	c.AcquireTimeout = duration("AcquireTimeout", "pool_acquire_timeout", "ACQUIRE_TIMEOUT", c.AcquireTimeout, DefaultAcquireTimeout)
	c.ConnectRetry = duration("ConnectRetry", "pool_connect_retry", "CONNECT_RETRY", c.ConnectRetry, DefaultConnectRetry)
	c.MaxWaiters = count("MaxWaiters", "pool_max_waiters", "MAX_WAITERS", c.MaxWaiters, 0)
	c.LeakAfter = pick(r, setting[time.Duration]{"LeakAfter", "pool_leak_after", "LEAK_AFTER", time.ParseDuration, nil}, c.LeakAfter, 0)

	c.Profile = pick(r, setting[Profile]{"Profile", "pool_profile", "PROFILE", named[Profile](profileNames[:]), nil}, c.Profile, Direct)
	c.StatementTimeout = server("StatementTimeout", "statement_timeout", "STATEMENT_TIMEOUT", c.StatementTimeout)
	c.LockTimeout = server("LockTimeout", "lock_timeout", "LOCK_TIMEOUT", c.LockTimeout)
	c.IdleInTransactionTimeout = server("IdleInTransactionTimeout", "idle_in_transaction_session_timeout", "IDLE_IN_TRANSACTION_TIMEOUT", c.IdleInTransactionTimeout)
	name := given.RuntimeParams["application_name"]
	if name == "" && len(os.Args) > 0 {
		name = filepath.Base(os.Args[0])
	}
	c.ApplicationName = text("ApplicationName", "application_name", "APPLICATION_NAME", c.ApplicationName, name)
	c.SearchPath = text("SearchPath", "search_path", "SEARCH_PATH", c.SearchPath, "")
	c.TLS = pick(r, setting[TLSPolicy]{"TLS", "", "TLS", named[TLSPolicy](tlsNames[:]), nil}, c.TLS, TLSVerifyFull)
}

// service counts what a service file sets among what the DSN says: libpq has it
// stand in for the DSN, and before PG* variables.
func (r *resolver) service(given *pgx.ConnConfig) {
	for name, value := range given.RuntimeParams {
		if _, ok := r.dsn[name]; ok || value == "" {
			continue
		}
		if name == "application_name" && value == os.Getenv("PGAPPNAME") {
			continue
		}
		r.dsn[name] = value
	}
}

// limit reads what means none where it is 0, as a negative value does in code.
func limit[T int | time.Duration](parse func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		d, err := parse(text)
		if d <= 0 {
			d = -1
		}
		return d, err
	}
}

func seconds(text string) (time.Duration, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	return time.Duration(n) * time.Second, err
}

// serverDuration reads a time as PostgreSQL takes it for a setting in
// milliseconds (section "Parameter Names and Values" of its documentation).
func serverDuration(text string) (time.Duration, error) {
	trimmed := strings.TrimSpace(text)
	digits := strings.TrimRight(trimmed, "usmhdin")
	unit := time.Millisecond
	switch trimmed[len(digits):] {
	case "us":
		unit = time.Microsecond
	case "", "ms":
	case "s":
		unit = time.Second
	case "min":
		unit = time.Minute
	case "h":
		unit = time.Hour
	case "d":
		unit = 24 * time.Hour
	default:
		return 0, fmt.Errorf("%q is not a time", text)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil || n != n || n*float64(unit) > float64(math.MaxInt64) {
		return 0, fmt.Errorf("%q is not a time", text)
	}
	return time.Duration(n * float64(unit)), nil
}

// named reads a name of an enumeration.
func named[T ~int](names []string) func(string) (T, error) {
	return func(text string) (T, error) {
		for i, name := range names {
			if text == name {
				return T(i), nil
			}
		}
		return 0, fmt.Errorf("%q is none of %s", text, strings.Join(names, ", "))
	}
}

// apply puts the fields into what pgxpool is started with.
func (r *resolver) apply(c *Config, pc *pgxpool.Config) {
	cc := pc.ConnConfig
	for _, name := range []string{"pool_acquire_timeout", "pool_connect_retry", "pool_max_waiters", "pool_leak_after", "pool_profile"} {
		delete(cc.RuntimeParams, name)
	}
	pc.MaxConns, pc.MinConns = int32(c.MaxConns), int32(c.MinConns)
	cc.ConnectTimeout = c.ConnectTimeout
	pc.MaxConnIdleTime, pc.MaxConnLifetime = orForever(c.IdleTimeout), orForever(c.MaxLifetime)
	if _, ok := r.dsn["pool_max_conn_lifetime_jitter"]; !ok && c.MaxLifetime > 0 {
		pc.MaxConnLifetimeJitter = c.MaxLifetime / 10
	}
	if _, ok := r.dsn["pool_health_check_period"]; !ok {
		pc.HealthCheckPeriod = max(time.Second, min(time.Minute, pc.MaxConnIdleTime/2))
	}
	// pgx's own handler closes the connection and leaves the statement running
	// on the server.
	cc.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &canceller{conn: conn}
	}
	if _, ok := r.dsn["default_query_exec_mode"]; !ok {
		cc.DefaultQueryExecMode = c.Profile.execMode()
	}
	if c.Profile == TransactionPooler {
		cc.StatementCacheCapacity = 0 // a call that asks for it by hand fails instead of breaking others
	}
	for name, value := range map[string]time.Duration{
		"statement_timeout": c.StatementTimeout, "lock_timeout": c.LockTimeout, "idle_in_transaction_session_timeout": c.IdleInTransactionTimeout,
	} {
		if value != 0 {
			cc.RuntimeParams[name] = milliseconds(value)
		}
	}
	if c.ApplicationName != "" {
		cc.RuntimeParams["application_name"] = c.ApplicationName
	}
	if c.SearchPath != "" {
		cc.RuntimeParams["search_path"] = c.SearchPath
	}
}

// milliseconds writes d as the server takes it; a negative one is no limit,
// which it calls 0.
func milliseconds(d time.Duration) string {
	if d < 0 {
		return "0"
	}
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}
