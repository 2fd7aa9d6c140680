package response

import (
	"context"
	"errors"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// Guard judges the gates that need answers of AWS, when a plan is made and again before it
// is applied. It returns the tags of the user or the role.
func Guard(ctx context.Context, op *operator.Operator, s *operator.Session, r Rules, k Key) (tags map[string]string, err error) {
	if k.SwitchesItselfOff() { // it asks nobody, and cannot be the operator's own
		return nil, r.Allow(k.Account, k.Name, k.ARN)
	}
	return guard(ctx, op, s, r, k)
}

// GuardRole judges the same gates for the role of a step that denies its older sessions, and
// that the key has assumed. The session s is of the account of the role.
func GuardRole(ctx context.Context, op *operator.Operator, s *operator.Session, r Rules, k Key, step Step) error {
	k.Kind, k.Name, k.Account, k.ARN = "role", step.Name, step.Account(k), step.Resource
	_, err := guard(ctx, op, s, r, k)
	return err
}

func guard(ctx context.Context, op *operator.Operator, s *operator.Session, r Rules, k Key) (tags map[string]string, err error) {
	for _, caller := range []string{op.Own().ARN, s.ARN} {
		if caller == k.ARN || k.Kind == "role" && sameRole(caller, k.Account, k.Name) {
			return nil, Refuse(GateOwn, "%s is who you are: you would shut yourself out", caller)
		}
	}
	if err := r.Allow(k.Account, k.Name, k.ARN); err != nil {
		return nil, err
	}
	tags, err = s.Tags(ctx, k.Kind, k.Name)
	if err != nil {
		return nil, Unreadable("whether it is protected", err)
	}
	if protects(tags) {
		return nil, Refuse(GateProtected, "%s %s has the tag %s=true", k.Kind, k.Name, ProtectedTag)
	}
	return tags, nil
}

// Unreadable returns the error of a gate that cannot read a fact that it needs, because of
// err. Such a gate refuses.
func Unreadable(subject string, err error) error {
	gate := GateUnreadable
	if errors.Is(err, operator.ErrNotFound) {
		gate = GateIdentity
	}
	return Refuse(gate, "%s", NotKnown(subject, err))
}

// NotKnown says that a fact could not be read, and why.
func NotKnown(subject string, err error) string { return subject + " is not known: " + Explain(err) }

// protects reports whether tags have ProtectedTag. IAM ignores the case of keys of tags.
func protects(tags map[string]string) bool {
	for key, value := range tags {
		if strings.EqualFold(key, ProtectedTag) && strings.EqualFold(value, "true") {
			return true
		}
	}
	return false
}

// Explain says why AWS did not do something. If it denied a call, that is the permission
// that is missing.
func Explain(err error) string {
	var e *operator.Error
	if errors.As(err, &e) && e.Denied() {
		return e.Refusal()
	}
	return err.Error()
}
