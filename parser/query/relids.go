package query

import (
	"iter"
	"math/bits"
	"strconv"
	"strings"
)

// Relids is a set of range table indexes: PostgreSQL's Bitmapset of relids. It
// is an immutable, comparable value, so that == is set equality and it can be a
// map key. The zero Relids is the empty set. Sets with members below 64 need no
// allocation.
type Relids struct {
	lo   uint64
	more string // members from 64 on, a bitmap without trailing zero bytes
}

// MakeRelids returns the set of the given indexes. A negative index panics: it
// is a broken invariant.
func MakeRelids(members ...int) Relids {
	var s Relids
	for _, m := range members {
		s = s.Add(m)
	}
	return s
}

// Add returns the set with m in it.
func (s Relids) Add(m int) Relids {
	if m < 0 {
		panic("query: negative range table index " + strconv.Itoa(m))
	}
	if m < 64 {
		s.lo |= 1 << m
		return s
	}
	at := (m - 64) / 8
	b := make([]byte, max(len(s.more), at+1))
	copy(b, s.more)
	b[at] |= 1 << ((m - 64) % 8)
	s.more = string(b)
	return s
}

// Has reports whether m is a member.
func (s Relids) Has(m int) bool {
	if m < 0 {
		return false
	}
	if m < 64 {
		return s.lo&(1<<m) != 0
	}
	at := (m - 64) / 8
	return at < len(s.more) && s.more[at]&(1<<((m-64)%8)) != 0
}

// IsEmpty reports whether the set has no member.
func (s Relids) IsEmpty() bool { return s == Relids{} }

// Len returns the number of members.
func (s Relids) Len() int {
	n := bits.OnesCount64(s.lo)
	for i := 0; i < len(s.more); i++ {
		n += bits.OnesCount8(s.more[i])
	}
	return n
}

// Single returns the only member, and whether there is exactly one.
func (s Relids) Single() (int, bool) {
	if s.Len() != 1 {
		return 0, false
	}
	return s.Min(), true
}

// Min returns the smallest member, -1 for the empty set.
func (s Relids) Min() int {
	for m := range s.All() {
		return m
	}
	return -1
}

// Union returns s ∪ t.
func (s Relids) Union(t Relids) Relids {
	return s.combine(t, func(a, b byte) byte { return a | b }, s.lo|t.lo)
}

// Intersect returns s ∩ t.
func (s Relids) Intersect(t Relids) Relids {
	return s.combine(t, func(a, b byte) byte { return a & b }, s.lo&t.lo)
}

// Minus returns s \ t.
func (s Relids) Minus(t Relids) Relids {
	return s.combine(t, func(a, b byte) byte { return a &^ b }, s.lo&^t.lo)
}

func (s Relids) combine(t Relids, op func(a, b byte) byte, lo uint64) Relids {
	if s.more == "" && t.more == "" {
		return Relids{lo: lo}
	}
	b := make([]byte, max(len(s.more), len(t.more)))
	for i := range b {
		var x, y byte
		if i < len(s.more) {
			x = s.more[i]
		}
		if i < len(t.more) {
			y = t.more[i]
		}
		b[i] = op(x, y)
	}
	return Relids{lo, strings.TrimRight(string(b), "\x00")}
}

// Remove returns the set without m.
func (s Relids) Remove(m int) Relids {
	if !s.Has(m) {
		return s
	}
	return s.Minus(MakeRelids(m))
}

// IsSubset reports whether every member of s is in t.
func (s Relids) IsSubset(t Relids) bool { return s.Minus(t).IsEmpty() }

// Overlaps reports whether s and t share a member.
func (s Relids) Overlaps(t Relids) bool {
	if s.lo&t.lo != 0 {
		return true
	}
	return !s.Intersect(t).IsEmpty()
}

// All yields the members in ascending order.
func (s Relids) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w := s.lo; w != 0; w &= w - 1 {
			if !yield(bits.TrailingZeros64(w)) {
				return
			}
		}
		for i := 0; i < len(s.more); i++ {
			for w := s.more[i]; w != 0; w &= w - 1 {
				if !yield(64 + 8*i + bits.TrailingZeros8(w)) {
					return
				}
			}
		}
	}
}

// String prints the members as PostgreSQL's debug output does: (b 1 3).
func (s Relids) String() string {
	var b strings.Builder
	b.WriteString("(b")
	for m := range s.All() {
		b.WriteByte(' ')
		b.WriteString(strconv.Itoa(m))
	}
	b.WriteByte(')')
	return b.String()
}
