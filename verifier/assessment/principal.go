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

// rotation is how old a key may be by AWS's own advice.
const rotation = 90 * 24 * time.Hour

// userFacts reads what IAM says of the user.
func (r *reading) userFacts(ctx context.Context) {
	r.keys(ctx)
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
}

// roleFacts reads what IAM says of the role of a session.
func (r *reading) roleFacts(ctx context.Context) {
	r.policies(ctx, "Role", "RoleName", r.subject.Identity.Name)
}

// read makes a call, or adds that name is not known.
func (r *reading) read(ctx context.Context, name string, c operator.Call, out any) bool {
	if err := r.session.Do(ctx, c, out); err != nil {
		r.unknown(name, c, err)
		return false
	}
	return true
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (r *reading) keys(ctx context.Context) {
	c := r.iam("ListAccessKeys")
	keys, err := r.session.AccessKeys(ctx, r.user)
	if err != nil {
		r.unknown("key-status", c, err)
		return
	}
	for _, k := range keys {
		if k.ID != r.subject.KeyID {
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

// console tells whether the user can sign in, and with what.
func (r *reading) console(ctx context.Context) {
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

// policies lists those of a user, a role or a group. noun and param are those of
// the API: User and UserName.
func (r *reading) policies(ctx context.Context, noun, param, name string) {
	action := "ListAttached" + noun + "Policies"
	var attached struct {
		User  []operator.AttachedPolicy `xml:"ListAttachedUserPoliciesResult>AttachedPolicies>member"`
		Role  []operator.AttachedPolicy `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member"`
		Group []operator.AttachedPolicy `xml:"ListAttachedGroupPoliciesResult>AttachedPolicies>member"`
	}
	fact := map[string]string{"Group": "group-policies"}[noun]
	if fact == "" {
		fact = "attached-policies"
	}
	if c := r.iam(action, param, name); r.read(ctx, fact, c, &attached) {
		var names []string
		for _, p := range slices.Concat(attached.User, attached.Role, attached.Group) {
			names = append(names, p.Name)
			r.judge(p.Name, source(c))
		}
		r.add(fact, orNone(strings.Join(names, ", ")), neutral, source(c))
	}
	if noun == "Group" {
		return
	}
	var inline struct {
		User []string `xml:"ListUserPoliciesResult>PolicyNames>member"`
		Role []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
	}
	if c := r.iam("List"+noun+"Policies", param, name); r.read(ctx, "inline-policies", c, &inline) {
		r.add("inline-policies", orNone(strings.Join(slices.Concat(inline.User, inline.Role), ", ")), neutral, source(c))
	}
}

// judge adds what the name of a managed policy says by itself.
func (r *reading) judge(policy, source string) {
	switch {
	case policy == "AdministratorAccess":
		r.add("admin", policy+": whoever has the key has the account", act, source)
	case policy == "PowerUserAccess", policy == "IAMFullAccess":
		r.add("admin", policy, act, source)
	case strings.HasPrefix(policy, "AWSCompromisedKeyQuarantine"):
		r.add("quarantine", policy+": AWS knows of the leak; leave it attached, and answer the support case", bad, source)
	}
}

func (r *reading) groups(ctx context.Context) {
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

// probes are the actions that the policies are tried with: how a key becomes more
// than it is, and what it is usually stolen for.
var probes = []struct {
	action string
	risk   int
}{
	{"iam:CreateAccessKey", act},
	{"iam:AttachUserPolicy", act},
	{"iam:PassRole", act},
	{"sts:AssumeRole", bad},
	{"ec2:RunInstances", bad},
	{"lambda:CreateFunction", bad},
	{"s3:GetObject", bad},
	{"s3:ListAllMyBuckets", notable},
	{"secretsmanager:GetSecretValue", act},
	{"kms:Decrypt", bad},
	{"bedrock:InvokeModel", bad},
	{"ses:SendEmail", bad},
	{"cloudtrail:StopLogging", act},
	{"organizations:LeaveOrganization", act},
}

// probe has IAM simulate the probes on all resources. It knows neither service
// control policies nor conditions that it is not given.
func (r *reading) probe(ctx context.Context) {
	if r.arn == "" || r.subject.Identity.Kind == "root" {
		return
	}
	c := r.iam("SimulatePrincipalPolicy", "PolicySourceArn", r.arn)
	for i, p := range probes {
		c.Params[fmt.Sprintf("ActionNames.member.%d", i+1)] = p.action
	}
	var out struct {
		Results []struct {
			Action   string `xml:"EvalActionName"`
			Decision string `xml:"EvalDecision"`
		} `xml:"SimulatePrincipalPolicyResult>EvaluationResults>member"`
	}
	if !r.read(ctx, "may", c, &out) {
		return
	}
	var allowed []string
	risk := neutral
	for _, result := range out.Results {
		if result.Decision != "allowed" {
			continue
		}
		allowed = append(allowed, result.Action)
		for _, p := range probes {
			if p.action == result.Action {
				risk = max(risk, p.risk)
			}
		}
	}
	text := fmt.Sprintf("none of the %d actions that were tried", len(probes))
	if len(allowed) > 0 {
		text = strings.Join(allowed, ", ")
	}
	r.add("may", text, risk, source(c))
}
