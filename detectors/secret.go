package detectors

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// A Secret is text that must not leave the process, such as a secret access key or a
// session token. Every way to print it prints "[redacted]". Reveal is the only way out, so
// `grep -r Reveal` is the audit. The zero Secret means that there is none, and prints as
// the empty string.
//
// Secrets are immutable and may be shared between goroutines.
type Secret struct {
	// A pointer, not a string: fmt cannot call the methods of a Secret in an unexported
	// field of another struct. There it would print a string; it prints a pointer as an
	// address.
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

// SHA256 returns the SHA-256 of the secret in small hexadecimal digits, or "" if there is
// none. Publish it for secrets of high entropy only. An AWS secret key has 240 bits, too
// many to guess it from its hash.
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
