package response

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A UserState is what gives a user access to the account, at one time. A field that is nil or
// "" could not be read.
type UserState struct {
	Keys     map[string]string `json:"keys"`     // status by id of the access key
	Services map[string]string `json:"services"` // status by id of the service-specific credential
	Attached []string          `json:"attached"` // ARNs of managed policies
	Inline   []string          `json:"inline"`   // names of inline policies
	Console  string            `json:"console"`  // Present if it has a console password, else Absent
}

// A UserList holds the IAM users of an account.
type UserList struct {
	At    time.Time `json:"at"` // when they were listed, by AWS's clock
	Names []string  `json:"names"`
}

// ReadUserState reads the state of a user, without keys and service credentials that were
// made after a time, if that is not zero. unread names the facts that could not be read.
func ReadUserState(ctx context.Context, s *operator.Session, user string, until time.Time) (state UserState, unread []Remnant) {
	note := func(subject string, err error) bool {
		if err != nil {
			unread = append(unread, Remnant{Why: NotKnown(subject, err)})
		}
		return err == nil
	}
	old := func(made time.Time) bool { return until.IsZero() || !made.After(until) }
	keys, err := s.AccessKeys(ctx, user)
	if errors.Is(err, operator.ErrNotFound) {
		return UserState{}, nil // a user that is gone has access to nothing
	}
	if note("which access keys user "+user+" has", err) {
		state.Keys = map[string]string{}
		for _, k := range keys {
			if old(k.Created) {
				state.Keys[k.ID] = k.Status
			}
		}
	}
	credentials, err := s.ServiceCredentials(ctx, user)
	if note("which service credentials user "+user+" has", err) {
		state.Services = map[string]string{}
		for _, c := range credentials {
			if old(c.Created) {
				state.Services[c.ID] = c.Status
			}
		}
	}
	attached, err := s.AttachedPolicies(ctx, user)
	if note("which policies are attached to user "+user, err) {
		state.Attached = []string{}
		for _, a := range attached {
			state.Attached = append(state.Attached, a.ARN)
		}
	}
	inline, err := s.InlinePolicies(ctx, user)
	if note("which inline policies user "+user+" has", err) {
		state.Inline = append([]string{}, inline...)
	}
	has, err := s.HasPassword(ctx, user)
	if note("whether user "+user+" has a console password", err) {
		state.Console = Absent
		if has {
			state.Console = Present
		}
	}
	return state, unread
}

// Changes names the access that the user of k has in now and had not in before. It leaves out
// policies that the steps for k put, and AWS's own quarantine.
func (before UserState) Changes(now UserState, k Key) (changes []Remnant) {
	user := " --user-name " + k.Name
	for _, key := range activated(before.Keys, now.Keys) {
		if key != k.KeyID {
			changes = append(changes, Remnant{
				Why:  "access key " + key + " of user " + k.Name + " is new, or has become Active",
				Look: "aws iam get-access-key-last-used --access-key-id " + key, Remove: "aws iam update-access-key --status Inactive" + user + " --access-key-id " + key,
				User: k.Name, KeyID: key,
			})
		}
	}
	for _, credential := range activated(before.Services, now.Services) {
		if credential != k.KeyID {
			changes = append(changes, Remnant{
				Why:  "service credential " + credential + " of user " + k.Name + " is new, or has become Active",
				Look: "aws iam list-service-specific-credentials" + user, Remove: "aws iam update-service-specific-credential --status Inactive" + user + " --service-specific-credential-id " + credential,
			})
		}
	}
	for _, arn := range added(before.Attached, now.Attached, k) {
		changes = append(changes, Remnant{
			Why:  "policy " + arn + " was attached to user " + k.Name + " since the plan was made",
			Look: "aws iam get-policy --policy-arn " + arn, Remove: "aws iam detach-user-policy" + user + " --policy-arn " + arn,
		})
	}
	for _, policy := range added(before.Inline, now.Inline, k) {
		changes = append(changes, Remnant{
			Why:  "inline policy " + policy + " was put on user " + k.Name + " since the plan was made",
			Look: "aws iam get-user-policy" + user + " --policy-name " + policy, Remove: "aws iam delete-user-policy" + user + " --policy-name " + policy,
		})
	}
	if before.Console == Absent && now.Console == Present {
		changes = append(changes, Remnant{
			Why:  "user " + k.Name + " got a console password since the plan was made",
			Look: "aws iam get-login-profile" + user, Remove: "aws iam delete-login-profile" + user,
		})
	}
	return changes
}

// activated returns the ids that are Active in now and were not in before, sorted; none if
// before is not known.
func activated(before, now map[string]string) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if before != nil && now[id] == Active && before[id] != Active {
			ids = append(ids, id)
		}
	}
	return ids
}

// added returns the policies in now that are not in before, and that neither a step for k nor
// AWS's quarantine puts; none if before is not known. Names are compared whole: an intruder
// can make one that begins as ours.
func added(before, now []string, k Key) (policies []string) {
	ours := map[string]bool{}
	for _, step := range k.Steps {
		ours[step.Object], ours[step.ManagedARN(k)] = true, true
	}
	for _, policy := range now {
		quarantine := strings.HasPrefix(policy, "arn:") && operator.IsQuarantine(policy)
		if before != nil && !slices.Contains(before, policy) && !ours[policy] && !quarantine {
			policies = append(policies, policy)
		}
	}
	return policies
}
