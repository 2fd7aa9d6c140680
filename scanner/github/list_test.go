package github

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
)

// TestCloneURL holds which host gets the token: with GitHub Enterprise Server that of
// the API, whatever it is called.
func TestCloneURL(t *testing.T) {
	for api, want := range map[string]string{
		"https://api.github.com":           "https://x-access-token:t@github.com/o/n.git",
		"https://api.acme.ghe.com/":        "https://x-access-token:t@acme.ghe.com/o/n.git",
		"https://git.acme.example/api/v3":  "https://x-access-token:t@git.acme.example/o/n.git",
		"https://api.acme.example/api/v3/": "https://x-access-token:t@api.acme.example/o/n.git",
	} {
		l, err := NewLister(api, Static{Secret: detectors.NewSecret("t")}, "test")
		if err != nil {
			t.Fatal(err)
		}
		got, budget, err := l.CloneURL(t.Context(), "o/n")
		if got != want || err != nil {
			t.Errorf("%s: %s, want %s: %v", api, got, want, err)
		}
		if !strings.HasSuffix(budget, " git") {
			t.Errorf("%s: the limit of git is that of %q", api, budget)
		}
	}
}
