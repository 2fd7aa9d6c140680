package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// An AccessKey as its owner's account lists it.
type AccessKey struct {
	ID      string    `xml:"AccessKeyId"`
	User    string    `xml:"UserName"`
	Status  string    // Active, Inactive, Expired
	Created time.Time `xml:"CreateDate"`
}

// AccessKeys lists the keys of an IAM user. A user has two at most.
func (s *Session) AccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	// Without UserName the answer would be about the caller.
	return s.keyList(ctx, map[string]string{"UserName": user})
}

// OwnKeys lists the keys of the caller: in a session of Root, the keys of the root user.
func (s *Session) OwnKeys(ctx context.Context) ([]AccessKey, error) { return s.keyList(ctx, nil) }

func (s *Session) keyList(ctx context.Context, params map[string]string) ([]AccessKey, error) {
	var out struct {
		Keys []AccessKey `xml:"ListAccessKeysResult>AccessKeyMetadata>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListAccessKeys", Params: params}, &out)
	return out.Keys, err
}

// Users lists the names of all IAM users of the account, page by page.
func (s *Session) Users(ctx context.Context) (names []string, err error) {
	params := map[string]string{}
	for {
		var page struct {
			Names  []string `xml:"ListUsersResult>Users>member>UserName"`
			Marker string   `xml:"ListUsersResult>Marker"` // of the next page, "" for none
		}
		if err := s.Do(ctx, Call{Service: "iam", Action: "ListUsers", Params: params}, &page); err != nil {
			return nil, err
		}
		names = append(names, page.Names...)
		if page.Marker == "" {
			return names, nil
		}
		params["Marker"] = page.Marker
	}
}

// UserARN returns the ARN of a user, which has the user's path.
func (s *Session) UserARN(ctx context.Context, name string) (string, error) {
	var out struct {
		ARN string `xml:"GetUserResult>User>Arn"`
	}
	err := s.Do(ctx, Call{Service: "iam", Action: "GetUser", Params: map[string]string{"UserName": name}}, &out)
	return out.ARN, err
}

// LastUsed is the user of a key and its last use. A question to STS about the key is a use:
// ask for the last use first.
type LastUsed struct {
	User            string
	At              time.Time // zero: never, or not since AWS keeps track
	Service, Region string
}

// LastUsed finds the user of a key of this account.
func (s *Session) LastUsed(ctx context.Context, keyID string) (LastUsed, error) {
	var out struct {
		User    string `xml:"GetAccessKeyLastUsedResult>UserName"`
		At      string `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>LastUsedDate"`
		Service string `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>ServiceName"`
		Region  string `xml:"GetAccessKeyLastUsedResult>AccessKeyLastUsed>Region"`
	}
	err := s.Do(ctx, Call{Service: "iam", Action: "GetAccessKeyLastUsed", Params: map[string]string{"AccessKeyId": keyID}}, &out)
	if err != nil {
		return LastUsed{}, err
	}
	at, err := time.Parse(time.RFC3339, out.At)
	if err != nil && out.At != "" && out.At != "N/A" {
		return LastUsed{}, fmt.Errorf("iam:GetAccessKeyLastUsed: date %q: %w", out.At, err)
	}
	return LastUsed{out.User, at, out.Service, out.Region}, nil
}

// KeyStatus returns the status of a key, of whichever user: users can be renamed. user is the
// one that had it. It is "" if there is no such key.
func (s *Session) KeyStatus(ctx context.Context, user, keyID string) (status string, err error) {
	used, err := s.LastUsed(ctx, keyID)
	var e *Error
	gone := errors.As(err, &e) && e.Denied() // so AWS answers about a key that is gone
	switch {
	case err == nil && used.User != "":
		user = used.User
	case user == "", err != nil && !gone:
		return "", fmt.Errorf("whose key %s is: %w", keyID, cmp.Or(err, errors.New("IAM does not say")))
	}
	keys, err := s.AccessKeys(ctx, user)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	for _, k := range keys {
		if k.ID == keyID {
			status = k.Status
		}
	}
	return status, err
}

