package pgtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ClusterOptions steer [StartCluster].
type ClusterOptions struct {
	// Standbys is the number of streaming standbys beside the primary.
	Standbys int
	// Synchronous is the number of standbys a commit waits for
	// (synchronous_standby_names = 'ANY n (…)', over all nodes, whichever is the
	// primary). Default 0: none, replication is asynchronous.
	Synchronous int
	// Settings are server settings (postgresql.conf) of every node; they come
	// after ours and so win. [Node.Set] changes those of one node.
	Settings map[string]string
	// BinDir is the folder with the binaries postgres and initdb, and
	// pg_basebackup if it has that. Default: as for [Start].
	BinDir string
}

// Cluster is a primary with streaming standbys, all started here, for tests of
// what a program does when a server fails, is demoted or lags:
//
//	cluster := pgtest.NewCluster(t, pgtest.ClusterOptions{Standbys: 2, Synchronous: 1})
//	db, err := cluster.Create(ctx, pgtest.Files("schema/*.sql"))
//	… open a pool on db.URL, and write …
//	old := cluster.Primary()
//	old.Stop(ctx, pgtest.Immediate)
//	heir, err := cluster.Successor(ctx)
//	heir.Promote(ctx)
//	old.Follow(ctx, heir)
//
// A node of a cluster keeps what it acknowledged when its processes die (fsync
// is off, so not when the machine does). All nodes end with this process, even a
// killed one, and leave no file. The methods are safe for concurrent use; those
// of one [Node] run one after the other.
type Cluster struct {
	workshop *workshop
	nodes    []*Node
	bin      string
	settings map[string]string

	mu     sync.Mutex
	server *Server // for Create, on whichever node is the primary
	closed bool
}

// StartCluster starts a cluster of its own, whatever [EnvURL] says; it returns
// when all standbys stream. The first of its nodes is the primary. The context
// bounds the start alone.
func StartCluster(ctx context.Context, options ClusterOptions) (*Cluster, error) {
	switch {
	case options.Standbys < 0 || options.Standbys > 8:
		return nil, fmt.Errorf("a cluster of %d standbys: want 0 to 8", options.Standbys)
	case options.Synchronous < 0 || options.Synchronous > options.Standbys:
		return nil, fmt.Errorf("a cluster of %d standbys of which %d are waited for", options.Standbys, options.Synchronous)
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	bin, err := binaries(ctx, who, options.BinDir)
	if err != nil {
		if none := (*noServerError)(nil); errors.As(err, &none) {
			none.cluster = true
		}
		return nil, err
	}
	w, err := newWorkshop(who)
	if err != nil {
		return nil, err
	}
	c := &Cluster{workshop: w, bin: bin}
	if err := c.start(ctx, options); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("start a cluster of %s: %w", filepath.Join(bin, "postgres"), err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, options ClusterOptions) error {
	var names []string
	for i := range options.Standbys + 1 {
		names = append(names, "node"+strconv.Itoa(i+1))
	}
	c.settings = map[string]string{
		"listen_addresses": "", "port": "5432",
		"fsync": "off", "max_wal_size": "256MB", "checkpoint_timeout": "1h", "autovacuum": "off",
		"max_connections": "200", "shared_buffers": "32MB",
		"wal_keep_size": "256MB", "wal_retrieve_retry_interval": "100ms",
		"log_line_prefix": "%m [%p] %d ", "log_min_messages": "warning", "log_destination": "stderr", "log_checkpoints": "off",
		"logging_collector": "off", "log_timezone": "UTC", "timezone": "UTC",
	}
	if options.Synchronous > 0 {
		c.settings["synchronous_standby_names"] = fmt.Sprintf("ANY %d (%s)", options.Synchronous, strings.Join(names, ", "))
	}
	for name, value := range options.Settings {
		c.settings[name] = value
	}
	for _, name := range names {
		node, err := newNode(c, name)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, node)
	}
	primary := c.nodes[0]
	// Small segments: a standby is made of few of them, and a promotion copies
	// one.
	if err := initdb(ctx, c.workshop, c.bin, primary.DataDir(), "--wal-segsize=1"); err != nil {
		return err
	}
	if err := primary.Start(ctx); err != nil {
		return err
	}
	done := make(chan error, len(c.nodes)-1)
	for _, standby := range c.nodes[1:] {
		go func() { done <- standby.Follow(ctx, primary) }()
	}
	var errs []error
	for range c.nodes[1:] {
		errs = append(errs, <-done)
	}
	return errors.Join(errs...)
}

// NewCluster is [StartCluster] for a test: the cluster ends with it, and any
// failure to start ends the test. When the test fails, the last that each node
// logged is shown.
func NewCluster(t testing.TB, options ClusterOptions) *Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c, err := StartCluster(ctx, options)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, n := range c.nodes {
				if log := lastLines(n.Log(), 40); log != "" {
					t.Logf("%s, %s, logged:\n%s", n.Name(), n.URL(), log)
				}
			}
		}
		if err := c.Close(); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return c
}

