package protocol

import (
	"context"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// Credentials are leaked keys with their secrets, by key id.
type Credentials map[string]detectors.Credential

// Recheck returns a function for apply.Applier that asks sts about these keys.
func (c Credentials) Recheck(sts verifier.Verifier) func(context.Context, string) (verifier.Verdict, bool) {
	return func(ctx context.Context, id string) (verifier.Verdict, bool) {
		cred, ok := c[id]
		if !ok {
			return verifier.Verdict{}, false
		}
		return sts.Verify(ctx, cred), true
	}
}

// Leaked returns a function for apply.Applier that opens sessions of the leaked keys
// themselves, for --self.
func (c Credentials) Leaked(cfg operator.Config) func(response.Key) (*operator.Session, bool, error) {
	return func(k response.Key) (*operator.Session, bool, error) {
		cred, ok := c[k.KeyID]
		if !ok {
			return nil, false, nil
		}
		s, err := operator.Leaked(cfg, cred, k.ARN)
		return s, true, err
	}
}

// FreshSTS is a verifier.Verifier that remembers nothing: each call is a request.
type FreshSTS awsverifier.Config

// Verify implements verifier.Verifier.
func (f FreshSTS) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	client, err := awsverifier.New(awsverifier.Config(f))
	if err != nil {
		return verifier.Verdict{State: verifier.Unknown, Reason: "not asked", Err: err}
	}
	return client.Verify(ctx, c)
}
