package assessment_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// adviceAnswers are the answers of prod about the advice of AWS on leaked keys.
func adviceAnswers() map[string]string {
	return map[string]string{
		"iam:GetAccountPasswordPolicy": `<GetAccountPasswordPolicyResponse><GetAccountPasswordPolicyResult><PasswordPolicy>
			<MinimumPasswordLength>8</MinimumPasswordLength><RequireSymbols>true</RequireSymbols><RequireNumbers>true</RequireNumbers>
			<MaxPasswordAge>90</MaxPasswordAge></PasswordPolicy></GetAccountPasswordPolicyResult></GetAccountPasswordPolicyResponse>`,
		"events:ListRules": `{"Rules":[{"Name":"g","State":"ENABLED","EventPattern":"{\"source\":[\"aws.guardduty\"]}"},
			{"Name":"h","State":"DISABLED","EventPattern":"{\"source\":[\"aws.health\"]}"}]}`,
		"events:ListRules:eu-west-1": `{"Rules":[{"Name":"i","State":"ENABLED","EventPattern":"{\"detail\":{\"eventSource\":[\"iam.amazonaws.com\"]}}"}]}`,
		"ce:GetCostAndUsage":         bill("10.5", "200"),
		"support:DescribeTrustedAdvisorChecks": `{"checks":[{"id":"a","name":"Security Groups - Unrestricted Access","category":"security"},
			{"id":"b","name":"MFA on Root Account","category":"security"},{"id":"c","name":"Idle","category":"cost_optimizing"},
			{"id":"d","name":"VPC","category":"service_limits"}]}`,
		"support:DescribeTrustedAdvisorCheckSummaries": `{"summaries":[{"checkId":"a","status":"error","resourcesSummary":{"resourcesFlagged":3}},
			{"checkId":"b","status":"ok"},{"checkId":"d","status":"warning","resourcesSummary":{"resourcesFlagged":1}}]}`,
		"ec2:DescribeInstances": `<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId></item>
			<item><instanceId>i-2</instanceId><iamInstanceProfile><arn>arn:aws:iam::222233334444:instance-profile/web</arn></iamInstanceProfile></item>
			</instancesSet></item></reservationSet></DescribeInstancesResponse>`,
		"account:POST /getAlternateContact": `{"AlternateContact":{"AlternateContactType":"SECURITY","Name":"On call","EmailAddress":"sec@example.com"}}`,
	}
}

// bill has a cost for each day, and another for today.
func bill(usual, today string) string {
	var days []string
	for n := 20; n >= 0; n-- {
		amount := usual
		if n == 0 {
			amount = today
		}
		days = append(days, fmt.Sprintf(`{"TimePeriod":{"Start":%q},"Groups":[{"Keys":["AWS Lambda"],"Metrics":{"UnblendedCost":{"Amount":"1","Unit":"USD"}}},
			{"Keys":["Amazon EC2"],"Metrics":{"UnblendedCost":{"Amount":%q,"Unit":"USD"}}}]}`, time.Now().UTC().AddDate(0, 0, -n).Format(time.DateOnly), amount))
	}
	return `{"ResultsByTime":[` + strings.Join(days, ",") + `]}`
}

// alarm is an alarm with some of its fields.
func alarm(fields string) string {
	return "<DescribeAlarmsForMetricResponse><DescribeAlarmsForMetricResult><MetricAlarms><member><AlarmName>root</AlarmName>" + fields +
		"</member></MetricAlarms></DescribeAlarmsForMetricResult></DescribeAlarmsForMetricResponse>"
}

// summary is IAM's summary of the account, of names and numbers.
func summary(entries ...any) string {
	text := ""
	for i := 0; i < len(entries); i += 2 {
		text += fmt.Sprintf("<entry><key>%v</key><value>%v</value></entry>", entries[i], entries[i+1])
	}
	return "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>" + text + "</SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>"
}

