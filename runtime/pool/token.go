package pool

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// LSN is a position in a server's write-ahead log, in bytes.
type LSN uint64

// String returns the position as the server writes it: 16/B374D848.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint32(l)) }

// parseLSN is pg_lsn_in_internal (pg_lsn.c).
func parseLSN(text string) (LSN, error) {
	high, low, ok := strings.Cut(text, "/")
	if !ok {
		return 0, fmt.Errorf("position %q has no slash", text)
	}
	h, err := strconv.ParseUint(high, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("position %q: %w", text, err)
	}
	l, err := strconv.ParseUint(low, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("position %q: %w", text, err)
	}
	return LSN(h<<32 | l), nil
}

// Token says how far a standby must have replayed to show the writes it was
// made for. It is small and comparable, and goes between processes as text, in
// a cookie or a message. The zero Token asks for nothing.
//
// A token is not a secret, nor is it signed: one that was made up can do no more
// than have the reads it comes with wait and go to the primary.
type Token struct {
	system   uint32 // hash of the system identifier
	timeline uint32
	lsn      LSN
	// unknown is of writes whose position could not be read: no standby will do.
	unknown bool
}

// IsZero reports whether the token asks for nothing.
func (t Token) IsZero() bool { return t == Token{} }

const (
	tokenVersion = "1"
	tokenUnknown = tokenVersion + "-unknown"
)

// String returns the token as text, for [ParseToken]; "" for the zero Token.
func (t Token) String() string {
	switch {
	case t.unknown:
		return tokenUnknown
	case t.IsZero():
		return ""
	}
	return fmt.Sprintf(tokenVersion+"-%08x-%x-%x", t.system, t.timeline, uint64(t.lsn))
}

// ErrToken is matched by the errors of [ParseToken].
var ErrToken = errors.New("not a token of a write")

// ParseToken reads what [Token.String] wrote; "" is the zero Token. The error
// matches [ErrToken].
func ParseToken(text string) (Token, error) {
	switch text {
	case "":
		return Token{}, nil
	case tokenUnknown:
		return Token{unknown: true}, nil
	}
	parts := strings.Split(text, "-")
	if len(parts) != 4 || parts[0] != tokenVersion {
		return Token{}, ErrToken
	}
	var numbers [3]uint64
	for i, bits := range [...]int{32, 32, 64} {
		n, err := strconv.ParseUint(parts[i+1], 16, bits)
		if err != nil {
			return Token{}, ErrToken
		}
		numbers[i] = n
	}
	t := Token{system: uint32(numbers[0]), timeline: uint32(numbers[1]), lsn: LSN(numbers[2])}
	// One text for each token: no capitals, no leading zeros, no timeline 0,
	// which no server has.
	if t.timeline == 0 || t.lsn == 0 || t.String() != text {
		return Token{}, ErrToken
	}
	return t, nil
}

// MarshalText is [Token.String], for JSON and the like.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is [ParseToken].
func (t *Token) UnmarshalText(text []byte) error {
	parsed, err := ParseToken(string(text))
	if err == nil {
		*t = parsed
	}
	return err
}

// merge returns a token for the writes of both: the later position, on the newer
// timeline. Positions of two systems cannot be compared.
func (t Token) merge(other Token) Token {
	switch {
	case t.IsZero() || t == other:
		return other
	case other.IsZero():
		return t
	case t.unknown || other.unknown || t.system != other.system:
		return Token{unknown: true}
	case cmp.Or(cmp.Compare(t.timeline, other.timeline), cmp.Compare(t.lsn, other.lsn)) < 0:
		return other
	}
	return t
}

// systemHash shortens a system identifier, which a token tells apart from
// others and need not give away.
func systemHash(system uint64) uint32 {
	h := fnv.New32a()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], system)
	_, _ = h.Write(b[:]) // never fails
	return h.Sum32()
}
