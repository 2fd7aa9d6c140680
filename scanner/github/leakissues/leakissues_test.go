package leakissues

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

type issue struct {
	Number   int                 `json:"number"`
	Title    string              `json:"title"`
	Body     string              `json:"body"`
	State    string              `json:"state"`
	Labels   []map[string]string `json:"labels"`
	comments []string
}

// A tracker is the part of GitHub's API that has issues, in the forms of docs.github.com.
type tracker struct {
	mu     sync.Mutex
	public bool
	issues []*issue
	calls  []string
	fail   func(call string) int // status of the answer, 0 for the own one
}

func (tr *tracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/repos/acme/leaks")
	call := r.Method + " " + path
	tr.calls = append(tr.calls, call)
	w.Header().Set("Content-Type", "application/json")
	put := func(status int, v any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	status := 0
	if tr.fail != nil {
		status = tr.fail(call)
	}
	switch {
	case !ok || r.Header.Get("Authorization") != "Bearer for-issues":
		put(http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
		return
	case status != 0:
		w.Header().Set("Retry-After", "120")
		put(status, map[string]string{"message": "You have exceeded a secondary rate limit"})
		return
	}
	var in struct {
		Title, Body, State string
		Labels             []string
	}
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			put(http.StatusBadRequest, map[string]string{"message": err.Error()})
			return
		}
	}
	var n int
	switch {
	case path == "":
		put(http.StatusOK, map[string]any{"full_name": "acme/leaks", "private": !tr.public})
	case call == "GET /issues":
		if r.FormValue("labels") != Label || r.FormValue("state") != "all" {
			put(http.StatusUnprocessableEntity, map[string]string{"message": "?"})
			return
		}
		put(http.StatusOK, append([]*issue{}, tr.issues...))
	case call == "POST /issues":
		i := &issue{Number: len(tr.issues) + 1, Title: in.Title, Body: in.Body, State: "open"}
		for _, l := range in.Labels {
			i.Labels = append(i.Labels, map[string]string{"name": l})
		}
		tr.issues = append([]*issue{i}, tr.issues...)
		put(http.StatusCreated, i)
	case scan(path, "/issues/%d/comments", &n):
		i := tr.issues[len(tr.issues)-n]
		if r.Method == http.MethodPost {
			i.comments = append(i.comments, in.Body)
			put(http.StatusCreated, map[string]any{"id": 1})
			return
		}
		list := []map[string]any{}
		for _, c := range i.comments {
			list = append(list, map[string]any{"body": c})
		}
		put(http.StatusOK, list)
	case scan(path, "/issues/%d", &n):
		i := tr.issues[len(tr.issues)-n]
		i.State = in.State
		put(http.StatusOK, i)
	default:
		put(http.StatusNotFound, map[string]string{"message": "Not Found"})
	}
}

func scan(path, format string, n *int) bool {
	k, err := fmt.Sscanf(path, format, n)
	return err == nil && k == 1 && path == fmt.Sprintf(format, *n)
}

// state says in one line what there is: "#1 open Leaked key … (2 comments)".
func (tr *tracker) state() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var lines []string
	for k := range tr.issues {
		i := tr.issues[len(tr.issues)-1-k]
		lines = append(lines, fmt.Sprintf("#%d %s %s, %d comments", i.Number, i.State, i.Title, len(i.comments)))
	}
	return strings.Join(lines, "; ")
}

func news(delivery string, findings ...finding.AlertFinding) *finding.Alert {
	a := &finding.Alert{Delivery: delivery, Kind: finding.AlertNews, Time: time.Now(), Findings: findings}
	a.Complete()
	return a
}

func leak(event, fingerprint string) finding.AlertFinding {
	f := finding.AlertFinding{Event: event, State: verifier.Live, Repository: "acme/app", Title: "key"}
	f.Fingerprint, f.KeyID, f.Where = fingerprint, "AKIA-"+fingerprint, "@everybody ```\n# <img src=x>.env:1"
	return f
}

