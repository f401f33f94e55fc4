package pool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The defaults of [Standbys].
const (
	DefaultMaxLag        = 10 * time.Second
	DefaultWait          = 100 * time.Millisecond
	DefaultCheckInterval = time.Second
)

// resolve fills in the defaults, those of the pool's config among them.
func (s Standbys) resolve(config Config) (*Standbys, error) {
	switch {
	case s.CheckInterval < 0:
		return nil, fmt.Errorf("Standbys.CheckInterval is %v, must be positive", s.CheckInterval)
	case s.MaxConns < 0:
		return nil, fmt.Errorf("Standbys.MaxConns is %d, must be at least 1", s.MaxConns)
	}
	set := func(d *time.Duration, fallback time.Duration) {
		if *d == 0 {
			*d = fallback
		}
	}
	set(&s.MaxLag, DefaultMaxLag)
	set(&s.Wait, DefaultWait)
	set(&s.CheckInterval, DefaultCheckInterval)
	if s.MaxConns == 0 {
		s.MaxConns = config.MaxConns
	}
	if s.MinConns == 0 {
		s.MinConns = min(config.MinConns, s.MaxConns)
	}
	if s.MinConns = max(s.MinConns, 0); s.MinConns > s.MaxConns {
		return nil, fmt.Errorf("Standbys.MinConns is %d, more than MaxConns, %d", s.MinConns, s.MaxConns)
	}
	return &s, nil
}

// endpoint is a server as the DSN names it, with the ways to reach it: sslmode
// prefer and allow give two.
type endpoint struct {
	host string
	port uint16
	ways []*pgconn.FallbackConfig
}

func (e *endpoint) String() string {
	if network, address := pgconn.NetworkAddress(e.host, e.port); network == "unix" {
		return address
	}
	return net.JoinHostPort(e.host, strconv.Itoa(int(e.port)))
}

// endpoints returns the servers that config names, in its order.
func endpoints(config *pgconn.Config) []*endpoint {
	var all []*endpoint
	add := func(way *pgconn.FallbackConfig) {
		for _, e := range all {
			if e.host == way.Host && e.port == way.Port {
				e.ways = append(e.ways, way)
				return
			}
		}
		all = append(all, &endpoint{host: way.Host, port: way.Port, ways: []*pgconn.FallbackConfig{way}})
	}
	add(&pgconn.FallbackConfig{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig})
	for _, way := range config.Fallbacks {
		add(way)
	}
	return all
}

// reach makes config name the servers given, in this order.
func reach(config *pgconn.Config, servers ...*endpoint) {
	config.Fallbacks = nil
	for _, e := range servers {
		config.Fallbacks = append(config.Fallbacks, e.ways...)
	}
	first := config.Fallbacks[0]
	config.Host, config.Port, config.TLSConfig = first.Host, first.Port, first.TLSConfig
	config.Fallbacks = config.Fallbacks[1:]
}

// writable makes the connections of config go to a server that takes writes,
// where there are several to choose from: what libpq calls
// target_session_attrs=read-write, and what a pool that writes wants of a list
// of servers. With standbys it is asked of a single one too. The word of the
// DSN, in params, counts, unless it asks for a server that takes no writes.
func writable(params map[string]string, config *pgxpool.Config, standbys bool) error {
	pg := &config.ConnConfig.Config
	several := len(endpoints(pg)) > 1
	if !several && !standbys {
		return nil
	}
	asked := params["target_session_attrs"] != "" || os.Getenv("PGTARGETSESSIONATTRS") != ""
	is := func(f pgconn.ValidateConnectFunc) bool {
		return reflect.ValueOf(pg.ValidateConnect).Pointer() == reflect.ValueOf(f).Pointer()
	}
	switch {
	case pg.ValidateConnect == nil:
		if asked && !standbys {
			return nil // any
		}
	case is(pgconn.ValidateConnectTargetSessionAttrsReadWrite):
	case is(pgconn.ValidateConnectTargetSessionAttrsReadOnly),
		is(pgconn.ValidateConnectTargetSessionAttrsStandby),
		is(pgconn.ValidateConnectTargetSessionAttrsPreferStandby):
		if standbys {
			return errors.New("target_session_attrs asks for a server that takes no writes, where Standbys needs the primary: leave it out")
		}
		return nil
	default: // primary, or somebody's own
		return nil
	}
	pg.ValidateConnect = takesWrites
	return nil
}

