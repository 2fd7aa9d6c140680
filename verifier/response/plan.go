// Package response shuts leaked keys off, reversibly. It holds the types that all parts of
// a response share: plans and their steps, the gates that refuse a key, the operator's
// rules, and outcomes. The parts are packages of their own, each above those before it:
//
//	response     plans, gates, rules, outcomes
//	permissions  the IAM policies that a response needs
//	journal      records of every change, written before the change
//	advice       the text of plans and outcomes, and tasks for people
//	planner      judges leaks and makes a plan; changes nothing
//	apply        takes the steps of a plan, reads them back, takes them back
//	protocol     approval, consent and apply, in the one order that is safe
//
// Changes are made with the operator's identity. A leaked key signs only if the operator
// asks for it (--self), and then only to switch itself off. Nothing is deleted at AWS but
// policies that stanch itself has put.
//
// A gate is a reason not to touch a key. Gates are judged when a plan is made, and again
// before it is applied, for all keys before the first is changed.
//
// These packages are public for the commands of stanch, and no contract but for the JSON of
// plans and of the journal.
package response

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// PlanSchema is the schema of the plans that this package writes, and the only one that it
// reads.
const PlanSchema = "stanch-plan/v1"

// PlanLife is how long a plan may be applied. After that, the facts that it rests on may no
// longer be true.
const PlanLife = 15 * time.Minute

// A Plan lists the steps for each key, and the keys that are left alone. It holds no secret.
type Plan struct {
	Schema   string    `json:"schema"`
	ID       string    `json:"id"` // random; part of the names of policies
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires"`
	Operator string    `json:"operator"` // who planned, an ARN
	Keys     []Key     `json:"keys"`
	Refused  []Refusal `json:"refused"`
	// Users are the IAM users of each account, so that apply and confirm see which are new.
	// An account whose users could not be listed is not in it.
	Users map[string]UserList `json:"users,omitempty"`
	// Hash is the hash of the plan with an empty Hash.
	Hash string `json:"hash"`
}

