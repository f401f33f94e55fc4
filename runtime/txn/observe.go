package txn

import (
	"context"
	"time"

	"github.com/dbgen/dbgen/runtime"
)

// observed is what a Beginner has whose observer is to be told of transactions
// as well.
type observed interface{ Observer() runtime.Observer }

func (tx *Tx) event() runtime.Event {
	return runtime.Event{
		Kind: runtime.EventTransaction, Name: tx.options.Label, At: tx.began, PID: tx.pid, Tx: tx.id, Attempt: tx.attempt,
	}
}

// observeBegin tells of a transaction that begins; what the observer puts into
// its context is seen by the closure.
func (tx *Tx) observeBegin() {
	if observer := tx.options.observer; observer != nil {
		tx.parent = observer.Begin(tx.parent, tx.event())
	}
}

// observeEnd tells of its end, or of a BEGIN that failed, which ends as rolled
// back.
func (tx *Tx) observeEnd(status Status, err error) {
	observer := tx.options.observer
	if observer == nil {
		return
	}
	e := tx.event()
	e.Dur, e.Note = time.Since(tx.began), status.String()
	if status != Committed {
		e.Err = shown(err)
	}
	observer.End(tx.parent, e)
}

// observeRetry tells that a transaction will be repeated because of an error,
// as attempt.
func (o *Options) observeRetry(ctx context.Context, attempt int, cause retryCause, err error) {
	if o.observer != nil {
		o.observer.End(ctx, runtime.Event{
			Kind: runtime.EventRetry, Name: o.Label, At: time.Now(), Attempt: attempt, Err: shown(err), Note: cause.String(),
		})
	}
}

// shown is err as events have it: what the server said as a [runtime.Error].
func shown(err error) error {
	if runtime.AsError(err) == nil {
		return err
	}
	return runtime.NewError(context.Background(), "", err)
}
