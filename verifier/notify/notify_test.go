package notify_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/notify"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

const ops, prod = "111122223333", "222233334444"

// newNotifier returns a notifier of olga's, of account ops, and the AWS that she tells.
func newNotifier(t *testing.T) (*notify.Notifier, *verifiertest.AWS) {
	t.Helper()
	aws := verifiertest.NewAWS(t)
	aws.Change(ops, func(a *verifiertest.Account) {
		c := a.User("olga", 1).Keys[0].Credential
		verifiertest.SignAs(t, c)
		t.Setenv("AWS_REGION", "eu-west-1")
	})
	o, err := operator.New(t.Context(), operator.Config{Endpoint: aws.URL, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return &notify.Notifier{Operator: o.Own(), Version: "test", Wait: time.Millisecond}, aws
}

func published(aws *verifiertest.AWS, service string) (bodies []string) {
	aws.Change(ops, func(a *verifiertest.Account) { bodies = a.Published[service] })
	return bodies
}

func target(t *testing.T, s string) notify.Target {
	t.Helper()
	got, err := notify.ParseTarget(s, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func notices(n int) (list []notify.Notice) {
	for i := range n {
		list = append(list, notify.Notice{
			Schema: notify.Schema, Text: "leaked", Time: time.Now(), Planned: time.Now(), Result: "contained", Off: true, Status: "Inactive",
			Subject: finding.Subject{
				Fingerprint: strings.Repeat("f", i+1), KeyID: detectorstest.KeyID("AKIA", prod, uint64(i)), Account: prod, Kind: "user", Name: "deploy",
				ARN: "arn:aws:iam::" + prod + ":user/deploy", Where: "prod.env:1",
			},
			Created: time.Now(),
		})
	}
	return list
}

// TestContract: programs of users read notices.
func TestContract(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	n := notify.Notice{Schema: "s", Text: "t", Time: at, Planned: at, Result: "r", Why: []string{"w"}, Off: true, Status: "st", Created: at, Plan: "p"}
	n.Fingerprint, n.KeyID, n.SecretSHA256, n.Account = "f", "id", "hash", "1"
	n.Kind, n.Name, n.ARN, n.Where = "k", "n", "a", "wh"
	got, err := json.Marshal(n)
	const want = `{"schema":"s","text":"t","time":"2026-03-14T09:26:53Z","planned":"2026-03-14T09:26:53Z","result":"r","why":["w"],"off":true,"status":"st",` +
		`"fingerprint":"f","key_id":"id","secret_sha256":"hash","account":"1","kind":"k","name":"n","arn":"a","where":"wh","created":"2026-03-14T09:26:53Z","plan":"p"}`
	if string(got) != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// TestParseTarget: what is no target is refused before anything is changed, and an
// error does not hold the URL of a webhook.
func TestParseTarget(t *testing.T) {
	const hook = "https://hooks.example.com/services/T0/B0/opensesame"
	env := func(name string) string {
		return map[string]string{
			"HOOK": hook, "BAD": "ftp://example.com/opensesame", notify.SMTPVariable: "smtp://user:opensesame@mail.example.com/?from=stanch@example.com",
		}[name]
	}
	for _, tt := range []struct{ in, name, err string }{
		{"securityhub", "securityhub", ""},
		{"eventbridge", "eventbridge", ""},
		{"eventbridge:alerts", "eventbridge:alerts", ""},
		{"eventbridge:arn:aws:events:eu-west-1:111122223333:event-bus/alerts", "eventbridge:arn:aws:events:eu-west-1:111122223333:event-bus/alerts", ""},
		{"sns:arn:aws:sns:eu-west-1:111122223333:alerts", "sns:arn:aws:sns:eu-west-1:111122223333:alerts", ""},
		{"webhook:" + hook, "webhook at hooks.example.com", ""},
		{"webhook:env:HOOK", "webhook at hooks.example.com", ""},
		{"webhook:http://127.0.0.1:1/opensesame", "webhook at 127.0.0.1:1", ""},
		{"webhook:http://localhost:1/opensesame", "webhook at localhost:1", ""},
		{"webhook:http://example.com/opensesame", "", "want https"},
		{"webhook:env:BAD", "", "want https"},
		{"webhook:env:NONE", "", "NONE is not set"},
		{"webhook:https:///opensesame", "", "not a URL"},
		{"webhook:%zz://opensesame", "", "not a URL"},
		{"webhook", "", "not a URL"},
		{"slack:" + hook, "slack at hooks.example.com", ""},
		{"slack:env:HOOK", "slack at hooks.example.com", ""},
		{"mailto:ops@example.com", "mailto:ops@example.com", ""},
		{"mailto:Ops <ops@example.com>", "", "not an address"},
		{"mailto:", "", "not an address"},
		{"sns:alerts", "", "not the ARN of a topic"},
		{"sns", "", "not the ARN of a topic"},
		{"securityhub:eu-west-1", "", "want one of slack:URL"},
		{"eventbridge:a b", "", "neither"},
		{"eventbridge:", "", "neither"},
		{"mail:ops@example.com", "", "want one of slack:URL"},
		{"", "", "want one of slack:URL"},
	} {
		got, err := notify.ParseTarget(tt.in, env)
		if tt.err == "" && (err != nil || got.String() != tt.name) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: %q, %v; want %q, %q", tt.in, got, err, tt.name, tt.err)
		}
		if strings.Contains(got.String()+got.Name(), "opensesame") || err != nil && strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%q: the URL is told: %v, %v", tt.in, got, err)
		}
	}
}

// TestAWS: what AWS is told is in the form that it takes, of any number of keys.
func TestAWS(t *testing.T) {
	n, aws := newNotifier(t)
	for _, s := range []string{"securityhub", "eventbridge:alerts", "sns:arn:aws:sns:eu-north-1:111122223333:alerts"} {
		if err := n.Send(t.Context(), []notify.Target{target(t, s)}, notices(101)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for service, want := range map[string]int{"securityhub": 2, "events": 11, "sns": 101} {
		if got := len(published(aws, service)); got != want {
			t.Errorf("%s: %d calls, want %d", service, got, want)
		}
	}
	regions := map[string]string{"securityhub": "eu-west-1", "events": "eu-west-1", "sns": "eu-north-1"}
	for _, r := range aws.Requests() {
		if want := regions[r.Service]; want != "" && r.Region != want {
			t.Errorf("%s in %s, want %s", r.Service, r.Region, want)
		}
	}
	var in struct {
		Findings []struct {
			ID        string `json:"Id"`
			Severity  struct{ Label string }
			Resources []struct {
				Type    string
				Details struct {
					AwsIamAccessKey struct{ AccountID, Status string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(published(aws, "securityhub")[0]), &in); err != nil {
		t.Fatal(err)
	}
	f := in.Findings[0]
	if f.ID != "stanch/f" || f.Severity.Label != "MEDIUM" || f.Resources[0].Details.AwsIamAccessKey.AccountID != prod || f.Resources[0].Details.AwsIamAccessKey.Status != "Inactive" {
		t.Errorf("%+v", f)
	}
	form, err := url.ParseQuery(published(aws, "sns")[0])
	if err != nil || !strings.HasPrefix(form.Get("Subject"), "stanch: AKIA") || !json.Valid([]byte(form.Get("Message"))) {
		t.Errorf("sns: %v %v", form, err)
	}
}

// TestStatus: Security Hub is told the status of a key that was read, and no other. A key
// that is gone is neither active nor critical.
func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		result, status string
		off            bool
		severity, told string
	}{
		{"contained", "Inactive", true, "MEDIUM", "Inactive"},
		{"contained", "absent", true, "MEDIUM", ""},
		{"contained", "", true, "MEDIUM", ""}, // a session
		{"deactivated_not_contained", "absent", true, "MEDIUM", ""},
		{"unconfirmed", "Active", false, "CRITICAL", "Active"},
		{"unconfirmed", "Inactive", false, "CRITICAL", "Inactive"}, // STS still knows it, or its sessions work
		{"unconfirmed", "", false, "CRITICAL", ""},                 // it could not be read
		{"undone", "Active", false, "CRITICAL", "Active"},
	} {
		n, aws := newNotifier(t)
		notice := notices(1)[0]
		notice.Result, notice.Status, notice.Off = tt.result, tt.status, tt.off
		if err := n.Send(t.Context(), []notify.Target{target(t, "securityhub")}, []notify.Notice{notice}); err != nil {
			t.Fatal(err)
		}
		body := published(aws, "securityhub")[0]
		if !strings.Contains(body, `"Severity":{"Label":"`+tt.severity+`"}`) || strings.Contains(body, `"Status":"`) != (tt.told != "") ||
			!strings.Contains(body, `"Status":"`+tt.told) && tt.told != "" {
			t.Errorf("%s, %q: %s", tt.result, tt.status, body)
		}
	}
}

// TestRefused: what AWS refuses is said, also where the call says 200, and keeps
// no other target from being told.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		target string
		spoil  func(*verifiertest.AWS)
		want   string
	}{
		{"securityhub", func(a *verifiertest.AWS) { a.Deny("securityhub:POST /findings/import") }, "securityhub:BatchImportFindings: AccessDeniedException"},
		{"securityhub", func(a *verifiertest.AWS) {
			a.Next("securityhub:POST /findings/import", verifiertest.JSONFailure(403, "InvalidAccessException", "Account is not subscribed to AWS Security Hub"))
		}, "not subscribed"},
		{"eventbridge", func(a *verifiertest.AWS) { a.Deny("events:PutEvents") }, "events:PutEvents: AccessDeniedException"},
		{"eventbridge:no-such-bus", func(*verifiertest.AWS) {}, "1 of 1 events were refused: ResourceNotFoundException"},
		{"sns:arn:aws:sns:eu-west-1:111122223333:alerts", func(a *verifiertest.AWS) { a.Deny("sns:Publish") }, "sns:Publish: AuthorizationError"},
		{"sns:arn:aws-cn:sns:cn-north-1:111122223333:alerts", func(*verifiertest.AWS) {}, "sns:Publish: "},
	} {
		n, aws := newNotifier(t)
		tt.spoil(aws)
		other := target(t, "eventbridge:other")
		if strings.HasPrefix(tt.target, "eventbridge") {
			other = target(t, "securityhub")
		}
		err := n.Send(t.Context(), []notify.Target{target(t, tt.target), other}, notices(1))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "telling "+tt.target) {
			t.Errorf("%s: %v, want %s", tt.target, err, tt.want)
		}
		if len(published(aws, "events"))+len(published(aws, "securityhub")) == 0 {
			t.Errorf("%s: the other one was not told", tt.target)
		}
	}
	// A finding of which AWS does not like a field: 200, and a count.
	n, _ := newNotifier(t)
	bad := notices(1)
	bad[0].Text = ""
	if err := n.Send(t.Context(), []notify.Target{target(t, "securityhub")}, bad); err == nil || !strings.Contains(err.Error(), "1 of 1 findings were refused: InvalidInput missing Description") {
		t.Errorf("%v", err)
	}
	// And nobody to tell AWS with.
	n.Operator = nil
	if err := n.Send(t.Context(), []notify.Target{target(t, "securityhub")}, notices(1)); err == nil || !strings.Contains(err.Error(), "no identity") {
		t.Errorf("%v", err)
	}
}

// TestWebhook: JSON with a text; tried again where that may help; its URL in no error.
func TestWebhook(t *testing.T) {
	for _, tt := range []struct {
		name     string
		statuses []int
		requests int
		want     string
	}{
		{"taken", []int{200}, 1, ""},
		{"no content", []int{204}, 1, ""},
		{"busy, then taken", []int{503, 429, 200}, 3, ""},
		{"busy", []int{503, 503, 503, 503}, 3, "HTTP 503"},
		{"gone", []int{404}, 1, "HTTP 404"},
		{"moved", []int{302}, 1, "HTTP 302"},
		{"hung up", []int{0, 200}, 2, ""},
		{"hung up each time", []int{0, 0, 0, 0}, 3, "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var bodies []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				defer mu.Unlock()
				bodies = append(bodies, string(body))
				status := tt.statuses[len(bodies)-1]
				if status == 0 {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			defer server.Close()
			n := notify.Notifier{Version: "test", Wait: time.Millisecond}
			list := notices(1)
			list[0].Text = "leaked in <!channel>&"
			err := n.Send(t.Context(), []notify.Target{target(t, "webhook:"+server.URL+"/opensesame")}, list)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "opensesame") {
				t.Errorf("the URL is told: %v", err)
			}
			mu.Lock() // a request that hangs up ends before its handler does
			defer mu.Unlock()
			if len(bodies) != tt.requests {
				t.Errorf("%d requests, want %d", len(bodies), tt.requests)
			}
			var got struct {
				Text, Result string
				KeyID        string `json:"key_id"`
			}
			if err := json.Unmarshal([]byte(bodies[0]), &got); err != nil || got.Text != "leaked in &lt;!channel&gt;&amp;" || got.Result != "contained" || !strings.HasPrefix(got.KeyID, "AKIA") {
				t.Errorf("%v %+v", err, got)
			}
		})
	}
	n := notify.Notifier{Wait: time.Millisecond}
	err := n.Send(t.Context(), []notify.Target{target(t, "webhook:http://127.0.0.1:1/opensesame")}, notices(1))
	if err == nil || strings.Contains(err.Error(), "opensesame") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody there: %v", err)
	}
}
