package pool

import (
	"context"
	"iter"
	"time"
)

// ListenEvery is [Pool.Listen] with another time of silence.
func (p *Pool) ListenEvery(ctx context.Context, keepalive time.Duration, channels ...string) iter.Seq2[Notification, error] {
	return p.listen(ctx, keepalive, channels)
}
