package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// clearEnv takes what steers pgx out of the environment of one test.
func clearEnv(t *testing.T) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
}

// Each field comes from code, the DSN, the environment or a default, in this
// order, and two that contradict each other are refused.
func TestConfig(t *testing.T) {
	clearEnv(t)
	const local = "postgres://u:secret@localhost:1/d"
	defaults := pool.Config{
		MaxConns: 10, MinConns: 1, ConnectTimeout: 30 * time.Second, IdleTimeout: 600 * time.Second,
		MaxLifetime: 3600 * time.Second, AcquireTimeout: 30 * time.Second, ConnectRetry: 5 * time.Second, ApplicationName: filepath.Base(os.Args[0]),
	}
	with := func(change func(*pool.Config)) pool.Config { c := defaults; change(&c); return c }
	type env map[string]string
	all := with(func(c *pool.Config) {
		c.MaxConns, c.MinConns, c.ConnectTimeout, c.IdleTimeout, c.MaxLifetime, c.AcquireTimeout = 7, 2, 5*time.Second, time.Minute, 2*time.Minute, 3*time.Second
		c.ConnectRetry = 4 * time.Second
		c.MaxWaiters, c.LeakAfter, c.StatementTimeout, c.LockTimeout, c.IdleInTransactionTimeout = 9, time.Minute, 1500*time.Millisecond, time.Second, 2*time.Minute
		c.ApplicationName, c.SearchPath = "shop", "a, b"
	})
	fromEnv := all
	fromEnv.Env, fromEnv.TLS = "SHOP", pool.TLSRequire
	variables := env{
		"SHOP_URL": local, "SHOP_MAX_CONNS": "7", "SHOP_MIN_CONNS": "2", "SHOP_CONNECT_TIMEOUT": "5s", "SHOP_IDLE_TIMEOUT": "1m", "SHOP_MAX_LIFETIME": "2m",
		"SHOP_ACQUIRE_TIMEOUT": "3s", "SHOP_CONNECT_RETRY": "4s", "SHOP_MAX_WAITERS": "9", "SHOP_LEAK_AFTER": "1m", "SHOP_STATEMENT_TIMEOUT": "1.5s", "SHOP_LOCK_TIMEOUT": "1s",
		"SHOP_IDLE_IN_TRANSACTION_TIMEOUT": "2m", "SHOP_APPLICATION_NAME": "shop", "SHOP_SEARCH_PATH": "a, b", "SHOP_TLS": "require", "SHOP_PROFILE": "direct",
	}
	for _, test := range []struct {
		name, dsn string
		config    pool.Config
		env       env
		want      pool.Config
		errs      []string // parts of the error, each wanted
	}{
		{name: "defaults", dsn: local, want: defaults},
		{
			name: "DSN",
			dsn:  local + "?pool_max_conns=7&pool_min_conns=2&connect_timeout=5&pool_max_conn_idle_time=1m&pool_max_conn_lifetime=2m&pool_acquire_timeout=3s&pool_connect_retry=4s&pool_max_waiters=9&pool_leak_after=1m&statement_timeout=1.5s&lock_timeout=1000&idle_in_transaction_session_timeout=2min&application_name=shop&search_path=a,%20b&pool_profile=direct",
			want: all,
		},
		{
			name: "DSN in keywords",
			dsn:  `host=localhost port = 1 password='se\'cret' pool_max_conns=7 pool_min_conns=2 connect_timeout='5' pool_max_conn_idle_time=1m pool_max_conn_lifetime=2m pool_acquire_timeout=3s pool_connect_retry=4s pool_max_waiters=9 pool_leak_after=1m statement_timeout=1500ms lock_timeout=1s idle_in_transaction_session_timeout=120000 application_name=shop search_path=a,\ b`,
			want: all,
		},
		{name: "environment", config: pool.Config{Env: "SHOP"}, env: variables, want: fromEnv},
		{
			name: "code before environment, environment before PG*", dsn: local, config: pool.Config{Env: "SHOP", MaxConns: 3},
			env: env{"SHOP_MAX_CONNS": "7", "SHOP_APPLICATION_NAME": "shop", "PGAPPNAME": "else", "SHOP_CONNECT_TIMEOUT": "7s", "PGCONNECT_TIMEOUT": "9"},
			want: with(func(c *pool.Config) {
				c.Env, c.MaxConns, c.ApplicationName, c.ConnectTimeout = "SHOP", 3, "shop", 7*time.Second
			}),
		},
		{
			name: "DSN before environment", dsn: local + "?pool_max_conns=4&application_name=dsn&connect_timeout=4", config: pool.Config{Env: "SHOP"},
			env: env{"SHOP_MAX_CONNS": "7", "SHOP_APPLICATION_NAME": "shop", "SHOP_CONNECT_TIMEOUT": "7s", "SHOP_URL": "postgres://elsewhere"},
			want: with(func(c *pool.Config) {
				c.Env, c.MaxConns, c.ApplicationName, c.ConnectTimeout = "SHOP", 4, "dsn", 4*time.Second
			}),
		},
		{
			name: "PG* before defaults", dsn: local, env: env{"PGAPPNAME": "else", "PGCONNECT_TIMEOUT": "9"},
			want: with(func(c *pool.Config) { c.ApplicationName, c.ConnectTimeout = "else", 9*time.Second }),
		},
		{
			name: "code before PG*", dsn: local, env: env{"PGAPPNAME": "else", "PGCONNECT_TIMEOUT": "9"}, config: pool.Config{ApplicationName: "own", ConnectTimeout: time.Second},
			want: with(func(c *pool.Config) { c.ApplicationName, c.ConnectTimeout = "own", time.Second }),
		},
		{
			name: "no limits in code", dsn: "host=localhost port=1", config: pool.Config{MaxConns: 3, AcquireTimeout: -1, MinConns: -1, IdleTimeout: -1, MaxLifetime: -1, StatementTimeout: -1},
			want: with(func(c *pool.Config) {
				c.MaxConns, c.MinConns, c.AcquireTimeout, c.IdleTimeout, c.MaxLifetime, c.StatementTimeout = 3, 0, -1, -1, -1, -1
			}),
		},
		{
			name: "no limits in the DSN", dsn: local + "?pool_min_conns=0&pool_max_conn_idle_time=0s&pool_max_conn_lifetime=0s&pool_acquire_timeout=0s&lock_timeout=0&connect_timeout=0",
			want: with(func(c *pool.Config) {
				c.MinConns, c.AcquireTimeout, c.IdleTimeout, c.MaxLifetime, c.LockTimeout = 0, -1, -1, -1, -1
			}),
		},
		{
			name: "no limits in both", dsn: local + "?pool_min_conns=0&pool_max_conn_idle_time=0s&pool_acquire_timeout=0s&lock_timeout=0",
			config: pool.Config{MinConns: -2, IdleTimeout: -time.Second, AcquireTimeout: -time.Hour, LockTimeout: -2},
			want:   with(func(c *pool.Config) { c.MinConns, c.IdleTimeout, c.AcquireTimeout, c.LockTimeout = 0, -1, -1, -1 }),
		},
		{name: "a short lifetime", dsn: local, config: pool.Config{MaxLifetime: time.Minute}, want: with(func(c *pool.Config) { c.MaxLifetime, c.IdleTimeout = time.Minute, time.Minute })},
		{name: "few connections", dsn: local, config: pool.Config{MaxConns: 1}, want: with(func(c *pool.Config) { c.MaxConns = 1 })},
		{name: "code and DSN agree", dsn: local + "?pool_max_conns=7&statement_timeout=2s", config: pool.Config{MaxConns: 7, StatementTimeout: 2 * time.Second}, want: with(func(c *pool.Config) { c.MaxConns, c.StatementTimeout = 7, 2*time.Second })},

		{
			name: "code and DSN differ", dsn: local + "?pool_max_conns=7&statement_timeout=1s&pool_profile=prepared-pooler&application_name=a",
			config: pool.Config{MaxConns: 8, StatementTimeout: time.Minute, Profile: pool.TransactionPooler, ApplicationName: "b"},
			errs: []string{
				"MaxConns is 8 in the configuration and 7 in the connection string (pool_max_conns)", "StatementTimeout is 1m0s in the configuration and 1s in",
				"Profile is transaction-pooler in the configuration and prepared-pooler in", "ApplicationName is b in the configuration and a in",
			},
		},
		{
			name: "the environment contradicts itself", config: pool.Config{Env: "SHOP"},
			env: env{"SHOP_URL": local + "?pool_max_conns=7", "SHOP_MAX_CONNS": "8", "SHOP_MIN_CONNS": "many", "SHOP_LEAK_AFTER": "soon", "SHOP_TLS": "none", "SHOP_PROFILE": "odyssey"},
			errs: []string{
				"MaxConns is 7 in SHOP_URL (pool_max_conns) and 8 in SHOP_MAX_CONNS", "SHOP_MIN_CONNS in the environment: ", "SHOP_LEAK_AFTER in the environment: ",
				`SHOP_TLS in the environment: "none" is none of verify-full, require, as-given`, `SHOP_PROFILE in the environment: "odyssey" is none of direct, transaction-pooler, prepared-pooler`,
			},
		},
		{
			name: "all at once", dsn: local + "?pool_acquire_timeout=soon&lock_timeout=3fortnights",
			config: pool.Config{MinConns: 11, ConnectTimeout: -1, IdleTimeout: 2 * time.Hour, MaxWaiters: -1, LeakAfter: -1, StatementTimeout: time.Second, IdleInTransactionTimeout: 1000 * time.Hour, Profile: 5, TLS: -1},
			errs: []string{
				"pool_acquire_timeout in the connection string: ", `lock_timeout in the connection string: "3fortnights" is not a time`, "MinConns is 11, more than MaxConns, 10", "ConnectTimeout is -1ns",
				"IdleTimeout is 2h0m0s, more than MaxLifetime, 1h0m0s", "MaxWaiters is -1", "LeakAfter is -1ns", "IdleInTransactionTimeout is 1000h0m0s", "Profile is unknown (5)", "TLS is unknown (-1)",
			},
		},
		{name: "no server", config: pool.Config{Env: "SHOP", MaxConns: -1}, errs: []string{"neither a connection string nor SHOP_URL", "MaxConns is -1"}},
		{name: "PGHOST", config: pool.Config{Env: "SHOP"}, env: env{"PGHOST": "localhost", "PGUSER": "u"}, want: with(func(c *pool.Config) { c.Env = "SHOP" })},
		{name: "lock after statement", dsn: local, config: pool.Config{StatementTimeout: time.Second, LockTimeout: 2 * time.Second}, errs: []string{"LockTimeout is 2s, more than StatementTimeout, 1s"}},
		{name: "no connections", dsn: local, config: pool.Config{MaxConns: -1}, errs: []string{"MaxConns is -1"}},
		{
			name: "sessions behind a pooler", dsn: local + "?options=-cwork_mem%3D1MB&search_path=b&default_query_exec_mode=cache_statement",
			config: pool.Config{Profile: pool.TransactionPooler, StatementTimeout: time.Second, LockTimeout: time.Second, IdleInTransactionTimeout: time.Second, Standbys: &pool.Standbys{}},
			errs: []string{
				"StatementTimeout (statement_timeout) is set and the profile is transaction-pooler", "ALTER ROLE … SET statement_timeout", "LockTimeout (lock_timeout) is set", "IdleInTransactionTimeout (idle_in",
				"SearchPath (search_path) is set", "options (PGOPTIONS) is set", "Standbys is set", `default_query_exec_mode is "cache statement"`,
			},
		},
		{name: "PGOPTIONS behind a pooler", dsn: local, env: env{"PGOPTIONS": "-c work_mem=1MB"}, config: pool.Config{Profile: pool.PreparedPooler}, errs: []string{"options (PGOPTIONS)"}},
		{name: "an exec mode of two round trips", dsn: local + "?default_query_exec_mode=describe_exec", config: pool.Config{Profile: pool.PreparedPooler}, errs: []string{`"describe exec"`, "two round trips"}},
		{
			name: "an exec mode by Configure", dsn: local, errs: []string{`Configure set the exec mode "cache statement"`},
			config: pool.Config{Profile: pool.TransactionPooler, Configure: func(c *pgxpool.Config) error {
				c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
				return nil
			}},
		},
		{name: "Configure fails", dsn: local, config: pool.Config{Configure: func(*pgxpool.Config) error { return errors.New("no") }}, errs: []string{"pool: no"}},

		// No part of a password is quoted, whatever it was taken for.
		{name: "a port that is none", dsn: "postgres://u:se:secret@localhost:port/d", errs: []string{"pool: cannot parse the connection string: invalid port"}},
		{name: "a slash in a password", dsn: "postgres://u:1/secret@localhost/d", errs: []string{"%2F"}},
		{name: "a space in a password", dsn: "host=localhost password=my secret port=1", errs: []string{"cannot parse the connection string: failed to parse as keyword/value"}},
		{name: "a percent in a password", dsn: "postgres://u:%zzsecret@localhost/d", errs: []string{"cannot parse the connection string: failed to parse as URL"}},
		{name: "a parameter that is wrong", dsn: local + "?target_session_attrs=best", errs: []string{"unknown target_session_attrs value: best"}},
		{name: "a parameter of pgxpool's", dsn: local + "?pool_ping_timeout=x", errs: []string{"pool_ping_timeout"}},
		{
			name: "parameters of pgxpool's", dsn: local + "?pool_ping_timeout=-1s&pool_max_conn_lifetime_jitter=-1s&pool_health_check_period=0s&pool_min_idle_conns=11",
			errs: []string{"(pool_ping_timeout) is -1s", "(pool_max_conn_lifetime_jitter) is -1s", "(pool_health_check_period) is 0s", "(pool_min_idle_conns) is 11"},
		},
		{
			name: "fields of pgxpool's", dsn: local, errs: []string{
				"MaxConnLifetimeJitter (", "is 2h0m0s", "HealthCheckPeriod (", "MinIdleConns (",
				"Configure set MaxConns to 3: set the field of Config instead", "Configure set ConnConfig.ConnectTimeout to 1s",
			},
			config: pool.Config{Configure: func(c *pgxpool.Config) error {
				c.MaxConnLifetimeJitter, c.HealthCheckPeriod, c.MinIdleConns = 2*time.Hour, -1, -1
				c.MaxConns, c.ConnConfig.ConnectTimeout = 3, time.Second
				return nil
			}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			var params map[string]string
			if test.config.Configure == nil {
				test.config.Configure = func(c *pgxpool.Config) error {
					params = c.ConnConfig.RuntimeParams
					return nil
				}
			}
			p, err := pool.New(context.Background(), test.dsn, test.config)
			if test.errs != nil {
				if err == nil {
					t.Fatal("no error")
				}
				for _, format := range []string{"%v", "%+v", "%#v", "%q"} {
					if text := fmt.Sprintf(format, err); strings.Contains(text, "secret") {
						t.Errorf("the error shows the password: %s", text)
					}
				}
				for _, want := range test.errs {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want %q in it", err, want)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := p.Config()
			got.Configure = nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			for name := range params { // the server refuses what it does not know
				if strings.HasPrefix(name, "pool_") {
					t.Errorf("%s is sent to the server", name)
				}
			}
			if err := p.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is set for connections arrives on the server.
func TestSettingsOnTheServer(t *testing.T) {
	t.Parallel()
	var secrets []string
	p, _ := open(t, pool.Config{
		StatementTimeout: 1500 * time.Millisecond, LockTimeout: 700 * time.Microsecond, IdleInTransactionTimeout: -1,
		ApplicationName: "shop", SearchPath: `other, "Odd ""one"`,
		Password: func(context.Context) (runtime.Secret, error) {
			secrets = append(secrets, "asked")
			return "asked", nil
		},
		Configure: func(c *pgxpool.Config) error {
			before := c.BeforeConnect
			if before != nil {
				return errors.New("there is a BeforeConnect before Configure's")
			}
			c.BeforeConnect = func(_ context.Context, cc *pgx.ConnConfig) error {
				secrets = append(secrets, cc.Password)
				return nil
			}
			return nil
		},
		MinConns: -1, MaxConns: 1,
	}, pgtest.SQL(`CREATE SCHEMA other; CREATE SCHEMA "Odd ""one"; CREATE TABLE "Odd ""one".t ()`))
	for name, want := range map[string]string{
		"statement_timeout": "1500ms", "lock_timeout": "1ms", "idle_in_transaction_session_timeout": "0",
		"application_name": "shop", "search_path": `other, "Odd ""one"`,
	} {
		var got string
		if err := p.QueryRow(context.Background(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := p.Exec(context.Background(), "SELECT FROM t"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"asked", "asked"}, secrets); diff != "" {
		t.Error("the password:", diff)
	}
}

// No password is printed by what holds or passes one.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-word"
	ctx := context.Background()
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	config := pool.Config{
		MinConns: -1, AcquireTimeout: 5 * time.Second, Logger: logger, Observer: runtime.SlowLog(logger, 0),
		Password: func(context.Context) (runtime.Secret, error) { return secret, nil },
	}
	p, err := pool.New(ctx, "postgres://u:"+secret+"@127.0.0.1:1/d", config)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	_, refused := p.Exec(ctx, "SELECT 1")
	if refused == nil || !runtime.SafeToRetry(refused) {
		t.Fatalf("got %v", refused)
	}
	config.Password = func(context.Context) (runtime.Secret, error) { return secret, errors.New("no token") }
	noToken, err := pool.New(ctx, "postgres://u@127.0.0.1:1/d", config)
	if err != nil {
		t.Fatal(err)
	}
	defer noToken.Close(ctx)
	_, failed := noToken.Exec(ctx, "SELECT 1")
	if failed == nil || !strings.Contains(failed.Error(), "password: no token") || !runtime.SafeToRetry(failed) {
		t.Errorf("the password's error: %v", failed)
	}
	logger.Error("all", "config", p.Config(), "refused", refused, "wrapped", runtime.NewError(ctx, "Q", refused), "failed", failed, "secret", runtime.Secret(secret))
	for _, p := range []*pool.Pool{p, noToken} { // which may be logging still
		if err := p.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	texts := []string{log.String(), refused.Error()}
	for _, format := range []string{"%v", "%+v", "%#v"} {
		texts = append(texts, fmt.Sprintf(format, p.Config()), fmt.Sprintf(format, refused), fmt.Sprintf(format, runtime.NewError(ctx, "Q", refused)), fmt.Sprintf(format, p))
	}
	for _, text := range texts {
		if strings.Contains(text, secret) {
			t.Errorf("shown: %s", text)
		}
	}
	if !strings.Contains(log.String(), `"msg":"connection failed"`) || !strings.Contains(log.String(), `"max_conns":10`) {
		t.Errorf("logged: %s", log.String())
	}
}