// takesWrites is target_session_attrs=read-write, without a round trip where
// the server has told by itself (from version 14 on).
func takesWrites(ctx context.Context, pg *pgconn.PgConn) error {
	switch standby, readOnly := pg.ParameterStatus("in_hot_standby"), pg.ParameterStatus("default_transaction_read_only"); {
	case standby == "" || readOnly == "":
		return pgconn.ValidateConnectTargetSessionAttrsReadWrite(ctx, pg)
	case standby == "on" || readOnly == "on":
		return pgconn.ErrReadOnlyConnection
	}
	return nil
}

// Role is what a server does.
type Role uint8

// The roles.
const (
	// RoleUnknown is that of a server that does not answer.
	RoleUnknown Role = iota
	// RolePrimary is that of a server that writes its own log.
	RolePrimary
	// RoleStandby is that of one that replays another's.
	RoleStandby
)

// String returns the role in lower case.
func (r Role) String() string { return nameOf([]string{"unknown", "primary", "standby"}, int(r)) }

// Fallback is a reason why a read that went to a standby was done on the
// primary in the end.
type Fallback uint8

// The reasons.
const (
	// FallbackBehind is a write of the read's session that the standby had not
	// replayed within [Standbys].Wait.
	FallbackBehind Fallback = iota
	// FallbackTimeline is a standby that is not known to follow the timeline
	// that the session's last write went to.
	FallbackTimeline
	// FallbackConflict is a read that stood in the way of the standby's replay,
	// which cancelled it.
	FallbackConflict
	// FallbackLost is a connection that broke, or that the standby ended.
	FallbackLost
	// FallbackUnreachable is a connection that could not be made, or not in time.
	FallbackUnreachable
	// FallbackRefused is a statement that the standby could not run: since it is
	// one, since the schema of the primary has not come to it yet, or since it
	// was out of something.
	FallbackRefused

	fallbacks
)

// String returns the reason in lower case.
func (f Fallback) String() string {
	return nameOf([]string{"behind", "timeline", "conflict", "lost", "unreachable", "refused"}, int(f))
}

// Host is what is known of one server of the DSN, as of the last look at it.
type Host struct {
	// Address is the server as the DSN names it, host:port or the path of a
	// socket.
	Address string
	// Checked is when it last answered, or failed to with Err; zero if it was
	// not looked at yet.
	Checked time.Time
	Err     error
	// Role, System (the system identifier), Timeline and Position are what it
	// said: the position up to which a primary has flushed its log, or a standby
	// has replayed it. They are zero with an Err. Of a standby the timeline is
	// the newest that it is known to follow; it may lag behind the truth until
	// the standby's next restartpoint where the pool's role may not read
	// pg_stat_wal_receiver (pg_read_all_stats may).
	Role     Role
	System   uint64
	Timeline uint32
	Position LSN
	// Lag is for how long the standby has not shown what the primary has: 0 if
	// it has replayed all that the primary had at the last look, negative if
	// that is not known.
	Lag time.Duration
	// Reads says that reads go to it; if not, Why says what keeps them off.
	Reads bool
	Why   string
	// Done counts the reads that were sent to it, Fallbacks those that were
	// done on the primary after all, by reason.
	Done      int64
	Fallbacks map[Fallback]int64
	// Conns is the state of the connections that reads use. It is zero while the
	// server is no standby.
	Conns Stats
}

// server is one server, as reads see it.
type server struct {
	endpoint
	kick chan struct{} // asks for a look at once

	usable  atomic.Bool
	failed  atomic.Int64            // when a read failed on it, in Unix nanoseconds
	backend atomic.Pointer[backend] // nil while it is no standby
	inUse   atomic.Int32

	// The furthest it was seen to have replayed: a hint, as it may have been
	// started again since.
	timeline atomic.Uint32
	replayed atomic.Uint64
	lag      atomic.Int64 // when it was looked at, in nanoseconds

	done      atomic.Int64
	fallbacks [fallbacks]atomic.Int64

	// Guarded by the monitor's mu.
	seen       sighting
	superseded bool // it is a primary that a promotion left behind
}

// reserve takes one of the host's connections, if not all of most are taken.
func (h *server) reserve(most int) bool {
	if int(h.inUse.Add(1)) <= most {
		return true
	}
	h.inUse.Add(-1)
	return false
}

// fail keeps reads off the host until the monitor has seen it well, which is
// asked to look.
func (h *server) fail() {
	h.failed.Store(time.Now().UnixNano())
	if h.usable.Swap(false) {
		h.ask()
	}
}

// ask has the monitor look at the host at once.
func (h *server) ask() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// Hosts returns what is known of the servers of the DSN, in its order; nil
// without [Config].Standbys.
func (p *Pool) Hosts() []Host {
	if p.monitor == nil {
		return nil
	}
	return p.monitor.report()
}
