// Package planner plans how leaked keys are shut off. It judges each leak by the gates of
// package response, reads the facts that only AWS has, and changes nothing.
package planner

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	keyowner "github.com/stanch-dev/stanch/verifier/owner"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// A Planner makes plans. It changes nothing.
type Planner struct {
	Operator *operator.Operator // nil if Rules.Self
	// Verifier is asked about leaks that have their secret; nil asks nobody.
	Verifier verifier.Verifier
	Rules    response.Rules
	// Quarantine also attaches AWS's quarantine policy.
	Quarantine bool
	// Named are ids of keys that are known to have leaked although no secret proves it: a
	// person has named them, or AWS has.
	Named []string
	// Commands returns the commands of stanch that come next for a leak that a gate refuses.
	// It may be nil.
	Commands func(response.Gate, *finding.Finding) []string
	// Activity reads what a key did; nil reads it at the rate that AWS allows.
	Activity *activity.Reader
	Now      func() time.Time // nil means time.Now
	// Progress, if not nil, is told how many findings are done, and of how many.
	Progress func(done, of int)

	logs keyLogs
	keys map[string]int // that are to be planned for, by account
}

// Plan judges each finding, and plans steps for those that no gate refuses. It leaves out
// findings that are known to be dead, unless they are named: the sessions of a key live
// longer than the key. A finding may lack its secret, as saved reports do; then IAM says
// whether a key works, and for sessions the verdict counts as long as it is fresh. It
// returns an error about the rules, or the error of ctx.
func (p *Planner) Plan(ctx context.Context, leaks []finding.Finding) (response.Plan, error) {
	if err := p.Rules.Check(); err != nil {
		return response.Plan{}, err
	}
	now := p.now().UTC().Truncate(time.Second)
	plan := response.Plan{
		Schema: response.PlanSchema, ID: newID(), Created: now, Expires: now.Add(response.PlanLife),
		Keys: []response.Key{}, Refused: []response.Refusal{},
	}
	if !p.Rules.Self {
		plan.Operator = p.Operator.Own().ARN
	}
	if p.Activity == nil {
		p.Activity = &activity.Reader{Now: p.Now}
	}
	p.Activity.In = func(ctx context.Context, account string) (*operator.Session, error) {
		return permissions.Reading(ctx, p.Operator, p.Rules, account)
	}
	p.logs, p.keys = keyLogs{}, countKeys(leaks)
	planned := map[string]bool{}
	for i, f := range leaks {
		if p.Progress != nil {
			p.Progress(i, len(leaks))
		}
		leak := &f // identify completes it
		if dead(leak.Verdict.State) && !p.isNamed(leak) || leak.Match.Credential.ID != "" && planned[leak.Match.Credential.ID] {
			continue
		}
		key, err := p.key(ctx, leak, plan.ID)
		if ctx.Err() != nil {
			return response.Plan{}, ctx.Err()
		}
		if err != nil {
			plan.Refused = append(plan.Refused, p.refusal(ctx, leak, err))
			continue
		}
		if planned[key.KeyID] {
			continue
		}
		planned[key.KeyID] = true
		plan.Keys = append(plan.Keys, key)
	}
	p.noteUsers(ctx, &plan)
	plan.Hash = plan.Sum()
	return plan, nil
}

// trail returns the reader of CloudTrail for the keys of an account.
func (p *Planner) trail(account string) *activity.Reader {
	p.Activity.Keys = p.keys[account]
	return p.Activity
}

func (p *Planner) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// dead reports whether there is nothing to shut off, as far as is known.
func dead(s verifier.State) bool { return s == verifier.Invalid || s == verifier.Expired }

func (p *Planner) refusal(ctx context.Context, leak *finding.Finding, err error) response.Refusal {
	r := response.Refusal{
		Fingerprint: leak.Fingerprint(), KeyID: leak.Match.Credential.ID, Account: leak.Verdict.Identity.Account,
		Gate: response.GateUnreadable, Why: err.Error(),
	}
	var e *response.RefusedError
	if errors.As(err, &e) {
		r.Gate, r.Why = e.Gate, e.Why
	}
	if r.Gate == response.GateRoot && !response.IsSession(leak.Match.Credential.ID) {
		r.Gate, r.Why = p.root(ctx, leak)
	}
	r.Do = advice.Manual(r.Gate, leak)
	if p.Commands != nil {
		r.Do = append(r.Do, p.Commands(r.Gate, leak)...)
	}
	return r
}

