package awskeys

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// Placeholder returns why c is no credential but an example or filler, or "".
// It is a filter, not a detector: what it names is suppressed with its reason,
// not lost.
func Placeholder(c detectors.Credential) string {
	if c.ID != "" {
		if why := keyformat.PlaceholderID(c.ID); why != "" {
			return why
		}
		if c.Secret.IsZero() && keyformat.Grade(c.ID) == keyformat.Impossible && keyformat.IsWords(c.ID[keyformat.PrefixLen:]) {
			return "words that begin like a key id"
		}
	}
	secret := c.Secret.Reveal()
	switch {
	case keyformat.ManualOf(secret) != "":
		return "secret of " + keyformat.ManualOf(secret) + ", known to everybody"
	case keyformat.IsExampleText(secret) || keyformat.IsExampleText(c.Token.Reveal()):
		return "example secret of the AWS documentation"
	case secret != "" && c.ID == "" && keyformat.IsFiller(secret):
		return "placeholder"
	}
	return ""
}
