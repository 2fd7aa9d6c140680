package operator

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// RoleARN returns the ARN of a role, which has the role's path.
func (s *Session) RoleARN(ctx context.Context, name string) (string, error) {
	var out struct {
		ARN string `xml:"GetRoleResult>Role>Arn"`
	}
	err := s.Do(ctx, Call{Service: "iam", Action: "GetRole", Params: map[string]string{"RoleName": name}}, &out)
	return out.ARN, err
}

// HasPassword reports whether a user has a password for the console.
func (s *Session) HasPassword(ctx context.Context, user string) (bool, error) {
	err := s.Do(ctx, Call{Service: "iam", Action: "GetLoginProfile", Params: map[string]string{"UserName": user}}, nil)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// A User is an IAM user, and when it was made.
type User struct {
	Name    string    `xml:"UserName"`
	Created time.Time `xml:"CreateDate"`
}

// ListUsers lists all IAM users of the account.
func (s *Session) ListUsers(ctx context.Context) ([]User, error) {
	var out struct {
		Users []User `xml:"ListUsersResult>Users>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListUsers", Params: map[string]string{"MaxItems": "1000"}}, &out)
	return out.Users, err
}

// InlinePolicies lists the names of the inline policies of a user.
func (s *Session) InlinePolicies(ctx context.Context, user string) ([]string, error) {
	var out struct {
		Names []string `xml:"ListUserPoliciesResult>PolicyNames>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListUserPolicies", Params: map[string]string{"UserName": user}}, &out)
	return out.Names, err
}

// AttachedRolePolicies lists the managed policies of a role.
func (s *Session) AttachedRolePolicies(ctx context.Context, role string) ([]AttachedPolicy, error) {
	var out struct {
		List []AttachedPolicy `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListAttachedRolePolicies", Params: map[string]string{"RoleName": role}}, &out)
	return out.List, err
}

// ManagedPolicy returns the document of the default version of a managed policy. ErrNotFound
// is in the error if there is no such policy.
func (s *Session) ManagedPolicy(ctx context.Context, arn string) (document string, err error) {
	var policy struct {
		Version string `xml:"GetPolicyResult>Policy>DefaultVersionId"`
	}
	if err := s.Do(ctx, Call{Service: "iam", Action: "GetPolicy", Params: map[string]string{"PolicyArn": arn}}, &policy); err != nil {
		return "", err
	}
	var version struct {
		Document string `xml:"GetPolicyVersionResult>PolicyVersion>Document"`
	}
	call := Call{Service: "iam", Action: "GetPolicyVersion", Params: map[string]string{"PolicyArn": arn, "VersionId": policy.Version}}
	if err := s.Do(ctx, call, &version); err != nil {
		return "", err
	}
	return url.QueryUnescape(version.Document) // IAM sends documents URL-encoded (RFC 3986)
}

// A PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	ID      string    `xml:"VersionId"`
	Default bool      `xml:"IsDefaultVersion"`
	Created time.Time `xml:"CreateDate"`
}

// PolicyVersions lists the versions of a managed policy, five at most.
func (s *Session) PolicyVersions(ctx context.Context, arn string) ([]PolicyVersion, error) {
	var out struct {
		List []PolicyVersion `xml:"ListPolicyVersionsResult>Versions>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListPolicyVersions", Params: map[string]string{"PolicyArn": arn}}, &out)
	return out.List, err
}
