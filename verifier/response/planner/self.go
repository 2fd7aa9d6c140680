package planner

import (
	"context"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
)

// self plans for a leaked key that sets itself to Inactive (--self): where there is no
// responder in the account, and for the root user, whose keys nobody else can switch off.
// The key is used for nothing else, so its tags, its last use and its policies are not
// known. The plan says so.
func (p *Planner) self(ctx context.Context, leak *finding.Finding) (response.Key, error) {
	if _, ok := isService(leak); ok {
		return response.Key{}, response.Refuse(response.GateManual, "it is not an access key: --self cannot switch it off")
	}
	if err := p.judge(leak); err != nil {
		return response.Key{}, err
	}
	who := leak.Verdict.Identity
	switch {
	case response.IsSession(leak.Match.Credential.ID) && who.Kind == "root":
		return response.Key{}, response.Refuse(response.GateManual, "a session of the root user: it cannot end itself, and no responder can end it")
	case response.IsSession(leak.Match.Credential.ID) || who.Kind == "role":
		return response.Key{}, response.Refuse(response.GateManual, "a session cannot end itself: only a responder in its account can")
	case leak.Match.Credential.Secret.IsZero() || p.Verifier == nil:
		return response.Key{}, response.Refuse(response.GateSelf, "--self signs with the leaked key: plan from a report with its secret (--show-secrets)")
	}
	for _, f := range leak.Verdict.Facts {
		if f.Name == "quarantine" {
			return response.Key{}, response.Refuse(response.GateQuarantine, "AWS's quarantine policy denies iam:UpdateAccessKey to the key itself: only a responder in its account can switch it off")
		}
	}
	if !p.Rules.ForceInUse {
		return response.Key{}, response.Refuse(response.GateInUse, "--self cannot tell whether something uses the key: plan with --force-in-use if that may stop")
	}
	if err := p.stillLive(ctx, leak, response.Active); err != nil {
		return response.Key{}, err
	}
	k := keyOf(leak)
	k.Responder, k.Status, k.LastUsed = who.ARN, response.Active, "not known"
	k.Warnings = []string{
		"the leaked key itself is used, for iam:UpdateAccessKey on itself: its owner sees that in CloudTrail as a call of the key",
		"stanch cannot undo this: somebody with permissions in the account can activate the key again",
		"its tags are not read: whether it is protected (" + response.ProtectedTag + ") is not known",
		"sessions that were made with it keep working for up to 36 hours: only a responder can deny them",
	}
	if k.Kind == "root" {
		k.Name = "root"
	}
	k.Steps = []response.Step{{Do: response.DeactivateSelf, Kind: k.Kind, Name: k.Name, Object: k.KeyID}}
	return k, nil
}

// root says why a key of the root user is left alone. If the operator may audit the root
// user's credentials, it adds the status of the key.
func (p *Planner) root(ctx context.Context, leak *finding.Finding) (response.Gate, string) {
	const why = "a key of the root user: nobody else can deactivate it"
	s, err := p.Operator.Root(ctx, leak.Verdict.Identity.Account)
	if err != nil {
		return response.GateRoot, why + " (it cannot be looked at: " + response.Explain(err) + ")"
	}
	keys, err := s.OwnKeys(ctx)
	if err != nil {
		return response.GateRoot, why + " (it cannot be looked at: " + response.Explain(err) + ")"
	}
	for _, k := range keys {
		if k.ID != leak.Match.Credential.ID {
			continue
		}
		if k.Status != response.Active {
			return response.GateState, "a key of the root user; it is " + k.Status + " already"
		}
		return response.GateRoot, fmt.Sprintf("%s; it is Active, made %s", why, k.Created.UTC().Format(time.DateOnly))
	}
	return response.GateState, "the root user has no such key any more"
}
