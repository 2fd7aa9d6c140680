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

// putManaged gives the managed policy of step a document, and attaches it. It can be called
// again after it was cut off. The session s may write about the step alone.
func (j keyRun) putManaged(ctx context.Context, s *operator.Session, step response.Step, document string) error {
	arn := step.ManagedARN(j.key)
	read, err := j.reader(ctx, step)
	if err != nil {
		return err
	}
	held, err := read.ManagedPolicy(ctx, arn)
	switch {
	case errors.Is(err, operator.ErrNotFound):
		err = s.Do(ctx, operator.Call{Service: "iam", Action: "CreatePolicy",
			Params: map[string]string{"PolicyName": step.ManagedName(), "PolicyDocument": document}}, nil)
	case err == nil && held != document:
		err = replaceManaged(ctx, read, s, arn, document)
	}
	if err != nil {
		return err
	}
	return s.Do(ctx, attachCall(step, "Attach", arn), nil)
}

// replaceManaged makes document the default version of a policy, and removes the oldest
// version if there is no room for one more.
func replaceManaged(ctx context.Context, read, s *operator.Session, arn, document string) error {
	versions, err := read.PolicyVersions(ctx, arn)
	if err != nil {
		return err
	}
	if len(versions) >= maxVersions {
		old := slices.DeleteFunc(versions, func(v operator.PolicyVersion) bool { return v.Default })
		oldest := slices.MinFunc(old, func(a, b operator.PolicyVersion) int { return a.Created.Compare(b.Created) })
		if err := s.Do(ctx, versionCall(arn, oldest.ID), nil); err != nil {
			return err
		}
	}
	return s.Do(ctx, operator.Call{Service: "iam", Action: "CreatePolicyVersion",
		Params: map[string]string{"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": "true"}}, nil)
}

// removeManaged detaches and deletes the managed policy of step.
func (j keyRun) removeManaged(ctx context.Context, s *operator.Session, step response.Step) error {
	arn := step.ManagedARN(j.key)
	read, err := j.reader(ctx, step)
	if err != nil {
		return err
	}
	if err := s.Do(ctx, attachCall(step, "Detach", arn), nil); err != nil && !errors.Is(err, operator.ErrNotFound) {
		return err
	}
	versions, err := read.PolicyVersions(ctx, arn)
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
		if err := s.Do(ctx, versionCall(arn, v.ID), nil); err != nil && !errors.Is(err, operator.ErrNotFound) {
			return err
		}
	}
	err = s.Do(ctx, operator.Call{Service: "iam", Action: "DeletePolicy", Params: map[string]string{"PolicyArn": arn}}, nil)
	if errors.Is(err, operator.ErrNotFound) {
		return nil
	}
	return err
}

func versionCall(arn, version string) operator.Call {
	return operator.Call{Service: "iam", Action: "DeletePolicyVersion", Params: map[string]string{"PolicyArn": arn, "VersionId": version}}
}

// attachCall attaches or detaches (verb) the policy arn of the principal of step.
func attachCall(step response.Step, verb, arn string) operator.Call {
	noun, param := "UserPolicy", "UserName"
	if step.Kind == "role" {
		noun, param = "RolePolicy", "RoleName"
	}
	return operator.Call{Service: "iam", Action: verb + noun, Params: map[string]string{param: step.Name, "PolicyArn": arn}}
}

// managedState reads whether the managed policy arn is attached to the principal of step,
// and its document.
func managedState(ctx context.Context, step response.Step, r *operator.Session, arn string) (is, document string, err error) {
	list := r.AttachedPolicies
	if step.Kind == "role" {
		list = r.AttachedRolePolicies
	}
	attached, err := list(ctx, step.Name)
	if err != nil {
		return "", "", err
	}
	if !slices.ContainsFunc(attached, func(a operator.AttachedPolicy) bool { return a.ARN == arn }) {
		return response.Absent, "", nil
	}
	document, err = r.ManagedPolicy(ctx, arn)
	return response.Present, document, err
}
