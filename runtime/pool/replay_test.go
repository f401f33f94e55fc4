package pool_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// replay answers what clients send with what a server answered to the same
// bytes before, so that only the client's own work takes time.
type replay struct {
	answers map[string][]byte
}

// record runs work on a pool of one connection to the server at url, and keeps
// what was said.
func record(t testing.TB, url string, work func(*pgxpool.Pool)) *replay {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	r := &replay{answers: map[string][]byte{}}
	dial := config.ConnConfig.DialFunc
	config.MaxConns = 1
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &recorder{Conn: conn, to: r}, err
	}
	p, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	work(p)
	p.Close()
	return r
}

// dial is a DialFunc to nobody.
func (r *replay) dial(context.Context, string, string) (net.Conn, error) {
	c := &replayed{from: r}
	c.changed.L = &c.mu
	return c, nil
}

// hello stands for the first message of a connection, whose parameters come in
// any order.
const hello = "hello"

type recorder struct {
	net.Conn
	to   *replay
	mu   sync.Mutex
	said string
}

func (c *recorder) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.said == "" {
		c.said = hello
	} else {
		c.said = string(p)
	}
	c.to.answers[c.said] = nil
	c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *recorder) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.to.answers[c.said] = append(c.to.answers[c.said], p[:n]...)
	c.mu.Unlock()
	return n, err
}

// replayed is the client's end of a connection that is replayed.
type replayed struct {
	from    *replay
	mu      sync.Mutex
	changed sync.Cond
	answer  []byte
	closed  bool
	greeted bool
	err     error
}

func (c *replayed) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, ok := c.from.answers[string(p)]
	if !c.greeted {
		c.greeted = true
		answer, ok = c.from.answers[hello]
	}
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case ok && len(c.answer) == 0:
		c.answer = answer
	case p[0] == 'X': // Terminate
	default:
		c.err = errors.New("replay: this was not said when it was recorded")
	}
	c.changed.Broadcast()
	return len(p), nil
}

func (c *replayed) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.answer) == 0 {
		switch {
		case c.err != nil:
			return 0, c.err
		case c.closed:
			return 0, io.EOF
		}
		c.changed.Wait()
	}
	n := copy(p, c.answer)
	c.answer = c.answer[n:]
	return n, nil
}

func (c *replayed) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

func (*replayed) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*replayed) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*replayed) SetDeadline(time.Time) error      { return nil }
func (*replayed) SetReadDeadline(time.Time) error  { return nil }
func (*replayed) SetWriteDeadline(time.Time) error { return nil }