// TestLongLists: of a list that has more pages than are read, nothing is said that only all of
// it tells.
func TestLongLists(t *testing.T) {
	for _, tt := range []struct{ account, call, answer, fact, region string }{
		{prod, "events:ListRules", `{"Rules":[],"NextToken":"n"}`, "rule-guardduty", " (in all 2 regions)"},
		{prod, "logs:DescribeMetricFilters", `{"metricFilters":[],"nextToken":"n"}`, "alarm-root", ""},
		{prod, "health:DescribeEvents", `{"events":[],"nextToken":"n"}`, "health", ""},
		{prod, "guardduty:POST /detector/d1/findings", `{"findingIds":[],"nextToken":"n"}`, "guardduty", " (in us-east-1)"},
		{prod, "ec2:DescribeInstances", `<DescribeInstancesResponse><reservationSet/><nextToken>n</nextToken></DescribeInstancesResponse>`, "instances-without-role", " (in us-east-1)"},
		{prod, "ce:GetCostAndUsage", `{"ResultsByTime":[],"NextPageToken":"n"}`, "bill", ""},
		{ops, "organizations:ListTagsForResource", `{"Tags":[],"NextToken":"n"}`, "account-owner", ""},
		{ops, "organizations:ListPoliciesForTarget", `{"Policies":[],"NextToken":"n"}`, "control-policies", ""},
	} {
		t.Run(tt.fact, func(t *testing.T) {
			s := newSetting(t)
			s.Change(tt.account, func(a *verifiertest.Account) {
				delete(a.Answers, tt.call+":eu-west-1")
				a.Answers[tt.call] = tt.answer
			})
			var got []string
			for _, f := range s.assess(t, s.subject()) {
				if f.Name == tt.fact && f.Value != "off (in eu-west-1)" {
					got = append(got, f.Value)
				}
			}
			if want := "not known: the list has more than 200 pages" + tt.region; len(got) != 1 || got[0] != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestAdvice: each sentence of AWS's advice on leaked keys that is a fact of the account.
func TestAdvice(t *testing.T) {
	answer := func(call, body string) func(*setting) {
		return func(s *setting) {
			s.Change(prod, func(a *verifiertest.Account) { a.Answers[call] = body })
		}
	}
	next := func(call string, r ...verifiertest.Response) func(*setting) {
		return func(s *setting) { s.Next(call, r...) }
	}
	oneRegion := func(call string, r ...verifiertest.Response) func(*setting) {
		return func(s *setting) {
			answer("ec2:DescribeRegions", "<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName></item></regionInfo></DescribeRegionsResponse>")(s)
			s.Next(call, r...)
		}
	}
	const trails = `{"trailList":[{"TrailARN":"arn:aws:cloudtrail:us-east-1:222233334444:trail/all","IsMultiRegionTrail":true,"HomeRegion":"us-east-1"%s}]}`
	noTrail := answer("cloudtrail:DescribeTrails", `{"trailList":[]}`)
	for _, tt := range []struct {
		name   string
		change func(*setting)
		want   verifier.Fact
	}{
		{"password policy", nil, verifier.Fact{Name: "password-policy", Value: "at least 8 characters, with symbols and numbers, to be changed after 90 days", Risk: 1, Source: "iam:GetAccountPasswordPolicy"}},
		{"no password policy", next("iam:GetAccountPasswordPolicy", verifiertest.Failure(404, "NoSuchEntity", "x")),
			verifier.Fact{Name: "password-policy", Value: "none: IAM's default", Risk: 2, Source: "iam:GetAccountPasswordPolicy"}},
		{"password age", answer("iam:GetCredentialReport", credentialReport("user,password_enabled,password_last_changed\ndeploy,true,2020-01-01T00:00:00+00:00\n")),
			verifier.Fact{Name: "password-age", Value: "days: older than 90", Risk: 1, Source: "iam:GetCredentialReport"}},
		{"admins", nil, verifier.Fact{Name: "admins", Value: "3 of 5 users and roles: user deploy, user ada, role admin", Risk: 1, Source: "iam:GetAccountAuthorizationDetails"}},
		{"rule in each region", answer("events:ListRules:eu-west-1", `{"Rules":[{"State":"ENABLED","EventPattern":"{\"source\":[\"aws.guardduty\"]}"}]}`),
			verifier.Fact{Name: "rule-guardduty", Value: "present (in all 2 regions)", Source: "events:ListRules"}},
		{"rule in one region", nil, verifier.Fact{Name: "rule-guardduty", Value: "present (in us-east-1)", Source: "events:ListRules"}},
		{"rule where no events of IAM come", nil, verifier.Fact{Name: "rule-iam", Value: "none in us-east-1, where such events come", Risk: 1, Source: "events:ListRules"}},
		{"rule on IAM", answer("events:ListRules", `{"Rules":[{"State":"ENABLED","EventPattern":"{\"detail\":{\"eventSource\":[\"iam.amazonaws.com\"]}}"}]}`),
			verifier.Fact{Name: "rule-iam", Value: "present (in us-east-1)", Source: "events:ListRules"}},
		{"rule that is off", nil, verifier.Fact{Name: "rule-health", Value: "none in us-east-1, where such events come", Risk: 1, Source: "events:ListRules"}},
		{"rule in no region", answer("events:ListRules", `{"Rules":[]}`), verifier.Fact{Name: "rule-guardduty", Value: "none in 2 regions", Risk: 1, Source: "events:ListRules"}},
		{"rule on AWS Health in the backup region", func(s *setting) {
			answer("ec2:DescribeRegions", "<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName></item><item><regionName>us-west-2</regionName></item></regionInfo></DescribeRegionsResponse>")(s)
			answer("events:ListRules:us-west-2", `{"Rules":[{"State":"ENABLED","EventPattern":"{\"source\":[\"aws.health\"]}"}]}`)(s)
		}, verifier.Fact{Name: "rule-health", Value: "present (in us-west-2)", Source: "events:ListRules"}},
		{"rule on IAM if the regions are not known", func(s *setting) { s.Deny("ec2:DescribeRegions") },
			verifier.Fact{Name: "rule-iam", Value: "none in us-east-1", Risk: 1, Source: "events:ListRules"}},
		{"rule on a later page", oneRegion("events:ListRules", verifiertest.Response{Status: 200, Body: `{"Rules":[],"NextToken":"n"}`},
			verifiertest.Response{Status: 200, Body: `{"Rules":[{"State":"ENABLED","EventPattern":"{\"source\":[\"aws.health\"]}"}]}`}),
			verifier.Fact{Name: "rule-health", Value: "present (in us-east-1)", Source: "events:ListRules"}},
		{"rules of a region not read", oneRegion("events:ListRules", verifiertest.JSONFailure(400, "AccessDeniedException", "x")),
			verifier.Fact{Name: "rule-health", Value: "not known: needs events:ListRules (in us-east-1)", Source: "events:ListRules"}},
		{"regions not known", func(s *setting) { s.Deny("ec2:DescribeRegions") },
			verifier.Fact{Name: "rule-health", Value: "not known: there is none in us-east-1", Source: "events:ListRules"}},
		{"calls if the regions are not known", func(s *setting) { s.Deny("ec2:DescribeRegions") },
			verifier.Fact{Name: "activity", Value: "read in us-east-1 only", Risk: 1, Source: "cloudtrail:LookupEvents"}},
		{"new addresses if the regions are not known", func(s *setting) { s.Deny("ec2:DescribeRegions") },
			verifier.Fact{Name: "new-address", Value: "not known: CloudTrail's history could not be read as a whole", Source: "cloudtrail:LookupEvents"}},
		{"no region", answer("ec2:DescribeRegions", "<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>"),
			verifier.Fact{Name: "regions", Value: "not known: ec2:DescribeRegions: the answer names no region", Source: "ec2:DescribeRegions"}},
		{"alarm on changes of rights", answer("logs:DescribeMetricFilters", `{"metricFilters":[{"filterPattern":"{ $.eventName = PutUserPolicy }","metricTransformations":[{"metricName":"iam","metricNamespace":"trail"}]}]}`),
			verifier.Fact{Name: "alarm-iam", Value: "present, in us-east-1", Source: "logs:DescribeMetricFilters"}},
		{"alarm in another region", answer("cloudtrail:DescribeTrails", fmt.Sprintf(trails, `,"CloudWatchLogsLogGroupArn":"arn:aws:logs:eu-west-1:222233334444:log-group:trail:*"`)),
			verifier.Fact{Name: "alarm-root", Value: "present, in eu-west-1", Source: "logs:DescribeMetricFilters"}},
		{"log group of the organization", answer("cloudtrail:DescribeTrails", fmt.Sprintf(trails, `,"CloudWatchLogsLogGroupArn":"arn:aws:logs:us-east-1:111122223333:log-group:trail:*"`)),
			verifier.Fact{Name: "alarm-root", Value: "not known: the trail writes to a log group of account 111122223333", Source: "logs:DescribeMetricFilters"}},
		{"alarm whose actions are off", answer("monitoring:DescribeAlarmsForMetric", alarm("<ActionsEnabled>false</ActionsEnabled><AlarmActions><member>arn:aws:sns:us-east-1:222233334444:x</member></AlarmActions>")),
			verifier.Fact{Name: "alarm-root", Value: "none", Risk: 1, Source: "logs:DescribeMetricFilters"}},
		{"alarm that tells nobody", answer("monitoring:DescribeAlarmsForMetric", alarm("<ActionsEnabled>true</ActionsEnabled><AlarmActions/>")),
			verifier.Fact{Name: "alarm-root", Value: "none", Risk: 1, Source: "logs:DescribeMetricFilters"}},
		{"no log group", answer("cloudtrail:DescribeTrails", fmt.Sprintf(trails, "")),
			verifier.Fact{Name: "alarm-root", Value: "none: no trail writes to a log group", Risk: 1, Source: "logs:DescribeMetricFilters"}},
		{"no trail", noTrail, verifier.Fact{Name: "alarm-iam", Value: "none: no trail writes to a log group", Risk: 1, Source: "logs:DescribeMetricFilters"}},
		{"check of Trusted Advisor", nil, verifier.Fact{Name: "trusted-advisor-check", Value: "Security Groups - Unrestricted Access: error, 3 resources", Risk: 2, Source: "support:DescribeTrustedAdvisorCheckSummaries"}},
		{"limit of a service", nil, verifier.Fact{Name: "trusted-advisor-check", Value: "VPC: warning, 1 resources", Risk: 1, Source: "support:DescribeTrustedAdvisorCheckSummaries"}},
		{"checks of Trusted Advisor", nil, verifier.Fact{Name: "trusted-advisor-checks", Value: "1 of 3 are ok", Source: "support:DescribeTrustedAdvisorCheckSummaries"}},
		{"no support plan", next("support:DescribeTrustedAdvisorChecks", verifiertest.JSONFailure(400, "SubscriptionRequiredException", "x")),
			verifier.Fact{Name: "trusted-advisor-checks", Value: "not known: the account has no support plan", Source: "support:DescribeTrustedAdvisorChecks"}},
		{"bill", nil, verifier.Fact{Name: "bill", Value: "unusual: 201.00 USD on", Risk: 3, Source: "ce:GetCostAndUsage"}},
		{"dearest service", nil, verifier.Fact{Name: "bill", Value: "11.50 usually; most of it by Amazon EC2", Risk: 3, Source: "ce:GetCostAndUsage"}},
		{"bill of a fresh leak", func(s *setting) {
			answer("ce:GetCostAndUsage", bill("10", "10"))(s)
			s.leaked = time.Now().Add(-time.Hour)
		}, verifier.Fact{Name: "bill", Value: "not known: the key leaked less than a day ago", Source: "ce:GetCostAndUsage"}},
		{"usual bill", answer("ce:GetCostAndUsage", bill("10", "20.5")), verifier.Fact{Name: "bill", Value: "at most 21.50 USD a day", Source: "ce:GetCostAndUsage"}},
		{"small bill", answer("ce:GetCostAndUsage", bill("1", "9")), verifier.Fact{Name: "bill", Value: "at most 10.00 USD a day", Source: "ce:GetCostAndUsage"}},
		{"no bill", answer("ce:GetCostAndUsage", `{"ResultsByTime":[]}`), verifier.Fact{Name: "bill", Value: "not known: Cost Explorer has no day before", Source: "ce:GetCostAndUsage"}},
		{"odd bill", answer("ce:GetCostAndUsage", bill("x", "1")), verifier.Fact{Name: "bill", Value: "not known: the answer has a day or an amount that cannot be read", Source: "ce:GetCostAndUsage"}},
		{"security contact", nil, verifier.Fact{Name: "security-contact", Value: "On call, sec@example.com", Source: "account:GetAlternateContact"}},
		{"no security contact", next("account:POST /getAlternateContact", verifiertest.JSONFailure(404, "ResourceNotFoundException", "x")),
			verifier.Fact{Name: "security-contact", Value: "none", Risk: 1, Source: "account:GetAlternateContact"}},
		{"service control policies", nil, verifier.Fact{Name: "control-policies", Value: "no-leaving of 222233334444, no-leaving of r-root", Source: "organizations:ListPoliciesForTarget"}},
		{"no service control policy", func(s *setting) {
			s.Change(ops, func(a *verifiertest.Account) {
				a.Answers["organizations:ListPoliciesForTarget"] = `{"Policies":[{"Id":"p-FullAWSAccess","Name":"FullAWSAccess"}]}`
			})
		}, verifier.Fact{Name: "control-policies", Value: "none that limits the account", Risk: 1, Source: "organizations:ListPoliciesForTarget"}},
		{"service control policies of a root that is not told", func(s *setting) {
			s.Change(ops, func(a *verifiertest.Account) {
				a.Answers["organizations:ListPoliciesForTarget"] = `{"Policies":[]}`
				a.Answers["organizations:ListParents"] = `{"Parents":[]}`
			})
		}, verifier.Fact{Name: "control-policies", Value: "not known: Organizations does not tell which root 222233334444 is under", Source: "organizations:ListPoliciesForTarget"}},
		{"exposed keys that were not checked", answer("support:DescribeTrustedAdvisorCheckResult", `{"result":{"checkId":"12Fnkpl8Y5","status":"not_available","flaggedResources":[]}}`),
			verifier.Fact{Name: "trusted-advisor", Value: "not known: Trusted Advisor has no result", Source: "support:DescribeTrustedAdvisorCheckResult"}},
		{"root that IAM does not say of", answer("iam:GetAccountSummary", summary("Users", 3)), verifier.Fact{Name: "root-keys", Value: "not known: IAM does not say", Source: "iam:GetAccountSummary"}},
		{"root without credentials", answer("iam:GetAccountSummary", summary("AccountAccessKeysPresent", 0, "AccountMFAEnabled", 0, "AccountPasswordPresent", 0)),
			verifier.Fact{Name: "root-mfa", Value: "off; root has neither a password nor a key", Source: "iam:GetAccountSummary"}},
		{"root with a password", answer("iam:GetAccountSummary", summary("AccountAccessKeysPresent", 0, "AccountMFAEnabled", 0, "AccountPasswordPresent", 1)),
			verifier.Fact{Name: "root-mfa", Value: "off", Risk: 2, Source: "iam:GetAccountSummary"}},
		{"rights under a condition", answer("iam:SimulatePrincipalPolicy", `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>
			<member><EvalActionName>iam:PassRole</EvalActionName><EvalDecision>implicitDeny</EvalDecision><MissingContextValues><member>aws:SourceIp</member></MissingContextValues></member>
			<member><EvalActionName>s3:GetObject</EvalActionName><EvalDecision>explicitDeny</EvalDecision><MissingContextValues><member>aws:SourceIp</member></MissingContextValues></member>
			</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`),
			verifier.Fact{Name: "may", Value: "actions that were tried; under conditions that are not known iam:PassRole", Risk: 1, Source: "iam:SimulatePrincipalPolicy"}},
		{"instances", nil, verifier.Fact{Name: "instances-without-role", Value: "1 of 2 instances: i-1 (in us-east-1)", Risk: 1, Source: "ec2:DescribeInstances"}},
		{"older quarantine", answer("iam:GetAccountAuthorizationDetails", strings.ReplaceAll(details(), "AWSCompromisedKeyQuarantineV3", "AWSExposedCredentialPolicy_DO_NOT_REMOVE")),
			verifier.Fact{Name: "quarantine", Value: "AWSExposedCredentialPolicy_DO_NOT_REMOVE: AWS knows", Risk: 2, Source: "iam:GetAccountAuthorizationDetails"}},
		{"inline quarantine", answer("iam:GetAccountAuthorizationDetails", strings.ReplaceAll(details(), "<PolicyName>own<", "<PolicyName>AWSExposedCredentialPolicy_DO_NOT_REMOVE<")),
			verifier.Fact{Name: "quarantine", Value: "AWSExposedCredentialPolicy_DO_NOT_REMOVE: AWS knows", Risk: 2, Source: "iam:GetAccountAuthorizationDetails"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetting(t)
			if tt.change != nil {
				tt.change(s)
			}
			f := s.subject()
			if !s.leaked.IsZero() {
				f.Locations[0].Time = s.leaked
			}
			facts := s.assess(t, f)
			if !has(facts, tt.want.Name, tt.want.Value, tt.want.Risk, tt.want.Source) {
				t.Errorf("no fact %+v\n%s", tt.want, list(facts))
			}
		})
	}
}

// TestDocumented: docs/response.md has a row for each fact.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/response.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newSetting(t)
	away := s.subject()
	away.Verdict.Identity.Account = "999988887777"
	for _, f := range slices.Concat(s.assess(t, s.subject()), s.assess(t, away), s.assess(t, s.roleSubject())) {
		if !strings.Contains(string(page), "`"+f.Name+"`") {
			t.Errorf("no row for %s", f.Name)
		}
	}
}