// AccountOf asks for the account of any key id. The owner of the key does not see the
// question.
func (s *Session) AccountOf(ctx context.Context, keyID string) (string, error) {
	var out struct {
		Account string `xml:"GetAccessKeyInfoResult>Account"`
	}
	err := s.Do(ctx, Call{Service: "sts", Action: "GetAccessKeyInfo", Params: map[string]string{"AccessKeyId": keyID}}, &out)
	return out.Account, err
}

// Tags returns the tags of a user or, with kind "role", of a role.
func (s *Session) Tags(ctx context.Context, kind, name string) (map[string]string, error) {
	type tag struct{ Key, Value string }
	var out struct {
		User []tag `xml:"ListUserTagsResult>Tags>member"`
		Role []tag `xml:"ListRoleTagsResult>Tags>member"`
	}
	call := Call{Service: "iam", Action: "ListUserTags", Params: map[string]string{"UserName": name}}
	if kind == "role" {
		call = Call{Service: "iam", Action: "ListRoleTags", Params: map[string]string{"RoleName": name}}
	}
	if err := s.All(ctx, call, &out); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range append(out.User, out.Role...) {
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// InlinePolicy returns the document of an inline policy of a user or, with kind
// "role", of a role. ErrNotFound is in the error if there is none.
func (s *Session) InlinePolicy(ctx context.Context, kind, name, policy string) (document string, err error) {
	var out struct {
		User string `xml:"GetUserPolicyResult>PolicyDocument"`
		Role string `xml:"GetRolePolicyResult>PolicyDocument"`
	}
	call := Call{Service: "iam", Action: "GetUserPolicy", Params: map[string]string{"UserName": name, "PolicyName": policy}}
	if kind == "role" {
		call = Call{Service: "iam", Action: "GetRolePolicy", Params: map[string]string{"RoleName": name, "PolicyName": policy}}
	}
	if err := s.Do(ctx, call, &out); err != nil {
		return "", err
	}
	return url.QueryUnescape(out.User + out.Role) // IAM sends documents URL-encoded (RFC 3986)
}

// An AttachedPolicy is a managed policy of a user or a group.
type AttachedPolicy struct {
	Name string `xml:"PolicyName"`
	ARN  string `xml:"PolicyArn"`
}

// AttachedPolicies lists the managed policies of a user.
func (s *Session) AttachedPolicies(ctx context.Context, user string) ([]AttachedPolicy, error) {
	var out struct {
		List []AttachedPolicy `xml:"ListAttachedUserPoliciesResult>AttachedPolicies>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListAttachedUserPolicies", Params: map[string]string{"UserName": user}}, &out)
	return out.List, err
}

// A ServiceCredential is a password or an API key that IAM made for one service
// and one user (CodeCommit, Keyspaces, Bedrock).
type ServiceCredential struct {
	ID      string    `xml:"ServiceSpecificCredentialId"`
	User    string    `xml:"UserName"`
	Name    string    `xml:"ServiceUserName"`
	Alias   string    `xml:"ServiceCredentialAlias"`
	Service string    `xml:"ServiceName"`
	Status  string    // Active, Inactive
	Created time.Time `xml:"CreateDate"`
}

// ServiceCredentials lists the service credentials of a user, or of all users if user is "".
func (s *Session) ServiceCredentials(ctx context.Context, user string) ([]ServiceCredential, error) {
	var out struct {
		List []ServiceCredential `xml:"ListServiceSpecificCredentialsResult>ServiceSpecificCredentials>member"`
	}
	params := map[string]string{"UserName": user}
	if user == "" {
		params = map[string]string{"AllUsers": "true"}
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListServiceSpecificCredentials", Params: params}, &out)
	return out.List, err
}
