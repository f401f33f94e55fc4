package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

var _ runtime.TenantDB = (*txn.TenantTx)(nil)

// Settings hold until the end of the transaction, at every level, whatever they
// contain.
func TestSettings(t *testing.T) {
	t.Parallel()
	e := open(t)
	conn := e.db.Conn()
	m := txn.New(conn, txn.Set("app.first", "default"), txn.Set("app.second", "default"))
	nasty := "x'); DROP TABLE t; -- \\' \"\n\u00e4\U0001F600\\"
	options := []txn.Option{
		txn.Set("App.Second", nasty), txn.Set("user.order", ""), txn.Set("search_path", `pg_catalog, "Odd ""name", Public`),
		txn.Set("statement_timeout", "1234ms"), txn.LockTimeout(700e6),
	}
	names := []string{"app.first", "app.second", "user.order", "search_path", "statement_timeout", "lock_timeout"}
	want := []string{"default", nasty, "", `pg_catalog, "Odd ""name", public`, "1234ms", "700ms"}
	for _, level := range []pgx.TxIsoLevel{"", pgx.RepeatableRead, pgx.Serializable} {
		err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			var got []string
			for _, name := range names {
				got = append(got, setting(ctx, tx, name))
			}
			// set_config keeps the text as it was given, SET the list as it means.
			if level == "" {
				got[3] = `pg_catalog, "Odd ""name", public`
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", level, diff)
			}
			var schemas []string
			if err := tx.QueryRow(ctx, "SELECT current_schemas(false)::text[]").Scan(&schemas); err != nil || len(schemas) != 2 {
				t.Errorf("%s: search path %q (%v)", level, schemas, err)
			}
			return nil
		}, append(options, txn.Isolation(level))...)
		if err != nil {
			t.Errorf("%s: %v", level, err)
		}
		for _, name := range names[:3] {
			var after string
			if err := conn.QueryRow(ctx, "SELECT coalesce(current_setting($1, true), '')", name).Scan(&after); err != nil || after != "" {
				t.Errorf("%s: after the transaction %s is %q (%v)", level, name, after, err)
			}
		}
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	e := open(t)
	for name, opt := range map[string]txn.Option{
		"no name": txn.Set("", "1"), "SQL": txn.Set(`a.b" = 'x'; DROP TABLE t; --`, "1"), "a dot": txn.Set("a.", "1"), "two dots": txn.Set("a..b", "1"),
		"a digit": txn.Set("1a.b", "1"), "not ASCII": txn.Set("ä.b", "1"), "isolation": txn.Set("TRANSACTION_isolation", "serializable"),
		"encoding": txn.Set("client_encoding", "SJIS"), "zero byte": txn.Set("a.b", "\x00"), "not UTF-8": txn.Set("a.b", "\xff"),
		"two lock time-outs": txn.Options{LockTimeout: 1, Settings: []txn.Setting{{"lock_timeout", "1"}}},
		"propagation":        txn.Propagation(9),
	} {
		if err := e.Run(ctx, nil, opt); !errors.Is(err, txn.ErrIncompatibleOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One the server refuses leaves nothing behind, on a single connection too.
	conn := e.db.Conn()
	for _, level := range []pgx.TxIsoLevel{"", pgx.Serializable} {
		err := txn.New(conn).Run(ctx, nil, txn.Set("work_mem", "much"), txn.Isolation(level))
		if e := runtime.AsError(err); e == nil || e.SQLState != "22023" || conn.PgConn().TxStatus() != 'I' {
			t.Errorf("%s: %v, status %c", level, err, conn.PgConn().TxStatus())
		}
	}
	if s := e.Stats(); s.Begun != 0 {
		t.Errorf("%+v", s)
	}
}

// Options that ask for more than the outer transaction gives are refused.
func TestJoinSettings(t *testing.T) {
	t.Parallel()
	e := open(t)
	nothing := func(context.Context, *txn.Tx) error { return nil }
	err := e.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		for name, opt := range map[string]txn.Option{
			"another value": txn.Set("a.b", "2"), "another setting": txn.Set("a.c", "1"), "a shorter lock time-out": txn.LockTimeout(1e9),
		} {
			if err := e.Run(ctx, nothing, opt); !errors.Is(err, txn.ErrIncompatibleOptions) {
				t.Errorf("%s: %v", name, err)
			}
		}
		return e.Run(ctx, nothing, txn.Set("A.b", "1"), txn.LockTimeout(3e9))
	}, txn.Set("a.b", "1"), txn.LockTimeout(2e9))
	if err != nil {
		t.Error(err)
	}
	// What is not asked for but a default gives way.
	m := txn.New(e.pool, txn.Set("a.b", "default"), txn.LockTimeout(1e9), txn.ResolveByXID)
	err = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if err := m.Run(ctx, nothing, txn.Set("a.b", "3")); !errors.Is(err, txn.ErrIncompatibleOptions) {
			t.Errorf("another value: %v", err)
		}
		return m.Run(ctx, nothing)
	}, txn.Set("a.b", "2"), txn.LockTimeout(2e9), txn.Report)
	if err != nil {
		t.Error(err)
	}
}

