// Package pool is a connection pool over pgxpool with what a service wants of
// one: bounds on every wait, errors that say what the pool was doing, counters
// and a histogram of waits, and connections that tell their age.
//
//	p, err := pool.New(ctx, os.Getenv("DATABASE_URL"), pool.Config{MaxConns: 20})
//	if err != nil {
//		return err
//	}
//	defer p.Close(context.Background())
//	books := bookshop.New(p)
//
// A *Pool is a runtime.DB. When the context of a statement ends, the statement
// is cancelled on the server and the connection stays in the pool.
//
// A short outage of the server, a restart or a failover, is ridden out: who needs
// a connection meanwhile waits for it, for [Config].ConnectRetry at most. A
// statement that was under way fails, and is for its caller to judge
// (runtime.SafeToRetry, package txn). Connections that break, grow old, or lead to
// a server that takes no writes any more are replaced; one that was lost, or
// unused for a second, puts the others or itself to the test before they are used.
//
// Query, Exec and the like with SQL text of one's own are the way around
// generated code: they are treated as writes, and their errors are pgx's. That of
// a statement which its context ended is the server's then (57014), and does not
// match the context's; runtime.NewError makes one that does.
//
// # Several servers
//
// A connection string may name several hosts, a primary and its standbys:
//
//	postgres://app@db1,db2,db3/shop
//
// The pool then connects to the one that takes writes, and after a failover to
// the one that does then, as with libpq's target_session_attrs=read-write, which
// may be set to something else in the connection string. A single host is taken
// as it is. A host that does not even refuse, since it lost its power or network,
// costs each new connection [Config].ConnectTimeout: let that be a few seconds
// where there are several.
//
// With [Config].Standbys, reads are sent to the standbys among the hosts: the
// queries of generated code that the generator found to write nothing, lock no
// rows and call no volatile function. All else goes to the primary, and so does
// whatever is done in a transaction or on a [Conn]. A read goes to the one of two
// standbys, taken at random, that has fewer connections in use; to the primary if
// none is near enough ([Standbys].MaxLag), or all connections to them are in use.
// Where a standby fails, or cancels a read for its replay, the read is repeated
// on the primary, once, as long as none of its rows was seen. [Pool.Hosts] shows
// what is known of the servers, and what the standbys were used for.
//
// What a standby shows is the past. A [Session] has its reads see its own writes:
//
//	ctx, session := p.WithSession(ctx)
//	err := orders.Place(ctx, id)          // on the primary
//	order, err := orders.Get(ctx, id)     // on a standby that has it, or the primary
//	w.Header().Set("X-Read-After", session.Token().String())
//
// The [Token] says up to where in the primary's log a standby has to have
// replayed; it goes as text to other processes, which take it with [ParseToken]
// and [Pool.WithToken]. That is checked on the connection that reads, and waited
// for a little ([Standbys].Wait).
//
// A promotion starts a new timeline. The pool then reads only standbys that are
// known to follow it, and writes to no server that it left behind. Two servers
// that are promoted from the same timeline, each without the other's knowledge,
// cannot be told apart by that; nor can anything be promised of writes that a
// failover to an asynchronous standby has lost.
//
// A name with several addresses is one host here: its lag is that of the server
// that was met last; tokens are checked on each connection all the same.
package pool

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/internal/rows"
)

// Pool is a pool of connections to one database. It is safe for concurrent use.
type Pool struct {
	config  Config
	lastID  atomic.Uint64 // of connections
	primary *backend
	ending  context.Context // ends when Close begins
	end     context.CancelFunc

	monitor  *monitor    // of the standbys, nil without
	sessions atomic.Bool // there has been a session
}

