package assessment_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// roleSubject makes the leaked key one of a session of the role builder, which has to be
// asked about: the details of the account are refused.
func (s *setting) roleSubject() *finding.Finding {
	s.Deny("iam:GetAccountAuthorizationDetails")
	s.Change(prod, func(a *verifiertest.Account) {
		a.Answers["iam:GetRole"] = `<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::` + prod + `:role/ci/builder</Arn>
			<RoleLastUsed><LastUsedDate>2026-11-01T00:00:00Z</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed></Role></GetRoleResult></GetRoleResponse>`
		a.Answers["iam:ListAttachedRolePolicies"] = strings.ReplaceAll(a.Answers["iam:ListAttachedGroupPolicies"], "GroupPolicies", "RolePolicies")
		a.Answers["iam:ListRolePolicies"] = `<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames/></ListRolePoliciesResult></ListRolePoliciesResponse>`
	})
	return of("ASIA"+s.key.ID[4:], verifier.Identity{Account: prod, Kind: "role", Name: "builder", ARN: "arn:aws:sts::" + prod + ":assumed-role/builder/x"})
}

// TestRoleDenied: the same for the calls that are about a role.
func TestRoleDenied(t *testing.T) {
	for call, fact := range map[string]string{
		"iam:GetRole": "boundary", "iam:ListAttachedRolePolicies": "attached-policies", "iam:ListRolePolicies": "inline-policies",
	} {
		s := newSetting(t)
		subject := s.roleSubject()
		whole := names(s.assess(t, subject))
		if !strings.Contains(assessment.Permissions(), `"`+call+`"`) {
			t.Errorf("the policy does not name %s", call)
		}
		s.Deny(call)
		facts := s.assess(t, subject)
		if !has(facts, fact, "not known: needs "+call, 0, call) {
			t.Errorf("%s:\n%s", call, list(facts))
		}
		lost := slices.DeleteFunc(whole, func(name string) bool { return slices.Contains(names(facts), name) })
		lost = slices.DeleteFunc(lost, func(name string) bool { return name == "role-last-used" || name == "admin" }) // of the same call
		if len(lost) > 0 {
			t.Errorf("%s: %v are lost too", call, lost)
		}
	}
}

func names(facts []verifier.Fact) (list []string) {
	for _, f := range facts {
		list = append(list, f.Name)
	}
	return list
}

