package verifiertest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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

// A policyStore holds the managed policies of an account.
type policyStore struct {
	account  string
	policies map[string]*ManagedPolicy // by ARN
	attached func(arn string) bool     // to anything
	now      time.Time
}

// answer answers a call about a managed policy. It returns false for other calls.
func (s policyStore) answer(action string, form url.Values) (Response, bool) {
	arn := form.Get("PolicyArn")
	switch action {
	case "CreatePolicy":
		arn = "arn:aws:iam::" + s.account + ":policy/" + form.Get("PolicyName")
		if s.policies[arn] != nil {
			return Failure(http.StatusConflict, "EntityAlreadyExists", "A policy called "+form.Get("PolicyName")+" already exists."), true
		}
		p := &ManagedPolicy{}
		p.add(form.Get("PolicyDocument"), s.now)
		s.policies[arn] = p
		return answer("iam", action, "<Policy>"+element("Arn", arn)+"</Policy>"), true
	case "CreatePolicyVersion", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions", "DeletePolicyVersion", "DeletePolicy":
		p := s.policies[arn]
		if p == nil {
			return noSuch("policy", arn), true
		}
		if action == "DeletePolicy" {
			return s.remove(arn, p), true
		}
		return p.answer(action, form, s.now), true
	}
	return Response{}, false
}

func (s policyStore) remove(arn string, p *ManagedPolicy) Response {
	switch {
	case s.attached(arn):
		return Failure(http.StatusConflict, "DeleteConflict", "Cannot delete a policy attached to entities.")
	case len(p.Versions) > 1:
		return Failure(http.StatusConflict, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.")
	}
	delete(s.policies, arn)
	return answer("iam", "DeletePolicy", "")
}

func (p *ManagedPolicy) add(document string, at time.Time) {
	p.made++
	p.Versions = append(p.Versions, PolicyVersion{"v" + strconv.Itoa(p.made), document, at})
}

func (p *ManagedPolicy) answer(action string, form url.Values, now time.Time) Response {
	arn, last := form.Get("PolicyArn"), p.Versions[len(p.Versions)-1]
	switch action {
	case "CreatePolicyVersion":
		if len(p.Versions) == versionQuota {
			return Failure(http.StatusConflict, "LimitExceeded", "A managed policy can have up to 5 versions.")
		}
		p.add(form.Get("PolicyDocument"), now)
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
	}
	return answer("iam", action, "")
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
		every := s.Condition["Null"]["aws:TokenIssueTime"] == "false"
		if s.Effect == "Deny" && (older || every) {
			return true
		}
	}
	return false
}
