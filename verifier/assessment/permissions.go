package assessment

import "github.com/stanch-dev/stanch/verifier/operator"

// Permissions is the least that the role of an assessor needs. It only reads.
func Permissions() string {
	return operator.Policy(operator.Statement{
		Sid: "StanchAssess", Effect: "Allow", Resource: []string{"*"},
		Action: []string{
			"iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:GetUser", "iam:GetLoginProfile", "iam:ListMFADevices",
			"iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser", "iam:ListAttachedGroupPolicies",
			"iam:ListGroupPolicies", "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListServiceSpecificCredentials",
			"iam:GenerateCredentialReport", "iam:GetCredentialReport", "iam:SimulatePrincipalPolicy", "iam:GetAccountSummary",
			"iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails",
			"iam:GetAccountAuthorizationDetails", "iam:GetAccountPasswordPolicy",
			"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors", "cloudtrail:LookupEvents",
			"logs:DescribeMetricFilters", "cloudwatch:DescribeAlarmsForMetric", "events:ListRules",
			"guardduty:ListDetectors", "guardduty:ListFindings", "guardduty:GetFindings",
			"support:DescribeTrustedAdvisorChecks", "support:DescribeTrustedAdvisorCheckSummaries", "support:DescribeTrustedAdvisorCheckResult",
			"health:DescribeEvents", "ec2:DescribeRegions", "ec2:DescribeInstances", "ce:GetCostAndUsage", "account:GetAlternateContact",
		},
	})
}
