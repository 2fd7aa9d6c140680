package assessment_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

const ops, prod = "111122223333", "222233334444"

// calls are those of an assessment of a user's key: how a request names it, and the
// permission that it needs where that is another.
var calls = map[string]string{
	"organizations:DescribeAccount": "", "iam:GetAccessKeyLastUsed": "", "iam:ListAccessKeys": "", "iam:GetLoginProfile": "",
	"iam:ListMFADevices": "", "iam:SimulatePrincipalPolicy": "", "iam:GetAccountSummary": "", "cloudtrail:DescribeTrails": "",
	"cloudtrail:GetTrailStatus": "", "logs:DescribeMetricFilters": "", "monitoring:DescribeAlarmsForMetric": "cloudwatch:DescribeAlarmsForMetric",
	"support:DescribeTrustedAdvisorCheckResult": "", "health:DescribeEvents": "", "ec2:DescribeRegions": "",
	"guardduty:GET /detector": "guardduty:ListDetectors", "guardduty:POST /detector/d1/findings": "guardduty:ListFindings",
	"guardduty:POST /detector/d1/findings/get": "guardduty:GetFindings", "cloudtrail:LookupEvents": "",
	"organizations:ListTagsForResource": "", "iam:ListServiceSpecificCredentials": "",
	"iam:GenerateCredentialReport": "", "iam:GetCredentialReport": "",
	"iam:GenerateServiceLastAccessedDetails": "", "iam:GetServiceLastAccessedDetails": "",
	// The advice of AWS on leaked keys.
	"iam:GetAccountAuthorizationDetails": "", "iam:GetAccountPasswordPolicy": "", "events:ListRules": "", "ce:GetCostAndUsage": "",
	"support:DescribeTrustedAdvisorChecks": "", "support:DescribeTrustedAdvisorCheckSummaries": "", "ec2:DescribeInstances": "",
	"account:POST /getAlternateContact":   "account:GetAlternateContact",
	"organizations:ListPoliciesForTarget": "", "organizations:ListParents": "",
}

// userCalls are made instead if iam:GetAccountAuthorizationDetails is refused.
var userCalls = []string{"iam:GetUser", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser",
	"iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"}

type setting struct {
	*verifiertest.AWS
	user *verifiertest.IAMUser
	key  detectors.Credential
	// leaked is when the key leaked; zero leaves that to subject.
	leaked time.Time
}

