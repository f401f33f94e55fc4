package txn

import (
	"errors"
	"time"
)

// Every transaction has a moment at which it must be over, and its COMMIT
// another one. One timer serves all: it goes off at the earliest, and transactions
// begun with the same time-out one after the other do not move it.

var errCommitTooLong = errors.New("no answer to COMMIT in time")

// watch makes the manager look at tx at a moment; none if it is zero.
func (m *Manager) watch(tx *Tx, at time.Time) {
	m.mu.Lock()
	tx.limit = at
	m.wakeBy(at)
	m.mu.Unlock()
}

// wakeBy sets the timer no later than at. It is for who holds m.mu.
func (m *Manager) wakeBy(at time.Time) {
	if at.IsZero() || !m.wake.IsZero() && !at.Before(m.wake) {
		return
	}
	m.wake = at
	if m.timer == nil {
		m.timer = time.AfterFunc(time.Until(at), m.look)
	} else {
		m.timer.Reset(time.Until(at))
	}
}

// look ends what is over and sets the timer for the rest.
func (m *Manager) look() {
	now := time.Now()
	var next time.Time
	m.mu.Lock()
	m.wake = time.Time{}
	for _, tx := range m.txs {
		switch {
		case tx.limit.IsZero():
		case !tx.limit.After(now):
			tx.limit = time.Time{}
			go m.over(tx)
		case next.IsZero() || tx.limit.Before(next):
			next = tx.limit
		}
	}
	m.wakeBy(next)
	m.mu.Unlock()
}

// over ends a transaction whose moment has come.
func (m *Manager) over(tx *Tx) {
	m.mu.Lock()
	// That it is committing, and has another moment, is known at once: what begins
	// to commit after this is ended here.
	moved, status := !tx.limit.IsZero(), tx.status()
	m.mu.Unlock()
	switch {
	case moved:
	case status == beginning:
		tx.cancel(ErrExpired)
	case status == committing:
		tx.cancel(errCommitTooLong)
	default:
		tx.expireOn(Expired, ErrExpired, true)
	}
}
