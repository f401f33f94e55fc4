package pool

import (
	"math/rand/v2"
	"testing"
)

// Writers of one session begin, commit, learn their position or lose it, in any
// order: a token that is known covers every commit that has returned, and where
// nobody writes and a position was learned last, the token is known.
func TestSessionModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, log := &Session{}, LSN(0) // the primary's log
		type writer struct {
			step     int // 0 idle, 1 begun, 2 committed, 3 marked, 4 position read
			mark     uint64
			position LSN
		}
		writers := make([]writer, 3)
		returned := LSN(0) // the last commit that has returned
		for range 200 {
			w := &writers[r.IntN(len(writers))]
			settled := false
			switch w.step {
			case 0:
				s.begin()
			case 1:
				log += LSN(1 + r.IntN(9))
				returned = log // to one who holds a connection; the pool's own wait for the end
			case 2:
				w.mark = s.mark()
			case 3:
				w.position = log
			case 4:
				if r.IntN(4) == 0 {
					s.end(Token{}, w.mark)
				} else {
					s.end(Token{system: 1, timeline: 1, lsn: w.position}, w.mark)
					settled = true
				}
			}
			w.step = (w.step + 1) % 5
			token := s.Token()
			if !token.unknown && token.lsn < returned {
				t.Fatalf("seed %d: token at %v, a commit at %v has returned", seed, token.lsn, returned)
			}
			idle := true
			for _, w := range writers {
				idle = idle && w.step == 0
			}
			if idle != s.idle() {
				t.Fatalf("seed %d: idle is %v", seed, s.idle())
			}
			if settled && idle && token.unknown && w.mark == s.mark() {
				t.Fatalf("seed %d: the token is unknown after a position that covers all", seed)
			}
		}
	}
}
