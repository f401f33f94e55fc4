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
// thread that forked ends, not the process.) $1 is the signal that asks the
// program to end, $2 the one that makes it, five seconds later; the rest is the
// program's command line. The word leave, read before, leaves it running. A test
// may have changed PATH.
const keeper = `
ask=$1; force=$2; shift 2
PATH=$PATH:/usr/bin:/bin
exec 9<&0
"$@" </dev/null 9<&- &
pid=$!
(
	if read -r word <&9 && [ "$word" = leave ]; then exit; fi
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
exit "$status"
`

// kept is a program that runs under the keeper.
type kept struct {
	gone  chan struct{} // closed when it has ended
	err   error         // how it ended, once gone is closed
	stdin io.WriteCloser
}

// keep starts a program that works in the folder and ends with this process. It
// writes to out; ask and force are the signals that end it, INT and QUIT for a
// server's fast and immediate shutdown.
func (w *workshop) keep(out *os.File, ask, force string, argv ...string) (*kept, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "keeper", ask, force}, argv...)...)
	cmd.Dir, cmd.Env = w.dir, serverEnv()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{w.life}
	w.who.apply(cmd)
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

// run runs a program to its end, or that of ctx.
func (w *workshop) run(ctx context.Context, out *os.File, argv ...string) error {
	k, err := w.keep(out, "INT", "KILL", argv...)
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

// janitor removes the folder $1 when nobody holds the other end of its standard
// input any more: neither this process nor any program that works in the folder.
const janitor = `PATH=$PATH:/usr/bin:/bin; read -r _; cd / && rm -rf "$1"`

// workshop is a temporary folder that its janitor removes.
type workshop struct {
	dir   string
	who   *identity
	life  *os.File        // keeps the janitor waiting
	swept <-chan struct{} // closed when the folder is gone
}

// newWorkshop makes a folder for programs that run as who.
func newWorkshop(who *identity) (*workshop, error) {
	dir, err := tempDir(who)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", janitor, "janitor", dir)
	cmd.Dir, cmd.Stdin = "/", r
	who.apply(cmd)
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		_ = os.RemoveAll(dir)
		return nil, err
	}
	swept := make(chan struct{})
	go func() { _ = cmd.Wait(); close(swept) }()
	return &workshop{dir: dir, who: who, life: w, swept: swept}, nil
}

// close waits until the folder is gone, which takes all programs to have ended.
// It may be called more than once.
func (w *workshop) close() error {
	_ = w.life.Close()
	select {
	case <-w.swept:
		return nil
	case <-time.After(stopTimeout):
		return fmt.Errorf("processes in %s do not end", w.dir)
	}
}

// signal sends a server the signal of a shutdown mode.
func signal(pid int, mode StopMode) error {
	return syscall.Kill(pid, map[StopMode]syscall.Signal{
		Smart: syscall.SIGTERM, Fast: syscall.SIGINT, Immediate: syscall.SIGQUIT,
	}[mode])
}

// process is a server started here.
type process struct {
	url   string
	pid   int
	log   *os.File
	stop  func() error
	leave func() error // has it stay when this process ends; stop is nothing then
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
	w, err := newWorkshop(who)
	if err != nil {
		return nil, err
	}
	p := &process{stop: w.close}
	if err := p.start(ctx, w, bin, opts); err != nil {
		log := p.logFrom(0)
		_ = p.stop()
		if log != "" {
			return nil, fmt.Errorf("start %s: %w; its log:\n%s", filepath.Join(bin, "postgres"), err, log)
		}
		return nil, fmt.Errorf("start %s: %w", filepath.Join(bin, "postgres"), err)
	}
	return p, nil
}

func (p *process) start(ctx context.Context, w *workshop, bin string, opts Options) error {
	data := filepath.Join(w.dir, "data")
	if err := initdb(ctx, w, bin, data); err != nil {
		return err
	}
	var err error
	// Kept open here: the log can be read after the folder is gone.
	if p.log, err = os.OpenFile(filepath.Join(w.dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return err
	}
	args := []string{
		filepath.Join(bin, "postgres"), "-D", data, "-k", w.dir,
		"-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_wal_size=256MB", "-c", "checkpoint_timeout=1h", "-c", "autovacuum=off", "-c", "max_connections=300", "-c", "shared_buffers=64MB",
		"-c", "log_line_prefix=%m [%p] %d ", "-c", "log_min_messages=warning", "-c", "log_destination=stderr",
		"-c", "logging_collector=off", "-c", "log_timezone=UTC", "-c", "timezone=UTC",
	}
	for name, value := range opts.Settings {
		args = append(args, "-c", name+"="+value)
	}
	k, err := w.keep(p.log, "INT", "QUIT", args...)
	if err != nil {
		return err
	}
	p.stop = func() error {
		if err := k.end(); err != nil {
			return fmt.Errorf("server %d: %w", p.pid, err)
		}
		_ = p.log.Close()
		return w.close()
	}
	p.leave = func() error {
		p.stop = func() error { return nil }
		_, err := io.WriteString(k.stdin, "leave\n")
		return err
	}
	p.url = socketURL(w.dir)
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
	for _, parent := range [...]string{inMemory(), os.TempDir(), "/tmp", "/var/tmp"} {
		if parent == "" || len(parent) > 60 || who.credential != nil && !reachable(parent) {
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
