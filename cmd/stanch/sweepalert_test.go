//go:build sweep

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier/notify"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// An alertHook is a webhook that keeps what it takes.
type alertHook struct {
	url string

	mu     sync.Mutex
	bodies []string
	taken  map[string][]finding.Alert // by delivery: more than one if it was sent again
	order  []string                   // the deliveries, by their first arrival
	// answer may answer in place of the hook, if it returns true. The hook has taken nothing then.
	answer func(w http.ResponseWriter, r *http.Request) bool
	// forget says that the hook cuts the connection after it has taken an alert.
	forget func() bool
}

func newAlertHook(t *testing.T) *alertHook {
	t.Helper()
	h := &alertHook{taken: map[string][]finding.Alert{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		answer, forget := h.answer, h.forget
		h.mu.Unlock()
		if err != nil || answer != nil && answer(w, r) {
			return
		}
		var a finding.Alert
		if err := json.Unmarshal(body, &a); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		if id := r.Header.Get("Stanch-Delivery"); id != a.Delivery || id == "" {
			t.Errorf("the delivery is %q in the header, %q in the body", id, a.Delivery)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.taken[a.Delivery] == nil {
			h.order = append(h.order, a.Delivery)
		}
		h.taken[a.Delivery] = append(h.taken[a.Delivery], a)
		h.bodies = append(h.bodies, string(body))
		if forget != nil && forget() {
			cut(w)
		}
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL + "/services/opensesame"
	return h
}

// cut cuts the connection of a request.
func cut(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

// set sets the faults of the hook.
func (h *alertHook) set(answer func(http.ResponseWriter, *http.Request) bool, forget func() bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer, h.forget = answer, forget
}

// told returns all news in the order of the deliveries, each delivery once: "kind: event key".
func (h *alertHook) told() (news []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range h.order {
		a := h.taken[id][0]
		for _, f := range a.Findings {
			news = append(news, fmt.Sprintf("%s: %s %s", a.Kind, f.Event, f.KeyID))
		}
	}
	return news
}

// TestSweepAlerts holds what is told of a key through its life: live, off, live again; and that
// the rest comes in a digest.
func TestSweepAlerts(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgresql"} {
		t.Run(kind, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "sweep.db")
			if kind == "postgresql" {
				database = sweeptest.StartPostgres(t).URL
			}
			alice, bob := verifiertest.User(detectorstest.Account, "alice", 1), verifiertest.User(detectorstest.Account, "bob", 2)
			sts := verifiertest.NewSTS(t, alice, bob)
			carol := verifiertest.User(detectorstest.Account, "carol", 3) // STS does not know her key
			o, h := newSweptOrg(t, database), newAlertHook(t)
			t.Setenv("HOOK", h.url)
			o.repo(t, "a", "", `leak 1 f; commit 1`)
			o.repo(t, "b", "", `leak 3 h; commit 1`)
			o.add(t)
			sweepOnce := func(want int, flags ...string) string {
				t.Helper()
				code, out, errs := o.stanch(t, append([]string{"run", "--retry-after", "10ms", "--sts-endpoint", sts.URL, "--notify", "webhook:env:HOOK", "--page-url", "https://stanch.example.com"}, flags...)...)
				if code != want {
					t.Fatalf("exit code %d, want %d: %s", code, want, errs)
				}
				return out + errs
			}
			var want []string
			is := func(step string, news ...string) {
				t.Helper()
				want = append(want, news...)
				if got := h.told(); !slices.Equal(got, want) {
					t.Errorf("%s: told %q, want %q", step, got, want)
				}
			}
			a, b, c := alice.Credential.ID, bob.Credential.ID, carol.Credential.ID
			printed := sweepOnce(cli.ExitLeaks)
			is("a live key and a dead one", "news: live "+a, "digest: new "+c)
			printed += sweepOnce(cli.ExitLeaks)
			is("nothing is new")
			alice.State = verifiertest.Inactive
			sts.Set(alice)
			printed += sweepOnce(cli.ExitLeaks)
			is("it is off", "news: off "+a)
			o.push(t, "b", `leak 2 g; commit 2`)
			printed += sweepOnce(cli.ExitLeaks)
			is("a push", "news: live "+b)
			if code, _, errs := o.stanch(t, "ack", o.fingerprint(t, b), "--by", "ada"); code != 0 {
				t.Fatal(errs)
			}
			const before = "is told of what happens from now on, not of"
			if strings.Contains(printed, before) {
				t.Errorf("a receiver that was there from the first sweep on is late: %s", printed)
			}
			late := newAlertHook(t)
			t.Setenv("LATE", late.url)
			for i, want := range []string{"stanch: webhook:env:LATE " + before + " 1 live key known before: see stanch sweep report", ""} {
				out := sweepOnce(cli.ExitLeaks, "--notify", "webhook:env:LATE")
				if printed += out; !strings.Contains(out, want) || strings.Contains(out, before) != (i == 0) {
					t.Errorf("run %d with a new receiver: %s", i+1, out)
				}
			}
			if got := late.told(); len(got) > 0 {
				t.Errorf("a new receiver is told of %q", got)
			}
			bob.State = verifiertest.Inactive
			sts.Set(bob)
			printed += sweepOnce(cli.ExitLeaks)
			is("an acknowledged one is off", "news: off "+b)

			_, status, _ := o.stanch(t, "status")
			if !strings.Contains(status, "webhook:env:HOOK") || !strings.Contains(status, "5 alerts delivered") {
				t.Errorf("status: %s", status)
			}
			first := h.taken[h.order[0]][0]
			f := first.Findings[0]
			if f.Repository != "acme/a" || f.Where != "f:1" || f.Account != detectorstest.Account || f.Name != "alice" || f.Places != 1 || f.Repositories != 1 ||
				!strings.HasPrefix(f.Command, "stanch respond plan "+a) || time.Since(f.FirstSeen) > time.Hour {
				t.Errorf("%+v", f)
			}
			if !strings.Contains(first.Text, "1 leaked key is LIVE") || !strings.Contains(first.Text, "https://stanch.example.com") {
				t.Error(first.Text)
			}
			all := printed + status + strings.Join(h.bodies, "")
			for _, k := range []verifiertest.Key{alice, bob, carol} {
				for _, spelling := range spellings(k.Credential.Secret.Reveal()) {
					if strings.Contains(all, spelling) {
						t.Errorf("a secret of %s got out", k.ARN)
					}
				}
			}
			if strings.Contains(printed+status, "opensesame") {
				t.Error("the URL of the webhook got out")
			}
		})
	}
}

// fingerprint returns the fingerprint of the finding of a key.
func (o *sweptOrg) fingerprint(t *testing.T, keyID string) string {
	t.Helper()
	_, out, _ := o.stanch(t, "report", "-f", "json")
	for line := range strings.Lines(out) {
		var f finding.Finding
		if strings.HasPrefix(line, `{"type":"finding"`) && json.Unmarshal([]byte(line), &f) == nil && f.Match.Credential.ID == keyID {
			return f.Fingerprint()
		}
	}
	t.Fatalf("%s is not known", keyID)
	return ""
}

// TestGitHubAlerts holds that a scan without memory tells of live keys and of the others, and
// says so if nobody was told.
func TestGitHubAlerts(t *testing.T) {
	alice := verifiertest.User(detectorstest.Account, "alice", 1)
	sts := verifiertest.NewSTS(t, alice)
	sts.Script() // all others are not known
	o, h := newSweptOrg(t, ""), newAlertHook(t)
	t.Setenv("HOOK", h.url)
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.repo(t, "b", "", `leak 1 g; leak 3 h; commit 1`)
	scan := func(flags ...string) (int, string) {
		var out, errs strings.Builder
		args := append([]string{"github", "acme", "--api-url", o.url, "--sts-endpoint", sts.URL, "--notify", "webhook:env:HOOK"}, flags...)
		code := cli.ExitCode(&errs, run(t.Context(), args, nil, &out, &errs))
		return code, out.String() + errs.String()
	}
	code, printed := scan()
	if got, want := h.told(), []string{"news: live " + alice.Credential.ID}; code != cli.ExitLeaks || !slices.Equal(got, want) {
		t.Errorf("%d: told %q, want %q: %s", code, got, want, printed)
	}
	if f := h.taken[h.order[0]][0].Findings[0]; !strings.HasPrefix(f.Repository, "acme/") || f.Repositories != 2 || f.URL == "" {
		t.Errorf("%+v", f)
	}
	if code, printed := scan("--show-secrets"); code != cli.ExitUsage || !strings.Contains(printed, "--show-secrets") {
		t.Errorf("with secrets: %d: %s", code, printed)
	}
	h.set(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusNotFound); return true }, nil)
	if code, printed := scan(); code != cli.ExitIncomplete || !strings.Contains(printed, "telling webhook:env:HOOK: HTTP 404") || strings.Contains(printed, "opensesame") {
		t.Errorf("nobody was told: %d: %s", code, printed)
	}
}

