package assessment_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestRequests holds how many requests an account of 17 regions takes, in which GuardDuty is
// on everywhere and something happens in the home region only.
func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		keys, events int  // events of others in the home region
		old          bool // the credential report
		denied       bool // iam:GetAccountAuthorizationDetails
		want         int
	}{
		{keys: 1, events: 60, want: 99},
		{keys: 10, events: 60, want: 145},
		{keys: 10, events: 60, old: true, want: 144},
		{keys: 10, events: 300, want: 158},
		{keys: 10, events: 60, denied: true, want: 185},
	} {
		t.Run(fmt.Sprintf("%d keys, %d events", tt.keys, tt.events), func(t *testing.T) {
			s := newSetting(t)
			report := &finding.Saved{}
			s.Change(prod, func(a *verifiertest.Account) {
				manyRegions(a, tt.events)
				var users strings.Builder
				reported := "user,password_enabled,mfa_active\n"
				for n := range tt.keys {
					name := fmt.Sprintf("app%d", n)
					u := a.User(name, uint64(100+n))
					f := of(u.Keys[0].Credential.ID, verifier.Identity{Account: prod, Kind: "user", Name: name, ARN: "arn:aws:iam::" + prod + ":user/" + name})
					f.Locations = []finding.Location{{Time: time.Now().Add(-48 * time.Hour)}}
					report.Findings = append(report.Findings, *f)
					for _, region := range []string{"us-east-1", "eu-west-2"} {
						a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: f.Match.Credential.ID, Region: region, At: time.Now().Add(-time.Hour),
							Event: map[string]any{"eventSource": "iam.amazonaws.com", "eventName": "ListUsers" + name}})
					}
					reported += name + ",false,false\n"
					fmt.Fprintf(&users, "<member><UserName>%s</UserName><Arn>arn:aws:iam::%s:user/%[1]s</Arn></member>", name, prod)
				}
				a.Answers["iam:GetCredentialReport"] = credentialReport(reported)
				const details = "iam:GetAccountAuthorizationDetails"
				a.Answers[details] = strings.Replace(a.Answers[details], "</UserDetailList>", users.String()+"</UserDetailList>", 1)
			})
			if tt.denied {
				s.Deny("iam:GetAccountAuthorizationDetails")
			}
			if !tt.old {
				s.Next("iam:GenerateCredentialReport", verifiertest.Response{Status: 200, Body: "<GenerateCredentialReportResponse><GenerateCredentialReportResult>" +
					"<State>STARTED</State></GenerateCredentialReportResult></GenerateCredentialReportResponse>"})
			}
			a := assessment.Assessor{Operator: s.operator(t), Pace: -1}
			before := len(s.Requests())
			facts := map[string]string{}
			err := a.Report(t.Context(), report, func(f *finding.Finding, got []verifier.Fact) {
				facts[f.Match.Credential.ID] = list(got)
			})
			if err != nil {
				t.Fatal(err)
			}
			n := len(s.Requests()) - before
			t.Logf("%d keys: %d requests", tt.keys, n)
			if n != tt.want {
				t.Errorf("%d requests, want %d", n, tt.want)
			}
			for _, f := range report.Findings {
				text := facts[f.Match.Credential.ID]
				user := f.Verdict.Identity.Name
				for _, want := range []string{"iam:ListUsers" + user + ", once, from none by none, us-east-1", "iam:ListUsers" + user + ", once, from none by none, eu-west-2"} {
					if !strings.Contains(text, want) {
						t.Errorf("%s: no %q:\n%s", f.Match.Credential.ID, want, text)
					}
				}
				if tt.old != strings.Contains(text, "no, at 2026-11-28T12:00:00Z") {
					t.Errorf("%s: the age of the credential report:\n%s", f.Match.Credential.ID, text)
				}
				if n := strings.Count(text, "iam:ListUsers"); n != 2 {
					t.Errorf("%s has %d calls", f.Match.Credential.ID, n)
				}
				for _, name := range []string{"account-name", "root-mfa", "cloudtrail", "guardduty", "activity", "key-status", "attached-policies", "mfa", "service-credentials", "bill"} {
					if !strings.Contains(text, " "+name+" ") {
						t.Errorf("%s has no fact %s:\n%s", f.Match.Credential.ID, name, text)
					}
				}
			}
		})
	}
}

// manyRegions gives the account 17 regions. In the home region there are events of others.
func manyRegions(a *verifiertest.Account, events int) {
	delete(a.Answers, "cloudtrail:LookupEvents")
	delete(a.Answers, "cloudtrail:LookupEvents:eu-west-1")
	for n := range events {
		a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: "another", Region: "us-east-1", At: time.Now().Add(-time.Duration(n) * time.Hour)})
	}
	var names []string
	for n := range 17 {
		name := "us-east-1"
		if n > 0 {
			name = fmt.Sprintf("eu-west-%d", n)
			a.Answers["guardduty:GET /detector:"+name] = `{"detectorIds":["d1"]}`
		}
		names = append(names, "<item><regionName>"+name+"</regionName></item>")
	}
	a.Answers["ec2:DescribeRegions"] = "<DescribeRegionsResponse><regionInfo>" + strings.Join(names, "") + "</regionInfo></DescribeRegionsResponse>"
	a.Answers["guardduty:POST /detector/d1/findings"] = `{"findingIds":[]}`
	a.Answers["health:DescribeEvents"] = `{"events":[]}`
}
