package txn_test

import (
	"context"
	"errors"
	"net"
	gort "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A closure that holds rows open beyond the time-out does not hold the
// transaction: its connection is cut.
func TestRowsHeldBeyondTimeout(t *testing.T) {
	t.Parallel()
	e := open(t)
	ended := make(chan struct{})
	err := e.Run(ctx, func(_ context.Context, tx *txn.Tx) error {
		tx.AfterRollback(func(context.Context, error) { close(ended) })
		if err := insert(ctx, tx, 1); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT generate_series(1, 10000000)")
		if err != nil {
			return err
		}
		<-ended
		for rows.Next() {
		}
		if rows.Err() == nil {
			t.Error("rows of an ended transaction were read to their end")
		}
		return nil
	}, txn.Timeout(500*time.Millisecond))
	if !errors.Is(err, txn.ErrExpired) || e.Stats().Expired != 1 || e.count(t) != 0 {
		t.Errorf("%v, %+v, %d rows", err, e.Stats(), e.count(t))
	}
}

// Transactions that ended, however they did, leave no goroutine behind.
func TestNoGoroutineIsLeft(t *testing.T) {
	e := open(t)
	round := func() {
		for i := range 8 {
			limited, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			opts := []txn.Option{txn.Timeout(10 * time.Millisecond)}
			if i%2 == 0 {
				opts = nil
			}
			_ = e.Run(limited, func(_ context.Context, tx *txn.Tx) error {
				_ = tx.Nested(limited, func(_ context.Context, tx *txn.Tx) error { return insert(limited, tx, -1) })
				if i%4 < 2 {
					_, err := tx.Exec(ctx, "SELECT pg_sleep(10)")
					return err
				}
				_, err := tx.Query(ctx, "SELECT generate_series(1, 100)")
				return err
			}, opts...)
			cancel()
		}
	}
	round()
	before := goroutines(t, 0)
	for range 2 {
		round()
	}
	if after := goroutines(t, before); after > before+3 { // of the pool's connections
		t.Errorf("%d goroutines before, %d after 16 transactions", before, after)
	}
}

// goroutines counts those of the process, for a while until there are no more
// than a number.
func goroutines(t *testing.T, until int) int {
	t.Helper()
	n := gort.NumGoroutine()
	for range 100 {
		if n <= until {
			break
		}
		time.Sleep(5 * time.Millisecond)
		n = gort.NumGoroutine()
	}
	return n
}

// silence is a way to a server that can stop passing anything on.
type silence struct {
	net.Listener
	stopped atomic.Bool
}

// listen makes one to the socket of a server.
func listen(t *testing.T, network, address string) *silence {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := &silence{Listener: listener}
	pass := func(to, from net.Conn) {
		defer to.Close()
		buffer := make([]byte, 8192)
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			if s.stopped.Load() {
				continue
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			go pass(server, client)
			go pass(client, server)
		}
	}()
	return s
}

// A server that no longer answers holds neither the closure nor a connection.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	e := open(t)
	config, err := pgx.ParseConfig(e.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	s := listen(t, network, address)
	p, err := pool.New(ctx, e.db.URL, pool.Config{ConnectTimeout: 2 * time.Second, Configure: func(c *pgxpool.Config) error {
		c.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr().String())
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(ctx)
	m := txn.New(p)
	began := time.Now()
	err = m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		if err := insert(ctx, tx, 1); err != nil {
			return err
		}
		s.stopped.Store(true)
		began = time.Now()
		_, err := tx.Exec(ctx, "SELECT 1")
		return err
	}, txn.Timeout(500*time.Millisecond))
	if !errors.Is(err, txn.ErrExpired) || time.Since(began) > 5*time.Second || m.Stats().Expired != 1 {
		t.Errorf("%v after %v, %+v", err, time.Since(began), m.Stats())
	}
	s.stopped.Store(false)
	if err := m.Run(ctx, func(ctx context.Context, tx *txn.Tx) error { return insert(ctx, tx, 2) }); err != nil {
		t.Errorf("when it answers again: %v", err)
	}
	if n := e.count(t); n != 1 {
		t.Errorf("%d rows", n)
	}
	// pgx takes its time, in the background, to close what does not answer.
	deadline := time.Now().Add(30 * time.Second)
	for p.Stats().Active != 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if s := p.Stats(); s.Active != 0 {
		t.Errorf("connections held: %+v", s)
	}
}
