package checkout

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/ci"
)

// TestDescribe: a range is written as git writes it, and none is too long for a line.
func TestDescribe(t *testing.T) {
	id := func(digit string) string { return strings.Repeat(digit, 40) }
	head := []string{id("a")}
	for _, tt := range []struct {
		r    Range
		want string
	}{
		{Range{Include: head, Exclude: []string{id("b")}, Commits: 3}, "Scanning 3 commits (push, bbbbbbbbbb..aaaaaaaaaa)."},
		{Range{Include: head, Commits: 1}, "Scanning 1 commit (push, up to aaaaaaaaaa)."},
		{Range{Include: head, Exclude: []string{id("b"), id("c")}, Commits: 12345}, "Scanning 12,345 commits (push, up to aaaaaaaaaa, without bbbbbbbbbb, cccccccccc)."},
		{Range{Include: head, Exclude: []string{id("b"), id("c"), id("d"), id("e"), id("f")}, Commits: 2}, "Scanning 2 commits (push, up to aaaaaaaaaa, without bbbbbbbbbb, cccccccccc, dddddddddd and 2 others)."},
		{Range{All: true}, "Scanning all branches, tags and other objects in the checkout."},
	} {
		if got := tt.r.Describe(&ci.Event{Name: "push"}); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
