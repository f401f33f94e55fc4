package pool

import (
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/runtime"
)

// readOnlyTransaction is the SQLSTATE of a write that may not be made.
const readOnlyTransaction = "25006"

// role is what the server says of itself: a standby, or one that begins its
// transactions read-only. Servers report a change of either by themselves, from
// 14 on, with the answer to the first statement that meets it
// (ReportChangedGUCOptions, guc.c); a pooler in between may report neither.
type role struct{ standby, readOnly string }

func roleOf(conn *pgconn.PgConn) role {
	return role{conn.ParameterStatus("in_hot_standby"), conn.ParameterStatus("default_transaction_read_only")}
}

// serverError looks at each error of a connection of the backend.
func (b *backend) serverError(conn *pgconn.PgConn, err *pgconn.PgError) {
	if err.Code != readOnlyTransaction {
		return
	}
	// In a transaction the caller may have asked for this. Outside of one it did
	// not, unless the server has said from the start that it is so.
	s, ok := conn.CustomData()[stateKey].(*connState)
	if ok && conn.TxStatus() == 'I' && s.role.standby != "on" && s.role.readOnly != "on" {
		s.refused.Store(true)
	}
}

// demoted reports whether the server has ceased to be what it was when s was
// made: it costs no round trip. Only who holds s may ask.
func (s *connState) demoted() bool {
	if s.refused.Load() {
		return true
	}
	now := roleOf(s.conn.PgConn())
	if now == s.role {
		return false
	}
	if s.role == (role{}) || now.standby == s.role.standby && now.readOnly == "off" {
		s.role = now // a pooler began to tell; or it takes writes again
		return false
	}
	return true
}

func (b *backend) tellClosed(s *connState, why reason) {
	if b.config.Observer != nil {
		e := runtime.Event{Kind: runtime.EventClose, At: s.created, Host: s.host, PID: s.pid, Standby: b.standby, Note: why.String()}
		e.Dur = time.Since(s.created)
		b.config.Observer.End(b.ctx, e)
	}
	if why == closedEvicted && b.config.Logger != nil {
		b.config.Logger.Warn("server changed its role, connection closed", "host", s.host, "pid", s.pid)
	}
}