// A Key is one credential of a plan, with the steps that shut it off.
type Key struct {
	finding.Subject // its Kind is user or role, root with --self
	// Places are the locations of the finding, at most twenty; Since is the time of the
	// first commit.
	Places []Place   `json:"places,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Owner names the people to talk to, by tags and the account's name.
	Owner string `json:"owner,omitempty"`
	// Others are the user's other access keys, with their status.
	Others    []string  `json:"others,omitempty"`
	Responder string    `json:"responder"`
	Status    string    `json:"status,omitempty"` // Active, Inactive; of long-term keys
	Created   time.Time `json:"created,omitzero"`
	LastUsed  string    `json:"last_used,omitempty"`
	Warnings  []string  `json:"warnings"`
	Steps     []Step    `json:"steps"`
	// Left is access that the key has or gave and that no step ends, and facts about it that
	// could not be read. With a Left, no key is called contained.
	Left []Remnant `json:"left,omitempty"`
	// Made are things that the key made and that give nobody access, such as instances.
	Made []Remnant `json:"made,omitempty"`
	// Sessions are the ids of credentials that were issued to the key, as CloudTrail tells.
	Sessions []string `json:"sessions,omitempty"`
	// User is how the user of the key was, so that apply and confirm see what somebody has
	// changed since; nil if the key is not of a user.
	User *UserState `json:"user,omitempty"`
}

// A Refusal is a live credential that the plan leaves alone.
type Refusal struct {
	Fingerprint string `json:"fingerprint"`
	KeyID       string `json:"key_id,omitempty"`
	Account     string `json:"account,omitempty"`
	Gate        Gate   `json:"gate"`
	Why         string `json:"why"`
	// Do are commands for people, who may do more than stanch.
	Do []string `json:"do,omitempty"`
}

// A Step is one change.
type Step struct {
	Do   Action `json:"do"`
	Kind string `json:"kind"` // of the principal: user, role
	Name string `json:"name"` // of the principal
	// Object is the thing to change: a key id, the id of a service credential, the name or
	// ARN of a policy.
	Object string `json:"object"`
	// Resource is the ARN of the principal, with its path: the one thing that the session
	// that takes the step may change. It is empty in plans of older versions of stanch.
	Resource string `json:"resource,omitempty"`
}

// Action is the kind of change that a step makes.
type Action string

// The actions.
const (
	// DenySessions puts an inline policy on a user or a role that denies everything to
	// sessions issued until now. It does not touch long-term keys. If the plan deactivates
	// a key, this step is taken once more when the key is seen to be off.
	DenySessions Action = "deny-sessions"
	// DenyConsole puts an inline policy on a user that denies everything to every session of
	// the user, however new: to those of the console above all, whose password cannot be
	// switched off and on again.
	DenyConsole Action = "deny-console"
	// Deactivate sets an access key of a user to Inactive.
	Deactivate Action = "deactivate"
	// Quarantine attaches AWS's own quarantine policy to a user.
	Quarantine Action = "quarantine"
	// DeactivateSelf has the leaked key set itself to Inactive.
	DeactivateSelf Action = "deactivate-self"
	// DisableServiceCredential sets a service-specific credential to Inactive.
	DisableServiceCredential Action = "disable-service-credential"
)

// Permission returns the IAM action that the step needs.
func (s Step) Permission() string {
	switch s.Do {
	case DenySessions, DenyConsole:
		if s.Kind == "role" {
			return "iam:PutRolePolicy"
		}
		return "iam:PutUserPolicy"
	case Deactivate, DeactivateSelf:
		return "iam:UpdateAccessKey"
	case Quarantine:
		return "iam:AttachUserPolicy"
	case DisableServiceCredential:
		return "iam:UpdateServiceSpecificCredential"
	}
	return ""
}

// Account returns the account of the principal of a step for k.
func (s Step) Account(k Key) string {
	if f := strings.Split(s.Resource, ":"); len(f) == 6 {
		return f[4]
	}
	return k.Account
}

// PutsPolicy reports whether s puts a policy of stanch's own on a user or a role.
func (s Step) PutsPolicy() bool { return s.Do == DenySessions || s.Do == DenyConsole }

// Sum returns the hash of p.
func (p Plan) Sum() string {
	p.Hash = ""
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and times always marshal
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Encode returns p as the JSON that ParsePlan reads.
func (p Plan) Encode() []byte {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

// ParsePlan reads a plan. The error is a RefusedError if the plan was changed after it was
// made.
func ParsePlan(b []byte) (Plan, error) {
	var head struct{ Schema string }
	if err := json.Unmarshal(b, &head); err != nil {
		return Plan{}, fmt.Errorf("not a plan: %w", err)
	}
	if head.Schema != PlanSchema {
		return Plan{}, Refuse(GateSchema, "schema %q is not %q: plan with this version of stanch", head.Schema, PlanSchema)
	}
	var p Plan
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Plan{}, fmt.Errorf("not a plan: %w", err)
	}
	if p.Sum() != p.Hash {
		return Plan{}, Refuse(GateChanged, "the plan was changed after it was made")
	}
	return p, p.Check()
}

// Check refuses a plan whose steps are not about their key and its owner: somebody may have
// made it by hand, with a hash that fits.
func (p Plan) Check() error {
	seen := map[string]bool{}
	for _, k := range p.Keys {
		if !accountNumber().MatchString(k.Account) || k.Name == "" || seen[k.KeyID] {
			return Refuse(GateOtherKey, "key %s: no account, no owner, or planned twice", k.KeyID)
		}
		seen[k.KeyID] = true
		if !SamePrincipal(k.Kind, k.Account, k.Name, k.ARN) {
			return Refuse(GateOtherKey, "key %s: the %s %q and the ARN %s do not agree", k.KeyID, k.Kind, k.Name, k.ARN)
		}
		for _, s := range k.Steps {
			if err := k.owns(s, p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// owns refuses a step that no plan with the given id makes for k.
func (k Key) owns(s Step, id string) error {
	ok := s.Kind == k.Kind && s.Name == k.Name && (s.Resource == "" || isPrincipal(s.Resource, k.Account, s.Kind, s.Name))
	switch s.Do {
	case DenySessions:
		// The step may be about a role that the key has assumed.
		ok = (ok && (k.Kind == "user" || k.Kind == "role") || s.Kind == "role" && isPrincipal(s.Resource, s.Account(k), "role", s.Name)) &&
			s.Object == PolicyName(id)
	case DenyConsole:
		ok = ok && s.Object == ConsolePolicyName(id) && k.Kind == "user"
	case DeactivateSelf:
		ok = ok && s.Object == k.KeyID && (k.Kind == "user" || k.Kind == "root") && len(k.Steps) == 1
	case Deactivate:
		ok = ok && s.Object == k.KeyID && k.Kind == "user"
	case Quarantine:
		ok = ok && isQuarantine(s.Object) && k.Kind == "user"
	case DisableServiceCredential:
		ok = ok && serviceCredentialID().MatchString(s.Object) && s.Object == k.KeyID && k.Kind == "user"
	default:
		ok = false
	}
	if !ok {
		return Refuse(GateOtherKey, "key %s: the step %q is about something else (%s %s, %s)", k.KeyID, s.Do, s.Kind, s.Name, s.Object)
	}
	return nil
}

// SwitchesItselfOff reports whether the leaked key k signs for its own step (--self).
func (k Key) SwitchesItselfOff() bool { return len(k.Steps) > 0 && k.Steps[0].Do == DeactivateSelf }
