package detectors

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// A Secret is text that must not leave the process: a secret access key, a
// session token. It prints as "[redacted]" whichever way it is printed; Reveal
// is the only way out, so that `grep -r Reveal` is the audit. The zero Secret
// is "there is none" and prints as the empty string.
//
// Secrets are immutable and may be shared between goroutines.
type Secret struct {
	// A pointer, not a string: fmt cannot call methods on the unexported fields
	// of other structs and would print a string there; of a pointer it prints
	// the address.
	s *string
}

// NewSecret wraps s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{&s}
}

// Reveal returns the secret itself. Callers must not log, store or report it.
func (s Secret) Reveal() string {
	if s.s == nil {
		return ""
	}
	return *s.s
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.s == nil }

// Equal reports whether both hold the same text.
func (s Secret) Equal(t Secret) bool { return s.Reveal() == t.Reveal() }

// SHA256 returns the lower-case hexadecimal SHA-256 of the secret, or "" for
// none. It may be published for secrets of high entropy only: AWS secret keys
// have 240 bits, so that a hash tells nothing to who does not have the key.
func (s Secret) SHA256() string {
	if s.s == nil {
		return ""
	}
	h := sha256.Sum256([]byte(*s.s))
	return hex.EncodeToString(h[:])
}

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.s == nil {
		return ""
	}
	return redacted
}

// Format implements fmt.Formatter, for every verb, %#v and %x included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, and with it JSON and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
