package verifiertest

import (
	"maps"
	"net/http"
	"slices"
)

// emptyAnswers are the answers of an account in which there is nothing, to calls that read
// about the account. An Answer of the account replaces its own.
var emptyAnswers = map[string]string{
	"iam:GetAccountAuthorizationDetails": "<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult>" +
		"<IsTruncated>false</IsTruncated></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>",
	"ec2:DescribeInstances":                        "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>",
	"events:ListRules":                             `{"Rules":[]}`,
	"ce:GetCostAndUsage":                           `{"ResultsByTime":[]}`,
	"support:DescribeTrustedAdvisorChecks":         `{"checks":[]}`,
	"support:DescribeTrustedAdvisorCheckSummaries": `{"summaries":[]}`,
	"organizations:ListPoliciesForTarget":          `{"Policies":[]}`,
	"organizations:ListParents":                    `{"Parents":[{"Id":"r-root","Type":"ROOT"}]}`,
}

// emptyAnswer answers a call that reads about an account in which there is nothing.
func emptyAnswer(permission string) (Response, bool) {
	switch permission {
	case "iam:GetAccountPasswordPolicy":
		return noSuch("Password Policy", "account"), true
	case "account:POST /getAlternateContact":
		return JSONFailure(http.StatusNotFound, "ResourceNotFoundException", "No contact of the inputted alternate contact type found."), true
	}
	text, ok := emptyAnswers[permission]
	return response(http.StatusOK, text), ok
}

// allServiceCredentials lists those of all users of the account.
func (acct *Account) allServiceCredentials() Response {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(acct.Users)) {
		for _, c := range acct.Users[name].ServiceCreds {
			list = append(list, acct.Users[name].serviceCredential(c))
		}
	}
	return answer("iam", "ListServiceSpecificCredentials", members("ServiceSpecificCredentials", list))
}
