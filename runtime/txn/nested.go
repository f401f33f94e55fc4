package txn

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Nested runs fn within a savepoint: if Nested returns an error (of fn, or since
// a statement had failed although fn returned nil) or fn panics, what it did is
// undone, with the hooks it added, and the transaction goes on. A serialization
// failure or a deadlock is not undone to the savepoint, since the whole
// transaction must be repeated; return it.
func (tx *Tx) Nested(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	tx.mu.Lock()
	tx.savepoints++
	name := "dbgen_" + strconv.Itoa(tx.savepoints) // one of the caller's own would hide it
	hooks := len(tx.hooks)
	doomed, failed := tx.doomed, tx.failure
	tx.mu.Unlock()
	if err := tx.savepoint(ctx, name, "SAVEPOINT "+name); err != nil {
		return err
	}
	tx.deepen(1)
	returned := false
	undo := func() error {
		tx.closeOpen()
		tx.mu.Lock()
		clear(tx.hooks[min(hooks, len(tx.hooks)):])
		tx.hooks = tx.hooks[:min(hooks, len(tx.hooks))]
		tx.doomed, tx.failure = doomed, failed
		tx.mu.Unlock()
		// Rolled back to, a savepoint still exists; released, it does not pile
		// up. Both in one round trip, even if ctx has ended.
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		return tx.savepoint(late, name, "ROLLBACK TO SAVEPOINT "+name+"; RELEASE SAVEPOINT "+name)
	}
	defer func() {
		if !returned { // a panic, or runtime.Goexit; it goes on by itself
			tx.deepen(-1)
			if undo() != nil {
				tx.doom(errPanicked)
			}
		}
	}()
	err := fn(ctx, tx)
	returned = true
	tx.deepen(-1)
	if err == nil {
		tx.closeOpen()
		// A RELEASE that fails undoes: what comes with an error must not stay.
		if err = tx.savepoint(ctx, name, "RELEASE SAVEPOINT "+name); err == nil {
			return nil
		}
	}
	if err = tx.explain(err); again(err) && tx.conflicted() != nil {
		tx.doom(err)
		return err
	}
	if undoErr := undo(); undoErr != nil {
		if tx.endedBy() != nil {
			return tx.interrupted(err)
		}
		tx.doom(err)
		return fmt.Errorf("%w (and its savepoint could not be rolled back: %w)", err, undoErr)
	}
	return err
}

func (tx *Tx) savepoint(ctx context.Context, name, sql string) error {
	if err := tx.enter(); err != nil {
		return err
	}
	defer tx.leave()
	_, err := tx.exec(ctx, OpSavepoint, name, sql, []any{pgx.QueryExecModeSimpleProtocol})
	return err
}

func (tx *Tx) deepen(by int) {
	tx.mu.Lock()
	tx.depth += by
	tx.mu.Unlock()
}

// doom keeps the transaction from committing.
func (tx *Tx) doom(err error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.doomed == nil {
		tx.doomed = err
	}
}

// fits refuses options that ask for more than the transaction gives. What the
// manager's defaults ask for, beside isolation and access, gives way to what the
// transaction was begun with.
func (tx *Tx) fits(o *Options) error {
	defaults := &tx.m.defaults
	switch {
	case tx.status() != Active:
		return tx.closedError()
	case strength(o.Isolation) > strength(tx.options.Isolation):
		return fmt.Errorf("%w: %s within %s", ErrIncompatibleOptions, o.Isolation, levelName(tx.options.Isolation))
	case tx.options.ReadOnly && !o.ReadOnly:
		return fmt.Errorf("%w: read-write within read-only", ErrIncompatibleOptions)
	case o.Deferrable && !tx.options.Deferrable:
		return fmt.Errorf("%w: deferrable within one that is not", ErrIncompatibleOptions)
	case o.resolvable() && !tx.options.resolvable() && !defaults.resolvable():
		return fmt.Errorf("%w: a resolved outcome within one that is not", ErrIncompatibleOptions)
	case o.LockTimeout > 0 && o.LockTimeout != defaults.LockTimeout && (tx.options.LockTimeout == 0 || o.LockTimeout < tx.options.LockTimeout):
		return fmt.Errorf("%w: a shorter lock time-out", ErrIncompatibleOptions)
	}
	if err := tx.belongsTo(o.tenant); err != nil {
		return err
	}
	for _, s := range o.Settings {
		if slices.Contains(defaults.Settings, s) {
			continue
		}
		if value, ok := lookup(tx.options.Settings, s.Name); !ok || value != s.Value {
			return fmt.Errorf("%w: setting %s differs", ErrIncompatibleOptions, s.Name)
		}
	}
	return nil
}

// within runs fn of a Run within this transaction.
func (tx *Tx) within(ctx context.Context, o Options, fn func(context.Context, *Tx) error) error {
	if err := tx.fits(&o); err != nil {
		return err
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, time.Now().Add(o.Timeout), ErrExpired)
		defer cancel()
	}
	if o.Propagation == PropagateSavepoint {
		return tx.Nested(ctx, fn)
	}
	returned := false
	defer func() {
		if !returned {
			tx.doom(errPanicked)
		}
	}()
	err := fn(ctx, tx)
	returned = true
	if err != nil {
		tx.doom(err)
	}
	return err
}

func levelName(level pgx.TxIsoLevel) string {
	if level == "" {
		return "the server's default level"
	}
	return string(level)
}