// New returns a pool on the database that dsn names: a URL or keywords and
// values, as libpq takes them, with PG* environment variables for what it
// leaves out. Zero fields of config are taken from dsn, then from the defaults;
// a field that both set, differently, is an error.
//
// Connections are made in the background and on demand, so New succeeds while
// the server is away; [Pool.Ping] tells.
func New(ctx context.Context, dsn string, config Config) (*Pool, error) {
	pgxConfig, config, err := resolve(dsn, config)
	if err != nil {
		return nil, err
	}
	p := &Pool{config: config}
	p.ending, p.end = context.WithCancel(context.WithoutCancel(ctx))
	if config.Standbys != nil {
		p.monitor = newMonitor(p, pgxConfig)
		p.monitor.directWrites(pgxConfig)
	}
	if p.primary, err = newBackend(ctx, p, pgxConfig, config, false); err != nil {
		p.end()
		return nil, err
	}
	if p.monitor != nil {
		p.monitor.start()
	}
	return p, nil
}

// Config returns what the pool runs with, defaults filled in.
func (p *Pool) Config() Config { return p.config }

// Observer is the observer of the pool's configuration, nil for none; package
// txn tells it of transactions as well.
func (p *Pool) Observer() runtime.Observer { return p.config.Observer }

// MaxConns is the most connections to the primary the pool has at once.
func (p *Pool) MaxConns() int { return p.config.MaxConns }

// Acquire returns a connection that belongs to the caller until its Release. It
// waits for one at most [Config].AcquireTimeout, after which the error is an
// [*AcquireTimeoutError], and no longer than ctx lasts, after which the error
// matches that of ctx.
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) { return p.acquire(ctx, "") }

func (p *Pool) acquire(ctx context.Context, query string) (*Conn, error) {
	c, err := p.primary.take(ctx, query)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Ping acquires a connection and makes a round trip on it.
func (p *Pool) Ping(ctx context.Context) error {
	c, err := p.primary.take(ctx, "")
	if err != nil {
		return err
	}
	defer c.Release()
	return c.state.conn.Ping(ctx)
}

// RunQuery runs q, as generated code does it; the connection goes back when the
// rows are closed, or read to their end. With [Config].Standbys a read goes to a
// standby where there is one for it.
func (p *Pool) RunQuery(ctx context.Context, q runtime.Query, args []any) (pgx.Rows, error) {
	if !q.ReadOnly {
		return p.runQuery(ctx, q, args, p.session(ctx))
	}
	if p.monitor != nil {
		return p.monitor.read(ctx, q, args)
	}
	return p.runQuery(ctx, q, args, nil)
}

// runQuery runs q on the primary, as a write of s if that is not nil.
func (p *Pool) runQuery(ctx context.Context, q runtime.Query, args []any, s *Session) (pgx.Rows, error) {
	r := new(heldRows)
	if err := p.primary.query(ctx, r, s, q.Name, q.SQL, args); err != nil {
		return rows.Failed{Error: err}, err
	}
	return r, nil
}

// RunExec runs q, as generated code does it, on the primary.
func (p *Pool) RunExec(ctx context.Context, q runtime.Query, args []any) (pgconn.CommandTag, error) {
	return p.primary.exec(ctx, p.session(ctx), q.Name, q.SQL, args)
}

// Query runs sql; the connection goes back when the rows are closed, or read to
// their end. Rows that are neither keep it for good, also when they are garbage:
// [Config].LeakAfter finds who left them.
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	r := new(heldRows)
	if err := p.primary.query(ctx, r, p.session(ctx), queryName(sql), sql, args); err != nil {
		return rows.Failed{Error: err}, err
	}
	return r, nil
}

// QueryRow runs sql for its first row; the connection goes back in Scan, which
// must be called.
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	r := new(heldRow)
	if err := p.primary.query(ctx, &r.heldRows, p.session(ctx), queryName(sql), sql, args); err != nil {
		return failedRow{err}
	}
	return r
}

// Exec runs sql.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return p.primary.exec(ctx, p.session(ctx), queryName(sql), sql, args)
}

