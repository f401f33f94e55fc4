package runtime

import (
	"fmt"
	"log/slog"
)

// Secret is a text that must not be printed: a password, a connection string.
// Whatever prints, logs or encodes it shows "[redacted]".
type Secret string

const redacted = "[redacted]"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// Format prints "[redacted]" for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", for JSON, XML and YAML too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
