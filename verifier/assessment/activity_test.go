package assessment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// object is an object of JSON.
type object = map[string]any

// trail replaces the history of CloudTrail: calls of the leaked key, or of another id.
func (s *setting) trail(events ...verifiertest.TrailEvent) {
	s.Change(prod, func(a *verifiertest.Account) {
		delete(a.Answers, "cloudtrail:LookupEvents")
		delete(a.Answers, "cloudtrail:LookupEvents:eu-west-1")
		a.Events = events
	})
}

// call is a call of the key id, ago before now.
func call(id, region string, ago time.Duration, address, service, name string, fields object) verifiertest.TrailEvent {
	e := object{"eventSource": service + ".amazonaws.com", "eventName": name, "sourceIPAddress": address, "userAgent": "aws-cli/2.0 x"}
	for k, v := range fields {
		e[k] = v
	}
	return verifiertest.TrailEvent{KeyID: id, Region: region, At: time.Now().Add(-ago), Event: e}
}

const (
	office   = "198.51.100.7"
	intruder = "203.0.113.9"
)

// TestMade: an assessment names what an intruder made, where they came from, and what they
// reached with sessions.
func TestMade(t *testing.T) {
	s := newSetting(t)
	session := verifiertest.Role(prod, "any", 77).Credential.ID
	const hour = time.Hour
	s.trail(
		call(s.key.ID, "us-east-1", 72*hour, office, "s3", "ListBuckets", nil),
		call(s.key.ID, "us-east-1", 3*hour, office, "iam", "CreateGroup", object{"requestParameters": object{"groupName": "team"}}),
		call(s.key.ID, "us-east-1", 5*hour, intruder, "sts", "GetSessionToken", object{"responseElements": object{"credentials": object{"accessKeyId": session}}}),
		call(session, "us-east-1", 4*hour, intruder, "iam", "CreateUser", object{"requestParameters": object{"userName": "mallory"}}),
		call(s.key.ID, "eu-west-1", 4*hour, intruder, "ec2", "RunInstances", object{"responseElements": object{"instancesSet": object{"items": []any{object{"instanceId": "i-1"}}}}}),
		call(s.key.ID, "us-east-1", 2*hour, intruder, "sts", "AssumeRole", object{"requestParameters": object{"roleArn": "arn:aws:iam::" + prod + ":role/admin"}}),
		call(s.key.ID, "us-east-1", hour, intruder, "sts", "AssumeRole", object{"requestParameters": object{"roleArn": "arn:aws:iam::" + prod + ":role/admin"}}),
		call(s.key.ID, "us-east-1", hour, "lambda.amazonaws.com", "kms", "Decrypt", nil),
	)
	s.Change(prod, func(*verifiertest.Account) {
		s.user.Keys[0].Used, s.user.Keys[0].UsedService = time.Now().Add(-4*hour), "ec2"
	})
	facts := s.assess(t, s.subject())
	for _, want := range []verifier.Fact{
		{Name: "last-used-by", Value: intruder + ", ec2:RunInstances, ", Risk: 2},
		{Name: "made", Value: "sessions by sts:GetSessionToken, once, ", Risk: 3},
		{Name: "made", Value: "user mallory, by iam:CreateUser, us-east-1", Risk: 3},
		{Name: "made", Value: "with " + session, Risk: 3},
		{Name: "made", Value: "look: aws iam list-access-keys --user-name mallory; remove: aws iam delete-user --user-name mallory", Risk: 3},
		{Name: "made", Value: "instance i-1, by ec2:RunInstances, eu-west-1", Risk: 2},
		{Name: "made", Value: "from " + intruder + " (new since the leak)", Risk: 2},
		{Name: "made", Value: "group team", Risk: 2},
		{Name: "assumed-role", Value: "arn:aws:iam::" + prod + ":role/admin, 2 times, from " + intruder, Risk: 3},
		{Name: "new-address", Value: intruder + ", ", Risk: 2},
		{Name: "new-region", Value: "eu-west-1, ", Risk: 2},
		{Name: "activity", Value: "iam:CreateUser, once, from " + intruder + " by aws-cli/2.0, us-east-1", Risk: 3},
		{Name: "services-used", Value: "none: IAM names no service"},
	} {
		want.Source = "cloudtrail:LookupEvents"
		if want.Name == "services-used" {
			want.Source = "iam:GetServiceLastAccessedDetails"
		}
		if !has(facts, want.Name, want.Value, want.Risk, want.Source) {
			t.Errorf("no fact %+v", want)
		}
	}
	text := list(facts)
	if strings.Count(text, "new-address") != 1 || strings.Count(text, "new-region") != 1 {
		t.Error("a place that is not new is called new")
	}
	if strings.Index(text, "instance i-1") > strings.Index(text, "group team") {
		t.Error("things of the intruder do not come first")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestNewPlaces: without anything to compare with, nothing is called new.
func TestNewPlaces(t *testing.T) {
	const hour = time.Hour
	for _, tt := range []struct {
		name  string
		leak  time.Duration // ago; 0: not known
		calls []time.Duration
		want  string
		risk  int
	}{
		{"used before", 48 * hour, []time.Duration{72 * hour, hour}, "none since the leak", 0},
		{"used from many addresses", 48 * hour, slices.Repeat([]time.Duration{72 * hour}, 10), "not known: the key was used from 10 addresses before the leak", 0},
		{"not used before", 48 * hour, []time.Duration{hour}, "not known: CloudTrail shows no use of the key before the leak", 0},
		{"leaked long ago", 2400 * hour, []time.Duration{72 * hour, hour}, "not known: the key leaked before CloudTrail's history", 0},
		{"a date to come", -48 * hour, []time.Duration{72 * hour, hour}, "not known: the key leaked before CloudTrail's history of 90 days begins, or nobody knows when", 0},
		{"nobody knows when", 0, []time.Duration{72 * hour, hour}, "not known: the key leaked before CloudTrail's history of 90 days begins, or nobody knows when", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetting(t)
			var events []verifiertest.TrailEvent
			for n, ago := range tt.calls {
				address := office
				if len(tt.calls) > 2 {
					address = fmt.Sprintf("192.0.2.%d", n)
				}
				events = append(events, call(s.key.ID, "us-east-1", ago, address, "s3", "ListBuckets", nil))
			}
			s.trail(events...)
			subject := s.subject()
			subject.Locations[0].Time = time.Now().Add(-tt.leak)
			if tt.leak == 0 {
				subject.Locations[0].Time = time.Time{}
			}
			if facts := s.assess(t, subject); !has(facts, "new-address", tt.want, tt.risk, "cloudtrail:LookupEvents") {
				t.Errorf("%s", list(facts))
			}
		})
	}
}

// TestMuch: of very many things the worst are told, and how many there are.
func TestMuch(t *testing.T) {
	s := newSetting(t)
	var events []verifiertest.TrailEvent
	for n := range 60 {
		events = append(events, call(s.key.ID, "us-east-1", time.Hour, office, "iam", "CreateGroup", object{"requestParameters": object{"groupName": fmt.Sprint("g", n)}}))
	}
	s.trail(append(events, call(s.key.ID, "us-east-1", time.Minute, office, "iam", "CreateUser", object{"requestParameters": object{"userName": "mallory"}}))...)
	facts := s.assess(t, s.subject())
	if !has(facts, "made", "11 more things", 2, "cloudtrail:LookupEvents") || !has(facts, "made", "user mallory", 3, "cloudtrail:LookupEvents") {
		t.Errorf("%s", list(facts))
	}
}

// TestServicesUsed: IAM makes the list of services, or does not.
func TestServicesUsed(t *testing.T) {
	job := func(status, rest string) verifiertest.Response {
		return verifiertest.Response{Status: 200, Body: "<GetServiceLastAccessedDetailsResponse><GetServiceLastAccessedDetailsResult><JobStatus>" + status + "</JobStatus>" + rest +
			"</GetServiceLastAccessedDetailsResult></GetServiceLastAccessedDetailsResponse>"}
	}
	service := func(name, at string) string {
		if at != "" {
			at = "<LastAuthenticated>" + at + "</LastAuthenticated><LastAuthenticatedRegion>eu-west-1</LastAuthenticatedRegion>"
		}
		return "<member><ServiceName>Some</ServiceName><ServiceNamespace>" + name + "</ServiceNamespace>" + at + "</member>"
	}
	list10 := ""
	for n := range 12 {
		list10 += service(fmt.Sprint("s", n), fmt.Sprintf("2026-11-%02dT00:00:00Z", n+1))
	}
	wait := job("IN_PROGRESS", "")
	for _, tt := range []struct {
		name string
		next []verifiertest.Response
		want string
	}{
		{"soon", []verifiertest.Response{wait, job("COMPLETED", "<ServicesLastAccessed>"+service("s3", "2026-11-01T00:00:00Z")+service("ec2", "2026-11-02T00:00:00Z")+service("sns", "")+"</ServicesLastAccessed>")},
			"ec2 2026-11-02T00:00:00Z in eu-west-1, s3 2026-11-01T00:00:00Z in eu-west-1"},
		{"none", []verifiertest.Response{job("COMPLETED", "<ServicesLastAccessed>"+service("sns", "")+"</ServicesLastAccessed>")}, "none of the 1 that its policies allow"},
		{"many", []verifiertest.Response{job("COMPLETED", "<ServicesLastAccessed>"+list10+"</ServicesLastAccessed>")}, "s11 2026-11-12"},
		{"many", []verifiertest.Response{job("COMPLETED", "<ServicesLastAccessed>"+list10+"</ServicesLastAccessed>")}, "and 2 more"},
		{"pages", []verifiertest.Response{
			job("COMPLETED", "<ServicesLastAccessed>"+service("sns", "")+"</ServicesLastAccessed><IsTruncated>true</IsTruncated><Marker>next</Marker>"),
			job("COMPLETED", "<ServicesLastAccessed>"+service("s3", "2026-11-01T00:00:00Z")+"</ServicesLastAccessed>")}, "s3 2026-11-01T00:00:00Z"},
		{"never", []verifiertest.Response{wait, wait, wait, wait, wait}, "not known: IAM is still making the list"},
		{"failed", []verifiertest.Response{job("FAILED", "<Error><Code>Oops</Code><Message>x</Message></Error>")}, "not known: IAM could not make the list (Oops)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetting(t)
			s.Next("iam:GetServiceLastAccessedDetails", tt.next...)
			facts := s.assess(t, s.subject())
			if !slices.ContainsFunc(facts, func(f verifier.Fact) bool { return f.Name == "services-used" && strings.Contains(f.Value, tt.want) }) {
				t.Errorf("%s", list(facts))
			}
		})
	}
	// Two keys of one user share the answer.
	s := newSetting(t)
	a := assessment.Assessor{Operator: s.operator(t), Pace: -1}
	for range 2 {
		if facts := a.Assess(t.Context(), s.subject(), assessment.Exposure{}); !slices.Contains(names(facts), "services-used") {
			t.Errorf("%s", list(facts))
		}
	}
	n := 0
	for _, r := range s.Requests() {
		if r.Action == "GenerateServiceLastAccessedDetails" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestTried: each action that an escalation needs is simulated.
func TestTried(t *testing.T) {
	s := newSetting(t)
	all := "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>"
	for _, a := range activity.Actions {
		if a.Asked {
			all += "<member><EvalActionName>" + a.Name + "</EvalActionName><EvalDecision>allowed</EvalDecision></member>"
		}
	}
	s.Next("iam:SimulatePrincipalPolicy", verifiertest.Response{Status: 200, Body: all + "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"})
	text := list(s.assess(t, s.subject()))
	for _, effect := range []string{"makes keys for other users", "by iam:UpdateLoginProfile", "by iam:PutGroupPolicy", "by iam:PutRolePolicy and sts:AssumeRole", "by iam:SetDefaultPolicyVersion",
		"by iam:PassRole and glue:CreateDevEndpoint", "by iam:PassRole and cloudformation:CreateStack", "by lambda:UpdateFunctionCode", "by ssm:SendCommand"} {
		if !strings.Contains(text, effect) {
			t.Errorf("no escalation %q:\n%s", effect, text)
		}
	}
	if n := strings.Count(text, "escalation "); n != 19 {
		t.Errorf("%d escalations", n)
	}
}

// TestManyAddresses: an intruder with thousands of addresses makes neither the report long nor
// the assessment slow.
func TestManyAddresses(t *testing.T) {
	s := newSetting(t)
	role := "arn:aws:iam::" + prod + ":role/admin"
	events := []verifiertest.TrailEvent{call(s.key.ID, "us-east-1", 72*time.Hour, office, "s3", "ListBuckets", nil)}
	const n = 300
	for i := range n {
		address := fmt.Sprintf("203.0.%d.%d", i/100, i%100)
		events = append(events, call(s.key.ID, "us-east-1", time.Hour, address, "sts", "AssumeRole", map[string]any{"requestParameters": map[string]any{"roleArn": role}}),
			call(s.key.ID, "us-east-1", time.Hour, address, "ec2", "CreateTags", nil))
	}
	s.trail(events...)
	facts := s.assess(t, s.subject())
	text := list(facts)
	if got := strings.Count(text, " new-address "); got != 51 || !has(facts, "new-address", "250 more addresses", 2, "cloudtrail:LookupEvents") {
		t.Errorf("%d new addresses", got)
	}
	for _, f := range facts {
		if f.Name == "assumed-role" && (len(f.Value) > 1000 || !strings.Contains(f.Value, ", 280 more addresses, ")) {
			t.Errorf("%s", f.Value)
		}
	}
}
