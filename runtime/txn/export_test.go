package txn

import "time"

// ExpireNow does what the end of the Timeout does.
func (tx *Tx) ExpireNow() {
	tx.m.mu.Lock()
	tx.limit = time.Time{}
	tx.m.mu.Unlock()
	tx.m.over(tx)
}
