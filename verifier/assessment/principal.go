package assessment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// rotation is the age up to which AWS advises to keep a key.
const rotation = 90 * 24 * time.Hour

// principal returns a user or a role, by kind "user" or "role". It is asked about once.
func (c *account) principal(ctx context.Context, kind, name string) *principal {
	if p := c.principals[kind+" "+name]; p != nil {
		return p
	}
	p := &principal{notes: notes{session: c.session}, account: c, name: name}
	c.principals[kind+" "+name] = p
	if kind == "role" {
		p.roleFacts(ctx)
		return p
	}
	p.keys, p.keysErr = p.session.AccessKeys(ctx, name)
	p.console(ctx)
	p.userPolicies(ctx)
	p.serviceCredentials(ctx)
	return p
}

// userPolicies reads the boundary, the policies and the groups of a user.
func (p *principal) userPolicies(ctx context.Context) {
	if d := p.account.details; d != nil {
		if u := find(d.Users, p.name); u != nil {
			p.detailed("attached-policies", u)
			p.add("groups", orNone(strings.Join(u.Groups, ", ")), neutral, detailsSource)
			for _, name := range u.Groups {
				if g := find(d.Groups, name); g != nil {
					p.detailed("group-policies", g)
				}
			}
			return
		}
	}
	var own struct {
		ARN      string `xml:"GetUserResult>User>Arn"`
		Boundary string `xml:"GetUserResult>User>PermissionsBoundary>PermissionsBoundaryArn"`
	}
	if c := p.iam("GetUser", "UserName", p.name); p.read(ctx, "boundary", c, &own) {
		p.arn = own.ARN
		p.add("boundary", orNone(own.Boundary), neutral, source(c))
	}
	p.policies(ctx, "User", "UserName", p.name)
	p.groups(ctx)
}

// roleFacts reads IAM's facts about the role of a session.
func (p *principal) roleFacts(ctx context.Context) {
	if d := p.account.details; d != nil {
		if r := find(d.Roles, p.name); r != nil {
			p.detailed("attached-policies", r)
			p.roleUse(r.Used, r.Region, detailsSource)
			return
		}
	}
	var own struct {
		ARN      string `xml:"GetRoleResult>Role>Arn"` // with its path, which STS does not tell
		Boundary string `xml:"GetRoleResult>Role>PermissionsBoundary>PermissionsBoundaryArn"`
		Used     string `xml:"GetRoleResult>Role>RoleLastUsed>LastUsedDate"`
		Region   string `xml:"GetRoleResult>Role>RoleLastUsed>Region"`
	}
	if c := p.iam("GetRole", "RoleName", p.name); p.read(ctx, "boundary", c, &own) {
		p.arn = own.ARN
		p.add("boundary", orNone(own.Boundary), neutral, source(c))
		p.roleUse(own.Used, own.Region, source(c))
	}
	p.policies(ctx, "Role", "RoleName", p.name)
}

func (p *principal) roleUse(at, region, source string) {
	used := "never"
	if at != "" {
		used = at + " in " + region
	}
	p.add("role-last-used", used, neutral, source)
}

// console finds out whether the user has a password and MFA.
func (p *principal) console(ctx context.Context) {
	password := p.password(ctx)
	report := p.account.report
	if active, ok := report.trusted(p.name, "mfa_active", "false"); ok {
		p.mfa(active, "yes", report.asOf(), password, report.source)
		return
	}
	var devices struct {
		List []string `xml:"ListMFADevicesResult>MFADevices>member>SerialNumber"`
	}
	if c := p.iam("ListMFADevices", "UserName", p.name); p.read(ctx, "mfa", c, &devices) {
		p.mfa(len(devices.List) > 0, strconv.Itoa(len(devices.List)), "", password, source(c))
	}
}

// password finds out whether the user has a password. If that is not known, it is taken to
// have one.
func (p *principal) password(ctx context.Context) bool {
	const name = "console-password"
	text := map[bool]string{true: "yes", false: "no"}
	report := p.account.report
	if enabled, ok := report.trusted(p.name, "password_enabled", "true"); ok {
		p.add(name, text[enabled]+report.asOf(), neutral, report.source)
		return enabled
	}
	login := p.iam("GetLoginProfile", "UserName", p.name)
	err := p.session.Do(ctx, login, nil)
	found := !errors.Is(err, operator.ErrNotFound)
	if err != nil && found {
		p.unknown(name, login, err)
		return true
	}
	p.add(name, text[found], neutral, source(login))
	return found
}

// mfa adds whether the user has MFA, in the words of text if so. asOf is empty, or says when
// that was.
func (p *principal) mfa(active bool, text, asOf string, password bool, source string) {
	switch {
	case active:
		p.add("mfa", text+asOf, neutral, source)
	case password:
		p.add("mfa", "none, with a console password"+asOf, bad, source)
	default:
		p.add("mfa", "none"+asOf, notable, source)
	}
}

// accessKey adds the status and the age of the key, and the other keys of its user.
func (r *inquiry) accessKey(p *principal) {
	c := r.iam("ListAccessKeys")
	if p.keysErr != nil {
		r.unknown("key-status", c, p.keysErr)
		return
	}
	for _, k := range p.keys {
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
