package pack

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// An ID is the name of an object in binary: 20 bytes of SHA-1 or 32 of SHA-256.
type ID string

// String returns id in hexadecimal.
func (id ID) String() string { return hex.EncodeToString([]byte(id)) }

// ParseID reads an id in hexadecimal, of either length.
func ParseID(text []byte) (ID, bool) {
	var raw [32]byte
	if len(text) != 40 && len(text) != 64 {
		return "", false
	}
	n, err := hex.Decode(raw[:], text)
	return ID(raw[:n]), err == nil
}

// A Type is the type of an object.
type Type uint8

// The types, with the numbers that packs give them. Numbers 6 and 7 are deltas,
// which have the type of their base.
const (
	Commit Type = 1
	Tree   Type = 2
	Blob   Type = 3
	Tag    Type = 4

	ofsDelta = 6
	refDelta = 7

	// broken marks an entry whose header cannot be read or whose bases lead
	// nowhere; external one whose base is in another pack.
	broken   Type = 0
	external Type = 8
)

// String returns the name that git gives t.
func (t Type) String() string {
	names := [...]string{"damaged object", "commit", "tree", "blob", "tag"}
	if int(t) < len(names) {
		return names[t]
	}
	return "delta"
}

// ErrDamaged is wrapped by all errors about the content of a pack or object.
var ErrDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// A TooLargeError says that an object was not put together.
type TooLargeError struct{ Size, Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("larger than %g MiB", float64(e.Limit)/(1<<20))
}

// ErrCutOff says that a pack without an index ends before an object, or in the middle of one.
// Everything before that was read.
var ErrCutOff = errors.New("cut off")

// A cutOff is an error that is ErrCutOff too.
type cutOff struct{ error }

func (e cutOff) Is(target error) bool { return target == ErrCutOff }
func (e cutOff) Unwrap() error        { return e.error }