// newSetting is an account in which much is wrong, in the words of AWS.
func newSetting(t *testing.T) *setting {
	t.Helper()
	s := &setting{AWS: verifiertest.NewAWS(t)}
	var own detectors.Credential
	s.Change(prod, func(a *verifiertest.Account) {
		u := a.User("deploy", 2)
		s.user, s.key = u, u.Keys[0].Credential
		u.Keys = append(u.Keys, &verifiertest.IAMKey{Credential: verifiertest.LongTerm(prod, 3), Created: time.Now()})
		u.Keys[0].Used, u.Keys[0].UsedService = time.Now().Add(-time.Hour), "s3"
		u.Console = true
		u.Attached = []string{"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}
		u.Inline["own"] = "{}"
		u.Groups = []string{"builders"}
		u.ServiceCreds = []*verifiertest.ServiceCredential{{ID: "ACCAEXAMPLE", Service: "bedrock.amazonaws.com"}}
		u.Boundary = "arn:aws:iam::" + prod + ":policy/limit"
		a.Role("stanch-read", "example")
		a.Answers = answers(s.key.ID)
		maps.Copy(a.Answers, adviceAnswers())
	})
	s.Change(ops, func(a *verifiertest.Account) {
		own = a.User("olga", 1).Keys[0].Credential
		a.Answers["organizations:DescribeAccount"] = `{"Account":{"Id":"222233334444","Name":"production","Email":"prod@example.com","Status":"ACTIVE"}}`
		a.Answers["organizations:ListTagsForResource"] = `{"Tags":[{"Key":"Owner","Value":"payments"},{"Key":"cost","Value":"7"}]}`
		a.Answers["organizations:ListPoliciesForTarget"] = `{"Policies":[{"Id":"p-FullAWSAccess","Name":"FullAWSAccess"},{"Id":"p-example","Name":"no-leaving"}]}`
	})
	verifiertest.SignAs(t, own)
	return s
}

func answers(id string) map[string]string {
	return map[string]string{
		"iam:ListAttachedGroupPolicies": `<ListAttachedGroupPoliciesResponse><ListAttachedGroupPoliciesResult><AttachedPolicies><member>
			<PolicyName>PowerUserAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/PowerUserAccess</PolicyArn></member></AttachedPolicies>
			</ListAttachedGroupPoliciesResult></ListAttachedGroupPoliciesResponse>`,
		"iam:ListGroupPolicies": `<ListGroupPoliciesResponse><ListGroupPoliciesResult><PolicyNames><member>build</member></PolicyNames>
			</ListGroupPoliciesResult></ListGroupPoliciesResponse>`,
		"iam:GenerateCredentialReport": `<GenerateCredentialReportResponse><GenerateCredentialReportResult><State>COMPLETE</State>
			</GenerateCredentialReportResult></GenerateCredentialReportResponse>`,
		"iam:GetAccountAuthorizationDetails": details(),
		"iam:GetCredentialReport": credentialReport("user,password_last_used,access_key_1_last_used_date\n" +
			"<root_account>," + time.Now().AddDate(0, 0, -1).UTC().Format(time.RFC3339) + ",2020-01-01T00:00:00+00:00\ndeploy,2026-01-02T03:04:05+00:00,N/A\nelse,2025-01-01T00:00:00+00:00,N/A\n"),
		"iam:SimulatePrincipalPolicy": `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>
			<member><EvalActionName>iam:PassRole</EvalActionName><EvalDecision>allowed</EvalDecision></member>
			<member><EvalActionName>lambda:CreateFunction</EvalActionName><EvalDecision>allowed</EvalDecision></member>
			<member><EvalActionName>ec2:RunInstances</EvalActionName><EvalDecision>explicitDeny</EvalDecision></member>
			<member><EvalActionName>kms:Decrypt</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>
			<member><EvalActionName>s3:GetObject</EvalActionName><EvalDecision>allowed</EvalDecision></member>
			</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`,
		"iam:GetAccountSummary": `<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>
			<entry><key>AccountAccessKeysPresent</key><value>1</value></entry><entry><key>AccountMFAEnabled</key><value>0</value></entry>
			</SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>`,
		"cloudtrail:DescribeTrails": `{"trailList":[{"TrailARN":"arn:aws:cloudtrail:us-east-1:222233334444:trail/all","IsMultiRegionTrail":true,"HomeRegion":"us-east-1",
			"CloudWatchLogsLogGroupArn":"arn:aws:logs:us-east-1:222233334444:log-group:trail:*"}]}`,
		"cloudtrail:GetTrailStatus": `{"IsLogging":true}`,
		"logs:DescribeMetricFilters": `{"metricFilters":[{"filterPattern":"{ $.userIdentity.type = \"Root\" }",
			"metricTransformations":[{"metricName":"root","metricNamespace":"trail"}]}]}`,
		"monitoring:DescribeAlarmsForMetric": `<DescribeAlarmsForMetricResponse><DescribeAlarmsForMetricResult><MetricAlarms><member>
			<AlarmName>root</AlarmName><ActionsEnabled>true</ActionsEnabled><AlarmActions><member>arn:aws:sns:us-east-1:222233334444:alarms</member></AlarmActions></member></MetricAlarms></DescribeAlarmsForMetricResult></DescribeAlarmsForMetricResponse>`,
		"support:DescribeTrustedAdvisorCheckResult": `{"result":{"checkId":"12Fnkpl8Y5","status":"error","flaggedResources":[{"metadata":["` + id +
			`","deploy","Exposed","12345","2026-11-20","github.com/x","2026-11-25","0"]}]}}`,
		"health:DescribeEvents": `{"events":[{"eventTypeCode":"AWS_RISK_CREDENTIALS_EXPOSED","statusCode":"open"}]}`,
		"ec2:DescribeRegions": `<DescribeRegionsResponse><regionInfo><item><regionName>us-east-1</regionName></item>
			<item><regionName>eu-west-1</regionName></item></regionInfo></DescribeRegionsResponse>`,
		"guardduty:GET /detector":                  `{"detectorIds":["d1"]}`,
		"guardduty:GET /detector:eu-west-1":        `{"detectorIds":[]}`,
		"guardduty:POST /detector/d1/findings":     `{"findingIds":["f1"]}`,
		"guardduty:POST /detector/d1/findings/get": `{"findings":[{"type":"UnauthorizedAccess:IAMUser/MaliciousIPCaller","severity":8}]}`,
		"cloudtrail:LookupEvents":                  events(),
		"cloudtrail:LookupEvents:eu-west-1":        `{"Events":[]}`,
	}
}

func credentialReport(text string) string {
	return "<GetCredentialReportResponse><GetCredentialReportResult><Content>" + base64.StdEncoding.EncodeToString([]byte(text)) +
		"</Content><GeneratedTime>2026-11-28T12:00:00Z</GeneratedTime></GetCredentialReportResult></GetCredentialReportResponse>"
}

func events() string {
	day := int(time.Now().AddDate(0, 0, -1).Unix())
	event := func(at int, source, name, agent, code string) map[string]any {
		text, _ := json.Marshal(map[string]string{"eventSource": source + ".amazonaws.com", "eventName": name,
			"sourceIPAddress": "198.51.100.7", "userAgent": agent, "errorCode": code})
		return map[string]any{"EventTime": float64(day + at), "CloudTrailEvent": string(text)}
	}
	b, _ := json.Marshal(map[string]any{"Events": []any{
		event(0, "s3", "ListBuckets", "aws-cli/2.0 x", ""),
		event(100, "iam", "CreateUser", "aws-cli/2.0 y", ""),
		event(200, "iam", "CreateUser", "aws-cli/2.0 y", ""),
		event(300, "ec2", "RunInstances", "Boto3/1", "Client.UnauthorizedOperation"),
		event(400, "sts", "GetCallerIdentity", "aws-sdk-go-v2/1 app/stanch-0.1.0", ""),
		event(500, "s3", "GetObject", "evil app/stanch-0.1.0", ""),
		event(-200000, "s3", "ListBuckets", "aws-cli/2.0 x", ""), // before the leak
	}})
	return string(b)
}

func (s *setting) assess(t *testing.T, subject *finding.Finding) []verifier.Fact {
	t.Helper()
	a := assessment.Assessor{Operator: s.operator(t), Pace: -1}
	return a.Assess(t.Context(), subject, assessment.Exposure{})
}

func (s *setting) operator(t *testing.T) *operator.Operator {
	t.Helper()
	o, err := operator.New(t.Context(), operator.Config{Role: "stanch-read", ExternalID: "example", Endpoint: s.URL, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// of returns a finding of a key, whose owner is who.
func of(keyID string, who verifier.Identity) *finding.Finding {
	return &finding.Finding{
		Match:   detectors.Match{Credential: detectors.Credential{ID: keyID}},
		Verdict: verifier.Verdict{Identity: who},
	}
}

func (s *setting) subject() *finding.Finding {
	f := of(s.key.ID, verifier.Identity{Account: prod, Kind: "user", Name: "deploy", ARN: "arn:aws:iam::" + prod + ":user/deploy"})
	f.Locations = []finding.Location{{Time: time.Now().Add(-48 * time.Hour), AtHead: true}}
	return f
}

func has(facts []verifier.Fact, name, value string, risk int, source string) bool {
	return slices.ContainsFunc(facts, func(f verifier.Fact) bool {
		return f.Name == name && strings.Contains(f.Value, value) && f.Risk == risk && f.Source == source
	})
}

func list(facts []verifier.Fact) string {
	var b strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&b, "%d %-20s %s (%s)\n", f.Risk, f.Name, f.Value, f.Source)
	}
	return b.String()
}

// TestFacts: each row of what is read, with its risk and the call that told.
func TestFacts(t *testing.T) {
	s := newSetting(t)
	facts := s.assess(t, s.subject())
	const details = "iam:GetAccountAuthorizationDetails"
	for _, want := range []verifier.Fact{
		{Name: "account-name", Value: "production, prod@example.com", Source: "organizations:DescribeAccount"},
		{Name: "exposed", Value: "2 days, still at HEAD", Risk: 2},
		{Name: "account-owner", Value: "Owner payments", Source: "organizations:ListTagsForResource"},
		{Name: "group-policies", Value: "build", Source: details},
		{Name: "service-credentials", Value: "ACCAEXAMPLE of bedrock.amazonaws.com, Active", Risk: 1, Source: "iam:ListServiceSpecificCredentials"},
		{Name: "escalation", Value: "runs a function with any role, by iam:PassRole and lambda:CreateFunction", Risk: 3, Source: "iam:SimulatePrincipalPolicy"},
		{Name: "root-sign-in", Value: "T", Risk: 1, Source: "iam:GetCredentialReport"},
		{Name: "root-key-used", Value: "2020-01-01", Source: "iam:GetCredentialReport"},
		{Name: "console-last-used", Value: "2026-01-02T03:04:05Z", Source: "iam:GetCredentialReport"},
		{Name: "principal", Value: "user"},
		{Name: "user", Value: "deploy", Source: "iam:GetAccessKeyLastUsed"},
		{Name: "last-used", Value: "s3 in us-east-1", Risk: 1, Source: "iam:GetAccessKeyLastUsed"},
		{Name: "key-status", Value: "Active", Risk: 3, Source: "iam:ListAccessKeys"},
		{Name: "key-age", Value: "days: was to be rotated after 90", Risk: 2, Source: "iam:ListAccessKeys"},
		{Name: "sibling-key", Value: "Active", Risk: 1, Source: "iam:ListAccessKeys"},
		{Name: "console-password", Value: "yes", Source: "iam:GetLoginProfile"},
		{Name: "mfa", Value: "none, with a console password", Risk: 2, Source: "iam:ListMFADevices"},
		{Name: "boundary", Value: "policy/limit", Source: details},
		{Name: "admin", Value: "AdministratorAccess", Risk: 3, Source: details},
		{Name: "quarantine", Value: "V3: AWS knows", Risk: 2, Source: details},
		{Name: "attached-policies", Value: "AdministratorAccess, AWSCompromised", Source: details},
		{Name: "inline-policies", Value: "own", Source: details},
		{Name: "groups", Value: "builders", Source: details},
		{Name: "admin", Value: "PowerUserAccess", Risk: 3, Source: details},
		{Name: "may", Value: "iam:PassRole, lambda:CreateFunction, s3:GetObject", Risk: 3, Source: "iam:SimulatePrincipalPolicy"},
		{Name: "root-keys", Value: "present", Risk: 2, Source: "iam:GetAccountSummary"},
		{Name: "root-mfa", Value: "off", Risk: 2, Source: "iam:GetAccountSummary"},
		{Name: "cloudtrail", Value: "on, in all regions", Source: "cloudtrail:DescribeTrails"},
		{Name: "alarm-root", Value: "present, in us-east-1", Source: "logs:DescribeMetricFilters"},
		{Name: "alarm-unauthorised", Value: "none", Risk: 1, Source: "logs:DescribeMetricFilters"},
		{Name: "trusted-advisor", Value: "exposed: deploy, Exposed, 12345", Risk: 3, Source: "support:DescribeTrustedAdvisorCheckResult"},
		{Name: "health", Value: "AWS_RISK_CREDENTIALS_EXPOSED, open", Risk: 3, Source: "health:DescribeEvents"},
		{Name: "guardduty", Value: "MaliciousIPCaller, severity 8.0 (in us-east-1)", Risk: 3, Source: "guardduty:GetFindings"},
		{Name: "guardduty", Value: "off (in eu-west-1)", Risk: 1, Source: "guardduty:ListDetectors"},
		{Name: "activity", Value: "iam:CreateUser, 2 times, from 198.51.100.7 by aws-cli/2.0, us-east-1, 20", Risk: 3, Source: "cloudtrail:LookupEvents"},
		{Name: "activity", Value: "ec2:RunInstances, once, from 198.51.100.7 by Boto3/1, us-east-1, Client.Unauthorized", Risk: 2, Source: "cloudtrail:LookupEvents"},
		{Name: "activity", Value: "s3:GetObject", Risk: 1, Source: "cloudtrail:LookupEvents"},
	} {
		if !has(facts, want.Name, want.Value, want.Risk, want.Source) {
			t.Errorf("no fact %+v", want)
		}
	}
	text := list(facts)
	if strings.Contains(text, "GetCallerIdentity") || strings.Contains(text, "not known") {
		t.Error("stanch's own call is told, or something is not known")
	}
	if first, second := strings.Index(text, "CreateUser"), strings.Index(text, "ListBuckets"); first > second {
		t.Error("the harmless is told first")
	}
	if t.Failed() {
		t.Log(text)
	}
	if n := s.Count(s.key.ID); n != 0 {
		t.Errorf("the leaked key was used %d times", n)
	}
	for call, permission := range calls {
		if permission == "" {
			permission = call
		}
		if !strings.HasPrefix(call, "organizations:") && !strings.Contains(assessment.Permissions(), `"`+permission+`"`) {
			t.Errorf("the policy does not name %s", permission)
		}
	}
	// The table of permissions is whole.
	made := map[string]bool{}
	for _, r := range s.Requests() {
		if r.Service != "sts" {
			made[r.Service+":"+r.Action] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(calls)); !slices.Equal(got, want) {
		t.Errorf("calls made %q\nlisted %q", got, want)
	}
}

// TestDenied: one missing permission costs the facts of that call, and is named.
func TestDenied(t *testing.T) {
	calls := maps.Clone(calls)
	for _, call := range userCalls {
		calls[call] = ""
	}
	for call, permission := range calls {
		if permission == "" {
			permission = call
		}
		t.Run(call, func(t *testing.T) {
			s := newSetting(t)
			s.Deny(call)
			if slices.Contains(userCalls, call) {
				s.Deny("iam:GetAccountAuthorizationDetails")
			}
			facts := s.assess(t, s.subject())
			if !slices.ContainsFunc(facts, func(f verifier.Fact) bool {
				return strings.HasPrefix(f.Value, "not known: needs "+permission) && f.Source == permission
			}) {
				t.Errorf("%s is not said to be missing:\n%s", permission, list(facts))
			}
			sources := map[string]bool{}
			for _, f := range facts {
				if !strings.HasPrefix(f.Value, "not known") {
					sources[f.Source] = true
				}
			}
			for other, name := range calls {
				if name == "" {
					name = other
				}
				ofUsers := slices.Contains(userCalls, call) || call == "iam:GetAccountAuthorizationDetails"
				instead := ofUsers && name == "iam:GetAccountAuthorizationDetails" || !ofUsers && slices.Contains(userCalls, name)
				if !sources[name] && name != permission && !follows[permission][name] && !silent[name] && !instead {
					t.Errorf("the facts of %s are lost too", name)
				}
			}
		})
	}
}

// follows are calls that have nothing to ask about without another. silent are
// those whose answer is a fact only together with another call's.
var (
	follows = map[string]map[string]bool{
		"iam:GenerateCredentialReport":           {"iam:GetCredentialReport": true},
		"iam:GenerateServiceLastAccessedDetails": {"iam:GetServiceLastAccessedDetails": true},
		"iam:ListGroupsForUser":                  {"iam:ListAttachedGroupPolicies": true, "iam:ListGroupPolicies": true},
		"guardduty:ListFindings":                 {"guardduty:GetFindings": true},
		"guardduty:ListDetectors":                {"guardduty:ListFindings": true, "guardduty:GetFindings": true},
		"cloudtrail:GetTrailStatus":              {"cloudtrail:DescribeTrails": true, "logs:DescribeMetricFilters": true},
		"cloudtrail:DescribeTrails":              {"logs:DescribeMetricFilters": true},
		"cloudwatch:DescribeAlarmsForMetric":     {"logs:DescribeMetricFilters": true},
		"organizations:ListParents":              {"organizations:ListPoliciesForTarget": true},
		"support:DescribeTrustedAdvisorChecks":   {"support:DescribeTrustedAdvisorCheckSummaries": true},
		// In the other region GuardDuty is off.
		"ec2:DescribeRegions": {"guardduty:ListDetectors": true},
	}
	silent = map[string]bool{"ec2:DescribeRegions": true, "cloudtrail:GetTrailStatus": true, "cloudwatch:DescribeAlarmsForMetric": true,
		"guardduty:ListFindings": true, "iam:GenerateCredentialReport": true, "organizations:ListParents": true,
		"iam:GenerateServiceLastAccessedDetails": true, "support:DescribeTrustedAdvisorChecks": true}
)

// TestOthers: a lone id, a role, the root user, and an account without a way in.
func TestOthers(t *testing.T) {
	s := newSetting(t)
	lone := s.subject()
	lone.Verdict.Identity = verifier.Identity{Account: prod}
	if facts := s.assess(t, lone); !has(facts, "user", "deploy", 0, "iam:GetAccessKeyLastUsed") ||
		!has(facts, "may", "iam:PassRole", 3, "iam:SimulatePrincipalPolicy") {
		t.Errorf("lone id:\n%s", list(facts))
	}
	root := s.subject()
	root.Verdict.Identity = verifier.Identity{Account: prod, Kind: "root", ARN: "arn:aws:iam::" + prod + ":root"}
	if facts := s.assess(t, root); !has(facts, "principal", "root", 3, "") || !has(facts, "root-keys", "present", 2, "iam:GetAccountSummary") {
		t.Errorf("root:\n%s", list(facts))
	}
	role := s.roleSubject()
	if facts := s.assess(t, role); !has(facts, "admin", "PowerUserAccess", 3, "iam:ListAttachedRolePolicies") ||
		!has(facts, "inline-policies", "none", 0, "iam:ListRolePolicies") || !has(facts, "boundary", "none", 0, "iam:GetRole") ||
		!has(facts, "role-last-used", "2026-11-01T00:00:00Z in eu-west-1", 0, "iam:GetRole") || !has(facts, "may", "iam:PassRole", 3, "iam:SimulatePrincipalPolicy") {
		t.Errorf("role:\n%s", list(facts))
	}
	const details = "iam:GetAccountAuthorizationDetails"
	s.Allow(details)
	if facts := s.assess(t, role); !has(facts, "admin", "PowerUserAccess", 3, details) || !has(facts, "inline-policies", "none", 0, details) ||
		!has(facts, "boundary", "none", 0, details) || !has(facts, "role-last-used", "2026-11-01T00:00:00Z in eu-west-1", 0, details) ||
		!has(facts, "may", "iam:PassRole", 3, "iam:SimulatePrincipalPolicy") {
		t.Errorf("role in the details of the account:\n%s", list(facts))
	}
	away := s.subject()
	away.Verdict.Identity.Account = "999988887777"
	if facts := s.assess(t, away); !has(facts, "access", "not known: assuming", 1, "sts:AssumeRole") || len(facts) != 5 {
		t.Errorf("no way in:\n%s", list(facts))
	}
}
