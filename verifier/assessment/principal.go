package assessment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// rotation is the age up to which AWS advises to keep a key.
const rotation = 90 * 24 * time.Hour

// userFacts reads IAM's facts about the user.
func (r *inquiry) userFacts(ctx context.Context) {
	r.accessKeys(ctx)
	r.console(ctx)
	var own struct {
		ARN      string `xml:"GetUserResult>User>Arn"`
		Boundary string `xml:"GetUserResult>User>PermissionsBoundary>PermissionsBoundaryArn"`
	}
	if c := r.iam("GetUser", "UserName", r.user); r.read(ctx, "boundary", c, &own) {
		r.arn = own.ARN
		r.add("boundary", orNone(own.Boundary), neutral, source(c))
	}
	r.policies(ctx, "User", "UserName", r.user)
	r.groups(ctx)
	r.serviceCredentials(ctx)
}

// roleFacts reads IAM's facts about the role of a session.
func (r *inquiry) roleFacts(ctx context.Context) {
	var own struct {
		ARN      string `xml:"GetRoleResult>Role>Arn"` // with its path, which STS does not tell
		Boundary string `xml:"GetRoleResult>Role>PermissionsBoundary>PermissionsBoundaryArn"`
		Used     string `xml:"GetRoleResult>Role>RoleLastUsed>LastUsedDate"`
		Region   string `xml:"GetRoleResult>Role>RoleLastUsed>Region"`
	}
	if c := r.iam("GetRole", "RoleName", r.identity.Name); r.read(ctx, "boundary", c, &own) {
		r.arn = own.ARN
		r.add("boundary", orNone(own.Boundary), neutral, source(c))
		used := "never"
		if own.Used != "" {
			used = own.Used + " in " + own.Region
		}
		r.add("role-last-used", used, neutral, source(c))
	}
	r.policies(ctx, "Role", "RoleName", r.identity.Name)
}

func (r *inquiry) accessKeys(ctx context.Context) {
	c := r.iam("ListAccessKeys")
	keys, err := r.session.AccessKeys(ctx, r.user)
	if err != nil {
		r.unknown("key-status", c, err)
		return
	}
	for _, k := range keys {
		if k.ID != r.keyID {
			risk := neutral
			if k.Status == "Active" {
				risk = notable
			}
			r.add("sibling-key", fmt.Sprintf("%s, %s, made %s", k.ID, k.Status, k.Created.Format(time.DateOnly)), risk, source(c))
			continue
		}
		risk := neutral
		if k.Status == "Active" {
			risk = act
		}
		r.add("key-status", k.Status, risk, source(c))
		age := r.now().Sub(k.Created)
		text, risk := fmt.Sprintf("%d days", int(age.Hours()/24)), neutral
		if age > rotation {
			text, risk = text+": was to be rotated after 90", bad
		}
		r.add("key-age", text, risk, source(c))
	}
}

// console finds out whether the user has a password and MFA.
func (r *inquiry) console(ctx context.Context) {
	password := true
	login := r.iam("GetLoginProfile", "UserName", r.user)
	switch err := r.session.Do(ctx, login, nil); {
	case errors.Is(err, operator.ErrNotFound):
		password = false
		r.add("console-password", "no", neutral, source(login))
	case err != nil:
		r.unknown("console-password", login, err)
	default:
		r.add("console-password", "yes", neutral, source(login))
	}
	var devices struct {
		List []string `xml:"ListMFADevicesResult>MFADevices>member>SerialNumber"`
	}
	c := r.iam("ListMFADevices", "UserName", r.user)
	if !r.read(ctx, "mfa", c, &devices) {
		return
	}
	switch n := len(devices.List); {
	case n > 0:
		r.add("mfa", fmt.Sprintf("%d", n), neutral, source(c))
	case password:
		r.add("mfa", "none, with a console password", bad, source(c))
	default:
		r.add("mfa", "none", notable, source(c))
	}
}

// policies lists the policies of a user, a role or a group. noun and param are words of the
// API, such as User and UserName.
func (r *inquiry) policies(ctx context.Context, noun, param, name string) {
	action := "ListAttached" + noun + "Policies"
	var attached struct {
		User  []operator.AttachedPolicy `xml:"ListAttachedUserPoliciesResult>AttachedPolicies>member"`
		Role  []operator.AttachedPolicy `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member"`
		Group []operator.AttachedPolicy `xml:"ListAttachedGroupPoliciesResult>AttachedPolicies>member"`
	}
	fact := "attached-policies"
	if noun == "Group" {
		fact = "group-policies"
	}
	if c := r.iam(action, param, name); r.read(ctx, fact, c, &attached) {
		var names []string
		for _, p := range slices.Concat(attached.User, attached.Role, attached.Group) {
			names = append(names, p.Name)
			r.judgePolicy(p.Name, source(c))
		}
		r.add(fact, orNone(strings.Join(names, ", ")), neutral, source(c))
	}
	var inline struct {
		User  []string `xml:"ListUserPoliciesResult>PolicyNames>member"`
		Role  []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
		Group []string `xml:"ListGroupPoliciesResult>PolicyNames>member"`
	}
	fact = strings.Replace(fact, "attached", "inline", 1)
	if c := r.iam("List"+noun+"Policies", param, name); r.read(ctx, fact, c, &inline) {
		if names := slices.Concat(inline.User, inline.Role, inline.Group); noun != "Group" || len(names) > 0 {
			r.add(fact, orNone(strings.Join(names, ", ")), neutral, source(c))
		}
	}
}

// judgePolicy adds a fact about a managed policy that is known by its name.
func (r *inquiry) judgePolicy(policy, source string) {
	switch {
	case policy == "AdministratorAccess":
		r.add("admin", policy+": whoever has the key has the account", act, source)
	case policy == "PowerUserAccess", policy == "IAMFullAccess":
		r.add("admin", policy, act, source)
	case strings.HasPrefix(policy, "AWSCompromisedKeyQuarantine"):
		r.add("quarantine", policy+": AWS knows of the leak; leave it attached, and answer the support case", bad, source)
	}
}

func (r *inquiry) groups(ctx context.Context) {
	var out struct {
		Names []string `xml:"ListGroupsForUserResult>Groups>member>GroupName"`
	}
	c := r.iam("ListGroupsForUser", "UserName", r.user)
	if !r.read(ctx, "groups", c, &out) {
		return
	}
	r.add("groups", orNone(strings.Join(out.Names, ", ")), neutral, source(c))
	for _, name := range out.Names {
		r.policies(ctx, "Group", "GroupName", name)
	}
}
