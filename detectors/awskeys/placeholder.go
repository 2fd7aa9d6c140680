package awskeys

import (
	"github.com/stanch-dev/stanch/detectors"
)

// Placeholder returns why c is no credential but an example or filler, or "".
// It is a filter, not a detector: what it names is suppressed with its reason,
// not lost.
func Placeholder(c detectors.Credential) string {
	if c.ID != "" {
		if why := placeholderID(c.ID); why != "" {
			return why
		}
		if c.Secret.IsZero() && Grade(c.ID) == Impossible && isWords(c.ID[prefixLen:]) {
			return "words that begin like a key id"
		}
	}
	secret := c.Secret.Reveal()
	switch {
	case manualOf(secret) != "":
		return "secret of " + manualOf(secret) + ", known to everybody"
	case isExampleText(secret) || isExampleText(c.Token.Reveal()):
		return "example secret of the AWS documentation"
	case secret != "" && c.ID == "" && isFiller(secret):
		return "placeholder"
	}
	return ""
}
