package pgtest

import (
	"context"
	"fmt"
	"time"
)

// Promote makes a standby the primary and returns when it is open for writes.
// With [ClusterOptions].Synchronous their commits wait for standbys to follow it.
func (n *Node) Promote(ctx context.Context) error {
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	var sent bool
	if err := n.ask(ctx, "SELECT pg_promote(false)", &sent); err != nil {
		return err
	}
	if !sent {
		return fmt.Errorf("%s: the signal to promote was not sent", n.name)
	}
	if err := n.until(ctx, "it is promoted", "SELECT NOT pg_is_in_recovery()"); err != nil {
		return err
	}
	n.primary = nil
	return nil
}

// timeline returns the timeline that a primary writes; it is an error on a
// standby.
func (n *Node) timeline(ctx context.Context) (int64, error) {
	var timeline int64
	err := n.ask(ctx, `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint`, &timeline)
	return timeline, err
}

// written returns the end of what a primary has written so far, and has it sent
// to its standbys.
func (n *Node) written(ctx context.Context) (string, error) {
	conn, err := n.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	// A commit flushes all that was written before it, those that did not wait
	// for the disk included. The insert position would not do: at the end of a
	// page it lies behind the next one's header, which no standby replays.
	for _, sql := range [...]string{"SET synchronous_commit = local", "SELECT pg_logical_emit_message(true, 'pgtest', '')"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", fmt.Errorf("%s: %w", n.name, err)
		}
	}
	var lsn string
	if err := conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&lsn); err != nil {
		return "", fmt.Errorf("%s: %w", n.name, err)
	}
	return lsn, nil
}

// replay waits until a standby has replayed up to lsn.
func (n *Node) replay(ctx context.Context, lsn string) error {
	return n.until(ctx, "it has replayed "+lsn, "SELECT coalesce(pg_last_wal_replay_lsn() >= '"+lsn+"', NOT pg_is_in_recovery())")
}

// followGrace is how long a standby may take to turn to another primary before
// it is made anew.
const followGrace = 3 * time.Second

// Follow makes the node a standby of primary, whatever it was before: a standby
// that runs turns to it, where its history allows; else the node's data are
// replaced by a new base backup, and what it had that primary has not is lost.
// It returns when the node streams and has replayed what primary had written.
func (n *Node) Follow(ctx context.Context, primary *Node) error {
	if primary == n || primary.cluster != n.cluster {
		return fmt.Errorf("%s cannot follow %s", n.name, primary.name)
	}
	if err := n.lock(ctx); err != nil {
		return err
	}
	defer n.unlock()
	timeline, err := primary.timeline(ctx)
	if err != nil {
		return fmt.Errorf("%s is no primary to follow: %w", primary.name, err)
	}
	streams := fmt.Sprintf(`SELECT exists(SELECT FROM pg_stat_wal_receiver
		WHERE status = 'streaming' AND sender_host = '%s' AND received_tli = %d)`, primary.dir, timeline)
	n.primary = primary
	if n.isStandby(ctx) {
		if err := n.reload(ctx); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, followGrace)
		err := n.until(short, "it streams from "+primary.name, streams)
		cancel()
		if err == nil {
			return n.caughtUp(ctx, primary, timeline)
		}
		if ctx.Err() != nil {
			return err
		}
	}
	if err := n.stop(ctx, Immediate); err != nil {
		return err
	}
	if err := n.backup(ctx, primary); err != nil {
		return fmt.Errorf("%s: base backup of %s: %w", n.name, primary.name, err)
	}
	if err := n.start(ctx); err != nil {
		return err
	}
	if err := n.until(ctx, "it streams from "+primary.name, streams); err != nil {
		return err
	}
	return n.caughtUp(ctx, primary, timeline)
}

// caughtUp notes that the node follows primary, once it has caught up.
func (n *Node) caughtUp(ctx context.Context, primary *Node, timeline int64) error {
	n.followed.Store(timeline)
	lsn, err := primary.written(ctx)
	if err != nil {
		return err
	}
	return n.replay(ctx, lsn)
}

func (n *Node) isStandby(ctx context.Context) bool {
	var recovery bool
	return n.ask(ctx, "SELECT pg_is_in_recovery()", &recovery) == nil && recovery
}