// key judges leak by each gate, beginning with those that ask nobody, and returns its key
// with the steps.
func (p *Planner) key(ctx context.Context, leak *finding.Finding, id string) (response.Key, error) {
	if p.Rules.Self {
		return p.self(ctx, leak)
	}
	if service, ok := isService(leak); ok {
		return p.service(ctx, leak, service)
	}
	if p.isNamed(leak) || p.isOld(leak) {
		if err := p.identify(ctx, leak); err != nil {
			return response.Key{}, err
		}
	}
	if err := p.judge(leak); err != nil {
		return response.Key{}, err
	}
	session, err := p.session(ctx, leak)
	if err != nil {
		return response.Key{}, err
	}
	k := keyOf(leak)
	k.Responder = session.ARN
	tags, err := response.Guard(ctx, p.Operator, session, p.Rules, k)
	if err != nil {
		return response.Key{}, err
	}
	k.Owner = owner(tags, leak.Verdict.Facts)
	if !response.IsSession(leak.Match.Credential.ID) {
		if err := p.longTerm(ctx, session, leak.Verdict, &k); err != nil {
			return response.Key{}, err
		}
	}
	if err := p.stillLive(ctx, leak, k.Status); err != nil {
		return response.Key{}, err
	}
	if err := p.steps(ctx, session, &k, id); err != nil {
		return response.Key{}, err
	}
	return k, p.settled(ctx, session, leak, &k)
}

// maxPlaces is how many places of a leak a plan names.
const maxPlaces = 20

// keyOf returns the key as the finding describes it.
func keyOf(leak *finding.Finding) response.Key {
	who, c := leak.Verdict.Identity, leak.Match.Credential
	k := response.Key{
		Subject: finding.Subject{
			Fingerprint: leak.Fingerprint(), KeyID: c.ID, SecretSHA256: c.Secret.SHA256(),
			Account: who.Account, Kind: who.Kind, Name: who.Name, ARN: who.ARN,
		},
		Warnings: []string{}, Owner: owner(nil, leak.Verdict.Facts),
	}
	for i := range leak.Locations {
		l := &leak.Locations[i]
		place := response.PlaceOf(l)
		if i == 0 {
			k.Where = printable.Text(place.String())
		}
		if i < maxPlaces {
			k.Places = append(k.Places, place)
		}
		if !l.Time.IsZero() && (k.Since.IsZero() || l.Time.Before(k.Since)) {
			k.Since = l.Time
		}
	}
	return k
}

// owner names the people to talk to: by tags of the usual names, and by the account's facts
// if the leak was assessed.
func owner(tags map[string]string, facts []verifier.Fact) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		switch strings.ToLower(name) {
		case "owner", "contact", "team", "email":
			parts = append(parts, name+" "+tags[name])
		}
	}
	for _, f := range facts {
		known := f.Value != "none" && !strings.HasPrefix(f.Value, "not known")
		if (f.Name == "account-name" || f.Name == "account-owner") && known {
			parts = append(parts, "account "+f.Value)
		}
	}
	return strings.Join(parts, ", ")
}

// asked says when AWS was last asked about a leak, if that was too long ago.
func asked(at, now time.Time) string {
	switch {
	case at.IsZero():
		return "the report does not say when AWS was asked"
	case at.After(now):
		return fmt.Sprintf("AWS was asked at %s, which is in the future: one of the two clocks is wrong", at.UTC().Format(time.RFC3339))
	}
	ago := fmt.Sprintf("%d h", int(now.Sub(at).Hours()))
	if now.Sub(at) < 2*time.Hour {
		ago = fmt.Sprintf("%d min", int(now.Sub(at).Minutes()))
	}
	return fmt.Sprintf("AWS was last asked %s ago, at %s", ago, at.UTC().Format(time.RFC3339))
}

