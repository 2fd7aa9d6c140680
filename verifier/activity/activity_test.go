package activity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

const (
	prod  = "222233334444"
	home  = "us-east-1"
	other = "eu-west-1"
)

// A history is an account with CloudTrail's events of one leaked key.
type history struct {
	*verifiertest.AWS
	t      *testing.T
	key    string
	leaked time.Time
}

func newHistory(t *testing.T) *history {
	t.Helper()
	h := &history{AWS: verifiertest.NewAWS(t), t: t, leaked: time.Now().Add(-48 * time.Hour).Truncate(time.Second)}
	h.Change(prod, func(a *verifiertest.Account) {
		own := a.User("olga", 1)
		verifiertest.SignAs(t, own.Keys[0].Credential)
		h.key = a.User("deploy", 2).Keys[0].Credential.ID
	})
	return h
}

// object is an object of JSON.
type object = map[string]any

// call notes a call of a key, after the leak.
func (h *history) call(key, service, name string, after time.Duration, fields object) {
	h.callIn(home, key, service, name, after, fields)
}

func (h *history) callIn(region, key, service, name string, after time.Duration, fields object) {
	e := object{
		"eventSource": service + ".amazonaws.com", "eventName": name, "sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2.0 x",
		"userIdentity": object{"type": "IAMUser", "userName": "deploy", "accountId": prod, "arn": "arn:aws:iam::" + prod + ":user/deploy"},
	}
	for k, v := range fields {
		e[k] = v
	}
	h.Change(prod, func(a *verifiertest.Account) {
		a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: key, Region: region, At: h.leaked.Add(after), Event: e})
	})
}

func (h *history) session() *operator.Session {
	h.t.Helper()
	o, err := operator.New(h.t.Context(), operator.Config{Endpoint: h.URL, Wait: time.Millisecond})
	if err != nil {
		h.t.Fatal(err)
	}
	return o.Own()
}

func (h *history) read(since time.Time) activity.Log {
	h.t.Helper()
	r := activity.Reader{Pace: -1}
	return r.Read(h.t.Context(), h.session(), h.key, since, []string{home, other})
}

// sessionKey returns the id of a session.
func sessionKey(n int) string { return verifiertest.Role(prod, "any", uint64(1000+n)).Credential.ID }

// issued is the answer of a call that returns a session.
func issued(id string) object {
	return object{"credentials": object{"accessKeyId": id, "sessionToken": "…", "expiration": "Nov 30, 2026, 1:00:00 AM"}}
}

// TestFollowed: an intruder makes a session with the key, assumes a role with the session,
// makes a user with the role and a key for the user, and works with that.
func TestFollowed(t *testing.T) {
	h := newHistory(t)
	first, second := sessionKey(1), sessionKey(2)
	made := verifiertest.LongTerm(prod, 99).ID
	role := "arn:aws:iam::" + prod + ":role/admin"
	h.call(h.key, "sts", "GetSessionToken", time.Hour, object{"responseElements": issued(first)})
	h.callIn(other, first, "sts", "AssumeRole", 2*time.Hour, object{"requestParameters": object{"roleArn": role}, "responseElements": issued(second)})
	h.call(second, "iam", "CreateUser", 3*time.Hour, object{"requestParameters": object{"userName": "mallory"}})
	h.call(second, "iam", "CreateAccessKey", 3*time.Hour, object{"responseElements": object{"accessKey": object{"accessKeyId": made, "userName": "mallory"}}})
	h.callIn(other, made, "ec2", "RunInstances", 4*time.Hour, object{"responseElements": object{"instancesSet": object{"items": []any{
		object{"instanceId": "i-1"}, object{"instanceId": "i-2"}}}}})
	// Not its own: another key of the account.
	h.call(sessionKey(3), "iam", "CreateUser", time.Hour, object{"requestParameters": object{"userName": "else"}})

	log := h.read(h.leaked)
	var got []string
	for _, m := range log.Made {
		got = append(got, fmt.Sprintf("%s, %v, by %s", m, m.Access, m.By))
	}
	want := []string{
		"session " + first + ", true, by " + h.key,
		"session " + second + " of " + role + ", true, by " + first,
		"access key " + made + " of mallory, true, by " + second,
		"user mallory, true, by " + second,
		"instance i-1, false, by " + made,
		"instance i-2, false, by " + made,
	}
	if !slices.Equal(got, want) {
		t.Errorf("made\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(log.Roles) != 1 || log.Roles[0] != (activity.AssumedRole{ARN: role, Account: prod, Session: second,
		Time: h.leaked.Add(2 * time.Hour).UTC().Truncate(time.Second), Address: "203.0.113.9", By: first}) {
		t.Errorf("roles %+v", log.Roles)
	}
	if len(log.Sessions) != 3 || len(log.Unread) != 0 || !log.Whole {
		t.Errorf("sessions %v, unread %v, whole %v", log.Sessions, log.Unread, log.Whole)
	}
	if p := log.Principal; p.Type != "IAMUser" || p.Name != "deploy" || p.Account != prod {
		t.Errorf("principal %+v", p)
	}
	if c := log.Calls[0]; c.Action != "ec2:RunInstances" || c.Region != other || c.ID != made {
		t.Errorf("the newest call is %+v", c)
	}
}

