package assessment

import (
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// authorizations are the users, groups, roles and customer-managed policies of an account,
// with their policies (iam:GetAccountAuthorizationDetails).
type authorizations struct {
	Users    []principalDetail `xml:"GetAccountAuthorizationDetailsResult>UserDetailList>member"`
	Groups   []principalDetail `xml:"GetAccountAuthorizationDetailsResult>GroupDetailList>member"`
	Roles    []principalDetail `xml:"GetAccountAuthorizationDetailsResult>RoleDetailList>member"`
	Policies []managedPolicy   `xml:"GetAccountAuthorizationDetailsResult>Policies>member"`
}

// A principalDetail is a user, a group or a role.
type principalDetail struct {
	User     string                    `xml:"UserName"`
	Group    string                    `xml:"GroupName"`
	Role     string                    `xml:"RoleName"`
	ARN      string                    `xml:"Arn"`
	Groups   []string                  `xml:"GroupList>member"` // of a user
	Attached []operator.AttachedPolicy `xml:"AttachedManagedPolicies>member"`
	OfUser   []inlinePolicy            `xml:"UserPolicyList>member"`
	OfGroup  []inlinePolicy            `xml:"GroupPolicyList>member"`
	OfRole   []inlinePolicy            `xml:"RolePolicyList>member"`
	Boundary string                    `xml:"PermissionsBoundary>PermissionsBoundaryArn"`
	Used     string                    `xml:"RoleLastUsed>LastUsedDate"`
	Region   string                    `xml:"RoleLastUsed>Region"`
}

type inlinePolicy struct {
	Name     string `xml:"PolicyName"`
	Document string `xml:"PolicyDocument"` // URL-encoded
}

type managedPolicy struct {
	ARN      string `xml:"Arn"`
	Versions []struct {
		Document string // URL-encoded
		Default  bool   `xml:"IsDefaultVersion"`
	} `xml:"PolicyVersionList>member"`
}

// name returns the name of a user, a group or a role.
func (p *principalDetail) name() string { return p.User + p.Group + p.Role }

func (p *principalDetail) inline() []inlinePolicy {
	return append(append(p.OfUser, p.OfGroup...), p.OfRole...)
}

func (p *principalDetail) inlineNames() (names []string) {
	for _, policy := range p.inline() {
		names = append(names, policy.Name)
	}
	return names
}

// find returns the one of list that has the name, or nil.
func find(list []principalDetail, name string) *principalDetail {
	for i := range list {
		if strings.EqualFold(list[i].name(), name) { // IAM tells names apart only if they differ in more than case
			return &list[i]
		}
	}
	return nil
}
