package response

import (
	"context"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/verifier"
)

// A leaked key may set itself to Inactive, if the operator asks for it: where
// there is no responder in the account, and for the root user, whose keys nobody
// else can switch off. Nothing else is done with it: not its tags, not its last
// use, not its policies are read. What these would tell is not known, and the
// plan says so.

// self reports whether k is switched off with itself.
func (k Key) SwitchesItselfOff() bool { return len(k.Steps) > 0 && k.Steps[0].Do == DeactivateSelf }

// self plans for a leak without an identity of the operator's.
func (p *Planner) self(ctx context.Context, leak Leak) (Key, error) {
	if _, ok := isService(leak); ok {
		return Key{}, Refuse(GateManual, "it is no access key: --self cannot switch it off")
	}
	if err := p.Rules.judge(leak, p.now()); err != nil {
		return Key{}, err
	}
	who := leak.Verdict.Identity
	switch {
	case IsSession(leak.Credential.ID) && who.Kind == "root":
		return Key{}, Refuse(GateManual, "a session of the root user: it cannot end itself, and no responder can end it")
	case IsSession(leak.Credential.ID) || who.Kind == "role":
		return Key{}, Refuse(GateManual, "a session cannot end itself: it takes a responder in its account")
	case leak.Credential.Secret.IsZero() || p.Verifier == nil:
		return Key{}, Refuse(GateSelf, "--self signs with the leaked key: plan from a report with its secret (--show-secrets)")
	}
	for _, f := range leak.Verdict.Facts {
		if f.Name == "quarantine" {
			return Key{}, Refuse(GateQuarantine, "AWS's quarantine policy denies iam:UpdateAccessKey to the key itself: it takes a responder in its account")
		}
	}
	if !p.Rules.ForceInUse {
		return Key{}, Refuse(GateInUse, "whether something works with it cannot be read with --self: plan with --force-in-use if it may stop")
	}
	if err := p.stillLive(ctx, leak); err != nil {
		return Key{}, err
	}
	k := leak.key()
	k.Responder, k.Status, k.LastUsed = who.ARN, Active, "not known"
	k.Warnings = []string{
		"the leaked key itself is used, for iam:UpdateAccessKey on itself: its owner sees that in CloudTrail as a call of the key",
		"this cannot be taken back by stanch: who has rights in the account can activate the key again",
		"its tags are not read: whether it is protected (" + ProtectedTag + ") is not known",
		"sessions that were made with it go on for up to 36 hours: only a responder can deny them",
	}
	if k.Kind == "root" {
		k.Name = "root"
	}
	k.Steps = []Step{{DeactivateSelf, k.Kind, k.Name, k.KeyID}}
	return k, nil
}

// root says why a key of the root user is left alone, with what an audit of the
// root user's credentials tells, if the operator may do one.
func (p *Planner) root(ctx context.Context, leak Leak) (Gate, string) {
	const why = "a key of the root user: nobody else can deactivate it"
	s, err := p.Operator.Root(ctx, leak.Verdict.Identity.Account)
	if err != nil {
		return GateRoot, why + " (it cannot be looked at: " + Explain(err) + ")"
	}
	keys, err := s.OwnKeys(ctx)
	if err != nil {
		return GateRoot, why + " (it cannot be looked at: " + Explain(err) + ")"
	}
	for _, k := range keys {
		if k.ID != leak.Credential.ID {
			continue
		}
		if k.Status != Active {
			return GateState, "a key of the root user; it is " + k.Status + " already"
		}
		return GateRoot, fmt.Sprintf("%s; it is Active, made %s", why, k.Created.UTC().Format(time.DateOnly))
	}
	return GateState, "the root user has no such key any more"
}

// admitSelf judges a key that switches itself off, before anything is changed.
func (a *Applier) admitSelf(ctx context.Context, hash string, k Key) error {
	if a.history(hash).Of(k.Steps[0]).Intent != nil {
		return nil // it may be off already, by a call whose answer was lost
	}
	v, err := a.ask(ctx, k.KeyID)
	switch {
	case err != nil:
		return err
	case v.State != verifier.Live:
		return Refuse(GateDrift, "it was live when the plan was made, and is %s %s", v.State, v.Reason)
	case v.Identity.ARN != k.ARN:
		return Refuse(GateIdentity, "asked now, it belongs to %s", v.Identity.ARN)
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
	return verifier.Verdict{}, Refuse(GateSelf, "--self signs with the leaked key: give a report with its secret (--findings)")
}

// selfState returns how a key is that can be asked about at STS only.
func (a *Applier) selfState(ctx context.Context, keyID string) (string, error) {
	v, err := a.ask(ctx, keyID)
	switch {
	case err != nil:
		return "", err
	case v.State == verifier.Live:
		return Active, nil
	case v.State == verifier.Invalid:
		return Inactive, nil
	}
	return "", fmt.Errorf("STS says of the key: %s %s", v.State, v.Reason)
}
