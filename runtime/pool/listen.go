package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/dbgen/dbgen/runtime"
)

// Notification is what [Pool.Listen] yields.
type Notification struct {
	// Gap says that this is no notification, but that some may have been missed:
	// those before a connection was made, the first one or a new one. All that
	// are sent from now on will come, until the next Gap. It is the time to read
	// anew whatever notifications keep up to date. The other fields are zero.
	Gap bool
	// Channel and Payload are what NOTIFY was given, PID is the server process
	// that ran it.
	Channel, Payload string
	PID              uint32
}

// ErrNoSession is returned for what needs a session of its own, with a [Profile]
// that gives none: behind a pooler in transaction mode each transaction may run
// in another one.
var ErrNoSession = errors.New("not possible through a pooler in transaction mode: it needs a session of its own")

// Listen yields the notifications of the channels named, exactly as written,
// until ctx ends, the pool is closed or the loop is left:
//
//	for n, err := range p.Listen(ctx, "orders") {
//		if err != nil {
//			return err
//		}
//		if n.Gap {
//			reload()
//			continue
//		}
//		changed(n.Payload)
//	}
//
// It listens on a connection of its own, beyond MaxConns, to a server that is no
// standby. A connection that is lost, or does not answer any more, is replaced,
// for as long as it takes, on whichever of the DSN's servers is the primary by
// then; each new one, the first included, begins with a Gap. Config.Logger is
// told of each.
//
// An error is yielded last: that of ctx, [ErrClosed], [ErrNoSession], one about
// the channels, or one that trying again does not help, such as a refused
// log-in.
//
// Nothing is read while the body of the loop runs. What comes meanwhile is kept
// by the server (in a queue of 8 GB for all its databases, which all sessions
// have to read before it is cut), and a lost connection shows afterwards: let
// the body hand over what takes long.
func (p *Pool) Listen(ctx context.Context, channels ...string) iter.Seq2[Notification, error] {
	return p.listen(ctx, listenKeepalive, channels)
}

const (
	// listenKeepalive is the silence after which a listening connection is asked
	// whether it is still there, listenAnswer the time it has to say so.
	listenKeepalive = 30 * time.Second
	listenAnswer    = 10 * time.Second
	// The pause before the next attempt to connect doubles from the one to the
	// other.
	listenFirstPause = 50 * time.Millisecond
	listenLastPause  = 5 * time.Second
)

func (p *Pool) listen(ctx context.Context, keepalive time.Duration, channels []string) iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		l := &listener{pool: p, keepalive: keepalive}
		var err error
		if l.sql, err = listenSQL(channels); err == nil && p.config.Profile.pooled() {
			err = ErrNoSession
		}
		if err != nil {
			yield(Notification{}, fmt.Errorf("listen: %w", err))
			return
		}
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(p.ending, cancel)()
		defer l.drop()
		for {
			n, err := l.next(inner)
			if err == nil {
				if yield(n, nil) {
					continue
				}
				return
			}
			switch {
			case ctx.Err() != nil:
				err = ctx.Err()
			case p.ending.Err() != nil:
				err = ErrClosed
			}
			yield(Notification{}, fmt.Errorf("listen: %w", err))
			return
		}
	}
}

// maxChannel is the length of a channel's name in bytes (NAMEDATALEN-1): LISTEN
// would cut a longer one, which NOTIFY then refuses (Async_Notify, async.c).
const maxChannel = 63

func listenSQL(channels []string) (string, error) {
	if len(channels) == 0 {
		return "", errors.New("no channel is named")
	}
	var sql strings.Builder
	for _, channel := range channels {
		switch {
		case channel == "":
			return "", errors.New("a channel has no name")
		case len(channel) > maxChannel:
			return "", fmt.Errorf("the name of channel %q has %d bytes, more than %d", channel, len(channel), maxChannel)
		case strings.ContainsRune(channel, 0):
			return "", fmt.Errorf("the name of channel %q has a zero byte", channel)
		}
		sql.WriteString("LISTEN " + pgx.Identifier{channel}.Sanitize() + ";")
	}
	return sql.String(), nil
}

