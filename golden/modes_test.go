package golden_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/bookshop"
	"github.com/dbgen/dbgen/golden/types"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

// suite is a generated package with a call for each of its methods.
type suite struct {
	name   string
	schema pgtest.Source
	// prepare puts data into a new database.
	prepare func(t *testing.T, db *pgtest.DB)
	queries func(db runtime.DB) any
	calls   func(t *testing.T) map[string][]any
}

func suites(t *testing.T) []suite {
	t.Helper()
	files, diags := migration.Load([]string{"../testdata/bookshop/migrations"})
	if diags.HasErrors() {
		t.Fatal(&diags[0])
	}
	var texts []string
	for _, f := range files {
		texts = append(texts, f.Text)
	}
	seed, err := os.ReadFile("testdata/bookshop.sql")
	if err != nil {
		t.Fatal(err)
	}
	return []suite{
		{
			"bookshop", pgtest.SQL(append(texts, string(seed))...), func(*testing.T, *pgtest.DB) {},
			func(db runtime.DB) any { return bookshop.New(db) }, bookshopCalls,
		},
		{
			"types", pgtest.Files("types/sql/schema/*.sql"),
			func(t *testing.T, db *pgtest.DB) {
				q := types.New(db.Conn())
				calls := typesCalls(t)
				for _, name := range []string{"AddEverything", "AddPerhaps", "SetPlace"} {
					if _, err := invoke(t.Context(), q, name, calls[name]); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
			},
			func(db runtime.DB) any { return types.New(db) }, typesCalls,
		},
	}
}

// beginner is what a suite runs on.
type beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// ways are the ways to send statements: pgx's query modes on a connection, and
// the profiles of the pool.
func ways() map[string]func(t *testing.T, url string) beginner {
	out := map[string]func(t *testing.T, url string) beginner{}
	for name, mode := range modes() {
		out[name] = func(t *testing.T, url string) beginner { return open(t, url, mode) }
	}
	for name, profile := range map[string]pool.Profile{
		"pool": pool.Direct, transactionPool: pool.TransactionPooler, "pool for a preparing pooler": pool.PreparedPooler,
	} {
		out[name] = func(t *testing.T, url string) beginner {
			p, err := pool.New(t.Context(), url, pool.Config{MaxConns: 2, Profile: profile})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := p.Close(context.Background()); err != nil {
					t.Error(err)
				}
			})
			return p
		}
	}
	direct := out[transactionPool]
	out["pool behind PgBouncer"] = func(t *testing.T, url string) beginner { return direct(t, bouncer(t, url)) }
	return out
}

const transactionPool = "pool for a transaction pooler"

// bouncer starts a PgBouncer in transaction mode before a database and returns
// the way through it.
func bouncer(t *testing.T, url string) string {
	t.Helper()
	return pgtest.NewPgBouncer(t, pgtest.PgBouncerOptions{URL: url, PoolSize: 2}).URL
}

// reference is the way that the others are held against.
const reference = "cache statement"

// TestModes calls every method of two packages in every way to send statements,
// each in a transaction that is rolled back, and wants the same results. A method
// that no call finds anything with proves nothing, and fails.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, s := range suites(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T, way string) map[string][]any {
				db := pgtest.New(t, s.schema)
				s.prepare(t, db)
				return callAll(t, s, ways()[way](t, db.URL))
			}
			want := run(t, reference)
			for name, results := range want {
				for _, r := range results {
					if v := reflect.ValueOf(r); v.IsZero() {
						t.Errorf("%s found nothing: %+v", name, results)
					}
				}
			}
			for way := range ways() {
				if way == reference {
					continue
				}
				t.Run(way, func(t *testing.T) {
					t.Parallel()
					got := run(t, way)
					for name := range want {
						if diff := cmp.Diff(want[name], got[name], same(), sameKind()); diff != "" {
							t.Errorf("%s (-%s +%s):\n%s", name, reference, way, diff)
						}
					}
				})
			}
		})
	}
}

// callAll returns the results of each method, which must not fail.
func callAll(t *testing.T, s suite, db beginner) map[string][]any {
	t.Helper()
	calls := s.calls(t)
	out := map[string][]any{}
	methods := reflect.TypeOf(s.queries(nil))
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		if name == "WithTx" || name == "InTx" {
			continue
		}
		args, ok := calls[name]
		if !ok {
			t.Errorf("%s has no call", name)
			continue
		}
		delete(calls, name)
		tx, err := db.BeginTx(t.Context(), pgx.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		results, err := invoke(t.Context(), s.queries(tx), name, args)
		if err := errors.Join(err, tx.Rollback(t.Context())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		out[name] = results
	}
	for name := range calls {
		t.Errorf("there is no method %s to call", name)
	}
	return out
}

// invoke calls a method by its name; a stream is read to its end.
func invoke(ctx context.Context, queries any, name string, args []any) ([]any, error) {
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for _, a := range args {
		in = append(in, reflect.ValueOf(a))
	}
	values := reflect.ValueOf(queries).MethodByName(name).Call(in)
	if first := values[0]; first.Kind() == reflect.Func {
		var rows []any
		for row, err := range first.Seq2() {
			if !err.IsNil() {
				return rows, err.Interface().(error)
			}
			rows = append(rows, row.Interface())
		}
		return []any{rows}, nil
	}
	last := values[len(values)-1]
	var results []any
	for _, v := range values[:len(values)-1] {
		results = append(results, v.Interface())
	}
	if err, failed := last.Interface().(error); failed {
		return results, err
	}
	return results, nil
}

// sameKind compares what differs from run to run, beside same: times near now and
// random UUIDs.
func sameKind() cmp.Option {
	now := time.Now()
	near := func(t time.Time) bool { return t.Sub(now).Abs() < 48*time.Hour }
	random := func(u pgtype.UUID) bool { return u.Valid && u.Bytes[6]>>4 == 4 }
	return cmp.Options{
		cmp.FilterValues(func(a, b time.Time) bool { return near(a) && near(b) }, cmp.Ignore()),
		cmp.FilterValues(func(a, b pgtype.UUID) bool { return random(a) && random(b) }, cmp.Ignore()),
	}
}
