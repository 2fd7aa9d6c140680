package github

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const token = "ghs_token-of-a-test"

// A server answers with what is due, in order, and holds that the token came.
type server struct {
	t       *testing.T
	answers []answer
	asked   []string
	bodies  []string
}

type answer struct {
	status int
	body   string
	header string // "name: value"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked, s.bodies = append(s.asked, r.Method+" "+r.URL.RequestURI()), append(s.bodies, string(body))
	if r.Header.Get("Authorization") != "Bearer "+token {
		s.t.Errorf("%s: Authorization is %q", r.URL, r.Header.Get("Authorization"))
	}
	if len(s.answers) == 0 {
		s.t.Errorf("%s was not expected", r.URL)
		return
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	if name, value, ok := strings.Cut(a.header, ": "); ok {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// client returns a Client of a server with these answers; it waits without waiting,
// and waited has how long.
func client(t *testing.T, answers ...answer) (c *Client, s *server, waited *time.Duration) {
	t.Helper()
	s = &server{t: t, answers: answers}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	c, err := New(srv.URL, "ada/app", token, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	waited = new(time.Duration)
	c.Wait = func(ctx context.Context, d time.Duration) error {
		*waited += d
		return ctx.Err()
	}
	return c, s, waited
}

var (
	accepted = answer{202, `{"id":"u1"}`, ""}
	complete = answer{200, `{"processing_status":"complete"}`, ""}
	pending  = answer{200, `{"processing_status":"pending"}`, ""}
)

func TestUpload(t *testing.T) {
	limited := answer{403, `{"message":"API rate limit exceeded"}`, "X-RateLimit-Remaining: 0"}
	for _, tt := range []struct {
		name    string
		answers []answer
		want    string // of the error
		is      error
		waited  time.Duration
	}{
		{"accepted", []answer{accepted, complete}, "", nil, 0},
		{"pending", []answer{accepted, pending, pending, complete}, "", nil, 3 * time.Second},
		{"pending_for_long", []answer{accepted, pending, pending, pending, pending, pending, pending, pending}, "not yet processed", ErrPending, 127 * time.Second},
		{"refused_later", []answer{accepted, {200, `{"processing_status":"failed","errors":["no tool","no run"]}`, ""}}, "GitHub refuses it: no tool; no run", nil, 0},
		{"no_permission", []answer{{403, `{"message":"Resource not accessible by integration"}`, ""}}, "not accessible by integration", ErrDenied, 0},
		{"no_licence", []answer{{403, `{"message":"Code Security must be enabled for this repository"}`, ""}}, "must be enabled", ErrDenied, 0},
		{"no_such_repository", []answer{{404, `{}`, ""}}, "404", ErrDenied, 0},
		{"wrong_request", []answer{{422, `{"message":"ref is wrong"}`, ""}}, "ref is wrong", nil, 0},
		{"busy_once", []answer{{500, "", ""}, accepted, complete}, "", nil, time.Second},
		{"busy_always", []answer{{502, "<html>", ""}, {503, "", ""}, {500, "", ""}}, "tried 3 times", nil, 5 * time.Second},
		{"asked_to_wait", []answer{{429, `{"message":"slow down"}`, "Retry-After: 7"}, accepted, complete}, "", nil, 7 * time.Second},
		{"asked_to_wait_too_long", []answer{{429, `{"message":"slow down"}`, "Retry-After: 3600"}}, "slow down", nil, 0},
		{"rate_limit", []answer{limited, accepted, complete}, "", nil, time.Second},
		{"no_json", []answer{{202, `<html>`, ""}}, "invalid character", nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s, waited := client(t, tt.answers...)
			err := c.Upload(t.Context(), Analysis{SARIF: []byte(`{"version":"2.1.0"}`), Commit: strings.Repeat("a", 40), Ref: "refs/heads/main", Started: time.Now()})
			if fmt.Sprint(err) != "<nil>" && tt.want == "" || !strings.Contains(fmt.Sprint(err), tt.want) || tt.is != nil && !errors.Is(err, tt.is) || tt.is == nil && errors.Is(err, ErrDenied) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if *waited != tt.waited || len(s.answers) > 0 {
				t.Errorf("waited %v, want %v; %d answers were not asked for", *waited, tt.waited, len(s.answers))
			}
			checkUpload(t, s.bodies[0])
		})
	}
}

func checkUpload(t *testing.T, body string) {
	t.Helper()
	var sent map[string]string
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(sent["sarif"])
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); string(text) != `{"version":"2.1.0"}` || err != nil {
		t.Errorf("sent %q, %v", text, err)
	}
	if sent["commit_sha"] != strings.Repeat("a", 40) || sent["ref"] != "refs/heads/main" || sent["tool_name"] != "stanch" {
		t.Errorf("sent %v", sent)
	}
}

func TestComment(t *testing.T) {
	list := answer{200, `[{"id":3,"body":"hello","user":{"type":"User"}},{"id":4,"body":"<!-- stanch -->\nmine","user":{"type":"User"}}]`, ""}
	paged := list
	paged.header = `Link: <http://x/?page=2>; rel="next"`
	ours := answer{200, `[{"id":5,"body":"<!-- stanch -->\nold","user":{"type":"Bot"}}]`, ""}
	for _, tt := range []struct {
		name    string
		create  bool
		answers []answer
		want    string // the last request
		is      error
	}{
		{"first", true, []answer{list, {201, `{}`, ""}}, "POST /repos/ada/app/issues/7/comments", nil},
		{"first_of_nothing", false, []answer{list}, "GET /repos/ada/app/issues/7/comments?page=1&per_page=100", nil},
		{"again", true, []answer{paged, ours, {200, `{}`, ""}}, "PATCH /repos/ada/app/issues/comments/5", nil},
		{"nothing_any_more", false, []answer{ours, {200, `{}`, ""}}, "PATCH /repos/ada/app/issues/comments/5", nil},
		{"no_permission", true, []answer{list, {403, `{}`, ""}}, "POST /repos/ada/app/issues/7/comments", ErrDenied},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s, _ := client(t, tt.answers...)
			err := c.Comment(t.Context(), 7, "text", tt.create)
			if !errors.Is(err, tt.is) || s.asked[len(s.asked)-1] != tt.want || len(s.answers) > 0 {
				t.Errorf("%v after %v", err, s.asked)
			}
		})
	}
	c, _, _ := client(t)
	if err := c.Comment(t.Context(), 7, strings.Repeat("x", maxComment), true); err == nil {
		t.Error("a comment that GitHub would refuse was sent")
	}
}

// TestTokenStaysHome: a redirect to another host gets neither a request nor the token.
func TestTokenStaysHome(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %q", r.Host, r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	moved := answer{307, "", "Location: " + other.URL}
	c, _, _ := client(t, moved, moved, moved)
	if err := c.Comment(t.Context(), 7, "text", true); err == nil || !strings.Contains(err.Error(), "refusing the redirect") || strings.Contains(err.Error(), token) {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct{ base, repository string }{
		{"http://ghe.example.com/api/v3", "ada/app"}, {"https://user:pass@ghe.example.com", "ada/app"}, {"%", "ada/app"}, {"", "ada/app"},
		{"https://api.github.com", "ada"}, {"https://api.github.com", "ada/app/x"}, {"https://api.github.com", "/app"},
	} {
		if _, err := New(tt.base, tt.repository, token, "1"); err == nil || strings.Contains(err.Error(), ":pass") {
			t.Errorf("New(%q, %q): %v", tt.base, tt.repository, err)
		}
	}
	if _, err := New("https://ghe.example.com/api/v3", "ada/app", token, "1"); err != nil {
		t.Error(err)
	}
}