// listener is one loop over [Pool.Listen].
type listener struct {
	pool      *Pool
	sql       string
	keepalive time.Duration
	conn      *pgx.Conn // nil while there is none
	writable  bool      // what the server said when conn was made
}

// next returns the next notification. An error is final.
func (l *listener) next(ctx context.Context) (Notification, error) {
	if l.conn == nil {
		if err := l.connect(ctx); err != nil {
			return Notification{}, err
		}
		return Notification{Gap: true}, nil
	}
	for {
		n, err := l.wait(ctx)
		switch {
		case n != nil:
			return Notification{Channel: n.Channel, Payload: n.Payload, PID: n.PID}, nil
		case ctx.Err() != nil:
			return Notification{}, ctx.Err()
		case err != nil:
			l.log(ctx, "the connection that listens is lost", err)
			l.drop()
			return l.next(ctx)
		}
	}
}

// wait waits for a notification until the connection has been silent for too
// long, and then for an answer. It returns nil, nil if there was one.
func (l *listener) wait(ctx context.Context) (*pgconn.Notification, error) {
	silent, cancel := context.WithTimeout(ctx, l.keepalive)
	n, err := l.conn.WaitForNotification(silent)
	quiet := silent.Err() != nil && !l.conn.IsClosed()
	cancel()
	if n != nil || err != nil && !quiet || ctx.Err() != nil {
		return n, err
	}
	answer, cancel := context.WithTimeout(ctx, min(listenAnswer, l.keepalive))
	defer cancel()
	if err := l.conn.Ping(answer); err != nil {
		return nil, err
	}
	if l.writable && !takesNotify(l.conn.PgConn()) {
		return nil, errors.New("the server takes no writes any more")
	}
	return nil, nil
}

// connect connects and listens, as often as it takes.
func (l *listener) connect(ctx context.Context) error {
	for pause := listenFirstPause; ; pause = min(2*pause, listenLastPause) {
		err := l.try(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !passing(err):
			return err
		}
		l.log(ctx, "cannot listen, will try again", err)
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// passing reports whether err may be gone at the next attempt: a log-in that was
// refused, say, is not. LISTEN does nothing that must not be repeated.
func passing(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return runtime.Retryable(err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e := runtime.AsError(pg)
		return e.IsConnection() || e.IsReadOnly() // a standby, which may be promoted
	}
	return true
}

// try makes one attempt.
func (l *listener) try(ctx context.Context) error {
	pool := l.pool.primary.pgx.Config() // a copy
	config := pool.ConnConfig
	// pgx keeps what comes for WaitForNotification only if nobody else takes it.
	config.OnNotification = nil
	// The wait for a notification is ended without a trace; a cancel request
	// would be about no statement.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	validate := config.ValidateConnect
	config.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if validate != nil {
			err := validate(ctx, conn)
			// A DSN that asks for a server without writes does not mean this.
			if err != nil && !errors.Is(err, pgconn.ErrPrimaryConnection) && !errors.Is(err, pgconn.ErrReadWriteConnection) {
				return err
			}
		}
		return pgconn.ValidateConnectTargetSessionAttrsPrimary(ctx, conn)
	}
	if pool.BeforeConnect != nil {
		if err := pool.BeforeConnect(ctx, config); err != nil {
			return err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, l.pool.config.ConnectTimeout)
	defer cancel()
	if _, err := conn.Exec(limited, l.sql); err != nil {
		_ = conn.Close(limited)
		return err
	}
	l.conn, l.writable = conn, takesNotify(conn.PgConn())
	return nil
}

// takesNotify reports whether the server, by what it tells unasked (from version
// 14 on), is one that new connections would be made to.
func takesNotify(conn *pgconn.PgConn) bool {
	return conn.ParameterStatus("in_hot_standby") != "on" && conn.ParameterStatus("default_transaction_read_only") != "on"
}

// drop closes the connection, if there is one.
func (l *listener) drop() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx)
	l.conn = nil
}

func (l *listener) log(ctx context.Context, message string, err error) {
	if logger := l.pool.config.Logger; logger != nil {
		logger.LogAttrs(ctx, slog.LevelWarn, message, slog.String("error", err.Error()))
	}
}
