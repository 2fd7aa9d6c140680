package verifiertest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// iam answers a call to IAM, in the words of AWS.
func (a *AWS) iam(acct *Account, key Key, action string, form url.Values) Response {
	if action == "GetAccessKeyLastUsed" {
		return acct.lastUsed(form.Get("AccessKeyId"))
	}
	if action == "ListUsers" {
		return acct.listUsers()
	}
	policies := policyStore{acct.ID, acct.Policies, acct.attached, a.now()}
	if response, ok := policies.answer(action, form); ok {
		return response
	}
	if text, ok := lastAccessed[action]; ok {
		return answer("iam", action, text)
	}
	if form.Get("AllUsers") == "true" {
		return acct.allServiceCredentials()
	}
	if role := form.Get("RoleName"); role != "" {
		r := acct.Roles[role]
		if r == nil {
			return noSuch("role", role)
		}
		if action == "GetRole" {
			return answer("iam", action, "<Role>"+element("RoleName", role)+element("Arn", r.arn(acct))+element("Path", r.Path)+"</Role>")
		}
		switch action {
		case "ListAttachedRolePolicies", "AttachRolePolicy", "DetachRolePolicy":
			r.Attached = attached(r.Attached, action, form.Get("PolicyArn"))
			return attachedAnswer(action, r.Attached)
		}
		return inline(action, "Role", r.Inline, r.Tags, form)
	}
	name := form.Get("UserName")
	if name == "" { // about the caller
		if strings.HasSuffix(key.ARN, ":root") {
			return a.rootIAM(acct, action, form)
		}
		name = key.ARN[strings.LastIndexByte(key.ARN, '/')+1:]
		if u := acct.Users[name]; u != nil && u.quarantined() {
			return explicitDeny(key.ARN, "iam:"+action)
		}
	}
	u := acct.Users[name]
	if u == nil {
		return noSuch("user", name)
	}
	switch action {
	case "ListAccessKeys":
		return answer("iam", action, members("AccessKeyMetadata", u.keyList())+element("IsTruncated", "false"))
	case "UpdateAccessKey":
		return a.updateKey(acct, u, form)
	case "ListAttachedUserPolicies", "AttachUserPolicy", "DetachUserPolicy":
		u.Attached = attached(u.Attached, action, form.Get("PolicyArn"))
		return attachedAnswer(action, u.Attached)
	case "ListServiceSpecificCredentials", "UpdateServiceSpecificCredential":
		return u.serviceCredentials(action, form)
	}
	if text, ok := u.facts(acct, action); ok {
		return answer("iam", action, text)
	}
	if action == "GetLoginProfile" {
		return noSuch("Login Profile for User", name)
	}
	return inline(action, "User", u.Inline, u.Tags, form)
}

func (acct *Account) lastUsed(id string) Response {
	for _, u := range acct.Users {
		for _, k := range u.Keys {
			if k.Credential.ID != id {
				continue
			}
			used := element("Region", "N/A") + element("ServiceName", "N/A")
			if !k.Used.IsZero() {
				used = element("LastUsedDate", k.Used.UTC().Format(time.RFC3339)) +
					element("Region", "us-east-1") + element("ServiceName", k.UsedService)
			}
			return answer("iam", "GetAccessKeyLastUsed", element("UserName", u.Name)+"<AccessKeyLastUsed>"+used+"</AccessKeyLastUsed>")
		}
	}
	// AWS does not say whether the key belongs to another account or to none.
	return Failure(http.StatusForbidden, "AccessDenied", "not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key "+id)
}

func (u *IAMUser) keyList() (list []string) {
	for _, k := range u.Keys {
		list = append(list, element("UserName", u.Name)+element("AccessKeyId", k.Credential.ID)+
			element("Status", status(k.Inactive))+element("CreateDate", k.Created.UTC().Format(time.RFC3339)))
	}
	return list
}

func status(off bool) string {
	if off {
		return "Inactive"
	}
	return "Active"
}

func (a *AWS) updateKey(acct *Account, u *IAMUser, form url.Values) Response {
	for _, k := range u.Keys {
		if k.Credential.ID == form.Get("AccessKeyId") {
			was := k.Inactive
			k.Inactive = form.Get("Status") == "Inactive"
			a.enable(acct, u, k)
			if k.Inactive && !was {
				a.linger(k.Credential.ID)
			}
			return answer("iam", "UpdateAccessKey", "")
		}
	}
	return noSuch("Access Key", form.Get("AccessKeyId"))
}