// TestSessionEnds: the responder's token runs out at any call, and the report is the
// same as if it had not.
func TestSessionEnds(t *testing.T) {
	s := newSetting(t)
	subject := s.subject()
	want := s.assess(t, subject)
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		over := verifiertest.JSONFailure(400, "ExpiredTokenException", "The security token included in the request is expired")
		switch service, _, _ := strings.Cut(call, ":"); service { // those that speak XML
		case "iam", "monitoring":
			over = verifiertest.Failure(403, "ExpiredToken", "The security token included in the request is expired")
		case "ec2":
			over = verifiertest.Failure(400, "RequestExpired", "Request has expired.")
		}
		s.Next(call, over)
		if diff := cmp.Diff(want, s.assess(t, subject)); diff != "" {
			t.Errorf("%s: %s", call, diff)
		}
	}
	// In earnest: the sessions end between two keys of one run.
	o, err := operator.New(t.Context(), operator.Config{Role: "stanch-read", ExternalID: "example", Endpoint: s.URL, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	a := assessment.Assessor{Operator: o, Pace: -1}
	a.Assess(t.Context(), subject, assessment.Exposure{})
	s.EndSessions()
	if diff := cmp.Diff(want, a.Assess(t.Context(), subject, assessment.Exposure{})); diff != "" {
		t.Error(diff)
	}
}

// TestTooBusy: what goes on refusing costs its own fact, and says so.
func TestTooBusy(t *testing.T) {
	s := newSetting(t)
	s.Limit("cloudtrail:LookupEvents", 0)
	facts := s.assess(t, s.subject())
	if !has(facts, "activity", "not known: AWS was too busy (ThrottlingException) (in all 2 regions)", 0, "cloudtrail:LookupEvents") ||
		!has(facts, "key-status", "Active", 3, "iam:ListAccessKeys") {
		t.Errorf("%s", list(facts))
	}
}

// TestExposed: since when, and by whom, it could be read.
func TestExposed(t *testing.T) {
	s := newSetting(t)
	day := time.Now().Add(-24 * time.Hour)
	for _, tt := range []struct {
		exposure assessment.Exposure
		want     string
		risk     int
	}{
		{assessment.Exposure{Since: day}, "1 days, in history", 1},
		{assessment.Exposure{Since: day, AtHead: true}, "1 days, still at HEAD", 2},
		{assessment.Exposure{Since: day, Remote: "refs/remotes/origin/main"}, "in history, pushed: it is in origin/main", 1},
		{assessment.Exposure{Since: day, Pushed: day.Add(time.Hour), Remote: "refs/remotes/origin/main"}, "in history, pushed " + day.Add(time.Hour).UTC().Format(time.RFC3339), 1},
		{assessment.Exposure{Since: day, Visibility: "private", AtHead: true}, "still at HEAD, the repository is private", 2},
		{assessment.Exposure{Since: day, Visibility: "public"}, "in history, everybody can read the repository", 3},
	} {
		a := assessment.Assessor{Operator: s.operator(t), Pace: -1}
		facts := a.Assess(t.Context(), of(s.key.ID, verifier.Identity{Account: "999988887777"}), tt.exposure)
		if !has(facts, "exposed", tt.want, tt.risk, "") {
			t.Errorf("%+v:\n%s", tt.exposure, list(facts))
		}
	}
	if facts := s.assess(t, of(s.key.ID, verifier.Identity{Account: "999988887777"})); slices.Contains(names(facts), "exposed") {
		t.Errorf("nothing is known, and told:\n%s", list(facts))
	}
}

// TestUsedBefore: stanch's own question to STS is not told as the last use.
func TestUsedBefore(t *testing.T) {
	s := newSetting(t)
	s.Change(prod, func(*verifiertest.Account) { s.user.Keys[0].Used, s.user.Keys[0].UsedService = time.Now(), "sts" })
	subject := s.subject()
	before := operator.LastUsed{At: time.Now().Add(-2 * time.Hour), Service: "dynamodb", Region: "eu-west-1"}
	subject.Verdict.Facts = []verifier.Fact{{Name: operator.UsedBefore, Value: before.String()}}
	if facts := s.assess(t, subject); !has(facts, "last-used", "dynamodb in eu-west-1, before STS was asked about it", 1, "iam:GetAccessKeyLastUsed") {
		t.Errorf("%s", list(facts))
	}
	subject.Verdict.Facts = []verifier.Fact{{Name: operator.UsedBefore, Value: "never"}}
	if facts := s.assess(t, subject); !has(facts, "last-used", "never, before STS", 0, "iam:GetAccessKeyLastUsed") {
		t.Errorf("%s", list(facts))
	}
}

// TestReport: the credential report takes its time, is refused, or is none.
func TestReport(t *testing.T) {
	state := func(s string) verifiertest.Response {
		return verifiertest.Response{Status: 200, Body: "<GenerateCredentialReportResponse><GenerateCredentialReportResult><State>" + s +
			"</State></GenerateCredentialReportResult></GenerateCredentialReportResponse>"}
	}
	content := func(text string) verifiertest.Response {
		return verifiertest.Response{Status: 200, Body: credentialReport(text)}
	}
	started := state("STARTED")
	for _, tt := range []struct {
		name, call string
		next       []verifiertest.Response
		fact, want string
	}{
		{"soon", "iam:GenerateCredentialReport", []verifiertest.Response{started, state("INPROGRESS")}, "root-key-used", "2020-01-01"},
		{"never", "iam:GenerateCredentialReport", []verifiertest.Response{started, started, started, started, started}, "credential-report", "not known: IAM is still making it"},
		{"gone", "iam:GetCredentialReport", []verifiertest.Response{verifiertest.Failure(410, "ReportNotPresent", "x")}, "credential-report", "not known: ReportNotPresent"},
		{"empty", "iam:GetCredentialReport", []verifiertest.Response{content("")}, "credential-report", "not known: it cannot be read"},
		{"ragged", "iam:GetCredentialReport", []verifiertest.Response{content("user,arn\n<root_account>\n")}, "credential-report", "not known: it cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetting(t)
			s.Next(tt.call, tt.next...)
			facts := s.assess(t, s.subject())
			if !slices.ContainsFunc(facts, func(f verifier.Fact) bool { return f.Name == tt.fact && strings.Contains(f.Value, tt.want) }) {
				t.Errorf("%s", list(facts))
			}
		})
	}
}

