//go:build sweep

package engine

import (
	"testing"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestSetAside: a repository that has killed its workers is not read by a sweep that looks at
// what is new, and is read by a full one, or after a push.
func TestSetAside(t *testing.T) {
	s := newSweeper(t)
	s.repository(t, "r0", "", "echo key-0 >f; commit 1")
	s.repository(t, "r1", "", "echo key-1 >f; commit 1")
	s.sweep(t, false)
	setAside := func() {
		t.Helper()
		if _, err := s.SQL.ExecContext(t.Context(), `UPDATE repository SET state = 'failed', deaths = $1 WHERE name = 'acme/r0'`, sweep.MaxDeaths); err != nil {
			t.Fatal(err)
		}
	}
	setAside()
	s.sweep(t, false)
	s.wants(t, "set aside", "key-0 key-1", "r0 failed", "r1 swept")
	s.sweep(t, true)
	s.wants(t, "looked at", "key-0 key-1", "r0 unchanged", "r1 unchanged")
	setAside()
	s.push(t, "r0", "echo key-2 >g; commit 2")
	s.sweep(t, false)
	s.wants(t, "pushed to", "key-0 key-1 key-2", "r0 swept", "r1 unchanged")
}
