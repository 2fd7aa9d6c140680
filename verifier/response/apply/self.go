package apply

import (
	"context"
	"fmt"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/response"
)

// admitSelf judges a key that switches itself off, before anything is changed.
func (a *Applier) admitSelf(ctx context.Context, hash string, k response.Key) error {
	if a.Journal.History(hash).Step(k.Steps[0]).Intent != nil {
		return nil // it may be off already, by a call whose answer was lost
	}
	v, err := a.ask(ctx, k.KeyID)
	switch {
	case err != nil:
		return err
	case v.State != verifier.Live:
		return response.Refuse(response.GateDrift, "it was live when the plan was made, and is %s %s", v.State, v.Reason)
	case v.Identity.ARN != k.ARN:
		return response.Refuse(response.GateIdentity, "AWS now says that it belongs to %s", v.Identity.ARN)
	}
	return nil
}

// ask asks STS about the leaked key.
func (a *Applier) ask(ctx context.Context, keyID string) (verifier.Verdict, error) {
	if a.Recheck != nil {
		if v, asked := a.Recheck(ctx, keyID); asked {
			return v, nil
		}
	}
	return verifier.Verdict{}, response.Refuse(response.GateSelf, "--self signs with the leaked key: give a report with its secret (--findings)")
}

// selfState returns the status of a key that only STS can be asked about.
func (a *Applier) selfState(ctx context.Context, keyID string) (string, error) {
	v, err := a.ask(ctx, keyID)
	switch {
	case err != nil:
		return "", err
	case v.State == verifier.Live:
		return response.Active, nil
	case v.State == verifier.Invalid:
		return response.Inactive, nil
	}
	return "", fmt.Errorf("STS says of the key: %s %s", v.State, v.Reason)
}