// attached returns the policies that are attached to a user or a role after a call.
func attached(list []string, action, arn string) []string {
	switch {
	case strings.HasPrefix(action, "Attach") && !slices.Contains(list, arn):
		return append(list, arn)
	case strings.HasPrefix(action, "Detach"):
		return slices.DeleteFunc(list, func(s string) bool { return s == arn })
	}
	return list
}

func attachedAnswer(action string, list []string) Response {
	return answer("iam", action, members("AttachedPolicies", policies(list))+element("IsTruncated", "false"))
}

// attached reports whether a policy is attached to anything.
func (acct *Account) attached(arn string) bool {
	for _, u := range acct.Users {
		if slices.Contains(u.Attached, arn) {
			return true
		}
	}
	for _, r := range acct.Roles {
		if slices.Contains(r.Attached, arn) {
			return true
		}
	}
	return false
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

func policies(arns []string) (list []string) {
	for _, arn := range arns {
		list = append(list, element("PolicyName", arn[strings.LastIndexByte(arn, '/')+1:])+element("PolicyArn", arn))
	}
	return list
}

func (u *IAMUser) serviceCredentials(action string, form url.Values) Response {
	var list []string
	for _, c := range u.ServiceCreds {
		if action == "UpdateServiceSpecificCredential" && c.ID == form.Get("ServiceSpecificCredentialId") {
			c.Inactive = form.Get("Status") == "Inactive"
			return answer("iam", action, "")
		}
		list = append(list, u.serviceCredential(c))
	}
	if action == "UpdateServiceSpecificCredential" {
		return noSuch("Service Specific Credential", form.Get("ServiceSpecificCredentialId"))
	}
	return answer("iam", action, members("ServiceSpecificCredentials", list))
}

func (u *IAMUser) serviceCredential(c *ServiceCredential) string {
	return element("UserName", u.Name) + element("Status", status(c.Inactive)) + element("ServiceUserName", c.Name) +
		element("ServiceSpecificCredentialId", c.ID) + element("ServiceName", c.Service) +
		element("CreateDate", c.Created.UTC().Format(time.RFC3339))
}

// facts answers calls about facts that nothing changes.
func (u *IAMUser) facts(acct *Account, action string) (result string, ok bool) {
	switch action {
	case "GetUser":
		text := element("UserName", u.Name) + element("Arn", u.arn(acct)) + element("Path", u.Path)
		if u.Boundary != "" {
			text += "<PermissionsBoundary>" + element("PermissionsBoundaryType", "Policy") + element("PermissionsBoundaryArn", u.Boundary) + "</PermissionsBoundary>"
		}
		return "<User>" + text + "</User>", true
	case "ListMFADevices":
		var list []string
		for range u.MFA {
			list = append(list, element("UserName", u.Name)+element("SerialNumber", "arn:aws:iam::"+acct.ID+":mfa/"+u.Name))
		}
		return members("MFADevices", list), true
	case "GetLoginProfile":
		return "<LoginProfile>" + element("UserName", u.Name) + "</LoginProfile>", u.Console
	case "ListGroupsForUser":
		var list []string
		for _, g := range u.Groups {
			list = append(list, element("GroupName", g))
		}
		return members("Groups", list), true
	case "ListUserPolicies":
		return members("PolicyNames", slices.Sorted(maps.Keys(u.Inline))), true
	}
	return "", false
}

// inline answers for the inline policies and the tags of a user or a role.
func inline(action, kind string, have, tags map[string]string, form url.Values) Response {
	name := form.Get("PolicyName")
	if refused, ok := noRoom(action, have, form); ok {
		return refused
	}
	switch action {
	case "Put" + kind + "Policy":
		have[name] = form.Get("PolicyDocument")
		return answer("iam", action, "")
	case "Get" + kind + "Policy", "Delete" + kind + "Policy":
		document, ok := have[name]
		if !ok {
			return noSuch(strings.ToLower(kind)+" policy", name)
		}
		if action == "Delete"+kind+"Policy" {
			delete(have, name)
			return answer("iam", action, "")
		}
		return answer("iam", action, element("PolicyName", name)+element("PolicyDocument", url.QueryEscape(document)))
	case "List" + kind + "Tags":
		var list []string
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			list = append(list, element("Key", key)+element("Value", tags[key]))
		}
		return answer("iam", action, members("Tags", list))
	}
	return Failure(http.StatusBadRequest, "InvalidAction", "Could not find operation "+action+" for version 2010-05-08")
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