func TestSend(t *testing.T) {
	tr := &tracker{}
	srv := httptest.NewServer(tr)
	defer srv.Close()
	r := &Repository{Name: "acme/leaks", API: srv.URL, Version: "test", Token: func(context.Context) (detectors.Secret, error) {
		return detectors.NewSecret("for-issues"), nil
	}}
	for _, step := range []struct {
		name  string
		alert *finding.Alert
		want  string
	}{
		{"a live key", news("d1", leak(finding.EventLive, "a")), "#1 open Leaked key AKIA-a in acme/app, 0 comments"},
		{"the same again", news("d1", leak(finding.EventLive, "a")), "#1 open Leaked key AKIA-a in acme/app, 0 comments"},
		{"off", news("d2", leak(finding.EventOff, "a")), "#1 closed Leaked key AKIA-a in acme/app, 1 comments"},
		{"off again", news("d2", leak(finding.EventOff, "a")), "#1 closed Leaked key AKIA-a in acme/app, 1 comments"},
		{"live again", news("d3", leak(finding.EventLiveAgain, "a"), leak(finding.EventOff, "b")), "#1 open Leaked key AKIA-a in acme/app, 2 comments"},
		{"digest", &finding.Alert{Delivery: "d4", Kind: finding.AlertDigest, Title: "digest", Text: "x"}, "#1 open Leaked key AKIA-a in acme/app, 2 comments; #2 open digest, 0 comments"},
		{"test", &finding.Alert{Delivery: "d5", Kind: finding.AlertTest, Title: "test", Text: "x"}, "#1 open Leaked key AKIA-a in acme/app, 2 comments; #2 open digest, 0 comments; #3 closed test, 0 comments"},
	} {
		if err := r.Send(t.Context(), step.alert); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := tr.state(); got != step.want {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
	body := tr.issues[len(tr.issues)-1].Body
	if strings.Count(body, "```") != 2 || !strings.HasPrefix(body, "<!-- stanch finding=a -->\n") {
		t.Errorf("a name of a stranger is Markdown: %s", body)
	}
	if len(tr.issues[0].Labels) != 1 {
		t.Error("no label")
	}
}

// TestCut holds that an alert that was cut off is completed, and not repeated.
func TestCut(t *testing.T) {
	tr := &tracker{}
	srv := httptest.NewServer(tr)
	defer srv.Close()
	r := &Repository{Name: "acme/leaks", API: srv.URL, Version: "test", Token: func(context.Context) (detectors.Secret, error) {
		return detectors.NewSecret("for-issues"), nil
	}}
	var findings []finding.AlertFinding
	for n := range maxIssues + 5 {
		findings = append(findings, leak(finding.EventLive, fmt.Sprint("f", n)))
	}
	posts := 0
	tr.fail = func(call string) int {
		if call == "POST /issues" {
			if posts++; posts > 7 {
				return http.StatusForbidden
			}
		}
		return 0
	}
	err := r.Send(t.Context(), news("d1", findings...))
	var limited *LimitError
	if !errors.As(err, &limited) || limited.RetryAfter() < time.Minute || len(tr.issues) != 7 {
		t.Fatalf("%v, %d issues", err, len(tr.issues))
	}
	tr.fail = nil
	if err := r.Send(t.Context(), news("d1", findings...)); err != nil {
		t.Fatal(err)
	}
	if len(tr.issues) != maxIssues+5 { // 7 there are, and room for all others
		t.Errorf("%d issues", len(tr.issues))
	}
	if err := r.Send(t.Context(), news("d1", findings...)); err != nil || len(tr.issues) != maxIssues+5 {
		t.Errorf("again: %d issues, %v", len(tr.issues), err)
	}
}

func TestRefusals(t *testing.T) {
	tr := &tracker{public: true}
	srv := httptest.NewServer(tr)
	defer srv.Close()
	r := &Repository{Name: "acme/leaks", API: srv.URL, Version: "test", Token: func(context.Context) (detectors.Secret, error) {
		return detectors.NewSecret("for-issues"), nil
	}}
	if err := r.Send(t.Context(), news("d1", leak(finding.EventLive, "a"))); err == nil || !strings.Contains(err.Error(), "use a private repository") || len(tr.issues) > 0 {
		t.Errorf("public: %v, %d issues", err, len(tr.issues))
	}
	r.Token = func(context.Context) (detectors.Secret, error) { return detectors.NewSecret("opensesame"), nil }
	if err := r.Send(t.Context(), news("d1", leak(finding.EventLive, "a"))); err == nil || strings.Contains(err.Error(), "opensesame") || !strings.Contains(err.Error(), "right to read and write issues") {
		t.Errorf("token: %v", err)
	}
}
