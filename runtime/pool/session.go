package pool

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Session makes reads see the writes that were done with the same context, also
// where standbys answer them: read-your-writes. Its scope is what its owner
// makes it, a request or a user. It is safe for concurrent use.
//
// What it promises is about writes that had returned when the read began:
// statements, batches, copies and commits through the pool, except those of
// generated reads. While a [Conn] is held that has written, its reads go to the
// primary. A transaction is a write of the context it was begun with. A write
// whose outcome is unknown counts as one.
//
// It promises nothing about the writes of others, which two reads may see and not
// see in turn, as they may have gone to two servers; a transaction on the primary
// is the place for that.
type Session struct {
	mu    sync.Mutex
	token Token
	// writing counts those who hold a connection to write; lost the writes whose
	// position was not learned, known those of them that a position read
	// afterwards covers.
	writing     int
	lost, known uint64
}

// sessionKey is where a pool's session lies in a context.
type sessionKey struct{ pool *Pool }

// WithSession returns a context that carries a session of this pool, and the
// session: that of ctx if it has one, else a new one. It costs each write a
// round trip, for its position, before its connection goes back.
func (p *Pool) WithSession(ctx context.Context) (context.Context, *Session) {
	if s, ok := ctx.Value(sessionKey{p}).(*Session); ok {
		return ctx, s
	}
	p.sessions.Store(true)
	s := &Session{}
	return context.WithValue(ctx, sessionKey{p}, s), s
}

// WithToken returns a context whose reads see the writes that token was made
// for: it carries the session of ctx, or a new one, with token added.
func (p *Pool) WithToken(ctx context.Context, token Token) context.Context {
	ctx, s := p.WithSession(ctx)
	s.Add(token)
	return ctx
}

// session returns the session that ctx carries, nil if none. While the pool has
// never made one this costs nothing.
func (p *Pool) session(ctx context.Context) *Session {
	if !p.sessions.Load() {
		return nil
	}
	s, _ := ctx.Value(sessionKey{p}).(*Session)
	return s
}

// Token returns a token for the writes so far.
func (s *Session) Token() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing > 0 || s.lost > s.known {
		return Token{unknown: true}
	}
	return s.token
}

// Add makes the session ask for the writes of token too.
func (s *Session) Add(token Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if merged := s.token.merge(token); merged.unknown {
		s.lost++
	} else {
		s.token = merged
	}
}

// idle reports whether nobody writes for the session.
func (s *Session) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writing == 0
}

func (s *Session) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing++
}

// mark is for end: the writes whose position is not known yet.
func (s *Session) mark() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// end ends what begin began. The position is one of the primary's, read after
// mark was taken. It covers what happened before: also writes that were lost,
// and tokens of a system or a timeline that is gone. The zero Token is of a write
// whose position is not known: reads go to the primary until one that is read
// later is.
func (s *Session) end(position Token, mark uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing--
	if position.IsZero() {
		s.lost++
		return
	}
	s.known = max(s.known, mark)
	if s.token.system != position.system {
		s.token = position
		return
	}
	s.token = s.token.merge(position)
}

// positionTimeout bounds the reading of a position after a write. The write is
// done by then: its caller waits for little.
const positionTimeout = time.Second

// writes notes that the holder of c writes for the session of ctx, if any.
func (c *Conn) writes(ctx context.Context) {
	if c.state == nil || c.state.hold.Load() != c.hold {
		return
	}
	c.state.writes(c.state.backend.pool.session(ctx))
}

// writes notes that c is held to write for s, if that is not nil. The session's
// reads go to the primary until settle.
func (c *connState) writes(s *Session) {
	if s == nil {
		return
	}
	switch before := c.session.Swap(s); before {
	case s:
		return
	case nil:
	default:
		before.end(Token{}, 0)
	}
	s.begin()
}

// settle reads the position of the writes that the holder of c did for its
// session, before c goes back.
func (c *connState) settle() {
	if c.session.Load() == nil {
		return
	}
	s := c.session.Swap(nil)
	mark := s.mark()
	var token Token
	// One that is left in a transaction, or in the middle of a result, is closed.
	if pg := c.conn.PgConn(); !pg.IsClosed() && !pg.IsBusy() && pg.TxStatus() == 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), positionTimeout)
		token, _ = position(ctx, pg, !c.backend.config.Profile.pooled()) // zero on an error
		cancel()
	}
	s.end(token, mark)
}

