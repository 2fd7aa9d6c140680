package verifiertest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A ManagedPolicy is a customer-managed policy.
type ManagedPolicy struct {
	Versions []PolicyVersion // the last one is the default
	made     int
}

// A PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	ID, Document string
	Created      time.Time
}

// inlineQuota is how many characters the inline policies of a user or a role may have
// together, by the call that adds one, and versionQuota how many versions a policy may have
// (IAM User Guide, "IAM and AWS STS quotas").
var inlineQuota = map[string]int{"PutUserPolicy": 2048, "PutRolePolicy": 10240}

const versionQuota = 5

// noRoom refuses an inline policy for which there is no room.
func noRoom(action string, have map[string]string, form url.Values) (Response, bool) {
	total := 0
	for name, document := range have {
		if name != form.Get("PolicyName") {
			total += len(document)
		}
	}
	quota, limited := inlineQuota[action]
	if !limited || total+len(form.Get("PolicyDocument")) <= quota {
		return Response{}, false
	}
	return Failure(http.StatusConflict, "LimitExceeded", "Maximum policy size of "+strconv.Itoa(quota)+" bytes exceeded for "+form.Get("UserName")+form.Get("RoleName")), true
}

// managed answers for managed policies, and for those that are attached to a role.
func (a *AWS) managed(acct *Account, action string, form url.Values) (Response, bool) {
	arn := form.Get("PolicyArn")
	switch action {
	case "ListAttachedRolePolicies", "AttachRolePolicy", "DetachRolePolicy":
		r := acct.Roles[form.Get("RoleName")]
		if r == nil {
			return noSuch("role", form.Get("RoleName")), true
		}
		u := IAMUser{Attached: r.Attached}
		response := u.attached(strings.Replace(action, "Role", "User", 1), arn)
		r.Attached = u.Attached
		response.Body = strings.ReplaceAll(response.Body, strings.Replace(action, "Role", "User", 1), action)
		return response, true
	case "CreatePolicy":
		arn = "arn:aws:iam::" + acct.ID + ":policy/" + form.Get("PolicyName")
		if acct.Policies[arn] != nil {
			return Failure(http.StatusConflict, "EntityAlreadyExists", "A policy called "+form.Get("PolicyName")+" already exists."), true
		}
		p := &ManagedPolicy{}
		p.add(form.Get("PolicyDocument"), a.now())
		acct.Policies[arn] = p
		return answer("iam", action, "<Policy>"+element("Arn", arn)+"</Policy>"), true
	case "CreatePolicyVersion", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions", "DeletePolicyVersion", "DeletePolicy":
		p := acct.Policies[arn]
		if p == nil {
			return noSuch("policy", arn), true
		}
		return p.answer(a, acct, action, form), true
	}
	return Response{}, false
}

func (p *ManagedPolicy) add(document string, at time.Time) {
	p.made++
	p.Versions = append(p.Versions, PolicyVersion{"v" + strconv.Itoa(p.made), document, at})
}

func (p *ManagedPolicy) answer(a *AWS, acct *Account, action string, form url.Values) Response {
	arn, last := form.Get("PolicyArn"), p.Versions[len(p.Versions)-1]
	switch action {
	case "CreatePolicyVersion":
		if len(p.Versions) == versionQuota {
			return Failure(http.StatusConflict, "LimitExceeded", "A managed policy can have up to 5 versions.")
		}
		p.add(form.Get("PolicyDocument"), a.now())
	case "GetPolicy":
		return answer("iam", action, "<Policy>"+element("Arn", arn)+element("DefaultVersionId", last.ID)+"</Policy>")
	case "GetPolicyVersion":
		return answer("iam", action, "<PolicyVersion>"+element("VersionId", last.ID)+element("Document", url.QueryEscape(last.Document))+"</PolicyVersion>")
	case "ListPolicyVersions":
		var list []string
		for _, v := range p.Versions {
			list = append(list, element("VersionId", v.ID)+element("IsDefaultVersion", strconv.FormatBool(v == last))+
				element("CreateDate", v.Created.UTC().Format(time.RFC3339)))
		}
		return answer("iam", action, members("Versions", list)+element("IsTruncated", "false"))
	case "DeletePolicyVersion":
		p.Versions = slices.DeleteFunc(p.Versions, func(v PolicyVersion) bool { return v.ID == form.Get("VersionId") && v != last })
	case "DeletePolicy":
		for _, u := range acct.Users {
			if slices.Contains(u.Attached, arn) {
				return Failure(http.StatusConflict, "DeleteConflict", "Cannot delete a policy attached to entities.")
			}
		}
		if len(p.Versions) > 1 {
			return Failure(http.StatusConflict, "DeleteConflict", "This policy has more than one version.")
		}
		delete(acct.Policies, arn)
	}
	return answer("iam", action, "")
}

// documents returns the policies that stanch may have put on a user or a role: the inline
// ones, and the customer-managed ones that are attached.
func (acct *Account) documents(inline map[string]string, attached []string) (list []string) {
	for _, document := range inline {
		list = append(list, document)
	}
	for _, arn := range attached {
		if p := acct.Policies[arn]; p != nil {
			list = append(list, p.Versions[len(p.Versions)-1].Document)
		}
	}
	return list
}

// deniesSession reports whether a policy denies everything to a session that was issued at a
// time. It evaluates the two conditions that stanch writes.
func deniesSession(document string, issued time.Time) bool {
	var p struct {
		Statement []struct {
			Effect    string
			Condition map[string]map[string]string
		}
	}
	if json.Unmarshal([]byte(document), &p) != nil {
		return false
	}
	for _, s := range p.Statement {
		before, err := time.Parse(time.RFC3339, s.Condition["DateLessThan"]["aws:TokenIssueTime"])
		older := err == nil && issued.Truncate(time.Second).Before(before) // AWS keeps whole seconds
		any := s.Condition["Null"]["aws:TokenIssueTime"] == "false"
		if s.Effect == "Deny" && (older || any) {
			return true
		}
	}
	return false
}

// listUsers lists the users of an account.
func (acct *Account) listUsers() Response {
	var list []string
	for _, u := range acct.Users {
		list = append(list, element("UserName", u.Name)+element("Arn", u.arn(acct))+element("CreateDate", u.Created.UTC().Format(time.RFC3339)))
	}
	slices.Sort(list)
	return answer("iam", "ListUsers", members("Users", list)+element("IsTruncated", "false"))
}

// oneRegion is the answer to ec2:DescribeRegions of an account that has no other.
func oneRegion() Response {
	return response(http.StatusOK, "<DescribeRegionsResponse><requestId>"+RequestID+"</requestId><regionInfo><item>"+
		element("regionName", "us-east-1")+"</item></regionInfo></DescribeRegionsResponse>")
}
