package response

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// How the object of a step can be. Active and Inactive are IAM's words.
const (
	Active   = "Active"
	Inactive = "Inactive"
	Present  = "present"
	Absent   = "absent"
)

// shutsOff reports whether s is about the credential itself, and not about its sessions.
func (s Step) shutsOff() bool {
	return s.Do == Deactivate || s.Do == DeactivateSelf || s.Do == DisableServiceCredential
}

// want returns how the object is after s, and before it, after an undo.
func (s Step) want() (after, before string) {
	switch s.Do {
	case DenySessions, Quarantine:
		return Present, Absent
	case Deactivate, DeactivateSelf, DisableServiceCredential:
		return Inactive, Active
	}
	return "", ""
}

// errOther is in the error for a policy that is not the one that stanch has put.
var errOther = errors.New("another one")

// other says that the policy of s is there, and is not the one that stanch has put.
func (s Step) other() error {
	return fmt.Errorf("the policy %s of %s %s is %w", s.Object, s.Kind, s.Name, errOther)
}

// state reads how the object of s is now, and of a policy that is put the document.
func (s Step) state(ctx context.Context, r *operator.Session) (is, document string, err error) {
	is = Absent
	switch s.Do {
	case DenySessions:
		document, err = r.InlinePolicy(ctx, s.Kind, s.Name, s.Object)
		if errors.Is(err, operator.ErrNotFound) {
			return Absent, "", nil
		}
		is = Present
	case Quarantine:
		var list []operator.AttachedPolicy
		list, err = r.AttachedPolicies(ctx, s.Name)
		if slices.ContainsFunc(list, func(a operator.AttachedPolicy) bool { return a.ARN == s.Object }) {
			is = Present
		}
	case Deactivate:
		var keys []operator.AccessKey
		keys, err = r.AccessKeys(ctx, s.Name)
		for _, k := range keys {
			if k.ID == s.Object {
				is = k.Status
			}
		}
	case DisableServiceCredential:
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

// do takes the step. Twice does no harm.
func (s Step) do(ctx context.Context, r *operator.Session, document string) error {
	return r.Do(ctx, s.call(false, document), nil)
}

// undo takes it back.
func (s Step) undo(ctx context.Context, r *operator.Session) error {
	err := r.Do(ctx, s.call(true, ""), nil)
	if after, before := s.want(); errors.Is(err, operator.ErrNotFound) && after == Present && before == Absent {
		return nil // it is gone
	}
	return err
}

func (s Step) call(back bool, document string) operator.Call {
	c := operator.Call{Service: "iam"}
	status := Inactive
	if back {
		status = Active
	}
	switch s.Do {
	case DenySessions:
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
	case Quarantine:
		c.Action = "AttachUserPolicy"
		if back {
			c.Action = "DetachUserPolicy"
		}
		c.Params = map[string]string{"UserName": s.Name, "PolicyArn": s.Object}
	case Deactivate:
		c.Action = "UpdateAccessKey"
		c.Params = map[string]string{"UserName": s.Name, "AccessKeyId": s.Object, "Status": status}
	case DeactivateSelf:
		// Without UserName it is about the caller: that works for the root user as well.
		c.Action = "UpdateAccessKey"
		c.Params = map[string]string{"AccessKeyId": s.Object, "Status": status}
	case DisableServiceCredential:
		c.Action = "UpdateServiceSpecificCredential"
		c.Params = map[string]string{"UserName": s.Name, "ServiceSpecificCredentialId": s.Object, "Status": status}
	}
	return c
}

// document returns the policy that the step puts, for sessions issued before a time.
func (s Step) document(before time.Time) string {
	if s.Do != DenySessions {
		return ""
	}
	return operator.Policy(operator.Statement{
		Sid: "StanchDenyOlderSessions", Effect: "Deny", Action: []string{"*"}, Resource: []string{"*"},
		Condition: map[string]map[string]string{
			// Requests that are signed with a long-term key have no such time.
			"DateLessThan": {"aws:TokenIssueTime": before.UTC().Format(time.RFC3339)},
		},
	})
}