// wal is what is known of the server behind a connection. A connection lives on
// one run of one server, but for a pooler.
type wal struct {
	system uint32
	// Of a primary: its timeline, which stays while it runs, and how it lays out
	// the log.
	timeline       uint32
	block, segment uint64
	// Of a standby: the furthest it was seen to have replayed, which never goes
	// back while it runs, and on which timeline.
	replayed   LSN
	replayedOn uint32
}

// walKey is where a wal lies in a connection's custom data.
const walKey = stateKey + "/wal"

func walOf(pg *pgconn.PgConn) *wal {
	w, ok := pg.CustomData()[walKey].(*wal)
	if !ok {
		w = &wal{}
		pg.CustomData()[walKey] = w
	}
	return w
}

// The position of a commit is asked for as the insert position, which the
// commit's record is behind even where synchronous_commit is off and nothing was
// flushed yet (GetXLogInsertRecPtr, xlog.c). The timeline of a file's name is
// the one new records go to (pg_walfile_name, xlogfuncs.c: GetWALInsertionTimeLine).
const (
	positionSQL = "SELECT pg_catalog.pg_current_wal_insert_lsn()"
	firstSQL    = positionSQL + `, pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()),
(SELECT system_identifier FROM pg_catalog.pg_control_system()), i.wal_block_size, i.bytes_per_wal_segment
FROM pg_catalog.pg_control_init() i`
)

// position returns a token for all that is committed on the server that pg is
// connected to, a primary. What a server never changes is read once, if keep.
func position(ctx context.Context, pg *pgconn.PgConn, keep bool) (Token, error) {
	w := walOf(pg)
	first := w.timeline == 0 || !keep
	sql, n := positionSQL, 1
	if first {
		sql, n = firstSQL, 5
	}
	row, err := oneRow(ctx, pg, sql, n)
	if err != nil {
		return Token{}, err
	}
	lsn, err := parseLSN(row[0])
	if err != nil {
		return Token{}, err
	}
	if first {
		timeline, err := fileTimeline(row[1])
		if err != nil {
			return Token{}, err
		}
		var numbers [3]uint64
		for i := range numbers {
			if numbers[i], err = strconv.ParseUint(row[2+i], 10, 64); err != nil {
				return Token{}, err
			}
		}
		w.system, w.timeline, w.block, w.segment = systemHash(numbers[0]), timeline, numbers[1], numbers[2]
	}
	return w.token(lsn), nil
}

// token makes a token of an insert position. That is where the next record will
// start: at a page's beginning, behind the page's header, which no standby will
// have replayed until there is a record (XLogBytePosToRecPtr and
// XLogBytePosToEndRecPtr, xlog.c; the sizes are of XLogPageHeaderData and
// XLogLongPageHeaderData, xlog_internal.h, the latter at the start of a file).
func (w *wal) token(insert LSN) Token {
	const header, fileHeader = 24, 40
	switch at := uint64(insert); {
	case at%w.segment == fileHeader:
		insert -= fileHeader
	case at%w.block == header:
		insert -= header
	}
	return Token{system: w.system, timeline: w.timeline, lsn: insert}
}

// fileTimeline returns the timeline in the name of a WAL file (XLogFileName,
// xlog_internal.h).
func fileTimeline(name string) (uint32, error) {
	if len(name) != 24 {
		return 0, fmt.Errorf("WAL file name %q", name)
	}
	timeline, err := strconv.ParseUint(name[:8], 16, 32)
	return uint32(timeline), err
}

// oneRow runs sql with the simple protocol, which leaves nothing behind on the
// server and needs one round trip, and returns its one row of n values, "" for
// NULL.
func oneRow(ctx context.Context, pg *pgconn.PgConn, sql string, n int) ([]string, error) {
	results, err := pg.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != n {
		return nil, errors.New("unexpected result")
	}
	row := make([]string, n)
	for i, value := range results[0].Rows[0] {
		row[i] = string(value)
	}
	return row, nil
}
