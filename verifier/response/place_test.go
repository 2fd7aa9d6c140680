package response_test

import (
	"testing"

	"github.com/stanch-dev/stanch/verifier/response"
)

// TestPlace: a plan names refs as reports do.
func TestPlace(t *testing.T) {
	at := response.Place{Repo: "app", Path: "prod.env", Line: 1, Commit: "0123456789abcdef"}
	for _, tt := range []struct {
		refs []string
		want string
	}{
		{nil, "app prod.env:1 commit 0123456789, only in history"},
		{[]string{"refs/heads/main"}, "app prod.env:1 commit 0123456789, only in history, on main"},
		{[]string{"refs/heads/main", "refs/tags/v1"}, "app prod.env:1 commit 0123456789, only in history, on main and v1"},
		{[]string{"refs/heads/main", "refs/remotes/a/b", "refs/tags/\x1b"}, `app prod.env:1 commit 0123456789, only in history, on main, a/b and "\x1b"`},
	} {
		if at.Refs = tt.refs; at.String() != tt.want {
			t.Errorf("%q: %s, want %s", tt.refs, at, tt.want)
		}
	}
}
