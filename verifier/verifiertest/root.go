package verifiertest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// assumeRoot answers sts:AssumeRoot: in a region, for the management account, with
// a task policy of AWS's.
func (a *AWS) assumeRoot(acct *Account, key Key, req Request, form url.Values) Response {
	target := form.Get("TargetPrincipal")
	task := map[string][]string{
		"arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials": {"iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"},
		// As at AWS: the session may only delete and look.
		"arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials": {"iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:DeleteAccessKey"},
	}[form.Get("TaskPolicyArn.arn")]
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	switch {
	case acct == nil || !acct.Management || a.accounts[target] == nil:
		return refusal("sts", key.ARN, "sts:AssumeRoot")
	case task == nil, err != nil, seconds > 900:
		return Failure(http.StatusBadRequest, "ValidationError", "TaskPolicyArn or DurationSeconds")
	case req.Region == "":
		return Failure(http.StatusBadRequest, "InvalidAction", "not at the global endpoint")
	}
	a.made++
	k := Role(target, "root", 1<<20+a.made)
	k.ARN, k.UserID = "arn:aws:iam::"+target+":root", target
	a.policies[k.Credential.ID] = []string{`{"Statement":[{"Effect":"Allow","Action":["` + strings.Join(task, `","`) + `"],"Resource":["*"]}]}`}
	return a.session("AssumeRoot", k, 900*time.Second)
}

// rootIAM answers the root user about its own keys.
func (a *AWS) rootIAM(acct *Account, action string, form url.Values) Response {
	root := &IAMUser{Keys: acct.RootKeys}
	switch action {
	case "ListAccessKeys":
		return answer("iam", action, members("AccessKeyMetadata", root.keyList())+element("IsTruncated", "false"))
	case "UpdateAccessKey":
		for _, k := range acct.RootKeys {
			if k.Credential.ID == form.Get("AccessKeyId") {
				k.Inactive = form.Get("Status") == "Inactive"
				a.enableAs("arn:aws:iam::"+acct.ID+":root", acct.ID, k)
				return answer("iam", action, "")
			}
		}
	}
	return noSuch("Access Key", form.Get("AccessKeyId"))
}

func (u *IAMUser) quarantined() bool {
	return slices.ContainsFunc(u.Attached, func(arn string) bool { return strings.Contains(arn, "AWSCompromisedKeyQuarantine") })
}

// explicitDeny is how AWS words it where a policy denies.
func explicitDeny(arn, permission string) Response {
	return Failure(http.StatusForbidden, "AccessDenied",
		"User: "+arn+" is not authorized to perform: "+permission+" with an explicit deny in an identity-based policy")
}
