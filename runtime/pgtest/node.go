package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// StopMode says how [Node.Stop] ends a server, as pg_ctl's -m does.
type StopMode int

// The modes.
const (
	// Smart waits until all clients have gone.
	Smart StopMode = iota
	// Fast rolls open transactions back and ends the sessions.
	Fast
	// Immediate ends all processes at once, as a crash would; the next start
	// recovers from the log.
	Immediate
)

// Node is a server of a [Cluster].
type Node struct {
	cluster *Cluster
	name    string
	dir     string // its own: the socket, data, postgresql.conf, log
	log     *os.File

	followed atomic.Int64 // the timeline of the primary it followed last

	turn     chan struct{} // held by the method that changes what follows
	settings map[string]string
	primary  *Node // whom it follows, nil for a primary

	mu     sync.Mutex
	server *kept // nil before the first start
	pid    int
}

// stopTimeout bounds a stop where nothing else does.
const stopTimeout = 30 * time.Second

func newNode(c *Cluster, name string) (*Node, error) {
	n := &Node{cluster: c, name: name, dir: filepath.Join(c.workshop.dir, name), turn: make(chan struct{}, 1), settings: map[string]string{}}
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return nil, err
	}
	if err := c.workshop.who.own(n.dir); err != nil {
		return nil, err
	}
	var err error
	// Kept open here: the log can be read after the folder is gone.
	n.log, err = os.OpenFile(filepath.Join(n.dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	return n, err
}

// Name is the node's name, which its connection to its primary shows in
// pg_stat_replication as application_name.
func (n *Node) Name() string { return n.name }

// DataDir is the folder of the node's data.
func (n *Node) DataDir() string { return filepath.Join(n.dir, "data") }

// URL leads to the maintenance database of this node.
func (n *Node) URL() string { return socketURL(n.dir) }

// Log returns the last (at most 64 KiB) that the node's servers logged, "" once
// the cluster is closed.
func (n *Node) Log() string { return tail(n.log, 0) }

// Running reports whether the node's server runs.
func (n *Node) Running() bool { return n.running() != nil }

func (n *Node) running() *kept {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil || !n.server.running() {
		return nil
	}
	return n.server
}

// PID is the process id of the node's server, 0 if it does not run.
func (n *Node) PID() int {
	if n.running() == nil {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pid
}

// Conn returns a new connection to the node's maintenance database, which the
// caller closes.
func (n *Node) Conn(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, n.URL())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name, err)
	}
	return conn, nil
}

// ask runs a query of one row on a connection of its own.
func (n *Node) ask(ctx context.Context, sql string, to ...any) error {
	if !n.Running() {
		return fmt.Errorf("%s: not running", n.name)
	}
	conn, err := n.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, sql).Scan(to...); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	return nil
}

// until asks again and again until the answer is true.
func (n *Node) until(ctx context.Context, what, sql string) error {
	for {
		var ok bool
		err := n.ask(ctx, sql, &ok)
		if err == nil && ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s: %w, waiting until %s", n.name, context.Cause(ctx), what), err)
		case <-time.After(10 * time.Millisecond):
		}
		if !n.Running() {
			return fmt.Errorf("%s: the server ended; its log:\n%s", n.name, lastLines(n.Log(), 20))
		}
	}
}

// lock makes the methods that change a node wait for each other.
func (n *Node) lock(ctx context.Context) error {
	select {
	case n.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", n.name, context.Cause(ctx))
	}
}

func (n *Node) unlock() { <-n.turn }

// Start starts the node's server on the data it has, as a primary or a standby
// as it was, and returns when it lets clients in. It is an error if it runs.
func (n *Node) Start(ctx context.Context) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	return n.start(ctx)
}

func (n *Node) start(ctx context.Context) error {
	if n.Running() {
		return fmt.Errorf("%s: runs already", n.name)
	}
	if err := n.configure(); err != nil {
		return err
	}
	k, err := n.cluster.workshop.keep(n.log, "INT", "QUIT",
		filepath.Join(n.cluster.bin, "postgres"), "-D", n.DataDir(), "-c", "config_file="+n.configFile())
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.server, n.pid = k, 0
	n.mu.Unlock()
	if err := waitReady(ctx, n.URL(), k.gone); err != nil {
		_ = k.end()
		return fmt.Errorf("%s: %w; its log:\n%s", n.name, err, lastLines(n.Log(), 20))
	}
	pid, err := postmasterPID(n.DataDir())
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.pid = pid
	n.mu.Unlock()
	return nil
}