// TestNotifyTest holds that a receiver can be tried, and forgotten.
func TestNotifyTest(t *testing.T) {
	o, h := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db")), newAlertHook(t)
	t.Setenv("HOOK", h.url)
	if code, out, errs := o.stanch(t, "notify", "test", "webhook:env:HOOK"); code != 0 || !strings.Contains(errs, "webhook:env:HOOK: the test was taken") || len(h.order) != 1 {
		t.Fatalf("%d: %s%s", code, out, errs)
	}
	if a := h.taken[h.order[0]][0]; a.Kind != finding.AlertTest || a.Text != "stanch: this is a test: alerts arrive here" {
		t.Errorf("%+v", a)
	}
	for receiver, want := range map[string]string{
		"slack:env:NO_SUCH": "stanch: --notify: slack: the variable NO_SUCH is not set\n",
		"pigeon":            "stanch: --notify: want one of " + notify.Targets + ", github-issue:REPO; env:VARIABLE in place of a URL\n",
	} {
		if code, _, errs := o.stanch(t, "notify", "test", receiver); code != cli.ExitUsage || errs != want {
			t.Errorf("%s: %d: %s", receiver, code, errs)
		}
	}
	if code, _, errs := o.stanch(t, "notify", "forget", "webhook:env:HOOK"); code != cli.ExitIncomplete || !strings.Contains(errs, "no such receiver") {
		t.Errorf("%d: %s", code, errs)
	}
	o.repo(t, "a", "", `echo x >f; commit 1`)
	o.add(t)
	if code, _, errs := o.stanch(t, "run", "--no-verify", "--notify", "webhook:env:HOOK"); code != 0 {
		t.Fatalf("%d: %s", code, errs)
	}
	if code, _, errs := o.stanch(t, "notify", "forget", "webhook:env:HOOK"); code != 0 {
		t.Errorf("%d: %s", code, errs)
	}
}