// judge judges leak by the gates that need no question to AWS.
func (p *Planner) judge(leak *finding.Finding) error {
	v, who := leak.Verdict, leak.Verdict.Identity
	switch {
	case v.State == verifier.CanarySuspected:
		return response.Refuse(response.GateCanary, "it was planted to raise an alarm: leave it alone, and tell the security team")
	case leak.Match.Credential.ID == "":
		return response.Refuse(response.GateNoKey, "a secret without its key id: find the id first")
	case !operator.IsAccessKeyID(leak.Match.Credential.ID):
		return response.Refuse(response.GateNoKey, "%q is not the id of an access key", leak.Match.Credential.ID)
	}
	if err := p.proved(leak); err != nil {
		return err
	}
	switch {
	case who.Account == "" || who.ARN == "" || !strings.Contains(who.ARN, "::"+who.Account+":"):
		return response.Refuse(response.GateIdentity, "its owner is not known")
	case !keyowner.MayBeOf(who.Account, leak.Match.Credential.ID):
		return response.Refuse(response.GateIdentity, "its id is not of account %s", who.Account)
	case !response.SamePrincipal(who.Kind, who.Account, who.Name, who.ARN):
		return response.Refuse(response.GateIdentity, "the %s %q and the ARN %s do not agree", who.Kind, who.Name, who.ARN)
	}
	if err := p.Rules.Allow(who.Account, who.Name, who.ARN); err != nil {
		return err
	}
	switch {
	case who.Kind == "root" && p.Rules.Self:
		return nil
	case who.Kind == "root":
		if response.IsSession(leak.Match.Credential.ID) {
			return response.Refuse(response.GateRoot, "a session of the root user: no call ends it, and no policy in the account can deny it anything")
		}
		return response.Refuse(response.GateRoot, "a key of the root user: nobody else can deactivate it")
	case who.Kind == "federated":
		return response.Refuse(response.GateManual, "a federated session: the answer does not say which user it was made by")
	case who.Kind == "role" && strings.HasPrefix(who.Name, "AWSReservedSSO_"):
		return response.Refuse(response.GateManual, "a session of IAM Identity Center: its role cannot be changed by IAM")
	case who.Kind == "role" && strings.HasPrefix(who.Name, "AWSServiceRoleFor"):
		return response.Refuse(response.GateManual, "a service-linked role cannot be changed")
	case who.Kind == "role" && operator.IsLongTermKeyID(leak.Match.Credential.ID):
		return response.Refuse(response.GateIdentity, "a role has no long-term keys, and the report says that it is of role %s", who.Name)
	case who.Kind != "user" && who.Kind != "role" || who.Name == "":
		return response.Refuse(response.GateIdentity, "its owner is not known")
	}
	return nil
}

// longTerm reads IAM's facts about a key of a user, and compares them with STS's.
func (p *Planner) longTerm(ctx context.Context, s *operator.Session, v verifier.Verdict, k *response.Key) error {
	// Before STS is asked about the key, which counts as a use.
	used, usedErr := s.LastUsed(ctx, k.KeyID)
	if usedErr == nil && used.User != k.Name {
		return response.Refuse(response.GateIdentity, "STS says that it belongs to user %s, IAM to %q", k.Name, used.User)
	}
	keys, err := s.AccessKeys(ctx, k.Name)
	if err != nil {
		return response.Unreadable("its status", err)
	}
	k.Status = response.Absent
	for _, key := range keys {
		if key.ID == k.KeyID {
			k.Status, k.Created = key.Status, key.Created
			continue
		}
		k.Others = append(k.Others, key.ID+", "+key.Status)
		if key.Status == response.Active {
			k.Warnings = append(k.Warnings, "the user has another active key: look whether it leaked too")
		}
	}
	if k.Status != response.Active {
		off(k, used, usedErr)
		return nil
	}
	if usedErr != nil {
		return response.Unreadable("when it was last used", usedErr)
	}
	return p.inUse(ctx, s, k, used, v)
}

// stillLive asks STS again, if there is something to ask with. For a key that is off, and
// for one that is known to have leaked, its answer would change nothing: IAM has told status.
func (p *Planner) stillLive(ctx context.Context, leak *finding.Finding, status string) error {
	off := status != "" && status != response.Active
	if leak.Match.Credential.Secret.IsZero() || p.Verifier == nil || off || p.isNamed(leak) {
		return nil
	}
	v := p.Verifier.Verify(ctx, leak.Match.Credential)
	switch {
	case v.State == verifier.CanarySuspected:
		return response.Refuse(response.GateCanary, "it was planted to raise an alarm")
	case v.State != verifier.Live:
		return response.Refuse(response.GateState, "asked now, AWS says that its state is %s %s", v.State, v.Reason)
	case v.Identity.ARN != leak.Verdict.Identity.ARN:
		return response.Refuse(response.GateIdentity, "AWS now says that it belongs to %s", v.Identity.ARN)
	}
	return nil
}

// recentUse is how recently a key must have been used to count as in use.
const recentUse = 24 * time.Hour

// newID returns a random name for a plan.
func newID() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return hex.EncodeToString(b)
}