// TestReportAge: an old credential report counts for passwords and MFA only where it has bad
// news; one that was made in this run counts whole.
func TestReportAge(t *testing.T) {
	started := verifiertest.Response{Status: 200, Body: "<GenerateCredentialReportResponse><GenerateCredentialReportResult><State>STARTED</State>" +
		"</GenerateCredentialReportResult></GenerateCredentialReportResponse>"}
	const report, login, devices = "iam:GetCredentialReport", "iam:GetLoginProfile", "iam:ListMFADevices"
	for _, tt := range []struct {
		row, password, mfa string
		fresh              bool
	}{
		{"true,true", report, devices, false},
		{"false,true", login, devices, false},
		{"true,false", report, report, false},
		{"false,false", login, report, false},
		{"false,true", report, report, true},
		{"not_supported,N/A", login, devices, true},
	} {
		s := newSetting(t)
		s.Change(prod, func(a *verifiertest.Account) {
			a.Answers[report] = credentialReport("user,password_enabled,mfa_active\ndeploy," + tt.row + "\n")
		})
		if tt.fresh {
			s.Next("iam:GenerateCredentialReport", started)
		}
		facts := s.assess(t, s.subject())
		source := map[string]string{}
		for _, f := range facts {
			source[f.Name] = f.Source
		}
		if source["console-password"] != tt.password || source["mfa"] != tt.mfa {
			t.Errorf("%s, fresh %v: password by %s, MFA by %s", tt.row, tt.fresh, source["console-password"], source["mfa"])
		}
	}
}

// TestErrors: what else AWS says, and what is not AWS.
func TestErrors(t *testing.T) {
	html := verifiertest.Response{Status: 403, Body: "<html>blocked by the proxy</html>"}
	busy := verifiertest.JSONFailure(400, "ThrottlingException", "Rate exceeded")
	for _, tt := range []struct {
		call  string
		next  []verifiertest.Response
		name  string
		value string
	}{
		{"support:DescribeTrustedAdvisorCheckResult", []verifiertest.Response{verifiertest.JSONFailure(400, "SubscriptionRequiredException", "x")},
			"trusted-advisor", "not known: the account has no support plan that shows it"},
		{"organizations:DescribeAccount", []verifiertest.Response{verifiertest.JSONFailure(400, "AWSOrganizationsNotInUseException", "x")},
			"account-name", "not known: your account is in no organization"},
		{"organizations:DescribeAccount", []verifiertest.Response{verifiertest.JSONFailure(400, "AccountNotFoundException", "x")},
			"account-name", "not known: AccountNotFoundException"},
		{"iam:SimulatePrincipalPolicy", []verifiertest.Response{verifiertest.Failure(500, "PolicyEvaluation", "x"), verifiertest.Failure(500, "PolicyEvaluation", "x"),
			verifiertest.Failure(500, "PolicyEvaluation", "x"), verifiertest.Failure(500, "PolicyEvaluation", "x"), verifiertest.Failure(500, "PolicyEvaluation", "x")},
			"may", "not known: AWS has trouble (HTTP 500)"},
		{"iam:GetAccountSummary", []verifiertest.Response{html}, "root-keys", "not known: iam:GetAccountSummary: HTTP 403: the answer cannot be read"},
		{"iam:GetAccountSummary", []verifiertest.Response{{Status: 200, Body: "<html>sign in"}}, "root-keys", "not known: iam:GetAccountSummary: the answer cannot be read"},
		{"cloudtrail:LookupEvents", []verifiertest.Response{busy, busy, busy}, "activity", "iam:CreateUser, 2 times"},
		{"iam:ListAccessKeys", []verifiertest.Response{verifiertest.Failure(403, "ExpiredToken", "x")}, "key-status", "Active"},
	} {
		s := newSetting(t)
		s.Next(tt.call, tt.next...)
		facts := s.assess(t, s.subject())
		if !slices.ContainsFunc(facts, func(f verifier.Fact) bool { return f.Name == tt.name && strings.HasPrefix(f.Value, tt.value) }) {
			t.Errorf("%s: no fact %s: %s\n%s", tt.call, tt.name, tt.value, list(facts))
		}
	}
}
