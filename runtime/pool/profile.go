package pool

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Profile says what stands between a pool and its server, and so what may be
// kept on a connection.
type Profile int

// The profiles.
const (
	// Direct is a server, or a pooler in session mode: statements are prepared
	// and kept.
	Direct Profile = iota
	// TransactionPooler is a pooler in transaction mode that knows nothing of
	// prepared statements (PgBouncer before 1.21): statements are described once
	// and sent unnamed, each in one round trip. The description is kept on this
	// side; nothing is kept on the server's.
	TransactionPooler
	// PreparedPooler is a pooler in transaction mode that keeps track of prepared
	// statements (PgBouncer from 1.21 on with max_prepared_statements).
	PreparedPooler
)

var profileNames = [...]string{"direct", "transaction-pooler", "prepared-pooler"}

// String returns the name that the DSN and the environment know.
func (p Profile) String() string { return nameOf(profileNames[:], int(p)) }

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("unknown (%d)", i)
	}
	return names[i]
}

// pooled says that a statement may run in another session than the one before.
func (p Profile) pooled() bool { return p != Direct }

// execMode is the way of sending statements that the profile stands for.
func (p Profile) execMode() pgx.QueryExecMode {
	if p == TransactionPooler {
		return pgx.QueryExecModeCacheDescribe
	}
	return pgx.QueryExecModeCacheStatement
}

// allows says why mode is not safe with the profile. The mode that describes
// each time does so in a round trip of its own with the unnamed statement, which
// somebody else may have replaced by the next one.
func (p Profile) allows(mode pgx.QueryExecMode) error {
	switch {
	case p == TransactionPooler && mode == pgx.QueryExecModeCacheStatement:
		return errors.New("it prepares statements that the pooler loses")
	case p.pooled() && mode == pgx.QueryExecModeDescribeExec:
		return errors.New("it needs two round trips in one session")
	}
	return nil
}
