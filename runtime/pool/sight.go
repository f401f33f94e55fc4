package pool

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// sighting is what a look at a server gave.
type sighting struct {
	at       time.Time
	err      error
	recovery bool
	system   uint64
	timeline uint32
	position LSN
	// age is how long ago, by the server's clock, the last transaction that a
	// standby has replayed was committed; negative if none was.
	age time.Duration
	// What follows from it and from the others.
	lag time.Duration
	why string // reads are kept off
}

func (s sighting) role() Role {
	switch {
	case s.at.IsZero() || s.err != nil:
		return RoleUnknown
	case s.recovery:
		return RoleStandby
	}
	return RolePrimary
}

// sightSQL asks a server who it is. What may run on one kind of server alone is
// behind a CASE. The timeline of a standby is the newest it is known to follow:
// each of the three is of a timeline that replay has reached, or has been found
// to lead to from where replay is (rescanLatestTimeLine, xlogrecovery.c). The
// control file learns of it late, at a restartpoint or when a page is written;
// the WAL receiver is at NULL for roles that may not see it.
const sightSQL = `SELECT r.recovery, c.system_identifier,
CASE WHEN r.recovery THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_flush_lsn() END,
CASE WHEN r.recovery THEN ` + standbyTimelineSQL + `::text
ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()) END,
CASE WHEN r.recovery THEN (extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) * 1000000)::bigint END
FROM (SELECT pg_catalog.pg_is_in_recovery() AS recovery OFFSET 0) r, pg_catalog.pg_control_system() c`

const standbyTimelineSQL = `(SELECT greatest(
(SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
(SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()),
(SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)))`

// look asks h, over the connection in conn, which it makes where there is none,
// and anew where the one that was there has ended: that may have had its own
// reasons.
func (m *monitor) look(ctx context.Context, h *server, conn **pgconn.PgConn) sighting {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for {
		old := *conn != nil
		var seen sighting
		var err error
		if !old {
			*conn, err = m.connect(ctx, h)
		}
		if err == nil {
			if seen, err = sight(ctx, *conn); err == nil {
				return seen
			}
			hangUp(*conn)
		}
		*conn = nil
		if !old || ctx.Err() != nil {
			return sighting{at: time.Now(), err: err}
		}
	}
}

func (m *monitor) connect(ctx context.Context, h *server) (*pgconn.PgConn, error) {
	config := m.config.ConnConfig.Copy()
	reach(&config.Config, &h.endpoint)
	config.ValidateConnect = nil
	// A connection that does not answer is given up, and not asked to cancel.
	config.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: pg.Conn()}
	}
	if m.config.BeforeConnect != nil {
		if err := m.config.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	return pgconn.ConnectConfig(ctx, &config.Config)
}

// sight asks the server behind pg who it is.
func sight(ctx context.Context, pg *pgconn.PgConn) (sighting, error) {
	row, err := oneRow(ctx, pg, sightSQL, 5)
	if err != nil {
		return sighting{}, err
	}
	seen := sighting{at: time.Now(), recovery: row[0] == "t", age: -1}
	if seen.system, err = strconv.ParseUint(row[1], 10, 64); err != nil {
		return sighting{}, err
	}
	if !seen.recovery {
		if seen.position, err = parseLSN(row[2]); err != nil {
			return sighting{}, err
		}
		seen.timeline, err = fileTimeline(row[3])
		return seen, err
	}
	if seen.position, seen.timeline, err = parseReplayed(row[2], row[3]); err != nil {
		return sighting{}, err
	}
	if row[4] != "" {
		micros, err := strconv.ParseInt(row[4], 10, 64)
		if err != nil {
			return sighting{}, err
		}
		seen.age = max(0, time.Duration(micros)*time.Microsecond)
	}
	return seen, nil
}

// parseReplayed reads a standby's position, "" where it has replayed nothing
// yet, and timeline.
func parseReplayed(position, timeline string) (LSN, uint32, error) {
	var lsn LSN
	var err error
	if position != "" {
		if lsn, err = parseLSN(position); err != nil {
			return 0, 0, err
		}
	}
	n, err := strconv.ParseUint(timeline, 10, 32)
	return lsn, uint32(n), err
}
