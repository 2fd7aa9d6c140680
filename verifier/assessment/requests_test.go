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
// on everywhere and only the home region is busy.
func TestRequests(t *testing.T) {
	for _, tt := range []struct{ keys, most int }{{1, 99}, {10, 306}} {
		t.Run(fmt.Sprint(tt.keys), func(t *testing.T) {
			s := newSetting(t)
			report := &finding.Saved{}
			s.Change(prod, func(a *verifiertest.Account) {
				manyRegions(a)
				var users strings.Builder
				reported := "user,mfa_active\n"
				for n := range tt.keys {
					name := fmt.Sprintf("app%d", n)
					u := a.User(name, uint64(100+n))
					f := of(u.Keys[0].Credential.ID, verifier.Identity{Account: prod, Kind: "user", Name: name, ARN: "arn:aws:iam::" + prod + ":user/" + name})
					f.Locations = []finding.Location{{Time: time.Now().Add(-48 * time.Hour)}}
					report.Findings = append(report.Findings, *f)
					reported += name + ",false\n"
					fmt.Fprintf(&users, "<member><UserName>%s</UserName><Arn>arn:aws:iam::%s:user/%[1]s</Arn></member>", name, prod)
				}
				a.Answers["iam:GetCredentialReport"] = credentialReport(reported)
				const details = "iam:GetAccountAuthorizationDetails"
				a.Answers[details] = strings.Replace(a.Answers[details], "</UserDetailList>", users.String()+"</UserDetailList>", 1)
			})
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
			if n != tt.most {
				t.Errorf("%d requests, want %d", n, tt.most)
			}
			for _, f := range report.Findings {
				text := facts[f.Match.Credential.ID]
				for _, name := range []string{"account-name", "root-mfa", "cloudtrail", "guardduty", "activity", "key-status", "attached-policies", "mfa", "service-credentials", "bill"} {
					if !strings.Contains(text, " "+name+" ") {
						t.Errorf("%s has no fact %s:\n%s", f.Match.Credential.ID, name, text)
					}
				}
			}
		})
	}
}

// manyRegions gives the account 17 regions. In the home region there are more events than a
// page of CloudTrail holds.
func manyRegions(a *verifiertest.Account) {
	var names []string
	for n := range 17 {
		name := "us-east-1"
		if n > 0 {
			name = fmt.Sprintf("eu-west-%d", n)
			a.Answers["cloudtrail:LookupEvents:"+name] = `{"Events":[]}`
			a.Answers["guardduty:GET /detector:"+name] = `{"detectorIds":["d1"]}`
		}
		names = append(names, "<item><regionName>"+name+"</regionName></item>")
	}
	a.Answers["ec2:DescribeRegions"] = "<DescribeRegionsResponse><regionInfo>" + strings.Join(names, "") + "</regionInfo></DescribeRegionsResponse>"
	a.Answers["guardduty:POST /detector/d1/findings"] = `{"findingIds":[]}`
	a.Answers["health:DescribeEvents"] = `{"events":[]}`
}
