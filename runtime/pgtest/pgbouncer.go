package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PgBouncerOptions steer [StartPgBouncer].
type PgBouncerOptions struct {
	// URL leads to the server that stands behind, as a *[DB], a [Database] or a
	// [Node] gives it.
	URL string
	// PoolMode is "session", "transaction" or "statement". Default
	// "transaction".
	PoolMode string
	// PoolSize is the number of connections to the server, for each database and
	// user. Default 20, PgBouncer's own.
	PoolSize int
	// Settings are further ones of the section [pgbouncer]; they win over ours.
	Settings map[string]string
}

// PgBouncer is a running PgBouncer.
type PgBouncer struct {
	// URL leads through it to the database of [PgBouncerOptions].URL, by a Unix
	// socket.
	URL string
	// AdminURL leads to its console, which answers SHOW POOLS and the like in
	// the simple protocol.
	AdminURL string
	// Version is its own version text, such as "1.18.0".
	Version string

	workshop *workshop
	keeper   *kept
	log      *os.File
}

// ErrNoPgBouncer is returned where there is no PgBouncer to start. Nothing is
// fetched for it: the package of the system has it.
var ErrNoPgBouncer = errors.New("no pgbouncer on PATH, in /usr/sbin, /usr/local/sbin or /opt/homebrew/bin: install the package pgbouncer (Debian, Ubuntu, Alpine: the same name; macOS: brew install pgbouncer)")

// findPgBouncer returns the program's path.
func findPgBouncer() (string, error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil && filepath.IsAbs(path) {
		return path, nil
	}
	for _, dir := range [...]string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"} {
		if path := filepath.Join(dir, "pgbouncer"); exists(path) {
			return path, nil
		}
	}
	return "", ErrNoPgBouncer
}

// StartPgBouncer starts a PgBouncer before a server. Any role the server lets in
// is let in without a password, if that of the URL may read pg_shadow, else that
// one alone. It ends with [PgBouncer.Stop], at the latest with this process, and
// leaves no file. The context bounds the start alone.
func StartPgBouncer(ctx context.Context, options PgBouncerOptions) (*PgBouncer, error) {
	target, err := pgx.ParseConfig(options.URL)
	if err != nil {
		return nil, fmt.Errorf("pgbouncer: %w", err)
	}
	for _, f := range target.Fallbacks {
		if f.Host != target.Host || f.Port != target.Port {
			return nil, errors.New("pgbouncer: the URL names several servers, give that of one")
		}
	}
	if options.PoolMode == "" {
		options.PoolMode = "transaction"
	}
	if !slices.Contains([]string{"session", "transaction", "statement"}, options.PoolMode) {
		return nil, fmt.Errorf("pgbouncer: no pool mode %q", options.PoolMode)
	}
	path, err := findPgBouncer()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	w, err := newWorkshop(who)
	if err != nil {
		return nil, err
	}
	b := &PgBouncer{workshop: w}
	if err := b.start(ctx, path, target, options); err != nil {
		log := strings.TrimSpace(tail(b.log, 0))
		_ = b.Stop()
		if log != "" {
			err = fmt.Errorf("%w; its log:\n%s", err, log)
		}
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return b, nil
}

// EnvRequirePgBouncer is the environment variable by which [NewPgBouncer] fails a
// test for want of a PgBouncer, if it is not empty, where it would skip it.
const EnvRequirePgBouncer = "DBGEN_TEST_REQUIRE_PGBOUNCER"

// NewPgBouncer is [StartPgBouncer] for a test: the PgBouncer ends with it, and any
// failure to start ends the test. Where there is no PgBouncer the test is skipped,
// with how to get one as the reason, or fails, as [EnvRequirePgBouncer] says. When
// the test fails, the last that the PgBouncer logged is shown.
func NewPgBouncer(t testing.TB, options PgBouncerOptions) *PgBouncer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	b, err := StartPgBouncer(ctx, options)
	if errors.Is(err, ErrNoPgBouncer) && os.Getenv(EnvRequirePgBouncer) == "" {
		t.Skipf("pgtest: %v", err)
	}
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			if log := lastLines(b.Log(), 40); log != "" {
				t.Logf("PgBouncer %s, %s, logged:\n%s", b.Version, b.URL, log)
			}
		}
		if err := b.Stop(); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return b
}

// bouncerPort names the socket; nothing listens on a TCP port.
const bouncerPort = "6432"

func (b *PgBouncer) start(ctx context.Context, path string, target *pgx.ConnConfig, options PgBouncerOptions) error {
	who, dir := b.workshop.who, b.workshop.dir
	version := exec.CommandContext(ctx, path, "--version")
	who.apply(version)
	out, err := version.Output()
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(out), "\n")
	b.Version = strings.TrimPrefix(strings.TrimSpace(first), "PgBouncer ")

	users := fmt.Sprintf("%s %s\n", bouncerQuote(target.User), bouncerQuote(target.Password))
	if err := who.write(filepath.Join(dir, "users"), []byte(users)); err != nil {
		return err
	}
	settings := map[string]string{
		"listen_addr": "", "listen_port": bouncerPort, "unix_socket_dir": dir,
		"auth_type": "trust", "auth_file": filepath.Join(dir, "users"), "auth_user": target.User, "admin_users": target.User,
		"pool_mode": options.PoolMode, "max_client_conn": "1000", "log_connections": "0", "log_disconnections": "0",
	}
	if options.PoolSize > 0 {
		settings["default_pool_size"] = strconv.Itoa(options.PoolSize)
	}
	if target.TLSConfig != nil {
		settings["server_tls_sslmode"] = "require"
		if slices.ContainsFunc(target.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.TLSConfig == nil }) {
			settings["server_tls_sslmode"] = "prefer"
		}
	}
	maps.Copy(settings, options.Settings)
	var text strings.Builder
	fmt.Fprintf(&text, "[databases]\n* = host=%s port=%d\n[pgbouncer]\n", target.Host, target.Port)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = %s\n", name, settings[name])
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	if err := who.write(config, []byte(text.String())); err != nil {
		return err
	}
	if b.log, err = os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return err
	}
	b.keeper, err = b.workshop.keep(b.log, "TERM", "KILL", path, config)
	if err != nil {
		return err
	}
	to := func(database string) string {
		u := url.URL{Scheme: "postgres", User: url.UserPassword(target.User, target.Password), Path: "/" + database}
		if target.Password == "" {
			u.User = url.User(target.User)
		}
		u.RawQuery = url.Values{"host": {dir}, "port": {bouncerPort}, "sslmode": {"disable"}}.Encode()
		return u.String()
	}
	b.URL, b.AdminURL = to(target.Database), to("pgbouncer")
	return waitReady(ctx, b.URL, b.keeper.gone)
}

// bouncerQuote writes a string of PgBouncer's user list.
func bouncerQuote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// Log returns the last (at most 64 KiB) that PgBouncer logged, "" once it is
// stopped.
func (b *PgBouncer) Log() string { return tail(b.log, 0) }

// Stop ends PgBouncer, and the connections through it, and removes its files.
// It may be called more than once.
func (b *PgBouncer) Stop() error {
	if b.keeper != nil {
		if err := b.keeper.end(); err != nil {
			return fmt.Errorf("pgbouncer: %w", err)
		}
	}
	if b.log != nil {
		_ = b.log.Close()
	}
	return b.workshop.close()
}
