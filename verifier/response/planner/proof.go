package planner

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	keyowner "github.com/stanch-dev/stanch/verifier/owner"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// A plan needs proof of two things: that the secret of a key leaked, and that the key
// works. A report in which STS calls the key live proves the first, since an id has one
// secret for good; so does a person who names the key, or an event of AWS Health. IAM
// proves the second in this run, by its status. IAM knows no status of sessions: for them
// the answer of STS counts, as long as it is fresh.

// fresh is how long an answer of STS that a session is live counts, if there is no secret to
// ask again.
const fresh = time.Hour

// isNamed reports whether it is known without a secret that the key of leak leaked.
func (p *Planner) isNamed(leak *finding.Finding) bool {
	return !p.Rules.Self && slices.Contains(p.Named, leak.Match.Credential.ID)
}

// isFresh reports whether AWS was asked about leak a short time ago.
func (p *Planner) isFresh(leak *finding.Finding) bool {
	at, now := leak.Verdict.At, p.now()
	return now.Sub(at) <= fresh && !at.After(now.Add(time.Minute))
}

// isOld reports whether leak is a live key of an old report: its user may have got a new name
// since, and IAM tells whose it is.
func (p *Planner) isOld(leak *finding.Finding) bool {
	return !p.Rules.Self && leak.Verdict.State == verifier.Live && operator.IsLongTermKeyID(leak.Match.Credential.ID) && !p.isFresh(leak)
}

// proved refuses a leak of which nothing shows that it leaked and works. Whether a key of a
// user works is left to IAM.
func (p *Planner) proved(leak *finding.Finding) error {
	v, now := leak.Verdict, p.now()
	ofUser := operator.IsLongTermKeyID(leak.Match.Credential.ID) && !p.Rules.Self
	switch {
	case p.isNamed(leak):
		return nil // identify has refused a session that may not work
	case v.State == verifier.IDActive:
		return response.Refuse(response.GateState, "its state is %s, not live: the id is active, but none of the secrets found belongs to it, so nothing proves that the key leaked", v.State)
	case v.State != verifier.Live:
		return response.Refuse(response.GateState, "its state is %s, not live: verify it first", v.State)
	case leak.Match.Credential.Secret.IsZero() && !ofUser && !p.isFresh(leak):
		return response.Refuse(response.GateStale, "%s; the limit is %d min. Verify the report again, or scan again, then plan", asked(v.At, now), int(fresh.Minutes()))
	}
	return nil
}

// identify completes the identity of a key that is named, or of an old report, by what IAM
// knows of its id, or CloudTrail of the id of a session. It leaves the identity as it is if an
// answer of STS tells it and IAM does not know the id, as for a key that was deleted.
func (p *Planner) identify(ctx context.Context, leak *finding.Finding) error {
	id, who := leak.Match.Credential.ID, &leak.Verdict.Identity
	isLive := response.IsSession(id) && leak.Verdict.State == verifier.Live && p.isFresh(leak)
	if !operator.IsAccessKeyID(id) || isLive || leak.Verdict.State == verifier.CanarySuspected || who.Kind == "root" {
		return nil
	}
	if who.Account == "" {
		account, err := keyowner.AccountOf(ctx, p.Operator, id)
		if err != nil {
			return response.Refuse(response.GateIdentity, "%s", response.NotKnown("which account it belongs to", err))
		}
		who.Account = account
	}
	if err := p.Rules.Allow(who.Account, "", ""); err != nil {
		return err
	}
	s, err := p.session(ctx, leak)
	if err != nil {
		return err
	}
	if response.IsSession(id) {
		return p.identifyByCalls(ctx, s, leak)
	}
	used, err := s.LastUsed(ctx, id)
	if err == nil && used.User == "" {
		err = errors.New("IAM does not say")
	}
	switch {
	case err != nil && who.ARN != "":
		return nil // the other gates judge whether it was deleted
	case err != nil:
		if callsErr := p.identifyByCalls(ctx, s, leak); callsErr != nil {
			return response.Refuse(response.Refused(callsErr), "%s; %s", response.NotKnown("whose it is", err), why(callsErr))
		}
		return nil
	case used.User == who.Name && who.ARN != "":
		return nil
	}
	arn, err := s.UserARN(ctx, used.User)
	if err != nil {
		return response.Unreadable("the ARN of user "+used.User, err)
	}
	who.Kind, who.Name, who.ARN = "user", used.User, arn
	return nil
}

// why returns the reason of a RefusedError without its gate.
func why(err error) string {
	var e *response.RefusedError
	if errors.As(err, &e) {
		return e.Why
	}
	return err.Error()
}

// session returns a session in the account of leak that can only read.
func (p *Planner) session(ctx context.Context, leak *finding.Finding) (*operator.Session, error) {
	s, err := p.Operator.In(ctx, leak.Verdict.Identity.Account, leak.Fingerprint()[:min(8, len(leak.Fingerprint()))], permissions.Read())
	if err != nil {
		return nil, response.Refuse(response.GateResponder, "%v", err)
	}
	return s, nil
}
