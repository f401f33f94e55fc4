package runtime

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Trace makes observer a tracer for pgx's ConnConfig.Tracer: it is told of
// queries, batches, COPYs and the making of connections. runtime/pool does this
// by itself for its Config.Observer. Beside another tracer it goes into pgx's
// package multitracer.
//
// A query is named by the "-- name:" line of its text; one that has none is
// noted with its first word. Preparing a statement is part of the query that
// needs it. Trace of nil is nil, and pgx then traces nothing.
func Trace(observer Observer) pgx.QueryTracer {
	if observer == nil {
		return nil
	}
	return &tracer{observer}
}

// Observers returns an observer that tells each of those given, which are asked
// in this order when an operation begins and in the opposite one when it ends.
// Those that are nil are left out; it is nil if none remains.
func Observers(observers ...Observer) Observer {
	var all several
	for _, o := range observers {
		if o != nil {
			all = append(all, o)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

type several []Observer

func (s several) Begin(ctx context.Context, e Event) context.Context {
	for _, o := range s {
		ctx = o.Begin(ctx, e)
	}
	return ctx
}

func (s several) End(ctx context.Context, e Event) {
	for i := len(s) - 1; i >= 0; i-- {
		s[i].End(ctx, e)
	}
}

// tracer turns pgx's callbacks into events.
type tracer struct{ observer Observer }

var (
	_ pgx.QueryTracer    = (*tracer)(nil)
	_ pgx.BatchTracer    = (*tracer)(nil)
	_ pgx.CopyFromTracer = (*tracer)(nil)
	_ pgx.PrepareTracer  = (*tracer)(nil)
	_ pgx.ConnectTracer  = (*tracer)(nil)
)

// span is the context of an operation; it carries the event from its begin to
// its end, in one allocation.
type span struct {
	context.Context
	tracer *tracer
	event  Event
	ended  bool // pgx tells of a batch that fails early when it fails and when it is closed
}

// spanKey finds the span of one tracer.
type spanKey struct{ tracer *tracer }

func (s *span) Value(key any) any {
	if k, ok := key.(spanKey); ok && k.tracer == s.tracer {
		return s
	}
	return s.Context.Value(key)
}

func (t *tracer) begin(ctx context.Context, e Event) context.Context {
	e.At = time.Now()
	return &span{Context: t.observer.Begin(ctx, e), tracer: t, event: e}
}

func (t *tracer) end(ctx context.Context, rows int64, err error, conn *pgx.Conn) {
	s, ok := ctx.Value(spanKey{t}).(*span)
	if !ok || s.ended {
		return
	}
	s.ended = true
	e := s.event
	e.Dur, e.Err = time.Since(e.At), NewError(ctx, e.Name, err)
	if e.Kind != EventBatch {
		e.Rows = rows
	}
	if conn != nil && e.Kind == EventConnect {
		e.Host, e.PID = address(conn.PgConn()), conn.PgConn().PID()
	}
	t.observer.End(s.Context, e)
}

func (t *tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	e := on(EventQuery, conn)
	e.Name, e.Note = name(data.SQL)
	return t.begin(ctx, e)
}

func (t *tracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	t.end(ctx, data.CommandTag.RowsAffected(), data.Err, conn)
}

func (t *tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	e := on(EventBatch, conn)
	e.Rows = int64(data.Batch.Len())
	for i, q := range data.Batch.QueuedQueries {
		n, _ := name(q.SQL)
		if i > 0 && n != e.Name { // a batch of several has none
			e.Name = ""
			break
		}
		e.Name = n
	}
	return t.begin(ctx, e)
}

func (t *tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (t *tracer) TraceBatchEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchEndData) {
	t.end(ctx, 0, data.Err, conn)
}

func (t *tracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	e := on(EventCopy, conn)
	e.Name = strings.Join(data.TableName, ".")
	return t.begin(ctx, e)
}

func (t *tracer) TraceCopyFromEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromEndData) {
	t.end(ctx, data.CommandTag.RowsAffected(), data.Err, conn)
}

func (t *tracer) TracePrepareStart(ctx context.Context, _ *pgx.Conn, _ pgx.TracePrepareStartData) context.Context {
	return ctx
}

// TracePrepareEnd ends a COPY that could not be prepared, which pgx leaves open.
func (t *tracer) TracePrepareEnd(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareEndData) {
	if s, ok := ctx.Value(spanKey{t}).(*span); ok && data.Err != nil && s.event.Kind == EventCopy {
		t.end(ctx, 0, data.Err, conn)
	}
}

func (t *tracer) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	config := data.ConnConfig
	e := Event{Kind: EventConnect, Host: config.Host}
	if network, path := pgconn.NetworkAddress(config.Host, config.Port); network == "unix" {
		e.Host = path
	} else {
		e.Host = net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	}
	return t.begin(ctx, e)
}

func (t *tracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	t.end(ctx, 0, data.Err, data.Conn)
}

// on returns an event on conn.
func on(kind EventKind, conn *pgx.Conn) Event {
	pg := conn.PgConn()
	return Event{Kind: kind, Host: address(pg), PID: pg.PID()}
}

// addressKey is where the text of a connection's address is kept in its custom
// data.
const addressKey = "github.com/dbgen/dbgen/runtime.address"

func address(conn *pgconn.PgConn) string {
	data := conn.CustomData()
	if text, ok := data[addressKey].(string); ok {
		return text
	}
	text := ""
	if remote := conn.Conn().RemoteAddr(); remote != nil {
		text = remote.String()
	}
	data[addressKey] = text
	return text
}

// name finds the name of a statement in its text; of one that has none it
// returns the first word, in upper case, which holds no data.
func name(sql string) (name, word string) {
	rest := strings.TrimLeft(sql, " \t\r\n")
	for strings.HasPrefix(rest, "--") {
		line, behind, _ := strings.Cut(rest, "\n")
		if text, ok := strings.CutPrefix(strings.TrimLeft(line[2:], " \t"), "name:"); ok {
			text = strings.TrimLeft(text, " \t")
			if end := strings.IndexAny(text, " \t\r:"); end >= 0 {
				text = text[:end]
			}
			return text, ""
		}
		rest = strings.TrimLeft(behind, " \t\r\n")
	}
	end := 0
	for end < len(rest) && (rest[end]|0x20 >= 'a' && rest[end]|0x20 <= 'z') {
		end++
	}
	if end > 16 { // no command of PostgreSQL is that long
		return "", ""
	}
	return "", strings.ToUpper(rest[:end])
}