func TestPropagation(t *testing.T) {
	t.Parallel()
	e := open(t)
	no := errors.New("no")
	hooks := map[string]int{}
	err := e.Run(ctx, func(outer context.Context, tx *txn.Tx) error {
		err := e.Run(outer, func(ctx context.Context, inner *txn.Tx) error {
			inner.AfterCommit(func(context.Context) { hooks["savepoint"]++ })
			if inner != tx || inner.Info().Depth != 1 {
				t.Error("no savepoint of the outer one")
			}
			_ = insert(ctx, inner, 1)
			return no
		}, txn.PropagateSavepoint)
		if err != no {
			t.Errorf("savepoint: %v", err)
		}
		runs := 0
		err = e.Run(outer, func(ctx context.Context, inner *txn.Tx) error {
			runs++
			inner.AfterCommit(func(context.Context) { hooks["new"]++ })
			if inner == tx || inner.Info().PID == tx.Info().PID {
				t.Error("not another transaction")
			}
			// What runs within joins the new one.
			if err := e.Run(ctx, func(ctx context.Context, third *txn.Tx) error {
				if third != inner {
					t.Error("joined another one")
				}
				return insert(ctx, third, 2)
			}); err != nil {
				return err
			}
			if runs == 1 {
				_, err := inner.Exec(ctx, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
				return err
			}
			return nil
		}, txn.PropagateNew)
		if err != nil || runs != 2 || hooks["new"] != 1 {
			t.Errorf("new: %v, %d runs, %v", err, runs, hooks)
		}
		if err := insert(outer, tx, 3); err != nil {
			t.Error(err)
		}
		return no
	})
	if err != no || hooks["savepoint"] != 0 || e.count(t) != 1 {
		t.Errorf("%v, hooks %v, %d rows", err, hooks, e.count(t))
	}
	small, err := pool.New(ctx, e.db.URL, pool.Config{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close(ctx)
	for name, m := range map[string]*txn.Manager{"pool of one": txn.New(small), "connection": txn.New(e.db.Conn())} {
		err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return m.Run(ctx, nil, txn.PropagateNew) })
		if !errors.Is(err, txn.ErrIncompatibleOptions) {
			t.Errorf("%s: %v", name, err)
		}
		if err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return nil }, txn.PropagateNew); err != nil {
			t.Errorf("%s, outermost: %v", name, err)
		}
	}
}

