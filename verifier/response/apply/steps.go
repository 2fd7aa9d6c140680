package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// shutsOff reports whether s is about the credential itself, not about its sessions.
func shutsOff(s response.Step) bool {
	return s.Do == response.Deactivate || s.Do == response.DeactivateSelf || s.Do == response.DisableServiceCredential
}

// want returns the state of the object after s, and the state before it, to which an undo
// returns.
func want(s response.Step) (after, before string) {
	switch s.Do {
	case response.DenySessions, response.DenyConsole, response.Quarantine:
		return response.Present, response.Absent
	case response.Deactivate, response.DeactivateSelf, response.DisableServiceCredential:
		return response.Inactive, response.Active
	}
	return "", ""
}

// errOther is in the error for a policy that somebody else has put.
var errOther = errors.New("another one")

// other returns the error for a policy that has the name of the policy of s, but was not
// put by stanch.
func other(s response.Step) error {
	return fmt.Errorf("the policy %s of %s %s is %w", s.Object, s.Kind, s.Name, errOther)
}

// state reads the state of the object of s, and the document if it is a policy that stanch
// puts. managed is the ARN of the policy if it is a managed one.
func state(ctx context.Context, s response.Step, r *operator.Session, managed string) (is, document string, err error) {
	is = response.Absent
	switch s.Do {
	case response.DenySessions, response.DenyConsole:
		if managed != "" {
			return managedState(ctx, s, r, managed)
		}
		document, err = r.InlinePolicy(ctx, s.Kind, s.Name, s.Object)
		if errors.Is(err, operator.ErrNotFound) {
			return response.Absent, "", nil
		}
		is = response.Present
	case response.Quarantine:
		var list []operator.AttachedPolicy
		list, err = r.AttachedPolicies(ctx, s.Name)
		if slices.ContainsFunc(list, func(a operator.AttachedPolicy) bool { return a.ARN == s.Object }) {
			is = response.Present
		}
	case response.Deactivate:
		var keys []operator.AccessKey
		keys, err = r.AccessKeys(ctx, s.Name)
		for _, k := range keys {
			if k.ID == s.Object {
				is = k.Status
			}
		}
	case response.DisableServiceCredential:
		var list []operator.ServiceCredential
		list, err = r.ServiceCredentials(ctx, s.Name)
		for _, c := range list {
			if c.ID == s.Object {
				is = c.Status
			}
		}
	default:
		err = fmt.Errorf("unknown step %q", s.Do)
	}
	if err != nil {
		return "", "", err
	}
	return is, document, nil
}

// do takes the step. It can be called twice.
func do(ctx context.Context, s response.Step, r *operator.Session, document string) error {
	return r.Do(ctx, call(s, false, document), nil)
}

// undo takes step back.
func (j keyRun) undo(ctx context.Context, step response.Step) error {
	s, err := j.writer(ctx, step)
	if err != nil {
		return err
	}
	if j.Journal.History(j.plan).Step(step).Managed {
		read, err := j.reader(ctx, step)
		if err != nil {
			return err
		}
		if err := (managedPolicy{step, step.ManagedARN(j.key), read, s}).remove(ctx); err != nil {
			return err
		}
		// There may be an inline one as well: of the time when there was room.
		if _, err := read.InlinePolicy(ctx, step.Kind, step.Name, step.Object); errors.Is(err, operator.ErrNotFound) {
			return nil
		}
	}
	err = s.Do(ctx, call(step, true, ""), nil)
	if after, before := want(step); errors.Is(err, operator.ErrNotFound) && after == response.Present && before == response.Absent {
		err = nil // it is gone
	}
	return err
}

func call(s response.Step, back bool, document string) operator.Call {
	c := operator.Call{Service: "iam"}
	status := response.Inactive
	if back {
		status = response.Active
	}
	switch s.Do {
	case response.DenySessions, response.DenyConsole:
		verb, noun, param := "Put", "UserPolicy", "UserName"
		if s.Kind == "role" {
			noun, param = "RolePolicy", "RoleName"
		}
		c.Params = map[string]string{param: s.Name, "PolicyName": s.Object}
		if back {
			verb = "Delete"
		} else {
			c.Params["PolicyDocument"] = document
		}
		c.Action = verb + noun
	case response.Quarantine:
		c.Action = "AttachUserPolicy"
		if back {
			c.Action = "DetachUserPolicy"
		}
		c.Params = map[string]string{"UserName": s.Name, "PolicyArn": s.Object}
	case response.Deactivate:
		c.Action = "UpdateAccessKey"
		c.Params = map[string]string{"UserName": s.Name, "AccessKeyId": s.Object, "Status": status}
	case response.DeactivateSelf:
		// Without UserName the call is about the caller, and works for the root user as
		// well.
		c.Action = "UpdateAccessKey"
		c.Params = map[string]string{"AccessKeyId": s.Object, "Status": status}
	case response.DisableServiceCredential:
		c.Action = "UpdateServiceSpecificCredential"
		c.Params = map[string]string{"UserName": s.Name, "ServiceSpecificCredentialId": s.Object, "Status": status}
	}
	return c
}

// denyDocument returns the policy that denies everything to sessions issued before a time.
func denyDocument(before time.Time) string {
	return operator.Policy(operator.Statement{
		Sid: "StanchDenyOlderSessions", Effect: "Deny", Action: []string{"*"}, Resource: []string{"*"},
		Condition: map[string]map[string]string{
			// Requests that are signed with a long-term key have no such time.
			"DateLessThan": {"aws:TokenIssueTime": before.UTC().Format(time.RFC3339)},
		},
	})
}

// denyConsoleDocument returns the policy that denies everything to all sessions of a user,
// however new. Only requests with temporary credentials have aws:TokenIssueTime; those with
// a long-term key do not. The console is such a session: after the user has signed in with
// the password, it makes temporary credentials for the user in the background (IAM User
// Guide, "AWS global condition context keys": aws:TokenIssueTime, and on the console
// aws:MultiFactorAuthPresent; Null is in "IAM JSON policy elements: Condition operators").
func denyConsoleDocument() string {
	return operator.Policy(operator.Statement{
		Sid: "StanchDenyConsole", Effect: "Deny", Action: []string{"*"}, Resource: []string{"*"},
		Condition: map[string]map[string]string{"Null": {"aws:TokenIssueTime": "false"}},
	})
}