// query runs sql, as a write of s if that is not nil, and makes r its rows.
func (b *backend) query(ctx context.Context, r *heldRows, s *Session, name, sql string, args []any) error {
	var err error
	if r.conn, err = b.take(ctx, name); err != nil {
		return err
	}
	kept := false
	defer func() { // also when an argument's own encoder panics
		if !kept {
			r.conn.Release()
		}
	}()
	r.conn.state.writes(s)
	inner, err := r.conn.state.conn.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	r.Rows = rows.Rows{Rows: inner, Holder: &r.conn}
	kept = true
	return nil
}

func (b *backend) exec(ctx context.Context, s *Session, name, sql string, args []any) (pgconn.CommandTag, error) {
	c, err := b.take(ctx, name)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer c.Release()
	c.state.writes(s)
	return c.state.conn.Exec(ctx, sql, args...)
}

// SendBatch sends b; the connection goes back when the results are closed, or,
// if b begins a transaction, when that ends.
func (p *Pool) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	c, err := p.acquire(ctx, batchName(b))
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	kept := false
	defer func() {
		if !kept {
			c.Release()
		}
	}()
	c.writes(ctx)
	results := c.state.conn.SendBatch(ctx, b)
	kept = true
	if t := results.Tx(); t != nil {
		return &batchResults{BatchResults: results, tx: &tx{Tx: t, conn: c}}
	}
	return &batchResults{BatchResults: results, conn: c}
}

// CopyFrom copies rows into a table with PostgreSQL's COPY.
func (p *Pool) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	c, err := p.primary.take(ctx, strings.Join(table, "."))
	if err != nil {
		return 0, err
	}
	defer c.Release()
	c.writes(ctx)
	guarded := &rows.Source{Rows: source}
	n, err := c.state.conn.CopyFrom(ctx, table, columns, guarded)
	return n, guarded.Finish(err)
}

// Begin starts a transaction in the server's default mode.
func (p *Pool) Begin(ctx context.Context) (pgx.Tx, error) { return p.BeginTx(ctx, pgx.TxOptions{}) }

// BeginTx starts a transaction; the connection goes back when it ends. Its
// Rollback works with a context that has ended, too. Package txn does more:
// time-outs, retries, hooks.
func (p *Pool) BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error) {
	c, err := p.acquire(ctx, "")
	if err != nil {
		return nil, err
	}
	kept := false
	defer func() {
		if !kept {
			c.Release()
		}
	}()
	if options.AccessMode != pgx.ReadOnly {
		c.writes(ctx)
	}
	t, err := c.state.conn.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	kept = true
	return &tx{Tx: t, conn: c}, nil
}

// Conns returns what is known of every open connection, those to standbys
// included, in the order they were made.
func (p *Pool) Conns() []Info {
	infos := p.primary.allInfos()
	if p.monitor == nil {
		return infos
	}
	for _, b := range p.monitor.backends() {
		infos = append(infos, b.allInfos()...)
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return infos
}

// Cleanup closes the idle connections that are expired, and of those that were
// unused for longer than IdleTimeout all above MinConns; it returns how many.
// The pool does the same by itself, at least once a minute.
func (p *Pool) Cleanup(ctx context.Context) int {
	closed := p.primary.cleanup(ctx)
	if p.monitor != nil {
		for _, b := range p.monitor.backends() {
			closed += b.cleanup(ctx)
		}
	}
	return closed
}

// Close lets nobody in any more, those who wait included, waits until all
// connections came back and closes them; loops over [Pool.Listen] end. If ctx
// ends first, the error says how many are still out; they are closed as they come
// back. It may be called more than once.
func (p *Pool) Close(ctx context.Context) error {
	p.end()
	if p.monitor == nil {
		return p.primary.close(ctx)
	}
	standbys := make(chan error, 1)
	go func() { standbys <- p.monitor.close(ctx) }()
	return errors.Join(p.primary.close(ctx), <-standbys)
}
