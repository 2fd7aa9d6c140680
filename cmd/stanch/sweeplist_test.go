//go:build sweep

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSweepFailing sweeps an organization with a repository that cannot be read. Quiet
// sweeps try it again, on whichever page it is, and ask for no more of the list.
func TestSweepFailing(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	for i := range 12 { // three pages
		o.repo(t, fmt.Sprintf("r%02d", i), "", fmt.Sprintf("echo %d >f; commit 1", i))
	}
	o.push(t, "r00", "leak 1 f; commit 2")
	o.push(t, "r01", "leak 2 f; commit 2")
	for i := range 7 {
		o.push(t, fmt.Sprintf("r%02d", 5+i), "commit 2 || :")
	}
	broken := func(_ http.ResponseWriter, r *http.Request) bool {
		return strings.HasPrefix(r.URL.Path, "/acme/r00") || strings.HasPrefix(r.URL.Path, "/acme/r11")
	}
	o.setFault(func(w http.ResponseWriter, r *http.Request) bool {
		if !broken(w, r) {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	o.add(t)
	want := []string{"2: r01"}
	if got := o.sweep(t, exitIncomplete); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	o.taken()
	if got := o.sweep(t, exitIncomplete); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if calls, git := o.taken(); len(calls) > 1 || !slices.ContainsFunc(git, func(s string) bool { return strings.Contains(s, "/r00.git/") }) {
		t.Errorf("a quiet sweep asks %q and %q", calls, git)
	}
	o.setFault(nil)
	if got := o.sweep(t, exitLeaks); !slices.Equal(got, []string{"1: r00", "2: r01"}) {
		t.Errorf("when it can be read again, found %q", got)
	}
}

// TestSweepListCutOff limits the second page of a list for so long that what the first
// one had is done when the listing begins again: what comes after it must not be missed.
func TestSweepListCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for some seconds")
	}
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	for i := range 7 { // two pages
		o.repo(t, fmt.Sprintf("r%02d", i), "", fmt.Sprintf("echo %d >f; commit 1", i))
	}
	o.add(t)
	o.sweep(t, 0)
	for i := range 7 { // r00 is on the second
		o.push(t, fmt.Sprintf("r%02d", i), fmt.Sprintf("leak %d f; commit 2", i%5))
	}
	l := &limiter{seconds: int(maxPause/time.Second) + 2, kind: func(int) int { return 2 }}
	for i := range l.met {
		l.met[i] = i != 1
	}
	o.setFault(l.answer)
	want := []string{"0: r00 r05", "1: r01 r06", "2: r02", "3: r03", "4: r04"}
	if got := o.sweep(t, exitLeaks); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if !l.met[1] {
		t.Error("the second page was not asked for")
	}
}
