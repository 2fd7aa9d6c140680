package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/notify"
)

// alertOf returns an alert of n live keys whose names are markup.
func alertOf(n int) *finding.Alert {
	a := &finding.Alert{Delivery: "D1", Kind: finding.AlertNews, Time: time.Now(), Page: "https://stanch.example.com"}
	for i := range n {
		f := finding.AlertFinding{Event: finding.EventLive, State: verifier.Live, At: time.Now(), Repository: "acme/<!channel>", URL: "https://github.com/acme/app/blob/1/a%20b", Command: "stanch respond plan"}
		f.Fingerprint, f.KeyID, f.Account, f.Kind, f.Name, f.Where = fmt.Sprint("f", i), detectorstest.KeyID("AKIA", prod, uint64(i)), prod, "user", "<https://evil.example|deploy>", "`.env`:1"
		a.Findings = append(a.Findings, f)
	}
	a.Complete()
	return a
}

// TestSlack holds Slack's limits (50 blocks, 3,000 characters of a section, 150 of a headline),
// and that no name is markup.
func TestSlack(t *testing.T) {
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}))
	defer srv.Close()
	n := &notify.Notifier{Version: "test"}
	for _, count := range []int{1, 20, 500} {
		if err := n.SendAlert(t.Context(), target(t, "slack:"+srv.URL), alertOf(count)); err != nil {
			t.Fatal(err)
		}
		var m struct {
			Text   string
			Blocks []struct {
				Type string
				Text struct{ Type, Text string }
			}
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Blocks) > 50 || len(m.Blocks) < 3 || m.Blocks[0].Type != "header" || len(m.Text) > 10_000 {
			t.Errorf("%d findings: %d blocks, a text of %d", count, len(m.Blocks), len(m.Text))
		}
		for _, b := range m.Blocks {
			if len([]rune(b.Text.Text)) > 3000 || b.Type == "header" && len(b.Text.Text) > 150 {
				t.Errorf("%d findings: %s of %d", count, b.Type, len(b.Text.Text))
			}
		}
		for _, markup := range []string{"<!channel>", "<https://evil"} {
			if strings.Contains(m.Text+m.Blocks[1].Text.Text, markup) {
				t.Errorf("markup of a stranger: %s", m.Blocks[1].Text.Text)
			}
		}
		if count > 20 && !strings.Contains(body, "… and 480 more") {
			t.Error("the others are not counted")
		}
	}
}

// TestBadReceivers holds what an alert's queue learns from each way to fail, and that no error
// has the URL.
func TestBadReceivers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	answer := func(status int, header, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
		}
	}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
		after   time.Duration
		refused bool
	}{
		{"busy", answer(429, "Retry-After", "120"), "HTTP 429", 2 * time.Minute, false},
		{"busy, with a date", answer(503, "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)), "HTTP 503", time.Hour, false},
		{"busy for ever", answer(429, "Retry-After", "99999999999999999999"), "HTTP 429", 0, false},
		{"fails", answer(500, "X", ""), "HTTP 500", 0, false},
		{"refuses", answer(400, "X", ""), "HTTP 400", 0, true},
		{"is gone", answer(404, "X", ""), "HTTP 404", 0, false},
		{"redirects", answer(302, "Location", elsewhere.URL), "it redirects", 0, false},
		{"hangs", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // else nobody would see that the client has left
			<-r.Context().Done()
		}, "deadline", 0, false},
		{"redirects to nowhere", answer(302, "Location", "https://h/%zz/opensesame"), "answer", 0, false},
		{"is no HTTP", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 POST-/opensesame-unknown\r\n\r\n")
			_ = conn.Close()
		}, "answer", 0, false},
		{"closes", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(tt.handler)
			defer srv.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := (&notify.Notifier{}).SendAlert(ctx, target(t, "webhook:"+srv.URL+"/opensesame"), alertOf(1))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "opensesame") {
				t.Fatalf("%v", err)
			}
			var send *notify.SendError
			if errors.As(err, &send) && (send.RetryAfter().Round(time.Minute) != tt.after || send.Refused() != tt.refused) || tt.after > 0 && send == nil {
				t.Errorf("%v: after %s, refused %v", err, send.RetryAfter(), send.Refused())
			}
		})
	}
	tls := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was told") }))
	defer tls.Close()
	if err := (&notify.Notifier{}).SendAlert(t.Context(), target(t, "webhook:"+tls.URL+"/opensesame"), alertOf(1)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	big := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 160 { // 10 MiB
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	defer big.Close()
	if err := (&notify.Notifier{}).SendAlert(t.Context(), target(t, "webhook:"+big.URL), alertOf(1)); err != nil {
		t.Errorf("an answer of 10 MiB: %v", err)
	}
}

// TestAlertAWS holds the form of alerts at AWS: one finding of Security Hub for each leak, whose
// severity follows the state, events of up to ten a call, and a message that SNS has room for.
func TestAlertAWS(t *testing.T) {
	n, aws := newNotifier(t)
	a := alertOf(500)
	off := a.Findings[3]
	off.Event, off.State = finding.EventOff, verifier.Invalid
	a.Findings = append(a.Findings, off)
	a.Complete()
	for _, to := range []string{"securityhub", "eventbridge", "sns:arn:aws:sns:eu-west-1:111122223333:alerts.fifo"} {
		if err := n.SendAlert(t.Context(), target(t, to), a); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	var severities []string
	for _, body := range published(aws, "securityhub") {
		var in struct {
			Findings []struct {
				ID       string `json:"Id"`
				Severity struct{ Label string }
			}
		}
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatal(err)
		}
		for _, f := range in.Findings {
			severities = append(severities, f.ID+" "+f.Severity.Label)
		}
	}
	all := strings.Join(severities, ",")
	if len(severities) != 500 || !strings.Contains(all, "stanch/f3 MEDIUM") || !strings.Contains(all, "stanch/f4 CRITICAL") {
		t.Errorf("%d: %.200s", len(severities), all)
	}
	if got := len(published(aws, "events")); got != 51 {
		t.Errorf("%d calls of EventBridge", got)
	}
	form, err := url.ParseQuery(published(aws, "sns")[0])
	if err != nil || len(form.Get("Message")) > 256<<10 || form.Get("MessageDeduplicationId") != "D1" || !strings.Contains(form.Get("Message"), `"omitted":`) || len(form.Get("Subject")) > 99 {
		t.Errorf("sns: %d bytes, %v, %v", len(form.Get("Message")), form.Get("Subject"), err)
	}
	if err := n.SendAlert(t.Context(), target(t, "securityhub"), &finding.Alert{Kind: finding.AlertTest}); err == nil {
		t.Error("a test stays in Security Hub")
	}
}
