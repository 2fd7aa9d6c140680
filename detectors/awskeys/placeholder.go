package awskeys

import (
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// Placeholder returns the reason why c is an example or filler and no credential, or "".
// The scanner suppresses such findings with the reason; Detect reports them.
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
