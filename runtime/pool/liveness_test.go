package pool_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime/pool"
)

// silenced makes the connections of a pool end up at a peer that died without a
// word: those that are there when it is told so, and, while it is, new ones.
type silenced struct{ now atomic.Pointer[atomic.Bool] }

func newSilenced() *silenced {
	s := &silenced{}
	s.now.Store(new(atomic.Bool))
	return s
}

func (s *silenced) configure(c *pgxpool.Config) error {
	dial := c.ConnConfig.DialFunc
	c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &frozen{Conn: conn, dead: s.now.Load()}, nil
	}
	return nil
}

// begin silences what is there and what comes; end lets new connections through.
func (s *silenced) begin() { s.now.Load().Store(true) }
func (s *silenced) end()   { s.now.Store(new(atomic.Bool)) }

// Idle connections to a peer that died without a word cost one caller one
// round trip's limit, and not one after the other.
func TestSilentWhileIdle(t *testing.T) {
	t.Parallel()
	peer := newSilenced()
	p, _ := open(t, pool.Config{MaxConns: 20, MinConns: -1, Configure: func(c *pgxpool.Config) error {
		c.PingTimeout = time.Second
		return peer.configure(c)
	}})
	fill(t, p, 20)
	time.Sleep(1100 * time.Millisecond)
	peer.begin()
	peer.end()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second) // 20 times a second is more
	defer cancel()
	if _, err := p.Exec(ctx, "SELECT 1"); err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.ClosedBroken != 20 || s.Idle != 1 {
		t.Errorf("%+v", s)
	}
}

// A COMMIT to a peer that died without a word ends with its context, and Close
// does not wait for that peer either.
func TestSilentInCommit(t *testing.T) {
	t.Parallel()
	peer := newSilenced()
	p, _ := open(t, pool.Config{MaxConns: 2, MinConns: -1, Configure: peer.configure})
	tx, err := p.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	peer.begin()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := tx.Commit(ctx); err == nil {
		t.Error("it was committed")
	}
	eventually(t, "its place is free", func() bool { s := p.Stats(); return s.Active == 0 && s.Closing == 0 })
	if err := p.Close(context.Background()); err != nil {
		t.Error(err)
	}
	// By itself pgx would ask that peer for 15 seconds to cancel.
	if took := time.Since(began); took > 13*time.Second {
		t.Errorf("it took %v", took)
	}
}
