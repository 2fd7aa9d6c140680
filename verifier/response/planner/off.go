package planner

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// off describes a key that does not work any more. Its sessions live on for up to 36 hours,
// so there is something to do. usedErr is why its last use is not known.
func off(k *response.Key, used operator.LastUsed, usedErr error) {
	k.LastUsed = used.String()
	if usedErr != nil {
		k.LastUsed = "not known"
	}
	if k.Status == response.Absent {
		k.Warnings = append(k.Warnings, "IAM has no such key any more: that it was a key of user "+k.Name+" is known from the report, or from its calls in CloudTrail")
	}
}

// over refuses a key of an old report that is off, and of which no session can live any more:
// a report names keys for years that were rotated long ago, and to deny the sessions of their
// users would only end those of people who have nothing to do with the leak. IAM and
// CloudTrail have to agree that the key was not used for as long as a session lives. Both may
// be some minutes late, so a key that somebody names is not refused.
func (p *Planner) over(leak *finding.Finding, k *response.Key) error {
	since := p.now().Add(-response.SessionLife)
	if p.isNamed(leak) || leak.Verdict.At.After(since) || len(k.Left) > 0 {
		return nil
	}
	used, known := operator.ParseLastUsed(k.LastUsed)
	if k.Status != response.Absent && !known || used.At.After(since) {
		return nil
	}
	log := p.logs[k.KeyID]
	if !log.Whole || usedSince(log.Log, since) {
		return nil
	}
	return response.Refuse(response.GateState, "it is %s, and was not used in the last %.0f hours; no session lives longer, so nothing of it works. If it was switched off in the last %.0f minutes, name it: --key %s",
		k.Status, response.SessionLife.Hours(), activity.Delay.Minutes(), k.KeyID)
}

// usedSince reports whether log has a call since a time, of the key or of something that was
// issued to it.
func usedSince(log activity.Log, since time.Time) bool {
	for _, c := range log.Calls {
		if c.Last.After(since) {
			return true
		}
	}
	for _, place := range log.Places { // also from before the leak
		if place.Last.After(since) {
			return true
		}
	}
	return false
}

// settled refuses a key that is off, and whose sessions stanch has denied since its last use,
// as when AWS sends an event twice, or whose sessions are over. If a plan has anything else to
// do, or to say, there is one.
func (p *Planner) settled(ctx context.Context, s *operator.Session, leak *finding.Finding, k *response.Key) error {
	if k.Status == "" || k.Status == response.Active || k.User == nil {
		return nil
	}
	used, known := operator.ParseLastUsed(k.LastUsed)
	if !known || len(k.Left) > 0 || p.more(ctx, s, k) {
		return p.over(leak, k)
	}
	policy, until := deniedUntil(ctx, s, k)
	if policy == "" || !used.At.Before(until) || calledSince(p.logs[k.KeyID].Log, k.KeyID, until) {
		return p.over(leak, k)
	}
	return response.Refuse(response.GateContained, "it is %s, and the policy %s denies the sessions that were issued before %s; its last use was %s",
		k.Status, policy, until.UTC().Format(time.RFC3339), k.LastUsed)
}

// more reports whether k has a step besides those that deny the sessions and the console to
// its user. If stanch denies the console already, that step changes nothing.
func (p *Planner) more(ctx context.Context, s *operator.Session, k *response.Key) bool {
	return slices.ContainsFunc(k.Steps, func(step response.Step) bool {
		switch step.Do {
		case response.Deactivate:
			return false
		case response.DenySessions:
			return step.Kind != "user"
		case response.DenyConsole:
			return !slices.ContainsFunc(slices.Collect(maps.Values(ownPolicies(ctx, s, k, response.ConsolePolicyName("")))), response.DeniesConsole)
		}
		return true
	})
}

// deniedUntil returns the policy of stanch that denies the newest sessions of the user of k,
// and the time before which they were issued. policy is "" if none is seen: then the plan
// denies them, once more perhaps.
func deniedUntil(ctx context.Context, s *operator.Session, k *response.Key) (policy string, until time.Time) {
	for name, document := range ownPolicies(ctx, s, k, response.PolicyName("")) {
		if t, ok := response.DeniedUntil(document); ok && t.After(until) {
			policy, until = name, t
		}
	}
	return policy, until
}

// ownPolicies returns the documents of the policies of the user of k whose names begin with
// prefix, by the name of an inline policy or the ARN of a managed one. It leaves out those
// that cannot be read.
func ownPolicies(ctx context.Context, s *operator.Session, k *response.Key, prefix string) map[string]string {
	documents := map[string]string{}
	for _, name := range slices.Concat(k.User.Inline, k.User.Attached) {
		if !strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], prefix) {
			continue
		}
		var document string
		var err error
		if strings.Contains(name, ":policy/") {
			document, err = s.ManagedPolicy(ctx, name)
		} else {
			document, err = s.InlinePolicy(ctx, k.Kind, k.Name, name)
		}
		if err == nil {
			documents[name] = document
		}
	}
	return documents
}
