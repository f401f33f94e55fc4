package pool

import (
	"context"
	"net"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// cancelThere makes pgx send the request to cancel a statement to the server
// that the connection is to. By itself it does so over TCP; of several Unix
// sockets it takes the first of the configuration, unless the connection's
// network is not called "unix".
func cancelThere(cc *pgx.ConnConfig) {
	if len(cc.Fallbacks) == 0 {
		return
	}
	dial, after := cc.DialFunc, cc.AfterNetConnect
	cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if network == socketNetwork {
			network = "unix"
		}
		return dial(ctx, network, address)
	}
	cc.AfterNetConnect = func(ctx context.Context, config *pgconn.Config, conn net.Conn) (net.Conn, error) {
		if remote := conn.RemoteAddr(); remote != nil && remote.Network() == "unix" && filepath.IsAbs(remote.String()) {
			conn = socket{conn, socketAddr(remote.String())}
		}
		if after == nil {
			return conn, nil
		}
		return after(ctx, config, conn)
	}
}

const socketNetwork = "unix socket"

// socket is a connection to a Unix socket that is dialled again by its own
// address.
type socket struct {
	net.Conn
	remote socketAddr
}

func (s socket) RemoteAddr() net.Addr { return s.remote }

type socketAddr string

func (socketAddr) Network() string  { return socketNetwork }
func (a socketAddr) String() string { return string(a) }
