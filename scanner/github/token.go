package github

import (
	"context"

	"github.com/stanch-dev/stanch/detectors"
)

// A TokenSource has the token for a request. It is safe for use by several goroutines.
type TokenSource interface {
	// Token returns a token that GitHub takes now, none for requests without one.
	// refused is one that it has just not taken, if there is.
	Token(ctx context.Context, refused detectors.Secret) (detectors.Secret, error)
}

// Static is a TokenSource of one token, that of a person or of a job; the zero Secret
// is none.
type Static struct{ detectors.Secret }

// Token implements TokenSource.
func (s Static) Token(context.Context, detectors.Secret) (detectors.Secret, error) {
	return s.Secret, nil
}