func TestTenant(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.db.Exec(`CREATE TABLE doc (tenant text NOT NULL, id int NOT NULL);
		ALTER TABLE doc ENABLE ROW LEVEL SECURITY;
		ALTER TABLE doc FORCE ROW LEVEL SECURITY;
		CREATE POLICY own ON doc USING (tenant = current_setting('app.tenant')) WITH CHECK (tenant = current_setting('app.tenant'));
		DO $$ BEGIN EXECUTE format('CREATE ROLE %I', 'r_' || current_database()); EXECUTE format('GRANT ALL ON doc TO %I', 'r_' || current_database()); END $$`)
	var role string
	if err := e.pool.QueryRow(ctx, "SELECT 'r_' || current_database()").Scan(&role); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.db.Exec(`DO $$ BEGIN EXECUTE format('DROP OWNED BY %I', 'r_' || current_database()); EXECUTE format('DROP ROLE %I', 'r_' || current_database()); END $$`)
	})
	m := txn.New(e.pool, txn.Set("role", role))
	a, b := txn.Tenant{Setting: "app.tenant", ID: "a'; DROP TABLE doc; --"}, txn.Tenant{Setting: "app.tenant", ID: "b"}
	count := func(ctx context.Context, db runtime.TenantDB) (n int) {
		if err := runtimeScan(ctx, db, "SELECT count(*) FROM doc", &n); err != nil {
			t.Error(err)
		}
		return n
	}
	for i, level := range []pgx.TxIsoLevel{"", pgx.Serializable} {
		err := m.RunTenant(ctx, a, func(ctx context.Context, tx *txn.TenantTx) error {
			if tx.Tenant() != a.ID {
				t.Errorf("tenant is %q", tx.Tenant())
			}
			if _, err := tx.Exec(ctx, "INSERT INTO doc VALUES ($1, 1)", tx.Tenant()); err != nil {
				return err
			}
			if err := tx.Nested(ctx, func(ctx context.Context, tx *txn.TenantTx) error {
				_, err := tx.Exec(ctx, "INSERT INTO doc VALUES ('b', 1)")
				return err
			}); runtime.AsError(err) == nil || runtime.AsError(err).SQLState != "42501" {
				t.Errorf("a row of another tenant: %v", err)
			}
			if err := m.RunTenant(ctx, a, func(ctx context.Context, again *txn.TenantTx) error {
				if again.Tx != tx.Tx {
					t.Error("the same tenant did not join")
				}
				return nil
			}); err != nil {
				return err
			}
			if err := m.Run(ctx, func(ctx context.Context, joined *txn.Tx) error { return nil }); err != nil {
				return err
			}
			for name, refused := range map[string]func() error{
				"another tenant":  func() error { return m.RunTenant(ctx, b, nil) },
				"another setting": func() error { return m.Run(ctx, nil, txn.Set("APP.tenant", "b")) },
			} {
				if err := refused(); !errors.Is(err, txn.ErrIncompatibleOptions) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if n := count(ctx, tx); n != i+1 {
				t.Errorf("%d rows seen", n)
			}
			return m.RunTenant(ctx, b, func(ctx context.Context, tx *txn.TenantTx) error {
				if n := count(ctx, tx); n != 0 {
					t.Errorf("another tenant sees %d rows", n)
				}
				return nil
			}, txn.PropagateNew)
		}, txn.Isolation(level))
		if err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
	for name, refused := range map[string]func() error{
		"no id":          func() error { return m.RunTenant(ctx, txn.Tenant{Setting: "app.tenant"}, nil) },
		"no setting":     func() error { return m.RunTenant(ctx, txn.Tenant{ID: "a"}, nil) },
		"set by options": func() error { return m.RunTenant(ctx, a, nil, txn.Set("app.Tenant", "b")) },
		"within one of nobody": func() error {
			return m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return m.RunTenant(ctx, a, nil) })
		},
	} {
		if err := refused(); !errors.Is(err, txn.ErrIncompatibleOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func runtimeScan(ctx context.Context, db runtime.DB, sql string, into any) error {
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return pgx.ErrNoRows
	}
	return rows.Scan(into)
}
