package txn

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"github.com/dbgen/dbgen/runtime"
)

// LockKey is what an advisory lock is taken on, in the whole database: a number
// of the caller's own, or a name by [Key].
type LockKey int64

// Key makes a key of a name within a namespace, such as ("invoice", "2024-117").
// It is the same in every version: the first eight bytes, the highest first, of
// the SHA-256 of namespace, a zero byte and name. Two names have the same key
// with a probability of 1 to 2^64, and then merely wait for each other. In SQL,
// for UTF-8:
//
//	('x' || encode(substr(sha256(convert_to(namespace, 'UTF8') || '\x00' || convert_to(name, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
func Key(namespace, name string) LockKey {
	sum := sha256.Sum256([]byte(namespace + "\x00" + name))
	return LockKey(binary.BigEndian.Uint64(sum[:]))
}

// Lock waits for an advisory lock that nobody else holds, and keeps it until the
// transaction ends, or the savepoint in which it was taken is rolled back. The
// wait is bounded by ctx, the transaction's end and [LockTimeout]; a deadlock is
// found by the server. The lock lies in the transaction, not in the session, so
// that it is right behind poolers too and cannot be left behind.
func (tx *Tx) Lock(ctx context.Context, key LockKey) error {
	return tx.lock(ctx, "Lock", "SELECT pg_advisory_xact_lock($1)", key)
}

// LockShared is [Tx.Lock] for a lock that several may hold, and none of Lock.
func (tx *Tx) LockShared(ctx context.Context, key LockKey) error {
	return tx.lock(ctx, "LockShared", "SELECT pg_advisory_xact_lock_shared($1)", key)
}

// TryLock is [Tx.Lock] without waiting; false if it is held.
func (tx *Tx) TryLock(ctx context.Context, key LockKey) (bool, error) {
	return tx.tryLock(ctx, "TryLock", "SELECT pg_try_advisory_xact_lock($1)", key)
}

// TryLockShared is [Tx.LockShared] without waiting; false if it is held.
func (tx *Tx) TryLockShared(ctx context.Context, key LockKey) (bool, error) {
	return tx.tryLock(ctx, "TryLockShared", "SELECT pg_try_advisory_xact_lock_shared($1)", key)
}

func (tx *Tx) lock(ctx context.Context, name, sql string, key LockKey) error {
	return runtime.Exec(ctx, tx, runtime.Query{Name: name, SQL: sql}, int64(key))
}

func (tx *Tx) tryLock(ctx context.Context, name, sql string, key LockKey) (bool, error) {
	return runtime.One(ctx, tx, runtime.Query{Name: name, SQL: sql}, func(row *runtime.Row) bool { return row.Bool(0) }, int64(key))
}
