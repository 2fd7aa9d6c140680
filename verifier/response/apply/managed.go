package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// The inline policies of a user may have 2,048 characters together, those of a role 10,240
// (IAM User Guide, "IAM and AWS STS quotas"). If there is no room for one more, stanch makes
// a managed policy with the same name and attaches it. The journal says so before it is made.

// maxVersions is how many versions a managed policy may have, after the same quotas.
const maxVersions = 5

// noRoom reports whether IAM refused an inline policy because of its quota.
func noRoom(err error) bool {
	var e *operator.Error
	return errors.As(err, &e) && e.Code == "LimitExceeded"
}

// A managedPolicy is the managed policy of a step.
type managedPolicy struct {
	step        response.Step
	arn         string
	read, write *operator.Session
}

// put gives the policy a document, and attaches it. It can be called again after it was cut
// off.
func (p managedPolicy) put(ctx context.Context, document string) error {
	held, err := p.read.ManagedPolicy(ctx, p.arn)
	switch {
	case errors.Is(err, operator.ErrNotFound):
		err = p.write.Do(ctx, operator.Call{Service: "iam", Action: "CreatePolicy",
			Params: map[string]string{"PolicyName": p.step.ManagedName(), "PolicyDocument": document}}, nil)
	case err == nil && held != document:
		err = p.replace(ctx, document)
	}
	if err != nil {
		return err
	}
	return p.write.Do(ctx, p.attachCall("Attach"), nil)
}

// replace makes document the default version of the policy, and removes the oldest version if
// there is no room for one more.
func (p managedPolicy) replace(ctx context.Context, document string) error {
	versions, err := p.read.PolicyVersions(ctx, p.arn)
	if err != nil {
		return err
	}
	if len(versions) >= maxVersions {
		old := slices.DeleteFunc(versions, func(v operator.PolicyVersion) bool { return v.Default })
		oldest := slices.MinFunc(old, func(a, b operator.PolicyVersion) int { return a.Created.Compare(b.Created) })
		if err := p.write.Do(ctx, p.deleteCall(oldest.ID), nil); err != nil {
			return err
		}
	}
	return p.write.Do(ctx, operator.Call{Service: "iam", Action: "CreatePolicyVersion",
		Params: map[string]string{"PolicyArn": p.arn, "PolicyDocument": document, "SetAsDefault": "true"}}, nil)
}

// remove detaches and deletes the policy.
func (p managedPolicy) remove(ctx context.Context) error {
	// IAM denies the call about a principal that is gone: nobody knows its ARN any more.
	is, _, err := managedState(ctx, p.step, p.read, p.arn)
	if err == nil && is == response.Present {
		err = p.write.Do(ctx, p.attachCall("Detach"), nil)
	}
	if err != nil && !errors.Is(err, operator.ErrNotFound) {
		return err
	}
	versions, err := p.read.PolicyVersions(ctx, p.arn)
	if errors.Is(err, operator.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, v := range versions { // the default version goes with the policy
		if v.Default {
			continue
		}
		if err := p.write.Do(ctx, p.deleteCall(v.ID), nil); err != nil && !errors.Is(err, operator.ErrNotFound) {
			return err
		}
	}
	err = p.write.Do(ctx, operator.Call{Service: "iam", Action: "DeletePolicy", Params: map[string]string{"PolicyArn": p.arn}}, nil)
	if errors.Is(err, operator.ErrNotFound) {
		return nil
	}
	return err
}

// deleteCall deletes a version.
func (p managedPolicy) deleteCall(version string) operator.Call {
	return operator.Call{Service: "iam", Action: "DeletePolicyVersion", Params: map[string]string{"PolicyArn": p.arn, "VersionId": version}}
}

// attachCall attaches the policy to the principal, or detaches it (verb).
func (p managedPolicy) attachCall(verb string) operator.Call {
	noun, param := "UserPolicy", "UserName"
	if p.step.Kind == "role" {
		noun, param = "RolePolicy", "RoleName"
	}
	return operator.Call{Service: "iam", Action: verb + noun, Params: map[string]string{param: p.step.Name, "PolicyArn": p.arn}}
}

// managedState reads whether the managed policy arn is attached to the principal of step,
// and its document.
func managedState(ctx context.Context, step response.Step, r *operator.Session, arn string) (is, document string, err error) {
	list := r.AttachedPolicies
	if step.Kind == "role" {
		list = r.AttachedRolePolicies
	}
	attached, err := list(ctx, step.Name)
	if errors.Is(err, operator.ErrNotFound) { // the principal is gone, and the policy may be there
		return response.Absent, "", nil
	}
	if err != nil {
		return "", "", err
	}
	if !slices.ContainsFunc(attached, func(a operator.AttachedPolicy) bool { return a.ARN == arn }) {
		return response.Absent, "", nil
	}
	document, err = r.ManagedPolicy(ctx, arn)
	return response.Present, document, err
}
