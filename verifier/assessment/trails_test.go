package assessment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestTrails: a trail of one region shows in that region alone, and "off" is said only if
// every region was asked.
func TestTrails(t *testing.T) {
	const none = `{"trailList":[]}`
	trail := func(region string, multi bool) string {
		return fmt.Sprintf(`{"trailList":[{"TrailARN":"arn:aws:cloudtrail:%s:%s:trail/t","IsMultiRegionTrail":%v,"HomeRegion":%[1]q}]}`, region, prod, multi)
	}
	const selecting = `{"trailList":[{"TrailARN":"arn:x","IsMultiRegionTrail":true,"HomeRegion":"us-east-1","HasCustomEventSelectors":true}]}`
	selects := func(answer string) func(*setting) {
		return func(s *setting) {
			s.Next("cloudtrail:GetEventSelectors", verifiertest.Response{Status: 200, Body: answer})
		}
	}
	denied := verifiertest.JSONFailure(400, "AccessDeniedException", "no")
	const home, other = "us-east-1", "eu-west-1" // of newSetting
	for _, tt := range []struct {
		name        string
		home, other string // what DescribeTrails says there
		off         bool   // the trails do not log
		spoil       func(*setting)
		want        string
		risk        int
		asked       int // calls of DescribeTrails
	}{
		{name: "all regions, home", home: trail(home, true), other: trail(home, true), want: "on, in all regions", asked: 1},
		{name: "all regions, made elsewhere", home: trail(other, true), other: trail(other, true), want: "on, in all regions", asked: 1},
		{name: "another region only", home: none, other: trail(other, false), want: "on, in some regions only: eu-west-1", risk: 1, asked: 2},
		{name: "the home region only", home: trail(home, false), other: none, want: "on, in some regions only: us-east-1", risk: 1, asked: 2},
		{name: "each region its own", home: trail(home, false), other: trail(other, false), want: "on, by a trail in each of 2 regions", asked: 2},
		{name: "for all, and not shown at home", home: none, other: trail(other, true), want: "on, in all regions", asked: 2},
		{name: "none", home: none, other: none, want: "off: only its history of 90 days", risk: 2, asked: 2},
		{name: "stopped", home: none, other: trail(other, false), off: true, want: "off: only its history of 90 days", risk: 2, asked: 2},
		{name: "bucket is gone", home: trail(home, true), other: none, spoil: func(s *setting) {
			s.Next("cloudtrail:GetTrailStatus", verifiertest.Response{Status: 200, Body: `{"IsLogging":true,"LatestDeliveryError":"NoSuchBucket"}`})
		}, want: "off: trail arn:aws:cloudtrail:us-east-1:222233334444:trail/t cannot write to its bucket (NoSuchBucket); only its history", risk: 2, asked: 2},
		{name: "events of data only", home: selecting, other: none, spoil: selects(`{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":false}]}`),
			want: "off: trail arn:x leaves out management events that change something", risk: 2, asked: 2},
		{name: "reads only", home: selecting, other: none, spoil: selects(`{"EventSelectors":[{"ReadWriteType":"ReadOnly","IncludeManagementEvents":true}]}`),
			want: "off: trail arn:x leaves out", risk: 2, asked: 2},
		{name: "advanced, data only", home: selecting, other: none, spoil: selects(`{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]}]}`),
			want: "off: trail arn:x leaves out", risk: 2, asked: 2},
		{name: "advanced, reads only", home: selecting, other: none, spoil: selects(`{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"readOnly","Equals":["true"]}]}]}`),
			want: "off: trail arn:x leaves out", risk: 2, asked: 2},
		{name: "advanced, all", home: selecting, other: none, spoil: selects(`{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]}]},{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]}`),
			want: "on, in all regions", asked: 1},
		{name: "selectors as they come, and data", home: selecting, other: none, spoil: selects(`{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true}]}`),
			want: "on, in all regions", asked: 1},
		{name: "regions not known", home: none, other: trail(other, false), spoil: func(s *setting) { s.Deny("ec2:DescribeRegions") },
			want: "not known: there is none in us-east-1", risk: 1, asked: 1},
		{name: "regions not known, on at home", home: trail(home, false), other: none, spoil: func(s *setting) { s.Deny("ec2:DescribeRegions") },
			want: "on, in us-east-1; whether in others is not known", risk: 1, asked: 1},
		{name: "one region not readable", home: none, other: none, spoil: func(s *setting) {
			s.Next("cloudtrail:DescribeTrails", verifiertest.Response{Status: 200, Body: none}, denied)
		}, want: "not known: needs cloudtrail:DescribeTrails (in eu-west-1)", asked: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetting(t)
			s.Change(prod, func(a *verifiertest.Account) {
				a.Answers["cloudtrail:DescribeTrails:"+home], a.Answers["cloudtrail:DescribeTrails:"+other] = tt.home, tt.other
				a.Answers["cloudtrail:GetTrailStatus"] = fmt.Sprintf(`{"IsLogging":%v}`, !tt.off)
			})
			if tt.spoil != nil {
				tt.spoil(s)
			}
			facts := s.assess(t, s.subject())
			if !has(facts, "cloudtrail", tt.want, tt.risk, "cloudtrail:DescribeTrails") {
				t.Errorf("want %q, risk %d:\n%s", tt.want, tt.risk, list(facts))
			}
			asked := 0
			for _, r := range s.Requests() {
				if r.Action == "DescribeTrails" {
					asked++
				}
			}
			if asked != tt.asked {
				t.Errorf("asked %d times, want %d", asked, tt.asked)
			}
		})
	}
}

// TestLaterPages: an event, a tag or a finding on a later page is not "none".
func TestLaterPages(t *testing.T) {
	s := newSetting(t)
	page := func(body string) verifiertest.Response { return verifiertest.Response{Status: 200, Body: body} }
	s.Next("health:DescribeEvents", page(`{"events":[],"nextToken":"n"}`))
	s.Next("organizations:ListTagsForResource", page(`{"Tags":[{"Key":"cost","Value":"7"}],"NextToken":"n"}`))
	s.Next("guardduty:POST /detector/d1/findings", page(`{"findingIds":[],"nextToken":"m"}`), page(`{"findingIds":["f0"],"nextToken":"n"}`))
	facts := s.assess(t, s.subject())
	for name, value := range map[string]string{"health": "AWS_RISK_CREDENTIALS_EXPOSED", "account-owner": "Owner payments", "guardduty": "MaliciousIPCaller"} {
		if !strings.Contains(list(facts), value) {
			t.Errorf("%s: no %q:\n%s", name, value, list(facts))
		}
	}
	asked := map[string]int{}
	for _, r := range s.Requests() {
		asked[r.Action]++
	}
	// Two findings are alike, and of one region: it is named once.
	if asked["POST /detector/d1/findings/get"] != 2 || !strings.Contains(list(facts), "severity 8.0 (in us-east-1)") {
		t.Errorf("%v\n%s", asked, list(facts))
	}
}