// TestBounds: hundreds of sessions are followed, with few questions where little happened.
// More are named, and keys come first.
func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		sessions, busy int // busy is how many events others made in the home region
		asked          int // questions in two regions
		unread         string
	}{
		{sessions: 300, asked: 1 + 7 + 1 + 7}, // of the key, then of the sessions, in either region
		{sessions: 60, busy: 1600, asked: 1 + 2 + 1 + 30 + 61},
		{sessions: 440, asked: 1 + 9 + 1 + 9, unread: "[41 more sessions and keys that were issued to it were not followed]"},
	} {
		h := newHistory(t)
		for n := range tt.sessions {
			h.call(h.key, "sts", "AssumeRole", time.Hour+time.Duration(n)*time.Second, object{"requestParameters": object{"roleArn": "arn:aws:iam::" + prod + ":role/ci"}, "responseElements": issued(sessionKey(n))})
		}
		made := verifiertest.LongTerm(prod, 99).ID
		h.call(h.key, "iam", "CreateAccessKey", time.Minute, object{"responseElements": object{"accessKey": object{"accessKeyId": made, "userName": "deploy"}}})
		h.call(made, "iam", "CreateUser", time.Hour, object{"requestParameters": object{"userName": "mallory"}})
		h.call(sessionKey(50), "iam", "CreateUser", time.Hour, object{"requestParameters": object{"userName": "eve"}})
		h.Change(prod, func(a *verifiertest.Account) {
			event := object{"eventSource": "ec2.amazonaws.com", "eventName": "DescribeInstances"}
			for range tt.busy {
				a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: "other", Region: home, At: h.leaked.Add(time.Hour), Event: event})
			}
		})
		before := len(h.Requests())
		log := h.read(h.leaked)
		asked := 0
		for _, r := range h.Requests()[before:] {
			if r.Action == "LookupEvents" {
				asked++
			}
		}
		if asked > tt.asked {
			t.Errorf("%d sessions: %d questions, want %d", tt.sessions, asked, tt.asked)
		}
		if unread := fmt.Sprint(log.Unread); unread != "["+strings.Trim(tt.unread, "[]")+"]" {
			t.Errorf("%d sessions: unread %s", tt.sessions, unread)
		}
		for _, name := range []string{"mallory", "eve"} {
			if !slices.ContainsFunc(log.Made, func(m activity.Thing) bool { return m.Name == name }) {
				t.Errorf("%d sessions: %s is not told", tt.sessions, name)
			}
		}
		if len(log.Sessions) != tt.sessions+1 {
			t.Errorf("%d sessions of %d", len(log.Sessions), tt.sessions)
		}
	}
}

// TestGaps: every region that is not read is named, and so is a role of another account.
func TestGaps(t *testing.T) {
	h := newHistory(t)
	away := "arn:aws:iam::999988887777:role/away"
	h.call(h.key, "sts", "AssumeRole", time.Hour, object{"requestParameters": object{"roleArn": away}, "responseElements": issued(sessionKey(1))})
	h.call(h.key, "signin", "ConsoleLogin", time.Hour, nil)
	h.call(h.key, "sts", "AssumeRoot", time.Hour, object{"requestParameters": object{"targetPrincipal": "arn:aws:iam::999988886666:root"}, "responseElements": issued(sessionKey(2))})
	log := h.read(h.leaked)
	text := fmt.Sprint(log.Unread)
	if len(log.Roles) != 1 || log.Roles[0].Account != "999988887777" || !strings.Contains(text, away+" is of another account") || !strings.Contains(text, "session of the console") ||
		!strings.Contains(text, "root user of account 999988886666") {
		t.Errorf("roles %v, unread %v", log.Roles, log.Unread)
	}
	h.Deny("cloudtrail:LookupEvents")
	log = h.read(h.leaked)
	if len(log.Unread) != 2 || log.Unread[0].Region != other || log.Unread[0].Err == nil || log.Whole {
		t.Errorf("unread %v, whole %v", log.Unread, log.Whole)
	}
}

// TestThrottled: others share the rate of an account, so one refusal is no gap.
func TestThrottled(t *testing.T) {
	h := newHistory(t)
	h.call(h.key, "iam", "CreateUser", time.Hour, object{"requestParameters": object{"userName": "mallory"}})
	for range 16 { // in two regions; a call is sent five times
		h.Next("cloudtrail:LookupEvents", verifiertest.JSONFailure(400, "ThrottlingException", "Rate exceeded"))
	}
	if log := h.read(h.leaked); len(log.Unread) != 0 || len(log.Made) != 1 {
		t.Errorf("%v %v", log.Unread, log.Made)
	}
}

