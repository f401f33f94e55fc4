package golden_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/golden/tenantonly"
	"github.com/dbgen/dbgen/golden/tenants"
	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
)

// house is a database of several tenants, used by a role that owns its tables and
// that row-level security holds for all the same.
type house struct {
	pool   *pool.Pool
	m      *txn.Manager
	db     *pgtest.DB
	role   string
	config pool.Config // of pool
}

// newHouse makes a house; behind says that a PgBouncer stands before it, which
// gives its server connections to another user after each transaction.
func newHouse(t *testing.T, conns int, behind bool) *house {
	t.Helper()
	db := pgtest.New(t, pgtest.Files("tenants/sql/schema/*.sql"))
	admin := db.Conn()
	role := ""
	if err := admin.QueryRow(t.Context(), `SELECT 'house_' || substr(md5(current_database()), 1, 20)`).Scan(&role); err != nil {
		t.Fatal(err)
	}
	do := func(format string) {
		t.Helper()
		if _, err := admin.Exec(context.Background(), fmt.Sprintf(format, role), pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE ROLE %[1]s LOGIN PASSWORD '%[1]s' NOSUPERUSER NOBYPASSRLS`)
	t.Cleanup(func() { do(`REASSIGN OWNED BY %[1]s TO CURRENT_USER; DROP OWNED BY %[1]s; DROP ROLE %[1]s`) })
	do(`ALTER TABLE plans OWNER TO %[1]s; ALTER TABLE customers OWNER TO %[1]s; ALTER TABLE invoices OWNER TO %[1]s; ALTER VIEW balances OWNER TO %[1]s`)
	url, config := db.URL, pool.Config{MaxConns: conns, SearchPath: tenants.SearchPath}
	if behind {
		// A pooler does not pin the search path of a session that is not one's own.
		url, config = bouncer(t, url), pool.Config{MaxConns: conns, Profile: pool.TransactionPooler}
	}
	config.Configure = func(c *pgxpool.Config) error {
		c.ConnConfig.User, c.ConnConfig.Password = role, role
		return nil
	}
	p, err := pool.New(t.Context(), url, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	m := txn.New(p, txn.Retry(txn.RetryPolicy{MaxAttempts: 200, Base: time.Millisecond, Max: 20 * time.Millisecond}))
	return &house{p, m, db, role, config}
}

// nobody wants that whoever gets a connection next belongs to no tenant and sees
// nothing, on all connections of the pool.
func (h *house) nobody(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	var all []*pool.Conn
	for range h.pool.Stats().Max {
		c, err := h.pool.Acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Release()
		all = append(all, c)
	}
	for _, c := range all {
		whose, err := tenants.New(c).CurrentTenant(ctx)
		if err != nil || whose != "" {
			t.Errorf("a connection still belongs to %q: %v", whose, err)
		}
		for _, table := range []string{"customers", "invoices", "balances"} {
			n := 0
			if err := c.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("nobody sees %d rows of %s: %v", n, table, err)
			}
		}
	}
}

// stays wants that all rows q sees are those of one tenant.
func stays(ctx context.Context, q *tenants.TenantQueries, tenant string) error {
	whose, err := q.CurrentTenant(ctx)
	if err != nil {
		return err
	}
	if whose != tenant {
		return fmt.Errorf("in %s's transaction the tenant is %q", tenant, whose)
	}
	customers, err := q.ListCustomers(ctx)
	if err != nil {
		return err
	}
	for _, c := range customers {
		if c.TenantID != tenant {
			return fmt.Errorf("%s sees customer %+v", tenant, c)
		}
	}
	for i, err := range q.StreamInvoices(ctx) {
		if err != nil {
			return err
		}
		if i.TenantID != tenant {
			return fmt.Errorf("%s sees invoice %+v", tenant, i)
		}
	}
	return nil
}

var (
	errChanged = errors.New("changed my mind")
	errPanic   = errors.New("a bug")
)

// TestTenants has many users of three tenants add invoices over one small pool,
// numbered without a gap, so that they conflict and are repeated, while others
// fail in every way there is. Nobody ever sees a row of another tenant, and no
// connection keeps its tenant.
func TestTenants(t *testing.T) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		testTenants(t, newHouse(t, 3, false))
	})
	t.Run("behind PgBouncer", func(t *testing.T) {
		t.Parallel()
		testTenants(t, newHouse(t, 3, true))
	})
}

func testTenants(t *testing.T, h *house) {
	t.Helper()
	ctx := t.Context()
	names := []string{"acme", "b'; DROP TABLE plans; --", "ç"}
	customers := map[string]int64{}
	for i, tenant := range names {
		err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) (err error) {
			customers[tenant], err = q.CreateCustomer(ctx, "the same name")
			return errors.Join(err, q.CreatePlan(ctx, int32(i), tenant))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.nobody(t)

	const users, invoices = 4, 6
	add := func(tenant string, counted func()) error {
		return tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
			last, err := q.LastNumber(ctx)
			if err != nil {
				return err
			}
			counted()
			if err := stays(ctx, q, tenant); err != nil {
				return err
			}
			invoice, err := q.AddInvoice(ctx, tenants.AddInvoiceParams{CustomerID: customers[tenant], Number: last + 1, Total: number(t, "1.50")})
			if err == nil && invoice.TenantID != tenant {
				err = fmt.Errorf("%s got the invoice of %s", tenant, invoice.TenantID)
			}
			return err
		}, txn.Isolation(pgx.Serializable))
	}
	// Ways to fail; each gets the error that it wants.
	ways := map[string]func(ctx context.Context, tenant string) error{
		"gives up": func(ctx context.Context, tenant string) error {
			err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
				_, err := q.DeleteInvoices(ctx)
				return errors.Join(err, errChanged)
			})
			if !errors.Is(err, errChanged) {
				return fmt.Errorf("gave up: %w", err)
			}
			return nil
		},
		"statement fails": func(ctx context.Context, tenant string) error {
			err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
				_, err := q.CreateCustomer(ctx, "the same name")
				return err
			})
			if !errors.Is(err, tenants.ErrCustomersTenantIDNameKey) {
				return fmt.Errorf("a second customer of that name: %w", err)
			}
			return nil
		},
		"writes into another tenant": func(ctx context.Context, tenant string) error {
			err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
				return q.AddInvoiceOf(ctx, tenants.AddInvoiceOfParams{
					TenantID: "somebody", CustomerID: customers[tenant], Number: -1, Total: number(t, "1"),
				})
			})
			if pg := (*pgconn.PgError)(nil); !errors.As(err, &pg) || pg.Code != "42501" {
				return fmt.Errorf("a row of another tenant: %w", err)
			}
			return nil
		},
		"panics": func(ctx context.Context, tenant string) (err error) {
			defer func() {
				if r := recover(); r != any(errPanic) {
					err = fmt.Errorf("panic: %v", r)
				}
			}()
			return tenants.InTenant(ctx, h.m, tenant, func(context.Context, *tenants.TenantQueries) error { panic(errPanic) })
		},
		"is cancelled": func(ctx context.Context, tenant string) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
				time.AfterFunc(5*time.Millisecond, cancel)
				return q.Wait(ctx, 60)
			})
			if !errors.Is(err, context.Canceled) {
				return fmt.Errorf("cancelled: %w", err)
			}
			return nil
		},
		"expires": func(ctx context.Context, tenant string) error {
			err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
				return q.Wait(ctx, 60)
			}, txn.Timeout(50*time.Millisecond))
			// A busy pool may not even begin it in time.
			if !errors.Is(err, txn.ErrExpired) && !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("expired: %w", err)
			}
			return nil
		},
	}
	// Two that count before either adds cannot both commit: one is repeated.
	var wg sync.WaitGroup
	for i, tenant := range names {
		var counted sync.WaitGroup
		counted.Add(2)
		for range 2 {
			wg.Go(func() {
				once := sync.OnceFunc(func() { counted.Done(); counted.Wait() })
				if err := add(tenant, once); err != nil {
					t.Errorf("%s adds: %v", tenant, err)
				}
			})
		}
		wg.Wait()
		if s := h.m.Stats(); s.Retries <= int64(i) {
			t.Errorf("nothing was repeated: %+v", s)
		}
	}
	h.nobody(t)
	for _, tenant := range names {
		for range users {
			wg.Go(func() {
				for range invoices {
					if err := add(tenant, func() {}); err != nil {
						t.Errorf("%s adds: %v", tenant, err)
					}
				}
			})
		}
		for name, fail := range ways {
			wg.Go(func() {
				for range 3 {
					if err := fail(ctx, tenant); err != nil {
						t.Errorf("%s %s: %v", tenant, name, err)
					}
				}
			})
		}
	}
	wg.Wait()
	h.nobody(t)
	if s := h.m.Stats(); s.Active != 0 {
		t.Errorf("something goes on: %+v", s)
	}
	for _, tenant := range names {
		err := tenants.InTenant(ctx, h.m, tenant, func(ctx context.Context, q *tenants.TenantQueries) error {
			n := int32(0)
			for i, err := range q.StreamInvoices(ctx) {
				if n++; err != nil || i.Number != n {
					return fmt.Errorf("invoice %d has number %d: %w", n, i.Number, err)
				}
			}
			if n != users*invoices+2 {
				t.Errorf("%s has %d invoices", tenant, n)
			}
			balances, err := q.ListBalances(ctx)
			if err != nil || len(balances) != 1 || balances[0].ID != customers[tenant] {
				t.Errorf("%s sees the balances %+v: %v", tenant, balances, err)
			}
			plans, err := q.ListPlans(ctx)
			if err != nil || len(plans) != len(names) {
				t.Errorf("%s sees %d plans of everybody: %v", tenant, len(plans), err)
			}
			for other, id := range customers {
				found, err := q.ListCustomersOf(ctx, other)
				if err != nil || len(found) > 0 != (other == tenant) {
					return fmt.Errorf("%s asks for the customers of %s: %+v, %w", tenant, other, found, err)
				}
				renamed, err := q.RenameCustomer(ctx, "mine", id)
				if err != nil || renamed > 0 != (other == tenant) {
					return fmt.Errorf("%s renames the customer of %s: %d, %w", tenant, other, renamed, err)
				}
			}
			deleted, err := q.DeleteInvoices(ctx)
			if deleted != users*invoices+2 {
				t.Errorf("%s deletes %d invoices", tenant, deleted)
			}
			return errors.Join(err, errChanged)
		})
		if !errors.Is(err, errChanged) {
			t.Error(err)
		}
	}
	h.nobody(t)
}

// TestSearchPath puts a table in the way of another one, in a schema that is named
// after the role: with the package's search path on the pool queries mean what
// they meant when they were analysed.
func TestSearchPath(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := newHouse(t, 1, false)
	if err := tenants.New(h.pool).CreatePlan(ctx, 1, "real"); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"GRANT CREATE ON DATABASE %[1]s TO %[2]s", "CREATE SCHEMA AUTHORIZATION %[2]s", "CREATE TABLE %[2]s.plans (id int, name text)",
		"ALTER TABLE %[2]s.plans OWNER TO %[2]s", "INSERT INTO %[2]s.plans VALUES (2, 'in the way')",
	} {
		h.db.Exec(fmt.Sprintf(sql, h.db.Name, h.role))
	}
	for path, want := range map[string]string{"": "in the way", tenants.SearchPath: "real"} {
		config := h.config
		config.SearchPath = path
		p, err := pool.New(ctx, h.db.URL, config)
		if err != nil {
			t.Fatal(err)
		}
		plans, err := tenants.New(p).ListPlans(ctx)
		if err != nil || len(plans) != 1 || plans[0].Name != want {
			t.Errorf("search path %q: %+v, %v", path, plans, err)
		}
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestTenantJoins joins transactions of the same tenant, and no other.
func TestTenantJoins(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := newHouse(t, 2, false)
	add := func(ctx context.Context, name string) error {
		return tenantonly.InTenant(ctx, h.m, "a", func(ctx context.Context, q *tenantonly.Queries) error {
			_, err := q.CreateCustomer(ctx, name)
			return err
		})
	}
	err := tenants.InTenant(ctx, h.m, "a", func(ctx context.Context, q *tenants.TenantQueries) error {
		if err := add(ctx, "joined"); err != nil {
			return err
		}
		// What runs in it by InTx sees it, and belongs to the tenant.
		err := tenants.New(h.pool).InTx(ctx, h.m, func(ctx context.Context, q *tenants.Queries) error {
			if whose, err := q.CurrentTenant(ctx); err != nil || whose != "a" {
				return fmt.Errorf("joined as %q: %w", whose, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if n := h.m.Stats().Active; n != 1 {
			return fmt.Errorf("%d transactions", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = tenants.InTenant(ctx, h.m, "b", func(ctx context.Context, q *tenants.TenantQueries) error {
		if err := add(ctx, "of a"); !errors.Is(err, txn.ErrIncompatibleOptions) {
			return fmt.Errorf("a within b: %w", err)
		}
		return stays(ctx, q, "b")
	})
	if err != nil && !errors.Is(err, txn.ErrIncompatibleOptions) {
		t.Error(err)
	}
	err = tenants.New(h.pool).InTx(ctx, h.m, func(ctx context.Context, _ *tenants.Queries) error { return add(ctx, "of a") })
	if !errors.Is(err, txn.ErrIncompatibleOptions) {
		t.Errorf("a within nobody: %v", err)
	}
	if err := add(ctx, ""); err != nil {
		t.Error(err)
	}
	err = tenants.InTenant(ctx, h.m, "", func(context.Context, *tenants.TenantQueries) error { return errors.New("ran for nobody") })
	if !errors.Is(err, txn.ErrIncompatibleOptions) {
		t.Errorf("without a tenant: %v", err)
	}
	err = tenants.InTenant(ctx, h.m, "a", func(ctx context.Context, q *tenants.TenantQueries) error {
		customers, err := q.ListCustomers(ctx)
		if len(customers) != 2 {
			t.Errorf("a has %+v", customers)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	h.nobody(t)
}

// TestInTx repeats what the server gives up, joins, and leaves nothing of what
// fails.
func TestInTx(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := newHouse(t, 3, false)
	q := tenants.New(h.pool)
	plans := func(ctx context.Context, q *tenants.Queries) int {
		list, err := q.ListPlans(ctx)
		if err != nil {
			t.Error(err)
		}
		return len(list)
	}

	// Two count the plans, side by side the first time, and add one that says how
	// many there were: one of them must count again.
	var counted, wg sync.WaitGroup
	counted.Add(2)
	said := make([]int, 2)
	for i := range said {
		wg.Go(func() {
			attempts := 0
			err := q.InTx(ctx, h.m, func(ctx context.Context, q *tenants.Queries) error {
				said[i] = plans(ctx, q)
				if attempts++; attempts == 1 {
					counted.Done()
					counted.Wait()
				}
				return q.CreatePlan(ctx, int32(i), fmt.Sprintf("%d: %d", i, said[i]))
			}, txn.Isolation(pgx.Serializable))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := h.m.Stats(); said[0]+said[1] != 1 || s.Retries != 1 || s.Committed != 2 {
		t.Errorf("they counted %v: %+v", said, s)
	}

	// Within a transaction it joins that one, which is rolled back with all of it.
	err := q.InTx(ctx, h.m, func(ctx context.Context, outer *tenants.Queries) error {
		err := q.InTx(ctx, h.m, func(ctx context.Context, q *tenants.Queries) error { return q.CreatePlan(ctx, 2, "joined") })
		if n := plans(ctx, outer); err != nil || n != 3 {
			t.Errorf("%d plans, %v", n, err)
		}
		if n := plans(ctx, q); n != 2 {
			t.Errorf("%d plans outside", n)
		}
		return errChanged
	})
	if n := plans(ctx, q); !errors.Is(err, errChanged) || n != 2 {
		t.Errorf("%d plans, %v", n, err)
	}

	// The manager gives the transaction itself.
	committed := 0
	err = q.InTx(ctx, h.m, func(ctx context.Context, q *tenants.Queries) error {
		return h.m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			tx.AfterCommit(func(context.Context) { committed++ })
			failed := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
				return errors.Join(q.CreatePlan(ctx, 2, "nested"), errChanged)
			})
			if n := plans(ctx, q); !errors.Is(failed, errChanged) || n != 2 || committed != 0 {
				t.Errorf("%d plans, %d commits, %v", n, committed, failed)
			}
			return q.CreatePlan(ctx, 2, "kept")
		})
	})
	if n := plans(ctx, q); err != nil || n != 3 || committed != 1 {
		t.Errorf("%d plans, %d commits, %v", n, committed, err)
	}
	err = q.InTx(ctx, h.m, func(ctx context.Context, q *tenants.Queries) error { return q.CreatePlan(ctx, 3, "no") }, txn.ReadOnly())
	if !runtime.AsError(err).IsReadOnly() {
		t.Errorf("wrote in a read-only transaction: %v", err)
	}
}
