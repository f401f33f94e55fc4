//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// keeper is the shell script that runs the server. It ends the server when its
// standard input is closed, which the kernel does when our process ends, in
// whatever way; so no window is left in which a server has nobody to end it.
// (A parent-death signal would be Linux alone, and is sent when the thread that
// forked ends, not the process.) $1 is the folder to remove, the rest the
// server's command line. SIGINT is PostgreSQL's fast shutdown, SIGQUIT its
// immediate one.
const keeper = `
dir=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
pid=$!
(
	read -r _ <&3
	kill -INT "$pid" 2>/dev/null
	n=0
	while [ "$n" -lt 50 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; n=$((n+1)); done
	kill -QUIT "$pid" 2>/dev/null
) &
watch=$!
exec 3<&-
wait "$pid"
kill "$watch" 2>/dev/null
cd / && rm -rf "$dir"
`

// process is a server started here.
type process struct {
	url  string
	pid  int
	dir  string
	log  *os.File
	stop func() error
}

// launch finds binaries, makes a cluster in a new temporary folder and starts a
// server on it.
func launch(ctx context.Context, opts Options) (*process, error) {
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	bin, tried := findBinaries(ctx, who, opts.BinDir)
	if bin == "" && opts.BinDir == "" && os.Getenv(EnvBinDir) == "" {
		if bin, err = fetchBinaries(); err == nil {
			err = tryBinaries(ctx, who, bin)
		}
		if err != nil {
			bin, tried = "", append(tried, "embedded-postgres: "+err.Error())
		}
	}
	if bin == "" {
		return nil, &noServerError{tried}
	}
	dir, err := tempDir(who)
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir}
	if err := p.start(ctx, who, bin, opts); err != nil {
		log := p.logFrom(0)
		if p.stop != nil {
			_ = p.stop()
		}
		_ = os.RemoveAll(dir)
		if log != "" {
			return nil, fmt.Errorf("start %s: %w; its log:\n%s", filepath.Join(bin, "postgres"), err, log)
		}
		return nil, fmt.Errorf("start %s: %w", filepath.Join(bin, "postgres"), err)
	}
	return p, nil
}

func (p *process) start(ctx context.Context, who *identity, bin string, opts Options) error {
	data := filepath.Join(p.dir, "data")
	if err := initdb(ctx, who, bin, p.dir, data); err != nil {
		return err
	}
	var err error
	// Kept open here: the log can be read after the folder is gone.
	if p.log, err = os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return err
	}
	args := []string{
		"-c", keeper, "keeper", p.dir,
		filepath.Join(bin, "postgres"), "-D", data, "-k", p.dir,
		"-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_wal_size=4GB", "-c", "checkpoint_timeout=1h", "-c", "autovacuum=off", "-c", "max_connections=300", "-c", "shared_buffers=64MB",
		"-c", "log_line_prefix=%m [%p] %d ", "-c", "log_min_messages=warning", "-c", "log_destination=stderr",
		"-c", "logging_collector=off", "-c", "log_timezone=UTC", "-c", "timezone=UTC",
	}
	for name, value := range opts.Settings {
		args = append(args, "-c", name+"="+value)
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir, cmd.Env = p.dir, serverEnv()
	cmd.Stdout, cmd.Stderr = p.log, p.log
	who.apply(cmd)
	// A session of its own: a Ctrl-C at the terminal is ours to answer.
	cmd.SysProcAttr.Setsid = true
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	p.stop = func() error {
		_ = stdin.Close()
		select {
		case <-gone:
			_ = p.log.Close()
			return nil
		case <-time.After(30 * time.Second):
			return fmt.Errorf("server %d does not stop", p.pid)
		}
	}
	p.url = "postgres://postgres@/postgres?" + url.Values{"host": {p.dir}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
	if err := waitReady(ctx, p.url, gone); err != nil {
		return err
	}
	p.pid, err = postmasterPID(data)
	return err
}

// initdb makes the cluster, with C.UTF-8 where the machine has it and C
// elsewhere: both sort by code point, so results agree between machines.
func initdb(ctx context.Context, who *identity, bin, dir, data string) error {
	var last error
	for _, locale := range [...]string{"C.UTF-8", "C"} {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust",
			"-E", "UTF8", "--locale="+locale, "--no-sync", "--no-instructions")
		cmd.Dir, cmd.Env = dir, serverEnv()
		who.apply(cmd)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		last = fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
		if err := os.RemoveAll(data); err != nil {
			return err
		}
	}
	return last
}

// serverEnv is our environment without what would steer PostgreSQL or its
// locale.
func serverEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") && !strings.HasPrefix(entry, "LC_") && !strings.HasPrefix(entry, "LANG") {
			env = append(env, entry)
		}
	}
	return append(env, "LC_ALL=C")
}

func waitReady(ctx context.Context, dsn string, gone <-chan struct{}) error {
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-gone:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func postmasterPID(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// logFrom returns the log from an offset on, at most its last 64 KiB.
func (p *process) logFrom(offset int64) string {
	if p.log == nil {
		return ""
	}
	info, err := p.log.Stat()
	if err != nil {
		return ""
	}
	offset = max(offset, info.Size()-64<<10)
	text, err := io.ReadAll(io.NewSectionReader(p.log, offset, info.Size()-offset))
	if err != nil {
		return ""
	}
	return string(text)
}

// identity is the user a server runs as; a nil credential is ourselves.
type identity struct{ credential *syscall.Credential }

// unprivileged returns ourselves, or, since PostgreSQL refuses to run as root,
// the user postgres or else nobody.
func unprivileged() (*identity, error) {
	if os.Geteuid() != 0 {
		return &identity{}, nil
	}
	for _, name := range [...]string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &identity{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func (who *identity) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who.credential}
}

// tempDir makes a folder that who owns and can reach, short enough for a socket
// (the address of one holds 104 bytes on the BSDs).
func tempDir(who *identity) (string, error) {
	for _, parent := range [...]string{os.TempDir(), "/tmp", "/var/tmp"} {
		if len(parent) > 60 || who.credential != nil && !reachable(parent) {
			continue
		}
		dir, err := os.MkdirTemp(parent, "pgtest-")
		if err != nil {
			continue
		}
		if who.credential == nil {
			return dir, nil
		}
		if err := os.Chown(dir, int(who.credential.Uid), int(who.credential.Gid)); err != nil {
			return "", err
		}
		return dir, nil
	}
	return "", errors.New("no temporary folder that the server's user can reach")
}

// reachable reports whether any user may pass through dir and all above it.
func reachable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
