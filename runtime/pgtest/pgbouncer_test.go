package pgtest_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

// In transaction mode two clients share one server connection, turn by turn.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL("CREATE TABLE t (n int)"))
	b := pgtest.NewPgBouncer(t, pgtest.PgBouncerOptions{URL: db.URL, PoolSize: 1})
	ctx := within(t)
	var pids [2]int
	for i := range pids {
		conn, err := pgx.Connect(ctx, b.URL+"&default_query_exec_mode=exec")
		must(t, err)
		defer conn.Close(ctx)
		must(t, conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pids[i]))
		var name string
		must(t, conn.QueryRow(ctx, "SELECT current_database()").Scan(&name))
		if name != db.Name {
			t.Errorf("database %s, want %s", name, db.Name)
		}
	}
	if pids[0] != pids[1] {
		t.Errorf("two clients have the server processes %v, want one", pids)
	}
	db.Exec("CREATE ROLE " + db.Name + "_other LOGIN")
	defer db.Exec("DROP ROLE " + db.Name + "_other")
	conn, err := pgx.Connect(ctx, strings.Replace(b.URL, "://postgres@", "://"+db.Name+"_other@", 1)+"&default_query_exec_mode=exec")
	must(t, err)
	var who string
	must(t, conn.QueryRow(ctx, "SELECT current_user").Scan(&who))
	if who != db.Name+"_other" {
		t.Errorf("the other role is %s", who)
	}
	must(t, conn.Close(ctx))
	if !strings.HasPrefix(b.Version, "1.") {
		t.Errorf("version %q", b.Version)
	}
	config, err := pgx.ParseConfig(b.AdminURL + "&default_query_exec_mode=simple_protocol")
	must(t, err)
	admin, err := pgx.ConnectConfig(ctx, config)
	must(t, err)
	tag, err := admin.Exec(ctx, "SHOW POOLS")
	must(t, err)
	if tag.String() != "SHOW" {
		t.Errorf("the console answers %s", tag)
	}
	must(t, admin.Close(ctx))
	must(t, b.Stop())
	must(t, b.Stop())
	if _, err := os.Stat(config.Host); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", config.Host, err)
	}
}

func TestPgBouncerRefuses(t *testing.T) {
	t.Parallel()
	pgtest.NewPgBouncer(t, pgtest.PgBouncerOptions{URL: pgtest.New(t).URL, PoolMode: "session"})
	for want, o := range map[string]pgtest.PgBouncerOptions{
		"no pool mode":    {URL: "postgres://localhost/d", PoolMode: "transactional"},
		"several servers": {URL: "postgres://a:1,b:2/d"},
		"cannot parse":    {URL: "postgres://a:port/d"},
		"nonsense":        {URL: "postgres://localhost/d", Settings: map[string]string{"pool_mode": "nonsense"}},
	} {
		b, err := pgtest.StartPgBouncer(within(t), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if err == nil {
			_ = b.Stop()
		}
	}
}

// Without the program the error says how to get it.
func TestNoPgBouncer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"} {
		if _, err := os.Stat(dir + "/pgbouncer"); err == nil {
			b := pgtest.NewPgBouncer(t, pgtest.PgBouncerOptions{URL: pgtest.New(t).URL}) // found without PATH
			must(t, b.Stop())
			return
		}
	}
	if _, err := pgtest.StartPgBouncer(within(t), pgtest.PgBouncerOptions{URL: "postgres://localhost/d"}); !errors.Is(err, pgtest.ErrNoPgBouncer) || !strings.Contains(err.Error(), "install") {
		t.Errorf("got %v", err)
	}
}