// TestRefusedCalls: a call that failed makes nothing, and is still told.
func TestRefusedCalls(t *testing.T) {
	h := newHistory(t)
	h.call(h.key, "iam", "CreateUser", time.Hour, object{"errorCode": "AccessDenied", "requestParameters": object{"userName": "mallory"}})
	h.call(h.key, "sts", "AssumeRole", time.Hour, object{"errorCode": "AccessDenied", "requestParameters": object{"roleArn": "arn:aws:iam::" + prod + ":role/admin"}})
	log := h.read(h.leaked)
	if len(log.Made) != 0 || len(log.Roles) != 0 || len(log.Calls) != 2 || log.Calls[0].Harm() != activity.Takes {
		t.Errorf("%+v", log)
	}
}

// TestPlaces: where the key was used before the leak and after it.
func TestPlaces(t *testing.T) {
	h := newHistory(t)
	h.call(h.key, "s3", "ListBuckets", -24*time.Hour, object{"sourceIPAddress": "198.51.100.7"})
	h.callIn(other, h.key, "ec2", "DescribeInstances", 46*time.Hour, nil)
	h.callIn(other, h.key, "ec2", "DescribeRegions", 47*time.Hour, nil)
	h.callIn(other, h.key, "ec2", "DescribeInstances", 45*time.Hour, nil)
	log := h.read(h.leaked)
	var got []string
	for _, p := range log.Places {
		var recent []string
		for _, u := range p.Recent {
			recent = append(recent, u.Action)
		}
		got = append(got, fmt.Sprintf("%s%s before %v %v", p.Address, p.Region, p.First.Before(log.Since), recent))
	}
	want := []string{"us-east-1 before true []", "198.51.100.7 before true []", "eu-west-1 before false [ec2:DescribeRegions ec2:DescribeInstances ec2:DescribeInstances]", "203.0.113.9 before false [ec2:DescribeRegions ec2:DescribeInstances ec2:DescribeInstances]"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if fresh, known := log.New(), log.Known(); len(fresh) != 2 || fresh[0].Region != other || !log.IsNew("203.0.113.9") || len(known) != 1 || known[0].Address != "198.51.100.7" {
		t.Errorf("new %v, known %v", fresh, known)
	}
	if len(log.Calls) != 2 {
		t.Errorf("calls before the leak are told: %+v", log.Calls)
	}
}

// TestClocks: the time of a leak is that of a commit, by whichever clock.
func TestClocks(t *testing.T) {
	h := newHistory(t)
	h.call(h.key, "iam", "CreateUser", -30*time.Minute, object{"requestParameters": object{"userName": "mallory"}})
	for name, since := range map[string]time.Time{"a clock that is fast": h.leaked, "a time that is still to come": time.Now().Add(time.Hour)} {
		if log := h.read(since); len(log.Made) != 1 || log.Since.After(h.leaked) {
			t.Errorf("%s: since %s, made %v", name, log.Since, log.Made)
		}
	}
}

// TestPages: more events than one page holds, and more than are read.
func TestPages(t *testing.T) {
	h := newHistory(t)
	h.Change(prod, func(a *verifiertest.Account) {
		event := object{"eventSource": "s3.amazonaws.com", "eventName": "ListBuckets"}
		for n := range 120 {
			a.Events = append(a.Events, verifiertest.TrailEvent{KeyID: h.key, Region: home, At: h.leaked.Add(time.Duration(n) * time.Second), Event: event})
		}
	})
	if log := h.read(h.leaked); len(log.Calls) != 1 || log.Calls[0].N != 120 || !log.Whole {
		t.Errorf("%+v", log)
	}
	h.Change(prod, func(a *verifiertest.Account) {
		a.Answers["cloudtrail:LookupEvents"] = `{"Events":[],"NextToken":"again"}`
	})
	log := h.read(h.leaked)
	if len(log.Unread) != 2 || !strings.Contains(log.Unread[0].Why, "more than 10000 events") || log.Whole {
		t.Errorf("%v", log.Unread)
	}
}

// TestRate: CloudTrail is asked twice a second at most in a region, however many keys are
// read at once, and no event is lost.
func TestRate(t *testing.T) {
	h := newHistory(t)
	h.Limit("cloudtrail:LookupEvents", 2)
	h.call(h.key, "sts", "GetSessionToken", time.Hour, object{"responseElements": issued(sessionKey(1))})
	h.call(sessionKey(1), "iam", "CreateUser", time.Hour, object{"requestParameters": object{"userName": "mallory"}})
	s := h.session()
	var r activity.Reader
	logs := make(chan activity.Log)
	for range 2 {
		go func() { logs <- r.Read(t.Context(), s, h.key, h.leaked, []string{home, other}) }()
	}
	for range 2 {
		if log := <-logs; len(log.Made) != 2 || len(log.Unread) != 0 {
			t.Errorf("%+v", log)
		}
	}
	t.Logf("%d questions came too soon", h.Refused("cloudtrail:LookupEvents"))
}
