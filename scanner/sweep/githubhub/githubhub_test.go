package githubhub

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestLater: a limit of GitHub is waited for, by the clock of the store, a refusal is final, and
// all else is tried again.
func TestLater(t *testing.T) {
	until, now := time.Now().Add(time.Hour), time.Now().Add(-2*time.Hour)
	for _, err := range []error{&github.RateLimited{Until: until}, fmt.Errorf("listing: %w", &github.RateLimited{Until: until})} {
		var later *sweep.Later
		if !errors.As(Later(err, now), &later) || later.At.Sub(now.Add(time.Hour)).Abs() > time.Second {
			t.Errorf("%v is not waited for", err)
		}
	}
	for _, err := range []error{github.ErrDenied, github.ErrGone, github.ErrBlocked} {
		var final *sweep.Final
		if !errors.As(Later(err, now), &final) || !errors.Is(Later(err, now), err) {
			t.Errorf("%v is tried again", err)
		}
	}
	var later *sweep.Later
	var final *sweep.Final
	if other := Later(errors.New("other"), now); errors.As(other, &later) || errors.As(other, &final) || Later(nil, now) != nil {
		t.Errorf("another error becomes %v", other)
	}
}

// TestHub holds that budgets tell tokens apart, and hold none; and that options of a newer
// version, or damaged ones, are an error.
func TestHub(t *testing.T) {
	budgets := map[string]string{}
	for _, token := range []string{"first-of-the-test", "other-of-the-test"} {
		t.Setenv("GITHUB_TOKEN", token)
		hubs := New(login.Login{}, 0, nil, time.Now)
		for _, name := range []string{"acme", "acme/app", "other"} {
			hub, err := hubs(sweep.Target{Name: name, API: "https://api.github.com", Options: []byte(`{"include":["gists"]}`)})
			if err != nil {
				t.Fatal(err)
			}
			_, budget, err := hub.CloneURL(t.Context(), "acme/app")
			if strings.Contains(budget, token) || err != nil {
				t.Errorf("the budget is %q: %v", budget, err)
			}
			budgets[budget] = token
			if texts, err := hub.Texts(t.Context(), "acme/app", "", false); texts != nil || err != nil {
				t.Errorf("gists are beside a repository: %v, %v", texts, err)
			}
			if url := hub.WebURL("acme/app"); url != "https://github.com/acme/app" {
				t.Errorf("the URL is %s", url)
			}
		}
		if _, err := hubs(sweep.Target{Name: "acme", Options: []byte("{")}); err == nil {
			t.Error("damaged options are no error")
		}
	}
	if len(budgets) != 2 {
		t.Errorf("two tokens have the budgets %v", budgets)
	}
}

// TestTextsAgainLimited: a limit is waited for, too, while single texts are read again.
func TestTextsAgainLimited(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(srv.Close)
	t.Setenv("GITHUB_TOKEN", "of-the-test")
	hub, err := New(login.Login{}, 0, nil, time.Now)(sweep.Target{Name: "acme", API: srv.URL, Options: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	texts, err := hub.TextsAgain(t.Context(), "acme/app", []finding.BlobID{"issues/1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := texts.Blobs(t.Context(), func(scanner.Blob) error { return nil }); !errors.As(err, new(*sweep.Later)) {
		t.Errorf("it is tried again at once: %v", err)
	}
}
