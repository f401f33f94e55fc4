//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// keeper is the shell script that runs a program for us. It ends the program
// when its standard input is closed, which the kernel does when our process
// ends, in whatever way; so no window is left in which a server has nobody to
// end it. (A parent-death signal would be Linux alone, and is sent when the
// thread that forked ends, not the process.) $1 is the folder to remove at the
// end, "" for none; $2 the signal that asks the program to end, $3 the one that
// makes it, five seconds later; the rest is the program's command line. A test may
// have changed PATH.
const keeper = `
dir=$1; ask=$2; force=$3; shift 3
PATH=$PATH:/usr/bin:/bin
exec 9<&0
"$@" </dev/null 9<&- &
pid=$!
(
	read -r _ <&9
	kill -"$ask" "$pid" 2>/dev/null
	n=0
	while [ "$n" -lt 50 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; n=$((n+1)); done
	kill -"$force" "$pid" 2>/dev/null
) &
watch=$!
exec 9<&-
wait "$pid"
status=$?
kill "$watch" 2>/dev/null
if [ -n "$dir" ]; then cd / && rm -rf "$dir"; fi
exit "$status"
`

// kept is a program that runs under the keeper.
type kept struct {
	gone  chan struct{} // closed when it has ended
	err   error         // how it ended, once gone is closed
	stdin io.Closer
}

// program is what keep runs.
type program struct {
	who        *identity
	dir        string   // its working folder
	out        *os.File // gets what it writes
	remove     string   // the folder to remove when it has ended, or ""
	ask, force string   // the signals that end it; "INT" and "QUIT" for a server
	life       *os.File // held open by it and its children, if not nil
	argv       []string
}

// keep starts a program that ends with this process.
func keep(p program) (*kept, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "keeper", p.remove, p.ask, p.force}, p.argv...)...)
	cmd.Dir, cmd.Env = p.dir, serverEnv()
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if p.life != nil {
		cmd.ExtraFiles = []*os.File{p.life}
	}
	p.who.apply(cmd)
	// A session of its own: a Ctrl-C at the terminal is ours to answer.
	cmd.SysProcAttr.Setsid = true
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	k := &kept{gone: make(chan struct{}), stdin: stdin}
	go func() { k.err = cmd.Wait(); close(k.gone) }()
	return k, nil
}

// end asks the program to end, insists after five seconds and waits for it.
func (k *kept) end() error {
	_ = k.stdin.Close()
	select {
	case <-k.gone:
		return nil
	case <-time.After(30 * time.Second):
		return errors.New("it does not stop")
	}
}

// running reports whether the program has not ended.
func (k *kept) running() bool {
	select {
	case <-k.gone:
		return false
	default:
		return true
	}
}

// run runs a program to its end, or that of ctx.
func run(ctx context.Context, p program) error {
	k, err := keep(p)
	if err != nil {
		return err
	}
	select {
	case <-k.gone:
		return k.err
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), k.end())
	}
}

// janitor removes the folder $1 when nobody holds the other end of its standard
// input any more: neither this process nor any of a cluster's servers.
const janitor = `PATH=$PATH:/usr/bin:/bin; read -r _; cd / && rm -rf "$1"`

// startJanitor returns what keeps the janitor from removing dir, to be handed
// to every program that works in dir, and a channel that is closed when dir is
// gone.
func startJanitor(who *identity, dir string) (life *os.File, gone <-chan struct{}, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", janitor, "janitor", dir)
	cmd.Dir, cmd.Stdin = "/", r
	who.apply(cmd)
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return nil, nil, err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	return w, done, nil
}

// signal sends a server the signal of a shutdown mode.
func signal(pid int, mode StopMode) error {
	return syscall.Kill(pid, map[StopMode]syscall.Signal{
		Smart: syscall.SIGTERM, Fast: syscall.SIGINT, Immediate: syscall.SIGQUIT,
	}[mode])
}

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
	bin, err := binaries(ctx, who, opts.BinDir)
	if err != nil {
		return nil, err
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
	k, err := keep(program{who: who, dir: p.dir, out: p.log, remove: p.dir, ask: "INT", force: "QUIT", argv: args})
	if err != nil {
		return err
	}
	p.stop = func() error {
		if err := k.end(); err != nil {
			return fmt.Errorf("server %d: %w", p.pid, err)
		}
		_ = p.log.Close()
		return nil
	}
	p.url = socketURL(p.dir)
	if err := waitReady(ctx, p.url, k.gone); err != nil {
		return err
	}
	p.pid, err = postmasterPID(data)
	return err
}

func (p *process) logFrom(offset int64) string { return tail(p.log, offset) }

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

// own makes the user own a file or folder.
func (who *identity) own(path string) error {
	if who.credential == nil {
		return nil
	}
	return os.Lchown(path, int(who.credential.Uid), int(who.credential.Gid))
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
		return dir, who.own(dir)
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