// configFile is outside the data, which come from other nodes.
func (n *Node) configFile() string { return filepath.Join(n.dir, "postgresql.conf") }

// configure writes the node's configuration.
func (n *Node) configure() error {
	all := maps.Clone(n.cluster.settings)
	maps.Copy(all, n.settings)
	all["unix_socket_directories"], all["cluster_name"] = n.dir, n.name
	if n.primary != nil {
		all["primary_conninfo"] = fmt.Sprintf("host=%s port=5432 user=postgres application_name=%s", n.primary.dir, n.name)
	}
	quote := strings.NewReplacer(`'`, `''`, `\`, `\\`, "\n", `\n`)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, quote.Replace(all[name]))
	}
	// Renamed into place: a server that reloads must not see half of it.
	if err := os.WriteFile(n.configFile()+".new", []byte(text.String()), 0o600); err != nil {
		return err
	}
	if err := n.cluster.workshop.who.own(n.configFile() + ".new"); err != nil {
		return err
	}
	return os.Rename(n.configFile()+".new", n.configFile())
}

// Set changes a setting of this node alone, as its postgresql.conf would, and
// reloads it; the node keeps the setting when it is stopped, promoted and made
// to follow another. Settings that only a start can change wait for the next
// one. On a stopped node it takes effect when it starts.
func (n *Node) Set(ctx context.Context, name, value string) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	before, had := n.settings[name]
	n.settings[name] = value
	if !n.Running() {
		return nil
	}
	if err := n.reload(ctx); err != nil {
		return err
	}
	conn, err := n.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var wrong string
	err = conn.QueryRow(ctx, `SELECT f.error FROM pg_file_settings f WHERE f.name = $1 AND f.error IS NOT NULL
		AND NOT exists(SELECT FROM pg_settings s WHERE lower(s.name) = lower(f.name) AND s.pending_restart)`, name).Scan(&wrong)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err == nil: // a server would not start with it
		err = errors.New(wrong)
		delete(n.settings, name)
		if had {
			n.settings[name] = before
		}
		err = errors.Join(err, n.reload(ctx))
	}
	return fmt.Errorf("%s: set %s to %q: %w", n.name, name, value, err)
}

// reload writes the configuration and waits until the server has read it.
func (n *Node) reload(ctx context.Context) error {
	if err := n.configure(); err != nil {
		return err
	}
	var before string
	if err := n.ask(ctx, "SELECT pg_conf_load_time()::text FROM pg_reload_conf()", &before); err != nil {
		return err
	}
	// A session begun after the reload has the new time.
	return n.until(ctx, "the configuration is loaded", "SELECT pg_conf_load_time() > '"+before+"'")
}

// Stop ends the node's server and returns when it has ended; if ctx ends first,
// the server is left as it is, on its way to end. It is no error if it does not
// run.
func (n *Node) Stop(ctx context.Context, mode StopMode) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	return n.stop(ctx, mode)
}

func (n *Node) stop(ctx context.Context, mode StopMode) error {
	k := n.running()
	if k == nil {
		return nil
	}
	if mode < Smart || mode > Immediate {
		return fmt.Errorf("%s: no stop mode %d", n.name, mode)
	}
	pid := n.PID()
	if pid == 0 {
		return fmt.Errorf("%s: its process is not known", n.name)
	}
	if err := signal(pid, mode); err != nil && k.running() {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	select {
	case <-k.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w, stopping", n.name, context.Cause(ctx))
	}
}

// close ends the node's server whatever it does.
func (n *Node) close() error {
	defer n.log.Close()
	k := n.running()
	if k == nil {
		return nil
	}
	if pid := n.PID(); pid != 0 {
		_ = signal(pid, Immediate)
	}
	if err := k.end(); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	return nil
}