func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n-1):], "")
}

// Nodes returns the nodes, in the order of their names: node1, node2 …
func (c *Cluster) Nodes() []*Node { return append([]*Node(nil), c.nodes...) }

// URL leads to the maintenance database by the sockets of all nodes
// (host=/a,/b,/c), in the order of [Cluster.Nodes].
func (c *Cluster) URL() string {
	dirs := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		dirs[i] = n.dir
	}
	return socketURL(dirs...)
}

// askTimeout bounds what Primary and Successor ask of one node.
const askTimeout = 5 * time.Second

// Primary returns the node that says it is the primary, nil if none does. Of two
// that do, after a promotion beside a living primary, it is the one promoted
// last.
func (c *Cluster) Primary() *Node {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	var primary *Node
	var newest int64
	for _, n := range c.nodes {
		if timeline, err := n.timeline(ctx); err == nil && timeline > newest {
			primary, newest = n, timeline
		}
	}
	return primary
}

// Standbys returns the running nodes that say they are standbys.
func (c *Cluster) Standbys() []*Node {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	var standbys []*Node
	for _, n := range c.nodes {
		var recovery bool
		if err := n.ask(ctx, "SELECT pg_is_in_recovery()", &recovery); err == nil && recovery {
			standbys = append(standbys, n)
		}
	}
	return standbys
}

// Successor returns the running standby that has received most, which is the one
// to promote: a commit that waited for any n standbys is on that one, and may
// not be on another.
func (c *Cluster) Successor(ctx context.Context) (*Node, error) {
	type place struct {
		node          *Node
		timeline, lsn int64
	}
	var best place
	var errs []error
	for _, n := range c.nodes {
		p := place{node: n, timeline: n.followed.Load()}
		err := n.ask(ctx, `SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn WHERE pg_is_in_recovery()`, &p.lsn)
		if err != nil {
			errs = append(errs, err)
		} else if best.node == nil || cmp.Or(cmp.Compare(p.timeline, best.timeline), cmp.Compare(p.lsn, best.lsn)) > 0 {
			best = p
		}
	}
	if best.node == nil {
		return nil, fmt.Errorf("no standby runs: %w", errors.Join(errs...))
	}
	return best.node, nil
}

// CatchUp waits until every running standby has replayed what the primary has
// written by now.
func (c *Cluster) CatchUp(ctx context.Context) error {
	primary := c.Primary()
	if primary == nil {
		return errors.New("the cluster has no primary")
	}
	lsn, err := primary.written(ctx)
	if err != nil {
		return err
	}
	for _, standby := range c.Standbys() {
		if err := standby.replay(ctx, lsn); err != nil {
			return err
		}
	}
	return nil
}

// Create makes a new database with the given schema on the primary, as
// [Server.Create] does, and returns when the running standbys have it. Its URL
// names all nodes.
func (c *Cluster) Create(ctx context.Context, schema ...Source) (*Database, error) {
	server, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	db, err := server.Create(ctx, schema...)
	if err != nil {
		return nil, err
	}
	if err := c.CatchUp(ctx); err != nil {
		return nil, err
	}
	db.URL = withDatabase(c.URL(), db.Name)
	return db, nil
}

func (c *Cluster) open(ctx context.Context) (*Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.New("the cluster is closed")
	}
	if c.server == nil {
		s := &Server{URL: c.URL() + "&target_session_attrs=read-write", templates: map[string]*template{}, cluster: true}
		if err := s.open(ctx); err != nil {
			_ = s.Stop()
			return nil, err
		}
		c.server = s
	}
	return c.server, nil
}

// Close ends all nodes at once and removes their files. It may be called more
// than once.
func (c *Cluster) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	if c.server != nil {
		_ = c.server.Stop()
	}
	c.mu.Unlock()
	done := make(chan error, len(c.nodes))
	for _, n := range c.nodes {
		go func() { done <- n.close() }()
	}
	var errs []error
	for range c.nodes {
		errs = append(errs, <-done)
	}
	errs = append(errs, c.workshop.close())
	return errors.Join(errs...)
}
