package response

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

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

// ReadUserState reads the state of a user. unread names the facts that could not be read.
func ReadUserState(ctx context.Context, s *operator.Session, user string) (state UserState, unread []Remnant) {
	note := func(subject string, err error) bool {
		if err != nil {
			unread = append(unread, Remnant{Why: NotKnown(subject, err)})
		}
		return err == nil
	}
	keys, err := s.AccessKeys(ctx, user)
	if errors.Is(err, operator.ErrNotFound) {
		return UserState{}, nil // a user that is gone has access to nothing
	}
	if note("which access keys user "+user+" has", err) {
		state.Keys = map[string]string{}
		for _, k := range keys {
			state.Keys[k.ID] = k.Status
		}
	}
	credentials, err := s.ServiceCredentials(ctx, user)
	if note("which service credentials user "+user+" has", err) {
		state.Services = map[string]string{}
		for _, c := range credentials {
			state.Services[c.ID] = c.Status
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
// policies that the plan with an id puts, and AWS's own quarantine.
func (before UserState) Changes(now UserState, k Key, id string) (changes []Remnant) {
	name := k.Name
	for _, kind := range []struct {
		noun        string
		was, is     map[string]string
		look, shift string
	}{
		{"access key", before.Keys, now.Keys, "aws iam list-access-keys --user-name " + name,
			"aws iam update-access-key --status Inactive --user-name " + name + " --access-key-id "},
		{"service credential", before.Services, now.Services, "aws iam list-service-specific-credentials --user-name " + name,
			"aws iam update-service-specific-credential --status Inactive --user-name " + name + " --service-specific-credential-id "},
	} {
		for _, id := range sortedKeys(kind.is) {
			if kind.was == nil || kind.is[id] != Active || kind.was[id] == Active || id == k.KeyID {
				continue
			}
			verb := "was made"
			if kind.was[id] != "" {
				verb = "was set to Active"
			}
			r := Remnant{Why: kind.noun + " " + id + " of user " + name + " " + verb + " since the plan", Look: kind.look, Remove: kind.shift + id}
			if kind.noun == "access key" {
				r.User, r.KeyID = name, id
			}
			changes = append(changes, r)
		}
	}
	ours := func(policy string) bool {
		policy = policy[strings.LastIndexByte(policy, '/')+1:]
		return strings.HasPrefix(policy, PolicyName(id)) || strings.HasPrefix(policy, ConsolePolicyName(id)) || strings.HasPrefix(policy, "AWSCompromisedKeyQuarantine")
	}
	for _, arn := range now.Attached {
		if before.Attached != nil && !slices.Contains(before.Attached, arn) && !ours(arn) {
			changes = append(changes, Remnant{Why: "policy " + arn + " was attached to user " + name + " since the plan",
				Look: "aws iam get-policy --policy-arn " + arn, Remove: "aws iam detach-user-policy --user-name " + name + " --policy-arn " + arn})
		}
	}
	for _, policy := range now.Inline {
		if before.Inline != nil && !slices.Contains(before.Inline, policy) && !ours(policy) {
			changes = append(changes, Remnant{Why: "inline policy " + policy + " was put on user " + name + " since the plan",
				Look:   "aws iam get-user-policy --user-name " + name + " --policy-name " + policy,
				Remove: "aws iam delete-user-policy --user-name " + name + " --policy-name " + policy})
		}
	}
	if before.Console == Absent && now.Console == Present {
		changes = append(changes, Remnant{Why: "user " + name + " got a console password since the plan",
			Look: "aws iam get-login-profile --user-name " + name, Remove: "aws iam delete-login-profile --user-name " + name})
	}
	return changes
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	return keys
}
