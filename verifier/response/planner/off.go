package planner

import (
	"context"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// off judges a key that does not work any more. Its sessions live on for up to 36 hours, so
// there is something to do unless stanch has denied them since the last use of the key, as
// when AWS sends an event twice. used is that last use, usedErr why it is not known.
func (p *Planner) off(ctx context.Context, s *operator.Session, k *response.Key, used operator.LastUsed, usedErr error) error {
	k.LastUsed = used.String()
	if usedErr != nil {
		k.LastUsed = "not known"
	}
	if k.Status == response.Absent {
		k.Warnings = append(k.Warnings, "IAM has no such key any more: that it was a key of user "+k.Name+" is what the report says")
	}
	policy, until, err := deniedUntil(ctx, s, k)
	switch {
	case err != nil:
		k.Warnings = append(k.Warnings, response.NotKnown("whether stanch has denied its sessions already", err))
	case policy != "" && usedErr == nil && used.At.Before(until):
		return response.Refuse(response.GateContained, "it is %s, and the policy %s denies the sessions that were issued before %s; its last use was %s",
			k.Status, policy, until.UTC().Format(time.RFC3339), k.LastUsed)
	}
	return nil
}

// deniedUntil returns the policy of stanch that denies the newest sessions of the user of k,
// and the time before which they were issued. policy is "" if there is none.
func deniedUntil(ctx context.Context, s *operator.Session, k *response.Key) (policy string, until time.Time, err error) {
	names, err := s.InlinePolicies(ctx, k.Name)
	if err != nil {
		return "", time.Time{}, err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, response.PolicyName("")) {
			continue
		}
		document, err := s.InlinePolicy(ctx, k.Kind, k.Name, name)
		if err != nil {
			return "", time.Time{}, err
		}
		if t, ok := response.DeniedUntil(document); ok && t.After(until) {
			policy, until = name, t
		}
	}
	return policy, until, nil
}
