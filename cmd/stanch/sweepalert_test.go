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
}

func newAlertHook(t *testing.T) *alertHook {
	t.Helper()
	h := &alertHook{taken: map[string][]finding.Alert{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		answer := h.answer
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
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL + "/services/opensesame"
	return h
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
			sweepOnce := func(want int) string {
				t.Helper()
				code, out, errs := o.stanch(t, "run", "--retry-after", "10ms", "--sts-endpoint", sts.URL, "--notify", "webhook:env:HOOK", "--page-url", "https://stanch.example.com")
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
