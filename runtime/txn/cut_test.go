package txn_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// scissors cut a connection after so many bytes sent, or received.
type scissors struct {
	mu    sync.Mutex
	left  [2]int // -1: never
	count [2]int
}

// cut makes the next connection to pass n more bytes that way end there.
func (s *scissors) cut(way, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = [2]int{-1, -1}
	s.left[way], s.count = n, [2]int{}
}

// pass says how many of n bytes go that way, and whether that is the end.
func (s *scissors) pass(way, n int) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[way] += n
	switch left := s.left[way]; {
	case left < 0:
		return n, false
	case n < left:
		s.left[way] -= n
		return n, false
	default:
		s.left[way] = -1
		return left, true
	}
}

type cutConn struct {
	net.Conn
	*scissors
}

func (c cutConn) Write(b []byte) (int, error) {
	n, over := c.pass(0, len(b))
	if !over {
		return c.Conn.Write(b)
	}
	_, _ = c.Conn.Write(b[:n])
	_ = c.Conn.Close()
	return len(b), nil // the bytes are on their way, as far as anybody knows here
}

func (c cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	n, over := c.pass(1, n)
	if over {
		_ = c.Conn.Close()
	}
	return n, err
}

// Wherever in its bytes, sent or received, a transaction's connection ends, what
// is said of it is so, and resolved nothing is left unknown.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := &scissors{left: [2]int{-1, -1}}
	p, err := pool.New(ctx, e.db.URL, pool.Config{MaxConns: 1, Configure: func(c *pgxpool.Config) error {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return cutConn{conn, s}, err
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	id := 0
	for name, test := range map[string]struct {
		step  int
		last  int // of the rows that are inserted
		opts  []txn.Option
		knows bool
	}{
		"plain":    {2, 0, []txn.Option{txn.Timeout(-1)}, false},
		"default":  {29, 0, nil, false},
		"resolved": {29, 0, []txn.Option{txn.ResolveByXID}, true},
		"deferred": {29, -1, []txn.Option{txn.ResolveByXID}, true}, // fails at its COMMIT
	} {
		m := txn.New(p, test.opts...)
		var hooks []string
		run := func() error {
			id++
			hooks = nil
			return m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
				tx.AfterCommit(func(context.Context) { hooks = append(hooks, "commit") })
				tx.AfterRollback(func(context.Context, error) { hooks = append(hooks, "rollback") })
				tx.AfterUnknown(func(context.Context, error) { hooks = append(hooks, "unknown") })
				if err := insert(ctx, tx, id); err != nil || test.last == 0 {
					return err
				}
				return insert(ctx, tx, test.last)
			})
		}
		_ = run()
		s.cut(0, -1)
		_ = run()
		bytes := s.count
		for way := range bytes {
			for n := 0; n <= bytes[way]; n += test.step {
				_ = run() // so that the connection and its statements are there
				s.cut(way, n)
				err := run()
				s.cut(0, -1)
				stored, want := 0, "commit"
				if err := e.pool.QueryRow(ctx, "SELECT count(*) FROM t WHERE id = $1", id).Scan(&stored); err != nil {
					t.Fatal(err)
				}
				switch {
				case errors.Is(err, txn.ErrCommitUnknown):
					want = "unknown"
				case err != nil:
					want = "rollback"
				}
				if len(hooks) != 1 || hooks[0] != want || want == "commit" && stored != 1 || want == "rollback" && stored != 0 ||
					want == "unknown" && (test.knows || runtime.Retryable(err)) || test.last != 0 && stored != 0 {
					t.Errorf("%s, way %d, %d of %d bytes: %v, hooks %v, %d rows", name, way, n, bytes[way], err, hooks, stored)
				}
			}
		}
		if s := m.Stats(); s.Active != 0 || s.Begun != s.Committed+s.RolledBack+s.Unknown {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
