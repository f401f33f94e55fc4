package pool

import (
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxServerTimeout is the largest time-out that the server takes.
const maxServerTimeout = math.MaxInt32 * time.Millisecond

// check finds what contradicts itself.
func (r *resolver) check(c *Config) {
	if c.MaxConns < 1 || c.MaxConns > math.MaxInt32 {
		r.failf("MaxConns is %d, must be at least 1 and at most %d", c.MaxConns, math.MaxInt32)
	}
	if c.MinConns > c.MaxConns {
		r.failf("MinConns is %d, more than MaxConns, %d: lower the one or raise the other", c.MinConns, c.MaxConns)
	}
	if c.ConnectTimeout <= 0 {
		r.failf("ConnectTimeout is %v, must be positive: an attempt that nothing ends keeps its place in the pool", c.ConnectTimeout)
	}
	if c.MaxLifetime > 0 && c.IdleTimeout > c.MaxLifetime {
		r.failf("IdleTimeout is %v, more than MaxLifetime, %v: it would never be reached", c.IdleTimeout, c.MaxLifetime)
	}
	if c.MaxWaiters < 0 {
		r.failf("MaxWaiters is %d, must not be negative (0 is no bound)", c.MaxWaiters)
	}
	if c.LeakAfter < 0 {
		r.failf("LeakAfter is %v, must not be negative (0 is never)", c.LeakAfter)
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{{"StatementTimeout", c.StatementTimeout}, {"LockTimeout", c.LockTimeout}, {"IdleInTransactionTimeout", c.IdleInTransactionTimeout}} {
		if t.value > maxServerTimeout {
			r.failf("%s is %v, more than the server takes, %v: a negative one is no limit", t.name, t.value, maxServerTimeout)
		}
	}
	if c.StatementTimeout > 0 && c.LockTimeout > c.StatementTimeout {
		r.failf("LockTimeout is %v, more than StatementTimeout, %v: it would never be reached", c.LockTimeout, c.StatementTimeout)
	}
	if c.Standbys != nil {
		var err error
		if c.Standbys, err = c.Standbys.resolve(*c); err != nil {
			r.fail(err)
		}
	}
	if c.Profile < 0 || int(c.Profile) >= len(profileNames) {
		r.failf("Profile is %v", c.Profile)
	}
	if c.TLS < 0 || int(c.TLS) >= len(tlsNames) {
		r.failf("TLS is %v", c.TLS)
	}
}

// checkPgxpool finds what no pool can do of what pgxpool alone has settings for,
// in the connection string (named here) and for Configure.
func (r *resolver) checkPgxpool(c *Config, pc *pgxpool.Config) {
	if jitter := pc.MaxConnLifetimeJitter; jitter < 0 || c.MaxLifetime > 0 && jitter > c.MaxLifetime {
		r.failf("MaxConnLifetimeJitter (pool_max_conn_lifetime_jitter) is %v, must not be negative, nor more than MaxLifetime, %v", jitter, c.MaxLifetime)
	}
	if pc.HealthCheckPeriod <= 0 {
		r.failf("HealthCheckPeriod (pool_health_check_period) is %v, must be positive", pc.HealthCheckPeriod)
	}
	if pc.PingTimeout < 0 {
		r.failf("PingTimeout (pool_ping_timeout) is %v, must not be negative (0 is %v)", pc.PingTimeout, defaultPingTimeout)
	}
	if pc.MinIdleConns < 0 || int(pc.MinIdleConns) > c.MaxConns {
		r.failf("MinIdleConns (pool_min_idle_conns) is %d, must not be negative, nor more than MaxConns, %d", pc.MinIdleConns, c.MaxConns)
	}
}

// checkPooler finds what cannot be asked of a pooler in transaction mode: what
// would have to be set for a session, and ways of sending statements that need
// one.
func (r *resolver) checkPooler(c *Config, given *pgx.ConnConfig) {
	if _, ok := r.dsn["default_query_exec_mode"]; ok {
		if err := c.Profile.allows(given.DefaultQueryExecMode); err != nil {
			r.failf("default_query_exec_mode is %q in the connection string, which does not go with the profile %v: %w; leave it out", given.DefaultQueryExecMode, c.Profile, err)
		}
	}
	if !c.Profile.pooled() {
		return
	}
	for _, s := range []struct {
		field, parameter string
		set              bool
		instead          string
	}{
		{"StatementTimeout", "statement_timeout", c.StatementTimeout != 0, "ALTER ROLE … SET statement_timeout, or a transaction's own (package txn)"},
		{"LockTimeout", "lock_timeout", c.LockTimeout != 0, "ALTER ROLE … SET lock_timeout, or a transaction's own (package txn)"},
		{"IdleInTransactionTimeout", "idle_in_transaction_session_timeout", c.IdleInTransactionTimeout != 0, "ALTER ROLE … SET idle_in_transaction_session_timeout, or a transaction's own (package txn)"},
		{"SearchPath", "search_path", c.SearchPath != "", "ALTER ROLE … IN DATABASE … SET search_path, or names that are qualified; a pooler that keeps track of search_path may be sent it by Configure"},
	} {
		if s.set {
			r.failf("%s (%s) is set and the profile is %v: a pooler in transaction mode refuses or forgets what is set for a session; use %s", s.field, s.parameter, c.Profile, s.instead)
		}
	}
	if given.RuntimeParams["options"] != "" {
		r.failf("options (PGOPTIONS) is set and the profile is %v: a pooler in transaction mode refuses or forgets what is set for a session; use ALTER ROLE … SET", c.Profile)
	}
	if c.Standbys != nil {
		r.failf("Standbys is set and the profile is %v: behind a pooler a read cannot be told from which server it comes; connect to the servers, or let the pooler spread the reads", c.Profile)
	}
}
