package report

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/catalog"
)

// TestWrapped: a terminal breaks no word of a page, and a program gets the page as it is.
func TestWrapped(t *testing.T) {
	for _, r := range catalog.Rules() {
		if got := wrapped(r.Help, 0); got != r.Help {
			t.Errorf("%s changes without a terminal", r.ID)
		}
		for _, columns := range []int{40, 80, 300} {
			page := wrapped(r.Help+"\n", columns)
			if got, want := strings.Fields(page), strings.Fields(r.Help); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s has other words at %d columns", r.ID, columns)
			}
			for line := range strings.Lines(page) {
				if n := len([]rune(strings.TrimSpace(line))); n > min(columns, widest) && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s: %d characters at %d columns: %s", r.ID, n, columns, line)
				}
			}
		}
	}
}
