package requests

import (
	"context"

	"github.com/stanch-dev/stanch/detectors"
)

// A TokenSource has the token for a request. It is safe for use by several goroutines.
type TokenSource interface {
	// Token returns a token that GitHub accepts now, or the zero Secret for requests
	// without one. refused is the token that GitHub has just refused, if any.
	Token(ctx context.Context, refused detectors.Secret) (detectors.Secret, error)
}

// Static is a TokenSource with one token, of a person or of a job; the zero Secret means no
// token.
type Static struct{ detectors.Secret }

// Token implements TokenSource.
func (s Static) Token(context.Context, detectors.Secret) (detectors.Secret, error) {
	return s.Secret, nil
}
